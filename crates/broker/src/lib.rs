//! One Kafka node: its partitions, its controller, its metadata.

mod api;
mod broker;
mod config;
mod controller;
pub mod metadata;
mod net;
mod node;
mod replica;
#[cfg(test)]
mod testing;
mod view;

pub use config::{BrokerSettings, NodeConfig, Roles, UncleanElection};
pub use node::Node;
pub use view::{BrokerStatus, ReplicaView};
