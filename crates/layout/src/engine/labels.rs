//! Pass 11, labels: beside which segment each label stands, on which side, and where.
//!
//! A label may stand anywhere along its edge: the room for it is made afterwards. It is best
//! where there is room already. Every label is tried beside every segment of its edge, on
//! both sides, at several places; what it would lie on is counted, and the cheapest
//! spot is taken. Labels follow in the script's order, each knowing those before it.
//!
//! Precondition: routes with coordinates.
//! Postcondition: a spot for every label whose edge is drawn.

use topomotion_scene::{Point, Rect, Size};

use crate::engine::axis::Axis;
use crate::engine::buckets::Buckets;
use crate::engine::grid::Places;
use crate::engine::route::Route;
use crate::engine::space::LABEL_BESIDE;
use crate::engine::tree::Tree;

/// Where a label goes: beside a segment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Place of the segment in the route.
    pub segment: usize,
    /// Side of the segment.
    pub side: SpotSide,
    /// Coordinate of the label's middle along the segment.
    pub along: f64,
}

/// A side of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpotSide {
    /// Left of it, or above it.
    Before,
    /// Right of it, or below it.
    After,
}

/// Quiet room around a label.
const QUIET: f64 = 7.0;
/// Places along a segment that are tried, the favourite first.
const PLACES: [f64; 5] = [0.5, 0.35, 0.65, 0.2, 0.8];
/// What lying on a box, a title or another label costs, beyond the depth.
const ON_BOX: f64 = 60.0;
/// What lying on another edge costs.
const ON_EDGE: f64 = 40.0;
/// What sticking out of its segment costs, per px.
const STICKING_OUT: f64 = 1.5;
/// What standing beside a segment that is not in the middle of the edge costs, per segment.
const OFF_MIDDLE: f64 = 4.0;

/// Chooses a spot for every label.
pub fn choose(
    tree: &Tree,
    places: &Places,
    routes: &[Route],
    labels: &[Option<Size>],
) -> Vec<Option<Spot>> {
    let mut chooser = Chooser::new(tree, places, routes);
    let mut spots = Vec::with_capacity(routes.len());
    for (edge, (route, label)) in routes.iter().zip(labels).enumerate() {
        let spot = label.and_then(|size| chooser.best(edge, route, size));
        if let (Some(spot), Some(size)) = (spot, label) {
            let rect = rect(route, &spot, *size);
            chooser.things.add(&rect.grown(QUIET / 2.0), Thing::Box(rect));
        }
        spots.push(spot);
    }
    spots
}

/// Something that a label should not lie on.
#[derive(Debug, Clone, Copy)]
enum Thing {
    Box(Rect),
    Border(Rect),
    Segment(usize, Rect),
}

struct Chooser {
    things: Buckets<Thing>,
}

impl Chooser {
    fn new(tree: &Tree, places: &Places, routes: &[Route]) -> Chooser {
        let mut things = Buckets::new(&places.boxes[tree.root]);
        for id in 0..tree.root {
            let rect = places.boxes[id];
            if !tree.is_container(id) {
                things.add(&rect, Thing::Box(rect));
                continue;
            }
            things.add(&places.titles[id], Thing::Box(places.titles[id]));
            let Rect { x, y, width, height } = rect;
            let (right, bottom) = (rect.right(), rect.bottom());
            for side in [
                Rect::new(x, y, width, 0.0),
                Rect::new(x, bottom, width, 0.0),
                Rect::new(x, y, 0.0, height),
                Rect::new(right, y, 0.0, height),
            ] {
                things.add(&side, Thing::Border(side));
            }
        }
        for (edge, route) in routes.iter().enumerate() {
            for pair in route.points.windows(2) {
                let rect = around(pair[0], pair[1]);
                things.add(&rect, Thing::Segment(edge, rect));
            }
        }
        Chooser { things }
    }

    fn best(&self, edge: usize, route: &Route, size: Size) -> Option<Spot> {
        let mut best: Option<(f64, Spot)> = None;
        let middle = route.segments() as f64 / 2.0;
        for segment in 0..route.segments() {
            let axis = route.axis(segment);
            let (a, b) =
                (axis.of(route.points[segment]), axis.of(route.points[segment + 1]));
            let sticking = (axis.extent(size) + 24.0 - (b - a).abs()).max(0.0);
            let off = (segment as f64 + 0.5 - middle).abs() * OFF_MIDDLE;
            for (index, share) in PLACES.into_iter().enumerate() {
                for side in [SpotSide::After, SpotSide::Before] {
                    let spot = Spot { segment, side, along: a + (b - a) * share };
                    let base = sticking * STICKING_OUT
                        + off
                        + index as f64 * 2.0
                        + preference(axis, side);
                    if best.is_some_and(|best| best.0 <= base) {
                        continue;
                    }
                    let cost = base + self.conflicts(edge, &rect(route, &spot, size));
                    if best.is_none_or(|best| cost < best.0) {
                        best = Some((cost, spot));
                    }
                }
            }
        }
        best.map(|best| best.1)
    }

    /// What a label at this place would lie on.
    fn conflicts(&self, edge: usize, rect: &Rect) -> f64 {
        let quiet = rect.grown(QUIET);
        let mut cost = 0.0;
        self.things.visit(&quiet, |thing| {
            cost += match thing {
                Thing::Box(other) => depth(&quiet, other).map_or(0.0, |d| ON_BOX + d),
                Thing::Border(other) => depth(&quiet, other).map_or(0.0, |_| 14.0),
                Thing::Segment(other, _) if *other == edge => 0.0,
                Thing::Segment(_, other) => {
                    depth(&quiet, other).map_or(0.0, |d| ON_EDGE + d / 2.0)
                }
            };
        });
        cost
    }
}

/// Right of a vertical line and above a horizontal one reads best.
fn preference(axis: Axis, side: SpotSide) -> f64 {
    match (axis, side) {
        (Axis::Y, SpotSide::After) | (Axis::X, SpotSide::Before) => 0.0,
        _ => 3.0,
    }
}

/// The label's place, were there room.
fn rect(route: &Route, spot: &Spot, size: Size) -> Rect {
    let axis = route.axis(spot.segment);
    let mut rect = Rect::default();
    let long = axis.extent(size);
    axis.span(&mut rect, spot.along - long / 2.0, spot.along + long / 2.0);
    let (at, deep) = (route.at(spot.segment), axis.cross().extent(size));
    match spot.side {
        SpotSide::Before => {
            axis.cross().span(&mut rect, at - LABEL_BESIDE - deep, at - LABEL_BESIDE);
        }
        SpotSide::After => {
            axis.cross().span(&mut rect, at + LABEL_BESIDE, at + LABEL_BESIDE + deep);
        }
    }
    rect
}

/// How deep two rectangles lie in one another, if they do.
fn depth(a: &Rect, b: &Rect) -> Option<f64> {
    let x = a.right().min(b.right()) - a.x.max(b.x);
    let y = a.bottom().min(b.bottom()) - a.y.max(b.y);
    (x >= 0.0 && y >= 0.0).then(|| x.min(y))
}

fn around(a: Point, b: Point) -> Rect {
    Rect::new(a.x.min(b.x), a.y.min(b.y), (a.x - b.x).abs(), (a.y - b.y).abs())
}
