//! M1: a group's generation never falls, also where another coordinator takes over. M2: within a
//! generation each partition belongs to one member, and none of a topic that anybody has is
//! left over. M6: shares are even. M7: a sticky assignor moves no more than that takes.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::{Asked, ClusterPlan, Sight};
use topomotion_trace::{GroupMember, GroupState, Ownership, StateChange, Time};

use super::Checker;
use crate::court::Bench;
use crate::homes::home_in;
use crate::model::{Model, Name};

/// Beyond these many members and partitions no minimum is sought.
const SMALL: (usize, usize) = (4, 6);

/// Who has what: a member by its instance or id.
type Shares = BTreeMap<Name, BTreeSet<Name>>;

#[derive(Debug, Default)]
pub(crate) struct Groups {
    generations: BTreeMap<Name, i32>,
    /// The last generation of groups that were deleted, and came again: their members may still
    /// claim what they had then.
    past: BTreeMap<Name, i32>,
    /// Groups that were deleted by whoever was deposed and did not know it, so that its successor
    /// may have had that from it; or that were to be deleted, by whoever may have written it and
    /// been gone before it could say so.
    perhaps_dead: BTreeSet<Name>,
    /// Topics that got more partitions; members may not have heard of them.
    grown: BTreeSet<Name>,
    /// When the first partition of each topic was registered. Those that it is created with come
    /// in the same batch of metadata, which is seen whole.
    created: BTreeMap<Name, Time>,
    known: BTreeSet<Name>,
    /// What each process wants to read of each group: as planned, and as it says since.
    topics: BTreeMap<(Name, Name), BTreeSet<Name>>,
    /// The last complete assignment of each group, as long as nobody forgot what it had.
    before: BTreeMap<Name, Before>,
    /// The last generation in which each process of each group was given its share.
    given: BTreeMap<(Name, Name), i32>,
    /// Who has asked to join each group since its last generation. A static member is kept
    /// without that, and what it has its leader does not hear.
    joined: BTreeMap<Name, BTreeSet<Name>>,
}

/// An assignment that the next one starts from, if its members have heard of it.
#[derive(Debug)]
struct Before {
    generation: i32,
    shares: Shares,
    processes: Vec<Name>,
}

const TOPIC: &str = "__consumer_offsets";

/// A group that its coordinator, which is the right one, holds for stable.
struct View<'a> {
    group: &'a Name,
    generation: i32,
    protocol: &'a str,
    members: &'a [GroupMember],
}

fn topic_of(partition: &str) -> &str {
    partition.rsplit_once('-').map_or(partition, |(topic, _)| topic)
}

fn is_even(sizes: impl Iterator<Item = usize> + Clone) -> bool {
    let (least, most) = (sizes.clone().min().unwrap_or(0), sizes.max().unwrap_or(0));
    most - least <= 1
}

impl View<'_> {
    fn shares(&self) -> Shares {
        let shares = self.members.iter().map(|it| {
            let name = it.instance.as_ref().unwrap_or(&it.id);
            (name.clone(), it.assigned.iter().cloned().collect())
        });
        shares.collect()
    }

    fn assigned(&self) -> impl Iterator<Item = &Name> {
        self.members.iter().flat_map(|it| &it.assigned)
    }
}

impl Groups {
    pub fn new(plan: Option<&ClusterPlan>) -> Groups {
        let consumers = plan.iter().flat_map(|plan| &plan.consumers);
        let topics = consumers.map(|it| {
            let place = (it.group.as_str().into(), it.process.0.clone());
            (place, it.topics().into_iter().map(Name::from).collect())
        });
        Groups { topics: topics.collect(), ..Groups::default() }
    }

    /// Whether all of its members read the same, and every topic of theirs is known.
    fn is_equal(&self, model: &Model, view: &View<'_>) -> bool {
        let wanted = |member: &GroupMember| {
            self.topics.get(&(view.group.clone(), member.process.clone()))
        };
        let mut all = view.members.iter().map(wanted);
        let first = all.next().flatten();
        let Some(first) = first.filter(|_| all.all(|it| it == first)) else {
            return false;
        };
        // What is deleted, or given to nobody yet, is not shared out evenly.
        let assigned: BTreeSet<&Name> = view.assigned().collect();
        let due = model.registrations.keys().filter(|it| first.contains(topic_of(it)));
        let known: BTreeSet<&str> = due.clone().map(|it| topic_of(it)).collect();
        due.eq(assigned) && known.len() == first.len()
    }

    /// Partitions of the topics that anybody has and that nobody has.
    fn left_over(&self, model: &Model, view: &View<'_>) -> Vec<Name> {
        let assigned: BTreeSet<&Name> = view.assigned().collect();
        let topics: BTreeSet<&str> = assigned.iter().map(|it| topic_of(it)).collect();
        let all = model.registrations.keys();
        let due = all.filter(|it| {
            topics.contains(topic_of(it)) && !self.grown.contains(topic_of(it))
        });
        due.filter(|it| !assigned.contains(it)).cloned().collect()
    }

    fn stable(&mut self, model: &Model, view: &View<'_>, bench: &mut Bench<'_>) {
        let (group, generation) = (view.group, view.generation);
        let joined = self.joined.remove(group).unwrap_or_default();
        if !view.members.iter().all(|it| joined.contains(&it.process)) {
            self.before.remove(group);
        }
        let last = self.generations.insert(group.clone(), generation);
        let fell = last.filter(|last| generation < *last);
        let last = match fell {
            Some(fell) if self.perhaps_dead.remove(group) => {
                self.bury(group, fell);
                None
            }
            _ => last,
        };
        bench.demand("M1", last.is_none_or(|last| last <= generation), || {
            format!("generation of {group} fell from {last:?} to {generation}")
        });
        let mut owners: BTreeMap<&Name, &Name> = BTreeMap::new();
        for member in view.members {
            for partition in &member.assigned {
                let other = owners.insert(partition, &member.process);
                bench.demand("M2", other.is_none(), || {
                    format!(
                        "{partition} is given to {} and to {other:?} in generation \
                         {generation} of {group}",
                        member.process
                    )
                });
            }
        }
        let left_over = self.left_over(model, view);
        let is_grown = view.assigned().any(|it| self.grown.contains(topic_of(it)));
        // A cooperative assignor first takes, and gives in the next generation.
        if view.protocol == "cooperative-sticky" && !left_over.is_empty() {
            return;
        }
        bench.demand("M2", left_over.is_empty(), || {
            format!(
                "{left_over:?} is given to nobody in generation {generation} of {group}"
            )
        });
        if is_grown || !left_over.is_empty() || view.members.is_empty() {
            return;
        }
        // A generation that is told again, by the next coordinator or since a static member is
        // back under another id, was shared out by what held then, and is nothing new: whoever
        // forgot what it had meanwhile is told it in the next.
        if last == Some(generation) {
            return;
        }
        if self.is_equal(model, view) {
            self.judge_balance(view, bench);
        }
        let processes = view.members.iter().map(|it| it.process.clone()).collect();
        let before = Before { generation, shares: view.shares(), processes };
        self.before.insert(group.clone(), before);
    }

    fn bury(&mut self, group: &Name, generation: i32) {
        let past = self.past.entry(group.clone()).or_insert(generation);
        *past = generation.max(*past);
    }

    fn judge_balance(&self, view: &View<'_>, bench: &mut Bench<'_>) {
        let (group, shares) = (view.group, view.shares());
        let sizes = shares.values().map(BTreeSet::len);
        let topics: BTreeSet<&str> = view.assigned().map(|it| topic_of(it)).collect();
        let of_topic = |topic: &str| {
            let count = |it: &BTreeSet<Name>| {
                it.iter().filter(|it| topic_of(it) == topic).count()
            };
            is_even(shares.values().map(count))
        };
        let even = match view.protocol {
            "roundrobin" | "sticky" | "cooperative-sticky" => is_even(sizes),
            "range" => topics.iter().all(|topic| of_topic(topic)),
            // Which of the broker's own assignors it was is not told.
            _ => is_even(sizes) || topics.iter().all(|topic| of_topic(topic)),
        };
        bench.demand("M6", even, || {
            format!("{} shares {shares:?} out in {group}", view.protocol)
        });
        let is_sticky = matches!(view.protocol, "sticky" | "cooperative-sticky");
        // What a log alone knows, since the coordinator died before it could answer, no member
        // ever had.
        let was_given = |before: &&Before| {
            before.processes.iter().all(|process| {
                let place = (group.clone(), process.clone());
                self.given.get(&place).is_some_and(|it| *it >= before.generation)
            })
        };
        let before = self.before.get(group).filter(|_| is_sticky && even);
        let is_newest = |before: &&Before| {
            self.past.get(group).is_none_or(|past| before.generation > *past)
        };
        let before = before.filter(was_given).filter(is_newest);
        let Some(Before { shares: before, .. }) = before else { return };
        let partitions: Vec<&Name> = shares.values().flatten().collect();
        if shares.len() > SMALL.0 || partitions.len() > SMALL.1 {
            return;
        }
        let owner = |of: &Shares, at: &Name| {
            of.iter().find(|(_, owned)| owned.contains(at)).map(|(name, _)| name.clone())
        };
        let names: Vec<&Name> = shares.keys().collect();
        let place = |name: Name| names.iter().position(|it| **it == name);
        let homes: Vec<Option<usize>> =
            partitions.iter().map(|at| owner(before, at).and_then(place)).collect();
        let now = partitions.iter().map(|at| owner(&shares, at).and_then(place));
        let moved =
            homes.iter().zip(now).filter(|(home, now)| home.is_some() && *home != now);
        let moved = moved.count();
        let least = least_moves(&homes, names.len());
        bench.demand("M7", moved <= least, || {
            format!("{group} moved {moved} partitions where {least} would have done")
        });
    }
}

/// How many partitions must leave their home at least so that shares are even: tries every way
/// to share out.
fn least_moves(homes: &[Option<usize>], members: usize) -> usize {
    fn search(
        homes: &[Option<usize>],
        sizes: &mut Vec<usize>,
        moved: usize,
        least: &mut usize,
    ) {
        let Some((home, rest)) = homes.split_first() else {
            if is_even(sizes.iter().copied()) {
                *least = moved.min(*least);
            }
            return;
        };
        for member in 0..sizes.len() {
            sizes[member] += 1;
            let moves = home.is_some_and(|home| home != member);
            search(rest, sizes, moved + usize::from(moves), least);
            sizes[member] -= 1;
        }
    }
    let mut least = usize::MAX;
    search(homes, &mut vec![0; members], 0, &mut least);
    least
}

impl Checker for Groups {
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        match change {
            StateChange::Registration { partition, .. } => {
                // A share may be older than what it is seen beside: it is told when it is durable.
                let is_new = self.known.insert(partition.clone());
                let topic = Name::from(topic_of(partition));
                let created = *self.created.entry(topic.clone()).or_insert(bench.at());
                if is_new && created != bench.at() {
                    self.grown.insert(topic);
                }
            }
            StateChange::Member {
                process: _, group, change: Ownership::Lost, ..
            } => {
                self.before.remove(group);
            }
            StateChange::Member {
                process,
                group,
                generation,
                change: Ownership::Assigned,
                ..
            } => {
                let place = (group.clone(), process.clone());
                self.given.insert(place, *generation);
            }
            StateChange::Group {
                coordinator,
                group,
                state,
                generation,
                protocol,
                members,
                ..
            } => {
                let home = home_in(model, TOPIC, group);
                let Some(home) =
                    home.filter(|it| model.led_by(coordinator, it).is_some())
                else {
                    if *state == GroupState::Dead {
                        self.perhaps_dead.insert(group.clone());
                    }
                    return;
                };
                match state {
                    GroupState::Dead => {
                        self.generations.remove(group);
                        self.bury(group, *generation);
                    }
                    GroupState::Stable if !model.was_unclean(&home) => {
                        let protocol = protocol.as_deref().unwrap_or_default();
                        let generation = *generation;
                        let view = View { group, generation, protocol, members };
                        self.stable(model, &view, bench);
                    }
                    _ => {}
                }
            }
            _ => {}
        }
    }

    fn witness(&mut self, _model: &Model, sight: &Sight, _bench: &mut Bench<'_>) {
        match sight {
            // Whoever is started anew, or wants to read something else for a while, does not
            // know what it had.
            Sight::Started(_) | Sight::Subscribed(_) => self.before.clear(),
            Sight::Asked(Asked::GroupDeleted(group)) => {
                self.perhaps_dead.insert(group.clone());
            }
            Sight::Heard { process, group, topics: Some(topics), .. } => {
                let place = (group.clone(), process.clone());
                self.topics.insert(place, topics.clone());
                self.joined.entry(group.clone()).or_default().insert(process.clone());
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_number_of_moves_is_found() {
        // Two members with three each, a third with nothing: one leaves each.
        let homes = [Some(0), Some(0), Some(0), Some(1), Some(1), Some(1)];
        assert_eq!(least_moves(&homes, 3), 2);
        assert_eq!(least_moves(&homes, 2), 0);
        assert_eq!(least_moves(&[Some(0), Some(0), None], 2), 0);
    }
}
