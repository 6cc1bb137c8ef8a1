//! The deterministic world in which nodes, clients and faults meet.
