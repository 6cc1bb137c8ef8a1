//! A diagnostic for machines.

use serde::Serialize;
use topomotion_model::{Diagnostic, Severity, Span};
use topomotion_script::SourceMap;

/// One diagnostic, its places counted as editors do: lines and columns (in characters) from 1.
#[derive(Debug, Serialize)]
pub struct Finding {
    file: String,
    line: Option<u32>,
    column: Option<u32>,
    end_line: Option<u32>,
    end_column: Option<u32>,
    code: &'static str,
    severity: Severity,
    message: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    fix: Option<Replacement>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    labels: Vec<Mention>,
}

/// A stretch of text and what mends it.
#[derive(Debug, Serialize)]
struct Replacement {
    file: String,
    start: u32,
    end: u32,
    replacement: String,
}

/// Another place that belongs to it.
#[derive(Debug, Serialize)]
struct Mention {
    file: String,
    line: Option<u32>,
    column: Option<u32>,
    text: String,
}

impl Finding {
    /// What `diagnostic` says of the script called `name`.
    pub fn new(name: &str, sources: &SourceMap, diagnostic: &Diagnostic) -> Finding {
        let file = |span: Option<Span>| {
            let file = span.and_then(|span| sources.file(span.file));
            file.map_or_else(|| name.to_owned(), |file| file.name.clone())
        };
        let place = |span: Span| sources.location(span).map(|at| (at.line, at.column));
        let start = diagnostic.span.and_then(place);
        let end = diagnostic.span.map(|span| Span { start: span.end, ..span });
        let end = end.and_then(place);
        Finding {
            file: file(diagnostic.span),
            line: start.map(|at| at.0),
            column: start.map(|at| at.1),
            end_line: end.map(|at| at.0),
            end_column: end.map(|at| at.1),
            code: diagnostic.code,
            severity: diagnostic.severity,
            message: diagnostic.message.clone(),
            at: diagnostic.at.clone(),
            help: diagnostic.help.clone(),
            fix: diagnostic.fix.as_ref().map(|fix| Replacement {
                file: file(Some(fix.span)),
                start: fix.span.start,
                end: fix.span.end,
                replacement: fix.replacement.clone(),
            }),
            labels: (diagnostic.labels.iter())
                .map(|label| Mention {
                    file: file(Some(label.span)),
                    line: place(label.span).map(|at| at.0),
                    column: place(label.span).map(|at| at.1),
                    text: label.text.clone(),
                })
                .collect(),
        }
    }
}
