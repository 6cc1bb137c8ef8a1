//! From a plot to processes, connections and scenarios.
//!
//! Each scenario takes one way through the blocks; together they take every branch.

use std::collections::{BTreeMap, BTreeSet};

use topomotion_model::builder::{
    EdgeConfig, FlowBuilder, GroupConfig, ProcessConfig, ScenarioConfig, TopologyBuilder,
};
use topomotion_model::{Diagnostic, Origin, ProcessState, Span};

use super::plot::{Block, Branch, Course, Item, Kind, Message, Participant, Plot};
use crate::mermaid::color::{self, Rgb};
use crate::mermaid::scan::Findings;

/// More scenarios than anybody watches.
const MOST_SCENARIOS: usize = 12;

/// Tells the plot.
pub(super) fn tell(plot: &Plot, builder: &mut TopologyBuilder, findings: &mut Findings) {
    builder.title = builder.title.take().or_else(|| plot.title.clone());
    builder.description = plot.description.clone();
    let mut framed: BTreeMap<usize, Vec<&Participant>> = BTreeMap::new();
    for one in &plot.participants {
        if let Some(frame) = one.frame {
            framed.entry(frame).or_default().push(one);
        }
    }
    let mut titles = BTreeSet::new();
    for (place, frame) in plot.boxes.iter().enumerate() {
        // Titles may be equal or missing; ids may not.
        let is_own = !frame.title.is_empty() && titles.insert(&frame.title);
        let id = if is_own { frame.title.clone() } else { format!("box {}", place + 1) };
        let mut config = GroupConfig::new(id);
        config.label = Some(frame.title.clone()).filter(|title| !title.is_empty());
        config.color = color::one(frame.color, None).map(Rgb::text);
        config.origin = Origin { whole: Some(frame.span), parts: Vec::new() };
        let group = builder.create_group(config);
        for one in framed.remove(&place).into_iter().flatten() {
            builder.group(group).add_process(process(one));
        }
    }
    for one in plot.participants.iter().filter(|one| one.frame.is_none()) {
        builder.create_process(process(one));
    }
    connect(&plot.course, plot, &mut BTreeSet::new(), builder);
    scenarios(plot, builder, findings);
}

fn process(participant: &Participant) -> ProcessConfig {
    let parts = vec![("id".to_owned(), participant.id_at)];
    ProcessConfig {
        label: participant.label.clone(),
        shape: participant.shape,
        icon: participant.icon.map(str::to_owned),
        origin: Origin { whole: Some(participant.whole), parts },
        ..ProcessConfig::new(&participant.id)
    }
}

/// A connection for each pair that speaks; who speaks first dials.
fn connect(
    branch: &Branch,
    plot: &Plot,
    seen: &mut BTreeSet<(usize, usize)>,
    builder: &mut TopologyBuilder,
) {
    for item in &branch.items {
        match item {
            Item::Message(message) if message.from != message.to => {
                let pair = (message.from.min(message.to), message.from.max(message.to));
                if seen.insert(pair) {
                    let id = |place: usize| &plot.participants[place].id;
                    let parts = vec![("target".to_owned(), message.to_at)];
                    builder.connect(EdgeConfig {
                        origin: Origin { whole: Some(message.whole), parts },
                        ..EdgeConfig::new(id(message.from), id(message.to))
                    });
                }
            }
            Item::Block(block) => {
                for branch in &block.branches {
                    connect(branch, plot, seen, builder);
                }
            }
            Item::Message(_)
            | Item::Note { .. }
            | Item::Create(..)
            | Item::Destroy(..) => {}
        }
    }
}

fn scenarios(plot: &Plot, builder: &mut TopologyBuilder, findings: &mut Findings) {
    if plot.course.items.is_empty() {
        return;
    }
    let courses = plot.course.courses();
    if courses > MOST_SCENARIOS {
        let message = format!(
            "there are {courses} ways through the diagram; the first {MOST_SCENARIOS} are told"
        );
        findings.add(
            Diagnostic::warning("too-many-branches", message, None)
                .help("draw a part of it, or take branches out"),
        );
    }
    let mut flow = FlowBuilder::new();
    for course in 0..courses.min(MOST_SCENARIOS) {
        let mut teller = Teller::new(plot);
        let ending = teller.branch(&plot.course, course);
        teller.finish(ending);
        let title = builder.title.as_deref().unwrap_or("Sequence");
        let id = match courses {
            1 => "sequence".to_owned(),
            _ => format!("sequence-{}", course + 1),
        };
        let title = match teller.choices.is_empty() {
            true => title.to_owned(),
            false => format!("{title}: {}", teller.choices.join(", ")),
        };
        let mut config = ScenarioConfig::new(id, title);
        config.origin.whole = plot.participants.first().map(|one| one.whole);
        flow.scenario(config);
        for step in teller.steps {
            step.add(&mut flow);
        }
    }
    builder.flow(flow);
}

/// A step, before the builder has it.
enum Step {
    From(String, Origin),
    To(String, Origin),
    Say(String, Origin),
    Error(String, Origin),
    Parallel(Vec<(String, String)>, Origin),
    State(String, ProcessState, Origin),
}

impl Step {
    fn add(self, flow: &mut FlowBuilder) {
        match self {
            Step::From(id, at) => flow.at(at).from(id),
            Step::To(id, at) => flow.at(at).to(id),
            Step::Say(text, at) => flow.at(at).show_message(text),
            Step::Error(text, at) => flow.at(at).show_error(text),
            Step::Parallel(hops, at) => flow.at(at).parallel(hops),
            Step::State(id, state, at) => flow.at(at).set_state(id, state),
        };
    }
}

/// Whether the story goes on behind a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    GoesOn,
    /// A `break` was taken.
    Broken,
}

struct Teller<'p> {
    plot: &'p Plot,
    steps: Vec<Step>,
    /// Where the flow's cursor is.
    cursor: Option<usize>,
    /// Captions of blocks that nobody has spoken in yet.
    captions: Vec<(String, Span)>,
    /// Who goes after the next message of theirs.
    leaving: BTreeMap<usize, Span>,
    /// Captions of the branches that were chosen.
    choices: Vec<String>,
}

impl<'p> Teller<'p> {
    fn new(plot: &'p Plot) -> Teller<'p> {
        let unborn = plot.participants.iter().filter(|one| one.is_created);
        let absent = |one: &Participant| {
            let origin = at(one.whole);
            Step::State(one.id.clone(), ProcessState::Stopped, origin)
        };
        Teller {
            plot,
            steps: unborn.map(absent).collect(),
            cursor: None,
            captions: Vec::new(),
            leaving: BTreeMap::new(),
            choices: Vec::new(),
        }
    }

    fn id(&self, place: usize) -> String {
        self.plot.participants[place].id.clone()
    }

    fn branch(&mut self, branch: &Branch, course: usize) -> Ending {
        for item in &branch.items {
            match item {
                Item::Message(message) => self.message(message),
                Item::Note { over, text, span } => self.note(over, text, *span),
                Item::Create(place, span) => {
                    self.state(*place, ProcessState::Running, *span);
                }
                Item::Destroy(place, span) => {
                    self.leaving.insert(*place, *span);
                }
                Item::Block(block) => {
                    let course = course.min(block.courses.saturating_sub(1));
                    if self.block(block, course) == Ending::Broken {
                        return Ending::Broken;
                    }
                }
            }
        }
        Ending::GoesOn
    }

    fn block(&mut self, block: &Block, course: usize) -> Ending {
        match block.kind {
            Kind::Alt | Kind::Critical => {
                let mut before = 0;
                let mut chosen = None;
                for (place, branch) in block.branches.iter().enumerate() {
                    let inside = course.checked_sub(before);
                    if let Some(inside) = inside.filter(|one| *one < branch.courses()) {
                        chosen = Some((place, branch, inside));
                        break;
                    }
                    before += branch.courses();
                }
                let Some((place, branch, inside)) = chosen else { return Ending::GoesOn };
                let further = block.kind.further().unwrap_or_default();
                let word = if place == 0 { block.kind.word() } else { further };
                if block.branches.len() > 1 {
                    let caption = branch.caption.replace('\n', " ");
                    let named = Some(caption).filter(|caption| !caption.is_empty());
                    self.choices.push(named.unwrap_or_else(|| word.to_owned()));
                }
                self.caption(word, branch, block.span);
                self.branch(branch, inside)
            }
            Kind::Break => match (course.checked_sub(1), block.branches.first()) {
                (Some(inside), Some(branch)) => {
                    self.caption("break", branch, block.span);
                    self.choices.push(branch.caption.replace('\n', " "));
                    self.branch(branch, inside);
                    Ending::Broken
                }
                _ => Ending::GoesOn,
            },
            Kind::Par if self.is_plain(block) => {
                self.parallel(block);
                Ending::GoesOn
            }
            Kind::Loop | Kind::Opt | Kind::Par | Kind::Rect => {
                for (place, branch) in block.branches.iter().enumerate() {
                    let further = block.kind.further().unwrap_or_default();
                    let word = if place == 0 { block.kind.word() } else { further };
                    if block.kind != Kind::Rect {
                        self.caption(word, branch, block.span);
                    }
                    let course = course.min(branch.courses() - 1);
                    if self.branch(branch, course) == Ending::Broken {
                        return Ending::Broken;
                    }
                }
                Ending::GoesOn
            }
        }
    }

    /// Whether the branches are messages between two and nothing else.
    fn is_plain(&self, block: &Block) -> bool {
        let is_plain = |item: &Item| match item {
            Item::Message(message) => {
                message.from != message.to && message.course == Course::There
            }
            Item::Note { .. } | Item::Block(_) | Item::Create(..) | Item::Destroy(..) => {
                false
            }
        };
        self.leaving.is_empty()
            && block.branches.iter().all(|branch| branch.items.iter().all(is_plain))
    }

    /// The first messages of all branches at once, then the second ones.
    fn parallel(&mut self, block: &Block) {
        let captions: Vec<&str> = (block.branches.iter())
            .map(|branch| branch.caption.as_str())
            .filter(|caption| !caption.is_empty())
            .collect();
        self.captions.push((format!("[PAR] {}", captions.join(" | ")), block.span));
        let longest = block.branches.iter().map(|branch| branch.items.len()).max();
        for row in 0..longest.unwrap_or_default() {
            let items = block.branches.iter().filter_map(|branch| branch.items.get(row));
            let messages: Vec<&Message> = items
                .filter_map(|item| match item {
                    Item::Message(message) => Some(message),
                    _ => None,
                })
                .collect();
            let [first, _, ..] = messages.as_slice() else {
                messages.iter().for_each(|message| self.message(message));
                continue;
            };
            self.speak(first.from, first.whole);
            let hops = messages.iter().map(|one| (self.id(one.from), self.id(one.to)));
            let hops = hops.collect();
            self.steps.push(Step::Parallel(hops, at(first.whole)));
            self.cursor = None;
            for message in messages {
                self.say(message.to, &told(message), message.text_at, Step::Say);
            }
        }
    }

    fn caption(&mut self, word: &str, branch: &Branch, span: Span) {
        let text = format!("[{}] {}", word.to_uppercase(), branch.caption);
        self.captions.push((text.trim_end().to_owned(), branch.span.unwrap_or(span)));
    }

    /// Somebody acts: what was to be said of the block is said there.
    fn speak(&mut self, place: usize, span: Span) {
        for (text, span) in std::mem::take(&mut self.captions) {
            self.say(place, &text, span, Step::Say);
        }
        self.go(place, span);
    }

    /// Puts the cursor at a participant.
    fn go(&mut self, place: usize, span: Span) {
        if self.cursor != Some(place) {
            self.steps.push(Step::From(self.id(place), at(span)));
            self.cursor = Some(place);
        }
    }

    fn say(
        &mut self,
        place: usize,
        text: &str,
        span: Span,
        step: impl Fn(String, Origin) -> Step,
    ) {
        if !text.is_empty() {
            self.go(place, span);
            self.steps.push(step(text.to_owned(), at(span)));
        }
    }

    fn hop(&mut self, to: usize, message: &Message) {
        let parts = vec![("id".to_owned(), message.to_at)];
        let origin = Origin { whole: Some(message.whole), parts };
        self.steps.push(Step::To(self.id(to), origin));
        self.cursor = Some(to);
    }

    fn message(&mut self, message: &Message) {
        let Message { from, to, course, text_at, .. } = message;
        self.speak(*from, message.whole);
        if from != to {
            self.hop(*to, message);
        }
        let text = told(message);
        match course {
            Course::There => self.say(*to, &text, *text_at, Step::Say),
            Course::Lost => {
                let text = if text.is_empty() { "lost" } else { &text };
                self.say(*to, text, *text_at, Step::Error);
            }
            Course::ThereAndBack => {
                self.say(*to, &text, *text_at, Step::Say);
                if from != to {
                    self.hop(*from, message);
                }
            }
        }
        for place in [*from, *to] {
            if let Some(span) = self.leaving.remove(&place) {
                self.state(place, ProcessState::Stopped, span);
            }
        }
    }

    fn note(&mut self, over: &[usize], text: &str, span: Span) {
        let Some(&place) = over.first() else { return };
        self.speak(place, span);
        let names = over.iter().map(|&place| {
            let one = &self.plot.participants[place];
            one.label.as_ref().unwrap_or(&one.id).replace('\n', " ")
        });
        let names: Vec<String> = names.collect();
        let text = match names.len() {
            1 => format!("[NOTE] {text}"),
            _ => format!("[NOTE {}] {text}", names.join(", ")),
        };
        self.say(place, &text, span, Step::Say);
    }

    fn state(&mut self, place: usize, state: ProcessState, span: Span) {
        self.steps.push(Step::State(self.id(place), state, at(span)));
    }

    /// What is still to be said or done when the story ends.
    fn finish(&mut self, _ending: Ending) {
        let last = self.cursor.unwrap_or_default();
        if !self.plot.participants.is_empty() {
            for (text, span) in std::mem::take(&mut self.captions) {
                self.say(last, &text, span, Step::Say);
            }
        }
        for (place, span) in std::mem::take(&mut self.leaving) {
            self.state(place, ProcessState::Stopped, span);
        }
    }
}

fn at(span: Span) -> Origin {
    Origin { whole: Some(span), parts: Vec::new() }
}

/// What is said of a message: its number, if it has one, and its text.
fn told(message: &Message) -> String {
    match &message.number {
        Some(number) => format!("[{number}] {}", message.text).trim_end().to_owned(),
        None => message.text.clone(),
    }
}
