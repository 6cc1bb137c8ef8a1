//! How long each assignor takes for 100 members and 500 partitions, from nothing and with
//! everything at half of them.

#![allow(clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::print_stdout, reason = "it is what the example is for")]

use std::time::Instant;

use topomotion_assignor::{Assignor, Group, Member};

const TOPICS: [&str; 5] = ["t0", "t1", "t2", "t3", "t4"];

/// Every third member does without the first topic, where subscriptions shall differ.
fn group(step: usize) -> Group {
    let members = (0..100).map(|at| {
        let skipped = usize::from(at % step == step - 1);
        Member::new(format!("member-{at:03}"), TOPICS[skipped..].iter().copied())
    });
    let topics = TOPICS.into_iter().map(|topic| (topic.into(), 100));
    Group { members: members.collect(), topics: topics.collect() }
}

fn main() {
    for (subscriptions, step) in [("equal", 1_000), ("unequal", 3)] {
        for assignor in Assignor::ALL {
            let fresh = group(step);
            let mut half = fresh.clone();
            half.members.truncate(50);
            let owned = assignor.assign(&half);
            let mut joined = fresh.clone();
            for member in joined.members.iter_mut().take(50) {
                (member.owned, member.generation) = (owned[&member.id].clone(), 1);
            }
            let times = [&fresh, &joined].map(|group| {
                let start = Instant::now();
                let assignment = assignor.assign(group);
                assert_eq!(assignment.len(), 100);
                start.elapsed().as_secs_f64() * 1_000.0
            });
            let name = assignor.name();
            println!(
                "{subscriptions:8} {name:19} {:.2} ms, {:.2} ms",
                times[0], times[1]
            );
        }
    }
}
