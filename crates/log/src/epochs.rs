//! Which leader epoch began where: the shape of a log's history (LOG-7).
//!
//! Two logs that agree on an epoch agree on every record of it up to the smaller of the two
//! ends. That one fact is enough to find where a follower left its leader's history (TRN-3,
//! KIP-101, KIP-279).

use topomotion_wire::{LeaderEpoch, Offset};

/// The first offset of an epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochStart {
    /// The epoch.
    pub epoch: LeaderEpoch,
    /// Its first offset.
    pub start: Offset,
}

/// Where an epoch ends: the first offset of the next one, or the log's end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochEnd {
    /// The epoch, which may be smaller than the one that was asked for.
    pub epoch: LeaderEpoch,
    /// One past its last offset.
    pub end: Offset,
}

/// A log's epochs, oldest first: both epochs and start offsets strictly rise (R15).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EpochCache {
    entries: Vec<EpochStart>,
}

impl EpochCache {
    /// No epoch yet.
    pub const fn new() -> EpochCache {
        EpochCache { entries: Vec::new() }
    }

    /// The epochs, oldest first.
    pub fn entries(&self) -> &[EpochStart] {
        &self.entries
    }

    /// The newest epoch.
    pub fn latest(&self) -> Option<LeaderEpoch> {
        self.entries.last().map(|entry| entry.epoch)
    }

    /// The newest epoch that has a record in a log that ends at `end`.
    pub fn newest_before(&self, end: Offset) -> Option<LeaderEpoch> {
        let with_records = self.entries.iter().rev().find(|entry| entry.start < end);
        with_records.map(|entry| entry.epoch)
    }

    /// Notes that `epoch` begins at `start`. Returns whether that was news. An epoch without
    /// any record gives way to the next one that starts at the same offset.
    pub fn assign(&mut self, epoch: LeaderEpoch, start: Offset) -> bool {
        if self.latest().is_some_and(|latest| latest >= epoch) {
            return false;
        }
        while self.entries.last().is_some_and(|entry| entry.start >= start) {
            self.entries.pop();
        }
        self.entries.push(EpochStart { epoch, start });
        true
    }

    /// The epoch that the record at `offset` was, or would be, written in.
    pub fn epoch_at(&self, offset: Offset) -> Option<LeaderEpoch> {
        let after = self.entries.partition_point(|entry| entry.start <= offset);
        after.checked_sub(1).map(|at| self.entries[at].epoch)
    }

    /// Where `epoch` ends in a log that ends at `log_end`: of the largest known epoch that is
    /// not above the asked one. `None` if the asked one is above every known epoch. An epoch
    /// from before the first one known ends where that one starts.
    pub fn end_offset_for(
        &self,
        epoch: LeaderEpoch,
        log_end: Offset,
    ) -> Option<EpochEnd> {
        let latest = self.latest()?;
        if epoch > latest {
            return None;
        }
        let next = self.entries.partition_point(|entry| entry.epoch <= epoch);
        let end = self.entries.get(next).map_or(log_end, |entry| entry.start);
        let floor = next.checked_sub(1).map_or(epoch, |at| self.entries[at].epoch);
        Some(EpochEnd { epoch: floor, end })
    }

    /// Forgets every epoch that begins at or after `end`. Returns whether there were any.
    pub fn truncate_end(&mut self, end: Offset) -> bool {
        let keep = self.entries.partition_point(|entry| entry.start < end);
        let changed = keep < self.entries.len();
        self.entries.truncate(keep);
        changed
    }

    /// Forgets what lies before `start`; the epoch of the record at `start` now begins there.
    /// Returns whether anything changed.
    pub fn truncate_start(&mut self, start: Offset) -> bool {
        let after = self.entries.partition_point(|entry| entry.start <= start);
        let Some(first) = after.checked_sub(1) else { return false };
        if first == 0 && self.entries[0].start == start {
            return false;
        }
        self.entries.drain(..first);
        self.entries[0].start = start;
        true
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cache(entries: &[(i32, i64)]) -> EpochCache {
        let mut cache = EpochCache::new();
        for &(epoch, start) in entries {
            cache.assign(LeaderEpoch(epoch), Offset(start));
        }
        cache
    }

    fn end(cache: &EpochCache, epoch: i32) -> Option<(i32, i64)> {
        let end = cache.end_offset_for(LeaderEpoch(epoch), Offset(100));
        end.map(|end| (end.epoch.0, end.end.0))
    }

    #[test]
    fn an_epoch_ends_where_the_next_begins() {
        let cache = cache(&[(1, 0), (3, 10), (7, 40)]);
        assert_eq!(end(&cache, 1), Some((1, 10)));
        assert_eq!(end(&cache, 3), Some((3, 40)));
        assert_eq!(end(&cache, 7), Some((7, 100)), "the newest ends with the log");
    }

    #[test]
    fn an_unknown_epoch_gets_the_largest_smaller_one() {
        let cache = cache(&[(1, 0), (3, 10), (7, 40)]);
        assert_eq!(end(&cache, 2), Some((1, 10)));
        assert_eq!(end(&cache, 5), Some((3, 40)));
        assert_eq!(
            end(&cache, 0),
            Some((0, 0)),
            "before the first: ends where it starts"
        );
        assert_eq!(end(&cache, 8), None, "from the future");
        assert_eq!(end(&EpochCache::new(), 0), None);
    }

    #[test]
    fn an_epoch_without_records_gives_way() {
        let cache = cache(&[(1, 0), (2, 5), (3, 5)]);
        let starts: Vec<_> =
            cache.entries().iter().map(|e| (e.epoch.0, e.start.0)).collect();
        assert_eq!(starts, [(1, 0), (3, 5)]);
    }

    #[test]
    fn an_older_epoch_is_no_news() {
        let mut cache = cache(&[(4, 0)]);
        assert!(!cache.assign(LeaderEpoch(4), Offset(9)));
        assert!(!cache.assign(LeaderEpoch(3), Offset(9)));
        assert_eq!(cache.entries().len(), 1);
    }

    #[test]
    fn both_ends_are_truncated_with_the_log() {
        let mut both = cache(&[(1, 0), (3, 10), (7, 40)]);
        assert!(both.truncate_end(Offset(40)));
        assert_eq!(both.latest(), Some(LeaderEpoch(3)));
        assert!(both.truncate_start(Offset(15)));
        assert_eq!(
            both.entries(),
            [EpochStart { epoch: LeaderEpoch(3), start: Offset(15) }]
        );
        assert!(!both.truncate_start(Offset(15)));
        assert!(!both.truncate_end(Offset(16)));
    }

    #[test]
    fn every_offset_has_the_epoch_it_was_written_in() {
        let cache = cache(&[(1, 5), (3, 10)]);
        let at = |offset| cache.epoch_at(Offset(offset)).map(|epoch| epoch.0);
        assert_eq!(
            [at(4), at(5), at(9), at(10), at(99)],
            [None, Some(1), Some(1), Some(3), Some(3)]
        );
    }
}
