//! Getting elected: waiting without a leader, asking whether one would win, asking for votes.

use std::collections::BTreeMap;

use topomotion_wire::messages::VoteResponse;
use topomotion_wire::{Defect, Duration, Instant, NodeId, QuorumEpoch, Rule};

use crate::durable::Durable;
use crate::messages::{self, Ballot, Candidacy, VOTE_VERSION, VoteKind};
use crate::peer::{Call, Due};
use crate::quorum::Changed;
use crate::role::{Asked, Campaign, Role, Unattached};
use crate::{PreVote, Quorum, QuorumOutput};

impl Quorum {
    pub(crate) fn tick_unattached(&mut self, now: Instant) {
        let Role::Unattached(unattached) = &self.role else { return };
        match unattached {
            Unattached::Waits { election_at } if *election_at <= now => self.run(now),
            Unattached::Waits { .. } => {}
            Unattached::Asks { .. } => self.tick_questions(now),
        }
    }

    /// Runs for leader, as the era does it.
    pub(crate) fn run(&mut self, now: Instant) {
        match self.config.pre_vote {
            PreVote::On => self.become_prospective(now),
            PreVote::Off => self.become_candidate(now),
        }
    }

    /// RAFT-3: asks before raising the epoch; nothing becomes durable.
    pub(crate) fn become_prospective(&mut self, now: Instant) {
        let lost_leader = self.leader();
        self.mark(Rule::Raft3);
        self.campaign(now, VoteKind::Pre, lost_leader, self.durable);
    }

    pub(crate) fn become_candidate(&mut self, now: Instant) {
        let epoch = QuorumEpoch(self.durable.epoch.0 + 1);
        let voted = Some(self.config.node);
        self.campaign(
            now,
            VoteKind::Standard,
            None,
            Durable { epoch, voted, leader: None },
        );
    }

    fn campaign(
        &mut self,
        now: Instant,
        kind: VoteKind,
        lost_leader: Option<NodeId>,
        durable: Durable,
    ) {
        assert!(self.may_run(), "only a voter runs for leader");
        let ask = |voter: NodeId| {
            let own = voter == self.config.node;
            let asked = if own {
                Asked::Answered(Ballot::Granted)
            } else {
                Asked::Open(Call::due(now))
            };
            (voter, asked)
        };
        let ballots: BTreeMap<NodeId, Asked> = self.voters().ids().map(ask).collect();
        let election_at = self.election_at(now);
        let campaign = Campaign { kind, lost_leader, election_at, ballots };
        self.enter(Role::Campaign(campaign), durable);
        self.count_ballots(now);
    }

    pub(crate) fn tick_campaign(&mut self, now: Instant) {
        let last_epoch = self.last_epoch();
        let Role::Campaign(campaign) = &mut self.role else { return };
        if campaign.election_at <= now {
            self.mark(Rule::Raft9);
            return self.lose(now);
        }
        let candidacy = Candidacy {
            candidate: self.config.node,
            epoch: self.durable.epoch,
            last_epoch,
            end: self.log.end_offset(),
            kind: campaign.kind,
        };
        for (&to, asked) in &mut campaign.ballots {
            let Asked::Open(call) = asked else { continue };
            match call.check(now) {
                Due::Nothing => {}
                Due::GiveUp => {
                    call.failed(now, &self.config);
                    self.outbox.push(QuorumOutput::Disconnect { from: to });
                }
                Due::Send => {
                    call.sent(now, &self.config);
                    let request = messages::vote_request(to, candidacy);
                    let version = VOTE_VERSION;
                    self.outbox.push_guarded(QuorumOutput::Send { to, version, request });
                }
            }
        }
    }

    pub(crate) fn on_vote_answer(
        &mut self,
        now: Instant,
        from: NodeId,
        response: &VoteResponse,
    ) {
        let Some((said, ballot)) = messages::read_vote_response(response) else { return };
        let is_late = self.take_unheard(from);
        if !is_late {
            self.note_answered(now, from);
        }
        self.heard.extend(said.leader.zip(messages::read_vote_endpoint(response)));
        if self.observe(now, said) == Changed::Yes || is_late {
            return;
        }
        let epoch = self.durable.epoch;
        let Role::Campaign(campaign) = &mut self.role else { return };
        // A voter answers a pre-vote from whatever epoch it is in, a vote only in the epoch.
        let current = campaign.kind == VoteKind::Pre || said.epoch == epoch;
        match campaign.ballots.get_mut(&from) {
            Some(asked @ Asked::Open(_)) if current => *asked = Asked::Answered(ballot),
            _ => return,
        }
        self.count_ballots(now);
    }

    /// The question to this voter is no longer under way, whatever becomes of the answer.
    fn note_answered(&mut self, now: Instant, from: NodeId) {
        let Role::Campaign(campaign) = &mut self.role else { return };
        if let Some(Asked::Open(call)) = campaign.ballots.get_mut(&from) {
            call.failed(now, &self.config);
        }
    }

    /// Whether an answer is to a question of an earlier campaign.
    fn take_unheard(&mut self, from: NodeId) -> bool {
        let Some(unheard) = self.unheard.get_mut(&from) else { return false };
        unheard.count -= 1;
        if unheard.count == 0 {
            self.unheard.remove(&from);
        }
        true
    }

    fn count_ballots(&mut self, now: Instant) {
        let Role::Campaign(campaign) = &self.role else { return };
        let (majority, voters) = (self.voters().majority(), self.voters().len());
        let won = campaign.count(Ballot::Granted) >= majority;
        let lost = campaign.count(Ballot::Refused) > voters - majority;
        match (won, campaign.kind) {
            (true, VoteKind::Pre) => self.become_candidate(now),
            (true, VoteKind::Standard) => self.become_leader(now),
            (false, _) if lost => self.lose(now),
            (false, _) => {}
        }
    }

    /// Back to the leader it had, if any; else another try after a random time.
    fn lose(&mut self, now: Instant) {
        let Role::Campaign(campaign) = &self.role else { return };
        match campaign.lost_leader {
            Some(leader) => self.become_follower(now, self.durable.epoch, leader),
            None => self.become_unattached(now, self.durable.epoch),
        }
        if Defect::LosersRest.is_sown() {
            let election_at = now + Duration::from_millis(3_600_000);
            self.role = Role::Unattached(Unattached::Waits { election_at });
        }
    }
}
