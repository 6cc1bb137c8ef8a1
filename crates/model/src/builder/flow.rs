//! Scripted flows: calls that move a cursor, resolved to hops along edges.
//!
//! A hop takes the edge that its cursor's process dials; failing that, the edge by which it is
//! dialled, travelled backwards. An edge that ends at a group serves every process in it.

use crate::builder::ScenarioConfig;
use crate::builder::ids::{Known, list};
use crate::{Diagnostic, Edge, End, Flow, FlowStep, FlowStepKind, Heading, Hop, Origin};
use crate::{Play, ProcessId, ProcessState, Scenario, ScenarioId, Span, Topology};

/// The longest pause in a flow, in ms.
const LONGEST_WAIT_MS: i64 = 600_000;

/// Writes scripted scenarios. Steps before any [`scenario`](FlowBuilder::scenario) belong to
/// an unnamed one.
#[derive(Debug, Clone, Default)]
pub struct FlowBuilder {
    chapters: Vec<Chapter>,
    /// Where the next call stands in the script.
    next: Origin,
}

#[derive(Debug, Clone)]
struct Chapter {
    config: Option<ScenarioConfig>,
    calls: Vec<(Call, Origin)>,
}

#[derive(Debug, Clone)]
enum Call {
    From(String),
    To(String),
    Message(String),
    Error(String),
    Flash(String),
    Parallel(Vec<(String, String)>),
    SetState(String, ProcessState),
    Wait(i64),
}

impl FlowBuilder {
    /// A flow without steps.
    pub fn new() -> FlowBuilder {
        FlowBuilder::default()
    }

    /// Where the next call stands; parts `id`, `text`, `ms`, `hops`.
    pub fn at(&mut self, origin: Origin) -> &mut FlowBuilder {
        self.next = origin;
        self
    }

    /// Starts a scenario.
    pub fn scenario(&mut self, config: ScenarioConfig) -> &mut FlowBuilder {
        self.next = Origin::default();
        self.chapters.push(Chapter { config: Some(config), calls: Vec::new() });
        self
    }

    /// Sets the cursor; nothing is sent.
    pub fn from(&mut self, id: impl Into<String>) -> &mut FlowBuilder {
        self.push(Call::From(id.into()))
    }

    /// A packet from the cursor, which is then here.
    pub fn to(&mut self, id: impl Into<String>) -> &mut FlowBuilder {
        self.push(Call::To(id.into()))
    }

    /// Text at the cursor.
    pub fn show_message(&mut self, text: impl Into<String>) -> &mut FlowBuilder {
        self.push(Call::Message(text.into()))
    }

    /// Text at the cursor, in red, with a glow.
    pub fn show_error(&mut self, text: impl Into<String>) -> &mut FlowBuilder {
        self.push(Call::Error(text.into()))
    }

    /// A glow at any process; nothing waits for it.
    pub fn flash_error(&mut self, id: impl Into<String>) -> &mut FlowBuilder {
        self.push(Call::Flash(id.into()))
    }

    /// Packets at the same time; the cursor is unset afterwards.
    pub fn parallel<A: Into<String>, B: Into<String>>(
        &mut self,
        hops: impl IntoIterator<Item = (A, B)>,
    ) -> &mut FlowBuilder {
        let hops = hops.into_iter().map(|(from, to)| (from.into(), to.into()));
        self.push(Call::Parallel(hops.collect()))
    }

    /// A process's state from here on.
    pub fn set_state(
        &mut self,
        id: impl Into<String>,
        state: ProcessState,
    ) -> &mut FlowBuilder {
        self.push(Call::SetState(id.into(), state))
    }

    /// A pause, in ms.
    pub fn wait(&mut self, ms: i64) -> &mut FlowBuilder {
        self.push(Call::Wait(ms))
    }

    fn push(&mut self, call: Call) -> &mut FlowBuilder {
        let origin = std::mem::take(&mut self.next);
        if self.chapters.is_empty() {
            self.chapters.push(Chapter { config: None, calls: Vec::new() });
        }
        if let Some(chapter) = self.chapters.last_mut() {
            chapter.calls.push((call, origin));
        }
        self
    }

    pub(super) fn resolve(
        self,
        topology: &Topology,
        known: &Known,
        found: &mut Vec<Diagnostic>,
    ) -> Vec<Scenario> {
        let chapters = self.chapters.into_iter();
        chapters.map(|chapter| chapter.resolve(topology, known, found)).collect()
    }
}

impl Chapter {
    fn resolve(
        self,
        topology: &Topology,
        known: &Known,
        found: &mut Vec<Diagnostic>,
    ) -> Scenario {
        let config = self.config.unwrap_or_else(|| ScenarioConfig {
            title: Some(topology.title.clone().unwrap_or_else(|| "Flow".to_owned())),
            ..ScenarioConfig { id: "flow".to_owned(), ..ScenarioConfig::default() }
        });
        if let Some(name) = config.settings.keys().next() {
            let message =
                format!("a scripted flow takes no settings, but `{name}` is set");
            let place = config.origin.part(&format!("settings.{name}"));
            found.push(
                Diagnostic::error("settings-of-a-flow", message, place)
                    .help("the engine takes them: write a run in place of the flow"),
            );
        }
        let mut reader = Reader {
            topology,
            known,
            layer: config.layer.as_deref(),
            cursor: Cursor::Unset,
            found,
        };
        let steps = self.calls.into_iter().filter_map(|(call, origin)| {
            let kind = reader.step(call, &origin)?;
            Some(FlowStep { kind, origin })
        });
        let flow = Flow { steps: steps.collect() };
        Scenario {
            title: config.title.unwrap_or_else(|| config.id.clone()),
            id: ScenarioId::from(config.id),
            description: config.description,
            layer: config.layer,
            play: Play::Flow(flow),
            origin: config.origin,
        }
    }
}

enum Cursor {
    Unset,
    /// `parallel` ended at several processes.
    Scattered,
    /// It was set to something unknown, which has been reported: say no more about it.
    Lost,
    At(ProcessId),
}

struct Reader<'a> {
    topology: &'a Topology,
    known: &'a Known,
    layer: Option<&'a str>,
    cursor: Cursor,
    found: &'a mut Vec<Diagnostic>,
}

impl Reader<'_> {
    fn step(&mut self, call: Call, origin: &Origin) -> Option<FlowStepKind> {
        match call {
            Call::From(name) => {
                let id = self.process(&name, None, origin);
                self.cursor = id.clone().map_or(Cursor::Lost, Cursor::At);
                id.map(FlowStepKind::Start)
            }
            Call::To(name) => self.hop_to(&name, origin),
            Call::Message(text) => {
                let (at, (label, text)) = (self.here(origin)?, split_label(&text));
                Some(FlowStepKind::Message { at, label, text })
            }
            Call::Error(text) => {
                let (at, (label, text)) = (self.here(origin)?, split_label(&text));
                Some(FlowStepKind::Error { at, label, text })
            }
            Call::Flash(name) => {
                self.process(&name, None, origin).map(FlowStepKind::Flash)
            }
            Call::Parallel(hops) => self.parallel(&hops, origin),
            Call::SetState(name, state) => {
                let id = self.process(&name, None, origin)?;
                Some(FlowStepKind::SetState(id, state))
            }
            Call::Wait(ms) => self.wait(ms, origin),
        }
    }

    fn hop_to(&mut self, name: &str, origin: &Origin) -> Option<FlowStepKind> {
        let from = self.here(origin);
        let to = self.process(name, from.as_ref(), origin);
        self.cursor = to.clone().map_or(Cursor::Lost, Cursor::At);
        let hop = self.hop(from?, to?, origin.part("id"))?;
        Some(FlowStepKind::Hops(vec![hop]))
    }

    fn parallel(
        &mut self,
        hops: &[(String, String)],
        origin: &Origin,
    ) -> Option<FlowStepKind> {
        self.cursor = Cursor::Scattered;
        if hops.is_empty() {
            self.found.push(
                Diagnostic::error(
                    "empty-parallel",
                    "`parallel` needs at least one pair of processes",
                    origin.part("hops"),
                )
                .help("write `parallel([['a', 'b'], ['a', 'c']])`"),
            );
            return None;
        }
        let mut made = Vec::new();
        for (index, (from, to)) in hops.iter().enumerate() {
            let place = |end: usize| origin.part(&format!("hops[{index}][{end}]"));
            let from = self.named(from, None, place(0));
            let to = self.named(to, from.as_ref(), place(1));
            if let (Some(from), Some(to)) = (from, to) {
                made.extend(self.hop(from, to, place(1)));
            }
        }
        (!made.is_empty()).then_some(FlowStepKind::Hops(made))
    }

    fn wait(&mut self, ms: i64, origin: &Origin) -> Option<FlowStepKind> {
        match u32::try_from(ms) {
            Ok(wait) if ms <= LONGEST_WAIT_MS => Some(FlowStepKind::Wait(wait)),
            Ok(_) | Err(_) => {
                let message = format!("a pause cannot take {ms} ms");
                self.found.push(
                    Diagnostic::error("wait-out-of-range", message, origin.part("ms"))
                        .at(format!("must be between 0 and {LONGEST_WAIT_MS}")),
                );
                None
            }
        }
    }

    /// Where the cursor is.
    fn here(&mut self, origin: &Origin) -> Option<ProcessId> {
        let why = match &self.cursor {
            Cursor::At(id) => return Some(id.clone()),
            Cursor::Lost => return None,
            Cursor::Unset => "no `from` or `to` stands before it in this scenario",
            Cursor::Scattered => "`parallel` leaves the cursor at no single process",
        };
        self.found.push(
            Diagnostic::error(
                "no-cursor",
                "this step has no process to start at",
                origin.whole,
            )
            .at(why)
            .help("call `from(id)` before it"),
        );
        None
    }

    fn process(
        &mut self,
        name: &str,
        from: Option<&ProcessId>,
        origin: &Origin,
    ) -> Option<ProcessId> {
        self.named(name, from, origin.part("id"))
    }

    /// The process with this id. A base id stands for its first replica that the packet can
    /// reach, or else for the first.
    fn named(
        &mut self,
        name: &str,
        from: Option<&ProcessId>,
        span: Option<Span>,
    ) -> Option<ProcessId> {
        if let Some(replicas) = self.known.replicas(name) {
            let reached = |to: &&ProcessId| {
                from.is_some_and(|from| self.edge_between(from, to).is_some())
            };
            return replicas.iter().find(reached).or(replicas.first()).cloned();
        }
        match self.known.process(name, span) {
            Ok(id) => Some(id),
            Err(error) => {
                self.found.push(*error);
                None
            }
        }
    }

    fn hop(&mut self, from: ProcessId, to: ProcessId, span: Option<Span>) -> Option<Hop> {
        if let Some((edge, heading)) = self.edge_between(&from, &to) {
            return Some(Hop { edge: edge.id, heading, from, to });
        }
        let message = format!("no edge connects `{from}` and `{to}`");
        let help = format!(
            "connect them with `connect('{from}', '{to}')`, or go by way of others: {}, {}",
            self.neighbours(&from),
            self.neighbours(&to)
        );
        let error = Diagnostic::error("no-edge", message, span)
            .at(format!("cannot be reached from `{from}`"))
            .help(help);
        self.found.push(error);
        None
    }

    /// Forward first, then backward; among several, one of the scenario's own layer, then
    /// one that is always there.
    fn edge_between(&self, from: &ProcessId, to: &ProcessId) -> Option<(&Edge, Heading)> {
        let is = |end: &End, process: &ProcessId| match end {
            End::Process(id) => id == process,
            End::Group(group) => self.known.stands_in(process, group),
        };
        let rank = |edge: &&Edge| {
            let through_group =
                edge.source.process().is_none() || edge.target.process().is_none();
            let foreign_layer = match &edge.layer {
                Some(layer) if self.layer == Some(layer) => 0,
                None => 1,
                Some(_) => 2,
            };
            (through_group, foreign_layer)
        };
        let edges = &self.topology.edges;
        let forward = edges.iter().filter(|e| is(&e.source, from) && is(&e.target, to));
        let backward = edges.iter().filter(|e| is(&e.source, to) && is(&e.target, from));
        let forward = forward.min_by_key(rank).map(|edge| (edge, Heading::Forward));
        forward
            .or_else(|| backward.min_by_key(rank).map(|edge| (edge, Heading::Backward)))
    }

    fn neighbours(&self, process: &ProcessId) -> String {
        let mut near: Vec<ProcessId> = Vec::new();
        for edge in &self.topology.edges {
            let (source, target) = (edge.source.process(), edge.target.process());
            let other = match (source, target) {
                (Some(source), other) if source == process => other,
                (other, Some(target)) if target == process => other,
                _ => None,
            };
            near.extend(other.filter(|id| !near.contains(id)).cloned());
        }
        match near.is_empty() {
            true => format!("`{process}` has no edge"),
            false => format!("`{process}` has edges with {}", list(&near)),
        }
    }
}

/// `[LABEL] text` to its two halves.
fn split_label(text: &str) -> (Option<String>, String) {
    let split = text.trim_start().strip_prefix('[').and_then(|rest| rest.split_once(']'));
    match split {
        Some((label, rest)) if !label.trim().is_empty() => {
            (Some(label.trim().to_owned()), rest.trim_start().to_owned())
        }
        Some(_) | None => (None, text.to_owned()),
    }
}
