//! Pass 11, settle: the freedom that the gaps leave, used for the eye.
//!
//! Ports spread evenly along their side, two segments that a small step joins come into one
//! line, and what could be shorter becomes shorter. Each move stays between the nearest gaps,
//! so every gap still holds afterwards.
//!
//! Precondition: coordinates that satisfy all gaps.
//! Postcondition: the same.

use std::collections::BTreeMap;

use crate::engine::axis::{Axis, Side};
use crate::engine::route::Route;
use crate::engine::solve::System;
use crate::engine::space::{Sketch, Space};
use crate::engine::tree::BoxId;

/// Rounds over all segments.
const ROUNDS: usize = 12;

/// Moves segments across `axis` to where they look best.
pub fn settle(
    sketch: &Sketch<'_>,
    axis: Axis,
    space: &Space,
    system: &System<'_>,
    at: &mut [f64],
) {
    let moves = moves(sketch.routes, axis, space);
    for round in 0..ROUNDS {
        let wanted = spread(sketch.routes, axis, space, at);
        for each in &moves {
            each.apply(system, &wanted, at);
        }
        for each in moves.iter().rev() {
            if round + 1 < ROUNDS {
                each.apply(system, &wanted, at);
            }
        }
    }
    debug_assert!(system.holds(at), "settling keeps every gap");
}

/// A segment that may move, with what it is joined to.
struct Move {
    edge: usize,
    segment: usize,
    var: usize,
    /// Variables of the segments two places before and after.
    partners: [Option<usize>; 2],
    contacts: [bool; 2],
}

fn moves(routes: &[Route], axis: Axis, space: &Space) -> Vec<Move> {
    let mut moves = Vec::new();
    for (edge, route) in routes.iter().enumerate() {
        let last = route.segments().saturating_sub(1);
        for segment in 0..route.segments() {
            if route.axis(segment) == axis {
                continue;
            }
            let vars = &space.segments[edge];
            let before = segment.checked_sub(2).map(|other| vars[other]);
            let after = vars.get(segment + 2).copied();
            moves.push(Move {
                edge,
                segment,
                var: vars[segment],
                partners: [before, after],
                contacts: [segment == 0, segment == last],
            });
        }
    }
    moves
}

impl Move {
    fn range(&self, var: usize, system: &System<'_>, at: &[f64]) -> (f64, f64) {
        let lo = system.lowest(var, at).unwrap_or(f64::MIN);
        let hi = system.highest(var, at).unwrap_or(f64::MAX);
        (lo, hi)
    }

    fn apply(
        &self,
        system: &System<'_>,
        wanted: &BTreeMap<(usize, usize), f64>,
        at: &mut [f64],
    ) {
        let (lo, hi) = self.range(self.var, system, at);
        if lo > hi {
            return;
        }
        // A partner that can be met straight away is worth more than an even spread.
        for partner in self.partners.into_iter().flatten() {
            if system.are_apart(self.var, partner) {
                continue;
            }
            let (other_lo, other_hi) = self.range(partner, system, at);
            let (common_lo, common_hi) = (lo.max(other_lo), hi.min(other_hi));
            if common_lo <= common_hi && self.is_near(at[partner] - at[self.var]) {
                let middle = (at[self.var] + at[partner]) / 2.0;
                let target = middle.clamp(common_lo, common_hi);
                at[self.var] = target;
                at[partner] = target;
                return;
            }
        }
        let own = at[self.var];
        let target = match wanted.get(&(self.edge, self.segment)) {
            Some(&target) => target,
            None => match self.partners.map(|partner| partner.map(|var| at[var])) {
                [Some(a), Some(b)] if (a > own) == (b > own) => {
                    if a > own {
                        a.min(b)
                    } else {
                        a.max(b)
                    }
                }
                _ => own,
            },
        };
        at[self.var] = target.clamp(lo, hi);
    }

    fn is_near(&self, step: f64) -> bool {
        let ends = self.contacts.iter().filter(|&&contact| contact).count();
        step.abs() < if ends > 0 { 48.0 } else { 96.0 }
    }
}

/// Coordinate, edge and segment of a port.
type PortAt = (f64, usize, usize);

/// Where segments that end at a box would stand if its sides' ports were spread evenly.
fn spread(
    routes: &[Route],
    axis: Axis,
    space: &Space,
    at: &[f64],
) -> BTreeMap<(usize, usize), f64> {
    let mut sides: BTreeMap<(BoxId, Side), Vec<PortAt>> = BTreeMap::new();
    for (edge, route) in routes.iter().enumerate() {
        let Some(last) = route.segments().checked_sub(1) else { continue };
        for (segment, contact) in [(0, route.source), (last, route.target)] {
            let Some(contact) = contact else { continue };
            if contact.side.axis() == axis {
                continue;
            }
            let x = at[space.segments[edge][segment]];
            sides.entry((contact.id, contact.side)).or_default().push((x, edge, segment));
        }
    }
    let mut wanted: BTreeMap<(usize, usize), f64> = BTreeMap::new();
    for ((id, _), mut ports) in sides {
        ports.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let (lo, hi) = (at[space.boxes[id].0], at[space.boxes[id].1]);
        let step = (hi - lo) / (ports.len() + 1) as f64;
        for (index, (_, edge, segment)) in ports.into_iter().enumerate() {
            let here = lo + step * (index + 1) as f64;
            wanted
                .entry((edge, segment))
                .and_modify(|other| *other = (*other + here) / 2.0)
                .or_insert(here);
        }
    }
    wanted
}
