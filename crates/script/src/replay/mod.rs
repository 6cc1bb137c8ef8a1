//! From recorded calls to the topology builder.
//!
//! Each call is judged here and now: its arguments, their kinds, their options. What it means
//! for the topology as a whole is the builder's business.

mod call;
mod flow;
mod scenario;
mod topology;

use std::collections::BTreeMap;

use topomotion_model::builder::{
    FlowBuilder, GroupRef, ScenarioBuilder, TopologyBuilder,
};
use topomotion_model::{Diagnostic, Span};

use crate::data::{Data, Value};
use crate::places::Places;
use crate::sandbox::Record;
use crate::source_map::SourceMap;

use call::Call;

pub(crate) use call::bad_condition;
pub(crate) use flow::read_pairs;

/// What is behind a builder's number.
#[derive(Debug)]
enum Object {
    Topology,
    Group(GroupRef),
    Kafka,
    Flow(Box<FlowDraft>),
    Scenarios(ScenarioDraft),
}

/// A flow of the script.
#[derive(Debug)]
struct FlowDraft {
    flow: FlowBuilder,
    made_at: Option<Span>,
    calls: usize,
    returned: bool,
}

/// The scenarios of one scenario builder.
#[derive(Debug)]
struct ScenarioDraft {
    scenarios: Vec<ScenarioBuilder>,
    made_at: Option<Span>,
    /// Whether they belong to the topology, or wait for the script to return them.
    attached: bool,
}

/// A script's calls, being replayed.
pub(crate) struct Replay<'a, 'b> {
    places: &'a Places<'b>,
    sources: &'a SourceMap,
    builder: TopologyBuilder,
    objects: BTreeMap<u32, Object>,
    /// Where the topology builder was made.
    topology_at: Option<Option<Span>>,
    applied_at: Option<Option<Span>>,
    cluster_is_named: bool,
    found: Vec<Diagnostic>,
}

/// Makes a builder from what the script called and returned.
pub(crate) fn replay(
    records: Vec<Record>,
    returned: &Data,
    places: &Places<'_>,
    sources: &SourceMap,
) -> TopologyBuilder {
    let mut replay = Replay {
        places,
        sources,
        builder: TopologyBuilder::default(),
        objects: BTreeMap::new(),
        topology_at: None,
        applied_at: None,
        cluster_is_named: false,
        found: Vec::new(),
    };
    for (number, record) in (1..).zip(records) {
        replay.record(number, record);
    }
    replay.take_returned(returned);
    replay.finish()
}

impl Replay<'_, '_> {
    fn record(&mut self, number: u32, mut record: Record) {
        let written_name = match record.method.as_str() {
            "new" => record.class.clone(),
            method => method.to_owned(),
        };
        let span =
            self.places.locate(&record.frames, &written_name, &mut record.arguments);
        let call = Call { number, record, span };
        call.check_count(&mut self.found);
        match (call.record.class.as_str(), call.record.method.as_str()) {
            ("TopologyBuilder", "new") => self.new_topology(&call),
            ("FlowBuilder", "new") => self.new_flow(&call),
            ("ScenarioBuilder", "new") => self.new_scenarios(&call),
            ("TopologyBuilder", _) => self.topology_call(&call),
            ("GroupBuilder", _) => self.group_call(&call),
            ("KafkaBuilder", _) => self.kafka_call(&call),
            ("FlowBuilder", _) => self.flow_call(&call),
            ("ScenarioBuilder", _) => self.scenario_call(&call),
            // The prelude makes no other class.
            _ => {}
        }
    }

    /// Takes what the script returned: a flow, several, or nothing.
    fn take_returned(&mut self, returned: &Data) {
        match &returned.value {
            Value::Absent => {}
            Value::List(items) => items.iter().for_each(|item| self.take_returned(item)),
            Value::Builder(number) => match self.objects.get_mut(number) {
                Some(Object::Flow(draft)) => draft.returned = true,
                Some(Object::Scenarios(draft)) => draft.attached = true,
                // A topology is drawn whether it is returned or not.
                Some(Object::Topology | Object::Group(_) | Object::Kafka) | None => {}
            },
            _ => {
                let message = format!("the script returns {}", returned.kind());
                self.found.push(
                    Diagnostic::error("bad-return", message, returned.span)
                        .help("return a flow, several flows in a list, or nothing"),
                );
            }
        }
    }

    fn finish(mut self) -> TopologyBuilder {
        if self.topology_at.is_none() {
            self.found.push(
                Diagnostic::error("no-topology", "the script makes no topology", None)
                    .help("begin with `const topology = new TopologyBuilder()`"),
            );
        }
        for object in self.objects.into_values() {
            match object {
                Object::Flow(draft) if draft.returned => {
                    self.builder.flow(draft.flow);
                }
                Object::Flow(draft) if draft.calls > 0 => {
                    self.found.push(not_returned("flow", draft.made_at));
                }
                Object::Scenarios(draft) if draft.attached => {
                    for scenario in draft.scenarios {
                        self.builder.scenario(scenario);
                    }
                }
                Object::Scenarios(draft) if !draft.scenarios.is_empty() => {
                    self.found.push(not_returned("scenario", draft.made_at));
                }
                Object::Topology
                | Object::Group(_)
                | Object::Kafka
                | Object::Flow(_)
                | Object::Scenarios(_) => {}
            }
        }
        for diagnostic in self.found {
            self.builder.report(diagnostic);
        }
        self.builder
    }
}

fn not_returned(what: &str, span: Option<Span>) -> Diagnostic {
    let message = format!("this {what} is never returned, so nothing plays it");
    Diagnostic::warning("not-returned", message, span)
        .at("made here")
        .help(format!("write `return {what}` at the end of the script"))
}
