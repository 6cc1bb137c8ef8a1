//! Every checker can fail: each bad trace here is made by hand.

use std::sync::Arc;

use topomotion_model::Condition;
use topomotion_trace::{Event, QuorumRole, StateChange, What};

use super::*;

fn names(list: &[&str]) -> Vec<Arc<str>> {
    list.iter().map(|name| Arc::from(*name)).collect()
}

fn registered(leader: &str, isr: &[&str], epochs: (i32, i32)) -> StateChange {
    StateChange::Registration {
        controller: "c".into(),
        partition: "t-0".into(),
        replicas: names(&["a", "b"]),
        isr: names(isr),
        leader: Some(leader.into()),
        leader_epoch: epochs.0,
        partition_epoch: epochs.1,
    }
}

fn proposed(process: &str, isr: &[&str]) -> StateChange {
    let (process, partition) = (process.into(), "t-0".into());
    StateChange::IsrProposed { process, partition, isr: names(isr) }
}

fn role(process: &str, leader: &str, epoch: i32) -> StateChange {
    let (partition, leader) = ("t-0".into(), Some(leader.into()));
    StateChange::Replica { process: process.into(), partition, leader, epoch }
}

fn appended(process: &str, base: i64, epoch: i32, batch: u32) -> StateChange {
    let (process, partition) = (process.into(), "t-0".into());
    StateChange::Appended { process, partition, base, count: 1, epoch, batch }
}

fn truncated(process: &str, end: i64) -> StateChange {
    StateChange::Truncated { process: process.into(), partition: "t-0".into(), end }
}

fn watermark(process: &str, offset: i64) -> StateChange {
    StateChange::HighWatermark {
        process: process.into(),
        partition: "t-0".into(),
        offset,
    }
}

fn acked(batch: u32, base: i64, acks: &str) -> StateChange {
    StateChange::BatchAcked {
        process: "p".into(),
        partition: "t-0".into(),
        batch,
        count: 1,
        acks: acks.into(),
        base: Some(base),
    }
}

/// A partition with two replicas, one record in both, acknowledged, and nothing wrong.
fn sound() -> Vec<StateChange> {
    vec![
        registered("a", &["a", "b"], (0, 0)),
        role("a", "a", 0),
        role("b", "a", 0),
        appended("a", 0, 0, 77),
        appended("b", 0, 0, 77),
        watermark("a", 1),
        acked(77, 0, "all"),
        watermark("b", 1),
    ]
}

fn trace(changes: Vec<StateChange>) -> Trace {
    let event = |change| Event { at: Time(1), what: What::State(change) };
    Trace { events: changes.into_iter().map(event).collect() }
}

/// The invariants broken when this is what happens after a sound beginning.
fn broken(then: Vec<StateChange>) -> Vec<&'static str> {
    let violations = check(&trace([sound(), then].concat()));
    violations.into_iter().map(|violation| violation.invariant).collect()
}

fn kept(changes: Vec<StateChange>) -> Result<(), String> {
    let mut court = Court::new();
    trace(changes).events.iter().for_each(|event| court.see(event));
    court.judge(&Condition::NoAcknowledgedRecordLost)
}

#[test]
fn a_sound_story_breaks_nothing() {
    let election = vec![
        registered("b", &["b"], (1, 1)),
        role("b", "b", 1),
        appended("b", 1, 1, 78),
        watermark("b", 2),
        acked(78, 1, "all"),
        role("a", "b", 1),
        appended("a", 1, 1, 78),
        proposed("b", &["a", "b"]),
        registered("b", &["a", "b"], (1, 2)),
    ];
    assert_eq!(broken(election), Vec::<&str>::new());
}

#[test]
fn r1_a_watermark_beyond_the_log() {
    assert_eq!(broken(vec![watermark("b", 2)]), ["R1", "R21"]);
}

#[test]
fn r3_a_leader_outside_the_isr() {
    assert_eq!(broken(vec![registered("a", &["b"], (0, 1))]), ["R3"]);
}

#[test]
fn r4_a_member_without_a_replica() {
    assert_eq!(broken(vec![registered("a", &["a", "z"], (0, 1))]), ["R4", "R17"]);
}

#[test]
fn r6_epochs_that_skip_fall_or_stay() {
    assert_eq!(broken(vec![registered("b", &["b"], (2, 1))]), ["R6"]);
    assert!(broken(vec![registered("b", &["b"], (2, 2))]).is_empty(), "told as one");
    assert_eq!(broken(vec![registered("b", &["b"], (0, 1))]), ["R6"]);
    assert_eq!(broken(vec![registered("a", &["a"], (-1, 1))]), ["R6"]);
    assert!(broken(vec![registered("a", &["a", "b"], (0, 0))]).is_empty(), "told again");
}

#[test]
fn r7_two_leaders_in_one_epoch() {
    assert_eq!(broken(vec![role("b", "b", 0), appended("b", 1, 0, 78)]), ["R7"]);
}

#[test]
fn r10_a_watermark_that_leaves_a_member_behind() {
    let then = vec![appended("a", 1, 0, 78), watermark("a", 2)];
    assert_eq!(broken(then), ["R10"]);
}

#[test]
fn r12_a_new_leader_without_the_record() {
    let then = vec![
        truncated("b", 1),
        registered("a", &["b"], (0, 1)),
        registered("b", &["b"], (1, 2)),
    ];
    let mut story = sound();
    story.retain(|change| !matches!(change, StateChange::Appended { process, .. } if &**process == "b"));
    story.retain(|change| !matches!(change, StateChange::HighWatermark { process, .. } if &**process == "b"));
    let violations = check(&trace([story, then, vec![role("b", "b", 1)]].concat()));
    assert!(
        violations.iter().any(|violation| violation.invariant == "R12"),
        "{violations:?}"
    );
}

#[test]
fn r12_does_not_count_an_unclean_election() {
    let story = vec![
        registered("a", &["a"], (0, 0)),
        role("a", "a", 0),
        appended("a", 0, 0, 77),
        watermark("a", 1),
        acked(77, 0, "all"),
        registered("b", &["b"], (1, 1)),
        role("b", "b", 1),
    ];
    assert!(check(&trace(story.clone())).is_empty());
    let failure = kept(story).expect_err("it is gone all the same");
    assert_eq!(
        failure,
        "t-0 offset 0, acknowledged to p with acks=all, is not in the log of b"
    );
}

#[test]
fn r13_a_cut_below_the_watermark() {
    assert_eq!(broken(vec![truncated("b", 0)]), ["R13"]);
}

#[test]
fn r14_different_batches_at_one_place() {
    let then = vec![appended("a", 1, 0, 78), appended("b", 1, 0, 79)];
    assert_eq!(broken(then), ["R14"]);
}

#[test]
fn r14_different_logs_below_one_place() {
    let story = vec![
        appended("a", 0, 0, 1),
        appended("b", 0, 1, 2),
        appended("a", 1, 3, 5),
        appended("b", 1, 3, 5),
    ];
    let violations = check(&trace(story));
    assert_eq!(violations[0].text, "a and b differ below t-0 offset 1 of epoch 3");
}

#[test]
fn r19_an_acknowledgement_ahead_of_the_watermark() {
    let then = vec![appended("a", 1, 0, 78), acked(78, 1, "all")];
    assert_eq!(broken(then), ["R19"]);
    let then = vec![appended("a", 1, 0, 78), acked(78, 1, "1")];
    assert!(broken(then).is_empty(), "acks=1 does not wait");
}

#[test]
fn k1_two_quorum_leaders_in_one_epoch() {
    let leader = |process: &str| StateChange::Quorum {
        process: process.into(),
        role: QuorumRole::Leader,
        epoch: 4,
    };
    assert_eq!(broken(vec![leader("x"), leader("y")]), ["K1"]);
    assert!(broken(vec![leader("x"), leader("x")]).is_empty());
}

#[test]
fn a_record_that_only_the_leader_had_is_lost_with_it() {
    let mut story = sound();
    story.push(appended("a", 1, 0, 78));
    story.push(acked(78, 1, "1"));
    assert_eq!(kept(story.clone()), Ok(()));
    story.push(registered("b", &["b"], (1, 1)));
    let failure = kept(story).expect_err("broker b never had it");
    assert_eq!(
        failure,
        "t-0 offset 1, acknowledged to p with acks=1, is not in the log of b"
    );
}

#[test]
fn acks_0_promises_nothing() {
    let mut story = sound();
    story.push(acked(99, 7, "0"));
    assert_eq!(kept(story), Ok(()));
}

#[test]
#[ignore = "for the nightly run"]
fn drawn_storms_break_nothing() {
    let climate = topomotion_sim::Climate::default();
    let broken = (0..60).filter_map(|seed| {
        let violations = examine(&topomotion_sim::draw(seed, &climate)).violations;
        let first = violations.first();
        first
            .map(|one| format!("seed {seed}: {} {}: {}", one.at, one.invariant, one.text))
    });
    let broken: Vec<String> = broken.collect();
    assert_eq!(broken, [""; 0]);
}
