//! What logs are told by their topics: segments, retention, deletion, sizes and times.

use topomotion_wire::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use topomotion_wire::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use topomotion_wire::messages::{DeleteRecordsRequest, IncrementalAlterConfigsRequest};
use topomotion_wire::{Duration, ErrorCode};

use super::*;

fn set(rig: &mut Rig, key: &str, value: &str) {
    let config =
        AlterableConfig::default().with_name(name(key).0).with_value(Some(name(value).0));
    let resource = AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(name("orders").0)
        .with_configs(vec![config]);
    let request =
        IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let response = rig.call(1, 1, request);
    let ResponseKind::IncrementalAlterConfigs(response) = response else {
        panic!("{response:?}")
    };
    assert_eq!(response.responses[0].error_code, 0, "{:?}", response.responses[0]);
    rig.run_for(600);
}

fn deletion(partition: i32, offset: i64, timeout_ms: i32) -> DeleteRecordsRequest {
    let wanted = DeleteRecordsPartition::default()
        .with_partition_index(partition)
        .with_offset(offset);
    let topic = DeleteRecordsTopic::default()
        .with_name(name("orders"))
        .with_partitions(vec![wanted]);
    DeleteRecordsRequest::default().with_topics(vec![topic]).with_timeout_ms(timeout_ms)
}

/// Error code and low watermark.
fn deleted(response: &ResponseKind) -> (i16, i64) {
    let ResponseKind::DeleteRecords(response) = response else { panic!("{response:?}") };
    let it = &response.topics[0].partitions[0];
    (it.error_code, it.low_watermark)
}

fn delete(rig: &mut Rig, node: i32, offset: i64) -> (i16, i64) {
    deleted(&rig.call(node, 2, deletion(0, offset, 30_000)))
}

fn starts(rig: &Rig) -> Vec<i64> {
    rig.nodes()
        .filter_map(|(_, node)| node.replica(&orders()))
        .map(|view| view.log_start.0)
        .collect()
}

/// The log files of `orders` on a node.
fn segments(rig: &Rig, node: i32) -> Vec<String> {
    let files = rig.files(node).filter(|name| name.starts_with("orders-0/"));
    files.filter(|name| name.ends_with(".log")).map(str::to_owned).collect()
}

#[test]
fn a_deletion_is_answered_when_every_replica_starts_there() {
    let mut rig = three_brokers(1, &[]);
    for value in ["a", "b", "c"] {
        produce_to(&mut rig, 1, -1, &[value]);
    }
    rig.run_for(1_000);
    assert_eq!(delete(&mut rig, 1, 2), (0, 2));
    assert_eq!(starts(&rig), [2, 2, 2]);
    assert_eq!(delete(&mut rig, 1, 1), (0, 2), "deleted already");
    assert_eq!(delete(&mut rig, 1, 4), (ErrorCode::OffsetOutOfRange.code(), -1));
    assert_eq!(delete(&mut rig, 1, -2), (ErrorCode::OffsetOutOfRange.code(), -1));
    assert_eq!(delete(&mut rig, 2, 3), (ErrorCode::NotLeaderOrFollower.code(), -1));
    assert_eq!(list_offsets(&mut rig, 1, -2), (0, 2));
    let gone = rig.call(1, 12, fetch(1, 100));
    assert_eq!(fetched(&gone).0, ErrorCode::OffsetOutOfRange.code());
    assert_eq!(delete(&mut rig, 1, -1), (0, 3), "everything committed");
    assert_eq!(starts(&rig), [3, 3, 3]);
    assert_eq!(produce_to(&mut rig, 1, -1, &["d"]), (0, 3), "offsets go on");
}

#[test]
fn a_deletion_waits_for_live_replicas_only_and_not_for_ever() {
    let mut rig = three_brokers(1, &[]);
    produce_to(&mut rig, 1, -1, &["a", "b"]);
    rig.run_for(1_000);
    rig.cut(1, 3);
    let timed = rig.call(1, 2, deletion(0, 1, 1_000));
    assert_eq!(deleted(&timed), (ErrorCode::RequestTimedOut.code(), -1));
    assert_eq!(starts(&rig), [1, 1, 0], "the third has not heard of it");
    rig.crash(3);
    rig.run_for(12_000);
    assert_eq!(delete(&mut rig, 1, 1), (0, 1), "a fenced broker holds nobody up");
    rig.heal();
    rig.start(3);
    rig.run_for(5_000);
    assert_eq!(starts(&rig), [1, 1, 1]);
}

#[test]
fn a_deletion_whose_leader_is_deposed_is_not_answered_with_success() {
    let mut rig = three_brokers(3, &[]);
    produce_to(&mut rig, 1, -1, &["a", "b"]);
    rig.run_for(1_000);
    rig.cut(1, 2);
    rig.cut(1, 3);
    let connection = rig.connect(1);
    rig.ask(connection, 2, deletion(0, 1, 300_000));
    for controller in 101..=103 {
        rig.cut(1, controller);
    }
    rig.run_for(30_000);
    rig.heal();
    rig.run_until("an answer", |rig| is_answered(rig, connection));
    let error = deleted(&rig.inbox(connection).responses[0]).0;
    assert_eq!(error, ErrorCode::NotLeaderOrFollower.code());
}

#[test]
fn deleted_records_stay_deleted_when_the_cluster_restarts() {
    let mut rig = three_brokers(1, &[]);
    produce_to(&mut rig, 1, -1, &["a", "b"]);
    rig.run_for(1_000);
    assert_eq!(delete(&mut rig, 1, 1), (0, 1));
    rig.run_for(6_000);
    for node in 1..=3 {
        rig.crash(node);
    }
    for node in 1..=3 {
        rig.start(node);
    }
    settle(&mut rig);
    rig.run_for(10_000);
    assert_eq!(starts(&rig), [1, 1, 1]);
}

#[test]
fn a_topic_that_is_only_compacted_keeps_its_records() {
    let mut rig = three_brokers(1, &[]);
    produce_to(&mut rig, 1, -1, &["a"]);
    rig.run_for(1_000);
    set(&mut rig, "cleanup.policy", "compact");
    assert_eq!(delete(&mut rig, 1, 1), (ErrorCode::PolicyViolation.code(), -1));
    set(&mut rig, "cleanup.policy", "compact,delete");
    assert_eq!(delete(&mut rig, 1, 1), (0, 1));
}

#[test]
fn a_segment_size_reaches_the_running_log() {
    let mut rig = three_brokers(1, &[]);
    for value in ["a", "b"] {
        produce_to(&mut rig, 1, -1, &[value]);
    }
    assert_eq!(segments(&rig, 1).len(), 1);
    set(&mut rig, "segment.bytes", "100");
    for value in ["c", "d"] {
        produce_to(&mut rig, 1, -1, &[value]);
    }
    rig.run_for(1_000);
    assert_eq!(segments(&rig, 1).len(), 3, "the next batch finds the segment full");
    assert_eq!(segments(&rig, 2).len(), 3, "on followers as well");
}

#[test]
fn retention_deletes_whole_segments_below_the_watermark() {
    let mut rig = Rig::new(3, 1);
    rig.settings.log_retention_check_interval = Duration::from_millis(60_000);
    for node in 1..=3 {
        rig.crash(node);
        rig.start(node);
    }
    settle(&mut rig);
    create_orders(&mut rig, &[1, 2, 3], &[("segment.bytes", "100")]);
    for value in ["a", "b", "c", "d"] {
        produce_to(&mut rig, 1, -1, &[value]);
    }
    rig.run_for(65_000);
    assert_eq!(starts(&rig), [0, 0, 0], "a week has not passed");
    set(&mut rig, "retention.bytes", "100");
    rig.run_for(65_000);
    assert_eq!(starts(&rig), [2, 2, 2]);
    assert_eq!(segments(&rig, 1).len(), 2);
    // One replica is gone and what it lacks is not committed: that stays, whatever its age.
    rig.crash(3);
    let connection = rig.connect(1);
    rig.ask(connection, 9, produce(-1, 200_000, &["e"]));
    set(&mut rig, "retention.ms", "1");
    rig.run_for(65_000);
    let view = rig.replica(1, &orders());
    assert!(view.log_start <= view.high_watermark, "{view:?}");
    assert!(rig.marks.contains(&topomotion_wire::Rule::Log4));
    assert_eq!(view.log_start, view.log_end, "everything was committed and old");
    assert_eq!(segments(&rig, 1).len(), 1, "an empty one to go on with");
}

#[test]
fn a_topic_says_how_large_a_message_may_be() {
    let mut rig = three_brokers(1, &[("max.message.bytes", "80")]);
    assert_eq!(produce_to(&mut rig, 1, -1, &["a"]).0, 0);
    let large = ["a record that is much longer than the others"];
    let refused = ErrorCode::MessageTooLarge.code();
    assert_eq!(produce_to(&mut rig, 1, -1, &large), (refused, -1));
    set(&mut rig, "max.message.bytes", "800");
    assert_eq!(produce_to(&mut rig, 1, -1, &large), (0, 1));
}

#[test]
fn a_topic_says_how_many_replicas_are_enough_and_can_say_otherwise() {
    let mut rig = three_brokers(1, &[("min.insync.replicas", "3")]);
    rig.crash(3);
    rig.run_for(40_000);
    let refused = ErrorCode::NotEnoughReplicas.code();
    assert_eq!(produce_to(&mut rig, 1, -1, &["a"]), (refused, -1));
    set(&mut rig, "min.insync.replicas", "2");
    assert_eq!(produce_to(&mut rig, 1, -1, &["a"]), (0, 0));
}

#[test]
fn a_topic_says_whose_time_its_records_bear() {
    let mut rig = three_brokers(1, &[("message.timestamp.type", "LogAppendTime")]);
    rig.run_for(5_000);
    let before = (rig.now - topomotion_wire::Instant::ZERO).as_millis();
    let response = rig.call(1, 9, produce(-1, 30_000, &["a"]));
    let ResponseKind::Produce(produced) = &response else { panic!("{response:?}") };
    let at = produced.responses[0].partition_responses[0].log_append_time_ms;
    assert!(at >= i64::try_from(before).unwrap(), "{at}");
    rig.run_for(1_000);
    for node in 1..=3 {
        let log = rig.node(node).log(&orders()).unwrap();
        let batch = log.batches(log.start_offset(), log.end_offset()).next().unwrap();
        assert_eq!(batch.verify(), Ok(()));
        let record = batch.records().unwrap().next().unwrap().unwrap();
        assert_eq!(record.timestamp, at);
    }
    assert_eq!(list_offsets(&mut rig, 1, at), (0, 0));
    assert_eq!(list_offsets(&mut rig, 1, at + 1), (0, -1));
}
