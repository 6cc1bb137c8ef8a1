//! One client's connections: dialled when needed, greeted, timed, and given up.
//!
//! Dialling may take `socket.connection.setup.timeout.ms`. A connection begins with `ApiVersions`. Requests on it are answered in order. An answer
//! that takes longer than `request.timeout.ms` costs the whole connection, as in Kafka: what
//! was in flight has an unknown outcome then, and its owner is told. A connection that nobody
//! uses for `connections.max.idle.ms` is closed.
//!
//! A group's coordinator has a connection of its own ([`Lane`]), so that a heartbeat does not
//! wait behind a parked fetch.

use std::collections::{BTreeMap, VecDeque};

use topomotion_wire::messages::{ApiKey, ApiVersionsRequest, RequestKind, ResponseKind};
use topomotion_wire::{
    ConnectionId, CorrelationId, Duration, Endpoint, Input, Instant, Message, Output,
    Random, Request, Response, StrBytes,
};

use crate::CommonConfig;
use crate::versions::{self, Features, Offer};

/// Which of the connections to a broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    /// For everything else.
    Data,
    /// For what concerns a group.
    Coordinator,
}

/// Where a request goes, and on which connection.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Route {
    to: Endpoint,
    lane: Lane,
}

impl Route {
    /// The connection for a group.
    pub fn to_coordinator(to: Endpoint) -> Route {
        Route { to, lane: Lane::Coordinator }
    }
}

impl From<&Endpoint> for Route {
    fn from(to: &Endpoint) -> Route {
        Route { to: to.clone(), lane: Lane::Data }
    }
}

impl From<&Route> for Route {
    fn from(route: &Route) -> Route {
        route.clone()
    }
}

impl From<&&Endpoint> for Route {
    fn from(to: &&Endpoint) -> Route {
        Route::from(*to)
    }
}

/// What the network tells its owner. `T` is the owner's own note about a request.
#[derive(Debug, Clone)]
pub(crate) enum NetworkEvent<T> {
    /// A request was answered.
    Answered { errand: T, body: Box<ResponseKind> },
    /// A request will not be answered: its outcome is unknown.
    Lost { errand: T },
    /// A request was not sent: the broker offers no version of it that this client speaks.
    Unsupported { errand: T },
    /// An endpoint could not be reached, or its connection broke.
    Unreachable,
    /// A connection is ready for requests.
    Ready,
}

/// Answer awaited.
#[derive(Debug, Clone)]
struct Pending<T> {
    correlation: CorrelationId,
    due: Instant,
    errand: T,
}

/// How long an answer may take, and the newest version that a request may have.
#[derive(Debug, Clone, Copy)]
struct Terms {
    due: Instant,
    limit: i16,
}

#[derive(Debug, Clone)]
enum Line<T> {
    /// Not connected; not to be dialled before.
    Down { until: Instant },
    /// Dialling, or waiting for the answer to `ApiVersions`.
    Greeting { connection: ConnectionId, due: Instant },
    /// Open for requests; nothing has been sent or received since `active`.
    Ready {
        connection: ConnectionId,
        offer: Offer,
        in_flight: VecDeque<Pending<T>>,
        active: Instant,
    },
}

#[derive(Debug, Clone)]
struct Peer<T> {
    line: Line<T>,
    /// Failures in a row.
    failures: u32,
}

/// All connections of one client.
#[derive(Debug, Clone)]
pub(crate) struct Network<T> {
    config: CommonConfig,
    peers: BTreeMap<Route, Peer<T>>,
    dialled: BTreeMap<ConnectionId, Route>,
    next_connection: u64,
    next_correlation: i32,
    random: Random,
    outputs: VecDeque<Output>,
    events: VecDeque<NetworkEvent<T>>,
    /// The newest that any broker told of.
    features: Features,
}

impl<T> Network<T> {
    pub fn new(config: CommonConfig) -> Network<T> {
        Network {
            random: config.random(),
            config,
            peers: BTreeMap::new(),
            dialled: BTreeMap::new(),
            next_connection: 0,
            next_correlation: 0,
            outputs: VecDeque::new(),
            events: VecDeque::new(),
            features: Features::default(),
        }
    }

    /// What the cluster has agreed on, as far as any broker told.
    pub fn features(&self) -> &Features {
        &self.features
    }

    pub fn push(&mut self, output: Output) {
        self.outputs.push_back(output);
    }

    pub fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    pub fn next_event(&mut self) -> Option<NetworkEvent<T>> {
        self.events.pop_front()
    }

    pub fn has_events(&self) -> bool {
        !self.events.is_empty()
    }

    /// Whether requests can be sent to `to` now; dials if that is allowed and needed.
    pub fn ready(&mut self, now: Instant, route: impl Into<Route>) -> bool {
        let route = route.into();
        let peer = self.peers.entry(route.clone());
        let peer = peer.or_insert(Peer { line: Line::Down { until: now }, failures: 0 });
        match peer.line {
            Line::Ready { .. } => true,
            Line::Greeting { .. } => false,
            Line::Down { until } if until > now => false,
            Line::Down { .. } => {
                let connection = ConnectionId::Dialled(self.next_connection);
                self.next_connection += 1;
                let failures = peer.failures;
                let due = now + self.config.setup_timeout(failures, &mut self.random);
                peer.line = Line::Greeting { connection, due };
                let to = route.to.clone();
                self.dialled.insert(connection, route);
                self.outputs.push_back(Output::Open { connection, to });
                false
            }
        }
    }

    /// Whether `to` is connected, or may be dialled now.
    pub fn usable(&self, now: Instant, route: impl Into<Route>) -> bool {
        match self.peers.get(&route.into()).map(|peer| &peer.line) {
            Some(Line::Down { until }) => *until <= now,
            _ => true,
        }
    }

    /// Whether requests can be sent to `to` without dialling.
    pub fn is_open(&self, route: impl Into<Route>) -> bool {
        let line = self.peers.get(&route.into()).map(|peer| &peer.line);
        matches!(line, Some(Line::Ready { .. }))
    }

    /// Requests to `to` that are not answered yet.
    pub fn in_flight(&self, route: impl Into<Route>) -> usize {
        match self.peers.get(&route.into()).map(|peer| &peer.line) {
            Some(Line::Ready { in_flight, .. }) => in_flight.len(),
            _ => 0,
        }
    }

    /// Sends a request and waits for its answer. Only when [`Network::ready`].
    pub fn send(
        &mut self,
        now: Instant,
        route: impl Into<Route>,
        body: RequestKind,
        errand: T,
    ) {
        let due = now + self.config.request_timeout;
        self.transmit(now, &route.into(), body, Terms { due, limit: i16::MAX }, errand);
    }

    /// The same in no later version than `limit`.
    pub fn send_as(
        &mut self,
        now: Instant,
        to: &Endpoint,
        body: RequestKind,
        limit: i16,
        errand: T,
    ) {
        let due = now + self.config.request_timeout;
        self.transmit(now, &Route::from(to), body, Terms { due, limit }, errand);
    }

    /// The same for an answer that may take so long.
    pub fn send_within(
        &mut self,
        now: Instant,
        timeout: Duration,
        route: impl Into<Route>,
        body: RequestKind,
        errand: T,
    ) {
        let terms = Terms { due: now + timeout, limit: i16::MAX };
        self.transmit(now, &route.into(), body, terms, errand);
    }

    fn transmit(
        &mut self,
        now: Instant,
        route: &Route,
        body: RequestKind,
        terms: Terms,
        errand: T,
    ) {
        if !self.is_open(route) {
            return self.events.push_back(NetworkEvent::Lost { errand });
        }
        let Some((connection, request)) = self.prepared(route, body, terms.limit) else {
            return self.events.push_back(NetworkEvent::Unsupported { errand });
        };
        let (correlation, due) = (request.correlation, terms.due);
        if let Some(Line::Ready { in_flight, active, .. }) =
            self.peers.get_mut(route).map(|peer| &mut peer.line)
        {
            in_flight.push_back(Pending { correlation, due, errand });
            *active = now;
        }
        let message = Message::from(request);
        self.outputs.push_back(Output::Send { connection, message });
    }

    /// Sends a request that nobody answers (`acks=0`).
    pub fn send_unanswered(&mut self, now: Instant, to: &Endpoint, body: RequestKind) {
        let route = Route::from(to);
        if let Some(Line::Ready { active, .. }) =
            self.peers.get_mut(&route).map(|peer| &mut peer.line)
        {
            *active = now;
        }
        if let Some((connection, request)) = self.prepared(&route, body, i16::MAX) {
            let message = Message::from(request);
            self.outputs.push_back(Output::Send { connection, message });
        }
    }

    fn prepared(
        &mut self,
        route: &Route,
        body: RequestKind,
        limit: i16,
    ) -> Option<(ConnectionId, Request)> {
        let line = self.peers.get(route).map(|peer| &peer.line);
        let Some(Line::Ready { connection, offer, .. }) = line else { return None };
        let version = offer.choose(api_of(&body)?, limit)?;
        let correlation = CorrelationId(self.next_correlation);
        self.next_correlation = self.next_correlation.wrapping_add(1);
        let client = self.config.client_id.clone();
        Some((*connection, Request { correlation, version, client, body }))
    }

    pub fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Opened { connection } => self.greet(now, connection),
            Input::Closed { connection } => self.broken(now, connection),
            Input::Received { connection, message: Message::Response(response) } => {
                self.received(now, connection, response);
            }
            // A client accepts no connection, answers no request and owns no disk.
            Input::Received { .. } | Input::Accepted { .. } | Input::Flushed { .. } => {}
        }
    }

    fn greet(&mut self, now: Instant, connection: ConnectionId) {
        let Some(peer) =
            self.dialled.get(&connection).and_then(|to| self.peers.get_mut(to))
        else {
            return;
        };
        peer.line = Line::Greeting { connection, due: now + self.config.request_timeout };
        let mut body = ApiVersionsRequest::default();
        body.client_software_name = StrBytes::from_static_str("topomotion");
        body.client_software_version =
            StrBytes::from_static_str(env!("CARGO_PKG_VERSION"));
        let correlation = CorrelationId(self.next_correlation);
        self.next_correlation = self.next_correlation.wrapping_add(1);
        let version = versions::newest(ApiKey::ApiVersions);
        let body = RequestKind::ApiVersions(body);
        let client = self.config.client_id.clone();
        let message = Message::from(Request { correlation, version, client, body });
        self.outputs.push_back(Output::Send { connection, message });
    }

    fn received(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        response: Box<Response>,
    ) {
        let Some(to) = self.dialled.get(&connection).cloned() else { return };
        let Some(peer) = self.peers.get_mut(&to) else { return };
        match &mut peer.line {
            Line::Greeting { .. } => match response.body {
                ResponseKind::ApiVersions(body) if body.error_code == 0 => {
                    peer.failures = 0;
                    let offer = Offer::new(&body);
                    if !self.features.is_newer_than(offer.features()) {
                        self.features = offer.features().clone();
                    }
                    peer.line = Line::Ready {
                        connection,
                        offer,
                        in_flight: VecDeque::new(),
                        active: now,
                    };
                    self.events.push_back(NetworkEvent::Ready);
                }
                _ => self.give_up(now, connection),
            },
            Line::Ready { in_flight, active, .. } => match in_flight.pop_front() {
                Some(pending) if pending.correlation == response.correlation => {
                    *active = now;
                    let (errand, body) = (pending.errand, Box::new(response.body));
                    self.events.push_back(NetworkEvent::Answered { errand, body });
                }
                // Answers come in the order of the requests; anything else is nonsense,
                // and a connection that talks nonsense is closed.
                pending => {
                    let lost = pending.map(|pending| pending.errand);
                    let lost = lost.map(|errand| NetworkEvent::Lost { errand });
                    self.events.extend(lost);
                    self.give_up(now, connection);
                }
            },
            Line::Down { .. } => {}
        }
    }

    /// Closes a connection from this side.
    fn give_up(&mut self, now: Instant, connection: ConnectionId) {
        self.outputs.push_back(Output::Close { connection });
        self.broken(now, connection);
    }

    fn broken(&mut self, now: Instant, connection: ConnectionId) {
        let Some(to) = self.dialled.remove(&connection) else { return };
        let Some(peer) = self.peers.get_mut(&to) else { return };
        peer.failures = peer.failures.saturating_add(1);
        let pause = self.config.reconnect_pause(peer.failures, &mut self.random);
        let until = now + pause;
        let line = std::mem::replace(&mut peer.line, Line::Down { until });
        if let Line::Ready { in_flight, .. } = line {
            let lost = in_flight.into_iter().map(|pending| pending.errand);
            self.events.extend(lost.map(|errand| NetworkEvent::Lost { errand }));
        }
        self.events.push_back(NetworkEvent::Unreachable);
    }

    /// Closes every connection; nothing is dialled any more by itself.
    pub fn hang_up(&mut self, now: Instant) {
        let all: Vec<ConnectionId> = self.dialled.keys().copied().collect();
        for connection in all {
            self.give_up(now, connection);
        }
        self.events.clear();
    }

    /// Gives up every connection whose oldest request is overdue, or that nobody uses.
    pub fn tick(&mut self, now: Instant) {
        let idle = self.config.connections_max_idle;
        let overdue: Vec<ConnectionId> = self
            .peers
            .values()
            .filter_map(|peer| match &peer.line {
                Line::Greeting { connection, due } if *due <= now => Some(*connection),
                Line::Ready { connection, in_flight, active, .. } => {
                    let due = in_flight.front().map_or(*active + idle, |next| next.due);
                    (due <= now).then_some(*connection)
                }
                _ => None,
            })
            .collect();
        for connection in overdue {
            self.give_up(now, connection);
        }
    }

    /// When the next request is overdue, or a pause before dialling ends.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        self.peers
            .values()
            .filter_map(|peer| match &peer.line {
                Line::Down { until } => (*until > now).then_some(*until),
                Line::Greeting { due, .. } => Some(*due),
                Line::Ready { in_flight, active, .. } => {
                    let idle = *active + self.config.connections_max_idle;
                    Some(in_flight.front().map_or(idle, |next| next.due))
                }
            })
            .min()
    }
}

/// The API of a request that these clients send.
fn api_of(body: &RequestKind) -> Option<ApiKey> {
    Some(match body {
        RequestKind::Produce(_) => ApiKey::Produce,
        RequestKind::Fetch(_) => ApiKey::Fetch,
        RequestKind::Metadata(_) => ApiKey::Metadata,
        RequestKind::ListOffsets(_) => ApiKey::ListOffsets,
        RequestKind::OffsetForLeaderEpoch(_) => ApiKey::OffsetForLeaderEpoch,
        RequestKind::ApiVersions(_) => ApiKey::ApiVersions,
        RequestKind::CreateTopics(_) => ApiKey::CreateTopics,
        RequestKind::DeleteTopics(_) => ApiKey::DeleteTopics,
        RequestKind::CreatePartitions(_) => ApiKey::CreatePartitions,
        RequestKind::DescribeConfigs(_) => ApiKey::DescribeConfigs,
        RequestKind::IncrementalAlterConfigs(_) => ApiKey::IncrementalAlterConfigs,
        RequestKind::AlterPartitionReassignments(_) => {
            ApiKey::AlterPartitionReassignments
        }
        RequestKind::ListPartitionReassignments(_) => ApiKey::ListPartitionReassignments,
        RequestKind::ElectLeaders(_) => ApiKey::ElectLeaders,
        RequestKind::DeleteRecords(_) => ApiKey::DeleteRecords,
        RequestKind::DescribeCluster(_) => ApiKey::DescribeCluster,
        RequestKind::DescribeQuorum(_) => ApiKey::DescribeQuorum,
        RequestKind::AddRaftVoter(_) => ApiKey::AddRaftVoter,
        RequestKind::RemoveRaftVoter(_) => ApiKey::RemoveRaftVoter,
        RequestKind::JoinGroup(_) => ApiKey::JoinGroup,
        RequestKind::SyncGroup(_) => ApiKey::SyncGroup,
        RequestKind::Heartbeat(_) => ApiKey::Heartbeat,
        RequestKind::LeaveGroup(_) => ApiKey::LeaveGroup,
        RequestKind::OffsetCommit(_) => ApiKey::OffsetCommit,
        RequestKind::OffsetFetch(_) => ApiKey::OffsetFetch,
        RequestKind::ConsumerGroupHeartbeat(_) => ApiKey::ConsumerGroupHeartbeat,
        RequestKind::DescribeGroups(_) => ApiKey::DescribeGroups,
        RequestKind::ListGroups(_) => ApiKey::ListGroups,
        RequestKind::DeleteGroups(_) => ApiKey::DeleteGroups,
        RequestKind::OffsetDelete(_) => ApiKey::OffsetDelete,
        RequestKind::FindCoordinator(_) => ApiKey::FindCoordinator,
        RequestKind::InitProducerId(_) => ApiKey::InitProducerId,
        RequestKind::AddPartitionsToTxn(_) => ApiKey::AddPartitionsToTxn,
        RequestKind::AddOffsetsToTxn(_) => ApiKey::AddOffsetsToTxn,
        RequestKind::TxnOffsetCommit(_) => ApiKey::TxnOffsetCommit,
        RequestKind::EndTxn(_) => ApiKey::EndTxn,
        _ => return None,
    })
}
