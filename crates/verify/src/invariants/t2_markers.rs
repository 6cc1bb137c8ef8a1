//! T2: a transaction is complete only when each of its partitions has its marker. T3: once an
//! end is decided it stays so, and no marker says otherwise.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::{Asked, Sight};
use topomotion_trace::{StateChange, TransactionState as State};

use super::Checker;
use crate::court::Bench;
use crate::homes::home_of;
use crate::model::{Model, Name};

/// Whose transaction: producer and epoch.
type Owner = (i64, i16);

/// What a coordinator decided.
#[derive(Debug)]
struct Decision {
    id: Name,
    commits: bool,
    partitions: Vec<Name>,
}

#[derive(Debug, Default)]
pub(crate) struct Markers {
    /// The decision in force. With the first protocol an owner has one after the other.
    decided: BTreeMap<Owner, Decision>,
    /// Every decision there ever was.
    ever: BTreeSet<(Owner, bool)>,
    /// Markers that were written since the owner's transaction began.
    written: BTreeSet<(Owner, Name, bool)>,
    deleted: BTreeSet<Name>,
    /// Whether logs are shown at all: a trace alone does not tell of markers.
    is_shown: bool,
}

impl Markers {
    fn decide(&mut self, owner: Owner, decision: Decision, bench: &mut Bench<'_>) {
        let commits = decision.commits;
        let known = self.decided.entry(owner).or_insert(decision);
        let (id, first) = (known.id.clone(), known.commits);
        bench.demand("T3", first == commits, || {
            format!(
                "transaction {id} in epoch {} was to {}, and then to {}",
                owner.1,
                word(first),
                word(commits)
            )
        });
    }

    /// An end that used the last epoch up is complete under the next id: nothing is said of it.
    fn complete(&self, model: &Model, owner: Owner, bench: &mut Bench<'_>) {
        let Some(decision) = self.decided.get(&owner) else { return };
        for partition in &decision.partitions {
            let topic = partition.rsplit_once('-').map(|(topic, _)| topic);
            let is_gone = topic.is_none_or(|topic| self.deleted.contains(topic))
                || !model.registrations.contains_key(partition);
            let place = (owner, partition.clone(), decision.commits);
            let is_there = self.written.contains(&place) || !self.is_shown;
            bench.demand("T2", is_gone || is_there, || {
                let (id, what) = (&decision.id, word(decision.commits));
                format!(
                    "transaction {id} is complete, and {partition} has no {what} marker"
                )
            });
        }
    }

    /// A transaction begins: what was decided of another in the same epoch is over.
    fn begin(&mut self, owner: Owner) {
        self.decided.remove(&owner);
        self.written.retain(|(other, ..)| *other != owner);
    }
}

impl Checker for Markers {
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        let StateChange::Transaction {
            coordinator,
            id,
            state,
            producer,
            epoch,
            partitions,
        } = change
        else {
            return;
        };
        let owner = (*producer, *epoch);
        // Durable is durable, also where a coordinator does not know yet that it is replaced.
        match state {
            State::PrepareCommit => _ = self.ever.insert((owner, true)),
            State::PrepareAbort => _ = self.ever.insert((owner, false)),
            _ => {}
        }
        let Some(home) = home_of(model, id) else { return };
        if model.led_by(coordinator, &home).is_none() || model.was_unclean(&home) {
            return;
        }
        let decision = |commits| Decision {
            id: id.clone(),
            commits,
            partitions: partitions.clone(),
        };
        match state {
            State::Empty | State::Ongoing => self.begin(owner),
            State::PrepareCommit => self.decide(owner, decision(true), bench),
            State::PrepareAbort => self.decide(owner, decision(false), bench),
            State::CompleteCommit | State::CompleteAbort => {
                self.complete(model, owner, bench);
            }
            State::PrepareEpochFence | State::Dead => {}
        }
    }

    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        if let Sight::Asked(Asked::TopicDeleted(topic)) = sight {
            self.deleted.insert(topic.clone());
        }
        self.is_shown |= matches!(sight, Sight::Epochs { .. } | Sight::Marked { .. });
        let Sight::Marked { process, partition, producer, epoch, commits, .. } = sight
        else {
            return;
        };
        // What followers write is the leader's.
        let role = model.replica(process, partition).and_then(|it| it.role.as_ref());
        if role.is_none_or(|(leader, _)| leader.as_ref() != Some(process)) {
            return;
        }
        let owner = (*producer, *epoch);
        self.written.insert((owner, partition.clone(), *commits));
        let was_decided = self.ever.contains(&(owner, *commits));
        bench.demand("T3", was_decided, || {
            format!(
                "{partition} has a {} marker of producer {producer} in epoch {epoch}, which \
                 nobody decided",
                word(*commits)
            )
        });
    }
}

fn word(commits: bool) -> &'static str {
    match commits {
        true => "commit",
        false => "abort",
    }
}
