//! Small searches, whole.

use topomotion_wire::Acks;

use super::*;
use crate::host::HostId;
use crate::scope::{Fault, Learning, Moments};
use crate::setup::run_until;

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
fn a_promise_that_nobody_keeps_ends_the_search() {
    let scope = Scope { brokers: 1, faults: 0, ..Scope::default() };
    let mut stage = set_up(&scope).expect("it comes up");
    let promise = crate::Promise { batch: 7, base: 0, acks: Acks::All };
    Rc::make_mut(&mut stage.world.history).promises.push(promise);
    let explored = search_from(&scope, stage);
    assert_eq!((explored.ending, explored.distinct), (Ending::Violation, 1));
    let broken = explored.broken.expect("it was broken from the start");
    assert_eq!((broken.invariant, broken.path.len()), ("R12", 0));
}

#[test]
fn a_path_is_told_choice_by_choice() {
    let scope = Scope { brokers: 1, faults: 0, ..Scope::default() };
    let (story, finding) = retell(&scope, &[0, 0, 0]).expect("it comes up");
    assert_eq!((story.len(), finding), (3, None));
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

/// The second broker has been down for so long that it has left the ISR, the first alone has
/// acknowledged a record, and now it may go, at any quiet moment.
fn last_one_standing(unclean: &str, kind: Fault) -> Explored {
    let set = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let settings =
        [("min.insync.replicas", "1"), ("unclean.leader.election.enable", unclean)];
    let scope = Scope {
        kinds: [kind].into(),
        moments: Moments::Quiet,
        learning: Learning::AtOnce,
        settings: settings.map(set).into(),
        states: 2_000,
        ..Scope::default()
    };
    let mut stage = set_up(&scope).expect("it comes up");
    stage.world.crash(HostId(1));
    run_until(&mut stage.world, "it never left the ISR", |world| {
        let registration = world.history.registration();
        let is_alone = registration.is_some_and(|it| it.isr.len() == 1);
        is_alone && world.heads().next().is_none()
    })
    .expect("it leaves the ISR");
    let mut world = stage.world.clone();
    apply(&mut world, Choice::Send(1), &stage, &scope);
    run_until(&mut world, "it was never acknowledged", |world| {
        !world.history.promises.is_empty() && world.heads().next().is_none()
    })
    .expect("one is enough");
    stage.world = world;
    search_from(&scope, stage)
}

#[test]
fn an_unclean_leader_is_found_to_lack_what_was_promised() {
    let explored = last_one_standing("true", Fault::Crash);
    let broken = explored.broken.expect("a leader lacks an acknowledged record");
    assert_eq!((broken.invariant, explored.ending), ("R12", Ending::Violation));
    assert_eq!(broken.story.len(), broken.path.len());
}

#[test]
fn a_clean_leader_never_lacks_it() {
    assert_eq!(last_one_standing("false", Fault::Crash).broken, None);
}

#[test]
fn the_last_of_an_isr_that_loses_power_is_found_to_lack_what_it_promised() {
    let explored = last_one_standing("false", Fault::PowerLoss);
    let broken = explored.broken.expect("what was acknowledged is gone");
    assert_eq!(broken.invariant, "R12");
}
