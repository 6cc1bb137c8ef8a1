//! Groups through a broker: joined, moved with their coordinator, fed with offsets.

use topomotion_wire::messages::join_group_request::JoinGroupRequestProtocol;
use topomotion_wire::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use topomotion_wire::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use topomotion_wire::messages::sync_group_request::SyncGroupRequestAssignment;
use topomotion_wire::messages::{
    ConsumerGroupHeartbeatRequest, DeleteGroupsRequest, DescribeGroupsRequest, GroupId,
    HeartbeatRequest, JoinGroupRequest, JoinGroupResponse, ListGroupsRequest,
    OffsetCommitRequest, OffsetFetchRequest, SyncGroupRequest,
};
use topomotion_wire::{Bytes, StrBytes};

use super::*;

/// Its partition of four is 2, that of `other` another one.
const GROUP: &str = "hello";

fn group(id: &str) -> GroupId {
    GroupId(name(id).0)
}

fn join(rig: &mut Rig, node: i32, member: &StrBytes) -> JoinGroupResponse {
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(name("range").0)
        .with_metadata(Bytes::from_static(b"subscription"));
    let request = JoinGroupRequest::default()
        .with_group_id(group(GROUP))
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(30_000)
        .with_member_id(member.clone())
        .with_protocol_type(name("consumer").0)
        .with_protocols(vec![protocol]);
    let ResponseKind::JoinGroup(response) = rig.call(node, 9, request) else {
        panic!("an answer of its kind")
    };
    response
}

/// Joins as the only member and takes its assignment. Returns member and generation.
fn joined(rig: &mut Rig, node: i32) -> (StrBytes, i32) {
    let first = join(rig, node, &StrBytes::default());
    assert_eq!(first.error_code, ErrorCode::MemberIdRequired.code());
    assert!(first.member_id.starts_with("client-"), "{}", first.member_id);
    let response = join(rig, node, &first.member_id);
    assert_eq!(response.error_code, 0);
    let member = response.member_id;
    assert_eq!(response.leader, member);
    let assignment = SyncGroupRequestAssignment::default()
        .with_member_id(member.clone())
        .with_assignment(Bytes::from_static(b"everything"));
    let request = SyncGroupRequest::default()
        .with_group_id(group(GROUP))
        .with_generation_id(response.generation_id)
        .with_member_id(member.clone())
        .with_protocol_type(Some(name("consumer").0))
        .with_protocol_name(Some(name("range").0))
        .with_assignments(vec![assignment]);
    let ResponseKind::SyncGroup(synced) = rig.call(node, 5, request) else {
        panic!("an answer of its kind")
    };
    assert_eq!((synced.error_code, &synced.assignment[..]), (0, &b"everything"[..]));
    (member, response.generation_id)
}

fn heartbeat(rig: &mut Rig, node: i32, (member, generation): &(StrBytes, i32)) -> i16 {
    let request = HeartbeatRequest::default()
        .with_group_id(group(GROUP))
        .with_generation_id(*generation)
        .with_member_id(member.clone());
    let ResponseKind::Heartbeat(response) = rig.call(node, 4, request) else {
        panic!("an answer of its kind")
    };
    response.error_code
}

fn commit(
    rig: &mut Rig,
    node: i32,
    id: &str,
    (member, generation): &(StrBytes, i32),
    offset: i64,
) -> i16 {
    let partition = OffsetCommitRequestPartition::default().with_committed_offset(offset);
    let topic = OffsetCommitRequestTopic::default()
        .with_name(name("orders"))
        .with_partitions(vec![partition]);
    let request = OffsetCommitRequest::default()
        .with_group_id(group(id))
        .with_generation_id_or_member_epoch(*generation)
        .with_member_id(member.clone())
        .with_topics(vec![topic]);
    let ResponseKind::OffsetCommit(response) = rig.call(node, 9, request) else {
        panic!("an answer of its kind")
    };
    response.topics[0].partitions[0].error_code
}

/// Without a member: as an administrator or a consumer without a group does.
fn simple() -> (StrBytes, i32) {
    (StrBytes::default(), -1)
}

/// Error code and offset of each group.
fn fetch_offsets(rig: &mut Rig, node: i32, ids: &[&str]) -> Vec<(i16, i64)> {
    let topic = OffsetFetchRequestTopics::default()
        .with_name(name("orders"))
        .with_partition_indexes(vec![0]);
    let groups = ids.iter().map(|id| {
        OffsetFetchRequestGroup::default()
            .with_group_id(group(id))
            .with_member_epoch(-1)
            .with_topics(Some(vec![topic.clone()]))
    });
    let request = OffsetFetchRequest::default().with_groups(groups.collect());
    let ResponseKind::OffsetFetch(response) = rig.call(node, 9, request) else {
        panic!("an answer of its kind")
    };
    let offset = |group: &topomotion_wire::messages::offset_fetch_response::OffsetFetchResponseGroup| {
        let topic = group.topics.first();
        let partition = topic.and_then(|topic| topic.partitions.first());
        partition.map_or(-1, |it| it.committed_offset)
    };
    response.groups.iter().map(|group| (group.error_code, offset(group))).collect()
}

/// A cluster with `orders` and a group's coordinator.
fn with_group() -> (Rig, i32) {
    let mut rig = cluster();
    create_orders(&mut rig, &[1, 2, 3], &[]);
    let node = coordinator(&mut rig, 0, GROUP);
    rig.run_for(600);
    (rig, node)
}

#[test]
fn a_member_joins_at_the_coordinator_alone() {
    let (mut rig, node) = with_group();
    let wrong = node % 3 + 1;
    let refused = join(&mut rig, wrong, &StrBytes::default());
    assert_eq!(refused.error_code, ErrorCode::NotCoordinator.code());
    let member = joined(&mut rig, node);
    assert_eq!(heartbeat(&mut rig, node, &member), 0);
    let late = (member.0.clone(), member.1 - 1);
    assert_eq!(heartbeat(&mut rig, node, &late), ErrorCode::IllegalGeneration.code());
    assert_eq!(commit(&mut rig, node, GROUP, &member, 7), 0);
    let code = commit(&mut rig, node, GROUP, &late, 5);
    assert_eq!(code, ErrorCode::IllegalGeneration.code());
    assert_eq!(fetch_offsets(&mut rig, node, &[GROUP]), [(0, 7)]);
    for rule in [Rule::Grp2, Rule::Grp3, Rule::Grp5, Rule::Grp6] {
        assert!(rig.marks.contains(&rule), "{rule}");
    }
}

#[test]
fn a_new_coordinator_knows_what_the_old_one_knew() {
    let (mut rig, node) = with_group();
    let member = joined(&mut rig, node);
    assert_eq!(commit(&mut rig, node, GROUP, &member, 7), 0);
    rig.crash(node);
    let asked = node % 3 + 1;
    rig.run_until("another coordinator", |rig| {
        let topic = rig.node(asked).image().topic("__consumer_offsets").unwrap();
        topic.partitions[&2].leader.is_some_and(|leader| leader.0 != node)
    });
    rig.run_for(600);
    let found = find_all(&mut rig, asked, 0, &[GROUP]).coordinators.remove(0);
    let next = found.node_id.0;
    assert_ne!(next, node);
    assert_eq!(heartbeat(&mut rig, next, &member), 0, "the same generation goes on");
    assert_eq!(fetch_offsets(&mut rig, next, &[GROUP]), [(0, 7)]);
    assert_eq!(commit(&mut rig, next, GROUP, &member, 9), 0);
    assert_eq!(fetch_offsets(&mut rig, next, &[GROUP]), [(0, 9)]);
}

#[test]
fn whoever_waits_at_a_coordinator_that_loses_its_partition_is_sent_away() {
    let (mut rig, node) = with_group();
    let first = join(&mut rig, node, &StrBytes::default()).member_id;
    let waiting = rig.connect(node);
    let protocol = JoinGroupRequestProtocol::default().with_name(name("range").0);
    let request = JoinGroupRequest::default()
        .with_group_id(group(GROUP))
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(30_000)
        .with_member_id(first)
        .with_protocol_type(name("consumer").0)
        .with_protocols(vec![protocol]);
    rig.ask(waiting, 9, request);
    rig.run_for(100);
    assert!(!is_answered(&rig, waiting), "the first rebalance waits for company");
    rig.begin_shutdown(node);
    rig.run_until("an answer", |rig| is_answered(rig, waiting));
    let ResponseKind::JoinGroup(answer) = &rig.inbox(waiting).responses[0] else {
        panic!("an answer of its kind")
    };
    assert_eq!(answer.error_code, ErrorCode::NotCoordinator.code());
}

#[test]
fn a_request_for_several_groups_is_answered_as_one() {
    let (mut rig, node) = with_group();
    let homes = rig.node(1).image().topic("__consumer_offsets").unwrap().clone();
    let leads = |key: &str| {
        let partition = topomotion_coordinator::partition_for(key, 4);
        homes.partitions[&partition].leader == Some(NodeId(node))
    };
    let names: Vec<String> = (0..40).map(|number| format!("group-{number}")).collect();
    let mine: Vec<&str> = names.iter().map(|it| &**it).filter(|it| leads(it)).collect();
    let foreign = names.iter().find(|it| !leads(it)).unwrap();
    assert!(mine.len() > 3, "a third of forty, or so");
    for (at, id) in mine.iter().enumerate() {
        assert_eq!(commit(&mut rig, node, id, &simple(), at as i64), 0, "{id}");
    }
    let code = commit(&mut rig, node, foreign, &simple(), 0);
    assert_eq!(code, ErrorCode::NotCoordinator.code());
    let asked = [mine[1], foreign, mine[0]];
    let foreign_answer = (ErrorCode::NotCoordinator.code(), -1);
    let expected = [(0, 1), foreign_answer, (0, 0)];
    assert_eq!(fetch_offsets(&mut rig, node, &asked), expected);
    assert_eq!(fetch_offsets(&mut rig, node, &[]), []);

    let request = ListGroupsRequest::default();
    let ResponseKind::ListGroups(listed) = rig.call(node, 5, request) else { panic!() };
    let mut listed: Vec<String> =
        listed.groups.iter().map(|it| it.group_id.0.to_string()).collect();
    listed.sort();
    let mut expected: Vec<String> = mine.iter().map(|&it| it.to_owned()).collect();
    expected.sort();
    assert_eq!(listed, expected, "of every partition that it leads");

    let request = DeleteGroupsRequest::default().with_groups_names(vec![
        group(mine[0]),
        group(foreign),
        group(mine[2]),
    ]);
    let ResponseKind::DeleteGroups(deleted) = rig.call(node, 2, request) else {
        panic!()
    };
    let codes: Vec<i16> = deleted.results.iter().map(|it| it.error_code).collect();
    assert_eq!(codes, [0, ErrorCode::NotCoordinator.code(), 0]);
    assert_eq!(fetch_offsets(&mut rig, node, &[mine[0]]), [(0, -1)]);

    let request = DescribeGroupsRequest::default()
        .with_groups(vec![group(foreign), group(mine[1])]);
    let ResponseKind::DescribeGroups(told) = rig.call(node, 6, request) else { panic!() };
    let told: Vec<(i16, &str)> =
        told.groups.iter().map(|it| (it.error_code, it.group_state.as_str())).collect();
    assert_eq!(told, [(ErrorCode::NotCoordinator.code(), ""), (0, "Empty")]);
}

#[test]
fn offsets_are_not_taken_while_too_few_replicas_are_in_sync() {
    let (mut rig, node) = with_group();
    let config = |rig: &mut Rig, value: &str| {
        use topomotion_wire::messages::IncrementalAlterConfigsRequest;
        use topomotion_wire::messages::incremental_alter_configs_request::{
            AlterConfigsResource, AlterableConfig,
        };
        let config = AlterableConfig::default()
            .with_name(name("min.insync.replicas").0)
            .with_value(Some(name(value).0));
        let resource = AlterConfigsResource::default()
            .with_resource_type(2)
            .with_resource_name(name("__consumer_offsets").0)
            .with_configs(vec![config]);
        let request =
            IncrementalAlterConfigsRequest::default().with_resources(vec![resource]);
        rig.call(node, 1, request);
        rig.run_for(600);
    };
    config(&mut rig, "3");
    let other = node % 3 + 1;
    rig.crash(other);
    rig.run_for(12_000);
    let code = commit(&mut rig, node, GROUP, &simple(), 7);
    assert_eq!(code, ErrorCode::CoordinatorNotAvailable.code());
    assert_eq!(fetch_offsets(&mut rig, node, &[GROUP]), [(0, -1)]);
    rig.start(other);
    settle(&mut rig);
    assert_eq!(commit(&mut rig, node, GROUP, &simple(), 7), 0);
    assert_eq!(fetch_offsets(&mut rig, node, &[GROUP]), [(0, 7)]);
}

#[test]
fn a_member_of_the_new_protocol_gets_its_partitions_with_a_heartbeat() {
    let (mut rig, node) = with_group();
    let request = ConsumerGroupHeartbeatRequest::default()
        .with_group_id(group("modern"))
        .with_member_id(name("11111111-2222-3333-4444-555555555555").0)
        .with_rebalance_timeout_ms(30_000)
        .with_subscribed_topic_names(Some(vec![name("orders")]))
        .with_topic_partitions(Some(Vec::new()));
    let modern = coordinator(&mut rig, 0, "modern");
    rig.run_for(600);
    let ResponseKind::ConsumerGroupHeartbeat(answer) = rig.call(modern, 1, request)
    else {
        panic!("an answer of its kind")
    };
    assert_eq!((answer.error_code, answer.member_epoch), (0, 1), "at {node}: {answer:?}");
    let assigned = answer.assignment.expect("the first answer has one");
    assert_eq!(assigned.topic_partitions.len(), 1);
    assert_eq!(assigned.topic_partitions[0].partitions, [0]);
}
