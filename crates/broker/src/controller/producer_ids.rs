//! Producer ids, which brokers take in blocks (PRD-9).

use topomotion_wire::{BrokerEpoch, ErrorCode, NodeId, ProducerId, Rule};

use super::ActiveController;
use crate::metadata::{MetadataRecord, ProducerIds};
use crate::net::Effects;

/// How many ids a block has.
pub(crate) const BLOCK: i64 = 1_000;

impl ActiveController {
    /// Gives a broker the next block; returns its first id. The block is nobody else's once
    /// the record is committed, and the answer waits for that.
    ///
    /// # Errors
    /// When the broker is unknown, or not the one that is registered.
    pub(crate) fn allocate_producer_ids(
        &mut self,
        broker: NodeId,
        epoch: BrokerEpoch,
        effects: &mut Effects,
    ) -> Result<ProducerId, ErrorCode> {
        let registered = self.image.broker(broker);
        let registered = registered.ok_or(ErrorCode::BrokerIdNotRegistered)?;
        if registered.epoch != epoch {
            return Err(ErrorCode::StaleBrokerEpoch);
        }
        let first = self.image.next_producer_id();
        let end = first.0.checked_add(BLOCK).ok_or(ErrorCode::UnknownServerError)?;
        effects.mark(Rule::Prd9);
        let next = ProducerId(end);
        self.append(vec![MetadataRecord::ProducerIds(ProducerIds {
            broker,
            epoch,
            next,
        })]);
        Ok(first)
    }
}
