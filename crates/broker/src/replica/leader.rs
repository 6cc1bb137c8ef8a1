//! What a leader remembers: how far each follower has come, and what it has proposed.
//!
//! All of it is soft state of one leadership; a new leader starts with nothing and learns
//! from the fetches that reach it (REP-16).

use std::collections::BTreeMap;

use topomotion_wire::{
    BrokerEpoch, Duration, Instant, NodeId, Offset, PartitionState, ProducerId,
};

use super::Site;
use super::isr::Proposal;

/// One leadership of one partition.
#[derive(Debug, Clone)]
pub(super) struct Leadership {
    /// Where the log ended when this leadership began.
    pub(super) start: Offset,
    pub(super) followers: BTreeMap<NodeId, Follower>,
    /// The one ISR change under way (REP-11).
    pub(super) proposal: Option<Proposal>,
    /// Where the last marker of each producer stands that was appended in this leadership.
    pub(super) markers: BTreeMap<ProducerId, Offset>,
}

impl Leadership {
    pub(super) fn new(
        site: Site<'_>,
        state: &PartitionState,
        start: Offset,
    ) -> Leadership {
        // A member of the ISR is given the time that a follower may lag to show itself.
        let follower = |&id: &NodeId| {
            let caught_up_at = state.isr.contains(&id).then_some(site.now);
            (id, Follower { caught_up_at, ..Follower::default() })
        };
        let others = state.replicas.iter().filter(|&&id| id != site.me);
        Leadership {
            start,
            followers: others.map(follower).collect(),
            proposal: None,
            markers: BTreeMap::new(),
        }
    }

    /// Replicas have come or gone within this leadership (CTL-13): whoever comes has yet to
    /// show how far it is.
    pub(super) fn match_replicas(&mut self, me: NodeId, state: &PartitionState) {
        self.followers.retain(|id, _| state.replicas.contains(id));
        for &id in state.replicas.iter().filter(|id| **id != me) {
            self.followers.entry(id).or_default();
        }
    }

    /// The ISR that counts: the larger set until a proposed change is decided (REP-3).
    pub(super) fn maximal_isr<'a>(&'a self, state: &'a PartitionState) -> &'a [NodeId] {
        self.proposal.as_ref().map_or(&state.isr, |proposal| &proposal.maximal)
    }
}

/// A follower, as its fetches show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Follower {
    /// Its log end: the offset of its last fetch. Unknown before the first.
    pub(super) log_end: Option<Offset>,
    /// The incarnation that fetched.
    pub(super) broker_epoch: Option<BrokerEpoch>,
    /// When it last had everything that the leader had.
    pub(super) caught_up_at: Option<Instant>,
    /// Where its log starts, as its last fetch said.
    pub(super) log_start: Option<Offset>,
    /// When it last fetched, and where the leader's log ended then.
    last_fetch: Option<(Instant, Offset)>,
}

impl Follower {
    /// A fetch at `offset` says that everything before it is on the follower's disk.
    pub(super) fn note_fetch(
        &mut self,
        now: Instant,
        offset: Offset,
        epoch: Option<BrokerEpoch>,
        leader_end: Offset,
    ) {
        if offset >= leader_end {
            self.caught_up_at = Some(now);
        } else if let Some((at, _)) = self.last_fetch.filter(|&(_, end)| offset >= end) {
            self.caught_up_at = self.caught_up_at.max(Some(at));
        }
        self.log_end = Some(offset);
        self.broker_epoch = epoch;
        self.last_fetch = Some((now, leader_end));
    }

    /// Caught up now, or not longer ago than a follower may lag (REP-10).
    pub(super) fn is_caught_up(
        &self,
        now: Instant,
        leader_end: Offset,
        lag_max: Duration,
    ) -> bool {
        let is_level = self.log_end == Some(leader_end);
        is_level || self.caught_up_at.is_some_and(|at| now.since(at) <= lag_max)
    }

    /// From when on it counts as lagging, if nothing more is heard of it. None while it has
    /// everything.
    pub(super) fn lags_from(
        &self,
        leader_end: Offset,
        lag_max: Duration,
    ) -> Option<Instant> {
        if self.log_end == Some(leader_end) {
            return None;
        }
        let caught_up_at = self.caught_up_at.unwrap_or(Instant::ZERO);
        Some(caught_up_at + lag_max + Duration::from_micros(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAG: Duration = Duration::from_millis(30_000);

    fn at(ms: u64) -> Instant {
        Instant::ZERO + Duration::from_millis(ms)
    }

    #[test]
    fn a_fetch_at_the_end_of_the_last_one_was_caught_up_then() {
        let mut follower = Follower::default();
        follower.note_fetch(at(1_000), Offset(0), None, Offset(10));
        assert!(!follower.is_caught_up(at(1_000), Offset(10), LAG));
        follower.note_fetch(at(9_000), Offset(10), None, Offset(20));
        assert!(follower.is_caught_up(at(31_000), Offset(30), LAG), "level at 1 s");
        assert!(!follower.is_caught_up(at(31_001), Offset(30), LAG));
    }

    #[test]
    fn whoever_has_everything_never_lags() {
        let mut follower = Follower::default();
        follower.note_fetch(at(0), Offset(10), None, Offset(10));
        assert!(follower.is_caught_up(at(90_000), Offset(10), LAG));
        assert_eq!(follower.lags_from(Offset(10), LAG), None);
        let from = follower.lags_from(Offset(11), LAG).unwrap();
        assert!(from > at(30_000) && from < at(30_001));
    }
}
