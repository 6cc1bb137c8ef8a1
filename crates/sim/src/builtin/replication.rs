//! B1 to B10: how replicas follow, leave, return, and take over.

use super::cast::{Cast, list};
use super::script::Script;
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[Entry {
    id: "leader-election",
    title: "Broker failure: leader election",
    tell: "The leader of a partition dies; a follower in the ISR takes over and nothing \
           that was acknowledged is lost.",
    billing: Billing::Always,
    script: leader_election,
}];

fn leader_election(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, followers) = (cast.leader()?, cast.followers(1)?);
    cast.survives(leader)?;
    let (name, successor) = (cast.name(), followers[0]);
    Ok(Script::new()
        .produce(cast, "order-123")
        .crash(leader.as_str())
        .wait_until(format!("leader({name}) == {successor}"))
        .produce(cast, "order-124")
        .expect_nothing_lost()
        .expect(format!("leader({name}) == {successor}"))
        .expect(format!("isr({name}) == {{{}}}", list(&followers)))
        .expect(format!("high-watermark({name}) >= 2")))
}
