//! C1 to C13 and C16: the metadata quorum and the active controller.

#[allow(dead_code)]
mod common;

use common::{assert_passed, assert_story, built_in, production};
use topomotion_model::builder::{
    EdgeConfig, GroupConfig, ProcessConfig, TopologyBuilder,
};
use topomotion_model::{Cluster, ProcessRole, Topic, Topology};
use topomotion_sim::{RunOptions, bind, builtin};

/// Everything that this file is about.
const STORIES: [&str; 17] = [
    "quorum-election",
    "metadata-commit",
    "controller-crash",
    "controller-resigns",
    "controller-isolated",
    "controller-isolated-old-era",
    "disruptive-voter",
    "disruptive-voter-old-era",
    "controllers-fall",
    "split-vote",
    "metadata-divergence",
    "metadata-snapshot",
    "quorum-grows",
    "broker-joins",
    "duplicate-broker",
    "voter-disk-lost",
    "quorum-table",
];

/// Controllers and brokers of these names, a writer and a reader of one partition on up to
/// three brokers.
fn picture(controllers: &[&str], brokers: &[&str]) -> Topology {
    let mut builder = TopologyBuilder::default();
    for (group, role, members) in [
        ("control", ProcessRole::Controller, controllers),
        ("kafka", ProcessRole::Broker, brokers),
    ] {
        let group = builder.create_group(GroupConfig::new(group));
        for id in members {
            let config = ProcessConfig { role: Some(role), ..ProcessConfig::new(*id) };
            builder.group(group).add_process(config);
        }
    }
    for (id, label) in [("writer", "produce acks=all"), ("reader", "fetch")] {
        builder.create_process(ProcessConfig::new(id));
        builder.connect(EdgeConfig {
            protocol: Some("kafka".to_owned()),
            label: Some(label.to_owned()),
            ..EdgeConfig::new(id, brokers[0])
        });
    }
    let copies = u32::try_from(brokers.len().min(3)).expect("a few");
    let topic = Topic {
        name: "parcels".to_owned(),
        partitions: Some(1),
        replication_factor: Some(copies),
        min_insync_replicas: Some(copies.min(2)),
        ..Topic::default()
    };
    builder.kafka(Cluster { topics: vec![topic], ..Cluster::default() });
    builder.build().expect("the script has no mistakes").0
}

fn three() -> Topology {
    picture(&["q-1", "q-2", "q-3"], &["b-1", "b-2", "b-3"])
}

/// Stories of the quorum alone are shorter with one broker.
fn quorum(voters: usize) -> Topology {
    picture(&["q-1", "q-2", "q-3", "q-4", "q-5"][..voters], &["b-1"])
}

#[test]
fn c1_voters_that_have_started_elect_a_leader() {
    assert_story(&quorum(3), "c1", "quorum-election");
}

#[test]
fn c2_a_change_is_answered_when_a_majority_has_fetched_it() {
    assert_story(&three(), "c2", "metadata-commit");
}

#[test]
fn c3_the_data_goes_on_while_another_controller_is_elected() {
    assert_story(&three(), "c3", "controller-crash");
}

#[test]
fn c4_a_controller_that_resigns_is_succeeded_at_once() {
    assert_story(&three(), "c4", "controller-resigns");
}

#[test]
fn c5_an_isolated_controller_steps_down() {
    assert_story(&quorum(3), "c5", "controller-isolated");
    assert_story(&quorum(3), "c5", "controller-isolated-old-era");
}

#[test]
fn c6_a_voter_that_returns_disturbs_nobody_since_there_are_pre_votes() {
    assert_story(&quorum(3), "c6", "disruptive-voter");
    assert_story(&quorum(3), "c6", "disruptive-voter-old-era");
}

#[test]
fn c7_five_voters_survive_two_controllers() {
    assert_story(&quorum(5), "c7", "controllers-fall");
}

#[test]
fn c8_a_split_vote_is_resolved_by_chance() {
    assert_story(&quorum(3), "c8", "split-vote");
}

#[test]
fn c9_what_was_never_committed_is_cut_off() {
    assert_story(&quorum(3), "c9", "metadata-divergence");
}

#[test]
fn c10_who_is_too_far_behind_is_sent_a_snapshot() {
    assert_story(&quorum(3), "c10", "metadata-snapshot");
}

#[test]
fn c11_voters_are_added_one_at_a_time_and_the_leader_may_go() {
    assert_story(&quorum(5), "c11", "quorum-grows");
}

#[test]
fn c12_a_broker_is_fenced_until_it_has_caught_up_and_an_id_is_one_brokers() {
    assert_story(&three(), "c12", "broker-joins");
    assert_story(&three(), "c12", "duplicate-broker");
}

#[test]
fn c13_a_voter_without_its_disk_cannot_be_elected() {
    assert_story(&quorum(3), "c13", "voter-disk-lost");
}

#[test]
fn c16_a_quorum_lives_as_long_as_its_majority() {
    assert_story(&quorum(3), "c16", "quorum-table");
}

/// Plays what fits; returns what does not, and why.
fn left_out(topology: &Topology, seed: Option<u64>) -> Vec<String> {
    let binding = bind(topology).expect("binds");
    let mut left = Vec::new();
    for id in STORIES {
        let story = builtin(&binding, id).expect("a built-in scenario");
        match story.fit {
            Ok(_) => {
                let options = RunOptions { seed, ..RunOptions::default() };
                assert_passed(&built_in(&binding, id, &options));
            }
            Err(lack) => left.push(format!("{id}: {lack}")),
        }
    }
    left
}

#[test]
fn a_lonely_controller_has_few_stories_and_the_others_say_what_they_lack() {
    let left = left_out(&production::topology(), None);
    assert_eq!(left.len(), STORIES.len() - 2, "{left:#?}");
    assert!(
        left.contains(
            &"controller-crash: It needs 3 controllers that are no brokers: there are 0."
                .to_owned()
        ) || left.contains(
            &"controller-crash: It needs 3 controllers that are no brokers: there are 1."
                .to_owned()
        )
    );
}

#[test]
fn five_cities_with_five_controllers_play_all_of_them() {
    let brokers = ["oslo", "lima", "cairo", "quito", "hanoi"];
    let controllers = ["athena", "hermes", "apollo", "hestia", "ares"];
    assert_eq!(left_out(&picture(&controllers, &brokers), None), [""; 0]);
}

#[test]
fn brokers_that_vote_themselves_play_what_spares_the_data() {
    let left =
        left_out(&picture(&[], &["oslo", "lima", "cairo", "quito", "hanoi"]), None);
    assert!(!left.iter().any(|it| it.starts_with("broker-joins")), "{left:#?}");
    assert!(left.iter().any(|it| it.starts_with("controller-crash")), "{left:#?}");
}

#[test]
fn other_seeds_change_no_verdict() {
    for seed in 2..=4 {
        left_out(&three(), Some(seed));
    }
}
