//! Setting the cluster up: nodes start, the quorum elects, brokers register, topics are
//! created, clients find their leaders, and everybody comes to rest.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_client::{Created, NewTopic, TopicPlacement};
use topomotion_model::ProcessId;
use topomotion_trace::{GroupState, ProcessState, StateChange, What};
use topomotion_wire::NodeId;

use super::actors;
use super::stage::{Stage, Stop};
use super::zookeeper;
use crate::packet::name_of;
use crate::{Membership, TopicPlan};

/// The set-up is over when nothing but routine has happened for so long: longer than any
/// fetch waits.
const REST_MS: u64 = 1_100;

/// Whether the set-up ends when everything is in place or when it is quiet too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    Awaited,
    Skipped,
}

/// Brings the cluster up, or says what was missing.
pub(super) fn set_up(
    stage: &mut Stage<'_>,
    patience_ms: u64,
    rest: Rest,
    late: &BTreeSet<&ProcessId>,
) -> Result<(), String> {
    if stage.cluster.plan.has_zookeeper() {
        let ensemble = zookeeper::set_up(stage, patience_ms, late);
        ensemble.or_else(|(stop, waiting)| {
            told(Err(stop), || waits("processes", "to be ready", &waiting))
        })?;
    } else {
        set_up_nodes(stage, patience_ms)?;
    }
    told(actors::set_up(stage, patience_ms), || {
        waits("processes", "to be ready", &stage.cluster.actors_not_ready())
    })?;

    let plan = stage.cluster.plan;
    let producers = plan.producers.iter().map(|producer| &producer.process);
    let consumers = plan.consumers.iter().map(|consumer| &consumer.process);
    for process in producers.chain(consumers) {
        if !late.contains(process) && !stage.cluster.lives(process) {
            stage.cluster.start(process);
        }
    }
    for process in late {
        let (process, state) = (process.0.clone(), ProcessState::Stopped);
        stage.note(What::State(StateChange::Process { process, state }));
    }
    let clients = stage.run_until(patience_ms, |stage| {
        stage.cluster.consumers_not_ready(late).is_empty()
    });
    told(clients, || {
        waits(
            "consumers",
            "to find their place",
            &stage.cluster.consumers_not_ready(late),
        )
    })?;

    let producers = stage.run_until(patience_ms, |stage| {
        stage.cluster.producers_not_ready(late).is_empty()
    });
    told(producers, || {
        let waiting = stage.cluster.producers_not_ready(late);
        waits("producers", "to get their ids", &waiting)
    })?;

    if rest == Rest::Skipped {
        return Ok(());
    }
    // The members of a group that its coordinator shares out (KIP-848) say with a heartbeat
    // what they have let go: routine, and seconds apart.
    let groups =
        stage.run_until(patience_ms, |stage| unsettled_groups(stage, late).is_empty());
    told(groups, || waits("groups", "to be stable", &unsettled_groups(stage, late)))?;
    let rest = stage.run_until_quiet(REST_MS, stage.now());
    told(rest, || "the cluster never came to rest".to_owned())
}

/// Groups of consumers that have started, whose partitions are not shared out.
fn unsettled_groups(stage: &Stage<'_>, late: &BTreeSet<&ProcessId>) -> Vec<String> {
    let members = stage.cluster.plan.consumers.iter().filter(|plan| {
        plan.membership() == Membership::Subscribed && !late.contains(&plan.process)
    });
    let groups: BTreeSet<&String> = members.map(|plan| &plan.group).collect();
    let unsettled = groups
        .into_iter()
        .filter(|group| stage.observer.group_state(group) != Some(GroupState::Stable));
    unsettled.cloned().collect()
}

/// Nodes start, and topics are created.
fn set_up_nodes(stage: &mut Stage<'_>, patience_ms: u64) -> Result<(), String> {
    let nodes = stage.cluster.plan.nodes.iter().map(|node| node.process.clone());
    for process in nodes.collect::<Vec<_>>() {
        stage.cluster.start(&process);
    }
    let brokers = stage
        .run_until(patience_ms, |stage| stage.cluster.brokers_not_ready().is_empty());
    told(brokers, || waits("brokers", "to serve", &stage.cluster.brokers_not_ready()))?;

    create_topics(stage, patience_ms)?;
    let replicas = stage
        .run_until(patience_ms, |stage| stage.cluster.replicas_not_ready().is_empty());
    told(replicas, || {
        waits("partitions", "to be led as planned", &stage.cluster.replicas_not_ready())
    })
}

fn create_topics(stage: &mut Stage<'_>, patience_ms: u64) -> Result<(), String> {
    let plan = stage.cluster.plan;
    if plan.topics.is_empty() {
        return Ok(());
    }
    stage.cluster.start_admin();
    stage.cluster.with_admin(|admin, now| {
        plan.topics.iter().for_each(|topic| admin.create_topic(now, new_topic(topic)));
    });
    let mut open = plan.topics.len();
    while open > 0 {
        let step = stage.run_until(patience_ms, one_event());
        told(step, || format!("{open} topics were never created"))?;
        let mut results: Vec<Created> = Vec::new();
        stage.cluster.with_admin(|admin, _| {
            results.extend(std::iter::from_fn(|| admin.take_result()));
        });
        for result in results {
            if let Err((error, words)) = result.result {
                let words = words.map(|words| format!(": {words}")).unwrap_or_default();
                let error = name_of(error);
                return Err(format!(
                    "topic {} was refused: {error}{words}",
                    result.topic
                ));
            }
            open -= 1;
        }
    }
    stage.cluster.stop_admin();
    Ok(())
}

/// Holds the second time it is asked: after one event.
fn one_event<'a>() -> impl FnMut(&mut Stage<'a>) -> bool {
    let mut asked = 0;
    move |_| {
        asked += 1;
        asked > 1
    }
}

fn new_topic(plan: &TopicPlan) -> NewTopic {
    let assignment = plan.assignment.iter();
    let assignment =
        assignment.map(|replicas| replicas.iter().map(|&id| NodeId(id)).collect());
    NewTopic {
        name: Arc::from(&*plan.name),
        placement: TopicPlacement::Manual(assignment.collect()),
        configs: plan.settings.clone().into_iter().collect::<BTreeMap<_, _>>(),
    }
}

fn told(
    result: Result<(), Stop>,
    missing: impl FnOnce() -> String,
) -> Result<(), String> {
    result.map_err(|stop| match stop {
        Stop::Late => missing(),
        Stop::Limit(limit) => format!("{limit} while waiting: {}", missing()),
    })
}

fn waits(who: &str, what: &str, names: &[String]) -> String {
    format!("still waiting for {who} {what}: {}", names.join(", "))
}
