//! `--text` and `--font`: letters as shapes, and characters that no bundled font has.

use std::collections::BTreeSet;

use clap::ValueEnum;
use topomotion_scene::{Anchor, Animation, Item, Paint, PathCommand, Point, Primitive};
use topomotion_studio::{bundled, is_lacking};
use topomotion_text::{SpareFont, outline_with};

use crate::failure::Failure;
use crate::input;
use crate::terminal::Terminal;

/// How many characters a warning names.
const NAMED_MAX: usize = 8;

/// How text stands in an SVG.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Text {
    /// Text, in an embedded font: selectable, searchable, small
    #[default]
    Font,
    /// Shapes: the same in every viewer, also in those that take no embedded font
    Outlines,
}

/// Who draws what no bundled font has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Otherwise {
    /// The fonts of whoever looks at it.
    Reader,
    /// We: a box with the code point.
    Boxes,
}

/// Reads the font of `--font`.
pub fn spare(path: &str) -> Result<SpareFont, Failure> {
    let bytes = input::read_font(path)?;
    SpareFont::new(bytes).map_err(|error| {
        Failure::message(format!("cannot use {path}: {error}")).help(
            "give a .ttf, .otf or .ttc file; fonts of pictures (emoji) have no outlines",
        )
    })
}

/// Names the characters that no font has, once.
pub fn tell(unknown: &BTreeSet<char>, otherwise: Otherwise, terminal: &Terminal) {
    if unknown.is_empty() {
        return;
    }
    let named = unknown.iter().take(NAMED_MAX);
    let named: Vec<String> =
        named.map(|&c| format!("{c} (U+{:04X})", u32::from(c))).collect();
    let more = match unknown.len().saturating_sub(NAMED_MAX) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let named = named.join(", ");
    match otherwise {
        Otherwise::Reader => terminal.warning(
            &format!("no bundled font has {named}{more}: whoever looks at the picture needs one"),
            Some("--font FILE draws them with a font of yours, as shapes"),
        ),
        Otherwise::Boxes => terminal.warning(
            &format!("no bundled font has {named}{more}: a box with the code point stands for each"),
            Some("--font FILE draws them with a font of yours"),
        ),
    }
}

/// The film with its text as shapes: all of it, or only the lines that need the spare font.
pub fn shaped(mut film: Animation, text: Text, spare: Option<&SpareFont>) -> Animation {
    if text == Text::Font && spare.is_none() {
        return film;
    }
    let sprites = film.sprites.iter_mut().map(|sprite| &mut sprite.item);
    for item in film.backdrop.iter_mut().chain(sprites) {
        shape_item(item, text, spare);
    }
    film
}

fn shape_item(item: &mut Item, wanted: Text, spare: Option<&SpareFont>) {
    let mut said = Vec::new();
    for primitive in &mut item.primitives {
        let Primitive::Text { at, anchor, text, face, size, width, paint } = &*primitive
        else {
            continue;
        };
        let needs_spare = text
            .chars()
            .any(|c| is_lacking(*face, c) && spare.is_some_and(|spare| spare.covers(c)));
        if wanted == Text::Outlines || needs_spare {
            let back = match anchor {
                Anchor::Start => 0.0,
                Anchor::Middle => width / 2.0,
                Anchor::End => *width,
            };
            let path = outline_with(bundled(*face), *size, text, spare);
            said.push(text.clone());
            *primitive = shape(&path, Point::new(at.x - back, at.y), *paint);
        }
    }
    // Shapes say nothing to who cannot see them.
    if item.name.is_none() && !said.is_empty() {
        item.name = Some(said.join(" "));
    }
}

fn shape(path: &[topomotion_text::PathCommand], at: Point, paint: Paint) -> Primitive {
    use topomotion_text::PathCommand as C;
    let place = |x: f32, y: f32| Point::new(at.x + f64::from(x), at.y + f64::from(y));
    let commands = path.iter().map(|command| match *command {
        C::Move { x, y } => PathCommand::Move(place(x, y)),
        C::Line { x, y } => PathCommand::Line(place(x, y)),
        C::Quad { cx, cy, x, y } => PathCommand::Quad(place(cx, cy), place(x, y)),
        C::Cubic { c1x, c1y, c2x, c2y, x, y } => {
            PathCommand::Cubic(place(c1x, c1y), place(c2x, c2y), place(x, y))
        }
        C::Close => PathCommand::Close,
    });
    Primitive::Path { commands: commands.collect(), fill: Some(paint), stroke: None }
}

#[cfg(test)]
mod tests {
    use topomotion_scene::FontFace;

    use super::*;

    fn film(text: &str) -> Animation {
        let line = Primitive::Text {
            at: Point::new(10.0, 20.0),
            anchor: Anchor::Start,
            text: text.into(),
            face: FontFace::Regular,
            size: 12.0,
            width: 30.0,
            paint: Paint { swatch: 0, opacity: 1.0 },
        };
        let item = Item { primitives: vec![line], ..Item::default() };
        Animation { backdrop: vec![item], ..Animation::default() }
    }

    #[test]
    fn outlines_replace_text_and_keep_what_it_says() {
        let shaped = shaped(film("Broker 1"), Text::Outlines, None);
        let item = &shaped.backdrop[0];
        assert!(matches!(item.primitives[0], Primitive::Path { .. }));
        assert_eq!(item.name.as_deref(), Some("Broker 1"));
    }

    #[test]
    fn without_a_wish_text_stays_text() {
        assert_eq!(shaped(film("東京"), Text::Font, None), film("東京"));
    }
}
