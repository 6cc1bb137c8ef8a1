//! A plain-text rendering of diagnostics, for goldens.

use std::fmt::Write;

use topomotion_model::{Diagnostic, Severity, Span};
use topomotion_script::{Compiled, MemoryFiles, Options, Source, SourceMap, compile};

/// Compiles a text of this name, alone.
#[allow(dead_code)]
pub fn compile_text(name: &str, text: &str) -> Compiled {
    compile(&Source::new(name, text), &MemoryFiles::default(), &Options::default())
}

/// Every diagnostic as text: code, place, message, what stands there, help, fix.
#[allow(dead_code)]
pub fn render(compiled: &Compiled) -> String {
    let mut text = String::new();
    for diagnostic in &compiled.diagnostics {
        one(&mut text, diagnostic, &compiled.sources).expect("a string takes everything");
    }
    text
}

fn one(
    text: &mut String,
    diagnostic: &Diagnostic,
    sources: &SourceMap,
) -> std::fmt::Result {
    let severity = match diagnostic.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    writeln!(text, "{severity}[{}] {}", diagnostic.code, diagnostic.message)?;
    if let Some(span) = diagnostic.span {
        writeln!(text, "  {} {}", place(span, sources), diagnostic.at)?;
    }
    for label in &diagnostic.labels {
        writeln!(text, "  also {} {}", place(label.span, sources), label.text)?;
    }
    if let Some(help) = &diagnostic.help {
        writeln!(text, "  help: {help}")?;
    }
    if let Some(fix) = &diagnostic.fix {
        writeln!(text, "  fix {} with {:?}", place(fix.span, sources), fix.replacement)?;
    }
    Ok(())
}

fn place(span: Span, sources: &SourceMap) -> String {
    let name = sources.file(span.file).map_or("?", |file| &file.name);
    let at = sources.location(span).expect("a span lies in a file");
    let written = sources.text(span);
    let short: String = written.chars().take(40).collect();
    format!("{name}:{}:{} {short:?}", at.line, at.column)
}
