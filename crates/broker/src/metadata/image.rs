//! The cluster as it is after some prefix of the metadata log: a pure fold of its records.
//!
//! Every node applies committed records to one image; the active controller keeps a second
//! one that runs ahead with what it has appended (RAFT-11). [`MetadataImage::apply`] returns
//! what changed, and a broker acts on that alone: there is no `LeaderAndIsr` (CTL-14).

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_wire::{
    BrokerEpoch, BrokerLiveness, Defect, Endpoint, Incarnation, LeaderEpoch, NodeId,
    PartitionEpoch, PartitionState, ProducerId, TopicId, TopicPartition,
};
use uuid::Uuid;

use super::record::{
    BrokerChange, FencingChange, LeaderChange, MetadataRecord, NewPartition, NewTopic,
    PartitionChange, ProducerIds, RegisterBroker, TopicConfig,
};
use crate::acl::Acl;
use crate::scram::{ScramCredential, ScramMechanism};

/// A broker, as registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerRegistration {
    /// The offset of its registration record.
    pub epoch: BrokerEpoch,
    /// Its process.
    pub incarnation: Incarnation,
    /// Where it listens.
    pub endpoint: Endpoint,
    /// Its rack.
    pub rack: Option<Arc<str>>,
    /// Whether it is trusted with leadership and ISR membership.
    pub liveness: BrokerLiveness,
}

impl BrokerRegistration {
    /// Whether partitions may count on it.
    pub fn is_active(&self) -> bool {
        self.liveness == BrokerLiveness::Unfenced
    }
}

/// A topic: its id, its partitions and its own settings.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopicImage {
    /// Id, new with every creation of the name.
    pub id: TopicId,
    /// Partitions by index.
    pub partitions: BTreeMap<i32, PartitionState>,
    /// Settings by Kafka's names.
    pub configs: BTreeMap<Arc<str>, Arc<str>>,
}

/// What one applied record changed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// A broker was registered, fenced or unfenced.
    Broker(NodeId),
    /// A partition was created or its registration changed.
    Partition(TopicPartition),
    /// A topic's settings changed.
    Config(Arc<str>),
    /// A topic is gone, with its partitions.
    TopicGone(Arc<str>),
}

/// Brokers, topics, partitions and settings after a prefix of the metadata log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MetadataImage {
    brokers: BTreeMap<NodeId, BrokerRegistration>,
    topics: BTreeMap<Arc<str>, TopicImage>,
    names: BTreeMap<TopicId, Arc<str>>,
    feature_level: Option<i16>,
    producer_ids: Option<ProducerIds>,
    acls: BTreeMap<Uuid, Acl>,
    scram: BTreeMap<(Arc<str>, ScramMechanism), ScramCredential>,
}

impl MetadataImage {
    /// Every registered broker, fenced or not.
    pub fn brokers(&self) -> &BTreeMap<NodeId, BrokerRegistration> {
        &self.brokers
    }

    /// One broker's registration.
    pub fn broker(&self, id: NodeId) -> Option<&BrokerRegistration> {
        self.brokers.get(&id)
    }

    /// Whether a broker is registered and unfenced.
    pub fn is_active(&self, id: NodeId) -> bool {
        self.broker(id).is_some_and(BrokerRegistration::is_active)
    }

    /// The unfenced brokers, by id.
    pub fn active_brokers(&self) -> impl Iterator<Item = (NodeId, &BrokerRegistration)> {
        let all = self.brokers.iter().map(|(&id, broker)| (id, broker));
        all.filter(|(_, broker)| broker.is_active())
    }

    /// Every topic by name.
    pub fn topics(&self) -> &BTreeMap<Arc<str>, TopicImage> {
        &self.topics
    }

    /// One topic.
    pub fn topic(&self, name: &str) -> Option<&TopicImage> {
        self.topics.get(name)
    }

    /// The name of the topic with this id.
    pub fn topic_name(&self, id: TopicId) -> Option<&Arc<str>> {
        self.names.get(&id)
    }

    /// One partition's registration.
    pub fn partition(&self, partition: &TopicPartition) -> Option<&PartitionState> {
        self.topic(&partition.topic)?.partitions.get(&partition.partition)
    }

    /// Every partition with its registration, by topic and index.
    pub fn partitions(&self) -> impl Iterator<Item = (TopicPartition, &PartitionState)> {
        self.topics.iter().flat_map(|(name, topic)| {
            let name = |&index| TopicPartition::new(name.clone(), index);
            topic.partitions.iter().map(move |(index, state)| (name(index), state))
        })
    }

    /// A topic's own setting as a number, if it is set and is one.
    pub fn config_number(&self, topic: &str, name: &str) -> Option<i64> {
        self.topic(topic)?.configs.get(name)?.parse().ok()
    }

    /// Who may do what, by the entries' ids.
    pub fn acls(&self) -> &BTreeMap<Uuid, Acl> {
        &self.acls
    }

    /// Who can log in, and by what.
    pub fn scram(&self) -> &BTreeMap<(Arc<str>, ScramMechanism), ScramCredential> {
        &self.scram
    }

    /// Whether the log's first record, the feature level, has been applied.
    pub fn is_bootstrapped(&self) -> bool {
        self.feature_level.is_some()
    }

    /// The first producer id that no broker has taken yet (PRD-9).
    pub fn next_producer_id(&self) -> ProducerId {
        self.producer_ids.as_ref().map_or(ProducerId(0), |ids| ids.next)
    }

    /// Applies one record. What it refers to but nobody created is ignored: a record is
    /// only ever written against the image it was checked on, so this is a foreign log.
    pub fn apply(&mut self, record: &MetadataRecord) -> Option<Change> {
        match record {
            MetadataRecord::RegisterBroker(record) => Some(self.register(record)),
            MetadataRecord::Topic(record) => {
                self.create_topic(record);
                None
            }
            MetadataRecord::Partition(record) => self.create_partition(record),
            MetadataRecord::Config(record) => self.configure(record),
            MetadataRecord::PartitionChange(record) => self.change_partition(record),
            MetadataRecord::BrokerChange(record) => self.change_broker(record),
            MetadataRecord::RemoveTopic { id } => {
                let name = self.names.remove(id)?;
                self.topics.remove(&name)?;
                Some(Change::TopicGone(name))
            }
            MetadataRecord::FeatureLevel { level, .. } => {
                self.feature_level = Some(*level);
                None
            }
            MetadataRecord::ProducerIds(record) => {
                self.producer_ids = Some(record.clone());
                None
            }
            MetadataRecord::Acl { id, acl } => {
                self.acls.insert(*id, acl.clone());
                None
            }
            MetadataRecord::RemoveAcl { id } => {
                self.acls.remove(id);
                None
            }
            MetadataRecord::Scram { user, mechanism, credential } => {
                self.scram.insert((user.clone(), *mechanism), credential.clone());
                None
            }
            MetadataRecord::RemoveScram { user, mechanism } => {
                self.scram.remove(&(user.clone(), *mechanism));
                None
            }
            MetadataRecord::NoOp | MetadataRecord::Unknown { .. } => None,
        }
    }

    /// The records that build this image from nothing: a snapshot of it.
    pub fn to_records(&self) -> Vec<MetadataRecord> {
        let mut records = Vec::new();
        if let Some(level) = self.feature_level {
            let name = "metadata.version".into();
            records.push(MetadataRecord::FeatureLevel { name, level });
        }
        for (&broker, it) in &self.brokers {
            records.push(MetadataRecord::RegisterBroker(RegisterBroker {
                broker,
                incarnation: it.incarnation,
                epoch: it.epoch,
                endpoint: it.endpoint.clone(),
                rack: it.rack.clone(),
                liveness: it.liveness,
            }));
        }
        records.extend(self.producer_ids.clone().map(MetadataRecord::ProducerIds));
        for (&id, acl) in &self.acls {
            records.push(MetadataRecord::Acl { id, acl: acl.clone() });
        }
        for ((user, mechanism), credential) in &self.scram {
            let (user, mechanism) = (user.clone(), *mechanism);
            let credential = credential.clone();
            records.push(MetadataRecord::Scram { user, mechanism, credential });
        }
        for (name, topic) in &self.topics {
            let (name, id) = (name.clone(), topic.id);
            records.push(MetadataRecord::Topic(NewTopic { name: name.clone(), id }));
            for (&index, state) in &topic.partitions {
                let partition = NewPartition::of(id, index, state.clone());
                records.push(MetadataRecord::Partition(partition));
            }
            for (key, value) in &topic.configs {
                let (topic, name, value) =
                    (name.clone(), key.clone(), Some(value.clone()));
                records.push(MetadataRecord::Config(TopicConfig { topic, name, value }));
            }
        }
        records
    }

    /// What has to be looked at by somebody who knew this image and now learns of `newer`
    /// without the records between.
    pub fn differences(&self, newer: &MetadataImage) -> Vec<Change> {
        let mut changes = Vec::new();
        for (&id, broker) in &newer.brokers {
            if self.brokers.get(&id) != Some(broker) {
                changes.push(Change::Broker(id));
            }
        }
        for (name, topic) in &self.topics {
            if newer.topics.get(name).is_none_or(|it| it.id != topic.id) {
                changes.push(Change::TopicGone(name.clone()));
            }
        }
        for (name, topic) in &newer.topics {
            let old = self.topics.get(name).filter(|old| old.id == topic.id);
            if old.map(|old| &old.configs) != Some(&topic.configs) {
                changes.push(Change::Config(name.clone()));
            }
            for (&index, state) in &topic.partitions {
                if old.and_then(|old| old.partitions.get(&index)) != Some(state) {
                    let id = TopicPartition::new(name.clone(), index);
                    changes.push(Change::Partition(id));
                }
            }
        }
        changes
    }

    fn register(&mut self, record: &RegisterBroker) -> Change {
        let registration = BrokerRegistration {
            epoch: record.epoch,
            incarnation: record.incarnation,
            endpoint: record.endpoint.clone(),
            rack: record.rack.clone(),
            liveness: record.liveness,
        };
        self.brokers.insert(record.broker, registration);
        Change::Broker(record.broker)
    }

    fn create_topic(&mut self, record: &NewTopic) {
        let topic = TopicImage { id: record.id, ..TopicImage::default() };
        if let Some(old) = self.topics.insert(record.name.clone(), topic) {
            self.names.remove(&old.id);
        }
        self.names.insert(record.id, record.name.clone());
    }

    fn create_partition(&mut self, record: &NewPartition) -> Option<Change> {
        let name = self.names.get(&record.topic_id)?.clone();
        let state = record.clone().into_state();
        self.topics.get_mut(&name)?.partitions.insert(record.partition, state);
        Some(Change::Partition(TopicPartition::new(name, record.partition)))
    }

    fn configure(&mut self, record: &TopicConfig) -> Option<Change> {
        let topic = self.topics.get_mut(&record.topic)?;
        match &record.value {
            Some(value) => topic.configs.insert(record.name.clone(), value.clone()),
            None => topic.configs.remove(&record.name),
        };
        Some(Change::Config(record.topic.clone()))
    }

    /// CTL-2: the partition epoch rises with every change, the leader epoch exactly when the
    /// leader field is set.
    fn change_partition(&mut self, record: &PartitionChange) -> Option<Change> {
        let name = self.names.get(&record.topic_id)?.clone();
        let topic = self.topics.get_mut(&name)?;
        let state = topic.partitions.get_mut(&record.partition)?;
        if let Some(isr) = &record.isr {
            state.isr.clone_from(isr);
        }
        match record.leader {
            LeaderChange::Keep => {}
            LeaderChange::Set(leader) => state.leader = Some(leader),
            LeaderChange::Clear => state.leader = None,
        }
        let set = |into: &mut Vec<NodeId>, from: &Option<Vec<NodeId>>| {
            if let Some(from) = from {
                into.clone_from(from);
            }
        };
        set(&mut state.replicas, &record.replicas);
        set(&mut state.removing, &record.removing);
        set(&mut state.adding, &record.adding);
        set(&mut state.elr, &record.elr);
        set(&mut state.last_known_elr, &record.last_known_elr);
        state.recovery = record.recovery.unwrap_or(state.recovery);
        if record.leader != LeaderChange::Keep && !Defect::EpochNoBump.is_sown() {
            state.leader_epoch = LeaderEpoch(state.leader_epoch.0.saturating_add(1));
        }
        state.partition_epoch = PartitionEpoch(state.partition_epoch.0.saturating_add(1));
        Some(Change::Partition(TopicPartition::new(name, record.partition)))
    }

    fn change_broker(&mut self, record: &BrokerChange) -> Option<Change> {
        let broker = self.brokers.get_mut(&record.broker)?;
        if broker.epoch != record.epoch {
            return None;
        }
        match record.fencing {
            FencingChange::Keep => {}
            FencingChange::Fence => broker.liveness = BrokerLiveness::Fenced,
            FencingChange::Unfence => broker.liveness = BrokerLiveness::Unfenced,
            FencingChange::ShutDown => {
                broker.liveness = BrokerLiveness::ControlledShutdown;
            }
        }
        Some(Change::Broker(record.broker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use topomotion_wire::Bytes;

    use crate::acl::{Operation, Pattern, Permission, Resource};

    fn image() -> MetadataImage {
        let mut image = MetadataImage::default();
        let id = TopicId(Uuid::from_u128(1));
        image.apply(&MetadataRecord::Topic(NewTopic { name: "orders".into(), id }));
        let state = PartitionState {
            replicas: vec![NodeId(1), NodeId(2)],
            isr: vec![NodeId(1), NodeId(2)],
            leader: Some(NodeId(1)),
            ..PartitionState::default()
        };
        image.apply(&MetadataRecord::Partition(NewPartition::of(id, 0, state)));
        image
    }

    fn change(image: &mut MetadataImage, isr: Option<Vec<NodeId>>, leader: LeaderChange) {
        let topic_id = TopicId(Uuid::from_u128(1));
        let change = PartitionChange::of(topic_id, 0);
        let change = PartitionChange { isr, leader, ..change };
        image.apply(&MetadataRecord::PartitionChange(change));
    }

    fn epochs(image: &MetadataImage) -> (i32, i32) {
        let state = image.partition(&TopicPartition::new("orders", 0)).unwrap();
        (state.leader_epoch.0, state.partition_epoch.0)
    }

    #[test]
    fn a_plain_isr_change_keeps_the_leader_epoch() {
        let mut image = image();
        change(&mut image, Some(vec![NodeId(1)]), LeaderChange::Keep);
        assert_eq!(epochs(&image), (0, 1));
        change(&mut image, None, LeaderChange::Set(NodeId(1)));
        assert_eq!(epochs(&image), (1, 2), "a set leader raises it, even the same one");
        change(&mut image, None, LeaderChange::Clear);
        assert_eq!(epochs(&image), (2, 3));
    }

    #[test]
    fn a_fence_under_an_older_registration_is_ignored() {
        let mut image = MetadataImage::default();
        image.apply(&MetadataRecord::RegisterBroker(RegisterBroker {
            broker: NodeId(1),
            incarnation: Incarnation::default(),
            epoch: BrokerEpoch(9),
            endpoint: Endpoint { host: "b".into(), port: 1 },
            rack: None,
            liveness: BrokerLiveness::Fenced,
        }));
        let mut fencing = |epoch, fencing| {
            let change = BrokerChange { broker: NodeId(1), epoch, fencing };
            image.apply(&MetadataRecord::BrokerChange(change));
            image.is_active(NodeId(1))
        };
        assert!(fencing(BrokerEpoch(9), FencingChange::Unfence));
        assert!(fencing(BrokerEpoch(8), FencingChange::Fence), "older epoch");
        assert!(!fencing(BrokerEpoch(9), FencingChange::Fence));
    }

    #[test]
    fn a_snapshot_builds_the_same_image() {
        let mut image = image();
        let (alice, host) = ("User:alice".into(), "*".into());
        let acl = Acl {
            resource: Resource::Group,
            name: "shop-".into(),
            pattern: Pattern::Prefixed,
            principal: alice,
            host,
            operation: Operation::Read,
            permission: Permission::Deny,
        };
        for id in [1, 2].map(Uuid::from_u128) {
            image.apply(&MetadataRecord::Acl { id, acl: acl.clone() });
        }
        image.apply(&MetadataRecord::RemoveAcl { id: Uuid::from_u128(1) });
        assert_eq!(image.acls().len(), 1);
        for mechanism in [ScramMechanism::Sha256, ScramMechanism::Sha512] {
            let salt = Bytes::from_static(b"salt");
            let credential = ScramCredential::of(mechanism, salt, b"password", 4_096);
            let user = "alice".into();
            image.apply(&MetadataRecord::Scram { user, mechanism, credential });
        }
        let (user, mechanism) = ("alice".into(), ScramMechanism::Sha256);
        image.apply(&MetadataRecord::RemoveScram { user, mechanism });
        assert_eq!(image.scram().len(), 1);
        change(&mut image, Some(vec![NodeId(1)]), LeaderChange::Keep);
        let mut again = MetadataImage::default();
        for record in image.to_records() {
            let record = MetadataRecord::decode(record.encode()).unwrap();
            again.apply(&record);
        }
        assert_eq!(again, image);
        assert_eq!(image.differences(&again), []);
        let orders = TopicPartition::new("orders", 0);
        let empty = MetadataImage::default();
        assert!(empty.differences(&image).contains(&Change::Partition(orders)));
        assert_eq!(image.differences(&empty), [Change::TopicGone("orders".into())]);
    }

    #[test]
    fn a_removed_topic_is_gone_with_everything_it_had() {
        let mut image = image();
        let id = TopicId(Uuid::from_u128(1));
        let gone = image.apply(&MetadataRecord::RemoveTopic { id });
        assert_eq!(gone, Some(Change::TopicGone("orders".into())));
        assert_eq!(image, MetadataImage::default());
        assert_eq!(image.apply(&MetadataRecord::RemoveTopic { id }), None);
    }

    proptest! {
        #[test]
        fn whatever_decodes_can_be_applied(
            noise in prop::collection::vec(
                (0_u8..24, 0_u8..3, prop::collection::vec(any::<u8>(), 0..80)), 0..20),
        ) {
            let mut image = image();
            for (kind, version, body) in noise {
                let mut bytes = vec![1, kind, version];
                bytes.extend(body);
                if let Ok(record) = MetadataRecord::decode(Bytes::from(bytes)) {
                    image.apply(&record);
                }
            }
        }
    }
}
