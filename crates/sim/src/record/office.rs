//! What controllers have told of registrations, and coordinators of committed offsets, so that a
//! new one tells only what its predecessor had no time for.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_wire::{
    BrokerEpoch, BrokerLiveness, Fact, NodeId, Offset, PartitionState, QuorumEpoch,
    QuorumRole, TopicPartition,
};

/// The registrations and the offsets as they were told last.
#[derive(Debug, Default)]
pub(super) struct Office {
    brokers: BTreeMap<NodeId, (BrokerEpoch, BrokerLiveness)>,
    partitions: BTreeMap<TopicPartition, PartitionState>,
    /// By group and partition.
    offsets: BTreeMap<(Arc<str>, TopicPartition), Option<Offset>>,
    /// The newest leader of the quorum, and its epoch.
    leader: Option<(Arc<str>, QuorumEpoch)>,
}

impl Office {
    /// Whether somebody tells of a registration who leads the quorum no more and has not
    /// noticed: what it has committed its successor told first, and more since.
    pub fn is_late(&self, process: &Arc<str>, fact: &Fact) -> bool {
        matches!(fact, Fact::BrokerChanged { .. } | Fact::PartitionChanged { .. })
            && self.leader.as_ref().is_some_and(|(leader, _)| leader != process)
    }

    pub fn note(&mut self, process: &Arc<str>, fact: &Fact) {
        match fact {
            Fact::QuorumRole { role: QuorumRole::Leader, epoch, .. }
                if self.leader.as_ref().is_none_or(|(_, newest)| newest < epoch) =>
            {
                self.leader = Some((process.clone(), *epoch));
            }
            Fact::BrokerChanged { broker, epoch, liveness } => {
                self.brokers.insert(*broker, (*epoch, *liveness));
            }
            Fact::PartitionChanged { partition, state } => {
                self.partitions.insert(partition.clone(), state.clone());
            }
            Fact::OffsetCommitted { group, partition, offset } => {
                self.offsets.insert((group.clone(), partition.clone()), *offset);
            }
            _ => {}
        }
    }

    /// Of the offsets that count, those that nobody has told.
    pub fn untold_offsets(
        &self,
        offsets: Vec<(Arc<str>, TopicPartition, Offset)>,
    ) -> Vec<Fact> {
        let told = |group: &Arc<str>, at: &TopicPartition| {
            self.offsets.get(&(group.clone(), at.clone())).copied().flatten()
        };
        let untold =
            offsets.into_iter().filter(|(group, at, it)| told(group, at) != Some(*it));
        let facts = untold.map(|(group, partition, offset)| {
            let offset = Some(offset);
            Fact::OffsetCommitted { group, partition, offset }
        });
        facts.collect()
    }

    /// Of everything that is committed, what nobody has told.
    pub fn untold(
        &self,
        brokers: Vec<(NodeId, BrokerEpoch, BrokerLiveness)>,
        partitions: Vec<(TopicPartition, PartitionState)>,
    ) -> Vec<Fact> {
        let brokers = brokers.into_iter().filter(|(broker, epoch, liveness)| {
            self.brokers.get(broker) != Some(&(*epoch, *liveness))
        });
        let brokers = brokers.map(|(broker, epoch, liveness)| Fact::BrokerChanged {
            broker,
            epoch,
            liveness,
        });
        let partitions = partitions
            .into_iter()
            .filter(|(partition, state)| self.partitions.get(partition) != Some(state));
        let partitions = partitions
            .map(|(partition, state)| Fact::PartitionChanged { partition, state });
        partitions.chain(brokers).collect()
    }
}

#[cfg(test)]
mod tests {
    use topomotion_wire::PartitionEpoch;

    use super::*;

    #[test]
    fn a_new_controller_tells_what_nobody_has_told() {
        let partition = TopicPartition::new("orders", 0);
        let old = PartitionState::default();
        let new = PartitionState { partition_epoch: PartitionEpoch(1), ..old.clone() };
        let mut office = Office::default();
        let told =
            Fact::PartitionChanged { partition: partition.clone(), state: old.clone() };
        office.note(&"controller-1".into(), &told);
        assert_eq!(office.untold(Vec::new(), vec![(partition.clone(), old)]), []);
        let news = office.untold(Vec::new(), vec![(partition.clone(), new.clone())]);
        assert_eq!(news, [Fact::PartitionChanged { partition, state: new }]);
    }

    #[test]
    fn a_new_coordinator_tells_what_nobody_has_told() {
        let at = |index| TopicPartition::new("orders", index);
        let group: Arc<str> = "billing".into();
        let told = |index, offset| Fact::OffsetCommitted {
            group: group.clone(),
            partition: at(index),
            offset,
        };
        let mut office = Office::default();
        office.note(&"broker-1".into(), &told(0, Some(Offset(5))));
        office.note(&"broker-1".into(), &told(1, Some(Offset(5))));
        office.note(&"broker-1".into(), &told(2, None));
        let found = [(0, 5), (1, 7), (2, 3), (3, 1)];
        let found =
            found.map(|(index, offset)| (group.clone(), at(index), Offset(offset)));
        let untold = [(1, 7), (2, 3), (3, 1)];
        let untold = untold.map(|(index, offset)| told(index, Some(Offset(offset))));
        assert_eq!(office.untold_offsets(found.into()), untold);
    }

    #[test]
    fn who_leads_no_more_tells_of_registrations_too_late() {
        let [old, new]: [Arc<str>; 2] = ["controller-1".into(), "controller-2".into()];
        let partition = TopicPartition::new("orders", 0);
        let told = Fact::PartitionChanged { partition, state: PartitionState::default() };
        let leads = |epoch| Fact::QuorumRole {
            role: QuorumRole::Leader,
            epoch: QuorumEpoch(epoch),
            leader: None,
        };
        let mut office = Office::default();
        assert!(!office.is_late(&old, &told));
        office.note(&old, &leads(1));
        assert!(!office.is_late(&old, &told));
        office.note(&new, &leads(2));
        assert!(office.is_late(&old, &told) && !office.is_late(&new, &told));
        assert!(!office.is_late(&old, &leads(1)));
    }
}
