//! Which partition a record goes to (PRD-1; KIP-480, KIP-794).
//!
//! A key's hash decides. Records without a key keep to one partition until `batch.size` bytes
//! went there, so that batches fill up; the next partition is drawn, and those with shorter
//! queues are drawn more often.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_wire::Random;

use crate::murmur2::partition_for_key;
use crate::{Keys, PartitionerClass, ProducerConfig, Spread};

/// One partition as the partitioner sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Candidate {
    pub partition: i32,
    /// Whether a leader is known, and takes something.
    pub is_available: bool,
    /// Batches that wait for it.
    pub queue: usize,
}

/// What was chosen for a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Choice {
    /// As its key or its turn says.
    Given(i32),
    /// That of all records without a key for now.
    Sticky(i32),
    /// The same, chosen just now.
    NewSticky(i32),
}

impl Choice {
    /// Whether the record has no key that decides.
    pub fn is_sticky(self) -> bool {
        match self {
            Choice::Given(_) => false,
            Choice::Sticky(_) | Choice::NewSticky(_) => true,
        }
    }

    pub fn partition(self) -> i32 {
        match self {
            Choice::Given(partition)
            | Choice::Sticky(partition)
            | Choice::NewSticky(partition) => partition,
        }
    }
}

#[derive(Debug, Clone, Copy)]
struct Sticky {
    partition: i32,
    /// Bytes that went there since it was chosen.
    produced: usize,
}

/// Chooses partitions.
#[derive(Debug, Clone)]
pub(super) struct Partitioner {
    class: PartitionerClass,
    keys: Keys,
    spread: Spread,
    batch_size: usize,
    random: Random,
    sticky: BTreeMap<Arc<str>, Sticky>,
    /// Whose turn it is, by topic.
    turns: BTreeMap<Arc<str>, usize>,
}

impl Partitioner {
    pub fn new(config: &ProducerConfig, random: Random) -> Partitioner {
        Partitioner {
            class: config.partitioner,
            keys: config.keys,
            spread: config.spread,
            batch_size: config.batch_size.max(1),
            random,
            sticky: BTreeMap::new(),
            turns: BTreeMap::new(),
        }
    }

    /// The partition for a record of a topic with these partitions, at least one.
    pub fn choose(
        &mut self,
        topic: &Arc<str>,
        key: Option<&[u8]>,
        candidates: impl FnOnce() -> Vec<Candidate>,
        count: i32,
    ) -> Choice {
        match (self.class, key, self.keys) {
            (PartitionerClass::RoundRobin, ..) => {
                Choice::Given(self.next_in_turn(topic, &candidates()))
            }
            (PartitionerClass::BuiltIn, Some(key), Keys::Decide) => {
                Choice::Given(partition_for_key(key, count))
            }
            (PartitionerClass::BuiltIn, ..) => {
                if let Some(sticky) = self.sticky.get(topic) {
                    return Choice::Sticky(sticky.partition);
                }
                let partition = self.draw(&candidates());
                let sticky = Sticky { partition, produced: 0 };
                self.sticky.insert(topic.clone(), sticky);
                Choice::NewSticky(partition)
            }
        }
    }

    /// Counts what went to the sticky partition. It is left once `batch.size` bytes went
    /// there and the last batch is full, or after twice as many: without the second half of
    /// the rule small batches would be left behind half full.
    pub fn produced(&mut self, topic: &Arc<str>, bytes: usize, last_batch_is_full: bool) {
        let Some(sticky) = self.sticky.get_mut(topic) else { return };
        sticky.produced += bytes;
        let enough = sticky.produced >= self.batch_size && last_batch_is_full;
        if enough || sticky.produced >= self.batch_size.saturating_mul(2) {
            self.sticky.remove(topic);
        }
    }

    fn next_in_turn(&mut self, topic: &Arc<str>, candidates: &[Candidate]) -> i32 {
        let turn = self.turns.entry(topic.clone()).or_default();
        let this = *turn;
        *turn = turn.wrapping_add(1);
        let available: Vec<i32> = available(candidates).collect();
        match available.is_empty() {
            true => candidates[this % candidates.len()].partition,
            false => available[this % available.len()],
        }
    }

    /// Draws a partition; the shorter its queue, the more often.
    fn draw(&mut self, candidates: &[Candidate]) -> i32 {
        let open: Vec<&Candidate> = match available(candidates).next() {
            Some(_) => candidates.iter().filter(|one| one.is_available).collect(),
            None => candidates.iter().collect(),
        };
        let longest = open.iter().map(|one| one.queue).max().unwrap_or(0);
        let weight = |one: &Candidate| match self.spread {
            Spread::Adaptive => (longest + 1 - one.queue) as u64,
            Spread::Uniform => 1,
        };
        let weights: Vec<u64> = open.iter().map(|one| weight(one)).collect();
        let mut left = self.random.below(weights.iter().sum());
        for (one, weight) in open.iter().zip(weights) {
            if left < weight {
                return one.partition;
            }
            left -= weight;
        }
        unreachable!("the draw is below the sum of the weights")
    }
}

fn available(candidates: &[Candidate]) -> impl Iterator<Item = i32> {
    candidates.iter().filter(|one| one.is_available).map(|one| one.partition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::CommonConfig;

    fn partitioner(change: impl FnOnce(&mut ProducerConfig)) -> Partitioner {
        let mut config = ProducerConfig::new(CommonConfig::new("p", Vec::new()));
        change(&mut config);
        Partitioner::new(&config, Random::new(1, 1))
    }

    fn queues(queues: &[usize]) -> Vec<Candidate> {
        let all = (0..).zip(queues);
        all.map(|(partition, &queue)| Candidate { partition, is_available: true, queue })
            .collect()
    }

    fn topic() -> Arc<str> {
        "orders".into()
    }

    #[test]
    fn a_key_decides_by_its_hash() {
        let mut it = partitioner(|_| {});
        let choice = it.choose(&topic(), Some(b"21"), || queues(&[0; 3]), 3);
        assert_eq!(choice, Choice::Given(partition_for_key(b"21", 3)));
    }

    #[test]
    fn ignored_keys_are_like_none() {
        let mut it = partitioner(|config| config.keys = Keys::Ignored);
        let first = it.choose(&topic(), Some(b"a"), || queues(&[0; 3]), 3);
        let second = it.choose(&topic(), Some(b"b"), || queues(&[0; 3]), 3);
        assert_eq!(second, Choice::Sticky(first.partition()));
    }

    #[test]
    fn the_sticky_partition_is_left_after_a_full_batch_and_not_before() {
        let mut it = partitioner(|config| config.batch_size = 100);
        let choose =
            |it: &mut Partitioner| it.choose(&topic(), None, || queues(&[0; 3]), 3);
        assert!(matches!(choose(&mut it), Choice::NewSticky(_)));
        it.produced(&topic(), 99, true);
        assert!(matches!(choose(&mut it), Choice::Sticky(_)), "99 bytes are no batch");
        it.produced(&topic(), 1, false);
        assert!(matches!(choose(&mut it), Choice::Sticky(_)), "the last is half full");
        it.produced(&topic(), 1, true);
        assert!(matches!(choose(&mut it), Choice::NewSticky(_)));
        it.produced(&topic(), 200, false);
        assert!(matches!(choose(&mut it), Choice::NewSticky(_)), "two batches' worth");
    }

    fn drawn(it: &mut Partitioner, candidates: &[Candidate]) -> Vec<u32> {
        let mut counts = vec![0; candidates.len()];
        for _ in 0..6_000 {
            counts[it.draw(candidates) as usize] += 1;
        }
        counts
    }

    #[test]
    fn shorter_queues_are_drawn_more_often() {
        let mut it = partitioner(|_| {});
        // Kafka's own example: queues 0, 3, 1 weigh 4, 1, 3.
        let counts = drawn(&mut it, &queues(&[0, 3, 1]));
        for (count, wanted) in counts.iter().zip([3_000, 750, 2_250]) {
            assert!(count.abs_diff(wanted) < 200, "{counts:?}");
        }
    }

    #[test]
    fn without_adaptive_partitioning_queues_do_not_matter() {
        let mut it = partitioner(|config| config.spread = Spread::Uniform);
        let counts = drawn(&mut it, &queues(&[0, 3, 1]));
        assert!(counts.iter().all(|count| count.abs_diff(2_000) < 200), "{counts:?}");
    }

    #[test]
    fn a_partition_without_a_leader_is_drawn_only_if_none_has_one() {
        let mut it = partitioner(|_| {});
        let mut candidates = queues(&[0, 0]);
        candidates[0].is_available = false;
        assert_eq!(drawn(&mut it, &candidates)[0], 0);
        candidates[1].is_available = false;
        assert!(drawn(&mut it, &candidates)[0] > 0);
    }

    #[test]
    fn the_round_robin_partitioner_takes_one_after_the_other_key_or_not() {
        let class = PartitionerClass::RoundRobin;
        let mut it = partitioner(|config| config.partitioner = class);
        let chosen: Vec<i32> = [None, Some(b"a".as_slice()), Some(b"a"), None]
            .into_iter()
            .map(|key| it.choose(&topic(), key, || queues(&[0; 3]), 3).partition())
            .collect();
        assert_eq!(chosen, [0, 1, 2, 0]);
    }
}
