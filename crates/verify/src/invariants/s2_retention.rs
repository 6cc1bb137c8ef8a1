//! S2: what retention takes are whole segments, the oldest first, below the high watermark, and
//! never the one that is appended to. A log that is cut loses its newest segments; one that
//! begins anew, or is taken away, loses all of them.

use std::collections::BTreeSet;

use topomotion_sim::{Filed, Sight};
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};
use crate::replication::is_metadata;

type Place = (Name, Name);

#[derive(Debug, Default)]
pub(crate) struct Retention {
    /// What went at this moment.
    gone: Vec<Gone>,
    /// Replicas that were cut at this moment, or begun anew, or given up.
    excused: BTreeSet<Place>,
    /// Whoever has lost power at some time: what is found to belong to no log is cleared away.
    in_doubt: BTreeSet<Name>,
}

#[derive(Debug)]
struct Gone {
    place: Place,
    segment: i64,
    end: i64,
    left: Vec<i64>,
}

impl Checker for Retention {
    fn see(&mut self, _model: &Model, change: &StateChange, _bench: &mut Bench<'_>) {
        match change {
            StateChange::Truncated { process, partition, .. }
            | StateChange::Replica { process, partition, leader: None, .. } => {
                self.excused.insert((process.clone(), partition.clone()));
            }
            _ => {}
        }
    }

    fn witness(&mut self, _model: &Model, sight: &Sight, _bench: &mut Bench<'_>) {
        match sight {
            Sight::LostPower(process) => _ = self.in_doubt.insert(process.clone()),
            Sight::Stored(stored) if !is_metadata(&stored.partition) => {
                let Filed::Gone { end, left } = &stored.what else { return };
                // One that holds nothing is only a file's name.
                if *end > stored.segment {
                    let place = (stored.process.clone(), stored.partition.clone());
                    let (segment, end, left) = (stored.segment, *end, left.clone());
                    self.gone.push(Gone { place, segment, end, left });
                }
            }
            _ => {}
        }
    }

    fn settle(&mut self, model: &Model, bench: &mut Bench<'_>) {
        let excused = std::mem::take(&mut self.excused);
        for gone in std::mem::take(&mut self.gone) {
            let (process, partition) = &gone.place;
            if excused.contains(&gone.place) || self.in_doubt.contains(process) {
                continue;
            }
            let Gone { segment, end, left, .. } = &gone;
            let is_oldest = left.iter().all(|other| other > segment);
            bench.demand("S2", is_oldest, || {
                format!(
                    "{process} deleted segment {segment} of {partition}, and older ones \
                     are left: {left:?}"
                )
            });
            bench.demand("S2", !left.is_empty(), || {
                format!(
                    "{process} deleted segment {segment} of {partition}, its active one"
                )
            });
            let replica = model.replica(process, partition);
            let watermark = replica.map_or(0, |replica| replica.high_watermark);
            bench.demand("S2", *end <= watermark, || {
                format!(
                    "{process} deleted segment {segment} of {partition}, which reaches to \
                     {end}; its high watermark is {watermark}"
                )
            });
        }
    }
}
