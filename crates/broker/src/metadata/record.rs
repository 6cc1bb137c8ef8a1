//! The records of the metadata log that this engine writes (RAFT-12).
//!
//! A record says what changed; [`MetadataImage`](super::MetadataImage) says what is. Kafka
//! has more kinds; those are skipped when read.

use std::sync::Arc;

use topomotion_wire::{
    BrokerEpoch, Endpoint, Incarnation, LeaderEpoch, NodeId, PartitionEpoch, TopicId,
};

/// One record of the metadata log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MetadataRecord {
    /// `RegisterBrokerRecord` (0): a broker has a new incarnation.
    RegisterBroker(RegisterBroker),
    /// `TopicRecord` (2): a topic exists.
    Topic(NewTopic),
    /// `PartitionRecord` (3): a partition exists.
    Partition(NewPartition),
    /// `ConfigRecord` (4): a topic's setting.
    Config(TopicConfig),
    /// `PartitionChangeRecord` (5): a partition's registration changes.
    PartitionChange(PartitionChange),
    /// `FeatureLevelRecord` (12): the cluster's feature level; the first record of all.
    FeatureLevel {
        /// Feature, such as `metadata.version`.
        name: Arc<str>,
        /// Level.
        level: i16,
    },
    /// `BrokerRegistrationChangeRecord` (17): a broker is fenced or unfenced.
    BrokerChange(BrokerChange),
    /// `NoOpRecord` (20).
    NoOp,
    /// A kind that this engine does not act on.
    Unknown {
        /// Its API key.
        kind: u32,
    },
}

/// A broker's registration, as it asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegisterBroker {
    /// Which broker.
    pub broker: NodeId,
    /// Its process.
    pub incarnation: Incarnation,
    /// The offset of this very record (CTL-10).
    pub epoch: BrokerEpoch,
    /// Where it listens.
    pub endpoint: Endpoint,
    /// Its rack.
    pub rack: Option<Arc<str>>,
}

/// A topic's name and id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewTopic {
    /// Name.
    pub name: Arc<str>,
    /// Id.
    pub id: TopicId,
}

/// A partition's first registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPartition {
    /// Of which topic.
    pub topic_id: TopicId,
    /// Which one.
    pub partition: i32,
    /// Assigned replicas in order of preference.
    pub replicas: Vec<NodeId>,
    /// In-sync replicas.
    pub isr: Vec<NodeId>,
    /// The leader.
    pub leader: Option<NodeId>,
    /// First leader epoch.
    pub leader_epoch: LeaderEpoch,
    /// First partition epoch.
    pub partition_epoch: PartitionEpoch,
}

/// What becomes of a partition's leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaderChange {
    /// Nothing; the leader epoch stays.
    Keep,
    /// It is set (even to the same one): the leader epoch rises by one (CTL-2).
    Set(NodeId),
    /// Nobody leads; the leader epoch rises by one.
    Clear,
}

/// A change of a partition's registration. Raises the partition epoch by one (CTL-2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionChange {
    /// Of which topic.
    pub topic_id: TopicId,
    /// Which partition.
    pub partition: i32,
    /// The new ISR, if it changes.
    pub isr: Option<Vec<NodeId>>,
    /// What becomes of the leader.
    pub leader: LeaderChange,
}

/// What becomes of a broker's fence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FencingChange {
    /// Nothing.
    Keep,
    /// It goes up.
    Fence,
    /// It comes down.
    Unfence,
}

/// A change of a broker's registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerChange {
    /// Which broker.
    pub broker: NodeId,
    /// Under which registration.
    pub epoch: BrokerEpoch,
    /// What becomes of its fence.
    pub fencing: FencingChange,
}

/// One setting of one topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicConfig {
    /// The topic's name.
    pub topic: Arc<str>,
    /// Kafka's name of the setting.
    pub name: Arc<str>,
    /// Its value; none removes it.
    pub value: Option<Arc<str>>,
}
