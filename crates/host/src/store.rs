//! Where one node's files are.

use topomotion_broker::Volume;
use topomotion_log::{Applied, Disk, DiskError, MemoryDisk};
use topomotion_wire::{DiskOp, Files, FlushToken};

use crate::disk::{FileDisk, Flush};
use crate::error::HostError;

/// Where one node's files are.
#[derive(Debug)]
pub(crate) enum Store {
    /// In a folder.
    Folder(FileDisk),
    /// In memory: they outlive the node, but not the process. Batches are shared with the
    /// node's logs.
    Memory(MemoryDisk),
}

/// What became of an operation.
#[derive(Debug)]
pub(crate) enum Stored {
    /// All that there is to do.
    Done,
    /// It was flushed, as far as that goes here.
    Flushed(FlushToken),
    /// A flush to be made.
    Flush(Flush, FlushToken),
}

impl Store {
    /// Everything that is there, as a node finds it that starts now.
    pub(crate) fn read(&self) -> Result<Files, HostError> {
        match self {
            Store::Folder(disk) => {
                disk.read().map_err(|(path, error)| HostError::File { path, error })
            }
            Store::Memory(disk) => Ok(disk.files()),
        }
    }

    /// The file system that the files are on, if they are on any that tells.
    pub(crate) fn volume(&self) -> Option<Volume> {
        match self {
            Store::Folder(disk) => disk.volume(),
            Store::Memory(_) => None,
        }
    }

    pub(crate) fn apply(&mut self, op: DiskOp) -> Result<Stored, DiskError> {
        match self {
            Store::Folder(disk) => Ok(match disk.apply(op)? {
                Applied::Done => Stored::Done,
                Applied::Flushing { flush, token } => {
                    Stored::Flush(disk.take_flush(flush).unwrap_or_default(), token)
                }
            }),
            Store::Memory(disk) => Ok(match disk.apply(op)? {
                Applied::Done => Stored::Done,
                Applied::Flushing { flush, token } => {
                    disk.complete(flush);
                    Stored::Flushed(token)
                }
            }),
        }
    }

    /// Whether anything was written since [`Store::take_unflushed`].
    pub(crate) fn is_flushed(&self) -> bool {
        match self {
            Store::Folder(disk) => disk.is_flushed(),
            Store::Memory(_) => true,
        }
    }

    /// A flush of everything that was written since the last call.
    pub(crate) fn take_unflushed(&mut self) -> Result<Flush, DiskError> {
        match self {
            Store::Folder(disk) => disk.take_unflushed(),
            Store::Memory(_) => Ok(Flush::default()),
        }
    }
}
