//! Who says whether a condition holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use topomotion_model::{Comparison, Condition, PartitionName, ProcessId, Term};
use topomotion_trace::{Event, StateChange, Time, What};

use crate::Sight;

/// Sees every event of a run as it happens and answers what holds at the moment.
///
/// The world knows nothing of the judge's verdicts, and the judge nothing of the engine: it
/// reads the trace, as any other reader could.
pub trait Judge {
    /// One more event has happened.
    fn see(&mut self, event: &Event);

    /// Something was seen that the trace does not tell. A judge of conditions has no use
    /// for it.
    fn witness(&mut self, _at: Time, _sight: &Sight) {}

    /// Whether the condition holds now; if not, why not, in words for the author.
    fn judge(&self, condition: &Condition) -> Result<(), String>;
}

/// The cluster's state as the trace tells it: registrations, log ends, high watermarks.
/// Answers every condition about the present; promises about the past are for `verify`.
#[derive(Debug, Clone, Default)]
pub struct Observer {
    registrations: BTreeMap<Arc<str>, Registration>,
    replicas: BTreeMap<(Arc<str>, Arc<str>), Replica>,
}

/// A partition as the controller last committed it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// Assigned replicas.
    pub replicas: Vec<Arc<str>>,
    /// In-sync replicas.
    pub isr: Vec<Arc<str>>,
    /// The leader, if there is one.
    pub leader: Option<Arc<str>>,
    /// Raised with each leader set.
    pub leader_epoch: i32,
}

/// One replica as it last spoke of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replica {
    /// Log end offset.
    pub log_end: i64,
    /// High watermark.
    pub high_watermark: i64,
}

impl Observer {
    /// Nothing has been seen yet.
    pub fn new() -> Observer {
        Observer::default()
    }

    /// A partition's registration, if it has one.
    pub fn registration(&self, partition: &str) -> Option<&Registration> {
        self.registrations.get(partition)
    }

    /// A replica as it last spoke of itself; all zero before.
    pub fn replica(&self, process: &str, partition: &str) -> Replica {
        let key = (Arc::from(process), Arc::from(partition));
        self.replicas.get(&key).copied().unwrap_or_default()
    }

    fn replica_mut(&mut self, process: &Arc<str>, partition: &Arc<str>) -> &mut Replica {
        self.replicas.entry((process.clone(), partition.clone())).or_default()
    }

    fn registered(&self, partition: &PartitionName) -> Result<&Registration, String> {
        let found = self.registrations.get(&*partition.to_string());
        found.ok_or_else(|| format!("{partition} does not exist"))
    }

    fn leader(
        &self,
        partition: &PartitionName,
        comparison: Comparison,
        wanted: Option<&ProcessId>,
    ) -> Result<(), String> {
        let leader = self.registered(partition)?.leader.as_deref();
        if equality(comparison, leader == wanted.map(ProcessId::as_str)) {
            return Ok(());
        }
        Err(match leader {
            Some(leader) => format!("{leader} leads {partition}"),
            None => format!("nobody leads {partition}"),
        })
    }

    fn isr(
        &self,
        partition: &PartitionName,
        comparison: Comparison,
        wanted: &[ProcessId],
    ) -> Result<(), String> {
        let mut isr: Vec<&str> =
            self.registered(partition)?.isr.iter().map(|member| &**member).collect();
        isr.sort_unstable();
        let mut wanted: Vec<&str> = wanted.iter().map(ProcessId::as_str).collect();
        wanted.sort_unstable();
        match equality(comparison, isr == wanted) {
            true => Ok(()),
            false => Err(format!("the ISR of {partition} is {{{}}}", isr.join(", "))),
        }
    }

    fn number(&self, term: Term, partition: &PartitionName) -> Result<i64, String> {
        let registration = self.registered(partition)?;
        let leader = || {
            let leader = registration.leader.as_deref();
            let leader = leader.ok_or_else(|| format!("nobody leads {partition}"))?;
            Ok::<Replica, String>(self.replica(leader, &partition.to_string()))
        };
        Ok(match term {
            Term::HighWatermark => leader()?.high_watermark,
            Term::LogEnd => leader()?.log_end,
            Term::LeaderEpoch => i64::from(registration.leader_epoch),
            Term::IsrSize => i64::try_from(registration.isr.len()).unwrap_or(i64::MAX),
        })
    }
}

impl Judge for Observer {
    fn see(&mut self, event: &Event) {
        let What::State(change) = &event.what else { return };
        match change {
            StateChange::Registration {
                partition,
                replicas,
                isr,
                leader,
                leader_epoch,
                ..
            } => {
                let registration = Registration {
                    replicas: replicas.clone(),
                    isr: isr.clone(),
                    leader: leader.clone(),
                    leader_epoch: *leader_epoch,
                };
                self.registrations.insert(partition.clone(), registration);
            }
            StateChange::Appended { process, partition, base, count, .. } => {
                self.replica_mut(process, partition).log_end = base + count;
            }
            StateChange::Truncated { process, partition, end } => {
                self.replica_mut(process, partition).log_end = *end;
            }
            StateChange::HighWatermark { process, partition, offset } => {
                self.replica_mut(process, partition).high_watermark = *offset;
            }
            StateChange::Process { .. }
            | StateChange::Quorum { .. }
            | StateChange::Broker { .. }
            | StateChange::Replica { .. }
            | StateChange::IsrProposed { .. }
            | StateChange::ProduceWaits { .. }
            | StateChange::BatchSent { .. }
            | StateChange::BatchAcked { .. }
            | StateChange::BatchFailed { .. }
            | StateChange::Polled { .. }
            | StateChange::LeaderLearned { .. } => {}
        }
    }

    fn judge(&self, condition: &Condition) -> Result<(), String> {
        match condition {
            Condition::NoAcknowledgedRecordLost => {
                Err("an observer of the present cannot say what was promised".to_owned())
            }
            Condition::Leader { partition, comparison, process } => {
                self.leader(partition, *comparison, process.as_ref())
            }
            Condition::Isr { partition, comparison, processes } => {
                self.isr(partition, *comparison, processes)
            }
            Condition::Number { term, partition, comparison, value } => {
                let found = self.number(*term, partition)?;
                match compare(*comparison, found, *value) {
                    true => Ok(()),
                    false => Err(format!("{term}({partition}) is {found}")),
                }
            }
        }
    }
}

/// Names are equal or not; other comparisons cannot be written.
fn equality(comparison: Comparison, equal: bool) -> bool {
    match comparison {
        Comparison::Equal | Comparison::AtLeast | Comparison::AtMost => equal,
        Comparison::NotEqual | Comparison::MoreThan | Comparison::LessThan => !equal,
    }
}

fn compare(comparison: Comparison, found: i64, value: i64) -> bool {
    match comparison {
        Comparison::Equal => found == value,
        Comparison::NotEqual => found != value,
        Comparison::AtLeast => found >= value,
        Comparison::AtMost => found <= value,
        Comparison::MoreThan => found > value,
        Comparison::LessThan => found < value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observer() -> Observer {
        let (a, b): (Arc<str>, Arc<str>) = ("a".into(), "b".into());
        let partition: Arc<str> = "orders-0".into();
        let registration = StateChange::Registration {
            controller: "c".into(),
            partition: partition.clone(),
            replicas: vec![a.clone(), b.clone()],
            isr: vec![b.clone(), a.clone()],
            leader: Some(a.clone()),
            leader_epoch: 4,
            partition_epoch: 9,
        };
        let appended = StateChange::Appended {
            process: a.clone(),
            partition: partition.clone(),
            base: 0,
            count: 5,
            epoch: 4,
            batch: 1,
        };
        let watermark = StateChange::HighWatermark { process: a, partition, offset: 3 };
        let mut observer = Observer::new();
        for change in [registration, appended, watermark] {
            observer.see(&Event { at: Time(0), what: What::State(change) });
        }
        observer
    }

    fn ask(text: &str) -> Result<(), String> {
        observer().judge(&Condition::parse(text).expect("a condition"))
    }

    #[test]
    fn what_is_so_holds() {
        for text in [
            "leader(orders-0) == a",
            "leader(orders-0) != none",
            "isr(orders-0) == {a, b}",
            "isr-size(orders-0) == 2",
            "high-watermark(orders-0) >= 3",
            "log-end(orders-0) == 5",
            "leader-epoch(orders-0) > 3",
        ] {
            assert_eq!(ask(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn what_is_not_so_is_told_with_what_is() {
        for (text, failure) in [
            ("leader(orders-0) == b", "a leads orders-0"),
            ("isr(orders-0) == {a}", "the ISR of orders-0 is {a, b}"),
            ("high-watermark(orders-0) >= 4", "high-watermark(orders-0) is 3"),
            ("log-end(orders-7) == 5", "orders-7 does not exist"),
        ] {
            assert_eq!(ask(text), Err(failure.to_owned()), "{text}");
        }
    }
}
