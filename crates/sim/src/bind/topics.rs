//! Topics, their partitions, and who holds them.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_model::{
    Diagnostic, End, ProcessId, ProcessRole, ShardRole, Topic, nearest,
    partition_on_badge, produced_topic,
};

use super::Draft;
use crate::{NodePlan, NodeRole, TopicPlan};

/// Copies of each partition where the script gives no number.
const USUAL_COPIES: usize = 3;
/// No diagram is served by more.
const MOST_PARTITIONS: usize = 1_000;

pub(super) fn find(draft: &mut Draft<'_>, nodes: &[NodePlan]) -> Vec<TopicPlan> {
    let brokers: Vec<&NodePlan> =
        nodes.iter().filter(|node| node.role != NodeRole::Controller).collect();
    let topics = named(draft);
    let place = |topic: &Topic| place(draft, topic, &brokers);
    topics.iter().filter_map(place).collect()
}

/// The topics of the script, or the one that its words suggest.
fn named(draft: &mut Draft<'_>) -> Vec<Topic> {
    let given = draft.topology.cluster.as_ref().map(|cluster| cluster.topics.clone());
    if let Some(topics) = given.filter(|topics| !topics.is_empty()) {
        return topics;
    }
    let ours = draft.topology.processes.iter();
    let ours = ours.filter(|process| !draft.elsewhere.contains(&process.id));
    let of_clients: BTreeSet<&String> =
        ours.flat_map(|process| &process.kafka.topics).collect();
    if !of_clients.is_empty() {
        draft.say("The topics are those that the clients name.");
        let topic = |name: &String| Topic { name: name.clone(), ..Topic::default() };
        return of_clients.into_iter().map(topic).collect();
    }
    if let Some(topics) = on_badges(draft).or_else(|| on_lines(draft)) {
        return topics;
    }
    let stem = draft.of_role(ProcessRole::Producer).find_map(|process| {
        let id = process.id.as_str();
        id.strip_suffix("-producer").or_else(|| id.strip_prefix("producer-"))
    });
    let legal = |name: &&str| {
        name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') && name.len() > 1
    };
    let name = match stem.filter(legal) {
        Some(stem) if stem.ends_with('s') => stem.to_owned(),
        Some(stem) => format!("{stem}s"),
        None => "events".to_owned(),
    };
    draft.say(format!("The script names no topic; the runs use one called `{name}`."));
    vec![Topic { name, ..Topic::default() }]
}

/// The topics whose names stand on the brokers' badges.
fn on_badges(draft: &mut Draft<'_>) -> Option<Vec<Topic>> {
    let brokers = draft.of_role(ProcessRole::Broker);
    let badges = brokers.flat_map(|broker| &broker.shards);
    let names: BTreeSet<&str> =
        badges.filter_map(|badge| partition_on_badge(badge)?.0).collect();
    topics(draft, names.into_iter().collect(), "badges")
}

/// The topics that lines from clients to brokers say are written to.
fn on_lines(draft: &mut Draft<'_>) -> Option<Vec<Topic>> {
    let is_broker = |end: &End| {
        let role = end.process().and_then(|id| draft.roles.get(id));
        role == Some(&ProcessRole::Broker)
    };
    let lines = draft.topology.edges.iter();
    let to_brokers = lines.filter(|it| is_broker(&it.target) && !is_broker(&it.source));
    let mut names: Vec<&str> = Vec::new();
    for name in to_brokers.filter_map(|line| produced_topic(line.label.as_deref()?)) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    topics(draft, names, "connections")
}

fn topics(draft: &mut Draft<'_>, names: Vec<&str>, source: &str) -> Option<Vec<Topic>> {
    let topic = |name: &&str| Topic { name: (*name).to_owned(), ..Topic::default() };
    let topics: Vec<Topic> = names.iter().map(topic).collect();
    if topics.is_empty() {
        return None;
    }
    draft.say(format!("The topics are those that the {source} name."));
    Some(topics)
}

/// Who stands on which partition's badge, and as what.
#[derive(Debug, Default)]
struct Shards {
    leaders: BTreeMap<usize, ProcessId>,
    followers: BTreeMap<usize, Vec<ProcessId>>,
    /// Brokers that follow only.
    only_follow: BTreeSet<ProcessId>,
    /// One more than the highest number on a badge.
    count: usize,
}

/// The badges that name a topic, and those that name none.
fn shards(draft: &Draft<'_>, topic: &str) -> Shards {
    let mut found = Shards::default();
    for process in draft.of_role(ProcessRole::Broker) {
        let badges = process.shards.iter().filter_map(|badge| partition_on_badge(badge));
        let ours = badges.filter(|(named, _)| named.is_none_or(|named| named == topic));
        let numbers: Vec<usize> = ours.map(|(_, number)| number).collect();
        if process.shard_role == Some(ShardRole::Replica) {
            found.only_follow.insert(process.id.clone());
        }
        for number in numbers.into_iter().filter(|&number| number < MOST_PARTITIONS) {
            found.count = found.count.max(number + 1);
            match process.shard_role {
                Some(ShardRole::Replica | ShardRole::Arbiter) => {
                    found.followers.entry(number).or_default().push(process.id.clone());
                }
                Some(ShardRole::Primary) | None => {
                    found.leaders.entry(number).or_insert_with(|| process.id.clone());
                }
            }
        }
    }
    found
}

fn place(
    draft: &mut Draft<'_>,
    topic: &Topic,
    brokers: &[&NodePlan],
) -> Option<TopicPlan> {
    let shards = &shards(draft, &topic.name);
    let mut settings = topic.settings.clone();
    if let Some(least) = topic.min_insync_replicas {
        settings.insert("min.insync.replicas".to_owned(), least.to_string());
    }
    let name = topic.name.clone();
    if !topic.assignment.is_empty() {
        let assignment = by_hand(draft, topic, brokers)?;
        return Some(TopicPlan { name, assignment, settings });
    }
    let copies = copies(draft, topic, brokers)?;
    let partitions = partitions(draft, topic, shards);
    let mut led = BTreeMap::<i32, usize>::new();
    let mut assignment = Vec::new();
    for partition in 0..partitions {
        let leader = leader(partition, brokers, shards);
        let turn = led.entry(leader.id).or_default();
        assignment.push(replicas(leader, *turn, copies, partition, brokers, shards));
        *turn += 1;
        let why = match shards.leaders.get(&partition) {
            Some(_) => "its badge says so",
            None => "partitions are led in turn",
        };
        draft.say(format!("`{}` leads `{name}-{partition}`: {why}.", leader.process));
    }
    Some(TopicPlan { name, assignment, settings })
}

fn by_hand(
    draft: &mut Draft<'_>,
    topic: &Topic,
    brokers: &[&NodePlan],
) -> Option<Vec<Vec<i32>>> {
    let mut assignment = Vec::new();
    let mut whole = true;
    for (partition, processes) in topic.assignment.iter().enumerate() {
        let mut ids: Vec<i32> = Vec::new();
        for process in processes {
            let node = brokers.iter().find(|node| node.process == *process);
            match node {
                Some(node) if !ids.contains(&node.id) => ids.push(node.id),
                Some(_) | None => {
                    let message =
                        format!("`{process}` cannot hold `{}-{partition}`", topic.name);
                    let known = brokers.iter().map(|node| node.process.as_str());
                    let mut error = Diagnostic::error(
                        "assignment",
                        message,
                        topic.origin.part("assignment"),
                    )
                    .at("each replica is a broker, and stands there once");
                    if let Some(near) = nearest(process.as_str(), known) {
                        error = error.help(format!("did you mean `{near}`?"));
                    }
                    draft.errors.push(error);
                    whole = false;
                }
            }
        }
        assignment.push(ids);
    }
    whole.then_some(assignment)
}

fn copies(draft: &mut Draft<'_>, topic: &Topic, brokers: &[&NodePlan]) -> Option<usize> {
    let Some(factor) = topic.replication_factor else {
        let copies = brokers.len().min(USUAL_COPIES);
        draft.say(format!("Each partition of `{}` has {copies} replicas.", topic.name));
        return Some(copies);
    };
    let wanted = usize::try_from(factor).unwrap_or(usize::MAX);
    if wanted >= 1 && wanted <= brokers.len() {
        return Some(wanted);
    }
    let message = format!(
        "topic `{}` wants {factor} replicas, but there are {} brokers",
        topic.name,
        brokers.len()
    );
    let span = topic.origin.part("replicationFactor");
    draft.errors.push(
        Diagnostic::error("replication-factor", message, span)
            .at(format!("must be between 1 and {}", brokers.len()))
            .help("add brokers, or lower the replication factor"),
    );
    None
}

fn partitions(draft: &mut Draft<'_>, topic: &Topic, shards: &Shards) -> usize {
    if let Some(count) = topic.partitions {
        return usize::try_from(count).unwrap_or(1).clamp(1, MOST_PARTITIONS);
    }
    let (count, why) = match shards.count {
        0 => (1, "Kafka's default"),
        count => (count, "as many as the badges show"),
    };
    let plural = if count == 1 { "partition" } else { "partitions" };
    draft.say(format!("Topic `{}` has {count} {plural}: {why}.", topic.name));
    count
}

fn leader<'a>(
    partition: usize,
    brokers: &[&'a NodePlan],
    shards: &Shards,
) -> &'a NodePlan {
    let badge = shards.leaders.get(&partition);
    if let Some(node) =
        badge.and_then(|process| brokers.iter().find(|node| node.process == *process))
    {
        return node;
    }
    let free: Vec<&&NodePlan> = brokers
        .iter()
        .filter(|node| !shards.only_follow.contains(&node.process))
        .collect();
    match free.len() {
        0 => brokers[partition % brokers.len()],
        count => free[partition % count],
    }
}

/// The leader, then those whose badge says so, then the others in turn: each further
/// partition of one leader begins with the next follower.
fn replicas(
    leader: &NodePlan,
    turn: usize,
    copies: usize,
    partition: usize,
    brokers: &[&NodePlan],
    shards: &Shards,
) -> Vec<i32> {
    let place = brokers.iter().position(|node| node.id == leader.id).unwrap_or(0);
    let mut others: Vec<&NodePlan> =
        brokers.iter().cycle().skip(place + 1).take(brokers.len() - 1).copied().collect();
    if !others.is_empty() {
        let shift = turn % others.len();
        others.rotate_left(shift);
    }
    let on_badge = |node: &&NodePlan| {
        let named = shards.followers.get(&partition);
        !named.is_some_and(|named| named.contains(&node.process))
    };
    others.sort_by_key(on_badge);
    let ids = others.iter().map(|node| node.id);
    std::iter::once(leader.id).chain(ids).take(copies).collect()
}
