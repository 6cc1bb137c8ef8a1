//! T8: a reader of committed records is handed neither markers nor records of a transaction that
//! was aborted or has no end yet.

use std::collections::BTreeSet;

use topomotion_sim::{ClusterPlan, Sight};

use super::Checker;
use crate::court::Bench;
use crate::model::{Entry, Model, Name, Replica, StampKind};

/// Consumers with `isolation.level=read_committed`.
pub(super) fn careful_readers(plan: Option<&ClusterPlan>) -> BTreeSet<Name> {
    let consumers = plan.iter().flat_map(|plan| &plan.consumers);
    let is_careful = |level: &String| level == "read_committed";
    let careful =
        consumers.filter(|it| it.settings.get("isolation.level").is_some_and(is_careful));
    careful.map(|it| it.process.0.clone()).collect()
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// It counts.
    Counts,
    Control,
    Aborted,
    Open,
}

/// What became of this batch as a log has it.
pub(super) fn fate(replica: &Replica, entry: &Entry) -> Fate {
    let Some(stamp) = entry.stamp else { return Fate::Counts };
    match stamp.kind {
        StampKind::Data(_) => return Fate::Counts,
        StampKind::Commit | StampKind::Abort => return Fate::Control,
        StampKind::InTransaction(_) => {}
    }
    let later = replica.log.iter().filter(|it| it.base > entry.base);
    let mut later = later.filter_map(|it| it.stamp);
    let end = later.find(|it| it.producer == stamp.producer && it.is_marker());
    match end.map(|end| end.kind) {
        Some(StampKind::Commit) => Fate::Counts,
        Some(_) => Fate::Aborted,
        None => Fate::Open,
    }
}

#[derive(Debug)]
pub(crate) struct Committed {
    careful: BTreeSet<Name>,
}

impl Committed {
    pub fn new(plan: Option<&ClusterPlan>) -> Committed {
        Committed { careful: careful_readers(plan) }
    }
}

impl Checker for Committed {
    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        let Sight::Read { process, partition, batches, .. } = sight else { return };
        if !self.careful.contains(process) || model.was_unclean(partition) {
            return;
        }
        for batch in batches {
            let mut fates = BTreeSet::new();
            for replica in model.replicas_of(partition) {
                let found = replica.log.iter().filter(|it| it.batch == *batch);
                fates.extend(found.map(|entry| fate(replica, entry) as u8));
            }
            let holds = fates.is_empty() || fates.contains(&(Fate::Counts as u8));
            bench.demand("T8", holds, || {
                format!(
                    "{process} was handed records of {partition} that are no committed ones"
                )
            });
        }
    }
}
