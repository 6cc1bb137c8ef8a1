//! The script's bytes, with stretches of them turned into spaces.

use std::collections::BTreeMap;
use std::ops::Range;

/// A text in which stretches are blanked: bytes become spaces, line breaks stay.
#[derive(Debug)]
pub(super) struct Blanks<'a> {
    text: &'a str,
    bytes: Vec<u8>,
    /// Start of each blanked stretch, by its end.
    starts: BTreeMap<u32, u32>,
}

impl<'a> Blanks<'a> {
    pub(super) fn new(text: &'a str) -> Blanks<'a> {
        Blanks { text, bytes: text.as_bytes().to_vec(), starts: BTreeMap::new() }
    }

    /// The text as it was.
    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// Turns a stretch into spaces.
    pub(super) fn blank(&mut self, range: Range<u32>) {
        if range.is_empty() {
            return;
        }
        for byte in &mut self.bytes[range.start as usize..range.end as usize] {
            if !matches!(*byte, b'\n' | b'\r') {
                *byte = b' ';
            }
        }
        self.starts.insert(range.end, range.start);
    }

    /// Turns a statement into an empty one: the semicolon keeps what stands before it from
    /// running on into what stands behind it.
    pub(super) fn blank_statement(&mut self, range: Range<u32>) {
        let start = range.start;
        self.blank(range);
        self.put(start, b';');
    }

    /// Writes one byte over a stretch that is blank.
    pub(super) fn put(&mut self, at: u32, byte: u8) {
        self.bytes[at as usize] = byte;
    }

    /// Ends a statement that ended by its line break alone, if its last stretch is blank now:
    /// `x as T` and a bracket on the next line would run together otherwise.
    pub(super) fn end_statement(&mut self, end: u32) {
        if let Some(start) = self.starts.get(&end) {
            self.bytes[*start as usize] = b';';
        }
    }

    /// Whether a stretch of the text holds a line break.
    pub(super) fn breaks_line(&self, range: Range<u32>) -> bool {
        self.text[range.start as usize..range.end as usize].contains('\n')
    }

    /// Where the next token begins, at or behind `at`: past spaces and comments.
    pub(super) fn next_token(&self, at: u32) -> u32 {
        let mut at = at as usize;
        loop {
            let rest = &self.text[at..];
            let trimmed = rest.trim_start();
            at += rest.len() - trimmed.len();
            let comment = if trimmed.starts_with("//") {
                trimmed.find('\n')
            } else if trimmed.starts_with("/*") {
                trimmed.find("*/").map(|end| end + 2)
            } else {
                return at as u32;
            };
            at += comment.unwrap_or(trimmed.len());
        }
    }

    /// Blanks the next token, if it is this one character; gives the place behind it.
    pub(super) fn blank_mark(&mut self, at: u32, mark: u8) -> Option<u32> {
        let at = self.next_token(at);
        let found = self.text.as_bytes().get(at as usize) == Some(&mark);
        found.then(|| {
            self.blank(at..at + 1);
            at + 1
        })
    }

    /// The text with its blanks.
    pub(super) fn finish(self) -> String {
        // Whole tokens were blanked, so no character was cut; if one was, it is shown as such.
        String::from_utf8(self.bytes).unwrap_or_else(|error| {
            String::from_utf8_lossy(error.as_bytes()).into_owned()
        })
    }
}
