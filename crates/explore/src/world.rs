//! One state: every machine, what is on its way between them, and the disks.
//!
//! Copies share what has not changed since. Nothing happens by itself: the search chooses.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use topomotion_broker::Node;
use topomotion_wire::{
    ConnectionId, Duration, Endpoint, Input, Instant, Message, Output, Random,
};
use uuid::Uuid;

use crate::choice::registered;
use crate::digest::{Names, Wide};
use crate::history::History;
use crate::host::{Body, Host, HostId};
use crate::link::{Link, LinkId, Parcel, Side};
use crate::routine::is_routine;
use crate::scope::Learning;
use crate::setup::partition;

/// Timers go off at whole multiples of this, late rather than early: pauses that differ by
/// less, and by what is drawn to make them differ, end together, in every order.
pub(crate) const BEAT: Duration = Duration::from_millis(500);

/// More routine than this in one moment means that it goes on for ever.
const ROUTINE_MAX: usize = 10_000;

/// Everything that decides what can happen next.
#[derive(Debug, Clone)]
pub(crate) struct World {
    pub now: Instant,
    pub hosts: Vec<Rc<Host>>,
    pub links: BTreeMap<LinkId, Rc<Link>>,
    /// Pairs that cannot reach each other, the smaller first.
    pub cuts: BTreeSet<(HostId, HostId)>,
    pub history: Rc<History>,
    /// Faults that may still happen.
    pub faults_left: u8,
    /// Records that were handed to the producer.
    pub sent: u8,
    pub learning: Learning,
    /// Whether the last choice did anything that somebody may see.
    pub has_effect: bool,
}

/// What a machine is given.
#[derive(Debug)]
enum Turn {
    Input(Input),
    Tick,
    Nothing,
}

impl World {
    pub fn new() -> World {
        World {
            now: Instant::ZERO,
            hosts: Vec::new(),
            links: BTreeMap::new(),
            cuts: BTreeSet::new(),
            history: Rc::default(),
            faults_left: 0,
            sent: 0,
            learning: Learning::AnyOrder,
            has_effect: false,
        }
    }

    pub fn add(&mut self, host: Host) -> HostId {
        self.hosts.push(Rc::new(host));
        HostId(self.hosts.len() - 1)
    }

    pub fn host(&self, host: HostId) -> &Host {
        &self.hosts[host.0]
    }

    fn host_mut(&mut self, host: HostId) -> &mut Host {
        let host = Rc::make_mut(&mut self.hosts[host.0]);
        host.shape = RefCell::default();
        host
    }

    /// Every host by its place.
    pub fn host_ids(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..self.hosts.len()).map(HostId)
    }

    /// Switches a node on, with what is on its disk.
    pub fn start_node(&mut self, host: HostId) {
        let now = self.now;
        let slot = self.host_mut(host);
        let Some(config) = &slot.config else { return };
        slot.starts += 1;
        let mut config = (**config).clone();
        let life = (config.id.0 as u128) << 32 | u128::from(slot.starts);
        config.incarnation = topomotion_wire::Incarnation(Uuid::from_u128(life));
        let random = Random::new(1, (host.0 as u64) << 16 | u64::from(slot.starts));
        let node = Node::start(config, slot.disk.files(), now, random);
        slot.body = Some(Body::Node(Box::new(node)));
        self.act(host, Turn::Nothing);
    }

    /// Switches a client on.
    pub fn start_client(&mut self, host: HostId, body: Body) {
        let slot = self.host_mut(host);
        slot.starts += 1;
        slot.body = Some(body);
        self.act(host, Turn::Nothing);
    }

    /// Hands a command to a machine that is on.
    pub fn command(&mut self, host: HostId, command: impl FnOnce(&mut Body, Instant)) {
        let now = self.now;
        if let Some(body) = &mut self.host_mut(host).body {
            command(body, now);
        }
        self.act(host, Turn::Nothing);
    }

    /// Lets time pass until a machine's deadline, and wakes it.
    pub fn ring(&mut self, host: HostId) {
        let due = self.host(host).body.as_ref().and_then(Body::deadline);
        self.now = self.now.max(beat_from(due.unwrap_or_default()));
        self.act(host, Turn::Tick);
    }

    /// The next thing arrives at one end of a link.
    pub fn deliver(&mut self, link: LinkId, side: Side) {
        let Some(found) = self.links.get_mut(&link) else { return };
        let found = Rc::make_mut(found);
        let end = found.end_mut(side);
        let (host, connection) = (end.host, end.connection);
        let Some(parcel) = end.inbound.pop_front() else { return };
        let input = match parcel {
            Parcel::Data(data) => {
                let message =
                    Rc::try_unwrap(data).map_or_else(|it| it.0.clone(), |it| it.0);
                Input::Received { connection, message }
            }
            Parcel::Goodbye => {
                end.is_open = false;
                end.inbound.clear();
                self.host_mut(host).connections.remove(&connection);
                Input::Closed { connection }
            }
        };
        self.sweep(link);
        self.act(host, Turn::Input(input));
    }

    /// Kills a process: what it has sent still arrives.
    pub fn crash(&mut self, host: HostId) {
        let slot = self.host_mut(host);
        slot.body = None;
        let connections = std::mem::take(&mut slot.connections);
        for (link, side) in connections.into_values() {
            self.leave(link, side);
        }
    }

    /// Kills a process by taking its power: its partition's log, which nobody flushes, is gone.
    pub fn lose_power(&mut self, host: HostId) {
        let registered = registered(self, host);
        if let Some(id) = self.host(host).id() {
            Rc::make_mut(&mut self.history).unsound.insert(id, registered);
        }
        self.crash(host);
        let disk = &mut self.host_mut(host).disk;
        disk.lose(&partition().to_string());
        disk.read_again();
    }

    /// Breaks a connection. Both ends hear of it, each in its own time.
    pub fn reset(&mut self, link: LinkId) {
        let Some(found) = self.links.get_mut(&link) else { return };
        let found = Rc::make_mut(found);
        for side in Side::BOTH {
            let end = found.end_mut(side);
            end.inbound.clear();
            if end.is_open {
                end.inbound.push_back(Parcel::Goodbye);
            }
        }
    }

    /// Two hosts cannot reach each other any more.
    pub fn cut(&mut self, a: HostId, b: HostId) {
        self.cuts.insert((a.min(b), a.max(b)));
        let hit = self.links.iter().filter(|(_, link)| link.joins(a, b));
        let hit: Vec<LinkId> = hit.map(|(id, _)| *id).collect();
        hit.into_iter().for_each(|link| self.reset(link));
    }

    /// One end has closed a link; the other hears of it behind what was sent before.
    fn leave(&mut self, link: LinkId, side: Side) {
        let Some(found) = self.links.get_mut(&link) else { return };
        let found = Rc::make_mut(found);
        let end = found.end_mut(side);
        end.is_open = false;
        end.inbound.clear();
        let other = found.end_mut(side.other());
        if other.is_open {
            other.inbound.push_back(Parcel::Goodbye);
        }
        self.sweep(link);
    }

    fn sweep(&mut self, link: LinkId) {
        if self.links.get(&link).is_some_and(|link| link.is_gone()) {
            self.links.remove(&link);
        }
    }

    /// Gives a machine its turn, and everybody who is concerned at once.
    fn act(&mut self, host: HostId, turn: Turn) {
        let mut work = VecDeque::from([(host, turn)]);
        while let Some((host, turn)) = work.pop_front() {
            let now = self.now;
            let Some(body) = &mut self.host_mut(host).body else { continue };
            match turn {
                Turn::Input(input) => body.handle(now, input),
                Turn::Tick => body.tick(now),
                Turn::Nothing => {}
            }
            while let Some(output) =
                self.host_mut(host).body.as_mut().and_then(Body::poll)
            {
                self.perform(host, output, &mut work);
            }
            self.host_mut(host).disk.read_again();
        }
        self.look_around();
    }

    fn perform(
        &mut self,
        host: HostId,
        output: Output,
        work: &mut VecDeque<(HostId, Turn)>,
    ) {
        match output {
            Output::Open { connection, to } => {
                self.has_effect = true;
                self.dial(host, connection, &to, work);
            }
            Output::Send { connection, message } => self.send(host, connection, message),
            Output::Close { connection } => {
                self.has_effect = true;
                let known = self.host_mut(host).connections.remove(&connection);
                if let Some((link, side)) = known {
                    self.leave(link, side);
                }
            }
            Output::Disk(op) => {
                self.has_effect = true;
                if let Some(token) = self.host_mut(host).disk.apply(op) {
                    work.push_back((host, Turn::Input(Input::Flushed { token })));
                }
            }
            Output::Mark { .. } => {}
            Output::Fact(fact) => {
                self.has_effect = true;
                let node = self.host(host).id();
                Rc::make_mut(&mut self.history).note(node, &fact);
            }
        }
    }

    /// A dial succeeds or fails at once.
    fn dial(
        &mut self,
        host: HostId,
        connection: ConnectionId,
        to: &Endpoint,
        work: &mut VecDeque<(HostId, Turn)>,
    ) {
        let mut targets = self.host_ids().filter(|id| *self.host(*id).name == *to.host);
        let target = targets.next().filter(|target| {
            let pair = (host.min(*target), host.max(*target));
            self.host(*target).body.is_some() && !self.cuts.contains(&pair)
        });
        let (Some(target), ConnectionId::Dialled(number)) = (target, connection) else {
            return work.push_back((host, Turn::Input(Input::Closed { connection })));
        };
        let link = LinkId::new(host, self.host(host).starts, number);
        let accepted = link.accepted();
        let ends = Link::new((host, connection), (target, accepted));
        self.links.insert(link, Rc::new(ends));
        self.host_mut(host).connections.insert(connection, (link, Side::Dialler));
        self.host_mut(target).connections.insert(accepted, (link, Side::Acceptor));
        let input = Input::Accepted { connection: accepted };
        work.push_back((target, Turn::Input(input)));
        work.push_back((host, Turn::Input(Input::Opened { connection })));
    }

    fn send(&mut self, host: HostId, connection: ConnectionId, message: Message) {
        let known = self.host(host).connections.get(&connection);
        let Some(&(link, side)) = known else { return };
        let Some(link) = self.links.get_mut(&link) else { return };
        Rc::make_mut(link).post(side.other(), message);
    }

    /// Notes every registration of the partition that somebody has applied.
    fn look_around(&mut self) {
        for host in &self.hosts {
            let Some(node) = host.node() else { continue };
            for (_, state) in node.image().partitions() {
                let epoch = state.partition_epoch.0;
                if !self.history.registrations.contains_key(&epoch) {
                    let history = Rc::make_mut(&mut self.history);
                    history.registrations.insert(epoch, state.clone());
                }
            }
        }
    }

    /// Delivers what tells nobody anything.
    pub fn settle(&mut self) {
        for _ in 0..ROUTINE_MAX {
            let Some((link, side)) = self.next_routine() else { return };
            self.deliver(link, side);
        }
        panic!("routine must come to rest");
    }

    fn next_routine(&self) -> Option<(LinkId, Side)> {
        self.heads().find(|(link, side)| {
            let end = self.links[link].end(*side);
            let Some(Parcel::Data(data)) = end.inbound.front() else { return false };
            self.host(end.host)
                .node()
                .is_some_and(|node| is_routine(node, &data.0, self.learning))
        })
    }

    /// Every end of a link that something is on its way to.
    pub fn heads(&self) -> impl Iterator<Item = (LinkId, Side)> + '_ {
        self.links.iter().flat_map(|(id, link)| {
            let waits = move |side: &Side| !link.end(*side).inbound.is_empty();
            Side::BOTH.into_iter().filter(waits).map(move |side| (*id, side))
        })
    }

    /// When the next timer goes off, and whose they are.
    pub fn next_timers(&self) -> Option<(Instant, Vec<HostId>)> {
        let due = |host: &HostId| self.host(*host).body.as_ref().and_then(Body::deadline);
        let first = self.host_ids().filter_map(|host| due(&host)).min()?;
        let first = beat_from(first).max(self.now);
        let hosts = self.host_ids();
        let hosts = hosts.filter(|host| due(host).is_some_and(|due| due <= first));
        Some((first, hosts.collect()))
    }

    /// Everything as one number, equal for states that can go on alike. What happened longer
    /// ago than `oldest`, in microseconds, has no effect any more.
    pub fn digest(&self, oldest: u64) -> u128 {
        let names = self.names();
        let mut all = Wide::default();
        all.word(u64::from(self.faults_left) << 8 | u64::from(self.sent));
        for (host, names) in self.hosts.iter().zip(&names) {
            all.word(host.disk.digest());
            all.word(u64::from(host.starts));
            host.add_machine_to(&mut all, self.now, oldest, names);
        }
        for link in self.links.values() {
            for side in Side::BOTH {
                let end = link.end(side);
                all.word((end.host.0 as u64) << 1 | u64::from(end.is_open));
                all.word(end.inbound.len() as u64);
                end.inbound.iter().for_each(|parcel| all.word(parcel.digest()));
            }
        }
        self.cuts.iter().for_each(|(a, b)| all.word((a.0 as u64) << 8 | b.0 as u64));
        all.word(self.history.digest());
        all.value()
    }

    /// What each host's connections are called: by who dialled, and the rank among its own.
    fn names(&self) -> Vec<Names> {
        let mut names = vec![Names::new(); self.hosts.len()];
        let mut ranks = vec![0; self.hosts.len()];
        for link in self.links.values() {
            let dialler = link.end(Side::Dialler).host;
            let name = (dialler.0 as u64) << 32 | ranks[dialler.0];
            ranks[dialler.0] += 1;
            for side in Side::BOTH {
                let end = link.end(side);
                names[end.host.0].insert(end.connection, name);
            }
        }
        names
    }
}

/// The first beat at which something that is due then has been noticed.
fn beat_from(due: Instant) -> Instant {
    let beat = BEAT.as_micros();
    Instant(due.as_micros().div_ceil(beat).saturating_mul(beat))
}
