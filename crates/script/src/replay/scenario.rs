//! Calls of a scenario builder: what the engine shall do, and what must hold.

use topomotion_model::Diagnostic;
use topomotion_model::builder::{DEFAULT_TIMEOUT_MS, ScenarioBuilder, ScenarioConfig};

use super::call::Call;
use super::flow::scenario;
use super::{Object, Replay, ScenarioDraft};
use crate::data::Value;
use crate::fields::Fields;
use crate::options;
use crate::source_map::SourceMap;

impl ScenarioDraft {
    /// Starts a scenario.
    pub(super) fn start(&mut self, call: &Call, found: &mut Vec<Diagnostic>) {
        self.scenarios.push(ScenarioBuilder::new(scenario(call, found)));
    }

    /// The scenario at hand; steps before any `scenario()` belong to an unnamed one.
    fn current(&mut self) -> &mut ScenarioBuilder {
        if self.scenarios.is_empty() {
            self.scenarios.push(ScenarioBuilder::new(ScenarioConfig::default()));
        }
        let last = self.scenarios.len() - 1;
        &mut self.scenarios[last]
    }
}

impl Replay<'_, '_> {
    pub(super) fn new_scenarios(&mut self, call: &Call) {
        let kafka = call.argument(0);
        let attached = match &kafka.value {
            Value::Absent => false,
            Value::Builder(number) => {
                matches!(self.objects.get(number), Some(Object::Kafka | Object::Topology))
            }
            _ => {
                let message = format!(
                    "`new ScenarioBuilder` takes the cluster, but is given {}",
                    kafka.kind()
                );
                self.found.push(
                    Diagnostic::error("wrong-type", message, kafka.span.or(call.span))
                        .help("write `new ScenarioBuilder(topology.kafka({ … }))`"),
                );
                true
            }
        };
        let draft = ScenarioDraft { scenarios: Vec::new(), made_at: call.span, attached };
        self.objects.insert(call.number, Object::Scenarios(draft));
    }

    pub(super) fn scenario_call(&mut self, call: &Call) {
        let found = &mut self.found;
        let Some(Object::Scenarios(draft)) = self.objects.get_mut(&call.record.receiver)
        else {
            return;
        };
        if call.record.method == "scenario" {
            draft.start(call, found);
            return;
        }
        let scenario = draft.current().at(call.origin());
        let mut reports = Vec::new();
        step(call, scenario, self.sources, &mut reports);
        found.extend(reports.into_iter().map(|one| call.placed(one)));
    }
}

fn step(
    call: &Call,
    scenario: &mut ScenarioBuilder,
    sources: &SourceMap,
    found: &mut Vec<Diagnostic>,
) {
    let method = call.record.method.as_str();
    match method {
        "produce" => produce(call, scenario, found),
        "crash" | "start" | "restart" | "pause" | "resume" | "shutdown" | "fault"
        | "admin" => {
            let Some(node) = call.text(0, found) else { return };
            with_caption(call, 1, scenario, found);
            match method {
                "fault" => scenario.fault(node),
                "admin" => scenario.admin(node),
                "shutdown" => scenario.shutdown(&node),
                "crash" => scenario.crash(&node),
                "start" => scenario.start(&node),
                "restart" => scenario.restart(&node),
                "pause" => scenario.pause(&node),
                _ => scenario.resume(&node),
            };
        }
        "client" => {
            let (node, line) = (call.text(0, found), call.text(1, found));
            let (Some(node), Some(line)) = (node, line) else { return };
            with_caption(call, 2, scenario, found);
            scenario.client(&node, line);
        }
        "partition" => {
            let (one, other) = (call.texts(0, found), call.texts(1, found));
            with_caption(call, 2, scenario, found);
            scenario.partition(&one, &other);
        }
        "heal" => {
            with_caption(call, 0, scenario, found);
            scenario.heal();
        }
        "wait" => {
            let Some(ms) = call.whole(0, found) else { return };
            with_caption(call, 1, scenario, found);
            match u64::try_from(ms) {
                Ok(ms) => {
                    scenario.wait(ms);
                }
                Err(_) => found.push(negative_wait(call, ms)),
            }
        }
        "waitUntil" => {
            let timeout = timeout(call, scenario, found);
            if let Some(condition) = call.condition(0, sources, found) {
                scenario.wait_until(condition, timeout);
            }
        }
        "expect" => {
            with_caption(call, 1, scenario, found);
            if let Some(condition) = call.condition(0, sources, found) {
                scenario.expect(condition);
            }
        }
        "say" => {
            if let Some(text) = call.text(0, found) {
                scenario.say(text);
            }
        }
        // The prelude knows no other method.
        _ => {}
    }
}

/// `(producer, topic, options)` or `(producer, options)`.
fn produce(call: &Call, scenario: &mut ScenarioBuilder, found: &mut Vec<Diagnostic>) {
    let Some(producer) = call.text(0, found) else { return };
    let (topic, data) = match &call.argument(1).value {
        Value::Map(_) => (None, call.argument(1)),
        _ => (call.text(1, found), call.argument(2)),
    };
    let (config, caption) = options::produce(data, &[], found);
    if let Some(caption) = caption {
        scenario.caption(caption);
    }
    scenario.produce(&producer, topic.as_deref(), config);
}

fn with_caption(
    call: &Call,
    index: usize,
    scenario: &mut ScenarioBuilder,
    found: &mut Vec<Diagnostic>,
) {
    let mut fields = Fields::open(call.argument(index), "a step", options::STEP, found);
    if let Some(caption) = fields.text("caption") {
        scenario.caption(caption);
    }
}

fn timeout(
    call: &Call,
    scenario: &mut ScenarioBuilder,
    found: &mut Vec<Diagnostic>,
) -> u64 {
    let owner = "`waitUntil`";
    let mut fields = Fields::open(call.argument(1), owner, options::WAIT_UNTIL, found);
    if let Some(caption) = fields.text("caption") {
        scenario.caption(caption);
    }
    fields.count("timeout").map_or(DEFAULT_TIMEOUT_MS, u64::from)
}

fn negative_wait(call: &Call, ms: i64) -> Diagnostic {
    let message = format!("a pause cannot take {ms} ms");
    Diagnostic::error("wait-out-of-range", message, call.argument(0).span.or(call.span))
        .at("must be 0 or more")
}
