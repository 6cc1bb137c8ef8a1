//! `topomotion scenarios`: what a script can play, and what it lacks for the rest.

use serde::Serialize;
use topomotion_model::{Play, Scenario};
use topomotion_sim::builtins;
use topomotion_studio::Production;

use crate::args::{Scenarios, Told};
use crate::failure::Failure;
use crate::input::Script;
use crate::pipeline::produce;
use crate::report::Report;
use crate::terminal::{Terminal, print, visible};

/// A line of the list.
#[derive(Debug, Serialize)]
struct Line {
    id: String,
    title: String,
    origin: Origin,
    #[serde(skip_serializing_if = "Option::is_none")]
    lacking: Option<String>,
}

/// Where a scenario comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Origin {
    Flow,
    Run,
    BuiltIn,
}

/// Lists them.
pub fn run(arguments: &Scenarios, terminal: &Terminal) -> Result<(), Failure> {
    let report = Report::new(terminal, Told::Text, &arguments.strictness);
    let script = Script::read(&arguments.script)?;
    let production = produce(&script, None, &arguments.strictness, &report)?;
    report.verdict()?;
    let own = &production.topology.scenarios;
    let mut lines: Vec<Line> = own.iter().map(own_line).collect();
    let builtins = builtins(&production.binding).into_iter();
    // An id means the script's own scenario, if it has one of that name.
    let builtins = builtins.filter(|one| own.iter().all(|other| other.id != one.id));
    lines.extend(builtins.map(|builtin| Line {
        id: builtin.id.to_string(),
        title: builtin.title.to_owned(),
        origin: Origin::BuiltIn,
        lacking: builtin.fit.err(),
    }));
    match arguments.format {
        Told::Text => print(&listed(&production, &lines)),
        Told::Json => {
            let json = serde_json::to_string_pretty(&lines);
            print(&(json.expect("lines have only string keys") + "\n"))
        }
    }
}

fn own_line(scenario: &Scenario) -> Line {
    Line {
        id: scenario.id.to_string(),
        title: scenario.title.clone(),
        origin: match scenario.play {
            Play::Flow(_) => Origin::Flow,
            Play::Run(_) => Origin::Run,
        },
        lacking: None,
    }
}

fn listed(production: &Production, lines: &[Line]) -> String {
    let width = lines.iter().map(|line| line.id.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    let mut part = |title: &str, part: &[&Line]| {
        if part.is_empty() {
            return;
        }
        text.push_str(&format!("{title}:\n"));
        for line in part {
            let words = match (&line.lacking, line.origin) {
                (Some(lacking), _) => format!("{}: {lacking}", line.title),
                (None, Origin::Flow) => format!("{} (scripted)", line.title),
                (None, _) => line.title.clone(),
            };
            text.push_str(&visible(&format!("  {:width$}  {words}\n", line.id)));
        }
    };
    let pick = |is_wanted: &dyn Fn(&Line) -> bool| -> Vec<&Line> {
        lines.iter().filter(|line| is_wanted(line)).collect()
    };
    let is_builtin = |line: &Line| line.origin == Origin::BuiltIn;
    part("its own", &pick(&|line| !is_builtin(line)));
    part("built in", &pick(&|line| is_builtin(line) && line.lacking.is_none()));
    part("built in, but it lacks something", &pick(&|line| line.lacking.is_some()));
    if let topomotion_sim::Bound::Nothing(reason) = production.binding.bound() {
        text.push_str(&visible(&format!("nothing for the engine to run: {reason}\n")));
    }
    text
}
