//! What stands before a diagram's statements: front matter, directives, comments, its kind.

use topomotion_model::{Diagnostic, Direction, nearest};

use super::label::plain;
use super::scan::{Findings, Piece, Scanner};

/// A diagram that is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// `graph`, `flowchart`.
    Flowchart(Direction),
    /// `sequenceDiagram`.
    Sequence,
}

/// The head of a diagram.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// The front matter's title.
    pub title: Option<String>,
    /// Where the kind stands.
    pub at: usize,
    /// What follows; `None` if it is nothing that can be read.
    pub kind: Option<Kind>,
}

/// Diagrams that Mermaid knows and that are no topology.
const OTHERS: &[&str] = &[
    "classDiagram",
    "classDiagram-v2",
    "stateDiagram",
    "stateDiagram-v2",
    "erDiagram",
    "gantt",
    "pie",
    "journey",
    "gitGraph",
    "mindmap",
    "timeline",
    "quadrantChart",
    "requirementDiagram",
    "C4Context",
    "C4Container",
    "C4Component",
    "C4Dynamic",
    "C4Deployment",
    "sankey",
    "sankey-beta",
    "xychart",
    "xychart-beta",
    "block",
    "block-beta",
    "packet",
    "packet-beta",
    "kanban",
    "architecture",
    "architecture-beta",
    "radar-beta",
    "treemap",
    "treemap-beta",
    "zenuml",
    "info",
];
const FLOWCHARTS: &[&str] = &["graph", "flowchart", "flowchart-elk", "swimlane"];
const SEQUENCE: &str = "sequenceDiagram";
/// What only a sequence diagram begins with.
const PARTICIPANTS: &[&str] = &["participant", "actor"];
const SUPPORTED: &str = "flowcharts (`flowchart`, `graph`) and sequence diagrams (`sequenceDiagram`) are read";

/// Whether a text without a name looks like a diagram.
pub(crate) fn is_mermaid(text: &str) -> bool {
    let text = text.trim_start_matches('\u{feff}');
    let mut scanner = Scanner::new(text, 0, topomotion_model::FileId(0));
    let mut unheard = Findings::default();
    skip_front(&mut scanner, &mut Head::default(), &mut unheard);
    let word = scanner.word();
    let is_flowchart = FLOWCHARTS.contains(&word) && {
        let behind = scanner.rest()[word.len()..].trim_start_matches([' ', '\t']);
        let is_direction = |word: &str| direction(word).is_some();
        behind.is_empty()
            || behind.starts_with(['\n', '\r', ';'])
            || is_direction(
                behind.split([' ', '\t', '\n', '\r', ';']).next().unwrap_or(""),
            )
    };
    // `info` and `block` may begin anything; the other names are Mermaid's alone.
    let is_other = word.contains(|c: char| c.is_ascii_uppercase()) || word.contains('-');
    is_flowchart || word == SEQUENCE || (is_other && OTHERS.contains(&word))
}

/// Reads up to the first statement.
pub(super) fn read(scanner: &mut Scanner<'_>, findings: &mut Findings) -> Head {
    let mut head = Head::default();
    skip_front(scanner, &mut head, findings);
    let start = scanner.at;
    head.at = start;
    let word = scanner.word();
    scanner.at += word.len();
    if FLOWCHARTS.contains(&word) {
        head.kind = Some(Kind::Flowchart(flow_direction(scanner, findings)));
    } else if word == SEQUENCE {
        head.kind = Some(Kind::Sequence);
    } else if PARTICIPANTS.contains(&word) {
        let span = scanner.stretch(start, scanner.at);
        scanner.at = start;
        findings.add(
            Diagnostic::warning(
                "missing-header",
                "the diagram does not say what it is; it is read as a sequence diagram",
                Some(span),
            )
            .at("only a sequence diagram begins like this")
            .help("write `sequenceDiagram` above it"),
        );
        head.kind = Some(Kind::Sequence);
    } else {
        findings.add(refusal(scanner, start, word));
    }
    head
}

fn refusal(scanner: &Scanner<'_>, start: usize, word: &str) -> Diagnostic {
    if OTHERS.contains(&word) {
        let span = scanner.stretch(start, start + word.len());
        let message = format!("a Mermaid `{word}` cannot be imported");
        return Diagnostic::error("unsupported-diagram", message, Some(span))
            .at("not a diagram of processes and their messages")
            .help(SUPPORTED);
    }
    let mut place = scanner.clone();
    place.at = start;
    let span = match word.is_empty() {
        true => place.here(),
        false => place.stretch(start, start + word.len()),
    };
    let error =
        Diagnostic::error("unknown-diagram", "this is no Mermaid diagram", Some(span))
            .at("the kind of diagram is expected here");
    let known = FLOWCHARTS.iter().chain([&SEQUENCE]).chain(OTHERS).copied();
    match nearest(word, known).filter(|_| word.len() > 2) {
        Some(near) => error.help(format!("did you mean `{near}`? {SUPPORTED}")),
        None => error.help(format!("begin with `flowchart TD` or `{SEQUENCE}`")),
    }
}

/// `TD`, `LR`, …; what is missing is top down.
fn flow_direction(scanner: &mut Scanner<'_>, findings: &mut Findings) -> Direction {
    scanner.skip_blanks();
    let at = scanner.at;
    let word = scanner.take_while(|c| !c.is_whitespace() && c != ';');
    let found = direction(word);
    if found.is_none() && !word.is_empty() {
        let span = scanner.stretch(at, scanner.at);
        findings.add(
            Diagnostic::error(
                "bad-direction",
                format!("`{word}` is not a direction"),
                Some(span),
            )
            .at("not a direction")
            .help("directions are TB, TD, BT, LR and RL"),
        );
    }
    found.unwrap_or_default()
}

/// The direction that a word names.
pub(super) fn direction(word: &str) -> Option<Direction> {
    Some(match word {
        "TB" | "TD" | "v" => Direction::Down,
        "BT" | "^" => Direction::Up,
        "LR" | ">" => Direction::Right,
        "RL" | "<" => Direction::Left,
        _ => return None,
    })
}

/// Front matter, directives, comments and blank lines.
fn skip_front(scanner: &mut Scanner<'_>, head: &mut Head, findings: &mut Findings) {
    scanner.skip_space();
    if scanner.starts_with("---") {
        front_matter(scanner, head, findings);
    }
    loop {
        scanner.skip_space();
        if !skip_comment(scanner, findings) {
            return;
        }
    }
}

/// Steps over a comment or a directive, if one stands here.
pub(super) fn skip_comment(scanner: &mut Scanner<'_>, findings: &mut Findings) -> bool {
    if !scanner.starts_with("%%") {
        return false;
    }
    let start = scanner.at;
    if scanner.starts_with("%%{") {
        let length = scanner.window().find("}%%").map(|end| end + 3);
        scanner.at = length.map_or(scanner.line_end(), |length| start + length);
        findings.lost(
            "the directive",
            "themes and settings of Mermaid have no meaning here; see `--theme`",
            scanner.since(start),
        );
        return true;
    }
    scanner.skip_line();
    true
}

/// `---`, lines of YAML, `---`: the title counts, the rest is Mermaid's own settings.
fn front_matter(scanner: &mut Scanner<'_>, head: &mut Head, findings: &mut Findings) {
    let start = scanner.at;
    scanner.skip_line();
    while !scanner.is_done() {
        let at = scanner.at;
        let line = &scanner.text[at..scanner.line_end()];
        scanner.skip_line();
        if line.trim_end() == "---" {
            return;
        }
        let is_key = line.starts_with(|c: char| c.is_alphabetic());
        let Some((key, value)) = line.split_once(':').filter(|_| is_key) else {
            continue;
        };
        let span = scanner.span_of(Piece { text: line, at }.trimmed());
        match key.trim() {
            "title" => {
                let value = value.trim();
                let single = value.strip_prefix('\'').and_then(|v| v.strip_suffix('\''));
                head.title =
                    Some(plain(single.unwrap_or(value))).filter(|t| !t.is_empty());
            }
            key => findings.lost(
                &format!("`{key}` of the front matter"),
                "of the front matter only `title` has a meaning here",
                span,
            ),
        }
    }
    findings.add(
        Diagnostic::error(
            "open-front-matter",
            "the front matter is never closed",
            Some(scanner.stretch(start, start + 3)),
        )
        .at("opened here")
        .help("close it with a line `---`"),
    );
}

#[cfg(test)]
mod tests {
    use topomotion_model::FileId;

    use super::*;

    fn head(text: &str) -> (Head, Vec<String>) {
        let mut findings = Findings::default();
        let read = read(&mut Scanner::new(text, 0, FileId(0)), &mut findings);
        let told = findings.into_all();
        (read, told.into_iter().map(|one| one.message).collect())
    }

    #[test]
    fn the_title_comes_from_the_front_matter_and_settings_are_reported() {
        let (read, told) =
            head("---\ntitle: \"A shop\"\nconfig:\n  theme: dark\n---\n%% x\ngraph LR");
        assert_eq!(read.title.as_deref(), Some("A shop"));
        assert_eq!(read.kind, Some(Kind::Flowchart(Direction::Right)));
        assert_eq!(told, ["`config` of the front matter is not imported"]);
    }

    #[test]
    fn other_kinds_of_diagram_are_refused_by_name() {
        for kind in OTHERS {
            let (read, told) = head(&format!("{kind}\n a"));
            assert_eq!(read.kind, None);
            assert_eq!(told, [format!("a Mermaid `{kind}` cannot be imported")]);
        }
        assert_eq!(head("flowchar TD").1, ["this is no Mermaid diagram"]);
        assert_eq!(head("%% only a comment").1, ["this is no Mermaid diagram"]);
    }

    #[test]
    fn a_diagram_is_recognised_without_its_name() {
        for text in [
            "graph TD",
            "flowchart\nA",
            "%%{init: {}}%%\nsequenceDiagram",
            "---\ntitle: x\n---\ngraph LR;A-->B",
            "erDiagram\n",
        ] {
            assert!(is_mermaid(text), "{text}");
        }
        for text in
            ["", "graph = 1;", "groups:\n", "---\na: b\n", "const x = 1", "info: x"]
        {
            assert!(!is_mermaid(text), "{text}");
        }
    }
}
