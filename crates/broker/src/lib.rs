//! One Kafka node: its partitions, its controller, its metadata.
//!
//! A [`Node`] is a broker, a controller, or both, and one deterministic state machine: inputs
//! and time go in, messages, disk operations, marks and facts come out
//! ([`Machine`](topomotion_wire::Machine)). It behaves as Kafka 4.x does in KRaft mode, and
//! says with every step which rule acted.
//!
//! It is **not** a server: it opens no socket, reads no file and no clock; whoever drives it
//! does. It is not a client either.
//!
//! ```text
//!            ┌───────────────────────────── Node ─────────────────────────────┐
//!   clients ─┤ Inbound ─► api ─► Broker (replicas, purgatory, fetchers) ─► Log │
//!   nodes  ──┤ Peers       │        ▲ image deltas (CTL-14)                    │
//!   disk   ──┤             └─► ActiveController ─► Quorum (metadata log)       │
//!            └────────────────────────────────────────────────────────────────┘
//! ```
//!
//! The central types are [`Node`] with its [`NodeConfig`], [`ReplicaView`] (a partition as
//! one replica sees it), and [`metadata`]: the records of the metadata log and the
//! [`MetadataImage`](metadata::MetadataImage) that they add up to.
//!
//! Bytes become requests, and answers bytes, in [`frames`]; whoever has a socket uses it.
//!
//! Not modelled, and said so where a client asks: tiered storage. Followers
//! fetch without sessions ([`FetchSessions`]) unless told otherwise: each of their requests
//! names all of its partitions, as a picture needs it.
//!
//! ```
//! use topomotion_broker::{BrokerSettings, BrokerStatus, Node, NodeConfig, Roles};
//! use topomotion_wire::{
//!     DiskOp, Endpoint, Files, Incarnation, Input, Instant, Machine, NodeId, Output, Random,
//! };
//!
//! // A cluster of one: it elects itself, registers with itself, and serves.
//! let endpoint = Endpoint { host: "kafka-1".into(), port: 9092 };
//! let config = NodeConfig {
//!     id: NodeId(1),
//!     roles: Roles::Combined,
//!     endpoint: endpoint.clone(),
//!     voters: vec![(NodeId(1), endpoint)],
//!     incarnation: Incarnation::default(),
//!     rack: None,
//!     settings: BrokerSettings::default(),
//!     wall_clock_base_ms: 0,
//! };
//! let mut now = Instant::ZERO;
//! let mut node = Node::start(config, Files::new(), now, Random::new(1, 1));
//! while !matches!(node.broker_status(), BrokerStatus::Running(_)) {
//!     while let Some(output) = node.poll() {
//!         if let Output::Disk(DiskOp::Flush { token, .. }) = output {
//!             node.handle(now, Input::Flushed { token });
//!         }
//!     }
//!     if let Some(due) = node.deadline() {
//!         now = due;
//!         node.tick(now);
//!     }
//! }
//! assert!(node.is_active_controller());
//! assert_eq!(node.image().active_brokers().count(), 1);
//! ```

pub mod acl;
mod api;
mod broker;
mod config;
mod controller;
mod coordinators;
mod eras;
pub mod frames;
pub mod metadata;
mod net;
mod node;
mod replica;
pub mod scram;
#[cfg(test)]
mod testing;
mod topic_ids;
mod topic_settings;
mod view;

pub use api::CLUSTER_ID;
pub use api::describe_log_dirs::Volume;
pub use config::{
    AutoCreateTopics, BrokerSettings, CheckQuorum, Elr, FetchSessions, GroupConfig,
    GroupVersion, IsrAdmission, IsrFencing, KraftVersion, NodeConfig, PreVote,
    ReplicaSelector, Roles, StrictMinIsr, TimestampType, TransactionConfig,
    TransactionVersion, Truncation, UncleanElection,
};
pub use node::Node;
pub use view::{BrokerStatus, ReplicaView};
