//! E: consumer groups.

use topomotion_model::Awaits;

use super::cast::Cast;
use super::script::{Script, Sent};
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[Entry {
    id: "eager-rebalance",
    title: "A new member: the eager rebalance",
    tell: "A consumer joins the group. Everybody gives up all partitions, joins again, and \
           nobody reads until the new assignment is known.",
    billing: Billing::OnDemand,
    script: eager_rebalance,
}];

fn eager_rebalance(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(2)?;
    let (old, new) = (members[0], members[members.len() - 1]);
    let (topic, count) = (&cast.topic.name, cast.partitions(2)?.len());
    let others = members.len() - 1;
    let verb = if others == 1 { "reads" } else { "read" };
    let script = Script::new()
        .groups()
        .setting("consumer.partition.assignment.strategy", "range")
        .expect(format!("members({group}) == {others}"))
        .caption(format!(
            "{others} of {} members {verb} all {count} partitions.",
            members.len()
        ));
    let script = one_each(script, cast)
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .caption(format!("{new} joins. The others hear of it at their next heartbeat."))
        .start(new.as_str())
        .wait_until(format!("group({group}) == preparing-rebalance"))
        .caption("Eager: each commits, gives up all that it has, and joins again.")
        .wait_until(format!("owned({old}) == {{}}"))
        .caption("Nobody reads until the leader has divided and all have learned it.")
        .wait_until(format!("group({group}) == stable"))
        .wait_until(format!("owned({new}) >= 1"))
        .expect(format!("members({group}) == {}", members.len()))
        .caption("Each reads on from what was committed.");
    Ok(one_each(script, cast)
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .expect(format!("read-twice({group}) == 0"))
        .expect_nothing_lost())
}

/// A record to every partition of the topic, all at once.
fn one_each(mut script: Script, cast: &Cast<'_>) -> Script {
    let count = u32::try_from(cast.topic.assignment.len()).unwrap_or(u32::MAX);
    for partition in 0..count {
        let awaits = match partition + 1 == count {
            true => Awaits::Answers,
            false => Awaits::Nothing,
        };
        let partition = Some(partition);
        let sent = Sent { partition, key: None, awaits, ..Sent::one(cast, "") };
        script = script.send(cast, sent);
    }
    script
}
