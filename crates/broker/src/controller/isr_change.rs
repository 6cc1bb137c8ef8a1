//! ISR changes that leaders propose (CTL-1).
//!
//! The checks come in Kafka's order, and it matters: a controller that is behind its caller
//! must say that it is, before it finds fault with the caller.

use topomotion_wire::{
    BrokerEpoch, Defect, ErrorCode, LeaderEpoch, LeaderRecovery, NodeId, PartitionEpoch,
    PartitionState, Rule, TopicId, TopicPartition,
};

use super::ActiveController;
use super::election::{Target, Wish};
use crate::config::{IsrAdmission, IsrFencing};
use crate::metadata::BrokerRegistration;
use crate::net::Effects;

/// The number of a leader recovery state in messages.
const RECOVERED: i8 = 0;
const RECOVERING: i8 = 1;

/// One partition's proposed ISR.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct IsrChange {
    pub(crate) topic_id: TopicId,
    pub(crate) partition: i32,
    pub(crate) leader_epoch: LeaderEpoch,
    pub(crate) partition_epoch: PartitionEpoch,
    /// Each member with the incarnation that the leader saw, where it saw one.
    pub(crate) isr: Vec<(NodeId, Option<BrokerEpoch>)>,
    pub(crate) recovery_state: i8,
}

impl ActiveController {
    /// Checks the incarnation of a broker that wants something changed.
    ///
    /// # Errors
    /// `STALE_BROKER_EPOCH` when it is not the registered one.
    pub(crate) fn check_broker(
        &self,
        broker: NodeId,
        epoch: BrokerEpoch,
    ) -> Result<(), ErrorCode> {
        match self.image.broker(broker) {
            Some(known) if known.epoch == epoch => Ok(()),
            Some(_) | None => Err(ErrorCode::StaleBrokerEpoch),
        }
    }

    /// Changes one ISR on its leader's proposal, and tells the registration as it is then.
    ///
    /// # Errors
    /// By the first check of CTL-1 that fails; then nothing changed.
    pub(crate) fn change_isr(
        &mut self,
        sender: NodeId,
        change: IsrChange,
        effects: &mut Effects,
    ) -> Result<PartitionState, ErrorCode> {
        let name = self.image.topic_name(change.topic_id);
        let name = name.ok_or(ErrorCode::UnknownTopicId)?.clone();
        let id = TopicPartition::new(name, change.partition);
        let state = self.partition(&id).ok_or(ErrorCode::UnknownTopicOrPartition)?;
        let check = self.check_isr_change(sender, &change, state);
        effects.mark_at(Rule::Ctl1, &id);
        check?;
        let isr: Vec<NodeId> = change.isr.iter().map(|(member, _)| *member).collect();
        if state.recovery == LeaderRecovery::Recovering {
            effects.mark_at(Rule::Ctl4, &id);
        }
        let alive = self.alive();
        let recovery = match change.recovery_state {
            RECOVERING => LeaderRecovery::Recovering,
            _ if Defect::SkipRecovering.is_sown() => state.recovery,
            _ => LeaderRecovery::Recovered,
        };
        let target = self.target(&id, isr, &alive);
        let target = Target { wish: Wish::Any, recovery: Some(recovery), ..target };
        let record = self.change_record(&id, &target, effects);
        self.append(record.into_iter().collect());
        self.partition(&id).cloned().ok_or(ErrorCode::UnknownTopicOrPartition)
    }

    fn check_isr_change(
        &self,
        sender: NodeId,
        change: &IsrChange,
        state: &PartitionState,
    ) -> Result<(), ErrorCode> {
        match self.settings.isr_fencing {
            IsrFencing::On => check_leadership(sender, change, state)?,
            IsrFencing::Off => {}
        }
        let members = || change.isr.iter().map(|(member, _)| *member);
        let are_replicas = members().all(|member| state.replicas.contains(&member));
        let is_repeated =
            |(at, member)| members().take(at).any(|earlier| earlier == member);
        let has_repeats = members().enumerate().any(is_repeated);
        let has_leader = members().any(|member| member == sender);
        let recovery_is_possible = match change.recovery_state {
            RECOVERED => true,
            // It recovers alone, and never starts to on its own.
            RECOVERING => {
                change.isr.len() == 1 && state.recovery == LeaderRecovery::Recovering
            }
            _ => false,
        };
        if !are_replicas || has_repeats || !has_leader || !recovery_is_possible {
            return Err(ErrorCode::InvalidRequest);
        }
        let is_eligible = |&(member, epoch): &(NodeId, Option<BrokerEpoch>)| {
            let known = self.image.broker(member);
            match self.settings.isr_admission {
                IsrAdmission::Anyone => true,
                IsrAdmission::Active => known.is_some_and(BrokerRegistration::is_active),
                IsrAdmission::SameIncarnation => known.is_some_and(|known| {
                    known.is_active() && epoch.is_none_or(|epoch| epoch == known.epoch)
                }),
            }
        };
        if change.isr.iter().all(is_eligible) {
            Ok(())
        } else {
            Err(ErrorCode::IneligibleReplica)
        }
    }
}

/// Only the present leader may change the ISR, and only the one that it knows.
fn check_leadership(
    sender: NodeId,
    change: &IsrChange,
    state: &PartitionState,
) -> Result<(), ErrorCode> {
    let is_ahead = change.leader_epoch > state.leader_epoch
        || change.partition_epoch > state.partition_epoch;
    if is_ahead {
        return Err(ErrorCode::NotController);
    }
    if change.leader_epoch < state.leader_epoch {
        return Err(ErrorCode::FencedLeaderEpoch);
    }
    if state.leader != Some(sender) {
        return Err(ErrorCode::InvalidRequest);
    }
    if change.partition_epoch < state.partition_epoch {
        return Err(ErrorCode::InvalidUpdateVersion);
    }
    Ok(())
}
