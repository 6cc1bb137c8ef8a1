//! Small searches, whole.

use topomotion_wire::Acks;

use super::*;
use crate::{Fault, Moments};

fn one_broker(fault: Fault) -> Scope {
    Scope {
        brokers: 1,
        faults: 1,
        kinds: BTreeSet::from([fault]),
        moments: Moments::Quiet,
        horizon: Duration::from_millis(5_000),
        states: 2_000,
        ..Scope::default()
    }
}

#[test]
fn a_story_without_faults_comes_to_its_end() {
    let scope = Scope { faults: 0, ..Scope::default() };
    let explored = explore(&scope).expect("it comes up");
    assert_eq!((explored.ending, explored.broken), (Ending::Exhausted, None));
    assert!(explored.distinct > 10, "{} states", explored.distinct);
    assert!(explored.visited > explored.distinct as u64, "it came back somewhere");
}

#[test]
fn the_same_scope_gives_the_same_states() {
    let scope = Scope { brokers: 1, faults: 0, ..Scope::default() };
    assert_eq!(explore(&scope), explore(&scope));
}

#[test]
fn a_bound_is_told() {
    let scope = Scope { faults: 0, states: 5, ..Scope::default() };
    let explored = explore(&scope).expect("it comes up");
    assert!(matches!(explored.ending, Ending::Bound(waiting) if waiting > 0));
    assert_eq!(explored.distinct, 5);
}

#[test]
fn a_horizon_is_told() {
    let horizon = Duration::from_millis(1);
    let scope = Scope { brokers: 1, faults: 0, horizon, ..Scope::default() };
    let explored = explore(&scope).expect("it comes up");
    assert!(matches!(explored.ending, Ending::Horizon(states) if states > 0));
}

#[test]
fn a_log_that_is_lost_with_the_power_breaks_a_promise_and_a_crash_does_not() {
    let explored = explore(&one_broker(Fault::Crash)).expect("it comes up");
    assert_eq!(explored.broken, None);
    let scope = one_broker(Fault::PowerLoss);
    let explored = explore(&scope).expect("it comes up");
    let broken = explored.broken.expect("the only copy was lost");
    assert_eq!((broken.invariant, explored.ending), ("R12", Ending::Violation));
    assert!(broken.story.iter().any(|line| line.contains("loses power")));
    let (story, finding) = retell(&scope, &broken.path).expect("it comes up");
    assert_eq!(story, broken.story);
    assert_eq!(finding, Some((broken.invariant, broken.text)));
}

#[test]
fn what_is_not_tiny_is_refused() {
    for scope in [
        Scope { brokers: 4, ..Scope::default() },
        Scope { records: vec![Acks::All; 3], ..Scope::default() },
        Scope { faults: 3, ..Scope::default() },
        Scope {
            settings: [("min.insync.replica".to_owned(), "2".to_owned())].into(),
            ..Scope::default()
        },
    ] {
        assert!(explore(&scope).is_err());
    }
}
