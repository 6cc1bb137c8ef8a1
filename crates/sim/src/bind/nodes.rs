//! Brokers and controllers, and their node ids.

use std::collections::BTreeSet;

use topomotion_model::{Diagnostic, Process, ProcessRole, Span, nearest};

use super::{Draft, list, trailing_number};
use crate::plan::FIRST_VOTERS;
use crate::settings::Owner;
use crate::{ClusterPlan, NodePlan, NodeRole};

/// Controllers without a number of their own are numbered from here.
const FIRST_CONTROLLER: i32 = 3000;

/// Voters among the brokers, where the script shows no controller.
const COMBINED_VOTERS: usize = 3;

pub(super) fn find(draft: &mut Draft<'_>) -> Vec<NodePlan> {
    let brokers: Vec<&Process> = draft.of_role(ProcessRole::Broker).collect();
    let controllers: Vec<&Process> = draft.of_role(ProcessRole::Controller).collect();
    let combined = combined_voters(draft, &brokers, &controllers);
    let mut taken = BTreeSet::new();
    for process in brokers.iter().chain(&controllers) {
        let Some(id) = process.kafka.node_id else { continue };
        if id < 0 || !taken.insert(id) {
            let message = format!("`{}` cannot have the node id {id}", process.id);
            let span = process.origin.part("kafka");
            let error = Diagnostic::error("node-id", message, span);
            draft.errors.push(error.at("node ids are unique and not negative"));
        }
    }
    let mut plans = Vec::new();
    for (first, nodes) in [(1, &brokers), (FIRST_CONTROLLER, &controllers)] {
        for (index, process) in nodes.iter().enumerate() {
            let id = process
                .kafka
                .node_id
                .unwrap_or_else(|| number(process, first, &mut taken));
            let role = match (first, index < combined) {
                (FIRST_CONTROLLER, _) => NodeRole::Controller,
                (_, true) => NodeRole::Combined,
                (_, false) => NodeRole::Broker,
            };
            draft.say(format!("`{}` is node {id}.", process.id));
            plans.push(plan(draft, process, id, role));
        }
    }
    plans
}

/// Says who votes at first, where the script names them, and what is wrong with the names.
pub(super) fn first_voters(draft: &mut Draft<'_>, plan: &ClusterPlan) {
    let Some(cluster) = &draft.topology.cluster else { return };
    if !plan.settings.contains_key(FIRST_VOTERS) {
        return;
    }
    let origin = &cluster.origin;
    if let Some(error) = wrong_voters(plan, origin.part(FIRST_VOTERS)) {
        draft.errors.push(error);
        return;
    }
    let names = |nodes: Vec<&NodePlan>| -> Vec<String> {
        nodes.iter().map(|node| node.process.to_string()).collect()
    };
    let voters = names(plan.voters().collect());
    let others = names(plan.controllers().collect());
    let others: Vec<String> =
        others.into_iter().filter(|name| !voters.contains(name)).collect();
    let verb = if voters.len() == 1 { "votes" } else { "vote" };
    draft.say(format!("{} {verb} at first: `{FIRST_VOTERS}` says so.", list(&voters)));
    if !others.is_empty() {
        let verb = if others.len() == 1 { "begins" } else { "begin" };
        draft.say(format!("{} {verb} without a vote.", list(&others)));
    }
}

/// What is wrong with the voters that the settings name, if anything.
pub(super) fn wrong_voters(plan: &ClusterPlan, span: Option<Span>) -> Option<Diagnostic> {
    let unknown = plan.unknown_voters();
    let wrong = unknown.first()?;
    let message = format!("`{wrong}` is no controller and cannot vote");
    let error = Diagnostic::error("unknown-voter", message, span);
    let known: Vec<&str> = plan.controllers().map(|node| node.process.as_str()).collect();
    Some(match nearest(wrong, known.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("there are {}", known.join(", "))),
    })
}

/// A free id: the number in the process's own name if possible.
fn number(process: &Process, first: i32, taken: &mut BTreeSet<i32>) -> i32 {
    let own = trailing_number(process.id.as_str()).map(|number| match first {
        FIRST_CONTROLLER if number < FIRST_CONTROLLER => FIRST_CONTROLLER + number,
        _ => number,
    });
    let mut id = own.filter(|id| !taken.contains(id)).unwrap_or(first);
    while !taken.insert(id) {
        id += 1;
    }
    id
}

/// Whether the script says who votes at first.
fn names_voters(draft: &Draft<'_>) -> bool {
    let cluster = draft.topology.cluster.as_ref();
    cluster.is_some_and(|cluster| cluster.settings.contains_key(FIRST_VOTERS))
}

/// How many brokers vote, because nobody else does.
fn combined_voters(
    draft: &mut Draft<'_>,
    brokers: &[&Process],
    controllers: &[&Process],
) -> usize {
    if let [_, ..] = controllers {
        let names: Vec<String> = controllers.iter().map(|p| p.id.to_string()).collect();
        let verb = if names.len() == 1 { "is the only voter" } else { "vote" };
        if !names_voters(draft) {
            draft.say(format!("{} {verb} of the metadata quorum.", list(&names)));
        }
        return 0;
    }
    let count = if brokers.len() >= COMBINED_VOTERS { COMBINED_VOTERS } else { 1 };
    let names: Vec<String> =
        brokers.iter().take(count).map(|process| process.id.to_string()).collect();
    let instead = match draft.of_role(ProcessRole::Zookeeper).next() {
        Some(_) => "where a story is not about ZooKeeper, the engine runs KRaft",
        None => "the script shows no controller",
    };
    let verb = if count == 1 { "votes" } else { "vote" };
    draft.say(format!("{} also {verb}: {instead}.", list(&names)));
    count
}

fn plan(draft: &mut Draft<'_>, process: &Process, id: i32, role: NodeRole) -> NodePlan {
    let given = &process.kafka.settings;
    draft.check_settings(given, Owner::Node, &process.origin);
    if given.contains_key(FIRST_VOTERS) {
        let span = process.origin.part(FIRST_VOTERS);
        let message = format!("`{FIRST_VOTERS}` of `{}` alone", process.id);
        let warning = Diagnostic::warning("one-nodes-voters", message, span);
        draft.warnings.push(warning.at("has no effect").help(
            "who votes holds for the whole cluster: say it in the cluster's settings",
        ));
    }
    NodePlan {
        process: process.id.clone(),
        id,
        role,
        rack: process.kafka.rack.clone(),
        settings: given.clone(),
    }
}
