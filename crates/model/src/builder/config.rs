//! What the builder's methods take: plain data with defaults, each with its origin.

use std::collections::BTreeMap;

use crate::{Acks, Awaits, ShardRole};
use crate::{Capacity, KafkaSettings, Origin, Point, ProcessRole, ProcessState, Shape};

/// A group to be made. Only the id is required.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GroupConfig {
    /// Unique among groups.
    pub id: String,
    /// Title; the id if absent.
    pub label: Option<String>,
    /// The group that it stands in, made before; where the call itself does not say it.
    pub parent: Option<String>,
    /// Least width in px, without `autoResize`.
    pub width: Option<f64>,
    /// Least height in px, without `autoResize`.
    pub height: Option<f64>,
    /// Border style, e.g. `dashed`.
    pub style: Option<String>,
    /// A role's name or `#rrggbb`.
    pub color: Option<String>,
    /// Shown only with this layer.
    pub layer: Option<String>,
    /// Details.
    pub description: Option<String>,
    /// Where it is put, under manual placement.
    pub position: Option<Point>,
    /// Where the script said so; part `id`.
    pub origin: Origin,
}

impl GroupConfig {
    /// A group with this id and nothing else said.
    pub fn new(id: impl Into<String>) -> GroupConfig {
        GroupConfig { id: id.into(), ..GroupConfig::default() }
    }
}

/// A process to be made. Only the id is required.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProcessConfig {
    /// Unique among processes; the base id if there are replicas.
    pub id: String,
    /// What stands in its box; the id if absent.
    pub label: Option<String>,
    /// The group that it stands in, made before; where the call itself does not say it.
    pub group: Option<String>,
    /// How it is doing at the start.
    pub state: ProcessState,
    /// Outline.
    pub shape: Shape,
    /// One of [`ICONS`](crate::names::ICONS); the role's own if absent.
    pub icon: Option<String>,
    /// Makes `id-1 … id-n` instead of one process.
    pub replicas: Option<i64>,
    /// Badge text; a list in one string is allowed: `p0,p1`.
    pub shard_id: Option<String>,
    /// Its part in those shards.
    pub shard_role: Option<ShardRole>,
    /// A role's name or `#rrggbb`; its own role's colour if absent.
    pub color: Option<String>,
    /// Outside one's own hands.
    pub external: bool,
    /// Shown in the details.
    pub capacity: Option<Capacity>,
    /// Details.
    pub description: Option<String>,
    /// Shown only with this layer.
    pub layer: Option<String>,
    /// What it is, when inference should not decide.
    pub role: Option<ProcessRole>,
    /// Settings for the engine, when inference should not decide.
    pub kafka: KafkaSettings,
    /// Where it is put, under manual placement.
    pub position: Option<Point>,
    /// Where the script said so; parts `id`, `replicas`, `icon`, ….
    pub origin: Origin,
}

impl ProcessConfig {
    /// A process with this id and nothing else said.
    pub fn new(id: impl Into<String>) -> ProcessConfig {
        ProcessConfig { id: id.into(), ..ProcessConfig::default() }
    }
}

/// A connection to be made: `source` dials `target`.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EdgeConfig {
    /// The dialling process, or else group.
    pub source: String,
    /// The dialled process, or else group.
    pub target: String,
    /// Any string.
    pub protocol: Option<String>,
    /// The script's `type`.
    pub kind: Option<String>,
    /// Text along it.
    pub label: Option<String>,
    /// Shown only with this layer.
    pub layer: Option<String>,
    /// `dashed`, `dotted`, ….
    pub style: Option<String>,
    /// A role's name or `#rrggbb`.
    pub color: Option<String>,
    /// Where the script said so; parts `source`, `target`, `label`.
    pub origin: Origin,
}

impl EdgeConfig {
    /// A plain connection.
    pub fn new(source: impl Into<String>, target: impl Into<String>) -> EdgeConfig {
        EdgeConfig {
            source: source.into(),
            target: target.into(),
            ..EdgeConfig::default()
        }
    }
}

/// The head of a scenario.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ScenarioConfig {
    /// Unique among scenarios.
    pub id: String,
    /// Shown above the picture; the id if absent.
    pub title: Option<String>,
    /// A sentence or two.
    pub description: Option<String>,
    /// Shown only with this layer.
    pub layer: Option<String>,
    /// Settings of this run alone, as [`Run::settings`](crate::Run::settings) has them.
    pub settings: BTreeMap<String, String>,
    /// Where the script said so; parts `id` and `settings.NAME`.
    pub origin: Origin,
}

impl ScenarioConfig {
    /// A scenario with this id and title.
    pub fn new(id: impl Into<String>, title: impl Into<String>) -> ScenarioConfig {
        ScenarioConfig {
            id: id.into(),
            title: Some(title.into()),
            ..ScenarioConfig::default()
        }
    }
}

/// What a `produce` step sends.
#[derive(Debug, Clone, PartialEq)]
pub struct ProduceConfig {
    /// Record key.
    pub key: Option<String>,
    /// Record value; numbered if absent.
    pub value: Option<String>,
    /// Partition, where the key shall not decide.
    pub partition: Option<u32>,
    /// Acknowledgements, where the producer's own setting shall not decide.
    pub acks: Option<Acks>,
    /// How many records; one by default.
    pub count: u32,
    /// What the run waits for.
    pub awaits: Awaits,
}

impl Default for ProduceConfig {
    fn default() -> ProduceConfig {
        ProduceConfig {
            key: None,
            value: None,
            partition: None,
            acks: None,
            count: 1,
            awaits: Awaits::default(),
        }
    }
}
