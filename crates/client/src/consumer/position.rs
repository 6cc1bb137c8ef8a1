//! Where a consumer stands in one partition, and how it got there (GRP-15).

use topomotion_wire::messages::fetch_response::PartitionData;
use topomotion_wire::{ErrorCode, Instant, LeaderEpoch, NodeId, Offset, PositionCause};

use crate::OffsetReset;

/// Why a partition is not read until the application says where to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// There is no offset to start at, and `auto.offset.reset=none`.
    NoOffset,
    /// The offset lies outside the log, and `auto.offset.reset=none`.
    OutOfRange(Offset),
    /// The log was cut below the position, and `auto.offset.reset=none` (KIP-320).
    Truncated {
        /// Where the position was.
        at: Offset,
        /// The epoch that the logs share last and where it ends, if that is known.
        diverging: Option<(LeaderEpoch, Offset)>,
    },
    /// The broker refuses for good.
    Refused(ErrorCode),
}

/// What a leader is asked to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    Earliest,
    Latest,
    /// The first record that is not older: Unix time in ms.
    Time(i64),
}

impl Goal {
    /// What the policy looks for; `None` if it looks for nothing.
    pub fn of(reset: OffsetReset) -> Option<Goal> {
        match reset {
            OffsetReset::Earliest => Some(Goal::Earliest),
            OffsetReset::Latest => Some(Goal::Latest),
            OffsetReset::None => None,
        }
    }

    /// As `ListOffsets` wants it.
    pub fn timestamp(self) -> i64 {
        match self {
            Goal::Earliest => -2,
            Goal::Latest => -1,
            Goal::Time(ms) => ms,
        }
    }

    pub fn cause(self) -> PositionCause {
        match self {
            Goal::Earliest => PositionCause::Earliest,
            Goal::Latest => PositionCause::Latest,
            Goal::Time(_) => PositionCause::Timestamp,
        }
    }
}

/// Whether a leader is being asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    Idle,
    UnderWay,
}

/// How far a consumer is in one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// Where the group left off: the coordinator knows.
    Unset(Asking),
    /// Not known: the leader finds it.
    Sought { goal: Goal, asking: Asking },
    /// Known, but the leader has changed: is the log still the same up to here? (KIP-320)
    Doubted { next: Offset, epoch: LeaderEpoch, asking: Asking },
    /// The next offset; the epoch of the last record before it, if that is known; the epoch
    /// of the leader under which it is good.
    At { next: Offset, epoch: LeaderEpoch, leader: LeaderEpoch },
    /// Left alone.
    Stopped(Stop),
}

impl Position {
    pub fn sought(goal: Goal) -> Position {
        Position::Sought { goal, asking: Asking::Idle }
    }

    /// The next offset, where it is known.
    pub fn next(self) -> Option<Offset> {
        match self {
            Position::At { next, .. } | Position::Doubted { next, .. } => Some(next),
            Position::Unset(_) | Position::Sought { .. } | Position::Stopped(_) => None,
        }
    }

    /// The same place under a new leader. An epoch below the known one is news too: nobody
    /// learns of one unless the topic was created anew, and its epochs with it (KIP-516).
    pub fn under(self, news: LeaderEpoch) -> Position {
        match self {
            Position::At { next, epoch, leader } if news != leader => {
                if epoch.0 >= 0 && news.0 >= 0 {
                    Position::Doubted { next, epoch, asking: Asking::Idle }
                } else {
                    Position::At { next, epoch, leader: news }
                }
            }
            same => same,
        }
    }

    /// Nobody answers any more.
    pub fn unasked(self) -> Position {
        let asking = Asking::Idle;
        match self {
            Position::Unset(_) => Position::Unset(asking),
            Position::Sought { goal, .. } => Position::Sought { goal, asking },
            Position::Doubted { next, epoch, .. } => {
                Position::Doubted { next, epoch, asking }
            }
            same => same,
        }
    }
}

/// Whether the application wants records of a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Running,
    /// By the application, with `pause`.
    Paused,
    /// By the group, which takes the partition away.
    Revoking,
}

/// One partition of a consumer.
#[derive(Debug, Clone)]
pub(super) struct Assigned {
    pub position: Position,
    pub flow: Flow,
    /// Errors in a row.
    pub failures: u32,
    /// Left alone until then.
    pub pause: Option<Instant>,
    /// A replica that is nearer than the leader, and until when that is believed (KIP-392).
    pub nearer: Option<(NodeId, Instant)>,
    /// What came for this offset while the partition was paused.
    pub held: Option<(Offset, PartitionData)>,
}

impl Assigned {
    pub fn new(position: Position) -> Assigned {
        Assigned {
            position,
            flow: Flow::Running,
            failures: 0,
            pause: None,
            nearer: None,
            held: None,
        }
    }

    /// Goes elsewhere: what is known of the old place counts no more.
    pub fn go(&mut self, position: Position) {
        (self.position, self.held) = (position, None);
        (self.failures, self.pause) = (0, None);
    }

    pub fn is_resting(&self, now: Instant) -> bool {
        self.pause.is_some_and(|pause| pause > now)
    }

    /// Whether records are wanted from here.
    pub fn is_fetchable(&self, now: Instant) -> bool {
        self.flow == Flow::Running && self.held.is_none() && !self.is_resting(now)
    }
}
