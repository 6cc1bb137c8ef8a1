//! Who votes: the set in force, and the sets that were before it (KIP-853, RAFT-10).
//!
//! A voter set is a control record of the log, and in force from the moment it is appended.
//! When its record is cut off, the one before it is in force again.

use std::collections::BTreeMap;

use topomotion_wire::{Endpoint, NodeId, Offset};

/// The voters, and where each of them listens, as far as that is known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VoterSet {
    voters: BTreeMap<NodeId, Option<Endpoint>>,
}

impl VoterSet {
    /// These voters, at these endpoints.
    pub fn new(voters: impl IntoIterator<Item = (NodeId, Option<Endpoint>)>) -> VoterSet {
        VoterSet { voters: voters.into_iter().collect() }
    }

    /// The voters in the order of their ids.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> {
        self.voters.keys().copied()
    }

    /// Each voter with its endpoint.
    pub fn iter(&self) -> impl Iterator<Item = (NodeId, Option<&Endpoint>)> {
        self.voters.iter().map(|(id, endpoint)| (*id, endpoint.as_ref()))
    }

    /// Where a voter listens, if that is known.
    pub fn endpoint(&self, id: NodeId) -> Option<&Endpoint> {
        self.voters.get(&id)?.as_ref()
    }

    /// Whether this node has a vote.
    pub fn contains(&self, id: NodeId) -> bool {
        self.voters.contains_key(&id)
    }

    /// How many voters there are.
    pub fn len(&self) -> usize {
        self.voters.len()
    }

    /// Whether nobody votes.
    pub fn is_empty(&self) -> bool {
        self.voters.is_empty()
    }

    /// How many voters make a majority.
    pub fn majority(&self) -> usize {
        self.voters.len() / 2 + 1
    }

    pub(crate) fn with(&self, id: NodeId, endpoint: Option<Endpoint>) -> VoterSet {
        let mut voters = self.voters.clone();
        voters.insert(id, endpoint);
        VoterSet { voters }
    }

    pub(crate) fn without(&self, id: NodeId) -> VoterSet {
        let mut voters = self.voters.clone();
        voters.remove(&id);
        VoterSet { voters }
    }
}

/// The sets that the log (or the snapshot before it) names, by the offsets of their records.
#[derive(Debug, Clone)]
pub(crate) struct VoterHistory {
    initial: VoterSet,
    recorded: Vec<(Offset, VoterSet)>,
}

impl VoterHistory {
    /// `initial` is in force until a record says otherwise.
    pub(crate) fn new(initial: VoterSet) -> VoterHistory {
        VoterHistory { initial, recorded: Vec::new() }
    }

    pub(crate) fn current(&self) -> &VoterSet {
        self.recorded.last().map_or(&self.initial, |(_, set)| set)
    }

    /// The set that the records below an offset tell.
    pub(crate) fn below(&self, offset: Offset) -> &VoterSet {
        let mut recorded = self.recorded.iter().rev();
        recorded.find(|(at, _)| *at < offset).map_or(&self.initial, |(_, set)| set)
    }

    /// Where the set in force is recorded, if it is.
    pub(crate) fn recorded_at(&self) -> Option<Offset> {
        self.recorded.last().map(|(offset, _)| *offset)
    }

    /// The set that was in force before the one that is.
    pub(crate) fn previous(&self) -> &VoterSet {
        let before =
            self.recorded.len().checked_sub(2).and_then(|at| self.recorded.get(at));
        before.map_or(&self.initial, |(_, set)| set)
    }

    /// The recorded set that was in force at the end of the log's first `end` records.
    pub(crate) fn recorded_before(&self, end: Offset) -> Option<&VoterSet> {
        let before = self.recorded.iter().rfind(|(offset, _)| *offset < end);
        before.map(|(_, set)| set)
    }

    /// Where a voter listens, or listened while it was one: a leader that removes itself is
    /// still to be fetched from.
    pub(crate) fn endpoint(&self, id: NodeId) -> Option<&Endpoint> {
        let sets = self.recorded.iter().rev().map(|(_, set)| set);
        sets.chain([&self.initial]).find_map(|set| set.endpoint(id))
    }

    pub(crate) fn record(&mut self, at: Offset, set: VoterSet) {
        if self.recorded_at().is_none_or(|last| last < at) {
            self.recorded.push((at, set));
        }
    }

    /// The log now ends at `end`.
    pub(crate) fn truncate(&mut self, end: Offset) {
        self.recorded.retain(|(offset, _)| *offset < end);
    }

    /// The log now begins with a snapshot, and this is what it says.
    pub(crate) fn restart(&mut self, end: Offset, set: Option<VoterSet>) {
        self.recorded.clear();
        self.recorded.extend(set.map(|set| (Offset(end.0 - 1), set)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ids: &[i32]) -> VoterSet {
        VoterSet::new(ids.iter().map(|id| (NodeId(*id), None)))
    }

    #[test]
    fn a_set_that_is_cut_off_gives_way_to_the_one_before() {
        let mut history = VoterHistory::new(set(&[1]));
        assert_eq!(history.recorded_at(), None);
        history.record(Offset(3), set(&[1, 2]));
        history.record(Offset(9), set(&[1, 2, 3]));
        assert_eq!(history.current().majority(), 2);
        assert_eq!(history.recorded_before(Offset(9)), Some(&set(&[1, 2])));
        history.truncate(Offset(9));
        assert_eq!(history.current(), &set(&[1, 2]));
        history.truncate(Offset(0));
        assert_eq!(history.current(), &set(&[1]));
    }

    #[test]
    fn a_voter_that_was_removed_can_still_be_found() {
        let endpoint = Endpoint { host: "nine".into(), port: 9093 };
        let mut history = VoterHistory::new(set(&[1, 2]));
        let nine = VoterSet::new([(NodeId(9), Some(endpoint.clone()))]);
        history.record(Offset(3), nine);
        history.record(Offset(5), set(&[1, 2]));
        assert_eq!(history.endpoint(NodeId(9)), Some(&endpoint));
        assert_eq!(history.endpoint(NodeId(1)), None);
    }

    #[test]
    fn a_majority_is_more_than_half() {
        let majorities: Vec<_> =
            (1..=5).map(|n| set(&(1..=n).collect::<Vec<_>>()).majority()).collect();
        assert_eq!(majorities, [1, 2, 2, 3, 3]);
    }
}
