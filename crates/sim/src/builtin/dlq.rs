//! G1: a record that nobody can work on: what it holds up, and where it can go.

use topomotion_model::{Acks, Awaits, ProcessId, StepKind};

use super::cast::Cast;
use super::script::Script;
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "poison-message",
        title: "A poison message blocks its partition",
        tell: "The work on one record fails every time. Its offset is never committed, so \
               everything behind it waits; the other partitions go on.",
        billing: Billing::OnDemand,
        script: poison_message,
    },
    Entry {
        id: "dead-letter-queue",
        title: "A dead letter queue",
        tell: "After three retries the record goes to a topic of its own, with its origin and \
               the error in its headers; the partition goes on, and a tool replays it later.",
        billing: Billing::OnDemand,
        script: dead_letter_queue,
    },
    Entry {
        id: "retry-topic",
        title: "A retry topic: nobody waits behind a failure",
        tell: "A failed record waits for its next try in another topic: what came after it \
               is done first, and the order is gone.",
        billing: Billing::OnDemand,
        script: retry_topic,
    },
];

const POISON: &str = "no-price";

/// A story whose group works on what it reads, and fails on the poison.
fn with_work(members: &[&ProcessId], settings: &[(&str, &str)]) -> Script {
    let mut script = Script::new().groups();
    for member in members {
        let plain = [
            ("processing.fails.on", POISON),
            ("processing.retries", "3"),
            ("processing.backoff.ms", "200"),
        ];
        for (name, value) in plain.iter().chain(settings) {
            script = script.setting_of(member, name, value);
        }
    }
    script
}

/// An order, to this partition; nobody waits for its answer.
fn order(script: Script, cast: &Cast<'_>, partition: u32, value: &str) -> Script {
    script.then(StepKind::Produce {
        producer: cast.producer.process.clone(),
        topic: Some(cast.topic.name.clone()),
        key: None,
        value: Some(value.to_owned()),
        partition: Some(partition),
        acks: Some(Acks::All),
        count: 1,
        awaits: Awaits::Answers,
    })
}

/// Three orders, the second of them poison.
fn orders(script: Script, cast: &Cast<'_>) -> Script {
    let script = order(script, cast, cast.number(), "price=10");
    let script = order(script, cast, cast.number(), POISON);
    order(script, cast, cast.number(), "price=20")
}

fn poison_message(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(1)?;
    let name = cast.name();
    let others = cast.partitions(2)?;
    let other = others.iter().find(|it| it.partition != name.partition);
    let other = other.ok_or("It needs a second partition.")?;
    let mut script = with_work(&members, &[])
        .caption("Three orders. The work on the second fails: it has no price.");
    script = orders(script, cast)
        .wait_until(format!("committed({group}, {name}) == 1"))
        .caption("Again after 200, 400, 800 ms: a failure that passes is over by then.")
        .wait(1_600)
        .expect(format!("committed({group}, {name}) == 1"))
        .caption(format!("This one does not pass. {name} stands still: its lag grows."));
    script = order(script, cast, name.partition, "price=30")
        .wait(500)
        .expect(format!("lag({group}, {name}) == 3"))
        .caption(format!("{other} is worked on as ever: only one partition is stuck."));
    script = order(script, cast, other.partition, "price=40")
        .wait_until(format!("lag({group}, {other}) == 0"))
        .expect(format!("lag({group}, {name}) == 3"))
        .caption("Only a new release gets it going again.");
    for member in members {
        script = script.client(member, "fail on nothing");
    }
    Ok(script.wait_until(format!("lag({group}, {name}) == 0")).expect_nothing_lost())
}

fn dead_letter_queue(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(1)?;
    let (name, topic) = (cast.name(), &cast.topic.name);
    let dead = format!("{topic}.dlq");
    let owner = members[0];
    let script = with_work(&members, &[("processing.dlq.topic", &dead)])
        .caption("Three orders. The work on the second fails: it has no price.");
    let mut script = orders(script, cast)
        .caption("Three retries, each after a longer pause.")
        .wait_until(format!("log-end({dead}-0) == 1"))
        .caption(format!(
            "It goes to {dead} with where it came from and why. Only when that is \
             acknowledged its offset is committed."
        ))
        .wait_until(format!("lag({group}, {name}) == 0"))
        .expect(format!("committed({group}, {name}) == 3"))
        .caption("The partition goes on. Somebody looks at the dead letter, and mends the work.");
    for member in &members {
        script = script.client(member, "fail on nothing");
    }
    Ok(script
        .caption(format!("The replay tool writes it to {name} again, at a new offset."))
        .client(owner, format!("replay {dead}"))
        .expect(format!("log-end({name}) == 4"))
        .wait_until(format!("lag({group}, {name}) == 0"))
        .caption("A second replay finds nothing: it commits how far it got.")
        .client(owner, format!("replay {dead}"))
        .expect(format!("log-end({name}) == 4"))
        .expect_nothing_lost())
}

fn retry_topic(cast: &Cast<'_>) -> Result<Script, String> {
    let (group, members) = cast.group(1)?;
    let (name, topic) = (cast.name(), &cast.topic.name);
    let (retry, dead) = (format!("{topic}.retry"), format!("{topic}.dlq"));
    let settings =
        [("processing.retry.topic", &*retry), ("processing.dlq.topic", &*dead)];
    let script = with_work(&members, &settings)
        .caption("Three orders. The work on the second fails: it has no price.");
    Ok(orders(script, cast)
        .wait_until(format!("lag({group}, {name}) == 0"))
        .caption(format!(
            "The failed one waits in {retry}; the third is done long before it."
        ))
        .wait_until(format!("log-end({retry}-0) == 3"))
        .caption("Three tries there, and each writes it once more, with a later time.")
        .wait_until(format!("log-end({dead}-0) == 1"))
        .caption("Then it is a dead letter all the same.")
        .wait_until(format!("lag({group}, {retry}) == 0"))
        .expect(format!("committed({group}, {name}) == 3"))
        .expect_nothing_lost())
}
