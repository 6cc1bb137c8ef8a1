//! Answers that say nothing but what went wrong.

use std::sync::Arc;

use topomotion_wire::messages::{
    ConsumerGroupDescribeResponse, ConsumerGroupHeartbeatResponse, DeleteGroupsResponse,
    DescribeGroupsResponse, HeartbeatResponse, JoinGroupResponse, LeaveGroupResponse,
    ListGroupsResponse, OffsetCommitResponse, OffsetDeleteResponse, ResponseKind,
    SyncGroupResponse, TxnOffsetCommitResponse, consumer_group_describe_response,
    delete_groups_response::DeletableGroupResult, describe_groups_response,
    offset_commit_response, txn_offset_commit_response,
};
use topomotion_wire::messages::{
    OffsetCommitRequest, RequestKind, TxnOffsetCommitRequest,
};
use topomotion_wire::{ErrorCode, StrBytes};

/// A text as messages have it.
pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A text as the shard keeps it.
pub(super) fn kept(text: &StrBytes) -> Arc<str> {
    Arc::from(text.as_str())
}

/// The error of an outcome, as it travels.
pub(super) fn code(outcome: Result<(), ErrorCode>) -> i16 {
    outcome.err().map_or(0, |error| error.code())
}

pub(super) fn join_refused(member: &str, error: ErrorCode) -> ResponseKind {
    ResponseKind::JoinGroup(
        JoinGroupResponse::default()
            .with_error_code(error.code())
            .with_member_id(text(member)),
    )
}

pub(super) fn sync_refused(error: ErrorCode) -> ResponseKind {
    ResponseKind::SyncGroup(SyncGroupResponse::default().with_error_code(error.code()))
}

pub(super) fn heartbeat(outcome: Result<(), ErrorCode>) -> ResponseKind {
    ResponseKind::Heartbeat(HeartbeatResponse::default().with_error_code(code(outcome)))
}

pub(super) fn consumer_refused(error: ErrorCode, why: &str) -> ResponseKind {
    ResponseKind::ConsumerGroupHeartbeat(
        ConsumerGroupHeartbeatResponse::default()
            .with_error_code(error.code())
            .with_error_message(Some(text(why))),
    )
}

/// The same outcome for every partition of a commit.
pub(super) fn commit(
    request: &OffsetCommitRequest,
    outcome: Result<(), ErrorCode>,
) -> ResponseKind {
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            offset_commit_response::OffsetCommitResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(code(outcome))
        });
        offset_commit_response::OffsetCommitResponseTopic::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    let response = OffsetCommitResponse::default().with_topics(topics.collect());
    ResponseKind::OffsetCommit(response)
}

/// The same outcome for every partition of a transactional commit.
pub(super) fn txn_commit(
    request: &TxnOffsetCommitRequest,
    outcome: Result<(), ErrorCode>,
) -> ResponseKind {
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            txn_offset_commit_response::TxnOffsetCommitResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(code(outcome))
        });
        txn_offset_commit_response::TxnOffsetCommitResponseTopic::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    let response = TxnOffsetCommitResponse::default().with_topics(topics.collect());
    ResponseKind::TxnOffsetCommit(response)
}

/// An answer that was made for success, turned into one of failure. Errors that it tells
/// already stay.
pub(super) fn refused(mut body: ResponseKind, error: ErrorCode) -> ResponseKind {
    let code = error.code();
    let set = |field: &mut i16| {
        if *field == 0 {
            *field = code;
        }
    };
    match &mut body {
        ResponseKind::JoinGroup(join) => {
            return join_refused(&join.member_id, error);
        }
        ResponseKind::SyncGroup(_) => return sync_refused(error),
        ResponseKind::ConsumerGroupHeartbeat(beat) if beat.error_code == 0 => {
            return consumer_refused(error, "the change could not be written");
        }
        ResponseKind::Heartbeat(beat) => set(&mut beat.error_code),
        ResponseKind::LeaveGroup(leave) => {
            set(&mut leave.error_code);
            leave.members.clear();
        }
        ResponseKind::OffsetCommit(commit) => {
            let topics = commit.topics.iter_mut();
            topics
                .flat_map(|it| &mut it.partitions)
                .for_each(|it| set(&mut it.error_code));
        }
        ResponseKind::TxnOffsetCommit(commit) => {
            let topics = commit.topics.iter_mut();
            topics
                .flat_map(|it| &mut it.partitions)
                .for_each(|it| set(&mut it.error_code));
        }
        ResponseKind::OffsetDelete(delete) => {
            let topics = delete.topics.iter_mut();
            topics
                .flat_map(|it| &mut it.partitions)
                .for_each(|it| set(&mut it.error_code));
        }
        ResponseKind::DeleteGroups(delete) => {
            delete.results.iter_mut().for_each(|result| set(&mut result.error_code));
        }
        // Nothing else waits for a write.
        _ => {}
    }
    body
}

/// The answer to a request of the group coordinator that was not looked at; none for requests
/// of others.
pub(super) fn unserved(request: &RequestKind, error: ErrorCode) -> Option<ResponseKind> {
    let code = error.code();
    Some(match request {
        RequestKind::JoinGroup(join) => join_refused(&join.member_id, error),
        RequestKind::SyncGroup(_) => sync_refused(error),
        RequestKind::Heartbeat(_) => heartbeat(Err(error)),
        RequestKind::LeaveGroup(_) => {
            ResponseKind::LeaveGroup(LeaveGroupResponse::default().with_error_code(code))
        }
        RequestKind::ConsumerGroupHeartbeat(_) => consumer_refused(error, "not served"),
        RequestKind::OffsetCommit(request) => commit(request, Err(error)),
        RequestKind::TxnOffsetCommit(request) => txn_commit(request, Err(error)),
        RequestKind::OffsetFetch(request) => super::fetch::refused(request, error),
        RequestKind::OffsetDelete(_) => ResponseKind::OffsetDelete(
            OffsetDeleteResponse::default().with_error_code(code),
        ),
        RequestKind::ListGroups(_) => {
            ResponseKind::ListGroups(ListGroupsResponse::default().with_error_code(code))
        }
        RequestKind::DescribeGroups(request) => {
            let groups = request.groups.iter().map(|group| {
                describe_groups_response::DescribedGroup::default()
                    .with_group_id(group.clone())
                    .with_error_code(code)
            });
            ResponseKind::DescribeGroups(
                DescribeGroupsResponse::default().with_groups(groups.collect()),
            )
        }
        RequestKind::ConsumerGroupDescribe(request) => {
            let groups = request.group_ids.iter().map(|group| {
                consumer_group_describe_response::DescribedGroup::default()
                    .with_group_id(group.clone())
                    .with_error_code(code)
            });
            ResponseKind::ConsumerGroupDescribe(
                ConsumerGroupDescribeResponse::default().with_groups(groups.collect()),
            )
        }
        RequestKind::DeleteGroups(request) => {
            let results = request.groups_names.iter().map(|group| {
                DeletableGroupResult::default()
                    .with_group_id(group.clone())
                    .with_error_code(code)
            });
            ResponseKind::DeleteGroups(
                DeleteGroupsResponse::default().with_results(results.collect()),
            )
        }
        _ => return None,
    })
}
