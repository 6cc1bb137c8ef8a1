//! One Kafka node: its partitions, its controller, its metadata.

mod config;
pub mod metadata;
mod node;
mod view;

pub use config::{BrokerSettings, NodeConfig, Roles, UncleanElection};
pub use node::Node;
pub use view::{BrokerStatus, ReplicaView};
