//! Stories on the production picture: what happens, and what must hold of it.

#[allow(dead_code)]
mod common;

use common::{
    MINUTE_MS, assert_passed, assert_story, built_in, condition, orders, play,
    production, record, scenario,
};
use topomotion_model::Acks;
use topomotion_sim::{Ending, RunFile, RunOptions, bind, builtin_scenarios};
use topomotion_trace::{StateChange, What};
use topomotion_verify::Judged;

/// Why the one expectation that must fail does.
fn failure(judged: &Judged) -> &str {
    let failures: Vec<&str> =
        judged.outcome.verdicts.iter().filter_map(|one| one.failure.as_deref()).collect();
    let [failure] = failures[..] else { panic!("exactly one fails: {failures:?}") };
    failure
}

fn count(judged: &Judged, wanted: impl Fn(&StateChange) -> bool) -> usize {
    let events = judged.outcome.trace.events.iter();
    let begun = events.skip_while(|event| event.what != What::Curtain);
    begun
        .filter(|event| matches!(&event.what, What::State(change) if wanted(change)))
        .count()
}

/// How often a producer was told that a batch is safe.
fn acknowledged(judged: &Judged) -> usize {
    count(judged, |change| matches!(change, StateChange::BatchAcked { .. }))
}

/// How often the controller changed who leads partition 0.
fn registrations(judged: &Judged) -> usize {
    count(
        judged,
        |change| matches!(change, StateChange::Registration { partition, .. } if &**partition == "orders-0"),
    )
}

#[test]
fn a5_acks_all_waits_for_every_in_sync_replica() {
    assert_story(&production::topology(), "a5", "acks-all");
}

#[test]
fn b5_a_follower_takes_over_when_the_leader_dies() {
    assert_story(&production::topology(), "b5", "leader-election");
}

#[test]
fn the_same_run_file_gives_the_same_outcome_and_another_seed_another() {
    let binding = bind(&production::topology()).expect("binds");
    for scenario in builtin_scenarios(&binding) {
        let file =
            RunFile::new(&binding, &scenario, &RunOptions::default()).expect("runs");
        let read = RunFile::from_json(&file.to_json()).expect("what was written is read");
        assert_eq!(file, read);
        let first = topomotion_verify::replay(&file);
        assert_eq!(first, topomotion_verify::replay(&read));
        let other = RunFile { seed: file.seed + 1, ..file };
        let other = topomotion_verify::replay(&other);
        assert_passed(&other);
        assert_ne!(first.outcome.digest, other.outcome.digest);
    }
}

#[test]
fn many_seeds_keep_every_promise() {
    let binding = bind(&production::topology()).expect("binds");
    for seed in 1..=8 {
        let options = RunOptions { seed: Some(seed), ..RunOptions::default() };
        assert_passed(&built_in(&binding, "leader-election", &options));
    }
}

#[test]
fn a_pause_shorter_than_the_session_changes_no_leader() {
    let mut steps = scenario("short-pause");
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.pause("broker-1").wait(4_000).resume("broker-1");
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.expect(condition("leader(orders-0) == broker-1"));
    steps.expect(condition("high-watermark(orders-0) == 2"));
    steps.expect(condition("no-acknowledged-record-lost"));
    let judged = play(None, steps);
    assert_passed(&judged);
    assert_eq!(registrations(&judged), 0);
}

#[test]
fn a_pause_longer_than_the_session_costs_the_leadership_and_no_record() {
    let mut steps = scenario("long-pause");
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.pause("broker-1");
    steps.wait_until(condition("leader(orders-0) == broker-2"), MINUTE_MS);
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.resume("broker-1");
    steps.wait_until(condition("isr-size(orders-0) == 3"), MINUTE_MS);
    steps.expect(condition("leader(orders-0) == broker-2"));
    steps.expect(condition("no-acknowledged-record-lost"));
    assert_passed(&play(None, steps));
}

#[test]
fn a_leader_cut_off_from_the_controller_is_replaced_and_follows_after_healing() {
    let mut steps = scenario("zombie");
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.partition(&["broker-1"], &["controller"]);
    steps.wait_until(condition("leader(orders-0) == broker-2"), MINUTE_MS);
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.heal();
    steps.wait_until(condition("isr-size(orders-0) == 3"), MINUTE_MS);
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.expect(condition("high-watermark(orders-0) == 3"));
    steps.expect(condition("no-acknowledged-record-lost"));
    assert_passed(&play(Some(orders(2)), steps));
}

#[test]
fn b14_an_acks_1_record_that_nobody_fetched_dies_with_its_leader() {
    let mut steps = scenario("acks-1");
    steps.partition(&["broker-1"], &["broker-2", "broker-3"]);
    steps.produce("order-producer", Some("orders"), record(Acks::Leader));
    steps.crash("broker-1");
    steps.wait_until(condition("leader(orders-0) == broker-2"), MINUTE_MS);
    steps.expect(condition("no-acknowledged-record-lost"));
    let judged = play(None, steps);
    assert_eq!(
        failure(&judged),
        "orders-0 offset 0, acknowledged to order-producer with acks=1, is not in the log of \
         broker-2"
    );
    assert!(
        judged.violations.is_empty(),
        "the hole is Kafka's own: {:?}",
        judged.violations
    );
}

#[test]
fn b14_the_same_record_with_acks_all_is_not_acknowledged_before_it_is_safe() {
    let mut steps = scenario("acks-all");
    steps.partition(&["broker-1"], &["broker-2", "broker-3"]);
    steps.partition(&["broker-1"], &["controller"]);
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.expect(condition("leader(orders-0) == broker-2"));
    steps.expect(condition("no-acknowledged-record-lost"));
    let judged = play(None, steps);
    assert_passed(&judged);
    assert_eq!(acknowledged(&judged), 1);
}

#[test]
fn b9_below_min_isr_acks_all_is_refused_and_nothing_is_appended() {
    let mut steps = scenario("min-isr");
    steps.crash("broker-2").crash("broker-3");
    steps.wait_until(condition("isr-size(orders-0) == 1"), MINUTE_MS);
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.expect(condition("log-end(orders-0) == 0"));
    steps.restart("broker-2");
    steps.wait_until(condition("isr-size(orders-0) == 2"), MINUTE_MS);
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.expect(condition("high-watermark(orders-0) == 1"));
    let judged = play(Some(orders(2)), steps);
    assert_passed(&judged);
    let refused = |change: &StateChange| matches!(change, StateChange::BatchFailed { error, .. } if error.starts_with("NOT_ENOUGH_REPLICAS"));
    assert_eq!((count(&judged, refused), acknowledged(&judged)), (1, 1));
}

#[test]
fn a_follower_that_crashes_and_returns_catches_up_and_rejoins_the_isr() {
    let mut steps = scenario("follower-returns");
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.crash("broker-3");
    steps.wait_until(condition("isr(orders-0) == {broker-1, broker-2}"), MINUTE_MS);
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.restart("broker-3");
    steps.wait_until(condition("isr-size(orders-0) == 3"), MINUTE_MS);
    steps.crash("broker-1").crash("broker-2");
    steps.wait_until(condition("leader(orders-0) == broker-3"), MINUTE_MS);
    steps.expect(condition("log-end(orders-0) == 2"));
    steps.expect(condition("no-acknowledged-record-lost"));
    assert_passed(&play(None, steps));
}

#[test]
fn three_voters_survive_the_loss_of_the_active_controller() {
    let (topology, _) = production::three_voters().build().expect("no mistakes");
    let binding = bind(&topology).expect("binds");
    let probe = built_in(&binding, "acks-all", &RunOptions::default());
    let active =
        probe.outcome.trace.events.iter().rev().find_map(|event| match &event.what {
            What::State(StateChange::Registration { controller, .. }) => {
                Some(controller.clone())
            }
            _ => None,
        });
    let mut steps = scenario("controller-crash");
    steps.crash(&active.expect("somebody committed the topics"));
    steps.wait(5_000);
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.crash("broker-1");
    steps.wait_until(condition("leader(orders-0) == broker-2"), MINUTE_MS);
    steps.produce("order-producer", Some("orders"), record(Acks::All));
    steps.expect(condition("no-acknowledged-record-lost"));
    let mut builder = production::three_voters();
    builder.scenario(steps);
    let (topology, _) = builder.build().expect("no mistakes");
    let binding = bind(&topology).expect("binds");
    let judged =
        topomotion_verify::run(&binding, &topology.scenarios[0], &RunOptions::default());
    assert_passed(&judged.expect("can be run"));
}

#[test]
fn a_wait_for_what_never_comes_fails_with_what_is_instead() {
    let mut steps = scenario("never");
    steps.wait_until(condition("leader(orders-0) == broker-3"), 2_000);
    let judged = play(None, steps);
    assert_eq!(failure(&judged), "not so within 2000 ms; broker-1 leads orders-0");
    assert_eq!(judged.outcome.ending, Ending::Quiet);
}

#[test]
fn a_story_may_end_in_the_middle_of_trouble() {
    let mut paused = scenario("paused");
    paused.produce("order-producer", Some("orders"), record(Acks::All)).pause("broker-1");
    let mut cut = scenario("cut");
    cut.partition(&["broker-1"], &["broker-2", "broker-3", "controller"]);
    let mut dark = scenario("dark");
    dark.crash("controller").crash("broker-1").crash("broker-2").crash("broker-3");
    for trouble in [paused, cut, dark] {
        let judged = play(None, trouble);
        assert_passed(&judged);
        let last = judged.outcome.trace.events.last().map(|event| event.at.0);
        assert!(last < Some(90_000_000), "it came to rest by itself: {last:?}");
    }
}

#[test]
fn no_script_can_hang_a_run() {
    let mut steps = scenario("for-ever");
    steps.wait(u64::MAX);
    let topology = production::with(None, steps).expect("no mistakes");
    let binding = bind(&topology).expect("binds");
    let mut options = RunOptions::default();
    options.limits.story_ms = 5_000;
    let judged = topomotion_verify::run(&binding, &topology.scenarios[0], &options);
    let ending = judged.expect("can be run").outcome.ending;
    let words = "the limit of engine time was reached in step 0".to_owned();
    assert_eq!(ending, Ending::Limit(words));
}
