//! Themes of one's own, as their users meet them.
#![allow(clippy::unwrap_used)] // helpers of tests are tests
#![allow(clippy::disallowed_methods)] // files are this suite's business

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const SCRIPT: &str = "const t = new TopologyBuilder(true);
t.createProcess({ id: 'a', role: 'broker' });
t.createProcess({ id: 'b' });
t.connect('a', 'b', { protocol: 'kafka', label: 'sends' });
await t.apply();
return null;
";

fn folder(name: &str, theme: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("themes").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("t.ts"), SCRIPT).unwrap();
    fs::write(folder.join("mine.json"), theme).unwrap();
    folder
}

fn run(folder: &Path, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_topomotion"))
        .args(line.split_whitespace())
        .current_dir(folder)
        .output()
        .unwrap()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The still picture in a theme.
fn svg(folder: &Path, theme: &str) -> String {
    let output =
        run(folder, &format!("render t.ts -o - --format svg --still --theme {theme}"));
    assert!(output.status.success(), "{}", told(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn a_file_changes_what_it_names_and_nothing_else() {
    let theme = r##"{ "extends": "dark", "page": "#0b0f14", "broker": "#7c3aed" }"##;
    let folder = folder("own", theme);
    let (own, dark) = (svg(&folder, "mine.json"), svg(&folder, "dark"));
    assert!(own.contains("#0b0f14") && !dark.contains("#0b0f14"));
    let ink = "#e8edf5";
    assert!(own.contains(ink) && dark.contains(ink), "what is not named stays");
    assert!(!own.contains("prefers-color-scheme"), "a dark theme is dark for everybody");
}

#[test]
fn a_theme_without_a_side_follows_its_reader() {
    let theme = r##"{ "page": "#fafafa", "dark": { "page": "#0b0f14" } }"##;
    let svg = svg(&folder("both", theme), "mine.json");
    let (light, dark) = svg.split_once("prefers-color-scheme:dark").unwrap();
    let dark = dark.split("</style>").next().unwrap();
    assert!(dark.contains("#0b0f14") && !light.contains("#0b0f14"));
    assert!(svg.contains("#fafafa"));
}

#[test]
fn mistakes_are_told_with_their_place_the_line_and_what_to_do() {
    let theme = "{\n  \"extends\": \"dark\",\n  \"brokr\": \"#7c3aed\",\n  \"ink\": \"tael\"\n}\n";
    let folder = folder("wrong", theme);
    let output = run(&folder, "render t.ts -o x.svg --theme mine.json");
    assert_eq!(output.status.code(), Some(1));
    let told = told(&output);
    for part in [
        "mine.json:3:3: error[theme-name]",
        "3 |   \"brokr\": \"#7c3aed\",",
        "did you mean `broker`?",
        "mine.json:4:10: error[theme-color]",
        "did you mean `teal`?",
    ] {
        assert!(told.contains(part), "{part}\n{told}");
    }
    assert!(!folder.join("x.svg").exists(), "nothing is drawn in a broken theme");
}

#[test]
fn what_cannot_follow_its_reader_says_so() {
    let folder = folder("auto", "{}");
    let asked = run(&folder, "render t.ts -o a.png --still --theme auto");
    assert!(asked.status.success() && told(&asked).contains("`auto` is light"));
    let silent = run(&folder, "render t.ts -o b.png --still");
    assert!(silent.status.success() && !told(&silent).contains("note:"));
    let bytes = |name: &str| fs::read(folder.join(name)).unwrap();
    assert_eq!(bytes("a.png"), bytes("b.png"));
}

#[test]
fn no_other_word_is_a_theme() {
    let output = run(&folder("word", "{}"), "render t.ts -o x.svg --theme drak");
    assert_eq!(output.status.code(), Some(2));
    assert!(told(&output).contains("did you mean `dark`"), "{}", told(&output));
}

#[test]
fn the_legend_is_as_one_wishes() {
    let folder = folder("legend", "{}");
    let draws = |option: &str| {
        let output =
            run(&folder, &format!("render t.ts -o - --format svg --still {option}"));
        String::from_utf8_lossy(&output.stdout).contains("tm-legend")
    };
    assert!(!draws(""), "one protocol explains itself");
    assert!(draws("--legend") && !draws("--no-legend"));
    assert!(draws("--no-legend --legend"), "the last word counts");
}
