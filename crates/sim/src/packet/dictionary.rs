//! Names for the numbers that travel: node ids and topic ids.

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka_protocol::messages::{ResponseKind, TopicName};
use topomotion_wire::{Acks, Message, NodeId, TopicPartition};
use uuid::Uuid;

/// The metadata log's own topic id, fixed by Kafka.
pub(crate) const METADATA_TOPIC: Uuid = Uuid::from_u128(1);

/// What is known of names. Topic names are learned from the messages themselves.
#[derive(Debug, Clone)]
pub(crate) struct Dictionary {
    nodes: BTreeMap<i32, Arc<str>>,
    topics: BTreeMap<Uuid, String>,
    partitions: BTreeMap<TopicPartition, Arc<str>>,
    /// What can be asked of a produce, as its setting is written.
    acks: [Arc<str>; 3],
}

impl Dictionary {
    pub fn new(nodes: BTreeMap<i32, Arc<str>>) -> Dictionary {
        let topics = BTreeMap::from([(METADATA_TOPIC, "__cluster_metadata".to_owned())]);
        let acks = ["0", "1", "all"].map(Arc::from);
        Dictionary { nodes, topics, partitions: BTreeMap::new(), acks }
    }

    /// A node that was not known before.
    pub fn know(&mut self, id: i32, name: Arc<str>) {
        self.nodes.insert(id, name);
    }

    /// The process with this node id.
    pub fn node(&self, id: NodeId) -> Arc<str> {
        match self.nodes.get(&id.0) {
            Some(name) => name.clone(),
            None => format!("node-{id}").into(),
        }
    }

    /// What was asked of a produce: `all`.
    pub fn acks(&self, acks: Acks) -> Arc<str> {
        let [none, leader, all] = &self.acks;
        match acks {
            Acks::None => none.clone(),
            Acks::Leader => leader.clone(),
            Acks::All => all.clone(),
        }
    }

    /// A partition's name as Kafka writes it: `orders-0`.
    pub fn partition(&mut self, partition: &TopicPartition) -> Arc<str> {
        if let Some(name) = self.partitions.get(partition) {
            return name.clone();
        }
        let name: Arc<str> = partition.to_string().into();
        self.partitions.insert(partition.clone(), name.clone());
        name
    }

    /// The process with this node id, where a negative one stands for nobody.
    pub fn leader(&self, id: i32) -> Option<Arc<str>> {
        (id >= 0).then(|| self.node(NodeId(id)))
    }

    /// Several processes, by name: `broker-1, broker-2`.
    pub fn nodes(&self, ids: impl IntoIterator<Item = i32>) -> String {
        let names: Vec<Arc<str>> =
            ids.into_iter().map(|id| self.node(NodeId(id))).collect();
        names.join(", ")
    }

    /// A topic that a message names or numbers.
    pub fn topic(&self, name: &TopicName, id: Uuid) -> String {
        if !name.0.is_empty() {
            return name.0.to_string();
        }
        match self.topics.get(&id) {
            Some(name) => name.clone(),
            None => id.to_string().chars().take(8).collect(),
        }
    }

    /// Learns from messages that carry both a topic's name and its id.
    pub fn learn(&mut self, message: &Message) {
        let Message::Response(response) = message else { return };
        match &response.body {
            ResponseKind::Metadata(metadata) => {
                for topic in &metadata.topics {
                    if let Some(name) = &topic.name {
                        self.learn_topic(topic.topic_id, name);
                    }
                }
            }
            ResponseKind::CreateTopics(created) => {
                for topic in &created.topics {
                    self.learn_topic(topic.topic_id, &topic.name);
                }
            }
            _ => {}
        }
    }

    fn learn_topic(&mut self, id: Uuid, name: &TopicName) {
        if !id.is_nil() && !name.0.is_empty() {
            self.topics.entry(id).or_insert_with(|| name.0.to_string());
        }
    }
}
