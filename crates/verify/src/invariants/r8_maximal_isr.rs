//! R8: what a leader counts for its high watermark contains the ISR that the controller has
//! committed under the same partition epoch.

use topomotion_sim::Sight;

use super::Checker;
use crate::court::Bench;
use crate::model::Model;

#[derive(Debug)]
pub(crate) struct MaximalIsr;

impl Checker for MaximalIsr {
    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        let Sight::Leads { process, partition, maximal_isr, partition_epoch, .. } = sight
        else {
            return;
        };
        let Some(committed) = model.registrations.get(partition) else { return };
        if committed.partition_epoch != *partition_epoch {
            return;
        }
        for member in &committed.isr {
            bench.demand("R8", maximal_isr.contains(member), || {
                format!(
                    "{process} moved the high watermark of {partition} without counting \
                     {member}, which is in the ISR"
                )
            });
        }
    }
}
