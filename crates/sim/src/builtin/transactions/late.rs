//! D11 and D12: what arrives after the transaction that it belongs to. Every end raises the
//! producer's epoch (KIP-890), and so both are told by theirs.

use super::super::cast::Cast;
use super::super::script::Script;
use super::{id_of, with_id};

pub(in super::super) fn late_record(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, id, leader) = (cast.name(), id_of(cast), cast.leader()?);
    let (producer, reader) = (&cast.producer.process, &cast.consumer()?.process);
    Ok(with_id(cast)
        .setting("producer.request.timeout.ms", "1000")
        .setting("producer.delivery.timeout.ms", "2000")
        .setting("producer.retry.backoff.ms", "5000")
        .setting("producer.retry.backoff.max.ms", "5000")
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
