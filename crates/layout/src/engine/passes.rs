//! The passes in their order.
use crate::engine::coordinates::{Choice, Spaced, space};
use crate::engine::grid::{Flow, Grid, Sense};
use crate::engine::labels::choose;
use crate::engine::rank::RowsMode;
use crate::engine::space::Sketch;
use crate::engine::tree::{Tree, nest};
use crate::engine::{lanes, lines, order, rank, route};
use crate::graph::{EdgePlace, Graph, GroupPlace, Placement, Wishes};
use topomotion_scene::{Point, Rect, Size};

/// A pass.
#[derive(Debug, Clone, Copy)]
pub struct Pass;

/// State.
#[derive(Debug)]
pub struct State;

/// Runs everything.
pub fn run(graph: &Graph, wishes: &Wishes) -> Placement {
    let spacing = &wishes.spacing;
    let flow = Flow::from(graph.direction);
    let mut tree: Tree = nest(graph, spacing);
    let shapes = rank::shapes(wishes.aspect_ratio, flow.axis);
    let mut rows = rank::rank(&Grid { tree: &tree, spacing, axis: flow.axis }, shapes);
    if flow.sense == Sense::Backward {
        rank::turn(&mut rows, &tree);
    }
    tree.rows = rows.clone();
    let grid = Grid { tree: &tree, spacing, axis: flow.axis };
    tree.rows = order::order(&grid, &rows);
    let grid = Grid { tree: &tree, spacing, axis: flow.axis };
    let places = grid.places();
    let net = lines::net(&tree, &places, flow.axis);
    if std::env::args().any(|a| a == "-v") {
        eprintln!("joints {}", net.joints.len());
    }
    let mut routes = route::route(&tree, &places, &net, flow.axis, spacing);
    lanes::assign(&mut routes);
    let labels: Vec<Option<Size>> = graph.edges.iter().map(|e| e.label).collect();
    let none = vec![None; routes.len()];
    let mut sketch = Sketch {
        tree: &tree,
        spacing,
        main: flow.axis,
        rows: RowsMode::Straight,
        places: &places,
        routes: &routes,
        spots: &none,
        labels: &labels,
    };
    let first = space(&sketch, Choice::Middle);
    let spots = choose(&first.routes, &labels);
    sketch.places = &first.places;
    sketch.routes = &first.routes;
    sketch.spots = &spots;
    let done = space(&sketch, Choice::Middle);
    finish(&tree, &done, spacing.margin)
}

fn finish(tree: &Tree, done: &Spaced, margin: f64) -> Placement {
    let root = done.places.boxes[tree.root];
    let (dx, dy) = (margin - root.x, margin - root.y);
    let shift = |r: &Rect| Rect::new(r.x + dx, r.y + dy, r.width, r.height);
    Placement {
        size: Size {
            width: root.width + 2.0 * margin,
            height: root.height + 2.0 * margin,
        },
        nodes: done.places.boxes[..tree.nodes].iter().map(shift).collect(),
        groups: (tree.nodes..tree.root)
            .map(|id| GroupPlace {
                rect: shift(&done.places.boxes[id]),
                title: shift(&done.places.titles[id]),
            })
            .collect(),
        parents: (tree.nodes..tree.root)
            .map(|id| tree.parent[id].checked_sub(tree.nodes))
            .map(|parent| parent.filter(|&p| p < tree.root - tree.nodes))
            .collect(),
        edges: done
            .routes
            .iter()
            .zip(&done.labels)
            .map(|(route, label)| EdgePlace {
                points: route
                    .points
                    .iter()
                    .map(|p| Point::new(p.x + dx, p.y + dy))
                    .collect(),
                label: label.as_ref().map(shift),
            })
            .collect(),
    }
}
