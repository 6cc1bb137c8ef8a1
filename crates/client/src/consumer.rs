//! The consumer: holds a position in each of its partitions and fetches from their leaders
//! (GRP-15, REP-18).
//!
//! One fetch per leader is under way at a time, for all partitions that this leader leads.
//! Partitions are assigned by hand; group membership will assign them through the same
//! [`Consumer::assign`].

use std::collections::{BTreeMap, BTreeSet};

use topomotion_log::Batches;
use topomotion_wire::messages::fetch_request::{FetchPartition, FetchTopic};
use topomotion_wire::messages::fetch_response::PartitionData;
use topomotion_wire::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsTopic,
};
use topomotion_wire::messages::{
    BrokerId, FetchRequest, ListOffsetsRequest, RequestKind, ResponseKind,
};
use topomotion_wire::{
    BatchId, Endpoint, ErrorCode, Fact, Input, Instant, LeaderEpoch, Machine, Offset,
    Output, TopicPartition,
};

use crate::cluster::{Cluster, ClusterEvent};
use crate::errors::{error_of, means_stale_metadata};
use crate::metadata::topic_name;
use crate::{ConsumerConfig, OffsetReset};

/// How far a consumer is in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Position {
    /// Not known: to be asked for.
    Unknown,
    /// Being asked for.
    Asked,
    /// Known: the next offset, and the epoch of the last batch read.
    At { next: Offset, epoch: LeaderEpoch, fetching: Fetching },
}

/// Whether a fetch for the partition is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fetching {
    Idle,
    UnderWay,
}

#[derive(Debug, Clone)]
struct Assigned {
    position: Position,
    /// Where to start.
    reset: OffsetReset,
    /// Errors in a row.
    failures: u32,
    /// Left alone until then.
    pause: Option<Instant>,
}

/// Why a request was sent.
#[derive(Debug, Clone)]
enum Errand {
    /// From these offsets.
    Fetch(Vec<(TopicPartition, Offset)>),
    ListOffsets(Vec<TopicPartition>),
}

/// Fetches records.
#[derive(Debug, Clone)]
pub struct Consumer {
    config: ConsumerConfig,
    cluster: Cluster<Errand>,
    assigned: BTreeMap<TopicPartition, Assigned>,
    /// Partitions that are not fetched from for now.
    paused: BTreeSet<TopicPartition>,
}

impl Consumer {
    /// A consumer without any partition.
    pub fn new(config: ConsumerConfig) -> Consumer {
        let cluster = Cluster::new(config.common.clone());
        Consumer { config, cluster, assigned: BTreeMap::new(), paused: BTreeSet::new() }
    }

    /// Takes exactly these partitions; those it had before keep their positions.
    pub fn assign(
        &mut self,
        now: Instant,
        partitions: impl IntoIterator<Item = TopicPartition>,
    ) {
        let mut before = std::mem::take(&mut self.assigned);
        for partition in partitions {
            self.cluster.metadata.follow(now, &partition.topic);
            let kept = before.remove(&partition);
            let kept = kept.unwrap_or(Assigned {
                position: Position::Unknown,
                reset: self.config.offset_reset,
                failures: 0,
                pause: None,
            });
            self.assigned.insert(partition, kept);
        }
        self.drive(now);
    }

    /// Goes to an offset of an assigned partition; nothing happens for another one.
    pub fn seek(&mut self, now: Instant, partition: &TopicPartition, to: Offset) {
        if let Some(assigned) = self.assigned.get_mut(partition) {
            let (epoch, fetching) = (LeaderEpoch(-1), Fetching::Idle);
            assigned.position = Position::At { next: to, epoch, fetching };
            self.drive(now);
        }
    }

    /// Goes to the beginning or the end of an assigned partition, wherever that is.
    pub fn seek_to(&mut self, now: Instant, partition: &TopicPartition, to: OffsetReset) {
        if let Some(assigned) = self.assigned.get_mut(partition) {
            (assigned.position, assigned.reset) = (Position::Unknown, to);
            self.drive(now);
        }
    }

    /// Fetches no more from these partitions; their positions stay.
    pub fn pause(&mut self, partitions: impl IntoIterator<Item = TopicPartition>) {
        self.paused.extend(partitions);
    }

    /// Fetches from these partitions again.
    pub fn resume(
        &mut self,
        now: Instant,
        partitions: impl IntoIterator<Item = TopicPartition>,
    ) {
        for partition in partitions {
            self.paused.remove(&partition);
        }
        self.drive(now);
    }

    /// The next offset to read of an assigned partition, once it is known.
    pub fn position(&self, partition: &TopicPartition) -> Option<Offset> {
        match self.assigned.get(partition)?.position {
            Position::At { next, .. } => Some(next),
            Position::Unknown | Position::Asked => None,
        }
    }

    fn drive(&mut self, now: Instant) {
        while let Some(event) = self.cluster.next_event() {
            match event {
                ClusterEvent::Answered { errand: Errand::Fetch(asked), body } => {
                    self.fetched(now, &asked, &body);
                }
                ClusterEvent::Answered { errand: Errand::ListOffsets(asked), body } => {
                    self.listed(now, &asked, &body);
                }
                ClusterEvent::Lost { errand } => self.lost(now, errand),
            }
        }
        self.cluster.drive(now);
        self.dispatch(now);
    }

    /// Asks every leader for what is wanted from it.
    fn dispatch(&mut self, now: Instant) {
        let mut fetches: BTreeMap<Endpoint, Vec<TopicPartition>> = BTreeMap::new();
        let mut lists: BTreeMap<Endpoint, Vec<TopicPartition>> = BTreeMap::new();
        for (partition, assigned) in &self.assigned {
            if assigned.pause.is_some_and(|pause| pause > now) {
                continue;
            }
            let wanted = match assigned.position {
                Position::Unknown => &mut lists,
                Position::At { .. } if self.paused.contains(partition) => continue,
                Position::At { fetching: Fetching::Idle, .. } => &mut fetches,
                Position::Asked | Position::At { .. } => continue,
            };
            match self.cluster.metadata.leader_endpoint(partition) {
                Some(to) => {
                    wanted.entry(to.clone()).or_default().push(partition.clone());
                }
                None => {
                    self.cluster.metadata.doubt(now + self.config.common.retry_backoff);
                }
            }
        }
        for (to, partitions) in lists {
            if self.cluster.ready(now, &to) {
                self.list_offsets(now, &to, partitions);
            }
        }
        for (to, partitions) in fetches {
            if self.cluster.ready(now, &to) && self.cluster.in_flight(&to) == 0 {
                self.fetch(now, &to, partitions);
            }
        }
    }

    fn list_offsets(
        &mut self,
        now: Instant,
        to: &Endpoint,
        partitions: Vec<TopicPartition>,
    ) {
        let mut request = ListOffsetsRequest::default();
        request.replica_id = BrokerId(-1);
        for partition in &partitions {
            let epoch = self.known_epoch(partition);
            let Some(assigned) = self.assigned.get_mut(partition) else { continue };
            assigned.position = Position::Asked;
            let mut wanted = ListOffsetsPartition::default();
            wanted.partition_index = partition.partition;
            wanted.current_leader_epoch = epoch.0;
            wanted.timestamp = match assigned.reset {
                OffsetReset::Earliest => -2,
                OffsetReset::Latest => -1,
            };
            let mut topic = ListOffsetsTopic::default();
            topic.name = topic_name(&partition.topic);
            topic.partitions = vec![wanted];
            request.topics.push(topic);
        }
        let body = RequestKind::ListOffsets(request);
        self.cluster.send(now, to, body, Errand::ListOffsets(partitions));
    }

    fn fetch(&mut self, now: Instant, to: &Endpoint, partitions: Vec<TopicPartition>) {
        let mut request = FetchRequest::default();
        request.replica_id = BrokerId(-1);
        let wait = self.config.fetch_max_wait.as_millis();
        request.max_wait_ms = i32::try_from(wait).unwrap_or(i32::MAX);
        request.min_bytes = self.config.fetch_min_bytes;
        request.max_bytes = self.config.fetch_max_bytes;
        let mut asked = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let current = self.known_epoch(&partition);
            let Some(assigned) = self.assigned.get_mut(&partition) else { continue };
            let Position::At { next, epoch, fetching } = &mut assigned.position else {
                continue;
            };
            *fetching = Fetching::UnderWay;
            let mut wanted = FetchPartition::default();
            wanted.partition = partition.partition;
            wanted.current_leader_epoch = current.0;
            wanted.fetch_offset = next.0;
            wanted.last_fetched_epoch = epoch.0;
            wanted.log_start_offset = -1;
            wanted.partition_max_bytes = self.config.max_partition_fetch_bytes;
            let name = topic_name(&partition.topic);
            if request.topics.last().is_none_or(|topic| topic.topic != name) {
                let mut topic = FetchTopic::default();
                topic.topic = name;
                request.topics.push(topic);
            }
            if let Some(topic) = request.topics.last_mut() {
                topic.partitions.push(wanted);
            }
            let from = *next;
            asked.push((partition, from));
        }
        let body = RequestKind::Fetch(request);
        self.cluster.send(now, to, body, Errand::Fetch(asked));
    }

    fn known_epoch(&self, partition: &TopicPartition) -> LeaderEpoch {
        let known = self.cluster.metadata.leadership(partition);
        known.map_or(LeaderEpoch(-1), |known| known.epoch)
    }

    fn fetched(
        &mut self,
        now: Instant,
        asked: &[(TopicPartition, Offset)],
        body: &ResponseKind,
    ) {
        let ResponseKind::Fetch(response) = body else {
            return self.all_failed(
                now,
                partitions(asked),
                ErrorCode::UnknownServerError,
            );
        };
        if let Some(error) = error_of(response.error_code) {
            return self.all_failed(now, partitions(asked), error);
        }
        for (partition, from) in asked {
            // Whoever went elsewhere meanwhile has no use for the answer.
            if self.position(partition) != Some(*from) {
                self.idle(partition);
                continue;
            }
            let topics = response.responses.iter();
            let told = topics
                .filter(|topic| topic.topic.0.as_str() == &*partition.topic)
                .flat_map(|topic| &topic.partitions)
                .find(|told| told.partition_index == partition.partition);
            match told.map(|told| (told, error_of(told.error_code))) {
                Some((told, None)) if told.diverging_epoch.end_offset >= 0 => {
                    self.diverged(partition, told);
                }
                Some((told, None)) => self.took(now, partition, told),
                Some((_, Some(error))) => self.failed(now, partition, error),
                // A leader may leave a partition out when it has nothing to say.
                None => self.idle(partition),
            }
        }
    }

    /// The log was cut below the position: goes back to where histories part (KIP-320).
    fn diverged(&mut self, partition: &TopicPartition, told: &PartitionData) {
        let Some(assigned) = self.assigned.get_mut(partition) else { return };
        let Position::At { next, .. } = assigned.position else { return };
        assigned.position = Position::At {
            next: next.min(Offset(told.diverging_epoch.end_offset)),
            epoch: LeaderEpoch(told.diverging_epoch.epoch),
            fetching: Fetching::Idle,
        };
    }

    /// Hands records on and moves the position past them.
    fn took(&mut self, now: Instant, partition: &TopicPartition, told: &PartitionData) {
        self.idle(partition);
        let Some(assigned) = self.assigned.get_mut(partition) else { return };
        let Position::At { next, epoch, .. } = &mut assigned.position else { return };
        let records = told.records.clone().unwrap_or_default();
        let (base, mut batches) = (*next, Vec::<BatchId>::new());
        let mut damage = None;
        for batch in Batches::new(records) {
            match batch {
                Ok(batch) if batch.next_offset() <= *next => {}
                Ok(batch) => {
                    (*next, *epoch) = (batch.next_offset(), batch.leader_epoch());
                    if !batch.is_control() {
                        batches.push(batch.id());
                    }
                }
                Err(malformed) => damage = Some(malformed.error_code()),
            }
        }
        let next = *next;
        match damage {
            // What came before the damage is good; only without any is there a failure.
            Some(error) if next == base => return self.failed(now, partition, error),
            Some(_) | None => assigned.failures = 0,
        }
        if !batches.is_empty() {
            let partition = partition.clone();
            let fact = Fact::Polled { partition, base, next, batches };
            self.cluster.push(Output::Fact(fact));
        }
    }

    fn idle(&mut self, partition: &TopicPartition) {
        let assigned = self.assigned.get_mut(partition);
        if let Some(Position::At { fetching, .. }) =
            assigned.map(|assigned| &mut assigned.position)
        {
            *fetching = Fetching::Idle;
        }
    }

    fn listed(&mut self, now: Instant, asked: &[TopicPartition], body: &ResponseKind) {
        let ResponseKind::ListOffsets(response) = body else {
            return self.all_failed(now, asked, ErrorCode::UnknownServerError);
        };
        for partition in asked {
            let topics = response.topics.iter();
            let told = topics
                .filter(|topic| topic.name.0.as_str() == &*partition.topic)
                .flat_map(|topic| &topic.partitions)
                .find(|told| told.partition_index == partition.partition);
            let error = told.map(|told| error_of(told.error_code));
            match (told, error) {
                (Some(told), Some(None)) => {
                    let Some(assigned) = self.assigned.get_mut(partition) else {
                        continue;
                    };
                    assigned.failures = 0;
                    assigned.reset = self.config.offset_reset;
                    assigned.position = Position::At {
                        next: Offset(told.offset),
                        epoch: LeaderEpoch(-1),
                        fetching: Fetching::Idle,
                    };
                }
                (_, error) => {
                    let error = error.flatten().unwrap_or(ErrorCode::UnknownServerError);
                    self.failed(now, partition, error);
                }
            }
        }
    }

    fn lost(&mut self, now: Instant, errand: Errand) {
        let error = ErrorCode::NetworkException;
        match errand {
            Errand::Fetch(asked) => self.all_failed(now, partitions(&asked), error),
            Errand::ListOffsets(asked) => self.all_failed(now, &asked, error),
        }
    }

    fn all_failed<'a>(
        &mut self,
        now: Instant,
        asked: impl IntoIterator<Item = &'a TopicPartition>,
        error: ErrorCode,
    ) {
        for partition in asked {
            self.failed(now, partition, error);
        }
    }

    fn failed(&mut self, now: Instant, partition: &TopicPartition, error: ErrorCode) {
        if means_stale_metadata(error) {
            self.cluster.metadata.doubt(now);
        }
        let Some(assigned) = self.assigned.get_mut(partition) else { return };
        assigned.failures = assigned.failures.saturating_add(1);
        assigned.pause = Some(now + self.config.common.backoff(assigned.failures));
        assigned.position = match assigned.position {
            Position::At { .. } if error == ErrorCode::OffsetOutOfRange => {
                Position::Unknown
            }
            Position::At { next, epoch, .. } => {
                Position::At { next, epoch, fetching: Fetching::Idle }
            }
            Position::Unknown | Position::Asked => Position::Unknown,
        };
    }
}

fn partitions(
    asked: &[(TopicPartition, Offset)],
) -> impl Iterator<Item = &TopicPartition> {
    asked.iter().map(|(partition, _)| partition)
}

impl Machine for Consumer {
    fn handle(&mut self, now: Instant, input: Input) {
        self.cluster.handle(now, input);
        self.drive(now);
    }

    fn tick(&mut self, now: Instant) {
        self.cluster.tick(now);
        for assigned in self.assigned.values_mut() {
            assigned.pause = assigned.pause.filter(|pause| *pause > now);
        }
        self.drive(now);
    }

    fn poll(&mut self) -> Option<Output> {
        self.cluster.poll()
    }

    fn deadline(&self) -> Option<Instant> {
        let pauses = self.assigned.values().filter_map(|assigned| assigned.pause);
        [pauses.min(), self.cluster.deadline()].into_iter().flatten().min()
    }
}
