//! A scene in its colours: the backdrop on which everything else plays.
//!
//! Order is depth: groups, connections, nodes, labels of the connections. Nothing here moves
//! or resizes what the layout placed.

mod edge;
mod group;
mod icon;
mod node;
mod outline;
pub(crate) mod protocol;
mod state;
mod tips;

use std::collections::BTreeSet;

use topomotion_scene::{Item, Scene};

use crate::theme::Paints;

pub(crate) use edge::{head, rounded, shaft, stroke};
pub(crate) use node::{display_name, names};
pub(crate) use outline::{contour, outline};
pub(crate) use state::{mark, state_word};

/// Everything that never changes. The processes in `changing` are painted without their state
/// mark, which is then somebody else's to draw.
pub(crate) fn backdrop(
    scene: &Scene,
    paints: &mut Paints,
    changing: &BTreeSet<String>,
) -> Vec<Item> {
    let mut items = Vec::new();
    items.extend(scene.groups.iter().map(|group| group::paint(group, paints)));
    items.extend(scene.routes.iter().map(|route| edge::paint(route, scene, paints)));
    for node in &scene.nodes {
        let mut item = node::paint(node, paints);
        if !changing.contains(&node.id) {
            item.primitives.extend(mark(node.state, node.dot, paints));
        }
        items.push(item);
    }
    items.extend(
        scene.routes.iter().filter_map(|route| edge::label(route, scene, paints)),
    );
    items
}
