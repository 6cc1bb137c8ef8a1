//! Stories of family G, applications on Kafka: dead letters, Connect, streams.

#[allow(dead_code)]
mod common;

use common::pictures::pipeline;
use common::{assert_story, production};
use topomotion_model::Topology;
use topomotion_sim::bind;

fn production() -> Topology {
    production::builder().build().expect("no mistakes").0
}

#[test]
fn g1_a_record_that_nobody_can_work_on_blocks_its_partition() {
    assert_story(&production(), "g1", "poison-message");
}

#[test]
fn g1_a_dead_letter_lets_the_partition_go_on_and_is_replayed() {
    assert_story(&production(), "g1", "dead-letter-queue");
}

#[test]
fn g1_a_record_waits_for_its_next_try_in_another_topic() {
    assert_story(&production(), "g1", "retry-topic");
}

#[test]
fn g4_a_databases_changes_become_records() {
    assert_story(&pipeline(), "g4", "change-data-capture");
}

#[test]
fn g4_a_task_moves_and_repeats_what_was_not_stored() {
    assert_story(&pipeline(), "g4", "connect-failover");
}

#[test]
fn g5_a_sink_that_adds_has_twice_what_was_not_committed() {
    assert_story(&pipeline(), "g5", "sink-duplicates");
}

#[test]
fn g5_a_sink_that_upserts_has_it_once() {
    assert_story(&pipeline(), "g5", "idempotent-sink");
}

#[test]
fn g6_a_store_comes_back_from_its_changelog() {
    assert_story(&production(), "g6", "stream-count");
}

#[test]
fn g6_at_least_once_counts_twice_after_a_crash() {
    assert_story(&production(), "g6", "stream-at-least-once");
}

#[test]
fn g6_exactly_once_counts_once_after_a_crash() {
    assert_story(&production(), "g6", "stream-exactly-once");
}

#[test]
fn g6_every_window_has_a_count_of_its_own() {
    assert_story(&production(), "g6", "tumbling-window");
}

#[test]
fn a_picture_without_a_database_is_told_what_it_lacks() {
    let binding = bind(&production()).expect("binds");
    let story = topomotion_sim::builtin(&binding, "change-data-capture");
    let lack = story.expect("is built in").fit.expect_err("does not fit");
    assert!(lack.starts_with("It needs a Connect worker"), "{lack}");
    let told = bind(&pipeline()).expect("binds");
    let told: Vec<&String> =
        told.explain().iter().filter(|it| it.starts_with("`postgres`")).collect();
    assert_eq!(told, ["`postgres` keeps rows, and a log that is followed."]);
}
