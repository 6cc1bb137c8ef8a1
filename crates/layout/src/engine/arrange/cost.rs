//! What an arrangement of a container's members costs.

use crate::engine::arrange::frame::{Frame, Tie};
use crate::engine::shape::shape_cost;

/// A place, or an extent, along and across the main axis.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Spot {
    pub u: f64,
    pub v: f64,
}

/// What a crossing costs, px of edge length.
const CROSSING: f64 = 200.0;
/// What a line through a stranger costs.
const THROUGH: f64 = 80.0;
/// What an edge against the main direction costs.
const AGAINST: f64 = 60.0;
/// Weight of the container's size and shape.
const SHAPE: f64 = 0.5;

/// Edges as straight lines, coordinate by coordinate: all are looked at for each.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    u0: Vec<f32>,
    v0: Vec<f32>,
    u1: Vec<f32>,
    v1: Vec<f32>,
}

impl Lines {
    /// Takes the lines of all ties, for members with these middles.
    pub fn fill(&mut self, ties: &[Tie], middles: &[Spot]) {
        let count = ties.len();
        for list in [&mut self.u0, &mut self.v0, &mut self.u1, &mut self.v1] {
            list.resize(count, 0.0);
        }
        for (index, tie) in ties.iter().enumerate() {
            let own = middles[tie.member];
            self.u0[index] = (own.u + tie.offset.u) as f32;
            self.v0[index] = (own.v + tie.offset.v) as f32;
            let other = tie.other.map_or(Spot::default(), |other| middles[other]);
            self.u1[index] = (other.u + tie.other_offset.u) as f32;
            self.v1[index] = (other.v + tie.other_offset.v) as f32;
        }
    }

    /// Both ends of a line.
    pub fn ends(&self, index: usize) -> (Spot, Spot) {
        let spot = |u: f32, v: f32| Spot { u: f64::from(u), v: f64::from(v) };
        (spot(self.u0[index], self.v0[index]), spot(self.u1[index], self.v1[index]))
    }

    /// How many lines cross one of them. Lines with a common end do not.
    fn crossings(&self, index: usize) -> u32 {
        let (au, av) = (self.u0[index], self.v0[index]);
        let (bu, bv) = (self.u1[index], self.v1[index]);
        let lines = self.u0.iter().zip(&self.v0).zip(self.u1.iter().zip(&self.v1));
        let mut count = 0;
        for ((&cu, &cv), (&du, &dv)) in lines {
            let sides = turn(au, av, bu, bv, cu, cv) * turn(au, av, bu, bv, du, dv);
            let others = turn(cu, cv, du, dv, au, av) * turn(cu, cv, du, dv, bu, bv);
            count += u32::from((sides < 0.0) & (others < 0.0));
        }
        count
    }

    fn cross(&self, a: usize, b: usize) -> bool {
        let (au, av, bu, bv) = (self.u0[a], self.v0[a], self.u1[a], self.v1[a]);
        let (cu, cv, du, dv) = (self.u0[b], self.v0[b], self.u1[b], self.v1[b]);
        turn(au, av, bu, bv, cu, cv) * turn(au, av, bu, bv, du, dv) < 0.0
            && turn(cu, cv, du, dv, au, av) * turn(cu, cv, du, dv, bu, bv) < 0.0
    }
}

/// Twice the signed area of a triangle.
fn turn(au: f32, av: f32, bu: f32, bv: f32, cu: f32, cv: f32) -> f32 {
    (bu - au) * (cv - av) - (bv - av) * (cu - au)
}

impl Frame<'_> {
    /// What the rows cost, as far as that hangs on the given members; infinite if that is more
    /// than `limit`. `moved` are the ties of those members, each once.
    pub fn cost(&mut self, members: &[usize], moved: &[usize], limit: f64) -> f64 {
        self.work +=
            (self.ties.len() * (4 + members.len()) + 8 * self.members.len()) as u64;
        let whole = self.place();
        let shape = shape_cost(self.grid, self.id, whole, self.shape, self.ties.len());
        let mut cost = SHAPE * shape + self.lengths();
        // Crossings are dear to count: they come last, and only while they may matter.
        for &member in members {
            cost += THROUGH * f64::from(self.lines_through(member));
        }
        for (index, &tie) in moved.iter().enumerate() {
            if cost > limit {
                return f64::INFINITY;
            }
            self.work += (self.ties.len() + self.members.len() + index) as u64;
            let counted =
                moved[..index].iter().filter(|&&other| self.lines.cross(tie, other));
            let crossings = self.lines.crossings(tie) as usize - counted.count();
            cost += CROSSING * crossings as f64;
            cost += THROUGH * f64::from(self.strangers_on(tie));
        }
        cost
    }

    /// Lengths of all edges, with what those against the direction cost beside.
    fn lengths(&self) -> f64 {
        let cost = |(index, tie): (usize, &Tie)| {
            let (a, b) = self.lines.ends(index);
            let length = (a.u - b.u).abs() + (a.v - b.v).abs();
            let step = (b.u - a.u) * if tie.leaves { self.sense } else { -self.sense };
            if step < -1.0 { length + AGAINST } else { length }
        };
        self.ties.iter().enumerate().map(cost).sum()
    }

    /// Lines through a member that is no end of theirs.
    fn lines_through(&self, member: usize) -> u32 {
        let ties = self.ties.iter().enumerate();
        let hits = |&(index, tie): &(usize, &Tie)| {
            !tie.touches(member) && self.hits(index, member)
        };
        ties.filter(hits).count() as u32
    }

    /// Members that a line runs through on its way.
    fn strangers_on(&self, tie: usize) -> u32 {
        let hits =
            |&member: &usize| !self.ties[tie].touches(member) && self.hits(tie, member);
        (0..self.members.len()).filter(hits).count() as u32
    }

    fn hits(&self, tie: usize, member: usize) -> bool {
        hits(self.lines.ends(tie), self.middles[member], self.extents[member])
    }
}

/// Whether a line runs through a box.
fn hits((a, b): (Spot, Spot), middle: Spot, extent: Spot) -> bool {
    let (lo_u, hi_u) = (middle.u - extent.u / 2.0, middle.u + extent.u / 2.0);
    let (lo_v, hi_v) = (middle.v - extent.v / 2.0, middle.v + extent.v / 2.0);
    if a.u.max(b.u) < lo_u
        || a.u.min(b.u) > hi_u
        || a.v.max(b.v) < lo_v
        || a.v.min(b.v) > hi_v
    {
        return false;
    }
    let side = |u: f64, v: f64| (b.u - a.u) * (v - a.v) - (b.v - a.v) * (u - a.u) > 0.0;
    let first = side(lo_u, lo_v);
    [(hi_u, lo_v), (lo_u, hi_v), (hi_u, hi_v)].iter().any(|&(u, v)| side(u, v) != first)
}
