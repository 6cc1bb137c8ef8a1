//! T4: in a log the epochs of a producer never fall: after a record or marker its leader takes
//! nothing of an older one. (Followers copy what their leader took.)

use std::collections::BTreeMap;

use topomotion_sim::Sight;
use topomotion_trace::StateChange;

use super::Checker;
use super::t5_hanging::leads;
use crate::court::Bench;
use crate::model::{Model, Name};

/// What stands where: offset, producer and epoch.
type Written = (i64, i64, i16);

#[derive(Debug, Default)]
pub(crate) struct Fencing {
    logs: BTreeMap<(Name, Name), Vec<Written>>,
}

impl Fencing {
    fn write(
        &mut self,
        model: &Model,
        (process, partition): (&Name, &Name),
        (base, producer, epoch): Written,
        bench: &mut Bench<'_>,
    ) {
        let log = self.logs.entry((process.clone(), partition.clone())).or_default();
        // What is written at an offset replaces what a cut or a lost disk took.
        log.retain(|(at, ..)| *at < base);
        // The last one: a follower takes the older epoch, too, that a leader took who had lost
        // the newer one with its disk, and goes on from that (ProducerAppendInfo).
        let mut of_producer = log.iter().rev().filter(|(_, of, _)| *of == producer);
        let last = of_producer.next().map(|it| it.2);
        let rises = last.is_none_or(|last| last <= epoch);
        bench.demand("T4", rises || !leads(model, process, partition), || {
            format!(
                "{process} took epoch {epoch} of producer {producer} in {partition} at \
                 offset {base}, after epoch {}",
                last.unwrap_or_default()
            )
        });
        log.push((base, producer, epoch));
    }
}

impl Checker for Fencing {
    fn see(&mut self, model: &Model, change: &StateChange, _bench: &mut Bench<'_>) {
        if let StateChange::Truncated { process, partition, end } = change {
            let log = self.logs.entry((process.clone(), partition.clone())).or_default();
            // Whoever was behind its leader's log start begins there, and whoever holds nothing
            // below its leader's log end does: they know no producer (TRN-4).
            let replica = model.replica(process, partition);
            let begins_anew = replica
                .is_none_or(|replica| replica.log.is_empty() || *end <= replica.start);
            log.retain(|(at, ..)| at < end && !begins_anew);
        }
    }

    fn witness(&mut self, model: &Model, sight: &Sight, bench: &mut Bench<'_>) {
        match sight {
            Sight::Numbered { process, partition, base, producer, epoch, .. }
            | Sight::Marked { process, partition, base, producer, epoch, .. } => {
                self.write(
                    model,
                    (process, partition),
                    (*base, *producer, *epoch),
                    bench,
                );
            }
            Sight::Found { process, partition, end } => {
                let place = (process.clone(), partition.clone());
                let log = self.logs.entry(place).or_default();
                log.retain(|(at, ..)| at < end);
            }
            Sight::LostDisk(process) => self.logs.retain(|(of, _), _| of != process),
            Sight::Asked(topomotion_sim::Asked::TopicDeleted(topic)) => {
                let is_other = |partition: &Name| {
                    partition.rsplit_once('-').is_none_or(|it| *it.0 != **topic)
                };
                self.logs.retain(|(_, partition), _| is_other(partition));
            }
            _ => {}
        }
    }
}
