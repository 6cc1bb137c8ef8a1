//! What a sequence diagram tells of a story, entry by entry, in the order of time.
//!
//! What happens at one instant is told in the order of cause and effect: first the step, then
//! what arrives, what becomes true, what is said of it, and then what leaves.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_scene::Scene;
use topomotion_trace::{Event, Fault, Flow, PacketId, Time, Tone, Travel, What};

use super::marks::{self, Sign};
use crate::ledger::Ledger;
use crate::passage;
use crate::pill::{self, Form, Kind};
use crate::plan::Plan;
use crate::reading::{Fate, Flight};
use crate::stage::Stage;

/// One thing told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    /// When, in engine time.
    pub at: Time,
    /// What.
    pub what: Told,
}

/// The kinds of things that are told.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Told {
    /// A step of the scenario begins.
    Step { number: usize, text: String },
    /// This message leaves.
    Send(usize),
    /// This message ends its way.
    Land(usize),
    /// Something became true of a process.
    Mark { process: String, text: String, sign: Sign },
    /// Words at a process.
    Words { process: String, label: Option<String>, text: String, tone: Tone },
    /// Something that concerns the whole network.
    Across { text: String, tone: Tone },
    /// What this step expects was judged.
    Verdict { number: usize, demand: String, failure: Option<String> },
    /// A note in the margin.
    Note { text: String, tone: Tone },
    /// A quiet stretch of this many µs, and the routine in it.
    Gap { micros: u64, routine: Vec<(String, usize)> },
    /// What was left out.
    Foot { text: String },
}

/// A message that is drawn.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    /// Its number in the trace.
    pub id: PacketId,
    /// From whom.
    pub from: String,
    /// To whom.
    pub to: String,
    /// What it is called.
    pub label: String,
    /// Everything that is known of it, in a sentence.
    pub title: String,
    /// Records that it carries.
    pub records: u32,
    /// What it is for.
    pub kind: Kind,
    /// Request, response or failure.
    pub form: Form,
    /// When it left.
    pub sent: Time,
    /// When its way ended.
    pub end: Time,
    /// How its way ended.
    pub fate: Fate,
    /// Since which message's arrival its sender has been busy with it.
    pub answers: Option<PacketId>,
}

/// A story, told.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Tale {
    /// In order of time.
    pub entries: Vec<Entry>,
    /// The messages to which the entries point.
    pub messages: Vec<Message>,
    /// Routine, by instant of departure, for counting.
    pub routine: Vec<(Time, String)>,
    /// News that are not drawn one by one, because there are too many, by name.
    pub surplus: Vec<String>,
}

/// The order of what happens at one instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    Step,
    Fault,
    Land,
    State,
    Say,
    Send,
    /// What arrives at the instant at which it left.
    LandAtOnce,
    Verdict,
}

/// The place of an entry: instant, step or fault under way, phase.
type Place = (Time, usize, Phase);

impl Tale {
    /// Tells a story of which `stage` knows the names.
    pub fn new(plan: &Plan<'_>, scene: &Scene, stage: &Stage) -> Tale {
        let mut teller = Teller {
            stage,
            index: BTreeMap::new(),
            tale: Tale::default(),
            placed: Vec::new(),
            scene_part: 0,
        };
        teller.messages(plan, scene);
        teller.pair_up();
        teller.events(plan);
        teller.notes(plan);
        let mut placed = teller.placed;
        placed.sort_by_key(|(place, _)| *place);
        let mut tale = teller.tale;
        tale.entries =
            placed.into_iter().map(|((at, ..), what)| Entry { at, what }).collect();
        tale
    }

    /// The processes that take part.
    pub fn parts(&self) -> BTreeSet<String> {
        let ends = self.messages.iter().flat_map(|m| [m.from.clone(), m.to.clone()]);
        let marked = self.entries.iter().filter_map(|entry| match &entry.what {
            Told::Mark { process, .. } | Told::Words { process, .. } => {
                Some(process.clone())
            }
            _ => None,
        });
        ends.chain(marked).collect()
    }
}

struct Teller<'a> {
    stage: &'a Stage,
    index: BTreeMap<PacketId, usize>,
    tale: Tale,
    placed: Vec<(Place, Told)>,
    /// How many steps and faults have begun.
    scene_part: usize,
}

impl Teller<'_> {
    fn put(&mut self, at: Time, phase: Phase, what: Told) {
        self.placed.push(((at, self.scene_part, phase), what));
    }

    /// Sorts the flights: drawn, routine, too many.
    fn messages(&mut self, plan: &Plan<'_>, scene: &Scene) {
        for flight in &plan.reading.flights {
            let ends = [&*flight.packet.from, &*flight.packet.to];
            let label = name(flight, scene);
            if ends.iter().any(|end| self.stage.node(end).is_none()) {
                self.tale.surplus.push(label);
            } else if plan.is_news(flight) {
                self.index.insert(flight.packet.id, self.tale.messages.len());
                let message = message(flight, label, scene, self.stage);
                self.tale.messages.push(message);
            } else if flight.is_news() {
                self.tale.surplus.push(label);
            } else {
                self.tale.routine.push((flight.sent, label));
            }
        }
    }

    /// A scripted message that goes back answers the last one, not yet answered, that came
    /// the other way.
    fn pair_up(&mut self) {
        let mut open: Vec<usize> = Vec::new();
        for index in 0..self.tale.messages.len() {
            let message = &self.tale.messages[index];
            if message.kind != Kind::Plain {
                continue;
            }
            if message.form != Form::Response {
                open.push(index);
                continue;
            }
            let asked = open.iter().rposition(|asked| {
                let asked = &self.tale.messages[*asked];
                asked.from == message.to && asked.to == message.from
            });
            let asked = asked.map(|place| open.remove(place));
            let id = asked.map(|asked| self.tale.messages[asked].id);
            self.tale.messages[index].answers = id;
        }
    }

    fn events(&mut self, plan: &Plan<'_>) {
        let reading = &plan.reading;
        let mut ledger = Ledger::default();
        for event in reading.before {
            ledger.apply(event);
        }
        self.under_way(plan);
        for moment in reading.moments() {
            if moment.first().is_some_and(|event| begins(&event.what)) {
                self.scene_part += 1;
            }
            let changes = marks::of(moment, &ledger, self.stage);
            for event in moment {
                self.event(event, plan);
            }
            for (process, text, sign) in changes {
                if let Some(at) = moment.first().map(|event| event.at) {
                    self.put(at, Phase::State, Told::Mark { process, text, sign });
                }
            }
            for event in moment {
                ledger.apply(event);
            }
        }
        let pending = self.tale.messages.iter().enumerate();
        let pending: Vec<usize> = pending
            .filter(|(_, message)| message.fate == Fate::Pending)
            .map(|(index, _)| index)
            .collect();
        for index in pending {
            self.put(reading.end, Phase::LandAtOnce, Told::Land(index));
        }
    }

    /// What had left before the curtain rose leaves as the story begins.
    fn under_way(&mut self, plan: &Plan<'_>) {
        let before = plan.reading.before.iter();
        let sent: Vec<usize> = before
            .filter_map(|event| match &event.what {
                What::Sent(packet) => self.index.get(&packet.id).copied(),
                _ => None,
            })
            .collect();
        for index in sent {
            self.put(plan.reading.start, Phase::Send, Told::Send(index));
        }
    }

    fn event(&mut self, event: &Event, plan: &Plan<'_>) {
        let at = event.at;
        match &event.what {
            What::Sent(packet) => {
                if let Some(&index) = self.index.get(&packet.id) {
                    self.put(at, Phase::Send, Told::Send(index));
                }
            }
            What::Arrived(id) | What::Lost(id, _) => {
                let Some(&index) = self.index.get(id) else { return };
                let message = &self.tale.messages[index];
                // A second end of one flight is none.
                if message.end != at || message.fate == Fate::Pending {
                    return;
                }
                let at_once = message.sent == at;
                let phase = if at_once { Phase::LandAtOnce } else { Phase::Land };
                self.put(at, phase, Told::Land(index));
            }
            What::Step { index, text, .. } => self.step(at, *index, text, plan),
            What::Fault(fault) => self.fault(at, fault),
            What::Say { process: Some(process), label, text, tone }
                if self.stage.node(process).is_some() =>
            {
                let (process, label) = (process.to_string(), label.clone());
                let text = text.clone();
                let words = Told::Words { process, label, text, tone: *tone };
                self.put(at, Phase::Say, words);
            }
            What::Flash { process } if self.stage.node(process).is_some() => {
                let process = process.to_string();
                let mark = Told::Mark { process, text: String::new(), sign: Sign::Flash };
                self.put(at, Phase::State, mark);
            }
            What::Verdict { step, demand, failure } => {
                let failure = failure.as_deref().map(|text| self.stage.with_names(text));
                let demand = crate::words::spoken_demand(demand);
                let number = step + 1;
                let verdict = Told::Verdict { number, demand, failure };
                self.put(at, Phase::Verdict, verdict);
            }
            _ => {}
        }
    }

    fn step(&mut self, at: Time, index: usize, text: &str, plan: &Plan<'_>) {
        // A step that only says what a note says at the same time says it once.
        let is_note =
            |caption: &crate::captions::Caption| caption.at == at && caption.text == text;
        // What is judged at once is told by its verdict.
        let is_judged = |event: &Event| {
            event.at == at
                && matches!(event.what, What::Verdict { step, .. } if step == index)
        };
        let judged = plan.reading.events.iter().any(is_judged);
        if !judged && !plan.captions.iter().any(is_note) {
            let text = self.stage.with_names(text);
            self.put(at, Phase::Step, Told::Step { number: index + 1, text });
        }
    }

    fn fault(&mut self, at: Time, fault: &Fault) {
        let names = |ids: &[std::sync::Arc<str>]| {
            let names: Vec<&str> = ids.iter().map(|id| self.stage.name(id)).collect();
            names.join(", ")
        };
        let (text, tone) = match fault {
            Fault::Partition { left, right } => {
                let text = format!("network cut: {}  |  {}", names(left), names(right));
                (text, Tone::Error)
            }
            Fault::Way { from, to, flow } => {
                let way = format!("{}  →  {}", names(from), names(to));
                let tone = if *flow == Flow::Free { Tone::Plain } else { Tone::Error };
                (format!("{way}: {}", passage::word(*flow)), tone)
            }
            Fault::Heal => ("network whole again".to_owned(), Tone::Plain),
            Fault::Crash { .. }
            | Fault::Restart { .. }
            | Fault::Pause { .. }
            | Fault::Resume { .. } => return,
        };
        self.put(at, Phase::Fault, Told::Across { text, tone });
    }

    /// The captions as notes, each beside the first entry of its instant. What the verdicts
    /// say stands at the verdicts.
    fn notes(&mut self, plan: &Plan<'_>) {
        let verdicts: Vec<(Time, String)> = plan
            .reading
            .events
            .iter()
            .filter_map(|event| match &event.what {
                What::Verdict { demand, failure, .. } => {
                    let demand = crate::words::spoken_demand(demand);
                    let text = match failure {
                        None => format!("It holds: {demand}."),
                        Some(failure) => {
                            let failure = self.stage.with_names(failure);
                            format!("Broken: {demand}. {failure}")
                        }
                    };
                    Some((event.at, text))
                }
                _ => None,
            })
            .collect();
        for caption in &plan.captions {
            let mut text = caption.text.clone();
            for (_, verdict) in verdicts.iter().filter(|(at, _)| *at == caption.at) {
                text = text.replace(verdict.as_str(), "");
            }
            let text = text.trim().to_owned();
            if text.is_empty() {
                continue;
            }
            let first = self.placed.iter().map(|(place, _)| *place);
            let beside = first.filter(|place| place.0 == caption.at).min();
            let place = beside.unwrap_or((caption.at, self.scene_part, Phase::Step));
            self.placed.push((place, Told::Note { text, tone: caption.tone }));
        }
    }
}

fn begins(what: &What) -> bool {
    matches!(what, What::Step { .. } | What::Fault(_))
}

fn message(flight: &Flight<'_>, label: String, scene: &Scene, stage: &Stage) -> Message {
    let packet = flight.packet;
    let is_node = |id: &str| {
        stage.node(id).is_some_and(|node| matches!(&*node.role, "broker" | "controller"))
    };
    let kind = Kind::of(flight, || is_node(&packet.from) && is_node(&packet.to));
    let form = match pill::form(flight) {
        Form::Request if goes_back(flight, scene) => Form::Response,
        form => form,
    };
    Message {
        id: packet.id,
        from: packet.from.to_string(),
        to: packet.to.to_string(),
        title: title(flight, &label, stage),
        label,
        records: packet.records,
        kind,
        form,
        sent: flight.sent,
        end: flight.end,
        fate: flight.fate,
        answers: match packet.travel {
            Travel::Response(request) => Some(request).filter(|request| {
                &*packet.api != "Fetch" || packet.cause == Some(*request)
            }),
            // A scripted message says nothing of it: `pair_up` looks.
            Travel::Scripted | Travel::Request => None,
        },
    }
}

/// Whether a scripted hop goes against the connection on which it travels.
fn goes_back(flight: &Flight<'_>, scene: &Scene) -> bool {
    let (from, to) = (&*flight.packet.from, &*flight.packet.to);
    let drawn = |source: &str, target: &str| {
        scene.routes.iter().any(|route| route.source == source && route.target == target)
    };
    flight.packet.travel == Travel::Scripted && !drawn(from, to) && drawn(to, from)
}

/// What a message is called: its API, or what its connection is called.
fn name(flight: &Flight<'_>, scene: &Scene) -> String {
    let label = pill::label(flight);
    if !label.is_empty() {
        return label;
    }
    let (from, to) = (&*flight.packet.from, &*flight.packet.to);
    let between = |a: &str, b: &str| {
        scene.routes.iter().find(|route| route.source == a && route.target == b)
    };
    let route = between(from, to).or_else(|| between(to, from));
    let label = route.and_then(|route| route.label.as_ref().map(|label| &*label.text));
    let protocol = route.and_then(|route| route.protocol.as_deref());
    let text = label.filter(|text| !text.trim().is_empty()).or(protocol);
    let words: Vec<&str> = text.unwrap_or("message").split_whitespace().collect();
    words.join(" ")
}

fn title(flight: &Flight<'_>, label: &str, stage: &Stage) -> String {
    let packet = flight.packet;
    let what = if packet.api.is_empty() { label } else { &*packet.api };
    let kind = match packet.travel {
        Travel::Request => " request",
        Travel::Response(_) => " response",
        Travel::Scripted => "",
    };
    let (from, to) = (stage.name(&packet.from), stage.name(&packet.to));
    let mut text = format!("{what}{kind}, {from} to {to}");
    if !packet.detail.is_empty() {
        text.push_str(&format!(", {}", packet.detail));
    }
    if let Some(error) = &packet.error {
        text.push_str(&format!(", {error}"));
    }
    match flight.fate {
        Fate::Lost(_) => text.push_str(", lost"),
        Fate::Pending => text.push_str(", still under way"),
        Fate::Arrived => {}
    }
    text
}

/// Shortest stretch without any entry that is folded, µs.
const QUIET_MICROS: u64 = 100_000;

impl Tale {
    /// Folds every quiet stretch of true time, and counts what is not drawn one by one:
    /// routine inside a fold at the fold, all the rest at the end.
    pub fn fold(&mut self, start: Time, end: Time) {
        let mut entries: Vec<Entry> = Vec::new();
        let mut counted = vec![false; self.routine.len()];
        let mut last = start;
        for entry in std::mem::take(&mut self.entries) {
            entries.extend(self.gap(last, entry.at, &mut counted));
            last = last.max(entry.at);
            entries.push(entry);
        }
        entries.extend(self.gap(last, end, &mut counted));
        self.entries = entries;
        let rest = self.routine.iter().zip(&counted).filter(|(_, counted)| !**counted);
        let rest = tally(rest.map(|((_, label), _)| label.as_str()));
        let surplus = tally(self.surplus.iter().map(String::as_str));
        for (text, counts) in [
            ("Routine, not drawn one by one", rest),
            ("Left out, because there is too much of it", surplus),
        ] {
            if !counts.is_empty() {
                let text = format!("{text}: {}", times(&counts));
                self.entries.push(Entry { at: end, what: Told::Foot { text } });
            }
        }
    }

    fn gap(&self, from: Time, to: Time, counted: &mut [bool]) -> Option<Entry> {
        let micros = to.0.saturating_sub(from.0);
        if micros < QUIET_MICROS {
            return None;
        }
        let mut labels = Vec::new();
        for ((sent, label), counted) in self.routine.iter().zip(counted) {
            if from <= *sent && *sent < to && !*counted {
                *counted = true;
                labels.push(label.as_str());
            }
        }
        let routine = tally(labels.into_iter());
        Some(Entry { at: from, what: Told::Gap { micros, routine } })
    }
}

/// How often each name occurs, by name.
fn tally<'a>(labels: impl Iterator<Item = &'a str>) -> Vec<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for label in labels {
        *counts.entry(label).or_default() += 1;
    }
    counts.into_iter().map(|(label, count)| (label.to_owned(), count)).collect()
}

/// `Fetch × 12 · Heartbeat × 3`
pub(crate) fn times(counts: &[(String, usize)]) -> String {
    let told: Vec<String> =
        counts.iter().map(|(label, count)| format!("{label} × {count}")).collect();
    told.join(" · ")
}
