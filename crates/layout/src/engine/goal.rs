//! What a search for a way looks for: a port, the inside of a group, or its outside.

use topomotion_scene::Rect;

use crate::engine::axis::Side;
use crate::engine::grid::Places;
use crate::engine::lines::NONE;
use crate::engine::route::{NOWHERE, Router, corner_cost};
use crate::engine::tree::{BoxId, Tree};

/// What a search looks for.
#[derive(Debug)]
pub struct Goal {
    /// Where it ends.
    pub target: BoxId,
    /// What is to be reached, for estimates.
    pub rect: Rect,
    /// Whether both ends are one box: then it leaves and arrives by different axes.
    pub is_loop: bool,
    /// When the search is over.
    pub kind: GoalKind,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum GoalKind {
    /// A port of a leaf.
    Port,
    /// Any joint inside a group.
    Inside,
    /// Any joint outside a group.
    Outside,
}

impl Goal {
    /// What an edge's search looks for.
    pub fn new(tree: &Tree, places: &Places, source: BoxId, target: BoxId) -> Goal {
        let kind = if !tree.is_container(target) {
            GoalKind::Port
        } else if source != target && tree.is_within(source, target) {
            GoalKind::Outside
        } else {
            GoalKind::Inside
        };
        let rect = match kind {
            // Seen from inside, every border is equally far: nothing is known.
            GoalKind::Outside => places.boxes[tree.root].grown(40.0),
            _ => places.boxes[target],
        };
        Goal { target, rect, is_loop: source == target, kind }
    }

    /// Whether a state ends the search.
    pub fn is_met(&self, router: &Router<'_>, joint: u32, side: Side, from: u32) -> bool {
        let region = router.net.joints[joint as usize].region;
        match self.kind {
            GoalKind::Port => router.net.ports[self.target].iter().any(|port| {
                port.joint == joint
                    && port.side == side.opposite()
                    && (!self.is_loop || port.side.axis() == router.main)
            }),
            GoalKind::Inside => {
                from != NOWHERE
                    && router.tree.is_within(region, self.target)
                    && (!self.is_loop || side.axis() == router.main)
            }
            GoalKind::Outside => !router.tree.is_within(region, self.target),
        }
    }

    /// What reaching a joint costs beyond the way to it, if it is a goal.
    pub fn arrival_cost(&self, router: &Router<'_>, joint: u32, side: Side) -> f64 {
        let here = &router.net.joints[joint as usize];
        match self.kind {
            GoalKind::Port => {
                if here.links.iter().filter(|&&link| link != NONE).count() > 1 {
                    return 0.0;
                }
                router.side_cost(self.target, side.opposite())
            }
            GoalKind::Inside | GoalKind::Outside => {
                let inside = router.tree.is_within(here.region, self.target);
                if inside == (self.kind == GoalKind::Inside) {
                    corner_cost(router, self.target, joint)
                        + router.side_cost(self.target, side.opposite())
                } else {
                    0.0
                }
            }
        }
    }
}
