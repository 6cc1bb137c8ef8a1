//! A cluster comes up, learns topics, and tells its clients the truth.

use topomotion_wire::messages::create_topics_request::CreatableTopic;
use topomotion_wire::messages::{
    ApiVersionsRequest, CreateTopicsRequest, DescribeClusterRequest, MetadataRequest,
    RequestKind, ResponseKind, UpdateFeaturesRequest,
};
use topomotion_wire::{ErrorCode, Rule};

use super::*;

fn create(rig: &mut Rig, partitions: i32, factor: i16) -> i16 {
    let wanted = CreatableTopic::default()
        .with_name(name("striped"))
        .with_num_partitions(partitions)
        .with_replication_factor(factor);
    let request =
        CreateTopicsRequest::default().with_topics(vec![wanted]).with_timeout_ms(30_000);
    let response = rig.call(2, 7, request);
    let ResponseKind::CreateTopics(response) = response else { panic!("{response:?}") };
    response.topics[0].error_code
}

#[test]
fn brokers_register_catch_up_and_are_unfenced() {
    for controllers in [1, 3] {
        let mut rig = Rig::new(3, controllers);
        settle(&mut rig);
        assert!(rig.marks.is_superset(&[Rule::Ctl8, Rule::Ctl10, Rule::Raft11].into()));
        for (id, node) in rig.nodes() {
            assert_eq!(node.image().active_brokers().count(), 3, "as seen by {id}");
        }
        let active = active_controller(&rig);
        let epochs = rig.node(active).image().brokers().values().map(|it| it.epoch.0);
        let mut epochs: Vec<i64> = epochs.collect();
        epochs.sort_unstable();
        epochs.dedup();
        assert_eq!(epochs.len(), 3, "each epoch is the offset of its own record");
    }
}

#[test]
fn three_combined_nodes_are_a_cluster_too() {
    let mut rig = Rig::combined(3);
    settle(&mut rig);
    create_orders(&mut rig, &[1, 2, 3], &[]);
    assert_eq!(produce_to(&mut rig, 1, -1, &["a"]), (0, 0));
}

#[test]
fn a_single_combined_node_serves_alone() {
    let mut rig = Rig::combined(1);
    settle(&mut rig);
    create_orders(&mut rig, &[1], &[]);
    assert_eq!(produce_to(&mut rig, 1, -1, &["a", "b"]), (0, 0));
    assert_eq!(offsets(&rig, 1), (2, 2));
}

#[test]
fn leaders_are_placed_in_turn() {
    let mut rig = Rig::new(3, 1);
    settle(&mut rig);
    assert_eq!(create(&mut rig, 3, 3), 0);
    let leaders: Vec<_> =
        rig.node(101).image().partitions().map(|(_, state)| state.leader).collect();
    let leaders: Vec<i32> = leaders.into_iter().flatten().map(|id| id.0).collect();
    assert_eq!(leaders, [1, 2, 3]);
    assert!(rig.marks.contains(&Rule::Ctl12));
}

#[test]
fn more_replicas_than_brokers_are_refused() {
    let mut rig = Rig::new(3, 1);
    settle(&mut rig);
    assert_eq!(create(&mut rig, 1, 4), ErrorCode::InvalidReplicationFactor.code());
    assert_eq!(create(&mut rig, 0, 1), ErrorCode::InvalidPartitions.code());
    assert_eq!(rig.node(101).image().topics().len(), 0);
}

#[test]
fn metadata_names_leaders_and_live_brokers() {
    let mut rig = three_brokers(1, &[]);
    let response = rig.call(3, 12, MetadataRequest::default().with_topics(None));
    let ResponseKind::Metadata(response) = response else { panic!("{response:?}") };
    let brokers: Vec<i32> = response.brokers.iter().map(|it| it.node_id.0).collect();
    assert_eq!(brokers, [1, 2, 3]);
    assert_eq!(response.brokers[0].host.as_str(), "node-1");
    let partition = &response.topics[0].partitions[0];
    assert_eq!((partition.leader_id.0, partition.isr_nodes.len()), (1, 3));
}

#[test]
fn api_versions_lists_exactly_what_is_served() {
    let mut rig = Rig::new(1, 1);
    settle(&mut rig);
    for node in [1, 101] {
        let request = RequestKind::ApiVersions(ApiVersionsRequest::default());
        let response = rig.call(node, 3, request.clone());
        let ResponseKind::ApiVersions(response) = response else {
            panic!("{response:?}")
        };
        let has = |key| response.api_keys.iter().any(|it| it.api_key == key);
        assert_eq!((has(0), has(52)), (node == 1, node == 101), "node {node}");
        let ResponseKind::ApiVersions(newer) = rig.call(node, 99, request) else {
            panic!("answered in any version")
        };
        assert_eq!(newer.error_code, ErrorCode::UnsupportedVersion.code());
        assert_eq!(newer.api_keys, response.api_keys);
    }
}

#[test]
fn every_version_that_is_offered_is_answered_in_its_own_form() {
    let mut rig = three_brokers(1, &[]);
    let topic_id = rig.node(1).image().topic("orders").unwrap().id.0;
    let RequestKind::Produce(by_id) = produce(1, 1_000, &["a"]) else { panic!() };
    let mut by_id = by_id;
    by_id.topic_data[0].topic_id = topic_id;
    let RequestKind::Fetch(fetch_by_id) = fetch(0, 0) else { panic!() };
    let mut fetch_by_id = fetch_by_id;
    fetch_by_id.topics[0].topic_id = topic_id;
    let partition = ListOffsetsPartition::default().with_timestamp(-1);
    let partition = partition.with_current_leader_epoch(-1);
    let listed = ListOffsetsTopic::default().with_name(name("orders"));
    let list = ListOffsetsRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_topics(vec![listed.with_partitions(vec![partition])]);
    let all: [(_, i16, i16, RequestKind); 7] = [
        (1, 3, 13, by_id.into()),
        (1, 4, 18, fetch_by_id.into()),
        (1, 1, 9, list.into()),
        (2, 0, 13, MetadataRequest::default().with_topics(None).into()),
        (2, 2, 7, topic("orders", &[1], &[]).into()),
        (3, 0, 2, DescribeClusterRequest::default().into()),
        (101, 0, 4, ApiVersionsRequest::default().into()),
    ];
    for (node, min, max, request) in all {
        for version in min..=max {
            // The rig encodes every answer in the version of its request.
            let response = rig.call(node, version, request.clone());
            if let ResponseKind::Produce(_) = &response {
                assert_eq!(produced(&response).0, 0, "version {version}");
            }
            if let ResponseKind::Fetch(_) = &response {
                assert_eq!(fetched(&response).0, 0, "version {version}");
            }
        }
    }
}

#[test]
fn what_is_not_served_closes_the_connection() {
    let mut rig = Rig::new(1, 1);
    settle(&mut rig);
    let connection = rig.connect(1);
    rig.ask(connection, 1, RequestKind::UpdateFeatures(UpdateFeaturesRequest::default()));
    rig.run_for(10);
    assert!(rig.inbox(connection).closed);
}

#[test]
fn a_topic_is_created_by_a_real_message_to_the_controller() {
    let rig = three_brokers(3, &[]);
    let active = active_controller(&rig);
    let forwarded = rig.sent.iter().find(|(_, from, _, body)| {
        *from == 1 && matches!(body, RequestKind::CreateTopics(_))
    });
    assert_eq!(forwarded.map(|(_, _, to, _)| *to), Some(active));
}

#[test]
fn a_quiet_cluster_only_polls_and_beats() {
    let mut rig = three_brokers(1, &[]);
    rig.run_for(10_000);
    let from = rig.sent.len();
    rig.run_for(10_000);
    let count = |is: fn(&RequestKind) -> bool| {
        rig.sent[from..].iter().filter(|(_, _, _, body)| is(body)).count()
    };
    let beats = count(|body| matches!(body, RequestKind::BrokerHeartbeat(_)));
    let fetches = count(|body| matches!(body, RequestKind::Fetch(_)));
    assert_eq!(beats + fetches, rig.sent.len() - from, "nothing else is sent");
    assert!((14..=16).contains(&beats), "3 brokers, every 2 s: {beats}");
    // Two followers and three observers, each waiting half a second at its leader.
    assert!((95..=101).contains(&fetches), "{fetches}");
}

#[test]
fn the_same_start_gives_the_same_run() {
    let run = || {
        let mut rig = three_brokers(3, &[]);
        produce_to(&mut rig, 1, -1, &["a"]);
        rig.crash(1);
        rig.run_for(12_000);
        (rig.sent, rig.facts)
    };
    let (first, second) = (run(), run());
    assert!(first == second, "no clock, no hash order, no chance but the given one");
}
