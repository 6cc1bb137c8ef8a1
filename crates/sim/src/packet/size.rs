//! How long a message is on the wire.

use bytes::BytesMut;
use kafka_protocol::messages::ApiKey;
use topomotion_wire::Message;

use super::{http, zookeeper};

/// Weighs messages by encoding them, into one buffer that is used again and again.
#[derive(Debug, Default)]
pub(crate) struct Scales {
    buffer: BytesMut,
}

/// The length field in front of every frame.
const FRAME: usize = 4;

impl Scales {
    /// The message's size in bytes with length field and header; 0 for a message that its
    /// version cannot carry.
    pub fn weigh(&mut self, key: Option<ApiKey>, message: &Message, client: &str) -> u32 {
        self.buffer.clear();
        let Some(key) = key else { return without_key(message) };
        let (encoded, header) = match message {
            Message::HttpRequest(_)
            | Message::HttpResponse(_)
            | Message::Database(_)
            | Message::Zookeeper(_) => {
                return without_key(message);
            }
            Message::Request(request) => (
                request.body.encode(&mut self.buffer, request.version),
                request_header(key.request_header_version(request.version), client),
            ),
            Message::Response(response) => (
                response.body.encode(&mut self.buffer, response.version),
                response_header(key.response_header_version(response.version)),
            ),
        };
        match encoded {
            Ok(()) => {
                u32::try_from(FRAME + header + self.buffer.len()).unwrap_or(u32::MAX)
            }
            Err(_) => 0,
        }
    }
}

/// What is not Kafka's has a size all the same; what nobody knows has none.
fn without_key(message: &Message) -> u32 {
    match message {
        Message::HttpRequest(request) => http::request_size(request),
        Message::HttpResponse(response) => http::response_size(response),
        Message::Database(message) => {
            u32::try_from(message.len_bytes()).unwrap_or(u32::MAX)
        }
        Message::Zookeeper(message) => zookeeper::size(message),
        Message::Request(_) | Message::Response(_) => 0,
    }
}

/// Key, version, correlation id; from header version 1 the client id, from 2 tagged fields.
fn request_header(version: i16, client: &str) -> usize {
    match version {
        i16::MIN..=0 => 8,
        1 => 8 + 2 + client.len(),
        2.. => 8 + 2 + client.len() + 1,
    }
}

/// Correlation id; from header version 1 tagged fields.
fn response_header(version: i16) -> usize {
    match version {
        i16::MIN..=0 => 4,
        1.. => 5,
    }
}
