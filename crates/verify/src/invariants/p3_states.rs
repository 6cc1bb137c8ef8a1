//! P3: what a replica knows of producers is what its log says: epoch, last sequence number and
//! open transaction. What its log no longer holds it may know all the same.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::{KnownProducer, Sight};

use super::Checker;
use crate::court::Bench;
use crate::model::{Model, Name, Replica};

/// Replicas whose log is not known from its beginning: what a disk has lost, and what was
/// moved away and back.
#[derive(Debug, Default)]
pub(crate) struct States {
    unknown: BTreeSet<(Name, Name)>,
    /// What replicas know at this moment: it may be ahead of what was told one by one.
    seen: BTreeMap<(Name, Name), BTreeMap<i64, KnownProducer>>,
}

/// What a log says of producers.
fn fold(replica: &Replica) -> BTreeMap<i64, KnownProducer> {
    let mut known: BTreeMap<i64, KnownProducer> = BTreeMap::new();
    for (entry, stamp) in replica.log.iter().filter_map(|it| Some((it, it.stamp?))) {
        let epoch = stamp.epoch;
        let fresh = KnownProducer { epoch, last_sequence: None, transaction: None };
        let state = known.entry(stamp.producer).or_insert(fresh);
        if state.epoch != epoch {
            *state = KnownProducer { transaction: state.transaction, ..fresh };
        }
        match stamp.sequence() {
            Some(first) => {
                // Offsets that a coordinator writes for a transaction are not counted.
                let last = match first {
                    ..0 => i64::from(first),
                    _ => (i64::from(first) + entry.count - 1) % (1 << 31),
                };
                state.last_sequence = i32::try_from(last).ok();
                let begins =
                    matches!(stamp.kind, crate::model::StampKind::InTransaction(_));
                if begins && state.transaction.is_none() {
                    state.transaction = Some(entry.base);
                }
            }
            None => state.transaction = None,
        }
    }
    known
}

impl Checker for States {
    fn witness(&mut self, _model: &Model, sight: &Sight, _bench: &mut Bench<'_>) {
        if let Sight::Producers { process, partition, known } = sight {
            let place = (process.clone(), partition.clone());
            self.seen.insert(place, known.clone());
        }
    }

    fn settle(&mut self, model: &Model, bench: &mut Bench<'_>) {
        for (place, known) in std::mem::take(&mut self.seen) {
            self.judge(model, &place, &known, bench);
        }
    }
}

impl States {
    fn judge(
        &mut self,
        model: &Model,
        place: &(Name, Name),
        known: &BTreeMap<i64, KnownProducer>,
        bench: &mut Bench<'_>,
    ) {
        let (process, partition) = place;
        let Some(replica) = model.replica(process, partition) else { return };
        let is_known = replica.is_sound
            && replica.log.first().is_some_and(|first| first.base == 0)
            && model.deleted_below(partition) == 0
            && !model.compacted().is_thin(partition, 0..i64::MAX)
            && !model.was_moved(process, partition);
        if !is_known {
            self.unknown.insert(place.clone());
        }
        if self.unknown.contains(place) {
            return;
        }
        let said = fold(replica);
        for (producer, state) in known {
            let due = said.get(producer);
            bench.demand("P3", due == Some(state), || {
                format!(
                    "{process} knows of producer {producer} in {partition}: {state:?}; its \
                     log says {due:?}"
                )
            });
        }
        let open = said.iter().filter(|(_, it)| it.transaction.is_some());
        for (producer, _) in open {
            bench.demand("P3", known.contains_key(producer), || {
                format!(
                    "{process} has forgotten the open transaction of producer {producer} \
                     in {partition}"
                )
            });
        }
    }
}
