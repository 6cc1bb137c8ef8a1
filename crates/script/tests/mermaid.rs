//! Every diagram in `mermaid/` gives the topology and the diagnostics in the text beside it.
//!
//! `BLESS=1 cargo test` writes those texts anew.

mod common;

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use common::{compile_text, render};
use proptest::prelude::*;
use topomotion_model::names::Named;
use topomotion_model::{
    Edge, End, FlowStepKind, Heading, Member, Play, Process, Scenario, Topology,
};
use topomotion_script::{Source, import};

/// A string takes everything.
const SUNK: &str = "a string takes everything";

fn inputs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mermaid");
    let entries = fs::read_dir(folder).expect("the folder");
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "mmd"));
    paths.sort();
    paths
}

fn text(path: &Path) -> (String, String) {
    let name = path.file_name().expect("a name").to_string_lossy().into_owned();
    (name, fs::read_to_string(path).expect("a text"))
}

#[test]
fn every_diagram_gives_its_topology_and_its_diagnostics() {
    let mut wrong = Vec::new();
    for path in inputs() {
        let (name, text) = text(&path);
        let compiled = compile_text(&name, &text);
        assert!(compiled.topology.is_some() || compiled.has_errors());
        let told = compiled.topology.as_ref().map(dump).unwrap_or_default();
        let told = told + &render(&compiled);
        let golden = path.with_added_extension("txt");
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if told != expected {
            if std::env::var_os("BLESS").is_some() {
                #[allow(clippy::disallowed_methods)] // on request only
                fs::write(&golden, &told).expect("a golden is written");
            }
            wrong.push(format!("{name} gives:\n{told}\nbut shall give:\n{expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A topology in lines that a reviewer can read.
fn dump(topology: &Topology) -> String {
    let mut text = format!("{:?}", topology.direction);
    for part in [&topology.title, &topology.description].into_iter().flatten() {
        write!(text, " {part:?}").expect(SUNK);
    }
    text.push('\n');
    members(&mut text, 1, &topology.rows, topology);
    for edge in &topology.edges {
        connection(&mut text, edge);
    }
    for scenario in &topology.scenarios {
        story(&mut text, scenario);
    }
    text
}

fn members(text: &mut String, depth: usize, rows: &[Vec<Member>], topology: &Topology) {
    let indent = "  ".repeat(depth);
    for member in rows.iter().flatten() {
        match member {
            Member::Group(id) => {
                let group = topology.group(id).expect("the group");
                write!(text, "{indent}group {id} {:?}", group.label).expect(SUNK);
                let looks = [&group.color, &group.style].into_iter().flatten();
                looks.for_each(|look| write!(text, " {look}").expect(SUNK));
                text.push('\n');
                members(text, depth + 1, &group.rows, topology);
            }
            Member::Process(id) => {
                let process = topology.process(id).expect("the process");
                writeln!(text, "{indent}{}", box_of(process)).expect(SUNK);
            }
        }
    }
}

fn box_of(process: &Process) -> String {
    let mut text = format!("{} {:?} {}", process.id, process.label, process.shape.name());
    for part in [&process.icon, &process.color].into_iter().flatten() {
        write!(text, " {part}").expect(SUNK);
    }
    if let Some(details) = &process.description {
        write!(text, " ({details})").expect(SUNK);
    }
    text
}

fn connection(text: &mut String, edge: &Edge) {
    let end = |end: &End| match end {
        End::Process(id) => id.to_string(),
        End::Group(id) => format!("group {id}"),
    };
    write!(text, "{} -> {}", end(&edge.source), end(&edge.target)).expect(SUNK);
    if let Some(label) = &edge.label {
        write!(text, " {label:?}").expect(SUNK);
    }
    for part in [&edge.kind, &edge.style, &edge.color].into_iter().flatten() {
        write!(text, " {part}").expect(SUNK);
    }
    text.push('\n');
}

fn story(text: &mut String, scenario: &Scenario) {
    writeln!(text, "scenario {} {:?}", scenario.id, scenario.title).expect(SUNK);
    let Play::Flow(flow) = &scenario.play else { panic!("a flow") };
    for step in &flow.steps {
        let said = |label: &Option<String>, words: &str| match label {
            Some(label) => format!("[{label}] {words:?}"),
            None => format!("{words:?}"),
        };
        let line = match &step.kind {
            FlowStepKind::Start(id) => format!("at {id}"),
            FlowStepKind::Hops(hops) => {
                let hops = hops.iter().map(|hop| match hop.heading {
                    Heading::Forward => format!("{} => {}", hop.from, hop.to),
                    Heading::Backward => format!("{} ~> {}", hop.from, hop.to),
                });
                hops.collect::<Vec<_>>().join(", ")
            }
            FlowStepKind::Message { at, label, text } => {
                format!("{at} says {}", said(label, text))
            }
            FlowStepKind::Error { at, label, text } => {
                format!("{at} fails {}", said(label, text))
            }
            FlowStepKind::SetState(id, state) => format!("{id} is {}", state.name()),
            other => format!("{other:?}"),
        };
        writeln!(text, "  {line}").expect(SUNK);
    }
}

#[test]
fn an_imported_diagram_gives_the_same_topology_again() {
    let mut count = 0;
    for path in inputs() {
        let (name, text) = text(&path);
        let imported = import(&Source::new(&*name, text));
        assert_eq!(imported.yaml.is_some(), imported.compiled.topology.is_some());
        let (Some(yaml), Some(topology)) = (imported.yaml, imported.compiled.topology)
        else {
            continue;
        };
        let again = compile_text("again.yaml", &yaml);
        let errors: Vec<_> = again.diagnostics.iter().map(|one| &one.message).collect();
        let again = again.topology.unwrap_or_else(|| panic!("{yaml}\n{errors:?}"));
        assert_eq!(dump(&again), dump(&topology), "{yaml}");
        let order = |topology: &Topology| -> Vec<String> {
            let processes = topology.processes.iter().map(|one| one.id.to_string());
            processes
                .chain(topology.groups.iter().map(|one| one.id.to_string()))
                .collect()
        };
        assert_eq!(order(&again), order(&topology), "{yaml}");
        count += 1;
    }
    assert!(count >= 6, "only {count} diagrams were imported");
}

#[test]
fn what_is_no_diagram_is_not_imported() {
    let imported = import(&Source::new("a.yaml", "groups: []"));
    assert!(imported.yaml.is_none());
    assert_eq!(imported.compiled.diagnostics[0].code, "not-mermaid");
}

#[test]
fn a_hundred_and_more_levels_are_read() {
    for depth in [200, 499] {
        let mut text = String::from("flowchart TD\n");
        (0..depth).for_each(|at| writeln!(text, "subgraph g{at}").expect(SUNK));
        text.push_str("a --> b\n");
        text.push_str(&"end\n".repeat(depth));
        let topology = compile_text("deep.mmd", &text).topology.expect("a topology");
        assert_eq!(topology.groups.len(), depth);
        let mut text = String::from("sequenceDiagram\n");
        text.push_str(&"loop again\n".repeat(depth));
        text.push_str("a->>b: hello\n");
        text.push_str(&"end\n".repeat(depth));
        let topology = compile_text("deep.mmd", &text).topology.expect("a topology");
        assert_eq!(topology.scenarios.len(), 1);
    }
    let text = format!("flowchart TD\n{}", "subgraph\n".repeat(20_000));
    assert!(compile_text("deep.mmd", &text).has_errors());
    let text = format!("sequenceDiagram\n{}", "alt x\n".repeat(20_000));
    assert!(compile_text("deep.mmd", &text).has_errors());
}

#[test]
fn a_fan_of_fans_is_refused_before_it_fills_the_memory() {
    let fan: Vec<String> = (0..2_000).map(|at| format!("n{at}")).collect();
    let fan = fan.join(" & ");
    let compiled = compile_text("fan.mmd", &format!("graph TD\n{fan} --> {fan}\n"));
    assert!(compiled.diagnostics.iter().any(|one| one.code == "too-many-edges"));
}

/// With a look ahead to the end of the line for each statement this would take hours.
#[test]
fn a_very_long_line_is_read_once() {
    for (head, statement) in [
        ("flowchart TD;", "A -->|x| B;"),
        ("flowchart TD;", "A -- x --> B;"),
        ("flowchart TD\nA-->B\n", "%%{\n"),
        ("sequenceDiagram;", "participant A;"),
        ("sequenceDiagram;", "Note over A: x;"),
        ("sequenceDiagram;A->>B: x;", "destroy B;"),
    ] {
        let text = head.to_owned() + &statement.repeat(15_000);
        let compiled = compile_text("long.mmd", &text);
        assert!(compiled.topology.is_some(), "{statement}: {}", render(&compiled));
    }
}

#[test]
fn sources_without_a_name_are_recognised() {
    for text in ["graph LR\nA-->B", "%% hello\nsequenceDiagram\nA->>B: hi"] {
        let compiled = compile_text("<stdin>", text);
        assert!(compiled.topology.is_some(), "{}", render(&compiled));
    }
}

/// Whatever comes in, something comes out, and every place that is named is there.
fn check(text: &str) {
    let compiled = compile_text("a.mmd", text);
    assert!(compiled.topology.is_some() || compiled.has_errors());
    render(&compiled);
    let imported = import(&Source::new("a.mmd", text));
    if let Some(yaml) = imported.yaml {
        let again = compile_text("a.yaml", &yaml);
        assert!(again.topology.is_some(), "{text}\n{yaml}\n{}", render(&again));
    }
}

const HEADS: [&str; 3] = ["flowchart TD\n", "sequenceDiagram\n", ""];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn signs_of_the_grammar_in_any_order_are_read_or_refused(
        head in prop::sample::select(HEADS.to_vec()),
        signs in prop::collection::vec(prop::sample::select(vec![
            "A", "b1", "end", "subgraph ", "x", "-->", "---", "-.", ".->", "==", "==>", "~~~",
            "--", "|", "[", "]", "[(", ")]", "((", "))", "(", ")", "{", "}", "{{", "}}", "[/",
            "/]", "\\", ">", "<", "\"", "`", "&", ":::", "@{", "@", ";", ":", ",", "\n", " ",
            "%%", "%%{", "}%%", "#quot;", "#", "classDef ", "class ", "style ", "linkStyle ",
            "click ", "fill:#f9f", "participant ", "as ", "->>", "-->>", "-x", "-)", "<<->>",
            "+", "loop ", "alt ", "else ", "par ", "and ", "critical ", "option ", "break ",
            "rect ", "box ", "Note over ", "activate ", "create ", "destroy ", "autonumber ",
            "title ", "accDescr", "é☕", "\t", "---\n", "wrap:", "()", "shape: ", "1e999",
        ]), 0..40),
    ) {
        check(&(head.to_owned() + &signs.concat()));
    }

    #[test]
    fn a_diagram_with_a_changed_stretch_is_read_or_refused(
        which in 0..12_usize,
        share in 0.0..1.0_f64,
        insert in "[\\[\\](){}<>|\"`;:,.&@%#=~xo\n \t\\\\/+a-c-]{0,6}",
        removed in 0..12_usize,
    ) {
        let paths = inputs();
        let mut text = text(&paths[which % paths.len()]).1;
        let start = text.floor_char_boundary((text.len() as f64 * share) as usize);
        let end = text.ceil_char_boundary((start + removed).min(text.len()));
        text.replace_range(start..end, &insert);
        check(&text);
    }

    #[test]
    fn any_text_is_read_or_refused(
        head in prop::sample::select(HEADS.to_vec()),
        text in any::<String>(),
    ) {
        check(&(head.to_owned() + &text));
    }
}
