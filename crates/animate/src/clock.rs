//! Engine time on the picture.
//!
//! The clock shows the true time at which what is seen happened. It changes at instants, not
//! continuously; through a wait that is compressed it runs visibly, with a mark that says how
//! much was skipped.

use topomotion_trace::Time;

use crate::bands;
use crate::channel::{Channels, Slot};
use crate::plan::Plan;
use crate::stage::Stage;
use crate::theme::Paints;

/// Least time between two changes of the clock, ms.
const LEAST_MS: u32 = 200;
/// Shortest wait that is marked as compressed, µs of engine time.
const LEAP_MICROS: u64 = 500_000;
/// How long the mark is seen at least, ms.
const LEAP_MS: u32 = 1200;

/// Shows the clock of a story from `offset` to `end`.
pub(crate) fn show(
    plan: &Plan<'_>,
    offset: u32,
    end: u32,
    stage: &Stage,
    paints: &Paints,
    channels: &mut Channels,
) {
    let start = plan.reading.start;
    let mut turns: Vec<(u32, Time)> =
        plan.warp.knots().map(|(time, at)| (at, time)).collect();
    for gap in plan.warp.gaps().filter(|gap| gap.to.0 - gap.from.0 >= LEAP_MICROS) {
        let span = gap.end - gap.start;
        let ticks = span / LEAST_MS;
        for tick in 1..ticks {
            let part = (gap.to.0 - gap.from.0) / u64::from(ticks) * u64::from(tick);
            turns.push((gap.start + span / ticks * tick, Time(gap.from.0 + part)));
        }
        if u64::from(span) * 1000 < gap.to.0 - gap.from.0 {
            let text = format!("{} s", tenths(gap.to.0 - gap.from.0));
            let seen = (
                offset + gap.start,
                (offset + gap.end).max(offset + gap.start + LEAP_MS),
            );
            let item = bands::leap(&text, stage, paints);
            channels.flash(Slot::Leap, "leap", (seen.0, seen.1.min(end)), item);
        }
    }
    turns.sort_unstable();
    for (at, time) in paced(&turns, end - offset) {
        let text = told(Time(time.0.saturating_sub(start.0)));
        let face = bands::clock(&text, stage, paints);
        channels.set(Slot::Clock, "clock", offset + at, Some(face));
    }
}

/// The turns with room between them, the first at the very beginning: of those that are too
/// close the last is shown, a little late, for else the clock would stand behind what is seen.
fn paced(turns: &[(u32, Time)], end: u32) -> Vec<(u32, Time)> {
    let mut paced: Vec<(u32, Time)> = Vec::new();
    let mut late = None;
    for &(at, time) in turns {
        let at = at / 50 * 50;
        let Some(&(last, _)) = paced.last() else {
            paced.push((0, time));
            continue;
        };
        let due = last + LEAST_MS;
        if let Some(time) = late.take_if(|_| due < at) {
            paced.push((due, time));
        }
        match paced.last() {
            Some((last, _)) if at < last + LEAST_MS => late = Some(time),
            _ => {
                late = None;
                paced.push((at, time));
            }
        }
    }
    let due = paced.last().map_or(0, |(last, _)| last + LEAST_MS);
    paced.extend(late.filter(|_| due < end).map(|time| (due, time)));
    paced
}

/// A time as the clock shows it.
pub(crate) fn told(time: Time) -> String {
    match time.0 {
        0..1_000_000 => format!("{}.{} ms", time.0 / 1000, time.0 % 1000 / 100),
        micros => format!("{}.{:03} s", micros / 1_000_000, micros / 1000 % 1000),
    }
}

fn tenths(micros: u64) -> String {
    let tenths = (micros + 50_000) / 100_000;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_turn_that_comes_too_soon_is_shown_a_little_late() {
        let turns = |at: &[u32]| -> Vec<(u32, Time)> {
            at.iter().map(|&at| (at, Time(u64::from(at)))).collect()
        };
        let seen = |at: &[u32]| {
            let seen = paced(&turns(at), 2_000).into_iter();
            seen.map(|(at, time)| (at, time.0)).collect::<Vec<_>>()
        };
        assert_eq!(seen(&[0, 50, 100, 900]), [(0, 0), (200, 100), (900, 900)]);
        assert_eq!(
            seen(&[0, 150, 200]),
            [(0, 0), (200, 200)],
            "the later one is in time"
        );
        assert_eq!(seen(&[0, 150, 250]), [(0, 0), (200, 150), (400, 250)]);
        assert_eq!(
            seen(&[0, 1_950, 1_970]),
            [(0, 0), (1_950, 1_950)],
            "the film is over"
        );
    }

    #[test]
    fn short_times_are_told_in_milliseconds_and_long_ones_in_seconds() {
        assert_eq!(told(Time(2_150)), "2.1 ms");
        assert_eq!(told(Time(9_004_200)), "9.004 s");
        assert_eq!(tenths(8_960_000), "9.0");
    }
}
