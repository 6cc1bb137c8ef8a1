//! Answering the quorum's own requests: votes, beginnings and ends of epochs.

use topomotion_wire::messages::{
    BeginQuorumEpochRequest, EndQuorumEpochRequest, VoteRequest,
};
use topomotion_wire::{Defect, Duration, ErrorCode, Instant, NodeId, Rule};

use crate::durable::Durable;
use crate::messages::{self, Ballot, Candidacy, Leadership, VoteKind};
use crate::role::{Contact, Role, Unattached};
use crate::{KraftVersion, Quorum, ReplyToken};

impl Quorum {
    pub(crate) fn on_vote(
        &mut self,
        now: Instant,
        token: ReplyToken,
        request: &VoteRequest,
    ) {
        let answer = match messages::read_vote(request) {
            None => Err(ErrorCode::InvalidRequest),
            Some(candidacy) if candidacy.epoch < self.durable.epoch => {
                Err(ErrorCode::FencedLeaderEpoch)
            }
            Some(candidacy) => Ok(match candidacy.kind {
                VoteKind::Pre => self.pre_ballot(candidacy),
                VoteKind::Standard => self.ballot(now, candidacy),
            }),
        };
        let leader_at = self.leader().and_then(|leader| self.endpoint(leader).cloned());
        let response = messages::vote_response(self.leadership(), leader_at, answer);
        self.reply(token, response);
    }

    /// RAFT-3: says what it would say, and changes nothing, whatever epoch it is asked in.
    fn pre_ballot(&mut self, candidacy: Candidacy) -> Ballot {
        let satisfied = match &self.role {
            Role::Leader(_) => true,
            Role::Follower(following) => {
                following.contact == Contact::Made && !Defect::PrevoteGranted.is_sown()
            }
            Role::Unattached(_) | Role::Campaign(_) | Role::Resigned(_) => false,
        };
        if satisfied {
            self.mark(Rule::Raft3);
        }
        if !satisfied && self.may_lead(candidacy) {
            Ballot::Granted
        } else {
            Ballot::Refused
        }
    }

    /// RAFT-2: one vote per epoch, for a log that is no shorter, while no leader is known.
    fn ballot(&mut self, now: Instant, candidacy: Candidacy) -> Ballot {
        if candidacy.epoch > self.durable.epoch {
            self.become_unattached(now, candidacy.epoch);
        }
        if Defect::DoubleVote.is_sown() {
            return Ballot::Granted;
        }
        let free = match &self.role {
            Role::Unattached(_) => true,
            Role::Campaign(campaign) => {
                campaign.kind == VoteKind::Pre && campaign.lost_leader.is_none()
            }
            Role::Leader(_) | Role::Follower(_) | Role::Resigned(_) => false,
        };
        let unbound = self.durable.voted.is_none_or(|voted| voted == candidacy.candidate);
        if !(free && unbound && self.may_lead(candidacy)) {
            return Ballot::Refused;
        }
        if matches!(self.role, Role::Campaign(_)) {
            self.become_unattached(now, candidacy.epoch);
        }
        self.persist(Durable { voted: Some(candidacy.candidate), ..self.durable });
        self.mark(Rule::Raft2);
        Ballot::Granted
    }

    fn may_lead(&self, candidacy: Candidacy) -> bool {
        let own = (self.last_epoch(), self.log.end_offset());
        let both_vote = match self.config.kraft_version {
            KraftVersion::Static => {
                self.is_voter() && self.voters().contains(candidacy.candidate)
            }
            // The candidate may be a voter in a set that has not arrived here, and this node
            // may be one in it: its own log is no judge of that.
            KraftVersion::Reconfigurable => true,
        };
        let any_log = Defect::VoteIgnoresLog.is_sown();
        both_vote && (any_log || (candidacy.last_epoch, candidacy.end) >= own)
    }

    pub(crate) fn on_begin(
        &mut self,
        now: Instant,
        token: ReplyToken,
        request: &BeginQuorumEpochRequest,
    ) {
        let error = match messages::read_begin(request) {
            Some(said) => self.check_leader(said).or_else(|| {
                let listens = messages::read_begin_endpoint(request);
                self.heard.extend(said.leader.zip(listens));
                self.observe(now, said);
                None
            }),
            None => Some(ErrorCode::InvalidRequest),
        };
        self.reply(token, messages::begin_response(self.leadership(), error));
    }

    pub(crate) fn on_end(
        &mut self,
        now: Instant,
        token: ReplyToken,
        request: &EndQuorumEpochRequest,
    ) {
        let error = match messages::read_end(request) {
            Some((said, successors)) => self.check_leader(said).or_else(|| {
                self.end_epoch(now, said, &successors);
                None
            }),
            None => Some(ErrorCode::InvalidRequest),
        };
        self.reply(token, messages::end_response(self.leadership(), error));
    }

    /// Whether the sender can be the leader that it says it is.
    fn check_leader(&self, said: Leadership) -> Option<ErrorCode> {
        let known = self.leader().filter(|_| said.epoch == self.durable.epoch);
        if said.epoch < self.durable.epoch {
            Some(ErrorCode::FencedLeaderEpoch)
        } else if known.is_some() && known != said.leader {
            Some(ErrorCode::InvalidRequest)
        } else {
            None
        }
    }

    /// RAFT-8: the first in line runs at once, the others the later the further back.
    fn end_epoch(&mut self, now: Instant, said: Leadership, successors: &[NodeId]) {
        if matches!(self.role, Role::Campaign(_)) && said.epoch == self.durable.epoch {
            return;
        }
        self.become_unattached(now, said.epoch);
        if !self.may_run() {
            return;
        }
        match successors.iter().position(|node| *node == self.config.node) {
            Some(0) => self.run(now),
            rank => {
                let election_at = now + self.succession_backoff(rank, successors.len());
                self.role = Role::Unattached(Unattached::Waits { election_at });
            }
        }
    }

    fn succession_backoff(&self, rank: Option<usize>, successors: usize) -> Duration {
        let longest = self.config.election_backoff_max.as_micros();
        let ahead_of = rank.map_or(0, |rank| successors - rank - 1);
        Duration::from_micros(longest >> ahead_of.min(63))
    }
}
