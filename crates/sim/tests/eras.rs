//! Kafka's famous mistakes: each story goes wrong with the era's switch, and right without.
//!
//! What an era loses, the judge must notice: every story names the invariants that break.

#[allow(dead_code)]
mod common;

use std::collections::BTreeSet;

use common::{MINUTE_MS, condition, orders, production, record, scenario};
use topomotion_model::builder::{ProduceConfig, ScenarioBuilder};
use topomotion_model::{Acks, Cluster};
use topomotion_sim::{RunFile, RunOptions, bind};
use topomotion_trace::{StateChange, What};
use topomotion_verify::Judged;

type Settings<'a> = &'a [(&'a str, &'a str)];

fn cluster(least: u32, settings: Settings<'_>) -> Cluster {
    let owned = |&(name, value): &(&str, &str)| (name.to_owned(), value.to_owned());
    Cluster { settings: settings.iter().map(owned).collect(), ..orders(least) }
}

fn file(cluster: Cluster, steps: ScenarioBuilder) -> RunFile {
    let topology = production::with(Some(cluster), steps).expect("no mistakes");
    let binding = bind(&topology).expect("binds");
    let options = RunOptions::default();
    RunFile::new(&binding, &topology.scenarios[0], &options).expect("can be run")
}

/// The ids of what was broken, and of the demands that failed.
fn broken(judged: &Judged) -> BTreeSet<&'static str> {
    judged.violations.iter().map(|violation| violation.invariant).collect()
}

fn kept(judged: &Judged) -> bool {
    let verdicts = &judged.outcome.verdicts;
    let asked = |demand: &str| demand == "no-acknowledged-record-lost";
    let last = verdicts.iter().rfind(|verdict| asked(&verdict.demand));
    last.expect("it is demanded").failure.is_none()
}

fn play(least: u32, settings: Settings<'_>, steps: &ScenarioBuilder) -> Judged {
    topomotion_verify::replay(&file(cluster(least, settings), steps.clone()))
}

fn assert_right(judged: &Judged) {
    assert_eq!(broken(judged), BTreeSet::new(), "{:#?}", judged.violations);
    assert!(kept(judged), "{:#?}", judged.outcome.verdicts);
}

/// A record is committed, and nobody but its leader knows; the leader dies. Who leads next has
/// the record, who follows has it too, and dies as the last one that does.
fn two_leaders_die() -> ScenarioBuilder {
    let mut steps = scenario("kip-101");
    steps.produce("order-producer", Some("orders"), record(Acks::All)).wait(1_000);
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.partition(&["broker-1"], &["broker-2", "broker-3"]);
    steps.partition(&["broker-2"], &["broker-3"]);
    // The old leader writes down how far it knows the record to be committed.
    steps.wait(6_000).crash("broker-1");
    steps.wait_until(condition("leader(orders-0) == broker-2"), MINUTE_MS);
    steps.crash("broker-2");
    steps.wait_until(condition("leader(orders-0) == broker-3"), MINUTE_MS);
    steps
}

#[test]
fn b15_a_follower_that_cuts_to_its_own_high_watermark_loses_a_committed_record() {
    let mut steps = two_leaders_die();
    steps.expect(condition("no-acknowledged-record-lost"));
    let lost = play(1, &[("era.truncation", "hw")], &steps);
    assert!(!kept(&lost));
    assert_eq!(broken(&lost), BTreeSet::from(["R12"]), "{:#?}", lost.violations);
    for era in ["kip101", "kip279", "fetch"] {
        assert_right(&play(1, &[("era.truncation", era)], &steps));
    }
}

#[test]
fn b15_a_follower_that_starts_again_cuts_away_what_it_knew_to_be_committed() {
    let mut steps = scenario("restart");
    steps.produce("order-producer", Some("orders"), record(Acks::All)).wait(1_000);
    steps.crash("broker-3").restart("broker-3");
    steps.wait_until(condition("isr-size(orders-0) == 3"), MINUTE_MS);
    steps.expect(condition("no-acknowledged-record-lost"));
    let cut = play(2, &[("era.truncation", "hw")], &steps);
    assert_eq!(broken(&cut), BTreeSet::from(["R13"]), "{:#?}", cut.violations);
    for era in ["kip101", "kip279", "fetch"] {
        assert_right(&play(2, &[("era.truncation", era)], &steps));
    }
}

#[test]
fn b16_logs_that_were_cut_at_high_watermarks_hold_different_records_at_one_offset() {
    let mut steps = two_leaders_die();
    steps.heal();
    steps.produce("order-producer", Some("orders"), record(Acks::Leader));
    steps.restart("broker-1");
    steps.wait_until(condition("isr-size(orders-0) == 2"), MINUTE_MS);
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.expect(condition("no-acknowledged-record-lost"));
    let diverged = play(1, &[("era.truncation", "hw")], &steps);
    let expected = BTreeSet::from(["J1", "J8", "R12", "R14", "R2"]);
    assert_eq!(broken(&diverged), expected, "{:#?}", diverged.violations);
    for era in ["kip101", "kip279", "fetch"] {
        assert_right(&play(1, &[("era.truncation", era)], &steps));
    }
}

#[test]
fn b17_an_epoch_that_the_leader_never_saw_has_no_end_there() {
    let mut steps = scenario("kip-279");
    let send = |steps: &mut ScenarioBuilder| {
        steps.produce("order-producer", Some("orders"), record(Acks::Leader));
    };
    steps.produce("order-producer", Some("orders"), record(Acks::All)).wait(1_000);
    steps.crash("broker-3");
    steps.wait_until(condition("isr-size(orders-0) == 2"), MINUTE_MS);
    // One record that only broker 1 has, in the first epoch.
    steps.partition(&["broker-1"], &["broker-2"]);
    send(&mut steps);
    steps.crash("broker-1").heal();
    // Another one at the same offset that only broker 2 has, in the next epoch.
    steps.wait_until(condition("leader(orders-0) == broker-2"), MINUTE_MS);
    send(&mut steps);
    steps.crash("broker-2").wait(12_000);
    // Broker 1 leads again, and has never heard of that epoch.
    steps.restart("broker-1");
    steps.wait_until(condition("leader(orders-0) == broker-1"), MINUTE_MS);
    send(&mut steps);
    steps.restart("broker-2").wait(20_000);
    send(&mut steps);
    let unclean = ("unclean.leader.election.enable", "true");
    let once = play(1, &[("era.truncation", "kip101"), unclean], &steps);
    assert!(broken(&once).contains("R14"), "{:#?}", once.violations);
    for era in ["kip279", "fetch"] {
        let again = play(1, &[("era.truncation", era), unclean], &steps);
        assert_eq!(broken(&again), BTreeSet::new(), "{:#?}", again.violations);
    }
}

#[test]
fn b18_an_old_leader_that_wakes_up_changes_the_isr_of_its_successor() {
    let mut steps = scenario("zombie");
    steps.produce("order-producer", Some("orders"), record(Acks::All)).wait(1_000);
    steps.pause("broker-1");
    steps.wait_until(condition("leader(orders-0) == broker-2"), MINUTE_MS);
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.resume("broker-1").wait(20_000);
    steps.expect(condition("no-acknowledged-record-lost"));
    let era = [
        ("era.isr-fencing", "false"),
        ("era.isr-admission", "anyone"),
        ("replica.lag.time.max.ms", "4000"),
    ];
    let taken = play(1, &era, &steps);
    assert!(
        broken(&taken).is_superset(&BTreeSet::from(["R17", "R22"])),
        "{:#?}",
        taken.violations
    );
    assert_right(&play(1, &era[1..], &steps));
}

#[test]
fn a_high_watermark_that_does_not_wait_for_enough_replicas() {
    let mut steps = scenario("strict-min-isr");
    steps.crash("broker-2").crash("broker-3");
    steps.wait_until(condition("isr-size(orders-0) == 1"), MINUTE_MS);
    steps.produce("order-producer", Some("orders"), record(Acks::Leader));
    steps.expect(condition("no-acknowledged-record-lost"));
    let early = play(2, &[("era.strict-min-isr", "false")], &steps);
    assert_eq!(broken(&early), BTreeSet::from(["R11"]), "{:#?}", early.violations);
    assert_right(&play(2, &[], &steps));
}

/// Three voters, and who of them leads the quorum when a story begins.
fn active(settings: Settings<'_>) -> String {
    let mut steps = scenario("calm");
    steps.wait(10);
    let judged = quorum(settings, &steps);
    let events = judged.outcome.trace.events.iter();
    let leader = events.rev().find_map(|event| match &event.what {
        What::State(StateChange::Registration { controller, .. }) => Some(controller),
        _ => None,
    });
    leader.expect("somebody committed the topics").to_string()
}

fn quorum(settings: Settings<'_>, steps: &ScenarioBuilder) -> Judged {
    let mut builder = production::three_voters();
    builder.kafka(cluster(1, settings)).scenario(steps.clone());
    let (topology, _) = builder.build().expect("no mistakes");
    let binding = bind(&topology).expect("binds");
    let options = RunOptions::default();
    topomotion_verify::run(&binding, &topology.scenarios[0], &options).expect("runs")
}

const VOTERS: [&str; 3] = ["controller", "controller-2", "controller-3"];
const BROKERS: [&str; 3] = ["broker-1", "broker-2", "broker-3"];

fn others<'a>(node: &str, all: &[&'a str]) -> Vec<&'a str> {
    all.iter().copied().filter(|other| *other != node).collect()
}

#[test]
fn c5_a_quorum_leader_cut_off_goes_on_leading_where_nobody_makes_it_step_down() {
    let mut steps = scenario("cut-off");
    let leader = active(&[]);
    let rest = [others(&leader, &VOTERS), BROKERS.to_vec()].concat();
    steps.partition(&[&*leader], &rest).wait(12_000);
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.heal().wait(5_000);
    steps.expect(condition("no-acknowledged-record-lost"));
    let stubborn = quorum(&[("era.check-quorum", "false")], &steps);
    assert_eq!(broken(&stubborn), BTreeSet::from(["K12"]), "{:#?}", stubborn.violations);
    assert_right(&quorum(&[], &steps));
}

#[test]
fn c6_a_voter_that_was_cut_off_deposes_a_healthy_leader() {
    let mut steps = scenario("disruptive");
    let leader = active(&[]);
    let lonely = others(&leader, &VOTERS)[0];
    let rest = [others(lonely, &VOTERS), BROKERS.to_vec()].concat();
    steps.wait(8_000).partition(&[lonely], &rest).wait(15_000);
    steps.heal().wait(10_000);
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.expect(condition("no-acknowledged-record-lost"));
    let disruptive = quorum(&[("era.pre-vote", "false")], &steps);
    assert_eq!(
        broken(&disruptive),
        BTreeSet::from(["K14"]),
        "{:#?}",
        disruptive.violations
    );
    assert_right(&quorum(&[], &steps));
}

/// Waits for a minute at most.
fn wait(steps: &mut ScenarioBuilder, text: &str) {
    steps.wait_until(condition(text), MINUTE_MS);
}

#[test]
fn b12_the_last_replica_standing_loses_its_power() {
    let mut steps = scenario("last-standing");
    steps.shutdown("broker-3");
    wait(&mut steps, "isr-size(orders-0) == 2");
    let sends = ProduceConfig { count: 3, ..record(Acks::All) };
    steps.produce("order-producer", Some("orders"), sends);
    steps.shutdown("broker-2");
    wait(&mut steps, "isr-size(orders-0) == 1");
    steps.fault("power-loss broker-1").wait(2_000).restart("broker-1").wait(15_000);
    steps.restart("broker-2").restart("broker-3").wait(15_000);
    steps.expect(condition("no-acknowledged-record-lost"));
    assert!(!kept(&play(2, &[("era.elr", "false")], &steps)));
    assert_right(&play(2, &[("era.elr", "true")], &steps));
}

#[test]
fn b19_a_replica_that_was_wiped_comes_into_the_isr_in_the_name_of_its_predecessor() {
    let mut steps = scenario("kip-903");
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.crash("broker-3");
    wait(&mut steps, "isr-size(orders-0) == 2");
    steps.wait(1_000).fault("clog broker-3 > broker-1");
    steps.restart("broker-3").wait(4_000);
    // It is not heard of any more, catches up all the same, and its leader asks for it; the
    // question is long under way.
    steps.fault("detain broker-3 > controller").wait(3_300);
    steps.fault("clog broker-1 > controller").fault("unclog broker-3 > broker-1");
    steps.wait(300).fault("clog broker-3 > broker-1").wait(300);
    steps.fault("lose-disk broker-3");
    steps.wait(5_300).restart("broker-3").wait(1_200);
    steps.fault("unclog broker-1 > controller").wait(1_000);
    steps.crash("broker-1").crash("broker-2");
    steps.wait(15_000);
    steps.expect(condition("no-acknowledged-record-lost"));
    let often = ("broker.heartbeat.interval.ms", "500");
    let wiped = play(1, &[("era.isr-admission", "active"), often], &steps);
    assert!(broken(&wiped).contains("R16"), "{:#?}", wiped.violations);
    assert!(!kept(&wiped));
    assert_right(&play(1, &[often], &steps));
}
