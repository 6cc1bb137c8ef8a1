//! Producers and consumers: whom they ask first, what they ask for, what they read.

use topomotion_model::{
    Acks, Diagnostic, Group, Process, ProcessId, ProcessRole, nearest,
};

use super::Draft;
use crate::settings::Owner;
use crate::{ClusterPlan, ConsumerPlan, ProducerPlan, TopicPlan};

pub(super) fn find(draft: &mut Draft<'_>, plan: &mut ClusterPlan) {
    if plan.topics.is_empty() {
        return;
    }
    let topology = draft.topology;
    for process in &topology.processes {
        match draft.role(&process.id) {
            Some(ProcessRole::Producer) => producer(draft, plan, process),
            Some(ProcessRole::Consumer) => consumer(draft, plan, process),
            Some(
                ProcessRole::Broker
                | ProcessRole::Controller
                | ProcessRole::SchemaRegistry
                | ProcessRole::Zookeeper,
            )
            | None => {}
            Some(_) => other(draft, plan, process),
        }
    }
    share(draft, plan);
}

/// Processes whose role is not fixed: they send if a scenario wants it, else they read if
/// their role does.
fn other(draft: &mut Draft<'_>, plan: &mut ClusterPlan, process: &Process) {
    if draft.dials(&process.id).is_empty() {
        return draft.say(format!(
            "`{}` takes no part in the runs: it dials no broker.",
            process.id
        ));
    }
    if draft.is_made_to_produce(&process.id) {
        draft.say(format!("`{}` gets a producer: a scenario makes it send.", process.id));
        producer(draft, plan, process);
    } else if draft.role(&process.id) == Some(ProcessRole::Streams) {
        draft.say(format!("`{}` gets a consumer, to read its input.", process.id));
        consumer(draft, plan, process);
    } else {
        draft.say(format!("`{}` takes no part in the runs.", process.id));
    }
}

fn producer(draft: &mut Draft<'_>, plan: &mut ClusterPlan, process: &Process) {
    let Some(bootstrap) = bootstrap(draft, plan, process) else { return };
    let acks = acks(draft, process);
    let Some(topic) =
        topics(draft, plan, process).first().map(|topic| topic.name.clone())
    else {
        return;
    };
    let given = &process.kafka.settings;
    draft.check_settings(given, Owner::Producer, &process.origin);
    let named = super::CONFLICTING.into_iter().find(|name| given.contains_key(*name));
    let span = named.and_then(|name| process.origin.part(name));
    draft.errors.extend(super::judge_conflict(&process.id, acks, given, span));
    let settings = given.clone();
    let process = process.id.clone();
    plan.producers.push(ProducerPlan { process, bootstrap, acks, topic, settings });
}

fn consumer(draft: &mut Draft<'_>, plan: &mut ClusterPlan, process: &Process) {
    let Some(bootstrap) = bootstrap(draft, plan, process) else { return };
    let group = group(draft, process);
    let topics = topics(draft, plan, process);
    let subscription = topics.iter().map(|topic| topic.name.clone()).collect();
    let assignment = topics.iter().flat_map(|topic| {
        (0..).zip(&topic.assignment).map(|(partition, _)| (topic.name.clone(), partition))
    });
    let assignment = assignment.collect();
    let given = &process.kafka.settings;
    draft.check_settings(given, Owner::Consumer, &process.origin);
    let settings = given.clone();
    let process = process.id.clone();
    plan.consumers.push(ConsumerPlan {
        process,
        bootstrap,
        group,
        subscription,
        assignment,
        settings,
    });
}

/// The broker that the client dials on the picture, or else the first one.
fn bootstrap(
    draft: &mut Draft<'_>,
    plan: &ClusterPlan,
    process: &Process,
) -> Option<ProcessId> {
    let dialled = draft.dials(&process.id).first().and_then(|edge| edge.target.process());
    if let Some(broker) = dialled {
        return Some(broker.clone());
    }
    let first = plan.brokers().next().map(|node| node.process.clone())?;
    draft.say(format!("`{}` dials no broker; it asks `{first}` first.", process.id));
    Some(first)
}

fn acks(draft: &mut Draft<'_>, process: &Process) -> Acks {
    if let Some(acks) = process.kafka.acks {
        return acks;
    }
    for edge in draft.dials(&process.id) {
        let label = edge.label.as_deref().unwrap_or_default();
        if let Some(acks) = acks_in(label) {
            draft.say(format!(
                "`{}` asks for {}: its edge says so.",
                process.id,
                name(acks)
            ));
            return acks;
        }
    }
    draft.say(format!("`{}` asks for acks=all: Kafka's default.", process.id));
    Acks::All
}

fn acks_in(label: &str) -> Option<Acks> {
    let (_, rest) = label.split_once("acks")?;
    let word =
        rest.trim_start_matches(|c: char| c == '=' || c == ':' || c.is_whitespace());
    let end = word.find(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    match &word[..end.unwrap_or(word.len())] {
        "all" | "-1" => Some(Acks::All),
        "1" => Some(Acks::Leader),
        "0" => Some(Acks::None),
        _ => None,
    }
}

fn name(acks: Acks) -> &'static str {
    match acks {
        Acks::None => "acks=0",
        Acks::Leader => "acks=1",
        Acks::All => "acks=all",
    }
}

/// The topics that a client uses: its own, or those that its edges name, or all.
fn topics(
    draft: &mut Draft<'_>,
    plan: &ClusterPlan,
    process: &Process,
) -> Vec<TopicPlan> {
    let mut own = Vec::new();
    for name in &process.kafka.topics {
        match plan.topic(name) {
            Some(topic) => own.push(topic.clone()),
            None => {
                let span = process.origin.part("kafka");
                draft.errors.push(unknown_topic(plan, name, span));
            }
        }
    }
    if !process.kafka.topics.is_empty() {
        return own;
    }
    let labels: Vec<&str> = draft
        .dials(&process.id)
        .iter()
        .filter_map(|edge| edge.label.as_deref())
        .collect();
    let is_named = |topic: &&TopicPlan| {
        let word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
        labels
            .iter()
            .any(|label| label.split(|c| !word(c)).any(|part| part == topic.name))
    };
    let named: Vec<TopicPlan> = plan.topics.iter().filter(is_named).cloned().collect();
    if named.is_empty() { plan.topics.clone() } else { named }
}

pub(super) fn unknown_topic(
    plan: &ClusterPlan,
    name: &str,
    span: Option<topomotion_model::Span>,
) -> Diagnostic {
    let message = format!("no topic has the name `{name}`");
    let error = Diagnostic::error("unknown-topic", message, span);
    let known: Vec<&str> = plan.topics.iter().map(|topic| topic.name.as_str()).collect();
    match nearest(name, known.iter().copied()) {
        Some(near) => error.help(format!("did you mean `{near}`?")),
        None => error.help(format!("known topics: {}", known.join(", "))),
    }
}

/// The group's name: the script's own, or what the frame around the consumer says.
fn group(draft: &mut Draft<'_>, process: &Process) -> String {
    if let Some(group) = &process.kafka.group_id {
        return group.clone();
    }
    let frame = process.group.as_ref().and_then(|id| draft.topology.group(id));
    let Some(frame) = frame else {
        let name = process.id.to_string();
        draft.say(format!("`{name}` is a group of its own."));
        return name;
    };
    let name = group_name(frame);
    draft.say(format!(
        "`{}` is in consumer group `{name}`: its frame says so.",
        process.id
    ));
    name
}

fn group_name(frame: &Group) -> String {
    let after = |label: &str| {
        let start = label.to_ascii_lowercase().find("consumer group")?;
        let rest = label.get(start + "consumer group".len()..)?;
        let name = rest.trim_start_matches([':', ' ']).trim();
        (!name.is_empty()).then(|| name.to_owned())
    };
    after(&frame.label).unwrap_or_else(|| frame.id.to_string())
}

/// Divides each group's partitions among its members, in ranges, as Kafka's own range
/// assignor does.
fn share(draft: &mut Draft<'_>, plan: &mut ClusterPlan) {
    let groups: Vec<String> = plan.consumers.iter().map(|c| c.group.clone()).collect();
    let before = plan.consumers.clone();
    for (index, consumer) in plan.consumers.iter_mut().enumerate() {
        let reads = |other: &&ConsumerPlan, topic: &str| {
            other.group == groups[index]
                && other.assignment.iter().any(|(name, _)| name == topic)
        };
        let mut kept = Vec::new();
        for topic in &plan.topics {
            let members: Vec<&ConsumerPlan> =
                before.iter().filter(|other| reads(other, &topic.name)).collect();
            let Some(place) =
                members.iter().position(|member| member.process == consumer.process)
            else {
                continue;
            };
            let range = range(topic.assignment.len(), members.len(), place);
            kept.extend(range.map(|partition| (topic.name.clone(), partition as i32)));
        }
        consumer.assignment = kept;
        let names: Vec<String> =
            consumer.assignment.iter().map(|(topic, n)| format!("{topic}-{n}")).collect();
        draft.explain.push(match names.is_empty() {
            true => format!(
                "`{}` reads nothing: its group has too many members.",
                consumer.process
            ),
            false => format!("`{}` reads {}.", consumer.process, super::list(&names)),
        });
    }
}

/// Member `place` of `members` gets this range; the first ones get one more.
fn range(partitions: usize, members: usize, place: usize) -> std::ops::Range<usize> {
    let (each, more) = (partitions / members, partitions % members);
    let start = place * each + place.min(more);
    start..start + each + usize::from(place < more)
}
