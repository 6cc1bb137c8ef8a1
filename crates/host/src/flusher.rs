//! Flushes: made on a thread of their own, while the nodes go on.

use topomotion_wire::FlushToken;

use crate::disk::Flush;

/// A flush that somebody waits for.
#[derive(Debug)]
pub(crate) struct Job {
    pub(crate) member: usize,
    /// Which of the member's nodes waits for it.
    pub(crate) life: u32,
    pub(crate) flush: Flush,
    pub(crate) purpose: Purpose,
}

/// What happens when a flush is through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The node is told.
    Tell(FlushToken),
    /// What the node has said meanwhile may go out.
    Release,
}
