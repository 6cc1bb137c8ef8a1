//! An application that reads one topic and writes another: a transaction for each poll, or,
//! without transactions, a commit once everything is written.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use topomotion_client::{Consumer, Producer, ProducerRecord, ProducerState};
use topomotion_wire::{Bytes, Instant, Offset, TopicPartition};

/// The application and where it stands.
#[derive(Debug)]
pub(super) struct Transform {
    from: Arc<str>,
    to: Arc<str>,
    transactional: bool,
    /// Read, and not yet worked on: partition, first offset, next offset.
    waiting: VecDeque<(TopicPartition, Offset, Offset)>,
    phase: Phase,
}

#[derive(Debug)]
enum Phase {
    /// Waits for records.
    Idle,
    /// What was written and the offsets are to count.
    Ending(Portion),
    /// They are not, and what was read is read again.
    Aborting(Portion),
    /// Can do nothing any more.
    Over,
}

/// What is worked on at a time.
#[derive(Debug, Default)]
struct Portion {
    /// Where each partition was begun, as long as it was not given up since.
    first: BTreeMap<TopicPartition, Offset>,
    /// Where each goes on.
    next: BTreeMap<TopicPartition, Offset>,
}

impl Transform {
    pub fn new(from: &str, to: &str, transactional: bool) -> Transform {
        Transform {
            from: from.into(),
            to: to.into(),
            transactional,
            waiting: VecDeque::new(),
            phase: Phase::Idle,
        }
    }

    /// Whether both do the same work.
    pub fn is_same(&self, other: &Transform) -> bool {
        (&self.from, &self.to) == (&other.from, &other.to)
    }

    /// Records were handed on.
    pub fn read(&mut self, partition: &TopicPartition, base: Offset, next: Offset) {
        if partition.topic == self.from {
            self.waiting.push_back((partition.clone(), base, next));
        }
    }

    /// Partitions were revoked or lost: whoever has them next goes on from what is committed,
    /// and so does this one, should they come back.
    pub fn give_up(&mut self, partitions: &[TopicPartition]) {
        self.waiting.retain(|(partition, ..)| !partitions.contains(partition));
        if let Phase::Ending(portion) | Phase::Aborting(portion) = &mut self.phase {
            portion.first.retain(|partition, _| !partitions.contains(partition));
        }
    }

    /// Goes on; whether it has got anywhere.
    pub fn advance(
        &mut self,
        now: Instant,
        (consumer, producer): (&mut Consumer, &mut Producer),
    ) -> bool {
        match std::mem::replace(&mut self.phase, Phase::Idle) {
            Phase::Idle if self.waiting.is_empty() => false,
            Phase::Idle => self.begin(now, consumer, producer),
            Phase::Ending(portion) if self.transactional => {
                self.end(now, portion, consumer, producer)
            }
            Phase::Ending(portion) => {
                let is_written = producer.pending() == 0;
                match is_written {
                    true => consumer.commit_offsets(now, portion.next),
                    false => self.phase = Phase::Ending(portion),
                }
                is_written
            }
            Phase::Aborting(portion) => {
                let is_over = producer.state() == ProducerState::Ready;
                match is_over {
                    true => self.go_back(now, &portion, consumer),
                    false => self.phase = Phase::Aborting(portion),
                }
                is_over
            }
            Phase::Over => {
                self.phase = Phase::Over;
                false
            }
        }
    }

    fn begin(
        &mut self,
        now: Instant,
        consumer: &mut Consumer,
        producer: &mut Producer,
    ) -> bool {
        if self.transactional && producer.begin_transaction(now).is_err() {
            if let ProducerState::FatalError(_) = producer.state() {
                self.phase = Phase::Over;
            }
            return false;
        }
        let mut portion = Portion::default();
        for (partition, base, next) in std::mem::take(&mut self.waiting) {
            for offset in base.0..next.0 {
                let value = format!("{partition} {offset}");
                let record = ProducerRecord {
                    topic: self.to.clone(),
                    partition: None,
                    key: None,
                    value: Some(Bytes::from(value.into_bytes())),
                    headers: Vec::new(),
                    acks: None,
                };
                producer.send(now, record);
            }
            portion.first.entry(partition.clone()).or_insert(base);
            portion.next.insert(partition, next);
        }
        if self.transactional {
            let offsets = portion.next.clone();
            // Where these calls are refused, the state says so and the transaction is aborted.
            if let Some(group) = consumer.group_metadata() {
                let _ = producer.send_offsets_to_transaction(now, offsets, group);
            }
            let _ = producer.commit_transaction(now);
        }
        self.phase = Phase::Ending(portion);
        true
    }

    fn end(
        &mut self,
        now: Instant,
        portion: Portion,
        consumer: &mut Consumer,
        producer: &mut Producer,
    ) -> bool {
        match producer.state() {
            ProducerState::Ready => true,
            ProducerState::AbortableError(_) | ProducerState::InTransaction => {
                // It says itself what became of the call.
                let _ = producer.abort_transaction(now);
                self.phase = Phase::Aborting(portion);
                true
            }
            ProducerState::FatalError(_) => {
                self.go_back(now, &portion, consumer);
                self.phase = Phase::Over;
                false
            }
            ProducerState::Uninitialized
            | ProducerState::Initializing
            | ProducerState::Committing
            | ProducerState::Aborting => {
                self.phase = Phase::Ending(portion);
                false
            }
        }
    }

    /// What did not count is read again.
    fn go_back(&mut self, now: Instant, portion: &Portion, consumer: &mut Consumer) {
        for (partition, first) in &portion.first {
            self.waiting.retain(|(other, ..)| other != partition);
            consumer.seek(now, partition, *first);
        }
    }
}
