//! Stories of family G about services and their operators, each against its golden file.

#[allow(dead_code)]
mod common;

use common::pictures::{cities, pipeline};
use common::{assert_passed, assert_story, built_in, production};
use topomotion_model::builder::{EdgeConfig, ProcessConfig};
use topomotion_model::{ProcessRole, Topology};
use topomotion_sim::{RunOptions, bind};

#[test]
fn g7_every_group_reads_everything_and_nobody_waits_for_another() {
    assert_story(&production::topology(), "g7", "order-fan-out");
}

#[test]
fn g8_a_burst_lies_in_the_topic_until_somebody_has_time() {
    assert_story(&production::topology(), "g8", "burst");
}

#[test]
fn g9_three_payments_in_a_window_raise_an_alert() {
    assert_story(&production::topology(), "g9", "fraud-alert");
}

#[test]
fn g11_every_task_is_two_rebalances() {
    assert_story(&production::topology(), "g11", "task-worker");
}

#[test]
fn g12_a_header_goes_through_four_services() {
    assert_story(&production::topology(), "g12", "correlation-id");
}

#[test]
fn g14_metrics_are_read_during_a_failover() {
    assert_story(&production::topology(), "g14", "metrics");
}

#[test]
fn g15_a_row_and_its_event_count_together() {
    assert_story(&pipeline(), "g15", "outbox");
}

#[test]
fn g16_who_is_asked_to_stop_ends_what_it_began() {
    assert_story(&production::topology(), "g16", "sigterm-or-kill");
}

/// The production picture with a kubelet that asks both members of a group.
fn kubernetes() -> Topology {
    let mut builder = production::builder();
    let role = Some(ProcessRole::Service);
    builder.create_process(ProcessConfig { role, ..ProcessConfig::new("kubelet") });
    for member in ["flink-1", "flink-2"] {
        let protocol = Some("http".to_owned());
        builder.connect(EdgeConfig { protocol, ..EdgeConfig::new("kubelet", member) });
    }
    builder.build().expect("no mistakes").0
}

#[test]
fn g17_who_waits_for_a_rebalance_is_alive_and_not_ready() {
    assert_story(&kubernetes(), "g17", "health-and-ready");
    let binding = bind(&kubernetes()).expect("binds");
    let told = "`kubelet` asks `flink-1` and `flink-2` over HTTP, where told to.";
    let said: Vec<&String> =
        binding.explain().iter().filter(|it| it.starts_with("`kubelet`")).collect();
    assert_eq!(said.last().map(|it| it.as_str()), Some(told));
    assert!(!said.iter().any(|it| it.contains("takes no part")), "{said:?}");
}

#[test]
fn they_are_told_of_any_cluster_or_say_what_it_lacks() {
    let binding = bind(&cities()).expect("binds");
    for id in ["burst", "fraud-alert", "metrics"] {
        assert_passed(&built_in(&binding, id, &RunOptions::default()));
    }
    for (id, lack) in [
        ("order-fan-out", "It needs a second group of parcels, of one consumer."),
        ("correlation-id", "It needs three consumers"),
        ("outbox", "It needs a Connect worker"),
        ("health-and-ready", "It needs a group of 2 consumers of parcels"),
    ] {
        let story = topomotion_sim::builtin(&binding, id).expect("is built in");
        let told = story.fit.expect_err("does not fit");
        assert!(told.starts_with(lack), "{told}");
    }
}
