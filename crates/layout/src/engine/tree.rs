//! Pass 1, nest: who stands in whom.
//!
//! Nodes and groups become *boxes* of one tree, numbered nodes first, then groups, then the
//! root. A group without members is a leaf like a node.
//!
//! Precondition: none; whatever the graph says is accepted (parents that do not exist or
//! that form a ring count as the root, rows that name a stranger are ignored).
//! Postcondition: every box but the root stands in exactly one row of its parent, and
//! `containers` lists parents before their children.

use std::collections::BTreeMap;

use topomotion_scene::{Rect, Size};

use crate::Spacing;
use crate::graph::{Graph, Member};
use crate::tokens;

/// Index of a box.
pub type BoxId = usize;

/// Rows of boxes.
pub type Rows = Vec<Vec<BoxId>>;

/// Whether rows count when coordinates are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowsMode {
    /// Members of a row stay in one line.
    Straight,
    /// The author placed things: there are no rows.
    Free,
}

/// The nesting of boxes.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// Boxes below this number are nodes.
    pub nodes: usize,
    /// The last box: what everything stands in.
    pub root: BoxId,
    /// Parent of each box; the root is its own.
    pub parent: Vec<BoxId>,
    /// 0 for the root.
    pub depth: Vec<usize>,
    /// Rows of each box's members; none for a leaf.
    pub rows: Vec<Rows>,
    /// Whether the author chose a box's rows.
    pub given: Vec<bool>,
    /// For each box, which of its rows reach from side to side.
    pub justified: Vec<Vec<bool>>,
    /// Least size of each box.
    pub least: Vec<Size>,
    /// Size of each box's title; zero for nodes and for the root.
    pub title: Vec<Size>,
    /// Boxes with members, and the root; parents first.
    pub containers: Vec<BoxId>,
    /// The two ends of each edge, where both exist.
    pub ends: Vec<Option<(BoxId, BoxId)>>,
    /// Replicas of one process, in the script's order; a set each.
    pub replicas: Vec<Vec<BoxId>>,
}

impl Tree {
    /// Whether the box has members (the root always counts).
    pub fn is_container(&self, id: BoxId) -> bool {
        id == self.root || !self.rows[id].is_empty()
    }

    /// Whether the box is a group in the picture (not a node, not the root).
    pub fn is_group(&self, id: BoxId) -> bool {
        self.nodes <= id && id < self.root
    }

    /// Whether `id` is `other` or stands somewhere inside it.
    pub fn is_within(&self, id: BoxId, other: BoxId) -> bool {
        let mut at = id;
        while self.depth[at] > self.depth[other] {
            at = self.parent[at];
        }
        at == other
    }

    /// The innermost box around both, and its members in which they stand; `None` if one
    /// is within the other.
    pub fn branch(&self, a: BoxId, b: BoxId) -> Option<(BoxId, BoxId, BoxId)> {
        let (mut a, mut b) = (a, b);
        while self.depth[a] > self.depth[b] {
            a = self.parent[a];
        }
        while self.depth[b] > self.depth[a] {
            b = self.parent[b];
        }
        if a == b {
            return None;
        }
        while self.parent[a] != self.parent[b] {
            (a, b) = (self.parent[a], self.parent[b]);
        }
        Some((self.parent[a], a, b))
    }

    /// The boxes from a box up to, but without, one that is around it, outermost first.
    pub fn path(&self, id: BoxId, around: BoxId) -> Vec<BoxId> {
        let mut path = Vec::with_capacity(self.depth[id]);
        let mut at = id;
        while at != around {
            path.push(at);
            at = self.parent[at];
        }
        path.reverse();
        path
    }

    /// Where a title stands in its group, if nothing pushes it aside.
    pub fn title_at(&self, id: BoxId, rect: &Rect) -> Rect {
        let size = self.title[id];
        let (x, y) = (rect.x + tokens::TITLE_LEFT, rect.y + tokens::TITLE_TOP);
        Rect::new(x, y, size.width, size.height)
    }

    /// The members of a box, row by row.
    pub fn members(&self, id: BoxId) -> impl Iterator<Item = BoxId> + '_ {
        self.rows[id].iter().flatten().copied()
    }
}

/// Builds the tree.
pub fn nest(graph: &Graph, spacing: &Spacing) -> Tree {
    let nodes = graph.nodes.len();
    let root = nodes + graph.groups.len();
    let mut tree = Tree {
        nodes,
        root,
        parent: parents(graph),
        rows: vec![Vec::new(); root + 1],
        given: vec![false; root + 1],
        justified: vec![Vec::new(); root + 1],
        title: vec![Size::default(); root + 1],
        ..Tree::default()
    };
    fill_rows(graph, &mut tree);
    order_containers(&mut tree);
    fill_sizes(graph, spacing, &mut tree);
    tree.ends = graph
        .edges
        .iter()
        .map(|edge| Some((resolve(graph, edge.source)?, resolve(graph, edge.target)?)))
        .collect();
    tree.replicas = replicas(graph);
    tree
}

fn replicas(graph: &Graph) -> Vec<Vec<BoxId>> {
    let mut sets: BTreeMap<&str, Vec<BoxId>> = BTreeMap::new();
    for (id, node) in graph.nodes.iter().enumerate() {
        if let Some(base) = &node.replica_of {
            sets.entry(base).or_default().push(id);
        }
    }
    sets.into_values().collect()
}

/// The box that a member names, if it exists.
fn resolve(graph: &Graph, member: Member) -> Option<BoxId> {
    match member {
        Member::Node(index) => (index < graph.nodes.len()).then_some(index),
        Member::Group(index) => {
            (index < graph.groups.len()).then_some(graph.nodes.len() + index)
        }
    }
}

/// Parents, with rings of groups cut at the group that closes them.
fn parents(graph: &Graph) -> Vec<BoxId> {
    let (nodes, groups) = (graph.nodes.len(), graph.groups.len());
    let root = nodes + groups;
    let as_box =
        |group: Option<usize>| group.filter(|&g| g < groups).map_or(root, |g| nodes + g);
    let mut parent: Vec<BoxId> =
        graph.nodes.iter().map(|node| as_box(node.group)).collect();
    parent.resize(root + 1, root);
    for (index, group) in graph.groups.iter().enumerate() {
        let (own, wanted) = (nodes + index, as_box(group.parent));
        let mut at = wanted;
        while at != root && at != own {
            at = parent[at];
        }
        if at == root {
            parent[own] = wanted;
        }
    }
    parent
}

fn fill_rows(graph: &Graph, tree: &mut Tree) {
    let mut placed = vec![false; tree.root];
    for id in tree.nodes..=tree.root {
        let rows = graph.groups.get(id - tree.nodes).map_or(&graph.rows, |g| &g.rows);
        let known: Rows = rows
            .iter()
            .map(|row| {
                let boxes = row.iter().filter_map(|&member| resolve(graph, member));
                boxes
                    .filter(|&b| {
                        tree.parent[b] == id && !std::mem::replace(&mut placed[b], true)
                    })
                    .collect::<Vec<_>>()
            })
            .filter(|row| !row.is_empty())
            .collect();
        tree.given[id] = known.len() > 1;
        tree.rows[id] = known;
    }
    for (id, placed) in placed.iter().enumerate() {
        if !placed {
            let rows = &mut tree.rows[tree.parent[id]];
            match rows.last_mut() {
                Some(row) => row.push(id),
                None => rows.push(vec![id]),
            }
        }
    }
}

fn order_containers(tree: &mut Tree) {
    tree.depth = vec![0; tree.root + 1];
    let mut queue = vec![tree.root];
    let mut next = 0;
    while let Some(&id) = queue.get(next) {
        next += 1;
        let members: Vec<BoxId> = tree.members(id).collect();
        for member in members {
            tree.depth[member] = tree.depth[id] + 1;
            if tree.is_container(member) {
                queue.push(member);
            }
        }
    }
    tree.containers = queue;
}

fn fill_sizes(graph: &Graph, spacing: &Spacing, tree: &mut Tree) {
    let sane = |size: Size| Size { width: sane(size.width), height: sane(size.height) };
    tree.least = graph.nodes.iter().map(|node| sane(node.size)).collect();
    tree.least.resize(tree.root + 1, Size { width: 1.0, height: 1.0 });
    for (index, group) in graph.groups.iter().enumerate() {
        let id = tree.nodes + index;
        let title = sane(group.title);
        let least = group.least.map_or(Size::default(), sane);
        tree.title[id] = title;
        let height =
            tokens::TITLE_TOP + title.height + tokens::TITLE_BELOW + spacing.padding;
        tree.least[id] = Size {
            width: least.width.max(title.width + 2.0 * tokens::TITLE_LEFT),
            height: least.height.max(height),
        };
    }
}

/// A length that arithmetic can be trusted with.
fn sane(length: f64) -> f64 {
    if length.is_finite() { length.clamp(1.0, 10_000.0) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Group, Node};

    fn graph(parents: &[Option<usize>], nodes: &[Option<usize>]) -> Graph {
        Graph {
            groups: parents
                .iter()
                .map(|&parent| Group { parent, ..Group::default() })
                .collect(),
            nodes: nodes.iter().map(|&group| Node { group, ..Node::default() }).collect(),
            ..Graph::default()
        }
    }

    #[test]
    fn a_ring_of_parents_is_cut() {
        let graph = graph(&[Some(1), Some(0), Some(7)], &[Some(0)]);
        let tree = nest(&graph, &Spacing::default());
        assert_eq!(tree.parent, [1, 2, 4, 4, 4]);
        assert_eq!(tree.containers, [4, 2, 1]);
    }

    #[test]
    fn a_branch_is_where_two_boxes_part() {
        let graph = graph(&[None, Some(0), None], &[Some(1), Some(0), Some(2), None]);
        let tree = nest(&graph, &Spacing::default());
        let (outer, inner, other, root) = (4, 5, 6, 7);
        assert_eq!(tree.branch(0, 1), Some((outer, inner, 1)));
        assert_eq!(tree.branch(0, 2), Some((root, outer, other)));
        assert_eq!(tree.branch(0, outer), None);
        assert_eq!(tree.branch(3, 0), Some((root, 3, outer)));
        assert_eq!(tree.branch(0, 0), None);
    }

    #[test]
    fn rows_that_name_strangers_are_ignored() {
        let mut graph = graph(&[None], &[Some(0), None]);
        graph.groups[0].rows = vec![vec![Member::Node(1), Member::Node(9)]];
        let tree = nest(&graph, &Spacing::default());
        assert_eq!(tree.rows[2], [[0]]);
        assert_eq!(tree.rows[3], [[1, 2]]);
    }
}
