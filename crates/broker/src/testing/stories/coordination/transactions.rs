//! Transactions through brokers.

use topomotion_coordinator::TransactionVersion;
use topomotion_log::{Attributes, BatchBuilder, ProducerStamp, RecordRef};
use topomotion_wire::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use topomotion_wire::messages::describe_producers_request::TopicRequest;
use topomotion_wire::messages::{
    AddPartitionsToTxnRequest, DescribeProducersRequest, EndTxnRequest,
    InitProducerIdRequest, ProducerId, TransactionalId, describe_producers_response,
};
use topomotion_wire::{Bytes, TransactionState};

use super::*;

/// An error code, a producer id and its epoch.
type Identity = (i16, i64, i16);

fn init(rig: &mut Rig, node: i32, transactional_id: Option<&str>) -> Identity {
    let request = InitProducerIdRequest::default()
        .with_transactional_id(transactional_id.map(|id| TransactionalId(name(id).0)))
        .with_transaction_timeout_ms(60_000)
        .with_producer_id(ProducerId(-1))
        .with_producer_epoch(-1);
    let ResponseKind::InitProducerId(response) = rig.call(node, 5, request) else {
        panic!("an answer of its kind")
    };
    (response.error_code, response.producer_id.0, response.producer_epoch)
}

/// As a client does: again, while the coordinator loads or is busy.
fn identity(rig: &mut Rig, node: i32, transactional_id: Option<&str>) -> (i64, i16) {
    let passing = [
        ErrorCode::CoordinatorLoadInProgress.code(),
        ErrorCode::ConcurrentTransactions.code(),
    ];
    for _ in 0..50 {
        let (code, id, epoch) = init(rig, node, transactional_id);
        if code == 0 {
            return (id, epoch);
        }
        assert!(passing.contains(&code), "{code}");
        rig.run_for(100);
    }
    panic!("no producer id");
}

#[test]
fn ids_come_from_the_controller_in_blocks_that_nobody_shares() {
    let mut rig = cluster();
    let first = init(&mut rig, 1, None);
    assert_eq!(first, (ErrorCode::CoordinatorLoadInProgress.code(), -1, -1));
    let mut ids = Vec::new();
    for node in [1, 2, 1, 3, 2] {
        ids.push(identity(&mut rig, node, None));
    }
    let expected = [0, 1_000, 1, 2_000, 1_001].map(|id| (id, 0));
    assert_eq!(ids, expected);
    assert!(rig.marks.contains(&Rule::Prd9));
    // A broker that starts again has lost its block, and the ids in it.
    rig.crash(1);
    rig.start(1);
    settle(&mut rig);
    assert_eq!(identity(&mut rig, 1, None).0, 3_000);
}

/// One batch of a transaction.
fn batch_of((id, epoch): (i64, i16), base_sequence: i32, value: &str) -> Bytes {
    let mut builder = BatchBuilder::new()
        .with_attributes(Attributes::TRANSACTIONAL)
        .with_producer(ProducerStamp { id, epoch, base_sequence });
    builder.push(&RecordRef { value: Some(value.as_bytes()), ..RecordRef::default() });
    builder.build().into_bytes()
}

/// Produces one record of a transaction to a partition, at its leader.
fn write(
    rig: &mut Rig,
    version: i16,
    partition: &TopicPartition,
    producer: (i64, i16),
    sequence: i32,
) -> i16 {
    let records = batch_of(producer, sequence, "record");
    let data = PartitionProduceData::default()
        .with_index(partition.partition)
        .with_records(Some(records));
    let topic = TopicProduceData::default()
        .with_name(name(&partition.topic))
        .with_partition_data(vec![data]);
    let request = ProduceRequest::default()
        .with_transactional_id(Some(TransactionalId(name("shop").0)))
        .with_acks(-1)
        .with_timeout_ms(30_000)
        .with_topic_data(vec![topic]);
    let leader = rig.node(1).image().partition(partition).unwrap().leader.unwrap();
    produced(&rig.call(leader.0, version, request)).0
}

fn add(
    rig: &mut Rig,
    node: i32,
    (id, epoch): (i64, i16),
    partitions: &[TopicPartition],
) -> Vec<i16> {
    let topic = |it: &TopicPartition| {
        let topic = AddPartitionsToTxnTopic::default().with_name(name(&it.topic));
        topic.with_partitions(vec![it.partition])
    };
    let request = AddPartitionsToTxnRequest::default()
        .with_v3_and_below_transactional_id(TransactionalId(name("shop").0))
        .with_v3_and_below_producer_id(ProducerId(id))
        .with_v3_and_below_producer_epoch(epoch)
        .with_v3_and_below_topics(partitions.iter().map(topic).collect());
    let ResponseKind::AddPartitionsToTxn(response) = rig.call(node, 3, request) else {
        panic!("an answer of its kind")
    };
    let topics = response.results_by_topic_v3_and_below.iter();
    topics
        .flat_map(|topic| &topic.results_by_partition)
        .map(|it| it.partition_error_code)
        .collect()
}

fn end(
    rig: &mut Rig,
    node: i32,
    version: i16,
    (id, epoch): (i64, i16),
    committed: bool,
) -> (i16, (i64, i16)) {
    let request = EndTxnRequest::default()
        .with_transactional_id(TransactionalId(name("shop").0))
        .with_producer_id(ProducerId(id))
        .with_producer_epoch(epoch)
        .with_committed(committed);
    let ResponseKind::EndTxn(response) = rig.call(node, version, request) else {
        panic!("an answer of its kind")
    };
    (response.error_code, (response.producer_id.0, response.producer_epoch))
}

/// Two topics with different leaders, and the coordinator of `shop`.
fn shop(rig: &mut Rig) -> (i32, [TopicPartition; 2]) {
    for (topic_name, replicas) in [("orders", [1, 2, 3]), ("stock", [2, 3, 1])] {
        let response = rig.call(1, 7, topic(topic_name, &replicas, &[]));
        let ResponseKind::CreateTopics(response) = response else { panic!() };
        assert_eq!(response.topics[0].error_code, 0);
    }
    let node = coordinator(rig, 1, "shop");
    rig.run_for(600);
    (node, [TopicPartition::new("orders", 0), TopicPartition::new("stock", 0)])
}

fn states(rig: &Rig) -> Vec<TransactionState> {
    let mut states: Vec<TransactionState> = Vec::new();
    for (_, _, fact) in &rig.facts {
        if let Fact::TransactionChanged { view, .. } = fact
            && states.last() != Some(&view.state)
        {
            states.push(view.state);
        }
    }
    states
}

/// The last stable offset and the log end at the leader of a partition.
fn stable(rig: &Rig, partition: &TopicPartition) -> (i64, i64) {
    let leader = rig.node(1).image().partition(partition).unwrap().leader.unwrap();
    let view = rig.replica(leader.0, partition);
    (view.last_stable.0, view.log_end.0)
}

#[test]
fn a_commit_reaches_two_leaders() {
    let mut rig = cluster();
    let (node, [orders, stock]) = shop(&mut rig);
    let producer = identity(&mut rig, node, Some("shop"));
    assert_eq!(write(&mut rig, 12, &orders, producer, 0), 0);
    assert_eq!(write(&mut rig, 12, &stock, producer, 0), 0);
    rig.run_for(600);
    assert_eq!(stable(&rig, &orders), (0, 1), "the transaction is open");
    let (code, next) = end(&mut rig, node, 5, producer, true);
    assert_eq!((code, next), (0, (producer.0, producer.1 + 1)), "a new epoch (TXN-5)");
    rig.run_for(1_000);
    for partition in [&orders, &stock] {
        assert_eq!(stable(&rig, partition), (2, 2), "a record and a marker");
    }
    assert_eq!(
        states(&rig).split_first().map(|(_, rest)| rest.to_vec()),
        Some(vec![
            TransactionState::Ongoing,
            TransactionState::PrepareCommit,
            TransactionState::CompleteCommit,
        ])
    );
    for rule in [Rule::Txn3, Rule::Txn4, Rule::Txn5, Rule::Txn6] {
        assert!(rig.marks.contains(&rule), "{rule}");
    }
    assert_eq!(write(&mut rig, 12, &orders, next, 0), 0, "and the next one begins");
}

/// Error, and of each producer its id, its last sequence number and where its transaction began.
type Writers = (i16, Vec<(i64, i32, i64)>);

/// Who has written to partition 0 of these topics, as one broker knows it.
fn producers(rig: &mut Rig, node: i32, topics: &[&str]) -> Vec<Writers> {
    let topic = |it: &&str| {
        let topic = TopicRequest::default().with_name(name(it));
        topic.with_partition_indexes(vec![0])
    };
    let topics = topics.iter().map(topic).collect();
    let request = DescribeProducersRequest::default().with_topics(topics);
    let ResponseKind::DescribeProducers(response) = rig.call(node, 0, request) else {
        panic!("an answer of its kind")
    };
    let one = |it: &describe_producers_response::PartitionResponse| {
        let told = it.active_producers.iter();
        let told = told
            .map(|it| (it.producer_id.0, it.last_sequence, it.current_txn_start_offset));
        (it.error_code, told.collect())
    };
    response.topics.iter().map(|it| one(&it.partitions[0])).collect()
}

#[test]
fn every_replica_tells_who_wrote_to_it() {
    let mut rig = cluster();
    let (node, [orders, _]) = shop(&mut rig);
    let producer = identity(&mut rig, node, Some("shop"));
    assert_eq!(write(&mut rig, 12, &orders, producer, 0), 0);
    rig.run_for(600);
    for replica in 1..=3 {
        let unknown = ErrorCode::UnknownTopicOrPartition.code();
        let told = producers(&mut rig, replica, &["orders", "stock", "nothing"]);
        let open = (0, vec![(producer.0, 0, 0)]);
        assert_eq!(told, [open, (0, vec![]), (unknown, vec![])], "{replica}");
    }
    assert_eq!(end(&mut rig, node, 5, producer, true).0, 0);
    rig.run_for(1_000);
    // A marker of the new epoch has ended it: no batch of that epoch is known.
    let ended = (0, vec![(producer.0, -1, -1)]);
    assert_eq!(producers(&mut rig, 2, &["orders"]), [ended]);
}

#[test]
fn a_write_that_no_transaction_knows_is_refused() {
    let mut rig = with_settings(|settings| {
        settings.transactions.version = TransactionVersion::V1;
    });
    let (node, [orders, stock]) = shop(&mut rig);
    let producer = identity(&mut rig, node, Some("shop"));
    assert_eq!(add(&mut rig, node, producer, std::slice::from_ref(&orders)), [0]);
    assert_eq!(write(&mut rig, 11, &orders, producer, 0), 0);
    let code = write(&mut rig, 11, &stock, producer, 0);
    assert_eq!(code, ErrorCode::TransactionAbortable.code());
    let code = write(&mut rig, 10, &stock, producer, 0);
    assert_eq!(code, ErrorCode::InvalidTxnState.code(), "what an older client knows");
    assert_eq!(end(&mut rig, node, 4, producer, true).0, 0);
    rig.run_for(1_000);
    let code = write(&mut rig, 11, &orders, producer, 1);
    assert_eq!(code, ErrorCode::TransactionAbortable.code(), "it is over");
    assert_eq!(stable(&rig, &orders), (2, 2));
    assert_eq!(stable(&rig, &stock), (0, 0));
}

#[test]
fn without_verification_a_late_write_hangs_for_ever() {
    let mut rig = with_settings(|settings| {
        settings.transactions.version = TransactionVersion::V1Unverified;
    });
    let (node, [orders, _]) = shop(&mut rig);
    let producer = identity(&mut rig, node, Some("shop"));
    assert_eq!(add(&mut rig, node, producer, std::slice::from_ref(&orders)), [0]);
    assert_eq!(write(&mut rig, 11, &orders, producer, 0), 0);
    assert_eq!(end(&mut rig, node, 4, producer, false).0, 0);
    rig.run_for(1_000);
    assert_eq!(write(&mut rig, 11, &orders, producer, 1), 0, "late, and taken");
    rig.run_for(100_000);
    assert_eq!(stable(&rig, &orders), (2, 3), "nobody will ever end it");
}

#[test]
fn a_new_coordinator_sends_the_markers_that_are_due() {
    let mut rig = cluster();
    let (node, [orders, stock]) = shop(&mut rig);
    let producer = identity(&mut rig, node, Some("shop"));
    assert_eq!(write(&mut rig, 12, &orders, producer, 0), 0);
    assert_eq!(write(&mut rig, 12, &stock, producer, 0), 0);
    // It dies with its answer on the way: whether its markers came anywhere, it never hears.
    assert_eq!(end(&mut rig, node, 5, producer, true).0, 0);
    rig.crash(node);
    rig.run_for(20_000);
    let next = (1..=3).find(|other| *other != node).unwrap();
    let home = rig.node(next).image().topic("__transaction_state").unwrap();
    assert!(home.partitions.values().all(|it| it.leader != Some(NodeId(node))));
    for partition in [&orders, &stock] {
        let image = rig.node(next).image();
        let leader = image.partition(partition).unwrap().leader.unwrap();
        let view = rig.replica(leader.0, partition);
        assert_eq!(view.last_stable.0, view.log_end.0, "{partition}");
        assert!(view.log_end.0 >= 2, "{partition}");
    }
    assert_eq!(states(&rig).last(), Some(&TransactionState::CompleteCommit));
    assert!(rig.marks.contains(&Rule::Txn10));
}
