//! BrokerHeartbeat (63), versions 0–1, on the active controller.
//!
//! - Keeps the session, and unfences a broker that has applied its own registration (CTL-8).
//! - Not registered: BROKER_ID_NOT_REGISTERED; an older registration: STALE_BROKER_EPOCH.
//! - A wish to shut down is granted when the broker leads nothing any more and every active
//!   broker has heard of it (CTL-11).

use topomotion_wire::messages::{BrokerHeartbeatRequest, BrokerHeartbeatResponse};
use topomotion_wire::{BrokerEpoch, BrokerLiveness, ErrorCode, Instant, NodeId, Offset};

use crate::controller::{ActiveController, Heartbeat, ShutDown};
use crate::metadata::FencingChange;
use crate::net::{Effects, Ticket};

/// Takes the heartbeat, and answers once what it changed is committed.
pub(crate) fn handle(
    controller: &mut ActiveController,
    now: Instant,
    ticket: Ticket,
    request: &BrokerHeartbeatRequest,
    effects: &mut Effects,
) {
    let wish = match (request.want_shut_down, request.want_fence) {
        (true, _) => FencingChange::ShutDown,
        (false, true) => FencingChange::Fence,
        (false, false) => FencingChange::Unfence,
    };
    let heartbeat = Heartbeat {
        broker: NodeId(request.broker_id.0),
        epoch: BrokerEpoch(request.broker_epoch),
        applied: Offset(request.current_metadata_offset),
        wish,
    };
    let response = BrokerHeartbeatResponse::default();
    let response = match controller.heartbeat(now, heartbeat, effects) {
        Ok(outcome) => response
            .with_is_caught_up(outcome.is_caught_up)
            .with_is_fenced(outcome.liveness == BrokerLiveness::Fenced)
            .with_should_shut_down(outcome.shut_down == ShutDown::Granted),
        Err(error) => response.with_error_code(error.code()),
    };
    controller.reply_when_committed(ticket, response.into(), effects);
}

/// What a node answers that is not the active controller.
pub(crate) fn not_controller() -> BrokerHeartbeatResponse {
    BrokerHeartbeatResponse::default().with_error_code(ErrorCode::NotController.code())
}
