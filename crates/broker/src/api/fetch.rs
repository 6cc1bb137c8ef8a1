//! Fetch (1), versions 4–18, on brokers. (Fetches of the metadata log go to the quorum.)
//!
//! - Followers name themselves with their incarnation (in `replica_state` from version 15 on)
//!   and read to the log end; consumers read to the high watermark, or, of committed records
//!   alone, to the last stable offset, and are told what was aborted (TXN-7, TXN-8).
//! - The offset is the follower's acknowledgement, noted after the reading (REP-14).
//! - From version 12 on the fetcher's last epoch is compared (REP-15).
//! - Waits for `min_bytes` up to `max_wait_ms` (REP-18).
//! - Sessions (KIP-227): see [`fetch_sessions`](crate::broker).
//! - The first partition that has anything gets at least one batch; the others only what fits
//!   into `max_bytes`.
//! - From version 11 on consumers may read from any replica (KIP-392), up to its high
//!   watermark; beyond it a follower says OFFSET_NOT_AVAILABLE. Where the leader is asked by
//!   a consumer of another rack, it may name a replica of that rack instead of answering.
//! - Zstandard came with version 10: before, a topic that is stored so is
//!   UNSUPPORTED_COMPRESSION_TYPE.
//! - From version 13 on topics are named by id.

use std::sync::Arc;

use topomotion_log::Compression;
use topomotion_wire::messages::FetchRequest;
use topomotion_wire::{BrokerEpoch, Duration, ErrorCode, TopicId, TopicPartition};

use super::{known_node, shared};
use crate::broker::{
    Broker, DelayedFetch, Naming, Plan, Planned, PlannedTopic, SessionUse, Survey,
    Urgency, Wanted, Worth, refused, survey, tell,
};
use crate::net::{Effects, Ticket};
use crate::replica::{Content, Isolation, Reader, Site, Slice};

/// The first version that names topics by id.
const BY_ID: i16 = 13;
/// The first version whose fetchers read Zstandard.
const WITH_ZSTD: i16 = 10;
/// The first version whose consumers may read from any replica.
const FROM_ANY: i16 = 11;

/// Reads what the request asks for, notes what it says, and answers or waits.
pub(crate) fn handle(
    broker: &mut Broker,
    site: Site<'_>,
    ticket: Ticket,
    version: i16,
    request: FetchRequest,
    effects: &mut Effects,
) {
    let max_wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0));
    let max_bytes = request.max_bytes.min(site.settings.fetch_max_bytes);
    let mut plan = Plan {
        version,
        reader: reader(version, &request),
        rack: Some(shared(&request.rack_id)).filter(|rack| !rack.is_empty()),
        session: SessionUse::None,
        // More than fits into an answer is never there.
        min_bytes: usize::try_from(request.min_bytes.min(max_bytes)).unwrap_or(0),
        max_bytes: usize::try_from(max_bytes).unwrap_or(0),
        topics: Vec::new(),
    };
    let worth = match plan.reader {
        Reader::Follower { .. } => Worth::Follower,
        Reader::Consumer(_) | Reader::ConsumerOfAny(_) => Worth::Consumer,
    };
    let naming = if version < BY_ID { Naming::ByName } else { Naming::ById };
    match broker.fetches().sessions().open(site.now, naming, worth, request) {
        Ok((session, wanted)) => {
            plan.session = session;
            plan.topics = topics(site, version, wanted);
        }
        Err(error) => return effects.reply(ticket, refused(error)),
    }
    let found = survey(site, &plan, broker.replicas());
    let is_told = found.urgency == Urgency::Now || max_wait == Duration::ZERO;
    let response = is_told.then(|| tell(site, &plan, &found, effects));
    note_progress(broker, site, &plan, &found, effects);
    match response {
        Some(response) => broker.fetches().answer(site, ticket, plan, response, effects),
        None => {
            let until = site.now + max_wait;
            broker.wait_for_records(DelayedFetch { ticket, until, plan });
        }
    }
}

fn reader(version: i16, request: &FetchRequest) -> Reader {
    let isolation = Isolation::of_level(request.isolation_level);
    let in_state = known_node(request.replica_state.replica_id);
    match in_state.or(known_node(request.replica_id)) {
        Some(id) => {
            let epoch = request.replica_state.replica_epoch;
            Reader::Follower { id, epoch: (epoch >= 0).then_some(BrokerEpoch(epoch)) }
        }
        None if version >= FROM_ANY => Reader::ConsumerOfAny(isolation),
        None => Reader::Consumer(isolation),
    }
}

/// Finds the partitions that are wanted, neighbours of one topic together.
fn topics(site: Site<'_>, version: i16, wanted: Vec<Wanted>) -> Vec<PlannedTopic> {
    let mut topics: Vec<PlannedTopic> = Vec::new();
    let mut found: Result<Arc<str>, ErrorCode> = Err(ErrorCode::UnknownTopicId);
    for it in wanted {
        let last = topics.last();
        if last.is_none_or(|last| last.name != it.topic || last.id != it.id) {
            found = name_of(site, version, &it);
            let (name, id) = (it.topic, it.id);
            topics.push(PlannedTopic { name, id, partitions: Vec::new() });
        }
        let partition = found.clone().map(|name| TopicPartition::new(name, it.index));
        let (index, at, log_start) = (it.index, it.at, it.log_start);
        let planned = Planned { index, partition, at, log_start };
        if let Some(last) = topics.last_mut() {
            last.partitions.push(planned);
        }
    }
    topics
}

/// The topic that a request names, one way or the other, if the fetcher can read it.
fn name_of(site: Site<'_>, version: i16, wanted: &Wanted) -> Result<Arc<str>, ErrorCode> {
    if version >= BY_ID {
        let name = site.image.topic_name(TopicId(wanted.id)).cloned();
        return name.ok_or(ErrorCode::UnknownTopicId);
    }
    let stored = site.topic(&wanted.topic).compression();
    if version < WITH_ZSTD && stored == Some(Compression::Zstd) {
        return Err(ErrorCode::UnsupportedCompressionType);
    }
    Ok(shared(&wanted.topic))
}

/// What a follower's fetch acknowledges, wherever the reading found nothing to object to.
fn note_progress(
    broker: &mut Broker,
    site: Site<'_>,
    plan: &Plan,
    found: &Survey,
    effects: &mut Effects,
) {
    let Reader::Follower { id, epoch } = plan.reader else { return };
    let planned = plan.topics.iter().flat_map(|topic| &topic.partitions);
    for (planned, reading) in planned.zip(&found.readings) {
        let Ok(Slice { content: Content::Records(_), .. }) = reading else { continue };
        let Ok(partition) = planned.partition.as_ref() else { continue };
        let Some(replica) = broker.replica_mut(partition) else { continue };
        replica.note_log_start(id, planned.log_start, effects);
        replica.note_fetch(site, id, epoch, planned.at.offset, effects);
    }
}
