//! What chance alone hardly ever brings about: logs small enough to be thinned out within a
//! storm, coordinators that fail between a decision and its markers, zombies whose records
//! come when their successor has already written, and members that miss their next epoch.
//! Numbered producers that give a batch up and number anew, before it arrives after all.
//!
//! Each is drawn from a stream of its own, so that all the rest of a storm stays as it was.

use std::collections::BTreeMap;

use topomotion_model::{Acks, PartitionName, ProcessId};
use topomotion_wire::Random;

use super::draw::{between, one_in, pick};
use super::operation::{Deed, Operation};
use super::strike::{Blow, Strike};
use crate::{ClusterPlan, ConsumerPlan, NodeRole, ProducerPlan};

/// Whether every node stands, and hears every other, from the beginning to the end.
pub(super) fn is_calm(
    cluster: &ClusterPlan,
    strikes: &[Strike],
    operations: &[Operation],
) -> bool {
    let is_node = |process: &ProcessId| cluster.node(process).is_some();
    let hurts = |strike: &Strike| {
        strike.on.iter().any(is_node)
            && (strike.towards.is_empty() || strike.towards.iter().any(is_node))
    };
    let stops =
        |it: &Operation| matches!(&it.deed, Deed::Shutdown(process) if is_node(process));
    !strikes.iter().any(hurts) && !operations.iter().any(stops)
}

/// Logs that forget what is old, what is too much, or what a later record of the same key has
/// replaced; those of coordinators too.
///
/// Tombstones and markers are forgotten soon only where it `is_calm`. Kafka demands that
/// `delete.retention.ms` is longer than any replica is behind: one that never saw the marker,
/// and leads when it is gone everywhere, has a transaction that never ends. Where there are
/// troubles it is Kafka's own day.
pub(super) fn storage(random: &mut Random, cluster: &mut ClusterPlan, is_calm: bool) {
    let set = |settings: &mut BTreeMap<String, String>, name: &str, value: u64| {
        settings.insert(name.to_owned(), value.to_string());
    };
    if one_in(random, 2) {
        let wide = between(random, 100..=2_000);
        set(&mut cluster.topics[0].settings, "index.interval.bytes", wide);
    }
    if cluster.settings.contains_key("offsets.topic.num.partitions") && one_in(random, 2)
    {
        for name in ["offsets.topic", "transaction.state.log"] {
            let size = between(random, 1_000..=6_000);
            set(&mut cluster.settings, &format!("{name}.segment.bytes"), size);
        }
        let pause = between(random, 1_000..=5_000);
        set(&mut cluster.settings, "log.cleaner.backoff.ms", pause);
    }
    let forgets = random.below(if is_calm { 3 } else { 6 });
    if forgets > 1 {
        return;
    }
    let settings = &mut cluster.topics[0].settings;
    set(settings, "segment.bytes", between(random, 300..=1_500));
    if forgets == 0 {
        match one_in(random, 2) {
            true => set(settings, "retention.bytes", between(random, 600..=4_000)),
            false => set(settings, "retention.ms", between(random, 5_000..=30_000)),
        }
        let pause = between(random, 1_000..=10_000);
        set(&mut cluster.settings, "log.retention.check.interval.ms", pause);
        return;
    }
    settings.insert("cleanup.policy".to_owned(), "compact".to_owned());
    let ratio = if one_in(random, 2) { "0.01" } else { "0.4" };
    settings.insert("min.cleanable.dirty.ratio".to_owned(), ratio.to_owned());
    if is_calm {
        set(settings, "delete.retention.ms", between(random, 1_000..=20_000));
    }
    let pause = between(random, 1_000..=5_000);
    set(&mut cluster.settings, "log.cleaner.backoff.ms", pause);
}

/// What people and the nemesis do together.
#[derive(Debug, Default)]
pub(super) struct Scenes {
    pub operations: Vec<Operation>,
    pub strikes: Vec<Strike>,
}

impl Scenes {
    fn push(&mut self, at_ms: u64, deed: Deed) {
        self.operations.push(Operation { at_ms, deed });
    }

    fn bid(&mut self, at_ms: u64, process: &ProcessId, what: &str) {
        let (process, what) = (process.clone(), what.to_owned());
        self.push(at_ms, Deed::Client { process, what });
    }

    fn send(&mut self, at_ms: u64, process: &ProcessId, to: &PartitionName) {
        let (producer, partition) = (process.clone(), to.clone());
        self.push(at_ms, Deed::Send { producer, count: 1, partition, acks: Acks::All });
    }
}

/// Scenes of clients that have transactions, and of members of groups, each in half of the
/// storms that have such; of numbered producers in a quarter.
pub(super) fn scenes(
    random: &mut Random,
    cluster: &mut ClusterPlan,
    until_ms: u64,
) -> Scenes {
    let mut scenes = Scenes::default();
    if one_in(random, 2) {
        of_tellers(random, cluster, until_ms, &mut scenes);
    }
    if one_in(random, 2) {
        of_pairs(random, cluster, until_ms, &mut scenes, lose_news);
    }
    if one_in(random, 4) {
        of_numbered(random, cluster, until_ms, &mut scenes);
    }
    if one_in(random, 2) {
        of_pairs(random, cluster, until_ms, &mut scenes, stall);
    }
    scenes.operations.sort_by_key(|operation| operation.at_ms);
    scenes
}

/// How long a scene lasts.
const SCENE_MS: u64 = 12_000;

fn of_tellers(
    random: &mut Random,
    cluster: &ClusterPlan,
    until_ms: u64,
    scenes: &mut Scenes,
) {
    let writes =
        |it: &&ProducerPlan| it.is_transactional() && it.topic == cluster.topics[0].name;
    let tellers: Vec<&ProducerPlan> = cluster.producers.iter().filter(writes).collect();
    let mut at_ms = between(random, 1_000..=10_000);
    while !tellers.is_empty() && at_ms + SCENE_MS < until_ms {
        let teller = *pick(random, &tellers);
        let is_rival = |it: &&&ProducerPlan| {
            it.process != teller.process
                && it.transactional_id() == teller.transactional_id()
        };
        match tellers.iter().find(is_rival) {
            Some(rival) => {
                let both = [&teller.process, &rival.process];
                usurp(random, cluster, both, at_ms, scenes);
            }
            None => fail_in_time(random, cluster, &teller.process, at_ms, scenes),
        }
        at_ms += SCENE_MS + between(random, 0..=10_000);
    }
}

/// Scenes of two members of a group whose coordinator knows the epoch of each (KIP-848).
fn of_pairs(
    random: &mut Random,
    cluster: &ClusterPlan,
    until_ms: u64,
    scenes: &mut Scenes,
    scene: fn(&ClusterPlan, [&ProcessId; 2], u64, &mut Scenes),
) {
    let is_new = |protocol: &String| protocol == "consumer";
    let members = cluster.consumers.iter();
    let members =
        members.filter(|it| it.settings.get("group.protocol").is_some_and(is_new));
    let members: Vec<&ConsumerPlan> = members.collect();
    let mut at_ms = between(random, 5_000..=15_000);
    while !members.is_empty() && at_ms + SCENE_MS < until_ms {
        let member = *pick(random, &members);
        let is_other = |it: &&&ConsumerPlan| {
            it.process != member.process && it.group == member.group
        };
        if let Some(other) = members.iter().find(is_other) {
            scene(cluster, [&member.process, &other.process], at_ms, scenes);
        }
        at_ms += SCENE_MS + between(random, 0..=10_000);
    }
}

fn of_numbered(
    random: &mut Random,
    cluster: &mut ClusterPlan,
    until_ms: u64,
    scenes: &mut Scenes,
) {
    let numbers = |it: &ProducerPlan| {
        !it.is_transactional()
            && it.settings.get("enable.idempotence").is_some_and(|is| is == "true")
    };
    let mut producers = cluster.producers.iter_mut();
    let Some(producer) = producers.find(|it| numbers(it)) else { return };
    let patience = between(random, 1_000..=2_000);
    let longest = patience + between(random, 500..=2_000);
    for (name, value) in
        [("request.timeout.ms", patience), ("delivery.timeout.ms", longest)]
    {
        producer.settings.insert(name.to_owned(), value.to_string());
    }
    let process = producer.process.clone();
    let mut at_ms = between(random, 1_000..=10_000);
    while at_ms + SCENE_MS < until_ms {
        give_up(random, cluster, (&process, longest), at_ms, scenes);
        at_ms += SCENE_MS + between(random, 0..=10_000);
    }
}

/// A batch is held up until its producer has given it up, has raised its epoch, and has
/// written more.
fn give_up(
    random: &mut Random,
    cluster: &ClusterPlan,
    (process, longest): (&ProcessId, u64),
    at_ms: u64,
    scenes: &mut Scenes,
) {
    let place = somewhere(random, cluster);
    let way = |at_ms, blow, amount| {
        let (on, towards) = (vec![process.clone()], brokers(cluster));
        Strike { at_ms, blow, on, towards, amount }
    };
    scenes.send(at_ms, process, &place);
    // It cannot be sent again over another connection in time.
    scenes.strikes.push(way(at_ms + 1_000, Blow::SlowDial, longest));
    scenes.strikes.push(way(at_ms + 1_000, Blow::Detain, 0));
    scenes.send(at_ms + 1_100, process, &place);
    let lapsed = at_ms + 1_100 + longest + between(random, 0..=500);
    scenes.strikes.push(way(lapsed, Blow::SlowDial, 0));
    for turn in 1..=3 {
        scenes.send(lapsed + turn * 500, process, &place);
    }
    let late = lapsed + between(random, 1_000..=4_000);
    scenes.strikes.push(way(late, Blow::Release, 0));
}

/// A member does not hear that it is to give something up, and asks again in its old epoch.
fn lose_news(
    cluster: &ClusterPlan,
    [deaf, other]: [&ProcessId; 2],
    at_ms: u64,
    scenes: &mut Scenes,
) {
    let way = |at_ms, blow| {
        let (on, towards, amount) = (brokers(cluster), vec![deaf.clone()], 0);
        Strike { at_ms, blow, on, towards, amount }
    };
    scenes.push(at_ms, Deed::Shutdown(other.clone()));
    scenes.strikes.push(way(at_ms + 5_900, Blow::Cut));
    scenes.push(at_ms + 6_000, Deed::Start(other.clone()));
    scenes.strikes.push(Strike::heal(at_ms + 11_000));
    scenes.strikes.push(way(at_ms + 11_000, Blow::Reset));
}

/// A member's new epochs are written, but not replicated in time: it is told of a failure, and
/// asks again in its old epoch.
fn stall(
    cluster: &ClusterPlan,
    [_, other]: [&ProcessId; 2],
    at_ms: u64,
    scenes: &mut Scenes,
) {
    let slow = |at_ms, amount| {
        let (on, towards) = (brokers(cluster), brokers(cluster));
        Strike { at_ms, blow: Blow::Slow, on, towards, amount }
    };
    scenes.push(at_ms, Deed::Shutdown(other.clone()));
    scenes.strikes.push(slow(at_ms + 1_500, 6_000));
    scenes.push(at_ms + 1_600, Deed::Start(other.clone()));
    scenes.push(at_ms + 5_000, Deed::Shutdown(other.clone()));
    scenes.strikes.push(slow(at_ms + 9_000, 0));
    scenes.push(at_ms + 9_500, Deed::Start(other.clone()));
}

fn somewhere(random: &mut Random, cluster: &ClusterPlan) -> PartitionName {
    let topic = &cluster.topics[0];
    let partition = random.below(topic.assignment.len() as u64) as u32;
    PartitionName { topic: topic.name.clone(), partition }
}

fn brokers(cluster: &ClusterPlan) -> Vec<ProcessId> {
    let brokers = cluster.nodes.iter().filter(|it| it.role != NodeRole::Controller);
    brokers.map(|it| it.process.clone()).collect()
}

/// What a producer has sent is held up until another has taken its place and writes there.
fn usurp(
    random: &mut Random,
    cluster: &ClusterPlan,
    [old, new]: [&ProcessId; 2],
    at_ms: u64,
    scenes: &mut Scenes,
) {
    let place = somewhere(random, cluster);
    let way = |at_ms, blow| {
        let (on, towards, amount) = (vec![old.clone()], brokers(cluster), 0);
        Strike { at_ms, blow, on, towards, amount }
    };
    // Whoever was fenced before begins anew.
    for process in [old, new] {
        scenes.strikes.push(Strike::on(at_ms, Blow::Crash, process.clone()));
    }
    scenes.strikes.push(Strike::on(at_ms + 100, Blow::Restart, old.clone()));
    scenes.bid(at_ms + 1_000, old, "begin");
    scenes.send(at_ms + 1_100, old, &place);
    scenes.strikes.push(way(at_ms + 2_000, Blow::Detain));
    scenes.send(at_ms + 2_100, old, &place);
    scenes.push(at_ms + 2_200, Deed::Start(new.clone()));
    let begins = at_ms + between(random, 3_500..=4_500);
    scenes.bid(begins, new, "begin");
    scenes.send(begins + 50, new, &place);
    scenes.strikes.push(way(begins + between(random, 300..=1_500), Blow::Release));
    scenes.bid(begins + 2_500, new, "commit-transaction");
}

/// A broker fails when a transaction has just been decided; the network between brokers is
/// slow, so that there is time for it.
fn fail_in_time(
    random: &mut Random,
    cluster: &ClusterPlan,
    teller: &ProcessId,
    at_ms: u64,
    scenes: &mut Scenes,
) {
    let brokers = brokers(cluster);
    let slow = |at_ms, amount| {
        let (on, towards) = (brokers.clone(), brokers.clone());
        Strike { at_ms, blow: Blow::Slow, on, towards, amount }
    };
    scenes.bid(at_ms, teller, "begin");
    for _ in 0..between(random, 2..=4) {
        scenes.send(at_ms + 50, teller, &somewhere(random, cluster));
    }
    let by = between(random, 50..=300);
    scenes.strikes.push(slow(at_ms + 1_000, by));
    let end = if one_in(random, 3) { "abort-transaction" } else { "commit-transaction" };
    scenes.bid(at_ms + 1_500, teller, end);
    // It is decided when the followers have it, and over when those of the partitions do.
    let fails = at_ms + 1_500 + between(random, 2 * by..=5 * by);
    let broker = pick(random, &brokers).clone();
    scenes.strikes.push(Strike::on(fails, Blow::Crash, broker.clone()));
    scenes.strikes.push(slow(fails + 500, 0));
    let back = fails + between(random, 1_000..=6_000);
    scenes.strikes.push(Strike::on(back, Blow::Restart, broker));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RunFile;
    use crate::storm::draw::{Climate, draw};

    fn drawn() -> Vec<RunFile> {
        (0..600).map(|seed| draw(seed, &Climate::default())).collect()
    }

    #[test]
    fn markers_are_forgotten_soon_only_where_no_node_is_ever_behind() {
        let forgetful = |file: &RunFile| {
            file.cluster.topics[0].settings.contains_key("delete.retention.ms")
        };
        let files: Vec<RunFile> = drawn().into_iter().filter(forgetful).collect();
        assert!(files.len() >= 5, "{}", files.len());
        for file in files {
            let storm = file.storm.expect("a storm");
            for strike in &storm.nemesis {
                let nodes = |side: &[ProcessId]| {
                    side.iter().filter(|it| file.cluster.node(it).is_some()).count()
                };
                let is_way = !strike.towards.is_empty();
                let hit = nodes(&strike.on) > 0 && nodes(&strike.towards) > 0;
                assert!(is_way || nodes(&strike.on) == 0, "{strike}");
                assert!(!hit, "{strike}");
            }
        }
    }

    #[test]
    fn some_numbered_producers_give_up_before_their_batch_arrives() {
        let late = |file: &RunFile| {
            let strikes = file.storm.iter().flat_map(|storm| &storm.nemesis);
            strikes.filter(|it| it.blow == Blow::SlowDial && it.amount < 4_001).count()
                > 4
                && file.cluster.producers.iter().any(|it| {
                    !it.is_transactional()
                        && it.settings.contains_key("delivery.timeout.ms")
                })
        };
        assert!(drawn().iter().filter(|it| late(it)).count() >= 20);
    }
}
