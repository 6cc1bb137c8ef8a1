//! Whatever built-in scenario fits a cluster plays there as it should, also where nobody had that
//! cluster in mind.

#[allow(dead_code)]
mod common;

use common::built_in;
use topomotion_model::builder::{EdgeConfig, ProcessConfig, TopologyBuilder};
use topomotion_model::{Cluster, KafkaSettings, ProcessRole, Topic, Topology};
use topomotion_sim::{RunOptions, bind, builtins};

/// A cluster and its clients.
struct Shape {
    brokers: usize,
    controllers: usize,
    /// Groups, each with so many members.
    groups: &'static [(&'static str, usize)],
    partitions: u32,
    replicas: u32,
}

fn client(role: ProcessRole, id: String, group: Option<&str>) -> ProcessConfig {
    let kafka = KafkaSettings {
        topics: vec!["orders".to_owned()],
        group_id: group.map(str::to_owned),
        ..KafkaSettings::default()
    };
    ProcessConfig { role: Some(role), kafka, ..ProcessConfig::new(id) }
}

fn topology(shape: &Shape) -> Topology {
    let mut builder = TopologyBuilder::default();
    for number in 1..=shape.brokers {
        let rack = Some(format!("rack-{}", number % 3));
        let kafka = KafkaSettings { rack, ..KafkaSettings::default() };
        let id = format!("kafka-{number}");
        let role = Some(ProcessRole::Broker);
        builder.create_process(ProcessConfig { role, kafka, ..ProcessConfig::new(id) });
    }
    for number in 1..=shape.controllers {
        let id = format!("vote-{number}");
        let role = Some(ProcessRole::Controller);
        builder.create_process(ProcessConfig { role, ..ProcessConfig::new(id) });
    }
    let mut clients = vec![client(ProcessRole::Producer, "shop".to_owned(), None)];
    for (group, members) in shape.groups {
        clients.extend((1..=*members).map(|number| {
            client(ProcessRole::Consumer, format!("{group}-{number}"), Some(group))
        }));
    }
    for client in clients {
        let protocol = Some("kafka".to_owned());
        builder.connect(EdgeConfig {
            protocol,
            ..EdgeConfig::new(client.id.clone(), "kafka-1")
        });
        builder.create_process(client);
    }
    let topic = Topic {
        name: "orders".to_owned(),
        partitions: Some(shape.partitions),
        replication_factor: Some(shape.replicas),
        ..Topic::default()
    };
    builder.kafka(Cluster { topics: vec![topic], ..Cluster::default() });
    builder.build().expect("no mistakes").0
}

/// Plays whatever fits; says how much that was.
fn everything_holds(shape: &Shape) -> usize {
    let topology = topology(shape);
    let binding = bind(&topology).expect("binds");
    let fitting = builtins(&binding).into_iter().filter(|one| one.fit.is_ok());
    let mut failed = Vec::new();
    let mut count = 0;
    for one in fitting {
        count += 1;
        let judged = built_in(&binding, &one.id.to_string(), &RunOptions::default());
        if !judged.passed() {
            failed.push(one.id.to_string());
        }
    }
    assert!(failed.is_empty(), "{failed:?}");
    count
}

#[test]
fn on_a_single_broker_with_two_readers() {
    let groups = &[("readers", 2)];
    let shape = Shape { brokers: 1, controllers: 0, groups, partitions: 2, replicas: 1 };
    assert!(everything_holds(&shape) > 60);
}

#[test]
fn on_three_brokers_with_a_group_of_three() {
    let groups = &[("workers", 3)];
    let shape = Shape { brokers: 3, controllers: 1, groups, partitions: 4, replicas: 3 };
    assert!(everything_holds(&shape) > 100);
}

#[test]
fn on_five_brokers_with_five_votes_and_two_groups() {
    let groups = &[("fraud", 1), ("ledger", 4)];
    let shape = Shape { brokers: 5, controllers: 5, groups, partitions: 7, replicas: 3 };
    assert!(everything_holds(&shape) > 120);
}
