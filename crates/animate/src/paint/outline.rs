//! The seven outlines of a node's body.

use topomotion_scene::{Outline, Paint, PathCommand, Point, Primitive, Rect, Stroke};

use crate::draw;
use crate::tokens::RADIUS_NODE;

/// Control points of a quarter circle, as part of its radius.
const ROUND: f64 = 0.5523;

/// The outline that fills `body`, and what is drawn on it in its border's colour.
pub(crate) fn outline(
    shape: Outline,
    body: Rect,
    fill: Option<Paint>,
    stroke: Option<Stroke>,
) -> Vec<Primitive> {
    let path = |commands, fill, stroke| Primitive::Path { commands, fill, stroke };
    match shape {
        Outline::Box => vec![draw::rect(body, RADIUS_NODE, fill, stroke)],
        Outline::Cylinder => {
            let lip = path(lip(body), None, stroke.clone());
            let mut all = vec![path(drum(body), fill, stroke.clone())];
            all.extend(stroke.is_some().then_some(lip));
            all
        }
        Outline::Diamond => vec![draw::polygon(&rhombus(body), fill, stroke)],
        Outline::Cloud => vec![path(cloud(body), fill, stroke)],
        Outline::Hexagon => vec![draw::polygon(&hexagon(body), fill, stroke)],
        Outline::Parallelogram => vec![draw::polygon(&slanted(body), fill, stroke)],
        Outline::Circle => vec![path(ellipse(body), fill, stroke)],
    }
}

/// A line around the outline that fills `body`, so far away from it.
pub(crate) fn contour(shape: Outline, body: Rect, by: f64, stroke: Stroke) -> Primitive {
    let (around, radius) = (body.grown(by), RADIUS_NODE + by);
    let path =
        |commands| Primitive::Path { commands, fill: None, stroke: Some(stroke.clone()) };
    match shape {
        Outline::Box => draw::rect(around, radius, None, Some(stroke)),
        Outline::Cylinder => path(drum(around)),
        Outline::Cloud => path(cloud(around)),
        Outline::Circle => path(ellipse(around)),
        Outline::Diamond => draw::polygon(&rhombus(around), None, Some(stroke)),
        Outline::Hexagon => draw::polygon(&hexagon(around), None, Some(stroke)),
        Outline::Parallelogram => draw::polygon(&slanted(around), None, Some(stroke)),
    }
}

fn rhombus(body: Rect) -> [Point; 4] {
    let middle = body.center();
    [
        Point::new(middle.x, body.y),
        Point::new(body.right(), middle.y),
        Point::new(middle.x, body.bottom()),
        Point::new(body.x, middle.y),
    ]
}

fn hexagon(body: Rect) -> [Point; 6] {
    let inset = (body.height * 0.3).min(body.width * 0.2);
    let middle = body.center().y;
    [
        Point::new(body.x + inset, body.y),
        Point::new(body.right() - inset, body.y),
        Point::new(body.right(), middle),
        Point::new(body.right() - inset, body.bottom()),
        Point::new(body.x + inset, body.bottom()),
        Point::new(body.x, middle),
    ]
}

fn slanted(body: Rect) -> [Point; 4] {
    let slant = Outline::slant(&body);
    [
        Point::new(body.x + slant, body.y),
        Point::new(body.right(), body.y),
        Point::new(body.right() - slant, body.bottom()),
        Point::new(body.x, body.bottom()),
    ]
}

fn ellipse(body: Rect) -> Vec<PathCommand> {
    let middle = body.center();
    let (rx, ry) = (body.width / 2.0, body.height / 2.0);
    let at = |x: f64, y: f64| Point::new(middle.x + x * rx, middle.y + y * ry);
    vec![
        PathCommand::Move(at(1.0, 0.0)),
        PathCommand::Cubic(at(1.0, ROUND), at(ROUND, 1.0), at(0.0, 1.0)),
        PathCommand::Cubic(at(-ROUND, 1.0), at(-1.0, ROUND), at(-1.0, 0.0)),
        PathCommand::Cubic(at(-1.0, -ROUND), at(-ROUND, -1.0), at(0.0, -1.0)),
        PathCommand::Cubic(at(ROUND, -1.0), at(1.0, -ROUND), at(1.0, 0.0)),
        PathCommand::Close,
    ]
}

/// Height of half a drum's lid.
fn lid(body: Rect) -> f64 {
    (body.height * 0.13).min(11.0)
}

/// Half an ellipse from the left end to the right end at height `y`, bulging by `by`.
fn bow(body: Rect, y: f64, by: f64) -> [PathCommand; 2] {
    let (middle, half) = (body.center().x, body.width / 2.0);
    let at = |x: f64, part: f64| Point::new(middle + x * half, y + part * by);
    [
        PathCommand::Cubic(at(-1.0, ROUND), at(-ROUND, 1.0), at(0.0, 1.0)),
        PathCommand::Cubic(at(ROUND, 1.0), at(1.0, ROUND), at(1.0, 0.0)),
    ]
}

fn drum(body: Rect) -> Vec<PathCommand> {
    let lid = lid(body);
    let (top, bottom) = (body.y + lid, body.bottom() - lid);
    let (middle, half) = (body.center().x, body.width / 2.0);
    let at = |x: f64, part: f64| Point::new(middle + x * half, bottom + part * lid);
    let mut commands = vec![PathCommand::Move(Point::new(body.x, top))];
    commands.extend(bow(body, top, -lid));
    commands.push(PathCommand::Line(Point::new(body.right(), bottom)));
    commands.push(PathCommand::Cubic(at(1.0, ROUND), at(ROUND, 1.0), at(0.0, 1.0)));
    commands.push(PathCommand::Cubic(at(-ROUND, 1.0), at(-1.0, ROUND), at(-1.0, 0.0)));
    commands.push(PathCommand::Close);
    commands
}

fn lip(body: Rect) -> Vec<PathCommand> {
    let top = body.y + lid(body);
    let mut commands = vec![PathCommand::Move(Point::new(body.x, top))];
    commands.extend(bow(body, top, lid(body)));
    commands
}

/// A cloud of five bumps, as parts of its box.
fn cloud(body: Rect) -> Vec<PathCommand> {
    let at =
        |x: f64, y: f64| Point::new(body.x + x * body.width, body.y + y * body.height);
    vec![
        PathCommand::Move(at(0.2, 0.98)),
        PathCommand::Cubic(at(0.04, 0.98), at(-0.03, 0.7), at(0.06, 0.56)),
        PathCommand::Cubic(at(-0.01, 0.36), at(0.12, 0.17), at(0.26, 0.22)),
        PathCommand::Cubic(at(0.33, -0.05), at(0.6, -0.06), at(0.69, 0.15)),
        PathCommand::Cubic(at(0.85, 0.07), at(1.01, 0.26), at(0.94, 0.47)),
        PathCommand::Cubic(at(1.04, 0.63), at(0.97, 0.98), at(0.8, 0.98)),
        PathCommand::Close,
    ]
}
