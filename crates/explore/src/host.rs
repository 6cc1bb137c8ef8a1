//! Who runs in the tiny world: nodes, one producer, and during set-up an administrator.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use topomotion_broker::{Node, NodeConfig};
use topomotion_client::{Admin, Producer};
use topomotion_wire::{ConnectionId, Input, Instant, Machine, NodeId, Output};

use crate::digest::{Digest, Names, Writer};
use crate::disk::Disk;
use crate::link::{LinkId, Side};

/// A host's place in the world.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HostId(pub usize);

/// A machine of one of the kinds that are needed.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Node(Box<Node>),
    Producer(Box<Producer>),
    Admin(Box<Admin>),
}

impl Body {
    pub fn node(&self) -> Option<&Node> {
        match self {
            Body::Node(node) => Some(node),
            Body::Producer(_) | Body::Admin(_) => None,
        }
    }

    fn machine(&mut self) -> &mut dyn Machine {
        match self {
            Body::Node(machine) => &mut **machine,
            Body::Producer(machine) => &mut **machine,
            Body::Admin(machine) => &mut **machine,
        }
    }

    pub fn handle(&mut self, now: Instant, input: Input) {
        self.machine().handle(now, input);
    }

    pub fn tick(&mut self, now: Instant) {
        self.machine().tick(now);
    }

    pub fn poll(&mut self) -> Option<Output> {
        self.machine().poll()
    }

    pub fn deadline(&self) -> Option<Instant> {
        match self {
            Body::Node(machine) => machine.deadline(),
            Body::Producer(machine) => machine.deadline(),
            Body::Admin(machine) => machine.deadline(),
        }
    }
}

/// A host with its disk, on or off.
#[derive(Debug, Clone)]
pub(crate) struct Host {
    pub name: Rc<str>,
    /// How its node is started; clients are never started again.
    pub config: Option<Rc<NodeConfig>>,
    pub body: Option<Body>,
    pub disk: Disk,
    /// How often it was started.
    pub starts: u32,
    pub connections: BTreeMap<ConnectionId, (LinkId, Side)>,
    /// The last digest of its machine, with what it depends on besides.
    pub digest: Cell<Option<(Instant, u64, u128)>>,
}

impl Host {
    pub fn new(name: &str, config: Option<NodeConfig>) -> Host {
        Host {
            name: name.into(),
            config: config.map(Rc::new),
            body: None,
            disk: Disk::default(),
            starts: 0,
            connections: BTreeMap::new(),
            digest: Cell::new(None),
        }
    }

    /// Its machine as one number, if it is on.
    pub fn machine_digest(&self, now: Instant, oldest: u64, names: &Names) -> u128 {
        let Some(body) = &self.body else { return 0 };
        let mut named = Digest::default();
        for (connection, name) in names {
            named.word(match connection {
                ConnectionId::Dialled(number) => *number,
                ConnectionId::Accepted(number) => !*number,
            });
            named.word(*name);
        }
        if let Some((then, under, digest)) = self.digest.get()
            && (then, under) == (now, named.value())
        {
            return digest;
        }
        let mut writer = Writer::new(now, oldest, names);
        writer.take(body);
        self.digest.set(Some((now, named.value(), writer.value())));
        writer.value()
    }

    /// Its node, if it is on.
    pub fn node(&self) -> Option<&Node> {
        self.body.as_ref()?.node()
    }

    /// Whose node it is.
    pub fn id(&self) -> Option<NodeId> {
        self.config.as_ref().map(|config| config.id)
    }
}
