//! What every assignment must be, on random groups: whole, balanced, sticky (M2, M6, M7).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_assignor::{Assignment, Assignor, Group, Member};
use topomotion_wire::{Random, TopicPartition};

const TOPICS: [&str; 4] = ["t0", "t1", "t2", "t3"];

/// Whether all subscribe to the same.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Subscriptions {
    Equal,
    Unequal,
}

struct Dice(Random);

impl Dice {
    fn roll(&mut self, from: usize, to: usize) -> usize {
        from + usize::try_from(self.0.below((to - from + 1) as u64)).expect("it is small")
    }

    /// Members with arbitrary possessions, some of them disputed or out of date.
    fn group(&mut self, subscriptions: Subscriptions, most: (usize, usize)) -> Group {
        let number = self.roll(1, 4.min(most.1));
        let mut left = most.1;
        let mut topics = BTreeMap::new();
        for (place, topic) in TOPICS.into_iter().enumerate().take(number) {
            let count = self.roll(1, (left + place + 1 - number).max(1));
            left = left.saturating_sub(count);
            topics.insert(Arc::from(topic), i32::try_from(count).expect("it is small"));
        }
        let names: Vec<&str> = TOPICS[..number].to_vec();
        let members = (0..self.roll(1, most.0)).map(|at| {
            let reads = |dice: &mut Dice| {
                subscriptions == Subscriptions::Equal || dice.roll(0, 1) == 1
            };
            let mut mine: Vec<&str> =
                names.iter().copied().filter(|_| reads(self)).collect();
            if mine.is_empty() {
                mine.push(names[self.roll(0, names.len() - 1)]);
            }
            let mut member = Member::new(format!("m{at}"), mine);
            member.generation = i32::try_from(self.roll(3, 4)).expect("it is small");
            member
        });
        let mut group = Group { members: members.collect(), topics };
        for (topic, count) in group.topics.clone() {
            for partition in (0..count).map(|at| TopicPartition::new(topic.clone(), at)) {
                for _ in 0..[0, 1, 1, 1, 2][self.roll(0, 4)] {
                    let owner = self.roll(0, group.members.len() - 1);
                    let owner = &mut group.members[owner];
                    if !owner.owned.contains(&partition) {
                        owner.owned.push(partition.clone());
                    }
                }
            }
        }
        group
    }
}

fn groups(
    seed: u64,
    subscriptions: Subscriptions,
    most: (usize, usize),
) -> impl Iterator<Item = Group> {
    (0..1_000).map(move |at| Dice(Random::new(seed, at)).group(subscriptions, most))
}

/// All that somebody can read.
fn readable(group: &Group) -> BTreeSet<TopicPartition> {
    let topics = group.topics.iter().filter(|(topic, _)| {
        group.members.iter().any(|member| member.topics.contains(*topic))
    });
    topics
        .flat_map(|(topic, count)| {
            (0..*count).map(|at| TopicPartition::new(topic.clone(), at))
        })
        .collect()
}

fn assert_whole(group: &Group, assignment: &Assignment, assignor: Assignor) {
    let given: Vec<&TopicPartition> = assignment.values().flatten().collect();
    let once: BTreeSet<TopicPartition> = given.iter().copied().cloned().collect();
    assert_eq!(given.len(), once.len(), "{}: something twice", assignor.name());
    assert_eq!(once, readable(group), "{}", assignor.name());
    for member in &group.members {
        let topics = assignment[&member.id].iter().map(|it| &it.topic);
        assert!(topics.into_iter().all(|topic| member.topics.contains(topic)));
    }
}

/// Whether all partitions can be assigned so that nobody has more than `limit`: a flow from
/// topics to members, one augmenting path at a time.
fn fits(group: &Group, limit: usize) -> bool {
    let partitions: Vec<TopicPartition> = readable(group).into_iter().collect();
    let mut holds: Vec<Vec<usize>> = vec![Vec::new(); group.members.len()];
    for partition in 0..partitions.len() {
        let mut seen = vec![false; group.members.len()];
        if !place(group, &partitions, &mut holds, &mut seen, partition, limit) {
            return false;
        }
    }
    true
}

fn place(
    group: &Group,
    partitions: &[TopicPartition],
    holds: &mut Vec<Vec<usize>>,
    seen: &mut Vec<bool>,
    partition: usize,
    limit: usize,
) -> bool {
    for at in 0..group.members.len() {
        let reads = group.members[at].topics.contains(&partitions[partition].topic);
        if !reads || std::mem::replace(&mut seen[at], true) {
            continue;
        }
        if holds[at].len() < limit {
            holds[at].push(partition);
            return true;
        }
        for slot in 0..holds[at].len() {
            let other = holds[at][slot];
            if place(group, partitions, holds, seen, other, limit) {
                holds[at][slot] = partition;
                return true;
            }
        }
    }
    false
}

fn heaviest(assignment: &Assignment) -> usize {
    assignment.values().map(Vec::len).max().unwrap_or(0)
}

fn spread(assignment: &Assignment) -> usize {
    heaviest(assignment) - assignment.values().map(Vec::len).min().unwrap_or(0)
}

#[test]
fn everything_is_given_to_exactly_one_who_reads_it() {
    for subscriptions in [Subscriptions::Equal, Subscriptions::Unequal] {
        for group in groups(1, subscriptions, (6, 20)) {
            for assignor in Assignor::ALL {
                if assignor != Assignor::CooperativeSticky {
                    assert_whole(&group, &assignor.assign(&group), assignor);
                }
            }
        }
    }
}

#[test]
fn equal_subscriptions_differ_by_one_at_most() {
    for group in groups(2, Subscriptions::Equal, (6, 20)) {
        for assignor in [Assignor::RoundRobin, Assignor::Sticky, Assignor::Uniform] {
            let assignment = assignor.assign(&group);
            assert!(spread(&assignment) <= 1, "{}: {assignment:?}", assignor.name());
        }
        let assignment = Assignor::Range.assign(&group);
        for topic in group.topics.keys() {
            let of_topic = assignment.values().map(|partitions| {
                partitions.iter().filter(|it| it.topic == *topic).count()
            });
            let (least, most) = (of_topic.clone().min(), of_topic.max());
            assert!(most.unwrap_or(0) - least.unwrap_or(0) <= 1, "{assignment:?}");
        }
    }
}

#[test]
fn nobody_has_more_than_the_best_assignment_needs() {
    for group in groups(3, Subscriptions::Unequal, (6, 20)) {
        for assignor in [Assignor::Sticky, Assignor::Uniform] {
            let heaviest = heaviest(&assignor.assign(&group));
            let least = heaviest.saturating_sub(1);
            assert!(
                heaviest == 0 || !fits(&group, least),
                "{}: {group:?}",
                assignor.name()
            );
        }
    }
}

/// Who is believed to own what, worked out anew: the only one of the newest generation.
fn kept(group: &Group, assignment: &[(TopicPartition, usize)]) -> usize {
    let owner = |partition: &TopicPartition| {
        let owners = group.members.iter().enumerate();
        let owners: Vec<(usize, i32)> = owners
            .filter(|(_, it)| it.owned.contains(partition))
            .map(|(at, it)| (at, it.generation))
            .collect();
        let newest = owners.iter().map(|(_, generation)| *generation).max()?;
        let mut newest = owners.into_iter().filter(|(_, it)| *it == newest);
        let first = newest.next()?;
        newest.next().is_none().then_some(first.0)
    };
    let kept = assignment.iter();
    kept.filter(|(partition, at)| owner(partition) == Some(*at)).count()
}

/// The most that can stay where it was in any balanced assignment, by trying all.
fn most_kept(group: &Group) -> usize {
    let partitions: Vec<TopicPartition> = readable(group).into_iter().collect();
    let members = group.members.len();
    let mut best = 0;
    for number in 0..members.pow(partitions.len() as u32) {
        let mut rest = number;
        let mut sizes = vec![0_usize; members];
        let assignment: Vec<(TopicPartition, usize)> = partitions
            .iter()
            .map(|partition| {
                let at = rest % members;
                rest /= members;
                sizes[at] += 1;
                (partition.clone(), at)
            })
            .collect();
        let (least, most) = (sizes.iter().min(), sizes.iter().max());
        if most.copied().unwrap_or(0) - least.copied().unwrap_or(0) <= 1 {
            best = best.max(kept(group, &assignment));
        }
    }
    best
}

#[test]
fn no_balanced_assignment_moves_less() {
    for group in groups(4, Subscriptions::Equal, (4, 6)).take(300) {
        let best = most_kept(&group);
        for assignor in [Assignor::Sticky, Assignor::Uniform] {
            let assignment = assignor.assign(&group);
            let places = group.members.iter().enumerate();
            let places: Vec<(TopicPartition, usize)> = places
                .flat_map(|(at, member)| {
                    assignment[&member.id].iter().map(move |it| (it.clone(), at))
                })
                .collect();
            assert_eq!(kept(&group, &places), best, "{}: {group:?}", assignor.name());
        }
    }
}

#[test]
fn cooperative_gives_nothing_away_before_its_owner_lets_go_and_ends_as_sticky() {
    for subscriptions in [Subscriptions::Equal, Subscriptions::Unequal] {
        for mut group in groups(5, subscriptions, (5, 12)) {
            for _ in 0..3 {
                let assignment = Assignor::CooperativeSticky.assign(&group);
                for (taker, partition) in assignment
                    .iter()
                    .flat_map(|(id, all)| all.iter().map(move |it| (id, it)))
                {
                    let owners = group.members.iter().filter(|it| {
                        it.owned.contains(partition)
                            && it.topics.contains(&partition.topic)
                    });
                    let newest = owners.clone().map(|it| it.generation).max();
                    let mut newest = owners.filter(|it| Some(it.generation) == newest);
                    assert!(newest.all(|owner| owner.id == *taker), "{partition} moves");
                }
                for member in &mut group.members {
                    member.owned = assignment[&member.id].clone();
                    member.generation += 1;
                }
                let newest = group.members.iter().map(|it| it.generation).max();
                let newest = newest.expect("nobody leaves");
                group.members.iter_mut().for_each(|it| it.generation = newest);
            }
            let assignment = Assignor::CooperativeSticky.assign(&group);
            assert_whole(&group, &assignment, Assignor::CooperativeSticky);
            let least = heaviest(&assignment).saturating_sub(1);
            assert!(heaviest(&assignment) == 0 || !fits(&group, least));
        }
    }
}
