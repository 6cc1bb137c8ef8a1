//! Brokers coming and going: registration, heartbeats, fencing and unfencing.
//!
//! CTL-8, CTL-9, CTL-10.

use std::sync::Arc;

use topomotion_wire::{
    BrokerEpoch, BrokerLiveness, Endpoint, ErrorCode, Incarnation, Instant, NodeId,
    Offset, Rule, TopicPartition,
};

use super::ActiveController;
use super::election::{Target, elect};
use crate::config::UncleanElection;
use crate::metadata::{
    BrokerChange, FencingChange, LeaderChange, MetadataRecord, RegisterBroker,
};
use crate::net::Effects;

/// What a broker says of itself at its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) broker: NodeId,
    pub(crate) incarnation: Incarnation,
    pub(crate) endpoint: Endpoint,
    pub(crate) rack: Option<Arc<str>>,
}

/// What a broker says of itself every two seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Heartbeat {
    pub(crate) broker: NodeId,
    pub(crate) epoch: BrokerEpoch,
    /// The last offset of the metadata log that it has applied.
    pub(crate) applied: Offset,
    pub(crate) wish: FencingChange,
}

/// What a broker is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeartbeatOutcome {
    /// It has applied its own registration.
    pub(crate) is_caught_up: bool,
    pub(crate) liveness: BrokerLiveness,
}

impl ActiveController {
    /// Registers a broker's new incarnation (CTL-10).
    ///
    /// # Errors
    /// When another incarnation of it is still in session.
    pub(crate) fn register(
        &mut self,
        now: Instant,
        request: Registration,
        effects: &mut Effects,
    ) -> Result<BrokerEpoch, ErrorCode> {
        let Registration { broker, incarnation, endpoint, rack } = request;
        if let Some(known) = self.image.broker(broker) {
            if known.incarnation == incarnation {
                // The same process asks again: its first answer was lost.
                self.sessions.touch(broker, now);
                return Ok(known.epoch);
            }
            if self.sessions.is_valid(broker, now) {
                return Err(ErrorCode::DuplicateBrokerRegistration);
            }
        }
        let epoch = BrokerEpoch(self.next_offset.0);
        let record = RegisterBroker { broker, incarnation, epoch, endpoint, rack };
        let mut records = vec![MetadataRecord::RegisterBroker(record)];
        // Nobody knows what the new process still has on its disk: it leaves every ISR.
        records.extend(self.leave_isrs(broker, effects));
        self.append(records);
        self.sessions.touch(broker, now);
        effects.mark(Rule::Ctl10);
        Ok(epoch)
    }

    /// Takes a heartbeat: keeps the session, and moves the fence if it is time.
    ///
    /// # Errors
    /// When the broker is not registered, or under another epoch.
    pub(crate) fn heartbeat(
        &mut self,
        now: Instant,
        heartbeat: Heartbeat,
        effects: &mut Effects,
    ) -> Result<HeartbeatOutcome, ErrorCode> {
        let broker = heartbeat.broker;
        let known = self.image.broker(broker).ok_or(ErrorCode::BrokerIdNotRegistered)?;
        if known.epoch != heartbeat.epoch {
            return Err(ErrorCode::StaleBrokerEpoch);
        }
        let is_active = known.is_active();
        let is_caught_up = heartbeat.applied.0 >= known.epoch.0;
        self.sessions.touch(broker, now);
        match heartbeat.wish {
            FencingChange::Unfence if !is_active && is_caught_up => {
                self.unfence(broker, effects);
            }
            FencingChange::Fence if is_active => self.fence(broker, effects),
            FencingChange::Unfence | FencingChange::Fence | FencingChange::Keep => {}
        }
        let known = self.image.broker(broker).map(|broker| broker.liveness);
        let liveness = known.unwrap_or(BrokerLiveness::Fenced);
        Ok(HeartbeatOutcome { is_caught_up, liveness })
    }

    /// Fences a broker (CTL-9): it leaves every ISR, others are elected, then the fence goes
    /// up; all in one batch, so nobody ever sees a fenced leader.
    pub(super) fn fence(&mut self, broker: NodeId, effects: &mut Effects) {
        let Some(epoch) = self.image.broker(broker).map(|known| known.epoch) else {
            return;
        };
        effects.mark(Rule::Ctl9);
        let mut records = self.leave_isrs(broker, effects);
        let fencing = FencingChange::Fence;
        records.push(MetadataRecord::BrokerChange(BrokerChange {
            broker,
            epoch,
            fencing,
        }));
        self.append(records);
    }

    /// Takes a broker's fence down (CTL-8); partitions that wait for it get a leader.
    fn unfence(&mut self, broker: NodeId, effects: &mut Effects) {
        let Some(epoch) = self.image.broker(broker).map(|known| known.epoch) else {
            return;
        };
        effects.mark(Rule::Ctl8);
        let fencing = FencingChange::Unfence;
        let change = BrokerChange { broker, epoch, fencing };
        let mut records = vec![MetadataRecord::BrokerChange(change)];
        let mut alive = self.alive_without(None);
        alive.push(broker);
        let leaderless = self.image.partitions().filter(|(_, it)| it.leader.is_none());
        let leaderless = leaderless.map(|(id, _)| id).collect();
        records.extend(self.elections(leaderless, None, &alive, effects));
        self.append(records);
    }

    /// The changes that take a broker out of every ISR and every leadership.
    fn leave_isrs(&self, broker: NodeId, effects: &mut Effects) -> Vec<MetadataRecord> {
        let alive = self.alive_without(Some(broker));
        let concerned = self.image.partitions().filter(|(_, state)| {
            state.isr.contains(&broker) || state.leader == Some(broker)
        });
        let concerned = concerned.map(|(id, _)| id).collect();
        self.elections(concerned, Some(broker), &alive, effects)
    }

    fn elections(
        &self,
        partitions: Vec<TopicPartition>,
        leaving: Option<NodeId>,
        alive: &[NodeId],
        effects: &mut Effects,
    ) -> Vec<MetadataRecord> {
        let mut records = Vec::new();
        for partition in partitions {
            let unclean = self.unclean_election(&partition.topic);
            let target = Target { leaving, alive, unclean };
            let change = self.partition(&partition).and_then(|it| elect(it, target));
            let Some(change) = change else { continue };
            if change.leader != LeaderChange::Keep {
                effects.mark_at(Rule::Ctl3, &partition);
            }
            records.extend(self.change_record(&partition, change, effects));
        }
        records
    }

    fn alive_without(&self, leaving: Option<NodeId>) -> Vec<NodeId> {
        let alive = self.image.active_brokers().map(|(id, _)| id);
        alive.filter(|&id| Some(id) != leaving).collect()
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
}
