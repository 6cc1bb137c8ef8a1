//! The observer: it keeps its own record of what was promised, and never asks the engine
//! whether the engine is right (K1 to K6).

use std::collections::BTreeMap;

use topomotion_log::{Log, LogConfig};
use topomotion_quorum::{Quorum, metadata_partition};
use topomotion_wire::messages::{RequestKind, ResponseKind};
use topomotion_wire::{
    BatchId, Fact, Files, LeaderEpoch, NodeId, Offset, QuorumEpoch, QuorumRole,
};

/// A committed batch as it was first seen.
type Committed = (Offset, LeaderEpoch, BatchId);

#[derive(Debug)]
pub struct Judge {
    voters: Vec<NodeId>,
    leaders: BTreeMap<QuorumEpoch, NodeId>,
    votes: BTreeMap<(NodeId, i32), i32>,
    epochs: BTreeMap<NodeId, QuorumEpoch>,
    /// Within one life of the node.
    high_watermarks: BTreeMap<NodeId, Offset>,
    committed: Vec<Committed>,
}

impl Judge {
    pub fn new(voters: Vec<NodeId>) -> Judge {
        Judge {
            voters,
            leaders: BTreeMap::new(),
            votes: BTreeMap::new(),
            epochs: BTreeMap::new(),
            high_watermarks: BTreeMap::new(),
            committed: Vec::new(),
        }
    }

    pub fn started(&mut self, id: NodeId) {
        self.high_watermarks.remove(&id);
    }

    pub fn look(&mut self, quorum: &Quorum) {
        let id = quorum.node();
        let mark = quorum.high_watermark();
        let before = self.high_watermarks.insert(id, mark).unwrap_or_default();
        assert!(before <= mark, "K4: the high watermark of {id} fell");
        assert!(mark <= quorum.log().end_offset(), "REP-1");
    }

    pub fn hear(&mut self, id: NodeId, fact: &Fact) {
        if let Fact::QuorumRole { role: QuorumRole::Leader, epoch, .. } = fact {
            let first = *self.leaders.entry(*epoch).or_insert(id);
            assert_eq!(first, id, "K1: two leaders in epoch {epoch}");
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
        let batches = quorum.log().batches(Offset(0), up_to);
        let seen = batches.map(|b| (b.base_offset(), b.leader_epoch(), b.id()));
        for (at, batch) in seen.enumerate() {
            match self.committed.get(at) {
                Some(known) => {
                    assert_eq!(*known, batch, "K6: {} disagrees", quorum.node());
                }
                None => self.committed.push(batch),
            }
        }
        self.check_majority(disks);
    }

    /// K5: what was ever called committed is on the disks of a majority, byte for byte.
    fn check_majority(&self, disks: &BTreeMap<NodeId, &Files>) {
        let holds_all = |id: &&NodeId| {
            let config = LogConfig::one_segment();
            let log = Log::recover(metadata_partition(), config, disks[*id]);
            let batches = log.batches(Offset(0), log.end_offset());
            let held: Vec<Committed> =
                batches.map(|b| (b.base_offset(), b.leader_epoch(), b.id())).collect();
            held.starts_with(&self.committed)
        };
        let holders = self.voters.iter().filter(holds_all).count();
        assert!(
            holders > self.voters.len() / 2,
            "K5: only {holders} voters have it on disk"
        );
    }
}
