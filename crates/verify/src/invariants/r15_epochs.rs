//! R15: a replica's leader epochs are the fold of its log: each epoch with its first offset.

use std::collections::BTreeMap;

use topomotion_sim::Sight;
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name, Replica};

/// Each epoch with its first offset.
type Fold = Vec<(i32, i64)>;

#[derive(Debug, Default)]
pub(crate) struct EpochCaches {
    /// The fold of each log. After a power loss nobody says how much of it is left, and what
    /// is found is believed.
    folds: BTreeMap<(Name, Name), Option<Fold>>,
}

impl Checker for EpochCaches {
    fn see(&mut self, _model: &Model, change: &StateChange, _bench: &mut Bench<'_>) {
        match change {
            StateChange::Appended { process, partition, base, epoch, .. } => {
                let place = (process.clone(), partition.clone());
                let fold = self.folds.entry(place).or_insert_with(|| Some(Vec::new()));
                if let Some(fold) = fold
                    && fold.last().is_none_or(|(last, _)| last < epoch)
                {
                    fold.push((*epoch, *base));
                }
            }
            StateChange::Truncated { process, partition, end } => {
                let place = (process.clone(), partition.clone());
                if let Some(Some(fold)) = self.folds.get_mut(&place) {
                    fold.retain(|(_, start)| start < end);
                }
            }
            _ => {}
        }
    }

    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        match sight {
            Sight::LostPower(process) => {
                for ((other, _), fold) in &mut self.folds {
                    if other == process {
                        *fold = None;
                    }
                }
            }
            Sight::Found { process, partition, .. }
                if model.was_moved(process, partition) =>
            {
                self.folds.insert((process.clone(), partition.clone()), None);
            }
            Sight::Epochs { process, partition, start, end, epochs } => {
                let rise =
                    epochs.windows(2).all(|it| it[0].0 < it[1].0 && it[0].1 < it[1].1);
                bench.demand("R15", rise, || {
                    format!(
                        "the epochs of {partition} at {process} do not rise: {epochs:?}"
                    )
                });
                let place = (process.clone(), partition.clone());
                // A leadership that has not written anything yet is in the cache already.
                let written = epochs.iter().filter(|(_, first)| first < end);
                let Some(fold) = self.folds.get_mut(&place) else { return };
                let Some(fold) = fold else {
                    *fold = Some(written.copied().collect());
                    return;
                };
                // More than one batch was written at once: it is looked at after the last.
                let whole = model.replica(process, partition).map(Replica::end);
                if whole != Some(*end) {
                    return;
                }
                let next = fold.partition_point(|(_, first)| first <= start);
                if next > 0 {
                    fold.drain(..next - 1);
                    fold[0].1 = fold[0].1.max(*start);
                }
                // Where a log starts is not on disk at once: what was deleted may come back.
                let floor = model.deleted_below(partition);
                let kept = |(_, first): &&(i32, i64)| floor == 0 || *first > floor;
                let same = written.filter(kept).eq(fold.iter().filter(kept));
                bench.demand("R15", same, || {
                    format!(
                        "{process} has the epochs {epochs:?} of {partition}; its log says \
                         {fold:?}"
                    )
                });
            }
            _ => {}
        }
    }
}
