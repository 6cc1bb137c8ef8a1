//! A: how groups share partitions.

use super::cast::Cast;
use super::script::Script;
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "consumers-and-partitions",
        title: "More, as many, fewer consumers than partitions",
        tell: "A partition has one reader in a group. Whoever joins takes some from the \
               others, until there are none left to take.",
        billing: Billing::OnDemand,
        script: consumers_and_partitions,
    },
    Entry {
        id: "two-groups",
        title: "Two groups each read everything",
        tell: "Each group has its own offsets: one that stands still holds nobody else up, \
               and misses nothing.",
        billing: Billing::OnDemand,
        script: two_groups,
    },
];

fn consumers_and_partitions(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(2)?;
    let (count, topic) = (cast.partitions(2)?.len(), &cast.topic.name);
    let mut script = Script::new()
        .groups()
        .setting("consumer.partition.assignment.strategy", "range")
        .expect(format!("owned({}) == {count}", members[0]))
        .caption(format!("{} has {topic} to itself: {count} partitions.", members[0]));
    for (index, member) in members.iter().enumerate().skip(1) {
        let (joined, share) = (index + 1, count / (index + 1));
        let told = match joined.cmp(&count) {
            std::cmp::Ordering::Less => format!("{joined} share {count} partitions."),
            std::cmp::Ordering::Equal => "As many as partitions: one each.".to_owned(),
            std::cmp::Ordering::Greater => {
                format!("{joined} are more than {count}: one of them gets nothing.")
            }
        };
        script = script
            .say(told)
            .start(member.as_str())
            .wait_until(format!("members({group}) == {joined}"))
            .wait_until(format!("group({group}) == stable"))
            .wait_until(format!("owned({}) <= {}", members[0], count.div_ceil(joined)))
            .wait_until(format!("owned({}) >= {share}", members[0]));
    }
    let idle = members.len().saturating_sub(count);
    let last = members[members.len() - 1];
    let script = match idle {
        0 => script.wait_until(format!("owned({last}) >= 1")),
        _ => script
            .wait(3_000)
            .expect(format!("owned({last}) == 0"))
            .caption("An idle member is a spare: it takes over from whoever leaves.")
            .shutdown(members[0].as_str())
            .wait_until(format!("owned({last}) == 1")),
    };
    Ok(script
        .one_to_each(cast)
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .expect(format!("read-twice({group}) == 0"))
        .expect_nothing_lost())
}

fn two_groups(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, _) = cast.group(1)?;
    let (topic, name) = (&cast.topic.name, cast.name());
    let others = cast.other_groups(group);
    let (other, reader) = *others.first().ok_or_else(|| {
        format!("It needs a second group of consumers of {topic}: there is only {group}.")
    })?;
    // It is the only one of its group that is sure to read the partition.
    let alone = cast.plan.consumers.iter().filter(|one| one.group == other).count();
    if alone > 1 {
        return Err(format!("It needs a group of one consumer: {other} has {alone}."));
    }
    Ok(Script::new()
        .groups()
        .caption(format!("{group} and {other} each keep their own place in {name}."))
        .produce(cast, "order-1")
        .wait_until(format!("committed({group}, {name}) == 1"))
        .wait_until(format!("committed({other}, {name}) == 1"))
        .caption(format!("{reader} is busy and fetches nothing. {group} reads on."))
        .client(reader, format!("pause {name}"))
        .produce(cast, "order-2")
        .produce(cast, "order-3")
        .wait_until(format!("lag({group}, {name}) == 0"))
        .expect(format!("lag({other}, {name}) == 2"))
        .caption(format!("Nothing was taken away: {other} reads it later."))
        .client(reader, format!("resume {name}"))
        .wait_until(format!("lag({other}, {name}) == 0"))
        .expect(format!("read-twice({group}) == 0"))
        .expect(format!("read-twice({other}) == 0"))
        .expect_nothing_lost())
}
