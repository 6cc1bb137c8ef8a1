//! AllocateProducerIds (67), version 0, on the active controller.
//!
//! - Gives the asking broker a block of 1000 ids, once that is committed (PRD-9, RAFT-11).
//! - Not registered: BROKER_ID_NOT_REGISTERED; an older registration: STALE_BROKER_EPOCH.

use topomotion_wire::messages::{
    AllocateProducerIdsRequest, AllocateProducerIdsResponse, ProducerId,
};
use topomotion_wire::{BrokerEpoch, ErrorCode, NodeId};

use crate::controller::{ActiveController, PRODUCER_ID_BLOCK};
use crate::net::{Effects, Ticket};

/// Takes the next block for the broker that asks.
pub(crate) fn handle(
    controller: &mut ActiveController,
    ticket: Ticket,
    request: &AllocateProducerIdsRequest,
    effects: &mut Effects,
) {
    let (broker, epoch) =
        (NodeId(request.broker_id.0), BrokerEpoch(request.broker_epoch));
    let response = match controller.allocate_producer_ids(broker, epoch, effects) {
        Ok(first) => AllocateProducerIdsResponse::default()
            .with_producer_id_start(ProducerId(first.0))
            .with_producer_id_len(i32::try_from(PRODUCER_ID_BLOCK).unwrap_or(i32::MAX)),
        Err(error) => refused(error),
    };
    controller.reply_when_committed(ticket, response.into(), effects);
}

/// No ids, and why.
pub(crate) fn refused(error: ErrorCode) -> AllocateProducerIdsResponse {
    AllocateProducerIdsResponse::default().with_error_code(error.code())
}
