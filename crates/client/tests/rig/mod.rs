//! Clients in virtual time against scripted brokers: every broker is a closure from request
//! to response.

#![allow(dead_code, reason = "each test binary uses its own part of the rig")]
#![allow(clippy::field_reassign_with_default)]

use std::collections::{BTreeMap, BTreeSet};

use topomotion_client::{
    CommonConfig, Consumer, ConsumerConfig, Idempotence, OffsetReset, Producer,
    ProducerConfig, ProducerRecord,
};
use topomotion_log::{BatchBuilder, Batches, RecordRef};
use topomotion_wire::messages::api_versions_response::ApiVersion;
use topomotion_wire::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use topomotion_wire::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use topomotion_wire::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use topomotion_wire::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use topomotion_wire::messages::produce_response::{
    PartitionProduceResponse, TopicProduceResponse,
};
use topomotion_wire::messages::{
    ApiKey, ApiVersionsResponse, BrokerId, FetchResponse, ListOffsetsResponse,
    MetadataResponse, OffsetForLeaderEpochResponse, ProduceRequest, ProduceResponse,
    RequestKind, ResponseKind, TopicName,
};
use topomotion_wire::{
    Acks, Bytes, ClientDeed, ConnectionId, Duration, Endpoint, Fact, Input, Instant,
    LeaderEpoch, Machine, Message, Offset, Output, Random, Response, Rule, StrBytes,
    TopicPartition,
};

pub const LATENCY: Duration = Duration::from_millis(1);

/// What a scripted broker does with a request.
pub enum Reply {
    Answer(Box<ResponseKind>),
    /// An answer that took so long to make.
    After(Duration, Box<ResponseKind>),
    Silence,
    Reset,
}

/// One client and a script for all brokers: (port, request) to reply.
pub struct Rig<M, S> {
    pub client: M,
    pub script: S,
    pub now: Instant,
    pub queue: Vec<(Instant, Input)>,
    pub ports: BTreeMap<ConnectionId, u16>,
    pub dead: Vec<u16>,
    /// Connections on which a request was met with silence: a broker takes them in turn, so
    /// those behind it wait for ever.
    pub stuck: BTreeSet<ConnectionId>,
    /// Nobody answers to dialling, not even with a refusal.
    pub deaf: bool,
    pub facts: Vec<Fact>,
    pub marks: Vec<Rule>,
    pub requests: Vec<(u16, RequestKind)>,
    /// When each of the requests was sent.
    pub times: Vec<Instant>,
    pub closed: usize,
    /// Looks at the client after everything that happens.
    pub watch: fn(&M),
    /// Which APIs the brokers offer.
    pub offers: fn(ApiKey) -> bool,
}

impl<M: Machine, S: FnMut(u16, &RequestKind) -> Reply> Rig<M, S> {
    pub fn new(client: M, script: S) -> Rig<M, S> {
        Rig {
            client,
            script,
            now: Instant::ZERO,
            queue: Vec::new(),
            ports: BTreeMap::new(),
            dead: Vec::new(),
            stuck: BTreeSet::new(),
            deaf: false,
            facts: Vec::new(),
            marks: Vec::new(),
            requests: Vec::new(),
            times: Vec::new(),
            closed: 0,
            watch: |_| {},
            offers: |_| true,
        }
    }

    pub fn drain(&mut self) {
        while let Some(output) = self.client.poll() {
            let then = self.now + LATENCY;
            match output {
                Output::Open { connection, to } if self.dead.contains(&to.port) => {
                    self.queue.push((then, Input::Closed { connection }));
                }
                Output::Open { .. } if self.deaf => {}
                Output::Open { connection, to } => {
                    self.ports.insert(connection, to.port);
                    self.queue.push((then, Input::Opened { connection }));
                }
                Output::Send { connection, message: Message::Request(request) } => {
                    let port = self.ports[&connection];
                    let reply = match &request.body {
                        RequestKind::ApiVersions(_) => {
                            Reply::Answer(Box::new(versions(self.offers)))
                        }
                        body => {
                            self.requests.push((port, body.clone()));
                            self.times.push(self.now);
                            if self.stuck.contains(&connection) {
                                continue;
                            }
                            (self.script)(port, body)
                        }
                    };
                    let (reply, wait) = match reply {
                        Reply::After(wait, body) => (Reply::Answer(body), wait),
                        reply => (reply, Duration::ZERO),
                    };
                    let input = match reply {
                        Reply::Silence | Reply::After(..) => {
                            self.stuck.insert(connection);
                            continue;
                        }
                        Reply::Reset => Input::Closed { connection },
                        Reply::Answer(body) => Input::Received {
                            connection,
                            message: Message::from(Response {
                                correlation: request.correlation,
                                version: request.version,
                                body: *body,
                            }),
                        },
                    };
                    self.queue.push((then + LATENCY + wait, input));
                }
                Output::Fact(fact) => self.facts.push(fact),
                Output::Mark { rule, .. } => self.marks.push(rule),
                Output::Close { connection } => {
                    self.closed += 1;
                    self.queue.retain(|(_, input)| !is_on(input, connection));
                }
                _ => {}
            }
        }
    }

    pub fn run_until(&mut self, end_ms: u64) {
        let end = Instant::ZERO + Duration::from_millis(end_ms);
        loop {
            self.drain();
            (self.watch)(&self.client);
            let next = self.queue.iter().map(|(at, _)| *at).min();
            let deadline = self.client.deadline().map(|at| at.max(self.now));
            let Some(at) = [next, deadline].into_iter().flatten().min() else { break };
            if at > end {
                break;
            }
            self.now = at;
            if next == Some(at) {
                let first = self.queue.iter().position(|(due, _)| *due == at);
                let (_, input) = self.queue.remove(first.expect("it is the minimum"));
                self.client.handle(at, input);
            } else {
                self.client.tick(at);
            }
        }
        self.now = end;
    }
}

/// Whether an input comes over this connection.
fn is_on(input: &Input, over: ConnectionId) -> bool {
    match input {
        Input::Received { connection, .. }
        | Input::Opened { connection }
        | Input::Closed { connection }
        | Input::Accepted { connection } => *connection == over,
        Input::Flushed { .. } => false,
    }
}

pub fn versions(offers: fn(ApiKey) -> bool) -> ResponseKind {
    let apis = [
        (ApiKey::Produce, 3, 13),
        (ApiKey::Fetch, 4, 18),
        (ApiKey::ListOffsets, 1, 10),
        (ApiKey::Metadata, 0, 13),
        (ApiKey::CreateTopics, 2, 7),
        (ApiKey::DeleteTopics, 1, 6),
        (ApiKey::OffsetForLeaderEpoch, 2, 4),
        (ApiKey::DeleteRecords, 0, 2),
        (ApiKey::DescribeGroups, 0, 5),
        (ApiKey::FindCoordinator, 0, 6),
        (ApiKey::InitProducerId, 0, 5),
        (ApiKey::AddPartitionsToTxn, 0, 5),
        (ApiKey::AddOffsetsToTxn, 0, 4),
        (ApiKey::TxnOffsetCommit, 0, 5),
        (ApiKey::EndTxn, 0, 5),
    ];
    let mut response = ApiVersionsResponse::default();
    response.api_keys = apis
        .into_iter()
        .filter(|(api, ..)| offers(*api))
        .map(|(api, oldest, newest)| {
            let mut range = ApiVersion::default();
            range.api_key = api as i16;
            (range.min_version, range.max_version) = (oldest, newest);
            range
        })
        .collect();
    ResponseKind::ApiVersions(response)
}

/// Two brokers on ports 1 and 2; partition 0 of `orders` led by `leader`.
pub fn metadata(leader: i32, epoch: i32) -> Reply {
    metadata_of(1, leader, epoch)
}

/// The same for the topic with this id.
pub fn metadata_of(id: u128, leader: i32, epoch: i32) -> Reply {
    topic(id, &[(leader, epoch)])
}

/// The topic with this id and these (leader, epoch) of its partitions.
pub fn topic(id: u128, leaders: &[(i32, i32)]) -> Reply {
    let mut response = MetadataResponse::default();
    response.brokers = [1, 2]
        .into_iter()
        .map(|node| {
            let mut broker = MetadataResponseBroker::default();
            broker.node_id = BrokerId(node);
            broker.host = StrBytes::from_static_str("host");
            broker.port = node;
            broker
        })
        .collect();
    let mut topic = MetadataResponseTopic::default();
    topic.name = Some(orders());
    topic.topic_id = uuid::Uuid::from_u128(id);
    topic.partitions = (0..)
        .zip(leaders)
        .map(|(index, &(leader, epoch))| {
            let mut partition = MetadataResponsePartition::default();
            partition.partition_index = index;
            partition.leader_id = BrokerId(leader);
            partition.leader_epoch = epoch;
            partition
        })
        .collect();
    response.topics = vec![topic];
    Reply::Answer(Box::new(ResponseKind::Metadata(response)))
}

/// The same answer for every partition of a request.
pub fn all_produced(request: &ProduceRequest, error: i16) -> Reply {
    let mut response = ProduceResponse::default();
    for asked in &request.topic_data {
        let mut topic = TopicProduceResponse::default();
        topic.name = asked.name.clone();
        for data in &asked.partition_data {
            let mut partition = PartitionProduceResponse::default();
            (partition.index, partition.error_code) = (data.index, error);
            topic.partition_responses.push(partition);
        }
        response.responses.push(topic);
    }
    Reply::Answer(Box::new(ResponseKind::Produce(response)))
}

/// The values in a produce request, by partition.
pub fn values_in(request: &ProduceRequest) -> Vec<(i32, Vec<String>)> {
    let data = request.topic_data.iter().flat_map(|topic| &topic.partition_data);
    data.map(|data| {
        let records = data.records.clone().unwrap_or_default();
        let records = Batches::new(records).flatten();
        let records = records.flat_map(|batch| batch.records().expect("plain"));
        let values = records.map(|record| {
            let value = record.expect("whole").value.unwrap_or_default();
            String::from_utf8(value.to_vec()).expect("text")
        });
        (data.index, values.collect())
    })
    .collect()
}

pub fn produced(error: i16, base: i64) -> Reply {
    let mut partition = PartitionProduceResponse::default();
    (partition.error_code, partition.base_offset) = (error, base);
    let mut topic = TopicProduceResponse::default();
    topic.name = orders();
    topic.partition_responses = vec![partition];
    let mut response = ProduceResponse::default();
    response.responses = vec![topic];
    Reply::Answer(Box::new(ResponseKind::Produce(response)))
}

pub fn orders() -> TopicName {
    TopicName(StrBytes::from_static_str("orders"))
}

pub fn partition() -> TopicPartition {
    TopicPartition::new("orders", 0)
}

pub fn common() -> CommonConfig {
    CommonConfig::new("test", vec![Endpoint { host: "host".into(), port: 1 }])
}

pub fn producer(acks: Acks) -> Producer {
    let idempotence = Idempotence::Off;
    let config = ProducerConfig { acks, idempotence, ..ProducerConfig::new(common()) };
    Producer::new(config, Random::new(1, 1))
}

pub fn record(key: &'static str) -> ProducerRecord {
    ProducerRecord {
        topic: "orders".into(),
        partition: None,
        key: Some(key.into()),
        value: Some("v".into()),
        headers: Vec::new(),
        acks: None,
    }
}

pub fn acked(facts: &[Fact]) -> Vec<Option<Offset>> {
    let bases = facts.iter().filter_map(|fact| match fact {
        Fact::BatchAcked { base, .. } => Some(*base),
        _ => None,
    });
    bases.collect()
}

pub fn attempts(facts: &[Fact]) -> Vec<u32> {
    let attempts = facts.iter().filter_map(|fact| match fact {
        Fact::BatchSent { attempt, .. } => Some(*attempt),
        _ => None,
    });
    attempts.collect()
}

pub fn batch_at(base: i64) -> Bytes {
    let mut builder = BatchBuilder::new();
    builder.push(&RecordRef { value: Some(b"v"), ..RecordRef::default() });
    builder.build().placed(Offset(base), LeaderEpoch(0)).into_bytes()
}

pub fn fetched(error: i16, base: Option<i64>) -> Reply {
    let mut partition = PartitionData::default();
    partition.error_code = error;
    partition.records = base.map(batch_at);
    let mut topic = FetchableTopicResponse::default();
    topic.topic = orders();
    topic.partitions = vec![partition];
    let mut response = FetchResponse::default();
    response.responses = vec![topic];
    Reply::Answer(Box::new(ResponseKind::Fetch(response)))
}

/// Where an epoch ends.
pub fn epoch_end(epoch: i32, end: i64) -> Reply {
    let mut partition = EpochEndOffset::default();
    (partition.leader_epoch, partition.end_offset) = (epoch, end);
    let mut topic = OffsetForLeaderTopicResult::default();
    topic.topic = orders();
    topic.partitions = vec![partition];
    let mut response = OffsetForLeaderEpochResponse::default();
    response.topics = vec![topic];
    Reply::Answer(Box::new(ResponseKind::OffsetForLeaderEpoch(response)))
}

/// An empty answer to a fetch that waited for `fetch.max.wait.ms`.
pub fn parked() -> Reply {
    let Reply::Answer(body) = fetched(0, None) else { unreachable!("it is an answer") };
    Reply::After(Duration::from_millis(500), body)
}

/// What the client did inside.
pub fn deeds(facts: &[Fact]) -> Vec<ClientDeed> {
    let deeds = facts.iter().filter_map(|fact| match fact {
        Fact::Client { deed, .. } => Some(deed.clone()),
        _ => None,
    });
    deeds.collect()
}

/// (first offset, next offset) of everything handed on.
pub fn polled(facts: &[Fact]) -> Vec<(i64, i64)> {
    let polled = facts.iter().filter_map(|fact| match fact {
        Fact::Polled { base, next, .. } => Some((base.0, next.0)),
        _ => None,
    });
    polled.collect()
}

pub fn listed(offset: i64) -> Reply {
    let mut partition = ListOffsetsPartitionResponse::default();
    partition.offset = offset;
    let mut topic = ListOffsetsTopicResponse::default();
    topic.name = orders();
    topic.partitions = vec![partition];
    let mut response = ListOffsetsResponse::default();
    response.topics = vec![topic];
    Reply::Answer(Box::new(ResponseKind::ListOffsets(response)))
}

pub fn producer_with(change: impl FnOnce(&mut ProducerConfig)) -> Producer {
    let mut config = ProducerConfig::new(common());
    config.idempotence = Idempotence::Off;
    change(&mut config);
    Producer::new(config, Random::new(1, 1))
}

pub fn consumer_with(change: impl FnOnce(&mut ConsumerConfig)) -> Consumer {
    let mut config = ConsumerConfig::new(common());
    config.offset_reset = OffsetReset::Earliest;
    change(&mut config);
    Consumer::new(config)
}

/// A record without a key, to this partition if one is named.
pub fn plain(partition: Option<i32>, value: impl Into<Bytes>) -> ProducerRecord {
    ProducerRecord { partition, key: None, value: Some(value.into()), ..record("") }
}

pub fn consumer() -> Consumer {
    let offset_reset = OffsetReset::Earliest;
    let config = ConsumerConfig { offset_reset, ..ConsumerConfig::new(common()) };
    Consumer::new(config)
}
