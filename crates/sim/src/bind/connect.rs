//! Connect: workers, the database that they follow, the store that they write to.

use std::collections::BTreeSet;

use topomotion_model::{Edge, Process, ProcessId, ProcessRole, Run, Shape, StepKind};

use super::{Draft, actors};
use crate::line::actor;
use crate::plan::{ActorKind, ActorPlan, TopicPlan};
use crate::{ClusterPlan, serdes};

const DATABASES: [&str; 10] = [
    "postgresql",
    "postgres",
    "mysql",
    "mariadb",
    "jdbc",
    "sql",
    "mongodb",
    "oracle",
    "sqlserver",
    "db2",
];
const STORES: [&str; 7] =
    ["http", "https", "rest", "s3", "elasticsearch", "opensearch", "hdfs"];
/// `offset.storage.topic`.
const OFFSETS: &str = "connect-offsets";
/// Replicas of that topic, where there are brokers enough.
const REPLICAS: usize = 3;

pub(super) fn find(draft: &mut Draft<'_>, plan: &mut ClusterPlan) {
    let workers: Vec<&Process> = draft.of_role(ProcessRole::Connect).collect();
    let workers: Vec<&Process> =
        workers.into_iter().filter(|it| !plan.runs(&it.id)).collect();
    let mut database = None;
    let mut store = None;
    for worker in &workers {
        let near = neighbours(draft, &worker.id);
        let free = |id: &ProcessId| draft.role(id).is_none() && !plan.runs(id);
        let found = |names: &[&str], shape: Option<Shape>| {
            let fits = |(id, edge): &&(ProcessId, &Edge)| {
                let shaped = draft.topology.processes.iter().any(|one| {
                    one.id == *id && Some(one.shape) == shape && edge.protocol.is_none()
                });
                free(id) && (speaks(edge, names) || shaped)
            };
            near.iter().find(fits).map(|(id, _)| id.clone())
        };
        database = database.or_else(|| found(&DATABASES, Some(Shape::Cylinder)));
        store = store.or_else(|| found(&STORES, None));
    }
    let Some(first) = plan.brokers().next().map(|node| node.process.clone()) else {
        return;
    };
    if database.is_none() && store.is_none() {
        return;
    }
    for worker in workers {
        let dialled = draft.dials(&worker.id);
        let dialled = dialled.first().and_then(|edge| edge.target.process()).cloned();
        let bootstrap = dialled.unwrap_or_else(|| first.clone());
        let told = |id: &Option<ProcessId>, what: &str| {
            id.as_ref().map(|id| format!("{what} `{id}`"))
        };
        let does: Vec<String> = [told(&database, "follows"), told(&store, "writes to")]
            .into_iter()
            .flatten()
            .collect();
        no_longer_idle(draft, &worker.id);
        draft.say(format!(
            "`{}` runs connectors: one {}.",
            worker.id,
            does.join(", one ")
        ));
        let (database, store) = (database.clone(), store.clone());
        let kind = ActorKind::Connect { bootstrap, database, store };
        actors::push(draft, plan, worker, kind);
    }
    for (id, kind, what) in [
        (database, ActorKind::Database, "keeps rows, and a log that is followed"),
        (store, ActorKind::Store, "keeps documents, and answers over HTTP"),
    ] {
        let topology = draft.topology;
        let process = topology.processes.iter().find(|one| Some(&one.id) == id.as_ref());
        if let Some(process) = process {
            no_longer_idle(draft, &process.id);
            draft.say(format!("`{}` {what}.", process.id));
            actors::push(draft, plan, process, kind);
        }
    }
}

/// What was said of it before is not so.
pub(super) fn no_longer_idle(draft: &mut Draft<'_>, id: &ProcessId) {
    let idle = format!("`{id}` takes no part in the runs");
    draft.explain.retain(|sentence| !sentence.starts_with(&idle));
}

/// Whoever shares an edge with a process, in the script's order.
fn neighbours<'a>(draft: &Draft<'a>, id: &ProcessId) -> Vec<(ProcessId, &'a Edge)> {
    let edges = draft.topology.edges.iter();
    let near = edges.filter_map(|edge| {
        let (source, target) = (edge.source.process()?, edge.target.process()?);
        match (source == id, target == id) {
            (true, false) => Some((target.clone(), edge)),
            (false, true) => Some((source.clone(), edge)),
            _ => None,
        }
    });
    near.collect()
}

fn speaks(edge: &Edge, names: &[&str]) -> bool {
    let protocol = edge.protocol.as_deref().unwrap_or_default();
    names.iter().any(|name| protocol.eq_ignore_ascii_case(name))
}

/// Whether an actor has its part in Connect.
pub(super) fn is_part(one: &ActorPlan) -> bool {
    matches!(one.kind, ActorKind::Connect { .. } | ActorKind::Database | ActorKind::Store)
}

/// Whether a run has to do with Connect.
pub(super) fn is_needed(plan: &ClusterPlan, run: &Run) -> bool {
    run.settings.keys().any(|name| name.starts_with(serdes::CONNECT))
        || run.steps.iter().any(|step| match &step.kind {
            StepKind::Client(_, line) => actor::is_of_database(line),
            kind => actors::hits(kind, plan, is_part),
        })
}

/// The topics that the connectors of the run need.
pub(super) fn equip(plan: &mut ClusterPlan) {
    let workers: Vec<ActorPlan> =
        plan.actors.iter().filter(|it| is_part(it)).cloned().collect();
    let mut wanted: BTreeSet<(String, bool)> = BTreeSet::new();
    for worker in &workers {
        let ActorKind::Connect { database, .. } = &worker.kind else { continue };
        wanted.insert((OFFSETS.to_owned(), true));
        let Some(database) = database else { continue };
        for table in serdes::tables(&worker.settings) {
            wanted.insert((format!("{database}.{table}"), false));
        }
    }
    let brokers: Vec<i32> = plan.brokers().map(|node| node.id).take(REPLICAS).collect();
    for (name, is_compacted) in wanted {
        if plan.topic(&name).is_none() {
            let compact = ("cleanup.policy".to_owned(), "compact".to_owned());
            let settings = is_compacted.then_some(compact).into_iter().collect();
            plan.topics.push(TopicPlan {
                name,
                assignment: vec![brokers.clone()],
                settings,
            });
        }
    }
}
