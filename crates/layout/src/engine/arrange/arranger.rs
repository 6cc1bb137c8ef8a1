//! The picture as it is built: rows of the members that have a place already.

use crate::engine::arrange::frame::{Frame, Link};
use crate::engine::arrange::{Aim, is_plain_row, round_leaves};
use crate::engine::grid::{Grid, Places, Sense};
use crate::engine::rank::rank;
use crate::engine::tree::{BoxId, Rows, Tree};
use crate::graph::Effort;

/// Rounds over the members of a container in a sweep.
const ROUNDS: usize = 3;
/// Sweeps over all containers for the first edges.
const SWEEPS: usize = 3;
/// Most work for moves; one unit is one look at an edge. In a picture of some thousand nodes
/// the search ends before everything was tried.
const WORK: u64 = 1_500_000_000;

/// Who has which place so far.
#[derive(Debug)]
pub struct Arranger<'a> {
    grid: &'a Grid<'a>,
    aim: Aim,
    /// The tree; rows hold the boxes that have a place already.
    tree: Tree,
    /// The members of each container, in the script's order.
    members: Vec<Vec<BoxId>>,
    /// Containers whose members have to stay in their rows.
    is_fixed: Vec<bool>,
    has_place: Vec<bool>,
    /// For each container, the edges that leave one of its members.
    reach: Vec<Vec<Link>>,
    /// Places for the rows as they are; none if rows changed since.
    places: Option<Places>,
    /// Place of a member among its siblings; only for the container at hand.
    index: Vec<Option<usize>>,
    /// What a move has to gain beyond what is noticeable.
    least_gain: f64,
    work: u64,
}

impl<'a> Arranger<'a> {
    /// Nobody has a place yet, but where the author or the number of nodes leaves no choice.
    pub fn new(grid: &'a Grid<'a>, aim: Aim) -> Arranger<'a> {
        let mut tree = grid.tree.clone();
        round_leaves(&mut tree);
        let boxes = tree.root + 1;
        let members: Vec<Vec<BoxId>> =
            (0..boxes).map(|id| tree.members(id).collect()).collect();
        let is_fixed: Vec<bool> =
            (0..boxes).map(|id| tree.given[id] || is_plain_row(&tree, id)).collect();
        let mut has_place = vec![false; boxes];
        for id in 0..boxes {
            if is_fixed[id] {
                members[id].iter().for_each(|&member| has_place[member] = true);
            } else {
                tree.rows[id].clear();
            }
        }
        Arranger {
            grid,
            aim,
            tree,
            members,
            is_fixed,
            has_place,
            reach: vec![Vec::new(); boxes],
            places: None,
            index: vec![None; boxes],
            least_gain: 0.0,
            work: 0,
        }
    }

    /// Whether all was tried.
    pub fn effort(&self) -> Effort {
        if self.work > WORK { Effort::CutShort } else { Effort::Whole }
    }

    /// The rows of every container.
    pub fn into_rows(self) -> Vec<Rows> {
        self.tree.rows
    }

    /// The first edges, all at once.
    pub fn start(&mut self, edges: &[(BoxId, BoxId)]) {
        for &(source, target) in edges {
            for end in [source, target] {
                let path = self.tree.path(end, self.tree.root);
                path.into_iter().for_each(|id| self.has_place[id] = true);
            }
            for (id, link) in links(&self.tree, source, target) {
                self.reach[id].push(link);
            }
        }
        for id in (0..=self.tree.root).filter(|&id| !self.is_fixed[id]) {
            let members = self.members[id].iter().copied();
            let present: Vec<BoxId> = members.filter(|&m| self.has_place[m]).collect();
            if !present.is_empty() {
                self.tree.rows[id] = vec![present];
            }
        }
        let mut tree = self.tree.clone();
        tree.ends = edges.iter().map(|&ends| Some(ends)).collect();
        let grid = Grid { tree: &tree, ..*self.grid };
        self.tree.rows = rank(&grid, self.aim.shapes, &self.is_fixed);
        if self.aim.sense == Sense::Backward {
            for id in (0..=self.tree.root).filter(|&id| !self.is_fixed[id]) {
                self.tree.rows[id].reverse();
            }
        }
        self.places = None;
        let mut sweeps = 0;
        while sweeps < SWEEPS && self.sweep() {
            sweeps += 1;
        }
    }

    /// One more edge: its ends get a place, and what holds them may move.
    pub fn add(&mut self, source: BoxId, target: BoxId) {
        let links = links(&self.tree, source, target);
        if links.is_empty() {
            // One end is the other, or around it.
            return [source, target].into_iter().for_each(|end| self.settle(end));
        }
        for (id, link) in links {
            self.settle(id);
            self.reach[id].push(link);
            let ends = [Some(link.member), link.other]
                .map(|end| end.map(|member| (member, self.has_place[member])));
            ends.iter().flatten().for_each(|&(member, _)| self.insert(id, member));
            for &(member, had_place) in ends.iter().flatten() {
                if had_place {
                    self.improve(id, member);
                }
            }
        }
    }

    /// What no edge reached gets a place, too.
    pub fn complete(&mut self) {
        for index in 0..self.tree.containers.len() {
            let id = self.tree.containers[index];
            for at in 0..self.members[id].len() {
                self.insert(id, self.members[id][at]);
            }
        }
    }

    /// All may move once more, for a gain that is so much more than noticeable.
    pub fn polish(&mut self, least_gain: f64) {
        self.least_gain = least_gain;
        self.sweep();
    }

    /// Gives a box, and all around it, a place.
    fn settle(&mut self, id: BoxId) {
        for member in self.tree.path(id, self.tree.root) {
            self.insert(self.tree.parent[member], member);
        }
    }

    fn insert(&mut self, id: BoxId, member: BoxId) {
        if std::mem::replace(&mut self.has_place[member], true) {
            return;
        }
        // At the end of the last row for a start, so that it has a size.
        match self.tree.rows[id].last_mut() {
            Some(row) => row.push(member),
            None => self.tree.rows[id].push(vec![member]),
        }
        self.places = None;
        self.change(id, |frame| {
            frame.insert(member);
            true
        });
    }

    fn improve(&mut self, id: BoxId, member: BoxId) {
        self.change(id, |frame| frame.improve_member(member));
    }

    /// All members of all containers may move, from the outside in; whether one did.
    fn sweep(&mut self) -> bool {
        let mut changed = false;
        for index in 0..self.tree.containers.len() {
            let id = self.tree.containers[index];
            if !self.reach[id].is_empty() {
                changed |= self.change(id, |frame| frame.improve_all(ROUNDS));
            }
        }
        changed
    }

    /// Works on one container; `work` says whether it changed anything.
    fn change(&mut self, id: BoxId, work: impl FnOnce(&mut Frame<'_>) -> bool) -> bool {
        if self.tree.members(id).nth(1).is_none() || self.work > WORK {
            return false;
        }
        let grid = Grid { tree: &self.tree, ..*self.grid };
        let places = self.places.get_or_insert_with(|| grid.places());
        let mut frame =
            Frame::new(&grid, places, &self.reach[id], &mut self.index, id, self.aim);
        frame.is_fixed = self.is_fixed[id];
        frame.least_gain = self.least_gain;
        frame.most_work = WORK - self.work;
        let changed = work(&mut frame);
        let (rows, work) = (frame.rows(), frame.work);
        self.work += work;
        if changed {
            self.tree.rows[id] = rows;
            self.places = None;
        }
        changed
    }
}

/// An edge as the containers around its ends see it: first the one that holds both, then those
/// around the source, then those around the target, each from the outside in. None, if one end
/// is the other or around it.
fn links(tree: &Tree, source: BoxId, target: BoxId) -> Vec<(BoxId, Link)> {
    let Some((common, a, b)) = tree.branch(source, target) else { return Vec::new() };
    let link =
        Link { inner: source, outer: target, member: a, other: Some(b), leaves: true };
    let mut links = vec![(common, link)];
    for (inner, outer, top) in [(source, target, a), (target, source, b)] {
        for member in tree.path(inner, top) {
            let leaves = inner == source;
            let link = Link { inner, outer, member, other: None, leaves };
            links.push((tree.parent[member], link));
        }
    }
    links
}
