//! A small database: tables of rows, and a write-ahead log that followers are sent.
//!
//! A transaction counts once its log record is flushed to the disk, all its changes or none; a
//! database that starts reads its log, and has its rows again. A replication slot remembers how far its follower has
//! confirmed; a follower that comes back is sent what it has not.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use topomotion_wire::{
    ActorDeed, AppDeed, ConnectionId, DatabaseMessage, DiskOp, Fact, FileName, Files,
    FlushToken, Input, Instant, Lsn, Machine, Message, Output, RowChange, WalRecord,
};

/// What a client wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// Of which table.
    pub table: Arc<str>,
    /// Which row.
    pub key: Arc<str>,
    /// What shall happen.
    pub change: RowChange,
    /// The row's columns: all of a new row, those that change of an old one.
    pub columns: Vec<(String, String)>,
}

type Row = BTreeMap<String, String>;

#[derive(Debug, Clone)]
struct Follower {
    slot: Arc<str>,
    /// The last that it was sent.
    sent: Lsn,
}

/// Keeps rows.
#[derive(Debug)]
pub struct Database {
    /// Milliseconds since 1970 at the beginning of engine time.
    clock_base_ms: i64,
    tables: BTreeMap<Arc<str>, BTreeMap<Arc<str>, Row>>,
    /// Flushed changes, oldest first.
    log: Vec<WalRecord>,
    /// Written, and not flushed yet.
    unflushed: VecDeque<(FlushToken, WalRecord)>,
    /// The end of the log, unflushed records included.
    end: Lsn,
    flushes: u64,
    /// What each slot has confirmed.
    slots: BTreeMap<Arc<str>, Lsn>,
    followers: BTreeMap<ConnectionId, Option<Follower>>,
    outputs: VecDeque<Output>,
}

const WAL: &str = "pg_wal";
const SLOTS: &str = "pg_replslot";

impl Database {
    /// A database with what its disk holds.
    pub fn start(files: &Files, clock_base_ms: i64) -> Database {
        let lines = |name: &str| {
            let bytes = files.get(name).cloned().unwrap_or_default();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        let mut database = Database {
            clock_base_ms,
            tables: BTreeMap::new(),
            log: Vec::new(),
            unflushed: VecDeque::new(),
            end: Lsn(0),
            flushes: 0,
            slots: BTreeMap::new(),
            followers: BTreeMap::new(),
            outputs: VecDeque::new(),
        };
        // A transaction that was torn by a power loss, and what follows it, never counted.
        for record in lines(WAL).lines().map_while(records_of).flatten() {
            database.end = record.lsn;
            database.apply(&record);
            database.log.push(record);
        }
        for line in lines(SLOTS).lines() {
            let told = line.split_once(' ');
            if let Some((slot, Ok(at))) = told.map(|(slot, at)| (slot, at.parse())) {
                database.slots.insert(slot.into(), Lsn(at));
            }
        }
        database
    }

    /// Rows of a table.
    pub fn rows(&self, table: &str) -> usize {
        self.tables.get(table).map_or(0, BTreeMap::len)
    }

    /// Does what a client wants, in one transaction: it counts once the log is flushed. The
    /// error says why it cannot be done; then nothing of it is.
    pub fn execute(
        &mut self,
        now: Instant,
        statements: Vec<Statement>,
    ) -> Result<(), String> {
        let (end, open) = (self.end, self.unflushed.len());
        let token = FlushToken(self.flushes);
        for statement in statements {
            let record = self.changed(now, statement);
            match record {
                Ok(record) => self.unflushed.push_back((token, record)),
                Err(why) => {
                    self.unflushed.truncate(open);
                    self.end = end;
                    return Err(why);
                }
            }
        }
        let lines: Vec<String> =
            self.unflushed.range(open..).map(|(_, record)| text_of(record)).collect();
        if lines.is_empty() {
            return Ok(());
        }
        self.flushes += 1;
        let file = FileName::from(WAL);
        let bytes = Bytes::from(format!("{}\n", lines.join(SEPARATOR)).into_bytes());
        self.outputs
            .push_back(Output::Disk(DiskOp::Append { file: file.clone(), bytes }));
        self.outputs.push_back(Output::Disk(DiskOp::Flush { file, token }));
        Ok(())
    }

    /// What the log is to say of a change.
    fn changed(
        &mut self,
        now: Instant,
        statement: Statement,
    ) -> Result<WalRecord, String> {
        let Statement { table, key, change, columns } = statement;
        let before = self.newest(&table, &key);
        let after = match (change, &before) {
            (RowChange::Insert, Some(_)) => {
                return Err(format!("{table} has a row {key} already"));
            }
            (RowChange::Update | RowChange::Delete, None) => {
                return Err(format!("{table} has no row {key}"));
            }
            (RowChange::Delete, Some(_)) => None,
            (RowChange::Insert | RowChange::Update, _) => {
                let mut row = before.clone().unwrap_or_default();
                row.insert("id".to_owned(), key.to_string());
                row.extend(columns);
                Some(row)
            }
        };
        let text = |row: &Row| Arc::from(json!(row).to_string());
        let mut record = WalRecord {
            lsn: Lsn(0),
            ts_ms: self.clock_base_ms + now.as_millis() as i64,
            table,
            key,
            change,
            before: before.as_ref().map(text),
            after: after.as_ref().map(text),
        };
        // What stands behind it in the log, a separator or the line's end, is part of it.
        let length = text_of(&record).len() as u64 + 1;
        self.end = Lsn(self.end.0 + length);
        record.lsn = self.end;
        Ok(record)
    }

    /// A row as the last change left it, flushed or not.
    fn newest(&self, table: &str, key: &str) -> Option<Row> {
        let own = |record: &&WalRecord| *record.table == *table && *record.key == *key;
        let open = self.unflushed.iter().map(|(_, record)| record).rfind(own);
        match open {
            Some(record) => record.after.as_deref().and_then(row_of),
            None => self.tables.get(table)?.get(key).cloned(),
        }
    }

    fn apply(&mut self, record: &WalRecord) {
        let table = self.tables.entry(record.table.clone()).or_default();
        match record.after.as_deref().and_then(row_of) {
            Some(row) => {
                table.insert(record.key.clone(), row);
            }
            None => {
                table.remove(&record.key);
            }
        }
    }

    fn flushed(&mut self, token: FlushToken) {
        while let Some((_, record)) = self.unflushed.pop_front_if(|(it, _)| *it <= token)
        {
            self.apply(&record);
            let deed = AppDeed::Changed {
                table: record.table.clone(),
                key: record.key.clone(),
                change: record.change,
                lsn: record.lsn,
            };
            let deed = ActorDeed::App(deed);
            self.outputs.push_back(Output::Fact(Fact::Actor { deed }));
            self.log.push(record);
        }
        let connections: Vec<ConnectionId> = self.followers.keys().copied().collect();
        connections.into_iter().for_each(|connection| self.feed(connection));
    }

    /// Sends a follower what it has not been sent.
    fn feed(&mut self, connection: ConnectionId) {
        let Some(Some(follower)) = self.followers.get_mut(&connection) else { return };
        for record in self.log.iter().filter(|record| record.lsn > follower.sent) {
            let message = Message::from(DatabaseMessage::XLogData(record.clone()));
            self.outputs.push_back(Output::Send { connection, message });
        }
        follower.sent =
            self.log.last().map_or(follower.sent, |last| last.lsn.max(follower.sent));
    }

    fn asked(&mut self, connection: ConnectionId, message: DatabaseMessage) {
        match message {
            DatabaseMessage::StartReplication { slot, after } => {
                // A slot has one follower; a new one takes it over.
                for old in self.followers.values_mut() {
                    if old.as_ref().is_some_and(|old| old.slot == slot) {
                        *old = None;
                    }
                }
                let confirmed = *self.slots.entry(slot.clone()).or_default();
                let sent = after.max(confirmed);
                self.followers.insert(connection, Some(Follower { slot, sent }));
                self.feed(connection);
            }
            DatabaseMessage::StandbyStatus { flushed } => {
                let follower = self.followers.get(&connection);
                let Some(Some(follower)) = follower else { return };
                let confirmed = self.slots.entry(follower.slot.clone()).or_default();
                *confirmed = flushed.max(*confirmed);
                let lines =
                    self.slots.iter().map(|(slot, at)| format!("{slot} {}\n", at.0));
                let bytes = Bytes::from(lines.collect::<String>().into_bytes());
                let file = FileName::from(SLOTS);
                self.outputs.push_back(Output::Disk(DiskOp::Replace { file, bytes }));
            }
            DatabaseMessage::XLogData(_) | DatabaseMessage::ErrorResponse { .. } => {
                let message: Arc<str> = "a follower sends no changes".into();
                let message = Message::from(DatabaseMessage::ErrorResponse { message });
                self.outputs.push_back(Output::Send { connection, message });
            }
        }
    }
}

fn row_of(text: &str) -> Option<Row> {
    serde_json::from_str(text).ok()
}

/// Between the changes of one transaction; JSON text does not contain it.
const SEPARATOR: &str = "\t";

fn text_of(record: &WalRecord) -> String {
    let WalRecord { lsn, ts_ms, table, key, change, before, after } = record;
    let line = json!({
        "lsn": format!("{:016X}", lsn.0), "ts_ms": ts_ms, "table": &**table, "key": &**key,
        "change": change.name(), "before": before.as_deref(), "after": after.as_deref(),
    });
    line.to_string()
}

/// The changes of one transaction, if all of them are there.
fn records_of(line: &str) -> Option<Vec<WalRecord>> {
    line.split(SEPARATOR).map(record_of).collect()
}

fn record_of(line: &str) -> Option<WalRecord> {
    let line: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| line.get(name)?.as_str().map(Arc::<str>::from);
    let changes = [RowChange::Insert, RowChange::Update, RowChange::Delete];
    Some(WalRecord {
        lsn: Lsn(u64::from_str_radix(&text("lsn")?, 16).ok()?),
        ts_ms: line.get("ts_ms")?.as_i64()?,
        table: text("table")?,
        key: text("key")?,
        change: changes
            .into_iter()
            .find(|it| Some(it.name()) == text("change").as_deref())?,
        before: text("before"),
        after: text("after"),
    })
}

impl Machine for Database {
    fn handle(&mut self, _: Instant, input: Input) {
        match input {
            Input::Accepted { connection } => {
                self.followers.insert(connection, None);
            }
            Input::Closed { connection } => {
                self.followers.remove(&connection);
            }
            Input::Received { connection, message: Message::Database(message) } => {
                self.asked(connection, *message);
            }
            Input::Received { connection, .. } => {
                self.followers.remove(&connection);
                self.outputs.push_back(Output::Close { connection });
            }
            Input::Flushed { token } => self.flushed(token),
            Input::Opened { .. } => {}
        }
    }

    fn tick(&mut self, _: Instant) {}

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn insert(key: &str, total: &str) -> Statement {
        Statement {
            table: "orders".into(),
            key: key.into(),
            change: RowChange::Insert,
            columns: vec![("total".to_owned(), total.to_owned())],
        }
    }

    /// Flushes everything, and returns what is on the disk then and what was sent.
    fn settle(database: &mut Database, files: &mut Files) -> Vec<DatabaseMessage> {
        let mut sent = Vec::new();
        while let Some(output) = database.poll() {
            match output {
                Output::Disk(DiskOp::Append { file, bytes }) => {
                    let old = files.remove(&file).unwrap_or_default();
                    files.insert(file, [old, bytes].concat().into());
                }
                Output::Disk(DiskOp::Replace { file, bytes }) => {
                    files.insert(file, bytes);
                }
                Output::Disk(DiskOp::Flush { token, .. }) => {
                    database.handle(Instant::ZERO, Input::Flushed { token });
                }
                Output::Send { message: Message::Database(message), .. } => {
                    sent.push(*message);
                }
                _ => {}
            }
        }
        sent
    }

    fn follow(database: &mut Database, number: u64, after: Lsn) {
        let connection = ConnectionId::Accepted(number);
        database.handle(Instant::ZERO, Input::Accepted { connection });
        let slot = "debezium".into();
        let message = DatabaseMessage::StartReplication { slot, after }.into();
        database.handle(Instant::ZERO, Input::Received { connection, message });
    }

    #[test]
    fn a_database_that_starts_again_has_its_rows_and_sends_what_was_not_confirmed() {
        let mut files = Files::new();
        let mut database = Database::start(&files, 0);
        for key in ["1", "2"] {
            database.execute(Instant::ZERO, vec![insert(key, "5")]).expect("new");
        }
        settle(&mut database, &mut files);
        follow(&mut database, 0, Lsn(0));
        let sent = settle(&mut database, &mut files);
        let [DatabaseMessage::XLogData(first), DatabaseMessage::XLogData(_)] = &sent[..]
        else {
            panic!("two changes, not {sent:?}");
        };
        let connection = ConnectionId::Accepted(0);
        let message = DatabaseMessage::StandbyStatus { flushed: first.lsn }.into();
        database.handle(Instant::ZERO, Input::Received { connection, message });
        settle(&mut database, &mut files);

        let mut database = Database::start(&files, 0);
        assert_eq!(database.rows("orders"), 2);
        follow(&mut database, 0, Lsn(0));
        assert_eq!(settle(&mut database, &mut files), sent[1..]);
    }

    #[test]
    fn a_change_that_was_not_flushed_never_was() {
        let mut database = Database::start(&Files::new(), 0);
        database.execute(Instant::ZERO, vec![insert("1", "5")]).expect("new");
        assert_eq!(database.rows("orders"), 0);
        let twice = database.execute(Instant::ZERO, vec![insert("1", "6")]);
        assert_eq!(twice, Err("orders has a row 1 already".to_owned()));
    }

    #[test]
    fn the_changes_of_a_transaction_count_together() {
        let mut files = Files::new();
        let mut database = Database::start(&files, 0);
        let both = vec![insert("1", "5"), insert("2", "6")];
        database.execute(Instant::ZERO, both).expect("new");
        let again = vec![insert("3", "5"), insert("1", "6")];
        let refused = database.execute(Instant::ZERO, again);
        assert_eq!(refused, Err("orders has a row 1 already".to_owned()));
        settle(&mut database, &mut files);
        assert_eq!(database.rows("orders"), 2);

        let wal = files.get(WAL).cloned().expect("a log");
        assert_eq!(Database::start(&files, 0).rows("orders"), 2);
        // The second change is torn: the first one did not happen either.
        files.insert(WAL.into(), wal.slice(..wal.len() - 10));
        assert_eq!(Database::start(&files, 0).rows("orders"), 0);
    }
}
