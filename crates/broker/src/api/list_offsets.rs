//! ListOffsets (2), versions 1–10, on brokers.
//!
//! - Timestamp −2: the log start. −1: for consumers the high watermark, and
//!   OFFSET_NOT_AVAILABLE while a new leader has not proven its first one (REP-16); for
//!   replicas the log end (TRN-4). Others: the first record at or after that time.
//! - From version 7 on −3: the first record with the largest timestamp. From 8 on −4: the log
//!   start on local disk, which is the log start. From 9 on −5: the last offset in remote
//!   storage, which is none; from 10 on there is a timeout for remote storage, which nothing here
//!   waits for. Any other, or one of these too early: UNSUPPORTED_VERSION.
//! - What consumers may not read yet is not found either; while a new leader has not proven
//!   its high watermark, that too is OFFSET_NOT_AVAILABLE.
//! - For readers of committed records the last stable offset takes the high watermark's place
//!   (TXN-7).
//! - The leader epoch is checked as in Fetch (REP-13); from version 4 on the epoch of the
//!   record found is told.

use topomotion_log::OffsetSpec;
use topomotion_wire::messages::list_offsets_request::ListOffsetsPartition;
use topomotion_wire::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use topomotion_wire::messages::{ListOffsetsRequest, ListOffsetsResponse};
use topomotion_wire::{ErrorCode, Fact, LeaderEpoch, Offset, Rule, TopicPartition};

use super::{known_epoch, known_node, shared};
use crate::broker::Broker;
use crate::net::Effects;
use crate::replica::{Isolation, Replica, Site};

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
    let asking = match known_node(request.replica_id) {
        Some(_) => Asking::Replica,
        None => Asking::Consumer(Isolation::of_level(request.isolation_level)),
    };
    let mut topics = Vec::new();
    for topic in &request.topics {
        let name = shared(&topic.name);
        let mut partitions = Vec::new();
        for wanted in &topic.partitions {
            let id = TopicPartition::new(name.clone(), wanted.partition_index);
            let answer = one(broker, site, (version, asking), &id, wanted, effects);
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
    (version, asking): (i16, Asking),
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
        let spec = known_spec(version, wanted.timestamp)?;
        let found = look_up(replica, asking, spec)?;
        let log = replica.log();
        let trail = match spec {
            OffsetSpec::At(timestamp) => log.trail_to_time(timestamp, found.offset),
            _ => None,
        };
        if let Some(deed) = trail.filter(|_| found.offset.0 >= 0) {
            effects.fact(Fact::Log { partition: id.clone(), deed });
        }
        Ok(found)
    });
    match found {
        Ok(found) => answer
            .with_offset(found.offset.0)
            .with_timestamp(found.timestamp)
            .with_leader_epoch(found.epoch.map_or(-1, |epoch| epoch.0)),
        Err(error) => {
            if error == ErrorCode::OffsetNotAvailable {
                effects.mark_at(Rule::Rep16, id);
            }
            answer.with_error_code(error.code())
        }
    }
}

/// What a timestamp field means in this version.
fn known_spec(version: i16, timestamp: i64) -> Result<OffsetSpec, ErrorCode> {
    let spec = OffsetSpec::from_timestamp(timestamp);
    let spec = spec.ok_or(ErrorCode::UnsupportedVersion)?;
    let since = match spec {
        OffsetSpec::Earliest | OffsetSpec::Latest | OffsetSpec::At(_) => 1,
        OffsetSpec::MaxTimestamp => 7,
        OffsetSpec::EarliestLocal => 8,
        OffsetSpec::LatestTiered => 9,
    };
    if version >= since { Ok(spec) } else { Err(ErrorCode::UnsupportedVersion) }
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
enum Asking {
    Replica,
    Consumer(Isolation),
}

/// A place in a log.
struct Found {
    offset: Offset,
    timestamp: i64,
    epoch: Option<LeaderEpoch>,
}

const NOTHING: Found = Found { offset: Offset(-1), timestamp: -1, epoch: None };

fn look_up(
    replica: &Replica,
    asking: Asking,
    spec: OffsetSpec,
) -> Result<Found, ErrorCode> {
    let log = replica.log();
    let at = |(offset, timestamp): (Offset, i64)| Found {
        offset,
        timestamp,
        epoch: log.epochs().epoch_at(offset),
    };
    let latest =
        |offset| Found { offset, timestamp: -1, epoch: Some(replica.leader_epoch()) };
    let end = match asking {
        Asking::Replica => log.end_offset(),
        Asking::Consumer(isolation) => replica.visible_end(isolation),
    };
    let by_time =
        |found: Option<(Offset, i64)>| match found.filter(|(offset, _)| *offset < end) {
            Some(found) => Ok(at(found)),
            None => match asking {
                Asking::Replica => Ok(NOTHING),
                Asking::Consumer(isolation) => {
                    replica.latest_for_consumers(isolation).map(|_| NOTHING)
                }
            },
        };
    match spec {
        OffsetSpec::Earliest | OffsetSpec::EarliestLocal => {
            Ok(at((log.start_offset(), -1)))
        }
        OffsetSpec::Latest => match asking {
            Asking::Replica => Ok(latest(end)),
            Asking::Consumer(isolation) => {
                replica.latest_for_consumers(isolation).map(latest)
            }
        },
        OffsetSpec::MaxTimestamp => by_time(log.at_max_timestamp()),
        OffsetSpec::At(timestamp) => by_time(log.offset_at_time(timestamp)),
        OffsetSpec::LatestTiered => Ok(NOTHING),
    }
}
