//! Groups through a broker: found, joined, moved with their coordinator.
