//! Creating topics: checking the wish, placing the replicas, writing the records.

use std::sync::Arc;

use topomotion_wire::{ErrorCode, NodeId, PartitionState, Random, Rule, TopicId};
use uuid::Uuid;

use super::ActiveController;
use super::configs::check_config;
use super::placement::{Usable, place};
use crate::metadata::{MetadataRecord, NewPartition, NewTopic, TopicConfig};
use crate::net::Effects;

/// Kafka's longest topic name.
const NAME_MAX: usize = 249;
/// Kafka's limit of partitions created in one go.
pub(super) const PARTITIONS_MAX: usize = 10_000;
/// Why a topic was not created: the code, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicError {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
}

pub(super) fn error(code: ErrorCode, message: impl Into<String>) -> TopicError {
    TopicError { code, message: message.into() }
}

/// A topic that somebody wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicPlan {
    pub(crate) name: Arc<str>,
    /// None: `num.partitions`.
    pub(crate) partitions: Option<i32>,
    /// None: `default.replication.factor`.
    pub(crate) replication_factor: Option<i16>,
    /// Replicas by partition index; empty: the controller places them.
    pub(crate) assignments: Vec<(i32, Vec<NodeId>)>,
    pub(crate) configs: Vec<(Arc<str>, Option<Arc<str>>)>,
}

/// A topic that now is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Created {
    pub(crate) id: TopicId,
    pub(crate) partitions: i32,
    pub(crate) replication_factor: i16,
}

impl ActiveController {
    /// Creates a topic.
    ///
    /// # Errors
    /// When the plan cannot be carried out; then nothing was written.
    pub(crate) fn create_topic(
        &mut self,
        plan: &TopicPlan,
        random: &mut Random,
        effects: &mut Effects,
    ) -> Result<Created, TopicError> {
        let replicas = self.check_topic(plan)?;
        if plan.assignments.is_empty() {
            effects.mark(Rule::Ctl12);
        }
        let id = TopicId(random_id(random));
        let (partitions, factor) = (replicas.len(), replicas.first().map_or(0, Vec::len));
        let mut records =
            vec![MetadataRecord::Topic(NewTopic { name: plan.name.clone(), id })];
        for (name, value) in &plan.configs {
            let (topic, name, value) = (plan.name.clone(), name.clone(), value.clone());
            records.push(MetadataRecord::Config(TopicConfig { topic, name, value }));
        }
        for (index, replicas) in replicas.into_iter().enumerate() {
            records.push(self.partition_record(id, index as i32, replicas)?);
        }
        self.append(records);
        Ok(Created {
            id,
            partitions: partitions as i32,
            replication_factor: factor as i16,
        })
    }

    /// Checks a plan without carrying it out, and tells the replicas of each partition.
    ///
    /// # Errors
    /// When it cannot be carried out.
    pub(crate) fn check_topic(
        &self,
        plan: &TopicPlan,
    ) -> Result<Vec<Vec<NodeId>>, TopicError> {
        check_name(&plan.name)?;
        if self.image.topic(&plan.name).is_some() {
            let message = format!("Topic '{}' already exists.", plan.name);
            return Err(error(ErrorCode::TopicAlreadyExists, message));
        }
        plan.configs
            .iter()
            .try_for_each(|(name, value)| check_config(name, value.as_deref()))?;
        if plan.assignments.is_empty() {
            self.place_topic(plan)
        } else {
            self.check_assignments(plan)
        }
    }

    fn place_topic(&self, plan: &TopicPlan) -> Result<Vec<Vec<NodeId>>, TopicError> {
        let partitions = plan.partitions.unwrap_or(self.settings.num_partitions);
        let partitions = usize::try_from(partitions)
            .ok()
            .filter(|count| (1..=PARTITIONS_MAX).contains(count))
            .ok_or_else(|| {
                let message =
                    format!("Number of partitions must be 1 to {PARTITIONS_MAX}.");
                error(ErrorCode::InvalidPartitions, message)
            })?;
        let asked =
            plan.replication_factor.unwrap_or(self.settings.default_replication_factor);
        let brokers = self.usable_brokers();
        let factor = usize::try_from(asked).unwrap_or(0);
        if factor == 0 || factor > brokers.len() {
            let message = format!(
                "Unable to replicate the partition {asked} time(s): only {} broker(s) are \
                 registered and unfenced.",
                brokers.len()
            );
            return Err(error(ErrorCode::InvalidReplicationFactor, message));
        }
        let start = self.image.partitions().count();
        Ok(place(&brokers, partitions, factor, start))
    }

    pub(super) fn usable_brokers(&self) -> Vec<Usable> {
        let active = self.image.active_brokers();
        active.map(|(id, it)| Usable { id, rack: it.rack.clone() }).collect()
    }

    fn check_assignments(
        &self,
        plan: &TopicPlan,
    ) -> Result<Vec<Vec<NodeId>>, TopicError> {
        let wrong = |message: &str| error(ErrorCode::InvalidReplicaAssignment, message);
        if plan.partitions.is_some() || plan.replication_factor.is_some() {
            let message =
                "A manual assignment leaves partitions and replication factor open.";
            return Err(error(ErrorCode::InvalidRequest, message));
        }
        if plan.assignments.len() > PARTITIONS_MAX {
            return Err(wrong("The manual assignment has too many partitions."));
        }
        let mut sorted = plan.assignments.clone();
        sorted.sort();
        let factor = sorted[0].1.len();
        for (at, (index, replicas)) in sorted.iter().enumerate() {
            if usize::try_from(*index) != Ok(at) {
                return Err(wrong(
                    "Partitions must be numbered from 0 on, without gaps.",
                ));
            }
            if replicas.is_empty() || replicas.len() != factor {
                return Err(wrong("Every partition needs the same number of replicas."));
            }
            let mut unique = replicas.clone();
            unique.sort();
            unique.dedup();
            if unique.len() != replicas.len() {
                return Err(wrong("A broker is listed twice for one partition."));
            }
            if replicas.iter().any(|&id| self.image.broker(id).is_none()) {
                return Err(wrong("The manual assignment names an unknown broker."));
            }
            if !replicas.iter().any(|&id| self.image.is_active(id)) {
                return Err(wrong("All brokers of one partition are fenced."));
            }
        }
        Ok(sorted.into_iter().map(|(_, replicas)| replicas).collect())
    }

    /// The first registration: whoever is alive is in sync, and the first of them leads.
    pub(super) fn partition_record(
        &self,
        topic_id: TopicId,
        partition: i32,
        replicas: Vec<NodeId>,
    ) -> Result<MetadataRecord, TopicError> {
        let active = replicas.iter().copied().filter(|&id| self.image.is_active(id));
        let isr: Vec<NodeId> = active.collect();
        let leader = isr.first().copied();
        if leader.is_none() {
            let message = "All brokers of one partition are fenced.";
            return Err(error(ErrorCode::InvalidReplicaAssignment, message));
        }
        let state = PartitionState { replicas, isr, leader, ..PartitionState::default() };
        let record = NewPartition::of(topic_id, partition, state);
        Ok(MetadataRecord::Partition(record))
    }
}

/// Whether a topic can be called so.
pub(crate) fn is_topic_name(name: &str) -> bool {
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=NAME_MAX).contains(&name.len())
        && name != "."
        && name != ".."
        && name != "__cluster_metadata"
        && name.chars().all(is_legal)
}

fn check_name(name: &str) -> Result<(), TopicError> {
    if is_topic_name(name) {
        return Ok(());
    }
    let message = "Topic names have 1 to 249 of a-z, A-Z, 0-9, '.', '_' and '-'.";
    Err(error(ErrorCode::InvalidTopicException, message))
}

/// A version-4 UUID from the node's own stream.
fn random_id(random: &mut Random) -> Uuid {
    let bits = u128::from(random.next_u64()) << 64 | u128::from(random.next_u64());
    uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
}
