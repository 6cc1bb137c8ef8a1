//! Connections: what others ask of this node, and what this node asks of others.

mod effects;
mod inbound;
mod peers;

pub(crate) use effects::{Answer, Ask, Asked, Effects, Purpose, RecoveryPoints, Ticket};
pub(crate) use inbound::{Call, Inbound, Refused};
pub(crate) use peers::{Peers, Unexpected};
