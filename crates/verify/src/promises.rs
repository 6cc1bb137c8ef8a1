//! What producers were promised: R12, R19, and the scenario's own demand (J3).
//!
//! A batch that was acknowledged with `acks=0` was never promised anything. One that was
//! acknowledged with `acks=1` was, as far as the producer knows; whether it survives is the
//! point of the story, so the demand counts it, and the invariants do not.

use topomotion_trace::StateChange;

use crate::court::Bench;
use crate::model::{Model, Name, Promise};

/// `no-acknowledged-record-lost`: every acknowledged batch stands in its leader's log, at
/// its offset.
pub(crate) fn kept(model: &Model) -> Result<(), String> {
    held(model, model.promises.iter().filter(|promise| &*promise.acks != "0"))
}

/// J3, where no hole that Kafka itself has excuses it: acks=1 and unclean elections.
pub(crate) fn kept_for_good(model: &Model) -> Result<(), String> {
    let promises = model.promises.iter().filter(|promise| &*promise.acks == "all");
    held(model, promises.filter(|promise| !model.excuses(promise)))
}

fn held<'m>(
    model: &'m Model,
    promises: impl Iterator<Item = &'m Promise>,
) -> Result<(), String> {
    for promise in promises {
        let Some(registration) = model.registrations.get(&promise.partition) else {
            return Err(format!("{} does not exist", promise.partition));
        };
        // Without a leader nothing can be read, but nothing is lost while a member of the
        // ISR has it, or whoever may lead when nobody is left in it.
        let eligible: Vec<Name> = model.eligible(&promise.partition).cloned().collect();
        let keepers: &[Name] = match &registration.leader {
            Some(leader) => std::slice::from_ref(leader),
            None if registration.isr.is_empty() => &eligible,
            None => &registration.isr,
        };
        if !keepers.iter().any(|keeper| is_held(model, keeper, promise)) {
            return Err(lost(promise, keepers));
        }
    }
    Ok(())
}

fn is_held(model: &Model, keeper: &Name, promise: &Promise) -> bool {
    let replica = model.replica(keeper, &promise.partition);
    replica.is_some_and(|replica| match promise.base {
        Some(base) => replica.holds(base, promise.batch),
        None => replica.holds_anywhere(promise.batch),
    })
}

fn lost(promise: &Promise, keepers: &[Name]) -> String {
    let place = match promise.base {
        Some(base) => format!("{} offset {base}", promise.partition),
        None => promise.partition.to_string(),
    };
    let log = match keepers {
        [leader] => format!("in the log of {leader}"),
        _ => "in any in-sync replica's log".to_owned(),
    };
    format!(
        "{place}, acknowledged to {} with acks={}, is not {log}",
        promise.producer, promise.acks
    )
}

/// R12 when a replica begins to lead; R19 when a batch is acknowledged.
pub(crate) fn check(model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
    match change {
        // Whoever believes itself leader of an epoch that is over leads nobody.
        StateChange::Replica { process, partition, leader: Some(leader), epoch }
            if leader == process
                && model
                    .registrations
                    .get(partition)
                    .is_none_or(|it| it.leader_epoch <= *epoch) =>
        {
            let due = model.promises.iter().filter(|promise| {
                promise.partition == *partition
                    && &*promise.acks == "all"
                    && !model.excuses(promise)
            });
            for promise in due {
                bench.demand("R12", is_held(model, process, promise), || {
                    lost(promise, std::slice::from_ref(process))
                });
            }
        }
        StateChange::BatchAcked { partition, acks, base: Some(base), count, .. }
            if &**acks == "all" =>
        {
            let highest = model.highest.get(partition).copied().unwrap_or(0);
            bench.demand("R19", highest >= base + count, || {
                format!(
                    "{partition} offset {base} was acknowledged with acks=all while the \
                     high watermark was {highest}"
                )
            });
        }
        _ => {}
    }
}
