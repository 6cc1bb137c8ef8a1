//! The abstract graph that the engine lays out, and where it put everything.
//!
//! Sizes are given here; what stands in the boxes is not known. The bench compares engines
//! at this level, so that it measures layouts and not fonts.

use topomotion_model::Direction;
use topomotion_scene::{Point, Rect, Size};

use crate::Spacing;

/// Groups, nodes and edges with sizes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Graph {
    /// Main direction.
    pub direction: Direction,
    /// Groups, in the script's order.
    pub groups: Vec<Group>,
    /// Nodes, in the script's order.
    pub nodes: Vec<Node>,
    /// Edges, in the script's order.
    pub edges: Vec<Edge>,
    /// Rows of what stands in no group; what no row names follows at the end.
    pub rows: Vec<Vec<Member>>,
}

/// A frame around nodes and other groups.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Group {
    /// Unique among groups.
    pub id: String,
    /// Index of the group it stands in.
    pub parent: Option<usize>,
    /// Size of its title.
    pub title: Size,
    /// Rows of its members; what no row names follows at the end. One row or none means
    /// that rows are the engine's to choose.
    pub rows: Vec<Vec<Member>>,
    /// Least size.
    pub least: Option<Size>,
    /// Top left corner that the author chose.
    pub position: Option<Point>,
}

/// A box.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Node {
    /// Unique among nodes.
    pub id: String,
    /// Index of the group it stands in.
    pub group: Option<usize>,
    /// What it is one of several replicas of.
    pub replica_of: Option<String>,
    /// Its size; it may be given more if its edges need more room to arrive.
    pub size: Size,
    /// Top left corner that the author chose.
    pub position: Option<Point>,
}

/// A connection.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// Unique among edges.
    pub id: String,
    /// Where it begins.
    pub source: Member,
    /// Where it ends.
    pub target: Member,
    /// Size of its label.
    pub label: Option<Size>,
}

/// A group or a node, by index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Member {
    /// A group.
    Group(usize),
    /// A node.
    Node(usize),
}

/// Wishes for the placement of a graph.
#[derive(Debug, Clone, PartialEq)]
pub struct Wishes {
    /// Width by height that the picture should come near to.
    pub aspect_ratio: f64,
    /// Distances.
    pub spacing: Spacing,
}

impl Default for Wishes {
    fn default() -> Wishes {
        Wishes { aspect_ratio: crate::tokens::ASPECT_RATIO, spacing: Spacing::default() }
    }
}

/// How much was tried for a placement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Effort {
    /// All that the engine knows to try.
    #[default]
    Whole,
    /// The graph is so large that searches were cut short: the picture has no faults, but more
    /// crossings and detours than it need have.
    CutShort,
}

/// Where everything is; indices are those of the graph.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Placement {
    /// Extent of the whole, margins included.
    pub size: Size,
    /// Groups and the places of their titles.
    pub groups: Vec<GroupPlace>,
    /// The group that each group stands in; rings of parents are cut.
    pub parents: Vec<Option<usize>>,
    /// Nodes.
    pub nodes: Vec<Rect>,
    /// Edges.
    pub edges: Vec<EdgePlace>,
    /// How much was tried.
    pub effort: Effort,
}

/// Where a group is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct GroupPlace {
    /// Its frame.
    pub rect: Rect,
    /// Its title.
    pub title: Rect,
}

/// Where an edge runs.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EdgePlace {
    /// From the source's border to the target's; horizontal and vertical segments.
    pub points: Vec<Point>,
    /// Its label.
    pub label: Option<Rect>,
}

/// Lays a graph out.
pub fn place(graph: &Graph, wishes: &Wishes) -> Placement {
    crate::engine::run(graph, wishes)
}
