//! One seed, one storm: a cluster, a load and a nemesis made up at random, all of it written
//! out.
//!
//! Each seed first draws *which* faults it has, and then how often (swarm testing): storms
//! that have everything at once find less than storms that have a few things in plenty. One
//! in eight has none, and finds plain bugs.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use topomotion_model::{Acks, PartitionName, ProcessId};
use topomotion_wire::Random;

use super::operation::{Deed, Operation};
use super::strike::{Blow, Strike};
use super::{Storm, Weather, clients, people, rare};
use crate::{
    ClusterPlan, ConsumerPlan, Limits, NodePlan, NodeRole, ProducerPlan, RunFile,
    TopicPlan,
};

/// What a drawn storm may be like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Climate {
    /// How many brokers.
    pub brokers: RangeInclusive<u32>,
    /// How long it lasts, in ms.
    pub until_ms: u64,
    /// Who comes.
    pub clients: Clients,
}

/// Who uses a drawn cluster beside its plain producers and its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Clients {
    /// Groups and transactions, too.
    #[default]
    All,
    /// Nobody: such a storm is about replication and the quorum alone. All else in it is as it
    /// is with everybody.
    Plain,
}

impl Default for Climate {
    fn default() -> Climate {
        Climate { brokers: 3..=5, until_ms: 60_000, clients: Clients::default() }
    }
}

const CLUSTER: u64 = 1 << 50;
const LOAD: u64 = CLUSTER + 1;
const NEMESIS: u64 = CLUSTER + 2;
const PEOPLE: u64 = CLUSTER + 3;
/// What is new in clusters is drawn by itself, so that all the rest stays as it was.
const EXTRAS: u64 = CLUSTER + 4;
const NUMBERS: u64 = CLUSTER + 5;
const COORDINATORS: u64 = CLUSTER + 6;
const TRANSACTIONS: u64 = CLUSTER + 7;
const GROUPS: u64 = CLUSTER + 8;
/// What hurts those who came with groups and transactions.
const HARM: u64 = CLUSTER + 9;

/// What logs forget.
const STORAGE: u64 = CLUSTER + 10;
/// What has to come together at the right moment.
const SCENES: u64 = CLUSTER + 11;

/// The storm of this seed.
pub fn draw(seed: u64, climate: &Climate) -> RunFile {
    let mut cluster = cluster(&mut Random::new(seed, CLUSTER), climate);
    extras(&mut Random::new(seed, EXTRAS), &mut cluster);
    let load = load(&mut Random::new(seed, LOAD), &cluster, climate.until_ms);
    let mut people = Random::new(seed, PEOPLE);
    let people = people::draw(&mut people, &cluster, &load, climate.until_ms);
    let mut random = Random::new(seed, NEMESIS);
    let nemesis = Nemesis::draw(&mut random, &cluster);
    let world = weather(&mut random);
    let left_dead = nemesis.left_dead(&mut random);
    let mut strikes = nemesis.strikes(&mut random, climate.until_ms);
    clients::number(&mut Random::new(seed, NUMBERS), &mut cluster, &load);
    let mut operations = people::merge(load, people);
    let stream = |stream| Random::new(seed, stream);
    let parties = match climate.clients {
        Clients::All => vec![
            clients::transact(&mut stream(TRANSACTIONS), &mut cluster, climate.until_ms),
            clients::group(&mut stream(GROUPS), &mut cluster, climate.until_ms),
        ],
        Clients::Plain => Vec::new(),
    };
    let mut guests = Vec::new();
    for party in parties {
        operations = people::merge(operations, party.operations);
        guests.extend(party.clients);
    }
    if !guests.is_empty() {
        clients::coordinate(&mut stream(COORDINATORS), &mut cluster);
        let mut random = stream(HARM);
        let harm = Nemesis::upon(&mut random, guests, &cluster);
        strikes.extend(harm.strikes(&mut random, climate.until_ms));
        strikes.sort_by_key(|strike| strike.at_ms);
    }
    let scenes = rare::scenes(&mut stream(SCENES), &mut cluster, climate.until_ms);
    operations = people::merge(operations, scenes.operations);
    strikes.extend(scenes.strikes);
    strikes.sort_by_key(|strike| strike.at_ms);
    let is_calm = rare::is_calm(&cluster, &strikes, &operations);
    rare::storage(&mut stream(STORAGE), &mut cluster, is_calm);
    let storm = Storm {
        world,
        until_ms: climate.until_ms,
        left_dead,
        nemesis: strikes,
        operations,
    };
    RunFile {
        scenario: format!("storm-{seed}"),
        cluster,
        steps: Vec::new(),
        seed,
        limits: Limits { events: 10_000_000, ..Limits::default() },
        storm: Some(storm),
    }
}

pub(super) fn between(random: &mut Random, range: RangeInclusive<u64>) -> u64 {
    range.start() + random.below(range.end() - range.start() + 1)
}

pub(super) fn one_in(random: &mut Random, n: u64) -> bool {
    random.below(n) == 0
}

pub(super) fn pick<'a, T>(random: &mut Random, from: &'a [T]) -> &'a T {
    &from[random.below(from.len() as u64) as usize]
}

fn weather(random: &mut Random) -> Weather {
    if one_in(random, 4) {
        return Weather::default();
    }
    let latency_us = between(random, 200..=8_000);
    let jitter_us = between(random, 0..=2 * latency_us);
    Weather { latency_us, jitter_us, flush_us: between(random, 50..=5_000) }
}

fn cluster(random: &mut Random, climate: &Climate) -> ClusterPlan {
    let (least, most) = (*climate.brokers.start(), *climate.brokers.end());
    let brokers = between(random, u64::from(least)..=u64::from(most)) as i32;
    let node = |name: &str, id: i32, role: NodeRole| NodePlan {
        process: ProcessId::from(&*format!("{name}-{id}")),
        id,
        role,
        rack: None,
        settings: BTreeMap::new(),
    };
    let mut nodes = Vec::new();
    let combined = one_in(random, 4);
    for id in 1..=brokers {
        let votes = combined && id <= 3;
        let role = if votes { NodeRole::Combined } else { NodeRole::Broker };
        nodes.push(node("broker", id, role));
    }
    if !combined {
        let voters = if one_in(random, 4) { 1 } else { 3 };
        nodes.extend(
            (1..=voters).map(|n| node("controller", 100 + n, NodeRole::Controller)),
        );
    }
    let topics = vec![topic(random, brokers)];
    let bootstrap = nodes[0].process.clone();
    let partitions = topics[0].assignment.len() as i32;
    let producer = |name: &str| ProducerPlan {
        process: name.into(),
        bootstrap: bootstrap.clone(),
        acks: Acks::All,
        topic: "orders".to_owned(),
        settings: BTreeMap::new(),
    };
    let consumer = ConsumerPlan {
        process: "reader".into(),
        bootstrap: bootstrap.clone(),
        group: "readers".to_owned(),
        subscription: Vec::new(),
        assignment: (0..partitions).map(|index| ("orders".to_owned(), index)).collect(),
        settings: BTreeMap::new(),
    };
    let second = one_in(random, 2).then(|| producer("billing"));
    ClusterPlan {
        actors: Vec::new(),
        zookeeper: Vec::new(),
        nodes,
        topics,
        producers: [producer("shop")].into_iter().chain(second).collect(),
        consumers: vec![consumer],
        settings: settings(random),
        seed: 0,
    }
}

fn topic(random: &mut Random, brokers: i32) -> TopicPlan {
    let partitions = between(random, 1..=3) as i32;
    let factor = brokers.min(3);
    let replicas =
        |first: i32| (0..factor).map(|next| (first + next) % brokers + 1).collect();
    let least = if one_in(random, 4) { 1 } else { 2 }.min(factor);
    let least = ("min.insync.replicas".to_owned(), least.to_string());
    TopicPlan {
        name: "orders".to_owned(),
        assignment: (0..partitions).map(replicas).collect(),
        settings: BTreeMap::from([least]),
    }
}

fn settings(random: &mut Random) -> BTreeMap<String, String> {
    let mut settings = BTreeMap::new();
    if one_in(random, 2) {
        let lag = between(random, 1_000..=15_000).to_string();
        settings.insert("replica.lag.time.max.ms".to_owned(), lag);
    }
    let elr = if one_in(random, 2) { "true" } else { "false" };
    settings.insert("era.elr".to_owned(), elr.to_owned());
    if one_in(random, 4) {
        let name = "leader.imbalance.check.interval.seconds";
        settings.insert(name.to_owned(), between(random, 5..=20).to_string());
    }
    if one_in(random, 8) {
        let allowed = "true".to_owned();
        settings.insert("unclean.leader.election.enable".to_owned(), allowed);
    }
    settings
}

/// Segments that are soon full, a topic that comes and goes, voters that may change.
fn extras(random: &mut Random, cluster: &mut ClusterPlan) {
    if one_in(random, 4) {
        let size = between(random, 300..=3_000).to_string();
        cluster.topics[0].settings.insert("segment.bytes".to_owned(), size);
    }
    if one_in(random, 4) {
        let guest = TopicPlan {
            name: people::GUEST.to_owned(),
            assignment: cluster.topics[0].assignment.iter().take(1).cloned().collect(),
            settings: BTreeMap::new(),
        };
        cluster.topics.push(guest);
    }
    let voters: Vec<ProcessId> = cluster.voters().map(|it| it.process.clone()).collect();
    let apart = cluster.nodes.iter().any(|it| it.role == NodeRole::Controller);
    if !apart || voters.len() < 3 || !one_in(random, 4) {
        return;
    }
    let names: Vec<&str> = voters.iter().map(ProcessId::as_str).collect();
    let settings = &mut cluster.settings;
    settings.insert("kraft.version".to_owned(), "1".to_owned());
    settings.insert("controller.quorum.voters".to_owned(), names.join(","));
    cluster.nodes.push(NodePlan {
        process: people::SPARE.into(),
        id: 109,
        role: NodeRole::Controller,
        rack: None,
        settings: BTreeMap::new(),
    });
}

fn load(random: &mut Random, cluster: &ClusterPlan, until_ms: u64) -> Vec<Operation> {
    let pace = between(random, 50..=1_000);
    let careless = one_in(random, 4);
    let mut at_ms = 0;
    let mut operations = Vec::new();
    loop {
        at_ms += between(random, 1..=2 * pace);
        if at_ms >= until_ms {
            return operations;
        }
        let topic = &cluster.topics[0];
        let partition = random.below(topic.assignment.len() as u64) as u32;
        let acks = match random.below(8) {
            0 if careless => Acks::None,
            1 | 2 if careless => Acks::Leader,
            _ => Acks::All,
        };
        operations.push(Operation {
            at_ms,
            deed: Deed::Send {
                producer: pick(random, &cluster.producers).process.clone(),
                count: between(random, 1..=5) as u32,
                partition: PartitionName { topic: topic.name.clone(), partition },
                acks,
            },
        });
    }
}

/// Which faults a seed has, and whom they may hit.
struct Nemesis {
    nodes: Vec<ProcessId>,
    everybody: Vec<ProcessId>,
    faults: Vec<Trouble>,
    /// Mean time between two troubles, in ms.
    pace: u64,
}

/// A blow and what ends it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    Crash,
    PowerLoss,
    Pause,
    Partition,
    Cut,
    Clog,
    Detain,
    Reset,
    Slow,
    SlowDial,
    Throttle,
    SlowDisk,
    FailDisk,
    Drift,
    Jump,
}

/// What may happen to a client, which has no disk.
const CLIENT_TROUBLES: [Trouble; 12] = [
    Trouble::Crash,
    Trouble::Pause,
    Trouble::Partition,
    Trouble::Cut,
    Trouble::Clog,
    Trouble::Detain,
    Trouble::Reset,
    Trouble::Slow,
    Trouble::SlowDial,
    Trouble::Throttle,
    Trouble::Drift,
    Trouble::Jump,
];

const TROUBLES: [Trouble; 15] = [
    Trouble::Crash,
    Trouble::PowerLoss,
    Trouble::Pause,
    Trouble::Partition,
    Trouble::Cut,
    Trouble::Clog,
    Trouble::Detain,
    Trouble::Reset,
    Trouble::Slow,
    Trouble::SlowDial,
    Trouble::Throttle,
    Trouble::SlowDisk,
    Trouble::FailDisk,
    Trouble::Drift,
    Trouble::Jump,
];

impl Nemesis {
    fn draw(random: &mut Random, cluster: &ClusterPlan) -> Nemesis {
        let calm = one_in(random, 8);
        let chosen = |_: &Trouble| !calm && one_in(random, 3);
        let faults = TROUBLES.into_iter().filter(chosen).collect();
        let nodes: Vec<ProcessId> =
            cluster.nodes.iter().map(|node| node.process.clone()).collect();
        let clients = cluster.producers.iter().map(|one| one.process.clone());
        let clients =
            clients.chain(cluster.consumers.iter().map(|it| it.process.clone()));
        let everybody = nodes.iter().cloned().chain(clients).collect();
        Nemesis { nodes, everybody, faults, pace: between(random, 1_500..=12_000) }
    }

    /// A nemesis of these clients.
    fn upon(
        random: &mut Random,
        clients: Vec<ProcessId>,
        cluster: &ClusterPlan,
    ) -> Nemesis {
        let calm = one_in(random, 4);
        let chosen = |_: &Trouble| !calm && one_in(random, 4);
        let faults = CLIENT_TROUBLES.into_iter().filter(chosen).collect();
        let nodes = cluster.nodes.iter().map(|node| node.process.clone());
        let everybody = nodes.chain(clients.iter().cloned()).collect();
        let pace = between(random, 2_000..=15_000);
        Nemesis { nodes: clients, everybody, faults, pace }
    }

    /// A broker that never comes back, in a cluster that can do without it.
    fn left_dead(&self, random: &mut Random) -> Vec<ProcessId> {
        let brokers = self.nodes.iter().filter(|id| id.as_str().starts_with("broker"));
        let brokers: Vec<&ProcessId> = brokers.collect();
        let can = brokers.len() > 3 && !self.faults.is_empty();
        if !can || !one_in(random, 2) {
            return Vec::new();
        }
        brokers.last().map(|&id| id.clone()).into_iter().collect()
    }

    fn strikes(&self, random: &mut Random, until_ms: u64) -> Vec<Strike> {
        let mut strikes = Vec::new();
        let mut at_ms = 0;
        while !self.faults.is_empty() {
            at_ms += between(random, 100..=2 * self.pace);
            if at_ms >= until_ms {
                break;
            }
            let trouble = *pick(random, &self.faults);
            self.strike(random, trouble, at_ms, until_ms, &mut strikes);
        }
        // Troubles end at times of their own; of two at the same time the first begun
        // stays first.
        strikes.sort_by_key(|strike| strike.at_ms);
        strikes
    }

    fn strike(
        &self,
        random: &mut Random,
        trouble: Trouble,
        at_ms: u64,
        until_ms: u64,
        strikes: &mut Vec<Strike>,
    ) {
        let node = pick(random, &self.nodes).clone();
        let ends = (at_ms + between(random, 100..=15_000)).min(until_ms);
        let (on, towards) = self.sides(random, &node);
        let way = |at_ms, blow, amount| {
            let (on, towards) = (on.clone(), towards.clone());
            Strike { at_ms, blow, on, towards, amount }
        };
        let one = |at_ms, blow, amount| Strike {
            amount,
            ..Strike::on(at_ms, blow, node.clone())
        };
        let blows = match trouble {
            Trouble::Crash => [one(at_ms, Blow::Crash, 0), one(ends, Blow::Restart, 0)],
            Trouble::PowerLoss => {
                [one(at_ms, Blow::PowerLoss, 0), one(ends, Blow::Restart, 0)]
            }
            Trouble::Pause => [one(at_ms, Blow::Pause, 0), one(ends, Blow::Resume, 0)],
            Trouble::Partition => [way(at_ms, Blow::Partition, 0), Strike::heal(ends)],
            Trouble::Cut => [way(at_ms, Blow::Cut, 0), Strike::heal(ends)],
            Trouble::Clog => [way(at_ms, Blow::Clog, 0), way(ends, Blow::Unclog, 0)],
            Trouble::Detain => [way(at_ms, Blow::Detain, 0), way(ends, Blow::Release, 0)],
            Trouble::Reset => [way(at_ms, Blow::Reset, 0), way(ends, Blow::Reset, 0)],
            Trouble::Slow => {
                let by = between(random, 5..=600);
                [way(at_ms, Blow::Slow, by), way(ends, Blow::Slow, 0)]
            }
            Trouble::SlowDial => {
                let by = between(random, 100..=6_000);
                [way(at_ms, Blow::SlowDial, by), way(ends, Blow::SlowDial, 0)]
            }
            Trouble::Throttle => {
                let rate = between(random, 500..=50_000);
                [way(at_ms, Blow::Throttle, rate), way(ends, Blow::Throttle, 0)]
            }
            Trouble::SlowDisk => {
                let takes = between(random, 10..=1_500);
                [one(at_ms, Blow::SlowDisk, takes), one(ends, Blow::MendDisk, 0)]
            }
            Trouble::FailDisk => {
                let full = one_in(random, 2);
                let blow = if full { Blow::FullDisk } else { Blow::FailDisk };
                let room = if full { between(random, 0..=20_000) } else { 0 };
                let back = Strike::on(ends + 1, Blow::Restart, node.clone());
                strikes.push(back);
                [one(at_ms, blow, room), one(ends, Blow::MendDisk, 0)]
            }
            Trouble::Drift => {
                let percent = between(random, 70..=140);
                [one(at_ms, Blow::Drift, percent), one(ends, Blow::Drift, 100)]
            }
            Trouble::Jump => {
                let (by, again) = (between(random, 10..=5_000), between(random, 1..=500));
                [one(at_ms, Blow::Jump, by), one(ends, Blow::Jump, again)]
            }
        };
        strikes.extend(blows);
    }

    /// A node against some or all of the others, one way or the other.
    fn sides(
        &self,
        random: &mut Random,
        node: &ProcessId,
    ) -> (Vec<ProcessId>, Vec<ProcessId>) {
        let all = one_in(random, 2);
        let others = self.everybody.iter().filter(|id| *id != node);
        let mut others: Vec<ProcessId> =
            others.filter(|_| all || one_in(random, 2)).cloned().collect();
        if others.is_empty() {
            others.extend(self.nodes.iter().find(|id| *id != node).cloned());
        }
        match one_in(random, 2) {
            true => (vec![node.clone()], others),
            false => (others, vec![node.clone()]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_storm_and_another_seed_another() {
        let climate = Climate::default();
        assert_eq!(draw(7, &climate), draw(7, &climate));
        assert_ne!(draw(7, &climate).storm, draw(8, &climate).storm);
    }

    #[test]
    fn a_drawn_storm_is_read_back_from_its_file() {
        for seed in 0..40 {
            let file = draw(seed, &Climate::default());
            assert_eq!(RunFile::from_json(&file.to_json()), Ok(file), "seed {seed}");
        }
    }
}
