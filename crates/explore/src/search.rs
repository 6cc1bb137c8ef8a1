//! The search: from every state everything that can happen, each state once.
//!
//! States are taken in the order of engine time and, within a moment, of the number of
//! choices that lead to them. So the first way that is found to a state is the earliest, what
//! lies beyond the horizon is left out for good, and the way to a violation is the shortest of
//! the earliest.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use topomotion_wire::{Duration, Instant};

use crate::choice::{self, Choice, apply, choices};
use crate::evidence::Evidence;
use crate::invariants::{Finding, committed_of, judge};
use crate::scope::Scope;
use crate::setup::{Stage, beginning, set_up};
use crate::world::World;

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every state was visited, and none lies beyond the horizon.
    Exhausted,
    /// Every state before the horizon was visited. From so many of them time goes on beyond.
    Horizon(usize),
    /// As many states were visited as may be; so many waited to be.
    Bound(usize),
    /// An invariant is broken.
    Violation,
}

/// A broken invariant, and how to get there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    /// Which invariant, or `engine` where one of the engine's own assertions failed.
    pub invariant: &'static str,
    /// What is seen, in words.
    pub text: String,
    /// What happens, one line a choice, with the time at which it does.
    pub story: Vec<String>,
    /// The choices by number, for [`retell`].
    pub path: Vec<usize>,
}

/// What a search has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explored {
    /// States that were arrived at.
    pub visited: u64,
    /// Of these, different ones.
    pub distinct: usize,
    /// Choices that were followed.
    pub transitions: u64,
    /// The most choices that lead to a state on the first way found.
    pub deepest: u32,
    /// The most states that waited at the same time.
    pub widest: usize,
    /// How much engine time has passed in the latest state.
    pub latest: Duration,
    /// How it ended.
    pub ending: Ending,
    /// The first violation.
    pub broken: Option<Broken>,
}

/// How a state was first arrived at.
#[derive(Debug, Clone, Copy)]
struct Origin {
    parent: u32,
    choice: u32,
}

const NOWHERE: u32 = u32::MAX;

struct Search<'a> {
    scope: &'a Scope,
    stage: Stage,
    origins: Vec<Origin>,
    known: BTreeSet<u128>,
    /// States to go on from, by time, depth, and number.
    waiting: BTreeMap<(Instant, u32, u32), World>,
    beyond: usize,
    found: Explored,
}

/// Visits every state there is.
///
/// # Errors
/// When the scope is not tiny, or its settings do not let the cluster come up.
pub fn explore(scope: &Scope) -> Result<Explored, String> {
    scope.check()?;
    Ok(search_from(scope, set_up(scope)?))
}

fn search_from(scope: &Scope, stage: Stage) -> Explored {
    let world = stage.world.clone();
    let mut search = Search {
        scope,
        stage,
        origins: Vec::new(),
        known: BTreeSet::new(),
        waiting: BTreeMap::new(),
        beyond: 0,
        found: Explored {
            visited: 0,
            distinct: 0,
            transitions: 0,
            deepest: 0,
            widest: 0,
            latest: Duration::ZERO,
            ending: Ending::Exhausted,
            broken: None,
        },
    };
    search.arrive(world, Origin { parent: NOWHERE, choice: 0 }, 0);
    search.run();
    search.found
}

impl Search<'_> {
    fn run(&mut self) {
        while self.found.broken.is_none() {
            if self.found.distinct >= self.scope.states && !self.waiting.is_empty() {
                self.found.ending = Ending::Bound(self.waiting.len());
                return;
            }
            let Some(((_, depth, number), world)) = self.waiting.pop_first() else {
                if self.beyond > 0 {
                    self.found.ending = Ending::Horizon(self.beyond);
                }
                return;
            };
            self.expand(&world, depth, number);
        }
        self.found.ending = Ending::Violation;
    }

    fn expand(&mut self, world: &World, depth: u32, number: u32) {
        let mut went_on = true;
        let mut rings = 0;
        for (index, choice) in enumerate(world, &self.stage, self.scope) {
            let origin = Origin { parent: number, choice: index };
            if let Choice::Ring(_) = choice {
                rings += 1;
                if self.is_late(world) {
                    went_on = false;
                    continue;
                }
            }
            self.found.transitions += 1;
            match follow(world, choice, &self.stage, self.scope) {
                Ok(next) => self.arrive(next, origin, depth + 1),
                Err(text) => self.report(("engine", text), origin),
            }
            if self.found.broken.is_some() {
                return;
            }
        }
        if rings > 0 && !went_on {
            self.beyond += 1;
        }
    }

    fn is_late(&self, world: &World) -> bool {
        let end = beginning(&self.stage) + self.scope.horizon;
        world.next_timers().is_some_and(|(at, _)| at > end)
    }

    /// Takes a state in, unless it is known.
    fn arrive(&mut self, mut world: World, origin: Origin, depth: u32) {
        self.found.visited += 1;
        let finding = inspect(&mut world);
        if !self.known.insert(world.digest(self.stage.oldest)) {
            return;
        }
        let number = self.origins.len() as u32;
        self.origins.push(origin);
        let found = &mut self.found;
        found.distinct += 1;
        found.deepest = found.deepest.max(depth);
        found.latest = found.latest.max(world.now.since(beginning(&self.stage)));
        if let Some(finding) = finding {
            return self.report(finding, origin);
        }
        self.waiting.insert((world.now, depth, number), world);
        self.found.widest = self.found.widest.max(self.waiting.len());
    }

    fn report(&mut self, finding: Finding, origin: Origin) {
        let mut path = vec![origin.choice as usize];
        let mut parent = origin.parent;
        while let Some(before) = self.origins.get(parent as usize) {
            path.push(before.choice as usize);
            parent = before.parent;
        }
        // The beginning has no choice that led to it.
        path.pop();
        path.reverse();
        let (story, _) = walk(&self.stage, self.scope, &path);
        let (invariant, text) = finding;
        self.found.broken = Some(Broken { invariant, text, story, path });
    }
}

/// The choices of a state, numbered. A timer that does nothing but routine goes off before the
/// others of its moment: no order among them makes a difference.
fn enumerate(world: &World, stage: &Stage, scope: &Scope) -> Vec<(u32, Choice)> {
    let all: Vec<(u32, Choice)> = (0..).zip(choices(world, stage, scope)).collect();
    let is_ring = |choice: &Choice| matches!(choice, Choice::Ring(_));
    let rings = all.iter().filter(|(_, choice)| is_ring(choice));
    let is_quiet = world.heads().next().is_none();
    if !is_quiet || rings.clone().count() < 2 {
        return all;
    }
    let idle = rings.map(|(_, choice)| *choice).find(|choice| {
        let next = follow(world, *choice, stage, scope);
        next.is_ok_and(|next| !next.has_effect && next.heads().next().is_none())
    });
    let Some(idle) = idle else { return all };
    all.into_iter().filter(|(_, it)| !is_ring(it) || *it == idle).collect()
}

/// The state after a choice. An assertion of the engine that fails is a finding.
fn follow(
    world: &World,
    choice: Choice,
    stage: &Stage,
    scope: &Scope,
) -> Result<World, String> {
    let attempt = catch_unwind(AssertUnwindSafe(|| {
        let mut next = world.clone();
        apply(&mut next, choice, stage, scope);
        next
    }));
    attempt.map_err(|panic| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => {
            let text = panic.downcast_ref::<&str>();
            text.copied().unwrap_or("an assertion failed").to_owned()
        }
    })
}

/// Judges a state, then remembers what it calls committed.
fn inspect(world: &mut World) -> Option<Finding> {
    let evidence = Evidence::of(world);
    let finding = judge(&evidence).into_iter().next();
    let longest = evidence.nodes.iter().map(committed_of).max_by_key(|log| log.len());
    let longer = longest.filter(|log| log.len() > world.history.committed.len());
    if let Some(committed) = longer.map(<[_]>::to_vec) {
        Rc::make_mut(&mut world.history).committed = committed;
    }
    finding
}

/// Goes along a path: what happens, line by line, and what is broken in the end.
fn walk(stage: &Stage, scope: &Scope, path: &[usize]) -> (Vec<String>, Option<Finding>) {
    let mut world = stage.world.clone();
    let mut finding = inspect(&mut world);
    let mut story = Vec::new();
    for &index in path {
        let all = choices(&world, stage, scope);
        let Some(choice) = all.get(index).copied() else {
            story.push(format!("there are only {} choices here", all.len()));
            return (story, finding);
        };
        let passed = choice::passed(&world, beginning(stage));
        story.push(format!("{passed:>6} ms  {}", choice::tell(&world, choice)));
        match follow(&world, choice, stage, scope) {
            Ok(next) => world = next,
            Err(text) => return (story, Some(("engine", text))),
        }
        finding = inspect(&mut world);
    }
    (story, finding)
}

/// Goes along a path again: what happens, line by line, and what is broken in the end.
///
/// # Errors
/// As [`explore`].
pub fn retell(
    scope: &Scope,
    path: &[usize],
) -> Result<(Vec<String>, Option<Finding>), String> {
    scope.check()?;
    Ok(walk(&set_up(scope)?, scope, path))
}

#[cfg(test)]
mod tests;
