//! What a change of circumstances makes of a partition: its ISR, its eligible leader replicas,
//! its leader, and the end of its reassignment, in one record (CTL-3 to CTL-7, CTL-13).
//!
//! The order is Kafka's: a reassignment that can end ends first; then the ELR is worked out,
//! for it may have to lead; then a leader is elected.

use topomotion_wire::{Defect, LeaderRecovery, NodeId, PartitionState, Rule};

use crate::config::{Elr, UncleanElection};
use crate::metadata::{LeaderChange, PartitionChange};

/// Which leader is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// The one that leads, if it may go on; else the first in order that may.
    Any,
    /// The first replica, if it may lead; else as `Any`.
    Preferred,
    /// As `Any`; if nobody may lead, whoever is alive.
    Unclean,
}

/// What a partition is to become, and by which rules.
#[derive(Debug, Clone)]
pub(super) struct Target<'a> {
    pub(super) isr: Vec<NodeId>,
    /// Who may lead: unfenced, and not about to stop.
    pub(super) alive: &'a [NodeId],
    /// A broker that has lost, or may have lost, what it had.
    pub(super) unclean_shutdown: Option<NodeId>,
    pub(super) wish: Wish,
    pub(super) elr: Elr,
    /// `min.insync.replicas`.
    pub(super) min_isr: usize,
    /// Where the replicas are to be, if that changes.
    pub(super) assignment: Option<Assignment>,
    /// The leader has come to terms with what it has (CTL-4).
    pub(super) recovery: Option<LeaderRecovery>,
}

/// Where a partition's replicas are and are to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assignment {
    pub(super) replicas: Vec<NodeId>,
    pub(super) adding: Vec<NodeId>,
    pub(super) removing: Vec<NodeId>,
}

/// The change that a partition needs, without its name, and the rules that made it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Outcome {
    pub(super) change: PartitionChange,
    pub(super) rules: Vec<Rule>,
}

/// How a leader was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    /// It was in the ISR.
    InSync,
    /// It was in the ELR while the ISR was empty.
    Eligible,
    /// There is none: it may lack records.
    None,
}

/// Works out the change that `state` needs, if it needs one.
pub(super) fn decide(state: &PartitionState, target: &Target<'_>) -> Option<Outcome> {
    let mut next = state.clone();
    let mut rules = Vec::new();
    next.isr.clone_from(&target.isr);
    next.recovery = target.recovery.unwrap_or(state.recovery);
    if let Some(Assignment { replicas, adding, removing }) = &target.assignment {
        next.replicas.clone_from(replicas);
        next.adding.clone_from(adding);
        next.removing.clone_from(removing);
    }
    if next.isr.is_empty() && target.elr == Elr::Off {
        next.isr.clone_from(&state.isr);
        rules.push(Rule::Ctl7);
    }
    if complete_reassignment(&mut next) {
        rules.push(Rule::Ctl13);
    }
    if update_elr(state, &mut next, target) {
        rules.push(Rule::Ctl6);
    }
    elect(state, &mut next, target, &mut rules);
    let change = difference(state, &next);
    let has_changed = change != PartitionChange::default();
    has_changed.then_some(Outcome { change, rules })
}

/// CTL-13: when every replica that is to stay is in sync, the others go.
fn complete_reassignment(next: &mut PartitionState) -> bool {
    if next.adding.is_empty() && next.removing.is_empty() {
        return false;
    }
    let stays = |id: &NodeId| !next.removing.contains(id);
    let replicas: Vec<NodeId> = next.replicas.iter().copied().filter(stays).collect();
    let isr: Vec<NodeId> = next.isr.iter().copied().filter(stays).collect();
    if isr.is_empty() || !replicas.iter().all(|id| isr.contains(id)) {
        return false;
    }
    next.replicas = replicas;
    next.isr = isr;
    next.adding.clear();
    next.removing.clear();
    true
}

/// CTL-6: who leaves an ISR that is too small has everything that is committed, for nothing
/// more is committed there.
fn update_elr(
    state: &PartitionState,
    next: &mut PartitionState,
    target: &Target<'_>,
) -> bool {
    if target.elr == Elr::Off {
        next.elr.clear();
        next.last_known_elr.clear();
        return false;
    }
    if next.isr.len() >= target.min_isr.min(next.replicas.len()) {
        if Defect::ElrNotCleared.is_sown() {
            return false;
        }
        next.elr.clear();
        next.last_known_elr.clear();
        return state.elr != next.elr;
    }
    let candidates = state.isr.iter().chain(&state.elr).copied();
    next.elr = Vec::new();
    for id in candidates {
        let is_gone = next.isr.contains(&id) || Some(id) == target.unclean_shutdown;
        if !is_gone && next.replicas.contains(&id) && !next.elr.contains(&id) {
            next.elr.push(id);
        }
    }
    next.elr.sort();
    state.elr != next.elr
}

fn elect(
    state: &PartitionState,
    next: &mut PartitionState,
    target: &Target<'_>,
    rules: &mut Vec<Rule>,
) {
    let found = find_leader(state, next, target);
    next.leader = found.map(|(leader, _)| leader);
    if next.leader != state.leader {
        rules.push(Rule::Ctl3);
    }
    match found {
        Some((_, Proof::InSync)) => {}
        Some((leader, Proof::Eligible)) => {
            next.isr = vec![leader];
            next.elr.retain(|id| *id != leader);
            // `min.insync.replicas` may have been lowered meanwhile: it commits alone from here
            // on, and the others do not have what it commits (CTL-6).
            if target.min_isr <= 1 {
                next.elr.clear();
            }
        }
        Some((leader, Proof::None)) => {
            // What the others have beyond its log is lost; they start over with it.
            next.isr = vec![leader];
            next.elr.clear();
            next.recovery = LeaderRecovery::Recovering;
            rules.push(Rule::Ctl4);
        }
        None => {}
    }
    if next.leader.is_some() {
        next.last_known_elr.clear();
    } else if next.isr.is_empty() && state.leader.is_some() {
        next.last_known_elr = state.leader.into_iter().collect();
    } else if next.isr.is_empty() {
        next.last_known_elr.clone_from(&state.last_known_elr);
    }
}

fn find_leader(
    state: &PartitionState,
    next: &PartitionState,
    target: &Target<'_>,
) -> Option<(NodeId, Proof)> {
    let is_alive = |id: &NodeId| target.alive.contains(id);
    if Defect::ElectAnyReplica.is_sown() {
        let first = next.replicas.iter().copied().find(is_alive);
        return first.map(|leader| (leader, Proof::InSync));
    }
    let in_sync = |id: &NodeId| next.isr.contains(id) && is_alive(id);
    let eligible =
        |id: &NodeId| next.isr.is_empty() && next.elr.contains(id) && is_alive(id);
    let proven = |id: NodeId| {
        let proof = if next.isr.contains(&id) { Proof::InSync } else { Proof::Eligible };
        (id, proof)
    };
    let may_lead = |id: &NodeId| in_sync(id) || eligible(id);
    let preferred = next.replicas.first().copied();
    let preferred = preferred.filter(|_| target.wish == Wish::Preferred);
    let kept = state.leader.filter(|leader| next.replicas.contains(leader));
    let clean = preferred
        .filter(may_lead)
        .or_else(|| kept.filter(may_lead))
        .or_else(|| next.replicas.iter().copied().find(in_sync))
        .or_else(|| next.replicas.iter().copied().find(eligible));
    if let Some(leader) = clean {
        return Some(proven(leader));
    }
    // Nobody has a proof any more, and nobody can get one: the last leader has most.
    let is_hopeless = target.elr == Elr::On && next.isr.is_empty() && next.elr.is_empty();
    let last_known = match (state.last_known_elr.as_slice(), is_hopeless) {
        ([last], true) => {
            Some(*last).filter(|id| next.replicas.contains(id) && is_alive(id))
        }
        _ => None,
    };
    let anybody = || {
        let allowed = target.wish == Wish::Unclean;
        next.replicas.iter().copied().find(is_alive).filter(|_| allowed)
    };
    last_known.or_else(anybody).map(|leader| (leader, Proof::None))
}

/// The fields that differ; a leader that stays is set again when replicas were taken away, so
/// that they notice by the new leader epoch.
fn difference(state: &PartitionState, next: &PartitionState) -> PartitionChange {
    let changed =
        |old: &Vec<NodeId>, new: &Vec<NodeId>| (old != new).then(|| new.clone());
    let has_lost = state.replicas.iter().any(|id| !next.replicas.contains(id));
    let leader = match next.leader {
        Some(leader) if next.leader != state.leader || has_lost => {
            LeaderChange::Set(leader)
        }
        None if state.leader.is_some() => LeaderChange::Clear,
        _ => LeaderChange::Keep,
    };
    PartitionChange {
        isr: changed(&state.isr, &next.isr),
        leader,
        replicas: changed(&state.replicas, &next.replicas),
        removing: changed(&state.removing, &next.removing),
        adding: changed(&state.adding, &next.adding),
        recovery: (state.recovery != next.recovery).then_some(next.recovery),
        elr: changed(&state.elr, &next.elr),
        last_known_elr: changed(&state.last_known_elr, &next.last_known_elr),
        ..PartitionChange::default()
    }
}

/// How a partition without anybody to lead it may get a leader.
pub(super) fn wish_for(unclean: UncleanElection) -> Wish {
    match unclean {
        _ if Defect::UncleanAlways.is_sown() => Wish::Unclean,
        UncleanElection::Allowed => Wish::Unclean,
        UncleanElection::Forbidden => Wish::Any,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nodes(ids: &[i32]) -> Vec<NodeId> {
        ids.iter().copied().map(NodeId).collect()
    }

    fn state(isr: &[i32], leader: i32) -> PartitionState {
        PartitionState {
            replicas: nodes(&[1, 2, 3]),
            isr: nodes(isr),
            leader: (leader >= 0).then_some(NodeId(leader)),
            ..PartitionState::default()
        }
    }

    fn target<'a>(isr: &[i32], alive: &'a [NodeId]) -> Target<'a> {
        Target {
            isr: nodes(isr),
            alive,
            unclean_shutdown: None,
            wish: Wish::Any,
            elr: Elr::On,
            min_isr: 2,
            assignment: None,
            recovery: None,
        }
    }

    fn change(state: &PartitionState, target: &Target<'_>) -> PartitionChange {
        decide(state, target).expect("something changes").change
    }

    #[test]
    fn the_first_replica_in_sync_and_alive_leads() {
        let alive = nodes(&[2, 3]);
        let made = change(&state(&[1, 2, 3], 1), &target(&[2, 3], &alive));
        assert_eq!(made.leader, LeaderChange::Set(NodeId(2)));
        assert_eq!(made.isr, Some(nodes(&[2, 3])));
        let made = change(&state(&[1, 3], 1), &target(&[3], &alive));
        assert_eq!(made.leader, LeaderChange::Set(NodeId(3)), "2 is not in sync");
    }

    #[test]
    fn a_valid_leader_stays() {
        let alive = nodes(&[2, 3]);
        let made = change(&state(&[1, 2, 3], 3), &target(&[2, 3], &alive));
        assert_eq!(made.leader, LeaderChange::Keep);
        assert_eq!(decide(&state(&[2, 3], 3), &target(&[2, 3], &alive)), None);
    }

    #[test]
    fn without_elr_the_last_member_stays_in_sync_without_leading() {
        let alive = nodes(&[2, 3]);
        let target = Target { elr: Elr::Off, ..target(&[], &alive) };
        let made = change(&state(&[1], 1), &target);
        let leaderless =
            PartitionChange { leader: LeaderChange::Clear, ..PartitionChange::default() };
        assert_eq!(made, leaderless);
    }

    #[test]
    fn below_min_isr_whoever_leaves_stays_eligible() {
        let alive = nodes(&[1]);
        let made = change(&state(&[1, 2], 1), &target(&[1], &alive));
        assert_eq!(made.elr, Some(nodes(&[2])));
        let mut state = state(&[1], 1);
        state.elr = nodes(&[2]);
        let made = change(&state, &target(&[], &[]));
        assert_eq!(made.elr, Some(nodes(&[1, 2])));
        assert_eq!(made.isr, Some(Vec::new()));
        assert_eq!(made.leader, LeaderChange::Clear);
        assert_eq!(made.last_known_elr, Some(nodes(&[1])));
    }

    #[test]
    fn an_eligible_replica_leads_when_the_isr_is_empty() {
        let mut state = state(&[], -1);
        state.elr = nodes(&[1, 2]);
        state.last_known_elr = nodes(&[1]);
        let alive = nodes(&[2, 3]);
        let made = change(&state, &target(&[], &alive));
        assert_eq!(made.leader, LeaderChange::Set(NodeId(2)));
        assert_eq!(made.isr, Some(nodes(&[2])));
        assert_eq!(made.elr, Some(nodes(&[1])));
        assert_eq!(made.recovery, None, "it has everything that was committed");
        assert_eq!(made.last_known_elr, Some(Vec::new()));
    }

    #[test]
    fn who_leads_and_may_commit_alone_leaves_nobody_else_eligible() {
        let mut state = state(&[], -1);
        state.elr = nodes(&[1, 2]);
        let alive = nodes(&[2, 3]);
        let made = change(&state, &Target { min_isr: 1, ..target(&[], &alive) });
        assert_eq!((made.isr, made.elr), (Some(nodes(&[2])), Some(Vec::new())));
    }

    #[test]
    fn who_has_lost_its_disk_is_not_eligible() {
        let mut state = state(&[], -1);
        state.elr = nodes(&[1, 2]);
        let unclean_shutdown = Some(NodeId(2));
        let target = Target { unclean_shutdown, ..target(&[], &[]) };
        assert_eq!(change(&state, &target).elr, Some(nodes(&[1])));
    }

    #[test]
    fn the_last_known_leader_recovers_when_nobody_is_eligible() {
        let mut state = state(&[], -1);
        state.last_known_elr = nodes(&[3]);
        let alive = nodes(&[2]);
        assert_eq!(decide(&state, &target(&[], &alive)), None, "2 knows less");
        let alive = nodes(&[2, 3]);
        let made = change(&state, &target(&[], &alive));
        assert_eq!(made.leader, LeaderChange::Set(NodeId(3)));
        assert_eq!(made.recovery, Some(LeaderRecovery::Recovering));
    }

    #[test]
    fn an_isr_that_is_large_enough_clears_the_elr() {
        let mut state = state(&[1], 1);
        state.elr = nodes(&[2]);
        let alive = nodes(&[1, 2, 3]);
        let made = change(&state, &target(&[1, 3], &alive));
        assert_eq!(made.elr, Some(Vec::new()));
    }

    #[test]
    fn an_unclean_election_takes_anyone_alive_and_says_so() {
        let alive = nodes(&[3]);
        let target = Target { wish: Wish::Unclean, elr: Elr::Off, ..target(&[], &alive) };
        let made = change(&state(&[1], 1), &target);
        assert_eq!(made.leader, LeaderChange::Set(NodeId(3)));
        assert_eq!(made.isr, Some(nodes(&[3])));
        assert_eq!(made.recovery, Some(LeaderRecovery::Recovering));
    }

    #[test]
    fn a_last_known_leader_that_is_no_replica_any_more_does_not_lead() {
        let mut state = state(&[], -1);
        state.last_known_elr = nodes(&[4]);
        let alive = nodes(&[1, 2, 3, 4]);
        assert_eq!(decide(&state, &target(&[], &alive)), None);
        state.replicas.push(NodeId(4));
        let made = change(&state, &target(&[], &alive));
        assert_eq!(made.leader, LeaderChange::Set(NodeId(4)));
    }

    #[test]
    fn a_preferred_election_moves_only_to_a_replica_in_sync() {
        let alive = nodes(&[1, 2, 3]);
        let preferred = |isr: &[i32]| {
            let target = Target { wish: Wish::Preferred, ..target(isr, &alive) };
            decide(&state(isr, 2), &target).map(|outcome| outcome.change.leader)
        };
        assert_eq!(preferred(&[1, 2, 3]), Some(LeaderChange::Set(NodeId(1))));
        assert_eq!(preferred(&[2, 3]), None);
    }

    #[test]
    fn a_reassignment_ends_when_every_target_is_in_sync() {
        let mut state = state(&[1, 2, 3], 1);
        state.replicas = nodes(&[4, 5, 1, 2, 3]);
        (state.adding, state.removing) = (nodes(&[4, 5]), nodes(&[1, 2, 3]));
        let alive = nodes(&[1, 2, 3, 4, 5]);
        let made = change(&state, &target(&[1, 2, 3, 4], &alive));
        assert_eq!(made.replicas, None, "5 is still missing");
        let made = change(&state, &target(&[1, 2, 3, 4, 5], &alive));
        assert_eq!(made.replicas, Some(nodes(&[4, 5])));
        assert_eq!(made.isr, Some(nodes(&[4, 5])));
        assert_eq!(made.leader, LeaderChange::Set(NodeId(4)));
        assert_eq!((made.adding, made.removing), (Some(Vec::new()), Some(Vec::new())));
    }
}
