//! The cluster that a topology was bound to, as plain data.
//!
//! It holds everything a run needs to know about the cluster and nothing about the picture:
//! processes are named by their ids, and every choice that the binding made is spelled out.
//! A run file carries one of these, so that a run can be repeated without its script.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use topomotion_model::{Acks, ProcessId};

/// Everything that runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ClusterPlan {
    /// Brokers and controllers, in the topology's order.
    pub nodes: Vec<NodePlan>,
    /// Topics to create before the story starts.
    pub topics: Vec<TopicPlan>,
    /// Producers, in the topology's order.
    pub producers: Vec<ProducerPlan>,
    /// Consumers, in the topology's order.
    pub consumers: Vec<ConsumerPlan>,
    /// The processes around Kafka, in the topology's order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actors: Vec<ActorPlan>,
    /// The ensemble of a run as in ZooKeeper's days; without one, KRaft is played.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub zookeeper: Vec<ZooKeeperPlan>,
    /// Settings of every node, under Kafka's own names.
    #[serde(default)]
    pub settings: BTreeMap<String, String>,
    /// Seed of everything random, unless the run asks for another.
    #[serde(default)]
    pub seed: u64,
}

/// What a node does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeRole {
    /// Holds partitions.
    Broker,
    /// Votes.
    Controller,
    /// Both.
    Combined,
}

/// One broker or controller.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodePlan {
    /// Which process of the topology.
    pub process: ProcessId,
    /// Kafka's `node.id`.
    pub id: i32,
    /// Kafka's `process.roles`.
    pub role: NodeRole,
    /// Kafka's `broker.rack`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rack: Option<String>,
    /// Settings of this node alone, under Kafka's own names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

/// One of the processes around Kafka.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ActorPlan {
    /// Which process of the topology.
    pub process: ProcessId,
    /// What it is.
    pub kind: ActorKind,
    /// Its settings, under its own names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

/// What a process around Kafka is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ActorKind {
    /// Keeps schemas in a topic.
    SchemaRegistry {
        /// The broker that it asks first.
        bootstrap: ProcessId,
        /// The replicas of its topic by node id, preferred leader first.
        replicas: Vec<i32>,
    },
    /// Answers calls over HTTP.
    Service {
        /// Whom it calls for each call, one after the other.
        calls: Vec<ProcessId>,
    },
    /// Runs connectors, with the other workers.
    Connect {
        /// The broker that it asks first.
        bootstrap: ProcessId,
        /// Whose changes its source connector follows.
        database: Option<ProcessId>,
        /// Where its sink connector writes.
        store: Option<ProcessId>,
    },
    /// Keeps rows, and sends every change to who follows its log.
    Database,
    /// Keeps documents.
    Store,
}

/// One ZooKeeper server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZooKeeperPlan {
    /// Which process of the topology.
    pub process: ProcessId,
    /// `myid`.
    pub id: i32,
    /// The brokers that ask it first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub brokers: Vec<ProcessId>,
}

/// One topic.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopicPlan {
    /// Its name.
    pub name: String,
    /// Each partition's replicas by node id, preferred leader first.
    pub assignment: Vec<Vec<i32>>,
    /// Its settings, under Kafka's own names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

/// One producer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProducerPlan {
    /// Which process of the topology.
    pub process: ProcessId,
    /// The broker it asks first.
    pub bootstrap: ProcessId,
    /// What it asks for.
    pub acks: Acks,
    /// The topic it sends to when a step names none.
    pub topic: String,
    /// Its settings, under Kafka's own names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

/// One consumer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConsumerPlan {
    /// Which process of the topology.
    pub process: ProcessId,
    /// The broker it asks first.
    pub bootstrap: ProcessId,
    /// Its group.
    pub group: String,
    /// The topics that it subscribes to; those of its assignment if none are named.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subscription: Vec<String>,
    /// What it reads where it is assigned by hand: topic and partition.
    pub assignment: Vec<(String, i32)>,
    /// Its settings, under Kafka's own names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub settings: BTreeMap<String, String>,
}

/// Kafka's setting that names who votes in the metadata quorum at first: processes, node
/// ids, or Kafka's own `id@host:port`, with commas between them.
pub(crate) const FIRST_VOTERS: &str = "controller.quorum.voters";

/// The setting that makes a run one of ZooKeeper's days.
pub(crate) const ZOOKEEPER_CONNECT: &str = "zookeeper.connect";
/// How long a broker may be silent there, in milliseconds.
pub(crate) const ZOOKEEPER_SESSION: &str = "zookeeper.session.timeout.ms";

/// How a consumer comes by its partitions: `assign`, or `subscribe` as Kafka's groups do.
pub(crate) const MEMBERSHIP: &str = "membership";

/// How a consumer comes by its partitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Membership {
    /// By hand: those of its plan, and no coordinator knows of it.
    Assigned,
    /// Its group's coordinator sees to it.
    Subscribed,
}

impl ProducerPlan {
    /// Its `transactional.id`, if it has one.
    pub fn transactional_id(&self) -> Option<&str> {
        let id = self.settings.get("transactional.id").map(String::as_str);
        id.filter(|id| !id.is_empty())
    }

    /// Whether it has a `transactional.id`.
    pub fn is_transactional(&self) -> bool {
        self.transactional_id().is_some()
    }
}

impl ConsumerPlan {
    /// How it comes by its partitions.
    pub fn membership(&self) -> Membership {
        match self.settings.get(MEMBERSHIP).map(String::as_str) {
            Some("subscribe") => Membership::Subscribed,
            Some(_) | None => Membership::Assigned,
        }
    }

    /// The topics that it reads, in order.
    pub fn topics(&self) -> Vec<&str> {
        if !self.subscription.is_empty() {
            return self.subscription.iter().map(String::as_str).collect();
        }
        let mut topics: Vec<&str> =
            self.assignment.iter().map(|(topic, _)| topic.as_str()).collect();
        topics.dedup();
        topics
    }
}

fn entries(named: &str) -> impl Iterator<Item = &str> {
    named.split(',').map(str::trim)
}

impl NodePlan {
    /// Whether an entry of `controller.quorum.voters` stands for this node.
    fn is_meant_by(&self, entry: &str) -> bool {
        let id = entry.split_once('@').map_or(entry, |(id, _)| id);
        entry == self.process.as_str() || id.parse() == Ok(self.id)
    }
}

impl ClusterPlan {
    /// The node that this process is.
    pub fn node(&self, process: &ProcessId) -> Option<&NodePlan> {
        self.nodes.iter().find(|node| node.process == *process)
    }

    /// The process that has this node id.
    pub fn process_of(&self, id: i32) -> Option<&ProcessId> {
        self.nodes.iter().find(|node| node.id == id).map(|node| &node.process)
    }

    /// The nodes that hold partitions.
    pub fn brokers(&self) -> impl Iterator<Item = &NodePlan> {
        self.nodes.iter().filter(|node| node.role != NodeRole::Controller)
    }

    /// The nodes that vote from the start: those that the setting
    /// `controller.quorum.voters` names, or every node that can vote. The others begin as
    /// observers.
    pub fn voters(&self) -> impl Iterator<Item = &NodePlan> {
        let named = self.settings.get(FIRST_VOTERS);
        self.controllers().filter(move |node| {
            named.is_none_or(|named| entries(named).any(|entry| node.is_meant_by(entry)))
        })
    }

    /// Names among `controller.quorum.voters` that no controller has.
    pub(crate) fn unknown_voters(&self) -> Vec<&str> {
        let named =
            self.settings.get(FIRST_VOTERS).into_iter().flat_map(|it| entries(it));
        named
            .filter(|entry| !self.controllers().any(|it| it.is_meant_by(entry)))
            .collect()
    }

    /// The nodes that can vote.
    pub fn controllers(&self) -> impl Iterator<Item = &NodePlan> {
        self.nodes.iter().filter(|node| node.role != NodeRole::Broker)
    }

    /// The topic of this name.
    pub fn topic(&self, name: &str) -> Option<&TopicPlan> {
        self.topics.iter().find(|topic| topic.name == name)
    }

    /// Whether brokers depend on ZooKeeper in this run.
    pub fn has_zookeeper(&self) -> bool {
        !self.zookeeper.is_empty()
    }

    /// Whether this process runs on the engine at all.
    pub fn runs(&self, process: &ProcessId) -> bool {
        self.node(process).is_some()
            || self.producers.iter().any(|producer| producer.process == *process)
            || self.consumers.iter().any(|consumer| consumer.process == *process)
            || self.actors.iter().any(|actor| actor.process == *process)
            || self.zookeeper.iter().any(|server| server.process == *process)
    }
}
