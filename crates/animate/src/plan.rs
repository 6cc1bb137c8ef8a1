//! One story's timing: which instants are shown, how far apart, and what is said.
//!
//! First the film is timed as if nobody spoke; then captions are chosen for it, and it is
//! timed again so that they can be read.

use std::collections::BTreeSet;

use topomotion_trace::{Event, PacketId, StateChange, Time, Tone, What};

use crate::captions::{self, Caption};
use crate::ledger::replica_of;
use crate::panels::{Row, Rows};
use crate::reading::{Flight, Reading};
use crate::stage::Stage;
use crate::warp::{Demand, Moment, Score, Warp};
use crate::words::{self, Line, Weight};
use crate::{Kind, Pace, Story};

/// Longest pause that a scripted flow may ask for, ms.
const SCRIPTED_IDLE_MS: u32 = 6000;
/// How long the picture rests before a fault strikes, ms.
const BEFORE_FAULT_MS: u32 = 300;

/// A story, timed. Playing times count from the end of its title card.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub reading: Reading<'a>,
    pub captions: Vec<Caption>,
    /// What the transcript says: the captions, and what there was no room for.
    pub lines: Vec<Line>,
    pub warp: Warp,
    /// News that are shown as routine because there is too much of it.
    pub demoted: BTreeSet<PacketId>,
}

impl<'a> Plan<'a> {
    /// Times a story in which at most `most` packets are shown one by one.
    pub fn new(
        story: &Story<'a>,
        stage: &Stage,
        rows: &Rows,
        pace: &Pace,
        most: usize,
    ) -> Plan<'a> {
        let reading = Reading::new(story.trace);
        let demoted = demoted(&reading, most);
        let mut score = score(&reading, story.kind, &demoted, rows, pace);
        let mut lines = words::lines(&reading, stage);
        let mut captions = captions::choose(&lines, &score.warp(), pace);
        let silent = silent_steps(&reading, &lines, &captions, stage);
        if !silent.is_empty() {
            lines.extend(silent);
            lines.sort_by_key(|line| line.at);
            captions = captions::choose(&lines, &score.warp(), pace);
        }
        demand_reading(&mut score, &captions);
        let warp = score.warp();
        let lines =
            lines.into_iter().filter(|line| line.weight >= Weight::Turn).collect();
        Plan { reading, captions, lines, warp, demoted }
    }

    /// Whether the flight is shown as one packet.
    pub fn is_news(&self, flight: &Flight<'_>) -> bool {
        flight.is_news() && !self.demoted.contains(&flight.packet.id)
    }
}

/// Steps during which nothing would be said, in their own words: every step has a caption.
fn silent_steps(
    reading: &Reading<'_>,
    lines: &[Line],
    captions: &[Caption],
    stage: &Stage,
) -> Vec<Line> {
    let steps: Vec<(Time, &str, bool)> = reading
        .events
        .iter()
        .filter_map(|event| match &event.what {
            What::Step { text, caption, .. } => {
                Some((event.at, text.as_str(), caption.is_some()))
            }
            _ => None,
        })
        .collect();
    let mut silent = Vec::new();
    for (index, (from, text, is_told)) in steps.iter().enumerate() {
        let to = steps.get(index + 1).map_or(Time(u64::MAX), |(at, ..)| *at);
        let within = |at: Time| *from <= at && at < to;
        // What weighs that much is always said.
        let speaks = |line: &Line| line.weight >= Weight::Key && within(line.at);
        // A step that takes no time is told by what it leads to.
        let is_heard =
            captions.iter().any(|caption| within(caption.at) || caption.at == *from);
        if *is_told || is_heard || lines.iter().any(speaks) {
            continue;
        }
        let text = sentence(&stage.with_names(text));
        silent.push(Line { at: *from, text, weight: Weight::Key, tone: Tone::Plain });
    }
    silent
}

/// A step's words as a sentence.
fn sentence(text: &str) -> String {
    let mut letters = text.trim().chars();
    let first: String =
        letters.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let rest = letters.as_str();
    let stop = if rest.ends_with(['.', '!', '?', ':']) { "" } else { "." };
    format!("{first}{rest}{stop}")
}

/// What is too much: the least telling news, the latest first.
fn demoted(reading: &Reading<'_>, most: usize) -> BTreeSet<PacketId> {
    let mut news: Vec<&Flight<'_>> =
        reading.flights.iter().filter(|flight| flight.is_news()).collect();
    let telling = |flight: &Flight<'_>| {
        flight.packet.error.is_some()
            || flight.packet.records > 0
            || flight.packet.api.is_empty()
    };
    news.sort_by_key(|flight| (!telling(flight), flight.sent));
    news.iter().skip(most).map(|flight| flight.packet.id).collect()
}

fn score(
    reading: &Reading<'_>,
    kind: Kind,
    demoted: &BTreeSet<PacketId>,
    rows: &Rows,
    pace: &Pace,
) -> Score {
    let idle_ms = match kind {
        Kind::Executed => pace.idle_ms,
        Kind::Scripted => SCRIPTED_IDLE_MS,
    };
    let mut score = Score { idle_ms, ..Score::default() };
    score.instants.extend([reading.start, reading.end]);
    score.fixed.insert(reading.start);
    let news =
        |flight: &&Flight<'_>| flight.is_news() && !demoted.contains(&flight.packet.id);
    for flight in reading.flights.iter().filter(news) {
        score.instants.extend([flight.sent, flight.end]);
        let ms = if flight.is_response() { pace.response_ms } else { pace.request_ms };
        score.demands.push(Demand {
            from: Moment::Leave(flight.sent),
            to: flight.end,
            ms,
        });
    }
    let shown = reading.events.iter().filter(|event| is_shown(event, rows));
    score.instants.extend(shown.map(|event| event.at));
    for event in reading.events {
        if matches!(event.what, What::Fault(_)) {
            beat(&mut score, event.at, pace.fault_ms);
        }
    }
    score
}

/// Whether an event changes the picture.
fn is_shown(event: &Event, rows: &Rows) -> bool {
    let has_row = |process: &str, partition: &str| {
        let rows = rows.by_process.get(process).map(Vec::as_slice).unwrap_or_default();
        rows.iter().any(|row| matches!(row, Row::Replica(name) if name == partition))
    };
    match &event.what {
        What::Curtain
        | What::Step { .. }
        | What::Fault(_)
        | What::Say { .. }
        | What::Flash { .. }
        | What::Verdict { .. } => true,
        What::State(change) => match replica_of(change) {
            Some((process, partition)) => has_row(process, partition),
            None => !matches!(change, StateChange::LeaderLearned { .. }),
        },
        What::Sent(_)
        | What::Arrived(_)
        | What::Lost(..)
        | What::Opened { .. }
        | What::Closed { .. }
        | What::Mark { .. }
        | What::Deed { .. } => false,
    }
}

/// A fault is looked at: a pause before it, and a longer one after.
fn beat(score: &mut Score, at: Time, ms: u32) {
    let before = score.instants.range(..at).next_back().copied();
    let after = score.instants.iter().find(|time| **time > at).copied();
    if let Some(before) = before {
        let from = Moment::Enter(before);
        score.demands.push(Demand { from, to: at, ms: BEFORE_FAULT_MS });
    }
    if let Some(to) = after {
        score.demands.push(Demand { from: Moment::Enter(at), to, ms });
    }
    score.fixed.insert(at);
}

fn demand_reading(score: &mut Score, captions: &[Caption]) {
    score.instants.extend(captions.iter().map(|caption| caption.at));
    score.fixed.extend(captions.iter().map(|caption| caption.at));
    for pair in captions.windows(2) {
        let from = Moment::Enter(pair[0].at);
        score.demands.push(Demand { from, to: pair[1].at, ms: pair[0].hold });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::stage::Bands;

    #[test]
    fn a_step_in_which_nothing_happens_speaks_for_itself() {
        let mut script = fixture::Script::default();
        let step = |index, text: &str, caption: Option<&str>| What::Step {
            index,
            text: text.to_owned(),
            caption: caption.map(str::to_owned),
        };
        script.event(0, step(0, "broker-1 rests", None));
        script.event(2_000_000, step(1, "told", Some("The author speaks.")));
        script.event(4_000_000, What::Fault(topomotion_trace::Fault::Heal));
        let trace = script.trace();
        let story = Story {
            id: "s",
            title: "",
            description: "",
            trace: &trace,
            kind: Kind::Executed,
        };
        let stage = Stage::new(&fixture::scene(), Bands::Film);
        let rows = Rows::of(&[story]);
        let plan = Plan::new(&story, &stage, &rows, &Pace::default(), 9);
        let told: Vec<&str> =
            plan.captions.iter().map(|caption| caption.text.as_str()).collect();
        assert_eq!(told[..2], ["Broker 1 rests.", "The author speaks."]);
    }
}
