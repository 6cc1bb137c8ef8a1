//! P1: in a log the sequence numbers of a producer follow one another without a gap or a
//! repetition, and begin with 0 in each epoch. Behind the largest comes 0. Whoever is not known
//! in a log may begin anywhere.

use topomotion_sim::Sight;

use super::Checker;
use crate::court::Bench;
use crate::model::{Entry, Model, Stamp};

#[derive(Debug)]
pub(crate) struct Sequences;

/// The sequence number that comes after these records.
fn next(sequence: i32, count: i64) -> i32 {
    let next = (i64::from(sequence) + count) % (1 << 31);
    i32::try_from(next).unwrap_or(0)
}

/// What a producer must send after this batch of its own; anything if nothing says.
fn due((entry, stamp): (&Entry, Stamp), epoch: i16) -> Option<i32> {
    match stamp.sequence() {
        _ if stamp.epoch != epoch => Some(0),
        Some(sequence) => Some(next(sequence, entry.count)),
        None => None,
    }
}

impl Checker for Sequences {
    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        let Sight::Numbered {
            process, partition, base, producer, epoch, sequence, ..
        } = sight
        else {
            return;
        };
        // Offsets that a coordinator writes for a transaction are not counted.
        if *sequence < 0 {
            return;
        }
        let Some(replica) = model.replica(process, partition) else { return };
        let mut before = replica.stamped_before(*base, *producer);
        // With the first protocol a transaction goes on counting in the epoch of the last one.
        while let Some((marker, stamp)) = before
            && stamp.is_marker()
            && stamp.epoch == *epoch
        {
            before = replica.stamped_before(marker.base, *producer);
        }
        // Of what was deleted a log that is opened again knows nothing.
        let deleted = model.deleted_below(partition);
        let before = before.filter(|(entry, _)| {
            let between = entry.end()..*base;
            entry.end() > deleted && !model.compacted().is_thin(partition, between)
        });
        let Some(due) = before.and_then(|before| due(before, *epoch)) else { return };
        bench.demand("P1", *sequence == due, || {
            format!(
                "{process} took sequence {sequence} of producer {producer} in epoch {epoch} \
                 in {partition} at offset {base}; {due} was due"
            )
        });
    }
}
