//! An ensemble of three over a network without delay, and what its clients are told.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use topomotion_wire::{
    ConnectionId, CorrelationId, Duration, Endpoint, Input, Instant, Machine, Message,
    Output, SessionId, ZkAnswer, ZkError, ZkEvent, ZkLife, ZkMessage, ZkOp, ZkWatch,
};

use super::{ZooKeeperConfig, ZooKeeperServer};

const TIMEOUT: Duration = Duration::from_millis(6_000);

fn endpoint(id: i32) -> Endpoint {
    Endpoint { host: format!("zk-{id}").into(), port: 2181 }
}

fn at(ms: u64) -> Instant {
    Instant::ZERO + Duration::from_millis(ms)
}

/// Servers 1 to 3, with their connections to the leader, and any number of clients.
struct Rig {
    servers: BTreeMap<i32, ZooKeeperServer>,
    /// Who is at the other end: the leader's number for a follower.
    told: BTreeMap<(i32, u64), Vec<ZkMessage>>,
    now: Instant,
}

impl Rig {
    fn new() -> Rig {
        let all: BTreeMap<i32, Endpoint> = (1..=3).map(|id| (id, endpoint(id))).collect();
        let server = |id: i32| {
            let config = ZooKeeperConfig {
                id,
                servers: all.clone(),
                tick: Duration::from_millis(2_000),
                initial: vec![("/brokers/ids".into(), "".into())],
                life: 0,
            };
            (id, ZooKeeperServer::start(at(0), config))
        };
        let servers = (1..=3).map(server).collect();
        let mut rig = Rig { servers, told: BTreeMap::new(), now: at(0) };
        rig.settle();
        rig
    }

    /// Follower `id` is known to the leader, and the leader to it, by these numbers.
    fn peer(from: i32, connection: ConnectionId) -> Option<(i32, ConnectionId)> {
        match (from, connection) {
            (3, ConnectionId::Accepted(id @ (1 | 2))) => {
                Some((id as i32, ConnectionId::Dialled(0)))
            }
            (1 | 2, ConnectionId::Dialled(0)) => {
                Some((3, ConnectionId::Accepted(from as u64)))
            }
            _ => None,
        }
    }

    /// Delivers everything until nothing is said any more.
    fn settle(&mut self) {
        let mut queue: VecDeque<(i32, Input)> = VecDeque::new();
        loop {
            for (&id, server) in &mut self.servers {
                while let Some(output) = server.poll() {
                    match output {
                        Output::Open { connection, .. } => {
                            let accepted = ConnectionId::Accepted(id as u64);
                            queue
                                .push_back((3, Input::Accepted { connection: accepted }));
                            queue.push_back((id, Input::Opened { connection }));
                        }
                        Output::Send { connection, message } => {
                            match (Rig::peer(id, connection), message, connection) {
                                (Some((to, connection)), message, _) => queue.push_back(
                                    (to, Input::Received { connection, message }),
                                ),
                                (
                                    None,
                                    Message::Zookeeper(it),
                                    ConnectionId::Accepted(n),
                                ) => {
                                    self.told.entry((id, n)).or_default().push(*it);
                                }
                                _ => panic!("nobody is there"),
                            }
                        }
                        Output::Close { .. } | Output::Fact(_) => {}
                        other => panic!("{other:?} is not for a ZooKeeper server"),
                    }
                }
            }
            let Some((to, input)) = queue.pop_front() else { return };
            if let Some(server) = self.servers.get_mut(&to) {
                server.handle(self.now, input);
            }
        }
    }

    /// Client `client` of a server asks; what it has been told since it last asked.
    fn ask(&mut self, server: i32, client: u64, op: ZkOp) -> Vec<ZkMessage> {
        let message = ZkMessage::Request { correlation: CorrelationId(7), op }.into();
        let connection = ConnectionId::Accepted(client);
        if let Some(it) = self.servers.get_mut(&server) {
            it.handle(self.now, Input::Received { connection, message });
        }
        self.settle();
        self.told.remove(&(server, client)).unwrap_or_default()
    }

    fn answer(
        &mut self,
        server: i32,
        client: u64,
        op: ZkOp,
    ) -> Result<ZkAnswer, ZkError> {
        match self.ask(server, client, op).pop() {
            Some(ZkMessage::Reply { result, .. }) => result,
            other => panic!("{other:?} is no answer"),
        }
    }

    fn connect(&mut self, server: i32, client: u64) -> SessionId {
        let op = ZkOp::Connect { session: None, timeout: TIMEOUT };
        match self.answer(server, client, op) {
            Ok(ZkAnswer::Connected(session)) => session,
            other => panic!("{other:?} is no session"),
        }
    }

    fn pass(&mut self, until_ms: u64) {
        while self.now < at(until_ms) {
            self.now += Duration::from_millis(500);
            self.servers.values_mut().for_each(|server| server.tick(self.now));
            self.settle();
        }
    }
}

fn create(path: &str) -> ZkOp {
    ZkOp::Create { path: path.into(), data: "it".into(), life: ZkLife::Ephemeral }
}

fn exists(path: &str, watch: ZkWatch) -> ZkOp {
    ZkOp::Exists(path.into(), watch)
}

#[test]
fn of_two_that_create_a_znode_one_wins_wherever_it_asks() {
    let mut rig = Rig::new();
    rig.connect(1, 10);
    rig.connect(2, 20);
    assert_eq!(rig.answer(1, 10, create("/controller")), Ok(ZkAnswer::Done));
    assert_eq!(rig.answer(2, 20, create("/controller")), Err(ZkError::NodeExists));
    for server in 1..=3 {
        let tree = &rig.servers[&server].tree;
        assert!(tree.node("/controller").is_some(), "server {server} has it too");
    }
}

#[test]
fn every_server_applies_the_same_changes_in_the_same_order() {
    let mut rig = Rig::new();
    rig.connect(1, 10);
    rig.connect(2, 20);
    for number in 0..5 {
        rig.ask(1, 10, create(&format!("/a{number}")));
        rig.ask(2, 20, create(&format!("/b{number}")));
    }
    let first = rig.servers[&1].tree.snapshot();
    assert_eq!(first.zxid.0, 12, "two sessions and ten znodes");
    assert_eq!(rig.servers[&2].tree.snapshot(), first);
    assert_eq!(rig.servers[&3].tree.snapshot(), first);
}

#[test]
fn answers_come_in_the_order_of_the_questions() {
    let mut rig = Rig::new();
    rig.connect(1, 10);
    let correlated = |number: i32, op: ZkOp| Input::Received {
        connection: ConnectionId::Accepted(10),
        message: ZkMessage::Request { correlation: CorrelationId(number), op }.into(),
    };
    let now = rig.now;
    let server = rig.servers.get_mut(&1).expect("server 1");
    server.handle(now, correlated(1, create("/a")));
    server.handle(now, correlated(2, exists("/a", ZkWatch::Unset)));
    rig.settle();
    let told = rig.told.remove(&(1, 10)).expect("two answers");
    let numbers: Vec<i32> = told
        .iter()
        .filter_map(|it| match it {
            ZkMessage::Reply { correlation, .. } => Some(correlation.0),
            _ => None,
        })
        .collect();
    assert_eq!(numbers, [1, 2], "the read waits for the change before it");
    let ZkMessage::Reply { result, .. } = &told[1] else { panic!("no reply") };
    assert_eq!(*result, Ok(ZkAnswer::Exists(true)));
}

#[test]
fn a_watch_fires_once() {
    let mut rig = Rig::new();
    rig.connect(1, 10);
    rig.connect(2, 20);
    assert_eq!(
        rig.answer(2, 20, exists("/x", ZkWatch::Set)),
        Ok(ZkAnswer::Exists(false))
    );
    rig.ask(1, 10, create("/x"));
    let path: Arc<str> = "/x".into();
    let seen = ZkMessage::Event { event: ZkEvent::NodeCreated, path: path.clone() };
    assert_eq!(rig.told.remove(&(2, 20)), Some(vec![seen]));
    rig.ask(1, 10, ZkOp::Delete { path, version: None });
    assert_eq!(rig.told.remove(&(2, 20)), None, "the watch is gone");
}

#[test]
fn a_silent_session_expires_and_takes_its_znodes_along() {
    let mut rig = Rig::new();
    rig.connect(1, 10);
    rig.connect(2, 20);
    rig.ask(1, 10, create("/controller"));
    rig.ask(2, 20, exists("/controller", ZkWatch::Set));
    for ms in [2_000, 4_000, 6_000] {
        rig.pass(ms);
        assert_eq!(rig.answer(2, 20, ZkOp::Ping), Ok(ZkAnswer::Pong));
    }
    rig.pass(8_500);
    let path = "/controller".into();
    let seen = ZkMessage::Event { event: ZkEvent::NodeDeleted, path };
    assert_eq!(rig.told.remove(&(2, 20)), Some(vec![seen]));
    assert_eq!(
        rig.answer(2, 20, exists("/controller", ZkWatch::Unset)),
        Ok(ZkAnswer::Exists(false)),
        "whoever pings keeps its session"
    );
}

#[test]
fn a_session_goes_on_at_another_server_until_it_is_over() {
    let mut rig = Rig::new();
    let session = rig.connect(1, 10);
    let go_on = ZkOp::Connect { session: Some(session), timeout: TIMEOUT };
    assert_eq!(rig.answer(2, 11, go_on.clone()), Ok(ZkAnswer::Connected(session)));
    rig.pass(9_000);
    assert_eq!(rig.answer(3, 12, go_on), Err(ZkError::SessionExpired));
}

#[test]
fn without_a_majority_nobody_is_served() {
    let mut rig = Rig::new();
    let now = rig.now;
    let leader = rig.servers.get_mut(&3).expect("server 3");
    for follower in [1, 2] {
        assert!(leader.is_serving());
        let connection = ConnectionId::Accepted(follower);
        leader.handle(now, Input::Closed { connection });
    }
    assert!(!leader.is_serving());
}
