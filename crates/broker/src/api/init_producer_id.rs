//! InitProducerId (22) of a producer without a transactional id, versions 0–5, on brokers.
//!
//! - Any broker gives a new id, with epoch 0 (PRD-3); whatever the producer had is forgotten.
//! - COORDINATOR_LOAD_IN_PROGRESS while this broker has no id to give (PRD-9).
//! - With a transactional id it is the transaction coordinator's (TXN-2).

use topomotion_wire::messages::{InitProducerIdResponse, ProducerId};

use crate::broker::Broker;
use crate::replica::Site;

/// Gives an id.
pub(crate) fn handle(broker: &mut Broker, site: Site<'_>) -> InitProducerIdResponse {
    let response = InitProducerIdResponse::default();
    match broker.claim_producer_id(site.now) {
        Ok(id) => response.with_producer_id(ProducerId(id.0)).with_producer_epoch(0),
        Err(error) => response
            .with_error_code(error.code())
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1),
    }
}
