//! Read: a topology as an abstract graph, with everything measured.
//!
//! Precondition: none.
//! Postcondition: groups, nodes and edges of the graph have the indices that they have in the
//! topology. An edge whose end does not exist has no box there.

use std::collections::BTreeMap;

use topomotion_model::{End, GroupId, Placement, ProcessId, Topology};
use topomotion_scene::{Point, Size};

use crate::Options;
use crate::graph::{Edge, Graph, Group, Member, Node};
use crate::measure::{Block, Content};
use crate::tokens;

/// A topology, measured.
#[derive(Debug)]
pub struct Measured {
    /// Sizes and edges.
    pub graph: Graph,
    /// What stands in each node.
    pub contents: Vec<Content>,
    /// Titles of groups.
    pub titles: Vec<Block>,
    /// Labels of edges.
    pub labels: Vec<Option<Block>>,
}

/// Measures a topology.
pub fn read(topology: &Topology, options: &Options) -> Measured {
    let names = Names::new(topology);
    let contents: Vec<Content> = topology
        .processes
        .iter()
        .map(|process| Content::new(process, options.panels.get(&process.id).copied()))
        .collect();
    let titles: Vec<Block> = topology
        .groups
        .iter()
        .map(|group| Block::new(tokens::TITLE, &group.label))
        .collect();
    let labels: Vec<Option<Block>> = topology
        .edges
        .iter()
        .map(|edge| edge.label.as_deref().and_then(edge_label))
        .collect();
    let mut graph = Graph {
        direction: options.direction.unwrap_or(topology.direction),
        groups: groups(topology, &names, &titles),
        nodes: nodes(topology, &names, &contents),
        edges: edges(topology, &names, &labels),
        rows: names.rows(&topology.rows),
    };
    if topology.placement == Placement::Automatic {
        graph.groups.iter_mut().for_each(|group| group.position = None);
        graph.nodes.iter_mut().for_each(|node| node.position = None);
    }
    share_widths(&mut graph, &contents);
    Measured { graph, contents, titles, labels }
}

fn edge_label(text: &str) -> Option<Block> {
    let block = Block::new(tokens::EDGE_LABEL, text);
    (block.size.height > 0.0).then_some(block)
}

/// Indices by id; the first of equal ids counts.
struct Names<'a> {
    groups: BTreeMap<&'a GroupId, usize>,
    processes: BTreeMap<&'a ProcessId, usize>,
}

impl<'a> Names<'a> {
    fn new(topology: &'a Topology) -> Names<'a> {
        let mut names = Names { groups: BTreeMap::new(), processes: BTreeMap::new() };
        for (index, group) in topology.groups.iter().enumerate() {
            names.groups.entry(&group.id).or_insert(index);
        }
        for (index, process) in topology.processes.iter().enumerate() {
            names.processes.entry(&process.id).or_insert(index);
        }
        names
    }

    fn group(&self, id: &Option<GroupId>) -> Option<usize> {
        self.groups.get(id.as_ref()?).copied()
    }

    /// What an end names; a member that does not exist if it names nothing.
    fn end(&self, end: &End) -> Member {
        match end {
            End::Process(id) => {
                Member::Node(self.processes.get(id).copied().unwrap_or(usize::MAX))
            }
            End::Group(id) => {
                Member::Group(self.groups.get(id).copied().unwrap_or(usize::MAX))
            }
        }
    }

    fn rows(&self, rows: &[Vec<topomotion_model::Member>]) -> Vec<Vec<Member>> {
        use topomotion_model::Member as Named;
        let member = |member: &Named| match member {
            Named::Group(id) => self.groups.get(id).map(|&index| Member::Group(index)),
            Named::Process(id) => {
                self.processes.get(id).map(|&index| Member::Node(index))
            }
        };
        rows.iter().map(|row| row.iter().filter_map(member).collect()).collect()
    }
}

fn groups(topology: &Topology, names: &Names<'_>, titles: &[Block]) -> Vec<Group> {
    let pairs = topology.groups.iter().zip(titles);
    pairs
        .map(|(group, title)| Group {
            id: group.id.as_str().into(),
            parent: names.group(&group.parent),
            title: title.size,
            rows: names.rows(&group.rows),
            least: group.size.map(|size| Size { width: size.width, height: size.height }),
            position: group.position.map(|at| Point::new(at.x, at.y)),
        })
        .collect()
}

fn nodes(topology: &Topology, names: &Names<'_>, contents: &[Content]) -> Vec<Node> {
    let pairs = topology.processes.iter().zip(contents);
    pairs
        .map(|(process, content)| Node {
            id: process.id.as_str().into(),
            group: names.group(&process.group),
            replica_of: process.replica_of.as_ref().map(|base| base.as_str().into()),
            size: content.size(),
            position: process.position.map(|at| Point::new(at.x, at.y)),
        })
        .collect()
}

fn edges(topology: &Topology, names: &Names<'_>, labels: &[Option<Block>]) -> Vec<Edge> {
    let pairs = topology.edges.iter().zip(labels).enumerate();
    pairs
        .map(|(index, (edge, label))| Edge {
            id: format!("e{index}"),
            source: names.end(&edge.source),
            target: names.end(&edge.target),
            label: label.as_ref().map(|block| Size {
                width: block.size.width + 2.0 * tokens::EDGE_LABEL_PADDING,
                height: block.size.height + 2.0 * tokens::EDGE_LABEL_PADDING,
            }),
        })
        .collect()
}

/// Boxes of one group that are nearly equally wide become equally wide.
fn share_widths(graph: &mut Graph, contents: &[Content]) {
    let mut wide: BTreeMap<Option<usize>, (f64, f64)> = BTreeMap::new();
    let is_plain = |index: usize| {
        use topomotion_scene::Outline::{Box, Cylinder};
        matches!(contents[index].outline, Box | Cylinder)
    };
    for (_, node) in graph.nodes.iter().enumerate().filter(|node| is_plain(node.0)) {
        let slot = wide.entry(node.group).or_insert((f64::MAX, 0.0));
        *slot = (slot.0.min(node.size.width), slot.1.max(node.size.width));
    }
    for (index, node) in graph.nodes.iter_mut().enumerate() {
        if let Some(&(least, most)) = wide.get(&node.group)
            && is_plain(index)
            && most <= least * tokens::SIMILAR
        {
            node.size.width = most;
        }
    }
}
