//! Pass 8, ranks: the order of all things along one axis.
//!
//! Coordinates first, then lanes; what is still equal keeps the order of the script. Ranks are
//! even numbers, so that there is room between any two.
//!
//! Precondition: coordinates, routes with lanes, spots of labels.
//! Postcondition: no two things have the same rank.

use crate::engine::axis::Axis;
use crate::engine::labels::SpotSide;
use crate::engine::space::Sketch;

/// Ranks along one axis.
#[derive(Debug, Clone, Default)]
pub struct Ranks {
    /// Lower borders of boxes.
    pub lo: Vec<f64>,
    /// Upper borders of boxes.
    pub hi: Vec<f64>,
    /// Lower borders of titles.
    pub title: Vec<f64>,
    /// Upper borders of titles.
    pub title_end: Vec<f64>,
    /// Segments across the axis, by edge and place in the route.
    pub segments: Vec<Vec<f64>>,
    /// Labels.
    pub labels: Vec<f64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Thing {
    Hi(usize),
    Lo(usize),
    TitleEnd(usize),
    Title(usize),
    Segment(usize, usize),
    Label(usize),
}

impl Ranks {
    /// Ranks everything along `axis`.
    pub fn new(sketch: &Sketch<'_>, axis: Axis) -> Ranks {
        let mut things = things(sketch, axis);
        things.sort_by(|a, b| {
            let at = a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1));
            at.then(a.2.cmp(&b.2))
        });
        let boxes = sketch.tree.root;
        let mut ranks = Ranks {
            lo: vec![0.0; boxes],
            hi: vec![0.0; boxes],
            title: vec![0.0; boxes],
            title_end: vec![0.0; boxes],
            segments: sketch.routes.iter().map(|r| vec![0.0; r.segments()]).collect(),
            labels: vec![0.0; sketch.routes.len()],
        };
        for (index, (_, _, thing)) in things.into_iter().enumerate() {
            let rank = 2.0 * index as f64;
            match thing {
                Thing::Hi(id) => ranks.hi[id] = rank,
                Thing::Lo(id) => ranks.lo[id] = rank,
                Thing::TitleEnd(id) => ranks.title_end[id] = rank,
                Thing::Title(id) => ranks.title[id] = rank,
                Thing::Segment(edge, segment) => ranks.segments[edge][segment] = rank,
                Thing::Label(edge) => ranks.labels[edge] = rank,
            }
        }
        ranks
    }
}

/// Everything with its coordinate and its lane.
fn things(sketch: &Sketch<'_>, axis: Axis) -> Vec<(f64, f64, Thing)> {
    const BORDER: f64 = -1.0;
    let mut things = Vec::new();
    for id in 0..sketch.tree.root {
        let rect = &sketch.places.boxes[id];
        things.push((axis.lo(rect), BORDER, Thing::Lo(id)));
        things.push((axis.hi(rect), BORDER, Thing::Hi(id)));
        if sketch.tree.is_container(id) {
            let title = &sketch.places.titles[id];
            things.push((axis.lo(title), BORDER, Thing::Title(id)));
            things.push((axis.hi(title), BORDER, Thing::TitleEnd(id)));
        }
    }
    for (edge, route) in sketch.routes.iter().enumerate() {
        for segment in 0..route.segments() {
            if route.axis(segment) != axis {
                let (at, lane) = (route.at(segment), route.lanes[segment]);
                things.push((at, lane, Thing::Segment(edge, segment)));
            }
        }
        let Some(spot) = sketch.spots.get(edge).copied().flatten() else { continue };
        if route.axis(spot.segment) == axis {
            things.push((spot.along, BORDER, Thing::Label(edge)));
        } else {
            let beside = match spot.side {
                SpotSide::Before => -0.25,
                SpotSide::After => 0.25,
            };
            let lane = route.lanes[spot.segment] + beside;
            things.push((route.at(spot.segment), lane, Thing::Label(edge)));
        }
    }
    things
}
