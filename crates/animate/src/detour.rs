//! A line between two processes that keeps clear of all others.
//!
//! The shortest way with the fewest bends on a grid of lines beside every node near by
//! (Dijkstra). To cross a node is not forbidden, only dearer than any way around.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use topomotion_scene::{Point, Rect, Scene};

/// Between a line and the nodes that it passes, px.
const GAP: f64 = 14.0;
/// How far around its ends a way is looked for, px.
const ROOM: f64 = 260.0;
/// What a bend costs, px of length.
const BEND: f64 = 60.0;
/// What a node in the way costs.
const THROUGH: f64 = 3_000.0;
/// What a label or a title in the way costs.
const OVER_WORDS: f64 = 90.0;
/// Grids larger than this are not searched.
const MOST_POINTS: usize = 20_000;

/// What stands in the way of a line.
pub(crate) struct Obstacles {
    /// Other nodes.
    pub nodes: Vec<Rect>,
    /// Labels and titles.
    pub words: Vec<Rect>,
}

/// Corners from the border of `a` to the border of `b`; `None` where there is no room.
pub(crate) fn detour(
    scene: &Scene,
    a: Rect,
    b: Rect,
    obstacles: &Obstacles,
) -> Option<Vec<Point>> {
    let grid = Grid::new(scene, a, b, &obstacles.nodes)?;
    let points = grid.walk(a.center(), b.center(), |from, to| {
        let leg = leg(from, to);
        let hits =
            |rects: &[Rect]| rects.iter().filter(|rect| rect.overlaps(&leg)).count();
        let nodes = THROUGH * hits(&obstacles.nodes) as f64;
        leg.width + leg.height + nodes + OVER_WORDS * hits(&obstacles.words) as f64
    })?;
    let mut corners = clipped(a, &points);
    corners.reverse();
    let mut corners = clipped(b, &corners);
    corners.reverse();
    (corners.len() > 1).then_some(corners)
}

fn leg(a: Point, b: Point) -> Rect {
    Rect::new(a.x.min(b.x), a.y.min(b.y), (a.x - b.x).abs(), (a.y - b.y).abs())
}

/// The part of a line outside the rectangle that it begins in.
fn clipped(rect: Rect, points: &[Point]) -> Vec<Point> {
    let inside = |point: &Point| {
        rect.x <= point.x
            && point.x <= rect.right()
            && rect.y <= point.y
            && point.y <= rect.bottom()
    };
    let Some(first) = points.iter().position(|point| !inside(point)) else {
        return Vec::new();
    };
    let out = points[first];
    let last = points[first.saturating_sub(1)];
    let border = Point::new(
        if out.x == last.x { last.x } else { out.x.clamp(rect.x, rect.right()) },
        if out.y == last.y { last.y } else { out.y.clamp(rect.y, rect.bottom()) },
    );
    let mut corners = vec![border];
    corners.extend(&points[first..]);
    corners
}

struct Grid {
    xs: Vec<f64>,
    ys: Vec<f64>,
}

impl Grid {
    fn new(scene: &Scene, a: Rect, b: Rect, nodes: &[Rect]) -> Option<Grid> {
        let room = a.union(&b).grown(ROOM);
        let near = nodes.iter().filter(|rect| rect.overlaps(&room));
        let (mut xs, mut ys) = (Vec::new(), Vec::new());
        for rect in near.chain([&a, &b]) {
            xs.extend([rect.x - GAP, rect.right() + GAP]);
            ys.extend([rect.y - GAP, rect.bottom() + GAP]);
        }
        let within = |lines: &mut Vec<f64>, size: f64| {
            lines.retain(|at| GAP / 2.0 <= *at && *at <= size - GAP / 2.0);
        };
        within(&mut xs, scene.size.width);
        within(&mut ys, scene.size.height);
        for end in [a.center(), b.center()] {
            xs.push(end.x);
            ys.push(end.y);
        }
        for lines in [&mut xs, &mut ys] {
            lines.sort_by(f64::total_cmp);
            lines.dedup();
        }
        (xs.len() * ys.len() <= MOST_POINTS).then_some(Grid { xs, ys })
    }

    fn point(&self, place: usize) -> Point {
        let columns = self.xs.len();
        Point::new(self.xs[place % columns], self.ys[place / columns])
    }

    fn place(&self, point: Point) -> Option<usize> {
        let x = self.xs.iter().position(|x| *x == point.x)?;
        let y = self.ys.iter().position(|y| *y == point.y)?;
        Some(y * self.xs.len() + x)
    }

    /// The cheapest way: its ends and corners.
    fn walk(
        &self,
        from: Point,
        to: Point,
        cost: impl Fn(Point, Point) -> f64,
    ) -> Option<Vec<Point>> {
        // Each point twice: reached across, reached up or down.
        let (start, goal) = (self.place(from)?, self.place(to)?);
        let states = self.xs.len() * self.ys.len() * 2;
        let mut best = vec![(u64::MAX, usize::MAX); states];
        let mut queue = BinaryHeap::new();
        for state in [start * 2, start * 2 + 1] {
            best[state] = (0, usize::MAX);
            queue.push(Reverse((0_u64, state)));
        }
        while let Some(Reverse((so_far, state))) = queue.pop() {
            if best[state].0 < so_far {
                continue;
            }
            let (place, axis) = (state / 2, state % 2);
            if place == goal {
                return Some(self.corners(state, &best));
            }
            for (next, next_axis) in self.neighbours(place) {
                let bend = if axis == next_axis { 0.0 } else { BEND };
                let price = bend + cost(self.point(place), self.point(next));
                // Whole numbers compare the same everywhere.
                let total = so_far + (price * 8.0) as u64;
                let next = next * 2 + next_axis;
                if total < best[next].0 {
                    best[next] = (total, state);
                    queue.push(Reverse((total, next)));
                }
            }
        }
        None
    }

    /// Points beside a point, and the axis along which each is reached.
    fn neighbours(&self, place: usize) -> impl Iterator<Item = (usize, usize)> {
        let columns = self.xs.len();
        let (x, y) = (place % columns, place / columns);
        let across = [
            (x > 0).then(|| (place - 1, 0)),
            (x + 1 < columns).then(|| (place + 1, 0)),
            (y > 0).then(|| (place - columns, 1)),
            (y + 1 < self.ys.len()).then(|| (place + columns, 1)),
        ];
        across.into_iter().flatten()
    }

    fn corners(&self, last: usize, best: &[(u64, usize)]) -> Vec<Point> {
        let mut corners = vec![self.point(last / 2)];
        let mut state = last;
        while let Some(before) = Some(best[state].1).filter(|state| *state != usize::MAX)
        {
            // A corner stands where the axis changes.
            if before % 2 != state % 2 {
                corners.push(self.point(before / 2));
            }
            state = before;
        }
        corners.push(self.point(state / 2));
        corners.reverse();
        corners.dedup();
        corners
    }
}
