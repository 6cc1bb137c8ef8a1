//! The main road's beginning: what the script says wrong is told on the terminal.

use topomotion_layout::graph::Effort;
use topomotion_model::{Scenario, Topology};
use topomotion_scene::Scene;
use topomotion_script::{ConsoleLevel, ConsoleLine, SourceMap, compile};
use topomotion_sim::RunOptions;
use topomotion_studio::{Dress, Played, Production};

use crate::args::Strictness;
use crate::failure::Failure;
use crate::input::Script;
use crate::report::Report;
use crate::terminal::{Terminal, visible};
use crate::watchdog::Watchdog;

/// Compiles (which lints, too) and binds a script. Every mistake has been told when this fails.
pub fn produce(
    script: &Script,
    layers: Option<&[String]>,
    strictness: &Strictness,
    report: &Report<'_>,
) -> Result<Production, Failure> {
    let name = script.source.name.clone();
    let (sources, whole) = compiled(script, strictness, report)?;
    let topology = match layers {
        None => whole,
        Some(layers) => {
            let layers: Vec<&str> = layers.iter().map(String::as_str).collect();
            report.expect_none(&name, &sources, &whole.check_layers(&layers))?;
            whole.with_layers(&layers)
        }
    };
    let binding = topomotion_sim::bind(&topology).map_err(|mistakes| {
        report.tell(&name, &sources, &mistakes);
        Failure::Told
    })?;
    report.tell(&name, &sources, binding.warnings());
    let (stem, dress) = (script.stem(), Dress::default());
    Ok(Production { name, stem, sources, topology, binding, dress })
}

/// Plays a scenario. What cannot be played has been told when this fails.
pub fn play(
    production: &Production,
    scenario: Scenario,
    options: &RunOptions,
    report: &Report<'_>,
) -> Result<Played, Failure> {
    production.play(scenario, options).map_err(|mistakes| {
        report.tell(&production.name, &production.sources, &mistakes);
        Failure::Told
    })
}

/// Where everything stands; says so if that could be better.
pub fn scene(production: &Production, stories: &[Played], terminal: &Terminal) -> Scene {
    let (scene, effort) = production.scene(stories);
    tell_effort(effort, terminal);
    scene
}

fn compiled(
    script: &Script,
    strictness: &Strictness,
    report: &Report<'_>,
) -> Result<(SourceMap, Topology), Failure> {
    let options = topomotion_script::Options {
        time_limit: strictness.script_timeout,
        memory_limit: strictness.script_memory,
    };
    let name = &script.source.name;
    let watchdog =
        Watchdog::start(strictness.script_timeout, hangs(script, &options, report));
    let compiled = compile(&script.source, script.files.as_ref(), &options);
    drop(watchdog);
    for line in &compiled.console {
        report.terminal().say(&printed(name, &compiled.sources, line));
    }
    report.expect_none(name, &compiled.sources, &compiled.diagnostics)?;
    let topology = compiled
        .topology
        .ok_or_else(|| Failure::message(format!("{name} describes no topology")))?;
    Ok((compiled.sources, topology))
}

/// What is said of a script that nothing can interrupt. It is put together beforehand: when
/// it is needed, this thread is the one that hangs.
fn hangs(
    script: &Script,
    options: &topomotion_script::Options,
    report: &Report<'_>,
) -> impl FnOnce() + Send + 'static {
    use topomotion_model::Diagnostic;
    let seconds = options.time_limit.as_secs_f64();
    let diagnostic = Diagnostic::error(
        "script-timeout",
        format!("the script ran longer than {seconds} s, inside one built-in call"),
        None,
    )
    .help("look for sort, join, fill or a regular expression on something huge; --script-timeout gives more time");
    let (name, terminal, told) =
        (script.source.name.clone(), *report.terminal(), report.told());
    move || Report::last_word(&terminal, told, &name, &diagnostic)
}

/// `kafka.ts:12: what it printed`
fn printed(name: &str, sources: &SourceMap, line: &ConsoleLine) -> String {
    let located = line.span.and_then(|span| {
        let at = sources.location(span)?;
        Some(format!("{}:{}", sources.file(span.file)?.name, at.line))
    });
    let place = located.unwrap_or_else(|| name.to_owned());
    let level = match line.level {
        ConsoleLevel::Log => "",
        ConsoleLevel::Warning => "warning: ",
        ConsoleLevel::Error => "error: ",
    };
    visible(&format!("{place}: {level}{}", line.text))
}

/// Says that a picture could be better, if that is so.
pub fn tell_effort(effort: Effort, terminal: &Terminal) {
    if effort == Effort::CutShort {
        terminal.warning(
            "so large a picture is laid out in haste: it has more crossings and detours than it \
             need have",
            Some("show a part of it: layers, or several smaller scripts"),
        );
    }
}
