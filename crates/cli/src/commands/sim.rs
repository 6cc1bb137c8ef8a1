//! `topomotion sim`: runs on the engine, told line by line.

use std::path::Path;

use topomotion_model::{Play, Scenario};
use topomotion_sim::{Ending, RunFile, RunOptions};
use topomotion_studio::{Account, Production, seconds};
use topomotion_verify::{Judged, replay};

use super::{exhaustive, storm_film, storms};
use crate::args::{Sim, Told};
use crate::failure::Failure;
use crate::input::{self, Script};
use crate::output::Draft;
use crate::pipeline::{play, produce};
use crate::report::Report;
use crate::terminal::{Terminal, print, visible};

/// Runs, and fails if anything demanded did not hold.
pub fn run(arguments: &Sim, terminal: &Terminal) -> Result<(), Failure> {
    if arguments.exhaustive.on {
        return exhaustive::run(arguments);
    }
    match (&arguments.replay, &arguments.seeds, &arguments.script) {
        (Some(file), ..) => rerun(file, arguments, terminal),
        (None, Some(seeds), _) => {
            match &arguments.run_file {
                Some(path) if seeds.end - seeds.first == 1 => {
                    storms::write_down(seeds.first, path, arguments)?;
                }
                Some(_) => {
                    let usage = Failure::usage("a run file holds one run");
                    return Err(usage.help("name one seed: --seeds 7"));
                }
                None => {}
            }
            storms::run(seeds, arguments)
        }
        (None, None, Some(script)) => run_script(script, arguments, terminal),
        (None, None, None) => {
            Err(Failure::usage("name a script, a run file with --replay, or --seeds"))
        }
    }
}

fn rerun(path: &str, arguments: &Sim, terminal: &Terminal) -> Result<(), Failure> {
    let file = RunFile::from_json(&input::read_text(path)?)
        .map_err(|wrong| Failure::message(format!("{path} is no run file: {wrong}")))?;
    let file = if arguments.shrink { storms::shrunk(&file)? } else { file };
    if let Some(path) = &arguments.run_file {
        storms::save(&file, path)?;
    }
    let judged = replay(&file);
    print(&told(&file.scenario, "", &judged, arguments))?;
    let passed = judged.passed();
    if let Some(output) = &arguments.render {
        storm_film::render(&file, judged, output, terminal)?;
    }
    if passed { Ok(()) } else { Err(Failure::Told) }
}

fn run_script(path: &str, arguments: &Sim, terminal: &Terminal) -> Result<(), Failure> {
    let report = Report::new(terminal, Told::Text, &arguments.strictness);
    let script = Script::read(path)?;
    let production = produce(&script, None, &arguments.strictness, &report)?;
    let scenarios = production.choose(&arguments.scenarios)?;
    let options = RunOptions { seed: arguments.seed, ..RunOptions::default() };
    if let Some(file) = &arguments.run_file {
        write_down(file, &production, &scenarios, &options, &report)?;
    }
    if scenarios.is_empty() {
        let name = &production.name;
        terminal
            .say(&format!("{name}: nothing to run; see `topomotion scenarios {name}`"));
    }
    let mut all_passed = true;
    for scenario in scenarios {
        let played = play(&production, scenario, &options, &report)?;
        let (id, title) = (played.scenario.id.as_str(), &played.scenario.title);
        match &played.account {
            Account::Executed(judged) => {
                all_passed &= judged.passed();
                print(&told(id, title, judged, arguments))?;
            }
            Account::Scripted(trace) => {
                let trace =
                    if arguments.trace { trace.to_string() } else { String::new() };
                let digest = played.trace().digest();
                print(&visible(&format!(
                    "{trace}{id}: {title}\n  scripted, nothing runs\n  digest {digest:016x}\n"
                )))?;
            }
        }
    }
    report.verdict()?;
    if all_passed { Ok(()) } else { Err(Failure::Told) }
}

fn write_down(
    path: &str,
    production: &Production,
    scenarios: &[Scenario],
    options: &RunOptions,
    report: &Report<'_>,
) -> Result<(), Failure> {
    let runs = scenarios.iter().filter(|one| matches!(one.play, Play::Run(_)));
    let runs: Vec<&Scenario> = runs.collect();
    let [scenario] = runs[..] else {
        let ids: Vec<&str> = runs.iter().map(|one| one.id.as_str()).collect();
        return Err(Failure::usage("a run file holds one run").help(if ids.is_empty() {
            "no scenario of this script runs on the engine".to_owned()
        } else {
            format!("choose one with --scenario: {}", ids.join(", "))
        }));
    };
    let file =
        RunFile::new(&production.binding, scenario, options).map_err(|mistakes| {
            report.tell(&production.name, &production.sources, &mistakes);
            Failure::Told
        })?;
    let text = file.to_json() + "\n";
    if path == "-" {
        return print(&text);
    }
    let mut draft = Draft::begin(Path::new(path))?;
    draft.fill(text.as_bytes())?;
    draft.commit()
}

/// One run: its trace if wanted, its verdicts, how it ended, and its digest.
fn told(id: &str, title: &str, judged: &Judged, arguments: &Sim) -> String {
    let outcome = &judged.outcome;
    let mut text = String::new();
    if arguments.setup {
        text.push_str(&outcome.setup.to_string());
    }
    if arguments.trace {
        text.push_str(&outcome.trace.to_string());
    }
    let title = if title.is_empty() { String::new() } else { format!(": {title}") };
    text.push_str(&format!("{id}{title}\n"));
    for verdict in &outcome.verdicts {
        let (step, demand) = (verdict.step, &verdict.demand);
        text.push_str(&match &verdict.failure {
            None => format!("  ✓ step {step}: {demand}\n"),
            Some(failure) => format!("  ✘ step {step}: {demand}: {failure}\n"),
        });
    }
    for violation in &judged.violations {
        let (at, what) = (seconds(violation.at), &violation.text);
        text.push_str(&format!("  ✘ at {at}: {what} ({})\n", violation.invariant));
    }
    let end = outcome.trace.events.last().map(|event| event.at).unwrap_or_default();
    text.push_str(&match &outcome.ending {
        Ending::Quiet => format!("  quiet at {} of engine time", seconds(end)),
        Ending::NotReady(why) => format!("  the cluster never came up: {why}"),
        Ending::Limit(which) => format!("  stopped: {which}"),
    });
    text.push_str(&format!(
        ", {} events\n  digest {:016x}\n",
        outcome.events, outcome.digest
    ));
    visible(&text)
}
