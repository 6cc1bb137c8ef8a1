//! M3: a group's coordinator takes offsets from members of the present generation, or epoch,
//! only. M9: what it says it has taken counts, and nothing else is told, also where another
//! coordinator takes over. M10: nobody commits beyond what there ever was, and what a
//! transaction commits is not told before it counts.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::{Asked, Sight};
use topomotion_trace::StateChange;

use super::Checker;
use crate::court::Bench;
use crate::homes::home_in;
use crate::model::{Model, Name};

const TOPIC: &str = "__consumer_offsets";

/// A group's partition.
type Place = (Name, Name);

/// A commit that is not answered.
#[derive(Debug)]
struct Open {
    group: Name,
    member: Name,
    generation: i32,
    /// The generations that the member could give since it asked.
    valid: BTreeSet<i32>,
    /// What it asks for: its coordinator may take that and be gone before it says so.
    offsets: Vec<(Name, i64)>,
}

#[derive(Debug, Default)]
pub(crate) struct Commits {
    /// Generation of each group, and the epoch of each member.
    epochs: BTreeMap<Name, (i32, BTreeMap<Name, i32>)>,
    open: BTreeMap<u64, Open>,
    /// What counts.
    committed: BTreeMap<Place, Option<i64>>,
    /// What has ever counted.
    ever: BTreeSet<(Place, i64)>,
    /// What is to be forgotten, if whoever was asked did so before it was gone: it may never
    /// have said so.
    forgotten: BTreeSet<Place>,
    /// What was taken at this moment.
    taken: Vec<(Place, i64)>,
    /// What transactions are to commit.
    pending: BTreeSet<(Place, i64)>,
}

impl Commits {
    fn valid(&self, group: &Name, member: &Name) -> Option<i32> {
        let (generation, members) = self.epochs.get(group)?;
        Some(members.get(member).copied().unwrap_or(*generation))
    }

    fn take(&mut self, number: u64, bench: &mut Bench<'_>) {
        let Some(open) = self.open.remove(&number) else { return };
        let holds = open.generation < 0
            || open.valid.is_empty()
            || open.valid.contains(&open.generation);
        bench.demand("M3", holds, || {
            format!(
                "{} took a commit of {} in generation {}, in that of {:?}",
                open.group, open.member, open.generation, open.valid
            )
        });
    }

    fn told(
        &self,
        (group, at): (&Name, &Name),
        told: Option<i64>,
        bench: &mut Bench<'_>,
    ) {
        let place = (group.clone(), at.clone());
        let due = self.committed.get(&place).copied().flatten();
        let is_unanswered =
            |(it, offset): &(Name, i64)| it == at && Some(*offset) == told;
        let mut open = self.open.values().filter(|it| it.group == *group);
        let is_forgotten = told.is_none() && self.forgotten.contains(&place);
        if told == due
            || is_forgotten
            || open.any(|it| it.offsets.iter().any(is_unanswered))
        {
            return;
        }
        let is_pending = told.is_some_and(|told| self.pending.contains(&(place, told)));
        let broken = if is_pending { "M10" } else { "M9" };
        bench.demand(broken, false, || {
            format!("{group} is told {told:?} for {at}; {due:?} is committed")
        });
    }
}

/// Whether this is the group's coordinator, of which nothing was lost.
fn coordinates(model: &Model, process: &Name, group: &Name) -> bool {
    home_in(model, TOPIC, group).is_some_and(|home| {
        model.led_by(process, &home).is_some() && !model.was_unclean(&home)
    })
}

impl Checker for Commits {
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        match change {
            // Whoever coordinates no more has not heard of it yet, and goes on with what was.
            StateChange::Group { coordinator, group, generation, members, .. }
                if coordinates(model, coordinator, group) =>
            {
                let members =
                    members.iter().map(|it| (it.id.clone(), it.epoch)).collect();
                self.epochs.insert(group.clone(), (*generation, members));
                let mut open = std::mem::take(&mut self.open);
                for one in open.values_mut().filter(|it| it.group == *group) {
                    one.valid.extend(self.valid(group, &one.member));
                }
                self.open = open;
            }
            StateChange::OffsetCommitted { group, partition, offset, .. } => {
                let place = (group.clone(), partition.clone());
                self.committed.insert(place.clone(), *offset);
                if let Some(offset) = offset {
                    self.forgotten.remove(&place);
                    self.pending.remove(&(place.clone(), *offset));
                    self.ever.insert((place, *offset));
                }
            }
            StateChange::CommitAnswered { process, offsets, error: None, .. } => {
                for (at, offset) in offsets {
                    let highest = model.highest.get(at).copied().unwrap_or(0);
                    let holds = *offset <= highest || model.was_unclean(at);
                    bench.demand("M10", holds, || {
                        format!(
                            "{process} committed {offset} in {at}, where nothing beyond \
                             {highest} was ever committed"
                        )
                    });
                }
            }
            _ => {}
        }
    }

    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        match sight {
            Sight::CommitAsked { number, group, member, generation, offsets, .. } => {
                let valid = self.valid(group, member).into_iter().collect();
                let (group, member) = (group.clone(), member.clone());
                let (generation, offsets) = (*generation, offsets.clone());
                let open = Open { group, member, generation, valid, offsets };
                self.open.insert(*number, open);
            }
            // The rest of the group is told of it when all that is written is durable.
            Sight::EpochTold { coordinator, group, member, epoch, .. }
                if coordinates(model, coordinator, group) =>
            {
                let (_, members) = self.epochs.entry(group.clone()).or_default();
                members.insert(member.clone(), *epoch);
                let of_member =
                    |it: &&mut Open| it.group == *group && it.member == *member;
                let open = self.open.values_mut().filter(of_member);
                open.for_each(|it| _ = it.valid.insert(*epoch));
            }
            Sight::CommitTaken { number, coordinator, group, offsets } => {
                if !coordinates(model, coordinator, group) {
                    return;
                }
                self.take(*number, bench);
                let taken = offsets.iter();
                let taken =
                    taken.map(|(at, offset)| ((group.clone(), at.clone()), *offset));
                self.taken.extend(taken);
            }
            Sight::Asked(Asked::OffsetDeleted { group, partition }) => {
                self.forgotten.insert((group.clone(), partition.clone()));
            }
            Sight::Asked(Asked::GroupDeleted(group)) => {
                let places = self.committed.keys().filter(|(of, _)| of == group);
                self.forgotten.extend(places.cloned());
            }
            Sight::PendingAsked { group, offsets, .. } => {
                let pending = offsets.iter();
                let pending =
                    pending.map(|(at, offset)| ((group.clone(), at.clone()), *offset));
                self.pending.extend(pending);
            }
            Sight::OffsetsTold { coordinator, group, offsets, .. }
                if coordinates(model, coordinator, group) =>
            {
                for (at, told) in offsets {
                    self.told((group, at), *told, bench);
                }
            }
            _ => {}
        }
    }

    fn settle(&mut self, _model: &Model, bench: &mut Bench<'_>) {
        for ((group, at), offset) in std::mem::take(&mut self.taken) {
            let place = (group.clone(), at.clone());
            bench.demand("M9", self.ever.contains(&(place, offset)), || {
                format!(
                    "{group} was told that {offset} in {at} is committed, and it is not"
                )
            });
        }
    }
}
