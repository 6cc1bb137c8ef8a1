//! The controller: decides about brokers, topics and partitions, and writes it down.
//!
//! Every voter has one; it is active only while its voter leads the metadata quorum. The
//! active one checks a request against an image that runs ahead with what it has appended,
//! appends the records that carry the decision out, and answers when they are committed, not
//! before. Losing leadership it forgets the image that ran ahead and answers whoever waits
//! with `NOT_CONTROLLER`: the outcome is unknown (RAFT-11).
//!
//! It knows no connection and no message; [`api`](crate::api) translates.

mod acls;
mod assignment;
mod configs;
mod deferred;
mod election;
mod isr_change;
mod leaders;
mod liveness;
mod placement;
mod producer_ids;
mod scram;
mod sessions;
mod topics;

use std::collections::VecDeque;

use topomotion_wire::messages::ResponseKind;
use topomotion_wire::{
    BrokerLiveness, Defect, Instant, NodeId, Offset, PartitionState, Rule, TopicPartition,
};

pub(crate) use assignment::NewPartitions;
pub(crate) use configs::{AlterOp, ConfigAlteration, TOPIC_CONFIGS};
use deferred::Deferred;
use election::{Target, decide, wish_for};
pub(crate) use isr_change::IsrChange;
pub(crate) use leaders::ElectionType;
pub(crate) use liveness::{Heartbeat, Registration, ShutDown};
pub(crate) use producer_ids::BLOCK as PRODUCER_ID_BLOCK;
use sessions::Sessions;
pub(crate) use topics::{Created, TopicError, TopicPlan, is_topic_name};

use crate::config::{BrokerSettings, UncleanElection};
use crate::metadata::{MetadataImage, MetadataRecord, PartitionChange};
use crate::net::{Effects, Ticket};

/// Kafka 4.0's `metadata.version`.
pub(crate) const METADATA_VERSION: i16 = 25;

/// Records that are appended together or not at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Batch {
    /// Where the first of them must come to stand.
    pub(crate) base: Offset,
    pub(crate) records: Vec<MetadataRecord>,
}

/// Whether every preferred replica leads that could.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Balance {
    Even,
    Uneven,
}

/// The part of a controller that exists while it is the active one.
#[derive(Debug, Clone)]
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
    /// When leaderships are looked at next (CTL-5).
    balance_at: Option<Instant>,
    /// Whether there is anything to give back then.
    balance: Balance,
    /// When something was last appended.
    appended_at: Instant,
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
        let balance_at = settings.leader_imbalance_check_interval.map(|it| now + it);
        let mut controller = ActiveController {
            settings,
            image,
            next_offset,
            committed,
            sessions,
            deferred: Deferred::default(),
            batches: VecDeque::new(),
            balance_at,
            balance: Balance::Even,
            appended_at: now,
        };
        controller.balance = controller.weigh();
        if !bootstrapped {
            let (name, level) = ("metadata.version".into(), METADATA_VERSION);
            controller.append(vec![MetadataRecord::FeatureLevel { name, level }]);
        }
        controller
    }

    /// The metadata, with what is appended but not yet committed.
    pub(crate) fn image(&self) -> &MetadataImage {
        &self.image
    }

    /// Gives office up. Whoever waits learns nothing but that (RAFT-11).
    pub(crate) fn renounce(self) -> Vec<(Ticket, ResponseKind)> {
        self.deferred.into_waiting()
    }

    /// The next batch for the metadata log, in order.
    pub(crate) fn next_batch(&mut self) -> Option<Batch> {
        self.batches.pop_front()
    }

    /// The metadata log ends here: the quorum has put a change of its voters among the
    /// controller's own records.
    pub(crate) fn note_log_end(&mut self, end: Offset) {
        if end > self.next_offset {
            assert!(self.batches.is_empty(), "what waits has its offset already");
            self.next_offset = end;
        }
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
        if self.committed >= self.next_offset || Defect::ReplyOnAppend.is_sown() {
            effects.reply(ticket, reply);
        } else {
            self.deferred.push(self.next_offset, ticket, reply);
        }
    }

    /// When [`ActiveController::tick`] wants to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let expiry = self.next_expiry().map(|(at, _)| at);
        let balance = self.balance_at.filter(|_| self.balance == Balance::Uneven);
        [expiry, balance, self.idle_at()].into_iter().flatten().min()
    }

    /// Fences brokers that have been silent for too long, gives leaderships back, and keeps
    /// the log alive.
    pub(crate) fn tick(&mut self, now: Instant, effects: &mut Effects) {
        // One broker, one batch: the next pass elects with the first one already gone.
        while let Some((at, broker)) = self.next_expiry() {
            if at > now {
                break;
            }
            self.fence(broker, effects);
        }
        self.balance(now, effects);
        if self.idle_at().is_some_and(|at| at <= now) {
            self.append(vec![MetadataRecord::NoOp]);
        }
        self.note_time(now);
    }

    /// Time goes on, whatever else happens.
    pub(crate) fn note_time(&mut self, now: Instant) {
        if !self.batches.is_empty() {
            self.appended_at = now;
        }
        if let (Some(at), Some(interval)) =
            (&mut self.balance_at, self.settings.leader_imbalance_check_interval)
            && interval.0 > 0
            && *at <= now
        {
            let passed = (now - *at).0 / interval.0 + 1;
            *at += topomotion_wire::Duration(passed.saturating_mul(interval.0));
        }
    }

    fn idle_at(&self) -> Option<Instant> {
        let interval = self.settings.metadata_max_idle_interval?;
        Some(self.appended_at + interval)
    }

    /// Appends records that belong together and applies them to the image that runs ahead.
    fn append(&mut self, records: Vec<MetadataRecord>) {
        if records.is_empty() {
            return;
        }
        for record in &records {
            self.image.apply(record);
        }
        self.balance = self.weigh();
        let base = self.next_offset;
        self.next_offset = base.plus(records.len() as i64);
        self.batches.push_back(Batch { base, records });
    }

    /// What a partition becomes when its ISR is to be `isr`, by the topic's rules.
    fn target<'a>(
        &self,
        partition: &TopicPartition,
        isr: Vec<NodeId>,
        alive: &'a [NodeId],
    ) -> Target<'a> {
        Target {
            isr,
            alive,
            unclean_shutdown: None,
            wish: wish_for(self.unclean_election(&partition.topic)),
            elr: self.settings.elr,
            min_isr: self.min_isr(&partition.topic),
            assignment: None,
            recovery: None,
        }
    }

    /// The change of a partition's registration that gets it there, with its marks.
    fn change_record(
        &self,
        partition: &TopicPartition,
        target: &Target<'_>,
        effects: &mut Effects,
    ) -> Option<MetadataRecord> {
        let topic_id = self.image.topic(&partition.topic)?.id;
        let outcome = decide(self.partition(partition)?, target)?;
        effects.mark_at(Rule::Ctl2, partition);
        for rule in outcome.rules {
            effects.mark_at(rule, partition);
        }
        let named = PartitionChange::of(topic_id, partition.partition);
        Some(MetadataRecord::PartitionChange(PartitionChange {
            topic_id: named.topic_id,
            partition: named.partition,
            ..outcome.change
        }))
    }

    fn min_isr(&self, topic: &str) -> usize {
        let own = self.image.config_number(topic, "min.insync.replicas");
        let count = own.unwrap_or(i64::from(self.settings.min_insync_replicas));
        usize::try_from(count).unwrap_or(0)
    }

    fn unclean_election(&self, topic: &str) -> UncleanElection {
        let configs = self.image.topic(topic).map(|topic| &topic.configs);
        match configs
            .and_then(|it| it.get("unclean.leader.election.enable"))
            .map(|v| &**v)
        {
            Some("true") => UncleanElection::Allowed,
            Some(_) => UncleanElection::Forbidden,
            None => self.settings.unclean_leader_election,
        }
    }

    fn alive(&self) -> Vec<NodeId> {
        self.image.active_brokers().map(|(id, _)| id).collect()
    }

    fn partition(&self, partition: &TopicPartition) -> Option<&PartitionState> {
        self.image.partition(partition)
    }

    fn next_expiry(&self) -> Option<(Instant, NodeId)> {
        let unfenced = self.image.brokers().iter();
        let unfenced = unfenced.filter(|(_, it)| it.liveness != BrokerLiveness::Fenced);
        let active = unfenced.map(|(&id, _)| id);
        active.filter_map(|id| Some((self.sessions.expires_at(id)?, id))).min()
    }
}
