//! Fetch (1), versions 4–18, on brokers. (Fetches of the metadata log go to the quorum.)
//!
//! - Followers name themselves with their incarnation (in `replica_state` from version 15 on)
//!   and read to the log end; consumers read to the high watermark.
//! - The offset is the follower's acknowledgement, noted after the reading (REP-14).
//! - From version 12 on the fetcher's last epoch is compared (REP-15).
//! - Waits for `min_bytes` up to `max_wait_ms` (REP-18).
//! - No sessions (KIP-227): a wish for one is answered with session id 0, which means none.
//! - From version 13 on topics are named by id.

use std::sync::Arc;

use topomotion_wire::messages::fetch_request::{FetchPartition, FetchTopic};
use topomotion_wire::messages::{FetchRequest, FetchResponse};
use topomotion_wire::{
    BrokerEpoch, Duration, ErrorCode, Offset, TopicId, TopicPartition,
};

use super::{known_epoch, known_node, shared};
use crate::broker::{Broker, DelayedFetch, Plan, Planned, PlannedTopic, Urgency, read};
use crate::net::{Effects, Ticket};
use crate::replica::{FetchAt, Reader, Site};

/// The first version that names topics by id.
const BY_ID: i16 = 13;

/// Reads what the request asks for, notes what it says, and answers or waits.
pub(crate) fn handle(
    broker: &mut Broker,
    site: Site<'_>,
    ticket: Ticket,
    version: i16,
    request: FetchRequest,
    effects: &mut Effects,
) {
    if request.session_id != 0 {
        let error = ErrorCode::FetchSessionIdNotFound.code();
        return effects.reply(ticket, FetchResponse::default().with_error_code(error));
    }
    let max_wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    let plan = plan(site, version, request);
    let reading = read(site, &plan, broker.replicas(), effects);
    note_progress(broker, site, &plan, &reading.response, effects);
    if reading.urgency == Urgency::Now || max_wait == Duration::ZERO {
        effects.reply(ticket, reading.response);
    } else {
        let until = site.now + max_wait;
        broker.wait_for_records(DelayedFetch { ticket, until, plan });
    }
}

fn plan(site: Site<'_>, version: i16, request: FetchRequest) -> Plan {
    let in_state = known_node(request.replica_state.replica_id);
    let reader = match in_state.or(known_node(request.replica_id)) {
        Some(id) => {
            let epoch = request.replica_state.replica_epoch;
            Reader::Follower { id, epoch: (epoch >= 0).then_some(BrokerEpoch(epoch)) }
        }
        None => Reader::Consumer,
    };
    let topics = request.topics.into_iter().map(|topic| plan_topic(site, version, topic));
    Plan {
        reader,
        min_bytes: usize::try_from(request.min_bytes).unwrap_or(0),
        max_bytes: usize::try_from(request.max_bytes).unwrap_or(0),
        topics: topics.collect(),
    }
}

fn plan_topic(site: Site<'_>, version: i16, topic: FetchTopic) -> PlannedTopic {
    let name: Result<Arc<str>, ErrorCode> = if version < BY_ID {
        Ok(shared(&topic.topic))
    } else {
        let name = site.image.topic_name(TopicId(topic.topic_id));
        name.cloned().ok_or(ErrorCode::UnknownTopicId)
    };
    let planned = |partition: FetchPartition| Planned {
        index: partition.partition,
        partition: name.clone().map(|it| TopicPartition::new(it, partition.partition)),
        at: FetchAt {
            offset: Offset(partition.fetch_offset),
            current_leader_epoch: known_epoch(partition.current_leader_epoch),
            last_fetched_epoch: known_epoch(partition.last_fetched_epoch),
            max_bytes: usize::try_from(partition.partition_max_bytes).unwrap_or(0),
        },
    };
    let partitions = topic.partitions.into_iter().map(planned).collect();
    PlannedTopic { name: topic.topic, id: topic.topic_id, partitions }
}

/// What a follower's fetch acknowledges, wherever the reading found nothing to object to.
fn note_progress(
    broker: &mut Broker,
    site: Site<'_>,
    plan: &Plan,
    response: &FetchResponse,
    effects: &mut Effects,
) {
    let Reader::Follower { id, epoch } = plan.reader else { return };
    let planned = plan.topics.iter().flat_map(|topic| &topic.partitions);
    let read = response.responses.iter().flat_map(|topic| &topic.partitions);
    for (planned, data) in planned.zip(read) {
        let is_fine = data.error_code == 0 && data.diverging_epoch.end_offset < 0;
        let Ok(partition) = planned.partition.as_ref() else { continue };
        let Some(replica) = broker.replica_mut(partition).filter(|_| is_fine) else {
            continue;
        };
        replica.note_fetch(site, id, epoch, planned.at.offset, effects);
    }
}
