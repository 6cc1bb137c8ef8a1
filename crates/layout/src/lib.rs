//! Topology to scene, as an ordered list of small passes.
//!
//! ```text
//!   model ──Topology──► layout ──Scene──► animate
//!                         │  (text measures)
//!          read ► Graph ► passes ► Placement ► finish
//! ```
//!
//! [`layout`] measures every text, gives sizes to an abstract [`graph::Graph`], lets the engine
//! place it, and writes the result as a scene. It decides where things are, and nothing else:
//! it knows no time, no colours and no pixels, and it never fails. Whatever the topology, no
//! box overlaps another, no edge runs through a stranger's box or a title, and no label lies
//! on anything; the [`check`]er proves it after every layout of a debug build.
//!
//! The engine's [`PASSES`] are its files, in order. Boxes are put in rows, rows in order, edges
//! on free lines between the boxes. That is a *sketch*, in which only the order of
//! things counts; then room is made for all of them, one axis after the other. A picture
//! whose things are in a proven order, with gaps between them, cannot have faults, and edges and
//! labels get the room they need instead of what was left over.
//!
//! The same topology gives the same scene on every machine: no hash order, and no arithmetic
//! but `+ − × ÷ √`.
//!
//! ```
//! use topomotion_layout::graph::{Edge, Graph, Member, Node, Wishes, place};
//! use topomotion_scene::Size;
//!
//! let size = Size { width: 120.0, height: 46.0 };
//! let node = |id: &str| Node { id: id.into(), size, ..Node::default() };
//! let graph = Graph {
//!     nodes: vec![node("producer"), node("broker")],
//!     edges: vec![Edge {
//!         id: "produce".into(),
//!         source: Member::Node(0),
//!         target: Member::Node(1),
//!         label: None,
//!     }],
//!     ..Graph::default()
//! };
//! let placement = place(&graph, &Wishes::default());
//! assert!(topomotion_layout::check::faults(&graph, &placement).is_empty());
//! ```

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
    layout_with_effort(topology, options).0
}

/// The same, and whether the topology was too large for all searches to be finished.
pub fn layout_with_effort(
    topology: &Topology,
    options: &Options,
) -> (Scene, graph::Effort) {
    let measured = read::read(topology, options);
    let wishes =
        graph::Wishes { aspect_ratio: options.aspect_ratio, spacing: options.spacing };
    let placement = graph::place(&measured.graph, &wishes);
    let scene = finish::finish(topology, options, &measured, &placement);
    (scene, placement.effort)
}
