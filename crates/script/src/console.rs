//! What a script printed with `console.log` and its like.

use topomotion_model::Span;

/// One call of `console.log`, `info`, `debug`, `warn` or `error`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleLine {
    /// How loud.
    pub level: ConsoleLevel,
    /// The arguments as text, a space between two; may hold line breaks.
    pub text: String,
    /// The call.
    pub span: Option<Span>,
}

/// How loud a console line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsoleLevel {
    /// `log`, `info`, `debug`.
    Log,
    /// `warn`.
    Warning,
    /// `error`.
    Error,
}
