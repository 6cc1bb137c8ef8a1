//! What the tests of this crate share.

mod rig;
mod stories;

use topomotion_wire::{Endpoint, Incarnation, NodeId};
use uuid::Uuid;

use crate::config::{BrokerSettings, NodeConfig, Roles};

/// A broker's config in a cluster with one controller, 100.
pub(crate) fn config(id: i32) -> NodeConfig {
    NodeConfig {
        id: NodeId(id),
        roles: Roles::Broker,
        endpoint: endpoint(id),
        voters: vec![(NodeId(100), endpoint(100))],
        incarnation: Incarnation(Uuid::from_u128(1)),
        rack: None,
        settings: BrokerSettings::default(),
        wall_clock_base_ms: 0,
    }
}

pub(crate) fn endpoint(id: i32) -> Endpoint {
    Endpoint { host: format!("node-{id}").into(), port: 9092 }
}
