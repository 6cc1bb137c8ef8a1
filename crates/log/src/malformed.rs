//! What can be wrong with bytes that claim to be record batches.
//!
//! Bytes come from elsewhere, so none of this is a broken invariant: it is an answer, with
//! the error code that Kafka gives for it.

use std::fmt;

use topomotion_wire::ErrorCode;

use crate::Compression;

/// Why bytes were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// Fewer bytes than the batch says it has.
    Incomplete {
        /// Bytes needed.
        needed: usize,
        /// Bytes there are.
        have: usize,
    },
    /// A batch length that no batch can have.
    Length(i32),
    /// A format version other than 2.
    Magic(i8),
    /// The checksum does not fit the content.
    Checksum {
        /// As stored in the batch.
        stored: u32,
        /// As computed over its content.
        computed: u32,
    },
    /// Record count and last offset delta contradict each other.
    Count {
        /// Records, as the header says.
        count: i32,
        /// Offset of the last record minus that of the first.
        last_offset_delta: i32,
    },
    /// A codec number that Kafka does not define.
    Codec(i16),
    /// The records are not what this codec wrote.
    Compressed(Compression),
    /// The records stand for more than anybody may send.
    Inflated(Compression),
    /// A record inside the batch does not parse.
    Record,
    /// A batch that starts before the end of the log it is appended to.
    OffsetOrder {
        /// Where the batch starts.
        base: i64,
        /// Where the log ends.
        end: i64,
    },
    /// Not a single batch where at least one is needed.
    Empty,
}

impl Malformed {
    /// The error code that Kafka answers with.
    pub const fn error_code(self) -> ErrorCode {
        match self {
            Malformed::Incomplete { .. }
            | Malformed::Length(_)
            // Formats 0 and 1 are older, and of records that were valid once.
            | Malformed::Magic(i8::MIN..=-1 | 2..)
            | Malformed::Checksum { .. }
            | Malformed::Compressed(_)
            | Malformed::Inflated(_) => ErrorCode::CorruptMessage,
            Malformed::Codec(_) => ErrorCode::UnsupportedCompressionType,
            Malformed::Magic(0 | 1)
            | Malformed::Count { .. }
            | Malformed::Record | Malformed::Empty => {
                ErrorCode::InvalidRecord
            }
            Malformed::OffsetOrder { .. } => ErrorCode::UnknownServerError,
        }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Malformed::Incomplete { needed, have } => {
                write!(f, "the batch needs {needed} bytes, there are {have}")
            }
            Malformed::Length(length) => write!(f, "impossible batch length {length}"),
            Malformed::Magic(magic) => {
                write!(f, "record format {magic} is not supported")
            }
            Malformed::Checksum { stored, computed } => {
                write!(f, "checksum {stored:08x} stored, {computed:08x} computed")
            }
            Malformed::Count { count, last_offset_delta } => {
                write!(f, "{count} records cannot span {last_offset_delta} offsets")
            }
            Malformed::Codec(codec) => write!(f, "unknown compression codec {codec}"),
            Malformed::Compressed(codec) => {
                write!(f, "the records are damaged: no {} can read them", codec.name())
            }
            Malformed::Inflated(codec) => {
                write!(f, "the records are too long, once {} has read them", codec.name())
            }
            Malformed::Record => f.write_str("a record does not parse"),
            Malformed::OffsetOrder { base, end } => {
                write!(f, "batch starts at {base}, before the log end {end}")
            }
            Malformed::Empty => f.write_str("no batch"),
        }
    }
}

impl std::error::Error for Malformed {}
