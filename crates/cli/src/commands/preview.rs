//! `topomotion preview`, and `render --watch`: what is saved is drawn.
//!
//! Each picture is drawn by a run of this very program, `render`, in a process of its own: a
//! script that loops, or takes all memory, ends that process and not the preview; and what it
//! says of mistakes is what the author sees.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use topomotion_preview::{Board, Form, Made, Order, Playground, Server, Watch};

use crate::args::Preview;
use crate::failure::Failure;
use crate::input;
use crate::terminal::{Terminal, print};

/// No picture takes longer: a script has five seconds, the engine's runs are short.
const LONGEST: Duration = Duration::from_secs(60);

/// What a folder is looked through for.
const ENDINGS: &[&str] = &["ts", "js", "yaml", "yml", "mmd", "mermaid"];

/// What the playground's completion knows.
const TYPES: &str = include_str!("../../../script/types/topomotion.d.ts");

/// What the playground has to begin with: name, title, script.
const EXAMPLES: [[&str; 3]; 6] = [
    [
        "kafka-deep-dive",
        "Kafka, a deep dive",
        include_str!("../../../../examples/kafka-deep-dive.ts"),
    ],
    [
        "single-edge",
        "A single connection",
        include_str!("../../../../examples/single-edge.ts"),
    ],
    [
        "web-shop",
        "A web shop, scripted",
        include_str!("../../../../examples/web-shop.ts"),
    ],
    ["layers-v1-v2", "Two layers", include_str!("../../../../examples/layers-v1-v2.ts")],
    [
        "kafka-zones",
        "Kafka over three zones",
        include_str!("../../../../examples/kafka-zones.ts"),
    ],
    [
        "nested-vpc",
        "Groups in groups",
        include_str!("../../../../examples/nested-vpc.ts"),
    ],
];

/// Serves until interrupted.
pub fn run(arguments: Preview, terminal: &Terminal) -> Result<(), Failure> {
    if arguments.playground {
        return play(&arguments, terminal);
    }
    let scripts = scripts(&arguments.scripts)?;
    let names = scripts.iter().map(|script| script.display().to_string());
    let board = Arc::new(Board::new(names));
    let server = server(&arguments, &board)?;
    let wishes = Arc::new(wishes(&arguments));
    for (number, script) in scripts.into_iter().enumerate() {
        let (board, wishes) = (Arc::clone(&board), Arc::clone(&wishes));
        let follow = move || follow(number, &script, &wishes, &board);
        let thread = thread::Builder::new().name("watch".into()).spawn(follow);
        thread.map_err(|error| Failure::message(format!("cannot watch: {error}")))?;
    }
    serve(&server, "every save is shown there; Ctrl-C ends it", &arguments, terminal)
}

/// Serves the page on which scripts are written, until interrupted.
fn play(arguments: &Preview, terminal: &Terminal) -> Result<(), Failure> {
    let mut examples = EXAMPLES.to_vec();
    let mut first = None;
    if let Some(path) = arguments.scripts.first() {
        let bytes = input::read(&path.to_string_lossy())?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        first = Some((path.display().to_string(), text));
    }
    if let Some((name, text)) = &first {
        examples.insert(0, [name, name, text]);
    }
    let wishes = wishes(arguments);
    let compile = move |order: &Order| make(order, &wishes);
    let playground = Playground::new(Box::new(compile), TYPES.into(), &examples);
    let board = Arc::new(Board::new([]));
    let server = server(arguments, &board)?.with_playground(playground);
    serve(
        &server,
        "scripts are drawn there as they are written; Ctrl-C ends it",
        arguments,
        terminal,
    )
}

fn server(arguments: &Preview, board: &Arc<Board>) -> Result<Server, Failure> {
    Server::new(arguments.port, Arc::clone(board)).map_err(|error| {
        let failure =
            Failure::message(format!("cannot use port {}: {error}", arguments.port));
        failure.help("choose another with --port, or leave it out")
    })
}

fn serve(
    server: &Server,
    words: &str,
    arguments: &Preview,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let url = server.url();
    print(&format!("{url}\n"))?;
    terminal.say(words);
    if !arguments.no_open {
        open(&url, terminal);
    }
    server.run();
    Ok(())
}

/// Draws now and after every save, until interrupted.
pub fn watch(script: &str, terminal: &Terminal) -> Result<(), Failure> {
    if script == "-" {
        return Err(Failure::usage("standard input cannot be watched")
            .help("give --watch a file"));
    }
    let mut watch = Watch::new(Path::new(script));
    let arguments = || std::env::args_os().skip(1).filter(|word| word != "--watch");
    loop {
        // Whether it could be drawn has been said; either way the next save may be better.
        let mut own = Command::new(this_program()?);
        let run = own.args(arguments()).spawn().and_then(|mut child| child.wait());
        run.map_err(|error| Failure::message(format!("cannot draw: {error}")))?;
        terminal.say(&format!("watching {script}; Ctrl-C ends it"));
        watch.wait();
    }
}

/// The scripts themselves, folders replaced by what is in them.
fn scripts(given: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut all = Vec::new();
    for path in given {
        let unreadable = |error| Failure::unreadable(&path.to_string_lossy(), &error);
        if !path.metadata().map_err(unreadable)?.is_dir() {
            all.push(path.clone());
            continue;
        }
        let entries = path.read_dir().map_err(unreadable)?;
        let mut inside: Vec<PathBuf> =
            entries.flatten().map(|entry| entry.path()).collect();
        inside.retain(|file| {
            let ending = file.extension().and_then(|ending| ending.to_str());
            let is_types = file.to_string_lossy().ends_with(".d.ts");
            ending.is_some_and(|ending| ENDINGS.contains(&ending)) && !is_types
        });
        inside.sort();
        all.extend(inside);
    }
    if all.is_empty() {
        return Err(Failure::message("there is no script in that folder")
            .help(format!("scripts end in .{}", ENDINGS.join(", ."))));
    }
    Ok(all)
}

/// The options of `render` that stand for those of `preview`.
fn wishes(arguments: &Preview) -> Vec<String> {
    let mut words = Vec::new();
    for scenario in &arguments.scenarios {
        words.extend(["--scenario".to_owned(), scenario.clone()]);
    }
    if let Some(layers) = &arguments.layers {
        words.push(format!("--layer={}", layers.join(",")));
    }
    words.extend(arguments.theme.iter().map(|theme| format!("--theme={theme}")));
    words.extend(arguments.seed.iter().map(|seed| format!("--seed={seed}")));
    words
}

/// Draws a script now and after every save.
fn follow(number: usize, script: &Path, wishes: &[String], board: &Board) {
    let mut watch = Watch::new(script);
    loop {
        board.publish(number, draw(script, wishes));
        watch.wait();
    }
}

/// The bundle of a script, or what is wrong with it.
fn draw(script: &Path, wishes: &[String]) -> Result<String, String> {
    let mut words = vec!["--format=bundle".into(), "--live".into()];
    words.extend_from_slice(wishes);
    words.extend(["--".into(), script.to_string_lossy().into_owned()]);
    let made = render(&words, None)?;
    Ok(String::from_utf8_lossy(&made.bytes).into_owned())
}

/// What the playground asks for.
fn make(order: &Order, wishes: &[String]) -> Result<Made, String> {
    let mut words = vec![format!("--format={}", order.form.name())];
    words.extend_from_slice(wishes);
    if matches!(order.form, Form::Bundle | Form::Html) {
        words.push("--live".into());
    }
    if order.form == Form::Svg {
        words.push("--theme=auto".into());
    }
    words.extend(order.scenario.iter().map(|id| format!("--scenario={id}")));
    words.extend(order.at.map(|at| format!("--at={at}ms")));
    words.extend(["--".into(), "-".into()]);
    render(&words, Some(order.script.clone()))
}

/// Runs `render` in a process of its own: what it wrote and said, or what was wrong.
fn render(words: &[String], script: Option<Vec<u8>>) -> Result<Made, String> {
    let program = this_program().map_err(|_| "this program cannot find itself")?;
    let child = Command::new(program)
        .args(["--color=never", "render", "-o", "-"])
        .args(words)
        .stdin(if script.is_some() { Stdio::piped() } else { Stdio::null() })
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let mut child = child.map_err(|error| format!("cannot draw: {error}"))?;
    if let (Some(script), Some(mut stdin)) = (script, child.stdin.take()) {
        // Beside the rest: who is given much may answer before it has read all. One that ends
        // without reading has said why.
        thread::spawn(move || stdin.write_all(&script));
    }
    let (out, told) = (child.stdout.take(), child.stderr.take());
    let out = thread::spawn(move || bytes(out));
    let told = thread::spawn(move || bytes(told));
    let ended = end(&mut child);
    let (out, told) = (out.join().unwrap_or_default(), told.join().unwrap_or_default());
    let told = String::from_utf8_lossy(&told).into_owned();
    match ended {
        Ok(true) => Ok(Made { bytes: out, told }),
        Ok(false) if told.trim().is_empty() => {
            Err("the script could not be drawn".into())
        }
        Ok(false) => Err(told),
        Err(why) => Err(why),
    }
}

/// Waits, but not for ever. Whether it went well.
fn end(child: &mut Child) -> Result<bool, String> {
    let start = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status.success()),
            Ok(None) if start.elapsed() < LONGEST => {
                thread::sleep(Duration::from_millis(2));
            }
            Ok(None) => {
                // Whether or not it can be killed, nobody waits for it any more.
                let _ = child.kill();
                return Err(format!("it took longer than {} s", LONGEST.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

fn bytes(source: Option<impl Read>) -> Vec<u8> {
    let mut bytes = Vec::new();
    if let Some(mut source) = source {
        // What was read before it broke is what there is.
        let _ = source.read_to_end(&mut bytes);
    }
    bytes
}

fn this_program() -> Result<PathBuf, Failure> {
    std::env::current_exe()
        .map_err(|error| Failure::message(format!("cannot find this program: {error}")))
}

/// Opens a browser, if there is a way.
fn open(url: &str, terminal: &Terminal) {
    let (program, first): (&str, &[&str]) = match std::env::consts::OS {
        "macos" => ("open", &[]),
        "windows" => ("cmd", &["/c", "start", ""]),
        _ => ("xdg-open", &[]),
    };
    let quiet = || Stdio::null();
    let opened = Command::new(program)
        .args(first)
        .arg(url)
        .stdin(quiet())
        .stdout(quiet())
        .stderr(quiet())
        .spawn();
    if opened.is_err() {
        terminal.say(&format!("open {url} in a browser"));
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::{self, Arguments};

    #[test]
    fn what_preview_is_asked_for_is_what_render_is_asked_for() {
        let line = "topomotion preview a.ts --scenario x --scenario y --layer a,b --seed 7 --no-open";
        let arguments = Arguments::try_parse_from(line.split(' ')).unwrap();
        let args::Command::Preview(preview) = arguments.command else {
            panic!("preview");
        };
        let wishes = wishes(&preview);
        assert_eq!(wishes.join(" "), "--scenario x --scenario y --layer=a,b --seed=7");
        // And `render` takes them.
        let words =
            ["topomotion", "render", "--format=bundle", "-o", "-"].map(String::from);
        let words = words.into_iter().chain(wishes).chain(["--".into(), "a.ts".into()]);
        assert!(Arguments::try_parse_from(words).is_ok());
    }

    #[test]
    fn the_page_that_needs_no_server_begins_with_the_same_scripts() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/playground");
        let list = std::fs::read_to_string(folder.join("examples.mjs")).unwrap();
        let titles = EXAMPLES.map(|[name, title, _]| format!("  '{name}': '{title}',\n"));
        assert!(list.contains(&titles.concat()), "{titles:?} {list}");
    }

    #[test]
    fn a_folder_stands_for_its_scripts() {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        let found = scripts(&[examples]).unwrap();
        assert!(found.iter().any(|path| path.ends_with("web-shop.ts")));
        assert!(scripts(&[PathBuf::from("/no/such/folder")]).is_err());
    }
}
