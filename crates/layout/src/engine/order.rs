//! Pass 3, order: who stands left of whom in each row.
//!
//! Rows begin in the script's order. A row is sorted by the mean place of the other ends of
//! its members' edges (the barycenter of Sugiyama, Tagawa and Toda, 1981) where that pays,
//! then neighbours change places while that lessens crossings or lengths noticeably. What
//! makes no noticeable difference stays as the script has it, so that small edits of the
//! script move little.
//!
//! Precondition: rows are chosen, and not empty.
//! Postcondition: the same rows, each with the same members.

use crate::engine::axis::Axis;
use crate::engine::grid::{Grid, Places};
use crate::engine::tree::{BoxId, Rows, Tree};

/// Rounds over all rows.
const ROUNDS: usize = 8;
/// What a crossing costs, px of edge length.
const CROSSING: f64 = 70.0;
/// Gains below this leave the order of groups alone, px of edge length.
const NOTICEABLE: f64 = 16.0;
/// Gains below this leave the order of nodes alone: replicas read in their order.
const NOTICEABLE_NODES: f64 = 60.0;

/// Orders the rows of every container.
pub fn order(grid: &Grid<'_>, rows: &[Rows]) -> Vec<Rows> {
    let mut tree = grid.tree.clone();
    tree.rows = rows.to_vec();
    let reach = reach(&tree);
    for _ in 0..ROUNDS {
        let mut changed = 0;
        for index in 0..tree.containers.len() {
            let id = tree.containers[index];
            if tree.members(id).count() < 2 {
                continue;
            }
            let places = Grid { tree: &tree, ..*grid }.places();
            for row in 0..tree.rows[id].len() {
                let mut line = Line::new(grid, &tree, &places, &reach, id, row);
                if line.improve() {
                    tree.rows[id][row] = line.members();
                    changed += 1;
                }
            }
        }
        if changed == 0 {
            break;
        }
    }
    tree.rows
}

/// Gives the nodes of a row the same extent along the main axis.
pub fn level(tree: &mut Tree, axis: Axis) {
    for id in 0..=tree.root {
        for row in 0..tree.rows[id].len() {
            let row = &tree.rows[id][row];
            if row.iter().any(|&member| tree.is_group(member)) {
                continue;
            }
            let most =
                row.iter().map(|&m| axis.extent(tree.least[m])).fold(0.0, f64::max);
            for &member in row {
                let across = axis.cross().extent(tree.least[member]);
                tree.least[member] = axis.size(most, across);
            }
        }
    }
}

/// For each box, the edges with exactly one end inside: (inner end, outer end).
fn reach(tree: &Tree) -> Vec<Vec<(BoxId, BoxId)>> {
    let mut reach = vec![Vec::new(); tree.root + 1];
    for &(source, target) in tree.ends.iter().flatten() {
        let Some((container, _, _)) = tree.branch(source, target) else { continue };
        for (inner, outer) in [(source, target), (target, source)] {
            let mut at = inner;
            while at != container {
                reach[at].push((inner, outer));
                at = tree.parent[at];
            }
        }
    }
    reach
}

/// Where the other end of an edge is, seen from a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Where {
    Before,
    Level,
    After,
}

/// One edge of a member: place of the inner end within the member, and of the outer end.
#[derive(Debug, Clone, Copy)]
struct Link {
    inner: f64,
    outer: f64,
    at: Where,
}

struct Cell {
    id: BoxId,
    /// Extent across, and the gap after it.
    extent: f64,
    gap: f64,
    links: Vec<Link>,
}

/// A row being ordered.
struct Line {
    start: f64,
    cells: Vec<Cell>,
    noticeable: f64,
}

impl Line {
    fn new(
        grid: &Grid<'_>,
        tree: &Tree,
        places: &Places,
        reach: &[Vec<(BoxId, BoxId)>],
        id: BoxId,
        row: usize,
    ) -> Line {
        let (axis, cross) = (grid.axis, grid.axis.cross());
        let members = &tree.rows[id][row];
        let lo = members.iter().map(|&m| axis.lo(&places.boxes[m]));
        let hi = members.iter().map(|&m| axis.hi(&places.boxes[m]));
        let band = (lo.fold(f64::MAX, f64::min), hi.fold(f64::MIN, f64::max));
        let cell = |&id: &BoxId| {
            let rect = &places.boxes[id];
            let link = |&(inner, outer): &(BoxId, BoxId)| Link {
                inner: cross.mid(&places.boxes[inner]) - cross.lo(rect),
                outer: cross.mid(&places.boxes[outer]),
                at: side(axis, band, places, outer),
            };
            let mut links: Vec<Link> = reach[id].iter().map(link).collect();
            links.sort_by(|a, b| a.at.cmp(&b.at).then(a.outer.total_cmp(&b.outer)));
            let extent = cross.hi(rect) - cross.lo(rect);
            Cell { id, extent, gap: grid.cell_gap(id, id), links }
        };
        let start = members.first().map_or(0.0, |&m| cross.lo(&places.boxes[m]));
        let groups = members.iter().any(|&member| tree.is_group(member));
        let noticeable = if groups { NOTICEABLE } else { NOTICEABLE_NODES };
        Line { start, cells: members.iter().map(cell).collect(), noticeable }
    }

    fn members(&self) -> Vec<BoxId> {
        self.cells.iter().map(|cell| cell.id).collect()
    }

    /// Sorts by barycenter if that pays, then lets neighbours change places.
    fn improve(&mut self) -> bool {
        let before = self.members();
        self.try_barycenter();
        for _ in 0..self.cells.len() {
            if !self.exchange() {
                break;
            }
        }
        before != self.members()
    }

    fn try_barycenter(&mut self) {
        let old: Vec<BoxId> = self.members();
        let cost = self.cost();
        let mut at = self.start;
        let mut keyed: Vec<(f64, Cell)> = Vec::with_capacity(self.cells.len());
        for cell in self.cells.drain(..) {
            let middle = at + cell.extent / 2.0;
            at += cell.extent + cell.gap;
            let sum: f64 = cell.links.iter().map(|link| link.outer).sum();
            let mean = sum / cell.links.len().max(1) as f64;
            let key = if cell.links.is_empty() { middle } else { mean };
            keyed.push((key, cell));
        }
        keyed.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.cells = keyed.into_iter().map(|(_, cell)| cell).collect();
        if self.cost() > cost - self.noticeable * 2.0 {
            self.cells.sort_by_key(|cell| old.iter().position(|&id| id == cell.id));
        }
    }

    /// One pass over neighbours; whether any changed places.
    fn exchange(&mut self) -> bool {
        let mut changed = false;
        let mut at = self.start;
        for index in 0..self.cells.len().saturating_sub(1) {
            let (a, b) = (&self.cells[index], &self.cells[index + 1]);
            let now = length(a, at)
                + length(b, at + a.extent + a.gap)
                + CROSSING * crossings(a, b) as f64;
            let then = length(b, at)
                + length(a, at + b.extent + b.gap)
                + CROSSING * crossings(b, a) as f64;
            if then < now - self.noticeable {
                self.cells.swap(index, index + 1);
                changed = true;
            }
            let cell = &self.cells[index];
            at += cell.extent + cell.gap;
        }
        changed
    }

    fn cost(&self) -> f64 {
        let mut at = self.start;
        let mut cost = 0.0;
        for (index, cell) in self.cells.iter().enumerate() {
            cost += length(cell, at);
            at += cell.extent + cell.gap;
            for other in &self.cells[index + 1..] {
                cost += CROSSING * crossings(cell, other) as f64;
            }
        }
        cost
    }
}

fn side(axis: Axis, band: (f64, f64), places: &Places, outer: BoxId) -> Where {
    let middle = axis.mid(&places.boxes[outer]);
    if middle < band.0 {
        Where::Before
    } else if middle > band.1 {
        Where::After
    } else {
        Where::Level
    }
}

/// Total length across of a cell's edges, were it to begin at `at`.
fn length(cell: &Cell, at: f64) -> f64 {
    cell.links.iter().map(|link| (at + link.inner - link.outer).abs()).sum()
}

/// Crossings between the edges of a cell and those of one right of it: pairs on the same
/// side whose other ends are in the opposite order.
fn crossings(left: &Cell, right: &Cell) -> usize {
    let mut count = 0;
    for at in [Where::Before, Where::After] {
        let mut others = right.links.iter().filter(|link| link.at == at).peekable();
        let mut passed = 0;
        for link in left.links.iter().filter(|link| link.at == at) {
            while others.next_if(|other| other.outer < link.outer).is_some() {
                passed += 1;
            }
            count += passed;
        }
    }
    count
}
