//! The judge: answers every condition, and watches the invariants.

use std::borrow::Cow;
use std::collections::BTreeSet;

use topomotion_model::Condition;

use topomotion_sim::{Asked, ClusterPlan, Judge, Observer, Sight, negate};
use topomotion_trace::{Event, StateChange, Time, What};

use crate::invariants::{self, Checker};
use crate::model::{Model, Name};
use crate::quorum::Elections;
use crate::replication::Matching;
use crate::{Violation, promises, replication};

/// The judge to hand to [`sim::play`](topomotion_sim::play).
#[derive(Debug)]
pub struct Court {
    observer: Observer,
    model: Model,
    matching: Matching,
    elections: Elections,
    checkers: Vec<Box<dyn Checker>>,
    /// Topics that somebody asked to delete. Another of the same name may come; who means
    /// which is no longer told, so that nothing is demanded of either.
    withdrawn: BTreeSet<Name>,
    violations: Vec<Violation>,
    /// What Kafka allows where it happened, though a story may be about it.
    allowed: Vec<Violation>,
    /// How many of each were found before the story began.
    before: [usize; 2],
    /// The moment of what was seen last.
    at: Time,
}

impl Default for Court {
    fn default() -> Court {
        Court::with(None)
    }
}

/// Where checkers put what they find.
pub(crate) struct Bench<'a> {
    at: Time,
    found: &'a mut Vec<Violation>,
    allowed: &'a mut Vec<Violation>,
}

/// So many violations are told; after these a run has nothing new to say.
const TOLD_AT_MOST: usize = 100;

impl Bench<'_> {
    /// The moment that is looked at.
    pub fn at(&self) -> Time {
        self.at
    }

    /// Demands that something holds.
    pub fn demand(
        &mut self,
        invariant: &'static str,
        holds: bool,
        text: impl FnOnce() -> String,
    ) {
        if !holds && self.found.len() < TOLD_AT_MOST {
            self.found.push(Violation { invariant, at: self.at, text: text() });
        }
    }

    /// Mentions what Kafka allows here, for stories that are about it.
    pub fn mention(&mut self, invariant: &'static str, text: impl FnOnce() -> String) {
        if self.allowed.len() < TOLD_AT_MOST {
            self.allowed.push(Violation { invariant, at: self.at, text: text() });
        }
    }
}

impl Court {
    /// Nothing has been seen yet, and nothing is known of the cluster's settings.
    pub fn new() -> Court {
        Court::default()
    }

    /// A court that knows the cluster's settings.
    pub fn of(plan: &ClusterPlan) -> Court {
        Court::with(Some(plan))
    }

    fn with(plan: Option<&ClusterPlan>) -> Court {
        Court {
            observer: Observer::default(),
            model: Model::default(),
            matching: Matching::default(),
            elections: Elections::default(),
            checkers: invariants::all(plan),
            withdrawn: BTreeSet::new(),
            violations: Vec::new(),
            allowed: Vec::new(),
            before: [0, 0],
            at: Time(0),
        }
    }

    /// The invariants broken so far.
    pub fn violations(&self) -> &[Violation] {
        &self.violations
    }

    /// The invariants broken, when all is over.
    pub fn into_violations(self) -> Vec<Violation> {
        self.adjourn().0
    }

    /// The invariants broken, when all is over, and what looks like it and is allowed.
    pub(crate) fn adjourn(mut self) -> (Vec<Violation>, Vec<Violation>) {
        self.settle();
        let mut bench = Bench {
            at: self.at,
            found: &mut self.violations,
            allowed: &mut self.allowed,
        };
        for checker in &mut self.checkers {
            checker.conclude(&self.model, &mut bench);
        }
        (self.violations, self.allowed)
    }

    /// When something was last seen.
    pub(crate) fn moment(&self) -> Time {
        self.at
    }

    /// J3: what was promised with acks=all is still there. To be asked when a storm is over.
    pub(crate) fn demand_promises(&mut self) {
        let mut bench = Bench {
            at: self.at,
            found: &mut self.violations,
            allowed: &mut self.allowed,
        };
        if let Err(text) = promises::kept_for_good(&self.model) {
            bench.demand("J3", false, || text);
        }
    }

    /// Whether transactions may hang since Kafka itself may have lost records of theirs, or
    /// of what their coordinators knew.
    pub(crate) fn excuses_hanging(&self) -> bool {
        self.model.may_have_lost()
    }

    fn is_withdrawn(&self, partition: Option<&Name>) -> bool {
        let topic = partition.and_then(|name| Some(name.rsplit_once('-')?.0));
        topic.is_some_and(|topic| self.withdrawn.contains(topic))
    }

    /// A change of several partitions, without those that are withdrawn.
    fn without_withdrawn<'a>(&self, change: &'a StateChange) -> Cow<'a, StateChange> {
        let is_of_several = matches!(
            change,
            StateChange::CommitAnswered { .. } | StateChange::Member { .. }
        );
        let mut change = Cow::Borrowed(change);
        if self.withdrawn.is_empty() || !is_of_several {
            return change;
        }
        match change.to_mut() {
            StateChange::CommitAnswered { offsets, .. } => {
                offsets.retain(|(at, _)| !self.is_withdrawn(Some(at)));
            }
            StateChange::Member { partitions, owned, .. } => {
                partitions.retain(|at| !self.is_withdrawn(Some(at)));
                owned.retain(|at| !self.is_withdrawn(Some(at)));
            }
            _ => {}
        }
        change
    }

    /// The same of a sight.
    fn seen_without_withdrawn<'a>(&self, sight: &'a Sight) -> Cow<'a, Sight> {
        let is_of_offsets = matches!(
            sight,
            Sight::CommitAsked { .. }
                | Sight::CommitTaken { .. }
                | Sight::PendingAsked { .. }
                | Sight::OffsetsTold { .. }
        );
        let mut sight = Cow::Borrowed(sight);
        if self.withdrawn.is_empty() || !is_of_offsets {
            return sight;
        }
        match sight.to_mut() {
            Sight::CommitAsked { offsets, .. }
            | Sight::CommitTaken { offsets, .. }
            | Sight::PendingAsked { offsets, .. } => {
                offsets.retain(|(at, _)| !self.is_withdrawn(Some(at)));
            }
            Sight::OffsetsTold { offsets, .. } => {
                offsets.retain(|(at, _)| !self.is_withdrawn(Some(at)));
            }
            _ => {}
        }
        sight
    }

    /// What happened at one moment has happened.
    fn settle(&mut self) {
        let mut bench = Bench {
            at: self.at,
            found: &mut self.violations,
            allowed: &mut self.allowed,
        };
        for checker in &mut self.checkers {
            checker.settle(&self.model, &mut bench);
        }
    }

    fn pass(&mut self, at: Time) {
        if at > self.at {
            self.settle();
        }
        self.at = at;
    }
}

impl Judge for Court {
    fn see(&mut self, event: &Event) {
        if event.what == What::Curtain {
            self.settle();
            self.before = [self.violations.len(), self.allowed.len()];
        }
        self.observer.see(event);
        let change = match &event.what {
            What::State(change) => change,
            What::Fault(fault) => {
                self.pass(event.at);
                self.checkers.iter_mut().for_each(|it| it.suffer(event.at, fault));
                return;
            }
            // In a cluster that rests, steps alone tell that time goes by.
            What::Step { .. } => return self.pass(event.at),
            _ => return,
        };
        self.pass(event.at);
        if self.is_withdrawn(partition_of(change)) {
            return;
        }
        let change = &*self.without_withdrawn(change);
        let mut bench = Bench {
            at: event.at,
            found: &mut self.violations,
            allowed: &mut self.allowed,
        };
        replication::before(&self.model, change, &mut bench);
        self.model.apply(change);
        replication::after(&self.model, change, &mut bench);
        self.matching.check(&self.model, change, &mut bench);
        promises::check(&self.model, change, &mut bench);
        self.elections.check(change, &mut bench);
        for checker in &mut self.checkers {
            checker.see(&self.model, change, &mut bench);
        }
    }

    fn witness(&mut self, at: Time, sight: &Sight) {
        self.pass(at);
        self.observer.witness(at, sight);
        if let Sight::Asked(Asked::TopicDeleted(topic)) = sight {
            self.withdrawn.insert(topic.clone());
        }
        if self.is_withdrawn(place_of(sight)) {
            return;
        }
        let sight = &*self.seen_without_withdrawn(sight);
        self.model.witness(sight);
        if let Sight::LostPower(process) = sight {
            self.matching.lose(&self.model, process);
        }
        let mut bench =
            Bench { at, found: &mut self.violations, allowed: &mut self.allowed };
        for checker in &mut self.checkers {
            checker.witness(&self.model, sight, &mut bench);
        }
    }

    fn judge(&self, condition: &Condition) -> Result<(), String> {
        match condition {
            Condition::NoAcknowledgedRecordLost => promises::kept(&self.model),
            Condition::Violation(invariant) => self.was_broken(invariant),
            Condition::Not(inner) => negate(inner, self.judge(inner)),
            Condition::Told { .. }
            | Condition::Fenced(_)
            | Condition::Leader { .. }
            | Condition::Controller { .. }
            | Condition::Replicas { .. }
            | Condition::Voters { .. }
            | Condition::Owns { .. }
            | Condition::Owned { .. }
            | Condition::State { .. }
            | Condition::Number { .. }
            | Condition::Count { .. } => self.observer.judge(condition),
        }
    }
}

/// The partition that a change is about.
fn partition_of(change: &StateChange) -> Option<&Name> {
    match change {
        StateChange::Registration { partition, .. }
        | StateChange::Replica { partition, .. }
        | StateChange::IsrProposed { partition, .. }
        | StateChange::Appended { partition, .. }
        | StateChange::Truncated { partition, .. }
        | StateChange::Recovered { partition, .. }
        | StateChange::HighWatermark { partition, .. }
        | StateChange::LogStart { partition, .. }
        | StateChange::ProduceWaits { partition, .. }
        | StateChange::BatchSent { partition, .. }
        | StateChange::BatchAcked { partition, .. }
        | StateChange::BatchFailed { partition, .. }
        | StateChange::Polled { partition, .. }
        | StateChange::LeaderLearned { partition, .. }
        | StateChange::LastStable { partition, .. }
        | StateChange::OffsetCommitted { partition, .. } => Some(partition),
        StateChange::Process { .. }
        | StateChange::Quorum { .. }
        | StateChange::Broker { .. }
        | StateChange::Group { .. }
        | StateChange::Member { .. }
        | StateChange::CommitAnswered { .. }
        | StateChange::Transaction { .. }
        | StateChange::TransactionStep { .. }
        | StateChange::ProducerIdentified { .. } => None,
    }
}

/// The partition that a sight is about.
fn place_of(sight: &Sight) -> Option<&Name> {
    match sight {
        Sight::Eligible { partition, .. }
        | Sight::Found { partition, .. }
        | Sight::Leads { partition, .. }
        | Sight::Proposes { partition, .. }
        | Sight::Sought { partition, .. }
        | Sight::Read { partition, .. }
        | Sight::IsrAsked { partition, .. }
        | Sight::IsrAnswered { partition, .. }
        | Sight::Refused { partition, .. }
        | Sight::Numbered { partition, .. }
        | Sight::Marked { partition, .. }
        | Sight::Epochs { partition, .. } => Some(partition),
        Sight::Stored(stored) => Some(&stored.partition),
        _ => None,
    }
}

impl Court {
    /// Whether the invariant was broken since the story began. J3 is what the scenario's own
    /// demand calls it: no excuse counts.
    fn was_broken(&self, invariant: &str) -> Result<(), String> {
        let found = self.violations.iter().skip(self.before[0]);
        let allowed = self.allowed.iter().skip(self.before[1]);
        let mut both = found.clone().chain(allowed);
        let broken = both.any(|violation| violation.invariant == invariant)
            || invariant == "J3" && promises::kept(&self.model).is_err();
        if broken {
            return Ok(());
        }
        let mut others: Vec<&str> = found.map(|violation| violation.invariant).collect();
        others.dedup();
        Err(match others[..] {
            [] => format!("{invariant} was kept"),
            _ => format!("{invariant} was kept; broken: {}", others.join(", ")),
        })
    }
}
