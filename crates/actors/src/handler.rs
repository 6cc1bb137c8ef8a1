//! A consuming application whose work on a record may fail: it tries again, and gives up in
//! one of three ways.
//!
//! ```text
//!   orders ──► work ──fails──► again after a pause, in place: the partition waits
//!                 │                  or: to the retry topic, and on with the next
//!                 └──fails for good──► orders.dlq, with where it came from and why
//!                                      or, without one: it tries for ever
//! ```
//!
//! A record counts as done, and its offset is committed, once the work succeeded (and what
//! came of it is safe in the next topic, if there is one) or the record is safe in another
//! topic. Partitions wait each for itself.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use topomotion_client::{CommonConfig, Consumer, Producer, ProducerRecord};
use topomotion_wire::{
    ActorDeed, AppDeed, Duration, Fact, Input, Instant, Machine, Offset, Output,
    TopicPartition,
};

use crate::reader::{Read, Reader};
use crate::switchboard::{Slot, addressed};

mod replay;

use replay::Replay;

/// What a handler does when its work fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HandlerConfig {
    /// The work fails on every record whose value contains this; on none without.
    pub fails_on: Option<Arc<str>>,
    /// How many times it tries again.
    pub retries: u32,
    /// The pause before the first of these; each later one is twice as long.
    pub backoff: Duration,
    /// Where a record waits for its next try; without, it waits where it is.
    pub retry_topic: Option<Arc<str>>,
    /// Where a record goes that has failed for good; without, it is tried for ever.
    pub dead_letters: Option<Arc<str>>,
    /// Where a record goes that was worked on, its headers with it.
    pub output: Option<Arc<str>>,
}

impl Default for HandlerConfig {
    fn default() -> HandlerConfig {
        HandlerConfig {
            fails_on: None,
            retries: 3,
            backoff: Duration::from_millis(500),
            retry_topic: None,
            dead_letters: None,
            output: None,
        }
    }
}

const CONSUMER: Slot = Slot(0);
const PRODUCER: Slot = Slot(1);
const REPLAY: Slot = Slot(2);

/// Pauses grow no longer than this times the first.
const LONGEST: u32 = 16;

const ORIGINAL_TOPIC: &str = "original-topic";
const ORIGINAL_PARTITION: &str = "original-partition";
const ORIGINAL_OFFSET: &str = "original-offset";
const ERROR: &str = "error";
/// How often the work has failed before the record came into the retry topic.
const TRIES: &str = "tries";
/// Not to be tried before, in milliseconds of engine time.
const DUE: &str = "due";

/// The headers of a handler's own, which do not go on.
const OWN: [&str; 6] =
    [ORIGINAL_TOPIC, ORIGINAL_PARTITION, ORIGINAL_OFFSET, ERROR, TRIES, DUE];

/// What was read of one partition and is not done.
#[derive(Debug, Clone, Default)]
struct Lane {
    queue: VecDeque<Read>,
    /// Tries of the first in the queue.
    tries: u32,
    /// The first in the queue waits until then.
    until: Option<Instant>,
    /// Done, and not committed yet: the next offset.
    done: Option<Offset>,
}

/// A record on its way into another topic.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Write {
    /// Where it stands.
    from: TopicPartition,
    offset: Offset,
    /// Where it goes.
    to: Arc<str>,
}

/// Works on records, and copes with failures.
#[derive(Debug)]
pub struct Handler {
    config: HandlerConfig,
    common: CommonConfig,
    reader: Reader,
    producer: Producer,
    lanes: BTreeMap<TopicPartition, Lane>,
    write: Option<Write>,
    replay: Option<Replay>,
    outputs: VecDeque<Output>,
}

impl Handler {
    /// A handler with these clients; the consumer must not commit by itself. `common` is for
    /// a client of the replay tool.
    pub fn new(
        config: HandlerConfig,
        common: CommonConfig,
        (consumer, producer): (Consumer, Producer),
    ) -> Handler {
        Handler {
            config,
            common,
            reader: Reader::new(consumer),
            producer,
            lanes: BTreeMap::new(),
            write: None,
            replay: None,
            outputs: VecDeque::new(),
        }
    }

    /// From now on the work fails on these records, or on none.
    pub fn fail_on(&mut self, now: Instant, word: Option<Arc<str>>) {
        self.config.fails_on = word;
        self.drive(now);
    }

    /// Writes everything that a topic of dead letters holds to where it came from: what
    /// nobody has replayed before.
    pub fn replay(&mut self, now: Instant, topic: &Arc<str>) {
        if self.replay.is_none() {
            self.replay = Some(Replay::start(now, topic, self.common.clone()));
        }
        self.drive(now);
    }

    /// Whether a replay is under way.
    pub fn is_replaying(&self) -> bool {
        self.replay.is_some()
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

    fn drive(&mut self, now: Instant) {
        self.drain(now);
        self.take_records();
        self.go_on_replaying(now);
        let partitions: Vec<TopicPartition> = self.lanes.keys().cloned().collect();
        for partition in &partitions {
            self.work(now, partition);
        }
        self.commit(now);
        self.drain(now);
    }

    /// Takes what the clients want; what the producer tells of the write is looked at.
    fn drain(&mut self, now: Instant) {
        self.reader.settle();
        CONSUMER.drain(&mut self.reader, &mut self.outputs);
        let mut told = VecDeque::new();
        PRODUCER.drain(&mut self.producer, &mut told);
        for output in told {
            match &output {
                Output::Fact(Fact::BatchAcked { partition, .. }) => {
                    self.written(now, &partition.topic.clone(), true);
                }
                Output::Fact(Fact::BatchFailed { partition, .. }) => {
                    self.written(now, &partition.topic.clone(), false);
                }
                _ => {}
            }
            self.outputs.push_back(output);
        }
        if let Some(replay) = &mut self.replay {
            REPLAY.drain(replay.reader(), &mut self.outputs);
        }
    }

    fn take_records(&mut self) {
        while let Some(read) = self.reader.take() {
            let lane = self.lanes.entry(read.partition.clone()).or_default();
            lane.queue.push_back(read);
        }
        if self.reader.consumer.group_metadata().is_none() {
            return;
        }
        // What another member owns now, it works on.
        let owned = self.reader.consumer.owned();
        self.lanes.retain(|partition, _| owned.contains(partition));
    }

    /// Works on what one partition has, as far as it gets.
    fn work(&mut self, now: Instant, partition: &TopicPartition) {
        while let Some(lane) = self.lanes.get_mut(partition) {
            let Some(read) = lane.queue.front() else { return };
            if self.write.as_ref().is_some_and(|write| write.from == *partition) {
                return;
            }
            let due = read.header(DUE).and_then(|due| due.parse().ok());
            let due = due.map(|ms| Instant::ZERO + Duration::from_millis(ms));
            let until = lane.until.or(due.filter(|_| lane.tries == 0));
            if until.is_some_and(|until| until > now) {
                if lane.until.is_none() {
                    lane.until = until;
                    self.reader.consumer.pause([partition.clone()]);
                }
                return;
            }
            if lane.until.take().is_some() {
                self.reader.consumer.resume(now, [partition.clone()]);
            }
            self.try_first(now, partition);
        }
    }

    fn try_first(&mut self, now: Instant, partition: &TopicPartition) {
        let Some(lane) = self.lanes.get_mut(partition) else { return };
        let Some(read) = lane.queue.front() else { return };
        let before = read.header(TRIES).and_then(|it| it.parse().ok()).unwrap_or(0);
        let offset = read.offset;
        if !fails(self.config.fails_on.as_deref(), read) {
            if let Some(output) = self.config.output.clone() {
                return self.pass_on(now, partition, &output);
            }
            let tries = before + lane.tries + 1;
            self.done(partition);
            if tries > 1 {
                let partition = partition.clone();
                self.tell(AppDeed::Recovered { partition, offset, tries });
            }
            return;
        }
        lane.tries += 1;
        let tries = before + lane.tries;
        let retries = self.config.retries;
        let is_last = tries > retries;
        let stays = match (is_last, &self.config.retry_topic, &self.config.dead_letters) {
            (false, Some(_), _) | (true, _, Some(_)) => false,
            (false, None, _) | (true, _, None) => true,
        };
        let pause = self.config.backoff.as_millis() * u64::from(factor(tries));
        let pause = Duration::from_millis(pause);
        let again_ms = (stays || !is_last).then(|| pause.as_millis());
        let failed =
            AppDeed::Failed { partition: partition.clone(), offset, tries, again_ms };
        if stays {
            lane.until = Some(now + pause);
            self.reader.consumer.pause([partition.clone()]);
        }
        self.tell(failed);
        if stays && tries == retries + 1 {
            self.tell(AppDeed::Blocked { partition: partition.clone(), offset });
        }
        if !stays {
            let to = if is_last {
                &self.config.dead_letters
            } else {
                &self.config.retry_topic
            };
            let Some(to) = to.clone() else { return };
            self.put_aside(now, partition, &to, (!is_last).then(|| now + pause), tries);
        }
    }

    /// Writes the first record of a partition into another topic; it is done when that is
    /// acknowledged.
    fn put_aside(
        &mut self,
        now: Instant,
        partition: &TopicPartition,
        to: &Arc<str>,
        due: Option<Instant>,
        tries: u32,
    ) {
        let Some(lane) = self.lanes.get_mut(partition) else { return };
        let Some(read) = lane.queue.front() else { return };
        if self.write.is_some() {
            // One after the other; this one is tried again as soon as there is room.
            (lane.tries, lane.until) = (lane.tries - 1, Some(now + WRITE_PAUSE));
            return;
        }
        let origin = origin(read);
        let error: Arc<str> = "the work on it failed".into();
        let mut headers = vec![
            header(ORIGINAL_TOPIC, &*origin.0.topic),
            header(ORIGINAL_PARTITION, origin.0.partition),
            header(ORIGINAL_OFFSET, origin.1),
            header(ERROR, &*error),
            header(TRIES, tries),
        ];
        headers.extend(due.map(|due| header(DUE, due.as_millis())));
        let record = ProducerRecord {
            topic: to.clone(),
            partition: None,
            key: read.key.clone(),
            value: read.value.clone(),
            headers,
            acks: None,
        };
        let (from, to, offset) = (partition.clone(), to.clone(), read.offset);
        self.write = Some(Write { from, offset, to: to.clone() });
        self.tell(AppDeed::PutAside { partition: origin.0, offset: origin.1, to, error });
        self.producer.send(now, record);
    }

    /// Writes what came of the first record of a partition into the next topic; it is done
    /// when that is acknowledged.
    fn pass_on(&mut self, now: Instant, partition: &TopicPartition, to: &Arc<str>) {
        let Some(lane) = self.lanes.get_mut(partition) else { return };
        let Some(read) = lane.queue.front() else { return };
        if self.write.is_some() {
            lane.until = Some(now + WRITE_PAUSE);
            return;
        }
        let given = read.headers.iter();
        let given =
            given.filter(|(name, _)| !OWN.iter().any(|own| **name == *own.as_bytes()));
        let headers: Vec<(Arc<str>, Bytes)> = given
            .map(|(name, value)| {
                let name = String::from_utf8_lossy(name);
                (name.into(), value.clone().unwrap_or_default())
            })
            .collect();
        let words = headers.iter();
        let words = words
            .map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value)));
        let words: Vec<String> = words.collect();
        let deed = AppDeed::PassedOn {
            partition: partition.clone(),
            offset: read.offset,
            to: to.clone(),
            headers: words.join(" ").into(),
        };
        let record = ProducerRecord {
            topic: to.clone(),
            partition: None,
            key: read.key.clone(),
            value: read.value.clone(),
            headers,
            acks: None,
        };
        let (from, offset) = (partition.clone(), read.offset);
        self.write = Some(Write { from, offset, to: to.clone() });
        self.tell(deed);
        self.producer.send(now, record);
    }

    /// There is a verdict about a write.
    fn written(&mut self, now: Instant, topic: &Arc<str>, is_acked: bool) {
        if let Some(replay) = &mut self.replay {
            replay.written(now, topic, is_acked);
        }
        let Some(write) = self.write.take_if(|write| write.to == *topic) else { return };
        let Some(lane) = self.lanes.get_mut(&write.from) else { return };
        // Another member may have had the partition meanwhile.
        if lane.queue.front().is_none_or(|read| read.offset != write.offset) {
            return;
        }
        if is_acked {
            return self.done(&write.from);
        }
        lane.tries = lane.tries.saturating_sub(1);
        lane.until = Some(now + self.config.backoff);
    }

    /// The first record of a partition is done.
    fn done(&mut self, partition: &TopicPartition) {
        let Some(lane) = self.lanes.get_mut(partition) else { return };
        let Some(read) = lane.queue.pop_front() else { return };
        (lane.tries, lane.done) = (0, Some(Offset(read.offset.0 + 1)));
    }

    fn commit(&mut self, now: Instant) {
        let lanes = self.lanes.iter_mut();
        let done = lanes.filter_map(|(at, lane)| Some((at.clone(), lane.done.take()?)));
        let done: BTreeMap<TopicPartition, Offset> = done.collect();
        if !done.is_empty() && self.reader.consumer.group_metadata().is_some() {
            self.reader.consumer.commit_offsets(now, done);
        }
    }

    fn go_on_replaying(&mut self, now: Instant) {
        let Some(replay) = &mut self.replay else { return };
        let (records, deeds) = replay.advance(now);
        let is_over = replay.is_over();
        deeds.into_iter().for_each(|deed| self.tell(deed));
        for record in records {
            self.producer.send(now, record);
        }
        if is_over && let Some(replay) = &mut self.replay {
            // Its last words: the commit, and that its connections end.
            REPLAY.drain(replay.reader(), &mut self.outputs);
            self.replay = None;
        }
    }
}

/// Before a lane looks again whether the producer is free.
const WRITE_PAUSE: Duration = Duration::from_millis(10);

/// Pauses double, up to a limit.
fn factor(tries: u32) -> u32 {
    1_u32.checked_shl(tries.saturating_sub(1)).map_or(LONGEST, |it| it.clamp(1, LONGEST))
}

fn fails(word: Option<&str>, read: &Read) -> bool {
    let value = read.value.as_deref().unwrap_or_default();
    word.is_some_and(|word| String::from_utf8_lossy(value).contains(word))
}

/// Where a record stood first, whatever topics it has been put into since.
fn origin(read: &Read) -> (TopicPartition, Offset) {
    let told = || {
        let partition = read.header(ORIGINAL_PARTITION)?.parse().ok()?;
        let offset = read.header(ORIGINAL_OFFSET)?.parse().ok()?;
        let topic = read.header(ORIGINAL_TOPIC)?;
        Some((TopicPartition::new(topic, partition), Offset(offset)))
    };
    told().unwrap_or_else(|| (read.partition.clone(), read.offset))
}

fn header(name: &str, value: impl ToString) -> (Arc<str>, Bytes) {
    (name.into(), Bytes::from(value.to_string().into_bytes()))
}

impl Machine for Handler {
    fn handle(&mut self, now: Instant, input: Input) {
        match addressed(input) {
            (Some(PRODUCER), input) => self.producer.handle(now, input),
            (Some(REPLAY), input) => {
                if let Some(replay) = &mut self.replay {
                    replay.reader().handle(now, input);
                }
            }
            (_, input) => self.reader.handle(now, input),
        }
        self.drive(now);
    }

    fn tick(&mut self, now: Instant) {
        self.reader.tick(now);
        self.producer.tick(now);
        if let Some(replay) = &mut self.replay {
            replay.reader().tick(now);
        }
        self.drive(now);
    }

    fn poll(&mut self) -> Option<Output> {
        self.reader.settle();
        CONSUMER.drain(&mut self.reader, &mut self.outputs);
        PRODUCER.drain(&mut self.producer, &mut self.outputs);
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        let lanes = self.lanes.values().filter_map(|lane| lane.until);
        let replay = self.replay.as_ref().and_then(Replay::deadline);
        let clients = [self.reader.deadline(), self.producer.deadline(), replay];
        lanes.chain(clients.into_iter().flatten()).min()
    }
}
