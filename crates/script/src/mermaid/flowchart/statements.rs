//! The statements of a flowchart, one after another.
//!
//! A statement that cannot be read is an error, and reading goes on with the next line: all
//! mistakes are found at once. Subgraphs are a stack.

use topomotion_model::{Diagnostic, Direction, Span};

use super::chart::{Chart, Mention, Subgraph};
use super::styles::{self, Of, Style};
use super::{links, nodes};
use crate::mermaid::DEEPEST;
use crate::mermaid::head::{self, skip_comment};
use crate::mermaid::label::plain;
use crate::mermaid::scan::{Findings, Piece, Scanner};

/// Reads every statement.
pub(super) fn read(
    scanner: Scanner<'_>,
    direction: Direction,
    findings: &mut Findings,
) -> Chart {
    let chart = Chart::default();
    let mut reader = Reader { scanner, chart, open: Vec::new(), direction, findings };
    reader.statements();
    reader.end_of_file();
    reader.chart
}

struct Reader<'t, 'f> {
    scanner: Scanner<'t>,
    chart: Chart,
    /// The subgraphs that are open, the innermost last.
    open: Vec<usize>,
    /// The direction of the whole chart.
    direction: Direction,
    findings: &'f mut Findings,
}

impl<'t> Reader<'t, '_> {
    fn statements(&mut self) {
        loop {
            self.scanner.take_while(|c| c.is_whitespace() || c == ';');
            if self.scanner.is_done() || self.findings.is_hopeless() {
                return;
            }
            if skip_comment(&mut self.scanner, self.findings) {
                continue;
            }
            let before = self.scanner.at;
            if let Err(error) = self.statement() {
                self.findings.add(*error);
                self.scanner.skip_line();
            }
            if self.scanner.at == before {
                self.scanner.skip_line();
            }
        }
    }

    fn statement(&mut self) -> Result<(), Box<Diagnostic>> {
        let start = self.scanner.at;
        let word = self.scanner.word();
        let behind = &self.scanner.rest()[word.len()..];
        let is_alone = behind.trim_start_matches([' ', '\t', '\r']);
        let is_alone = is_alone.is_empty() || is_alone.starts_with(['\n', ';']);
        let has_more = !is_alone && behind.starts_with(char::is_whitespace);
        self.scanner.at += word.len();
        match word {
            "subgraph" if is_alone || behind.starts_with([' ', '\t', '"', '[']) => {
                return self.subgraph(start);
            }
            "end" if is_alone || behind.trim_start().starts_with("%%") => self.end(start),
            "direction" if has_more => self.direction(start),
            "classDef" if has_more => self.class_definition(),
            "class" if has_more => self.class(),
            "style" if has_more => self.style(),
            "linkStyle" if has_more => self.link_style(),
            "click" if has_more => self.click(start),
            "accTitle" | "accDescr" | "title" if !is_alone => {
                return self.words(start, word);
            }
            _ => {
                self.scanner.at = start;
                return self.chain();
            }
        }
        Ok(())
    }

    /// `A & B --> C -- text --> D`
    fn chain(&mut self) -> Result<(), Box<Diagnostic>> {
        let mut sources = self.fan()?;
        loop {
            self.scanner.skip_blanks();
            let Some(stroke) = links::read(&mut self.scanner)? else { break };
            self.scanner.skip_space();
            let targets = self.fan()?;
            self.chart.link(&sources, &targets, &stroke, self.findings);
            sources = targets;
        }
        self.scanner.skip_blanks();
        match self.scanner.peek() {
            None | Some('\n' | ';') => Ok(()),
            Some('%') if self.scanner.starts_with("%%") => Ok(()),
            Some(c) => Err(Box::new(
                Diagnostic::error(
                    "unexpected-text",
                    format!("`{c}` cannot follow a node"),
                    Some(self.scanner.here()),
                )
                .at("a link, `&` or the end of the line is expected here")
                .help("links are `-->`, `---`, `-.->`, `==>`, with text: `-- text -->`"),
            )),
        }
    }

    /// `A & B & C`
    fn fan(&mut self) -> Result<Vec<(String, Span)>, Box<Diagnostic>> {
        let mut fan = Vec::new();
        loop {
            let node = nodes::read(&mut self.scanner, &mut self.chart, self.findings)?;
            // A link's own attributes name no node.
            if !node.0.is_empty() {
                self.mention(&node.0);
                fan.push(node);
            }
            let behind = self.scanner.at;
            self.scanner.skip_blanks();
            if !self.scanner.eat("&") {
                self.scanner.at = behind;
                return Ok(fan);
            }
            self.scanner.skip_space();
        }
    }

    fn mention(&mut self, id: &str) {
        let (Some(&inner), Some(vertex)) = (self.open.last(), self.chart.known(id))
        else {
            return;
        };
        let subgraph = &mut self.chart.subgraphs[inner];
        if subgraph.mentioned.insert(vertex) {
            subgraph.mentions.push(Mention::Vertex(vertex));
        }
    }

    /// `subgraph id[Title]`, `subgraph Title in words`, `subgraph "Title"`
    fn subgraph(&mut self, start: usize) -> Result<(), Box<Diagnostic>> {
        self.scanner.skip_blanks();
        let from = self.scanner.at;
        let id = nodes::read_id(&mut self.scanner);
        let id = Piece { text: id, at: from };
        self.scanner.skip_blanks();
        let title = self.subgraph_title(from)?;
        let span = self.scanner.since(start);
        let title_text = plain(title.text);
        // A title of several words is no id that anything could name.
        let named =
            if id.text.is_empty() || title.at == from { &title_text } else { id.text };
        let count = self.chart.subgraphs.len();
        let mut id = match named.is_empty() {
            true => format!("subgraph {}", count + 1),
            false => named.to_owned(),
        };
        if self.chart.subgraph_places.contains_key(&id) {
            if !id.contains(char::is_whitespace) {
                return self.reopen(&id.clone(), span);
            }
            let numbered = (count + 1..).map(|number| format!("{id} {number}"));
            let mut free =
                numbered.filter(|id| !self.chart.subgraph_places.contains_key(id));
            id = free.next().unwrap_or(id);
        }
        let parent = self.open.last().copied();
        self.check_depth(span)?;
        self.chart.subgraph_places.insert(id.clone(), count);
        self.chart.subgraphs.push(Subgraph {
            label: if title_text.is_empty() { id.clone() } else { title_text },
            id,
            parent,
            mentions: Vec::new(),
            settled: 0,
            mentioned: std::collections::BTreeSet::new(),
            classes: Vec::new(),
            style: Style::default(),
            span,
        });
        if let Some(parent) = parent {
            self.chart.subgraphs[parent].mentions.push(Mention::Subgraph(count));
        }
        self.open.push(count);
        Ok(())
    }

    /// What stands in brackets, or else the whole line from `from` on.
    fn subgraph_title(&mut self, from: usize) -> Result<Piece<'t>, Box<Diagnostic>> {
        if !self.scanner.starts_with("[") {
            self.scanner.at = from;
            return Ok(self.scanner.take_statement());
        }
        let at = self.scanner.at + 1;
        let statement = self.scanner.take_statement();
        let inner = statement.text.strip_prefix('[');
        match inner.and_then(|text| text.strip_suffix(']')) {
            Some(inner) => Ok(Piece { text: inner, at }),
            None => {
                let place = self.scanner.stretch(at - 1, at);
                let error = Diagnostic::error(
                    "open-label",
                    "the title is never closed",
                    Some(place),
                );
                Err(Box::new(error.at("opened here").help("close it with `]`")))
            }
        }
    }

    fn check_depth(&self, span: Span) -> Result<(), Box<Diagnostic>> {
        if self.open.len() < DEEPEST {
            return Ok(());
        }
        let message = format!("subgraphs are nested more than {DEEPEST} deep");
        Err(Box::new(
            Diagnostic::error("too-deep", message, Some(span)).help("nest fewer of them"),
        ))
    }

    /// A second block of a subgraph goes on with the first.
    fn reopen(&mut self, id: &str, span: Span) -> Result<(), Box<Diagnostic>> {
        let place = self.chart.subgraph_places.get(id).copied().unwrap_or_default();
        self.check_depth(span)?;
        if self.open.contains(&place) {
            let message = format!("subgraph `{id}` would stand inside itself");
            let error = Diagnostic::error("group-in-itself", message, Some(span));
            return Err(Box::new(error.help("give the inner subgraph an id of its own")));
        }
        let first = Some(self.chart.subgraphs[place].span);
        let message = format!("subgraph `{id}` is opened a second time");
        self.findings.add(
            Diagnostic::warning("reopened-subgraph", message, Some(span))
                .at("goes on with the first")
                .label(first, "the first is opened here")
                .help("give it an id of its own: `subgraph id2[Title]`"),
        );
        self.open.push(place);
        Ok(())
    }

    /// A subgraph takes in what it mentions, unless an earlier one has it already.
    fn end(&mut self, start: usize) {
        let Some(place) = self.open.pop() else {
            self.findings.add(
                Diagnostic::error(
                    "unexpected-end",
                    "this `end` ends nothing",
                    Some(self.scanner.since(start)),
                )
                .at("no subgraph is open here")
                .help("take it out, or open a subgraph before it"),
            );
            return;
        };
        let subgraph = &mut self.chart.subgraphs[place];
        for mention in &subgraph.mentions[subgraph.settled..] {
            if let Mention::Vertex(vertex) = mention {
                self.chart.vertices[*vertex].home.get_or_insert(place);
            }
        }
        subgraph.settled = subgraph.mentions.len();
    }

    fn end_of_file(&mut self) {
        while let Some(&place) = self.open.last() {
            let Subgraph { id, span, .. } = &self.chart.subgraphs[place];
            let message = format!("subgraph `{id}` is never closed");
            self.findings.add(
                Diagnostic::warning("open-block", message, Some(*span))
                    .at("opened here; it ends with the file")
                    .help("write `end` where it ends"),
            );
            self.end(self.scanner.at);
        }
    }

    fn direction(&mut self, start: usize) {
        let word = self.scanner.take_statement();
        let span = self.scanner.since(start);
        match head::direction(word.text) {
            None => self.findings.add(
                Diagnostic::error(
                    "bad-direction",
                    format!("`{}` is not a direction", word.text),
                    Some(self.scanner.span_of(word)),
                )
                .help("directions are TB, TD, BT, LR and RL"),
            ),
            Some(direction) if direction != self.direction => self.findings.lost(
                "a subgraph's own direction",
                "the whole picture has one direction: that of the first line",
                span,
            ),
            Some(_) => {}
        }
    }

    fn class_definition(&mut self) {
        let statement = self.scanner.take_statement();
        let (names, written) = statement.split_word();
        let style = styles::read(written, Of::Box, &self.scanner, self.findings);
        for name in names.split_commas() {
            self.chart.classes.entry(name.text.to_owned()).or_default().lay(&style);
        }
    }

    /// `class A,B name`
    fn class(&mut self) {
        let statement = self.scanner.take_statement();
        let cut = statement.text.rfind(char::is_whitespace).unwrap_or(0);
        let ids = Piece { text: &statement.text[..cut], at: statement.at };
        let class =
            Piece { text: &statement.text[cut..], at: statement.at + cut }.trimmed();
        if ids.text.is_empty() {
            self.findings.add(
                Diagnostic::error(
                    "missing-class",
                    "the name of a class is missing",
                    Some(self.scanner.span_of(statement)),
                )
                .help("write `class A,B name`"),
            );
            return;
        }
        self.chart.used.push((class.text.to_owned(), self.scanner.span_of(class)));
        for id in ids.split_commas() {
            match self.styled(id) {
                Some(Styled::Vertex(place)) => {
                    self.chart.vertices[place].classes.push(class.text.to_owned());
                }
                Some(Styled::Subgraph(place)) => {
                    self.chart.subgraphs[place].classes.push(class.text.to_owned());
                }
                None => {}
            }
        }
    }

    /// `style A,B fill:#f9f`
    fn style(&mut self) {
        let (ids, written) = self.scanner.take_statement().split_word();
        let style = styles::read(written, Of::Box, &self.scanner, self.findings);
        for id in ids.split_commas() {
            match self.styled(id) {
                Some(Styled::Vertex(place)) => {
                    self.chart.vertices[place].style.lay(&style);
                }
                Some(Styled::Subgraph(place)) => {
                    self.chart.subgraphs[place].style.lay(&style);
                }
                None => {}
            }
        }
    }

    /// What a style is for: a subgraph, or a node, which a style may be the first to name.
    fn styled(&mut self, id: Piece<'t>) -> Option<Styled> {
        if let Some(&place) = self.chart.subgraph_places.get(id.text) {
            return Some(Styled::Subgraph(place));
        }
        if let Some(place) = self.chart.known(id.text) {
            return Some(Styled::Vertex(place));
        }
        let span = self.scanner.span_of(id);
        if self.chart.link_ids.contains_key(id.text) {
            let why = "write `linkStyle` with the link's number instead";
            self.findings.lost("the style of a link by its id", why, span);
            return None;
        }
        let message = format!("no node is called `{}` here", id.text);
        self.findings.add(
            Diagnostic::warning("unknown-node", message, Some(span))
                .at("not mentioned before")
                .help("style a node behind its first mention"),
        );
        None
    }

    /// `linkStyle 0,1 stroke:red`, `linkStyle default …`
    fn link_style(&mut self) {
        let (numbers, rest) = self.scanner.take_statement().split_word();
        let mut written = rest;
        if let ("interpolate", behind) = (rest.split_word().0.text, rest.split_word().1) {
            let (curve, behind) = behind.split_word();
            let span = self.scanner.span_of(curve);
            self.findings.lost(
                "the curve of a link",
                "links are drawn at right angles",
                span,
            );
            written = behind;
        }
        let style = styles::read(written, Of::Link, &self.scanner, self.findings);
        for number in numbers.split_commas() {
            if number.text == "default" {
                self.chart.link_style.lay(&style);
                continue;
            }
            let place = number.text.parse().ok().filter(|n| *n < self.chart.links.len());
            match place {
                Some(place) => {
                    let place: usize = place;
                    self.chart.links[place].style.lay(&style);
                }
                None => {
                    let count = self.chart.links.len();
                    let message = format!("there is no link `{}` yet", number.text);
                    let span = self.scanner.span_of(number);
                    self.findings.add(
                        Diagnostic::warning("unknown-link", message, Some(span))
                            .at("links are counted from 0")
                            .help(format!("links so far: {count}")),
                    );
                }
            }
        }
    }

    /// `click A "https://…" "Tooltip"`: address and tooltip go to the details.
    fn click(&mut self, start: usize) {
        let (id, rest) = self.scanner.take_statement().split_word();
        let span = self.scanner.since(start);
        let (word, behind) = rest.split_word();
        let rest = if word.text == "href" { behind } else { rest };
        let quoted: Vec<&str> = rest.text.split('"').skip(1).step_by(2).collect();
        let is_link = rest.text.starts_with('"') && !quoted.is_empty();
        if !is_link {
            let why =
                "a picture calls nothing; `click A \"https://…\" \"Tooltip\"` is kept";
            self.findings.lost("a callback", why, span);
            return;
        }
        let Some(vertex) = self.chart.known(id.text) else {
            self.styled(id);
            return;
        };
        let details: Vec<String> = quoted.iter().rev().map(|text| plain(text)).collect();
        let details: Vec<String> =
            details.into_iter().filter(|text| !text.is_empty()).collect();
        if !details.is_empty() {
            self.chart.vertices[vertex].details = Some(details.join(", "));
        }
    }

    /// `accTitle: …`, `accDescr: …`, `accDescr { … }`, `title …`
    fn words(&mut self, start: usize, word: &str) -> Result<(), Box<Diagnostic>> {
        self.scanner.skip_blanks();
        let text = if self.scanner.eat(":") {
            let at = self.scanner.at;
            self.scanner.at = self.scanner.line_end();
            &self.scanner.text[at..self.scanner.at]
        } else if word == "accDescr" && self.scanner.eat("{") {
            let rest = self.scanner.rest();
            let end = rest.find('}').unwrap_or(rest.len());
            self.scanner.at = (self.scanner.at + end + 1).min(self.scanner.text.len());
            &rest[..end]
        } else {
            self.scanner.at = start;
            return self.chain();
        };
        let text = Some(plain(text)).filter(|text| !text.is_empty());
        match word {
            "accDescr" => {
                self.chart.description = text.map(|text| text.replace('\n', " "));
            }
            _ => self.chart.title = text,
        }
        Ok(())
    }
}

/// What a style lies on.
enum Styled {
    Vertex(usize),
    Subgraph(usize),
}
