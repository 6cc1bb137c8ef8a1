//! The connections that this node has opened to others: one per node and purpose, dialled
//! when first needed.
//!
//! A broken connection fails everything in flight on it, with unknown outcome; whoever asked
//! decides whether to ask again. A peer that cannot be reached is dialled again after a pause
//! that doubles (`reconnect.backoff.ms`), and questions wait for that dial. A question that
//! is not answered in time breaks its connection, as Kafka's network client does.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use topomotion_wire::messages::ResponseKind;
use topomotion_wire::{
    ConnectionId, CorrelationId, Duration, Endpoint, Instant, Message, NodeId, Output,
    Request,
};

use super::effects::{Ask, Asked, Effects, Purpose};
use crate::config::BrokerSettings;

type LinkId = (NodeId, Purpose);

/// A message that must not come on this connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unexpected;

/// Every connection that this node has dialled.
#[derive(Debug, Clone)]
pub(crate) struct Peers {
    links: BTreeMap<LinkId, Link>,
    by_connection: BTreeMap<ConnectionId, LinkId>,
    next_connection: u64,
    next_correlation: i32,
    setup_timeout: Duration,
    backoff: Duration,
    backoff_max: Duration,
}

#[derive(Debug, Clone)]
struct Link {
    state: LinkState,
    endpoint: Endpoint,
    failures: u32,
    in_flight: VecDeque<InFlight>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LinkState {
    /// Not dialled before this moment.
    Resting {
        until: Instant,
    },
    /// Waits for the other end, no longer than this.
    Dialling {
        connection: ConnectionId,
        until: Instant,
    },
    Open {
        connection: ConnectionId,
    },
}

#[derive(Debug, Clone)]
struct InFlight {
    correlation: CorrelationId,
    /// The question itself, until it has been sent.
    unsent: Option<Box<Request>>,
    asked: Asked,
    until: Instant,
}

impl Link {
    fn connection(&self) -> Option<ConnectionId> {
        match self.state {
            LinkState::Resting { .. } => None,
            LinkState::Dialling { connection, .. } | LinkState::Open { connection } => {
                Some(connection)
            }
        }
    }

    /// Sends what has not been sent yet, if the connection is open.
    fn send_waiting(&mut self, effects: &mut Effects) {
        let LinkState::Open { connection } = self.state else { return };
        for waiting in &mut self.in_flight {
            if let Some(request) = waiting.unsent.take() {
                let message = Message::Request(request);
                effects.output(Output::Send { connection, message });
            }
        }
    }

    fn deadline(&self) -> Option<Instant> {
        let answers = self.in_flight.iter().map(|waiting| waiting.until).min();
        let dial = match self.state {
            LinkState::Resting { until } => (!self.in_flight.is_empty()).then_some(until),
            LinkState::Dialling { until, .. } => Some(until),
            LinkState::Open { .. } => None,
        };
        answers.into_iter().chain(dial).min()
    }
}

impl Peers {
    pub(crate) fn new(settings: &BrokerSettings) -> Peers {
        Peers {
            links: BTreeMap::new(),
            by_connection: BTreeMap::new(),
            next_connection: 0,
            next_correlation: 0,
            setup_timeout: settings.connection_setup_timeout,
            backoff: settings.reconnect_backoff,
            backoff_max: settings.reconnect_backoff_max,
        }
    }

    /// Sends a question to a node that listens at `endpoint`, dialling it first if need be.
    pub(crate) fn ask(
        &mut self,
        now: Instant,
        ask: Ask,
        endpoint: &Endpoint,
        effects: &mut Effects,
    ) {
        let id = (ask.to, ask.purpose);
        let correlation = CorrelationId(self.next_correlation);
        self.next_correlation = self.next_correlation.wrapping_add(1) & i32::MAX;
        let link = self.links.entry(id).or_insert_with(|| Link {
            state: LinkState::Resting { until: now },
            endpoint: endpoint.clone(),
            failures: 0,
            in_flight: VecDeque::new(),
        });
        link.endpoint = endpoint.clone();
        let (version, client, body) = (ask.version, Arc::default(), ask.body);
        let request = Request { correlation, version, client, body };
        let (until, asked) = (now + ask.timeout, ask.asked);
        let unsent = Some(Box::new(request));
        link.in_flight.push_back(InFlight { correlation, unsent, asked, until });
        link.send_waiting(effects);
        self.dial_if_due(now, id, effects);
    }

    /// A dialled connection is open: everything that waited for it leaves.
    pub(crate) fn opened(&mut self, connection: ConnectionId, effects: &mut Effects) {
        let Some(id) = self.by_connection.get(&connection) else { return };
        let Some(link) = self.links.get_mut(id) else { return };
        link.state = LinkState::Open { connection };
        link.failures = 0;
        link.send_waiting(effects);
    }

    /// A dialled connection is gone. Returns what was in flight on it.
    pub(crate) fn closed(
        &mut self,
        now: Instant,
        connection: ConnectionId,
    ) -> Vec<Asked> {
        let Some(id) = self.by_connection.remove(&connection) else { return Vec::new() };
        let Some(link) = self.links.get_mut(&id) else { return Vec::new() };
        let doubled = self.backoff.0.saturating_mul(1 << link.failures.min(16));
        link.failures = link.failures.saturating_add(1);
        let pause = Duration(doubled).min(self.backoff_max);
        link.state = LinkState::Resting { until: now + pause };
        link.in_flight.drain(..).map(|waiting| waiting.asked).collect()
    }

    /// Takes what arrived on a dialled connection: the answer to what was asked.
    pub(crate) fn received(
        &mut self,
        connection: ConnectionId,
        message: Message,
    ) -> Result<Option<(Asked, ResponseKind)>, Unexpected> {
        let Some(id) = self.by_connection.get(&connection) else { return Ok(None) };
        let Some(link) = self.links.get_mut(id) else { return Ok(None) };
        let Message::Response(response) = message else { return Err(Unexpected) };
        // Answers come in the order of the questions.
        let first = link.in_flight.front().ok_or(Unexpected)?;
        if first.correlation != response.correlation {
            return Err(Unexpected);
        }
        let answered = link.in_flight.pop_front();
        Ok(answered.map(|waiting| (waiting.asked, response.body)))
    }

    /// Closes a connection from this end. Returns what was in flight on it.
    pub(crate) fn close(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        effects: &mut Effects,
    ) -> Vec<Asked> {
        effects.output(Output::Close { connection });
        self.closed(now, connection)
    }

    /// Closes the connection to a peer, without telling whoever asked something on it: it is
    /// they who gave up.
    pub(crate) fn disconnect(
        &mut self,
        now: Instant,
        peer: NodeId,
        purpose: Purpose,
        effects: &mut Effects,
    ) {
        let Some(link) = self.links.get_mut(&(peer, purpose)) else { return };
        link.in_flight.clear();
        if let Some(connection) = link.connection() {
            self.close(now, connection, effects);
        }
    }

    /// Dials what is due, breaks what has waited too long. Returns what failed by it.
    pub(crate) fn tick(&mut self, now: Instant, effects: &mut Effects) -> Vec<Asked> {
        let mut failed = Vec::new();
        let due = |link: &Link| link.deadline().is_some_and(|deadline| deadline <= now);
        let due: Vec<LinkId> =
            self.links.iter().filter(|(_, link)| due(link)).map(|(&id, _)| id).collect();
        for id in due {
            failed.extend(self.expire(now, id, effects));
            self.dial_if_due(now, id, effects);
        }
        failed
    }

    /// When [`Peers::tick`] wants to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.links.values().filter_map(Link::deadline).min()
    }

    fn expire(&mut self, now: Instant, id: LinkId, effects: &mut Effects) -> Vec<Asked> {
        let Some(link) = self.links.get_mut(&id) else { return Vec::new() };
        let late = link.in_flight.iter().any(|waiting| waiting.until <= now);
        let dial_late =
            matches!(link.state, LinkState::Dialling { until, .. } if until <= now);
        match link.connection() {
            Some(connection) if late || dial_late => self.close(now, connection, effects),
            Some(_) => Vec::new(),
            None if late => {
                link.in_flight.drain(..).map(|waiting| waiting.asked).collect()
            }
            None => Vec::new(),
        }
    }

    fn dial_if_due(&mut self, now: Instant, id: LinkId, effects: &mut Effects) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let LinkState::Resting { until } = link.state else { return };
        if until > now || link.in_flight.is_empty() {
            return;
        }
        let connection = ConnectionId::Dialled(self.next_connection);
        self.next_connection += 1;
        let until = now + self.setup_timeout;
        link.state = LinkState::Dialling { connection, until };
        self.by_connection.insert(connection, id);
        effects.output(Output::Open { connection, to: link.endpoint.clone() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use topomotion_wire::Response;
    use topomotion_wire::messages::{
        BrokerHeartbeatRequest, BrokerHeartbeatResponse, RequestKind,
    };

    fn peers() -> Peers {
        Peers::new(&BrokerSettings::default())
    }

    fn ask(peers: &mut Peers, now: Instant, effects: &mut Effects) {
        let ask = Ask {
            to: NodeId(1),
            purpose: Purpose::Heartbeat,
            asked: Asked::Heartbeat,
            version: 1,
            body: RequestKind::BrokerHeartbeat(BrokerHeartbeatRequest::default()),
            timeout: Duration::from_millis(4_500),
        };
        let endpoint = Endpoint { host: "a".into(), port: 1 };
        peers.ask(now, ask, &endpoint, effects);
    }

    fn outputs(effects: &mut Effects) -> Vec<&'static str> {
        std::iter::from_fn(|| effects.next_output())
            .map(|output| match output {
                Output::Open { .. } => "open",
                Output::Send { .. } => "send",
                Output::Close { .. } => "close",
                _ => "other",
            })
            .collect()
    }

    const FIRST: ConnectionId = ConnectionId::Dialled(0);

    #[test]
    fn a_question_waits_for_its_connection() {
        let (mut peers, mut effects) = (peers(), Effects::default());
        ask(&mut peers, Instant::ZERO, &mut effects);
        assert_eq!(outputs(&mut effects), ["open"]);
        peers.opened(FIRST, &mut effects);
        assert_eq!(outputs(&mut effects), ["send"]);
        let body = ResponseKind::BrokerHeartbeat(BrokerHeartbeatResponse::default());
        let response = Response { correlation: CorrelationId(0), version: 1, body };
        let got = peers.received(FIRST, Message::from(response.clone()));
        assert!(matches!(got, Ok(Some((Asked::Heartbeat, _)))));
        assert_eq!(peers.received(FIRST, Message::from(response)), Err(Unexpected));
        assert_eq!(peers.deadline(), None, "nothing in flight, nothing due");
    }

    #[test]
    fn a_dead_peer_is_dialled_again_after_a_doubling_pause() {
        let (mut peers, mut effects) = (peers(), Effects::default());
        let mut now = Instant::ZERO;
        for (attempt, pause_ms) in
            [50, 100, 200, 400, 800, 1_000, 1_000].into_iter().enumerate()
        {
            ask(&mut peers, now, &mut effects);
            peers.tick(now, &mut effects);
            assert_eq!(outputs(&mut effects), ["open"], "attempt {attempt}");
            let connection = ConnectionId::Dialled(attempt as u64);
            assert_eq!(peers.closed(now, connection), [Asked::Heartbeat]);
            ask(&mut peers, now, &mut effects);
            assert!(outputs(&mut effects).is_empty(), "rests");
            assert_eq!(peers.deadline(), Some(now + Duration::from_millis(pause_ms)));
            peers.links.values_mut().for_each(|link| link.in_flight.clear());
            now += Duration::from_millis(pause_ms);
        }
    }

    #[test]
    fn a_question_without_an_answer_breaks_its_connection() {
        let (mut peers, mut effects) = (peers(), Effects::default());
        ask(&mut peers, Instant::ZERO, &mut effects);
        peers.opened(FIRST, &mut effects);
        outputs(&mut effects);
        let due = Instant::ZERO + Duration::from_millis(4_500);
        assert_eq!(peers.deadline(), Some(due));
        assert_eq!(peers.tick(due, &mut effects), [Asked::Heartbeat]);
        assert_eq!(outputs(&mut effects), ["close"]);
    }
}
