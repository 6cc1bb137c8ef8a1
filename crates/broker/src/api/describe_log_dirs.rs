//! DescribeLogDirs (35), versions 1–4, on brokers: how much of its disk each partition takes.
//!
//! - A broker has one log directory, and no replica on its way into another: `is_future_key`
//!   is never set, and nothing lags but a log that was cut below its high watermark.
//! - All partitions that are here, if none is named; what is named and not here is left out.
//! - From version 3 on a refusal is an error code; before, it is an answer without directories.
//! - From version 4 on it tells the size of the volume and what is free on it, as far as
//!   whoever runs the node has said so (KIP-827); −1 otherwise.

use std::collections::BTreeMap;

use topomotion_wire::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use topomotion_wire::messages::{DescribeLogDirsRequest, DescribeLogDirsResponse};
use topomotion_wire::{ErrorCode, TopicPartition};

use super::{shared, text, topic_name};
use crate::broker::Broker;
use crate::replica::{Replica, Site};

/// The file system that a log directory is on, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Volume {
    /// What it can hold.
    pub total: u64,
    /// What is left for the broker.
    pub usable: u64,
}

/// Answers from the logs as they are.
pub(crate) fn handle(
    broker: &Broker,
    site: Site<'_>,
    volume: Option<Volume>,
    request: &DescribeLogDirsRequest,
) -> DescribeLogDirsResponse {
    let mut topics: BTreeMap<&str, Vec<DescribeLogDirsPartition>> = BTreeMap::new();
    for (id, replica) in broker.replicas().iter() {
        if is_wanted(request, id) {
            topics.entry(&id.topic).or_default().push(told(id, replica));
        }
    }
    let topics = topics.into_iter().map(|(name, partitions)| {
        DescribeLogDirsTopic::default()
            .with_name(topic_name(name))
            .with_partitions(partitions)
    });
    let bytes = |of: fn(Volume) -> u64| {
        volume.map_or(-1, |it| i64::try_from(of(it)).unwrap_or(i64::MAX))
    };
    let dir = DescribeLogDirsResult::default()
        .with_log_dir(text(&site.settings.log_dir))
        .with_topics(topics.collect())
        .with_total_bytes(bytes(|it| it.total))
        .with_usable_bytes(bytes(|it| it.usable));
    DescribeLogDirsResponse::default().with_results(vec![dir])
}

/// The answer to whoever may not know.
pub(crate) fn refused(error: ErrorCode) -> DescribeLogDirsResponse {
    DescribeLogDirsResponse::default().with_error_code(error.code())
}

fn is_wanted(request: &DescribeLogDirsRequest, id: &TopicPartition) -> bool {
    let Some(topics) = &request.topics else { return true };
    let mut named = topics.iter().filter(|it| shared(&it.topic) == id.topic);
    named.any(|it| it.partitions.contains(&id.partition))
}

fn told(id: &TopicPartition, replica: &Replica) -> DescribeLogDirsPartition {
    let log = replica.log();
    let missing = replica.high_watermark().0 - log.end_offset().0;
    DescribeLogDirsPartition::default()
        .with_partition_index(id.partition)
        .with_partition_size(i64::try_from(log.len_bytes()).unwrap_or(i64::MAX))
        .with_offset_lag(missing.max(0))
}
