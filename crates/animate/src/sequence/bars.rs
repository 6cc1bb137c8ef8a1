//! Stretches of lifelines: at work, down, standing still.
//!
//! A process is at work on a message from its arrival until it has sent what answers it. A
//! fetch that waits for records in its purgatory is no work.

use std::collections::BTreeMap;

use topomotion_trace::{PacketId, Tone};

use super::chart::{Bar, Chart, Doing, Row, Shape};
use super::columns::Columns;
use super::marks::Sign;
use super::told::{Tale, Told};
use crate::pill::{Form, Kind};
use crate::reading::Fate;
use crate::warp::Moment;

/// Length of a bar that nothing ends, px.
const SHORT: f64 = 12.0;

/// All bars of a chart whose rows are in place.
pub(crate) fn of(tale: &Tale, columns: &Columns, chart: &Chart) -> Vec<Bar> {
    let mut bars = active(tale, columns, chart);
    bars = merged(bars);
    bars.extend(halted(tale, columns, chart));
    bars
}

fn active(tale: &Tale, columns: &Columns, chart: &Chart) -> Vec<Bar> {
    let mut landed: BTreeMap<PacketId, (&Row, usize)> = BTreeMap::new();
    let mut ends: BTreeMap<PacketId, &Row> = BTreeMap::new();
    for row in &chart.rows {
        match row.shape {
            Shape::Tip(index) if tale.messages[index].fate == Fate::Arrived => {
                landed.insert(tale.messages[index].id, (row, index));
            }
            Shape::Pill(index) => {
                let message = &tale.messages[index];
                let asked = message.answers.and_then(|id| landed.get(&id));
                let mine =
                    asked.filter(|(_, asked)| tale.messages[*asked].to == message.from);
                if let (Some(id), Some(_)) = (message.answers, mine) {
                    ends.insert(id, row);
                }
            }
            _ => {}
        }
    }
    let bar = |(id, (row, index)): (&PacketId, &(&Row, usize))| {
        let column = columns.of(&tale.messages[*index].to)?;
        let end = ends.get(id);
        let bottom = end.map_or(row.y + SHORT, |end| end.y.max(row.y + SHORT));
        let to = end.map(|end| end.moment).or(Some(row.moment));
        // What asks for no answer, or is one, is not shown to be worked at.
        let asks = tale.messages[*index].kind == Kind::Plain
            && tale.messages[*index].form == Form::Request;
        (end.is_some() || asks).then_some(Bar {
            column,
            doing: Doing::Active,
            top: row.y,
            bottom,
            from: row.moment,
            to,
        })
    };
    landed.iter().filter_map(bar).collect()
}

/// Bars of one lifeline that touch become one.
fn merged(mut bars: Vec<Bar>) -> Vec<Bar> {
    bars.sort_by(|a, b| {
        (a.column, a.top)
            .partial_cmp(&(b.column, b.top))
            .unwrap_or(std::cmp::Ordering::Equal)
    });
    let mut all: Vec<Bar> = Vec::new();
    for bar in bars {
        match all
            .last_mut()
            .filter(|last| last.column == bar.column && bar.top <= last.bottom + 2.0)
        {
            Some(last) if bar.bottom > last.bottom => {
                last.bottom = bar.bottom;
                last.to = bar.to;
            }
            Some(_) => {}
            None => all.push(bar),
        }
    }
    all
}

/// From a crash to the next start, from a pause to its end.
fn halted(tale: &Tale, columns: &Columns, chart: &Chart) -> Vec<Bar> {
    let mut open: BTreeMap<usize, (Doing, f64, Moment)> = BTreeMap::new();
    let mut bars = Vec::new();
    for row in &chart.rows {
        let ended: Vec<usize> = match &row.shape {
            Shape::Mark { sign, column, .. } => match sign {
                Sign::Crash | Sign::Pause => {
                    let doing =
                        if *sign == Sign::Crash { Doing::Down } else { Doing::Paused };
                    open.entry(*column).or_insert((doing, row.rect.bottom(), row.moment));
                    Vec::new()
                }
                Sign::Recovery => vec![*column],
                Sign::Lead | Sign::Change | Sign::Doubt | Sign::Failure | Sign::Flash => {
                    Vec::new()
                }
            },
            Shape::Across { tone: Tone::Plain, .. } => {
                let paused =
                    open.iter().filter(|(_, (doing, ..))| *doing == Doing::Paused);
                paused.map(|(column, _)| *column).collect()
            }
            _ => Vec::new(),
        };
        for column in ended {
            if let Some((doing, top, from)) = open.remove(&column) {
                let (bottom, to) = (row.rect.y.max(top), Some(row.moment));
                bars.push(Bar { column, doing, top, bottom, from, to });
            }
        }
    }
    let foot = tale.entries.iter().any(|entry| matches!(entry.what, Told::Foot { .. }));
    let feet = chart.rows.iter().filter(|row| matches!(row.shape, Shape::Foot { .. }));
    let end = feet.map(|row| row.rect.y).fold(chart.height, f64::min);
    let end = if foot { end - 4.0 } else { end };
    bars.extend(open.into_iter().map(|(column, (doing, top, from))| Bar {
        column,
        doing,
        top,
        bottom: end.max(top),
        from,
        to: None,
    }));
    bars.retain(|bar| bar.column < columns.lifelines.len());
    bars
}
