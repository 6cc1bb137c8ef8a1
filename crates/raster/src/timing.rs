//! Which moments become frames, and how long each stays.

use topomotion_scene::Millis;

/// One frame's moment and its length in hundredths of a second, GIF's own unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tick {
    pub at: Millis,
    pub centis: u32,
}

/// The frames of `from..to` at `fps` (1 to 50). There is always one; lengths add up to the
/// whole, so that a film in real time does not drift from its captions.
pub(crate) fn ticks(from: Millis, to: Millis, fps: u32) -> Vec<Tick> {
    let total = to.0.saturating_sub(from.0) / 10;
    let start = |k: u64| (k * 100 / u64::from(fps)) as u32;
    let mut starts: Vec<u32> = (0..).map(start).take_while(|&at| at < total).collect();
    // Browsers stretch a frame of 1/100 s to 1/10 s: a last frame that short is left out.
    if starts.len() > 1 && starts.last().is_some_and(|last| total - last < 2) {
        starts.pop();
    }
    if starts.is_empty() {
        return vec![Tick { at: from, centis: total }];
    }
    let ends = starts.iter().skip(1).copied().chain([total]);
    let pairs = starts.iter().zip(ends);
    pairs
        .map(|(&start, end)| Tick {
            at: Millis(from.0 + start * 10),
            centis: end - start,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(to: u32, fps: u32) -> Vec<u32> {
        ticks(Millis(0), Millis(to), fps).iter().map(|tick| tick.centis).collect()
    }

    #[test]
    fn twenty_frames_a_second_are_exact() {
        assert_eq!(lengths(250, 20), [5, 5, 5, 5, 5]);
        let ticks = ticks(Millis(1000), Millis(1100), 20);
        assert_eq!(ticks.iter().map(|tick| tick.at.0).collect::<Vec<_>>(), [1000, 1050]);
    }

    #[test]
    fn thirty_frames_a_second_take_turns_and_never_drift() {
        assert_eq!(lengths(200, 30), [3, 3, 4, 3, 3, 4]);
        assert_eq!(lengths(60_000, 30).iter().sum::<u32>(), 6000);
    }

    #[test]
    fn no_frame_is_shorter_than_browsers_can_show() {
        for fps in 1..=50 {
            for to in 20..400 {
                assert!(lengths(to, fps).iter().all(|&length| length >= 2), "{to} {fps}");
            }
        }
    }

    #[test]
    fn a_still_has_one_frame() {
        assert_eq!(lengths(0, 20), [0]);
        assert_eq!(ticks(Millis(500), Millis(100), 20).len(), 1);
    }
}
