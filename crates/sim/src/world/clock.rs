//! A host's own clock: it may run fast or slow, and jump ahead.
//!
//! A machine never sees the world's time. It is told its host's, and what it wants done at a
//! moment of its own clock is done at the moment of the world at which its clock shows that.

use topomotion_wire::{Duration, Instant, Machine};

use super::World;
use super::host::HostId;
use crate::Sight;

/// The moment at which every run begins, in milliseconds since 1970: 2025-01-01.
pub(crate) const WALL_CLOCK_BASE_MS: i64 = 1_735_689_600_000;

/// Shows `shows` at `at` and runs at `percent` of the right speed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    at: Instant,
    shows: Instant,
    percent: u64,
}

impl Default for Clock {
    fn default() -> Clock {
        Clock { at: Instant::ZERO, shows: Instant::ZERO, percent: 100 }
    }
}

impl Clock {
    /// What it shows.
    pub fn read(&self, now: Instant) -> Instant {
        Instant(self.shows.0.saturating_add(now.since(self.at).0 * self.percent / 100))
    }

    /// When it shows this, at the earliest.
    pub fn when(&self, shown: Instant) -> Instant {
        let ahead = u128::from(shown.since(self.shows).0) * 100;
        let ahead = ahead.div_ceil(u128::from(self.percent));
        self.at + Duration(u64::try_from(ahead).unwrap_or(u64::MAX))
    }

    /// From now on it runs at this speed.
    pub fn drift(&mut self, now: Instant, percent: u64) {
        (self.shows, self.at) = (self.read(now), now);
        self.percent = percent.clamp(1, 10_000);
    }

    /// It jumps ahead. No clock of ours goes back: it stands for the monotonic one.
    pub fn jump(&mut self, now: Instant, by: Duration) {
        (self.shows, self.at) = (self.read(now) + by, now);
    }
}

impl<M: Machine> World<M> {
    /// What a host's clock shows.
    pub fn local(&self, host: HostId) -> Instant {
        self.hosts[host.0].clock.read(self.now)
    }

    /// What a host takes for the time of day, in ms since 1970.
    pub(super) fn wall_ms(&self, host: HostId) -> i64 {
        let passed = i64::try_from(self.local(host).as_millis()).unwrap_or(i64::MAX);
        WALL_CLOCK_BASE_MS.saturating_add(passed)
    }

    /// From now on a host's clock runs at so many percent of the right speed.
    pub fn drift(&mut self, host: HostId, percent: u64) {
        let now = self.now;
        if self.hosts[host.0].clock.percent != percent {
            self.hosts[host.0].clock.drift(now, percent);
            self.tell_clock(host);
            self.rearm(host);
        }
    }

    /// A host's clock jumps ahead.
    pub fn jump(&mut self, host: HostId, by: Duration) {
        let now = self.now;
        self.hosts[host.0].clock.jump(now, by);
        self.tell_clock(host);
        self.rearm(host);
    }

    fn tell_clock(&mut self, host: HostId) {
        let process = self.hosts[host.0].name.clone();
        self.recorder.sight(Sight::ClockMoved(process));
    }

    fn rearm(&mut self, host: HostId) {
        self.timers[host.0] = None;
        self.arm(host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_drifts_and_jumps_is_read_back_exactly() {
        let mut clock = Clock::default();
        clock.drift(Instant(1_000), 150);
        assert_eq!(clock.read(Instant(1_100)), Instant(1_150));
        clock.jump(Instant(1_100), Duration(50));
        assert_eq!(clock.read(Instant(1_100)), Instant(1_200));
        clock.drift(Instant(1_100), 70);
        for shown in 1_200..2_000 {
            let when = clock.when(Instant(shown));
            assert!(clock.read(when) >= Instant(shown), "not too early");
            assert!(clock.read(Instant(when.0 - 1)) < Instant(shown).max(Instant(1_201)));
        }
    }
}
