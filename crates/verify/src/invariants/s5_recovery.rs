//! S5: a killed process finds its log as it was; a power loss takes a suffix at most.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::Sight;
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct Recovery {
    ends: BTreeMap<(Name, Name), i64>,
    /// Whoever has lost power and whose replicas have not been found again.
    in_doubt: BTreeSet<(Name, Name)>,
}

impl Checker for Recovery {
    fn see(&mut self, _model: &Model, change: &StateChange, _bench: &mut Bench<'_>) {
        match change {
            StateChange::Appended { process, partition, base, count, .. } => {
                self.ends.insert((process.clone(), partition.clone()), base + count);
            }
            StateChange::Truncated { process, partition, end } => {
                self.ends.insert((process.clone(), partition.clone()), *end);
            }
            _ => {}
        }
    }

    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        match sight {
            Sight::LostPower(process) => {
                let lost = self.ends.keys().filter(|(other, _)| other == process);
                self.in_doubt.extend(lost.cloned().collect::<Vec<_>>());
            }
            Sight::Found { process, partition, end } => {
                let place = (process.clone(), partition.clone());
                let in_doubt = self.in_doubt.remove(&place);
                let known = self.ends.insert(place, *end).unwrap_or(*end);
                // What was taken from it and given back may have been thrown away.
                if model.was_moved(process, partition) {
                    return;
                }
                // Killed by its disk while it began anew at its leader's log start (TRN-4), it
                // could not tell.
                let begins_anew = *end > known && *end <= model.deleted_below(partition);
                let is_as_told = if in_doubt { *end <= known } else { *end == known };
                let holds = is_as_told || begins_anew;
                bench.demand("S5", holds, || {
                    format!(
                        "{process} found its log of {partition} to end at {end}; it had \
                         written up to {known}"
                    )
                });
            }
            _ => {}
        }
    }
}
