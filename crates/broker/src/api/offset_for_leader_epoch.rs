//! OffsetForLeaderEpoch (23), versions 2–4, on brokers.
//!
//! - Where an epoch ends in the leader's log: for consumers that look for truncation
//!   (KIP-320), and for followers of the era before truncation on fetch.
//! - An epoch that the leader has never seen gives −1, −1.

use topomotion_wire::messages::offset_for_leader_epoch_request::OffsetForLeaderPartition;
use topomotion_wire::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use topomotion_wire::messages::{
    OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
};
use topomotion_wire::{LeaderEpoch, TopicPartition};

use super::{known_epoch, shared};
use crate::broker::Broker;
use crate::replica::Site;

/// Answers from the epochs of the logs.
pub(crate) fn handle(
    broker: &Broker,
    site: Site<'_>,
    request: &OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let topics = request.topics.iter().map(|topic| {
        let name = shared(&topic.topic);
        let one = |wanted: &OffsetForLeaderPartition| {
            let id = TopicPartition::new(name.clone(), wanted.partition);
            one(broker, site, &id, wanted)
        };
        OffsetForLeaderTopicResult::default()
            .with_topic(topic.topic.clone())
            .with_partitions(topic.partitions.iter().map(one).collect())
    });
    OffsetForLeaderEpochResponse::default().with_topics(topics.collect())
}

fn one(
    broker: &Broker,
    site: Site<'_>,
    id: &TopicPartition,
    wanted: &OffsetForLeaderPartition,
) -> EpochEndOffset {
    let answer = EpochEndOffset::default()
        .with_partition(wanted.partition)
        .with_leader_epoch(-1)
        .with_end_offset(-1);
    let replica = broker.replicas().get(id).ok_or_else(|| site.absent(id));
    let end = replica.and_then(|replica| {
        replica.check_leadership(known_epoch(wanted.current_leader_epoch))?;
        Ok(replica.log().end_offset_for(LeaderEpoch(wanted.leader_epoch)))
    });
    match end {
        Ok(Some(end)) => answer.with_leader_epoch(end.epoch.0).with_end_offset(end.end.0),
        Ok(None) => answer,
        Err(error) => answer.with_error_code(error.code()),
    }
}
