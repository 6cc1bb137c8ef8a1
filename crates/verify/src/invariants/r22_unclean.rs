//! R22: a leader comes from the ISR or the ELR, or is the last one known of a partition that
//! has neither, unless the cluster allows otherwise; an ISR is empty only where one of these
//! is remembered.

use std::collections::BTreeMap;

use topomotion_sim::{Asked, ClusterPlan, Sight};
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name, registration_of};

#[derive(Debug, Default)]
pub(crate) struct Unclean {
    is_allowed: bool,
    /// The leadership of each partition that was looked at last.
    judged: BTreeMap<Name, i32>,
}

impl Unclean {
    pub fn new(plan: Option<&ClusterPlan>) -> Unclean {
        // Of a run whose cluster is not known, nothing is known to be forbidden.
        let Some(plan) = plan else {
            return Unclean { is_allowed: true, ..Unclean::default() };
        };
        let topics = plan.topics.iter().map(|topic| &topic.settings);
        let nodes = plan.nodes.iter().map(|node| &node.settings);
        let mut all = topics.chain(nodes).chain([&plan.settings]);
        let name = "unclean.leader.election.enable";
        let is_allowed =
            all.any(|settings| settings.get(name).is_some_and(|value| value == "true"));
        Unclean { is_allowed, judged: BTreeMap::new() }
    }
}

impl Checker for Unclean {
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        let Some((partition, now)) = registration_of(change) else { return };
        let remembered = now
            .leader
            .as_ref()
            .is_some_and(|leader| model.was_last_known(&partition, leader));
        let is_new = self.judged.insert(partition.clone(), now.leader_epoch)
            != Some(now.leader_epoch);
        let outside = model.was_unclean_at(&partition, now.leader_epoch);
        // It may have come into the ISR in a leadership of which nobody told.
        let told = !model.has_untold(&partition);
        let unclean = is_new && outside && !remembered && told;
        bench.demand("R22", self.is_allowed || !unclean, || {
            let leader = now.leader.as_deref().unwrap_or("nobody");
            format!(
                "{leader} was elected for {partition} from outside the ISR and the ELR"
            )
        });
        let somebody = model.eligible(&partition).next().is_some();
        bench.demand("R22", !now.isr.is_empty() || somebody || self.is_allowed, || {
            format!("the ISR of {partition} is empty, and nobody is eligible")
        });
    }

    fn witness(&mut self, _model: &Model, sight: &Sight, _bench: &mut Bench<'_>) {
        let Sight::Asked(asked) = sight else { return };
        self.is_allowed |= match asked {
            Asked::UncleanElection(_) => true,
            Asked::TopicSet { settings, .. } => {
                let set = settings.get("unclean.leader.election.enable");
                set.is_some_and(|value| value == "true")
            }
            Asked::TopicDeleted(_)
            | Asked::RecordsDeleted { .. }
            | Asked::OffsetDeleted { .. }
            | Asked::GroupDeleted(_) => false,
        };
    }
}
