//! Scenarios chosen and played.

use topomotion_animate::{Kind, Pace, Story, flow};
use topomotion_live::Live;
use topomotion_model::{Diagnostic, Play, Scenario, Severity, nearest};
use topomotion_scene::Scene;
use topomotion_sim::{Builtin, Ending, RunFile, RunOptions, builtin_scenarios, builtins};
use topomotion_trace::{Time, Trace, What};
use topomotion_verify::Judged;

use crate::production::Production;

/// A scenario and what happened in it.
#[derive(Debug)]
pub struct Played {
    /// What was to happen.
    pub scenario: Scenario,
    /// What happened.
    pub account: Account,
}

/// What happened in a scenario.
#[derive(Debug)]
pub enum Account {
    /// The author wrote it.
    Scripted(Trace),
    /// The engine ran.
    Executed(Box<Judged>),
}

/// That there is no such scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unknown {
    /// What is wrong.
    pub text: String,
    /// What to do.
    pub help: Option<String>,
}

impl Played {
    /// What happened, event by event.
    pub fn trace(&self) -> &Trace {
        match &self.account {
            Account::Scripted(trace) => trace,
            Account::Executed(judged) => &judged.outcome.trace,
        }
    }

    /// As the director wants it.
    pub fn story(&self) -> Story<'_> {
        Story {
            id: self.scenario.id.as_str(),
            title: &self.scenario.title,
            description: self.scenario.description.as_deref().unwrap_or_default(),
            trace: self.trace(),
            kind: match self.account {
                Account::Scripted(_) => Kind::Scripted,
                Account::Executed(_) => Kind::Executed,
            },
        }
    }

    /// Everything that did not go as demanded: as errors, or as warnings where the picture
    /// is drawn all the same. A cluster that never came up is always an error.
    pub fn complaints(&self, severity: Severity) -> Vec<Diagnostic> {
        let Account::Executed(judged) = &self.account else { return Vec::new() };
        let id = &self.scenario.id;
        let mut found = Vec::new();
        match &judged.outcome.ending {
            Ending::Quiet => {}
            Ending::NotReady(why) => found.push(
                Diagnostic::error(
                    "cluster-not-ready",
                    format!("scenario `{id}`: the cluster never came up: {why}"),
                    self.scenario.origin.whole,
                )
                .help("a cluster needs a controller that its brokers can reach"),
            ),
            Ending::Limit(which) => found.push(of(
                severity,
                "run-limit",
                format!("scenario `{id}` was stopped: {which}"),
                self,
            )),
        }
        found.extend(self.failed_demands(severity));
        found.extend(judged.violations.iter().map(|violation| {
            let (at, text) = (seconds(violation.at), &violation.text);
            let invariant = violation.invariant;
            of(
                severity,
                "invariant-broken",
                format!("scenario `{id}`: at {at} {text} ({invariant})"),
                self,
            )
            .help("no Kafka of ours may do that: please report it with `sim --run-file`")
        }));
        found
    }

    fn failed_demands(&self, severity: Severity) -> Vec<Diagnostic> {
        let Account::Executed(judged) = &self.account else { return Vec::new() };
        let failed = judged.outcome.verdicts.iter().filter_map(|verdict| {
            let failure = verdict.failure.as_ref()?;
            let (id, demand) = (&self.scenario.id, &verdict.demand);
            let when = self
                .moment_of(verdict.step)
                .map_or_else(String::new, |at| format!(" at {}", seconds(at)));
            let span = match &self.scenario.play {
                Play::Run(run) => run.steps.get(verdict.step),
                Play::Flow(_) => None,
            };
            let span = span.and_then(|step| step.origin.part("condition"));
            let diagnostic = Diagnostic {
                severity,
                ..Diagnostic::error(
                    "expectation-failed",
                    format!("scenario `{id}`: `{demand}` does not hold{when}: {failure}"),
                    span.or(self.scenario.origin.whole),
                )
            };
            Some(diagnostic.at("demanded here").help(format!(
                "see what led to it: topomotion sim SCRIPT --scenario {id} --trace"
            )))
        });
        failed.collect()
    }

    /// When the demand of a step was judged.
    fn moment_of(&self, step: usize) -> Option<Time> {
        let judged = self.trace().events.iter().rev().find(|event| {
            matches!(&event.what, What::Verdict { step: of, failure: Some(_), .. } if *of == step)
        });
        judged.map(|event| event.at)
    }
}

fn of(
    severity: Severity,
    code: &'static str,
    text: String,
    played: &Played,
) -> Diagnostic {
    let span = played.scenario.origin.whole;
    Diagnostic { severity, ..Diagnostic::error(code, text, span) }
}

/// Engine time with milliseconds: `9.012 s`.
pub fn seconds(time: Time) -> String {
    format!("{}.{:03} s", time.0 / 1_000_000, time.0 % 1_000_000 / 1000)
}

impl Production {
    /// What the engine in the page needs to go on with those of these stories that it ran.
    pub fn live(&self, scene: &Scene, stories: &[Played], seed: Option<u64>) -> Live {
        let options = RunOptions { seed, ..RunOptions::default() };
        let mut live = Live::new(scene.clone(), &self.dress.theme);
        live.title = self.topology.title.clone().unwrap_or_default();
        live.description = self.topology.description.clone().unwrap_or_default();
        for Played { scenario, account } in stories {
            let Account::Executed(judged) = account else { continue };
            // It was played: nothing is wrong with it.
            if let Ok(file) = RunFile::new(&self.binding, scenario, &options) {
                live.add(scenario, file, &judged.outcome);
            }
        }
        live
    }

    /// The scenarios with these ids, the script's own before built-in ones; without ids, all
    /// of the script's own, or every built-in one that fits if it has none.
    pub fn choose(&self, wanted: &[String]) -> Result<Vec<Scenario>, Unknown> {
        if wanted.is_empty() {
            let own = self.topology.scenarios.clone();
            return Ok(if own.is_empty() {
                builtin_scenarios(&self.binding)
            } else {
                own
            });
        }
        wanted.iter().map(|id| self.scenario(id)).collect()
    }

    fn scenario(&self, id: &str) -> Result<Scenario, Unknown> {
        let own = &self.topology.scenarios;
        if let Some(scenario) = own.iter().find(|scenario| scenario.id.as_str() == id) {
            return Ok(scenario.clone());
        }
        let builtins = builtins(&self.binding);
        let name = &self.name;
        match builtins.iter().find(|builtin| builtin.id.as_str() == id) {
            Some(builtin) => builtin.fit.clone().map_err(|lacking| {
                let text = format!("{name}: scenario `{id}` does not fit: {lacking}");
                Unknown { text, help: None }
            }),
            None => {
                let fits = |builtin: &&Builtin| builtin.fit.is_ok();
                let fitting = builtins.iter().filter(fits).map(|it| it.id.as_str());
                let own: Vec<&str> = own.iter().map(|it| it.id.as_str()).collect();
                let near = nearest(id, own.iter().copied().chain(fitting.clone()));
                let help = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => self.what_there_is(&own, fitting.count()),
                };
                let text = format!("{name}: no scenario has the id `{id}`");
                Err(Unknown { text, help: Some(help) })
            }
        }
    }

    /// The scenarios that may be asked for: the script's own by name, and where to read of
    /// the built-in ones, which are too many for one line.
    fn what_there_is(&self, own: &[&str], fitting: usize) -> String {
        let builtin = format!(
            "{fitting} built-in ones fit: `topomotion scenarios {}` lists them",
            self.name
        );
        match (own.is_empty(), fitting) {
            (true, 0) => "it has none, and no built-in one fits".to_owned(),
            (true, _) => builtin,
            (false, 0) => format!("there are: {}", own.join(", ")),
            (false, _) => format!("its own are: {}; {builtin}", own.join(", ")),
        }
    }

    /// Plays a scenario, or says what in it cannot be played.
    pub fn play(
        &self,
        scenario: Scenario,
        options: &RunOptions,
    ) -> Result<Played, Vec<Diagnostic>> {
        let account = match &scenario.play {
            Play::Flow(flow) => Account::Scripted(flow::to_trace(flow, &Pace::default())),
            Play::Run(_) => {
                let judged = topomotion_verify::run(&self.binding, &scenario, options)?;
                Account::Executed(Box::new(judged))
            }
        };
        Ok(Played { scenario, account })
    }
}
