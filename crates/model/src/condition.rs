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

impl fmt::Display for PartitionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.topic, self.partition)
    }
}

/// A statement about the cluster that is true or false at any moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// `no-acknowledged-record-lost`: every record that was acknowledged is still in its
    /// leader's log, at its offset.
    NoAcknowledgedRecordLost,
    /// `leader(orders-0) == broker-2`; `None` stands for `none`.
    Leader {
        /// Of which partition.
        partition: PartitionName,
        /// `Equal` or `NotEqual`.
        comparison: Comparison,
        /// Whom.
        process: Option<ProcessId>,
    },
    /// `isr(orders-0) == {broker-1, broker-2}`; order does not matter.
    Isr {
        /// Of which partition.
        partition: PartitionName,
        /// `Equal` or `NotEqual`.
        comparison: Comparison,
        /// Whom, sorted.
        processes: Vec<ProcessId>,
    },
    /// `high-watermark(orders-0) >= 1` and its like.
    Number {
        /// Which number.
        term: Term,
        /// Of which partition.
        partition: PartitionName,
        /// How it must compare.
        comparison: Comparison,
        /// With what.
        value: i64,
    },
}

/// A number that a partition has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Term {
    /// The leader's high watermark.
    HighWatermark,
    /// The leader's log end offset.
    LogEnd,
    /// The registered leader epoch.
    LeaderEpoch,
    /// The size of the registered ISR.
    IsrSize,
}

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
