//! The parser's syntax errors in our words' form.

use oxc_allocator::Allocator;
use oxc_parser::{ParseOptions, Parser, ParserReturn};
use oxc_span::SourceType;
use topomotion_model::{Diagnostic, FileId, Span};

/// More syntax errors than this are echoes of the first.
const MOST_ERRORS: usize = 10;
/// Larger texts are not read again for a second error.
const LARGEST_REREAD: usize = 256 * 1024;

pub(super) fn errors(
    parsed: &ParserReturn<'_>,
    text: &str,
    file: FileId,
) -> Vec<Diagnostic> {
    let errors = parsed.diagnostics.iter().take(MOST_ERRORS).map(|error| {
        let places: Vec<(Span, String)> = (error.labels.iter())
            .map(|label| {
                let start = (label.offset() as usize).min(text.len()) as u32;
                let end = start + label.len();
                let said = label.label().unwrap_or_default().to_owned();
                (Span { file, start, end: end.min(text.len() as u32) }, said)
            })
            .collect();
        let mut places = places.into_iter();
        let (span, at) = match places.next() {
            Some((span, at)) => (span, at),
            None => (
                Span { file, start: text.len() as u32, end: text.len() as u32 },
                String::new(),
            ),
        };
        let diagnostic = Diagnostic::error("syntax", lower(&error.message), Some(span));
        let diagnostic = match &error.help {
            Some(help) => diagnostic.help(lower(help)),
            None => diagnostic,
        };
        places.fold(diagnostic.at(lower(&at)), |diagnostic, (span, said)| {
            let said = if said.is_empty() { "here".to_owned() } else { lower(&said) };
            diagnostic.label(Some(span), said)
        })
    });
    errors.collect()
}

/// Errors behind the first one, which stops the parser: its line is blanked, and the rest read
/// again. What only echoes the blanked line (a bracket too many, the end of the text) is
/// dropped.
pub(super) fn later_errors(
    first: &[Diagnostic],
    text: &str,
    file: FileId,
    source_type: SourceType,
    options: ParseOptions,
) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = Vec::new();
    let mut rest = text.to_owned();
    let mut last = first.last().and_then(|error| error.span);
    for _ in 0..MOST_ERRORS {
        let Some(at) = last.filter(|_| text.len() <= LARGEST_REREAD) else { break };
        rest = without_line(&rest, at.start);
        let allocator = Allocator::default();
        let parsed =
            Parser::new(&allocator, &rest, source_type).with_options(options).parse();
        let errors = errors(&parsed, &rest, file).into_iter();
        let is_new = |error: &Diagnostic| {
            error.span.is_some_and(|span| {
                let there = &rest[span.start as usize..];
                span.start > at.start
                    && !there.starts_with(['}', ')', ']'])
                    && !there.is_empty()
            })
        };
        let new: Vec<Diagnostic> = errors.filter(is_new).collect();
        last = new.last().and_then(|error| error.span);
        found.extend(new);
    }
    found
}

fn without_line(text: &str, at: u32) -> String {
    let at = text.floor_char_boundary(at as usize);
    let start = text[..at].rfind('\n').map_or(0, |line_break| line_break + 1);
    let end = text[at..].find('\n').map_or(text.len(), |line_break| at + line_break);
    let blank = " ".repeat(end - start);
    format!("{}{blank}{}", &text[..start], &text[end..])
}

/// Says so, if a JavaScript file fails only because it is TypeScript.
pub(super) fn hint_at_types(
    errors: Vec<Diagnostic>,
    text: &str,
    allocator: &Allocator,
) -> Vec<Diagnostic> {
    let options =
        ParseOptions { allow_return_outside_function: true, ..ParseOptions::default() };
    let parser = Parser::new(allocator, text, SourceType::ts()).with_options(options);
    if !parser.parse().diagnostics.is_empty() {
        return errors;
    }
    let hint = "types are TypeScript: name the file `.ts`";
    errors.into_iter().map(|error| error.help(hint)).collect()
}

/// The parser begins its messages with a capital; ours begin without.
fn lower(message: &str) -> String {
    let message = message.trim_end_matches('.');
    let mut chars = message.chars();
    match (chars.next(), chars.next()) {
        // Two capitals are an abbreviation, which stays.
        (Some(first), Some(second)) if !second.is_uppercase() => {
            first.to_lowercase().chain([second]).chain(chars).collect()
        }
        _ => message.to_owned(),
    }
}
