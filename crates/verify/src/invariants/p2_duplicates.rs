//! P2: a batch that is there already is answered with its place. P5: an idempotent producer's
//! records stand in a partition in the order in which it sent them. J2: no record stands in a
//! partition twice; without idempotence it may.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::Sight;
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct Duplicates {
    /// Where leaders have written each batch of a partition.
    places: BTreeMap<(Name, u32), BTreeSet<i64>>,
    /// Who sent each batch first, and as its how-manieth; nothing for two that happen to share a
    /// checksum.
    sent: BTreeMap<(Name, u32), Option<(Name, u64)>>,
    counted: u64,
    /// Batches with a producer's number.
    numbered: BTreeSet<(Name, u32)>,
}

impl Duplicates {
    fn append(
        &mut self,
        model: &Model,
        (process, partition): (&Name, &Name),
        (base, batch): (i64, u32),
        bench: &mut Bench<'_>,
    ) {
        self.places.entry((partition.clone(), batch)).or_default().insert(base);
        // A batch that nobody is seen to send may be any records of equal bytes.
        let sent = self.sent.get(&(partition.clone(), batch));
        let Some((sender, _)) = sent.and_then(Option::as_ref) else { return };
        // Followers copy; what they are to forget they forget after that.
        let Some(replica) = model.replica(process, partition) else { return };
        let leads =
            replica.role.as_ref().is_some_and(|it| it.0.as_ref() == Some(process));
        if !leads {
            return;
        }
        // Of what retention took nobody knows who wrote it, once a replica leads that never
        // had it.
        let mut kept = replica.log.iter().filter(|it| it.base >= replica.start);
        let other = kept.find(|it| it.batch == batch && it.base != base);
        let Some(other) = other else { return };
        let text = || {
            format!(
                "{partition} has the same records of {sender} at offset {} and at offset \
                 {base}",
                other.base
            )
        };
        match other.stamp {
            Some(_) if !model.was_unclean(partition) => bench.demand("J2", false, text),
            _ => bench.mention("J2", text),
        }
    }

    fn order(
        &self,
        model: &Model,
        (process, partition, base): (&Name, &Name, i64),
        bench: &mut Bench<'_>,
    ) {
        let place = |batch: u32| {
            self.sent.get(&(partition.clone(), batch)).and_then(Option::as_ref)
        };
        let Some(replica) = model.replica(process, partition) else { return };
        let mut below = replica.log.iter().rev().skip_while(|it| it.base > base);
        let Some(entry) = below.next() else { return };
        let Some((sender, number)) = place(entry.batch) else { return };
        // Once retention has taken a producer's last records, nobody knows where it was.
        let before = below.filter(|it| it.stamp.is_some() && it.base >= replica.start);
        let mut before = before.filter_map(|it| Some((it.base, place(it.batch)?)));
        let Some((earlier, (_, last))) = before.find(|(_, (of, _))| of == sender) else {
            return;
        };
        bench.demand("P5", last <= number || model.was_unclean(partition), || {
            format!(
                "{partition} has at offset {earlier} what {sender} sent after the records \
                 at offset {base}"
            )
        });
    }
}

impl Checker for Duplicates {
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        match change {
            StateChange::BatchSent { process, partition, batch, attempt, .. } => {
                self.counted += 1;
                let first = (process.clone(), self.counted);
                let is_new = *attempt == 0;
                self.sent
                    .entry((partition.clone(), *batch))
                    .and_modify(|known| *known = known.take().filter(|_| !is_new))
                    .or_insert(Some(first));
            }
            StateChange::Appended { process, partition, base, batch, .. } => {
                self.append(model, (process, partition), (*base, *batch), bench);
            }
            StateChange::BatchAcked { process, partition, batch, base, acks, .. } => {
                let place = (partition.clone(), *batch);
                let (Some(base), Some(places)) = (base, self.places.get(&place)) else {
                    return;
                };
                let holds = places.contains(base)
                    || &**acks != "all"
                    || !self.numbered.contains(&place)
                    || model.was_unclean(partition);
                bench.demand("P2", holds, || {
                    format!(
                        "{process} was told offset {base} of {partition} for records that \
                         stand at {places:?}"
                    )
                });
            }
            _ => {}
        }
    }

    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        let Sight::Numbered { process, partition, base, .. } = sight else { return };
        let replica = model.replica(process, partition);
        let written = replica.and_then(|it| it.log.iter().rfind(|it| it.base == *base));
        if let Some(entry) = written {
            self.numbered.insert((partition.clone(), entry.batch));
        }
        self.order(model, (process, partition, *base), bench);
    }
}
