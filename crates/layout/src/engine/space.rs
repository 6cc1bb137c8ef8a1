//! Pass 9, space: what must keep away from what along one axis, and by how much.
//!
//! The picture so far is taken as a *sketch*: only the order of things along each axis
//! counts. Two things that meet in the other axis must keep their order and a gap; then
//! coordinates that satisfy all gaps give a picture of the same topology in which nothing
//! touches. (Compaction in one dimension, as VLSI layout has it.) First one axis is spaced by
//! the sketch's extents in the other, then the other by the new coordinates in the first.
//!
//! Every gap goes from a smaller rank to a larger one. So the gaps form no ring, and
//! coordinates that satisfy them exist whatever the sketch.
//!
//! Precondition: things of the sketch are disjoint, where lines on one coordinate are told
//! apart by their lanes.
//! Postcondition: gaps in the order of ranks.

use topomotion_scene::Size;

use crate::engine::axis::Axis;
use crate::engine::grid::Places;
use crate::engine::labels::{Spot, SpotSide};
use crate::engine::ranks::Ranks;
use crate::engine::route::{Contact, Route};
use crate::engine::tree::RowsMode;
use crate::engine::tree::{BoxId, Tree};
use crate::{Spacing, tokens};

/// Everything that is to be spaced.
#[derive(Debug, Clone, Copy)]
pub struct Sketch<'a> {
    /// Who stands in whom.
    pub tree: &'a Tree,
    /// Least distances.
    pub spacing: &'a Spacing,
    /// Main axis.
    pub main: Axis,
    /// Whether rows are to be kept straight.
    pub rows: RowsMode,
    /// Boxes and titles.
    pub places: &'a Places,
    /// Routes with lanes.
    pub routes: &'a [Route],
    /// Where labels go.
    pub spots: &'a [Option<Spot>],
    /// Sizes of labels.
    pub labels: &'a [Option<Size>],
    /// Whether segments must end within the sides of their nodes.
    pub ends: Ends,
}

/// How segments and the sides of nodes hang together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ends {
    /// A segment ends within its node's side.
    Tight,
    /// A segment only takes its room: for a rehearsal, after which edges are routed anew.
    Loose,
}

/// A coordinate to be found, with a fixed distance from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct At {
    /// Index of the variable.
    pub var: usize,
    /// Distance from it.
    pub offset: f64,
}

/// `to` is at least `by` larger than `from`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gap {
    /// The smaller variable.
    pub from: usize,
    /// The larger variable.
    pub to: usize,
    /// By how much.
    pub by: f64,
}

/// A pair of borders that should be no farther apart than they must.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rigid {
    /// Lower border.
    pub lo: usize,
    /// Upper border.
    pub hi: usize,
    /// Least distance.
    pub size: f64,
}

/// Variables and gaps along one axis.
#[derive(Debug, Clone, Default)]
pub struct Space {
    /// Rank of each variable; gaps go upwards.
    pub order: Vec<f64>,
    /// All gaps.
    pub gaps: Vec<Gap>,
    /// Nodes.
    pub rigid: Vec<Rigid>,
    /// Lower borders of groups and of titles, and upper borders of groups: these follow
    /// their members.
    pub lower: Vec<usize>,
    /// See `lower`.
    pub upper: Vec<usize>,
    /// Variables of titles: they stay as near to their group's corner as can be.
    pub titles: Vec<usize>,
    /// Neighbouring groups of a justified row: upper border of one, lower border of the next.
    pub fills: Vec<(usize, usize)>,
    /// Borders of boxes.
    pub boxes: Vec<(usize, usize)>,
    /// Lower borders of titles, by box.
    pub title: Vec<Option<usize>>,
    /// Segments across the axis, by edge and segment; `usize::MAX` for the others.
    pub segments: Vec<Vec<usize>>,
    /// Lower borders of labels.
    pub labels: Vec<Option<At>>,
}

/// How far things reach across the axis.
#[derive(Debug, Clone, Copy)]
pub enum Across<'a> {
    /// By the sketch's ranks: the other axis is still to be spaced.
    Ranks(&'a Ranks),
    /// By coordinates: the other axis has been spaced, and `places`, `routes` hold them.
    Coordinates(&'a [Option<(f64, f64)>]),
}

/// The smallest gap.
pub const SMALL: f64 = 8.0;
/// From the end of a segment to a label on it; room for an arrow's head.
const LABEL_END: f64 = 12.0;
/// From a segment to the label beside it.
pub const LABEL_BESIDE: f64 = 3.0;

impl Space {
    /// Collects variables and gaps along `axis`.
    pub fn new(
        sketch: &Sketch<'_>,
        axis: Axis,
        ranks: &Ranks,
        across: Across<'_>,
    ) -> Space {
        let mut builder =
            Builder { sketch, axis, ranks, across, space: Space::default() };
        builder.variables();
        builder.share_rows();
        builder.share_sides();
        builder.structure();
        if sketch.ends == Ends::Tight {
            builder.contacts();
        }
        builder.label_ends();
        builder.sights();
        builder.space
    }
}

/// A space in the making.
#[derive(Debug)]
pub struct Builder<'a> {
    /// What is to be spaced.
    pub sketch: &'a Sketch<'a>,
    /// Along which axis.
    pub axis: Axis,
    /// The order of things along it.
    pub ranks: &'a Ranks,
    /// How far things reach across it.
    pub across: Across<'a>,
    /// What is known so far.
    pub space: Space,
}

impl Builder<'_> {
    fn var(&mut self, rank: f64) -> usize {
        self.space.order.push(rank);
        self.space.order.len() - 1
    }

    /// Adds a gap. One that goes down the ranks would break the proof that coordinates
    /// exist; the sketch holds none.
    pub fn gap(&mut self, from: At, to: At, by: f64) {
        let by = by + from.offset - to.offset;
        if from.var == to.var {
            debug_assert!(by <= 1e-6, "a thing cannot keep away from itself");
            return;
        }
        let up = self.space.order[from.var] < self.space.order[to.var];
        debug_assert!(up, "gaps go up the ranks");
        if up {
            self.space.gaps.push(Gap { from: from.var, to: to.var, by });
        }
    }

    /// The variable of a box's lower border.
    pub fn lo(&self, id: BoxId) -> At {
        At { var: self.space.boxes[id].0, offset: 0.0 }
    }

    /// The variable of a box's upper border.
    pub fn hi(&self, id: BoxId) -> At {
        At { var: self.space.boxes[id].1, offset: 0.0 }
    }

    /// One variable for each border, each title, each segment across the axis, and each label
    /// that may slide along it.
    fn variables(&mut self) {
        let tree = self.sketch.tree;
        for id in 0..tree.root {
            let (lo, hi) = (self.ranks.lo[id], self.ranks.hi[id]);
            let borders = (self.var(lo), self.var(hi));
            self.space.boxes.push(borders);
            let title = tree.is_container(id).then(|| self.var(self.ranks.title[id]));
            self.space.title.push(title);
            self.space.titles.extend(title);
        }
        for (edge, route) in self.sketch.routes.iter().enumerate() {
            let vars = (0..route.segments())
                .map(|segment| {
                    if route.axis(segment) == self.axis {
                        usize::MAX
                    } else {
                        self.var(self.ranks.segments[edge][segment])
                    }
                })
                .collect();
            self.space.segments.push(vars);
            let label = self.label_var(edge, route);
            self.space.labels.push(label);
        }
    }

    fn label_var(&mut self, edge: usize, route: &Route) -> Option<At> {
        let spot = self.sketch.spots.get(edge).copied().flatten()?;
        let size = self.axis.extent(self.sketch.labels[edge]?);
        if route.axis(spot.segment) == self.axis {
            let var = self.var(self.ranks.labels[edge]);
            return Some(At { var, offset: 0.0 });
        }
        let offset = match spot.side {
            SpotSide::Before => -LABEL_BESIDE - size,
            SpotSide::After => LABEL_BESIDE,
        };
        Some(At { var: self.space.segments[edge][spot.segment], offset })
    }

    /// Members of a row that begin (or end) together share one variable.
    fn share_rows(&mut self) {
        if self.sketch.rows == RowsMode::Free || self.axis != self.sketch.main {
            return;
        }
        let tree = self.sketch.tree;
        for &id in &tree.containers {
            let mut last: Option<At> = None;
            for row in &tree.rows[id] {
                let lo = row.iter().map(|&m| self.ranks.lo[m]).fold(f64::MAX, f64::min);
                let hi = row.iter().map(|&m| self.ranks.hi[m]).fold(f64::MIN, f64::max);
                let (start, end) = (self.var(lo - 0.1), self.var(hi + 0.1));
                let (start, end) =
                    (At { var: start, offset: 0.0 }, At { var: end, offset: 0.0 });
                let nodes = row.iter().filter(|&&m| !tree.is_group(m)).count();
                for &member in row {
                    if tree.is_group(member) {
                        self.space.boxes[member] = (start.var, end.var);
                    } else if nodes == row.len() {
                        self.space.boxes[member].0 = start.var;
                    }
                    self.gap(start, self.lo(member), 0.0);
                    if self.space.boxes[member].1 != end.var {
                        self.gap(self.hi(member), end, 0.0);
                    }
                }
                self.gap(start, end, 1.0);
                if let Some(last) = last {
                    self.gap(last, start, self.sketch.spacing.between_rows);
                }
                last = Some(end);
            }
        }
    }

    /// Justified rows of one container begin together and end together.
    fn share_sides(&mut self) {
        if self.sketch.rows == RowsMode::Free || self.axis == self.sketch.main {
            return;
        }
        let (tree, axis) = (self.sketch.tree, self.axis);
        for &id in &tree.containers {
            let justified: Vec<&Vec<BoxId>> = tree.rows[id]
                .iter()
                .zip(&tree.justified[id])
                .filter(|r| *r.1)
                .map(|r| r.0)
                .collect();
            let place = |id: BoxId| &self.sketch.places.boxes[id];
            let mut sides: [Vec<BoxId>; 2] = [Vec::new(), Vec::new()];
            for row in &justified {
                if let (Some(&first), Some(&last)) = (row.first(), row.last()) {
                    sides[0].push(first);
                    sides[1].push(last);
                }
            }
            // Only what the sketch has on one coordinate may share a variable.
            if let Some(&first) = sides[0].first() {
                let at = axis.lo(place(first));
                sides[0].retain(|&id| (axis.lo(place(id)) - at).abs() < 1e-6);
            }
            if let Some(&last) = sides[1].first() {
                let at = axis.hi(place(last));
                sides[1].retain(|&id| (axis.hi(place(id)) - at).abs() < 1e-6);
            }
            let least = |ids: &[BoxId], ranks: &[f64]| {
                ids.iter().map(|&id| ranks[id]).fold(f64::MAX, f64::min)
            };
            if sides[0].len() > 1 {
                let var = self.var(least(&sides[0], &self.ranks.lo));
                sides[0].iter().for_each(|&id| self.space.boxes[id].0 = var);
            }
            if sides[1].len() > 1 {
                let var = self.var(least(&sides[1], &self.ranks.hi));
                sides[1].iter().for_each(|&id| self.space.boxes[id].1 = var);
            }
            for row in justified {
                for pair in row.windows(2) {
                    let fill = (self.space.boxes[pair[0]].1, self.space.boxes[pair[1]].0);
                    self.space.fills.push(fill);
                }
            }
        }
    }

    /// Sizes, padding, and gaps between neighbours of a row.
    fn structure(&mut self) {
        let (tree, spacing) = (self.sketch.tree, self.sketch.spacing);
        for id in 0..tree.root {
            let size = self.axis.extent(tree.least[id]);
            let (lo, hi) = (self.lo(id), self.hi(id));
            self.gap(lo, hi, size);
            if tree.is_container(id) {
                self.space.lower.push(lo.var);
                self.space.upper.push(hi.var);
                self.title_gaps(id);
            } else {
                self.space.rigid.push(Rigid { lo: lo.var, hi: hi.var, size });
            }
            let parent = tree.parent[id];
            if parent != tree.root {
                let before = match self.axis {
                    Axis::X => spacing.padding,
                    Axis::Y => {
                        tokens::TITLE_TOP
                            + tree.title[parent].height
                            + tokens::TITLE_BELOW
                    }
                };
                self.gap(self.lo(parent), lo, before);
                self.gap(hi, self.hi(parent), spacing.padding);
            }
        }
        if self.axis != self.sketch.main && self.sketch.rows == RowsMode::Straight {
            for row in tree.rows.iter().flatten() {
                for pair in row.windows(2) {
                    let groups = pair.iter().any(|&m| tree.is_group(m));
                    let by = if groups {
                        spacing.between_groups
                    } else {
                        spacing.between_nodes
                    };
                    self.gap(self.hi(pair[0]), self.lo(pair[1]), by);
                }
            }
        }
    }

    fn title_gaps(&mut self, id: BoxId) {
        let Some(var) = self.space.title[id] else { return };
        let size = self.axis.extent(self.sketch.tree.title[id]);
        let before = match self.axis {
            Axis::X => tokens::TITLE_LEFT,
            Axis::Y => tokens::TITLE_TOP,
        };
        self.gap(self.lo(id), At { var, offset: 0.0 }, before);
        self.gap(At { var, offset: size }, self.hi(id), SMALL);
    }

    /// A segment that ends at a box's side stays away from the side's corners.
    fn contacts(&mut self) {
        for edge in 0..self.sketch.routes.len() {
            let route = &self.sketch.routes[edge];
            let Some(last) = route.segments().checked_sub(1) else { continue };
            for (segment, contact) in [(0, route.source), (last, route.target)] {
                let var = self.space.segments[edge][segment];
                let Some(contact) = contact.filter(|_| var != usize::MAX) else {
                    continue;
                };
                let at = At { var, offset: 0.0 };
                let inset = super::lines::PORT_INSET;
                self.gap(self.lo(contact.id), at, inset);
                self.gap(at, self.hi(contact.id), inset);
            }
        }
    }

    /// A label stays between the ends of its segment.
    fn label_ends(&mut self) {
        for edge in 0..self.sketch.routes.len() {
            let route = &self.sketch.routes[edge];
            let Some(spot) = self.sketch.spots.get(edge).copied().flatten() else {
                continue;
            };
            let (Some(label), Some(size)) =
                (self.space.labels[edge], self.sketch.labels[edge])
            else {
                continue;
            };
            if route.axis(spot.segment) != self.axis {
                continue;
            }
            let rank = self.ranks.labels[edge];
            for point in [spot.segment, spot.segment + 1] {
                let (end, end_rank) = self.end(edge, spot.segment, point);
                if end_rank < rank {
                    self.gap(end, label, LABEL_END);
                } else {
                    let hi =
                        At { offset: label.offset + self.axis.extent(size), ..label };
                    self.gap(hi, end, LABEL_END);
                }
            }
        }
    }

    /// What a segment ends at: the next segment, or a box's border; and its rank.
    fn end(&self, edge: usize, segment: usize, point: usize) -> (At, f64) {
        let route = &self.sketch.routes[edge];
        let next = if point == segment { segment.checked_sub(1) } else { Some(point) };
        match next.filter(|&next| next < route.segments()) {
            Some(next) => {
                let var = self.space.segments[edge][next];
                (At { var, offset: 0.0 }, self.ranks.segments[edge][next])
            }
            None => {
                let contact = if point == segment { route.source } else { route.target };
                let Some(Contact { id, side }) = contact else {
                    return (At { var: 0, offset: 0.0 }, 0.0);
                };
                if side.is_far() {
                    (self.hi(id), self.ranks.hi[id])
                } else {
                    (self.lo(id), self.ranks.lo[id])
                }
            }
        }
    }
}
