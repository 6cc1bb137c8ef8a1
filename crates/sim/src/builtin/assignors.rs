//! E: the four assignors, each on the same input.

use topomotion_model::ProcessId;

use super::cast::Cast;
use super::groups::begin;
use super::script::Script;
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "assignor-range",
        title: "The range assignor: each topic on its own",
        tell: "Range divides every topic by itself, in rows. Whoever comes first gets what is \
               left over of each, so that many small topics load few members.",
        billing: Billing::OnDemand,
        script: |cast| divided(cast, Assignor::Range),
    },
    Entry {
        id: "assignor-roundrobin",
        title: "The round robin assignor: all topics in one round",
        tell: "Round robin deals the partitions of all topics like cards: nobody has two more \
               than another. When somebody leaves it deals afresh, and much moves.",
        billing: Billing::OnDemand,
        script: |cast| divided(cast, Assignor::RoundRobin),
    },
    Entry {
        id: "assignor-sticky",
        title: "The sticky assignor: only what must move",
        tell: "Sticky divides as evenly as round robin. When somebody leaves, the others keep \
               what they have, and only what was left is dealt out; still all join eagerly.",
        billing: Billing::OnDemand,
        script: |cast| divided(cast, Assignor::Sticky),
    },
    Entry {
        id: "assignor-cooperative-sticky",
        title: "The cooperative sticky assignor: nobody pauses",
        tell: "It divides as the sticky one does, and its members join while they read on: \
               when somebody leaves, those who stay give nothing up.",
        billing: Billing::OnDemand,
        script: |cast| divided(cast, Assignor::CooperativeSticky),
    },
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Assignor {
    Range,
    RoundRobin,
    Sticky,
    CooperativeSticky,
}

impl Assignor {
    /// As `partition.assignment.strategy` names it.
    fn name(self) -> &'static str {
        match self {
            Assignor::Range => "range",
            Assignor::RoundRobin => "roundrobin",
            Assignor::Sticky => "sticky",
            Assignor::CooperativeSticky => "cooperative-sticky",
        }
    }
}

/// A partition: which topic, which of its partitions.
type Place = (usize, usize);

/// By the textbook, who gets what: a list for each member. All read all topics, of which
/// each has so many partitions.
fn dealt(
    assignor: Assignor,
    members: usize,
    topics: usize,
    each: usize,
) -> Vec<Vec<Place>> {
    let mut hands = vec![Vec::new(); members];
    for topic in 0..topics {
        let mut row = 0..each;
        for (at, hand) in hands.iter_mut().enumerate() {
            let share = each / members + usize::from(at < each % members);
            match assignor {
                Assignor::Range => {
                    hand.extend(row.by_ref().take(share).map(|p| (topic, p)));
                }
                Assignor::RoundRobin | Assignor::Sticky | Assignor::CooperativeSticky => {
                    let mine = (0..each).filter(|p| (topic * each + p) % members == at);
                    hand.extend(mine.map(|p| (topic, p)));
                }
            }
        }
    }
    hands
}

/// How many partitions change hands when the second member leaves, of those that it did not
/// have itself.
fn needless(before: &[Vec<Place>], after: &[Vec<Place>]) -> usize {
    let stayed = before.iter().enumerate().filter(|(at, _)| *at != 1);
    let lost = stayed
        .zip(after)
        .map(|((_, had), has)| had.iter().filter(|place| !has.contains(place)).count());
    lost.sum()
}

fn divided(cast: &Cast<'_>, assignor: Assignor) -> Result<Script, String> {
    let (group, mut members) = cast.group(2)?;
    // Members are sorted by their ids: the client's name, a hyphen, and chance.
    members.sort_by_key(|member| format!("{member}-"));
    let each = cast.partitions(1)?.len();
    let topics = topics(cast, members.len());
    let hands = dealt(assignor, members.len(), topics.len(), each);
    let mut script =
        begin(assignor.name(), &[]).setting("offsets.topic.num.partitions", "3");
    for topic in &topics[1..] {
        script =
            script.admin(format!("create-topic {topic} partitions={each} replicas=1"));
    }
    let subscribed = topics.join(",");
    for member in &members {
        script = script
            .start(member.as_str())
            .client(member, format!("subscribe {subscribed}"));
    }
    let script = script
        .caption(format!(
            "{} topics of {each} partitions, {} members: {} divides.",
            topics.len(),
            members.len(),
            assignor.name()
        ))
        .wait_until(format!("members({group}) == {}", members.len()))
        .wait_until(format!("group({group}) == stable"));
    let script = are_held(script, &members, &hands, &topics).say(format!(
        "{} gives {}.",
        assignor.name(),
        sizes(&hands)
    ));
    match members.len() {
        2 => Ok(script),
        _ => Ok(one_leaves(script, group, (&members, &topics), (assignor, &hands), each)),
    }
}

/// Two topics for two members, four for more: the examples of Kafka's own documentation.
fn topics(cast: &Cast<'_>, members: usize) -> Vec<String> {
    let first = &cast.topic.name;
    let others: &[&str] = match members {
        2 => &["b"],
        _ => &["b", "c", "d"],
    };
    let others = others.iter().map(|letter| format!("{first}-{letter}"));
    std::iter::once(first.clone()).chain(others).collect()
}

/// Until everybody has its hand.
fn are_held(
    script: Script,
    members: &[&ProcessId],
    hands: &[Vec<Place>],
    topics: &[String],
) -> Script {
    members.iter().zip(hands).fold(script, |script, (member, hand)| {
        let names = hand.iter().map(|(topic, p)| format!("{}-{p}", topics[*topic]));
        let names = names.collect::<Vec<_>>().join(", ");
        script.wait_until(format!("owned({member}) == {{{names}}}"))
    })
}

/// `3, 3 and 2`.
fn sizes(hands: &[Vec<Place>]) -> String {
    let mut sizes: Vec<String> =
        hands.iter().map(|hand| hand.len().to_string()).collect();
    let last = sizes.pop().unwrap_or_default();
    format!("{} and {last}", sizes.join(", "))
}

fn one_leaves(
    script: Script,
    group: &str,
    (members, topics): (&[&ProcessId], &[String]),
    (assignor, hands): (Assignor, &[Vec<Place>]),
    each: usize,
) -> Script {
    let mut rest = members.to_vec();
    let gone = rest.remove(1);
    let orphans = hands[1].len();
    let script = script
        .caption(format!("One member leaves: its {orphans} partitions must move."))
        .shutdown(gone.as_str())
        .wait_until(format!("members({group}) == {}", rest.len()))
        .wait_until(format!("group({group}) == stable"));
    let least = topics.len() * each / rest.len();
    match assignor {
        Assignor::Range | Assignor::RoundRobin => {
            let after = dealt(assignor, rest.len(), topics.len(), each);
            let moved = needless(hands, &after);
            are_held(script, &rest, &after, topics)
                .say(format!("{moved} more move, though nobody who had them left."))
        }
        Assignor::Sticky | Assignor::CooperativeSticky => {
            let script = rest.iter().fold(script, |script, member| {
                script.wait_until(format!("owned({member}) >= {least}"))
            });
            let mut kept = hands.to_vec();
            kept.remove(1);
            let script = rest.iter().zip(&kept).fold(script, |script, (member, hand)| {
                hand.iter().fold(script, |script, (topic, p)| {
                    script.expect(format!("owns({member}, {}-{p})", topics[*topic]))
                })
            });
            script.say("Nothing else moves: everybody keeps what they had.")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_textbook_agrees_with_the_documentation() {
        let range = dealt(Assignor::Range, 2, 2, 3);
        assert_eq!(range[0], [(0, 0), (0, 1), (1, 0), (1, 1)]);
        assert_eq!(range[1], [(0, 2), (1, 2)]);
        let round_robin = dealt(Assignor::RoundRobin, 2, 2, 3);
        assert_eq!(round_robin[0], [(0, 0), (0, 2), (1, 1)]);
        assert_eq!(round_robin[1], [(0, 1), (1, 0), (1, 2)]);
        let sticky = dealt(Assignor::Sticky, 3, 4, 2);
        assert_eq!(sticky[0], [(0, 0), (1, 1), (3, 0)]);
        assert_eq!(sticky[1], [(0, 1), (2, 0), (3, 1)]);
        assert_eq!(sticky[2], [(1, 0), (2, 1)]);
    }

    #[test]
    fn a_fresh_deal_moves_what_need_not_move() {
        let moved =
            |assignor| needless(&dealt(assignor, 3, 4, 2), &dealt(assignor, 2, 4, 2));
        // Round robin: t1p1 and t1p0 change hands though C0 and C2 stay.
        assert_eq!(moved(Assignor::RoundRobin), 2);
        assert_eq!(moved(Assignor::Range), 0);
    }
}
