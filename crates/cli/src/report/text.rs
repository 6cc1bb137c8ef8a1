//! A diagnostic for people: the place first, then the line itself, then what to do.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};
use topomotion_model::{Diagnostic, FileId, Severity, Span};
use topomotion_script::{SourceFile, SourceMap};

use crate::terminal::{Style, visible};

/// The diagnostic as text, without a line break at the end.
pub fn render(
    name: &str,
    sources: &SourceMap,
    diagnostic: &Diagnostic,
    style: Style,
) -> String {
    let mut text = headline(name, sources, diagnostic, style);
    let mut groups: Vec<Group<'_>> = Vec::new();
    if let Some(main) = main_snippet(sources, diagnostic) {
        groups.push(main);
    }
    let fix = fix_snippet(sources, diagnostic);
    let help = diagnostic.help.as_deref().map(visible);
    match (fix, help) {
        (Some(fix), help) => {
            let title = help.unwrap_or_else(|| "write it like this".into());
            groups.push(Level::HELP.secondary_title(title).element(fix));
        }
        (None, Some(help)) => match groups.pop() {
            Some(main) => groups.push(main.element(Level::HELP.message(help))),
            None => text.push_str(&format!("\n   = help: {help}")),
        },
        (None, None) => {}
    }
    if !groups.is_empty() {
        let renderer = match style {
            Style::Colored => Renderer::styled(),
            Style::Plain => Renderer::plain(),
        };
        text.push('\n');
        text.push_str(&renderer.render(&groups));
        text.push('\n');
    }
    text
}

/// `kafka.ts:63:29: error[unknown-process]: no process is called …`
fn headline(
    name: &str,
    sources: &SourceMap,
    diagnostic: &Diagnostic,
    style: Style,
) -> String {
    let located = diagnostic.span.and_then(|span| {
        let at = sources.location(span)?;
        Some(format!("{}:{}:{}", sources.file(span.file)?.name, at.line, at.column))
    });
    let place = visible(&located.unwrap_or_else(|| name.to_owned()));
    let (word, color) = match diagnostic.severity {
        Severity::Error => ("error", "31"),
        Severity::Warning => ("warning", "33"),
    };
    let (code, message) = (diagnostic.code, visible(&diagnostic.message));
    match style {
        Style::Plain => format!("{place}: {word}[{code}]: {message}"),
        Style::Colored => format!(
            "\x1b[1m{place}: \x1b[{color}m{word}[{code}]\x1b[0m\x1b[1m: {message}\x1b[0m"
        ),
    }
}

fn main_snippet<'a>(
    sources: &'a SourceMap,
    diagnostic: &'a Diagnostic,
) -> Option<Group<'a>> {
    let span = diagnostic.span?;
    let file = sources.file(span.file).filter(|file| !file.text.is_empty())?;
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let primary = AnnotationKind::Primary.span(range(file, span));
    let mut snippet =
        Snippet::source(&file.text).annotation(primary.label(visible(&diagnostic.at)));
    for label in diagnostic.labels.iter().filter(|label| label.span.file == span.file) {
        let context = AnnotationKind::Context.span(range(file, label.span));
        snippet = snippet.annotation(context.label(visible(&label.text)));
    }
    let mut group = Group::with_level(level).element(snippet);
    for (id, others) in elsewhere(diagnostic, span.file) {
        let Some(file) = sources.file(id).filter(|file| !file.text.is_empty()) else {
            continue;
        };
        let mut snippet = Snippet::source(&file.text).path(&file.name);
        for (span, text) in others {
            let context = AnnotationKind::Context.span(range(file, span));
            snippet = snippet.annotation(context.label(visible(text)));
        }
        group = group.element(snippet);
    }
    Some(group)
}

/// Labels in other files, file by file.
fn elsewhere(diagnostic: &Diagnostic, own: FileId) -> Vec<(FileId, Vec<(Span, &str)>)> {
    let mut files: Vec<(FileId, Vec<(Span, &str)>)> = Vec::new();
    for label in diagnostic.labels.iter().filter(|label| label.span.file != own) {
        let entry = (label.span, label.text.as_str());
        match files.iter_mut().find(|(file, _)| *file == label.span.file) {
            Some((_, labels)) => labels.push(entry),
            None => files.push((label.span.file, vec![entry])),
        }
    }
    files
}

fn fix_snippet<'a>(
    sources: &'a SourceMap,
    diagnostic: &'a Diagnostic,
) -> Option<Snippet<'a, Patch<'a>>> {
    let fix = diagnostic.fix.as_ref()?;
    let file = sources.file(fix.span.file).filter(|file| !file.text.is_empty())?;
    let patch = Patch::new(range(file, fix.span), visible(&fix.replacement));
    Some(Snippet::source(&file.text).patch(patch))
}

/// The bytes of a span, moved to whole characters within the file.
fn range(file: &SourceFile, span: Span) -> Range<usize> {
    let start = file.text.floor_char_boundary(span.start as usize);
    let end = file.text.floor_char_boundary(span.end as usize);
    start..end.max(start)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(text: &str) -> SourceMap {
        let mut sources = SourceMap::default();
        sources.add("kafka.ts", text);
        sources
    }

    fn span(start: u32, end: u32) -> Span {
        Span { file: FileId(0), start, end }
    }

    fn plain(sources: &SourceMap, diagnostic: &Diagnostic) -> String {
        render("kafka.ts", sources, diagnostic, Style::Plain)
    }

    #[test]
    fn the_place_comes_first_then_the_line_then_the_mend() {
        let sources = sources("const a = 1;\nt.connect('web', 'brokr-1');\n");
        let at = span(30, 39);
        let diagnostic = Diagnostic::error(
            "unknown-process",
            "no process is called `brokr-1`",
            Some(at),
        )
        .at("no process has this id")
        .label(Some(span(23, 28)), "dialled from here")
        .help("did you mean `broker-1`?")
        .fix(Some(at), "'broker-1'");
        let text = plain(&sources, &diagnostic);
        let expected = "\
kafka.ts:2:18: error[unknown-process]: no process is called `brokr-1`
  |
2 | t.connect('web', 'brokr-1');
  |           -----  ^^^^^^^^^ no process has this id
  |           |
  |           dialled from here
  |
help: did you mean `broker-1`?
  |
2 | t.connect('web', 'broker-1');
  |                       +
";
        assert_eq!(text.trim_end(), expected.trim_end(), "\n{text}");
    }

    #[test]
    fn without_a_place_the_scripts_name_comes_first() {
        let diagnostic = Diagnostic::error("empty", "the script is empty", None)
            .help("write a topology, or begin with `topomotion new`");
        let text = plain(&sources(""), &diagnostic);
        assert_eq!(
            text,
            "kafka.ts: error[empty]: the script is empty\n   = help: write a topology, \
             or begin with `topomotion new`"
        );
    }

    #[test]
    fn spans_beyond_the_text_or_within_a_character_do_no_harm() {
        let sources = sources("ö");
        for (start, end) in [(0, 99), (1, 1), (99, 99), (2, 1), (0, 0)] {
            let diagnostic = Diagnostic::error("x", "y", Some(span(start, end)))
                .label(Some(span(end, start)), "z")
                .fix(Some(span(start, end)), "w");
            assert!(plain(&sources, &diagnostic).starts_with("kafka.ts:1:"));
        }
    }

    #[test]
    fn a_scripts_own_words_cannot_steer_the_terminal() {
        let sources = sources("a\x1b[2Jb");
        let diagnostic = Diagnostic::error("x", "\x1b[2J", Some(span(0, 1)));
        assert!(!plain(&sources, &diagnostic).contains('\x1b'));
    }
}
