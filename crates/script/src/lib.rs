//! Text to topology: TypeScript, JavaScript, YAML and Mermaid.
//!
//! [`compile`] never panics and never stays silent: it gives a [`Topology`], or at least one
//! error that says where and what to do, or both a topology and warnings.
//!
//! ```text
//!   .ts .js ──► blank the types ──► run in the sandbox ──► recorded calls ─┐
//!   .yaml   ──► spanned data ───────────────────────────────────────────────┼──► builder ──► Topology
//!   .mmd    ──► statements ──► chart or plot ───────────────────────────────┘
//! ```
//!
//! It is not the builder (that is `model`) and touches nothing outside: sibling files come
//! through [`Files`], and what a script prints is handed back as [`ConsoleLine`]s.
//!
//! A script runs on a thread of its own, within the limits of [`Options`]. One that hangs in
//! a built-in is given up: its thread is left behind and its error told. A process that
//! compiles many scripts should do so in children of its own.
//!
//! The central types are [`Source`], [`Options`] and [`Compiled`]; [`SourceMap`] turns a
//! diagnostic's span into a line and a column.
//!
//! ```
//! use topomotion_script::{NoFiles, Options, Source, compile};
//!
//! let script = "
//!     const topology = new TopologyBuilder();
//!     topology.createProcess({ id: 'shop' }).createProcess({ id: 'db' });
//!     topology.connect('shop', 'bd');
//! ";
//! let compiled = compile(&Source::new("shop.ts", script), &NoFiles, &Options::default());
//! let error = &compiled.diagnostics[0];
//! let at = compiled.sources.location(error.span.unwrap()).unwrap();
//! assert_eq!(error.message, "no process has the id `bd`");
//! assert_eq!(error.help.as_deref(), Some("did you mean `db`?"));
//! assert_eq!((at.line, at.column), (4, 30));
//! ```

mod api;
mod console;
mod data;
mod failures;
mod fields;
mod files;
mod fixes;
mod import;
mod loading;
mod mermaid;
mod options;
mod places;
#[cfg(test)]
mod published;
mod replay;
mod sandbox;
mod script;
mod source;
mod source_map;
mod typescript;
mod yaml;

use std::time::Duration;

use topomotion_model::{
    Diagnostic, FileId, Severity, Span, Topology, TopologyBuilder, lint,
};

pub use console::{ConsoleLevel, ConsoleLine};
pub use files::{FileError, Files, MemoryFiles, NoFiles};
pub use import::{Imported, import};
pub use source::{LARGEST_SOURCE, Language, Source};
pub use source_map::{Location, SourceFile, SourceMap};

/// Limits on a running script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// How long it may run.
    pub time_limit: Duration,
    /// How much memory it may hold, in bytes.
    pub memory_limit: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options { time_limit: Duration::from_secs(5), memory_limit: 256 * 1024 * 1024 }
    }
}

/// What came out of a compilation.
#[derive(Debug, Clone, Default)]
pub struct Compiled {
    /// The topology, unless there was an error.
    pub topology: Option<Topology>,
    /// Errors and warnings, in the order in which they were found.
    pub diagnostics: Vec<Diagnostic>,
    /// The script and the files that it imported.
    pub sources: SourceMap,
    /// What the script printed.
    pub console: Vec<ConsoleLine>,
}

impl Compiled {
    /// Whether there is any error.
    pub fn has_errors(&self) -> bool {
        self.diagnostics.iter().any(|one| one.severity == Severity::Error)
    }
}

/// How much time has passed since some instant.
pub type Clock = fn() -> Duration;

/// On whose thread a script runs.
#[derive(Debug, Clone, Copy)]
enum Stage {
    /// On one of its own, which can be given up.
    Own,
    /// On the caller's.
    Here(Clock),
}

/// Compiles a source.
pub fn compile(source: &Source, files: &dyn Files, options: &Options) -> Compiled {
    compile_on(Stage::Own, source, files, options)
}

/// Compiles a source where there are no threads, as in a page's worker. The caller's `clock`
/// tells when the script's time is up; a script that hangs in a built-in is the caller's to end,
/// and [`given_up`] tells what is to be said of it.
pub fn compile_here(
    clock: Clock,
    source: &Source,
    files: &dyn Files,
    options: &Options,
) -> Compiled {
    compile_on(Stage::Here(clock), source, files, options)
}

/// What is to be said of a script that hung in a built-in, and had to be ended from outside.
pub fn given_up(source: &Source, files: &dyn Files, options: &Options) -> Compiled {
    let mut compiled = Compiled::default();
    if let Ok(text) = source.text(FileId(0)) {
        compiled.sources.add(&source.name, text);
        script::give_up(source, files, options, &mut compiled);
    }
    compiled
}

fn compile_on(
    stage: Stage,
    source: &Source,
    files: &dyn Files,
    options: &Options,
) -> Compiled {
    let mut compiled = Compiled::default();
    let text = match source.text(FileId(0)) {
        Ok(text) => text,
        Err(error) => {
            compiled.sources.add(&source.name, "");
            compiled.diagnostics.push(*error);
            return compiled;
        }
    };
    let is_empty = text.trim().is_empty();
    let file = compiled.sources.add(&source.name, text);
    if is_empty {
        compiled.diagnostics.push(empty(&source.name, file));
        return compiled;
    }
    let builder = match source.language {
        Language::TypeScript | Language::JavaScript => {
            script::compile(stage, source, files, options, &mut compiled)
        }
        Language::Yaml => yaml::compile(file, &mut compiled),
        Language::Mermaid => mermaid::compile(file, &mut compiled),
    };
    if let Some(builder) = builder {
        finish(builder, &mut compiled);
    }
    compiled
}

fn empty(name: &str, file: FileId) -> Diagnostic {
    let start = Some(Span { file, start: 0, end: 0 });
    Diagnostic::error("empty-source", format!("{name} is empty"), start)
        .help("begin with `const topology = new TopologyBuilder()`, or `topomotion new`")
}

/// Builds and checks the topology.
fn finish(builder: TopologyBuilder, compiled: &mut Compiled) {
    match builder.build() {
        Ok((topology, warnings)) => {
            let lints = lint::lint(&topology);
            let is_refused = lints.iter().any(|one| one.severity == Severity::Error);
            compiled.diagnostics.extend(warnings);
            compiled.diagnostics.extend(lints);
            compiled.topology = Some(topology).filter(|_| !is_refused);
        }
        Err(found) => compiled.diagnostics.extend(found),
    }
    for diagnostic in &mut compiled.diagnostics {
        fixes::settle(diagnostic, &compiled.sources);
    }
}
