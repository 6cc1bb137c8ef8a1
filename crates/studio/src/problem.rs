//! What is wrong with a script, as a page shows it.

use std::collections::BTreeSet;

use serde::Serialize;
use topomotion_model::{Diagnostic, Severity};
use topomotion_script::SourceMap;

/// Something that is wrong or doubtful, at a place or nowhere in particular.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// From 1; 0 if it has no place in the script.
    pub line: u32,
    /// From 1, in characters.
    pub column: u32,
    /// `error` or `warning`.
    pub severity: &'static str,
    /// Its kind.
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

impl Problem {
    /// A diagnostic, at its place in the script.
    pub fn of(diagnostic: &Diagnostic, sources: &SourceMap) -> Problem {
        let at = diagnostic.span.and_then(|span| sources.location(span));
        Problem {
            line: at.map_or(0, |at| at.line),
            column: at.map_or(0, |at| at.column),
            severity: match diagnostic.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            code: diagnostic.code,
            message: diagnostic.message.clone(),
            help: diagnostic.help.clone().unwrap_or_default(),
        }
    }

    /// One that has no place.
    pub fn nowhere(message: impl Into<String>, help: Option<String>) -> Problem {
        Problem {
            line: 0,
            column: 0,
            severity: "error",
            code: "undrawn",
            message: message.into(),
            help: help.unwrap_or_default(),
        }
    }

    /// Whether nothing can be drawn because of it.
    pub fn is_error(&self) -> bool {
        self.severity == "error"
    }
}

/// The diagnostics that say something new: what a loop of the script does wrong with each turn is
/// told once.
pub fn fresh(diagnostics: &[Diagnostic]) -> impl Iterator<Item = &Diagnostic> {
    let mut told = BTreeSet::new();
    diagnostics.iter().filter(move |it| {
        it.span.is_none() || told.insert((it.code, it.span, it.message.as_str()))
    })
}
