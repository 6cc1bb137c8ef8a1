//! A consumer whose values are deserialized with the schema that they name.
//!
//! The first record of an id makes it ask the registry for the schema; records behind it
//! wait, so that their order stays. The answer is cached for good: what an id stands for
//! never changes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use serde_json::Value;
use topomotion_client::Consumer;
use topomotion_wire::{
    ActorDeed, Endpoint, Fact, HttpMethod, Input, Instant, Machine, Output,
};

use super::framing::unframed;
use super::producer::refusal;
use super::{ByHand, CALL_TIMEOUT, SerdeConfig, why};
use crate::CallId;
use crate::caller::{Caller, Outcome};
use crate::health::Health;
use crate::reader::{Read, Reader};
use crate::schema::{Schema, SchemaType};
use crate::switchboard::{Slot, addressed};

const READER: Slot = Slot(0);
const CALLER: Slot = Slot(1);

/// Reads records with the schemas that they name.
#[derive(Debug, Clone)]
pub struct SchemaConsumer {
    /// None: values are left as they are.
    config: Option<SerdeConfig>,
    reader: Reader,
    caller: Caller,
    by_hand: ByHand,
    /// The deserializer's cache.
    schemas: BTreeMap<u32, Schema>,
    asked: Option<(CallId, u32)>,
    /// Records that wait in the deserializer, the first one for the answer.
    waiting: VecDeque<Read>,
    /// None: nobody may ask how it is.
    health: Option<Health>,
    outputs: VecDeque<Output>,
}

impl SchemaConsumer {
    /// A consumer with this deserializer behind it.
    pub fn new(consumer: Consumer, config: Option<SerdeConfig>) -> SchemaConsumer {
        SchemaConsumer {
            config,
            reader: Reader::new(consumer),
            caller: Caller::new(CALL_TIMEOUT),
            by_hand: ByHand::default(),
            schemas: BTreeMap::new(),
            asked: None,
            waiting: VecDeque::new(),
            health: None,
            outputs: VecDeque::new(),
        }
    }

    /// The same, and it answers `GET /health` and `GET /ready`.
    pub fn with_health(mut self) -> SchemaConsumer {
        self.health = Some(Health::default());
        self
    }

    /// The consumer in front of the deserializer.
    pub fn consumer(&self) -> &Consumer {
        &self.reader.consumer
    }

    /// The consumer in front of the deserializer, for commands.
    pub fn consumer_mut(&mut self) -> &mut Consumer {
        &mut self.reader.consumer
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

    fn tell(&mut self, deed: ActorDeed) {
        self.outputs.push_back(Output::Fact(Fact::Actor { deed }));
    }

    fn drive(&mut self, now: Instant) {
        self.reader.settle();
        while let Some(read) = self.reader.take() {
            if self.config.is_some() {
                self.waiting.push_back(read);
            }
        }
        while let Some((call, outcome)) = self.caller.take_outcome() {
            match self.by_hand.take(call) {
                Some((what, since)) => {
                    let (what, ms) = (Arc::from(what), (now - since).as_millis());
                    self.tell(match outcome {
                        Ok(it) => ActorDeed::Called { what, status: it.status, ms },
                        Err(failure) => {
                            ActorDeed::CallFailed { what, reason: why(failure).into() }
                        }
                    });
                }
                None => self.answered(call, outcome),
            }
        }
        self.deserialize(now);
        READER.drain(&mut self.reader, &mut self.outputs);
        CALLER.drain(&mut self.caller, &mut self.outputs);
    }

    fn answered(&mut self, call: CallId, outcome: Outcome) {
        let Some((_, id)) = self.asked.take_if(|(asked, _)| *asked == call) else {
            return;
        };
        let schema = match outcome {
            Ok(response) if response.is_success() => read_schema(&response.body),
            Ok(response) => Err(refusal(response.status, &response.body)),
            Err(failure) => Err(format!("the registry: {}", why(failure))),
        };
        match schema {
            Ok(schema) => {
                self.schemas.insert(id, schema);
                let what = Arc::from(format!("schema {id}"));
                self.tell(ActorDeed::Remembers { what, id });
            }
            Err(reason) => {
                if let Some(read) = self.waiting.pop_front() {
                    let (offset, reason) = (read.offset, reason.into());
                    self.tell(ActorDeed::CannotDeserialize { offset, reason });
                }
            }
        }
    }

    fn deserialize(&mut self, now: Instant) {
        while self.asked.is_none()
            && let Some(read) = self.waiting.pop_front()
        {
            let offset = read.offset;
            let Some(value) = &read.value else { continue };
            let Some((id, payload)) = unframed(value) else {
                let reason = "it does not begin with magic byte 0".into();
                self.tell(ActorDeed::CannotDeserialize { offset, reason });
                continue;
            };
            let Some(schema) = self.schemas.get(&id) else {
                self.ask(now, id);
                return self.waiting.push_front(read);
            };
            let deed = match schema.decode(payload) {
                Ok(value) => ActorDeed::Reads { offset, id, value: value.into() },
                Err(reason) => {
                    ActorDeed::CannotDeserialize { offset, reason: reason.into() }
                }
            };
            self.tell(deed);
        }
    }

    fn ask(&mut self, now: Instant, id: u32) {
        let Some(config) = &self.config else { return };
        let path = format!("/schemas/ids/{id}");
        let to = config.registry.clone();
        let what = (path, String::new());
        let call = self.caller.call(now, &to, HttpMethod::Get, what);
        self.tell(ActorDeed::LooksUp { what: format!("schema {id}").into() });
        self.asked = Some((call, id));
    }
}

fn read_schema(body: &str) -> Result<Schema, String> {
    let body: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    let kind = body.get("schemaType").and_then(Value::as_str).unwrap_or("AVRO");
    let kind = SchemaType::named(kind).ok_or("the registry sends no schema")?;
    let text = body.get("schema").and_then(Value::as_str);
    Schema::parse(kind, text.ok_or("the registry sends no schema")?)
}

impl Machine for SchemaConsumer {
    fn handle(&mut self, now: Instant, input: Input) {
        match addressed(input) {
            (Some(CALLER), input) => self.caller.handle(now, input),
            (_, input) => {
                let rest = match &mut self.health {
                    Some(health) => {
                        health.serve(input, &self.reader.consumer, &mut self.outputs)
                    }
                    None => Some(input),
                };
                if let Some(input) = rest {
                    self.reader.handle(now, input);
                }
            }
        }
        self.drive(now);
    }

    fn tick(&mut self, now: Instant) {
        self.caller.tick(now);
        self.reader.tick(now);
        self.drive(now);
    }

    fn poll(&mut self) -> Option<Output> {
        // What a command to the consumer asks for is taken here.
        self.reader.settle();
        READER.drain(&mut self.reader, &mut self.outputs);
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        [self.caller.deadline(), self.reader.deadline()].into_iter().flatten().min()
    }
}
