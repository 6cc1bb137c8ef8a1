//! R17: an ISR grows only as its leader has proposed; whoever led before has no say.

use std::collections::BTreeMap;

use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name, Registration, registration_of};

#[derive(Debug, Default)]
pub(crate) struct Proposer {
    /// The sets that were proposed for each partition in each leader epoch.
    proposed: BTreeMap<(Name, i32), Vec<Vec<Name>>>,
    committed: BTreeMap<Name, Registration>,
}

impl Checker for Proposer {
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        if let StateChange::IsrProposed { process, partition, isr } = change {
            let role = model.replica(process, partition).and_then(|it| it.role.as_ref());
            let epoch = role.map_or(-1, |(_, epoch)| *epoch);
            self.proposed
                .entry((partition.clone(), epoch))
                .or_default()
                .push(isr.clone());
        }
        let Some((partition, now)) = registration_of(change) else { return };
        let Some(before) = self.committed.insert(partition.clone(), now.clone()) else {
            return;
        };
        // Several changes that were committed together may be told as one.
        let epochs = (partition.clone(), before.leader_epoch)
            ..=(partition.clone(), now.leader_epoch.max(before.leader_epoch));
        for member in now.isr.iter().filter(|member| !before.isr.contains(member)) {
            // Elected from outside: R22 says whether it may be.
            let elected = now.leader_epoch > before.leader_epoch
                && now.leader.as_ref() == Some(member)
                && model.eligible_before(&partition).any(|it| it == member);
            let unclean = model.was_unclean_at(&partition, now.leader_epoch)
                && now.isr.len() == 1
                && model.may_recover(&partition);
            let unclean = unclean || model.has_untold(&partition);
            let mut sets = self.proposed.range(epochs.clone()).flat_map(|(_, sets)| sets);
            let asked = sets.any(|set| set.contains(member));
            bench.demand("R17", asked || elected || unclean, || {
                let leader = before.leader.as_deref().unwrap_or("nobody");
                format!(
                    "{member} came into the ISR of {partition}, which {leader} led and \
                     never proposed it for"
                )
            });
        }
    }
}
