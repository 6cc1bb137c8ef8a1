//! G6: a stream task: filter, count by key, a store that a topic can bring back.

use topomotion_model::{Acks, Awaits, StepKind};

use super::cast::Cast;
use super::script::Script;
use super::{Billing, Entry};
use crate::ConsumerPlan;

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "stream-count",
        title: "A stream task: filter, count, and a changelog",
        tell: "Every change of the local store is a record of a compacted topic. A task that \
               comes back has lost its store, and reads it from there.",
        billing: Billing::OnDemand,
        script: stream_count,
    },
    Entry {
        id: "stream-at-least-once",
        title: "At least once: a record is counted twice",
        tell: "The task dies after it has counted and before it has committed. The changelog \
               has the count, the group not the offset: the record is counted again.",
        billing: Billing::OnDemand,
        script: at_least_once,
    },
    Entry {
        id: "stream-exactly-once",
        title: "Exactly once: the count and the offset in one transaction",
        tell: "The same crash, but store, output and offset are one transaction: what the \
               dead task had written is aborted, and the record counts once.",
        billing: Billing::OnDemand,
        script: exactly_once,
    },
    Entry {
        id: "tumbling-window",
        title: "A tumbling window: counts per ten seconds",
        tell: "Each record falls into one window by its own time; every window has a count \
               of its own.",
        billing: Billing::OnDemand,
        script: tumbling_window,
    },
];

const KEY: &str = "ann";

/// A story in which the reader of the cast's partition counts.
fn counting<'a>(
    cast: &Cast<'a>,
    settings: &[(&str, &str)],
) -> Result<(Script, &'a ConsumerPlan), String> {
    let reader = cast.consumer()?;
    let mut script = Script::new()
        .groups()
        .setting_of(&reader.process, "group.instance.id", &reader.process.0)
        .setting_of(&reader.process, "streams.count.topic", "counts")
        .setting_of(&reader.process, "streams.filter", "amount >= 10");
    for (name, value) in settings {
        script = script.setting_of(&reader.process, name, value);
    }
    Ok((script, reader))
}

fn payment(script: Script, cast: &Cast<'_>, amount: u32) -> Script {
    script.then(StepKind::Produce {
        producer: cast.producer.process.clone(),
        topic: Some(cast.topic.name.clone()),
        key: Some(KEY.to_owned()),
        value: Some(format!(r#"{{"amount":{amount}}}"#)),
        partition: Some(cast.number()),
        acks: Some(Acks::All),
        count: 1,
        awaits: Awaits::Answers,
    })
}

fn stream_count(cast: &Cast<'_>) -> Result<Script, String> {
    let (script, reader) = counting(cast, &[("commit.interval.ms", "1000")])?;
    let (task, name) = (&reader.process, cast.name());
    let changelog = format!("{}-counts-changelog-{}", reader.group, cast.number());
    let script = script.caption("A payment of 12 is counted, one of 3 is left out.");
    let script = payment(script, cast, 12);
    let script = payment(script, cast, 3);
    let script = payment(script, cast, 40)
        .wait_until(format!("holds({task}, {KEY}) == 2"))
        .caption("Each count goes to the changelog and to the output; then the commit.")
        .wait_until(format!("committed({}, {name}) == 3", reader.group))
        .expect(format!("log-end({changelog}) == 2"))
        .caption(format!("{task} dies, and its store with it."))
        .crash(task.as_str())
        .restart(task.as_str())
        .caption("It reads the changelog first, and only then goes on.")
        .wait_until(format!("holds({task}, {KEY}) == 2"))
        .caption("The next payment makes three.");
    Ok(payment(script, cast, 25)
        .wait_until(format!("holds({task}, {KEY}) == 3"))
        .expect_nothing_lost())
}

/// The task dies when it has counted a record and not committed.
fn dies_uncommitted(
    cast: &Cast<'_>,
    guarantee: &str,
) -> Result<(Script, ConsumerPlan), String> {
    let settings = [("processing.guarantee", guarantee), ("commit.interval.ms", "2000")];
    let (script, reader) = counting(cast, &settings)?;
    let (task, name) = (&reader.process, cast.name());
    let script = script.caption("One payment, counted and committed.");
    let script = payment(script, cast, 12)
        .wait_until(format!("committed({}, {name}) == 1", reader.group))
        .caption(format!("A second one is counted; {task} dies before it commits."));
    let script = payment(script, cast, 40)
        .wait_until(format!("holds({task}, {KEY}) == 2"))
        .wait(200)
        .crash(task.as_str())
        .wait(500)
        .restart(task.as_str());
    Ok((script, reader.clone()))
}

fn at_least_once(cast: &Cast<'_>) -> Result<Script, String> {
    let (script, reader) = dies_uncommitted(cast, "at_least_once")?;
    let (task, name) = (&reader.process, cast.name());
    Ok(script
        .caption("The changelog says 2 already, and the second payment is read again: 3.")
        .wait_until(format!("holds({task}, {KEY}) == 3"))
        .caption("Two payments, and the count is three.")
        .wait_until(format!("committed({}, {name}) == 2", reader.group))
        .expect(format!("holds({task}, {KEY}) == 3"))
        .expect_nothing_lost())
}

fn exactly_once(cast: &Cast<'_>) -> Result<Script, String> {
    let (script, reader) = dies_uncommitted(cast, "exactly_once_v2")?;
    let (task, name) = (&reader.process, cast.name());
    Ok(script
        .caption(
            "With the same transactional.id it aborts what its predecessor had open: the \
             changelog still says 1.",
        )
        .wait_until(format!("holds({task}, {KEY}) == 2"))
        .caption("The second payment is read again, and counted once.")
        .wait_until(format!("committed({}, {name}) == 2", reader.group))
        .expect(format!("holds({task}, {KEY}) == 2"))
        .expect_nothing_lost())
}

fn tumbling_window(cast: &Cast<'_>) -> Result<Script, String> {
    let settings = [("streams.window.ms", "10000"), ("commit.interval.ms", "1000")];
    let (script, reader) = counting(cast, &settings)?;
    let task = &reader.process;
    let changelog = format!("{}-counts-changelog-{}", reader.group, cast.number());
    let script = script.caption("Two payments close to each other: one window.");
    let script = payment(script, cast, 12);
    let script = payment(script, cast, 20)
        .wait_until(format!("holds({task}, {KEY}) == 2"))
        .caption("Ten seconds later: a new window, and its count begins with one.")
        .wait(10_000);
    Ok(payment(script, cast, 30)
        .wait_until(format!("log-end({changelog}) == 3"))
        .expect(format!("holds({task}, {KEY}) == 1"))
        .expect_nothing_lost())
}
