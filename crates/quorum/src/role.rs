//! A member's part in the quorum, each with the state that only it has.

use std::collections::BTreeMap;

use topomotion_wire::{Instant, NodeId, Offset, QuorumRole};

use bytes::BytesMut;

use crate::messages::{Ballot, VoteKind};
use crate::peer::Call;
use crate::{ReplyToken, SnapshotId};

/// A member's part.
#[derive(Debug, Clone)]
pub(crate) enum Role {
    Unattached(Unattached),
    /// Prospective or candidate, by the kind of vote it asks for.
    Campaign(Campaign),
    Leader(Leading),
    Follower(Following),
    Resigned(Resigned),
}

/// Knows no leader.
#[derive(Debug, Clone)]
pub(crate) enum Unattached {
    /// A voter waits for somebody to be elected, and runs itself at `election_at`.
    Waits { election_at: Instant },
    /// An observer asks one voter after the other who leads.
    Asks { voter: usize, call: Call },
}

/// Runs for leader.
#[derive(Debug, Clone)]
pub(crate) struct Campaign {
    pub(crate) kind: VoteKind,
    /// The leader it had lost touch with, to return to if nobody else has.
    pub(crate) lost_leader: Option<NodeId>,
    pub(crate) election_at: Instant,
    pub(crate) ballots: BTreeMap<NodeId, Asked>,
}

/// How far the question to one voter has come.
#[derive(Debug, Clone)]
pub(crate) enum Asked {
    Open(Call),
    Answered(Ballot),
}

impl Campaign {
    pub(crate) fn count(&self, ballot: Ballot) -> usize {
        let same = |asked: &&Asked| matches!(asked, Asked::Answered(b) if *b == ballot);
        self.ballots.values().filter(same).count()
    }

    /// Whose answers are under way, and until when they are waited for.
    pub(crate) fn in_flight(&self) -> impl Iterator<Item = (NodeId, Instant)> {
        let until = |asked: &Asked| match asked {
            Asked::Open(call) => call.until(),
            Asked::Answered(_) => None,
        };
        self.ballots.iter().filter_map(move |(node, it)| Some((*node, until(it)?)))
    }

    pub(crate) fn granting(&self) -> impl Iterator<Item = NodeId> {
        let granted = |asked: &Asked| matches!(asked, Asked::Answered(Ballot::Granted));
        self.ballots
            .iter()
            .filter(move |(_, asked)| granted(asked))
            .map(|(node, _)| *node)
    }
}

/// Whether the controller has been told that it is the active one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announced {
    No,
    Yes,
}

/// Leads an epoch.
#[derive(Debug, Clone)]
pub(crate) struct Leading {
    /// Where the epoch's own records begin (RAFT-4).
    pub(crate) epoch_start: Offset,
    pub(crate) announced: Announced,
    /// The other voters.
    pub(crate) voters: BTreeMap<NodeId, Replica>,
    /// Whoever else fetches.
    pub(crate) observers: BTreeMap<NodeId, Replica>,
    pub(crate) parked: Vec<Parked>,
    /// The change of the voter set that somebody waits for (RAFT-10).
    pub(crate) change: Option<VoterChange>,
}

/// What the leader knows of another member.
#[derive(Debug, Clone)]
pub(crate) struct Replica {
    /// Everything below has arrived there for good (RAFT-6).
    pub(crate) end: Option<Offset>,
    /// When it last fetched; the beginning of the epoch until then.
    pub(crate) fetched_at: Instant,
    /// Where the leader's log ended at that time.
    pub(crate) leader_end: Offset,
    /// When it last had everything that the leader had.
    pub(crate) caught_up_at: Option<Instant>,
    /// Telling a voter that the epoch has begun (RAFT-5).
    pub(crate) begin: Call,
}

impl Replica {
    /// Nothing has been heard of it in this epoch.
    pub(crate) fn unheard(now: Instant) -> Replica {
        Replica {
            end: None,
            fetched_at: now,
            leader_end: Offset(0),
            caught_up_at: None,
            begin: Call::due(now),
        }
    }

    /// It fetches from `end` on. Returns whether it has come further.
    pub(crate) fn note_fetch(
        &mut self,
        now: Instant,
        end: Offset,
        leader_end: Offset,
    ) -> bool {
        if end >= leader_end {
            self.caught_up_at = Some(now);
        } else if self.end.is_some() && end >= self.leader_end {
            self.caught_up_at = Some(self.fetched_at);
        }
        let advanced = self.end < Some(end);
        (self.end, self.fetched_at, self.leader_end) = (Some(end), now, leader_end);
        advanced
    }
}

/// A change of the voter set on its way.
#[derive(Debug, Clone)]
pub(crate) struct VoterChange {
    pub(crate) kind: ChangeKind,
    /// Who waits for it.
    pub(crate) token: ReplyToken,
    /// Committed when the high watermark is here.
    pub(crate) end: Offset,
    pub(crate) until: Instant,
}

/// What is done to the voter set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ChangeKind {
    Add,
    Remove,
}

/// A fetch that waits for something to answer.
#[derive(Debug, Clone)]
pub(crate) struct Parked {
    pub(crate) token: ReplyToken,
    pub(crate) replica: Option<NodeId>,
    pub(crate) end: Offset,
    pub(crate) high_watermark: Offset,
    pub(crate) until: Instant,
}

/// Follows a leader.
#[derive(Debug, Clone)]
pub(crate) struct Following {
    pub(crate) leader: NodeId,
    pub(crate) timeout_at: Instant,
    pub(crate) fetch: Call,
    pub(crate) contact: Contact,
    /// The snapshot that it is fetching instead of the log.
    pub(crate) download: Option<Download>,
    /// When it may tell the leader again where it listens.
    pub(crate) update_at: Instant,
}

/// As much of a snapshot as has arrived.
#[derive(Debug, Clone)]
pub(crate) struct Download {
    pub(crate) id: SnapshotId,
    pub(crate) bytes: BytesMut,
}

/// Whether a follower has ever reached its leader in this epoch (RAFT-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contact {
    NotYet,
    Made,
}

/// Has given leadership up.
#[derive(Debug, Clone)]
pub(crate) struct Resigned {
    pub(crate) election_at: Instant,
    pub(crate) successors: Vec<NodeId>,
    pub(crate) goodbyes: BTreeMap<NodeId, Call>,
}

impl Role {
    pub(crate) fn public(&self) -> QuorumRole {
        match self {
            Role::Unattached(_) => QuorumRole::Unattached,
            Role::Campaign(campaign) => match campaign.kind {
                VoteKind::Pre => QuorumRole::Prospective,
                VoteKind::Standard => QuorumRole::Candidate,
            },
            Role::Leader(_) => QuorumRole::Leader,
            Role::Follower(_) => QuorumRole::Follower,
            Role::Resigned(_) => QuorumRole::Resigned,
        }
    }

    /// When time alone changes something.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self {
            Role::Unattached(Unattached::Waits { election_at }) => Some(*election_at),
            Role::Unattached(Unattached::Asks { call, .. }) => call.deadline(),
            Role::Campaign(campaign) => {
                let calls = campaign.ballots.values().filter_map(Asked::deadline);
                calls.chain([campaign.election_at]).min()
            }
            Role::Leader(leading) => {
                let calls = leading.voters.values().filter_map(|v| v.begin.deadline());
                let change = leading.change.as_ref().map(|change| change.until);
                let parked = leading.parked.iter().map(|parked| parked.until);
                calls.chain(parked).chain(change).min()
            }
            Role::Follower(following) => {
                following.fetch.deadline().into_iter().chain([following.timeout_at]).min()
            }
            Role::Resigned(resigned) => {
                let calls = resigned.goodbyes.values().filter_map(Call::deadline);
                calls.chain([resigned.election_at]).min()
            }
        }
    }

    /// The calls that this role has with `peer`.
    pub(crate) fn calls_to(&mut self, peer: NodeId) -> Option<&mut Call> {
        match self {
            Role::Unattached(_) => None,
            Role::Campaign(campaign) => match campaign.ballots.get_mut(&peer)? {
                Asked::Open(call) => Some(call),
                Asked::Answered(_) => None,
            },
            Role::Leader(leading) => Some(&mut leading.voters.get_mut(&peer)?.begin),
            Role::Follower(following) => {
                (following.leader == peer).then_some(&mut following.fetch)
            }
            Role::Resigned(resigned) => resigned.goodbyes.get_mut(&peer),
        }
    }
}

impl Asked {
    fn deadline(&self) -> Option<Instant> {
        match self {
            Asked::Open(call) => call.deadline(),
            Asked::Answered(_) => None,
        }
    }
}
