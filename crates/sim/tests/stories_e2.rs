//! Stories of groups: their coordinators, who shares what, offsets and commits.

#[allow(dead_code)]
mod common;

use common::{assert_passed, assert_story, built_in, pictures, production};
use topomotion_sim::{RunOptions, bind};

#[test]
fn e11_a_new_member_and_nobody_stops() {
    assert_story(&production::topology(), "e11", "server-side-rebalance");
}

#[test]
fn e12_a_new_coordinator_knows_the_group() {
    assert_story(&production::topology(), "e12", "coordinator-failover");
}

#[test]
fn e12_an_office_moves_with_its_log() {
    assert_story(&production::topology(), "e12", "coordinator-moves");
}

#[test]
fn a10_a_consumer_polls() {
    assert_story(&production::topology(), "a10", "poll-loop");
}

#[test]
fn e18_what_is_written_before_a_commit_is_written_twice() {
    assert_story(&production::topology(), "e18", "write-then-commit");
}

#[test]
fn e18_in_one_transaction_it_counts_once() {
    assert_story(&production::topology(), "e18", "write-and-commit");
}

#[test]
fn e18_what_is_committed_before_the_work_is_lost() {
    assert_story(&production::topology(), "e18", "commit-first");
}

#[test]
fn e18_one_commit_for_each_record() {
    assert_story(&production::topology(), "e18", "commit-per-record");
}

#[test]
fn e18_a_commit_that_nobody_repeats() {
    assert_story(&production::topology(), "e18", "commit-async");
}

#[test]
fn a11_whoever_joins_takes_some() {
    assert_story(&production::topology(), "a11", "consumers-and-partitions");
}

#[test]
fn a11_a_member_too_many_is_a_spare() {
    let crowd = pictures::crowd(3, pictures::topic("orders", 2, 3));
    let binding = bind(&crowd).expect("binds");
    let judged = built_in(&binding, "consumers-and-partitions", &RunOptions::default());
    assert_passed(&judged);
    let demanded =
        |text: &str| judged.outcome.verdicts.iter().any(|verdict| verdict.demand == text);
    assert!(demanded("owned(mail-consumer-3) == 0"));
}

#[test]
fn a11b_two_groups_each_read_everything() {
    assert_story(&production::topology(), "a11b", "two-groups");
}

#[test]
fn e13_a_zombie_is_no_member_any_more() {
    assert_story(&production::topology(), "e13", "zombie-commit");
}

#[test]
fn e13_a_commit_belongs_to_its_generation() {
    assert_story(&production::topology(), "e13", "late-commit");
}

#[test]
fn e14_a_group_learns_of_new_partitions() {
    assert_story(&production::topology(), "e14", "partitions-added");
}

#[test]
fn e15_a_groups_name_says_who_coordinates_it() {
    assert_story(&production::topology(), "e15", "find-coordinator");
}

#[test]
fn e16_a_reader_whose_offset_is_gone_starts_where_it_was_told_to() {
    for id in ["out-of-range", "out-of-range-latest", "out-of-range-none"] {
        assert_story(&production::topology(), "e16", id);
    }
}

#[test]
fn e17_lag_is_what_is_not_committed() {
    assert_story(&production::topology(), "e17", "consumer-lag");
}

#[test]
fn e17_a_group_without_members_is_empty_and_then_dead() {
    assert_story(&production::topology(), "e17", "group-states");
}
