//! Checks on the built topology.
