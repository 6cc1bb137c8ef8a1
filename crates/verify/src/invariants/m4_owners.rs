//! M4: no two members of a group hold a partition for theirs at once, as long as the group
//! counts with both. M5: a cooperative member goes on owning what it keeps.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::Sight;
use topomotion_trace::{
    Fault, GroupMember, GroupState, Ownership, ProcessState, StateChange, Time,
};

use super::Checker;
use crate::court::Bench;
use crate::homes::{home_in, is_deposed};
use crate::model::{Model, Name};

/// A member as it sees itself.
#[derive(Debug, Default)]
struct Belief {
    owned: BTreeSet<Name>,
    /// Whether the group counts with it no more.
    is_expelled: bool,
    /// What it gave up though it was to keep it.
    given_up: BTreeSet<Name>,
    /// Whether its user has wanted to read something else since it was given partitions.
    changed_its_mind: bool,
    /// The generation in which it was given partitions last.
    given_in: i32,
    /// Whether it had said by then what it owned, and was not answered: the coordinator may
    /// have taken back what it had not said (KIP-848).
    had_spoken: bool,
}

impl Belief {
    /// Whether a coordinator that has come to this generation may have taken it at its word.
    fn may_be_outdated(&self, generation: i32) -> bool {
        self.had_spoken && self.given_in < generation
    }
}

#[derive(Debug, Default)]
pub(crate) struct Owners {
    /// By group, then by process.
    beliefs: BTreeMap<Name, BTreeMap<Name, Belief>>,
    /// What each member of a cooperative group was to have in the last stable generation.
    kept: BTreeMap<(Name, Name), BTreeSet<Name>>,
    /// Whom each group counts with.
    counted: BTreeMap<Name, BTreeSet<Name>>,
    /// The generation in which the members of a group were last complete, where they join.
    complete: BTreeMap<Name, i32>,
    /// Who has asked to join since the members of a group were last complete.
    joined: BTreeMap<Name, BTreeSet<Name>>,
    /// The same, where members may be complete for a coordinator that is deposed as well.
    joined_anywhere: BTreeMap<Name, BTreeSet<Name>>,
    /// Who has said what it owns since it was told its epoch, where members do not join.
    spoken: BTreeSet<(Name, Name)>,
    /// Who had no part in a generation that a coordinator made complete which was deposed and
    /// had not heard of it: those whom it serves share out what the others still have (GRP-4,
    /// and GRP-7 for static members, which stay in the group for all that).
    without: BTreeMap<(Name, i32), BTreeSet<Name>>,
    /// The newest generation that each group was told to be in.
    generations: BTreeMap<Name, i32>,
    /// Replicas of which less was found than they had, until somebody coordinates with them.
    shortened: BTreeSet<(Name, Name)>,
}

impl Owners {
    fn forget(&mut self, process: &Name) {
        for beliefs in self.beliefs.values_mut() {
            beliefs.remove(process);
        }
        self.kept.retain(|(_, of), _| of != process);
    }

    /// Whether a group counts with whoever is given something in this generation.
    fn counts_with(&self, group: &Name, process: &Name, generation: i32) -> bool {
        let is_member = self.counted.get(group).is_none_or(|it| it.contains(process));
        // Where members do not join, one that has just said what it owns may still go where it
        // was sent before, if it does not hear that this was taken back (KIP-848).
        let current = self.complete.get(group).or_else(|| self.generations.get(group));
        is_member && current.is_none_or(|current| generation >= *current)
    }

    /// A group counts with these members, but for those that have no say any more.
    fn count(
        &mut self,
        (group, generation): (&Name, i32),
        members: &[GroupMember],
        counts: impl Fn(&GroupMember) -> bool,
    ) {
        let counted = members.iter().map(|it| it.process.clone());
        self.counted.insert(group.clone(), counted.collect());
        let has_joins = self.complete.contains_key(group);
        let of_group = self.beliefs.entry(group.clone()).or_default();
        for (process, belief) in of_group {
            let member = members.iter().find(|it| it.process == *process);
            belief.is_expelled |= !member.is_some_and(&counts)
                || !has_joins && belief.may_be_outdated(generation);
        }
    }

    /// A coordinator that has lost what it had of a group counts with nobody who was given
    /// partitions in a generation that it knows nothing of.
    fn date(&mut self, model: &Model, coordinator: &Name, group: &Name, generation: i32) {
        let newest = self.generations.insert(group.clone(), generation);
        let falls_back = newest.is_some_and(|newest| generation < newest);
        let Some(home) = home_in(model, "__consumer_offsets", group) else { return };
        let has_lost = falls_back && model.was_unclean(&home);
        if has_lost || self.shortened.remove(&(coordinator.clone(), home)) {
            let of_group = self.beliefs.entry(group.clone()).or_default();
            of_group.values_mut().for_each(|belief| belief.is_expelled = true);
        }
    }

    /// Who has joined the rebalance that now has everybody. Whoever comes back to a stable group,
    /// as a static member may, has not joined the next one with that.
    fn joined_until(&mut self, group: &Name, state: GroupState) -> BTreeSet<Name> {
        match state {
            GroupState::CompletingRebalance | GroupState::Stable => {
                self.joined.remove(group).unwrap_or_default()
            }
            _ => BTreeSet::new(),
        }
    }

    /// A deposed coordinator has a new generation of those who have joined, and nobody else; of
    /// those who are left, where members do not join.
    fn part(
        &mut self,
        (group, generation): (&Name, i32),
        state: GroupState,
        members: &[GroupMember],
    ) {
        let joined = match state {
            GroupState::CompletingRebalance => {
                self.joined_anywhere.remove(group).unwrap_or_default()
            }
            _ if self.complete.contains_key(group) => return,
            _ => members.iter().map(|it| it.process.clone()).collect(),
        };
        let known = self.beliefs.get(group).into_iter().flatten();
        let without = known.map(|(process, _)| process.clone());
        let without = without.filter(|it| !joined.contains(it)).collect();
        self.without.insert((group.clone(), generation), without);
    }

    /// Whether a member was given its share in a generation that another, who is behind it, had
    /// no part in.
    fn is_without(
        &self,
        group: &Name,
        given: &Belief,
        (other, behind): (&Name, &Belief),
    ) -> bool {
        let place = (group.clone(), given.given_in);
        behind.given_in < given.given_in
            && self.without.get(&place).is_some_and(|it| it.contains(other))
    }

    fn judge_owners(&self, group: &Name, process: &Name, bench: &mut Bench<'_>) {
        let beliefs = &self.beliefs[group];
        let own = &beliefs[process];
        if own.is_expelled {
            return;
        }
        for (other, belief) in beliefs {
            if other == process
                || belief.is_expelled
                || self.is_without(group, own, (other, belief))
                || self.is_without(group, belief, (process, own))
            {
                continue;
            }
            let both: Vec<&Name> = own.owned.intersection(&belief.owned).collect();
            bench.demand("M4", both.is_empty(), || {
                format!("{process} and {other} of {group} both own {both:?}")
            });
        }
    }
}

impl Checker for Owners {
    #[allow(clippy::too_many_lines)] // one arm a change
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        match change {
            StateChange::Member {
                process,
                group,
                generation,
                change,
                partitions,
                owned,
            } => {
                let is_counted = self.counts_with(group, process, *generation);
                let place = (group.clone(), process.clone());
                let kept = self.kept.get(&place);
                let of_group = self.beliefs.entry(group.clone()).or_default();
                let belief = of_group.entry(process.clone()).or_default();
                belief.owned = owned.iter().cloned().collect();
                let given_up = std::mem::take(&mut belief.given_up);
                match change {
                    Ownership::Revoked => {
                        let kept = partitions
                            .iter()
                            .filter(|at| kept.is_some_and(|kept| kept.contains(*at)));
                        belief.given_up = kept.cloned().collect();
                    }
                    Ownership::Assigned => {
                        // What it is given may come late, when others have it already; and
                        // what it sorts out by itself does not bring it back.
                        let is_news = belief.given_in != *generation;
                        belief.is_expelled =
                            !is_counted || belief.is_expelled && !is_news;
                        belief.given_in = *generation;
                        belief.had_spoken = self.spoken.contains(&place);
                        let at_will = std::mem::take(&mut belief.changed_its_mind);
                        let back = partitions
                            .iter()
                            .find(|at| given_up.contains(*at) && !at_will);
                        bench.demand("M5", back.is_none(), || {
                            format!(
                                "{process} of {group} gave {back:?} up, which it was to keep"
                            )
                        });
                    }
                    Ownership::Lost => {}
                }
                self.judge_owners(group, process, bench);
            }
            // Whoever coordinates no more counts with whom it likes.
            StateChange::Group {
                coordinator, group, state, generation, members, ..
            } if is_deposed(model, coordinator, group) => {
                self.part((group, *generation), *state, members);
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
                // A static member that has not joined again in time keeps its place, though
                // the others share out what it has.
                self.date(model, coordinator, group, *generation);
                let is_complete = *state == GroupState::CompletingRebalance;
                let joined = self.joined_until(group, *state);
                if is_complete {
                    self.complete.insert(group.clone(), *generation);
                    self.without.remove(&(group.clone(), *generation));
                    self.joined_anywhere.remove(group);
                }
                self.count((group, *generation), members, |it| {
                    it.instance.is_none() || !is_complete || joined.contains(&it.process)
                });
                let is_cooperative = protocol.as_deref() == Some("cooperative-sticky");
                if *state == GroupState::Stable && is_cooperative {
                    for member in members {
                        let place = (group.clone(), member.process.clone());
                        self.kept
                            .insert(place, member.assigned.iter().cloned().collect());
                    }
                }
            }
            StateChange::Recovered { process, partition, .. } => {
                self.shortened.insert((process.clone(), partition.clone()));
            }
            StateChange::Process { process, state: ProcessState::Stopped } => {
                self.forget(process);
            }
            _ => {}
        }
    }

    fn witness(&mut self, _model: &Model, sight: &Sight, _bench: &mut Bench<'_>) {
        // Whoever has left is counted with no more, a static member that is to be back neither.
        if let Sight::EpochTold { process, group, .. } = sight {
            self.spoken.remove(&(group.clone(), process.clone()));
        }
        if let Sight::EpochTold { process, group, epoch: ..0, .. }
        | Sight::Leaves { process, group } = sight
        {
            let of_group = self.beliefs.get_mut(group);
            let belief = of_group.and_then(|beliefs| beliefs.get_mut(process));
            belief.into_iter().for_each(|belief| belief.is_expelled = true);
        }
        if let Sight::Heard { process, group, topics: Some(_), .. } = sight {
            self.spoken.insert((group.clone(), process.clone()));
            for joined in [&mut self.joined, &mut self.joined_anywhere] {
                joined.entry(group.clone()).or_default().insert(process.clone());
            }
        }
        if let Sight::Subscribed(process) = sight {
            let beliefs = self.beliefs.values_mut().filter_map(|it| it.get_mut(process));
            beliefs.for_each(|belief| belief.changed_its_mind = true);
        }
        if let Sight::Started(process)
        | Sight::LostPower(process)
        | Sight::LostDisk(process) = sight
        {
            self.forget(process);
        }
    }

    fn suffer(&mut self, _at: Time, fault: &Fault) {
        if let Fault::Crash { process } = fault {
            self.forget(process);
        }
    }
}
