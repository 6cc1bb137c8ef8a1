//! A broker of ZooKeeper's days, as far as the election of the controller goes (CTL-15).
//!
//! ```text
//!   create /brokers/ids/1 (ephemeral)
//!   exists /controller ──no──► multi: create /controller (ephemeral), setData /controller_epoch
//!                                │ first: the controller     │ too late: NODE_EXISTS
//!                                ▼                           ▼
//!         getData of every partition, one by one       watch /controller
//!         elect, setData where the leader is dead
//!         LeaderAndIsr, UpdateMetadata to every broker
//! ```
//!
//! It serves a producer with acks=0 or 1, and copies no records to followers: whoever has
//! left an ISR does not come back. The controller tells itself without a connection, and
//! there are no controlled shutdowns, no new topics and no reassignments.

mod channel;
mod controller;
mod serve;
mod state;

pub use state::{Assignment, znodes};

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use topomotion_wire::messages::{RequestKind, ResponseKind};
use topomotion_wire::{
    ActorDeed, ConnectionId, ControllerCall, CorrelationId, Duration, Endpoint,
    ErrorCode, Fact, Input, Instant, LeaderEpoch, Machine, Message, NodeId, Output,
    QuorumEpoch, QuorumRole, ReplicaRole, Request, Response, TopicPartition, ZkAnswer,
    ZkDeed, ZkError, ZkEvent, ZkLife, ZkMessage, ZkOp, ZkWatch,
};

use crate::switchboard::{Slot, addressed};
use crate::zookeeper::{News, ZkClient};
use channel::Channel;
use controller::Controlling;
use serve::Cache;
use state::{CONTROLLER, CONTROLLER_EPOCH, broker_path, controller_in, controller_text};

/// A broker's settings, under Kafka's own names.
#[derive(Debug, Clone)]
pub struct ZkBrokerConfig {
    /// `broker.id`.
    pub id: NodeId,
    /// Where each broker listens.
    pub brokers: BTreeMap<NodeId, Endpoint>,
    /// `zookeeper.connect`: the servers, in the order in which they are tried.
    pub zookeeper: Vec<Endpoint>,
    /// `zookeeper.session.timeout.ms`.
    pub session_timeout: Duration,
}

/// What an answer of the ensemble is about.
#[derive(Debug, Clone, PartialEq)]
enum Ask {
    /// Its own registration.
    Register,
    /// The registration of its former life, which stands in the way.
    Former,
    /// Whether there is a controller.
    Look,
    /// Who it is.
    Who,
    /// The epoch of the last one.
    Epoch,
    /// To be the one of this epoch; the version of `/controller_epoch` then.
    Win(i32, i32),
    /// The controller's work.
    Work(controller::Work),
}

const ENSEMBLE: Slot = Slot(0);
const BROKERS: Slot = Slot(1);

/// A broker that depends on ZooKeeper.
#[derive(Debug)]
pub struct ZkBroker {
    config: ZkBrokerConfig,
    client: ZkClient,
    channel: Channel,
    open: BTreeMap<i32, Ask>,
    /// The greatest controller epoch that it was told of.
    controller_epoch: i32,
    controller: Option<NodeId>,
    controlling: Option<Controlling>,
    is_registered: bool,
    cache: Cache,
    roles: BTreeMap<TopicPartition, (Option<NodeId>, LeaderEpoch)>,
    ends: BTreeMap<TopicPartition, i64>,
    outputs: VecDeque<Output>,
}

impl ZkBroker {
    /// Starts a broker; it dials the ensemble at once.
    pub fn start(now: Instant, config: ZkBrokerConfig) -> ZkBroker {
        let client = ZkClient::new(now, config.zookeeper.clone(), config.session_timeout);
        let mut broker = ZkBroker {
            config,
            client,
            channel: Channel::default(),
            open: BTreeMap::new(),
            controller_epoch: 0,
            controller: None,
            controlling: None,
            is_registered: false,
            cache: Cache::default(),
            roles: BTreeMap::new(),
            ends: BTreeMap::new(),
            outputs: VecDeque::new(),
        };
        broker.tick(now);
        broker
    }

    /// Whether it is registered and a controller has told it of the cluster.
    pub fn is_ready(&self) -> bool {
        self.is_registered && !self.cache.brokers.is_empty()
    }

    /// Whether it takes itself for the controller.
    pub fn is_controller(&self) -> bool {
        self.controlling.is_some()
    }

    /// Who leads a partition, as the controller has told it.
    pub fn leader(&self, partition: &TopicPartition) -> Option<NodeId> {
        self.cache.partitions.get(partition).and_then(|it| it.leader)
    }

    fn tell(&mut self, deed: ZkDeed) {
        self.fact(Fact::Actor { deed: ActorDeed::Zookeeper(deed) });
    }

    fn fact(&mut self, fact: Fact) {
        self.outputs.push_back(Output::Fact(fact));
    }

    fn ask(&mut self, now: Instant, ask: Ask, op: ZkOp) {
        if let Some(number) = self.client.ask(now, op) {
            self.open.insert(number, ask);
        }
    }

    fn drive(&mut self, now: Instant) {
        while let Some(news) = self.client.take() {
            self.learn(now, news);
        }
        while let Some((broker, error)) = self.channel.take_refusal() {
            self.tell(ZkDeed::IsRefused { broker, error });
        }
        ENSEMBLE.drain(&mut self.client, &mut self.outputs);
        BROKERS.drain(&mut self.channel, &mut self.outputs);
    }

    fn learn(&mut self, now: Instant, news: News) {
        match news {
            News::Connected => {
                self.open.clear();
                self.register(now);
                self.look(now);
            }
            News::Reconnected => {
                self.look(now);
                if self.controlling.is_some() {
                    self.read_all(now);
                }
            }
            News::Disconnected => self.open.clear(),
            News::Expired => {
                self.is_registered = false;
                self.tell(ZkDeed::Expired);
                self.resign();
            }
            News::Answered(number, result) => match self.open.remove(&number) {
                Some(Ask::Work(work)) => self.work_answered(now, work, result),
                Some(ask) => self.answered(now, ask, result),
                None => {}
            },
            News::Seen(event, path) => self.seen(now, event, &path),
        }
    }

    fn register(&mut self, now: Instant) {
        let endpoint = self.config.brokers.get(&self.config.id);
        let data = endpoint.map_or(String::new(), ToString::to_string);
        let op = ZkOp::Create {
            path: broker_path(self.config.id),
            data: data.into(),
            life: ZkLife::Ephemeral,
        };
        self.ask(now, Ask::Register, op);
    }

    /// Asks whether there is a controller, and wants to be told when that changes.
    fn look(&mut self, now: Instant) {
        let op = ZkOp::Exists(CONTROLLER.into(), ZkWatch::Set);
        self.ask(now, Ask::Look, op);
    }

    fn answered(&mut self, now: Instant, ask: Ask, result: Result<ZkAnswer, ZkError>) {
        match (ask, result) {
            (Ask::Register, Ok(_)) => self.is_registered = true,
            (Ask::Register, Err(ZkError::NodeExists)) => {
                self.tell(ZkDeed::StillRegistered);
                let path = broker_path(self.config.id);
                self.ask(now, Ask::Former, ZkOp::Exists(path, ZkWatch::Set));
            }
            (Ask::Former, Ok(ZkAnswer::Exists(false))) => self.register(now),
            (Ask::Look, Ok(ZkAnswer::Exists(true))) => {
                let op = ZkOp::GetData(CONTROLLER.into(), ZkWatch::Unset);
                self.ask(now, Ask::Who, op);
            }
            (Ask::Look, Ok(ZkAnswer::Exists(false))) => {
                let op = ZkOp::GetData(CONTROLLER_EPOCH.into(), ZkWatch::Unset);
                self.ask(now, Ask::Epoch, op);
            }
            (Ask::Epoch, Ok(ZkAnswer::Data { data, version, .. })) => {
                self.run(now, data.parse().unwrap_or(0), version);
            }
            (Ask::Win(epoch, version), Ok(_)) => self.won(now, epoch, version),
            (Ask::Win(..), Err(ZkError::NodeExists | ZkError::BadVersion)) => {
                self.tell(ZkDeed::LostRace);
                let op = ZkOp::GetData(CONTROLLER.into(), ZkWatch::Unset);
                self.ask(now, Ask::Who, op);
            }
            (Ask::Who, Ok(ZkAnswer::Data { data, .. })) => {
                self.controller = controller_in(&data);
                if self.controller != Some(self.config.id) {
                    self.resign();
                }
            }
            // Whatever else comes back belongs to a session that is over; the watch on
            // `/controller` tells when there is something to do.
            _ => {}
        }
    }

    /// Tries to be the controller: the first to create the znode is.
    fn run(&mut self, now: Instant, last: i32, version: i32) {
        let epoch = last.saturating_add(1);
        let create = ZkOp::Create {
            path: CONTROLLER.into(),
            data: controller_text(self.config.id),
            life: ZkLife::Ephemeral,
        };
        let raise = ZkOp::SetData {
            path: CONTROLLER_EPOCH.into(),
            data: epoch.to_string().into(),
            version: Some(version),
        };
        let op = ZkOp::Multi(vec![create, raise]);
        self.ask(now, Ask::Win(epoch, version.wrapping_add(1)), op);
    }

    fn won(&mut self, now: Instant, epoch: i32, version: i32) {
        self.controller = Some(self.config.id);
        self.controller_epoch = self.controller_epoch.max(epoch);
        self.controlling = Some(Controlling::new(epoch, version));
        self.tell(ZkDeed::Elected { epoch });
        let leader = Some(self.config.id);
        let epoch = QuorumEpoch(epoch);
        self.fact(Fact::QuorumRole { role: QuorumRole::Leader, epoch, leader });
        self.read_all(now);
    }

    fn resign(&mut self) {
        let Some(over) = self.controlling.take() else { return };
        self.channel.clear();
        self.tell(ZkDeed::Resigns { epoch: over.epoch });
        let (role, epoch) = (QuorumRole::Resigned, QuorumEpoch(over.epoch));
        self.fact(Fact::QuorumRole { role, epoch, leader: None });
    }

    fn seen(&mut self, now: Instant, event: ZkEvent, path: &Arc<str>) {
        if &**path == CONTROLLER {
            self.look(now);
        } else if *path == broker_path(self.config.id) {
            if event == ZkEvent::NodeDeleted && !self.is_registered {
                self.register(now);
            }
        } else if &**path == state::BROKERS {
            self.read_brokers(now);
        }
    }

    // What a controller tells.

    fn controlled(
        &mut self,
        connection: ConnectionId,
        correlation: CorrelationId,
        epoch: i32,
        call: ControllerCall,
    ) {
        let name = call.name();
        let error = match epoch < self.controller_epoch {
            true => {
                let known = self.controller_epoch;
                self.tell(ZkDeed::RefusesOld { asked: epoch, known });
                Some(ErrorCode::StaleControllerEpoch)
            }
            false => {
                self.controller_epoch = epoch;
                self.obey(call);
                None
            }
        };
        let message = ZkMessage::Controlled { correlation, name, error }.into();
        self.outputs.push_back(Output::Send { connection, message });
    }

    fn obey(&mut self, call: ControllerCall) {
        match call {
            ControllerCall::LeaderAndIsr(partitions) => {
                for it in partitions {
                    let known = self.roles.get(&it.partition);
                    if known.is_some_and(|known| known.1 >= it.epoch) {
                        continue;
                    }
                    self.roles.insert(it.partition.clone(), (it.leader, it.epoch));
                    let role = match it.leader == Some(self.config.id) {
                        true => ReplicaRole::Leader,
                        false => ReplicaRole::Follower { leader: it.leader },
                    };
                    let (partition, epoch) = (it.partition, it.epoch);
                    self.fact(Fact::ReplicaRole { partition, role, epoch });
                }
            }
            ControllerCall::UpdateMetadata { partitions, brokers } => {
                self.cache.brokers = brokers.into_iter().collect();
                for it in partitions {
                    self.cache.partitions.insert(it.partition.clone(), it);
                }
            }
        }
    }

    // What clients ask.

    fn served(&mut self, connection: ConnectionId, request: Request) {
        let Request { correlation, version, body, .. } = request;
        let mut facts = Vec::new();
        let (body, is_answered) = match body {
            RequestKind::ApiVersions(_) => {
                (ResponseKind::ApiVersions(serve::api_versions()), true)
            }
            RequestKind::Metadata(request) => {
                let (cache, all) = (&self.cache, &self.config.brokers);
                let told = serve::metadata(cache, all, self.controller, &request);
                (ResponseKind::Metadata(told), true)
            }
            RequestKind::Produce(request) => {
                let own = self.config.id;
                let roles = &self.roles;
                let leads = |partition: &TopicPartition| {
                    let (leader, epoch) = roles.get(partition)?;
                    (*leader == Some(own)).then_some(*epoch)
                };
                let told = serve::produce(leads, &mut self.ends, &request, &mut facts);
                (ResponseKind::Produce(told), request.acks != 0)
            }
            // What it does not serve closes the connection, as in any broker.
            _ => return self.outputs.push_back(Output::Close { connection }),
        };
        facts.into_iter().for_each(|fact| self.fact(fact));
        if is_answered {
            let message = Response { correlation, version, body }.into();
            self.outputs.push_back(Output::Send { connection, message });
        }
    }
}

impl Machine for ZkBroker {
    fn handle(&mut self, now: Instant, input: Input) {
        match addressed(input) {
            (Some(ENSEMBLE), input) => self.client.handle(now, input),
            (Some(_), input) => self.channel.handle(now, input),
            (None, Input::Received { connection, message }) => match message {
                Message::Request(request) => self.served(connection, *request),
                Message::Zookeeper(message) => {
                    if let ZkMessage::Control { correlation, controller_epoch, call } =
                        *message
                    {
                        self.controlled(connection, correlation, controller_epoch, call);
                    }
                }
                _ => self.outputs.push_back(Output::Close { connection }),
            },
            (None, _) => {}
        }
        self.drive(now);
    }

    fn tick(&mut self, now: Instant) {
        self.client.tick(now);
        self.channel.tick(now);
        self.drive(now);
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        self.client.deadline().into_iter().chain(self.channel.deadline()).min()
    }
}
