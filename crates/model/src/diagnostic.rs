//! The one form in which mistakes are told: what is wrong, where, and what to do.
//!
//! A diagnostic is data. Rendering it (with the source line and a caret, or as JSON) is the
//! command line's business.

use serde::Serialize;

/// A source file's number within one compilation; the compiler keeps the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct FileId(pub u32);

/// A stretch of one source file, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Span {
    /// Which file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// Where the script said something: the whole call, and its parts by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Origin {
    /// The whole call or mapping.
    pub whole: Option<Span>,
    /// Arguments and options by name (`target`, `replicationFactor`, …).
    pub parts: Vec<(String, Span)>,
}

impl Origin {
    /// The part's own place, or else that of the whole.
    pub fn part(&self, name: &str) -> Option<Span> {
        let part = self.parts.iter().find(|(part, _)| part == name);
        part.map(|(_, span)| *span).or(self.whole)
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Nothing is drawn.
    Error,
    /// Drawn all the same.
    Warning,
}

/// A further place that belongs to the story.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What is there, lower case: `a similar id is defined here`.
    pub text: String,
}

/// A change of the text that would mend it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fix {
    /// What to replace.
    pub span: Span,
    /// With what.
    pub replacement: String,
}

/// One mistake, or one doubt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Diagnostic {
    /// The rule's name, kebab case: `unknown-process`.
    pub code: &'static str,
    /// How bad.
    pub severity: Severity,
    /// What is wrong, lower case, without a full stop.
    pub message: String,
    /// Where; `None` when no place in the text is to blame.
    pub span: Option<Span>,
    /// What to say right at the place.
    pub at: String,
    /// Other places.
    pub labels: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// How to mend it, when that is known.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// An error at `span`.
    pub fn error(
        code: &'static str,
        message: impl Into<String>,
        span: Option<Span>,
    ) -> Diagnostic {
        Diagnostic {
            code,
            severity: Severity::Error,
            message: message.into(),
            span,
            at: String::new(),
            labels: Vec::new(),
            help: None,
            fix: None,
        }
    }

    /// A warning at `span`.
    pub fn warning(
        code: &'static str,
        message: impl Into<String>,
        span: Option<Span>,
    ) -> Diagnostic {
        Diagnostic {
            severity: Severity::Warning,
            ..Diagnostic::error(code, message, span)
        }
    }

    /// Adds what to say right at the place.
    pub fn at(mut self, text: impl Into<String>) -> Diagnostic {
        self.at = text.into();
        self
    }

    /// Adds what to do.
    pub fn help(mut self, text: impl Into<String>) -> Diagnostic {
        self.help = Some(text.into());
        self
    }

    /// Adds another place.
    pub fn label(mut self, span: Option<Span>, text: impl Into<String>) -> Diagnostic {
        self.labels.extend(span.map(|span| Label { span, text: text.into() }));
        self
    }

    /// Adds a mend for the text at `span`.
    pub fn fix(
        mut self,
        span: Option<Span>,
        replacement: impl Into<String>,
    ) -> Diagnostic {
        self.fix = span.map(|span| Fix { span, replacement: replacement.into() });
        self
    }
}
