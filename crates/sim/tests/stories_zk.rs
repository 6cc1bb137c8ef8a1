//! Stories of ZooKeeper's days (C14, C15), each against its golden file.

#[allow(dead_code)]
mod common;

use common::{assert_story, built_in, production};
use topomotion_model::builder::{EdgeConfig, ProcessConfig, TopologyBuilder};
use topomotion_model::{Cluster, Topic, Topology};
use topomotion_sim::{RunOptions, bind};
use topomotion_trace::What;

/// An ensemble of three and these brokers, each connected with one of its servers.
fn ensemble(brokers: &[&str]) -> Topology {
    let mut builder = TopologyBuilder::default();
    for id in ["zookeeper-1", "zookeeper-2", "zookeeper-3"].iter().chain(brokers) {
        builder.create_process(ProcessConfig::new(*id));
    }
    builder.create_process(ProcessConfig::new("order-producer"));
    builder.create_process(ProcessConfig::new("mail-consumer"));
    for (index, broker) in brokers.iter().enumerate() {
        let server = format!("zookeeper-{}", index % 3 + 1);
        builder.connect(EdgeConfig::new(*broker, server.as_str()));
    }
    builder.connect(EdgeConfig::new("order-producer", brokers[0]));
    builder.connect(EdgeConfig::new("mail-consumer", brokers[0]));
    let topic = Topic {
        name: "orders".to_owned(),
        partitions: Some(3),
        replication_factor: Some(3),
        min_insync_replicas: Some(2),
        ..Topic::default()
    };
    builder.kafka(Cluster { topics: vec![topic], ..Cluster::default() });
    builder.build().expect("no mistakes").0
}

const THREE: [&str; 3] = ["broker-1", "broker-2", "broker-3"];

#[test]
fn c14_the_first_to_create_controller_is_the_controller() {
    assert_story(&ensemble(&THREE), "c14", "zookeeper-controller");
}

#[test]
fn c14_a_stale_controller_is_refused() {
    assert_story(&ensemble(&THREE), "c14", "zookeeper-fencing");
}

#[test]
fn c15_the_same_crash_is_counted_in_both_ways() {
    let binding = bind(&ensemble(&THREE)).expect("binds");
    let judged = built_in(&binding, "zookeeper-or-kraft", &RunOptions::default());
    common::assert_passed(&judged);
    common::assert_golden(
        "c15-zookeeper-or-kraft",
        &common::story(&judged.outcome.trace),
    );
    let said = judged.outcome.trace.events.iter().filter_map(|event| match &event.what {
        What::Say { text, .. } => Some(numbers(text)),
        _ => None,
    });
    let said: Vec<Vec<u64>> = said.filter(|numbers| numbers.len() == 7).collect();
    let [few, some, many] = &said[..] else { panic!("three counts, not {said:?}") };
    // Partitions, then messages and tenths of seconds of either side.
    assert_eq!([few[0], some[0], many[0]], [3, 30, 300]);
    assert!(many[1] > 270 + some[1] && some[1] > 27 + few[1], "{said:?}");
    assert!(many[4] < many[1] / 10, "KRaft has the metadata already: {said:?}");
}

/// The whole numbers in a text, in order.
fn numbers(text: &str) -> Vec<u64> {
    let words = text.split(|c: char| !c.is_ascii_digit());
    words.filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn five_brokers_of_any_name_play_it_too() {
    let cities =
        ["broker-oslo", "broker-bern", "broker-lima", "broker-kyiv", "broker-rome"];
    let binding = bind(&ensemble(&cities)).expect("binds");
    for id in ["zookeeper-controller", "zookeeper-fencing"] {
        common::assert_passed(&built_in(&binding, id, &RunOptions::default()));
    }
}

#[test]
fn a_topology_without_zookeeper_is_told_what_it_lacks() {
    let (topology, _) = production::builder().build().expect("no mistakes");
    let binding = bind(&topology).expect("binds");
    for id in ["zookeeper-controller", "zookeeper-fencing", "zookeeper-or-kraft"] {
        let story = topomotion_sim::builtin(&binding, id).expect("a built-in scenario");
        let lack = story.fit.expect_err("does not fit");
        assert_eq!(lack, "It needs a ZooKeeper ensemble: `role: 'zookeeper'`.");
    }
}

#[test]
fn the_ensemble_rests_where_a_story_is_not_about_it() {
    let binding = bind(&ensemble(&THREE)).expect("binds");
    let told = "take part in the stories about ZooKeeper alone, as a ZooKeeper ensemble.";
    assert!(binding.explain().iter().any(|sentence| sentence.ends_with(told)));
    let judged = built_in(&binding, "leader-election", &RunOptions::default());
    common::assert_passed(&judged);
    let names_one = judged.outcome.trace.events.iter().any(|event| match &event.what {
        What::Sent(packet) => packet.to.starts_with("zookeeper"),
        _ => false,
    });
    assert!(!names_one, "nobody speaks to it");
}
