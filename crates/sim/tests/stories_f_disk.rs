//! Stories of family F about what a log keeps, each against its golden file.

#[allow(dead_code)]
mod common;

use common::pictures::cities;
use common::{assert_passed, assert_story, built_in, production};
use topomotion_sim::{RunOptions, bind};

#[test]
fn f3_whole_segments_go_when_there_is_too_much() {
    assert_story(&production::topology(), "f3", "retention-size");
}

#[test]
fn f3_a_segment_is_as_old_as_its_newest_record() {
    assert_story(&production::topology(), "f3", "retention-time");
}

#[test]
fn f4_of_every_key_the_latest_value_stays() {
    assert_story(&production::topology(), "f4", "compaction");
}

#[test]
fn f6_nobody_opens_a_batch_unless_the_topic_wants_it() {
    assert_story(&production::topology(), "f6", "zero-copy");
}

#[test]
fn they_are_told_of_any_cluster() {
    let binding = bind(&cities()).expect("binds");
    for id in ["retention-size", "retention-time", "compaction", "zero-copy"] {
        assert_passed(&built_in(&binding, id, &RunOptions::default()));
    }
}
