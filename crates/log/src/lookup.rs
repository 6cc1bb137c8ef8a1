//! Offsets by time: what `ListOffsets` asks for, answered through the time indexes.

use topomotion_wire::Offset;

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

    /// The first record with the largest timestamp of all: its offset and timestamp.
    pub fn at_max_timestamp(&self) -> Option<(Offset, i64)> {
        let newest = |segment: &&crate::segment::Segment| segment.newest().map(|it| it.0);
        // Of several equal ones the first, for which `max_by_key` needs to see it last.
        let segment = self.segments.iter().rev().max_by_key(newest)?;
        segment.at_max_timestamp().filter(|(offset, _)| *offset >= self.start)
    }
}
