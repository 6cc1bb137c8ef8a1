//! Commits, and what becomes of them.

use topomotion_wire::ErrorCode;
use topomotion_wire::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use topomotion_wire::messages::{
    GroupId, OffsetCommitRequest, OffsetFetchRequest, RequestKind, ResponseKind,
    TopicName,
};

use super::classic_member::{GROUP, outcome};
use super::rig::Rig;
use crate::group::answers::text;
use crate::shard::Ticket;

/// Who commits: a member id with its generation or epoch.
pub(super) type Who<'a> = (&'a str, i32);

pub(super) const NOBODY: Who<'static> = ("", -1);

pub(super) fn group() -> GroupId {
    GroupId(text(GROUP))
}

pub(super) fn commit_request(
    who: Who<'_>,
    at: (&str, i32),
    offset: i64,
) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition::default()
        .with_partition_index(at.1)
        .with_committed_offset(offset)
        .with_committed_leader_epoch(5)
        .with_committed_metadata(Some(text("note")));
    let topic = OffsetCommitRequestTopic::default()
        .with_name(TopicName(text(at.0)))
        .with_partitions(vec![partition]);
    OffsetCommitRequest::default()
        .with_group_id(group())
        .with_generation_id_or_member_epoch(who.1)
        .with_member_id(text(who.0))
        .with_topics(vec![topic])
}

pub(super) fn send(rig: &mut Rig, request: OffsetCommitRequest) -> Ticket {
    rig.ask(9, RequestKind::OffsetCommit(request))
}

pub(super) fn committed(rig: &mut Rig, ticket: Ticket) -> Option<Result<(), ErrorCode>> {
    match rig.answer(ticket)? {
        ResponseKind::OffsetCommit(answer) => {
            Some(outcome(answer.topics[0].partitions[0].error_code))
        }
        other => panic!("no commit's answer: {other:?}"),
    }
}

/// What is committed of `orders-0`; −1 if nothing is.
pub(super) fn fetch_offset(rig: &mut Rig) -> i64 {
    let request = OffsetFetchRequest::default().with_group_id(group()).with_topics(None);
    let ticket = rig.ask(7, RequestKind::OffsetFetch(request));
    let Some(ResponseKind::OffsetFetch(answer)) = rig.answer(ticket) else {
        panic!("a fetch is answered at once");
    };
    let mut topics = answer.topics.iter().flat_map(|topic| &topic.partitions);
    topics.find(|it| it.partition_index == 0).map_or(-1, |it| it.committed_offset)
}
