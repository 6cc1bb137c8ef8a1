//! What must come back after a storm: looked at from time to time until it has, each thing
//! within its own time. At last somebody reads everything who has read nothing before.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_broker::{Node, ReplicaView};
use topomotion_client::Consumer;
use topomotion_model::ProcessId;
use topomotion_trace::{GroupState, TransactionState};
use topomotion_wire::{NodeId, ReplicaRole, TopicPartition};

use super::body::Body;
use super::stage::{Stage, Stop, after};
use crate::aftermath::{Aftermath, Demand};
use crate::{ConsumerPlan, Membership};

/// How often recovery is looked at.
const LOOK_MS: u64 = 100;
/// How long the fresh reader has for everything.
const FRESH_READER_MS: u64 = 60_000;
/// Where groups are kept.
const OFFSETS: &str = "__consumer_offsets";

/// Waits until everything that must come back has.
pub(super) fn recover(stage: &mut Stage<'_>) -> Result<Aftermath, Stop> {
    let healed = stage.now();
    let sent = stage.cluster.records_taken();
    let mut aftermath = Aftermath::default();
    let late = |demand: Demand| after(healed, demand.within_ms());
    let demands = Demand::ALL.iter().copied();
    let demands: Vec<Demand> = demands.filter(|it| *it != Demand::AllReadAnew).collect();
    let end = demands.iter().map(|&demand| late(demand)).max().unwrap_or(healed);
    loop {
        let mut all = true;
        for &demand in &demands {
            let missing = missing(stage, demand, &sent);
            all &= missing.is_empty();
            if missing.is_empty() {
                aftermath.met.insert(demand);
            } else if stage.now() >= late(demand) && !aftermath.met.contains(&demand) {
                aftermath.late.entry(demand).or_insert_with(|| missing.join(", "));
            }
        }
        if all || stage.now() >= end {
            break;
        }
        let next = after(stage.now(), LOOK_MS).min(end);
        stage.pass_until(next)?;
    }
    read_anew(stage, &mut aftermath)?;
    Ok(aftermath)
}

/// What is not as demanded; `sent` says how many records each producer had taken when the
/// world was mended.
fn missing(
    stage: &Stage<'_>,
    demand: Demand,
    sent: &BTreeMap<ProcessId, u64>,
) -> Vec<String> {
    match demand {
        Demand::QuorumLeader => stage.cluster.quorum_lacks(),
        Demand::BrokersUnfenced => stage.cluster.brokers_fenced(),
        Demand::PartitionsLed => stage.partitions_not_led(),
        Demand::IsrWhole => stage.partitions_not_whole(),
        Demand::ProducesAnswered => stage.cluster.producers_waiting(sent),
        Demand::GroupsStable => groups_unstable(stage),
        Demand::TransactionsOver => transactions_open(stage),
        Demand::NothingUnstable => unstable(stage),
        Demand::EverythingRead => readers_behind(stage),
        Demand::AllReadAnew => not_read_anew(stage),
        Demand::MetadataEqual => stage.cluster.metadata_behind(),
    }
}

/// A reader of committed records that nobody has seen before reads everything.
fn read_anew(stage: &mut Stage<'_>, aftermath: &mut Aftermath) -> Result<(), Stop> {
    let names = |led: Vec<(TopicPartition, i64)>| led.into_iter().map(|(name, _)| name);
    let mut reading: BTreeSet<TopicPartition> = names(led(stage)).collect();
    stage.cluster.start_auditor(reading.iter().cloned().collect());
    let end = after(stage.now(), FRESH_READER_MS);
    loop {
        // Some may be without a leader for a moment.
        let count = reading.len();
        reading.extend(names(led(stage)));
        if reading.len() > count {
            stage.cluster.widen_audit(&reading);
        }
        let missing = not_read_anew(stage);
        if missing.is_empty() {
            aftermath.met.insert(Demand::AllReadAnew);
            return Ok(());
        }
        if stage.now() >= end {
            aftermath.late.insert(Demand::AllReadAnew, missing.join(", "));
            return Ok(());
        }
        stage.pass_until(after(stage.now(), LOOK_MS).min(end))?;
    }
}

fn not_read_anew(stage: &Stage<'_>) -> Vec<String> {
    let behind = led(stage).into_iter().filter(|(partition, end)| {
        let position = stage.cluster.auditor_position(partition);
        position.is_none_or(|next| next < *end)
    });
    behind.map(|(partition, _)| partition.to_string()).collect()
}

/// The partitions of the topics that applications use, each with the end of what its
/// leader has committed and ended.
fn led(stage: &Stage<'_>) -> Vec<(TopicPartition, i64)> {
    let mut led = Vec::new();
    for_each_leader(stage, |partition, view| {
        if !partition.topic.starts_with("__") {
            led.push((partition.clone(), view.last_stable.0));
        }
    });
    led
}

/// Every partition that is led by a living broker of the ISR, as its leader sees it.
fn for_each_leader(
    stage: &Stage<'_>,
    mut see: impl FnMut(&TopicPartition, &ReplicaView),
) {
    let Some((_, controller)) = stage.cluster.active() else { return };
    for (name, topic) in controller.image().topics() {
        for (&index, registration) in &topic.partitions {
            let partition = TopicPartition::new(name.clone(), index);
            let Some(leader) = registration.leader else { continue };
            let node = stage.cluster.node_of(leader);
            let view = node.and_then(|node| node.replica(&partition));
            if let Some(view) = view.filter(|view| view.role == ReplicaRole::Leader) {
                see(&partition, &view);
            }
        }
    }
}

/// Partitions that nobody can lead: everybody eligible is dead, and stays so.
fn forlorn<'a>(stage: &'a Stage<'_>) -> impl Iterator<Item = TopicPartition> + 'a {
    let active = stage.cluster.active();
    let topics = active.into_iter().flat_map(|(_, node)| node.image().topics());
    topics.flat_map(move |(name, topic)| {
        let dead = topic.partitions.iter().filter(|(_, state)| {
            // The last known leader may lead where nobody else is eligible (CTL-3).
            let nobody = state.isr.is_empty() && state.elr.is_empty();
            let last = state.last_known_elr.iter().filter(|_| nobody);
            let mut eligible = state.isr.iter().chain(&state.elr).chain(last);
            state.leader.is_none()
                && !eligible.any(|id| stage.cluster.node_of(*id).is_some())
        });
        dead.map(|(&index, _)| TopicPartition::new(name.clone(), index))
    })
}

/// Whether somewhere nothing can be written that has to be replicated, not even the end of a
/// transaction.
fn muted(stage: &Stage<'_>) -> bool {
    let Some((_, controller)) = stage.cluster.active() else { return false };
    let topics = controller.image().topics().iter();
    topics.into_iter().any(|(name, topic)| {
        let indices = topic.partitions.keys();
        indices
            .into_iter()
            .any(|&index| is_mute(stage, &TopicPartition::new(name.clone(), index)))
    })
}

/// Whether too few of a partition's replicas live for anything to be committed, and it stays
/// so.
fn is_mute(stage: &Stage<'_>, partition: &TopicPartition) -> bool {
    let Some((_, controller)) = stage.cluster.active() else { return false };
    let image = controller.image();
    let Some(state) = image.partition(partition) else { return false };
    let default = stage.cluster.plan.settings.get("min.insync.replicas");
    let default = default.and_then(|it| it.parse().ok()).unwrap_or(1);
    let least = image.config_number(&partition.topic, "min.insync.replicas");
    let least = usize::try_from(least.unwrap_or(default)).unwrap_or(0);
    let living = state.replicas.iter().filter(|id| stage.cluster.node_of(**id).is_some());
    living.count() < least.min(state.replicas.len())
}

/// Whether a group's coordinator cannot be, since nobody can lead its partition.
fn is_orphan(stage: &Stage<'_>, group: &str) -> bool {
    let size = i32::try_from(stage.cluster.topic_size(OFFSETS)).unwrap_or(i32::MAX);
    let index = topomotion_coordinator::partition_for(group, size);
    forlorn(stage).any(|it| &*it.topic == OFFSETS && it.partition == index)
}

/// Where records of open transactions, or of ones whose end is not replicated, hold readers
/// up.
fn unstable(stage: &Stage<'_>) -> Vec<String> {
    let mut found = Vec::new();
    if forlorn(stage).next().is_some() || muted(stage) {
        // Whoever would end the transaction, or where its end would stand, is gone.
        return found;
    }
    for_each_leader(stage, |partition, view| {
        if view.last_stable < view.high_watermark {
            found.push(format!("{partition} at {}", view.last_stable));
        }
    });
    found
}

fn transactions_open(stage: &Stage<'_>) -> Vec<String> {
    if forlorn(stage).next().is_some() || muted(stage) {
        return Vec::new();
    }
    let all = stage.observer.transactions();
    let open = all.filter(|(_, state)| match state {
        TransactionState::Empty
        | TransactionState::CompleteCommit
        | TransactionState::CompleteAbort
        | TransactionState::Dead => false,
        TransactionState::Ongoing
        | TransactionState::PrepareCommit
        | TransactionState::PrepareAbort
        | TransactionState::PrepareEpochFence => true,
    });
    open.map(|(id, state)| format!("{id} is {}", state.name())).collect()
}

/// Living consumers that read with their group, by group.
fn members<'a>(stage: &'a Stage<'_>) -> BTreeMap<&'a str, Vec<Member<'a>>> {
    let plans = stage.cluster.plan.consumers.iter();
    let plans = plans.filter(|plan| plan.membership() == Membership::Subscribed);
    let mut groups: BTreeMap<&str, Vec<Member<'_>>> = BTreeMap::new();
    for plan in plans {
        let consumer = stage.cluster.machine(&plan.process).and_then(Body::consumer);
        // Whoever cannot be a member any more waits for its application.
        let takes_part = |it: &&Consumer| !it.is_closed() && it.barred().is_none();
        let Some(consumer) = consumer.filter(takes_part) else { continue };
        let topics: BTreeSet<Arc<str>> = consumer.subscription().cloned().collect();
        if !topics.is_empty() {
            let owned = consumer.owned();
            groups.entry(&plan.group).or_default().push(Member { plan, topics, owned });
        }
    }
    groups
}

struct Member<'a> {
    plan: &'a ConsumerPlan,
    topics: BTreeSet<Arc<str>>,
    owned: Vec<TopicPartition>,
}

/// Groups that are not stable, and partitions that not exactly one member owns.
fn groups_unstable(stage: &Stage<'_>) -> Vec<String> {
    let Some((_, controller)) = stage.cluster.active() else {
        return stage.cluster.quorum_lacks();
    };
    let mut missing = Vec::new();
    for (group, members) in members(stage) {
        if is_orphan(stage, group) {
            continue;
        }
        match stage.observer.group_state(group) {
            Some(GroupState::Stable) => {}
            Some(state) => missing.push(format!("{group} is {}", state.name())),
            None => missing.push(format!("nobody knows {group}")),
        }
        let topics: BTreeSet<&Arc<str>> =
            members.iter().flat_map(|it| &it.topics).collect();
        for name in topics {
            let topic = controller.image().topic(name);
            for &index in topic.into_iter().flat_map(|topic| topic.partitions.keys()) {
                let partition = TopicPartition::new(name.clone(), index);
                let owners = members.iter().filter(|it| it.owned.contains(&partition));
                let owners: Vec<&str> =
                    owners.map(|it| it.plan.process.as_str()).collect();
                let is_missed = owners.is_empty()
                    && may_be_missed(stage, (group, &members), &partition);
                if owners.len() != 1 && !is_missed {
                    let owners = owners.join(" and ");
                    missing
                        .push(format!("{partition} of {group} is owned by [{owners}]"));
                }
            }
        }
    }
    missing
}

/// Whether a partition may be without an owner until the next rebalance, which may be far. A
/// static leader that returns to a stable group is told what it was assigned, and shares out
/// nothing (KIP-814). It takes the topics as it finds them for those that it has shared out: a
/// partition that came into being meanwhile is missed. And whichever static member returns so
/// to the generation in which it had to let go of one for another member (KIP-429) does not
/// know that: where its wish to join again did not reach the group, nobody does.
fn may_be_missed(
    stage: &Stage<'_>,
    (group, members): (&str, &[Member<'_>]),
    partition: &TopicPartition,
) -> bool {
    let mut planned = stage.cluster.plan.topics.iter();
    let planned = planned.find(|it| *it.name == *partition.topic);
    let planned = planned.map_or(0, |it| it.assignment.len());
    let is_late = usize::try_from(partition.partition).is_ok_and(|at| at >= planned)
        || stage.observer.was_deleted(&partition.topic);
    let leader = stage.observer.group_leader(group).filter(|_| is_late);
    let forgotten_by = stage.observer.forgotten_by(group, &partition.to_string());
    let excused = [leader, forgotten_by];
    members.iter().map(|it| it.plan).any(|plan| {
        plan.settings.contains_key("group.instance.id")
            && excused.contains(&Some(&plan.process.0))
    })
}

/// What readers have not read of what is theirs: of what they own as members, and of what they
/// were assigned. A reader of committed records is not asked for what an open transaction
/// keeps from it; that those end is a demand of its own.
fn readers_behind(stage: &Stage<'_>) -> Vec<String> {
    if stage.cluster.active().is_none() {
        return stage.cluster.quorum_lacks();
    }
    let mut readers: BTreeMap<TopicPartition, Vec<&ConsumerPlan>> = BTreeMap::new();
    for member in members(stage).into_values().flatten() {
        for partition in member.owned {
            readers.entry(partition).or_default().push(member.plan);
        }
    }
    for plan in &stage.cluster.plan.consumers {
        for (topic, index) in &plan.assignment {
            let partition = TopicPartition::new(&**topic, *index);
            readers.entry(partition).or_default().push(plan);
        }
    }
    let mut behind = Vec::new();
    for_each_leader(stage, |partition, view| {
        let readers = readers.get(partition).into_iter().flatten();
        for plan in readers.filter(|plan| stage.cluster.lives(&plan.process)) {
            let is_committed = plan
                .settings
                .get("isolation.level")
                .is_some_and(|it| it == "read_committed");
            let end = if is_committed { view.last_stable } else { view.high_watermark };
            let is_behind = match stage.cluster.position(&plan.process, partition) {
                Some(next) => next < end.0,
                None => !may_not_start(stage, plan, partition, view),
            };
            if is_behind {
                behind.push(format!("{} of {partition}", plan.process));
            }
        }
    });
    behind
}

/// Whether a reader that has no position is still waiting for one, and will for as long as the
/// dead stay dead: nobody can tell what its group has committed; or a leader that cannot commit
/// the first record of its epoch names no end to start from (REP-16), since too few replicas
/// live (REP-4).
fn may_not_start(
    stage: &Stage<'_>,
    plan: &ConsumerPlan,
    partition: &TopicPartition,
    view: &ReplicaView,
) -> bool {
    let is_pending = view.high_watermark != view.log_end;
    is_orphan(stage, &plan.group) || is_pending && is_mute(stage, partition)
}

impl super::cluster::Cluster<'_> {
    /// The active controller, if there is one.
    fn active(&self) -> Option<(&crate::NodePlan, &Node)> {
        self.living().find(|(_, node)| node.is_active_controller())
    }

    /// The node of this id, if it runs.
    fn node_of(&self, id: NodeId) -> Option<&Node> {
        self.living().find(|(plan, _)| plan.id == id.0).map(|(_, node)| node)
    }
}
