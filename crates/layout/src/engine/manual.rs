//! Pass 4 where the author placed things: their positions first, the rest around them.
//!
//! What has a position stands there. Members without one stand as the grid has them: below
//! the placed ones of their group, or, in a group where nothing is placed, in the group's own
//! arrangement. Siblings that would touch are shifted, later ones of the script, to the
//! right or down, whichever is less.
//!
//! Precondition: places as after the grid pass.
//! Postcondition: boxes are disjoint unless nested, with room for a line in between.

use topomotion_scene::{Point, Rect};

use crate::Spacing;
use crate::engine::grid::{Grid, Places};
use crate::engine::tree::{BoxId, Tree};
use crate::graph::Graph;

/// Whether the author placed anything.
pub fn is_placed(graph: &Graph) -> bool {
    graph.nodes.iter().any(|node| node.position.is_some())
        || graph.groups.iter().any(|group| group.position.is_some())
}

/// Moves everything to where the author wants it, as far as it can be.
pub fn place(graph: &Graph, grid: &Grid<'_>, places: &mut Places) {
    let mut manual = Manual::new(graph, grid.tree, grid.spacing);
    for &id in grid.tree.containers.iter().rev() {
        manual.settle(id, grid, places);
    }
    for id in 0..=grid.tree.root {
        places.titles[id] = grid.tree.title_at(id, &places.boxes[id]);
    }
}

struct Manual<'a> {
    tree: &'a Tree,
    spacing: &'a Spacing,
    position: Vec<Option<Point>>,
    /// Whether the box stands where it must, because of itself or of something inside.
    fixed: Vec<bool>,
}

impl<'a> Manual<'a> {
    fn new(graph: &Graph, tree: &'a Tree, spacing: &'a Spacing) -> Manual<'a> {
        let sane = |at: Point| {
            let sane =
                |v: f64| if v.is_finite() { v.clamp(-50_000.0, 50_000.0) } else { 0.0 };
            Point::new(sane(at.x), sane(at.y))
        };
        let nodes = graph.nodes.iter().map(|node| node.position.map(sane));
        let groups = graph.groups.iter().map(|group| group.position.map(sane));
        let position: Vec<Option<Point>> =
            nodes.chain(groups).chain(std::iter::once(None)).collect();
        Manual { tree, spacing, fixed: vec![false; position.len()], position }
    }

    /// Places the members of a container whose inner containers are settled.
    fn settle(&mut self, id: BoxId, grid: &Grid<'_>, places: &mut Places) {
        let members: Vec<BoxId> = self.tree.members(id).collect();
        for &member in &members {
            if !self.tree.is_container(member)
                && let Some(at) = self.position[member]
            {
                self.move_to(member, at, places);
                self.fixed[member] = true;
            }
        }
        let (fixed, free): (Vec<BoxId>, Vec<BoxId>) =
            members.iter().partition(|&&member| self.fixed[member]);
        if !fixed.is_empty() && !free.is_empty() {
            self.put_below(&fixed, &free, places);
        }
        self.part(&members, places);
        let bounds = members.iter().map(|&member| places.boxes[member]);
        let Some(bounds) = bounds.reduce(|a, b| a.union(&b)) else { return };
        let ((left, right), (top, bottom)) = (
            grid.room(id, crate::engine::axis::Axis::X),
            grid.room(id, crate::engine::axis::Axis::Y),
        );
        let least = self.tree.least[id];
        places.boxes[id] = Rect::new(
            bounds.x - left,
            bounds.y - top,
            (bounds.width + left + right).max(least.width),
            (bounds.height + top + bottom).max(least.height),
        );
        let inside = !fixed.is_empty();
        if let Some(at) = self.position[id] {
            if inside {
                // Members win: the group grows to its own corner if that is farther out.
                let own = places.boxes[id];
                let corner = Rect::new(at.x.min(own.x), at.y.min(own.y), 1.0, 1.0);
                places.boxes[id] = own.union(&corner);
            } else {
                self.move_to(id, at, places);
            }
        }
        self.fixed[id] = inside || self.position[id].is_some();
    }

    /// Free members keep their arrangement, below the fixed ones.
    fn put_below(&self, fixed: &[BoxId], free: &[BoxId], places: &mut Places) {
        let union = |ids: &[BoxId], places: &Places| {
            ids.iter().map(|&id| places.boxes[id]).reduce(|a, b| a.union(&b))
        };
        if let (Some(above), Some(own)) = (union(fixed, places), union(free, places)) {
            let (dx, dy) = (above.x - own.x, above.bottom() + self.gap() - own.y);
            for &id in free {
                self.shift(id, dx, dy, places);
            }
        }
    }

    /// Shifts later siblings until none touches an earlier one. Shifts go right or down only,
    /// each past one sibling for good or further on, so they come to an end.
    fn part(&self, members: &[BoxId], places: &mut Places) {
        let gap = self.gap();
        let mut order = members.to_vec();
        order.sort_by_key(|&id| !self.fixed[id]);
        for (index, &id) in order.iter().enumerate() {
            loop {
                let own = places.boxes[id];
                let hit = order[..index]
                    .iter()
                    .map(|&other| places.boxes[other].grown(gap))
                    .find(|other| other.overlaps(&own));
                let Some(hit) = hit else { break };
                let (right, down) = (hit.right() - own.x, hit.bottom() - own.y);
                let (dx, dy) = if right < down { (right, 0.0) } else { (0.0, down) };
                // A little more than touching, so that rounding cannot hold it here.
                self.shift(id, dx * 1.0001, dy * 1.0001, places);
            }
        }
    }

    fn gap(&self) -> f64 {
        self.spacing.between_groups.max(self.spacing.between_nodes)
    }

    fn move_to(&self, id: BoxId, at: Point, places: &mut Places) {
        let own = places.boxes[id];
        self.shift(id, at.x - own.x, at.y - own.y, places);
    }

    /// Moves a box with all that stands in it.
    fn shift(&self, id: BoxId, dx: f64, dy: f64, places: &mut Places) {
        let mut boxes = vec![id];
        while let Some(id) = boxes.pop() {
            places.boxes[id].x += dx;
            places.boxes[id].y += dy;
            boxes.extend(self.tree.members(id));
        }
    }
}
