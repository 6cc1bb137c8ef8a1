//! The connections that others have opened to this node.
//!
//! As in Kafka, a connection with a request under way is deaf: the next request on it is
//! looked at only when the former has been answered. So answers leave in the order of the
//! requests, and a produce that waits for its followers holds the next one back.

use std::collections::{BTreeMap, VecDeque};

use topomotion_wire::messages::ResponseKind;
use topomotion_wire::{ConnectionId, CorrelationId, Message, Output, Request, Response};

use super::effects::{Answer, Effects, Ticket};

/// More requests than this waiting on one connection, and it is closed: a stand-in for the
/// receive buffer of a socket, which would push back.
const WAITING_MAX: usize = 1_000;

/// A request whose turn has come.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) ticket: Ticket,
    pub(crate) request: Box<Request>,
}

/// A message that must not come on this connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused;

/// Every connection that this node has accepted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inbound {
    connections: BTreeMap<ConnectionId, Served>,
    /// Connections whose next request may be looked at, in the order in which they came.
    ready: VecDeque<ConnectionId>,
    serial: u64,
}

#[derive(Debug, Clone, Default)]
struct Served {
    current: Option<Current>,
    waiting: VecDeque<Box<Request>>,
}

#[derive(Debug, Clone)]
struct Current {
    serial: u64,
    correlation: CorrelationId,
    version: i16,
}

impl Inbound {
    pub(crate) fn accept(&mut self, connection: ConnectionId) {
        self.connections.insert(connection, Served::default());
    }

    pub(crate) fn closed(&mut self, connection: ConnectionId) {
        self.connections.remove(&connection);
    }

    /// Takes what arrived. On a connection that is gone it vanishes.
    pub(crate) fn receive(
        &mut self,
        connection: ConnectionId,
        message: Message,
    ) -> Result<(), Refused> {
        let Some(served) = self.connections.get_mut(&connection) else { return Ok(()) };
        let Message::Request(request) = message else { return Err(Refused) };
        if served.waiting.len() >= WAITING_MAX {
            return Err(Refused);
        }
        served.waiting.push_back(request);
        if served.current.is_none() {
            self.ready.push_back(connection);
        }
        Ok(())
    }

    /// How many requests of a connection have not been answered yet.
    pub(crate) fn backlog(&self, connection: ConnectionId) -> usize {
        let served = self.connections.get(&connection);
        served.map_or(0, |it| it.waiting.len() + usize::from(it.current.is_some()))
    }

    /// The next request whose turn has come.
    pub(crate) fn next_call(&mut self) -> Option<Call> {
        while let Some(connection) = self.ready.pop_front() {
            let Some(served) = self.connections.get_mut(&connection) else { continue };
            if served.current.is_some() {
                continue;
            }
            let Some(request) = served.waiting.pop_front() else { continue };
            self.serial += 1;
            let serial = self.serial;
            let (correlation, version) = (request.correlation, request.version);
            served.current = Some(Current { serial, correlation, version });
            return Some(Call { ticket: Ticket::Remote { connection, serial }, request });
        }
        None
    }

    /// Answers the request under way and lets the next one have its turn. An answer whose
    /// connection is gone vanishes.
    pub(crate) fn answer(
        &mut self,
        connection: ConnectionId,
        serial: u64,
        answer: Answer,
        effects: &mut Effects,
    ) {
        let Some(served) = self.connections.get_mut(&connection) else { return };
        let Some(current) = served.current.take_if(|current| current.serial == serial)
        else {
            return;
        };
        let reply = match answer {
            Answer::Reply(body) => Some((current.version, *body)),
            Answer::ReplyInVersion0(body) => Some((0, *body)),
            Answer::Silence => None,
            Answer::Close => return self.close(connection, effects),
        };
        if let Some((version, mut body)) = reply {
            leave_out(version, &mut body);
            let response = Response { correlation: current.correlation, version, body };
            let message = Message::from(response);
            effects.output(Output::Send { connection, message });
        }
        self.ready.push_back(connection);
    }

    /// Closes a connection from this end.
    pub(crate) fn close(&mut self, connection: ConnectionId, effects: &mut Effects) {
        if self.connections.remove(&connection).is_some() {
            effects.output(Output::Close { connection });
        }
    }
}

/// Takes away what an answer says and its version has no room for, where whoever wrote it did
/// not know the version.
fn leave_out(version: i16, body: &mut ResponseKind) {
    if let ResponseKind::DescribeQuorum(it) = body
        && version < 2
    {
        it.nodes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use topomotion_wire::messages::{MetadataRequest, MetadataResponse, RequestKind};

    const HERE: ConnectionId = ConnectionId::Accepted(1);

    fn request(number: i32) -> Message {
        let body = RequestKind::Metadata(MetadataRequest::default());
        let correlation = CorrelationId(number);
        Message::from(Request { correlation, version: 12, client: "".into(), body })
    }

    fn reply() -> Answer {
        Answer::Reply(Box::new(ResponseKind::Metadata(MetadataResponse::default())))
    }

    fn answer(inbound: &mut Inbound, call: &Call, answer: Answer, effects: &mut Effects) {
        let Ticket::Remote { connection, serial } = call.ticket else { panic!("remote") };
        inbound.answer(connection, serial, answer, effects);
    }

    #[test]
    fn a_request_under_way_holds_the_next_one_back() {
        let (mut inbound, mut effects) = (Inbound::default(), Effects::default());
        inbound.accept(HERE);
        inbound.receive(HERE, request(1)).unwrap();
        inbound.receive(HERE, request(2)).unwrap();
        let first = inbound.next_call().unwrap();
        assert!(inbound.next_call().is_none());
        answer(&mut inbound, &first, reply(), &mut effects);
        assert!(matches!(effects.next_output(), Some(Output::Send { .. })));
        assert_eq!(inbound.next_call().unwrap().request.correlation, CorrelationId(2));
    }

    #[test]
    fn silence_lets_the_next_request_through() {
        let (mut inbound, mut effects) = (Inbound::default(), Effects::default());
        inbound.accept(HERE);
        inbound.receive(HERE, request(1)).unwrap();
        inbound.receive(HERE, request(2)).unwrap();
        let first = inbound.next_call().unwrap();
        answer(&mut inbound, &first, Answer::Silence, &mut effects);
        assert!(effects.next_output().is_none());
        assert!(inbound.next_call().is_some());
    }

    #[test]
    fn an_answer_for_a_closed_connection_vanishes() {
        let (mut inbound, mut effects) = (Inbound::default(), Effects::default());
        inbound.accept(HERE);
        inbound.receive(HERE, request(1)).unwrap();
        let call = inbound.next_call().unwrap();
        inbound.closed(HERE);
        answer(&mut inbound, &call, reply(), &mut effects);
        assert!(effects.next_output().is_none());
    }
}
