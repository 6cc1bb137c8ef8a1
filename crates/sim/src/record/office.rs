//! What the controllers have told of registrations, so that a new one tells only what its
//! predecessor had no time for.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_wire::{
    BrokerEpoch, BrokerLiveness, Fact, NodeId, PartitionState, QuorumEpoch, QuorumRole,
    TopicPartition,
};

/// The registrations as they were told last.
#[derive(Debug, Default)]
pub(super) struct Office {
    brokers: BTreeMap<NodeId, (BrokerEpoch, BrokerLiveness)>,
    partitions: BTreeMap<TopicPartition, PartitionState>,
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
            _ => {}
        }
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
