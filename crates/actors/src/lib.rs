//! The processes around Kafka, on the same terms as Kafka itself: state machines that speak
//! real protocols ([`SchemaRegistry`], [`SchemaProducer`], [`SchemaConsumer`], [`Service`]).
//!
//! Each may contain clients of Kafka; to its driver it is one
//! [`Machine`](topomotion_wire::Machine). The registry keeps its schemas in a compacted
//! topic on the cluster, through a producer and a consumer of its own, and answers over HTTP
//! as Confluent's Schema Registry does.
//!
//! ```text
//!   SchemaProducer ──POST /subjects/…──► SchemaRegistry ──Produce, Fetch──► Kafka
//!         └──────── 0x00 · id · payload ────────────────────────────────────► Kafka
//! ```
//!
//! What is decided about schemas, [`schema`] decides: it parses Avro, JSON Schema and
//! Protobuf, and says in words why one schema cannot read what another wrote.
//!
//! ```
//! use topomotion_actors::schema::{Schema, SchemaType};
//!
//! let before = r#"{"type":"record","name":"Order","fields":[{"name":"id","type":"string"}]}"#;
//! let after = r#"{"type":"record","name":"Order","fields":[
//!     {"name":"id","type":"string"},{"name":"note","type":"string"}]}"#;
//! let parse = |text| Schema::parse(SchemaType::Avro, text).expect("good Avro");
//! let reasons = parse(after).cannot_read(&parse(before));
//! assert_eq!(reasons.len(), 1, "the new field has no default");
//! ```

mod actor;
mod caller;
mod connect;
mod database;
mod handler;
mod health;
mod loader;
mod reader;
mod registry;
pub mod schema;
mod serde;
mod service;
mod store;
mod streams;
mod switchboard;
mod zk_broker;
mod zookeeper;

pub use actor::Actor;
pub use caller::{CallFailure, CallId, Caller, Outcome};
pub use connect::{ConnectConfig, ConnectWorker, InsertMode, SinkConfig, SourceConfig};
pub use database::{Database, Statement};
pub use handler::{Handler, HandlerConfig};
pub use registry::{RegistryConfig, SchemaRegistry};
pub use serde::{Registration, SchemaConsumer, SchemaProducer, SerdeConfig};
pub use service::{Downstream, Service, ServiceConfig};
pub use store::DocumentStore;
pub use streams::{Guarantee, StreamConfig, StreamTask};
pub use zk_broker::{Assignment, ZkBroker, ZkBrokerConfig, znodes};
pub use zookeeper::{ZooKeeperConfig, ZooKeeperServer};
