//! The admin client: who is asked, and when a question is repeated.
#![allow(clippy::field_reassign_with_default)]

mod rig;

use rig::*;
use topomotion_client::Admin;
use topomotion_wire::ErrorCode;
use topomotion_wire::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use topomotion_wire::messages::delete_topics_response::DeletableTopicResult;
use topomotion_wire::messages::describe_groups_response::DescribedGroup;
use topomotion_wire::messages::{
    ApiKey, DeleteRecordsRequest, DeleteRecordsResponse, DeleteTopicsRequest,
    DeleteTopicsResponse, DescribeGroupsRequest, DescribeGroupsResponse, RequestKind,
    ResponseKind,
};

fn admin() -> Admin {
    Admin::new(common())
}

fn deleted(error: Option<ErrorCode>) -> Reply {
    let mut topic = DeletableTopicResult::default();
    topic.error_code = error.map_or(0, |error| error.code());
    let mut response = DeleteTopicsResponse::default();
    response.responses = vec![topic];
    Reply::Answer(Box::new(ResponseKind::DeleteTopics(response)))
}

fn delete() -> RequestKind {
    RequestKind::DeleteTopics(DeleteTopicsRequest::default())
}

#[test]
fn a_question_that_finds_no_controller_is_repeated_until_there_is_one() {
    let mut asked = 0;
    let mut rig = Rig::new(admin(), move |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::DeleteTopics(_) => {
            asked += 1;
            deleted((asked < 4).then_some(ErrorCode::NotController))
        }
        _ => Reply::Silence,
    });
    rig.client.ask(rig.now, delete());
    rig.run_until(50);
    assert_eq!(rig.client.take_answer(), None);
    rig.run_until(5_000);
    assert!(matches!(rig.client.take_answer(), Some(ResponseKind::DeleteTopics(_))));
}

#[test]
fn another_refusal_is_the_administrators_to_read() {
    let mut rig = Rig::new(admin(), |_, request| match request {
        RequestKind::DeleteTopics(_) => deleted(Some(ErrorCode::TopicDeletionDisabled)),
        _ => metadata(1, 0),
    });
    rig.client.ask(rig.now, delete());
    rig.run_until(1_000);
    assert!(rig.client.take_answer().is_some());
}

#[test]
fn what_concerns_a_partition_follows_its_leader() {
    let mut refused = false;
    let mut rig = Rig::new(admin(), move |port, request| match request {
        RequestKind::Metadata(_) if refused => metadata(2, 1),
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::DeleteRecords(_) => {
            refused |= port == 1;
            let mut partition = DeleteRecordsPartitionResult::default();
            let error = ErrorCode::NotLeaderOrFollower.code();
            partition.error_code = if port == 1 { error } else { 0 };
            let mut topic = DeleteRecordsTopicResult::default();
            topic.partitions = vec![partition];
            let mut response = DeleteRecordsResponse::default();
            response.topics = vec![topic];
            Reply::Answer(Box::new(ResponseKind::DeleteRecords(response)))
        }
        _ => Reply::Silence,
    });
    let body = RequestKind::DeleteRecords(DeleteRecordsRequest::default());
    rig.client.ask_leader(rig.now, partition(), body);
    rig.run_until(5_000);
    assert!(rig.client.take_answer().is_some());
    let ports = rig.requests.iter();
    let ports = ports.filter(|(_, body)| matches!(body, RequestKind::DeleteRecords(_)));
    assert_eq!(ports.map(|(port, _)| *port).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn what_concerns_a_group_follows_its_coordinator() {
    let mut refused = false;
    let mut rig = Rig::new(admin(), move |port, request| match request {
        RequestKind::Metadata(_) if refused => metadata(2, 1),
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::DescribeGroups(_) => {
            refused |= port == 1;
            let mut group = DescribedGroup::default();
            let error = ErrorCode::NotCoordinator.code();
            group.error_code = if port == 1 { error } else { 0 };
            let mut response = DescribeGroupsResponse::default();
            response.groups = vec![group];
            Reply::Answer(Box::new(ResponseKind::DescribeGroups(response)))
        }
        _ => Reply::Silence,
    });
    let body = RequestKind::DescribeGroups(DescribeGroupsRequest::default());
    rig.client.ask_leader(rig.now, partition(), body);
    rig.run_until(5_000);
    let answer = rig.client.take_answer();
    assert!(matches!(answer, Some(ResponseKind::DescribeGroups(_))));
    let ports = rig.requests.iter();
    let ports = ports.filter(|(_, body)| matches!(body, RequestKind::DescribeGroups(_)));
    assert_eq!(ports.map(|(port, _)| *port).collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn a_question_that_nobody_can_answer_fails_instead_of_waiting_for_ever() {
    let mut rig = Rig::new(admin(), |_, _| Reply::Silence);
    rig.dead = vec![1];
    rig.client.ask(rig.now, delete());
    rig.run_until(61_000);
    assert_eq!(rig.client.take_failure(), Some(ErrorCode::RequestTimedOut));
    let mut rig = Rig::new(admin(), |_, _| metadata(1, 0));
    rig.offers = |api| api != ApiKey::DeleteTopics;
    rig.client.ask(rig.now, delete());
    rig.run_until(1_000);
    assert_eq!(rig.client.take_failure(), Some(ErrorCode::UnsupportedVersion));
}
