//! What a log does inside, told in words: where it rolls, and how it finds what is asked for.
//!
//! Offsets alone do not show it, and nothing is judged by it: it is there for the reader
//! (LOG-2, LOG-3).

use std::fmt;
use std::sync::Arc;

use crate::Offset;

/// Why a segment was closed (LOG-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RollCause {
    /// The append would exceed `segment.bytes`.
    Size,
    /// `segment.ms` lies between its first record and the append.
    Age,
    /// `segment.index.bytes` is reached.
    IndexFull,
    /// The append's offsets cannot be counted from its base with 31 bits.
    Offsets,
    /// It goes as a whole: retention never deletes the segment that is appended to.
    Retention,
}

/// An entry of an offset index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IndexEntry {
    /// The last offset of the batch that it names.
    pub offset: Offset,
    /// That batch's first byte in the `.log` file.
    pub position: u64,
}

/// An entry of a time index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeIndexEntry {
    /// The largest timestamp up to the offset, Unix time in ms.
    pub timestamp: i64,
    /// The last offset of the batch that has it.
    pub offset: Offset,
}

/// Something that a log did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogDeed {
    /// The active segment was closed and the next one opened.
    Rolled {
        /// Base offset of the one that was closed.
        closed: Offset,
        /// Length of its `.log` file.
        bytes: u64,
        /// Base offset of the one that was opened.
        opened: Offset,
        /// Why.
        cause: RollCause,
    },
    /// A read found where to begin, elsewhere than near the log's end.
    Found {
        /// What it looked for.
        offset: Offset,
        /// Base offset of the segment: the greatest that is not above it.
        segment: Offset,
        /// The greatest entry that is not above it, if the index has one.
        entry: Option<IndexEntry>,
        /// First byte of the batch that holds it.
        position: u64,
    },
    /// An offset was looked up by time.
    FoundByTime {
        /// The time that was asked for, Unix time in ms.
        timestamp: i64,
        /// Base offset of the segment: the first that has anything so new.
        segment: Offset,
        /// The last entry that is older, if the index has one.
        entry: Option<TimeIndexEntry>,
        /// The first record that is not older.
        offset: Offset,
    },
    /// Records were removed that others of the same key have replaced, and what is kept only
    /// for a while (LOG-5).
    Compacted {
        /// Where the part began that had not been compacted before.
        from: Offset,
        /// The base offset of the first segment that was left alone.
        to: Offset,
        /// What went: first and last offsets, in order.
        removed: Arc<[(Offset, Offset)]>,
        /// Length of the segments before, in bytes.
        before: u64,
        /// And after.
        after: u64,
    },
}

impl fmt::Display for RollCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            RollCause::Size => "segment.bytes would be exceeded",
            RollCause::Age => "segment.ms has passed",
            RollCause::IndexFull => "segment.index.bytes is reached",
            RollCause::Offsets => "offsets would be too far from its base",
            RollCause::Retention => "retention takes the old one",
        })
    }
}

/// A phrase that follows the broker's name and the partition's.
impl fmt::Display for LogDeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogDeed::Rolled { closed, bytes, opened, cause } => write!(
                f,
                "rolls: {:020}.log ends at {bytes} bytes, {:020}.log begins: {cause}",
                closed.0, opened.0
            ),
            LogDeed::Found { offset, segment, entry, position } => {
                write!(f, "offset {offset}: segment {:020}, ", segment.0)?;
                match entry {
                    Some(IndexEntry { offset, position }) => {
                        write!(f, "index entry {offset} at byte {position}, ")?;
                    }
                    None => f.write_str("no index entry before it, ")?,
                }
                write!(f, "batch at byte {position}")
            }
            LogDeed::FoundByTime { timestamp, segment, entry, offset } => {
                write!(f, "time {timestamp}: segment {:020}, ", segment.0)?;
                match entry {
                    Some(TimeIndexEntry { timestamp, offset }) => {
                        write!(f, "time index entry {timestamp} at offset {offset}, ")?;
                    }
                    None => f.write_str("no time index entry before it, ")?,
                }
                write!(f, "record at offset {offset}")
            }
            LogDeed::Compacted { from, to, removed, before, after } => {
                write!(f, "compacts from offset {from} to {to}, ")?;
                match &removed[..] {
                    [] => f.write_str("and nothing goes: ")?,
                    ranges => {
                        for (at, (first, last)) in ranges.iter().enumerate() {
                            let comma = if at > 0 { ", " } else { "" };
                            match first == last {
                                true => write!(f, "{comma}{first}")?,
                                false => write!(f, "{comma}{first} to {last}")?,
                            }
                        }
                        f.write_str(" go: ")?;
                    }
                }
                write!(f, "{before} bytes become {after}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deed_names_the_files_as_they_are_on_disk() {
        let (closed, opened) = (Offset(0), Offset(4));
        let deed = LogDeed::Rolled { closed, bytes: 312, opened, cause: RollCause::Size };
        assert_eq!(
            deed.to_string(),
            "rolls: 00000000000000000000.log ends at 312 bytes, \
             00000000000000000004.log begins: segment.bytes would be exceeded"
        );
    }

    #[test]
    fn a_lookup_is_told_step_by_step() {
        let entry = Some(IndexEntry { offset: Offset(5), position: 78 });
        let (offset, segment) = (Offset(6), Offset(4));
        let deed = LogDeed::Found { offset, segment, entry, position: 156 };
        assert_eq!(
            deed.to_string(),
            "offset 6: segment 00000000000000000004, index entry 5 at byte 78, batch at \
             byte 156"
        );
    }
}
