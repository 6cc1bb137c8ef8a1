//! The legend: what the marks of this picture mean, and nothing that does not occur in it.
//!
//! It is a strip of its own between the scene and the captions. A free corner of the scene
//! would cost no room, but packets and lines that appear later may pass through any corner; in
//! its own strip the legend lies over nothing, ever.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_scene::{
    Anchor, FontFace, Item, NodeState, Point, Primitive, Rect, Scene, Stroke,
};

use topomotion_trace::{Event, Fault, Travel, What};

use crate::draw::{self, Ink};
use crate::ledger::{Ledger, Touch};
use crate::paint::protocol::{self, Wire};
use crate::paint::{head, mark, state_word};
use crate::panels::{Row, Rows};
use crate::pill;
use crate::reading::{Fate, Reading};
use crate::stage::Stage;
use crate::strip::record;
use crate::theme::{Paints, family};
use crate::tokens::{LEGEND_ROW, MARGIN, TYPE_LEGEND, WALL_WIDTH};
use crate::ways::{Heading, heading};
use crate::{Legend, Story};

/// Room between two entries, and between two headings, px.
const GAPS: (f64, f64) = (14.0, 26.0);
/// Room above the first row and below the last, px.
const PAD: f64 = 6.0;
/// Width of a sample, and room between it and its word, px.
const SAMPLE: (f64, f64) = (26.0, 6.0);

/// One mark to be explained.
#[derive(Debug, Clone, PartialEq)]
enum Mark {
    Wire(Wire),
    Packet(pill::Kind),
    /// Solid asks, outlined answers.
    Forms,
    Failing,
    Lost,
    Cut,
    Committed,
    Open,
    State(NodeState),
    Role(String),
}

/// Marks of one sort.
#[derive(Debug)]
struct Section {
    title: &'static str,
    marks: Vec<(Mark, String)>,
}

/// The legend of a picture.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    sections: Vec<Section>,
}

impl Plan {
    /// What there is to explain, if it is wanted.
    pub fn new(scene: &Scene, stories: &[Story<'_>], rows: &Rows, wish: Legend) -> Plan {
        let (wires, packets) = (wires(scene), packets(scene, stories));
        let to_tell = wires.len() > 1 || packets.kinds.len() > 1;
        if wish == Legend::Never || (wish == Legend::Auto && !to_tell) {
            return Plan::default();
        }
        let mut sections = vec![
            Section { title: "Connections", marks: wires },
            Section { title: "Packets", marks: packets.marks() },
        ];
        let holds = |row: &Row| matches!(row, Row::Replica(_));
        if rows.by_process.values().flatten().any(holds) {
            let marks = vec![
                (Mark::Committed, "committed".to_owned()),
                (Mark::Open, "not yet".to_owned()),
            ];
            sections.push(Section { title: "Records", marks });
        }
        sections.push(Section { title: "States", marks: states(scene, stories) });
        sections.push(Section { title: "Roles", marks: roles(scene) });
        sections.retain(|section| !section.marks.is_empty());
        Plan { sections }
    }

    /// How high it is on a canvas of this width, px.
    pub fn height(&self, width: f64) -> f64 {
        let rows = self.places(width).1;
        if rows == 0 { 0.0 } else { LEGEND_ROW * rows as f64 + 2.0 * PAD }
    }

    /// Where every heading and every entry stands: left end and row; and the number of rows.
    fn places(&self, width: f64) -> (Vec<Vec<(f64, usize)>>, usize) {
        let (mut x, mut row) = (MARGIN, 0);
        let mut places = Vec::new();
        let right = width - MARGIN;
        for section in &self.sections {
            let heading = text_width(section.title, FontFace::SemiBold) + SAMPLE.1 + 4.0;
            let wide = |marks: &[(Mark, String)]| {
                marks.iter().map(|(_, word)| entry_width(word) + GAPS.0).sum::<f64>()
            };
            // A short section stays together, a long one fills what is left of the row.
            let whole = heading + wide(&section.marks) - GAPS.0;
            let first = heading + wide(&section.marks[..1]) - GAPS.0;
            let least = if whole < (right - MARGIN) / 2.0 { whole } else { first };
            if x > MARGIN && x + least > right {
                (x, row) = (MARGIN, row + 1);
            }
            let mut own = vec![(x, row)];
            x += heading;
            for (_, word) in &section.marks {
                let wide = entry_width(word);
                if x + wide > right && x > MARGIN {
                    (x, row) = (MARGIN, row + 1);
                }
                own.push((x, row));
                x += wide + GAPS.0;
            }
            x += GAPS.1 - GAPS.0;
            places.push(own);
        }
        (places, if self.sections.is_empty() { 0 } else { row + 1 })
    }

    /// The strip, drawn.
    pub fn draw(&self, stage: &Stage, paints: &Paints) -> Option<Item> {
        if self.sections.is_empty() {
            return None;
        }
        let top = stage.legend.y + PAD;
        let strong = Ink::new(FontFace::SemiBold, TYPE_LEGEND, paints.solid("muted"));
        let quiet = Ink::new(FontFace::Regular, TYPE_LEGEND, paints.solid("muted"));
        let (places, _) = self.places(stage.size.width);
        let mut primitives = Vec::new();
        for (section, places) in self.sections.iter().zip(places) {
            let line = |row: usize| top + LEGEND_ROW * row as f64 + LEGEND_ROW / 2.0;
            let mut places = places.into_iter();
            if let Some((x, row)) = places.next() {
                let at = Point::new(x, line(row) + 3.75);
                primitives.push(strong.line(section.title, at, Anchor::Start));
            }
            for ((mark, word), (x, row)) in section.marks.iter().zip(places) {
                let spot = Rect::new(x, line(row) - 7.0, SAMPLE.0, 14.0);
                primitives.extend(mark.sample(spot, paints));
                let at = Point::new(spot.right() + SAMPLE.1, line(row) + 3.75);
                primitives.push(quiet.line(word, at, Anchor::Start));
            }
        }
        let told = |section: &Section| {
            let words: Vec<&str> =
                section.marks.iter().map(|(_, word)| &**word).collect();
            format!("{}: {}", section.title, words.join(", "))
        };
        let name: Vec<String> = self.sections.iter().map(told).collect();
        let name = Some(format!("Legend. {}.", name.join(". ")));
        Some(Item { class: "legend".into(), id: None, name, primitives })
    }
}

fn text_width(text: &str, face: FontFace) -> f64 {
    draw::width(face, TYPE_LEGEND, text)
}

fn entry_width(word: &str) -> f64 {
    SAMPLE.0 + SAMPLE.1 + text_width(word, FontFace::Regular)
}

impl Mark {
    fn sample(&self, spot: Rect, paints: &Paints) -> Vec<Primitive> {
        let middle = spot.center();
        let capsule = draw::around(middle, 22.0, 12.0);
        let swatch = draw::around(Point::new(spot.right() - 8.0, middle.y), 16.0, 12.0);
        let pill = |fill: &str, line: Option<&str>| {
            let stroke = line.map(|line| paints.stroke(line, 1.5));
            vec![draw::rect(capsule, 6.0, Some(paints.solid(fill)), stroke)]
        };
        match self {
            Mark::Wire(wire) => wire_sample(*wire, spot, paints),
            Mark::Packet(kind) => pill(kind.color(), None),
            Mark::Forms => {
                let half = |x: f64, fill: &str| {
                    let spot = Rect::new(spot.x + x, middle.y - 5.0, 10.0, 10.0);
                    let stroke = Some(paints.stroke("packet-plain", 1.5));
                    draw::rect(spot, 5.0, Some(paints.solid(fill)), stroke)
                };
                vec![half(1.0, "packet-plain"), half(14.0, "packet-plain-soft")]
            }
            Mark::Failing => pill("packet-error", None),
            Mark::Lost => {
                let stroke = || paints.stroke("packet-error", 2.5);
                vec![
                    leg(middle, (-4.0, -4.0), (4.0, 4.0), stroke()),
                    leg(middle, (4.0, -4.0), (-4.0, 4.0), stroke()),
                ]
            }
            Mark::Cut => {
                let stroke = || paints.stroke("error", WALL_WIDTH);
                vec![
                    leg(middle, (-4.0, -6.0), (-4.0, 6.0), stroke()),
                    leg(middle, (4.0, -6.0), (4.0, 6.0), stroke()),
                ]
            }
            Mark::Committed | Mark::Open => {
                vec![record(swatch, *self == Mark::Committed, paints)]
            }
            Mark::State(state) => {
                let spot =
                    draw::around(Point::new(spot.right() - 6.0, middle.y), 9.0, 9.0);
                mark(*state, spot, paints)
            }
            Mark::Role(role) => {
                let look = paints.role(role);
                let stroke = Stroke { paint: look.line, width: 1.5, dash: Vec::new() };
                vec![draw::rect(swatch, 3.5, Some(look.fill), Some(stroke))]
            }
        }
    }
}

/// A short line, its ends told from `middle`.
fn leg(middle: Point, a: (f64, f64), b: (f64, f64), stroke: Stroke) -> Primitive {
    let at = |(x, y): (f64, f64)| Point::new(middle.x + x, middle.y + y);
    draw::polyline(&[at(a), at(b)], stroke)
}

fn wire_sample(wire: Wire, spot: Rect, paints: &Paints) -> Vec<Primitive> {
    let y = spot.center().y;
    let ends = [Point::new(spot.x, y), Point::new(spot.right(), y)];
    let stroke = wire.stroke(paints);
    let tip = head(&ends)
        .map(|(foot, tip)| (foot, draw::polygon(&tip, Some(stroke.paint), None)));
    let end = tip.as_ref().map_or(ends[1], |(foot, _)| *foot);
    let mut all = vec![draw::polyline(&[ends[0], end], stroke)];
    all.extend(tip.map(|(_, tip)| tip));
    all
}

/// The looks of connections, each with the protocols that have it.
fn wires(scene: &Scene) -> Vec<(Mark, String)> {
    let mut looks: Vec<(Wire, Vec<String>)> = Vec::new();
    // A connection that the author has coloured tells nothing of its protocol.
    for route in
        scene.routes.iter().filter(|route| route.color.is_none() && route.style.is_none())
    {
        let look = protocol::look(route.protocol.as_deref());
        let name = match route.protocol.as_deref().map(str::trim) {
            None | Some("") => "other".to_owned(),
            Some(name) => name.to_owned(),
        };
        match looks.iter_mut().find(|(known, _)| *known == look) {
            Some((_, names)) if !names.contains(&name) => names.push(name),
            Some(_) => {}
            None => looks.push((look, vec![name])),
        }
    }
    let told = |(look, mut names): (Wire, Vec<String>)| {
        let more = names.len().saturating_sub(3);
        names.truncate(3);
        let rest = if more > 0 { format!(" +{more}") } else { String::new() };
        (Mark::Wire(look), format!("{}{rest}", names.join(", ")))
    };
    looks.into_iter().map(told).collect()
}

/// What flies.
#[derive(Debug, Default)]
struct Packets {
    kinds: BTreeSet<pill::Kind>,
    answers: bool,
    fails: bool,
    gets_lost: bool,
    is_cut: bool,
}

fn packets(scene: &Scene, stories: &[Story<'_>]) -> Packets {
    let mut found = Packets::default();
    for story in stories {
        let reading = Reading::new(story.trace);
        let cuts =
            |event: &Event| matches!(event.what, What::Fault(Fault::Partition { .. }));
        found.is_cut |= reading.events.iter().any(cuts);
        for flight in reading.flights.iter().filter(|flight| flight.is_news()) {
            let is_node = |id: &str| {
                let node = scene.nodes.iter().find(|node| node.id == id);
                node.is_some_and(|node| matches!(&*node.role, "broker" | "controller"))
            };
            let between = || is_node(&flight.packet.from) && is_node(&flight.packet.to);
            found.kinds.insert(pill::Kind::of(flight, between));
            let comes_back = heading(scene, flight.packet) == Some(Heading::Against);
            let is_scripted = flight.packet.travel == Travel::Scripted;
            found.answers |= flight.is_response() || (is_scripted && comes_back);
            found.fails |= flight.packet.error.is_some();
            found.gets_lost |= matches!(flight.fate, Fate::Lost(_));
        }
    }
    found
}

impl Packets {
    fn marks(&self) -> Vec<(Mark, String)> {
        let told = self.kinds.iter().filter(|kind| **kind != pill::Kind::Plain);
        let mut marks: Vec<(Mark, String)> =
            told.map(|kind| (Mark::Packet(*kind), kind.word().to_owned())).collect();
        if self.answers {
            marks.push((Mark::Forms, "request, response".to_owned()));
        }
        if self.fails {
            marks.push((Mark::Failing, "error".to_owned()));
        }
        if self.gets_lost {
            marks.push((Mark::Lost, "lost".to_owned()));
        }
        if self.is_cut {
            marks.push((Mark::Cut, "network cut".to_owned()));
        }
        marks
    }
}

/// The states that processes are ever in, if any is not the usual one.
fn states(scene: &Scene, stories: &[Story<'_>]) -> Vec<(Mark, String)> {
    let first: BTreeMap<&str, NodeState> =
        scene.nodes.iter().map(|node| (node.id.as_str(), node.state)).collect();
    let mut seen: BTreeSet<NodeState> = first.values().copied().collect();
    for story in stories {
        let reading = Reading::new(story.trace);
        let mut ledger = Ledger::default();
        for event in reading.before {
            ledger.apply(event);
        }
        for event in reading.events {
            for touch in ledger.apply(event) {
                let Touch::Node(process) = touch else { continue };
                let Some(first) = first.get(process.as_str()) else { continue };
                seen.insert(ledger.doing(&process).state(*first));
            }
        }
    }
    if seen.iter().all(|state| *state == NodeState::Running) {
        return Vec::new();
    }
    seen.into_iter()
        .map(|state| (Mark::State(state), state_word(state).to_owned()))
        .collect()
}

/// The families of roles, if there are several.
fn roles(scene: &Scene) -> Vec<(Mark, String)> {
    let plain = scene.nodes.iter().filter(|node| node.color.is_none());
    let found: BTreeSet<&str> = plain.map(|node| family(&node.role)).collect();
    if found.len() < 2 {
        return Vec::new();
    }
    let told = |role: &str| match role {
        "registry" => "schema registry".to_owned(),
        other => other.to_owned(),
    };
    found.into_iter().map(|role| (Mark::Role(role.to_owned()), told(role))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Bands;
    use crate::{Kind, Theme, fixture};

    fn plan(wish: Legend) -> Plan {
        let trace = fixture::election();
        let kind = Kind::Executed;
        let story = Story { id: "s", title: "", description: "", trace: &trace, kind };
        let stories = [story];
        Plan::new(&fixture::scene(), &stories, &Rows::of(&stories), wish)
    }

    fn words(plan: &Plan) -> Vec<&str> {
        let marks = plan.sections.iter().flat_map(|section| &section.marks);
        marks.map(|(_, word)| word.as_str()).collect()
    }

    #[test]
    fn only_what_occurs_is_explained() {
        let plan = plan(Legend::Always);
        let words = words(&plan);
        assert!(words.contains(&"stopped") && words.contains(&"broker"), "{words:?}");
        assert!(
            !words.contains(&"error") || words.contains(&"request, response"),
            "{words:?}"
        );
        assert!(!words.contains(&"zookeeper"), "{words:?}");
    }

    #[test]
    fn who_wants_none_gets_none() {
        let plan = plan(Legend::Never);
        assert!(plan.sections.is_empty());
        assert!(plan.height(800.0).abs() < 1e-9);
    }

    #[test]
    fn a_still_picture_with_one_protocol_explains_itself() {
        let mut scene = fixture::scene();
        for route in &mut scene.routes {
            route.protocol = Some("kafka".into());
        }
        let rows = Rows::of(&[]);
        assert!(Plan::new(&scene, &[], &rows, Legend::Auto).sections.is_empty());
        scene.routes[0].protocol = Some("https".into());
        assert!(!Plan::new(&scene, &[], &rows, Legend::Auto).sections.is_empty());
    }

    #[test]
    fn every_entry_stays_on_the_canvas_and_over_nothing() {
        let plan = plan(Legend::Always);
        let paints = Paints::new(&Theme::default());
        for width in [300.0, 720.0, 1400.0] {
            let mut scene = fixture::scene();
            scene.size.width = width;
            let stage =
                Stage::with_legend(&scene, Bands::None, |width| plan.height(width));
            let item = plan.draw(&stage, &paints).unwrap();
            let mut ends: Vec<(f64, f64, f64)> = Vec::new();
            for primitive in &item.primitives {
                let Primitive::Text { at, width: wide, .. } = primitive else { continue };
                assert!(
                    at.x + wide <= width.max(wide + MARGIN + SAMPLE.0 + SAMPLE.1 + 0.1),
                    "{width}"
                );
                assert!(stage.legend.y < at.y && at.y < stage.legend.bottom());
                for (x, end, y) in &ends {
                    let same_row = (y - at.y).abs() < 1.0;
                    assert!(!same_row || at.x >= *end || at.x + wide <= *x, "{width}");
                }
                ends.push((at.x, at.x + wide, at.y));
            }
        }
    }
}
