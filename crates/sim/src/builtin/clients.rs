//! A: what producers and consumers do.

use topomotion_client::partition_for_key;
use topomotion_model::{Acks, Awaits};

use super::cast::Cast;
use super::script::{Script, Sent};
use super::{Billing, Entry};
use crate::ConsumerPlan;

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "anatomy",
        title: "Topic, partition, offset: what a cluster is made of",
        tell: "A partition is a log: every record gets the next offset, and every group \
               reads it at its own position.",
        billing: Billing::OnDemand,
        script: anatomy,
    },
    Entry {
        id: "bootstrap",
        title: "Bootstrap: from one address to every leader",
        tell: "A client asks any broker who leads what, and then talks to the leaders.",
        billing: Billing::OnDemand,
        script: bootstrap,
    },
    Entry {
        id: "create-topic",
        title: "A topic is created and its replicas are placed",
        tell: "The controller spreads leaders over the brokers; brokers learn of their \
               replicas from the metadata log.",
        billing: Billing::OnDemand,
        script: create_topic,
    },
    Entry {
        id: "too-many-replicas",
        title: "More replicas than brokers: refused",
        tell: "Two replicas of a partition never share a broker, so a replication factor \
               above the number of brokers is refused.",
        billing: Billing::OnDemand,
        script: too_many_replicas,
    },
    Entry {
        id: "acks-none",
        title: "Producer acks=0: sent and forgotten",
        tell: "Nothing is answered and nothing is promised: a record on its way to a dying \
               leader is lost without a word.",
        billing: Billing::OnDemand,
        script: acks_none,
    },
    Entry {
        id: "acks-leader",
        title: "Producer acks=1: the leader alone",
        tell: "The leader answers after its own append; the followers fetch the record \
               later.",
        billing: Billing::OnDemand,
        script: acks_leader,
    },
    Entry {
        id: "acks-all",
        title: "Producer acks=all: full acknowledgement chain",
        tell: "The leader answers once every in-sync replica has fetched the record.",
        billing: Billing::Always,
        script: acks_all,
    },
    Entry {
        id: "key-hash",
        title: "Same key, same partition",
        tell: "The key's murmur2 hash chooses the partition, so records of one key stay in \
               order.",
        billing: Billing::OnDemand,
        script: key_hash,
    },
    Entry {
        id: "grown-topic",
        title: "More partitions: keys move",
        tell: "The hash is taken modulo the number of partitions: once a topic has grown, \
               a key may go elsewhere, and its order is broken.",
        billing: Billing::OnDemand,
        script: grown_topic,
    },
    Entry {
        id: "sticky-partitioner",
        title: "No key: one partition until a batch is full",
        tell: "Records without a key stick to one partition for batch.size bytes, so that \
               batches fill up.",
        billing: Billing::OnDemand,
        script: sticky_partitioner,
    },
    Entry {
        id: "round-robin",
        title: "RoundRobinPartitioner: each partition in turn",
        tell: "Records go to one partition after the other: even, but in many small batches.",
        billing: Billing::OnDemand,
        script: round_robin,
    },
    Entry {
        id: "producer-batches",
        title: "Inside the producer: linger.ms and batch.size",
        tell: "Records gather in a batch per partition, and batches for one broker leave in \
               one request.",
        billing: Billing::OnDemand,
        script: producer_batches,
    },
    Entry {
        id: "in-flight",
        title: "Five requests in flight",
        tell: "A producer does not wait for an answer before it sends on, but has at most \
               five requests open at a broker.",
        billing: Billing::OnDemand,
        script: in_flight,
    },
];

fn anatomy(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, readers) = (cast.name(), readers(cast)?);
    let three = Sent { count: 3, key: None, ..Sent::one(cast, "") };
    let script = Script::new()
        .caption(format!("{name} is one log. Its leader appends at its end."))
        .produce(cast, "first")
        .expect(format!("log-end({name}) == 1"))
        .caption("Every record gets the next offset: 1, 2, 3.")
        .send(cast, three)
        .expect(format!("log-end({name}) == 4"));
    let script = readers.iter().fold(script, |script, reader| {
        script.wait_until(format!("position({}, {name}) == 4", reader.process))
    });
    let end = match readers.len() {
        1 => "The reader keeps its own position; the log stays as it is.",
        _ => "Every reader keeps its own position; the log stays as it is.",
    };
    Ok(script.caption(end).wait(500).expect(format!("log-start({name}) == 0")))
}

fn bootstrap(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, leader) = (cast.name(), cast.leader()?);
    let producer = &cast.producer.process;
    Ok(Script::new()
        .caption("A producer starts. It knows one address: bootstrap.servers.")
        .restart(producer.as_str())
        .caption("It asks there who leads what, then dials the leader itself.")
        .produce(cast, "order-123")
        .expect(format!("leader({name}) == {leader}"))
        .expect(format!("log-end({name}, {leader}) == 1"))
        .expect_nothing_lost())
}

fn create_topic(cast: &Cast<'_>) -> Result<Script, String> {
    let brokers = cast.brokers(2)?.len();
    let (topic, replicas) = (free_topic(cast), brokers.min(3));
    let last = brokers - 1;
    let script = Script::new()
        .caption("Any broker takes the request. It forwards it to the active controller.")
        .admin(format!("create-topic {topic} partitions={brokers} replicas={replicas}"))
        .caption("Each broker learns from the metadata log what it leads and follows.")
        .wait_until(format!("leader({topic}-{last}) != none"))
        .wait(200)
        .expect(format!("partitions({topic}) == {brokers}"));
    // The placer goes around the brokers, so neighbours never lead together.
    Ok((1..brokers).fold(script, |script, partition| {
        let before = format!("@leader({topic}-{})", partition - 1);
        script.expect(format!("leader({topic}-{partition}) != {before}"))
    }))
}

fn too_many_replicas(cast: &Cast<'_>) -> Result<Script, String> {
    let (topic, brokers) = (free_topic(cast), cast.brokers(1)?.len());
    let wanted = brokers + 1;
    let producer = &cast.producer.process;
    Ok(Script::new()
        .caption(format!("{wanted} replicas of each partition on {brokers} brokers?"))
        .admin(format!("create-topic {topic} partitions=1 replicas={wanted}"))
        .expect(format!("told({producer}, INVALID_REPLICATION_FACTOR)"))
        .expect(format!("partitions({topic}) == 0"))
        .caption("As many replicas as brokers is the most there can be.")
        .admin(format!("create-topic {topic} partitions=1 replicas={brokers}"))
        .wait_until(format!("isr-size({topic}-0) == {brokers}")))
}

fn acks_none(cast: &Cast<'_>) -> Result<Script, String> {
    let (leader, name) = (cast.leader()?, cast.name());
    cast.survives(leader)?;
    Ok(Script::new()
        .caption("acks=0: the leader appends and answers nothing.")
        .produce_as(cast, "order-123", Acks::None)
        .wait_until(format!("high-watermark({name}) == 1"))
        .caption("The next record is on its way when the leader dies.")
        .produce_as(cast, "order-124", Acks::None)
        .crash(leader.as_str())
        .wait_until(format!("leader({name}) != {leader}"))
        .caption("The second record is gone. Nobody was told, and nothing was promised.")
        .expect(format!("log-end({name}) == 1"))
        .expect_nothing_lost())
}

fn acks_leader(cast: &Cast<'_>) -> Result<Script, String> {
    let (followers, name) = (cast.followers(1)?, cast.name());
    let script = Script::new()
        .caption("acks=1: the leader answers as soon as the record is in its own log.")
        .produce_as(cast, "order-123", Acks::Leader)
        .expect(format!("log-end({name}) == 1"))
        .caption("The answer is back, and the record is not committed yet.")
        .expect(format!("high-watermark({name}) == 0"));
    let script = followers.iter().fold(script, |script, follower| {
        script.wait_until(format!("log-end({name}, {follower}) == 1"))
    });
    Ok(script
        .caption("Only now would the record survive its leader.")
        .wait_until(format!("high-watermark({name}) == 1"))
        .expect_nothing_lost())
}

fn acks_all(cast: &Cast<'_>) -> Result<Script, String> {
    let (replicas, name) = (cast.replicas_at_least(2)?.len(), cast.name());
    Ok(Script::new()
        .produce(cast, "order-123")
        .expect(format!("high-watermark({name}) >= 1"))
        .expect(format!("isr-size({name}) == {replicas}"))
        .expect_nothing_lost())
}

fn key_hash(cast: &Cast<'_>) -> Result<Script, String> {
    let count = partitions(cast, 2)?;
    let topic = &cast.topic.name;
    let one = KEYS[0];
    let home = partition_for_key(one.as_bytes(), count);
    let elsewhere = |key: &&&str| partition_for_key(key.as_bytes(), count) != home;
    let lack = || format!("It needs keys of more than one partition of {topic}.");
    let other = KEYS.iter().find(elsewhere).ok_or_else(lack)?;
    let away = partition_for_key(other.as_bytes(), count);
    Ok(Script::new()
        .caption(format!("murmur2(\"{one}\") mod {count} = {home}: to {topic}-{home}."))
        .send(cast, keyed(cast, one))
        .caption(format!("murmur2(\"{other}\") mod {count} = {away}: to {topic}-{away}."))
        .send(cast, keyed(cast, other))
        .caption(format!("\"{one}\" again: the same partition, behind the first."))
        .send(cast, keyed(cast, one))
        .expect(format!("log-end({topic}-{home}) == 2"))
        .expect(format!("log-end({topic}-{away}) == 1"))
        .expect_nothing_lost())
}

fn grown_topic(cast: &Cast<'_>) -> Result<Script, String> {
    let before = partitions(cast, 1)?;
    let after = before + 1;
    let topic = &cast.topic.name;
    let places = |key: &str| {
        let key = key.as_bytes();
        (partition_for_key(key, before), partition_for_key(key, after))
    };
    let moves = |key: &&&str| places(key).1 == before;
    let lack = || format!("It needs a key that moves when {topic} grows.");
    let key = *KEYS.iter().find(moves).ok_or_else(lack)?;
    let (home, away) = places(key);
    Ok(Script::new()
        .setting("producer.metadata.max.age.ms", "1000")
        .caption(format!("\"{key}\" belongs to {topic}-{home}: hash mod {before}."))
        .send(cast, keyed(cast, key))
        .expect(format!("log-end({topic}-{home}) == 1"))
        .admin(format!("grow {topic} to {after}"))
        .wait_until(format!("leader({topic}-{away}) != none"))
        .caption("The producer hears of it when it next asks for metadata.")
        .wait(2_500)
        .caption(format!("Now the hash is taken mod {after}: \"{key}\" has moved."))
        .send(cast, keyed(cast, key))
        .expect(format!("partitions({topic}) == {after}"))
        .expect(format!("log-end({topic}-{away}) == 1"))
        .expect(format!("log-end({topic}-{home}) == 1"))
        .expect_nothing_lost())
}

fn sticky_partitioner(cast: &Cast<'_>) -> Result<Script, String> {
    let (count, topic) = (partitions(cast, 2)?, &cast.topic.name);
    let three = Sent { count: 3, ..keyless(cast) };
    let script = Script::new()
        .setting("producer.batch.size", "150")
        .caption("Three records without a key: all go to one partition, in one batch.")
        .send(cast, three.clone());
    // Which partition it is, is drawn by lot: none has only one of the three.
    let script = (0..count).fold(script, |script, partition| {
        script.expect(format!("log-end({topic}-{partition}) != 1"))
    });
    Ok(script
        .caption(
            "A batch is full after batch.size bytes: then another partition is drawn.",
        )
        .send(cast, Sent { count: 15, ..three })
        .expect_nothing_lost())
}

fn round_robin(cast: &Cast<'_>) -> Result<Script, String> {
    let (count, topic) = (partitions(cast, 2)?, &cast.topic.name);
    let records = u32::try_from(2 * count).unwrap_or(u32::MAX);
    let script = Script::new()
        .setting("producer.partitioner.class", "RoundRobinPartitioner")
        .caption(format!("{records} records, one partition after the other."))
        .send(cast, Sent { count: records, ..keyless(cast) });
    let script = (0..count).fold(script, |script, partition| {
        script.expect(format!("log-end({topic}-{partition}) == 2"))
    });
    Ok(script.expect_nothing_lost())
}

fn producer_batches(cast: &Cast<'_>) -> Result<Script, String> {
    let (count, topic) = (partitions(cast, 2)?, &cast.topic.name);
    let unawaited = |partition: u32, count: u32| Sent {
        key: None,
        partition: Some(partition),
        count,
        awaits: Awaits::Nothing,
        ..Sent::one(cast, "")
    };
    let all = u32::try_from(count).unwrap_or(u32::MAX);
    let script = Script::new()
        .setting("producer.linger.ms", "50")
        .setting("producer.batch.size", "300")
        .caption("send() only puts a record into the batch of its partition.");
    let script = (0..all)
        .fold(script, |script, partition| script.send(cast, unawaited(partition, 2)));
    let script = script
        .wait(40)
        .caption("linger.ms passes: each broker gets one request with all its batches.")
        .wait(60);
    let script = (0..all).fold(script, |script, partition| {
        script.expect(format!("log-end({topic}-{partition}) == 2"))
    });
    let name = cast.name();
    Ok(script
        .caption("A full batch does not wait for linger.ms.")
        .send(cast, unawaited(cast.number(), 20))
        .wait(25)
        .expect(format!("log-end({name}) > 2"))
        .expect(format!("log-end({name}) < 22"))
        .wait(200)
        .expect(format!("log-end({name}) == 22"))
        .expect_nothing_lost())
}

fn in_flight(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, leader) = (cast.name(), cast.leader()?);
    let producer = &cast.producer.process;
    let six = Sent { count: 6, key: None, acks: Acks::Leader, ..Sent::one(cast, "") };
    Ok(Script::new()
        // Every record is a batch of its own.
        .setting("producer.batch.size", "1")
        .fault(format!("slow {leader} > {producer} by 200 ms"))
        .caption("Answers are slow. Five requests leave, the sixth batch waits its turn.")
        .send(cast, Sent { awaits: Awaits::Nothing, ..six })
        .wait_until(format!("log-end({name}) == 5"))
        .wait(100)
        .expect(format!("log-end({name}) == 5"))
        .caption("The first answer makes room for the next request.")
        .wait_until(format!("log-end({name}) == 6"))
        .heal()
        .expect_nothing_lost())
}

/// Names to hash, until one lands where the story needs it.
const KEYS: [&str; 12] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan", "judy",
    "mallory", "oscar",
];

/// One record whose key decides where it goes.
fn keyed(cast: &Cast<'_>, key: &str) -> Sent {
    Sent { partition: None, ..Sent::one(cast, key) }
}

/// One record that may go anywhere.
fn keyless(cast: &Cast<'_>) -> Sent {
    Sent { key: None, partition: None, ..Sent::one(cast, "") }
}

/// How many partitions the topic has; at least so many.
fn partitions(cast: &Cast<'_>, least: usize) -> Result<i32, String> {
    let found = cast.topic.assignment.len();
    match i32::try_from(found) {
        Ok(count) if found >= least => Ok(count),
        _ => {
            Err(format!("It needs {least} partitions: {} has {found}.", cast.topic.name))
        }
    }
}

/// Everybody who reads the story's partition.
fn readers<'a>(cast: &Cast<'a>) -> Result<Vec<&'a ConsumerPlan>, String> {
    cast.consumer()?;
    let wanted = (cast.topic.name.clone(), i32::try_from(cast.partition).unwrap_or(0));
    let readers = cast.plan.consumers.iter();
    Ok(readers.filter(|reader| reader.assignment.contains(&wanted)).collect())
}

/// A name that no topic has yet.
fn free_topic(cast: &Cast<'_>) -> String {
    let taken = |name: &String| cast.plan.topic(name).is_some();
    let names = ["audit", "payments", "ledger"].into_iter().map(str::to_owned);
    let mut names = names.chain((1..).map(|number| format!("topic-{number}")));
    names.find(|name| !taken(name)).unwrap_or_default()
}
