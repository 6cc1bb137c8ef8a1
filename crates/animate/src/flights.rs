//! Packets as sprites: where each flies, and beside which others.
//!
//! Two packets that would cover one another take different lanes, parallel to the line
//! that they share. A packet that is lost reddens on the last third of its way and leaves a
//! cross where it died.

use std::collections::BTreeMap;

use topomotion_scene::{
    Item, Layer, Millis, Motion, Point, Primitive, Rect, Scene, Size, Sprite, Window,
};
use topomotion_trace::{Loss, Travel};

use crate::aboard::{self, Aboard};
use crate::channel::{Channels, Slot};
use crate::cut;
use crate::draw;
use crate::paint::rounded;
use crate::pill::{self, Form, Kind};
use crate::reading::{Fate, Flight};
use crate::stage::Stage;
use crate::theme::Paints;
use crate::tokens::{LOSS_MS, PACKET_GAP, PACKET_HEIGHT, WIRE_FOUND};
use crate::ways::{Heading, Origin, Way, Ways};

/// Lanes, in the order in which they are tried: steps to the right of the line. Half a step lets
/// a packet lean on its line.
const LANES: [f64; 7] = [0.0, 0.5, -0.5, 1.0, -1.0, 2.0, -2.0];
/// How much worse it is to cover another packet than to cover a word.
const PACKET_COST: u32 = 4;
/// A packet that has left its line belongs to no connection, or seems to belong to another: so
/// many pixels beyond its own border are as bad as a step across a word.
const ASTRAY: f64 = 12.0;
/// From a dead receiver's border to the cross of what was sent to it: its chips stay clear.
const BEFORE_BORDER: f64 = 22.0;
/// Where two packets are compared, ms.
const PACE_MS: u32 = 100;

/// A packet in the air, in playing time.
#[derive(Debug)]
struct Flown {
    window: Window,
    motion: Motion,
    half_width: f64,
}

/// How much of its way a packet goes.
#[derive(Debug, Clone, Copy)]
enum Course {
    /// This part, 1 being the whole.
    Until(f64),
    /// To its end and back.
    ThereAndBack,
}

impl Course {
    fn of(self, mut motion: Motion) -> Motion {
        match self {
            Course::Until(part) if part < 1.0 => cut(&motion, 0.0, part),
            Course::Until(_) => motion,
            Course::ThereAndBack => {
                let back: Vec<Point> =
                    motion.path.iter().rev().skip(1).copied().collect();
                motion.path.extend(back);
                motion
            }
        }
    }
}

/// What is in the air in a film, and which sprite shows what of it.
#[derive(Debug, Default)]
pub(crate) struct Manifest {
    /// What flies.
    pub aboard: Vec<Aboard>,
    /// For each sprite, what it shows.
    pub shows: Vec<usize>,
}

/// Every packet of a film.
#[derive(Debug, Default)]
pub(crate) struct Sky {
    flown: Vec<Flown>,
    notable: Vec<Window>,
    sprites: Vec<Sprite>,
    /// What flies, and, sprite by sprite, which of it that shows.
    aboard: Vec<Aboard>,
    shows: Vec<usize>,
    wires: BTreeMap<String, (Vec<Point>, f64, Vec<Window>)>,
    ways: Ways,
}

impl Sky {
    /// Lets a packet fly in this window.
    pub fn fly(
        &mut self,
        flight: &Flight<'_>,
        window: Window,
        stage: &Stage,
        paints: &Paints,
    ) {
        let Some(way) = self.ways.of(&stage.scene, flight.packet) else { return };
        let window = at_least(window, 50);
        self.wire(flight, &way, window);
        let kind = kind(flight, stage);
        self.aboard.push(aboard::packet(flight, kind.word(), &way, stage));
        let (form, label) = (form(flight, &way), label(flight, &way, stage));
        let item = pill::pill(kind, form, &label, flight.packet.records, paints);
        let part = match flight.fate {
            Fate::Lost(Loss::Partitioned) => until_wall(&way, &stage.scene),
            Fate::Lost(Loss::ConnectionBroken) => 0.7,
            Fate::Lost(Loss::ReceiverDown) => {
                let length = Motion { path: way.corners.clone() }.length().max(1.0);
                (1.0 - BEFORE_BORDER / length).max(0.5)
            }
            Fate::Arrived => 1.0,
            Fate::Pending => (f64::from(window.end.0 - window.start.0) / 900.0).min(1.0),
        };
        let motion =
            self.lane(&way, window, pill::half_width(&item), stage, Course::Until(part));
        self.notable.push(window);
        if let Fate::Lost(_) = flight.fate {
            let red =
                pill::pill(kind, Form::Failing, &label, flight.packet.records, paints);
            self.lose(item, red, window, motion, paints);
        } else {
            self.push(item, window, motion);
        }
    }

    /// Lets a routine packet fly in this window.
    pub fn fly_routine(
        &mut self,
        flight: &Flight<'_>,
        window: Window,
        stage: &Stage,
        paints: &Paints,
    ) {
        let Some(way) = self.ways.of(&stage.scene, flight.packet) else { return };
        self.wire(flight, &way, window);
        self.aboard.push(aboard::packet(flight, aboard::ROUTINE, &way, stage));
        let item = pill::dot(kind(flight, stage), pill::form(flight), paints);
        self.push(item, window, Motion { path: way.line(Size::default()) });
    }

    /// Lets many routine packets go there and back as one.
    pub fn breathe(
        &mut self,
        flights: &[&Flight<'_>],
        item: Item,
        window: Window,
        stage: &Stage,
    ) {
        let Some(&flight) = flights.first() else { return };
        let Some(way) = self.ways.of(&stage.scene, flight.packet) else { return };
        self.wire(flight, &way, window);
        self.aboard.push(aboard::folded(flights, &way, stage));
        let half_width = pill::half_width(&item);
        let motion = self.lane(&way, window, half_width, stage, Course::ThereAndBack);
        self.push(item, window, motion);
    }

    /// The wires into their channels, and all packets: the sprites, and what each shows.
    pub fn land(
        self,
        channels: &mut Channels,
        paints: &Paints,
    ) -> (Vec<Sprite>, Manifest) {
        for (key, (corners, radius, mut windows)) in self.wires {
            windows.sort();
            let wire = wire(&corners, radius, paints);
            for window in merged(&windows) {
                let times = (window.start.0, window.end.0);
                channels.flash(Slot::Wire, &key, times, wire.clone());
            }
        }
        (self.sprites, Manifest { aboard: self.aboard, shows: self.shows })
    }

    /// When packets of note fly, for choosing a poster.
    pub fn windows(&self) -> impl Iterator<Item = Window> + '_ {
        self.notable.iter().copied()
    }

    fn push(&mut self, item: Item, window: Window, motion: Motion) {
        let (layer, windows) = (Layer::Packets, vec![window]);
        self.sprites.push(Sprite { item, layer, windows, motion: Some(motion) });
        self.shows.push(self.aboard.len().saturating_sub(1));
    }

    fn lose(
        &mut self,
        item: Item,
        red: Item,
        window: Window,
        motion: Motion,
        paints: &Paints,
    ) {
        let turn = (window.start.0 + (window.end.0 - window.start.0) * 2 / 3) / 50 * 50;
        let turn = turn.max(window.start.0 + 50).min(window.end.0);
        let part =
            f64::from(turn - window.start.0) / f64::from(window.end.0 - window.start.0);
        let (first, last) = (cut(&motion, 0.0, part), cut(&motion, part, 1.0));
        let end = motion.point(1.0);
        self.push(item, Window { start: window.start, end: Millis(turn) }, first);
        if turn < window.end.0 {
            self.push(red, Window { start: Millis(turn), end: window.end }, last);
        }
        let stay = Motion { path: vec![end, end] };
        let after = Window { start: window.end, end: Millis(window.end.0 + LOSS_MS) };
        self.push(pill::cross(paints), after, stay);
    }

    fn wire(&mut self, flight: &Flight<'_>, way: &Way, window: Window) {
        if way.origin != Origin::Found {
            return;
        }
        let (a, b) = (&*flight.packet.from, &*flight.packet.to);
        let key = if a < b { format!("{a} {b}") } else { format!("{b} {a}") };
        let wire = self.wires.entry(key);
        let wire = wire.or_insert_with(|| (way.corners.clone(), way.radius, Vec::new()));
        let start = Millis(window.start.0.saturating_sub(150));
        wire.2.push(Window { start, end: Millis(window.end.0 + 250) });
    }

    /// The first lane on which the packet covers no other and stays on the canvas.
    fn lane(
        &mut self,
        way: &Way,
        window: Window,
        half_width: f64,
        stage: &Stage,
        course: Course,
    ) -> Motion {
        let labels = stage.scene.routes.iter().filter_map(|route| route.label.as_ref());
        let words: Vec<Rect> = labels.map(|label| label.rect).collect();
        let mut best: Option<(u32, Motion)> = None;
        for lane in LANES {
            let by = Size {
                width: lane * (2.0 * half_width + PACKET_GAP),
                height: lane * (PACKET_HEIGHT + PACKET_GAP),
            };
            let motion = course.of(Motion { path: way.line(by) });
            let is_out = |point: &Point| {
                point.x < half_width || point.x + half_width > stage.size.width
            };
            let covered = covered(&motion, window, half_width, &words);
            let mut hits = self.hits(&motion, window, half_width) * PACKET_COST + covered;
            hits += astray(way.shift(by), half_width);
            if motion.path.iter().any(is_out) {
                hits += 1000;
            }
            if best.as_ref().is_none_or(|(least, _)| hits < *least) {
                best = Some((hits, motion));
            }
            if hits == 0 {
                break;
            }
        }
        let motion =
            best.map(|(_, motion)| motion).unwrap_or(Motion { path: Vec::new() });
        self.flown.push(Flown { window, motion: motion.clone(), half_width });
        motion
    }

    /// How often, sampled in time, the packet would cover another.
    fn hits(&self, motion: &Motion, window: Window, half_width: f64) -> u32 {
        let near = self.flown.iter().rev().take(64).filter(|other| {
            other.window.start < window.end && window.start < other.window.end
        });
        let near: Vec<&Flown> = near.collect();
        let mut hits = 0;
        // At its ends every packet is near others, at the border of the same node; that is brief.
        let span = window.end.0 - window.start.0;
        let mut at = window.start.0 + span / 6;
        while at < window.end.0 - span / 6 {
            let place = place(motion, window, at);
            hits += near
                .iter()
                .filter(|other| other.window.holds(Millis(at)))
                .filter(|other| {
                    let there = self::place(&other.motion, other.window, at);
                    (there.x - place.x).abs() < half_width + other.half_width + 1.0
                        && (there.y - place.y).abs() < PACKET_HEIGHT + 1.0
                })
                .count() as u32;
            at += PACE_MS;
        }
        hits
    }
}

/// How bad it is to fly that far beside the line.
fn astray(shift: Size, half_width: f64) -> u32 {
    let beyond = (shift.width - half_width).max(shift.height - PACKET_HEIGHT / 2.0);
    let steps = ((beyond - PACKET_GAP).max(0.0) / ASTRAY) as u32;
    steps * steps
}

/// How long, in steps beyond the first, a packet would cover words.
fn covered(motion: &Motion, window: Window, half_width: f64, words: &[Rect]) -> u32 {
    let mut steps = 0;
    let mut at = window.start.0;
    while at < window.end.0 {
        let place = place(motion, window, at);
        let pill = draw::around(place, 2.0 * half_width, PACKET_HEIGHT);
        steps += u32::from(words.iter().any(|word| word.grown(-1.0).overlaps(&pill)));
        at += PACE_MS;
    }
    steps.saturating_sub(1)
}

/// The part of a way up to the wall that cuts it.
fn until_wall(way: &Way, scene: &Scene) -> f64 {
    let Origin::Drawn { route, .. } = way.origin else { return 0.5 };
    let wall = scene.routes.get(route).and_then(|route| cut::wall(scene, route));
    let Some(wall) = wall else { return 0.5 };
    let motion = Motion { path: way.line(Size::default()) };
    let off = |part: f64| {
        let there = motion.point(part);
        let (dx, dy) = (there.x - wall.at.x, there.y - wall.at.y);
        dx * dx + dy * dy
    };
    let parts = (10..=90).map(|part| f64::from(part) / 100.0);
    parts.min_by(|a, b| off(*a).total_cmp(&off(*b))).unwrap_or(0.5)
}

/// The form of a packet; a scripted one that comes back along its connection answers.
fn form(flight: &Flight<'_>, way: &Way) -> Form {
    let comes_back =
        matches!(way.origin, Origin::Drawn { heading: Heading::Against, .. });
    match pill::form(flight) {
        Form::Request if flight.packet.travel == Travel::Scripted && comes_back => {
            Form::Response
        }
        form => form,
    }
}

/// What a packet says: its API, or, if it is scripted and has no words of its own, what is
/// written at its connection.
fn label(flight: &Flight<'_>, way: &Way, stage: &Stage) -> String {
    let own = pill::label(flight);
    let Origin::Drawn { route, .. } = way.origin else { return own };
    if !own.is_empty() || flight.packet.travel != Travel::Scripted {
        return own;
    }
    let route = stage.scene.routes.get(route);
    let label = route.and_then(|route| route.label.as_ref());
    label.map_or(own, |label| pill::shortened(&label.text))
}

fn at_least(window: Window, ms: u32) -> Window {
    Window { start: window.start, end: window.end.max(Millis(window.start.0 + ms)) }
}

fn kind(flight: &Flight<'_>, stage: &Stage) -> Kind {
    let is_node = |id: &str| {
        stage.node(id).is_some_and(|node| matches!(&*node.role, "broker" | "controller"))
    };
    Kind::of(flight, || is_node(&flight.packet.from) && is_node(&flight.packet.to))
}

fn place(motion: &Motion, window: Window, at: u32) -> Point {
    let span = f64::from((window.end.0 - window.start.0).max(1));
    motion.point(f64::from(at - window.start.0) / span)
}

/// The piece of a way between two parts of its length.
fn cut(motion: &Motion, from: f64, to: f64) -> Motion {
    let length = motion.length().max(1e-9);
    let mut path = vec![motion.point(from)];
    let mut walked = 0.0;
    for pair in motion.path.windows(2) {
        let leg = Motion { path: pair.to_vec() }.length();
        walked += leg;
        let part = walked / length;
        if from < part && part < to {
            path.push(pair[1]);
        }
    }
    path.push(motion.point(to));
    Motion { path }
}

fn wire(corners: &[Point], radius: f64, paints: &Paints) -> Item {
    let mut stroke = paints.stroke("line", WIRE_FOUND);
    stroke.dash = vec![4.0, 4.0];
    stroke.paint.opacity = 0.8;
    let mut primitives = vec![Primitive::Path {
        commands: rounded(corners, radius),
        fill: None,
        stroke: Some(stroke),
    }];
    for end in [corners.first(), corners.last()].into_iter().flatten() {
        primitives.push(draw::circle(*end, 2.5, Some(paints.solid("line")), None));
    }
    Item { class: "wire".into(), id: None, name: None, primitives }
}

/// Windows closer than half a second become one.
fn merged(windows: &[Window]) -> Vec<Window> {
    let mut all: Vec<Window> = Vec::new();
    for window in windows {
        match all.last_mut() {
            Some(last) if window.start.0 <= last.end.0 + 500 => {
                last.end = last.end.max(window.end);
            }
            _ => all.push(*window),
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reading::Reading;
    use crate::stage::Bands;
    use crate::{Theme, fixture};

    fn sky(flights: &[(&str, &str, u32, u32)]) -> Sky {
        let stage = Stage::new(&fixture::scene(), Bands::Film);
        let paints = Paints::new(&Theme::default());
        let mut script = fixture::Script::default();
        for (from, to, ..) in flights {
            script.packet(from, to, "Fetch", 0, 1);
        }
        let trace = script.trace();
        let mut sky = Sky::default();
        for (flight, (.., start, end)) in Reading::new(&trace).flights.iter().zip(flights)
        {
            let window = Window { start: Millis(*start), end: Millis(*end) };
            sky.fly(flight, window, &stage, &paints);
        }
        sky
    }

    #[test]
    fn two_packets_on_one_line_at_one_time_take_two_lanes() {
        let sky = sky(&[
            ("order-producer", "broker-1", 0, 900),
            ("order-producer", "broker-1", 0, 900),
            ("order-producer", "broker-1", 2000, 2900),
        ]);
        let start = |index: usize| sky.sprites[index].motion.as_ref().unwrap().path[0];
        assert!((start(0).x - start(1).x).abs() >= 2.0 * sky.flown[0].half_width);
        assert_eq!(start(0), start(2));
    }

    #[test]
    fn a_found_line_is_seen_as_long_as_it_is_used() {
        let sky = sky(&[
            ("order-producer", "broker-3", 1000, 1900),
            ("broker-3", "order-producer", 1900, 2700),
        ]);
        let mut channels = Channels::default();
        sky.land(&mut channels, &Paints::new(&Theme::default()));
        let wires = channels.sprites(9000);
        assert_eq!(wires.len(), 1);
        let window = Window { start: Millis(850), end: Millis(2950) };
        assert_eq!(wires[0].windows, [window]);
    }

    /// The scene's connection from the producer to the first broker, and its label.
    fn produce(stage: &Stage) -> (Way, Rect) {
        let trace = {
            let mut script = fixture::Script::default();
            script.packet("order-producer", "broker-1", "Fetch", 0, 1);
            script.trace()
        };
        let reading = Reading::new(&trace);
        let way = Ways::default().of(&stage.scene, reading.flights[0].packet).unwrap();
        let label = stage.scene.routes[0].label.as_ref().unwrap().rect;
        (way, label)
    }

    /// The motion of a packet on the connection from the producer to the first broker, and for
    /// how long it covers the label whose left end is so far to the right of the line.
    fn beside_a_label(from_line: f64) -> (Way, Motion, u32) {
        let mut stage = Stage::new(&fixture::scene(), Bands::Film);
        let (way, mut label) = produce(&stage);
        label.x = way.corners[0].x + from_line;
        stage.scene.routes[0].label.as_mut().unwrap().rect = label;
        let window = Window { start: Millis(0), end: Millis(900) };
        let chosen = Sky::default().lane(&way, window, 26.0, &stage, Course::Until(1.0));
        let covers = covered(&chosen, window, 26.0, &[label]);
        (way, chosen, covers)
    }

    #[test]
    fn a_packet_leans_away_from_its_connections_label() {
        let (way, chosen, covers) = beside_a_label(5.0);
        assert_eq!(covers, 0);
        assert!(chosen.path[0].x < way.corners[0].x, "it leans to the other side");
    }

    #[test]
    fn a_packet_rather_crosses_a_label_than_to_leave_its_line() {
        let (way, chosen, covers) = beside_a_label(-48.0);
        assert!(covers > 0, "the label stands across the line");
        assert_eq!(chosen.path[0], way.corners[0]);
    }

    #[test]
    fn what_a_cut_stops_gets_as_far_as_the_wall() {
        let stage = Stage::new(&fixture::scene(), Bands::Film);
        let (way, _) = produce(&stage);
        let wall = cut::wall(&stage.scene, &stage.scene.routes[0]).unwrap();
        let part = until_wall(&way, &stage.scene);
        let stop = Motion { path: way.line(Size::default()) }.point(part);
        assert!((stop.y - wall.at.y).abs() < 3.0 && (stop.x - wall.at.x).abs() < 3.0);
    }

    #[test]
    fn a_scripted_packet_says_what_its_connection_says_and_answers_on_its_way_back() {
        use topomotion_model::{
            EdgeId, Flow, FlowStep, FlowStepKind, Hop, Origin as From,
        };
        let stage = Stage::new(&fixture::scene(), Bands::Film);
        let hop = |from: &str, to: &str| {
            let (from, to, edge) = (from.into(), to.into(), EdgeId(0));
            let heading = topomotion_model::Heading::Forward;
            let kind = FlowStepKind::Hops(vec![Hop { from, to, edge, heading }]);
            FlowStep { kind, origin: From::default() }
        };
        let steps =
            vec![hop("order-producer", "broker-1"), hop("broker-1", "order-producer")];
        let trace = crate::flow::to_trace(&Flow { steps }, &crate::Pace::default());
        let reading = Reading::new(&trace);
        let told = reading.flights.iter().map(|flight| {
            let way = Ways::default().of(&stage.scene, flight.packet).unwrap();
            (label(flight, &way, &stage), form(flight, &way))
        });
        let text = "produce acks=all".to_owned();
        let expected = [(text.clone(), Form::Request), (text, Form::Response)];
        assert_eq!(told.collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_piece_of_a_way_keeps_its_corners() {
        let path =
            vec![Point::new(0.0, 0.0), Point::new(10.0, 0.0), Point::new(10.0, 10.0)];
        let piece = cut(&Motion { path }, 0.25, 0.75);
        assert_eq!(
            piece.path,
            [Point::new(5.0, 0.0), Point::new(10.0, 0.0), Point::new(10.0, 5.0)]
        );
    }
}
