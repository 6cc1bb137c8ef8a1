//! What a process is, told from what the script says about it.
//!
//! The script's own `role` decides; then the words of the id and the label; then who dials
//! whom with which label; then the words of the groups around it (those of Connect before the
//! labels). No word of Kafka, no guess:
//! a process that is dialled over Kafka's protocol is a broker only if it, or its group, bears
//! the name of one, or if it replicates with its neighbours.

use std::collections::{BTreeMap, BTreeSet};

use crate::labels::{CONSUMES, PRODUCES, REPLICATES, has_word};
use crate::{GroupId, Process, ProcessId, ProcessRole, Topology};

impl Topology {
    /// What a process is, as far as the script tells. For many processes, [`roles`] is faster.
    ///
    /// [`roles`]: Topology::roles
    pub fn role_of(&self, id: &ProcessId) -> Option<ProcessRole> {
        self.roles().get(id).copied()
    }

    /// What each process is, as far as the script tells.
    pub fn roles(&self) -> BTreeMap<&ProcessId, ProcessRole> {
        let others = self.brokers_of_others();
        let told: BTreeMap<&ProcessId, ProcessRole> = (self.processes.iter())
            .filter_map(|process| {
                let guess =
                    || told_role(process).filter(|role| !others.denies(process, *role));
                Some((&process.id, process.role.or_else(guess)?))
            })
            .collect();
        let by_group = self.roles_in_groups();
        let brokers = self.brokers_by_traffic(&told, &by_group);
        let told: BTreeMap<&ProcessId, ProcessRole> =
            (brokers.into_iter().map(|id| (id, ProcessRole::Broker)))
                .chain(told)
                .collect();
        let by_edges = self.roles_in_edges(&told);
        let roles = self.processes.iter().filter_map(|process| {
            let id = &process.id;
            let home = process.group.as_ref().and_then(|home| by_group.get(home));
            let home = home.filter(|role| !others.denies(process, **role));
            // A worker reads and writes, too: its labels say no more than its group does.
            let works = home.filter(|role| **role == ProcessRole::Connect);
            let role = told.get(id).or(works).or_else(|| by_edges.get(id)).or(home);
            role.map(|role| (id, *role))
        });
        roles.collect()
    }

    /// Who produces to brokers, who consumes from them, and who does both.
    fn roles_in_edges(
        &self,
        told: &BTreeMap<&ProcessId, ProcessRole>,
    ) -> BTreeMap<&ProcessId, ProcessRole> {
        let mut roles = BTreeMap::new();
        for edge in &self.edges {
            let (source, target) = (edge.source.process(), edge.target.process());
            let broker = target.and_then(|id| told.get(id));
            let (Some(source), Some(ProcessRole::Broker)) = (source, broker) else {
                continue;
            };
            let label = edge.label.as_deref().unwrap_or_default();
            let role = if has_word(label, PRODUCES) {
                ProcessRole::Producer
            } else if has_word(label, CONSUMES) {
                ProcessRole::Consumer
            } else {
                continue;
            };
            let known = roles.entry(source).or_insert(role);
            if *known != role {
                *known = ProcessRole::Streams;
            }
        }
        roles
    }

    /// Who is a broker though no word says so: who replicates over Kafka's protocol, who is
    /// dialled over it and bears Kafka's name or stands in a group that does, and the numbered
    /// siblings of both.
    fn brokers_by_traffic(
        &self,
        told: &BTreeMap<&ProcessId, ProcessRole>,
        by_group: &BTreeMap<&GroupId, ProcessRole>,
    ) -> BTreeSet<&ProcessId> {
        let untold: BTreeMap<&ProcessId, &Process> = (self.processes.iter())
            .filter(|it| !told.contains_key(&it.id))
            .filter(|it| {
                it.group.as_ref().is_none_or(|home| !by_group.contains_key(home))
            })
            .map(|it| (&it.id, it))
            .collect();
        let mut brokers = BTreeSet::new();
        for edge in self.edges.iter().filter(|edge| edge.speaks_kafka()) {
            let ends = [edge.source.process(), edge.target.process()];
            let label = edge.label.as_deref().unwrap_or_default();
            let replicates = has_word(label, REPLICATES);
            let bears_the_name = |id: &&ProcessId| {
                untold.get(*id).is_some_and(|process| self.is_named_kafka(process))
            };
            if replicates && ends.iter().flatten().all(|id| untold.contains_key(*id)) {
                brokers.extend(ends.into_iter().flatten());
            }
            brokers.extend(ends[1].filter(bears_the_name));
        }
        let families: BTreeSet<_> =
            brokers.iter().map(|id| family(untold[*id])).collect();
        let siblings = untold.values().filter(|it| is_numbered(it.id.as_str()));
        brokers.extend(
            siblings.filter(|it| families.contains(&family(it))).map(|it| &it.id),
        );
        brokers
    }

    /// Brokers, as their names and edges tell, but not Kafka's.
    fn brokers_of_others(&self) -> BrokersOfOthers<'_> {
        let foreign = self.edges.iter().filter(|edge| {
            edge.protocol.as_deref().is_some_and(|it| has_word(it, NOT_KAFKA))
        });
        BrokersOfOthers(foreign.filter_map(|edge| edge.target.process()).collect())
    }

    fn is_named_kafka(&self, process: &Process) -> bool {
        let home = process.group.as_ref();
        let home =
            home.and_then(|home| self.groups.iter().find(|group| group.id == *home));
        let own = [process.id.as_str(), &process.label];
        let around = home.into_iter().flat_map(|group| [group.id.as_str(), &group.label]);
        own.into_iter().chain(around).any(|text| has_word(text, KAFKA))
    }

    /// What a group says of the processes in it; a group that says nothing passes on what the
    /// group around it says. A parent comes before its children.
    fn roles_in_groups(&self) -> BTreeMap<&GroupId, ProcessRole> {
        let mut roles = BTreeMap::new();
        for group in &self.groups {
            let told =
                role_in_words(group.id.as_str()).or_else(|| role_in_words(&group.label));
            let around = || roles.get(group.parent.as_ref()?).copied();
            if let Some(role) = told.or_else(around) {
                roles.insert(&group.id, role);
            }
        }
        roles
    }
}

/// Who is dialled over a protocol of other brokers.
struct BrokersOfOthers<'a>(BTreeSet<&'a ProcessId>);

impl BrokersOfOthers<'_> {
    /// Whether this cannot be the role of a process that is called a broker: it is another
    /// product's.
    fn denies(&self, process: &Process, role: ProcessRole) -> bool {
        let is_named = |text: &str| has_word(text, NOT_KAFKA);
        role == ProcessRole::Broker
            && (self.0.contains(&process.id)
                || is_named(process.id.as_str())
                || is_named(&process.label))
    }
}

/// `msk-1` and `msk-2` of one group are of one family.
fn family(process: &Process) -> (Option<&GroupId>, &str) {
    let id = process.id.as_str();
    let base = id.trim_end_matches(|c: char| c.is_ascii_digit());
    (process.group.as_ref(), if is_numbered(id) { base } else { id })
}

fn is_numbered(id: &str) -> bool {
    id.ends_with(|c: char| c.is_ascii_digit())
}

/// What the process's id and label say.
fn told_role(process: &Process) -> Option<ProcessRole> {
    role_in_words(process.id.as_str()).or_else(|| role_in_words(&process.label))
}

const KAFKA: &[&str] = &["kafka", "msk", "redpanda"];

/// Products and protocols with brokers of their own.
const NOT_KAFKA: &[&str] = &[
    "mqtt",
    "mosquitto",
    "emqx",
    "hivemq",
    "amqp",
    "rabbitmq",
    "activemq",
    "artemis",
    "jms",
    "stomp",
    "nats",
    "pulsar",
    "solace",
    "celery",
];

/// The first that fits decides, so what is more telling stands first.
const WORDS: &[(&[&str], ProcessRole)] = &[
    (&["schema"], ProcessRole::SchemaRegistry),
    (&["zookeeper", "zk"], ProcessRole::Zookeeper),
    (&["connect", "debezium"], ProcessRole::Connect),
    (&["producer", "producers"], ProcessRole::Producer),
    (&["consumer", "consumers"], ProcessRole::Consumer),
    (&["streams"], ProcessRole::Streams),
    (&["controller", "controllers", "kraft"], ProcessRole::Controller),
    (&["broker", "brokers"], ProcessRole::Broker),
];

fn role_in_words(text: &str) -> Option<ProcessRole> {
    WORDS.iter().find(|(words, _)| has_word(text, words)).map(|(_, role)| *role)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::builder::{EdgeConfig, GroupConfig, ProcessConfig, TopologyBuilder};

    fn topology() -> Topology {
        let mut builder = TopologyBuilder::default();
        for id in ["broker-1", "shop", "flink", "order-producer", "schema-registry"] {
            builder.create_process(ProcessConfig::new(id));
        }
        let group = builder.create_group(GroupConfig {
            label: Some("Consumer Group: batch".to_owned()),
            ..GroupConfig::new("batch")
        });
        builder.group(group).add_process(ProcessConfig::new("spark"));
        for (id, label) in [("shop", "produce acks=all"), ("flink", "fetch p0")] {
            let label = Some(label.to_owned());
            builder.connect(EdgeConfig { label, ..EdgeConfig::new(id, "broker-1") });
        }
        builder.build().unwrap().0
    }

    #[test]
    fn words_edges_and_groups_tell_the_role() {
        let topology = topology();
        let role = |id: &str| topology.role_of(&id.into());
        assert_eq!(role("broker-1"), Some(ProcessRole::Broker));
        assert_eq!(role("order-producer"), Some(ProcessRole::Producer));
        assert_eq!(role("schema-registry"), Some(ProcessRole::SchemaRegistry));
        assert_eq!(role("shop"), Some(ProcessRole::Producer));
        assert_eq!(role("flink"), Some(ProcessRole::Consumer));
        assert_eq!(role("spark"), Some(ProcessRole::Consumer));
        assert_eq!(role("nobody"), None);
    }

    fn connected(edges: &[(&str, &str, &str)]) -> Topology {
        let mut builder = TopologyBuilder::default();
        let group = builder.create_group(GroupConfig {
            label: Some("Kafka (MSK)".to_owned()),
            ..GroupConfig::new("stream")
        });
        for id in ["node-1", "node-2", "ui"] {
            builder.group(group).add_process(ProcessConfig::new(id));
        }
        for id in ["shop", "billing", "x1", "x2"] {
            builder.create_process(ProcessConfig::new(id));
        }
        for (source, target, label) in edges {
            builder.connect(EdgeConfig {
                protocol: Some("kafka".to_owned()),
                label: Some((*label).to_owned()),
                ..EdgeConfig::new(*source, *target)
            });
        }
        builder.build().unwrap().0
    }

    #[test]
    fn a_broker_of_another_product_is_none_of_kafkas() {
        let mut builder = TopologyBuilder::default();
        let label = Some("MQTT broker".to_owned());
        builder.create_process(ProcessConfig { label, ..ProcessConfig::new("hub") });
        for id in ["rabbitmq-broker", "broker-x", "broker-1", "meter"] {
            builder.create_process(ProcessConfig::new(id));
        }
        let protocol = Some("amqp".to_owned());
        builder.connect(EdgeConfig { protocol, ..EdgeConfig::new("meter", "broker-x") });
        let topology = builder.build().unwrap().0;
        let role = |id: &str| topology.role_of(&id.into());
        assert_eq!([role("hub"), role("rabbitmq-broker"), role("broker-x")], [None; 3]);
        assert_eq!(role("broker-1"), Some(ProcessRole::Broker));
    }

    #[test]
    fn in_a_group_of_connect_a_label_makes_nobody_a_producer() {
        let mut builder = TopologyBuilder::default();
        let group = builder.create_group(GroupConfig {
            label: Some("Kafka Connect".to_owned()),
            ..GroupConfig::new("workers")
        });
        builder.group(group).add_process(ProcessConfig::new("source"));
        for id in ["broker-1", "debezium"] {
            builder.create_process(ProcessConfig::new(id));
        }
        for id in ["source", "debezium"] {
            let label = Some("produce".to_owned());
            builder.connect(EdgeConfig { label, ..EdgeConfig::new(id, "broker-1") });
        }
        let topology = builder.build().unwrap().0;
        assert_eq!(topology.role_of(&"source".into()), Some(ProcessRole::Connect));
        assert_eq!(topology.role_of(&"debezium".into()), Some(ProcessRole::Connect));
    }

    #[test]
    fn who_is_dialled_over_kafka_in_a_group_of_that_name_is_a_broker_and_so_are_its_siblings()
     {
        let topology =
            connected(&[("shop", "node-1", "produce payments"), ("ui", "node-2", "")]);
        let role = |id: &str| topology.role_of(&id.into());
        assert_eq!(role("node-1"), Some(ProcessRole::Broker));
        assert_eq!(role("node-2"), Some(ProcessRole::Broker));
        assert_eq!(role("shop"), Some(ProcessRole::Producer));
        assert_eq!(role("ui"), None, "it dials, and is no sibling");
    }

    #[test]
    fn who_replicates_over_kafka_is_a_broker_whatever_it_is_called() {
        let topology = connected(&[("x2", "x1", "replicate p0")]);
        let role = |id: &str| topology.role_of(&id.into());
        assert_eq!(role("x1"), Some(ProcessRole::Broker));
        assert_eq!(role("x2"), Some(ProcessRole::Broker));
    }

    #[test]
    fn services_that_speak_over_a_kafka_that_is_not_drawn_are_no_brokers() {
        let topology = connected(&[("shop", "billing", "publish OrderPlaced")]);
        assert_eq!(topology.role_of(&"billing".into()), None);
        assert_eq!(topology.role_of(&"node-1".into()), None, "nobody dials it");
    }
}
