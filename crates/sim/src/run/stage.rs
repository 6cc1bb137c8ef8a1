//! The stage: runs the world, shows every event to the judge, and knows when it is quiet.

use std::sync::Arc;

use topomotion_model::ProcessId;
use topomotion_trace::{Event, StateChange, Time, Trace, What};
use topomotion_wire::{Duration, Instant, TopicPartition};

use super::cluster::Cluster;
use super::probe::Probe;
use crate::{Judge, Limits, Observer, Registration, Sight};

pub(super) struct Stage<'a> {
    pub cluster: Cluster<'a>,
    pub judge: &'a mut dyn Judge,
    limits: &'a Limits,
    pub observer: Observer,
    probe: Probe,
    /// Events of the trace that the judge has seen.
    shown: usize,
    /// When something other than routine last happened.
    last_news: Instant,
    /// Nothing happens after this.
    end: Instant,
}

/// A log of which less was found than the trace has told of: the picture must not go on
/// showing what a host lost with its power or its disk.
fn less_than_told(told: &Observer, sight: &Sight) -> Option<StateChange> {
    let Sight::Found { process, partition, end } = sight else { return None };
    let known = told.replica(process, partition).log_end;
    let (process, partition, end) = (process.clone(), partition.clone(), *end);
    (end < known).then_some(StateChange::Recovered { process, partition, end })
}

/// A log as it was when it was found: what the same step has appended since is yet to be told.
fn as_of_then(sight: Sight, later: &[Event]) -> Sight {
    let Sight::Found { process, partition, end } = sight else { return sight };
    let first = later.iter().find_map(|event| match &event.what {
        What::State(StateChange::Appended {
            process: by, partition: to, base, ..
        }) if *by == process && *to == partition => Some(*base),
        _ => None,
    });
    Sight::Found { end: first.map_or(end, |base| base.min(end)), process, partition }
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
        cluster: Cluster<'a>,
        limits: &'a Limits,
        judge: &'a mut dyn Judge,
    ) -> Stage<'a> {
        let probe = Probe::new(judge.attention());
        Stage {
            cluster,
            judge,
            limits,
            observer: Observer::new(),
            probe,
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
        let recorder = &self.cluster.world.recorder;
        let (events, mut sights) =
            (recorder.events(), recorder.sights().iter().peekable());
        let new = &events[self.shown..];
        if new.is_empty() && sights.len() == 0 {
            return false;
        }
        let is_state = new.iter().any(|event| matches!(event.what, What::State(_)));
        if new.iter().any(is_news) {
            self.last_news = self.cluster.world.now();
        }
        let now = recorder.time(self.cluster.world.now());
        let mut recovered = Vec::new();
        for (index, event) in (self.shown..).zip(new) {
            while let Some((_, sight)) = sights.next_if(|(before, _)| *before <= index) {
                let probe = &mut self.probe;
                let judge = &mut *self.judge;
                witness(judge, &mut self.observer, probe, &self.cluster, now, sight);
            }
            self.judge.see(event);
            self.observer.see(event);
            if let What::State(change) = &event.what {
                for sight in self.probe.change(&self.cluster, change) {
                    let sight = as_of_then(sight, &events[index + 1..]);
                    recovered.extend(less_than_told(&self.observer, &sight));
                    self.judge.witness(now, &sight);
                    self.observer.witness(now, &sight);
                }
            }
        }
        for (_, sight) in sights {
            let probe = &mut self.probe;
            let judge = &mut *self.judge;
            witness(judge, &mut self.observer, probe, &self.cluster, now, sight);
        }
        self.cluster.world.recorder.drop_seen();
        self.shown = self.cluster.world.recorder.events().len();
        let moment = self.now();
        for change in recovered {
            self.cluster.world.recorder.note(moment, What::State(change));
        }
        is_state
    }

    /// Shows the judge something that was looked at for it.
    pub fn witness(&mut self, sight: &Sight) {
        let now = self.cluster.world.recorder.time(self.now());
        self.judge.witness(now, sight);
        self.observer.witness(now, sight);
    }

    /// Lets the world run until `done` holds, for at most `ms`. It is asked at first and
    /// whenever a state has changed or an event has been handled.
    pub fn run_until(
        &mut self,
        ms: u64,
        mut done: impl FnMut(&mut Stage<'a>) -> bool,
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
        let curtain = Event { at: Time(0), what: What::Curtain };
        self.judge.see(&curtain);
        self.observer.see(&curtain);
        self.cluster.world.recorder.begin_anew(now)
    }

    /// Whether there is nothing left to recover: every partition with a living replica is
    /// led, and every living replica is in its ISR. While the network is cut or a process
    /// stands still there is nothing to wait for.
    pub fn is_whole(&self) -> bool {
        // Nobody comes back into an ISR where nothing is replicated.
        if self.cluster.world.is_hindered() || self.cluster.plan.has_zookeeper() {
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
        let leads = |process: &&Arc<str>| now.leader.as_ref() == Some(*process);
        let led =
            living.clone().next().is_none() || living.clone().any(|one| leads(&one));
        led && living.all(|process| now.isr.contains(process))
    }

    /// Every partition that has a living eligible replica, with its registration.
    fn partitions(&self) -> impl Iterator<Item = (TopicPartition, &Registration)> {
        let topics = self.cluster.plan.topics.iter();
        let all = topics.flat_map(|topic| {
            (0..).zip(&topic.assignment).map(|(index, _)| (&topic.name, index))
        });
        all.filter_map(|(topic, index)| {
            let partition = TopicPartition::new(&**topic, index);
            let registration = self.observer.registration(&partition.to_string())?;
            // Of a topic that was deleted nothing is demanded.
            if i64::from(index) >= self.cluster.topic_size(topic) {
                return None;
            }
            let lives = |id: &Arc<str>| self.cluster.lives(&ProcessId(id.clone()));
            let name = partition.to_string();
            let mut eligible =
                registration.isr.iter().chain(self.observer.eligible(&name));
            eligible.any(lives).then_some((partition, registration))
        })
    }

    /// Partitions that could be led, and are not by anybody who lives.
    pub fn partitions_not_led(&self) -> Vec<String> {
        let led = |registration: &Registration| {
            let leader = registration.leader.as_ref();
            leader.is_some_and(|id| self.cluster.lives(&ProcessId(id.clone())))
        };
        let not_led = self.partitions().filter(|(_, registration)| !led(registration));
        not_led.map(|(partition, _)| partition.to_string()).collect()
    }

    /// Partitions with a living replica outside the ISR.
    pub fn partitions_not_whole(&self) -> Vec<String> {
        let not = self.partitions().filter(|(_, it)| !self.is_recovered(it));
        not.map(|(partition, _)| partition.to_string()).collect()
    }

    pub(super) fn check_limits(&self) -> Result<(), Stop> {
        if self.cluster.world.delivered() >= self.limits.events {
            let events = self.limits.events;
            return Err(Stop::Limit(format!("the limit of {events} events was reached")));
        }
        if let Some(spinning) = self.cluster.world.spinning() {
            let (at, names) = (self.now(), spinning.join(", "));
            return Err(Stop::Limit(format!("time stands still at {at}: {names} spin")));
        }
        if self.now() >= self.end {
            return Err(Stop::Limit("the limit of engine time was reached".to_owned()));
        }
        Ok(())
    }
}

/// Shows the judge what only it sees, and what more there is to see then.
fn witness(
    judge: &mut dyn Judge,
    observer: &mut Observer,
    probe: &mut Probe,
    cluster: &Cluster<'_>,
    now: Time,
    sight: &Sight,
) {
    judge.witness(now, sight);
    observer.witness(now, sight);
    for more in probe.sight(cluster, sight) {
        judge.witness(now, &more);
        observer.witness(now, &more);
    }
}

/// A moment `ms` later.
pub(super) fn after(moment: Instant, ms: u64) -> Instant {
    moment + Duration::from_micros(ms.saturating_mul(1_000))
}

/// What goes on in the internal topics, and commits that went well, goes on all the time.
fn is_routine(change: &StateChange) -> bool {
    let is_internal = |partition: &str| partition.starts_with("__");
    match change {
        StateChange::Appended { partition, .. }
        | StateChange::HighWatermark { partition, .. }
        | StateChange::LogStart { partition, .. }
        | StateChange::LastStable { partition, .. }
        | StateChange::ProduceWaits { partition, .. } => is_internal(partition),
        StateChange::OffsetCommitted { .. } => true,
        StateChange::CommitAnswered { error, .. } => error.is_none(),
        _ => false,
    }
}

/// Whether an event is more than routine.
fn is_news(event: &Event) -> bool {
    match &event.what {
        What::Sent(packet) => packet.news,
        What::State(change) => !is_routine(change),
        What::Fault(_)
        | What::Opened { .. }
        | What::Closed { .. }
        | What::Lost(..)
        | What::Step { .. } => true,
        What::Curtain
        | What::Arrived(_)
        | What::Mark { .. }
        | What::Deed { .. }
        | What::Say { .. }
        | What::Flash { .. }
        | What::Verdict { .. } => false,
    }
}
