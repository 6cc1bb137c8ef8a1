//! The stage: runs the world, shows every event to the judge, and knows when it is quiet.

use topomotion_model::ProcessId;
use topomotion_trace::{Event, Trace, What};
use topomotion_wire::{Duration, Instant};

use super::cluster::Cluster;
use crate::{ClusterPlan, Judge, Limits, Observer, Registration};

pub(super) struct Stage<'a> {
    pub cluster: Cluster<'a>,
    pub judge: &'a mut dyn Judge,
    limits: &'a Limits,
    observer: Observer,
    /// Events of the trace that the judge has seen.
    shown: usize,
    /// When something other than routine last happened.
    last_news: Instant,
    /// Nothing happens after this.
    end: Instant,
}

/// Why the stage stopped before it got where it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    /// The time given for it was over.
    Late,
    /// The whole run's limit was reached.
    Limit(String),
}

impl<'a> Stage<'a> {
    pub fn new(
        plan: &'a ClusterPlan,
        seed: u64,
        limits: &'a Limits,
        judge: &'a mut dyn Judge,
    ) -> Stage<'a> {
        Stage {
            cluster: Cluster::new(plan, seed),
            judge,
            limits,
            observer: Observer::new(),
            shown: 0,
            last_news: Instant::ZERO,
            end: after(Instant::ZERO, limits.setup_ms),
        }
    }

    pub fn now(&self) -> Instant {
        self.cluster.world.now()
    }

    /// Writes down something that is not the world's own doing.
    pub fn note(&mut self, what: What) {
        let now = self.now();
        self.cluster.world.recorder.note(now, what);
        self.show();
    }

    /// Shows the judge what is new. Returns whether anything was.
    pub fn show(&mut self) -> bool {
        let events = self.cluster.world.recorder.events();
        let new = &events[self.shown..];
        let is_state = new.iter().any(|event| matches!(event.what, What::State(_)));
        if new.iter().any(is_news) {
            self.last_news = self.cluster.world.now();
        }
        for event in new {
            self.judge.see(event);
            self.observer.see(event);
        }
        self.shown = events.len();
        is_state
    }

    /// Lets the world run until `done` holds, for at most `ms`. It is asked at first and
    /// whenever a state has changed or an event has been handled.
    pub fn run_until(
        &mut self,
        ms: u64,
        mut done: impl FnMut(&Stage<'a>) -> bool,
    ) -> Result<(), Stop> {
        let late = after(self.now(), ms);
        loop {
            self.show();
            if done(self) {
                return Ok(());
            }
            self.check_limits()?;
            let limit = late.min(self.end);
            if !self.cluster.world.step(limit) {
                self.show();
                self.check_limits()?;
                return if done(self) { Ok(()) } else { Err(Stop::Late) };
            }
        }
    }

    /// Lets time pass.
    pub fn pass(&mut self, ms: u64) -> Result<(), Stop> {
        match self.run_until(ms, |_| false) {
            Err(Stop::Late) => Ok(()),
            other => other,
        }
    }

    /// Lets the world run until nothing but routine has happened for `ms`, and not before
    /// `earliest`.
    pub fn run_until_quiet(&mut self, ms: u64, earliest: Instant) -> Result<(), Stop> {
        loop {
            let quiet = after(self.last_news, ms).max(earliest);
            let now = self.now();
            if quiet <= now {
                return Ok(());
            }
            self.pass(quiet.since(now).as_micros().div_ceil(1_000))?;
        }
    }

    /// From now on the story's limit counts, and the trace begins anew.
    pub fn raise_curtain(&mut self) -> Trace {
        let now = self.now();
        self.end = after(now, self.limits.story_ms);
        self.shown = 0;
        self.cluster.world.recorder.begin_anew(now)
    }

    /// Whether there is nothing left to recover: every partition with a living replica is
    /// led, and every living replica is in its ISR. While the network is cut or a process
    /// stands still there is nothing to wait for.
    pub fn is_whole(&self) -> bool {
        if self.cluster.world.is_hindered() {
            return true;
        }
        self.cluster.plan.topics.iter().all(|topic| {
            (0..topic.assignment.len()).all(|partition| {
                let name = format!("{}-{partition}", topic.name);
                self.observer.registration(&name).is_none_or(|now| self.is_recovered(now))
            })
        })
    }

    fn is_recovered(&self, now: &Registration) -> bool {
        let mut living = now.replicas.iter().filter(|process| {
            let host = self.cluster.host(&ProcessId((*process).clone()));
            host.is_some_and(|host| self.cluster.world.machine(host).is_some())
        });
        let leads =
            |process: &&std::sync::Arc<str>| now.leader.as_ref() == Some(*process);
        let led =
            living.clone().next().is_none() || living.clone().any(|one| leads(&one));
        led && living.all(|process| now.isr.contains(process))
    }

    fn check_limits(&self) -> Result<(), Stop> {
        if self.cluster.world.handled() >= self.limits.events {
            let events = self.limits.events;
            return Err(Stop::Limit(format!("the limit of {events} events was reached")));
        }
        if self.now() >= self.end {
            return Err(Stop::Limit("the limit of engine time was reached".to_owned()));
        }
        Ok(())
    }
}

/// A moment `ms` later.
pub(super) fn after(moment: Instant, ms: u64) -> Instant {
    moment + Duration::from_micros(ms.saturating_mul(1_000))
}

/// Whether an event is more than routine.
fn is_news(event: &Event) -> bool {
    match &event.what {
        What::Sent(packet) => packet.news,
        What::State(_)
        | What::Fault(_)
        | What::Opened { .. }
        | What::Closed { .. }
        | What::Lost(..)
        | What::Step { .. } => true,
        What::Curtain
        | What::Arrived(_)
        | What::Mark { .. }
        | What::Say { .. }
        | What::Flash { .. }
        | What::Verdict { .. } => false,
    }
}
