//! The observer: it keeps its own record of what was promised, and never asks the engine
//! whether the engine is right (K1 to K9).

use std::collections::BTreeMap;

use topomotion_log::{Log, LogConfig};
use topomotion_quorum::{Quorum, metadata_partition};
use topomotion_wire::messages::{RequestKind, ResponseKind};
use topomotion_wire::{
    BatchId, Bytes, Fact, FileName, Files, LeaderEpoch, NodeId, Offset, QuorumEpoch,
    QuorumRole,
};

/// Batches by their first offset, with epoch and identity.
type Batches = BTreeMap<Offset, (LeaderEpoch, BatchId)>;

#[derive(Debug, Default)]
pub struct Judge {
    leaders: BTreeMap<QuorumEpoch, NodeId>,
    votes: BTreeMap<(NodeId, i32), i32>,
    epochs: BTreeMap<NodeId, QuorumEpoch>,
    /// Within one life of the node.
    high_watermarks: BTreeMap<NodeId, Offset>,
    /// As each was first seen.
    committed: Batches,
    /// The committed values in order.
    machine: Vec<Bytes>,
}

fn batches_of(log: &Log) -> Batches {
    let batches = log.batches(log.start_offset(), log.end_offset());
    batches.map(|b| (b.base_offset(), (b.leader_epoch(), b.id()))).collect()
}

/// Log matching: the same record of the same epoch means the same history before it.
pub fn check_matching(one: &Quorum, other: &Quorum) {
    let (left, right) = (batches_of(one.log()), batches_of(other.log()));
    let same_epoch = |(at, (epoch, _)): &(&Offset, &(LeaderEpoch, BatchId))| {
        right.get(at).is_some_and(|(other, _)| other == epoch)
    };
    let Some((&last, _)) = left.iter().rfind(same_epoch) else { return };
    for (at, batch) in left.range(..=last) {
        let Some(theirs) = right.get(at) else { continue };
        let (one, other) = (one.node(), other.node());
        assert_eq!(batch, theirs, "log matching: {one} and {other} at {at}");
    }
}

impl Judge {
    pub fn started(&mut self, id: NodeId) {
        self.high_watermarks.remove(&id);
    }

    pub fn look(&mut self, quorum: &Quorum, files: &Files) {
        let id = quorum.node();
        let mark = quorum.high_watermark();
        let before = self.high_watermarks.insert(id, mark).unwrap_or_default();
        assert!(before <= mark, "K4: the high watermark of {id} fell");
        assert!(mark <= quorum.log().end_offset(), "REP-1");
        let start = quorum.log().start_offset();
        let ends_there = |name: &FileName| snapshot_end(name) == Some(start);
        let is_rooted = start == Offset(0) || files.keys().any(ends_there);
        assert!(is_rooted, "K9: nothing on the disk of {id} says what is before {start}");
    }

    pub fn hear(&mut self, quorum: &Quorum, fact: &Fact) {
        let id = quorum.node();
        if let Fact::QuorumRole { role: QuorumRole::Leader, epoch, .. } = fact {
            let first = *self.leaders.entry(*epoch).or_insert(id);
            assert_eq!(first, id, "K1: two leaders in epoch {epoch}");
            let log = quorum.log();
            let held = batches_of(log);
            for (at, batch) in self.committed.range(log.start_offset()..) {
                assert_eq!(held.get(at), Some(batch), "K7: {id} lacks {at}");
            }
        }
    }

    /// K2 and K3: judged by what others get to hear.
    pub fn replied(
        &mut self,
        id: NodeId,
        request: &RequestKind,
        response: &ResponseKind,
    ) {
        let (RequestKind::Vote(request), ResponseKind::Vote(response)) =
            (request, response)
        else {
            return;
        };
        let asked = &request.topics[0].partitions[0];
        let said = &response.topics[0].partitions[0];
        let epoch = QuorumEpoch(said.leader_epoch);
        let before = self.epochs.insert(id, epoch).unwrap_or_default();
        assert!(before <= epoch, "K3: the epoch of {id} fell from {before} to {epoch}");
        if said.vote_granted && !asked.pre_vote {
            let vote = self.votes.entry((id, asked.replica_epoch));
            let first = *vote.or_insert(asked.replica_id.0);
            assert_eq!(first, asked.replica_id.0, "K2: {id} voted twice in {epoch}");
        }
    }

    pub fn committed(
        &mut self,
        quorum: &Quorum,
        up_to: Offset,
        disks: &BTreeMap<NodeId, &Files>,
    ) {
        let id = quorum.node();
        let log = quorum.log();
        for batch in log.batches(log.start_offset(), up_to) {
            let (at, seen) = (batch.base_offset(), (batch.leader_epoch(), batch.id()));
            let known = *self.committed.entry(at).or_insert(seen);
            assert_eq!(known, seen, "K6: {id} disagrees at {at}");
        }
        if quorum.is_leader() {
            let voters: Vec<NodeId> = quorum.voters().ids().collect();
            let holders = voters.iter().filter(|id| self.is_held_by(disks[*id])).count();
            assert!(
                holders > voters.len() / 2,
                "K5: only {holders} of {voters:?} have it on disk"
            );
        }
    }

    /// Every node's machine has gone through the same values.
    pub fn applied(&mut self, id: NodeId, machine: &[Bytes]) {
        let common = machine.len().min(self.machine.len());
        assert_eq!(machine[..common], self.machine[..common], "the machine of {id}");
        self.machine.extend_from_slice(&machine[common..]);
    }

    /// K5: what was ever called committed is on this disk, byte for byte, or in a snapshot.
    fn is_held_by(&self, files: &Files) -> bool {
        let covered = files.keys().filter_map(|name| snapshot_end(name)).max();
        let covered = covered.unwrap_or_default();
        let mut rest = self.committed.range(covered..).peekable();
        if rest.peek().is_none() {
            return true;
        }
        let is_log = |name: &&FileName| name.ends_with(".log");
        let mut logs = files.keys().filter(is_log).map(|name| {
            let other_log = |other: &FileName| other.ends_with(".log") && other != name;
            let own = files.iter().filter(|(other, _)| !other_log(other));
            let own: Files = own.map(|(n, bytes)| (n.clone(), bytes.clone())).collect();
            let config = LogConfig::one_segment();
            batches_of(&Log::recover(metadata_partition(), config, &own))
        });
        logs.any(|held| rest.clone().all(|(at, batch)| held.get(at) == Some(batch)))
    }
}

fn snapshot_end(name: &str) -> Option<Offset> {
    let stem = name.strip_suffix(".checkpoint")?.rsplit('/').next()?;
    stem.split('-').next()?.parse().ok().map(Offset)
}
