//! Producing, replicating, and what happens when one side is slow or gone.

use topomotion_wire::messages::{RequestKind, ResponseKind};
use topomotion_wire::{Duration, ErrorCode, NodeId, Offset, ReplicaRole, Rule};

use crate::metadata::BrokerRegistration;

use super::*;

/// When brokers fetched `orders` from the leader, and from which offset.
fn follower_fetches(rig: &Rig, follower: i32) -> Vec<(u64, i64)> {
    let fetches =
        rig.sent.iter().filter(|(_, from, to, _)| (*from, *to) == (follower, 1));
    let offset = |body: &RequestKind| match body {
        RequestKind::Fetch(fetch) => {
            Some(fetch.topics.first()?.partitions.first()?.fetch_offset)
        }
        _ => None,
    };
    fetches.filter_map(|(at, _, _, body)| Some((at.as_micros(), offset(body)?))).collect()
}

fn leads(rig: &Rig, node: i32) -> bool {
    rig.replica(node, &orders()).role == ReplicaRole::Leader
}

#[test]
fn acks_all_needs_the_second_fetch_of_both_followers() {
    for controllers in [1, 3] {
        let mut rig = three_brokers(controllers, &[("min.insync.replicas", "2")]);
        rig.sent.clear();
        let connection = rig.connect(1);
        rig.ask(connection, 9, produce(-1, 30_000, &["a"]));
        rig.run_until("the answer", |rig| is_answered(rig, connection));
        assert_eq!(produced(&rig.inbox(connection).responses[0]), (0, 0));
        for follower in [2, 3] {
            let fetches = follower_fetches(&rig, follower);
            assert!(fetches.iter().any(|(_, offset)| *offset == 1), "{fetches:?}");
        }
        assert_eq!(offsets(&rig, 1), (1, 1));
        assert_eq!(offsets(&rig, 2), (1, 0), "a follower learns it one fetch later");
        rig.run_for(600);
        assert_eq!((offsets(&rig, 2), offsets(&rig, 3)), ((1, 1), (1, 1)));
        let acted = [Rule::Rep2, Rule::Rep6, Rule::Rep14, Rule::Rep18, Rule::Trn5];
        assert!(rig.marks.is_superset(&acted.into()));
    }
}

#[test]
fn acks_one_is_answered_before_any_follower_has_it() {
    let mut rig = three_brokers(1, &[]);
    rig.cut(1, 2);
    rig.cut(1, 3);
    assert_eq!(produce_to(&mut rig, 1, 1, &["a"]), (0, 0));
    assert_eq!(offsets(&rig, 1), (1, 0), "appended, and not visible");
    assert!(rig.marks.contains(&Rule::Rep8));
}

#[test]
fn acks_zero_is_never_answered_and_frees_its_connection() {
    let mut rig = three_brokers(1, &[]);
    let connection = rig.connect(1);
    rig.ask(connection, 9, produce(0, 30_000, &["a"]));
    rig.ask(connection, 9, produce(1, 30_000, &["b"]));
    rig.run_until("the second answer", |rig| is_answered(rig, connection));
    assert_eq!(produced(&rig.inbox(connection).responses[0]), (0, 1));
    assert_eq!(rig.inbox(connection).responses.len(), 1);
    let wrong = rig.connect(2);
    rig.ask(wrong, 9, produce(0, 30_000, &["c"]));
    rig.run_for(10);
    assert!(rig.inbox(wrong).closed, "an error can only close the connection");
}

#[test]
fn a_producer_sends_one_batch_for_each_partition() {
    let mut rig = three_brokers(1, &[]);
    let RequestKind::Produce(mut request) = produce(1, 30_000, &["a"]) else {
        panic!("a produce request")
    };
    let two = [batch(&["a"]), batch(&["b"])].concat();
    request.topic_data[0].partition_data[0].records = Some(two.into());
    let refused = produced(&rig.call(1, 9, request));
    assert_eq!(refused, (ErrorCode::InvalidRecord.code(), -1));
    assert_eq!(offsets(&rig, 1).0, 0);
}

#[test]
fn a_produce_that_waits_holds_the_next_one_of_its_connection_back() {
    let mut rig = three_brokers(1, &[]);
    rig.cut(1, 2);
    let connection = rig.connect(1);
    rig.ask(connection, 9, produce(-1, 3_000, &["a"]));
    rig.ask(connection, 9, produce(1, 3_000, &["b"]));
    rig.run_for(2_000);
    assert_eq!(offsets(&rig, 1).0, 1, "the second is not even appended");
    rig.run_for(2_000);
    let outcomes: Vec<_> = rig.inbox(connection).responses.iter().map(produced).collect();
    assert_eq!(outcomes, [(ErrorCode::RequestTimedOut.code(), -1), (0, 1)]);
    assert!(rig.marks.contains(&Rule::Rep7), "time up: the record stays");
    assert_eq!(offsets(&rig, 1).0, 2);
}

#[test]
fn below_min_isr_nothing_is_appended_and_nothing_becomes_visible() {
    let mut rig = three_brokers(1, &[("min.insync.replicas", "2")]);
    assert_eq!(produce_to(&mut rig, 1, -1, &["a"]), (0, 0));
    rig.crash(2);
    rig.crash(3);
    rig.run_until("both to be fenced", |rig| isr(rig, 1) == [1]);
    let refused = ErrorCode::NotEnoughReplicas.code();
    assert_eq!(produce_to(&mut rig, 1, -1, &["b"]), (refused, -1));
    assert_eq!(offsets(&rig, 1), (1, 1), "the log is as it was");
    assert_eq!(produce_to(&mut rig, 1, 1, &["c"]), (0, 1), "acks=1 is still accepted");
    assert_eq!(offsets(&rig, 1), (2, 1), "and stays invisible (REP-4)");
    assert!(rig.marks.is_superset(&[Rule::Rep4, Rule::Rep5].into()));
    rig.start(2);
    rig.run_until("broker 2 back in sync", |rig| isr(rig, 1) == [1, 2]);
    rig.run_for(1_000);
    assert_eq!(offsets(&rig, 1), (2, 2));
}

#[test]
fn a_consumer_waits_at_the_leader_until_the_watermark_moves() {
    let mut rig = three_brokers(1, &[]);
    let connection = rig.connect(1);
    rig.ask(connection, 12, fetch(0, 500));
    rig.run_for(100);
    assert!(!is_answered(&rig, connection), "parked");
    assert_eq!(produce_to(&mut rig, 1, -1, &["a"]), (0, 0));
    rig.run_for(1);
    assert!(is_answered(&rig, connection));
    let (error, bytes) = fetched(&rig.inbox(connection).responses[0]);
    assert_eq!((error, bytes > 0), (0, true));
    let started = rig.now;
    assert_eq!(
        fetched(&rig.call(1, 12, fetch(1, 500))),
        (0, 0),
        "time up, nothing there"
    );
    let waited = rig.now - started;
    assert!(waited >= Duration::from_millis(500) && waited < Duration::from_millis(510));
    assert_eq!(
        fetched(&rig.call(1, 12, fetch(7, 500))).0,
        ErrorCode::OffsetOutOfRange.code()
    );
    assert_eq!(
        fetched(&rig.call(2, 10, fetch(0, 500))).0,
        ErrorCode::NotLeaderOrFollower.code(),
        "a consumer of before KIP-392 reads from leaders alone"
    );
}

#[test]
fn offsets_are_listed_as_consumers_may_know_them() {
    let mut rig = three_brokers(1, &[]);
    assert_eq!(produce_to(&mut rig, 1, -1, &["a", "b"]), (0, 0));
    assert_eq!(list_offsets(&mut rig, 1, -2), (0, 0));
    assert_eq!(list_offsets(&mut rig, 1, -1), (0, 2));
    assert_eq!(list_offsets(&mut rig, 1, 0), (0, 0));
    assert_eq!(
        list_offsets(&mut rig, 2, -1),
        (ErrorCode::NotLeaderOrFollower.code(), -1)
    );
}

#[test]
fn a_slow_follower_leaves_the_isr_and_comes_back() {
    let mut rig = three_brokers(1, &[("min.insync.replicas", "2")]);
    rig.cut(1, 3);
    let cut_at = rig.now;
    let connection = rig.connect(1);
    rig.ask(connection, 9, produce(-1, 60_000, &["a"]));
    rig.run_until("broker 3 to leave", |rig| isr(rig, 1) == [1, 2]);
    let took = (rig.now - cut_at).as_millis();
    assert!((29_000..46_000).contains(&took), "30 s, looked at every 15 s: {took}");
    rig.run_until("the answer", |rig| is_answered(rig, connection));
    assert_eq!(produced(&rig.inbox(connection).responses[0]), (0, 0));
    assert!(rig.marks.is_superset(
        &[Rule::Rep3, Rule::Rep10, Rule::Rep11, Rule::Rep12, Rule::Ctl1].into()
    ));
    rig.heal();
    rig.run_until("broker 3 to return", |rig| isr(rig, 1) == [1, 2, 3]);
    assert!(rig.marks.contains(&Rule::Rep9));
    assert_eq!(offsets(&rig, 3).0, 1);
    let leader_epochs: Vec<i32> =
        registrations(&rig).iter().map(|state| state.leader_epoch.0).collect();
    assert!(
        leader_epochs.iter().all(|epoch| *epoch == 0),
        "no election: {leader_epochs:?}"
    );
}

#[test]
fn a_dead_leader_is_fenced_and_a_member_of_the_isr_takes_over() {
    for controllers in [1, 3] {
        let mut rig = three_brokers(controllers, &[("min.insync.replicas", "2")]);
        assert_eq!(produce_to(&mut rig, 1, -1, &["a"]), (0, 0));
        rig.crash(1);
        let crashed_at = rig.now;
        rig.run_until("a new leader", |rig| leads(rig, 2));
        let took = (rig.now - crashed_at).as_millis();
        assert!((7_000..9_100).contains(&took), "9 s after its last heartbeat: {took}");
        let view = rig.replica(2, &orders());
        assert_eq!((view.leader_epoch.0, isr(&rig, 2)), (1, vec![2, 3]));
        assert_eq!(view.log_end, Offset(1), "what was acknowledged is there (R12)");
        assert_eq!(produce_to(&mut rig, 2, -1, &["b"]), (0, 1));
        assert!(rig.marks.is_superset(
            &[Rule::Ctl2, Rule::Ctl3, Rule::Ctl9, Rule::Ctl14, Rule::Rep16].into()
        ));
        let fenced =
            rig.node(2).image().broker(NodeId(1)).map(BrokerRegistration::is_active);
        assert_eq!(fenced, Some(false));
    }
}

#[test]
fn a_returning_leader_drops_what_it_alone_had() {
    let mut rig = three_brokers(3, &[]);
    assert_eq!(produce_to(&mut rig, 1, -1, &["kept"]), (0, 0));
    rig.cut(1, 2);
    rig.cut(1, 3);
    assert_eq!(produce_to(&mut rig, 1, 1, &["lost"]), (0, 1), "acknowledged with acks=1");
    rig.crash(1);
    rig.heal();
    rig.run_until("a new leader", |rig| isr(rig, 2) == [2, 3]);
    assert_eq!(produce_to(&mut rig, 2, -1, &["new"]), (0, 1));
    rig.start(1);
    rig.run_until("broker 1 back in sync", |rig| isr(rig, 2) == [1, 2, 3]);
    rig.run_for(1_000);
    assert_eq!(offsets(&rig, 1), (2, 2));
    assert!(rig.marks.is_superset(&[Rule::Trn3, Rule::Rep15].into()));
    let value = |node: i32| {
        let log = rig.node(node).log(&orders()).unwrap();
        let values =
            log.batches(Offset(0), Offset(2)).flat_map(|it| it.records().unwrap());
        values.map(|record| record.unwrap().value.unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(value(1), ["kept", "new"]);
    assert_eq!(value(1), value(2), "R14");
}

#[test]
fn a_restarted_leader_within_its_session_waits_until_it_is_forgotten() {
    let mut rig = three_brokers(1, &[]);
    assert_eq!(produce_to(&mut rig, 1, -1, &["a"]), (0, 0));
    rig.crash(1);
    rig.run_for(1_000);
    rig.start(1);
    rig.run_for(3_000);
    assert_eq!(rig.node(1).broker_status(), BrokerStatus::Registering);
    assert!(rig.node(1).replicas().is_empty(), "it believes nothing of what it knew");
    settle(&mut rig);
    rig.run_until("broker 1 back in sync", |rig| isr(rig, 2) == [1, 2, 3]);
    assert_eq!(offsets(&rig, 1).0, 1);
}

#[test]
fn a_new_leader_does_not_tell_the_latest_offset_before_it_has_proven_it() {
    let mut rig = three_brokers(1, &[]);
    assert_eq!(produce_to(&mut rig, 1, -1, &["a"]), (0, 0));
    assert_eq!(offsets(&rig, 2), (1, 0), "its watermark is behind");
    rig.cut(2, 3);
    rig.crash(1);
    rig.run_until("a new leader", |rig| isr(rig, 2) == [2, 3]);
    let unavailable = ErrorCode::OffsetNotAvailable.code();
    assert_eq!(list_offsets(&mut rig, 2, -1), (unavailable, -1));
    rig.heal();
    rig.run_until("the watermark", |rig| offsets(rig, 2) == (1, 1));
    assert_eq!(list_offsets(&mut rig, 2, -1), (0, 1));
}

#[test]
fn waiting_producers_learn_that_the_leader_is_gone() {
    let mut rig = three_brokers(1, &[("min.insync.replicas", "2")]);
    rig.cut(1, 2);
    rig.cut(1, 3);
    rig.cut(1, 101);
    let connection = rig.connect(1);
    rig.ask(connection, 9, produce(-1, 60_000, &["zombie"]));
    rig.run_until("a new leader", |rig| isr(rig, 2) == [2, 3]);
    assert!(!is_answered(&rig, connection), "the old one does not know yet");
    rig.heal();
    rig.run_until("the answer", |rig| is_answered(rig, connection));
    let gone = ErrorCode::NotLeaderOrFollower.code();
    assert_eq!(produced(&rig.inbox(connection).responses[0]), (gone, -1));
    rig.run_until("broker 1 back in sync", |rig| isr(rig, 2) == [1, 2, 3]);
    assert_eq!(offsets(&rig, 1).0, 0, "the zombie's record is gone everywhere");
}

#[test]
fn a_follower_beyond_its_leader_starts_again_inside_it() {
    let configs = [("unclean.leader.election.enable", "true")];
    let mut rig = three_brokers(1, &configs);
    rig.cut(1, 2);
    rig.cut(1, 3);
    rig.run_for(1_000);
    for value in ["a", "b", "c"] {
        assert_eq!(produce_to(&mut rig, 1, 1, &[value]).0, 0);
    }
    rig.run_until("the others to leave", |rig| isr(rig, 1) == [1]);
    rig.crash(1);
    rig.heal();
    rig.run_until("an unclean leader", |rig| leads(rig, 2));
    assert_eq!(isr(&rig, 2), [2]);
    rig.start(1);
    rig.run_until("broker 1 back in sync", |rig| isr(rig, 2).contains(&1));
    assert_eq!(offsets(&rig, 1).0, 0, "acknowledged records are lost: that is the price");
}

#[test]
fn a_produce_with_a_damaged_batch_is_refused() {
    let mut rig = three_brokers(1, &[]);
    let RequestKind::Produce(mut request) = produce(1, 1_000, &["a"]) else { panic!() };
    let records = &mut request.topic_data[0].partition_data[0].records;
    let mut bytes = records.clone().unwrap().to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    *records = Some(bytes.into());
    let response = rig.call(1, 9, request);
    assert_eq!(produced(&response), (ErrorCode::CorruptMessage.code(), -1));
    assert!(matches!(response, ResponseKind::Produce(_)));
    assert_eq!(offsets(&rig, 1).0, 0);
}
