//! Why a script did not come to its end.

use crate::sandbox::Frame;

/// Why a script did not come to its end, and where.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    pub kind: Kind,
    /// Innermost first; may be empty.
    pub frames: Vec<Frame>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// It threw.
    Thrown {
        /// `TypeError`, or what a thrown value is called.
        name: String,
        message: String,
    },
    /// It threw `null`, or had no memory left to throw anything else.
    ThrewNull,
    /// Its time was up.
    TimedOut,
    /// It used too much memory.
    OutOfMemory,
    /// It waits for something that never happens.
    NeverSettled,
    /// Its time was up inside a built-in that cannot be stopped.
    Stuck,
    /// The machine gave no thread to run it on.
    NoThread,
    /// The engine itself failed.
    Broken,
}

impl Failure {
    pub(crate) fn of(kind: Kind) -> Failure {
        Failure { kind, frames: Vec::new() }
    }
}

/// The frames of a stack text that lie in the script's own files.
///
/// The engine writes `at name (file:line:column)`; our files are called `#0`, `#1`, …. The
/// script itself is wrapped: its first line is the wrapper's second, and the call of the
/// wrapper (`<eval>`) is not the script's.
pub(super) fn frames(stack: &str) -> Vec<Frame> {
    stack
        .lines()
        .filter(|line| !line.contains("at <eval> (#0:"))
        .filter_map(frame)
        .collect()
}

fn frame(line: &str) -> Option<Frame> {
    let place = line.trim().trim_end_matches(')');
    let place = &place[place.rfind('#')? + 1..];
    let mut numbers = place.splitn(3, ':').map(str::parse);
    let (file, line, column): (u32, u32, u32) =
        (numbers.next()?.ok()?, numbers.next()?.ok()?, numbers.next()?.ok()?);
    let line = if file == 0 { line.saturating_sub(1) } else { line };
    Some(Frame { file, line, column })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_of_the_scripts_files_are_read_and_others_left_out() {
        let stack = "    at connect (topomotion:prelude:40:5)\n    at helper (#1:3:7)\n    \
                     at <anonymous> (#0:13:29)\n    at <eval> (#0:1:1)\n    at native (native)\n";
        assert_eq!(
            frames(stack),
            [
                Frame { file: 1, line: 3, column: 7 },
                Frame { file: 0, line: 12, column: 29 }
            ]
        );
    }
}
