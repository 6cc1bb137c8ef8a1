//! Packet detail: each message's essence in words.
//!
//! A message is taken apart into [`Part`]s, one for each thing that it speaks about (a
//! partition, mostly). What a part says is compared with what was last said about the same
//! thing on the same errand: that decides whether the message carries news, and which parts
//! are worth showing.

mod admin;
mod api;
mod dictionary;
mod errands;
mod groups;
mod http;
mod request;
mod response;
mod size;
mod transactions;
mod zookeeper;

use kafka_protocol::messages::ApiKey;
use topomotion_wire::{ErrorCode, Message};

pub(crate) use dictionary::{Dictionary, METADATA_TOPIC};
pub(crate) use errands::{Errand, Errands, Way};
pub(crate) use http::is_failure as is_http_failure;
pub(crate) use size::Scales;
pub(crate) use zookeeper::answers as is_zookeeper_answer;

/// One thing that a message says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Part {
    /// What it is about: `orders-0`, or nothing in particular.
    pub subject: String,
    /// What it says, as shown.
    pub text: String,
    /// What makes it news.
    pub weight: Weight,
}

/// What makes a part news.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Weight {
    /// It always is.
    Always,
    /// It is if this differs from last time.
    IfChanged(String),
    /// It never is.
    Never,
}

/// A message in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Essence {
    pub api: &'static str,
    pub parts: Vec<Part>,
    pub records: u32,
    pub error: Option<String>,
}

impl Part {
    /// A part that is always news.
    pub fn always(subject: impl Into<String>, text: impl Into<String>) -> Part {
        Part { subject: subject.into(), text: text.into(), weight: Weight::Always }
    }

    /// How a part of an internal topic's replication is meant: what the topic holds is told
    /// by those who write to it, and its replication is as routine as a heartbeat.
    pub fn of_replication(self) -> Part {
        let weight = match is_internal(&self.subject) {
            true => Weight::Never,
            false => self.weight,
        };
        Part { weight, ..self }
    }

    /// A part that is news when its text differs from last time.
    pub fn if_changed(subject: impl Into<String>, text: impl Into<String>) -> Part {
        let text = text.into();
        Part { subject: subject.into(), weight: Weight::IfChanged(text.clone()), text }
    }
}

/// Whether a topic, or a partition of it, is one that brokers keep for themselves.
fn is_internal(name: &str) -> bool {
    name.starts_with("__") && !name.starts_with("__cluster_metadata")
}

/// What a message says, and the key under which its like is known.
pub(crate) fn describe(
    message: &Message,
    names: &Dictionary,
) -> (Option<ApiKey>, Essence) {
    let (key, told) = match message {
        Message::HttpRequest(request) => {
            return (None, essence(request.method.name(), http::asked(request)));
        }
        Message::HttpResponse(response) => {
            let status = http::status(response.status);
            return (None, essence(status, http::answered(response)));
        }
        Message::Database(message) => {
            let told = Told::one(Part::always("", message.to_string()));
            return (None, essence(message.name(), told));
        }
        Message::Zookeeper(message) => {
            let (name, told) = zookeeper::tell(message, names);
            return (None, essence(name, told));
        }
        Message::Request(request) => {
            (api::of_request(&request.body), request::tell(request, names))
        }
        Message::Response(response) => {
            (api::of_response(&response.body), response::tell(response, names))
        }
    };
    (key, essence(key.map_or("Other", api::name), told))
}

fn essence(api: &'static str, told: Told) -> Essence {
    Essence { api, parts: told.parts, records: told.records, error: told.error }
}

/// What the describing functions collect.
#[derive(Debug, Default)]
pub(crate) struct Told {
    pub parts: Vec<Part>,
    pub records: u32,
    pub error: Option<String>,
}

impl Told {
    fn one(part: Part) -> Told {
        Told { parts: vec![part], ..Told::default() }
    }

    fn push(&mut self, part: Part) {
        self.parts.push(part);
    }

    /// Notes an error code; the first one counts.
    fn error(&mut self, code: i16) {
        if self.error.is_none() {
            self.error = error_name(code);
        }
    }
}

/// An error's name as Kafka writes it: `NOT_LEADER_OR_FOLLOWER`; none for success.
pub(crate) fn error_name(code: i16) -> Option<String> {
    ErrorCode::try_from_code(code).map(name_of)
}

/// Every error's name as Kafka writes it.
pub(crate) fn error_names() -> Vec<String> {
    let all = (-1..=MOST_ERRORS).filter_map(ErrorCode::try_from_code);
    let known = all.filter(|error| !matches!(error, ErrorCode::Unknown(_)));
    known.map(name_of).collect()
}

/// No code of Kafka's is greater.
const MOST_ERRORS: i16 = 200;

pub(crate) use topomotion_wire::error_name as name_of;

#[cfg(test)]
mod tests;
