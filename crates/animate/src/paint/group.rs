//! Frames around members.

use topomotion_scene::{Anchor, GroupBox, Item, Paint, Primitive, Stroke};

use super::edge::dash_of;
use crate::draw::{self, Ink};
use crate::theme::{Look, Paints};
use crate::tokens::{BORDER_GROUP, RADIUS_GROUP};

/// The frame and its title.
pub(crate) fn paint(group: &GroupBox, paints: &mut Paints) -> Item {
    let look = look(group, paints);
    let stroke = Stroke {
        paint: look.line,
        width: BORDER_GROUP,
        dash: dash_of(group.style.as_deref(), BORDER_GROUP),
    };
    let mut primitives =
        vec![draw::rect(group.rect, RADIUS_GROUP, Some(look.fill), Some(stroke))];
    primitives.extend(group.lines.iter().map(|line| {
        let ink = Ink::new(line.face, line.size, look.ink);
        let text = ink.line(&line.text, line.at, Anchor::Start);
        with_width(text, line.width)
    }));
    Item {
        class: "group".to_owned(),
        id: Some(group.id.clone()),
        name: Some(match &group.description {
            Some(text) => format!("{}: {text}", group.label),
            None => group.label.clone(),
        }),
        primitives,
    }
}

fn look(group: &GroupBox, paints: &mut Paints) -> Look {
    let own = group.color.as_deref().and_then(|color| paints.written(color));
    if let Some(own) = own {
        return Look { fill: Paint { opacity: 0.4, ..own.fill }, ..own };
    }
    let shade = ["group-0", "group-1", "group-2"][group.depth.min(2)];
    Look {
        fill: paints.solid(shade),
        line: paints.solid("group-line"),
        ink: paints.solid("muted"),
    }
}

/// The text with the width that the layout measured.
pub(crate) fn with_width(mut text: Primitive, measured: f64) -> Primitive {
    if let Primitive::Text { width, .. } = &mut text {
        *width = measured;
    }
    text
}
