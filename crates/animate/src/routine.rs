//! Routine traffic: shown small where there is time, folded where there is none.
//!
//! Heartbeats and empty fetches go on all the time; drawn one by one they would hide the
//! story. What falls into a compressed wait becomes one *breath* for each pair of processes
//! and API: there and back once, with its number. Nothing is left out in silence: what is not
//! drawn is counted, and the transcript says so.

use std::collections::BTreeMap;

use topomotion_scene::{Millis, Window};
use topomotion_trace::Time;

use crate::flights::Sky;
use crate::pill;
use crate::plan::Plan;
use crate::reading::Flight;
use crate::stage::Stage;
use crate::theme::Paints;
use crate::warp::Gap;

/// Least length of a flight that can be followed, ms.
const LEAST_MS: u32 = 350;
/// Most dots and breaths in a story.
const MOST: usize = 120;

/// A note for the transcript.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Note {
    pub at: Time,
    pub text: String,
}

/// Routine of one gap, by pair and API.
type Folded<'p, 'a> = BTreeMap<(&'a str, &'a str, String), Vec<&'p Flight<'a>>>;

/// Lets the routine of a story fly, and says what was folded.
pub(crate) fn fly(
    plan: &Plan<'_>,
    offset: u32,
    stage: &Stage,
    paints: &Paints,
    sky: &mut Sky,
) -> Vec<Note> {
    let gaps: Vec<Gap> = plan.warp.gaps().collect();
    let mut folds: BTreeMap<usize, Folded<'_, '_>> = BTreeMap::new();
    let mut drawn = 0;
    for flight in plan.reading.flights.iter().filter(|flight| !plan.is_news(flight)) {
        let (start, end) = (plan.warp.leave(flight.sent), plan.warp.enter(flight.end));
        if end >= start + LEAST_MS && drawn < MOST {
            let window =
                Window { start: Millis(offset + start), end: Millis(offset + end) };
            sky.fly_routine(flight, window, stage, paints);
            drawn += 1;
            continue;
        }
        let gap = gaps.partition_point(|gap| gap.from <= flight.sent).saturating_sub(1);
        folds.entry(gap).or_default().entry(key(flight)).or_default().push(flight);
    }
    let mut notes = Vec::new();
    for (index, folded) in &folds {
        let gap = gaps.get(*index).copied();
        if let Some(gap) = gap.filter(|gap| gap.end >= gap.start + LEAST_MS) {
            let window = Window {
                start: Millis(offset + gap.start),
                end: Millis(offset + gap.end),
            };
            for ((_, _, api), flights) in folded.iter().take(MOST.saturating_sub(drawn)) {
                let item = pill::breath(api, requests(flights), paints);
                sky.breathe(flights, item, window, stage);
                drawn += 1;
            }
        }
        let at = gap.map_or(plan.reading.start, |gap| gap.from);
        notes.push(Note { at, text: told(folded) });
    }
    summed(notes, &folds, &gaps)
}

fn key<'a>(flight: &Flight<'a>) -> (&'a str, &'a str, String) {
    let (a, b) = (&*flight.packet.from, &*flight.packet.to);
    let (a, b) = if a < b { (a, b) } else { (b, a) };
    (a, b, pill::label(flight))
}

/// Requests among the flights; answers are not counted a second time.
fn requests(flights: &[&Flight<'_>]) -> usize {
    let count = flights.iter().filter(|flight| !flight.is_response()).count();
    count.max(1)
}

fn told(folded: &Folded<'_, '_>) -> String {
    let mut by_api: BTreeMap<&str, usize> = BTreeMap::new();
    for ((_, _, api), flights) in folded {
        *by_api.entry(api).or_default() += flights.len();
    }
    let parts: Vec<String> =
        by_api.iter().map(|(api, count)| format!("{api} ×{count}")).collect();
    format!("Routine, not shown one by one: {}.", parts.join(", "))
}

/// Notes of gaps that last; all others in one note at the end.
fn summed(
    notes: Vec<Note>,
    folds: &BTreeMap<usize, Folded<'_, '_>>,
    gaps: &[Gap],
) -> Vec<Note> {
    let is_long = |index: &usize| {
        gaps.get(*index).is_some_and(|gap| gap.to.0 - gap.from.0 >= 500_000)
    };
    let mut kept = Vec::new();
    let mut rest: Folded<'_, '_> = BTreeMap::new();
    for (note, (index, folded)) in notes.into_iter().zip(folds) {
        if is_long(index) {
            kept.push(note);
            continue;
        }
        for (key, flights) in folded {
            rest.entry(key.clone()).or_default().extend(flights.iter().copied());
        }
    }
    if !rest.is_empty() {
        let at = gaps.last().map_or(Time(0), |gap| gap.to);
        kept.push(Note { at, text: told(&rest) });
    }
    kept
}
