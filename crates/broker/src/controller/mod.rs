//! The controller: decides about brokers, topics and partitions, and writes it down.
//!
//! Every voter has one; it is active only while its voter leads the metadata quorum. The
//! active one checks a request against an image that runs ahead with what it has appended,
//! appends the records that carry the decision out, and answers when they are committed, not
//! before. Losing leadership it forgets the image that ran ahead and answers whoever waits
//! with `NOT_CONTROLLER`: the outcome is unknown (RAFT-11).
//!
//! It knows no connection and no message; [`api`](crate::api) translates.

mod deferred;
mod election;
mod isr_change;
mod liveness;
mod placement;
mod sessions;
mod topics;

use std::collections::VecDeque;

use topomotion_wire::messages::ResponseKind;
use topomotion_wire::{Instant, NodeId, Offset, PartitionState, Rule, TopicPartition};

use deferred::Deferred;
pub(crate) use isr_change::IsrChange;
pub(crate) use liveness::{Heartbeat, Registration};
use sessions::Sessions;
pub(crate) use topics::{Created, TopicError, TopicPlan};

use crate::config::BrokerSettings;
use crate::metadata::{MetadataImage, MetadataRecord, PartitionChange};
use crate::net::{Effects, Ticket};

/// Kafka 4.0's `metadata.version`.
const METADATA_VERSION: i16 = 25;

/// Records that are appended together or not at all.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Where the first of them must come to stand.
    pub(crate) base: Offset,
    pub(crate) records: Vec<MetadataRecord>,
}

/// The part of a controller that exists while it is the active one.
#[derive(Debug)]
pub(crate) struct ActiveController {
    settings: BrokerSettings,
    /// Committed records and those that are appended but not yet committed.
    image: MetadataImage,
    /// Where the next record goes.
    next_offset: Offset,
    /// Everything before this offset is committed.
    committed: Offset,
    sessions: Sessions,
    deferred: Deferred,
    batches: VecDeque<Batch>,
}

impl ActiveController {
    /// Takes office: everything committed so far, before `committed`, is in `image`, and the
    /// next record goes to `next_offset`. Every broker gets a fresh session, for only the predecessor knew their
    /// heartbeats (CTL-9).
    pub(crate) fn claim(
        now: Instant,
        settings: BrokerSettings,
        image: MetadataImage,
        committed: Offset,
        next_offset: Offset,
    ) -> ActiveController {
        assert!(committed <= next_offset, "only what is in the log is committed");
        let mut sessions = Sessions::new(settings.broker_session_timeout);
        for &broker in image.brokers().keys() {
            sessions.touch(broker, now);
        }
        let bootstrapped = image.is_bootstrapped();
        let mut controller = ActiveController {
            settings,
            image,
            next_offset,
            committed,
            sessions,
            deferred: Deferred::default(),
            batches: VecDeque::new(),
        };
        if !bootstrapped {
            let (name, level) = ("metadata.version".into(), METADATA_VERSION);
            controller.append(vec![MetadataRecord::FeatureLevel { name, level }]);
        }
        controller
    }

    /// Gives office up. Whoever waits learns nothing but that (RAFT-11).
    pub(crate) fn renounce(self) -> Vec<(Ticket, ResponseKind)> {
        self.deferred.into_waiting()
    }

    /// The next batch for the metadata log, in order.
    pub(crate) fn next_batch(&mut self) -> Option<Batch> {
        self.batches.pop_front()
    }

    /// Everything before `offset` is committed: answers whoever waited for it.
    pub(crate) fn note_committed(&mut self, offset: Offset, effects: &mut Effects) {
        assert!(offset <= self.next_offset, "nobody else appends to the metadata log");
        self.committed = self.committed.max(offset);
        for (ticket, reply) in self.deferred.release(self.committed) {
            effects.mark(Rule::Raft11);
            effects.reply(ticket, reply);
        }
    }

    /// Answers once everything appended so far is committed: also an answer that needed no
    /// record may rest on one that is not committed yet.
    pub(crate) fn reply_when_committed(
        &mut self,
        ticket: Ticket,
        reply: ResponseKind,
        effects: &mut Effects,
    ) {
        if self.committed >= self.next_offset {
            effects.reply(ticket, reply);
        } else {
            self.deferred.push(self.next_offset, ticket, reply);
        }
    }

    /// When [`ActiveController::tick`] wants to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.next_expiry().map(|(at, _)| at)
    }

    /// Fences brokers that have been silent for too long.
    pub(crate) fn tick(&mut self, now: Instant, effects: &mut Effects) {
        // One broker, one batch: the next pass elects with the first one already gone.
        while let Some((at, broker)) = self.next_expiry() {
            if at > now {
                break;
            }
            self.fence(broker, effects);
        }
    }

    /// Appends records that belong together and applies them to the image that runs ahead.
    fn append(&mut self, records: Vec<MetadataRecord>) {
        if records.is_empty() {
            return;
        }
        for record in &records {
            self.image.apply(record);
        }
        let base = self.next_offset;
        self.next_offset = base.plus(records.len() as i64);
        self.batches.push_back(Batch { base, records });
    }

    /// One change of a partition's registration as a record, with its marks.
    fn change_record(
        &self,
        partition: &TopicPartition,
        change: election::Change,
        effects: &mut Effects,
    ) -> Option<MetadataRecord> {
        let topic_id = self.image.topic(&partition.topic)?.id;
        effects.mark_at(Rule::Ctl2, partition);
        Some(MetadataRecord::PartitionChange(PartitionChange {
            topic_id,
            partition: partition.partition,
            isr: change.isr,
            leader: change.leader,
        }))
    }

    fn partition(&self, partition: &TopicPartition) -> Option<&PartitionState> {
        self.image.partition(partition)
    }

    fn next_expiry(&self) -> Option<(Instant, NodeId)> {
        let active = self.image.active_brokers().map(|(id, _)| id);
        active.filter_map(|id| Some((self.sessions.expires_at(id)?, id))).min()
    }
}
