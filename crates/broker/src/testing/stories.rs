//! Steps that the stories share, and the stories themselves by theme.

mod admin;
mod clients;
mod cluster;
mod control;
mod coordination;
mod durability;
mod leader_hints;
mod noise;
mod reading;
mod refusals;
mod replication;
mod retention;
mod scram;

use topomotion_wire::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use topomotion_wire::messages::fetch_request::{FetchPartition, FetchTopic};
use topomotion_wire::messages::list_offsets_request::{
    ListOffsetsPartition, ListOffsetsTopic,
};
use topomotion_wire::messages::produce_request::{
    PartitionProduceData, TopicProduceData,
};
use topomotion_wire::messages::{
    BrokerId, CreateTopicsRequest, FetchRequest, ListOffsetsRequest, ProduceRequest,
    RequestKind, ResponseKind, TopicName,
};
use topomotion_wire::{ConnectionId, Fact, NodeId, StrBytes, TopicPartition};

use super::rig::{Rig, batch};
use crate::view::BrokerStatus;

fn name(text: &str) -> TopicName {
    TopicName(StrBytes::from_string(text.to_owned()))
}

fn orders() -> TopicPartition {
    TopicPartition::new("orders", 0)
}

/// Runs until every live broker serves and every node has heard of it.
fn settle(rig: &mut Rig) {
    rig.run_until("every broker to serve", |rig| {
        rig.nodes().all(|(_, node)| {
            !node.config().roles.is_broker()
                || matches!(node.broker_status(), BrokerStatus::Running(_))
        })
    });
    rig.run_for(600);
}

/// A topic with one partition on these replicas.
fn topic(topic: &str, replicas: &[i32], configs: &[(&str, &str)]) -> CreateTopicsRequest {
    let config = |(key, value): &(&str, &str)| {
        CreatableTopicConfig::default()
            .with_name(name(key).0)
            .with_value(Some(name(value).0))
    };
    let assignment = CreatableReplicaAssignment::default()
        .with_broker_ids(replicas.iter().map(|&id| BrokerId(id)).collect());
    let wanted = CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(-1)
        .with_replication_factor(-1)
        .with_assignments(vec![assignment])
        .with_configs(configs.iter().map(config).collect());
    CreateTopicsRequest::default().with_topics(vec![wanted]).with_timeout_ms(30_000)
}

/// Creates `orders` with one partition on these replicas, through broker 1.
fn create_orders(rig: &mut Rig, replicas: &[i32], configs: &[(&str, &str)]) {
    let response = rig.call(1, 7, topic("orders", replicas, configs));
    let ResponseKind::CreateTopics(response) = response else { panic!("{response:?}") };
    assert_eq!(response.topics[0].error_code, 0, "{:?}", response.topics[0]);
    rig.run_for(600);
}

/// Three brokers, `controllers` controllers, and `orders` on all three, led by broker 1.
fn three_brokers(controllers: i32, configs: &[(&str, &str)]) -> Rig {
    let mut rig = Rig::new(3, controllers);
    settle(&mut rig);
    create_orders(&mut rig, &[1, 2, 3], configs);
    rig
}

fn produce(acks: i16, timeout_ms: i32, values: &[&str]) -> RequestKind {
    let data = PartitionProduceData::default().with_records(Some(batch(values)));
    let topic = TopicProduceData::default()
        .with_name(name("orders"))
        .with_partition_data(vec![data]);
    let request = ProduceRequest::default()
        .with_acks(acks)
        .with_timeout_ms(timeout_ms)
        .with_topic_data(vec![topic]);
    RequestKind::Produce(request)
}

/// Error code and base offset of a produce answer.
fn produced(response: &ResponseKind) -> (i16, i64) {
    let ResponseKind::Produce(response) = response else { panic!("{response:?}") };
    let answer = &response.responses[0].partition_responses[0];
    (answer.error_code, answer.base_offset)
}

/// Produces to broker `node` and waits for the answer.
fn produce_to(rig: &mut Rig, node: i32, acks: i16, values: &[&str]) -> (i16, i64) {
    produced(&rig.call(node, 9, produce(acks, 30_000, values)))
}

fn fetch(offset: i64, max_wait_ms: i32) -> RequestKind {
    let partition = FetchPartition::default()
        .with_fetch_offset(offset)
        .with_partition_max_bytes(1 << 20);
    let topic =
        FetchTopic::default().with_topic(name("orders")).with_partitions(vec![partition]);
    let request = FetchRequest::default()
        .with_max_wait_ms(max_wait_ms)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_topics(vec![topic]);
    RequestKind::Fetch(request)
}

/// Error code and number of bytes of a fetch answer.
fn fetched(response: &ResponseKind) -> (i16, usize) {
    let ResponseKind::Fetch(response) = response else { panic!("{response:?}") };
    let data = &response.responses[0].partitions[0];
    (data.error_code, data.records.as_ref().map_or(0, bytes::Bytes::len))
}

/// Error code and offset that ListOffsets answers with.
fn list_offsets(rig: &mut Rig, node: i32, timestamp: i64) -> (i16, i64) {
    let partition = ListOffsetsPartition::default()
        .with_current_leader_epoch(-1)
        .with_timestamp(timestamp);
    let topic = ListOffsetsTopic::default()
        .with_name(name("orders"))
        .with_partitions(vec![partition]);
    let request = ListOffsetsRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_topics(vec![topic]);
    let response = rig.call(node, 6, request);
    let ResponseKind::ListOffsets(response) = response else { panic!("{response:?}") };
    let answer = &response.topics[0].partitions[0];
    (answer.error_code, answer.offset)
}

/// Log end and high watermark of `orders` on a node.
fn offsets(rig: &Rig, node: i32) -> (i64, i64) {
    let view = rig.replica(node, &orders());
    (view.log_end.0, view.high_watermark.0)
}

/// The ISR of `orders` as its leader on `node` knows it.
fn isr(rig: &Rig, node: i32) -> Vec<i32> {
    rig.replica(node, &orders()).isr.iter().map(|id| id.0).collect()
}

fn is_answered(rig: &Rig, connection: ConnectionId) -> bool {
    !rig.inbox(connection).responses.is_empty()
}

/// The active controller's number.
fn active_controller(rig: &Rig) -> i32 {
    let active = rig.nodes().find(|(_, node)| node.is_active_controller());
    active.expect("somebody is in office").0
}

/// Every committed registration of `orders`, as the active controller told it.
fn registrations(rig: &Rig) -> Vec<topomotion_wire::PartitionState> {
    let told = rig.facts.iter().filter_map(|(_, _, fact)| match fact {
        Fact::PartitionChanged { partition, state } if *partition == orders() => {
            Some(state.clone())
        }
        _ => None,
    });
    told.collect()
}
