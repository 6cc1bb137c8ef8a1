//! Sequence diagrams: participants to processes, pairs that speak to connections, messages to
//! the steps of scripted scenarios.
//!
//! A film tells one course of events. Where a diagram has alternatives, each branch of `alt`,
//! `critical` and `break` is played in a scenario of its own; loops are played once.

mod lines;
mod plot;
mod tell;

use topomotion_model::builder::TopologyBuilder;

use super::scan::{Findings, Scanner};

/// Reads the lines behind the header, and writes the scenarios. Gives the number of
/// participants and boxes.
pub(super) fn compile(
    scanner: Scanner<'_>,
    builder: &mut TopologyBuilder,
    findings: &mut Findings,
) -> usize {
    let plot = lines::read(scanner, findings);
    tell::tell(&plot, builder, findings);
    plot.participants.len() + plot.boxes.len()
}
