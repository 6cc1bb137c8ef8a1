//! Offsets of topics that are named by their ids alone (KIP-516).

use topomotion_wire::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use topomotion_wire::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use topomotion_wire::messages::{
    DeleteTopicsRequest, GroupId, OffsetCommitRequest, OffsetFetchRequest,
};
use uuid::Uuid;

use super::*;

const GROUP: &str = "hello";
const NOBODY: Uuid = Uuid::from_u128(7);

fn id_of(rig: &Rig, topic: &str) -> Uuid {
    rig.node(1).image().topic(topic).expect("it is there").id.0
}

/// What became of a commit to each of these topics' partition 0: id and error.
fn commit(rig: &mut Rig, node: i32, ids: &[Uuid], offset: i64) -> Vec<(Uuid, i16)> {
    let topics = ids.iter().map(|&id| {
        let partition =
            OffsetCommitRequestPartition::default().with_committed_offset(offset);
        OffsetCommitRequestTopic::default()
            .with_topic_id(id)
            .with_partitions(vec![partition])
    });
    let request = OffsetCommitRequest::default()
        .with_group_id(GroupId(name(GROUP).0))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(topics.collect());
    let ResponseKind::OffsetCommit(response) = rig.call(node, 10, request) else {
        panic!("an answer of its kind")
    };
    let topics = response.topics.iter();
    topics.map(|it| (it.topic_id, it.partitions[0].error_code)).collect()
}

/// What is committed, of these topics or of all: id, offset and error.
fn committed(rig: &mut Rig, node: i32, ids: Option<&[Uuid]>) -> Vec<(Uuid, i64, i16)> {
    let topics = ids.map(|ids| {
        let topic = |&id: &Uuid| {
            OffsetFetchRequestTopics::default()
                .with_topic_id(id)
                .with_partition_indexes(vec![0])
        };
        ids.iter().map(topic).collect()
    });
    let group = OffsetFetchRequestGroup::default()
        .with_group_id(GroupId(name(GROUP).0))
        .with_member_epoch(-1)
        .with_topics(topics);
    let request = OffsetFetchRequest::default().with_groups(vec![group]);
    let ResponseKind::OffsetFetch(response) = rig.call(node, 10, request) else {
        panic!("an answer of its kind")
    };
    assert_eq!(response.groups[0].error_code, 0);
    let topics = response.groups[0].topics.iter();
    let one = |it: &topomotion_wire::messages::offset_fetch_response::OffsetFetchResponseTopics| {
        let partition = &it.partitions[0];
        (it.topic_id, partition.committed_offset, partition.error_code)
    };
    topics.map(one).collect()
}

#[test]
fn offsets_are_committed_and_found_by_ids() {
    let mut rig = cluster();
    create_orders(&mut rig, &[1, 2, 3], &[]);
    let node = coordinator(&mut rig, 0, GROUP);
    rig.run_for(600);
    let orders = id_of(&rig, "orders");
    let unknown = ErrorCode::UnknownTopicId.code();
    let outcome = commit(&mut rig, node, &[NOBODY, orders], 7);
    assert_eq!(outcome, [(orders, 0), (NOBODY, unknown)]);
    let found = committed(&mut rig, node, Some(&[NOBODY, orders]));
    assert_eq!(found, [(orders, 7, 0), (NOBODY, -1, unknown)]);
    assert_eq!(committed(&mut rig, node, None), [(orders, 7, 0)]);
    assert_eq!(commit(&mut rig, node, &[NOBODY], 8), [(NOBODY, unknown)]);
}

#[test]
fn a_topic_that_came_anew_is_another_one() {
    let mut rig = cluster();
    create_orders(&mut rig, &[1, 2, 3], &[]);
    let node = coordinator(&mut rig, 0, GROUP);
    rig.run_for(600);
    let old = id_of(&rig, "orders");
    assert_eq!(commit(&mut rig, node, &[old], 7), [(old, 0)]);
    let request = DeleteTopicsRequest::default()
        .with_topic_names(vec![name("orders")])
        .with_timeout_ms(30_000);
    rig.call(1, 5, request);
    rig.run_for(600);
    assert_eq!(committed(&mut rig, node, None), [], "no id could name it");
    create_orders(&mut rig, &[1, 2, 3], &[]);
    rig.run_for(600);
    let new = id_of(&rig, "orders");
    let unknown = ErrorCode::UnknownTopicId.code();
    assert_ne!(old, new);
    assert_eq!(commit(&mut rig, node, &[old], 9), [(old, unknown)]);
    assert_eq!(committed(&mut rig, node, Some(&[new]))[0].0, new);
}
