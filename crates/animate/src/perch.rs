//! Where the chips of a node sit: on its border, where no line ends and nothing is written.

use topomotion_scene::{NodeBox, Point, Rect, Scene};

use crate::tokens::CHIP_HEIGHT;

/// Room that a row of chips is likely to need, px: the crown's, and the others'.
const ROOM: (f64, f64) = (118.0, 104.0);
/// From a node's corner to its first chip, px.
const INSET: f64 = 10.0;
/// How finely places are tried, px.
const PACE: f64 = 4.0;
/// Between two rows of chips, px.
const ROW_GAP: f64 = 3.0;

/// From a chip to whatever stands to its right, px.
const CLEAR: f64 = 8.0;

/// Where the chips of a node sit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Perch {
    /// The left end of the first chip, on its middle line.
    pub at: Point,
    /// How far right chips may reach before they touch a neighbour or leave the picture.
    pub right: f64,
    /// Where the next row goes: away from the node.
    pub next_row: f64,
}

/// The places of a node's chips: the leftmost of the best.
pub(crate) fn perch(scene: &Scene, node: &NodeBox) -> Perch {
    let at = first(scene, node);
    let row = Rect::new(at.x, at.y - CHIP_HEIGHT / 2.0, f64::MAX / 2.0, CHIP_HEIGHT);
    let others = scene.nodes.iter().filter(|other| other.id != node.id);
    let ahead = others.filter(|other| other.rect.x >= at.x && other.rect.overlaps(&row));
    let right = ahead.map(|other| other.rect.x).fold(scene.size.width, f64::min) - CLEAR;
    let pitch = CHIP_HEIGHT + ROW_GAP;
    let next_row = if at.y > node.body.y { pitch } else { -pitch };
    Perch { at, right, next_row }
}

/// The left end of the first chip, on its middle line.
fn first(scene: &Scene, node: &NodeBox) -> Point {
    let (body, whole) = (node.body, node.rect);
    let room = if node.role == "controller" { ROOM.0 } else { ROOM.1 };
    let slack = (body.width - 2.0 * INSET - room).max(0.0);
    let steps = (slack / PACE).floor() as usize;
    let along = |y: f64| {
        (0..=steps).map(move |step| Point::new(body.x + INSET + PACE * step as f64, y))
    };
    // At its foot a chip would lie over the last row of the panel.
    let cost = |at: &Point| {
        let at_foot = at.y > body.y && node.panel.is_some();
        let place = Rect::new(at.x, at.y - CHIP_HEIGHT / 2.0, room, CHIP_HEIGHT);
        taken(scene, node, place) + if at_foot { 3 } else { 0 }
    };
    let places = along(body.y).chain(along(whole.bottom()));
    places.min_by_key(cost).unwrap_or(Point::new(body.x + INSET, body.y))
}

/// How much there is at a place already: lines, words, other nodes.
fn taken(scene: &Scene, node: &NodeBox, place: Rect) -> usize {
    let near = place.grown(2.0);
    let legs = scene.routes.iter().filter(|route| {
        route.points.windows(2).any(|leg| {
            let (a, b) = (leg[0], leg[1]);
            let (x, y) = (a.x.min(b.x), a.y.min(b.y));
            let leg = Rect::new(x, y, (a.x - b.x).abs(), (a.y - b.y).abs());
            near.overlaps(&leg.grown(0.5))
        })
    });
    let labels = scene.routes.iter().filter_map(|route| route.label.as_ref());
    let words = labels
        .map(|label| label.rect)
        .chain(scene.groups.iter().map(|group| group.title))
        .chain([node.dot])
        .filter(|rect| rect.overlaps(&near));
    let others = scene.nodes.iter().filter(|other| other.id != node.id);
    let others = others.filter(|other| other.rect.overlaps(&near));
    2 * legs.count() + 4 * words.count() + 8 * others.count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    #[test]
    fn chips_sit_at_the_top_left_unless_a_line_ends_there() {
        let mut scene = fixture::scene();
        scene.routes.clear();
        let node = scene.nodes[0].clone();
        let corner = Point::new(node.body.x + INSET, node.body.y);
        assert_eq!(perch(&scene, &node).at, corner);
        let mut route = fixture::scene().routes[0].clone();
        let x = corner.x + 8.0;
        route.points =
            vec![Point::new(x, node.body.y - 60.0), Point::new(x, node.body.y)];
        route.label = None;
        scene.routes.push(route);
        let moved = perch(&scene, &node).at;
        assert!(moved.x > x || moved.y > node.body.y, "{moved:?}");
    }

    #[test]
    fn chips_stay_on_their_node() {
        let scene = fixture::scene();
        for node in &scene.nodes {
            let Perch { at, right, .. } = perch(&scene, node);
            assert!(node.body.x < at.x && at.x < node.body.right(), "{}", node.id);
            assert!(right < scene.size.width, "{}", node.id);
        }
    }

    #[test]
    fn chips_end_before_the_neighbour_on_their_right() {
        let mut scene = fixture::scene();
        scene.routes.clear();
        let node = scene.nodes[0].clone();
        let mut neighbour = node.clone();
        neighbour.id = "neighbour".to_owned();
        neighbour.rect.x = node.rect.right() + 20.0;
        let edge = neighbour.rect.x;
        scene.nodes = vec![node.clone(), neighbour];
        assert_eq!(perch(&scene, &node).right, edge - CLEAR);
    }
}
