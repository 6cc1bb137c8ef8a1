//! The steps of YAML scenarios: mappings with one verb, `- crash: broker-1`.

use topomotion_model::builder::{DEFAULT_TIMEOUT_MS, FlowBuilder, ScenarioBuilder};
use topomotion_model::names::value_named;
use topomotion_model::{Condition, Diagnostic, Origin, nearest};

use crate::data::{Data, Entry, Value};
use crate::fields::{Fields, origin, text, whole, wrong_type};
use crate::options;
use crate::replay::{bad_condition, read_pairs};
use crate::source_map::SourceMap;

pub(crate) const FLOW_STEPS: &[&str] = &[
    "from",
    "to",
    "showMessage",
    "showError",
    "flashError",
    "parallel",
    "setState",
    "wait",
    "delay",
];
pub(crate) const RUN_STEPS: &[&str] = &[
    "produce",
    "crash",
    "start",
    "restart",
    "pause",
    "resume",
    "partition",
    "fault",
    "shutdown",
    "admin",
    "client",
    "heal",
    "wait",
    "waitUntil",
    "expect",
    "say",
];
/// What a step may have beside its verb.
const BESIDE_FLOW: &[&str] = &[];
const BESIDE_RUN: &[&str] = &["caption", "timeout"];

/// A step: its verb, what the verb is given, and the entries beside it.
struct Step<'a> {
    verb: &'a str,
    given: &'a Data,
    data: &'a Data,
    found: &'a mut Vec<Diagnostic>,
}

const NOTHING: &Data = &Data { span: None, value: Value::Absent };

/// Adds a step to a flow.
pub(super) fn flow(data: &Data, flow: &mut FlowBuilder, found: &mut Vec<Diagnostic>) {
    let Some(mut step) = Step::open(data, FLOW_STEPS, BESIDE_FLOW, found) else { return };
    let at = step.origin(match step.verb {
        "showMessage" | "showError" => "text",
        "parallel" => "hops",
        "wait" | "delay" => "ms",
        _ => "id",
    });
    match step.verb {
        "parallel" => {
            let mut at = at;
            let hops = read_pairs(step.given, &mut at, step.found);
            flow.at(at).parallel(hops);
        }
        "setState" => step.set_state(at, flow),
        "wait" | "delay" => {
            if let Some(ms) = whole(step.verb, step.given, step.found) {
                flow.at(at).wait(ms);
            }
        }
        verb => {
            let Some(word) = step.text() else { return };
            match verb {
                "from" => flow.at(at).from(word),
                "to" => flow.at(at).to(word),
                "showMessage" => flow.at(at).show_message(word),
                "showError" => flow.at(at).show_error(word),
                _ => flow.at(at).flash_error(word),
            };
        }
    }
}

/// Adds a step to a run.
pub(super) fn run(
    data: &Data,
    scenario: &mut ScenarioBuilder,
    sources: &SourceMap,
    found: &mut Vec<Diagnostic>,
) {
    let Some(mut step) = Step::open(data, RUN_STEPS, BESIDE_RUN, found) else { return };
    if let Some(caption) = step.beside().text("caption") {
        scenario.caption(caption);
    }
    match step.verb {
        "produce" => step.produce(scenario),
        "client" => step.client(scenario),
        "fault" | "admin" => {
            let at = step.origin(if step.verb == "fault" { "fault" } else { "line" });
            let Some(line) = step.text() else { return };
            match step.verb {
                "fault" => scenario.at(at).fault(line),
                _ => scenario.at(at).admin(line),
            };
        }
        "crash" | "start" | "restart" | "pause" | "resume" | "shutdown" => {
            let at = step.origin("node");
            let Some(node) = step.text() else { return };
            match step.verb {
                "shutdown" => scenario.at(at).shutdown(&node),
                "crash" => scenario.at(at).crash(&node),
                "start" => scenario.at(at).start(&node),
                "restart" => scenario.at(at).restart(&node),
                "pause" => scenario.at(at).pause(&node),
                _ => scenario.at(at).resume(&node),
            };
        }
        "partition" => step.partition(scenario),
        "heal" => {
            scenario.at(step.origin("node")).heal();
        }
        "wait" => step.wait(scenario),
        "waitUntil" => {
            let timeout = step.beside().count("timeout");
            let timeout = timeout.map_or(DEFAULT_TIMEOUT_MS, u64::from);
            if let Some(condition) = step.condition(sources) {
                scenario.at(step.origin("condition")).wait_until(condition, timeout);
            }
        }
        "expect" => {
            if let Some(condition) = step.condition(sources) {
                scenario.at(step.origin("condition")).expect(condition);
            }
        }
        _ => {
            if let Some(words) = step.text() {
                scenario.at(step.origin("caption")).say(words);
            }
        }
    }
}

impl<'a> Step<'a> {
    fn open(
        data: &'a Data,
        verbs: &[&str],
        beside: &[&str],
        found: &'a mut Vec<Diagnostic>,
    ) -> Option<Step<'a>> {
        match &data.value {
            // `- heal` needs nothing more.
            Value::Text(verb) if verbs.contains(&verb.as_str()) => {
                return Some(Step { verb, given: NOTHING, data, found });
            }
            Value::Map(entries) => {
                let mut steps =
                    entries.iter().filter(|e| verbs.contains(&e.key.as_str()));
                match (steps.next(), steps.next()) {
                    (Some(entry), None) => {
                        let known: Vec<&str> =
                            beside.iter().copied().chain([entry.key.as_str()]).collect();
                        Fields::open(data, "a step", &known, found);
                        return Some(Step {
                            verb: &entry.key,
                            given: &entry.data,
                            data,
                            found,
                        });
                    }
                    (Some(first), Some(second)) => found.push(two_verbs(first, second)),
                    (None, _) => found.push(unknown_verb(entries, data, verbs)),
                }
            }
            Value::Text(verb) => found.push(unknown_step(verb, data.span, verbs)),
            _ => found.push(wrong_type("step", "a mapping like `crash: broker-1`", data)),
        }
        None
    }

    fn beside(&mut self) -> Fields<'_, '_> {
        let has_more = matches!(self.data.value, Value::Map(_));
        let data = if has_more { self.data } else { NOTHING };
        Fields::open_with(data, "a step", &[], |_| true, self.found)
    }

    /// The place of the step, of what the verb is given, and of the entries beside it.
    fn origin(&self, part: &str) -> Origin {
        let mut at = origin(self.data.span, self.data);
        at.parts.extend(self.given.span.map(|span| (part.to_owned(), span)));
        at
    }

    fn text(&mut self) -> Option<String> {
        text(self.verb, self.given, self.found)
    }

    fn condition(&mut self, sources: &SourceMap) -> Option<Condition> {
        let words = self.text()?;
        let span = self.given.span;
        Condition::parse(&words)
            .map_err(|error| {
                self.found.push(bad_condition(&words, &error, span, sources));
            })
            .ok()
    }

    fn set_state(&mut self, mut at: Origin, flow: &mut FlowBuilder) {
        let mut fields =
            Fields::open(self.given, "`setState`", &["id", "state"], self.found);
        let (id, word) = (fields.text("id"), fields.text("state"));
        let place = |name| fields.data(name).and_then(|data| data.span);
        let (id_at, state_at) = (place("id"), place("state"));
        at.parts.retain(|(name, _)| name != "id");
        at.parts.extend(id_at.map(|span| ("id".to_owned(), span)));
        let (Some(id), Some(word)) = (id, word) else {
            let message = "`setState` needs an `id` and a `state`";
            self.found.push(
                Diagnostic::error("missing-option", message, self.given.span)
                    .help("write `setState: { id: api, state: error }`"),
            );
            return;
        };
        match value_named(&word, state_at) {
            Ok(state) => {
                flow.at(at).set_state(id, state);
            }
            Err(error) => self.found.push(*error),
        }
    }

    fn produce(&mut self, scenario: &mut ScenarioBuilder) {
        let (config, caption) =
            options::produce(self.given, &["producer", "topic"], self.found);
        if let Some(caption) = caption {
            scenario.caption(caption);
        }
        let mut fields =
            Fields::open_with(self.given, "`produce`", &[], |_| true, self.found);
        let (producer, topic) = (fields.text("producer"), fields.text("topic"));
        let Some(producer) = producer else {
            let message = "`produce` has no `producer`";
            self.found.push(
                Diagnostic::error("missing-option", message, self.given.span)
                    .help("write `produce: { producer: id, topic: name }`"),
            );
            return;
        };
        let at = origin(self.data.span, self.given);
        scenario.at(at).produce(&producer, topic.as_deref(), config);
    }

    fn wait(&mut self, scenario: &mut ScenarioBuilder) {
        let Some(ms) = whole("wait", self.given, self.found) else { return };
        match u64::try_from(ms) {
            Ok(ms) => {
                scenario.at(self.origin("ms")).wait(ms);
            }
            Err(_) => self.found.push(
                Diagnostic::error(
                    "wait-out-of-range",
                    format!("a pause cannot take {ms} ms"),
                    self.given.span,
                )
                .at("must be 0 or more"),
            ),
        }
    }

    /// `client: { node: reader, line: seek orders-0 to earliest }`
    fn client(&mut self, scenario: &mut ScenarioBuilder) {
        let mut fields =
            Fields::open(self.given, "`client`", &["node", "line"], self.found);
        let (Some(node), Some(line)) = (fields.text("node"), fields.text("line")) else {
            let message = "`client` needs a `node` and a `line`";
            self.found.push(
                Diagnostic::error("missing-option", message, self.given.span).help(
                    "write `client: { node: reader, line: seek orders-0 to earliest }`",
                ),
            );
            return;
        };
        let at = origin(self.data.span, self.given);
        scenario.at(at).client(&node, line);
    }

    /// `partition: [[a], [b, c]]`
    fn partition(&mut self, scenario: &mut ScenarioBuilder) {
        let expected = "two lists of process ids, like [[a], [b, c]]";
        let Value::List(sides) = &self.given.value else {
            self.found.push(wrong_type("partition", expected, self.given));
            return;
        };
        let [one, other] = sides.as_slice() else {
            self.found.push(wrong_type("partition", expected, self.given));
            return;
        };
        let mut at = origin(self.data.span, self.data);
        let mut ids = [Vec::new(), Vec::new()];
        for ((name, side), ids) in
            [("one", one), ("other", other)].into_iter().zip(&mut ids)
        {
            let items = match &side.value {
                Value::List(items) => items.as_slice(),
                _ => std::slice::from_ref(side),
            };
            for (index, item) in items.iter().enumerate() {
                at.parts.extend(item.span.map(|span| (format!("{name}[{index}]"), span)));
                ids.extend(text("partition", item, self.found));
            }
        }
        let [one, other] = ids;
        scenario.at(at).partition(&one, &other);
    }
}

fn two_verbs(first: &Entry, second: &Entry) -> Diagnostic {
    let message = format!("one step does both `{}` and `{}`", first.key, second.key);
    Diagnostic::error("two-verbs", message, second.key_span)
        .at("a step does one thing")
        .help("begin a step of its own with `- `")
}

fn unknown_verb(entries: &[Entry], data: &Data, verbs: &[&str]) -> Diagnostic {
    match entries.first() {
        Some(entry) => unknown_step(&entry.key, entry.key_span, verbs),
        None => unknown_step("", data.span, verbs),
    }
}

fn unknown_step(
    verb: &str,
    span: Option<topomotion_model::Span>,
    verbs: &[&str],
) -> Diagnostic {
    let message = format!("`{verb}` is not a step");
    let error = Diagnostic::error("unknown-step", message, span).at("no such step");
    match nearest(verb, verbs.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")).fix(span, near),
        None => error.help(format!("steps are {}", verbs.join(", "))),
    }
}
