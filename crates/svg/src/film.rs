//! Sprites as elements that appear, travel and go.
//!
//! What is not part of the poster frame stands inside a group that is not displayed, so that a
//! reader without CSS sees the poster; who can animate is told to display it. What is drawn
//! more than once is defined once.

use std::collections::BTreeMap;

use topomotion_scene::{Animation, Layer, Millis, Sprite, Window};

use crate::keyframes::{Keyframes, Part};
use crate::options::{Options, Repeat};
use crate::pen::{Pen, way};
use crate::text::{DIGEST, shown};

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

/// One element of the film.
struct Element {
    open: String,
    title: String,
    content: String,
    /// Whether it is part of the picture when nothing moves and no style is known.
    rests: bool,
}

/// Something that travels, and all the times it does.
struct Journey<'a> {
    sprite: &'a Sprite,
    content: String,
    windows: Vec<Window>,
}

/// Writes all sprites.
pub(crate) fn write(animation: &Animation, options: &Options, pen: &mut Pen<'_>) -> Film {
    let mut keyframes = Keyframes::new(animation.duration, options.repeat);
    let mut elements = Vec::new();
    for layer in [Layer::Edges, Layer::Nodes, Layer::Packets, Layer::Words] {
        let sprites = animation.sprites.iter().filter(|sprite| sprite.layer == layer);
        for journey in journeys(sprites, pen) {
            let Journey { sprite, content, windows, .. } = journey;
            let (part, rests) = match &sprite.motion {
                Some(motion) => {
                    let path = way(&motion.path);
                    (travel(&windows, path, animation.poster, &mut keyframes), false)
                }
                None => stay(sprite, animation.poster, options.repeat, &mut keyframes),
            };
            let title = Pen::title(&sprite.item);
            elements.push(Element { open: open(sprite, &part), title, content, rests });
        }
    }
    let (defs, body) = lay_out(&elements);
    Film { defs, body, rules: keyframes.rules() }
}

/// The sprites of a layer in order. What travels the same way and looks alike is one, at all its
/// times that do not overlap: a browser pays for every element in every frame.
fn journeys<'a>(
    sprites: impl Iterator<Item = &'a Sprite>,
    pen: &mut Pen<'_>,
) -> Vec<Journey<'a>> {
    let mut all: Vec<Journey<'_>> = Vec::new();
    let mut alike: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for sprite in sprites {
        let content = pen.content(&sprite.item);
        let Some(motion) = &sprite.motion else {
            let windows = sprite.windows.clone();
            all.push(Journey { sprite, content, windows });
            continue;
        };
        let (classes, title) = (Pen::classes(&sprite.item), Pen::title(&sprite.item));
        let (meaning, path) = (Pen::meaning(&sprite.item), way(&motion.path));
        let key = [classes, meaning, title, path, content.clone()].join("\n");
        for &window in &sprite.windows {
            let same = alike.entry(key.clone()).or_default();
            let is_over = |&&at: &&usize| {
                all[at].windows.last().is_some_and(|last| last.end <= window.start)
            };
            if let Some(&at) = same.iter().find(is_over) {
                all[at].windows.push(window);
                continue;
            }
            same.push(all.len());
            let content = content.clone();
            all.push(Journey { sprite, content, windows: vec![window] });
        }
    }
    all
}

/// What stays where it is, and whether it is part of the poster.
fn stay(
    sprite: &Sprite,
    poster: Millis,
    repeat: Repeat,
    keyframes: &mut Keyframes,
) -> (Part, bool) {
    let rests =
        sprite.windows.is_empty() || sprite.windows.iter().any(|w| w.holds(poster));
    let part = match (sprite.windows.as_slice(), repeat) {
        ([], _) => Part::default(),
        // In a counted loop what rests must be hidden until its time, which a delay would not.
        ([_], Repeat::Times(_)) if rests => keyframes.windows(&sprite.windows),
        ([window], _) => keyframes.window(*window),
        (windows, _) => keyframes.windows(windows),
    };
    (part, rests)
}

fn travel(
    windows: &[Window],
    path: String,
    poster: Millis,
    keyframes: &mut Keyframes,
) -> Part {
    let mut part = keyframes.travel(windows, path);
    if let Some(window) = windows.iter().find(|window| window.holds(poster)) {
        let span = f64::from((window.end.0 - window.start.0).max(1));
        let share = f64::from(poster.0 - window.start.0) * 100.0 / span;
        part.classes.push_str(&format!(" p-{DIGEST}"));
        let gap = if part.style.is_empty() { "" } else { ";" };
        part.style.push_str(&format!("{gap}--d:{}%", shown(share)));
    }
    part
}

/// The opening tag without its bracket and its name.
fn open(sprite: &Sprite, part: &Part) -> String {
    let mut out = format!(" class=\"{}", Pen::classes(&sprite.item));
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
            let open = format!(
                "<g display=\"none\" visibility=\"hidden\" class=\"h-{DIGEST}\">"
            );
            body.push_str(if hidden { "</g>" } else { &open });
            hidden = !hidden;
        }
        let content = element.content.as_str();
        let often = uses.get(content).is_some_and(|&count| count > 1);
        if !often || content.len() < WORTH {
            body.push_str(&format!("<g{}>{}{content}</g>", element.open, element.title));
            continue;
        }
        let next = defined.len();
        let place = *defined.entry(content).or_insert_with(|| {
            defs.push_str(&format!("<g id=\"i{next}-{DIGEST}\">{content}</g>"));
            next
        });
        body.push_str(&format!("<use href=\"#i{place}-{DIGEST}\"{}", element.open));
        match element.title.as_str() {
            "" => body.push_str("/>"),
            title => body.push_str(&format!(">{title}</use>")),
        }
    }
    if hidden {
        body.push_str("</g>");
    }
    (defs, body)
}
