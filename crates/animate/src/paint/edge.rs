//! Connections: the line by its protocol, the tips by its kind, the label.

use topomotion_scene::{
    Anchor, Item, Paint, PathCommand, Point, Primitive, Rect, Route, Scene, Stroke,
};

use super::group::with_width;
use super::node::display_name;
use super::{protocol, tips};
use crate::draw::{self, Ink};
use crate::pulse::pulses;
use crate::theme::Paints;
use crate::tokens::{ARROW_HALF, ARROW_LENGTH, HALO};

/// How much wider a thick line is.
const THICK: f64 = 1.8;

/// The line and what stands at its ends.
pub(crate) fn paint(route: &Route, scene: &Scene, paints: &mut Paints) -> Item {
    let stroke = stroke(route, paints);
    let mut primitives = Vec::new();
    let (shaft, marks) = tips::split(&route.points, route.kind.as_deref(), &stroke);
    if pulses(route.kind.as_deref()) {
        let halo = Stroke {
            paint: Paint { opacity: 0.16, ..stroke.paint },
            width: stroke.width + HALO,
            dash: Vec::new(),
        };
        primitives.push(line(&shaft, route.radius, halo));
    }
    primitives.push(line(&shaft, route.radius, stroke));
    primitives.extend(marks);
    Item {
        class: "edge".to_owned(),
        id: Some(format!("{}-{}", route.source, route.target)),
        name: Some(name(route, scene)),
        primitives,
    }
}

/// The label; on a quiet ground if a line runs behind it.
pub(crate) fn label(route: &Route, scene: &Scene, paints: &Paints) -> Option<Item> {
    let label = route.label.as_ref()?;
    let mut primitives = Vec::new();
    if scene.routes.iter().any(|route| runs_behind(route, label.rect)) {
        let ground = Some(paints.faint("page", 0.86));
        primitives.push(draw::rect(label.rect, 4.0, ground, None));
    }
    primitives.extend(label.lines.iter().map(|line| {
        let ink = Ink::new(line.face, line.size, paints.solid("muted"));
        with_width(ink.line(&line.text, line.at, Anchor::Start), line.width)
    }));
    let class = "edge-label".to_owned();
    Some(Item { class, id: None, name: None, primitives })
}

fn runs_behind(route: &Route, rect: Rect) -> bool {
    route.points.windows(2).any(|leg| {
        let (a, b) = (leg[0], leg[1]);
        let (x, y) = (a.x.min(b.x), a.y.min(b.y));
        let leg = Rect::new(x, y, (a.x - b.x).abs(), (a.y - b.y).abs());
        rect.overlaps(&leg.grown(0.5))
    })
}

fn line(points: &[Point], radius: f64, stroke: Stroke) -> Primitive {
    let commands = rounded(points, radius);
    Primitive::Path { commands, fill: None, stroke: Some(stroke) }
}

fn name(route: &Route, scene: &Scene) -> String {
    let name = |id: &str| {
        let node = scene.nodes.iter().find(|node| node.id == id);
        let group = scene.groups.iter().find(|group| group.id == id);
        node.map(display_name)
            .or_else(|| group.map(|group| group.label.clone()))
            .unwrap_or_else(|| id.to_owned())
    };
    let mut text = format!("{} to {}", name(&route.source), name(&route.target));
    if let Some(label) = &route.label {
        text.push_str(": ");
        text.push_str(&label.text);
    }
    if let Some(protocol) = &route.protocol {
        text.push_str(&format!(" ({protocol})"));
    }
    text
}

/// The line of a connection: by its protocol, unless the script says otherwise.
pub(crate) fn stroke(route: &Route, paints: &mut Paints) -> Stroke {
    let mut stroke = protocol::look(route.protocol.as_deref()).stroke(paints);
    if let Some(own) = route.color.as_deref().and_then(|color| paints.written(color)) {
        stroke.paint = own.line;
    }
    if route.style.as_deref() == Some("thick") {
        stroke.width *= THICK;
    }
    let written = dash_of(route.style.as_deref(), stroke.width);
    if !written.is_empty() {
        stroke.dash = written;
    }
    stroke
}

/// Dashes of a line style as scripts write it.
pub(crate) fn dash_of(style: Option<&str>, width: f64) -> Vec<f64> {
    match style {
        Some("dashed") => vec![6.0, 4.0],
        Some("dotted") => vec![0.5, width * 2.5],
        _ => Vec::new(),
    }
}

/// The line shortened to the foot of its arrow head, and the head.
fn split_arrow(points: &[Point]) -> (Vec<Point>, Option<[Point; 3]>) {
    let mut shaft = points.to_vec();
    let [.., before, tip] = points else { return (shaft, None) };
    let (dx, dy) = (tip.x - before.x, tip.y - before.y);
    let length = (dx * dx + dy * dy).sqrt();
    if length < 1.0 {
        return (shaft, None);
    }
    let (ux, uy) = (dx / length, dy / length);
    let (long, wide) = (ARROW_LENGTH.min(length), ARROW_HALF);
    let foot = Point::new(tip.x - ux * long, tip.y - uy * long);
    if let Some(last) = shaft.last_mut() {
        *last = Point::new(foot.x + ux, foot.y + uy);
    }
    let left = Point::new(foot.x - uy * wide, foot.y + ux * wide);
    let right = Point::new(foot.x + uy * wide, foot.y - ux * wide);
    (shaft, Some([*tip, left, right]))
}

/// The foot and the corners of the arrow head at the end of a straight line.
pub(crate) fn head(points: &[Point; 2]) -> Option<(Point, [Point; 3])> {
    let (shaft, head) = split_arrow(points);
    Some((*shaft.last()?, head?))
}

/// The line of a connection up to its arrow head.
pub(crate) fn shaft(route: &Route) -> Vec<PathCommand> {
    rounded(&split_arrow(&route.points).0, route.radius)
}

/// A line through `points` with its corners rounded.
pub(crate) fn rounded(points: &[Point], radius: f64) -> Vec<PathCommand> {
    let Some(&first) = points.first() else { return Vec::new() };
    let mut commands = vec![PathCommand::Move(first)];
    for triple in points.windows(3) {
        let (entry, exit) = corner(triple[0], triple[1], triple[2], radius);
        commands.push(PathCommand::Line(entry));
        commands.push(PathCommand::Quad(triple[1], exit));
    }
    if let Some(&last) = points.last().filter(|_| points.len() > 1) {
        commands.push(PathCommand::Line(last));
    }
    commands
}

/// Where the rounding of the corner at `b` begins and ends.
pub(crate) fn corner(a: Point, b: Point, c: Point, radius: f64) -> (Point, Point) {
    let towards = |to: Point| {
        let (dx, dy) = (to.x - b.x, to.y - b.y);
        let length = (dx * dx + dy * dy).sqrt();
        let part = if length > 0.0 { radius.min(length / 2.0) / length } else { 0.0 };
        Point::new(b.x + dx * part, b.y + dy * part)
    };
    (towards(a), towards(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_corner_is_never_rounded_beyond_the_middle_of_its_sides() {
        let points = [Point::new(0.0, 0.0), Point::new(10.0, 0.0), Point::new(10.0, 4.0)];
        let commands = rounded(&points, 8.0);
        assert_eq!(commands[1], PathCommand::Line(Point::new(5.0, 0.0)));
        assert_eq!(
            commands[2],
            PathCommand::Quad(Point::new(10.0, 0.0), Point::new(10.0, 2.0))
        );
    }

    #[test]
    fn the_arrow_points_at_the_dialled_end() {
        let (shaft, head) = split_arrow(&[Point::new(0.0, 0.0), Point::new(0.0, 50.0)]);
        assert_eq!(head.unwrap()[0], Point::new(0.0, 50.0));
        assert_eq!(shaft[1], Point::new(0.0, 43.0));
        assert!(split_arrow(&[Point::default()]).1.is_none());
        assert!(split_arrow(&[Point::default(), Point::default()]).1.is_none());
    }
}
