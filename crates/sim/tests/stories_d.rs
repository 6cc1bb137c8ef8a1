//! D: numbered records and transactions.

#[allow(dead_code)]
mod common;

use common::pictures::small;
use common::{assert_story, production};

#[test]
fn d1_without_numbers_a_lost_answer_makes_a_duplicate() {
    assert_story(&production::topology(), "d1", "duplicate");
}

#[test]
fn d2_a_batch_that_comes_twice_is_known_again() {
    assert_story(&production::topology(), "d2", "idempotent-producer");
}

#[test]
fn d3_those_behind_a_refused_batch_are_refused_too() {
    assert_story(&small(3, 3), "d3", "five-in-flight");
}

#[test]
fn d3_without_numbers_the_refused_batch_stands_last() {
    assert_story(&small(3, 3), "d3", "five-in-flight-reordered");
}

#[test]
fn d4_a_batch_that_was_given_up_raises_the_epoch() {
    assert_story(&small(3, 3), "d4", "epoch-bump");
}

#[test]
fn d5_what_is_read_and_what_is_written_count_together() {
    assert_story(&production::topology(), "d5", "exactly-once");
}

#[test]
fn d6_what_was_aborted_is_in_the_log_and_never_seen() {
    assert_story(&production::topology(), "d6", "transaction-abort");
}

#[test]
fn d7_an_open_transaction_blocks_readers() {
    assert_story(&production::topology(), "d7", "open-transaction");
}

#[test]
fn d8_a_zombie_is_fenced_by_its_successor() {
    assert_story(&production::topology(), "d8", "zombie-fenced");
}

#[test]
fn d9_the_next_coordinator_finishes_what_was_prepared() {
    assert_story(&production::topology(), "d9", "coordinator-dies");
}

#[test]
fn d10_a_transaction_that_nobody_ends_is_aborted() {
    assert_story(&production::topology(), "d10", "transaction-timeout");
}

#[test]
fn d13_readers_of_committed_records_are_given_no_others() {
    assert_story(&production::topology(), "d13", "read-committed");
}

#[test]
fn d14_every_partition_gets_its_marker() {
    assert_story(&production::topology(), "d14", "all-or-nothing");
}

#[test]
fn d11_what_arrives_after_the_end_is_refused() {
    assert_story(&production::topology(), "d11", "late-record");
}

#[test]
fn d12_an_old_end_ends_nothing() {
    assert_story(&production::topology(), "d12", "late-end");
}

#[test]
fn d11_before_kip_890_a_late_record_hangs_for_ever() {
    assert_story(&production::topology(), "d11", "hanging-transaction");
}

#[test]
fn d12_before_kip_890_an_old_end_ends_the_next_transaction() {
    assert_story(&production::topology(), "d12", "half-committed");
}
