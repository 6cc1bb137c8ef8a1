//! How a node is doing, told by form and colour.

use topomotion_scene::{NodeState, Paint, Point, Primitive, Rect, Stroke};

use crate::draw;
use crate::theme::Paints;

/// The mark of a state: a disc, a triangle, a cross, a square ring.
pub(crate) fn mark(state: NodeState, dot: Rect, paints: &Paints) -> Vec<Primitive> {
    let middle = dot.center();
    let radius = (dot.width.min(dot.height) / 2.0).clamp(3.0, 6.0);
    let paint = state_paint(state, paints);
    let line = |width| Stroke { paint, width, dash: Vec::new() };
    let at = |x: f64, y: f64| Point::new(middle.x + x * radius, middle.y + y * radius);
    match state {
        NodeState::Running => vec![draw::circle(middle, radius, Some(paint), None)],
        NodeState::Warning => {
            let corners = [at(0.0, -1.05), at(1.1, 0.85), at(-1.1, 0.85)];
            vec![draw::polygon(&corners, Some(paint), Some(line(1.0)))]
        }
        NodeState::Error => vec![
            draw::polyline(&[at(-0.8, -0.8), at(0.8, 0.8)], line(2.5)),
            draw::polyline(&[at(-0.8, 0.8), at(0.8, -0.8)], line(2.5)),
        ],
        NodeState::Stopped => {
            let side = 2.0 * radius - 2.0;
            vec![draw::rect(draw::around(middle, side, side), 1.0, None, Some(line(2.0)))]
        }
    }
}

/// The colour of a state.
pub(crate) fn state_paint(state: NodeState, paints: &Paints) -> Paint {
    paints.solid(state_word(state))
}

/// The state as a word; it is also the name of its colour.
pub(crate) fn state_word(state: NodeState) -> &'static str {
    match state {
        NodeState::Running => "running",
        NodeState::Warning => "warning",
        NodeState::Error => "error",
        NodeState::Stopped => "stopped",
    }
}
