//! The application around a consumer: it polls, works on what it was handed, polls again.
//!
//! By itself it takes no time, and polls without end. Where it is told to be slow, a poll
//! hands on `max.poll.records` at most, and nothing more until they are worked off: that is
//! what `max.poll.interval.ms` and the commits inside the poll are about (GRP-9).

use std::collections::VecDeque;

use topomotion_wire::{ClientDeed, Duration, Instant, TopicPartition};

use super::membership::Polling;
use super::{Consumer, Flow};

/// What the application is at.
#[derive(Debug, Clone, Default)]
pub(super) struct Application {
    /// How long it works on a record.
    per_record: Duration,
    /// Since when, and until when, it does not poll.
    busy: Option<(Instant, Instant)>,
    /// Partitions with records that wait for a poll, in the order in which they came.
    waiting: VecDeque<TopicPartition>,
}

impl Application {
    pub fn is_polling(&self, now: Instant) -> bool {
        self.busy.is_none_or(|(_, until)| until <= now)
    }

    pub fn is_slow(&self) -> bool {
        self.per_record > Duration::ZERO
    }

    pub fn polling(&self, now: Instant) -> Polling {
        match self.busy {
            Some((since, until)) if until > now => Polling::Outside(since),
            _ => Polling::Inside,
        }
    }

    /// These records wait until it polls.
    pub fn wait(&mut self, partition: &TopicPartition) {
        if !self.waiting.contains(partition) {
            self.waiting.push_back(partition.clone());
        }
    }

    /// When it polls again.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        self.busy.map(|(_, until)| until).filter(|until| *until > now)
    }
}

impl Consumer {
    /// How long the application works on each record before it polls again; nothing, unless
    /// this says otherwise.
    pub fn set_processing_time(&mut self, per_record: Duration) {
        self.application.per_record = per_record;
    }

    /// The application does not poll until then, whatever keeps it.
    pub fn pause_polling(&mut self, now: Instant, until: Instant) {
        let (since, before) = self
            .application
            .busy
            .filter(|(_, before)| *before > now)
            .unwrap_or((now, now));
        self.application.busy = Some((since, before.max(until)));
        self.drive(now);
    }

    /// The application works on records that it was handed.
    pub(super) fn works_on(&mut self, now: Instant, records: usize) {
        let each = self.application.per_record;
        if each == Duration::ZERO || records == 0 {
            return;
        }
        let records_64 = u64::try_from(records).unwrap_or(u64::MAX);
        let until = now + Duration(each.0.saturating_mul(records_64));
        self.application.busy = Some((now, until));
        self.cluster.deed(None, ClientDeed::Busy { records });
    }

    /// A poll: hands on what came in meanwhile, until the application is busy again.
    pub(super) fn hand_on(&mut self, now: Instant) {
        while self.application.is_polling(now) {
            let Some(partition) = self.application.waiting.pop_front() else { return };
            let Some(assigned) = self.assigned.get_mut(&partition) else { continue };
            // Whoever was paused meanwhile gives it when it is resumed.
            if assigned.flow != Flow::Running {
                continue;
            }
            if let Some((from, told)) = assigned.held.take() {
                self.took(now, &partition, from, &told);
            }
        }
    }
}
