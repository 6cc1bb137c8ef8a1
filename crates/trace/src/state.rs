//! What became true: the state that the picture shows and the checkers judge.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{GroupMember, GroupState, Ownership, TransactionState, TransactionStep};

/// A change of state. Partitions are named as Kafka names them: `orders-0`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StateChange {
    /// A process's colour (scripted flows, faults).
    Process {
        /// Whose.
        process: Arc<str>,
        /// New state.
        state: ProcessState,
    },
    /// A node's part in the metadata quorum.
    Quorum {
        /// Whose.
        process: Arc<str>,
        /// New part.
        role: QuorumRole,
        /// In which epoch.
        epoch: i32,
    },
    /// The active controller committed what a broker is.
    Broker {
        /// Who committed.
        controller: Arc<str>,
        /// Which broker.
        broker: Arc<str>,
        /// What it is.
        liveness: BrokerLiveness,
    },
    /// The active controller committed a partition's registration.
    Registration {
        /// Who committed.
        controller: Arc<str>,
        /// Which partition.
        partition: Arc<str>,
        /// Assigned replicas, in order of preference.
        replicas: Vec<Arc<str>>,
        /// In-sync replicas.
        isr: Vec<Arc<str>>,
        /// The leader, if there is one.
        leader: Option<Arc<str>>,
        /// Raised with each leader set.
        leader_epoch: i32,
        /// Raised with each change.
        partition_epoch: i32,
    },
    /// A replica became leader or follower.
    Replica {
        /// Whose.
        process: Arc<str>,
        /// Which partition.
        partition: Arc<str>,
        /// Whom it follows: itself if it leads, `None` if nobody does.
        leader: Option<Arc<str>>,
        /// From which leader epoch on.
        epoch: i32,
    },
    /// A replica's log grew by one batch.
    Appended {
        /// Whose.
        process: Arc<str>,
        /// Which partition.
        partition: Arc<str>,
        /// First offset.
        base: i64,
        /// Records.
        count: i64,
        /// Leader epoch of the batch.
        epoch: i32,
        /// The batch's checksum: its identity.
        batch: u32,
    },
    /// A replica's log was cut.
    Truncated {
        /// Whose.
        process: Arc<str>,
        /// Which partition.
        partition: Arc<str>,
        /// New log end offset.
        end: i64,
    },
    /// A process that came back found less of a replica's log than it had written: the host
    /// had lost power, or its disk.
    Recovered {
        /// Whose.
        process: Arc<str>,
        /// Which partition.
        partition: Arc<str>,
        /// Log end offset that was found.
        end: i64,
    },
    /// A replica's high watermark moved.
    HighWatermark {
        /// Whose.
        process: Arc<str>,
        /// Which partition.
        partition: Arc<str>,
        /// New high watermark.
        offset: i64,
    },
    /// A replica's log starts elsewhere: what stood before was retained long enough, or deleted.
    LogStart {
        /// Whose.
        process: Arc<str>,
        /// Which partition.
        partition: Arc<str>,
        /// The first offset.
        offset: i64,
    },
    /// A leader proposed an ISR.
    IsrProposed {
        /// Who.
        process: Arc<str>,
        /// Which partition.
        partition: Arc<str>,
        /// The set.
        isr: Vec<Arc<str>>,
    },
    /// A produce request waits for the high watermark.
    ProduceWaits {
        /// At which leader.
        process: Arc<str>,
        /// Which partition.
        partition: Arc<str>,
        /// The high watermark that ends the wait.
        until: i64,
    },
    /// A producer sent a batch.
    BatchSent {
        /// Who.
        process: Arc<str>,
        /// Where to.
        partition: Arc<str>,
        /// Its checksum.
        batch: u32,
        /// Records.
        count: i64,
        /// `0`, `1` or `all`.
        acks: Arc<str>,
        /// 0 for the first try.
        attempt: u32,
    },
    /// A producer's batch was acknowledged.
    BatchAcked {
        /// Whose.
        process: Arc<str>,
        /// Where.
        partition: Arc<str>,
        /// Its checksum.
        batch: u32,
        /// Records.
        count: i64,
        /// `0`, `1` or `all`.
        acks: Arc<str>,
        /// First offset, if the leader told.
        base: Option<i64>,
    },
    /// A producer gave a batch up.
    BatchFailed {
        /// Whose.
        process: Arc<str>,
        /// Where.
        partition: Arc<str>,
        /// Its checksum.
        batch: u32,
        /// Why, in Kafka's words.
        error: String,
    },
    /// A consumer handed records on; `next` is its position afterwards.
    Polled {
        /// Who.
        process: Arc<str>,
        /// Where from.
        partition: Arc<str>,
        /// First offset.
        base: i64,
        /// Next offset.
        next: i64,
        /// How many records: offsets may have gaps between them.
        records: i64,
    },
    /// A client learned who leads.
    LeaderLearned {
        /// Who.
        process: Arc<str>,
        /// Which partition.
        partition: Arc<str>,
        /// The leader, if there is one.
        leader: Option<Arc<str>>,
        /// Its epoch.
        epoch: i32,
    },
    /// A replica's last stable offset moved: readers of committed records stop there.
    LastStable {
        /// Whose.
        process: Arc<str>,
        /// Which partition.
        partition: Arc<str>,
        /// The first offset that they must not see.
        offset: i64,
    },
    /// A group as its coordinator sees it, after a change.
    Group {
        /// Whose view.
        coordinator: Arc<str>,
        /// Which group.
        group: Arc<str>,
        /// Its state.
        state: GroupState,
        /// Generation, or group epoch.
        generation: i32,
        /// The process of the member that leads, where one does.
        leader: Option<Arc<str>>,
        /// The assignor that was agreed on, or the protocol's name.
        protocol: Option<Arc<str>>,
        /// Its members, in the order of their ids.
        members: Vec<GroupMember>,
    },
    /// What a member of a group believes to own, after a change.
    Member {
        /// Who.
        process: Arc<str>,
        /// Of which group.
        group: Arc<str>,
        /// Its generation, or member epoch; -1 outside the group.
        generation: i32,
        /// What changed.
        change: Ownership,
        /// The partitions that changed hands.
        partitions: Vec<Arc<str>>,
        /// All that it owns now.
        owned: Vec<Arc<str>>,
    },
    /// A committed offset counts from now on, or is gone.
    OffsetCommitted {
        /// Whose view.
        coordinator: Arc<str>,
        /// Of which group.
        group: Arc<str>,
        /// In which partition.
        partition: Arc<str>,
        /// The next offset to read; `None` once it is expired or deleted.
        offset: Option<i64>,
    },
    /// A consumer's commit was answered.
    CommitAnswered {
        /// Whose.
        process: Arc<str>,
        /// Of which group.
        group: Arc<str>,
        /// The next offset to read of each partition.
        offsets: Vec<(Arc<str>, i64)>,
        /// Why it was refused, in Kafka's words.
        error: Option<String>,
    },
    /// A transaction as its coordinator sees it, after a change.
    Transaction {
        /// Whose view.
        coordinator: Arc<str>,
        /// `transactional.id`.
        id: Arc<str>,
        /// Its state.
        state: TransactionState,
        /// The producer's id.
        producer: i64,
        /// Its epoch.
        epoch: i16,
        /// The partitions that take part.
        partitions: Vec<Arc<str>>,
    },
    /// A producer's application saw its transaction go on.
    TransactionStep {
        /// Whose.
        process: Arc<str>,
        /// `transactional.id`.
        id: Arc<str>,
        /// Counts the producer's transactions, from 0.
        number: u64,
        /// What it saw.
        step: TransactionStep,
    },
    /// A producer was given its id and epoch.
    ProducerIdentified {
        /// Who.
        process: Arc<str>,
        /// `transactional.id` of a transactional one.
        id: Option<Arc<str>>,
        /// Its id.
        producer: i64,
        /// Its epoch.
        epoch: i16,
    },
}

/// A process's colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessState {
    /// Well.
    Running,
    /// In doubt: paused, fenced, cut off.
    Warning,
    /// Failing.
    Error,
    /// Down.
    Stopped,
}

/// A node's part in the metadata quorum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum QuorumRole {
    /// Knows no leader.
    Unattached,
    /// Asks for pre-votes.
    Prospective,
    /// Asks for votes.
    Candidate,
    /// Leads: the active controller.
    Leader,
    /// Follows.
    Follower,
    /// Gave leadership up.
    Resigned,
}

/// A broker as the controller sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BrokerLiveness {
    /// Not trusted.
    Fenced,
    /// Serves.
    Unfenced,
    /// Is leaving in good order.
    ControlledShutdown,
}
