//! Topologies and scenarios as plain data, with the builder that makes them.
//!
//! A [`Topology`] says *what there is*: groups, processes, connections. A [`Scenario`] says
//! *what happens*: either a [`Flow`] that the author wrote out hop by hop, or a [`Run`] that
//! the engine executes. Neither knows where anything is drawn, nor how long anything takes.
//!
//! ```text
//!   script (.ts .js .yaml) ──► TopologyBuilder ──► Topology ──► layout, sim
//!   Rust program           ──┘
//! ```
//!
//! The model is not a parser (that is `script`) and not a simulator (that is `sim`). It
//! holds what all front ends share: names, defaults, the checks on the built topology
//! ([`lint`]) and the form in which mistakes are told ([`Diagnostic`]).

mod alias;
pub mod builder;
mod clusters;
mod condition;
mod condition_text;
mod diagnostic;
mod ids;
mod labels;
mod layers;
pub mod lint;
pub mod names;
mod nearest;
mod roles;
mod scenario;
mod topology;

pub use alias::Alias;
pub use builder::TopologyBuilder;
pub use condition::{
    Comparison, Condition, Count, INVARIANTS, PartitionName, ReplicaSet, Stateful, Term,
};
pub use condition_text::ConditionError;
pub use diagnostic::{Diagnostic, FileId, Fix, Label, Origin, Severity, Span};
pub use ids::{EdgeId, GroupId, ProcessId, ScenarioId};
pub use labels::{partition_on_badge, produced_topic};
pub use nearest::nearest;
pub use scenario::{
    Acks, Awaits, Flow, FlowStep, FlowStepKind, Heading, Hop, Play, Run, Scenario, Step,
    StepKind,
};
pub use topology::{
    Capacity, Cluster, Direction, Edge, End, Group, KafkaSettings, Member, Placement,
    Point, Process, ProcessRole, ProcessState, Shape, ShardRole, Size, Topic, Topology,
};
