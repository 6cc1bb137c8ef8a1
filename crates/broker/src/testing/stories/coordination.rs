//! Coordinators: found, fed, moved; transactions with markers, verified writes.

mod groups;
mod topic_ids;
mod transactions;

use topomotion_wire::messages::{FindCoordinatorRequest, FindCoordinatorResponse};
use topomotion_wire::{ErrorCode, Rule};

use super::*;
use crate::config::BrokerSettings;

/// Three brokers, one controller, and internal topics with four partitions.
fn cluster() -> Rig {
    with_settings(|_| {})
}

fn with_settings(change: impl FnOnce(&mut BrokerSettings)) -> Rig {
    let mut settings = BrokerSettings {
        offsets_topic_num_partitions: 4,
        transaction_state_log_num_partitions: 4,
        ..BrokerSettings::default()
    };
    change(&mut settings);
    let mut rig = Rig::with_settings(3, 1, settings);
    settle(&mut rig);
    rig
}

fn find_all(
    rig: &mut Rig,
    node: i32,
    key_type: i8,
    keys: &[&str],
) -> FindCoordinatorResponse {
    let keys = keys.iter().map(|key| name(key).0).collect();
    let request = FindCoordinatorRequest::default();
    let request = request.with_key_type(key_type).with_coordinator_keys(keys);
    let ResponseKind::FindCoordinator(response) = rig.call(node, 6, request) else {
        panic!("an answer of its kind")
    };
    response
}

/// Error code and coordinator of a group (0) or a transactional id (1).
fn find(rig: &mut Rig, key_type: i8, key: &str) -> (i16, i32) {
    let found = find_all(rig, 1, key_type, &[key]).coordinators.remove(0);
    (found.error_code, found.node_id.0)
}

/// The coordinator, once there is one.
fn coordinator(rig: &mut Rig, key_type: i8, key: &str) -> i32 {
    for _ in 0..100 {
        match find(rig, key_type, key) {
            (0, node) => return node,
            (code, _) => assert_eq!(code, ErrorCode::CoordinatorNotAvailable.code()),
        }
        rig.run_for(100);
    }
    panic!("no coordinator for {key}");
}

#[test]
fn the_first_search_creates_the_topic() {
    let mut rig = cluster();
    assert!(rig.node(1).image().topic("__consumer_offsets").is_none());
    let none = (ErrorCode::CoordinatorNotAvailable.code(), -1);
    assert_eq!(find(&mut rig, 0, "hello"), none);
    let node = coordinator(&mut rig, 0, "hello");
    let topic = rig.node(1).image().topic("__consumer_offsets").unwrap().clone();
    assert_eq!(topic.partitions.len(), 4);
    assert!(topic.partitions.values().all(|it| it.replicas.len() == 3));
    assert_eq!(topic.configs.get("cleanup.policy").map(|it| &**it), Some("compact"));
    // 99162322 % 4, as Java hashes it.
    assert_eq!(topic.partitions[&2].leader, Some(NodeId(node)));
    assert!(rig.marks.contains(&Rule::Grp1));
    let keys = ["hello", "Hello World", "a"];
    let found = find_all(&mut rig, 2, 0, &keys).coordinators;
    for (found, partition) in found.iter().zip([2, 0, 1]) {
        assert_eq!(Some(NodeId(found.node_id.0)), topic.partitions[&partition].leader);
        assert_eq!(&*found.host, format!("node-{}", found.node_id.0));
    }
    let share = find_all(&mut rig, 1, 2, &["hello"]).coordinators.remove(0);
    assert_eq!(share.error_code, ErrorCode::InvalidRequest.code());
}

#[test]
fn an_old_client_asks_for_one_coordinator() {
    let mut rig = cluster();
    let node = coordinator(&mut rig, 0, "hello");
    for version in 0..4 {
        let request = FindCoordinatorRequest::default().with_key(name("hello").0);
        let ResponseKind::FindCoordinator(found) = rig.call(3, version, request) else {
            panic!("an answer of its kind")
        };
        assert_eq!((found.error_code, found.node_id.0), (0, node), "{version}");
    }
}

#[test]
fn no_coordinator_is_available_with_too_few_brokers() {
    let mut rig = Rig::new(2, 1);
    settle(&mut rig);
    for _ in 0..5 {
        let (code, _) = find(&mut rig, 1, "shop");
        assert_eq!(code, ErrorCode::CoordinatorNotAvailable.code());
        rig.run_for(500);
    }
    assert!(rig.node(1).image().topic("__transaction_state").is_none());
}
