//! Clients against real brokers: a cluster of the engine's own nodes on in-memory
//! connections, with a clock that jumps from event to event.

#![allow(dead_code, reason = "each test binary uses its own part of the world")]
#![allow(clippy::field_reassign_with_default)]

use std::collections::BTreeMap;

use topomotion_broker::{BrokerSettings, BrokerStatus, Node, NodeConfig, Roles};
use topomotion_client::{
    Admin, CommonConfig, Consumer, ConsumerConfig, GroupConfig, NewTopic, OffsetReset,
    Producer, ProducerConfig, ProducerRecord, TopicPlacement,
};
use topomotion_wire::messages::create_partitions_request::CreatePartitionsTopic;
use topomotion_wire::messages::{CreatePartitionsRequest, RequestKind, TopicName};
use topomotion_wire::{
    Bytes, ClientDeed, ConnectionId, DiskOp, Duration, Endpoint, Fact, Files,
    Incarnation, Input, Instant, Machine, MemberView, Message, NodeId, Output, Random,
    Rule, StrBytes, TopicPartition,
};
use uuid::Uuid;

const LATENCY: Duration = Duration::from_millis(1);

/// Whoever takes part.
pub enum Party {
    Node(Box<Node>),
    Consumer(Box<Consumer>),
    Producer(Box<Producer>),
    Admin(Box<Admin>),
}

impl Party {
    fn machine(&mut self) -> &mut dyn Machine {
        match self {
            Party::Node(it) => &mut **it,
            Party::Consumer(it) => &mut **it,
            Party::Producer(it) => &mut **it,
            Party::Admin(it) => &mut **it,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self {
            Party::Node(it) => it.deadline(),
            Party::Consumer(it) => it.deadline(),
            Party::Producer(it) => it.deadline(),
            Party::Admin(it) => it.deadline(),
        }
    }
}

/// One end of a connection.
type End = (String, ConnectionId);

/// Brokers `1` to `n`, all of them controllers too, and clients by name.
pub struct World {
    pub now: Instant,
    pub facts: Vec<(Instant, String, Fact)>,
    pub marks: Vec<(String, Rule)>,
    /// Who sent which request: the name of its kind.
    pub requests: Vec<(Instant, String, String)>,
    parties: BTreeMap<String, Party>,
    lives: BTreeMap<String, u32>,
    disks: BTreeMap<String, Files>,
    events: BTreeMap<(Instant, u64), (String, u32, Input)>,
    other_end: BTreeMap<End, End>,
    numbers: u64,
    brokers: i32,
    settings: BrokerSettings,
}

impl World {
    /// A cluster that serves, with the topic `orders`.
    pub fn new(brokers: i32, partitions: i32) -> World {
        let mut world = World {
            now: Instant::ZERO,
            facts: Vec::new(),
            marks: Vec::new(),
            requests: Vec::new(),
            parties: BTreeMap::new(),
            lives: BTreeMap::new(),
            disks: BTreeMap::new(),
            events: BTreeMap::new(),
            other_end: BTreeMap::new(),
            numbers: 0,
            brokers,
            settings: BrokerSettings::default(),
        };
        let replication = i16::try_from(brokers).expect("few brokers");
        world.settings.offsets_topic_replication_factor = replication.min(3);
        world.settings.offsets_topic_num_partitions = 3;
        (1..=brokers).for_each(|id| world.start_node(id));
        world.run_until("brokers that serve", |world| {
            (1..=brokers).all(|id| {
                let status = world.node(id).broker_status();
                matches!(status, BrokerStatus::Running(_))
            })
        });
        let admin = Admin::new(world.common("admin"));
        world.enter("admin", Party::Admin(Box::new(admin)));
        world.create_topic("orders", partitions);
        world
    }

    pub fn create_topic(&mut self, name: &str, partitions: i32) {
        let replication = i16::try_from(self.brokers).expect("few brokers");
        let topic = NewTopic {
            name: name.into(),
            placement: TopicPlacement::Automatic {
                partitions: Some(partitions),
                replication_factor: Some(replication),
            },
            configs: BTreeMap::new(),
        };
        self.command("admin", |party, now| {
            let Party::Admin(admin) = party else { unreachable!("it is one") };
            admin.create_topic(now, topic);
        });
        self.run_for(2_000);
    }

    pub fn add_partitions(&mut self, name: &str, count: i32) {
        let mut topic = CreatePartitionsTopic::default();
        topic.name = TopicName(StrBytes::from_string(name.to_owned()));
        (topic.count, topic.assignments) = (count, None);
        let mut request = CreatePartitionsRequest::default();
        (request.topics, request.timeout_ms) = (vec![topic], 30_000);
        self.command("admin", |party, now| {
            let Party::Admin(admin) = party else { unreachable!("it is one") };
            admin.ask(now, RequestKind::CreatePartitions(request));
        });
    }

    pub fn start_node(&mut self, id: i32) {
        let name = id.to_string();
        let life = self.lives.get(&name).copied().unwrap_or(0) + 1;
        let voters = (1..=self.brokers).map(|id| (NodeId(id), endpoint(id)));
        let config = NodeConfig {
            id: NodeId(id),
            roles: Roles::Combined,
            endpoint: endpoint(id),
            voters: voters.collect(),
            incarnation: Incarnation(Uuid::from_u128(
                u128::from(life) << 32 | u128::try_from(id).expect("it is positive"),
            )),
            rack: None,
            settings: self.settings.clone(),
            wall_clock_base_ms: 0,
        };
        let files = self.disks.get(&name).cloned().unwrap_or_default();
        let stream = u64::try_from(id).expect("it is positive") << 8 | u64::from(life);
        let node = Node::start(config, files, self.now, Random::new(7, stream));
        self.enter(&name, Party::Node(Box::new(node)));
    }

    pub fn common(&self, name: &str) -> CommonConfig {
        CommonConfig::new(name, (1..=self.brokers).map(endpoint).collect())
    }

    pub fn enter(&mut self, name: &str, party: Party) {
        *self.lives.entry(name.to_owned()).or_default() += 1;
        self.parties.insert(name.to_owned(), party);
        self.drain(name);
    }

    /// A consumer of the group `readers` that subscribes to `orders` from the beginning.
    pub fn join(&mut self, name: &str, change: impl FnOnce(&mut GroupConfig)) {
        self.join_as(name, |config| change(config.group.as_mut().expect("there is one")));
    }

    /// The same with any settings.
    pub fn join_as(&mut self, name: &str, change: impl FnOnce(&mut ConsumerConfig)) {
        let mut config = ConsumerConfig {
            offset_reset: OffsetReset::Earliest,
            group: Some(GroupConfig::new("readers")),
            ..ConsumerConfig::new(self.common(name))
        };
        change(&mut config);
        let consumer = Consumer::new(config);
        self.enter(name, Party::Consumer(Box::new(consumer)));
        self.with(name, |consumer, now| consumer.subscribe(now, ["orders"]));
    }

    /// A consumer that commits to the group `readers` without being a member.
    pub fn enter_unsubscribed(&mut self, name: &str) {
        let config = ConsumerConfig {
            offset_reset: OffsetReset::Earliest,
            group: Some(GroupConfig::new("readers")),
            ..ConsumerConfig::new(self.common(name))
        };
        self.enter(name, Party::Consumer(Box::new(Consumer::new(config))));
    }

    /// Sends so many records to a partition of `orders`.
    pub fn produce(&mut self, partition: i32, count: usize) {
        if !self.parties.contains_key("shop") {
            let config = ProducerConfig::new(self.common("shop"));
            let producer = Producer::new(config, Random::new(3, 3));
            self.enter("shop", Party::Producer(Box::new(producer)));
        }
        self.command("shop", |party, now| {
            let Party::Producer(producer) = party else { unreachable!("it is one") };
            for _ in 0..count {
                producer.send(
                    now,
                    ProducerRecord {
                        topic: "orders".into(),
                        partition: Some(partition),
                        key: None,
                        value: Some(Bytes::from_static(b"v")),
                        headers: Vec::new(),
                        acks: None,
                    },
                );
            }
        });
    }

    fn command(&mut self, name: &str, what: impl FnOnce(&mut Party, Instant)) {
        let now = self.now;
        what(self.parties.get_mut(name).expect("it takes part"), now);
        self.drain(name);
    }

    /// The application of a consumer does something.
    pub fn with(&mut self, name: &str, what: impl FnOnce(&mut Consumer, Instant)) {
        self.command(name, |party, now| {
            let Party::Consumer(consumer) = party else { panic!("it is no consumer") };
            what(consumer, now);
        });
    }

    pub fn consumer(&self, name: &str) -> &Consumer {
        match &self.parties[name] {
            Party::Consumer(consumer) => consumer,
            _ => panic!("it is no consumer"),
        }
    }

    pub fn node(&self, id: i32) -> &Node {
        match &self.parties[&id.to_string()] {
            Party::Node(node) => node,
            _ => panic!("it is no node"),
        }
    }

    /// Ends a process at once; a node's disk keeps what was written.
    pub fn crash(&mut self, name: &str) {
        self.parties.remove(name).expect("it lives");
        let ends: Vec<(End, End)> = self.other_end.clone().into_iter().collect();
        for (here, there) in ends {
            if here.0 == name {
                self.other_end.remove(&here);
                self.other_end.remove(&there);
                self.schedule(&there.0, Input::Closed { connection: there.1 });
            }
        }
    }

    pub fn run_for(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while self.step(until) {}
        self.now = until;
    }

    /// Runs until `done`, at most for ten minutes.
    pub fn run_until(&mut self, what: &str, done: impl Fn(&World) -> bool) {
        let limit = self.now + Duration::from_millis(600_000);
        while !done(self) {
            assert!(self.step(limit), "still waiting for {what} at {}", self.now);
        }
    }

    fn step(&mut self, until: Instant) -> bool {
        let event = self.events.keys().next().map(|(at, _)| *at);
        let tick =
            self.parties.iter().filter_map(|(name, it)| Some((it.deadline()?, name)));
        let tick = tick.min().map(|(due, name)| (due, name.clone()));
        match (event, tick) {
            (Some(at), tick)
                if at <= until && tick.as_ref().is_none_or(|(due, _)| at <= *due) =>
            {
                self.now = self.now.max(at);
                let (_, (to, life, input)) = self.events.pop_first().expect("just seen");
                if self.lives.get(&to) == Some(&life)
                    && let Some(party) = self.parties.get_mut(&to)
                {
                    party.machine().handle(self.now, input);
                    self.drain(&to);
                }
            }
            (_, Some((due, name))) if due <= until => {
                self.now = self.now.max(due);
                let party = self.parties.get_mut(&name).expect("it was just there");
                party.machine().tick(self.now);
                let next = party.deadline();
                assert!(next.is_none_or(|it| it > self.now), "{name} is busy: {next:?}");
                self.drain(&name);
            }
            _ => return false,
        }
        true
    }

    fn schedule(&mut self, to: &str, input: Input) {
        let life = self.lives.get(to).copied().unwrap_or(0);
        let at = (self.now + LATENCY, self.numbers);
        self.numbers += 1;
        self.events.insert(at, (to.to_owned(), life, input));
    }

    fn drain(&mut self, name: &str) {
        while let Some(output) =
            self.parties.get_mut(name).and_then(|party| party.machine().poll())
        {
            self.carry_out(name, output);
        }
    }

    fn carry_out(&mut self, name: &str, output: Output) {
        match output {
            Output::Open { connection, to } => self.dial(name, connection, &to),
            Output::Send { connection, message } => {
                if let Message::Request(request) = &message {
                    let kind = format!("{:?}", request.body);
                    let kind = kind.split('(').next().unwrap_or_default().to_owned();
                    self.requests.push((self.now, name.to_owned(), kind));
                }
                let end = (name.to_owned(), connection);
                if let Some((to, connection)) = self.other_end.get(&end).cloned() {
                    self.schedule(&to, Input::Received { connection, message });
                }
            }
            Output::Close { connection } => {
                let end = (name.to_owned(), connection);
                if let Some(other) = self.other_end.remove(&end) {
                    self.other_end.remove(&other);
                    self.schedule(&other.0, Input::Closed { connection: other.1 });
                }
            }
            Output::Disk(op) => self.write(name, op),
            Output::Mark { rule, .. } => self.marks.push((name.to_owned(), rule)),
            Output::Fact(fact) => self.facts.push((self.now, name.to_owned(), fact)),
        }
    }

    fn dial(&mut self, from: &str, connection: ConnectionId, to: &Endpoint) {
        let target = (1..=self.brokers).find(|id| endpoint(*id) == *to);
        let target = target.map(|id| id.to_string());
        let Some(to) = target.filter(|name| self.parties.contains_key(name)) else {
            return self.schedule(from, Input::Closed { connection });
        };
        let theirs = ConnectionId::Accepted(self.numbers);
        let (here, there) = ((from.to_owned(), connection), (to.clone(), theirs));
        self.other_end.insert(here.clone(), there.clone());
        self.other_end.insert(there, here);
        self.schedule(&to, Input::Accepted { connection: theirs });
        self.schedule(from, Input::Opened { connection });
    }

    fn write(&mut self, name: &str, op: DiskOp) {
        let files = self.disks.entry(name.to_owned()).or_default();
        match op {
            DiskOp::Append { file, bytes } => {
                let before = files.remove(&file).unwrap_or_default();
                files.insert(file, [&before[..], &bytes[..]].concat().into());
            }
            DiskOp::Truncate { file, len } => {
                if let Some(bytes) = files.get_mut(&file) {
                    let len = usize::try_from(len).expect("it fits");
                    *bytes = Bytes::copy_from_slice(&bytes[..len.min(bytes.len())]);
                }
            }
            DiskOp::Replace { file, bytes } => _ = files.insert(file, bytes),
            DiskOp::Delete { file } => _ = files.remove(&file),
            DiskOp::Flush { token, .. } => self.schedule(name, Input::Flushed { token }),
        }
    }

    /// What a consumer believed of its membership, change by change.
    pub fn beliefs(&self, name: &str) -> Vec<MemberView> {
        let facts = self.facts.iter().filter(|(_, who, _)| who == name);
        facts
            .filter_map(|(.., fact)| match fact {
                Fact::Member { view, .. } => Some(view.clone()),
                _ => None,
            })
            .collect()
    }

    /// Whether no partition was ever believed to be owned by two of these at once.
    pub fn never_owned_twice(&self, names: &[&str]) -> bool {
        let mut owners: BTreeMap<&str, Vec<TopicPartition>> = BTreeMap::new();
        self.facts.iter().all(|(_, who, fact)| {
            let Fact::Member { view, .. } = fact else { return true };
            if !names.contains(&&**who) {
                return true;
            }
            owners.insert(who, view.owned.clone());
            let mut all: Vec<&TopicPartition> = owners.values().flatten().collect();
            all.sort_unstable();
            all.windows(2).all(|two| two[0] != two[1])
        })
    }

    /// The broker that a consumer believes to coordinate its group.
    pub fn coordinator_of(&self, name: &str) -> i32 {
        let found = self.facts.iter().rev().find_map(|(_, who, fact)| match fact {
            Fact::Client { deed: ClientDeed::CoordinatorFound { node }, .. }
                if who == name =>
            {
                Some(node.0)
            }
            _ => None,
        });
        found.expect("it found one")
    }

    /// Partition indexes of `orders` that a consumer owns.
    pub fn owned(&self, name: &str) -> Vec<i32> {
        self.consumer(name).owned().iter().map(|it| it.partition).collect()
    }

    /// Offsets of a partition of `orders` that were handed on, by whom.
    pub fn polled(&self, partition: i32) -> Vec<(String, i64, i64)> {
        let wanted = TopicPartition::new("orders", partition);
        let facts = self.facts.iter().filter_map(|(_, who, fact)| match fact {
            Fact::Polled { partition, base, next, .. } if *partition == wanted => {
                Some((who.clone(), base.0, next.0))
            }
            _ => None,
        });
        facts.collect()
    }

    /// When a consumer handed records on, in ms since then, and up to which offset.
    pub fn polls(&self, name: &str, since: Instant) -> Vec<(u64, i64)> {
        let facts = self.facts.iter().filter(|(_, who, _)| who == name);
        let polls = facts.filter_map(|(at, _, fact)| match fact {
            Fact::Polled { next, .. } => Some(((*at - since).as_millis(), next.0)),
            _ => None,
        });
        polls.collect()
    }

    /// What a consumer committed, in order: the offsets that were accepted.
    pub fn commits(&self, name: &str) -> Vec<i64> {
        let facts = self.facts.iter().filter(|(_, who, _)| who == name);
        let commits = facts.filter_map(|(.., fact)| match fact {
            Fact::CommitAnswered { offsets, error: None, .. } => Some(offsets.clone()),
            _ => None,
        });
        commits.flatten().map(|(_, offset)| offset.0).collect()
    }

    /// How many requests of this kind somebody sent.
    pub fn count(&self, name: &str, kind: &str) -> usize {
        let requests = self.requests.iter();
        requests.filter(|(_, who, what)| who == name && what == kind).count()
    }
}

fn endpoint(id: i32) -> Endpoint {
    Endpoint { host: format!("node-{id}").into(), port: 9092 }
}

/// Whether these own all partitions, each some and none twice.
pub fn settled(members: &'static [&str], partitions: usize) -> impl Fn(&World) -> bool {
    move |world| {
        let owned = members.iter().map(|name| world.owned(name));
        let mut all: Vec<i32> = owned.clone().flatten().collect();
        all.sort_unstable();
        all.len() == partitions
            && all.windows(2).all(|two| two[0] != two[1])
            && owned.into_iter().all(|owned| !owned.is_empty())
    }
}
