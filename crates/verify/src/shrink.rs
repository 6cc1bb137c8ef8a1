//! From a storm that breaks an invariant to the smallest that still does.
//!
//! Delta debugging (Zeller, Hildebrandt 2002) over the nemesis's list and over what clients
//! do. Nothing else is touched: the world draws from streams of its own, so that taking a
//! line out leaves the rest of the storm as it was.

use topomotion_sim::{RunFile, Storm};

use crate::examine;

/// What is left.
#[derive(Debug, Clone, PartialEq)]
pub struct Shrunk {
    /// The smallest storm found that still breaks the invariant.
    pub file: RunFile,
    /// How many storms were tried.
    pub runs: usize,
}

/// Shrinks a storm that breaks this invariant, trying so many storms at most.
pub fn shrink(file: &RunFile, invariant: &str, runs_at_most: usize) -> Shrunk {
    let mut search = Search { invariant, runs: 0, runs_at_most, best: file.clone() };
    search.shorten();
    loop {
        let before = search.size();
        search.reduce(|storm| &mut storm.nemesis);
        search.reduce(|storm| &mut storm.operations);
        search.reduce(|storm| &mut storm.left_dead);
        if search.size() == before || search.is_tired() {
            return Shrunk { file: search.best, runs: search.runs };
        }
    }
}

struct Search<'a> {
    invariant: &'a str,
    runs: usize,
    runs_at_most: usize,
    best: RunFile,
}

impl Search<'_> {
    fn is_tired(&self) -> bool {
        self.runs >= self.runs_at_most
    }

    fn size(&self) -> usize {
        let storm = self.best.storm.as_ref();
        storm.map_or(0, |it| it.nemesis.len() + it.operations.len() + it.left_dead.len())
    }

    /// Keeps a changed storm if it still breaks the invariant.
    fn attempt(&mut self, change: impl FnOnce(&mut Storm)) -> bool {
        let mut candidate = self.best.clone();
        let Some(storm) = &mut candidate.storm else { return false };
        change(storm);
        if candidate == self.best || self.is_tired() {
            return false;
        }
        self.runs += 1;
        let judged = examine(&candidate);
        let breaks = judged.violations.iter().any(|it| it.invariant == self.invariant);
        if breaks {
            self.best = candidate;
        }
        breaks
    }

    /// Ends the storm earlier, as long as that is possible.
    fn shorten(&mut self) {
        let until = |search: &Search<'_>| {
            search.best.storm.as_ref().map_or(0, |storm| storm.until_ms)
        };
        let mut step = until(self) / 2;
        while step >= 500 && !self.is_tired() {
            let shorter = until(self).saturating_sub(step);
            let cut = |storm: &mut Storm| {
                storm.until_ms = shorter;
                storm.nemesis.retain(|strike| strike.at_ms < shorter);
                storm.operations.retain(|operation| operation.at_ms < shorter);
            };
            if shorter == 0 || !self.attempt(cut) {
                step /= 2;
            }
        }
    }

    /// Takes as many lines as possible out of one list: first large parts, then small ones.
    fn reduce<T: Clone + PartialEq>(&mut self, list: fn(&mut Storm) -> &mut Vec<T>) {
        let mut part = self.lines(list).div_ceil(2);
        while part > 0 && !self.is_tired() {
            let mut from = 0;
            let mut removed = false;
            while from < self.lines(list) && !self.is_tired() {
                let to = (from + part).min(self.lines(list));
                let without = |storm: &mut Storm| drop(list(storm).drain(from..to));
                if self.attempt(without) {
                    removed = true;
                } else {
                    from = to;
                }
            }
            if !removed || part == 1 {
                part /= 2;
            }
        }
    }

    fn lines<T>(&mut self, list: fn(&mut Storm) -> &mut Vec<T>) -> usize {
        self.best.storm.as_mut().map_or(0, |storm| list(storm).len())
    }
}
