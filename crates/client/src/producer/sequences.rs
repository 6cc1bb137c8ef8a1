//! Sequence numbers: which batch of a partition bears which, what was acknowledged, and what
//! may leave next (PRD-3, PRD-6, PRD-8).
//!
//! A batch is numbered when it leaves for the first time, and keeps its numbers over all
//! tries: the leader recognises it by them. They change in two cases only, when the producer
//! begins a new epoch, and when a batch before it was refused for good.

use std::collections::BTreeMap;

use topomotion_log::ProducerStamp;
use topomotion_wire::{Offset, ProducerEpoch, ProducerId, TopicPartition};

/// What a producer is to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Identity {
    pub id: ProducerId,
    pub epoch: ProducerEpoch,
}

impl Identity {
    fn stamp(self, base_sequence: i32) -> ProducerStamp {
        ProducerStamp { id: self.id.0, epoch: self.epoch.0, base_sequence }
    }
}

/// The sequence number `count` records further on: after the largest comes 0.
pub(super) fn advanced(sequence: i32, count: i32) -> i32 {
    match sequence.checked_add(count) {
        Some(next) => next,
        None => count - (i32::MAX - sequence) - 1,
    }
}

/// The sequence number `count` records before.
fn receded(sequence: i32, count: i32) -> i32 {
    match sequence - count {
        before if before >= 0 => before,
        before => i32::MAX + before + 1,
    }
}

/// A batch with numbers and without a verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Tracked {
    base: i32,
    count: i32,
    owner: Identity,
}

impl Tracked {
    fn stamp(&self) -> ProducerStamp {
        self.owner.stamp(self.base)
    }
}

/// The numbers of one partition.
#[derive(Debug, Clone)]
struct Sequence {
    owner: Identity,
    next: i32,
    last_acked: Option<i32>,
    last_offset: Option<Offset>,
    /// By the number of the first record, which is also the order of the sequences.
    tracked: BTreeMap<u64, Tracked>,
    /// Where the next batch would begin if the one that was given up is in the log.
    unresolved: Option<i32>,
}

impl Sequence {
    fn new(owner: Identity) -> Sequence {
        Sequence {
            owner,
            next: 0,
            last_acked: None,
            last_offset: None,
            tracked: BTreeMap::new(),
            unresolved: None,
        }
    }

    /// Whether a batch with these numbers would be the very next.
    fn is_next(&self, base: i32) -> bool {
        base == self.last_acked.map_or(0, |last| advanced(last, 1))
    }

    /// Numbers everything without a verdict from 0, in a new epoch.
    fn begin_anew(&mut self, owner: Identity) {
        let mut next = 0;
        for batch in self.tracked.values_mut() {
            (batch.base, batch.owner) = (next, owner);
            next = advanced(next, batch.count);
        }
        (self.owner, self.next, self.last_acked) = (owner, next, None);
        self.unresolved = None;
    }
}

/// Whether the next batch of a partition may leave, as far as its numbers go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Now,
    /// Something before it has no verdict yet.
    Waits,
}

/// What to do about a batch that was refused for its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OutOfOrder {
    /// It comes too early: those before it are sent again first.
    Retry,
    /// The leader misses something that nobody will send again: a gap.
    Gap,
}

/// What became of partitions whose last batches were given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resolution {
    /// What came later was acknowledged: nothing is missing.
    Resolved,
    /// Nobody knows what is in the log.
    Gap,
}

/// The numbers of every partition.
#[derive(Debug, Clone, Default)]
pub(super) struct Sequences {
    partitions: BTreeMap<TopicPartition, Sequence>,
}

impl Sequences {
    /// The stamp of a batch that leaves: its own, or the next.
    pub fn stamp(
        &mut self,
        partition: &TopicPartition,
        number: u64,
        count: i32,
        identity: Identity,
    ) -> ProducerStamp {
        let known = self.partitions.entry(partition.clone());
        let known = known.or_insert_with(|| Sequence::new(identity));
        if let Some(batch) = known.tracked.get(&number) {
            return batch.stamp();
        }
        if known.owner != identity {
            assert!(known.tracked.is_empty(), "an epoch ends with its last batch");
            known.begin_anew(identity);
        }
        let base = known.next;
        known.next = advanced(base, count);
        let batch = Tracked { base, count, owner: identity };
        known.tracked.insert(number, batch);
        identity.stamp(base)
    }

    /// Whether the batch with this number may leave now.
    pub fn turn(
        &self,
        partition: &TopicPartition,
        number: u64,
        identity: Identity,
    ) -> Turn {
        let Some(known) = self.partitions.get(partition) else { return Turn::Now };
        let first = known.tracked.keys().next();
        let may_go = match known.tracked.contains_key(&number) {
            // One that is sent again waits until it is the first of all.
            true => first == Some(&number),
            false => {
                let is_stale = known.owner != identity;
                known.unresolved.is_none() && !(is_stale && first.is_some())
            }
        };
        if may_go { Turn::Now } else { Turn::Waits }
    }

    /// Whether a batch has numbers.
    pub fn has(&self, partition: &TopicPartition, number: u64) -> bool {
        let known = self.partitions.get(partition);
        known.is_some_and(|known| known.tracked.contains_key(&number))
    }

    /// A batch is in the log; `stamp` is what it was sent with last.
    pub fn acknowledged(
        &mut self,
        partition: &TopicPartition,
        number: u64,
        stamp: ProducerStamp,
        count: i32,
        offset: Option<Offset>,
    ) {
        let Some(known) = self.partitions.get_mut(partition) else { return };
        known.last_offset = known.last_offset.max(offset);
        if known.tracked.get(&number).is_some_and(|batch| batch.stamp() != stamp) {
            // It is in the log under its old numbers; the new ones are free.
            return self.close_ranks(partition, number);
        }
        known.tracked.remove(&number);
        // One that was given up meanwhile still tells that its numbers are taken.
        if stamp == known.owner.stamp(stamp.base_sequence) {
            let last = advanced(stamp.base_sequence, count - 1);
            // Numbers start again behind the largest: half of them count as later.
            let is_later = |before: i32| {
                let distance = last.wrapping_sub(before) & i32::MAX;
                (1..1 << 30).contains(&distance)
            };
            if known.last_acked.is_none_or(is_later) {
                known.last_acked = Some(last);
            }
        }
    }

    /// A batch has failed for good and was not written: those behind it move up.
    pub fn close_ranks(&mut self, partition: &TopicPartition, number: u64) {
        let Some(known) = self.partitions.get_mut(partition) else { return };
        let Some(gone) = known.tracked.remove(&number) else { return };
        if gone.owner != known.owner {
            return;
        }
        for (_, batch) in known.tracked.range_mut(number..) {
            batch.base = receded(batch.base, gone.count);
        }
        known.next = receded(known.next, gone.count);
    }

    /// A batch has failed.
    pub fn forget(&mut self, partition: &TopicPartition, number: u64) {
        if let Some(known) = self.partitions.get_mut(partition) {
            known.tracked.remove(&number);
        }
    }

    /// A batch that had left was given up: nobody knows whether it is in the log. Tells
    /// whether it had numbers.
    pub fn given_up(&mut self, partition: &TopicPartition, number: u64) -> bool {
        let Some(known) = self.partitions.get_mut(partition) else { return false };
        let Some(gone) = known.tracked.remove(&number) else { return false };
        let next = advanced(gone.base, gone.count);
        known.unresolved = known.unresolved.max(Some(next));
        true
    }

    /// A batch was cut; its parts have these numbers and counts.
    pub fn split(
        &mut self,
        partition: &TopicPartition,
        number: u64,
        parts: impl IntoIterator<Item = (u64, i32)>,
    ) {
        let Some(known) = self.partitions.get_mut(partition) else { return };
        let Some(whole) = known.tracked.remove(&number) else { return };
        let mut base = whole.base;
        for (number, count) in parts {
            known.tracked.insert(number, Tracked { base, count, ..whole });
            base = advanced(base, count);
        }
    }

    /// Judges `OUT_OF_ORDER_SEQUENCE_NUMBER` for a batch without a verdict.
    pub fn out_of_order(&self, partition: &TopicPartition, number: u64) -> OutOfOrder {
        let Some(known) = self.partitions.get(partition) else { return OutOfOrder::Gap };
        let Some(batch) = known.tracked.get(&number) else { return OutOfOrder::Gap };
        let is_gap = match known.unresolved {
            None => known.is_next(batch.base),
            // Only the one right behind what was given up shows the gap.
            Some(next) => batch.base == next,
        };
        if is_gap { OutOfOrder::Gap } else { OutOfOrder::Retry }
    }

    /// Judges `UNKNOWN_PRODUCER_ID`: whether the leader's log has begun behind all that it
    /// acknowledged. Then it has forgotten the producer rightly.
    pub fn is_forgotten(&self, partition: &TopicPartition, log_start: Offset) -> bool {
        let known = self.partitions.get(partition);
        known.and_then(|known| known.last_offset).is_none_or(|last| last < log_start)
    }

    /// Whether a batch was sent with other numbers than it has now: then what the leader
    /// makes of the old ones is of no matter.
    pub fn is_renumbered(
        &self,
        partition: &TopicPartition,
        number: u64,
        sent: ProducerStamp,
    ) -> bool {
        let batch = self.partitions.get(partition);
        let batch = batch.and_then(|known| known.tracked.get(&number));
        batch.is_some_and(|batch| batch.stamp() != sent)
    }

    /// Partitions whose last given-up batch is followed by no other under way.
    pub fn resolve(&mut self) -> Vec<(TopicPartition, Resolution)> {
        let mut resolved = Vec::new();
        for (partition, known) in &mut self.partitions {
            if known.unresolved.is_some() && known.tracked.is_empty() {
                known.unresolved = None;
                let resolution = match known.is_next(known.next) {
                    true => Resolution::Resolved,
                    false => Resolution::Gap,
                };
                resolved.push((partition.clone(), resolution));
            }
        }
        resolved
    }

    /// Begins at 0 in a partition; batches without a verdict are numbered anew.
    pub fn begin_anew(&mut self, partition: &TopicPartition, identity: Identity) {
        if let Some(known) = self.partitions.get_mut(partition) {
            known.begin_anew(identity);
        }
    }

    /// Forgets everything: a new identity has not numbered anything.
    pub fn clear(&mut self) {
        self.partitions.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: Identity = Identity { id: ProducerId(7), epoch: ProducerEpoch(0) };
    const NEXT: Identity = Identity { id: ProducerId(7), epoch: ProducerEpoch(1) };

    fn partition() -> TopicPartition {
        TopicPartition::new("orders", 0)
    }

    /// Batches 0, 10, 20 of three records each.
    fn three() -> Sequences {
        let mut it = Sequences::default();
        for number in [0, 10, 20] {
            it.stamp(&partition(), number, 3, ME);
        }
        it
    }

    fn bases(it: &mut Sequences, identity: Identity) -> Vec<i32> {
        let numbers = [0, 10, 20].into_iter();
        let numbers: Vec<u64> =
            numbers.filter(|number| it.has(&partition(), *number)).collect();
        let stamps =
            numbers.iter().map(|number| it.stamp(&partition(), *number, 3, identity));
        stamps.map(|stamp| stamp.base_sequence).collect()
    }

    fn ack(it: &mut Sequences, number: u64, base: i32) {
        let stamp = ME.stamp(base);
        it.acknowledged(&partition(), number, stamp, 3, Some(Offset(i64::from(base))));
    }

    #[test]
    fn batches_keep_their_numbers_over_all_tries() {
        let mut it = three();
        assert_eq!(bases(&mut it, ME), [0, 3, 6]);
        assert_eq!(it.stamp(&partition(), 30, 1, ME).base_sequence, 9);
    }

    #[test]
    fn the_number_after_the_largest_is_zero() {
        assert_eq!(advanced(i32::MAX, 1), 0);
        assert_eq!(advanced(i32::MAX - 1, 3), 1);
        assert_eq!(receded(1, 3), i32::MAX - 1);
        assert_eq!(receded(5, 3), 2);
    }

    #[test]
    fn one_that_is_sent_again_waits_until_it_is_the_first() {
        let mut it = three();
        assert_eq!(it.turn(&partition(), 10, ME), Turn::Waits);
        assert_eq!(it.turn(&partition(), 0, ME), Turn::Now);
        ack(&mut it, 0, 0);
        assert_eq!(it.turn(&partition(), 10, ME), Turn::Now);
    }

    #[test]
    fn what_comes_too_early_is_sent_again_and_a_gap_is_one() {
        let mut it = three();
        ack(&mut it, 0, 0);
        assert_eq!(it.out_of_order(&partition(), 20), OutOfOrder::Retry);
        assert_eq!(it.out_of_order(&partition(), 10), OutOfOrder::Gap);
    }

    #[test]
    fn a_new_epoch_numbers_what_has_no_verdict_from_zero() {
        let mut it = three();
        ack(&mut it, 0, 0);
        it.begin_anew(&partition(), NEXT);
        assert_eq!(bases(&mut it, NEXT), [0, 3]);
        assert_eq!(it.stamp(&partition(), 10, 3, NEXT).epoch, 1);
        assert!(it.is_renumbered(&partition(), 10, ME.stamp(3)));
    }

    #[test]
    fn one_that_was_written_under_its_old_numbers_frees_the_new_ones() {
        let mut it = three();
        it.begin_anew(&partition(), NEXT);
        assert_eq!(bases(&mut it, NEXT), [0, 3, 6]);
        ack(&mut it, 10, 3);
        assert_eq!(bases(&mut it, NEXT), [0, 3]);
        assert_eq!(it.stamp(&partition(), 30, 1, NEXT), NEXT.stamp(6));
    }

    #[test]
    fn another_partition_keeps_its_epoch_until_its_last_batch_has_a_verdict() {
        let mut it = three();
        assert_eq!(it.turn(&partition(), 30, NEXT), Turn::Waits);
        assert_eq!(it.stamp(&partition(), 0, 3, NEXT).epoch, 0, "a retry is the old one");
        for (number, base) in [(0, 0), (10, 3), (20, 6)] {
            ack(&mut it, number, base);
        }
        assert_eq!(it.turn(&partition(), 30, NEXT), Turn::Now);
        assert_eq!(it.stamp(&partition(), 30, 1, NEXT), NEXT.stamp(0));
    }

    #[test]
    fn after_one_that_was_given_up_nothing_new_leaves_until_all_is_known() {
        let mut it = three();
        ack(&mut it, 0, 0);
        assert!(it.given_up(&partition(), 10));
        assert_eq!(it.turn(&partition(), 30, ME), Turn::Waits);
        assert_eq!(it.out_of_order(&partition(), 20), OutOfOrder::Gap);
        assert_eq!(it.resolve(), []);
        ack(&mut it, 20, 6);
        assert_eq!(it.resolve(), [(partition(), Resolution::Resolved)]);
    }

    #[test]
    fn the_last_one_given_up_leaves_a_gap_unless_it_is_acknowledged_late() {
        let mut it = three();
        ack(&mut it, 0, 0);
        ack(&mut it, 10, 3);
        it.given_up(&partition(), 20);
        let mut late = it.clone();
        assert_eq!(it.resolve(), [(partition(), Resolution::Gap)]);
        ack(&mut late, 20, 6);
        assert_eq!(late.resolve(), [(partition(), Resolution::Resolved)]);
    }

    #[test]
    fn those_behind_a_batch_that_was_refused_move_up() {
        let mut it = three();
        it.close_ranks(&partition(), 10);
        assert_eq!(bases(&mut it, ME), [0, 3]);
        assert_eq!(it.stamp(&partition(), 30, 1, ME).base_sequence, 6);
    }

    #[test]
    fn the_parts_of_a_batch_share_its_numbers() {
        let mut it = three();
        it.split(&partition(), 10, [(10, 1), (11, 2)]);
        assert_eq!(it.stamp(&partition(), 10, 1, ME).base_sequence, 3);
        assert_eq!(it.stamp(&partition(), 11, 2, ME).base_sequence, 4);
        assert_eq!(it.stamp(&partition(), 20, 3, ME).base_sequence, 6);
    }
}
