//! Fetch requests, answered at once or when there is something to read (REP-18).
//!
//! A fetch is answered as soon as one of its partitions has an error or a point of
//! divergence, or `min.bytes` are readable in all of them together, or its time is up. While
//! it waits it reads again whenever one of its partitions changes; only its first reading
//! counts as the follower's acknowledgement (REP-14).

use std::collections::{BTreeMap, VecDeque};

use topomotion_wire::messages::FetchResponse;
use topomotion_wire::messages::fetch_response::{
    EpochEndOffset, FetchableTopicResponse, LeaderIdAndEpoch, PartitionData,
};
use topomotion_wire::messages::{BrokerId, TopicName};
use topomotion_wire::{Bytes, ErrorCode, Instant, Rule, TopicPartition};
use uuid::Uuid;

use crate::net::{Effects, Ticket};
use crate::replica::{Content, FetchAt, Reader, Replica, Site};

type Replicas = BTreeMap<TopicPartition, Replica>;

/// A fetch request, read once.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) reader: Reader,
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
}

impl Plan {
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

/// What a fetch finds.
#[derive(Debug, Clone)]
pub(crate) struct Reading {
    pub(crate) response: FetchResponse,
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

/// Every fetch request that waits, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Fetches {
    waiting: VecDeque<DelayedFetch>,
}

impl Fetches {
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
        let waiting = std::mem::take(&mut self.waiting);
        for fetch in waiting {
            let concerned = fetch.plan.partitions().any(|(wanted, _)| wanted == id);
            let reading = concerned.then(|| read(site, &fetch.plan, replicas, effects));
            match reading.filter(|reading| reading.urgency == Urgency::Now) {
                Some(reading) => {
                    effects.mark_at(Rule::Rep18, id);
                    effects.reply(fetch.ticket, reading.response);
                }
                None => self.waiting.push_back(fetch),
            }
        }
    }

    /// Answers whoever has waited long enough with what there is.
    pub(crate) fn expire(
        &mut self,
        site: Site<'_>,
        replicas: &Replicas,
        effects: &mut Effects,
    ) {
        let waiting = std::mem::take(&mut self.waiting);
        for fetch in waiting {
            if fetch.until <= site.now {
                let reading = read(site, &fetch.plan, replicas, effects);
                effects.reply(fetch.ticket, reading.response);
            } else {
                self.waiting.push_back(fetch);
            }
        }
    }
}

/// Reads everything that a fetch asks for, within its limits.
pub(crate) fn read(
    site: Site<'_>,
    plan: &Plan,
    replicas: &Replicas,
    effects: &mut Effects,
) -> Reading {
    let mut urgency = Urgency::CanWait;
    let (mut bytes, mut left) = (0, plan.max_bytes);
    let mut topics = Vec::new();
    for topic in &plan.topics {
        let mut partitions = Vec::new();
        for planned in &topic.partitions {
            let at = FetchAt { max_bytes: planned.at.max_bytes.min(left), ..planned.at };
            let data = read_one(site, plan.reader, planned, at, replicas, effects);
            let length = data.records.as_ref().map_or(0, Bytes::len);
            bytes += length;
            left = left.saturating_sub(length);
            if data.error_code != 0 || data.diverging_epoch.end_offset >= 0 {
                urgency = Urgency::Now;
            }
            partitions.push(data);
        }
        let response = FetchableTopicResponse::default()
            .with_topic(topic.name.clone())
            .with_topic_id(topic.id)
            .with_partitions(partitions);
        topics.push(response);
    }
    if bytes >= plan.min_bytes {
        urgency = Urgency::Now;
    }
    Reading { response: FetchResponse::default().with_responses(topics), urgency }
}

fn read_one(
    site: Site<'_>,
    reader: Reader,
    planned: &Planned,
    at: FetchAt,
    replicas: &Replicas,
    effects: &mut Effects,
) -> PartitionData {
    let data = PartitionData::default()
        .with_partition_index(planned.index)
        .with_records(Some(Bytes::new()));
    let refused = |error: ErrorCode| {
        data.clone().with_error_code(error.code()).with_high_watermark(-1)
    };
    let id = match &planned.partition {
        Ok(id) => id,
        Err(error) => return refused(*error),
    };
    let slice = match replicas.get(id) {
        Some(replica) => replica.read(site, reader, at),
        None => Err(site.absent(id)),
    };
    let slice = match slice {
        Ok(slice) => slice,
        Err(error) => {
            if is_wrong_leadership(error) {
                effects.mark_at(Rule::Rep13, id);
            }
            return refused(error).with_current_leader(current_leader(site, id));
        }
    };
    let data = data
        .clone()
        .with_high_watermark(slice.high_watermark.0)
        .with_last_stable_offset(slice.high_watermark.0)
        .with_log_start_offset(slice.log_start.0);
    match slice.content {
        Content::Records(records) => data.with_records(Some(records)),
        Content::Diverging(end) => {
            effects.mark_at(Rule::Rep15, id);
            let epoch = EpochEndOffset::default().with_epoch(end.epoch.0);
            data.with_diverging_epoch(epoch.with_end_offset(end.end.0))
        }
    }
}

fn is_wrong_leadership(error: ErrorCode) -> bool {
    matches!(
        error,
        ErrorCode::FencedLeaderEpoch
            | ErrorCode::UnknownLeaderEpoch
            | ErrorCode::NotLeaderOrFollower
    )
}

/// Whom to ask instead, as far as this node knows (KIP-951).
fn current_leader(site: Site<'_>, id: &TopicPartition) -> LeaderIdAndEpoch {
    let known = site.image.partition(id);
    let leader = known.and_then(|state| state.leader).map_or(-1, |leader| leader.0);
    LeaderIdAndEpoch::default()
        .with_leader_id(BrokerId(leader))
        .with_leader_epoch(known.map_or(-1, |state| state.leader_epoch.0))
}
