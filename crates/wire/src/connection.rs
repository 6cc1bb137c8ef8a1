//! Connections: ordered, two-way, and either whole or broken.
//!
//! Kafka runs on TCP. Order is first-in-first-out per connection; loss shows up as a broken
//! connection with an unknown outcome for whatever was in flight.

use std::fmt;
use std::sync::Arc;

/// One connection as one of its two ends names it. The dialling end picks a number of its
/// own; the accepting end is told one by the world. The two numberings never meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConnectionId {
    /// This end opened it.
    Dialled(u64),
    /// The other end opened it.
    Accepted(u64),
}

/// Pairs a response with its request on one connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CorrelationId(pub i32);

/// Where a listener can be reached. The simulator uses a process id as the host.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Endpoint {
    /// Host name.
    pub host: Arc<str>,
    /// TCP port.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}
