//! The processes around Kafka: who they are, whom they ask, and which runs need them.

use std::collections::BTreeMap;

use topomotion_model::{Diagnostic, Process, ProcessId, ProcessRole, Run, StepKind};

use super::{Draft, connect, list};
use crate::line::actor;
use crate::plan::{ActorKind, ActorPlan};
use crate::serdes;
use crate::{ClusterPlan, NodePlan};

/// Replicas of the registry's topic, where there are brokers enough:
/// `kafkastore.topic.replication.factor`.
const REPLICAS: usize = 3;

pub(super) fn find(draft: &mut Draft<'_>, plan: &mut ClusterPlan) {
    let registries: Vec<&Process> = draft.of_role(ProcessRole::SchemaRegistry).collect();
    for process in registries {
        let dialled = draft.dials(&process.id);
        let dialled = dialled.first().and_then(|edge| edge.target.process()).cloned();
        let first = plan.brokers().next().map(|node| node.process.clone());
        let Some(bootstrap) = dialled.or(first) else { continue };
        let own = plan.brokers().filter(|node| node.process == bootstrap);
        let others = plan.brokers().filter(|node| node.process != bootstrap);
        let replicas: Vec<&NodePlan> = own.chain(others).take(REPLICAS).collect();
        let names: Vec<String> =
            replicas.iter().map(|node| node.process.to_string()).collect();
        let told = format!("`{}` keeps `_schemas` on {}.", process.id, list(&names));
        let replicas = replicas.iter().map(|node| node.id).collect();
        draft.say(told);
        let kind = ActorKind::SchemaRegistry { bootstrap, replicas };
        push(draft, plan, process, kind);
    }
    let services: Vec<&Process> = draft.of_role(ProcessRole::Service).collect();
    for process in services {
        if plan.runs(&process.id) {
            continue;
        }
        let calls: Vec<ProcessId> = called(draft, &process.id);
        let asks = asked(draft, plan, &process.id);
        let is_called =
            draft.topology.edges.iter().any(|edge| {
                edge.target.process() == Some(&process.id) && speaks_http(edge)
            });
        if calls.is_empty() && asks.is_empty() && !is_called {
            continue;
        }
        let names: Vec<String> = calls.iter().map(ToString::to_string).collect();
        connect::no_longer_idle(draft, &process.id);
        draft.say(match names.is_empty() {
            true if !is_called => {
                format!("`{}` asks {} over HTTP, where told to.", process.id, list(&asks))
            }
            true => format!("`{}` answers calls over HTTP.", process.id),
            false => format!(
                "`{}` answers calls over HTTP, and calls {} for each.",
                process.id,
                list(&names)
            ),
        });
        push(draft, plan, process, ActorKind::Service { calls });
    }
}

fn speaks_http(edge: &topomotion_model::Edge) -> bool {
    let protocol = edge.protocol.as_deref().unwrap_or_default();
    ["http", "https", "rest"].iter().any(|name| protocol.eq_ignore_ascii_case(name))
}

/// The consumers that a process has HTTP edges to, in the script's order.
fn asked(draft: &Draft<'_>, plan: &ClusterPlan, id: &ProcessId) -> Vec<String> {
    let own = draft.topology.edges.iter();
    let own = own.filter(|edge| edge.source.process() == Some(id) && speaks_http(edge));
    let targets = own.filter_map(|edge| edge.target.process());
    let reads = |id: &&ProcessId| plan.consumers.iter().any(|one| one.process == **id);
    targets.filter(reads).map(ToString::to_string).collect()
}

/// The services that a process calls, in the script's order.
fn called(draft: &Draft<'_>, id: &ProcessId) -> Vec<ProcessId> {
    let own = draft.topology.edges.iter();
    let own = own.filter(|edge| edge.source.process() == Some(id) && speaks_http(edge));
    let targets = own.filter_map(|edge| edge.target.process());
    targets
        .filter(|target| draft.role(target) == Some(ProcessRole::Service))
        .cloned()
        .collect()
}

pub(super) fn push(
    draft: &mut Draft<'_>,
    plan: &mut ClusterPlan,
    process: &Process,
    kind: ActorKind,
) {
    let settings = process.kafka.settings.clone();
    for (name, value) in &settings {
        let span = process.origin.part(name);
        if let Err(help) = serdes::check_actor(&kind, name, value) {
            let message = format!("`{name}={value}` means nothing to `{}`", process.id);
            draft.warnings.push(
                Diagnostic::warning("unknown-setting", message, span)
                    .at("has no effect")
                    .help(help),
            );
        }
    }
    plan.actors.push(ActorPlan { process: process.id.clone(), kind, settings });
}

/// Leaves only those processes around Kafka in the cluster that this run has to do with: a
/// registry reads its topic all the time, and most stories are not about it.
pub(super) fn keep_needed(
    plan: &mut ClusterPlan,
    run: &Run,
    errors: &mut Vec<Diagnostic>,
) {
    let asks = |settings: &BTreeMap<String, String>| serdes::needs_registry(settings);
    let serializes = plan.producers.iter().any(|one| asks(&one.settings))
        || plan.consumers.iter().any(|one| asks(&one.settings));
    let is_registry =
        |one: &ActorPlan| matches!(one.kind, ActorKind::SchemaRegistry { .. });
    if serializes && !plan.actors.iter().any(is_registry) {
        let message = "a serializer needs a schema registry, and there is none";
        let error = Diagnostic::error("no-registry", message, None);
        errors.push(error.help("give a process `role: 'schema-registry'`"));
    }
    let is_told = run.steps.iter().any(|step| match &step.kind {
        StepKind::Client(_, line) => {
            actor::is_meant(line) && !actor::is_of_application(line)
        }
        kind => hits(kind, plan, |one| !connect::is_part(one)),
    });
    let is_asked = serializes || is_told;
    let connects = connect::is_needed(plan, run);
    plan.actors.retain(|one| if connect::is_part(one) { connects } else { is_asked });
}

/// Whether a step concerns one of these actors.
pub(super) fn hits(
    kind: &StepKind,
    plan: &ClusterPlan,
    of: impl Fn(&ActorPlan) -> bool,
) -> bool {
    match kind {
        StepKind::Crash(id)
        | StepKind::Restart(id)
        | StepKind::Start(id)
        | StepKind::Pause(id)
        | StepKind::Resume(id) => {
            plan.actors.iter().any(|one| one.process == *id && of(one))
        }
        _ => false,
    }
}
