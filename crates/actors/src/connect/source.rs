//! A source task: follows a database's log and produces an envelope for every change, as
//! Debezium does. How far it got it writes to the offsets topic now and then; what was
//! produced after that is produced again by whoever takes the task over.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use topomotion_client::{CommonConfig, IsolationLevel, Producer, ProducerRecord};
use topomotion_wire::{
    ActorDeed, AppDeed, ConnectionId, DatabaseMessage, Duration, Endpoint, Fact, Input,
    Instant, Lsn, Machine, Message, Output, RowChange, TopicPartition, WalRecord,
};

use super::{ConnectConfig, SourceConfig};
use crate::loader::Loader;
use crate::switchboard::Slot;

/// Before a database that is not there is dialled again.
const REDIAL: Duration = Duration::from_millis(1_000);

#[derive(Debug)]
enum Stage {
    /// Where did the task get to before?
    Loading(Box<Loader>),
    /// The database is dialled then.
    Waiting(Instant),
    Dialling,
    Following,
}

/// How far the offsets topic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Flush {
    /// Nothing is on its way.
    Idle,
    /// Everything up to here is to be acknowledged first.
    Draining(Lsn),
    /// The offset was sent.
    Writing(Lsn),
}

/// A running source task.
#[derive(Debug)]
pub(super) struct Source {
    name: Arc<str>,
    config: SourceConfig,
    offsets: TopicPartition,
    interval: Duration,
    stage: Stage,
    connection: Option<ConnectionId>,
    connections: u64,
    /// Changes that came while offsets were flushed.
    waiting: VecDeque<WalRecord>,
    sent: Lsn,
    stored: Lsn,
    flush: Flush,
    due: Instant,
    /// What is to go to the database's connection, or to the world.
    outputs: VecDeque<Output>,
    /// What the loader said last, numbered already.
    last: VecDeque<Output>,
}

pub(super) const LOADER: Slot = Slot(3);
pub(super) const DATABASE: Slot = Slot(4);

impl Source {
    pub fn start(now: Instant, worker: &ConnectConfig, config: &SourceConfig) -> Source {
        let offsets = TopicPartition::new(worker.offsets_topic.clone(), 0);
        let common = CommonConfig {
            client_id: format!("{}-offsets", worker.common.client_id).into(),
            ..worker.common.clone()
        };
        let level = IsolationLevel::ReadUncommitted;
        let loader = Loader::start(now, offsets.clone(), common, level);
        Source {
            name: config.name.clone(),
            config: config.clone(),
            offsets,
            interval: worker.flush_interval,
            stage: Stage::Loading(Box::new(loader)),
            connection: None,
            connections: 0,
            waiting: VecDeque::new(),
            sent: Lsn(0),
            stored: Lsn(0),
            flush: Flush::Idle,
            due: now + worker.flush_interval,
            outputs: VecDeque::new(),
            last: VecDeque::new(),
        }
    }

    /// What stands for this task in the offsets topic.
    fn key(&self) -> String {
        json!([&*self.name, { "server": &*self.config.prefix }]).to_string()
    }

    fn tell(&mut self, deed: AppDeed) {
        let deed = ActorDeed::App(deed);
        self.outputs.push_back(Output::Fact(Fact::Actor { deed }));
    }

    pub fn handle(&mut self, now: Instant, slot: Slot, input: Input) {
        if slot == LOADER {
            if let Stage::Loading(loader) = &mut self.stage {
                loader.handle(now, input);
            }
            return;
        }
        match input {
            Input::Opened { connection } if self.connection == Some(connection) => {
                self.stage = Stage::Following;
                let (slot, after) = (self.name.clone(), self.stored);
                let message = DatabaseMessage::StartReplication { slot, after }.into();
                self.outputs.push_back(Output::Send { connection, message });
            }
            Input::Closed { connection } if self.connection == Some(connection) => {
                self.connection = None;
                self.stage = Stage::Waiting(now + REDIAL);
            }
            Input::Received { connection, message: Message::Database(message) }
                if self.connection == Some(connection) =>
            {
                match *message {
                    DatabaseMessage::XLogData(record) => self.waiting.push_back(record),
                    DatabaseMessage::ErrorResponse { .. } => {
                        self.outputs.push_back(Output::Close { connection });
                        self.connection = None;
                        self.stage = Stage::Waiting(now + REDIAL);
                    }
                    DatabaseMessage::StartReplication { .. }
                    | DatabaseMessage::StandbyStatus { .. } => {}
                }
            }
            _ => {}
        }
    }

    pub fn tick(&mut self, now: Instant) {
        if let Stage::Loading(loader) = &mut self.stage {
            loader.tick(now);
        }
    }

    /// Goes on as far as it can.
    pub fn drive(&mut self, now: Instant, producer: &mut Producer) {
        self.load(now);
        if let Stage::Waiting(due) = self.stage
            && due <= now
        {
            let connection = ConnectionId::Dialled(self.connections);
            self.connections += 1;
            self.connection = Some(connection);
            let to: Endpoint = self.config.database.clone();
            self.outputs.push_back(Output::Open { connection, to });
            self.stage = Stage::Dialling;
        }
        self.flush(now, producer);
        while self.flush == Flush::Idle
            && let Some(record) = self.waiting.pop_front()
        {
            // What it had before the connection broke it has not to send again.
            if record.lsn > self.sent {
                self.sent = record.lsn;
                if self.config.tables.contains(&record.table) {
                    self.produce(now, &record, producer);
                }
            }
        }
    }

    fn load(&mut self, now: Instant) {
        let key = self.key();
        let Stage::Loading(loader) = &mut self.stage else { return };
        for read in loader.take(now) {
            if read.key.as_deref() == Some(key.as_bytes()) {
                let value = read.value.as_deref().unwrap_or_default();
                let value: Option<Value> = serde_json::from_slice(value).ok();
                let lsn = value.as_ref().and_then(|it| it.get("lsn")?.as_u64());
                self.stored = Lsn(lsn.unwrap_or_default());
            }
        }
        if loader.is_done() {
            LOADER.drain(&mut **loader, &mut self.last);
            self.sent = self.stored;
            let (task, at) = (self.name.clone(), self.stored);
            self.tell(AppDeed::SourceStarts { task, at });
            self.stage = Stage::Waiting(now);
        }
    }

    fn produce(&mut self, now: Instant, record: &WalRecord, producer: &mut Producer) {
        let row = |row: &Option<Arc<str>>| {
            row.as_deref().and_then(|row| serde_json::from_str::<Value>(row).ok())
        };
        let envelope = json!({
            "before": row(&record.before), "after": row(&record.after),
            "op": record.change.op(), "ts_ms": record.ts_ms,
            "source": { "db": &*self.config.prefix, "table": &*record.table,
                        "lsn": record.lsn.0 },
        });
        let key = json!({ "id": &*record.key }).to_string();
        let topic: Arc<str> = format!("{}.{}", self.config.prefix, record.table).into();
        let mut send = |value: Option<String>| {
            producer.send(
                now,
                ProducerRecord {
                    topic: topic.clone(),
                    partition: None,
                    key: Some(Bytes::from(key.clone().into_bytes())),
                    value: value.map(|value| Bytes::from(value.into_bytes())),
                    headers: Vec::new(),
                    acks: None,
                },
            );
        };
        send(Some(envelope.to_string()));
        if record.change == RowChange::Delete {
            // A tombstone, so that compaction forgets the row.
            send(None);
        }
    }

    /// Stores how far it got, now and then.
    fn flush(&mut self, now: Instant, producer: &mut Producer) {
        if self.flush == Flush::Idle && self.due <= now {
            self.due = now + self.interval;
            if self.sent > self.stored {
                self.flush = Flush::Draining(self.sent);
            }
        }
        if let Flush::Draining(lsn) = self.flush
            && producer.pending() == 0
        {
            let value = json!({ "lsn": lsn.0 }).to_string();
            let record = ProducerRecord {
                topic: self.offsets.topic.clone(),
                partition: Some(self.offsets.partition),
                key: Some(Bytes::from(self.key().into_bytes())),
                value: Some(Bytes::from(value.into_bytes())),
                headers: Vec::new(),
                acks: None,
            };
            producer.send(now, record);
            self.flush = Flush::Writing(lsn);
        } else if let Flush::Writing(lsn) = self.flush
            && producer.pending() == 0
        {
            (self.flush, self.stored) = (Flush::Idle, lsn);
            let task = self.name.clone();
            self.tell(AppDeed::OffsetStored { task, lsn });
            if let (Some(connection), Stage::Following) = (self.connection, &self.stage) {
                let message = DatabaseMessage::StandbyStatus { flushed: lsn }.into();
                self.outputs.push_back(Output::Send { connection, message });
            }
        }
    }

    /// The connection to the database ends with the task.
    pub fn stop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.outputs.push_back(Output::Close { connection });
        }
    }

    /// What it wants, as the world must read it.
    pub fn drain(&mut self, into: &mut VecDeque<Output>) {
        if let Stage::Loading(loader) = &mut self.stage {
            LOADER.drain(&mut **loader, into);
        }
        into.append(&mut self.last);
        DATABASE.drain(&mut Queue(&mut self.outputs), into);
    }

    pub fn deadline(&self) -> Option<Instant> {
        let (loader, dial) = match &self.stage {
            Stage::Loading(loader) => (loader.deadline(), None),
            Stage::Waiting(due) => (None, Some(*due)),
            Stage::Dialling | Stage::Following => (None, None),
        };
        let flush =
            (self.flush == Flush::Idle && self.sent > self.stored).then_some(self.due);
        [loader, dial, flush].into_iter().flatten().min()
    }
}

/// Outputs that no machine of its own makes.
struct Queue<'a>(&'a mut VecDeque<Output>);

impl Machine for Queue<'_> {
    fn handle(&mut self, _: Instant, _: Input) {}

    fn tick(&mut self, _: Instant) {}

    fn poll(&mut self) -> Option<Output> {
        self.0.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        None
    }
}
