//! What can run on a host.

use topomotion_actors::{Actor, ZkBroker, ZooKeeperServer};
use topomotion_broker::Node;
use topomotion_client::{Admin, Consumer, Producer, ProducerRecord};
use topomotion_wire::{Input, Instant, Machine, Output};

use super::worker::Worker;

/// A machine of one of the kinds that a cluster needs.
#[derive(Debug)]
pub(super) enum Body {
    Node(Box<Node>),
    Producer(Box<Producer>),
    Consumer(Box<Consumer>),
    Worker(Box<Worker>),
    Admin(Box<Admin>),
    Actor(Box<Actor>),
    ZooKeeper(Box<ZooKeeperServer>),
    ZkBroker(Box<ZkBroker>),
}

impl Body {
    pub fn node(&self) -> Option<&Node> {
        match self {
            Body::Node(node) => Some(node),
            _ => None,
        }
    }

    pub fn producer(&self) -> Option<&Producer> {
        match self {
            Body::Producer(producer) => Some(producer),
            Body::Worker(worker) => Some(&worker.producer),
            Body::Actor(actor) => actor.producer(),
            Body::Node(_)
            | Body::Consumer(_)
            | Body::Admin(_)
            | Body::ZooKeeper(_)
            | Body::ZkBroker(_) => None,
        }
    }

    pub fn producer_mut(&mut self) -> Option<&mut Producer> {
        match self {
            Body::Producer(producer) => Some(producer),
            Body::Worker(worker) => Some(&mut worker.producer),
            Body::Actor(actor) => actor.producer_mut(),
            Body::Node(_)
            | Body::Consumer(_)
            | Body::Admin(_)
            | Body::ZooKeeper(_)
            | Body::ZkBroker(_) => None,
        }
    }

    /// Has a producer send a record, through its serializer if it has one.
    pub fn send(&mut self, now: Instant, record: ProducerRecord) {
        match self {
            Body::Actor(actor) => actor.send(now, record),
            body => {
                if let Some(producer) = body.producer_mut() {
                    producer.send(now, record);
                }
            }
        }
    }

    /// Records that a producer still waits for, those in its serializer included.
    pub fn pending(&self) -> usize {
        self.producer().map_or(0, Producer::pending) + self.unserialized()
    }

    /// Whether one of the first so many records that its producer has taken lacks a verdict.
    /// Whatever waits in a serializer counts.
    pub fn waits_for_first(&self, count: u64) -> bool {
        self.unserialized() > 0
            || self.producer().is_some_and(|it| it.waits_for_first(count))
    }

    fn unserialized(&self) -> usize {
        match self {
            Body::Actor(actor) => actor.unserialized(),
            _ => 0,
        }
    }

    pub fn consumer(&self) -> Option<&Consumer> {
        match self {
            Body::Consumer(consumer) => Some(consumer),
            Body::Worker(worker) => Some(&worker.consumer),
            Body::Actor(actor) => actor.consumer(),
            Body::Node(_)
            | Body::Producer(_)
            | Body::Admin(_)
            | Body::ZooKeeper(_)
            | Body::ZkBroker(_) => None,
        }
    }

    pub fn consumer_mut(&mut self) -> Option<&mut Consumer> {
        match self {
            Body::Consumer(consumer) => Some(consumer),
            Body::Worker(worker) => Some(&mut worker.consumer),
            Body::Actor(actor) => actor.consumer_mut(),
            Body::Node(_)
            | Body::Producer(_)
            | Body::Admin(_)
            | Body::ZooKeeper(_)
            | Body::ZkBroker(_) => None,
        }
    }

    pub fn admin(&mut self) -> Option<&mut Admin> {
        match self {
            Body::Admin(admin) => Some(admin),
            _ => None,
        }
    }
}

impl Machine for Body {
    fn handle(&mut self, now: Instant, input: Input) {
        match self {
            Body::Node(machine) => machine.handle(now, input),
            Body::Producer(machine) => machine.handle(now, input),
            Body::Consumer(machine) => machine.handle(now, input),
            Body::Worker(machine) => machine.handle(now, input),
            Body::Admin(machine) => machine.handle(now, input),
            Body::Actor(machine) => machine.handle(now, input),
            Body::ZooKeeper(machine) => machine.handle(now, input),
            Body::ZkBroker(machine) => machine.handle(now, input),
        }
    }

    fn tick(&mut self, now: Instant) {
        match self {
            Body::Node(machine) => machine.tick(now),
            Body::Producer(machine) => machine.tick(now),
            Body::Consumer(machine) => machine.tick(now),
            Body::Worker(machine) => machine.tick(now),
            Body::Admin(machine) => machine.tick(now),
            Body::Actor(machine) => machine.tick(now),
            Body::ZooKeeper(machine) => machine.tick(now),
            Body::ZkBroker(machine) => machine.tick(now),
        }
    }

    fn poll(&mut self) -> Option<Output> {
        match self {
            Body::Node(machine) => machine.poll(),
            Body::Producer(machine) => machine.poll(),
            Body::Consumer(machine) => machine.poll(),
            Body::Worker(machine) => machine.poll(),
            Body::Admin(machine) => machine.poll(),
            Body::Actor(machine) => machine.poll(),
            Body::ZooKeeper(machine) => machine.poll(),
            Body::ZkBroker(machine) => machine.poll(),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self {
            Body::Node(machine) => machine.deadline(),
            Body::Producer(machine) => machine.deadline(),
            Body::Consumer(machine) => machine.deadline(),
            Body::Worker(machine) => machine.deadline(),
            Body::Admin(machine) => machine.deadline(),
            Body::Actor(machine) => machine.deadline(),
            Body::ZooKeeper(machine) => machine.deadline(),
            Body::ZkBroker(machine) => machine.deadline(),
        }
    }
}
