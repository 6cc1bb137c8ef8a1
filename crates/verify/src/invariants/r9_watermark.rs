//! R9: within one leadership a replica's high watermark never falls, unless its log is cut.

use std::collections::BTreeMap;

use topomotion_sim::Sight;
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct Watermarks {
    reached: BTreeMap<(Name, Name), i64>,
}

impl Checker for Watermarks {
    fn see(&mut self, _model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        match change {
            StateChange::HighWatermark { process, partition, offset } => {
                let place = (process.clone(), partition.clone());
                let reached = self.reached.entry(place).or_insert(*offset);
                bench.demand("R9", *offset >= *reached, || {
                    format!(
                        "the high watermark of {partition} at {process} fell from \
                         {reached} to {offset}"
                    )
                });
                *reached = *offset;
            }
            StateChange::Replica { process, partition, .. }
            | StateChange::Truncated { process, partition, .. } => {
                self.reached.remove(&(process.clone(), partition.clone()));
            }
            _ => {}
        }
    }

    fn witness(&mut self, _model: &Model, sight: &Sight, _bench: &mut Bench<'_>) {
        if let Sight::Started(process) = sight {
            self.reached.retain(|(other, _), _| other != process);
        }
    }
}
