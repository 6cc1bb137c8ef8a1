//! Pass 6, route: a way through the net for every edge.
//!
//! Each edge takes the cheapest way by length, bends, crossings with edges routed before,
//! and company on the same line (A*, as in Wybrow, Marriott and Stuckey's orthogonal
//! connector routing, 2009). Short edges choose first; then every edge chooses once more,
//! knowing all others.
//!
//! Precondition: a net.
//! Postcondition: every route runs on lines of the net and only through groups that hold one
//! of its ends; it begins and ends on the borders of its boxes.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use topomotion_scene::{Point, Rect};

use crate::Spacing;
use crate::engine::axis::{Axis, Side};
use crate::engine::goal::Goal;
use crate::engine::grid::Places;
use crate::engine::lines::{Joint, NONE, Net};
use crate::engine::tree::{BoxId, Tree};
use crate::graph::Effort;

/// What a bend costs, px of length.
const BEND: f64 = 42.0;
/// What crossing an edge costs.
const CROSSING: f64 = 300.0;
/// What sharing a piece of a line with an edge costs.
const COMPANY: f64 = 3.0;
/// What leaving by a side that is not along the main axis costs.
const SIDEWAYS: f64 = 10.0;
/// What each edge already at a port's side costs.
const BESIDE: f64 = 7.0;
/// What an edge costs that makes a side longer than it was.
const CROWDED: f64 = 60.0;

/// What crossing an edge costs when there is no more time to look for ways around.
const CROSSING_IN_HASTE: f64 = 2.0;
/// How much the rest of a way weighs then: the search goes straight for its goal.
const HASTE: f64 = 4.0;
/// Steps of all searches together from which on there is haste.
const STEPS: u64 = 10_000_000;

/// How far around its ends a way is searched first, px.
const DETOUR: f64 = 160.0;

/// The way of one edge.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Route {
    /// Ends and corners; empty if the edge is not drawn. Horizontal and vertical segments
    /// alternate.
    pub points: Vec<Point>,
    /// For each segment, its place among the segments on the same line.
    pub lanes: Vec<f64>,
    /// Where it begins.
    pub source: Option<Contact>,
    /// Where it ends.
    pub target: Option<Contact>,
}

/// Where a route touches a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    /// The box.
    pub id: BoxId,
    /// The side.
    pub side: Side,
}

impl Route {
    /// Number of segments.
    pub fn segments(&self) -> usize {
        self.points.len().saturating_sub(1)
    }

    /// The axis along which a segment runs.
    pub fn axis(&self, segment: usize) -> Axis {
        let first = self.source.map_or(Axis::X, |contact| contact.side.axis());
        if segment.is_multiple_of(2) { first } else { first.cross() }
    }

    /// The coordinate across a segment.
    pub fn at(&self, segment: usize) -> f64 {
        self.axis(segment).cross().of(self.points[segment])
    }
}

/// Routes every edge, in so many rounds; says how much was tried.
pub fn route(
    tree: &Tree,
    places: &Places,
    net: &Net,
    main: Axis,
    spacing: &Spacing,
    rounds: usize,
) -> (Vec<Route>, Effort) {
    let mut router = Router::new(tree, places, net, main, spacing);
    let mut order: Vec<usize> =
        (0..tree.ends.len()).filter(|&e| tree.ends[e].is_some()).collect();
    let span = |edge: usize| {
        let Some((a, b)) = tree.ends[edge] else { return 0.0 };
        let (a, b) = (places.boxes[a].center(), places.boxes[b].center());
        (a.x - b.x).abs() + (a.y - b.y).abs()
    };
    order.sort_by(|&a, &b| span(a).total_cmp(&span(b)).then(a.cmp(&b)));
    let mut ways: Vec<Way> = vec![Way::default(); tree.ends.len()];
    for round in 0..rounds {
        if round > 0 && router.steps > STEPS {
            break;
        }
        for &edge in &order {
            if round > 0 {
                if router.is_quiet(&ways[edge]) {
                    continue;
                }
                router.count(&ways[edge], Count::Less);
            }
            if let Some(way) = router.find(edge) {
                ways[edge] = way;
            }
            router.count(&ways[edge], Count::More);
        }
    }
    let effort = if router.steps > STEPS { Effort::CutShort } else { Effort::Whole };
    (ways.into_iter().map(|way| way.into_route(&router)).collect(), effort)
}

/// A route as joints.
#[derive(Debug, Clone, Default)]
struct Way {
    joints: Vec<u32>,
    /// Side through which it leaves its source and reaches its target.
    source: Option<Contact>,
    target: Option<Contact>,
    /// Ends that lie on a group's border, between joints.
    from: Option<Point>,
    to: Option<Point>,
}

#[derive(Debug, Clone, Copy)]
enum Count {
    More,
    Less,
}

/// Costs compare by value, then by age, so that equal costs keep a fixed order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Waiting {
    cost: Reverse<Cost>,
    age: Reverse<u32>,
    state: u32,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Cost(f64);

impl Eq for Cost {}

impl PartialOrd for Cost {
    fn partial_cmp(&self, other: &Cost) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Cost {
    fn cmp(&self, other: &Cost) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

/// What is known of reaching a joint in a direction.
#[derive(Debug, Clone, Copy, Default)]
struct Reached {
    search: u32,
    closed: u32,
    cost: f64,
    from: u32,
}

/// No state before this one.
pub const NOWHERE: u32 = u32::MAX;

/// The search, and what is known of the edges that have a way already.
#[derive(Debug)]
pub struct Router<'a> {
    /// Who stands in whom.
    pub tree: &'a Tree,
    /// Where boxes are.
    pub places: &'a Places,
    /// Where edges may run.
    pub net: &'a Net,
    /// Main axis.
    pub main: Axis,
    spacing: &'a Spacing,
    /// Routes that pass each joint straight, by axis: along x, along y.
    passing: Vec<[u16; 2]>,
    /// Routes on the link to the right and on the link downwards.
    company: Vec<[u16; 2]>,
    /// Edges at each side of each box.
    sides: Vec<[u16; 4]>,
    reached: Vec<Reached>,
    search: u32,
    /// Boxes around either end, for the edge at hand.
    allowed: Vec<u32>,
    /// Where the search may go.
    window: Rect,
    queue: BinaryHeap<Waiting>,
    /// Steps of all searches so far.
    steps: u64,
    /// What a crossing costs, and how much the rest of a way weighs.
    crossing: f64,
    rest_weight: f64,
}

impl<'a> Router<'a> {
    fn new(
        tree: &'a Tree,
        places: &'a Places,
        net: &'a Net,
        main: Axis,
        spacing: &'a Spacing,
    ) -> Router<'a> {
        let joints = net.joints.len();
        Router {
            tree,
            places,
            net,
            main,
            spacing,
            passing: vec![[0; 2]; joints],
            company: vec![[0; 2]; joints],
            sides: vec![[0; 4]; tree.root + 1],
            reached: vec![Reached::default(); joints * 4],
            search: 0,
            allowed: vec![0; tree.root + 1],
            window: Rect::default(),
            queue: BinaryHeap::new(),
            steps: 0,
            crossing: CROSSING,
            rest_weight: 1.0,
        }
    }

    /// The cheapest way of an edge.
    fn find(&mut self, edge: usize) -> Option<Way> {
        let (source, target) = self.tree.ends[edge]?;
        if self.steps > STEPS {
            (self.crossing, self.rest_weight) = (CROSSING_IN_HASTE, HASTE);
        }
        let goal = Goal::new(self.tree, self.places, source, target);
        // Nearly every way stays near its ends; only where none does, all is searched.
        let near = self.places.boxes[source].union(&self.places.boxes[target]);
        for room in [DETOUR, f64::MAX / 8.0] {
            self.search += 1;
            self.queue.clear();
            self.allow(source, target);
            self.window = near.grown(room + near.width.max(near.height) / 4.0);
            self.start(source, &goal);
            if let Some(last) = self.run(&goal) {
                return Some(self.way(source, target, last, &goal));
            }
        }
        None
    }

    /// Notes the boxes around either end.
    fn allow(&mut self, source: BoxId, target: BoxId) {
        for end in [source, target] {
            let mut at = end;
            while at != self.tree.root {
                self.allowed[at] = self.search;
                at = self.tree.parent[at];
            }
        }
        self.allowed[self.tree.root] = self.search;
    }

    /// Puts the first joints into the queue.
    fn start(&mut self, source: BoxId, goal: &Goal) {
        if self.tree.is_container(source) {
            for (joint, side) in self.crossings(source, goal) {
                if goal.is_loop && side.axis() == self.main {
                    continue;
                }
                let cost =
                    self.side_cost(source, side) + corner_cost(self, source, joint);
                self.offer(joint, side, cost, NOWHERE, goal);
            }
            return;
        }
        for port in &self.net.ports[source] {
            if goal.is_loop && port.side.axis() == self.main {
                continue;
            }
            let cost = self.side_cost(source, port.side);
            self.offer(port.joint, port.side, cost, NOWHERE, goal);
        }
    }

    /// Joints just across a group's border, on the side where the other end is.
    fn crossings(&self, group: BoxId, goal: &Goal) -> Vec<(u32, Side)> {
        let inward = goal.target != group && self.tree.is_within(goal.target, group);
        let mut found = Vec::new();
        for (index, joint) in self.net.joints.iter().enumerate() {
            if self.tree.is_within(joint.region, group) == inward {
                continue;
            }
            for side in Side::ALL {
                let next = joint.links[side.index()];
                if next == NONE {
                    continue;
                }
                let region = self.net.joints[next as usize].region;
                if self.tree.is_within(region, group) == inward {
                    debug_assert!(index as u32 != next);
                    found.push((next, side));
                }
            }
        }
        found
    }

    fn run(&mut self, goal: &Goal) -> Option<u32> {
        while let Some(Waiting { state, .. }) = self.queue.pop() {
            let reached = &mut self.reached[state as usize];
            if reached.closed == self.search {
                continue;
            }
            reached.closed = self.search;
            self.steps += 1;
            let from = reached.from;
            let (joint, side) = (state / 4, Side::ALL[(state % 4) as usize]);
            if goal.is_met(self, joint, side, from) {
                return Some(state);
            }
            self.expand(state, joint, side, goal);
        }
        None
    }

    /// Goes on from a joint: straight ahead or around a corner, never back.
    fn expand(&mut self, state: u32, joint: u32, side: Side, goal: &Goal) {
        let base = self.reached[state as usize].cost;
        let here = self.net.joints[joint as usize];
        for next_side in Side::ALL {
            let next = here.links[next_side.index()];
            if next == NONE || next_side == side.opposite() {
                continue;
            }
            let there = self.net.joints[next as usize];
            if self.allowed[there.region] != self.search || !self.is_near(&there) {
                continue;
            }
            let length = (there.x - here.x).abs() + (there.y - here.y).abs();
            let passing = self.passing[joint as usize];
            let step = if next_side == side {
                self.crossing * f64::from(passing[axis_index(side.axis().cross())])
            } else {
                BEND + self.crossing / 2.0
                    * f64::from(passing[0].min(1) + passing[1].min(1))
            };
            let company = COMPANY * f64::from(self.company_on(joint, next, next_side));
            let arrival = goal.arrival_cost(self, next, next_side);
            let cost = base + length + step + company + arrival;
            self.offer(next, next_side, cost, state, goal);
        }
    }

    fn is_near(&self, joint: &Joint) -> bool {
        let window = &self.window;
        window.x <= joint.x
            && joint.x <= window.right()
            && window.y <= joint.y
            && joint.y <= window.bottom()
    }

    fn offer(&mut self, joint: u32, side: Side, cost: f64, from: u32, goal: &Goal) {
        let state = joint * 4 + side.index() as u32;
        let reached = &mut self.reached[state as usize];
        if reached.search == self.search
            && (reached.closed == self.search || reached.cost <= cost)
        {
            return;
        }
        *reached = Reached { search: self.search, closed: reached.closed, cost, from };
        let here = &self.net.joints[joint as usize];
        let rest = least_rest(here.x, here.y, side, &goal.rect);
        let age = self.queue.len() as u32;
        self.queue.push(Waiting {
            cost: Reverse(Cost(cost + rest * self.rest_weight)),
            age: Reverse(age),
            state,
        });
    }

    /// Edges on the link between two neighbouring joints.
    fn company_on(&self, joint: u32, next: u32, side: Side) -> u16 {
        let first = if side.is_far() { joint } else { next };
        self.company[first as usize][axis_index(side.axis())]
    }

    /// What one more edge at a side of a box costs.
    pub fn side_cost(&self, id: BoxId, side: Side) -> f64 {
        let count = f64::from(self.sides[id][side.index()]);
        let extent = {
            let (rect, cross) = (&self.places.boxes[id], side.axis().cross());
            cross.hi(rect) - cross.lo(rect)
        };
        let needed = 2.0 * super::lines::PORT_INSET + count * self.spacing.lane;
        let crowded = if needed > extent { CROWDED } else { 0.0 };
        let sideways = if side.axis() == self.main { 0.0 } else { SIDEWAYS };
        crowded + sideways + BESIDE * count
    }

    /// Follows a search back to its start.
    fn way(&self, source: BoxId, target: BoxId, last: u32, goal: &Goal) -> Way {
        let mut states = vec![last];
        let mut at = self.reached[last as usize].from;
        while at != NOWHERE {
            states.push(at);
            at = self.reached[at as usize].from;
        }
        states.reverse();
        let side = |state: u32| Side::ALL[(state % 4) as usize];
        let mut joints: Vec<u32> = states.iter().map(|state| state / 4).collect();
        let (first_side, last_side) = (side(states[0]), side(last));
        let mut way = Way::default();
        let (out, into) = (first_side, last_side.opposite());
        way.source = Some(Contact { id: source, side: out });
        way.target = Some(Contact { id: target, side: into });
        if self.tree.is_container(source) {
            let inward = goal.target != source && self.tree.is_within(target, source);
            let side = if inward { out.opposite() } else { out };
            way.source = Some(Contact { id: source, side });
            way.from = Some(self.on_border(source, side, joints[0]));
        }
        if self.tree.is_container(target) {
            let outward = source != target && self.tree.is_within(source, target);
            let side = if outward { last_side } else { into };
            way.target = Some(Contact { id: target, side });
            if let Some(joint) = joints.pop() {
                way.to = Some(self.on_border(target, side, joint));
            }
        }
        way.joints = joints;
        way
    }

    /// The point of a group's side that is level with a joint.
    fn on_border(&self, id: BoxId, side: Side, joint: u32) -> Point {
        let joint = &self.net.joints[joint as usize];
        let border = side.border(&self.places.boxes[id]);
        let at = Point::new(joint.x, joint.y);
        side.axis().point(border, side.axis().cross().of(at))
    }

    /// Whether a way crosses nothing: then there is little to gain by another one.
    fn is_quiet(&self, way: &Way) -> bool {
        way.joints.iter().all(|&joint| {
            let [along_x, along_y] = self.passing[joint as usize];
            along_x == 0 || along_y == 0
        })
    }

    /// Counts a way in or out.
    fn count(&mut self, way: &Way, count: Count) {
        let change = |slot: &mut u16| match count {
            Count::More => *slot = slot.saturating_add(1),
            Count::Less => *slot = slot.saturating_sub(1),
        };
        for contact in [way.source, way.target].into_iter().flatten() {
            change(&mut self.sides[contact.id][contact.side.index()]);
        }
        let mut last_axis = None;
        for pair in way.joints.windows(2) {
            let (a, b) = (&self.net.joints[pair[0] as usize], pair[1]);
            let Some(side) = Side::ALL.into_iter().find(|s| a.links[s.index()] == b)
            else {
                continue;
            };
            let first = if side.is_far() { pair[0] } else { b };
            change(&mut self.company[first as usize][axis_index(side.axis())]);
            if last_axis == Some(side.axis()) {
                change(&mut self.passing[pair[0] as usize][axis_index(side.axis())]);
            }
            last_axis = Some(side.axis());
        }
    }
}

impl Way {
    fn into_route(self, router: &Router<'_>) -> Route {
        let joint = |&index: &u32| {
            let joint = &router.net.joints[index as usize];
            Point::new(joint.x, joint.y)
        };
        let all =
            self.from.into_iter().chain(self.joints.iter().map(joint)).chain(self.to);
        let mut points: Vec<Point> = Vec::new();
        for point in all {
            if points.last() == Some(&point) {
                continue;
            }
            if let [.., a, b] = points[..] {
                let straight =
                    (a.x == b.x && b.x == point.x) || (a.y == b.y && b.y == point.y);
                if straight {
                    points.pop();
                }
            }
            points.push(point);
        }
        if points.len() < 2 {
            return Route::default();
        }
        let lanes = vec![0.0; points.len() - 1];
        Route { points, lanes, source: self.source, target: self.target }
    }
}

fn axis_index(axis: Axis) -> usize {
    match axis {
        Axis::X => 0,
        Axis::Y => 1,
    }
}

/// Entering a group near its corner looks like an accident.
pub fn corner_cost(router: &Router<'_>, group: BoxId, joint: u32) -> f64 {
    let joint = &router.net.joints[joint as usize];
    let center = router.places.boxes[group].center();
    ((joint.x - center.x).abs() + (joint.y - center.y).abs()) / 4.0
}

/// What is still to come at least: the distance to a rectangle, and the bends without which
/// no way leads there in this direction.
fn least_rest(x: f64, y: f64, side: Side, rect: &Rect) -> f64 {
    let beyond = |at: f64, lo: f64, hi: f64| (lo - at).max(at - hi).max(0.0);
    let (dx, dy) = (beyond(x, rect.x, rect.right()), beyond(y, rect.y, rect.bottom()));
    let (aside, past) = match side {
        Side::Left => (dy, x < rect.x),
        Side::Right => (dy, x > rect.right()),
        Side::Top => (dx, y < rect.y),
        Side::Bottom => (dx, y > rect.bottom()),
    };
    let bends = if past {
        2.0
    } else if aside > 0.0 {
        1.0
    } else {
        0.0
    };
    dx + dy + BEND * bends
}
