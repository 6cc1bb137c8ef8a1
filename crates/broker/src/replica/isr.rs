//! The ISR, as its leader keeps it: proposing changes and taking the controller's answer.
//!
//! Until the answer is there, the larger of the two sets counts (REP-3): both outcomes are
//! safe with it. One change is under way at a time (REP-11), and what the answer means is
//! REP-12.

use topomotion_wire::messages::BrokerId;
use topomotion_wire::messages::alter_partition_request::{BrokerState, PartitionData};
use topomotion_wire::{
    BrokerEpoch, Defect, ErrorCode, Fact, Instant, LeaderEpoch, NodeId, PartitionEpoch,
    Rule,
};

use super::leader::Leadership;
use super::{Replica, Role, Site};
use crate::net::Effects;

/// A proposed ISR.
#[derive(Debug, Clone)]
pub(super) struct Proposal {
    pub(super) isr: Vec<NodeId>,
    /// What counts until it is decided.
    pub(super) maximal: Vec<NodeId>,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Waits for the broker to send it.
    Queued,
    /// The controller has been asked.
    Asked,
    /// The controller knows something newer: the metadata log will tell.
    Undecided,
}

/// A partition's registration, as an answer to an ISR change carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registered {
    pub(crate) isr: Vec<NodeId>,
    pub(crate) leader_epoch: LeaderEpoch,
    pub(crate) partition_epoch: PartitionEpoch,
}

/// The controller's answer to one proposed ISR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Decision {
    /// It is so now.
    Accepted(Registered),
    /// It is not.
    Refused(ErrorCode),
}

impl Replica {
    /// Takes a follower into the ISR that has reached the high watermark and the start of
    /// this leadership (REP-9).
    pub(super) fn expand_isr(
        &mut self,
        site: Site<'_>,
        joining: NodeId,
        effects: &mut Effects,
    ) {
        let Role::Leader(leadership) = &self.role else { return };
        if leadership.proposal.is_some()
            || self.state.isr.contains(&joining)
            || Defect::NeverExpand.is_sown()
        {
            return;
        }
        let Some(follower) = leadership.followers.get(&joining) else { return };
        let needed = self.high_watermark.max(leadership.start);
        let is_in_sync = follower.log_end.is_some_and(|end| end >= needed);
        if is_in_sync && site.is_eligible(joining, follower.broker_epoch) {
            effects.mark_at(Rule::Rep9, &self.id);
            let members = |id: &NodeId| self.state.isr.contains(id) || *id == joining;
            let isr: Vec<NodeId> =
                self.state.replicas.iter().copied().filter(members).collect();
            self.propose(isr.clone(), isr, effects);
        }
    }

    /// Drops every member that has lagged for too long (REP-10).
    pub(crate) fn shrink_isr(&mut self, site: Site<'_>, effects: &mut Effects) {
        let Role::Leader(leadership) = &self.role else { return };
        if leadership.proposal.is_some() {
            return;
        }
        let lags = |id: &NodeId| {
            self.lags_from(site, leadership, *id).is_some_and(|from| from <= site.now)
        };
        let isr: Vec<NodeId> =
            self.state.isr.iter().copied().filter(|id| !lags(id)).collect();
        if isr.len() < self.state.isr.len() {
            effects.mark_at(Rule::Rep10, &self.id);
            let hasty = Defect::ShrinkBeforeCommit.is_sown();
            let maximal = if hasty { isr.clone() } else { self.state.isr.clone() };
            self.propose(isr, maximal, effects);
        }
    }

    /// From when on a member of the ISR lags too long, if nothing more is heard of it.
    pub(crate) fn shrink_due(&self, site: Site<'_>) -> Option<Instant> {
        let Role::Leader(leadership) = &self.role else { return None };
        if leadership.proposal.is_some() {
            return None;
        }
        let (end, lag_max) = (self.log.end_offset(), site.settings.replica_lag_time_max);
        let followers = leadership.followers.iter();
        let due = followers.filter_map(|(id, follower)| {
            let from = follower.lags_from(end, lag_max)?;
            self.state.isr.contains(id).then_some(from)
        });
        due.min()
    }

    fn lags_from(
        &self,
        site: Site<'_>,
        leadership: &Leadership,
        id: NodeId,
    ) -> Option<Instant> {
        let follower = leadership.followers.get(&id)?;
        follower.lags_from(self.log.end_offset(), site.settings.replica_lag_time_max)
    }

    fn propose(&mut self, isr: Vec<NodeId>, maximal: Vec<NodeId>, effects: &mut Effects) {
        let Role::Leader(leadership) = &mut self.role else { return };
        assert!(leadership.proposal.is_none(), "REP-11: one ISR change at a time");
        effects.mark_at(Rule::Rep3, &self.id);
        effects.fact(Fact::IsrProposed { partition: self.id.clone(), isr: isr.clone() });
        leadership.proposal = Some(Proposal { isr, maximal, stage: Stage::Queued });
        effects.propose(&self.id);
    }

    /// The proposal as it is sent, which it now is. None if it has become pointless.
    pub(crate) fn send_proposal(
        &mut self,
        me: NodeId,
        my_epoch: BrokerEpoch,
    ) -> Option<PartitionData> {
        let Role::Leader(leadership) = &mut self.role else { return None };
        let proposal =
            leadership.proposal.as_mut().filter(|it| it.stage == Stage::Queued)?;
        proposal.stage = Stage::Asked;
        let epoch_of = |id: NodeId| match leadership.followers.get(&id) {
            _ if id == me => my_epoch.0,
            Some(follower) => follower.broker_epoch.map_or(-1, |epoch| epoch.0),
            None => -1,
        };
        let member = |&id: &NodeId| {
            let state = BrokerState::default().with_broker_id(BrokerId(id.0));
            state.with_broker_epoch(epoch_of(id))
        };
        let data = PartitionData::default()
            .with_partition_index(self.id.partition)
            .with_leader_epoch(self.state.leader_epoch.0)
            .with_partition_epoch(self.state.partition_epoch.0)
            .with_new_isr_with_epochs(proposal.isr.iter().map(member).collect());
        Some(data)
    }

    /// Takes the controller's answer (REP-12). `asked_at` is the partition epoch that the
    /// question was asked with: an answer to an older question says nothing any more.
    pub(crate) fn decide(
        &mut self,
        site: Site<'_>,
        asked_at: PartitionEpoch,
        decision: Decision,
        effects: &mut Effects,
    ) {
        let Role::Leader(leadership) = &mut self.role else { return };
        let is_awaited =
            leadership.proposal.as_ref().is_some_and(|it| it.stage == Stage::Asked);
        if !is_awaited || asked_at != self.state.partition_epoch {
            return;
        }
        effects.mark_at(Rule::Rep12, &self.id);
        match decision {
            Decision::Accepted(registered) => {
                if registered.leader_epoch != self.state.leader_epoch {
                    leadership.await_metadata();
                    return;
                }
                leadership.proposal = None;
                if registered.partition_epoch > self.state.partition_epoch {
                    self.state.isr = registered.isr;
                    self.state.partition_epoch = registered.partition_epoch;
                }
            }
            Decision::Refused(error) => match error {
                ErrorCode::IneligibleReplica | ErrorCode::OperationNotAttempted => {
                    leadership.proposal = None;
                }
                ErrorCode::FencedLeaderEpoch
                | ErrorCode::InvalidUpdateVersion
                | ErrorCode::InvalidRequest
                | ErrorCode::NewLeaderElected
                | ErrorCode::UnknownTopicId
                | ErrorCode::UnknownTopicOrPartition => leadership.await_metadata(),
                _ => self.ask_again(effects),
            },
        }
        self.advance_watermark(site, effects);
        effects.touch(&self.id);
    }

    /// The question did not reach the controller, or got no answer: it is asked again.
    pub(crate) fn ask_again(&mut self, effects: &mut Effects) {
        let Role::Leader(leadership) = &mut self.role else { return };
        let Some(proposal) = &mut leadership.proposal else { return };
        if proposal.stage == Stage::Asked {
            proposal.stage = Stage::Queued;
            effects.propose(&self.id);
        }
    }
}

impl Leadership {
    fn await_metadata(&mut self) {
        if let Some(proposal) = &mut self.proposal {
            proposal.stage = Stage::Undecided;
        }
    }
}
