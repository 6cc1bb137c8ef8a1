//! Kafka's clients as state machines: [`Producer`], [`Consumer`] and [`Admin`].
//!
//! They speak Kafka's own messages to any broker that does, and have the shape that every
//! machine of the engine has ([`Machine`](topomotion_wire::Machine)): inputs and time go in,
//! outputs come out. Settings carry Kafka's names and Kafka's defaults.
//!
//! ```text
//!   application ──send, assign──► Producer, Consumer ──Output──► sim, host
//!                                      ▲────────────── Input ─────┘
//! ```
//!
//! What they do inside (why a batch leaves, where a position comes from, why metadata is
//! asked for) they tell as deeds, [`Fact::Client`](topomotion_wire::Fact::Client).
//!
//! They are **not** connected to anything: whoever drives them opens the connections that
//! they ask for.
//!
//! ```
//! use topomotion_client::{CommonConfig, Producer, ProducerConfig, ProducerRecord};
//! use topomotion_wire::{Endpoint, Instant, Machine, Output, Random};
//!
//! let bootstrap = vec![Endpoint { host: "broker-1".into(), port: 9092 }];
//! let config = ProducerConfig::new(CommonConfig::new("shop", bootstrap));
//! let mut producer = Producer::new(config, Random::new(1, 1));
//! producer.send(Instant::ZERO, ProducerRecord {
//!     topic: "orders".into(), partition: None, key: None,
//!     value: Some("hello".into()), headers: Vec::new(), acks: None,
//! });
//! // Nothing is known about the cluster yet: the first thing wanted is a connection.
//! assert!(matches!(producer.poll(), Some(Output::Open { .. })));
//! assert_eq!(producer.pending(), 1);
//! ```

// Message types are non-exhaustive, so a struct literal with `..Default::default()` is not
// to be had; fields are set one by one.
#![allow(clippy::field_reassign_with_default)]

mod admin;
mod cluster;
mod config;
mod consumer;
mod errors;
mod group_config;
mod group_metadata;
mod metadata;
mod murmur2;
mod network;
mod producer;
mod versions;
mod worker_group;

pub use admin::{Admin, Created, NewTopic, TopicPlacement};
pub use config::{
    CommonConfig, ConsumerConfig, Idempotence, IsolationLevel, Keys, OffsetReset,
    PartitionerClass, ProducerConfig, Spread, TransactionProtocol,
};
pub use consumer::{Consumer, Stop};
pub use group_config::{Commits, GroupConfig, GroupProtocol};
pub use group_metadata::GroupMetadata;
pub use murmur2::{murmur2, partition_for_key};
pub use producer::{OutOfTurn, Producer, ProducerRecord, ProducerState};
pub use topomotion_assignor::Assignor;
pub use versions::newest as newest_version;
pub use worker_group::{WorkerEvent, WorkerGroup, WorkerGroupConfig};
