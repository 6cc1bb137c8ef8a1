//! What an ensemble and the brokers of its days do inside, told in words.

use std::fmt;
use std::sync::Arc;

use crate::{ErrorCode, NodeId, error_name};

/// Something that a ZooKeeper server, or a broker that depends on one, did.
#[derive(Debug, Clone, PartialEq)]
pub enum ZkDeed {
    /// The ensemble's leader lets a session expire.
    SessionExpires {
        /// Whose: the path under which it was registered.
        owner: Arc<str>,
        /// How long it was silent, in milliseconds.
        ms: u64,
    },
    /// A broker's session is over.
    Expired,
    /// A broker cannot register while its old session lives.
    StillRegistered,
    /// A broker found `/controller` taken.
    LostRace,
    /// A broker has become the controller.
    Elected {
        /// Which election it was.
        epoch: i32,
    },
    /// The controller has read everything.
    HasRead {
        /// How many partitions.
        partitions: usize,
        /// How many reads that took.
        reads: usize,
    },
    /// The controller writes the states of partitions.
    Writes {
        /// How many.
        partitions: usize,
    },
    /// The controller tells brokers.
    Announces {
        /// How many of them.
        brokers: usize,
        /// Of how many partitions.
        partitions: usize,
    },
    /// A broker refused what an old controller asked.
    RefusesOld {
        /// The old controller's epoch.
        asked: i32,
        /// The epoch that the broker knows.
        known: i32,
    },
    /// A broker refused what this controller asked.
    IsRefused {
        /// Who.
        broker: NodeId,
        /// Why.
        error: ErrorCode,
    },
    /// It is not the controller any more.
    Resigns {
        /// The epoch that is over.
        epoch: i32,
    },
}

impl ZkDeed {
    /// Whether it means trouble.
    pub fn is_trouble(&self) -> bool {
        match self {
            ZkDeed::SessionExpires { .. }
            | ZkDeed::Expired
            | ZkDeed::StillRegistered
            | ZkDeed::RefusesOld { .. }
            | ZkDeed::IsRefused { .. } => true,
            ZkDeed::LostRace
            | ZkDeed::Elected { .. }
            | ZkDeed::HasRead { .. }
            | ZkDeed::Writes { .. }
            | ZkDeed::Announces { .. }
            | ZkDeed::Resigns { .. } => false,
        }
    }
}

fn counted(count: usize, one: &str) -> String {
    if count == 1 { format!("one {one}") } else { format!("{count} {one}s") }
}

/// A phrase that follows the process's name.
impl fmt::Display for ZkDeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ZkDeed::SessionExpires { owner, ms } => {
                let seconds = ms / 1_000;
                write!(
                    f,
                    "has not heard from {owner} for {seconds} s: its session expires"
                )
            }
            ZkDeed::Expired => f.write_str("learns that its session is over"),
            ZkDeed::StillRegistered => {
                f.write_str("waits until its old session has expired")
            }
            ZkDeed::LostRace => f.write_str("comes too late: /controller is taken"),
            ZkDeed::Elected { epoch } => {
                write!(f, "is the controller: /controller_epoch is {epoch}")
            }
            ZkDeed::HasRead { partitions, reads } => write!(
                f,
                "has read the state of {} one by one: {}",
                counted(*partitions, "partition"),
                counted(*reads, "read")
            ),
            ZkDeed::Writes { partitions } => {
                write!(f, "writes the state of {}", counted(*partitions, "partition"))
            }
            ZkDeed::Announces { brokers, partitions } => write!(
                f,
                "tells {} about {}",
                counted(*brokers, "broker"),
                counted(*partitions, "partition")
            ),
            ZkDeed::RefusesOld { asked, known } => {
                write!(f, "refuses a controller of epoch {asked}: it knows epoch {known}")
            }
            ZkDeed::IsRefused { broker, error } => {
                write!(f, "is told by broker {broker}: {}", error_name(*error))
            }
            ZkDeed::Resigns { epoch } => {
                write!(f, "is not the controller of epoch {epoch} any more")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deed_follows_its_doers_name() {
        let deed = ZkDeed::HasRead { partitions: 1, reads: 7 };
        assert_eq!(
            deed.to_string(),
            "has read the state of one partition one by one: 7 reads"
        );
        assert!(!deed.is_trouble() && ZkDeed::Expired.is_trouble());
    }
}
