//! The world: hosts on a virtual network, driven from one queue.
//!
//! One event is handled at a time, in the order of time and sequence. Handling it may make
//! the machine concerned ask for more: messages, dials, writes, timers. Nothing else
//! happens by itself, and nothing is random but the jitter on each message, which every
//! host draws from its own stream.
//!
//! The world knows no Kafka: it drives any [`Machine`]. What it sees it tells the
//! [`Recorder`].

mod disk;
mod fault;
mod host;
mod link;
mod network;
mod queue;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_trace::PacketId;
use topomotion_wire::{
    DiskOp, Duration, Endpoint, Files, Input, Instant, Machine, Output, Random,
};

use crate::record::Recorder;
use host::{Host, Life};
use link::Link;
use queue::{Due, Queue};

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
    links: Vec<Link>,
    listeners: BTreeMap<Endpoint, HostId>,
    cuts: BTreeSet<(HostId, HostId)>,
    physics: Physics,
    seed: u64,
    handled: u64,
    /// Writes the trace.
    pub recorder: Recorder,
}

/// Random streams are numbered; those of the network come after those of the machines.
const NETWORK_STREAMS: u64 = 1 << 40;

impl<M: Machine> World<M> {
    /// An empty world.
    pub fn new(seed: u64, physics: Physics, recorder: Recorder) -> World<M> {
        World {
            now: Instant::ZERO,
            queue: Queue::default(),
            hosts: Vec::new(),
            links: Vec::new(),
            listeners: BTreeMap::new(),
            cuts: BTreeSet::new(),
            physics,
            seed,
            handled: 0,
            recorder,
        }
    }

    /// A new host, switched off, that nobody can dial unless it listens somewhere.
    pub fn add(&mut self, name: Arc<str>, listens: Option<Endpoint>) -> HostId {
        let id = HostId(self.hosts.len());
        let random = Random::new(self.seed, NETWORK_STREAMS + id.0 as u64);
        self.hosts.push(Host::new(name, random));
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
        let now = self.now;
        if let Some(machine) = self.hosts[host.0].machine_mut() {
            command(machine, now);
            self.drain(host, None);
        }
    }

    /// The moment.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// How many events have been handled.
    pub fn handled(&self) -> u64 {
        self.handled
    }

    /// Handles the next event if it is due at or before `limit`; else lets time pass until
    /// `limit` and says so with `false`.
    pub fn step(&mut self, limit: Instant) -> bool {
        match self.queue.pop_until(limit) {
            Some((at, due)) => {
                assert!(at >= self.now, "time must not run backwards");
                self.now = at;
                self.handled += 1;
                self.happen(due);
                true
            }
            None => {
                self.now = self.now.max(limit);
                false
            }
        }
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Tick { host, stamp } => self.ring(host, stamp),
            Due::Arrive { link, side, parcel } => self.arrive(link, side, parcel),
            Due::Flushed { host, incarnation, token, cause } => {
                if self.hosts[host.0].is_incarnation(incarnation) {
                    self.deliver(host, Input::Flushed { token }, cause);
                }
            }
        }
    }

    /// A timer goes off, unless it was set anew or the host stands still.
    fn ring(&mut self, host: HostId, stamp: u64) {
        let now = self.now;
        let slot = &mut self.hosts[host.0];
        if slot.armed.is_none_or(|(_, armed)| armed != stamp) {
            return;
        }
        slot.armed = None;
        if let Life::Up(machine) = &mut slot.life {
            machine.tick(now);
            self.drain(host, None);
        }
    }

    /// Gives an input to a machine, or keeps it for one that stands still.
    fn deliver(&mut self, host: HostId, input: Input, cause: Option<PacketId>) {
        let now = self.now;
        match &mut self.hosts[host.0].life {
            Life::Down => {}
            Life::Paused { held, .. } => held.push_back((input, cause)),
            Life::Up(machine) => {
                machine.handle(now, input);
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
                Output::Disk(DiskOp::Flush { token, .. }) => {
                    let incarnation = self.hosts[host.0].incarnation;
                    let due = Due::Flushed { host, incarnation, token, cause };
                    self.queue.push(self.now + self.physics.flush, due);
                }
                Output::Disk(op) => self.hosts[host.0].disk.apply(op),
                Output::Mark { rule, partition } => {
                    let name = self.hosts[host.0].name.clone();
                    self.recorder.mark(self.now, name, rule, partition);
                }
                Output::Fact(fact) => {
                    let name = self.hosts[host.0].name.clone();
                    self.recorder.fact(self.now, &name, fact);
                }
            }
        }
        self.arm(host);
    }

    fn arm(&mut self, host: HostId) {
        let now = self.now;
        let slot = &mut self.hosts[host.0];
        let Life::Up(machine) = &slot.life else { return };
        let wanted = machine.deadline().map(|deadline| deadline.max(now));
        if wanted == slot.armed.map(|(at, _)| at) {
            return;
        }
        slot.stamps += 1;
        slot.armed = wanted.map(|at| (at, slot.stamps));
        if let Some((at, stamp)) = slot.armed {
            self.queue.push(at, Due::Tick { host, stamp });
        }
    }

    fn link_mut(&mut self, link: LinkId) -> &mut Link {
        &mut self.links[link.0]
    }
}

#[cfg(test)]
mod tests;
