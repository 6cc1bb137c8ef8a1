//! Makes a proposed change of the text fit the text.
//!
//! The builder proposes ids; the script wrote them in quotes, or as an expression, which a
//! change must not touch.

use topomotion_model::{Diagnostic, Fix, Span};

use crate::source_map::SourceMap;

/// Shrinks a fix to the inside of quotes, and drops one whose place is no plain text.
pub(crate) fn settle(diagnostic: &mut Diagnostic, sources: &SourceMap) {
    let Some(fix) = diagnostic.fix.take() else { return };
    let written = sources.text(fix.span);
    let inner = ['\'', '"', '`'].iter().find_map(|quote| {
        written.strip_prefix(*quote)?.strip_suffix(*quote).filter(|_| written.len() >= 2)
    });
    let (span, inner) = match inner {
        Some(inner) => {
            let Span { file, start, end } = fix.span;
            (Span { file, start: start + 1, end: end - 1 }, inner)
        }
        None => (fix.span, written),
    };
    // What is replaced must be the very word that the message is about.
    let is_word = !inner.is_empty() && diagnostic.message.contains(&format!("`{inner}`"));
    diagnostic.fix = is_word.then_some(Fix { span, replacement: fix.replacement });
}
