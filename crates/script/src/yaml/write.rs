//! A topology as a YAML document that gives the same topology again.
//!
//! What an imported diagram can say is written: groups, processes, connections, flows. Ids,
//! order and rows stay as they are, because a layout breaks ties by them. It is not for
//! scenarios that the engine runs: those come from scripts, which are text already.

use topomotion_model::names::Named;
use topomotion_model::{
    Direction, End, Flow, FlowStepKind, Group, GroupId, Member, Play, Process, ProcessId,
    ProcessState, Scenario, Shape, Topology,
};

/// The topology as a document; `None` if it has what only a script can say.
pub(crate) fn write(topology: &Topology) -> Option<String> {
    let mut page = Page::default();
    page.field(0, "title", topology.title.as_deref());
    page.field(0, "description", topology.description.as_deref());
    if topology.direction != Direction::default() {
        page.field(0, "direction", Some(topology.direction.name()));
    }
    let members = || topology.rows.iter().flatten();
    let groups: Vec<&GroupId> = members().filter_map(group_in).collect();
    let processes: Vec<&ProcessId> = members().filter_map(process_in).collect();
    page.groups(0, &groups, topology)?;
    page.processes(0, &processes, topology)?;
    page.connections(topology);
    if !topology.scenarios.is_empty() {
        page.line(0, "scenarios:");
    }
    for scenario in &topology.scenarios {
        page.scenario(scenario)?;
    }
    topology.cluster.is_none().then_some(page.text)
}

fn group_in(member: &Member) -> Option<&GroupId> {
    match member {
        Member::Group(id) => Some(id),
        Member::Process(_) => None,
    }
}

fn process_in(member: &Member) -> Option<&ProcessId> {
    match member {
        Member::Process(id) => Some(id),
        Member::Group(_) => None,
    }
}

/// The document so far.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, indent: usize, text: &str) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// `name: value`, unless there is no value.
    fn field(&mut self, indent: usize, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.line(indent, &format!("{name}: {}", scalar(value)));
        }
    }

    /// `- id: …` and what is common to groups and processes.
    fn head(&mut self, indent: usize, id: &str, label: &str, color: Option<&str>) {
        self.line(indent, &format!("- id: {}", scalar(id)));
        self.field(indent + 2, "label", Some(label).filter(|label| *label != id));
        self.field(indent + 2, "color", color);
    }

    fn groups(
        &mut self,
        indent: usize,
        ids: &[&GroupId],
        topology: &Topology,
    ) -> Option<()> {
        if !ids.is_empty() {
            self.line(indent, "groups:");
        }
        for id in ids {
            self.group(indent + 2, topology.group(id)?, topology)?;
        }
        Some(())
    }

    fn group(&mut self, indent: usize, group: &Group, topology: &Topology) -> Option<()> {
        self.head(indent, group.id.as_str(), &group.label, group.color.as_deref());
        let inner = indent + 2;
        self.field(inner, "style", group.style.as_deref());
        self.field(inner, "description", group.description.as_deref());
        let members: Vec<&Member> = group.rows.iter().flatten().collect();
        let groups: Vec<&GroupId> =
            members.iter().copied().filter_map(group_in).collect();
        let processes: Vec<&ProcessId> =
            members.iter().copied().filter_map(process_in).collect();
        let is_sorted = members.is_sorted_by_key(|member| group_in(member).is_some());
        if is_sorted && group.rows.len() < 2 {
            self.processes(inner, &processes, topology)?;
            return self.groups(inner, &groups, topology);
        }
        self.line(inner, "rows:");
        for row in &group.rows {
            self.line(inner + 2, "-");
            for member in row {
                match member {
                    Member::Process(id) => {
                        self.process(inner + 4, topology.process(id)?);
                    }
                    Member::Group(id) => {
                        self.line(inner + 4, "- group:");
                        let nested = topology.group(id)?;
                        self.nested(inner + 8, nested, topology)?;
                    }
                }
            }
        }
        Some(())
    }

    /// A group in a row: a mapping and no item of a list.
    fn nested(
        &mut self,
        indent: usize,
        group: &Group,
        topology: &Topology,
    ) -> Option<()> {
        let start = self.text.len();
        self.group(indent, group, topology)?;
        let dash = start + indent;
        self.text.replace_range(dash..dash + 2, "  ");
        Some(())
    }

    fn processes(
        &mut self,
        indent: usize,
        ids: &[&ProcessId],
        topology: &Topology,
    ) -> Option<()> {
        if !ids.is_empty() {
            self.line(indent, "processes:");
        }
        for id in ids {
            self.process(indent + 2, topology.process(id)?);
        }
        Some(())
    }

    fn process(&mut self, indent: usize, process: &Process) {
        self.head(indent, process.id.as_str(), &process.label, process.color.as_deref());
        let inner = indent + 2;
        if process.shape != Shape::default() {
            self.field(inner, "shape", Some(process.shape.name()));
        }
        if process.state != ProcessState::default() {
            self.field(inner, "state", Some(process.state.name()));
        }
        self.field(inner, "icon", process.icon.as_deref());
        self.field(inner, "description", process.description.as_deref());
    }

    fn connections(&mut self, topology: &Topology) {
        if !topology.edges.is_empty() {
            self.line(0, "connections:");
        }
        for edge in &topology.edges {
            let name = |end: &End| match end {
                End::Process(id) => scalar(id.as_str()),
                End::Group(id) => scalar(id.as_str()),
            };
            self.line(2, &format!("- source: {}", name(&edge.source)));
            self.line(4, &format!("target: {}", name(&edge.target)));
            self.field(4, "label", edge.label.as_deref());
            self.field(4, "type", edge.kind.as_deref());
            self.field(4, "style", edge.style.as_deref());
            self.field(4, "color", edge.color.as_deref());
        }
    }

    fn scenario(&mut self, scenario: &Scenario) -> Option<()> {
        let Play::Flow(flow) = &scenario.play else { return None };
        self.line(2, &format!("- id: {}", scalar(scenario.id.as_str())));
        self.field(4, "title", Some(&scenario.title));
        self.field(4, "description", scenario.description.as_deref());
        self.line(4, if flow.steps.is_empty() { "flow: []" } else { "flow:" });
        self.flow(flow);
        Some(())
    }

    fn flow(&mut self, flow: &Flow) {
        let mut cursor: Option<&ProcessId> = None;
        for step in &flow.steps {
            match &step.kind {
                FlowStepKind::Start(id) => {
                    self.step("from", id.as_str());
                    cursor = Some(id);
                }
                FlowStepKind::Hops(hops) => match hops.as_slice() {
                    [hop] => {
                        self.go(&mut cursor, &hop.from);
                        self.step("to", hop.to.as_str());
                        cursor = Some(&hop.to);
                    }
                    hops => {
                        let pairs = hops.iter().map(|hop| {
                            let (from, to) = (hop.from.as_str(), hop.to.as_str());
                            format!("[{}, {}]", quoted(from), quoted(to))
                        });
                        let pairs: Vec<String> = pairs.collect();
                        self.line(6, &format!("- parallel: [{}]", pairs.join(", ")));
                        cursor = None;
                    }
                },
                FlowStepKind::Message { at, label, text } => {
                    self.go(&mut cursor, at);
                    self.step("showMessage", &told(label.as_deref(), text));
                }
                FlowStepKind::Error { at, label, text } => {
                    self.go(&mut cursor, at);
                    self.step("showError", &told(label.as_deref(), text));
                }
                FlowStepKind::Flash(id) => self.step("flashError", id.as_str()),
                FlowStepKind::SetState(id, state) => {
                    let (id, state) = (quoted(id.as_str()), state.name());
                    self.line(6, &format!("- setState: {{ id: {id}, state: {state} }}"));
                }
                FlowStepKind::Wait(ms) => self.line(6, &format!("- wait: {ms}")),
            }
        }
    }

    /// Moves the cursor, if it is elsewhere.
    fn go<'t>(&mut self, cursor: &mut Option<&'t ProcessId>, to: &'t ProcessId) {
        if *cursor != Some(to) {
            self.step("from", to.as_str());
            *cursor = Some(to);
        }
    }

    fn step(&mut self, verb: &str, word: &str) {
        self.line(6, &format!("- {verb}: {}", scalar(word)));
    }
}

/// A text with its label in front.
fn told(label: Option<&str>, text: &str) -> String {
    match label {
        Some(label) => format!("[{label}] {text}").trim_end().to_owned(),
        None => text.to_owned(),
    }
}

/// A text as it is where no YAML reads anything else, or else in quotes.
fn scalar(text: &str) -> String {
    let is_letter = |c: char| c.is_ascii_alphabetic();
    let is_plain = text.starts_with(is_letter)
        && text.ends_with(|c: char| c.is_ascii_alphanumeric())
        && text.chars().all(|c| {
            c.is_ascii_alphanumeric() || matches!(c, ' ' | '_' | '.' | '/' | '-')
        });
    let means_more = ["true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan"]
        .iter()
        .any(|word| text.eq_ignore_ascii_case(word));
    if is_plain && !means_more { text.to_owned() } else { quoted(text) }
}

/// A text in double quotes, with everything escaped that a parser would not take.
fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\u{85}' | '\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' => {
                quoted.push_str(&format!("\\u{:04x}", u32::from(c)));
            }
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_read_as_something_else_is_quoted() {
        for (text, expected) in [
            ("Order service", "Order service"),
            ("broker-1", "broker-1"),
            ("Yes", "\"Yes\""),
            ("12", "\"12\""),
            ("", "\"\""),
            ("a: b", "\"a: b\""),
            ("say \"hi\"\n\\", "\"say \\\"hi\\\"\\n\\\\\""),
            ("\u{2028}\u{7}", "\"\\u2028\\u0007\""),
        ] {
            assert_eq!(scalar(text), expected);
        }
    }
}
