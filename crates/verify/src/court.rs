//! The judge: answers every condition, and watches the invariants.

use topomotion_model::Condition;
use topomotion_sim::{Judge, Observer};
use topomotion_trace::{Event, Time, What};

use crate::model::Model;
use crate::quorum::Elections;
use crate::replication::Matching;
use crate::{Violation, promises, replication};

/// The judge to hand to [`sim::play`](topomotion_sim::play).
#[derive(Debug, Clone, Default)]
pub struct Court {
    observer: Observer,
    model: Model,
    matching: Matching,
    elections: Elections,
    violations: Vec<Violation>,
}

/// Where checkers put what they find.
pub(crate) struct Bench<'a> {
    at: Time,
    found: &'a mut Vec<Violation>,
}

impl Bench<'_> {
    /// Demands that something holds.
    pub fn demand(
        &mut self,
        invariant: &'static str,
        holds: bool,
        text: impl FnOnce() -> String,
    ) {
        if !holds {
            self.found.push(Violation { invariant, at: self.at, text: text() });
        }
    }
}

impl Court {
    /// Nothing has been seen yet.
    pub fn new() -> Court {
        Court::default()
    }

    /// The invariants broken so far.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The invariants broken, when all is over.
    pub fn into_violations(self) -> Vec<Violation> {
        self.violations
    }
}

impl Judge for Court {
    fn see(&mut self, event: &Event) {
        self.observer.see(event);
        let What::State(change) = &event.what else { return };
        let mut bench = Bench { at: event.at, found: &mut self.violations };
        replication::before(&self.model, change, &mut bench);
        self.model.apply(change);
        replication::after(&self.model, change, &mut bench);
        self.matching.check(&self.model, change, &mut bench);
        promises::check(&self.model, change, &mut bench);
        self.elections.check(change, &mut bench);
    }

    fn judge(&self, condition: &Condition) -> Result<(), String> {
        match condition {
            Condition::NoAcknowledgedRecordLost => promises::kept(&self.model),
            Condition::Leader { .. }
            | Condition::Isr { .. }
            | Condition::Number { .. } => self.observer.judge(condition),
        }
    }
}
