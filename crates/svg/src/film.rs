//! Sprites as elements that appear, travel and go.
//!
//! What is not part of the poster frame stands inside a hidden group, so that a reader without
//! CSS sees the poster. What is drawn more than once is defined once.

use std::collections::BTreeMap;

use topomotion_scene::{Animation, Layer, Millis, Sprite, Window};

use crate::keyframes::{Keyframes, Part};
use crate::options::{Options, Repeat};
use crate::pen::{Pen, way};
use crate::text::{DIGEST, shown, slug};

/// Shortest content that is worth a definition of its own, bytes.
const WORTH: usize = 60;

/// The sprites of a film.
#[derive(Debug)]
pub(crate) struct Film {
    /// Definitions.
    pub defs: String,
    /// Elements, in drawing order.
    pub body: String,
    /// Style rules.
    pub rules: String,
}

/// One appearance of a sprite.
struct Element {
    open: String,
    content: String,
    /// Whether it is part of the picture when nothing moves and no style is known.
    rests: bool,
}

/// Writes all sprites.
pub(crate) fn write(animation: &Animation, options: &Options, pen: &mut Pen<'_>) -> Film {
    let mut keyframes = Keyframes::new(animation.duration, options.repeat);
    let mut elements = Vec::new();
    for layer in [Layer::Edges, Layer::Nodes, Layer::Packets, Layer::Words] {
        for sprite in animation.sprites.iter().filter(|sprite| sprite.layer == layer) {
            let content = pen.content(&sprite.item);
            let parts = parts(sprite, animation.poster, options.repeat, &mut keyframes);
            elements.extend(parts.into_iter().map(|(part, rests)| Element {
                open: open(sprite, &part),
                content: content.clone(),
                rests,
            }));
        }
    }
    let (defs, body) = lay_out(&elements);
    Film { defs, body, rules: keyframes.rules() }
}

/// The appearances of a sprite, and whether each is part of the poster.
fn parts(
    sprite: &Sprite,
    poster: Millis,
    repeat: Repeat,
    keyframes: &mut Keyframes,
) -> Vec<(Part, bool)> {
    let rests =
        sprite.windows.is_empty() || sprite.windows.iter().any(|w| w.holds(poster));
    let Some(motion) = &sprite.motion else {
        let part = match (sprite.windows.as_slice(), repeat) {
            ([], _) => Part::default(),
            // In a counted loop what rests must be hidden until its time, which a delay would not.
            ([_], Repeat::Times(_)) if rests => keyframes.windows(&sprite.windows),
            ([window], _) => keyframes.window(*window),
            (windows, _) => keyframes.windows(windows),
        };
        return vec![(part, rests)];
    };
    let travel = |window: &Window| {
        let mut part = keyframes.travel(*window, way(&motion.path));
        if window.holds(poster) {
            let span = f64::from((window.end.0 - window.start.0).max(1));
            let share = f64::from(poster.0 - window.start.0) * 100.0 / span;
            part.classes.push_str(&format!(" p-{DIGEST}"));
            let gap = if part.style.is_empty() { "" } else { ";" };
            part.style.push_str(&format!("{gap}--d:{}%", shown(share)));
        }
        (part, false)
    };
    sprite.windows.iter().map(travel).collect()
}

/// The opening tag without its bracket and its name.
fn open(sprite: &Sprite, part: &Part) -> String {
    let mut out = format!(" class=\"tm-{}", slug(&sprite.item.class));
    if !part.classes.is_empty() {
        out.push(' ');
        out.push_str(&part.classes);
    }
    out.push('"');
    if !part.style.is_empty() {
        out.push_str(&format!(" style=\"{}\"", part.style));
    }
    out.push_str(&Pen::meaning(&sprite.item));
    out
}

/// The definitions and the elements, those that do not rest in hidden groups.
fn lay_out(elements: &[Element]) -> (String, String) {
    let mut uses: BTreeMap<&str, usize> = BTreeMap::new();
    for element in elements {
        *uses.entry(&element.content).or_default() += 1;
    }
    let mut defined: BTreeMap<&str, usize> = BTreeMap::new();
    let (mut defs, mut body) = (String::new(), String::new());
    let mut hidden = false;
    for element in elements {
        if element.rests == hidden {
            body.push_str(if hidden { "</g>" } else { "<g visibility=\"hidden\">" });
            hidden = !hidden;
        }
        let content = element.content.as_str();
        let often = uses.get(content).is_some_and(|&count| count > 1);
        if !often || content.len() < WORTH {
            body.push_str(&format!("<g{}>{content}</g>", element.open));
            continue;
        }
        let next = defined.len();
        let place = *defined.entry(content).or_insert_with(|| {
            defs.push_str(&format!("<g id=\"i{next}-{DIGEST}\">{content}</g>"));
            next
        });
        body.push_str(&format!("<use href=\"#i{place}-{DIGEST}\"{}/>", element.open));
    }
    if hidden {
        body.push_str("</g>");
    }
    (defs, body)
}
