//! The passes in their order, and the state that they share.
//!
//! Each pass reads what the ones before it wrote. A caller can run them one by one and look
//! at the state as text in between.

use std::fmt::Write;

use topomotion_scene::{Point, Rect, Size};

use crate::engine::arrange::Aim;
use crate::engine::coordinates::{Choice, space};
use crate::engine::grid::{Flow, Grid, Places};
use crate::engine::labels::{Spot, choose};
use crate::engine::lines::Net;
use crate::engine::route::Route;
use crate::engine::shape::Shapes;
use crate::engine::space::{Ends, Sketch};
use crate::engine::tree::{RowsMode, Tree, nest};
use crate::engine::{arrange, lanes, lines, manual, route};
use crate::graph::{EdgePlace, Effort, Graph, GroupPlace, Placement, Wishes};

/// A step of the layout.
#[derive(Debug, Clone, Copy)]
pub struct Pass {
    /// The name of its file.
    pub name: &'static str,
    /// What it does, in a few words.
    pub does: &'static str,
    run: fn(&mut State<'_>),
}

impl Pass {
    /// Runs it.
    pub fn run(&self, state: &mut State<'_>) {
        (self.run)(state);
    }
}

/// All passes, first to last.
pub const PASSES: [Pass; 10] = [
    Pass { name: "tree", does: "who stands in whom", run: |state| state.nest() },
    Pass { name: "arrange", does: "who stands where", run: |state| state.arrange() },
    Pass { name: "grid", does: "first coordinates", run: |state| state.grid() },
    Pass {
        name: "rehearse",
        does: "room for lanes and labels",
        run: |state| state.rehearse(),
    },
    Pass { name: "lines", does: "where edges may run", run: |state| state.lines() },
    Pass { name: "route", does: "a way for every edge", run: |state| state.route() },
    Pass { name: "lanes", does: "who runs left of whom", run: |state| state.lanes() },
    Pass {
        name: "space",
        does: "coordinates without labels",
        run: |state| state.space(),
    },
    Pass { name: "labels", does: "a spot for every label", run: |state| state.labels() },
    Pass {
        name: "coordinates",
        does: "coordinates with labels",
        run: |state| state.space(),
    },
];

/// Most edges for which there is a rehearsal: it costs as much as all the rest, and where so
/// much is going on, it hardly shows.
const REHEARSED: usize = 800;

/// What the passes hand on.
#[derive(Debug, Clone)]
pub struct State<'a> {
    graph: &'a Graph,
    wishes: &'a Wishes,
    flow: Flow,
    mode: RowsMode,
    label_sizes: Vec<Option<Size>>,
    tree: Tree,
    places: Places,
    net: Net,
    routes: Vec<Route>,
    spots: Vec<Option<Spot>>,
    labels: Vec<Option<Rect>>,
    effort: Effort,
}

impl<'a> State<'a> {
    /// Before the first pass.
    pub fn new(graph: &'a Graph, wishes: &'a Wishes) -> State<'a> {
        let free = manual::is_placed(graph);
        State {
            graph,
            wishes,
            flow: Flow::from(graph.direction),
            mode: if free { RowsMode::Free } else { RowsMode::Straight },
            label_sizes: graph.edges.iter().map(|edge| edge.label.map(sane)).collect(),
            tree: Tree::default(),
            places: Places::default(),
            net: Net::default(),
            routes: Vec::new(),
            spots: vec![None; graph.edges.len()],
            labels: vec![None; graph.edges.len()],
            effort: Effort::Whole,
        }
    }

    fn rows(&self) -> Grid<'_> {
        Grid { tree: &self.tree, spacing: &self.wishes.spacing, axis: self.flow.axis }
    }

    fn nest(&mut self) {
        self.tree = nest(self.graph, &self.wishes.spacing);
    }

    fn arrange(&mut self) {
        let shapes = Shapes::new(self.wishes.aspect_ratio, self.flow.axis);
        let aim = Aim { sense: self.flow.sense, shapes };
        let (rows, effort) = arrange::arrange(&self.rows(), aim);
        self.effort = effort;
        self.tree.rows = rows;
        arrange::level(&mut self.tree, self.flow.axis);
    }

    fn grid(&mut self) {
        self.tree.justified = self.rows().justified();
        let mut places = self.rows().places();
        if self.mode == RowsMode::Free {
            manual::place(self.graph, &self.rows(), &mut places);
            let all = places.boxes[..self.tree.root].iter().copied();
            places.boxes[self.tree.root] =
                all.reduce(|a, b| a.union(&b)).unwrap_or_default();
        }
        self.places = places;
    }

    /// Routes roughly and makes room for what was routed. Boxes come to stand nearly
    /// where they will stand in the end, so that the next routes suit them.
    fn rehearse(&mut self) {
        if self.mode == RowsMode::Free || self.graph.edges.len() > REHEARSED {
            return;
        }
        self.lines();
        self.route_in(1);
        self.lanes();
        self.labels();
        let spaced = space(&self.sketch(Ends::Loose), Choice::Middle);
        self.places = spaced.places;
        self.spots.fill(None);
    }

    fn lines(&mut self) {
        if self.tree.ends.iter().all(Option::is_none) {
            return;
        }
        self.net = lines::net(&self.tree, &self.places, self.flow.axis, self.mode);
    }

    fn route(&mut self) {
        self.route_in(2);
    }

    fn route_in(&mut self, rounds: usize) {
        let (routes, effort) = route::route(
            &self.tree,
            &self.places,
            &self.net,
            self.flow.axis,
            &self.wishes.spacing,
            rounds,
        );
        self.effort = self.effort.max(effort);
        self.routes = routes;
    }

    fn lanes(&mut self) {
        lanes::assign(&mut self.routes);
    }

    fn space(&mut self) {
        let choice = match self.mode {
            RowsMode::Straight => Choice::Middle,
            RowsMode::Free => Choice::Sketched,
        };
        let spaced = space(&self.sketch(Ends::Tight), choice);
        self.places = spaced.places;
        self.routes = spaced.routes;
        self.labels = spaced.labels;
    }

    fn labels(&mut self) {
        self.spots = choose(&self.tree, &self.places, &self.routes, &self.label_sizes);
    }

    fn sketch(&self, ends: Ends) -> Sketch<'_> {
        Sketch {
            tree: &self.tree,
            spacing: &self.wishes.spacing,
            main: self.flow.axis,
            rows: self.mode,
            places: &self.places,
            routes: &self.routes,
            spots: &self.spots,
            labels: &self.label_sizes,
            ends,
        }
    }

    /// The state as text: boxes by name and place, then routes.
    pub fn dump(&self) -> String {
        let mut text = String::new();
        for (id, rect) in self.places.boxes.iter().enumerate() {
            let name = match (self.graph.nodes.get(id), id.checked_sub(self.tree.nodes)) {
                (Some(node), _) => node.id.as_str(),
                (_, Some(group)) => {
                    self.graph.groups.get(group).map_or("(all)", |g| g.id.as_str())
                }
                _ => "(none)",
            };
            let Rect { x, y, width, height } = rect;
            let _ = writeln!(text, "{name} {x:.1} {y:.1} {width:.1} {height:.1}");
        }
        for (edge, route) in self.graph.edges.iter().zip(&self.routes) {
            let _ = write!(text, "{}", edge.id);
            for Point { x, y } in &route.points {
                let _ = write!(text, " {x:.1},{y:.1}");
            }
            text.push('\n');
        }
        text
    }

    /// Where everything is, moved so that the margins are equal.
    pub fn placement(&self) -> Placement {
        let (tree, margin) = (&self.tree, self.wishes.spacing.margin);
        let root = self.places.boxes.last().copied().unwrap_or_default();
        let (dx, dy) = (margin - root.x, margin - root.y);
        let shift =
            |rect: &Rect| Rect::new(rect.x + dx, rect.y + dy, rect.width, rect.height);
        let point = |point: &Point| Point::new(point.x + dx, point.y + dy);
        let groups = tree.nodes..tree.root;
        let parent = |id: usize| {
            let parent = tree.parent[id];
            (parent != tree.root).then(|| parent - tree.nodes)
        };
        Placement {
            size: Size {
                width: root.width + 2.0 * margin,
                height: root.height + 2.0 * margin,
            },
            nodes: self.places.boxes[..tree.nodes].iter().map(shift).collect(),
            groups: groups
                .clone()
                .map(|id| GroupPlace {
                    rect: shift(&self.places.boxes[id]),
                    title: shift(&self.places.titles[id]),
                })
                .collect(),
            parents: groups.map(parent).collect(),
            effort: self.effort,
            edges: self
                .routes
                .iter()
                .zip(&self.labels)
                .map(|(route, label)| EdgePlace {
                    points: straightened(route.points.iter().map(point)),
                    label: label.as_ref().map(shift),
                })
                .collect(),
        }
    }
}

/// Without points that are no corners: where two segments came to lie in one line.
fn straightened(points: impl Iterator<Item = Point>) -> Vec<Point> {
    const SAME: f64 = 1e-6;
    let near = |a: f64, b: f64| (a - b).abs() < SAME;
    let mut kept: Vec<Point> = Vec::new();
    for point in points {
        if kept.last().is_some_and(|last| near(last.x, point.x) && near(last.y, point.y))
        {
            continue;
        }
        if let [.., a, b] = kept[..]
            && (near(a.x, b.x) && near(b.x, point.x)
                || near(a.y, b.y) && near(b.y, point.y))
        {
            kept.pop();
        }
        kept.push(point);
    }
    kept
}

fn sane(size: Size) -> Size {
    let sane =
        |length: f64| if length.is_finite() { length.clamp(1.0, 4000.0) } else { 1.0 };
    Size { width: sane(size.width), height: sane(size.height) }
}

/// Runs all passes.
pub fn run(graph: &Graph, wishes: &Wishes) -> Placement {
    let mut state = State::new(graph, wishes);
    for pass in PASSES {
        pass.run(&mut state);
    }
    let placement = state.placement();
    debug_assert!(
        crate::check::faults(graph, &placement).is_empty(),
        "a picture without faults: {:?}",
        crate::check::faults(graph, &placement)
    );
    placement
}
