//! R23: a log grows at its end, without gaps and without writing over anything.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::Sight;
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};
use crate::replication::is_metadata;

#[derive(Debug, Default)]
pub(crate) struct Dense {
    ends: BTreeMap<(Name, Name), i64>,
    /// Replicas that were taken away since: what comes back begins anew.
    taken: BTreeSet<(Name, Name)>,
    /// Who held a replica until now, also those whose log nobody knows: a broker that was away
    /// while it lost one finds the old log again when it hears of the next.
    replicas: BTreeMap<Name, Vec<Name>>,
}

impl Checker for Dense {
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        match change {
            StateChange::Appended { process, partition, base, count, .. } => {
                let place = (process.clone(), partition.clone());
                let is_new = self.taken.remove(&place);
                let end = self.ends.entry(place).or_insert(*base);
                if is_new && *base < *end {
                    *end = *base;
                }
                // A metadata log begins anew behind a snapshot; of what its leader has
                // compacted a follower is given the rest.
                let compacted = model.compacted();
                let follows = *base == *end
                    || is_metadata(partition) && *base > *end
                    || *base > *end && compacted.is_gone(partition, *end..*base);
                bench.demand("R23", follows && *count > 0, || {
                    format!(
                        "{process} appended {count} records to {partition} at {base}; its \
                         log ended at {end}"
                    )
                });
                *end = base + count;
            }
            StateChange::Registration { partition, replicas, .. } => {
                let before = self.replicas.insert(partition.clone(), replicas.clone());
                let held = before.into_iter().flatten();
                let logs = self.ends.keys().filter(|(_, of)| of == partition);
                let gone = held.chain(logs.map(|(process, _)| process.clone()));
                let gone = gone.filter(|process| !replicas.contains(process));
                self.taken.extend(gone.map(|process| (process, partition.clone())));
            }
            // Until now it may have gone on, not knowing that it had been relieved.
            StateChange::Replica { process, partition, leader: None, .. }
                if model.was_moved(process, partition) =>
            {
                self.taken.insert((process.clone(), partition.clone()));
            }
            StateChange::Truncated { process, partition, end } => {
                self.ends.insert((process.clone(), partition.clone()), *end);
            }
            _ => {}
        }
    }

    fn witness(&mut self, _model: &Model, sight: &Sight, _bench: &mut Bench<'_>) {
        match sight {
            Sight::Found { process, partition, end } => {
                self.ends.insert((process.clone(), partition.clone()), *end);
            }
            // How much of it is left is told when it is found, or by what comes next.
            Sight::LostPower(process) => {
                self.ends.retain(|(other, _), _| other != process);
            }
            _ => {}
        }
    }
}
