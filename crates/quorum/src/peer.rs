//! One repeated request to one peer: when it is due, in flight, or given up.

use topomotion_wire::{Duration, Instant};

use crate::QuorumConfig;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Idle,
    Due { at: Instant },
    InFlight { until: Instant },
}

/// A request to a peer and its retries.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    state: State,
    failures: u32,
}

/// What a call wants when time has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    Send,
    /// No answer in time.
    GiveUp,
}

impl Call {
    pub(crate) fn due(at: Instant) -> Call {
        Call { state: State::Due { at }, failures: 0 }
    }

    pub(crate) fn check(&self, now: Instant) -> Due {
        match self.state {
            State::Due { at } if at <= now => Due::Send,
            State::InFlight { until } if until <= now => Due::GiveUp,
            State::Idle | State::Due { .. } | State::InFlight { .. } => Due::Nothing,
        }
    }

    pub(crate) fn is_in_flight(&self) -> bool {
        matches!(self.state, State::InFlight { .. })
    }

    /// When its answer is waited for no longer, while it is in flight.
    pub(crate) fn until(&self) -> Option<Instant> {
        match self.state {
            State::InFlight { until } => Some(until),
            State::Idle | State::Due { .. } => None,
        }
    }

    pub(crate) fn sent(&mut self, now: Instant, config: &QuorumConfig) {
        self.state = State::InFlight { until: now + config.request_timeout };
    }

    /// Answered well: again at `at`.
    pub(crate) fn succeeded(&mut self, at: Instant) {
        *self = Call::due(at);
    }

    /// Done for good.
    pub(crate) fn finish(&mut self) {
        *self = Call { state: State::Idle, failures: 0 };
    }

    /// Not answered, or not well: again after a pause that doubles.
    pub(crate) fn failed(&mut self, now: Instant, config: &QuorumConfig) {
        let factor = 1_u64 << self.failures.min(16);
        let pause = config.retry_backoff.as_micros().saturating_mul(factor);
        let pause = pause.min(config.retry_backoff_max.as_micros());
        self.failures += 1;
        self.state = State::Due { at: now + Duration::from_micros(pause) };
    }

    /// Unless in flight: not before `at`.
    pub(crate) fn postpone(&mut self, at: Instant) {
        if !self.is_in_flight() {
            *self = Call::due(at);
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.state {
            State::Idle => None,
            State::Due { at } => Some(at),
            State::InFlight { until } => Some(until),
        }
    }
}
