//! R11: while the ISR is smaller than `min.insync.replicas`, the high watermark stands still.

use std::collections::BTreeMap;

use topomotion_sim::{ClusterPlan, Sight};

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct MinIsr {
    /// The effective minimum of each topic.
    least: BTreeMap<String, usize>,
    /// The last high watermark of each leader.
    reached: BTreeMap<(Name, Name), i64>,
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
        MinIsr { least, reached: BTreeMap::new() }
    }
}

impl Checker for MinIsr {
    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        let Sight::Leads { process, partition, isr, .. } = sight else { return };
        let topic = partition.rsplit_once('-').map_or("", |(topic, _)| topic);
        let least = self.least.get(topic).copied().unwrap_or(0);
        let now = model.replica(process, partition).map_or(0, |it| it.high_watermark);
        let place = (process.clone(), partition.clone());
        let before = self.reached.insert(place, now).unwrap_or(now);
        bench.demand("R11", now <= before || isr.len() >= least, || {
            format!(
                "the high watermark of {partition} at {process} went from {before} to \
                 {now} with {} in the ISR, fewer than {least}",
                isr.len()
            )
        });
    }
}
