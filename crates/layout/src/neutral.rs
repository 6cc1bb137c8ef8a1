//! A layout in the form that the bench's scorer reads, whatever engine made it.

use topomotion_scene::{Point, Rect, Scene};

use crate::graph::{Graph, Member, Placement};

/// A layout without anything that only one engine has.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Neutral {
    /// Width of the picture.
    pub width: f64,
    /// Height of the picture.
    pub height: f64,
    /// Nodes.
    pub nodes: Vec<NeutralNode>,
    /// Groups.
    pub groups: Vec<NeutralGroup>,
    /// Edges between nodes.
    pub edges: Vec<NeutralEdge>,
}

/// A node.
#[derive(Debug, Clone, PartialEq)]
pub struct NeutralNode {
    /// Its id.
    pub id: String,
    /// Its place.
    pub rect: Rect,
    /// The group it stands in.
    pub group: Option<String>,
}

/// A group.
#[derive(Debug, Clone, PartialEq)]
pub struct NeutralGroup {
    /// Its id.
    pub id: String,
    /// Its place.
    pub rect: Rect,
    /// The group it stands in.
    pub parent: Option<String>,
    /// Its title's place.
    pub title: Rect,
}

/// An edge.
#[derive(Debug, Clone, PartialEq)]
pub struct NeutralEdge {
    /// Its id.
    pub id: String,
    /// Id of the node or group where it begins.
    pub source: String,
    /// Id of the node or group where it ends.
    pub target: String,
    /// The line.
    pub points: Vec<Point>,
    /// Its label's place.
    pub label: Option<Rect>,
    /// Whether it has a label to be shown.
    pub labelled: bool,
}

/// A scene as a neutral layout. The scorer knows no edges to groups: they are left out.
pub fn of_scene(scene: &Scene) -> Neutral {
    let is_node = |id: &String| scene.nodes.iter().any(|node| node.id == *id);
    Neutral {
        width: scene.size.width,
        height: scene.size.height,
        nodes: scene
            .nodes
            .iter()
            .map(|node| NeutralNode {
                id: node.id.clone(),
                rect: node.rect,
                group: node.group.clone(),
            })
            .collect(),
        groups: scene
            .groups
            .iter()
            .map(|group| NeutralGroup {
                id: group.id.clone(),
                rect: group.rect,
                parent: group.parent.clone(),
                title: group.title,
            })
            .collect(),
        edges: scene
            .routes
            .iter()
            .filter(|route| is_node(&route.source) && is_node(&route.target))
            .map(|route| NeutralEdge {
                id: format!("e{}", route.edge),
                source: route.source.clone(),
                target: route.target.clone(),
                points: route.points.clone(),
                label: route.label.as_ref().map(|label| label.rect),
                labelled: route.label.is_some(),
            })
            .collect(),
    }
}

/// A placed graph as a neutral layout. Edges to groups are left out.
pub fn of_graph(graph: &Graph, placement: &Placement) -> Neutral {
    let name = |group: Option<usize>| Some(graph.groups.get(group?)?.id.clone());
    let node = |member: Member| match member {
        Member::Node(index) => Some(graph.nodes.get(index)?.id.clone()),
        Member::Group(_) => None,
    };
    Neutral {
        width: placement.size.width,
        height: placement.size.height,
        nodes: graph
            .nodes
            .iter()
            .zip(&placement.nodes)
            .map(|(node, rect)| NeutralNode {
                id: node.id.clone(),
                rect: *rect,
                group: name(node.group),
            })
            .collect(),
        groups: graph
            .groups
            .iter()
            .zip(&placement.groups)
            .map(|(group, place)| NeutralGroup {
                id: group.id.clone(),
                rect: place.rect,
                parent: name(group.parent),
                title: place.title,
            })
            .collect(),
        edges: graph
            .edges
            .iter()
            .zip(&placement.edges)
            .filter_map(|(edge, place)| {
                Some(NeutralEdge {
                    id: edge.id.clone(),
                    source: node(edge.source)?,
                    target: node(edge.target)?,
                    points: place.points.clone(),
                    label: place.label,
                    labelled: edge.label.is_some(),
                })
            })
            .collect(),
    }
}
