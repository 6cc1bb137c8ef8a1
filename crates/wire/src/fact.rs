//! Facts: what became true inside a machine, told outward as plain data.
//!
//! They carry no decision of the engine; nothing in the engine reads them. The simulator
//! turns them into trace events: state changes on the picture, evidence for the checkers.

use std::sync::Arc;

use crate::{
    ActorDeed, BatchId, BrokerEpoch, ClientDeed, ErrorCode, GroupView, LeaderEpoch,
    LogDeed, MemberView, NodeId, Offset, PartitionEpoch, ProducerEpoch, ProducerId,
    QuorumEpoch, TopicPartition, TransactionStep, TransactionView,
};

/// How many acknowledgements a producer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Acks {
    /// `acks=0`: no response at all.
    None,
    /// `acks=1`: the leader's local append.
    Leader,
    /// `acks=all` (−1): the high watermark has passed the record.
    All,
}

/// A node's part in the metadata quorum (RAFT-1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum QuorumRole {
    /// Knows no leader and runs for nothing.
    Unattached,
    /// Asks for pre-votes.
    Prospective,
    /// Asks for votes.
    Candidate,
    /// Leads: this node's controller is the active one.
    Leader,
    /// Follows a known leader.
    Follower,
    /// Gave leadership up and waits for a successor.
    Resigned,
}

/// A replica's part in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReplicaRole {
    /// Appends what producers send.
    Leader,
    /// Fetches from this leader.
    Follower {
        /// Whom it fetches from, if there is a leader at all.
        leader: Option<NodeId>,
    },
}

/// A broker as the controller sees it (CTL-8).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BrokerLiveness {
    /// Registered, but not (or no longer) trusted with leadership or ISR membership.
    Fenced,
    /// Serves.
    Unfenced,
    /// Is giving its leaderships away before it stops.
    ControlledShutdown,
}

/// Whether a partition's leader may have lost records at its election (CTL-4, KIP-704).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum LeaderRecovery {
    /// It has everything that was committed, or has come to terms with what it has.
    #[default]
    Recovered,
    /// It was elected although it may lack committed records; the ISR may not grow yet.
    Recovering,
}

/// A partition's registration, as committed in the metadata log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartitionState {
    /// Assigned replicas in order of preference.
    pub replicas: Vec<NodeId>,
    /// In-sync replicas.
    pub isr: Vec<NodeId>,
    /// Eligible leader replicas outside the ISR (KIP-966).
    pub elr: Vec<NodeId>,
    /// The last leader, remembered while neither ISR nor ELR has a member (KIP-966).
    pub last_known_elr: Vec<NodeId>,
    /// Replicas that a reassignment adds (CTL-13); they are among `replicas` already.
    pub adding: Vec<NodeId>,
    /// Replicas that a reassignment takes away once the added ones are in sync (CTL-13).
    pub removing: Vec<NodeId>,
    /// Whether the leader may have lost records at its election (CTL-4).
    pub recovery: LeaderRecovery,
    /// The leader, or none while no eligible replica lives.
    pub leader: Option<NodeId>,
    /// Raised with each leader set.
    pub leader_epoch: LeaderEpoch,
    /// Raised with each change.
    pub partition_epoch: PartitionEpoch,
}

/// Something that became true.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    // Quorum and controller.
    /// This node's part in the metadata quorum changed.
    QuorumRole {
        /// New role.
        role: QuorumRole,
        /// In which epoch.
        epoch: QuorumEpoch,
        /// Leader as known to this node.
        leader: Option<NodeId>,
    },
    /// The active controller committed a change of a broker's registration.
    BrokerChanged {
        /// Which broker.
        broker: NodeId,
        /// Its registration.
        epoch: BrokerEpoch,
        /// What it now is.
        liveness: BrokerLiveness,
    },
    /// The active controller committed a partition's registration (new or changed).
    PartitionChanged {
        /// Which.
        partition: TopicPartition,
        /// All of it.
        state: PartitionState,
    },
    /// This node's controller took office. What its predecessor committed last, that one may
    /// have had no time to tell.
    TookOffice {
        /// Every broker's registration.
        brokers: Vec<(NodeId, BrokerEpoch, BrokerLiveness)>,
        /// Every partition's registration.
        partitions: Vec<(TopicPartition, PartitionState)>,
    },
    /// This node applied metadata up to (not including) this offset of the metadata log.
    MetadataApplied {
        /// Next offset to apply.
        offset: Offset,
    },

    // Replicas.
    /// This node's part in a partition changed (CTL-14).
    ReplicaRole {
        /// Which partition.
        partition: TopicPartition,
        /// New part.
        role: ReplicaRole,
        /// From which leader epoch on.
        epoch: LeaderEpoch,
    },
    /// A batch was appended to this node's log.
    Appended {
        /// Where.
        partition: TopicPartition,
        /// First offset.
        base: Offset,
        /// Offsets that it takes: as many as it had records when it was written first.
        count: i64,
        /// Leader epoch stamped on the batch.
        epoch: LeaderEpoch,
        /// Which batch.
        batch: BatchId,
    },
    /// This node cut its log so that it ends at `end` (TRN-3, TRN-4).
    Truncated {
        /// Where.
        partition: TopicPartition,
        /// New log end offset.
        end: Offset,
    },
    /// This node's high watermark for a partition moved.
    HighWatermark {
        /// Where.
        partition: TopicPartition,
        /// New high watermark.
        offset: Offset,
    },
    /// The leader proposed an ISR and acts on the maximal one until it is decided (REP-3).
    IsrProposed {
        /// Where.
        partition: TopicPartition,
        /// What it proposed.
        isr: Vec<NodeId>,
    },
    /// A log did something that no offset shows (LOG-2, LOG-3).
    Log {
        /// Whose log.
        partition: TopicPartition,
        /// What.
        deed: LogDeed,
    },
    /// A produce request waits in purgatory for the high watermark (REP-6).
    ProduceWaits {
        /// Where.
        partition: TopicPartition,
        /// The high watermark that ends the wait.
        until: Offset,
    },

    /// This node's log of a partition starts elsewhere: what stood before is gone (LOG-4,
    /// REP-14).
    LogStart {
        /// Where.
        partition: TopicPartition,
        /// The first offset.
        offset: Offset,
    },
    /// This node's last stable offset of a partition moved (TXN-7).
    LastStable {
        /// Where.
        partition: TopicPartition,
        /// The first offset that a reader of committed records must not see.
        offset: Offset,
    },

    // Coordinators.
    /// A group changed at its coordinator.
    GroupChanged {
        /// Which group.
        group: Arc<str>,
        /// All of it.
        view: GroupView,
    },
    /// A committed offset became durable and visible at the group's coordinator.
    OffsetCommitted {
        /// Which group.
        group: Arc<str>,
        /// Of which partition.
        partition: TopicPartition,
        /// The next offset to read; none once it is expired or deleted.
        offset: Option<Offset>,
    },
    /// A coordinator has read its log. What was committed last, its predecessor may have had no
    /// time to tell.
    OffsetsFound {
        /// Every offset that counts: group, partition, and the next offset to read.
        offsets: Vec<(Arc<str>, TopicPartition, Offset)>,
    },
    /// A transaction changed at its coordinator, durably.
    TransactionChanged {
        /// `transactional.id`.
        transactional_id: Arc<str>,
        /// All of it.
        view: TransactionView,
    },

    // Clients.
    /// What a member of a group believes to own changed.
    Member {
        /// Which group.
        group: Arc<str>,
        /// Its belief.
        view: MemberView,
    },
    /// A consumer's commit was answered.
    CommitAnswered {
        /// Which group.
        group: Arc<str>,
        /// What was to be committed: the next offset to read of each partition.
        offsets: Vec<(TopicPartition, Offset)>,
        /// Why not, if it was refused.
        error: Option<ErrorCode>,
    },
    /// A producer was given its id and epoch (PRD-3).
    ProducerIdentified {
        /// `transactional.id`, of a transactional one.
        transactional_id: Option<Arc<str>>,
        /// Its id.
        producer: ProducerId,
        /// Its epoch.
        epoch: ProducerEpoch,
    },
    /// A transactional producer's application saw its transaction go on.
    Transaction {
        /// `transactional.id`.
        transactional_id: Arc<str>,
        /// Counts the producer's transactions, from 0.
        number: u64,
        /// What it saw.
        step: TransactionStep,
    },
    /// A producer sent a batch (again, if `attempt` > 0).
    BatchSent {
        /// Where to.
        partition: TopicPartition,
        /// Which batch.
        batch: BatchId,
        /// Records.
        count: i64,
        /// What was asked for.
        acks: Acks,
        /// 0 for the first try.
        attempt: u32,
    },
    /// A producer's batch was acknowledged (or, with acks=0, sent).
    BatchAcked {
        /// Where.
        partition: TopicPartition,
        /// Which batch.
        batch: BatchId,
        /// Records.
        count: i64,
        /// What was asked for.
        acks: Acks,
        /// First offset, when the leader told one.
        base: Option<Offset>,
    },
    /// A producer gave a batch up.
    BatchFailed {
        /// Where.
        partition: TopicPartition,
        /// Which batch.
        batch: BatchId,
        /// The last error seen.
        error: ErrorCode,
    },
    /// A consumer handed records to its application.
    Polled {
        /// Where from.
        partition: TopicPartition,
        /// First offset returned.
        base: Offset,
        /// Next offset to read.
        next: Offset,
        /// How many records: offsets may have gaps between them.
        records: usize,
        /// The batches the records came in.
        batches: Vec<BatchId>,
    },
    /// A client learned who leads a partition.
    LeaderLearned {
        /// Which partition.
        partition: TopicPartition,
        /// The leader, or none.
        leader: Option<NodeId>,
        /// Its epoch.
        epoch: LeaderEpoch,
    },
    /// A process around Kafka did something inside.
    Actor {
        /// What.
        deed: ActorDeed,
    },
    /// A client did something inside that nobody else can see.
    Client {
        /// About which partition, where there is one.
        partition: Option<TopicPartition>,
        /// What.
        deed: ClientDeed,
    },
}
