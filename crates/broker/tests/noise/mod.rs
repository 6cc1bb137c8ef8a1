//! A node behind real frames: bytes in, bytes out, a client that behaves, and everybody else.
//!
//! The fuzz targets (`fuzz/`) drive the same node with bytes of their own.

pub mod coordinators;

use std::collections::{BTreeMap, VecDeque};

use topomotion_broker::frames::{Requests, write_request, write_response};
use topomotion_broker::{BrokerSettings, BrokerStatus, Node, NodeConfig, Roles};
use topomotion_log::{BatchBuilder, RecordRef};
use topomotion_wire::messages::create_topics_request::CreatableTopic;
use topomotion_wire::messages::produce_request::{
    PartitionProduceData, TopicProduceData,
};
use topomotion_wire::messages::{
    CreateTopicsRequest, ProduceRequest, RequestKind, ResponseKind, TopicName,
};
use topomotion_wire::{
    Bytes, ConnectionId, CorrelationId, DiskOp, Duration, Endpoint, Files, Incarnation,
    Input, Instant, Machine, Message, NodeId, Offset, Output, Random, Request, Response,
    StrBytes, TopicPartition,
};

/// The topic of the client that behaves; nobody else knows its name.
pub const OWN_TOPIC: &str = "kept";
/// The topic that noise is made about.
pub const TOPIC: &str = "orders";

/// One combined node with its connections.
pub struct Target {
    node: Node,
    now: Instant,
    connections: BTreeMap<ConnectionId, Requests>,
    opened: u64,
    client: ConnectionId,
    answers: VecDeque<Response>,
    /// What was acknowledged to the client that behaves, and where.
    kept: Vec<(Offset, String)>,
    /// Connections that the node or its frames closed.
    pub closed: u64,
    /// Requests that were well enough formed to reach the node.
    pub understood: u64,
}

pub fn name(text: &str) -> TopicName {
    TopicName(StrBytes::from_string(text.to_owned()))
}

/// A batch with one record.
pub fn batch(value: &str) -> Bytes {
    let mut builder = BatchBuilder::new();
    builder.push(&RecordRef { value: Some(value.as_bytes()), ..RecordRef::default() });
    builder.build().into_bytes()
}

/// A produce request for one record with acks=all.
pub fn produce(topic: &str, value: &str) -> RequestKind {
    let data = PartitionProduceData::default().with_records(Some(batch(value)));
    let topic = TopicProduceData::default()
        .with_name(name(topic))
        .with_partition_data(vec![data]);
    let request = ProduceRequest::default().with_acks(-1).with_timeout_ms(30_000);
    request.with_topic_data(vec![topic]).into()
}

/// A request's frame.
pub fn framed(version: i16, body: RequestKind) -> Bytes {
    framed_in(version, body).expect("its version carries it")
}

/// A request's frame, if this version of it can be written.
pub fn framed_in(version: i16, body: RequestKind) -> Option<Bytes> {
    let request =
        Request { correlation: CorrelationId(1), version, client: "noise".into(), body };
    write_request(&request, "noise")
}

/// A node that is a cluster of its own has coordinators, too.
fn settings() -> BrokerSettings {
    BrokerSettings {
        offsets_topic_num_partitions: 1,
        offsets_topic_replication_factor: 1,
        transaction_state_log_num_partitions: 1,
        transaction_state_log_replication_factor: 1,
        transaction_state_log_min_isr: 1,
        ..BrokerSettings::default()
    }
}

impl Target {
    /// A node that serves, with both topics.
    pub fn new() -> Target {
        let endpoint = Endpoint { host: "kafka-1".into(), port: 9092 };
        let config = NodeConfig {
            id: NodeId(1),
            roles: Roles::Combined,
            endpoint: endpoint.clone(),
            voters: vec![(NodeId(1), endpoint)],
            incarnation: Incarnation::default(),
            rack: None,
            settings: settings(),
            wall_clock_base_ms: 0,
        };
        let now = Instant::ZERO;
        let node = Node::start(config, Files::new(), now, Random::new(1, 1));
        let mut target = Target {
            node,
            now,
            connections: BTreeMap::new(),
            opened: 0,
            client: ConnectionId::Accepted(0),
            answers: VecDeque::new(),
            kept: Vec::new(),
            closed: 0,
            understood: 0,
        };
        target.carry_out();
        while !matches!(target.node.broker_status(), BrokerStatus::Running(_)) {
            target.pass(100);
        }
        target.client = target.connect();
        for topic in [OWN_TOPIC, TOPIC] {
            let topic = CreatableTopic::default()
                .with_name(name(topic))
                .with_num_partitions(1)
                .with_replication_factor(1);
            let request = CreateTopicsRequest::default().with_timeout_ms(30_000);
            let answer = target.ask(7, request.with_topics(vec![topic]).into());
            let ResponseKind::CreateTopics(answer) = answer else { panic!("{answer:?}") };
            assert_eq!(answer.topics[0].error_code, 0);
        }
        target.pass(1_000);
        for key_type in [0, 1] {
            target.ask(3, coordinators::find(key_type));
        }
        target.pass(1_000);
        target
    }

    /// Opens another connection.
    pub fn connect(&mut self) -> ConnectionId {
        self.opened += 1;
        let connection = ConnectionId::Accepted(self.opened);
        let requests = Requests::new(Roles::Combined, &BrokerSettings::default());
        self.connections.insert(connection, requests);
        self.node.handle(self.now, Input::Accepted { connection });
        self.carry_out();
        connection
    }

    pub fn is_open(&self, connection: ConnectionId) -> bool {
        self.connections.contains_key(&connection)
    }

    /// Bytes arrive on a connection; those of one that is closed go nowhere.
    pub fn receive(&mut self, connection: ConnectionId, bytes: &[u8]) {
        let Some(requests) = self.connections.get_mut(&connection) else { return };
        requests.receive(bytes);
        while let Some(requests) = self.connections.get_mut(&connection) {
            match requests.take() {
                Ok(Some(request)) => {
                    self.understood += 1;
                    let message = Message::from(request);
                    self.node.handle(self.now, Input::Received { connection, message });
                    self.carry_out();
                }
                Ok(None) => break,
                Err(_) => self.hang_up(connection),
            }
        }
    }

    /// The other end, or what reads its frames, closes the connection.
    pub fn hang_up(&mut self, connection: ConnectionId) {
        if self.connections.remove(&connection).is_some() {
            self.closed += 1;
            self.node.handle(self.now, Input::Closed { connection });
            self.carry_out();
        }
    }

    /// Lets time pass.
    pub fn pass(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while let Some(due) = self.node.deadline().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.node.tick(self.now);
            self.carry_out();
        }
        self.now = until;
    }

    /// The client that behaves produces a record, and is told that it is safe.
    pub fn produce(&mut self, value: &str) {
        let answer = self.ask(9, produce(OWN_TOPIC, value));
        let ResponseKind::Produce(answer) = answer else { panic!("{answer:?}") };
        let answer = &answer.responses[0].partition_responses[0];
        assert_eq!(answer.error_code, 0, "the client that behaves is served");
        self.kept.push((Offset(answer.base_offset), value.to_owned()));
    }

    /// Everything that was acknowledged is where it was said to be, and nothing else is.
    pub fn check(&self) {
        assert_eq!(self.node.halted(), None);
        let log = self.node.log(&TopicPartition::new(OWN_TOPIC, 0)).expect("it is kept");
        let batches = log.batches(Offset(0), log.end_offset());
        let records = batches.map(|batch| {
            let record = batch.records().expect("plain").next().expect("one");
            let value = record.expect("whole").value.expect("a value");
            (batch.base_offset(), String::from_utf8(value.to_vec()).expect("text"))
        });
        assert_eq!(records.collect::<Vec<_>>(), self.kept);
    }

    fn ask(&mut self, version: i16, body: RequestKind) -> ResponseKind {
        let client = self.client;
        assert!(self.is_open(client), "the client that behaves is never cut off");
        self.receive(client, &framed(version, body));
        for _ in 0..100 {
            if let Some(answer) = self.answers.pop_front() {
                return answer.body;
            }
            self.pass(10);
        }
        panic!("the client that behaves has no answer within a second");
    }

    fn carry_out(&mut self) {
        while let Some(output) = self.node.poll() {
            match output {
                Output::Disk(DiskOp::Flush { token, .. }) => {
                    self.node.handle(self.now, Input::Flushed { token });
                }
                Output::Send { connection, message: Message::Response(response) } => {
                    let frame = write_response(&response);
                    assert!(
                        frame.is_some(),
                        "an answer that no wire carries: {response:?}"
                    );
                    if connection == self.client {
                        self.answers.push_back(*response);
                    }
                }
                Output::Close { connection } => {
                    self.connections.remove(&connection);
                    self.closed += 1;
                }
                Output::Open { .. }
                | Output::Send { .. }
                | Output::Disk(_)
                | Output::Mark { .. }
                | Output::Fact(_) => {}
            }
        }
    }
}

/// What a fuzzer's bytes do to a node: each piece goes to one of four connections.
pub fn feed(data: &[u8]) {
    let mut target = Target::new();
    let mut connections: Vec<ConnectionId> = (0..4).map(|_| target.connect()).collect();
    target.produce("before");
    let mut rest = data;
    while let Some((&head, behind)) = rest.split_first() {
        let length = usize::from(head >> 2).min(behind.len());
        let (piece, behind) = behind.split_at(length);
        let connection = &mut connections[usize::from(head & 3)];
        if !target.is_open(*connection) {
            *connection = target.connect();
        }
        target.receive(*connection, piece);
        target.pass(1);
        rest = behind;
    }
    target.produce("after");
    target.check();
}
