//! The producer: gathers records into batches, sends each to its partition's leader, and
//! tries again until the verdict is in (PRD-1, PRD-2).
//!
//! A batch keeps its identity over all tries. While a batch of a partition is being tried
//! again, no other batch of that partition leaves, so that order survives retries as far as
//! it can without idempotence.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use topomotion_log::{Batch, BatchBuilder, RecordRef};
use topomotion_wire::messages::produce_request::{
    PartitionProduceData, TopicProduceData,
};
use topomotion_wire::messages::{ProduceRequest, RequestKind, ResponseKind};
use topomotion_wire::{
    Acks, Bytes, Duration, Endpoint, ErrorCode, Fact, Input, Instant, Machine, Offset,
    Output, Random, TopicPartition,
};

use crate::ProducerConfig;
use crate::cluster::{Cluster, ClusterEvent};
use crate::errors::{error_of, is_retriable, means_stale_metadata};
use crate::metadata::topic_name;
use crate::murmur2::partition_for_key;

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
    /// What is asked for; `None` means the producer's own setting.
    pub acks: Option<Acks>,
}

/// A closed batch on its way to a verdict.
#[derive(Debug, Clone)]
struct Parcel {
    /// Its place in the order of its partition.
    number: u64,
    batch: Batch,
    acks: Acks,
    /// Tries so far.
    attempts: u32,
    /// Given up then.
    expires: Instant,
    /// The last error, for the verdict.
    last_error: ErrorCode,
}

/// A batch that still takes records.
#[derive(Debug, Clone)]
struct Open {
    builder: BatchBuilder,
    acks: Acks,
    since: Instant,
}

/// What waits for one partition.
#[derive(Debug, Clone, Default)]
struct Lane {
    open: Option<Open>,
    /// In the order of their numbers.
    closed: VecDeque<Parcel>,
    numbers: u64,
    in_flight: usize,
    /// Nothing is sent before.
    pause: Option<Instant>,
}

/// Whether anything was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    None,
    Made,
}

/// One request's parcels, by partition.
type Cargo = Vec<(TopicPartition, Parcel)>;

/// Sends records.
#[derive(Debug, Clone)]
pub struct Producer {
    config: ProducerConfig,
    cluster: Cluster<Cargo>,
    random: Random,
    /// Records whose topic is not known yet, with the moment they were sent.
    homeless: VecDeque<(Instant, ProducerRecord)>,
    lanes: BTreeMap<TopicPartition, Lane>,
    /// Where records without a key go for now, by topic.
    sticky: BTreeMap<Arc<str>, i32>,
    pending: usize,
}

impl Producer {
    /// A producer that has not dialled anybody yet.
    pub fn new(config: ProducerConfig, random: Random) -> Producer {
        Producer {
            cluster: Cluster::new(config.common.clone()),
            config,
            random,
            homeless: VecDeque::new(),
            lanes: BTreeMap::new(),
            sticky: BTreeMap::new(),
            pending: 0,
        }
    }

    /// Gets to know a topic before the first record, as a warmed-up producer does.
    pub fn warm_up(&mut self, now: Instant, topic: &Arc<str>) {
        self.cluster.metadata.follow(now, topic);
        self.drive(now);
    }

    /// Takes a record. The verdict comes as [`Fact::BatchAcked`] or [`Fact::BatchFailed`].
    pub fn send(&mut self, now: Instant, record: ProducerRecord) {
        self.pending += 1;
        self.cluster.metadata.follow(now, &record.topic);
        self.homeless.push_back((now, record));
        self.drive(now);
    }

    /// Records without a verdict.
    pub fn pending(&self) -> usize {
        self.pending
    }

    fn drive(&mut self, now: Instant) {
        while let Some(event) = self.cluster.next_event() {
            match event {
                ClusterEvent::Answered { errand, body } => {
                    self.answered(now, errand, &body);
                }
                ClusterEvent::Lost { errand } => {
                    for (partition, parcel) in errand {
                        self.lane(&partition).in_flight -= 1;
                        let error = ErrorCode::NetworkException;
                        self.try_again(now, partition, parcel, error);
                    }
                }
            }
        }
        self.cluster.drive(now);
        self.settle(now);
        self.expire(now);
        while self.dispatch(now) == Progress::Made {}
    }

    fn lane(&mut self, partition: &TopicPartition) -> &mut Lane {
        if !self.lanes.contains_key(partition) {
            self.lanes.insert(partition.clone(), Lane::default());
        }
        self.lanes.get_mut(partition).expect("it was just put there")
    }

    /// Gives homeless records a partition as soon as their topic is known.
    fn settle(&mut self, now: Instant) {
        for (since, record) in std::mem::take(&mut self.homeless) {
            match self.partition_of(&record) {
                Some(partition) => {
                    let partition = TopicPartition::new(record.topic.clone(), partition);
                    self.append(now, since, partition, &record);
                }
                None if since + self.config.delivery_timeout <= now => {
                    self.pending -= 1;
                    self.cluster.push(Output::Fact(Fact::BatchFailed {
                        partition: TopicPartition::new(record.topic, -1),
                        batch: Default::default(),
                        error: ErrorCode::UnknownTopicOrPartition,
                    }));
                }
                None => self.homeless.push_back((since, record)),
            }
        }
    }

    fn partition_of(&mut self, record: &ProducerRecord) -> Option<i32> {
        if record.partition.is_some() {
            return record.partition;
        }
        let count = self.cluster.metadata.partition_count(&record.topic)?;
        if let Some(key) = &record.key {
            return Some(partition_for_key(key, count));
        }
        let sticky = self.sticky.get(&record.topic).copied();
        Some(sticky.unwrap_or_else(|| {
            let chosen = self.random.below(count as u64) as i32;
            self.sticky.insert(record.topic.clone(), chosen);
            chosen
        }))
    }

    fn append(
        &mut self,
        now: Instant,
        since: Instant,
        partition: TopicPartition,
        record: &ProducerRecord,
    ) {
        let acks = record.acks.unwrap_or(self.config.acks);
        let timestamp = self.config.common.clock_base_ms + since.as_millis() as i64;
        let (batch_size, timeout) =
            (self.config.batch_size, self.config.delivery_timeout);
        let lane = self.lane(&partition);
        // Records that ask for different acknowledgements cannot share a request.
        if lane.open.as_ref().is_some_and(|open| open.acks != acks) {
            lane.close(timeout);
        }
        let fresh = || Open { builder: BatchBuilder::new(), acks, since: now };
        let open = lane.open.get_or_insert_with(fresh);
        open.builder.push(&RecordRef {
            timestamp,
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: &[],
        });
        if open.builder.len_bytes() >= batch_size {
            lane.close(timeout);
            // The sticky partition changes once a batch is full (KIP-480).
            self.sticky.remove(&partition.topic);
        }
    }

    /// Gives up what has waited too long.
    fn expire(&mut self, now: Instant) {
        let mut expired = Vec::new();
        for (partition, lane) in &mut self.lanes {
            while lane.closed.front().is_some_and(|parcel| parcel.expires <= now) {
                let parcel = lane.closed.pop_front();
                expired.extend(parcel.map(|parcel| (partition.clone(), parcel)));
            }
        }
        for (partition, parcel) in expired {
            self.failed(partition, &parcel, parcel.last_error);
        }
    }

    /// Sends at most one request per leader, with one batch per partition.
    fn dispatch(&mut self, now: Instant) -> Progress {
        let (linger, timeout) = (self.config.linger, self.config.delivery_timeout);
        let mut by_leader: BTreeMap<(Endpoint, Acks), Vec<TopicPartition>> =
            BTreeMap::new();
        for (partition, lane) in &mut self.lanes {
            lane.close_if_due(now, linger, timeout);
            let Some(acks) = lane.next_acks(now) else { continue };
            match self.cluster.metadata.leader_endpoint(partition) {
                Some(to) => by_leader
                    .entry((to.clone(), acks))
                    .or_default()
                    .push(partition.clone()),
                None => {
                    self.cluster.metadata.doubt(now + self.config.common.retry_backoff);
                }
            }
        }
        let mut progress = Progress::None;
        for ((to, acks), partitions) in by_leader {
            if self.cluster.ready(now, &to)
                && self.cluster.in_flight(&to) < self.config.max_in_flight
            {
                self.ship(now, &to, acks, partitions);
                progress = Progress::Made;
            }
        }
        progress
    }

    fn ship(
        &mut self,
        now: Instant,
        to: &Endpoint,
        acks: Acks,
        partitions: Vec<TopicPartition>,
    ) {
        let mut cargo: Cargo = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let lane = self.lane(&partition);
            let Some(mut parcel) = lane.closed.pop_front() else { continue };
            lane.in_flight += 1;
            parcel.attempts += 1;
            self.cluster.push(Output::Fact(Fact::BatchSent {
                partition: partition.clone(),
                batch: parcel.batch.id(),
                count: i64::from(parcel.batch.count()),
                acks,
                attempt: parcel.attempts - 1,
            }));
            cargo.push((partition, parcel));
        }
        let request = produce_request(acks, self.config.common.request_timeout, &cargo);
        let body = RequestKind::Produce(request);
        if acks == Acks::None {
            self.cluster.send_unanswered(to, body);
            for (partition, parcel) in cargo {
                self.lane(&partition).in_flight -= 1;
                self.acknowledged(partition, &parcel, None);
            }
        } else {
            self.cluster.send(now, to, body, cargo);
        }
    }

    fn answered(&mut self, now: Instant, cargo: Cargo, body: &ResponseKind) {
        for (partition, parcel) in cargo {
            self.lane(&partition).in_flight -= 1;
            match outcome(body, &partition) {
                Ok(base) => self.acknowledged(partition, &parcel, Some(base)),
                Err(error) if is_retriable(error) => {
                    if means_stale_metadata(error) {
                        self.cluster.metadata.doubt(now);
                    }
                    self.try_again(now, partition, parcel, error);
                }
                Err(error) => self.failed(partition, &parcel, error),
            }
        }
    }

    fn try_again(
        &mut self,
        now: Instant,
        partition: TopicPartition,
        mut parcel: Parcel,
        error: ErrorCode,
    ) {
        parcel.last_error = error;
        if parcel.expires <= now {
            return self.failed(partition, &parcel, error);
        }
        let pause = now + self.config.common.backoff(parcel.attempts);
        let lane = self.lane(&partition);
        lane.pause = Some(pause);
        lane.put_back(parcel);
    }

    fn acknowledged(
        &mut self,
        partition: TopicPartition,
        parcel: &Parcel,
        base: Option<Offset>,
    ) {
        self.pending -= parcel.records();
        self.cluster.push(Output::Fact(Fact::BatchAcked {
            partition,
            batch: parcel.batch.id(),
            count: i64::from(parcel.batch.count()),
            acks: parcel.acks,
            base,
        }));
    }

    fn failed(&mut self, partition: TopicPartition, parcel: &Parcel, error: ErrorCode) {
        self.pending -= parcel.records();
        let batch = parcel.batch.id();
        self.cluster.push(Output::Fact(Fact::BatchFailed { partition, batch, error }));
    }
}

impl Parcel {
    fn records(&self) -> usize {
        self.batch.count() as usize
    }
}

impl Lane {
    /// Several batches may come back from one broken connection: each to its own place.
    fn put_back(&mut self, parcel: Parcel) {
        let before = |waiting: &Parcel| waiting.number < parcel.number;
        let at = self.closed.partition_point(before);
        self.closed.insert(at, parcel);
    }

    fn close(&mut self, delivery_timeout: Duration) {
        if let Some(open) = self.open.take() {
            self.numbers += 1;
            self.closed.push_back(Parcel {
                number: self.numbers,
                expires: open.since + delivery_timeout,
                batch: open.builder.build(),
                acks: open.acks,
                attempts: 0,
                last_error: ErrorCode::RequestTimedOut,
            });
        }
    }

    fn close_if_due(&mut self, now: Instant, linger: Duration, timeout: Duration) {
        if self.open.as_ref().is_some_and(|open| open.since + linger <= now) {
            self.close(timeout);
        }
    }

    /// What the next batch asks for, if it may leave now.
    fn next_acks(&self, now: Instant) -> Option<Acks> {
        let next = self.closed.front()?;
        let paused = self.pause.is_some_and(|pause| pause > now);
        let retry_waits_for_order = next.attempts > 0 && self.in_flight > 0;
        (!paused && !retry_waits_for_order).then_some(next.acks)
    }

    /// When something here changes by itself.
    fn deadline(&self, linger: Duration) -> Option<Instant> {
        let open = self.open.as_ref().map(|open| open.since + linger);
        let expiry = self.closed.front().map(|parcel| parcel.expires);
        let pause = if self.closed.is_empty() { None } else { self.pause };
        [open, expiry, pause].into_iter().flatten().min()
    }
}

fn produce_request(acks: Acks, timeout: Duration, cargo: &Cargo) -> ProduceRequest {
    let mut request = ProduceRequest::default();
    request.acks = match acks {
        Acks::None => 0,
        Acks::Leader => 1,
        Acks::All => -1,
    };
    request.timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    for (partition, parcel) in cargo {
        let name = topic_name(&partition.topic);
        if request.topic_data.last().is_none_or(|topic| topic.name != name) {
            let mut topic = TopicProduceData::default();
            topic.name = name;
            request.topic_data.push(topic);
        }
        let mut data = PartitionProduceData::default();
        data.index = partition.partition;
        data.records = Some(parcel.batch.bytes().clone());
        if let Some(topic) = request.topic_data.last_mut() {
            topic.partition_data.push(data);
        }
    }
    request
}

/// What the leader said about one partition.
fn outcome(body: &ResponseKind, partition: &TopicPartition) -> Result<Offset, ErrorCode> {
    let ResponseKind::Produce(response) = body else {
        return Err(ErrorCode::UnknownServerError);
    };
    let topics = response.responses.iter();
    let mut told = topics
        .filter(|topic| topic.name.0.as_str() == &*partition.topic)
        .flat_map(|topic| &topic.partition_responses)
        .filter(|told| told.index == partition.partition);
    let told = told.next().ok_or(ErrorCode::UnknownServerError)?;
    match error_of(told.error_code) {
        None => Ok(Offset(told.base_offset)),
        Some(error) => Err(error),
    }
}

impl Machine for Producer {
    fn handle(&mut self, now: Instant, input: Input) {
        self.cluster.handle(now, input);
        self.drive(now);
    }

    fn tick(&mut self, now: Instant) {
        self.cluster.tick(now);
        for lane in self.lanes.values_mut() {
            lane.pause = lane.pause.filter(|pause| *pause > now);
        }
        self.drive(now);
    }

    fn poll(&mut self) -> Option<Output> {
        self.cluster.poll()
    }

    fn deadline(&self) -> Option<Instant> {
        let lanes = self.lanes.values();
        let lanes = lanes.filter_map(|lane| lane.deadline(self.config.linger)).min();
        let homeless = self.homeless.front();
        let homeless = homeless.map(|(since, _)| *since + self.config.delivery_timeout);
        [lanes, homeless, self.cluster.deadline()].into_iter().flatten().min()
    }
}
