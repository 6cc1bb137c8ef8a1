//! Fetch requests, answered at once or when there is something to read (REP-18).
//!
//! A fetch is answered as soon as one of its partitions has an error or a point of
//! divergence, or `min.bytes` are readable in all of them together, or its time is up. While
//! it waits it reads again whenever one of its partitions changes; only its first reading
//! counts as the follower's acknowledgement (REP-14).

use std::collections::VecDeque;
use std::sync::Arc;

use topomotion_wire::messages::FetchResponse;
use topomotion_wire::messages::fetch_response::{
    AbortedTransaction, FetchableTopicResponse, PartitionData,
};
use topomotion_wire::messages::{BrokerId, TopicName};
use topomotion_wire::{Bytes, ErrorCode, Fact, Instant, Offset, Rule, TopicPartition};
use uuid::Uuid;

use super::Replicas;
use super::fetch_sessions::{Cache, FetchSessions, SessionUse, Wanted};
use super::leader_hints;
use crate::config::ReplicaSelector;
use crate::net::{Effects, Ticket};
use crate::replica::{AtLeast, Content, FetchAt, Reader, Replica, Site, Slice};

/// A fetch request, read once.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// The version of the request.
    pub(crate) version: i16,
    pub(crate) reader: Reader,
    /// The rack of a consumer that wants to read nearby (KIP-392).
    pub(crate) rack: Option<Arc<str>>,
    pub(crate) session: SessionUse,
    pub(crate) min_bytes: usize,
    pub(crate) max_bytes: usize,
    pub(crate) topics: Vec<PlannedTopic>,
}

/// One topic of a fetch, as it was named.
#[derive(Debug, Clone)]
pub(crate) struct PlannedTopic {
    pub(crate) name: TopicName,
    pub(crate) id: Uuid,
    pub(crate) partitions: Vec<Planned>,
}

/// One partition of a fetch.
#[derive(Debug, Clone)]
pub(crate) struct Planned {
    pub(crate) index: i32,
    /// Which partition it is, or why it is none.
    pub(crate) partition: Result<TopicPartition, ErrorCode>,
    pub(crate) at: FetchAt,
    /// Where a follower's own log starts.
    pub(crate) log_start: Offset,
}

impl Plan {
    /// Every partition as the fetcher named it.
    fn wanted(self) -> Vec<Wanted> {
        let of_topic = |topic: PlannedTopic| {
            topic.partitions.into_iter().map(move |it| Wanted {
                topic: topic.name.clone(),
                id: topic.id,
                index: it.index,
                at: it.at,
                log_start: it.log_start,
            })
        };
        self.topics.into_iter().flat_map(of_topic).collect()
    }

    /// Every known partition with where to read.
    pub(crate) fn partitions(&self) -> impl Iterator<Item = (&TopicPartition, FetchAt)> {
        let planned = self.topics.iter().flat_map(|topic| &topic.partitions);
        planned.filter_map(|it| it.partition.as_ref().ok().map(|id| (id, it.at)))
    }
}

/// A fetch request that waits.
#[derive(Debug, Clone)]
pub(crate) struct DelayedFetch {
    pub(crate) ticket: Ticket,
    pub(crate) until: Instant,
    pub(crate) plan: Plan,
}

/// What a fetch finds: a reading of each of its partitions, in the order of the plan.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    pub(crate) readings: Vec<Result<Slice, ErrorCode>>,
    pub(crate) urgency: Urgency,
}

/// Whether an answer can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Urgency {
    /// There is enough, or something that must be told.
    Now,
    /// There may be more later.
    CanWait,
}

/// Every fetch request that waits, oldest first, and the sessions of all fetchers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fetches {
    waiting: VecDeque<DelayedFetch>,
    sessions: FetchSessions,
}

impl Fetches {
    pub(crate) fn sessions(&mut self) -> &mut FetchSessions {
        &mut self.sessions
    }

    /// Answers with what was read, or with as much of it as is news in a session.
    pub(crate) fn answer(
        &mut self,
        site: Site<'_>,
        ticket: Ticket,
        plan: Plan,
        response: FetchResponse,
        effects: &mut Effects,
    ) {
        let life = site.image.broker(site.me).map_or(0, |me| me.epoch.0.unsigned_abs());
        let cache = Cache {
            now: site.now,
            seed: (u64::from(site.me.0.unsigned_abs()) << 40) ^ life,
            slots: site.settings.fetch_session_slots,
        };
        let session = plan.session;
        let wanted = match session {
            SessionUse::Create(..) => plan.wanted(),
            SessionUse::None | SessionUse::Increment { .. } => Vec::new(),
        };
        effects.reply(ticket, self.sessions.answer(cache, session, wanted, response));
    }

    pub(crate) fn wait(&mut self, fetch: DelayedFetch) {
        self.waiting.push_back(fetch);
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.waiting.iter().map(|fetch| fetch.until).min()
    }

    /// Something changed at a partition: looks again at whoever waits for it.
    pub(crate) fn check(
        &mut self,
        site: Site<'_>,
        id: &TopicPartition,
        replicas: &Replicas,
        effects: &mut Effects,
    ) {
        let mut at = 0;
        while let Some(fetch) = self.waiting.get(at) {
            let concerned = fetch.plan.partitions().any(|(wanted, _)| wanted == id);
            let found = concerned.then(|| survey(site, &fetch.plan, replicas));
            let Some(found) = found.filter(|found| found.urgency == Urgency::Now) else {
                at += 1;
                continue;
            };
            let response = tell(site, &fetch.plan, &found, effects);
            effects.mark_at(Rule::Rep18, id);
            self.end_wait(at, site, response, effects);
        }
    }

    fn end_wait(
        &mut self,
        at: usize,
        site: Site<'_>,
        response: FetchResponse,
        effects: &mut Effects,
    ) {
        if let Some(DelayedFetch { ticket, plan, .. }) = self.waiting.remove(at) {
            self.answer(site, ticket, plan, response, effects);
        }
    }

    /// Answers whoever has waited long enough with what there is.
    pub(crate) fn expire(
        &mut self,
        site: Site<'_>,
        replicas: &Replicas,
        effects: &mut Effects,
    ) {
        let mut at = 0;
        while let Some(fetch) = self.waiting.get(at) {
            if fetch.until > site.now {
                at += 1;
                continue;
            }
            let found = survey(site, &fetch.plan, replicas);
            let response = tell(site, &fetch.plan, &found, effects);
            self.end_wait(at, site, response, effects);
        }
    }
}

/// Reads everything that a fetch asks for, within its limits.
pub(crate) fn survey(site: Site<'_>, plan: &Plan, replicas: &Replicas) -> Survey {
    let mut urgency = Urgency::CanWait;
    let (mut bytes, mut left) = (0, plan.max_bytes);
    // Only the first partition that has something gets more than fits, so that every fetch
    // gets on.
    let mut at_least = AtLeast::OneBatch;
    let mut readings = Vec::new();
    for planned in plan.topics.iter().flat_map(|topic| &topic.partitions) {
        let max_bytes = planned.at.max_bytes.min(left);
        let at = FetchAt { max_bytes, at_least, ..planned.at };
        let reading = read(site, plan, &planned.partition, at, replicas);
        match &reading {
            Ok(Slice { content: Content::Records(records), .. }) => {
                if !records.is_empty() {
                    at_least = AtLeast::Nothing;
                }
                bytes += records.len();
                left = left.saturating_sub(records.len());
            }
            Ok(_) | Err(_) => urgency = Urgency::Now,
        }
        readings.push(reading);
    }
    if bytes >= plan.min_bytes || plan.topics.is_empty() {
        urgency = Urgency::Now;
    }
    Survey { readings, urgency }
}

fn read(
    site: Site<'_>,
    plan: &Plan,
    partition: &Result<TopicPartition, ErrorCode>,
    at: FetchAt,
    replicas: &Replicas,
) -> Result<Slice, ErrorCode> {
    let id = partition.as_ref().map_err(|error| *error)?;
    let replica = replicas.get(id).ok_or_else(|| site.absent(id))?;
    match nearest(site, plan, replica, at) {
        Some(near) => Ok(near),
        None => replica.read(site, plan.reader, at),
    }
}

/// Sends a consumer to a replica in its own rack, if that is how this node does it (KIP-392).
fn nearest(site: Site<'_>, plan: &Plan, replica: &Replica, at: FetchAt) -> Option<Slice> {
    let rack = plan.rack.as_deref()?;
    let is_wanted = site.settings.replica_selector == ReplicaSelector::RackAware
        && matches!(plan.reader, Reader::ConsumerOfAny(_));
    if !is_wanted || replica.check_leadership(at.current_leader_epoch).is_err() {
        return None;
    }
    Some(Slice {
        high_watermark: replica.high_watermark(),
        last_stable: replica.last_stable_offset(),
        aborted: None,
        log_start: replica.log().start_offset(),
        content: Content::Elsewhere(replica.nearest(site, rack, at.offset)?),
        trail: None,
    })
}

/// The answer to a fetch that has found this.
pub(crate) fn tell(
    site: Site<'_>,
    plan: &Plan,
    found: &Survey,
    effects: &mut Effects,
) -> FetchResponse {
    let mut readings = found.readings.iter();
    let topics = plan.topics.iter().map(|topic| {
        let read = topic.partitions.iter().zip(readings.by_ref());
        let told = read.map(|(planned, it)| tell_one(planned, it, effects));
        FetchableTopicResponse::default()
            .with_topic(topic.name.clone())
            .with_topic_id(topic.id)
            .with_partitions(told.collect())
    });
    let mut response = FetchResponse::default().with_responses(topics.collect());
    leader_hints::in_fetch(site, plan, &mut response);
    response
}

fn tell_one(
    planned: &Planned,
    reading: &Result<Slice, ErrorCode>,
    effects: &mut Effects,
) -> PartitionData {
    let mut data = PartitionData::default();
    data.partition_index = planned.index;
    data.records = Some(Bytes::new());
    let slice = match reading {
        Ok(slice) => slice,
        Err(error) => {
            (data.error_code, data.high_watermark) = (error.code(), -1);
            if let Ok(id) = &planned.partition
                && is_wrong_leadership(*error)
            {
                effects.mark_at(Rule::Rep13, id);
            }
            return data;
        }
    };
    if let (Ok(partition), Some(deed)) = (&planned.partition, slice.trail.clone()) {
        effects.fact(Fact::Log { partition: partition.clone(), deed });
    }
    data.high_watermark = slice.high_watermark.0;
    data.last_stable_offset = slice.last_stable.0;
    data.aborted_transactions = tell_aborted(slice);
    data.log_start_offset = slice.log_start.0;
    match &slice.content {
        Content::Records(records) => data.records = Some(records.clone()),
        Content::Elsewhere(near) => data.preferred_read_replica = BrokerId(near.0),
        Content::Diverging(end) => {
            if let Ok(id) = &planned.partition {
                effects.mark_at(Rule::Rep15, id);
            }
            data.diverging_epoch.epoch = end.epoch.0;
            data.diverging_epoch.end_offset = end.end.0;
        }
    }
    data
}

/// What was aborted of the records that are told (TXN-8); null, as Kafka has it, for those who
/// read everything.
fn tell_aborted(slice: &Slice) -> Option<Vec<AbortedTransaction>> {
    let entries = slice.aborted.as_ref()?.iter();
    let entry = |entry: &topomotion_log::AbortedTransaction| {
        AbortedTransaction::default()
            .with_producer_id(entry.producer.0.into())
            .with_first_offset(entry.first.0)
    };
    Some(entries.map(entry).collect())
}

fn is_wrong_leadership(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::FencedLeaderEpoch
            | ErrorCode::UnknownLeaderEpoch
            | ErrorCode::NotLeaderOrFollower
    )
}
