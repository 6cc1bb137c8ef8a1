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
pub(crate) fn counts(
    film: &Animation,
    ticks: &[Tick],
    canvas: &mut Canvas<'_>,
) -> Counts {
    let mut counts = Counts::new();
    let stride = canvas.width() as usize;
    let whole = Area::whole(canvas.width(), canvas.height());
    for (number, at) in telling_moments(film, ticks).into_iter().enumerate() {
        canvas.show(at);
        let areas = if number == 0 { &[whole][..] } else { canvas.changed() };
        for area in areas {
            count(canvas.pixels(), stride, *area, &mut counts);
        }
    }
    counts
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

/// Moments that together show as many of the film's sprites as possible: each shows the
/// most that the ones before it did not.
fn telling_moments(film: &Animation, ticks: &[Tick]) -> Vec<Millis> {
    let step = ticks.len().div_ceil(CANDIDATES_MAX).max(1);
    let mut open: Vec<(Millis, BTreeSet<usize>)> = ticks
        .iter()
        .step_by(step)
        .map(|tick| {
            let items = film.sample(tick.at).items;
            (tick.at, items.iter().map(|placed| address(placed.item)).collect())
        })
        .collect();
    let mut moments = Vec::new();
    while moments.len() < SAMPLES_MAX {
        // The earliest of equals, so that addresses decide nothing.
        let best = (0..open.len()).rev().max_by_key(|&index| open[index].1.len());
        let Some((at, seen)) = best.map(|index| open.swap_remove(index)) else { break };
        if seen.is_empty() && !moments.is_empty() {
            break;
        }
        moments.push(at);
        for (_, items) in &mut open {
            items.retain(|item| !seen.contains(item));
        }
        open.sort_by_key(|(at, _)| *at);
    }
    moments
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
