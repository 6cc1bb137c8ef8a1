//! E: commits: what a crash, a slow application and the clock make of them.

use topomotion_model::ProcessId;

use super::cast::Cast;
use super::groups::begin;
use super::script::{Script, Sent};
use super::{Billing, Entry};

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "slow-consumer",
        title: "A slow consumer: max.poll.interval.ms",
        tell: "Heartbeats go on while the application works. After five minutes without a \
               poll it is the consumer itself that leaves, and its late commit fails.",
        billing: Billing::OnDemand,
        script: slow_consumer,
    },
    Entry {
        id: "crash-before-commit",
        title: "Crash before the commit: read twice",
        tell: "100 records are read, 50 are committed. The committed offset is the next to \
               read, so whoever takes over reads from 50: the others come twice.",
        billing: Billing::OnDemand,
        script: crash_before_commit,
    },
    Entry {
        id: "auto-commit",
        title: "Auto-commit happens inside poll",
        tell: "While the application works on what a poll returned, nothing is committed, \
               however often the interval passes. A crash makes duplicates, and loses nothing.",
        billing: Billing::OnDemand,
        script: auto_commit,
    },
    Entry {
        id: "auto-commit-loss",
        title: "Auto-commit and a worker thread: records are skipped",
        tell: "Whoever hands records to another thread and polls on lets the next poll commit \
               what nobody has worked on. After a crash those are never read again.",
        billing: Billing::OnDemand,
        script: auto_commit_loss,
    },
];

/// How many records a poll returns in these stories, as in the textbook.
const RECORDS: u32 = 100;

/// Who reads the partition of the story, and who will after it.
struct Readers<'a> {
    group: &'a str,
    owner: &'a ProcessId,
    heir: &'a ProcessId,
}

/// Range, by the members' names: who gets the partition among all, and who among the others.
fn readers<'a>(cast: &Cast<'a>) -> Result<Readers<'a>, String> {
    let (group, mut members) = cast.group(2)?;
    // Members are sorted by their ids: the client's name, a hyphen, and chance.
    members.sort_by_key(|member| format!("{member}-"));
    let owner = range_owner(cast, &members);
    members.retain(|member| *member != owner);
    Ok(Readers { group, owner, heir: range_owner(cast, &members) })
}

/// The first few have one partition more than the others, where it does not come out even.
fn range_owner<'a>(cast: &Cast<'_>, members: &[&'a ProcessId]) -> &'a ProcessId {
    let count = cast.topic.assignment.len();
    let (each, more) = (count / members.len(), count % members.len());
    let mut end = 0;
    for (at, member) in members.iter().enumerate() {
        end += each + usize::from(at < more);
        if cast.partition < end {
            return member;
        }
    }
    members[0]
}

/// So many records for the owner, in the partition of the story.
fn records(script: Script, cast: &Cast<'_>, count: u32) -> Script {
    script.send(cast, Sent { count, key: None, ..Sent::one(cast, "") })
}

fn slow_consumer(cast: &Cast<'_>) -> Result<Script, String> {
    let Readers { group, owner, heir } = readers(cast)?;
    let partition = cast.name();
    let (_, members) = cast.group(2)?;
    let script = begin("range", &[])
        .expect(format!("owns({owner}, {partition})"))
        .caption("A poll returns a record, and the application works on it for long.");
    let script = records(script, cast, 1)
        .wait_until(format!("records-read({owner}) >= 1"))
        .client(owner, "work 400 s")
        .caption("A thread of its own sends heartbeats: for the coordinator all is well.")
        .wait(200_000)
        .expect(format!("group({group}) == stable"))
        .expect(format!("members({group}) == {}", members.len()))
        .wait(95_000)
        .caption("max.poll.interval.ms, 5 minutes, is over: the consumer itself leaves.")
        .wait_until(format!("members({group}) == {}", members.len() - 1))
        .caption("The others take over what it had. Nothing was committed: they read it again.")
        .wait_until(format!("owns({heir}, {partition})"))
        .wait_until(format!("read-twice({group}) == 1"))
        .wait_until(format!("group({group}) == stable"))
        .caption("The application is done at last, and commits: CommitFailedException.")
        .client(owner, "commit")
        .wait_until(format!("told({owner}, UNKNOWN_MEMBER_ID)"))
        .caption("At its next poll it joins again, as a new member.")
        .wait(60_000)
        .wait_until(format!("members({group}) == {}", members.len()))
        .wait_until(format!("group({group}) == stable"));
    Ok(script.expect_nothing_lost())
}

fn crash_before_commit(cast: &Cast<'_>) -> Result<Script, String> {
    let Readers { group, owner, heir } = readers(cast)?;
    let partition = cast.name();
    let half = RECORDS / 2;
    let script =
        begin("range", &[]).expect(format!("owns({owner}, {partition})")).caption(
            format!("{half} records are read and worked on: offsets 0 to {}.", half - 1),
        );
    let script = records(script, cast, half)
        .wait_until(format!("position({owner}, {partition}) == {half}"))
        .caption(format!(
            "It commits {half}: the next offset to read, not the last one read."
        ))
        .client(owner, "commit")
        .wait_until(format!("committed({group}, {partition}) == {half}"))
        .caption(format!("{half} more are read and worked on."));
    let script = records(script, cast, RECORDS - half)
        .wait_until(format!("position({owner}, {partition}) == {RECORDS}"))
        .caption("It dies before it commits them.")
        .crash(owner.as_str())
        .wait(40_000)
        .caption(format!("Who takes over asks for the committed offset: {half}."))
        .wait_until(format!("owns({heir}, {partition})"))
        .wait_until(format!("position({heir}, {partition}) == {RECORDS}"))
        .caption(format!("{half} records are worked on twice: at least once."))
        .expect(format!("read-twice({group}) == {}", RECORDS - half));
    Ok(script.expect_nothing_lost())
}

/// What both stories of auto-commit begin with: one record is read and committed.
fn one_is_committed(cast: &Cast<'_>, readers: &Readers<'_>) -> Script {
    let partition = cast.name();
    // Only the owner commits by the clock: the others have nothing to tell.
    let script = begin("range", &[readers.owner])
        .expect(format!("owns({}, {partition})", readers.owner));
    records(script, cast, 1)
        .wait_until(format!("committed({}, {partition}) == 1", readers.group))
}

fn auto_commit(cast: &Cast<'_>) -> Result<Script, String> {
    let readers = readers(cast)?;
    let Readers { group, owner, heir } = &readers;
    let (partition, end) = (cast.name(), RECORDS + 1);
    let script = one_is_committed(cast, &readers)
        .client(owner, "work 200 ms per record")
        .caption(format!("A poll returns {RECORDS} records: work for 20 seconds."));
    let script = records(script, cast, RECORDS)
        .wait_until(format!("position({owner}, {partition}) == {end}"))
        .caption("auto.commit.interval.ms, 5 seconds, passes: no poll, no commit.")
        .wait(10_000)
        .expect(format!("committed({group}, {partition}) == 1"))
        .caption("It dies with half of them worked on.")
        .crash(owner.as_str())
        .wait(40_000)
        .caption("Who takes over begins where the last poll had begun.")
        .wait_until(format!("owns({heir}, {partition})"))
        .wait_until(format!("position({heir}, {partition}) == {end}"))
        .caption("Half of them are worked on twice, none is skipped.")
        .expect(format!("read-twice({group}) == {RECORDS}"));
    Ok(script.expect_nothing_lost())
}

fn auto_commit_loss(cast: &Cast<'_>) -> Result<Script, String> {
    let readers = readers(cast)?;
    let Readers { group, owner, heir } = &readers;
    let (partition, end) = (cast.name(), RECORDS + 1);
    let script = one_is_committed(cast, &readers)
        .caption(format!("A poll returns {RECORDS} records. A worker thread gets them."));
    let script = records(script, cast, RECORDS)
        .wait_until(format!("position({owner}, {partition}) == {end}"))
        .caption(
            "The consumer polls on. After 5 seconds a poll commits all that it returned.",
        )
        .wait_until(format!("committed({group}, {partition}) == {end}"))
        .caption("It dies, with half of them still in the worker's queue.")
        .crash(owner.as_str())
        .wait(40_000)
        .caption(format!("Who takes over asks for the committed offset: {end}."))
        .wait_until(format!("owns({heir}, {partition})"))
        .wait_until(format!("position({heir}, {partition}) == {end}"));
    let script = records(script, cast, 1)
        .wait_until(format!("position({heir}, {partition}) == {}", end + 1))
        .caption(
            "Nothing is read again: the worker's queue is lost, though Kafka has it all.",
        )
        .expect(format!("read-twice({group}) == 0"));
    Ok(script.expect_nothing_lost())
}
