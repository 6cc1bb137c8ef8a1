//! How a node looks while something is the matter with it.
//!
//! State has a form of its own besides its colour: the mark (disc, triangle, cross, square),
//! a shade over what is down, and a chip with a word.

use topomotion_scene::{
    Anchor, FontFace, Item, NodeBox, NodeState, Outline, Point, Primitive, Rect,
};

use topomotion_trace::{GroupState, TransactionState};

use crate::channel::{Channels, Slot};
use crate::draw::{self, Ink};
use crate::groups::Groups;
use crate::ledger::{Doing, Hurt};
use crate::paint::{contour, mark, outline, state_word};
use crate::perch::Perch;
use crate::theme::Paints;
use crate::tokens::{BORDER_ALERT, BORDER_GROUP, CHIP_HEIGHT, TYPE_CHIP};

/// How much of a node that is down its veil hides: its log can still be read.
const VEIL: f32 = 0.45;
/// Between two chips, px.
const CHIP_GAP: f64 = 6.0;

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
    perch: Perch,
    (doing, groups): (&Doing, &Groups),
    at: u32,
    channels: &mut Channels,
    paints: &Paints,
) {
    let mut chips = chips(doing);
    if doing.hurt != Some(Hurt::Down) {
        chips.extend(offices(&node.id, groups));
    }
    channels.set(Slot::Chip, &node.id, at, chip(node, perch, &chips, paints));
}

/// What a broker coordinates.
fn offices(process: &str, groups: &Groups) -> Vec<Chip> {
    let look = |busy: bool| match busy {
        true => ["warning-soft", "warning-ink", "warning"],
        false => ["surface", "ink", "leader"],
    };
    let of_groups = groups.coordinated(process).into_iter().map(|(name, group)| {
        let (generation, state) = (group.generation, group.state);
        let busy = !matches!(state, GroupState::Stable | GroupState::Empty);
        let word = match state {
            GroupState::PreparingRebalance => "members join",
            GroupState::CompletingRebalance => "leader assigns",
            _ => state.name(),
        };
        Chip::new(&format!("{name} · gen {generation} · {word}"), look(busy))
    });
    let of_transactions = groups.open_transactions(process).into_iter();
    let of_transactions = of_transactions.map(|(id, transaction)| {
        let busy = transaction.state != TransactionState::Ongoing;
        Chip::new(&format!("{id} · {}", transaction.state), look(busy))
    });
    of_groups.chain(of_transactions).collect()
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
    let (fill, line) = match state {
        NodeState::Running => return None,
        NodeState::Warning => (None, paints.stroke("warning", BORDER_ALERT)),
        NodeState::Error => (None, paints.stroke("error", BORDER_ALERT)),
        NodeState::Stopped => {
            let mut line = paints.stroke("stopped", 2.0);
            line.dash = vec![6.0, 5.0];
            (Some(paints.faint("page", VEIL)), line)
        }
    };
    Some(Item {
        class: "shade".into(),
        id: Some(node.id.clone()),
        name: None,
        primitives: outline(node.outline, whole(node), fill, Some(line)),
    })
}

/// A word in a frame on a node's border.
struct Chip {
    text: String,
    fill: &'static str,
    ink: &'static str,
    line: &'static str,
    crowned: bool,
}

impl Chip {
    fn new(text: &str, [fill, ink, line]: [&'static str; 3]) -> Chip {
        Chip { text: text.to_owned(), fill, ink, line, crowned: false }
    }

    /// From its left end to where its text begins.
    fn lead(&self) -> f64 {
        if self.crowned { 24.0 } else { 8.0 }
    }

    fn ink(&self, paints: &Paints) -> Ink {
        Ink::new(FontFace::SemiBold, TYPE_CHIP, paints.solid(self.ink))
    }

    fn width(&self, paints: &Paints) -> f64 {
        self.lead() + self.ink(paints).width(&self.text) + 8.0
    }

    /// Draws it with its left end on `at`.
    fn draw(&self, at: Point, paints: &Paints, primitives: &mut Vec<Primitive>) {
        let top = at.y - CHIP_HEIGHT / 2.0;
        let place = Rect::new(at.x, top, self.width(paints), CHIP_HEIGHT);
        let stroke = Some(paints.stroke(self.line, BORDER_GROUP));
        let fill = Some(paints.solid(self.fill));
        primitives.push(draw::rect(place, CHIP_HEIGHT / 2.0, fill, stroke));
        if self.crowned {
            primitives.push(crown(Point::new(at.x + 15.0, at.y), paints));
        }
        let base = Point::new(at.x + self.lead(), at.y + 3.5);
        primitives.push(self.ink(paints).line(&self.text, base, Anchor::Start));
    }
}

fn chips(doing: &Doing) -> Vec<Chip> {
    let warning = ["warning-soft", "warning-ink", "warning"];
    let mut chips = Vec::new();
    if let Some(epoch) = doing.crowned {
        let chip =
            Chip::new(&format!("active · epoch {epoch}"), ["surface", "ink", "crown"]);
        chips.push(Chip { crowned: true, ..chip });
    }
    match doing.hurt {
        Some(Hurt::Down) => chips.push(Chip::new("down", ["surface", "ink", "stopped"])),
        Some(Hurt::Paused) => chips.push(Chip::new("paused", warning)),
        None => {}
    }
    if doing.cut.is_some() {
        chips.push(Chip::new("cut off", warning));
    }
    if doing.fenced.is_some() && doing.starting.is_some() {
        chips.push(Chip::new("starting", warning));
    } else if doing.fenced.is_some() {
        chips.push(Chip::new("fenced", ["error-soft", "error-ink", "error"]));
    }
    chips
}

/// Chips in rows, each as long as there is room; a chip that is longer than that ends with
/// the room.
fn chip(node: &NodeBox, perch: Perch, chips: &[Chip], paints: &Paints) -> Option<Item> {
    let mut at = perch.at;
    let mut primitives = Vec::new();
    for chip in chips {
        let width = chip.width(paints);
        if at.x > perch.at.x && at.x + width > perch.right {
            at = Point::new(perch.at.x, at.y + perch.next_row);
        }
        let start = at.x.min(perch.right - width);
        chip.draw(Point::new(start, at.y), paints, &mut primitives);
        at.x = start + width + CHIP_GAP;
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

/// What its border encloses: a box has its panel in it.
fn whole(node: &NodeBox) -> Rect {
    if node.outline == Outline::Box { node.rect } else { node.body }
}

/// A red glow around a node.
pub(crate) fn glow(node: &NodeBox, paints: &Paints) -> Item {
    let ring = |by: f64, width: f64, opacity: f32| {
        let mut stroke = paints.stroke("error", width);
        stroke.paint.opacity = opacity;
        contour(node.outline, whole(node), by, stroke)
    };
    Item {
        class: "glow".into(),
        id: Some(node.id.clone()),
        name: None,
        primitives: vec![ring(7.0, 8.0, 0.12), ring(4.0, 6.0, 0.22), ring(1.5, 3.0, 0.9)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Theme;
    use crate::fixture;

    #[test]
    fn chips_that_find_no_room_go_into_the_next_row() {
        let paints = Paints::new(&Theme::default());
        let node = &fixture::scene().nodes[0];
        let chips =
            ["active · epoch 12", "orders-tx · Ongoing", "billing · gen 3 · Stable"];
        let chips = chips.map(|text| Chip::new(text, ["surface", "ink", "leader"]));
        let at = Point::new(100.0, 50.0);
        let room = Perch { at, right: 260.0, next_row: -21.0 };
        let item = chip(node, room, &chips, &paints).unwrap();
        let frames: Vec<Rect> = (item.primitives.iter())
            .filter_map(|it| match it {
                Primitive::Rect { rect, .. } => Some(*rect),
                _ => None,
            })
            .collect();
        assert_eq!(frames.len(), 3);
        for (index, frame) in frames.iter().enumerate() {
            assert!(frame.right() <= room.right, "{frame:?}");
            assert_eq!(frame.center().y, at.y - 21.0 * index as f64);
        }
    }
}
