//! The moves: into a row, to another place, with another member, the mirror image.

use crate::engine::arrange::cost::Spot;
use crate::engine::arrange::frame::{Frame, Order};
use crate::engine::tree::BoxId;

/// Gains below this leave everything where it is, px of edge length.
const NOTICEABLE: f64 = 30.0;
/// The same where all members are nodes: replicas read in their order.
const NOTICEABLE_NODES: f64 = 60.0;
/// Places that are tried for a member: those nearest to where its edges pull it.
const PLACES: usize = 12;
/// Members that are tried for an exchange.
const OTHERS: usize = 6;
/// A row of its own stands so far from the last one, px.
const BEYOND: f64 = 100.0;

/// A better arrangement, and what it gains.
struct Better {
    gain: f64,
    rows: Order,
}

/// A place in a row, or between two rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Slot {
    row: usize,
    /// `None`: a new row before this one.
    at: Option<usize>,
}

impl Frame<'_> {
    /// Puts a member that is there for the first time where it costs least.
    pub fn insert(&mut self, member: BoxId) {
        let Some(member) = self.members.iter().position(|&m| m == member) else { return };
        let ties = self.at[member].clone();
        let wish = self.wish(member);
        let mut best = Better {
            gain: -self.cost(&[member], &ties, f64::INFINITY),
            rows: self.rows.clone(),
        };
        for rows in self.relocations(member, wish) {
            self.rows = rows;
            let gain = -self.cost(&[member], &ties, -best.gain);
            if gain > best.gain + 1e-6 {
                best = Better { gain, rows: self.rows.clone() };
            }
        }
        self.rows = best.rows;
        self.place();
    }

    /// Moves one member, if that pays noticeably; whether it did.
    pub fn improve_member(&mut self, member: BoxId) -> bool {
        let index = self.members.iter().position(|&m| m == member);
        index.is_some_and(|member| self.improve(member))
    }

    /// Moves all members in turn, and mirrors the whole, as often as that pays; whether
    /// anything changed.
    pub fn improve_all(&mut self, rounds: usize) -> bool {
        let mut changed = false;
        let mut is_due = vec![true; self.members.len()];
        for _ in 0..rounds {
            let mut moved = false;
            for member in 0..self.members.len() {
                if !std::mem::take(&mut is_due[member]) || !self.improve(member) {
                    continue;
                }
                moved = true;
                // Those who are tied to it may have a better place now.
                for &tie in &self.at[member] {
                    is_due[self.ties[tie].member] = true;
                    self.ties[tie]
                        .other
                        .into_iter()
                        .for_each(|other| is_due[other] = true);
                }
            }
            moved |= self.mirror();
            changed |= moved;
            if !moved {
                break;
            }
        }
        changed
    }

    fn noticeable(&self) -> f64 {
        self.least_gain + if self.has_groups { NOTICEABLE } else { NOTICEABLE_NODES }
    }

    fn improve(&mut self, member: usize) -> bool {
        if self.at[member].is_empty() || self.work > self.most_work {
            return false;
        }
        let old = self.rows.clone();
        let mut best = Better { gain: self.noticeable(), rows: Vec::new() };
        let moved = self.at[member].clone();
        let now = self.cost(&[member], &moved, f64::INFINITY);
        let wish = self.wish(member);
        for rows in self.relocations(member, wish) {
            self.rows = rows;
            let gain = now - self.cost(&[member], &moved, now - best.gain);
            if gain > best.gain + 1e-6 {
                best = Better { gain, rows: self.rows.clone() };
            }
        }
        self.rows.clone_from(&old);
        self.place();
        for (other, rows) in self.exchanges(member, wish) {
            let mut moved = moved.clone();
            moved.extend(
                self.at[other].iter().filter(|&&tie| !self.ties[tie].touches(member)),
            );
            self.rows.clone_from(&old);
            let now = self.cost(&[member, other], &moved, f64::INFINITY);
            self.rows = rows;
            let gain = now - self.cost(&[member, other], &moved, now - best.gain);
            if gain > best.gain + 1e-6 {
                best = Better { gain, rows: self.rows.clone() };
            }
        }
        let found = !best.rows.is_empty();
        self.rows = if found { best.rows } else { old };
        self.place();
        found
    }

    /// Where a member's edges pull it: the mean of where its middle would have to be for each
    /// to have no length.
    fn wish(&self, member: usize) -> Spot {
        let middle = self.middles[member];
        if self.at[member].is_empty() {
            return middle;
        }
        let mut sum = Spot::default();
        for &tie in &self.at[member] {
            let (a, b) = self.lines.ends(tie);
            let (own, other) =
                if self.ties[tie].member == member { (a, b) } else { (b, a) };
            sum.u += middle.u + other.u - own.u;
            sum.v += middle.v + other.v - own.v;
        }
        let count = self.at[member].len() as f64;
        Spot { u: sum.u / count, v: sum.v / count }
    }

    /// Other places for a member, the nearest to its wish.
    fn relocations(&self, member: usize, wish: Spot) -> Vec<Order> {
        let Some(own) = self.rows.iter().position(|row| row.contains(&member)) else {
            return Vec::new();
        };
        let mut rest = self.rows.clone();
        rest[own].retain(|&m| m != member);
        let mut slots = self.slots(&rest, wish);
        if self.is_fixed {
            slots.retain(|(_, slot)| slot.row == own && slot.at.is_some());
        }
        slots.truncate(PLACES);
        let mut orders: Vec<Order> =
            slots.into_iter().map(|(_, slot)| put(&rest, slot, member)).collect();
        orders.retain(|rows| *rows != self.rows);
        orders
    }

    /// All places in and between rows, the nearest to a wish first.
    fn slots(&self, rows: &Order, wish: Spot) -> Vec<(f64, Slot)> {
        let mut slots = Vec::new();
        let mut before: Option<f64> = None;
        let away = |u: f64, v: f64| (u - wish.u).abs() + (v - wish.v).abs();
        for (index, row) in rows.iter().enumerate() {
            let Some(&first) = row.first() else { continue };
            let u = self.middles[first].u;
            let start = self.middles[first].v - self.extents[first].v / 2.0;
            slots.push((away(u, start), Slot { row: index, at: Some(0) }));
            for (at, &m) in row.iter().enumerate() {
                let end = self.middles[m].v + self.extents[m].v / 2.0;
                slots.push((away(u, end), Slot { row: index, at: Some(at + 1) }));
            }
            let between = before.map_or(u - BEYOND, |before| (before + u) / 2.0);
            slots.push(((between - wish.u).abs(), Slot { row: index, at: None }));
            before = Some(u);
        }
        let last = before.map_or(self.center.u, |before| before + BEYOND);
        slots.push(((last - wish.u).abs(), Slot { row: rows.len(), at: None }));
        slots.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        slots
    }

    /// Exchanges of a member with those that stand near its wish.
    fn exchanges(&self, member: usize, wish: Spot) -> Vec<(usize, Order)> {
        let find = |m: usize| {
            let mut rows = self.rows.iter().enumerate();
            rows.find_map(|(row, all)| {
                all.iter().position(|&x| x == m).map(|at| (row, at))
            })
        };
        let Some(own) = find(member) else { return Vec::new() };
        let away = |m: usize| {
            (self.middles[m].u - wish.u).abs() + (self.middles[m].v - wish.v).abs()
        };
        let others = (0..self.members.len()).filter(|&m| m != member);
        let mut others: Vec<(f64, usize)> = others.map(|m| (away(m), m)).collect();
        others.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        others.truncate(OTHERS);
        let exchanged = |(_, other): (f64, usize)| {
            let at = find(other)?;
            if self.is_fixed && at.0 != own.0 {
                return None;
            }
            let mut rows = self.rows.clone();
            rows[own.0][own.1] = other;
            rows[at.0][at.1] = member;
            Some((other, rows))
        };
        others.into_iter().filter_map(exchanged).collect()
    }

    /// Mirrors the order of all rows, if that pays.
    fn mirror(&mut self) -> bool {
        if self.is_fixed && self.rows.len() > 1 {
            return false;
        }
        let members: Vec<usize> = (0..self.members.len()).collect();
        let ties: Vec<usize> = (0..self.ties.len()).collect();
        let now = self.cost(&members, &ties, f64::INFINITY);
        self.rows.iter_mut().for_each(|row| row.reverse());
        let limit = now - 2.0 * self.noticeable();
        if self.cost(&members, &ties, limit) < limit {
            return true;
        }
        self.rows.iter_mut().for_each(|row| row.reverse());
        self.place();
        false
    }
}

fn put(rest: &Order, slot: Slot, member: usize) -> Order {
    let mut rows = rest.clone();
    match slot.at {
        Some(at) => rows[slot.row].insert(at, member),
        None => rows.insert(slot.row, vec![member]),
    }
    rows.retain(|row| !row.is_empty());
    rows
}
