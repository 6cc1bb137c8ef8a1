//! What a client does inside, told in words: why a batch leaves, where a position comes from.
//!
//! A deed is to a client what a fact is to a broker, but nothing is judged by it: it is there
//! for the reader (PRD-1, PRD-2, GRP-15).

use std::fmt;

use crate::{ErrorCode, LeaderEpoch, NodeId, Offset, ProducerEpoch};

/// Why a batch may leave (PRD-2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BatchCause {
    /// `batch.size` is reached.
    Full,
    /// `linger.ms` has passed.
    Linger,
    /// Another batch leaves for the same broker: this one goes along.
    Company,
    /// The application flushes or closes.
    Flush,
    /// `buffer.memory` is used up and somebody waits for room.
    Memory,
}

/// What made a client ask for metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataCause {
    /// A topic that it does not know.
    NewTopic,
    /// `metadata.max.age.ms` has passed.
    Age,
    /// A broker's answer.
    Error(ErrorCode),
    /// A connection broke or could not be made.
    Disconnected,
    /// A partition is not known to have a leader.
    NoLeader,
}

/// Why a consumer stands where it stands (GRP-15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PositionCause {
    /// `auto.offset.reset=earliest`, or the application asked for the beginning.
    Earliest,
    /// `auto.offset.reset=latest`, or the application asked for the end.
    Latest,
    /// The first record that is not older than the time that was asked for.
    Timestamp,
    /// The application named the offset.
    Seek,
    /// The log was cut below the old position (KIP-320).
    Divergence,
    /// The group committed it.
    Committed,
}

/// Why a consumer joins its group, or joins it again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinCause {
    /// The application subscribes.
    Subscribed,
    /// The coordinator asks all members to.
    Rebalance,
    /// Topics or partitions that the group reads came or went; the leader has noticed.
    Metadata,
    /// It gave partitions up that are now free for others (KIP-429).
    GaveUp,
    /// The coordinator does not count it among the members any more.
    Dropped(ErrorCode),
    /// It left because it was too slow, and polls again (GRP-9).
    PollsAgain,
}

/// Why a consumer leaves its group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LeaveCause {
    /// The application closes it.
    Closes,
    /// The application takes its subscription back.
    Unsubscribes,
    /// `max.poll.interval.ms` has passed without a poll (GRP-9).
    PollInterval,
}

/// Something that a client did.
#[derive(Debug, Clone, PartialEq)]
pub enum ClientDeed {
    /// Records without a key go to this partition for now.
    Sticks,
    /// A batch was closed.
    BatchReady {
        /// Records in it.
        count: i64,
        /// Its length.
        bytes: usize,
        /// Why it was closed.
        cause: BatchCause,
    },
    /// A batch was too large for the broker and was cut.
    BatchSplit {
        /// Into how many.
        into: usize,
    },
    /// A record waits for room in `buffer.memory`.
    Blocked,
    /// A batch came to the leader before its turn: it is sent again, in order (PRD-6).
    OutOfOrder {
        /// Its first sequence number.
        sequence: i32,
    },
    /// The producer raised its epoch and numbers from 0 again (PRD-8).
    NumberedAnew {
        /// The new epoch.
        epoch: ProducerEpoch,
    },
    /// A numbered batch was given up: nothing new leaves until it is known what became of
    /// those behind it.
    Unresolved,
    /// Metadata is asked for.
    MetadataWanted {
        /// Why.
        cause: MetadataCause,
    },
    /// A position was set.
    Positioned {
        /// Where to.
        at: Offset,
        /// Why.
        cause: PositionCause,
    },
    /// The position lies outside the log.
    OutOfRange {
        /// Where it was.
        at: Offset,
    },
    /// The log was cut below the position (KIP-320).
    Truncated {
        /// Where the position was.
        at: Offset,
        /// The first offset that differs and the epoch it belongs to, if that is known.
        diverging: Option<(LeaderEpoch, Offset)>,
    },
    /// There is no offset to start at, and `auto.offset.reset=none` (GRP-15).
    NoOffset,
    /// The partition cannot be read until the application says where.
    Stopped {
        /// Why.
        error: ErrorCode,
    },
    /// The leader names a replica that is nearer (KIP-392).
    ReadsFrom {
        /// Which.
        replica: NodeId,
    },
    /// Back from a nearer replica to the leader.
    ReadsFromLeader,
    /// It knows who coordinates its group.
    CoordinatorFound {
        /// Who.
        node: NodeId,
    },
    /// Whoever coordinated its group does not any more, or cannot be reached.
    CoordinatorLost {
        /// What told.
        error: ErrorCode,
    },
    /// It asks to be a member.
    Joins {
        /// Why.
        cause: JoinCause,
    },
    /// It leads the group, and divides the partitions.
    Divides {
        /// The assignor's name.
        assignor: &'static str,
        /// Among how many members.
        members: usize,
        /// How many partitions.
        partitions: usize,
    },
    /// It leaves its group.
    Leaves {
        /// Why.
        cause: LeaveCause,
    },
    /// It cannot be a member until the application does something about it.
    Barred {
        /// Why.
        error: ErrorCode,
    },
    /// The application works on what it was handed, and does not poll.
    Busy {
        /// On how many records.
        records: usize,
    },
}

impl ClientDeed {
    /// Whether it means trouble for whoever waits for records.
    pub fn is_trouble(&self) -> bool {
        match self {
            ClientDeed::OutOfRange { .. }
            | ClientDeed::Truncated { .. }
            | ClientDeed::Stopped { .. }
            | ClientDeed::NoOffset
            | ClientDeed::Blocked
            | ClientDeed::CoordinatorLost { .. }
            | ClientDeed::Barred { .. }
            | ClientDeed::Leaves { cause: LeaveCause::PollInterval }
            | ClientDeed::OutOfOrder { .. }
            | ClientDeed::NumberedAnew { .. }
            | ClientDeed::Unresolved
            | ClientDeed::BatchSplit { .. } => true,
            ClientDeed::Sticks
            | ClientDeed::BatchReady { .. }
            | ClientDeed::MetadataWanted { .. }
            | ClientDeed::Positioned { .. }
            | ClientDeed::ReadsFrom { .. }
            | ClientDeed::ReadsFromLeader
            | ClientDeed::CoordinatorFound { .. }
            | ClientDeed::Joins { .. }
            | ClientDeed::Divides { .. }
            | ClientDeed::Leaves { .. }
            | ClientDeed::Busy { .. } => false,
        }
    }
}

impl fmt::Display for BatchCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            BatchCause::Full => "batch.size is reached",
            BatchCause::Linger => "linger.ms has passed",
            BatchCause::Company => "another batch leaves for the same broker",
            BatchCause::Flush => "the application flushes",
            BatchCause::Memory => "buffer.memory is used up",
        })
    }
}

impl fmt::Display for MetadataCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            MetadataCause::NewTopic => f.write_str("a new topic"),
            MetadataCause::Age => f.write_str("metadata.max.age.ms has passed"),
            MetadataCause::Error(error) => f.write_str(&crate::error_name(*error)),
            MetadataCause::Disconnected => f.write_str("a connection is gone"),
            MetadataCause::NoLeader => f.write_str("no leader is known"),
        }
    }
}

impl fmt::Display for PositionCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PositionCause::Earliest => "earliest",
            PositionCause::Latest => "latest",
            PositionCause::Timestamp => "by time",
            PositionCause::Seek => "sought",
            PositionCause::Divergence => "where the logs part",
            PositionCause::Committed => "committed",
        })
    }
}

impl fmt::Display for JoinCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JoinCause::Subscribed => f.write_str("it subscribes"),
            JoinCause::Rebalance => f.write_str("the group rebalances"),
            JoinCause::Metadata => f.write_str("topics or partitions changed"),
            JoinCause::GaveUp => f.write_str("what it gave up is free for others"),
            JoinCause::Dropped(error) => f.write_str(&crate::error_name(*error)),
            JoinCause::PollsAgain => f.write_str("it polls again"),
        }
    }
}

impl fmt::Display for LeaveCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            LeaveCause::Closes => "it closes",
            LeaveCause::Unsubscribes => "it unsubscribes",
            LeaveCause::PollInterval => "max.poll.interval.ms has passed without a poll",
        })
    }
}

/// A phrase that follows the client's name and, where there is one, the partition's.
impl fmt::Display for ClientDeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientDeed::Sticks => f.write_str("takes the records without a key for now"),
            ClientDeed::BatchReady { count, bytes, cause } => {
                let records = if *count == 1 { "record" } else { "records" };
                write!(f, "batch of {count} {records}, {bytes} bytes, is ready: {cause}")
            }
            ClientDeed::BatchSplit { into } => {
                write!(f, "batch was too large and is split in {into}")
            }
            ClientDeed::Blocked => {
                f.write_str("a record waits: buffer.memory is used up")
            }
            ClientDeed::OutOfOrder { sequence } => {
                write!(f, "sequence {sequence} came before its turn and is sent again")
            }
            ClientDeed::NumberedAnew { epoch } => {
                write!(f, "is numbered from 0 again, in producer epoch {epoch}")
            }
            ClientDeed::Unresolved => f.write_str(
                "a numbered batch was given up: new ones wait until all is known",
            ),
            ClientDeed::MetadataWanted { cause } => {
                write!(f, "metadata is asked for: {cause}")
            }
            ClientDeed::Positioned { at, cause } => {
                write!(f, "is read from offset {at}: {cause}")
            }
            ClientDeed::OutOfRange { at } => write!(f, "offset {at} is out of range"),
            ClientDeed::Truncated { at, diverging: Some((epoch, end)) } => write!(
                f,
                "was cut below offset {at}: logs part at offset {end}, epoch {epoch}"
            ),
            ClientDeed::Truncated { at, diverging: None } => {
                write!(f, "was cut below offset {at}")
            }
            ClientDeed::NoOffset => {
                f.write_str("has no offset to start at: auto.offset.reset=none")
            }
            ClientDeed::Stopped { error } => write!(f, "cannot be read: {error:?}"),
            ClientDeed::ReadsFrom { replica } => {
                write!(f, "is read from the nearer replica on broker {replica}")
            }
            ClientDeed::ReadsFromLeader => f.write_str("is read from its leader again"),
            ClientDeed::CoordinatorFound { node } => {
                write!(f, "knows its group's coordinator: broker {node}")
            }
            ClientDeed::CoordinatorLost { error } => {
                let error = crate::error_name(*error);
                write!(f, "looks for its group's coordinator again: {error}")
            }
            ClientDeed::Joins { cause } => write!(f, "joins its group: {cause}"),
            ClientDeed::Divides { assignor, members, partitions } => {
                let members = counted(*members, "member");
                let partitions = counted(*partitions, "partition");
                write!(f, "leads the group: {assignor}, {partitions}, {members}")
            }
            ClientDeed::Leaves { cause } => write!(f, "leaves its group: {cause}"),
            ClientDeed::Barred { error } => {
                write!(f, "cannot be a member: {}", crate::error_name(*error))
            }
            ClientDeed::Busy { records } => {
                write!(f, "works on {} and does not poll", counted(*records, "record"))
            }
        }
    }
}

fn counted(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deed_is_told_in_kafkas_words() {
        let cause = BatchCause::Linger;
        let deed = ClientDeed::BatchReady { count: 1, bytes: 70, cause };
        let told = "batch of 1 record, 70 bytes, is ready: linger.ms has passed";
        assert_eq!(deed.to_string(), told);
        assert!(!deed.is_trouble());
        assert!(ClientDeed::OutOfRange { at: Offset(3) }.is_trouble());
    }
}
