//! One container with its members in rows, and the edges that they take part in.

use crate::engine::arrange::Aim;
use crate::engine::arrange::cost::{Lines, Spot};
use crate::engine::grid::{Grid, Places, Sense};
use crate::engine::tree::{BoxId, Rows};

/// An edge as a container sees it.
#[derive(Debug, Clone, Copy)]
pub struct Link {
    /// Where it begins or ends in the container.
    pub inner: BoxId,
    /// Its other end.
    pub outer: BoxId,
    /// The member around the inner end.
    pub member: BoxId,
    /// The member around the outer end, if that is in the container, too.
    pub other: Option<BoxId>,
    /// Whether the edge leaves the inner end.
    pub leaves: bool,
}

/// A link by indices: where its ends stand in their members, or in the picture.
#[derive(Debug, Clone, Copy)]
pub struct Tie {
    pub member: usize,
    pub offset: Spot,
    pub other: Option<usize>,
    /// Offset in the other member, or the place of an end outside.
    pub other_offset: Spot,
    pub leaves: bool,
}

impl Tie {
    /// Whether the link begins or ends in a member.
    pub fn touches(&self, member: usize) -> bool {
        self.member == member || self.other == Some(member)
    }
}

/// Rows by indices of members.
pub type Order = Vec<Vec<usize>>;

/// A container at work.
#[derive(Debug)]
pub struct Frame<'a> {
    pub grid: &'a Grid<'a>,
    pub id: BoxId,
    /// 1 if sources stand first, else -1.
    pub sense: f64,
    /// Width by height that it should have.
    pub shape: f64,
    pub members: Vec<BoxId>,
    /// Extents along and across the main axis.
    pub extents: Vec<Spot>,
    pub rows: Order,
    /// Whether members have to stay in their rows.
    pub is_fixed: bool,
    pub ties: Vec<Tie>,
    /// Ties of each member.
    pub at: Vec<Vec<usize>>,
    pub center: Spot,
    /// Middles of members, for the rows as they are.
    pub middles: Vec<Spot>,
    pub lines: Lines,
    pub has_groups: bool,
    /// What a move has to gain beyond what is noticeable.
    pub least_gain: f64,
    /// Looks at edges so far, and how many there may be.
    pub work: u64,
    pub most_work: u64,
}

impl<'a> Frame<'a> {
    /// Looks at a container. `index` is scratch space.
    pub fn new(
        grid: &'a Grid<'a>,
        places: &Places,
        links: &[Link],
        index: &mut [Option<usize>],
        id: BoxId,
        aim: Aim,
    ) -> Frame<'a> {
        let (view, tree) = (View { grid, places }, grid.tree);
        let mut members: Vec<BoxId> = Vec::new();
        let mut rows: Order = Vec::new();
        for row in &tree.rows[id] {
            rows.push((members.len()..members.len() + row.len()).collect());
            members.extend(row);
        }
        // An end may have no place yet; its edge counts from when it has one.
        for link in links {
            index[link.member] = None;
            link.other.into_iter().for_each(|other| index[other] = None);
        }
        for (at, &member) in members.iter().enumerate() {
            index[member] = Some(at);
        }
        let ties: Vec<Tie> =
            links.iter().filter_map(|link| view.tie(link, index)).collect();
        let mut at = vec![Vec::new(); members.len()];
        for (index, tie) in ties.iter().enumerate() {
            at[tie.member].push(index);
            tie.other.into_iter().for_each(|other| at[other].push(index));
        }
        let mut frame = Frame {
            grid,
            id,
            sense: if aim.sense == Sense::Forward { 1.0 } else { -1.0 },
            shape: aim.shapes.wanted(tree, id),
            extents: members.iter().map(|&member| view.extent(member)).collect(),
            is_fixed: false,
            ties,
            at,
            center: view.middle(id),
            middles: vec![Spot::default(); members.len()],
            lines: Lines::default(),
            has_groups: members.iter().any(|&member| tree.is_group(member)),
            least_gain: 0.0,
            work: 0,
            most_work: u64::MAX,
            members,
            rows,
        };
        frame.place();
        frame
    }

    /// The rows, with boxes for indices.
    pub fn rows(&self) -> Rows {
        let row = |row: &Vec<usize>| row.iter().map(|&m| self.members[m]).collect();
        self.rows.iter().map(row).collect()
    }

    /// Where the members come to stand in these rows; extents of all along and across.
    pub fn place(&mut self) -> Spot {
        let gap = self.grid.row_gap();
        let cell = self.grid.cell_gap(self.members[0], self.members[0]);
        let mut whole = Spot { u: -gap, v: 0.0 };
        let wide = |row: &Vec<usize>, extents: &[Spot]| {
            row.iter().map(|&m| extents[m].v + cell).sum::<f64>() - cell
        };
        let high = |row: &Vec<usize>, extents: &[Spot]| {
            row.iter().map(|&m| extents[m].u).fold(0.0, f64::max)
        };
        for row in &self.rows {
            whole.u += high(row, &self.extents) + gap;
            whole.v = whole.v.max(wide(row, &self.extents));
        }
        let mut u = self.center.u - whole.u / 2.0;
        for row in &self.rows {
            let high = high(row, &self.extents);
            let mut v = self.center.v - wide(row, &self.extents) / 2.0;
            for &m in row {
                let extent = self.extents[m].v;
                self.middles[m] = Spot { u: u + high / 2.0, v: v + extent / 2.0 };
                v += extent + cell;
            }
            u += high + gap;
        }
        self.lines.fill(&self.ties, &self.middles);
        whole
    }
}

/// Boxes along and across the main axis.
#[derive(Debug, Clone, Copy)]
struct View<'a> {
    grid: &'a Grid<'a>,
    places: &'a Places,
}

impl View<'_> {
    fn middle(&self, id: BoxId) -> Spot {
        let (axis, rect) = (self.grid.axis, &self.places.boxes[id]);
        Spot { u: axis.mid(rect), v: axis.cross().mid(rect) }
    }

    fn extent(&self, id: BoxId) -> Spot {
        let (axis, rect) = (self.grid.axis, &self.places.boxes[id]);
        let cross = axis.cross();
        Spot { u: axis.hi(rect) - axis.lo(rect), v: cross.hi(rect) - cross.lo(rect) }
    }

    /// Where a box stands in a member.
    fn inside(&self, id: BoxId, member: BoxId) -> Spot {
        let (end, member) = (self.middle(id), self.middle(member));
        Spot { u: end.u - member.u, v: end.v - member.v }
    }

    /// The box itself, or what stands for it while it has no place.
    fn deepest(&self, id: BoxId) -> BoxId {
        let mut at = id;
        while self.places.boxes[at].width == 0.0 && at != self.grid.tree.root {
            at = self.grid.tree.parent[at];
        }
        at
    }

    fn tie(&self, link: &Link, index: &[Option<usize>]) -> Option<Tie> {
        let other = match link.other {
            Some(other) => Some(index[other]?),
            None => None,
        };
        Some(Tie {
            member: index[link.member]?,
            offset: self.inside(link.inner, link.member),
            other,
            other_offset: match link.other {
                Some(other) => self.inside(link.outer, other),
                None => self.middle(self.deepest(link.outer)),
            },
            leaves: link.leaves,
        })
    }
}
