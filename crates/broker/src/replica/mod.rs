//! One partition on this node: a log, a high watermark, and a part to play.
//!
//! Which part is decided by the metadata log alone (CTL-14, REP-17). The files follow the
//! rules: [`leader`] holds what a leader remembers of its followers, [`watermark`] moves the
//! high watermark, [`isr`] proposes ISR changes and takes the answer, [`serving`] appends and
//! reads for others, [`following`] appends, truncates and restarts after the leader,
//! [`log_start`] forgets, [`compaction`] compacts, [`nearest`] sends consumers elsewhere, [`transactions`] knows markers
//! and the last stable offset, [`truncation`] holds the ways in which older eras did that.
//!
//! A replica knows no connection and no waiting request; it says what changed by touching
//! its partition in [`Effects`].

mod compaction;
mod following;
mod isr;
mod leader;
mod log_start;
mod nearest;
mod serving;
#[cfg(test)]
mod tests;
mod transactions;
mod truncation;
mod watermark;

use topomotion_log::Log;
use topomotion_wire::{
    BrokerEpoch, Defect, ErrorCode, Fact, FlushToken, Instant, LeaderEpoch, NodeId,
    Offset, PartitionEpoch, PartitionState, ReplicaRole, Rule, TopicId, TopicPartition,
};

pub(crate) use compaction::Compacted;
pub(crate) use following::FetchedData;
pub(crate) use isr::{Decision, Registered};
use leader::Leadership;
pub(crate) use serving::{AtLeast, Content, FetchAt, Isolation, Reader, Slice};
pub(crate) use transactions::VerificationGuard;
use truncation::Reconciling;

use crate::config::BrokerSettings;
use crate::metadata::MetadataImage;
use crate::net::Effects;
use crate::topic_settings::TopicSettings;
use crate::view::ReplicaView;

/// What a replica may know about its surroundings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site<'a> {
    pub(crate) me: NodeId,
    pub(crate) now: Instant,
    pub(crate) settings: &'a BrokerSettings,
    pub(crate) image: &'a MetadataImage,
    /// Wall clock at [`Instant::ZERO`], in milliseconds since 1970.
    pub(crate) wall_clock_base_ms: i64,
}

impl<'a> Site<'a> {
    /// The wall clock, in milliseconds since 1970: for timestamps of records alone.
    pub(crate) fn wall_ms(&self) -> i64 {
        let passed = i64::try_from((self.now - Instant::ZERO).as_millis());
        self.wall_clock_base_ms.saturating_add(passed.unwrap_or(i64::MAX))
    }

    /// What holds for a topic.
    pub(crate) fn topic(&self, topic: &'a str) -> TopicSettings<'a> {
        TopicSettings { image: self.image, broker: self.settings, topic }
    }

    /// Why this node cannot serve a partition that it does not hold.
    pub(crate) fn absent(&self, id: &TopicPartition) -> ErrorCode {
        match self.image.partition(id) {
            Some(_) => ErrorCode::NotLeaderOrFollower,
            None => ErrorCode::UnknownTopicOrPartition,
        }
    }

    /// Whether a broker may stand in an ISR: unfenced, and, where the epoch it fetched with
    /// is known, still the same incarnation (KIP-841, KIP-903).
    fn is_eligible(&self, broker: NodeId, epoch: Option<BrokerEpoch>) -> bool {
        self.image.broker(broker).is_some_and(|registered| {
            registered.is_active() && epoch.is_none_or(|epoch| epoch == registered.epoch)
        })
    }
}

/// One partition's replica on this node.
#[derive(Debug, Clone)]
pub(crate) struct Replica {
    id: TopicPartition,
    topic_id: TopicId,
    log: Log,
    high_watermark: Offset,
    /// Where the log starts, as it was last told.
    told_start: Offset,
    /// The last stable offset as it was last told, while it is not the high watermark.
    held_stable: Option<Offset>,
    /// The registration last applied; a leader's own ISR changes arrive here first by the
    /// controller's answer, then again by the metadata log.
    state: PartitionState,
    role: Role,
}

#[derive(Debug, Clone)]
enum Role {
    Leader(Leadership),
    Follower(Reconciling),
}

impl Replica {
    /// A replica with what survived of its log, before it knows its part.
    pub(crate) fn new(
        id: TopicPartition,
        topic_id: TopicId,
        log: Log,
        high_watermark: Offset,
    ) -> Replica {
        let high_watermark = high_watermark.clamp(log.start_offset(), log.end_offset());
        let state = PartitionState {
            replicas: Vec::new(),
            isr: Vec::new(),
            leader: None,
            leader_epoch: LeaderEpoch(-1),
            partition_epoch: PartitionEpoch(-1),
            ..PartitionState::default()
        };
        Replica {
            id,
            topic_id,
            log,
            high_watermark,
            told_start: Offset(0),
            held_stable: None,
            state,
            role: Role::Follower(Reconciling::WithFetch),
        }
    }

    pub(crate) fn topic_id(&self) -> TopicId {
        self.topic_id
    }

    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    pub(crate) fn high_watermark(&self) -> Offset {
        self.high_watermark
    }

    pub(crate) fn leader_epoch(&self) -> LeaderEpoch {
        self.state.leader_epoch
    }

    pub(crate) fn partition_epoch(&self) -> PartitionEpoch {
        self.state.partition_epoch
    }

    pub(crate) fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// Deletes the log, with every file that it has.
    pub(crate) fn delete(mut self, effects: &mut Effects) {
        self.log.delete_files();
        while let Some(op) = self.log.poll_disk() {
            effects.disk(op);
        }
        let file = format!("{}/partition.metadata", self.id).into();
        effects.disk(topomotion_wire::DiskOp::Delete { file });
        let (partition, epoch) = (self.id, self.state.leader_epoch);
        let role = ReplicaRole::Follower { leader: None };
        effects.fact(Fact::ReplicaRole { partition, role, epoch });
    }

    /// Whom to fetch from, if this replica follows anybody.
    pub(crate) fn followed_leader(&self) -> Option<NodeId> {
        match self.role {
            Role::Leader(_) => None,
            Role::Follower(_) => self.state.leader,
        }
    }

    /// Takes a registration from the metadata log. One that is not newer than what is known
    /// is ignored (REP-17): an ISR change is known from the controller's answer already.
    pub(crate) fn apply(
        &mut self,
        site: Site<'_>,
        state: &PartitionState,
        effects: &mut Effects,
    ) {
        if state.partition_epoch <= self.state.partition_epoch {
            effects.mark_at(Rule::Rep17, &self.id);
            return;
        }
        let new_leadership = state.leader_epoch > self.state.leader_epoch;
        self.state = state.clone();
        if new_leadership {
            self.take_part(site, effects);
        } else if let Role::Leader(leadership) = &mut self.role {
            leadership.proposal = None;
            leadership.match_replicas(site.me, &self.state);
        }
        self.advance_watermark(site, effects);
        effects.touch(&self.id);
    }

    fn take_part(&mut self, site: Site<'_>, effects: &mut Effects) {
        let epoch = self.state.leader_epoch;
        effects.mark_at(Rule::Ctl14, &self.id);
        let stays = Defect::TwoLeaders.is_sown() && self.is_leader();
        let role = if self.state.leader == Some(site.me) || stays {
            self.log.begin_epoch(epoch);
            self.write(effects);
            let start = self.log.end_offset();
            self.role = Role::Leader(Leadership::new(site, &self.state, start));
            effects.mark_at(Rule::Rep16, &self.id);
            ReplicaRole::Leader
        } else {
            self.begin_to_follow(site.settings.truncation, effects);
            ReplicaRole::Follower { leader: self.state.leader }
        };
        effects.fact(Fact::ReplicaRole { partition: self.id.clone(), role, epoch });
    }

    /// A flush of the log has come back. Returns whether more of it is durable now.
    pub(crate) fn flushed(&mut self, token: FlushToken) -> bool {
        self.log.flushed(token).is_some()
    }

    /// Flushes the whole log: under which token, and how many files will come back.
    pub(crate) fn flush(&mut self, effects: &mut Effects) -> (FlushToken, usize) {
        let token = effects.next_flush();
        let files = self.log.flush(token);
        self.write(effects);
        (token, files)
    }

    /// Hands the log's writes to the disk and checks REP-1, which every change ends with. A
    /// segment that was closed is flushed; nobody waits for it.
    fn write(&mut self, effects: &mut Effects) {
        self.log.flush_closed(effects.next_flush());
        while let Some(op) = self.log.poll_disk() {
            effects.disk(op);
        }
        if let Some(deed) = self.log.take_roll() {
            effects.fact(Fact::Log { partition: self.id.clone(), deed });
        }
        let (start, end) = (self.log.start_offset(), self.log.end_offset());
        assert!(
            start <= self.high_watermark && self.high_watermark <= end,
            "REP-1: log start {start} <= high watermark {} <= log end {end}",
            self.high_watermark
        );
        if start != self.told_start {
            self.told_start = start;
            effects.fact(Fact::LogStart { partition: self.id.clone(), offset: start });
        }
        self.tell_stable(effects);
    }

    /// Tells which batches stand between two offsets.
    fn tell_appended(&self, from: Offset, to: Offset, effects: &mut Effects) {
        for batch in self.log.batches(from, to) {
            effects.fact(Fact::Appended {
                partition: self.id.clone(),
                base: batch.base_offset(),
                count: batch.next_offset().0 - batch.base_offset().0,
                epoch: batch.leader_epoch(),
                batch: batch.id(),
            });
        }
    }

    /// This replica for the picture and the checkers.
    pub(crate) fn view(&self) -> ReplicaView {
        let (role, maximal_isr) = match &self.role {
            Role::Leader(leadership) => {
                (ReplicaRole::Leader, leadership.maximal_isr(&self.state).to_vec())
            }
            Role::Follower(_) => (
                ReplicaRole::Follower { leader: self.state.leader },
                self.state.isr.clone(),
            ),
        };
        ReplicaView {
            partition: self.id.clone(),
            topic_id: self.topic_id,
            role,
            leader_epoch: self.state.leader_epoch,
            partition_epoch: self.state.partition_epoch,
            log_start: self.log.start_offset(),
            log_end: self.log.end_offset(),
            high_watermark: self.high_watermark,
            last_stable: self.last_stable_offset(),
            isr: self.state.isr.clone(),
            maximal_isr,
        }
    }
}
