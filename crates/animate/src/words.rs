//! What happens at a moment, in plain words.
//!
//! Words come from what became true first, and from the rule that acted where nothing else
//! says it better. What happens to several partitions at once is said once.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_trace::{
    BrokerLiveness, Event, Fault, Packet, PacketId, QuorumRole, StateChange, Time, Tone,
    What,
};

use crate::ledger::Ledger;
use crate::reading::Reading;
use crate::rules;
use crate::stage::Stage;

/// How much a line matters. What matters more is said if not everything can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// Good to know.
    Detail,
    /// The story moves on.
    Turn,
    /// Without it the story cannot be understood.
    Key,
    /// The author's own words.
    Author,
}

/// One thing said.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub at: Time,
    pub text: String,
    pub weight: Weight,
    pub tone: Tone,
}

/// Everything that could be said about a story, in order.
pub(crate) fn lines(reading: &Reading<'_>, stage: &Stage) -> Vec<Line> {
    let mut ledger = Ledger::default();
    for event in reading.before {
        ledger.apply(event);
    }
    let packets = reading.packets();
    let mut teller =
        Teller { stage, ledger, packets, silent: Silence::Talk, said: BTreeMap::new() };
    reading.moments().flat_map(|moment| teller.moment(moment)).collect()
}

/// Whether the rules' own words are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Silence {
    /// They are.
    Talk,
    /// The author has spoken for the step under way.
    Hush,
}

struct Teller<'a> {
    stage: &'a Stage,
    ledger: Ledger,
    packets: BTreeMap<PacketId, &'a Packet>,
    silent: Silence,
    said: BTreeMap<String, Time>,
}

/// The events of one moment, sorted by what they are.
#[derive(Debug, Default)]
struct Moment<'a> {
    arrived: BTreeMap<&'a str, &'a Packet>,
    marks: BTreeSet<(&'a str, &'a str)>,
    changes: Vec<&'a StateChange>,
}

/// Something said, not yet at a time.
type Said = (Weight, Tone, String);

impl<'a> Teller<'a> {
    fn moment(&mut self, events: &'a [Event]) -> Vec<Line> {
        let Some(at) = events.first().map(|event| event.at) else { return Vec::new() };
        let mut lines: Vec<Said> = Vec::new();
        for event in events {
            lines.extend(self.spoken(&event.what));
        }
        if self.silent == Silence::Talk {
            let moment = self.sort(events);
            lines.extend(self.told(&moment));
        }
        for event in events {
            self.ledger.apply(event);
        }
        lines.retain(|(weight, _, text)| {
            *weight == Weight::Author || self.is_new(text, at)
        });
        let lines = lines.into_iter();
        lines.map(|(weight, tone, text)| Line { at, text, weight, tone }).collect()
    }

    /// Whether this has not just been said.
    fn is_new(&mut self, text: &str, at: Time) -> bool {
        let before = self.said.insert(text.to_owned(), at);
        before.is_none_or(|before| at.0 > before.0 + 2_000_000)
    }

    /// The words of the script, of faults and of verdicts.
    fn spoken(&mut self, what: &What) -> Option<Said> {
        match what {
            What::Step { caption, .. } => {
                self.silent =
                    if caption.is_some() { Silence::Hush } else { Silence::Talk };
                caption.as_ref().map(|text| (Weight::Author, Tone::Plain, text.clone()))
            }
            What::Say { process: None, label, text, tone } => {
                let label = label.as_deref().map(|label| format!("{label}: "));
                Some((Weight::Author, *tone, label.unwrap_or_default() + text))
            }
            What::Fault(_) if self.silent == Silence::Hush => None,
            What::Fault(fault) => Some(self.fault(fault)),
            What::Verdict { demand, failure: None, .. } => Some((
                Weight::Key,
                Tone::Plain,
                format!("It holds: {}.", spoken_demand(demand)),
            )),
            What::Verdict { demand, failure: Some(failure), .. } => {
                let demand = spoken_demand(demand);
                let failure = self.stage.with_names(failure);
                Some((Weight::Key, Tone::Error, format!("Broken: {demand}. {failure}")))
            }
            _ => None,
        }
    }

    fn fault(&self, fault: &Fault) -> Said {
        let names = |ids: &[std::sync::Arc<str>]| {
            list(ids.iter().map(|id| self.stage.name(id).to_owned()).collect())
        };
        let (tone, text) = match fault {
            Fault::Crash { process } => {
                let led = self.ledger.led_by(process);
                let name = self.stage.name(process);
                let more = match led.len() {
                    0 => String::new(),
                    1..4 => format!(" It led {}.", list(led)),
                    many => format!(" It led {many} partitions."),
                };
                (Tone::Error, format!("{name} crashes.{more}"))
            }
            Fault::Restart { process } => (
                Tone::Plain,
                format!("{} starts again on its own disk.", self.stage.name(process)),
            ),
            Fault::Pause { process } => {
                (Tone::Error, format!("{} stands still.", self.stage.name(process)))
            }
            Fault::Resume { process } => {
                (Tone::Plain, format!("{} goes on.", self.stage.name(process)))
            }
            Fault::Partition { left, right } => {
                let text =
                    format!("The network is cut: {} | {}.", names(left), names(right));
                (Tone::Error, text)
            }
            Fault::Heal => (Tone::Plain, "The network is whole again.".to_owned()),
        };
        (Weight::Key, tone, text)
    }

    fn sort(&self, events: &'a [Event]) -> Moment<'a> {
        let mut moment = Moment::default();
        for event in events {
            match &event.what {
                What::Arrived(id) => {
                    if let Some(&packet) = self.packets.get(id) {
                        moment.arrived.insert(&packet.to, packet);
                    }
                }
                What::Mark { process, rule, .. } => {
                    moment.marks.insert((process, rule));
                }
                What::State(change) => moment.changes.push(change),
                _ => {}
            }
        }
        moment
    }

    fn told(&self, moment: &Moment<'_>) -> Vec<Said> {
        // A broker is fenced first, and that is why others lead.
        let (first, others): (Vec<&StateChange>, Vec<&StateChange>) = moment
            .changes
            .iter()
            .partition(|change| matches!(change, StateChange::Broker { .. }));
        let mut lines: Vec<Said> =
            first.into_iter().filter_map(|change| self.change(change, moment)).collect();
        lines.extend(self.registrations(moment));
        lines.extend(others.into_iter().filter_map(|change| self.change(change, moment)));
        if lines.iter().all(|(weight, ..)| *weight < Weight::Turn) {
            let marked = moment.marks.iter().filter_map(|(process, rule)| {
                let (weight, text) = rules::words(rule, self.stage.name(process))?;
                Some((weight, Tone::Plain, text))
            });
            lines.extend(marked);
        }
        lines
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
        let plain = |weight, text: String| Some((weight, Tone::Plain, text));
        match change {
            S::Broker { broker, liveness, .. } => self.liveness(broker, *liveness),
            S::Quorum { process, role, epoch } => self.quorum(process, *role, *epoch),
            S::Appended { process, partition, base, .. } => {
                let leads = self.leads(process, partition);
                let who = self.stage.name(process);
                let text = if leads {
                    format!("{who}, the leader of {partition}, appends offset {base}.")
                } else {
                    format!("{who} appends offset {base} of {partition}.")
                };
                plain(if leads { Weight::Turn } else { Weight::Detail }, text)
            }
            S::Truncated { process, partition, end } => {
                let who = self.stage.name(process);
                let text = format!(
                    "{who} cuts {partition} back to offset {end}, where it still agrees."
                );
                plain(Weight::Key, text)
            }
            S::HighWatermark { process, partition, offset } => {
                Some(self.watermark(process, partition, *offset, moment))
            }
            S::IsrProposed { process, partition, isr } => {
                let names =
                    list(isr.iter().map(|id| self.stage.name(id).to_owned()).collect());
                let who = self.stage.name(process);
                plain(
                    Weight::Turn,
                    format!("{who} proposes the in-sync set {names} for {partition}."),
                )
            }
            S::ProduceWaits { process, until, .. } => {
                let who = self.stage.name(process);
                let text = format!(
                    "acks=all: {who} waits with its answer for high watermark {until}."
                );
                plain(Weight::Key, text)
            }
            S::BatchSent { process, attempt, .. } if *attempt > 0 => {
                plain(Weight::Turn, format!("{} tries again.", self.stage.name(process)))
            }
            S::BatchSent { .. } | S::Process { .. } | S::Registration { .. } => None,
            S::BatchAcked { process, partition, base, .. } => {
                let who = self.stage.name(process);
                let text = match base {
                    Some(base) => {
                        format!("{who} knows: offset {base} of {partition} is written.")
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
            S::Polled { process, partition, base, next } => {
                let offsets = match next - base {
                    ..=1 => format!("offset {base}"),
                    _ => format!("offsets {base} to {}", next - 1),
                };
                let who = self.stage.name(process);
                plain(Weight::Turn, format!("{who} reads {offsets} of {partition}."))
            }
            S::LeaderLearned { process, partition, leader: Some(leader), .. } => {
                let text = format!(
                    "{} learns that {} leads {partition}.",
                    self.stage.name(process),
                    self.stage.name(leader)
                );
                plain(Weight::Detail, text)
            }
            S::LeaderLearned { leader: None, .. } => None,
            S::Replica { process, partition, leader, epoch } => {
                let leads = leader.as_deref() == Some(&**process);
                let before = self.ledger.replica(process, partition);
                let led = before
                    .is_some_and(|before| before.leader.as_deref() == Some(&**process));
                if !leads || led || before.is_none() {
                    return None;
                }
                let text = format!(
                    "{} takes {partition} over in epoch {epoch}.",
                    self.stage.name(process)
                );
                plain(Weight::Turn, text)
            }
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
        let fetch = moment.arrived.get(process).filter(|packet| &*packet.api == "Fetch");
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
        let was_fenced = self.ledger.doing(broker).fenced.is_some();
        Some(match liveness {
            BrokerLiveness::Fenced => {
                let text = format!("No heartbeat from {who} for too long: it is fenced.");
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

/// A demand in words: `no-acknowledged-record-lost` without its hyphens.
fn spoken_demand(demand: &str) -> String {
    let is_word = demand.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    if is_word { demand.replace('-', " ") } else { demand.to_owned() }
}

/// `a, b and c`.
fn list(mut names: Vec<String>) -> String {
    let last = names.pop().unwrap_or_default();
    if names.is_empty() { last } else { format!("{} and {last}", names.join(", ")) }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|c| c.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;
    use crate::stage::Bands;

    fn told(trace: &topomotion_trace::Trace) -> Vec<(Weight, String)> {
        let stage = Stage::new(&fixture::scene(), Bands::Film);
        let lines = lines(&Reading::new(trace), &stage);
        lines.into_iter().map(|line| (line.weight, line.text)).collect()
    }

    fn says(trace: &topomotion_trace::Trace, text: &str) {
        let lines = told(trace);
        assert!(
            lines.iter().any(|(_, line)| line == text),
            "{text} is not in {lines:#?}"
        );
    }

    #[test]
    fn the_watermark_is_told_with_its_cause_and_its_effect() {
        says(
            &fixture::produce(),
            "Broker 3 has fetched up to there: the high watermark of orders-0 moves to 1, \
             and acks=all is answered.",
        );
    }

    #[test]
    fn a_crash_an_election_and_a_verdict_are_told() {
        let trace = fixture::election();
        says(&trace, "Broker 1 crashes. It led orders-0.");
        says(&trace, "No heartbeat from Broker 1 for too long: it is fenced.");
        says(&trace, "Broker 2 is elected leader of orders-0.");
        says(&trace, "It holds: no acknowledged record lost.");
    }

    #[test]
    fn the_author_speaks_for_the_whole_step() {
        let mut script = fixture::Script::default();
        let caption = Some("Watch this.".to_owned());
        script.event(0, What::Step { index: 0, text: "t".into(), caption });
        script.event(5, What::Fault(Fault::Crash { process: "broker-1".into() }));
        script.event(9, What::Step { index: 1, text: "t".into(), caption: None });
        script.event(9, What::Fault(Fault::Restart { process: "broker-1".into() }));
        let lines = told(&script.trace());
        assert_eq!(lines[0], (Weight::Author, "Watch this.".into()));
        assert_eq!(lines[1].1, "Broker 1 starts again on its own disk.");
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn lists_read_like_a_sentence() {
        let names = |text: &str| text.split(' ').map(str::to_owned).collect();
        assert_eq!(list(names("a")), "a");
        assert_eq!(list(names("a b c")), "a, b and c");
        assert_eq!(list(Vec::new()), "");
    }
}
