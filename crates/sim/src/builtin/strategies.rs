//! E: when to commit, and what a crash then makes of it: lost, once, twice.

use super::cast::Cast;
use super::poll_loop::loner;
use super::script::{Script, Sent};
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "commit-first",
        title: "Commit, then work: at most once",
        tell: "What is committed before it was worked on is lost in a crash: nobody reads \
               it again.",
        billing: Billing::OnDemand,
        script: commit_first,
    },
    Entry {
        id: "commit-per-record",
        title: "A commit for each record",
        tell: "A crash makes at most one record come twice, and each record costs a round \
               trip to the coordinator.",
        billing: Billing::OnDemand,
        script: commit_per_record,
    },
    Entry {
        id: "commit-async",
        title: "commitAsync: a commit that nobody repeats",
        tell: "An asynchronous commit that gets lost is not tried again; the next one makes \
               up for it, unless a crash comes first.",
        billing: Billing::OnDemand,
        script: commit_async,
    },
    Entry {
        id: "write-then-commit",
        title: "Write, then commit: at least once",
        tell: "A process reads, writes what comes of it, and commits. It dies in between: \
               everything is written twice.",
        billing: Billing::OnDemand,
        script: write_then_commit,
    },
    Entry {
        id: "write-and-commit",
        title: "Write and commit in one transaction: exactly once",
        tell: "What is written and what was read count together or not at all. After the \
               crash the first copy is aborted, and the second one counts.",
        billing: Billing::OnDemand,
        script: write_and_commit,
    },
];

/// A loner reads three records and works a second on each.
fn three_to_work_on(cast: &Cast<'_>, at_once: &str) -> Result<Script, String> {
    let (_, reader) = loner(cast)?;
    Ok(Script::new()
        .groups()
        .setting("consumer.enable.auto.commit", "false")
        .setting("consumer.max.poll.records", at_once)
        .setting("consumer.session.timeout.ms", "6000")
        .client(reader, "work 1000 ms per record")
        .wait(600)
        .caption("Each record takes a second to work on.")
        .send(cast, Sent { count: 3, ..Sent::one(cast, "order-1") }))
}

fn commit_first(cast: &Cast<'_>) -> Result<Script, String> {
    let ((group, reader), name) = (loner(cast)?, cast.name());
    Ok(three_to_work_on(cast, "3")?
        .wait_until(format!("records-read({reader}) == 3"))
        .caption("All three are committed before the work begins.")
        .client(reader, "commit")
        .wait_until(format!("committed({group}, {name}) == 3"))
        .caption("It dies while it works on the second.")
        .wait(1_200)
        .crash(reader.as_str())
        .wait(6_000)
        .caption("It is back, and goes on at 3. The second and third are lost.")
        .start(reader.as_str())
        .wait_until(format!("position({reader}, {name}) == 3"))
        .wait(1_000)
        .expect(format!("read-twice({group}) == 0"))
        .expect(format!("lag({group}, {name}) == 0")))
}

fn commit_per_record(cast: &Cast<'_>) -> Result<Script, String> {
    let ((group, reader), name) = (loner(cast)?, cast.name());
    Ok(three_to_work_on(cast, "1")?
        .wait_until(format!("records-read({reader}) == 2"))
        .caption("The first is done: commit 1.")
        .client(reader, format!("commit {name} to 1"))
        .wait_until(format!("committed({group}, {name}) == 1"))
        .wait_until(format!("records-read({reader}) == 3"))
        .caption("The second is done: commit 2.")
        .client(reader, format!("commit {name} to 2"))
        .wait_until(format!("committed({group}, {name}) == 2"))
        .wait(600)
        .caption("It dies while it works on the third.")
        .crash(reader.as_str())
        .wait(6_000)
        .caption("Only that one comes again.")
        .start(reader.as_str())
        .wait_until(format!("position({reader}, {name}) == 3"))
        .expect(format!("read-twice({group}) == 1")))
}

fn commit_async(cast: &Cast<'_>) -> Result<Script, String> {
    let ((group, reader), name) = (loner(cast)?, cast.name());
    Ok(three_to_work_on(cast, "1")?
        .wait_until(format!("records-read({reader}) == 2"))
        .caption("The first is done. The way to the coordinator breaks.")
        .fault(format!("reset {reader} > @coordinator({group})"))
        .client(reader, "commit-async")
        .caption("The asynchronous commit is lost, and not tried again.")
        .wait_until(format!("records-read({reader}) == 3"))
        .caption("It dies before the next one, which would have made up for it.")
        .crash(reader.as_str())
        .wait(6_000)
        .caption("Nothing is committed: all three come again.")
        .start(reader.as_str())
        .wait_until(format!("position({reader}, {name}) == 3"))
        .expect(format!("read-twice({group}) == 3")))
}

/// A loner that writes a record for each that it reads, and dies before its commit.
fn dies_in_between(cast: &Cast<'_>, script: Script) -> Result<Script, String> {
    let ((group, reader), topic) = (loner(cast)?, &cast.topic.name);
    let copies = cast.replicas().len();
    Ok(script
        .groups()
        .setting("offsets.topic.num.partitions", "3")
        .setting("transaction.state.log.num.partitions", "3")
        .setting("consumer.enable.auto.commit", "false")
        .setting("consumer.session.timeout.ms", "6000")
        .admin(format!("create-topic {topic}-done partitions=1 replicas={copies}"))
        .wait_until(format!("partitions({topic}-done) == 1"))
        .client(reader, format!("transform {topic} to {topic}-done"))
        .caption("For each record that it reads it writes one, then it commits.")
        .send(cast, Sent { count: 3, ..Sent::one(cast, "order-1") })
        .wait_until(format!("log-end({topic}-done-0) == 3"))
        .caption("It is written, and not committed: the process dies.")
        .crash(reader.as_str())
        .wait(6_000)
        .expect(format!("lag({group}, {topic}) == 3"))
        .caption("It is back, and reads from what was committed.")
        .start(reader.as_str())
        .client(reader, format!("transform {topic} to {topic}-done"))
        .wait_until(format!("lag({group}, {topic}) == 0"))
        .expect(format!("read-twice({group}) == 3")))
}

fn write_then_commit(cast: &Cast<'_>) -> Result<Script, String> {
    let topic = &cast.topic.name;
    Ok(dies_in_between(cast, Script::new())?
        .caption("Three went in, six came out.")
        .expect(format!("high-watermark({topic}-done-0) == 6"))
        .wait(300))
}

fn write_and_commit(cast: &Cast<'_>) -> Result<Script, String> {
    let ((_, reader), topic) = (loner(cast)?, &cast.topic.name);
    let script = Script::new().setting_of(reader, "transactional.id", "work");
    Ok(dies_in_between(cast, script)?
        .wait_until("transaction(work) == complete-commit")
        .caption("Three aborted, their marker; three committed, theirs: eight offsets.")
        .wait_until(format!("high-watermark({topic}-done-0) == 8"))
        .expect(format!("last-stable({topic}-done-0) == 8"))
        .wait(300))
}
