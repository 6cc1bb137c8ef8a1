//! What is the matter with one direction of a connection: a chip beside its wire says so, and
//! an arrow in the chip which way is meant.

use std::sync::Arc;

use topomotion_scene::{Anchor, FontFace, Item, Point, Primitive, Rect, Route, Scene};
use topomotion_trace::Flow;

use crate::channel::{Channels, Slot};
use crate::cut::{self, ends_on};
use crate::draw::{self, Ink};
use crate::theme::Paints;
use crate::tokens::{BORDER_GROUP, CHIP_HEIGHT, TYPE_CHIP};

/// Half the length of an arrow head, px.
const ARROW: f64 = 3.5;
/// From a chip's end to what stands in it, px.
const PAD: f64 = 8.0;
/// From a chip's left end to its words, px.
const LEAD: f64 = PAD + 2.0 * ARROW + 4.0;
/// Between a chip and its wire, px.
const BESIDE: f64 = 3.0;

/// Which way along its wire, from the source to the target or back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heading {
    Along,
    Against,
}

/// Marks every wire that leads from one side to the other.
pub(crate) fn show(
    (from, to): (&[Arc<str>], &[Arc<str>]),
    flow: Flow,
    scene: &Scene,
    at: u32,
    channels: &mut Channels,
    paints: &Paints,
) {
    for (index, route) in scene.routes.iter().enumerate() {
        for (heading, a, b) in [(Heading::Along, from, to), (Heading::Against, to, from)]
        {
            if ends_on(scene, route, a, b) {
                let key = key(index, heading);
                let mark = mark(scene, route, heading, flow, paints);
                channels.set(Slot::Way, &key, at, mark);
            }
        }
    }
}

/// Takes all marks away.
pub(crate) fn clear(scene: &Scene, at: u32, channels: &mut Channels) {
    for index in 0..scene.routes.len() {
        for heading in [Heading::Along, Heading::Against] {
            channels.set(Slot::Way, &key(index, heading), at, None);
        }
    }
}

fn key(index: usize, heading: Heading) -> String {
    match heading {
        Heading::Along => format!("{index}"),
        Heading::Against => format!("{index} back"),
    }
}

/// In a word or a figure, as a chip has room for it.
pub(crate) fn word(flow: Flow) -> String {
    match flow {
        Flow::Free => "free".to_owned(),
        Flow::Lost => "all lost".to_owned(),
        Flow::KeptBack => "kept back".to_owned(),
        Flow::Slower(ms) => format!("+{ms} ms"),
        Flow::Narrow(bytes) => format!("{bytes} B/s"),
    }
}

/// What becomes of the messages, as the end of a sentence that begins with them.
pub(crate) fn told(flow: Flow) -> String {
    match flow {
        Flow::Free => "passes freely again".to_owned(),
        Flow::Lost => "is lost".to_owned(),
        Flow::KeptBack => "is kept back on its way".to_owned(),
        Flow::Slower(ms) => format!("takes {ms} ms longer"),
        Flow::Narrow(bytes) => format!("passes at {bytes} bytes a second"),
    }
}

fn mark(
    scene: &Scene,
    route: &Route,
    heading: Heading,
    flow: Flow,
    paints: &Paints,
) -> Option<Item> {
    let [fill, ink, line] = match flow {
        Flow::Free => return None,
        Flow::Lost => ["error-soft", "error-ink", "error"],
        Flow::KeptBack | Flow::Slower(_) | Flow::Narrow(_) => {
            ["warning-soft", "warning-ink", "warning"]
        }
    };
    let text = word(flow);
    let ink = Ink::new(FontFace::SemiBold, TYPE_CHIP, paints.solid(ink));
    let width = LEAD + ink.width(&text) + PAD;
    let (place, along) = place(scene, route, heading, width)?;
    let (from, towards) = match heading {
        Heading::Along => (&route.source, &route.target),
        Heading::Against => (&route.target, &route.source),
    };
    let stroke = Some(paints.stroke(line, BORDER_GROUP));
    let middle = place.center().y;
    let base = Point::new(place.x + LEAD, middle + 3.5);
    let primitives = vec![
        draw::rect(place, CHIP_HEIGHT / 2.0, Some(paints.solid(fill)), stroke),
        arrow(Point::new(place.x + PAD + ARROW, middle), along, line, paints),
        ink.line(&text, base, Anchor::Start),
    ];
    let name = format!("what {from} sends to {towards} {}", told(flow));
    let id = Some(format!("{from}-{towards}"));
    Some(Item { class: "way".into(), id, name: Some(name), primitives })
}

/// Where the chip stands: beside its wire, on the right of who travels, where it covers
/// least; and the unit vector of the way.
fn place(
    scene: &Scene,
    route: &Route,
    heading: Heading,
    width: f64,
) -> Option<(Rect, Point)> {
    let sign = if heading == Heading::Along { 1.0 } else { -1.0 };
    let places = [1.0, -1.0].into_iter().flat_map(|side| {
        cut::walls(route).map(move |wall| {
            let along = Point::new(wall.along.x * sign, wall.along.y * sign);
            let aside = Point::new(-along.y * side, along.x * side);
            let by = from_edge(aside, width, CHIP_HEIGHT) + BESIDE;
            let middle = Point::new(wall.at.x + aside.x * by, wall.at.y + aside.y * by);
            (draw::around(middle, width, CHIP_HEIGHT), along)
        })
    });
    let covers = |place: &Rect| cut::covered(scene, place);
    places.min_by(|(a, _), (b, _)| covers(a).total_cmp(&covers(b)))
}

/// From the middle of a box to its edge in a direction.
fn from_edge(along: Point, width: f64, height: f64) -> f64 {
    let across = |half: f64, part: f64| match part.abs() {
        tiny if tiny < 1e-6 => f64::INFINITY,
        part => half / part,
    };
    across(width / 2.0, along.x).min(across(height / 2.0, along.y))
}

/// An arrow head around a point.
fn arrow(middle: Point, along: Point, color: &'static str, paints: &Paints) -> Primitive {
    let at = |ahead: f64, aside: f64| {
        let (x, y) = (along.x * ahead, along.y * ahead);
        Point::new(middle.x + x - along.y * aside, middle.y + y + along.x * aside)
    };
    let corners = [at(ARROW, 0.0), at(-ARROW, ARROW), at(-ARROW, -ARROW)];
    draw::polygon(&corners, Some(paints.solid(color)), None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Theme, fixture};

    fn marks(flows: &[(&str, &str, Flow, u32)]) -> Vec<(String, String, u32, u32)> {
        let (scene, paints) = (fixture::scene(), Paints::new(&Theme::default()));
        let mut channels = Channels::default();
        for (from, to, flow, at) in flows {
            let sides = (&[Arc::from(*from)][..], &[Arc::from(*to)][..]);
            show(sides, *flow, &scene, *at, &mut channels, &paints);
        }
        clear(&scene, 900, &mut channels);
        let seen = channels.sprites(2_000).into_iter().map(|sprite| {
            let window = &sprite.windows[0];
            let (id, name) = (sprite.item.id.unwrap(), sprite.item.name.unwrap());
            (id, name, window.start.0, window.end.0)
        });
        seen.collect()
    }

    #[test]
    fn each_way_of_a_wire_has_its_own_mark_until_the_network_heals() {
        let marks = marks(&[
            ("broker-2", "broker-1", Flow::Lost, 100),
            ("broker-1", "broker-2", Flow::Slower(250), 200),
        ]);
        let told: Vec<&str> = marks.iter().map(|(_, name, ..)| name.as_str()).collect();
        assert_eq!(
            told,
            [
                "what broker-2 sends to broker-1 is lost",
                "what broker-1 sends to broker-2 takes 250 ms longer",
            ]
        );
        assert!(marks.iter().all(|(.., end)| *end == 900), "{marks:?}");
    }

    #[test]
    fn a_way_that_is_free_again_has_no_mark() {
        let marks = marks(&[
            ("broker-2", "broker-1", Flow::KeptBack, 100),
            ("broker-2", "broker-1", Flow::Free, 400),
        ]);
        let windows: Vec<(u32, u32)> =
            marks.iter().map(|(.., start, end)| (*start, *end)).collect();
        assert_eq!(windows, [(100, 400)]);
    }
}
