//! One server of an ensemble.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use topomotion_wire::{
    ActorDeed, ConnectionId, CorrelationId, Duration, Endpoint, Fact, Input, Instant,
    Machine, Message, Output, SessionId, Zab, ZkAnswer, ZkChange, ZkDeed, ZkError,
    ZkEvent, ZkMessage, ZkOp, ZkWatch, Zxid,
};

use super::tree::{Seen, Tree};

/// A server's settings.
#[derive(Debug, Clone)]
pub struct ZooKeeperConfig {
    /// `myid`. The greatest of an ensemble leads.
    pub id: i32,
    /// Every server of the ensemble, itself included.
    pub servers: BTreeMap<i32, Endpoint>,
    /// `tickTime`: sessions expire on a multiple of it.
    pub tick: Duration,
    /// What the tree holds before anybody has changed it: path and text.
    pub initial: Vec<(Arc<str>, Arc<str>)>,
    /// How often this server was started before; session ids never repeat.
    pub life: u32,
}

/// A request of a client that has not been answered.
#[derive(Debug)]
enum Waiting {
    /// It is read when everything before it is answered.
    Read(CorrelationId, ZkOp),
    /// It is a change with this number.
    Change(CorrelationId, u64),
    /// It was a change.
    Changed(CorrelationId, Result<ZkAnswer, ZkError>),
}

/// A client's connection.
#[derive(Debug, Default)]
struct Client {
    session: Option<SessionId>,
    waiting: VecDeque<Waiting>,
}

/// What a leader keeps of its followers and its work.
#[derive(Debug, Default)]
struct Leading {
    /// Followers that have what the leader has.
    synced: BTreeMap<ConnectionId, i32>,
    /// What is proposed and not committed, with those that have it.
    proposed: VecDeque<(Zxid, ZkChange, BTreeSet<i32>)>,
    /// When each session was last heard of.
    heard: BTreeMap<SessionId, Instant>,
    /// Sessions that are being closed.
    closing: BTreeSet<SessionId>,
    last: Zxid,
    next_ping: Instant,
}

/// What a follower keeps of its leader.
#[derive(Debug, Default)]
struct Following {
    leader: Option<ConnectionId>,
    is_synced: bool,
    proposed: VecDeque<(Zxid, ZkChange)>,
    touched: BTreeSet<SessionId>,
    dial_at: Option<Instant>,
}

#[derive(Debug)]
enum Part {
    Leader(Leading),
    Follower(Following),
}

/// A follower that lost its leader dials it again after so long.
const REDIAL: Duration = Duration::from_millis(500);

/// One server of an ensemble.
#[derive(Debug)]
pub struct ZooKeeperServer {
    config: ZooKeeperConfig,
    pub(super) tree: Tree,
    part: Part,
    clients: BTreeMap<ConnectionId, Client>,
    /// Watches of a znode, and of the set of its children.
    node_watches: BTreeMap<Arc<str>, BTreeSet<ConnectionId>>,
    child_watches: BTreeMap<Arc<str>, BTreeSet<ConnectionId>>,
    accepted: BTreeSet<ConnectionId>,
    dialled: u64,
    changes: u64,
    sessions: u32,
    outputs: VecDeque<Output>,
}

impl ZooKeeperServer {
    /// Starts a server.
    pub fn start(now: Instant, config: ZooKeeperConfig) -> ZooKeeperServer {
        let leads = config.servers.keys().all(|id| *id <= config.id);
        let part = match leads {
            true => Part::Leader(Leading { next_ping: now, ..Leading::default() }),
            false => {
                Part::Follower(Following { dial_at: Some(now), ..Following::default() })
            }
        };
        let tree = Tree::grown(&config.initial);
        let mut server = ZooKeeperServer {
            config,
            tree,
            part,
            clients: BTreeMap::new(),
            node_watches: BTreeMap::new(),
            child_watches: BTreeMap::new(),
            accepted: BTreeSet::new(),
            dialled: 0,
            changes: 0,
            sessions: 0,
            outputs: VecDeque::new(),
        };
        server.tick(now);
        server
    }

    /// Whether clients are answered: a majority works together.
    pub fn is_serving(&self) -> bool {
        match &self.part {
            Part::Leader(leading) => self.is_majority(leading.synced.len() + 1),
            Part::Follower(following) => following.is_synced,
        }
    }

    fn is_majority(&self, count: usize) -> bool {
        count * 2 > self.config.servers.len()
    }

    fn send(&mut self, connection: ConnectionId, message: ZkMessage) {
        let message = message.into();
        self.outputs.push_back(Output::Send { connection, message });
    }

    fn tell(&mut self, deed: ZkDeed) {
        let deed = ActorDeed::Zookeeper(deed);
        self.outputs.push_back(Output::Fact(Fact::Actor { deed }));
    }

    // Clients.

    fn asked(
        &mut self,
        now: Instant,
        connection: ConnectionId,
        correlation: CorrelationId,
        op: ZkOp,
    ) {
        if !self.is_serving() {
            return self.hang_up(connection);
        }
        let client = self.clients.entry(connection).or_default();
        let session = client.session;
        let op = match op {
            ZkOp::Connect { session: Some(old), .. } => {
                let known = self.tree.sessions.contains_key(&old);
                let result = match known {
                    true => Ok(ZkAnswer::Connected(old)),
                    false => Err(ZkError::SessionExpired),
                };
                if let Some(client) = self.clients.get_mut(&connection) {
                    client.session = known.then_some(old);
                }
                self.heard(now, known.then_some(old));
                self.reply(connection, correlation, result);
                return;
            }
            ZkOp::Connect { session: None, timeout } => {
                let (least, most) = (self.config.tick, self.config.tick);
                let least = Duration::from_micros(least.as_micros() * 2);
                let most = Duration::from_micros(most.as_micros() * 20);
                ZkOp::CreateSession(self.new_session(), timeout.clamp(least, most))
            }
            op if session.is_none() => {
                let _ = op;
                return self.hang_up(connection);
            }
            op => op,
        };
        self.heard(now, session);
        let client = self.clients.entry(connection).or_default();
        if op.is_change() {
            let number = self.changes;
            self.changes += 1;
            client.waiting.push_back(Waiting::Change(correlation, number));
            let origin = (self.config.id, number);
            self.submit(now, ZkChange { origin, session, op });
        } else {
            client.waiting.push_back(Waiting::Read(correlation, op));
            self.answer(connection);
        }
    }

    fn new_session(&mut self) -> SessionId {
        self.sessions += 1;
        let own = u64::from(self.config.id.unsigned_abs()) << 48;
        let life = u64::from(self.config.life) << 24;
        SessionId(own | life | u64::from(self.sessions))
    }

    /// A client lives.
    fn heard(&mut self, now: Instant, session: Option<SessionId>) {
        let Some(session) = session else { return };
        match &mut self.part {
            Part::Leader(leading) => {
                leading.heard.insert(session, now);
            }
            Part::Follower(following) => {
                following.touched.insert(session);
            }
        }
    }

    fn reply(
        &mut self,
        connection: ConnectionId,
        correlation: CorrelationId,
        result: Result<ZkAnswer, ZkError>,
    ) {
        let zxid = self.tree.zxid;
        self.send(connection, ZkMessage::Reply { correlation, zxid, result });
    }

    /// Answers what can be answered, in the order in which it was asked.
    fn answer(&mut self, connection: ConnectionId) {
        loop {
            let Some(client) = self.clients.get_mut(&connection) else { return };
            match client.waiting.pop_front() {
                None => return,
                Some(waits @ Waiting::Change(..)) => {
                    client.waiting.push_front(waits);
                    return;
                }
                Some(Waiting::Changed(correlation, result)) => {
                    if let Ok(ZkAnswer::Connected(session)) = &result {
                        client.session = Some(*session);
                    }
                    self.reply(connection, correlation, result);
                }
                Some(Waiting::Read(correlation, op)) => {
                    let result = self.read(connection, &op);
                    self.reply(connection, correlation, result);
                }
            }
        }
    }

    fn read(&mut self, connection: ConnectionId, op: &ZkOp) -> Result<ZkAnswer, ZkError> {
        let watch = |watches: &mut BTreeMap<Arc<str>, BTreeSet<ConnectionId>>,
                     path: &Arc<str>,
                     watch: ZkWatch| {
            if watch == ZkWatch::Set {
                watches.entry(path.clone()).or_default().insert(connection);
            }
        };
        match op {
            ZkOp::Ping => Ok(ZkAnswer::Pong),
            ZkOp::Exists(path, wanted) => {
                watch(&mut self.node_watches, path, *wanted);
                Ok(ZkAnswer::Exists(self.tree.node(path).is_some()))
            }
            ZkOp::GetData(path, wanted) => {
                let node = self.tree.node(path).ok_or(ZkError::NoNode)?;
                watch(&mut self.node_watches, path, *wanted);
                Ok(ZkAnswer::Data {
                    data: node.data.clone(),
                    version: node.version,
                    created: node.created,
                })
            }
            ZkOp::GetChildren(path, wanted) => {
                self.tree.node(path).ok_or(ZkError::NoNode)?;
                watch(&mut self.child_watches, path, *wanted);
                Ok(ZkAnswer::Children(self.tree.children(path)))
            }
            _ => Err(ZkError::BadArguments),
        }
    }

    fn hang_up(&mut self, connection: ConnectionId) {
        self.outputs.push_back(Output::Close { connection });
        self.forget(connection);
    }

    fn forget(&mut self, connection: ConnectionId) {
        self.clients.remove(&connection);
        self.accepted.remove(&connection);
        for watches in [&mut self.node_watches, &mut self.child_watches] {
            watches.retain(|_, watchers| {
                watchers.remove(&connection);
                !watchers.is_empty()
            });
        }
    }

    // Changes.

    /// Brings a change to the leader.
    fn submit(&mut self, now: Instant, change: ZkChange) {
        match &mut self.part {
            Part::Leader(_) => self.propose(now, change),
            Part::Follower(following) => {
                if let Some(leader) = following.leader.filter(|_| following.is_synced) {
                    self.send(leader, ZkMessage::Zab(Zab::Request(change)));
                }
            }
        }
    }

    /// Numbers a change and asks the followers to write it down.
    fn propose(&mut self, now: Instant, change: ZkChange) {
        let own = self.config.id;
        let Part::Leader(leading) = &mut self.part else { return };
        leading.last = Zxid(leading.last.max(self.tree.zxid).0 + 1);
        let zxid = leading.last;
        if let ZkOp::CreateSession(id, _) = &change.op {
            leading.heard.insert(*id, now);
        }
        let followers: Vec<ConnectionId> = leading.synced.keys().copied().collect();
        leading.proposed.push_back((zxid, change.clone(), BTreeSet::from([own])));
        for follower in followers {
            let proposal = Zab::Proposal(zxid, change.clone());
            self.send(follower, ZkMessage::Zab(proposal));
        }
        self.commit();
    }

    /// Commits what a majority has, in order.
    fn commit(&mut self) {
        loop {
            let total = self.config.servers.len();
            let Part::Leader(leading) = &mut self.part else { return };
            let first = leading.proposed.front();
            if first.is_none_or(|(_, _, acks)| acks.len() * 2 <= total) {
                return;
            }
            let Some((zxid, change, _)) = leading.proposed.pop_front() else { return };
            let followers: Vec<ConnectionId> = leading.synced.keys().copied().collect();
            for follower in followers {
                self.send(follower, ZkMessage::Zab(Zab::Commit(zxid)));
            }
            self.apply(zxid, &change);
        }
    }

    /// A change counts: it is applied, watches fire, and whoever waits for it is answered.
    fn apply(&mut self, zxid: Zxid, change: &ZkChange) {
        let (result, seen) = self.tree.apply(zxid, change.session, &change.op);
        if let ZkOp::CloseSession(session) = &change.op {
            self.session_closed(*session);
        }
        self.fire(seen);
        if change.origin.0 != self.config.id {
            return;
        }
        let number = change.origin.1;
        let waits = |client: &Client| {
            client.waiting.iter().position(
                |it| matches!(it, Waiting::Change(_, known) if *known == number),
            )
        };
        let found = self.clients.iter_mut().find_map(|(&connection, client)| {
            let place = waits(client)?;
            let waiting = client.waiting.get_mut(place)?;
            if let Waiting::Change(correlation, _) = *waiting {
                *waiting = Waiting::Changed(correlation, result.clone());
            }
            Some(connection)
        });
        if let Some(connection) = found {
            self.answer(connection);
        }
    }

    fn session_closed(&mut self, session: SessionId) {
        if let Part::Leader(leading) = &mut self.part {
            leading.heard.remove(&session);
            leading.closing.remove(&session);
        }
        let own = self.clients.iter().filter(|(_, it)| it.session == Some(session));
        let own: Vec<ConnectionId> = own.map(|(&connection, _)| connection).collect();
        for connection in own {
            self.hang_up(connection);
        }
    }

    /// Tells watchers, each once: a watch is gone when it has seen something.
    fn fire(&mut self, seen: Vec<Seen>) {
        for (event, path) in seen {
            let watchers = match event {
                ZkEvent::NodeChildrenChanged => self.child_watches.remove(&path),
                ZkEvent::NodeCreated | ZkEvent::NodeDataChanged => {
                    self.node_watches.remove(&path)
                }
                ZkEvent::NodeDeleted => {
                    let own = self.node_watches.remove(&path).unwrap_or_default();
                    let of_children = self.child_watches.remove(&path);
                    Some(
                        own.into_iter()
                            .chain(of_children.into_iter().flatten())
                            .collect(),
                    )
                }
            };
            for watcher in watchers.unwrap_or_default() {
                let path = path.clone();
                self.send(watcher, ZkMessage::Event { event, path });
            }
        }
    }

    // Between servers.

    fn heard_server(&mut self, now: Instant, connection: ConnectionId, zab: Zab) {
        match (&mut self.part, zab) {
            (Part::Leader(leading), Zab::FollowerInfo(id, theirs)) => {
                // A leader that has just come back takes over what others kept.
                if theirs.zxid > self.tree.zxid && leading.proposed.is_empty() {
                    leading.heard =
                        theirs.sessions.iter().map(|it| (it.0, now)).collect();
                    self.tree = Tree::of(theirs);
                }
                leading.synced.insert(connection, id);
                let mut snapshot = self.tree.snapshot();
                let open: Vec<(Zxid, ZkChange)> =
                    leading.proposed.iter().map(|it| (it.0, it.1.clone())).collect();
                snapshot.zxid = self.tree.zxid;
                self.clients.remove(&connection);
                self.send(connection, ZkMessage::Zab(Zab::Snapshot(snapshot)));
                for (zxid, change) in open {
                    let proposal = Zab::Proposal(zxid, change);
                    self.send(connection, ZkMessage::Zab(proposal));
                }
            }
            (Part::Leader(_), Zab::Request(change)) => self.propose(now, change),
            (Part::Leader(leading), Zab::Ack(zxid)) => {
                let Some(&id) = leading.synced.get(&connection) else { return };
                let known = leading.proposed.iter_mut().find(|it| it.0 == zxid);
                if let Some((_, _, acks)) = known {
                    acks.insert(id);
                }
                self.commit();
            }
            (Part::Leader(leading), Zab::Pong(sessions)) => {
                for session in sessions {
                    if let Some(heard) = leading.heard.get_mut(&session) {
                        *heard = now;
                    }
                }
            }
            (Part::Follower(following), Zab::Snapshot(snapshot)) => {
                self.tree = Tree::of(snapshot);
                following.proposed.clear();
                following.is_synced = true;
            }
            (Part::Follower(following), Zab::Proposal(zxid, change)) => {
                following.proposed.push_back((zxid, change));
                self.send(connection, ZkMessage::Zab(Zab::Ack(zxid)));
            }
            (Part::Follower(following), Zab::Commit(zxid)) => {
                let is_next = following.proposed.front().is_some_and(|it| it.0 == zxid);
                let next = following.proposed.pop_front().filter(|_| is_next);
                match next {
                    Some((zxid, change)) => self.apply(zxid, &change),
                    None => self.leader_lost(now),
                }
            }
            (Part::Follower(following), Zab::Ping) => {
                let touched = std::mem::take(&mut following.touched);
                let pong = Zab::Pong(touched.into_iter().collect());
                self.send(connection, ZkMessage::Zab(pong));
            }
            // Nobody else says anything else.
            _ => {}
        }
    }

    /// Without a leader a follower serves nobody.
    fn leader_lost(&mut self, now: Instant) {
        let Part::Follower(following) = &mut self.part else { return };
        if let Some(connection) = following.leader.take() {
            self.outputs.push_back(Output::Close { connection });
        }
        following.is_synced = false;
        following.proposed.clear();
        following.dial_at = Some(now + REDIAL);
        let clients: Vec<ConnectionId> = self.clients.keys().copied().collect();
        clients.into_iter().for_each(|client| self.hang_up(client));
    }

    fn closed(&mut self, now: Instant, connection: ConnectionId) {
        match &mut self.part {
            Part::Leader(leading) => {
                leading.synced.remove(&connection);
                if !self.is_serving() {
                    let clients: Vec<ConnectionId> =
                        self.clients.keys().copied().collect();
                    clients.into_iter().for_each(|client| self.hang_up(client));
                }
            }
            Part::Follower(following) if following.leader == Some(connection) => {
                following.leader = None;
                self.leader_lost(now);
            }
            Part::Follower(_) => {}
        }
        self.forget(connection);
    }

    /// When a session of this timeout, last heard of then, expires.
    fn expiry(&self, heard: Instant, timeout: Duration) -> Instant {
        let tick = self.config.tick.as_micros().max(1);
        let due = (heard + timeout).as_micros();
        Instant::ZERO + Duration::from_micros(due.div_ceil(tick) * tick)
    }

    fn expire(&mut self, now: Instant) {
        let Part::Leader(leading) = &self.part else { return };
        if !self.is_serving() {
            return;
        }
        let due = self.tree.sessions.iter().filter(|(id, timeout)| {
            let heard = leading.heard.get(id).copied();
            !leading.closing.contains(id)
                && heard.is_some_and(|heard| self.expiry(heard, **timeout) <= now)
        });
        let due: Vec<(SessionId, Duration)> = due.map(|(&id, &it)| (id, it)).collect();
        for (session, timeout) in due {
            if let Part::Leader(leading) = &mut self.part {
                leading.closing.insert(session);
            }
            self.tell(ZkDeed::SessionExpires {
                owner: self.owner(session),
                ms: timeout.as_millis(),
            });
            let origin = (self.config.id, u64::MAX);
            let op = ZkOp::CloseSession(session);
            self.propose(now, ZkChange { origin, session: None, op });
        }
    }

    /// What is known of a session: the first of its ephemeral znodes.
    fn owner(&self, session: SessionId) -> Arc<str> {
        let own = self.tree.snapshot().nodes;
        let own = own.into_iter().find(|(path, node)| {
            node.owner == Some(session) && path.starts_with("/brokers")
        });
        own.map_or("a client".into(), |(path, _)| path)
    }
}

impl Machine for ZooKeeperServer {
    fn handle(&mut self, now: Instant, input: Input) {
        match input {
            Input::Accepted { connection } => {
                self.accepted.insert(connection);
            }
            Input::Opened { connection } => {
                let info = Zab::FollowerInfo(self.config.id, self.tree.snapshot());
                self.send(connection, ZkMessage::Zab(info));
            }
            Input::Closed { connection } => self.closed(now, connection),
            Input::Received { connection, message: Message::Zookeeper(message) } => {
                match *message {
                    ZkMessage::Request { correlation, op } => {
                        self.asked(now, connection, correlation, op);
                    }
                    ZkMessage::Zab(zab) => self.heard_server(now, connection, zab),
                    _ => self.hang_up(connection),
                }
            }
            Input::Received { connection, .. } => self.hang_up(connection),
            Input::Flushed { .. } => {}
        }
    }

    fn tick(&mut self, now: Instant) {
        let half = Duration::from_micros(self.config.tick.as_micros() / 2);
        match &mut self.part {
            Part::Leader(leading) if leading.next_ping <= now => {
                leading.next_ping = now + half;
                let followers: Vec<ConnectionId> =
                    leading.synced.keys().copied().collect();
                for follower in followers {
                    self.send(follower, ZkMessage::Zab(Zab::Ping));
                }
            }
            Part::Follower(following)
                if following.dial_at.is_some_and(|it| it <= now) =>
            {
                let connection = ConnectionId::Dialled(self.dialled);
                self.dialled += 1;
                following.dial_at = None;
                following.leader = Some(connection);
                let leader = self.config.servers.last_key_value();
                if let Some((_, to)) = leader {
                    let to = to.clone();
                    self.outputs.push_back(Output::Open { connection, to });
                }
            }
            Part::Leader(_) | Part::Follower(_) => {}
        }
        self.expire(now);
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        match &self.part {
            // Sessions expire at the ticks between.
            Part::Leader(leading) => {
                let due = self.tree.sessions.iter().filter_map(|(id, timeout)| {
                    let heard = *leading.heard.get(id)?;
                    let waits = !leading.closing.contains(id) && self.is_serving();
                    waits.then(|| self.expiry(heard, *timeout))
                });
                due.chain([leading.next_ping]).min()
            }
            Part::Follower(following) => following.dial_at,
        }
    }
}
