//! What became true at a moment, and which rule acted, in plain words.

mod groups;

use std::collections::{BTreeMap, BTreeSet};

use topomotion_trace::{BrokerLiveness, Packet, QuorumRole, StateChange, Tone, Travel};

use crate::ledger::replica_of;
use crate::rules;
use crate::words::{Moment, Said, Teller, Weight};

impl Teller<'_> {
    pub(crate) fn told(&self, moment: &Moment<'_>) -> Vec<Said> {
        // A broker is fenced first, and that is why others lead.
        let (first, others): (Vec<&StateChange>, Vec<&StateChange>) = moment
            .changes
            .iter()
            .partition(|change| matches!(change, StateChange::Broker { .. }));
        let mut lines: Vec<Said> =
            first.into_iter().filter_map(|change| self.change(change, moment)).collect();
        lines.extend(self.registrations(moment));
        lines.extend(others.into_iter().filter_map(|change| self.change(change, moment)));
        lines.extend(moment.deeds.iter().map(|deed| self.deed(*deed)));
        if lines.iter().all(|(weight, ..)| *weight < Weight::Turn) {
            let marked = moment.marks.iter().filter_map(|(process, rule)| {
                let (weight, text) = rules::words(rule, self.stage.name(process))?;
                Some((weight, Tone::Plain, text))
            });
            lines.extend(marked);
        }
        lines
    }

    /// What a client did inside.
    fn deed(
        &self,
        (process, partition, text, tone): (&str, Option<&str>, &str, Tone),
    ) -> Said {
        let weight = if tone == Tone::Error { Weight::Turn } else { Weight::Detail };
        let about = partition.map(|name| format!("{name} ")).unwrap_or_default();
        (weight, tone, format!("{}: {about}{text}.", self.stage.name(process)))
    }

    /// New leaders and in-sync sets, each said once for all its partitions.
    fn registrations(&self, moment: &Moment<'_>) -> Vec<Said> {
        let mut led: BTreeMap<Option<&str>, Vec<String>> = BTreeMap::new();
        let mut lines = Vec::new();
        for change in &moment.changes {
            let StateChange::Registration {
                partition, isr, leader, leader_epoch, ..
            } = change
            else {
                continue;
            };
            // Who leads an internal topic is told by what it means: who coordinates.
            if partition.starts_with("__") {
                continue;
            }
            let Some(before) = self.ledger.registration(partition) else { continue };
            if before.leader.as_deref() != leader.as_deref()
                || before.epoch != *leader_epoch
            {
                let told = led.entry(leader.as_deref()).or_default();
                told.push(partition.to_string());
                continue;
            }
            let now: BTreeSet<&str> = isr.iter().map(|id| &**id).collect();
            let then: BTreeSet<&str> = before.isr.iter().map(String::as_str).collect();
            let names = |ids: Vec<&str>| {
                list(ids.into_iter().map(|id| self.stage.name(id).to_owned()).collect())
            };
            let (gone, come): (Vec<&str>, Vec<&str>) = (
                then.difference(&now).copied().collect(),
                now.difference(&then).copied().collect(),
            );
            if !gone.is_empty() {
                let text =
                    format!("{} leaves the in-sync set of {partition}.", names(gone));
                lines.push((Weight::Turn, Tone::Plain, text));
            }
            if !come.is_empty() {
                let text = format!("{} is in sync again for {partition}.", names(come));
                lines.push((Weight::Turn, Tone::Plain, text));
            }
        }
        lines.extend(led.into_iter().map(|(leader, partitions)| {
            let which = match partitions.len() {
                1..4 => list(partitions),
                many => format!("{many} partitions"),
            };
            match leader {
                Some(leader) => {
                    let name = self.stage.name(leader);
                    let text = format!("{name} is elected leader of {which}.");
                    (Weight::Key, Tone::Plain, text)
                }
                None => {
                    let text =
                        format!("No replica in sync is alive: {which} has no leader.");
                    (Weight::Key, Tone::Error, text)
                }
            }
        }));
        lines
    }

    fn change(&self, change: &StateChange, moment: &Moment<'_>) -> Option<Said> {
        use StateChange as S;
        match change {
            S::Broker { broker, liveness, .. } => self.liveness(broker, *liveness),
            S::Quorum { process, role, epoch } => self.quorum(process, *role, *epoch),
            S::Process { .. } | S::Registration { .. } => None,
            S::BatchSent { .. }
            | S::BatchAcked { .. }
            | S::BatchFailed { .. }
            | S::Polled { .. }
            | S::LeaderLearned { .. } => self.client(change),
            S::Replica { .. }
            | S::Appended { .. }
            | S::Truncated { .. }
            | S::Recovered { .. }
            | S::HighWatermark { .. }
            | S::LogStart { .. }
            | S::IsrProposed { .. }
            | S::ProduceWaits { .. } => self.replica(change, moment),
            S::LastStable { .. }
            | S::Group { .. }
            | S::Member { .. }
            | S::OffsetCommitted { .. }
            | S::CommitAnswered { .. }
            | S::Transaction { .. }
            | S::TransactionStep { .. }
            | S::ProducerIdentified { .. } => self.coordinated(change),
        }
    }

    /// A log that has lost records, at either end.
    fn shortened(&self, change: &StateChange) -> Option<Said> {
        use StateChange as S;
        let (weight, text) = match change {
            S::Truncated { process, partition, end } => {
                let who = self.stage.name(process);
                let text = format!(
                    "{who} cuts {partition} back to offset {end}, where it still agrees."
                );
                (Weight::Key, text)
            }
            S::Recovered { process, partition, end } => {
                let who = self.stage.name(process);
                let text = match end {
                    0 => format!("{who} finds nothing of {partition} on its disk."),
                    end => format!(
                        "{who} finds {partition} up to offset {end} only: the rest had not \
                         reached its disk."
                    ),
                };
                (Weight::Key, text)
            }
            S::LogStart { process, partition, offset } => {
                let who = self.stage.name(process);
                let text = format!("{who} drops what {partition} has before {offset}.");
                (Weight::Turn, text)
            }
            _ => return None,
        };
        Some((weight, Tone::Plain, text))
    }

    /// What became true of a replica.
    fn replica(&self, change: &StateChange, moment: &Moment<'_>) -> Option<Said> {
        use StateChange as S;
        if replica_of(change).is_some_and(|(_, partition)| partition.starts_with("__")) {
            return None;
        }
        let (weight, text) = match change {
            S::Appended { process, partition, base, count, .. } => {
                let who = self.stage.name(process);
                let offsets = offsets(*base, base + count);
                if self.leads(process, partition) {
                    let text =
                        format!("{who}, the leader of {partition}, appends {offsets}.");
                    (Weight::Turn, text)
                } else {
                    (Weight::Detail, format!("{who} appends {offsets} of {partition}."))
                }
            }
            S::Truncated { .. } | S::Recovered { .. } | S::LogStart { .. } => {
                return self.shortened(change);
            }
            S::HighWatermark { process, partition, offset } => {
                return Some(self.watermark(process, partition, *offset, moment));
            }
            S::IsrProposed { process, partition, isr } => {
                let names =
                    list(isr.iter().map(|id| self.stage.name(id).to_owned()).collect());
                let who = self.stage.name(process);
                let text =
                    format!("{who} proposes the in-sync set {names} for {partition}.");
                (Weight::Turn, text)
            }
            S::ProduceWaits { process, until, .. } => {
                let who = self.stage.name(process);
                let text = format!(
                    "acks=all: {who} waits with its answer for high watermark {until}."
                );
                (Weight::Key, text)
            }
            S::Replica { process, partition, leader, epoch } => {
                let leads = leader.as_deref() == Some(&**process);
                let is_known = self.ledger.replica(process, partition).is_some();
                if !leads || !is_known || self.leads(process, partition) {
                    return None;
                }
                let who = self.stage.name(process);
                (Weight::Turn, format!("{who} takes {partition} over in epoch {epoch}."))
            }
            _ => return None,
        };
        Some((weight, Tone::Plain, text))
    }

    /// What a producer or a consumer did or learned.
    fn client(&self, change: &StateChange) -> Option<Said> {
        use StateChange as S;
        let plain = |weight, text: String| Some((weight, Tone::Plain, text));
        match change {
            S::BatchSent { process, attempt, .. } if *attempt > 0 => {
                plain(Weight::Turn, format!("{} tries again.", self.stage.name(process)))
            }
            S::BatchAcked { process, partition, base, count, .. } => {
                let who = self.stage.name(process);
                let text = match base {
                    Some(base) => {
                        let offsets = offsets(*base, base + count);
                        let verb = if *count == 1 { "is" } else { "are" };
                        format!("{who} knows: {offsets} of {partition} {verb} written.")
                    }
                    None => {
                        format!("{who} has sent to {partition} and expects no answer.")
                    }
                };
                plain(Weight::Turn, text)
            }
            S::BatchFailed { process, error, .. } => {
                let text = format!("{} gives up: {error}.", self.stage.name(process));
                Some((Weight::Key, Tone::Error, text))
            }
            S::Polled { process, partition, base, next, records } => {
                let last = next.saturating_sub(1);
                let offsets = if *records < next - base {
                    // Markers, aborted records and what compaction removed lie between.
                    let noun = if *records == 1 { "record" } else { "records" };
                    format!("{records} {noun} up to offset {last}")
                } else {
                    offsets(*base, *next)
                };
                let who = self.stage.name(process);
                plain(Weight::Turn, format!("{who} reads {offsets} of {partition}."))
            }
            S::LeaderLearned { process, partition, leader: Some(leader), .. } => {
                let (who, leader) = (self.stage.name(process), self.stage.name(leader));
                plain(
                    Weight::Detail,
                    format!("{who} learns that {leader} leads {partition}."),
                )
            }
            _ => None,
        }
    }

    fn leads(&self, process: &str, partition: &str) -> bool {
        let replica = self.ledger.replica(process, partition);
        replica.is_some_and(|replica| replica.leader.as_deref() == Some(process))
    }

    fn watermark(
        &self,
        process: &str,
        partition: &str,
        offset: i64,
        moment: &Moment<'_>,
    ) -> Said {
        let who = self.stage.name(process);
        if !self.leads(process, partition) {
            let text =
                format!("{who} learns the high watermark {offset} of {partition}.");
            return (Weight::Detail, Tone::Plain, text);
        }
        // A follower's own fetch says how far it has got; an answer from the controller does not.
        let is_fetch =
            |packet: &Packet| &*packet.api == "Fetch" && packet.travel == Travel::Request;
        let fetch = moment.arrived.get(process).filter(|packet| is_fetch(packet));
        let cause = fetch.map(|packet| {
            format!("{} has fetched up to there: ", self.stage.name(&packet.from))
        });
        let answer = if moment.marks.contains(&(process, "REP-6")) {
            ", and acks=all is answered"
        } else {
            ""
        };
        let text = format!(
            "{}the high watermark of {partition} moves to {offset}{answer}.",
            cause.unwrap_or_default()
        );
        (Weight::Key, Tone::Plain, capital(&text))
    }

    fn liveness(&self, broker: &str, liveness: BrokerLiveness) -> Option<Said> {
        let who = self.stage.name(broker);
        let doing = self.ledger.doing(broker);
        let was_fenced = doing.fenced.is_some();
        Some(match liveness {
            BrokerLiveness::Fenced if was_fenced => return None,
            BrokerLiveness::Fenced => {
                let text = if doing.leaving.is_some() {
                    format!("{who} leads nothing any more: it is fenced, and may stop.")
                } else if doing.starting.is_some() {
                    format!("{who} registers anew: fenced until it has caught up.")
                } else if doing.hurt.is_some() || doing.cut.is_some() {
                    format!("No heartbeat from {who} for too long: it is fenced.")
                } else {
                    // It may have asked for it itself, or its words did not arrive.
                    format!("The controller fences {who}.")
                };
                (Weight::Key, Tone::Plain, text)
            }
            BrokerLiveness::Unfenced if was_fenced => {
                let text =
                    format!("{who} has caught up with the metadata: it may serve again.");
                (Weight::Key, Tone::Plain, text)
            }
            BrokerLiveness::Unfenced => return None,
            BrokerLiveness::ControlledShutdown => {
                (Weight::Key, Tone::Plain, format!("{who} is leaving in good order."))
            }
        })
    }

    fn quorum(&self, process: &str, role: QuorumRole, epoch: i32) -> Option<Said> {
        let who = self.stage.name(process);
        let (weight, text) = match role {
            QuorumRole::Prospective => (
                Weight::Turn,
                format!("{who} hears no leader and asks whether it would win."),
            ),
            QuorumRole::Candidate => {
                (Weight::Turn, format!("{who} asks for votes in epoch {epoch}."))
            }
            QuorumRole::Leader => (
                Weight::Key,
                format!("{who} is elected: the active controller of epoch {epoch}."),
            ),
            QuorumRole::Resigned => (Weight::Key, format!("{who} gives leadership up.")),
            QuorumRole::Unattached | QuorumRole::Follower => return None,
        };
        Some((weight, Tone::Plain, text))
    }
}

/// `a, b and c`.
pub(crate) fn list(mut names: Vec<String>) -> String {
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

/// `offset 4`, or `offsets 4 to 6` where 7 is the next.
fn offsets(base: i64, next: i64) -> String {
    match next.saturating_sub(1) {
        last if last <= base => format!("offset {base}"),
        last => format!("offsets {base} to {last}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_offsets_of_a_batch_are_told() {
        let told = [(0, 1), (0, 3), (4, 4)].map(|(base, next)| offsets(base, next));
        assert_eq!(told, ["offset 0", "offsets 0 to 2", "offset 4"]);
    }

    #[test]
    fn lists_read_like_a_sentence() {
        let names = |text: &str| text.split(' ').map(str::to_owned).collect();
        assert_eq!(list(names("a")), "a");
        assert_eq!(list(names("a b c")), "a, b and c");
        assert_eq!(list(Vec::new()), "");
    }
}
