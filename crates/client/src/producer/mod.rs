//! The producer: gathers records into batches, sends each to its partition's leader, and
//! tries again until the verdict is in (PRD-1, PRD-2).
//!
//! ```text
//!   send ──► partitioner ──► accumulator ──► sender ──► one request per broker
//!              (which          (batches,       ▲ retries, splits, verdicts │
//!             partition)     buffer.memory)    └───────────────────────────┘
//! ```
//!
//! An idempotent producer numbers its records (PRD-3): order survives retries, and what the
//! leader has already it does not append again. Without idempotence a batch keeps its
//! identity over all tries, and while one of a partition is being tried again, no other of
//! that partition leaves, so that order survives as far as it can.

mod accumulator;
mod conversation;
mod manager;
mod partitioner;
mod requests;
mod sender;
mod sequences;
mod transaction;
mod verdicts;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use topomotion_log::{BatchBuilder, RecordRef};
use topomotion_wire::{
    Acks, BatchId, Bytes, ClientDeed, Duration, ErrorCode, Fact, Input, Instant, Machine,
    MetadataCause, NodeId, Output, Random, Rule, TopicPartition,
};

use crate::ProducerConfig;
use crate::cluster::Cluster;

use accumulator::{Accumulator, Added, Muting, Urgency, as_written, headers_of};
use manager::{Ask, Manager};
use partitioner::{Candidate, Choice, Partitioner};
use sender::Cargo;

pub use manager::{OutOfTurn, ProducerState};

/// Why a request was sent.
#[derive(Debug, Clone)]
enum Errand {
    Produce(Cargo),
    Ask(Ask),
}

/// A record to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerRecord {
    /// Where to.
    pub topic: Arc<str>,
    /// Which partition, where the key shall not decide.
    pub partition: Option<i32>,
    /// Decides the partition, if there is one.
    pub key: Option<Bytes>,
    /// The payload.
    pub value: Option<Bytes>,
    /// What goes along: names and values, in their order.
    pub headers: Vec<(Arc<str>, Bytes)>,
    /// What is asked for; `None` means the producer's own setting.
    pub acks: Option<Acks>,
}

/// A record on its way to a batch: its topic is not known yet, or there is no memory.
#[derive(Debug, Clone)]
struct Waiting {
    number: u64,
    since: Instant,
    record: ProducerRecord,
    lacks: Lack,
}

/// What a record waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    /// Its topic or partition is not known.
    Metadata,
    /// `buffer.memory` is used up.
    Memory,
}

/// Whether the application still sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Open,
    /// What was sent is delivered, nothing new is taken.
    Closing,
    /// The connections are closed.
    Closed,
}

/// Sends records.
#[derive(Debug, Clone)]
pub struct Producer {
    config: ProducerConfig,
    cluster: Cluster<Errand>,
    manager: Manager,
    partitioner: Partitioner,
    accumulator: Accumulator,
    waiting: VecDeque<Waiting>,
    /// Numbers the records.
    numbers: u64,
    /// Records before this number are wanted out of the way.
    flushing: Option<u64>,
    life: Life,
    pending: usize,
    /// Since when a leader has had something to take and could not.
    refusing: BTreeMap<NodeId, Instant>,
    /// Where the next request to a leader begins, so that none of its partitions starves.
    turns: BTreeMap<NodeId, TopicPartition>,
}

/// What became of a waiting record.
enum Step {
    /// It is in a batch, or has its verdict.
    Done,
    /// Its topic or partition is not known.
    NoMetadata(Waiting),
    /// `buffer.memory` is used up.
    NoMemory(Waiting),
}

impl Producer {
    /// A producer that has not dialled anybody yet.
    pub fn new(config: ProducerConfig, random: Random) -> Producer {
        let mut cluster = Cluster::new(config.common.clone());
        cluster.metadata.forget_after(config.metadata_max_idle);
        Producer {
            cluster,
            partitioner: Partitioner::new(&config, random),
            accumulator: Accumulator::new(&config),
            manager: Manager::new(&config),
            config,
            waiting: VecDeque::new(),
            numbers: 0,
            flushing: None,
            life: Life::Open,
            pending: 0,
            refusing: BTreeMap::new(),
            turns: BTreeMap::new(),
        }
    }

    /// Gets to know a topic before the first record, as a warmed-up producer does.
    pub fn warm_up(&mut self, now: Instant, topic: &Arc<str>) {
        self.cluster.metadata.follow(now, topic);
        self.drive(now);
    }

    /// Takes a record. The verdict comes as [`Fact::BatchAcked`] or [`Fact::BatchFailed`].
    ///
    /// Kafka's producer blocks where metadata or memory is missing, at most for
    /// `max.block.ms`; this one lets the record wait for as long. After [`Producer::close`]
    /// nothing is taken: the record fails at once.
    pub fn send(&mut self, now: Instant, record: ProducerRecord) {
        self.pending += 1;
        let number = self.numbers;
        self.numbers += 1;
        let waiting = Waiting { number, since: now, record, lacks: Lack::Metadata };
        if self.life != Life::Open {
            return self.refuse(&waiting.record, ErrorCode::InvalidRequest);
        }
        let acks = waiting.record.acks.unwrap_or(self.config.acks);
        if self.manager.is_transactional() && acks != Acks::All {
            return self.refuse(&waiting.record, ErrorCode::InvalidRequiredAcks);
        }
        if let Some(error) = self.manager.refusal() {
            return self.refuse(&waiting.record, error);
        }
        self.cluster.metadata.follow(now, &waiting.record.topic);
        self.waiting.push_back(waiting);
        self.drive(now);
    }

    /// Sends everything at once, without `linger.ms`, until all records sent so far have
    /// their verdict: see [`Producer::is_flushing`].
    pub fn flush(&mut self, now: Instant) {
        self.flushing = Some(self.numbers);
        self.drive(now);
    }

    /// Whether records from before the last flush still lack a verdict.
    pub fn is_flushing(&self) -> bool {
        self.flushing.is_some()
    }

    /// Takes no more records, delivers those it has, and closes its connections.
    pub fn close(&mut self, now: Instant) {
        if self.life == Life::Open {
            self.life = Life::Closing;
        }
        self.flush(now);
    }

    /// Whether everything has its verdict after a [`Producer::close`].
    pub fn is_closed(&self) -> bool {
        self.life == Life::Closed
    }

    /// Records without a verdict.
    pub fn pending(&self) -> usize {
        self.pending
    }

    /// Records taken so far, whatever became of them.
    pub fn taken(&self) -> u64 {
        self.numbers
    }

    /// Whether one of the first so many records that were taken lacks a verdict.
    pub fn waits_for_first(&self, count: u64) -> bool {
        self.waiting.iter().any(|waiting| waiting.number < count)
            || self.accumulator.holds_before(count)
    }

    /// Bytes of `buffer.memory` that are taken; never more than the setting.
    pub fn memory(&self) -> usize {
        self.accumulator.reserved()
    }

    fn drive(&mut self, now: Instant) {
        if self.life == Life::Closed {
            return;
        }
        self.drive_once(now);
        // What cannot be sent at all is known at once.
        while self.cluster.has_events() {
            self.drive_once(now);
        }
        self.end_flush();
        if self.life == Life::Closing {
            // What closing still asks for is asked at once.
            self.drive_once(now);
            self.end_flush();
        }
    }

    fn drive_once(&mut self, now: Instant) {
        self.take_answers(now);
        self.cluster.drive(now);
        loop {
            self.settle(now);
            self.expire(now);
            self.converse(now);
            // What is answered or given up at once makes room for what waits.
            let memory = self.accumulator.reserved();
            while self.dispatch(now) == sender::Progress::Made {}
            if self.waiting.is_empty() || self.accumulator.reserved() >= memory {
                break;
            }
        }
        self.cluster.drive(now);
    }

    fn end_flush(&mut self) {
        let Some(number) = self.flushing else { return };
        if self.waits_for_first(number) {
            return;
        }
        self.flushing = None;
        if self.life == Life::Closing && self.pending == 0 {
            if !self.leaves_nothing_open() {
                self.flushing = Some(number);
                return;
            }
            self.life = Life::Closed;
            self.cluster.hang_up();
        }
    }

    fn urgency(&self) -> Urgency {
        let commits = self.manager.state == ProducerState::Committing;
        match self.flushing {
            Some(_) => Urgency::Flush,
            None if commits => Urgency::Flush,
            None if self.waiting.iter().any(|one| one.lacks == Lack::Memory) => {
                Urgency::Memory
            }
            None => Urgency::None,
        }
    }

    /// Gives waiting records a batch as soon as their topic is known and there is room. Once
    /// one waits for memory, all behind it do: memory is given in the order of the calls.
    fn settle(&mut self, now: Instant) {
        let mut waiting = std::mem::take(&mut self.waiting).into_iter();
        while let Some(one) = waiting.next() {
            match self.admit(now, one) {
                Step::Done => {}
                Step::NoMetadata(one) => self.waiting.push_back(one),
                Step::NoMemory(one) => {
                    self.waiting.push_back(one);
                    self.waiting.extend(waiting.by_ref());
                }
            }
        }
        while let Some(first) = self.waiting.front()
            && first.since + self.config.max_block <= now
            && let Some(late) = self.waiting.pop_front()
        {
            let error = match late.lacks {
                Lack::Metadata => ErrorCode::UnknownTopicOrPartition,
                Lack::Memory => ErrorCode::RequestTimedOut,
            };
            self.refuse(&late.record, error);
        }
    }

    fn admit(&mut self, now: Instant, mut one: Waiting) -> Step {
        let record = &one.record;
        let timestamp = self.config.common.clock_base_ms + one.since.as_millis() as i64;
        let headers = headers_of(record);
        let written = as_written(record, &headers, timestamp);
        let acks = record.acks.unwrap_or(self.config.acks);
        let Some(choice) = self.place(now, record, acks, &written) else {
            // A topic that somebody waits for is in use.
            self.cluster.metadata.follow(now, &record.topic);
            one.lacks = Lack::Metadata;
            return Step::NoMetadata(one);
        };
        let length = BatchBuilder::new().len_with(&written);
        if length > self.config.max_request_size || length > self.config.buffer_memory {
            self.refuse(record, ErrorCode::MessageTooLarge);
            return Step::Done;
        }
        let partition = TopicPartition::new(record.topic.clone(), choice.partition());
        let added = self.accumulator.add(now, &partition, acks, &written, one.number);
        let Added::InBatch { bytes, opened } = added else {
            if one.lacks != Lack::Memory {
                self.cluster.deed(Some(&partition), ClientDeed::Blocked);
            }
            one.lacks = Lack::Memory;
            return Step::NoMemory(one);
        };
        if choice.is_sticky() {
            let is_full = self.accumulator.last_is_full(&partition);
            self.partitioner.produced(&record.topic, bytes, is_full);
        }
        if opened && record.partition.is_none() {
            self.cluster.mark(Rule::Prd1, &partition);
        }
        self.manager.enlist(&partition);
        Step::Done
    }

    /// Where a record goes, told if that is a new place for records without a key.
    fn place(
        &mut self,
        now: Instant,
        record: &ProducerRecord,
        acks: Acks,
        written: &RecordRef<'_>,
    ) -> Option<Choice> {
        let mut choice = self.choose(now, record)?;
        let partition = TopicPartition::new(record.topic.clone(), choice.partition());
        if choice.is_sticky() && self.accumulator.opens_batch(&partition, acks, written) {
            // Between two batches is the moment to go elsewhere.
            self.partitioner.produced(&record.topic, 0, true);
            if let Choice::Sticky(_) = choice {
                choice = self.choose(now, record)?;
            }
        }
        if let Choice::NewSticky(chosen) = choice {
            let partition = TopicPartition::new(record.topic.clone(), chosen);
            self.cluster.deed(Some(&partition), ClientDeed::Sticks);
        }
        Some(choice)
    }

    /// The partition of a record, once the topic is known well enough.
    fn choose(&mut self, now: Instant, record: &ProducerRecord) -> Option<Choice> {
        let count = self.cluster.metadata.partition_count(&record.topic);
        if let Some(partition) = record.partition {
            let known = count.is_some_and(|count| (0..count).contains(&partition));
            if known {
                return Some(Choice::Given(partition));
            }
            self.cluster.metadata.want(MetadataCause::NoLeader);
            return None;
        }
        let count = count?;
        let (metadata, accumulator) = (&self.cluster.metadata, &self.accumulator);
        let (refusing, limit) = (&self.refusing, self.config.availability_timeout);
        let candidates = || {
            let all = (0..count).map(|index| {
                let partition = TopicPartition::new(record.topic.clone(), index);
                let leader = metadata.leadership(&partition).and_then(|it| it.leader);
                let refuses =
                    |since: &Instant| limit > Duration::ZERO && *since + limit <= now;
                let is_available = leader
                    .is_some_and(|leader| !refusing.get(&leader).is_some_and(refuses));
                let queue = accumulator.queue(&partition);
                Candidate { partition: index, is_available, queue }
            });
            all.collect()
        };
        let key = record.key.as_deref();
        Some(self.partitioner.choose(&record.topic, key, candidates, count))
    }

    /// A record that never came into a batch.
    fn refuse(&mut self, record: &ProducerRecord, error: ErrorCode) {
        self.pending -= 1;
        let partition =
            TopicPartition::new(record.topic.clone(), record.partition.unwrap_or(-1));
        let batch = BatchId::default();
        self.cluster.fact(Fact::BatchFailed { partition, batch, error });
    }

    /// Gives up what has waited too long.
    fn expire(&mut self, now: Instant) {
        for expired in self.accumulator.expire(now) {
            self.pending -= expired.records;
            self.lost_track(&expired.partition, expired.number, expired.error);
            self.cluster.fact(Fact::BatchFailed {
                partition: expired.partition,
                batch: expired.batch,
                error: expired.error,
            });
        }
    }

    fn muting(&self) -> Muting {
        match self.config.max_in_flight {
            0 | 1 => Muting::WhileInFlight,
            _ => Muting::Never,
        }
    }
}

impl Machine for Producer {
    fn handle(&mut self, now: Instant, input: Input) {
        self.cluster.handle(now, input);
        self.drive(now);
    }

    fn tick(&mut self, now: Instant) {
        self.cluster.tick(now);
        self.drive(now);
    }

    fn poll(&mut self) -> Option<Output> {
        self.cluster.poll()
    }

    fn deadline(&self) -> Option<Instant> {
        if self.life == Life::Closed {
            return None;
        }
        let now = self.cluster.now();
        let waiting = self.waiting.front();
        let waiting = waiting.map(|waiting| waiting.since + self.config.max_block);
        let pause = Some(self.manager.pause).filter(|pause| *pause > now);
        [waiting, pause, self.accumulator.deadline(now), self.cluster.deadline()]
            .into_iter()
            .flatten()
            .min()
    }
}
