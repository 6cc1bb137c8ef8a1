//! R11: while the ISR is smaller than `min.insync.replicas`, the high watermark stands still.

use std::collections::BTreeMap;

use topomotion_sim::{Asked, ClusterPlan, Sight};
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct MinIsr {
    /// The effective minimum of each topic.
    least: BTreeMap<String, usize>,
    /// How many replicas each partition has: no minimum is above that.
    replicas: BTreeMap<Name, usize>,
    /// Each replica's high watermark, before it moved last and since.
    reached: BTreeMap<(Name, Name), (i64, i64)>,
}

impl MinIsr {
    pub fn new(plan: Option<&ClusterPlan>) -> MinIsr {
        let mut least = BTreeMap::new();
        for topic in plan.iter().flat_map(|plan| &plan.topics) {
            let own = topic.settings.get("min.insync.replicas");
            let set = own.or_else(|| plan?.settings.get("min.insync.replicas"));
            let wanted = set.and_then(|text| text.parse().ok()).unwrap_or(1);
            let factor = topic.assignment.iter().map(Vec::len).min().unwrap_or(1);
            least.insert(topic.name.clone(), factor.min(wanted));
        }
        MinIsr { least, ..MinIsr::default() }
    }
}

impl Checker for MinIsr {
    fn see(&mut self, _model: &Model, change: &StateChange, _bench: &mut Bench<'_>) {
        match change {
            StateChange::HighWatermark { process, partition, offset } => {
                let place = (process.clone(), partition.clone());
                let reached = self.reached.entry(place).or_default();
                *reached = (reached.1, *offset);
            }
            StateChange::Truncated { process, partition, end } => {
                let place = (process.clone(), partition.clone());
                let reached = self.reached.entry(place).or_default();
                reached.1 = reached.1.min(*end);
            }
            StateChange::Registration { partition, replicas, .. } => {
                self.replicas.insert(partition.clone(), replicas.len());
            }
            _ => {}
        }
    }

    fn witness(&mut self, _model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        if let Sight::Asked(Asked::TopicSet { topic, settings }) = sight {
            let wanted = settings.get("min.insync.replicas");
            // From when on a leader knows of it is not told: the smaller one counts.
            if let Some(wanted) = wanted.and_then(|text| text.parse().ok())
                && let Some(least) = self.least.get_mut(&**topic)
            {
                *least = (*least).min(wanted);
            }
        }
        let Sight::Leads { process, partition, isr, .. } = sight else { return };
        let topic = partition.rsplit_once('-').map_or("", |(topic, _)| topic);
        let least = self.least.get(topic).copied().unwrap_or(0);
        let least = self.replicas.get(partition).map_or(least, |all| least.min(*all));
        let place = (process.clone(), partition.clone());
        let (before, now) = self.reached.get(&place).copied().unwrap_or_default();
        bench.demand("R11", now <= before || isr.len() >= least, || {
            format!(
                "the high watermark of {partition} at {process} went from {before} to \
                 {now} with {} in the ISR, fewer than {least}",
                isr.len()
            )
        });
    }
}
