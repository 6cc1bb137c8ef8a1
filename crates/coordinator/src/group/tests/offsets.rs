//! Offsets: committed, fetched, in transactions, forgotten.

use topomotion_wire::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use topomotion_wire::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use topomotion_wire::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use topomotion_wire::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, GroupId, ListGroupsRequest,
    OffsetDeleteRequest, OffsetFetchRequest, ProducerId as Producer, RequestKind,
    ResponseKind, TopicName, TxnOffsetCommitRequest,
};
use topomotion_wire::{
    Defect, ErrorCode, Fact, Offset, ProducerEpoch, ProducerId, Rule, TopicPartition,
};

use super::classic_member::{Consumer, GROUP, outcome, stable_group};
use super::commits::{NOBODY, Who, commit_request, committed, group, send};
use super::consumer_member::Member;
use super::rig::{Followers, Rig};
use crate::group::answers::text;
use crate::shard::{Control, Stamp};

const STAMP: Stamp = Stamp { producer: ProducerId(7), epoch: ProducerEpoch(3) };

fn commit(rig: &mut Rig, who: Who<'_>, offset: i64) -> Result<(), ErrorCode> {
    let ticket = send(rig, commit_request(who, ("orders", 0), offset));
    committed(rig, ticket).expect("nothing holds it up")
}

fn txn_commit(rig: &mut Rig, who: Who<'_>, offset: i64) -> Result<(), ErrorCode> {
    let partition =
        TxnOffsetCommitRequestPartition::default().with_committed_offset(offset);
    let topic = TxnOffsetCommitRequestTopic::default()
        .with_name(TopicName(text("orders")))
        .with_partitions(vec![partition]);
    let request = TxnOffsetCommitRequest::default()
        .with_group_id(group())
        .with_producer_id(Producer(STAMP.producer.0))
        .with_producer_epoch(STAMP.epoch.0)
        .with_generation_id(who.1)
        .with_member_id(text(who.0))
        .with_topics(vec![topic]);
    let ticket = rig.ask(5, RequestKind::TxnOffsetCommit(request));
    match rig.answer(ticket) {
        Some(ResponseKind::TxnOffsetCommit(answer)) => {
            outcome(answer.topics[0].partitions[0].error_code)
        }
        other => panic!("no commit's answer: {other:?}"),
    }
}

/// The offset of `orders-0`; −1 if there is none.
fn fetch(rig: &mut Rig, stable: bool) -> Result<i64, ErrorCode> {
    let topic = OffsetFetchRequestTopics::default()
        .with_name(TopicName(text("orders")))
        .with_partition_indexes(vec![0]);
    let asked = OffsetFetchRequestGroup::default()
        .with_group_id(group())
        .with_member_epoch(-1)
        .with_topics(Some(vec![topic]));
    let request = OffsetFetchRequest::default()
        .with_groups(vec![asked])
        .with_require_stable(stable);
    let ticket = rig.ask(9, RequestKind::OffsetFetch(request));
    let Some(ResponseKind::OffsetFetch(answer)) = rig.answer(ticket) else {
        panic!("a fetch is answered at once");
    };
    outcome(answer.groups[0].error_code)?;
    let partition = &answer.groups[0].topics[0].partitions[0];
    outcome(partition.error_code).map(|()| partition.committed_offset)
}

fn told(rig: &Rig) -> Vec<Option<Offset>> {
    let facts = rig.facts.iter().filter_map(|fact| match fact {
        Fact::OffsetCommitted { offset, .. } => Some(*offset),
        _ => None,
    });
    facts.collect()
}

#[test]
fn whoever_reads_without_a_group_may_commit_while_there_is_none() {
    let mut rig = Rig::new();
    assert_eq!(fetch(&mut rig, true), Ok(-1));
    assert_eq!(commit(&mut rig, NOBODY, 12), Ok(()));
    assert_eq!(fetch(&mut rig, true), Ok(12));
    assert_eq!(commit(&mut rig, ("m", 4), 13), Err(ErrorCode::UnknownMemberId));
    let mut members = [Consumer::new()];
    stable_group(&mut rig, &mut members);
    assert_eq!(commit(&mut rig, NOBODY, 13), Err(ErrorCode::UnknownMemberId));
    assert_eq!(fetch(&mut rig, true), Ok(12));
}

#[test]
fn a_generation_cannot_be_committed_for_in_a_group_that_nobody_knows() {
    let mut rig = Rig::new();
    assert_eq!(commit(&mut rig, ("m", 4), 1), Err(ErrorCode::GroupIdNotFound));
    let request = commit_request(("m", 4), ("orders", 0), 1);
    let ticket = rig.ask(8, RequestKind::OffsetCommit(request));
    let refused = Some(Err(ErrorCode::IllegalGeneration));
    assert_eq!(committed(&mut rig, ticket), refused);
    assert_eq!(txn_commit(&mut rig, ("m", 4), 1), Err(ErrorCode::IllegalGeneration));
}

#[test]
fn a_commit_counts_when_it_is_durable_and_not_before() {
    let mut rig = Rig::new();
    commit(&mut rig, NOBODY, 5).unwrap();
    rig.followers = Followers::Lag;
    let ticket = send(&mut rig, commit_request(NOBODY, ("orders", 0), 9));
    assert_eq!(committed(&mut rig, ticket), None);
    assert_eq!(fetch(&mut rig, true), Ok(5));
    assert_eq!(told(&rig), [Some(Offset(5))]);
    rig.catch_up();
    assert_eq!(committed(&mut rig, ticket), Some(Ok(())));
    assert_eq!(fetch(&mut rig, true), Ok(9));
    rig.followers = Followers::Lag;
    send(&mut rig, commit_request(NOBODY, ("orders", 0), 10));
    rig.fail_over();
    assert_eq!(fetch(&mut rig, true), Ok(9), "what nobody was promised may be lost");
}

#[test]
fn a_commit_that_is_not_replicated_in_time_has_an_unknown_outcome() {
    let mut rig = Rig::new();
    rig.followers = Followers::Lag;
    let ticket = send(&mut rig, commit_request(NOBODY, ("orders", 0), 9));
    rig.pass(5_000);
    let late = Some(Err(ErrorCode::CoordinatorNotAvailable));
    assert_eq!(committed(&mut rig, ticket), late);
    rig.catch_up();
    assert_eq!(fetch(&mut rig, true), Ok(9));
}

#[test]
fn a_group_that_is_deleted_takes_the_offsets_along_that_are_being_committed() {
    let mut rig = Rig::new();
    commit(&mut rig, NOBODY, 5).unwrap();
    rig.followers = Followers::Lag;
    let commits = [("orders", 0), ("orders", 1)]
        .map(|at| send(&mut rig, commit_request(NOBODY, at, 9)));
    let names = vec![group()];
    let request = DeleteGroupsRequest::default().with_groups_names(names);
    let deletion = rig.ask(2, RequestKind::DeleteGroups(request));
    // Whoever commits after the deletion makes a group of its own.
    let anew = send(&mut rig, commit_request(NOBODY, ("orders", 2), 3));
    rig.catch_up();
    for ticket in commits.into_iter().chain([anew]) {
        assert_eq!(committed(&mut rig, ticket), Some(Ok(())));
    }
    assert!(rig.answer(deletion).is_some());
    let [five, nine] = [5, 9].map(|offset| Some(Offset(offset)));
    assert_eq!(told(&rig), [five, nine, nine, None, None, Some(Offset(3))]);
    assert_eq!(fetch(&mut rig, true), Ok(-1));
    rig.fail_over();
    assert_eq!(fetch(&mut rig, true), Ok(-1), "nor does it come back");
    assert_eq!(rig.shard.groups[GROUP].offsets.committed.len(), 1);
}

#[test]
fn an_offset_that_is_committed_anew_does_not_expire() {
    const WEEK: u64 = 7 * 24 * 3_600_000;
    let mut rig = Rig::new();
    commit(&mut rig, NOBODY, 5).unwrap();
    rig.pass(WEEK - 300_000);
    rig.followers = Followers::Lag;
    send(&mut rig, commit_request(NOBODY, ("orders", 0), 9));
    rig.pass(900_000);
    rig.catch_up();
    assert_eq!(fetch(&mut rig, true), Ok(9));
    rig.fail_over();
    assert_eq!(fetch(&mut rig, true), Ok(9));
}

#[test]
fn a_commit_that_the_log_refuses_leaves_no_trace() {
    let mut rig = Rig::new();
    for (refusal, told) in [
        (ErrorCode::NotLeaderOrFollower, ErrorCode::NotCoordinator),
        (ErrorCode::NotEnoughReplicas, ErrorCode::CoordinatorNotAvailable),
        (ErrorCode::MessageTooLarge, ErrorCode::UnknownServerError),
    ] {
        rig.refusal = Some(refusal);
        assert_eq!(commit(&mut rig, NOBODY, 9), Err(told));
        assert_eq!(txn_commit(&mut rig, NOBODY, 9), Err(told));
    }
    rig.refusal = None;
    assert_eq!(fetch(&mut rig, true), Ok(-1));
    assert!(rig.facts.is_empty());
    assert_eq!(rig.shard.groups.len(), 0);
}

#[test]
fn only_members_of_the_current_generation_commit() {
    let mut rig = Rig::new();
    let mut members = [Consumer::new(), Consumer::new()];
    stable_group(&mut rig, &mut members);
    let [a, b] = &mut members;
    assert_eq!(commit(&mut rig, (&a.id, 1), 3), Ok(()));
    assert_eq!(commit(&mut rig, (&a.id, 0), 4), Err(ErrorCode::IllegalGeneration));
    assert_eq!(commit(&mut rig, ("zombie", 1), 4), Err(ErrorCode::UnknownMemberId));
    b.leave(&mut rig).unwrap();
    assert_eq!(commit(&mut rig, (&a.id, 1), 4), Ok(()), "a last time before it joins");
    let ticket = a.join(&mut rig);
    a.has_joined(&mut rig, ticket).unwrap();
    assert_eq!(commit(&mut rig, (&a.id, 1), 5), Err(ErrorCode::IllegalGeneration));
    let amid = Err(ErrorCode::RebalanceInProgress);
    assert_eq!(commit(&mut rig, (&a.id, 2), 5), amid);
    assert_eq!(txn_commit(&mut rig, (&a.id, 2), 5), Ok(()), "not so in a transaction");
    assert!(rig.marks.contains(&Rule::Grp6));
}

#[test]
fn only_members_in_their_current_epoch_commit() {
    let mut rig = Rig::new();
    let [mut a, mut b] = ["a", "b"].map(Member::new);
    a.beat(&mut rig).unwrap();
    assert_eq!(commit(&mut rig, ("a", 1), 3), Ok(()));
    b.beat(&mut rig).unwrap();
    a.beat(&mut rig).unwrap();
    a.beat(&mut rig).unwrap();
    let stale = Err(ErrorCode::StaleMemberEpoch);
    assert_eq!(commit(&mut rig, ("a", 1), 4), stale);
    assert_eq!(commit(&mut rig, ("a", 2), 4), Ok(()));
    assert_eq!(commit(&mut rig, ("x", 2), 4), Err(ErrorCode::UnknownMemberId));
    assert_eq!(commit(&mut rig, NOBODY, 4), Err(ErrorCode::UnknownMemberId));
    assert_eq!(txn_commit(&mut rig, ("a", 1), 4), Err(ErrorCode::IllegalGeneration));
    assert_eq!(txn_commit(&mut rig, NOBODY, 4), Ok(()));
    let request = commit_request(("a", 2), ("orders", 0), 4);
    let ticket = rig.ask(8, RequestKind::OffsetCommit(request));
    let refused = Some(Err(ErrorCode::UnsupportedVersion));
    assert_eq!(committed(&mut rig, ticket), refused);
}

#[test]
fn a_commit_must_be_of_a_partition_and_short() {
    let mut rig = Rig::new();
    for at in [("orders", 4), ("orders", -1), ("nothing", 0)] {
        let ticket = send(&mut rig, commit_request(NOBODY, at, 1));
        let refused = Some(Err(ErrorCode::UnknownTopicOrPartition));
        assert_eq!(committed(&mut rig, ticket), refused);
    }
    let mut long = commit_request(NOBODY, ("orders", 0), 1);
    long.topics[0].partitions[0].committed_metadata = Some(text(&"x".repeat(4_097)));
    let ticket = send(&mut rig, long);
    let refused = Some(Err(ErrorCode::OffsetMetadataTooLarge));
    assert_eq!(committed(&mut rig, ticket), refused);
    assert!(rig.log.is_empty());
}

#[test]
fn offsets_of_a_transaction_count_when_it_does() {
    let mut rig = Rig::new();
    commit(&mut rig, NOBODY, 5).unwrap();
    for (control, after) in [(Control::Abort, 5), (Control::Commit, 8)] {
        txn_commit(&mut rig, NOBODY, 8).unwrap();
        assert_eq!(fetch(&mut rig, true), Err(ErrorCode::UnstableOffsetCommit));
        assert_eq!(fetch(&mut rig, false), Ok(5));
        rig.end_transaction(STAMP, control);
        assert_eq!(fetch(&mut rig, true), Ok(after));
    }
    assert_eq!(told(&rig), [Some(Offset(5)), Some(Offset(8))]);
    assert!(rig.marks.contains(&Rule::Txn9));
}

#[test]
fn an_offset_of_an_open_transaction_that_is_told_is_noticed() {
    let _sown = Defect::PendingVisible.sow();
    let mut rig = Rig::new();
    txn_commit(&mut rig, NOBODY, 8).unwrap();
    assert_eq!(fetch(&mut rig, true), Ok(8), "which the story above forbids");
}

#[test]
fn a_new_coordinator_knows_of_open_transactions_and_of_ended_ones() {
    let mut rig = Rig::new();
    txn_commit(&mut rig, NOBODY, 8).unwrap();
    rig.fail_over();
    assert_eq!(fetch(&mut rig, true), Err(ErrorCode::UnstableOffsetCommit));
    rig.end_transaction(STAMP, Control::Commit);
    assert_eq!(fetch(&mut rig, true), Ok(8));
    rig.fail_over();
    assert_eq!(fetch(&mut rig, true), Ok(8));
    // The marker comes a second time: it changes nothing.
    commit(&mut rig, NOBODY, 9).unwrap();
    rig.end_transaction(STAMP, Control::Commit);
    assert_eq!(fetch(&mut rig, true), Ok(9));
}

#[test]
fn a_marker_that_comes_before_the_log_is_read_is_told_afterwards() {
    let mut rig = Rig::new();
    txn_commit(&mut rig, NOBODY, 7).unwrap();
    rig.end_transaction(STAMP, Control::Commit);
    txn_commit(&mut rig, NOBODY, 8).unwrap();
    rig.fail_over_with(&[(STAMP, Control::Commit)]);
    assert_eq!(fetch(&mut rig, true), Ok(8));
    assert_eq!(told(&rig), [Some(Offset(7))]);
    let found = rig.facts.iter().find_map(|fact| match fact {
        Fact::OffsetsFound { offsets } => Some(offsets.as_slice()),
        _ => None,
    });
    let [(_, _, offset)] = found.unwrap_or_default() else {
        panic!("a new coordinator tells what it has found, not {found:?}");
    };
    assert_eq!(*offset, Offset(8));
}

#[test]
fn offsets_come_back_with_all_that_was_said() {
    let mut rig = Rig::new();
    commit(&mut rig, NOBODY, 5).unwrap();
    rig.fail_over();
    let request = OffsetFetchRequest::default().with_group_id(group()).with_topics(None);
    let ticket = rig.ask(7, RequestKind::OffsetFetch(request));
    let Some(ResponseKind::OffsetFetch(answer)) = rig.answer(ticket) else {
        panic!("a fetch is answered");
    };
    let found = &answer.topics[0].partitions[0];
    assert_eq!((found.committed_offset, found.committed_leader_epoch), (5, 5));
    assert_eq!(found.metadata.as_deref(), Some("note"));
    let topic = OffsetFetchRequestTopic::default()
        .with_name(TopicName(text("parcels")))
        .with_partition_indexes(vec![1]);
    let request = OffsetFetchRequest::default()
        .with_group_id(group())
        .with_topics(Some(vec![topic]));
    let ticket = rig.ask(5, RequestKind::OffsetFetch(request));
    let Some(ResponseKind::OffsetFetch(answer)) = rig.answer(ticket) else {
        panic!("a fetch is answered");
    };
    assert_eq!(answer.topics[0].partitions[0].committed_offset, -1);
}

#[test]
fn offsets_expire_a_week_after_the_last_member_left() {
    const DAY: u64 = 24 * 3_600_000;
    let mut rig = Rig::new();
    let mut members = [Consumer { session_ms: 1_800_000, ..Consumer::new() }];
    stable_group(&mut rig, &mut members);
    let who = members[0].id.clone();
    commit(&mut rig, (&who, 1), 5).unwrap();
    for _ in 0..8 * 48 {
        rig.pass(1_799_000);
        members[0].heartbeat(&mut rig).unwrap();
    }
    assert_eq!(fetch(&mut rig, true), Ok(5));
    members[0].leave(&mut rig).unwrap();
    rig.fail_over();
    rig.pass(7 * DAY - 600_000);
    assert_eq!(fetch(&mut rig, true), Ok(5));
    rig.pass(1_200_000);
    assert_eq!(fetch(&mut rig, true), Ok(-1));
    assert_eq!(told(&rig), [Some(Offset(5)), None]);
    assert!(rig.shard.groups.is_empty(), "the group goes with its last offset");
    rig.fail_over();
    assert!(rig.shard.groups.is_empty());
}

#[test]
fn an_offset_may_be_committed_for_a_shorter_time() {
    let mut rig = Rig::new();
    let request = commit_request(NOBODY, ("orders", 0), 5).with_retention_time_ms(60_000);
    rig.ask(4, RequestKind::OffsetCommit(request));
    rig.fail_over();
    assert_eq!(fetch(&mut rig, true), Ok(5));
    rig.pass(1_300_000);
    assert_eq!(fetch(&mut rig, true), Ok(-1));
}

#[test]
fn offsets_that_a_transaction_may_still_change_do_not_expire() {
    let mut rig = Rig::new();
    let request = commit_request(NOBODY, ("orders", 0), 5).with_retention_time_ms(60_000);
    rig.ask(4, RequestKind::OffsetCommit(request));
    txn_commit(&mut rig, NOBODY, 8).unwrap();
    rig.pass(1_300_000);
    assert_eq!(fetch(&mut rig, false), Ok(5));
}

#[test]
fn offsets_go_with_their_topic() {
    let mut rig = Rig::new();
    commit(&mut rig, NOBODY, 5).unwrap();
    rig.set_topic("parcels", None);
    assert_eq!(fetch(&mut rig, true), Ok(5));
    rig.set_topic("orders", None);
    assert_eq!(fetch(&mut rig, true), Ok(-1));
    rig.fail_over();
    assert_eq!(fetch(&mut rig, true), Ok(-1));
}

fn delete_offset(rig: &mut Rig) -> Result<(), ErrorCode> {
    let partition = OffsetDeleteRequestPartition::default();
    let topic = OffsetDeleteRequestTopic::default()
        .with_name(TopicName(text("orders")))
        .with_partitions(vec![partition]);
    let request =
        OffsetDeleteRequest::default().with_group_id(group()).with_topics(vec![topic]);
    let ticket = rig.ask(0, RequestKind::OffsetDelete(request));
    let Some(ResponseKind::OffsetDelete(answer)) = rig.answer(ticket) else {
        panic!("a deletion is answered");
    };
    outcome(answer.error_code)?;
    outcome(answer.topics[0].partitions[0].error_code)
}

#[test]
fn offsets_of_a_topic_that_is_read_cannot_be_deleted() {
    let mut rig = Rig::new();
    assert_eq!(delete_offset(&mut rig), Err(ErrorCode::GroupIdNotFound));
    let mut members = [Consumer::new()];
    stable_group(&mut rig, &mut members);
    let who = members[0].id.clone();
    commit(&mut rig, (&who, 1), 5).unwrap();
    assert_eq!(delete_offset(&mut rig), Err(ErrorCode::GroupSubscribedToTopic));
    members[0].leave(&mut rig).unwrap();
    assert_eq!(delete_offset(&mut rig), Ok(()));
    assert_eq!(fetch(&mut rig, true), Ok(-1));
    assert_eq!(told(&rig), [Some(Offset(5)), None]);
}

#[test]
fn only_groups_without_members_are_deleted() {
    let mut rig = Rig::new();
    let mut member = Member::new("a");
    member.beat(&mut rig).unwrap();
    commit(&mut rig, ("a", 1), 5).unwrap();
    let delete = |rig: &mut Rig| {
        let names = [GROUP, "nobody"].map(|id| GroupId(text(id)));
        let request = DeleteGroupsRequest::default().with_groups_names(names.to_vec());
        let ticket = rig.ask(2, RequestKind::DeleteGroups(request));
        let Some(ResponseKind::DeleteGroups(answer)) = rig.answer(ticket) else {
            panic!("a deletion is answered");
        };
        let [first, second] = &answer.results[..] else { panic!("two were named") };
        assert_eq!(outcome(second.error_code), Err(ErrorCode::GroupIdNotFound));
        outcome(first.error_code)
    };
    assert_eq!(delete(&mut rig), Err(ErrorCode::NonEmptyGroup));
    member.leave(&mut rig, -1).unwrap();
    rig.refusal = Some(ErrorCode::NotEnoughReplicas);
    assert_eq!(delete(&mut rig), Err(ErrorCode::CoordinatorNotAvailable));
    assert_eq!(fetch(&mut rig, true), Ok(5));
    rig.refusal = None;
    assert_eq!(delete(&mut rig), Ok(()));
    assert_eq!(fetch(&mut rig, true), Ok(-1));
    rig.fail_over();
    assert!(rig.shard.groups.is_empty());
    let gone = Fact::OffsetCommitted {
        group: GROUP.into(),
        partition: TopicPartition::new("orders", 0),
        offset: None,
    };
    assert!(rig.facts.contains(&gone));
}

#[test]
fn groups_are_listed_by_state_and_type() {
    let mut rig = Rig::new();
    let mut members = [Consumer::new()];
    stable_group(&mut rig, &mut members);
    let mut other = commit_request(NOBODY, ("orders", 0), 5);
    other.group_id = GroupId(text("simple"));
    send(&mut rig, other);
    let mut modern = Member::new("a").request();
    modern.group_id = GroupId(text("modern"));
    rig.ask(1, RequestKind::ConsumerGroupHeartbeat(modern));
    let mut list = |states: &[&str], types: &[&str]| {
        let request = ListGroupsRequest::default()
            .with_states_filter(states.iter().map(|it| text(it)).collect())
            .with_types_filter(types.iter().map(|it| text(it)).collect());
        let ticket = rig.ask(5, RequestKind::ListGroups(request));
        let Some(ResponseKind::ListGroups(answer)) = rig.answer(ticket) else {
            panic!("a list is answered");
        };
        let names = answer.groups.iter().map(|it| it.group_id.to_string());
        names.collect::<Vec<String>>()
    };
    assert_eq!(list(&[], &[]), ["modern", GROUP, "simple"]);
    assert_eq!(list(&["stable"], &[]), ["modern", GROUP]);
    assert_eq!(list(&[], &["Classic"]), [GROUP, "simple"]);
    assert_eq!(list(&["Empty"], &["consumer"]), [""; 0]);
}

#[test]
fn a_description_tells_the_members_and_what_they_have() {
    let mut rig = Rig::new();
    let mut members = [Consumer::new()];
    stable_group(&mut rig, &mut members);
    let names = [GROUP, "nobody"].map(|id| GroupId(text(id)));
    let request = DescribeGroupsRequest::default().with_groups(names.to_vec());
    let ticket = rig.ask(6, RequestKind::DescribeGroups(request));
    let Some(ResponseKind::DescribeGroups(answer)) = rig.answer(ticket) else {
        panic!("a description is answered");
    };
    let [known, unknown] = &answer.groups[..] else { panic!("two were named") };
    assert_eq!(outcome(unknown.error_code), Err(ErrorCode::GroupIdNotFound));
    assert_eq!(&*unknown.group_state, "Dead");
    assert_eq!((&*known.group_state, &*known.protocol_data), ("Stable", "range"));
    assert_eq!(&*known.members[0].member_id, members[0].id);
    assert!(!known.members[0].member_assignment.is_empty());
    assert!(!known.members[0].member_metadata.is_empty());
}
