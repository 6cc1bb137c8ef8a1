//! The Schema Registry: an HTTP server whose only memory is a compacted topic.
//!
//! ```text
//!   POST /subjects/orders-value/versions
//!        │ decide ──► write to _schemas ──► read it back ──► now it is known ──► 200 {id: 1}
//!        └ refused: 409, with the reason
//! ```
//!
//! A registry that starts reads the topic from its beginning up to a marker that it has
//! written itself, and only then listens. Writes happen one after the other; reads never
//! wait for them. A single registry is its own leader: nobody else writes the topic.

mod api;
mod record;
mod reply;
mod store;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use topomotion_client::{
    Admin, CommonConfig, Consumer, ConsumerConfig, NewTopic, OffsetReset, Producer,
    ProducerConfig, ProducerRecord, TopicPlacement,
};
use topomotion_wire::{
    ActorDeed, ConnectionId, CorrelationId, Duration, ErrorCode, Fact, HttpRequest,
    HttpResponse, Input, Instant, Machine, Message, Offset, Output, Random,
    TopicPartition,
};

use crate::reader::{Read, Reader};
use crate::schema::Compatibility;
use crate::switchboard::{Slot, addressed};
use api::{Decision, decide};
use record::Entry;
use reply::{Fault, Reply};
use store::{Deleted, Store};

/// A registry's settings, under its own names.
#[derive(Debug, Clone)]
pub struct RegistryConfig {
    /// What its clients of Kafka need: `kafkastore.bootstrap.servers` among them.
    pub common: CommonConfig,
    /// `kafkastore.topic`.
    pub topic: Arc<str>,
    /// Where the topic goes if it is not there yet.
    pub placement: TopicPlacement,
    /// `schema.compatibility.level`: where nothing else is set.
    pub level: Compatibility,
    /// `kafkastore.timeout.ms`: how long a record may take to be written and read back.
    pub timeout: Duration,
}

impl RegistryConfig {
    /// The registry's defaults.
    pub fn new(common: CommonConfig) -> RegistryConfig {
        RegistryConfig {
            common,
            topic: "_schemas".into(),
            placement: TopicPlacement::Automatic {
                partitions: Some(1),
                replication_factor: Some(3),
            },
            level: Compatibility::default(),
            timeout: Duration::from_millis(500),
        }
    }
}

const ADMIN: Slot = Slot(1);
const PRODUCER: Slot = Slot(2);
const READER: Slot = Slot(3);

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The topic is created, if it is not there.
    Creating,
    /// What the topic holds is being read.
    Loading,
    /// It listens.
    Serving,
}

/// Who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Caller {
    connection: ConnectionId,
    correlation: CorrelationId,
}

/// Entries on their way into the topic and back.
#[derive(Debug, Clone)]
struct Write {
    /// Whom to answer; the marker of the start has nobody.
    caller: Option<(Caller, Reply)>,
    /// Not sent yet.
    entries: VecDeque<Entry>,
    /// Sent, and not acknowledged yet.
    is_sent: bool,
    /// The offset of what was acknowledged last: it must be read back.
    until: Option<Offset>,
    due: Instant,
}

/// Keeps schemas.
#[derive(Debug, Clone)]
pub struct SchemaRegistry {
    config: RegistryConfig,
    stage: Stage,
    store: Store,
    /// The last offset that was read, and everything before it.
    read: Option<Offset>,
    admin: Admin,
    producer: Producer,
    reader: Reader,
    callers: BTreeSet<ConnectionId>,
    /// Requests that write, while another write is under way.
    waiting: VecDeque<(Caller, HttpRequest)>,
    write: Option<Write>,
    outputs: VecDeque<Output>,
}

/// The registry's patience while it starts: `kafkastore.init.timeout.ms`.
const INIT_TIMEOUT: Duration = Duration::from_millis(60_000);

impl SchemaRegistry {
    /// A registry that starts now: it makes sure of its topic, and reads it.
    pub fn start(now: Instant, config: RegistryConfig, random: Random) -> SchemaRegistry {
        let own = |name: &str| CommonConfig {
            client_id: format!("{}-{name}", config.common.client_id).into(),
            ..config.common.clone()
        };
        let consumer = Consumer::new(ConsumerConfig {
            offset_reset: OffsetReset::Earliest,
            ..ConsumerConfig::new(own("reader"))
        });
        let producer = ProducerConfig {
            linger: Duration::ZERO,
            ..ProducerConfig::new(own("writer"))
        };
        let mut registry = SchemaRegistry {
            stage: Stage::Creating,
            store: Store::default(),
            read: None,
            admin: Admin::new(own("admin")),
            producer: Producer::new(producer, random),
            reader: Reader::new(consumer),
            callers: BTreeSet::new(),
            waiting: VecDeque::new(),
            write: None,
            outputs: VecDeque::new(),
            config,
        };
        let topic = NewTopic {
            name: registry.config.topic.clone(),
            placement: registry.config.placement.clone(),
            configs: BTreeMap::from([("cleanup.policy".into(), "compact".into())]),
        };
        registry.admin.create_topic(now, topic);
        registry.drive(now);
        registry
    }

    /// Whether it has read its topic and listens.
    pub fn is_serving(&self) -> bool {
        self.stage == Stage::Serving
    }

    /// What it knows, subject by subject: version and id of each that is not deleted.
    pub fn versions(&self) -> Vec<(String, u32, u32)> {
        let subjects = self.store.subjects(Deleted::Hidden).into_iter();
        let versions = subjects.flat_map(|subject| {
            let all = self.store.versions(subject, Deleted::Hidden);
            all.map(move |(number, it)| (subject.to_owned(), number, it.id))
        });
        versions.collect()
    }

    fn drive(&mut self, now: Instant) {
        self.created(now);
        self.drain(now);
        loop {
            self.take_records();
            self.finish_write(now);
            if !self.begin_write(now) {
                break;
            }
        }
        self.drain(now);
    }

    /// Takes what the clients want; what they tell of the writes is looked at.
    fn drain(&mut self, now: Instant) {
        ADMIN.drain(&mut self.admin, &mut self.outputs);
        let mut told = VecDeque::new();
        PRODUCER.drain(&mut self.producer, &mut told);
        for output in told {
            match &output {
                Output::Fact(Fact::BatchAcked { base, .. }) => self.acked(*base),
                Output::Fact(Fact::BatchFailed { .. }) => self.failed(),
                _ => {}
            }
            self.outputs.push_back(output);
        }
        READER.drain(&mut self.reader, &mut self.outputs);
        self.take_records();
        self.finish_write(now);
    }

    fn partition(&self) -> TopicPartition {
        TopicPartition::new(self.config.topic.clone(), 0)
    }

    /// The topic is there: it is read from its beginning, up to a marker.
    fn created(&mut self, now: Instant) {
        if self.stage != Stage::Creating {
            return;
        }
        let Some(created) = self.admin.take_result() else { return };
        match created.result {
            Ok(()) | Err((ErrorCode::TopicAlreadyExists, _)) => {}
            Err((error, _)) => {
                self.tell(ActorDeed::NoTopic { topic: created.topic, error });
                return;
            }
        }
        self.stage = Stage::Loading;
        self.reader.consumer.assign(now, [self.partition()]);
        self.reader.settle();
        self.write = Some(Write {
            caller: None,
            entries: VecDeque::from([Entry::Noop]),
            is_sent: false,
            until: None,
            due: now + INIT_TIMEOUT,
        });
    }

    fn tell(&mut self, deed: ActorDeed) {
        self.outputs.push_back(Output::Fact(Fact::Actor { deed }));
    }

    fn take_records(&mut self) {
        while let Some(Read { offset, key, value, .. }) = self.reader.take() {
            self.read = Some(offset);
            let key = key.unwrap_or_default();
            let Some(entry) = Entry::read(&key, value.as_deref()) else { continue };
            if let Entry::Schema { subject, version, id, is_deleted: false, .. } = &entry
            {
                let subject = Arc::from(subject.as_str());
                let (version, id) = (*version, *id);
                self.tell(ActorDeed::SchemaKnown { subject, version, id });
            }
            self.store.apply(entry);
        }
    }

    fn acked(&mut self, base: Option<Offset>) {
        if let Some(write) = &mut self.write {
            (write.is_sent, write.until) = (false, base);
        }
    }

    fn failed(&mut self) {
        if let Some(write) = self.write.take() {
            self.refuse(write, &Fault::Backend);
        }
    }

    fn refuse(&mut self, write: Write, fault: &Fault) {
        if let Some((caller, _)) = write.caller {
            self.answer(caller, fault.reply());
        }
    }

    /// A write is over when its last record has been read back.
    fn finish_write(&mut self, now: Instant) {
        let Some(write) = &self.write else { return };
        let is_back = write.until.is_some_and(|until| self.read >= Some(until));
        if write.entries.is_empty() && !write.is_sent && is_back {
            if let Some(Write { caller: Some((caller, reply)), .. }) = self.write.take() {
                self.answer(caller, reply);
            } else {
                self.stage = Stage::Serving;
                let versions = self.versions().len();
                self.tell(ActorDeed::RegistryServes { versions });
            }
        } else if write.due <= now
            && let Some(write) = self.write.take()
        {
            self.refuse(write, &Fault::Timeout);
        }
    }

    /// Sends the next record, or takes up the next request that writes. Returns whether
    /// there was anything to do.
    fn begin_write(&mut self, now: Instant) -> bool {
        let topic = self.config.topic.clone();
        if let Some(write) = &mut self.write {
            if write.is_sent {
                return false;
            }
            let Some(entry) = write.entries.pop_front() else { return false };
            let written = entry.written();
            write.is_sent = true;
            self.producer.send(
                now,
                ProducerRecord {
                    topic,
                    partition: Some(0),
                    key: Some(Bytes::from(written.key)),
                    value: written.value.map(Bytes::from),
                    headers: Vec::new(),
                    acks: None,
                },
            );
            self.drain(now);
            return true;
        }
        if self.stage != Stage::Serving {
            return false;
        }
        let Some((caller, request)) = self.waiting.pop_front() else { return false };
        self.decide(now, caller, &request);
        true
    }

    fn asked(&mut self, now: Instant, connection: ConnectionId, request: HttpRequest) {
        let caller = Caller { connection, correlation: request.correlation };
        // Whoever writes must not decide on what another is just changing.
        let decision = decide(&self.store, self.config.level, &request);
        if self.write.is_some() && matches!(decision, Decision::Write(..)) {
            self.waiting.push_back((caller, request));
        } else {
            self.take_decision(now, caller, decision);
        }
    }

    fn decide(&mut self, now: Instant, caller: Caller, request: &HttpRequest) {
        let decision = decide(&self.store, self.config.level, request);
        self.take_decision(now, caller, decision);
    }

    fn take_decision(&mut self, now: Instant, caller: Caller, decision: Decision) {
        match decision {
            Decision::Answer(reply) => self.answer(caller, reply),
            Decision::Write(entries, reply) => {
                self.write = Some(Write {
                    caller: Some((caller, reply)),
                    entries: entries.into(),
                    is_sent: false,
                    until: None,
                    due: now + self.config.timeout,
                });
            }
        }
    }

    fn answer(&mut self, caller: Caller, reply: Reply) {
        let Caller { connection, correlation } = caller;
        if !self.callers.contains(&connection) {
            return;
        }
        let Reply { status, body } = reply;
        if status == 409 {
            let message = serde_json::from_str::<serde_json::Value>(&body).ok();
            let message = message.as_ref().and_then(|it| it.get("message")?.as_str());
            let reason = Arc::from(message.unwrap_or_default());
            self.tell(ActorDeed::SchemaRefused { reason });
        }
        let message = Message::from(HttpResponse { correlation, status, body });
        self.outputs.push_back(Output::Send { connection, message });
    }

    fn served(&mut self, now: Instant, input: Input) {
        match input {
            // Whoever comes before it listens is turned away.
            Input::Accepted { connection } if self.stage != Stage::Serving => {
                self.outputs.push_back(Output::Close { connection });
            }
            Input::Accepted { connection } => {
                self.callers.insert(connection);
            }
            Input::Closed { connection } => {
                self.callers.remove(&connection);
                self.waiting.retain(|(caller, _)| caller.connection != connection);
            }
            Input::Received { connection, message: Message::HttpRequest(request) }
                if self.callers.contains(&connection) =>
            {
                self.asked(now, connection, *request);
            }
            Input::Received { connection, .. } => {
                self.callers.remove(&connection);
                self.outputs.push_back(Output::Close { connection });
            }
            Input::Opened { .. } | Input::Flushed { .. } => {}
        }
    }
}

impl Machine for SchemaRegistry {
    fn handle(&mut self, now: Instant, input: Input) {
        match addressed(input) {
            (Some(ADMIN), input) => self.admin.handle(now, input),
            (Some(PRODUCER), input) => self.producer.handle(now, input),
            (Some(READER), input) => self.reader.handle(now, input),
            (_, input) => self.served(now, input),
        }
        self.drive(now);
    }

    fn tick(&mut self, now: Instant) {
        self.admin.tick(now);
        self.producer.tick(now);
        self.reader.tick(now);
        self.drive(now);
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        let write = self.write.as_ref().map(|write| write.due);
        let clients =
            [self.admin.deadline(), self.producer.deadline(), self.reader.deadline()];
        clients.into_iter().chain([write]).flatten().min()
    }
}
