//! All nodes, and the one place where they are driven: what happens to one of them goes in,
//! what it wants done is done, until all of them are quiet.
//!
//! Nodes reach one another without a socket: a message is handed over as it is. Order holds per
//! connection, as on TCP.

mod faults;

use std::collections::VecDeque;
use std::rc::Rc;

use topomotion_broker::acl::Guest;
use topomotion_broker::metadata::MetadataImage;
use topomotion_broker::{BrokerStatus, Roles, frames};
use topomotion_log::DiskError;
use topomotion_wire::messages::RequestKind;
use topomotion_wire::{
    ConnectionId, DiskOp, Endpoint, Input, Instant, Machine, Message, Output,
};

use crate::clock::Clock;
use crate::config::Durability;
use crate::error::HostError;
use crate::flusher::{Job, Purpose};
use crate::member::{End, Life, Member};
use crate::outbox::Outbox;
use crate::registry::Lodger;
use crate::store::Stored;
use crate::watch::{Parcel, Watch, Watcher};
pub use faults::Hurt;
pub(crate) use faults::Standing;
use faults::Withheld;

/// A connection that is not read before its node has answered: member, name, and whom to tell.
type Deaf = (usize, ConnectionId, Rc<Outbox>);

/// Something that has happened to a member.
#[derive(Debug)]
pub(crate) struct News {
    member: usize,
    input: Input,
    /// The message that it is, as the watcher numbers it.
    parcel: Option<Parcel>,
}

/// How many requests of one connection may be with its node. Kafka reads the next one when the
/// former is answered; one more is read ahead, so that the node need not wait for it.
const BACKLOG_MAX: usize = 2;

/// All nodes of the process.
#[derive(Debug)]
pub(crate) struct Cluster {
    clock: Clock,
    durability: Durability,
    members: Vec<Member>,
    /// What has happened and was not told yet.
    inbox: VecDeque<News>,
    /// What cannot pass, while somebody is cut off.
    withheld: Withheld,
    deaf: Vec<Deaf>,
    jobs: Vec<Job>,
    watcher: Option<Watcher>,
    failure: Option<HostError>,
    /// What is cut off while logs are read at the start was damaged.
    mending: Option<Vec<String>>,
}

impl Cluster {
    pub(crate) fn new(
        clock: Clock,
        durability: Durability,
        members: Vec<Member>,
        watch: Option<Box<dyn Watch>>,
    ) -> Cluster {
        let ids = members.iter().map(Member::id);
        let watcher = watch.map(|watch| Watcher::new(watch, ids));
        let mut cluster = Cluster {
            clock,
            durability,
            members,
            inbox: VecDeque::new(),
            withheld: VecDeque::new(),
            deaf: Vec::new(),
            jobs: Vec::new(),
            watcher,
            failure: None,
            mending: Some(Vec::new()),
        };
        for member in 0..cluster.members.len() {
            cluster.drain(member, None);
        }
        cluster.run();
        cluster
    }

    /// A client has connected to a node.
    pub(crate) fn accept(&mut self, member: usize, client: Rc<Outbox>) -> ConnectionId {
        let connection = self.members[member].accept(End::Client(client));
        if let Some(watcher) = &mut self.watcher {
            watcher.accepted((member, connection));
        }
        self.give(member, Input::Accepted { connection });
        connection
    }

    /// A client within the process connects to whoever listens there. None: nobody does.
    pub(crate) fn dial_in(
        &mut self,
        guest: &Rc<Lodger>,
        connection: ConnectionId,
        to: &Endpoint,
    ) -> Option<(usize, ConnectionId)> {
        let mut members = self.members.iter();
        let member = members.position(|it| it.node.config().endpoint == *to)?;
        if self.members[member].life == Life::Crashed {
            return None;
        }
        let end = End::Guest { guest: guest.clone(), connection };
        let there = self.members[member].accept(end);
        if let Some(watcher) = &mut self.watcher {
            watcher.accepted((member, there));
        }
        self.give(member, Input::Accepted { connection: there });
        Some((member, there))
    }

    /// Something has happened to a node.
    pub(crate) fn give(&mut self, member: usize, input: Input) {
        let mut parcel = None;
        if let Some(watcher) = &mut self.watcher
            && let Input::Received { connection, message } = &input
        {
            parcel = watcher.heard(self.clock.now(), (member, *connection), message);
        }
        self.inbox.push_back(News { member, input, parcel });
        self.run();
    }

    /// Who is on a client's connection is known.
    pub(crate) fn introduce(
        &mut self,
        member: usize,
        connection: ConnectionId,
        guest: Guest,
    ) {
        self.members[member].node.introduce(connection, guest);
    }

    /// A client says what no node hears: the watcher does.
    pub(crate) fn overhear(
        &mut self,
        member: usize,
        connection: ConnectionId,
        message: &Message,
    ) -> Option<Parcel> {
        let watcher = self.watcher.as_mut()?;
        watcher.heard(self.clock.now(), (member, connection), message)
    }

    /// Answers in a node's place, behind everything that the node has said itself.
    pub(crate) fn answer(
        &mut self,
        member: usize,
        connection: ConnectionId,
        message: Message,
        cause: Option<Parcel>,
    ) {
        self.send(member, connection, message, cause);
        self.hold_back(member);
    }

    /// Puts something on its way to a member.
    fn post(&mut self, member: usize, input: Input) {
        self.inbox.push_back(News { member, input, parcel: None });
    }

    /// A client is gone.
    pub(crate) fn hang_up(&mut self, member: usize, connection: ConnectionId) {
        if self.members[member].ends.remove(&connection).is_some() {
            self.give(member, Input::Closed { connection });
        }
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self) {
        for member in 0..self.members.len() {
            let now = self.clock.now();
            let own = &mut self.members[member];
            if own.life != Life::Up {
                continue;
            }
            let node = &mut own.node;
            if node.deadline().is_some_and(|due| due <= now) && self.failure.is_none() {
                node.tick(now);
                self.drain(member, None);
            }
        }
        self.run();
    }

    /// When [`Cluster::tick`] wants to be called.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let up = self.members.iter().filter(|member| member.life == Life::Up);
        up.filter_map(|member| member.node.deadline()).min()
    }

    /// Whether the next request of a connection has to wait; then its reader is told when it
    /// need not any more.
    pub(crate) fn must_wait(
        &mut self,
        member: usize,
        connection: ConnectionId,
        reader: &Rc<Outbox>,
    ) -> bool {
        let waits = self.is_deaf(member, connection);
        let is_noted = |it: &Deaf| (it.0, it.1) == (member, connection);
        if waits && !self.deaf.iter().any(is_noted) {
            self.deaf.push((member, connection, reader.clone()));
        }
        waits
    }

    fn is_deaf(&self, member: usize, connection: ConnectionId) -> bool {
        let own = &self.members[member];
        own.life == Life::Paused || own.node.backlog(connection) >= BACKLOG_MAX
    }

    /// Flushes to be made, and then handed to [`Cluster::flushed`].
    pub(crate) fn take_jobs(&mut self) -> Vec<Job> {
        std::mem::take(&mut self.jobs)
    }

    pub(crate) fn has_jobs(&self) -> bool {
        !self.jobs.is_empty()
    }

    /// A flush is through, or has failed.
    pub(crate) fn flushed(
        &mut self,
        (member, life): (usize, u32),
        purpose: Purpose,
        outcome: Result<(), DiskError>,
    ) {
        if self.members[member].lives != life {
            return;
        }
        match (outcome, purpose) {
            (Err(error), _) => self.disk_failed(member, error),
            (Ok(()), Purpose::Tell(token)) => self.give(member, Input::Flushed { token }),
            (Ok(()), Purpose::Release) => {
                let held = &mut self.members[member].held;
                for _ in 0..held.freed.take().unwrap_or(0) {
                    let held = &mut self.members[member].held;
                    let Some((connection, message)) = held.messages.pop_front() else {
                        break;
                    };
                    self.deliver(member, connection, message, None);
                }
                self.hold_back(member);
                self.run();
            }
        }
    }

    /// Every broker serves, and each knows that all of them do.
    pub(crate) fn is_ready(&self) -> bool {
        let all = self.members.len();
        self.members.iter().all(|member| {
            matches!(member.node.broker_status(), BrokerStatus::Running(_))
                && member.node.image().active_brokers().count() == all
        })
    }

    /// Tells the watcher that what clients do begins.
    pub(crate) fn tell_ready(&mut self) {
        if let Some(watcher) = &mut self.watcher {
            watcher.ready(self.clock.now());
        }
    }

    /// What happens from now on is nobody's business.
    pub(crate) fn stop_watching(&mut self) {
        self.watcher = None;
    }

    /// All nodes shall stop as they should.
    pub(crate) fn begin_shutdown(&mut self) {
        for member in 0..self.members.len() {
            match self.members[member].life {
                Life::Up => {}
                Life::Paused => self.resume(member),
                Life::Crashed => continue,
            }
            let now = self.clock.now();
            self.members[member].node.begin_shutdown(now);
            self.drain(member, None);
        }
        self.run();
    }

    /// Whether all of them have.
    pub(crate) fn may_stop(&self) -> bool {
        let is_over = |it: &Member| it.life == Life::Crashed || it.node.may_stop();
        self.members.iter().all(is_over)
    }

    /// Whether a client waits for an answer.
    pub(crate) fn owes(&self, member: usize, connection: ConnectionId) -> bool {
        let own = &self.members[member];
        let mut held = own.held.messages.iter();
        own.node.backlog(connection) > 0 || held.any(|(it, _)| *it == connection)
    }

    /// Whether somebody is there to take connections.
    pub(crate) fn is_alive(&self, member: usize) -> bool {
        self.members[member].life != Life::Crashed
    }

    /// The id of a member's broker.
    pub(crate) fn broker(&self, member: usize) -> i32 {
        self.members[member].id()
    }

    /// The metadata that a member has applied.
    pub(crate) fn image(&self, member: usize) -> &MetadataImage {
        self.members[member].node.image()
    }

    /// What a member does.
    pub(crate) fn roles(&self, member: usize) -> Roles {
        self.members[member].node.config().roles
    }

    /// Why the cluster cannot go on, if so.
    pub(crate) fn take_failure(&mut self) -> Option<HostError> {
        self.failure.take()
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Lets everything happen that follows from what has happened.
    fn run(&mut self) {
        while let Some(News { member, input, parcel }) = self.inbox.pop_front() {
            if self.failure.is_some() {
                self.inbox.clear();
                return;
            }
            let own = &mut self.members[member];
            match own.life {
                Life::Up => {}
                Life::Paused => {
                    own.asleep.push_back(News { member, input, parcel });
                    continue;
                }
                Life::Crashed => continue,
            }
            if asks_for_space(&input) {
                own.node.note_volume(own.disk.volume());
            }
            own.node.handle(self.clock.now(), input);
            self.drain(member, parcel);
        }
        if !self.deaf.is_empty() {
            self.listen_again();
        }
    }

    fn listen_again(&mut self) {
        let deaf = std::mem::take(&mut self.deaf);
        for (member, connection, reader) in deaf {
            if self.is_deaf(member, connection) {
                self.deaf.push((member, connection, reader));
            } else {
                reader.heard.notify_one();
            }
        }
    }

    /// Does what a node wants.
    fn drain(&mut self, member: usize, cause: Option<Parcel>) {
        while let Some(output) = self.members[member].node.poll() {
            match output {
                Output::Open { connection, to } => self.dial(member, connection, &to),
                Output::Send { connection, message } => {
                    self.send(member, connection, message, cause);
                }
                Output::Close { connection } => self.close(member, connection),
                Output::Disk(op) => self.write(member, op),
                Output::Mark { rule, partition } => {
                    if let Some(watcher) = &mut self.watcher {
                        watcher.mark(self.clock.now(), member, rule, partition);
                    }
                }
                Output::Fact(fact) => {
                    if let Some(watcher) = &mut self.watcher {
                        watcher.fact(self.clock.now(), member, fact);
                    }
                }
            }
        }
        self.hold_back(member);
        if let Some(why) = self.members[member].node.halted() {
            let broker = self.members[member].id();
            self.failure.get_or_insert(HostError::Halted { broker, why });
        }
    }

    fn dial(&mut self, member: usize, connection: ConnectionId, to: &Endpoint) {
        let mut members = self.members.iter();
        let Some(target) = members.position(|it| it.node.config().endpoint == *to) else {
            return self.post(member, Input::Closed { connection });
        };
        if self.are_apart(member, target) {
            // Whoever dials gives up by himself.
            return;
        }
        if self.members[target].life == Life::Crashed {
            return self.post(member, Input::Closed { connection });
        }
        let there = self.members[target].accept(End::Peer { member, connection });
        let end = End::Peer { member: target, connection: there };
        self.members[member].ends.insert(connection, end);
        if let Some(watcher) = &mut self.watcher {
            watcher.joined([(member, connection), (target, there)]);
        }
        self.post(target, Input::Accepted { connection: there });
        self.post(member, Input::Opened { connection });
    }

    fn send(
        &mut self,
        member: usize,
        connection: ConnectionId,
        message: Message,
        cause: Option<Parcel>,
    ) {
        let own = &mut self.members[member];
        let must_wait = self.durability == Durability::Platter
            && (!own.disk.is_flushed() || !own.held.messages.is_empty());
        if must_wait {
            own.held.messages.push_back((connection, message));
        } else {
            self.deliver(member, connection, message, cause);
        }
    }

    /// Flushes what was written, if somebody waits for it and no flush is under way.
    fn hold_back(&mut self, member: usize) {
        let own = &mut self.members[member];
        if own.held.messages.is_empty() || own.held.freed.is_some() {
            return;
        }
        let life = own.lives;
        match own.disk.take_unflushed() {
            Ok(flush) => {
                own.held.freed = Some(own.held.messages.len());
                self.jobs.push(Job { member, life, flush, purpose: Purpose::Release });
            }
            Err(error) => self.disk_failed(member, error),
        }
    }

    fn deliver(
        &mut self,
        member: usize,
        connection: ConnectionId,
        message: Message,
        cause: Option<Parcel>,
    ) {
        let mut parcel = None;
        if let Some(watcher) = &mut self.watcher {
            let now = self.clock.now();
            parcel = watcher.said(now, (member, connection), &message, cause);
            parcel.into_iter().for_each(|parcel| watcher.arrived(now, parcel));
        }
        match self.members[member].ends.get(&connection) {
            None => {}
            Some(&End::Peer { member: to, connection }) => {
                let input = Input::Received { connection, message };
                self.pass_news(member, News { member: to, input, parcel });
            }
            Some(End::Guest { guest, connection }) => {
                let connection = *connection;
                guest.tell(Input::Received { connection, message });
            }
            Some(End::Client(client)) => {
                let Message::Response(response) = message else { return };
                match frames::write_pieces(&response) {
                    Some(frame) => client.send(frame),
                    // It cannot be said in the version that was asked in.
                    None => self.close(member, connection),
                }
            }
        }
    }

    fn close(&mut self, member: usize, connection: ConnectionId) {
        if let Some(watcher) = &mut self.watcher {
            watcher.parted((member, connection));
        }
        match self.members[member].ends.remove(&connection) {
            None => {}
            Some(End::Peer { member: peer, connection }) => {
                self.members[peer].ends.remove(&connection);
                self.pass(member, peer, Input::Closed { connection });
            }
            Some(End::Client(client)) => client.close(),
            Some(End::Guest { guest, connection }) => {
                guest.tell(Input::Closed { connection });
            }
        }
    }

    /// What was found damaged at the start, and is gone: for whoever looks after the process.
    pub(crate) fn take_mended(&mut self) -> Vec<String> {
        self.mending.take().unwrap_or_default()
    }

    fn write(&mut self, member: usize, op: DiskOp) {
        let own = &mut self.members[member];
        if let (Some(told), Some(log)) = (&mut self.mending, damaged_log(&op)) {
            told.push(format!("broker {}: {log}", own.id()));
        }
        let life = own.lives;
        match own.disk.apply(op) {
            Ok(Stored::Done) => {}
            Ok(Stored::Flushed(token)) => self.post(member, Input::Flushed { token }),
            Ok(Stored::Flush(flush, token)) => {
                let purpose = Purpose::Tell(token);
                self.jobs.push(Job { member, life, flush, purpose });
            }
            Err(error) => self.disk_failed(member, error),
        }
    }

    fn disk_failed(&mut self, member: usize, error: DiskError) {
        let broker = self.members[member].id();
        self.failure.get_or_insert(HostError::Disk { broker, error });
    }
}

/// What a log lost that is cut while it is read.
fn damaged_log(op: &DiskOp) -> Option<String> {
    let DiskOp::Truncate { file, len } = op else { return None };
    let is_log = file.ends_with(".log");
    is_log.then(|| format!("{file} is damaged behind byte {len}; it was cut there"))
}

/// Whether the answer tells how full the disk is.
fn asks_for_space(input: &Input) -> bool {
    matches!(input, Input::Received { message: Message::Request(it), .. }
        if matches!(it.body, RequestKind::DescribeLogDirs(_)))
}
