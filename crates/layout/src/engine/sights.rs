//! Which gaps the things of a sketch need because they see one another.
//!
//! Every thing gets an extent across the axis; a sweep finds the pairs with a line of sight;
//! each such pair needs a gap that depends on what the two are.

use crate::engine::route::Contact;
use crate::engine::space::{Across, At, Builder, SMALL};
use crate::engine::sweep::{Extent, visible_pairs};
use crate::engine::tree::BoxId;

/// What a thing is, for the gap that it needs.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    Node,
    /// The lower border of a group.
    Lower(BoxId),
    /// The upper border of a group.
    Upper(BoxId),
    Title(BoxId),
    Segment,
    Label,
}

/// A thing with an extent along the axis and one across it.
struct Item {
    kind: Kind,
    rank: f64,
    end_rank: f64,
    lo: At,
    hi: At,
    across: Extent,
}

/// Room around things across the axis when coordinates are known. Less than half of the
/// smallest gap: what has been spaced along one axis is not spaced again along the other.
const AROUND: f64 = 3.0;
impl Builder<'_> {
    /// Gaps between things that see one another along the axis.
    pub fn sights(&mut self) {
        let mut items = self.items();
        items.sort_by(|a, b| a.rank.total_cmp(&b.rank));
        let extents: Vec<Extent> = items.iter().map(|item| item.across).collect();
        for (a, b) in visible_pairs(&extents) {
            let (a, b) = (&items[a], &items[b]);
            if a.end_rank < b.rank && a.hi.var != b.lo.var {
                let by = self.distance(a.kind, b.kind);
                let (from, to) = (a.hi, b.lo);
                if self.space.order[from.var] < self.space.order[to.var] {
                    self.gap(from, to, by);
                }
            }
        }
    }

    fn items(&self) -> Vec<Item> {
        let tree = self.sketch.tree;
        let mut items = Vec::new();
        let item = |kind, rank, end_rank, lo, hi, across| Item {
            kind,
            rank,
            end_rank,
            lo,
            hi,
            across,
        };
        for id in 0..tree.root {
            let (lo, hi) = (self.lo(id), self.hi(id));
            let (first, last) = (self.ranks.lo[id], self.ranks.hi[id]);
            let across = self.box_across(id);
            if tree.is_container(id) {
                items.push(item(Kind::Lower(id), first, first, lo, lo, across));
                items.push(item(Kind::Upper(id), last, last, hi, hi, across));
                if let Some(var) = self.space.title[id] {
                    let (first, last) = (self.ranks.title[id], self.ranks.title_end[id]);
                    let hi = At { var, offset: self.axis.extent(tree.title[id]) };
                    let lo = At { var, offset: 0.0 };
                    let across = self.title_across(id);
                    items.push(item(Kind::Title(id), first, last, lo, hi, across));
                }
            } else {
                items.push(item(Kind::Node, first, last, lo, hi, across));
            }
        }
        for (edge, route) in self.sketch.routes.iter().enumerate() {
            for segment in 0..route.segments() {
                if route.axis(segment) == self.axis {
                    continue;
                }
                let rank = self.ranks.segments[edge][segment];
                let at = At { var: self.space.segments[edge][segment], offset: 0.0 };
                let across = self.segment_across(edge, segment);
                items.push(item(Kind::Segment, rank, rank, at, at, across));
            }
            if let (Some(lo), Some(size)) =
                (self.space.labels[edge], self.sketch.labels[edge])
            {
                let rank = self.ranks.labels[edge];
                let hi = At { offset: lo.offset + self.axis.extent(size), ..lo };
                let across = self.label_across(edge);
                items.push(item(Kind::Label, rank, rank, lo, hi, across));
            }
        }
        items
    }

    fn box_across(&self, id: BoxId) -> Extent {
        match self.across {
            Across::Ranks(other) => Extent::around(other.lo[id], other.hi[id], 0.25),
            Across::Coordinates(_) => {
                let (rect, cross) = (&self.sketch.places.boxes[id], self.axis.cross());
                Extent::around(cross.lo(rect), cross.hi(rect), AROUND)
            }
        }
    }

    fn title_across(&self, id: BoxId) -> Extent {
        match self.across {
            Across::Ranks(other) => {
                Extent::around(other.title[id], other.title_end[id], 0.25)
            }
            Across::Coordinates(_) => {
                let (rect, cross) = (&self.sketch.places.titles[id], self.axis.cross());
                Extent::around(cross.lo(rect), cross.hi(rect), AROUND)
            }
        }
    }

    fn label_across(&self, edge: usize) -> Extent {
        match self.across {
            Across::Ranks(other) => {
                Extent::around(other.labels[edge], other.labels[edge], 0.25)
            }
            Across::Coordinates(labels) => {
                let (lo, hi) = labels[edge].unwrap_or_default();
                Extent::around(lo, hi, AROUND)
            }
        }
    }

    /// A segment reaches from corner to corner; where it ends at a node, it ends just short
    /// of it, so that the node is not in its way.
    fn segment_across(&self, edge: usize, segment: usize) -> Extent {
        let a = self.segment_end(edge, segment, segment);
        let b = self.segment_end(edge, segment, segment + 1);
        let around = match self.across {
            Across::Ranks(_) => 0.25,
            Across::Coordinates(_) => AROUND,
        };
        Extent::around(a.min(b), a.max(b), around)
    }

    fn segment_end(&self, edge: usize, segment: usize, point: usize) -> f64 {
        let route = &self.sketch.routes[edge];
        let cross = self.axis.cross();
        let contact = if point == 0 {
            route.source
        } else if point == route.segments() {
            route.target
        } else {
            None
        };
        let leaf = contact.filter(|contact| !self.sketch.tree.is_container(contact.id));
        let sign = |contact: Contact| if contact.side.is_far() { 1.0 } else { -1.0 };
        match self.across {
            Across::Coordinates(_) => {
                let at = cross.of(route.points[point]);
                at + leaf.map_or(0.0, |contact| sign(contact) * (SMALL - 1.0))
            }
            Across::Ranks(other) => match contact {
                Some(contact) => {
                    let far = contact.side.is_far();
                    let ranks = if far { &other.hi } else { &other.lo };
                    let out = leaf.map_or(0.0, |contact| sign(contact) * 0.6);
                    ranks[contact.id] + out
                }
                None => {
                    let next = if point == segment { segment - 1 } else { point };
                    other.segments[edge][next]
                }
            },
        }
    }

    /// The gap that two things need, the first before the second.
    fn distance(&self, first: Kind, second: Kind) -> f64 {
        let spacing = self.sketch.spacing;
        match (first, second) {
            (Kind::Node, Kind::Node) => spacing.between_nodes.min(spacing.between_rows),
            (Kind::Segment, Kind::Segment) => spacing.lane,
            (Kind::Node, Kind::Segment) | (Kind::Segment, Kind::Node) => {
                spacing.clearance
            }
            (Kind::Lower(_), Kind::Lower(_) | Kind::Node)
            | (Kind::Upper(_) | Kind::Node, Kind::Upper(_)) => spacing.padding,
            (Kind::Upper(_) | Kind::Node, Kind::Lower(_))
            | (Kind::Upper(_), Kind::Node) => spacing.between_groups,
            (Kind::Lower(_) | Kind::Upper(_), Kind::Segment)
            | (Kind::Segment, Kind::Lower(_) | Kind::Upper(_)) => {
                (spacing.clearance - 2.0).max(SMALL)
            }
            _ => SMALL,
        }
    }
}
