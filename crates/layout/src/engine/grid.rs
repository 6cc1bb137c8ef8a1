//! Pass 4, grid: first coordinates, row by row, with plain gaps.
//!
//! Nothing is final here: the picture is only good enough to route edges in. Rows are
//! centred in their box, groups that share a row are equally high.
//!
//! Precondition: rows and their order are chosen.
//! Postcondition: boxes are disjoint unless nested, members and titles stand inside their
//! group and never touch, and there is room for a line in every gap.

use topomotion_model::Direction;
use topomotion_scene::{Rect, Size};

use crate::Spacing;
use crate::engine::axis::Axis;
use crate::engine::tree::{BoxId, Tree};
use crate::tokens;

/// Where layers follow one another, and in which sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// The axis along which layers follow one another.
    pub axis: Axis,
    /// Whether sources stand at smaller coordinates.
    pub sense: Sense,
}

/// Which end of the axis the sources stand at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sense {
    /// Sources first.
    Forward,
    /// Sources last.
    Backward,
}

impl From<Direction> for Flow {
    fn from(direction: Direction) -> Flow {
        let (axis, sense) = match direction {
            Direction::Down => (Axis::Y, Sense::Forward),
            Direction::Up => (Axis::Y, Sense::Backward),
            Direction::Right => (Axis::X, Sense::Forward),
            Direction::Left => (Axis::X, Sense::Backward),
        };
        Flow { axis, sense }
    }
}

/// Rooms and gaps of the first coordinates.
#[derive(Debug, Clone, Copy)]
pub struct Grid<'a> {
    /// Who stands in whom, and in which rows.
    pub tree: &'a Tree,
    /// Least distances.
    pub spacing: &'a Spacing,
    /// Main axis.
    pub axis: Axis,
}

/// Coordinates of everything but edges.
#[derive(Debug, Clone, Default)]
pub struct Places {
    /// Boxes; the last one, the root, is the bounding box of all.
    pub boxes: Vec<Rect>,
    /// Titles by box; empty rectangles where there is none.
    pub titles: Vec<Rect>,
}

/// Share of a container's width from which on a row of groups is justified.
const NEARLY: f64 = 0.62;

impl Grid<'_> {
    /// Gap between two neighbours in a row.
    pub fn cell_gap(&self, a: BoxId, b: BoxId) -> f64 {
        let groups = self.tree.is_group(a) || self.tree.is_group(b);
        let gap =
            if groups { self.spacing.between_groups } else { self.spacing.between_nodes };
        gap + 2.0 * self.spacing.lane
    }

    /// Gap between two rows.
    pub fn row_gap(&self) -> f64 {
        self.spacing.between_rows + 2.0 * self.spacing.lane
    }

    /// Room between a container's border and its members: before and after, along an axis.
    pub fn room(&self, id: BoxId, axis: Axis) -> (f64, f64) {
        if id == self.tree.root {
            return (0.0, 0.0);
        }
        let plain = self.spacing.padding + self.spacing.lane;
        match axis {
            Axis::X => (plain, plain),
            Axis::Y => (
                tokens::TITLE_TOP
                    + self.tree.title[id].height
                    + tokens::TITLE_BELOW
                    + self.spacing.lane,
                plain,
            ),
        }
    }

    /// A row's extents along the main axis and across it.
    pub fn row_extent(&self, row: &[BoxId], sizes: &[Size]) -> (f64, f64) {
        let (mut along, mut across) = (0.0f64, 0.0);
        for (index, &id) in row.iter().enumerate() {
            along = along.max(self.axis.extent(sizes[id]));
            across += self.axis.cross().extent(sizes[id]);
            if index > 0 {
                across += self.cell_gap(row[index - 1], id);
            }
        }
        (along, across)
    }

    /// The size of a container with these rows.
    pub fn container_size(&self, id: BoxId, sizes: &[Size]) -> Size {
        let (mut along, mut across) = (0.0, 0.0f64);
        for (index, row) in self.tree.rows[id].iter().enumerate() {
            let (row_along, row_across) = self.row_extent(row, sizes);
            along += row_along + if index > 0 { self.row_gap() } else { 0.0 };
            across = across.max(row_across);
        }
        let (before, after) = self.room(id, self.axis);
        let (left, right) = self.room(id, self.axis.cross());
        let size = self.axis.size(along + before + after, across + left + right);
        let least = self.tree.least[id];
        Size { width: size.width.max(least.width), height: size.height.max(least.height) }
    }

    /// Sizes of all boxes, from the inside out.
    pub fn sizes(&self) -> Vec<Size> {
        let mut sizes = self.tree.least.clone();
        for &id in self.tree.containers.iter().rev() {
            sizes[id] = self.container_size(id, &sizes);
        }
        sizes
    }

    /// Which rows reach from side to side: rows of groups that nearly do so anyway.
    pub fn justified(&self) -> Vec<Vec<bool>> {
        let sizes = self.sizes();
        let mut justified: Vec<Vec<bool>> = vec![Vec::new(); self.tree.root + 1];
        for &id in &self.tree.containers {
            let rows = &self.tree.rows[id];
            let extents = rows.iter().map(|row| self.row_extent(row, &sizes).1);
            let widest = extents.clone().fold(0.0, f64::max);
            justified[id] = rows
                .iter()
                .zip(extents)
                .map(|(row, extent)| {
                    let groups = row.iter().all(|&id| self.tree.is_container(id));
                    groups && extent >= widest * NEARLY
                })
                .collect();
        }
        justified
    }

    /// Places everything, from the outside in.
    pub fn places(&self) -> Places {
        let sizes = self.sizes();
        let mut boxes = vec![Rect::default(); self.tree.root + 1];
        let root = sizes[self.tree.root];
        boxes[self.tree.root] = Rect::new(0.0, 0.0, root.width, root.height);
        for &id in &self.tree.containers {
            self.place_members(id, &sizes, &mut boxes);
        }
        let titles =
            (0..=self.tree.root).map(|id| self.tree.title_at(id, &boxes[id])).collect();
        Places { boxes, titles }
    }

    fn place_members(&self, id: BoxId, sizes: &[Size], boxes: &mut [Rect]) {
        let (axis, cross) = (self.axis, self.axis.cross());
        let own = boxes[id];
        let rows = &self.tree.rows[id];
        let extents: Vec<(f64, f64)> =
            rows.iter().map(|row| self.row_extent(row, sizes)).collect();
        let (before, after) = self.room(id, axis);
        let (left, right) = self.room(id, cross);
        let wanted: f64 = extents.iter().map(|extent| extent.0).sum::<f64>()
            + self.row_gap() * (rows.len().max(1) - 1) as f64;
        let free = axis.hi(&own) - axis.lo(&own) - before - after - wanted;
        let mut along = axis.lo(&own) + before + free.max(0.0) / 2.0;
        for (at, (row, &(row_along, row_across))) in rows.iter().zip(&extents).enumerate()
        {
            let room = cross.hi(&own) - cross.lo(&own) - left - right;
            let free = (room - row_across).max(0.0);
            let justified = self.tree.justified[id].get(at) == Some(&true);
            let share = if justified { free / row.len() as f64 } else { 0.0 };
            let mut across =
                cross.lo(&own) + left + if justified { 0.0 } else { free / 2.0 };
            for (index, &member) in row.iter().enumerate() {
                if index > 0 {
                    across += self.cell_gap(row[index - 1], member);
                }
                let (high, wide) =
                    (axis.extent(sizes[member]), cross.extent(sizes[member]) + share);
                // Groups fill their row; nodes keep their size and stand in its middle.
                let stretch = if self.tree.is_group(member) { row_along } else { high };
                let lo = along + (row_along - stretch) / 2.0;
                axis.span(&mut boxes[member], lo, lo + stretch);
                cross.span(&mut boxes[member], across, across + wide);
                across += wide;
            }
            along += row_along + self.row_gap();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tree::nest;
    use crate::graph::{Graph, Group, Node};

    #[test]
    fn rows_are_centred_and_groups_of_a_row_are_equally_high() {
        let size = Size { width: 100.0, height: 40.0 };
        let node = |group| Node { group: Some(group), size, ..Node::default() };
        let graph = Graph {
            groups: vec![Group::default(), Group::default()],
            nodes: vec![node(0), node(0), node(1)],
            ..Graph::default()
        };
        let spacing = Spacing::default();
        let mut tree = nest(&graph, &spacing);
        tree.rows[3] = vec![vec![0], vec![1]];
        let places = Grid { tree: &tree, spacing: &spacing, axis: Axis::Y }.places();
        assert_eq!(places.boxes[3].height, places.boxes[4].height);
        assert_eq!(places.boxes[0].x, places.boxes[1].x);
        let own = places.boxes[4];
        assert!(own.contains(&places.boxes[2]));
        assert_eq!(places.boxes[2].center().x, own.center().x);
    }
}
