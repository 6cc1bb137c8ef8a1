//! Who runs in the tiny world: nodes, one producer, and during set-up an administrator.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use topomotion_broker::{Node, NodeConfig};
use topomotion_client::{Admin, Producer};
use topomotion_wire::{ConnectionId, Input, Instant, Machine, NodeId, Output};

use crate::digest::{Names, Shape, Wide};
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
    /// The shape of its machine, once somebody has asked for it.
    pub shape: RefCell<Option<Rc<Shape>>>,
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
            shape: RefCell::default(),
        }
    }

    /// Adds its machine, if it is on, as it is at a moment, to a digest.
    pub fn add_machine_to(
        &self,
        all: &mut Wide,
        now: Instant,
        oldest: u64,
        names: &Names,
    ) {
        let Some(body) = &self.body else { return all.word(0) };
        let known = self.shape.borrow().clone();
        let shape = known.unwrap_or_else(|| {
            let shape = Rc::new(Shape::of(body));
            *self.shape.borrow_mut() = Some(Rc::clone(&shape));
            shape
        });
        shape.add_to(all, now, oldest, names);
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
