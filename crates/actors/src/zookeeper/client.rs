//! A client's side of a session: it dials one server after the other, keeps the session
//! alive, and learns that it is over only from a server that it reaches.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use topomotion_wire::{
    ConnectionId, CorrelationId, Duration, Endpoint, Input, Instant, Machine, Message,
    Output, SessionId, ZkAnswer, ZkError, ZkEvent, ZkMessage, ZkOp,
};

/// What a client learns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum News {
    /// It has a new session: nothing of its own is there.
    Connected,
    /// Its old session goes on at another server; watches are gone.
    Reconnected,
    /// A server cannot be reached; what was asked has an unknown outcome.
    Disconnected,
    /// Its session is over, its ephemeral znodes are gone.
    Expired,
    /// An answer.
    Answered(i32, Result<ZkAnswer, ZkError>),
    /// A watch has seen something.
    Seen(ZkEvent, Arc<str>),
}

/// After a lost connection the next server is dialled so much later.
const REDIAL: Duration = Duration::from_millis(1_000);
/// The number of what begins a session, and of pings.
const CONNECT: CorrelationId = CorrelationId(-1);
const PING: CorrelationId = CorrelationId(-2);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Down,
    Opening(ConnectionId),
    Connecting(ConnectionId),
    Up(ConnectionId),
}

/// A client of an ensemble.
#[derive(Debug)]
pub(crate) struct ZkClient {
    servers: Vec<Endpoint>,
    timeout: Duration,
    session: Option<SessionId>,
    line: Line,
    dialled: u64,
    next: i32,
    open: BTreeMap<i32, ()>,
    heard: Instant,
    sent: Instant,
    dial_at: Option<Instant>,
    outputs: VecDeque<Output>,
    news: VecDeque<News>,
}

impl ZkClient {
    /// A client that dials these servers in turn.
    pub fn new(now: Instant, servers: Vec<Endpoint>, timeout: Duration) -> ZkClient {
        ZkClient {
            servers,
            timeout,
            session: None,
            line: Line::Down,
            dialled: 0,
            next: 0,
            open: BTreeMap::new(),
            heard: now,
            sent: now,
            dial_at: Some(now),
            outputs: VecDeque::new(),
            news: VecDeque::new(),
        }
    }

    /// Asks; none while no server is connected.
    pub fn ask(&mut self, now: Instant, op: ZkOp) -> Option<i32> {
        let Line::Up(connection) = self.line else { return None };
        let number = self.next;
        self.next += 1;
        self.open.insert(number, ());
        self.send(now, connection, CorrelationId(number), op);
        Some(number)
    }

    /// What it has learned.
    pub fn take(&mut self) -> Option<News> {
        self.news.pop_front()
    }

    fn send(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        correlation: CorrelationId,
        op: ZkOp,
    ) {
        self.sent = now;
        let message = ZkMessage::Request { correlation, op }.into();
        self.outputs.push_back(Output::Send { connection, message });
    }

    fn lost(&mut self, now: Instant) {
        if matches!(self.line, Line::Up(_)) {
            self.news.push_back(News::Disconnected);
        }
        self.line = Line::Down;
        self.open.clear();
        self.dial_at = Some(now + REDIAL);
    }

    fn is_own(&self, of: ConnectionId) -> bool {
        match self.line {
            Line::Down => false,
            Line::Opening(own) | Line::Connecting(own) | Line::Up(own) => own == of,
        }
    }

    fn received(&mut self, now: Instant, connection: ConnectionId, message: ZkMessage) {
        self.heard = now;
        match message {
            ZkMessage::Reply { correlation: CONNECT, result, .. } => match result {
                Ok(ZkAnswer::Connected(session)) => {
                    self.line = Line::Up(connection);
                    let news = match self.session == Some(session) {
                        true => News::Reconnected,
                        false => News::Connected,
                    };
                    self.session = Some(session);
                    self.news.push_back(news);
                }
                _ => {
                    // The old session is over: a new one begins on the same connection.
                    self.session = None;
                    self.news.push_back(News::Expired);
                    let timeout = self.timeout;
                    let op = ZkOp::Connect { session: None, timeout };
                    self.send(now, connection, CONNECT, op);
                }
            },
            ZkMessage::Reply { correlation: CorrelationId(number), result, .. } => {
                let is_awaited = self.open.remove(&number).is_some();
                let news = is_awaited.then_some(News::Answered(number, result));
                self.news.extend(news);
            }
            ZkMessage::Event { event, path } => {
                self.news.push_back(News::Seen(event, path));
            }
            _ => {}
        }
    }

    /// Silence for so long makes it look for another server.
    fn patience(&self) -> Duration {
        Duration::from_micros(self.timeout.as_micros() * 2 / 3)
    }

    /// It says something at least so often.
    fn beat(&self) -> Duration {
        Duration::from_micros(self.timeout.as_micros() / 3)
    }
}

impl Machine for ZkClient {
    fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Opened { connection } if self.is_own(connection) => {
                self.line = Line::Connecting(connection);
                self.heard = now;
                let (session, timeout) = (self.session, self.timeout);
                let op = ZkOp::Connect { session, timeout };
                self.send(now, connection, CONNECT, op);
            }
            Input::Closed { connection } if self.is_own(connection) => self.lost(now),
            Input::Received { connection, message: Message::Zookeeper(message) }
                if self.is_own(connection) =>
            {
                self.received(now, connection, *message);
            }
            _ => {}
        }
    }

    fn tick(&mut self, now: Instant) {
        if self.dial_at.is_some_and(|it| it <= now) && !self.servers.is_empty() {
            let connection = ConnectionId::Dialled(self.dialled);
            let place = usize::try_from(self.dialled).unwrap_or(0) % self.servers.len();
            self.dialled += 1;
            self.dial_at = None;
            self.heard = now;
            self.line = Line::Opening(connection);
            let to = self.servers[place].clone();
            self.outputs.push_back(Output::Open { connection, to });
        }
        match self.line {
            Line::Opening(connection)
            | Line::Connecting(connection)
            | Line::Up(connection)
                if self.heard + self.patience() <= now =>
            {
                self.outputs.push_back(Output::Close { connection });
                self.lost(now);
            }
            Line::Up(connection) if self.sent + self.beat() <= now => {
                self.send(now, connection, PING, ZkOp::Ping);
            }
            _ => {}
        }
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        let silence = self.heard + self.patience();
        match self.line {
            Line::Down => self.dial_at,
            Line::Opening(_) | Line::Connecting(_) => Some(silence),
            Line::Up(_) => Some(silence.min(self.sent + self.beat())),
        }
    }
}
