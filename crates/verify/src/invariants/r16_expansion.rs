//! R16: whoever a leader proposes for its ISR has everything up to the high watermark.

use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Replica};

#[derive(Debug)]
pub(crate) struct Expansion;

impl Checker for Expansion {
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        let StateChange::IsrProposed { process, partition, isr } = change else { return };
        let Some(committed) = model.registrations.get(partition) else { return };
        let Some(leader) = model.replica(process, partition) else { return };
        let needed = leader.high_watermark;
        for member in isr.iter().filter(|member| !committed.isr.contains(member)) {
            let replica = model.replica(member, partition);
            if replica.is_some_and(|replica| !replica.is_sound) {
                continue;
            }
            let end = replica.map_or(0, Replica::end);
            bench.demand("R16", end >= needed, || {
                format!(
                    "{process} proposed {member} for the ISR of {partition}, which has \
                     only {end} of {needed}"
                )
            });
        }
    }
}
