//! The world: hosts on a virtual network, driven from one queue.
//!
//! One event is handled at a time, in the order of time and sequence. Handling it may make
//! the machine concerned ask for more: messages, dials, writes, timers. Nothing else
//! happens by itself, and nothing is random but the jitter on each message, which every
//! host draws from its own stream.
//!
//! The world knows no Kafka: it drives any [`Machine`]. What it sees it tells the
//! [`Recorder`].

mod clock;
mod fault;
mod host;
mod link;
mod network;
mod power;
mod queue;
mod weather;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_log::{Applied, Disk, Log, LogConfig, MemoryDisk};
use topomotion_trace::PacketId;
use topomotion_wire::{
    DiskOp, Duration, Endpoint, Fact, Files, Input, Instant, Machine, Output, Random,
};

use crate::Sight;
use crate::record::{self, Recorder};
use host::{Host, Life};
use link::Link;
use queue::{Due, Place, Queue};
use weather::Weather;

pub(crate) use clock::WALL_CLOCK_BASE_MS;
pub use host::HostId;
pub(crate) use link::LinkId;

/// How fast the world's hardware is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Physics {
    /// One way of one message.
    pub latency: Duration,
    /// Up to so much is added to each message's way.
    pub jitter: Duration,
    /// How long a flush takes.
    pub flush: Duration,
}

impl Default for Physics {
    fn default() -> Physics {
        Physics {
            latency: Duration::from_micros(1_000),
            jitter: Duration::from_micros(300),
            flush: Duration::from_micros(200),
        }
    }
}

/// Hosts, links, and what is due.
#[derive(Debug)]
pub struct World<M> {
    now: Instant,
    queue: Queue,
    hosts: Vec<Host<M>>,
    /// When each host's timer goes off. Beside the hosts, since all are looked at with every
    /// step.
    timers: Vec<Option<Place>>,
    links: Vec<Link>,
    listeners: BTreeMap<Endpoint, HostId>,
    /// Ways that are not as usual, by sender and receiver.
    weather: BTreeMap<(HostId, HostId), Weather>,
    physics: Physics,
    seed: u64,
    delivered: u64,
    rung: u64,
    course: u64,
    /// How often machines had their turn at this moment, and, once that is often, whose.
    turns: u32,
    busy: BTreeSet<HostId>,
    /// Writes the trace.
    pub recorder: Recorder,
}

/// Random streams are numbered; those of the network come after those of the machines.
const NETWORK_STREAMS: u64 = 1 << 40;

/// So many turns at one moment are more than any burst: time stands still.
const TURNS_AT_ONCE: u32 = 200_000;
/// Whoever has a turn at the same moment after so many is one of those that spin.
const TURNS_OF_A_BURST: u32 = TURNS_AT_ONCE / 2;

impl<M: Machine> World<M> {
    /// An empty world.
    pub fn new(seed: u64, physics: Physics, recorder: Recorder) -> World<M> {
        World {
            now: Instant::ZERO,
            queue: Queue::default(),
            hosts: Vec::new(),
            timers: Vec::new(),
            links: Vec::new(),
            listeners: BTreeMap::new(),
            weather: BTreeMap::new(),
            physics,
            seed,
            delivered: 0,
            rung: 0,
            course: 0,
            turns: 0,
            busy: BTreeSet::new(),
            recorder,
        }
    }

    /// A new host, switched off, that nobody can dial unless it listens somewhere.
    pub fn add(&mut self, name: Arc<str>, listens: Option<Endpoint>) -> HostId {
        let id = HostId(self.hosts.len());
        let random = Random::new(self.seed, NETWORK_STREAMS + id.0 as u64);
        self.hosts.push(Host::new(name, random));
        self.timers.push(None);
        self.listeners.extend(listens.map(|endpoint| (endpoint, id)));
        id
    }

    /// The random stream for the next machine to be started on a host: its own for every
    /// host and every start.
    pub fn machine_random(&self, host: HostId) -> Random {
        let starts = u64::from(self.hosts[host.0].incarnation);
        Random::new(self.seed, ((host.0 as u64) << 16) + starts)
    }

    /// How often a machine was started on this host.
    pub fn starts(&self, host: HostId) -> u32 {
        self.hosts[host.0].incarnation
    }

    /// What is on a host's disk.
    pub fn files(&self, host: HostId) -> Files {
        self.hosts[host.0].disk.files()
    }

    /// A host's disk, to be hurt.
    pub fn disk_mut(&mut self, host: HostId) -> &mut MemoryDisk {
        &mut self.hosts[host.0].disk
    }

    /// Switches a host on with this machine.
    pub fn start(&mut self, host: HostId, machine: M) {
        let slot = &mut self.hosts[host.0];
        assert!(slot.is_down(), "a running process is not started again");
        slot.incarnation += 1;
        slot.life = Life::Up(machine);
        self.recorder.forget(&slot.name);
        self.drain(host, None);
    }

    /// The machine on a host, if it is on (even if it stands still).
    pub fn machine(&self, host: HostId) -> Option<&M> {
        self.hosts[host.0].machine()
    }

    /// Hands a command to the machine on a host; nothing happens on a host that is off.
    pub fn command(&mut self, host: HostId, command: impl FnOnce(&mut M, Instant)) {
        let now = self.local(host);
        if let Some(machine) = self.hosts[host.0].machine_mut() {
            command(machine, now);
            self.drain(host, None);
        }
    }

    /// The moment.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// How many inputs machines have been given. Timers are not counted.
    pub fn delivered(&self) -> u64 {
        self.delivered
    }

    /// How often a timer went off.
    pub fn rung(&self) -> u64 {
        self.rung
    }

    /// A digest of who was given an input or woken, and when: equal for equal courses of
    /// events, however much of them was written down.
    pub fn course(&self) -> u64 {
        self.course
    }

    fn note_turn(&mut self, host: HostId) {
        let word = self.now.as_micros() << 8 | host.0 as u64 & 0xff;
        let mixed = (self.course ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        self.course = mixed.rotate_left(29);
        self.turns += 1;
        if self.turns > TURNS_OF_A_BURST {
            self.busy.insert(host);
        }
    }

    /// Where time stands still, since machines go on waking each other or themselves at one
    /// moment: which.
    pub fn spinning(&self) -> Option<Vec<Arc<str>>> {
        let names = self.busy.iter().map(|host| self.hosts[host.0].name.clone());
        (self.turns >= TURNS_AT_ONCE).then(|| names.collect())
    }

    /// Handles the next event if it is due at or before `limit`; else lets time pass until
    /// `limit` and says so with `false`.
    pub fn step(&mut self, limit: Instant) -> bool {
        let arrival = self.queue.next_place();
        let timer = self.next_timer();
        let next = arrival.into_iter().chain(timer.map(|(place, _)| place)).min();
        let Some(next) = next.filter(|next| next.at <= limit) else {
            self.now = self.now.max(limit);
            return false;
        };
        assert!(next.at >= self.now, "time must not run backwards");
        if next.at > self.now {
            self.turns = 0;
            self.busy.clear();
        }
        self.now = next.at;
        match timer {
            Some((place, host)) if place == next => self.ring(host),
            _ => {
                let due = self.queue.pop();
                self.happen(due.expect("its place was just looked at"));
            }
        }
        true
    }

    /// The timer that goes off next. There are few hosts, and their timers are set anew with
    /// nearly every event: looking at all of them is cheaper than keeping them in order.
    fn next_timer(&self) -> Option<(Place, HostId)> {
        let timers = self.timers.iter().enumerate();
        timers.filter_map(|(index, timer)| Some(((*timer)?, HostId(index)))).min()
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Arrive { link, side, parcel } => self.arrive(link, side, parcel),
            Due::Flushed { host, incarnation, flush, token, cause } => {
                self.hosts[host.0].disk.complete(flush);
                if self.hosts[host.0].is_incarnation(incarnation) {
                    self.deliver(host, Input::Flushed { token }, cause);
                }
            }
        }
    }

    /// A timer goes off.
    fn ring(&mut self, host: HostId) {
        let now = self.local(host);
        self.timers[host.0] = None;
        if let Life::Up(machine) = &mut self.hosts[host.0].life {
            machine.tick(now);
            self.rung += 1;
            self.note_turn(host);
            self.drain(host, None);
        }
    }

    /// Gives an input to a machine, or keeps it for one that stands still.
    fn deliver(&mut self, host: HostId, input: Input, cause: Option<PacketId>) {
        let now = self.local(host);
        match &mut self.hosts[host.0].life {
            Life::Down => {}
            Life::Paused { held, .. } => held.push_back((input, cause)),
            Life::Up(machine) => {
                machine.handle(now, input);
                self.delivered += 1;
                self.note_turn(host);
                self.drain(host, cause);
            }
        }
    }

    /// Does what a machine asks for, then sets its timer.
    fn drain(&mut self, host: HostId, cause: Option<PacketId>) {
        while let Some(output) = self.hosts[host.0].machine_mut().and_then(M::poll) {
            match output {
                Output::Open { connection, to } => {
                    self.dial(host, connection, &to, cause);
                }
                Output::Send { connection, message } => {
                    self.send(host, connection, message, cause);
                }
                Output::Close { connection } => self.close(host, connection),
                Output::Disk(op) => self.write(host, op, cause),
                Output::Mark { rule, partition } => {
                    let name = &self.hosts[host.0].name;
                    self.recorder.mark(self.now, name, rule, partition);
                }
                Output::Fact(fact) => {
                    let name = &self.hosts[host.0].name;
                    self.recorder.fact(self.now, name, fact);
                }
            }
        }
        self.arm(host);
    }

    /// A process does not outlive the failure of its disk: Kafka halts when its only log
    /// directory is gone.
    fn write(&mut self, host: HostId, op: DiskOp, cause: Option<PacketId>) {
        let look = record::look(&self.hosts[host.0].disk, &op);
        let look = look.map(|look| (look, self.wall_ms(host)));
        let slot = &mut self.hosts[host.0];
        match slot.disk.apply(op) {
            Ok(Applied::Done) => {
                if let Some((look, wall_ms)) = look {
                    let seen = look.done(&slot.disk, &slot.name, wall_ms);
                    self.recorder.sight(Sight::Stored(seen));
                }
            }
            Ok(Applied::Flushing { flush, token }) => {
                let incarnation = slot.incarnation;
                let at = self.now + self.physics.flush + slot.disk.delay();
                let due = Due::Flushed { host, incarnation, flush, token, cause };
                self.queue.push(at, due);
            }
            Err(_) => {
                let process = slot.name.clone();
                self.tell_written(host);
                self.recorder.sight(Sight::LostPower(process));
                self.crash(host);
            }
        }
    }

    /// What a process was about to say when its disk failed: of the appends, those that have
    /// reached the disk whole are true, and will be found there.
    fn tell_written(&mut self, host: HostId) {
        let slot = &mut self.hosts[host.0];
        let unsaid = std::iter::from_fn(|| slot.machine_mut().and_then(M::poll));
        let unsaid: Vec<Fact> = unsaid
            .filter_map(|output| match output {
                Output::Fact(fact @ Fact::Appended { .. }) => Some(fact),
                _ => None,
            })
            .collect();
        let files = slot.disk.files();
        for fact in unsaid {
            let Fact::Appended { partition, base, count, .. } = &fact else { continue };
            let found = Log::recover(partition.clone(), LogConfig::default(), &files);
            if base.plus(*count) <= found.end_offset() {
                let name = &self.hosts[host.0].name;
                self.recorder.fact(self.now, name, fact);
            }
        }
    }

    fn arm(&mut self, host: HostId) {
        let now = self.now;
        let slot = &self.hosts[host.0];
        let Life::Up(machine) = &slot.life else { return };
        let wanted = machine.deadline().map(|due| slot.clock.when(due).max(now));
        if wanted != self.timers[host.0].map(|place| place.at) {
            self.timers[host.0] = wanted.map(|at| self.queue.place(at));
        }
    }

    fn link_mut(&mut self, link: LinkId) -> &mut Link {
        &mut self.links[link.0]
    }
}

#[cfg(test)]
mod tests;
