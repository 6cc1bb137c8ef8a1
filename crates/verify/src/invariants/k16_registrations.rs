//! K16 and K17: a broker's epoch is its alone and never falls, and it is unfenced only after
//! it has applied the record of its own registration.

use std::collections::BTreeMap;

use topomotion_sim::Sight;
use topomotion_trace::{BrokerLiveness, StateChange};

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct Registrations {
    owners: BTreeMap<i64, Name>,
    epochs: BTreeMap<Name, i64>,
    applied: BTreeMap<Name, i64>,
}

impl Checker for Registrations {
    fn see(&mut self, _model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        let StateChange::Broker { broker, liveness: BrokerLiveness::Unfenced, .. } =
            change
        else {
            return;
        };
        let epoch = self.epochs.get(broker).copied().unwrap_or(-1);
        let applied = self.applied.get(broker).copied().unwrap_or(0);
        bench.demand("K17", applied > epoch, || {
            format!(
                "{broker} was unfenced at epoch {epoch} and has applied metadata up to \
                 {applied} only"
            )
        });
    }

    fn witness(&mut self, _model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        match sight {
            // A process that was started again has once applied what it had, and its
            // heartbeats say so only anew.
            Sight::Applied { process, offset } => {
                let applied = self.applied.entry(process.clone()).or_default();
                *applied = (*applied).max(*offset);
            }
            Sight::Registered { broker, epoch } => {
                let owner = self.owners.entry(*epoch).or_insert_with(|| broker.clone());
                bench.demand("K16", owner == broker, || {
                    format!(
                        "{owner} and {broker} were both given the broker epoch {epoch}"
                    )
                });
                let before = self.epochs.insert(broker.clone(), *epoch).unwrap_or(*epoch);
                bench.demand("K16", before <= *epoch, || {
                    format!("the broker epoch of {broker} fell from {before} to {epoch}")
                });
            }
            _ => {}
        }
    }
}
