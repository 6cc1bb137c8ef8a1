//! What can be told of a film beyond what is drawn, and what of it can be hidden.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_scene::{About, Fact, Item, Millis, PathCommand, Point, Primitive, Rect};
use topomotion_scene::{Route, Scene, Sprite, Toggle};

use crate::aboard::Aboard;
use crate::facts::Facts;
use crate::flights::Manifest;
use crate::options::Hideable;

/// The kinds of packets, in the order in which they are offered.
const KINDS: [&str; 7] =
    ["produce", "replicate", "consume", "control", "quorum", "message", "routine"];
/// How near a wire's end is to the node that it leaves, px.
const NEAR: f64 = 3.0;

/// A film's parts, as far as something is to be told of them.
#[derive(Debug)]
pub(crate) struct Parts<'a> {
    /// Where everything is on the canvas.
    pub scene: &'a Scene,
    /// Drawn always: groups, routes, nodes, labels, and then the rest.
    pub backdrop: &'a [Item],
    /// Drawn at times. The first of them are the manifest's.
    pub sprites: &'a [Sprite],
    /// What the first of them show.
    pub manifest: &'a Manifest,
}

/// Everything that can be told of a film, and everything in it that can be hidden.
pub(crate) fn about(parts: &Parts<'_>, facts: Facts, layers: &[Hideable]) -> About {
    let mut lines = Lines::default();
    let before = parts.backdrop.len();
    let mut items: Vec<(usize, Vec<usize>)> = Vec::new();
    for (index, route) in parts.scene.routes.iter().enumerate() {
        let told = connection(index, route, parts);
        items.push((parts.scene.groups.len() + index, lines.all(&told)));
    }
    for (sprite, shown) in parts.manifest.shows.iter().enumerate() {
        if let Some(aboard) = parts.manifest.aboard.get(*shown) {
            items.push((before + sprite, lines.all(&aboard.lines)));
        }
    }
    let facts = facts.into_all().map(|(of, at, told)| Fact {
        of,
        at: Millis(at),
        lines: lines.all(&told),
    });
    let facts = facts.collect();
    let mut toggles: Vec<Toggle> =
        layers.iter().map(|layer| hidden(layer, parts)).collect();
    toggles.extend(packets(parts));
    toggles.extend(connections(parts));
    About { lines: lines.into_list(), items, facts, toggles }
}

/// Lines, each once.
#[derive(Debug, Default)]
struct Lines {
    known: BTreeMap<String, usize>,
}

impl Lines {
    fn all(&mut self, told: &[String]) -> Vec<usize> {
        let place = |line: &String| {
            let next = self.known.len();
            *self.known.entry(line.clone()).or_insert(next)
        };
        told.iter().map(place).collect()
    }

    fn into_list(self) -> Vec<String> {
        let mut all: Vec<(usize, String)> =
            self.known.into_iter().map(|(line, place)| (place, line)).collect();
        all.sort();
        all.into_iter().map(|(_, line)| line).collect()
    }
}

/// A connection: what it is, and what goes along it in the film.
fn connection(index: usize, route: &Route, parts: &Parts<'_>) -> Vec<String> {
    let name = parts.backdrop.get(parts.scene.groups.len() + index);
    let name = name.and_then(|item| item.name.clone()).unwrap_or_default();
    let mut lines = vec![name];
    lines.push(format!("dials: {} → {}", route.source, route.target));
    let written = [("protocol", &route.protocol), ("type", &route.kind)];
    lines.extend(
        written
            .iter()
            .filter_map(|(what, how)| Some(format!("{what}: {}", how.as_ref()?))),
    );
    let (mut messages, mut bytes) = (0, 0);
    for aboard in parts.manifest.aboard.iter().filter(|it| it.route == Some(index)) {
        messages += aboard.messages;
        bytes += aboard.bytes;
    }
    match (messages, bytes) {
        (0, _) => lines.push("in this film: nothing goes along it".to_owned()),
        (messages, 0) => lines.push(format!("in this film: {messages} messages")),
        (messages, bytes) => {
            lines.push(format!("in this film: {messages} messages, {bytes} bytes"));
        }
    }
    lines
}

/// The items that show something which is aboard.
fn sprites_with(parts: &Parts<'_>, holds: impl Fn(&Aboard) -> bool) -> Vec<usize> {
    let before = parts.backdrop.len();
    let shows = parts.manifest.shows.iter().enumerate();
    let own =
        shows.filter(|(_, shown)| parts.manifest.aboard.get(**shown).is_some_and(&holds));
    own.map(|(sprite, _)| before + sprite).collect()
}

/// Packets by what they are for, if there are two kinds.
fn packets(parts: &Parts<'_>) -> Vec<Toggle> {
    let of_kind = |kind: &&str| Toggle {
        set: "packets".into(),
        name: (*kind).to_owned(),
        items: sprites_with(parts, |aboard| aboard.kind == *kind),
    };
    let mut all: Vec<Toggle> = KINDS.iter().map(of_kind).collect();
    all.retain(|toggle| !toggle.items.is_empty());
    if all.len() < 2 { Vec::new() } else { all }
}

/// Connections by protocol, if there are two.
fn connections(parts: &Parts<'_>) -> Vec<Toggle> {
    let routes = &parts.scene.routes;
    let names: BTreeSet<&str> =
        routes.iter().filter_map(|route| route.protocol.as_deref()).collect();
    if names.len() < 2 {
        return Vec::new();
    }
    let of_protocol = |name: &str| {
        let own = |index: usize| routes[index].protocol.as_deref() == Some(name);
        let gone = Gone {
            routes: (0..routes.len()).filter(|at| own(*at)).collect(),
            ..Gone::default()
        };
        Toggle {
            set: "connections".into(),
            name: name.to_owned(),
            items: gone.items(parts),
        }
    };
    names.into_iter().map(of_protocol).collect()
}

/// What goes with one of the script's layers.
fn hidden(layer: &Hideable, parts: &Parts<'_>) -> Toggle {
    let scene = parts.scene;
    let has = |ids: &BTreeSet<String>, id: &String| ids.contains(id);
    let place = |known: bool, at: usize| known.then_some(at);
    let groups = scene.groups.iter().enumerate();
    let nodes = scene.nodes.iter().enumerate();
    let routes = scene.routes.iter().enumerate();
    let gone = Gone {
        groups: groups
            .filter_map(|(at, it)| place(has(&layer.groups, &it.id), at))
            .collect(),
        nodes: nodes
            .filter_map(|(at, it)| place(has(&layer.processes, &it.id), at))
            .collect(),
        routes: routes
            .filter_map(|(at, it)| place(layer.edges.contains(&it.edge), at))
            .collect(),
    };
    Toggle { set: "layers".into(), name: layer.name.clone(), items: gone.items(parts) }
}

/// Parts of a scene that are hidden together, by place.
#[derive(Debug, Default)]
struct Gone {
    groups: BTreeSet<usize>,
    nodes: BTreeSet<usize>,
    routes: BTreeSet<usize>,
}

impl Gone {
    /// Every item that shows something of them.
    fn items(&self, parts: &Parts<'_>) -> Vec<usize> {
        let scene = parts.scene;
        let (groups, routes) = (scene.groups.len(), scene.routes.len());
        let mut items: BTreeSet<usize> = self.groups.clone();
        items.extend(self.routes.iter().map(|at| groups + at));
        items.extend(self.nodes.iter().map(|at| groups + routes + at));
        let labels = scene.routes.iter().enumerate();
        let labels = labels.filter(|(_, route)| route.label.is_some());
        let first = groups + routes + scene.nodes.len();
        items.extend(
            labels
                .enumerate()
                .filter(|(_, (route, _))| self.routes.contains(route))
                .map(|(label, _)| first + label),
        );
        let nodes: BTreeSet<&str> =
            self.nodes.iter().map(|at| scene.nodes[*at].id.as_str()).collect();
        items.extend(sprites_with(parts, |aboard| {
            aboard.ends.iter().any(|end| nodes.contains(end.as_str()))
                || aboard.route.is_some_and(|route| self.routes.contains(&route))
        }));
        let before = parts.backdrop.len();
        let others = parts.sprites.iter().enumerate().skip(parts.manifest.shows.len());
        let own = others.filter(|(_, sprite)| self.has(&sprite.item, scene));
        items.extend(own.map(|(sprite, _)| before + sprite));
        items.into_iter().collect()
    }

    /// Whether an item that comes and goes shows something of them: by its id, or by where
    /// it stands.
    fn has(&self, item: &Item, scene: &Scene) -> bool {
        let node = |at: &usize| &scene.nodes[*at];
        let route = |at: &usize| &scene.routes[*at];
        match item.class.as_str() {
            "state" | "shade" | "chip" | "glow" | "bubble" => {
                self.nodes.iter().any(|at| item.id.as_ref() == Some(&node(at).id))
            }
            "replica" | "log" | "row" => {
                let Some(at) = first_point(item) else { return false };
                self.nodes.iter().any(|own| holds(&node(own).rect, at))
            }
            "cut" => self.routes.iter().map(route).any(|route| {
                let id = format!("{}-{}", route.source, route.target);
                item.id.as_ref() == Some(&id)
            }),
            // All that pulse do so as one.
            "throb" => self
                .routes
                .iter()
                .any(|at| crate::pulse::pulses(route(at).kind.as_deref())),
            "wire" => {
                let (first, last) = (first_point(item), last_point(item));
                let near = |end: Option<Point>, rect: Rect| {
                    end.is_some_and(|end| holds(&rect.grown(NEAR), end))
                };
                self.nodes
                    .iter()
                    .any(|at| near(first, node(at).rect) || near(last, node(at).rect))
            }
            _ => false,
        }
    }
}

fn holds(rect: &Rect, at: Point) -> bool {
    rect.contains(&Rect::new(at.x, at.y, 0.0, 0.0))
}

fn first_point(item: &Item) -> Option<Point> {
    match item.primitives.first()? {
        Primitive::Rect { rect, .. } => Some(rect.center()),
        Primitive::Circle { center, .. } => Some(*center),
        Primitive::Text { at, .. } => Some(*at),
        Primitive::Path { commands, .. } => commands.iter().find_map(end),
    }
}

fn last_point(item: &Item) -> Option<Point> {
    match item.primitives.first()? {
        Primitive::Path { commands, .. } => commands.iter().rev().find_map(end),
        _ => first_point(item),
    }
}

fn end(command: &PathCommand) -> Option<Point> {
    match command {
        PathCommand::Move(to)
        | PathCommand::Line(to)
        | PathCommand::Quad(_, to)
        | PathCommand::Cubic(_, _, to) => Some(*to),
        PathCommand::Close => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Kind, Options, Story, direct, fixture};

    fn film(layers: Vec<Hideable>) -> topomotion_scene::Animation {
        let mut script = fixture::Script::default();
        script.packet("broker-2", "broker-1", "Fetch", 1_000, 2_512);
        script.packet("broker-1", "controller", "Vote", 3_000, 4_000);
        let trace = script.trace();
        let kind = Kind::Executed;
        let story = Story { id: "s", title: "S", description: "", trace: &trace, kind };
        let options = Options { layers, ..Options::default() };
        direct(&fixture::scene(), &[story], &options)
    }

    #[test]
    fn packets_can_be_asked_and_hidden_by_kind() {
        let film = film(Vec::new());
        let about = &film.about;
        let names: Vec<&str> =
            about.toggles.iter().map(|toggle| toggle.name.as_str()).collect();
        assert!(names.contains(&"replicate") && names.contains(&"quorum"), "{names:?}");
        let vote = about.toggles.iter().find(|toggle| toggle.name == "quorum").unwrap();
        let item = vote.items[0];
        let sprite = &film.sprites[item - film.backdrop.len()];
        assert_eq!(sprite.item.class, "packet");
        let (_, lines) = about.items.iter().find(|(of, _)| *of == item).unwrap();
        assert!(about.lines[lines[0]].starts_with("Vote"), "{:?}", about.lines[lines[0]]);
        let edge = about.items.iter().find(|(of, _)| film.backdrop[*of].class == "edge");
        assert!(edge.is_some());
    }

    #[test]
    fn a_layer_takes_its_processes_their_connections_and_what_flies_there() {
        let scene = fixture::scene();
        let of = |id: &str| {
            let own = scene.routes.iter().filter(|it| it.source == id || it.target == id);
            own.map(|route| route.edge).collect::<BTreeSet<usize>>()
        };
        let layer = Hideable {
            name: "v1".into(),
            processes: BTreeSet::from(["controller".to_owned()]),
            edges: of("controller"),
            ..Hideable::default()
        };
        let film = film(vec![layer]);
        let toggle = &film.about.toggles[0];
        assert_eq!((&*toggle.set, &*toggle.name), ("layers", "v1"));
        let shown: Vec<&Item> = toggle
            .items
            .iter()
            .map(|&at| match at.checked_sub(film.backdrop.len()) {
                Some(sprite) => &film.sprites[sprite].item,
                None => &film.backdrop[at],
            })
            .collect();
        let has = |class: &str| shown.iter().any(|item| item.class.starts_with(class));
        assert!(has("node") && has("edge") && has("packet"), "{shown:?}");
        let nodes = shown.iter().filter(|item| item.class.starts_with("node "));
        assert!(nodes.clone().all(|item| item.id.as_deref() == Some("controller")));
        assert_eq!(nodes.count(), 1);
    }
}
