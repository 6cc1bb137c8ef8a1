//! Members of KIP-848 groups against real coordinators (GRP-11 to GRP-13).

mod world;

use topomotion_client::{Consumer, GroupConfig, GroupProtocol};
use topomotion_wire::{Fact, Ownership};

use world::{World, settled};

fn modern(config: &mut GroupConfig) {
    config.protocol = GroupProtocol::Consumer;
}

#[test]
fn a_newcomer_gets_what_the_other_has_let_go_and_nobody_stops() {
    let mut world = World::new(1, 4);
    world.join("a", modern);
    world.run_until("one to own", settled(&["a"], 4));
    world.join("b", modern);
    world.run_until("both to own", settled(&["a", "b"], 4));
    assert_eq!((world.owned("a").len(), world.owned("b").len()), (2, 2));
    let views = world.beliefs("a");
    assert!(views.iter().all(|view| view.owned.len() >= 2), "{views:?}");
    assert_eq!(world.count("a", "JoinGroup"), 0);
    assert!(world.never_owned_twice(&["a", "b"]));
}

#[test]
fn a_leaver_is_replaced_at_once_and_a_crashed_one_after_its_session() {
    let mut world = World::new(1, 4);
    for name in ["a", "b", "c"] {
        world.join(name, modern);
    }
    world.run_until("all to own", settled(&["a", "b", "c"], 4));
    world.with("c", Consumer::close);
    let before = world.now;
    world.run_until("two to own everything", settled(&["a", "b"], 4));
    assert!((world.now - before).as_millis() < 12_000, "two heartbeats at most");
    assert!(world.consumer("c").is_closed());
    world.crash("b");
    let before = world.now;
    world.run_until("one to own everything", settled(&["a"], 4));
    let waited = (world.now - before).as_millis();
    assert!((40_000..60_000).contains(&waited), "{waited}");
}

#[test]
fn a_member_goes_on_in_its_epoch_when_the_coordinator_fails_over() {
    let mut world = World::new(3, 4);
    world.join("a", modern);
    world.join("b", modern);
    world.run_until("both to own", settled(&["a", "b"], 4));
    world.run_for(10_000);
    let before = world.consumer("a").group_metadata();
    world.crash(&world.coordinator_of("a").to_string());
    world.run_for(40_000);
    assert_eq!(world.consumer("a").group_metadata(), before);
    assert!(settled(&["a", "b"], 4)(&world));
    let lost = world.beliefs("a").into_iter().any(|it| it.change == Ownership::Lost);
    assert!(!lost);
}

#[test]
fn what_one_read_and_committed_the_other_does_not_read_again() {
    let mut world = World::new(1, 2);
    world.join("a", modern);
    world.run_until("one to own", settled(&["a"], 2));
    world.produce(0, 3);
    world.produce(1, 3);
    world.run_for(2_000);
    world.join("b", modern);
    world.run_until("both to own", settled(&["a", "b"], 2));
    world.produce(0, 2);
    world.produce(1, 2);
    world.run_for(2_000);
    for partition in [0, 1] {
        let polled = world.polled(partition);
        let mut next = 0;
        for (_, base, end) in &polled {
            assert_eq!(*base, next, "nothing again and nothing left out: {polled:?}");
            next = *end;
        }
        assert_eq!(next, 5);
    }
    let refused = world
        .facts
        .iter()
        .any(|(.., fact)| matches!(fact, Fact::CommitAnswered { error: Some(_), .. }));
    assert!(!refused);
}

#[test]
fn a_static_member_comes_back_to_what_it_had() {
    let mut world = World::new(1, 4);
    let instance = |name: &'static str| {
        move |config: &mut GroupConfig| {
            modern(config);
            config.instance = Some(name.into());
        }
    };
    world.join("a", instance("one"));
    world.join("b", instance("two"));
    world.run_until("both to own", settled(&["a", "b"], 4));
    world.run_for(10_000);
    let owned = world.owned("b");
    world.with("b", Consumer::close);
    world.run_for(15_000);
    assert_eq!(world.owned("a").len(), 2, "what the other had waits for it");
    world.join("b", instance("two"));
    world.run_until("it to own again", settled(&["a", "b"], 4));
    assert_eq!(world.owned("b"), owned);
}
