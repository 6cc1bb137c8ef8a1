//! What time brings: transactions that take too long are aborted (TXN-11), and ids that nobody
//! uses are forgotten (`transactional.id.expiration.ms`).
//!
//! Both are looked for at regular moments, not exactly when they are due, as in Kafka.

use std::sync::Arc;

use topomotion_wire::{Duration, Instant, Rule, TransactionState};

use super::entries::{Change, Entry};
use super::machine::TransactionShard;
use super::state::Transaction;

/// A look at everything, in regular intervals.
#[derive(Debug, Clone)]
pub(super) struct Scan {
    interval: Duration,
    next: Instant,
}

impl Scan {
    /// Once per interval; a zero interval is a millisecond.
    pub fn every(interval: Duration) -> Scan {
        let interval = interval.max(Duration::from_millis(1));
        Scan { interval, next: Instant::ZERO + interval }
    }

    /// The first is one interval from now.
    pub fn start(&mut self, now: Instant) {
        self.next = now + self.interval;
    }

    /// Whether it is time, and then sets the next; the rhythm stays.
    fn is_due(&mut self, now: Instant) -> bool {
        if now < self.next {
            return false;
        }
        let missed = (now - self.next).as_micros() / self.interval.as_micros();
        let ahead = self.interval.as_micros().saturating_mul(missed + 1);
        self.next += Duration::from_micros(ahead);
        true
    }
}

impl TransactionShard {
    /// Looks for what has taken too long, when it is time to look.
    pub(super) fn scan(&mut self, now: Instant) {
        if self.timeouts.is_due(now) {
            self.abort_timed_out(now);
        }
        if self.expirations.is_due(now) {
            self.forget_unused(now);
        }
    }

    /// When there is something to do next.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let idle = |entry: &Entry| entry.pending.is_none();
        let any = |test: fn(&Transaction) -> bool| {
            let mut quiet = self.entries.values().filter(|entry| idle(entry));
            quiet.any(|entry| entry.durable.as_ref().is_some_and(test))
        };
        let timeouts = any(is_open).then_some(self.timeouts.next);
        let expirations = any(may_expire).then_some(self.expirations.next);
        let endings = self
            .entries
            .values()
            .filter(|entry| idle(entry))
            .filter_map(|entry| entry.ending.as_ref()?.next_due());
        endings.chain(timeouts).chain(expirations).min()
    }

    fn abort_timed_out(&mut self, now: Instant) {
        let now_ms = self.wall_ms(now);
        let late =
            self.quiet_where(|found| is_open(found) && has_timed_out(found, now_ms));
        for (id, transaction) in late {
            let fenced = transaction.fenced(now_ms);
            self.write(&id, Change::own(Some(fenced), vec![Rule::Txn11]));
        }
    }

    fn forget_unused(&mut self, now: Instant) {
        let lifetime = self.config.id_expiration.as_millis();
        let lifetime = i64::try_from(lifetime).unwrap_or(i64::MAX);
        let until = self.wall_ms(now).saturating_sub(lifetime);
        let unused =
            self.quiet_where(|found| may_expire(found) && found.updated_ms <= until);
        for (id, _) in unused {
            self.write(&id, Change::own(None, Vec::new()));
        }
    }

    fn quiet_where(
        &self,
        test: impl Fn(&Transaction) -> bool,
    ) -> Vec<(Arc<str>, Transaction)> {
        let quiet = self.entries.iter().filter(|(_, entry)| entry.pending.is_none());
        quiet
            .filter_map(|(id, entry)| Some((id, entry.durable.as_ref()?)))
            .filter(|(_, transaction)| test(transaction))
            .map(|(id, transaction)| (id.clone(), transaction.clone()))
            .collect()
    }
}

fn is_open(transaction: &Transaction) -> bool {
    transaction.state == TransactionState::Ongoing
}

fn has_timed_out(transaction: &Transaction, now_ms: i64) -> bool {
    let started = transaction.started_ms.unwrap_or(transaction.updated_ms);
    started.saturating_add(i64::from(transaction.timeout_ms)) < now_ms
}

fn may_expire(transaction: &Transaction) -> bool {
    matches!(
        transaction.state,
        TransactionState::Empty
            | TransactionState::CompleteCommit
            | TransactionState::CompleteAbort
    )
}
