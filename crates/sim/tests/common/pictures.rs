//! Small clusters that stories play on, beside the production picture.

use topomotion_model::builder::{
    EdgeConfig, GroupConfig, ProcessConfig, TopologyBuilder,
};
use topomotion_model::{Cluster, KafkaSettings, ProcessRole, Shape, Topic, Topology};

/// One controller, these brokers, each with its rack, a writer and a reader of one topic.
pub fn picture(brokers: &[(&str, Option<&str>)], topic: Topic) -> Topology {
    drawn(&["controller"], brokers, topic)
}

/// Where there are no controllers, the brokers vote.
pub fn drawn(
    controllers: &[&str],
    brokers: &[(&str, Option<&str>)],
    topic: Topic,
) -> Topology {
    let mut builder = TopologyBuilder::default();
    let group = builder.create_group(GroupConfig::new("cluster"));
    for id in controllers {
        builder.group(group).add_process(ProcessConfig::new(*id));
    }
    for (id, rack) in brokers {
        let rack = rack.map(str::to_owned);
        let kafka = KafkaSettings { rack, ..KafkaSettings::default() };
        let role = Some(ProcessRole::Broker);
        let config = ProcessConfig { role, kafka, ..ProcessConfig::new(*id) };
        builder.group(group).add_process(config);
    }
    for (id, label) in [("writer", "produce acks=all"), ("reader", "fetch")] {
        builder.create_process(ProcessConfig::new(id));
        builder.connect(EdgeConfig {
            protocol: Some("kafka".to_owned()),
            label: Some(label.to_owned()),
            ..EdgeConfig::new(id, brokers[0].0)
        });
    }
    builder.kafka(Cluster { topics: vec![topic], ..Cluster::default() });
    builder.build().expect("the script has no mistakes").0
}

pub fn topic(name: &str, partitions: u32, copies: u32) -> Topic {
    Topic {
        name: name.to_owned(),
        partitions: Some(partitions),
        replication_factor: Some(copies),
        ..Topic::default()
    }
}

/// So many brokers, and one partition on so many of them.
pub fn small(brokers: usize, copies: u32) -> Topology {
    let ids: Vec<String> = (1..=brokers).map(|it| format!("broker-{it}")).collect();
    let brokers: Vec<(&str, Option<&str>)> =
        ids.iter().map(|id| (id.as_str(), None)).collect();
    picture(&brokers, topic("orders", 1, copies))
}

/// Brokers that bear the names of cities, on three racks.
pub fn cities() -> Topology {
    let brokers = [
        ("oslo", Some("north")),
        ("bergen", Some("north")),
        ("vienna", Some("middle")),
        ("porto", Some("south")),
        ("seville", Some("south")),
    ];
    picture(&brokers, topic("parcels", 2, 3))
}

/// A database, two workers of Connect, and a search index, beside a producer and a reader.
pub fn pipeline() -> Topology {
    let mut builder = TopologyBuilder::default();
    for id in ["controller", "broker-1", "broker-2", "broker-3"] {
        builder.create_process(ProcessConfig::new(id));
    }
    let group = builder.create_group(GroupConfig {
        label: Some("Kafka Connect".to_owned()),
        ..GroupConfig::new("connect")
    });
    for id in ["connect-1", "connect-2"] {
        builder.group(group).add_process(ProcessConfig {
            role: Some(ProcessRole::Connect),
            ..ProcessConfig::new(id)
        });
    }
    for id in ["postgres", "search", "order-producer", "order-reader"] {
        let shape = if id == "postgres" { Shape::Cylinder } else { Shape::Default };
        builder.create_process(ProcessConfig { shape, ..ProcessConfig::new(id) });
    }
    for (source, target, protocol) in [
        ("connect-1", "postgres", "postgresql"),
        ("connect-2", "postgres", "postgresql"),
        ("connect-1", "broker-1", "kafka"),
        ("connect-2", "broker-2", "kafka"),
        ("connect-1", "search", "http"),
        ("connect-2", "search", "http"),
        ("order-producer", "broker-1", "kafka"),
        ("order-reader", "broker-1", "kafka"),
    ] {
        builder.connect(EdgeConfig {
            protocol: Some(protocol.to_owned()),
            ..EdgeConfig::new(source, target)
        });
    }
    builder.build().expect("the script has no mistakes").0
}

/// Three brokers, a writer, and so many readers in one group.
pub fn crowd(readers: usize, topic: Topic) -> Topology {
    let mut builder = TopologyBuilder::default();
    for id in ["controller", "broker-1", "broker-2", "broker-3"] {
        builder.create_process(ProcessConfig::new(id));
    }
    let label = Some("Consumer group: mail".to_owned());
    let group = builder.create_group(GroupConfig { label, ..GroupConfig::new("mails") });
    let ids = (1..=readers).map(|number| format!("mail-consumer-{number}"));
    let ids: Vec<String> = ids.collect();
    for id in &ids {
        builder.group(group).add_process(ProcessConfig::new(id.as_str()));
    }
    builder.create_process(ProcessConfig::new("order-producer"));
    for id in ids.iter().map(String::as_str).chain(["order-producer"]) {
        let protocol = Some("kafka".to_owned());
        builder.connect(EdgeConfig { protocol, ..EdgeConfig::new(id, "broker-1") });
    }
    builder.kafka(Cluster { topics: vec![topic], ..Cluster::default() });
    builder.build().expect("the script has no mistakes").0
}
