//! The replay tool: reads a topic of dead letters, and writes each to where it came from.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use topomotion_client::{
    Commits, CommonConfig, Consumer, ConsumerConfig, GroupConfig, OffsetReset,
    ProducerRecord,
};
use topomotion_wire::{AppDeed, Duration, Instant, Machine, Offset, TopicPartition};

use super::{header, origin};
use crate::reader::{Read, Reader};

/// Nothing more comes after so long: the topic is read to its end.
const IDLE: Duration = Duration::from_millis(1_500);

/// As long as a client waits for an answer: `default.api.timeout.ms`.
const PATIENCE: Duration = Duration::from_millis(60_000);

const REPLAYED: &str = "replayed";

/// A replay under way.
#[derive(Debug)]
pub(super) struct Replay {
    reader: Reader,
    partition: TopicPartition,
    /// It gives up then, if it has not found out where to begin.
    patience: Instant,
    waiting: VecDeque<Read>,
    /// What is being written.
    open: Option<Read>,
    written: usize,
    /// It is over then, if nothing more comes.
    idle: Instant,
    is_over: bool,
}

impl Replay {
    /// Reads from where the last replay ended.
    pub fn start(now: Instant, topic: &Arc<str>, common: CommonConfig) -> Replay {
        let name = format!("{topic}-replay");
        let common = CommonConfig {
            client_id: format!("{}-replay", common.client_id).into(),
            ..common
        };
        let group = GroupConfig { commits: Commits::Manual, ..GroupConfig::new(name) };
        let mut consumer = Consumer::new(ConsumerConfig {
            offset_reset: OffsetReset::Earliest,
            group: Some(group),
            ..ConsumerConfig::new(common)
        });
        let partition = TopicPartition::new(topic.clone(), 0);
        consumer.assign(now, [partition.clone()]);
        let mut reader = Reader::new(consumer);
        reader.settle();
        Replay {
            reader,
            partition,
            patience: now + PATIENCE,
            waiting: VecDeque::new(),
            open: None,
            written: 0,
            idle: now + IDLE,
            is_over: false,
        }
    }

    pub fn reader(&mut self) -> &mut Reader {
        &mut self.reader
    }

    /// Takes the next record up, once the one before is written.
    pub fn advance(&mut self, now: Instant) -> (Vec<ProducerRecord>, Vec<AppDeed>) {
        // Before it knows where to begin, nothing can come.
        let knows = self.reader.consumer.position(&self.partition).is_some();
        if !knows && now < self.patience {
            self.idle = now + IDLE;
        }
        while let Some(read) = self.reader.take() {
            self.waiting.push_back(read);
            self.idle = now + IDLE;
        }
        if self.open.is_some() {
            return (Vec::new(), Vec::new());
        }
        let Some(read) = self.waiting.pop_front() else {
            let mut deeds = Vec::new();
            if self.idle <= now && !self.is_over {
                self.is_over = true;
                self.reader.consumer.close(now);
                self.reader.settle();
                deeds.push(AppDeed::ReplayEnded { records: self.written });
            }
            return (Vec::new(), deeds);
        };
        let (to, offset) = origin(&read);
        let record = ProducerRecord {
            topic: to.topic.clone(),
            partition: Some(to.partition),
            key: read.key.clone(),
            value: read.value.clone(),
            headers: vec![header(REPLAYED, &*read.partition.topic)],
            acks: None,
        };
        self.open = Some(read);
        (vec![record], vec![AppDeed::Replayed { to, offset }])
    }

    /// There is a verdict about a write.
    pub fn written(&mut self, now: Instant, topic: &Arc<str>, is_acked: bool) {
        let Some(read) = self.open.take_if(|read| origin(read).0.topic == *topic) else {
            return;
        };
        self.idle = now + IDLE;
        if !is_acked {
            return self.waiting.push_front(read);
        }
        self.written += 1;
        let done = BTreeMap::from([(read.partition, Offset(read.offset.0 + 1))]);
        self.reader.consumer.commit_offsets(now, done);
        self.reader.settle();
    }

    pub fn is_over(&self) -> bool {
        self.is_over
    }

    pub fn deadline(&self) -> Option<Instant> {
        let rests = !self.is_over && self.open.is_none();
        let idle = rests.then_some(self.idle);
        [self.reader.deadline(), idle].into_iter().flatten().min()
    }
}
