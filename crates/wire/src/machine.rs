//! The one shape of every state machine: inputs and time go in, outputs come out.
//!
//! A machine reads no clock, no socket, no file. Its driver calls [`Machine::handle`] for
//! each input and [`Machine::tick`] at or after [`Machine::deadline`], and drains
//! [`Machine::poll`] after each of the two. Commands of the application (send a record,
//! create a topic) are inherent methods of the machine concerned, drained the same way.

use std::sync::Arc;

use crate::{
    ConnectionId, CorrelationId, DatabaseMessage, DiskOp, Endpoint, Fact, FlushToken,
    HttpRequest, HttpResponse, Instant, Rule, TopicPartition, ZkMessage,
    messages::{RequestKind, ResponseKind},
};

/// A request as it travels.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Pairs it with its response.
    pub correlation: CorrelationId,
    /// API version in which it is (or would be) encoded.
    pub version: i16,
    /// `client.id` of the sender, as the header has it; empty where it has none.
    pub client: Arc<str>,
    /// The message.
    pub body: RequestKind,
}

/// A response as it travels.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// That of the request it answers.
    pub correlation: CorrelationId,
    /// That of the request it answers.
    pub version: i16,
    /// The message.
    pub body: ResponseKind,
}

/// What travels on a connection. Boxed: bodies are large, and pass through many hands.
#[derive(Debug, Clone, PartialEq)]
pub enum Message {
    /// From the end that dialled.
    Request(Box<Request>),
    /// From the end that accepted.
    Response(Box<Response>),
    /// Not Kafka's: from the end that dialled an HTTP server.
    HttpRequest(Box<HttpRequest>),
    /// Not Kafka's: from an HTTP server.
    HttpResponse(Box<HttpResponse>),
    /// Not Kafka's: of a database's replication stream, either way.
    Database(Box<DatabaseMessage>),
    /// Of ZooKeeper's days: either way.
    Zookeeper(Box<ZkMessage>),
}

impl From<Request> for Message {
    fn from(request: Request) -> Message {
        Message::Request(Box::new(request))
    }
}

impl From<Response> for Message {
    fn from(response: Response) -> Message {
        Message::Response(Box::new(response))
    }
}

impl From<HttpRequest> for Message {
    fn from(request: HttpRequest) -> Message {
        Message::HttpRequest(Box::new(request))
    }
}

impl From<DatabaseMessage> for Message {
    fn from(message: DatabaseMessage) -> Message {
        Message::Database(Box::new(message))
    }
}

impl From<HttpResponse> for Message {
    fn from(response: HttpResponse) -> Message {
        Message::HttpResponse(Box::new(response))
    }
}

impl From<ZkMessage> for Message {
    fn from(message: ZkMessage) -> Message {
        Message::Zookeeper(Box::new(message))
    }
}

/// What can happen to a machine.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// A connection that this machine dialled is open.
    Opened {
        /// The number it dialled with.
        connection: ConnectionId,
    },
    /// Somebody dialled this machine.
    Accepted {
        /// The number it shall answer on.
        connection: ConnectionId,
    },
    /// A connection is gone (refused, reset, or the other end died). Whatever was in flight
    /// on it has an unknown outcome.
    Closed {
        /// The connection, of either kind.
        connection: ConnectionId,
    },
    /// A message arrived whole.
    Received {
        /// On which connection.
        connection: ConnectionId,
        /// What.
        message: Message,
    },
    /// A flush has reached the platter.
    Flushed {
        /// That of the [`DiskOp::Flush`].
        token: FlushToken,
    },
}

/// What a machine wants done, and what it wants known.
#[derive(Debug, Clone, PartialEq)]
pub enum Output {
    /// Dial `to`; answered by [`Input::Opened`] or [`Input::Closed`].
    Open {
        /// A number that this machine has not used before.
        connection: ConnectionId,
        /// Whom.
        to: Endpoint,
    },
    /// Send on an open connection. On a closed one it vanishes.
    Send {
        /// On which connection.
        connection: ConnectionId,
        /// What.
        message: Message,
    },
    /// Close a connection; the other end sees [`Input::Closed`], this end nothing more.
    Close {
        /// Which.
        connection: ConnectionId,
    },
    /// Write to the node's disk.
    Disk(DiskOp),
    /// A rule of Kafka just acted: coverage for tests, a caption for the picture.
    Mark {
        /// Which rule.
        rule: Rule,
        /// About which partition, where there is one.
        partition: Option<TopicPartition>,
    },
    /// Something became true: what the picture shows and the checkers judge.
    Fact(Fact),
}

/// A deterministic state machine without input or output of its own.
pub trait Machine {
    /// Takes one input at `now`. Time never goes back between calls.
    fn handle(&mut self, now: Instant, input: Input);

    /// Lets time pass: does whatever was due at or before `now`.
    fn tick(&mut self, now: Instant);

    /// The next thing the machine wants. Call until `None` after every `handle` and `tick`.
    fn poll(&mut self) -> Option<Output>;

    /// When `tick` wants to be called next, if nothing else happens before.
    fn deadline(&self) -> Option<Instant>;
}
