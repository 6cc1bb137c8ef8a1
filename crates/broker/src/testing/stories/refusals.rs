//! What brokers refuse, by which code, and what stands in the rest of such an answer.

use topomotion_log::{BatchBuilder, Compression, RecordRef};
use topomotion_wire::messages::create_topics_request::CreatableTopic;
use topomotion_wire::messages::metadata_request::MetadataRequestTopic;
use topomotion_wire::messages::{
    DeleteTopicsRequest, DescribeClusterRequest, DescribeGroupsRequest,
    DescribeTopicPartitionsRequest, FetchResponse, FindCoordinatorRequest, GroupId,
    MetadataRequest, MetadataResponse,
};
use topomotion_wire::{Bytes, ErrorCode};
use uuid::Uuid;

use super::*;

fn code(error: ErrorCode) -> i16 {
    error.code()
}

fn produce_of(records: Bytes) -> ProduceRequest {
    let RequestKind::Produce(mut request) = produce(-1, 30_000, &["a"]) else {
        panic!("a produce request")
    };
    request.topic_data[0].partition_data[0].records = Some(records);
    request
}

fn zstd() -> Bytes {
    let mut batch = BatchBuilder::new().with_compression(Compression::Zstd);
    let value = Some(&b"the same and the same and the same"[..]);
    batch.push(&RecordRef { value, ..RecordRef::default() });
    batch.build().into_bytes()
}

fn read(rig: &mut Rig, node: i32, version: i16, request: RequestKind) -> FetchResponse {
    let ResponseKind::Fetch(response) = rig.call(node, version, request) else {
        panic!("a fetch response")
    };
    response
}

#[test]
fn acks_are_none_one_or_all() {
    let mut rig = three_brokers(1, &[]);
    let wrong = produced(&rig.call(1, 9, produce(2, 1_000, &["a"])));
    assert_eq!(wrong, (code(ErrorCode::InvalidRequiredAcks), -1));
    assert_eq!(offsets(&rig, 1).0, 0, "nothing is appended");
}

#[test]
fn who_wants_no_answer_hears_of_an_error_by_the_end_of_the_connection() {
    let mut rig = three_brokers(1, &[]);
    let connection = rig.connect(2);
    rig.ask(connection, 9, produce(0, 1_000, &["a"]));
    rig.run_for(100);
    assert!(rig.inbox(connection).closed, "broker 2 does not lead");
    assert!(!is_answered(&rig, connection));
}

#[test]
fn zstandard_is_for_those_who_know_it() {
    let unknown = code(ErrorCode::UnsupportedCompressionType);
    let mut rig = three_brokers(1, &[]);
    let send =
        |rig: &mut Rig, version| produced(&rig.call(1, version, produce_of(zstd())));
    assert_eq!(send(&mut rig, 6), (unknown, -1));
    assert_eq!(send(&mut rig, 7), (0, 0));
    assert_eq!(fetched(&rig.call(1, 9, fetch(0, 0))).0, 0, "as its producer sent it");

    let mut rig = three_brokers(1, &[("compression.type", "zstd")]);
    assert_eq!(produce_to(&mut rig, 1, -1, &["a"]), (0, 0));
    assert_eq!(fetched(&rig.call(1, 9, fetch(0, 0))), (unknown, 0));
    let (error, bytes) = fetched(&rig.call(1, 10, fetch(0, 0)));
    assert!(error == 0 && bytes > 0, "{error}, {bytes} bytes");
}

#[test]
fn older_formats_are_no_records() {
    let mut rig = three_brokers(1, &[]);
    let mut of_format = |magic: u8| {
        let mut bytes = batch(&["a"]).to_vec();
        bytes[16] = magic;
        produced(&rig.call(1, 9, produce_of(bytes.into())))
    };
    assert_eq!(of_format(1), (code(ErrorCode::InvalidRecord), -1));
    assert_eq!(of_format(3), (code(ErrorCode::CorruptMessage), -1));
}

#[test]
fn records_that_are_not_there_are_empty_and_aborted_ones_null_unless_asked_for() {
    let mut rig = three_brokers(1, &[]);
    for (node, error) in [(1, 0), (2, code(ErrorCode::NotLeaderOrFollower))] {
        for version in [4, 10] {
            let response = read(&mut rig, node, version, fetch(0, 0));
            let partition = &response.responses[0].partitions[0];
            assert_eq!(partition.error_code, error, "{node} in version {version}");
            assert_eq!(partition.records, Some(Bytes::new()));
        }
    }
    let RequestKind::Fetch(committed) = fetch(0, 0) else { panic!() };
    let committed = committed.with_isolation_level(1);
    let response = read(&mut rig, 1, 10, committed.into());
    assert_eq!(response.responses[0].partitions[0].aborted_transactions, Some(vec![]));
    let response = read(&mut rig, 1, 10, fetch(0, 0));
    assert_eq!(response.responses[0].partitions[0].aborted_transactions, None);
}

#[test]
fn the_id_of_a_topic_that_is_gone_is_not_that_of_its_successor() {
    let mut rig = three_brokers(1, &[]);
    let id = |rig: &Rig| rig.node(1).image().topic("orders").expect("it is there").id.0;
    let old = id(&rig);
    let write = |rig: &mut Rig, id: Uuid| {
        let mut request = produce_of(batch(&["a"]));
        request.topic_data[0].topic_id = id;
        produced(&rig.call(1, 13, request)).0
    };
    let fetch_by = |rig: &mut Rig, id: Uuid, session: (i32, i32)| {
        let RequestKind::Fetch(mut request) = fetch(0, 0) else { panic!() };
        request.topics[0].topic_id = id;
        let request = request.with_session_id(session.0).with_session_epoch(session.1);
        read(rig, 1, 13, request.into())
    };
    assert_eq!(write(&mut rig, old), 0);
    let session = fetch_by(&mut rig, old, (0, 0)).session_id;
    let names = vec![name("orders")];
    let delete = DeleteTopicsRequest::default().with_topic_names(names);
    rig.call(1, 5, delete.with_timeout_ms(30_000));
    rig.run_for(600);
    create_orders(&mut rig, &[1, 2, 3], &[]);
    let unknown = code(ErrorCode::UnknownTopicId);
    assert_eq!(write(&mut rig, old), unknown);
    let of_session = fetch_by(&mut rig, old, (session, 1));
    assert_eq!(of_session.responses[0].partitions[0].error_code, unknown);
    let new = id(&rig);
    let (written, read) = (write(&mut rig, new), fetch_by(&mut rig, new, (0, -1)));
    assert_eq!((written, read.responses[0].partitions[0].error_code), (0, 0));
}

/// Wishes for topics: name and number of partitions on one broker.
fn creation(wanted: &[(&str, i32)]) -> CreateTopicsRequest {
    let topic = |&(topic, partitions): &(&str, i32)| {
        CreatableTopic::default()
            .with_name(name(topic))
            .with_num_partitions(partitions)
            .with_replication_factor(1)
    };
    let topics = wanted.iter().map(topic).collect();
    CreateTopicsRequest::default().with_topics(topics).with_timeout_ms(30_000)
}

/// Each topic of the answer, with its error and how many settings it tells.
fn created(
    rig: &mut Rig,
    request: CreateTopicsRequest,
) -> Vec<(String, i16, Option<usize>)> {
    let ResponseKind::CreateTopics(response) = rig.call(2, 7, request) else {
        panic!("an answer of its kind")
    };
    rig.run_for(600);
    let topics = response.topics.iter();
    let one =
        |it: &topomotion_wire::messages::create_topics_response::CreatableTopicResult| {
            (it.name.to_string(), it.error_code, it.configs.as_ref().map(Vec::len))
        };
    topics.map(one).collect()
}

#[test]
fn every_topic_has_its_own_outcome_and_its_place() {
    let mut rig = three_brokers(1, &[]);
    let wanted = [("fine", 2), ("orders", 1), ("no/name", 1), ("none", 0)];
    let errors = [
        None,
        Some(ErrorCode::TopicAlreadyExists),
        Some(ErrorCode::InvalidTopicException),
        Some(ErrorCode::InvalidPartitions),
    ];
    let outcome = created(&mut rig, creation(&wanted).with_validate_only(true));
    assert!(rig.node(1).image().topic("fine").is_none(), "only tried");
    assert_eq!(created(&mut rig, creation(&wanted)), outcome, "what was foretold");
    assert!(rig.node(1).image().topic("fine").is_some());
    for ((told, wanted), error) in outcome.iter().zip(wanted).zip(errors) {
        assert_eq!((&*told.0, told.1), (wanted.0, error.map_or(0, |it| it.code())));
        let settings = told.2.expect("no settings are an empty list");
        assert_eq!(settings > 0, error.is_none(), "{told:?}");
    }
}

#[test]
fn a_broker_is_asked_as_a_broker_and_a_controller_as_one() {
    let mut rig = three_brokers(1, &[]);
    let mut ask = |node, version, endpoint_type| {
        let request = DescribeClusterRequest::default().with_endpoint_type(endpoint_type);
        let ResponseKind::DescribeCluster(told) = rig.call(node, version, request) else {
            panic!("an answer of its kind")
        };
        assert_eq!(told.error_message.is_some(), told.error_code != 0);
        (told.error_code, told.brokers.len())
    };
    let mismatched = code(ErrorCode::MismatchedEndpointType);
    assert_eq!((ask(1, 1, 1), ask(1, 2, 2)), ((0, 3), (mismatched, 0)));
    assert_eq!((ask(101, 1, 2), ask(101, 1, 1)), ((0, 3), (mismatched, 0)));
    assert_eq!(ask(101, 0, 1), (code(ErrorCode::InvalidRequest), 0));
    assert_eq!(ask(1, 1, 7), (code(ErrorCode::UnsupportedEndpointType), 0));
}

fn metadata(rig: &mut Rig, version: i16, topics: Option<&[&str]>) -> MetadataResponse {
    let topic = |it: &&str| MetadataRequestTopic::default().with_name(Some(name(it)));
    let topics = topics.map(|topics| topics.iter().map(topic).collect());
    let request = MetadataRequest::default().with_topics(topics);
    let ResponseKind::Metadata(response) = rig.call(2, version, request) else {
        panic!("an answer of its kind")
    };
    response
}

#[test]
fn no_topics_are_none_or_all_and_nobody_is_told_of_rights_unasked() {
    let mut rig = three_brokers(1, &[]);
    let mut count = |version, topics| metadata(&mut rig, version, topics).topics.len();
    assert_eq!(count(0, Some(&[])), 1, "the oldest clients mean all");
    assert_eq!((count(1, Some(&[])), count(12, Some(&[]))), (0, 0));
    assert_eq!((count(1, None), count(13, None)), (1, 1));
    let response = metadata(&mut rig, 8, Some(&["orders", "nothing"]));
    let told = response.topics.iter().map(|it| it.error_code);
    let unknown = code(ErrorCode::UnknownTopicOrPartition);
    assert_eq!(told.collect::<Vec<_>>(), [0, unknown], "in the order of asking");
    assert_eq!(response.cluster_authorized_operations, i32::MIN);
    assert_eq!(response.topics[0].topic_authorized_operations, i32::MIN);
}

#[test]
fn whoever_asks_is_told_of_all_rights_where_nobody_decides_on_them() {
    let mut rig = three_brokers(1, &[]);
    let (of_topics, of_groups, of_cluster) = (3_576, 3_400, 8_096);
    let request = MetadataRequest::default()
        .with_topics(None)
        .with_include_cluster_authorized_operations(true)
        .with_include_topic_authorized_operations(true);
    let ResponseKind::Metadata(told) = rig.call(1, 8, request) else { panic!() };
    assert_eq!(told.cluster_authorized_operations, of_cluster);
    assert_eq!(told.topics[0].topic_authorized_operations, of_topics);

    let request = DescribeClusterRequest::default().with_endpoint_type(1);
    let asking = request.clone().with_include_cluster_authorized_operations(true);
    for (request, set) in [(request, i32::MIN), (asking, of_cluster)] {
        let ResponseKind::DescribeCluster(told) = rig.call(1, 1, request) else {
            panic!("an answer of its kind")
        };
        assert_eq!(told.cluster_authorized_operations, set);
    }
    let request = DescribeTopicPartitionsRequest::default();
    let ResponseKind::DescribeTopicPartitions(told) = rig.call(1, 0, request) else {
        panic!("an answer of its kind")
    };
    assert_eq!(told.topics[0].topic_authorized_operations, of_topics, "unasked");

    // Whose coordinator is not there yet is refused, and a refusal tells of no rights.
    let group = || vec![GroupId(name("g").0)];
    let describe = || {
        let request = DescribeGroupsRequest::default().with_groups(group());
        request.with_include_authorized_operations(true)
    };
    let ResponseKind::DescribeGroups(told) = rig.call(1, 5, describe()) else { panic!() };
    assert_ne!(told.groups[0].error_code, 0);
    assert_eq!(told.groups[0].authorized_operations, i32::MIN);
    let find = FindCoordinatorRequest::default().with_key(name("g").0);
    rig.call(1, 3, find.clone());
    rig.run_for(2_000);
    let ResponseKind::FindCoordinator(at) = rig.call(1, 3, find) else { panic!() };
    let described = rig.call(at.node_id.0, 5, describe());
    let ResponseKind::DescribeGroups(told) = described else { panic!() };
    assert_eq!((told.groups[0].error_code, &*told.groups[0].group_state), (0, "Dead"));
    assert_eq!(told.groups[0].authorized_operations, of_groups);
}
