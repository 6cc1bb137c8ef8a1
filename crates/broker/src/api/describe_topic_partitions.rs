//! DescribeTopicPartitions (75), version 0, on brokers.
//!
//! - Topics in the order of their names, all of them if none is named, partitions by index:
//!   page by page, up to `response_partition_limit`, from a cursor on.
//! - Unlike Metadata, it tells the eligible leader replicas (KIP-966).

use std::collections::BTreeSet;

use topomotion_wire::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition,
    DescribeTopicPartitionsResponseTopic,
};
use topomotion_wire::messages::{
    BrokerId, DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse,
};
use topomotion_wire::{ErrorCode, NodeId, PartitionState};

use super::{broker_ids, topic_name};
use crate::coordinators::InternalTopic;
use crate::metadata::{MetadataImage, TopicImage};

/// `max.request.partition.size.limit`: the most that one page holds.
const LIMIT_MAX: usize = 2_000;

/// Answers from the metadata applied so far.
pub(crate) fn handle(
    image: &MetadataImage,
    request: &DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let named = request.topics.iter().map(|topic| topic.name.as_str());
    let mut names: BTreeSet<&str> = named.collect();
    if names.is_empty() {
        names = image.topics().keys().map(|name| &**name).collect();
    }
    let from = request.cursor.as_ref();
    let from = from.map_or(("", 0), |at| (at.topic_name.as_str(), at.partition_index));
    let asked = usize::try_from(request.response_partition_limit).unwrap_or(0);
    let mut left = asked.clamp(1, LIMIT_MAX);
    let mut response = DescribeTopicPartitionsResponse::default();
    for name in names.into_iter().filter(|name| *name >= from.0) {
        let first = if name == from.0 { from.1 } else { 0 };
        if left == 0 {
            response.next_cursor = Some(cursor(name, first));
            break;
        }
        let Some(topic) = image.topic(name) else {
            response.topics.push(unknown(name));
            continue;
        };
        let rest = topic.partitions.range(first.max(0)..);
        let page: Vec<_> = rest.take(left).collect();
        left -= page.len();
        let next = page.last().map_or(first, |(index, _)| **index + 1);
        response.topics.push(describe(image, name, topic, &page));
        if topic.partitions.range(next.max(0)..).next().is_some() {
            response.next_cursor = Some(cursor(name, next));
            break;
        }
    }
    response
}

fn cursor(name: &str, partition: i32) -> Cursor {
    Cursor::default().with_topic_name(topic_name(name)).with_partition_index(partition)
}

fn unknown(name: &str) -> DescribeTopicPartitionsResponseTopic {
    DescribeTopicPartitionsResponseTopic::default()
        .with_name(Some(topic_name(name)))
        .with_error_code(ErrorCode::UnknownTopicOrPartition.code())
}

fn describe(
    image: &MetadataImage,
    name: &str,
    topic: &TopicImage,
    page: &[(&i32, &PartitionState)],
) -> DescribeTopicPartitionsResponseTopic {
    let partition = |(index, state): &(&i32, &PartitionState)| {
        let offline: Vec<NodeId> =
            state.replicas.iter().copied().filter(|&id| !image.is_active(id)).collect();
        let error = state.leader.map_or(ErrorCode::LeaderNotAvailable.code(), |_| 0);
        DescribeTopicPartitionsResponsePartition::default()
            .with_error_code(error)
            .with_partition_index(**index)
            .with_leader_id(BrokerId(state.leader.map_or(-1, |leader| leader.0)))
            .with_leader_epoch(state.leader_epoch.0)
            .with_replica_nodes(broker_ids(&state.replicas))
            .with_isr_nodes(broker_ids(&state.isr))
            .with_eligible_leader_replicas(Some(broker_ids(&state.elr)))
            .with_last_known_elr(Some(broker_ids(&state.last_known_elr)))
            .with_offline_replicas(broker_ids(&offline))
    };
    DescribeTopicPartitionsResponseTopic::default()
        .with_name(Some(topic_name(name)))
        .with_topic_id(topic.id.0)
        .with_is_internal(InternalTopic::named(name).is_some())
        .with_partitions(page.iter().map(partition).collect())
}
