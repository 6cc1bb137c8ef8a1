//! Pass 4, exchange: members change places where that untangles edges.
//!
//! The order pass looks at one row at a time. This one looks at the whole picture, with every
//! edge as a straight line between the middles of its boxes: it counts crossings, lines
//! through strangers, and lengths. Two members of one container change places, or a group
//! is mirrored, wherever that makes the sum noticeably smaller. The amount of work is limited;
//! in a large picture the search ends before everything was tried.
//!
//! Precondition: ordered rows.
//! Postcondition: the same numbers of members in the same rows; where the author chose rows,
//! each row keeps its members.

use topomotion_scene::{Point, Rect, Size};

use crate::engine::axis::Axis;
use crate::engine::grid::{Grid, Sense};
use crate::engine::tree::{BoxId, Rows, Tree};

/// What a crossing costs, px of edge length.
const CROSSING: f64 = 70.0;
/// What a line through a stranger costs.
const THROUGH: f64 = 50.0;
/// What an edge against the main direction costs.
const AGAINST: f64 = 20.0;
/// What a px of the container's extent costs.
const GROWTH: f64 = 4.0;
/// Gains below this leave everything where it is.
const NOTICEABLE: f64 = 30.0;
/// Rounds over all containers.
const ROUNDS: usize = 12;
/// Most pairs of an edge and something else that are looked at.
const WORK: usize = 6_000_000;

/// Exchanges members; the new rows.
pub fn exchange(grid: &Grid<'_>, sense: Sense) -> Vec<Rows> {
    let mut search = Search::new(grid, sense);
    for _ in 0..ROUNDS {
        let before = search.gains;
        for &id in &grid.tree.containers {
            search.container(id);
        }
        if search.gains == before || search.work > WORK {
            break;
        }
    }
    search.tree.rows
}

struct Search<'a> {
    grid: &'a Grid<'a>,
    sense: Sense,
    tree: Tree,
    rects: Vec<Rect>,
    sizes: Vec<Size>,
    /// Edges as pairs of different boxes.
    edges: Vec<(BoxId, BoxId)>,
    /// Edges as lines.
    lines: Vec<(Point, Point)>,
    /// Edges at each box.
    at: Vec<Vec<usize>>,
    /// For each edge, whether it is among those that move.
    moving: Vec<bool>,
    /// Boxes inside each box, itself included.
    inside: Vec<Vec<BoxId>>,
    work: usize,
    gains: usize,
}

impl<'a> Search<'a> {
    fn new(grid: &'a Grid<'a>, sense: Sense) -> Search<'a> {
        let tree = grid.tree.clone();
        let edges: Vec<(BoxId, BoxId)> =
            tree.ends.iter().flatten().copied().filter(|(a, b)| a != b).collect();
        let mut at = vec![Vec::new(); tree.root + 1];
        for (edge, &(a, b)) in edges.iter().enumerate() {
            at[a].push(edge);
            at[b].push(edge);
        }
        let mut inside: Vec<Vec<BoxId>> = (0..=tree.root).map(|id| vec![id]).collect();
        for &id in tree.containers.iter().rev() {
            for member in tree.members(id).collect::<Vec<_>>() {
                let more = inside[member].clone();
                inside[id].extend(more);
            }
        }
        let rects = grid.places().boxes;
        let middle = |id: BoxId| rects[id].center();
        let lines = edges.iter().map(|&(a, b)| (middle(a), middle(b))).collect();
        let moving = vec![false; edges.len()];
        let sizes = grid.sizes();
        Search {
            grid,
            sense,
            tree,
            rects,
            sizes,
            edges,
            lines,
            at,
            moving,
            inside,
            work: 0,
            gains: 0,
        }
    }

    /// Tries all pairs of members, and the mirror images of the container.
    fn container(&mut self, id: BoxId) {
        let slots: Vec<(usize, usize)> = (0..self.tree.rows[id].len())
            .flat_map(|row| (0..self.tree.rows[id][row].len()).map(move |at| (row, at)))
            .collect();
        for (index, &a) in slots.iter().enumerate() {
            for &b in &slots[index + 1..] {
                if self.work > WORK {
                    return;
                }
                let groups = [a, b].map(|at| self.tree.is_container(self.member(id, at)));
                if groups[0] == groups[1] && (a.0 == b.0 || !self.tree.given[id]) {
                    self.try_pair(id, a, b);
                }
            }
        }
        if slots.len() > 1 && !self.tree.given[id] && self.work <= WORK {
            self.try_mirror(id);
        }
    }

    fn member(&self, id: BoxId, slot: (usize, usize)) -> BoxId {
        self.tree.rows[id][slot.0][slot.1]
    }

    fn try_pair(&mut self, id: BoxId, a: (usize, usize), b: (usize, usize)) {
        let (first, second) = (self.member(id, a), self.member(id, b));
        let moved: Vec<BoxId> =
            self.inside[first].iter().chain(&self.inside[second]).copied().collect();
        let edges = self.edges_of(&moved);
        if edges.is_empty() {
            return;
        }
        let before = self.cost(&edges, &moved);
        let old: Vec<Rect> = moved.iter().map(|&id| self.rects[id]).collect();
        self.swap_places(first, second);
        let gain = before - self.cost(&edges, &moved);
        let mut growth = 0.0;
        if gain > NOTICEABLE {
            growth = -self.extent(id);
            self.put(id, a, second);
            self.put(id, b, first);
            growth += self.extent(id);
        }
        if gain > NOTICEABLE + GROWTH * growth {
            self.gains += 1;
        } else {
            self.put(id, a, first);
            self.put(id, b, second);
            self.undo(&moved, old, &edges);
        }
    }

    fn put(&mut self, id: BoxId, (row, at): (usize, usize), member: BoxId) {
        self.tree.rows[id][row][at] = member;
    }

    /// Width and height of a container, were its members as large as they were first.
    fn extent(&self, id: BoxId) -> f64 {
        let grid = Grid { tree: &self.tree, ..*self.grid };
        let size = grid.container_size(id, &self.sizes);
        size.width + size.height
    }

    fn undo(&mut self, moved: &[BoxId], old: Vec<Rect>, edges: &[usize]) {
        for (&id, rect) in moved.iter().zip(old) {
            self.rects[id] = rect;
        }
        for &edge in edges {
            self.lines[edge] = self.line(edge);
        }
    }

    fn edges_of(&self, moved: &[BoxId]) -> Vec<usize> {
        let mut edges: Vec<usize> =
            moved.iter().flat_map(|&id| self.at[id].iter().copied()).collect();
        edges.sort_unstable();
        edges.dedup();
        edges
    }

    /// Each takes the other's middle, with all that stands inside.
    fn swap_places(&mut self, a: BoxId, b: BoxId) {
        let (from, to) = (self.rects[a].center(), self.rects[b].center());
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        for (id, sign) in [(a, 1.0), (b, -1.0)] {
            for &inner in &self.inside[id] {
                self.rects[inner].x += dx * sign;
                self.rects[inner].y += dy * sign;
            }
        }
    }

    /// Mirrors the order of all rows of a container across the main axis.
    fn try_mirror(&mut self, id: BoxId) {
        let moved: Vec<BoxId> = self.inside[id][1..].to_vec();
        let edges = self.edges_of(&moved);
        let before = self.cost(&edges, &moved);
        let old: Vec<Rect> = moved.iter().map(|&id| self.rects[id]).collect();
        let cross = self.grid.axis.cross();
        let members: Vec<BoxId> = self.tree.members(id).collect();
        let middle = cross.mid(&self.rects[id]);
        for member in members {
            let shift = 2.0 * (middle - cross.mid(&self.rects[member]));
            for &inner in &self.inside[member] {
                match cross {
                    Axis::X => self.rects[inner].x += shift,
                    Axis::Y => self.rects[inner].y += shift,
                }
            }
        }
        if before - self.cost(&edges, &moved) > 2.0 * NOTICEABLE {
            self.gains += 1;
            self.tree.rows[id].iter_mut().for_each(|row| row.reverse());
        } else {
            self.undo(&moved, old, &edges);
        }
    }

    /// What the given edges cost, and what lines through the moved boxes cost.
    fn cost(&mut self, edges: &[usize], moved: &[BoxId]) -> f64 {
        for &edge in edges {
            self.lines[edge] = self.line(edge);
            self.moving[edge] = true;
        }
        let mut cost = 0.0;
        for &edge in edges {
            let (line, ends) = (self.lines[edge], self.edges[edge]);
            cost += length(line) + if self.is_against(line) { AGAINST } else { 0.0 };
            let mut count = 0;
            for (other, &(a, b)) in self.edges.iter().enumerate() {
                // Pairs of two edges that move count once.
                let counts = !self.moving[other] || other > edge;
                let apart = a != ends.0 && a != ends.1 && b != ends.0 && b != ends.1;
                if counts && apart && crosses(line, self.lines[other]) {
                    count += 1;
                }
            }
            cost += CROSSING * f64::from(count);
        }
        for &edge in edges {
            self.moving[edge] = false;
        }
        let leaves = moved.iter().filter(|&&id| !self.tree.is_container(id));
        for &id in leaves.clone() {
            for (line, ends) in self.lines.iter().zip(&self.edges) {
                if ends.0 != id && ends.1 != id && hits(*line, &self.rects[id]) {
                    cost += THROUGH;
                }
            }
        }
        self.work += (edges.len() + leaves.count()) * self.edges.len();
        cost
    }

    fn is_against(&self, (from, to): (Point, Point)) -> bool {
        let step = self.grid.axis.of(to) - self.grid.axis.of(from);
        match self.sense {
            Sense::Forward => step < -1.0,
            Sense::Backward => step > 1.0,
        }
    }

    fn line(&self, edge: usize) -> (Point, Point) {
        let (a, b) = self.edges[edge];
        (self.rects[a].center(), self.rects[b].center())
    }
}

fn length((a, b): (Point, Point)) -> f64 {
    (a.x - b.x).abs() + (a.y - b.y).abs()
}

/// Twice the signed area of a triangle.
fn turn(a: Point, b: Point, c: Point) -> f64 {
    (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)
}

fn crosses((a, b): (Point, Point), (c, d): (Point, Point)) -> bool {
    let apart = a.x.max(b.x) < c.x.min(d.x)
        || c.x.max(d.x) < a.x.min(b.x)
        || a.y.max(b.y) < c.y.min(d.y)
        || c.y.max(d.y) < a.y.min(b.y);
    !apart && turn(a, b, c) * turn(a, b, d) < 0.0 && turn(c, d, a) * turn(c, d, b) < 0.0
}

/// Whether a line runs through a rectangle.
fn hits((a, b): (Point, Point), rect: &Rect) -> bool {
    if a.x.max(b.x) < rect.x
        || a.x.min(b.x) > rect.right()
        || a.y.max(b.y) < rect.y
        || a.y.min(b.y) > rect.bottom()
    {
        return false;
    }
    let corners = [
        Point::new(rect.x, rect.y),
        Point::new(rect.right(), rect.y),
        Point::new(rect.x, rect.bottom()),
        Point::new(rect.right(), rect.bottom()),
    ];
    let sides = corners.map(|corner| turn(a, b, corner) > 0.0);
    sides.contains(&true) && sides.contains(&false)
}
