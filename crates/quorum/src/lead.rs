//! Leading: begin the epoch, serve fetches, count acknowledgements, commit, step down.

use std::collections::BTreeMap;

use topomotion_log::{
    AppendInfo, Attributes, BatchBuilder, EpochEnd, History, RecordRef,
};
use topomotion_wire::messages::{
    BeginQuorumEpochResponse, EndQuorumEpochResponse, FetchRequest,
};
use topomotion_wire::{
    Bytes, Duration, ErrorCode, Instant, LeaderEpoch, NodeId, Offset, QuorumEpoch, Rule,
};

use crate::durable::Durable;
use crate::messages::{
    self, BEGIN_VERSION, Ballot, END_VERSION, FetchAnswer, Fetched, Progress,
};
use crate::peer::{Call, Due};
use crate::quorum::Changed;
use crate::role::{Announced, Leading, Parked, Resigned, Role, VoterProgress};
use crate::{CheckQuorum, NotLeader, Quorum, QuorumOutput, ReplyToken};

mod leader_change;

impl Quorum {
    /// Appends metadata records as one batch, which is committed as a whole or not at all.
    pub fn append(
        &mut self,
        now: Instant,
        records: &[Bytes],
    ) -> Result<AppendInfo, NotLeader> {
        assert!(!records.is_empty(), "there is no empty batch");
        if !self.is_leader() {
            return Err(NotLeader { leader: self.leader() });
        }
        let mut builder = BatchBuilder::new();
        let timestamp = now.as_millis() as i64;
        for record in records {
            builder.push(&RecordRef {
                timestamp,
                value: Some(record),
                ..RecordRef::default()
            });
        }
        let info = self.append_batch(builder);
        self.answer_parked(now);
        Ok(info)
    }

    /// Gives leadership up, naming the best successors in order (RAFT-8). Nothing happens on a
    /// node that does not lead.
    pub fn resign(&mut self, now: Instant) {
        let Role::Leader(leading) = &self.role else { return };
        let mut successors: Vec<(Option<Offset>, NodeId)> =
            leading.voters.iter().map(|(node, voter)| (voter.end, *node)).collect();
        successors.sort_by_key(|(end, node)| (std::cmp::Reverse(*end), *node));
        let successors: Vec<NodeId> =
            successors.into_iter().map(|(_, node)| node).collect();
        let goodbyes = successors.iter().map(|node| (*node, Call::due(now))).collect();
        let election_at = self.election_at(now);
        let resigned = Resigned { election_at, successors, goodbyes };
        self.mark(Rule::Raft8);
        self.enter(Role::Resigned(resigned), Durable { leader: None, ..self.durable });
        self.tick(now);
    }

    pub(crate) fn become_leader(&mut self, now: Instant) {
        let Role::Campaign(campaign) = &self.role else { return };
        let granting: Vec<NodeId> = campaign.granting().collect();
        assert!(granting.len() >= self.config.majority(), "a majority elects (RAFT-2)");
        let fresh =
            || VoterProgress { end: None, fetched_at: now, begin: Call::due(now) };
        let others =
            self.config.voters.iter().filter(|voter| **voter != self.config.node);
        let leading = Leading {
            epoch_start: self.log.end_offset(),
            announced: Announced::No,
            voters: others.map(|voter| (*voter, fresh())).collect(),
            parked: Vec::new(),
        };
        let leader = Some(self.config.node);
        self.enter(Role::Leader(leading), Durable { leader, ..self.durable });
        let message =
            leader_change::encode(self.config.node, &self.config.voters, &granting);
        let mut builder = BatchBuilder::new().with_attributes(Attributes::CONTROL);
        builder.push(&RecordRef {
            timestamp: now.as_millis() as i64,
            key: Some(&leader_change::KEY),
            value: Some(&message),
            headers: &[],
        });
        self.append_batch(builder);
    }

    fn append_batch(&mut self, builder: BatchBuilder) -> AppendInfo {
        let epoch = LeaderEpoch(self.durable.epoch.0);
        let batch = builder.build().into_bytes();
        let info = self.log.append_as_leader(batch, epoch);
        let info = info.expect("the leader built this batch itself");
        self.note_appended(info.base);
        info
    }

    pub(crate) fn tick_leader(&mut self, now: Instant) {
        let lost = self.quorum_lost_at().is_some_and(|at| at <= now);
        if lost {
            self.mark(Rule::Raft7);
            return self.resign(now);
        }
        self.announce_epoch(now);
        self.answer_parked(now);
    }

    /// RAFT-5: tells every voter that does not fetch.
    fn announce_epoch(&mut self, now: Instant) {
        let Role::Leader(leading) = &mut self.role else { return };
        let mut told = false;
        for (&to, voter) in &mut leading.voters {
            match voter.begin.check(now) {
                Due::Nothing => {}
                Due::GiveUp => {
                    voter.begin.failed(now, &self.config);
                    self.outbox.push(QuorumOutput::Disconnect { from: to });
                }
                Due::Send => {
                    voter.begin.sent(now, &self.config);
                    let (leader, epoch) = (self.config.node, self.durable.epoch);
                    let request = messages::begin_request(to, leader, epoch);
                    let version = BEGIN_VERSION;
                    self.outbox.push_guarded(QuorumOutput::Send { to, version, request });
                    told = true;
                }
            }
        }
        if told {
            self.mark(Rule::Raft5);
        }
    }

    pub(crate) fn on_begin_answer(
        &mut self,
        now: Instant,
        from: NodeId,
        response: &BeginQuorumEpochResponse,
    ) {
        let Some((said, ballot)) = messages::read_begin_response(response) else {
            return;
        };
        if self.observe(now, said) == Changed::Yes {
            return;
        }
        let again = now + self.half_fetch_timeout();
        let Role::Leader(leading) = &mut self.role else { return };
        let Some(voter) = leading.voters.get_mut(&from) else { return };
        match ballot {
            Ballot::Granted => voter.begin.succeeded(again),
            Ballot::Refused => voter.begin.failed(now, &self.config),
        }
    }

    pub(crate) fn on_fetch(
        &mut self,
        now: Instant,
        token: ReplyToken,
        request: &FetchRequest,
    ) {
        let Some(progress) = messages::read_fetch(request) else {
            return self.refuse_fetch(token, ErrorCode::InvalidRequest);
        };
        let error = if progress.epoch < self.durable.epoch {
            Some(ErrorCode::FencedLeaderEpoch)
        } else if progress.epoch > self.durable.epoch {
            Some(ErrorCode::UnknownLeaderEpoch)
        } else if self.is_leader() {
            None
        } else {
            Some(ErrorCode::NotLeaderOrFollower)
        };
        if let Some(error) = error {
            return self.refuse_fetch(token, error);
        }
        if let Some(at) = self.divergence(progress) {
            return self.answer_fetch(token, Fetched::Diverges(at));
        }
        self.note_progress(now, progress);
        let wait = u64::try_from(request.max_wait_ms).unwrap_or(0);
        let parked = Parked {
            token,
            replica: progress.replica,
            end: progress.end,
            high_watermark: progress.high_watermark,
            until: now + Duration::from_millis(wait),
        };
        let Role::Leader(leading) = &mut self.role else { return };
        // A replica has one fetch at a time: an older one was on a connection that is gone.
        let old = leading.parked.iter().position(|old| old.replica == parked.replica);
        let old =
            old.filter(|_| parked.replica.is_some()).map(|at| leading.parked.remove(at));
        leading.parked.push(parked);
        if let Some(old) = old {
            self.answer_fetch(old.token, Fetched::Records(Bytes::new()));
        }
        self.answer_parked(now);
    }

    fn divergence(&self, progress: Progress) -> Option<EpochEnd> {
        if progress.end == self.log.start_offset() {
            return None;
        }
        match self.log.compare(progress.end, progress.last_epoch) {
            History::Matches => None,
            History::Diverges(at) => Some(at),
            History::Unknown => {
                let end = self.log.end_offset();
                Some(EpochEnd { epoch: progress.last_epoch, end })
            }
        }
    }

    /// RAFT-6: everything before the fetch offset is on the voter's disk.
    fn note_progress(&mut self, now: Instant, progress: Progress) {
        let again = now + self.half_fetch_timeout();
        let Role::Leader(leading) = &mut self.role else { return };
        let voter = progress.replica.and_then(|node| leading.voters.get_mut(&node));
        let Some(voter) = voter else { return };
        let advanced = voter.end < Some(progress.end);
        voter.end = Some(progress.end);
        voter.fetched_at = now;
        voter.begin.postpone(again);
        if advanced {
            self.mark(Rule::Raft6);
            self.advance_as_leader(now);
        }
    }

    /// RAFT-4: what a majority has is committed, once the epoch's own first record is among
    /// it (Raft, section 5.4.2).
    pub(crate) fn advance_as_leader(&mut self, now: Instant) {
        let Role::Leader(leading) = &self.role else { return };
        let mut ends: Vec<Option<Offset>> =
            leading.voters.values().map(|v| v.end).collect();
        ends.push(Some(self.flushed_end));
        ends.sort_unstable_by(|a, b| b.cmp(a));
        let reached = ends[self.config.majority() - 1];
        let epoch_start = leading.epoch_start;
        let Some(reached) = reached.filter(|&end| end > epoch_start) else { return };
        if self.raise_high_watermark(reached) == Changed::No {
            return;
        }
        self.mark(Rule::Raft4);
        if let Role::Leader(leading) = &mut self.role
            && leading.announced == Announced::No
        {
            leading.announced = Announced::Yes;
            self.outbox.push(QuorumOutput::Elected { epoch: self.durable.epoch });
        }
        self.answer_parked(now);
    }

    /// Answers every fetch that has something to read, something to learn, or no time left
    /// (REP-18, KIP-1166).
    fn answer_parked(&mut self, now: Instant) {
        let (end, high_watermark) = (self.log.end_offset(), self.known_high_watermark());
        let Role::Leader(leading) = &mut self.role else { return };
        let ready = |parked: &mut Parked| {
            parked.end < end
                || parked.high_watermark < high_watermark
                || parked.until <= now
        };
        for parked in leading.parked.extract_if(.., ready).collect::<Vec<_>>() {
            let limit = usize::try_from(self.config.fetch_max_bytes).unwrap_or(0);
            let fetched = match self.log.read(parked.end, end, limit) {
                Ok(read) => Fetched::Records(read.to_bytes()),
                Err(outside) => Fetched::Refused(outside.error_code()),
            };
            self.answer_fetch(parked.token, fetched);
        }
    }

    fn refuse_fetch(&mut self, token: ReplyToken, error: ErrorCode) {
        self.answer_fetch(token, Fetched::Refused(error));
    }

    fn answer_fetch(&mut self, token: ReplyToken, fetched: Fetched) {
        let answer = FetchAnswer {
            leadership: self.leadership(),
            high_watermark: self.known_high_watermark(),
            log_start: self.log.start_offset(),
            fetched,
        };
        self.reply(token, messages::fetch_response(answer));
    }

    /// −1 while unknown, as messages have it.
    pub(crate) fn known_high_watermark(&self) -> Offset {
        self.high_watermark.unwrap_or(Offset(-1))
    }

    /// RAFT-7: when the last majority of fetches is 1.5 fetch timeouts old.
    pub(crate) fn quorum_lost_at(&self) -> Option<Instant> {
        let Role::Leader(leading) = &self.role else { return None };
        let needed = self.config.majority().checked_sub(2)?;
        if self.config.check_quorum == CheckQuorum::Off {
            return None;
        }
        let mut fetches: Vec<Instant> =
            leading.voters.values().map(|v| v.fetched_at).collect();
        fetches.sort_unstable_by(|a, b| b.cmp(a));
        let patience =
            Duration::from_micros(self.config.fetch_timeout.as_micros() * 3 / 2);
        fetches.get(needed).map(|at| *at + patience)
    }

    /// What a leader owes when it is one no more.
    pub(crate) fn leave_leadership(&mut self, leading: Leading, epoch: QuorumEpoch) {
        for parked in leading.parked {
            self.refuse_fetch(parked.token, ErrorCode::NotLeaderOrFollower);
        }
        if leading.announced == Announced::Yes {
            self.outbox.push(QuorumOutput::Deposed { epoch });
        }
    }

    pub(crate) fn tick_resigned(&mut self, now: Instant) {
        let Role::Resigned(resigned) = &mut self.role else { return };
        if resigned.election_at <= now {
            return self.become_unattached(now, self.durable.epoch);
        }
        let successors = &resigned.successors;
        let goodbyes: &mut BTreeMap<NodeId, Call> = &mut resigned.goodbyes;
        for (&to, call) in goodbyes {
            match call.check(now) {
                Due::Nothing => {}
                Due::GiveUp => {
                    call.failed(now, &self.config);
                    self.outbox.push(QuorumOutput::Disconnect { from: to });
                }
                Due::Send => {
                    call.sent(now, &self.config);
                    let (leader, epoch) = (self.config.node, self.durable.epoch);
                    let request = messages::end_request(leader, epoch, successors);
                    let version = END_VERSION;
                    self.outbox.push_guarded(QuorumOutput::Send { to, version, request });
                }
            }
        }
    }

    pub(crate) fn on_end_answer(
        &mut self,
        now: Instant,
        from: NodeId,
        response: &EndQuorumEpochResponse,
    ) {
        let Some(said) = messages::read_end_response(response) else { return };
        if self.observe(now, said) == Changed::Yes {
            return;
        }
        if let Role::Resigned(resigned) = &mut self.role
            && let Some(call) = resigned.goodbyes.get_mut(&from)
        {
            call.finish();
        }
    }

    fn half_fetch_timeout(&self) -> Duration {
        Duration::from_micros(self.config.fetch_timeout.as_micros() / 2)
    }
}
