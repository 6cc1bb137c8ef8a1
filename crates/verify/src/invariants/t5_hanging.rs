//! T5: no transaction stays open in a log that its coordinator holds for ended, or knows nothing
//! of there. T10: nothing is appended to a transaction that the coordinator does not hold for
//! open there (verification, KIP-890), and with the second protocol each transaction has an
//! epoch of its own.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_sim::{ClusterPlan, Sight};
use topomotion_trace::{StateChange, TransactionState as State};

use super::Checker;
use crate::court::Bench;
use crate::homes::home_of;
use crate::model::{Model, Name, Stamp, StampKind};

/// So long an end may take to reach a log, in µs, once the coordinator holds it for reached.
const GRACE: u64 = 2_000_000;

/// What a coordinator said of a producer last.
#[derive(Debug)]
struct View {
    id: Name,
    state: State,
    epoch: i16,
    partitions: BTreeSet<Name>,
}

#[derive(Debug, Default)]
pub(crate) struct Hanging {
    views: BTreeMap<i64, View>,
    /// Open transactions, each with the time since when nobody will end it.
    open: BTreeMap<(Name, i64), Option<u64>>,
    /// The epoch of each id's last transaction, and whether another may begin in it.
    last: BTreeMap<Name, (i64, i16, State)>,
    /// Whether each transaction has an epoch of its own.
    raises: bool,
}

/// Whether each transaction has an epoch of its own (KIP-890).
pub(super) fn raises_epochs(plan: &ClusterPlan) -> bool {
    let of_clients = plan.producers.iter().map(|it| &it.settings);
    let mut eras = of_clients.chain([&plan.settings]).flat_map(|settings| {
        let era = settings.get("era.txn").map(|era| era == "v2");
        let version = settings.get("transaction.version").map(|it| it == "2");
        [era, version]
    });
    eras.all(|it| it != Some(false))
}

impl Hanging {
    pub fn new(plan: Option<&ClusterPlan>) -> Hanging {
        let raises = plan.is_some_and(raises_epochs);
        Hanging { raises, ..Hanging::default() }
    }

    /// Whether the coordinator holds this transaction for open there.
    fn is_known(&self, partition: &Name, stamp: Stamp) -> Option<bool> {
        let view = self.views.get(&stamp.producer)?;
        let is_open = match view.state {
            State::Ongoing => view.epoch == stamp.epoch,
            // The end is decided in the next epoch already.
            State::PrepareCommit | State::PrepareAbort | State::PrepareEpochFence => {
                view.epoch == stamp.epoch || view.epoch == stamp.epoch + 1
            }
            State::Empty | State::CompleteCommit | State::CompleteAbort | State::Dead => {
                false
            }
        };
        Some(is_open && view.partitions.contains(partition))
    }

    fn report(
        &mut self,
        model: &Model,
        ripe: impl Fn(u64) -> bool,
        bench: &mut Bench<'_>,
    ) {
        let due: Vec<(Name, i64)> = self
            .open
            .iter()
            .filter(|(_, since)| since.is_some_and(&ripe))
            .map(|(place, _)| place.clone())
            .collect();
        for place in due {
            self.open.remove(&place);
            let (partition, producer) = &place;
            let leader =
                model.registrations.get(partition).and_then(|it| it.leader.as_ref());
            let replica = leader.and_then(|leader| model.replica(leader, partition));
            let last = replica.and_then(|it| it.stamped_before(i64::MAX, *producer));
            let hangs = last.is_some_and(|(_, stamp)| !stamp.is_marker());
            let holds = !hangs || model.was_unclean(partition);
            bench.demand("T5", holds, || {
                format!("a transaction of producer {producer} in {partition} has no end")
            });
        }
    }

    fn begin(&mut self, id: &Name, (producer, epoch): (i64, i16), bench: &mut Bench<'_>) {
        let Some((of, before, State::CompleteCommit | State::CompleteAbort)) =
            self.last.insert(id.clone(), (producer, epoch, State::Ongoing))
        else {
            return;
        };
        let rises = of != producer || epoch > before;
        bench.demand("T10", rises || !self.raises, || {
            format!("transaction {id} begins again in epoch {epoch}")
        });
    }
}

impl Checker for Hanging {
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
        let Some(home) = home_of(model, id) else { return };
        if model.led_by(coordinator, &home).is_none() || model.was_unclean(&home) {
            // What was known of it may be gone, and what is known now may not count.
            self.views.retain(|_, view| view.id != *id);
            return;
        }
        match state {
            State::Ongoing => self.begin(id, (*producer, *epoch), bench),
            State::CompleteCommit | State::CompleteAbort => {
                if let Some((_, _, last)) = self.last.get_mut(id) {
                    *last = *state;
                }
                let at = bench.at().0;
                for ((_, of), since) in &mut self.open {
                    if of == producer && since.is_none() {
                        *since = Some(at);
                    }
                }
            }
            _ => {}
        }
        let partitions = partitions.iter().cloned().collect();
        let view = View { id: id.clone(), state: *state, epoch: *epoch, partitions };
        self.views.insert(*producer, view);
    }

    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        match sight {
            Sight::Numbered {
                process,
                partition,
                producer,
                epoch,
                sequence,
                in_transaction: true,
                ..
            } if leads(model, process, partition) => {
                let kind = StampKind::InTransaction(*sequence);
                let stamp = Stamp { producer: *producer, epoch: *epoch, kind };
                let known = self.is_known(partition, stamp);
                // Whoever leads no more without knowing it may be told late that a transaction
                // is open: its end went to the next leader, and what is taken here is cut off.
                // And whoever has lost its end with its power takes it for open, too.
                let is_told = model.led_by(process, partition).is_some()
                    && !model.was_unclean(partition);
                let since = (known == Some(false) && is_told).then_some(bench.at().0);
                self.open.insert((partition.clone(), *producer), since);
                bench.demand("T10", since.is_none(), || {
                    let view = &self.views[producer];
                    format!(
                        "{process} took records of producer {producer} in epoch {epoch} in \
                         {partition}, while transaction {} is {:?} in epoch {}",
                        view.id, view.state, view.epoch
                    )
                });
            }
            Sight::Marked { process, partition, producer, .. }
                if leads(model, process, partition) =>
            {
                self.open.remove(&(partition.clone(), *producer));
            }
            _ => {}
        }
    }

    fn settle(&mut self, model: &Model, bench: &mut Bench<'_>) {
        if !self.open.is_empty() {
            let at = bench.at().0;
            self.report(model, |since| at >= since + GRACE, bench);
        }
    }

    fn conclude(&mut self, model: &Model, bench: &mut Bench<'_>) {
        self.report(model, |_| true, bench);
    }
}

/// Whether it leads the partition as far as it knows.
pub(super) fn leads(model: &Model, process: &Name, partition: &Name) -> bool {
    let role = model.replica(process, partition).and_then(|it| it.role.as_ref());
    role.is_some_and(|(leader, _)| leader.as_ref() == Some(process))
}
