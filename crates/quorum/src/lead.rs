//! Leading: begin the epoch, serve fetches, count acknowledgements, commit, step down.

use std::collections::BTreeMap;

use topomotion_log::{AppendInfo, BatchBuilder, RecordRef};
use topomotion_wire::messages::{BeginQuorumEpochResponse, EndQuorumEpochResponse};
use topomotion_wire::{
    Bytes, Defect, Duration, ErrorCode, Instant, LeaderEpoch, NodeId, Offset,
    QuorumEpoch, Rule,
};

use crate::control::ControlBatch;
use crate::durable::Durable;
use crate::messages::{self, BEGIN_VERSION, Ballot, END_VERSION};
use crate::peer::{Call, Due};
use crate::quorum::Changed;
use crate::role::{Announced, Leading, Replica, Resigned, Role};
use crate::{CheckQuorum, KraftVersion, NotLeader, Quorum, QuorumOutput};

mod describe;
mod reconfigure;
mod serve;

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
        assert!(granting.len() >= self.voters().majority(), "a majority elects (RAFT-2)");
        let others = self.voters().ids().filter(|id| *id != self.config.node);
        let leading = Leading {
            epoch_start: self.log.end_offset(),
            announced: Announced::No,
            voters: others.map(|voter| (voter, Replica::unheard(now))).collect(),
            observers: BTreeMap::new(),
            parked: Vec::new(),
            change: None,
        };
        let leader = Some(self.config.node);
        self.enter(Role::Leader(leading), Durable { leader, ..self.durable });
        let voters = self.voters();
        let mut opening = ControlBatch::new(now.as_millis() as i64).with_leader_change(
            self.config.node,
            voters,
            &granting,
        );
        let is_in_log = self.voters.recorded_at().is_some();
        if self.config.kraft_version == KraftVersion::Reconfigurable && !is_in_log {
            opening = opening.with_kraft_version().with_voters(voters);
        }
        self.append_batch(opening.into_builder());
    }

    pub(crate) fn append_batch(&mut self, builder: BatchBuilder) -> AppendInfo {
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
        self.give_up_change(now);
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
                    let listens = self.config.endpoints.get(&leader);
                    let request = messages::begin_request(to, leader, epoch, listens);
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

    /// RAFT-4: what a majority has is committed, once the epoch's own first record is among
    /// it (Raft, section 5.4.2).
    pub(crate) fn advance_as_leader(&mut self, now: Instant) {
        let Role::Leader(leading) = &self.role else { return };
        let mut ends: Vec<Option<Offset>> =
            leading.voters.values().map(|v| v.end).collect();
        if Defect::CountObserver.is_sown() {
            ends.extend(leading.observers.values().map(|it| it.end));
        }
        // A leader that has removed itself leads on, but counts no more (RAFT-10).
        ends.extend(self.is_voter().then_some(Some(self.flushed_end)));
        ends.sort_unstable_by(|a, b| b.cmp(a));
        let reached = ends[self.voters().majority() - 1];
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
        self.finish_change(now);
    }

    /// −1 while unknown, as messages have it.
    pub(crate) fn known_high_watermark(&self) -> Offset {
        self.high_watermark.unwrap_or(Offset(-1))
    }

    /// RAFT-7: when the last majority of fetches is 1.5 fetch timeouts old.
    pub(crate) fn quorum_lost_at(&self) -> Option<Instant> {
        let Role::Leader(leading) = &self.role else { return None };
        let others = self.voters().majority() - usize::from(self.is_voter());
        let needed = others.checked_sub(1)?;
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
        if let Some(change) = leading.change {
            let error = Some(ErrorCode::NotLeaderOrFollower);
            self.reply(change.token, messages::change_response(change.kind, error));
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
