//! The files of one compilation, and how byte offsets in them become lines and columns.

use topomotion_model::{FileId, Span};

/// The files of one compilation; [`FileId`] is the place in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SourceMap {
    files: Vec<SourceFile>,
}

/// One file of a compilation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// What messages call it.
    pub name: String,
    /// Its text.
    pub text: String,
    /// First byte of each line.
    lines: Vec<u32>,
}

/// A place as people and editors count it. Lines and columns begin at 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// The line.
    pub line: u32,
    /// The column, in characters.
    pub column: u32,
    /// The column in UTF-16 units, as editors and JavaScript count.
    pub column_utf16: u32,
}

impl SourceMap {
    /// Adds a file.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let (name, text) = (name.into(), text.into());
        let after_breaks = text.bytes().zip(1..).filter(|(byte, _)| *byte == b'\n');
        let lines =
            std::iter::once(0).chain(after_breaks.map(|(_, next)| next)).collect();
        self.files.push(SourceFile { name, text, lines });
        FileId(self.files.len() as u32 - 1)
    }

    /// Every file, the script itself first.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// The file with this id.
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// The file with this name.
    pub fn named(&self, name: &str) -> Option<FileId> {
        let place = self.files.iter().position(|file| file.name == name)?;
        Some(FileId(place as u32))
    }

    /// The text of a span; empty if there is no such stretch.
    pub fn text(&self, span: Span) -> &str {
        let file = self.file(span.file);
        let stretch = span.start as usize..span.end as usize;
        file.and_then(|file| file.text.get(stretch)).unwrap_or_default()
    }

    /// Where a span begins.
    pub fn location(&self, span: Span) -> Option<Location> {
        Some(self.file(span.file)?.location(span.start))
    }
}

impl SourceFile {
    /// Line and column of a byte. One past the end is the end; the middle of a character is
    /// that character.
    pub fn location(&self, byte: u32) -> Location {
        let byte = self.text.floor_char_boundary(byte as usize);
        let line = self.lines.partition_point(|start| *start as usize <= byte) - 1;
        let before = &self.text[self.lines[line] as usize..byte];
        Location {
            line: line as u32 + 1,
            column: before.chars().count() as u32 + 1,
            column_utf16: before.encode_utf16().count() as u32 + 1,
        }
    }

    /// The text of a line (from 1), without its line break.
    pub fn line(&self, line: u32) -> &str {
        let Some(index) = line.checked_sub(1) else { return "" };
        let Some(start) = self.lines.get(index as usize) else { return "" };
        let end =
            self.lines.get(index as usize + 1).map_or(self.text.len(), |n| *n as usize);
        self.text[*start as usize..end].trim_end_matches(['\n', '\r'])
    }

    /// The byte at a line and a column in characters, both from 1; past a line's end is its
    /// end, past the last line is the end of the text.
    pub fn byte(&self, line: u32, column: u32) -> u32 {
        let text = self.line(line);
        let Some(start) = line.checked_sub(1).and_then(|i| self.lines.get(i as usize))
        else {
            return if line == 0 { 0 } else { self.text.len() as u32 };
        };
        let skipped = column.saturating_sub(1) as usize;
        let within =
            text.char_indices().nth(skipped).map_or(text.len(), |(byte, _)| byte);
        start + within as u32
    }
}

impl SourceFile {
    /// The byte at a line and a column in bytes, both from 1; line 0 is the whole text.
    pub(crate) fn byte_at(&self, line: u32, column: u32) -> u32 {
        let start = self.byte(line, 1);
        let within = (column.saturating_sub(1) as usize).min(self.line(line).len());
        self.text.floor_char_boundary(start as usize + within) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> SourceFile {
        let mut map = SourceMap::default();
        map.add("a.ts", text);
        map.files.remove(0)
    }

    #[test]
    fn columns_count_characters_and_utf16_units() {
        let file = file("a\nö😀b\n");
        let at = file.location(8);
        assert_eq!((at.line, at.column, at.column_utf16), (2, 3, 4));
    }

    #[test]
    fn the_middle_of_a_character_is_that_character() {
        assert_eq!(file("ö").location(1).column, 1);
        assert_eq!(file("ö").location(99).column, 2);
    }

    #[test]
    fn lines_and_columns_lead_back_to_the_byte() {
        let file = file("a\r\nö😀b\n\nc");
        for byte in [0, 3, 5, 9, 11, 12, 13] {
            let at = file.location(byte);
            assert_eq!(file.byte(at.line, at.column), byte, "{at:?}");
        }
        assert_eq!(file.byte(1, 99), 1);
        assert_eq!(file.byte(99, 1), 13);
        assert_eq!(file.line(1), "a");
    }
}
