//! The stripper: turns whatever is only TypeScript into spaces.
//!
//! Where the spaces alone would change the meaning, it writes one character into them: a
//! semicolon behind a statement that ended by its line break, a parenthesis where a type
//! that spans lines stood before an arrow. TypeScript that makes code (`enum`, `namespace`,
//! parameter properties, …) cannot be blanked; each is an error that says what to write
//! instead.
//!
//! This file holds what the walk does to the text; `visit` says where it does it.

mod visit;

use std::ops::Range;

use oxc_ast::ast;
use oxc_span::GetSpan;
use topomotion_model::{Diagnostic, FileId};

use super::blanks::Blanks;
use super::{CallSite, Exports, Import, Loop, Module, Part};
use super::{modules, range, span};

pub(super) struct Stripper<'a> {
    blanks: Blanks<'a>,
    file: FileId,
    part: Part,
    calls: Vec<CallSite>,
    loops: Vec<Loop>,
    functions: Vec<Range<u32>>,
    /// The functions around the place at hand, innermost last.
    around: Vec<Range<u32>>,
    imports: Vec<Import>,
    exports: Exports,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Stripper<'a> {
    pub(super) fn new(text: &'a str, file: FileId, part: Part) -> Stripper<'a> {
        Stripper {
            blanks: Blanks::new(text),
            file,
            part,
            calls: Vec::new(),
            loops: Vec::new(),
            functions: Vec::new(),
            around: Vec::new(),
            imports: Vec::new(),
            exports: Exports::default(),
            diagnostics: Vec::new(),
        }
    }

    pub(super) fn into_module(self) -> Module {
        Module {
            code: self.blanks.finish(),
            calls: self.calls,
            loops: self.loops,
            functions: self.functions,
            imports: self.imports,
            exports: self.exports,
            diagnostics: self.diagnostics,
        }
    }

    fn refuse(&mut self, what: &str, place: oxc_span::Span, help: &str) {
        let message = format!("{what} cannot be used in a script");
        self.diagnostics.push(
            Diagnostic::error(
                "unsupported-syntax",
                message,
                Some(span(self.file, &range(place))),
            )
            .at("types are erased, nothing is generated")
            .help(help),
        );
    }

    /// Blanks from the end of what stays to the end of the whole.
    fn blank_tail(&mut self, kept: oxc_span::Span, whole: oxc_span::Span) {
        self.blanks.blank(kept.end..whole.end);
    }

    /// Blanks these words between two places, where only words and comments stand.
    fn blank_words(&mut self, within: Range<u32>, words: &[&str]) -> Option<u32> {
        let text = &self.blanks.text()[within.start as usize..within.end as usize];
        let mut first = None;
        let mut from = 0;
        while let Some(start) = text[from..].find(|c: char| c.is_alphabetic()) {
            let start = from + start;
            let rest = &text[start..];
            let len = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            from = start + len;
            if words.contains(&&rest[..len]) {
                let at = within.start + start as u32;
                self.blanks.blank(at..at + len as u32);
                first = first.or(Some(at));
            }
        }
        first
    }

    fn enter_function(&mut self, function: oxc_span::Span) {
        self.functions.push(range(function));
        self.around.push(range(function));
    }

    fn note_loop(&mut self, head: Range<u32>, is_endless: bool) {
        let text = &self.blanks.text()[head.start as usize..head.end as usize];
        let at = head.start..head.start + text.trim_end().len() as u32;
        let function = self.around.last().cloned();
        self.loops.push(Loop { at, function, is_endless });
    }

    /// The end of a statement: see [`Blanks::end_statement`].
    fn end_statement(&mut self, whole: oxc_span::Span) {
        self.blanks.end_statement(whole.end);
    }

    /// `<T>{ … }` at the head of a statement or of an arrow's body would become a block.
    fn check_head(&mut self, expression: &ast::Expression<'_>) {
        let ast::Expression::TSTypeAssertion(assertion) = expression else { return };
        let start = assertion.expression.span().start as usize;
        if self.blanks.text()[start..].starts_with('{') {
            self.refuse(
                "a type assertion before `{`",
                assertion.span,
                "write `({ … } as T)`",
            );
        }
    }

    /// A type parameter list that spans lines must not separate `async` or `return` from the
    /// parenthesis behind it: the parenthesis moves to where the list began.
    fn pull_parenthesis(&mut self, types: oxc_span::Span, params: oxc_span::Span) {
        if self.blanks.breaks_line(types.start..params.start) {
            self.blanks.blank(types.start..params.start + 1);
            self.blanks.put(types.start, b'(');
        }
    }

    /// A return type that spans lines must not separate the parenthesis from `=>`: the
    /// parenthesis moves to where the type ended.
    fn push_parenthesis(&mut self, params: oxc_span::Span, types: oxc_span::Span) {
        let close = params.end - 1;
        if self.blanks.breaks_line(close..types.end) {
            self.blanks.blank(close..types.end);
            self.blanks.put(types.end - 1, b')');
        }
    }

    /// Blanks a specifier of a list, and the comma behind it.
    fn blank_item(&mut self, item: oxc_span::Span) {
        self.blanks.blank(range(item));
        self.blanks.blank_mark(item.end, b',');
    }

    fn modifiers(
        &mut self,
        element: oxc_span::Span,
        key: oxc_span::Span,
        decorators: usize,
    ) {
        if decorators > 0 {
            return;
        }
        let words =
            ["public", "private", "protected", "readonly", "override", "abstract"];
        let first = self.blank_words(element.start..key.start, &words);
        // `a = 1` and `public *b()` on the next line would run together without the word.
        if first == Some(element.start) {
            self.blanks.put(element.start, b';');
        }
    }

    fn specifiers(&mut self, specifiers: &[ast::ExportSpecifier<'_>]) {
        modules::exported_specifiers(specifiers, &mut self.exports);
        for specifier in specifiers {
            if specifier.export_kind.is_type() {
                self.blank_item(specifier.span);
            }
        }
    }
}
