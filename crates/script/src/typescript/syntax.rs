//! The parser's syntax errors in our words' form.

use oxc_allocator::Allocator;
use oxc_parser::{ParseOptions, Parser, ParserReturn};
use oxc_span::SourceType;
use topomotion_model::{Diagnostic, FileId, Span};

/// More syntax errors than this are echoes of the first.
const MOST_ERRORS: usize = 10;

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
