//! The two sparse indexes of a segment, as Kafka writes them (LOG-3).
//!
//! ```text
//! .index      offset − base i32 | position in .log i32
//! .timeindex  timestamp i64     | offset − base i32
//! ```
//!
//! An entry is made for the first batch that starts more than `index.interval.bytes` behind
//! the last entry's. In the offset index it names that batch's last offset and its position
//! (S1); in the time index, if time has moved since, the largest timestamp up to and with that
//! batch, and the last offset of the batch that brought it.
//!
//! Unlike Kafka's, the files are not allocated ahead, so there is nothing to trim.

use bytes::Bytes;
use topomotion_wire::{Defect, IndexEntry, Offset, TimeIndexEntry};

/// Where a batch lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OffsetEntry {
    /// The batch's last offset, counted from the segment's base.
    pub(crate) relative: i32,
    /// The batch's first byte in the file.
    pub(crate) position: u32,
}

/// Until when, in time, an offset reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeEntry {
    /// The largest timestamp up to the offset, in milliseconds.
    pub(crate) timestamp: i64,
    /// The last offset of the batch that has it, counted from the segment's base.
    pub(crate) relative: i32,
}

impl OffsetEntry {
    pub(crate) const BYTES: usize = 8;

    pub(crate) fn encode(self) -> [u8; OffsetEntry::BYTES] {
        let mut bytes = [0; OffsetEntry::BYTES];
        bytes[..4].copy_from_slice(&self.relative.to_be_bytes());
        bytes[4..].copy_from_slice(&self.position.to_be_bytes());
        bytes
    }
}

impl TimeEntry {
    pub(crate) const BYTES: usize = 12;

    pub(crate) fn encode(self) -> [u8; TimeEntry::BYTES] {
        let mut bytes = [0; TimeEntry::BYTES];
        bytes[..8].copy_from_slice(&self.timestamp.to_be_bytes());
        bytes[8..].copy_from_slice(&self.relative.to_be_bytes());
        bytes
    }
}

/// What one batch added to the indexes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Added {
    pub(crate) offset: OffsetEntry,
    pub(crate) time: Option<TimeEntry>,
}

/// Both indexes of one segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Indexes {
    base: Offset,
    offsets: Vec<OffsetEntry>,
    times: Vec<TimeEntry>,
    /// The largest timestamp so far and the last offset of the batch that brought it.
    newest: Option<TimeEntry>,
}

impl Indexes {
    pub(crate) fn new(base: Offset) -> Indexes {
        Indexes { base, offsets: Vec::new(), times: Vec::new(), newest: None }
    }

    /// Takes note of a batch that begins at `position`, behind all others.
    pub(crate) fn note(
        &mut self,
        interval: u64,
        position: u64,
        last_offset: Offset,
        max_timestamp: i64,
    ) -> Option<Added> {
        let relative = self.relative(last_offset);
        self.see(relative, max_timestamp);
        let before = self.offsets.last().map_or(0, |entry| u64::from(entry.position));
        if position - before <= interval {
            return None;
        }
        let position =
            u32::try_from(position).expect("a segment rolls before 2^31 bytes");
        let skew = i32::from(Defect::IndexSkew.is_sown());
        let offset = OffsetEntry { relative: relative - skew, position };
        self.offsets.push(offset);
        Some(Added { offset, time: self.note_time() })
    }

    /// Closes the time index with the newest timestamp, as a segment that is no longer
    /// written has it.
    pub(crate) fn close(&mut self) -> Option<TimeEntry> {
        self.note_time()
    }

    fn note_time(&mut self) -> Option<TimeEntry> {
        let newest = self.newest?;
        if self.times.last().is_some_and(|last| last.timestamp >= newest.timestamp) {
            return None;
        }
        self.times.push(newest);
        Some(newest)
    }

    /// Looks at a batch's timestamp. A record without one has −1.
    fn see(&mut self, relative: i32, timestamp: i64) {
        if self.newest.map_or(-1, |newest| newest.timestamp) < timestamp {
            self.newest = Some(TimeEntry { timestamp, relative });
        }
    }

    /// Forgets every batch that reaches to or beyond `end`. What is left is what [`note`]
    /// would have made of the batches that are left, but for those behind the last entry:
    /// the caller shows them again to [`Indexes::see_again`].
    ///
    /// [`note`]: Indexes::note
    pub(crate) fn truncate_to(&mut self, end: Offset) {
        let last = end.0 - self.base.0;
        let keep = self.offsets.partition_point(|entry| i64::from(entry.relative) < last);
        self.offsets.truncate(keep);
        // A time entry that names a batch behind the last offset entry was made with one
        // that has just gone, or at the segment's close.
        let reach = self.offsets.last().map_or(-1, |entry| entry.relative);
        let keep = self.times.partition_point(|entry| entry.relative <= reach);
        self.times.truncate(keep);
        self.newest = self.times.last().copied();
    }

    /// After a cut: a batch that is left and lies at or behind the last offset entry.
    pub(crate) fn see_again(&mut self, last_offset: Offset, max_timestamp: i64) {
        self.see(self.relative(last_offset), max_timestamp);
    }

    /// The position of a batch at or before the one with `offset`.
    pub(crate) fn position_of(&self, offset: Offset) -> u64 {
        let wanted = offset.0 - self.base.0;
        // Most look for the newest.
        if self.offsets.last().is_some_and(|last| i64::from(last.relative) <= wanted) {
            return self.last_position();
        }
        let after =
            self.offsets.partition_point(|entry| i64::from(entry.relative) <= wanted);
        self.before(after)
    }

    /// The greatest entry at or before `offset`.
    pub(crate) fn entry_before(&self, offset: Offset) -> Option<IndexEntry> {
        let wanted = offset.0 - self.base.0;
        let after =
            self.offsets.partition_point(|entry| i64::from(entry.relative) <= wanted);
        let entry = self.offsets[..after].last()?;
        let offset = self.base.plus(i64::from(entry.relative));
        Some(IndexEntry { offset, position: u64::from(entry.position) })
    }

    /// The last entry that is not newer than `timestamp`.
    pub(crate) fn time_entry_before(&self, timestamp: i64) -> Option<TimeIndexEntry> {
        let after = self.times.partition_point(|entry| entry.timestamp <= timestamp);
        let entry = self.times[..after].last()?;
        let offset = self.base.plus(i64::from(entry.relative));
        Some(TimeIndexEntry { timestamp: entry.timestamp, offset })
    }

    /// The position of the last batch known to lie within `stop` bytes and behind nothing
    /// that reaches beyond `limit`.
    pub(crate) fn position_within(&self, stop: u64, limit: Offset) -> u64 {
        let limit = limit.0 - self.base.0;
        let after = self.offsets.partition_point(|entry| {
            u64::from(entry.position) <= stop && i64::from(entry.relative) <= limit
        });
        self.before(after)
    }

    /// The position of the last batch with an entry, from which a cut leaves more to see.
    pub(crate) fn last_position(&self) -> u64 {
        self.before(self.offsets.len())
    }

    fn before(&self, after: usize) -> u64 {
        after.checked_sub(1).map_or(0, |at| u64::from(self.offsets[at].position))
    }

    /// An offset at or before the first one whose timestamp reaches `timestamp`.
    pub(crate) fn offset_before_time(&self, timestamp: i64) -> Offset {
        self.time_entry_before(timestamp).map_or(self.base, |entry| entry.offset)
    }

    /// The largest timestamp, and the last offset of the batch that has it.
    pub(crate) fn newest(&self) -> Option<(i64, Offset)> {
        let offset = |entry: TimeEntry| self.base.plus(i64::from(entry.relative));
        self.newest.map(|entry| (entry.timestamp, offset(entry)))
    }

    /// Whether either index has reached its largest size.
    pub(crate) fn is_full(&self, max_bytes: u64) -> bool {
        let has = |entries: usize, size: usize| entries as u64 >= max_bytes / size as u64;
        has(self.offsets.len(), OffsetEntry::BYTES)
            || has(self.times.len() + 1, TimeEntry::BYTES)
    }

    pub(crate) fn offset_bytes(&self) -> u64 {
        (self.offsets.len() * OffsetEntry::BYTES) as u64
    }

    pub(crate) fn time_bytes(&self) -> u64 {
        (self.times.len() * TimeEntry::BYTES) as u64
    }

    /// The whole `.index` file.
    pub(crate) fn offset_file(&self) -> Bytes {
        self.offsets.iter().flat_map(|entry| entry.encode()).collect()
    }

    /// The whole `.timeindex` file.
    pub(crate) fn time_file(&self) -> Bytes {
        self.times.iter().flat_map(|entry| entry.encode()).collect()
    }

    fn relative(&self, offset: Offset) -> i32 {
        i32::try_from(offset.0 - self.base.0).expect("a segment spans 2^31 offsets")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Batches of ten records and a thousand bytes, with these timestamps.
    fn noted(timestamps: &[i64]) -> Indexes {
        let mut indexes = Indexes::new(Offset(100));
        for (at, &timestamp) in timestamps.iter().enumerate() {
            let at = at as u64;
            let last = Offset(100 + at as i64 * 10 + 9);
            indexes.note(1_500, at * 1_000, last, timestamp);
        }
        indexes
    }

    fn times(indexes: &Indexes) -> Vec<(i64, i32)> {
        indexes.times.iter().map(|entry| (entry.timestamp, entry.relative)).collect()
    }

    #[test]
    fn an_entry_stands_where_more_than_the_interval_lies_behind_the_last_one() {
        let indexes = noted(&[1, 2, 3, 4, 5]);
        let entries: Vec<_> =
            indexes.offsets.iter().map(|e| (e.relative, e.position)).collect();
        assert_eq!(entries, [(29, 2_000), (49, 4_000)]);
        assert_eq!(times(&indexes), [(3, 29), (5, 49)]);
        assert_eq!(&indexes.offset_file()[..8], [0, 0, 0, 29, 0, 0, 7, 208]);
        assert_eq!(&indexes.time_file()[..12], [0, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 29]);
    }

    #[test]
    fn a_lookup_gives_the_greatest_entry_at_or_before() {
        let indexes = noted(&[1, 2, 3, 4, 5]);
        let position = |offset| indexes.position_of(Offset(offset));
        assert_eq!(
            [position(100), position(128), position(129), position(999)],
            [0, 0, 2_000, 4_000]
        );
        assert_eq!(indexes.position_within(3_999, Offset(999)), 2_000);
        assert_eq!(indexes.position_within(9_999, Offset(148)), 2_000);
        let before = |timestamp| indexes.offset_before_time(timestamp).0;
        assert_eq!([before(0), before(3), before(4), before(9)], [100, 129, 129, 149]);
        assert_eq!(indexes.entry_before(Offset(128)), None);
        let entry = IndexEntry { offset: Offset(129), position: 2_000 };
        assert_eq!(indexes.entry_before(Offset(148)), Some(entry));
        assert_eq!(indexes.time_entry_before(2), None);
        let entry = TimeIndexEntry { timestamp: 3, offset: Offset(129) };
        assert_eq!(indexes.time_entry_before(4), Some(entry));
    }

    #[test]
    fn time_that_stands_still_makes_no_time_entry() {
        assert_eq!(times(&noted(&[7, 7, 7, 6, 5, 5, 8])), [(7, 9), (8, 69)]);
        assert_eq!(times(&noted(&[-1, -1, -1])), []);
        let mut indexes = noted(&[7, 7, 7, 9]);
        assert!(indexes.close().is_some(), "the close writes the newest down");
        assert_eq!(indexes.close(), None);
        assert_eq!(times(&indexes), [(7, 9), (9, 39)]);
    }

    #[test]
    fn a_cut_leaves_what_the_rest_alone_would_have_made() {
        let timestamps = [1, 9, 3, 4, 12, 6, 15, 8];
        let whole = noted(&timestamps);
        for keep in 0..timestamps.len() {
            let mut cut = whole.clone();
            cut.close();
            cut.truncate_to(Offset(100 + keep as i64 * 10));
            let first = cut.last_position() / 1_000;
            for at in (first..keep as u64).map(|at| at as i64) {
                cut.see_again(Offset(100 + at * 10 + 9), timestamps[at as usize]);
            }
            assert_eq!(cut, noted(&timestamps[..keep]), "{keep} batches left");
        }
    }
}
