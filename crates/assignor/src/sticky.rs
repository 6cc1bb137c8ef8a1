//! `sticky`: as even as the subscriptions allow, and nothing moves without need.
//!
//! Everybody keeps what it owned; what is free goes to whoever has least. Then, as long as
//! somebody has two more than somebody else whom it could relieve, directly or through
//! others, one partition moves along each step of the shortest way between the two. When no
//! such way is left, no assignment is more even (Harvey et al., "Semi-matchings for
//! bipartite graphs and load balancing"). Kafka's own assignor tries direct steps only.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use topomotion_wire::TopicPartition;

use crate::group::{Assignment, Group};
use crate::owners::owners;

pub(crate) fn assign(group: &Group) -> Assignment {
    let mut balance = Balance::new(group);
    balance.keep_and_fill(group);
    while balance.even_out() {}
    balance.into_assignment(group)
}

/// Members and topics by number: place in the order, and place among the topics.
struct Balance<'a> {
    topics: Vec<&'a Arc<str>>,
    /// Who subscribes to each topic.
    readers: Vec<Vec<usize>>,
    /// What each member has of each topic.
    shares: Vec<BTreeMap<usize, BTreeSet<i32>>>,
    loads: Vec<usize>,
    /// Whose a partition was.
    before: BTreeMap<(usize, i32), usize>,
}

/// A way along which a partition each moves: from a member, of a topic, to a member.
type Way = Vec<(usize, usize, usize)>;

impl<'a> Balance<'a> {
    fn new(group: &'a Group) -> Balance<'a> {
        let members = group.in_order();
        let topics: Vec<&Arc<str>> = group.topics.keys().collect();
        let readers = topics.iter().map(|topic| {
            let readers = members.iter().enumerate();
            let readers = readers.filter(|(_, member)| member.topics.contains(*topic));
            readers.map(|(place, _)| place).collect()
        });
        let places: BTreeMap<&Arc<str>, usize> =
            members.iter().zip(0..).map(|(member, place)| (&member.id, place)).collect();
        let numbers: BTreeMap<&Arc<str>, usize> =
            topics.iter().zip(0..).map(|(topic, number)| (*topic, number)).collect();
        let before = owners(group).into_iter().map(|(partition, owner)| {
            ((numbers[&partition.topic], partition.partition), places[&owner])
        });
        Balance {
            readers: readers.collect(),
            shares: vec![BTreeMap::new(); members.len()],
            loads: vec![0; members.len()],
            before: before.collect(),
            topics,
        }
    }

    fn give(&mut self, member: usize, topic: usize, index: i32) {
        self.shares[member].entry(topic).or_default().insert(index);
        self.loads[member] += 1;
    }

    /// Those with the fewest possible readers first: they have the least choice.
    fn keep_and_fill(&mut self, group: &Group) {
        for ((topic, index), member) in self.before.clone() {
            self.give(member, topic, index);
        }
        let mut order: Vec<usize> = (0..self.topics.len()).collect();
        order.sort_by_key(|topic| self.readers[*topic].len());
        for topic in order {
            for index in 0..group.topics[self.topics[topic]] {
                if self.before.contains_key(&(topic, index)) {
                    continue;
                }
                let readers = self.readers[topic].iter().copied();
                if let Some(least) = readers.min_by_key(|member| self.loads[*member]) {
                    self.give(least, topic, index);
                }
            }
        }
    }

    /// Makes one step towards balance; `false` if there is none.
    fn even_out(&mut self) -> bool {
        let mut heaviest: Vec<usize> = (0..self.loads.len()).collect();
        heaviest.sort_by_key(|member| std::cmp::Reverse(self.loads[*member]));
        let way = heaviest.into_iter().find_map(|from| self.way_down(from));
        for &(from, topic, to) in way.iter().flatten() {
            self.hand_over(from, topic, to);
        }
        way.is_some()
    }

    /// The shortest way from a member to the lightest one that has two less or fewer still.
    fn way_down(&self, from: usize) -> Option<Way> {
        let enough = self.loads[from].checked_sub(2)?;
        let mut came: Vec<Option<(usize, usize)>> = vec![None; self.loads.len()];
        let mut topics_seen = vec![false; self.topics.len()];
        let (mut ring, mut goal) = (VecDeque::from([(from, 0_usize)]), None);
        while let Some((member, length)) = ring.pop_front() {
            if member != from && self.loads[member] <= enough {
                let found = (length, self.loads[member], member);
                goal = Some(
                    goal.map_or(found, |best: (usize, usize, usize)| best.min(found)),
                );
            }
            if goal.is_some_and(|(best, ..)| length >= best) {
                continue;
            }
            for topic in self.shares[member].keys().copied() {
                if std::mem::replace(&mut topics_seen[topic], true) {
                    continue;
                }
                for &reader in &self.readers[topic] {
                    if reader != from && came[reader].is_none() {
                        came[reader] = Some((member, topic));
                        ring.push_back((reader, length + 1));
                    }
                }
            }
        }
        let (_, _, mut to) = goal?;
        let mut way = Way::new();
        while let Some((member, topic)) = came[to] {
            way.push((member, topic, to));
            to = member;
        }
        Some(way)
    }

    /// Best is a partition that was the taker's, then one that was not the giver's.
    fn hand_over(&mut self, from: usize, topic: usize, to: usize) {
        let before = |index: &i32| self.before.get(&(topic, *index)).copied();
        let share = self.shares[from].get(&topic);
        let chosen = share.into_iter().flatten().copied().min_by_key(|index| {
            let was = before(index);
            (was != Some(to), was == Some(from), std::cmp::Reverse(*index))
        });
        let index = chosen.expect("a way leads only over topics that the giver has");
        if let Some(share) = self.shares[from].get_mut(&topic) {
            share.remove(&index);
            if share.is_empty() {
                self.shares[from].remove(&topic);
            }
        }
        self.loads[from] -= 1;
        self.give(to, topic, index);
    }

    fn into_assignment(self, group: &Group) -> Assignment {
        let mut assignment = group.nothing();
        for (member, shares) in group.in_order().into_iter().zip(self.shares) {
            let partitions = shares.into_iter().flat_map(|(topic, indexes)| {
                let topic = self.topics[topic].clone();
                indexes.into_iter().map(move |at| TopicPartition::new(topic.clone(), at))
            });
            assignment.insert(member.id.clone(), partitions.collect());
        }
        assignment
    }
}
