//! Partition replication: R1, R3, R4, R6, R7, R10, R13, R14.

use std::collections::BTreeMap;

use topomotion_trace::StateChange;

use crate::court::Bench;
use crate::model::{Model, Name, Registration, registration_of};

/// Checks against what was so until now.
pub(crate) fn before(model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
    if let Some((partition, now)) = registration_of(change) {
        if let Some(before) = model.registrations.get(&partition) {
            epochs_rise(&partition, before, &now, bench);
        }
        is_sound(&partition, &now, bench);
    }
    if let StateChange::Truncated { process, partition, end } = change
        && model.registrations.contains_key(partition)
        && !model.was_unclean(partition)
        && let Some(replica) = model.replica(process, partition)
    {
        let watermark = replica.high_watermark;
        // Where its leader's log begins within a batch, a new log begins with the batch.
        let begins_anew = *end < model.deleted_below(partition)
            || model.begins_anew(process, partition);
        // Where compaction took an epoch's last records, the epoch ends earlier at whoever was
        // given the rest: what is cut away comes back, but for what is gone.
        let is_thin = model.compacted().is_thin(partition, *end..watermark);
        bench.demand("R13", watermark <= *end || begins_anew || is_thin, || {
            format!(
                "{process} cut {partition} to {end}, below its high watermark {watermark}"
            )
        });
    }
}

/// R3, R4.
fn is_sound(partition: &Name, now: &Registration, bench: &mut Bench<'_>) {
    if let Some(leader) = &now.leader {
        bench.demand("R3", now.isr.contains(leader), || {
            format!(
                "{leader} leads {partition} and is not in its ISR {{{}}}",
                now.isr.join(", ")
            )
        });
    }
    for member in &now.isr {
        bench.demand("R4", now.replicas.contains(member), || {
            format!("{member} is in the ISR of {partition} and holds no replica of it")
        });
    }
}

/// R6. A new controller may tell the same registration again, and several changes that
/// were committed together may be told as one.
fn epochs_rise(
    partition: &Name,
    before: &Registration,
    now: &Registration,
    bench: &mut Bench<'_>,
) {
    if before == now {
        return;
    }
    let (was, is) = (before.partition_epoch, now.partition_epoch);
    let steps = is - was;
    bench.demand("R6", steps >= 1, || {
        format!("the partition epoch of {partition} went from {was} to {is}")
    });
    let (was, is) = (before.leader_epoch, now.leader_epoch);
    let may_stay = before.leader == now.leader;
    let fits = (1..=steps).contains(&(is - was)) || (is == was && may_stay);
    bench.demand("R6", fits, || {
        format!("the leader epoch of {partition} went from {was} to {is}")
    });
}

/// Checks what is so now.
pub(crate) fn after(model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
    let StateChange::HighWatermark { process, partition, offset } = change else {
        return;
    };
    if let Some(replica) = model.replica(process, partition) {
        let end = replica.end();
        bench.demand("R1", *offset <= end, || {
            format!("the high watermark of {partition} at {process} is {offset}, its log end {end}")
        });
    }
    let Some(registration) = model.registrations.get(partition) else { return };
    let leads =
        model.replica(process, partition).and_then(|replica| replica.role.as_ref());
    if leads != Some(&(Some(process.clone()), registration.leader_epoch)) {
        return;
    }
    for member in &registration.isr {
        let replica = model.replica(member, partition);
        if replica.is_some_and(|replica| !replica.is_sound) {
            continue;
        }
        let end = model.end_of(replica, partition);
        bench.demand("R10", *offset <= end, || {
            format!(
                "{process} raised the high watermark of {partition} to {offset}, but \
                 {member} is in the ISR and has only {end}"
            )
        });
    }
}

/// What is known of every epoch's batches and leaders: R7, R14.
#[derive(Debug, Clone, Default)]
pub(crate) struct Matching {
    leaders: BTreeMap<(Name, i32), Name>,
    /// Batch and digest of the log below it, by partition, offset and epoch.
    batches: BTreeMap<(Name, i64, i32), (u32, u64, Name)>,
}

impl Matching {
    /// Of what a voter wrote last, its vote included, nothing may be left when its power fails.
    /// It says nothing before that is flushed: if nobody else has it, it never was.
    pub fn lose(&mut self, model: &Model, process: &Name) {
        self.batches.retain(|(partition, base, _), (batch, _, first)| {
            first != process
                || !is_metadata(partition)
                || model.is_held_beside(process, partition, (*base, *batch))
        });
    }

    pub fn check(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        let StateChange::Appended { process, partition, base, epoch, batch, .. } = change
        else {
            return;
        };
        let Some(replica) = model.replica(process, partition) else { return };
        if replica.role.as_ref() == Some(&(Some(process.clone()), *epoch)) {
            let key = (partition.clone(), *epoch);
            let first = self.leaders.entry(key).or_insert_with(|| process.clone());
            bench.demand("R7", first == process, || {
                format!("{first} and {process} both appended to {partition} as leader of epoch {epoch}")
            });
        }
        let prefix = replica.log.last().map_or(0, |entry| entry.prefix);
        let batch = model.compacted().origin(partition, (*base, *batch));
        let key = (partition.clone(), *base, *epoch);
        let known = self.batches.entry(key).or_insert((batch, prefix, process.clone()));
        // A replica that came late has nothing of what was deleted.
        // Behind a snapshot a metadata log begins anew; K6 judges what is below.
        let same_below = known.1 == prefix
            || is_metadata(partition)
            || model.deleted_below(partition) > 0
            || model.compacted().is_thin(partition, 0..*base);
        bench.demand("R14", known.0 == batch && same_below, || {
            let what = if known.0 == batch {
                "differ below"
            } else {
                "hold different batches at"
            };
            format!(
                "{} and {process} {what} {partition} offset {base} of epoch {epoch}",
                known.2
            )
        });
    }
}

/// Whether this is the log that snapshots stand in for.
pub(crate) fn is_metadata(partition: &str) -> bool {
    partition == "__cluster_metadata-0"
}
