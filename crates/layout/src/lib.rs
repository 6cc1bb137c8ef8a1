//! Topology to scene, as an ordered list of small passes.

pub mod check;
mod engine;
mod finish;
pub mod graph;
mod measure;
pub mod neutral;
mod options;
mod read;
mod roles;
#[cfg(test)]
mod testing;
pub mod tokens;

pub use engine::{PASSES, Pass, State};
pub use options::{Options, Spacing};

use topomotion_model::Topology;
use topomotion_scene::Scene;

/// Lays a topology out.
///
/// It accepts every topology: edges whose ends do not exist are left out, and what no row
/// names is placed at the end of its group.
pub fn layout(topology: &Topology, options: &Options) -> Scene {
    let measured = read::read(topology, options);
    let wishes =
        graph::Wishes { aspect_ratio: options.aspect_ratio, spacing: options.spacing };
    let placement = graph::place(&measured.graph, &wishes);
    finish::finish(topology, options, &measured, &placement)
}
