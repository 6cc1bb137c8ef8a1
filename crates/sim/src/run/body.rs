//! What can run on a host.

use topomotion_broker::Node;
use topomotion_client::{Admin, Consumer, Producer};
use topomotion_wire::{Input, Instant, Machine, Output};

/// A machine of one of the kinds that a cluster needs.
#[derive(Debug)]
pub(super) enum Body {
    Node(Box<Node>),
    Producer(Box<Producer>),
    Consumer(Box<Consumer>),
    Admin(Box<Admin>),
}

impl Body {
    pub fn node(&self) -> Option<&Node> {
        match self {
            Body::Node(node) => Some(node),
            Body::Producer(_) | Body::Consumer(_) | Body::Admin(_) => None,
        }
    }

    pub fn producer(&mut self) -> Option<&mut Producer> {
        match self {
            Body::Producer(producer) => Some(producer),
            Body::Node(_) | Body::Consumer(_) | Body::Admin(_) => None,
        }
    }

    /// Records that a producer still waits for.
    pub fn pending(&self) -> usize {
        match self {
            Body::Producer(producer) => producer.pending(),
            Body::Node(_) | Body::Consumer(_) | Body::Admin(_) => 0,
        }
    }

    pub fn consumer(&self) -> Option<&Consumer> {
        match self {
            Body::Consumer(consumer) => Some(consumer),
            Body::Node(_) | Body::Producer(_) | Body::Admin(_) => None,
        }
    }

    pub fn admin(&mut self) -> Option<&mut Admin> {
        match self {
            Body::Admin(admin) => Some(admin),
            Body::Node(_) | Body::Producer(_) | Body::Consumer(_) => None,
        }
    }
}

impl Machine for Body {
    fn handle(&mut self, now: Instant, input: Input) {
        match self {
            Body::Node(machine) => machine.handle(now, input),
            Body::Producer(machine) => machine.handle(now, input),
            Body::Consumer(machine) => machine.handle(now, input),
            Body::Admin(machine) => machine.handle(now, input),
        }
    }

    fn tick(&mut self, now: Instant) {
        match self {
            Body::Node(machine) => machine.tick(now),
            Body::Producer(machine) => machine.tick(now),
            Body::Consumer(machine) => machine.tick(now),
            Body::Admin(machine) => machine.tick(now),
        }
    }

    fn poll(&mut self) -> Option<Output> {
        match self {
            Body::Node(machine) => machine.poll(),
            Body::Producer(machine) => machine.poll(),
            Body::Consumer(machine) => machine.poll(),
            Body::Admin(machine) => machine.poll(),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self {
            Body::Node(machine) => machine.deadline(),
            Body::Producer(machine) => machine.deadline(),
            Body::Consumer(machine) => machine.deadline(),
            Body::Admin(machine) => machine.deadline(),
        }
    }
}
