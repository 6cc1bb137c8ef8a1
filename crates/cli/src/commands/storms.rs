//! `topomotion sim --seeds`: many random storms, judged, on all cores.
//!
//! Each storm runs on one thread and is the same whatever the others do; the account is
//! given in the order of the seeds, so that it does not depend on the number of threads.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use topomotion_sim::{Clients, Climate, Coverage, Ending, RunFile, draw};
use topomotion_studio::seconds;
use topomotion_verify::{Judged, Violation, examine, replay, shrink};

use crate::args::Sim;
use crate::failure::Failure;
use crate::output::Draft;
use crate::ranges::Seeds;
use crate::terminal::{print, visible};

/// Rules that no drawn storm reaches, and why.
const OUT_OF_REACH: &[(&str, &str)] = &[
    ("REP-1", "a state, not an act: R1 judges it"),
    ("TRN-1", "an older era's way; storms are of today, and the eras have their stories"),
    ("TRN-2", "an older era's way; storms are of today, and the eras have their stories"),
];

/// A batch this large must reach every rule that a storm can reach.
const STANDARD: u64 = 300;
/// How many storms a search for a smaller one may try.
const TRIES: usize = 2_000;

/// What is kept of one storm.
#[derive(Debug)]
struct Told {
    violations: Vec<Violation>,
    ending: Ending,
    events: u64,
    coverage: Coverage,
}

/// Plays storms until the seeds or the minutes are used up.
pub fn run(seeds: &Seeds, arguments: &Sim) -> Result<(), Failure> {
    let climate = climate(arguments);
    let jobs = arguments.jobs.unwrap_or_else(cores).max(1);
    let patience =
        arguments.minutes.map(|minutes| Duration::from_secs_f64(minutes * 60.0));
    let begun = Instant::now();
    let next = AtomicU64::new(seeds.first);
    let told = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..jobs {
            scope.spawn(|| {
                while patience.is_none_or(|patience| begun.elapsed() < patience) {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        break;
                    }
                    let judged = account(examine(&draw(seed, &climate)));
                    told.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .insert(seed, judged);
                }
            });
        }
    });
    let told = told.into_inner().unwrap_or_else(PoisonError::into_inner);
    report(&told, begun.elapsed(), arguments)
}

/// What is asked for.
fn climate(arguments: &Sim) -> Climate {
    let brokers = arguments.brokers.clone().unwrap_or_default().0;
    let clients = match arguments.without_groups {
        true => Clients::Plain,
        false => Clients::All,
    };
    Climate { brokers, clients, ..Climate::default() }
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

fn account(judged: Judged) -> Told {
    let Judged { outcome, violations, .. } = judged;
    let (ending, events, coverage) = (outcome.ending, outcome.events, outcome.coverage);
    Told { violations, ending, events, coverage }
}

fn report(
    told: &BTreeMap<u64, Told>,
    took: Duration,
    arguments: &Sim,
) -> Result<(), Failure> {
    let mut coverage = Coverage::default();
    let mut events = 0;
    let mut failed = 0;
    let mut text = String::new();
    for (seed, told) in told {
        coverage.add(&told.coverage);
        events += told.events;
        if told.violations.is_empty() && told.ending == Ending::Quiet {
            continue;
        }
        failed += 1;
        text.push_str(&failure(*seed, told, arguments));
    }
    let (minutes, count) = (took.as_secs_f64() / 60.0, told.len());
    // What the machine did in the time stands on a line of its own: all the rest is the same
    // on every machine and for any number of jobs.
    text.push_str(&table(&coverage));
    text.push_str(&format!("{count} storms, {failed} failed, {events} events\n"));
    print(&visible(&text))?;
    print(&format!(
        "{:.0} storms/min, {:.0} events/s in {:.1} s\n",
        count as f64 / minutes,
        events as f64 / took.as_secs_f64(),
        took.as_secs_f64()
    ))?;
    let unreached = unreached(&coverage);
    let must_reach = count as u64 >= STANDARD && !arguments.without_groups;
    if must_reach && !unreached.is_empty() {
        let list = unreached.join(", ");
        return Err(Failure::message(format!("no storm reached {list}")));
    }
    if failed > 0 { Err(Failure::Told) } else { Ok(()) }
}

fn failure(seed: u64, told: &Told, arguments: &Sim) -> String {
    let mut text = format!("seed {seed}");
    match &told.ending {
        Ending::Quiet => text.push('\n'),
        Ending::NotReady(why) => text.push_str(&format!(": never came up: {why}\n")),
        Ending::Limit(which) => text.push_str(&format!(": stopped: {which}\n")),
    }
    let mut known: Vec<&str> = Vec::new();
    for violation in &told.violations {
        if !known.contains(&violation.invariant) {
            known.push(violation.invariant);
            let Violation { invariant, at, text: what } = violation;
            text.push_str(&format!("  ✘ {invariant} at {}: {what}\n", seconds(*at)));
        }
    }
    let brokers = arguments.brokers.clone().unwrap_or_default();
    let plain = if arguments.without_groups { " --without-groups" } else { "" };
    text.push_str(&format!(
        "  again: topomotion sim --seeds {seed}..{} --brokers {brokers}{plain} --run-file storm-{seed}.json\n",
        seed + 1
    ));
    text
}

/// Every rule, and how often it acted.
fn table(coverage: &Coverage) -> String {
    let mut text = String::from("rule      acted  what it says\n");
    for (id, statement, count) in coverage.rules() {
        let reason = OUT_OF_REACH.iter().find(|(rule, _)| *rule == id);
        let note = match (count, reason) {
            (0, Some((_, why))) => format!(" (out of reach: {why})"),
            (0, None) => " (never reached)".to_owned(),
            _ => String::new(),
        };
        text.push_str(&format!("{id:<8} {count:>6}  {statement}{note}\n"));
    }
    text
}

fn unreached(coverage: &Coverage) -> Vec<&'static str> {
    let missing = coverage.rules().filter(|(_, _, count)| *count == 0);
    let missing = missing.map(|(id, ..)| id);
    missing.filter(|id| OUT_OF_REACH.iter().all(|(rule, _)| rule != id)).collect()
}

/// The run file of one drawn storm.
pub fn write_down(seed: u64, path: &str, arguments: &Sim) -> Result<(), Failure> {
    save(&draw(seed, &climate(arguments)), path)
}

/// Writes a run file, or prints it.
pub fn save(file: &RunFile, path: &str) -> Result<(), Failure> {
    let text = file.to_json() + "\n";
    if path == "-" {
        return print(&text);
    }
    let mut draft = Draft::begin(Path::new(path))?;
    draft.fill(text.as_bytes())?;
    draft.commit()
}

/// The smallest storm that breaks what this one breaks first.
pub fn shrunk(file: &RunFile) -> Result<RunFile, Failure> {
    let judged = replay(file);
    let Some(first) = judged.violations.first() else {
        return Err(Failure::message(
            "this run breaks no invariant: there is nothing to shrink",
        ));
    };
    if file.storm.is_none() {
        return Err(Failure::message(
            "only storms can be shrunk: a run of steps has none",
        ));
    }
    let found = shrink(file, first.invariant, TRIES);
    let lines = |file: &RunFile| {
        let storm = file.storm.as_ref();
        storm.map_or((0, 0), |it| (it.nemesis.len(), it.operations.len()))
    };
    let ((faults, operations), (left, kept)) = (lines(file), lines(&found.file));
    print(&format!(
        "{} after {} tries: {faults} faults → {left}, {operations} operations → {kept}\n",
        first.invariant, found.runs
    ))?;
    Ok(found.file)
}
