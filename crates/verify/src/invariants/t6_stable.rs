//! T6: the last stable offset is where the first transaction begins that is open, or whose
//! marker is not below the high watermark; the high watermark without one. T7: a reader of
//! committed records is told of every aborted transaction among what it is given.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::Sight;
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name, Replica, StampKind};

#[derive(Debug, Default)]
pub(crate) struct Stable {
    /// What replicas have said at this moment.
    said: BTreeMap<(Name, Name), Said>,
    /// Replicas whose log is not known from its beginning.
    unknown: BTreeSet<(Name, Name)>,
}

/// What a replica says of its last stable offset. Where nothing is unstable it says so once,
/// and means its high watermark from then on.
#[derive(Debug, Clone, Copy)]
enum Said {
    Below(i64),
    Watermark(i64),
}

impl Said {
    fn offset(self) -> i64 {
        let (Said::Below(offset) | Said::Watermark(offset)) = self;
        offset
    }

    /// Whether that is so, now that the replica is stable up to `due`.
    fn holds(self, due: i64, replica: &Replica) -> bool {
        match self {
            Said::Below(offset) => offset == due,
            Said::Watermark(_) => due == replica.high_watermark,
        }
    }
}

/// A transaction in a log: first offset, marker and whether it commits.
struct Found {
    producer: i64,
    first: i64,
    end: Option<(i64, bool)>,
}

fn transactions(replica: &Replica) -> Vec<Found> {
    let mut all: Vec<Found> = Vec::new();
    for (entry, stamp) in replica.log.iter().filter_map(|it| Some((it, it.stamp?))) {
        let producer = stamp.producer;
        let open = all.iter_mut().rev().find(|it| it.producer == producer);
        let open = open.filter(|it| it.end.is_none());
        match (stamp.kind, open) {
            (StampKind::InTransaction(_), None) => {
                all.push(Found { producer, first: entry.base, end: None });
            }
            (StampKind::Commit, Some(open)) => open.end = Some((entry.base, true)),
            (StampKind::Abort, Some(open)) => open.end = Some((entry.base, false)),
            _ => {}
        }
    }
    all
}

fn definition(replica: &Replica) -> i64 {
    let high_watermark = replica.high_watermark;
    let unstable = transactions(replica).into_iter().filter(|it| match it.end {
        None => true,
        Some((marker, _)) => marker >= high_watermark,
    });
    unstable.map(|it| it.first).min().unwrap_or(high_watermark).min(high_watermark)
}

impl Stable {
    fn is_known(&mut self, model: &Model, place: &(Name, Name)) -> bool {
        let (process, partition) = place;
        let is_known = model.replica(process, partition).is_some_and(|it| {
            it.is_sound && it.log.first().is_some_and(|first| first.base == 0)
        }) && !model.was_moved(process, partition)
            && model.deleted_below(partition) == 0
            && !model.compacted().is_thin(partition, 0..i64::MAX);
        if !is_known {
            self.unknown.insert(place.clone());
        }
        !self.unknown.contains(place)
    }
}

impl Checker for Stable {
    fn see(&mut self, model: &Model, change: &StateChange, _bench: &mut Bench<'_>) {
        let StateChange::LastStable { process, partition, offset } = change else {
            return;
        };
        let replica = model.replica(process, partition);
        let is_all = replica.is_some_and(|it| it.high_watermark == *offset);
        let said = match is_all {
            true => Said::Watermark(*offset),
            false => Said::Below(*offset),
        };
        self.said.insert((process.clone(), partition.clone()), said);
    }

    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        let Sight::Served { process, partition, range: (from, to), aborted } = sight
        else {
            return;
        };
        let place = (process.clone(), partition.clone());
        if !self.is_known(model, &place) {
            return;
        }
        let Some(replica) = model.replica(process, partition) else { return };
        let due = transactions(replica).into_iter().filter(|it| match it.end {
            Some((marker, false)) => it.first < *to && marker >= *from,
            _ => false,
        });
        for it in due {
            let (producer, first) = (it.producer, it.first);
            bench.demand("T7", aborted.contains(&(producer, first)), || {
                format!(
                    "{process} gave {partition} from {from} to {to} away and did not tell of \
                     the aborted transaction of producer {producer} from offset {first} on"
                )
            });
        }
    }

    fn settle(&mut self, model: &Model, bench: &mut Bench<'_>) {
        for (place, said) in std::mem::take(&mut self.said) {
            if !self.is_known(model, &place) {
                continue;
            }
            let (process, partition) = &place;
            let replica = model.replica(process, partition).filter(|it| it.is_told);
            let Some(replica) = replica else { continue };
            let due = definition(replica);
            bench.demand("T6", said.holds(due, replica), || {
                format!(
                    "{process} says that {partition} is stable up to {}; it is up to {due}",
                    said.offset()
                )
            });
        }
    }
}
