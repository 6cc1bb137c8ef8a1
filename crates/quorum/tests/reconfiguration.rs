//! Voters that come and go (RAFT-10, KIP-853), as little stories.

mod rig;

use rig::{Link, Rig, add_voter, describe, node, remove_voter};
use topomotion_quorum::{KraftVersion, ReplyToken};
use topomotion_wire::messages::{ApiKey, ResponseKind};
use topomotion_wire::{Endpoint, ErrorCode, NodeId, QuorumRole, Rule};

fn is_level(rig: &Rig) -> bool {
    let Some(leader) = rig.leader() else { return false };
    let end = rig.quorum(leader).log().end_offset();
    let mut live = rig.ids().into_iter().filter(|id| rig.is_up(*id));
    live.all(|id| {
        let quorum = rig.quorum(id);
        quorum.leader() == Some(leader) && quorum.high_watermark() == end
    })
}

fn reconfigurable(voters: i32, observers: i32, seed: u64) -> (Rig, NodeId) {
    let mut rig = Rig::with(voters, observers, seed, |config| {
        config.kraft_version = KraftVersion::Reconfigurable;
    });
    rig.run_until(10_000, is_level);
    rig.run_for(600);
    let leader = rig.leader().expect("there is one");
    (rig, leader)
}

fn voters(rig: &Rig, id: NodeId) -> Vec<i32> {
    rig.quorum(id).voters().ids().map(|id| id.0).collect()
}

/// The error that a change of the voter set was answered with.
fn outcome(rig: &Rig, token: ReplyToken) -> Option<i16> {
    Some(match rig.answers.get(&token)? {
        ResponseKind::AddRaftVoter(response) => response.error_code,
        ResponseKind::RemoveRaftVoter(response) => response.error_code,
        other => panic!("{other:?}"),
    })
}

fn settle(rig: &mut Rig, token: ReplyToken) -> i16 {
    rig.run_until(6_000, |rig| outcome(rig, token).is_some());
    outcome(rig, token).expect("just seen")
}

#[test]
fn a_quorum_grows_from_three_to_five_and_then_bears_two_crashes() {
    let (mut rig, leader) = reconfigurable(3, 2, 1);
    for newcomer in [101, 102] {
        let token = rig.ask(leader, &add_voter(newcomer));
        assert_eq!(settle(&mut rig, token), 0);
    }
    assert!(rig.marks.contains(&Rule::Raft10));
    rig.run_until(2_000, is_level);
    for id in rig.ids() {
        assert_eq!(voters(&rig, id), [1, 2, 3, 101, 102]);
    }
    let others: Vec<NodeId> = rig.ids().into_iter().filter(|id| id.0 < 100).collect();
    others.iter().take(2).for_each(|id| rig.crash(*id));
    rig.run_until(20_000, is_level);
    let leader = rig.leader().expect("three of five are there (C11)");
    let offset = rig.append(leader, "x").expect("it leads");
    rig.run_until(2_000, |rig| rig.quorum(leader).high_watermark() > offset);
}

#[test]
fn the_new_set_commits_its_own_record() {
    let (mut rig, leader) = reconfigurable(1, 1, 2);
    let newcomer = node(101);
    rig.cut(leader, newcomer, Link::Silent);
    let token = rig.ask(leader, &add_voter(101));
    assert_eq!(voters(&rig, leader), [1, 101], "in force at once");
    rig.run_for(1_000);
    assert_eq!(outcome(&rig, token), None, "one of two is no majority");
    rig.heal();
    assert_eq!(settle(&mut rig, token), 0);
}

#[test]
fn a_leader_that_is_removed_leads_until_that_is_committed_and_leaves() {
    let (mut rig, leader) = reconfigurable(3, 0, 3);
    let token = rig.ask(leader, &remove_voter(leader.0));
    assert!(rig.quorum(leader).is_leader(), "it leads on without counting itself");
    assert_eq!(settle(&mut rig, token), 0);
    assert_eq!(rig.quorum(leader).role(), QuorumRole::Resigned);
    rig.run_until(10_000, is_level);
    let next = rig.leader().expect("another one");
    assert_ne!(next, leader);
    assert_eq!(rig.quorum(leader).leader(), Some(next), "it watches now");
    assert!(!rig.quorum(leader).is_voter());
    assert_eq!(voters(&rig, next).len(), 2);
}

#[test]
fn what_cannot_be_is_refused_with_its_reason() {
    let (mut rig, leader) = reconfigurable(3, 1, 4);
    let other = rig.ids().into_iter().find(|id| *id != leader).expect("three");
    let refusals = [
        (leader, add_voter(1), ErrorCode::DuplicateVoter),
        (leader, add_voter(77), ErrorCode::RequestTimedOut),
        (leader, remove_voter(77), ErrorCode::VoterNotFound),
        (other, add_voter(101), ErrorCode::NotLeaderOrFollower),
        (other, remove_voter(1), ErrorCode::NotLeaderOrFollower),
    ];
    for (to, request, error) in refusals {
        let token = rig.ask(to, &request);
        assert_eq!(outcome(&rig, token), Some(error.code()), "{request:?}");
    }
    let (mut alone, leader) = reconfigurable(1, 0, 4);
    let token = alone.ask(leader, &remove_voter(1));
    assert_eq!(outcome(&alone, token), Some(ErrorCode::InvalidRequest.code()));
}

#[test]
fn one_change_at_a_time() {
    let (mut rig, leader) = reconfigurable(3, 2, 5);
    let first = rig.ask(leader, &add_voter(101));
    let second = rig.ask(leader, &add_voter(102));
    assert_eq!(settle(&mut rig, second), ErrorCode::RequestTimedOut.code());
    assert_eq!(settle(&mut rig, first), 0);
    let again = rig.ask(leader, &add_voter(102));
    assert_eq!(settle(&mut rig, again), 0);
}

#[test]
fn a_set_that_was_never_committed_is_undone_with_its_record() {
    let (mut rig, first) = reconfigurable(3, 1, 6);
    rig.isolate(first, Link::Broken);
    let token = rig.ask(first, &add_voter(101));
    assert_eq!(voters(&rig, first).len(), 4);
    assert_eq!(settle(&mut rig, token), ErrorCode::NotLeaderOrFollower.code());
    rig.run_until(20_000, |rig| rig.leader().is_some_and(|leader| leader != first));
    rig.heal();
    rig.run_until(20_000, is_level);
    for id in rig.ids() {
        assert_eq!(voters(&rig, id), [1, 2, 3]);
    }
}

#[test]
fn a_node_that_nobody_knew_joins_and_votes() {
    let (mut rig, leader) = reconfigurable(1, 0, 7);
    for newcomer in [2, 3] {
        rig.join(node(newcomer));
        rig.run_until(5_000, is_level);
        rig.run_for(600);
        let token = rig.ask(leader, &add_voter(newcomer));
        assert_eq!(settle(&mut rig, token), 0);
    }
    rig.run_until(2_000, is_level);
    rig.crash(leader);
    rig.run_until(20_000, is_level);
    assert_ne!(rig.leader(), Some(leader));
}

#[test]
fn a_voter_that_has_moved_tells_the_others_where_it_listens() {
    let (mut rig, leader) = reconfigurable(3, 0, 8);
    let mover = rig.ids().into_iter().find(|id| *id != leader).expect("three");
    rig.crash(mover);
    let home = Endpoint { host: "new-home".into(), port: 9093 };
    rig.reconfigure(mover, |config| {
        config.endpoints.insert(mover, home.clone());
    });
    rig.start(mover);
    let knows =
        |rig: &Rig, id: NodeId| rig.quorum(id).voters().endpoint(mover) == Some(&home);
    rig.run_until(10_000, |rig| rig.ids().into_iter().all(|id| knows(rig, id)));
    assert!(rig.sent.iter().any(|(.., api)| *api == ApiKey::UpdateRaftVoter));
}

#[test]
fn the_leader_describes_the_quorum() {
    let (mut rig, leader) = reconfigurable(3, 1, 9);
    let token = rig.ask(leader, &describe());
    let ResponseKind::DescribeQuorum(response) = &rig.answers[&token] else {
        panic!("not a description")
    };
    let data = &response.topics[0].partitions[0];
    assert_eq!(data.leader_id.0, leader.0);
    assert_eq!(data.high_watermark, rig.quorum(leader).high_watermark().0);
    let ids = |states: &[_]| -> Vec<i32> {
        let id =
            |it: &topomotion_wire::messages::describe_quorum_response::ReplicaState| {
                assert_eq!(it.log_end_offset, data.high_watermark);
                it.replica_id.0
            };
        states.iter().map(id).collect()
    };
    assert_eq!(ids(&data.current_voters), [1, 2, 3]);
    assert_eq!(ids(&data.observers), [101]);
    let other = rig.ids().into_iter().find(|id| *id != leader).expect("three");
    let token = rig.ask(other, &describe());
    let ResponseKind::DescribeQuorum(response) = &rig.answers[&token] else {
        panic!("not a description")
    };
    let code = response.topics[0].partitions[0].error_code;
    assert_eq!(code, ErrorCode::NotLeaderOrFollower.code());
}

/// The era of `kraft.version` 0: the voters can only change in everybody's settings, and while
/// those differ, two halves of the quorum count differently.
#[test]
#[should_panic(expected = "K1: two leaders")]
fn static_voters_that_differ_elect_two_leaders_in_one_epoch() {
    let mut rig = Rig::new(5, 0, 1);
    rig.run_until(10_000, is_level);
    rig.ids().into_iter().for_each(|id| rig.crash(id));
    // Nodes 1 and 2 still have the settings from before 3, 4 and 5 were there.
    for id in [1, 2] {
        rig.reconfigure(node(id), |config| config.voters.truncate(2));
    }
    for one in [1, 2] {
        for other in [3, 4, 5] {
            rig.cut(node(one), node(other), Link::Broken);
        }
    }
    rig.ids().into_iter().for_each(|id| rig.start(id));
    rig.run_for(60_000);
}

#[test]
fn static_voters_cannot_be_changed() {
    let mut rig = Rig::new(3, 1, 2);
    rig.run_until(10_000, is_level);
    rig.run_for(600);
    let leader = rig.leader().expect("there is one");
    let token = rig.ask(leader, &add_voter(101));
    assert_eq!(outcome(&rig, token), Some(ErrorCode::UnsupportedVersion.code()));
}
