//! J10: a producer with one request in flight is told rising offsets. With more it may be told
//! falling ones: a batch that is sent again comes after those that were sent behind it.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::ClusterPlan;
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct Sends {
    /// Producers with one request in flight.
    careful: BTreeSet<Name>,
    told: BTreeMap<(Name, Name), i64>,
}

impl Sends {
    pub fn new(plan: Option<&ClusterPlan>) -> Sends {
        let producers = plan.iter().flat_map(|plan| &plan.producers);
        let one = |settings: &BTreeMap<String, String>| {
            let most = settings.get("max.in.flight.requests.per.connection");
            most.is_some_and(|most| most == "1")
        };
        let careful = producers.filter(|it| one(&it.settings));
        let careful = careful.map(|it| it.process.0.clone()).collect();
        Sends { careful, told: BTreeMap::new() }
    }
}

impl Checker for Sends {
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        let StateChange::BatchAcked {
            process,
            partition,
            base: Some(base),
            count,
            acks,
            ..
        } = change
        else {
            return;
        };
        if !self.careful.contains(process) || &**acks != "all" {
            return;
        }
        let place = (process.clone(), partition.clone());
        let next = self.told.insert(place, base + count).unwrap_or(*base);
        // An unclean election takes offsets back.
        let holds = *base >= next || model.was_unclean(partition);
        bench.demand("J10", holds, || {
            format!("{process} was told offset {base} of {partition} after {next}")
        });
    }
}
