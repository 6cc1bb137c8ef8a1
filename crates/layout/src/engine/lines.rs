//! Pass 5, lines: the net on which edges may run.
//!
//! A *line* is a horizontal or vertical stretch of free space, as long as it can be: through
//! the middle of each gap between rows and between neighbours, along the inner sides of
//! each group, and straight out of the middle of each side of each node; besides, straight
//! from box to box where an edge joins two that face each other. Nodes and titles stop a
//! line, groups' borders do not. The *net* is where lines meet.
//!
//! Precondition: places as after the grid pass.
//! Postcondition: no line touches a node (but at its ends, at ports) or a title. A line that
//! passes through a group has a joint inside it, because the group's inner sides and its
//! first gap are lines; so whether a way enters a group can be seen from its joints alone.

use topomotion_scene::Rect;

use crate::engine::axis::{Axis, Side};
use crate::engine::grid::Places;
use crate::engine::strips::Strips;
use crate::engine::tree::RowsMode;
use crate::engine::tree::{BoxId, Tree};

/// No joint on that side.
pub const NONE: u32 = u32::MAX;
/// How near a line may come to a node that it passes.
const AWAY: f64 = 2.0;
/// A line that is so near to a group's border runs along it.
const BORDER: f64 = 1.0;
/// How far a line out of a node reaches beyond its group.
const BEYOND: f64 = 60.0;
/// How many coordinates are tried for a line that would run along a border.
const BORDER_STEPS: i32 = 6;
/// From a group's border to the line along its inner side.
const INSIDE: f64 = 6.0;
/// From a box to the lines around it, where there are no rows.
const OUTSIDE: f64 = 10.0;
/// A gap at the end of a row wider than this has a line along the box, too.
const WIDE: f64 = 40.0;
/// From a node's corner to its nearest port.
pub const PORT_INSET: f64 = 12.0;

/// Where two lines meet, or where a line meets a node's border.
#[derive(Debug, Clone, Copy)]
pub struct Joint {
    /// To the right.
    pub x: f64,
    /// Downwards.
    pub y: f64,
    /// The innermost box that holds it.
    pub region: BoxId,
    /// Next joints, by [`Side::index`].
    pub links: [u32; 4],
}

/// A place where an edge may leave or reach a box.
#[derive(Debug, Clone, Copy)]
pub struct Port {
    /// Joint on the box's border.
    pub joint: u32,
    /// Side of the box.
    pub side: Side,
}

/// The net.
#[derive(Debug, Clone, Default)]
pub struct Net {
    /// All joints.
    pub joints: Vec<Joint>,
    /// Ports of each leaf box.
    pub ports: Vec<Vec<Port>>,
}

/// A stretch of free space, with the boxes whose ports are at its ends.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Line {
    at: f64,
    lo: f64,
    hi: f64,
    from: Option<BoxId>,
    to: Option<BoxId>,
}

impl Line {
    /// Makes one line of two that overlap, lest a way change from one to the other on the
    /// spot: such a way would turn without a corner. `next` begins no sooner.
    fn takes_in(&mut self, next: &Line) -> bool {
        if self.at != next.at || next.lo > self.hi {
            return false;
        }
        if next.hi > self.hi {
            (self.hi, self.to) = (next.hi, next.to);
        }
        true
    }
}

/// Finds the lines of both axes and joins them.
pub fn net(tree: &Tree, places: &Places, main: Axis, rows: RowsMode) -> Net {
    let mut seeds = Seeds::new(tree, places, main);
    seeds.gaps();
    if rows == RowsMode::Free {
        seeds.outsides();
    }
    seeds.ports();
    seeds.straights();
    let [vertical, horizontal] = seeds.lines();
    join(tree, places, &vertical, &horizontal)
}

/// A point from which a line grows along an axis.
struct Seed {
    axis: Axis,
    at: f64,
    from: f64,
    /// The line ends where this box ends, if not before.
    within: BoxId,
}

struct Seeds<'a> {
    tree: &'a Tree,
    places: &'a Places,
    main: Axis,
    obstacles: Vec<(Rect, Option<BoxId>)>,
    /// Obstacles by their extents along x and y, with the room that lines keep.
    near: [Strips; 2],
    /// Groups by their borders' coordinates along x and y.
    borders: [Strips; 2],
    seeds: Vec<Seed>,
}

impl<'a> Seeds<'a> {
    fn new(tree: &'a Tree, places: &'a Places, main: Axis) -> Seeds<'a> {
        let mut obstacles = Vec::new();
        for id in 0..tree.root {
            if tree.is_container(id) {
                // Nothing passes between a title and the corner that it stands in, lest
                // it be pushed aside.
                let (rect, title) = (&places.boxes[id], &places.titles[id]);
                let corner = Rect::new(rect.x + 3.0, rect.y + 3.0, 0.0, 0.0);
                obstacles.push((corner.union(title), None));
            } else {
                obstacles.push((places.boxes[id], Some(id)));
            }
        }
        let near = [Axis::X, Axis::Y].map(|axis| {
            let extent =
                |(rect, _): &(Rect, _)| (axis.lo(rect) - AWAY, axis.hi(rect) + AWAY);
            Strips::new(obstacles.iter().map(extent))
        });
        let borders = [Axis::X, Axis::Y].map(|axis| {
            let groups = (tree.nodes..tree.root).map(|id| &places.boxes[id]);
            let around = |at: f64| (at - BORDER, at + BORDER);
            Strips::new(
                groups
                    .flat_map(move |rect| [around(axis.lo(rect)), around(axis.hi(rect))]),
            )
        });
        Seeds { tree, places, main, obstacles, near, borders, seeds: Vec::new() }
    }

    fn seed(&mut self, axis: Axis, at: f64, from: f64) {
        let within = self.tree.root;
        self.seeds.push(Seed { axis, at, from, within });
    }

    /// Lines through gaps and along inner sides.
    fn gaps(&mut self) {
        for &id in &self.tree.containers {
            let rect = self.places.boxes[id];
            let inside = if id == self.tree.root { -12.0 } else { INSIDE };
            self.seed(Axis::Y, rect.x + inside, rect.center().y);
            self.seed(Axis::Y, rect.right() - inside, rect.center().y);
            self.seed(Axis::X, rect.bottom() - inside, rect.center().x);
            let title = self.places.titles[id];
            let top = if id == self.tree.root { rect.y + inside } else { title.bottom() };
            let bands = self.bands(&self.tree.rows[id]);
            let members = bands.iter().copied().reduce(|a, b| a.union(&b));
            let below = members.map_or(top, |members| members.y);
            self.seed(Axis::X, (top + below) / 2.0, rect.center().x);
            let across = self.main.cross();
            for pair in bands.windows(2) {
                let middle = (self.main.hi(&pair[0]) + self.main.lo(&pair[1])) / 2.0;
                self.seed(across, middle, across.mid(&rect));
            }
            for row in &self.tree.rows[id] {
                self.row_gaps(&rect, row);
            }
        }
    }

    /// Gaps between neighbours, and beside the outermost where there is much room.
    fn row_gaps(&mut self, rect: &Rect, row: &[BoxId]) {
        let (main, cross) = (self.main, self.main.cross());
        let boxes: Vec<Rect> = row.iter().map(|&id| self.places.boxes[id]).collect();
        for pair in boxes.windows(2) {
            let middle = overlap_middle(main, &pair[0], &pair[1]);
            self.seed(main, (cross.hi(&pair[0]) + cross.lo(&pair[1])) / 2.0, middle);
        }
        if let (Some(first), Some(last)) = (boxes.first(), boxes.last()) {
            if cross.lo(first) - cross.lo(rect) > WIDE {
                self.seed(main, cross.lo(first) - WIDE / 3.0, main.mid(first));
            }
            if cross.hi(rect) - cross.hi(last) > WIDE {
                self.seed(main, cross.hi(last) + WIDE / 3.0, main.mid(last));
            }
        }
    }

    /// Lines around every box: where there are no rows, there are no gaps between them.
    fn outsides(&mut self) {
        for id in 0..self.tree.root {
            let rect = self.places.boxes[id];
            let outer = rect.grown(OUTSIDE);
            let center = rect.center();
            self.seed(Axis::Y, outer.x, center.y);
            self.seed(Axis::Y, outer.right(), center.y);
            self.seed(Axis::X, outer.y, center.x);
            self.seed(Axis::X, outer.bottom(), center.x);
        }
    }

    /// The bounding rectangle of each row.
    fn bands(&self, rows: &[Vec<BoxId>]) -> Vec<Rect> {
        let band = |row: &Vec<BoxId>| {
            let boxes = row.iter().map(|&id| self.places.boxes[id]);
            boxes.reduce(|a, b| a.union(&b)).unwrap_or_default()
        };
        rows.iter().map(band).collect()
    }

    /// Lines out of the middle of each side of each leaf, to just outside its group: an
    /// edge that wants to go farther takes the next gap.
    fn ports(&mut self) {
        for id in (0..self.tree.root).filter(|&id| !self.tree.is_container(id)) {
            let rect = self.places.boxes[id];
            let center = rect.center();
            let within = self.tree.parent[id];
            for (axis, at, from) in [
                (Axis::Y, center.x, rect.y),
                (Axis::Y, center.x, rect.bottom()),
                (Axis::X, center.y, rect.x),
                (Axis::X, center.y, rect.right()),
            ] {
                self.seeds.push(Seed { axis, at, from, within });
            }
        }
    }

    /// Lines through the common part of two boxes that an edge joins and that face
    /// each other. Whether something stands between shows when the line is grown.
    fn straights(&mut self) {
        let ends: Vec<(BoxId, BoxId)> =
            self.tree.ends.iter().flatten().copied().collect();
        for (source, target) in ends {
            if self.tree.is_container(source) || self.tree.is_container(target) {
                continue;
            }
            let (a, b) = (self.places.boxes[source], self.places.boxes[target]);
            for axis in [Axis::X, Axis::Y] {
                let cross = axis.cross();
                let lo = cross.lo(&a).max(cross.lo(&b)) + PORT_INSET;
                let hi = cross.hi(&a).min(cross.hi(&b)) - PORT_INSET;
                if lo <= hi {
                    let first = if axis.lo(&a) < axis.lo(&b) { &a } else { &b };
                    self.seed(axis, (lo + hi) / 2.0, axis.hi(first));
                }
            }
        }
    }

    /// Grows all seeds: vertical lines, horizontal lines, each sorted, and none over another.
    fn lines(&self) -> [Vec<Line>; 2] {
        [Axis::Y, Axis::X].map(|axis| {
            let seeds = self.seeds.iter().filter(|seed| seed.axis == axis);
            let mut lines: Vec<Line> = seeds.filter_map(|seed| self.grow(seed)).collect();
            lines.sort_by(|a, b| a.at.total_cmp(&b.at).then(a.lo.total_cmp(&b.lo)));
            lines.dedup_by(|next, line| line.takes_in(next));
            lines
        })
    }

    /// The nearest coordinate a little further on that is no group's border: a line that runs
    /// along a border would be neither inside nor outside.
    fn off_borders(&self, cross: Axis, at: f64) -> f64 {
        let on_border = |at: f64| {
            // Two borders each, in the order of groups.
            self.borders[cross as usize].at(at).any(|border| {
                let rect = &self.places.boxes[self.tree.nodes + border / 2];
                let border =
                    if border % 2 == 0 { cross.lo(rect) } else { cross.hi(rect) };
                (border - at).abs() < BORDER
            })
        };
        let mut steps = (0..BORDER_STEPS).map(|step| at + 1.5 * f64::from(step));
        steps.find(|&at| !on_border(at)).unwrap_or(at)
    }

    /// The longest free stretch through a seed; `None` if the seed itself is not free.
    fn grow(&self, seed: &Seed) -> Option<Line> {
        let room = if seed.within == self.tree.root { 20.0 } else { BEYOND };
        let bounds = &self.places.boxes[seed.within].grown(room);
        let seed = &Seed { at: self.off_borders(seed.axis.cross(), seed.at), ..*seed };
        let (axis, cross) = (seed.axis, seed.axis.cross());
        let mut line = Line {
            at: seed.at,
            lo: axis.lo(bounds),
            hi: axis.hi(bounds),
            from: None,
            to: None,
        };
        for index in self.near[cross as usize].at(seed.at) {
            let (rect, id) = &self.obstacles[index];
            if seed.at <= cross.lo(rect) - AWAY || seed.at >= cross.hi(rect) + AWAY {
                continue;
            }
            let faces = cross.lo(rect) + 1.0 < seed.at && seed.at < cross.hi(rect) - 1.0;
            let port = if faces { *id } else { None };
            let gap = if port.is_some() { 0.0 } else { AWAY };
            if axis.hi(rect) <= seed.from {
                if axis.hi(rect) + gap > line.lo {
                    (line.lo, line.from) = (axis.hi(rect) + gap, port);
                }
            } else if axis.lo(rect) >= seed.from {
                if axis.lo(rect) - gap < line.hi {
                    (line.hi, line.to) = (axis.lo(rect) - gap, port);
                }
            } else {
                return None;
            }
        }
        (line.hi - line.lo > 2.0).then_some(line)
    }
}

/// The middle of what two boxes have in common along an axis.
fn overlap_middle(axis: Axis, a: &Rect, b: &Rect) -> f64 {
    (axis.lo(a).max(axis.lo(b)) + axis.hi(a).min(axis.hi(b))) / 2.0
}

/// Makes a joint wherever a vertical and a horizontal line meet, and at every port.
fn join(tree: &Tree, places: &Places, vertical: &[Line], horizontal: &[Line]) -> Net {
    let mut net = Net { joints: Vec::new(), ports: vec![Vec::new(); tree.root + 1] };
    let mut columns: Vec<Vec<u32>> = vec![Vec::new(); vertical.len()];
    for (column, line) in vertical.iter().enumerate() {
        if let Some(id) = line.from {
            let joint = net.port(id, Side::Bottom, line.at, line.lo, tree);
            columns[column].push(joint);
        }
    }
    let groups: Vec<BoxId> =
        tree.containers.iter().copied().filter(|&id| id != tree.root).collect();
    let by_height = Strips::new(
        groups.iter().map(|&id| (places.boxes[id].y, places.boxes[id].bottom())),
    );
    for line in horizontal {
        // Groups at this height, outer before inner.
        let level = by_height.at(line.at).map(|index| groups[index]);
        let level: Vec<BoxId> =
            level.filter(|&id| holds(Axis::Y, &places.boxes[id], line.at)).collect();
        let region = |x: f64| {
            let inside = |id: &&BoxId| holds(Axis::X, &places.boxes[**id], x);
            level.iter().rev().find(inside).copied().unwrap_or(tree.root)
        };
        let mut row = Vec::new();
        if let Some(id) = line.from {
            row.push(net.port(id, Side::Right, line.lo, line.at, tree));
        }
        let first = vertical.partition_point(|v| v.at < line.lo);
        for (column, v) in vertical.iter().enumerate().skip(first) {
            if v.at > line.hi {
                break;
            }
            if v.lo < line.at && line.at < v.hi {
                let joint = net.add(v.at, line.at, region(v.at));
                row.push(joint);
                columns[column].push(joint);
            }
        }
        if let Some(id) = line.to {
            row.push(net.port(id, Side::Left, line.hi, line.at, tree));
        }
        net.chain(&row, Side::Right);
    }
    for (column, line) in vertical.iter().enumerate() {
        if let Some(id) = line.to {
            let joint = net.port(id, Side::Top, line.at, line.hi, tree);
            columns[column].push(joint);
        }
        net.chain(&columns[column], Side::Bottom);
    }
    net
}

impl Net {
    fn add(&mut self, x: f64, y: f64, region: BoxId) -> u32 {
        self.joints.push(Joint { x, y, region, links: [NONE; 4] });
        (self.joints.len() - 1) as u32
    }

    fn port(&mut self, id: BoxId, side: Side, x: f64, y: f64, tree: &Tree) -> u32 {
        let joint = self.add(x, y, tree.parent[id]);
        self.ports[id].push(Port { joint, side });
        joint
    }

    /// Links joints that follow one another towards `side`.
    fn chain(&mut self, joints: &[u32], side: Side) {
        for pair in joints.windows(2) {
            self.joints[pair[0] as usize].links[side.index()] = pair[1];
            self.joints[pair[1] as usize].links[side.opposite().index()] = pair[0];
        }
    }
}

/// Whether a coordinate lies within a rectangle.
fn holds(axis: Axis, rect: &Rect, at: f64) -> bool {
    axis.lo(rect) <= at && at <= axis.hi(rect)
}
