//! T9: where records are read and written in transactions, what was read counts as consumed no
//! sooner than what was written of it. J14: and in one committed transaction, not in two.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::{ClusterPlan, Sight};
use topomotion_trace::{StateChange, TransactionStep as Step};

use super::Checker;
use crate::court::Bench;
use crate::homes::home_in;
use crate::model::{Model, Name};

/// Offsets of a partition that were read at once.
type Portion = (Name, i64, i64);

#[derive(Debug, Default)]
struct Pipeline {
    group: Name,
    /// Read, and not yet to be committed by a transaction.
    read: Vec<Portion>,
    /// Read, and to be committed by the transaction that is open.
    open: Vec<Portion>,
    step: Option<Step>,
}

#[derive(Debug, Default)]
pub(crate) struct Pipelines {
    pipelines: BTreeMap<Name, Pipeline>,
    /// The group of each consumer.
    groups: BTreeMap<Name, Name>,
    /// What each group has consumed in committed transactions.
    consumed: BTreeMap<Name, BTreeSet<Portion>>,
}

impl Pipelines {
    pub fn new(plan: Option<&ClusterPlan>) -> Pipelines {
        let consumers = plan.iter().flat_map(|plan| &plan.consumers);
        let groups = consumers.map(|it| (it.process.0.clone(), it.group.as_str().into()));
        Pipelines { groups: groups.collect(), ..Pipelines::default() }
    }

    fn step(&mut self, model: &Model, process: &Name, step: Step, bench: &mut Bench<'_>) {
        let Some(pipeline) = self.pipelines.get_mut(process) else { return };
        pipeline.step = Some(step);
        match step {
            Step::Committed => {
                let portions = std::mem::take(&mut pipeline.open);
                let home = home_in(model, "__consumer_offsets", &pipeline.group);
                let lost = home.is_some_and(|home| model.was_unclean(&home));
                let consumed = self.consumed.entry(pipeline.group.clone()).or_default();
                for (partition, base, next) in portions {
                    let twice = consumed.iter().any(|(at, from, to)| {
                        *at == partition && *from < next && base < *to
                    });
                    // What was lost, or what was committed of it, comes again.
                    let holds = !twice || lost || model.was_unclean(&partition);
                    bench.demand("J14", holds, || {
                        format!(
                            "{process} consumed {partition} from {base} to {next} in a \
                             transaction, though another had consumed of it already"
                        )
                    });
                    consumed.insert((partition, base, next));
                }
            }
            Step::Aborted | Step::Fenced => pipeline.open.clear(),
            _ => {}
        }
    }

    /// A transaction is to commit this reading position: all that was read below it.
    fn take(&mut self, process: &Name, (partition, offset): (&Name, i64)) {
        let Some(pipeline) = self.pipelines.get_mut(process) else { return };
        let is_below = |it: &mut Portion| it.0 == *partition && it.2 <= offset;
        pipeline.open.extend(pipeline.read.extract_if(.., is_below));
    }

    /// A reading position counts as consumed.
    fn commit(
        &self,
        (group, partition, offset): (&Name, &Name, i64),
        bench: &mut Bench<'_>,
    ) {
        let of_group = self.pipelines.iter().filter(|(_, it)| it.group == *group);
        for (process, pipeline) in of_group {
            let is_open = matches!(pipeline.step, Some(Step::Begun));
            let ends_there =
                |it: &&Portion| it.0 == *partition && it.1 < offset && offset <= it.2;
            let mut read = pipeline.open.iter().chain(&pipeline.read);
            let early = is_open && read.any(|it| ends_there(&it));
            bench.demand("T9", !early, || {
                format!(
                    "{partition} counts as consumed up to {offset} in {group}, while the \
                     transaction of {process} that has read it is open"
                )
            });
        }
    }
}

impl Checker for Pipelines {
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        match change {
            StateChange::Polled { process, partition, base, next, .. } => {
                if let Some(pipeline) = self.pipelines.get_mut(process) {
                    pipeline.read.push((partition.clone(), *base, *next));
                }
            }
            StateChange::TransactionStep { process, step, .. } => {
                self.step(model, process, *step, bench);
            }
            StateChange::OffsetCommitted {
                group,
                partition,
                offset: Some(offset),
                ..
            } => {
                self.commit((group, partition, *offset), bench);
            }
            // It reads again what did not count, or what another has not yet read.
            StateChange::Member { process, .. } => {
                if let Some(pipeline) = self.pipelines.get_mut(process) {
                    pipeline.read.clear();
                }
            }
            StateChange::ProducerIdentified { process, id: Some(_), .. } => {
                if let Some(group) = self.groups.get(process) {
                    let group = group.clone();
                    let fresh = Pipeline { group, ..Pipeline::default() };
                    self.pipelines.entry(process.clone()).or_insert(fresh);
                }
            }
            _ => {}
        }
    }

    fn witness(&mut self, _model: &Model, sight: &Sight, _bench: &mut Bench<'_>) {
        match sight {
            Sight::Started(process) => {
                self.pipelines.remove(process);
            }
            Sight::PendingAsked { process, offsets, .. } => {
                for (partition, offset) in offsets {
                    self.take(process, (partition, *offset));
                }
            }
            Sight::Sought { process, partition } => {
                if let Some(pipeline) = self.pipelines.get_mut(process) {
                    pipeline.read.retain(|(at, ..)| at != partition);
                }
            }
            _ => {}
        }
    }
}
