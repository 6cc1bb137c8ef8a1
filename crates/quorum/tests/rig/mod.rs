//! A quorum in virtual time: members joined by queues, with disks that can lose what was not
//! flushed, and an observer with a model of its own that judges after every step.

#![allow(dead_code, reason = "each test binary uses its own part of the rig")]

mod by_hand;
mod disk;
mod judge;

use std::collections::{BTreeMap, BTreeSet};

use bytes::BytesMut;
use topomotion_quorum::{Quorum, QuorumConfig, QuorumOutput, ReplyToken, SnapshotId};
use topomotion_wire::messages::{ApiKey, RequestKind, ResponseKind};
use topomotion_wire::{
    Bytes, Duration, Fact, FlushToken, Instant, NodeId, Offset, QuorumEpoch, Random, Rule,
};

#[allow(unused_imports, reason = "each test binary uses its own part")]
pub use by_hand::{
    add_voter, begin, describe, diverging, fetch, fetched, granted, remove_voter, vote,
};
use disk::Disk;
use judge::Judge;

/// How a link between two nodes is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Connections break and cannot be dialled.
    Broken,
    /// Messages vanish without a sign.
    Silent,
}

#[derive(Debug)]
enum Event {
    Request {
        from: NodeId,
        to: NodeId,
        line: u64,
        version: i16,
        bytes: Bytes,
        api: ApiKey,
    },
    Response {
        from: NodeId,
        to: NodeId,
        line: u64,
        version: i16,
        bytes: Bytes,
        api: ApiKey,
    },
    Unreachable {
        node: NodeId,
        peer: NodeId,
        life: u64,
    },
    Flushed {
        node: NodeId,
        life: u64,
        token: FlushToken,
    },
}

#[derive(Debug)]
struct Member {
    config: QuorumConfig,
    quorum: Option<Quorum>,
    disk: Disk,
    /// What the committed records add up to: the state machine is their list.
    machine: Vec<Bytes>,
    applied: Offset,
    /// Counts starts.
    life: u64,
}

/// Whom a reply token belongs to.
#[derive(Debug)]
struct Asker {
    from: NodeId,
    line: u64,
    version: i16,
    request: RequestKind,
}

/// The world.
#[derive(Debug)]
pub struct Rig {
    pub now: Instant,
    members: BTreeMap<NodeId, Member>,
    events: BTreeMap<(Instant, u64), Event>,
    sequence: u64,
    /// The number of the connection from one node to another; a new one when it breaks.
    lines: BTreeMap<(NodeId, NodeId), u64>,
    /// First in, first out: nothing arrives before what was sent before it.
    arrivals: BTreeMap<(NodeId, NodeId), Instant>,
    cuts: BTreeMap<(NodeId, NodeId), Link>,
    askers: BTreeMap<ReplyToken, Asker>,
    questions: BTreeSet<ReplyToken>,
    pub answers: BTreeMap<ReplyToken, ResponseKind>,
    /// Every request sent: when, by whom, to whom, what.
    pub sent: Vec<(Instant, NodeId, NodeId, ApiKey)>,
    tokens: u64,
    random: Random,
    judge: Judge,
    pub marks: BTreeSet<Rule>,
    pub facts: Vec<(Instant, NodeId, Fact)>,
    pub elected: Vec<(Instant, NodeId, QuorumEpoch)>,
    pub deposed: Vec<(NodeId, QuorumEpoch)>,
    pub disconnects: Vec<(NodeId, NodeId)>,
}

pub fn node(id: i32) -> NodeId {
    NodeId(id)
}

impl Rig {
    /// `voters` voters, numbered from 1, and `observers` observers, numbered from 101.
    pub fn new(voters: i32, observers: i32, seed: u64) -> Rig {
        Rig::with(voters, observers, seed, |_| {})
    }

    pub fn with(
        voters: i32,
        observers: i32,
        seed: u64,
        change: impl Fn(&mut QuorumConfig),
    ) -> Rig {
        let ids: Vec<NodeId> = (1..=voters).map(NodeId).collect();
        let all = ids.iter().copied().chain((101..101 + observers).map(NodeId));
        let mut rig = Rig {
            now: Instant::ZERO,
            members: BTreeMap::new(),
            events: BTreeMap::new(),
            sequence: 0,
            lines: BTreeMap::new(),
            arrivals: BTreeMap::new(),
            cuts: BTreeMap::new(),
            askers: BTreeMap::new(),
            questions: BTreeSet::new(),
            answers: BTreeMap::new(),
            sent: Vec::new(),
            tokens: 0,
            random: Random::new(seed, 0),
            judge: Judge::default(),
            marks: BTreeSet::new(),
            facts: Vec::new(),
            elected: Vec::new(),
            deposed: Vec::new(),
            disconnects: Vec::new(),
        };
        for id in all {
            let mut config = QuorumConfig::new(id, ids.clone());
            change(&mut config);
            rig.admit(config);
        }
        rig
    }

    fn admit(&mut self, config: QuorumConfig) {
        let (id, disk) = (config.node, Disk::default());
        let (machine, applied) = (Vec::new(), Offset(0));
        let member = Member { config, quorum: None, disk, machine, applied, life: 0 };
        self.members.insert(id, member);
        self.start(id);
    }

    /// Starts a node of which the settings of the others say nothing.
    pub fn join(&mut self, id: NodeId) {
        let first = self.members.values().next().expect("somebody is there");
        self.admit(QuorumConfig { node: id, ..first.config.clone() });
    }

    /// Changes the settings of a node for its next start.
    pub fn reconfigure(&mut self, id: NodeId, change: impl Fn(&mut QuorumConfig)) {
        change(&mut self.members.get_mut(&id).expect("known").config);
    }

    /// Asks a node something as a client; the answer is in [`Rig::answer`].
    pub fn ask(&mut self, id: NodeId, request: &RequestKind) -> ReplyToken {
        self.tokens += 1;
        let (now, token) = (self.now, ReplyToken(self.tokens));
        self.questions.insert(token);
        if let Some(quorum) = self.members.get_mut(&id).and_then(|m| m.quorum.as_mut()) {
            quorum.handle_request(now, token, request);
            self.drain(id);
        }
        token
    }

    /// Makes a snapshot of what a node has applied.
    pub fn snapshot(&mut self, id: NodeId) -> Option<SnapshotId> {
        let (now, member) = (self.now, self.members.get_mut(&id)?);
        let (applied, machine) = (member.applied, member.machine.clone());
        let made = member.quorum.as_mut()?.snapshot(now, applied, machine);
        self.drain(id);
        made
    }

    /// What a node's committed records add up to.
    pub fn machine(&self, id: NodeId) -> &[Bytes] {
        &self.members[&id].machine
    }

    /// Two logs with the same record of the same epoch are the same up to there.
    pub fn check_log_matching(&self) {
        let live: Vec<_> =
            self.members.values().filter_map(|m| m.quorum.as_ref()).collect();
        for (at, one) in live.iter().enumerate() {
            for other in &live[at + 1..] {
                judge::check_matching(one, other);
            }
        }
    }

    pub fn ids(&self) -> Vec<NodeId> {
        self.members.keys().copied().collect()
    }

    pub fn quorum(&self, id: NodeId) -> &Quorum {
        self.members[&id].quorum.as_ref().expect("the node is up")
    }

    pub fn is_up(&self, id: NodeId) -> bool {
        self.members[&id].quorum.is_some()
    }

    /// The live node that leads the highest epoch.
    pub fn leader(&self) -> Option<NodeId> {
        let live = self.members.values().filter_map(|member| member.quorum.as_ref());
        let leaders = live.filter(|quorum| quorum.is_leader());
        leaders.max_by_key(|quorum| quorum.epoch()).map(Quorum::node)
    }

    pub fn start(&mut self, id: NodeId) {
        let random = Random::new(self.random.next_u64(), id.0 as u64);
        let now = self.now;
        let member = self.members.get_mut(&id).expect("known");
        assert!(member.quorum.is_none(), "already up");
        member.life += 1;
        member.machine.clear();
        member.applied = Offset(0);
        let files = member.disk.files();
        let quorum = Quorum::recover(member.config.clone(), files, now, random);
        member.quorum = Some(quorum.expect("the disk keeps the state whole"));
        self.judge.started(id);
        self.drain(id);
    }

    /// Ends a node, and with it everything that it had not flushed.
    pub fn crash(&mut self, id: NodeId) {
        let member = self.members.get_mut(&id).expect("known");
        member.quorum = None;
        member.disk.lose_power();
        for peer in self.ids() {
            self.break_line(id, peer);
            self.break_line(peer, id);
        }
    }

    pub fn cut(&mut self, one: NodeId, other: NodeId, link: Link) {
        self.cuts.insert((one, other), link);
        self.cuts.insert((other, one), link);
        if link == Link::Broken {
            self.break_line(one, other);
            self.break_line(other, one);
        }
    }

    pub fn isolate(&mut self, id: NodeId, link: Link) {
        for peer in self.ids() {
            if peer != id {
                self.cut(id, peer, link);
            }
        }
    }

    pub fn heal(&mut self) {
        self.cuts.clear();
    }

    pub fn append(&mut self, id: NodeId, value: &'static str) -> Option<Offset> {
        let now = self.now;
        let quorum = self.members.get_mut(&id)?.quorum.as_mut()?;
        let info = quorum.append(now, &[Bytes::from_static(value.as_bytes())]).ok()?;
        self.drain(id);
        Some(info.base)
    }

    pub fn resign(&mut self, id: NodeId) {
        let now = self.now;
        if let Some(quorum) = self.members.get_mut(&id).and_then(|m| m.quorum.as_mut()) {
            quorum.resign(now);
        }
        self.drain(id);
    }

    /// Runs until `done`, at most for `limit_ms`. Panics if that is not enough.
    pub fn run_until(&mut self, limit_ms: u64, done: impl Fn(&Rig) -> bool) {
        let limit = self.now + Duration::from_millis(limit_ms);
        while !done(self) {
            assert!(self.step(limit), "not within {limit_ms} ms");
        }
    }

    pub fn run_for(&mut self, span_ms: u64) {
        let limit = self.now + Duration::from_millis(span_ms);
        while self.step(limit) {}
        self.now = limit;
    }

    /// Does the next thing that happens up to `limit`, if there is one.
    fn step(&mut self, limit: Instant) -> bool {
        let event = self.events.keys().next().copied();
        let live = self.members.iter();
        let deadlines =
            live.filter_map(|(id, m)| Some((m.quorum.as_ref()?.deadline()?, *id)));
        let deadline = deadlines.min();
        let event_first = match (event, deadline) {
            (None, None) => return false,
            (Some((at, _)), Some((deadline, _))) => at <= deadline,
            (event, _) => event.is_some(),
        };
        if event_first {
            let (at, sequence) = event.expect("checked");
            if at > limit {
                return false;
            }
            self.now = self.now.max(at);
            let event = self.events.remove(&(at, sequence)).expect("just seen");
            self.happen(event);
        } else {
            let (at, id) = deadline.expect("checked");
            if at > limit {
                return false;
            }
            self.now = self.now.max(at);
            let now = self.now;
            let member = self.members.get_mut(&id).expect("known");
            let quorum = member.quorum.as_mut().expect("it has a deadline");
            quorum.tick(now);
            assert!(
                quorum.deadline().is_none_or(|next| next > now),
                "a tick at the deadline moves the deadline"
            );
            self.drain(id);
        }
        true
    }

    fn happen(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Request { from, to, line, version, mut bytes, api } => {
                if !self.arrives(from, to, from, to, line) {
                    return;
                }
                let request =
                    RequestKind::decode(api, &mut bytes, version).expect("decodes");
                self.tokens += 1;
                let token = ReplyToken(self.tokens);
                let quorum = self.members.get_mut(&to).and_then(|m| m.quorum.as_mut());
                let Some(quorum) = quorum else { return };
                quorum.handle_request(now, token, &request);
                self.askers.insert(token, Asker { from, line, version, request });
                self.drain(to);
            }
            Event::Response { from, to, line, version, mut bytes, api } => {
                if !self.arrives(from, to, to, from, line) {
                    return;
                }
                let response =
                    ResponseKind::decode(api, &mut bytes, version).expect("decodes");
                let quorum = self.members.get_mut(&to).and_then(|m| m.quorum.as_mut());
                let Some(quorum) = quorum else { return };
                quorum.handle_response(now, from, &response);
                self.drain(to);
            }
            Event::Unreachable { node, peer, life } => {
                let Some(quorum) = self.living(node, life) else { return };
                quorum.handle_unreachable(now, peer);
                self.drain(node);
            }
            Event::Flushed { node, life, token } => {
                if self.living(node, life).is_none() {
                    return;
                }
                let member = self.members.get_mut(&node).expect("known");
                member.disk.complete(token);
                let quorum = member.quorum.as_mut().expect("living");
                quorum.handle_flushed(now, token);
                self.drain(node);
            }
        }
    }

    fn living(&mut self, id: NodeId, life: u64) -> Option<&mut Quorum> {
        let member = self.members.get_mut(&id)?;
        (member.life == life).then_some(())?;
        member.quorum.as_mut()
    }

    /// Whether a message from one node to another gets through: not if its connection,
    /// dialled by `dialler`, is not the current one.
    fn arrives(
        &self,
        from: NodeId,
        to: NodeId,
        dialler: NodeId,
        acceptor: NodeId,
        line: u64,
    ) -> bool {
        !self.cuts.contains_key(&(from, to)) && self.line(dialler, acceptor) == line
    }

    fn line(&self, dialler: NodeId, acceptor: NodeId) -> u64 {
        self.lines.get(&(dialler, acceptor)).copied().unwrap_or(0)
    }

    fn break_line(&mut self, dialler: NodeId, acceptor: NodeId) {
        *self.lines.entry((dialler, acceptor)).or_default() += 1;
        self.unreachable(dialler, acceptor);
    }

    fn unreachable(&mut self, node: NodeId, peer: NodeId) {
        let life = self.members[&node].life;
        let at = self.now + Duration::from_millis(1);
        self.schedule(at, Event::Unreachable { node, peer, life });
    }

    fn schedule(&mut self, at: Instant, event: Event) {
        self.sequence += 1;
        self.events.insert((at, self.sequence), event);
    }

    /// One to three milliseconds, in order per pair of nodes.
    fn arrival(&mut self, from: NodeId, to: NodeId) -> Instant {
        let delay = Duration::from_micros(1_000 + self.random.below(2_000));
        let last = self.arrivals.get(&(from, to)).copied().unwrap_or_default();
        let at = last.max(self.now + delay);
        self.arrivals.insert((from, to), at);
        at
    }

    fn drain(&mut self, id: NodeId) {
        while let Some(output) = self.poll(id) {
            self.carry_out(id, output);
        }
        let member = &self.members[&id];
        if let Some(quorum) = &member.quorum {
            self.judge.look(quorum, member.disk.files());
        }
    }

    fn poll(&mut self, id: NodeId) -> Option<QuorumOutput> {
        self.members.get_mut(&id)?.quorum.as_mut()?.poll()
    }

    fn carry_out(&mut self, id: NodeId, output: QuorumOutput) {
        match output {
            QuorumOutput::Send { to, version, request } => {
                self.dispatch(id, to, version, &request);
            }
            QuorumOutput::Reply { token, response } => self.respond(id, token, &response),
            QuorumOutput::Disconnect { from } => {
                self.disconnects.push((id, from));
                *self.lines.entry((id, from)).or_default() += 1;
            }
            QuorumOutput::Disk(op) => {
                let member = self.members.get_mut(&id).expect("known");
                let life = member.life;
                if let Some(token) = member.disk.apply(op) {
                    let delay = Duration::from_micros(100 + self.random.below(4_000));
                    let event = Event::Flushed { node: id, life, token };
                    self.schedule(self.now + delay, event);
                }
            }
            QuorumOutput::Mark(rule) => {
                self.marks.insert(rule);
            }
            QuorumOutput::Fact(fact) => {
                let quorum = self.members[&id].quorum.as_ref().expect("it spoke");
                self.judge.hear(quorum, &fact);
                self.facts.push((self.now, id, fact));
            }
            QuorumOutput::Committed { up_to } => {
                let disks = self.members.iter().map(|(id, m)| (*id, m.disk.durable()));
                let disks = disks.collect::<BTreeMap<_, _>>();
                let quorum = self.members[&id].quorum.as_ref().expect("it spoke");
                self.judge.committed(quorum, up_to, &disks);
                self.apply(id, up_to);
            }
            QuorumOutput::SnapshotLoaded { snapshot } => self.load(id, snapshot),
            QuorumOutput::Elected { epoch } => self.elected.push((self.now, id, epoch)),
            QuorumOutput::Deposed { epoch } => self.deposed.push((id, epoch)),
            QuorumOutput::Fatal { reason } => panic!("node {id}: {reason}"),
        }
    }

    fn apply(&mut self, id: NodeId, up_to: Offset) {
        let member = self.members.get_mut(&id).expect("known");
        let quorum = member.quorum.as_ref().expect("it spoke");
        let fresh = quorum.read_committed(member.applied);
        let fresh = fresh.filter(|(offset, _)| *offset < up_to);
        member.machine.extend(fresh.map(|(_, value)| value));
        member.applied = member.applied.max(up_to);
        self.judge.applied(id, &member.machine);
    }

    fn load(&mut self, id: NodeId, snapshot: SnapshotId) {
        let member = self.members.get_mut(&id).expect("known");
        let quorum = member.quorum.as_ref().expect("it spoke");
        let (latest, records) = quorum.snapshot_records().expect("it has one");
        assert_eq!(latest, snapshot);
        member.machine = records;
        member.applied = snapshot.end;
        self.judge.applied(id, &member.machine);
    }

    fn dispatch(
        &mut self,
        from: NodeId,
        to: NodeId,
        version: i16,
        request: &RequestKind,
    ) {
        let mut bytes = BytesMut::new();
        request.encode(&mut bytes, version).expect("encodes in its version");
        self.sent.push((self.now, from, to, api_of(request)));
        match self.cuts.get(&(from, to)) {
            Some(Link::Silent) => return,
            Some(Link::Broken) => return self.unreachable(from, to),
            None if !self.is_up(to) => return self.unreachable(from, to),
            None => {}
        }
        let (line, at) = (self.line(from, to), self.arrival(from, to));
        let (bytes, api) = (bytes.freeze(), api_of(request));
        self.schedule(at, Event::Request { from, to, line, version, bytes, api });
    }

    fn respond(&mut self, from: NodeId, token: ReplyToken, response: &ResponseKind) {
        if self.questions.remove(&token) {
            self.answers.insert(token, response.clone());
            return;
        }
        let asker = self.askers.remove(&token).expect("one reply per request");
        self.judge.replied(from, &asker.request, response);
        let mut bytes = BytesMut::new();
        response.encode(&mut bytes, asker.version).expect("encodes in its version");
        let (to, line, version) = (asker.from, asker.line, asker.version);
        let at = self.arrival(from, to);
        let (bytes, api) = (bytes.freeze(), api_of(&asker.request));
        self.schedule(at, Event::Response { from, to, line, version, bytes, api });
    }
}

pub fn api_of(request: &RequestKind) -> ApiKey {
    match request {
        RequestKind::Vote(_) => ApiKey::Vote,
        RequestKind::BeginQuorumEpoch(_) => ApiKey::BeginQuorumEpoch,
        RequestKind::EndQuorumEpoch(_) => ApiKey::EndQuorumEpoch,
        RequestKind::Fetch(_) => ApiKey::Fetch,
        RequestKind::FetchSnapshot(_) => ApiKey::FetchSnapshot,
        RequestKind::UpdateRaftVoter(_) => ApiKey::UpdateRaftVoter,
        other => panic!("the quorum does not send {other:?}"),
    }
}
