//! Pass 13, coordinates: both axes spaced and solved, one after the other.
//!
//! Precondition: a sketch whose things are disjoint, up to lanes.
//! Postcondition: coordinates with all gaps; a picture without faults.

use topomotion_scene::{Point, Rect, Size};

use crate::engine::axis::Axis;
use crate::engine::grid::Places;
use crate::engine::labels::Spot;
use crate::engine::ranks::Ranks;
use crate::engine::route::Route;
use crate::engine::settle::settle;
use crate::engine::solve::System;
use crate::engine::space::{Across, Sketch, Space};

/// What has coordinates.
#[derive(Debug, Clone, Default)]
pub struct Spaced {
    /// Boxes and titles.
    pub places: Places,
    /// Routes.
    pub routes: Vec<Route>,
    /// Labels.
    pub labels: Vec<Option<Rect>>,
}

/// How coordinates are chosen among those that satisfy the gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Everything in the middle of its room.
    Middle,
    /// Everything where the sketch has it, if that is far enough from everything before it.
    Sketched,
}

/// Spaces a sketch.
pub fn space(sketch: &Sketch<'_>, choice: Choice) -> Spaced {
    let first = sketch.main.cross();
    let ranks = [Ranks::new(sketch, first), Ranks::new(sketch, first.cross())];
    let mut spaced = Spaced {
        places: sketch.places.clone(),
        routes: sketch.routes.to_vec(),
        labels: vec![None; sketch.routes.len()],
    };
    let spaces = Space::new(sketch, first, &ranks[0], Across::Ranks(&ranks[1]));
    let labels = spaced.apply(sketch, first, &spaces, choice);
    let half = spaced.clone();
    let half_sketch = Sketch { places: &half.places, routes: &half.routes, ..*sketch };
    let second = first.cross();
    let spaces =
        Space::new(&half_sketch, second, &ranks[1], Across::Coordinates(&labels));
    let other = spaced.apply(&half_sketch, second, &spaces, choice);
    for (edge, label) in spaced.labels.iter_mut().enumerate() {
        if let (Some(a), Some(b)) = (labels[edge], other[edge]) {
            let mut rect = Rect::default();
            first.span(&mut rect, a.0, a.1);
            second.span(&mut rect, b.0, b.1);
            *label = Some(rect);
        }
    }
    spaced.frame(sketch);
    spaced
}

impl Spaced {
    /// Solves one axis and writes its coordinates; the extents of the labels along it.
    fn apply(
        &mut self,
        sketch: &Sketch<'_>,
        axis: Axis,
        space: &Space,
        choice: Choice,
    ) -> Vec<Option<(f64, f64)>> {
        let system = System::new(space);
        let mut at = match choice {
            Choice::Middle => system.middle(),
            Choice::Sketched => system.pushed(&wanted(sketch, axis, space)),
        };
        debug_assert!(system.holds(&at), "a solution keeps every gap");
        settle(sketch, axis, space, &system, &mut at);
        for (id, &(lo, hi)) in space.boxes.iter().enumerate() {
            axis.span(&mut self.places.boxes[id], at[lo], at[hi]);
            if let Some(title) = space.title[id] {
                let size = axis.extent(sketch.tree.title[id]);
                axis.span(&mut self.places.titles[id], at[title], at[title] + size);
            }
        }
        for (edge, route) in self.routes.iter_mut().enumerate() {
            write_route(route, axis, &space.segments[edge], &at, &self.places);
        }
        label_extents(sketch.spots, sketch.labels, axis, space, &at)
    }

    /// The root's rectangle is the bounding box of everything. Titles of groups without
    /// members hang on to their boxes.
    fn frame(&mut self, sketch: &Sketch<'_>) {
        let root = sketch.tree.root;
        for id in sketch.tree.nodes..root {
            if !sketch.tree.is_container(id) {
                self.places.titles[id] = sketch.tree.title_at(id, &self.places.boxes[id]);
            }
        }
        let boxes = self.places.boxes[..root].iter().copied();
        let labels = self.labels.iter().flatten().copied();
        let point = |p: &Point| Rect::new(p.x, p.y, 0.0, 0.0);
        let points = self.routes.iter().flat_map(|route| route.points.iter().map(point));
        let all = boxes.chain(labels).chain(points).reduce(|a, b| a.union(&b));
        self.places.boxes[root] = all.unwrap_or_default();
    }
}

/// The sketch's own coordinates of all variables.
fn wanted(sketch: &Sketch<'_>, axis: Axis, space: &Space) -> Vec<f64> {
    let mut wanted = vec![f64::MIN; space.order.len()];
    for (id, &(lo, hi)) in space.boxes.iter().enumerate() {
        let rect = &sketch.places.boxes[id];
        (wanted[lo], wanted[hi]) = (axis.lo(rect), axis.hi(rect));
        if let Some(title) = space.title[id] {
            wanted[title] = axis.lo(&sketch.places.titles[id]);
        }
    }
    for (edge, route) in sketch.routes.iter().enumerate() {
        for (segment, &var) in space.segments[edge].iter().enumerate() {
            if var != usize::MAX {
                wanted[var] = route.at(segment);
            }
        }
    }
    wanted
}

/// Corners lie where segments across the axis are; ends lie on their boxes.
fn write_route(
    route: &mut Route,
    axis: Axis,
    vars: &[usize],
    at: &[f64],
    places: &Places,
) {
    for (segment, &var) in vars.iter().enumerate() {
        if var != usize::MAX {
            axis.set(&mut route.points[segment], at[var]);
            axis.set(&mut route.points[segment + 1], at[var]);
        }
    }
    let last = route.points.len().saturating_sub(1);
    for (point, contact) in [(0, route.source), (last, route.target)] {
        if let Some(contact) = contact.filter(|contact| contact.side.axis() == axis) {
            let border = contact.side.border(&places.boxes[contact.id]);
            axis.set(&mut route.points[point], border);
        }
    }
}

/// Extents of labels along an axis.
fn label_extents(
    spots: &[Option<Spot>],
    labels: &[Option<Size>],
    axis: Axis,
    space: &Space,
    at: &[f64],
) -> Vec<Option<(f64, f64)>> {
    let extent = |edge: usize| {
        spots.get(edge).copied().flatten()?;
        let place = space.labels[edge]?;
        let lo = at[place.var] + place.offset;
        Some((lo, lo + axis.extent(labels[edge]?)))
    };
    (0..space.labels.len()).map(extent).collect()
}
