//! Where the present is on the paper, at any time of the film.

use topomotion_scene::{Item, Layer, Millis, Motion, Point, Sprite, Window};

use super::Act;
use super::film::playing;
use super::pages::Page;

/// How far a straight way may miss a knot, px.
const MISS: f64 = 4.0;

/// The present's way: heights at playing times, neither ever falling.
#[derive(Debug)]
pub(super) struct Playhead {
    /// Playing time, height.
    knots: Vec<(u32, f64)>,
    /// When each page is turned to; the first counts from the chapter's start.
    pub turns: Vec<u32>,
    pages: Vec<Page>,
}

impl Playhead {
    /// The way through a story that plays from `offset` on.
    pub fn new(act: &Act<'_>, offset: u32, pages: &[Page]) -> Playhead {
        let mut knots: Vec<(u32, f64)> = vec![(offset, 0.0)];
        for row in &act.chart.rows {
            let (last, lowest) = knots.last().copied().unwrap_or((offset, 0.0));
            let at = playing(&act.plan, offset, row.moment).max(last);
            let y = row.y.max(lowest);
            if at == last {
                knots.pop();
            }
            knots.push((at, y));
        }
        let mut playhead = Playhead { knots, turns: Vec::new(), pages: pages.to_vec() };
        playhead.turns =
            pages.iter().map(|page| playhead.when(page.top.max(1.0))).collect();
        if let Some(first) = playhead.turns.first_mut() {
            *first = offset;
        }
        playhead
    }

    /// When the present comes to this height: as the first knot at or below it is reached.
    pub fn when(&self, y: f64) -> u32 {
        let place = self.knots.partition_point(|knot| knot.1 < y);
        let knot = self.knots.get(place).or(self.knots.last());
        knot.map_or(0, |knot| knot.0)
    }

    /// `item` on its way, on pages that begin at `top`.
    pub fn sprites(&self, item: &Item, top: f64) -> Vec<Sprite> {
        let mut sprites = Vec::new();
        for (index, page) in self.pages.iter().enumerate() {
            let start = self.turns[index];
            let end = self.turns.get(index + 1).copied().unwrap_or(u32::MAX);
            let on = |knot: &&(u32, f64)| start <= knot.0 && knot.0 < end;
            let mut knots: Vec<(u32, f64)> =
                self.knots.iter().filter(on).copied().collect();
            if end < u32::MAX {
                knots.push((end, page.bottom));
            }
            for pair in straightened(&knots).windows(2) {
                let ((from, y), (to, next)) = (pair[0], pair[1]);
                let at = |y: f64| {
                    Point::new(0.0, y.clamp(page.shown, page.bottom) - page.shown + top)
                };
                sprites.push(Sprite {
                    item: item.clone(),
                    layer: Layer::Packets,
                    windows: vec![Window { start: Millis(from), end: Millis(to) }],
                    motion: Some(Motion { path: vec![at(y), at(next)] }),
                });
            }
        }
        sprites
    }
}

/// The way with fewer knots, missing none of the others by much.
fn straightened(knots: &[(u32, f64)]) -> Vec<(u32, f64)> {
    let mut kept: Vec<(u32, f64)> = knots.first().copied().into_iter().collect();
    let mut from = 0;
    for to in 1..knots.len() {
        let fits = |end: usize| {
            let (a, b) = (knots[from], knots[end]);
            let span = f64::from((b.0 - a.0).max(1));
            knots[from + 1..end].iter().all(|knot| {
                let y = a.1 + (b.1 - a.1) * f64::from(knot.0 - a.0) / span;
                (y - knot.1).abs() <= MISS
            })
        };
        if to + 1 < knots.len() && fits(to + 1) {
            continue;
        }
        kept.push(knots[to]);
        from = to;
    }
    kept
}
