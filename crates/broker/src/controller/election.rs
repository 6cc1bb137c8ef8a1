//! Who leads a partition: the first replica, in the order of preference, that is in the ISR
//! and alive (CTL-3).
//!
//! Without ELR the last member of an ISR stays in it while nobody can lead (CTL-7): it alone
//! is known to have everything. [`Target`] is where eligible leader replicas (KIP-966) would
//! come in: they outlive an empty ISR.

use topomotion_wire::{NodeId, PartitionState};

use crate::config::UncleanElection;
use crate::metadata::LeaderChange;

/// What becomes of a partition's registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) isr: Option<Vec<NodeId>>,
    pub(super) leader: LeaderChange,
}

/// Which brokers may lead and be in sync.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'a> {
    /// Who has to leave the ISR.
    pub(super) leaving: Option<NodeId>,
    /// Who is alive.
    pub(super) alive: &'a [NodeId],
    pub(super) unclean: UncleanElection,
}

/// The change that `state` needs, if it needs one.
pub(super) fn elect(state: &PartitionState, target: Target<'_>) -> Option<Change> {
    let may_lead = |id: &NodeId| target.alive.contains(id) && Some(*id) != target.leaving;
    let staying = state.isr.iter().copied().filter(|&id| Some(id) != target.leaving);
    let mut isr: Vec<NodeId> = staying.collect();
    if isr.is_empty() {
        isr.clone_from(&state.isr);
    }
    let in_sync = |id: &NodeId| isr.contains(id) && may_lead(id);
    let keeps = state.leader.filter(|leader| in_sync(leader));
    let mut leader = keeps.or_else(|| state.replicas.iter().copied().find(in_sync));
    if leader.is_none() && target.unclean == UncleanElection::Allowed {
        leader = state.replicas.iter().copied().find(may_lead);
        // What the others have beyond the new leader's log is lost; they start over with it.
        isr = leader.map_or(isr, |leader| vec![leader]);
    }
    let leader = match leader {
        _ if leader == state.leader => LeaderChange::Keep,
        Some(leader) => LeaderChange::Set(leader),
        None => LeaderChange::Clear,
    };
    let isr = (isr != state.isr).then_some(isr);
    (isr.is_some() || leader != LeaderChange::Keep).then_some(Change { isr, leader })
}

#[cfg(test)]
mod tests {
    use super::*;
    use topomotion_wire::{LeaderEpoch, PartitionEpoch};

    fn nodes(ids: &[i32]) -> Vec<NodeId> {
        ids.iter().copied().map(NodeId).collect()
    }

    fn state(isr: &[i32], leader: i32) -> PartitionState {
        PartitionState {
            replicas: nodes(&[1, 2, 3]),
            isr: nodes(isr),
            leader: (leader >= 0).then_some(NodeId(leader)),
            leader_epoch: LeaderEpoch(0),
            partition_epoch: PartitionEpoch(0),
            ..PartitionState::default()
        }
    }

    fn without(
        state: &PartitionState,
        leaving: i32,
        alive: &[i32],
        unclean: UncleanElection,
    ) -> Option<Change> {
        let leaving = Some(NodeId(leaving));
        elect(state, Target { leaving, alive: &nodes(alive), unclean })
    }

    const CLEAN: UncleanElection = UncleanElection::Forbidden;

    #[test]
    fn the_first_replica_in_sync_and_alive_leads() {
        let change = without(&state(&[1, 2, 3], 1), 1, &[2, 3], CLEAN).unwrap();
        assert_eq!(change.leader, LeaderChange::Set(NodeId(2)));
        assert_eq!(change.isr, Some(nodes(&[2, 3])));
        let change = without(&state(&[1, 3], 1), 1, &[2, 3], CLEAN).unwrap();
        assert_eq!(change.leader, LeaderChange::Set(NodeId(3)), "2 is not in sync");
    }

    #[test]
    fn a_valid_leader_stays() {
        let change = without(&state(&[1, 2, 3], 3), 1, &[2, 3], CLEAN).unwrap();
        assert_eq!(change.leader, LeaderChange::Keep);
        assert_eq!(change.isr, Some(nodes(&[2, 3])));
        assert_eq!(without(&state(&[2, 3], 3), 1, &[2, 3], CLEAN), None);
    }

    #[test]
    fn the_last_member_stays_in_sync_without_leading() {
        let change = without(&state(&[1], 1), 1, &[2, 3], CLEAN).unwrap();
        assert_eq!(change, Change { isr: None, leader: LeaderChange::Clear });
    }

    #[test]
    fn an_unclean_election_takes_anyone_alive() {
        let allowed = UncleanElection::Allowed;
        let change = without(&state(&[1], 1), 1, &[3], allowed).unwrap();
        assert_eq!(change.leader, LeaderChange::Set(NodeId(3)));
        assert_eq!(change.isr, Some(nodes(&[3])));
    }
}
