//! J4: no reader of committed records is handed what its writer aborted; J5: nor what it has not
//! begun to commit. J6: what was written in one transaction counts together or not at all.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::{Asked, ClusterPlan, Sight};
use topomotion_trace::{StateChange, TransactionState as State, TransactionStep as Step};

use super::Checker;
use super::r4_eligible::least_in_sync;
use super::t5_hanging::{leads, raises_epochs};
use super::t8_committed::{Fate, careful_readers, fate};
use crate::court::Bench;
use crate::homes::is_forgotten;
use crate::model::{Model, Name};

/// One transaction: whose, which of its lives, and its number.
type Transaction = (Name, u32, u64);

#[derive(Debug, Default)]
pub(crate) struct Histories {
    careful: BTreeSet<Name>,
    /// Whether transactions of a producer share an epoch, as once.
    shares_epochs: bool,
    /// Transactions that were committed before their writer asked for it: where epochs are
    /// shared, its commit of an earlier one may come late, and count for this one.
    surprised: BTreeSet<Transaction>,
    /// Transactions that are decided, and of which not all markers are written yet.
    ending: BTreeSet<Name>,
    /// How often each process was started.
    lives: BTreeMap<Name, u32>,
    /// The transaction that each process is in, or was in last.
    current: BTreeMap<Name, Transaction>,
    /// What its application saw of each last.
    steps: BTreeMap<Transaction, Step>,
    /// In which transaction each batch was sent first; none outside of any.
    sent: BTreeMap<(Name, u32), Transaction>,
    /// Acknowledged batches of transactions.
    acked: BTreeMap<Transaction, BTreeSet<(Name, i64)>>,
    /// Transactions of which somebody careful, or somebody else, has read something.
    read: BTreeMap<Transaction, (Name, bool)>,
    /// The largest `min.insync.replicas` that each topic has had: which one counts is not told.
    least: BTreeMap<String, usize>,
}

impl Histories {
    pub fn new(plan: Option<&ClusterPlan>) -> Histories {
        let shares_epochs = plan.is_some_and(|plan| !raises_epochs(plan));
        let careful = careful_readers(plan);
        let least = plan.map(least_in_sync).unwrap_or_default();
        Histories { careful, shares_epochs, least, ..Histories::default() }
    }

    /// Whether the marker cannot be written: the ISR is smaller than it must be for that, and
    /// the decision waits for it, as it does in Kafka.
    fn is_held_back(&self, model: &Model, (partition, base): &(Name, i64)) -> bool {
        let topic = partition.rsplit_once('-').map_or("", |(topic, _)| topic);
        let least = self.least.get(topic).copied().unwrap_or(1);
        let Some(state) = model.registrations.get(partition) else { return false };
        if state.isr.len() >= least.min(state.replicas.len()) {
            return false;
        }
        let leader = state.leader.as_ref();
        let replica = leader.and_then(|leader| model.replica(leader, partition));
        replica.is_some_and(|replica| {
            let entry = replica.log.iter().find(|entry| entry.base == *base);
            entry.is_some_and(|entry| fate(replica, entry) == Fate::Open)
        })
    }

    /// J6. Where transactions of a producer share an epoch, what comes late from one counts for
    /// the next.
    fn is_torn(&self, bench: &mut Bench<'_>, text: impl FnOnce() -> String) {
        match self.shares_epochs {
            true => bench.mention("J6", text),
            false => bench.demand("J6", false, text),
        }
    }

    fn step(
        &mut self,
        model: &Model,
        (process, number): (&Name, u64),
        step: Step,
        bench: &mut Bench<'_>,
    ) {
        let life = self.lives.get(process).copied().unwrap_or(0);
        let it = (process.clone(), life, number);
        if step == Step::Begun {
            self.current.insert(process.clone(), it.clone());
        }
        self.steps.insert(it.clone(), step);
        if step == Step::Aborted
            && let Some((reader, careful)) = self.read.get(&it)
        {
            let text = || format!("{reader} read what {process} has aborted");
            let is_excused = is_forgotten(model, process) || self.surprised.contains(&it);
            match *careful && !is_excused {
                true => bench.demand("J4", false, text),
                false => bench.mention("J4", text),
            }
        }
        if step == Step::Aborted
            && let Some(acked) = self.acked.get(&it)
            && !is_forgotten(model, process)
        {
            // Markers may be on their way; but what counts already will not be aborted.
            bench.demand("J6", !fates(model, acked).contains(&true), || {
                format!(
                    "transaction {number} of {process} was aborted, and some of what it \
                     wrote counts"
                )
            });
        }
    }

    /// Its coordinator commits what it takes for this producer's transaction.
    fn commits(&mut self, model: &Model, id: &Name) {
        if !self.shares_epochs {
            return;
        }
        let own = self.current.iter();
        let own = own.filter(|(process, _)| model.transactional_id(process) == Some(id));
        let early = own.filter(|(_, it)| self.steps.get(*it) == Some(&Step::Begun));
        self.surprised.extend(early.map(|(_, it)| it.clone()));
    }

    fn read(
        &mut self,
        model: &Model,
        (process, partition, batch): (&Name, &Name, u32),
        bench: &mut Bench<'_>,
    ) {
        let Some(it) = self.sent.get(&(partition.clone(), batch)) else { return };
        let careful = self.careful.contains(process);
        self.read.entry(it.clone()).or_insert((process.clone(), careful)).1 |= careful;
        let (broken, what) = match self.steps.get(it) {
            Some(Step::Begun) => ("J5", "has not begun to commit"),
            Some(Step::Aborting | Step::Aborted) => ("J4", "has aborted"),
            _ => return,
        };
        let text = || format!("{process} read of {partition} what {} {what}", it.0);
        let is_excused = model.was_unclean(partition)
            || is_forgotten(model, &it.0)
            || self.surprised.contains(it);
        match careful && !is_excused {
            true => bench.demand(broken, false, text),
            false => bench.mention(broken, text),
        }
    }

    /// What a marker ends belongs to one transaction.
    fn marked(
        &self,
        model: &Model,
        (process, partition): (&Name, &Name),
        (base, producer, commits): (i64, i64, bool),
        bench: &mut Bench<'_>,
    ) {
        let Some(replica) = model.replica(process, partition) else { return };
        let below = replica.log.iter().rev().filter(|it| it.base < base);
        let own = below.filter(|it| it.stamp.is_some_and(|it| it.producer == producer));
        let ended = own.take_while(|it| it.stamp.is_some_and(|it| !it.is_marker()));
        for entry in ended {
            let Some(it) = self.sent.get(&(partition.clone(), entry.batch)) else {
                continue;
            };
            let was_aborted = self.steps.get(it) == Some(&Step::Aborted);
            if !commits || !was_aborted {
                continue;
            }
            let text = || {
                format!(
                    "what {} wrote to {partition} at offset {} in a transaction that it \
                     aborted was committed with the next one",
                    it.0, entry.base
                )
            };
            // The marker that ended it may be gone with all of an ISR's power.
            match model.was_unclean(partition) || is_forgotten(model, &it.0) {
                true => bench.mention("J6", text),
                false => self.is_torn(bench, text),
            }
        }
    }
}

/// Whether what was written counts, as leaders' logs have it: ideally one answer for all.
fn fates(model: &Model, acked: &BTreeSet<(Name, i64)>) -> BTreeSet<bool> {
    let mut fates = BTreeSet::new();
    for (partition, base) in acked {
        let leader = model.registrations.get(partition);
        let leader = leader.and_then(|it| it.leader.as_ref());
        let replica = leader.and_then(|leader| model.replica(leader, partition));
        let Some(replica) = replica else { continue };
        let gone = *base < model.deleted_below(partition);
        if gone || model.was_unclean(partition) || !replica.is_sound {
            continue;
        }
        let entry = replica.log.iter().find(|entry| entry.base == *base);
        fates.extend(entry.map(|entry| fate(replica, entry) == Fate::Counts));
    }
    fates
}

impl Checker for Histories {
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        match change {
            StateChange::TransactionStep { process, number, step, .. } => {
                self.step(model, (process, *number), *step, bench);
            }
            StateChange::Transaction { id, state, .. } => {
                if *state == State::PrepareCommit {
                    self.commits(model, id);
                }
                let is_ending = matches!(
                    state,
                    State::PrepareCommit | State::PrepareAbort | State::PrepareEpochFence
                );
                match is_ending {
                    true => self.ending.insert(id.clone()),
                    false => self.ending.remove(id),
                };
            }
            StateChange::BatchSent { process, partition, batch, .. } => {
                if let Some(it) = self.current.get(process) {
                    let place = (partition.clone(), *batch);
                    self.sent.entry(place).or_insert_with(|| it.clone());
                }
            }
            StateChange::BatchAcked {
                partition, batch, base: Some(base), acks, ..
            } if &**acks == "all" => {
                if let Some(it) = self.sent.get(&(partition.clone(), *batch)) {
                    let acked = self.acked.entry(it.clone()).or_default();
                    acked.insert((partition.clone(), *base));
                }
            }
            _ => {}
        }
    }

    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        match sight {
            Sight::Started(process) => {
                *self.lives.entry(process.clone()).or_default() += 1;
                self.current.remove(process);
            }
            Sight::Read { process, partition, batches, .. } => {
                for batch in batches {
                    self.read(model, (process, partition, *batch), bench);
                }
            }
            Sight::Asked(Asked::TopicSet { topic, settings }) => {
                let wanted = settings.get("min.insync.replicas");
                if let Some(wanted) = wanted.and_then(|text| text.parse().ok()) {
                    let least = self.least.entry(topic.to_string()).or_default();
                    *least = (*least).max(wanted);
                }
            }
            Sight::Marked { process, partition, base, producer, commits, .. }
                if leads(model, process, partition) =>
            {
                let place = (process, partition);
                self.marked(model, place, (*base, *producer, *commits), bench);
            }
            _ => {}
        }
    }

    fn conclude(&mut self, model: &Model, bench: &mut Bench<'_>) {
        for (it, acked) in &self.acked {
            // One marker that waits for its replicas holds up those behind it on the same
            // connection; whether they come in time is L7's question.
            if model.transactional_id(&it.0).is_some_and(|id| self.ending.contains(id)) {
                continue;
            }
            let told = self.steps.get(it);
            let is_told = matches!(told, Some(Step::Committed | Step::Aborted));
            if !is_told || is_forgotten(model, &it.0) {
                continue;
            }
            let acked = acked.iter().filter(|at| !self.is_held_back(model, at));
            let fates = fates(model, &acked.cloned().collect());
            let due = BTreeSet::from([told == Some(&Step::Committed)]);
            if !fates.is_empty() && fates != due {
                self.is_torn(bench, || {
                    format!(
                        "transaction {} of {} was {told:?}, and what it wrote does not count \
                         so",
                        it.2, it.0
                    )
                });
            }
        }
    }
}
