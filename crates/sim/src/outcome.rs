//! What a run gives back.

use topomotion_trace::Trace;

use crate::{Aftermath, Coverage};

/// One run's result.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The story. Time 0 is the moment the cluster stood ready. What stands before
    /// [`What::Curtain`](topomotion_trace::What::Curtain) happened at time 0: the state that
    /// the set-up left behind, and those of its packets that the story refers to.
    pub trace: Trace,
    /// How the cluster came up, with times of its own.
    pub setup: Trace,
    /// What became of every expectation and every wait, in the order of the steps.
    pub verdicts: Vec<Verdict>,
    /// Why the run ended.
    pub ending: Ending,
    /// The story's digest: equal for equal runs.
    pub digest: u64,
    /// Inputs that machines were given, set-up included; timers are not counted.
    pub events: u64,
    /// Timers that went off.
    pub timers: u64,
    /// A digest of the course of events: who was given something or woken, and when. It does
    /// not depend on how much was written down.
    pub course: u64,
    /// Which rules acted, and how often, set-up included.
    pub coverage: Coverage,
    /// What came back after a storm, if there was one and it could be played out.
    pub aftermath: Option<Aftermath>,
}

impl Outcome {
    /// Whether the run ended by itself and everything demanded of it held.
    pub fn passed(&self) -> bool {
        self.ending == Ending::Quiet
            && self.verdicts.iter().all(|verdict| verdict.failure.is_none())
    }
}

/// An expectation or a wait, judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// Which step, counted from 0.
    pub step: usize,
    /// What was demanded, as scripts write it.
    pub demand: String,
    /// Why it does not hold; `None` if it holds.
    pub failure: Option<String>,
}

/// Why a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// Every step was done and nothing but routine happened any more.
    Quiet,
    /// The cluster never came up; the text says what was missing.
    NotReady(String),
    /// A limit was reached; the text says which, and where.
    Limit(String),
}
