//! K7: whoever is elected has everything that was committed in earlier epochs. A candidate that
//! stood still may hear late that it was elected: what its successors have committed meanwhile
//! it cannot have.

use std::collections::BTreeMap;

use topomotion_sim::Sight;
use topomotion_trace::{QuorumRole, StateChange};

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct Completeness {
    committed: i64,
    /// The epoch in which each node led last.
    epochs: BTreeMap<Name, i32>,
    /// What was committed when the leader of each epoch was elected.
    before: BTreeMap<i32, i64>,
}

impl Checker for Completeness {
    fn see(&mut self, _model: &Model, change: &StateChange, _bench: &mut Bench<'_>) {
        if let StateChange::Quorum { process, role: QuorumRole::Leader, epoch } = change {
            self.epochs.insert(process.clone(), *epoch);
        }
    }

    fn witness(&mut self, _model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        match sight {
            Sight::Applied { offset, .. } => self.committed = self.committed.max(*offset),
            Sight::Elected { process, end } => {
                let epoch = self.epochs.get(process).copied().unwrap_or(i32::MAX - 1);
                let mut successors = self.before.range(epoch + 1..);
                let committed = successors.next().map_or(self.committed, |(_, it)| *it);
                self.before.insert(epoch, self.committed);
                bench.demand("K7", *end >= committed, || {
                    format!(
                        "{process} was elected with metadata up to {end}; up to \
                         {committed} was committed"
                    )
                });
            }
            _ => {}
        }
    }
}
