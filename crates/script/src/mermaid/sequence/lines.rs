//! The statements of a sequence diagram, one after another. Blocks are a stack.

use topomotion_model::{Diagnostic, Shape, Span};

use super::plot::{Block, Branch, Course, Frame, Item, Kind, Message, Plot};
use crate::mermaid::DEEPEST;
use crate::mermaid::attributes;
use crate::mermaid::color::{self, Written};
use crate::mermaid::head::skip_comment;
use crate::mermaid::label::plain;
use crate::mermaid::scan::{Findings, Piece, Scanner};

/// Arrows that end in a point, longer ones before those that they contain.
const ARROWS: &[(&str, Course)] = &[
    ("<<-->>", Course::ThereAndBack),
    ("<<->>", Course::ThereAndBack),
    ("-->>", Course::There),
    ("->>", Course::There),
    ("-->", Course::There),
    ("->", Course::There),
];
/// Arrows whose end could also be a letter of a name.
const OTHER_ARROWS: &[(&str, Course)] = &[
    ("--x", Course::Lost),
    ("-x", Course::Lost),
    ("--)", Course::There),
    ("-)", Course::There),
];

/// Reads every line.
pub(super) fn read(scanner: Scanner<'_>, findings: &mut Findings) -> Plot {
    let plot = Plot::default();
    let mut reader = Reader { scanner, plot, open: Vec::new(), number: None, findings };
    reader.lines();
    reader.end_of_file();
    reader.plot
}

/// What is open: a block, or a frame around participants.
enum Open {
    Block { kind: Kind, branches: Vec<Branch>, span: Span },
    Frame { place: usize, span: Span },
}

/// `autonumber`: the next number, the step between two, and the decimals of both.
#[derive(Clone, Copy)]
struct Numbers {
    next: f64,
    step: f64,
}

struct Reader<'t, 'f> {
    scanner: Scanner<'t>,
    plot: Plot,
    open: Vec<Open>,
    number: Option<Numbers>,
    findings: &'f mut Findings,
}

impl<'t> Reader<'t, '_> {
    fn lines(&mut self) {
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
        let is_word = behind.is_empty()
            || behind.starts_with(|c: char| c.is_whitespace() || matches!(c, ';' | ':'));
        let is_message = word.is_empty() || !is_word;
        if is_message || self.is_speaker(word) {
            return self.message();
        }
        self.scanner.at += word.len();
        let lower = word.to_ascii_lowercase();
        match lower.as_str() {
            "participant" | "actor" => self.participant(start, &lower, Birth::Always)?,
            "create" => self.create(start)?,
            "destroy" => self.destroy(start)?,
            "activate" | "deactivate" => self.activation(&lower)?,
            "note" => self.note(start)?,
            "box" => self.frame(start),
            "end" => self.end(start),
            "else" | "and" | "option" => self.branch(start, &lower)?,
            "autonumber" => self.autonumber(),
            "title" | "acctitle" | "accdescr" => self.words(&lower),
            "link" | "links" | "properties" | "details" => {
                self.scanner.take_statement();
                let why = "a process has no menu; notes and labels are imported";
                self.findings.lost(&format!("`{word}`"), why, self.scanner.since(start));
            }
            _ => match Kind::named(&lower) {
                Some(kind) => self.block(start, kind)?,
                None => {
                    self.scanner.at = start;
                    self.message()?;
                }
            },
        }
        Ok(())
    }

    /// Whether a keyword is the name of somebody who speaks here: `end->>B`.
    fn is_speaker(&self, word: &str) -> bool {
        let behind = &self.scanner.rest()[word.len()..];
        let line = behind.trim_start_matches([' ', '\t']);
        ARROWS.iter().any(|(arrow, _)| line.starts_with(arrow))
    }

    fn branch_now(&mut self) -> &mut Branch {
        let mut open = self.open.iter_mut().rev();
        let branch = open.find_map(|open| match open {
            Open::Block { branches, .. } => branches.last_mut(),
            Open::Frame { .. } => None,
        });
        branch.unwrap_or(&mut self.plot.course)
    }

    /// `participant A as Anna`, `participant A@{ "type": "database" } as Orders`
    fn participant(
        &mut self,
        start: usize,
        word: &str,
        birth: Birth,
    ) -> Result<(), Box<Diagnostic>> {
        self.scanner.skip_blanks();
        let at = self.scanner.at;
        let room = self.scanner.window();
        let room = &room[..room.find(['\n', ';']).unwrap_or(room.len())];
        let mut kind = word.to_owned();
        let mut alias = None;
        let mut id = None;
        if let Some(braces) = room.find("@{") {
            id = Some(Piece { text: &room[..braces], at }.trimmed());
            self.scanner.at += braces + 2;
            self.participant_attributes(&mut kind, &mut alias)?;
        }
        let rest = self.scanner.take_statement();
        let (head, told) = match split_alias(rest) {
            Some((head, told)) => (head, Some(plain(told.text))),
            None => (rest, None),
        };
        let id = id.unwrap_or(head);
        let whole = self.scanner.since(start);
        let id_at = self.scanner.span_of(id);
        let name = plain(id.text).replace('\n', " ");
        if name.is_empty() {
            let error = Diagnostic::error(
                "missing-name",
                format!("a {word} has no name"),
                Some(whole),
            );
            return Err(Box::new(error.help("write `participant A as Anna`")));
        }
        let was_there = self.plot.participants.len();
        let place = self.plot.participant(&name, whole, id_at);
        let frame = self.open.iter().rev().find_map(|open| match open {
            Open::Frame { place, .. } => Some(*place),
            Open::Block { .. } => None,
        });
        let participant = &mut self.plot.participants[place];
        participant.label = told.or(alias).or(participant.label.take());
        participant.frame = frame.or(participant.frame);
        self.dress(place, &kind, whole);
        if birth == Birth::Later && place < was_there {
            let message = format!("`{name}` is there already");
            self.findings.add(
                Diagnostic::warning("already-there", message, Some(whole))
                    .at("created a second time, or mentioned before")
                    .help("create it before its first message"),
            );
        } else if birth == Birth::Later {
            self.plot.participants[place].is_created = true;
            self.branch_now().push(Item::Create(place, whole));
        }
        Ok(())
    }

    /// `type` and `alias`, from behind `@{`.
    fn participant_attributes(
        &mut self,
        kind: &mut String,
        alias: &mut Option<String>,
    ) -> Result<(), Box<Diagnostic>> {
        for one in attributes::read(&mut self.scanner)? {
            match one.key.text {
                "type" => *kind = one.value.text.to_ascii_lowercase(),
                "alias" => *alias = Some(plain(one.value.text)),
                name => {
                    let what = format!("the attribute `{name}`");
                    let span = self.scanner.span_of(one.key);
                    self.findings.lost(&what, "`type` and `alias` are imported", span);
                }
            }
        }
        Ok(())
    }

    /// Gives a participant the look of its kind.
    fn dress(&mut self, place: usize, kind: &str, whole: Span) {
        let participant = &mut self.plot.participants[place];
        if let Some((shape, icon)) = look(kind) {
            (participant.shape, participant.icon) = (shape, icon);
            return;
        }
        let message = format!("no participant is a `{kind}`; a box is drawn");
        self.findings.add(
            Diagnostic::warning("unknown-shape", message, Some(whole)).help(
                "types are boundary, control, entity, database, collections, queue",
            ),
        );
    }

    /// `create participant B`, `create actor B`, `create B`
    fn create(&mut self, start: usize) -> Result<(), Box<Diagnostic>> {
        self.scanner.skip_blanks();
        let word = self.scanner.word();
        let kind = match word {
            "participant" | "actor" => {
                self.scanner.at += word.len();
                word
            }
            _ => "participant",
        };
        self.participant(start, kind, Birth::Later)
    }

    /// A participant that a statement names.
    fn named(&mut self, name: Piece<'_>, whole: Span) -> Result<usize, Box<Diagnostic>> {
        let span = self.scanner.span_of(name);
        let id = plain(name.text).replace('\n', " ");
        if id.is_empty() {
            let error = Diagnostic::error(
                "missing-name",
                "a participant is missing here",
                Some(whole),
            );
            return Err(Box::new(error.help("write `A->>B: text`, `Note over A: text`")));
        }
        Ok(self.plot.participant(&id, whole, span))
    }

    fn destroy(&mut self, start: usize) -> Result<(), Box<Diagnostic>> {
        let name = self.scanner.take_statement();
        let whole = self.scanner.since(start);
        let place = self.named(name, whole)?;
        self.branch_now().push(Item::Destroy(place, whole));
        Ok(())
    }

    /// Activations are bars on a lifeline, which a topology has not; they are only checked.
    fn activation(&mut self, word: &str) -> Result<(), Box<Diagnostic>> {
        let name = self.scanner.take_statement();
        let span = self.scanner.span_of(name);
        let place = self.named(name, span)?;
        match word {
            "activate" => self.plot.participants[place].active += 1,
            _ => self.deactivate(place, span),
        }
        Ok(())
    }

    fn deactivate(&mut self, place: usize, span: Span) {
        let participant = &mut self.plot.participants[place];
        match participant.active.checked_sub(1) {
            Some(left) => participant.active = left,
            None => {
                let message = format!("`{}` is not active here", participant.id);
                self.findings.add(
                    Diagnostic::warning("not-active", message, Some(span))
                        .at("deactivated, but never activated")
                        .help("activate it before: `activate A`, or `->>+A`"),
                );
            }
        }
    }

    /// `Note right of A: text`, `Note over A,B: text`
    fn note(&mut self, start: usize) -> Result<(), Box<Diagnostic>> {
        let statement = self.scanner.take_statement();
        let whole = self.scanner.since(start);
        let lower = statement.text.to_ascii_lowercase();
        let places = ["left of", "right of", "over"];
        let place = places.iter().find(|place| lower.starts_with(**place));
        let colon = statement.text.find(':');
        let (Some(place), Some(colon)) = (place, colon) else {
            return Err(Box::new(
                Diagnostic::error("bad-note", "this note is not complete", Some(whole))
                    .help("write `Note over A,B: text`, `Note right of A: text`"),
            ));
        };
        let names = statement.text.get(place.len()..colon).unwrap_or_default();
        let names = Piece { text: names, at: statement.at + place.len() }.trimmed();
        let mut over = Vec::new();
        for name in names.split_commas() {
            over.push(self.named(name, whole)?);
        }
        if over.is_empty() {
            self.named(names, whole)?;
        }
        let text = plain(&statement.text[colon + 1..]);
        self.branch_now().push(Item::Note { over, text, span: whole });
        Ok(())
    }

    /// `box Aqua Title`, `box rgb(1,2,3) Title`, `box transparent Title`
    fn frame(&mut self, start: usize) {
        let statement = self.scanner.take_statement();
        let span = self.scanner.since(start);
        let end = match statement.text.find(')') {
            Some(end) if statement.text.starts_with("rgb") => end + 1,
            _ => statement.split_word().0.text.len(),
        };
        let (first, rest) = statement.text.split_at(end);
        let (color, title) = match color::read(first) {
            Some(Written::Color(rgb)) => (Some(rgb), rest),
            Some(Written::Nothing) => (None, rest),
            None => (None, statement.text),
        };
        self.open.push(Open::Frame { place: self.plot.boxes.len(), span });
        self.plot.boxes.push(Frame { title: plain(title), color, span });
    }

    fn block(&mut self, start: usize, kind: Kind) -> Result<(), Box<Diagnostic>> {
        let text = self.scanner.take_statement();
        let span = self.scanner.since(start);
        if self.open.len() >= DEEPEST {
            let message = format!("blocks are nested more than {DEEPEST} deep");
            return Err(Box::new(
                Diagnostic::error("too-deep", message, Some(span))
                    .help("nest fewer of them"),
            ));
        }
        let mut branch = Branch { span: Some(span), ..Branch::default() };
        match kind {
            Kind::Rect => self.findings.lost(
                "the background of `rect`",
                "its messages are imported; colours of a stretch of time are not drawn",
                span,
            ),
            _ => branch.caption = caption(text),
        }
        self.open.push(Open::Block { kind, branches: vec![branch], span });
        Ok(())
    }

    /// `else text`, `and text`, `option text`
    fn branch(&mut self, start: usize, word: &str) -> Result<(), Box<Diagnostic>> {
        let text = self.scanner.take_statement();
        let span = self.scanner.since(start);
        if let Some(Open::Block { kind, branches, .. }) = self.open.last_mut()
            && kind.further() == Some(word)
        {
            let caption = caption(text);
            branches.push(Branch { caption, span: Some(span), ..Branch::default() });
            return Ok(());
        }
        let kinds = [Kind::Alt, Kind::Par, Kind::Critical];
        let opener = kinds.iter().find(|kind| kind.further() == Some(word));
        let opener = opener.map_or("alt", |kind| kind.word());
        Err(Box::new(
            Diagnostic::error(
                "no-block",
                format!("`{word}` stands in no `{opener}`"),
                Some(span),
            )
            .help(format!("open the block before: `{opener} text`")),
        ))
    }

    fn end(&mut self, start: usize) {
        self.scanner.take_statement();
        if !self.close() {
            self.findings.add(
                Diagnostic::error(
                    "unexpected-end",
                    "this `end` ends nothing",
                    Some(self.scanner.since(start)),
                )
                .at("no block is open here")
                .help("take it out, or open a block before it"),
            );
        }
    }

    /// Closes what was opened last; `false` if nothing is open.
    fn close(&mut self) -> bool {
        let Some(open) = self.open.pop() else { return false };
        if let Open::Block { kind, branches, span } = open {
            let block = Block::new(kind, branches, span);
            self.branch_now().push(Item::Block(block));
        }
        true
    }

    fn end_of_file(&mut self) {
        while let Some(open) = self.open.last() {
            let (word, span) = match open {
                Open::Block { kind, span, .. } => (kind.word(), *span),
                Open::Frame { span, .. } => ("box", *span),
            };
            let message = format!("this `{word}` is never closed");
            self.findings.add(
                Diagnostic::warning("open-block", message, Some(span))
                    .at("opened here; it ends with the file")
                    .help("write `end` where it ends"),
            );
            self.close();
        }
    }

    /// `autonumber`, `autonumber 10 5`, `autonumber off`
    fn autonumber(&mut self) {
        let statement = self.scanner.take_statement();
        if statement.text == "off" {
            self.number = None;
            return;
        }
        let mut numbers = statement.text.split_whitespace().map(str::parse::<f64>);
        let mut next = || match numbers.next() {
            None => Some(1.0),
            Some(number) => number.ok().filter(|number| number.abs() < 1e9),
        };
        match (next(), next()) {
            (Some(next), Some(step)) => self.number = Some(Numbers { next, step }),
            _ => {
                let span = self.scanner.span_of(statement);
                self.findings.add(
                    Diagnostic::warning("bad-number", "this is no number", Some(span))
                        .help(
                            "write `autonumber`, `autonumber 10 5` or `autonumber off`",
                        ),
                );
            }
        }
    }

    fn words(&mut self, word: &str) {
        self.scanner.skip_blanks();
        let rest = self.scanner.rest();
        let text = if word == "accdescr" && rest.starts_with('{') {
            let end = rest.find('}').unwrap_or(rest.len());
            self.scanner.at = (self.scanner.at + end + 1).min(self.scanner.text.len());
            &rest[1..end.max(1)]
        } else {
            self.scanner.eat(":");
            let at = self.scanner.at;
            self.scanner.at = self.scanner.line_end();
            &self.scanner.text[at..self.scanner.at]
        };
        let text = Some(plain(text).replace('\n', " ")).filter(|text| !text.is_empty());
        match word {
            "accdescr" => self.plot.description = text,
            "title" => self.plot.title = text,
            _ => self.plot.title = self.plot.title.take().or(text),
        }
    }

    /// `A->>+B: text`
    fn message(&mut self) -> Result<(), Box<Diagnostic>> {
        let start = self.scanner.at;
        let statement = self.scanner.take_statement();
        let whole = self.scanner.since(start);
        let (ends, text) = match statement.text.find(':') {
            Some(colon) => statement.text.split_at(colon),
            None => (statement.text, ""),
        };
        let Some((at, arrow, course)) = arrow(ends) else {
            return Err(Box::new(no_arrow(statement, whole)));
        };
        let behind = &ends[at + arrow.len()..];
        let to = Piece { text: behind, at: statement.at + at + arrow.len() }.trimmed();
        let sign = to.text.chars().next().filter(|c| matches!(c, '+' | '-'));
        let skipped = usize::from(sign.is_some());
        let to = Piece { text: &to.text[skipped..], at: to.at + skipped };
        let from = bare(Piece { text: &ends[..at], at: statement.at });
        let to = bare(to);
        let (from, place) = (self.named(from, whole)?, self.named(to, whole)?);
        match sign {
            Some('+') => self.plot.participants[place].active += 1,
            Some(_) => self.deactivate(from, whole),
            None => {}
        }
        let text_at = Piece { text, at: statement.at + ends.len() };
        let number = self.number.as_mut().map(|numbers| {
            let number = numbers.next;
            numbers.next += numbers.step;
            format!("{}", (number * 100.0).round() / 100.0)
        });
        let message = Message {
            from,
            to: place,
            course,
            text: caption(Piece { text: text.trim_start_matches(':'), at: 0 }),
            number,
            whole,
            to_at: self.scanner.span_of(to),
            text_at: self.scanner.span_of(text_at),
        };
        self.branch_now().push(Item::Message(message));
        Ok(())
    }
}

/// When a participant is there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Birth {
    Always,
    Later,
}

/// A text without the `wrap:` or `nowrap:` in front of it.
fn caption(text: Piece<'_>) -> String {
    let text = text.text.trim();
    let rest = text.strip_prefix("wrap:").or_else(|| text.strip_prefix("nowrap:"));
    plain(rest.unwrap_or(text))
}

/// A name without the `()` of a central connection.
fn bare(name: Piece<'_>) -> Piece<'_> {
    let Piece { text, at } = name.trimmed();
    let front = if text.starts_with("()") { 2 } else { 0 };
    let text = &text[front..];
    Piece { text: text.strip_suffix("()").unwrap_or(text), at: at + front }.trimmed()
}

/// `A as Anna` to its halves.
fn split_alias(text: Piece<'_>) -> Option<(Piece<'_>, Piece<'_>)> {
    let halves = |cut: usize, length: usize| {
        let (head, rest) = (&text.text[..cut], &text.text[cut + length..]);
        let rest = Piece { text: rest, at: text.at + cut + length };
        (Piece { text: head, at: text.at }.trimmed(), rest.trimmed())
    };
    if text.text.starts_with("as ") {
        return Some(halves(0, 3));
    }
    text.text.find(" as ").map(|cut| halves(cut, 4))
}

/// What a kind of participant looks like.
fn look(kind: &str) -> Option<(Shape, Option<&'static str>)> {
    Some(match kind {
        "participant" => (Shape::Default, None),
        "actor" => (Shape::Default, Some("user")),
        "boundary" => (Shape::Default, Some("browser")),
        "control" => (Shape::Default, Some("cpu")),
        "entity" => (Shape::Default, Some("storage")),
        "database" => (Shape::Cylinder, Some("database")),
        "collections" => (Shape::Default, Some("layers")),
        "queue" => (Shape::Default, Some("queue")),
        _ => return None,
    })
}

/// The first arrow of a text, and where it is.
fn arrow(text: &str) -> Option<(usize, &'static str, Course)> {
    let first = |arrows: &[(&'static str, Course)]| {
        text.char_indices().find_map(|(at, _)| {
            let behind = &text[at..];
            let found = arrows.iter().find(|(arrow, _)| behind.starts_with(arrow));
            found.map(|(arrow, course)| (at, *arrow, *course))
        })
    };
    first(ARROWS).or_else(|| first(OTHER_ARROWS))
}

fn no_arrow(statement: Piece<'_>, whole: Span) -> Diagnostic {
    let word = statement.split_word().0.text;
    let message = match word.is_empty() {
        true => "this is no statement".to_owned(),
        false => format!("`{word}` begins no statement"),
    };
    Diagnostic::error("unknown-statement", message, Some(whole))
        .at("a message or a keyword is expected here")
        .help(
            "messages are `A->>B: text`; arrows are -> --> ->> -->> -x --x -) --) <<->>",
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_are_found_behind_names_with_dashes() {
        for (text, from, expected) in [
            ("A->>B", "A", "->>"),
            ("order-service-->>db-x", "order-service", "-->>"),
            ("a-x->>b", "a-x", "->>"),
            ("A-xB", "A", "-x"),
            ("A--)B", "A", "--)"),
            ("A<<-->>B", "A", "<<-->>"),
            ("A B -> C", "A B ", "->"),
        ] {
            let (at, arrow, _) = arrow(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((&text[..at], arrow), (from, expected));
        }
        assert_eq!(arrow("no arrow"), None);
    }

    #[test]
    fn an_alias_stands_behind_as() {
        let halves = |text| {
            let (head, rest) = split_alias(Piece { text, at: 0 })?;
            Some((head.text, rest.text))
        };
        assert_eq!(halves("A as Anna B"), Some(("A", "Anna B")));
        assert_eq!(halves("as Anna"), Some(("", "Anna")));
        assert_eq!(halves("Basil"), None);
    }
}
