//! What a producer is to the cluster and where its transaction stands: the states of Kafka's
//! `TransactionManager`, and what is still to be asked of coordinators.
//!
//! ```text
//!   Uninitialized ─► Initializing ─► Ready ─► InTransaction ─► Committing ─► Ready
//!                                     ▲          │    │                       ▲
//!                                     │          │    └─────► Aborting ───────┤
//!                                     │          ▼               ▲            │
//!                                     │    AbortableError ───────┘      (V1, after an
//!                                     └── Initializing ◄────────────── error: bump)
//!   any ─► FatalError
//! ```
//!
//! Questions are asked one at a time, the more urgent ones first; while one is under way, no
//! numbered batch leaves. Nothing here sends: see [`super::conversation`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::sync::Arc;

use topomotion_wire::{
    Endpoint, ErrorCode, Instant, Offset, ProducerEpoch, TopicPartition,
};

use super::sequences::{Identity, Sequences};
use crate::{GroupMetadata, ProducerConfig, TransactionProtocol};

/// Where a producer stands. One without transactions is `Ready` as soon as it has what it
/// needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProducerState {
    /// It has no id yet; a transactional one must be told to get one.
    Uninitialized,
    /// It asks for its id and epoch.
    Initializing,
    /// It has what it needs; no transaction is open.
    Ready,
    /// A transaction is open.
    InTransaction,
    /// Everything is delivered, then the coordinator is told to commit.
    Committing,
    /// What is under way ends, then the coordinator is told to abort.
    Aborting,
    /// Only an abort ends the transaction.
    AbortableError(ErrorCode),
    /// It can do nothing any more.
    FatalError(ErrorCode),
}

impl ProducerState {
    /// Whether it is at work on what it was last told to do about transactions.
    pub fn is_busy(self) -> bool {
        match self {
            ProducerState::Initializing
            | ProducerState::Committing
            | ProducerState::Aborting => true,
            ProducerState::Uninitialized
            | ProducerState::Ready
            | ProducerState::InTransaction
            | ProducerState::AbortableError(_)
            | ProducerState::FatalError(_) => false,
        }
    }
}

/// A call that the producer's state does not allow (`IllegalStateException`, or the error
/// that it stands in).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfTurn {
    /// What was called, by Kafka's name.
    pub call: &'static str,
    /// Where the producer stood.
    pub state: ProducerState,
}

impl fmt::Display for OutOfTurn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let call = self.call;
        match self.state {
            ProducerState::Uninitialized => {
                write!(f, "{call} needs initTransactions first")
            }
            ProducerState::Ready => write!(f, "{call} needs an open transaction"),
            ProducerState::InTransaction => {
                write!(f, "{call} has no place inside a transaction")
            }
            ProducerState::Initializing
            | ProducerState::Committing
            | ProducerState::Aborting => {
                write!(f, "{call} must wait until the last call is done")
            }
            ProducerState::AbortableError(error) => {
                let error = topomotion_wire::error_name(error);
                write!(
                    f,
                    "after {error} {call} cannot be: the transaction must be aborted"
                )
            }
            ProducerState::FatalError(error) => {
                let error = topomotion_wire::error_name(error);
                write!(f, "after {error} the producer can do nothing any more")
            }
        }
    }
}

impl std::error::Error for OutOfTurn {}

/// How a transaction is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Commit,
    Abort,
}

/// Whose coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Coordinator {
    Transaction,
    Group(Arc<str>),
}

/// Offsets that are committed with the transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Commit {
    pub group: GroupMetadata,
    pub offsets: BTreeMap<TopicPartition, Offset>,
}

/// A question to a coordinator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    FindCoordinator(Coordinator),
    InitProducerId,
    AddPartitions(BTreeSet<TopicPartition>),
    AddOffsets(Commit),
    CommitOffsets(Commit),
    End(End),
}

impl Ask {
    /// The smaller the earlier.
    fn urgency(&self) -> u8 {
        match self {
            Ask::FindCoordinator(_) => 0,
            Ask::InitProducerId => 1,
            Ask::AddPartitions(_) | Ask::AddOffsets(_) | Ask::CommitOffsets(_) => 2,
            Ask::End(_) => 3,
        }
    }
}

/// How partitions come into a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// `AddPartitionsToTxn` and `AddOffsetsToTxn` from the producer.
    V1,
    /// With the first record or offset (KIP-890).
    V2,
}

/// The manager.
#[derive(Debug, Clone)]
pub(super) struct Manager {
    pub transactional_id: Option<Arc<str>>,
    /// Whether batches are numbered at all.
    pub is_idempotent: bool,
    pub state: ProducerState,
    pub identity: Option<Identity>,
    pub sequences: Sequences,
    /// Partitions with a gap: the epoch is to be raised, and they are numbered anew.
    pub gaps: BTreeSet<TopicPartition>,
    /// V1: after the transaction the coordinator is asked for a new epoch.
    pub wants_bump: bool,
    setting: TransactionProtocol,
    pub protocol: Protocol,
    pub coordinator: Option<Endpoint>,
    pub groups: BTreeMap<Arc<str>, Endpoint>,
    asks: VecDeque<Ask>,
    /// Whether a question is under way.
    pub is_asking: bool,
    /// Tries of the question in front.
    pub attempts: u32,
    /// Nothing is asked before.
    pub pause: Instant,
    /// Transactions begun so far.
    begun: u64,
    /// V1: partitions with records that the coordinator has not been told of.
    pub new: BTreeSet<TopicPartition>,
    /// Partitions of the transaction.
    pub partitions: BTreeSet<TopicPartition>,
    /// Whether the coordinator knows of the transaction.
    pub is_started: bool,
}

impl Manager {
    pub fn new(config: &ProducerConfig) -> Manager {
        let is_idempotent = config.is_idempotent();
        Manager {
            transactional_id: config.transactional_id.clone().filter(|_| is_idempotent),
            is_idempotent,
            state: match is_idempotent {
                true => ProducerState::Uninitialized,
                false => ProducerState::Ready,
            },
            identity: None,
            sequences: Sequences::default(),
            gaps: BTreeSet::new(),
            wants_bump: false,
            setting: config.transaction_protocol,
            protocol: Protocol::V1,
            coordinator: None,
            groups: BTreeMap::new(),
            asks: VecDeque::new(),
            is_asking: false,
            attempts: 0,
            pause: Instant::ZERO,
            begun: 0,
            new: BTreeSet::new(),
            partitions: BTreeSet::new(),
            is_started: false,
        }
    }

    pub fn is_transactional(&self) -> bool {
        self.transactional_id.is_some()
    }

    /// The error that ends everything.
    pub fn fatal(&self) -> Option<ErrorCode> {
        match self.state {
            ProducerState::FatalError(error) => Some(error),
            _ => None,
        }
    }

    /// What a batch that has not left yet fails with, where none may leave any more.
    pub fn refuses(&self) -> Option<ErrorCode> {
        match self.state {
            ProducerState::AbortableError(error) | ProducerState::FatalError(error) => {
                Some(error)
            }
            ProducerState::Aborting => Some(ErrorCode::OperationNotAttempted),
            _ => None,
        }
    }

    /// Why a record cannot be taken now.
    pub fn refusal(&self) -> Option<ErrorCode> {
        match self.state {
            ProducerState::FatalError(error) | ProducerState::AbortableError(error) => {
                Some(error)
            }
            ProducerState::InTransaction => None,
            _ if self.is_transactional() => Some(ErrorCode::InvalidTxnState),
            _ => None,
        }
    }

    /// The number of the present transaction.
    pub fn number(&self) -> u64 {
        self.begun.saturating_sub(1)
    }

    /// A transaction begins. `finalized` is the cluster's `transaction.version`.
    pub fn begin(&mut self, finalized: i16) {
        self.begun += 1;
        self.state = ProducerState::InTransaction;
        self.protocol = match self.setting {
            TransactionProtocol::V1 => Protocol::V1,
            TransactionProtocol::V2 => Protocol::V2,
            TransactionProtocol::AsFinalized if finalized >= 2 => Protocol::V2,
            TransactionProtocol::AsFinalized => Protocol::V1,
        };
    }

    /// A record goes to this partition.
    pub fn enlist(&mut self, partition: &TopicPartition) {
        if !self.is_transactional() || self.partitions.contains(partition) {
            return;
        }
        match self.protocol {
            Protocol::V1 => {
                self.new.insert(partition.clone());
            }
            Protocol::V2 => {
                self.partitions.insert(partition.clone());
                self.is_started = true;
            }
        }
    }

    /// The transaction is over.
    pub fn close(&mut self) {
        self.state = match self.wants_bump {
            true => ProducerState::Initializing,
            false => ProducerState::Ready,
        };
        if std::mem::take(&mut self.wants_bump) {
            self.ask(Ask::InitProducerId);
        }
        self.new.clear();
        self.partitions.clear();
        self.is_started = false;
    }

    /// Puts a question behind those that are as urgent.
    pub fn ask(&mut self, ask: Ask) {
        let at = self.asks.partition_point(|it| it.urgency() <= ask.urgency());
        if at == 0 && !self.is_asking {
            self.attempts = 0;
        }
        self.asks.insert(at, ask);
    }

    /// Puts a question before those that are as urgent.
    pub fn ask_again(&mut self, ask: Ask) {
        let at = self.asks.partition_point(|it| it.urgency() < ask.urgency());
        self.asks.insert(at, ask);
    }

    /// Drops every question.
    pub fn ask_nothing(&mut self) {
        self.asks.clear();
    }

    /// The question that is next. The end of a transaction waits for its batches.
    pub fn next(&mut self, has_incomplete: bool) -> Option<&Ask> {
        if !self.new.is_empty() && self.refuses().is_none() {
            let new = std::mem::take(&mut self.new);
            self.ask(Ask::AddPartitions(new));
        }
        let next = self.asks.front()?;
        (!has_incomplete || !matches!(next, Ask::End(_))).then_some(next)
    }

    /// Takes the question in front.
    pub fn take(&mut self) -> Option<Ask> {
        self.asks.pop_front()
    }

    /// Whether offsets still have to be told to a coordinator.
    pub fn has_offsets(&self) -> bool {
        let is_offsets =
            |ask: &Ask| matches!(ask, Ask::AddOffsets(_) | Ask::CommitOffsets(_));
        self.asks.iter().any(is_offsets)
    }

    /// Whether the numbered batches must wait for an answer.
    fn is_conversing(&self) -> bool {
        let waits = self.asks.front().is_some_and(|ask| !matches!(ask, Ask::End(_)));
        self.is_asking || waits
    }

    /// Who numbers the batches of this partition now, if any may leave.
    pub fn sender(&self, partition: &TopicPartition) -> Option<Identity> {
        let is_in = !self.is_transactional() || self.partitions.contains(partition);
        let may = is_in && self.fatal().is_none() && !self.is_conversing();
        self.identity.filter(|_| may)
    }

    /// The epoch after this one; none is after the largest.
    pub fn next_epoch(&self) -> Option<Identity> {
        let Identity { id, epoch } = self.identity?;
        let epoch = ProducerEpoch(epoch.0.checked_add(1)?);
        Some(Identity { id, epoch })
    }
}
