//! Graphs in and layouts out as JSON: the form in which layout engines are compared.
//!
//! In: `{dir, groups: [{id, parent, tw, th}], nodes: [{id, group, w, h}], edges: [{id, src,
//! dst, lw, lh}]}`. Out: `{engine, width, height, nodes: [{id, x, y, w, h, group}], groups:
//! [{id, x, y, w, h, parent, title}], edges: [{id, src, dst, points, label, labelled}]}`,
//! all in one system, y down, x and y a box's top left corner.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use topomotion_layout::graph::{Edge, Graph, Group, Member, Node};
use topomotion_layout::neutral::Neutral;
use topomotion_model::Direction;
use topomotion_scene::{Rect, Size};

#[derive(Debug, Deserialize)]
struct GraphFile {
    #[serde(default)]
    dir: Option<String>,
    #[serde(default)]
    groups: Vec<GroupIn>,
    nodes: Vec<NodeIn>,
    #[serde(default)]
    edges: Vec<EdgeIn>,
}

#[derive(Debug, Deserialize)]
struct GroupIn {
    id: String,
    #[serde(default)]
    parent: Option<String>,
    #[serde(default)]
    tw: f64,
    #[serde(default)]
    th: f64,
}

#[derive(Debug, Deserialize)]
struct NodeIn {
    id: String,
    #[serde(default)]
    group: Option<String>,
    w: f64,
    h: f64,
}

#[derive(Debug, Deserialize)]
struct EdgeIn {
    id: String,
    src: String,
    dst: String,
    #[serde(default)]
    lw: Option<f64>,
    #[serde(default)]
    lh: Option<f64>,
}

/// Reads a graph. The message says what is wrong with it.
pub fn read(text: &str) -> Result<Graph, String> {
    let file: GraphFile =
        serde_json::from_str(text).map_err(|error| error.to_string())?;
    let groups = indices(file.groups.iter().map(|group| group.id.as_str()), "groups")?;
    let nodes = indices(file.nodes.iter().map(|node| node.id.as_str()), "nodes")?;
    let group = |owner: &str, id: &Option<String>| match id {
        None => Ok(None),
        Some(id) => match groups.get(id.as_str()) {
            Some(index) => Ok(Some(*index)),
            None => Err(format!("`{owner}` stands in `{id}`, which is no group")),
        },
    };
    let member =
        |edge: &str, id: &String| match (nodes.get(id.as_str()), groups.get(id.as_str()))
        {
            (Some(node), _) => Ok(Member::Node(*node)),
            (None, Some(group)) => Ok(Member::Group(*group)),
            (None, None) => {
                Err(format!("edge `{edge}` ends at `{id}`, which is not there"))
            }
        };
    let graph = Graph {
        direction: direction(file.dir.as_deref())?,
        groups: (file.groups.iter())
            .map(|one| {
                Ok(Group {
                    id: one.id.clone(),
                    parent: group(&one.id, &one.parent)?,
                    title: size(one.tw, one.th)?,
                    ..Group::default()
                })
            })
            .collect::<Result<_, String>>()?,
        nodes: (file.nodes.iter())
            .map(|one| {
                Ok(Node {
                    id: one.id.clone(),
                    group: group(&one.id, &one.group)?,
                    size: size(one.w, one.h)?,
                    ..Node::default()
                })
            })
            .collect::<Result<_, String>>()?,
        edges: (file.edges.iter())
            .map(|one| {
                let label = one.lw.zip(one.lh).map(|(w, h)| size(w, h)).transpose()?;
                let source = member(&one.id, &one.src)?;
                let target = member(&one.id, &one.dst)?;
                Ok(Edge { id: one.id.clone(), source, target, label })
            })
            .collect::<Result<_, String>>()?,
        ..Graph::default()
    };
    check_nesting(&graph)?;
    Ok(graph)
}

fn indices<'a>(
    ids: impl Iterator<Item = &'a str>,
    what: &str,
) -> Result<BTreeMap<&'a str, usize>, String> {
    let mut indices = BTreeMap::new();
    for (index, id) in ids.enumerate() {
        if indices.insert(id, index).is_some() {
            return Err(format!("two {what} have the id `{id}`"));
        }
    }
    Ok(indices)
}

fn direction(dir: Option<&str>) -> Result<Direction, String> {
    match dir {
        None | Some("TB") => Ok(Direction::Down),
        Some("LR") => Ok(Direction::Right),
        Some("BT") => Ok(Direction::Up),
        Some("RL") => Ok(Direction::Left),
        Some(other) => Err(format!("`{other}` is no direction: TB, LR, BT or RL")),
    }
}

fn size(width: f64, height: f64) -> Result<Size, String> {
    let is_fine = |length: f64| (0.0..1e6).contains(&length);
    if is_fine(width) && is_fine(height) {
        return Ok(Size { width, height });
    }
    Err(format!("{width} x {height} is no size"))
}

/// No group stands in itself, at whatever remove.
fn check_nesting(graph: &Graph) -> Result<(), String> {
    for start in 0..graph.groups.len() {
        let mut at = graph.groups[start].parent;
        for _ in 0..graph.groups.len() {
            at = at.and_then(|group| graph.groups[group].parent);
        }
        if at.is_some() {
            return Err(format!("group `{}` stands in itself", graph.groups[start].id));
        }
    }
    Ok(())
}

#[derive(Debug, Serialize)]
struct LayoutFile<'a> {
    engine: &'static str,
    width: f64,
    height: f64,
    nodes: Vec<NodeOut<'a>>,
    groups: Vec<GroupOut<'a>>,
    edges: Vec<EdgeOut<'a>>,
}

#[derive(Debug, Serialize)]
struct NodeOut<'a> {
    id: &'a str,
    #[serde(flatten)]
    place: Place,
    group: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct GroupOut<'a> {
    id: &'a str,
    #[serde(flatten)]
    place: Place,
    parent: Option<&'a str>,
    title: Place,
}

#[derive(Debug, Serialize)]
struct EdgeOut<'a> {
    id: &'a str,
    src: &'a str,
    dst: &'a str,
    points: Vec<[f64; 2]>,
    label: Option<Place>,
    labelled: bool,
}

#[derive(Debug, Serialize)]
struct Place {
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

impl From<Rect> for Place {
    fn from(rect: Rect) -> Place {
        Place { x: rect.x, y: rect.y, w: rect.width, h: rect.height }
    }
}

/// Writes a layout.
pub fn write(layout: &Neutral) -> String {
    let file = LayoutFile {
        engine: "topomotion",
        width: layout.width,
        height: layout.height,
        nodes: (layout.nodes.iter())
            .map(|node| NodeOut {
                id: &node.id,
                place: node.rect.into(),
                group: node.group.as_deref(),
            })
            .collect(),
        groups: (layout.groups.iter())
            .map(|group| GroupOut {
                id: &group.id,
                place: group.rect.into(),
                parent: group.parent.as_deref(),
                title: group.title.into(),
            })
            .collect(),
        edges: (layout.edges.iter())
            .map(|edge| EdgeOut {
                id: &edge.id,
                src: &edge.source,
                dst: &edge.target,
                points: edge.points.iter().map(|point| [point.x, point.y]).collect(),
                label: edge.label.map(Place::from),
                labelled: edge.labelled,
            })
            .collect(),
    };
    let text = serde_json::to_string_pretty(&file);
    text.expect("a layout has only string keys") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_graph_is_read_with_its_sizes() {
        let graph = read(
            r#"{"dir": "LR", "groups": [{"id": "g", "parent": null, "tw": 30, "th": 18}],
                "nodes": [{"id": "a", "group": "g", "w": 80, "h": 40},
                          {"id": "b", "group": null, "w": 80, "h": 40}],
                "edges": [{"id": "e", "src": "a", "dst": "b", "label": null, "lw": 0, "lh": 0},
                          {"id": "f", "src": "b", "dst": "g"}]}"#,
        )
        .unwrap();
        assert_eq!(graph.direction, Direction::Right);
        assert_eq!(graph.nodes[0].group, Some(0));
        assert_eq!(graph.edges[1].target, Member::Group(0));
    }

    #[test]
    fn what_does_not_fit_together_is_told() {
        for (text, word) in [
            ("", "EOF"),
            (r#"{"nodes": [{"id": "a", "w": -1, "h": 2}]}"#, "no size"),
            (r#"{"nodes": [{"id": "a", "w": 1, "h": 2, "group": "g"}]}"#, "no group"),
            (
                r#"{"nodes": [{"id": "a", "w": 1, "h": 2}, {"id": "a", "w": 1, "h": 2}]}"#,
                "two nodes",
            ),
            (
                r#"{"nodes": [], "edges": [{"id": "e", "src": "a", "dst": "b"}]}"#,
                "not there",
            ),
            (
                r#"{"nodes": [], "groups": [{"id": "a", "parent": "b"}, {"id": "b", "parent": "a"}]}"#,
                "stands in itself",
            ),
            (r#"{"nodes": [], "dir": "XY"}"#, "no direction"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(word), "{error}");
        }
    }
}
