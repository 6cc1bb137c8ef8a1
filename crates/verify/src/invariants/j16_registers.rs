//! J16: the committed offsets of a group are registers, as far as anybody outside can see: what
//! is told was asked for before, and nothing that was taken since and before the question. That
//! nothing is committed is a value, too: the first, and that of every deletion.

use std::collections::BTreeMap;

use topomotion_sim::{Asked, Sight};
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::homes::home_in;
use crate::model::{Model, Name};

/// A group's partition.
type Place = (Name, Name);

/// A write, from its question to its answer; without one it may yet come into force.
#[derive(Debug)]
struct Write {
    asked: u64,
    taken: Option<u64>,
    /// A deletion has none.
    offset: Option<i64>,
}

impl Write {
    /// What came into force as it is seen: the log has it behind all that was taken before.
    fn seen(now: u64, offset: Option<i64>) -> Write {
        Write { asked: now, taken: Some(now), offset }
    }
}

#[derive(Debug, Default)]
pub(crate) struct Registers {
    /// Counts what was seen.
    clock: u64,
    asked: BTreeMap<u64, u64>,
    writes: BTreeMap<Place, Vec<Write>>,
    /// When whoever asks for offsets asked.
    reads: BTreeMap<u64, u64>,
}

impl Registers {
    fn may_be_told(&self, place: &Place, told: Option<i64>, asked: u64) -> bool {
        let none = Vec::new();
        let writes = self.writes.get(place).unwrap_or(&none);
        let first = Write::seen(0, None);
        let mut all = writes.iter().chain([&first]);
        all.any(|write| {
            let replaced = |it: &Write| {
                it.taken.is_some_and(|taken| taken < asked)
                    && write.taken.is_some_and(|taken| taken < it.asked)
            };
            write.offset == told && !writes.iter().any(replaced)
        })
    }

    /// A deletion is durable: one that was asked for, if there is one, or one that time, or the
    /// end of a topic or a group, brought about.
    fn deleted(&mut self, place: Place) {
        let now = self.clock;
        let writes = self.writes.entry(place).or_default();
        let waits = |it: &Write| it.offset.is_none() && it.taken.is_none();
        if let Some(at) = writes.iter().position(waits) {
            writes.remove(at);
        }
        writes.push(Write::seen(now, None));
    }
}

impl Checker for Registers {
    fn see(&mut self, _model: &Model, change: &StateChange, _bench: &mut Bench<'_>) {
        self.clock += 1;
        match change {
            StateChange::OffsetCommitted { group, partition, offset: None, .. } => {
                self.deleted((group.clone(), partition.clone()));
            }
            // Of what a transaction commits nobody is told when it has come into force.
            StateChange::OffsetCommitted { group, partition, offset, .. } => {
                let place = (group.clone(), partition.clone());
                if !self.may_be_told(&place, *offset, u64::MAX) {
                    let write = Write { asked: self.clock, taken: None, offset: *offset };
                    self.writes.entry(place).or_default().push(write);
                }
            }
            _ => {}
        }
    }

    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        self.clock += 1;
        match sight {
            Sight::CommitAsked { number, group, offsets, .. } => {
                let asked = self.clock;
                self.asked.insert(*number, asked);
                for (at, offset) in offsets {
                    let place = (group.clone(), at.clone());
                    let write = Write { asked, taken: None, offset: Some(*offset) };
                    self.writes.entry(place).or_default().push(write);
                }
            }
            Sight::CommitTaken { number, group, offsets, .. } => {
                let Some(asked) = self.asked.remove(number) else { return };
                for (at, offset) in offsets {
                    let place = (group.clone(), at.clone());
                    let mut writes = self.writes.get_mut(&place).into_iter().flatten();
                    let write =
                        writes.find(|it| it.asked == asked && it.offset == Some(*offset));
                    if let Some(write) = write {
                        write.taken = Some(self.clock);
                    }
                }
            }
            Sight::Asked(Asked::OffsetDeleted { group, partition }) => {
                let write = Write { asked: self.clock, taken: None, offset: None };
                let place = (group.clone(), partition.clone());
                self.writes.entry(place).or_default().push(write);
            }
            Sight::Asked(Asked::GroupDeleted(group)) => {
                let now = self.clock;
                for (_, writes) in
                    self.writes.iter_mut().filter(|((of, _), _)| of == group)
                {
                    writes.push(Write { asked: now, taken: None, offset: None });
                }
            }
            Sight::OffsetsAsked { number, .. } => {
                self.reads.insert(*number, self.clock);
            }
            Sight::OffsetsTold { number, coordinator, process, group, offsets } => {
                let Some(asked) = self.reads.remove(number) else { return };
                let home = home_in(model, "__consumer_offsets", group);
                if home.is_none_or(|it| {
                    model.was_unclean(&it) || model.led_by(coordinator, &it).is_none()
                }) {
                    return;
                }
                for (at, told) in offsets {
                    let place = (group.clone(), at.clone());
                    let holds = self.may_be_told(&place, *told, asked);
                    bench.demand("J16", holds, || {
                        format!("{process} was told {told:?} for {at} in {group}: too old, or \
                             never asked for")
                    });
                }
            }
            _ => {}
        }
    }
}
