//! How a node looks while something is the matter with it.
//!
//! State has a form of its own besides its colour: the mark (disc, triangle, cross, square),
//! a shade over what is down, and a chip with a word.

use topomotion_scene::{
    Anchor, FontFace, Item, NodeBox, NodeState, Outline, Point, Primitive, Rect,
};

use crate::channel::{Channels, Slot};
use crate::draw::{self, Ink};
use crate::ledger::{Doing, Hurt};
use crate::paint::{mark, outline, state_word};
use crate::theme::Paints;

/// Shows from `at` on how the node does: its mark and what covers it.
pub(crate) fn show(
    node: &NodeBox,
    doing: &Doing,
    at: u32,
    channels: &mut Channels,
    paints: &Paints,
) {
    let state = doing.state(node.state);
    channels.set(Slot::Mark, &node.id, at, Some(state_mark(node, state, paints)));
    channels.set(Slot::Shade, &node.id, at, shade(node, state, paints));
}

/// Shows from `at` on what is to be said of the node in a word.
pub(crate) fn show_chip(
    node: &NodeBox,
    doing: &Doing,
    at: u32,
    channels: &mut Channels,
    paints: &Paints,
) {
    channels.set(Slot::Chip, &node.id, at, chip(node, doing, paints));
}

fn state_mark(node: &NodeBox, state: NodeState, paints: &Paints) -> Item {
    Item {
        class: "state".into(),
        id: Some(node.id.clone()),
        name: Some(format!("{}: {}", node.label, state_word(state))),
        primitives: mark(state, node.dot, paints),
    }
}

fn shade(node: &NodeBox, state: NodeState, paints: &Paints) -> Option<Item> {
    let whole = if node.outline == Outline::Box { node.rect } else { node.body };
    let (fill, line) = match state {
        NodeState::Running => return None,
        NodeState::Warning => (None, paints.stroke("warning", 2.5)),
        NodeState::Error => (None, paints.stroke("error", 2.5)),
        NodeState::Stopped => {
            let mut line = paints.stroke("stopped", 2.0);
            line.dash = vec![6.0, 5.0];
            (Some(paints.faint("page", 0.62)), line)
        }
    };
    Some(Item {
        class: "shade".into(),
        id: Some(node.id.clone()),
        name: None,
        primitives: outline(node.outline, whole, fill, Some(line)),
    })
}

fn chip(node: &NodeBox, doing: &Doing, paints: &Paints) -> Option<Item> {
    let mut primitives = Vec::new();
    let mut x = node.body.x + 10.0;
    let y = node.body.y - 10.0;
    let mut word = |text: &str,
                    fill: &str,
                    ink: &str,
                    line: &str,
                    crowned: Option<i32>| {
        let text_ink = Ink::new(FontFace::SemiBold, 10.0, paints.solid(ink));
        let lead = if crowned.is_some() { 16.0 } else { 0.0 };
        let width = text_ink.width(text) + 16.0 + lead;
        let place = Rect::new(x, y, width, 20.0);
        let stroke = paints.stroke(line, 1.25);
        primitives.push(draw::rect(place, 10.0, Some(paints.solid(fill)), Some(stroke)));
        if crowned.is_some() {
            primitives.push(crown(Point::new(x + 15.0, y + 10.0), paints));
        }
        let base = Point::new(x + 8.0 + lead, y + 13.5);
        primitives.push(text_ink.line(text, base, Anchor::Start));
        x += width + 6.0;
    };
    if let Some(epoch) = doing.crowned {
        let text = format!("active · epoch {epoch}");
        word(&text, "surface", "ink", "crown", Some(epoch));
    }
    match doing.hurt {
        Some(Hurt::Down) => word("down", "surface", "ink", "stopped", None),
        Some(Hurt::Paused) => {
            word("paused", "warning-soft", "warning-ink", "warning", None);
        }
        None => {}
    }
    if doing.cut.is_some() {
        word("cut off", "warning-soft", "warning-ink", "warning", None);
    }
    if doing.fenced.is_some() {
        word("fenced", "error-soft", "error-ink", "error", None);
    }
    let item =
        Item { class: "chip".into(), id: Some(node.id.clone()), name: None, primitives };
    (!item.primitives.is_empty()).then_some(item)
}

fn crown(middle: Point, paints: &Paints) -> Primitive {
    let at = |x: f64, y: f64| Point::new(middle.x + x, middle.y + y);
    let corners = [
        at(-6.0, 4.5),
        at(-6.5, -3.5),
        at(-3.0, 0.0),
        at(0.0, -5.0),
        at(3.0, 0.0),
        at(6.5, -3.5),
        at(6.0, 4.5),
    ];
    draw::polygon(
        &corners,
        Some(paints.solid("crown")),
        Some(paints.stroke("crown", 1.0)),
    )
}

/// A red glow around a node.
pub(crate) fn glow(node: &NodeBox, paints: &Paints) -> Item {
    let ring = |by: f64, width: f64, opacity: f32| {
        let mut stroke = paints.stroke("error", width);
        stroke.paint.opacity = opacity;
        draw::rect(node.rect.grown(by), 10.0 + by, None, Some(stroke))
    };
    Item {
        class: "glow".into(),
        id: Some(node.id.clone()),
        name: None,
        primitives: vec![ring(7.0, 8.0, 0.12), ring(4.0, 6.0, 0.22), ring(1.5, 3.0, 0.9)],
    }
}
