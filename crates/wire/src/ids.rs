//! Newtypes for every id, offset and epoch, so that none can be taken for another.

use std::cmp::Ordering;
use std::fmt;
use std::sync::Arc;

use uuid::Uuid;

macro_rules! number {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

number!(
    /// A Kafka node's id: broker, controller, or both. Never negative.
    NodeId(i32)
);
number!(
    /// A position in a partition's log. Log end offsets point one past the last record.
    Offset(i64)
);
number!(
    /// Counts the leaderships of one partition; raised exactly when a leader is set (CTL-2).
    LeaderEpoch(i32)
);
number!(
    /// Counts every change of one partition's registration (CTL-2).
    PartitionEpoch(i32)
);
number!(
    /// Identifies one registration of a broker: the offset of its record (CTL-10).
    BrokerEpoch(i64)
);
number!(
    /// The term of the metadata quorum.
    QuorumEpoch(i32)
);
number!(
    /// A batch's identity in facts and checks: its CRC-32C, which covers everything that the
    /// leader does not rewrite.
    BatchId(u32)
);

number!(
    /// Identifies an idempotent or transactional producer (PRD-3). Never negative.
    ProducerId(i64)
);
number!(
    /// Counts the lives of a producer id; a newer one fences the older (PRD-5).
    ProducerEpoch(i16)
);

impl Offset {
    /// The offset `count` records further on.
    pub const fn plus(self, count: i64) -> Offset {
        Offset(self.0 + count)
    }
}

/// A topic's unique id, new with every creation of the same name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TopicId(pub Uuid);

/// One start of a broker process, as it names itself in its registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Incarnation(pub Uuid);

/// A topic's name and a partition index. Cheap to clone; in order of name, then index.
#[derive(Debug, Clone, Eq)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: Arc<str>,
    /// The partition's index, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// Names partition `partition` of `topic`.
    pub fn new(topic: impl Into<Arc<str>>, partition: i32) -> TopicPartition {
        TopicPartition { topic: topic.into(), partition }
    }
}

// Maps are searched by it all the time: indexes differ more often than names, and a name is
// mostly the very same text in memory.
impl PartialEq for TopicPartition {
    fn eq(&self, other: &TopicPartition) -> bool {
        self.partition == other.partition
            && (Arc::ptr_eq(&self.topic, &other.topic) || self.topic == other.topic)
    }
}

impl Ord for TopicPartition {
    fn cmp(&self, other: &TopicPartition) -> Ordering {
        let topics = match Arc::ptr_eq(&self.topic, &other.topic) {
            true => Ordering::Equal,
            false => self.topic.cmp(&other.topic),
        };
        topics.then(self.partition.cmp(&other.partition))
    }
}

impl PartialOrd for TopicPartition {
    fn partial_cmp(&self, other: &TopicPartition) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for TopicPartition {
    /// Kafka's own notation: `orders-0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}
