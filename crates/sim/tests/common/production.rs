//! The production picture: one controller, three brokers, three producers, two groups.

use topomotion_model::builder::{
    EdgeConfig, GroupConfig, ProcessConfig, ScenarioBuilder, TopologyBuilder,
};
use topomotion_model::{Cluster, Diagnostic, ShardRole, Topic, Topology};

const GROUPS: [(&str, &str, &[&str]); 6] = [
    ("controller", "KRaft Controller", &["controller"]),
    ("brokers", "Kafka Cluster (3 Brokers)", &["broker-1", "broker-2", "broker-3"]),
    ("schema", "Schema Registry", &["schema-registry"]),
    ("producers", "Producers", &["order-producer", "event-producer", "cdc-producer"]),
    ("flink-cg", "Consumer Group: flink-stream", &["flink-1", "flink-2"]),
    ("spark-cg", "Consumer Group: spark-batch", &["spark"]),
];

const LABELS: [(&str, &str); 11] = [
    ("controller", "KRaft Controller"),
    ("broker-1", "Broker 1 (Leader p0,p1)"),
    ("broker-2", "Broker 2 (Leader p2)"),
    ("broker-3", "Broker 3 (Follower)"),
    ("schema-registry", "Schema Registry"),
    ("order-producer", "Order Service"),
    ("event-producer", "Analytics SDK"),
    ("cdc-producer", "Debezium (CDC)"),
    ("flink-1", "Flink TaskManager 1"),
    ("flink-2", "Flink TaskManager 2"),
    ("spark", "Spark Executor"),
];

const EDGES: [(&str, &str, &str, &str); 12] = [
    ("controller", "broker-1", "tcp", "metadata"),
    ("controller", "broker-2", "tcp", "metadata"),
    ("controller", "broker-3", "tcp", "metadata"),
    ("broker-2", "broker-1", "tcp", "replicate"),
    ("broker-3", "broker-1", "tcp", "replicate"),
    ("order-producer", "broker-1", "kafka", "produce acks=all"),
    ("event-producer", "broker-2", "kafka", "produce acks=1"),
    ("cdc-producer", "broker-1", "kafka", "produce acks=all"),
    ("order-producer", "schema-registry", "http", "validate schema"),
    ("flink-1", "broker-1", "kafka", "fetch p0"),
    ("flink-2", "broker-2", "kafka", "fetch p2"),
    ("spark", "broker-1", "kafka", "batch fetch"),
];

/// The builder with everything in it but a cluster and scenarios.
pub fn builder() -> TopologyBuilder {
    let mut builder = TopologyBuilder::default();
    for (id, label, members) in GROUPS {
        let label = Some(label.to_owned());
        let group = builder.create_group(GroupConfig { label, ..GroupConfig::new(id) });
        for member in members {
            builder.group(group).add_process(process(member));
        }
    }
    for (source, target, protocol, label) in EDGES {
        builder.connect(EdgeConfig {
            protocol: Some(protocol.to_owned()),
            label: Some(label.to_owned()),
            ..EdgeConfig::new(source, target)
        });
    }
    builder
}

/// The builder with two more controllers.
#[allow(dead_code)]
pub fn three_voters() -> TopologyBuilder {
    let mut builder = builder();
    let group = builder.create_group(GroupConfig::new("more-controllers"));
    for id in ["controller-2", "controller-3"] {
        builder.group(group).add_process(ProcessConfig::new(id));
    }
    builder
}

/// Three controllers, so many brokers, a producer and a reader of `orders`: two partitions
/// on up to three replicas each. `least` is its `min.insync.replicas`.
#[allow(dead_code)]
pub fn quorum_of_three(brokers: u32, least: u32) -> Topology {
    let mut builder = TopologyBuilder::default();
    for (group, role, count) in
        [("control", "controller", 3), ("kafka", "broker", brokers)]
    {
        let group = builder.create_group(GroupConfig::new(group));
        for number in 1..=count {
            let id = format!("{role}-{number}");
            builder.group(group).add_process(ProcessConfig::new(id));
        }
    }
    for id in ["order-producer", "order-reader"] {
        builder.create_process(ProcessConfig::new(id));
    }
    for (client, label) in
        [("order-producer", "produce acks=all"), ("order-reader", "fetch")]
    {
        builder.connect(EdgeConfig {
            protocol: Some("kafka".to_owned()),
            label: Some(label.to_owned()),
            ..EdgeConfig::new(client, "broker-1")
        });
    }
    let topic = Topic {
        name: "orders".to_owned(),
        partitions: Some(2),
        replication_factor: Some(brokers.min(3)),
        min_insync_replicas: Some(least),
        ..Topic::default()
    };
    builder.kafka(Cluster { topics: vec![topic], ..Cluster::default() });
    builder.build().expect("the script has no mistakes").0
}

fn process(id: &str) -> ProcessConfig {
    let label = LABELS.iter().find(|(known, _)| *known == id).map(|(_, label)| *label);
    let (shards, role) = match id {
        "broker-1" => (Some("p0,p1"), Some(ShardRole::Primary)),
        "broker-2" => (Some("p2"), Some(ShardRole::Primary)),
        "broker-3" => (None, Some(ShardRole::Replica)),
        _ => (None, None),
    };
    ProcessConfig {
        label: label.map(str::to_owned),
        shard_id: shards.map(str::to_owned),
        shard_role: role,
        ..ProcessConfig::new(id)
    }
}

/// The topology as it stands.
#[allow(dead_code)]
pub fn topology() -> Topology {
    builder().build().expect("the script has no mistakes").0
}

/// The topology with a cluster and one scenario.
#[allow(dead_code)]
pub fn with(
    cluster: Option<Cluster>,
    scenario: ScenarioBuilder,
) -> Result<Topology, Vec<Diagnostic>> {
    let mut builder = builder();
    if let Some(cluster) = cluster {
        builder.kafka(cluster);
    }
    builder.scenario(scenario);
    builder.build().map(|(topology, _)| topology)
}
