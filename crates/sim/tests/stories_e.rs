//! Stories of family E, consumer groups, each against its golden file.

#[allow(dead_code)]
mod common;

use common::{assert_passed, assert_story, built_in, production};
use topomotion_model::builder::{EdgeConfig, ProcessConfig, TopologyBuilder};
use topomotion_model::{Cluster, KafkaSettings, ProcessRole, Topic, Topology};
use topomotion_sim::{RunOptions, bind};

#[test]
fn e1_a_group_forms() {
    assert_story(&production::topology(), "e1", "group-join");
}

#[test]
fn e2_a_new_member_makes_everybody_join_again() {
    assert_story(&production::topology(), "e2", "eager-rebalance");
}

#[test]
fn e3_a_new_member_gets_only_what_moves() {
    assert_story(&production::topology(), "e3", "cooperative-rebalance");
}

#[test]
fn e5_a_crash_is_noticed_when_the_session_ends() {
    assert_story(&production::topology(), "e5", "consumer-crash");
}

#[test]
fn e6_whoever_leaves_is_replaced_at_once() {
    assert_story(&production::topology(), "e6", "graceful-leave");
}

#[test]
fn e6_each_restart_divides_twice() {
    assert_story(&production::topology(), "e6", "rolling-restart");
}

#[test]
fn e10_static_members_restart_unnoticed() {
    assert_story(&production::topology(), "e10", "static-membership");
}

#[test]
fn e7_whoever_polls_too_rarely_leaves_by_itself() {
    assert_story(&production::topology(), "e7", "slow-consumer");
}

#[test]
fn e8_what_was_not_committed_is_read_twice() {
    assert_story(&production::topology(), "e8", "crash-before-commit");
}

#[test]
fn e9_only_a_poll_commits_by_the_clock() {
    assert_story(&production::topology(), "e9", "auto-commit");
}

#[test]
fn e9_what_is_handed_to_another_thread_is_committed_too_early() {
    assert_story(&production::topology(), "e9", "auto-commit-loss");
}

/// Three readers of four topics with two partitions each.
fn three_readers() -> Topology {
    let mut builder = TopologyBuilder::default();
    let ids = ["controller", "lisbon", "oslo", "riga", "shop"];
    for id in ids.into_iter().chain(["reader-a", "reader-b", "reader-c"]) {
        builder.create_process(ProcessConfig {
            role: Some(match id {
                "controller" => ProcessRole::Controller,
                "shop" => ProcessRole::Producer,
                _ if id.starts_with("reader") => ProcessRole::Consumer,
                _ => ProcessRole::Broker,
            }),
            kafka: KafkaSettings {
                group_id: id.starts_with("reader").then(|| "mail".to_owned()),
                ..KafkaSettings::default()
            },
            ..ProcessConfig::new(id)
        });
    }
    for client in ["shop", "reader-a", "reader-b", "reader-c"] {
        builder.connect(EdgeConfig::new(client, "oslo"));
    }
    let topic = Topic {
        name: "orders".to_owned(),
        partitions: Some(2),
        replication_factor: Some(3),
        ..Topic::default()
    };
    builder.kafka(Cluster { topics: vec![topic], ..Cluster::default() });
    builder.build().expect("no mistakes").0
}

#[test]
fn e4_range_divides_each_topic_on_its_own() {
    assert_story(&production::topology(), "e4", "assignor-range");
}

#[test]
fn e4_round_robin_deals_all_topics_in_one_round() {
    assert_story(&three_readers(), "e4", "assignor-roundrobin");
}

#[test]
fn e4_sticky_moves_only_what_must_move() {
    assert_story(&three_readers(), "e4", "assignor-sticky");
}

#[test]
fn e4_cooperative_sticky_lets_nothing_go() {
    assert_story(&three_readers(), "e4", "assignor-cooperative-sticky");
}

#[test]
fn stories_of_groups_fit_a_cluster_with_other_names() {
    let topology = three_readers();
    let binding = bind(&topology).expect("binds");
    for id in ["eager-rebalance", "crash-before-commit", "auto-commit", "graceful-leave"]
    {
        // Two partitions leave the third reader without any.
        let story = topomotion_sim::builtin(&binding, id).expect("is built in");
        match story.fit {
            Ok(_) => assert_passed(&built_in(&binding, id, &RunOptions::default())),
            Err(lack) => {
                assert_eq!(lack, "It needs 3 partitions of orders: there are 2.");
            }
        }
    }
}
