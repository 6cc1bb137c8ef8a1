//! Pass 12, labels: at which segment each label stands, and on which side of it.
use crate::engine::route::Route;
use topomotion_scene::Size;

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

/// Chooses a spot for every label.
pub fn choose(routes: &[Route], labels: &[Option<Size>]) -> Vec<Option<Spot>> {
    routes
        .iter()
        .zip(labels)
        .map(|(route, label)| {
            label.as_ref()?;
            let length = |s: usize| {
                let (a, b) = (route.points[s], route.points[s + 1]);
                (a.x - b.x).abs() + (a.y - b.y).abs()
            };
            let segment =
                (0..route.segments()).max_by(|&a, &b| length(a).total_cmp(&length(b)))?;
            let axis = route.axis(segment);
            let along = (axis.of(route.points[segment])
                + axis.of(route.points[segment + 1]))
                / 2.0;
            Some(Spot { segment, side: SpotSide::After, along })
        })
        .collect()
}
