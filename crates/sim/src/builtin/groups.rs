//! E: consumer groups.

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
    let topic = &cast.topic.name;
    let count = cast.partitions(2)?.len();
    let others = members.len() - 1;
    Ok(Script::new()
        .groups()
        .setting("consumer.partition.assignment.strategy", "range")
        .expect(format!("members({group}) == {others}"))
        .caption(format!(
            "{others} of {} members read all {count} partitions.",
            members.len()
        ))
        .send(cast, Sent { partition: None, key: None, count: 6, ..Sent::one(cast, "") })
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .caption(format!("{new} joins: at the next heartbeat the others hear of it."))
        .start(new.as_str())
        .wait_until(format!("group({group}) == preparing-rebalance"))
        .caption("Each gives up all that it has, and joins again.")
        .wait_until(format!("owned({old}) == {{}}"))
        .caption(
            "The leader divides, the coordinator writes it down, everybody learns it.",
        )
        .wait_until(format!("group({group}) == stable"))
        .wait_until(format!("owned({new}) >= 1"))
        .expect(format!("members({group}) == {}", members.len()))
        .caption("Each reads on from what was committed.")
        .send(cast, Sent { partition: None, key: None, count: 6, ..Sent::one(cast, "") })
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .expect(format!("read-twice({group}) == 0"))
        .expect_nothing_lost())
}
