//! What a quorum does, as little stories.

mod rig;

use rig::{Link, Rig, node};
use topomotion_quorum::{CheckQuorum, NotLeader, PreVote, Quorum};
use topomotion_wire::{
    Bytes, Fact, Files, Instant, NodeId, Offset, QuorumRole, Random, Rule,
};

fn everybody_follows(rig: &Rig) -> bool {
    let Some(leader) = rig.leader() else { return false };
    rig.ids().iter().filter(|id| rig.is_up(**id)).all(|id| {
        let quorum = rig.quorum(*id);
        quorum.leader() == Some(leader) && quorum.epoch() == rig.quorum(leader).epoch()
    })
}

fn everybody_has(rig: &Rig, offset: Offset) -> bool {
    let mut live = rig.ids().into_iter().filter(|id| rig.is_up(*id));
    live.all(|id| rig.quorum(id).high_watermark() > offset)
}

fn settled(voters: i32, observers: i32, seed: u64) -> (Rig, NodeId) {
    let mut rig = Rig::new(voters, observers, seed);
    rig.run_until(10_000, everybody_follows);
    let leader = rig.leader().expect("there is one");
    rig.run_until(1_000, |rig| everybody_has(rig, Offset(0)));
    (rig, leader)
}

#[test]
fn first_election_asks_votes_begins_and_commits() {
    for seed in 0..20 {
        let (mut rig, leader) = settled(3, 2, seed);
        assert_eq!(rig.elected.len(), 1);
        assert_eq!(rig.elected[0].1, leader);
        let offset = rig.append(leader, "topic").expect("it leads");
        rig.run_until(1_000, |rig| everybody_has(rig, offset));
        for id in rig.ids() {
            let read: Vec<_> = rig.quorum(id).read_committed(Offset(0)).collect();
            assert_eq!(read, [(offset, Bytes::from_static(b"topic"))]);
        }
        for rule in
            [Rule::Raft1, Rule::Raft2, Rule::Raft3, Rule::Raft4, Rule::Raft5, Rule::Raft6]
        {
            assert!(rig.marks.contains(&rule), "{rule} acted");
        }
    }
}

#[test]
fn a_commit_is_known_everywhere_within_a_few_round_trips() {
    let (mut rig, leader) = settled(3, 2, 7);
    rig.run_for(100);
    let before = rig.now;
    let offset = rig.append(leader, "quick").expect("it leads");
    rig.run_until(1_000, |rig| everybody_has(rig, offset));
    let took = (rig.now - before).as_millis();
    assert!(took < 50, "the parked fetches were woken, not timed out: {took} ms");
}

#[test]
fn a_crashed_leader_is_replaced_and_comes_back_as_a_follower() {
    for seed in 0..20 {
        let (mut rig, first) = settled(3, 1, seed);
        let offset = rig.append(first, "kept").expect("it leads");
        rig.run_until(1_000, |rig| everybody_has(rig, offset));
        rig.crash(first);
        rig.run_until(20_000, everybody_follows);
        let second = rig.leader().expect("there is one");
        assert_ne!(first, second);
        let more = rig.append(second, "more").expect("it leads");
        rig.run_until(2_000, |rig| everybody_has(rig, more));
        rig.start(first);
        rig.run_until(10_000, |rig| everybody_follows(rig) && everybody_has(rig, more));
        assert_eq!(rig.leader(), Some(second), "nobody is disturbed by its return");
        let read: Vec<_> = rig.quorum(first).read_committed(Offset(0)).collect();
        assert_eq!(read.len(), 2);
    }
}

#[test]
fn an_isolated_leader_steps_down_and_its_tail_is_cut() {
    for link in [Link::Broken, Link::Silent] {
        let (mut rig, first) = settled(3, 0, 3);
        rig.isolate(first, link);
        let lost = rig.append(first, "never committed").expect("it still leads");
        let end = rig.quorum(first).log().end_offset();
        assert!(end > lost);
        rig.run_for(3_100);
        assert!(!rig.quorum(first).is_leader(), "1.5 fetch timeouts (RAFT-7)");
        assert!(rig.marks.contains(&Rule::Raft7));
        assert_eq!(rig.deposed.len(), 1);
        rig.run_until(20_000, |rig| rig.leader().is_some_and(|leader| leader != first));
        let second = rig.leader().expect("there is one");
        rig.run_until(2_000, |rig| {
            rig.elected.last().is_some_and(|(_, id, _)| *id == second)
        });
        let kept = rig.append(second, "committed").expect("it leads");
        rig.heal();
        rig.run_until(20_000, |rig| everybody_follows(rig) && everybody_has(rig, kept));
        let cut = |fact: &Fact| matches!(fact, Fact::Truncated { .. });
        assert!(rig.facts.iter().any(|(_, id, fact)| *id == first && cut(fact)));
        assert!(rig.marks.contains(&Rule::Trn3));
        let values: Vec<_> =
            rig.quorum(first).read_committed(Offset(0)).map(|r| r.1).collect();
        assert_eq!(values, [Bytes::from_static(b"committed")]);
    }
}

#[test]
fn without_check_quorum_an_isolated_leader_believes_in_itself() {
    let mut rig = Rig::with(3, 0, 3, |config| config.check_quorum = CheckQuorum::Off);
    rig.run_until(10_000, everybody_follows);
    let first = rig.leader().expect("there is one");
    rig.isolate(first, Link::Broken);
    rig.run_for(20_000);
    assert!(rig.quorum(first).is_leader());
    let leaders = rig.ids().into_iter().filter(|id| rig.quorum(*id).is_leader());
    assert_eq!(leaders.count(), 2, "in different epochs (C5)");
}

#[test]
fn a_healed_node_does_not_disturb_a_healthy_leader() {
    let epochs = |pre_vote| {
        let mut rig = Rig::with(3, 0, 11, |config| config.pre_vote = pre_vote);
        rig.run_until(20_000, everybody_follows);
        let leader = rig.leader().expect("there is one");
        let before = rig.quorum(leader).epoch();
        let other = rig.ids().into_iter().find(|id| *id != leader).expect("three");
        rig.isolate(other, Link::Broken);
        rig.run_for(30_000);
        rig.heal();
        rig.run_for(10_000);
        let after = rig.quorum(rig.leader().expect("there is one")).epoch();
        (before, after)
    };
    let (before, after) = epochs(PreVote::On);
    assert_eq!(before, after, "K14");
    let (before, after) = epochs(PreVote::Off);
    assert!(before < after, "the era before pre-vote: C6");
}

#[test]
fn a_leader_that_resigns_is_succeeded_faster_than_one_that_crashes() {
    let (mut rig, first) = settled(3, 0, 5);
    let before = rig.now;
    rig.resign(first);
    assert_eq!(rig.quorum(first).role(), QuorumRole::Resigned);
    rig.run_until(5_000, |rig| rig.leader().is_some());
    let took = (rig.now - before).as_millis();
    assert!(took < 100, "the first in line runs at once (RAFT-8): {took} ms");
    assert!(rig.marks.contains(&Rule::Raft8));
    rig.run_until(5_000, everybody_follows);
}

#[test]
fn a_peer_that_never_answers_is_hung_up_on() {
    let (mut rig, leader) = settled(3, 0, 2);
    let other = rig.ids().into_iter().find(|id| *id != leader).expect("three");
    rig.cut(leader, other, Link::Silent);
    rig.run_for(5_000);
    assert!(rig.disconnects.iter().any(|(_, peer)| *peer == leader || *peer == other));
}

#[test]
fn an_observer_finds_the_leader_and_the_next_one() {
    let (mut rig, first) = settled(3, 2, 9);
    for id in [101, 102] {
        assert_eq!(rig.quorum(node(id)).role(), QuorumRole::Follower);
    }
    rig.crash(first);
    rig.run_until(20_000, everybody_follows);
    let second = rig.leader().expect("there is one");
    assert_eq!(rig.quorum(node(101)).leader(), Some(second));
}

#[test]
fn an_observer_does_not_go_back_to_a_leader_that_has_stepped_down() {
    let (mut rig, leader) = settled(3, 1, 9);
    // The other voters do not hear it step down, and name it for a while.
    for other in rig.ids().into_iter().filter(|id| id.0 < 100 && *id != leader) {
        rig.cut(leader, other, Link::Silent);
    }
    rig.resign(leader);
    let asked = rig.sent.len();
    rig.run_for(1_500);
    let observer = node(101);
    let to_leader = rig.sent[asked..].iter();
    let to_leader =
        to_leader.filter(|(_, from, to, _)| (*from, *to) == (observer, leader));
    assert!(to_leader.count() < 6, "whom the others still name");
}

#[test]
fn only_the_leader_appends() {
    let (rig, leader) = settled(3, 1, 4);
    let files = Files::new();
    let config = rig.quorum(node(101)).config().clone();
    let mut observer =
        Quorum::recover(config, &files, Instant::ZERO, Random::new(1, 1)).expect("fresh");
    let refused = observer.append(Instant::ZERO, &[Bytes::from_static(b"x")]);
    assert_eq!(refused, Err(NotLeader { leader: None }));
    assert_eq!(rig.quorum(leader).leader(), Some(leader));
}

#[test]
fn a_whole_quorum_that_loses_power_comes_back_with_everything_committed() {
    for seed in 0..10 {
        let (mut rig, leader) = settled(3, 1, seed);
        let offset = rig.append(leader, "durable").expect("it leads");
        rig.run_until(1_000, |rig| rig.quorum(leader).high_watermark() > offset);
        let all = rig.ids();
        all.iter().for_each(|id| rig.crash(*id));
        all.iter().for_each(|id| rig.start(*id));
        rig.run_until(20_000, |rig| everybody_follows(rig) && everybody_has(rig, offset));
    }
}
