//! Reads a partition from its beginning to what is its end now: how state comes back from a
//! topic.

use topomotion_client::{
    CommonConfig, Consumer, ConsumerConfig, IsolationLevel, OffsetReset,
};
use topomotion_wire::{Input, Instant, Machine, Offset, Output, TopicPartition};

use crate::reader::{Read, Reader};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Where is the end?
    Asking,
    /// It was here when it was asked.
    Reading(Offset),
    Done,
}

/// A partition being read to its end.
#[derive(Debug)]
pub(crate) struct Loader {
    partition: TopicPartition,
    reader: Reader,
    stage: Stage,
}

impl Loader {
    pub fn start(
        now: Instant,
        partition: TopicPartition,
        common: CommonConfig,
        isolation_level: IsolationLevel,
    ) -> Loader {
        let mut consumer = Consumer::new(ConsumerConfig {
            offset_reset: OffsetReset::Latest,
            isolation_level,
            ..ConsumerConfig::new(common)
        });
        consumer.assign(now, [partition.clone()]);
        let mut reader = Reader::new(consumer);
        reader.settle();
        Loader { partition, reader, stage: Stage::Asking }
    }

    /// What came since; the last of it is there once [`Loader::is_done`].
    pub fn take(&mut self, now: Instant) -> Vec<Read> {
        let position = self.reader.consumer.position(&self.partition);
        match (self.stage, position) {
            (Stage::Asking, Some(end)) => {
                self.stage = Stage::Reading(end);
                let consumer = &mut self.reader.consumer;
                consumer.seek_to(now, &self.partition, OffsetReset::Earliest);
                self.reader.settle();
                Vec::new()
            }
            (Stage::Reading(end), Some(next)) => {
                let read = std::iter::from_fn(|| self.reader.take());
                let read: Vec<Read> = read.filter(|read| read.offset < end).collect();
                if next >= end {
                    self.stage = Stage::Done;
                    self.reader.consumer.close(now);
                    self.reader.settle();
                }
                read
            }
            _ => Vec::new(),
        }
    }

    pub fn is_done(&self) -> bool {
        self.stage == Stage::Done
    }
}

impl Machine for Loader {
    fn handle(&mut self, now: Instant, input: Input) {
        self.reader.handle(now, input);
    }

    fn tick(&mut self, now: Instant) {
        self.reader.tick(now);
    }

    fn poll(&mut self) -> Option<Output> {
        self.reader.poll()
    }

    fn deadline(&self) -> Option<Instant> {
        self.reader.deadline()
    }
}
