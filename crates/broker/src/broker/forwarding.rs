//! Clients' requests that only the active controller can answer.
//!
//! Kafka wraps them in an Envelope(58), which adds the client's principal; there are no
//! principals here, so the request itself travels on, in the client's own version. It is a
//! real message on a real connection, and is tried again while the controller changes, until
//! the client's own timeout.

use std::collections::BTreeMap;

use topomotion_wire::messages::{RequestKind, ResponseKind};
use topomotion_wire::{Duration, ErrorCode, Instant, NodeId};

use crate::api::admin;
use crate::net::{Ask, Asked, Effects, Purpose, Ticket};

/// Pause before a request is forwarded again.
const PAUSE: Duration = Duration::from_millis(100);

/// Forwarded requests by number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Forwarding {
    requests: BTreeMap<u64, Forwarded>,
    next: u64,
}

#[derive(Debug, Clone)]
struct Forwarded {
    ticket: Ticket,
    version: i16,
    request: RequestKind,
    /// When the client gives up.
    until: Instant,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// To be sent from this moment on.
    Due(Instant),
    Asked,
}

impl Forwarding {
    /// Takes a client's request.
    pub(crate) fn accept(
        &mut self,
        now: Instant,
        ticket: Ticket,
        version: i16,
        request: RequestKind,
    ) {
        let timeout = u64::try_from(admin::timeout_ms(&request)).unwrap_or(0);
        let until = now + Duration::from_millis(timeout);
        let state = State::Due(now);
        let forwarded = Forwarded { ticket, version, request, until, state };
        self.requests.insert(self.next, forwarded);
        self.next += 1;
    }

    /// When the next request is due, one way or the other.
    pub(crate) fn deadline(&self, controller: Option<NodeId>) -> Option<Instant> {
        let of = |request: &Forwarded| match request.state {
            State::Due(at) if controller.is_some() => at.min(request.until),
            State::Due(_) | State::Asked => request.until,
        };
        self.requests.values().map(of).min()
    }

    /// Gives up what has taken too long, and sends what is due.
    pub(crate) fn pump(
        &mut self,
        now: Instant,
        controller: Option<NodeId>,
        effects: &mut Effects,
    ) {
        self.requests.retain(|_, request| {
            let is_late = request.until <= now;
            if is_late {
                let error = ErrorCode::RequestTimedOut;
                effects.reply(request.ticket, admin::failed(&request.request, error));
            }
            !is_late
        });
        let Some(controller) = controller else { return };
        for (&id, request) in &mut self.requests {
            if !matches!(request.state, State::Due(at) if at <= now) {
                continue;
            }
            request.state = State::Asked;
            effects.ask(Ask {
                to: controller,
                purpose: Purpose::Forwarding,
                asked: Asked::Forward { id },
                version: request.version,
                body: request.request.clone(),
                timeout: request.until - now,
            });
        }
    }

    /// Takes the controller's answer: it is the client's, unless the controller was none.
    pub(crate) fn answered(
        &mut self,
        now: Instant,
        id: u64,
        response: ResponseKind,
        effects: &mut Effects,
    ) {
        if admin::is_not_controller(&response) {
            self.failed(now, id);
        } else if let Some(request) = self.requests.remove(&id) {
            effects.reply(request.ticket, response);
        }
    }

    /// No answer: tries again after a pause. The outcome of the first try is unknown; a topic
    /// that it created is then reported as existing, as in Kafka.
    pub(crate) fn failed(&mut self, now: Instant, id: u64) {
        if let Some(request) = self.requests.get_mut(&id) {
            request.state = State::Due(now + PAUSE);
        }
    }
}
