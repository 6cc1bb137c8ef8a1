//! The accumulator: records wait here in batches, one queue per partition (PRD-2).
//!
//! A batch takes records until it is full or leaves. What a batch may take is reserved in
//! `buffer.memory` when it is opened, and given back with its verdict. Batches have the number
//! of their first record, so that whatever comes back finds its place again.

use std::collections::{BTreeMap, VecDeque};

use topomotion_log::{
    Attributes, Batch, BatchBuilder, Compression, ProducerStamp, RecordRef,
};
use topomotion_wire::{
    Acks, BatchCause, BatchId, Duration, ErrorCode, Instant, LeaderEpoch, TopicPartition,
};

use super::ProducerRecord;
use crate::ProducerConfig;

/// A closed batch on its way to a verdict.
#[derive(Debug, Clone)]
pub(super) struct Parcel {
    /// That of its first record.
    pub number: u64,
    pub batch: Batch,
    /// What it was sent with last, where batches are numbered (PRD-3).
    pub stamp: Option<ProducerStamp>,
    pub acks: Acks,
    /// Tries so far.
    pub attempts: u32,
    pub created: Instant,
    /// Not sent again before.
    pub pause: Instant,
    /// What was believed of the leader when it was sent last.
    pub sent_to: LeaderEpoch,
    /// The last error, for the verdict.
    pub last_error: ErrorCode,
    /// Bytes of `buffer.memory` that it holds.
    reserved: usize,
    pub cause: BatchCause,
}

/// A batch that still takes records.
#[derive(Debug, Clone)]
struct Open {
    number: u64,
    builder: BatchBuilder,
    acks: Acks,
    created: Instant,
    reserved: usize,
}

/// What is remembered of a batch while its request is under way.
#[derive(Debug, Clone, Copy)]
struct Flight {
    expires: Instant,
    batch: BatchId,
    records: usize,
    reserved: usize,
}

/// What waits for one partition.
#[derive(Debug, Clone, Default)]
pub(super) struct Lane {
    open: Option<Open>,
    /// In the order of their numbers.
    closed: VecDeque<Parcel>,
    /// By number; gone once there is a verdict, even if an answer may still come.
    flights: BTreeMap<u64, Flight>,
    /// Requests under way with a batch of this partition, verdict or not.
    in_flight: usize,
}

/// A batch that ran out of time.
#[derive(Debug)]
pub(super) struct Expired {
    pub partition: TopicPartition,
    pub number: u64,
    pub batch: BatchId,
    pub records: usize,
    pub error: ErrorCode,
}

/// Which batches are given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    /// Those that have never left, and so have no numbers.
    Unnumbered,
    /// All of them, also those that are under way.
    Everything,
}

/// Why everything that waits may leave at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Urgency {
    None,
    /// The application flushes or closes.
    Flush,
    /// Somebody waits for memory.
    Memory,
}

/// What became of a record that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Added {
    /// It is in a batch, which grew by so many bytes.
    InBatch { bytes: usize, opened: bool },
    /// There is no memory for a new batch.
    NoMemory,
}

/// All queues of one producer.
#[derive(Debug, Clone)]
pub(super) struct Accumulator {
    lanes: BTreeMap<TopicPartition, Lane>,
    compression: Compression,
    batch_size: usize,
    linger: Duration,
    delivery_timeout: Duration,
    buffer_memory: usize,
    reserved: usize,
}

impl Accumulator {
    pub fn new(config: &ProducerConfig) -> Accumulator {
        Accumulator {
            lanes: BTreeMap::new(),
            compression: config.compression,
            batch_size: config.batch_size,
            linger: config.linger,
            delivery_timeout: config.delivery_timeout,
            buffer_memory: config.buffer_memory,
            reserved: 0,
        }
    }

    /// Bytes of `buffer.memory` that are taken.
    pub fn reserved(&self) -> usize {
        self.reserved
    }

    pub fn lanes(&self) -> impl Iterator<Item = (&TopicPartition, &Lane)> {
        self.lanes.iter()
    }

    pub fn lane(&mut self, partition: &TopicPartition) -> &mut Lane {
        if !self.lanes.contains_key(partition) {
            self.lanes.insert(partition.clone(), Lane::default());
        }
        self.lanes.get_mut(partition).expect("it was just put there")
    }

    /// Batches that wait for a partition.
    pub fn queue(&self, partition: &TopicPartition) -> usize {
        self.lanes.get(partition).map_or(0, Lane::queue)
    }

    /// Adds a record to the partition's open batch, or to a new one.
    pub fn add(
        &mut self,
        now: Instant,
        partition: &TopicPartition,
        acks: Acks,
        record: &RecordRef<'_>,
        number: u64,
    ) -> Added {
        let batch_size = self.batch_size;
        let lane = self.lane(partition);
        if let Some(open) = &mut lane.open {
            let length = open.builder.len_bytes();
            // Records that ask for different acknowledgements cannot share a request.
            if open.acks == acks && open.builder.len_with(record) <= batch_size {
                open.builder.push(record);
                let bytes = open.builder.len_bytes() - length;
                return Added::InBatch { bytes, opened: false };
            }
        }
        let mut builder = BatchBuilder::new().with_compression(self.compression);
        let wanted = builder.len_with(record).max(batch_size).min(self.buffer_memory);
        if self.reserved + wanted > self.buffer_memory {
            return Added::NoMemory;
        }
        self.reserved += wanted;
        let lane = self.lane(partition);
        lane.close(BatchCause::Full);
        builder.push(record);
        let bytes = builder.len_bytes();
        let reserved = wanted;
        lane.open = Some(Open { number, builder, acks, created: now, reserved });
        Added::InBatch { bytes, opened: true }
    }

    /// Whether a record would need a new batch.
    pub fn opens_batch(
        &self,
        partition: &TopicPartition,
        acks: Acks,
        record: &RecordRef<'_>,
    ) -> bool {
        let open = self.lanes.get(partition).and_then(|lane| lane.open.as_ref());
        open.is_none_or(|open| {
            open.acks != acks || open.builder.len_with(record) > self.batch_size
        })
    }

    /// Whether no more fits into the last batch of a partition.
    pub fn last_is_full(&self, partition: &TopicPartition) -> bool {
        let open = self.lanes.get(partition).and_then(|lane| lane.open.as_ref());
        open.is_none_or(|open| open.builder.len_bytes() >= self.batch_size)
    }

    /// Gives up what has waited too long, sent or not.
    pub fn expire(&mut self, now: Instant) -> Vec<Expired> {
        let mut expired = Vec::new();
        for (partition, lane) in &mut self.lanes {
            let timeout = self.delivery_timeout;
            if lane.open.as_ref().is_some_and(|open| open.created + timeout <= now) {
                lane.close(BatchCause::Linger);
            }
            let mut given_up = |number, batch, records, error, reserved| {
                self.reserved -= reserved;
                let partition = partition.clone();
                expired.push(Expired { partition, number, batch, records, error });
            };
            while let Some(first) = lane.flights.first_entry()
                && first.get().expires <= now
            {
                let (number, flight) = first.remove_entry();
                let error = ErrorCode::RequestTimedOut;
                given_up(number, flight.batch, flight.records, error, flight.reserved);
            }
            while let Some(front) = lane.closed.front()
                && front.created + timeout <= now
                && let Some(parcel) = lane.closed.pop_front()
            {
                let (batch, records) = (parcel.batch.id(), parcel.records());
                let number = parcel.number;
                given_up(number, batch, records, parcel.last_error, parcel.reserved);
            }
        }
        expired
    }

    /// Gives batches up before their time.
    pub fn give_up(
        &mut self,
        which: Given,
        is_numbered: impl Fn(&TopicPartition, u64) -> bool,
    ) -> Vec<Expired> {
        let mut gone = Vec::new();
        for (partition, lane) in &mut self.lanes {
            lane.close(BatchCause::Flush);
            let (kept, given_up) =
                std::mem::take(&mut lane.closed).into_iter().partition(|it| {
                    which == Given::Unnumbered && is_numbered(partition, it.number)
                });
            lane.closed = kept;
            let given_up: VecDeque<Parcel> = given_up;
            let waiting = given_up
                .iter()
                .map(|it| (it.number, it.batch.id(), it.records(), it.reserved));
            let flights = match which {
                Given::Unnumbered => BTreeMap::new(),
                Given::Everything => std::mem::take(&mut lane.flights),
            };
            let flying = flights
                .iter()
                .map(|(number, it)| (*number, it.batch, it.records, it.reserved));
            for (number, batch, records, reserved) in flying.chain(waiting) {
                self.reserved -= reserved;
                let (partition, error) = (partition.clone(), ErrorCode::RequestTimedOut);
                gone.push(Expired { partition, number, batch, records, error });
            }
        }
        gone
    }

    /// Stamps the next batch of a partition, which is closed and about to leave.
    pub fn stamp(
        &mut self,
        partition: &TopicPartition,
        flags: Attributes,
        stamp: impl FnOnce(&Parcel) -> ProducerStamp,
    ) {
        let next = self.lanes.get_mut(partition).and_then(|it| it.closed.front_mut());
        let Some(next) = next else { return };
        let stamp = stamp(next);
        if next.stamp != Some(stamp) {
            next.batch = next.batch.clone().stamped(stamp, flags);
            next.stamp = Some(stamp);
        }
    }

    /// The next batch of a partition leaves with a request.
    pub fn depart(&mut self, partition: &TopicPartition) -> Option<Parcel> {
        let timeout = self.delivery_timeout;
        let lane = self.lanes.get_mut(partition)?;
        let mut parcel = lane.closed.pop_front()?;
        parcel.attempts += 1;
        lane.in_flight += 1;
        let flight = Flight {
            expires: parcel.created + timeout,
            batch: parcel.batch.id(),
            records: parcel.records(),
            reserved: parcel.reserved,
        };
        lane.flights.insert(parcel.number, flight);
        Some(parcel)
    }

    /// A request with this batch is no longer under way. Tells whether a verdict is still
    /// wanted.
    pub fn arrived(&mut self, partition: &TopicPartition, parcel: &Parcel) -> bool {
        let lane = self.lane(partition);
        assert!(lane.in_flight > 0, "what arrives has departed");
        lane.in_flight -= 1;
        lane.flights.remove(&parcel.number).is_some()
    }

    /// A batch that has a verdict gives its memory back.
    pub fn release(&mut self, parcel: &Parcel) {
        assert!(self.reserved >= parcel.reserved, "memory is given back once");
        self.reserved -= parcel.reserved;
    }

    /// Cuts a batch that was too large for the broker, at least in two. Its parts take its
    /// place, and its memory. Tells their numbers and how many records each has.
    pub fn split(
        &mut self,
        now: Instant,
        partition: &TopicPartition,
        parcel: &Parcel,
    ) -> Vec<(u64, i32)> {
        let length = parcel.batch.len_bytes();
        let target = if length > self.batch_size { self.batch_size } else { length / 2 };
        let mut parts = cut(parcel, target);
        let mut left = parcel.reserved;
        for part in &mut parts {
            part.reserved = part.batch.len_bytes().min(left);
            left -= part.reserved;
            part.pause = now;
        }
        if let Some(first) = parts.first_mut() {
            first.reserved += left;
        }
        let told = parts.iter().map(|part| (part.number, part.batch.count())).collect();
        let lane = self.lane(partition);
        for part in parts {
            lane.put_back(part);
        }
        told
    }

    /// Whether a batch or its verdict is still missing that has a record before `number`.
    pub fn holds_before(&self, number: u64) -> bool {
        let mut lanes = self.lanes.values();
        lanes.any(|lane| lane.first_number().is_some_and(|first| first < number))
    }

    /// When something here changes by itself.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let lanes = self.lanes.values();
        lanes
            .filter_map(|lane| lane.deadline(now, self.linger, self.delivery_timeout))
            .min()
    }
}

/// The records of a batch in smaller batches of this size or of one record.
fn cut(parcel: &Parcel, target: usize) -> Vec<Parcel> {
    let records = parcel.batch.records().into_iter().flatten().flatten();
    let codec = parcel.batch.attributes().compression().unwrap_or(Compression::None);
    let mut parts: Vec<(u64, BatchBuilder)> = Vec::new();
    for (number, record) in (parcel.number..).zip(records) {
        let names = record.headers.iter().map(|header| {
            (
                std::str::from_utf8(&header.key).unwrap_or_default(),
                header.value.as_deref(),
            )
        });
        let headers: Vec<(&str, Option<&[u8]>)> = names.collect();
        let record = RecordRef {
            timestamp: record.timestamp,
            key: record.key.as_deref(),
            value: record.value.as_deref(),
            headers: &headers,
        };
        match parts.last_mut() {
            Some((_, part)) if part.len_with(&record) <= target => part.push(&record),
            _ => {
                let mut part = BatchBuilder::new().with_compression(codec);
                part.push(&record);
                parts.push((number, part));
            }
        }
    }
    let part = |(number, part): (u64, BatchBuilder)| Parcel {
        number,
        batch: part.build(),
        stamp: None,
        ..parcel.clone()
    };
    parts.into_iter().map(part).collect()
}

impl Parcel {
    pub fn records(&self) -> usize {
        self.batch.count() as usize
    }
}

impl Lane {
    /// Batches that wait.
    fn queue(&self) -> usize {
        self.closed.len() + usize::from(self.open.is_some())
    }

    /// Several batches may come back from one broken connection: each to its own place.
    pub fn put_back(&mut self, parcel: Parcel) {
        let before = |waiting: &Parcel| waiting.number < parcel.number;
        let at = self.closed.partition_point(before);
        self.closed.insert(at, parcel);
    }

    /// A batch takes the place, and so the numbers, of one that waits to be sent again: a
    /// mistake that is made on purpose only.
    pub fn change_places(&mut self, parcel: &mut Parcel) {
        let is_like = |it: &&mut Parcel| {
            it.attempts > 0 && it.stamp.is_some() && it.records() == parcel.records()
        };
        if let Some(other) = self.closed.iter_mut().find(is_like) {
            std::mem::swap(&mut other.number, &mut parcel.number);
            let earlier = std::mem::replace(other, parcel.clone());
            *parcel = earlier;
        }
    }

    /// The open batch takes no more records.
    pub fn close(&mut self, cause: BatchCause) {
        if let Some(open) = self.open.take() {
            self.closed.push_back(Parcel {
                number: open.number,
                batch: open.builder.build(),
                stamp: None,
                acks: open.acks,
                attempts: 0,
                created: open.created,
                pause: open.created,
                sent_to: LeaderEpoch(-1),
                last_error: ErrorCode::RequestTimedOut,
                reserved: open.reserved,
                cause,
            });
        }
    }

    /// The next batch is about to leave: nothing more comes into it.
    pub fn close_next(&mut self, cause: BatchCause) {
        if self.closed.is_empty() {
            self.close(cause);
        }
    }

    /// Why the next batch may leave, if it may.
    pub fn readiness(
        &self,
        now: Instant,
        config: &ProducerConfig,
        urgency: Urgency,
    ) -> Option<BatchCause> {
        if let Some(parcel) = self.closed.front() {
            return Some(parcel.cause);
        }
        let open = self.open.as_ref()?;
        match urgency {
            _ if open.builder.len_bytes() >= config.batch_size => Some(BatchCause::Full),
            _ if open.created + config.linger <= now => Some(BatchCause::Linger),
            Urgency::Flush => Some(BatchCause::Flush),
            Urgency::Memory => Some(BatchCause::Memory),
            Urgency::None => None,
        }
    }

    /// The number of the next batch.
    pub fn next_number(&self) -> Option<u64> {
        let open = || self.open.as_ref().map(|open| open.number);
        self.closed.front().map(|parcel| parcel.number).or_else(open)
    }

    /// What the next batch asks for.
    pub fn next_acks(&self) -> Option<Acks> {
        let open = || self.open.as_ref().map(|open| open.acks);
        self.closed.front().map(|parcel| parcel.acks).or_else(open)
    }

    /// Whether the next batch must wait: for its pause, or for those before it.
    pub fn is_held(
        &self,
        now: Instant,
        epoch: LeaderEpoch,
        muted: Muting,
        order: Order,
    ) -> bool {
        if muted == Muting::WhileInFlight && self.in_flight > 0 {
            return true;
        }
        let Some(next) = self.closed.front() else { return false };
        // A new leader is worth trying at once (KIP-951).
        let pauses = next.pause > now && epoch <= next.sent_to;
        // A retry is not overtaken, and overtakes nothing itself.
        let waits = order == Order::ByWaiting && self.in_flight > 0;
        next.attempts > 0 && (pauses || waits)
    }

    /// Bytes of the next batch, as far as it has grown.
    pub fn next_len(&self) -> Option<usize> {
        let open = || self.open.as_ref().map(|open| open.builder.len_bytes());
        self.closed.front().map(|parcel| parcel.batch.len_bytes()).or_else(open)
    }

    fn first_number(&self) -> Option<u64> {
        let flying = self.flights.keys().next().copied();
        let closed = self.closed.front().map(|parcel| parcel.number);
        let open = self.open.as_ref().map(|open| open.number);
        [flying, closed, open].into_iter().flatten().min()
    }

    fn deadline(
        &self,
        now: Instant,
        linger: Duration,
        timeout: Duration,
    ) -> Option<Instant> {
        let since = self.open.as_ref().map(|open| open.created);
        // A batch that could leave but has nowhere to go waits for a connection.
        let lingers = since.map(|since| since + linger).filter(|due| *due > now);
        let oldest = self.closed.front().map(|parcel| parcel.created).or(since);
        let expiry = oldest.map(|created| created + timeout);
        let flying = self.flights.values().next().map(|flight| flight.expires);
        let pause = self.closed.front().map(|parcel| parcel.pause);
        let pause = pause.filter(|pause| *pause > now);
        [lingers, expiry, flying, pause].into_iter().flatten().min()
    }
}

/// Whether a partition waits for the answer to its last batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Muting {
    /// Several batches of one partition may be under way.
    Never,
    /// `max.in.flight.requests.per.connection=1`: order is kept.
    WhileInFlight,
}

/// What keeps a partition's batches in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Their sequence numbers (PRD-6).
    ByNumber,
    /// A batch that is sent again waits until the partition has nothing under way.
    ByWaiting,
}

/// A record's headers as a batch takes them.
pub(super) fn headers_of(record: &ProducerRecord) -> Vec<(&str, Option<&[u8]>)> {
    record.headers.iter().map(|(name, value)| (&**name, Some(&**value))).collect()
}

/// A record as a batch takes it.
pub(super) fn as_written<'a>(
    record: &'a ProducerRecord,
    headers: &'a [(&'a str, Option<&'a [u8]>)],
    timestamp: i64,
) -> RecordRef<'a> {
    RecordRef {
        timestamp,
        key: record.key.as_deref(),
        value: record.value.as_deref(),
        headers,
    }
}
