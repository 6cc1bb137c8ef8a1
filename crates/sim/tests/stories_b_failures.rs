//! B11 to B19: holes and zombies, today and in older versions.

#[allow(dead_code)]
mod common;

use common::pictures::{cities, small};
use common::{assert_passed, assert_story, built_in, production};
use topomotion_model::Topology;
use topomotion_sim::{RunOptions, bind, builtins};

/// Everything that this file is about.
const STORIES: [&str; 16] = [
    "isr-empties",
    "last-replica-standing",
    "last-replica-standing-elr",
    "unclean-election",
    "acks-leader-loss",
    "kip-101-loss",
    "kip-101-loss-fixed",
    "kip-101-divergence",
    "kip-101-divergence-fixed",
    "kip-279-divergence",
    "kip-279-divergence-fixed",
    "zombie-leader",
    "zombie-isr-request",
    "zombie-isr-request-unfenced",
    "kip-903-wiped-replica",
    "kip-903-wiped-replica-fixed",
];

#[test]
fn b11_the_isr_empties_and_the_elr_saves_it() {
    assert_story(&small(3, 3), "b11", "isr-empties");
}

#[test]
fn b12_the_last_replica_standing_loses_its_power() {
    assert_story(&small(3, 3), "b12", "last-replica-standing");
}

#[test]
fn b12_with_elr_the_partition_waits_for_who_stopped_in_good_order() {
    assert_story(&small(3, 3), "b12", "last-replica-standing-elr");
}

#[test]
fn b13_an_unclean_election_loses_what_readers_have_seen() {
    assert_story(&small(2, 2), "b13", "unclean-election");
}

#[test]
fn b14_a_record_with_acks_1_dies_with_its_leader() {
    assert_story(&small(2, 2), "b14", "acks-leader-loss");
}

#[test]
fn b15_a_follower_that_cuts_at_its_high_watermark_loses_a_committed_record() {
    assert_story(&small(3, 3), "b15", "kip-101-loss");
}

#[test]
fn b15_with_leader_epochs_it_cuts_nothing() {
    assert_story(&small(3, 3), "b15", "kip-101-loss-fixed");
}

#[test]
fn b16_logs_cut_at_high_watermarks_differ_at_one_offset() {
    assert_story(&small(3, 3), "b16", "kip-101-divergence");
}

#[test]
fn b16_with_leader_epochs_they_do_not() {
    assert_story(&small(3, 3), "b16", "kip-101-divergence-fixed");
}

#[test]
fn b17_asked_once_for_an_unknown_epoch() {
    assert_story(&small(2, 2), "b17", "kip-279-divergence");
}

#[test]
fn b17_asked_again_for_an_epoch_that_both_know() {
    assert_story(&small(2, 2), "b17", "kip-279-divergence-fixed");
}

#[test]
fn b18_a_zombie_commits_nothing() {
    assert_story(&small(2, 2), "b18", "zombie-leader");
}

#[test]
fn b18_a_request_of_an_older_epoch_is_refused() {
    assert_story(&small(2, 2), "b18", "zombie-isr-request");
}

#[test]
fn b18_where_it_is_not_the_isr_is_overwritten() {
    assert_story(&small(2, 2), "b18", "zombie-isr-request-unfenced");
}

#[test]
fn b19_a_wiped_replica_comes_into_the_isr() {
    assert_story(&small(2, 2), "b19", "kip-903-wiped-replica");
}

#[test]
fn b19_a_request_for_its_predecessor_is_refused() {
    assert_story(&small(2, 2), "b19", "kip-903-wiped-replica-fixed");
}

/// Plays those that fit; the others must be among the `unfit`, and say what is missing.
fn assert_plays(topology: &Topology, unfit: &[&str]) {
    let binding = bind(topology).expect("binds");
    for builtin in builtins(&binding) {
        let id = builtin.id.as_str();
        if !STORIES.contains(&id) {
            continue;
        }
        assert_eq!(builtin.fit.is_err(), unfit.contains(&id), "{id}: {:?}", builtin.fit);
        if builtin.fit.is_ok() {
            assert_passed(&built_in(&binding, id, &RunOptions::default()));
        }
    }
}

#[test]
fn they_play_on_brokers_with_other_names() {
    assert_plays(&cities(), &[]);
}

#[test]
fn they_play_under_a_quorum_of_three() {
    assert_plays(&production::quorum_of_three(3, 2), &[]);
}

#[test]
fn they_play_on_the_production_picture() {
    assert_plays(&production::topology(), &[]);
}

#[test]
fn what_two_replicas_cannot_show_is_said() {
    let topology = small(2, 2);
    let unfit = [
        "isr-empties",
        "last-replica-standing",
        "last-replica-standing-elr",
        "kip-101-loss",
        "kip-101-loss-fixed",
        "kip-101-divergence",
        "kip-101-divergence-fixed",
    ];
    assert_plays(&topology, &unfit);
    let binding = bind(&topology).expect("binds");
    for id in unfit {
        let builtin = topomotion_sim::builtin(&binding, id).expect("a built-in scenario");
        let lack = builtin.fit.expect_err("does not fit");
        assert_eq!(lack, "It needs 3 replicas: orders-0 has 2.", "{id}");
    }
}

/// What goes wrong must not hang on one seed.
#[test]
fn they_play_with_other_seeds() {
    let binding = bind(&small(3, 3)).expect("binds");
    for id in STORIES {
        for seed in 2..=4 {
            let options = RunOptions { seed: Some(seed), ..RunOptions::default() };
            assert_passed(&built_in(&binding, id, &options));
        }
    }
}
