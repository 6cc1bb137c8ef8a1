//! What can be waited for and demanded: `leader(orders-0) == broker-2`.

use std::fmt;

use crate::ProcessId;

/// A partition as scripts write it: `orders-0`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartitionName {
    /// The topic.
    pub topic: String,
    /// The index.
    pub partition: u32,
}

impl PartitionName {
    /// Reads `orders-0`; `None` for anything else.
    pub fn parse(text: &str) -> Option<PartitionName> {
        let (topic, index) =
            text.rsplit_once('-').filter(|(topic, _)| !topic.is_empty())?;
        Some(PartitionName { topic: topic.to_owned(), partition: index.parse().ok()? })
    }
}

impl fmt::Display for PartitionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// A statement about the cluster that is true or false at any moment.
///
/// Wherever a process stands, an [`Alias`](crate::Alias) such as `@controller` may stand too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `no-acknowledged-record-lost`: every record that was acknowledged is still in its
    /// leader's log, at its offset.
    NoAcknowledgedRecordLost,
    /// `violation(J3)`: since the story began this invariant was found broken. Whoever
    /// expects that does not let the run fail by it.
    Violation(String),
    /// `told(order-producer, NOT_ENOUGH_REPLICAS)`: since the story began somebody answered
    /// this process with this error.
    Told {
        /// Who was answered.
        process: ProcessId,
        /// The error as Kafka writes it.
        error: String,
    },
    /// `fenced(broker-1)`: the active controller does not trust this broker.
    Fenced(ProcessId),
    /// `!fenced(broker-1)`, also written `unfenced(broker-1)`; stands before yes-no
    /// conditions only.
    Not(Box<Condition>),
    /// `leader(orders-0) == broker-2`; `None` stands for `none`.
    Leader {
        /// Of which partition.
        partition: PartitionName,
        /// `Equal` or `NotEqual`.
        comparison: Comparison,
        /// Whom.
        process: Option<ProcessId>,
    },
    /// `controller == controller-2`; `None` stands for `none`. The active controller is the
    /// living quorum leader of the highest epoch.
    Controller {
        /// `Equal` or `NotEqual`.
        comparison: Comparison,
        /// Whom.
        process: Option<ProcessId>,
    },
    /// `isr(orders-0) == {broker-1, broker-2}` and its like; order does not matter.
    Replicas {
        /// Which set of them.
        set: ReplicaSet,
        /// Of which partition.
        partition: PartitionName,
        /// `Equal` or `NotEqual`.
        comparison: Comparison,
        /// Whom, sorted.
        processes: Vec<ProcessId>,
    },
    /// `voters == {controller-1, controller-2, controller-3}`: who votes in the metadata
    /// quorum, as its leader knows it.
    Voters {
        /// `Equal` or `NotEqual`.
        comparison: Comparison,
        /// Whom, sorted.
        processes: Vec<ProcessId>,
    },
    /// `owns(flink-1, orders-0)`: a member of a group believes to own this partition.
    Owns {
        /// Who.
        process: ProcessId,
        /// Which.
        partition: PartitionName,
    },
    /// `owned(flink-1) == {orders-0, orders-1}`: all that a member of a group believes to
    /// own.
    Owned {
        /// Who.
        process: ProcessId,
        /// `Equal` or `NotEqual`.
        comparison: Comparison,
        /// What, sorted.
        partitions: Vec<PartitionName>,
    },
    /// `group(flink-cg) == stable`, `transaction(orders-tx) == prepare-commit`: a state at
    /// the coordinator. What no coordinator knows is `dead`.
    State {
        /// Of what.
        of: Stateful,
        /// `Equal` or `NotEqual`.
        comparison: Comparison,
        /// One of [`Stateful::states`].
        state: String,
    },
    /// `high-watermark(orders-0) >= 1`, `log-end(orders-0, broker-2) == 3` and their like.
    Number {
        /// Which number.
        term: Term,
        /// Of which partition.
        partition: PartitionName,
        /// At which replica; the leader's if it is not said.
        replica: Option<ProcessId>,
        /// How it must compare.
        comparison: Comparison,
        /// With what.
        value: i64,
    },
    /// `partitions(orders) == 6`, `position(reader, orders-0) == 5` and their like.
    Count {
        /// Of what.
        of: Count,
        /// How it must compare.
        comparison: Comparison,
        /// With what.
        value: i64,
    },
}

/// What a coordinator keeps a state of.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stateful {
    /// `group(flink-cg)`
    Group(String),
    /// `transaction(orders-tx)`
    Transaction(String),
}

impl Stateful {
    /// The states that it can be in, as conditions write them.
    pub fn states(&self) -> &'static [&'static str] {
        match self {
            Stateful::Group(_) => &[
                "empty",
                "preparing-rebalance",
                "completing-rebalance",
                "assigning",
                "reconciling",
                "stable",
                "dead",
            ],
            Stateful::Transaction(_) => &[
                "empty",
                "ongoing",
                "prepare-commit",
                "prepare-abort",
                "complete-commit",
                "complete-abort",
                "prepare-epoch-fence",
                "dead",
            ],
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Stateful::Group(name) | Stateful::Transaction(name) => name,
        }
    }
}

impl fmt::Display for Stateful {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stateful::Group(name) => write!(f, "group({name})"),
            Stateful::Transaction(id) => write!(f, "transaction({id})"),
        }
    }
}

/// A set of replicas that a partition has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ReplicaSet {
    /// `isr`: in sync.
    Isr,
    /// `elr`: eligible to lead though not in sync.
    Elr,
    /// `replicas`: assigned.
    Assigned,
}

/// A number that a partition has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// The high watermark, the leader's or a replica's.
    HighWatermark,
    /// The log start offset, the leader's or a replica's.
    LogStart,
    /// The log end offset, the leader's or a replica's.
    LogEnd,
    /// The last stable offset, the leader's or a replica's: where readers of committed
    /// records stop.
    LastStable,
    /// The registered leader epoch.
    LeaderEpoch,
    /// The size of the registered ISR.
    IsrSize,
}

/// A number that belongs to no single partition, or to a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Count {
    /// `quorum-epoch`: the highest epoch that any node of the quorum has been in.
    QuorumEpoch,
    /// `under-replicated`: partitions with a leader whose ISR lacks a replica, as brokers
    /// report them.
    UnderReplicated,
    /// `offline`: partitions that nobody leads, as the controller reports them.
    Offline,
    /// `partitions(orders)`: how many a topic has; 0 without the topic.
    Partitions(String),
    /// `position(reader, orders-0)`: the next offset that a consumer will read.
    Position(ProcessId, PartitionName),
    /// `records-read(reader)`: how many records a consumer was handed since the story began.
    RecordsRead(ProcessId),
    /// `generation(flink-cg)`: the group's generation, or its epoch.
    Generation(String),
    /// `members(flink-cg)`: how many members the coordinator knows.
    Members(String),
    /// `owned(flink-1)`: how many partitions a member believes to own.
    Owned(ProcessId),
    /// `committed(flink-cg, orders-0)`: the next offset to read, as the group has committed
    /// it.
    Committed(String, PartitionName),
    /// `lag(flink-cg, orders)` of a topic or of one partition: what a group has not
    /// committed of what is there to be read.
    Lag(String, String),
    /// `producer-epoch(shop)`: the epoch that a producer was given.
    ProducerEpoch(ProcessId),
    /// `read-twice(flink-cg)`, of a group or of one reader: how many records were handed on
    /// again since the story began.
    ReadTwice(String),
    /// `holds(search, orders)`: rows of a table, documents of an index, the value that an
    /// application keeps under a key.
    Holds(ProcessId, String),
}

impl Condition {
    /// The partition that it speaks of.
    pub fn partition(&self) -> Option<&PartitionName> {
        match self {
            Condition::Not(inner) => inner.partition(),
            Condition::Leader { partition, .. }
            | Condition::Replicas { partition, .. }
            | Condition::Number { partition, .. }
            | Condition::Owns { partition, .. }
            | Condition::Count {
                of: Count::Position(_, partition) | Count::Committed(_, partition),
                ..
            } => Some(partition),
            Condition::NoAcknowledgedRecordLost
            | Condition::Violation(_)
            | Condition::Told { .. }
            | Condition::Fenced(_)
            | Condition::Controller { .. }
            | Condition::Voters { .. }
            | Condition::Owned { .. }
            | Condition::State { .. }
            | Condition::Count { .. } => None,
        }
    }

    /// The processes and aliases that it names.
    pub fn processes(&self) -> Vec<&ProcessId> {
        let mut found = Vec::new();
        self.collect(&mut found);
        found
    }

    fn collect<'c>(&'c self, found: &mut Vec<&'c ProcessId>) {
        match self {
            Condition::Not(inner) => inner.collect(found),
            Condition::Told { process, .. }
            | Condition::Fenced(process)
            | Condition::Owns { process, .. }
            | Condition::Owned { process, .. }
            | Condition::Count {
                of:
                    Count::Position(process, _)
                    | Count::RecordsRead(process)
                    | Count::Owned(process)
                    | Count::Holds(process, _)
                    | Count::ProducerEpoch(process),
                ..
            } => found.push(process),
            Condition::Leader { process, .. }
            | Condition::Controller { process, .. }
            | Condition::Number { replica: process, .. } => found.extend(process),
            Condition::Replicas { processes, .. }
            | Condition::Voters { processes, .. } => found.extend(processes),
            Condition::NoAcknowledgedRecordLost
            | Condition::Violation(_)
            | Condition::State { .. }
            | Condition::Count { .. } => {}
        }
    }

    /// The same, to be replaced.
    pub fn processes_mut(&mut self) -> Vec<&mut ProcessId> {
        match self {
            Condition::Not(inner) => inner.processes_mut(),
            Condition::Told { process, .. }
            | Condition::Fenced(process)
            | Condition::Owns { process, .. }
            | Condition::Owned { process, .. }
            | Condition::Count {
                of:
                    Count::Position(process, _)
                    | Count::RecordsRead(process)
                    | Count::Owned(process)
                    | Count::ProducerEpoch(process),
                ..
            } => vec![process],
            Condition::Leader { process, .. }
            | Condition::Controller { process, .. }
            | Condition::Number { replica: process, .. } => process.iter_mut().collect(),
            Condition::Replicas { processes, .. }
            | Condition::Voters { processes, .. } => processes.iter_mut().collect(),
            Condition::NoAcknowledgedRecordLost
            | Condition::Violation(_)
            | Condition::State { .. }
            | Condition::Count { .. } => Vec::new(),
        }
    }

    /// The invariant whose violation it demands.
    pub fn violation(&self) -> Option<&str> {
        match self {
            Condition::Violation(invariant) => Some(invariant),
            _ => None,
        }
    }
}

/// The invariants that a run is judged by, under the ids of the semantics reference.
pub const INVARIANTS: &[&str] = &[
    "J1", "J2", "J3", "J4", "J5", "J6", "J7", "J8", "J9", "J10", "J14", "J16", "K1",
    "K2", "K3", "K4", "K5", "K6", "K7", "K8", "K9", "K10", "K11", "K12", "K13", "K14",
    "K15", "K16", "K17", "K18", "R1", "R2", "R3", "R4", "R5", "R6", "R7", "R8", "R9",
    "R10", "R11", "R12", "R13", "R14", "R15", "R16", "R17", "R18", "R19", "R20", "R21",
    "R22", "R23", "S1", "S5", "M1", "M2", "M3", "M4", "M5", "M6", "M7", "M8", "M9",
    "M10", "P1", "P2", "P3", "P4", "P5", "T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8",
    "T9", "T10",
];

/// How two values must compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `>=`
    AtLeast,
    /// `<=`
    AtMost,
    /// `>`
    MoreThan,
    /// `<`
    LessThan,
}
