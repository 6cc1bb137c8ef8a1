//! Standard error and standard output: colours where a person looks, none elsewhere.

use std::io::{self, IsTerminal, Write};

use clap::ValueEnum;

use crate::failure::Failure;

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// Whether messages are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// With escape sequences.
    Colored,
    /// Text alone.
    Plain,
}

/// Where messages and progress go.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// Of messages on standard error.
    pub style: Style,
    /// Whether a person watches standard error.
    pub is_watched: bool,
}

impl Terminal {
    /// What standard error is, and what was asked for.
    pub fn new(choice: ColorChoice) -> Terminal {
        let is_watched = io::stderr().is_terminal();
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
        let is_dumb = std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        let colored = match choice {
            ColorChoice::Auto => is_watched && !is_set("NO_COLOR") && !is_dumb,
            ColorChoice::Always => true,
            ColorChoice::Never => false,
        };
        let style = if colored { Style::Colored } else { Style::Plain };
        Terminal { style, is_watched }
    }

    /// A line for people. That it cannot be written is nothing to stop for.
    pub fn say(&self, text: &str) {
        let _ = writeln!(io::stderr(), "{text}");
    }

    /// What is not as it should be, and what to do.
    pub fn warning(&self, text: &str, help: Option<&str>) {
        let text = visible(text);
        self.say(&match self.style {
            Style::Colored => format!("\x1b[1;33mwarning\x1b[0m\x1b[1m: {text}\x1b[0m"),
            Style::Plain => format!("warning: {text}"),
        });
        if let Some(help) = help {
            self.say(&format!("   = help: {}", visible(help)));
        }
    }

    /// What is wrong, and what to do.
    pub fn error(&self, text: &str, help: Option<&str>) {
        let text = visible(text);
        self.say(&match self.style {
            Style::Colored => format!("\x1b[1;31merror\x1b[0m\x1b[1m: {text}\x1b[0m"),
            Style::Plain => format!("error: {text}"),
        });
        if let Some(help) = help {
            self.say(&format!("   = help: {}", visible(help)));
        }
    }
}

/// Text without what would steer a terminal.
pub fn visible(text: &str) -> String {
    let harmless =
        |c: char| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c };
    text.chars().map(harmless).collect()
}

/// Writes a result to standard output.
pub fn print(text: &str) -> Result<(), Failure> {
    print_bytes(text.as_bytes())
}

/// Writes a result to standard output.
pub fn print_bytes(bytes: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(|error| match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::Unread,
        _ => Failure::message(format!("cannot write to standard output: {error}")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scripts_words_cannot_steer_the_terminal() {
        assert_eq!(visible("a\x1b[2Jb\r\nc\td"), "a\u{fffd}[2Jb\u{fffd}\nc\td");
    }
}
