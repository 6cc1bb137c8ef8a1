//! TypeScript and JavaScript as text: parsed, its types blanked out, its calls listed.
//!
//! Everything that is only TypeScript becomes spaces, so that every offset, line and column
//! of the JavaScript that runs is that of the script. This folder is the only place that
//! knows the parser's types: its releases break weekly, and a break must stop here.
//!
//! It is not a type checker: `const n: number = 'a'` runs.

mod blanks;
mod calls;
mod depth;
mod modules;
mod strip;
mod syntax;
#[cfg(test)]
mod tests;

use std::ops::Range;

use oxc_allocator::Allocator;
use oxc_ast_visit::Visit;
use oxc_parser::{ParseOptions, Parser};
use oxc_span::SourceType;
use topomotion_model::{Diagnostic, FileId, Span};

pub(crate) use depth::{Levels, on_deep_stack};

/// A script, ready to run.
#[derive(Debug, Default)]
pub(crate) struct Module {
    /// JavaScript of the very length of the script.
    pub code: String,
    /// Every call that is written in it.
    pub calls: Vec<CallSite>,
    /// Every loop that is written in it.
    pub loops: Vec<Loop>,
    /// Every function that is written in it.
    pub functions: Vec<Range<u32>>,
    /// What it imports.
    pub imports: Vec<Import>,
    /// What it exports.
    pub exports: Exports,
    /// Whatever is wrong with it.
    pub diagnostics: Vec<Diagnostic>,
}

/// One call, or one `new`, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CallSite {
    /// The method's or function's own name: `connect` of `topology.connect(…)`.
    pub name: String,
    /// Where that name stands.
    pub name_at: Range<u32>,
    /// From the name to the closing parenthesis.
    pub range: Range<u32>,
    /// The arguments.
    pub arguments: Vec<Written>,
}

/// A loop, as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Loop {
    /// Its head.
    pub at: Range<u32>,
    /// The innermost function around it.
    pub function: Option<Range<u32>>,
    /// Whether nothing but a `break` or an error ends it: `while (true)`, `for (;;)`.
    pub is_endless: bool,
}

/// An expression, as far as places inside it matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Written {
    /// The expression.
    pub range: Range<u32>,
    /// What is known about its inside.
    pub form: Form,
}

/// What is known about the inside of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// `{ key: value, … }`: names, where they stand, and their values.
    Object(Vec<(String, Range<u32>, Written)>),
    /// `[a, b]`, without spreads.
    List(Vec<Written>),
    /// `...more`: from here on, places of arguments are unknown.
    Spread,
    /// Anything else.
    Other,
}

/// One import.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    /// What is imported from.
    pub from: String,
    /// Where that is written, quotes included.
    pub from_at: Range<u32>,
    /// Which names are taken.
    pub names: Vec<ImportedName>,
    /// How it is written.
    pub form: ImportForm,
}

/// How an import is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ImportForm {
    /// `import … from 'x'`, and `export … from 'x'` as well.
    Statement,
    /// `import('x')`
    Call,
}

/// One imported name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ImportedName {
    /// What the other file calls it; `*` for all of it, `default` for its default.
    pub imported: String,
    /// What it is called here.
    pub local: String,
    /// Where it is written.
    pub at: Range<u32>,
}

/// What a file exports.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Exports {
    /// Names that have a value.
    pub values: Vec<String>,
    /// Names that are types only.
    pub types: Vec<String>,
    /// Whether there is an `export * from`, so that more names may exist.
    pub has_star: bool,
}

impl Module {
    /// Blanks one name of an import, and the comma behind it.
    pub(crate) fn blank_import(&mut self, at: &Range<u32>) {
        let mut blanks = blanks::Blanks::new(&self.code);
        blanks.blank(at.clone());
        blanks.blank_mark(at.end, b',');
        self.code = blanks.finish();
    }
}

/// Which language a file is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    TypeScript,
    JavaScript,
}

/// Whether a file is the script itself, or one that it imports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The body of an async function; its imports are taken out of it.
    Script,
    /// A module of its own; its imports stay where they are.
    Sibling,
}

/// Reads a file. Wants a stack with room for these levels.
pub(crate) fn read(
    text: &str,
    file: FileId,
    dialect: Dialect,
    part: Part,
    levels: Levels,
) -> Module {
    if let Some(error) = depth::too_deep(text, file, levels) {
        return Module { diagnostics: vec![error], ..Module::default() };
    }
    let allocator = Allocator::default();
    let source_type = match dialect {
        Dialect::TypeScript => SourceType::ts(),
        Dialect::JavaScript => SourceType::mjs(),
    };
    let options = ParseOptions {
        allow_return_outside_function: part == Part::Script,
        ..ParseOptions::default()
    };
    let parsed = Parser::new(&allocator, text, source_type).with_options(options).parse();
    let mut errors = syntax::errors(&parsed, text, file);
    if !errors.is_empty() {
        let later = syntax::later_errors(&errors, text, file, source_type, options);
        errors.extend(later);
        let diagnostics = match dialect {
            Dialect::JavaScript => syntax::hint_at_types(errors, text, &allocator),
            Dialect::TypeScript => errors,
        };
        return Module { diagnostics, ..Module::default() };
    }
    let mut stripper = strip::Stripper::new(text, file, part);
    stripper.visit_program(&parsed.program);
    stripper.into_module()
}

/// The parser's span as ours.
fn span(file: FileId, range: &Range<u32>) -> Span {
    Span { file, start: range.start, end: range.end }
}

/// The parser's span as a range.
fn range(span: oxc_span::Span) -> Range<u32> {
    span.start..span.end
}
