//! What a caller may ask of a layout, beside the topology itself.

use std::collections::BTreeMap;

use topomotion_model::{Direction, ProcessId};
use topomotion_scene::Size;

use crate::tokens;

/// Wishes for one layout.
#[derive(Debug, Clone, PartialEq)]
pub struct Options {
    /// Main direction, if the topology's own is not wanted.
    pub direction: Option<Direction>,
    /// Width by height that the picture should come near to.
    pub aspect_ratio: f64,
    /// Room to keep free below the bodies of some processes, e.g. for a partition strip.
    pub panels: BTreeMap<ProcessId, Size>,
    /// Roles that are known better than by the topology and by its names.
    pub roles: BTreeMap<ProcessId, String>,
    /// Distances.
    pub spacing: Spacing,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            direction: None,
            aspect_ratio: tokens::ASPECT_RATIO,
            panels: BTreeMap::new(),
            roles: BTreeMap::new(),
            spacing: Spacing::default(),
        }
    }
}

/// Least distances between things, px.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spacing {
    /// Between neighbouring boxes of one row.
    pub between_nodes: f64,
    /// Between rows.
    pub between_rows: f64,
    /// Between sibling groups.
    pub between_groups: f64,
    /// Between a group's border and its members.
    pub padding: f64,
    /// Between parallel edges.
    pub lane: f64,
    /// Between an edge and a box that it passes.
    pub clearance: f64,
    /// Around the whole picture.
    pub margin: f64,
}

impl Default for Spacing {
    fn default() -> Spacing {
        Spacing {
            between_nodes: 32.0,
            between_rows: 36.0,
            between_groups: 28.0,
            padding: 20.0,
            lane: 12.0,
            clearance: 12.0,
            margin: 24.0,
        }
    }
}
