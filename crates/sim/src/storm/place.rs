//! Where in a run file a line of a list stands, so that a mistake is told with its place.

use super::{List, Misread};
use crate::ClusterPlan;

/// A mistake in a run file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Line, from 1.
    pub line: usize,
    /// Column, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

/// The first line of a list in this text that cannot be what is meant.
pub(crate) fn check_list(
    text: &str,
    list: List,
    plan: Option<&ClusterPlan>,
) -> Result<(), Mistake> {
    let mut after_ms = 0;
    for (offset, line) in lines_of(text, list.key()) {
        match list.check(&line, plan, after_ms) {
            Ok(at_ms) => after_ms = at_ms,
            Err(misread) => return Err(mistake(text, offset, misread)),
        }
    }
    Ok(())
}

fn mistake(text: &str, offset: usize, misread: Misread) -> Mistake {
    let before = &text[..offset];
    let line = before.matches('\n').count() + 1;
    let begun = before.rfind('\n').map_or(0, |newline| newline + 1);
    let column = before[begun..].chars().count() + misread.column + 1;
    Mistake { line, column, message: misread.message }
}

/// The strings of the list under this key, each with its offset behind the opening quote.
/// Stops where the text is no list of strings: that is the JSON reader's to tell.
fn lines_of(text: &str, key: &str) -> Vec<(usize, String)> {
    let quoted = format!("\"{key}\"");
    let Some(start) = text.find(&quoted) else { return Vec::new() };
    let mut found = Vec::new();
    let mut at = start + quoted.len();
    let bytes = text.as_bytes();
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b' ' | b'\n' | b'\r' | b'\t' | b':' | b'[' | b',' => {}
            b'"' => {
                let Some(length) = string_length(&bytes[at..]) else { break };
                let quoted = &text[at - 1..=at + length];
                let Ok(line) = serde_json::from_str::<String>(quoted) else { break };
                found.push((at, line));
                at += length + 1;
            }
            _ => break,
        }
    }
    found
}

/// Bytes up to the closing quote.
fn string_length(bytes: &[u8]) -> Option<usize> {
    let mut escaped = false;
    bytes.iter().position(|&byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}
