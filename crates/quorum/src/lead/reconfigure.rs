//! Changing the voter set: one voter at a time, through the log (RAFT-10, KIP-853).

use topomotion_wire::messages::{
    AddRaftVoterRequest, RemoveRaftVoterRequest, UpdateRaftVoterRequest,
};
use topomotion_wire::{
    Defect, Duration, Endpoint, ErrorCode, Instant, NodeId, Offset, QuorumEpoch, Rule,
};

use crate::control::ControlBatch;
use crate::messages;
use crate::role::{ChangeKind, Replica, Role, VoterChange};
use crate::voters::VoterSet;
use crate::{KraftVersion, Quorum, ReplyToken};

/// How long ago a newcomer may have fetched to count as there (5 minutes, fixed in Kafka).
const CAUGHT_UP_SESSION: Duration = Duration::from_millis(300_000);

impl Quorum {
    pub(crate) fn on_add_voter(
        &mut self,
        now: Instant,
        token: ReplyToken,
        request: &AddRaftVoterRequest,
    ) {
        let (id, endpoint) = messages::read_add_voter(request);
        let timeout = u64::try_from(request.timeout_ms).unwrap_or(0);
        let until = now + Duration::from_millis(timeout);
        match self.check_addition(now, id) {
            Err(error) => self.refuse_change(token, ChangeKind::Add, error),
            Ok(()) => {
                let set = self.voters().with(id, endpoint);
                self.change_voters(now, ChangeKind::Add, set, token, until);
            }
        }
    }

    pub(crate) fn on_remove_voter(
        &mut self,
        now: Instant,
        token: ReplyToken,
        request: &RemoveRaftVoterRequest,
    ) {
        let id = NodeId(request.voter_id);
        let until = now + self.config.request_timeout;
        match self.check_removal(id) {
            Err(error) => self.refuse_change(token, ChangeKind::Remove, error),
            Ok(()) => {
                let mut set = self.voters().without(id);
                let me = self.config.node;
                let another = set.ids().filter(|it| *it != me).last();
                if let Some(another) =
                    another.filter(|_| Defect::TwoVoterChanges.is_sown())
                {
                    set = set.without(another);
                }
                self.change_voters(now, ChangeKind::Remove, set, token, until);
            }
        }
    }

    /// A voter listens somewhere else than the log says. It is answered before that is
    /// committed: it has to go on fetching for that.
    pub(crate) fn on_update_voter(
        &mut self,
        now: Instant,
        token: ReplyToken,
        request: &UpdateRaftVoterRequest,
    ) {
        let (id, endpoint) = messages::read_update_voter(request);
        let epoch = QuorumEpoch(request.current_leader_epoch);
        let error = if epoch < self.durable.epoch {
            Some(ErrorCode::FencedLeaderEpoch)
        } else if epoch > self.durable.epoch {
            Some(ErrorCode::UnknownLeaderEpoch)
        } else {
            let check = self.check_change().and_then(|()| self.check_known(id));
            check.err()
        };
        if error.is_none() && self.voters().endpoint(id) != endpoint.as_ref() {
            let set = self.voters().with(id, endpoint);
            self.append_voters(now, &set);
        }
        self.reply(token, messages::update_response(self.leadership(), error));
    }

    /// The checks in Kafka's order; what may pass by itself is a time-out.
    fn check_change(&self) -> Result<(), ErrorCode> {
        let Role::Leader(leading) = &self.role else {
            return Err(ErrorCode::NotLeaderOrFollower);
        };
        let committed = self.high_watermark();
        if committed <= leading.epoch_start || leading.change.is_some() {
            return Err(ErrorCode::RequestTimedOut);
        }
        if self.config.kraft_version == KraftVersion::Static {
            return Err(ErrorCode::UnsupportedVersion);
        }
        if self.voters.recorded_at().is_none_or(|at| at >= committed) {
            return Err(ErrorCode::RequestTimedOut);
        }
        Ok(())
    }

    fn check_known(&self, id: NodeId) -> Result<(), ErrorCode> {
        self.voters().contains(id).then_some(()).ok_or(ErrorCode::VoterNotFound)
    }

    fn check_addition(&self, now: Instant, id: NodeId) -> Result<(), ErrorCode> {
        self.check_change()?;
        if id.0 < 0 {
            return Err(ErrorCode::InvalidRequest);
        }
        if self.voters().contains(id) {
            return Err(ErrorCode::DuplicateVoter);
        }
        let Role::Leader(leading) = &self.role else {
            return Err(ErrorCode::NotLeaderOrFollower);
        };
        let is_caught_up = leading.observers.get(&id).is_some_and(|it| {
            it.caught_up_at.is_some() && now.since(it.fetched_at) < CAUGHT_UP_SESSION
        });
        if is_caught_up { Ok(()) } else { Err(ErrorCode::RequestTimedOut) }
    }

    fn check_removal(&self, id: NodeId) -> Result<(), ErrorCode> {
        self.check_change()?;
        self.check_known(id)?;
        if self.voters().len() == 1 { Err(ErrorCode::InvalidRequest) } else { Ok(()) }
    }

    fn refuse_change(&mut self, token: ReplyToken, kind: ChangeKind, error: ErrorCode) {
        self.reply(token, messages::change_response(kind, Some(error)));
    }

    fn change_voters(
        &mut self,
        now: Instant,
        kind: ChangeKind,
        set: VoterSet,
        token: ReplyToken,
        until: Instant,
    ) {
        let end = self.append_voters(now, &set);
        if let Role::Leader(leading) = &mut self.role {
            leading.change = Some(VoterChange { kind, token, end, until });
        }
        self.advance_as_leader(now);
    }

    /// Appends a voter set, which is in force from here on. Returns where its record ends.
    fn append_voters(&mut self, now: Instant, set: &VoterSet) -> Offset {
        self.mark(Rule::Raft10);
        let batch = ControlBatch::new(now.as_millis() as i64).with_voters(set);
        let info = self.append_batch(batch.into_builder());
        self.regroup(now);
        self.answer_parked(now);
        info.end
    }

    /// Who was an observer may be a voter now, and the other way round.
    fn regroup(&mut self, now: Instant) {
        let others = self.voters().ids().filter(|id| *id != self.config.node);
        let others: Vec<NodeId> = others.collect();
        let Role::Leader(leading) = &mut self.role else { return };
        let mut known = std::mem::take(&mut leading.voters);
        known.append(&mut leading.observers);
        for id in others {
            let voter = known.remove(&id).unwrap_or_else(|| Replica::unheard(now));
            leading.voters.insert(id, voter);
        }
        leading.observers = known;
    }

    /// What is committed may be the change that somebody waits for; and a leader that it has
    /// removed leaves.
    pub(super) fn finish_change(&mut self, now: Instant) {
        let committed = self.high_watermark();
        let Role::Leader(leading) = &mut self.role else { return };
        if let Some(change) = leading.change.take_if(|change| change.end <= committed) {
            self.reply(change.token, messages::change_response(change.kind, None));
        }
        let is_committed = self.voters.recorded_at().is_some_and(|at| at < committed);
        if is_committed && !self.is_voter() {
            self.mark(Rule::Raft10);
            self.resign(now);
        }
    }

    /// Whoever waits for a change gives up on it; the change itself may still come through.
    pub(super) fn give_up_change(&mut self, now: Instant) {
        let Role::Leader(leading) = &mut self.role else { return };
        if let Some(change) = leading.change.take_if(|change| change.until <= now) {
            self.refuse_change(change.token, change.kind, ErrorCode::RequestTimedOut);
        }
    }

    /// Where this node listens, if the voter set says otherwise.
    pub(crate) fn misplaced(&self) -> Option<Endpoint> {
        let own = self.config.endpoints.get(&self.config.node)?;
        let is_recorded = self.voters.recorded_at().is_some() && self.is_voter();
        let known = self.voters().endpoint(self.config.node);
        (is_recorded && known != Some(own)).then(|| own.clone())
    }
}
