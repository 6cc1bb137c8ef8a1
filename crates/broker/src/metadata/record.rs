//! The records of the metadata log that this engine writes (RAFT-12).
//!
//! A record says what changed; [`MetadataImage`](super::MetadataImage) says what is. Kafka
//! has more kinds; those are skipped when read.

use std::sync::Arc;

use topomotion_wire::{
    BrokerEpoch, BrokerLiveness, Endpoint, Incarnation, LeaderEpoch, LeaderRecovery,
    NodeId, PartitionEpoch, PartitionState, ProducerId, TopicId,
};
use uuid::Uuid;

use crate::acl::Acl;
use crate::scram::{ScramCredential, ScramMechanism};

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
    /// `RemoveTopicRecord` (9): a topic is gone, with its partitions and settings.
    RemoveTopic {
        /// Which one.
        id: TopicId,
    },
    /// `FeatureLevelRecord` (12): the cluster's feature level; the first record of all.
    FeatureLevel {
        /// Feature, such as `metadata.version`.
        name: Arc<str>,
        /// Level.
        level: i16,
    },
    /// `ProducerIdsRecord` (15): a broker took a block of producer ids (PRD-9).
    ProducerIds(ProducerIds),
    /// `BrokerRegistrationChangeRecord` (17): a broker is fenced or unfenced.
    BrokerChange(BrokerChange),
    /// `AccessControlEntryRecord` (18): somebody may, or may not, do something.
    Acl {
        /// The entry's id.
        id: Uuid,
        /// What it says.
        acl: Acl,
    },
    /// `RemoveAccessControlEntryRecord` (19).
    RemoveAcl {
        /// Which entry.
        id: Uuid,
    },
    /// `UserScramCredentialRecord` (11): how somebody can log in.
    Scram {
        /// Who.
        user: Arc<str>,
        /// By which mechanism.
        mechanism: ScramMechanism,
        /// What is known of the password.
        credential: ScramCredential,
    },
    /// `RemoveUserScramCredentialRecord` (22).
    RemoveScram {
        /// Whose.
        user: Arc<str>,
        /// For which mechanism.
        mechanism: ScramMechanism,
    },
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
    /// A registration starts fenced; in a snapshot it is what it has become since.
    pub liveness: BrokerLiveness,
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
    /// Eligible leader replicas (KIP-966), and the rest of what only a snapshot has.
    pub elr: Vec<NodeId>,
    /// The last leader of a partition without ISR and ELR.
    pub last_known_elr: Vec<NodeId>,
    /// Replicas being added.
    pub adding: Vec<NodeId>,
    /// Replicas being removed.
    pub removing: Vec<NodeId>,
    /// Whether the leader may have lost records.
    pub recovery: LeaderRecovery,
}

impl NewPartition {
    /// The record that makes a partition what `state` says.
    pub fn of(topic_id: TopicId, partition: i32, state: PartitionState) -> NewPartition {
        let PartitionState { replicas, isr, leader, leader_epoch, .. } = state;
        let PartitionState { partition_epoch, elr, last_known_elr, .. } = state;
        let PartitionState { adding, removing, recovery, .. } = state;
        NewPartition {
            topic_id,
            partition,
            replicas,
            isr,
            leader,
            leader_epoch,
            partition_epoch,
            elr,
            last_known_elr,
            adding,
            removing,
            recovery,
        }
    }

    /// What it says.
    pub fn into_state(self) -> PartitionState {
        PartitionState {
            replicas: self.replicas,
            isr: self.isr,
            elr: self.elr,
            last_known_elr: self.last_known_elr,
            adding: self.adding,
            removing: self.removing,
            recovery: self.recovery,
            leader: self.leader,
            leader_epoch: self.leader_epoch,
            partition_epoch: self.partition_epoch,
        }
    }
}

/// What becomes of a partition's leader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LeaderChange {
    /// Nothing; the leader epoch stays.
    #[default]
    Keep,
    /// It is set (even to the same one): the leader epoch rises by one (CTL-2).
    Set(NodeId),
    /// Nobody leads; the leader epoch rises by one.
    Clear,
}

/// A change of a partition's registration. Raises the partition epoch by one (CTL-2).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartitionChange {
    /// Of which topic.
    pub topic_id: TopicId,
    /// Which partition.
    pub partition: i32,
    /// The new ISR, if it changes.
    pub isr: Option<Vec<NodeId>>,
    /// What becomes of the leader.
    pub leader: LeaderChange,
    /// The new replicas, if they change.
    pub replicas: Option<Vec<NodeId>>,
    /// The replicas that go, if that changes.
    pub removing: Option<Vec<NodeId>>,
    /// The replicas that come, if that changes.
    pub adding: Option<Vec<NodeId>>,
    /// Whether the leader may have lost records, if that changes.
    pub recovery: Option<LeaderRecovery>,
    /// The new eligible leader replicas, if they change.
    pub elr: Option<Vec<NodeId>>,
    /// The new last known leader, if it changes.
    pub last_known_elr: Option<Vec<NodeId>>,
}

impl PartitionChange {
    /// Nothing yet.
    pub fn of(topic_id: TopicId, partition: i32) -> PartitionChange {
        PartitionChange { topic_id, partition, ..PartitionChange::default() }
    }
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
    /// It stays down, but the broker is about to stop (CTL-11).
    ShutDown,
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

/// The producer ids given out so far.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerIds {
    /// Who took the last block.
    pub broker: NodeId,
    /// Under which registration.
    pub epoch: BrokerEpoch,
    /// The first id that nobody has.
    pub next: ProducerId,
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
