//! Brokers coming and going: registration, heartbeats, fencing and unfencing.
//!
//! CTL-8, CTL-9, CTL-10.

use std::sync::Arc;

use topomotion_wire::{
    BrokerEpoch, BrokerLiveness, Defect, Endpoint, ErrorCode, Incarnation, Instant,
    NodeId, Offset, Rule,
};

use super::ActiveController;
use super::election::Target;
use crate::metadata::{BrokerChange, FencingChange, MetadataRecord, RegisterBroker};
use crate::net::Effects;

/// What a broker says of itself at its start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Registration {
    pub(crate) broker: NodeId,
    pub(crate) incarnation: Incarnation,
    pub(crate) endpoint: Endpoint,
    pub(crate) rack: Option<Arc<str>>,
    /// Under which epoch it shut down cleanly before, if it did (KIP-966).
    pub(crate) previous: Option<BrokerEpoch>,
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

/// How a broker's last life ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ending {
    /// It has everything it had.
    Clean,
    /// It may have lost something.
    Unclean,
}

/// Whether a broker may stop now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ShutDown {
    NotYet,
    Granted,
}

/// What a broker is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct HeartbeatOutcome {
    /// It has applied its own registration.
    pub(crate) is_caught_up: bool,
    pub(crate) liveness: BrokerLiveness,
    pub(crate) shut_down: ShutDown,
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
        let Registration { broker, incarnation, endpoint, rack, previous } = request;
        let mut ending = Ending::Clean;
        if let Some(known) = self.image.broker(broker) {
            if known.incarnation == incarnation {
                // The same process asks again: its first answer was lost.
                self.sessions.touch(broker, now);
                return Ok(known.epoch);
            }
            if self.sessions.is_valid(broker, now) {
                return Err(ErrorCode::DuplicateBrokerRegistration);
            }
            if previous != Some(known.epoch) {
                ending = Ending::Unclean;
            }
        }
        let epoch = match Defect::BrokerEpochReused.is_sown() {
            false => BrokerEpoch(self.next_offset.0),
            true => BrokerEpoch(self.committed.0),
        };
        let liveness = match Defect::UnfenceEarly.is_sown() {
            false => BrokerLiveness::Fenced,
            true => BrokerLiveness::Unfenced,
        };
        let record =
            RegisterBroker { broker, incarnation, epoch, endpoint, rack, liveness };
        let mut records = vec![MetadataRecord::RegisterBroker(record)];
        // Nobody knows what the new process still has on its disk: it leaves every ISR; and
        // every ELR, unless its predecessor shut down properly.
        records.extend(self.leave_isrs(broker, ending, effects));
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
        let (epoch, liveness) = (known.epoch, known.liveness);
        let is_caught_up = heartbeat.applied.0 >= epoch.0;
        self.sessions.touch(broker, now);
        self.sessions.note_applied(broker, heartbeat.applied);
        let mut shut_down = ShutDown::NotYet;
        match (heartbeat.wish, liveness) {
            (FencingChange::Unfence, BrokerLiveness::Fenced) if is_caught_up => {
                self.unfence(broker, effects);
            }
            (FencingChange::Fence, BrokerLiveness::Unfenced) => {
                self.fence(broker, effects);
            }
            (FencingChange::ShutDown, BrokerLiveness::Unfenced)
                if self.leads_anything(broker) =>
            {
                self.begin_shutdown(broker, effects);
            }
            (FencingChange::ShutDown, BrokerLiveness::ControlledShutdown)
                if self.leads_anything(broker) || !self.all_know_of(broker) => {}
            (FencingChange::ShutDown, _) => {
                effects.mark(Rule::Ctl11);
                shut_down = ShutDown::Granted;
                if liveness != BrokerLiveness::Fenced {
                    self.fence(broker, effects);
                }
                // Its next incarnation may come at once (KAFKA-19047).
                self.sessions.end(broker);
            }
            _ => {}
        }
        let known = self.image.broker(broker).map(|broker| broker.liveness);
        let liveness = known.unwrap_or(BrokerLiveness::Fenced);
        Ok(HeartbeatOutcome { is_caught_up, liveness, shut_down })
    }

    fn leads_anything(&self, broker: NodeId) -> bool {
        self.image.partitions().any(|(_, state)| state.leader == Some(broker))
    }

    /// Whether every active broker has heard that this one is about to stop.
    fn all_know_of(&self, broker: NodeId) -> bool {
        let Some(since) = self.sessions.shutdown_at(broker) else { return true };
        let mut active = self.image.active_brokers().map(|(id, _)| id);
        active.all(|id| self.sessions.applied(id).is_some_and(|at| at >= since))
    }

    /// CTL-11: it leads and counts no more, but still answers.
    fn begin_shutdown(&mut self, broker: NodeId, effects: &mut Effects) {
        let Some(epoch) = self.image.broker(broker).map(|known| known.epoch) else {
            return;
        };
        effects.mark(Rule::Ctl11);
        let fencing = FencingChange::ShutDown;
        let change = BrokerChange { broker, epoch, fencing };
        let mut records = vec![MetadataRecord::BrokerChange(change)];
        records.extend(self.leave_isrs(broker, Ending::Clean, effects));
        self.append(records);
        self.sessions.note_shutdown(broker, Offset(self.next_offset.0 - 1));
    }

    /// Fences a broker (CTL-9): it leaves every ISR, others are elected, then the fence goes
    /// up; all in one batch, so nobody ever sees a fenced leader.
    pub(super) fn fence(&mut self, broker: NodeId, effects: &mut Effects) {
        let Some(epoch) = self.image.broker(broker).map(|known| known.epoch) else {
            return;
        };
        effects.mark(Rule::Ctl9);
        let mut records = self.leave_isrs(broker, Ending::Clean, effects);
        if Defect::FenceOrder.is_sown() {
            records.clear();
        }
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
        let mut alive = self.alive();
        alive.push(broker);
        let leaderless = self.image.partitions().filter(|(_, it)| it.leader.is_none());
        for (id, state) in leaderless.filter(|_| !Defect::NoElectOnUnfence.is_sown()) {
            let target = self.target(&id, state.isr.clone(), &alive);
            records.extend(self.change_record(&id, &target, effects));
        }
        self.append(records);
    }

    /// The changes that take a broker out of every ISR and every leadership; and out of every
    /// ELR, if it may have lost what it had.
    fn leave_isrs(
        &self,
        broker: NodeId,
        ending: Ending,
        effects: &mut Effects,
    ) -> Vec<MetadataRecord> {
        let mut alive = self.alive();
        alive.retain(|&id| id != broker);
        let mut records = Vec::new();
        for (id, state) in self.image.partitions() {
            let is_concerned = state.isr.contains(&broker)
                || state.leader == Some(broker)
                || (ending == Ending::Unclean && state.elr.contains(&broker));
            if !is_concerned {
                continue;
            }
            let stays = |it: NodeId| it != broker || Defect::FenceKeepsIsr.is_sown();
            let isr = state.isr.iter().copied().filter(|&it| stays(it)).collect();
            let unclean_shutdown = Some(broker).filter(|_| ending == Ending::Unclean);
            let target = self.target(&id, isr, &alive);
            let target = Target { unclean_shutdown, ..target };
            records.extend(self.change_record(&id, &target, effects));
        }
        records
    }
}
