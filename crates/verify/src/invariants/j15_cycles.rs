//! J15: no cycle of transactions each of which has read what the one before it wrote, where all
//! of them read committed records only (Adya's G1c, over wr edges).
//!
//! Edges between writes alone (G0) may close cycles, since Kafka does not keep transactions
//! apart that write to the same partitions; and nobody promises that what was read is still
//! the newest (rw edges: G-single, G2).
//!
//! What an application reads before it begins a transaction counts for that transaction; what
//! it reads once it has begun to end one, for the next.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::{ClusterPlan, Sight};
use topomotion_trace::{StateChange, TransactionStep as Step};

use super::Checker;
use super::t8_committed::careful_readers;
use crate::court::Bench;
use crate::model::{Model, Name};

/// One transaction: whose, which of its lives, and its number.
type Transaction = (Name, u32, u64);

#[derive(Debug, Default)]
pub(crate) struct Cycles {
    careful: BTreeSet<Name>,
    lives: BTreeMap<Name, u32>,
    /// The transaction that each process is in.
    current: BTreeMap<Name, Transaction>,
    /// What each has read for its next one: who wrote it.
    early: BTreeMap<Name, BTreeSet<Transaction>>,
    /// In which transaction each batch was sent first.
    sent: BTreeMap<(Name, u32), Transaction>,
    /// By transaction, those that it has read something of.
    has_read: BTreeMap<Transaction, BTreeSet<Transaction>>,
}

impl Cycles {
    pub fn new(plan: Option<&ClusterPlan>) -> Cycles {
        Cycles { careful: careful_readers(plan), ..Cycles::default() }
    }

    fn step(&mut self, it: Transaction, step: Step, bench: &mut Bench<'_>) {
        if step != Step::Begun {
            self.current.remove(&it.0);
            return;
        }
        let early = self.early.remove(&it.0).unwrap_or_default();
        self.current.insert(it.0.clone(), it.clone());
        early.into_iter().for_each(|writer| self.read(&it, writer, bench));
    }

    /// A transaction has read what another wrote.
    fn read(&mut self, reader: &Transaction, writer: Transaction, bench: &mut Bench<'_>) {
        if writer == *reader {
            return;
        }
        let is_new =
            self.has_read.entry(reader.clone()).or_default().insert(writer.clone());
        let closes = is_new && self.reaches(&writer, reader);
        bench.demand("J15", !closes, || {
            format!(
                "transaction {} of {} has read what transaction {} of {} wrote, which \
                 depends on what the first one wrote",
                reader.2, reader.0, writer.2, writer.0
            )
        });
    }

    /// Whether a transaction has read something of another, or of one that has, and so on.
    fn reaches(&self, from: &Transaction, to: &Transaction) -> bool {
        let (mut known, mut next) = (BTreeSet::from([from]), vec![from]);
        while let Some(one) = next.pop() {
            if one == to {
                return true;
            }
            let sources = self.has_read.get(one).into_iter().flatten();
            next.extend(sources.filter(|source| known.insert(source)));
        }
        false
    }
}

impl Checker for Cycles {
    fn see(&mut self, _model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        match change {
            StateChange::TransactionStep { process, number, step, .. } => {
                let life = self.lives.get(process).copied().unwrap_or(0);
                self.step((process.clone(), life, *number), *step, bench);
            }
            StateChange::BatchSent { process, partition, batch, .. } => {
                if let Some(it) = self.current.get(process) {
                    let place = (partition.clone(), *batch);
                    self.sent.entry(place).or_insert_with(|| it.clone());
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
                self.early.remove(process);
            }
            // What was lost, or led by somebody from outside, may be told otherwise later.
            Sight::Read { process, partition, batches, .. }
                if self.careful.contains(process) && !model.was_unclean(partition) =>
            {
                for batch in batches {
                    let batch = model.compacted().origin_of(partition, *batch);
                    let sent = self.sent.get(&(partition.clone(), batch)).cloned();
                    let Some(writer) = sent else { continue };
                    match self.current.get(process).cloned() {
                        Some(reader) => self.read(&reader, writer, bench),
                        None => {
                            let early = self.early.entry(process.clone()).or_default();
                            early.insert(writer);
                        }
                    }
                }
            }
            _ => {}
        }
    }
}
