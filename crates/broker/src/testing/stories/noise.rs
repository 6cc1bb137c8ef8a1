//! Whatever a peer sends, the worst that happens is that its connection is closed.

use proptest::prelude::*;
use topomotion_wire::messages::alter_partition_request::{PartitionData, TopicData};
use topomotion_wire::messages::broker_registration_request::Listener;
use topomotion_wire::messages::fetch_request::ReplicaState;
use topomotion_wire::messages::metadata_request::MetadataRequestTopic;
use topomotion_wire::messages::offset_for_leader_epoch_request::{
    OffsetForLeaderPartition, OffsetForLeaderTopic,
};
use topomotion_wire::messages::{
    AlterPartitionRequest, BrokerHeartbeatRequest, BrokerRegistrationRequest,
    DescribeClusterRequest, FetchResponse, MetadataRequest, OffsetForLeaderEpochRequest,
    VoteRequest, fetch_response,
};
use topomotion_wire::{Bytes, CorrelationId, Input, Message, Request, Response};
use uuid::Uuid;

use super::super::rig::Honesty;
use super::*;

fn small() -> impl Strategy<Value = i32> {
    prop_oneof![4 => -2..5_i32, 1 => any::<i32>()]
}

fn wide() -> impl Strategy<Value = i64> {
    prop_oneof![4 => -3..6_i64, 1 => any::<i64>()]
}

fn a_topic() -> impl Strategy<Value = TopicName> {
    prop_oneof![Just(name("orders")), Just(name("")), Just(name("nobody's"))]
}

fn records() -> impl Strategy<Value = Option<Bytes>> {
    prop_oneof![
        Just(None),
        Just(Some(batch(&["a"]))),
        prop::collection::vec(any::<u8>(), 0..90).prop_map(|it| Some(Bytes::from(it))),
    ]
}

fn a_produce() -> impl Strategy<Value = RequestKind> {
    (a_topic(), small(), records(), -2..3_i16, small()).prop_map(
        |(topic, index, records, acks, timeout_ms)| {
            let data =
                PartitionProduceData::default().with_index(index).with_records(records);
            let topic = TopicProduceData::default()
                .with_name(topic)
                .with_partition_data(vec![data.clone(), data]);
            ProduceRequest::default()
                .with_acks(acks)
                .with_timeout_ms(timeout_ms)
                .with_topic_data(vec![topic])
                .into()
        },
    )
}

fn a_fetch() -> impl Strategy<Value = RequestKind> {
    let follower = (small(), wide(), any::<bool>());
    (a_topic(), small(), wide(), small(), small(), follower).prop_map(
        |(topic, index, offset, epoch, last_epoch, (replica, broker_epoch, is_old))| {
            let partition = FetchPartition::default()
                .with_partition(index)
                .with_fetch_offset(offset)
                .with_current_leader_epoch(epoch)
                .with_last_fetched_epoch(last_epoch)
                .with_partition_max_bytes(1 << 20);
            let topic =
                FetchTopic::default().with_topic(topic).with_partitions(vec![partition]);
            let state = ReplicaState::default()
                .with_replica_id(BrokerId(replica))
                .with_replica_epoch(broker_epoch);
            // Up to version 14 a follower names itself in a field of its own.
            let request = if is_old {
                FetchRequest::default().with_replica_id(BrokerId(replica))
            } else {
                FetchRequest::default().with_replica_state(state)
            };
            request
                .with_max_wait_ms(replica)
                .with_min_bytes(epoch)
                .with_max_bytes(1 << 20)
                .with_topics(vec![topic])
                .into()
        },
    )
}

fn a_create() -> impl Strategy<Value = RequestKind> {
    let assignment =
        prop::collection::vec((small(), prop::collection::vec(small(), 0..4)), 0..3);
    (a_topic(), small(), any::<i16>(), assignment, any::<bool>()).prop_map(
        |(topic, partitions, factor, assignments, validate_only)| {
            let assignments = assignments.into_iter().map(|(index, brokers)| {
                CreatableReplicaAssignment::default()
                    .with_partition_index(index)
                    .with_broker_ids(brokers.into_iter().map(BrokerId).collect())
            });
            let topic = CreatableTopic::default()
                .with_name(topic)
                .with_num_partitions(partitions)
                .with_replication_factor(factor)
                .with_assignments(assignments.collect());
            CreateTopicsRequest::default()
                .with_topics(vec![topic])
                .with_timeout_ms(partitions)
                .with_validate_only(validate_only)
                .into()
        },
    )
}

fn for_controllers() -> impl Strategy<Value = RequestKind> {
    let registration =
        (small(), any::<u128>(), any::<bool>()).prop_map(|(id, process, has)| {
            let listener = has.then(Listener::default);
            BrokerRegistrationRequest::default()
                .with_broker_id(BrokerId(id))
                .with_incarnation_id(Uuid::from_u128(process))
                .with_listeners(listener.into_iter().collect())
                .into()
        });
    let beat = (small(), wide(), wide(), any::<bool>()).prop_map(
        |(id, epoch, offset, want_fence)| {
            BrokerHeartbeatRequest::default()
                .with_broker_id(BrokerId(id))
                .with_broker_epoch(epoch)
                .with_current_metadata_offset(offset)
                .with_want_fence(want_fence)
                .into()
        },
    );
    let alter = (small(), wide(), small(), small(), prop::collection::vec(small(), 0..4))
        .prop_map(|(id, epoch, leader_epoch, partition_epoch, isr)| {
            let data = PartitionData::default()
                .with_leader_epoch(leader_epoch)
                .with_partition_epoch(partition_epoch)
                .with_new_isr(isr.into_iter().map(BrokerId).collect());
            let topic = TopicData::default().with_partitions(vec![data]);
            AlterPartitionRequest::default()
                .with_broker_id(BrokerId(id))
                .with_broker_epoch(epoch)
                .with_topics(vec![topic])
                .into()
        });
    prop_oneof![registration, beat, alter, Just(VoteRequest::default().into())]
}

fn for_reading() -> impl Strategy<Value = RequestKind> {
    let list = (a_topic(), small(), wide(), small(), small()).prop_map(
        |(topic, index, timestamp, epoch, replica)| {
            let partition = ListOffsetsPartition::default()
                .with_partition_index(index)
                .with_current_leader_epoch(epoch)
                .with_timestamp(timestamp);
            let topic = ListOffsetsTopic::default()
                .with_name(topic)
                .with_partitions(vec![partition]);
            ListOffsetsRequest::default()
                .with_replica_id(BrokerId(replica))
                .with_topics(vec![topic])
                .into()
        },
    );
    let epochs =
        (a_topic(), small(), small(), small()).prop_map(|(topic, index, a, b)| {
            let partition = OffsetForLeaderPartition::default()
                .with_partition(index)
                .with_current_leader_epoch(a)
                .with_leader_epoch(b);
            let topic = OffsetForLeaderTopic::default()
                .with_topic(topic)
                .with_partitions(vec![partition]);
            OffsetForLeaderEpochRequest::default().with_topics(vec![topic]).into()
        });
    let metadata = prop::option::of(a_topic()).prop_map(|topic| {
        let topic = MetadataRequestTopic::default().with_name(topic);
        MetadataRequest::default().with_topics(Some(vec![topic])).into()
    });
    prop_oneof![list, epochs, metadata, Just(DescribeClusterRequest::default().into())]
}

fn a_request() -> impl Strategy<Value = (i16, RequestKind)> {
    let body =
        prop_oneof![a_produce(), a_fetch(), a_create(), for_controllers(), for_reading()];
    (0..19_i16, body)
}

/// The request with the id of `orders` for its topic, in the versions that name it so.
fn by_id(version: i16, mut body: RequestKind, id: Uuid) -> RequestKind {
    match &mut body {
        RequestKind::Produce(it) if version >= 13 => {
            it.topic_data.iter_mut().for_each(|topic| topic.topic_id = id);
        }
        RequestKind::Fetch(it) if version >= 13 => {
            it.topics.iter_mut().for_each(|topic| topic.topic_id = id);
        }
        RequestKind::AlterPartition(it) => {
            it.topics.iter_mut().for_each(|topic| topic.topic_id = id);
        }
        _ => {}
    }
    body
}

/// The request as it arrives at the other end of a real wire, if it can travel at all.
fn carried(version: i16, body: &RequestKind) -> Option<RequestKind> {
    let mut bytes = bytes::BytesMut::new();
    body.encode(&mut bytes, version).ok()?;
    let key = crate::api::key_of(body)?;
    RequestKind::decode(key, &mut bytes.freeze(), version).ok()
}

/// What may happen between two requests.
#[derive(Debug, Clone)]
enum Happening {
    Nothing,
    Wait(u64),
    Crash(i32),
    Start(i32),
    Cut(i32, i32),
    Heal,
}

fn happening() -> impl Strategy<Value = Happening> {
    let node = prop_oneof![1..4_i32, Just(101)];
    prop_oneof![
        4 => Just(Happening::Nothing),
        2 => (1..12_000_u64).prop_map(Happening::Wait),
        1 => node.clone().prop_map(Happening::Crash),
        2 => node.prop_map(Happening::Start),
        1 => (1..4_i32, 1..4_i32).prop_map(|(a, b)| Happening::Cut(a, b)),
        1 => Just(Happening::Heal),
    ]
}

fn happen(rig: &mut Rig, what: &Happening) {
    let lives = |rig: &Rig, id: i32| rig.nodes().any(|(it, _)| it == id);
    match *what {
        Happening::Wait(ms) => rig.run_for(ms),
        Happening::Crash(id) if lives(rig, id) => rig.crash(id),
        Happening::Start(id) if !lives(rig, id) => rig.start(id),
        Happening::Cut(a, b) if a != b => rig.cut(a, b),
        Happening::Heal => rig.heal(),
        Happening::Nothing | Happening::Crash(_) | Happening::Start(_) => {}
        Happening::Cut(..) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_request_at_any_time_is_answered_or_refused(
        story in prop::collection::vec((happening(), 1..5_i32, a_request()), 1..25),
    ) {
        let mut rig = three_brokers(1, &[]);
        rig.honesty = Honesty::NotEveryone;
        let id = rig.node(1).image().topic("orders").unwrap().id.0;
        for (what, node, (version, body)) in story {
            happen(&mut rig, &what);
            let node = if node == 4 { 101 } else { node };
            let body = by_id(version, body, id);
            let Some(body) = carried(version, &body) else { continue };
            let connection = rig.connect(node);
            rig.ask(connection, version, body);
            rig.run_for(20);
        }
    }

    #[test]
    fn a_lying_leader_cannot_break_its_follower(
        answers in prop::collection::vec((wide(), wide(), small(), wide(), records()), 1..10),
    ) {
        let mut rig = three_brokers(1, &[]);
        rig.honesty = Honesty::NotEveryone;
        rig.crash(1);
        for (watermark, log_start, epoch, end, records) in answers {
            let diverging = fetch_response::EpochEndOffset::default()
                .with_epoch(epoch)
                .with_end_offset(end);
            let data = fetch_response::PartitionData::default()
                .with_high_watermark(watermark)
                .with_log_start_offset(log_start)
                .with_diverging_epoch(diverging)
                .with_records(records);
            rig.answer_fetch_of(2, 1, |request| {
                let topic = fetch_response::FetchableTopicResponse::default()
                    .with_topic_id(request.topics[0].topic_id)
                    .with_partitions(vec![data]);
                FetchResponse::default().with_responses(vec![topic])
            });
            rig.run_for(3_000);
        }
    }

    #[test]
    fn answers_that_nobody_asked_for_close_the_connection(
        number in 0..9_u64, correlation: i32,
    ) {
        let mut rig = three_brokers(1, &[]);
        rig.honesty = Honesty::NotEveryone;
        for connection in [ConnectionId::Dialled(number), ConnectionId::Accepted(number)] {
            let correlation = CorrelationId(correlation);
            let body = ResponseKind::Fetch(FetchResponse::default());
            let response = Message::from(Response { correlation, version: 12, body });
            let body = RequestKind::Metadata(MetadataRequest::default());
            let client = "".into();
            let request =
                Message::from(Request { correlation, version: 12, client, body });
            rig.inject(1, Input::Received { connection, message: response });
            rig.inject(1, Input::Received { connection, message: request });
        }
        rig.run_for(5_000);
    }
}
