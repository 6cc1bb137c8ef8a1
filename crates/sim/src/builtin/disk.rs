//! F3, F4, F6: what a log forgets, what it keeps of each key, and how its bytes get out.

use topomotion_model::{Acks, Awaits, StepKind};

use super::cast::Cast;
use super::script::{Script, Sent};
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "retention-size",
        title: "Retention by size: the oldest segments go",
        tell: "A log that is larger than retention.bytes loses whole segments at its front. A \
               reader that was slower finds its offset gone.",
        billing: Billing::OnDemand,
        script: retention_size,
    },
    Entry {
        id: "retention-time",
        title: "Retention by time: a segment is as old as its newest record",
        tell: "What is older than retention.ms goes, but only with its whole segment, and the \
               segment's newest record decides.",
        billing: Billing::OnDemand,
        script: retention_time,
    },
    Entry {
        id: "compaction",
        title: "Compaction: the latest value of every key",
        tell: "cleanup.policy=compact removes what a later record of the same key has \
               replaced. Offsets stay as they are; a tombstone goes in the end too.",
        billing: Billing::OnDemand,
        script: compaction,
    },
    Entry {
        id: "zero-copy",
        title: "Zero copy: the bytes on disk are the bytes on the wire",
        tell: "Nobody between producer and consumer opens a batch, so a broker can have the \
               kernel send a file. A compression.type of the topic's own breaks that.",
        billing: Billing::OnDemand,
        script: zero_copy,
    },
];

/// Two batches of one short record fit, a third does not.
const TWO_BATCHES: &str = "200";

/// A story of short segments, in which every record is a batch and logs are looked at often.
fn short_segments() -> Script {
    Script::new()
        .setting("segment.bytes", TWO_BATCHES)
        .setting("producer.batch.size", "1")
        .setting("log.retention.check.interval.ms", "10000")
}

fn retention_size(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, reader) = (cast.name(), &cast.consumer()?.process);
    let leader = cast.leader()?;
    Ok(short_segments()
        .setting("retention.bytes", TWO_BATCHES)
        .setting("consumer.auto.offset.reset", "earliest")
        .produce(cast, "order-1")
        .wait_until(format!("position({reader}, {name}) == 1"))
        .caption(format!("{reader} has read one record, and stands still for a while."))
        .client(reader, format!("pause {name}"))
        .wait(600)
        .caption("Four more: 415 bytes in three segments. retention.bytes is 200 here.")
        .send(cast, Sent { count: 4, ..Sent::one(cast, "order-2") })
        .admin(dump("segments", cast, leader))
        .caption("Every 10 s (by default every 5 minutes) each log is looked at.")
        .wait_until(format!("log-start({name}) == 2"))
        .caption(
            "The oldest segment has gone. Without the next one it would be less than 200 \
             bytes, so that one stays.",
        )
        .admin(dump("segments", cast, leader))
        .expect(format!("log-end({name}) == 5"))
        .caption("The reader goes on, at offset 1: OFFSET_OUT_OF_RANGE.")
        .client(reader, format!("resume {name}"))
        .wait_until(format!("told({reader}, OFFSET_OUT_OF_RANGE)"))
        .caption(
            "auto.offset.reset=earliest: on at 2. It will never know what offset 1 was.",
        )
        .wait_until(format!("position({reader}, {name}) == 5"))
        .expect(format!("records-read({reader}) == 4")))
}

fn retention_time(cast: &Cast<'_>) -> Result<Script, String> {
    let name = cast.name();
    Ok(short_segments()
        .setting("retention.ms", "60000")
        .caption("retention.ms is a minute here; by default a week.")
        .produce(cast, "order-1")
        .wait(45_000)
        .caption("45 s later: the second record fills the segment.")
        .produce(cast, "order-2")
        .produce(cast, "order-3")
        .wait(30_000)
        .caption(
            "The first record is 75 s old, and still there: its segment is as old as its \
             newest record, and that is 30 s.",
        )
        .expect(format!("log-start({name}) == 0"))
        .produce(cast, "order-4")
        .caption("Another 30 s, and both go at once.")
        .wait_until(format!("log-start({name}) == 2"))
        .expect(format!("log-end({name}) == 4")))
}

/// A value for each of these keys, to the story's partition, in one batch.
fn users(mut script: Script, cast: &Cast<'_>, values: &[(&str, &str)]) -> Script {
    for (index, (key, value)) in values.iter().enumerate() {
        let awaits = match index + 1 == values.len() {
            true => Awaits::Answers,
            false => Awaits::Nothing,
        };
        script = script.then(StepKind::Produce {
            producer: cast.producer.process.clone(),
            topic: Some(cast.topic.name.clone()),
            key: Some((*key).to_owned()),
            value: Some((*value).to_owned()),
            partition: Some(cast.number()),
            acks: Some(Acks::All),
            count: 1,
            awaits,
        });
    }
    script
}

/// Longer than a batch of five short records, shorter than one with anything behind it.
const ONE_BATCH: &str = "150";

const FIRST: [(&str, &str); 5] =
    [("user1", "v1"), ("user2", "v1"), ("user1", "v2"), ("user3", "v1"), ("user2", "v2")];
const SECOND: [(&str, &str); 5] =
    [("user1", "v3"), ("user2", "v3"), ("user1", "v4"), ("user2", "v4"), ("user1", "v5")];
const THIRD: [(&str, &str); 2] = [("user1", "v6"), ("user2", "v6")];

fn compaction(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, leader) = (cast.name(), cast.leader()?);
    let (reader, writer) = (&cast.consumer()?.process, &cast.producer.process);
    let script = Script::new()
        .setting("cleanup.policy", "compact")
        .setting("segment.bytes", ONE_BATCH)
        .setting("min.cleanable.dirty.ratio", "0.2")
        .setting("delete.retention.ms", "30000")
        .setting("producer.acks", "all")
        .caption("Five values of three users, in one segment.");
    let script = users(script, cast, &FIRST)
        .caption("user3 is to be forgotten: a tombstone, a record without a value.")
        .client(writer, format!("tombstone {name} user3"))
        .wait_until(format!("high-watermark({name}) == 6"))
        .caption("It is in the active segment, which the cleaner never touches.")
        .admin(dump("records", cast, leader))
        .caption(
            "The cleaner looks every 15 s. More than a fifth is dirty (by default, half: \
             min.cleanable.dirty.ratio).",
        )
        .wait(16_000)
        .caption("0 and 1 are gone. The others kept their offsets: there is a gap.")
        .admin(dump("records", cast, leader));
    let script = users(script, cast, &SECOND)
        .caption("Now the tombstone's segment is closed: it takes user3's value away.")
        .wait(16_000)
        .admin(dump("records", cast, leader))
        .caption(
            "It stays for delete.retention.ms (30 s here, a day by default), so that slow \
             readers see it.",
        )
        .wait(31_000)
        .caption("A round after that drops it too, and with it the last word of user3.");
    Ok(users(script, cast, &THIRD)
        .wait(16_000)
        .admin(dump("records", cast, leader))
        .caption(
            "Who reads from the start gets the latest value of every user, and what has \
             not been cleaned yet.",
        )
        .client(reader, format!("seek {name} to earliest"))
        .wait_until(format!("position({reader}, {name}) == 13"))
        .expect(format!("log-start({name}) == 0")))
}

fn zero_copy(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, topic) = (cast.name(), &cast.topic.name);
    let (leader, follower) = (cast.leader()?, cast.followers(1)?[0]);
    let reader = &cast.consumer()?.process;
    let batch = || Sent { count: 20, ..Sent::one(cast, "order-123") };
    Ok(Script::new()
        .setting("producer.compression.type", "gzip")
        .caption("The producer compresses a batch of 20 records, once.")
        .send(cast, batch())
        .caption("The leader stores it as it came: attributes=1 is gzip.")
        .admin(dump("batch", cast, leader))
        .caption(
            "An ordinary server copies four times: disk → page cache → its own memory → \
             socket buffer → network card.",
        )
        .wait_until(format!("position({reader}, {name}) == 20"))
        .caption(
            "sendfile(): page cache → network card. The broker never sees the bytes; the \
             follower's are the same, checksum and all.",
        )
        .admin(dump("batch", cast, follower))
        .wait(300)
        .caption(
            "A topic with a compression.type of its own: the leader must open every batch \
             and write another one.",
        )
        .admin(format!("set topic {topic} compression.type=zstd"))
        .wait(500)
        .send(cast, batch())
        .caption("attributes=4: zstd, another checksum. That is paid when it is written.")
        .admin(dump("batch", cast, leader))
        .wait_until(format!("position({reader}, {name}) == 40"))
        .say(
            "TLS takes the other half away: what must be encrypted has to pass through the \
             broker's memory. Then there is no sendfile().",
        )
        .wait(300)
        .expect(format!("records-read({reader}) == 40"))
        .expect(format!("log-end({name}) == 40")))
}

/// A look at the files of the story's partition.
fn dump(what: &str, cast: &Cast<'_>, on: &topomotion_model::ProcessId) -> String {
    format!("dump-log {what} {} on {on}", cast.name())
}
