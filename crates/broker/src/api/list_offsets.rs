//! ListOffsets (2), versions 1–9, on brokers.
//!
//! - Timestamp −2: the log start. −1: for consumers the high watermark, and
//!   OFFSET_NOT_AVAILABLE while a new leader has not proven its first one (REP-16); for
//!   replicas the log end (TRN-4). Others: the first record at or after that time.
//! - From version 7 on −3: the first record with the largest timestamp. From 8 on −4: the log
//!   start on local disk, which is the log start. From 9 on −5: the last offset in remote
//!   storage, which is none.
//! - The leader epoch is checked as in Fetch (REP-13); from version 4 on it is told, too.

use topomotion_log::OffsetSpec;
use topomotion_wire::messages::list_offsets_request::ListOffsetsPartition;
use topomotion_wire::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use topomotion_wire::messages::{ListOffsetsRequest, ListOffsetsResponse};
use topomotion_wire::{ErrorCode, NodeId, Offset, Rule, TopicPartition};

use super::{known_epoch, known_node, shared};
use crate::broker::Broker;
use crate::net::Effects;
use crate::replica::{Replica, Site};

const NONE: (Offset, i64) = (Offset(-1), -1);
/// The first version that tells the leader epoch.
const WITH_EPOCH: i16 = 4;

/// Answers from the logs as they are.
pub(crate) fn handle(
    broker: &Broker,
    site: Site<'_>,
    version: i16,
    request: &ListOffsetsRequest,
    effects: &mut Effects,
) -> ListOffsetsResponse {
    let replica = known_node(request.replica_id);
    let mut topics = Vec::new();
    for topic in &request.topics {
        let name = shared(&topic.name);
        let mut partitions = Vec::new();
        for wanted in &topic.partitions {
            let id = TopicPartition::new(name.clone(), wanted.partition_index);
            let answer = one(broker, site, replica, &id, wanted, effects);
            partitions.push(match version {
                WITH_EPOCH.. => answer,
                _ => answer.with_leader_epoch(-1),
            });
        }
        let answer = ListOffsetsTopicResponse::default().with_name(topic.name.clone());
        topics.push(answer.with_partitions(partitions));
    }
    ListOffsetsResponse::default().with_topics(topics)
}

fn one(
    broker: &Broker,
    site: Site<'_>,
    asking: Option<NodeId>,
    id: &TopicPartition,
    wanted: &ListOffsetsPartition,
    effects: &mut Effects,
) -> ListOffsetsPartitionResponse {
    let answer = ListOffsetsPartitionResponse::default()
        .with_partition_index(wanted.partition_index)
        .with_timestamp(-1)
        .with_offset(-1);
    let replica = broker.replicas().get(id).ok_or_else(|| site.absent(id));
    let found = replica.and_then(|replica| {
        replica.check_leadership(known_epoch(wanted.current_leader_epoch))?;
        Ok((look_up(replica, asking, wanted.timestamp)?, replica.leader_epoch()))
    });
    match found {
        Ok(((offset, timestamp), epoch)) => answer
            .with_offset(offset.0)
            .with_timestamp(timestamp)
            .with_leader_epoch(epoch.0),
        Err(error) => {
            if error == ErrorCode::OffsetNotAvailable {
                effects.mark_at(Rule::Rep16, id);
            }
            answer.with_error_code(error.code())
        }
    }
}

fn look_up(
    replica: &Replica,
    asking: Option<NodeId>,
    timestamp: i64,
) -> Result<(Offset, i64), ErrorCode> {
    let (log, spec) = (replica.log(), OffsetSpec::from_timestamp(timestamp));
    // What consumers may not read yet is not found either.
    let visible = |found: Option<(Offset, i64)>| {
        let visible = replica.latest_for_consumers()?;
        Ok(found.filter(|(offset, _)| *offset < visible).unwrap_or(NONE))
    };
    match spec.ok_or(ErrorCode::InvalidRequest)? {
        OffsetSpec::Earliest | OffsetSpec::EarliestLocal => Ok((log.start_offset(), -1)),
        OffsetSpec::Latest if asking.is_some() => Ok((log.end_offset(), -1)),
        OffsetSpec::Latest => Ok((replica.latest_for_consumers()?, -1)),
        OffsetSpec::MaxTimestamp => visible(log.at_max_timestamp()),
        OffsetSpec::At(timestamp) => visible(log.offset_at_time(timestamp)),
        OffsetSpec::LatestTiered => Ok(NONE),
    }
}
