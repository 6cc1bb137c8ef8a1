//! One Kafka node as one state machine: connections in front, the metadata log beneath, a
//! controller and a broker in between.
//!
//! Every input ends in [`Node::settle`], which lets the parts talk to one another until all
//! of them are quiet: what the quorum committed is applied, what a part asked is sent, what
//! was answered frees the next request of its connection.

mod dispatch;
mod metadata_log;

use std::collections::{BTreeMap, VecDeque};

use topomotion_quorum::{Quorum, ReplyToken};
use topomotion_wire::messages::ResponseKind;
use topomotion_wire::{
    ConnectionId, Endpoint, Files, FlushToken, Input, Instant, Machine, Message, NodeId,
    Offset, Output, QuorumEpoch, QuorumRole, Random, Request, TopicPartition,
};

use crate::acl::{Gate, Guest, Holder, Rights};
use crate::api::describe_log_dirs::Volume;
use crate::broker::{Broker, Standing};
use crate::config::NodeConfig;
use crate::controller::ActiveController;
use crate::metadata::MetadataImage;
use crate::net::{
    Answer, Ask, Asked, Call, Effects, Inbound, Peers, Refused, Ticket, Unexpected,
};
use crate::replica::{Replica, Site};
use crate::topic_ids::TopicIds;
use crate::view::{BrokerStatus, ReplicaView};

/// One Kafka node: a broker, a controller, or both.
///
/// It is driven as every [`Machine`]: inputs and time go in, outputs come out. The other
/// methods only look.
#[derive(Debug, Clone)]
pub struct Node {
    config: NodeConfig,
    random: Random,
    effects: Effects,
    inbound: Inbound,
    gate: Gate,
    rights: Rights,
    topic_ids: TopicIds,
    peers: Peers,
    quorum: Quorum,
    /// Requests that the quorum has yet to answer.
    quorum_tickets: BTreeMap<ReplyToken, Ticket>,
    next_token: u64,
    /// The metadata committed and applied so far.
    image: MetadataImage,
    /// The next offset of the metadata log to apply.
    applied: Offset,
    /// Bytes of records applied since the last snapshot.
    unsnapshotted: u64,
    controller: Option<ActiveController>,
    broker: Option<Broker>,
    /// What this node asks itself, and its own answers.
    local: VecDeque<Local>,
    /// When this node last saw time pass.
    now: Instant,
    halted: Option<&'static str>,
    departure: Departure,
    /// What its files lie on, as far as it was told.
    volume: Option<Volume>,
}

/// Whether the node is on its way out, and how far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Departure {
    Staying,
    /// Its broker gives its leaderships away.
    Asked,
    /// Its controller has done so too.
    Resigned,
}

#[derive(Debug, Clone)]
enum Local {
    Call(Call),
    Answer(Asked, Box<ResponseKind>),
    Failure(Asked),
}

impl Node {
    /// A node that has just been started, recovered from the files that survived (none, the
    /// first time). Poll it at once: it may have something to say.
    ///
    /// A metadata log whose state file is damaged cannot be led back into the quorum; such a
    /// node stays silent for ever, as Kafka would refuse to start. [`Node::halted`] tells.
    pub fn start(config: NodeConfig, files: Files, now: Instant, random: Random) -> Node {
        let mut random = random;
        let quorum_random = Random::new(random.next_u64(), random.next_u64());
        let (quorum, halted) = metadata_log::recover(&config, &files, now, quorum_random);
        let mut effects = Effects::default();
        let is_broker = config.roles.is_broker();
        let broker = is_broker.then(|| Broker::start(now, &files, &mut effects));
        let mut node = Node {
            peers: Peers::new(&config.settings),
            config,
            random,
            effects,
            inbound: Inbound::default(),
            gate: Gate::default(),
            rights: Rights::default(),
            topic_ids: TopicIds::default(),
            quorum,
            quorum_tickets: BTreeMap::new(),
            next_token: 0,
            image: MetadataImage::default(),
            applied: Offset(0),
            unsnapshotted: 0,
            controller: None,
            broker,
            local: VecDeque::new(),
            now,
            halted,
            departure: Departure::Staying,
            volume: None,
        };
        node.settle(now);
        node
    }

    /// What the node was started with.
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// The metadata that this node has applied.
    pub fn image(&self) -> &MetadataImage {
        &self.image
    }

    /// The next offset of the metadata log that this node will apply.
    pub fn metadata_offset(&self) -> Offset {
        self.applied
    }

    /// The leader of the metadata quorum, as far as this node knows: the active controller.
    pub fn active_controller(&self) -> Option<NodeId> {
        self.quorum.leader()
    }

    /// Whether this node's own controller is the active one and has taken office.
    pub fn is_active_controller(&self) -> bool {
        self.controller.is_some()
    }

    /// This node's part in the metadata quorum, and in which epoch. A broker that has no vote
    /// is shown as what it does: follow, or look for somebody to follow.
    pub fn quorum_role(&self) -> (QuorumRole, QuorumEpoch) {
        (self.quorum.role(), self.quorum.epoch())
    }

    /// The metadata quorum's member on this node, with its log.
    pub fn quorum(&self) -> &Quorum {
        &self.quorum
    }

    /// Where this node's broker is in its life.
    pub fn broker_status(&self) -> BrokerStatus {
        self.broker.as_ref().map_or(BrokerStatus::NotABroker, Broker::status)
    }

    /// This node's replica of a partition.
    pub fn replica(&self, partition: &TopicPartition) -> Option<ReplicaView> {
        self.broker.as_ref()?.replicas().get(partition).map(Replica::view)
    }

    /// Every replica on this node, in the order of topic and partition.
    pub fn replicas(&self) -> Vec<ReplicaView> {
        self.broker.as_ref().map(Broker::views).unwrap_or_default()
    }

    /// The log of this node's replica of a partition.
    pub fn log(&self, partition: &TopicPartition) -> Option<&topomotion_log::Log> {
        Some(self.broker.as_ref()?.replicas().get(partition)?.log())
    }

    /// How many requests of a connection that others have opened are yet to be answered:
    /// whoever has a socket reads no more of it meanwhile.
    pub fn backlog(&self, connection: ConnectionId) -> usize {
        self.inbound.backlog(connection)
    }

    /// Why the node has stopped for good, if it has: going on would break a promise.
    pub fn halted(&self) -> Option<&'static str> {
        self.halted
    }

    /// Lets the parts talk to one another until all of them are quiet.
    fn settle(&mut self, now: Instant) {
        while self.halted.is_none() && self.step(now) == Step::More {}
    }

    /// One exchange between two parts.
    fn step(&mut self, now: Instant) -> Step {
        if let Some(output) = self.quorum.poll() {
            self.take_quorum_output(now, output);
        } else if let Some(batch) = self.next_batch() {
            self.append_metadata(now, batch);
        } else if let Some((ticket, answer)) = self.effects.next_answer() {
            self.answer(ticket, answer);
        } else if let Some(ask) = self.effects.next_ask() {
            self.send(now, ask);
        } else if let Some(local) = self.local.pop_front() {
            self.take_local(now, local);
        } else if let Some(call) = self.inbound.next_call() {
            self.admit(now, call);
        } else {
            return self.rest(now);
        }
        Step::More
    }

    /// Nothing more has come in: the broker looks at what has changed, and says what is due.
    fn rest(&mut self, now: Instant) -> Step {
        let standing =
            standing(&self.config, &self.image, &self.quorum, self.applied, now);
        if let Some(broker) = &mut self.broker {
            broker.settle(standing.site, &mut self.effects);
            broker.pump(standing, &mut self.effects);
        }
        if self.departure == Departure::Asked && self.may_stop() {
            self.departure = Departure::Resigned;
            self.quorum.resign(now);
            return Step::More;
        }
        if self.effects.has_work() { Step::More } else { Step::Quiet }
    }

    /// Tells who is on a connection that somebody has opened: from now on only what they may do
    /// is done for them, if there is an authorizer. Whoever is never introduced may do
    /// everything.
    pub fn introduce(&mut self, connection: ConnectionId, guest: Guest) {
        if self.config.settings.authorizer.is_some() {
            self.gate.introduce(connection, guest);
        }
    }

    /// Tells how large the file system is that its files lie on: what DescribeLogDirs answers
    /// from now on.
    pub fn note_volume(&mut self, volume: Option<Volume>) {
        self.volume = volume;
    }

    /// Lets a request in whose turn has come, or what of it may come in.
    fn admit(&mut self, now: Instant, call: Call) {
        let Some(super_users) = &self.config.settings.authorizer else {
            self.rights.note(&call);
            return self.dispatch(now, call);
        };
        match self.gate.admit(&self.image, super_users, call) {
            Ok(call) => {
                self.rights.note(&call);
                self.dispatch(now, call);
            }
            Err((ticket, answer)) => self.deliver(ticket, answer),
        }
    }

    fn answer(&mut self, ticket: Ticket, answer: Answer) {
        let mut answer = answer;
        self.topic_ids.restore(&self.image, ticket, &mut answer);
        let authorizer = self.config.settings.authorizer.as_deref();
        let guest = authorizer.zip(self.gate.guest(ticket));
        let holder = Holder { image: &self.image, guest };
        self.rights.tell(ticket, holder, &mut answer);
        let Some(super_users) = authorizer else {
            return self.deliver(ticket, answer);
        };
        let answer = self.gate.amend(&self.image, super_users, ticket, answer);
        self.deliver(ticket, answer);
    }

    fn deliver(&mut self, ticket: Ticket, answer: Answer) {
        match (ticket, answer) {
            (Ticket::Remote { connection, serial }, answer) => {
                self.inbound.answer(connection, serial, answer, &mut self.effects);
            }
            (
                Ticket::Local(asked),
                Answer::Reply(body) | Answer::ReplyInVersion0(body),
            ) => {
                self.local.push_back(Local::Answer(asked, body));
            }
            (Ticket::Local(asked), Answer::Silence | Answer::Close) => {
                self.local.push_back(Local::Failure(asked));
            }
        }
    }

    fn send(&mut self, now: Instant, ask: Ask) {
        if ask.to == self.config.id {
            let correlation = topomotion_wire::CorrelationId(0);
            let (version, body) = (ask.version, ask.body);
            let client = std::sync::Arc::default();
            let request = Box::new(Request { correlation, version, client, body });
            let ticket = Ticket::Local(ask.asked);
            self.local.push_back(Local::Call(Call { ticket, request }));
        } else if let Some(endpoint) = self.endpoint_of(ask.to) {
            self.peers.ask(now, ask, &endpoint, &mut self.effects);
        } else {
            self.local.push_back(Local::Failure(ask.asked));
        }
    }

    /// Asks the node to stop as it should: its broker gives its leaderships away first
    /// (CTL-11), and a quorum leader names a successor (RAFT-8). When
    /// [`Node::may_stop`] says so, the process may end; until then it goes on serving.
    pub fn begin_shutdown(&mut self, now: Instant) {
        self.advance(now);
        if self.halted.is_some() {
            return;
        }
        self.departure = Departure::Asked;
        if let Some(broker) = &mut self.broker {
            broker.begin_shutdown(now);
        }
        self.settle(now);
    }

    /// Whether nobody needs this node any more after [`Node::begin_shutdown`]. A controller
    /// without a broker may stop at once.
    pub fn may_stop(&self) -> bool {
        match self.broker_status() {
            BrokerStatus::NotABroker => true,
            status => matches!(status, BrokerStatus::Stopped(_)),
        }
    }

    /// Voters are known from the start or by the log, brokers by their registration.
    fn endpoint_of(&self, node: NodeId) -> Option<Endpoint> {
        if let Some(endpoint) = self.quorum.endpoint(node) {
            return Some(endpoint.clone());
        }
        let voter = self.config.voters.iter().find(|(id, _)| *id == node);
        let voter = voter.map(|(_, endpoint)| endpoint.clone());
        voter.or_else(|| self.image.broker(node).map(|broker| broker.endpoint.clone()))
    }

    fn take_local(&mut self, now: Instant, local: Local) {
        match local {
            Local::Call(call) => self.dispatch(now, call),
            Local::Answer(asked, body) => self.answered(now, asked, *body),
            Local::Failure(asked) => self.failed(now, asked),
        }
    }

    fn answered(&mut self, now: Instant, asked: Asked, body: ResponseKind) {
        if let Asked::Quorum { to } = asked {
            self.quorum.handle_response(now, to, &body);
            return;
        }
        let standing =
            standing(&self.config, &self.image, &self.quorum, self.applied, now);
        if let Some(broker) = &mut self.broker {
            broker.answered(standing, asked, body, &mut self.effects);
        }
    }

    fn failed(&mut self, now: Instant, asked: Asked) {
        if let Asked::Quorum { to } = asked {
            self.quorum.handle_unreachable(now, to);
            return;
        }
        let standing =
            standing(&self.config, &self.image, &self.quorum, self.applied, now);
        if let Some(broker) = &mut self.broker {
            broker.failed(standing, asked, &mut self.effects);
        }
    }

    fn receive(&mut self, now: Instant, connection: ConnectionId, message: Message) {
        match connection {
            ConnectionId::Accepted(_) => {
                if self.inbound.receive(connection, message) == Err(Refused) {
                    self.inbound.close(connection, &mut self.effects);
                }
            }
            ConnectionId::Dialled(_) => match self.peers.received(connection, message) {
                Ok(Some((asked, body))) => self.answered(now, asked, body),
                Ok(None) => {}
                Err(Unexpected) => {
                    let failed = self.peers.close(now, connection, &mut self.effects);
                    failed.into_iter().for_each(|asked| self.failed(now, asked));
                }
            },
        }
    }

    fn closed(&mut self, now: Instant, connection: ConnectionId) {
        match connection {
            ConnectionId::Accepted(_) => self.hung_up(now, connection),
            ConnectionId::Dialled(_) => {
                let failed = self.peers.closed(now, connection);
                failed.into_iter().for_each(|asked| self.failed(now, asked));
            }
        }
    }

    /// Whoever dialled is gone: nobody waits for an answer any more.
    fn hung_up(&mut self, now: Instant, connection: ConnectionId) {
        self.inbound.closed(connection);
        self.gate.closed(connection);
        self.rights.closed(connection);
        self.topic_ids.closed(connection);
        let standing =
            standing(&self.config, &self.image, &self.quorum, self.applied, now);
        if let Some(broker) = &mut self.broker {
            broker.hung_up(standing.site, connection, &mut self.effects);
        }
    }

    /// A flush of the broker's own has come back.
    fn flushed(&mut self, now: Instant, token: FlushToken) {
        let standing =
            standing(&self.config, &self.image, &self.quorum, self.applied, now);
        if let Some(broker) = &mut self.broker {
            broker.flushed(standing.site, token, &mut self.effects);
        }
    }

    fn advance(&mut self, now: Instant) {
        assert!(now >= self.now, "time never goes back");
        self.now = now;
    }
}

/// Whether another exchange may follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    More,
    Quiet,
}

/// Where the broker of a node stands at the moment.
fn standing<'a>(
    config: &'a NodeConfig,
    image: &'a MetadataImage,
    quorum: &Quorum,
    applied: Offset,
    now: Instant,
) -> Standing<'a> {
    let site = Site {
        me: config.id,
        now,
        settings: &config.settings,
        image,
        wall_clock_base_ms: config.wall_clock_base_ms,
    };
    Standing { site, config, controller: quorum.leader(), applied }
}

impl Machine for Node {
    fn handle(&mut self, now: Instant, input: Input) {
        self.advance(now);
        if self.halted.is_some() {
            return;
        }
        match input {
            Input::Opened { connection } => {
                self.peers.opened(connection, &mut self.effects);
            }
            Input::Accepted { connection } => self.inbound.accept(connection),
            Input::Closed { connection } => self.closed(now, connection),
            Input::Received { connection, message } => {
                self.receive(now, connection, message);
            }
            Input::Flushed { token } if Quorum::owns(token) => {
                self.quorum.handle_flushed(now, token);
            }
            Input::Flushed { token } => self.flushed(now, token),
        }
        self.settle(now);
    }

    fn tick(&mut self, now: Instant) {
        self.advance(now);
        if self.halted.is_some() {
            return;
        }
        let failed = self.peers.tick(now, &mut self.effects);
        failed.into_iter().for_each(|asked| self.failed(now, asked));
        self.quorum.tick(now);
        if let Some(controller) = &mut self.controller {
            controller.tick(now, &mut self.effects);
        }
        let standing =
            standing(&self.config, &self.image, &self.quorum, self.applied, now);
        if let Some(broker) = &mut self.broker {
            broker.tick(standing.site, &mut self.effects);
        }
        self.settle(now);
    }

    fn poll(&mut self) -> Option<Output> {
        self.effects.next_output()
    }

    fn deadline(&self) -> Option<Instant> {
        if self.halted.is_some() {
            return None;
        }
        let standing =
            standing(&self.config, &self.image, &self.quorum, self.applied, self.now);
        [
            self.quorum.deadline(),
            self.peers.deadline(),
            self.controller.as_ref().and_then(ActiveController::deadline),
            self.broker.as_ref().and_then(|broker| broker.deadline(standing)),
        ]
        .into_iter()
        .flatten()
        .min()
    }
}
