//! Transactions as facts: what a coordinator holds true of one, and where a producer stands.

use crate::{ProducerEpoch, ProducerId, TopicPartition};

/// A transaction's state at its coordinator (TXN-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransactionState {
    /// Nothing was written since the producer began or the last end.
    Empty,
    /// Partitions take part.
    Ongoing,
    /// The commit is decided; markers are to be written.
    PrepareCommit,
    /// The abort is decided; markers are to be written.
    PrepareAbort,
    /// Every marker of the commit is written.
    CompleteCommit,
    /// Every marker of the abort is written.
    CompleteAbort,
    /// A newer producer or the timeout fences the owner; the abort follows.
    PrepareEpochFence,
    /// Forgotten.
    Dead,
}

/// A transaction as its coordinator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionView {
    /// Where it stands.
    pub state: TransactionState,
    /// Whose.
    pub producer: ProducerId,
    /// In which epoch.
    pub epoch: ProducerEpoch,
    /// The partitions that take part, the offsets topic's among them.
    pub partitions: Vec<TopicPartition>,
}

/// What a transactional producer's application saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TransactionStep {
    /// `beginTransaction()`; local.
    Begun,
    /// `commitTransaction()` was called.
    Committing,
    /// It returned: the commit is decided.
    Committed,
    /// `abortTransaction()` was called.
    Aborting,
    /// It returned: the abort is decided.
    Aborted,
    /// A newer producer of the same id exists; this one can do nothing any more (TXN-2).
    Fenced,
    /// An error that only an abort ends.
    Abortable,
    /// What became of it, nobody told.
    Unknown,
}
