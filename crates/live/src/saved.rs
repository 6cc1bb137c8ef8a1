//! A run as a scenario that a script can hold.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};
use topomotion_model::{Awaits, ProcessId};
use topomotion_sim::{Action, PlannedStep};

use crate::branch::Branched;
use crate::live::Story;

/// TypeScript that plays this run again, to be put at the end of the film's script.
pub(crate) fn script(story: &Story, run: &Branched) -> String {
    let id = format!("{}-by-hand", story.id);
    let title = format!("{}, by hand", story.title);
    let mut head = vec![json!(id), json!(title), json!(story.description)];
    if !story.settings.is_empty() {
        head.push(json!({ "settings": story.settings }));
    }
    let mut out =
        format!("// Played with seed {}.\ntopology\n  .kafka()\n", run.file.seed);
    call(&mut out, "scenario", &head);
    for step in &run.file.steps {
        let (method, arguments) = words(step);
        call(&mut out, method, &arguments);
    }
    // A client that a scenario starts is not there before; one that is never started would be.
    let latecomers = run.file.latecomers();
    for process in run.absent.iter().filter(|process| !latecomers.contains(process)) {
        call(&mut out, "start", &[json!(process.0)]);
    }
    out.pop();
    out.push_str(";\n");
    out
}

fn call(out: &mut String, method: &str, arguments: &[Value]) {
    let arguments: Vec<String> = arguments.iter().map(literal).collect();
    // Writing to a string cannot fail.
    let _ = writeln!(out, "  .{method}({})", arguments.join(", "));
}

/// A value as scripts write it.
fn literal(value: &Value) -> String {
    match value {
        Value::String(text) if !text.contains(['\'', '\\', '\n', '\r']) => {
            format!("'{text}'")
        }
        Value::Array(all) => {
            format!("[{}]", all.iter().map(literal).collect::<Vec<_>>().join(", "))
        }
        Value::Object(all) => {
            let pairs = all
                .iter()
                .map(|(name, value)| format!("{}: {}", key(name), literal(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn key(name: &str) -> String {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric());
    if is_plain { name.to_owned() } else { literal(&json!(name)) }
}

/// The method of a step, and its arguments; options last, if there are any.
fn words(step: &PlannedStep) -> (&'static str, Vec<Value>) {
    let mut options: BTreeMap<&str, Value> = BTreeMap::new();
    let (method, mut arguments) = match &step.action {
        Action::Produce {
            producer,
            topic,
            key,
            value,
            partition,
            acks,
            count,
            awaits,
        } => {
            let mut put = |name, value: Value| {
                if !value.is_null() {
                    options.insert(name, value);
                }
            };
            put("key", json!(key));
            put("value", json!(value));
            put("partition", json!(partition));
            put("acks", json!(acks));
            put("count", if *count == 1 { Value::Null } else { json!(count) });
            put(
                "await",
                if *awaits == Awaits::Nothing { json!(false) } else { Value::Null },
            );
            ("produce", vec![json!(producer.0), json!(topic)])
        }
        Action::Fault { what } => ("fault", vec![json!(what)]),
        Action::Shutdown { process } => ("shutdown", one(process)),
        Action::Admin { what } => ("admin", vec![json!(what)]),
        Action::Client { process, what } => {
            ("client", vec![json!(process.0), json!(what)])
        }
        Action::Start { process } => ("start", one(process)),
        Action::Crash { process } => ("crash", one(process)),
        Action::Restart { process } => ("restart", one(process)),
        Action::Pause { process } => ("pause", one(process)),
        Action::Resume { process } => ("resume", one(process)),
        Action::Partition { left, right } => ("partition", vec![side(left), side(right)]),
        Action::Heal => ("heal", Vec::new()),
        Action::Wait { ms } => ("wait", vec![json!(ms)]),
        Action::WaitUntil { condition, timeout_ms } => {
            options.insert("timeout", json!(timeout_ms));
            ("waitUntil", vec![json!(condition)])
        }
        Action::Expect { condition } => ("expect", vec![json!(condition)]),
        Action::Say { text } => ("say", vec![json!(text)]),
    };
    if let Some(caption) = &step.caption {
        options.insert("caption", json!(caption));
    }
    if !options.is_empty() {
        arguments.push(json!(options));
    }
    (method, arguments)
}

fn one(process: &ProcessId) -> Vec<Value> {
    vec![json!(process.0)]
}

fn side(processes: &[ProcessId]) -> Value {
    processes.iter().map(|process| json!(process.0)).collect()
}
