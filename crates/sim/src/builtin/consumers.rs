//! A: what consumers do.

use super::cast::Cast;
use super::script::{Script, Sent};
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "long-poll",
        title: "Pull and long poll",
        tell: "A consumer asks before there is anything to read; the broker keeps the fetch \
               until a record arrives or fetch.max.wait.ms has passed.",
        billing: Billing::OnDemand,
        script: long_poll,
    },
    Entry {
        id: "fetch-min-bytes",
        title: "fetch.min.bytes: wait for more",
        tell: "A fetch that asks for many bytes is answered when there are enough, or when \
               its time is over.",
        billing: Billing::OnDemand,
        script: fetch_min_bytes,
    },
    Entry {
        id: "replay",
        title: "Replay: read the same records again",
        tell: "Reading removes nothing: a consumer can go back to any offset.",
        billing: Billing::OnDemand,
        script: replay,
    },
    Entry {
        id: "offset-reset",
        title: "auto.offset.reset: where a reader without a position starts",
        tell: "A consumer that starts without a position asks for the earliest or the \
               latest offset.",
        billing: Billing::OnDemand,
        script: offset_reset,
    },
    Entry {
        id: "nearest-replica",
        title: "Read from a follower in the same rack",
        tell: "The leader sends a consumer that names its rack to a replica there \
               (KIP-392); the follower serves up to its own high watermark.",
        billing: Billing::OnDemand,
        script: nearest_replica,
    },
];

fn long_poll(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, reader) = (cast.name(), &cast.consumer()?.process);
    Ok(Script::new()
        .caption("There is nothing to read. Each fetch waits at the broker, 500 ms.")
        .wait(1_200)
        .expect(format!("records-read({reader}) == 0"))
        .caption("A record comes: the fetch that waits is answered at once.")
        .produce(cast, "order-123")
        .wait_until(format!("position({reader}, {name}) == 1"))
        .expect(format!("records-read({reader}) == 1"))
        .caption("And the next one waits already.")
        .wait(300))
}

fn fetch_min_bytes(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, reader) = (cast.name(), &cast.consumer()?.process);
    Ok(Script::new()
        .setting("consumer.fetch.min.bytes", "500")
        .setting("consumer.fetch.max.wait.ms", "2000")
        .caption("One small record is less than fetch.min.bytes: the fetch waits on.")
        .produce(cast, "order-123")
        .expect(format!("records-read({reader}) == 0"))
        .caption("fetch.max.wait.ms is over: the reader gets what there is.")
        .wait_until(format!("position({reader}, {name}) == 1"))
        .caption("Now there are enough bytes, and nobody waits for the clock.")
        .send(cast, Sent { count: 40, key: None, ..Sent::one(cast, "") })
        .wait(20)
        .expect(format!("position({reader}, {name}) == 41")))
}

fn replay(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, reader) = (cast.name(), &cast.consumer()?.process);
    Ok(Script::new()
        .send(cast, Sent { count: 3, ..Sent::one(cast, "order-123") })
        .wait_until(format!("position({reader}, {name}) == 3"))
        .caption("Back to the beginning: ListOffsets says where that is.")
        .client(reader, format!("seek {name} to earliest"))
        .wait_until(format!("records-read({reader}) == 6"))
        .caption("Any offset will do: from 2 there is one record to read again.")
        .client(reader, format!("seek {name} to 2"))
        .wait_until(format!("records-read({reader}) == 7"))
        .caption("Paused, it asks for nothing. Resumed, it goes on where it was.")
        .client(reader, format!("pause {name}"))
        .produce(cast, "order-124")
        .wait(700)
        .expect(format!("position({reader}, {name}) == 3"))
        .client(reader, format!("resume {name}"))
        .wait_until(format!("position({reader}, {name}) == 4"))
        .expect(format!("records-read({reader}) == 8"))
        .expect(format!("log-start({name}) == 0")))
}

fn offset_reset(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, reader) = (cast.name(), &cast.consumer()?.process);
    Ok(Script::new()
        .setting("consumer.auto.offset.reset", "latest")
        .produce(cast, "order-123")
        .wait_until(format!("position({reader}, {name}) == 1"))
        .caption(
            "The reader starts anew without a position: `latest` skips what is there.",
        )
        .restart(reader.as_str())
        .wait_until(format!("position({reader}, {name}) == 1"))
        .produce(cast, "order-124")
        .wait_until(format!("position({reader}, {name}) == 2"))
        .expect(format!("records-read({reader}) == 2"))
        .caption("`earliest` would have begun here.")
        .client(reader, format!("seek {name} to earliest"))
        .wait_until(format!("records-read({reader}) == 4")))
}

fn nearest_replica(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, leader) = (cast.name(), cast.leader()?);
    let reader = &cast.consumer()?.process;
    let rack = |process| cast.plan.node(process).and_then(|node| node.rack.as_deref());
    let near = cast.followers(1)?.into_iter().find_map(|follower| {
        let theirs = rack(follower).filter(|it| Some(*it) != rack(leader))?;
        Some((follower, theirs))
    });
    let lack = || format!("It needs a follower of {name} in another rack than {leader}.");
    let (near, rack) = near.ok_or_else(lack)?;
    Ok(Script::new()
        .setting("replica.selector.class", "RackAwareReplicaSelector")
        .setting("consumer.client.rack", rack)
        .setting("consumer.auto.offset.reset", "earliest")
        .caption(format!("The reader is in rack {rack}, and tells the leader so."))
        .restart(reader.as_str())
        .produce(cast, "order-1")
        .caption(format!("The leader names {near}, which is in the same rack."))
        .wait_until(format!("position({reader}, {name}) == 1"))
        .caption("Without the leader it reads on; it comes one round later.")
        .partition(&[leader], &[reader])
        .produce(cast, "order-2")
        .wait_until(format!("position({reader}, {name}) == 2"))
        .expect(format!("leader({name}) == {leader}"))
        .heal()
        .expect_nothing_lost())
}
