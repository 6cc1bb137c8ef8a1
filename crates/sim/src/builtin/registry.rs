//! G: what stands around Kafka: schemas, and services that call each other.

use topomotion_model::{Acks, Awaits, ProcessId, StepKind};

use super::cast::Cast;
use super::script::Script;
use super::{Billing, Entry};
use crate::plan::{ActorKind, ActorPlan};

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "schema-registry",
        title: "Schema Registry: an id in front of every record",
        tell: "The first record under a schema makes the serializer ask the registry, which \
               keeps it in a compacted topic; every record then carries the schema's id.",
        billing: Billing::OnDemand,
        script: schema_registry,
    },
    Entry {
        id: "breaking-change",
        title: "A breaking change is refused",
        tell: "The registry holds a new schema against the old ones, and refuses what would \
               break a reader: 409.",
        billing: Billing::OnDemand,
        script: breaking_change,
    },
    Entry {
        id: "compatibility-levels",
        title: "Compatibility: who may be upgraded first",
        tell: "BACKWARD lets readers go first, FORWARD writers, FULL either; the registry \
               only says yes or no.",
        billing: Billing::OnDemand,
        script: compatibility_levels,
    },
    Entry {
        id: "registry-restart",
        title: "The registry has no other memory than its topic",
        tell: "A registry that starts reads its topic from the beginning; meanwhile caches \
               keep producers and consumers going.",
        billing: Billing::OnDemand,
        script: registry_restart,
    },
    Entry {
        id: "rest-chain",
        title: "A chain of calls, and a topic",
        tell: "A call waits for every service behind it, and fails with any of them; an \
               event waits in its topic.",
        billing: Billing::OnDemand,
        script: rest_chain,
    },
];

const SCHEMA: &str = "Order(id: string, amount: double)";
/// A field with a default: both old and new readers cope.
const WITH_NOTE: &str = "Order(id: string, amount: double, note: string = \"\")";
/// A field without one: a new reader finds nothing in old records.
const WITH_CUSTOMER: &str = "Order(id: string, amount: double, customer: string)";
/// A field less.
const WITHOUT_AMOUNT: &str = "Order(id: string)";

/// The registry of the picture.
fn registry<'a>(cast: &Cast<'a>) -> Result<&'a ProcessId, String> {
    let is_registry =
        |one: &&ActorPlan| matches!(one.kind, ActorKind::SchemaRegistry { .. });
    let found = cast.plan.actors.iter().find(is_registry);
    let found = found.ok_or("It needs a schema registry: `role: 'schema-registry'`.")?;
    Ok(&found.process)
}

fn subject(cast: &Cast<'_>) -> String {
    format!("{}-value", cast.topic.name)
}

/// A story in which the clients serialize with Avro.
fn with_avro() -> Script {
    Script::new()
        .setting("producer.value.serializer", "KafkaAvroSerializer")
        .setting("consumer.value.deserializer", "KafkaAvroDeserializer")
}

fn order(script: Script, cast: &Cast<'_>, number: u32) -> Script {
    order_of(script, cast, number, "")
}

/// An order with more fields than an id and an amount.
fn order_of(script: Script, cast: &Cast<'_>, number: u32, more: &str) -> Script {
    script.then(StepKind::Produce {
        producer: cast.producer.process.clone(),
        topic: Some(cast.topic.name.clone()),
        key: Some(format!("order-{number}")),
        value: Some(format!(r#"{{"id":"o-{number}","amount":9.5{more}}}"#)),
        partition: Some(cast.number()),
        acks: Some(Acks::All),
        count: 1,
        awaits: Awaits::Answers,
    })
}

fn schema_registry(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, reader) = (cast.name(), &cast.consumer()?.process);
    let (writer, registry) = (&cast.producer.process, registry(cast)?);
    let topic = &cast.topic.name;
    let script = with_avro()
        .client(writer, format!("write {topic} as {SCHEMA}"))
        .caption(format!(
            "The serializer's cache is empty: it registers the schema at {registry}, \
             which writes it to _schemas and reads it back before it answers."
        ));
    let script = order(script, cast, 123)
        .expect(format!("log-end({name}) == 1"))
        .caption("The record carries 0x00 and the id; the reader asks what id 1 is.")
        .wait_until(format!("position({reader}, {name}) == 1"))
        .wait(20)
        .caption("Now both have it in their caches: the next record costs no call.");
    let script = order(script, cast, 124)
        .wait_until(format!("position({reader}, {name}) == 2"))
        .caption(format!("{registry} knows one subject, with one version."))
        .client(writer, "call GET /subjects")
        .client(writer, format!("call GET /subjects/{}/versions/latest", subject(cast)));
    Ok(script.expect_nothing_lost())
}

fn breaking_change(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, reader) = (cast.name(), &cast.consumer()?.process);
    let (writer, registry) = (&cast.producer.process, registry(cast)?);
    let topic = &cast.topic.name;
    let script = with_avro()
        .client(writer, format!("write {topic} as {SCHEMA}"))
        .caption("Version 1 of the schema is registered with the first record.");
    let script = order(script, cast, 123)
        .wait_until(format!("position({reader}, {name}) == 1"))
        .wait(20)
        .client(writer, format!("write {topic} as {WITH_CUSTOMER}"))
        .caption(format!(
            "The new release adds a field without a default. {registry} refuses: a new \
             reader would find no customer in old records."
        ));
    let script = order_of(script, cast, 124, r#","customer":"c-1""#)
        .expect(format!("told({writer}, HTTP_409)"))
        .caption("The record was never sent: nobody downstream has noticed.")
        .wait(300)
        .expect(format!("log-end({name}) == 1"))
        .client(writer, format!("write {topic} as {WITH_NOTE}"))
        .caption("With a default the change is compatible: version 2, id 2.");
    let script = order_of(script, cast, 124, r#","note":"gift""#)
        .wait_until(format!("position({reader}, {name}) == 2"))
        .wait(20);
    Ok(script.expect_nothing_lost())
}

fn compatibility_levels(cast: &Cast<'_>) -> Result<Script, String> {
    let (writer, subject) = (&cast.producer.process, subject(cast));
    registry(cast)?;
    let ask = |script: Script, level: &str, caption: &str| {
        script
            .client(writer, format!("compatibility {subject} {level}"))
            .caption(caption)
            .client(writer, format!("check {subject} {WITH_CUSTOMER}"))
            .client(writer, format!("check {subject} {WITHOUT_AMOUNT}"))
            .client(writer, format!("check {subject} {WITH_NOTE}"))
    };
    let mut script = Script::new()
        .caption("Version 1: an id and an amount.")
        .client(writer, format!("register {subject} {SCHEMA}"));
    for (level, caption) in [
        (
            "BACKWARD",
            "BACKWARD: the new schema reads old records. A field may go; a new one needs a \
             default. Readers are upgraded first.",
        ),
        (
            "FORWARD",
            "FORWARD: the old schema reads new records. A field may come; an old one stays. \
             Writers are upgraded first.",
        ),
        (
            "FULL",
            "FULL: both. Only fields with a default come and go. The order does not matter.",
        ),
        ("NONE", "NONE: everything goes, and whoever reads must see."),
    ] {
        script = ask(script, level, caption);
    }
    Ok(script)
}

fn registry_restart(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, reader) = (cast.name(), &cast.consumer()?.process);
    let (writer, registry) = (&cast.producer.process, registry(cast)?);
    let topic = &cast.topic.name;
    let script = with_avro().client(writer, format!("write {topic} as {SCHEMA}"));
    let script = order(script, cast, 123)
        .wait_until(format!("position({reader}, {name}) == 1"))
        .wait(20)
        .caption("The registry dies. Whoever has the id in its cache does not notice.")
        .crash(registry.as_str());
    let script = order(script, cast, 124)
        .wait_until(format!("position({reader}, {name}) == 2"))
        .client(writer, format!("write {topic} as {WITH_NOTE}"))
        .caption("A new schema needs the registry: this record cannot be serialized.");
    let script = order_of(script, cast, 125, r#","note":"gift""#)
        .expect(format!("log-end({name}) == 2"))
        .caption("It starts again, and reads _schemas from the beginning.")
        .restart(registry.as_str())
        .wait(3_000)
        .caption("Ids are what they were: id 1 is known, the new schema becomes id 2.");
    let script = order_of(script, cast, 125, r#","note":"gift""#)
        .wait_until(format!("position({reader}, {name}) == 3"))
        .wait(20);
    Ok(script.expect_nothing_lost())
}

fn rest_chain(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, reader) = (cast.name(), &cast.consumer()?.process);
    let writer = &cast.producer.process;
    let service =
        |process: &ProcessId| cast.plan.actors.iter().find(|one| one.process == *process);
    let calls = |one: &'_ ActorPlan| match &one.kind {
        ActorKind::Service { calls } => calls.clone(),
        _ => Vec::new(),
    };
    let first = cast.plan.actors.iter().find(|one| !calls(one).is_empty());
    let first = first.ok_or(
        "It needs services that call each other: `role: 'service'`, and an edge with \
         `protocol: 'http'` between them.",
    )?;
    let mut chain = vec![first.process.clone()];
    let mut next = calls(first).first().cloned();
    while let Some(one) = next.take().filter(|one| !chain.contains(one)) {
        next = service(&one).and_then(|it| calls(it).first().cloned());
        chain.push(one);
    }
    let last = chain.last().cloned().unwrap_or_else(|| first.process.clone());
    let call = format!("call {} /{}", chain[0], chain[0]);
    Ok(Script::new()
        .caption("Each waits for the next: the times of all add up.")
        .client(writer, call.clone())
        .caption(format!(
            "{last} goes down, and with it everybody who waits for it: 502."
        ))
        .crash(last.as_str())
        .client(writer, call.clone())
        .expect(format!("told({writer}, HTTP_502)"))
        .caption("An event waits in the topic instead.")
        .crash(reader.as_str())
        .produce(cast, "order-123")
        .expect(format!("log-end({name}) == 1"))
        .setting("consumer.auto.offset.reset", "earliest")
        .caption("Its reader comes back, and takes up what waits.")
        .restart(reader.as_str())
        .wait_until(format!("position({reader}, {name}) == 1"))
        .caption("The chain must be called again by whoever still remembers.")
        .restart(last.as_str())
        .client(writer, call)
        .expect_nothing_lost())
}
