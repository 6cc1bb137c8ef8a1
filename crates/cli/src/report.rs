//! Diagnostics, told: to people as they are found, to machines in the end.

mod json;
mod text;

use std::cell::RefCell;

use topomotion_model::{Diagnostic, Severity};
use topomotion_script::SourceMap;

use crate::args::{Strictness, Told};
use crate::failure::Failure;
use crate::terminal::Terminal;

pub use json::Finding;

/// Tells diagnostics and counts them.
#[derive(Debug)]
pub struct Report<'t> {
    terminal: &'t Terminal,
    told: Told,
    denies_warnings: bool,
    count: RefCell<Count>,
}

/// What has been told so far.
#[derive(Debug, Default)]
struct Count {
    errors: usize,
    warnings: usize,
    findings: Vec<Finding>,
}

impl<'t> Report<'t> {
    /// Nothing has been told yet.
    pub fn new(
        terminal: &'t Terminal,
        told: Told,
        strictness: &Strictness,
    ) -> Report<'t> {
        let denies_warnings = strictness.deny_warnings;
        Report { terminal, told, denies_warnings, count: RefCell::default() }
    }

    /// Tells what was found in a script called `name`. What a loop of the script does wrong
    /// with each turn is told once.
    pub fn tell(&self, name: &str, sources: &SourceMap, diagnostics: &[Diagnostic]) {
        for diagnostic in topomotion_studio::fresh(diagnostics) {
            let mut count = self.count.borrow_mut();
            match diagnostic.severity {
                Severity::Error => count.errors += 1,
                Severity::Warning => count.warnings += 1,
            }
            match self.told {
                Told::Text => {
                    let text =
                        text::render(name, sources, diagnostic, self.terminal.style);
                    self.terminal.say(&text);
                }
                Told::Json => {
                    count.findings.push(Finding::new(name, sources, diagnostic));
                }
            }
        }
    }

    /// Tells, and fails if any of it is an error.
    pub fn expect_none(
        &self,
        name: &str,
        sources: &SourceMap,
        diagnostics: &[Diagnostic],
    ) -> Result<(), Failure> {
        self.tell(name, sources, diagnostics);
        let is_error = |one: &Diagnostic| one.severity == Severity::Error;
        if diagnostics.iter().any(is_error) { Err(Failure::Told) } else { Ok(()) }
    }

    /// Fails if there was an error, or a warning where none is allowed.
    pub fn verdict(&self) -> Result<(), Failure> {
        let count = self.count.borrow();
        if count.errors > 0 {
            return Err(Failure::Told);
        }
        if count.warnings > 0 && self.denies_warnings {
            return match self.told {
                Told::Text => {
                    Err(Failure::message("warnings are denied (--deny-warnings)"))
                }
                Told::Json => Err(Failure::Told),
            };
        }
        Ok(())
    }

    /// `2 errors, 1 warning`; nothing if there was neither.
    pub fn summary(&self) -> Option<String> {
        let count = self.count.borrow();
        let many = |number: usize, one: &str| match number {
            0 => None,
            1 => Some(format!("1 {one}")),
            more => Some(format!("{more} {one}s")),
        };
        let parts = [many(count.errors, "error"), many(count.warnings, "warning")];
        let parts: Vec<String> = parts.into_iter().flatten().collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }

    /// What was told, for machines.
    pub fn into_findings(self) -> Vec<Finding> {
        self.count.into_inner().findings
    }

    /// The only thing that is still to be told, from a thread that then ends the process.
    pub fn last_word(
        terminal: &Terminal,
        told: Told,
        name: &str,
        diagnostic: &Diagnostic,
    ) {
        let sources = SourceMap::default();
        terminal.say(&text::render(name, &sources, diagnostic, terminal.style));
        if told == Told::Json {
            let findings = [Finding::new(name, &sources, diagnostic)];
            let json = serde_json::json!({ "diagnostics": findings });
            // That nobody reads it changes nothing any more.
            let _ = crate::terminal::print(&format!("{json}\n"));
        }
    }

    /// The terminal that it tells to.
    pub fn terminal(&self) -> &'t Terminal {
        self.terminal
    }

    /// To whom it tells.
    pub fn told(&self) -> Told {
        self.told
    }
}
