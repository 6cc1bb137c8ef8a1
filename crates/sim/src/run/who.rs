//! Who is meant by an alias at this moment, and what a condition asks of the moment.

use std::sync::Arc;

use topomotion_model::{Alias, Condition, Count, ProcessId, Stateful, Term};
use topomotion_wire::TopicPartition;

use super::body::Body;
use super::stage::Stage;
use crate::bind::METADATA;
use crate::storm::strike::Strike;
use crate::{Action, Sight};

/// The process that is meant.
fn process(
    stage: &Stage<'_>,
    last: Option<&ProcessId>,
    id: &ProcessId,
) -> Result<ProcessId, String> {
    match Alias::of(id) {
        None => Ok(id.clone()),
        Some(Err(help)) => Err(format!("nobody is meant by `{id}`: {help}")),
        Some(Ok(Alias::Last)) => {
            last.cloned().ok_or_else(|| "no step has hit anybody yet".to_owned())
        }
        Some(Ok(Alias::Controller)) => {
            let controller = stage.observer.controller().cloned().map(ProcessId);
            controller.ok_or_else(|| "no controller is active".to_owned())
        }
        Some(Ok(Alias::Standby)) => standby(stage)
            .ok_or_else(|| "no voter but the active controller runs".to_owned()),
        Some(Ok(Alias::Leader(partition))) => leader(stage, &partition.to_string()),
        Some(Ok(Alias::Coordinator(of))) => {
            let topic = match &of {
                Stateful::Group(_) => "__consumer_offsets",
                Stateful::Transaction(_) => "__transaction_state",
            };
            let size = i32::try_from(stage.cluster.topic_size(topic)).unwrap_or(i32::MAX);
            let index = topomotion_coordinator::partition_for(of.name(), size);
            leader(stage, &format!("{topic}-{index}"))
        }
    }
}

fn leader(stage: &Stage<'_>, partition: &str) -> Result<ProcessId, String> {
    let now = stage.observer.registration(partition);
    let leader = now.and_then(|now| now.leader.clone()).map(ProcessId);
    leader.ok_or_else(|| format!("nobody leads {partition}"))
}

/// The first voter that runs and is not the active controller.
fn standby(stage: &Stage<'_>) -> Option<ProcessId> {
    let active = stage.observer.controller();
    let cluster = &stage.cluster;
    let waits = |process: &&ProcessId| {
        let host = cluster.host(process);
        let node = host.and_then(|host| cluster.world.machine(host)).and_then(Body::node);
        let votes =
            node.is_some_and(|node| node.quorum().voters().contains(node.config().id));
        votes && active.is_none_or(|active| **active != *process.as_str())
    };
    let nodes = cluster.plan.controllers().map(|node| &node.process);
    nodes.into_iter().find(waits).cloned()
}

/// The action with everybody's own name in it.
pub(super) fn known(
    stage: &Stage<'_>,
    last: Option<&ProcessId>,
    action: &Action,
) -> Result<Action, String> {
    let mut action = action.clone();
    match &mut action {
        Action::Crash { process: id }
        | Action::Start { process: id }
        | Action::Restart { process: id }
        | Action::Pause { process: id }
        | Action::Resume { process: id }
        | Action::Shutdown { process: id } => *id = process(stage, last, id)?,
        Action::Partition { left, right } => {
            for id in left.iter_mut().chain(right.iter_mut()) {
                *id = process(stage, last, id)?;
            }
            part(left, right);
        }
        Action::Fault { what } if what.contains('@') => {
            let strike = Strike::read_untimed(what).map_err(|wrong| wrong.message);
            let mut strike = strike?;
            for id in strike.on.iter_mut().chain(&mut strike.towards) {
                *id = process(stage, last, id)?;
            }
            part(&mut strike.on, &mut strike.towards);
            *what = strike.untimed();
        }
        Action::Admin { what } if what.contains('@') => {
            let named = |word: &str| match word.strip_prefix('@') {
                Some(_) => process(stage, last, &word.into()).map(|id| id.0.to_string()),
                None => Ok(word.to_owned()),
            };
            let list = |words: &str| -> Result<String, String> {
                let words: Result<Vec<String>, String> =
                    words.split(',').map(named).collect();
                words.map(|words| words.join(","))
            };
            let words: Result<Vec<String>, String> = what.split(' ').map(list).collect();
            *what = words?.join(" ");
        }
        Action::Fault { .. }
        | Action::Admin { .. }
        | Action::Produce { .. }
        | Action::Client { .. }
        | Action::Heal
        | Action::Wait { .. }
        | Action::WaitUntil { .. }
        | Action::Expect { .. }
        | Action::Say { .. } => {}
    }
    Ok(action)
}

/// Who is meant by an alias may have been named on the other side too, among many: nobody
/// stands on both sides, or on one of them twice.
fn part(left: &mut Vec<ProcessId>, right: &mut Vec<ProcessId>) {
    for side in [&mut *left, &mut *right] {
        let mut later = side.split_off(0);
        while !later.is_empty() {
            let id = later.remove(0);
            if !later.contains(&id) {
                side.push(id);
            }
        }
    }
    let (many, few) =
        if left.len() >= right.len() { (left, right) } else { (right, left) };
    if few.len() < many.len() {
        many.retain(|id| !few.contains(id));
    }
}

/// Whether a condition holds now.
pub(super) fn judge(
    stage: &mut Stage<'_>,
    last: Option<&ProcessId>,
    condition: &Condition,
) -> Result<(), String> {
    let mut condition = condition.clone();
    for id in condition.processes_mut() {
        *id = process(stage, last, id)?;
    }
    if let Some(sight) = look(stage, &condition) {
        stage.witness(&sight);
    }
    stage.judge.judge(&condition)
}

/// What must be looked at before the judge can say.
fn look(stage: &Stage<'_>, condition: &Condition) -> Option<Sight> {
    match condition {
        Condition::Not(inner) => look(stage, inner),
        Condition::Number { term: Term::LogStart, partition, replica, .. } => {
            let name = partition.to_string();
            let process = match replica {
                Some(replica) => replica.0.clone(),
                None => stage.observer.registration(&name)?.leader.clone()?,
            };
            let at = place(&partition.topic, partition.partition)?;
            let host = stage.cluster.host(&ProcessId(process.clone()))?;
            let node = stage.cluster.world.machine(host).and_then(Body::node)?;
            let offset = match &*partition.topic {
                METADATA => node.quorum().log().start_offset().0,
                _ => node.replica(&at)?.log_start.0,
            };
            Some(Sight::LogStart { process, partition: name.into(), offset })
        }
        Condition::Voters { .. } => {
            let controller = stage.observer.controller()?.clone();
            let host = stage.cluster.host(&ProcessId(controller))?;
            let node = stage.cluster.world.machine(host).and_then(Body::node)?;
            let named = node.quorum().voters().ids();
            let named = named.filter_map(|id| stage.cluster.plan.process_of(id.0));
            Some(Sight::Voters(named.map(|process| process.0.clone()).collect()))
        }
        Condition::Count { of, .. } => look_at_count(stage, of),
        _ => None,
    }
}

fn look_at_count(stage: &Stage<'_>, of: &Count) -> Option<Sight> {
    match of {
        Count::Partitions(topic) => {
            let partitions = stage.cluster.topic_size(topic);
            Some(Sight::TopicSize { topic: Arc::from(topic.as_str()), partitions })
        }
        Count::Holds(process, name) => {
            let host = stage.cluster.host(process)?;
            let count = match stage.cluster.world.machine(host) {
                Some(Body::Actor(actor)) => actor.held(name),
                _ => None,
            };
            let count = count.map(|count| i64::try_from(count).unwrap_or(i64::MAX));
            let (process, name) = (process.0.clone(), Arc::from(name.as_str()));
            Some(Sight::Holds { process, name, count })
        }
        Count::Position(reader, partition) => {
            let at = place(&partition.topic, partition.partition)?;
            let next = stage.cluster.position(reader, &at);
            let (process, partition) = (reader.0.clone(), partition.to_string().into());
            Some(Sight::Position { process, partition, next })
        }
        _ => None,
    }
}

fn place(topic: &str, partition: u32) -> Option<TopicPartition> {
    Some(TopicPartition::new(topic, i32::try_from(partition).ok()?))
}
