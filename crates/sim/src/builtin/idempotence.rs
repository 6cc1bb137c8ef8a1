//! D1 to D4: what numbered records are good for.

use topomotion_model::Awaits;

use super::cast::Cast;
use super::script::{Script, Sent};
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "duplicate",
        title: "A lost answer makes a duplicate",
        tell: "The record is stored and its answer is lost, so the producer sends it again. \
               Without idempotence the leader cannot know: it stands in the log twice.",
        billing: Billing::OnDemand,
        script: duplicate,
    },
    Entry {
        id: "idempotent-producer",
        title: "The idempotent producer",
        tell: "The broker gives the producer an id, and batches are numbered. When one comes \
               twice the leader knows it again and answers with the offset it already has.",
        billing: Billing::OnDemand,
        script: idempotent_producer,
    },
    Entry {
        id: "five-in-flight",
        title: "Five in flight, one of them refused",
        tell: "Five batches are under way and the third is refused. The leader refuses those \
               behind it too, for their numbers leave a gap, and all come again in order.",
        billing: Billing::OnDemand,
        script: five_in_flight,
    },
    Entry {
        id: "five-in-flight-reordered",
        title: "Five in flight without numbers: the order is lost",
        tell: "The same without idempotence: those behind the refused batch are stored at \
               once, and when it comes again it stands behind them.",
        billing: Billing::OnDemand,
        script: five_in_flight_reordered,
    },
    Entry {
        id: "epoch-bump",
        title: "A gap that nobody can fill: the producer epoch rises",
        tell: "A numbered batch is given up and may or may not be stored. The producer cannot \
               go on in the sequence, so it raises its epoch and counts from 0 again.",
        billing: Billing::OnDemand,
        script: epoch_bump,
    },
];

/// A record is stored, and the connection breaks before its answer is out.
fn answer_lost(script: Script, cast: &Cast<'_>) -> Result<Script, String> {
    let (name, leader) = (cast.name(), cast.leader()?);
    let producer = &cast.producer.process;
    Ok(script
        .caption("The network keeps the leader's answers back")
        .fault(format!("clog {leader} > {producer}"))
        .produce_unawaited(cast, "order-123")
        .wait_until(format!("high-watermark({name}) == 1"))
        .caption("Stored and committed; the answer is lost with its connection")
        .fault(format!("reset {leader} > {producer}"))
        .fault(format!("unclog {leader} > {producer}")))
}

fn duplicate(cast: &Cast<'_>) -> Result<Script, String> {
    let name = cast.name();
    let reader = &cast.consumer()?.process;
    let script = Script::new().setting("producer.enable.idempotence", "false");
    Ok(answer_lost(script, cast)?
        .caption("To the producer it never arrived: it sends the record again")
        .wait_until(format!("high-watermark({name}) == 2"))
        .caption("The same record, at offset 0 and at offset 1")
        .wait_until(format!("position({reader}, {name}) == 2"))
        .expect(format!("log-end({name}) == 2"))
        .expect_nothing_lost())
}

fn idempotent_producer(cast: &Cast<'_>) -> Result<Script, String> {
    let name = cast.name();
    let (producer, reader) = (&cast.producer.process, &cast.consumer()?.process);
    let script = Script::new()
        .caption("Any broker hands out producer ids, from a block of a thousand")
        .start(producer.as_str())
        .wait_until(format!("producer-epoch({producer}) == 0"));
    Ok(answer_lost(script, cast)?
        .caption("It sends the batch again: same id, same epoch, same sequence number")
        .wait(1_000)
        .expect(format!("log-end({name}) == 1"))
        .caption("The next one has the next number")
        .produce(cast, "order-124")
        .wait_until(format!("position({reader}, {name}) == 2"))
        .expect(format!("log-end({name}) == 2"))
        .expect(format!("records-read({reader}) == 2"))
        .expect_nothing_lost())
}

/// Five batches, one after the other, none answered before the last is out. While the third
/// arrives `min.insync.replicas` asks for a replica that is not there.
fn one_refused(script: Script, cast: &Cast<'_>) -> Result<Script, String> {
    let (name, leader, followers) = (cast.name(), cast.leader()?, cast.followers(2)?);
    let topic = &cast.topic.name;
    let (all, lost) = (followers.len() + 1, followers[followers.len() - 1]);
    let producer = &cast.producer.process;
    let sent = |script: Script, key: &str| {
        let sent = Sent { awaits: Awaits::Nothing, ..Sent::one(cast, key) };
        script.send(cast, sent).wait(50)
    };
    let script = script
        .setting("min.insync.replicas", "1")
        .caption("One replica is missing, and nobody minds")
        .shutdown(lost.as_str())
        .wait_until(format!("isr-size({name}) == {}", all - 1))
        .caption("The network keeps the leader's answers back")
        .fault(format!("clog {leader} > {producer}"));
    let script = sent(sent(script, "order-1"), "order-2")
        .caption(format!(
            "For a moment min.insync.replicas is {all}: the third is refused"
        ))
        .admin(format!("set topic {topic} min.insync.replicas={all}"))
        .wait(50);
    let script = sent(script, "order-3")
        .admin(format!("set topic {topic} min.insync.replicas=1"))
        .wait(50)
        .caption("The producer does not know yet, and sends the fourth and the fifth");
    Ok(sent(sent(script, "order-4"), "order-5"))
}

fn five_in_flight(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, leader) = (cast.name(), cast.leader()?);
    let producer = &cast.producer.process;
    Ok(one_refused(Script::new(), cast)?
        .expect(format!("log-end({name}) == 2"))
        .caption("Now the answers arrive, and it sends all three again, in order")
        .fault(format!("unclog {leader} > {producer}"))
        .wait_until(format!("told({producer}, NOT_ENOUGH_REPLICAS)"))
        .wait_until(format!("told({producer}, OUT_OF_ORDER_SEQUENCE_NUMBER)"))
        .wait_until(format!("high-watermark({name}) == 5"))
        .wait(10)
        .expect(format!("log-end({name}) == 5"))
        .expect(format!("producer-epoch({producer}) == 0"))
        .expect_nothing_lost())
}

fn five_in_flight_reordered(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, leader) = (cast.name(), cast.leader()?);
    let producer = &cast.producer.process;
    let script = Script::new().setting("producer.enable.idempotence", "false");
    Ok(one_refused(script, cast)?
        .caption("Nothing tells the leader that the third is missing")
        .expect(format!("log-end({name}) == 4"))
        .caption("The third comes again, and stands behind the fifth")
        .fault(format!("unclog {leader} > {producer}"))
        .wait_until(format!("told({producer}, NOT_ENOUGH_REPLICAS)"))
        .wait_until(format!("high-watermark({name}) == 5"))
        .expect(format!("log-end({name}) == 5"))
        .expect_nothing_lost())
}

fn epoch_bump(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, leader) = (cast.name(), cast.leader()?);
    let producer = &cast.producer.process;
    Ok(Script::new()
        .setting("producer.delivery.timeout.ms", "5000")
        .setting("producer.request.timeout.ms", "2000")
        .produce(cast, "order-123")
        .expect(format!("producer-epoch({producer}) == 0"))
        .caption("delivery.timeout.ms, 5 s here, passes without an answer")
        .partition(&[producer], &[leader])
        .send(cast, Sent { awaits: Awaits::Nothing, ..Sent::one(cast, "order-124") })
        .wait(6_000)
        .heal()
        .caption("Sequence 1 may be stored or not: it begins anew, in the next epoch")
        .produce(cast, "order-125")
        .expect(format!("producer-epoch({producer}) == 1"))
        .expect(format!("log-end({name}) == 2"))
        .produce(cast, "order-126")
        .expect(format!("producer-epoch({producer}) == 1"))
        .expect_nothing_lost())
}
