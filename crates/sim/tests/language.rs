//! What a run can be told: faults, shutdowns, admin's requests, clients, settings, aliases.

#[allow(dead_code)]
mod common;

use common::{MINUTE_MS, assert_passed, condition, production, record, scenario};
use topomotion_model::builder::{ProduceConfig, ScenarioBuilder};
use topomotion_model::{Acks, Awaits, Play, Topology};
use topomotion_sim::{RunFile, RunOptions, bind};
use topomotion_trace::What;
use topomotion_verify::Judged;

/// Plays on three controllers and five brokers; `orders-0` is on brokers 1, 2 and 3.
fn play(steps: ScenarioBuilder) -> Judged {
    let topology = with(steps);
    let binding = bind(&topology).unwrap_or_else(|errors| panic!("{errors:#?}"));
    let options = RunOptions::default();
    let file = RunFile::new(&binding, &topology.scenarios[0], &options).expect("runs");
    let read = RunFile::from_json(&file.to_json()).expect("what was written is read");
    assert_eq!(file, read);
    topomotion_verify::replay(&file)
}

fn with(steps: ScenarioBuilder) -> Topology {
    let mut topology = production::quorum_of_three(5, 2);
    let built = {
        let mut builder = topomotion_model::TopologyBuilder::default();
        for process in &topology.processes {
            let id = process.id.as_str();
            builder.create_process(topomotion_model::builder::ProcessConfig::new(id));
        }
        builder.scenario(steps);
        builder.build().unwrap_or_else(|errors| panic!("{errors:#?}")).0
    };
    topology.scenarios = built.scenarios;
    assert!(matches!(topology.scenarios[0].play, Play::Run(_)));
    topology
}

fn unawaited(acks: Acks) -> ProduceConfig {
    ProduceConfig { awaits: Awaits::Nothing, ..record(acks) }
}

#[test]
fn a_way_that_is_cut_by_a_fault_shrinks_the_isr_and_a_heal_mends_it() {
    let mut steps = scenario("one-way");
    steps.setting("replica.lag.time.max.ms", "5000");
    steps.fault("cut broker-3 > broker-1");
    steps.produce("order-producer", Some("orders"), unawaited(Acks::All));
    steps.wait_until(condition("isr(orders-0) == {broker-1, broker-2}"), MINUTE_MS);
    steps.heal();
    steps.wait_until(condition("isr-size(orders-0) == 3"), MINUTE_MS);
    assert_passed(&play(steps));
}

#[test]
fn captions_show_numbers_that_conditions_know() {
    let mut steps = scenario("gauges");
    steps.client("order-producer", "header correlation-id=req-7");
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.client("order-producer", "tombstone orders-0 user1");
    steps.wait_until(condition("high-watermark(orders-0) == 2"), MINUTE_MS);
    steps.expect(condition("under-replicated == 0"));
    steps
        .say("offline {offline}, end {log-end(orders-0)}, {nothing} and {isr(orders-0)}");
    let judged = play(steps);
    assert_passed(&judged);
    let said = judged.outcome.trace.events.iter().find_map(|event| match &event.what {
        What::Say { text, .. } => Some(text.as_str()),
        _ => None,
    });
    assert_eq!(said, Some("offline 0, end 2, {nothing} and {isr(orders-0)}"));
}

#[test]
fn a_broker_shut_down_in_good_order_gives_its_leadership_away_and_returns() {
    let mut steps = scenario("shutdown");
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.shutdown("@leader(orders-0)");
    steps.expect(condition("leader(orders-0) != @last"));
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.restart("@last");
    steps.wait_until(condition("isr-size(orders-0) == 3"), MINUTE_MS);
    steps.expect(condition("unfenced(broker-1)"));
    steps.expect(condition("no-acknowledged-record-lost"));
    assert_passed(&play(steps));
}

#[test]
fn the_active_controller_crashes_and_another_takes_over() {
    let mut steps = scenario("controller");
    steps.crash("@controller");
    steps.wait_until(condition("controller != none"), MINUTE_MS);
    steps.expect(condition("controller != @last"));
    steps.expect(condition("quorum-epoch >= 2"));
    steps.expect(condition("voters == {controller-1, controller-2, controller-3}"));
    assert_passed(&play(steps));
}

#[test]
fn the_active_controller_resigns_and_names_a_successor() {
    let mut steps = scenario("resign");
    steps.shutdown("@controller");
    steps.expect(condition("controller != none"));
    steps.expect(condition("controller != @last"));
    assert_passed(&play(steps));
}

#[test]
fn the_admin_creates_grows_moves_and_deletes() {
    let mut steps = scenario("admin");
    steps.admin("create-topic audit partitions=3 replicas=3 min.insync.replicas=1");
    steps.wait_until(condition("partitions(audit) == 3"), MINUTE_MS);
    steps.admin("grow orders to 4");
    steps.wait_until(condition("partitions(orders) == 4"), MINUTE_MS);
    steps.admin("reassign orders-0 to broker-3,broker-4,broker-5");
    steps.wait_until(
        condition("replicas(orders-0) == {broker-3, broker-4, broker-5}"),
        MINUTE_MS,
    );
    steps.wait_until(condition("isr-size(orders-0) == 3"), MINUTE_MS);
    steps.admin("describe-quorum");
    steps.admin("set topic orders min.insync.replicas=1");
    steps.admin("delete-topic audit");
    steps.wait_until(condition("partitions(audit) == 0"), MINUTE_MS);
    assert_passed(&play(steps));
}

#[test]
fn the_admin_is_told_what_cannot_be() {
    let mut steps = scenario("refused");
    steps.admin("create-topic audit partitions=1 replicas=9");
    steps.expect(condition("told(order-producer, INVALID_REPLICATION_FACTOR)"));
    steps.expect(condition("partitions(audit) == 0"));
    assert_passed(&play(steps));
}

#[test]
fn the_preferred_leader_is_elected_when_the_admin_asks_for_it() {
    let mut steps = scenario("preferred");
    steps.setting("auto.leader.rebalance.enable", "false");
    steps.crash("broker-1");
    steps.wait_until(condition("leader(orders-0) == broker-2"), MINUTE_MS);
    steps.restart("broker-1");
    steps.wait_until(condition("isr-size(orders-0) == 3"), MINUTE_MS);
    steps.admin("elect preferred orders-0");
    steps.wait_until(condition("leader(orders-0) == broker-1"), MINUTE_MS);
    assert_passed(&play(steps));
}

#[test]
fn a_reader_that_seeks_to_the_beginning_reads_again() {
    let mut steps = scenario("replay");
    let three = ProduceConfig { count: 3, ..record(Acks::All) };
    steps.produce("order-producer", Some("orders"), three);
    steps.wait_until(condition("position(order-reader, orders-0) == 3"), MINUTE_MS);
    steps.expect(condition("records-read(order-reader) == 3"));
    steps.client("order-reader", "seek orders-0 to earliest");
    steps.wait_until(condition("records-read(order-reader) == 6"), MINUTE_MS);
    steps.client("order-reader", "seek orders-0 to 2");
    steps.wait_until(condition("records-read(order-reader) == 7"), MINUTE_MS);
    assert_passed(&play(steps));
}

#[test]
fn a_producer_below_the_min_isr_is_told_so_while_the_story_goes_on() {
    let mut steps = scenario("below");
    steps.crash("broker-2").crash("broker-3");
    steps.wait_until(condition("isr-size(orders-0) == 1"), MINUTE_MS);
    steps.produce("order-producer", Some("orders"), unawaited(Acks::All));
    steps.wait_until(condition("told(order-producer, NOT_ENOUGH_REPLICAS)"), MINUTE_MS);
    steps.expect(condition("log-end(orders-0, broker-1) == 0"));
    steps.expect(condition("fenced(broker-2)"));
    assert_passed(&play(steps));
}

#[test]
fn an_expected_violation_does_not_fail_the_run() {
    let mut steps = scenario("hole");
    steps.partition(&["broker-1"], &["broker-2", "broker-3"]);
    steps.produce("order-producer", Some("orders"), record(Acks::Leader));
    steps.expect(condition("!violation(J3)"));
    steps.crash("broker-1");
    steps.wait_until(condition("leader(orders-0) == broker-2"), MINUTE_MS);
    steps.expect(condition("violation(J3)"));
    assert_passed(&play(steps));
}

/// Writes one step.
type Write = fn(&mut ScenarioBuilder);

#[test]
fn what_a_step_cannot_mean_is_told_with_what_is_near() {
    let cases: [(Write, &str); 7] = [
        (
            |steps| {
                steps.fault("crsh broker-1");
            },
            "there is no fault `crsh`: did you mean `crash`?",
        ),
        (
            |steps| {
                steps.fault("crash brokr-1");
            },
            "nobody is called `brokr-1`: did you mean `broker-1`?",
        ),
        (
            |steps| {
                steps.admin("grwo orders to 6");
            },
            "`grwo` is not known: did you mean `grow`?",
        ),
        (
            |steps| {
                steps.admin("grow ordres to 6");
            },
            "no topic has the name `ordres`",
        ),
        (
            |steps| {
                steps.client("order-producer", "seek orders-0 to 1");
            },
            "`order-producer` is no consumer",
        ),
        (
            |steps| {
                steps.setting("broker.session.timeout.ms", "soon");
            },
            "`soon` is no value for `broker.session.timeout.ms`",
        ),
        (
            |steps| {
                steps.expect(condition("told(order-producer, NOT_ENOUGH_REPLICA)"));
            },
            "Kafka has no error called `NOT_ENOUGH_REPLICA`",
        ),
    ];
    for (step, message) in cases {
        let mut steps = scenario("wrong");
        step(&mut steps);
        let errors = bind(&with(steps)).expect_err(message);
        assert_eq!(errors[0].message, message);
    }
}
