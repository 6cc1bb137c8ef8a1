//! A film in the form in which it is wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use topomotion_animate::Scheme;
use topomotion_raster::{Background, Error, Fit, GifOptions, Loops, PngOptions};
use topomotion_scene::{Animation, FontFace, Millis, Primitive};
use topomotion_svg::{EmbeddedFont, ThemeChoice};
use topomotion_text::{covers, family, subset, weight};

use crate::letters::bundled;

/// How often a film plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// Again and again.
    Forever,
    /// So many times, at least once.
    Times(u16),
}

/// How a picture is wanted, whatever its form.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    /// Its colours.
    pub theme: Scheme,
    /// Its size in pixels.
    pub fit: Fit,
    /// What lies beneath it.
    pub background: Background,
    /// Frames a second.
    pub fps: u32,
    /// How often it plays.
    pub repeat: Repeat,
    /// First moment shown of a GIF.
    pub from: Option<Millis>,
    /// First moment no longer shown of it.
    pub to: Option<Millis>,
}

impl Look {
    /// A picture of its own size, in these colours, whose film plays for ever.
    pub fn of(theme: Scheme) -> Look {
        Look {
            theme,
            fit: Fit::Scale(1.0),
            background: Background::Opaque,
            fps: 20,
            repeat: Repeat::Forever,
            from: None,
            to: None,
        }
    }
}

/// The whole film as SVG, or what is seen at one moment.
pub fn svg(film: &Animation, at: Option<Millis>, look: &Look) -> String {
    let options = topomotion_svg::Options {
        theme: match look.theme {
            Scheme::Auto => ThemeChoice::Auto,
            Scheme::Light => ThemeChoice::Light,
            Scheme::Dark => ThemeChoice::Dark,
        },
        fonts: fonts(film),
        repeat: match look.repeat {
            Repeat::Forever => topomotion_svg::Repeat::Forever,
            Repeat::Times(times) => topomotion_svg::Repeat::Times(times.into()),
        },
        background: match look.background {
            Background::Opaque => topomotion_svg::Background::Palette,
            Background::Transparent => topomotion_svg::Background::Transparent,
        },
        size: match look.fit {
            Fit::Scale(1.0) => topomotion_svg::Size::Natural,
            Fit::Scale(factor) => topomotion_svg::Size::Scale(factor),
            Fit::Width(width) | Fit::Within { width, .. } => {
                topomotion_svg::Size::Width(width.into())
            }
        },
        ..topomotion_svg::Options::default()
    };
    match at {
        Some(at) => topomotion_svg::render_frame(film, at, &options),
        None => topomotion_svg::render(film, &options),
    }
}

/// One moment as PNG.
pub fn png(film: &Animation, at: Millis, look: &Look) -> Result<Vec<u8>, Error> {
    let options = PngOptions {
        theme: pixels(look.theme),
        fit: look.fit,
        background: look.background,
    };
    topomotion_raster::png(film, at, &options)
}

/// The whole film as GIF; `progress` hears how many frames of how many are drawn.
pub fn gif(
    film: &Animation,
    look: &Look,
    sink: &mut dyn Write,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<(), Error> {
    let options = GifOptions {
        theme: pixels(look.theme),
        fit: look.fit,
        fps: look.fps,
        loops: match look.repeat {
            Repeat::Forever => Loops::Forever,
            Repeat::Times(times) => Loops::Times(times),
        },
        from: look.from.unwrap_or_default(),
        to: look.to,
    };
    topomotion_raster::gif(film, &options, sink, progress)
}

fn pixels(theme: Scheme) -> topomotion_raster::Theme {
    match theme {
        Scheme::Auto | Scheme::Light => topomotion_raster::Theme::Light,
        Scheme::Dark => topomotion_raster::Theme::Dark,
    }
}

/// The bundled fonts, cut down to the characters that the film shows.
fn fonts(film: &Animation) -> Vec<EmbeddedFont> {
    let mut used: BTreeMap<FontFace, BTreeSet<char>> = BTreeMap::new();
    let sprites = film.sprites.iter().map(|sprite| &sprite.item);
    let primitives =
        film.backdrop.iter().chain(sprites).flat_map(|item| &item.primitives);
    for primitive in primitives {
        if let Primitive::Text { text, face, .. } = primitive {
            used.entry(*face).or_default().extend(text.chars());
        }
    }
    let embedded = used.into_iter().map(|(face, characters)| {
        let bundled = bundled(face);
        EmbeddedFont {
            face,
            family: family(bundled).to_owned(),
            weight: weight(bundled),
            data: subset(bundled, &characters),
            lacks: characters.iter().copied().filter(|&c| !covers(bundled, c)).collect(),
        }
    });
    embedded.collect()
}
