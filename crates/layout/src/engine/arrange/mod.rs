//! Pass 2, arrange: rows, and who stands where in them.
//!
//! In three steps. The first edges, nearly all, are looked at together: `rank` gives rows, and
//! members move while that pays. Then the others are added one by one, in the script's order:
//! an end that is not there yet is put where it costs least, and only the members in which
//! the two ends stand may move. At last all may move once more, but only for a large gain.
//!
//! What a container's arrangement costs is a sum: lengths of edges, crossings, lines through
//! strangers, edges against the main direction, and the container's shape; an edge is a
//! straight line between the middles of its boxes.
//!
//! The steps are what keeps the picture calm when the script is edited: a node or an edge that
//! comes last finds everything in its place, and moves only what it concerns. For the same
//! reason a move has to pay noticeably, and sizes are classes: a longer label is no reason to
//! stand elsewhere.
//!
//! Precondition: a tree; rows that the author gave are complete.
//! Postcondition: every box stands in one row of its parent; no row is empty; where the author
//! chose rows, each row has its own members.

mod arranger;
mod cost;
mod frame;
mod moves;
mod twins;

use topomotion_scene::Size;

use crate::engine::arrange::arranger::Arranger;
pub use crate::engine::arrange::cost::Spot;
use crate::engine::axis::Axis;
use crate::engine::grid::{Grid, Sense};
use crate::engine::shape::Shapes;
use crate::engine::tree::{BoxId, Rows, Tree};
use crate::graph::Effort;

/// Members that fit in one row without a thought.
const ONE_ROW: usize = 4;
/// The steps of leaves' sizes are whole multiples of this, px.
const FINENESS: Size = Size { width: 40.0, height: 16.0 };
/// How much of a leaf's size has to fit in its class: widths hang on labels, heights hardly.
const LENIENCE: Size = Size { width: 0.55, height: 0.8 };
/// The number of edges that are looked at together grows by an eighth, but not by more.
const MOST_LATER: usize = 16;
/// Fewer edges are all looked at together.
const FEW: usize = 8;
/// What a move has to gain at the end, beyond what is noticeable, px of edge length.
const LARGE_GAIN: f64 = 150.0;

/// What the caller wants to be weighed.
#[derive(Debug, Clone, Copy)]
pub struct Aim {
    /// Which end of the main axis the sources stand at.
    pub sense: Sense,
    /// Shapes of containers.
    pub shapes: Shapes,
}

/// Arranges the members of every container; the rows, and how much was tried.
pub fn arrange(grid: &Grid<'_>, aim: Aim) -> (Vec<Rows>, Effort) {
    let edges: Vec<(BoxId, BoxId)> = grid.tree.ends.iter().flatten().copied().collect();
    let (first, later) = edges.split_at(looked_at_together(edges.len()));
    let mut arranger = Arranger::new(grid, aim);
    arranger.start(first);
    for &(source, target) in later {
        arranger.add(source, target);
    }
    arranger.complete();
    arranger.polish(LARGE_GAIN);
    let effort = arranger.effort();
    let mut rows = arranger.into_rows();
    twins::order(grid.tree, &mut rows);
    (rows, effort)
}

/// Of so many edges, how many are looked at together. The number is the same for a few more or
/// less.
fn looked_at_together(edges: usize) -> usize {
    let mut count = FEW;
    loop {
        let next = count + (count / 8).min(MOST_LATER);
        if next > edges {
            return count.min(edges);
        }
        count = next;
    }
}

/// A few nodes stand side by side, whatever their edges say.
fn is_plain_row(tree: &Tree, id: BoxId) -> bool {
    id != tree.root
        && tree.members(id).count() <= ONE_ROW
        && tree.members(id).all(|member| member < tree.nodes)
}

/// Gives leaves sizes in whole steps of a usual one's, so that most are equal. A longer label
/// is seldom another class, and no reason to stand elsewhere.
fn round_leaves(tree: &mut Tree) {
    let usual = |extent: fn(&Size) -> f64, fineness: f64| {
        let mut extents: Vec<f64> = tree.least[..tree.nodes].iter().map(extent).collect();
        extents.sort_by(f64::total_cmp);
        let median = extents.get(extents.len() / 2).copied().unwrap_or(fineness);
        (median / fineness).ceil().max(1.0) * fineness
    };
    let width = usual(|size| size.width, FINENESS.width);
    let height = usual(|size| size.height, FINENESS.height);
    let steps = |length: f64, step: f64| (length / step).ceil().max(1.0) * step;
    for size in &mut tree.least[..tree.nodes] {
        *size = Size {
            width: steps(size.width * LENIENCE.width, width),
            height: steps(size.height * LENIENCE.height, height),
        };
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Spacing;
    use crate::engine::tree::nest;
    use crate::graph::{Edge, Graph, Member, Node};

    /// Rows of nodes without groups, with edges between them.
    fn rows(nodes: usize, edges: &[(usize, usize)]) -> Rows {
        let size = Size { width: 100.0, height: 40.0 };
        let edge = |(index, &(a, b)): (usize, &(usize, usize))| Edge {
            id: format!("e{index}"),
            source: Member::Node(a),
            target: Member::Node(b),
            label: None,
        };
        let graph = Graph {
            nodes: vec![Node { size, ..Node::default() }; nodes],
            edges: edges.iter().enumerate().map(edge).collect(),
            ..Graph::default()
        };
        let spacing = Spacing::default();
        let tree = nest(&graph, &spacing);
        let grid = Grid { tree: &tree, spacing: &spacing, axis: Axis::Y };
        let aim = Aim { sense: Sense::Forward, shapes: Shapes::new(1.6, Axis::Y) };
        arrange(&grid, aim).0[tree.root].clone()
    }

    fn row_of(rows: &Rows, node: usize) -> usize {
        rows.iter().position(|row| row.contains(&node)).unwrap_or(usize::MAX)
    }

    #[test]
    fn sources_stand_above_their_targets() {
        let rows = rows(6, &[(0, 1), (1, 2), (3, 4), (4, 5)]);
        for (source, target) in [(0, 1), (1, 2), (3, 4), (4, 5)] {
            assert!(row_of(&rows, source) < row_of(&rows, target), "{rows:?}");
        }
    }

    #[test]
    fn two_ladders_that_are_told_crosswise_do_not_cross() {
        let rows = rows(6, &[(0, 5), (1, 4), (2, 3)]);
        let place = |node: usize| {
            let row = row_of(&rows, node);
            (row, rows[row].iter().position(|&other| other == node))
        };
        for (a, b) in [((0, 5), (1, 4)), ((0, 5), (2, 3)), ((1, 4), (2, 3))] {
            assert_eq!(
                row_of(&rows, a.0) == row_of(&rows, b.0),
                row_of(&rows, a.1) == row_of(&rows, b.1)
            );
            assert_eq!(place(a.0) < place(b.0), place(a.1) < place(b.1), "{rows:?}");
        }
    }

    #[test]
    fn a_node_that_comes_last_leaves_the_others_where_they_are() {
        let ring: Vec<(usize, usize)> =
            (0..18).map(|n| (n % 9, (n * 4 + 1) % 9)).filter(|(a, b)| a != b).collect();
        let before = rows(9, &ring);
        let mut longer = ring.clone();
        longer.push((4, 9));
        assert_eq!(looked_at_together(ring.len()), looked_at_together(longer.len()));
        let mut after = rows(10, &longer);
        after.iter_mut().for_each(|row| row.retain(|&node| node != 9));
        after.retain(|row| !row.is_empty());
        assert_eq!(before, after);
    }

    #[test]
    fn a_few_more_edges_do_not_change_what_is_looked_at_together() {
        for edges in [3, 8, 40, 75, 300, 4500] {
            let together = looked_at_together(edges);
            assert!(together <= edges && edges - together <= MOST_LATER.max(edges / 8));
        }
        assert_eq!(looked_at_together(301), looked_at_together(303));
    }
}
