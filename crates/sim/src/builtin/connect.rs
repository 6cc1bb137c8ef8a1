//! G4, G5: Kafka Connect: a database's changes become records, and records become documents.

use topomotion_model::ProcessId;

use super::cast::Cast;
use super::script::Script;
use super::{Billing, Entry};
use crate::plan::ActorKind;

pub(super) const ALL: &[Entry] = &[
    Entry {
        id: "change-data-capture",
        title: "Change data capture: a database's log becomes a topic",
        tell: "A source connector follows the write-ahead log and produces an envelope for \
               every change: the row before, the row after, and where the log tells of it.",
        billing: Billing::OnDemand,
        script: change_data_capture,
    },
    Entry {
        id: "connect-failover",
        title: "A Connect worker dies: its task moves, and repeats itself",
        tell: "The other worker takes the source task over and starts at the place that was \
               stored last: what was produced since comes twice, with the same LSN.",
        billing: Billing::OnDemand,
        script: connect_failover,
    },
    Entry {
        id: "sink-duplicates",
        title: "A sink writes twice what it had not committed",
        tell: "The worker dies between the write and the commit. Whoever takes over reads \
               again, and a store that only adds has every document twice.",
        billing: Billing::OnDemand,
        script: sink_duplicates,
    },
    Entry {
        id: "idempotent-sink",
        title: "An idempotent sink: written twice, there once",
        tell: "The same crash, but each document goes in under its row's key: the second \
               write takes the place of the first, and nobody sees a difference.",
        billing: Billing::OnDemand,
        script: idempotent_sink,
    },
];

/// Who plays.
struct Pipeline<'a> {
    workers: Vec<&'a ProcessId>,
    database: &'a ProcessId,
    store: Option<&'a ProcessId>,
}

impl<'a> Pipeline<'a> {
    fn find(cast: &Cast<'a>, workers: usize) -> Result<Pipeline<'a>, String> {
        let of = |wanted: fn(&ActorKind) -> bool| {
            let all = cast.plan.actors.iter().filter(move |one| wanted(&one.kind));
            all.map(|one| &one.process)
        };
        let found: Vec<&ProcessId> =
            of(|kind| matches!(kind, ActorKind::Connect { .. })).collect();
        let database = of(|kind| *kind == ActorKind::Database).next();
        let database = database.ok_or(
            "It needs a Connect worker (`role: 'connect'`) with an edge of \
             `protocol: 'postgresql'` to a database.",
        )?;
        if found.len() < workers {
            return Err(format!(
                "It needs {workers} Connect workers: there are {}.",
                found.len()
            ));
        }
        let store = of(|kind| *kind == ActorKind::Store).next();
        Ok(Pipeline { workers: found, database, store })
    }

    fn store(&self) -> Result<&'a ProcessId, String> {
        let lack = "It needs a store: a process that a Connect worker has an edge of \
                    `protocol: 'http'` to.";
        self.store.ok_or_else(|| lack.to_owned())
    }

    /// Where the changes of the table go.
    fn topic(&self) -> String {
        format!("{}.orders-0", self.database)
    }

    fn source(&self) -> String {
        format!("{}-source-0", self.database)
    }
}

fn change_data_capture(cast: &Cast<'_>) -> Result<Script, String> {
    let line = Pipeline::find(cast, 1)?;
    let (database, topic) = (line.database, line.topic());
    Ok(Script::new()
        .setting("connect.offset.flush.interval.ms", "5000")
        .caption(format!(
            "A row is inserted. {database} writes its log first; whoever follows the log is \
             sent the change."
        ))
        .client(database, "insert orders 1 status=new total=5")
        .wait_until(format!("log-end({topic}) == 1"))
        .caption("op=c: no row before, this one after. Key: the row's primary key.")
        .client(database, "update orders 1 status=paid")
        .wait_until(format!("log-end({topic}) == 2"))
        .caption("op=u has both; op=d is followed by a tombstone, so that compaction forgets.")
        .client(database, "delete orders 1")
        .wait_until(format!("log-end({topic}) == 4"))
        .expect(format!("holds({database}, orders) == 0"))
        .caption(format!(
            "Now and then the place goes to connect-offsets. Then {database} may forget its \
             log up to there."
        ))
        .wait_until("log-end(connect-offsets-0) == 1")
        .wait(50)
        .expect_nothing_lost())
}

fn connect_failover(cast: &Cast<'_>) -> Result<Script, String> {
    let line = Pipeline::find(cast, 2)?;
    let (database, topic, task) = (line.database, line.topic(), line.source());
    let (first, second) = (line.workers[0], line.workers[1]);
    Ok(Script::new()
        .setting("connect.offset.flush.interval.ms", "5000")
        .expect(format!("holds({first}, {task}) == 1"))
        .caption(format!("{first} runs the source task. One order, and its place is stored."))
        .client(database, "insert orders 1 total=5")
        .wait_until("log-end(connect-offsets-0) == 1")
        .wait(50)
        .caption("A second order is produced; its place is not stored yet.")
        .client(database, "insert orders 2 total=7")
        .wait_until(format!("log-end({topic}) == 2"))
        .caption(format!("{first} dies. The group misses its heartbeats after ten seconds."))
        .crash(first.as_str())
        .wait_until(format!("holds({second}, {task}) == 1"))
        .caption(format!(
            "{second} has the task, and reads in connect-offsets where to go on: before the \
             second order."
        ))
        .wait_until(format!("log-end({topic}) == 3"))
        .caption("It is there twice. Who reads it sees the same LSN, and can skip it.")
        .wait(500)
        .caption(format!("{first} comes back, and is given a part of the tasks again."))
        .restart(first.as_str())
        .wait(8_000)
        .client(database, "insert orders 3 total=9")
        .wait_until(format!("log-end({topic}) == 4"))
        .expect_nothing_lost())
}

/// Two orders are in the store and not committed when the worker with the sink task dies.
fn sink_falls(line: &Pipeline<'_>, mode: &str, caption: &str) -> Result<Script, String> {
    let (database, store) = (line.database, line.store()?);
    let sink = format!("{store}-sink-0");
    let (first, second) = (line.workers[0], line.workers[1]);
    Ok(Script::new()
        .setting("connect.insert.mode", mode)
        .expect(format!("holds({second}, {sink}) == 1"))
        .caption(caption)
        .client(database, "insert orders 1 total=5")
        .client(database, "insert orders 2 total=7")
        .wait_until(format!("holds({store}, orders) == 2"))
        .caption(format!(
            "{second} dies after the write. It commits once a minute: nothing is committed."
        ))
        .crash(second.as_str())
        .wait_until(format!("holds({first}, {sink}) == 1"))
        .caption(format!("{first} takes the task over, and begins with the first record.")))
}

fn sink_duplicates(cast: &Cast<'_>) -> Result<Script, String> {
    let line = Pipeline::find(cast, 2)?;
    let store = line.store()?;
    let caption = "insert.mode=insert: every record is added, as to a file.";
    Ok(sink_falls(&line, "insert", caption)?
        .wait_until(format!("holds({store}, orders) == 4"))
        .caption("Two orders, four documents.")
        .wait(500)
        .expect(format!("holds({}, orders) == 2", line.database))
        .expect_nothing_lost())
}

fn idempotent_sink(cast: &Cast<'_>) -> Result<Script, String> {
    let line = Pipeline::find(cast, 2)?;
    let (database, store) = (line.database, line.store()?);
    let caption = "insert.mode=upsert: a document's id is its row's key.";
    Ok(sink_falls(&line, "upsert", caption)?
        .caption("A third order, to see when it has got so far.")
        .client(database, "insert orders 3 total=9")
        .wait_until(format!("holds({store}, orders) == 3"))
        .caption("The first two were written again, and are there once.")
        .wait(500)
        .expect(format!("holds({store}, orders) == 3"))
        .expect_nothing_lost())
}
