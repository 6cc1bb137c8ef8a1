//! Finish: a placed graph as a scene, with every text in its place.
//!
//! Precondition: a placement of the graph that was read from the topology.
//! Postcondition: a scene that lacks nothing; ends of routes lie on the outlines.

use std::collections::BTreeMap;

use topomotion_model::{Process, ProcessId, ProcessRole, ProcessState, Topology};
use topomotion_scene::{
    GroupBox, LabelBox, NodeBox, NodeState, Outline, Point, Rect, Route, Scene,
};

use crate::graph::{EdgePlace, Member, Placement};
use crate::measure::Laid;
use crate::read::Measured;
use crate::{Options, roles, tokens};

/// Makes the scene.
pub fn finish(
    topology: &Topology,
    options: &Options,
    measured: &Measured,
    placement: &Placement,
) -> Scene {
    let roles = Roles { given: &options.roles, told: topology.roles() };
    let nodes: Vec<NodeBox> = (0..topology.processes.len())
        .map(|index| node(topology, &roles, measured, index, &placement.nodes[index]))
        .collect();
    let routes = (0..topology.edges.len())
        .filter_map(|index| {
            route(topology, measured, &nodes, index, &placement.edges[index])
        })
        .collect();
    let mut groups: Vec<GroupBox> = (0..topology.groups.len())
        .map(|index| group(topology, measured, index, placement))
        .collect();
    // Parents before children, whatever the order of creation.
    groups.sort_by_key(|group| group.depth);
    Scene { size: placement.size, groups, nodes, routes }
}

fn group(
    topology: &Topology,
    measured: &Measured,
    index: usize,
    placement: &Placement,
) -> GroupBox {
    let (group, place) = (&topology.groups[index], &placement.groups[index]);
    let parent = placement.parents[index];
    let mut depth = 0;
    let mut at = parent;
    while let Some(above) = at {
        depth += 1;
        at = placement.parents[above];
    }
    GroupBox {
        id: group.id.as_str().into(),
        parent: parent.map(|parent| topology.groups[parent].id.as_str().into()),
        depth,
        rect: place.rect,
        label: group.label.clone(),
        title: place.title,
        lines: measured.titles[index].place(Point::new(place.title.x, place.title.y)),
        style: group.style.clone(),
        color: group.color.clone(),
        description: group.description.clone(),
    }
}

/// What is known of the processes' roles before their names are looked at.
struct Roles<'a> {
    /// By whoever asked for the layout.
    given: &'a BTreeMap<ProcessId, String>,
    /// By the script.
    told: BTreeMap<&'a ProcessId, ProcessRole>,
}

impl Roles<'_> {
    fn of(&self, process: &Process) -> String {
        let told = || roles::role(process, self.told.get(&process.id).copied());
        self.given.get(&process.id).cloned().unwrap_or_else(told)
    }
}

fn node(
    topology: &Topology,
    roles: &Roles<'_>,
    measured: &Measured,
    index: usize,
    rect: &Rect,
) -> NodeBox {
    let process: &Process = &topology.processes[index];
    let content = &measured.contents[index];
    let Laid { body, panel, icon, dot, lines, badges } = content.place(rect);
    let role = roles.of(process);
    let group = measured.graph.nodes[index].group;
    NodeBox {
        id: process.id.as_str().into(),
        group: group.map(|group| topology.groups[group].id.as_str().into()),
        rect: *rect,
        body,
        panel,
        outline: content.outline,
        icon: Some((roles::icon(process, &role), icon)),
        role,
        color: process.color.clone(),
        label: process.label.clone(),
        lines,
        dot,
        state: match process.state {
            ProcessState::Running => NodeState::Running,
            ProcessState::Warning => NodeState::Warning,
            ProcessState::Error => NodeState::Error,
            ProcessState::Stopped => NodeState::Stopped,
        },
        badges,
        external: process.external,
        description: process.description.clone(),
    }
}

fn route(
    topology: &Topology,
    measured: &Measured,
    nodes: &[NodeBox],
    index: usize,
    place: &EdgePlace,
) -> Option<Route> {
    let edge = &topology.edges[index];
    let ends = &measured.graph.edges[index];
    let mut points = place.points.clone();
    if points.len() < 2 {
        return None;
    }
    let last = points.len() - 1;
    points[0] = on_outline(nodes, ends.source, points[0], points[1]);
    points[last] = on_outline(nodes, ends.target, points[last], points[last - 1]);
    let name = |member: Member| match member {
        Member::Node(index) => topology.processes[index].id.as_str().to_owned(),
        Member::Group(index) => topology.groups[index].id.as_str().to_owned(),
    };
    let label = place.label.zip(measured.labels[index].as_ref()).map(|(rect, block)| {
        let corner = Point::new(
            rect.x + tokens::EDGE_LABEL_PADDING,
            rect.y + tokens::EDGE_LABEL_PADDING,
        );
        let text = edge.label.clone().unwrap_or_default();
        LabelBox { text, rect, lines: block.place(corner) }
    });
    Some(Route {
        edge: index,
        source: name(ends.source),
        target: name(ends.target),
        points,
        radius: tokens::CORNER,
        label,
        protocol: edge.protocol.clone(),
        kind: edge.kind.clone(),
        style: edge.style.clone(),
        color: edge.color.clone(),
    })
}

/// Moves an end from the border of a node's rectangle to the outline of its body.
fn on_outline(nodes: &[NodeBox], member: Member, end: Point, before: Point) -> Point {
    let Member::Node(index) = member else { return end };
    let Some(node) = nodes.get(index) else { return end };
    let body = &node.body;
    let center = body.center();
    let (half_w, half_h) = (body.width / 2.0, body.height / 2.0);
    if before.x == end.x {
        if node.panel.is_some() && end.y > center.y {
            return end;
        }
        let share = ((end.x - center.x).abs() / half_w).min(1.0);
        let inset = match node.outline {
            Outline::Parallelogram => below_lean(body, end),
            outline => edge_inset(outline, share, half_w, half_h, Facing::Along),
        };
        let y = if end.y < center.y { body.y + inset } else { body.bottom() - inset };
        Point::new(end.x, y)
    } else {
        if end.y > body.bottom() || end.y < body.y {
            return end;
        }
        let share = ((end.y - center.y).abs() / half_h).min(1.0);
        let inset = edge_inset(node.outline, share, half_w, half_h, Facing::Across);
        let lean = lean(node.outline, body, end);
        let x = if end.x < center.x { body.x + inset } else { body.right() - inset };
        Point::new(x + lean, end.y)
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Facing {
    /// The end comes from above or below.
    Along,
    /// The end comes from a side.
    Across,
}

/// How far an outline stands back from its box, `share` of the way from the middle of the
/// side to its corner.
fn edge_inset(
    outline: Outline,
    share: f64,
    half_w: f64,
    half_h: f64,
    facing: Facing,
) -> f64 {
    let round = 1.0 - (1.0 - share * share).max(0.0).sqrt();
    let depth = if facing == Facing::Along { half_h } else { half_w };
    match (outline, facing) {
        (Outline::Diamond, _) => depth * share,
        (Outline::Circle, _) => depth * round,
        (Outline::Cylinder, Facing::Along) => tokens::LID * round,
        (Outline::Hexagon, Facing::Across) => half_h / 2.0 * share,
        (Outline::Hexagon, Facing::Along) => {
            let flat = 1.0 - half_h / 2.0 / half_w;
            if share > flat { half_h * (share - flat) / (1.0 - flat) } else { 0.0 }
        }
        (Outline::Cloud, _) => depth * 0.12,
        _ => 0.0,
    }
}

/// How far a leaning side stands from its box at the height of an end.
fn lean(outline: Outline, body: &Rect, end: Point) -> f64 {
    if outline != Outline::Parallelogram {
        return 0.0;
    }
    let down = ((end.y - body.y) / body.height).clamp(0.0, 1.0);
    if end.x < body.center().x {
        Outline::slant(body) * (1.0 - down)
    } else {
        -Outline::slant(body) * down
    }
}

/// How far from its box's top or bottom an end meets a side that leans away from it: the left
/// one from above, the right one from below.
fn below_lean(body: &Rect, end: Point) -> f64 {
    let from_corner =
        if end.y < body.center().y { end.x - body.x } else { body.right() - end.x };
    let slant = Outline::slant(body).max(f64::EPSILON);
    body.height * (1.0 - from_corner / slant).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_above_or_below_a_leaning_side_reaches_it() {
        let body = Rect { x: 0.0, y: 0.0, width: 100.0, height: 40.0 };
        let slant = Outline::slant(&body);
        let at = |x: f64, y: f64| below_lean(&body, Point::new(x, y));
        assert_eq!([at(50.0, 0.0), at(slant, 0.0), at(100.0 - slant, 40.0)], [0.0; 3]);
        assert_eq!(at(slant / 2.0, 0.0), 20.0, "the left side leans away at its top");
        assert_eq!(at(100.0 - slant / 2.0, 40.0), 20.0, "the right one at its foot");
        assert_eq!([at(98.0, 0.0), at(2.0, 40.0)], [0.0; 2]);
    }
}
