//! Groups, numbered producers and transactions in a drawn storm.
//!
//! Each is drawn from a stream of its own, and added to a cluster that is complete without
//! it, so that a storm that has none of it is the storm that it was.

use std::collections::BTreeMap;

use topomotion_model::{Acks, PartitionName, ProcessId};
use topomotion_wire::Random;

use super::draw::{between, one_in, pick};
use super::operation::{Deed, Operation};
use crate::{ClusterPlan, ConsumerPlan, ProducerPlan, TopicPlan};

/// What pipelines write.
const PAYMENTS: &str = "payments";
/// The group of the pipelines.
const MILLS: &str = "mills";

type Settings = BTreeMap<String, String>;

/// Clients that were added to a cluster, and what they do.
#[derive(Debug, Default)]
pub(super) struct Party {
    pub clients: Vec<ProcessId>,
    pub operations: Vec<Operation>,
}

impl Party {
    fn push(&mut self, at_ms: u64, deed: Deed) {
        self.operations.push(Operation { at_ms, deed });
    }

    fn bid(&mut self, at_ms: u64, process: &ProcessId, what: impl Into<String>) {
        let (process, what) = (process.clone(), what.into());
        self.push(at_ms, Deed::Client { process, what });
    }

    /// What is not over when the storm is does not happen.
    fn within(mut self, until_ms: u64) -> Party {
        self.operations.retain(|operation| operation.at_ms < until_ms);
        self.operations.sort_by_key(|operation| operation.at_ms);
        self
    }
}

fn set(settings: &mut Settings, name: &str, value: impl ToString) {
    settings.insert(name.to_owned(), value.to_string());
}

/// Which producers number their records, and how patient they are.
pub(super) fn number(random: &mut Random, cluster: &mut ClusterPlan, load: &[Operation]) {
    let is_careful = load.iter().all(|operation| match &operation.deed {
        Deed::Send { acks, .. } => *acks == Acks::All,
        _ => true,
    });
    let style = random.below(4);
    for producer in &mut cluster.producers {
        let mixed = one_in(random, 2);
        let numbers = is_careful && (style > 1 || style == 1 && mixed);
        set(&mut producer.settings, "enable.idempotence", numbers);
        if one_in(random, 4) {
            let name = "max.in.flight.requests.per.connection";
            set(&mut producer.settings, name, between(random, 1..=5));
        }
        if one_in(random, 4) {
            let patience = between(random, 1_000..=4_000);
            set(&mut producer.settings, "request.timeout.ms", patience);
            let all = patience + between(random, 2_000..=10_000);
            set(&mut producer.settings, "delivery.timeout.ms", all);
        }
    }
}

/// Coordinators, small and quick enough for a storm.
pub(super) fn coordinate(random: &mut Random, cluster: &mut ClusterPlan) {
    let settings = &mut cluster.settings;
    set(settings, "offsets.topic.num.partitions", between(random, 2..=4));
    set(settings, "transaction.state.log.num.partitions", between(random, 2..=4));
    set(settings, "group.initial.rebalance.delay.ms", between(random, 0..=3_000));
    let session = between(random, 6_000..=15_000);
    set(settings, "group.consumer.session.timeout.ms", session);
    set(settings, "group.consumer.heartbeat.interval.ms", session / 4);
    let name = "transaction.abort.timed.out.transaction.cleanup.interval.ms";
    set(settings, name, between(random, 1_000..=10_000));
}

/// A third of the seeds has transactions.
pub(super) fn transact(
    random: &mut Random,
    cluster: &mut ClusterPlan,
    until_ms: u64,
) -> Party {
    let mut party = Party::default();
    if !one_in(random, 3) {
        return party;
    }
    if one_in(random, 6) {
        set(&mut cluster.settings, "era.txn", "v1");
    }
    let orders = &cluster.topics[0];
    let partitions = between(random, 1..=3) as usize;
    let replicas = orders.assignment.iter().cycle().take(partitions).cloned().collect();
    let settings = orders.settings.clone();
    cluster.topics.push(TopicPlan {
        name: PAYMENTS.to_owned(),
        assignment: replicas,
        settings,
    });
    if one_in(random, 2) {
        isolate(&mut cluster.consumers[0].settings);
    }
    let tellers = between(random, 1..=2);
    let rival = one_in(random, 3);
    for index in 1..=tellers + u64::from(rival) {
        let is_rival = index > tellers;
        let process = ProcessId::from(&*format!("teller-{index}"));
        let id = if is_rival { 1 } else { index };
        let settings = transactional(random, &format!("till-{id}"));
        add_producer(cluster, &process, "orders", settings);
        if is_rival {
            // Nobody is there to be fenced yet, or everybody.
            let begins = between(random, 1..=until_ms / 2);
            party.push(begins, Deed::Start(process.clone()));
        }
        tell(random, cluster, &process, until_ms, &mut party);
        party.clients.push(process);
    }
    if one_in(random, 2) {
        for index in 1..=between(random, 1..=2) {
            mill(random, cluster, index, until_ms, &mut party);
        }
    }
    party.within(until_ms)
}

fn isolate(settings: &mut Settings) {
    set(settings, "isolation.level", "read_committed");
}

fn transactional(random: &mut Random, id: &str) -> Settings {
    let mut settings = Settings::new();
    set(&mut settings, "transactional.id", id);
    let timeout = between(random, 5_000..=40_000);
    set(&mut settings, "transaction.timeout.ms", timeout);
    if one_in(random, 4) {
        set(&mut settings, "request.timeout.ms", between(random, 1_000..=4_000));
    }
    settings
}

fn add_producer(
    cluster: &mut ClusterPlan,
    process: &ProcessId,
    topic: &str,
    settings: Settings,
) {
    cluster.producers.push(ProducerPlan {
        process: process.clone(),
        bootstrap: cluster.producers[0].bootstrap.clone(),
        acks: Acks::All,
        topic: topic.to_owned(),
        settings,
    });
}

/// One transaction after the other, some of them left open.
fn tell(
    random: &mut Random,
    cluster: &ClusterPlan,
    process: &ProcessId,
    until_ms: u64,
    party: &mut Party,
) {
    let pace = between(random, 200..=4_000);
    let topics =
        [&cluster.topics[0], cluster.topics.last().unwrap_or(&cluster.topics[0])];
    let mut at_ms = 0;
    while at_ms < until_ms {
        at_ms += between(random, 50..=2 * pace);
        if one_in(random, 10) {
            party.push(at_ms, Deed::Shutdown(process.clone()));
            at_ms += between(random, 100..=5_000);
            party.push(at_ms, Deed::Start(process.clone()));
            at_ms += between(random, 100..=1_000);
        }
        party.bid(at_ms, process, "begin");
        for _ in 0..between(random, 0..=4) {
            at_ms += between(random, 1..=300);
            let topic = *pick(random, &topics);
            let partition = random.below(topic.assignment.len() as u64) as u32;
            let deed = Deed::Send {
                producer: process.clone(),
                count: between(random, 1..=4) as u32,
                partition: PartitionName { topic: topic.name.clone(), partition },
                acks: Acks::All,
            };
            party.push(at_ms, deed);
        }
        at_ms += between(random, 1..=500);
        match random.below(8) {
            0..=4 => party.bid(at_ms, process, "commit-transaction"),
            5 | 6 => party.bid(at_ms, process, "abort-transaction"),
            _ => at_ms += between(random, 0..=20_000),
        }
    }
}

/// A process that reads orders and writes payments.
fn mill(
    random: &mut Random,
    cluster: &mut ClusterPlan,
    index: u64,
    until_ms: u64,
    party: &mut Party,
) {
    let process = ProcessId::from(&*format!("mill-{index}"));
    let producer = match one_in(random, 6) {
        true => Settings::new(),
        false => transactional(random, &format!("mill-{index}")),
    };
    add_producer(cluster, &process, PAYMENTS, producer);
    let mut settings = membership(random);
    set(&mut settings, "group.protocol", "classic");
    set(&mut settings, "partition.assignment.strategy", "cooperative-sticky");
    set(&mut settings, "enable.auto.commit", false);
    sessions(random, &mut settings);
    isolate(&mut settings);
    add_member(cluster, &process, MILLS, vec!["orders".to_owned()], settings);
    let work = format!("transform orders to {PAYMENTS}");
    let mut at_ms = between(random, 0..=3_000);
    while at_ms < until_ms {
        party.bid(at_ms, &process, &*work);
        at_ms += between(random, 2_000..=20_000);
        // Whoever was fenced begins anew.
        if one_in(random, 4) {
            party.push(at_ms, Deed::Shutdown(process.clone()));
            at_ms += between(random, 100..=8_000);
            party.push(at_ms, Deed::Start(process.clone()));
            at_ms += between(random, 100..=3_000);
        }
    }
    party.clients.push(process);
}

fn add_member(
    cluster: &mut ClusterPlan,
    process: &ProcessId,
    group: &str,
    subscription: Vec<String>,
    settings: Settings,
) {
    cluster.consumers.push(ConsumerPlan {
        process: process.clone(),
        bootstrap: cluster.producers[0].bootstrap.clone(),
        group: group.to_owned(),
        subscription,
        assignment: Vec::new(),
        settings,
    });
}

fn membership(random: &mut Random) -> Settings {
    let mut settings = Settings::new();
    set(&mut settings, "membership", "subscribe");
    let reset = if one_in(random, 8) { "latest" } else { "earliest" };
    set(&mut settings, "auto.offset.reset", reset);
    // Members of classic groups see by this that a topic has grown.
    set(&mut settings, "metadata.max.age.ms", between(random, 5_000..=30_000));
    settings
}

fn sessions(random: &mut Random, settings: &mut Settings) {
    let session = between(random, 6_000..=12_000);
    set(settings, "session.timeout.ms", session);
    set(settings, "heartbeat.interval.ms", session / between(random, 3..=6));
    let longest = between(random, 6_000..=30_000);
    set(settings, "max.poll.interval.ms", longest.max(session));
}

const ASSIGNORS: [&str; 5] =
    ["range", "roundrobin", "sticky", "cooperative-sticky", "range,cooperative-sticky"];

/// What members do besides reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Close in good order, and come back.
    Leave,
    /// Read nothing for a while.
    Unsubscribe,
    /// Read something else besides.
    Resubscribe,
    /// Do not poll for longer than the group waits.
    Stick,
    /// Work on each record.
    Slow,
    Commit,
    Seek,
    Rest,
    /// Somebody looks at the group, or wants it gone.
    Ask,
}

const KINDS: [Kind; 9] = [
    Kind::Leave,
    Kind::Unsubscribe,
    Kind::Resubscribe,
    Kind::Stick,
    Kind::Slow,
    Kind::Commit,
    Kind::Seek,
    Kind::Rest,
    Kind::Ask,
];

/// Half of the seeds have groups.
pub(super) fn group(
    random: &mut Random,
    cluster: &mut ClusterPlan,
    until_ms: u64,
) -> Party {
    let mut party = Party::default();
    if !one_in(random, 2) {
        return party;
    }
    for group in ["north", "south"].into_iter().take(between(random, 1..=2) as usize) {
        let members = found(random, cluster, group);
        for member in members.iter().skip(1) {
            if one_in(random, 4) {
                let begins = between(random, 1..=until_ms / 2);
                party.push(begins, Deed::Start(member.clone()));
            }
        }
        let crowd = Crowd { group, members: &members, cluster, until_ms };
        crowd.live(random, &mut party);
        party.clients.extend(members);
    }
    party.within(until_ms)
}

/// Adds a group's members to the cluster.
fn found(random: &mut Random, cluster: &mut ClusterPlan, group: &str) -> Vec<ProcessId> {
    let has_coordinator_divide = one_in(random, 3);
    let assignors = *pick(random, &ASSIGNORS);
    let is_static = one_in(random, 3);
    let is_manual = one_in(random, 3);
    let is_isolated = one_in(random, 2);
    let mut topics = vec!["orders".to_owned()];
    for topic in cluster.topics.iter().skip(1) {
        if one_in(random, 2) {
            topics.push(topic.name.clone());
        }
    }
    let mut shared = membership(random);
    if has_coordinator_divide {
        set(&mut shared, "group.protocol", "consumer");
        let longest = between(random, 6_000..=30_000);
        set(&mut shared, "max.poll.interval.ms", longest);
    } else {
        set(&mut shared, "group.protocol", "classic");
        set(&mut shared, "partition.assignment.strategy", assignors);
        sessions(random, &mut shared);
    }
    match is_manual {
        true => set(&mut shared, "enable.auto.commit", false),
        false => {
            let interval = between(random, 500..=5_000);
            set(&mut shared, "auto.commit.interval.ms", interval);
        }
    }
    if is_isolated {
        isolate(&mut shared);
    }
    let mut members = Vec::new();
    for index in 1..=between(random, 2..=4) {
        let process = ProcessId::from(&*format!("{group}-{index}"));
        let mut settings = shared.clone();
        if is_static && !one_in(random, 4) {
            set(&mut settings, "group.instance.id", &process);
        }
        add_member(cluster, &process, group, topics.clone(), settings);
        members.push(process);
    }
    members
}

/// The members of one group.
struct Crowd<'a> {
    group: &'a str,
    members: &'a [ProcessId],
    cluster: &'a ClusterPlan,
    until_ms: u64,
}

impl Crowd<'_> {
    fn live(&self, random: &mut Random, party: &mut Party) {
        let kinds: Vec<Kind> = KINDS.into_iter().filter(|_| one_in(random, 3)).collect();
        let pace = between(random, 1_000..=8_000);
        let mut at_ms = 0;
        while !kinds.is_empty() && at_ms < self.until_ms {
            at_ms += between(random, 100..=2 * pace);
            let kind = *pick(random, &kinds);
            self.act(random, kind, at_ms, party);
        }
    }

    fn topics(&self, process: &ProcessId) -> String {
        let mut consumers = self.cluster.consumers.iter();
        let plan = consumers.find(|it| it.process == *process);
        plan.map_or_else(String::new, |plan| plan.topics().join(","))
    }

    fn act(&self, random: &mut Random, kind: Kind, at_ms: u64, party: &mut Party) {
        let member = pick(random, self.members);
        let later = at_ms + between(random, 200..=15_000);
        // Whoever rests or is slow is not when the storm is over.
        let later = later.min(self.until_ms.saturating_sub(1)).max(at_ms);
        let topic = &self.cluster.topics[0];
        let index = random.below(topic.assignment.len() as u64);
        let place = format!("{}-{index}", topic.name);
        match kind {
            Kind::Leave => {
                party.push(at_ms, Deed::Shutdown(member.clone()));
                party.push(later, Deed::Start(member.clone()));
            }
            Kind::Unsubscribe => {
                party.bid(at_ms, member, "unsubscribe");
                party.bid(later, member, format!("subscribe {}", self.topics(member)));
            }
            Kind::Resubscribe => {
                let all = self.cluster.topics.iter().map(|topic| topic.name.as_str());
                let all: Vec<&str> = all.collect();
                party.bid(at_ms, member, format!("subscribe {}", all.join(",")));
                party.bid(later, member, format!("subscribe {}", self.topics(member)));
            }
            Kind::Stick => {
                let seconds = between(random, 1..=35);
                party.bid(at_ms, member, format!("work {seconds} s"));
            }
            Kind::Slow => {
                let each = between(random, 1..=30);
                party.bid(at_ms, member, format!("work {each} ms per record"));
                party.bid(later, member, "work 0 ms per record");
            }
            Kind::Commit => {
                let what = if one_in(random, 2) { "commit" } else { "commit-async" };
                party.bid(at_ms, member, what);
            }
            Kind::Seek => {
                let to = if one_in(random, 2) { "earliest" } else { "latest" };
                party.bid(at_ms, member, format!("seek {place} to {to}"));
            }
            Kind::Rest => {
                party.bid(at_ms, member, format!("pause {place}"));
                party.bid(later, member, format!("resume {place}"));
            }
            Kind::Ask => {
                let group = self.group;
                let what = match random.below(8) {
                    0 | 1 => "list-groups".to_owned(),
                    2 => format!("delete-group {group}"),
                    3 => format!("delete-offsets {group} {place}"),
                    _ => format!("describe-group {group}"),
                };
                party.push(at_ms, Deed::Admin { what });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storm::draw::{Climate, draw};

    #[test]
    fn of_many_seeds_half_have_groups_a_third_transactions_and_some_pipelines() {
        let drawn = (0..400).map(|seed| draw(seed, &Climate::default()).cluster);
        let drawn: Vec<ClusterPlan> = drawn.collect();
        let count = |is_so: fn(&ClusterPlan) -> bool| {
            drawn.iter().filter(|plan| is_so(plan)).count()
        };
        let grouped = count(|plan| plan.runs(&"north-1".into()));
        let transacting = count(|plan| plan.runs(&"teller-1".into()));
        let milling = count(|plan| plan.runs(&"mill-1".into()));
        assert!((160..=240).contains(&grouped), "{grouped}");
        assert!((100..=170).contains(&transacting), "{transacting}");
        assert!((40..=100).contains(&milling), "{milling}");
    }
}
