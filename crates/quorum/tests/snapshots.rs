//! What becomes of a log whose beginning is a snapshot (RAFT-6, KIP-630), as little stories.

mod rig;

use rig::{Link, Rig, node};
use topomotion_wire::messages::ApiKey;
use topomotion_wire::{Bytes, NodeId, Offset};

/// Everybody follows one leader and has everything that it has.
fn is_level(rig: &Rig) -> bool {
    let Some(leader) = rig.leader() else { return false };
    let end = rig.quorum(leader).log().end_offset();
    let mut live = rig.ids().into_iter().filter(|id| rig.is_up(*id));
    live.all(|id| {
        let quorum = rig.quorum(id);
        quorum.leader() == Some(leader) && quorum.high_watermark() == end
    })
}

/// A quorum that keeps no more log than it must, and sends small parts.
fn forgetful(voters: i32, observers: i32, seed: u64) -> Rig {
    let mut rig = Rig::with(voters, observers, seed, |config| {
        config.max_retention_bytes = 0;
        config.fetch_max_bytes = 100;
    });
    rig.run_until(10_000, is_level);
    rig
}

/// Appends a few values and makes a snapshot of them, twice: then the log is cut.
fn cut_log(rig: &mut Rig, leader: NodeId) -> Offset {
    for _ in 0..2 {
        for value in ["a", "b", "c"] {
            rig.append(leader, value).expect("it leads");
        }
        rig.run_until(2_000, is_level);
        rig.snapshot(leader).expect("there is something new");
        rig.run_for(50);
    }
    rig.quorum(leader).log().start_offset()
}

fn is_told(rig: &Rig, api: ApiKey) -> usize {
    rig.sent.iter().filter(|(.., key)| *key == api).count()
}

#[test]
fn a_member_behind_the_log_start_fetches_the_snapshot_in_parts() {
    for seed in 0..10 {
        let mut rig = forgetful(3, 1, seed);
        let leader = rig.leader().expect("there is one");
        let late = rig.ids().into_iter().find(|id| *id != leader).expect("three");
        rig.crash(late);
        rig.crash(node(101));
        let start = cut_log(&mut rig, leader);
        assert!(start > Offset(0), "the log begins later now");
        assert_eq!(is_told(&rig, ApiKey::FetchSnapshot), 0);
        rig.start(late);
        rig.start(node(101));
        rig.run_until(10_000, is_level);
        let parts = is_told(&rig, ApiKey::FetchSnapshot);
        assert!(parts > 2, "C10: in {parts} parts");
        for id in [late, node(101)] {
            assert_eq!(rig.machine(id), rig.machine(leader));
            assert_eq!(rig.quorum(id).log().start_offset(), start, "K9");
        }
        let offset = rig.append(leader, "d").expect("it leads");
        rig.run_until(2_000, |rig| rig.quorum(late).high_watermark() > offset);
    }
}

#[test]
fn a_restarted_quorum_reads_its_snapshots_and_what_came_after() {
    for seed in 0..10 {
        let mut rig = forgetful(3, 1, seed);
        let leader = rig.leader().expect("there is one");
        cut_log(&mut rig, leader);
        rig.append(leader, "after").expect("it leads");
        rig.run_until(2_000, is_level);
        let before = rig.machine(leader).to_vec();
        let all = rig.ids();
        all.iter().for_each(|id| rig.crash(*id));
        all.iter().for_each(|id| rig.start(*id));
        assert_eq!(rig.machine(leader), &before[..6], "known before anybody is asked");
        rig.run_until(20_000, is_level);
        all.iter().for_each(|id| assert_eq!(rig.machine(*id), before));
    }
}

#[test]
fn a_power_cut_at_any_moment_of_the_cut_loses_nothing() {
    for seed in 0..40 {
        let mut rig = forgetful(1, 0, seed);
        let only = node(1);
        cut_log(&mut rig, only);
        rig.append(only, "d").expect("it leads");
        rig.run_for(20);
        let before = rig.machine(only).to_vec();
        rig.snapshot(only).expect("there is something new");
        rig.run_for(seed % 14);
        rig.crash(only);
        rig.start(only);
        rig.run_until(5_000, is_level);
        assert_eq!(rig.machine(only), before, "{seed}");
    }
}

#[test]
fn a_log_that_parted_before_the_leader_begins_is_thrown_away() {
    let mut rig = forgetful(3, 0, 3);
    let first = rig.leader().expect("there is one");
    rig.isolate(first, Link::Broken);
    for value in ["lost", "lost too"] {
        rig.append(first, value).expect("it still leads");
    }
    rig.run_until(20_000, |rig| rig.leader().is_some_and(|leader| leader != first));
    let second = rig.leader().expect("there is one");
    rig.run_until(2_000, |rig| rig.elected.last().is_some_and(|it| it.1 == second));
    for _ in 0..2 {
        let last = rig.append(second, "kept").expect("it leads");
        rig.run_until(2_000, |rig| rig.quorum(second).high_watermark() > last);
        rig.run_for(50);
        rig.snapshot(second).expect("there is something new");
        rig.run_for(50);
    }
    rig.heal();
    rig.run_until(20_000, is_level);
    let kept = [Bytes::from_static(b"kept"), Bytes::from_static(b"kept")];
    assert_eq!(rig.machine(first), kept);
    assert!(is_told(&rig, ApiKey::FetchSnapshot) > 0);
}

#[test]
fn only_what_is_committed_and_new_becomes_a_snapshot() {
    let mut rig = forgetful(3, 0, 5);
    let leader = rig.leader().expect("there is one");
    assert!(rig.snapshot(leader).is_some());
    assert!(rig.snapshot(leader).is_none(), "nothing has happened since");
    rig.run_for(50);
    assert!(rig.snapshot(leader).is_none(), "nor has it now");
    assert_eq!(rig.quorum(leader).log().start_offset(), Offset(0), "one always stays");
}
