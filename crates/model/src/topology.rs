//! What there is: groups, processes, edges, and the Kafka cluster among them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{EdgeId, GroupId, Origin, ProcessId, Scenario};

/// A whole diagram, as the script described it. Everything keeps the script's order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Topology {
    /// Title above the picture.
    pub title: Option<String>,
    /// A sentence or two for those who cannot see the picture.
    pub description: Option<String>,
    /// Who decides positions.
    pub placement: Placement,
    /// Main direction of the layers.
    pub direction: Direction,
    /// Groups and processes that stand in no group, row by row.
    pub rows: Vec<Vec<Member>>,
    /// Groups in order of creation; a parent comes before its children.
    pub groups: Vec<Group>,
    /// Processes in order of creation, replicas already spelled out (`id-1 … id-n`).
    pub processes: Vec<Process>,
    /// Connections in order of creation; one that named a replicated base id is spelled out.
    pub edges: Vec<Edge>,
    /// The Kafka cluster that the script names, if it names one.
    pub cluster: Option<Cluster>,
    /// Scenarios in order of creation.
    pub scenarios: Vec<Scenario>,
}

impl Topology {
    /// The group with this id.
    pub fn group(&self, id: &GroupId) -> Option<&Group> {
        self.groups.iter().find(|group| group.id == *id)
    }

    /// The process with this id.
    pub fn process(&self, id: &ProcessId) -> Option<&Process> {
        self.processes.iter().find(|process| process.id == *id)
    }

    /// The edge with this id.
    pub fn edge(&self, id: EdgeId) -> Option<&Edge> {
        self.edges.get(id.0)
    }
}

/// Who decides where things stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Placement {
    /// Positions are computed; given ones are ignored.
    #[default]
    Automatic,
    /// Groups and processes with a position stay there; the rest is placed around them.
    Manual,
}

/// Main direction of the layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Dialling ends above dialled ends.
    #[default]
    Down,
    /// Dialling ends left of dialled ends.
    Right,
    /// Dialling ends below dialled ends.
    Up,
    /// Dialling ends right of dialled ends.
    Left,
}

/// A position in px, from the top left corner.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Point {
    /// To the right.
    pub x: f64,
    /// Downwards.
    pub y: f64,
}

/// An extent in px.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Size {
    /// To the right.
    pub width: f64,
    /// Downwards.
    pub height: f64,
}

/// What stands in a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// A nested group.
    Group(GroupId),
    /// A process.
    Process(ProcessId),
}

/// A frame around processes and other groups.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Unique among groups.
    pub id: GroupId,
    /// Title; the id if the script gave none.
    pub label: String,
    /// The group it stands in.
    pub parent: Option<GroupId>,
    /// Its members, row by row (`newRow`).
    pub rows: Vec<Vec<Member>>,
    /// Least size, where the script asked for one and did not ask for `autoResize`.
    pub size: Option<Size>,
    /// Where it was put, under [`Placement::Manual`].
    pub position: Option<Point>,
    /// Border style, e.g. `dashed`.
    pub style: Option<String>,
    /// Colour, as the script wrote it (a role's name or `#rrggbb`).
    pub color: Option<String>,
    /// Shown only with this layer.
    pub layer: Option<String>,
    /// Details.
    pub description: Option<String>,
    /// Where the script said so.
    pub origin: Origin,
}

/// One process: what can dial and be dialled.
#[derive(Debug, Clone, PartialEq)]
pub struct Process {
    /// Unique among processes.
    pub id: ProcessId,
    /// What stands in its box; the id if the script gave none.
    pub label: String,
    /// The group it stands in.
    pub group: Option<GroupId>,
    /// How it is doing at the start.
    pub state: ProcessState,
    /// Outline.
    pub shape: Shape,
    /// Icon name; `None` means the role's own.
    pub icon: Option<String>,
    /// The base id, if it is one of several replicas.
    pub replica_of: Option<ProcessId>,
    /// Shards or partitions named on its badge (`p0,p1` gives two).
    pub shards: Vec<String>,
    /// Its part in those shards.
    pub shard_role: Option<ShardRole>,
    /// Colour, as the script wrote it (a role's name or `#rrggbb`); `None` means the role's.
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
    /// Where it was put, under [`Placement::Manual`].
    pub position: Option<Point>,
    /// Where the script said so.
    pub origin: Origin,
}

/// How a process is doing.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "lowercase")]
pub enum ProcessState {
    /// Green.
    #[default]
    Running,
    /// Yellow.
    Warning,
    /// Red.
    Error,
    /// Grey.
    Stopped,
}

/// A process's outline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Shape {
    /// A rounded box.
    #[default]
    Default,
    /// A drum: stored data.
    Cylinder,
    /// A rhombus: a decision.
    Diamond,
    /// Somebody else's computer.
    Cloud,
    /// Six corners.
    Hexagon,
    /// A slanted box: input and output.
    Parallelogram,
    /// A circle.
    Circle,
}

/// A process's part in its shards.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ShardRole {
    /// Leads them.
    Primary,
    /// Follows.
    Replica,
    /// Votes only.
    Arbiter,
}

/// What a process is to the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProcessRole {
    /// Stores partitions and serves clients.
    Broker,
    /// A voter of the metadata quorum.
    Controller,
    /// Sends records.
    Producer,
    /// Fetches records.
    Consumer,
    /// Keeps schemas.
    SchemaRegistry,
    /// A Kafka Connect worker.
    Connect,
    /// A stream processor: consumes and produces.
    Streams,
    /// A ZooKeeper server.
    Zookeeper,
    /// Keeps tables. The engine takes it, as all that follow, for a [`ProcessRole::Service`].
    Database,
    /// Keeps copies for a while.
    Cache,
    /// Hands messages on, other than Kafka.
    Queue,
    /// Lets calls in.
    Gateway,
    /// Keeps files or objects.
    Storage,
    /// Anything else.
    Service,
}

impl ProcessRole {
    /// What the process is to the engine: that some services look different is for readers.
    pub fn in_engine(self) -> ProcessRole {
        match self {
            ProcessRole::Database
            | ProcessRole::Cache
            | ProcessRole::Queue
            | ProcessRole::Gateway
            | ProcessRole::Storage => ProcessRole::Service,
            other => other,
        }
    }
}

/// Settings of one process for the engine; what is absent is inferred.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct KafkaSettings {
    /// Acknowledgements that a producer asks for.
    pub acks: Option<crate::Acks>,
    /// A consumer's group.
    pub group_id: Option<String>,
    /// Topics that a client uses.
    pub topics: Vec<String>,
    /// A node's id.
    pub node_id: Option<i32>,
    /// A broker's rack.
    pub rack: Option<String>,
    /// Any other setting, under Kafka's own name.
    pub settings: BTreeMap<String, String>,
}

/// What a process can carry.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Capacity {
    /// Requests per second.
    pub max_rps: Option<f64>,
    /// Instances.
    pub replicas: Option<u32>,
}

/// A connection: `source` dials `target`; both directions travel on it.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// Its place in the topology.
    pub id: EdgeId,
    /// Who dials.
    pub source: End,
    /// Who is dialled.
    pub target: End,
    /// Any string; known ones have a look of their own.
    pub protocol: Option<String>,
    /// The script's `type`; `pulse` pulses, `line both circle circles cross crosses` change
    /// what stands at the ends.
    pub kind: Option<String>,
    /// Text along it.
    pub label: Option<String>,
    /// Shown only with this layer.
    pub layer: Option<String>,
    /// `dashed`, `dotted`, `thick`.
    pub style: Option<String>,
    /// Colour, as the script wrote it.
    pub color: Option<String>,
    /// Where the script said so; parts `source`, `target`, `label`.
    pub origin: Origin,
}

impl Edge {
    /// Whether it is said to speak Kafka's protocol.
    pub fn speaks_kafka(&self) -> bool {
        self.protocol.as_deref().is_some_and(|name| name.eq_ignore_ascii_case("kafka"))
    }
}

/// One end of an edge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// A process.
    Process(ProcessId),
    /// A whole group.
    Group(GroupId),
}

impl End {
    /// The process, unless it is a group.
    pub fn process(&self) -> Option<&ProcessId> {
        match self {
            End::Process(id) => Some(id),
            End::Group(_) => None,
        }
    }
}

/// The Kafka cluster that a topology shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cluster {
    /// Its topics; empty means inferred from the topology.
    pub topics: Vec<Topic>,
    /// Settings for every broker and controller, under Kafka's own names.
    pub settings: BTreeMap<String, String>,
    /// Seed of everything random in its runs.
    pub seed: u64,
    /// Where the script said so.
    pub origin: Origin,
}

/// A topic to be created before a scenario starts.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// Number of partitions; `None` means inferred (or Kafka's default of 1).
    pub partitions: Option<u32>,
    /// Copies of each; `None` means as many as there are brokers, at most 3.
    pub replication_factor: Option<u32>,
    /// `min.insync.replicas`; `None` means Kafka's default of 1.
    pub min_insync_replicas: Option<u32>,
    /// Replicas of each partition, leader first, where the script placed them by hand.
    pub assignment: Vec<Vec<ProcessId>>,
    /// Any other setting, under Kafka's own name.
    pub settings: BTreeMap<String, String>,
    /// Where the script said so; parts `name`, `partitions`, `replicationFactor`, ….
    pub origin: Origin,
}
