//! What is told of each message: its essence, its errors, and whether it is news.

use std::collections::BTreeMap;

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use kafka_protocol::messages::{
    BrokerHeartbeatRequest, FetchRequest, FetchResponse, ProduceRequest, RequestKind,
    ResponseKind, TopicName,
};
use topomotion_log::{BatchBuilder, RecordRef};
use topomotion_wire::{CorrelationId, Request, Response, StrBytes};

use super::*;

fn topic() -> TopicName {
    TopicName(StrBytes::from_static_str("orders"))
}

fn fetch(offset: i64) -> Message {
    let partition =
        FetchPartition::default().with_fetch_offset(offset).with_current_leader_epoch(3);
    let topic =
        FetchTopic::default().with_topic(topic()).with_partitions(vec![partition]);
    let body = RequestKind::Fetch(FetchRequest::default().with_topics(vec![topic]));
    Message::from(Request {
        correlation: CorrelationId(1),
        version: 12,
        client: "".into(),
        body,
    })
}

fn fetched(watermark: i64, error: i16) -> Message {
    let data =
        PartitionData::default().with_high_watermark(watermark).with_error_code(error);
    let topic =
        FetchableTopicResponse::default().with_topic(topic()).with_partitions(vec![data]);
    let body = ResponseKind::Fetch(FetchResponse::default().with_responses(vec![topic]));
    Message::from(Response { correlation: CorrelationId(1), version: 12, body })
}

/// What each of the messages, sent one after the other, looks like.
fn said(messages: &[Message]) -> Vec<(String, bool)> {
    let names = Dictionary::new(BTreeMap::new());
    let mut errands = Errands::default();
    let weigh = |message: &Message| {
        let (_, essence) = describe(message, &names);
        let way = Way::Asking;
        let errand = Errand { from: "a".into(), to: "b".into(), api: essence.api, way };
        errands.weigh(errand, &essence.parts)
    };
    messages.iter().map(weigh).collect()
}

#[test]
fn a_fetch_whose_offset_has_moved_is_news_and_a_repeated_one_is_not() {
    let said = said(&[fetch(0), fetch(0), fetch(1)]);
    assert_eq!(said[0], ("orders-0 offset 0 epoch 3".to_owned(), true));
    assert_eq!(said[1], ("orders-0 offset 0 epoch 3".to_owned(), false));
    assert_eq!(said[2], ("orders-0 offset 1 epoch 3".to_owned(), true));
}

#[test]
fn an_empty_answer_is_news_only_when_the_watermark_or_the_error_is_new() {
    let said = said(&[fetched(0, 0), fetched(0, 0), fetched(1, 0), fetched(1, 6)]);
    let news: Vec<bool> = said.iter().map(|(_, news)| *news).collect();
    assert_eq!(news, [true, false, true, true]);
    assert_eq!(said[2].0, "orders-0 hw 1");
    assert_eq!(said[3].0, "orders-0 NOT_LEADER_OR_FOLLOWER");
}

#[test]
fn a_heartbeat_is_routine_although_its_offset_moves() {
    let beat = |offset| {
        let body = BrokerHeartbeatRequest::default().with_current_metadata_offset(offset);
        let body = RequestKind::BrokerHeartbeat(body);
        Message::from(Request {
            correlation: CorrelationId(1),
            version: 1,
            client: "".into(),
            body,
        })
    };
    let said = said(&[beat(7), beat(9)]);
    assert_eq!(said[1], ("metadata offset 9".to_owned(), false));
}

#[test]
fn a_produce_tells_its_records_and_its_size_on_the_wire() {
    let mut batch = BatchBuilder::new();
    batch.push(&RecordRef { value: Some(b"hello"), ..RecordRef::default() });
    batch.push(&RecordRef { value: Some(b"again"), ..RecordRef::default() });
    let bytes = batch.build().into_bytes();
    let length = bytes.len();
    let data = PartitionProduceData::default().with_index(2).with_records(Some(bytes));
    let data =
        TopicProduceData::default().with_name(topic()).with_partition_data(vec![data]);
    let body = ProduceRequest::default().with_acks(-1).with_topic_data(vec![data]);
    let body = RequestKind::Produce(body);
    let message = Message::from(Request {
        correlation: CorrelationId(1),
        version: 9,
        client: "".into(),
        body,
    });

    let names = Dictionary::new(BTreeMap::new());
    let (key, essence) = describe(&message, &names);
    assert_eq!((essence.api, essence.records), ("Produce", 2));
    assert_eq!(essence.parts[0].text, "orders-2 2 records acks=all");
    let bytes = Scales::default().weigh(key, &message, "order-producer");
    assert!(bytes as usize > length + 40, "{bytes}");
}

#[test]
fn errors_have_kafkas_names() {
    assert_eq!(error_name(0), None);
    assert_eq!(error_name(6).as_deref(), Some("NOT_LEADER_OR_FOLLOWER"));
    assert_eq!(error_name(19).as_deref(), Some("NOT_ENOUGH_REPLICAS"));
    assert_eq!(error_name(9_999).as_deref(), Some("ERROR_9999"));
}
