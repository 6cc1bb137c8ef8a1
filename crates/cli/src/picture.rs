//! Films in the forms that only the command line makes; the others are the studio's.

use topomotion_animate::Scheme;
use topomotion_raster::{Background, Fit};
use topomotion_scene::{Animation, Millis};

use crate::failure::Failure;

pub use topomotion_studio::picture::{Look, gif, png, svg};

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

/// Why there are no pixels, where nothing was written yet.
pub fn undrawn(error: topomotion_raster::Error) -> Failure {
    Failure::message(error.to_string())
}
