//! Groups and transactions as the trace knows them.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A group's state at its coordinator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum GroupState {
    /// No members.
    Empty,
    /// Members are asked to join again.
    PreparingRebalance,
    /// All have joined; the assignment is awaited.
    CompletingRebalance,
    /// The target assignment is being computed.
    Assigning,
    /// Members have not all reached their target.
    Reconciling,
    /// Everybody has what was assigned.
    Stable,
    /// Gone.
    Dead,
}

/// A member of a group as its coordinator sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupMember {
    /// The member's id.
    pub id: Arc<str>,
    /// Its process.
    pub process: Arc<str>,
    /// `group.instance.id` of a static member.
    pub instance: Option<Arc<str>>,
    /// Its epoch, or the group's generation.
    pub epoch: i32,
    /// The partitions that are assigned to it.
    pub assigned: Vec<Arc<str>>,
}

/// How what a member owns has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ownership {
    /// It was given partitions.
    Assigned,
    /// It let partitions go.
    Revoked,
    /// Partitions were taken from it without a word.
    Lost,
}

/// A transaction's state at its coordinator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransactionState {
    /// Nothing is open.
    Empty,
    /// Partitions take part.
    Ongoing,
    /// The commit is decided.
    PrepareCommit,
    /// The abort is decided.
    PrepareAbort,
    /// The commit is over.
    CompleteCommit,
    /// The abort is over.
    CompleteAbort,
    /// The owner is being fenced.
    PrepareEpochFence,
    /// Forgotten.
    Dead,
}

/// What a transactional producer's application saw.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TransactionStep {
    /// It began.
    Begun,
    /// A commit was asked for.
    Committing,
    /// The commit is decided.
    Committed,
    /// An abort was asked for.
    Aborting,
    /// The abort is decided.
    Aborted,
    /// A newer producer of the same id exists.
    Fenced,
    /// Only an abort helps.
    Abortable,
    /// Nobody told what became of it.
    Unknown,
}

impl GroupState {
    /// The state as conditions write it: `preparing-rebalance`.
    pub const fn name(self) -> &'static str {
        match self {
            GroupState::Empty => "empty",
            GroupState::PreparingRebalance => "preparing-rebalance",
            GroupState::CompletingRebalance => "completing-rebalance",
            GroupState::Assigning => "assigning",
            GroupState::Reconciling => "reconciling",
            GroupState::Stable => "stable",
            GroupState::Dead => "dead",
        }
    }
}

impl TransactionState {
    /// The state as conditions write it: `prepare-commit`.
    pub const fn name(self) -> &'static str {
        match self {
            TransactionState::Empty => "empty",
            TransactionState::Ongoing => "ongoing",
            TransactionState::PrepareCommit => "prepare-commit",
            TransactionState::PrepareAbort => "prepare-abort",
            TransactionState::CompleteCommit => "complete-commit",
            TransactionState::CompleteAbort => "complete-abort",
            TransactionState::PrepareEpochFence => "prepare-epoch-fence",
            TransactionState::Dead => "dead",
        }
    }
}

impl TransactionStep {
    /// What was seen, in words that follow "the transaction".
    pub const fn words(self) -> &'static str {
        match self {
            TransactionStep::Begun => "begins",
            TransactionStep::Committing => "is to be committed",
            TransactionStep::Committed => "is committed",
            TransactionStep::Aborting => "is to be aborted",
            TransactionStep::Aborted => "is aborted",
            TransactionStep::Fenced => "is another's: this producer is fenced",
            TransactionStep::Abortable => "can only be aborted",
            TransactionStep::Unknown => "has ended nobody knows how",
        }
    }
}

impl fmt::Display for GroupState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for TransactionState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for TransactionStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl fmt::Display for Ownership {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ownership::Assigned => "is given",
            Ownership::Revoked => "lets go of",
            Ownership::Lost => "has lost",
        })
    }
}
