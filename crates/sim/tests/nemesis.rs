//! Random faults, one seed a story: whatever happens, what was promised is kept, and the
//! cluster heals.

#[allow(dead_code)]
mod common;

use common::{MINUTE_MS, condition, orders, production, record, scenario, story};
use topomotion_model::Acks;
use topomotion_model::builder::ScenarioBuilder;
use topomotion_sim::{Ending, Judge, Observer, RunOptions, bind};
use topomotion_verify::Judged;
use topomotion_wire::Random;

const ONE_VOTER: [&str; 3] = ["broker-1", "broker-2", "broker-3"];
const THREE_VOTERS: [&str; 6] =
    ["broker-1", "broker-2", "broker-3", "controller", "controller-2", "controller-3"];
const STEPS: usize = 25;

/// Hurts these nodes at random while records are sent, then heals them.
fn storm(seed: u64, nodes: &[&'static str]) -> ScenarioBuilder {
    let mut random = Random::new(seed, 99);
    let mut steps = scenario("storm");
    for _ in 0..STEPS {
        let node = nodes[random.below(nodes.len() as u64) as usize];
        let others: Vec<&str> =
            nodes.iter().copied().filter(|other| *other != node).collect();
        match random.below(12) {
            0 => steps.crash(node),
            1 | 2 => steps.restart(node),
            3 => steps.pause(node),
            4 => steps.resume(node),
            5 => steps.partition(&[node], &others),
            6 if node != "controller" => steps.partition(&[node], &["controller"]),
            6 => steps.partition(&["broker-1", "broker-2"], &["controller"]),
            7 => steps.heal(),
            8 => steps.wait(random.below(12_000)),
            _ => steps.produce("order-producer", Some("orders"), record(Acks::All)),
        };
    }
    steps.heal();
    nodes.iter().for_each(|node| {
        steps.restart(node);
    });
    for partition in 0..3 {
        let whole = condition(&format!("isr-size(orders-{partition}) == 3"));
        steps.wait_until(whole, 2 * MINUTE_MS);
    }
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.expect(condition("no-acknowledged-record-lost"));
    steps
}

fn weather(nodes: &[&'static str], seed: u64) -> Judged {
    let mut builder = match nodes.len() {
        6 => production::three_voters(),
        _ => production::builder(),
    };
    builder.kafka(orders(2)).scenario(storm(seed, nodes));
    let (topology, _) = builder.build().expect("no mistakes");
    let binding = bind(&topology).expect("binds");
    let mut options = RunOptions { seed: Some(seed), ..RunOptions::default() };
    options.limits.produce_ms = 800;
    let judged = topomotion_verify::run(&binding, &topology.scenarios[0], &options);
    judged.expect("can be run")
}

/// What went wrong, where a record that was not answered in time is no fault.
fn complaints(judged: &Judged) -> Vec<String> {
    let verdicts = judged.outcome.verdicts.iter();
    let failures = verdicts.filter(|one| !one.demand.contains("sends"));
    let failures = failures.filter_map(|one| {
        let failure = one.failure.as_ref()?;
        Some(format!("step {}: {}: {failure}", one.step, one.demand))
    });
    let broken = judged.violations.iter();
    let broken = broken.map(|one| format!("{} {}: {}", one.at, one.invariant, one.text));
    failures.chain(broken).chain(not_healed(judged)).collect()
}

/// Partitions whose replicas are not all in sync when all is over.
fn not_healed(judged: &Judged) -> Vec<String> {
    let mut observer = Observer::new();
    judged.outcome.trace.events.iter().for_each(|event| observer.see(event));
    let whole = |partition| condition(&format!("isr-size(orders-{partition}) == 3"));
    (0..3).filter_map(|partition| observer.judge(&whole(partition)).err()).collect()
}

fn assert_fair(nodes: &[&'static str], seeds: std::ops::Range<u64>) {
    let mut failed = Vec::new();
    for seed in seeds {
        let judged = weather(nodes, seed);
        let complaints = complaints(&judged);
        if !complaints.is_empty() || judged.outcome.ending != Ending::Quiet {
            let story = story(&judged.outcome.trace);
            let ending = &judged.outcome.ending;
            failed.push(format!("{story}\nseed {seed}: {ending:?} {complaints:#?}"));
        }
    }
    let count = failed.len();
    assert!(failed.is_empty(), "{count} seeds failed, the first of them:\n{}", failed[0]);
}

#[test]
fn whatever_happens_to_the_brokers_what_was_promised_is_kept() {
    assert_fair(&ONE_VOTER, 0..6);
}

#[test]
fn whatever_happens_to_the_controllers_what_was_promised_is_kept() {
    assert_fair(&THREE_VOTERS, 0..6);
}

#[test]
#[ignore = "for the nightly run"]
fn whatever_happens_on_many_seeds() {
    assert_fair(&ONE_VOTER, 6..500);
    assert_fair(&THREE_VOTERS, 6..500);
}
