//! J1, J7, J8 and J9: an offset of a partition has one content for everybody, a reader skips
//! nothing and never reads an offset again, and what it reads at once is in order. An unclean
//! election may break J1; what retention has taken, and what compaction was seen to take, is
//! nothing to read. Whoever is given a partition by its group goes on where the group has
//! committed; markers and aborted records are nothing to read.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::Sight;
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::homes::is_forgotten;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct Offsets {
    content: BTreeMap<(Name, i64), (u32, Name)>,
    /// Where each batch stands, as far as anybody was told; nothing for one that was sent
    /// twice and stands at two places.
    places: BTreeMap<(Name, u32), Option<i64>>,
    /// How far each reader is in each partition.
    positions: BTreeMap<(Name, Name), i64>,
    /// What is no content by itself, by partition and first offset.
    stamped: BTreeMap<Name, BTreeMap<i64, Stamp>>,
}

/// A numbered batch, or a marker.
#[derive(Debug, Clone, Copy)]
struct Stamp {
    count: i64,
    producer: i64,
    /// Whether it is a marker, and of a commit.
    commits: Option<bool>,
    /// The leader's epoch: what stands behind it from an earlier one is cut off.
    epoch: i32,
}

impl Offsets {
    fn told(
        &mut self,
        model: &Model,
        teller: &Name,
        (partition, base, batch): (&Name, i64, u32),
        bench: &mut Bench<'_>,
    ) {
        let batch = model.compacted().origin_within(partition, (base, batch));
        let known = self.places.entry((partition.clone(), batch)).or_insert(Some(base));
        *known = known.filter(|place| *place == base);
        let place = (partition.clone(), base);
        let first = self.content.entry(place).or_insert((batch, teller.clone()));
        let excused = model.was_unclean(partition)
            || is_forgotten(model, teller)
            || is_forgotten(model, &first.1);
        bench.demand("J1", first.0 == batch || excused, || {
            format!(
                "{} and {teller} were told different records at {partition} offset {base}",
                first.1
            )
        });
    }
}

impl Offsets {
    fn stamp(&mut self, partition: &Name, base: i64, stamp: Stamp) {
        let stamped = self.stamped.entry(partition.clone()).or_default();
        let below = stamped.range(..=base).next_back();
        if below.is_some_and(|(_, known)| known.epoch > stamp.epoch) {
            return;
        }
        let above = stamped.range(base..);
        let cut_off = above.filter(|(_, known)| known.epoch < stamp.epoch);
        let cut_off: Vec<i64> = cut_off.map(|(at, _)| *at).collect();
        for at in cut_off {
            stamped.remove(&at);
        }
        stamped.insert(base, stamp);
    }

    /// Whether all of this is markers, records of transactions that were aborted, and what
    /// compaction has taken.
    fn is_void(&self, model: &Model, partition: &Name, from: i64, to: i64) -> bool {
        let nothing = BTreeMap::new();
        let stamped = self.stamped.get(partition).unwrap_or(&nothing);
        let mut next = from;
        while next < to {
            if model.compacted().is_gone(partition, next..next + 1) {
                next += 1;
                continue;
            }
            let below = stamped.range(..=next).next_back();
            let Some((base, stamp)) = below.filter(|(base, it)| next < *base + it.count)
            else {
                return false;
            };
            let end = base + stamp.count;
            let mut after = stamped.range(end..).map(|(_, it)| it);
            let marker =
                after.find(|it| it.producer == stamp.producer && it.commits.is_some());
            if stamp.commits.is_none() && marker.is_none_or(|it| it.commits == Some(true))
            {
                return false;
            }
            next = end;
        }
        true
    }
}

/// In which leader's epoch a batch of this replica's was written.
fn epoch_at(model: &Model, (process, partition): (&Name, &Name), base: i64) -> i32 {
    let log = model.replica(process, partition).map(|it| &it.log);
    let entry = log.and_then(|log| log.iter().rev().find(|entry| entry.base == base));
    entry.map_or(-1, |entry| entry.epoch)
}

impl Checker for Offsets {
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        match change {
            StateChange::BatchAcked {
                process,
                partition,
                batch,
                base: Some(base),
                acks,
                ..
            } if &**acks == "all" => {
                self.told(model, process, (partition, *base, *batch), bench);
            }
            // Sent again, it may stand at two places, of which the first may not be told.
            StateChange::BatchSent { partition, batch, attempt, .. } if *attempt > 0 => {
                self.places.insert((partition.clone(), *batch), None);
            }
            StateChange::Polled { process, partition, base, next, .. } => {
                let place = (process.clone(), partition.clone());
                let before = self.positions.insert(place, *next).unwrap_or(*base);
                // Whoever stood below what is gone begins where its policy says, maybe at the end.
                let deleted = model.deleted_below(partition);
                let is_deleted = *base <= deleted || before < deleted;
                let excused = is_deleted
                    || model.was_unclean(partition)
                    || self.is_void(model, partition, before, *base);
                bench.demand("J7", *base <= before || excused, || {
                    format!(
                        "{process} read {partition} up to {before} and then from {base}"
                    )
                });
                bench.demand("J8", *base >= before || model.was_unclean(partition), || {
                    format!("{process} read {partition} up to {before} and again from {base}")
                });
            }
            // What is not held all the time is begun anew.
            StateChange::Member { process, owned, .. } => {
                let owned: BTreeSet<&Name> = owned.iter().collect();
                self.positions.retain(|(reader, partition), _| {
                    reader != process || owned.contains(partition)
                });
            }
            _ => {}
        }
    }

    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        match sight {
            Sight::Started(process) => {
                self.positions.retain(|(other, _), _| other != process);
            }
            Sight::Numbered { process, partition, base, count, producer, .. } => {
                let (count, producer, commits) = (*count, *producer, None);
                let epoch = epoch_at(model, (process, partition), *base);
                self.stamp(partition, *base, Stamp { count, producer, commits, epoch });
            }
            Sight::Marked { process, partition, base, producer, commits, .. } => {
                let (count, producer, commits) = (1, *producer, Some(*commits));
                let epoch = epoch_at(model, (process, partition), *base);
                self.stamp(partition, *base, Stamp { count, producer, commits, epoch });
            }
            Sight::Sought { process, partition } => {
                self.positions.remove(&(process.clone(), partition.clone()));
            }
            Sight::Read { process, partition, base, batches } => {
                if let Some(&first) = batches.first() {
                    self.told(model, process, (partition, *base, first), bench);
                }
                let origin = |batch: &u32| model.compacted().origin_of(partition, *batch);
                let place =
                    |batch: &u32| self.places.get(&(partition.clone(), origin(batch)));
                let known: Vec<i64> =
                    batches.iter().filter_map(place).copied().flatten().collect();
                let rising = known.is_sorted_by(|a, b| a < b);
                bench.demand("J9", rising || model.was_unclean(partition), || {
                    format!("{process} was handed records of {partition} out of order")
                });
            }
            _ => {}
        }
    }
}
