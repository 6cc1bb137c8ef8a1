//! Which of the many things that could be said are said, and for how long.
//!
//! What happens at about the same time is said together. What is key is always said, and the
//! film waits for its reader; the rest is said where there is room.

use topomotion_trace::{Time, Tone};

use crate::Pace;
use crate::warp::Warp;
use crate::words::{Line, Weight};

/// Lines closer than this in playing time are said together, ms.
const TOGETHER_MS: u32 = 300;
/// Longest caption that is put together from several lines, characters.
const LONGEST: usize = 150;
/// Longest reading time that a film waits for, ms.
const MOST_MS: u32 = 5200;

/// Something said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Caption {
    /// At which instant.
    pub at: Time,
    /// What.
    pub text: String,
    /// How much it matters.
    pub weight: Weight,
    /// How it is meant.
    pub tone: Tone,
    /// How long it takes to read, ms.
    pub hold: u32,
}

/// Chooses captions; `pacing` is the film as it would be without any.
pub(crate) fn choose(lines: &[Line], pacing: &Warp, pace: &Pace) -> Vec<Caption> {
    let all = together(lines, pacing, pace);
    let mut chosen: Vec<Caption> = Vec::new();
    for weight in [Weight::Author, Weight::Key, Weight::Turn, Weight::Detail] {
        for caption in all.iter().filter(|caption| caption.weight == weight) {
            if has_room(caption, &chosen, pacing) {
                let place = chosen.partition_point(|other| other.at <= caption.at);
                chosen.insert(place, caption.clone());
            }
        }
    }
    chosen
}

/// Reading time of a text, ms.
pub(crate) fn reading_ms(text: &str, pace: &Pace) -> u32 {
    let characters = u32::try_from(text.chars().count()).unwrap_or(u32::MAX);
    let ms = characters.saturating_mul(pace.character_ms);
    ms.max(pace.caption_ms).min(MOST_MS)
}

fn together(lines: &[Line], pacing: &Warp, pace: &Pace) -> Vec<Caption> {
    let mut groups: Vec<Vec<&Line>> = Vec::new();
    for line in lines {
        let at = pacing.enter(line.at);
        let open = groups.last_mut().filter(|group| {
            group.first().is_some_and(|first| at < pacing.enter(first.at) + TOGETHER_MS)
        });
        match open {
            Some(group) => group.push(line),
            None => groups.push(vec![line]),
        }
    }
    groups.iter().filter_map(|group| joined(group, pace)).collect()
}

/// The weightiest lines of a group in one caption, in the order in which they happened.
fn joined(group: &[&Line], pace: &Pace) -> Option<Caption> {
    let mut by_weight: Vec<usize> = (0..group.len()).collect();
    by_weight.sort_by_key(|&index| std::cmp::Reverse(group[index].weight));
    let most = group.get(*by_weight.first()?)?.weight;
    // Bad news are not joined with good ones, and of two that weigh the same they go first.
    let bad = |line: &&&Line| line.weight == most && line.tone == Tone::Error;
    let tone =
        if group.iter().any(|line| bad(&line)) { Tone::Error } else { Tone::Plain };
    by_weight.retain(|&index| group[index].tone == tone);
    let top = group.get(*by_weight.first()?)?;
    let mut kept: Vec<usize> = Vec::new();
    let mut length = 0;
    for &index in &by_weight {
        let line = group[index];
        let fits = length + line.text.chars().count() <= LONGEST;
        let worth = line.weight >= Weight::Turn && line.weight >= lower(top.weight);
        if kept.is_empty() || (fits && worth) {
            length += line.text.chars().count() + 1;
            kept.push(index);
        }
    }
    kept.sort_unstable();
    let texts: Vec<&str> = kept.iter().map(|&index| group[index].text.as_str()).collect();
    let text = texts.join(" ");
    Some(Caption {
        at: top.at,
        weight: top.weight,
        tone,
        hold: reading_ms(&text, pace),
        text,
    })
}

/// The least weight that may be said beside this one: the author is not interrupted.
fn lower(top: Weight) -> Weight {
    match top {
        Weight::Author => Weight::Author,
        Weight::Key | Weight::Turn | Weight::Detail => Weight::Turn,
    }
}

fn has_room(caption: &Caption, chosen: &[Caption], pacing: &Warp) -> bool {
    let share = match caption.weight {
        Weight::Author | Weight::Key => return true,
        Weight::Turn => 2,
        Weight::Detail => 4,
    };
    let at = pacing.enter(caption.at);
    let place = chosen.partition_point(|other| other.at <= caption.at);
    let before = place.checked_sub(1).and_then(|place| chosen.get(place));
    let free_before =
        before.is_none_or(|other| at >= pacing.enter(other.at) + other.hold * share / 4);
    let free_after = chosen
        .get(place)
        .is_none_or(|other| pacing.enter(other.at) >= at + caption.hold * share / 4);
    free_before && free_after
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::warp::{Demand, Moment, Score};

    fn line(at: u64, weight: Weight, text: &str) -> Line {
        Line { at: Time(at), text: text.into(), weight, tone: Tone::Plain }
    }

    fn pacing(steps: u64) -> Warp {
        let instants = (0..=steps).map(|step| Time(step * 1000)).collect();
        let demands = (0..steps).map(|step| Demand {
            from: Moment::Leave(Time(step * 1000)),
            to: Time(step * 1000 + 1000),
            ms: 900,
        });
        Score { instants, demands: demands.collect(), idle_ms: 700, ..Score::default() }
            .warp()
    }

    #[test]
    fn what_happens_together_is_said_together_by_weight() {
        let lines = [
            line(0, Weight::Detail, "Small."),
            line(0, Weight::Turn, "First."),
            line(0, Weight::Key, "Second."),
        ];
        let chosen = choose(&lines, &pacing(3), &Pace::default());
        assert_eq!(chosen.len(), 1);
        assert_eq!(
            (chosen[0].text.as_str(), chosen[0].weight),
            ("First. Second.", Weight::Key)
        );
    }

    #[test]
    fn what_is_key_is_always_said_and_details_only_in_quiet() {
        let long = "A sentence that takes quite some time to be read by anybody.";
        let lines = [
            line(0, Weight::Key, long),
            line(1000, Weight::Detail, long),
            line(2000, Weight::Key, long),
            line(9000, Weight::Detail, long),
        ];
        let chosen = choose(&lines, &pacing(9), &Pace::default());
        let times: Vec<u64> = chosen.iter().map(|caption| caption.at.0).collect();
        assert_eq!(times, [0, 2000, 9000]);
    }
}
