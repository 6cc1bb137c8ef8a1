//! A run that leaves its script at an instant: which steps it has then.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use topomotion_model::{Awaits, ProcessId};
use topomotion_sim::{Action, Outcome, PlannedStep, RunFile, play_from};
use topomotion_trace::{Time, Trace, What};
use topomotion_verify::Court;

/// What became of a run that was taken over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Branch {
    /// When it was, in µs of engine time: what the script says later is not done.
    pub from: u64,
    /// What was done since, in the order of time.
    pub deeds: Vec<Deed>,
}

/// Something done by hand.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Deed {
    /// When, in µs of engine time; whole ms after what was done before.
    pub at: u64,
    /// What.
    #[serde(flatten)]
    pub action: Action,
}

/// A run as it goes on.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Branched {
    /// The run, complete.
    pub file: RunFile,
    /// The clients that are not there at first.
    pub absent: BTreeSet<ProcessId>,
    /// The step at which each deed is done.
    pub deeds: Vec<usize>,
}

impl Branched {
    /// The script's own run.
    pub fn untouched(file: &RunFile) -> Branched {
        let absent = file.latecomers().into_iter().cloned().collect();
        Branched { file: file.clone(), absent, deeds: Vec::new() }
    }

    /// The run that a branch makes of the script's own, whose trace is known.
    pub fn new(file: &RunFile, trace: &Trace, branch: &Branch) -> Branched {
        let mut run = Branched::untouched(file);
        let begun: Vec<Time> = starts(trace).collect();
        let from = Time(branch.from);
        let count = begun.partition_point(|at| *at <= from).min(file.steps.len());
        run.file.steps.truncate(count);
        let mut now = run.leave(&begun, count, from);
        for deed in &branch.deeds {
            now = run.pass(now, Time(deed.at));
            run.deeds.push(run.file.steps.len());
            run.file.steps.push(step(deed.action.clone()));
            if takes_time(&deed.action) {
                now = run.end();
            }
        }
        run
    }

    /// Cuts the step short that is under way, so that time stands at `from`. When it stands
    /// instead, where a step cannot be cut short.
    fn leave(&mut self, begun: &[Time], count: usize, from: Time) -> Time {
        let Some(start) = count.checked_sub(1).map(|last| begun[last]) else {
            return self.pass(Time(0), from);
        };
        let Some(last) = self.file.steps.last_mut() else { return start };
        match &mut last.action {
            Action::Wait { .. } | Action::WaitUntil { .. } => {
                let ms = from.0.saturating_sub(start.0) / 1000;
                last.action = Action::Wait { ms };
                Time(start.0 + ms * 1000)
            }
            Action::Produce { awaits, .. } => {
                *awaits = Awaits::Nothing;
                self.pass(start, from)
            }
            action if takes_time(action) => {
                let end = begun.get(count).copied().unwrap_or_else(|| self.end());
                self.pass(end, from)
            }
            _ => self.pass(start, from),
        }
    }

    /// Lets time pass up to an instant, as far as whole ms go.
    fn pass(&mut self, now: Time, to: Time) -> Time {
        let ms = to.0.saturating_sub(now.0) / 1000;
        if ms > 0 {
            self.file.steps.push(step(Action::Wait { ms }));
        }
        Time(now.0 + ms * 1000)
    }

    /// When the last step is over, which only the engine knows.
    fn end(&self) -> Time {
        let mut longer = self.clone();
        longer.file.steps.push(step(Action::Wait { ms: 0 }));
        let (outcome, _) = longer.play();
        starts(&outcome.trace).last().unwrap_or_default()
    }

    /// Plays it.
    pub fn play(&self) -> (Outcome, Court) {
        let mut court = Court::of(&self.file.cluster);
        let outcome = play_from(&self.file, &self.absent, &mut court);
        (outcome, court)
    }
}

fn step(action: Action) -> PlannedStep {
    PlannedStep { action, caption: None }
}

/// When each step began, in order.
pub(crate) fn starts(trace: &Trace) -> impl Iterator<Item = Time> + '_ {
    trace.events.iter().filter_map(|event| match event.what {
        What::Step { .. } => Some(event.at),
        _ => None,
    })
}

/// Whether the run goes on only when something has been answered. Records that are sent by hand
/// are not waited for.
fn takes_time(action: &Action) -> bool {
    match action {
        Action::Shutdown { .. }
        | Action::Admin { .. }
        | Action::Client { .. }
        | Action::Wait { .. }
        | Action::WaitUntil { .. } => true,
        Action::Produce { awaits, .. } => *awaits == Awaits::Answers,
        _ => false,
    }
}
