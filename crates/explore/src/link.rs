//! Connections: first in, first out in each direction, and closed behind what was sent.

use std::collections::VecDeque;
use std::rc::Rc;

use topomotion_wire::messages::{RequestKind, ResponseKind};
use topomotion_wire::{Bytes, ConnectionId, Message};

use crate::digest::{Digest, Writer};
use crate::disk::timeless_records;
use crate::host::HostId;

/// A connection, numbered so that the order of dials in different places leaves no trace:
/// who dialled, in which life, and for the how manieth time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkId(u64);

impl LinkId {
    pub fn new(dialler: HostId, starts: u32, number: u64) -> LinkId {
        LinkId((dialler.0 as u64) << 48 | u64::from(starts) << 32 | number)
    }

    /// How the accepting end calls it.
    pub fn accepted(self) -> ConnectionId {
        ConnectionId::Accepted(self.0)
    }
}

/// One of two ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    Dialler,
    Acceptor,
}

impl Side {
    pub const BOTH: [Side; 2] = [Side::Dialler, Side::Acceptor];

    pub fn other(self) -> Side {
        match self {
            Side::Dialler => Side::Acceptor,
            Side::Acceptor => Side::Dialler,
        }
    }
}

/// What travels.
#[derive(Debug, Clone)]
pub(crate) enum Parcel {
    /// A message, with its digest.
    Data(Rc<(Message, u64)>),
    /// The other end is gone.
    Goodbye,
}

impl Parcel {
    pub fn of(message: Message) -> Parcel {
        let digest = digest_of(&message);
        Parcel::Data(Rc::new((message, digest)))
    }

    pub fn digest(&self) -> u64 {
        match self {
            Parcel::Data(data) => data.1,
            Parcel::Goodbye => 1,
        }
    }
}

/// What is on its way to one end, and whose end it is.
#[derive(Debug, Clone)]
pub(crate) struct End {
    pub host: HostId,
    pub connection: ConnectionId,
    /// Whether its host still has it.
    pub is_open: bool,
    pub inbound: VecDeque<Parcel>,
}

/// A connection.
#[derive(Debug, Clone)]
pub(crate) struct Link {
    dialler: End,
    acceptor: End,
    /// Requests on it that were not answered yet.
    unanswered: u32,
}

impl Link {
    pub fn new(
        dialler: (HostId, ConnectionId),
        acceptor: (HostId, ConnectionId),
    ) -> Link {
        let end = |(host, connection)| End {
            host,
            connection,
            is_open: true,
            inbound: VecDeque::new(),
        };
        Link { dialler: end(dialler), acceptor: end(acceptor), unanswered: 0 }
    }

    pub fn end(&self, side: Side) -> &End {
        match side {
            Side::Dialler => &self.dialler,
            Side::Acceptor => &self.acceptor,
        }
    }

    pub fn end_mut(&mut self, side: Side) -> &mut End {
        match side {
            Side::Dialler => &mut self.dialler,
            Side::Acceptor => &mut self.acceptor,
        }
    }

    /// Whether it joins these two.
    pub fn joins(&self, a: HostId, b: HostId) -> bool {
        let ends = (self.dialler.host, self.acceptor.host);
        ends == (a, b) || ends == (b, a)
    }

    /// Puts something on its way to one end.
    pub fn post(&mut self, side: Side, message: Message) {
        match message {
            Message::Request(_) | Message::HttpRequest(_) => self.unanswered += 1,
            Message::Response(_) | Message::HttpResponse(_) => {
                self.unanswered = self.unanswered.saturating_sub(1);
            }
            Message::Database(_) | Message::Zookeeper(_) => {}
        }
        let end = self.end_mut(side);
        if end.is_open {
            end.inbound.push_back(Parcel::of(message));
        }
    }

    /// Whether somebody waits for something on it.
    pub fn is_busy(&self) -> bool {
        let waits = |side| !self.end(side).inbound.is_empty();
        self.unanswered > 0 || Side::BOTH.into_iter().any(waits)
    }

    /// Whether neither end has it any more.
    pub fn is_gone(&self) -> bool {
        !self.dialler.is_open && !self.acceptor.is_open
    }
}

/// Records are read without their times, everything else as it is.
fn digest_of(message: &Message) -> u64 {
    let mut writer = Writer::default();
    match message {
        Message::Request(request) => {
            writer.word(1);
            match &request.body {
                RequestKind::Produce(produce) => {
                    let mut bare = produce.clone();
                    for topic in &mut bare.topic_data {
                        for data in &mut topic.partition_data {
                            writer.word(records_in(data.records.take()));
                        }
                    }
                    writer.take(&bare);
                }
                body => writer.take(body),
            }
        }
        Message::Response(response) => {
            writer.word(2);
            match &response.body {
                ResponseKind::Fetch(fetch) => {
                    let mut bare = fetch.clone();
                    for topic in &mut bare.responses {
                        for data in &mut topic.partitions {
                            writer.word(records_in(data.records.take()));
                        }
                    }
                    writer.take(&bare);
                }
                body => writer.take(body),
            }
        }
        Message::HttpRequest(request) => {
            writer.word(3);
            writer.take(request);
        }
        Message::HttpResponse(response) => {
            writer.word(4);
            writer.take(response);
        }
        Message::Zookeeper(message) => {
            writer.word(5);
            writer.take(message);
        }
        Message::Database(message) => {
            writer.word(6);
            writer.take(message);
        }
    }
    let value = writer.shape().value();
    let mut digest = Digest::default();
    digest.word(value as u64);
    digest.word((value >> 64) as u64);
    digest.value()
}

fn records_in(records: Option<Bytes>) -> u64 {
    records.map_or(0, |records| timeless_records(&records))
}
