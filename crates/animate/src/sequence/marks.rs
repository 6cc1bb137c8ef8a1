//! What becomes true of a process, in a few words on its lifeline.
//!
//! Only what a reader of the messages cannot see in them: crashes, elections, in-sync sets,
//! fencing, cut logs, batches that were given up. What happens to several partitions at once
//! is said once.

use std::collections::BTreeMap;

use topomotion_trace::{
    BrokerLiveness, Event, Fault, Ownership, ProcessState, QuorumRole, StateChange,
    TransactionStep, What,
};

use crate::ledger::Ledger;
use crate::stage::Stage;

/// How a mark is meant: its colour and its sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Sign {
    /// It dies.
    Crash,
    /// It stands still.
    Pause,
    /// It works again.
    Recovery,
    /// It leads from now on.
    Lead,
    /// Something else became true.
    Change,
    /// In doubt.
    Doubt,
    /// Something failed.
    Failure,
    /// A glow, without words.
    Flash,
}

/// A mark: at whom, what, how it is meant.
pub(crate) type Mark = (String, String, Sign);

/// The marks of a moment; `ledger` knows what was true before.
pub(crate) fn of(moment: &[Event], ledger: &Ledger, stage: &Stage) -> Vec<Mark> {
    let mut found: Vec<Mark> = Vec::new();
    let mut several = Several::default();
    for event in moment {
        match &event.what {
            What::Fault(fault) => found.extend(fault_mark(fault)),
            What::State(change) => {
                found.extend(change_mark(change));
                several.add(change, ledger, stage);
            }
            _ => {}
        }
    }
    found.extend(several.marks());
    found.dedup();
    found.retain(|(process, ..)| stage.node(process).is_some());
    found
}

fn fault_mark(fault: &Fault) -> Option<Mark> {
    let (process, text, sign) = match fault {
        Fault::Crash { process } => (process, "crashes", Sign::Crash),
        Fault::Restart { process } => (process, "starts again", Sign::Recovery),
        Fault::Pause { process } => (process, "stands still", Sign::Pause),
        Fault::Resume { process } => (process, "goes on", Sign::Recovery),
        Fault::Partition { .. } | Fault::Way { .. } | Fault::Heal => return None,
    };
    Some((process.to_string(), text.to_owned(), sign))
}

fn change_mark(change: &StateChange) -> Option<Mark> {
    use StateChange as S;
    let (process, text, sign) = match change {
        S::Process { process, state } => {
            let (text, sign) = match state {
                ProcessState::Running => ("running", Sign::Recovery),
                ProcessState::Warning => ("warning", Sign::Doubt),
                ProcessState::Error => ("error", Sign::Failure),
                ProcessState::Stopped => ("stopped", Sign::Crash),
            };
            (process, text.to_owned(), sign)
        }
        S::Quorum { process, role, epoch } => {
            let (text, sign) = match role {
                QuorumRole::Leader => ("active controller", Sign::Lead),
                QuorumRole::Candidate => ("candidate", Sign::Change),
                QuorumRole::Prospective => ("asks for pre-votes", Sign::Change),
                QuorumRole::Resigned => ("resigns", Sign::Doubt),
                QuorumRole::Unattached | QuorumRole::Follower => return None,
            };
            (process, format!("{text}, epoch {epoch}"), sign)
        }
        S::Broker { broker, liveness, .. } => {
            let (text, sign) = match liveness {
                BrokerLiveness::Fenced => ("fenced", Sign::Doubt),
                BrokerLiveness::Unfenced => ("unfenced", Sign::Recovery),
                BrokerLiveness::ControlledShutdown => ("shuts down", Sign::Doubt),
            };
            (broker, text.to_owned(), sign)
        }
        S::Truncated { process, partition, end } => {
            (process, format!("cuts {partition} to {end}"), Sign::Doubt)
        }
        S::Recovered { process, partition, end } => {
            (process, format!("finds {partition} up to {end}"), Sign::Doubt)
        }
        S::LogStart { process, partition, offset } => {
            (process, format!("drops {partition} before {offset}"), Sign::Doubt)
        }
        S::BatchFailed { process, error, .. } => {
            (process, format!("gives up: {error}"), Sign::Failure)
        }
        S::Registration { .. }
        | S::Replica { .. }
        | S::Appended { .. }
        | S::HighWatermark { .. }
        | S::IsrProposed { .. }
        | S::ProduceWaits { .. }
        | S::BatchSent { .. }
        | S::BatchAcked { .. }
        | S::Polled { .. }
        | S::LeaderLearned { .. }
        | S::LastStable { .. }
        | S::OffsetCommitted { .. } => return None,
        S::Group { .. }
        | S::Member { .. }
        | S::CommitAnswered { .. }
        | S::Transaction { .. }
        | S::TransactionStep { .. }
        | S::ProducerIdentified { .. } => return coordinated_mark(change),
    };
    Some((process.to_string(), text, sign))
}

/// Marks of groups and of transactions.
fn coordinated_mark(change: &StateChange) -> Option<Mark> {
    use StateChange as S;
    let (process, text, sign) = match change {
        S::Group { coordinator, group, state, generation, .. } => {
            let text = format!("{group}: {state}, gen {generation}");
            (coordinator, text, Sign::Change)
        }
        S::Member { process, change, partitions, .. } => {
            if partitions.is_empty() {
                return None;
            }
            let sign = match change {
                Ownership::Assigned => Sign::Lead,
                Ownership::Revoked => Sign::Change,
                Ownership::Lost => Sign::Failure,
            };
            (process, format!("{change} {}", partitions.join(", ")), sign)
        }
        S::CommitAnswered { process, error, .. } => {
            let text = format!("commit refused: {}", error.as_ref()?);
            (process, text, Sign::Failure)
        }
        S::Transaction { coordinator, id, state, .. } => {
            (coordinator, format!("{id}: {state}"), Sign::Change)
        }
        S::TransactionStep { process, step, .. } => {
            let sign = match step {
                TransactionStep::Fenced | TransactionStep::Unknown => Sign::Failure,
                TransactionStep::Abortable => Sign::Doubt,
                _ => Sign::Change,
            };
            (process, format!("transaction {step}"), sign)
        }
        S::ProducerIdentified { process, producer, epoch, .. } => {
            (process, format!("producer {producer}, epoch {epoch}"), Sign::Change)
        }
        _ => return None,
    };
    Some((process.to_string(), text, sign))
}

/// Registrations that change at one moment.
#[derive(Debug, Default)]
struct Several {
    /// New leader to its partitions; without one, the controller.
    led: BTreeMap<(String, Sign), Vec<String>>,
    /// Controller and new in-sync set to its partitions.
    in_sync: BTreeMap<(String, String), Vec<String>>,
}

impl Several {
    fn add(&mut self, change: &StateChange, ledger: &Ledger, stage: &Stage) {
        let StateChange::Registration {
            controller,
            partition,
            isr,
            leader,
            leader_epoch,
            ..
        } = change
        else {
            return;
        };
        let Some(before) = ledger.registration(partition) else { return };
        if before.leader.as_deref() != leader.as_deref() || before.epoch != *leader_epoch
        {
            let (process, sign) = match leader {
                Some(leader) => (leader.to_string(), Sign::Lead),
                None => (controller.to_string(), Sign::Failure),
            };
            self.led.entry((process, sign)).or_default().push(partition.to_string());
        }
        let mut now: Vec<&str> = isr.iter().map(|id| &**id).collect();
        let mut then: Vec<&str> = before.isr.iter().map(String::as_str).collect();
        now.sort_unstable();
        then.sort_unstable();
        if now != then {
            let names: Vec<&str> = isr.iter().map(|id| stage.name(id)).collect();
            let names = if names.is_empty() { "nobody".into() } else { names.join(", ") };
            let key = (controller.to_string(), names);
            self.in_sync.entry(key).or_default().push(partition.to_string());
        }
    }

    fn marks(self) -> Vec<Mark> {
        let led = self.led.into_iter().map(|((process, sign), partitions)| {
            let which = listed(&partitions);
            let text = match sign {
                Sign::Failure => format!("no leader: {which}"),
                _ => format!("leads {which}"),
            };
            (process, text, sign)
        });
        let in_sync = self.in_sync.into_iter().map(|((process, names), partitions)| {
            (process, format!("ISR of {}: {names}", listed(&partitions)), Sign::Change)
        });
        led.chain(in_sync).collect()
    }
}

fn listed(partitions: &[String]) -> String {
    match partitions {
        [] => String::new(),
        few if few.len() < 4 => few.join(", "),
        many => format!("{} partitions", many.len()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::reading::Reading;
    use crate::stage::Bands;

    #[test]
    fn a_crash_fences_elects_and_shrinks_the_set() {
        let trace = fixture::election();
        let reading = Reading::new(&trace);
        let stage = Stage::new(&fixture::scene(), Bands::None);
        let mut ledger = Ledger::default();
        reading.before.iter().for_each(|event| drop(ledger.apply(event)));
        let mut told = Vec::new();
        for moment in reading.moments() {
            told.extend(of(moment, &ledger, &stage));
            moment.iter().for_each(|event| drop(ledger.apply(event)));
        }
        let told: Vec<(&str, &str, Sign)> =
            told.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), *c)).collect();
        assert_eq!(
            told,
            [
                ("broker-1", "crashes", Sign::Crash),
                ("broker-1", "fenced", Sign::Doubt),
                ("broker-2", "leads orders-0", Sign::Lead),
                ("controller", "ISR of orders-0: Broker 2, Broker 3", Sign::Change),
            ]
        );
    }
}
