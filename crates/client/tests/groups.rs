//! Members of classic groups against real coordinators (GRP-3 to GRP-9, GRP-15).

mod world;

use topomotion_client::{Assignor, Commits, Consumer, GroupConfig};
use topomotion_wire::{Duration, Fact, Offset, Ownership, Rule, TopicPartition};

use world::{World, settled};

fn plain(_: &mut GroupConfig) {}

fn cooperative(config: &mut GroupConfig) {
    config.assignors = vec![Assignor::CooperativeSticky];
}

#[test]
fn two_members_share_a_topic_and_the_leaver_is_replaced_at_once() {
    let mut world = World::new(1, 4);
    world.join("a", plain);
    world.join("b", plain);
    world.run_until("both to own", settled(&["a", "b"], 4));
    assert_eq!((world.owned("a").len(), world.owned("b").len()), (2, 2));
    assert_eq!(world.count("a", "JoinGroup"), 2, "an id first, then the group");
    world.with("b", Consumer::close);
    let before = world.now;
    world.run_until("the other to own everything", settled(&["a"], 4));
    assert!((world.now - before).as_millis() < 4_000, "no session runs out");
    assert!(world.consumer("b").is_closed());
    let last = world.beliefs("b").pop().expect("it believed something");
    assert_eq!((last.change, last.owned.len()), (Ownership::Revoked, 0));
}

#[test]
fn an_eager_member_gives_everything_up_before_it_joins_again() {
    let mut world = World::new(1, 4);
    world.join("a", plain);
    world.run_until("one to own", settled(&["a"], 4));
    world.join("b", plain);
    world.run_until("both to own", settled(&["a", "b"], 4));
    let changes: Vec<(Ownership, usize)> = world
        .beliefs("a")
        .into_iter()
        .map(|view| (view.change, view.partitions.len()))
        .collect();
    let eager =
        [(Ownership::Assigned, 4), (Ownership::Revoked, 4), (Ownership::Assigned, 2)];
    assert_eq!(changes, eager);
}

#[test]
fn a_cooperative_member_gives_up_only_what_moves() {
    let mut world = World::new(1, 4);
    world.join("a", cooperative);
    world.run_until("one to own", settled(&["a"], 4));
    world.join("b", cooperative);
    world.run_until("both to own", settled(&["a", "b"], 4));
    let views = world.beliefs("a");
    assert!(views.iter().all(|view| view.owned.len() >= 2), "{views:?}");
    let revoked = views.iter().filter(|view| view.change == Ownership::Revoked);
    assert_eq!(revoked.map(|view| view.partitions.len()).sum::<usize>(), 2);
    assert!(world.marks.contains(&("a".to_owned(), Rule::Grp8)));
}

#[test]
fn a_crashed_member_is_missed_when_its_session_ends_and_its_work_goes_on() {
    let mut world = World::new(1, 2);
    world.join("a", plain);
    world.join("b", plain);
    world.run_until("both to own", settled(&["a", "b"], 2));
    world.produce(0, 3);
    world.produce(1, 3);
    world.run_for(6_000);
    world.crash("b");
    let before = world.now;
    world.run_until("the other to own everything", settled(&["a"], 2));
    let waited = (world.now - before).as_millis();
    assert!((40_000..60_000).contains(&waited), "{waited}");
    world.run_for(2_000);
    for partition in [0, 1] {
        let polled = world.polled(partition);
        let mut next = 0;
        for (_, base, end) in &polled {
            assert_eq!(*base, next, "nothing again and nothing left out: {polled:?}");
            next = *end;
        }
        assert_eq!(next, 3);
    }
}

#[test]
fn a_static_member_comes_back_without_a_rebalance() {
    let mut world = World::new(1, 4);
    let instance = |name: &'static str| {
        move |config: &mut GroupConfig| config.instance = Some(name.into())
    };
    world.join("a", instance("one"));
    world.join("b", instance("two"));
    world.run_until("both to own", settled(&["a", "b"], 4));
    let generation = world.consumer("a").group_metadata().expect("it has one").generation;
    let owned = world.owned("b");
    world.with("b", Consumer::close);
    world.run_for(5_000);
    assert!(world.consumer("b").is_closed());
    assert_eq!(world.count("b", "LeaveGroup"), 0);
    world.join("b", instance("two"));
    world.run_until("it to own again", settled(&["a", "b"], 4));
    world.run_for(10_000);
    let after = world.consumer("a").group_metadata().expect("it has one").generation;
    assert_eq!(after, generation);
    assert_eq!(world.owned("b"), owned);
}

#[test]
fn who_is_too_slow_leaves_by_itself_and_its_commit_fails() {
    let mut world = World::new(1, 2);
    let slow = |config: &mut GroupConfig| {
        config.max_poll_interval = Duration::from_millis(10_000);
    };
    world.join("a", slow);
    world.join("b", slow);
    world.run_until("both to own", settled(&["a", "b"], 2));
    world.produce(0, 1);
    world.produce(1, 1);
    world.run_for(1_000);
    world.with("b", |consumer, now| {
        consumer.pause_polling(now, now + Duration::from_millis(30_000));
    });
    world.run_for(15_000);
    assert!(world.marks.contains(&("b".to_owned(), Rule::Grp9)));
    assert_eq!(world.owned("a").len(), 2);
    world.with("b", Consumer::commit);
    let last = world.facts.iter().rev().find_map(|(_, who, fact)| match fact {
        Fact::CommitAnswered { error, .. } if who == "b" => Some(*error),
        _ => None,
    });
    assert!(last.flatten().is_some(), "the commit is refused");
    world.run_until("it to be back", settled(&["a", "b"], 2));
    let lost = world.beliefs("b").into_iter().any(|it| it.change == Ownership::Lost);
    assert!(lost, "what it had, it has lost");
}

#[test]
fn a_group_goes_on_in_the_same_generation_when_its_coordinator_fails_over() {
    let mut world = World::new(3, 4);
    world.join("a", plain);
    world.join("b", plain);
    world.run_until("both to own", settled(&["a", "b"], 4));
    let before = world.consumer("a").group_metadata().expect("it has one");
    world.crash(&world.coordinator_of("a").to_string());
    world.run_for(40_000);
    let after = world.consumer("a").group_metadata().expect("it has one");
    assert_eq!(after, before);
    assert!(settled(&["a", "b"], 4)(&world));
}

#[test]
fn a_new_member_goes_on_where_the_group_committed() {
    let mut world = World::new(1, 1);
    world.join("a", |config| config.commits = Commits::Manual);
    world.run_until("it to own", settled(&["a"], 1));
    world.produce(0, 5);
    world.run_for(1_000);
    let partition = TopicPartition::new("orders", 0);
    world.with("a", |consumer, now| {
        consumer.commit_offsets(now, [(partition.clone(), Offset(3))].into());
    });
    world.run_for(1_000);
    world.with("a", Consumer::close);
    world.run_for(1_000);
    world.join("b", plain);
    world.run_until("it to own", settled(&["b"], 1));
    world.run_for(2_000);
    let first = world.polled(0).into_iter().find(|(who, ..)| who == "b");
    assert_eq!(first.map(|(_, base, _)| base), Some(3));
}

#[test]
fn new_partitions_are_noticed_by_the_leader_and_shared() {
    let mut world = World::new(1, 2);
    world.join("a", plain);
    world.join("b", plain);
    world.run_until("both to own", settled(&["a", "b"], 2));
    world.add_partitions("orders", 4);
    world.run_until("the new ones to be owned", settled(&["a", "b"], 4));
}

#[test]
fn an_application_that_works_gets_one_poll_at_a_time_and_commits_inside_the_next() {
    let mut world = World::new(1, 1);
    world.produce(0, 6);
    world.run_for(1_000);
    world.join_as("a", |config| config.max_poll_records = 2);
    world.with("a", |consumer, _| {
        consumer.set_processing_time(Duration::from_millis(3_000));
    });
    world.run_until("it to have begun", |world| !world.polled(0).is_empty());
    let begin = world.now;
    world.run_for(30_000);
    let polls = world.polls("a", begin);
    assert_eq!(polls, [(0, 2), (6_000, 4), (12_000, 6)]);
    let commits = world.commits("a");
    assert_eq!(&commits[..3], [2, 4, 6], "never what is still being worked on");
}

#[test]
fn who_unsubscribes_leaves_at_once_and_may_come_back() {
    let mut world = World::new(1, 2);
    world.join("a", plain);
    world.join("b", plain);
    world.run_until("both to own", settled(&["a", "b"], 2));
    world.with("b", Consumer::unsubscribe);
    assert!(world.owned("b").is_empty());
    world.run_until("the other to own everything", settled(&["a"], 2));
    assert_eq!(world.count("b", "LeaveGroup"), 1);
    world.with("b", |consumer, now| consumer.subscribe(now, ["orders"]));
    world.run_until("both to own again", settled(&["a", "b"], 2));
}

#[test]
fn partitions_named_by_the_application_begin_where_the_group_committed() {
    let mut world = World::new(1, 1);
    world.produce(0, 4);
    world.run_for(1_000);
    let partition = TopicPartition::new("orders", 0);
    for (name, base) in [("a", 0), ("b", 4)] {
        world.enter_unsubscribed(name);
        world.with(name, |consumer, now| consumer.assign(now, [partition.clone()]));
        world.run_for(2_000);
        world.with(name, Consumer::commit);
        world.run_for(1_000);
        assert_eq!(world.consumer(name).position(&partition), Some(Offset(4)));
        let first = world.polled(0).into_iter().find(|(who, ..)| who == name);
        assert_eq!(first.map_or(4, |(_, base, _)| base), base);
    }
}
