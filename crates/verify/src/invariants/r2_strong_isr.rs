//! R2: every member of the ISR holds what its leader holds, up to the high watermark.

use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::Model;

#[derive(Debug)]
pub(crate) struct StrongIsr;

impl Checker for StrongIsr {
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        let StateChange::HighWatermark { process, partition, offset } = change else {
            return;
        };
        let Some(registration) = model.led_by(process, partition) else { return };
        let Some(leader) = model.replica(process, partition) else { return };
        for member in &registration.isr {
            let Some(replica) = model.replica(member, partition) else { continue };
            // Whoever has less is R10's business.
            let whole = model.deleted_below(partition) == 0
                && !model.compacted().is_thin(partition, 0..*offset);
            if whole && replica.is_sound && leader.is_sound && replica.end() >= *offset {
                let same = replica.digest_below(*offset) == leader.digest_below(*offset);
                bench.demand("R2", same, || {
                    format!(
                        "{process} and {member} are in the ISR of {partition} and differ \
                         below its high watermark {offset}"
                    )
                });
            }
        }
    }
}
