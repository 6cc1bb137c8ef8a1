//! Engine time to playing time: one monotone map, so that no order is ever broken.
//!
//! Each instant at which something is shown is a *knot* with two moments of playing time:
//! first what arrives and changes is seen, then, after a pause for reading if there must be
//! one, what leaves is seen leaving. All demands (a flight takes so long, a caption stands so
//! long) say how far apart two moments must at least be. The earliest times that meet all
//! demands are the longest paths to the moments, found in one pass because every demand
//! points forward. A second pass, backwards, moves what nobody waits for as late as it
//! may go, so that pauses stand before a departure and not inside a flight.
//!
//! Causes come before effects in engine time, and the map is monotone: so they do in
//! playing time. What is simultaneous shares a knot: so it stays simultaneous.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_trace::Time;

/// Playing times are multiples of this, ms: so that many sprites share their keyframes.
pub(crate) const GRID: u32 = 50;

/// Two moments must be at least so far apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Demand {
    /// From what is seen at this instant …
    pub from: Moment,
    /// … to what is seen at this later instant …
    pub to: Time,
    /// … pass at least so many ms.
    pub ms: u32,
}

/// One of the two moments of an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// What arrives and changes then is seen.
    Enter(Time),
    /// What leaves then is seen leaving.
    Leave(Time),
}

/// An instant of engine time, and the playing time that it is given. Between two knots both
/// times pass in proportion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Knot {
    /// Engine time.
    pub time: Time,
    /// When what arrives or changes then is seen, ms of playing time.
    pub enter: u32,
    /// When what leaves then is seen leaving, ms of playing time; not before `enter`.
    pub leave: u32,
}

/// The map.
#[derive(Debug)]
pub(crate) struct Warp {
    knots: Vec<Knot>,
}

/// What a warp is made from.
#[derive(Debug, Default)]
pub(crate) struct Score {
    /// The instants at which something is shown.
    pub instants: BTreeSet<Time>,
    /// What must be apart.
    pub demands: Vec<Demand>,
    /// Instants that are shown as soon as possible: those that somebody reads.
    pub fixed: BTreeSet<Time>,
    /// Longest wait in which nothing happens, ms.
    pub idle_ms: u32,
}

impl Score {
    /// The map that meets every demand.
    pub fn warp(&self) -> Warp {
        let mut warp = self.earliest();
        self.postpone(&mut warp);
        warp
    }

    fn earliest(&self) -> Warp {
        let mut incoming: BTreeMap<Time, Vec<&Demand>> = BTreeMap::new();
        for demand in &self.demands {
            incoming.entry(demand.to).or_default().push(demand);
        }
        let mut warp = Warp { knots: Vec::new() };
        for &time in &self.instants {
            let last = warp.knots.last();
            let after = last.map_or(0, |last| last.leave + self.wait(last.time, time));
            let held = incoming.get(&time).into_iter().flatten().map(|demand| {
                let (Moment::Enter(from) | Moment::Leave(from)) = demand.from;
                if from < time { warp.exact(demand.from) + on_grid(demand.ms) } else { 0 }
            });
            let enter = held.fold(after, u32::max);
            warp.knots.push(Knot { time, enter, leave: enter });
        }
        warp
    }

    /// Moves every moment that is not fixed as late as what follows allows.
    fn postpone(&self, warp: &mut Warp) {
        let mut outgoing: BTreeMap<Time, Vec<&Demand>> = BTreeMap::new();
        for demand in &self.demands {
            let (Moment::Enter(from) | Moment::Leave(from)) = demand.from;
            if from < demand.to {
                outgoing.entry(from).or_default().push(demand);
            }
        }
        let mut next: Option<Knot> = None;
        for index in (0..warp.knots.len()).rev() {
            let mut knot = warp.knots[index];
            let Some(after) = next else {
                next = Some(knot);
                continue;
            };
            let wait = self.wait(knot.time, after.time);
            let demands = outgoing.get(&knot.time).map(Vec::as_slice).unwrap_or_default();
            let limit = |moment: Moment| {
                demands
                    .iter()
                    .filter(|demand| demand.from == moment)
                    .map(|demand| {
                        warp.exact(Moment::Enter(demand.to)) - on_grid(demand.ms)
                    })
                    .min()
                    .unwrap_or(u32::MAX)
            };
            let latest = (after.enter - wait).min(limit(Moment::Leave(knot.time)));
            let entry = latest.min(limit(Moment::Enter(knot.time)));
            knot.leave = latest.max(knot.leave);
            if !self.fixed.contains(&knot.time) {
                knot.enter = entry.max(knot.enter).min(knot.leave);
            }
            warp.knots[index] = knot;
            next = Some(knot);
        }
    }

    fn wait(&self, from: Time, to: Time) -> u32 {
        idle(to.0.saturating_sub(from.0), self.idle_ms)
    }
}

impl Warp {
    /// When what arrives or changes at `time` is seen.
    pub fn enter(&self, time: Time) -> u32 {
        match self.find(time) {
            Ok(index) => self.knots[index].enter,
            Err(index) => self.between(index, time),
        }
    }

    /// When what leaves at `time` is seen leaving.
    pub fn leave(&self, time: Time) -> u32 {
        match self.find(time) {
            Ok(index) => self.knots[index].leave,
            Err(index) => self.between(index, time),
        }
    }

    /// The last moment.
    pub fn end(&self) -> u32 {
        self.knots.last().map_or(0, |knot| knot.leave)
    }

    /// The stretches between two knots that follow one another: engine times, playing times.
    pub fn gaps(&self) -> impl Iterator<Item = Gap> + '_ {
        self.knots.windows(2).map(|pair| Gap {
            from: pair[0].time,
            to: pair[1].time,
            start: pair[0].leave,
            end: pair[1].enter,
        })
    }

    /// The instants, each with the moment at which it is entered.
    pub fn knots(&self) -> impl Iterator<Item = (Time, u32)> + '_ {
        self.knots.iter().map(|knot| (knot.time, knot.enter))
    }

    /// The instants, in a film in which this story begins to move at `offset`.
    pub fn shown_from(&self, offset: u32) -> impl Iterator<Item = Knot> + '_ {
        self.knots.iter().map(move |&Knot { time, enter, leave }| Knot {
            time,
            enter: offset + enter,
            leave: offset + leave,
        })
    }

    fn find(&self, time: Time) -> Result<usize, usize> {
        self.knots.binary_search_by(|knot| knot.time.cmp(&time))
    }

    fn exact(&self, moment: Moment) -> u32 {
        match moment {
            Moment::Enter(time) => self.enter(time),
            Moment::Leave(time) => self.leave(time),
        }
    }

    /// A moment between knot `index - 1` and knot `index`, in proportion.
    fn between(&self, index: usize, time: Time) -> u32 {
        let before = index.checked_sub(1).and_then(|index| self.knots.get(index));
        match (before, self.knots.get(index)) {
            (Some(a), Some(b)) => {
                let part = u128::from(time.0 - a.time.0) * u128::from(b.enter - a.leave)
                    / u128::from((b.time.0 - a.time.0).max(1));
                a.leave + u32::try_from(part).unwrap_or(0) / GRID * GRID
            }
            (Some(a), None) => a.leave,
            (None, Some(b)) => b.enter,
            (None, None) => 0,
        }
    }
}

/// A stretch of time in which nothing of note happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Gap {
    /// Engine time at its start.
    pub from: Time,
    /// Engine time at its end.
    pub to: Time,
    /// Playing time at its start.
    pub start: u32,
    /// Playing time at its end.
    pub end: u32,
}

/// Playing time of a wait of `micros` in which nothing happens: it grows with the wait, but
/// never beyond `most`.
fn idle(micros: u64, most: u32) -> u32 {
    let ms = u32::try_from(micros / 1000).unwrap_or(u32::MAX);
    let shown = match ms {
        0..3 => 0,
        3..20 => 100,
        20..100 => 200,
        100..300 => 300,
        300..1000 => 450,
        1000..3000 => 600,
        _ => 700,
    };
    // A script's own pauses may ask for longer waits than the engine's ever get.
    let asked = if most > 700 { ms } else { shown };
    on_grid(asked.min(most))
}

fn on_grid(ms: u32) -> u32 {
    ms.div_ceil(GRID) * GRID
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn score(times: &[u64], demands: &[(u64, u64, u32)], fixed: &[u64]) -> Score {
        Score {
            instants: times.iter().map(|&time| Time(time)).collect(),
            demands: demands
                .iter()
                .map(|&(from, to, ms)| Demand {
                    from: Moment::Leave(Time(from)),
                    to: Time(to),
                    ms,
                })
                .collect(),
            fixed: fixed.iter().map(|&time| Time(time)).collect(),
            idle_ms: 700,
        }
    }

    #[test]
    fn parallel_flights_stay_parallel() {
        let warp = score(&[0, 900, 1000], &[(0, 900, 900), (0, 1000, 900)], &[]).warp();
        assert_eq!(warp.enter(Time(900)), warp.enter(Time(1000)));
        assert_eq!(warp.end(), 900);
    }

    #[test]
    fn a_chain_takes_the_sum_of_its_flights() {
        let warp =
            score(&[0, 1000, 2000], &[(0, 1000, 900), (1000, 2000, 750)], &[]).warp();
        assert_eq!((warp.enter(Time(1000)), warp.end()), (900, 1650));
    }

    #[test]
    fn a_long_wait_is_compressed() {
        let warp = score(&[0, 9_000_000], &[], &[]).warp();
        assert_eq!(warp.end(), 700);
        assert_eq!(warp.enter(Time(4_500_000)), 350);
    }

    #[test]
    fn a_pause_for_reading_stands_before_the_departure() {
        let mut score = score(&[0, 1000], &[(0, 1000, 900)], &[0, 1000]);
        let from = Moment::Enter(Time(0));
        score.demands.push(Demand { from, to: Time(1000), ms: 3000 });
        let warp = score.warp();
        assert_eq!(warp.enter(Time(0)), 0);
        assert_eq!(warp.leave(Time(0)), 2100);
        assert_eq!(warp.enter(Time(1000)), 3000);
    }

    proptest! {
        #[test]
        fn order_is_never_broken_and_every_demand_is_met(
            times in prop::collection::btree_set(0_u64..20_000_000, 2..40),
            picks in prop::collection::vec((0_usize..40, 0_usize..40, 0_u32..3000, any::<bool>()), 0..60),
            fixed in prop::collection::btree_set(0_usize..40, 0..10),
        ) {
            let times: Vec<u64> = times.into_iter().collect();
            let at = |pick: usize| Time(times[pick % times.len()]);
            let demands: Vec<Demand> = picks
                .iter()
                .filter(|pick| at(pick.0) < at(pick.1))
                .map(|&(from, to, ms, leaves)| Demand {
                    from: if leaves { Moment::Leave(at(from)) } else { Moment::Enter(at(from)) },
                    to: at(to),
                    ms,
                })
                .collect();
            let score = Score {
                instants: times.iter().map(|&time| Time(time)).collect(),
                demands: demands.clone(),
                fixed: fixed.into_iter().map(at).collect(),
                idle_ms: 700,
            };
            let warp = score.warp();
            for knot in &warp.knots {
                prop_assert!(knot.enter <= knot.leave);
            }
            for gap in warp.gaps() {
                prop_assert!(gap.start <= gap.end);
                prop_assert!(warp.enter(Time(gap.from.0.midpoint(gap.to.0))) >= gap.start);
            }
            for demand in demands {
                let apart = warp.enter(demand.to) - warp.exact(demand.from);
                prop_assert!(apart >= demand.ms, "{demand:?}: {apart}");
            }
        }
    }
}
