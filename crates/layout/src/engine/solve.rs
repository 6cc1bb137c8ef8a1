//! Pass 10, solve: coordinates along one axis that satisfy all gaps.
//!
//! Everything as far to the left as can be is one solution, everything as far to the right as
//! can be in the same width is another; their mean satisfies the gaps, too (they are linear),
//! and stands in the middle of its room. In each of them nodes are kept from growing and
//! groups from being wider than their members need.
//!
//! Precondition: gaps go up the ranks.
//! Postcondition: every gap holds.

use crate::engine::space::{Gap, Rigid, Space};

/// Rounds in which nodes are pulled together. A node whose segments are held apart by
/// something else cannot be; after so many rounds it grows.
const PULLS: usize = 24;
/// Arithmetic noise.
const NOISE: f64 = 1e-7;

/// Gaps by variable, both ways.
#[derive(Debug, Clone)]
pub struct System<'a> {
    space: &'a Space,
    /// Variables from small to large rank.
    order: Vec<usize>,
    /// Gaps that begin at each variable.
    after: Vec<Vec<(usize, f64)>>,
    /// Gaps that end at each variable.
    before: Vec<Vec<(usize, f64)>>,
    /// Variables that follow what comes after them, and what comes before them.
    follows: [Vec<bool>; 2],
}

/// Whether groups' borders follow their members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Groups {
    Follow,
    Stay,
}

impl<'a> System<'a> {
    /// Sorts the gaps of a space.
    pub fn new(space: &'a Space) -> System<'a> {
        let count = space.order.len();
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by(|&a, &b| space.order[a].total_cmp(&space.order[b]).then(a.cmp(&b)));
        let mut after = vec![Vec::new(); count];
        let mut before = vec![Vec::new(); count];
        for &Gap { from, to, by } in &space.gaps {
            after[from].push((to, by));
            before[to].push((from, by));
        }
        let flags = |vars: &mut dyn Iterator<Item = &usize>| {
            let mut flags = vec![false; count];
            vars.for_each(|&var| flags[var] = true);
            flags
        };
        let follows = [
            flags(&mut space.lower.iter().chain(&space.titles)),
            flags(&mut space.upper.iter()),
        ];
        System { space, order, after, before, follows }
    }

    /// Everything in the middle of its room: first groups, filled up to their neighbours;
    /// then, with groups where they are, what stands in them.
    pub fn middle(&self) -> Vec<f64> {
        let count = self.order.len();
        let left = self.leftmost(&vec![0.0; count], Groups::Follow);
        let width = left.iter().copied().fold(0.0, f64::max);
        let right = self.rightmost(&vec![width; count], Groups::Follow);
        let mut mean = average(left, &right);
        if !self.space.fills.is_empty() {
            self.fill(&mut mean);
            let (mut low, mut high) = (vec![0.0; count], vec![width; count]);
            for &var in self.space.lower.iter().chain(&self.space.upper) {
                (low[var], high[var]) = (mean[var], mean[var]);
            }
            let left = self.leftmost(&low, Groups::Stay);
            mean = average(left, &self.rightmost(&high, Groups::Stay));
        }
        self.settle_titles(&mut mean);
        mean
    }

    /// Groups that share a justified row meet half-way.
    fn fill(&self, at: &mut [f64]) {
        for &(hi, lo) in &self.space.fills {
            if let Some(highest) = self.highest(hi, at) {
                at[hi] += (highest - at[hi]).max(0.0) / 2.0;
            }
            if let Some(lowest) = self.lowest(lo, at) {
                at[lo] = at[lo].min(lowest);
            }
            if let Some(highest) = self.highest(hi, at) {
                at[hi] = at[hi].max(highest);
            }
        }
    }

    /// Everything where it is wanted, or as little to the right of it as must be.
    pub fn pushed(&self, wanted: &[f64]) -> Vec<f64> {
        let mut at = self.leftmost(wanted, Groups::Follow);
        self.settle_titles(&mut at);
        at
    }

    /// The smallest solution above the given bounds, with nodes pulled together.
    fn leftmost(&self, wanted: &[f64], groups: Groups) -> Vec<f64> {
        let pull = |at: &[f64], bounds: &mut [f64], rigid: &Rigid| {
            let low = at[rigid.hi] - rigid.size;
            let pulls = low > at[rigid.lo] + NOISE;
            if pulls {
                bounds[rigid.lo] = low;
            }
            pulls
        };
        let mut at = self.pulled(wanted, |bounds| self.push_up(bounds), pull);
        // Lower borders of groups follow their members; nothing depends on them from below.
        if groups == Groups::Follow {
            self.follow_up(&mut at);
        }
        at
    }

    /// The largest solution below the given bounds, with nodes pulled together.
    fn rightmost(&self, wanted: &[f64], groups: Groups) -> Vec<f64> {
        let pull = |at: &[f64], bounds: &mut [f64], rigid: &Rigid| {
            let high = at[rigid.lo] + rigid.size;
            let pulls = high < at[rigid.hi] - NOISE;
            if pulls {
                bounds[rigid.hi] = high;
            }
            pulls
        };
        let mut at = self.pulled(wanted, |bounds| self.push_down(bounds), pull);
        if groups == Groups::Follow {
            self.follow_down(&mut at);
        }
        at
    }

    /// Pushes, pulls nodes together and pushes again until nothing moves. Nodes that would be
    /// pulled for ever may grow: their borders are left where they must be.
    fn pulled(
        &self,
        wanted: &[f64],
        push: impl Fn(&[f64]) -> Vec<f64>,
        pull: impl Fn(&[f64], &mut [f64], &Rigid) -> bool,
    ) -> Vec<f64> {
        let mut stiff: Vec<&Rigid> = self.space.rigid.iter().collect();
        loop {
            let mut bounds = wanted.to_vec();
            let mut at = push(&bounds);
            let mut moving: Vec<bool> = vec![true];
            for _ in 0..PULLS {
                moving =
                    stiff.iter().map(|rigid| pull(&at, &mut bounds, rigid)).collect();
                if !moving.contains(&true) {
                    return at;
                }
                at = push(&bounds);
            }
            // Fewer nodes are stiff in each round, so the rounds come to an end.
            let mut moved = moving.into_iter();
            stiff.retain(|_| !moved.next().unwrap_or(false));
        }
    }

    fn push_up(&self, bounds: &[f64]) -> Vec<f64> {
        let mut at = bounds.to_vec();
        for &var in &self.order {
            for &(to, by) in &self.after[var] {
                at[to] = at[to].max(at[var] + by);
            }
        }
        at
    }

    fn push_down(&self, bounds: &[f64]) -> Vec<f64> {
        let mut at = bounds.to_vec();
        for &var in self.order.iter().rev() {
            for &(from, by) in &self.before[var] {
                at[from] = at[from].min(at[var] - by);
            }
        }
        at
    }

    fn follow_up(&self, at: &mut [f64]) {
        for &var in self.order.iter().rev() {
            if self.follows[0][var]
                && let Some(limit) = self.highest(var, at)
            {
                at[var] = at[var].max(limit);
            }
        }
    }

    fn follow_down(&self, at: &mut [f64]) {
        for &var in &self.order {
            if self.follows[1][var]
                && let Some(limit) = self.lowest(var, at)
            {
                at[var] = at[var].min(limit);
            }
        }
    }

    fn settle_titles(&self, at: &mut [f64]) {
        for &var in &self.space.titles {
            if let Some(lowest) = self.lowest(var, at) {
                at[var] = lowest;
            }
        }
    }

    /// The smallest coordinate that the gaps before a variable allow.
    pub fn lowest(&self, var: usize, at: &[f64]) -> Option<f64> {
        self.before[var].iter().map(|&(from, by)| at[from] + by).reduce(f64::max)
    }

    /// The largest coordinate that the gaps after a variable allow.
    pub fn highest(&self, var: usize, at: &[f64]) -> Option<f64> {
        self.after[var].iter().map(|&(to, by)| at[to] - by).reduce(f64::min)
    }

    /// Whether there is a gap between two variables.
    pub fn are_apart(&self, a: usize, b: usize) -> bool {
        let joins = |a: usize, b: usize| self.after[a].iter().any(|&(to, _)| to == b);
        joins(a, b) || joins(b, a)
    }

    /// Whether every gap holds.
    pub fn holds(&self, at: &[f64]) -> bool {
        self.space.gaps.iter().all(|gap| at[gap.to] - at[gap.from] >= gap.by - 1e-4)
    }
}

fn average(mut a: Vec<f64>, b: &[f64]) -> Vec<f64> {
    for (a, b) in a.iter_mut().zip(b) {
        *a = (*a + b) / 2.0;
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gap(from: usize, to: usize, by: f64) -> Gap {
        Gap { from, to, by }
    }

    #[test]
    fn what_has_room_stands_in_its_middle() {
        let space = Space {
            order: vec![0.0, 1.0, 2.0],
            gaps: vec![gap(0, 1, 10.0), gap(1, 2, 10.0), gap(0, 2, 100.0)],
            ..Space::default()
        };
        assert_eq!(System::new(&space).middle(), [0.0, 50.0, 100.0]);
    }

    #[test]
    fn a_node_that_is_pushed_moves_and_does_not_grow() {
        let space = Space {
            order: vec![0.0, 1.0, 2.0, 3.0],
            gaps: vec![gap(1, 3, 30.0), gap(0, 2, 100.0), gap(2, 3, 10.0)],
            rigid: vec![Rigid { lo: 1, hi: 3, size: 30.0 }],
            ..Space::default()
        };
        let at = System::new(&space).middle();
        assert_eq!(at[3] - at[1], 30.0);
    }

    #[test]
    fn a_node_that_cannot_be_pulled_together_grows() {
        let space = Space {
            order: vec![0.0, 1.0, 2.0, 3.0],
            gaps: vec![gap(0, 1, 5.0), gap(1, 2, 90.0), gap(2, 3, 5.0), gap(0, 3, 30.0)],
            rigid: vec![Rigid { lo: 0, hi: 3, size: 30.0 }],
            ..Space::default()
        };
        let system = System::new(&space);
        let at = system.middle();
        assert!(system.holds(&at) && at[3] - at[0] >= 100.0);
    }
}
