//! The heartbeat's clock: when the next one is due, and since when nobody has answered.

use topomotion_wire::{Duration, Instant};

/// When a heartbeat is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Pulse {
    due: Instant,
    heard: Instant,
    beat: Beat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Beat {
    Resting,
    UnderWay,
}

impl Pulse {
    /// The first heartbeat is due after this span.
    pub fn start(now: Instant, first: Duration) -> Pulse {
        Pulse { due: now + first, heard: now, beat: Beat::Resting }
    }

    pub fn is_due(&self, now: Instant) -> bool {
        self.beat == Beat::Resting && self.due <= now
    }

    /// One leaves; the next is due an interval later, answered or not.
    pub fn sent(&mut self, now: Instant, interval: Duration) {
        (self.due, self.beat) = (now + interval, Beat::UnderWay);
    }

    pub fn heard(&mut self, now: Instant) {
        (self.heard, self.beat) = (now, Beat::Resting);
    }

    /// It was refused or lost: the next one leaves after a pause.
    pub fn failed(&mut self, now: Instant, pause: Duration) {
        (self.due, self.beat) = (now + pause, Beat::Resting);
    }

    /// The coordinator wants the next one then.
    pub fn postpone(&mut self, due: Instant) {
        self.due = due;
    }

    /// When the next one is due; not while one is under way.
    pub fn due(&self) -> Option<Instant> {
        match self.beat {
            Beat::Resting => Some(self.due),
            Beat::UnderWay => None,
        }
    }

    /// Something is to be said: no need to wait.
    pub fn hurry(&mut self, now: Instant) {
        self.due = self.due.min(now);
    }

    /// Whether the coordinator has been silent for the whole session.
    pub fn is_silent(&self, now: Instant, session: Duration) -> bool {
        self.heard + session <= now
    }

    /// Begins to count the silence anew.
    pub fn forgive(&mut self, now: Instant) {
        self.heard = now;
    }

    /// When something is due next.
    pub fn deadline(&self, session: Duration) -> Instant {
        let silent = self.heard + session;
        match self.beat {
            Beat::Resting => self.due.min(silent),
            Beat::UnderWay => silent,
        }
    }
}
