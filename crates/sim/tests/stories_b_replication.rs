//! B1 to B10, B20 to B23: how replicas follow, leave, return, take over and move.

#[allow(dead_code)]
mod common;

use common::pictures::{cities, drawn, small, topic};
use common::{assert_passed, assert_story, built_in, production};
use topomotion_model::Topology;
use topomotion_sim::{RunOptions, bind, builtins};

/// Everything that this file is about.
const STORIES: [&str; 16] = [
    "follower-loop",
    "lagging-follower",
    "follower-catches-up",
    "ineligible-replica",
    "follower-crash",
    "leader-election",
    "broker-crash",
    "controlled-shutdown",
    "preferred-leader",
    "below-min-isr",
    "shrink-while-waiting",
    "shrink-while-waiting-strict",
    "reassignment",
    "high-watermark-goes-back",
    "one-partition-offline",
    "rack-failure",
];

#[test]
fn b1_a_follower_fetches_and_hears_of_the_high_watermark_one_round_later() {
    assert_story(&production::topology(), "b1", "follower-loop");
}

#[test]
fn b2_a_slow_follower_leaves_the_isr() {
    assert_story(&production::topology(), "b2", "lagging-follower");
}

#[test]
fn b3_a_follower_catches_up_and_returns() {
    assert_story(&production::topology(), "b3", "follower-catches-up");
}

#[test]
fn b3_a_fenced_replica_is_refused() {
    assert_story(&small(3, 3), "b3", "ineligible-replica");
}

#[test]
fn b4_a_follower_crashes_and_returns() {
    assert_story(&small(3, 3), "b4", "follower-crash");
}

#[test]
fn b6_every_partition_of_a_broker_is_looked_after() {
    assert_story(&production::topology(), "b6", "broker-crash");
}

#[test]
fn b7_a_controlled_shutdown_hands_over_and_a_kill_does_not() {
    assert_story(&small(3, 3), "b7", "controlled-shutdown");
}

#[test]
fn b8_the_preferred_leader_leads_again() {
    assert_story(&small(2, 2), "b8", "preferred-leader");
}

#[test]
fn b9_acks_all_is_refused_below_the_min_isr() {
    assert_story(&small(3, 3), "b9", "below-min-isr");
}

#[test]
fn b10_an_isr_that_shrinks_after_the_append_is_told() {
    assert_story(&small(3, 3), "b10", "shrink-while-waiting");
}

#[test]
fn b10_under_the_strict_min_isr_the_record_waits() {
    assert_story(&small(3, 3), "b10", "shrink-while-waiting-strict");
}

#[test]
fn b20_a_partition_moves_to_other_brokers() {
    assert_story(&small(4, 2), "b20", "reassignment");
}

#[test]
fn b21_the_high_watermark_goes_back_and_nothing_is_lost() {
    assert_story(&small(3, 3), "b21", "high-watermark-goes-back");
}

#[test]
fn b22_one_partition_is_offline_and_the_other_serves() {
    assert_story(&small(2, 2), "b22", "one-partition-offline");
}

#[test]
fn b23_a_rack_fails_and_every_partition_keeps_a_leader() {
    assert_story(&cities(), "b23", "rack-failure");
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
    let unfit = ["reassignment", "rack-failure"];
    assert_plays(&production::quorum_of_three(3, 2), &unfit);
}

#[test]
fn they_play_on_the_production_picture() {
    assert_plays(&production::topology(), &["reassignment", "rack-failure"]);
}

#[test]
fn they_play_where_the_brokers_vote() {
    let brokers = [("node-1", None), ("node-2", None), ("node-3", None)];
    let unfit = [
        "ineligible-replica",
        "reassignment",
        "high-watermark-goes-back",
        "rack-failure",
    ];
    assert_plays(&drawn(&[], &brokers, topic("orders", 2, 3)), &unfit);
}

#[test]
fn what_two_replicas_cannot_show_is_said() {
    let unfit =
        ["lagging-follower", "reassignment", "high-watermark-goes-back", "rack-failure"];
    let unfit = [&unfit[..], &["broker-crash"]].concat();
    assert_plays(&small(2, 2), &unfit);
    let binding = bind(&small(2, 2)).expect("binds");
    let lack = |id: &str| {
        let builtin = topomotion_sim::builtin(&binding, id).expect("a built-in scenario");
        builtin.fit.expect_err("does not fit")
    };
    assert_eq!(lack("reassignment"), "It needs a broker without a replica of orders-0.");
    assert_eq!(lack("lagging-follower"), "It needs 3 replicas: orders-0 has 2.");
    assert_eq!(
        lack("rack-failure"),
        "It needs brokers on two racks, each with its `rack`: there are 0."
    );
}
