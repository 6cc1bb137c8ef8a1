//! Checks on the built topology.

use crate::{Diagnostic, Topology};

/// Every finding on a topology.
pub fn lint(_topology: &Topology) -> Vec<Diagnostic> {
    Vec::new()
}
