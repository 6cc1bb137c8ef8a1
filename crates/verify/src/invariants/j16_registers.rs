//! J16: the committed offsets of a group are registers, as far as anybody outside can see: what
//! is told was asked for before, and nothing that was taken since and before the question.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::{Asked, Sight};
use topomotion_trace::StateChange;

use super::Checker;
use super::t1_transitions::home_in;
use crate::court::Bench;
use crate::model::{Model, Name};

/// A group's partition.
type Place = (Name, Name);

/// A write, from its question to its answer; without one it may yet come into force.
#[derive(Debug)]
struct Write {
    asked: u64,
    taken: Option<u64>,
    offset: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Registers {
    /// Counts what was seen.
    clock: u64,
    asked: BTreeMap<u64, u64>,
    writes: BTreeMap<Place, Vec<Write>>,
    /// When whoever asks for offsets asked.
    reads: BTreeMap<u64, u64>,
    /// Registers that were taken away by somebody else.
    gone: BTreeSet<Place>,
}

impl Registers {
    fn may_be_told(&self, place: &Place, told: Option<i64>, asked: u64) -> bool {
        let none = Vec::new();
        let writes = self.writes.get(place).unwrap_or(&none);
        let over = |it: &&Write| it.taken.is_some_and(|taken| taken < asked);
        let Some(told) = told else { return !writes.iter().any(|it| over(&it)) };
        writes.iter().any(|write| {
            let replaced = |it: &Write| {
                over(&it) && write.taken.is_some_and(|taken| taken < it.asked)
            };
            write.offset == told && !writes.iter().any(replaced)
        })
    }
}

impl Checker for Registers {
    fn see(&mut self, _model: &Model, change: &StateChange, _bench: &mut Bench<'_>) {
        match change {
            StateChange::OffsetCommitted { group, partition, offset: None, .. } => {
                self.gone.insert((group.clone(), partition.clone()));
            }
            // Of what a transaction commits nobody is told when it has come into force.
            StateChange::OffsetCommitted {
                group,
                partition,
                offset: Some(offset),
                ..
            } => {
                let place = (group.clone(), partition.clone());
                let writes = self.writes.entry(place).or_default();
                if !writes.iter().any(|it| it.offset == *offset) {
                    let (asked, taken) = (self.clock, None);
                    writes.push(Write { asked, taken, offset: *offset });
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
                    let write = Write { asked, taken: None, offset: *offset };
                    self.writes.entry(place).or_default().push(write);
                }
            }
            Sight::CommitTaken { number, group, offsets, .. } => {
                let Some(asked) = self.asked.remove(number) else { return };
                for (at, offset) in offsets {
                    let place = (group.clone(), at.clone());
                    let mut writes = self.writes.get_mut(&place).into_iter().flatten();
                    let write =
                        writes.find(|it| it.asked == asked && it.offset == *offset);
                    if let Some(write) = write {
                        write.taken = Some(self.clock);
                    }
                }
            }
            Sight::Asked(Asked::OffsetDeleted { group, partition }) => {
                self.gone.insert((group.clone(), partition.clone()));
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
                    let holds = self.gone.contains(&place)
                        || self.may_be_told(&place, *told, asked);
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
