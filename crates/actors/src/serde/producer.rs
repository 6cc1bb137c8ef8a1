//! A producer whose values are serialized under a schema.
//!
//! The first record of a schema makes it ask the registry; it and those behind it wait, as
//! `send` blocks in the serializer. The answer is cached for good: later records cost no
//! call.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use bytes::Bytes;
use serde_json::{Value, json};
use topomotion_client::{Producer, ProducerRecord};
use topomotion_wire::{
    ActorDeed, Endpoint, Fact, HttpMethod, Input, Instant, Machine, Output,
};

use super::framing::framed;
use super::{ByHand, CALL_TIMEOUT, Registration, SerdeConfig, why};
use crate::CallId;
use crate::caller::{Caller, Outcome};
use crate::schema::{Schema, SchemaType};
use crate::switchboard::{Slot, addressed};

const PRODUCER: Slot = Slot(0);
const CALLER: Slot = Slot(1);

/// What the registry was asked.
#[derive(Debug, Clone)]
struct Asked {
    call: CallId,
    subject: String,
    schema: Schema,
}

/// Sends records under a schema, or as they are.
#[derive(Debug, Clone)]
pub struct SchemaProducer {
    /// None: values are sent as they are.
    config: Option<SerdeConfig>,
    producer: Producer,
    caller: Caller,
    by_hand: ByHand,
    /// What the application writes to each topic.
    schemas: BTreeMap<Arc<str>, Schema>,
    /// The serializer's cache, by subject and schema.
    ids: BTreeMap<(String, Arc<str>), u32>,
    asked: Option<Asked>,
    /// Records that wait in the serializer, the first one for the answer.
    waiting: VecDeque<ProducerRecord>,
    outputs: VecDeque<Output>,
}

impl SchemaProducer {
    /// A producer with this serializer in front of it.
    pub fn new(producer: Producer, config: Option<SerdeConfig>) -> SchemaProducer {
        SchemaProducer {
            config,
            producer,
            caller: Caller::new(CALL_TIMEOUT),
            by_hand: ByHand::default(),
            schemas: BTreeMap::new(),
            ids: BTreeMap::new(),
            asked: None,
            waiting: VecDeque::new(),
            outputs: VecDeque::new(),
        }
    }

    /// From now on the application writes this to the topic.
    pub fn write_as(&mut self, topic: Arc<str>, schema: Schema) {
        self.schemas.insert(topic, schema);
    }

    /// Takes a record: it is serialized first, if there is a serializer. One that cannot be
    /// is not sent, and told as [`ActorDeed::CannotSerialize`].
    pub fn send(&mut self, now: Instant, record: ProducerRecord) {
        match self.config {
            Some(_) => self.waiting.push_back(record),
            None => self.producer.send(now, record),
        }
        self.drive(now);
    }

    /// Calls an HTTP server by hand.
    pub fn call(
        &mut self,
        now: Instant,
        to: &Endpoint,
        what: (HttpMethod, String, String),
    ) {
        self.by_hand.call(&mut self.caller, now, to, what);
        self.drive(now);
    }

    /// Calls made by hand that have not ended.
    pub fn open_calls(&self) -> usize {
        self.by_hand.open()
    }

    /// Records that wait in the serializer.
    pub fn unserialized(&self) -> usize {
        self.waiting.len()
    }

    /// The producer behind the serializer.
    pub fn producer(&self) -> &Producer {
        &self.producer
    }

    /// The producer behind the serializer, for what passes it by.
    pub fn producer_mut(&mut self) -> &mut Producer {
        &mut self.producer
    }

    fn tell(&mut self, deed: ActorDeed) {
        self.outputs.push_back(Output::Fact(Fact::Actor { deed }));
    }

    fn drive(&mut self, now: Instant) {
        while let Some((call, outcome)) = self.caller.take_outcome() {
            match self.by_hand.take(call) {
                Some((what, since)) => self.ended(now, &what, since, outcome),
                None => self.answered(now, call, outcome),
            }
        }
        self.serialize(now);
        PRODUCER.drain(&mut self.producer, &mut self.outputs);
        CALLER.drain(&mut self.caller, &mut self.outputs);
    }

    fn ended(&mut self, now: Instant, what: &str, since: Instant, outcome: Outcome) {
        let what = Arc::from(what);
        let ms = (now - since).as_millis();
        self.tell(match outcome {
            Ok(response) => ActorDeed::Called { what, status: response.status, ms },
            Err(failure) => ActorDeed::CallFailed { what, reason: why(failure).into() },
        });
    }

    fn answered(&mut self, now: Instant, call: CallId, outcome: Outcome) {
        let Some(asked) = self.asked.take_if(|asked| asked.call == call) else { return };
        let id = match outcome {
            Ok(response) if response.is_success() => {
                let body: Option<Value> = serde_json::from_str(&response.body).ok();
                let id = body.as_ref().and_then(|body| body.get("id")?.as_u64());
                id.and_then(|id| u32::try_from(id).ok())
                    .ok_or_else(|| "the registry gives no id".to_owned())
            }
            Ok(response) => Err(refusal(response.status, &response.body)),
            Err(failure) => Err(format!("the registry: {}", why(failure))),
        };
        match id {
            Ok(id) => {
                let what = Arc::from(asked.subject.as_str());
                self.ids.insert((asked.subject, asked.schema.text().clone()), id);
                self.tell(ActorDeed::Remembers { what, id });
            }
            // Whoever called `send` gets the error; the next record asks again.
            Err(reason) => {
                self.waiting.pop_front();
                self.tell(ActorDeed::CannotSerialize { reason: reason.into() });
            }
        }
        self.serialize(now);
    }

    /// Sends on every record whose schema has an id, in their order.
    fn serialize(&mut self, now: Instant) {
        while self.asked.is_none()
            && let Some(record) = self.waiting.pop_front()
        {
            let schema = self.schema_of(&record.topic);
            let subject = format!("{}-value", record.topic);
            let key = (subject, schema.text().clone());
            let Some(&id) = self.ids.get(&key) else {
                self.ask(now, key.0, schema);
                return self.waiting.push_front(record);
            };
            let Some(value) = &record.value else {
                // A tombstone has no schema.
                self.producer.send(now, record);
                continue;
            };
            match schema.encode(&String::from_utf8_lossy(value)) {
                Ok(payload) => {
                    let value = Some(Bytes::from(framed(id, &payload)));
                    self.producer.send(now, ProducerRecord { value, ..record });
                }
                Err(reason) => {
                    self.tell(ActorDeed::CannotSerialize { reason: reason.into() });
                }
            }
        }
    }

    /// What the application writes to a topic; a plain text where nobody said.
    fn schema_of(&self, topic: &Arc<str>) -> Schema {
        let told = self.schemas.get(topic).cloned();
        told.unwrap_or_else(|| {
            Schema::parse(SchemaType::Avro, "\"string\"").expect("a plain type is good")
        })
    }

    fn ask(&mut self, now: Instant, subject: String, schema: Schema) {
        let Some(config) = &self.config else { return };
        let path = match config.registration {
            Registration::Automatic => format!("/subjects/{subject}/versions"),
            Registration::ByHand => format!("/subjects/{subject}"),
        };
        let body = body_of(&schema);
        let to = config.registry.clone();
        let call = self.caller.call(now, &to, HttpMethod::Post, (path, body));
        self.tell(ActorDeed::LooksUp { what: Arc::from(subject.as_str()) });
        self.asked = Some(Asked { call, subject, schema });
    }
}

/// A schema as a registry wants it told.
pub(crate) fn body_of(schema: &Schema) -> String {
    let mut body = json!({ "schema": &**schema.text() });
    if schema.kind() != SchemaType::Avro {
        body["schemaType"] = schema.kind().name().into();
    }
    body.to_string()
}

/// A server's refusal in its own words.
pub(crate) fn refusal(status: u16, body: &str) -> String {
    let body: Option<Value> = serde_json::from_str(body).ok();
    let message = body.as_ref().and_then(|body| body.get("message")?.as_str());
    match message {
        Some(message) => format!("{status}, {message}"),
        None => status.to_string(),
    }
}

impl Machine for SchemaProducer {
    fn handle(&mut self, now: Instant, input: Input) {
        match addressed(input) {
            (Some(CALLER), input) => self.caller.handle(now, input),
            (_, input) => self.producer.handle(now, input),
        }
        self.drive(now);
    }

    fn tick(&mut self, now: Instant) {
        self.caller.tick(now);
        self.producer.tick(now);
        self.drive(now);
    }

    fn poll(&mut self) -> Option<Output> {
        PRODUCER.drain(&mut self.producer, &mut self.outputs);
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        [self.caller.deadline(), self.producer.deadline()].into_iter().flatten().min()
    }
}
