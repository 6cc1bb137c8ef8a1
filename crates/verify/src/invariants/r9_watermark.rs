//! R9: a replica's high watermark never falls while its process runs, unless its log is cut. A
//! change of its part is no reason: what it knew to be committed it still knows.

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
            StateChange::Truncated { process, partition, end } => {
                let place = (process.clone(), partition.clone());
                self.reached.entry(place).and_modify(|it| *it = (*it).min(*end));
            }
            _ => {}
        }
    }

    fn witness(&mut self, model: &Model, sight: &Sight, _bench: &mut Bench<'_>) {
        match sight {
            Sight::Started(process) => {
                self.reached.retain(|(other, _), _| other != process);
            }
            // What was taken from it and given back is another log.
            Sight::Found { process, partition, .. }
                if model.was_moved(process, partition) =>
            {
                self.reached.remove(&(process.clone(), partition.clone()));
            }
            _ => {}
        }
    }
}
