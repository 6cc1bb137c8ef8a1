//! A cut network: a wall on every wire that it cuts, for as long as it lasts.

use std::sync::Arc;

use topomotion_scene::{Item, NodeBox, Point, Primitive, Rect, Route, Scene};
use topomotion_trace::Fault;

use crate::channel::{Channels, Slot};
use crate::draw;
use crate::paint::shaft;
use crate::theme::Paints;
use crate::tokens::{WALL_LENGTH, WALL_WIDTH, WIRE_STRONG};

/// Where on a wire's length its wall may stand, the best first.
const PLACES: [f64; 9] = [0.5, 0.4, 0.6, 0.3, 0.7, 0.2, 0.8, 0.15, 0.85];

/// Where a wire is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Wall {
    /// On the wire.
    pub at: Point,
    /// Unit vector along the wire.
    pub along: Point,
}

/// Puts up the walls of a cut, or takes them all away.
pub(crate) fn show(
    fault: &Fault,
    scene: &Scene,
    at: u32,
    channels: &mut Channels,
    paints: &Paints,
) {
    for (index, route) in scene.routes.iter().enumerate() {
        let key = index.to_string();
        match fault {
            Fault::Partition { left, right } if parts(scene, route, left, right) => {
                let Some(wall) = wall(scene, route) else { continue };
                channels.set(Slot::Cut, &key, at, Some(mark(route, wall, paints)));
            }
            Fault::Heal => channels.set(Slot::Cut, &key, at, None),
            _ => {}
        }
    }
}

/// Whether the two ends of a wire stand on different sides.
fn parts(scene: &Scene, route: &Route, left: &[Arc<str>], right: &[Arc<str>]) -> bool {
    ends_on(scene, route, left, right) || ends_on(scene, route, right, left)
}

/// Whether a wire's source stands on the one side and its target on the other.
pub(crate) fn ends_on(
    scene: &Scene,
    route: &Route,
    source: &[Arc<str>],
    target: &[Arc<str>],
) -> bool {
    let is_in = |side: &[Arc<str>], end: &str| {
        let holds = |id: &str| side.iter().any(|process| &**process == id);
        let mut members = members(scene, end).peekable();
        // A group stands on a side if all its members do.
        holds(end) || (members.peek().is_some() && members.all(|node| holds(&node.id)))
    };
    is_in(source, &route.source) && is_in(target, &route.target)
}

fn members<'a>(scene: &'a Scene, group: &'a str) -> impl Iterator<Item = &'a NodeBox> {
    scene.nodes.iter().filter(move |node| node.group.as_deref() == Some(group))
}

/// The place of a wire's wall: near its middle, on no label, no title and no node.
pub(crate) fn wall(scene: &Scene, route: &Route) -> Option<Wall> {
    let on = |wall: &Wall| draw::around(wall.at, WALL_LENGTH, WALL_LENGTH);
    let covers = |wall: &Wall| covered(scene, &on(wall));
    walls(route).min_by(|a, b| covers(a).total_cmp(&covers(b)))
}

/// Where on a wire a wall may stand, the best first.
pub(crate) fn walls(route: &Route) -> impl Iterator<Item = Wall> {
    PLACES.iter().filter_map(|part| wall_at(&route.points, *part))
}

/// How much of labels, titles and nodes something covers, px².
pub(crate) fn covered(scene: &Scene, place: &Rect) -> f64 {
    let labels = scene.routes.iter().filter_map(|route| route.label.as_ref());
    let words = labels
        .map(|label| label.rect)
        .chain(scene.groups.iter().map(|group| group.title))
        .chain(scene.nodes.iter().map(|node| node.rect));
    words.map(|rect| common(&rect, place)).sum()
}

/// The area that two rectangles have in common.
fn common(a: &Rect, b: &Rect) -> f64 {
    let width = a.right().min(b.right()) - a.x.max(b.x);
    let height = a.bottom().min(b.bottom()) - a.y.max(b.y);
    width.max(0.0) * height.max(0.0)
}

/// The wall at a part of a line's length.
fn wall_at(points: &[Point], part: f64) -> Option<Wall> {
    let legs = points.windows(2).map(|leg| {
        let (dx, dy) = (leg[1].x - leg[0].x, leg[1].y - leg[0].y);
        (leg[0], dx, dy, (dx * dx + dy * dy).sqrt())
    });
    let legs: Vec<(Point, f64, f64, f64)> = legs.filter(|leg| leg.3 > 0.0).collect();
    let mut left = legs.iter().map(|leg| leg.3).sum::<f64>() * part;
    for (start, dx, dy, length) in legs {
        if left <= length {
            let along = Point::new(dx / length, dy / length);
            let at = Point::new(start.x + along.x * left, start.y + along.y * left);
            return Some(Wall { at, along });
        }
        left -= length;
    }
    None
}

/// The wire fades into dashes; across it stands a wall of two bars.
fn mark(route: &Route, wall: Wall, paints: &Paints) -> Item {
    let mut gaps = paints.stroke("page", WIRE_STRONG + 0.5);
    gaps.dash = vec![4.0, 8.0];
    let line = Primitive::Path { commands: shaft(route), fill: None, stroke: Some(gaps) };
    let mut primitives = vec![line];
    let bar = |by: f64| {
        let middle =
            Point::new(wall.at.x + wall.along.x * by, wall.at.y + wall.along.y * by);
        let half = WALL_LENGTH / 2.0;
        let (x, y) = (-wall.along.y * half, wall.along.x * half);
        [Point::new(middle.x - x, middle.y - y), Point::new(middle.x + x, middle.y + y)]
    };
    for (color, width) in [("page", WALL_WIDTH + 4.0), ("error", WALL_WIDTH)] {
        primitives.extend([-4.0, 4.0].map(|by| -> Primitive {
            draw::polyline(&bar(by), paints.stroke(color, width))
        }));
    }
    Item {
        class: "cut".into(),
        id: Some(format!("{}-{}", route.source, route.target)),
        name: Some(format!(
            "{} and {} cannot reach each other",
            route.source, route.target
        )),
        primitives,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Theme, fixture};

    fn cut(left: &[&str], right: &[&str]) -> Vec<String> {
        let scene = fixture::scene();
        let paints = Paints::new(&Theme::default());
        let mut channels = Channels::default();
        let side = |ids: &[&str]| ids.iter().map(|id| Arc::from(*id)).collect();
        let fault = Fault::Partition { left: side(left), right: side(right) };
        show(&fault, &scene, 100, &mut channels, &paints);
        show(&Fault::Heal, &scene, 900, &mut channels, &paints);
        let sprites = channels.sprites(2000);
        for sprite in &sprites {
            assert_eq!(sprite.windows.len(), 1);
            assert_eq!((sprite.windows[0].start.0, sprite.windows[0].end.0), (100, 900));
        }
        sprites.into_iter().filter_map(|sprite| sprite.item.id).collect()
    }

    #[test]
    fn every_wire_between_the_sides_gets_a_wall_until_the_network_heals() {
        let walls = cut(&["broker-1"], &["broker-2", "controller"]);
        assert!(walls.contains(&"broker-2-broker-1".to_owned()), "{walls:?}");
        assert!(walls.iter().all(|wire| wire.contains("broker-1")), "{walls:?}");
    }

    #[test]
    fn a_wire_within_one_side_stays_whole() {
        assert!(cut(&["broker-1", "broker-2"], &["nobody"]).is_empty());
    }

    #[test]
    fn a_wall_stands_on_its_wire_and_on_no_label() {
        let scene = fixture::scene();
        for route in &scene.routes {
            let wall = wall(&scene, route).unwrap();
            let on_wire = route.points.windows(2).any(|leg| {
                let (a, b) = (leg[0], leg[1]);
                let (x, y) = (a.x.min(b.x), a.y.min(b.y));
                let leg =
                    Rect::new(x, y, (a.x - b.x).abs(), (a.y - b.y).abs()).grown(0.1);
                leg.contains(&Rect::new(wall.at.x, wall.at.y, 0.0, 0.0))
            });
            assert!(on_wire, "{}", route.source);
        }
    }
}
