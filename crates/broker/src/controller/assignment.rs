//! Topics that go, partitions that come, and replicas that move (CTL-13).

use topomotion_wire::{ErrorCode, NodeId, Rule, TopicId, TopicPartition};

use super::ActiveController;
use super::election::{Assignment, Target};
use super::placement::place;
use super::topics::{PARTITIONS_MAX, TopicError, error};
use crate::config::UncleanElection;
use crate::metadata::MetadataRecord;
use crate::net::Effects;

/// More partitions for a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NewPartitions {
    /// How many there are to be in all.
    pub(crate) count: i32,
    /// The replicas of the new ones; none: the controller places them.
    pub(crate) assignments: Option<Vec<Vec<NodeId>>>,
}

impl ActiveController {
    /// Deletes a topic. Its brokers delete their logs when they read of it.
    ///
    /// # Errors
    /// When there is no such topic.
    pub(crate) fn delete_topic(&mut self, id: TopicId) -> Result<(), ErrorCode> {
        if self.image.topic_name(id).is_none() {
            return Err(ErrorCode::UnknownTopicId);
        }
        self.append(vec![MetadataRecord::RemoveTopic { id }]);
        Ok(())
    }

    /// Adds partitions to a topic.
    ///
    /// # Errors
    /// When they cannot be added; then nothing was written.
    pub(crate) fn create_partitions(
        &mut self,
        topic: &str,
        wanted: &NewPartitions,
        effects: &mut Effects,
    ) -> Result<(), TopicError> {
        let records = self.check_partitions(topic, wanted)?;
        if wanted.assignments.is_none() {
            effects.mark(Rule::Ctl12);
        }
        self.append(records);
        Ok(())
    }

    /// Checks an addition of partitions, and tells the records that it takes.
    ///
    /// # Errors
    /// When they cannot be added.
    pub(crate) fn check_partitions(
        &self,
        topic: &str,
        wanted: &NewPartitions,
    ) -> Result<Vec<MetadataRecord>, TopicError> {
        let Some(known) = self.image.topic(topic) else {
            let message = "This server does not host this topic-partition.";
            return Err(error(ErrorCode::UnknownTopicOrPartition, message));
        };
        let have = known.partitions.len();
        let count = usize::try_from(wanted.count).unwrap_or(0);
        if count <= have || count - have > PARTITIONS_MAX {
            let message = format!(
                "Topic currently has {have} partitions, which is not less than the \
                 requested {}.",
                wanted.count
            );
            return Err(error(ErrorCode::InvalidPartitions, message));
        }
        let factor = known.partitions.values().next().map_or(1, |it| it.replicas.len());
        let replicas = match &wanted.assignments {
            Some(assigned) => self.check_new_replicas(assigned, count - have, factor)?,
            None => {
                let brokers = self.usable_brokers();
                if factor > brokers.len() {
                    let message = "Too few brokers are unfenced.";
                    return Err(error(ErrorCode::InvalidReplicationFactor, message));
                }
                place(&brokers, count - have, factor, self.image.partitions().count())
            }
        };
        let numbered = replicas.into_iter().zip(have..);
        numbered
            .map(|(replicas, index)| {
                self.partition_record(known.id, index as i32, replicas)
            })
            .collect()
    }

    fn check_new_replicas(
        &self,
        assigned: &[Vec<NodeId>],
        count: usize,
        factor: usize,
    ) -> Result<Vec<Vec<NodeId>>, TopicError> {
        let wrong = |message: &str| error(ErrorCode::InvalidReplicaAssignment, message);
        if assigned.len() != count {
            return Err(wrong("Every new partition needs its own assignment."));
        }
        for replicas in assigned {
            if replicas.len() != factor {
                return Err(wrong("A partition has too few or too many replicas."));
            }
            self.check_replicas(replicas)?;
        }
        Ok(assigned.to_vec())
    }

    fn check_replicas(&self, replicas: &[NodeId]) -> Result<(), TopicError> {
        let wrong = |message: &str| error(ErrorCode::InvalidReplicaAssignment, message);
        let mut unique = replicas.to_vec();
        unique.sort();
        unique.dedup();
        if replicas.is_empty() {
            return Err(wrong("A partition needs a replica."));
        }
        if unique.len() != replicas.len() {
            return Err(wrong("A broker is listed twice for one partition."));
        }
        if replicas.iter().any(|&id| self.image.broker(id).is_none()) {
            return Err(wrong("The assignment names an unknown broker."));
        }
        Ok(())
    }

    /// Moves a partition to other replicas: the new ones are added to the old ones, and the
    /// old ones go when all of the new ones are in sync (CTL-13).
    ///
    /// # Errors
    /// When it cannot be moved there; then nothing was written.
    pub(crate) fn reassign(
        &mut self,
        id: &TopicPartition,
        target: &[NodeId],
        effects: &mut Effects,
    ) -> Result<(), TopicError> {
        let unknown = || unknown_partition();
        let state = self.partition(id).ok_or_else(unknown)?;
        self.check_replicas(target)?;
        // A reassignment under way is replaced: it starts from what was before it, and from
        // the new replicas that have been in sync, which leave like old ones: if nobody is in
        // sync now, one of them may be the only one that has everything.
        let has_all = [&state.isr, &state.elr, &state.last_known_elr];
        let is_old = |replica: &NodeId| {
            !state.adding.contains(replica)
                || has_all.iter().any(|set| set.contains(replica))
        };
        let old: Vec<NodeId> = state.replicas.iter().copied().filter(is_old).collect();
        let is_new = |replica: &NodeId| !old.contains(replica);
        let goes = |replica: &NodeId| !target.contains(replica);
        let removing: Vec<NodeId> = old.iter().copied().filter(goes).collect();
        let adding: Vec<NodeId> = target.iter().copied().filter(is_new).collect();
        let replicas = target.iter().chain(&removing).copied().collect();
        let isr = state.isr.clone();
        self.assign(id, Assignment { replicas, adding, removing }, isr, effects);
        Ok(())
    }

    /// Takes a reassignment back.
    ///
    /// # Errors
    /// When there is none, or nobody in sync would be left.
    pub(crate) fn cancel_reassignment(
        &mut self,
        id: &TopicPartition,
        effects: &mut Effects,
    ) -> Result<(), TopicError> {
        let state = self.partition(id).ok_or_else(unknown_partition)?;
        if state.adding.is_empty() && state.removing.is_empty() {
            let message = "There is no reassignment to cancel.";
            return Err(error(ErrorCode::NoReassignmentInProgress, message));
        }
        let is_old = |replica: &NodeId| !state.adding.contains(replica);
        let mut replicas: Vec<NodeId> =
            state.replicas.iter().copied().filter(is_old).collect();
        replicas.sort_by_key(|id| state.removing.contains(id));
        let isr: Vec<NodeId> = state.isr.iter().copied().filter(is_old).collect();
        let unclean = self.unclean_election(&id.topic);
        if isr.is_empty() && unclean == UncleanElection::Forbidden {
            let message = "Nobody in sync would be left.";
            return Err(error(ErrorCode::InvalidReplicaAssignment, message));
        }
        let (adding, removing) = (Vec::new(), Vec::new());
        self.assign(id, Assignment { replicas, adding, removing }, isr, effects);
        Ok(())
    }

    fn assign(
        &mut self,
        id: &TopicPartition,
        assignment: Assignment,
        isr: Vec<NodeId>,
        effects: &mut Effects,
    ) {
        let alive = self.alive();
        let target = self.target(id, isr, &alive);
        let target = Target { assignment: Some(assignment), ..target };
        effects.mark_at(Rule::Ctl13, id);
        let record = self.change_record(id, &target, effects);
        self.append(record.into_iter().collect());
    }
}

fn unknown_partition() -> TopicError {
    error(ErrorCode::UnknownTopicOrPartition, "There is no such partition.")
}
