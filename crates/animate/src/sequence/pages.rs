//! A tall chart in pages: a film shows one at a time, the one with the current moment.
//!
//! A page ends where nothing is cut in two if that can be had, and where as few messages as
//! possible are under way; best of all before a step or a fold.

use super::chart::{Chart, Row, Shape};

/// How much of the page before is seen again, px.
const AGAIN: f64 = 64.0;

/// A stretch of a chart, from its top to its bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Page {
    /// First height that is seen: a little of the page before, to read on from.
    pub shown: f64,
    /// First height that is new.
    pub top: f64,
    /// First height on the next.
    pub bottom: f64,
}

impl Page {
    /// Whether the row is seen on this page.
    pub fn shows(&self, row: &Row) -> bool {
        self.holds(row) || (self.shown <= row.rect.y && row.y < self.bottom)
    }

    /// Whether the row is new on this page.
    pub fn holds(&self, row: &Row) -> bool {
        self.top <= row.y && row.y < self.bottom
    }
}

/// The whole chart as one page.
pub(crate) fn whole(chart: &Chart) -> Page {
    Page { shown: 0.0, top: 0.0, bottom: chart.height }
}

/// Pages of at most this height.
pub(crate) fn split(chart: &Chart, most: f64) -> Vec<Page> {
    let mut pages = Vec::new();
    let (mut shown, mut top) = (0.0, 0.0);
    while chart.height - shown > most {
        let bottom = cut(chart, top, most - (top - shown));
        pages.push(Page { shown, top, bottom });
        (shown, top) = (again(chart, bottom), bottom);
    }
    pages.push(Page { shown, top, bottom: chart.height });
    pages
}

/// Where the page begins whose first new height is this: a little higher, where no label is
/// cut in two if that can be had.
fn again(chart: &Chart, top: f64) -> f64 {
    let halves = |at: f64| {
        let cut = |row: &&Row| row.rect.y < at && at < row.rect.bottom();
        chart.rows.iter().filter(cut).count()
    };
    let starts = chart.rows.iter().map(|row| row.rect.y - 3.0);
    let near = starts.filter(|at| top - AGAIN <= *at && *at <= top - AGAIN / 3.0);
    near.min_by_key(|at| halves(*at)).unwrap_or(top - AGAIN)
}

/// The best place to end the page that begins at `top`.
fn cut(chart: &Chart, top: f64, most: f64) -> f64 {
    let mut best = (f64::INFINITY, top + most);
    for row in &chart.rows {
        let at = row.rect.y - 3.0;
        if at < top + most * 0.5 || at > top + most {
            continue;
        }
        let halved = chart
            .rows
            .iter()
            .filter(|other| other.rect.y < at && at < other.rect.bottom());
        let under_way = chart.arrows.iter().filter(|arrow| {
            let ends = arrow.path.first().zip(arrow.path.last());
            ends.is_some_and(|(first, last)| first.y < at && at < last.y)
        });
        let bonus = match row.shape {
            Shape::Step { .. } => 30.0,
            Shape::Fold { .. } => 15.0,
            _ => 0.0,
        };
        let cost = halved.count() as f64 * 200.0 + under_way.count() as f64 * 12.0
            - bonus
            + (top + most - at) * 0.1;
        if cost < best.0 {
            best = (cost, at);
        }
    }
    best.1
}
