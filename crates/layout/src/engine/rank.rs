//! Pass 2, rank: which members share a row.
//!
//! Edges are lifted to the members of the innermost container that holds both ends. Rings
//! are cut in the script's order, longest paths give first ranks (sources before targets).
//! Then a local search moves single members between rows while that pays: it weighs the
//! lengths of edges, edges against the direction, edges inside a row, and the shape of the
//! whole. So a rank that is too long for the page spills over in the cheapest way; sources
//! of a hub, for instance, end up on both sides of it.
//!
//! Precondition: a tree. Rows that the author gave are kept.
//! Postcondition: the same members, in rows, none empty.

use topomotion_scene::Size;

use crate::engine::arrange::Spot;
use crate::engine::grid::Grid;
use crate::engine::shape::{Shapes, shape_cost};
use crate::engine::tree::{BoxId, Rows, Tree};

/// What an edge against the main direction costs, px of edge length.
const AGAINST: f64 = 90.0;
/// What an edge between members of one row costs, beyond neighbours.
const SIDEWAYS: f64 = 60.0;
/// How far a member may move at once, in half rows.
const FAR: usize = 9;
/// Sweeps of the local search.
const SWEEPS: usize = 6;
/// Of more members than this none moves by itself.
const MANY: usize = 400;
/// So few members are tried in all rows at once.
const FEW: usize = 6;
/// Rows among which they are tried.
const FEW_ROWS: usize = 4;

/// Chooses the rows of every container.
pub fn rank(grid: &Grid<'_>, shapes: Shapes, is_fixed: &[bool]) -> Vec<Rows> {
    let mut tree = grid.tree.clone();
    let edges = lift(&tree);
    let mut sizes = tree.least.clone();
    for index in (0..tree.containers.len()).rev() {
        let id = tree.containers[index];
        if !is_fixed[id] && tree.members(id).next().is_some() {
            let members: Vec<BoxId> = tree.members(id).collect();
            let grid = Grid { tree: &tree, ..*grid };
            let shape = shapes.wanted(&tree, id);
            let mut search = Search::new(&grid, id, &members, &edges[id], &sizes, shape);
            search.improve();
            let rows = search.rows();
            tree.rows[id] = rows;
        }
        sizes[id] = Grid { tree: &tree, ..*grid }.container_size(id, &sizes);
    }
    tree.rows
}

/// For each container, the edges between its members.
pub fn lift(tree: &Tree) -> Vec<Vec<(BoxId, BoxId)>> {
    let mut lifted = vec![Vec::new(); tree.root + 1];
    for &(source, target) in tree.ends.iter().flatten() {
        if let Some((container, a, b)) = tree.branch(source, target) {
            lifted[container].push((a, b));
        }
    }
    lifted
}

/// The local search over one container's rows.
struct Search<'a> {
    grid: &'a Grid<'a>,
    id: BoxId,
    members: &'a [BoxId],
    /// Row of each member.
    row: Vec<usize>,
    /// For each member: the member at the other end, and whether the edge leaves it.
    links: Vec<Vec<(usize, Way)>>,
    /// Extents along and across the main axis.
    extent: Vec<(f64, f64)>,
    shape: f64,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    Out,
    In,
}

impl<'a> Search<'a> {
    fn new(
        grid: &'a Grid<'a>,
        id: BoxId,
        members: &'a [BoxId],
        edges: &[(BoxId, BoxId)],
        sizes: &[Size],
        shape: f64,
    ) -> Search<'a> {
        let mut place = vec![usize::MAX; grid.tree.root + 1];
        for (index, &member) in members.iter().enumerate() {
            place[member] = index;
        }
        let mut links = vec![Vec::new(); members.len()];
        for &(a, b) in edges {
            links[place[a]].push((place[b], Way::Out));
            links[place[b]].push((place[a], Way::In));
        }
        let gap = members.first().map_or(0.0, |&first| grid.cell_gap(first, first));
        let cross = grid.axis.cross();
        let extent = members
            .iter()
            .map(|&m| (grid.axis.extent(sizes[m]), cross.extent(sizes[m]) + gap))
            .collect();
        let row = longest_paths(&links);
        Search { grid, id, members, row, links, extent, shape }
    }

    /// Moves members between rows while that pays.
    fn improve(&mut self) {
        if self.members.len() <= FEW {
            return self.try_all();
        }
        let mut best = self.cost();
        if self.members.len() > MANY {
            self.shift_tails(best);
            return;
        }
        for _ in 0..SWEEPS {
            let before = best;
            for member in 0..self.members.len() {
                best = self.improve_member(member, best);
            }
            best = self.shift_tails(best);
            if best >= before {
                break;
            }
        }
    }

    /// Tries every distribution over a few rows.
    fn try_all(&mut self) {
        let (mut best, mut best_rows) = (self.cost(), self.row.clone());
        let rows = FEW_ROWS.min(self.members.len());
        let mut code = vec![0; self.members.len()];
        loop {
            self.row.clone_from(&code);
            compact(&mut self.row);
            if self.row == code {
                let cost = self.cost();
                if cost < best - 1e-6 {
                    (best, best_rows) = (cost, code.clone());
                }
            }
            let Some(digit) = code.iter().rposition(|&digit| digit + 1 < rows) else {
                break;
            };
            code[digit] += 1;
            code[digit + 1..].fill(0);
        }
        self.row = best_rows;
    }

    /// Tries every other row, and a row of its own before and after each.
    fn improve_member(&mut self, member: usize, best: f64) -> f64 {
        let old = self.row.clone();
        let (mut best, mut best_rows) = (best, None);
        let count = old.iter().max().map_or(0, |&last| last + 1);
        let near = 2 * old[member] + 1;
        let (first, last) = (near.saturating_sub(FAR), (near + FAR).min(2 * count));
        for target in first..=last {
            // Even targets are new rows between old ones, odd targets are old rows.
            self.row.clone_from(&old);
            for row in &mut self.row {
                *row = 2 * *row + 1;
            }
            self.row[member] = target;
            compact(&mut self.row);
            let cost = self.cost();
            if cost < best - 1e-6 {
                (best, best_rows) = (cost, Some(self.row.clone()));
            }
        }
        self.row = best_rows.unwrap_or(old);
        best
    }

    /// Tries to fold the second half of a long row into a row of its own, after it.
    fn shift_tails(&mut self, best: f64) -> f64 {
        let mut best = best;
        let count = self.row.iter().max().map_or(0, |&last| last + 1);
        for row in (0..count).rev() {
            let inside: Vec<usize> =
                (0..self.row.len()).filter(|&m| self.row[m] == row).collect();
            for parts in 2..=4 {
                if inside.len() < parts {
                    continue;
                }
                let old = self.row.clone();
                for other in self.row.iter_mut().filter(|other| **other > row) {
                    *other += parts - 1;
                }
                for (index, &member) in inside.iter().enumerate() {
                    self.row[member] = row + index * parts / inside.len();
                }
                let cost = self.cost();
                if cost < best - 1e-6 {
                    best = cost;
                    break;
                }
                self.row = old;
            }
        }
        best
    }

    /// What the rows cost: edge lengths, edges against the flow or along a row, the shape.
    fn cost(&self) -> f64 {
        let count = self.row.iter().max().map_or(0, |&last| last + 1);
        let mut along = vec![0.0f64; count];
        let mut across = vec![0.0f64; count];
        for (member, &row) in self.row.iter().enumerate() {
            along[row] = along[row].max(self.extent[member].0);
            across[row] += self.extent[member].1;
        }
        let gap = self.grid.row_gap();
        let mut start = Vec::with_capacity(count);
        let mut at = 0.0;
        for extent in &along {
            start.push(at);
            at += extent + gap;
        }
        let widest = across.iter().fold(0.0f64, |a, &b| a.max(b));
        let mut cost = self.shape_cost(at - gap, widest);
        for (member, links) in self.links.iter().enumerate() {
            for &(other, way) in links {
                if way == Way::In {
                    continue;
                }
                let (from, to) = (self.row[member], self.row[other]);
                cost += if from == to {
                    SIDEWAYS + across[from] / 6.0
                } else {
                    let (first, last) = (from.min(to), from.max(to));
                    let passed = start[last] - start[first] - along[first];
                    let skipped = (last - first - 1) as f64;
                    let against =
                        if to < from { AGAINST * self.primacy(member) } else { 0.0 };
                    passed + skipped * 60.0 + against
                };
            }
        }
        cost
    }

    /// What the script names first rather stands where it belongs.
    fn primacy(&self, member: usize) -> f64 {
        1.25 - 0.5 * member as f64 / self.members.len().max(1) as f64
    }

    fn shape_cost(&self, along: f64, across: f64) -> f64 {
        let edges: usize = self.links.iter().map(Vec::len).sum();
        shape_cost(self.grid, self.id, Spot { u: along, v: across }, self.shape, edges)
    }

    fn rows(&self) -> Rows {
        let count = self.row.iter().max().map_or(0, |&last| last + 1);
        let mut rows = vec![Vec::new(); count];
        for (member, &row) in self.row.iter().enumerate() {
            rows[row].push(self.members[member]);
        }
        rows.retain(|row: &Vec<BoxId>| !row.is_empty());
        rows
    }
}

/// Renumbers rows so that none is empty.
fn compact(rows: &mut [usize]) {
    let count = rows.iter().max().map_or(0, |&last| last + 1);
    let mut used = vec![0; count];
    for &row in rows.iter() {
        used[row] = 1;
    }
    let mut next = 0;
    for slot in &mut used {
        next += std::mem::replace(slot, next);
    }
    for row in rows {
        *row = used[*row];
    }
}

/// Ranks by longest paths; an edge that would close a ring, in the script's order, counts
/// backwards.
fn longest_paths(links: &[Vec<(usize, Way)>]) -> Vec<usize> {
    let count = links.len();
    let position = ring_free_order(links);
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by_key(|&member| position[member]);
    let mut rank = vec![0usize; count];
    for &member in &order {
        for &(other, _) in &links[member] {
            if position[other] > position[member] {
                rank[other] = rank[other].max(rank[member] + 1);
            }
        }
    }
    // Sources move down to just above their nearest target: short edges.
    for &member in order.iter().rev() {
        let later = links[member].iter().filter(|l| position[l.0] > position[member]);
        let nearest = later.map(|&(other, _)| rank[other]).min();
        let has_earlier =
            links[member].iter().any(|&(other, _)| position[other] < position[member]);
        if let (Some(nearest), false) = (nearest, has_earlier) {
            rank[member] = nearest.saturating_sub(1);
        }
    }
    rank
}

/// Reverse postorder of a depth-first walk in the script's order.
fn ring_free_order(links: &[Vec<(usize, Way)>]) -> Vec<usize> {
    let count = links.len();
    let mut position = vec![0; count];
    let mut seen = vec![false; count];
    let mut next = count;
    let has_source = |m: &usize| links[*m].iter().any(|&(_, way)| way == Way::In);
    // The last to be left comes first, so sources that the script names first start last.
    let (rest, sources): (Vec<usize>, Vec<usize>) = (0..count).partition(has_source);
    let starts = sources.into_iter().rev().chain(rest);
    for start in starts {
        if std::mem::replace(&mut seen[start], true) {
            continue;
        }
        let mut stack = vec![(start, 0)];
        while let Some((member, link)) = stack.pop() {
            if let Some(&(other, way)) = links[member].get(link) {
                stack.push((member, link + 1));
                if way == Way::Out && !std::mem::replace(&mut seen[other], true) {
                    stack.push((other, 0));
                }
            } else {
                next -= 1;
                position[member] = next;
            }
        }
    }
    position
}
