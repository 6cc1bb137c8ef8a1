//! Offsets by time: what `ListOffsets` asks for, answered through the time indexes.

use topomotion_wire::{LogDeed, Offset};

use crate::Log;

/// What `ListOffsets` can ask for, as its timestamp field says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OffsetSpec {
    /// −2: where the log starts.
    Earliest,
    /// −1: where it ends, for whoever asks.
    Latest,
    /// −3: the first record with the largest timestamp (KIP-734).
    MaxTimestamp,
    /// −4: where the part of the log starts that is on this node's disk; there is no other
    /// part here.
    EarliestLocal,
    /// −5: the last offset in remote storage, of which there is none.
    LatestTiered,
    /// The first record whose timestamp is at or after this one, in milliseconds.
    At(i64),
}

impl OffsetSpec {
    /// What a timestamp field means; `None` for a number that Kafka does not define.
    pub const fn from_timestamp(timestamp: i64) -> Option<OffsetSpec> {
        match timestamp {
            -1 => Some(OffsetSpec::Latest),
            -2 => Some(OffsetSpec::Earliest),
            -3 => Some(OffsetSpec::MaxTimestamp),
            -4 => Some(OffsetSpec::EarliestLocal),
            -5 => Some(OffsetSpec::LatestTiered),
            0.. => Some(OffsetSpec::At(timestamp)),
            _ => None,
        }
    }
}

impl Log {
    /// The first record whose timestamp is at or after `timestamp`: its offset and timestamp.
    /// Of a compressed batch, the batch's own.
    pub fn offset_at_time(&self, timestamp: i64) -> Option<(Offset, i64)> {
        let reaches =
            |newest: Option<(i64, Offset)>| newest.is_some_and(|it| it.0 >= timestamp);
        let segments = self.segments.iter().filter(|segment| reaches(segment.newest()));
        segments.into_iter().find_map(|it| it.offset_at_time(timestamp, self.start))
    }

    /// How a read finds `from`, for whoever tells it: by segment, index and position. `None`
    /// near the log's end, where every read looks first, and outside the log.
    pub fn trail_to(&self, from: Offset) -> Option<LogDeed> {
        let at = self.segments.partition_point(|segment| segment.end() <= from);
        let segment = self.segments.get(at).filter(|_| from >= self.start)?;
        if at + 1 == self.segments.len() && segment.is_near_end(from) {
            return None;
        }
        let (entry, position) = segment.trail(from)?;
        Some(LogDeed::Found { offset: from, segment: segment.base, entry, position })
    }

    /// How [`Log::offset_at_time`] has found `offset`, for whoever tells it.
    pub fn trail_to_time(&self, timestamp: i64, offset: Offset) -> Option<LogDeed> {
        let at = self.segments.partition_point(|segment| segment.end() <= offset);
        let segment = self.segments.get(at)?;
        let (entry, segment) = (segment.time_entry_before(timestamp), segment.base);
        Some(LogDeed::FoundByTime { timestamp, segment, entry, offset })
    }

    /// The first record with the largest timestamp of all: its offset and timestamp.
    pub fn at_max_timestamp(&self) -> Option<(Offset, i64)> {
        let newest = |segment: &&crate::segment::Segment| segment.newest().map(|it| it.0);
        // Of several equal ones the first, for which `max_by_key` needs to see it last.
        let segment = self.segments.iter().rev().max_by_key(newest)?;
        segment.at_max_timestamp().filter(|(offset, _)| *offset >= self.start)
    }
}

#[cfg(test)]
mod tests {
    use topomotion_wire::{IndexEntry, LeaderEpoch, RollCause, TopicPartition};

    use super::*;
    use crate::{LogConfig, RecordRef, encode_batch};

    const BATCH_BYTES: u64 = 72;

    /// Three batches of one record in each segment, an index entry for the third.
    fn rolling(batches: i64) -> (Log, Vec<LogDeed>) {
        let config = LogConfig {
            segment_bytes: 3 * BATCH_BYTES,
            index_interval_bytes: BATCH_BYTES,
            ..LogConfig::default()
        };
        let mut log = Log::new(TopicPartition::new("orders", 0), config);
        let mut rolls = Vec::new();
        for at in 0..batches {
            let (value, timestamp) = (Some(&b"four"[..]), 1_000 + at);
            let record = RecordRef { value, timestamp, ..RecordRef::default() };
            let batch = encode_batch([record]);
            assert_eq!(batch.len() as u64, BATCH_BYTES);
            log.append_as_leader(batch, LeaderEpoch(0)).expect("a good batch");
            rolls.extend(log.take_roll());
        }
        (log, rolls)
    }

    #[test]
    fn a_roll_is_told_once() {
        let (_, rolls) = rolling(7);
        let roll = |closed, opened| LogDeed::Rolled {
            closed: Offset(closed),
            bytes: 3 * BATCH_BYTES,
            opened: Offset(opened),
            cause: RollCause::Size,
        };
        assert_eq!(rolls, [roll(0, 3), roll(3, 6)]);
    }

    #[test]
    fn a_trail_leads_over_segment_and_index_to_the_batch_that_is_read() {
        let (log, _) = rolling(7);
        let trail = |from| log.trail_to(Offset(from));
        let found =
            |offset, segment, entry: Option<(i64, u64)>, batches| LogDeed::Found {
                offset: Offset(offset),
                segment: Offset(segment),
                entry: entry.map(|(offset, batches)| IndexEntry {
                    offset: Offset(offset),
                    position: batches * BATCH_BYTES,
                }),
                position: batches * BATCH_BYTES,
            };
        assert_eq!(trail(1), Some(found(1, 0, None, 1)));
        assert_eq!(trail(5), Some(found(5, 3, Some((5, 2)), 2)));
        assert_eq!(trail(6), None, "the newest batch is where every read looks first");
        assert_eq!(trail(9), None, "there is nothing");
    }

    #[test]
    fn a_trail_to_a_time_names_the_segment_that_has_the_record() {
        let (log, _) = rolling(7);
        let (offset, _) = log.offset_at_time(1_004).expect("there");
        let told = log.trail_to_time(1_004, offset);
        let Some(LogDeed::FoundByTime { segment, offset, entry, .. }) = told else {
            panic!("{told:?}");
        };
        assert_eq!((segment, offset), (Offset(3), Offset(4)));
        assert_eq!(entry, None, "the only entry is newer");
    }
}
