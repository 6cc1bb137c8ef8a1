//! A: what producers and consumers do.

use super::cast::Cast;
use super::script::Script;
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[Entry {
    id: "acks-all",
    title: "Producer acks=all: full acknowledgement chain",
    tell: "The leader answers once every in-sync replica has fetched the record.",
    billing: Billing::Always,
    script: acks_all,
}];

fn acks_all(cast: &Cast<'_>) -> Result<Script, String> {
    let (replicas, name) = (cast.replicas_at_least(2)?.len(), cast.name());
    Ok(Script::new()
        .produce(cast, "order-123")
        .expect(format!("high-watermark({name}) >= 1"))
        .expect(format!("isr-size({name}) == {replicas}"))
        .expect_nothing_lost())
}
