//! F: what stands on disk.

use topomotion_model::{Acks, ProcessId};

use super::cast::Cast;
use super::script::{Script, Sent};
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "segment-roll",
        title: "A log is a row of segment files",
        tell: "A full segment is closed and the next one is named after the first offset \
               that it will hold.",
        billing: Billing::OnDemand,
        script: segment_roll,
    },
    Entry {
        id: "index-lookup",
        title: "How an offset is found: segment, index, scan",
        tell: "The file name gives the segment, the sparse index a byte near the record, \
               and a short scan the record itself.",
        billing: Billing::OnDemand,
        script: index_lookup,
    },
    Entry {
        id: "time-lookup",
        title: "How a time is found: the time index",
        tell: "The time index leads from a timestamp to an offset; the reader goes on from \
               there.",
        billing: Billing::OnDemand,
        script: time_lookup,
    },
    Entry {
        id: "power-loss-alone",
        title: "Page cache: one replica loses power",
        tell: "An acknowledged record is in the page cache, not on the platter: with one \
               replica, a power loss can take it away.",
        billing: Billing::OnDemand,
        script: power_loss_alone,
    },
    Entry {
        id: "power-loss",
        title: "Page cache: replicas make up for a power loss",
        tell: "The leader loses its page cache, but the other replicas have the records.",
        billing: Billing::OnDemand,
        script: power_loss,
    },
    Entry {
        id: "epoch-checkpoint",
        title: "leader-epoch-checkpoint: who led from which offset",
        tell: "Each leadership that writes is noted with its first offset; so replicas can \
               tell where their logs part.",
        billing: Billing::OnDemand,
        script: epoch_checkpoint,
    },
    Entry {
        id: "batch-layout",
        title: "A record batch on disk",
        tell: "The producer's batch is stored as it came; the leader writes only its base \
               offset and leader epoch, which the checksum leaves out.",
        billing: Billing::OnDemand,
        script: batch_layout,
    },
];

/// Two batches of one short record fit, a third does not.
const TWO_BATCHES: &str = "200";
/// Four batches of one short record fit.
const FOUR_BATCHES: &str = "400";
/// More than one such batch, less than two: every other one gets an index entry.
const EVERY_OTHER: &str = "100";

fn segment_roll(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, leader) = (cast.name(), cast.leader()?);
    let batches = |count| Sent { count, ..Sent::one(cast, "order-1") };
    Ok(Script::new()
        .setting("segment.bytes", TWO_BATCHES)
        .setting("producer.batch.size", "1")
        .caption("segment.bytes is 200 here: two batches fill a segment.")
        .send(cast, batches(2))
        .caption("The third does not fit: the segment is closed, the next one begins.")
        .send(cast, batches(3))
        .caption("Each file is named after its first offset.")
        .admin(dump("segments", cast, leader))
        .wait(500)
        .expect(format!("log-end({name}) == 5"))
        .expect(format!("log-start({name}) == 0"))
        .expect_nothing_lost())
}

fn index_lookup(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, leader) = (cast.name(), cast.leader()?);
    let reader = &cast.consumer()?.process;
    Ok(small_segments()
        .setting("producer.batch.size", "1")
        .caption("Five batches of one record; four of them fill the first segment.")
        .send(cast, Sent { count: 5, acks: Acks::Leader, ..Sent::one(cast, "order-1") })
        .wait_until(format!("position({reader}, {name}) == 5"))
        .caption("Beside each segment lies its index: some offsets, each with its byte.")
        .admin(dump("indexes", cast, leader))
        .caption("Offset 3: the last segment that begins before it, then its index.")
        .client(reader, format!("seek {name} to 3"))
        .wait_until(format!("records-read({reader}) == 7"))
        .caption("From the nearest entry the log was scanned, batch by batch.")
        .wait(300)
        .expect(format!("position({reader}, {name}) == 5"))
        .expect_nothing_lost())
}

fn time_lookup(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, leader) = (cast.name(), cast.leader()?);
    let reader = &cast.consumer()?.process;
    let five = (1..=5).fold(small_segments(), |script, at| {
        script.produce_as(cast, &order(at), Acks::Leader).wait(1_000)
    });
    Ok(five
        .expect(format!("position({reader}, {name}) == 5"))
        .caption("The time index says how far in time the log is at some offsets.")
        .admin(dump("times", cast, leader))
        .caption("What came in the last 2.5 seconds? ListOffsets asks with a timestamp.")
        .client(reader, format!("seek {name} to 2500 ms ago"))
        .wait_until(format!("records-read({reader}) == 7"))
        .expect(format!("position({reader}, {name}) == 5"))
        .expect_nothing_lost())
}

fn small_segments() -> Script {
    Script::new()
        .setting("segment.bytes", FOUR_BATCHES)
        .setting("index.interval.bytes", EVERY_OTHER)
}

fn order(number: u32) -> String {
    format!("order-{number}")
}

fn power_loss_alone(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, name) = (cast.leader()?, cast.name());
    outlived(cast, leader)?;
    let four = Sent { count: 4, ..Sent::one(cast, "order-1") };
    Ok(Script::new()
        .setting("producer.batch.size", "1")
        .caption(format!("{name} is left with one replica."))
        .admin(format!("reassign {name} to {leader}"))
        .wait_until(format!("isr-size({name}) == 1"))
        .wait(500)
        .caption("acks=all, and all is one: four batches are in its page cache.")
        .send(cast, four)
        .expect(format!("log-end({name}) == 4"))
        .caption("The power fails before the page cache has reached the platter.")
        .fault(format!("power-loss {leader}"))
        .wait_until(format!("leader({name}) == none"))
        .restart(leader.as_str())
        .wait_until(format!("leader({name}) == {leader}"))
        .wait_until(format!("log-end({name}) < 4"))
        .caption(
            "Recovery kept what it found whole. The rest is lost, though acknowledged.",
        )
        .admin(dump("segments", cast, leader))
        .wait(500))
}

/// Whether somebody can elect a leader while this broker is down.
fn outlived(cast: &Cast<'_>, broker: &ProcessId) -> Result<(), String> {
    let votes = cast.plan.voters().any(|node| node.process == *broker);
    if votes && cast.plan.voters().count() < 3 {
        return Err(format!("It needs a controller that outlives `{broker}`."));
    }
    Ok(())
}

fn power_loss(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, name) = (cast.leader()?, cast.name());
    cast.survives(leader)?;
    cast.followers(1)?;
    let eight = Sent { count: 8, ..Sent::one(cast, "order-1") };
    Ok(Script::new()
        .caption("acks=all: in the page cache of every in-sync replica.")
        .send(cast, eight)
        .caption("The leader's power fails. Nothing of this had reached its platter.")
        .fault(format!("power-loss {leader}"))
        .wait_until(format!("leader({name}) != {leader}"))
        .caption("A replica that has all of it takes over.")
        .wait(300)
        .expect(format!("log-end({name}) == 8"))
        .expect_nothing_lost())
}

fn epoch_checkpoint(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, successor) = (cast.leader()?, cast.followers(1)?[0]);
    cast.survives(leader)?;
    let name = cast.name();
    Ok(Script::new()
        .send(cast, Sent { count: 2, ..Sent::one(cast, "order-1") })
        .caption("The first leadership began at offset 0.")
        .admin(dump("epochs", cast, successor))
        .crash(leader.as_str())
        .wait_until(format!("leader({name}) == {successor}"))
        .wait(200)
        .caption("The new leader notes its epoch, with the end of its own log.")
        .admin(dump("epochs", cast, successor))
        .wait(300)
        .produce(cast, "order-2")
        .expect(format!("leader-epoch({name}) == 1"))
        .expect(format!("log-end({name}) == 3"))
        .expect_nothing_lost())
}

fn batch_layout(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, follower) = (cast.leader()?, cast.followers(1)?[0]);
    let name = cast.name();
    let three = Sent { count: 3, ..Sent::one(cast, "order-123") };
    Ok(Script::new()
        .caption("Three records, one batch: unit of append, checksum and compression.")
        .send(cast, three)
        .caption("The header has 61 bytes; the checksum covers what follows it.")
        .admin(dump("batch", cast, leader))
        .wait(500)
        .caption("A follower has the same bytes: nothing is encoded again.")
        .admin(dump("batch", cast, follower))
        .wait(500)
        .expect(format!("log-end({name}, {follower}) == 3"))
        .expect_nothing_lost())
}

/// A look at the files of the story's partition.
fn dump(what: &str, cast: &Cast<'_>, on: &ProcessId) -> String {
    format!("dump-log {what} {} on {on}", cast.name())
}
