//! KIP-848 groups.

use std::collections::BTreeSet;

use topomotion_wire::messages::{
    ConsumerGroupDescribeRequest, GroupId, RequestKind, ResponseKind,
};
use topomotion_wire::{ErrorCode, Fact, GroupState, GroupView, Rule};

use super::classic_member::{self, Consumer, GROUP, outcome};
use super::consumer_member::{Member, beaten};
use super::rig::{Followers, Rig};
use crate::group::answers::text;
use crate::group::{GroupConfig, GroupVersion};

fn view(rig: &Rig) -> &GroupView {
    let mut views = rig.facts.iter().rev().filter_map(|fact| match fact {
        Fact::GroupChanged { view, .. } => Some(view),
        _ => None,
    });
    views.next().expect("a group was told of")
}

fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
    names.into_iter().map(String::from).collect()
}

/// Heartbeats until nobody has anything left to do.
fn settle(rig: &mut Rig, members: &mut [Member]) {
    for _ in 0..6 {
        for member in &mut *members {
            member.beat(rig).unwrap();
        }
    }
    assert_eq!(view(rig).state, GroupState::Stable);
}

#[test]
fn a_member_alone_has_everything_with_its_first_heartbeat() {
    let mut rig = Rig::new();
    let mut member = Member::new("a");
    member.beat(&mut rig).unwrap();
    assert_eq!(member.epoch, 1);
    let all = names(["orders-0", "orders-1", "orders-2", "orders-3"]);
    assert_eq!(member.reads(&rig), all);
    assert_eq!(view(&rig).state, GroupState::Stable);
    assert!(rig.marks.contains(&Rule::Grp11) && rig.marks.contains(&Rule::Grp10));
}

#[test]
fn an_old_client_is_given_its_id() {
    let mut rig = Rig::new();
    let mut member = Member::new("");
    let request = RequestKind::ConsumerGroupHeartbeat(member.request());
    let ticket = rig.ask(0, request);
    let answer = beaten(&mut rig, ticket).unwrap();
    member.obey(&answer).unwrap();
    assert_eq!(member.id.len(), 22);
}

#[test]
fn a_partition_changes_hands_only_after_its_owner_let_go() {
    let mut rig = Rig::new();
    let [mut a, mut b] = ["a", "b"].map(Member::new);
    a.beat(&mut rig).unwrap();
    b.beat(&mut rig).unwrap();
    assert_eq!((b.epoch, b.owned.len()), (2, 0), "it waits for what a has");
    assert_eq!(view(&rig).state, GroupState::Reconciling);
    let before = a.clone();
    a.beat(&mut rig).unwrap();
    assert_eq!((a.epoch, a.owned.len()), (1, 2), "its epoch waits for its revocation");
    b.beat(&mut rig).unwrap();
    assert!(b.owned.is_empty(), "a has not said that it let go");
    // A heartbeat that still names everything does not release anything.
    let ticket = before.send(&mut rig);
    assert_eq!(beaten(&mut rig, ticket).unwrap().member_epoch, 1);
    b.beat(&mut rig).unwrap();
    assert!(b.owned.is_empty());
    a.beat(&mut rig).unwrap();
    assert_eq!(a.epoch, 2);
    b.beat(&mut rig).unwrap();
    assert_eq!(b.owned.len(), 2);
    assert!(a.owned.is_disjoint(&b.owned));
    assert_eq!(view(&rig).state, GroupState::Stable);
    assert!(rig.marks.contains(&Rule::Grp13));
}

#[test]
fn the_assignor_that_members_ask_for_divides() {
    let mut rig = Rig::new();
    let topics = vec!["orders", "parcels"];
    let mut members = ["a", "b"].map(|id| Member {
        assignor: Some("range"),
        topics: topics.clone(),
        ..Member::new(id)
    });
    settle(&mut rig, &mut members);
    let first = names(["orders-0", "orders-1", "parcels-0"]);
    assert_eq!(members[0].reads(&rig), first);
    let mut odd = Member { assignor: Some("fair"), ..Member::new("c") };
    assert_eq!(odd.beat(&mut rig), Err(ErrorCode::UnsupportedAssignor));
}

#[test]
fn a_member_with_a_wrong_epoch_is_fenced() {
    let mut rig = Rig::new();
    let mut members = ["a", "b"].map(Member::new);
    settle(&mut rig, &mut members);
    let [a, b] = &mut members;
    let fenced = Err(ErrorCode::FencedMemberEpoch);
    let mut ahead = Member { epoch: a.epoch + 1, owned: BTreeSet::new(), ..a.clone() };
    assert_eq!(ahead.beat(&mut rig), fenced);
    // The answer that raised the epoch was lost: the one before will do, with no more than
    // what it has.
    let mut late = Member { epoch: 1, ..a.clone() };
    let greedy = a.owned.union(&b.owned).copied().collect();
    assert_eq!(Member { owned: greedy, ..late.clone() }.beat(&mut rig), fenced);
    assert_eq!(late.beat(&mut rig), Ok(()));
    assert_eq!(late.epoch, a.epoch);
    assert_eq!(Member::new("x").leave(&mut rig, -1), Err(ErrorCode::UnknownMemberId));
    assert_eq!(Member { epoch: 2, ..Member::new("x") }.beat(&mut rig), {
        Err(ErrorCode::UnknownMemberId)
    });
    assert!(rig.marks.contains(&Rule::Grp12));
}

#[test]
fn a_member_that_begins_anew_under_its_id_is_told_where_it_stands() {
    let mut rig = Rig::new();
    let mut members = ["a", "b"].map(Member::new);
    settle(&mut rig, &mut members);
    let [a, _] = &members;
    // Its farewell was lost, or it was fenced: it owns nothing, and need not wait until its
    // session is over.
    let mut again = Member { epoch: 0, owned: BTreeSet::new(), ..a.clone() };
    assert_eq!(again.beat(&mut rig), Ok(()));
    assert_eq!((again.epoch, &again.owned), (a.epoch, &a.owned));
}

#[test]
fn a_first_heartbeat_must_tell_everything() {
    let mut rig = Rig::new();
    let whole = Member::new("a").request();
    let mut owning = Member::new("a");
    owning.owned.insert((Default::default(), 1));
    let broken = [
        whole.clone().with_rebalance_timeout_ms(-1),
        whole.clone().with_topic_partitions(None),
        whole.clone().with_subscribed_topic_names(None),
        whole.clone().with_member_id(text("")),
        whole.clone().with_instance_id(Some(text(""))),
        whole.clone().with_member_epoch(-3),
        whole.clone().with_member_epoch(-2),
        whole.with_group_id(GroupId(text(""))),
        owning.request(),
    ];
    for request in broken {
        let ticket = rig.ask(1, RequestKind::ConsumerGroupHeartbeat(request));
        let answer = beaten(&mut rig, ticket).unwrap();
        assert_eq!(outcome(answer.error_code), Err(ErrorCode::InvalidRequest));
        assert!(answer.error_message.is_some());
    }
    assert!(rig.log.is_empty());
}

#[test]
fn an_answer_rests_on_durable_records() {
    let mut rig = Rig::new();
    let mut member = Member::new("a");
    rig.followers = Followers::Lag;
    let first = member.send(&mut rig);
    assert_eq!(beaten(&mut rig, first), None);
    // The same again writes nothing, and waits all the same.
    let second = member.send(&mut rig);
    assert_eq!(beaten(&mut rig, second), None);
    assert!(rig.facts.is_empty(), "what is not durable is not told");
    rig.catch_up();
    for ticket in [first, second] {
        let answer = beaten(&mut rig, ticket).unwrap();
        member.obey(&answer).unwrap();
    }
    assert_eq!(member.owned.len(), 4);
}

#[test]
fn a_write_that_is_refused_leaves_the_group_as_it_was() {
    let mut rig = Rig::new();
    let mut a = Member::new("a");
    a.beat(&mut rig).unwrap();
    let told = rig.facts.len();
    rig.refusal = Some(ErrorCode::NotEnoughReplicas);
    let refused = Err(ErrorCode::CoordinatorNotAvailable);
    let mut b = Member::new("b");
    assert_eq!(b.beat(&mut rig), refused);
    assert_eq!(a.clone().leave(&mut rig, -1), refused);
    rig.refusal = None;
    assert_eq!(a.beat(&mut rig), Ok(()));
    assert_eq!((a.epoch, a.owned.len()), (1, 4));
    assert_eq!(rig.facts.len(), told);
}

#[test]
fn a_member_that_leaves_frees_what_it_has() {
    let mut rig = Rig::new();
    let mut members = ["a", "b"].map(Member::new);
    settle(&mut rig, &mut members);
    let [a, b] = &mut members;
    b.leave(&mut rig, -1).unwrap();
    let epoch = a.epoch;
    a.beat(&mut rig).unwrap();
    assert_eq!((a.epoch, a.owned.len()), (epoch + 1, 4));
    a.leave(&mut rig, -1).unwrap();
    assert_eq!(view(&rig).state, GroupState::Empty);
}

#[test]
fn a_static_member_that_comes_back_keeps_what_it_has() {
    let mut rig = Rig::new();
    let mut members = [Member::is_static("a", "pod-1"), Member::is_static("b", "pod-2")];
    settle(&mut rig, &mut members);
    let [a, b] = &mut members;
    let (epoch, share) = (a.epoch, a.owned.clone());
    let mut twin = Member::is_static("x", "pod-1");
    assert_eq!(twin.beat(&mut rig), Err(ErrorCode::UnreleasedInstanceId));
    a.leave(&mut rig, -2).unwrap();
    b.beat(&mut rig).unwrap();
    assert_eq!((b.epoch, b.owned.len()), (epoch, 2), "nothing is divided anew");
    let mut back = Member::is_static("a2", "pod-1");
    back.beat(&mut rig).unwrap();
    assert_eq!((back.epoch, &back.owned), (epoch, &share));
    let mut old = Member { epoch, ..Member::is_static("a", "pod-1") };
    assert_eq!(old.beat(&mut rig), Err(ErrorCode::FencedInstanceId));
    assert!(rig.marks.contains(&Rule::Grp7));
    rig.fail_over();
    assert_eq!(back.beat(&mut rig), Ok(()));
    assert_eq!((back.epoch, &back.owned), (epoch, &share));
}

#[test]
fn a_static_member_that_stays_away_is_out_after_its_session() {
    let mut rig = Rig::new();
    let mut members = [Member::is_static("a", "pod-1"), Member::is_static("b", "pod-2")];
    settle(&mut rig, &mut members);
    let [a, b] = &mut members;
    a.leave(&mut rig, -2).unwrap();
    for _ in 0..10 {
        rig.pass(5_000);
        b.beat(&mut rig).unwrap();
    }
    assert_eq!(b.owned.len(), 4);
}

#[test]
fn a_silent_member_is_out_after_its_session() {
    let mut rig = Rig::new();
    let mut members = ["a", "b"].map(Member::new);
    settle(&mut rig, &mut members);
    let [a, b] = &mut members;
    rig.pass(44_000);
    let ticket = a.send_briefly(&mut rig);
    assert_eq!(beaten(&mut rig, ticket).unwrap().assignment, None);
    rig.pass(1_000);
    assert_eq!(b.beat(&mut rig), Err(ErrorCode::UnknownMemberId));
    a.beat(&mut rig).unwrap();
    assert_eq!(a.owned.len(), 4);
}

#[test]
fn a_member_that_does_not_let_go_in_time_is_out() {
    let mut rig = Rig::new();
    let mut a = Member { rebalance_ms: 10_000, ..Member::new("a") };
    a.beat(&mut rig).unwrap();
    let mut b = Member::new("b");
    b.beat(&mut rig).unwrap();
    let stubborn = a.clone();
    for second in 0..11 {
        let ticket = stubborn.send(&mut rig);
        let answer = beaten(&mut rig, ticket).unwrap();
        assert_eq!(answer.error_code == 0, second < 10, "at {second}");
        rig.pass(1_000);
    }
    b.beat(&mut rig).unwrap();
    assert_eq!(b.owned.len(), 4);
}

#[test]
fn partitions_that_are_added_are_given_to_somebody() {
    let mut rig = Rig::new();
    let mut members = ["a", "b"].map(Member::new);
    settle(&mut rig, &mut members);
    let epoch = members[0].epoch;
    rig.set_topic("parcels", Some(9));
    settle(&mut rig, &mut members);
    assert_eq!(members[0].epoch, epoch, "nobody reads parcels");
    rig.set_topic("orders", Some(6));
    settle(&mut rig, &mut members);
    assert_eq!(members[0].epoch, epoch + 1);
    assert_eq!(members.map(|it| it.owned.len()), [3, 3]);
}

#[test]
fn a_new_coordinator_sees_what_changed_while_nobody_coordinated() {
    let mut rig = Rig::new();
    let mut member = Member::new("a");
    member.beat(&mut rig).unwrap();
    rig.set_topic_unheard("orders", 6);
    member.beat(&mut rig).unwrap();
    assert_eq!((member.epoch, member.owned.len()), (1, 4), "nobody told the old one");
    rig.fail_over();
    member.beat(&mut rig).unwrap();
    assert_eq!((member.epoch, member.owned.len()), (2, 6));
    // Where nothing changed, nothing is computed.
    rig.fail_over();
    member.beat(&mut rig).unwrap();
    assert_eq!(member.epoch, 2);
}

#[test]
fn a_changed_subscription_moves_the_group_on() {
    let mut rig = Rig::new();
    let mut members = ["a", "b"].map(Member::new);
    settle(&mut rig, &mut members);
    members[1].topics = vec!["parcels"];
    settle(&mut rig, &mut members);
    assert_eq!(members[0].owned.len(), 4);
    assert_eq!(members[1].reads(&rig), names(["parcels-0", "parcels-1"]));
}

#[test]
fn members_go_on_with_a_new_coordinator_where_they_were() {
    let mut rig = Rig::new();
    let mut members = ["a", "b", "c"].map(Member::new);
    settle(&mut rig, &mut members);
    let before: Vec<_> = members.iter().map(|it| (it.epoch, it.owned.clone())).collect();
    rig.pass(40_000);
    rig.fail_over();
    rig.pass(40_000);
    let written = rig.log.len();
    settle(&mut rig, &mut members);
    let after: Vec<_> = members.iter().map(|it| (it.epoch, it.owned.clone())).collect();
    assert_eq!(before, after);
    assert_eq!(rig.log.len(), written, "there was nothing to change");
}

#[test]
fn a_failover_amid_a_rebalance_gives_nothing_away_too_early() {
    let mut rig = Rig::new();
    let [mut a, mut b] = ["a", "b"].map(Member::new);
    a.beat(&mut rig).unwrap();
    b.beat(&mut rig).unwrap();
    let stubborn = a.clone();
    a.beat(&mut rig).unwrap();
    rig.fail_over();
    b.beat(&mut rig).unwrap();
    assert!(b.owned.is_empty());
    stubborn.send(&mut rig);
    b.beat(&mut rig).unwrap();
    assert!(b.owned.is_empty());
    a.beat(&mut rig).unwrap();
    b.beat(&mut rig).unwrap();
    assert_eq!(b.owned.len(), 2);
}

#[test]
fn a_group_without_members_changes_its_protocol_and_counts_on() {
    let mut rig = Rig::new();
    let mut old = [Consumer::new()];
    classic_member::stable_group(&mut rig, &mut old);
    let mut new = Member::new("a");
    assert_eq!(new.beat(&mut rig), Err(ErrorCode::GroupIdNotFound));
    old[0].leave(&mut rig).unwrap();
    new.beat(&mut rig).unwrap();
    assert_eq!(new.epoch, 3, "generation 2 was the last");
    rig.fail_over();
    new.beat(&mut rig).unwrap();
    assert_eq!((new.epoch, new.owned.len()), (3, 4));
    let mut back = Consumer::new();
    let ticket = rig.ask(9, RequestKind::JoinGroup(back.join_request()));
    let refused = Err(ErrorCode::InconsistentGroupProtocol);
    assert_eq!(back.has_joined(&mut rig, ticket), refused);
    new.leave(&mut rig, -1).unwrap();
    let mut old = [Consumer::new()];
    classic_member::stable_group(&mut rig, &mut old);
    assert_eq!(old[0].generation, 5);
    rig.fail_over();
    assert_eq!(old[0].heartbeat(&mut rig), Ok(()));
}

#[test]
fn an_older_cluster_knows_classic_groups_only() {
    let version = GroupVersion::V0;
    let mut rig = Rig::with(GroupConfig { version, ..GroupConfig::default() });
    assert_eq!(Member::new("a").beat(&mut rig), Err(ErrorCode::UnsupportedVersion));
}

#[test]
fn a_full_group_takes_nobody_in() {
    let mut rig =
        Rig::with(GroupConfig { consumer_max_size: 1, ..GroupConfig::default() });
    let mut a = Member::new("a");
    a.beat(&mut rig).unwrap();
    let full = Err(ErrorCode::GroupMaxSizeReached);
    assert_eq!(Member::new("b").beat(&mut rig), full);
    assert_eq!(a.beat(&mut rig), Ok(()));
}

#[test]
fn a_description_tells_both_epochs_and_both_assignments() {
    let mut rig = Rig::new();
    let [mut a, mut b] = ["a", "b"].map(Member::new);
    a.beat(&mut rig).unwrap();
    b.beat(&mut rig).unwrap();
    let ids = [GROUP, "nobody"].map(|id| GroupId(text(id)));
    let request = ConsumerGroupDescribeRequest::default().with_group_ids(ids.to_vec());
    let ticket = rig.ask(1, RequestKind::ConsumerGroupDescribe(request));
    let Some(ResponseKind::ConsumerGroupDescribe(answer)) = rig.answer(ticket) else {
        panic!("a description is answered");
    };
    let [group, nobody] = &answer.groups[..] else { panic!("two were asked for") };
    assert_eq!(outcome(nobody.error_code), Err(ErrorCode::GroupIdNotFound));
    assert_eq!(&*group.group_state, "Reconciling");
    assert_eq!((group.group_epoch, group.assignment_epoch), (2, 2));
    assert_eq!(&*group.assignor_name, "uniform");
    let counts = |assignment: &topomotion_wire::messages::consumer_group_describe_response::Assignment| {
        assignment.topic_partitions.iter().map(|it| it.partitions.len()).sum::<usize>()
    };
    let members = group.members.iter();
    let shares: Vec<_> = members
        .map(|it| {
            (it.member_epoch, counts(&it.assignment), counts(&it.target_assignment))
        })
        .collect();
    assert_eq!(shares, [(1, 4, 2), (2, 0, 2)]);
}
