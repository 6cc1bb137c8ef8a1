//! K11: what a controller answers is committed: the ISR change that it grants, the broker that
//! it registers.

use topomotion_sim::Sight;

use super::Checker;
use crate::court::Bench;
use crate::model::Model;

#[derive(Debug, Default)]
pub(crate) struct Answers;

impl Checker for Answers {
    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        let Sight::IsrAnswered { controller, partition, partition_epoch } = sight else {
            return;
        };
        let Some(committed) = model.registrations.get(partition) else { return };
        let known = committed.partition_epoch;
        bench.demand("K11", *partition_epoch <= known, || {
            format!(
                "{controller} granted an ISR of {partition} with the partition epoch \
                 {partition_epoch}; committed is {known}"
            )
        });
    }
}
