//! Where [`DiskOp`]s go: the one thing a world must have to run a machine that writes.
//!
//! Operations are applied in order, and each is seen by [`Disk::files`] at once, as by
//! everybody on a machine with a page cache. A flush is durable when the world says that it is
//! complete, which takes as long as the world wants; only then does the machine get its
//! [`Flushed`](topomotion_wire::Input::Flushed).

mod file;
mod memory;

use std::fmt;

use topomotion_wire::{DiskOp, Files, FlushToken};

pub use memory::{MemoryDisk, Written};

/// A disk that a machine's writes are applied to.
pub trait Disk {
    /// Applies one operation.
    ///
    /// # Errors
    /// When the disk fails. The process that wrote does not outlive that.
    fn apply(&mut self, op: DiskOp) -> Result<Applied, DiskError>;

    /// A flush is through: what it covers survives a power loss from now on. Of flushes of
    /// one file, those that were asked for first complete first or add nothing.
    fn complete(&mut self, flush: FlushId);

    /// Every file with its content, as a process finds it that starts now.
    fn files(&self) -> Files;
}

/// One flush on one disk; unlike a token it is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlushId(pub u64);

/// What became of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// It is in the page cache.
    Done,
    /// A flush is under way: the world completes it, then answers with the token.
    Flushing {
        /// For [`Disk::complete`].
        flush: FlushId,
        /// For the machine.
        token: FlushToken,
    },
}

/// Why a disk refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DiskError {
    /// Input/output error (X04).
    Io,
    /// No space left (X23). As much of an append as there was room for has been written.
    Full,
}

impl fmt::Display for DiskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DiskError::Io => "the disk fails",
            DiskError::Full => "no space left on the disk",
        })
    }
}

impl std::error::Error for DiskError {}
