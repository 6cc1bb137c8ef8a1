//! ZooKeeper servers of a picture, and the runs that are played as in their days.

use topomotion_model::{Diagnostic, Process, ProcessId, ProcessRole, Run, StepKind};

use super::{Draft, list, trailing_number};
use crate::plan::{ZOOKEEPER_CONNECT, ZooKeeperPlan};
use crate::{ClusterPlan, NodeRole};

pub(super) fn find(draft: &mut Draft<'_>, plan: &mut ClusterPlan) {
    let servers: Vec<&Process> = draft.of_role(ProcessRole::Zookeeper).collect();
    let mut taken: Vec<i32> = Vec::new();
    for process in &servers {
        let mut id = trailing_number(process.id.as_str()).unwrap_or(1);
        while taken.contains(&id) {
            id += 1;
        }
        taken.push(id);
        let near = |broker: &ProcessId| {
            draft.topology.edges.iter().any(|edge| {
                let ends = (edge.source.process(), edge.target.process());
                ends == (Some(&process.id), Some(broker))
                    || ends == (Some(broker), Some(&process.id))
            })
        };
        let brokers = plan.brokers().map(|node| &node.process);
        let brokers = brokers.filter(|broker| near(broker)).cloned().collect();
        plan.zookeeper.push(ZooKeeperPlan { process: process.id.clone(), id, brokers });
    }
    if !plan.zookeeper.is_empty() {
        let names: Vec<String> = servers.iter().map(|it| it.id.to_string()).collect();
        let (names, count) = (list(&names), names.len());
        let (noun, verb) = match count {
            1 => ("a ZooKeeper", "takes"),
            _ => ("a ZooKeeper ensemble", "take"),
        };
        draft.say(format!(
            "{names} {verb} part in the stories about ZooKeeper alone, as {noun}."
        ));
    }
}

/// Leaves the ensemble in those runs alone that name it in `zookeeper.connect`. In these
/// nobody reads, for brokers of those days serve producers only, and only whoever is made
/// to sends.
pub(super) fn keep_needed(
    plan: &mut ClusterPlan,
    run: &Run,
    errors: &mut Vec<Diagnostic>,
) {
    if !run.settings.contains_key(ZOOKEEPER_CONNECT) {
        return plan.zookeeper.clear();
    }
    let mut lacks = |message: &str, help: &str| {
        errors.push(Diagnostic::error("no-zookeeper", message, None).help(help));
    };
    if plan.zookeeper.is_empty() {
        lacks("there is no ZooKeeper server", "give a process `role: 'zookeeper'`");
    }
    if plan.nodes.iter().any(|node| node.role == NodeRole::Controller) {
        lacks(
            "a controller of KRaft has nothing to do where ZooKeeper is",
            "leave the controllers out: one of the brokers is the controller",
        );
    }
    plan.actors.clear();
    plan.consumers.clear();
    plan.producers.retain(|one| {
        run.steps.iter().any(|step| match &step.kind {
            StepKind::Produce { producer, .. } => *producer == one.process,
            StepKind::Crash(id) | StepKind::Start(id) => *id == one.process,
            _ => false,
        })
    });
}
