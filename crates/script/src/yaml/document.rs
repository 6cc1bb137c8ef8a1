//! From spanned data to the topology builder: the document's own structure.

use topomotion_model::builder::{
    FlowBuilder, GroupRef, ScenarioBuilder, ScenarioConfig, TopologyBuilder,
};
use topomotion_model::{Diagnostic, Placement};

use super::steps;
use crate::data::{Data, Value};
use crate::fields::{Fields, origin, wrong_type};
use crate::options;
use crate::source_map::SourceMap;

pub(crate) const DOCUMENT: &[&str] = &[
    "title",
    "description",
    "direction",
    "autoLayout",
    "groups",
    "processes",
    "connections",
    "kafka",
    "scenarios",
    "$schema",
];
/// What a group has beside its options.
pub(crate) const GROUP_MEMBERS: &[&str] = &["autoResize", "processes", "rows", "groups"];
/// What a connection has beside its options: its ends, each under either name.
pub(crate) const CONNECTION: &[&str] = &["source", "target", "from", "to"];
const ENDS: [[&str; 2]; 2] = [["source", "from"], ["target", "to"]];
/// What a scenario has beside its options.
pub(crate) const SCENARIO: &[&str] = &["id", "title", "description", "flow", "run"];

pub(super) fn read(data: &Data, sources: &SourceMap) -> TopologyBuilder {
    let mut reader = Reader { builder: TopologyBuilder::default(), sources };
    let mut found = Vec::new();
    reader.document(data, &mut found);
    for diagnostic in found {
        reader.builder.report(diagnostic);
    }
    reader.builder
}

struct Reader<'a> {
    builder: TopologyBuilder,
    sources: &'a SourceMap,
}

impl Reader<'_> {
    fn document(&mut self, data: &Data, found: &mut Vec<Diagnostic>) {
        if !matches!(data.value, Value::Map(_)) {
            let message =
                format!("the document must be a mapping, but is {}", data.kind());
            found.push(
                Diagnostic::error("wrong-type", message, data.span)
                    .help("begin with `groups:`, `processes:` and `connections:`"),
            );
            return;
        }
        let mut fields = Fields::open(data, "the document", DOCUMENT, found);
        self.builder.title = fields.text("title");
        self.builder.description = fields.text("description");
        self.builder.direction = fields.value("direction").unwrap_or_default();
        self.builder.placement = match fields.flag("autoLayout") {
            Some(false) => Placement::Manual,
            Some(true) | None => Placement::Automatic,
        };
        let groups = fields.list("groups");
        let processes = fields.list("processes");
        let connections = fields.list("connections");
        let scenarios = fields.list("scenarios");
        let kafka = fields.data("kafka");
        for group in groups {
            self.group(group, None, found);
        }
        for process in processes {
            if let Some(config) = named("a process", process, found) {
                let config = options::process(config, process.span, found);
                self.builder.create_process(config);
            }
        }
        for connection in connections {
            self.connection(connection, found);
        }
        if let Some(kafka) = kafka {
            self.builder.kafka(options::cluster(kafka, kafka.span, found));
        }
        for scenario in scenarios {
            self.scenario(scenario, found);
        }
    }

    fn group(
        &mut self,
        data: &Data,
        parent: Option<GroupRef>,
        found: &mut Vec<Diagnostic>,
    ) {
        let Some(data) = named("a group", data, found) else { return };
        let config = options::group(data, GROUP_MEMBERS, data.span, found);
        let group = match parent {
            Some(parent) => self.builder.group(parent).add_group(config),
            None => self.builder.create_group(config),
        };
        let mut fields =
            Fields::open_with(data, "a group", GROUP_MEMBERS, |_| true, found);
        let resize = fields.flag("autoResize").unwrap_or_default();
        let processes = fields.list("processes");
        let rows = fields.list("rows");
        let groups = fields.list("groups");
        if resize {
            self.builder.group(group).auto_resize();
        }
        for process in processes {
            self.member(group, process, found);
        }
        for (index, row) in rows.iter().enumerate() {
            if index > 0 || !processes.is_empty() {
                self.builder.group(group).new_row();
            }
            let Value::List(members) = &row.value else {
                found.push(wrong_type("rows", "a list of lists of processes", row));
                continue;
            };
            for member in members {
                self.member(group, member, found);
            }
        }
        for child in groups {
            self.group(child, Some(group), found);
        }
    }

    /// A process; or, in a row, `group: { … }`.
    fn member(&mut self, group: GroupRef, data: &Data, found: &mut Vec<Diagnostic>) {
        if let Value::Map(entries) = &data.value
            && let [entry] = entries.as_slice()
            && entry.key == "group"
        {
            self.group(&entry.data, Some(group), found);
            return;
        }
        if let Some(data) = named("a process", data, found) {
            let config = options::process(data, data.span, found);
            self.builder.group(group).add_process(config);
        }
    }

    fn connection(&mut self, data: &Data, found: &mut Vec<Diagnostic>) {
        let mut edge = options::edge(data, CONNECTION, data.span, found);
        if !matches!(data.value, Value::Map(_)) {
            return;
        }
        let mut fields =
            Fields::open_with(data, "a connection", CONNECTION, |_| true, found);
        let [source, target] = ENDS.map(|names| end(names, data, &mut fields));
        for [name, short] in ENDS {
            // Whoever asks where an end was written asks for its first name.
            let parts = &mut edge.origin.parts;
            if let Some((part, _)) = parts.iter_mut().find(|(part, _)| part == short) {
                name.clone_into(part);
            }
        }
        if let (Some(source), Some(target)) = (source, target) {
            (edge.source, edge.target) = (source, target);
            self.builder.connect(edge);
        }
    }

    fn scenario(&mut self, data: &Data, found: &mut Vec<Diagnostic>) {
        let Some(data) = named("a scenario", data, found) else { return };
        let config = options::scenario(data, SCENARIO, found);
        let mut fields = Fields::open_with(data, "a scenario", SCENARIO, |_| true, found);
        let mut origin = origin(data.span, data);
        origin.parts.extend(config.origin.parts);
        let config = ScenarioConfig {
            id: fields.text("id").unwrap_or_default(),
            title: fields.text("title"),
            description: fields.text("description"),
            layer: config.layer,
            settings: config.settings,
            origin,
        };
        match (fields.data("flow"), fields.data("run")) {
            (Some(_), None) => {
                let steps = fields.list("flow");
                let mut flow = FlowBuilder::new();
                flow.scenario(config);
                for step in steps {
                    steps::flow(step, &mut flow, found);
                }
                self.builder.flow(flow);
            }
            (None, Some(_)) => {
                let steps = fields.list("run");
                let mut scenario = ScenarioBuilder::new(config);
                for step in steps {
                    steps::run(step, &mut scenario, self.sources, found);
                }
                self.builder.scenario(scenario);
            }
            (flow, _) => {
                let what = if flow.is_some() { "both" } else { "neither" };
                let message =
                    format!("scenario `{}` has {what} of `flow` and `run`", config.id);
                found.push(
                    Diagnostic::error("scenario-steps", message, data.span).help(
                        "`flow:` lists packets by hand, `run:` lets the engine run",
                    ),
                );
            }
        }
    }
}

/// One end of a connection, which has two names.
fn end(
    [name, short]: [&str; 2],
    connection: &Data,
    fields: &mut Fields<'_, '_>,
) -> Option<String> {
    match (fields.data(name), fields.data(short)) {
        (Some(_), Some(twice)) => {
            let message = format!("a connection has `{name}` and `{short}`");
            let error = Diagnostic::error("option-twice", message, twice.span);
            fields.report(error.help("both name the same end: write one of them"));
            None
        }
        (None, None) => {
            let message = format!("a connection has no `{name}`");
            let error = Diagnostic::error("missing-option", message, connection.span);
            fields.report(
                error.help("write `source: who dials` and `target: who is dialled`"),
            );
            None
        }
        (Some(_), None) => fields.text(name),
        (None, Some(_)) => fields.text(short),
    }
}

/// A mapping with an id; anything else is reported.
fn named<'a>(
    what: &str,
    data: &'a Data,
    found: &mut Vec<Diagnostic>,
) -> Option<&'a Data> {
    let Value::Map(entries) = &data.value else {
        let message = format!("{what} must be a mapping, but is {}", data.kind());
        found.push(
            Diagnostic::error("wrong-type", message, data.span)
                .help("write `- id: name` with its options below"),
        );
        return None;
    };
    if entries.iter().any(|entry| entry.key == "id" && !entry.data.is_absent()) {
        return Some(data);
    }
    found.push(
        Diagnostic::error("missing-id", format!("{what} has no id"), data.span)
            .help("add `id: …`, unique among its kind"),
    );
    None
}
