//! R17: an ISR grows only as its leader has proposed.

use std::collections::BTreeMap;

use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name, Registration, registration_of};

#[derive(Debug, Default)]
pub(crate) struct Proposer {
    proposed: BTreeMap<(Name, Name), Vec<Vec<Name>>>,
    committed: BTreeMap<Name, Registration>,
}

impl Checker for Proposer {
    fn see(&mut self, _model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        if let StateChange::IsrProposed { process, partition, isr } = change {
            let place = (partition.clone(), process.clone());
            self.proposed.entry(place).or_default().push(isr.clone());
        }
        let Some((partition, now)) = registration_of(change) else { return };
        let Some(before) = self.committed.insert(partition.clone(), now.clone()) else {
            return;
        };
        // With a new leadership the controller may have put the ISR together anew.
        if before.leader_epoch != now.leader_epoch {
            return;
        }
        let Some(leader) = &now.leader else { return };
        let grown = now.isr.iter().find(|member| !before.isr.contains(member));
        let Some(member) = grown else { return };
        let proposals = self.proposed.get(&(partition.clone(), leader.clone()));
        let asked =
            proposals.is_some_and(|sets| sets.iter().any(|set| set.contains(member)));
        bench.demand("R17", asked, || {
            format!(
                "{member} came into the ISR of {partition}; {leader} never proposed it"
            )
        });
    }
}
