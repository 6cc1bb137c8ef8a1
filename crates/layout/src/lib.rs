//! Topology to scene, as an ordered list of small passes.
