//! R21: nobody's high watermark is beyond what some leader has reached, and no consumer
//! reads beyond that.

use std::collections::BTreeMap;

use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct Followers {
    /// The greatest high watermark that any leader has had.
    led_to: BTreeMap<Name, i64>,
}

impl Checker for Followers {
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        match change {
            StateChange::HighWatermark { process, partition, offset }
                if model.registrations.contains_key(partition) =>
            {
                let leads = model.replica(process, partition).is_some_and(|replica| {
                    matches!(&replica.role, Some((Some(leader), _)) if leader == process)
                });
                let led_to = self.led_to.entry(partition.clone()).or_default();
                if leads {
                    *led_to = (*led_to).max(*offset);
                }
                bench.demand("R21", *offset <= *led_to, || {
                    format!(
                        "{process} follows in {partition} with the high watermark \
                         {offset}; no leader has had more than {led_to}"
                    )
                });
            }
            StateChange::Polled { process, partition, next, .. } => {
                let led_to = self.led_to.get(partition).copied().unwrap_or(0);
                bench.demand("R21", *next <= led_to, || {
                    format!(
                        "{process} read {partition} up to {next}, beyond any high \
                         watermark ({led_to})"
                    )
                });
            }
            _ => {}
        }
    }
}
