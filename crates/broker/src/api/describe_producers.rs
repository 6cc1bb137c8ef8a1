//! DescribeProducers (61), version 0, on brokers: who has written to a partition, and whose
//! transaction is open there (KIP-664).
//!
//! - Every replica tells what its own log knows: what hangs is looked for wherever it hangs.
//! - A partition that is not here is NOT_LEADER_OR_FOLLOWER, or UNKNOWN_TOPIC_OR_PARTITION if
//!   there is none.

use topomotion_log::ProducerState as Known;
use topomotion_wire::messages::describe_producers_response::{
    PartitionResponse, ProducerState, TopicResponse,
};
use topomotion_wire::messages::{
    DescribeProducersRequest, DescribeProducersResponse, ProducerId as WireId,
};
use topomotion_wire::{ErrorCode, ProducerId, TopicPartition};

use super::shared;
use crate::broker::Broker;
use crate::replica::Site;

/// Answers from the logs as they are.
pub(crate) fn handle(
    broker: &Broker,
    site: Site<'_>,
    request: &DescribeProducersRequest,
) -> DescribeProducersResponse {
    answer(request, |id| match broker.replicas().get(id) {
        Some(replica) => Ok(replica.log().producers().iter().map(told).collect()),
        None => Err(site.absent(id)),
    })
}

/// The answer to partitions that were all refused.
pub(crate) fn refused(
    request: &DescribeProducersRequest,
    error: ErrorCode,
) -> DescribeProducersResponse {
    answer(request, |_| Err(error))
}

fn answer(
    request: &DescribeProducersRequest,
    find: impl Fn(&TopicPartition) -> Result<Vec<ProducerState>, ErrorCode>,
) -> DescribeProducersResponse {
    let topics = request.topics.iter().map(|topic| {
        let name = shared(&topic.name);
        let partitions = topic.partition_indexes.iter().map(|&index| {
            let answer = PartitionResponse::default().with_partition_index(index);
            match find(&TopicPartition::new(name.clone(), index)) {
                Ok(producers) => answer.with_active_producers(producers),
                Err(error) => answer.with_error_code(error.code()),
            }
        });
        TopicResponse::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    DescribeProducersResponse::default().with_topics(topics.collect())
}

fn told((id, known): (ProducerId, &Known)) -> ProducerState {
    ProducerState::default()
        .with_producer_id(WireId(id.0))
        .with_producer_epoch(i32::from(known.epoch.0))
        .with_last_sequence(known.last_sequence().unwrap_or(-1))
        .with_last_timestamp(known.last_timestamp)
        .with_coordinator_epoch(known.coordinator_epoch.unwrap_or(-1))
        .with_current_txn_start_offset(known.transaction.map_or(-1, |first| first.0))
}
