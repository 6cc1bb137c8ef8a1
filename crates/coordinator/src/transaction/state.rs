//! One transaction: what its last durable record says, and which states may follow (TXN-1).

use std::collections::BTreeSet;

use topomotion_wire::{
    ProducerEpoch, ProducerId, TopicPartition, TransactionState, TransactionView,
};

/// The last epoch of a producer id that is given to anybody; only a fence may go one further,
/// so that it always can.
pub(super) const LAST_EPOCH: ProducerEpoch = ProducerEpoch(i16::MAX - 1);

/// Which protocol the producer spoke when it last changed the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum ClientProtocol {
    /// It adds partitions itself, and keeps its epoch.
    #[default]
    One,
    /// Brokers add partitions, and every end raises the epoch (TXN-5).
    Two,
}

/// A transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Transaction {
    /// Whose.
    pub producer: ProducerId,
    /// In which epoch.
    pub epoch: ProducerEpoch,
    /// The producer id before the last change of ids.
    pub previous_producer: Option<ProducerId>,
    /// The id that takes over when this end is complete, for want of epochs.
    pub next_producer: Option<ProducerId>,
    /// The epoch before the last raise that its owner asked for: a retry names it. Not in the
    /// record: a retry that meets another coordinator is refused.
    pub last_epoch: Option<ProducerEpoch>,
    /// `transaction.timeout.ms` of its producer.
    pub timeout_ms: i32,
    /// Where it stands.
    pub state: TransactionState,
    /// What takes part, and gets markers.
    pub partitions: BTreeSet<TopicPartition>,
    /// When it began, Unix ms; none outside of one.
    pub started_ms: Option<i64>,
    /// When it last changed, Unix ms.
    pub updated_ms: i64,
    /// How its producer speaks.
    pub client: ClientProtocol,
}

impl Transaction {
    /// A new producer's, before anything.
    pub fn new(producer: ProducerId, timeout_ms: i32, now_ms: i64) -> Transaction {
        Transaction {
            producer,
            epoch: ProducerEpoch(0),
            previous_producer: None,
            next_producer: None,
            last_epoch: None,
            timeout_ms,
            state: TransactionState::Empty,
            partitions: BTreeSet::new(),
            started_ms: None,
            updated_ms: now_ms,
            client: ClientProtocol::One,
        }
    }

    /// As facts tell it.
    pub fn view(&self) -> TransactionView {
        TransactionView {
            state: self.state,
            producer: self.producer,
            epoch: self.epoch,
            partitions: self.partitions.iter().cloned().collect(),
        }
    }

    /// Whether its end is decided, and markers are due.
    pub fn is_ending(&self) -> bool {
        matches!(
            self.state,
            TransactionState::PrepareCommit | TransactionState::PrepareAbort
        )
    }

    /// Whether this producer id has no epoch left for another producer.
    pub fn is_exhausted(&self) -> bool {
        self.epoch >= LAST_EPOCH
    }

    /// Whether an owner that names an older epoch repeats the end that led here (TXN-5).
    pub fn repeats_end(&self, producer: ProducerId, epoch: ProducerEpoch) -> bool {
        if self.client == ClientProtocol::One {
            return false;
        }
        let bumped = self.producer == producer && follows(epoch, self.epoch);
        let rotated = self.previous_producer == Some(producer)
            && epoch == LAST_EPOCH
            && self.epoch == ProducerEpoch(0);
        bumped || rotated
    }

    /// Empty again, for the next epoch of its producer.
    pub fn begun_again(&self, timeout_ms: i32, now_ms: i64) -> Transaction {
        Transaction {
            timeout_ms,
            state: TransactionState::Empty,
            partitions: BTreeSet::new(),
            started_ms: None,
            updated_ms: now_ms,
            next_producer: None,
            ..self.clone()
        }
    }

    /// With these partitions in it.
    pub fn with_partitions(
        &self,
        more: impl IntoIterator<Item = TopicPartition>,
        client: ClientProtocol,
        now_ms: i64,
    ) -> Transaction {
        let mut next = self.clone();
        if next.state != TransactionState::Ongoing {
            next.partitions.clear();
            next.started_ms = Some(now_ms);
        }
        next.state = TransactionState::Ongoing;
        next.partitions.extend(more);
        next.updated_ms = now_ms;
        next.client = client;
        next
    }

    /// Decided: its markers are due.
    pub fn ended(&self, state: TransactionState, now_ms: i64) -> Transaction {
        let mut next = self.clone();
        if next.state != TransactionState::Ongoing {
            next.partitions.clear();
            next.started_ms = Some(now_ms);
        }
        next.state = state;
        next.updated_ms = now_ms;
        next
    }

    /// Aborted in a higher epoch than its owner has, who can do nothing any more.
    pub fn fenced(&self, now_ms: i64) -> Transaction {
        let mut next = self.ended(TransactionState::PrepareAbort, now_ms);
        next.epoch = ProducerEpoch(self.epoch.0.saturating_add(1));
        next.last_epoch = None;
        next
    }

    /// With every marker written.
    pub fn completed(&self, now_ms: i64) -> Transaction {
        let mut next = self.clone();
        next.state = match self.state {
            TransactionState::PrepareCommit => TransactionState::CompleteCommit,
            _ => TransactionState::CompleteAbort,
        };
        next.partitions.clear();
        next.updated_ms = now_ms;
        if let Some(producer) = next.next_producer.take() {
            next.previous_producer = Some(self.producer);
            next.producer = producer;
            next.epoch = ProducerEpoch(0);
        }
        next
    }
}

/// Whether `new` is the epoch right after `old`.
pub(super) fn follows(old: ProducerEpoch, new: ProducerEpoch) -> bool {
    old.0.checked_add(1) == Some(new.0)
}

/// Whether the second state may follow the first (TXN-1).
pub(super) fn may_follow(from: TransactionState, to: TransactionState) -> bool {
    use TransactionState as S;
    match to {
        S::Empty => matches!(from, S::Empty | S::CompleteCommit | S::CompleteAbort),
        S::Ongoing => {
            matches!(from, S::Ongoing | S::Empty | S::CompleteCommit | S::CompleteAbort)
        }
        S::PrepareCommit => from == S::Ongoing,
        // With TXN-5 an abort of nothing is an end too, and raises the epoch.
        S::PrepareAbort => matches!(
            from,
            S::Ongoing
                | S::PrepareEpochFence
                | S::Empty
                | S::CompleteCommit
                | S::CompleteAbort
        ),
        S::CompleteCommit => from == S::PrepareCommit,
        S::CompleteAbort => from == S::PrepareAbort,
        S::Dead => matches!(from, S::Empty | S::CompleteAbort | S::CompleteCommit),
        S::PrepareEpochFence => from == S::Ongoing,
    }
}
