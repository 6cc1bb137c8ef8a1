//! What is known of settings beside their values: their kinds, what brokers call them, and what
//! they are for.

use Synonym::{Known, Undefined};
use ValueType::{Boolean, Double, Int, List, Long, Short, Text};

/// Kinds of values, by Kafka's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueType {
    Boolean = 1,
    Text = 2,
    Int = 3,
    Short = 4,
    Long = 5,
    Double = 6,
    List = 7,
}

/// What a broker calls the setting that holds for topics which say nothing themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Synonym {
    /// It has the default of the topic's setting.
    Known(&'static str),
    /// Kafka gives it no default under this name: the time is in another, coarser one
    /// (`log.retention.hours`, `log.roll.hours`) or decided elsewhere.
    Undefined(&'static str),
}

impl Synonym {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Known(name) | Undefined(name) => name,
        }
    }
}

/// One setting.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value_type: ValueType,
    /// Of a broker's own setting: itself.
    pub(super) synonym: Synonym,
    pub(super) documentation: &'static str,
}

const fn fact(
    name: &'static str,
    value_type: ValueType,
    synonym: Synonym,
    documentation: &'static str,
) -> Fact {
    Fact { name, value_type, synonym, documentation }
}

/// Of a broker: the setting is its own synonym.
const fn own(
    name: &'static str,
    value_type: ValueType,
    documentation: &'static str,
) -> Fact {
    fact(name, value_type, Known(name), documentation)
}

/// What is known of a topic's setting.
pub(super) fn of_topic(name: &str) -> Option<&'static Fact> {
    OF_TOPICS.iter().find(|fact| fact.name == name)
}

/// What is known of a broker's setting.
pub(super) fn of_broker(name: &str) -> Option<&'static Fact> {
    OF_BROKERS.iter().find(|fact| fact.name == name)
}

const OF_TOPICS: &[Fact] = &[
    fact(
        "cleanup.policy",
        List,
        Known("log.cleanup.policy"),
        "What becomes of old records: delete forgets them by age and size, compact keeps the \
         last value of every key.",
    ),
    fact(
        "compression.type",
        Text,
        Known("compression.type"),
        "How the leader stores batches. With producer they stay as they were sent.",
    ),
    fact(
        "delete.retention.ms",
        Long,
        Known("log.cleaner.delete.retention.ms"),
        "How long tombstones can still be read after compaction has first met them.",
    ),
    fact(
        "file.delete.delay.ms",
        Long,
        Known("log.segment.delete.delay.ms"),
        "How long the files of a deleted segment stay on the disk.",
    ),
    fact(
        "flush.messages",
        Long,
        Known("log.flush.interval.messages"),
        "After how many records a log is flushed to the disk.",
    ),
    fact(
        "flush.ms",
        Long,
        Undefined("log.flush.interval.ms"),
        "After what time a log is flushed to the disk.",
    ),
    fact(
        "index.interval.bytes",
        Int,
        Known("log.index.interval.bytes"),
        "How many bytes of a log lie between two entries of its index.",
    ),
    fact(
        "max.compaction.lag.ms",
        Long,
        Known("log.cleaner.max.compaction.lag.ms"),
        "The age at which a record is compacted, however clean its log is.",
    ),
    fact(
        "max.message.bytes",
        Int,
        Known("message.max.bytes"),
        "The largest batch that a producer may send, as it is compressed.",
    ),
    fact(
        "message.timestamp.type",
        Text,
        Known("log.message.timestamp.type"),
        "Whose time records bear: CreateTime is their producer's, LogAppendTime the leader's.",
    ),
    fact(
        "min.cleanable.dirty.ratio",
        Double,
        Known("log.cleaner.min.cleanable.ratio"),
        "How large a share of a log must be new before it is compacted again.",
    ),
    fact(
        "min.compaction.lag.ms",
        Long,
        Known("log.cleaner.min.compaction.lag.ms"),
        "How long a record stays as it is before it may be compacted.",
    ),
    fact(
        "min.insync.replicas",
        Int,
        Known("min.insync.replicas"),
        "How many replicas must be in sync for a write with acks=all to be taken, and for the \
         high watermark to advance.",
    ),
    fact(
        "preallocate",
        Boolean,
        Known("log.preallocate"),
        "Whether the file of a new segment takes its room on the disk at once.",
    ),
    fact(
        "retention.bytes",
        Long,
        Known("log.retention.bytes"),
        "How large a partition may grow before its oldest segments are deleted; -1 is no limit.",
    ),
    fact(
        "retention.ms",
        Long,
        Undefined("log.retention.ms"),
        "How long records are kept before their segment may be deleted; -1 is for ever.",
    ),
    fact(
        "segment.bytes",
        Int,
        Known("log.segment.bytes"),
        "How large the file of a segment may grow.",
    ),
    fact(
        "segment.index.bytes",
        Int,
        Known("log.index.size.max.bytes"),
        "How large the index of a segment may grow.",
    ),
    fact(
        "segment.jitter.ms",
        Long,
        Undefined("log.roll.jitter.ms"),
        "By how much at most, at random, a segment is closed early.",
    ),
    fact(
        "segment.ms",
        Long,
        Undefined("log.roll.ms"),
        "After what time a new segment is begun although the last one has room.",
    ),
    fact(
        "unclean.leader.election.enable",
        Boolean,
        Known("unclean.leader.election.enable"),
        "Whether a replica that is not in sync may lead when no other can. Acknowledged records \
         may be lost then.",
    ),
];

const OF_BROKERS: &[Fact] = &[
    own(
        "auto.create.topics.enable",
        Boolean,
        "Whether a topic is created when a client asks about it.",
    ),
    own(
        "broker.heartbeat.interval.ms",
        Int,
        "How often a broker tells the controller that it is there.",
    ),
    own(
        "broker.session.timeout.ms",
        Int,
        "How long a broker may be silent before it is fenced.",
    ),
    own(
        "default.replication.factor",
        Int,
        "How many replicas a topic has that does not say itself.",
    ),
    own("fetch.max.bytes", Int, "The most that one answer to a fetch carries."),
    own(
        "group.initial.rebalance.delay.ms",
        Int,
        "How long an empty group waits for more members before its first rebalance.",
    ),
    own(
        "group.max.session.timeout.ms",
        Int,
        "The longest session that a member of a group may ask for.",
    ),
    own(
        "group.min.session.timeout.ms",
        Int,
        "The shortest session that a member of a group may ask for.",
    ),
    own("log.dirs", List, "Where the logs lie."),
    fact(
        "log.retention.ms",
        Long,
        Undefined("log.retention.ms"),
        "How long records are kept before their segment may be deleted; -1 is for ever.",
    ),
    own("log.segment.bytes", Int, "How large the file of a segment may grow."),
    own(
        "message.max.bytes",
        Int,
        "The largest batch that a producer may send, as it is compressed.",
    ),
    own(
        "min.insync.replicas",
        Int,
        "How many replicas must be in sync for a write with acks=all to be taken.",
    ),
    fact("node.id", Int, Undefined("node.id"), "This node's number in its cluster."),
    own(
        "num.partitions",
        Int,
        "How many partitions a topic has that does not say itself.",
    ),
    own(
        "offsets.topic.num.partitions",
        Int,
        "How many partitions the topic of committed offsets has.",
    ),
    own(
        "offsets.topic.replication.factor",
        Short,
        "How many replicas the topic of committed offsets has.",
    ),
    own(
        "replica.lag.time.max.ms",
        Long,
        "How long a follower may lag before it falls out of the in-sync set.",
    ),
    own(
        "socket.request.max.bytes",
        Int,
        "The longest request; a longer one closes its connection.",
    ),
    own(
        "transaction.state.log.min.isr",
        Int,
        "How many replicas of the topic of transactions must be in sync.",
    ),
    own(
        "transaction.state.log.replication.factor",
        Short,
        "How many replicas the topic of transactions has.",
    ),
    own(
        "unclean.leader.election.enable",
        Boolean,
        "Whether a replica that is not in sync may lead when no other can.",
    ),
];
