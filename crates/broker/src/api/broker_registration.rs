//! BrokerRegistration (62), versions 0–4, on the active controller.
//!
//! - Answers with the broker epoch, once the registration is committed (CTL-10).
//! - Another incarnation still in session: DUPLICATE_BROKER_REGISTRATION.
//! - The first listener counts; features and log directories are not modelled.

use topomotion_wire::messages::{BrokerRegistrationRequest, BrokerRegistrationResponse};
use topomotion_wire::{BrokerEpoch, Endpoint, ErrorCode, Incarnation, Instant, NodeId};

use super::{known_node, shared};
use crate::controller::{ActiveController, Registration};
use crate::net::{Effects, Ticket};

/// Registers the broker, and answers once that is committed.
pub(crate) fn handle(
    controller: &mut ActiveController,
    now: Instant,
    ticket: Ticket,
    request: &BrokerRegistrationRequest,
    effects: &mut Effects,
) {
    let outcome = registration(request)
        .ok_or(ErrorCode::InvalidRequest)
        .and_then(|registration| controller.register(now, registration, effects));
    let response = BrokerRegistrationResponse::default();
    let response = match outcome {
        Ok(epoch) => response.with_broker_epoch(epoch.0),
        Err(error) => response.with_error_code(error.code()).with_broker_epoch(-1),
    };
    controller.reply_when_committed(ticket, response.into(), effects);
}

/// What a node answers that is not the active controller.
pub(crate) fn not_controller() -> BrokerRegistrationResponse {
    BrokerRegistrationResponse::default()
        .with_error_code(ErrorCode::NotController.code())
        .with_broker_epoch(-1)
}

fn registration(request: &BrokerRegistrationRequest) -> Option<Registration> {
    let listener = request.listeners.first()?;
    let broker: NodeId = known_node(request.broker_id)?;
    Some(Registration {
        broker,
        incarnation: Incarnation(request.incarnation_id),
        endpoint: Endpoint { host: shared(&listener.host), port: listener.port },
        rack: request.rack.as_ref().map(shared),
        previous: (request.previous_broker_epoch >= 0)
            .then_some(BrokerEpoch(request.previous_broker_epoch)),
    })
}
