//! `topomotion check`: lints, runs, expectations.

use serde::Serialize;
use topomotion_model::Severity;
use topomotion_sim::{Bound, RunOptions};
use topomotion_studio::{Account, Played, Production};

use crate::args::{Check, Told};
use crate::failure::Failure;
use crate::input::Script;
use crate::pipeline::{play, produce};
use crate::report::Report;
use crate::terminal::{Terminal, print, visible};

/// What was checked in one script.
#[derive(Debug, Serialize)]
struct Checked {
    script: String,
    scenarios: Vec<Scenario>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    explained: Vec<String>,
}

/// A scenario that was played.
#[derive(Debug, Serialize)]
struct Scenario {
    id: String,
    passed: bool,
    demands: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    digest: Option<String>,
}

/// Checks every script, even after one has failed.
pub fn run(arguments: Check, terminal: &Terminal) -> Result<(), Failure> {
    let report = Report::new(terminal, arguments.format, &arguments.strictness);
    let mut checked = Vec::new();
    let mut unread = None;
    for path in &arguments.scripts {
        match check(path, &arguments, &report) {
            Ok(one) => checked.push(one),
            Err(Failure::Told) => {}
            Err(Failure::Message { text, help }) => {
                terminal.error(&text, help.as_deref());
                unread = Some(Failure::Told);
            }
            Err(other) => return Err(other),
        }
    }
    let verdict = report.verdict();
    match arguments.format {
        Told::Text => {
            print(&checked.iter().map(told).collect::<String>())?;
            if let Some(summary) = report.summary() {
                terminal.say(&summary);
            }
        }
        Told::Json => {
            let findings = report.into_findings();
            let json = serde_json::json!({ "diagnostics": findings, "scripts": checked });
            print(&format!("{json:#}\n"))?;
        }
    }
    unread.map_or(verdict, Err)
}

fn check(path: &str, arguments: &Check, report: &Report<'_>) -> Result<Checked, Failure> {
    let script = Script::read(path)?;
    let production = produce(&script, None, &arguments.strictness, report)?;
    let options = RunOptions { seed: arguments.seed, ..RunOptions::default() };
    let mut scenarios = Vec::new();
    for scenario in production.choose(&[])? {
        let Ok(played) = play(&production, scenario, &options, report) else { continue };
        let complaints = played.complaints(Severity::Error);
        report.tell(&production.name, &production.sources, &complaints);
        scenarios.push(summed_up(&played));
    }
    let explained = if arguments.explain { explained(&production) } else { Vec::new() };
    Ok(Checked { script: production.name, scenarios, explained })
}

fn explained(production: &Production) -> Vec<String> {
    let mut sentences = production.binding.explain().to_vec();
    if let Bound::Nothing(reason) = production.binding.bound() {
        sentences.push(format!("nothing for the engine to run: {reason}"));
    }
    sentences
}

fn summed_up(played: &Played) -> Scenario {
    let id = played.scenario.id.to_string();
    match &played.account {
        Account::Scripted(_) => Scenario { id, passed: true, demands: 0, digest: None },
        Account::Executed(judged) => Scenario {
            id,
            passed: judged.passed(),
            demands: judged.outcome.verdicts.len(),
            digest: Some(format!("{:016x}", judged.outcome.digest)),
        },
    }
}

/// One script's lines, for people.
fn told(checked: &Checked) -> String {
    let mut text = String::new();
    for sentence in &checked.explained {
        text.push_str(&format!("{}: {sentence}\n", checked.script));
    }
    for scenario in &checked.scenarios {
        let mark = if scenario.passed { "✓" } else { "✘" };
        let demands = match scenario.demands {
            0 => String::new(),
            1 => " (1 demand)".to_owned(),
            many => format!(" ({many} demands)"),
        };
        text.push_str(&format!("{}: {mark} {}{demands}\n", checked.script, scenario.id));
    }
    if checked.scenarios.is_empty() {
        text.push_str(&format!("{}: ✓ nothing to play\n", checked.script));
    }
    visible(&text)
}
