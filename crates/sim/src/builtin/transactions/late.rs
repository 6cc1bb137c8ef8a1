//! D11 and D12: what arrives after the transaction that it belongs to. Every end raises the
//! producer's epoch (KIP-890), and so both are told by theirs. Once it did not.

use super::super::cast::Cast;
use super::super::script::Script;
use super::{OTHER, elsewhere, id_of, second_writer, with_id, write};

/// As it was before KIP-890, for brokers and for clients.
fn in_era(script: Script, era: &str) -> Script {
    script.setting("era.txn", era).setting("producer.era.txn", era)
}

/// Whoever waits for an answer gives up soon, and does not ask again.
fn impatient(script: Script) -> Script {
    script
        .setting("producer.request.timeout.ms", "1000")
        .setting("producer.delivery.timeout.ms", "2000")
        .setting("producer.retry.backoff.ms", "5000")
        .setting("producer.retry.backoff.max.ms", "5000")
}

pub(in super::super) fn hanging_transaction(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, id, leader) = (cast.name(), id_of(cast), cast.leader()?);
    let (producer, reader) = (&cast.producer.process, &cast.consumer()?.process);
    let other = second_writer(cast, reader)?;
    let place = (&*cast.topic.name, cast.number());
    let script = impatient(in_era(with_id(cast), "v0"))
        .setting_of(other, "transactional.id", OTHER)
        .setting_of(other, "acks", "all")
        .client(producer, "begin")
        .produce(cast, "order-123")
        .caption("The next record is held up in the network, and given up")
        .fault(format!("detain {producer} > {leader}"))
        .produce_unawaited(cast, "order-124")
        .wait(3_000)
        .caption("The application aborts, and is told that it did")
        .client(producer, "abort-transaction")
        .wait_until(format!("transaction({id}) == complete-abort"))
        .wait_until(format!("last-stable({name}) == 2"))
        .caption("Now the record arrives. Nobody asks whether its transaction is open")
        .fault(format!("release {producer} > {leader}"))
        .wait_until(format!("log-end({name}) == 3"))
        .wait_until("violation(T10)")
        .caption("Somebody else's transaction, begun later and committed")
        .client(other, "begin");
    Ok(write(script, other, place, "order-125")
        .client(other, "commit-transaction")
        .wait_until(format!("transaction({OTHER}) == complete-commit"))
        .wait_until(format!("high-watermark({name}) == 5"))
        // Two seconds of grace; the judge looks back at them from the moment after.
        .wait(2_500)
        .wait(500)
        .wait_until("violation(T5)")
        .caption(
            "The log waits for an end; the coordinator knows of nothing to end. After 70 s \
             (time-out and look) all is as it was",
        )
        .wait(70_000)
        .expect(format!("transaction({id}) == empty"))
        .expect(format!("last-stable({name}) == 2"))
        .caption("Readers of committed records stand here for ever")
        .expect(format!("position({reader}, {name}) == 2")))
}

pub(in super::super) fn half_committed(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, id) = (cast.name(), id_of(cast));
    let (producer, reader) = (&cast.producer.process, &cast.consumer()?.process);
    let other = elsewhere(cast)?;
    let script = in_era(with_id(cast), "v1")
        .setting("producer.request.timeout.ms", "1000")
        .client(producer, "begin")
        .produce(cast, "order-123")
        .caption("The request to commit is held up; after 1 s it is sent again")
        .fault(format!("detain {producer} > @transaction-coordinator({id})"))
        .client(producer, "commit-transaction")
        .wait_until(format!("transaction({id}) == complete-commit"))
        .caption("The next transaction has written its first record, in the same epoch")
        .client(producer, "begin")
        .produce(cast, "order-124")
        .expect(format!("transaction({id}) == ongoing"))
        .caption("Now the old request arrives: commit. It looks like this one's")
        .fault(format!("release {producer} > @transaction-coordinator({id})"))
        .wait_until(format!("transaction({id}) == complete-commit"))
        .caption("A reader of committed records is given half of a transaction")
        .wait_until(format!("position({reader}, {name}) == 4"))
        .expect("violation(J5)")
        .caption(
            "The second record, elsewhere: to the coordinator that is a new transaction",
        );
    Ok(write(script, producer, (&cast.topic.name, other), "order-125")
        .expect(format!("transaction({id}) == ongoing"))
        .caption("The application aborts. The second record goes, the first one stays")
        .client(producer, "abort-transaction")
        .wait_until(format!("transaction({id}) == complete-abort"))
        .wait_until("violation(J6)")
        .expect("violation(J4)"))
}

pub(in super::super) fn late_record(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, id, leader) = (cast.name(), id_of(cast), cast.leader()?);
    let (producer, reader) = (&cast.producer.process, &cast.consumer()?.process);
    Ok(impatient(with_id(cast))
        .client(producer, "begin")
        .produce(cast, "order-123")
        .caption("The next record is held up in the network, and given up")
        .fault(format!("detain {producer} > {leader}"))
        .produce_unawaited(cast, "order-124")
        .wait(3_000)
        .caption("So the application aborts")
        .client(producer, "abort-transaction")
        .wait_until(format!("transaction({id}) == complete-abort"))
        .wait_until(format!("last-stable({name}) == 2"))
        .caption("Now it arrives: in an epoch that is over")
        .fault(format!("release {producer} > {leader}"))
        .wait(1_000)
        .expect(format!("log-end({name}) == 2"))
        .expect(format!("last-stable({name}) == 2"))
        .caption("The next transaction goes its way")
        .client(producer, "begin")
        .produce(cast, "order-125")
        .client(producer, "commit-transaction")
        .wait_until(format!("position({reader}, {name}) == 4"))
        .expect_nothing_lost())
}

pub(in super::super) fn late_end(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, id) = (cast.name(), id_of(cast));
    let (producer, reader) = (&cast.producer.process, &cast.consumer()?.process);
    Ok(with_id(cast)
        .setting("producer.request.timeout.ms", "1000")
        .client(producer, "begin")
        .produce(cast, "order-123")
        .caption("The request to commit is held up; after 1 s it is sent again")
        .fault(format!("detain {producer} > @transaction-coordinator({id})"))
        .client(producer, "commit-transaction")
        .wait_until(format!("transaction({id}) == complete-commit"))
        .wait(100)
        .caption("The next transaction has written its first record")
        .client(producer, "begin")
        .produce(cast, "order-124")
        .expect(format!("transaction({id}) == ongoing"))
        .caption("Now the old request arrives: commit, in the epoch before")
        .fault(format!("release {producer} > @transaction-coordinator({id})"))
        .wait(500)
        .expect(format!("transaction({id}) == ongoing"))
        .expect(format!("last-stable({name}) == 2"))
        .produce(cast, "order-125")
        .caption("Both records or none: this time it aborts")
        .client(producer, "abort-transaction")
        .wait_until(format!("transaction({id}) == complete-abort"))
        .wait_until(format!("position({reader}, {name}) == 5"))
        .expect_nothing_lost())
}
