//! A member's part in the quorum, each with the state that only it has.

use std::collections::BTreeMap;

use topomotion_wire::{Instant, NodeId, Offset, QuorumRole};

use crate::ReplyToken;
use crate::messages::{Ballot, VoteKind};
use crate::peer::Call;

/// A member's part.
#[derive(Debug)]
pub(crate) enum Role {
    Unattached(Unattached),
    /// Prospective or candidate, by the kind of vote it asks for.
    Campaign(Campaign),
    Leader(Leading),
    Follower(Following),
    Resigned(Resigned),
}

/// Knows no leader.
#[derive(Debug)]
pub(crate) enum Unattached {
    /// A voter waits for somebody to be elected, and runs itself at `election_at`.
    Waits { election_at: Instant },
    /// An observer asks one voter after the other who leads.
    Asks { voter: usize, call: Call },
}

/// Runs for leader.
#[derive(Debug)]
pub(crate) struct Campaign {
    pub(crate) kind: VoteKind,
    /// The leader it had lost touch with, to return to if nobody else has.
    pub(crate) lost_leader: Option<NodeId>,
    pub(crate) election_at: Instant,
    pub(crate) ballots: BTreeMap<NodeId, Asked>,
}

/// How far the question to one voter has come.
#[derive(Debug)]
pub(crate) enum Asked {
    Open(Call),
    Answered(Ballot),
}

impl Campaign {
    pub(crate) fn count(&self, ballot: Ballot) -> usize {
        let same = |asked: &&Asked| matches!(asked, Asked::Answered(b) if *b == ballot);
        self.ballots.values().filter(same).count()
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
#[derive(Debug)]
pub(crate) struct Leading {
    /// Where the epoch's own records begin (RAFT-4).
    pub(crate) epoch_start: Offset,
    pub(crate) announced: Announced,
    /// The other voters.
    pub(crate) voters: BTreeMap<NodeId, VoterProgress>,
    pub(crate) parked: Vec<Parked>,
}

/// What the leader knows of another voter.
#[derive(Debug)]
pub(crate) struct VoterProgress {
    /// Everything below has arrived there for good (RAFT-6).
    pub(crate) end: Option<Offset>,
    /// When it last fetched; the beginning of the epoch until then.
    pub(crate) fetched_at: Instant,
    /// Telling it that the epoch has begun (RAFT-5).
    pub(crate) begin: Call,
}

/// A fetch that waits for something to answer.
#[derive(Debug)]
pub(crate) struct Parked {
    pub(crate) token: ReplyToken,
    pub(crate) replica: Option<NodeId>,
    pub(crate) end: Offset,
    pub(crate) high_watermark: Offset,
    pub(crate) until: Instant,
}

/// Follows a leader.
#[derive(Debug)]
pub(crate) struct Following {
    pub(crate) leader: NodeId,
    pub(crate) timeout_at: Instant,
    pub(crate) fetch: Call,
    pub(crate) contact: Contact,
}

/// Whether a follower has ever reached its leader in this epoch (RAFT-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contact {
    NotYet,
    Made,
}

/// Has given leadership up.
#[derive(Debug)]
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
                calls.chain(leading.parked.iter().map(|parked| parked.until)).min()
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
