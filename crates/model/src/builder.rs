//! The builder beneath every front end.
/// Makes a topology.
#[derive(Debug, Default)]
pub struct TopologyBuilder;
