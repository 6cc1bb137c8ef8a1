//! The clients against scripted brokers: a rig in virtual time in which every broker is a
//! closure from request to response.
#![allow(clippy::field_reassign_with_default)]

use std::collections::BTreeMap;

use topomotion_client::{
    CommonConfig, Consumer, ConsumerConfig, OffsetReset, Producer, ProducerConfig,
    ProducerRecord,
};
use topomotion_log::{BatchBuilder, RecordRef};
use topomotion_wire::messages::api_versions_response::ApiVersion;
use topomotion_wire::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use topomotion_wire::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use topomotion_wire::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use topomotion_wire::messages::produce_response::{
    PartitionProduceResponse, TopicProduceResponse,
};
use topomotion_wire::messages::{
    ApiKey, ApiVersionsResponse, BrokerId, FetchResponse, ListOffsetsResponse,
    MetadataResponse, ProduceResponse, RequestKind, ResponseKind, TopicName,
};
use topomotion_wire::{
    Acks, ConnectionId, Duration, Endpoint, ErrorCode, Fact, Input, Instant, LeaderEpoch,
    Machine, Message, Offset, Output, Random, Response, StrBytes, TopicPartition,
};

const LATENCY: Duration = Duration::from_millis(1);

/// What a scripted broker does with a request.
enum Reply {
    Answer(Box<ResponseKind>),
    Silence,
    Reset,
}

/// One client and a script for all brokers: (port, request) to reply.
struct Rig<M, S> {
    client: M,
    script: S,
    now: Instant,
    queue: Vec<(Instant, Input)>,
    ports: BTreeMap<ConnectionId, u16>,
    dead: Vec<u16>,
    facts: Vec<Fact>,
    requests: Vec<(u16, RequestKind)>,
}

impl<M: Machine, S: FnMut(u16, &RequestKind) -> Reply> Rig<M, S> {
    fn new(client: M, script: S) -> Rig<M, S> {
        Rig {
            client,
            script,
            now: Instant::ZERO,
            queue: Vec::new(),
            ports: BTreeMap::new(),
            dead: Vec::new(),
            facts: Vec::new(),
            requests: Vec::new(),
        }
    }

    fn drain(&mut self) {
        while let Some(output) = self.client.poll() {
            let then = self.now + LATENCY;
            match output {
                Output::Open { connection, to } if self.dead.contains(&to.port) => {
                    self.queue.push((then, Input::Closed { connection }));
                }
                Output::Open { connection, to } => {
                    self.ports.insert(connection, to.port);
                    self.queue.push((then, Input::Opened { connection }));
                }
                Output::Send { connection, message: Message::Request(request) } => {
                    let port = self.ports[&connection];
                    let reply = match &request.body {
                        RequestKind::ApiVersions(_) => {
                            Reply::Answer(Box::new(all_versions()))
                        }
                        body => {
                            self.requests.push((port, body.clone()));
                            (self.script)(port, body)
                        }
                    };
                    let input = match reply {
                        Reply::Silence => continue,
                        Reply::Reset => Input::Closed { connection },
                        Reply::Answer(body) => Input::Received {
                            connection,
                            message: Message::Response(Response {
                                correlation: request.correlation,
                                version: request.version,
                                body: *body,
                            }),
                        },
                    };
                    self.queue.push((then + LATENCY, input));
                }
                Output::Fact(fact) => self.facts.push(fact),
                _ => {}
            }
        }
    }

    fn run_until(&mut self, end_ms: u64) {
        let end = Instant::ZERO + Duration::from_millis(end_ms);
        loop {
            self.drain();
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

fn all_versions() -> ResponseKind {
    let apis = [
        (ApiKey::Produce, 3, 13),
        (ApiKey::Fetch, 4, 18),
        (ApiKey::ListOffsets, 1, 10),
        (ApiKey::Metadata, 0, 13),
        (ApiKey::CreateTopics, 2, 7),
    ];
    let mut response = ApiVersionsResponse::default();
    response.api_keys = apis
        .into_iter()
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
fn metadata(leader: i32, epoch: i32) -> Reply {
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
    let mut partition = MetadataResponsePartition::default();
    partition.leader_id = BrokerId(leader);
    partition.leader_epoch = epoch;
    let mut topic = MetadataResponseTopic::default();
    topic.name = Some(orders());
    topic.partitions = vec![partition];
    response.topics = vec![topic];
    Reply::Answer(Box::new(ResponseKind::Metadata(response)))
}

fn produced(error: i16, base: i64) -> Reply {
    let mut partition = PartitionProduceResponse::default();
    (partition.error_code, partition.base_offset) = (error, base);
    let mut topic = TopicProduceResponse::default();
    topic.name = orders();
    topic.partition_responses = vec![partition];
    let mut response = ProduceResponse::default();
    response.responses = vec![topic];
    Reply::Answer(Box::new(ResponseKind::Produce(response)))
}

fn orders() -> TopicName {
    TopicName(StrBytes::from_static_str("orders"))
}

fn partition() -> TopicPartition {
    TopicPartition::new("orders", 0)
}

fn common() -> CommonConfig {
    CommonConfig::new("test", vec![Endpoint { host: "host".into(), port: 1 }])
}

fn producer(acks: Acks) -> Producer {
    let config = ProducerConfig { acks, ..ProducerConfig::new(common()) };
    Producer::new(config, Random::new(1, 1))
}

fn record(key: &'static str) -> ProducerRecord {
    ProducerRecord {
        topic: "orders".into(),
        partition: None,
        key: Some(key.into()),
        value: Some("v".into()),
        acks: None,
    }
}

fn acked(facts: &[Fact]) -> Vec<Option<Offset>> {
    let bases = facts.iter().filter_map(|fact| match fact {
        Fact::BatchAcked { base, .. } => Some(*base),
        _ => None,
    });
    bases.collect()
}

fn attempts(facts: &[Fact]) -> Vec<u32> {
    let attempts = facts.iter().filter_map(|fact| match fact {
        Fact::BatchSent { attempt, .. } => Some(*attempt),
        _ => None,
    });
    attempts.collect()
}

#[test]
fn a_record_reaches_its_leader_and_is_acknowledged() {
    let mut rig = Rig::new(producer(Acks::All), |_, request| match request {
        RequestKind::Metadata(_) => metadata(2, 0),
        RequestKind::Produce(_) => produced(0, 7),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, record("k"));
    rig.run_until(1_000);
    assert_eq!(acked(&rig.facts), [Some(Offset(7))]);
    assert_eq!(rig.client.pending(), 0);
    let (port, request) = rig.requests.last().expect("something was sent");
    assert!(
        *port == 2 && matches!(request, RequestKind::Produce(body) if body.acks == -1)
    );
}

#[test]
fn records_sent_within_the_linger_share_a_batch() {
    let mut rig = Rig::new(producer(Acks::All), |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::Produce(_) => produced(0, 0),
        _ => Reply::Silence,
    });
    for key in ["a", "b", "c"] {
        rig.client.send(rig.now, record(key));
    }
    rig.run_until(1_000);
    let counts: Vec<i64> = rig
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::BatchAcked { count, .. } => Some(*count),
            _ => None,
        })
        .collect();
    assert_eq!(counts, [3]);
}

#[test]
fn a_wrong_leader_costs_a_refresh_and_a_retry() {
    let mut refreshed = 0;
    let mut rig = Rig::new(producer(Acks::All), move |port, request| match request {
        RequestKind::Metadata(_) => {
            refreshed += 1;
            if refreshed == 1 { metadata(1, 0) } else { metadata(2, 1) }
        }
        RequestKind::Produce(_) if port == 1 => {
            produced(ErrorCode::NotLeaderOrFollower.code(), -1)
        }
        RequestKind::Produce(_) => produced(0, 3),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, record("k"));
    rig.run_until(5_000);
    assert_eq!(acked(&rig.facts), [Some(Offset(3))]);
    assert_eq!(attempts(&rig.facts), [0, 1]);
}

#[test]
fn a_lost_connection_is_tried_again_and_the_batch_keeps_its_identity() {
    let mut resets = 0;
    let mut rig = Rig::new(producer(Acks::All), move |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::Produce(_) if resets < 2 => {
            resets += 1;
            Reply::Reset
        }
        RequestKind::Produce(_) => produced(0, 0),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, record("k"));
    rig.run_until(10_000);
    assert_eq!(attempts(&rig.facts), [0, 1, 2]);
    let sent: Vec<_> = rig
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::BatchSent { batch, .. } | Fact::BatchAcked { batch, .. } => Some(batch),
            _ => None,
        })
        .collect();
    assert!(sent.windows(2).all(|pair| pair[0] == pair[1]) && sent.len() == 4);
}

#[test]
fn a_silent_broker_costs_the_connection_and_in_the_end_the_record() {
    let mut rig = Rig::new(producer(Acks::All), |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, record("k"));
    rig.run_until(130_000);
    let failed = rig.facts.iter().any(|fact| matches!(fact, Fact::BatchFailed { .. }));
    assert!(failed && rig.client.pending() == 0, "{:?}", rig.facts);
    assert!(attempts(&rig.facts).len() >= 3);
}

#[test]
fn an_error_that_no_retry_mends_fails_at_once() {
    let mut rig = Rig::new(producer(Acks::All), |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        _ => produced(ErrorCode::MessageTooLarge.code(), -1),
    });
    rig.client.send(rig.now, record("k"));
    rig.run_until(1_000);
    assert!(matches!(
        rig.facts.last(),
        Some(Fact::BatchFailed { error: ErrorCode::MessageTooLarge, .. })
    ));
}

#[test]
fn acks_0_waits_for_nobody() {
    let mut rig = Rig::new(producer(Acks::None), |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, record("k"));
    rig.run_until(60_000);
    assert_eq!(acked(&rig.facts), [None]);
    assert_eq!(attempts(&rig.facts), [0]);
}

#[test]
fn a_dead_bootstrap_server_is_dialled_again_with_growing_pauses() {
    let mut rig = Rig::new(producer(Acks::All), |_, _| Reply::Silence);
    rig.dead = vec![1];
    rig.client.send(rig.now, record("k"));
    rig.run_until(10_000);
    assert_eq!(rig.client.pending(), 1, "the record still waits for its topic");
    rig.run_until(121_000);
    assert_eq!(rig.client.pending(), 0, "and is given up after delivery.timeout.ms");
}

fn batch_at(base: i64) -> topomotion_wire::Bytes {
    let mut builder = BatchBuilder::new();
    builder.push(&RecordRef { value: Some(b"v"), ..RecordRef::default() });
    builder.build().placed(Offset(base), LeaderEpoch(0)).into_bytes()
}

fn fetched(error: i16, base: Option<i64>) -> Reply {
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

fn listed(offset: i64) -> Reply {
    let mut partition = ListOffsetsPartitionResponse::default();
    partition.offset = offset;
    let mut topic = ListOffsetsTopicResponse::default();
    topic.name = orders();
    topic.partitions = vec![partition];
    let mut response = ListOffsetsResponse::default();
    response.topics = vec![topic];
    Reply::Answer(Box::new(ResponseKind::ListOffsets(response)))
}

fn consumer() -> Consumer {
    let offset_reset = OffsetReset::Earliest;
    let config = ConsumerConfig { offset_reset, ..ConsumerConfig::new(common()) };
    Consumer::new(config)
}

#[test]
fn a_consumer_finds_its_start_and_reads_on() {
    let mut rig = Rig::new(consumer(), |_, request| match request {
        RequestKind::Metadata(_) => metadata(2, 0),
        RequestKind::ListOffsets(_) => listed(4),
        RequestKind::Fetch(fetch) => match fetch.topics[0].partitions[0].fetch_offset {
            at @ 4..6 => fetched(0, Some(at)),
            _ => Reply::Silence,
        },
        _ => Reply::Silence,
    });
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(1_000);
    assert_eq!(rig.client.position(&partition()), Some(Offset(6)));
    let polled: Vec<_> = rig
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Polled { base, next, .. } => Some((base.0, next.0)),
            _ => None,
        })
        .collect();
    assert_eq!(polled, [(4, 5), (5, 6)]);
}

#[test]
fn a_consumer_follows_the_leader() {
    let mut refreshed = 0;
    let mut rig = Rig::new(consumer(), move |port, request| match request {
        RequestKind::Metadata(_) => {
            refreshed += 1;
            if refreshed == 1 { metadata(1, 0) } else { metadata(2, 1) }
        }
        RequestKind::ListOffsets(_) => listed(0),
        RequestKind::Fetch(_) if port == 1 => {
            fetched(ErrorCode::NotLeaderOrFollower.code(), None)
        }
        RequestKind::Fetch(fetch) => match fetch.topics[0].partitions[0].fetch_offset {
            0 => fetched(0, Some(0)),
            _ => Reply::Silence,
        },
        _ => Reply::Silence,
    });
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(5_000);
    assert_eq!(rig.client.position(&partition()), Some(Offset(1)));
}

#[test]
fn an_offset_out_of_range_starts_the_search_again() {
    let mut asked = 0;
    let mut rig = Rig::new(consumer(), move |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::ListOffsets(_) => {
            asked += 1;
            listed(if asked == 1 { 0 } else { 500 })
        }
        RequestKind::Fetch(fetch) => match fetch.topics[0].partitions[0].fetch_offset {
            0 => fetched(ErrorCode::OffsetOutOfRange.code(), None),
            _ => Reply::Silence,
        },
        _ => Reply::Silence,
    });
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(5_000);
    assert_eq!(rig.client.position(&partition()), Some(Offset(500)));
}

#[test]
fn garbage_in_a_fetch_is_not_handed_on() {
    let mut rig = Rig::new(consumer(), |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::ListOffsets(_) => listed(0),
        RequestKind::Fetch(_) => {
            let mut partition = PartitionData::default();
            partition.records = Some(vec![0xff; 100].into());
            let mut topic = FetchableTopicResponse::default();
            topic.topic = orders();
            topic.partitions = vec![partition];
            let mut response = FetchResponse::default();
            response.responses = vec![topic];
            Reply::Answer(Box::new(ResponseKind::Fetch(response)))
        }
        _ => Reply::Silence,
    });
    rig.client.assign(rig.now, [partition()]);
    rig.run_until(100);
    assert_eq!(rig.client.position(&partition()), Some(Offset(0)));
    assert!(!rig.facts.iter().any(|fact| matches!(fact, Fact::Polled { .. })));
}
