//! D5 to D14: transactions, told from the outside; what was wrong with them once is told in
//! `eras`.

use topomotion_model::{Acks, Awaits, ProcessId, StepKind};

use super::cast::Cast;
use super::script::Script;
use super::{Billing, Entry};

mod late;
mod pipelines;

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "exactly-once",
        title: "Read, process, write: one transaction",
        tell: "What is written and how far was read count together: the coordinator notes that \
               it commits, and then every partition gets a marker, the offsets' too.",
        billing: Billing::OnDemand,
        script: pipelines::exactly_once,
    },
    Entry {
        id: "transaction-abort",
        title: "An abort: in the log, and never seen",
        tell: "An aborted record stays in the log, behind it a marker that says so. Readers of \
               committed records drop it; its offset was not committed, so it is read again.",
        billing: Billing::OnDemand,
        script: pipelines::transaction_abort,
    },
    Entry {
        id: "open-transaction",
        title: "One open transaction blocks every reader",
        tell: "Readers of committed records stop at the last stable offset: where the first \
               open transaction began, whatever others have committed behind it.",
        billing: Billing::OnDemand,
        script: open_transaction,
    },
    Entry {
        id: "zombie-fenced",
        title: "A zombie producer is fenced",
        tell: "A successor with the same transactional.id gets the next epoch, and what its \
               predecessor left open is aborted. When that one wakes up, nobody listens.",
        billing: Billing::OnDemand,
        script: zombie_fenced,
    },
    Entry {
        id: "coordinator-dies",
        title: "The coordinator dies after PrepareCommit",
        tell: "PrepareCommit is replicated, so the transaction will commit, whoever dies: the \
               next coordinator finds it in the log and sends the markers again.",
        billing: Billing::OnDemand,
        script: coordinator_dies,
    },
    Entry {
        id: "transaction-timeout",
        title: "A producer dies in its transaction",
        tell: "transaction.timeout.ms, 60 s, passes without an end. The coordinator fences the \
               producer's epoch and aborts, and readers go on.",
        billing: Billing::OnDemand,
        script: transaction_timeout,
    },
    Entry {
        id: "read-committed",
        title: "read_committed: what a reader is not given",
        tell: "Two records are aborted, one is committed. The log holds all three and two \
               markers; a reader of committed records is given one, and offsets have gaps.",
        billing: Billing::OnDemand,
        script: read_committed,
    },
    Entry {
        id: "all-or-nothing",
        title: "Several partitions, all or nothing",
        tell: "One transaction writes to every partition. Once the coordinator has noted that \
               it commits, each gets its marker, late or soon; not one is left out.",
        billing: Billing::OnDemand,
        script: all_or_nothing,
    },
    Entry {
        id: "late-record",
        title: "A record that arrives after its transaction ended",
        tell: "It was given up and its transaction aborted, and then it arrives after all. The \
               abort raised the epoch, so it is refused and opens nothing.",
        billing: Billing::OnDemand,
        script: late::late_record,
    },
    Entry {
        id: "late-end",
        title: "A commit that arrives during the next transaction",
        tell: "The first request to commit is held up in the network, and a second one did it. \
               When it arrives at last it bears an old epoch and ends nothing.",
        billing: Billing::OnDemand,
        script: late::late_end,
    },
    Entry {
        id: "hanging-transaction",
        title: "A hanging transaction: as it was before KIP-890",
        tell: "The same late record, when nobody asked the coordinator: it opens a transaction \
               that no one will ever end, and readers of committed records stop for good.",
        billing: Billing::OnDemand,
        script: late::hanging_transaction,
    },
    Entry {
        id: "half-committed",
        title: "A late commit ends half of the next transaction",
        tell: "Before each end raised the epoch, a commit that was held up could not be told \
               from the next transaction's own: half of it counted, though it was aborted.",
        billing: Billing::OnDemand,
        script: late::half_committed,
    },
];

/// Under which id the story's producer, or whoever it is, writes.
fn id_of(cast: &Cast<'_>) -> String {
    format!("{}-txn", cast.topic.name)
}

/// Under which id somebody else writes.
const OTHER: &str = "other-txn";

/// Readers want committed records, and the internal topics are small.
fn of_transactions() -> Script {
    Script::new()
        .setting("consumer.isolation.level", "read_committed")
        .setting("offsets.topic.num.partitions", "3")
        .setting("transaction.state.log.num.partitions", "3")
}

/// The story's producer has an id.
fn with_id(cast: &Cast<'_>) -> Script {
    of_transactions().setting_of(&cast.producer.process, "transactional.id", &id_of(cast))
}

/// One record of this process to a partition, and its answer.
fn write(
    script: Script,
    process: &ProcessId,
    (topic, partition): (&str, u32),
    key: &str,
) -> Script {
    script.then(StepKind::Produce {
        producer: process.clone(),
        topic: Some(topic.to_owned()),
        key: Some(key.to_owned()),
        value: None,
        partition: Some(partition),
        acks: Some(Acks::All),
        count: 1,
        awaits: Awaits::Answers,
    })
}

/// Another process that writes, or can be made to: neither the story's producer nor this
/// reader.
fn second_writer<'a>(
    cast: &Cast<'a>,
    reader: &ProcessId,
) -> Result<&'a ProcessId, String> {
    let producers = cast.plan.producers.iter().map(|one| &one.process);
    let consumers = cast.plan.consumers.iter().map(|one| &one.process);
    let mut others = producers.chain(consumers.rev());
    let is_free = |one: &&ProcessId| **one != cast.producer.process && *one != reader;
    others.find(is_free).ok_or_else(|| {
        "It needs a second process that can write: another producer or consumer."
            .to_owned()
    })
}

fn open_transaction(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, id) = (cast.name(), id_of(cast));
    let (producer, reader) = (&cast.producer.process, &cast.consumer()?.process);
    let other = second_writer(cast, reader)?;
    let place = (&*cast.topic.name, cast.number());
    let script = with_id(cast)
        .setting_of(other, "transactional.id", OTHER)
        .setting_of(other, "acks", "all")
        .caption("begin is a matter of the client: nothing is sent")
        .client(producer, "begin")
        .caption(
            "The first record opens the transaction; its leader tells the coordinator",
        )
        .produce(cast, "order-123")
        .expect(format!("transaction({id}) == ongoing"))
        .expect(format!("high-watermark({name}) == 1"))
        .expect(format!("last-stable({name}) == 0"))
        .caption("Another transaction, begun later and committed")
        .client(other, "begin");
    Ok(write(script, other, place, "order-124")
        .client(other, "commit-transaction")
        .wait_until(format!("transaction({OTHER}) == complete-commit"))
        .wait_until(format!("high-watermark({name}) == 3"))
        .caption("Committed, and not to be read: the last stable offset is 0")
        .wait(1_000)
        .expect(format!("last-stable({name}) == 0"))
        .expect(format!("position({reader}, {name}) == 0"))
        .caption("The first one commits, and both are free")
        .client(producer, "commit-transaction")
        .wait_until(format!("last-stable({name}) == 4"))
        .wait_until(format!("position({reader}, {name}) == 4"))
        .expect_nothing_lost())
}

fn zombie_fenced(cast: &Cast<'_>) -> Result<Script, String> {
    let name = cast.name();
    let (zombie, reader) = (&cast.producer.process, &cast.consumer()?.process);
    let successor = second_writer(cast, reader)?;
    let place = (&*cast.topic.name, cast.number());
    let script = with_id(cast)
        .setting_of(successor, "transactional.id", &id_of(cast))
        .setting_of(successor, "acks", "all")
        .client(zombie, "begin")
        .produce(cast, "order-123")
        .caption("It stalls in the middle of its transaction")
        .pause(zombie.as_str())
        .caption("Another process starts under the same transactional.id")
        .start(successor.as_str())
        .caption("What was left open is aborted first; then the next epoch is handed out")
        .wait_until(format!("producer-epoch({successor}) >= 1"))
        .wait_until(format!("last-stable({name}) == 2"))
        .client(successor, "begin");
    Ok(write(script, successor, place, "order-123")
        .client(successor, "commit-transaction")
        .wait_until(format!("last-stable({name}) == 4"))
        .caption("The old one wakes up, and does not know")
        .resume(zombie.as_str())
        .produce_unawaited(cast, "order-124")
        .wait_until(format!("told({zombie}, INVALID_PRODUCER_EPOCH)"))
        .caption("Not even an abort is taken from it")
        .client(zombie, "abort-transaction")
        .wait_until(format!("told({zombie}, PRODUCER_FENCED)"))
        .wait_until(format!("position({reader}, {name}) == 4"))
        .expect(format!("log-end({name}) == 4"))
        .expect_nothing_lost())
}

/// A partition whose leader is another than the story's.
fn elsewhere(cast: &Cast<'_>) -> Result<u32, String> {
    let leads = |replicas: &Vec<i32>| replicas.first().copied();
    let all = &cast.topic.assignment;
    let own = all.get(cast.partition).and_then(leads);
    let other = all.iter().position(|replicas| leads(replicas) != own);
    let other = other.and_then(|index| u32::try_from(index).ok());
    other.ok_or_else(|| {
        format!("It needs two partitions of {} with two leaders.", cast.topic.name)
    })
}

/// Whoever coordinates has to dial a leader for its marker, and that takes a while.
fn slow_markers(mut script: Script, cast: &Cast<'_>, ms: u32) -> Result<Script, String> {
    let id = id_of(cast);
    for broker in cast.brokers(3)? {
        let way = format!("@transaction-coordinator({id}) > {broker}");
        script = script.fault(format!("slow-dial {way} by {ms} ms"));
    }
    Ok(script)
}

fn coordinator_dies(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, id, other) = (cast.name(), id_of(cast), elsewhere(cast)?);
    let (producer, topic) = (&cast.producer.process, &*cast.topic.name);
    cast.survives(cast.leader()?)?;
    let reader = &cast.consumer()?.process;
    let script = with_id(cast).client(producer, "begin").produce(cast, "order-123");
    let script = write(script, producer, (topic, other), "order-124");
    Ok(slow_markers(script, cast, 500)?
        .caption("commit: answered as soon as PrepareCommit is replicated")
        .client(producer, "commit-transaction")
        .wait_until(format!("transaction({id}) == prepare-commit"))
        .wait(20)
        .caption("The coordinator dies with markers still to be sent")
        .expect(format!("transaction({id}) == prepare-commit"))
        .crash(format!("@transaction-coordinator({id})"))
        .caption("The next one reads the log, finds PrepareCommit and sends them")
        .wait_until(format!("transaction({id}) == complete-commit"))
        .wait_until(format!("last-stable({name}) == 2"))
        .wait_until(format!("last-stable({topic}-{other}) == 2"))
        .wait_until(format!("position({reader}, {name}) == 2"))
        .expect_nothing_lost())
}

fn transaction_timeout(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, id) = (cast.name(), id_of(cast));
    let (producer, reader) = (&cast.producer.process, &cast.consumer()?.process);
    Ok(with_id(cast)
        .client(producer, "begin")
        .produce(cast, "order-123")
        .expect(format!("transaction({id}) == ongoing"))
        .caption("The producer dies; nobody ends its transaction")
        .crash(producer.as_str())
        .wait(50_000)
        .expect(format!("last-stable({name}) == 0"))
        .caption("transaction.timeout.ms is over: looked at every 10 s")
        .wait_until(format!("transaction({id}) != ongoing"))
        .wait_until(format!("transaction({id}) == complete-abort"))
        .wait_until(format!("last-stable({name}) == 2"))
        .caption("The reader passes over what was aborted")
        .wait_until(format!("position({reader}, {name}) == 2"))
        .expect(format!("records-read({reader}) == 0")))
}

fn read_committed(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, id) = (cast.name(), id_of(cast));
    let (producer, reader) = (&cast.producer.process, &cast.consumer()?.process);
    let readers = cast.plan.consumers.iter();
    let at = (cast.topic.name.clone(), i32::try_from(cast.partition).unwrap_or(0));
    let mut others = readers.filter(|one| one.assignment.contains(&at));
    let eager = others.find(|one| one.process != *reader).map(|one| &one.process);
    let mut script = with_id(cast);
    if let Some(eager) = eager {
        script = script.setting_of(eager, "isolation.level", "read_uncommitted");
    }
    script = script
        .caption("Two records, and then the application changes its mind")
        .client(producer, "begin")
        .produce(cast, "order-123")
        .produce(cast, "order-124");
    if let Some(eager) = eager {
        script = script
            .caption(format!("{eager} reads uncommitted: it has them already"))
            .wait_until(format!("records-read({eager}) == 2"));
    }
    script = script
        .expect(format!("records-read({reader}) == 0"))
        .client(producer, "abort-transaction")
        .wait_until(format!("transaction({id}) == complete-abort"))
        .caption("The answer lists who aborted from where: the reader drops them itself")
        .wait_until(format!("position({reader}, {name}) == 3"))
        .expect(format!("records-read({reader}) == 0"))
        .client(producer, "begin")
        .produce(cast, "order-125")
        .client(producer, "commit-transaction")
        .wait_until(format!("transaction({id}) == complete-commit"))
        .caption("Three records and two markers: one record to read")
        .wait_until(format!("position({reader}, {name}) == 5"))
        .expect(format!("log-end({name}) == 5"))
        .expect(format!("last-stable({name}) == 5"));
    if let Some(eager) = eager {
        script = script.wait_until(format!("position({eager}, {name}) == 5"));
    }
    Ok(script)
}

fn all_or_nothing(cast: &Cast<'_>) -> Result<Script, String> {
    let (name, id) = (cast.name(), id_of(cast));
    let producer = &cast.producer.process;
    let (leader, partitions) = (cast.leader()?, cast.partitions(2)?);
    elsewhere(cast)?;
    let reader = &cast.consumer()?.process;
    let mut script = with_id(cast)
        .caption(
            "An order, its payment, its shipment: one transaction, several partitions",
        )
        .client(producer, "begin");
    for partition in &partitions {
        script =
            write(script, producer, (&partition.topic, partition.partition), "order");
    }
    script = script
        .expect(format!("last-stable({name}) == 0"))
        .caption(format!("The way to {leader} is slow: its marker comes later"))
        .fault(format!("slow-dial @transaction-coordinator({id}) > {leader} by 400 ms"))
        .client(producer, "commit-transaction")
        .wait_until(format!("transaction({id}) == prepare-commit"))
        .caption("Every marker says commit; each partition is free when it has its own")
        .wait_until(format!("transaction({id}) == complete-commit"))
        .caption("Only when all have answered is the transaction complete");
    for partition in &partitions {
        script = script
            .wait_until(format!("last-stable({partition}) == 2"))
            .expect(format!("log-end({partition}) == 2"));
    }
    Ok(script
        .wait_until(format!("position({reader}, {name}) == 2"))
        .expect_nothing_lost())
}
