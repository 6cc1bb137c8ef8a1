//! Judgement over a run: what was demanded of it, and what must hold of every run.
//!
//! The checkers read the trace and nothing else. They keep a model of their own (which
//! batches were acknowledged, what each replica's log holds, who leads) and never call the
//! engine whose behaviour they judge.
//!
//! ```text
//!   RunFile ──sim::play──► Outcome ──► Judged { outcome, violations }
//!                 ▲ sees and answers
//!                Court ── Model (folded from the trace)
//! ```
//!
//! It is not a test of the engine's code and not a simulator. The central types are
//! [`Court`], the judge to hand to `sim`, and [`Violation`], something that must never
//! happen and did. The invariants are named as in the project's semantics reference: `R` for
//! replication, `K` for the metadata quorum.
//!
//! ```
//! use topomotion_model::builder::{EdgeConfig, ProcessConfig, TopologyBuilder};
//! use topomotion_sim::{RunOptions, bind, builtin_scenarios};
//!
//! let mut topology = TopologyBuilder::default();
//! for id in ["broker-1", "broker-2", "broker-3", "order-producer"] {
//!     topology.create_process(ProcessConfig::new(id));
//! }
//! topology.connect(EdgeConfig::new("order-producer", "broker-1"));
//! let (topology, _) = topology.build().expect("no mistakes");
//!
//! let binding = bind(&topology).expect("no mistakes");
//! let scenario = &builtin_scenarios(&binding)[0];
//! let judged = topomotion_verify::run(&binding, scenario, &RunOptions::default());
//! assert!(judged.expect("can be run").passed());
//! ```

mod compacted;
mod court;
mod homes;
mod invariants;
mod model;
mod promises;
mod quorum;
mod replication;
mod shrink;

use topomotion_model::{Condition, Diagnostic, Scenario};
use topomotion_sim::{Action, Binding, Demand, Judge, Outcome, RunFile, RunOptions};
use topomotion_trace::{Time, Trace};

pub use court::Court;
pub use shrink::{Shrunk, shrink};

/// Something that must never happen, and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The invariant's id, such as `R7`.
    pub invariant: &'static str,
    /// When.
    pub at: Time,
    /// What happened, in words.
    pub text: String,
}

/// A run with everything that can be said of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The run, its verdicts included.
    pub outcome: Outcome,
    /// Broken invariants, but for those that the scenario expects to be broken.
    pub violations: Vec<Violation>,
    /// Broken invariants that the scenario expects: it tells the story of a hole.
    pub expected: Vec<Violation>,
}

impl Judged {
    /// Whether every expectation held and no invariant was broken.
    pub fn passed(&self) -> bool {
        self.outcome.passed() && self.violations.is_empty()
    }
}

/// Plays a scenario and judges it.
pub fn run(
    binding: &Binding,
    scenario: &Scenario,
    options: &RunOptions,
) -> Result<Judged, Vec<Diagnostic>> {
    Ok(replay(&RunFile::new(binding, scenario, options)?))
}

/// Plays a run file and judges it.
pub fn replay(file: &RunFile) -> Judged {
    let mut court = Court::of(&file.cluster);
    let outcome = topomotion_sim::play(file, &mut court);
    conclude(outcome, court, &excused(file))
}

/// Plays a storm for the judge alone: the same verdict as [`replay`], without a trace.
pub fn examine(file: &RunFile) -> Judged {
    let mut court = Court::of(&file.cluster);
    let outcome = topomotion_sim::probe(file, &mut court);
    conclude(outcome, court, &[])
}

/// The invariants that some step expects to be broken.
fn excused(file: &RunFile) -> Vec<String> {
    let conditions = file.steps.iter().filter_map(|step| match &step.action {
        Action::Expect { condition } | Action::WaitUntil { condition, .. } => {
            Condition::parse(condition).ok()
        }
        _ => None,
    });
    conditions.filter_map(|one| one.violation().map(str::to_owned)).collect()
}

/// What is to be said when a run is over.
fn conclude(outcome: Outcome, mut court: Court, excused: &[String]) -> Judged {
    let Some(aftermath) = &outcome.aftermath else {
        let is_expected = |one: &Violation| excused.iter().any(|it| it == one.invariant);
        let (found, allowed) = court.adjourn();
        let (mut expected, violations): (Vec<_>, Vec<_>) =
            found.into_iter().partition(is_expected);
        expected.extend(allowed.into_iter().filter(is_expected));
        return Judged { outcome, violations, expected };
    };
    court.demand_promises();
    let at = court.moment();
    let excuses = court.excuses_hanging();
    let mut violations = court.into_violations();
    let late = aftermath.late.iter();
    let late = late.filter(|(demand, _)| !(excuses && needs_every_record(**demand)));
    violations.extend(late.map(|(demand, missing)| {
        let (what, seconds) = (demand.what(), demand.within_ms() / 1_000);
        let text =
            format!("{seconds} s after the end it was not so that {what}: {missing}");
        Violation { invariant: demand.id(), at, text }
    }));
    Judged { outcome, violations, expected: Vec::new() }
}

/// Whether lost records of transactions, or of their ends, may keep this from coming back.
fn needs_every_record(demand: Demand) -> bool {
    match demand {
        Demand::TransactionsOver
        | Demand::NothingUnstable
        | Demand::EverythingRead
        | Demand::AllReadAnew => true,
        Demand::QuorumLeader
        | Demand::BrokersUnfenced
        | Demand::PartitionsLed
        | Demand::IsrWhole
        | Demand::ProducesAnswered
        | Demand::GroupsStable
        | Demand::MetadataEqual => false,
    }
}

/// The invariants that a finished trace breaks.
pub fn check(trace: &Trace) -> Vec<Violation> {
    let mut court = Court::new();
    trace.events.iter().for_each(|event| court.see(event));
    court.into_violations()
}

#[cfg(test)]
mod defects;
#[cfg(test)]
mod mutants;
#[cfg(test)]
mod plays;
#[cfg(test)]
mod tests;
