//! R4: eligible leader replicas hold a replica, are not in the ISR, and are there only while the
//! ISR is smaller than `min.insync.replicas`. (Of the ISR itself, `replication` knows.)

use std::collections::BTreeMap;

use topomotion_sim::{Asked, ClusterPlan, Sight, TopicPlan};
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name, registration_of};

#[derive(Debug, Default)]
pub(crate) struct Eligible {
    /// The largest minimum that each topic has had: which one counted is not told.
    least: BTreeMap<String, usize>,
    /// Told just before the registration that it belongs to.
    eligible: BTreeMap<Name, Vec<Name>>,
}

impl Eligible {
    pub fn new(plan: Option<&ClusterPlan>) -> Eligible {
        let least = plan.map(least_in_sync).unwrap_or_default();
        Eligible { least, ..Eligible::default() }
    }
}

/// The `min.insync.replicas` with which each topic begins.
pub(super) fn least_in_sync(plan: &ClusterPlan) -> BTreeMap<String, usize> {
    let of_topic = |topic: &TopicPlan| {
        let own = topic.settings.get("min.insync.replicas");
        let set = own.or_else(|| plan.settings.get("min.insync.replicas"));
        let wanted = set.and_then(|text| text.parse().ok()).unwrap_or(1);
        (topic.name.clone(), wanted)
    };
    plan.topics.iter().map(of_topic).collect()
}

impl Checker for Eligible {
    fn see(&mut self, _model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        let Some((partition, now)) = registration_of(change) else { return };
        let Some(eligible) = self.eligible.get(&partition) else { return };
        for member in eligible {
            bench.demand("R4", now.replicas.contains(member), || {
                format!("{member} is eligible for {partition} and holds no replica of it")
            });
            bench.demand("R4", !now.isr.contains(member), || {
                format!("{member} is in the ISR of {partition} and in its ELR too")
            });
        }
        let topic = partition.rsplit_once('-').map_or("", |(topic, _)| topic);
        let Some(least) = self.least.get(topic) else { return };
        let is_whole = now.isr.len() >= (*least).min(now.replicas.len());
        bench.demand("R4", !is_whole || eligible.is_empty(), || {
            let (isr, elr) = (now.isr.join(", "), eligible.join(", "));
            format!("{partition} has the ISR {{{isr}}}, which is enough, and the ELR {{{elr}}}")
        });
    }

    fn witness(&mut self, _model: &Model, sight: &Sight, _bench: &mut Bench<'_>) {
        match sight {
            Sight::Eligible { partition, elr, .. } => {
                self.eligible.insert(partition.clone(), elr.clone());
            }
            Sight::Asked(Asked::TopicSet { topic, settings }) => {
                let wanted = settings.get("min.insync.replicas");
                if let Some(wanted) = wanted.and_then(|text| text.parse().ok())
                    && let Some(least) = self.least.get_mut(&**topic)
                {
                    *least = (*least).max(wanted);
                }
            }
            _ => {}
        }
    }
}
