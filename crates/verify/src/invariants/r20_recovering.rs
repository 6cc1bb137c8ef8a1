//! R20: a leader elected without proof is alone in its ISR until it has recovered.

use std::collections::BTreeMap;

use topomotion_sim::Sight;
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name, registration_of};

#[derive(Debug, Default)]
pub(crate) struct Recovering {
    recovering: BTreeMap<Name, bool>,
}

impl Checker for Recovering {
    fn see(&mut self, _model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        let Some((partition, now)) = registration_of(change) else { return };
        let recovering = self.recovering.get(&partition).copied().unwrap_or(false);
        let alone =
            now.isr.len() <= 1 && now.leader.iter().all(|it| now.isr.contains(it));
        bench.demand("R20", !recovering || alone, || {
            let isr = now.isr.join(", ");
            format!(
                "{partition} recovers from an unclean election with the ISR {{{isr}}}"
            )
        });
    }

    fn witness(&mut self, _model: &Model, sight: &Sight, _bench: &mut Bench<'_>) {
        if let Sight::Eligible { partition, recovering, .. } = sight {
            self.recovering.insert(partition.clone(), *recovering);
        }
    }
}
