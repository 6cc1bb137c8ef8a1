//! A small world for tests: nodes joined by in-memory connections with latency, a disk each,
//! and a clock that jumps from event to event.
//!
//! After every event it checks what must always hold: a node that ticked has nothing left
//! that was due, and no leader's high watermark is ahead of a live member of its ISR (R10).

use std::collections::{BTreeMap, BTreeSet};

use topomotion_log::{BatchBuilder, RecordRef};
use topomotion_wire::messages::{FetchRequest, FetchResponse, RequestKind, ResponseKind};
use topomotion_wire::{
    Bytes, ConnectionId, CorrelationId, DiskOp, Duration, Endpoint, Fact, Files,
    Incarnation, Input, Instant, Machine, Message, NodeId, Output, Random, ReplicaRole,
    Request, Response, Rule, TopicPartition,
};
use uuid::Uuid;

use crate::{BrokerSettings, Node, NodeConfig, ReplicaSelector, ReplicaView, Roles};

const LATENCY: Duration = Duration::from_micros(500);
const FLUSH: Duration = Duration::from_micros(100);

/// One end of a connection: whose, and under which number.
type End = (i32, ConnectionId);

#[derive(Debug)]
enum Event {
    Input(i32, u32, Input),
    Client(ConnectionId, Box<Response>),
    ClientClosed(ConnectionId),
}

/// The clients' own number in the world of nodes.
const CLIENTS: i32 = -1;

/// What one client has on one connection.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    pub(crate) responses: Vec<ResponseKind>,
    pub(crate) closed: bool,
}

/// Whether anybody lies: nothing is promised of replicas then, but that no node falls over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Honesty {
    Everyone,
    NotEveryone,
}

pub(crate) struct Rig {
    pub(crate) now: Instant,
    pub(crate) facts: Vec<(Instant, i32, Fact)>,
    pub(crate) marks: BTreeSet<Rule>,
    /// Requests that nodes sent one another: when, from, to, what.
    pub(crate) sent: Vec<(Instant, i32, i32, RequestKind)>,
    pub(crate) settings: BrokerSettings,
    configs: BTreeMap<i32, (Roles, Vec<i32>)>,
    racks: BTreeMap<i32, &'static str>,
    nodes: BTreeMap<i32, Node>,
    /// Counts the lives of each node; an event for an earlier life is dropped.
    lives: BTreeMap<i32, u32>,
    disks: BTreeMap<i32, Files>,
    events: BTreeMap<(Instant, u64), Event>,
    next_event: u64,
    next_connection: u64,
    other_end: BTreeMap<End, End>,
    cut: BTreeSet<(i32, i32)>,
    inboxes: BTreeMap<ConnectionId, Inbox>,
    pub(crate) honesty: Honesty,
    /// A dead node that still accepts connections.
    impostor: Option<i32>,
    last_request: BTreeMap<(i32, i32), (ConnectionId, CorrelationId)>,
}

impl Rig {
    /// Brokers 1 to `brokers` and controllers 101 to `100 + controllers`, all just started.
    pub(crate) fn new(brokers: i32, controllers: i32) -> Rig {
        Rig::empty().with_nodes(brokers, controllers)
    }

    /// Brokers in racks and one controller; consumers are sent to their own rack.
    pub(crate) fn racked(brokers: i32, racks: &[(i32, &'static str)]) -> Rig {
        let mut rig = Rig::empty();
        rig.racks = racks.iter().copied().collect();
        rig.settings.replica_selector = ReplicaSelector::RackAware;
        rig.with_nodes(brokers, 1)
    }

    /// Brokers and controllers with settings of their own.
    pub(crate) fn with_settings(
        brokers: i32,
        controllers: i32,
        settings: BrokerSettings,
    ) -> Rig {
        let mut rig = Rig::empty();
        rig.settings = settings;
        rig.with_nodes(brokers, controllers)
    }

    fn with_nodes(self, brokers: i32, controllers: i32) -> Rig {
        let mut rig = self;
        let voters: Vec<i32> = (101..=100 + controllers).collect();
        for &id in &voters {
            rig.configs.insert(id, (Roles::Controller, voters.clone()));
        }
        for id in 1..=brokers {
            rig.configs.insert(id, (Roles::Broker, voters.clone()));
        }
        let all: Vec<i32> = rig.configs.keys().copied().collect();
        all.into_iter().for_each(|id| rig.start(id));
        rig
    }

    /// Combined nodes 1 to `nodes`.
    pub(crate) fn combined(nodes: i32) -> Rig {
        let mut rig = Rig::empty();
        let voters: Vec<i32> = (1..=nodes).collect();
        for &id in &voters {
            rig.configs.insert(id, (Roles::Combined, voters.clone()));
        }
        voters.into_iter().for_each(|id| rig.start(id));
        rig
    }

    fn empty() -> Rig {
        Rig {
            now: Instant::ZERO,
            facts: Vec::new(),
            marks: BTreeSet::new(),
            sent: Vec::new(),
            settings: BrokerSettings::default(),
            configs: BTreeMap::new(),
            racks: BTreeMap::new(),
            nodes: BTreeMap::new(),
            lives: BTreeMap::new(),
            disks: BTreeMap::new(),
            events: BTreeMap::new(),
            next_event: 0,
            next_connection: 0,
            other_end: BTreeMap::new(),
            cut: BTreeSet::new(),
            inboxes: BTreeMap::new(),
            honesty: Honesty::Everyone,
            impostor: None,
            last_request: BTreeMap::new(),
        }
    }

    /// Starts a node on whatever its disk holds.
    pub(crate) fn start(&mut self, id: i32) {
        let life = self.lives.entry(id).or_default();
        *life += 1;
        let incarnation = Uuid::from_u128(((id as u128) << 32) | u128::from(*life));
        let random = Random::new(7, (id as u64) << 8 | u64::from(*life));
        let (roles, voters) = self.configs[&id].clone();
        let config = NodeConfig {
            id: NodeId(id),
            roles,
            endpoint: endpoint(id),
            voters: voters.into_iter().map(|id| (NodeId(id), endpoint(id))).collect(),
            incarnation: Incarnation(incarnation),
            rack: self.racks.get(&id).map(|&rack| rack.into()),
            settings: self.settings.clone(),
            wall_clock_base_ms: 0,
        };
        let files = self.disks.entry(id).or_default().clone();
        self.nodes.insert(id, Node::start(config, files, self.now, random));
        self.drain(id);
    }

    /// Asks a node to stop as it should.
    pub(crate) fn begin_shutdown(&mut self, id: i32) {
        let now = self.now;
        self.nodes.get_mut(&id).expect("it lives").begin_shutdown(now);
        self.drain(id);
    }

    /// Takes a dead node's files away whose names begin so.
    pub(crate) fn wipe(&mut self, id: i32, prefix: &str) {
        let disk = self.disks.entry(id).or_default();
        disk.retain(|name, _| !name.starts_with(prefix));
    }

    /// The names of the files on a node's disk.
    /// Puts bytes into a file of a dead node that mean nothing.
    pub(crate) fn garble(&mut self, id: i32, file: &str) {
        let files = self.disks.get_mut(&id).expect("it has lived");
        let there = files.insert(file.into(), Bytes::from_static(b"\xff\xfe"));
        assert!(there.is_some(), "{file} is there");
    }

    pub(crate) fn files(&self, id: i32) -> impl Iterator<Item = &str> {
        self.disks.get(&id).into_iter().flat_map(|files| files.keys().map(|name| &**name))
    }

    /// How long one of a node's files is; 0 if there is none.
    pub(crate) fn bytes_of(&self, id: i32, file: &str) -> usize {
        let file = self.disks.get(&id).and_then(|files| files.get(file));
        file.map_or(0, Bytes::len)
    }

    /// Kills a node; its disk keeps everything written.
    pub(crate) fn crash(&mut self, id: i32) {
        self.nodes.remove(&id).expect("only what lives can be killed");
        self.break_where(|a, b| a == id || b == id);
    }

    /// Breaks the connections between two nodes and refuses new ones.
    pub(crate) fn cut(&mut self, a: i32, b: i32) {
        self.cut.insert((a.min(b), a.max(b)));
        self.break_where(|x, y| (x, y) == (a, b) || (x, y) == (b, a));
    }

    pub(crate) fn heal(&mut self) {
        self.cut.clear();
    }

    fn break_where(&mut self, hit: impl Fn(i32, i32) -> bool) {
        let ends: Vec<End> = self
            .other_end
            .iter()
            .filter(|(here, there)| hit(here.0, there.0))
            .map(|(here, _)| *here)
            .collect();
        for end in ends {
            self.other_end.remove(&end);
            self.close_at(end);
        }
    }

    fn close_at(&mut self, end: End) {
        let event = if end.0 == CLIENTS {
            Event::ClientClosed(end.1)
        } else {
            self.input(end.0, Input::Closed { connection: end.1 })
        };
        self.schedule(LATENCY, event);
    }

    fn input(&self, to: i32, input: Input) -> Event {
        Event::Input(to, self.lives.get(&to).copied().unwrap_or(0), input)
    }

    fn schedule(&mut self, after: Duration, event: Event) {
        self.events.insert((self.now + after, self.next_event), event);
        self.next_event += 1;
    }

    /// Opens a client's connection to a node.
    pub(crate) fn connect(&mut self, node: i32) -> ConnectionId {
        let number = self.next_connection;
        self.next_connection += 1;
        let (mine, theirs) =
            (ConnectionId::Dialled(number), ConnectionId::Accepted(number));
        self.join((CLIENTS, mine), (node, theirs));
        self.inboxes.insert(mine, Inbox::default());
        mine
    }

    fn join(&mut self, from: End, to: End) {
        self.other_end.insert(from, to);
        self.other_end.insert(to, from);
        let accepted = self.input(to.0, Input::Accepted { connection: to.1 });
        self.schedule(LATENCY, accepted);
    }

    /// Sends a client's request.
    pub(crate) fn ask(
        &mut self,
        connection: ConnectionId,
        version: i16,
        body: impl Into<RequestKind>,
    ) {
        let request = Request {
            correlation: CorrelationId(0),
            version,
            client: "client".into(),
            body: body.into(),
        };
        self.carry((CLIENTS, connection), Message::from(request));
    }

    /// Sends a client's request to a node on a connection of its own and runs until it is
    /// answered.
    pub(crate) fn call(
        &mut self,
        node: i32,
        version: i16,
        body: impl Into<RequestKind>,
    ) -> ResponseKind {
        let connection = self.connect(node);
        self.ask(connection, version, body);
        self.run_until("an answer", |rig| !rig.inbox(connection).responses.is_empty());
        self.inbox(connection).responses[0].clone()
    }

    pub(crate) fn inbox(&self, connection: ConnectionId) -> &Inbox {
        &self.inboxes[&connection]
    }

    pub(crate) fn node(&self, id: i32) -> &Node {
        &self.nodes[&id]
    }

    pub(crate) fn node_mut(&mut self, id: i32) -> &mut Node {
        self.nodes.get_mut(&id).expect("it lives")
    }

    pub(crate) fn nodes(&self) -> impl Iterator<Item = (i32, &Node)> {
        self.nodes.iter().map(|(&id, node)| (id, node))
    }

    pub(crate) fn replica(&self, id: i32, partition: &TopicPartition) -> ReplicaView {
        self.nodes[&id].replica(partition).expect("it holds the partition")
    }

    /// Hands a node an input that no rig would send by itself.
    pub(crate) fn inject(&mut self, id: i32, input: Input) {
        let now = self.now;
        if let Some(node) = self.nodes.get_mut(&id) {
            node.handle(now, input);
            self.drain(id);
        }
    }

    /// Answers, in the name of a dead `leader`, the next fetch that `follower` sends it.
    pub(crate) fn answer_fetch_of(
        &mut self,
        follower: i32,
        leader: i32,
        answer: impl FnOnce(&FetchRequest) -> FetchResponse,
    ) {
        self.impostor = Some(leader);
        let is_new = self.sent.len();
        let found = |rig: &Rig| {
            let sent = rig.sent[is_new..].iter();
            let fetch =
                |(_, from, to, body): &(Instant, i32, i32, RequestKind)| match body {
                    RequestKind::Fetch(fetch) if (*from, *to) == (follower, leader) => {
                        Some(fetch.clone())
                    }
                    _ => None,
                };
            sent.filter_map(fetch).next()
        };
        let limit = self.now + Duration::from_millis(5_000);
        while found(self).is_none() && self.step(limit) {}
        self.impostor = None;
        if let Some(fetch) = found(self) {
            let body = ResponseKind::Fetch(answer(&fetch));
            self.inject_answer(follower, leader, body);
        }
        self.break_where(|a, b| {
            (a, b) == (follower, leader) || (a, b) == (leader, follower)
        });
    }

    fn inject_answer(&mut self, to: i32, from: i32, body: ResponseKind) {
        let Some((connection, correlation)) = self.last_request.get(&(to, from)).copied()
        else {
            return;
        };
        let response = Response { correlation, version: 17, body };
        let message = Message::from(response);
        self.inject(to, Input::Received { connection, message });
    }

    /// Runs until nothing is left to happen before `until`.
    pub(crate) fn run_to(&mut self, until: Instant) {
        while self.step(until) {}
        self.now = until;
    }

    pub(crate) fn run_for(&mut self, ms: u64) {
        self.run_to(self.now + Duration::from_millis(ms));
    }

    /// Runs until `done`, at most for two minutes.
    pub(crate) fn run_until(&mut self, what: &str, done: impl Fn(&Rig) -> bool) {
        let limit = self.now + Duration::from_millis(120_000);
        while !done(self) {
            assert!(self.step(limit), "still waiting for {what} at {}", self.now);
        }
    }

    /// Lets the next thing happen, if it is due by `until`.
    fn step(&mut self, until: Instant) -> bool {
        let event = self.events.keys().next().map(|(at, _)| *at);
        let tick =
            self.nodes.iter().filter_map(|(&id, n)| Some((n.deadline()?, id))).min();
        match (event, tick) {
            (Some(at), tick) if at <= until && tick.is_none_or(|(due, _)| at <= due) => {
                self.now = self.now.max(at);
                let (_, event) = self.events.pop_first().expect("just seen");
                self.happen(event);
            }
            (_, Some((due, id))) if due <= until => {
                self.now = self.now.max(due);
                self.tick(id);
            }
            _ => return false,
        }
        if self.honesty == Honesty::Everyone {
            self.check();
        }
        true
    }

    fn tick(&mut self, id: i32) {
        let now = self.now;
        let Some(node) = self.nodes.get_mut(&id) else { return };
        node.tick(now);
        let next = node.deadline();
        assert!(next.is_none_or(|next| next > now), "{id} is busy at {now}: {next:?}");
        self.drain(id);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Input(to, life, input) => {
                if self.lives.get(&to) == Some(&life) {
                    self.inject(to, input);
                }
            }
            Event::Client(connection, response) => {
                self.inboxes.entry(connection).or_default().responses.push(response.body);
            }
            Event::ClientClosed(connection) => {
                self.inboxes.entry(connection).or_default().closed = true;
            }
        }
    }

    fn drain(&mut self, id: i32) {
        while let Some(output) = self.nodes.get_mut(&id).and_then(Machine::poll) {
            self.carry_out(id, output);
        }
    }

    fn carry_out(&mut self, id: i32, output: Output) {
        match output {
            Output::Open { connection, to } => self.dial(id, connection, &to),
            Output::Send { connection, message } => self.carry((id, connection), message),
            Output::Close { connection } => {
                if let Some(other) = self.other_end.remove(&(id, connection)) {
                    self.other_end.remove(&other);
                    self.close_at(other);
                }
            }
            Output::Disk(op) => self.write(id, op),
            Output::Mark { rule, .. } => _ = self.marks.insert(rule),
            Output::Fact(fact) => self.facts.push((self.now, id, fact)),
        }
    }

    fn dial(&mut self, from: i32, connection: ConnectionId, to: &Endpoint) {
        let target = self.configs.keys().copied().find(|&id| endpoint(id) == *to);
        let answers =
            |id: &i32| self.nodes.contains_key(id) || self.impostor == Some(*id);
        let target = target.filter(answers);
        let is_cut = |id: i32| self.cut.contains(&(from.min(id), from.max(id)));
        let Some(target) = target.filter(|&id| !is_cut(id)) else {
            return self.close_at((from, connection));
        };
        let number = self.next_connection;
        self.next_connection += 1;
        self.join((from, connection), (target, ConnectionId::Accepted(number)));
        let opened = self.input(from, Input::Opened { connection });
        self.schedule(LATENCY, opened);
    }

    fn carry(&mut self, from: End, message: Message) {
        if from.0 != CLIENTS {
            check_encoding(&message);
        }
        let Some(&(to, connection)) = self.other_end.get(&from) else { return };
        if let Message::Request(request) = &message {
            self.sent.push((self.now, from.0, to, request.body.clone()));
            self.last_request.insert((from.0, to), (from.1, request.correlation));
        }
        let event = match message {
            Message::Response(response) if to == CLIENTS => {
                Event::Client(connection, response)
            }
            message => self.input(to, Input::Received { connection, message }),
        };
        self.schedule(LATENCY, event);
    }

    fn write(&mut self, id: i32, op: DiskOp) {
        let disk = self.disks.entry(id).or_default();
        match op {
            DiskOp::Append { file, bytes } => {
                let old = disk.remove(&file).unwrap_or_default();
                disk.insert(file, Bytes::from([&old[..], &bytes[..]].concat()));
            }
            DiskOp::Truncate { file, len } => {
                if let Some(bytes) = disk.get_mut(&file) {
                    bytes.truncate(len as usize);
                }
            }
            DiskOp::Replace { file, bytes } => _ = disk.insert(file, bytes),
            DiskOp::Delete { file } => _ = disk.remove(&file),
            DiskOp::Flush { token, .. } => {
                let flushed = self.input(id, Input::Flushed { token });
                self.schedule(FLUSH, flushed);
            }
        }
    }

    /// R10, against the actual logs.
    fn check(&self) {
        for (id, node) in &self.nodes {
            for view in node.replicas() {
                if view.role != ReplicaRole::Leader {
                    continue;
                }
                for member in &view.isr {
                    let member = self.nodes.get(&member.0);
                    let other = member.and_then(|node| node.replica(&view.partition));
                    let same =
                        other.filter(|other| other.leader_epoch == view.leader_epoch);
                    let end = same.map_or(view.log_end, |other| other.log_end);
                    assert!(
                        view.high_watermark <= end,
                        "R10: {id} has high watermark {} of {}, a member ends at {end}",
                        view.high_watermark,
                        view.partition
                    );
                }
            }
        }
    }
}

/// Whatever travels must exist in its version on the wire.
fn check_encoding(message: &Message) {
    let mut bytes = bytes::BytesMut::new();
    let (version, encoded) = match message {
        Message::HttpRequest(_)
        | Message::HttpResponse(_)
        | Message::Database(_)
        | Message::Zookeeper(_) => return,
        Message::Request(it) => (it.version, it.body.encode(&mut bytes, it.version)),
        Message::Response(it) => (it.version, it.body.encode(&mut bytes, it.version)),
    };
    encoded.unwrap_or_else(|error| panic!("{error} in version {version}: {message:?}"));
}

fn endpoint(id: i32) -> Endpoint {
    super::endpoint(id)
}

/// A batch with one record for each value.
pub(crate) fn batch(values: &[&str]) -> Bytes {
    let mut builder = BatchBuilder::new();
    for value in values {
        builder
            .push(&RecordRef { value: Some(value.as_bytes()), ..RecordRef::default() });
    }
    builder.build().into_bytes()
}
