//! Calls of the topology's own builders: groups, processes, connections, the cluster.

use topomotion_model::builder::{GroupConfig, ProcessConfig};
use topomotion_model::names::value_named;
use topomotion_model::{Diagnostic, Placement};

use super::call::Call;
use super::{Object, Replay, ScenarioDraft};
use crate::data::{Data, Value};
use crate::fields::{Fields, text};
use crate::options;

impl Replay<'_, '_> {
    pub(super) fn new_topology(&mut self, call: &Call) {
        self.objects.insert(call.number, Object::Topology);
        if let Some(first) = self.topology_at {
            self.found.push(
                Diagnostic::error(
                    "two-topologies",
                    "the script makes a second topology",
                    call.span,
                )
                .at("a script draws one topology")
                .label(first, "the first is made here")
                .help("use the same builder throughout"),
            );
            return;
        }
        self.topology_at = Some(call.span);
        let automatic = call.argument(0);
        self.builder.placement = match &automatic.value {
            Value::Absent | Value::Bool(true) => Placement::Automatic,
            Value::Bool(false) => Placement::Manual,
            _ => {
                let message = format!(
                    "`new TopologyBuilder` takes `true` or `false`, but is given {}",
                    automatic.kind()
                );
                let span = automatic.span.or(call.span);
                self.found.push(
                    Diagnostic::error("wrong-type", message, span)
                        .at("`true` computes positions, `false` keeps the given ones"),
                );
                Placement::Automatic
            }
        };
    }

    pub(super) fn topology_call(&mut self, call: &Call) {
        self.check_applied(call);
        match call.record.method.as_str() {
            "createGroup" => {
                let config = self.group_config(call, 2);
                let group = self.builder.create_group(config);
                self.objects.insert(call.number, Object::Group(group));
            }
            "createProcess" => {
                let config = self.process_config(call);
                self.builder.create_process(config);
            }
            "connect" => self.connect(call),
            "kafka" => self.kafka(call),
            "title" => self.builder.title = call.text(0, &mut self.found),
            "description" => self.builder.description = call.text(0, &mut self.found),
            "direction" => {
                let Some(word) = call.text(0, &mut self.found) else { return };
                match value_named(&word, call.argument(0).span.or(call.span)) {
                    Ok(direction) => self.builder.direction = direction,
                    Err(error) => self.found.push(*error),
                }
            }
            "apply" => self.applied_at = self.applied_at.or(Some(call.span)),
            // The prelude knows no other method.
            _ => {}
        }
    }

    /// `apply` ends the topology; what comes after it is used, but with a word.
    fn check_applied(&mut self, call: &Call) {
        let Some(applied) = self.applied_at else { return };
        if call.record.method == "kafka" || call.record.method == "apply" {
            return;
        }
        let message = format!("`{}` is called after `apply`", call.record.method);
        self.found.push(
            Diagnostic::warning("after-apply", message, call.span)
                .at("it is used all the same")
                .label(applied, "the topology is applied here")
                .help("build the whole topology first, then `await topology.apply()`"),
        );
    }

    pub(super) fn group_call(&mut self, call: &Call) {
        let Some(Object::Group(group)) = self.objects.get(&call.record.receiver) else {
            return;
        };
        let group = *group;
        match call.record.method.as_str() {
            "addProcess" => {
                let config = self.process_config(call);
                self.builder.group(group).add_process(config);
            }
            "addGroup" => {
                let config = self.group_config(call, 2);
                let child = self.builder.group(group).add_group(config);
                self.objects.insert(call.number, Object::Group(child));
            }
            "newRow" => {
                self.builder.group(group).new_row();
            }
            "autoResize" => {
                self.builder.group(group).auto_resize();
            }
            "layer" => {
                if let Some(name) = call.text(0, &mut self.found) {
                    self.builder.group(group).layer(name);
                }
            }
            // The prelude knows no other method.
            _ => {}
        }
    }

    /// `(config)` or `(id, config, position)`.
    fn group_config(&mut self, call: &Call, position: usize) -> GroupConfig {
        let (id, config) = id_and_config(call);
        let mut found = Vec::new();
        let mut group = options::group(config, &[], call.span, &mut found);
        if let Some(id) = id {
            group.id = text("id", id, &mut found).unwrap_or_default();
            group.origin.parts.extend(id.span.map(|span| ("id".to_owned(), span)));
        }
        let place = call.argument(position);
        if !place.is_absent() {
            let mut fields = Fields::open(place, "a position", &["x", "y"], &mut found);
            group.position = options::point(&mut fields).or(group.position);
        }
        self.check_id(call, "a group", &group.id, config);
        self.found.extend(found.into_iter().map(|one| call.placed(one)));
        group
    }

    fn process_config(&mut self, call: &Call) -> ProcessConfig {
        let (id, config) = id_and_config(call);
        let mut found = Vec::new();
        let mut process = options::process(config, call.span, &mut found);
        if let Some(id) = id {
            process.id = text("id", id, &mut found).unwrap_or_default();
            process.origin.parts.extend(id.span.map(|span| ("id".to_owned(), span)));
        }
        self.check_id(call, "a process", &process.id, config);
        self.found.extend(found.into_iter().map(|one| call.placed(one)));
        process
    }

    /// An id that is not there at all is reported here; an empty one by the builder.
    fn check_id(&mut self, call: &Call, what: &str, id: &str, config: &Data) {
        let says_id = match &config.value {
            Value::Map(entries) => entries.iter().any(|entry| entry.key == "id"),
            _ => false,
        };
        let no_config = matches!(config.value, Value::Absent | Value::Map(_));
        if id.is_empty() && !says_id && no_config && !call.record.arguments.is_empty() {
            let message = format!("{what} has no id");
            self.found.push(
                Diagnostic::error("missing-id", message, config.span.or(call.span))
                    .help("add `id: '…'`, unique among its kind"),
            );
        }
    }

    fn connect(&mut self, call: &Call) {
        let mut found = Vec::new();
        let source = call.text(0, &mut found);
        let target = call.text(1, &mut found);
        let mut edge = options::edge(call.argument(2), &[], call.span, &mut found);
        edge.origin.parts.extend(call.origin().parts);
        self.found.extend(found.into_iter().map(|one| call.placed(one)));
        if let (Some(source), Some(target)) = (source, target) {
            (edge.source, edge.target) = (source, target);
            self.builder.connect(edge);
        }
    }

    fn kafka(&mut self, call: &Call) {
        let mut found = Vec::new();
        let cluster = options::cluster(call.argument(0), call.span, &mut found);
        self.found.extend(found.into_iter().map(|one| call.placed(one)));
        self.objects.insert(call.number, Object::Kafka);
        // Asking for the same cluster again, without a config, is asking for its builder.
        if !(call.argument(0).is_absent() && self.cluster_is_named) {
            self.builder.kafka(cluster);
        }
        self.cluster_is_named = true;
    }

    pub(super) fn kafka_call(&mut self, call: &Call) {
        let mut draft =
            ScenarioDraft { scenarios: Vec::new(), made_at: call.span, attached: true };
        draft.start(call, &mut self.found);
        self.objects.insert(call.number, Object::Scenarios(draft));
    }
}

/// The two forms `(config)` and `(id, config)`.
fn id_and_config(call: &Call) -> (Option<&Data>, &Data) {
    let first = call.argument(0);
    match &first.value {
        Value::Map(_) | Value::Absent => (None, first),
        _ => (Some(first), call.argument(1)),
    }
}
