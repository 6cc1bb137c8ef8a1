//! A stream task: filters records, counts them by key, per window of time if wanted, and
//! keeps the counts in a store whose changes go to a topic of their own.
//!
//! ```text
//!   payments ──► filter ──► count by key ──► counts
//!                              │ store ──► changelog ──► (restored from here after a crash)
//! ```
//!
//! The store lives in memory. A task that begins reads its partition of the changelog first.
//! At least once: what was counted since the last commit is counted again. Exactly once:
//! counts, changes of the store and offsets are one transaction.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::Value;
use topomotion_client::{
    CommonConfig, Consumer, IsolationLevel, Producer, ProducerRecord, ProducerState,
};
use topomotion_wire::{
    ActorDeed, AppDeed, Duration, Fact, Input, Instant, Machine, Offset, Output,
    TopicPartition,
};

use crate::loader::Loader;
use crate::reader::{Read, Reader};
use crate::switchboard::{Slot, addressed};

/// What a stream task does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamConfig {
    /// Records whose number in this field is below the limit are left out.
    pub at_least: Option<(Arc<str>, i64)>,
    /// `commit.interval.ms`.
    pub commit_interval: Duration,
    /// The length of the tumbling windows; without, everything is counted together.
    pub window: Option<Duration>,
    /// Where the counts go.
    pub output: Arc<str>,
    /// Only counts that are at least so high go there; without, all do.
    pub having: Option<u64>,
    /// Where changes of the store go.
    pub changelog: Arc<str>,
    /// `processing.guarantee`.
    pub guarantee: Guarantee,
}

/// `processing.guarantee`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Guarantee {
    /// `at_least_once`
    #[default]
    AtLeastOnce,
    /// `exactly_once_v2`
    ExactlyOnce,
}

/// A partition's part of the work.
#[derive(Debug, Default)]
struct Task {
    /// Restored: it may work.
    is_ready: bool,
    queue: VecDeque<Read>,
    /// Counts by the store's keys.
    store: BTreeMap<String, u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Nothing is uncommitted.
    Idle,
    /// Something is; the commit is due then.
    Working(Instant),
    /// What was written is to be acknowledged, or the transaction committed.
    Committing,
    /// The transaction is being aborted.
    Aborting,
    /// A newer instance has taken over.
    Over,
}

const CONSUMER: Slot = Slot(0);
const PRODUCER: Slot = Slot(1);
const LOADER: Slot = Slot(3);

/// Counts.
#[derive(Debug)]
pub struct StreamTask {
    config: StreamConfig,
    common: CommonConfig,
    reader: Reader,
    producer: Producer,
    tasks: BTreeMap<TopicPartition, Task>,
    /// The partition whose store is being restored.
    restoring: Option<(TopicPartition, Loader)>,
    phase: Phase,
    /// Where each partition was when the last commit counted, and where it goes on.
    first: BTreeMap<TopicPartition, Offset>,
    next: BTreeMap<TopicPartition, Offset>,
    outputs: VecDeque<Output>,
}

impl StreamTask {
    /// A task with these clients; the consumer must not commit by itself. `common` is for the
    /// client that restores.
    pub fn new(
        config: StreamConfig,
        common: CommonConfig,
        (consumer, producer): (Consumer, Producer),
    ) -> StreamTask {
        StreamTask {
            config,
            common,
            reader: Reader::new(consumer),
            producer,
            tasks: BTreeMap::new(),
            restoring: None,
            phase: Phase::Idle,
            first: BTreeMap::new(),
            next: BTreeMap::new(),
            outputs: VecDeque::new(),
        }
    }

    /// The count of a key, of its latest window.
    pub fn count(&self, key: &str) -> u64 {
        let stores = self.tasks.values().map(|task| &task.store);
        let of_key = |name: &str| name.split('@').next() == Some(key);
        let found =
            stores.filter_map(|store| store.iter().rfind(|(name, _)| of_key(name)));
        found.map(|(_, count)| *count).max().unwrap_or(0)
    }

    /// The consumer inside.
    pub fn consumer(&self) -> &Consumer {
        &self.reader.consumer
    }

    /// The consumer inside, for commands.
    pub fn consumer_mut(&mut self) -> &mut Consumer {
        &mut self.reader.consumer
    }

    /// The producer inside.
    pub fn producer(&self) -> &Producer {
        &self.producer
    }

    /// The producer inside, for commands.
    pub fn producer_mut(&mut self) -> &mut Producer {
        &mut self.producer
    }

    fn tell(&mut self, deed: AppDeed) {
        let deed = ActorDeed::App(deed);
        self.outputs.push_back(Output::Fact(Fact::Actor { deed }));
    }

    fn is_transactional(&self) -> bool {
        self.config.guarantee == Guarantee::ExactlyOnce
    }

    fn drive(&mut self, now: Instant) {
        self.drain();
        self.take_records();
        self.restore(now);
        while self.advance(now) {}
        self.drain();
    }

    fn drain(&mut self) {
        self.reader.settle();
        CONSUMER.drain(&mut self.reader, &mut self.outputs);
        PRODUCER.drain(&mut self.producer, &mut self.outputs);
        if let Some((_, loader)) = &mut self.restoring {
            LOADER.drain(loader, &mut self.outputs);
        }
    }

    fn take_records(&mut self) {
        let owned = self.reader.consumer.owned();
        // What another instance has now, it counts; it restores the store for itself.
        self.tasks.retain(|partition, _| owned.contains(partition));
        self.next.retain(|partition, _| owned.contains(partition));
        self.first.retain(|partition, _| owned.contains(partition));
        for partition in owned {
            self.tasks.entry(partition).or_default();
        }
        while let Some(read) = self.reader.take() {
            if let Some(task) = self.tasks.get_mut(&read.partition) {
                task.queue.push_back(read);
            }
        }
    }

    /// Reads the changelog of one partition after the other.
    fn restore(&mut self, now: Instant) {
        if let Some((partition, loader)) = &mut self.restoring {
            let reads = loader.take(now);
            let is_done = loader.is_done();
            let partition = partition.clone();
            let task = self.tasks.get_mut(&partition).filter(|task| !task.is_ready);
            if let Some(task) = task {
                for read in reads {
                    let (Some(key), Some(count)) = (text(&read.key), text(&read.value))
                    else {
                        continue;
                    };
                    if let Ok(count) = count.parse() {
                        task.store.insert(key, count);
                    }
                }
                if is_done {
                    task.is_ready = true;
                    let keys = task.store.len();
                    self.tell(AppDeed::Restored { partition, keys });
                }
            }
            if is_done && let Some((_, mut loader)) = self.restoring.take() {
                LOADER.drain(&mut loader, &mut self.outputs);
            }
        }
        // The transaction of a crashed predecessor has ended once this producer is ready.
        let waits = self.is_transactional() && self.producer.state().is_busy();
        let unready = self.tasks.iter().find(|(_, task)| !task.is_ready);
        if let (None, Some((partition, _)), false) = (&self.restoring, unready, waits) {
            let level = match self.config.guarantee {
                Guarantee::AtLeastOnce => IsolationLevel::ReadUncommitted,
                Guarantee::ExactlyOnce => IsolationLevel::ReadCommitted,
            };
            let at =
                TopicPartition::new(self.config.changelog.clone(), partition.partition);
            let name = format!("{}-restore", self.common.client_id);
            let common = CommonConfig { client_id: name.into(), ..self.common.clone() };
            let loader = Loader::start(now, at, common, level);
            self.restoring = Some((partition.clone(), loader));
        }
    }

    /// Goes on; whether it has got anywhere.
    fn advance(&mut self, now: Instant) -> bool {
        match self.phase {
            Phase::Idle | Phase::Working(_) => {
                let worked = self.work(now);
                let Phase::Working(due) = self.phase else { return worked };
                if due > now {
                    return worked;
                }
                self.begin_commit(now);
                true
            }
            Phase::Committing if self.is_transactional() => self.end_transaction(now),
            Phase::Committing => {
                if self.producer.pending() > 0 {
                    return false;
                }
                self.reader.consumer.commit_offsets(now, std::mem::take(&mut self.next));
                self.first.clear();
                self.phase = Phase::Idle;
                true
            }
            Phase::Aborting => {
                let is_over = self.producer.state() == ProducerState::Ready;
                if is_over {
                    self.begin_anew(now);
                }
                is_over
            }
            Phase::Over => false,
        }
    }

    /// Counts everything that waits.
    fn work(&mut self, now: Instant) -> bool {
        let waits = |task: &&Task| task.is_ready && !task.queue.is_empty();
        if !self.tasks.values().any(|task| waits(&task)) {
            return false;
        }
        if self.phase == Phase::Idle {
            if self.is_transactional() && self.producer.begin_transaction(now).is_err() {
                if let ProducerState::FatalError(_) = self.producer.state() {
                    self.phase = Phase::Over;
                }
                return false;
            }
            self.phase = Phase::Working(now + self.config.commit_interval);
        }
        let partitions: Vec<TopicPartition> = self.tasks.keys().cloned().collect();
        for partition in partitions {
            while let Some(task) = self.tasks.get_mut(&partition).filter(|it| it.is_ready)
                && let Some(read) = task.queue.pop_front()
            {
                self.first.entry(partition.clone()).or_insert(read.offset);
                self.next.insert(partition.clone(), Offset(read.offset.0 + 1));
                self.count_record(now, &read);
            }
        }
        true
    }

    fn count_record(&mut self, now: Instant, read: &Read) {
        let Some(key) = text(&read.key) else { return };
        if !passes(self.config.at_least.as_ref(), read) {
            return self.tell(AppDeed::Filtered { offset: read.offset });
        }
        let length = self.config.window.map(Duration::as_millis).filter(|ms| *ms > 0);
        let name = match length {
            None => key,
            Some(ms) => {
                let ms = i64::try_from(ms).unwrap_or(i64::MAX);
                format!("{key}@{}", read.timestamp / ms * ms)
            }
        };
        let Some(task) = self.tasks.get_mut(&read.partition) else { return };
        let count = task.store.entry(name.clone()).or_default();
        *count += 1;
        let count = *count;
        let passes = self.config.having.is_none_or(|least| count >= least);
        let output = passes.then_some(&self.config.output);
        for topic in std::iter::once(&self.config.changelog).chain(output) {
            let record = ProducerRecord {
                topic: topic.clone(),
                partition: Some(read.partition.partition),
                key: Some(Bytes::from(name.clone().into_bytes())),
                value: Some(Bytes::from(count.to_string().into_bytes())),
                headers: Vec::new(),
                acks: None,
            };
            self.producer.send(now, record);
        }
        self.tell(AppDeed::Counted { offset: read.offset, key: name.into(), count });
    }

    fn begin_commit(&mut self, now: Instant) {
        self.phase = Phase::Committing;
        if self.is_transactional() {
            // Where these calls are refused, the state says so and the transaction is aborted.
            if let Some(group) = self.reader.consumer.group_metadata() {
                let offsets = self.next.clone();
                let _ = self.producer.send_offsets_to_transaction(now, offsets, group);
            }
            let _ = self.producer.commit_transaction(now);
        }
    }

    fn end_transaction(&mut self, now: Instant) -> bool {
        match self.producer.state() {
            ProducerState::Ready => {
                (self.next, self.first) = (BTreeMap::new(), BTreeMap::new());
                self.phase = Phase::Idle;
                true
            }
            ProducerState::AbortableError(_) | ProducerState::InTransaction => {
                // It says itself what became of the call.
                let _ = self.producer.abort_transaction(now);
                self.phase = Phase::Aborting;
                true
            }
            ProducerState::FatalError(_) => {
                self.phase = Phase::Over;
                false
            }
            ProducerState::Uninitialized
            | ProducerState::Initializing
            | ProducerState::Committing
            | ProducerState::Aborting => false,
        }
    }

    /// What did not count is read again, into stores that are restored.
    fn begin_anew(&mut self, now: Instant) {
        for (partition, first) in std::mem::take(&mut self.first) {
            self.reader.consumer.seek(now, &partition, first);
            self.tasks.insert(partition, Task::default());
        }
        self.next.clear();
        self.phase = Phase::Idle;
    }
}

fn text(bytes: &Option<Bytes>) -> Option<String> {
    bytes.as_deref().map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// Whether the number in a field is large enough; a record without it is left out.
fn passes(at_least: Option<&(Arc<str>, i64)>, read: &Read) -> bool {
    let Some((field, limit)) = at_least else { return true };
    let value: Option<Value> =
        serde_json::from_slice(read.value.as_deref().unwrap_or_default()).ok();
    let number = value.as_ref().and_then(|value| value.get(&**field)?.as_i64());
    number.is_some_and(|number| number >= *limit)
}

impl Machine for StreamTask {
    fn handle(&mut self, now: Instant, input: Input) {
        match addressed(input) {
            (Some(PRODUCER), input) => self.producer.handle(now, input),
            (Some(LOADER), input) => {
                if let Some((_, loader)) = &mut self.restoring {
                    loader.handle(now, input);
                }
            }
            (_, input) => self.reader.handle(now, input),
        }
        self.drive(now);
    }

    fn tick(&mut self, now: Instant) {
        self.reader.tick(now);
        self.producer.tick(now);
        if let Some((_, loader)) = &mut self.restoring {
            loader.tick(now);
        }
        self.drive(now);
    }

    fn poll(&mut self) -> Option<Output> {
        self.drain();
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        let commit = match self.phase {
            Phase::Working(due) => Some(due),
            Phase::Idle | Phase::Committing | Phase::Aborting | Phase::Over => None,
        };
        let loader = self.restoring.as_ref().and_then(|(_, loader)| loader.deadline());
        let own = [self.reader.deadline(), self.producer.deadline(), commit, loader];
        own.into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Read {
        Read {
            partition: TopicPartition::new("payments", 0),
            offset: Offset(0),
            timestamp: 0,
            key: None,
            value: Some(Bytes::copy_from_slice(value.as_bytes())),
            headers: Vec::new(),
        }
    }

    #[test]
    fn only_records_with_a_number_that_is_large_enough_pass() {
        let limit = ("amount".into(), 10);
        assert!(passes(Some(&limit), &read(r#"{"amount":10}"#)));
        assert!(!passes(Some(&limit), &read(r#"{"amount":9}"#)));
        assert!(!passes(Some(&limit), &read("nonsense")));
        assert!(passes(None, &read("nonsense")));
    }
}
