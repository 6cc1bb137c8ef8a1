//! Words at a process: a bubble beside its node, where it covers least.

use topomotion_scene::{Anchor, FontFace, Item, NodeBox, Point, Primitive, Rect};
use topomotion_trace::Tone;

use crate::draw::{self, Ink};
use crate::stage::Stage;
use crate::theme::Paints;

/// Longest line, px.
const WIDEST: f64 = 230.0;
const SIZE: f64 = 13.0;
const LINE: f64 = 18.0;
const PAD: f64 = 11.0;
/// Distance from the node, px.
const APART: f64 = 11.0;
/// Distance from a wire beside which it stands, px.
const WIRE_ROOM: f64 = 14.0;
/// What covering a px of wire counts for, in px² of words.
const WIRE: f64 = 5.0;

/// What is said.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Speech<'a> {
    pub label: Option<&'a str>,
    pub text: &'a str,
    pub tone: Tone,
}

/// The bubble at a node.
pub(crate) fn bubble(
    node: &NodeBox,
    speech: Speech<'_>,
    stage: &Stage,
    paints: &Paints,
) -> Item {
    let wrapped = topomotion_text::wrap(
        draw::face(FontFace::Regular),
        SIZE,
        speech.text,
        WIDEST,
        5,
    );
    let small = Ink::new(FontFace::SemiBold, 10.0, paints.solid("page"));
    let label = speech.label.map(|label| {
        topomotion_text::ellipsize(
            draw::face(small.face),
            small.size,
            label,
            WIDEST - 14.0,
        )
    });
    let head = label.as_ref().map_or(0.0, |label| small.width(label) + 14.0);
    let lines = wrapped.lines.len() as f64;
    let top = if label.is_some() { 22.0 } else { 0.0 };
    let (width, height) =
        (wrapped.width.max(head) + 2.0 * PAD, lines * LINE + top + 2.0 * PAD - 3.0);
    let (place, tip) = place(node, width, height, stage);
    let (fill, line, text) = match speech.tone {
        Tone::Plain => ("surface", "line", "ink"),
        Tone::Error => ("error-soft", "error", "error-ink"),
    };
    let mut primitives = vec![shadow(place, paints)];
    let stroke = Some(paints.stroke(line, 1.25));
    primitives.push(draw::rect(place, 9.0, Some(paints.solid(fill)), stroke));
    primitives.extend(tail(place, tip, paints, (fill, line)));
    if let Some(label) = &label {
        let chip = Rect::new(place.x + PAD, place.y + PAD - 2.0, head, 18.0);
        let ground = if speech.tone == Tone::Error { "error-ink" } else { "muted" };
        primitives.push(draw::rect(chip, 5.0, Some(paints.solid(ground)), None));
        primitives.push(small.line(
            label,
            Point::new(chip.x + 7.0, chip.y + 12.5),
            Anchor::Start,
        ));
    }
    let ink = Ink::new(FontFace::Regular, SIZE, paints.solid(text));
    for (index, line) in wrapped.lines.iter().enumerate() {
        let y = place.y + PAD + top + LINE * index as f64 + 11.5;
        primitives.push(ink.line(line, Point::new(place.x + PAD, y), Anchor::Start));
    }
    Item { class: "bubble".into(), id: Some(node.id.clone()), name: None, primitives }
}

fn shadow(place: Rect, paints: &Paints) -> Primitive {
    let fallen = Rect::new(place.x, place.y + 2.5, place.width, place.height);
    draw::rect(fallen, 9.0, Some(paints.faint("shadow", 0.12)), None)
}

/// The place that covers least, and the point of the node at which it points.
fn place(node: &NodeBox, width: f64, height: f64, stage: &Stage) -> (Rect, Point) {
    let rect = node.rect;
    let middle = rect.center();
    let room = Rect::new(
        8.0,
        stage.header.bottom() + 4.0,
        stage.size.width - 16.0,
        stage.captions.y - stage.header.bottom() - 8.0,
    );
    let slide = |value: f64, low: f64, high: f64| value.min(high).max(low);
    let x = |wanted: f64| slide(wanted, room.x, room.right() - width);
    let y = |wanted: f64| slide(wanted, room.y, room.bottom() - height);
    let beside =
        |left: f64| Rect::new(x(left), y(middle.y - height / 2.0), width, height);
    let upright = |top: f64| Rect::new(x(middle.x - width / 2.0), y(top), width, height);
    // Aside of a wire that leaves in the middle; its tail stays on the node.
    let aside = |left: f64, top: f64, foot: f64| {
        let place = Rect::new(x(left), y(top), width, height);
        let tip = slide(place.center().x, rect.x + 14.0, rect.right() - 14.0);
        (place, Point::new(tip, foot))
    };
    let (above, below) = (rect.y - APART - height, rect.bottom() + APART);
    let (left, right) = (middle.x - WIRE_ROOM - width, middle.x + WIRE_ROOM);
    let places = [
        (upright(above), Point::new(middle.x, rect.y)),
        (upright(below), Point::new(middle.x, rect.bottom())),
        aside(right, above, rect.y),
        aside(left, above, rect.y),
        aside(right, below, rect.bottom()),
        aside(left, below, rect.bottom()),
        (beside(rect.right() + APART), Point::new(rect.right(), middle.y)),
        (beside(rect.x - APART - width), Point::new(rect.x, middle.y)),
    ];
    let scene = &stage.scene;
    let covered = |place: &Rect| {
        let own = common(*place, rect) * 4.0;
        let nodes = scene.nodes.iter().map(|node| common(*place, node.rect));
        let titles = scene.groups.iter().map(|group| common(*place, group.title));
        let labels = scene.routes.iter().filter_map(|route| route.label.as_ref());
        let labels = labels.map(|label| common(*place, label.rect));
        let wires = scene.routes.iter().map(|route| within(*place, &route.points));
        own + nodes.chain(titles).chain(labels).sum::<f64>() + wires.sum::<f64>() * WIRE
    };
    let mut best = places[0];
    for candidate in places {
        if covered(&candidate.0) + 1.0 < covered(&best.0) {
            best = candidate;
        }
    }
    best
}

/// Length of a line's upright and level legs inside of a rectangle.
fn within(place: Rect, points: &[Point]) -> f64 {
    let legs = points.windows(2).map(|leg| {
        let (a, b) = (leg[0], leg[1]);
        let (left, right) = (a.x.min(b.x), a.x.max(b.x));
        let (top, bottom) = (a.y.min(b.y), a.y.max(b.y));
        let width = right.min(place.right()) - left.max(place.x);
        let height = bottom.min(place.bottom()) - top.max(place.y);
        if width < 0.0 || height < 0.0 { 0.0 } else { width.max(height) }
    });
    legs.sum()
}

/// Area that two rectangles share.
fn common(a: Rect, b: Rect) -> f64 {
    let width = (a.right().min(b.right()) - a.x.max(b.x)).max(0.0);
    let height = (a.bottom().min(b.bottom()) - a.y.max(b.y)).max(0.0);
    width * height
}

/// A small wedge from the bubble to the node.
fn tail(
    place: Rect,
    tip: Point,
    paints: &Paints,
    (fill, line): (&str, &str),
) -> Vec<Primitive> {
    let clamp = |value: f64, low: f64, high: f64| value.min(high - 16.0).max(low + 16.0);
    let (x, y) =
        (clamp(tip.x, place.x, place.right()), clamp(tip.y, place.y, place.bottom()));
    let (a, b) = if tip.y >= place.bottom() {
        (
            Point::new(x - 6.0, place.bottom() - 0.6),
            Point::new(x + 6.0, place.bottom() - 0.6),
        )
    } else if tip.y <= place.y {
        (Point::new(x - 6.0, place.y + 0.6), Point::new(x + 6.0, place.y + 0.6))
    } else if tip.x >= place.right() {
        (
            Point::new(place.right() - 0.6, y - 6.0),
            Point::new(place.right() - 0.6, y + 6.0),
        )
    } else if tip.x <= place.x {
        (Point::new(place.x + 0.6, y - 6.0), Point::new(place.x + 0.6, y + 6.0))
    } else {
        return Vec::new();
    };
    vec![
        draw::polygon(&[a, tip, b], Some(paints.solid(fill)), None),
        draw::polyline(&[a, tip, b], paints.stroke(line, 1.25)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::Bands;
    use crate::{Theme, fixture};

    #[test]
    fn a_bubble_covers_no_node_where_there_is_room() {
        let stage = Stage::new(&fixture::scene(), Bands::Film);
        let paints = Paints::new(&Theme::default());
        let text = "The producer waits for all replicas that are in sync";
        let speech = Speech { label: Some("NOTE"), text, tone: Tone::Plain };
        for node in &stage.scene.nodes {
            let item = bubble(node, speech, &stage, &paints);
            let Primitive::Rect { rect, .. } = &item.primitives[1] else { panic!() };
            for other in &stage.scene.nodes {
                assert!(!rect.overlaps(&other.rect), "{} over {}", node.id, other.id);
            }
            assert!(rect.x >= 0.0 && rect.right() <= stage.size.width);
        }
    }
}
