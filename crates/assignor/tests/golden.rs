//! The examples that Kafka's own documentation of the assignors gives (GRP-10).

use topomotion_assignor::{Assignment, Assignor, Group, Member};

fn group(members: &[(&str, &[&str])], topics: &[(&str, i32)]) -> Group {
    let members = members.iter();
    let members = members.map(|(id, topics)| Member::new(*id, topics.iter().copied()));
    let topics = topics.iter().map(|(topic, count)| ((*topic).into(), *count));
    Group { members: members.collect(), topics: topics.collect() }
}

/// `C0[t0p0 t0p1] C1[…]`.
fn told(assignment: &Assignment) -> String {
    let members = assignment.iter().map(|(id, partitions)| {
        let partitions =
            partitions.iter().map(|it| format!("{}p{}", it.topic, it.partition));
        format!("{id}[{}]", partitions.collect::<Vec<_>>().join(" "))
    });
    members.collect::<Vec<_>>().join(" ")
}

const UNEQUAL: [(&str, &[&str]); 3] =
    [("C0", &["t0"]), ("C1", &["t0", "t1"]), ("C2", &["t0", "t1", "t2"])];
const ONE_TWO_THREE: [(&str, i32); 3] = [("t0", 1), ("t1", 2), ("t2", 3)];
const FOUR: [&str; 4] = ["t0", "t1", "t2", "t3"];

fn two() -> Group {
    group(&[("C0", &["t0", "t1"]), ("C1", &["t0", "t1"])], &[("t0", 3), ("t1", 3)])
}

fn three_with_four_topics() -> Group {
    let topics = FOUR.map(|topic| (topic, 2));
    group(&[("C0", &FOUR), ("C1", &FOUR), ("C2", &FOUR)], &topics)
}

/// The same group, when this has been assigned.
fn after(mut group: Group, assignment: &Assignment) -> Group {
    for member in &mut group.members {
        member.owned = assignment[&member.id].clone();
        member.generation = 1;
    }
    group
}

#[test]
fn range_gives_runs_of_each_topic() {
    let assignment = Assignor::Range.assign(&two());
    assert_eq!(told(&assignment), "C0[t0p0 t0p1 t1p0 t1p1] C1[t0p2 t1p2]");
}

#[test]
fn round_robin_goes_round_all_topics() {
    let assignment = Assignor::RoundRobin.assign(&two());
    assert_eq!(told(&assignment), "C0[t0p0 t0p2 t1p1] C1[t0p1 t1p0 t1p2]");
}

#[test]
fn round_robin_passes_over_who_does_not_subscribe() {
    let assignment = Assignor::RoundRobin.assign(&group(&UNEQUAL, &ONE_TWO_THREE));
    assert_eq!(told(&assignment), "C0[t0p0] C1[t1p0] C2[t1p1 t2p0 t2p1 t2p2]");
}

#[test]
fn sticky_balances_unequal_subscriptions_better() {
    let assignment = Assignor::Sticky.assign(&group(&UNEQUAL, &ONE_TWO_THREE));
    assert_eq!(told(&assignment), "C0[t0p0] C1[t1p0 t1p1] C2[t2p0 t2p1 t2p2]");
}

#[test]
fn sticky_moves_only_what_a_leaving_member_had() {
    let group = three_with_four_topics();
    let first = Assignor::Sticky.assign(&group);
    let balanced = "C0[t0p0 t1p1 t3p0] C1[t0p1 t2p0 t3p1] C2[t1p0 t2p1]";
    assert_eq!(told(&first), balanced);
    let mut rest = after(group, &first);
    rest.members.remove(1);
    let second = Assignor::Sticky.assign(&rest);
    let moved = "C0[t0p0 t1p1 t2p0 t3p0] C2[t0p1 t1p0 t2p1 t3p1]";
    assert_eq!(told(&second), moved);
}

#[test]
fn cooperative_sticky_gives_what_moves_to_nobody_until_it_is_let_go() {
    let t = ["t"];
    let first = after(
        group(&[("C0", &t)], &[("t", 4)]),
        &Assignor::CooperativeSticky.assign(&group(&[("C0", &t)], &[("t", 4)])),
    );
    let mut joined = first.clone();
    joined.members.push(Member::new("C1", t));
    let between = Assignor::CooperativeSticky.assign(&joined);
    assert_eq!(told(&between), "C0[tp0 tp1] C1[]");
    let last = Assignor::CooperativeSticky.assign(&after(joined, &between));
    assert_eq!(told(&last), "C0[tp0 tp1] C1[tp2 tp3]");
}

#[test]
fn uniform_takes_only_what_is_above_the_quota() {
    let t = ["t"];
    let alone = group(&[("C0", &t)], &[("t", 4)]);
    let mut joined = after(alone.clone(), &Assignor::Uniform.assign(&alone));
    joined.members.push(Member::new("C1", t));
    assert_eq!(told(&Assignor::Uniform.assign(&joined)), "C0[tp0 tp1] C1[tp2 tp3]");
}

#[test]
fn nobody_and_nothing_are_assigned_without_complaint() {
    for assignor in Assignor::ALL {
        assert!(assignor.assign(&group(&[], &[("t0", 3)])).is_empty());
        let assignment = assignor.assign(&group(&[("C0", &["gone"])], &[("t0", 3)]));
        assert_eq!(told(&assignment), "C0[]", "{}", assignor.name());
    }
}

#[test]
fn every_assignor_is_found_by_its_name() {
    for assignor in Assignor::ALL {
        assert_eq!(Assignor::from_name(assignor.name()), Some(assignor));
    }
    assert_eq!(Assignor::from_name("fair"), None);
}
