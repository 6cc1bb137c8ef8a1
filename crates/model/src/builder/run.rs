//! Scenarios that the engine runs: steps as calls, checked against the topology.

use std::collections::{BTreeMap, BTreeSet};

use crate::builder::ids::Known;
use crate::builder::{ProduceConfig, ScenarioConfig};
use crate::{
    Alias, Condition, Diagnostic, Origin, PartitionName, Play, ProcessId, Run, Scenario,
};
use crate::{ScenarioId, Span, Step, StepKind, Topology, nearest};

/// How long `waitUntil` waits, in ms of engine time, when the script does not say.
pub const DEFAULT_TIMEOUT_MS: u64 = 60_000;

/// The most records of one `produce` step.
const MOST_RECORDS: u32 = 10_000;

/// Writes one scenario for the engine. Ids are checked when the topology is built.
#[derive(Debug, Clone, Default)]
pub struct ScenarioBuilder {
    config: ScenarioConfig,
    steps: Vec<Step>,
    settings: BTreeMap<String, String>,
    /// Where the next call stands in the script.
    next: Origin,
    caption: Option<String>,
}

impl ScenarioBuilder {
    /// A scenario without steps.
    pub fn new(config: ScenarioConfig) -> ScenarioBuilder {
        let settings = config.settings.clone();
        ScenarioBuilder { config, settings, ..ScenarioBuilder::default() }
    }

    /// Where the next step stands; parts `node`, `topic`, `condition`, ….
    pub fn at(&mut self, origin: Origin) -> &mut ScenarioBuilder {
        self.next = origin;
        self
    }

    /// The author's own caption of the next step.
    pub fn caption(&mut self, text: impl Into<String>) -> &mut ScenarioBuilder {
        self.caption = Some(text.into());
        self
    }

    /// A producer sends records.
    pub fn produce(
        &mut self,
        producer: &str,
        topic: Option<&str>,
        config: ProduceConfig,
    ) -> &mut ScenarioBuilder {
        self.push(StepKind::Produce {
            producer: producer.into(),
            topic: topic.map(str::to_owned),
            key: config.key,
            value: config.value,
            partition: config.partition,
            acks: config.acks,
            count: config.count,
            awaits: config.awaits,
        })
    }

    /// Any fault in the words of a storm's list, without the time: `lose-disk broker-3`.
    pub fn fault(&mut self, text: impl Into<String>) -> &mut ScenarioBuilder {
        self.push(StepKind::Fault(text.into()))
    }

    /// A node stops in good order.
    pub fn shutdown(&mut self, node: &str) -> &mut ScenarioBuilder {
        self.push(StepKind::Shutdown(node.into()))
    }

    /// The admin client asks for something: `grow orders to 6`.
    pub fn admin(&mut self, text: impl Into<String>) -> &mut ScenarioBuilder {
        self.push(StepKind::Admin(text.into()))
    }

    /// A client does something: `seek orders-0 to earliest`.
    pub fn client(
        &mut self,
        process: &str,
        text: impl Into<String>,
    ) -> &mut ScenarioBuilder {
        self.push(StepKind::Client(process.into(), text.into()))
    }

    /// A setting for this run alone, under Kafka's own name; with `producer.` or
    /// `consumer.` before it, for every such client. The last word counts.
    pub fn setting(
        &mut self,
        name: impl Into<String>,
        value: impl Into<String>,
    ) -> &mut ScenarioBuilder {
        self.settings.insert(name.into(), value.into());
        self
    }

    /// A process dies; its disk stays.
    pub fn crash(&mut self, node: &str) -> &mut ScenarioBuilder {
        self.push(StepKind::Crash(node.into()))
    }

    /// A process that is down starts; a client that is started before anything else happens
    /// to it is not there at first.
    pub fn start(&mut self, node: &str) -> &mut ScenarioBuilder {
        self.push(StepKind::Start(node.into()))
    }

    /// It starts again.
    pub fn restart(&mut self, node: &str) -> &mut ScenarioBuilder {
        self.push(StepKind::Restart(node.into()))
    }

    /// It stands still.
    pub fn pause(&mut self, node: &str) -> &mut ScenarioBuilder {
        self.push(StepKind::Pause(node.into()))
    }

    /// It goes on.
    pub fn resume(&mut self, node: &str) -> &mut ScenarioBuilder {
        self.push(StepKind::Resume(node.into()))
    }

    /// No message passes between the two sides.
    pub fn partition<Id: AsRef<str>>(
        &mut self,
        one: &[Id],
        other: &[Id],
    ) -> &mut ScenarioBuilder {
        let ids = |names: &[Id]| {
            names.iter().map(|name| ProcessId::from(name.as_ref())).collect()
        };
        self.push(StepKind::Partition(ids(one), ids(other)))
    }

    /// Partitions end, paused processes go on.
    pub fn heal(&mut self) -> &mut ScenarioBuilder {
        self.push(StepKind::Heal)
    }

    /// Engine time passes, in ms.
    pub fn wait(&mut self, ms: u64) -> &mut ScenarioBuilder {
        self.push(StepKind::Wait(ms))
    }

    /// Engine time passes until the condition holds, at most `timeout_ms`.
    pub fn wait_until(
        &mut self,
        condition: Condition,
        timeout_ms: u64,
    ) -> &mut ScenarioBuilder {
        self.push(StepKind::WaitUntil { condition, timeout_ms })
    }

    /// The condition must hold now.
    pub fn expect(&mut self, condition: Condition) -> &mut ScenarioBuilder {
        self.push(StepKind::Expect(condition))
    }

    /// A caption of the author's own.
    pub fn say(&mut self, text: impl Into<String>) -> &mut ScenarioBuilder {
        self.push(StepKind::Say(text.into()))
    }

    fn push(&mut self, kind: StepKind) -> &mut ScenarioBuilder {
        let origin = std::mem::take(&mut self.next);
        self.steps.push(Step { kind, caption: self.caption.take(), origin });
        self
    }

    pub(super) fn resolve(
        self,
        topology: &Topology,
        known: &Known,
        found: &mut Vec<Diagnostic>,
    ) -> Scenario {
        let lines = self.steps.iter().filter_map(|step| match &step.kind {
            StepKind::Admin(line) => Some(line.as_str()),
            _ => None,
        });
        let managed = lines.flat_map(str::split_whitespace).map(str::to_owned).collect();
        let checker = Checker { topology, known, managed };
        for step in &self.steps {
            checker.check(step, found);
        }
        let config = self.config;
        let id = match config.id.is_empty() && config.origin == Origin::default() {
            true => "run".to_owned(),
            false => config.id,
        };
        Scenario {
            title: config.title.unwrap_or_else(|| id.clone()),
            id: ScenarioId::from(id),
            description: config.description,
            layer: config.layer,
            play: Play::Run(Run { steps: self.steps, settings: self.settings }),
            origin: config.origin,
        }
    }
}

struct Checker<'a> {
    topology: &'a Topology,
    known: &'a Known,
    /// What the admin's lines speak of: topics that they create or grow are the binding's
    /// to check.
    managed: BTreeSet<String>,
}

impl Checker<'_> {
    fn check(&self, step: &Step, found: &mut Vec<Diagnostic>) {
        let node = |id: &ProcessId, part: &str, found: &mut Vec<Diagnostic>| {
            found.extend(self.process(id, step.origin.part(part)));
        };
        match &step.kind {
            StepKind::Produce { producer, topic, partition, count, .. } => {
                node(producer, "producer", found);
                if !(1..=MOST_RECORDS).contains(count) {
                    let message = format!("a step cannot produce {count} records");
                    let place = step.origin.part("count");
                    found.push(
                        Diagnostic::error("count-out-of-range", message, place)
                            .at(format!("must be between 1 and {MOST_RECORDS}")),
                    );
                }
                let Some(topic) = topic else { return };
                self.topic(topic, step.origin.part("topic"), found);
                if let Some(partition) = partition {
                    let place = step.origin.part("partition");
                    self.partition(topic, *partition, place, found);
                }
            }
            StepKind::Crash(id)
            | StepKind::Start(id)
            | StepKind::Restart(id)
            | StepKind::Pause(id)
            | StepKind::Resume(id)
            | StepKind::Shutdown(id)
            | StepKind::Client(id, _) => node(id, "node", found),
            StepKind::Partition(one, other) => {
                self.sides(one, other, &step.origin, found);
            }
            StepKind::WaitUntil { condition, .. } | StepKind::Expect(condition) => {
                self.condition(condition, step.origin.part("condition"), found);
            }
            // What stands in a fault or an admin's line is for the engine's binding to read.
            StepKind::Fault(_)
            | StepKind::Admin(_)
            | StepKind::Heal
            | StepKind::Wait(_)
            | StepKind::Say(_) => {}
        }
    }

    /// What is wrong with a process's name; an alias names somebody in its own way.
    fn process(&self, id: &ProcessId, span: Option<Span>) -> Option<Diagnostic> {
        match Alias::of(id) {
            None => self.known.process(id.as_str(), span).err().map(|error| *error),
            Some(Ok(_)) => None,
            Some(Err(help)) => {
                let message = format!("nobody is meant by `{id}`");
                Some(Diagnostic::error("unknown-alias", message, span).help(help))
            }
        }
    }

    fn sides(
        &self,
        one: &[ProcessId],
        other: &[ProcessId],
        origin: &Origin,
        found: &mut Vec<Diagnostic>,
    ) {
        for (side, ids) in [("one", one), ("other", other)] {
            for (index, id) in ids.iter().enumerate() {
                let place = origin.part(&format!("{side}[{index}]"));
                found.extend(self.process(id, place));
            }
            if ids.is_empty() {
                found.push(
                    Diagnostic::error(
                        "empty-side",
                        "a partition needs a process on both sides",
                        origin.part(side),
                    )
                    .help("write `partition(['broker-1'], ['broker-2', 'broker-3'])`"),
                );
            }
        }
        if let Some(both) = one.iter().find(|id| other.contains(id)) {
            let message = format!("`{both}` cannot stand on both sides of a partition");
            found.push(
                Diagnostic::error("both-sides", message, origin.whole)
                    .at("a process stands on one side"),
            );
        }
    }

    fn condition(
        &self,
        condition: &Condition,
        span: Option<Span>,
        found: &mut Vec<Diagnostic>,
    ) {
        if let Some(PartitionName { topic, partition }) = condition.partition() {
            self.topic(topic, span, found);
            self.partition(topic, *partition, span, found);
        }
        for process in condition.processes() {
            if let Some(error) = self.process(process, span) {
                // The span is the whole condition, which is no text to replace by an id.
                found.push(Diagnostic { fix: None, ..error });
            }
        }
    }

    /// Topics are checked where the script names them all; otherwise they are inferred.
    fn topic(&self, name: &str, span: Option<Span>, found: &mut Vec<Diagnostic>) {
        let Some(cluster) = &self.topology.cluster else { return };
        let topics = &cluster.topics;
        let is_managed = self.managed.contains(name);
        if topics.is_empty()
            || is_managed
            || topics.iter().any(|topic| topic.name == name)
        {
            return;
        }
        let names: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
        let message = format!("no topic has the name `{name}`");
        let error = Diagnostic::error("unknown-topic", message, span);
        found.push(match nearest(name, names.iter().copied()) {
            Some(near) => error.help(format!("did you mean `{near}`?")),
            None => error.help(format!("known topics: {}", names.join(", "))),
        });
    }

    fn partition(
        &self,
        topic: &str,
        partition: u32,
        span: Option<Span>,
        found: &mut Vec<Diagnostic>,
    ) {
        let topics = self.topology.cluster.iter().flat_map(|cluster| &cluster.topics);
        let count = topics.filter(|t| t.name == topic).find_map(|topic| topic.partitions);
        let count = count.filter(|_| !self.managed.contains(topic));
        let Some(count) = count.filter(|count| partition >= *count && *count > 0) else {
            return;
        };
        let message = format!("topic `{topic}` has no partition {partition}");
        found.push(
            Diagnostic::error("unknown-partition", message, span)
                .at(format!("its partitions are 0 to {}", count - 1)),
        );
    }
}
