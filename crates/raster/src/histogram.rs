//! Which colours a film shows, from a few of its frames.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_scene::{Animation, Item, Millis, Paint, Primitive};

use crate::Theme;
use crate::area::Area;
use crate::canvas::Canvas;
use crate::palette::{Color, Counts};
use crate::stamp::address;
use crate::timing::Tick;

/// Moments that are looked at.
const CANDIDATES_MAX: usize = 64;
/// Moments that are drawn.
const SAMPLES_MAX: usize = 10;

/// The colours of a film's frames and how often they occur. Leaves the canvas at any moment.
///
/// Looked at are the moments that show most of what those before them did not, and then
/// those that are farthest from all of them: what is translucent mixes with whatever it
/// comes to lie on.
pub(crate) fn counts(
    film: &Animation,
    ticks: &[Tick],
    canvas: &mut Canvas<'_>,
) -> Counts {
    let mut counts = Counts::new();
    let stride = canvas.width() as usize;
    let whole = [Area::whole(canvas.width(), canvas.height())];
    let mut open = candidates(film, ticks);
    for number in 0..SAMPLES_MAX {
        // The earliest of equals, so that addresses decide nothing.
        let telling = |index: &usize| {
            let Candidate { at, unseen, far } = &open[*index];
            (unseen.len(), *far, std::cmp::Reverse(*at))
        };
        let Some(best) = (0..open.len()).max_by_key(telling) else { break };
        let at = open.swap_remove(best).at;
        canvas.show(at);
        let areas = if number == 0 { &whole[..] } else { canvas.changed() };
        for area in areas {
            count(canvas.pixels(), stride, *area, &mut counts);
        }
        let seen = canvas.in_view();
        for other in &mut open {
            other.unseen.retain(|item| !seen.contains(item));
            other.far = other.far.min(other.at.0.abs_diff(at.0));
        }
    }
    counts
}

/// A moment that may be looked at.
struct Candidate {
    at: Millis,
    /// What it has of the items that were in nobody's view yet.
    unseen: BTreeSet<usize>,
    /// How far it is from the nearest moment looked at, ms.
    far: u32,
}

fn candidates(film: &Animation, ticks: &[Tick]) -> Vec<Candidate> {
    let step = ticks.len().div_ceil(CANDIDATES_MAX).max(1);
    let of = |tick: &Tick| {
        let items = film.sample(tick.at).items;
        let unseen = items.iter().map(|placed| address(placed.item)).collect();
        Candidate { at: tick.at, unseen, far: u32::MAX }
    };
    ticks.iter().step_by(step).map(of).collect()
}

/// Runs of one colour are looked up once.
fn count(pixels: &[u8], stride: usize, area: Area, counts: &mut Counts) {
    for row in area.rows(stride) {
        let mut row = pixels[row.start * 4..row.end * 4].chunks_exact(4).peekable();
        while let Some(pixel) = row.next() {
            let mut run = 1;
            while row.next_if(|next| *next == pixel).is_some() {
                run += 1;
            }
            *counts.entry([pixel[0], pixel[1], pixel[2]]).or_default() += run;
        }
    }
}

/// The colours that fill or line anything at full opacity, most used first.
pub(crate) fn flat_colors(film: &Animation, theme: Theme) -> Vec<Color> {
    let mut uses: BTreeMap<u16, usize> = BTreeMap::from([(0, usize::MAX / 2)]);
    let sprites = film.sprites.iter().map(|sprite| &sprite.item);
    for item in film.backdrop.iter().chain(sprites) {
        for paint in paints(item).filter(|paint| paint.opacity >= 1.0) {
            *uses.entry(paint.swatch).or_default() += 1;
        }
    }
    let mut uses: Vec<(u16, usize)> = uses.into_iter().collect();
    uses.sort_by_key(|&(swatch, count)| (std::cmp::Reverse(count), swatch));
    let swatches = uses
        .iter()
        .filter_map(|&(swatch, _)| film.palette.swatches.get(usize::from(swatch)));
    let colors = swatches.map(|swatch| match theme {
        Theme::Light => swatch.light,
        Theme::Dark => swatch.dark,
    });
    colors.map(|rgb| [rgb.0, rgb.1, rgb.2]).collect()
}

fn paints(item: &Item) -> impl Iterator<Item = Paint> {
    item.primitives.iter().flat_map(|primitive| match primitive {
        Primitive::Rect { fill, stroke, .. }
        | Primitive::Circle { fill, stroke, .. }
        | Primitive::Path { fill, stroke, .. } => {
            [*fill, stroke.as_ref().map(|stroke| stroke.paint)].into_iter().flatten()
        }
        Primitive::Text { paint, .. } => [Some(*paint), None].into_iter().flatten(),
    })
}
