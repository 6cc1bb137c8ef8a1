//! Flowcharts: nodes, links and subgraphs to processes, connections and groups.

mod chart;
mod draw;
mod links;
mod nodes;
mod shapes;
mod statements;
mod styles;

use topomotion_model::builder::TopologyBuilder;

use super::scan::{Findings, Scanner};

/// Reads the statements behind the header, and draws them. Gives the number of nodes and
/// subgraphs.
pub(super) fn compile(
    scanner: Scanner<'_>,
    builder: &mut TopologyBuilder,
    findings: &mut Findings,
) -> usize {
    let chart = statements::read(scanner, builder.direction, findings);
    draw::draw(&chart, builder, findings);
    chart.vertices.len() + chart.subgraphs.len()
}
