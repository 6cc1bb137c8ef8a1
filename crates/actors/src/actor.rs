//! Any of the processes around Kafka.

use std::sync::Arc;

use topomotion_client::{Consumer, Producer, ProducerRecord};
use topomotion_wire::{Endpoint, HttpMethod, Input, Instant, Machine, Output};

use crate::schema::Schema;
use crate::{SchemaConsumer, SchemaProducer, SchemaRegistry, Service};

/// A process around Kafka.
#[derive(Debug)]
pub enum Actor {
    /// Keeps schemas.
    Registry(Box<SchemaRegistry>),
    /// Sends records under a schema.
    Producer(Box<SchemaProducer>),
    /// Reads records with the schemas that they name.
    Consumer(Box<SchemaConsumer>),
    /// Answers calls by calling others.
    Service(Box<Service>),
}

impl Actor {
    /// Takes a record to send; nothing happens where nobody produces.
    pub fn send(&mut self, now: Instant, record: ProducerRecord) {
        if let Actor::Producer(producer) = self {
            producer.send(now, record);
        }
    }

    /// Records without a verdict.
    pub fn pending(&self) -> usize {
        match self {
            Actor::Producer(producer) => producer.pending(),
            Actor::Registry(_) | Actor::Consumer(_) | Actor::Service(_) => 0,
        }
    }

    /// From now on the application writes this to the topic; nothing happens where nobody
    /// produces.
    pub fn write_as(&mut self, topic: &Arc<str>, schema: Schema) {
        if let Actor::Producer(producer) = self {
            producer.write_as(topic.clone(), schema);
        }
    }

    /// The producer inside, behind its serializer.
    pub fn producer(&self) -> Option<&Producer> {
        match self {
            Actor::Producer(producer) => Some(producer.producer()),
            Actor::Registry(_) | Actor::Consumer(_) | Actor::Service(_) => None,
        }
    }

    /// The producer inside, for what passes its serializer by.
    pub fn producer_mut(&mut self) -> Option<&mut Producer> {
        match self {
            Actor::Producer(producer) => Some(producer.producer_mut()),
            Actor::Registry(_) | Actor::Consumer(_) | Actor::Service(_) => None,
        }
    }

    /// The consumer inside, in front of its deserializer.
    pub fn consumer(&self) -> Option<&Consumer> {
        match self {
            Actor::Consumer(consumer) => Some(consumer.consumer()),
            Actor::Registry(_) | Actor::Producer(_) | Actor::Service(_) => None,
        }
    }

    /// The consumer inside, for commands.
    pub fn consumer_mut(&mut self) -> Option<&mut Consumer> {
        match self {
            Actor::Consumer(consumer) => Some(consumer.consumer_mut()),
            Actor::Registry(_) | Actor::Producer(_) | Actor::Service(_) => None,
        }
    }

    /// Calls an HTTP server by hand; a registry calls nobody.
    pub fn call(
        &mut self,
        now: Instant,
        to: &Endpoint,
        what: (HttpMethod, String, String),
    ) {
        match self {
            Actor::Registry(_) => {}
            Actor::Producer(producer) => producer.call(now, to, what),
            Actor::Consumer(consumer) => consumer.call(now, to, what),
            Actor::Service(service) => service.call(now, to, what),
        }
    }

    /// Calls made by hand that have not ended.
    pub fn open_calls(&self) -> usize {
        match self {
            Actor::Registry(_) => 0,
            Actor::Producer(producer) => producer.open_calls(),
            Actor::Consumer(consumer) => consumer.open_calls(),
            Actor::Service(service) => service.open_calls(),
        }
    }

    /// Whether it can do its work: a registry must have read its topic first.
    pub fn is_ready(&self) -> bool {
        match self {
            Actor::Registry(registry) => registry.is_serving(),
            Actor::Producer(_) | Actor::Consumer(_) | Actor::Service(_) => true,
        }
    }
}

impl Machine for Actor {
    fn handle(&mut self, now: Instant, input: Input) {
        match self {
            Actor::Registry(machine) => machine.handle(now, input),
            Actor::Producer(machine) => machine.handle(now, input),
            Actor::Consumer(machine) => machine.handle(now, input),
            Actor::Service(machine) => machine.handle(now, input),
        }
    }

    fn tick(&mut self, now: Instant) {
        match self {
            Actor::Registry(machine) => machine.tick(now),
            Actor::Producer(machine) => machine.tick(now),
            Actor::Consumer(machine) => machine.tick(now),
            Actor::Service(machine) => machine.tick(now),
        }
    }

    fn poll(&mut self) -> Option<Output> {
        match self {
            Actor::Registry(machine) => machine.poll(),
            Actor::Producer(machine) => machine.poll(),
            Actor::Consumer(machine) => machine.poll(),
            Actor::Service(machine) => machine.poll(),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self {
            Actor::Registry(machine) => machine.deadline(),
            Actor::Producer(machine) => machine.deadline(),
            Actor::Consumer(machine) => machine.deadline(),
            Actor::Service(machine) => machine.deadline(),
        }
    }
}
