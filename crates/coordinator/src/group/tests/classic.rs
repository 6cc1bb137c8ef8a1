//! Classic groups.

use std::collections::BTreeMap;

use topomotion_wire::messages::leave_group_request::MemberIdentity;
use topomotion_wire::messages::{GroupId, LeaveGroupRequest, RequestKind, ResponseKind};
use topomotion_wire::{ErrorCode, Fact, GroupState, GroupView, Rule};

use super::classic_member::{
    Consumer, GROUP, joined, outcome, share, stable_group, sync_all, synced,
};
use super::rig::{Followers, Rig};
use crate::group::GroupConfig;
use crate::group::answers::text;

fn view(rig: &Rig) -> &GroupView {
    let views = rig.facts.iter().rev().filter_map(|fact| match fact {
        Fact::GroupChanged { view, .. } => Some(view),
        _ => None,
    });
    views.into_iter().next().expect("a group was told of")
}

fn pair(rig: &mut Rig) -> [Consumer; 2] {
    let mut members = [Consumer::new(), Consumer::new()];
    stable_group(rig, &mut members);
    members
}

#[test]
fn a_new_member_is_given_an_id_and_joins_with_it() {
    let mut rig = Rig::new();
    let mut member = Consumer::new();
    let ticket = member.join(&mut rig);
    assert!(member.id.starts_with("shop-"));
    assert!(joined(&mut rig, ticket).is_none(), "the first rebalance waits");
    rig.pass(3_000);
    assert_eq!(member.has_joined(&mut rig, ticket), Ok(1));
    assert_eq!(member.members, std::slice::from_ref(&member.id), "it leads");
    assert!(rig.marks.contains(&Rule::Grp3) && rig.marks.contains(&Rule::Grp4));
}

#[test]
fn an_old_client_is_given_its_id_with_the_answer() {
    let mut rig = Rig::new();
    let mut member = Consumer { version: 3, ..Consumer::new() };
    let ticket = member.join(&mut rig);
    rig.pass(3_000);
    assert_eq!(member.has_joined(&mut rig, ticket), Ok(1));
    assert!(!member.id.is_empty());
}

#[test]
fn every_newcomer_prolongs_the_first_rebalance() {
    let mut rig = Rig::new();
    let mut first = Consumer { rebalance_ms: 8_000, ..Consumer::new() };
    let mut others = [first.clone(), first.clone(), first.clone()];
    let ticket = first.join(&mut rig);
    for (other, until) in others.iter_mut().zip([3_000, 6_000, 8_000]) {
        rig.pass(1_999);
        other.join(&mut rig);
        rig.pass(until - rig.now.as_millis() - 1);
        assert!(joined(&mut rig, ticket).is_none(), "at {}", rig.now);
        rig.pass(1);
    }
    assert_eq!(
        first.has_joined(&mut rig, ticket),
        Ok(1),
        "8 s are the rebalance timeout"
    );
    assert_eq!(first.members.len(), 4);
}

#[test]
fn members_learn_their_assignment_when_it_is_durable() {
    let mut rig = Rig::new();
    let mut members = [Consumer::new(), Consumer::new()];
    let tickets = members.each_mut().map(|member| member.join(&mut rig));
    rig.pass(6_000);
    for (member, ticket) in members.iter_mut().zip(tickets) {
        member.has_joined(&mut rig, ticket).unwrap();
    }
    let leads = usize::from(members[0].members.is_empty());
    let [leader, follower] = [leads, 1 - leads].map(|at| members[at].clone());
    let early = follower.sync(&mut rig, &BTreeMap::new());
    rig.followers = Followers::Lag;
    let shares = [(follower.id.clone(), share("orders", &[1, 3]))].into();
    let ticket = leader.sync(&mut rig, &shares);
    assert!(synced(&mut rig, early).is_none());
    assert!(synced(&mut rig, ticket).is_none());
    assert_eq!(view(&rig).state, GroupState::CompletingRebalance);
    rig.catch_up();
    let answer = synced(&mut rig, early).unwrap().unwrap();
    assert_eq!(answer.assignment, share("orders", &[1, 3]));
    let answer = synced(&mut rig, ticket).unwrap().unwrap();
    assert!(answer.assignment.is_empty(), "whom the leader forgot gets nothing");
    assert_eq!(view(&rig).state, GroupState::Stable);
    let assigned = &view(&rig).members[&*follower.id].assigned;
    let assigned: Vec<String> = assigned.iter().map(ToString::to_string).collect();
    assert_eq!(assigned, ["orders-1", "orders-3"]);
}

#[test]
fn an_assignment_that_cannot_be_written_makes_all_join_again() {
    let mut rig = Rig::new();
    let mut member = Consumer::new();
    let ticket = member.join(&mut rig);
    rig.pass(3_000);
    member.has_joined(&mut rig, ticket).unwrap();
    for (refusal, told) in [
        (ErrorCode::NotLeaderOrFollower, ErrorCode::NotCoordinator),
        (ErrorCode::NotEnoughReplicas, ErrorCode::CoordinatorNotAvailable),
    ] {
        rig.refusal = Some(refusal);
        let ticket = member.sync(&mut rig, &BTreeMap::new());
        assert_eq!(synced(&mut rig, ticket), Some(Err(told)));
        assert_eq!(member.heartbeat(&mut rig), Err(ErrorCode::RebalanceInProgress));
        rig.refusal = None;
        let ticket = member.join(&mut rig);
        member.has_joined(&mut rig, ticket).unwrap();
    }
    sync_all(&mut rig, &[member]);
    assert_eq!(view(&rig).state, GroupState::Stable);
}

#[test]
fn an_assignment_that_is_not_replicated_in_time_makes_all_join_again() {
    let mut rig = Rig::new();
    let mut member = Consumer::new();
    let ticket = member.join(&mut rig);
    rig.pass(3_000);
    member.has_joined(&mut rig, ticket).unwrap();
    rig.followers = Followers::Lag;
    let ticket = member.sync(&mut rig, &BTreeMap::new());
    rig.pass(4_999);
    assert_eq!(synced(&mut rig, ticket), None);
    rig.pass(1);
    let told = ErrorCode::CoordinatorNotAvailable;
    assert_eq!(synced(&mut rig, ticket), Some(Err(told)));
    rig.catch_up();
    assert_eq!(view(&rig).state, GroupState::PreparingRebalance);
}

#[test]
fn a_rebalance_is_told_with_the_next_heartbeat() {
    let mut rig = Rig::new();
    let mut members = pair(&mut rig);
    assert_eq!(members[0].heartbeat(&mut rig), Ok(()));
    let mut third = Consumer::new();
    let late = third.join(&mut rig);
    let told = Err(ErrorCode::RebalanceInProgress);
    assert_eq!(members.each_ref().map(|it| it.heartbeat(&mut rig)), [told, told]);
    let tickets = members.each_mut().map(|it| it.join(&mut rig));
    for (member, ticket) in members.iter_mut().zip(tickets) {
        assert_eq!(member.has_joined(&mut rig, ticket), Ok(2));
    }
    assert_eq!(third.has_joined(&mut rig, late), Ok(2), "without any further delay");
}

#[test]
fn whoever_does_not_join_again_is_out_when_the_time_is_up() {
    let mut rig = Rig::new();
    let mut members = [Consumer::new(), Consumer::new()]
        .map(|it| Consumer { rebalance_ms: 20_000, ..it });
    stable_group(&mut rig, &mut members);
    let mut third = Consumer { rebalance_ms: 20_000, ..Consumer::new() };
    let late = third.join(&mut rig);
    let again = members[0].join(&mut rig);
    rig.pass(19_999);
    assert_eq!(members[1].heartbeat(&mut rig), Err(ErrorCode::RebalanceInProgress));
    assert!(joined(&mut rig, again).is_none());
    rig.pass(1);
    assert_eq!(members[0].has_joined(&mut rig, again), Ok(2));
    assert_eq!(third.has_joined(&mut rig, late), Ok(2));
    assert_eq!(members[1].heartbeat(&mut rig), Err(ErrorCode::UnknownMemberId));
}

#[test]
fn whoever_is_silent_for_its_session_is_out() {
    let mut rig = Rig::new();
    let mut members = pair(&mut rig);
    for _ in 0..16 {
        rig.pass(3_000);
        if members[0].heartbeat(&mut rig).is_err() {
            break;
        }
    }
    assert!(rig.marks.contains(&Rule::Grp14));
    assert_eq!(members[0].heartbeat(&mut rig), Err(ErrorCode::RebalanceInProgress));
    let ticket = members[0].join(&mut rig);
    assert_eq!(members[0].has_joined(&mut rig, ticket), Ok(2));
    assert_eq!(members[0].members.len(), 1);
    assert_eq!(members[1].heartbeat(&mut rig), Err(ErrorCode::UnknownMemberId));
}

#[test]
fn a_leader_that_never_assigns_does_not_hold_the_others_up() {
    let mut rig = Rig::new();
    let mut members = [Consumer::new(), Consumer::new()]
        .map(|it| Consumer { rebalance_ms: 10_000, ..it });
    let tickets = members.each_mut().map(|member| member.join(&mut rig));
    rig.pass(6_000);
    for (member, ticket) in members.iter_mut().zip(tickets) {
        member.has_joined(&mut rig, ticket).unwrap();
    }
    members.sort_by_key(|it| it.members.is_empty());
    let [leader, mut follower] = members;
    let ticket = follower.sync(&mut rig, &BTreeMap::new());
    rig.pass(10_000);
    assert_eq!(synced(&mut rig, ticket), Some(Err(ErrorCode::RebalanceInProgress)));
    assert_eq!(leader.heartbeat(&mut rig), Err(ErrorCode::UnknownMemberId));
    let ticket = follower.join(&mut rig);
    assert_eq!(follower.has_joined(&mut rig, ticket), Ok(2));
    sync_all(&mut rig, &[follower]);
}

#[test]
fn a_leave_is_noticed_at_once() {
    let mut rig = Rig::new();
    let members = pair(&mut rig);
    assert_eq!(members[1].leave(&mut rig), Ok(()));
    assert_eq!(members[1].leave(&mut rig), Err(ErrorCode::UnknownMemberId));
    assert_eq!(members[0].heartbeat(&mut rig), Err(ErrorCode::RebalanceInProgress));
    assert_eq!(members[0].leave(&mut rig), Ok(()));
    assert_eq!(view(&rig).state, GroupState::Empty);
    assert_eq!(view(&rig).generation, 2);
}

#[test]
fn an_operator_takes_static_members_out_by_their_instances() {
    let mut rig = Rig::new();
    let mut members = ["pod-1", "pod-2"].map(Consumer::is_static);
    stable_group(&mut rig, &mut members);
    let named = ["pod-1", "pod-9", "pod-2"].map(|instance| {
        MemberIdentity::default().with_group_instance_id(Some(text(instance)))
    });
    let request = LeaveGroupRequest::default()
        .with_group_id(GroupId(text(GROUP)))
        .with_members(named.to_vec());
    let ticket = rig.ask(5, RequestKind::LeaveGroup(request));
    let Some(ResponseKind::LeaveGroup(answer)) = rig.answer(ticket) else {
        panic!("a leave is answered");
    };
    let outcomes: Vec<_> =
        answer.members.iter().map(|it| outcome(it.error_code)).collect();
    assert_eq!(outcomes, [Ok(()), Err(ErrorCode::UnknownMemberId), Ok(())]);
    assert_eq!(view(&rig).state, GroupState::Empty);
}

#[test]
fn a_static_member_that_comes_back_keeps_its_place_without_a_rebalance() {
    let mut rig = Rig::new();
    let mut members = ["pod-1", "pod-2"].map(Consumer::is_static);
    stable_group(&mut rig, &mut members);
    let before = members.clone();
    for old in before {
        let mut back = Consumer { id: String::new(), ..old.clone() };
        let ticket = back.join(&mut rig);
        let answer = joined(&mut rig, ticket).expect("nobody is waited for");
        assert_eq!((answer.error_code, answer.generation_id), (0, 1));
        assert_ne!(*answer.member_id, *old.id);
        let leads = !old.members.is_empty();
        assert_eq!(
            answer.skip_assignment, leads,
            "a leader may look, and changes nothing"
        );
        assert_eq!(answer.members.len(), if leads { 2 } else { 0 });
        back.id = answer.member_id.to_string();
        let ticket = back.sync(&mut rig, &BTreeMap::new());
        assert!(!synced(&mut rig, ticket).unwrap().unwrap().assignment.is_empty());
        assert_eq!(old.heartbeat(&mut rig), Err(ErrorCode::FencedInstanceId));
        assert_eq!(back.heartbeat(&mut rig), Ok(()));
    }
    assert!(rig.marks.contains(&Rule::Grp7));
}

#[test]
fn a_static_member_that_reads_something_else_now_makes_all_join_again() {
    let mut rig = Rig::new();
    let mut members = ["pod-1", "pod-2"].map(Consumer::is_static);
    stable_group(&mut rig, &mut members);
    let mut back = Consumer { topics: vec!["parcels"], ..Consumer::is_static("pod-1") };
    let ticket = back.join(&mut rig);
    assert!(joined(&mut rig, ticket).is_none());
    assert_eq!(members[1].heartbeat(&mut rig), Err(ErrorCode::RebalanceInProgress));
}

#[test]
fn a_static_member_whose_return_cannot_be_written_is_not_back() {
    let mut rig = Rig::new();
    let mut members = [Consumer::is_static("pod-1")];
    stable_group(&mut rig, &mut members);
    rig.refusal = Some(ErrorCode::NotLeaderOrFollower);
    let mut back = Consumer::is_static("pod-1");
    let ticket = back.join(&mut rig);
    assert_eq!(back.has_joined(&mut rig, ticket), Err(ErrorCode::NotCoordinator));
    assert_eq!(members[0].heartbeat(&mut rig), Ok(()), "the old one is the member still");
}

#[test]
fn only_a_leader_begins_a_rebalance_with_nothing_new_to_say() {
    let mut rig = Rig::new();
    let mut members = pair(&mut rig);
    members.sort_by_key(|it| it.members.is_empty());
    let [leader, follower] = &mut members;
    let ticket = follower.join(&mut rig);
    assert_eq!(follower.has_joined(&mut rig, ticket), Ok(1));
    let ticket = leader.join(&mut rig);
    assert!(joined(&mut rig, ticket).is_none());
    assert_eq!(follower.heartbeat(&mut rig), Err(ErrorCode::RebalanceInProgress));
}

#[test]
fn the_protocol_that_most_members_like_best_is_chosen() {
    let mut rig = Rig::new();
    let likes = [
        vec!["range", "roundrobin"],
        vec!["roundrobin", "range"],
        vec!["sticky", "roundrobin", "range"],
    ];
    let mut members = likes.map(|it| Consumer { protocols: it, ..Consumer::new() });
    stable_group(&mut rig, &mut members);
    assert_eq!(view(&rig).protocol.as_deref(), Some("roundrobin"));
    let mut stranger = Consumer { protocols: vec!["sticky"], ..Consumer::new() };
    let ticket = rig.ask(9, RequestKind::JoinGroup(stranger.join_request()));
    let refused = Err(ErrorCode::InconsistentGroupProtocol);
    assert_eq!(stranger.has_joined(&mut rig, ticket).map(|_| ()), refused);
}

#[test]
fn a_group_takes_no_more_members_than_it_may_have() {
    let mut rig = Rig::with(GroupConfig { max_size: 2, ..GroupConfig::default() });
    let members = pair(&mut rig);
    let mut third = Consumer::new();
    let ticket = rig.ask(9, RequestKind::JoinGroup(third.join_request()));
    let full = Err(ErrorCode::GroupMaxSizeReached);
    assert_eq!(third.has_joined(&mut rig, ticket), full);
    assert_eq!(members[0].heartbeat(&mut rig), Ok(()));
}

#[test]
fn a_session_must_be_as_long_as_the_broker_allows() {
    let mut rig = Rig::new();
    for session_ms in [5_999, 1_800_001, -1] {
        let mut member = Consumer { session_ms, ..Consumer::new() };
        let ticket = rig.ask(9, RequestKind::JoinGroup(member.join_request()));
        let refused = Err(ErrorCode::InvalidSessionTimeout);
        assert_eq!(member.has_joined(&mut rig, ticket), refused);
    }
}

#[test]
fn members_go_on_with_a_new_coordinator_as_if_nothing_had_happened() {
    let mut rig = Rig::new();
    let members = pair(&mut rig);
    rig.pass(40_000);
    rig.fail_over();
    rig.pass(40_000);
    for member in &members {
        assert_eq!(member.heartbeat(&mut rig), Ok(()), "its session began anew");
    }
    assert_eq!(view(&rig).state, GroupState::Stable);
    assert_eq!(view(&rig).generation, 1);
    assert_eq!(view(&rig).members[&*members[0].id].assigned.len(), 2);
    let mut third = Consumer::new();
    third.join(&mut rig);
    assert_eq!(members[0].heartbeat(&mut rig), Err(ErrorCode::RebalanceInProgress));
}

#[test]
fn an_empty_group_keeps_its_generation_over_a_failover() {
    let mut rig = Rig::new();
    let mut members = [Consumer::new()];
    stable_group(&mut rig, &mut members);
    members[0].leave(&mut rig).unwrap();
    rig.fail_over();
    let mut members = [Consumer::new()];
    stable_group(&mut rig, &mut members);
    assert_eq!(members[0].generation, 3);
}

#[test]
fn a_coordinator_that_still_reads_its_log_asks_for_patience() {
    use crate::shard::{Caller, Effect, Shard, Ticket};
    let rig = Rig::new();
    let mut shard = crate::GroupShard::new(
        GroupConfig::default(),
        topomotion_wire::Random::new(0, 1),
    );
    let caller = Caller { client_id: "a".into(), host: "/h".into(), version: 9 };
    let request = RequestKind::JoinGroup(Consumer::new().join_request());
    shard.handle(rig.now, &rig.topics, Ticket(1), &caller, request);
    let Some(Effect::Answer { body: ResponseKind::JoinGroup(answer), .. }) = shard.poll()
    else {
        panic!("it is answered at once");
    };
    let loading = Err(ErrorCode::CoordinatorLoadInProgress);
    assert_eq!(outcome(answer.error_code), loading);
}
