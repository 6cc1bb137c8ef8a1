//! Any of the processes around Kafka.

use std::sync::Arc;

use topomotion_client::{Consumer, Producer, ProducerRecord};
use topomotion_wire::{Endpoint, HttpMethod, Input, Instant, Machine, Output};

use crate::schema::Schema;
use crate::{
    ConnectWorker, Database, DocumentStore, Handler, SchemaConsumer, SchemaProducer,
    SchemaRegistry, Service, Statement, StreamTask,
};

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
    /// Works on records, and copes with failures.
    Handler(Box<Handler>),
    /// Counts records.
    Stream(Box<StreamTask>),
    /// Runs connectors.
    Connect(Box<ConnectWorker>),
    /// Keeps rows.
    Database(Box<Database>),
    /// Keeps documents.
    Store(Box<DocumentStore>),
}

impl Actor {
    /// Takes a record to send; nothing happens where nobody produces.
    pub fn send(&mut self, now: Instant, record: ProducerRecord) {
        match self {
            Actor::Producer(producer) => producer.send(now, record),
            Actor::Handler(handler) => handler.producer_mut().send(now, record),
            Actor::Stream(task) => task.producer_mut().send(now, record),
            _ => {}
        }
    }

    /// Records that wait in its serializer.
    pub fn unserialized(&self) -> usize {
        match self {
            Actor::Producer(producer) => producer.unserialized(),
            _ => 0,
        }
    }

    /// From now on the application writes this to the topic; nothing happens where nobody
    /// produces.
    pub fn write_as(&mut self, topic: &Arc<str>, schema: Schema) {
        if let Actor::Producer(producer) = self {
            producer.write_as(topic.clone(), schema);
        }
    }

    /// From now on the application's work fails on these records, or on none; nothing
    /// happens where none of it may fail.
    pub fn fail_on(&mut self, now: Instant, word: Option<Arc<str>>) {
        if let Actor::Handler(handler) = self {
            handler.fail_on(now, word);
        }
    }

    /// Writes everything that a topic of dead letters holds to where it came from; nothing
    /// happens where nobody puts records aside.
    pub fn replay(&mut self, now: Instant, topic: &Arc<str>) {
        if let Actor::Handler(handler) = self {
            handler.replay(now, topic);
        }
    }

    /// Changes rows in one transaction; the error says why it cannot be.
    pub fn execute(
        &mut self,
        now: Instant,
        statements: Vec<Statement>,
    ) -> Result<(), String> {
        match self {
            Actor::Database(database) => database.execute(now, statements),
            _ => Err("it is no database".to_owned()),
        }
    }

    /// How much it holds under this name: rows of a table, documents of an index; none
    /// where nothing has such a name.
    pub fn held(&self, name: &str) -> Option<usize> {
        match self {
            Actor::Database(database) => Some(database.rows(name)),
            Actor::Store(store) => Some(store.documents(name)),
            Actor::Stream(task) => usize::try_from(task.count(name)).ok(),
            Actor::Connect(worker) => {
                Some(worker.tasks().iter().filter(|task| &***task == name).count())
            }
            _ => None,
        }
    }

    /// The producer inside, behind its serializer.
    pub fn producer(&self) -> Option<&Producer> {
        match self {
            Actor::Producer(producer) => Some(producer.producer()),
            Actor::Handler(handler) => Some(handler.producer()),
            Actor::Stream(task) => Some(task.producer()),
            _ => None,
        }
    }

    /// The producer inside, for what passes its serializer by.
    pub fn producer_mut(&mut self) -> Option<&mut Producer> {
        match self {
            Actor::Producer(producer) => Some(producer.producer_mut()),
            Actor::Handler(handler) => Some(handler.producer_mut()),
            Actor::Stream(task) => Some(task.producer_mut()),
            _ => None,
        }
    }

    /// The consumer inside, in front of its deserializer.
    pub fn consumer(&self) -> Option<&Consumer> {
        match self {
            Actor::Consumer(consumer) => Some(consumer.consumer()),
            Actor::Handler(handler) => Some(handler.consumer()),
            Actor::Stream(task) => Some(task.consumer()),
            _ => None,
        }
    }

    /// The consumer inside, for commands.
    pub fn consumer_mut(&mut self) -> Option<&mut Consumer> {
        match self {
            Actor::Consumer(consumer) => Some(consumer.consumer_mut()),
            Actor::Handler(handler) => Some(handler.consumer_mut()),
            Actor::Stream(task) => Some(task.consumer_mut()),
            _ => None,
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
            Actor::Producer(producer) => producer.call(now, to, what),
            Actor::Consumer(consumer) => consumer.call(now, to, what),
            Actor::Service(service) => service.call(now, to, what),
            _ => {}
        }
    }

    /// Calls made by hand that have not ended.
    pub fn open_calls(&self) -> usize {
        match self {
            Actor::Handler(handler) => usize::from(handler.is_replaying()),
            Actor::Producer(producer) => producer.open_calls(),
            Actor::Consumer(consumer) => consumer.open_calls(),
            Actor::Service(service) => service.open_calls(),
            _ => 0,
        }
    }

    /// Whether it can do its work: a registry must have read its topic first.
    pub fn is_ready(&self) -> bool {
        match self {
            Actor::Registry(registry) => registry.is_serving(),
            Actor::Connect(worker) => worker.is_ready(),
            _ => true,
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
            Actor::Handler(machine) => machine.handle(now, input),
            Actor::Stream(machine) => machine.handle(now, input),
            Actor::Connect(machine) => machine.handle(now, input),
            Actor::Database(machine) => machine.handle(now, input),
            Actor::Store(machine) => machine.handle(now, input),
        }
    }

    fn tick(&mut self, now: Instant) {
        match self {
            Actor::Registry(machine) => machine.tick(now),
            Actor::Producer(machine) => machine.tick(now),
            Actor::Consumer(machine) => machine.tick(now),
            Actor::Service(machine) => machine.tick(now),
            Actor::Handler(machine) => machine.tick(now),
            Actor::Stream(machine) => machine.tick(now),
            Actor::Connect(machine) => machine.tick(now),
            Actor::Database(machine) => machine.tick(now),
            Actor::Store(machine) => machine.tick(now),
        }
    }

    fn poll(&mut self) -> Option<Output> {
        match self {
            Actor::Registry(machine) => machine.poll(),
            Actor::Producer(machine) => machine.poll(),
            Actor::Consumer(machine) => machine.poll(),
            Actor::Service(machine) => machine.poll(),
            Actor::Handler(machine) => machine.poll(),
            Actor::Stream(machine) => machine.poll(),
            Actor::Connect(machine) => machine.poll(),
            Actor::Database(machine) => machine.poll(),
            Actor::Store(machine) => machine.poll(),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self {
            Actor::Registry(machine) => machine.deadline(),
            Actor::Producer(machine) => machine.deadline(),
            Actor::Consumer(machine) => machine.deadline(),
            Actor::Service(machine) => machine.deadline(),
            Actor::Handler(machine) => machine.deadline(),
            Actor::Stream(machine) => machine.deadline(),
            Actor::Connect(machine) => machine.deadline(),
            Actor::Database(machine) => machine.deadline(),
            Actor::Store(machine) => machine.deadline(),
        }
    }
}
