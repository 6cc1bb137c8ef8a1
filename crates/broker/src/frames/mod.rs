//! Kafka's frames: from the bytes of a connection to requests, and from responses to bytes.
//!
//! ```text
//!   length i32 │ api key i16 │ version i16 │ correlation id i32 │ client id, tags │ body
//! ```
//!
//! Whatever does not fit this form ends the connection that it came on, and nothing else:
//! there is no error that an answer could carry, and no way to find the next frame. Memory is
//! taken for what was received and never for what a length prefix announces ([`guard`]).
//!
//! A version that is not served ends the connection, too; but for ApiVersions, which is handed
//! on without its body, so that the answer can tell a newer client what it may ask.
//!
//! ```
//! use topomotion_broker::frames::{Broken, Requests};
//! use topomotion_broker::{BrokerSettings, Roles};
//!
//! let mut requests = Requests::new(Roles::Broker, &BrokerSettings::default());
//! // ApiVersions 0, correlation id 7, client id "me", in two pieces.
//! requests.receive(b"\0\0\0\x0c\0\x12\0\0\0\0");
//! assert_eq!(requests.take(), Ok(None), "the rest has yet to come");
//! requests.receive(b"\0\x07\0\x02me");
//! assert_eq!(requests.take().unwrap().unwrap().correlation.0, 7);
//! requests.receive(b"\xff\xff\xff\xff");
//! assert_eq!(requests.take(), Err(Broken::Length(-1)));
//! ```

mod by_topic_id;
mod guard;
mod pieces;

use std::fmt;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::protocol::{Decodable, Encodable, Message as _};
use topomotion_wire::messages::{
    ApiKey, ApiVersionsRequest, InitProducerIdRequest, RequestHeader, RequestKind,
    ResponseHeader, ResponseKind,
};
use topomotion_wire::{CorrelationId, Request, Response};

pub use pieces::write_pieces;

use crate::api;
use crate::config::{BrokerSettings, Roles};

/// Bytes of a length prefix.
const LENGTH: usize = 4;
/// API key, version and correlation id: what every request begins with.
const FIXED_HEADER: usize = 8;
/// How much room there is at least for what arrives next, and at most, unless as much has
/// arrived already.
const ROOM_MIN: usize = 16 << 10;
const ROOM_MAX: usize = 1 << 20;

/// Why a connection has to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Broken {
    /// A length that no frame can have, or one beyond `socket.request.max.bytes`.
    Length(i32),
    /// A frame without room for a header.
    Short(usize),
    /// An API that is not served here.
    Api(i16),
    /// A version of an API that is not served here.
    Version {
        /// The API's key.
        key: i16,
        /// Its version.
        version: i16,
    },
    /// A header that does not parse.
    Header,
    /// A body that does not parse, or that announces more than it has.
    Body,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Broken::Length(length @ ..0) => {
                write!(f, "a frame cannot have {length} bytes")
            }
            Broken::Length(length) => write!(
                f,
                "a frame of {length} bytes is longer than is allowed here \
                 (socket.request.max.bytes)"
            ),
            Broken::Short(length) => write!(f, "{length} bytes hold no request header"),
            Broken::Api(key) => match ApiKey::try_from(*key) {
                Ok(api) => write!(f, "{api:?} (API {key}) is not served here"),
                Err(_) => write!(f, "API {key} is not served here"),
            },
            Broken::Version { key, version } => match ApiKey::try_from(*key) {
                Ok(api) => write!(f, "version {version} of {api:?} is not served here"),
                Err(_) => write!(f, "version {version} of API {key} is not served here"),
            },
            Broken::Header => f.write_str("the request header does not parse"),
            Broken::Body => f.write_str("the request does not parse"),
        }
    }
}

impl std::error::Error for Broken {}

/// The requests of one connection, put together from what arrives.
///
/// Feed it with [`Requests::receive`], and call [`Requests::take`] until it has nothing more.
/// Once that fails it fails for ever: close the connection.
#[derive(Debug, Clone)]
pub struct Requests {
    roles: Roles,
    max_bytes: usize,
    received: BytesMut,
    broken: Option<Broken>,
}

impl Requests {
    /// A new connection to a node with these roles and settings.
    pub fn new(roles: Roles, settings: &BrokerSettings) -> Requests {
        let max_bytes = usize::try_from(settings.socket_request_max_bytes).unwrap_or(0);
        Requests { roles, max_bytes, received: BytesMut::new(), broken: None }
    }

    /// Takes what arrived, however it was cut.
    pub fn receive(&mut self, bytes: &[u8]) {
        if self.broken.is_none() {
            self.received.extend_from_slice(bytes);
        }
    }

    /// Room for what arrives next, to be written behind what is there: a socket reads into it
    /// without a copy. It grows with what was received, and never with what was announced
    /// alone.
    pub fn room(&mut self) -> &mut BytesMut {
        let missing = match self.received.first_chunk::<LENGTH>() {
            Some(prefix) => {
                let announced = usize::try_from(i32::from_be_bytes(*prefix)).unwrap_or(0);
                (LENGTH + announced).saturating_sub(self.received.len())
            }
            None => ROOM_MIN,
        };
        let most = self.received.len().max(ROOM_MAX);
        self.received.reserve(missing.clamp(ROOM_MIN, most));
        &mut self.received
    }

    /// The next request that has arrived whole.
    ///
    /// # Errors
    /// When what has arrived is none; then, and from then on.
    pub fn take(&mut self) -> Result<Option<Request>, Broken> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        let taken = self.take_frame().and_then(|frame| {
            frame.map(|frame| read_request(self.roles, frame)).transpose()
        });
        if let Err(broken) = taken {
            self.broken = Some(broken);
            self.received = BytesMut::new();
        }
        taken
    }

    /// The next frame that has arrived whole, whatever is in it: part of a log-in that has no
    /// header. (That comes after a SaslHandshake of version 0.)
    ///
    /// # Errors
    /// When its length is none; then, and from then on.
    pub fn take_token(&mut self) -> Result<Option<Bytes>, Broken> {
        if let Some(broken) = self.broken {
            return Err(broken);
        }
        let taken = self.take_frame_of(0);
        self.broken = taken.as_ref().err().copied();
        taken
    }

    /// How long a frame may be from now on: less before a log-in than after it.
    pub fn set_max_bytes(&mut self, max_bytes: i32) {
        self.max_bytes = usize::try_from(max_bytes).unwrap_or(0);
    }

    fn take_frame(&mut self) -> Result<Option<Bytes>, Broken> {
        self.take_frame_of(FIXED_HEADER)
    }

    fn take_frame_of(&mut self, shortest: usize) -> Result<Option<Bytes>, Broken> {
        let Some(prefix) = self.received.first_chunk::<LENGTH>() else { return Ok(None) };
        let announced = i32::from_be_bytes(*prefix);
        let length = usize::try_from(announced).map_err(|_| Broken::Length(announced))?;
        if length > self.max_bytes {
            return Err(Broken::Length(announced));
        }
        if length < shortest {
            return Err(Broken::Short(length));
        }
        if self.received.len() < LENGTH + length {
            return Ok(None);
        }
        self.received.advance(LENGTH);
        Ok(Some(self.received.split_to(length).freeze()))
    }
}

/// Reads one frame without its length prefix, as a node with these roles does.
///
/// # Errors
/// When it is no request that such a node serves.
pub fn read_request(roles: Roles, frame: Bytes) -> Result<Request, Broken> {
    if frame.len() < FIXED_HEADER {
        return Err(Broken::Short(frame.len()));
    }
    let mut fixed = &frame[..FIXED_HEADER];
    let (key, version) = (fixed.get_i16(), fixed.get_i16());
    let correlation = CorrelationId(fixed.get_i32());
    let api = ApiKey::try_from(key).map_err(|_| Broken::Api(key))?;
    let served = api::served(roles, api).ok_or(Broken::Api(key))?;
    if !(served.min..=served.max).contains(&version) {
        if api != ApiKey::ApiVersions {
            return Err(Broken::Version { key, version });
        }
        let body = RequestKind::ApiVersions(ApiVersionsRequest::default());
        let client = "".into();
        return Ok(Request { correlation, version, client, body });
    }
    let mut rest = frame;
    let header = RequestHeader::decode(&mut rest, api.request_header_version(version))
        .map_err(|_| Broken::Header)?;
    let client = header.client_id.as_deref().unwrap_or_default().into();
    let body = guard::decode(api, rest, version).ok_or(Broken::Body)?;
    Ok(Request { correlation, version, client, body })
}

/// Reads one frame without its length prefix, of whatever API and version is known at all: for
/// whoever listens to others.
///
/// # Errors
/// When it is no request, or one that is not known.
pub fn overhear_request(frame: Bytes) -> Result<Request, Broken> {
    match read_request(Roles::Combined, frame.clone()) {
        Err(Broken::Api(_) | Broken::Version { .. }) => {}
        told => return told,
    }
    let mut fixed = &frame[..FIXED_HEADER];
    let (key, version) = (fixed.get_i16(), fixed.get_i16());
    let correlation = CorrelationId(fixed.get_i32());
    let api = ApiKey::try_from(key).map_err(|_| Broken::Api(key))?;
    let known = api.valid_versions();
    if !(known.min..=known.max).contains(&version) {
        return Err(Broken::Version { key, version });
    }
    let mut rest = frame;
    let header = RequestHeader::decode(&mut rest, api.request_header_version(version))
        .map_err(|_| Broken::Header)?;
    let client = header.client_id.as_deref().unwrap_or_default().into();
    let body = RequestKind::decode(api, &mut rest, version).map_err(|_| Broken::Body)?;
    Ok(Request { correlation, version, client, body })
}

/// Reads the answer to a request of this API and version, without its length prefix. It comes
/// from whoever was asked, so its counts are believed. None if it does not parse.
pub fn overhear_response(api: ApiKey, version: i16, frame: Bytes) -> Option<Response> {
    let mut rest = frame.clone();
    let header = ResponseHeader::decode(&mut rest, api.response_header_version(version));
    let correlation = CorrelationId(header.ok()?.correlation_id);
    match ResponseKind::decode(api, &mut rest, version) {
        Ok(body) => Some(Response { correlation, version, body }),
        // Whoever does not know the version says so in version 0.
        Err(_) if api == ApiKey::ApiVersions && version > 0 => {
            overhear_response(api, 0, frame)
        }
        Err(_) => None,
    }
}

/// The newest version of an API that can be overheard. None: no such API is known.
pub fn newest_overheard(key: i16) -> Option<i16> {
    let api = ApiKey::try_from(key).ok()?;
    let newest = api.valid_versions().max;
    Some(match api {
        // The codecs know an answer in a version that they know no request in.
        ApiKey::InitProducerId => newest.min(InitProducerIdRequest::VERSIONS.max),
        _ => newest,
    })
}

/// Writes a request as its frame, length prefix included. None if its version cannot carry it.
pub fn write_request(request: &Request, client: &str) -> Option<Bytes> {
    let key = api::key_of(&request.body)?;
    let header = RequestHeader::default()
        .with_request_api_key(key as i16)
        .with_request_api_version(request.version)
        .with_correlation_id(request.correlation.0)
        .with_client_id(Some(api::text(client)));
    let mut frame = BytesMut::new();
    frame.put_i32(0);
    header.encode(&mut frame, key.request_header_version(request.version)).ok()?;
    request.body.encode(&mut frame, request.version).ok()?;
    with_length(frame, 0)
}

/// Writes a response as its frame, length prefix included. None if its version cannot carry
/// it.
pub fn write_response(response: &Response) -> Option<Bytes> {
    with_length(write_unmeasured(response)?, 0)
}

/// A response behind room for its length.
fn write_unmeasured(response: &Response) -> Option<BytesMut> {
    let version = response.body.header_version(response.version);
    let header = ResponseHeader::default().with_correlation_id(response.correlation.0);
    let mut frame = BytesMut::new();
    frame.put_i32(0);
    header.encode(&mut frame, version).ok()?;
    response.body.encode(&mut frame, response.version).ok()?;
    Some(frame)
}

/// A frame with its length in front, or the beginning of one, of which so many bytes are not
/// in it.
fn with_length(mut frame: BytesMut, beyond: usize) -> Option<Bytes> {
    let length = i32::try_from(frame.len() - LENGTH + beyond).ok()?;
    frame[..LENGTH].copy_from_slice(&length.to_be_bytes());
    Some(frame.freeze())
}

#[cfg(test)]
mod tests;
