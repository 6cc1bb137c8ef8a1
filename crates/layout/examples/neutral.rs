//! Reads a graph as the layout bench writes it and prints the layout for its scorer.
//!
//! `cargo run --release -p topomotion-layout --example neutral -- graph.json > layout.json`

use std::io::{Read, Write};

use serde::Deserialize;
use serde_json::{Value, json};
use topomotion_layout::graph::{self, Graph, Member};
use topomotion_layout::neutral;
use topomotion_model::Direction;
use topomotion_scene::{Rect, Size};

#[derive(Deserialize)]
struct Input {
    name: String,
    #[serde(default)]
    dir: String,
    groups: Vec<InputGroup>,
    nodes: Vec<InputNode>,
    edges: Vec<InputEdge>,
}

#[derive(Deserialize)]
struct InputGroup {
    id: String,
    parent: Option<String>,
    tw: f64,
    th: f64,
}

#[derive(Deserialize)]
struct InputNode {
    id: String,
    group: Option<String>,
    w: f64,
    h: f64,
}

#[derive(Deserialize)]
struct InputEdge {
    id: String,
    src: String,
    dst: String,
    lw: Option<f64>,
    lh: Option<f64>,
}

fn to_graph(input: &Input) -> Graph {
    let group = |id: &Option<String>| {
        input.groups.iter().position(|group| Some(&group.id) == id.as_ref())
    };
    let node = |id: &String| {
        let found = input.nodes.iter().position(|node| node.id == *id);
        Member::Node(found.unwrap_or(usize::MAX))
    };
    Graph {
        direction: if input.dir == "LR" { Direction::Right } else { Direction::Down },
        groups: input
            .groups
            .iter()
            .map(|g| graph::Group {
                id: g.id.clone(),
                parent: group(&g.parent),
                title: Size { width: g.tw, height: g.th },
                ..graph::Group::default()
            })
            .collect(),
        nodes: input
            .nodes
            .iter()
            .map(|n| graph::Node {
                id: n.id.clone(),
                group: group(&n.group),
                size: Size { width: n.w, height: n.h },
                ..graph::Node::default()
            })
            .collect(),
        edges: input
            .edges
            .iter()
            .map(|e| graph::Edge {
                id: e.id.clone(),
                source: node(&e.src),
                target: node(&e.dst),
                label: e.lw.zip(e.lh).map(|(width, height)| Size { width, height }),
            })
            .collect(),
        rows: Vec::new(),
    }
}

fn rect(rect: &Rect) -> Value {
    json!({ "x": rect.x, "y": rect.y, "w": rect.width, "h": rect.height })
}

fn with_id(place: &Rect, id: &str) -> Value {
    let mut value = rect(place);
    value["id"] = json!(id);
    value
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut text = String::new();
    match std::env::args().nth(1) {
        Some(path) => std::fs::File::open(path)?.read_to_string(&mut text)?,
        None => std::io::stdin().read_to_string(&mut text)?,
    };
    let input: Input = serde_json::from_str(&text)?;
    let graph = to_graph(&input);
    let placement = graph::place(&graph, &graph::Wishes::default());
    let neutral = neutral::of_graph(&graph, &placement);
    let nodes = neutral.nodes.iter().map(|node| {
        let mut value = with_id(&node.rect, &node.id);
        value["group"] = json!(node.group);
        value
    });
    let groups = neutral.groups.iter().map(|group| {
        let mut value = with_id(&group.rect, &group.id);
        value["parent"] = json!(group.parent);
        value["title"] = rect(&group.title);
        value
    });
    let edges = neutral.edges.iter().map(|edge| {
        let points: Vec<[f64; 2]> = edge.points.iter().map(|p| [p.x, p.y]).collect();
        json!({
            "id": edge.id, "src": edge.source, "dst": edge.target, "points": points,
            "label": edge.label.as_ref().map(rect), "labelled": edge.labelled,
        })
    });
    let layout = json!({
        "engine": "topomotion", "graph": input.name,
        "width": neutral.width, "height": neutral.height,
        "nodes": nodes.collect::<Vec<_>>(),
        "groups": groups.collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
    });
    writeln!(std::io::stdout(), "{layout}")?;
    Ok(())
}
