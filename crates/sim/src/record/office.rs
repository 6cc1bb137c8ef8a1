//! What the controllers have told of registrations, so that a new one tells only what its
//! predecessor had no time for.

use std::collections::BTreeMap;

use topomotion_wire::{
    BrokerEpoch, BrokerLiveness, Fact, NodeId, PartitionState, TopicPartition,
};

/// The registrations as they were told last.
#[derive(Debug, Default)]
pub(super) struct Office {
    brokers: BTreeMap<NodeId, (BrokerEpoch, BrokerLiveness)>,
    partitions: BTreeMap<TopicPartition, PartitionState>,
}

impl Office {
    pub fn note(&mut self, fact: &Fact) {
        match fact {
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
        office.note(&told);
        assert_eq!(office.untold(Vec::new(), vec![(partition.clone(), old)]), []);
        let news = office.untold(Vec::new(), vec![(partition.clone(), new.clone())]);
        assert_eq!(news, [Fact::PartitionChanged { partition, state: new }]);
    }
}
