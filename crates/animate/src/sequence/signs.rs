//! Small signs: what is told by colour is told by form as well.

use topomotion_scene::{Point, Primitive};

use super::marks::Sign;
use crate::draw;
use crate::theme::Paints;

/// Fill, border and text of a mark.
pub(crate) fn colors(sign: Sign) -> (&'static str, &'static str, &'static str) {
    match sign {
        Sign::Crash | Sign::Failure | Sign::Flash => ("error-soft", "error", "error-ink"),
        Sign::Pause | Sign::Doubt => ("warning-soft", "warning", "warning-ink"),
        Sign::Recovery => ("surface", "running", "ink"),
        Sign::Lead => ("surface", "crown", "ink"),
        Sign::Change => ("surface", "line", "ink"),
    }
}

/// The sign itself, about 9 px wide.
pub(crate) fn sign(sign: Sign, middle: Point, paints: &Paints) -> Vec<Primitive> {
    let at = |x: f64, y: f64| Point::new(middle.x + x, middle.y + y);
    let fill = |name: &str| Some(paints.solid(name));
    match sign {
        Sign::Crash | Sign::Failure | Sign::Flash => cross(middle, paints),
        Sign::Pause => [-2.5, 2.5]
            .map(|x| {
                draw::polyline(&[at(x, -4.0), at(x, 4.0)], paints.stroke("warning", 2.5))
            })
            .to_vec(),
        Sign::Recovery => vec![draw::circle(middle, 4.0, fill("running"), None)],
        Sign::Lead => {
            let corners = [
                at(-5.0, 4.0),
                at(-5.5, -3.0),
                at(-2.5, 0.0),
                at(0.0, -4.5),
                at(2.5, 0.0),
                at(5.5, -3.0),
                at(5.0, 4.0),
            ];
            let stroke = Some(paints.stroke("crown", 1.0));
            vec![draw::polygon(&corners, fill("crown"), stroke)]
        }
        Sign::Change => {
            let corners = [at(0.0, -4.5), at(4.5, 0.0), at(0.0, 4.5), at(-4.5, 0.0)];
            vec![draw::polygon(&corners, fill("line"), None)]
        }
        Sign::Doubt => {
            let corners = [at(0.0, -4.5), at(4.8, 4.0), at(-4.8, 4.0)];
            vec![draw::polygon(&corners, fill("warning"), None)]
        }
    }
}

/// It does not hold, it failed, it died.
pub(crate) fn cross(middle: Point, paints: &Paints) -> Vec<Primitive> {
    let at = |x: f64, y: f64| Point::new(middle.x + x, middle.y + y);
    let arm = |side: f64| {
        let ends = [at(-4.0, -4.0 * side), at(4.0, 4.0 * side)];
        draw::polyline(&ends, paints.stroke("error", 2.25))
    };
    vec![arm(1.0), arm(-1.0)]
}

/// It holds.
pub(crate) fn tick(middle: Point, paints: &Paints) -> Vec<Primitive> {
    let at = |x: f64, y: f64| Point::new(middle.x + x, middle.y + y);
    let corners = [at(-5.0, 0.0), at(-1.5, 4.0), at(5.5, -4.5)];
    vec![draw::polyline(&corners, paints.stroke("running", 2.5))]
}

/// What the end of a message's line looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    /// Filled: a request.
    Closed,
    /// Two strokes: a response.
    Open,
}

/// The end of a message's line.
pub(crate) fn arrow_head(
    from: Point,
    tip: Point,
    head: Head,
    color: &str,
    paints: &Paints,
) -> Primitive {
    let (dx, dy) = (tip.x - from.x, tip.y - from.y);
    let length = (dx * dx + dy * dy).sqrt().max(1e-9);
    let (ux, uy) = (dx / length, dy / length);
    let wing = |side: f64| {
        Point::new(tip.x - ux * 8.0 - uy * 4.2 * side, tip.y - uy * 8.0 + ux * 4.2 * side)
    };
    let corners = [wing(1.0), tip, wing(-1.0)];
    match head {
        Head::Open => draw::polyline(&corners, paints.stroke(color, 1.5)),
        Head::Closed => {
            let rim = Some(paints.stroke(color, 1.0));
            draw::polygon(&corners, Some(paints.solid(color)), rim)
        }
    }
}
