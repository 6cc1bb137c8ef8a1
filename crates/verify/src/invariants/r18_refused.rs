//! R18: what is refused for want of in-sync replicas was not written by that request.
//!
//! Of a transaction's batch that was sent again one request may be written in the same instant in
//! which another, of which the coordinator could not be asked, is refused with the same error
//! (KIP-890).

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::Sight;
use topomotion_trace::{StateChange, Time};

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name, Replica, StampKind};

#[derive(Debug, Default)]
pub(crate) struct Refusals {
    /// When each replica last wrote something, and what. The answer comes at once.
    written: BTreeMap<(Name, Name), (Time, Vec<u32>)>,
    sent: BTreeSet<(Name, u32)>,
    /// Batches that were sent more than once.
    sent_again: BTreeSet<(Name, u32)>,
}

impl Checker for Refusals {
    fn see(&mut self, _model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        if let StateChange::BatchSent { partition, batch, .. } = change
            && !self.sent.insert((partition.clone(), *batch))
        {
            self.sent_again.insert((partition.clone(), *batch));
        }
        let StateChange::Appended { process, partition, batch, .. } = change else {
            return;
        };
        let place = (process.clone(), partition.clone());
        let now = bench.at();
        let (at, batches) = self.written.entry(place).or_default();
        if *at != now {
            batches.clear();
        }
        *at = now;
        batches.push(*batch);
    }

    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        let Sight::Refused { leader, partition, batches } = sight else { return };
        let now = bench.at();
        let place = (leader.clone(), partition.clone());
        let written = self.written.get(&place).filter(|(at, _)| *at == now);
        let both = written.is_some_and(|(_, written)| {
            let by_another = |batch: &u32| {
                self.sent_again.contains(&(partition.clone(), *batch))
                    && is_of_a_transaction(model, &place, *batch)
            };
            batches.iter().any(|batch| written.contains(batch) && !by_another(batch))
        });
        bench.demand("R18", !both, || {
            format!(
                "{leader} refused records of {partition} for want of in-sync replicas, \
                 and wrote them"
            )
        });
    }
}

/// Whether a batch that a replica has just written belongs to a transaction.
fn is_of_a_transaction(
    model: &Model,
    (process, partition): &(Name, Name),
    batch: u32,
) -> bool {
    let newest = |replica: &&Replica| {
        let entry = replica.log.iter().rev().find(|entry| entry.batch == batch);
        let kind = entry.and_then(|entry| entry.stamp).map(|stamp| stamp.kind);
        matches!(kind, Some(StampKind::InTransaction(_)))
    };
    model.replica(process, partition).filter(newest).is_some()
}
