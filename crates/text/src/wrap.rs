//! Lines of limited width: wrapping and shortening.
//!
//! A line ends at a space if it can. A word that no line could hold is cut where a reader
//! would cut an identifier (after `-` `_` `.` `/` `:` `,`, at a camelCase hump, between
//! ideographs), and only a piece that still does not fit is cut between its characters.
//! Lines are filled greedily, and every step goes forward: the time is linear in the
//! text.
//!
//! White space is normalised as SVG and HTML do it: runs become one space, lines begin
//! and end without any. `\n` always breaks. Nothing but white space is dropped, unless
//! the result says that it was shortened.

use crate::characters::{is_space, is_wide, never_begins, never_ends};
use crate::face::Face;
use crate::glyphs::Glyphs;
use crate::measure::to_px;
use crate::metrics::{self, Metrics};

/// What ends a line that had to be shortened.
const ELLIPSIS: char = '…';

/// A text in lines.
#[derive(Debug, Clone, PartialEq)]
pub struct Wrapped {
    /// The lines, without spaces around them.
    pub lines: Vec<String>,
    /// Width in px of the widest line.
    pub width: f64,
    /// Whether something was left out; the last line, if there may be one, ends with `…`.
    pub shortened: bool,
}

/// Wraps `text` at `size` px to lines of at most `max_width` px, and at most `max_lines`.
///
/// A line is wider than `max_width` only where a single visible sign is. Text of nothing
/// but white space has no lines.
pub fn wrap(
    face: Face,
    size: f64,
    text: &str,
    max_width: f64,
    max_lines: usize,
) -> Wrapped {
    let mut page = Page::new(face, size, max_width, max_lines);
    let text = text.trim_matches(is_space);
    let mut rest = (!text.is_empty()).then_some(text);
    while let Some(paragraphs) = rest {
        let (first, others) = match paragraphs.split_once('\n') {
            Some((first, others)) => (first, Some(others)),
            None => (paragraphs, None),
        };
        if !page.set(&Paragraph::new(page.metrics, first), others.is_some()) {
            break;
        }
        rest = others;
    }
    let width = to_px(page.metrics, size, page.widest);
    Wrapped { lines: page.lines, width, shortened: page.shortened }
}

/// Shortens `text` to one line of at most `max_width` px, ending with `…` if it had to.
pub fn ellipsize(face: Face, size: f64, text: &str, max_width: f64) -> String {
    let page = Page::new(face, size, max_width, 1);
    let line = Paragraph::new(page.metrics, text);
    if page.fits(line.width(0, line.end())) {
        return line.text;
    }
    page.shorten(&line, 0).0
}

/// The lines so far, and what limits them.
struct Page {
    metrics: &'static Metrics,
    size: f64,
    max_width: f64,
    max_lines: usize,
    lines: Vec<String>,
    widest: i64,
    shortened: bool,
}

impl Page {
    fn new(face: Face, size: f64, max_width: f64, max_lines: usize) -> Self {
        Page {
            metrics: metrics::of(face),
            size,
            max_width,
            max_lines,
            lines: Vec::new(),
            widest: 0,
            shortened: false,
        }
    }

    /// The same arithmetic as `width`, so that a box made to measure holds its text.
    fn fits(&self, units: i64) -> bool {
        to_px(self.metrics, self.size, units) <= self.max_width
    }

    fn push(&mut self, line: String, units: i64) {
        self.lines.push(line);
        self.widest = self.widest.max(units);
    }

    /// Sets one paragraph; `false` when the page is full and something was left out.
    fn set(&mut self, paragraph: &Paragraph, more_follows: bool) -> bool {
        let mut start = 0;
        loop {
            if self.lines.len() >= self.max_lines {
                self.shortened = true;
                return false;
            }
            let stop = self.line_end(paragraph, start);
            let next = paragraph.skip_space(stop);
            let rest = next < paragraph.end() || more_follows;
            if rest && self.lines.len() + 1 == self.max_lines {
                let (line, units) = self.shorten(paragraph, start);
                self.push(line, units);
                self.shortened = true;
                return false;
            }
            let line = paragraph.slice(start, stop).to_owned();
            self.push(line, paragraph.width(start, stop));
            if next >= paragraph.end() {
                return true;
            }
            start = next;
        }
    }

    /// Where the line that begins at `start` ends.
    fn line_end(&self, paragraph: &Paragraph, start: usize) -> usize {
        let mut fitting = start + 1;
        while fitting < paragraph.end() && self.fits(paragraph.width(start, fitting + 1))
        {
            fitting += 1;
        }
        if fitting >= paragraph.end() {
            return paragraph.end();
        }
        let space = (start + 1..=fitting).rev().find(|&at| paragraph.is_space(at));
        let word = space.map_or(start, |space| space + 1);
        if space.is_some() && self.fits(paragraph.width(word, paragraph.word_end(word))) {
            return space.unwrap_or(fitting);
        }
        let soft = (word + 1..=fitting).rev().find(|&at| paragraph.may_cut(at));
        soft.or(space).unwrap_or(fitting)
    }

    /// The text from `start` on as one line that fits together with an ellipsis.
    fn shorten(&self, paragraph: &Paragraph, start: usize) -> (String, i64) {
        let dots = self.metrics.glyph(ELLIPSIS).unwrap_or_default();
        let with_dots = |stop: usize| {
            let row = if stop > start { paragraph.clusters[stop - 1].row } else { 0 };
            let kerning = self.metrics.kerning(row, dots.column);
            paragraph.width(start, stop) + i64::from(kerning) + i64::from(dots.advance)
        };
        let mut best = start;
        for stop in start + 1..=paragraph.end() {
            if !self.fits(paragraph.width(start, stop)) {
                break;
            }
            if !paragraph.is_space(stop - 1) && self.fits(with_dots(stop)) {
                best = stop;
            }
        }
        (format!("{}{ELLIPSIS}", paragraph.slice(start, best)), with_dots(best))
    }
}

/// A paragraph with its white space normalised, cut into clusters: what a reader sees as
/// one sign and no line may split.
struct Paragraph {
    text: String,
    clusters: Vec<Cluster>,
    /// Width of all clusters, kerning included.
    total: i64,
}

struct Cluster {
    /// Where it begins in the text.
    at: usize,
    /// Width of everything before it.
    left: i64,
    /// Kerning towards the cluster before: gone when a line begins here.
    kerning: i64,
    /// Kerning class towards what follows.
    row: u8,
    /// The cluster at which its word ends; for a space, its own index.
    word_end: usize,
    /// Whether a word that is too long may be cut before this cluster.
    cut: bool,
}

impl Paragraph {
    fn new(metrics: &'static Metrics, text: &str) -> Self {
        let text = normalise(text);
        let mut clusters: Vec<Cluster> = Vec::with_capacity(text.len());
        let mut total = 0;
        for glyph in Glyphs::new(metrics, &text) {
            let kerning = i64::from(glyph.kerning);
            match clusters.last_mut() {
                Some(last) if glyph.joined => last.row = glyph.row,
                _ => clusters.push(Cluster {
                    at: glyph.at,
                    left: total,
                    kerning,
                    row: glyph.row,
                    word_end: 0,
                    cut: false,
                }),
            }
            total += i64::from(glyph.advance) + kerning;
        }
        let mut paragraph = Paragraph { text, clusters, total };
        paragraph.find_words();
        paragraph
    }

    /// Notes where words end and where they may be cut.
    fn find_words(&mut self) {
        let mut word_end = self.end();
        for at in (0..self.end()).rev() {
            if self.is_space(at) {
                word_end = at;
            }
            self.clusters[at].word_end = word_end;
        }
        for at in 1..self.end() {
            self.clusters[at].cut = !self.is_space(at - 1)
                && !self.is_space(at)
                && (self.after_separator(at)
                    || self.at_hump(at)
                    || self.at_ideograph(at));
        }
    }

    /// After a separator and before the next part; not after one that leads the word.
    fn after_separator(&self, at: usize) -> bool {
        let separates =
            |at: usize| matches!(self.base(at), '-' | '_' | '.' | '/' | ':' | ',');
        separates(at - 1) && !separates(at) && at >= 2 && !self.is_space(at - 2)
    }

    /// Before the capital of `orderProducer` or the last one of `HTTPServer`.
    fn at_hump(&self, at: usize) -> bool {
        let follows = self.clusters[at].word_end - at;
        if at < 2 || self.is_space(at - 2) || follows < 2 || !self.base(at).is_uppercase()
        {
            return false;
        }
        let before = self.base(at - 1);
        before.is_lowercase() || before.is_uppercase() && self.base(at + 1).is_lowercase()
    }

    /// Beside an ideograph, unless punctuation clings to it.
    fn at_ideograph(&self, at: usize) -> bool {
        let (before, after) = (self.base(at - 1), self.base(at));
        (is_wide(before) || is_wide(after)) && !never_ends(before) && !never_begins(after)
    }

    fn end(&self) -> usize {
        self.clusters.len()
    }

    fn at(&self, index: usize) -> usize {
        self.clusters.get(index).map_or(self.text.len(), |cluster| cluster.at)
    }

    /// The first character of a cluster.
    fn base(&self, index: usize) -> char {
        self.text[self.at(index)..].chars().next().unwrap_or(' ')
    }

    fn is_space(&self, index: usize) -> bool {
        index < self.end() && self.slice(index, index + 1) == " "
    }

    fn may_cut(&self, index: usize) -> bool {
        self.clusters[index].cut
    }

    fn word_end(&self, index: usize) -> usize {
        self.clusters.get(index).map_or(index, |cluster| cluster.word_end)
    }

    fn skip_space(&self, index: usize) -> usize {
        if self.is_space(index) { index + 1 } else { index }
    }

    fn slice(&self, start: usize, stop: usize) -> &str {
        &self.text[self.at(start)..self.at(stop)]
    }

    /// Width of the clusters from `start` up to `stop` as a line of their own.
    fn width(&self, start: usize, stop: usize) -> i64 {
        let right = self.clusters.get(stop).map_or(self.total, |cluster| cluster.left);
        match self.clusters.get(start) {
            Some(first) if start < stop => right - first.left - first.kerning,
            _ => 0,
        }
    }
}

/// The text with runs of white space made one space, and none around it.
fn normalise(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for word in text.split(is_space).filter(|word| !word.is_empty()) {
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::width;

    fn lines(text: &str, max_width: f64) -> Vec<String> {
        // Six px a letter, so that a width counts letters.
        wrap(Face::Mono, 10.0, text, max_width * 6.0, usize::MAX).lines
    }

    #[test]
    fn a_line_ends_at_a_space_if_it_can() {
        assert_eq!(lines("one two three", 8.0), ["one two", "three"]);
        assert_eq!(lines("one two three", 7.0), ["one two", "three"]);
        assert_eq!(lines("one two three", 6.0), ["one", "two", "three"]);
    }

    #[test]
    fn a_word_that_fits_a_line_is_not_cut() {
        assert_eq!(lines("a order-producer", 14.0), ["a", "order-producer"]);
    }

    #[test]
    fn an_identifier_is_cut_after_its_separators() {
        assert_eq!(lines("order-events_v2.avro", 8.0), ["order-", "events_", "v2.avro"]);
        assert_eq!(
            lines("http://host:9092/path", 9.0),
            ["http://", "host:", "9092/path"]
        );
        assert_eq!(lines("my order-producer", 9.0), ["my order-", "producer"]);
    }

    #[test]
    fn an_identifier_is_cut_at_its_humps() {
        assert_eq!(lines("orderEventProducer", 10.0), ["orderEvent", "Producer"]);
        assert_eq!(lines("HTTPServerFactory", 10.0), ["HTTPServer", "Factory"]);
        assert_eq!(lines("HTTPServer", 9.0), ["HTTP", "Server"]);
    }

    #[test]
    fn a_word_is_cut_between_letters_as_a_last_resort() {
        assert_eq!(lines("abcdefgh", 3.0), ["abc", "def", "gh"]);
        assert_eq!(lines("a abcdefghi b", 3.0), ["a", "abc", "def", "ghi", "b"]);
        assert_eq!(lines("abc", 0.0), ["a", "b", "c"]);
    }

    #[test]
    fn line_breaks_stay_and_spaces_collapse() {
        assert_eq!(lines(" a\t b \n\n c \n", 9.0), ["a b", "", "c"]);
        assert_eq!(lines("a\r\nb", 9.0), ["a", "b"]);
        assert!(lines("", 9.0).is_empty() && lines(" \n ", 9.0).is_empty());
        assert_eq!(lines("a\u{A0}b c", 3.0), ["a\u{A0}b", "c"]);
    }

    #[test]
    fn ideographs_part_anywhere_but_before_closing_punctuation() {
        assert_eq!(lines("分散系統。図", 7.0), ["分散系", "統。図"]);
        assert_eq!(lines("分散系。図", 6.0), ["分散", "系。図"]);
    }

    #[test]
    fn signs_of_many_characters_stay_together() {
        assert_eq!(lines("👩\u{200D}👧👩\u{200D}👧", 1.0).len(), 2);
        assert_eq!(
            lines("q\u{301}\u{302}q\u{301}", 1.0),
            ["q\u{301}\u{302}", "q\u{301}"]
        );
        assert_eq!(lines("🇩🇪🇫🇷", 1.0), ["🇩🇪", "🇫🇷"]);
    }

    #[test]
    fn a_mark_after_a_space_begins_its_line() {
        assert_eq!(lines("a \u{301}b c", 2.0), ["a", "\u{301}b", "c"]);
    }

    #[test]
    fn past_the_last_line_an_ellipsis_says_so() {
        let size = 10.0;
        let page = wrap(Face::Mono, size, "one two three four", 42.0, 2);
        assert_eq!(
            (page.lines, page.shortened),
            (vec!["one two".into(), "three…".into()], true)
        );
        let page = wrap(Face::Mono, size, "one\ntwo\nthree", 42.0, 2);
        assert_eq!(page.lines, ["one", "two…"]);
        let page = wrap(Face::Mono, size, "one two", 42.0, 1);
        assert_eq!((page.lines, page.shortened), (vec!["one two".into()], false));
        let page = wrap(Face::Mono, size, "one", 42.0, 0);
        assert_eq!((page.lines, page.shortened), (vec![], true));
    }

    #[test]
    fn a_shortened_line_still_fits() {
        assert_eq!(ellipsize(Face::Mono, 10.0, "broker-1", 48.0), "broker-1");
        assert_eq!(ellipsize(Face::Mono, 10.0, "broker-10", 48.0), "broker-…");
        assert_eq!(ellipsize(Face::Mono, 10.0, "a b c", 18.0), "a…");
        assert_eq!(ellipsize(Face::Mono, 10.0, "abc", 1.0), "…");
        assert_eq!(ellipsize(Face::Mono, 10.0, "", 1.0), "");
    }

    #[test]
    fn a_box_made_to_measure_holds_its_text() {
        for text in ["AVATAR To. VAT", "orders-0 → broker-1", "Type P."] {
            let room = width(Face::SemiBold, 13.0, text);
            assert_eq!(wrap(Face::SemiBold, 13.0, text, room, 9).lines, [text]);
        }
    }

    #[test]
    fn a_width_that_is_no_number_cuts_everywhere_and_does_not_hang() {
        assert_eq!(wrap(Face::Mono, 10.0, "ab", f64::NAN, 9).lines, ["a", "b"]);
    }
}
