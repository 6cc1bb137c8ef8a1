//! Pass 7, lanes: who runs left of whom where edges share a line.
//!
//! Two edges that run on the same line part somewhere at either end of what they share; the
//! side to which each turns there says who should run on which side. If both ends agree, the
//! two need not cross; if they do not, they must, and the end nearer to the source of
//! the earlier edge decides. (The same reasoning orders the lines of a metro map.)
//!
//! Precondition: routes on the lines of a net.
//! Postcondition: segments on one line that overlap have different lanes, smaller ones to the
//! left of (above) larger ones.

use std::collections::BTreeMap;

use crate::engine::axis::Axis;
use crate::engine::route::Route;

/// A segment: edge and place in its route.
type Id = (usize, usize);

/// Numbers the lanes of every line.
pub fn assign(routes: &mut [Route]) {
    let mut lines: BTreeMap<(Axis, u64), Vec<Id>> = BTreeMap::new();
    for (edge, route) in routes.iter().enumerate() {
        for segment in 0..route.segments() {
            let key = (route.axis(segment), sortable(route.at(segment)));
            lines.entry(key).or_default().push((edge, segment));
        }
    }
    let mut lanes: Vec<(Id, f64)> = Vec::new();
    for ids in lines.values() {
        let order = sort_line(routes, ids);
        lanes.extend(order.into_iter().enumerate().map(|(lane, id)| (id, lane as f64)));
    }
    for ((edge, segment), lane) in lanes {
        routes[edge].lanes[segment] = lane;
    }
}

/// Bits of a float in an order that is its own.
fn sortable(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

/// The extent of a segment along its axis.
fn extent(routes: &[Route], (edge, segment): Id) -> (f64, f64) {
    let route = &routes[edge];
    let axis = route.axis(segment);
    let (a, b) = (axis.of(route.points[segment]), axis.of(route.points[segment + 1]));
    (a.min(b), a.max(b))
}

/// Orders the segments of a line so that as many wishes of pairs as can be are met:
/// repeatedly takes the one before which fewest others want to be.
fn sort_line(routes: &[Route], ids: &[Id]) -> Vec<Id> {
    let count = ids.len();
    if count < 2 {
        return ids.to_vec();
    }
    let extents: Vec<(f64, f64)> = ids.iter().map(|&id| extent(routes, id)).collect();
    let mut before: Vec<Vec<usize>> = vec![Vec::new(); count];
    let mut waiting = vec![0usize; count];
    for a in 0..count {
        for b in a + 1..count {
            let apart = extents[a].0 > extents[b].1 || extents[b].0 > extents[a].1;
            if apart || ids[a].0 == ids[b].0 {
                continue;
            }
            let (first, second) =
                if wish(routes, ids[a], ids[b]) <= 0 { (a, b) } else { (b, a) };
            before[first].push(second);
            waiting[second] += 1;
        }
    }
    let mut order = Vec::with_capacity(count);
    let mut left: Vec<usize> = (0..count).collect();
    while let Some(at) = (0..left.len()).min_by_key(|&at| (waiting[left[at]], left[at])) {
        let next = left.remove(at);
        for &other in &before[next] {
            waiting[other] = waiting[other].saturating_sub(1);
        }
        order.push(ids[next]);
    }
    order
}

/// Whether `a` should run at smaller coordinates than `b` (negative) or at larger ones.
fn wish(routes: &[Route], a: Id, b: Id) -> i32 {
    // The walk towards the source of the earlier edge decides where both ends disagree.
    let (a, b, turn) = if a.0 < b.0 { (a, b, 1) } else { (b, a, -1) };
    let back = walk(routes, a, b, Way::Back);
    let on = walk(routes, a, b, Way::On);
    let wish = match (back, on) {
        (Some(back), _) if back != 0 => back,
        (_, Some(on)) if on != 0 => on,
        (Some(_), _) => tie(routes, a),
        _ => -1,
    };
    wish * turn
}

/// What two edges that share their way up to a common port prefer: the earlier one first, as
/// seen at the port; turned around with every corner on the way.
fn tie(routes: &[Route], (edge, segment): Id) -> i32 {
    let route = &routes[edge];
    let mut sign = -1;
    for corner in (1..=segment).rev() {
        sign *= corner_sign(route, corner, Way::Back);
    }
    sign
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Way {
    /// Towards the source.
    Back,
    /// Towards the target.
    On,
}

/// Direction (−1, 1) in which a route goes on from point `point` when followed `way`.
fn direction(route: &Route, segment: usize, way: Way) -> i32 {
    let axis = route.axis(segment);
    let (a, b) = (axis.of(route.points[segment]), axis.of(route.points[segment + 1]));
    let on = if b > a { 1 } else { -1 };
    if way == Way::On { on } else { -on }
}

/// How sides swap around the corner at a point: 1 if left stays above, −1 if it gets below.
fn corner_sign(route: &Route, point: usize, way: Way) -> i32 {
    let (from, to) = if way == Way::On { (point - 1, point) } else { (point, point - 1) };
    -direction(route, from, way) * direction(route, to, way)
}

/// Follows two routes from a shared line to where they part. The wish there, seen from the
/// first line; 0 if they never part.
fn walk(routes: &[Route], a: Id, b: Id, way: Way) -> Option<i32> {
    let (ra, rb) = (&routes[a.0], &routes[b.0]);
    let (mut sa, mut sb) = (a.1, b.1);
    let mut sign = 1;
    // How `b` is followed: the same or the opposite sense of its own.
    let towards = direction(ra, sa, way);
    let way_b = if direction(rb, sb, Way::On) == towards { Way::On } else { Way::Back };
    loop {
        let towards = direction(ra, sa, way);
        if direction(rb, sb, way_b) != towards {
            return Some(0);
        }
        let (end_a, end_b) = (end(ra, sa, way), end(rb, sb, way_b));
        if end_a != end_b {
            // The one that ends first turns away, the other goes straight on.
            let a_ends_first = (end_b - end_a) * f64::from(towards) > 0.0;
            let turn = if a_ends_first {
                next(ra, sa, way).map_or(0, |next| direction(ra, next, way))
            } else {
                next(rb, sb, way_b).map_or(0, |next| -direction(rb, next, way_b))
            };
            return Some(sign * turn);
        }
        let (next_a, next_b) = (next(ra, sa, way), next(rb, sb, way_b));
        let (Some(next_a), Some(next_b)) = (next_a, next_b) else {
            let turn_a = next_a.map_or(0, |next| direction(ra, next, way));
            let turn_b = next_b.map_or(0, |next| direction(rb, next, way_b));
            return Some(sign * (turn_a - turn_b).signum());
        };
        let (turn_a, turn_b) = (direction(ra, next_a, way), direction(rb, next_b, way_b));
        if turn_a != turn_b {
            return Some(sign * (turn_a - turn_b).signum());
        }
        sign *= -towards * turn_a;
        (sa, sb) = (next_a, next_b);
    }
}

/// The coordinate at which a segment ends when followed `way`.
fn end(route: &Route, segment: usize, way: Way) -> f64 {
    let point = if way == Way::On { segment + 1 } else { segment };
    route.axis(segment).of(route.points[point])
}

/// The segment after this one when followed `way`.
fn next(route: &Route, segment: usize, way: Way) -> Option<usize> {
    match way {
        Way::On => (segment + 1 < route.segments()).then_some(segment + 1),
        Way::Back => segment.checked_sub(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::axis::Side;
    use crate::engine::route::Contact;
    use topomotion_scene::Point;

    fn route(points: &[(f64, f64)], side: Side) -> Route {
        Route {
            points: points.iter().map(|&(x, y)| Point::new(x, y)).collect(),
            lanes: vec![0.0; points.len() - 1],
            source: Some(Contact { id: 0, side }),
            target: Some(Contact { id: 1, side: side.opposite() }),
        }
    }

    #[test]
    fn edges_that_part_to_different_sides_do_not_cross() {
        let left = [(50.0, 0.0), (50.0, 40.0), (0.0, 40.0), (0.0, 90.0)];
        let right = [(50.0, 0.0), (50.0, 40.0), (90.0, 40.0), (90.0, 90.0)];
        let mut routes = [route(&right, Side::Bottom), route(&left, Side::Bottom)];
        assign(&mut routes);
        assert!(routes[1].lanes[0] < routes[0].lanes[0]);
    }

    #[test]
    fn parallel_edges_stay_parallel_around_corners() {
        let way = [(50.0, 0.0), (50.0, 40.0), (90.0, 40.0), (90.0, 90.0)];
        let mut routes = [route(&way, Side::Bottom), route(&way, Side::Bottom)];
        assign(&mut routes);
        // Down, then right: the left one is the outer one, so it runs below, then left.
        assert!(routes[0].lanes[0] < routes[1].lanes[0]);
        assert!(routes[0].lanes[1] > routes[1].lanes[1]);
        assert!(routes[0].lanes[2] < routes[1].lanes[2]);
    }
}
