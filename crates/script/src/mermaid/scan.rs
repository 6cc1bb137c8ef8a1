//! A place in the text that moves forward, and what was found on the way.
//!
//! Everything here works on bytes of the whole source, so that a span is simply where one
//! stood and where one stands.

use topomotion_model::{Diagnostic, FileId, Severity, Span};

/// No more errors than anybody reads.
const MOST_ERRORS: usize = 100;
/// No more warnings than anybody reads.
const MOST_WARNINGS: usize = 1_000;

/// How far anything looks ahead for its end, so that reading stays linear.
const FAR: usize = 16 * 1024;

/// The text, and a place in it that is always the first byte of a character.
#[derive(Debug, Clone)]
pub(super) struct Scanner<'t> {
    /// The whole source.
    pub text: &'t str,
    /// The next byte.
    pub at: usize,
    file: FileId,
}

impl<'t> Scanner<'t> {
    pub(super) fn new(text: &'t str, at: usize, file: FileId) -> Scanner<'t> {
        Scanner { text, at, file }
    }

    /// What is still to be read.
    pub(super) fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    pub(super) fn is_done(&self) -> bool {
        self.at >= self.text.len()
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        self.rest().starts_with(text)
    }

    /// Steps over `text` if it comes next.
    pub(super) fn eat(&mut self, text: &str) -> bool {
        let is_next = self.starts_with(text);
        if is_next {
            self.at += text.len();
        }
        is_next
    }

    /// Steps over as many characters as `wanted` takes.
    pub(super) fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    /// Steps over blanks; a line break stays.
    pub(super) fn skip_blanks(&mut self) {
        self.take_while(|c| c.is_whitespace() && c != '\n');
    }

    /// Steps over blanks and line breaks.
    pub(super) fn skip_space(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// The word at this place: letters, digits, `_` and `-`.
    pub(super) fn word(&self) -> &'t str {
        let rest = self.rest();
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        &rest[..rest.find(|c| !is_word(c)).unwrap_or(rest.len())]
    }

    /// What is still to be read, as far as one look reaches.
    pub(super) fn window(&self) -> &'t str {
        let rest = self.rest();
        &rest[..rest.floor_char_boundary(FAR)]
    }

    /// The end of this line, its break not included.
    pub(super) fn line_end(&self) -> usize {
        self.at + self.rest().find('\n').unwrap_or(self.rest().len())
    }

    /// Steps over the rest of the line, its break included.
    pub(super) fn skip_line(&mut self) {
        self.at = (self.line_end() + 1).min(self.text.len());
    }

    /// The rest of the statement: up to a line break, or a `;` that stands neither in quotes
    /// nor at the end of an entity.
    pub(super) fn take_statement(&mut self) -> Piece<'t> {
        let (start, line) = (self.at, self.rest());
        let mut is_quoted = false;
        let mut end = line.len();
        // The line's end is not looked for first: it may be far behind many statements.
        for (at, c) in line.char_indices() {
            match c {
                '\n' => {
                    end = at;
                    break;
                }
                '"' => is_quoted = !is_quoted,
                ';' if !is_quoted && !ends_entity(&line[..at]) => {
                    end = at;
                    break;
                }
                _ => {}
            }
        }
        self.at = start + end;
        Piece { text: &line[..end], at: start }.trimmed()
    }

    /// The stretch from `start` to this place, without blanks at its ends.
    pub(super) fn since(&self, start: usize) -> Span {
        let kept = self.text[start..self.at].trim_end().len();
        self.stretch(start, start + kept)
    }

    pub(super) fn stretch(&self, start: usize, end: usize) -> Span {
        let byte = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Span { file: self.file, start: byte(start), end: byte(end.max(start)) }
    }

    /// The character at this place; empty at the end.
    pub(super) fn here(&self) -> Span {
        let length = self.peek().filter(|c| *c != '\n').map_or(0, char::len_utf8);
        self.stretch(self.at, self.at + length)
    }

    pub(super) fn span_of(&self, piece: Piece<'_>) -> Span {
        self.stretch(piece.at, piece.at + piece.text.len())
    }
}

/// Whether a `;` behind this text ends an entity such as `#quot;` and no statement.
fn ends_entity(before: &str) -> bool {
    let name = before.rfind(['#', '&']).map(|at| &before[at + 1..]);
    name.is_some_and(|name| {
        let name = name.strip_prefix('#').unwrap_or(name);
        (1..=10).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric())
            // `#fff;` ends a colour, and with it the statement.
            && super::label::is_entity(name)
    })
}

/// A stretch of the text, and where it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'t> {
    pub text: &'t str,
    pub at: usize,
}

impl<'t> Piece<'t> {
    pub(super) fn trimmed(self) -> Piece<'t> {
        let front = self.text.len() - self.text.trim_start().len();
        Piece { text: self.text.trim(), at: self.at + front }
    }

    /// The first word, and what follows it.
    pub(super) fn split_word(self) -> (Piece<'t>, Piece<'t>) {
        let end = self.text.find(char::is_whitespace).unwrap_or(self.text.len());
        let rest = Piece { text: &self.text[end..], at: self.at + end };
        (Piece { text: &self.text[..end], at: self.at }, rest.trimmed())
    }

    /// The parts between commas that stand in no brackets.
    pub(super) fn split_commas(self) -> Vec<Piece<'t>> {
        let mut parts = Vec::new();
        let (mut start, mut depth) = (0, 0_usize);
        for (at, c) in self.text.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    parts.push((start, at));
                    start = at + 1;
                }
                _ => {}
            }
        }
        parts.push((start, self.text.len()));
        let piece = |(start, end): (usize, usize)| {
            Piece { text: &self.text[start..end], at: self.at + start }.trimmed()
        };
        parts.into_iter().map(piece).filter(|piece| !piece.text.is_empty()).collect()
    }
}

/// What is wrong, as far as anybody reads it.
#[derive(Debug, Default)]
pub(super) struct Findings {
    all: Vec<Diagnostic>,
    errors: usize,
    warnings: usize,
}

impl Findings {
    pub(super) fn add(&mut self, diagnostic: Diagnostic) {
        let (count, most) = match diagnostic.severity {
            Severity::Error => (&mut self.errors, MOST_ERRORS),
            Severity::Warning => (&mut self.warnings, MOST_WARNINGS),
        };
        *count += 1;
        if *count <= most {
            self.all.push(diagnostic);
        }
    }

    /// The warning that something is not carried over.
    pub(super) fn lost(&mut self, what: &str, why: &str, span: Span) {
        self.add(
            Diagnostic::warning(
                "not-imported",
                format!("{what} is not imported"),
                Some(span),
            )
            .at("left out")
            .help(why),
        );
    }

    /// Whether there are so many errors that reading on helps nobody.
    pub(super) fn is_hopeless(&self) -> bool {
        self.errors > MOST_ERRORS
    }

    /// Everything that is told, with a word about what is not.
    pub(super) fn into_all(mut self) -> Vec<Diagnostic> {
        let more = self.warnings.saturating_sub(MOST_WARNINGS);
        if more > 0 {
            let message = format!("{more} more warnings are not shown");
            self.all.push(Diagnostic::warning("too-many-warnings", message, None));
        }
        if self.is_hopeless() {
            let message = format!("more than {MOST_ERRORS} errors; the rest is not read");
            self.all.push(Diagnostic::error("too-many-errors", message, None));
        }
        self.all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scanner(text: &str) -> Scanner<'_> {
        Scanner::new(text, 0, FileId(0))
    }

    #[test]
    fn a_statement_ends_at_a_semicolon_that_ends_nothing_else() {
        for (text, statement) in [
            ("a b ; c", "a b"),
            ("a \"x;y\"; c", "a \"x;y\""),
            ("a #quot;b#35;; c", "a #quot;b#35;"),
            ("fill:#fff;stroke:red", "fill:#fff"),
            ("a\nb", "a"),
        ] {
            assert_eq!(scanner(text).take_statement().text, statement, "{text}");
        }
    }

    #[test]
    fn commas_in_brackets_part_nothing() {
        let piece = Piece { text: "fill:rgb(1,2,3), stroke:red,", at: 0 };
        let parts: Vec<&str> =
            piece.split_commas().iter().map(|part| part.text).collect();
        assert_eq!(parts, ["fill:rgb(1,2,3)", "stroke:red"]);
    }

    #[test]
    fn what_is_not_shown_is_counted() {
        let mut findings = Findings::default();
        let span = scanner("x").here();
        for _ in 0..1_002 {
            findings.lost("`click`", "why", span);
        }
        let all = findings.into_all();
        assert_eq!(all.len(), 1_001);
        assert_eq!(all[1_000].message, "2 more warnings are not shown");
    }
}
