//! A film in the form in which it is wanted.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use topomotion_animate::Scheme;
use topomotion_raster::{Background, Fit, GifOptions, Loops, PngOptions};
use topomotion_scene::{Animation, FontFace, Millis, Primitive};
use topomotion_svg::{EmbeddedFont, ThemeChoice};
use topomotion_text::{covers, family, subset, weight};

use crate::failure::Failure;
use crate::lettering::bundled;
use crate::progress::Progress;
use crate::units::Repeat;

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
pub fn png(film: &Animation, at: Millis, look: &Look) -> Result<Vec<u8>, Failure> {
    let options = PngOptions {
        theme: pixels(look.theme),
        fit: look.fit,
        background: look.background,
    };
    topomotion_raster::png(film, at, &options).map_err(undrawn)
}

/// Moments as pages of a PDF.
pub fn pdf(
    film: &Animation,
    moments: &[Millis],
    look: &Look,
) -> Result<Vec<u8>, Failure> {
    let options = topomotion_pdf::Options {
        theme: match look.theme {
            Scheme::Auto | Scheme::Light => topomotion_pdf::Theme::Light,
            Scheme::Dark => topomotion_pdf::Theme::Dark,
        },
        background: match look.background {
            Background::Opaque => topomotion_pdf::Background::Opaque,
            Background::Transparent => topomotion_pdf::Background::Transparent,
        },
        size: match look.fit {
            Fit::Scale(factor) => topomotion_pdf::Size::Scale(factor),
            Fit::Width(width) | Fit::Within { width, .. } => {
                topomotion_pdf::Size::Width(width.into())
            }
        },
    };
    topomotion_pdf::pdf(film, moments, &options)
        .map_err(|error| Failure::message(error.to_string()))
}

/// The moments that tell a film page by page: the end of each step, when what it did is seen.
pub fn pages(film: &Animation) -> Vec<Millis> {
    let mut moments = Vec::new();
    for chapter in &film.chapters {
        let ends = chapter.steps.iter().skip(1).copied().chain([chapter.end]);
        let steps = chapter.steps.iter().zip(ends);
        moments.extend(
            steps.map(|(start, end)| Millis(end.0.saturating_sub(1).max(start.0))),
        );
    }
    // Steps of no length are one moment.
    moments.dedup();
    if moments.is_empty() {
        moments.push(film.poster);
    }
    moments
}

/// The whole film as GIF.
pub fn gif(
    film: &Animation,
    look: &Look,
    sink: &mut dyn Write,
    progress: &mut Progress,
) -> Result<(), topomotion_raster::Error> {
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
    topomotion_raster::gif(film, &options, sink, &mut |done, all| progress.at(done, all))
}

/// Why there are no pixels, where nothing was written yet.
pub fn undrawn(error: topomotion_raster::Error) -> Failure {
    Failure::message(error.to_string())
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
