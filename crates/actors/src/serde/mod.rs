//! Serializers: clients of Kafka whose records carry the id of their schema.
//!
//! A record's value is magic byte 0, the schema's id in four bytes, and the payload. The
//! producer's side gets the id from the registry and caches it; the consumer's side gets
//! the schema for an id, and caches that.

mod consumer;
mod framing;
mod producer;

use topomotion_wire::{Duration, Endpoint, HttpMethod, Instant};

use crate::{CallFailure, CallId, Caller};

pub use consumer::SchemaConsumer;
pub use producer::SchemaProducer;

/// Settings of a serializer or deserializer, under their own names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SerdeConfig {
    /// `schema.registry.url`.
    pub registry: Endpoint,
    /// `auto.register.schemas`; without it a schema is looked up and must be there.
    pub registration: Registration,
}

/// `auto.register.schemas`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Registration {
    /// `true`: an unknown schema is registered.
    #[default]
    Automatic,
    /// `false`: it must have been registered by somebody.
    ByHand,
}

impl SerdeConfig {
    /// The serializers' defaults.
    pub fn new(registry: Endpoint) -> SerdeConfig {
        SerdeConfig { registry, registration: Registration::default() }
    }
}

/// How long a call may take: the registry client's `http.read.timeout.ms`.
const CALL_TIMEOUT: Duration = Duration::from_millis(60_000);

/// Calls that a script makes by hand, beside the serializer's own.
#[derive(Debug, Clone, Default)]
pub(crate) struct ByHand {
    open: Vec<(CallId, String, Instant)>,
}

impl ByHand {
    pub fn call(
        &mut self,
        caller: &mut Caller,
        now: Instant,
        to: &Endpoint,
        (method, path, body): (HttpMethod, String, String),
    ) {
        let what = format!("{method} {path}");
        let id = caller.call(now, to, method, (path, body));
        self.open.push((id, what, now));
    }

    /// Takes the end of a call, if it was made by hand: what was called, and since when.
    pub fn take(&mut self, id: CallId) -> Option<(String, Instant)> {
        let place = self.open.iter().position(|(open, ..)| *open == id)?;
        let (_, what, since) = self.open.remove(place);
        Some((what, since))
    }

    pub fn open(&self) -> usize {
        self.open.len()
    }
}

/// Why there is no answer, in words.
pub(crate) fn why(failure: CallFailure) -> &'static str {
    match failure {
        CallFailure::Disconnected => "nobody answers there",
        CallFailure::TimedOut => "the answer takes too long",
    }
}
