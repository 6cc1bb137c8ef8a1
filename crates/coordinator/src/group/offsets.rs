//! The offsets of a group: committed ones, and those of transactions that are still open
//! (TXN-9).

use std::collections::BTreeMap;

use topomotion_wire::{Offset, ProducerId, TopicPartition};

use super::records::OffsetValue;
use crate::shard::{Control, Stamp};

/// A committed offset, and where its record stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Committed {
    pub value: OffsetValue,
    /// Where in the log; the later record wins.
    pub at: Offset,
}

/// The offsets of one transaction.
#[derive(Debug, Clone)]
pub(super) struct Open {
    stamp: Stamp,
    offsets: BTreeMap<TopicPartition, Committed>,
}

/// All offsets of a group.
#[derive(Debug, Clone, Default)]
pub(super) struct Offsets {
    pub committed: BTreeMap<TopicPartition, Committed>,
    pub pending: BTreeMap<ProducerId, Open>,
}

impl Offsets {
    pub fn is_empty(&self) -> bool {
        self.committed.is_empty() && self.pending.is_empty()
    }

    /// Takes a committed offset, or its end, as the log has it.
    pub fn put(&mut self, partition: TopicPartition, committed: Option<Committed>) {
        match committed {
            Some(committed) => {
                self.committed.insert(partition, committed);
            }
            None => {
                self.committed.remove(&partition);
            }
        }
    }

    /// Takes an offset that counts when its transaction does.
    pub fn pend(&mut self, stamp: Stamp, partition: TopicPartition, offset: Committed) {
        let open = self
            .pending
            .entry(stamp.producer)
            .or_insert_with(|| Open { stamp, offsets: BTreeMap::new() });
        open.stamp = stamp;
        open.offsets.insert(partition, offset);
    }

    /// A transaction has ended. Returns what it committed.
    pub fn end(
        &mut self,
        stamp: Stamp,
        control: Control,
    ) -> Vec<(TopicPartition, Offset)> {
        // A marker of an older epoch than the offsets' is a late one, of an earlier end.
        let newer = self.pending.get(&stamp.producer);
        if newer.is_none_or(|open| open.stamp.epoch > stamp.epoch) {
            return Vec::new();
        }
        let Some(open) = self.pending.remove(&stamp.producer) else { return Vec::new() };
        if control == Control::Abort {
            return Vec::new();
        }
        let mut changed = Vec::new();
        for (partition, offset) in open.offsets {
            // A plain commit may have come in between.
            let known = self.committed.get(&partition);
            if known.is_none_or(|known| known.at < offset.at) {
                changed.push((partition.clone(), Offset(offset.value.offset)));
                self.committed.insert(partition, offset);
            }
        }
        changed
    }

    /// Whether an open transaction may still change this partition's offset.
    pub fn is_unstable(&self, partition: &TopicPartition) -> bool {
        self.pending.values().any(|open| open.offsets.contains_key(partition))
    }

    /// What an open transaction would make of this partition's offset.
    pub fn pending_of(&self, partition: &TopicPartition) -> Option<&Committed> {
        self.pending.values().find_map(|open| open.offsets.get(partition))
    }
}

#[cfg(test)]
mod tests {
    use topomotion_wire::ProducerEpoch;

    use super::*;

    fn offset(offset: i64, at: i64) -> Committed {
        let value = OffsetValue {
            offset,
            leader_epoch: -1,
            metadata: "".into(),
            committed_ms: 0,
            expires_ms: None,
        };
        Committed { value, at: Offset(at) }
    }

    const STAMP: Stamp = Stamp { producer: ProducerId(7), epoch: ProducerEpoch(1) };

    #[test]
    fn a_plain_commit_after_that_of_a_transaction_wins() {
        let mut offsets = Offsets::default();
        let partition = TopicPartition::new("orders", 0);
        offsets.pend(STAMP, partition.clone(), offset(10, 3));
        offsets.put(partition.clone(), Some(offset(20, 4)));
        assert!(offsets.is_unstable(&partition));
        assert_eq!(offsets.end(STAMP, Control::Commit), []);
        assert_eq!(offsets.committed[&partition].value.offset, 20);
        assert!(!offsets.is_unstable(&partition));
    }

    #[test]
    fn a_marker_of_an_older_epoch_ends_nothing() {
        let mut offsets = Offsets::default();
        let partition = TopicPartition::new("orders", 0);
        offsets.pend(STAMP, partition.clone(), offset(10, 3));
        let late = Stamp { epoch: ProducerEpoch(0), ..STAMP };
        offsets.end(late, Control::Abort);
        assert!(offsets.is_unstable(&partition));
        let fenced = Stamp { epoch: ProducerEpoch(2), ..STAMP };
        offsets.end(fenced, Control::Abort);
        assert!(offsets.is_empty());
    }
}
