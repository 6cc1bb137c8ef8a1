//! The checker: everything that a reader would see as plainly wrong.
//!
//! It knows nothing of how a layout was made. In debug builds it judges every layout.

use topomotion_scene::{Point, Rect};

use crate::graph::{Graph, Member, Placement};

/// Something wrong in a picture. Numbers are indices in the graph.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// Two boxes overlap, neither of which should be inside the other.
    Overlap(Member, Member),
    /// A member is not wholly inside its group.
    Outside(Member, usize),
    /// An edge that exists is not drawn.
    Undrawn(usize),
    /// An edge passes through a box that is not its own.
    ThroughBox(usize, Member),
    /// An edge passes through a group's title.
    ThroughTitle(usize, usize),
    /// An edge runs neither horizontally nor vertically.
    Slanted(usize),
    /// An edge does not begin or end on the border of its box.
    Detached(usize),
    /// Two edges without a common end run on top of one another.
    OnEdge(usize, usize),
    /// A label lies on a node.
    LabelOnNode(usize, usize),
    /// A label lies on a title.
    LabelOnTitle(usize, usize),
    /// Two labels overlap.
    LabelOnLabel(usize, usize),
    /// An edge runs through another edge's label.
    ThroughLabel(usize, usize),
    /// A label is far from its edge.
    FarLabel(usize),
    /// An edge has a label that is not shown.
    NoLabel(usize),
}

/// Arithmetic noise, px.
const NOISE: f64 = 0.01;
/// How far a label may be from its edge, px.
const FAR: f64 = 20.0;
/// How far two edges may share a line, px.
const SHARED: f64 = 6.0;

/// All faults of a placement.
pub fn faults(graph: &Graph, placement: &Placement) -> Vec<Fault> {
    let checker = Checker { graph, placement };
    let mut faults = Vec::new();
    checker.boxes(&mut faults);
    checker.lines(&mut faults);
    checker.shared_lines(&mut faults);
    checker.labels(&mut faults);
    faults
}

struct Checker<'a> {
    graph: &'a Graph,
    placement: &'a Placement,
}

impl Checker<'_> {
    fn rect(&self, member: Member) -> Rect {
        match member {
            Member::Node(index) => self.placement.nodes[index],
            Member::Group(index) => self.placement.groups[index].rect,
        }
    }

    fn parent(&self, member: Member) -> Option<usize> {
        match member {
            Member::Node(index) => {
                self.graph.nodes[index].group.filter(|&g| g < self.graph.groups.len())
            }
            Member::Group(index) => self.placement.parents[index],
        }
    }

    /// Whether a member is a group or stands somewhere inside it.
    fn is_within(&self, member: Member, group: usize) -> bool {
        let mut at = Some(member);
        while let Some(member) = at {
            if member == Member::Group(group) {
                return true;
            }
            at = self.parent(member).map(Member::Group);
        }
        false
    }

    fn related(&self, a: Member, b: Member) -> bool {
        let within = |a, b| match b {
            Member::Group(group) => self.is_within(a, group),
            Member::Node(_) => a == b,
        };
        within(a, b) || within(b, a)
    }

    fn members(&self) -> Vec<Member> {
        let nodes = (0..self.graph.nodes.len()).map(Member::Node);
        nodes.chain((0..self.graph.groups.len()).map(Member::Group)).collect()
    }

    fn exists(&self, member: Member) -> bool {
        match member {
            Member::Node(index) => index < self.graph.nodes.len(),
            Member::Group(index) => index < self.graph.groups.len(),
        }
    }

    fn boxes(&self, faults: &mut Vec<Fault>) {
        let members = self.members();
        for (index, &a) in members.iter().enumerate() {
            if let Some(group) = self.parent(a)
                && !self.placement.groups[group].rect.grown(NOISE).contains(&self.rect(a))
            {
                faults.push(Fault::Outside(a, group));
            }
            let inner = self.rect(a).grown(-NOISE);
            for &b in &members[index + 1..] {
                if inner.overlaps(&self.rect(b)) && !self.related(a, b) {
                    faults.push(Fault::Overlap(a, b));
                }
            }
        }
    }

    fn lines(&self, faults: &mut Vec<Fault>) {
        let members = self.members();
        for (index, edge) in self.graph.edges.iter().enumerate() {
            if !self.exists(edge.source) || !self.exists(edge.target) {
                continue;
            }
            let points = &self.placement.edges[index].points;
            let (Some(&first), Some(&last)) = (points.first(), points.last()) else {
                faults.push(Fault::Undrawn(index));
                continue;
            };
            let touches = |at, member| on_border(at, &self.rect(member));
            if !touches(first, edge.source) || !touches(last, edge.target) {
                faults.push(Fault::Detached(index));
            }
            let slanted = |p: &[Point]| {
                (p[0].x - p[1].x).abs() > NOISE && (p[0].y - p[1].y).abs() > NOISE
            };
            if points.windows(2).any(slanted) {
                faults.push(Fault::Slanted(index));
            }
            for &member in &members {
                if !self.related(edge.source, member)
                    && !self.related(edge.target, member)
                    && passes(points, &self.rect(member))
                {
                    faults.push(Fault::ThroughBox(index, member));
                }
            }
            for (group, place) in self.placement.groups.iter().enumerate() {
                if passes(points, &place.title) {
                    faults.push(Fault::ThroughTitle(index, group));
                }
            }
        }
    }

    fn shared_lines(&self, faults: &mut Vec<Fault>) {
        let edges = &self.graph.edges;
        for a in 0..edges.len() {
            for b in a + 1..edges.len() {
                let ends = [edges[b].source, edges[b].target];
                if ends.contains(&edges[a].source) || ends.contains(&edges[a].target) {
                    continue;
                }
                let points = |edge: usize| self.placement.edges[edge].points.windows(2);
                let shared: f64 = points(a)
                    .flat_map(|p| points(b).map(move |q| shared_length(p, q)))
                    .sum();
                if shared > SHARED {
                    faults.push(Fault::OnEdge(a, b));
                }
            }
        }
    }

    fn labels(&self, faults: &mut Vec<Fault>) {
        let places = &self.placement.edges;
        for (index, edge) in self.graph.edges.iter().enumerate() {
            let Some(label) = places[index].label else {
                if edge.label.is_some() && !places[index].points.is_empty() {
                    faults.push(Fault::NoLabel(index));
                }
                continue;
            };
            let inner = label.grown(-NOISE);
            for (node, rect) in self.placement.nodes.iter().enumerate() {
                if inner.overlaps(rect) {
                    faults.push(Fault::LabelOnNode(index, node));
                }
            }
            for (group, place) in self.placement.groups.iter().enumerate() {
                if inner.overlaps(&place.title) {
                    faults.push(Fault::LabelOnTitle(index, group));
                }
            }
            for (other, place) in places.iter().enumerate() {
                if other > index
                    && place.label.is_some_and(|other| inner.overlaps(&other))
                {
                    faults.push(Fault::LabelOnLabel(index, other));
                }
                if other != index && passes(&place.points, &label) {
                    faults.push(Fault::ThroughLabel(other, index));
                }
            }
            if !passes(&places[index].points, &label.grown(FAR)) {
                faults.push(Fault::FarLabel(index));
            }
        }
    }
}

fn on_border(at: Point, rect: &Rect) -> bool {
    let outer = rect.grown(NOISE);
    let inner = rect.grown(-NOISE);
    let in_rect =
        |r: &Rect| r.x <= at.x && at.x <= r.right() && r.y <= at.y && at.y <= r.bottom();
    in_rect(&outer) && !in_rect(&inner)
}

/// Whether a line runs through the interior of a rectangle.
fn passes(points: &[Point], rect: &Rect) -> bool {
    let inner = rect.grown(-NOISE);
    points.windows(2).any(|pair| {
        let (a, b) = (pair[0], pair[1]);
        a.x.min(b.x) < inner.right()
            && inner.x < a.x.max(b.x)
            && a.y.min(b.y) <= inner.bottom()
            && inner.y <= a.y.max(b.y)
            || a.y.min(b.y) < inner.bottom()
                && inner.y < a.y.max(b.y)
                && a.x.min(b.x) <= inner.right()
                && inner.x <= a.x.max(b.x)
    })
}

/// Length that two segments have in common.
fn shared_length(p: &[Point], q: &[Point]) -> f64 {
    let common = |a: f64, b: f64, c: f64, d: f64| {
        (a.max(b).min(c.max(d)) - a.min(b).max(c.min(d))).max(0.0)
    };
    let near = |a: f64, b: f64| (a - b).abs() < 1.0;
    if near(p[0].x, p[1].x) && near(q[0].x, q[1].x) && near(p[0].x, q[0].x) {
        common(p[0].y, p[1].y, q[0].y, q[1].y)
    } else if near(p[0].y, p[1].y) && near(q[0].y, q[1].y) && near(p[0].y, q[0].y) {
        common(p[0].x, p[1].x, q[0].x, q[1].x)
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::{Edge, EdgePlace, Node};

    fn picture(points: &[(f64, f64)]) -> (Graph, Placement) {
        let graph = Graph {
            nodes: vec![Node::default(); 3],
            edges: vec![Edge {
                id: "e".into(),
                source: Member::Node(0),
                target: Member::Node(1),
                label: None,
            }],
            ..Graph::default()
        };
        let rect = |x| Rect::new(x, 0.0, 10.0, 10.0);
        let placement = Placement {
            nodes: vec![rect(0.0), rect(100.0), rect(50.0)],
            edges: vec![EdgePlace {
                points: points.iter().map(|&(x, y)| Point::new(x, y)).collect(),
                label: None,
            }],
            ..Placement::default()
        };
        (graph, placement)
    }

    #[test]
    fn an_edge_through_a_stranger_is_a_fault() {
        let (graph, placement) = picture(&[(10.0, 5.0), (100.0, 5.0)]);
        let wanted = [Fault::ThroughBox(0, Member::Node(2))];
        assert_eq!(faults(&graph, &placement), wanted);
    }

    #[test]
    fn an_edge_around_a_stranger_is_fine() {
        let way = [(5.0, 10.0), (5.0, 20.0), (105.0, 20.0), (105.0, 10.0)];
        let (graph, placement) = picture(&way);
        assert_eq!(faults(&graph, &placement), []);
    }

    #[test]
    fn an_edge_that_ends_in_the_open_is_a_fault() {
        let (graph, placement) = picture(&[(10.0, 5.0), (40.0, 5.0)]);
        assert_eq!(faults(&graph, &placement), [Fault::Detached(0)]);
    }
}
