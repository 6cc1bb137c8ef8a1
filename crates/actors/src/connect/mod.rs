//! A worker of Kafka Connect: it shares the tasks of its connectors with the other workers of
//! its group, and runs its part.
//!
//! ```text
//!   database ──log──► source task ──Produce──► shop.orders ──Fetch──► sink task ──HTTP──► store
//!                        └── how far ──► connect-offsets     └── how far ──► OffsetCommit
//! ```
//!
//! All that a task remembers is in Kafka. A worker that falls loses nothing but what it did
//! since it last stored its place: that is done twice.

mod share;
mod sink;
mod source;

use std::collections::VecDeque;
use std::sync::Arc;

use topomotion_client::{
    CommonConfig, Producer, ProducerConfig, WorkerEvent, WorkerGroup, WorkerGroupConfig,
};
use topomotion_wire::{
    ActorDeed, AppDeed, Duration, Endpoint, Fact, Input, Instant, Machine, Output, Random,
};

use crate::switchboard::{Slot, addressed};
use share::{Tasks, decode, divide, encode};
use sink::Sink;
use source::Source;

/// A worker's settings, under Connect's names.
#[derive(Debug, Clone)]
pub struct ConnectConfig {
    /// What its clients of Kafka need.
    pub common: CommonConfig,
    /// `group.id`.
    pub group: Arc<str>,
    /// `offset.storage.topic`.
    pub offsets_topic: Arc<str>,
    /// `offset.flush.interval.ms`: how often tasks store how far they got.
    pub flush_interval: Duration,
    /// `session.timeout.ms`: of the worker, and of the consumers of its sink tasks.
    pub session_timeout: Duration,
    /// Connectors that follow databases.
    pub sources: Vec<SourceConfig>,
    /// Connectors that write to stores.
    pub sinks: Vec<SinkConfig>,
}

impl ConnectConfig {
    /// Connect's defaults, and no connectors.
    pub fn new(common: CommonConfig) -> ConnectConfig {
        ConnectConfig {
            common,
            group: "connect-cluster".into(),
            offsets_topic: "connect-offsets".into(),
            flush_interval: Duration::from_millis(60_000),
            session_timeout: Duration::from_millis(10_000),
            sources: Vec::new(),
            sinks: Vec::new(),
        }
    }
}

/// A connector that follows a database. It has one task, as Debezium's has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceConfig {
    /// Its name, which is that of its replication slot.
    pub name: Arc<str>,
    /// Where the database listens.
    pub database: Endpoint,
    /// `topic.prefix`: the changes of a table go to `prefix.table`.
    pub prefix: Arc<str>,
    /// `table.include.list`: other tables' changes are passed over.
    pub tables: Vec<Arc<str>>,
}

/// A connector that writes to a store. It has one task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SinkConfig {
    /// Its name; its consumer group is `connect-` and this.
    pub name: Arc<str>,
    /// What it reads.
    pub topics: Vec<Arc<str>>,
    /// Where the store listens.
    pub store: Endpoint,
    /// What it writes to there.
    pub index: Arc<str>,
    /// How it writes.
    pub insert_mode: InsertMode,
}

/// `insert.mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum InsertMode {
    /// Every record is added.
    Insert,
    /// A record takes the place of the one with its key.
    #[default]
    Upsert,
}

const GROUP: Slot = Slot(1);
const PRODUCER: Slot = Slot(2);

/// A worker.
#[derive(Debug)]
pub struct ConnectWorker {
    config: ConnectConfig,
    group: WorkerGroup,
    producer: Producer,
    source: Option<(Arc<str>, Source)>,
    sink: Option<(Arc<str>, Sink)>,
    outputs: VecDeque<Output>,
}

impl ConnectWorker {
    /// A worker that starts now: it joins its group.
    pub fn start(now: Instant, config: ConnectConfig, random: Random) -> ConnectWorker {
        let own = |name: &str| CommonConfig {
            client_id: format!("{}-{name}", config.common.client_id).into(),
            ..config.common.clone()
        };
        let group = WorkerGroupConfig {
            metadata: encode(&Tasks::new()),
            session_timeout: config.session_timeout,
            ..WorkerGroupConfig::connect(own("worker"), config.group.clone())
        };
        let mut worker = ConnectWorker {
            group: WorkerGroup::join(now, group),
            producer: Producer::new(ProducerConfig::new(own("source")), random),
            source: None,
            sink: None,
            outputs: VecDeque::new(),
            config,
        };
        worker.drive(now);
        worker
    }

    /// Whether it has its share of the tasks.
    pub fn is_ready(&self) -> bool {
        self.group.is_stable()
    }

    /// What it runs.
    pub fn tasks(&self) -> Vec<Arc<str>> {
        self.running().into_iter().collect()
    }

    fn running(&self) -> Tasks {
        let source = self.source.as_ref().map(|(task, _)| task.clone());
        let sink = self.sink.as_ref().map(|(task, _)| task.clone());
        source.into_iter().chain(sink).collect()
    }

    /// All tasks of all connectors.
    fn all(&self) -> Tasks {
        let sources = self.config.sources.iter().map(|one| &one.name);
        let sinks = self.config.sinks.iter().map(|one| &one.name);
        sources.chain(sinks).map(|name| task_of(name)).collect()
    }

    fn tell(&mut self, deed: AppDeed) {
        let deed = ActorDeed::App(deed);
        self.outputs.push_back(Output::Fact(Fact::Actor { deed }));
    }

    fn drive(&mut self, now: Instant) {
        while let Some(event) = self.group.take_event() {
            match event {
                WorkerEvent::Elected { members } => {
                    let members: Vec<(Arc<str>, Tasks)> = (members.into_iter())
                        .map(|(member, bytes)| (member, decode(&bytes)))
                        .collect();
                    let shares = divide(&members, &self.all());
                    let shares = shares.into_iter();
                    let shares = shares.map(|(member, share)| (member, encode(&share)));
                    self.group.divide(now, shares.collect());
                }
                WorkerEvent::Lost => self.take_over(now, &Tasks::new()),
                WorkerEvent::Assigned { generation, share } => {
                    let share = decode(&share);
                    let tasks = share.iter().cloned().collect();
                    self.tell(AppDeed::TasksAssigned { generation, tasks });
                    let gave_up = self.running().difference(&share).next().is_some();
                    self.take_over(now, &share);
                    if gave_up {
                        self.group.ask_anew(now);
                    }
                }
            }
        }
        if let Some((_, source)) = &mut self.source {
            source.drive(now, &mut self.producer);
        }
        let deeds = self.sink.as_mut().map(|(_, sink)| sink.drive(now));
        deeds.into_iter().flatten().for_each(|deed| self.tell(deed));
        self.drain(now);
    }

    /// Runs these tasks, and no others.
    fn take_over(&mut self, now: Instant, share: &Tasks) {
        if let Some((_, mut source)) =
            self.source.take_if(|(task, _)| !share.contains(&**task))
        {
            source.stop();
            source.drain(&mut self.outputs);
        }
        if let Some((_, mut sink)) =
            self.sink.take_if(|(task, _)| !share.contains(&**task))
        {
            sink.stop(now, &mut self.outputs);
        }
        for config in &self.config.sources {
            let task = task_of(&config.name);
            if share.contains(&task) && self.source.is_none() {
                self.source = Some((task, Source::start(now, &self.config, config)));
            }
        }
        for config in &self.config.sinks {
            let task = task_of(&config.name);
            if share.contains(&task) && self.sink.is_none() {
                self.sink = Some((task, Sink::start(now, &self.config, config)));
            }
        }
        self.group.describe(encode(&self.running()));
    }

    /// Takes what its parts want; a batch that was given up fails the source task, which
    /// begins again where it last stored its place.
    fn drain(&mut self, now: Instant) {
        GROUP.drain(&mut self.group, &mut self.outputs);
        let mut told = VecDeque::new();
        PRODUCER.drain(&mut self.producer, &mut told);
        let failed = told
            .iter()
            .any(|output| matches!(output, Output::Fact(Fact::BatchFailed { .. })));
        self.outputs.extend(told);
        if failed && let Some((task, mut source)) = self.source.take() {
            source.stop();
            source.drain(&mut self.outputs);
            let name = self.config.sources.iter().find(|it| task_of(&it.name) == task);
            self.source = name.map(|it| (task, Source::start(now, &self.config, it)));
        }
        if let Some((_, source)) = &mut self.source {
            source.drain(&mut self.outputs);
        }
        if let Some((_, sink)) = &mut self.sink {
            sink.drain(&mut self.outputs);
        }
    }
}

/// A connector's only task.
fn task_of(connector: &str) -> Arc<str> {
    format!("{connector}-0").into()
}

impl Machine for ConnectWorker {
    fn handle(&mut self, now: Instant, input: Input) {
        match addressed(input) {
            (Some(GROUP), input) => self.group.handle(now, input),
            (Some(PRODUCER), input) => self.producer.handle(now, input),
            (Some(slot @ (source::LOADER | source::DATABASE)), input) => {
                if let Some((_, source)) = &mut self.source {
                    source.handle(now, slot, input);
                }
            }
            (Some(slot @ (sink::READER | sink::CALLER)), input) => {
                if let Some((_, sink)) = &mut self.sink {
                    sink.handle(now, slot, input);
                }
            }
            // Nobody dials a worker.
            (Some(_) | None, _) => {}
        }
        self.drive(now);
    }

    fn tick(&mut self, now: Instant) {
        self.group.tick(now);
        self.producer.tick(now);
        if let Some((_, source)) = &mut self.source {
            source.tick(now);
        }
        if let Some((_, sink)) = &mut self.sink {
            sink.tick(now);
        }
        self.drive(now);
    }

    fn poll(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn deadline(&self) -> Option<Instant> {
        let source = self.source.as_ref().and_then(|(_, source)| source.deadline());
        let sink = self.sink.as_ref().and_then(|(_, sink)| sink.deadline());
        let clients = [self.group.deadline(), self.producer.deadline(), source, sink];
        clients.into_iter().flatten().min()
    }
}
