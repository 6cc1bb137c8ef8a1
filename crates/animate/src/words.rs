//! What happens at a moment, in plain words.
//!
//! Words come from what became true first, and from the rule that acted where nothing else
//! says it better. What happens to several partitions at once is said once.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_trace::{
    Event, Fault, Flow, Packet, PacketId, StateChange, Time, Tone, What,
};

use crate::ledger::Ledger;
use crate::passage;
use crate::reading::Reading;
use crate::stage::Stage;
use crate::told::list;

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

/// Tells a story, moment by moment.
pub(crate) struct Teller<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) ledger: Ledger,
    packets: BTreeMap<PacketId, &'a Packet>,
    silent: Silence,
    said: BTreeMap<String, Time>,
}

/// The events of one moment, sorted by what they are.
#[derive(Debug, Default)]
pub(crate) struct Moment<'a> {
    pub(crate) arrived: BTreeMap<&'a str, &'a Packet>,
    pub(crate) marks: BTreeSet<(&'a str, &'a str)>,
    pub(crate) changes: Vec<&'a StateChange>,
    /// Who, about which partition, what.
    pub(crate) deeds: Vec<(&'a str, Option<&'a str>, &'a str, Tone)>,
}

/// Something said, not yet at a time.
pub(crate) type Said = (Weight, Tone, String);

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
                let text = self.stage.in_prose(caption.as_ref()?);
                Some((Weight::Author, Tone::Plain, text))
            }
            What::Say { process: None, label, text, tone } => {
                let label = label.as_deref().map(|label| format!("{label}: "));
                let text = self.stage.in_prose(text);
                Some((Weight::Author, *tone, label.unwrap_or_default() + &text))
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
            Fault::Way { from, to, flow } => {
                let tone = if *flow == Flow::Free { Tone::Plain } else { Tone::Error };
                let way = format!("What {} sends to {}", names(from), names(to));
                (tone, format!("{way} {}.", passage::told(*flow)))
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
                What::Deed { process, partition, text, tone } => {
                    moment.deeds.push((process, partition.as_deref(), text, *tone));
                }
                What::State(change) => moment.changes.push(change),
                _ => {}
            }
        }
        moment
    }
}

/// A demand in words: `no-acknowledged-record-lost` without its hyphens.
pub(crate) fn spoken_demand(demand: &str) -> String {
    let is_word = demand.chars().all(|c| c.is_ascii_lowercase() || c == '-');
    if is_word { demand.replace('-', " ") } else { demand.to_owned() }
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
    fn an_answer_from_the_controller_is_no_replica_that_fetched() {
        let mut script = fixture::Script::default();
        fixture::set_up(&mut script);
        let fetch = script.packet("broker-1", "controller", "Fetch", 10, 20);
        script.answer(fetch, 20, 30, 1);
        script.state(30, fixture::watermark("broker-1", 2));
        says(&script.trace(), "The high watermark of orders-0 moves to 2.");
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
}
