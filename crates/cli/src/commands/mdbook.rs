//! `topomotion mdbook`: the preprocessor that turns a book's ```` ```topomotion ```` blocks into players.
//!
//! mdBook runs it with the book as JSON on standard input and reads the book from standard output. Nothing
//! else is needed: the film stands in the page, and so does the player, once a chapter.

use std::io::{Read, Write};
use std::process::{Command, Stdio};
use std::thread;

use serde_json::Value;

use crate::args::Mdbook;
use crate::failure::Failure;
use crate::terminal::{Terminal, print};

/// Draws the blocks of a book, or says whether a renderer can show them.
pub fn run(arguments: &Mdbook, terminal: &Terminal) -> Result<(), Failure> {
    match arguments.words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => book(terminal),
        ["supports", "html"] => Ok(()),
        // mdBook asks; no is an answer, not a mistake to be told.
        ["supports", _] => Err(Failure::Told),
        _ => Err(Failure::usage("mdBook calls this by itself").help(
            "add to book.toml: [preprocessor.topomotion] command = \"topomotion mdbook\"",
        )),
    }
}

fn book(terminal: &Terminal) -> Result<(), Failure> {
    let mut text = String::new();
    let read = std::io::stdin().lock().read_to_string(&mut text);
    read.map_err(|error| Failure::message(format!("cannot read the book: {error}")))?;
    let not_a_book = || {
        Failure::message("standard input is not a book")
            .help("mdBook calls this by itself")
    };
    let parsed: Value = serde_json::from_str(&text).map_err(|_| not_a_book())?;
    let Value::Array(parts) = parsed else { return Err(not_a_book()) };
    let Ok([_, mut book]) = <[Value; 2]>::try_from(parts) else {
        return Err(not_a_book());
    };
    let mut mistakes = 0;
    chapters(&mut book, &mut |path, content| {
        let (drawn, wrong) = chapter(content, &draw);
        for mistake in &wrong {
            let line = mistake.line;
            terminal.say(&format!("{path}:{line}: topomotion: {}", mistake.text.trim()));
        }
        mistakes += wrong.len();
        drawn
    });
    if mistakes > 0 { Err(Failure::Told) } else { print(&book.to_string()) }
}

/// Replaces the content of every chapter, wherever the book keeps them.
fn chapters(value: &mut Value, replace: &mut impl FnMut(&str, &str) -> String) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(|one| chapters(one, replace)),
        Value::Object(fields) => {
            if let Some(Value::Object(chapter)) = fields.get_mut("Chapter") {
                let path = chapter.get("path").and_then(Value::as_str).unwrap_or("?");
                let path = path.to_owned();
                if let Some(Value::String(content)) = chapter.get_mut("content") {
                    *content = replace(&path, content);
                }
            }
            fields.values_mut().for_each(|one| chapters(one, replace));
        }
        _ => {}
    }
}

/// A block that cannot be drawn.
#[derive(Debug, PartialEq, Eq)]
struct Mistake {
    /// In the chapter, from 1.
    line: usize,
    text: String,
}

/// Makes a block's player, or says what is wrong and in which of its lines, from 1.
type Draw<'d> = dyn Fn(&str, &str) -> Result<String, (usize, String)> + 'd;

/// The chapter with players for blocks.
fn chapter(content: &str, draw: &Draw<'_>) -> (String, Vec<Mistake>) {
    let (mut out, mut wrong, mut players) = (String::new(), Vec::new(), 0);
    let mut lines = content.lines().enumerate();
    while let Some((number, line)) = lines.next() {
        let Some((fence, info)) = fence(line) else {
            out.push_str(line);
            out.push('\n');
            continue;
        };
        let mut code = String::new();
        let mut end = "";
        for (_, line) in lines.by_ref() {
            if line.trim() == fence {
                end = line;
                break;
            }
            code.push_str(line);
            code.push('\n');
        }
        let Some(meta) = ours(info) else {
            out.push_str(&format!("{line}\n{code}{end}\n"));
            continue;
        };
        match draw(&code, meta) {
            Ok(player) => {
                players += 1;
                out.push_str(&format!("\n{player}\n\n"));
            }
            Err((inner, text)) => {
                wrong.push(Mistake { line: number + 1 + inner, text });
            }
        }
    }
    if players > 0 {
        let player = topomotion_viewer::player().replace("</script", "<\\/script");
        out.push_str(&format!("\n<script type=\"module\">{player}</script>\n"));
    }
    (out, wrong)
}

/// The fence that ends a block which begins with this line, and what stands behind it.
fn fence(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
    let info = line.trim_start_matches(mark);
    let length = line.len() - info.len();
    // Code within a line of text may begin with three marks, too.
    (length >= 3 && !info.contains('`')).then(|| (&line[..length], info.trim()))
}

/// What stands behind the language, if it is ours.
fn ours(info: &str) -> Option<&str> {
    let rest = info.strip_prefix("topomotion")?;
    let is_word = rest.is_empty() || rest.starts_with([' ', ',']);
    is_word.then(|| rest.trim_matches([' ', ',']))
}

/// A player for a script, drawn by a run of this very program.
fn draw(code: &str, meta: &str) -> Result<String, (usize, String)> {
    let scenario = meta.split([' ', ',']).find_map(|word| word.strip_prefix("scenario="));
    let wishes: Vec<&str> = scenario.iter().flat_map(|id| ["--scenario", id]).collect();
    let film = render(code, "bundle", &wishes)?;
    let still = render(code, "svg", &["--still"])?;
    // Markdown leaves what begins with such a tag alone, up to an empty line.
    let still = still.replace("\n\n", "\n");
    let film = film.trim().replace('<', "\\u003c");
    Ok(format!(
        "<topomotion-viewer controls loading=\"lazy\">\n{still}\n<script type=\"application/json\">{film}</script>\n</topomotion-viewer>"
    ))
}

fn render(code: &str, format: &str, wishes: &[&str]) -> Result<String, (usize, String)> {
    let failed = |error: std::io::Error| (0, format!("cannot draw: {error}"));
    let mut child = Command::new(std::env::current_exe().map_err(failed)?)
        .args(["--color=never", "render", "-", "-o", "-", "--format", format])
        .args(wishes)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    let (input, code) = (child.stdin.take(), code.to_owned());
    // Whoever does not read it all says why.
    let writes = thread::spawn(move || input.map(|mut to| to.write_all(code.as_bytes())));
    let output = child.wait_with_output().map_err(failed)?;
    let _ = writes.join();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.success() {
        true => Ok(String::from_utf8_lossy(&output.stdout).into_owned()),
        false => Err((line_of(&told), told)),
    }
}

/// The line of the first mistake: `<stdin>:3:9: error`.
fn line_of(told: &str) -> usize {
    let places = told.lines().filter(|line| line.contains(": error"));
    let mut numbers = places.filter_map(|line| line.split(':').nth(1)?.parse().ok());
    numbers.next().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_of_ours_become_players_and_others_stay() {
        let (drawn, wrong) = chapter(
            "a\n\n```topomotion scenario=s\nx\n```\n\n```ts\ny\n```\n",
            &|code, meta| {
                assert_eq!((code, meta), ("x\n", "scenario=s"));
                Ok("<player>".into())
            },
        );
        assert!(wrong.is_empty());
        assert!(
            drawn.starts_with("a\n\n\n<player>\n\n\n```ts\ny\n```\n"),
            "{}",
            &drawn[..60]
        );
        assert_eq!(drawn.matches("<script type=\"module\">").count(), 1);
    }

    #[test]
    fn blocks_within_other_blocks_are_text() {
        let text = "````md\n```topomotion\nx\n```\n````\n\n~~~topomotions\n~~~\n";
        let (drawn, wrong) = chapter(text, &|_, _| Err((0, "asked".into())));
        assert_eq!((drawn.as_str(), wrong.len()), (text, 0));
    }

    #[test]
    fn a_mistake_is_told_with_its_line_in_the_chapter() {
        let (_, wrong) =
            chapter("# One\n\n```topomotion\nx\ny\n```\n", &|_, _| Err((2, "no".into())));
        assert_eq!(wrong[0], Mistake { line: 5, text: "no".into() });
        assert_eq!(line_of("<stdin>:2:7: error[x]: no\n  |"), 2);
        assert_eq!(line_of("error: no"), 0);
    }

    #[test]
    fn chapters_are_found_wherever_they_stand() {
        let text = r#"{"items":[{"Chapter":{"path":"a.md","content":"A","sub_items":[{"Chapter":{"path":"b.md","content":"B","sub_items":[]}}]}},"Separator"]}"#;
        let mut book: Value = serde_json::from_str(text).unwrap();
        let mut seen = Vec::new();
        chapters(&mut book, &mut |path, content| {
            seen.push(format!("{path}={content}"));
            content.to_lowercase()
        });
        assert_eq!(seen, ["a.md=A", "b.md=B"]);
        assert_eq!(
            book["items"][0]["Chapter"]["sub_items"][0]["Chapter"]["content"],
            "b"
        );
    }
}
