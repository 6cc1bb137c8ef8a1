//! The member itself: what it is asked, what it remembers, and how it changes its part.
//!
//! Every change of role goes through one place ([`Quorum::enter`]), which makes the new epoch
//! and vote durable, refuses what the old role had promised to answer, and tells the world.

use std::collections::BTreeMap;
use std::fmt;

use topomotion_log::{Log, LogConfig};
use topomotion_wire::messages::{RequestKind, ResponseKind};
use topomotion_wire::{
    Bytes, Defect, DiskOp, Endpoint, Fact, Files, FlushToken, Instant, NodeId, Offset,
    QuorumEpoch, QuorumRole, Random, Rule,
};

use crate::durable::{DamagedState, Durable};
use crate::messages::{Leadership, VoteKind, is_for_quorum, metadata_partition};
use crate::outbox::{self, Outbox};
use crate::role::{Contact, Following, Resigned, Role, Unattached};
use crate::snapshots::{self, Found, Snapshots};
use crate::voters::{VoterHistory, VoterSet};
use crate::{KraftVersion, QuorumConfig, QuorumOutput, ReplyToken, control};

/// Answers to a voter's questions of campaigns that are over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unheard {
    pub(crate) count: u32,
    pub(crate) until: Instant,
}

/// Far more changes of role than one moment can hold.
const MAX_STEPS: usize = 16;

/// This node does not lead the quorum: ask the leader instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotLeader {
    /// The leader, if known.
    pub leader: Option<NodeId>,
}

impl fmt::Display for NotLeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.leader {
            Some(leader) => write!(f, "not the leader of the quorum; node {leader} is"),
            None => f.write_str("not the leader of the quorum; nobody is known to be"),
        }
    }
}

impl std::error::Error for NotLeader {}

/// One member of the metadata quorum.
#[derive(Debug, Clone)]
pub struct Quorum {
    pub(crate) config: QuorumConfig,
    pub(crate) random: Random,
    pub(crate) log: Log,
    pub(crate) snapshots: Snapshots,
    pub(crate) voters: VoterHistory,
    pub(crate) durable: Durable,
    pub(crate) role: Role,
    pub(crate) high_watermark: Option<Offset>,
    /// Who has said that it no longer leads this epoch. It never will again; others may not
    /// know that yet.
    pub(crate) stepped_down: Option<(QuorumEpoch, NodeId)>,
    /// Questions of campaigns that are over, by whom has not answered them yet. On a
    /// connection answers come in order: so many are not for the present campaign. Nobody
    /// waits for them longer than for any answer.
    pub(crate) unheard: BTreeMap<NodeId, Unheard>,
    /// Where leaders listen that were heard of before the log told of them.
    pub(crate) heard: BTreeMap<NodeId, Endpoint>,
    pub(crate) outbox: Outbox,
    /// What is known to survive a power loss: all below.
    pub(crate) flushed_end: Offset,
    /// Flushes of the log under way, and the log end each of them covers.
    pub(crate) log_flushes: Vec<(FlushToken, Offset)>,
    pub(crate) halted: Option<&'static str>,
}

impl Quorum {
    /// A member as it starts from what is left in `files`.
    pub fn recover(
        config: QuorumConfig,
        files: &Files,
        now: Instant,
        random: Random,
    ) -> Result<Quorum, DamagedState> {
        let durable = match Defect::QuorumStateLost.is_sown() {
            false => Durable::recover(files)?,
            true => Durable::default(),
        };
        let Found { log, snapshots, contents, useless } = snapshots::recover(files);
        let flushed_end = log.end_offset();
        let mut quorum = Quorum {
            role: Role::Unattached(Unattached::Waits { election_at: now }),
            voters: VoterHistory::new(config.initial_voters()),
            config,
            random,
            log,
            snapshots,
            durable,
            high_watermark: None,
            stepped_down: None,
            unheard: BTreeMap::new(),
            heard: BTreeMap::new(),
            outbox: Outbox::default(),
            flushed_end,
            log_flushes: Vec::new(),
            halted: None,
        };
        for file in useless {
            quorum.outbox.push(QuorumOutput::Disk(DiskOp::Delete { file }));
        }
        quorum.load_found(contents);
        quorum.learn_voters(quorum.log.start_offset());
        quorum.durable = quorum.epoch_floor(durable);
        quorum.drain_log();
        quorum.start(now);
        Ok(quorum)
    }

    /// Takes a request that [`is_for_quorum`] claims. The reply may come at once, later, or
    /// never, if the connection is gone by then.
    pub fn handle_request(
        &mut self,
        now: Instant,
        token: ReplyToken,
        request: &RequestKind,
    ) {
        assert!(
            is_for_quorum(request),
            "the owner sends only the quorum's requests here"
        );
        if self.halted.is_some() {
            return;
        }
        match request {
            RequestKind::Vote(request) => self.on_vote(now, token, request),
            RequestKind::BeginQuorumEpoch(request) => self.on_begin(now, token, request),
            RequestKind::EndQuorumEpoch(request) => self.on_end(now, token, request),
            RequestKind::Fetch(request) => self.on_fetch(now, token, request),
            RequestKind::FetchSnapshot(request) => {
                self.on_fetch_snapshot(now, token, request);
            }
            RequestKind::AddRaftVoter(request) => self.on_add_voter(now, token, request),
            RequestKind::RemoveRaftVoter(request) => {
                self.on_remove_voter(now, token, request);
            }
            RequestKind::UpdateRaftVoter(request) => {
                self.on_update_voter(now, token, request);
            }
            RequestKind::DescribeQuorum(request) => self.on_describe(now, token, request),
            _ => {}
        }
        self.tick(now);
    }

    /// Takes an answer to a request that went out as [`QuorumOutput::Send`]. The owner drops
    /// what comes from a connection that it has closed or has reported as broken: an old
    /// answer must not be taken for a new one.
    pub fn handle_response(
        &mut self,
        now: Instant,
        from: NodeId,
        response: &ResponseKind,
    ) {
        if self.halted.is_some() {
            return;
        }
        match response {
            ResponseKind::Vote(response) => self.on_vote_answer(now, from, response),
            ResponseKind::BeginQuorumEpoch(response) => {
                self.on_begin_answer(now, from, response);
            }
            ResponseKind::EndQuorumEpoch(response) => {
                self.on_end_answer(now, from, response);
            }
            ResponseKind::Fetch(response) => self.on_fetch_answer(now, from, response),
            ResponseKind::FetchSnapshot(response) => {
                self.on_snapshot_answer(now, from, response);
            }
            ResponseKind::UpdateRaftVoter(response) => {
                self.on_update_answer(now, from, response);
            }
            _ => {}
        }
        self.tick(now);
    }

    /// Whatever was in flight to `peer` will not be answered: it could not be dialled, or the
    /// connection broke.
    pub fn handle_unreachable(&mut self, now: Instant, peer: NodeId) {
        if self.halted.is_some() {
            return;
        }
        self.unheard.remove(&peer);
        if let Role::Unattached(Unattached::Asks { voter, .. }) = self.role {
            if self.contacts().get(voter) == Some(&peer) {
                self.ask_next_voter(now);
            }
        } else if let Some(call) =
            self.role.calls_to(peer).filter(|call| call.is_in_flight())
        {
            call.failed(now, &self.config);
        }
        self.tick(now);
    }

    /// A flush that this member asked for is done; others are ignored.
    pub fn handle_flushed(&mut self, now: Instant, token: FlushToken) {
        if self.halted.is_some() || !outbox::is_ours(token) {
            return;
        }
        if let Some(at) = self.log_flushes.iter().position(|(t, _)| *t == token) {
            let (_, end) = self.log_flushes.remove(at);
            self.flushed_end = self.flushed_end.max(end);
            self.advance_as_leader(now);
        }
        self.snapshot_flushed(now, token);
        self.outbox.flushed(token);
        self.tick(now);
    }

    /// Whether a flush token is one of this member's.
    pub fn owns(token: FlushToken) -> bool {
        outbox::is_ours(token)
    }

    /// Lets time pass: does whatever is due at or before `now`.
    pub fn tick(&mut self, now: Instant) {
        // A change of role makes new things due at once: the next role's first requests.
        for _ in 0..MAX_STEPS {
            if self.deadline().is_none_or(|deadline| deadline > now) {
                return;
            }
            self.step(now);
        }
        panic!("what is due must be done, or be due later");
    }

    fn step(&mut self, now: Instant) {
        for (from, _) in self.unheard.extract_if(.., |_, it| it.until <= now) {
            self.outbox.push(QuorumOutput::Disconnect { from });
        }
        match &self.role {
            Role::Unattached(_) => self.tick_unattached(now),
            Role::Campaign(_) => self.tick_campaign(now),
            Role::Leader(_) => self.tick_leader(now),
            Role::Follower(_) => self.tick_follower(now),
            Role::Resigned(_) => self.tick_resigned(now),
        }
    }

    /// The next thing to do. Call until `None` after everything else.
    pub fn poll(&mut self) -> Option<QuorumOutput> {
        let output = self.outbox.pop();
        if let Some(QuorumOutput::Disconnect { from }) = &output {
            self.unheard.remove(from);
        }
        output
    }

    /// When [`Quorum::tick`] wants to be called next, if nothing else happens before.
    pub fn deadline(&self) -> Option<Instant> {
        if self.halted.is_some() {
            return None;
        }
        let unheard = self.unheard.values().map(|it| it.until);
        self.role.deadline().into_iter().chain(self.quorum_lost_at()).chain(unheard).min()
    }

    /// This node.
    pub fn node(&self) -> NodeId {
        self.config.node
    }

    /// Its settings.
    pub fn config(&self) -> &QuorumConfig {
        &self.config
    }

    /// The voters in force: the last set in the log, committed or not (RAFT-10).
    pub fn voters(&self) -> &VoterSet {
        self.voters.current()
    }

    /// The voters in force at an offset: a set counts from its own record on.
    pub fn voters_below(&self, offset: Offset) -> &VoterSet {
        self.voters.below(offset)
    }

    /// Where a node of the quorum listens, as far as the log tells or others have; also of
    /// one that is no voter any more.
    pub fn endpoint(&self, node: NodeId) -> Option<&Endpoint> {
        self.voters.endpoint(node).or_else(|| self.heard.get(&node))
    }

    /// Whether this node has a vote.
    pub fn is_voter(&self) -> bool {
        self.voters().contains(self.config.node)
    }

    /// Whether this node may run for leader: a voter, or one that is removed by a record that
    /// may still be undone. The others may need it to get that record committed (Raft,
    /// dissertation, section 4.2.2).
    pub(crate) fn may_run(&self) -> bool {
        let uncommitted =
            self.voters.recorded_at().is_some_and(|at| at >= self.high_watermark());
        let was_voter =
            || uncommitted && self.voters.previous().contains(self.config.node);
        self.is_voter() || was_voter()
    }

    /// Its part in the quorum.
    pub fn role(&self) -> QuorumRole {
        self.role.public()
    }

    /// Whether it leads.
    pub fn is_leader(&self) -> bool {
        matches!(self.role, Role::Leader(_))
    }

    /// The epoch it is in.
    pub fn epoch(&self) -> QuorumEpoch {
        self.durable.epoch
    }

    /// The leader of that epoch, if known.
    pub fn leader(&self) -> Option<NodeId> {
        match &self.role {
            Role::Leader(_) => Some(self.config.node),
            Role::Follower(following) => Some(following.leader),
            Role::Unattached(_) | Role::Campaign(_) | Role::Resigned(_) => None,
        }
    }

    /// One past the last committed record, as far as this node knows.
    pub fn high_watermark(&self) -> Offset {
        self.high_watermark.unwrap_or_default()
    }

    /// The metadata log.
    pub fn log(&self) -> &Log {
        &self.log
    }

    /// The committed metadata records from `from` on, with their offsets. Control records are
    /// left out, so offsets may jump.
    pub fn read_committed(&self, from: Offset) -> impl Iterator<Item = (Offset, Bytes)> {
        let batches = self.log.batches(from, self.high_watermark());
        let records = batches
            .filter(|batch| !batch.is_control())
            .flat_map(|batch| batch.records().into_iter().flatten().flatten());
        records
            .map(|record| (record.offset, record.value.unwrap_or_default()))
            .filter(move |(offset, _)| *offset >= from)
    }

    fn start(&mut self, now: Instant) {
        let durable = self.durable;
        if self.is_voter() && self.voters().len() == 1 {
            return self.become_candidate(now);
        }
        match durable.leader {
            // It may not lead the same epoch twice: its followers know what it had told them.
            Some(leader) if leader == self.config.node => {
                let election_at = self.election_at(now);
                let (successors, goodbyes) = Default::default();
                let resigned = Resigned { election_at, successors, goodbyes };
                self.enter(Role::Resigned(resigned), Durable { leader: None, ..durable });
            }
            Some(leader) => self.become_follower(now, durable.epoch, leader),
            None => self.become_unattached(now, durable.epoch),
        }
    }

    /// Changes the role; the one place where epoch, vote and leader change.
    pub(crate) fn enter(&mut self, role: Role, durable: Durable) {
        assert!(durable.epoch >= self.durable.epoch, "an epoch never falls (K3)");
        let before = (self.role.public(), self.durable.epoch, self.leader());
        let old = std::mem::replace(&mut self.role, role);
        self.persist(durable);
        match old {
            Role::Leader(leading) => self.leave_leadership(leading, before.1),
            Role::Campaign(campaign) => {
                for (voter, until) in campaign.in_flight() {
                    let unheard =
                        self.unheard.entry(voter).or_insert(Unheard { count: 0, until });
                    unheard.count += 1;
                    unheard.until = unheard.until.max(until);
                }
            }
            Role::Unattached(_) | Role::Follower(_) | Role::Resigned(_) => {}
        }
        let after = (self.role.public(), self.durable.epoch, self.leader());
        if before != after {
            let (role, epoch, leader) = after;
            self.fact(Fact::QuorumRole { role, epoch, leader });
        }
    }

    /// RAFT-1: whatever leaves from here on waits for the flush.
    pub(crate) fn persist(&mut self, durable: Durable) {
        if durable == self.durable {
            return;
        }
        self.durable = durable;
        let file = Durable::file();
        let voted = durable.voted.filter(|_| !Defect::VoteNotPersisted.is_sown());
        let durable = Durable { voted, ..durable };
        let bytes = durable.to_json(&self.voters().ids().collect::<Vec<_>>());
        self.outbox
            .push(QuorumOutput::Disk(DiskOp::Replace { file: file.clone(), bytes }));
        self.outbox.flush(file);
        self.mark(Rule::Raft1);
    }

    pub(crate) fn become_unattached(&mut self, now: Instant, epoch: QuorumEpoch) {
        let waits = if self.may_run() {
            Unattached::Waits { election_at: self.election_at(now) }
        } else {
            self.first_question(now)
        };
        let voted = self.durable.voted.filter(|_| epoch == self.durable.epoch);
        self.enter(Role::Unattached(waits), Durable { epoch, voted, leader: None });
    }

    pub(crate) fn become_follower(
        &mut self,
        now: Instant,
        epoch: QuorumEpoch,
        leader: NodeId,
    ) {
        assert!(leader != self.config.node, "nobody follows itself");
        if Defect::HwReset.is_sown() {
            self.high_watermark = None;
        }
        let following = Following {
            leader,
            timeout_at: now + self.config.fetch_timeout,
            fetch: crate::peer::Call::due(now),
            contact: Contact::NotYet,
            download: None,
            update_at: now,
        };
        let voted = self.durable.voted.filter(|_| epoch == self.durable.epoch);
        let durable = Durable { epoch, voted, leader: Some(leader) };
        self.enter(Role::Follower(following), durable);
    }

    /// Learns from what somebody else said about the leadership. Returns whether that changed
    /// this member's part.
    pub(crate) fn observe(&mut self, now: Instant, said: Leadership) -> Changed {
        let leader = said.leader.filter(|leader| {
            let is_past = self.stepped_down == Some((said.epoch, *leader));
            self.may_be_leader(*leader) && !is_past
        });
        if said.epoch > self.durable.epoch {
            match leader {
                Some(leader) => self.become_follower(now, said.epoch, leader),
                None => self.become_unattached(now, said.epoch),
            }
            return Changed::Yes;
        }
        let open = match &self.role {
            Role::Unattached(_) => true,
            Role::Campaign(campaign) => {
                campaign.kind == VoteKind::Standard || campaign.lost_leader.is_none()
            }
            Role::Leader(_) | Role::Follower(_) | Role::Resigned(_) => false,
        };
        match leader {
            Some(leader) if said.epoch == self.durable.epoch && open => {
                self.become_follower(now, said.epoch, leader);
                Changed::Yes
            }
            _ => Changed::No,
        }
    }

    /// Where voters can change, a voter may be one of whom this log does not know yet.
    fn may_be_leader(&self, leader: NodeId) -> bool {
        let is_known = match self.config.kraft_version {
            KraftVersion::Static => self.voters().contains(leader),
            KraftVersion::Reconfigurable => true,
        };
        leader != self.config.node && is_known
    }

    /// Whom to ask who leads: the voters in force, and those that the settings name.
    pub(crate) fn contacts(&self) -> Vec<NodeId> {
        let mut all = self.config.voters.clone();
        all.extend(self.voters().ids().filter(|id| !self.config.voters.contains(id)));
        all.retain(|id| *id != self.config.node);
        all
    }

    /// Puts the voter sets in force that the log records from `from` on.
    pub(crate) fn learn_voters(&mut self, from: Offset) {
        let sets = self.log.batches(from, self.log.end_offset());
        let sets: Vec<_> = sets.flat_map(|batch| control::voters_in(&batch)).collect();
        for (offset, set) in sets {
            self.voters.record(offset, set);
        }
    }

    pub(crate) fn leadership(&self) -> Leadership {
        Leadership { epoch: self.durable.epoch, leader: self.leader() }
    }

    pub(crate) fn election_at(&mut self, now: Instant) -> Instant {
        let timeout = self.config.election_timeout;
        let more = self.random.below(timeout.as_micros());
        now + timeout + topomotion_wire::Duration::from_micros(more)
    }

    /// Moves the high watermark up, never down (K4).
    pub(crate) fn raise_high_watermark(&mut self, to: Offset) -> Changed {
        assert!(
            to <= self.log.end_offset(),
            "nothing is committed beyond the log (REP-1)"
        );
        if self.high_watermark.is_some_and(|known| to <= known) {
            return Changed::No;
        }
        let before = self.high_watermark.replace(to);
        if before.unwrap_or_default() < to {
            let partition = metadata_partition();
            self.fact(Fact::HighWatermark { partition, offset: to });
            self.outbox.push(QuorumOutput::Committed { up_to: to });
        }
        Changed::Yes
    }

    /// Tells of everything appended since `from`, and has it flushed.
    pub(crate) fn note_appended(&mut self, from: Offset) {
        let end = self.log.end_offset();
        for batch in self.log.batches(from, end) {
            self.outbox.push(QuorumOutput::Fact(Fact::Appended {
                partition: metadata_partition(),
                base: batch.base_offset(),
                count: i64::from(batch.count()),
                epoch: batch.leader_epoch(),
                batch: batch.id(),
            }));
        }
        self.learn_voters(from);
        self.drain_log();
        let token = self.outbox.flush(self.log.active_file());
        self.log_flushes.push((token, end));
    }

    pub(crate) fn drain_log(&mut self) {
        while let Some(op) = self.log.poll_disk() {
            self.outbox.push(QuorumOutput::Disk(op));
        }
    }

    /// Stops for good.
    pub(crate) fn halt(&mut self, reason: &'static str) {
        self.halted = Some(reason);
        self.outbox.silence();
        self.outbox.push(QuorumOutput::Fatal { reason });
    }

    pub(crate) fn mark(&mut self, rule: Rule) {
        self.outbox.push(QuorumOutput::Mark(rule));
    }

    pub(crate) fn fact(&mut self, fact: Fact) {
        self.outbox.push(QuorumOutput::Fact(fact));
    }

    pub(crate) fn send(&mut self, to: NodeId, version: i16, request: RequestKind) {
        self.outbox.push_guarded(QuorumOutput::Send { to, version, request });
    }

    pub(crate) fn reply(&mut self, token: ReplyToken, response: ResponseKind) {
        self.outbox.push_guarded(QuorumOutput::Reply { token, response });
    }
}

/// Whether something changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Changed {
    No,
    Yes,
}

/// The metadata log stays in one segment, so that one flush covers all of it.
pub(crate) fn log_config() -> LogConfig {
    LogConfig::one_segment()
}
