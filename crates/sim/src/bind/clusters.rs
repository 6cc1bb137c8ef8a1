//! Which of several Kafka clusters the runs play on: the engine runs one.

use std::collections::BTreeSet;

use topomotion_model::{Diagnostic, End, Process, ProcessId, Topology};

use super::{Draft, list};

/// Leaves the nodes of all clusters but the first, and the clients that dial only those, out of
/// the runs.
pub(super) fn choose(draft: &mut Draft<'_>) {
    let topology = draft.topology;
    let clusters = topology.kafka_clusters();
    let Some((ours, others)) = clusters.split_first().filter(|(_, it)| !it.is_empty())
    else {
        return;
    };
    let others: BTreeSet<&ProcessId> = others.iter().flatten().copied().collect();
    let dials = |process: &Process, nodes: &BTreeSet<&ProcessId>| {
        let mut own = topology.edges.iter();
        own.any(|edge| {
            edge.source.process() == Some(&process.id)
                && is_at(topology, &edge.target, nodes)
        })
    };
    let is_elsewhere = |process: &&Process| {
        others.contains(&process.id)
            || (!ours.contains(&process.id)
                && dials(process, &others)
                && !dials(process, ours))
    };
    let elsewhere: Vec<&Process> =
        topology.processes.iter().filter(is_elsewhere).collect();
    let names: Vec<String> = elsewhere.iter().map(|it| it.id.to_string()).collect();
    draft.elsewhere.extend(elsewhere.iter().map(|it| it.id.clone()));
    draft.roles.retain(|id, _| !draft.elsewhere.contains(id));
    let left = without(topology, &others);
    let both = topology.processes.iter().filter(|it| dials(it, &others));
    for process in both.filter(|it| !draft.elsewhere.contains(&it.id)) {
        match left.role_of(&process.id) {
            Some(role) => draft.roles.insert(process.id.clone(), role.in_engine()),
            None => draft.roles.remove(&process.id),
        };
    }
    let verb = if names.len() == 1 { "takes" } else { "take" };
    draft.say(format!(
        "{} {verb} no part in the runs: another Kafka cluster than the one that runs.",
        list(&names)
    ));
    draft.warnings.extend(warning(draft, ours, &others, clusters.len()));
}

/// Whether an end of an edge is one of these, or a group with one of them.
fn is_at(topology: &Topology, end: &End, nodes: &BTreeSet<&ProcessId>) -> bool {
    match end {
        End::Process(id) => nodes.contains(id),
        End::Group(group) => topology
            .processes
            .iter()
            .any(|it| it.group.as_ref() == Some(group) && nodes.contains(&it.id)),
    }
}

/// What is left for those that dial several clusters: a mirror that reads from one and writes
/// to the other does one thing here.
fn without(topology: &Topology, others: &BTreeSet<&ProcessId>) -> Topology {
    let mut ours = topology.clone();
    let is_ours = |end: &End| !is_at(topology, end, others);
    ours.edges.retain(|edge| is_ours(&edge.source) && is_ours(&edge.target));
    ours
}

fn warning(
    draft: &Draft<'_>,
    ours: &BTreeSet<&ProcessId>,
    others: &BTreeSet<&ProcessId>,
    clusters: usize,
) -> Option<Diagnostic> {
    let first_of = |nodes: &BTreeSet<&ProcessId>| {
        draft.topology.processes.iter().find(|process| nodes.contains(&process.id))
    };
    let (first, other) = (first_of(ours)?, first_of(others)?);
    let message = format!(
        "there are {clusters} Kafka clusters; the runs play on that of `{}`",
        first.id
    );
    let warning =
        Diagnostic::warning("several-clusters", message, other.origin.part("id"));
    Some(warning.at("nothing connects it to the one that runs").help(
        "name the other one's processes in a scenario, or put it first, to have that run; \
         if they are one cluster, connect their brokers",
    ))
}
