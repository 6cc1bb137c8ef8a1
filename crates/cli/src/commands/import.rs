//! `topomotion import`: a Mermaid diagram in, a YAML script with the same picture out.

use std::path::Path;

use topomotion_script::{Language, Source, import};

use crate::args::{Import, Told};
use crate::failure::Failure;
use crate::input::Script;
use crate::output::Draft;
use crate::report::Report;
use crate::terminal::{Terminal, print};

/// Imports.
pub fn run(arguments: &Import, terminal: &Terminal) -> Result<(), Failure> {
    let report = Report::new(terminal, Told::Text, &arguments.strictness);
    let Script { source, path, .. } = Script::read(&arguments.diagram)?;
    // What comes through standard input has no name that could tell.
    let source = match path {
        None => Source { language: Language::Mermaid, ..source },
        Some(_) => source,
    };
    let imported = import(&source);
    let compiled = &imported.compiled;
    report.expect_none(&source.name, &compiled.sources, &compiled.diagnostics)?;
    report.verdict()?;
    let yaml = imported.yaml.ok_or(Failure::Told)?;
    if arguments.output == "-" {
        return print(&yaml);
    }
    let mut draft = Draft::begin(Path::new(&arguments.output))?;
    draft.fill(yaml.as_bytes())?;
    draft.commit()
}
