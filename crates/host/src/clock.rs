//! Real time, as the engine wants it: microseconds since the process began to serve.

use std::time::{SystemTime, UNIX_EPOCH};

use topomotion_wire::Instant;

/// When the cluster began to serve, by both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    began: tokio::time::Instant,
    wall_ms: i64,
}

impl Clock {
    /// Begins now.
    pub(crate) fn start() -> Clock {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH);
        let wall_ms =
            since_1970.map_or(0, |it| i64::try_from(it.as_millis()).unwrap_or(0));
        Clock { began: tokio::time::Instant::now(), wall_ms }
    }

    /// Now; it never goes back.
    pub(crate) fn now(&self) -> Instant {
        Instant(u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX))
    }

    /// When that is by the runtime's clock. None if never.
    pub(crate) fn when(&self, at: Instant) -> Option<tokio::time::Instant> {
        self.began.checked_add(std::time::Duration::from_micros(at.as_micros()))
    }

    /// The wall clock at the beginning, in milliseconds since 1970.
    pub(crate) fn wall_ms(&self) -> i64 {
        self.wall_ms
    }
}
