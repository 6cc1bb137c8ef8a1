//! Administrators' requests, and what brokers make of them.

use topomotion_wire::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use topomotion_wire::messages::create_partitions_request::CreatePartitionsTopic;
use topomotion_wire::messages::delete_topics_request::DeleteTopicState;
use topomotion_wire::messages::describe_configs_request::DescribeConfigsResource;
use topomotion_wire::messages::describe_log_dirs_request::DescribableLogDirTopic;
use topomotion_wire::messages::describe_log_dirs_response::DescribeLogDirsResult;
use topomotion_wire::messages::describe_quorum_request;
use topomotion_wire::messages::elect_leaders_request::TopicPartitions;
use topomotion_wire::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use topomotion_wire::messages::{
    AddRaftVoterRequest, AlterPartitionReassignmentsRequest, CreatePartitionsRequest,
    DeleteTopicsRequest, DescribeConfigsRequest, DescribeLogDirsRequest,
    DescribeQuorumRequest, ElectLeadersRequest, IncrementalAlterConfigsRequest,
    ListPartitionReassignmentsRequest,
};
use topomotion_wire::{BrokerLiveness, Duration, ErrorCode, NodeId, Rule};

use super::*;
use crate::Volume;

fn delete(rig: &mut Rig, topic: &str) -> i16 {
    let state = DeleteTopicState::default().with_name(Some(name(topic)));
    let request =
        DeleteTopicsRequest::default().with_topics(vec![state]).with_timeout_ms(30_000);
    let ResponseKind::DeleteTopics(response) = rig.call(2, 6, request) else { panic!() };
    response.responses[0].error_code
}

#[test]
fn a_deleted_topic_leaves_no_replica_and_no_file() {
    let mut rig = three_brokers(1, &[]);
    produce_to(&mut rig, 1, -1, &["a"]);
    assert_eq!(delete(&mut rig, "orders"), 0);
    rig.run_for(600);
    for id in 1..=3 {
        assert!(rig.node(id).replicas().is_empty());
        let left = rig.files(id).filter(|file| file.starts_with("orders-0/"));
        assert_eq!(left.count(), 0, "the log of {id}");
    }
    let code = delete(&mut rig, "orders");
    assert_eq!(code, ErrorCode::UnknownTopicOrPartition.code());
    create_orders(&mut rig, &[1, 2, 3], &[]);
    assert_eq!(offsets(&rig, 1), (0, 0), "a new topic of the same name is empty");
}

#[test]
fn a_topic_grows_but_never_shrinks() {
    let mut rig = three_brokers(1, &[]);
    let grow = |rig: &mut Rig, count| {
        let topic = CreatePartitionsTopic::default()
            .with_name(name("orders"))
            .with_count(count)
            .with_assignments(None);
        let request = CreatePartitionsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(30_000);
        let ResponseKind::CreatePartitions(response) = rig.call(1, 3, request) else {
            panic!()
        };
        response.results[0].error_code
    };
    assert_eq!(grow(&mut rig, 3), 0);
    assert_eq!(grow(&mut rig, 3), ErrorCode::InvalidPartitions.code());
    rig.run_for(600);
    let topic = rig.node(1).image().topic("orders").unwrap();
    assert_eq!(topic.partitions.len(), 3);
    assert!(topic.partitions.values().all(|it| it.replicas.len() == 3));
}

fn alter_config(rig: &mut Rig, key: &str, op: i8, value: &str) -> i16 {
    let config = AlterableConfig::default()
        .with_name(name(key).0)
        .with_config_operation(op)
        .with_value(Some(name(value).0));
    let resource = AlterConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(name("orders").0)
        .with_configs(vec![config]);
    let request =
        IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
    let response = rig.call(1, 1, request);
    let ResponseKind::IncrementalAlterConfigs(response) = response else { panic!() };
    response.responses[0].error_code
}

fn config(rig: &mut Rig, key: &str) -> (String, i8) {
    let resource = DescribeConfigsResource::default()
        .with_resource_type(2)
        .with_resource_name(name("orders").0)
        .with_configuration_keys(Some(vec![name(key).0]));
    let request = DescribeConfigsRequest::default().with_resources(vec![resource]);
    let ResponseKind::DescribeConfigs(response) = rig.call(1, 4, request) else {
        panic!()
    };
    let found = &response.results[0].configs[0];
    (found.value.as_ref().unwrap().to_string(), found.config_source)
}

#[test]
fn a_changed_setting_acts_at_once() {
    let mut rig = three_brokers(1, &[]);
    assert_eq!(config(&mut rig, "min.insync.replicas"), ("1".to_owned(), 5));
    assert_eq!(alter_config(&mut rig, "min.insync.replicas", 0, "3"), 0);
    rig.run_for(600);
    assert_eq!(config(&mut rig, "min.insync.replicas"), ("3".to_owned(), 1));
    rig.crash(3);
    rig.run_until("broker 3 to be fenced", |rig| isr(rig, 1) == [1, 2]);
    let (code, _) = produce_to(&mut rig, 1, -1, &["a"]);
    assert_eq!(code, ErrorCode::NotEnoughReplicas.code());
    assert_eq!(alter_config(&mut rig, "min.insync.replicas", 1, ""), 0);
    rig.run_for(600);
    assert_eq!(produce_to(&mut rig, 1, -1, &["a"]).0, 0);
    let code = alter_config(&mut rig, "min.insync.replicas", 0, "none");
    assert_eq!(code, ErrorCode::InvalidConfig.code());
    assert_eq!(alter_config(&mut rig, "cleanup.policy", 2, "compact"), 0);
    rig.run_for(600);
    assert_eq!(config(&mut rig, "cleanup.policy").0, "delete,compact");
}

fn reassign(rig: &mut Rig, replicas: Option<&[i32]>) -> i16 {
    let replicas = replicas.map(|ids| ids.iter().map(|&id| BrokerId(id)).collect());
    let partition = ReassignablePartition::default().with_replicas(replicas);
    let topic = ReassignableTopic::default()
        .with_name(name("orders"))
        .with_partitions(vec![partition]);
    let request = AlterPartitionReassignmentsRequest::default()
        .with_topics(vec![topic])
        .with_timeout_ms(30_000);
    let response = rig.call(1, 1, request);
    let ResponseKind::AlterPartitionReassignments(response) = response else { panic!() };
    assert_eq!(response.error_code, 0);
    response.responses[0].partitions[0].error_code
}

fn moving(rig: &mut Rig) -> usize {
    let request = ListPartitionReassignmentsRequest::default()
        .with_topics(None)
        .with_timeout_ms(30_000);
    let response = rig.call(1, 0, request);
    let ResponseKind::ListPartitionReassignments(response) = response else { panic!() };
    response.topics.len()
}

#[test]
fn a_reassignment_copies_then_moves_then_deletes() {
    let mut rig = Rig::new(5, 1);
    settle(&mut rig);
    create_orders(&mut rig, &[1, 2], &[]);
    produce_to(&mut rig, 1, -1, &["a", "b"]);
    assert_eq!(reassign(&mut rig, Some(&[4, 5])), 0);
    rig.run_until("the replicas to have moved", |rig| {
        let state = rig.node(1).image().partition(&orders()).unwrap();
        state.replicas == [NodeId(4), NodeId(5)]
    });
    rig.run_for(600);
    assert!(rig.marks.contains(&Rule::Ctl13));
    assert_eq!(moving(&mut rig), 0);
    assert_eq!(offsets(&rig, 4), (2, 2), "B20: nothing is lost on the way");
    assert!(rig.node(1).replica(&orders()).is_none());
    let steps = registrations(&rig);
    assert!(steps.iter().any(|it| it.replicas.len() == 4 && it.adding.len() == 2));
    assert_eq!(reassign(&mut rig, None), ErrorCode::NoReassignmentInProgress.code());
    assert_eq!(
        reassign(&mut rig, Some(&[9])),
        ErrorCode::InvalidReplicaAssignment.code()
    );
}

#[test]
fn a_reassignment_can_be_taken_back() {
    let mut rig = Rig::new(4, 1);
    settle(&mut rig);
    create_orders(&mut rig, &[1, 2], &[]);
    rig.crash(4);
    rig.run_for(12_000);
    assert_eq!(reassign(&mut rig, Some(&[1, 4])), 0);
    assert_eq!(moving(&mut rig), 1);
    assert_eq!(reassign(&mut rig, None), 0);
    rig.run_for(600);
    let state = rig.node(1).image().partition(&orders()).unwrap();
    assert_eq!(state.replicas, [NodeId(1), NodeId(2)]);
    assert!(state.adding.is_empty() && state.removing.is_empty());
}

fn elect(rig: &mut Rig, kind: i8) -> i16 {
    let topic =
        TopicPartitions::default().with_topic(name("orders")).with_partitions(vec![0]);
    let request = ElectLeadersRequest::default()
        .with_election_type(kind)
        .with_topic_partitions(Some(vec![topic]))
        .with_timeout_ms(30_000);
    let ResponseKind::ElectLeaders(response) = rig.call(2, 2, request) else { panic!() };
    response.replica_election_results[0].partition_result[0].error_code
}

fn leader(rig: &Rig) -> Option<i32> {
    let image = rig.node(active_controller(rig)).image();
    image.partition(&orders()).unwrap().leader.map(|id| id.0)
}

#[test]
fn the_preferred_leader_comes_back_on_demand_or_by_itself() {
    let mut rig = three_brokers(1, &[]);
    for on_demand in [true, false] {
        rig.crash(1);
        rig.run_until("broker 2 to lead", |rig| leader(rig) == Some(2));
        assert_eq!(elect(&mut rig, 0), ErrorCode::PreferredLeaderNotAvailable.code());
        rig.start(1);
        settle(&mut rig);
        rig.run_until("broker 1 in sync", |rig| isr(rig, 2).len() == 3);
        assert_eq!(leader(&rig), Some(2), "nobody moves it yet");
        if on_demand {
            assert_eq!(elect(&mut rig, 0), 0);
            assert_eq!(elect(&mut rig, 0), ErrorCode::ElectionNotNeeded.code());
        } else {
            rig.run_for(300_000);
        }
        assert_eq!(leader(&rig), Some(1), "B8");
        assert!(rig.marks.contains(&Rule::Ctl5));
        rig.run_for(600);
    }
}

#[test]
fn a_controlled_shutdown_moves_leaders_before_the_broker_stops() {
    let mut rig = three_brokers(1, &[]);
    produce_to(&mut rig, 1, -1, &["a"]);
    let before = rig.now;
    rig.begin_shutdown(1);
    rig.run_until("broker 2 to lead", |rig| leader(rig) == Some(2));
    assert!((rig.now - before).as_millis() < 100, "no session has to run out");
    let liveness = |rig: &Rig| rig.node(101).image().broker(NodeId(1)).unwrap().liveness;
    assert_eq!(liveness(&rig), BrokerLiveness::ControlledShutdown);
    assert!(!rig.node(1).may_stop(), "others still have to hear of it");
    rig.run_until("leave to stop", |rig| rig.node(1).may_stop());
    assert!(rig.marks.contains(&Rule::Ctl11));
    rig.run_for(100);
    assert_eq!(liveness(&rig), BrokerLiveness::Fenced);
    rig.crash(1);
    assert_eq!(produce_to(&mut rig, 2, -1, &["b"]).0, 0, "B7: nobody waits");
    let before = rig.now;
    rig.start(1);
    rig.run_until("broker 1 unfenced", |rig| liveness(rig) == BrokerLiveness::Unfenced);
    assert!((rig.now - before).as_millis() < 100, "its session ended with it");
    rig.run_until("broker 1 in sync", |rig| isr(rig, 2).len() == 3);
}

#[test]
fn a_combined_node_leaves_as_broker_then_as_controller() {
    let mut rig = Rig::combined(3);
    settle(&mut rig);
    let first = active_controller(&rig);
    rig.begin_shutdown(first);
    rig.run_until("leave to stop", |rig| rig.node(first).may_stop());
    let before = rig.now;
    rig.run_until("another controller", |rig| {
        rig.nodes().any(|(id, node)| id != first && node.is_active_controller())
    });
    assert!((rig.now - before).as_millis() < 200, "C4: a successor was named");
}

/// B11 and B12: three replicas, two of which have to have a record; one after the other
/// stops. The first that comes back had left while the others went on.
fn last_replica_standing(elr: crate::Elr) -> Rig {
    let mut rig = Rig::new(3, 1);
    rig.settings.elr = elr;
    for id in [1, 2, 3, 101] {
        rig.crash(id);
        rig.start(id);
    }
    settle(&mut rig);
    create_orders(&mut rig, &[1, 2, 3], &[("min.insync.replicas", "2")]);
    produce_to(&mut rig, 1, -1, &["a"]);
    rig.crash(3);
    rig.run_until("broker 3 to be fenced", |rig| isr(rig, 1) == [1, 2]);
    // Broker 2 leaves properly: it has everything that was committed.
    rig.begin_shutdown(2);
    rig.run_until("leave to stop", |rig| rig.node(2).may_stop());
    rig.run_for(200);
    rig.crash(2);
    rig.crash(1);
    rig.run_until("nobody to lead", |rig| leader(rig).is_none());
    rig
}

#[test]
fn an_eligible_replica_leads_when_the_isr_is_empty() {
    let mut rig = last_replica_standing(crate::Elr::On);
    let state = rig.node(101).image().partition(&orders()).unwrap().clone();
    assert_eq!((state.isr.len(), state.elr.len()), (0, 2), "{state:?}");
    rig.start(2);
    rig.run_until("broker 2 to lead", |rig| leader(rig) == Some(2));
    assert!(rig.marks.contains(&Rule::Ctl6));
    assert!(!rig.marks.contains(&Rule::Ctl4), "it has everything (B11)");
}

#[test]
fn without_elr_everybody_waits_for_the_last_member() {
    let mut rig = last_replica_standing(crate::Elr::Off);
    rig.start(2);
    rig.run_for(20_000);
    assert_eq!(leader(&rig), None, "CTL-7: only broker 1 counts, whatever 2 has");
    let state = rig.node(101).image().partition(&orders()).unwrap();
    assert_eq!(state.isr, [NodeId(1)]);
    assert!(rig.marks.contains(&Rule::Ctl7));
}

/// B12: broker 1 comes back first, with an empty disk. Where the log of `orders` ends then on
/// broker 2, which had its one acknowledged record.
fn after_a_lost_disk(elr: crate::Elr) -> i64 {
    let mut rig = last_replica_standing(elr);
    rig.honesty = super::super::rig::Honesty::NotEveryone;
    rig.wipe(1, "orders-0/");
    rig.start(1);
    rig.run_for(20_000);
    rig.start(2);
    rig.run_until("somebody to lead", |rig| leader(rig).is_some());
    settle(&mut rig);
    rig.run_for(5_000);
    offsets(&rig, 2).0
}

#[test]
fn elr_keeps_what_the_last_replica_standing_loses() {
    assert_eq!(after_a_lost_disk(crate::Elr::Off), 0, "an acknowledged record is gone");
    assert_eq!(after_a_lost_disk(crate::Elr::On), 1, "broker 2 was waited for");
}

#[test]
fn a_node_reads_a_snapshot_when_the_metadata_log_begins_later() {
    let mut rig = Rig::new(3, 3);
    rig.settings.metadata_snapshot_bytes = 300;
    rig.settings.metadata_max_retention_bytes = 0;
    for id in [1, 2, 3, 101, 102, 103] {
        rig.crash(id);
        rig.start(id);
    }
    settle(&mut rig);
    rig.crash(3);
    for topic in ["a", "b", "c", "d", "e", "f"] {
        let request = super::topic(topic, &[1, 2], &[("min.insync.replicas", "2")]);
        rig.call(1, 7, request);
    }
    rig.run_for(600);
    let active = active_controller(&rig);
    assert!(rig.node(active).quorum().log().start_offset().0 > 0);
    let before = rig.node(active).image().topics().len();
    rig.start(3);
    settle(&mut rig);
    assert_eq!(rig.node(3).image().topics().len(), before);
    let is_snapshot = |body: &RequestKind| matches!(body, RequestKind::FetchSnapshot(_));
    assert!(rig.sent.iter().any(|(_, from, _, body)| *from == 3 && is_snapshot(body)));
    rig.crash(active);
    rig.start(active);
    assert_eq!(rig.node(active).image().topics().len(), before, "from its own disk");
}

#[test]
fn a_still_metadata_log_gets_a_record_now_and_then_if_it_is_wanted() {
    let ends = |interval: Option<Duration>| {
        let mut rig = three_brokers(1, &[]);
        rig.settings.metadata_max_idle_interval = interval;
        rig.crash(101);
        rig.start(101);
        rig.run_for(3_000);
        let end = |rig: &Rig| rig.node(101).quorum().log().end_offset().0;
        let before = end(&rig);
        rig.run_for(5_000);
        end(&rig) - before
    };
    assert_eq!(ends(None), 0);
    let written = ends(Some(Duration::from_millis(500)));
    assert!((9..=11).contains(&written), "{written} in five seconds");
}

#[test]
fn a_broker_passes_the_quorums_requests_on() {
    let mut rig = three_brokers(3, &[]);
    let topic = describe_quorum_request::TopicData::default()
        .with_topic_name(name("__cluster_metadata"))
        .with_partitions(vec![describe_quorum_request::PartitionData::default()]);
    let request = DescribeQuorumRequest::default().with_topics(vec![topic]);
    let ResponseKind::DescribeQuorum(response) = rig.call(2, 2, request) else {
        panic!()
    };
    let data = &response.topics[0].partitions[0];
    assert_eq!((data.error_code, data.current_voters.len()), (0, 3));
    assert_eq!(data.observers.len(), 3);
    let request = AddRaftVoterRequest::default().with_voter_id(7).with_timeout_ms(5_000);
    let ResponseKind::AddRaftVoter(response) = rig.call(2, 0, request) else { panic!() };
    let error = ErrorCode::UnsupportedVersion.code();
    assert_eq!(response.error_code, error, "the voters of this cluster are static");
}

#[test]
fn every_committed_state_of_a_partition_is_told() {
    let mut rig = three_brokers(3, &[]);
    rig.crash(3);
    rig.run_until("broker 3 to be fenced", |rig| isr(rig, 1) == [1, 2]);
    rig.crash(active_controller(&rig));
    rig.crash(2);
    rig.run_until("broker 2 to be fenced", |rig| isr(rig, 1) == [1]);
    let epochs: Vec<i32> =
        registrations(&rig).iter().map(|it| it.partition_epoch.0).collect();
    let all: Vec<i32> = (0..=*epochs.last().unwrap()).collect();
    let mut told = epochs;
    told.dedup();
    assert_eq!(told, all, "no step is left out");
}

/// The only log directory of a broker, as it describes it.
fn log_dir(
    rig: &mut Rig,
    node: i32,
    topics: Option<&[(&str, i32)]>,
) -> DescribeLogDirsResult {
    let topic = |(topic, partition): &(&str, i32)| {
        DescribableLogDirTopic::default()
            .with_topic(name(topic))
            .with_partitions(vec![*partition])
    };
    let topics = topics.map(|all| all.iter().map(topic).collect());
    let request = DescribeLogDirsRequest::default().with_topics(topics);
    let ResponseKind::DescribeLogDirs(mut response) = rig.call(node, 4, request) else {
        panic!("an answer of its kind")
    };
    assert_eq!((response.error_code, response.results.len()), (0, 1));
    response.results.remove(0)
}

#[test]
fn a_broker_tells_what_each_partition_takes_of_its_disk() {
    let mut rig = three_brokers(1, &[]);
    assert_eq!(produce_to(&mut rig, 1, -1, &["a", "b"]).0, 0);
    rig.run_for(600);
    for id in 1..=3 {
        let written: usize = rig.bytes_of(id, "orders-0/00000000000000000000.log");
        assert!(written > 0, "the log of {id}");
        for asked in [None, Some(&[("orders", 0), ("orders", 7), ("nothing", 0)][..])] {
            let dir = log_dir(&mut rig, id, asked);
            assert_eq!((dir.log_dir.as_str(), dir.error_code), ("/tmp/kafka-logs", 0));
            assert_eq!((dir.total_bytes, dir.usable_bytes), (-1, -1), "nobody has said");
            let [topic] = &dir.topics[..] else { panic!("{:?}", dir.topics) };
            assert_eq!(topic.name, name("orders"));
            let [told] = &topic.partitions[..] else { panic!("{:?}", topic.partitions) };
            let told = (told.partition_index, told.partition_size, told.offset_lag);
            assert_eq!(told, (0, written as i64, 0));
        }
        assert_eq!(log_dir(&mut rig, id, Some(&[])).topics, [], "none of them");
    }
    let volume = Volume { total: 1 << 40, usable: u64::MAX };
    rig.node_mut(2).note_volume(Some(volume));
    let dir = log_dir(&mut rig, 2, None);
    assert_eq!((dir.total_bytes, dir.usable_bytes), (1 << 40, i64::MAX));
}
