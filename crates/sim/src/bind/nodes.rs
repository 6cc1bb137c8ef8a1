//! Brokers and controllers, and their node ids.

use std::collections::BTreeSet;

use topomotion_model::{Diagnostic, Process, ProcessRole};

use super::{Draft, list, trailing_number};
use crate::settings::Owner;
use crate::{NodePlan, NodeRole};

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

/// How many brokers vote, because nobody else does.
fn combined_voters(
    draft: &mut Draft<'_>,
    brokers: &[&Process],
    controllers: &[&Process],
) -> usize {
    if let [_, ..] = controllers {
        let names: Vec<String> = controllers.iter().map(|p| p.id.to_string()).collect();
        let verb = if names.len() == 1 { "is the only voter" } else { "vote" };
        draft.say(format!("{} {verb} of the metadata quorum.", list(&names)));
        return 0;
    }
    let count = if brokers.len() >= COMBINED_VOTERS { COMBINED_VOTERS } else { 1 };
    let names: Vec<String> =
        brokers.iter().take(count).map(|process| process.id.to_string()).collect();
    let instead = match draft.of_role(ProcessRole::Zookeeper).next() {
        Some(_) => "the engine runs KRaft and not ZooKeeper",
        None => "the script shows no controller",
    };
    let verb = if count == 1 { "votes" } else { "vote" };
    draft.say(format!("{} also {verb}: {instead}.", list(&names)));
    count
}

fn plan(draft: &mut Draft<'_>, process: &Process, id: i32, role: NodeRole) -> NodePlan {
    let given = &process.kafka.settings;
    draft.check_settings(given, Owner::Node, &process.origin);
    NodePlan {
        process: process.id.clone(),
        id,
        role,
        rack: process.kafka.rack.clone(),
        settings: given.clone(),
    }
}
