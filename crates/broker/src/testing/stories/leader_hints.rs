//! Whoever asked the wrong broker is told the right one (KIP-951).

use topomotion_wire::messages::fetch_response::PartitionData;
use topomotion_wire::messages::{FetchResponse, ProduceResponse};
use topomotion_wire::{ErrorCode, LeaderEpoch};
use uuid::Uuid;

use super::*;

const ELSEWHERE: ErrorCode = ErrorCode::NotLeaderOrFollower;
const UNKNOWN: (i32, i32) = (-1, -1);

/// A leader with its epoch, and the addresses that came along.
type Hint = ((i32, i32), Vec<(i32, String, i32, Option<String>)>);

fn of_produce(response: &ResponseKind) -> (i16, Hint) {
    let ResponseKind::Produce(ProduceResponse { responses, node_endpoints, .. }) =
        response
    else {
        panic!("{response:?}")
    };
    let told = &responses[0].partition_responses[0];
    let at = node_endpoints.iter().map(|it| {
        let rack = it.rack.as_ref().map(ToString::to_string);
        (it.node_id.0, it.host.to_string(), it.port, rack)
    });
    let leader = &told.current_leader;
    (told.error_code, ((leader.leader_id.0, leader.leader_epoch), at.collect()))
}

fn of_fetch(response: &ResponseKind) -> (i16, Hint) {
    let ResponseKind::Fetch(FetchResponse { responses, node_endpoints, .. }) = response
    else {
        panic!("{response:?}")
    };
    let told: &PartitionData = &responses[0].partitions[0];
    let at = node_endpoints.iter().map(|it| {
        let rack = it.rack.as_ref().map(ToString::to_string);
        (it.node_id.0, it.host.to_string(), it.port, rack)
    });
    let leader = &told.current_leader;
    (told.error_code, ((leader.leader_id.0, leader.leader_epoch), at.collect()))
}

/// Broker `id` in its rack, as the rig sets it up.
fn at(id: i32, rack: Option<&str>) -> Vec<(i32, String, i32, Option<String>)> {
    let endpoint = crate::testing::endpoint(id);
    let rack = rack.map(ToOwned::to_owned);
    vec![(id, endpoint.host.to_string(), i32::from(endpoint.port), rack)]
}

fn id_of_orders(rig: &Rig) -> Uuid {
    rig.node(1).image().topic("orders").expect("it is there").id.0
}

fn epoch(rig: &Rig, node: i32) -> LeaderEpoch {
    let known = rig.node(node).image().partition(&orders());
    known.expect("it is there").leader_epoch
}

/// `orders` on brokers 1 and 2 of three, led by broker 1 in rack "a".
fn two_of_three() -> Rig {
    let mut rig = Rig::racked(3, &[(1, "a"), (2, "b"), (3, "c")]);
    settle(&mut rig);
    create_orders(&mut rig, &[1, 2], &[]);
    rig
}

#[test]
fn a_producer_at_the_wrong_broker_is_told_the_leader_and_its_address() {
    let mut rig = two_of_three();
    let by_name = |acks| produce(acks, 1_000, &["a"]);
    for (node, acks) in [(2, 1), (2, -1), (3, -1)] {
        let told = of_produce(&rig.call(node, 10, by_name(acks)));
        let hint = ((1, 0), at(1, Some("a")));
        assert_eq!(told, (ELSEWHERE.code(), hint), "broker {node}, acks {acks}");
    }
    let RequestKind::Produce(mut by_id) = by_name(-1) else { panic!("a request") };
    by_id.topic_data[0].name = name("");
    by_id.topic_data[0].topic_id = id_of_orders(&rig);
    let told = of_produce(&rig.call(3, 13, by_id));
    assert_eq!(told, (ELSEWHERE.code(), ((1, 0), at(1, Some("a")))));
    let old = of_produce(&rig.call(2, 9, by_name(-1)));
    assert_eq!(old, (ELSEWHERE.code(), (UNKNOWN, vec![])), "it has no room for it");
    let fine = of_produce(&rig.call(1, 10, by_name(-1)));
    assert_eq!(fine, (0, (UNKNOWN, vec![])), "nothing to mend");
}

#[test]
fn a_fetcher_at_the_wrong_broker_or_in_a_past_epoch_is_told_too() {
    let mut rig = two_of_three();
    let topic_id = id_of_orders(&rig);
    let fetch_in = |epoch: i32| {
        let RequestKind::Fetch(mut request) = fetch(0, 0) else { panic!("a request") };
        request.topics[0].topic = name("");
        request.topics[0].topic_id = topic_id;
        request.topics[0].partitions[0].current_leader_epoch = epoch;
        request.with_session_epoch(-1)
    };
    for (version, hint) in [(16, ((1, 0), at(1, Some("a")))), (15, ((1, 0), vec![]))] {
        let told = of_fetch(&rig.call(3, version, fetch_in(-1)));
        assert_eq!(told, (ELSEWHERE.code(), hint), "version {version}");
    }
    rig.crash(1);
    rig.run_until("a new leader", |rig| rig.replica(2, &orders()).isr == [NodeId(2)]);
    rig.run_for(100);
    let now = epoch(&rig, 2);
    assert!(now.0 > 0);
    let fenced = of_fetch(&rig.call(2, 17, fetch_in(0)));
    let hint = ((2, now.0), at(2, Some("b")));
    assert_eq!(fenced, (ErrorCode::FencedLeaderEpoch.code(), hint));
    let ahead = of_fetch(&rig.call(2, 17, fetch_in(now.0 + 1)));
    assert_eq!(ahead, (ErrorCode::UnknownLeaderEpoch.code(), (UNKNOWN, vec![])));
}

#[test]
fn a_leader_that_nobody_can_ask_has_no_address() {
    let mut rig = two_of_three();
    rig.crash(2);
    rig.run_for(12_000);
    rig.crash(1);
    rig.run_for(12_000);
    let (error, hint) = of_produce(&rig.call(3, 10, produce(1, 1_000, &["a"])));
    let now = epoch(&rig, 3).0;
    assert_eq!((error, hint), (ELSEWHERE.code(), ((-1, now), vec![])));
}

#[test]
fn a_write_that_waited_is_told_who_leads_when_it_is_given_up() {
    let mut rig = three_brokers(1, &[("min.insync.replicas", "2")]);
    rig.cut(1, 2);
    rig.cut(1, 3);
    rig.cut(1, 101);
    let connection = rig.connect(1);
    rig.ask(connection, 12, produce(-1, 60_000, &["zombie"]));
    rig.run_until("a new leader", |rig| isr(rig, 2) == [2, 3]);
    rig.heal();
    rig.run_until("the answer", |rig| is_answered(rig, connection));
    let (error, hint) = of_produce(&rig.inbox(connection).responses[0]);
    let now = epoch(&rig, 2).0;
    assert_eq!((error, hint), (ELSEWHERE.code(), ((2, now), at(2, None))));
}
