//! What clients read: sessions, limits, the nearest replica, offsets by time, pages of
//! partitions.

use topomotion_wire::ErrorCode;
use topomotion_wire::messages::describe_topic_partitions_request::{
    Cursor, TopicRequest,
};
use topomotion_wire::messages::{
    DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse, FetchResponse,
};

use super::*;
use crate::config::{FetchSessions, ReplicaSelector};

fn fetch_of(session: (i32, i32), partitions: &[(i32, i64)]) -> FetchRequest {
    let partition = |&(index, offset): &(i32, i64)| {
        FetchPartition::default()
            .with_partition(index)
            .with_fetch_offset(offset)
            .with_partition_max_bytes(1 << 20)
    };
    let topic = FetchTopic::default()
        .with_topic(name("orders"))
        .with_partitions(partitions.iter().map(partition).collect());
    let topics = if partitions.is_empty() { vec![] } else { vec![topic] };
    FetchRequest::default()
        .with_session_id(session.0)
        .with_session_epoch(session.1)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_topics(topics)
}

fn read(rig: &mut Rig, node: i32, request: FetchRequest) -> FetchResponse {
    let response = rig.call(node, 12, request);
    let ResponseKind::Fetch(response) = response else { panic!("{response:?}") };
    response
}

/// Which partitions an answer speaks of, and how many bytes it has of each.
fn bytes_of(response: &FetchResponse) -> Vec<(i32, usize)> {
    let all = response.responses.iter().flat_map(|topic| &topic.partitions);
    all.map(|it| (it.partition_index, it.records.as_ref().map_or(0, bytes::Bytes::len)))
        .collect()
}

/// One broker with `orders` in this many partitions.
fn one_broker(partitions: i32) -> Rig {
    let mut rig = Rig::new(1, 1);
    settle(&mut rig);
    let mut request = topic("orders", &[1], &[]);
    let assignment = &mut request.topics[0].assignments;
    *assignment = (0..partitions)
        .map(|index| {
            CreatableReplicaAssignment::default()
                .with_partition_index(index)
                .with_broker_ids(vec![BrokerId(1)])
        })
        .collect();
    rig.call(1, 7, request);
    rig.run_for(600);
    rig
}

fn produce_into(rig: &mut Rig, partition: i32, values: &[&str]) -> (i16, i64) {
    let RequestKind::Produce(mut request) = produce(-1, 30_000, values) else {
        panic!("a produce request")
    };
    request.topic_data[0].partition_data[0].index = partition;
    produced(&rig.call(1, 9, request))
}

#[test]
fn a_session_tells_a_fetcher_what_is_new_and_nothing_else() {
    let mut rig = one_broker(3);
    assert_eq!(produce_into(&mut rig, 1, &["a"]), (0, 0));
    let full = read(&mut rig, 1, fetch_of((0, 0), &[(0, 0), (1, 0), (2, 0)]));
    assert!(full.session_id > 0);
    assert_eq!(bytes_of(&full).len(), 3, "the first answer is whole");
    let id = full.session_id;
    let next = read(&mut rig, 1, fetch_of((id, 1), &[(1, 1)]));
    assert_eq!((next.session_id, bytes_of(&next)), (id, vec![]));
    produce_into(&mut rig, 2, &["b"]);
    let next = read(&mut rig, 1, fetch_of((id, 2), &[]));
    let [(2, bytes)] = bytes_of(&next)[..] else { panic!("{next:?}") };
    assert!(bytes > 0, "read from the offset that the session remembers");
    let late = read(&mut rig, 1, fetch_of((id, 2), &[]));
    assert_eq!(late.error_code, ErrorCode::InvalidFetchSessionEpoch.code());
    rig.crash(1);
    rig.start(1);
    settle(&mut rig);
    let unknown = read(&mut rig, 1, fetch_of((id, 3), &[]));
    assert_eq!(unknown.error_code, ErrorCode::FetchSessionIdNotFound.code());
}

#[test]
fn a_session_wakes_when_one_of_its_partitions_gets_records() {
    let mut rig = one_broker(2);
    let id = read(&mut rig, 1, fetch_of((0, 0), &[(0, 0), (1, 0)])).session_id;
    let waiting = rig.connect(1);
    rig.ask(waiting, 12, fetch_of((id, 1), &[]).with_max_wait_ms(5_000));
    rig.run_for(100);
    assert!(!is_answered(&rig, waiting));
    produce_into(&mut rig, 1, &["a"]);
    rig.run_for(100);
    let ResponseKind::Fetch(answer) = &rig.inbox(waiting).responses[0] else {
        panic!("a fetch response")
    };
    assert_eq!(bytes_of(answer).first().map(|it| it.0), Some(1));
    assert_eq!(bytes_of(answer).len(), 1);
}

#[test]
fn one_batch_always_comes_and_the_rest_only_as_far_as_it_fits() {
    let mut rig = one_broker(2);
    for partition in [0, 1] {
        produce_into(&mut rig, partition, &["a long record that does not fit"]);
    }
    let all = [(0, 0), (1, 0)];
    let tight = read(&mut rig, 1, fetch_of((0, -1), &all).with_max_bytes(10));
    let [(0, first), (1, 0)] = bytes_of(&tight)[..] else { panic!("{tight:?}") };
    assert!(first > 10, "one batch at least");
    let mut narrow = fetch_of((0, -1), &all);
    for partition in &mut narrow.topics[0].partitions {
        partition.partition_max_bytes = 0;
    }
    let narrow = read(&mut rig, 1, narrow);
    assert_eq!(bytes_of(&narrow), [(0, first), (1, 0)]);
    let wide = read(&mut rig, 1, fetch_of((0, -1), &all));
    assert_eq!(bytes_of(&wide), [(0, first), (1, first)]);
}

#[test]
fn a_fetch_never_waits_for_more_than_an_answer_holds() {
    let mut rig = one_broker(1);
    rig.settings.fetch_max_bytes = 50;
    rig.crash(1);
    rig.start(1);
    settle(&mut rig);
    produce_into(&mut rig, 0, &["a"]);
    let greedy = fetch_of((0, -1), &[(0, 0)]).with_min_bytes(1 << 20);
    let before = rig.now;
    let answer = read(&mut rig, 1, greedy.with_max_wait_ms(9_000));
    assert!(bytes_of(&answer)[0].1 > 0);
    assert!((rig.now - before).as_millis() < 100);
}

#[test]
fn a_consumer_reads_from_the_replica_in_its_own_rack() {
    let mut rig = Rig::racked(3, &[(1, "a"), (2, "b"), (3, "c")]);
    settle(&mut rig);
    create_orders(&mut rig, &[1, 2, 3], &[]);
    assert_eq!(produce_to(&mut rig, 1, -1, &["a"]), (0, 0));
    rig.run_for(1_000);
    let from = |rack: &str| {
        fetch_of((0, -1), &[(0, 0)]).with_rack_id(StrBytes::from_string(rack.to_owned()))
    };
    let near = |answer: &FetchResponse| {
        answer.responses[0].partitions[0].preferred_read_replica.0
    };
    let sent = read(&mut rig, 1, from("c"));
    assert_eq!((near(&sent), bytes_of(&sent)), (3, vec![(0, 0)]));
    let stays = read(&mut rig, 1, from("a"));
    assert_eq!(near(&stays), -1);
    assert!(bytes_of(&stays)[0].1 > 0, "the leader is nearest itself");
    assert_eq!(near(&read(&mut rig, 1, from("moon"))), -1);
    let there = read(&mut rig, 3, from("c"));
    assert_eq!(bytes_of(&there), bytes_of(&stays), "a follower serves what is committed");
    let beyond = read(&mut rig, 3, fetch_of((0, -1), &[(0, 7)]));
    let error = beyond.responses[0].partitions[0].error_code;
    assert_eq!(error, ErrorCode::OffsetNotAvailable.code());
    let old = rig.call(3, 10, fetch_of((0, -1), &[(0, 0)]));
    assert_eq!(fetched(&old).0, ErrorCode::NotLeaderOrFollower.code(), "before KIP-392");
    rig.crash(3);
    rig.run_for(40_000);
    assert_eq!(near(&read(&mut rig, 1, from("c"))), -1, "it has left the ISR");
}

#[test]
fn the_leader_keeps_its_readers_where_no_selector_is_set() {
    let mut rig = Rig::racked(2, &[(1, "a"), (2, "b")]);
    rig.settings.replica_selector = ReplicaSelector::Leader;
    for node in [1, 2] {
        rig.crash(node);
        rig.start(node);
    }
    settle(&mut rig);
    create_orders(&mut rig, &[1, 2], &[]);
    let rack = StrBytes::from_static_str("b");
    let answer = read(&mut rig, 1, fetch_of((0, -1), &[(0, 0)]).with_rack_id(rack));
    assert_eq!(answer.responses[0].partitions[0].preferred_read_replica.0, -1);
}

/// Error code, offset, timestamp and leader epoch.
fn offset_at(rig: &mut Rig, version: i16, timestamp: i64) -> (i16, i64, i64, i32) {
    let partition = ListOffsetsPartition::default()
        .with_current_leader_epoch(-1)
        .with_timestamp(timestamp);
    let topic = ListOffsetsTopic::default()
        .with_name(name("orders"))
        .with_partitions(vec![partition]);
    let request = ListOffsetsRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_topics(vec![topic]);
    let response = rig.call(1, version, request);
    let ResponseKind::ListOffsets(response) = response else { panic!("{response:?}") };
    let it = &response.topics[0].partitions[0];
    (it.error_code, it.offset, it.timestamp, it.leader_epoch)
}

#[test]
fn the_special_timestamps_mean_what_their_versions_say() {
    let mut rig = one_broker(1);
    produce_into(&mut rig, 0, &["a", "b"]);
    assert_eq!(offset_at(&mut rig, 9, -1), (0, 2, -1, 0), "latest");
    assert_eq!(offset_at(&mut rig, 9, -2), (0, 0, -1, 0), "earliest");
    assert_eq!(offset_at(&mut rig, 9, -3), (0, 0, 0, 0), "the first of the newest");
    assert_eq!(offset_at(&mut rig, 9, -4), (0, 0, -1, 0), "earliest on disk");
    assert_eq!(offset_at(&mut rig, 9, -5), (0, -1, -1, -1), "nothing is tiered");
    assert_eq!(offset_at(&mut rig, 9, 0), (0, 0, 0, 0), "by time");
    assert_eq!(offset_at(&mut rig, 9, 1), (0, -1, -1, -1), "nobody wrote that late");
    let unsupported = ErrorCode::UnsupportedVersion.code();
    for (version, timestamp) in [(6, -3), (7, -4), (8, -5), (9, -6)] {
        assert_eq!(offset_at(&mut rig, version, timestamp).0, unsupported);
    }
}

#[test]
fn a_new_leader_tells_what_it_has_proven_and_nothing_of_the_rest() {
    let mut rig = three_brokers(1, &[]);
    assert_eq!(produce_to(&mut rig, 1, -1, &["a"]), (0, 0));
    rig.run_for(1_000);
    // The last record is on every replica, and nobody but the leader can know.
    rig.cut(1, 3);
    rig.cut(2, 3);
    rig.run_for(20);
    let connection = rig.connect(1);
    rig.ask(connection, 9, produce(-1, 30_000, &["b"]));
    rig.run_for(20);
    rig.crash(1);
    rig.run_until("a new leader", |rig| {
        registrations(rig).last().is_some_and(|it| it.leader == Some(NodeId(2)))
    });
    rig.run_for(100);
    let view = rig.replica(2, &orders());
    assert!(view.high_watermark < view.log_end, "{view:?}");
    assert_eq!(list_offsets(&mut rig, 2, -1).0, ErrorCode::OffsetNotAvailable.code());
    assert_eq!(list_offsets(&mut rig, 2, 0), (0, 0), "below the watermark it knows");
    assert_eq!(list_offsets(&mut rig, 2, -2), (0, 0));
}

fn page(
    rig: &mut Rig,
    topics: &[&str],
    limit: i32,
    cursor: Option<Cursor>,
) -> DescribeTopicPartitionsResponse {
    let topics =
        topics.iter().map(|topic| TopicRequest::default().with_name(name(topic)));
    let request = DescribeTopicPartitionsRequest::default()
        .with_topics(topics.collect())
        .with_response_partition_limit(limit)
        .with_cursor(cursor);
    let response = rig.call(1, 0, request);
    let ResponseKind::DescribeTopicPartitions(response) = response else {
        panic!("{response:?}")
    };
    response
}

#[test]
fn partitions_are_described_page_by_page() {
    let mut rig = one_broker(5);
    let request = topic("alpha", &[1], &[]);
    rig.call(1, 7, request);
    rig.run_for(600);
    let (mut cursor, mut seen) = (None, Vec::new());
    for _ in 0..9 {
        let page = page(&mut rig, &[], 2, cursor);
        for topic in &page.topics {
            let topic_name = topic.name.clone().unwrap().to_string();
            let partitions = topic.partitions.iter();
            seen.extend(partitions.map(|it| (topic_name.clone(), it.partition_index)));
        }
        cursor = page.next_cursor.map(|it| {
            Cursor::default()
                .with_topic_name(it.topic_name)
                .with_partition_index(it.partition_index)
        });
        if cursor.is_none() {
            break;
        }
    }
    let mut all = vec![("alpha".to_owned(), 0)];
    all.extend((0..5).map(|index| ("orders".to_owned(), index)));
    assert_eq!(seen, all);
    let named = page(&mut rig, &["orders", "nobody's"], 100, None);
    let errors: Vec<i16> = named.topics.iter().map(|topic| topic.error_code).collect();
    assert_eq!(errors, [ErrorCode::UnknownTopicOrPartition.code(), 0]);
    assert_eq!(named.topics[1].partitions[0].isr_nodes, [BrokerId(1)]);
    assert_eq!(named.topics[1].partitions[0].eligible_leader_replicas, Some(vec![]));
}

#[test]
fn followers_in_sessions_copy_as_well_and_say_less() {
    let mut rig = Rig::new(3, 1);
    rig.settings.fetch_sessions = FetchSessions::On;
    for node in 1..=3 {
        rig.crash(node);
        rig.start(node);
    }
    settle(&mut rig);
    create_orders(&mut rig, &[1, 2, 3], &[]);
    for value in ["a", "b"] {
        assert_eq!(produce_to(&mut rig, 1, -1, &[value]).0, 0);
    }
    rig.run_for(2_000);
    let before = rig.sent.len();
    rig.run_for(3_000);
    let fetches = rig.sent[before..].iter().filter_map(|(_, _, to, body)| match body {
        RequestKind::Fetch(fetch) if *to == 1 => Some(fetch),
        _ => None,
    });
    let fetches: Vec<&FetchRequest> = fetches.collect();
    assert!(!fetches.is_empty());
    assert!(fetches.iter().all(|it| it.session_epoch > 0 && it.topics.is_empty()));
    for node in 1..=3 {
        assert_eq!(offsets(&rig, node), (2, 2), "the watermark travels, too");
    }
    rig.crash(1);
    rig.run_until("a new leader", |rig| {
        registrations(rig).last().is_some_and(|it| it.leader == Some(NodeId(2)))
    });
    rig.run_for(1_000);
    assert_eq!(produce_to(&mut rig, 2, -1, &["c"]), (0, 2));
    rig.start(1);
    rig.run_for(5_000);
    rig.crash(2);
    rig.run_for(12_000);
    let leader = registrations(&rig).last().unwrap().leader.unwrap().0;
    assert_eq!(produce_to(&mut rig, leader, -1, &["d"]), (0, 3));
    rig.start(2);
    rig.run_for(15_000);
    for node in 1..=3 {
        assert_eq!(offsets(&rig, node), (4, 4));
        assert_eq!(isr(&rig, leader).len(), 3);
    }
}
