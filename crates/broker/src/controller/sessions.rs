//! When the active controller last heard of each broker (CTL-9).
//!
//! Soft state: it dies with the leadership, and a new controller gives everyone a fresh
//! session.

use std::collections::BTreeMap;

use topomotion_wire::{Duration, Instant, NodeId, Offset};

/// The brokers' sessions.
#[derive(Debug, Clone)]
pub(super) struct Sessions {
    timeout: Duration,
    last_contact: BTreeMap<NodeId, Instant>,
    /// The last metadata offset that each of them has applied.
    applied: BTreeMap<NodeId, Offset>,
    /// The last metadata offset of each controlled shutdown.
    shutdowns: BTreeMap<NodeId, Offset>,
}

impl Sessions {
    pub(super) fn new(timeout: Duration) -> Sessions {
        Sessions {
            timeout,
            last_contact: BTreeMap::new(),
            applied: BTreeMap::new(),
            shutdowns: BTreeMap::new(),
        }
    }

    pub(super) fn note_applied(&mut self, broker: NodeId, offset: Offset) {
        self.applied.insert(broker, offset);
    }

    pub(super) fn applied(&self, broker: NodeId) -> Option<Offset> {
        self.applied.get(&broker).copied()
    }

    pub(super) fn note_shutdown(&mut self, broker: NodeId, offset: Offset) {
        self.shutdowns.insert(broker, offset);
    }

    pub(super) fn shutdown_at(&self, broker: NodeId) -> Option<Offset> {
        self.shutdowns.get(&broker).copied()
    }

    pub(super) fn touch(&mut self, broker: NodeId, now: Instant) {
        self.last_contact.insert(broker, now);
    }

    /// The broker said goodbye: nobody has to wait until its session runs out.
    pub(super) fn end(&mut self, broker: NodeId) {
        self.last_contact.remove(&broker);
    }

    /// When the session ends, if nothing more is heard of the broker.
    pub(super) fn expires_at(&self, broker: NodeId) -> Option<Instant> {
        self.last_contact.get(&broker).map(|&at| at + self.timeout)
    }

    pub(super) fn is_valid(&self, broker: NodeId, now: Instant) -> bool {
        self.expires_at(broker).is_some_and(|at| now < at)
    }
}
