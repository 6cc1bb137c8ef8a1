//! Stories of family G, what stands around Kafka, each against its golden file.

#[allow(dead_code)]
mod common;

use common::{assert_passed, assert_story, condition, play, production, scenario};
use topomotion_model::builder::{EdgeConfig, ProcessConfig, TopologyBuilder};
use topomotion_model::{Cluster, KafkaSettings, ProcessRole, Topic, Topology};
use topomotion_sim::bind;

fn production() -> Topology {
    production::builder().build().expect("no mistakes").0
}

#[test]
fn g2_a_record_carries_the_id_of_its_schema() {
    assert_story(&production(), "g2", "schema-registry");
}

#[test]
fn g2_a_registry_comes_back_with_what_its_topic_says() {
    assert_story(&production(), "g2", "registry-restart");
}

#[test]
fn g3_a_breaking_change_is_refused() {
    assert_story(&production(), "g3", "breaking-change");
}

#[test]
fn g3_each_level_takes_other_changes() {
    assert_story(&production(), "g3", "compatibility-levels");
}

/// A shop that calls payment, which calls the bank; and a topic with a reader.
fn shop() -> Topology {
    let mut builder = TopologyBuilder::default();
    for id in ["controller", "broker-1", "broker-2", "broker-3"] {
        builder.create_process(ProcessConfig::new(id));
    }
    for (id, ms) in [("checkout", "20"), ("payment", "50"), ("bank", "100")] {
        let settings = [("work.ms".to_owned(), ms.to_owned())].into_iter().collect();
        builder.create_process(ProcessConfig {
            role: Some(ProcessRole::Service),
            kafka: KafkaSettings { settings, ..KafkaSettings::default() },
            ..ProcessConfig::new(id)
        });
    }
    for id in ["order-producer", "mail-consumer"] {
        builder.create_process(ProcessConfig::new(id));
    }
    for (source, target, protocol) in [
        ("order-producer", "checkout", "http"),
        ("checkout", "payment", "http"),
        ("payment", "bank", "http"),
        ("order-producer", "broker-1", "kafka"),
        ("mail-consumer", "broker-1", "kafka"),
    ] {
        builder.connect(EdgeConfig {
            protocol: Some(protocol.to_owned()),
            ..EdgeConfig::new(source, target)
        });
    }
    let topic = Topic {
        name: "orders".to_owned(),
        partitions: Some(1),
        replication_factor: Some(3),
        min_insync_replicas: Some(2),
        ..Topic::default()
    };
    builder.kafka(Cluster { topics: vec![topic], ..Cluster::default() });
    builder.build().expect("the script has no mistakes").0
}

#[test]
fn g10_a_chain_of_calls_fails_with_its_last_link_and_a_topic_waits() {
    assert_story(&shop(), "g10", "rest-chain");
}

#[test]
fn a_topology_without_them_is_told_what_it_lacks() {
    let binding = bind(&shop()).expect("binds");
    let lack = |id: &str| {
        let story = topomotion_sim::builtin(&binding, id).expect("a built-in scenario");
        story.fit.expect_err("does not fit")
    };
    let told = "It needs a schema registry: `role: 'schema-registry'`.";
    assert_eq!(lack("schema-registry"), told);
    let binding = bind(&production()).expect("binds");
    let story = topomotion_sim::builtin(&binding, "rest-chain").expect("is built in");
    let lack = story.fit.expect_err("does not fit");
    assert!(lack.starts_with("It needs services that call each other"), "{lack}");
}

#[test]
fn what_stands_around_kafka_is_explained() {
    let binding = bind(&shop()).expect("binds");
    let told = "`checkout` answers calls over HTTP, and calls `payment` for each.";
    assert!(binding.explain().iter().any(|sentence| sentence == told));
    let binding = bind(&production()).expect("binds");
    let start = "`schema-registry` keeps `_schemas` on `broker-1`";
    assert!(binding.explain().iter().any(|sentence| sentence.starts_with(start)));
}

#[test]
fn a_registry_whose_topic_has_no_leader_answers_that_it_took_too_long() {
    let register = "register orders-value Order(id: string)";
    let mut story = scenario("no-leader");
    story
        .pause("broker-1")
        .client("order-producer", register)
        .expect(condition("told(order-producer, HTTP_500)"));
    assert_passed(&play(None, story));
}
