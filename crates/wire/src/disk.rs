//! What a machine asks of its disk, as data.
//!
//! Reads happen once, at start: a machine is recovered from the files that survived.
//! Afterwards it only writes. An append reaches the page cache when it is asked for; only a
//! [`DiskOp::Flush`] that was answered with [`Input::Flushed`](crate::Input::Flushed) is
//! known to survive a power loss (LOG-6). "Acknowledged before flushed" can be expressed.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;

/// A file's name below the node's data directory, e.g.
/// `orders-0/00000000000000000000.log` or `meta.properties`.
pub type FileName = Arc<str>;

/// A data directory as it was found at start: every file that survived, with its content.
pub type Files = BTreeMap<FileName, Bytes>;

/// Pairs a flush with its completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FlushToken(pub u64);

/// One operation on one file, applied in the order in which they were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DiskOp {
    /// Adds bytes at the end, creating the file if need be.
    Append {
        /// The file.
        file: FileName,
        /// What to add.
        bytes: Bytes,
    },
    /// Cuts the file to its first `len` bytes.
    Truncate {
        /// The file.
        file: FileName,
        /// Length to keep, in bytes.
        len: u64,
    },
    /// Replaces the whole file, all or nothing.
    Replace {
        /// The file.
        file: FileName,
        /// Its new content.
        bytes: Bytes,
    },
    /// Removes the file.
    Delete {
        /// The file.
        file: FileName,
    },
    /// Makes everything written to `file` so far durable, then answers with the token.
    Flush {
        /// The file.
        file: FileName,
        /// Comes back in [`Input::Flushed`](crate::Input::Flushed).
        token: FlushToken,
    },
}
