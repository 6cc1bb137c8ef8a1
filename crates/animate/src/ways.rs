//! The lines along which packets travel.
//!
//! A packet goes along the drawn connection between its two processes, backwards if it
//! comes from the dialled end. Where the script drew none, a line is found that crosses as
//! few nodes as possible, and is shown for as long as it is used.

use std::collections::BTreeMap;

use topomotion_scene::{PathCommand, Point, Rect, Route, Scene, Size};
use topomotion_trace::{Packet, Travel};

use crate::detour::{Obstacles, detour};
use crate::paint::rounded;

/// Corner radius of lines that we find ourselves, px.
const RADIUS: f64 = 10.0;

/// The ways of a film's packets. Lines that nobody drew are looked for once.
#[derive(Debug, Default)]
pub(crate) struct Ways {
    found: BTreeMap<(String, String), Option<Way>>,
}

impl Ways {
    /// The way of a packet; `None` if one of its ends is not in the scene.
    pub fn of(&mut self, scene: &Scene, packet: &Packet) -> Option<Way> {
        if let Some(way) = drawn(scene, packet) {
            return Some(way);
        }
        let ends = (packet.from.to_string(), packet.to.to_string());
        let known = self.found.entry(ends);
        known.or_insert_with(|| found(scene, &packet.from, &packet.to)).clone()
    }
}

/// How a packet travels the line that the script drew for it, if it did.
pub(crate) fn heading(scene: &Scene, packet: &Packet) -> Option<Heading> {
    match drawn(scene, packet)?.origin {
        Origin::Drawn { heading, .. } => Some(heading),
        Origin::Found => None,
    }
}

/// A line from one process to another.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Way {
    /// Its corners, from the sender's border to the receiver's.
    pub corners: Vec<Point>,
    /// Radius of its corners.
    pub radius: f64,
    /// Whether the script drew it.
    pub origin: Origin,
}

/// Where a way comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The script drew it.
    Drawn {
        /// Its place among the scene's routes.
        route: usize,
        /// From the dialling end, or against it.
        heading: Heading,
    },
    /// It appears while it is used.
    Found,
}

/// Which way a connection is travelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heading {
    /// From the dialling end.
    Along,
    /// From the dialled end.
    Against,
}

impl Way {
    /// The line moved sideways (to the right of who walks it; by the width where it goes up
    /// or down, by the height where it goes across), in short straight pieces.
    pub fn line(&self, by: Size) -> Vec<Point> {
        let mut line: Vec<Point> = Vec::new();
        for command in rounded(&aside(&self.corners, by), self.radius) {
            let last = line.last().copied();
            match (command, last) {
                (PathCommand::Quad(control, end), Some(start)) => {
                    line.extend(
                        (1..=4)
                            .map(|step| quad(start, control, end, f64::from(step) / 4.0)),
                    );
                }
                (PathCommand::Move(point) | PathCommand::Line(point), _) => {
                    line.push(point);
                }
                _ => {}
            }
        }
        line.dedup_by(|a, b| (a.x - b.x).abs() < 0.01 && (a.y - b.y).abs() < 0.01);
        line
    }
}

impl Way {
    /// How far [`Way::line`] is from the line itself: of its legs up and down, and of those
    /// across.
    pub fn shift(&self, by: Size) -> Size {
        let legs = || self.corners.windows(2);
        let rises = legs().any(|leg| (leg[1].y - leg[0].y).abs() > 1.0);
        let runs = legs().any(|leg| (leg[1].x - leg[0].x).abs() > 1.0);
        let of = |is_any, by: f64| if is_any { by.abs() } else { 0.0 };
        Size { width: of(rises, by.width), height: of(runs, by.height) }
    }
}

fn quad(a: Point, b: Point, c: Point, part: f64) -> Point {
    let rest = 1.0 - part;
    let mix = |a: f64, b: f64, c: f64| {
        rest * rest * a + 2.0 * rest * part * b + part * part * c
    };
    Point::new(mix(a.x, b.x, c.x), mix(a.y, b.y, c.y))
}

/// Every corner moved to the right, so that the legs stay parallel: legs that go up or down
/// by `by.width`, legs that go across by `by.height`.
fn aside(corners: &[Point], by: Size) -> Vec<Point> {
    if by == Size::default() || corners.len() < 2 {
        return corners.to_vec();
    }
    let moves: Vec<Point> = corners
        .windows(2)
        .map(|pair| normal(pair[0], pair[1]))
        .map(|normal| Point::new(normal.x * by.width, normal.y * by.height))
        .collect();
    let last = moves.len() - 1;
    let moved = |(index, corner): (usize, &Point)| {
        let (a, b) = (moves[index.saturating_sub(1)], moves[index.min(last)]);
        // Two legs in one line are moved once, two legs around a corner each in its own way.
        let same = (a.x - b.x).abs() < 0.5 && (a.y - b.y).abs() < 0.5;
        let shift = if same { a } else { Point::new(a.x + b.x, a.y + b.y) };
        Point::new(corner.x + shift.x, corner.y + shift.y)
    };
    corners.iter().enumerate().map(moved).collect()
}

fn normal(a: Point, b: Point) -> Point {
    let (dx, dy) = (b.x - a.x, b.y - a.y);
    let length = (dx * dx + dy * dy).sqrt();
    if length > 0.0 { Point::new(-dy / length, dx / length) } else { Point::default() }
}

/// How well a drawn connection serves a packet; `None` if it does not at all.
fn fitness(scene: &Scene, route: &Route, packet: &Packet) -> Option<(u8, bool)> {
    let is_end = |end: &str, process: &str| {
        let node = scene.nodes.iter().find(|node| node.id == process);
        if end == process {
            return Some(0_u8);
        }
        let inside = node.is_some_and(|node| node.group.as_deref() == Some(end));
        inside.then_some(1)
    };
    let ends =
        |a: &str, b: &str| Some(is_end(&route.source, a)? + is_end(&route.target, b)?);
    let (from, to) = (&*packet.from, &*packet.to);
    let forward = ends(from, to).map(|rank| (rank, true));
    let backward = ends(to, from).map(|rank| (rank, false));
    let natural = match packet.travel {
        Travel::Request | Travel::Scripted => [forward, backward],
        Travel::Response(_) => [backward, forward],
    };
    let (rank, is_forward) =
        natural[0].or(natural[1].map(|(rank, way)| (rank + 4, way)))?;
    let told = route.label.as_ref().is_some_and(|label| {
        let label = label.text.to_ascii_lowercase();
        label.contains(&packet.api.to_ascii_lowercase())
    });
    Some((rank * 2 + u8::from(!told), is_forward))
}

fn drawn(scene: &Scene, packet: &Packet) -> Option<Way> {
    let fit = |(index, route): (usize, &_)| {
        fitness(scene, route, packet).map(|fit| (fit, index))
    };
    let routes = scene.routes.iter().enumerate();
    let best = routes.filter_map(fit).min_by_key(|((rank, _), _)| *rank);
    let ((_, is_forward), index) = best?;
    let route = scene.routes.get(index)?;
    let mut corners = route.points.clone();
    if !is_forward {
        corners.reverse();
    }
    let (from, to) = (rect(scene, &packet.from)?, rect(scene, &packet.to)?);
    if let Some(&first) = corners.first().filter(|point| !touches(from, **point)) {
        corners.insert(0, border(from, first));
    }
    if let Some(&last) = corners.last().filter(|point| !touches(to, **point)) {
        corners.push(border(to, last));
    }
    (corners.len() > 1).then_some(Way {
        corners,
        radius: route.radius,
        origin: Origin::Drawn {
            route: index,
            heading: if is_forward { Heading::Along } else { Heading::Against },
        },
    })
}

fn rect(scene: &Scene, id: &str) -> Option<Rect> {
    scene.nodes.iter().find(|node| node.id == id).map(|node| node.rect)
}

fn touches(rect: Rect, point: Point) -> bool {
    let near = rect.grown(12.0);
    near.x <= point.x
        && point.x <= near.right()
        && near.y <= point.y
        && point.y <= near.bottom()
}

/// The point of the border nearest to `point`.
fn border(rect: Rect, point: Point) -> Point {
    let clamp = |value: f64, low: f64, high: f64| value.max(low).min(high);
    Point::new(
        clamp(point.x, rect.x, rect.right()),
        clamp(point.y, rect.y, rect.bottom()),
    )
}

fn found(scene: &Scene, from: &str, to: &str) -> Option<Way> {
    let (a, b) = (rect(scene, from)?, rect(scene, to)?);
    let others: Vec<Rect> = scene
        .nodes
        .iter()
        .filter(|node| node.id != from && node.id != to)
        .map(|node| node.rect.grown(6.0))
        .collect();
    let labels = scene.routes.iter().filter_map(|route| route.label.as_ref());
    let words: Vec<Rect> = labels
        .map(|label| label.rect)
        .chain(scene.groups.iter().map(|group| group.title))
        .collect();
    let cost = |corners: &[Point]| {
        let crossed = corners
            .windows(2)
            .map(|leg| {
                others.iter().filter(|rect| crosses(**rect, leg[0], leg[1])).count()
            })
            .sum::<usize>();
        let through_ends = corners
            .windows(2)
            .filter(|leg| {
                crosses(a.grown(-2.0), leg[0], leg[1])
                    || crosses(b.grown(-2.0), leg[0], leg[1])
            })
            .count();
        let crossed_words = corners
            .windows(2)
            .map(|leg| {
                words.iter().filter(|rect| crosses(**rect, leg[0], leg[1])).count()
            })
            .sum::<usize>();
        let narrow = corners
            .windows(2)
            .map(|leg| {
                let close = |rect: &&Rect| crosses(rect.grown(12.0), leg[0], leg[1]);
                others.iter().filter(close).count()
            })
            .sum::<usize>();
        (crossed + through_ends, crossed_words + narrow, corners.len())
    };
    let mut best =
        candidates(a, b, scene).into_iter().min_by_key(|corners| cost(corners))?;
    if cost(&best).0 > 0 {
        // No simple line is free: look harder.
        let obstacles = Obstacles { nodes: others.clone(), words: words.clone() };
        let around = detour(scene, a, b, &obstacles);
        best = around.filter(|corners| cost(corners) < cost(&best)).unwrap_or(best);
    }
    Some(Way { corners: best, radius: RADIUS, origin: Origin::Found })
}

/// Lines from `a` to `b`: across the facing sides, around one corner, around the outside.
fn candidates(a: Rect, b: Rect, scene: &Scene) -> Vec<Vec<Point>> {
    let (p, q) = (a.center(), b.center());
    let mut all = Vec::new();
    let (down, right) = (q.y > p.y, q.x > p.x);
    let (a_y, b_y) = if down { (a.bottom(), b.y) } else { (a.y, b.bottom()) };
    let (a_x, b_x) = if right { (a.right(), b.x) } else { (a.x, b.right()) };
    let overlap = |low: f64, high: f64| (high - low > 24.0).then_some((low + high) / 2.0);
    if let Some(x) = overlap(a.x.max(b.x), a.right().min(b.right())) {
        all.push(vec![Point::new(x, a_y), Point::new(x, b_y)]);
    }
    if let Some(y) = overlap(a.y.max(b.y), a.bottom().min(b.bottom())) {
        all.push(vec![Point::new(a_x, y), Point::new(b_x, y)]);
    }
    all.push(vec![Point::new(a_x, p.y), Point::new(q.x, p.y), Point::new(q.x, b_y)]);
    all.push(vec![Point::new(p.x, a_y), Point::new(p.x, q.y), Point::new(b_x, q.y)]);
    for part in [0.5, 0.35, 0.65, 0.2, 0.8, 0.1, 0.9] {
        let y = a_y + (b_y - a_y) * part;
        let x = a_x + (b_x - a_x) * part;
        all.push(vec![
            Point::new(p.x, a_y),
            Point::new(p.x, y),
            Point::new(q.x, y),
            Point::new(q.x, b_y),
        ]);
        all.push(vec![
            Point::new(a_x, p.y),
            Point::new(x, p.y),
            Point::new(x, q.y),
            Point::new(b_x, q.y),
        ]);
    }
    let (top, foot) = (a.y.min(b.y) - 22.0, a.bottom().max(b.bottom()) + 22.0);
    for y in [top, foot] {
        let side = |rect: Rect| if y < rect.y { rect.y } else { rect.bottom() };
        all.push(vec![
            Point::new(p.x, side(a)),
            Point::new(p.x, y),
            Point::new(q.x, y),
            Point::new(q.x, side(b)),
        ]);
    }
    let room = Rect::new(0.0, 0.0, scene.size.width, f64::MAX);
    all.retain(|line| {
        line.iter().all(|point| room.x <= point.x && point.x <= room.right())
    });
    if all.is_empty() {
        all.push(vec![border(a, q), border(b, p)]);
    }
    all
}

/// Whether a horizontal or vertical leg runs through the rectangle.
fn crosses(rect: Rect, a: Point, b: Point) -> bool {
    let leg = Rect::new(a.x.min(b.x), a.y.min(b.y), (a.x - b.x).abs(), (a.y - b.y).abs());
    rect.overlaps(&leg.grown(0.5))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use topomotion_trace::What;

    fn packet(from: &str, to: &str) -> Packet {
        let mut script = fixture::Script::default();
        script.send(from, to, "Fetch", 0);
        match &script.trace().events[0].what {
            What::Sent(packet) => packet.clone(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_packet_from_the_dialled_end_goes_backwards() {
        let scene = fixture::scene();
        let there = Ways::default().of(&scene, &packet("broker-2", "broker-1")).unwrap();
        let mut back =
            Ways::default().of(&scene, &packet("broker-1", "broker-2")).unwrap();
        back.corners.reverse();
        assert_eq!(there.corners, back.corners);
        let heading = |way: &Way| match way.origin {
            Origin::Drawn { heading, .. } => Some(heading),
            Origin::Found => None,
        };
        assert_eq!(heading(&there), Some(Heading::Along));
        assert_eq!(heading(&back), Some(Heading::Against));
    }

    #[test]
    fn a_line_that_nobody_drew_goes_around_the_nodes_between() {
        let scene = fixture::scene();
        let way =
            Ways::default().of(&scene, &packet("order-producer", "broker-3")).unwrap();
        assert_eq!(way.origin, Origin::Found);
        for node in &scene.nodes {
            let hit = way
                .corners
                .windows(2)
                .any(|leg| crosses(node.rect.grown(-2.0), leg[0], leg[1]));
            assert!(!hit, "through {}: {:?}", node.id, way.corners);
        }
    }

    #[test]
    fn lines_aside_stay_parallel() {
        let way = Way {
            corners: vec![
                Point::new(0.0, 0.0),
                Point::new(100.0, 0.0),
                Point::new(100.0, 50.0),
            ],
            radius: 0.0,
            origin: Origin::Found,
        };
        let line = way.line(Size { width: 10.0, height: 5.0 });
        assert_eq!(line.first(), Some(&Point::new(0.0, 5.0)));
        assert_eq!(line.last(), Some(&Point::new(90.0, 50.0)));
    }

    #[test]
    fn nobody_travels_to_a_process_that_is_not_there() {
        assert!(
            Ways::default()
                .of(&fixture::scene(), &packet("broker-1", "nobody"))
                .is_none()
        );
    }
}
