//! What has happened so far, as far as a judge needs it: it is part of the state.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_wire::{
    Acks, BrokerEpoch, Fact, NodeId, Offset, PartitionState, QuorumRole,
};

use crate::digest::Digest;
use crate::disk::Entry;

/// A record that the producer was told is safe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promise {
    /// Its batch.
    pub batch: u32,
    /// Where the leader said that it stands.
    pub base: i64,
    /// What was asked for.
    pub acks: Acks,
}

/// What has happened.
#[derive(Debug, Clone, Default)]
pub struct History {
    /// Who has led the quorum, by epoch.
    pub leaders: BTreeMap<i32, BTreeSet<i32>>,
    /// Every registration of the partition that some node has applied, by partition epoch.
    pub registrations: BTreeMap<i32, PartitionState>,
    /// The longest metadata log that anybody has called committed.
    pub committed: Vec<Entry>,
    /// What the producer was told.
    pub promises: Vec<Promise>,
    /// Batches in the order in which they were first sent.
    pub sent: Vec<u32>,
    /// Nodes that have lost data, with the registration that they had then. A later one says
    /// that the controller knows.
    pub unsound: BTreeMap<NodeId, BrokerEpoch>,
}

impl History {
    /// Takes in what a machine says has become true there.
    pub(crate) fn note(&mut self, node: Option<NodeId>, fact: &Fact) {
        match (fact, node) {
            (
                Fact::QuorumRole { role: QuorumRole::Leader, epoch, .. },
                Some(NodeId(node)),
            ) => {
                self.leaders.entry(epoch.0).or_default().insert(node);
            }
            (Fact::BatchSent { batch, .. }, _) if !self.sent.contains(&batch.0) => {
                self.sent.push(batch.0);
            }
            (Fact::BatchAcked { batch, acks, base: Some(Offset(base)), .. }, _) => {
                self.promises.push(Promise { batch: batch.0, base: *base, acks: *acks });
            }
            _ => {}
        }
    }

    /// The registration that was committed last.
    pub fn registration(&self) -> Option<&PartitionState> {
        self.registrations.last_key_value().map(|(_, state)| state)
    }

    /// Digest of everything that a later verdict can depend on.
    pub(crate) fn digest(&self) -> u64 {
        let mut digest = Digest::default();
        for (epoch, leaders) in &self.leaders {
            digest.word(*epoch as u64);
            leaders.iter().for_each(|leader| digest.word(*leader as u64));
        }
        for (epoch, state) in &self.registrations {
            digest.word(*epoch as u64);
            state.isr.iter().for_each(|member| digest.word(member.0 as u64));
        }
        digest.word(self.committed.len() as u64);
        self.committed.iter().for_each(|entry| digest.word(entry.content));
        for promise in &self.promises {
            let number = self.sent.iter().position(|sent| *sent == promise.batch);
            digest.word(number.map_or(u64::MAX, |number| number as u64));
            digest.word(promise.base as u64);
            digest.word(u64::from(promise.acks == Acks::All));
        }
        for (node, epoch) in &self.unsound {
            digest.word(node.0 as u64);
            digest.word(epoch.0 as u64);
        }
        digest.value()
    }
}
