//! What members were given, and what nobody has: the partitions that a group forgets since the
//! member that was to hand them on has forgotten it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_trace::{GroupState, Ownership, StateChange};

/// Shares of the members of every group.
#[derive(Debug, Clone, Default)]
pub(super) struct Shares {
    groups: BTreeMap<Arc<str>, Shared>,
    /// Who had a partition last, by group and partition.
    holders: BTreeMap<(Arc<str>, Arc<str>), Arc<str>>,
    given: BTreeMap<Arc<str>, Given>,
}

/// What a group's coordinator told last of a group that a member shares out.
#[derive(Debug, Clone, Default)]
struct Shared {
    /// The generation, where the group is stable and lets go before it gives.
    cooperative: Option<i32>,
    assigned: BTreeSet<Arc<str>>,
}

/// The generation that a process was given its share in last.
#[derive(Debug, Clone)]
struct Given {
    generation: i32,
    /// Whether it came to it with nothing: it was given its share of it before, or it has just
    /// been started.
    anew: bool,
    /// Whether it was down since.
    was_down: bool,
}

impl Shares {
    pub fn change(&mut self, change: &StateChange) {
        match change {
            StateChange::Group {
                group, state, generation, protocol, members, ..
            } => {
                let is_cooperative = protocol.as_deref() == Some("cooperative-sticky")
                    && *state == GroupState::Stable;
                let assigned = members.iter().flat_map(|it| it.assigned.iter().cloned());
                let shared = Shared {
                    cooperative: is_cooperative.then_some(*generation),
                    assigned: assigned.collect(),
                };
                self.groups.insert(group.clone(), shared);
            }
            StateChange::Member {
                process,
                group,
                generation,
                change,
                partitions,
                owned,
            } => {
                for partition in partitions.iter().chain(owned) {
                    let place = (group.clone(), partition.clone());
                    self.holders.insert(place, process.clone());
                }
                if *change == Ownership::Assigned {
                    self.give(process, *generation);
                }
            }
            _ => {}
        }
    }

    fn give(&mut self, process: &Arc<str>, generation: i32) {
        let before = self.given.get(process);
        let anew = before.is_some_and(|it| it.generation == generation || it.was_down);
        let given = Given { generation, anew, was_down: false };
        self.given.insert(process.clone(), given);
    }

    pub fn is_down(&mut self, process: &str) {
        if let Some(given) = self.given.get_mut(process) {
            given.was_down = true;
        }
    }

    /// Who had a partition that a stable cooperative group has given to nobody, if that member
    /// has come back to the very generation in which it was to let go of it, and was told its
    /// share of it: whoever lets go joins again so that another is given it (KIP-429), and one
    /// that has forgotten what it had does not.
    pub fn forgotten_by(&self, group: &str, partition: &str) -> Option<&Arc<str>> {
        let shared = self.groups.get(group)?;
        let generation = shared.cooperative?;
        if shared.assigned.contains(partition) {
            return None;
        }
        let holder = self.holders.get(&(group.into(), partition.into()))?;
        let given = self.given.get(holder)?;
        (given.anew && given.generation == generation).then_some(holder)
    }
}

#[cfg(test)]
mod tests {
    use topomotion_trace::GroupMember;

    use super::*;

    fn stable(generation: i32, shares: &[(&str, &[&str])]) -> StateChange {
        let members = shares.iter().map(|(process, assigned)| GroupMember {
            id: (*process).into(),
            process: (*process).into(),
            instance: Some((*process).into()),
            epoch: generation,
            assigned: assigned.iter().map(|it| (*it).into()).collect(),
        });
        StateChange::Group {
            coordinator: "broker-1".into(),
            group: "north".into(),
            state: GroupState::Stable,
            generation,
            leader: Some("a".into()),
            protocol: Some("cooperative-sticky".into()),
            members: members.collect(),
        }
    }

    fn member(
        generation: i32,
        change: Ownership,
        partitions: &[&str],
        owned: &[&str],
    ) -> StateChange {
        let names = |of: &[&str]| of.iter().map(|it| (*it).into()).collect();
        StateChange::Member {
            process: "a".into(),
            group: "north".into(),
            generation,
            change,
            partitions: names(partitions),
            owned: names(owned),
        }
    }

    /// `a` has both partitions, and is to hand one on.
    fn letting_go() -> Shares {
        let mut shares = Shares::default();
        let all = ["orders-0", "orders-1"];
        shares.change(&stable(1, &[("a", &all)]));
        shares.change(&member(1, Ownership::Assigned, &all, &all));
        shares.change(&stable(2, &[("a", &["orders-0"]), ("b", &[])]));
        shares
    }

    fn let_go(shares: &mut Shares) {
        shares.change(&member(2, Ownership::Revoked, &["orders-1"], &["orders-0"]));
        shares.change(&member(2, Ownership::Assigned, &[], &["orders-0"]));
    }

    #[test]
    fn whoever_lets_go_and_is_told_the_same_again_has_forgotten() {
        let mut shares = letting_go();
        let_go(&mut shares);
        assert_eq!(shares.forgotten_by("north", "orders-1"), None, "it joins again");
        shares.is_down("a");
        assert_eq!(shares.forgotten_by("north", "orders-1"), None, "it is away");
        shares.change(&member(2, Ownership::Assigned, &["orders-0"], &["orders-0"]));
        assert_eq!(shares.forgotten_by("north", "orders-1").map(|it| &**it), Some("a"));
        assert_eq!(shares.forgotten_by("north", "orders-0"), None, "that is its own");
        // The next generation gives it to somebody.
        shares.change(&stable(3, &[("a", &["orders-0"]), ("b", &["orders-1"])]));
        assert_eq!(shares.forgotten_by("north", "orders-1"), None);
    }

    #[test]
    fn whoever_fell_before_it_was_told_has_forgotten_too() {
        let mut shares = letting_go();
        shares.is_down("a");
        shares.change(&member(2, Ownership::Assigned, &["orders-0"], &["orders-0"]));
        assert_eq!(shares.forgotten_by("north", "orders-1").map(|it| &**it), Some("a"));
    }

    #[test]
    fn whoever_was_restarted_long_ago_has_not_forgotten() {
        let mut shares = Shares::default();
        let all = ["orders-0", "orders-1"];
        shares.change(&member(0, Ownership::Assigned, &all, &all));
        shares.is_down("a");
        shares.change(&member(1, Ownership::Assigned, &all, &all));
        shares.change(&stable(2, &[("a", &["orders-0"]), ("b", &[])]));
        let_go(&mut shares);
        assert_eq!(shares.forgotten_by("north", "orders-1"), None);
    }
}
