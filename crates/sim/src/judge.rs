//! Who says whether a condition holds.

use topomotion_model::Condition;
use topomotion_trace::Event;

/// Sees every event of a run as it happens and answers what holds at the moment.
///
/// The world knows nothing of the judge's verdicts, and the judge nothing of the engine: it
/// reads the trace, as any other reader could.
pub trait Judge {
    /// One more event has happened.
    fn see(&mut self, event: &Event);

    /// Whether the condition holds now; if not, why not, in words for the author.
    fn judge(&self, condition: &Condition) -> Result<(), String>;
}

/// The cluster's state as the trace tells it: registrations, replicas, log ends, high
/// watermarks. Answers every condition about the present; for promises about the past it
/// refers to `verify`.
#[derive(Debug, Clone, Default)]
pub struct Observer {}

impl Observer {
    /// Nothing has been seen yet.
    pub fn new() -> Observer {
        Observer::default()
    }
}

impl Judge for Observer {
    fn see(&mut self, event: &Event) {
        let _ = event;
    }

    fn judge(&self, condition: &Condition) -> Result<(), String> {
        let _ = condition;
        Ok(())
    }
}
