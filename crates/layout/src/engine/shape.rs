//! The shapes that containers should have, and what it costs to miss them.

use crate::engine::arrange::Spot;
use crate::engine::axis::Axis;
use crate::engine::grid::Grid;
use crate::engine::tree::{BoxId, Tree};

/// What a bad shape costs: px per px of the container's mean side and unit of distortion.
const DISTORTION: f64 = 1.1;
/// A distortion up to this is hardly seen.
const NEAR: f64 = 0.5;
/// How much dearer it is beyond that.
const FAR: f64 = 3.0;
/// So many edges double the weight of the shape: what holds much is seen first.
const MANY_EDGES: f64 = 16.0;

/// Wishes for the shape of the whole and of groups inside, width by height.
#[derive(Debug, Clone, Copy)]
pub struct Shapes {
    /// Of the whole picture.
    pub whole: f64,
    /// Of a group that holds groups.
    pub outer: f64,
    /// Of a group that holds nodes.
    pub inner: f64,
}

impl Shapes {
    /// The wishes for groups inside, given the wish for the whole and the main axis.
    pub fn new(whole: f64, axis: Axis) -> Shapes {
        let whole = if whole.is_finite() { whole.clamp(0.1, 10.0) } else { 1.6 };
        match axis {
            Axis::Y => Shapes { whole, outer: whole * 1.2, inner: whole * 1.5 },
            Axis::X => Shapes { whole, outer: whole * 0.9, inner: whole * 0.7 },
        }
    }

    /// The wish for one container.
    pub fn wanted(&self, tree: &Tree, id: BoxId) -> f64 {
        if id == tree.root {
            self.whole
        } else if tree.members(id).any(|member| tree.is_group(member)) {
            self.outer
        } else {
            self.inner
        }
    }
}

/// What it costs that a container's members take up so much room, in this shape. `whole` is
/// their extent along and across the main axis.
pub fn shape_cost(
    grid: &Grid<'_>,
    id: BoxId,
    whole: Spot,
    wanted: f64,
    edges: usize,
) -> f64 {
    let axis = grid.axis;
    let (before, after) = grid.room(id, axis);
    let (left, right) = grid.room(id, axis.cross());
    let size = axis.size(whole.u + before + after, whole.v + left + right);
    let (width, height) = (size.width.max(1.0), size.height.max(1.0));
    let ratio = width / height / wanted;
    let distortion = if ratio > 1.0 { ratio } else { 1.0 / ratio } - 1.0;
    let side = (width * height).sqrt();
    let distortion = distortion + FAR * (distortion - NEAR).max(0.0);
    side * DISTORTION * distortion * (1.0 + edges as f64 / MANY_EDGES) + side
}
