//! Every bad input in `bad/` gives the diagnostics in the text file beside it.
//!
//! `BLESS=1 cargo test` writes those files anew.

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use common::render;
use topomotion_script::{MemoryFiles, Options, Source, compile};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad")
}

fn inputs() -> Vec<PathBuf> {
    let entries = fs::read_dir(folder()).expect("the folder");
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.expect("a file").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension != "txt"));
    paths.sort();
    paths
}

#[test]
fn every_bad_input_gives_its_diagnostics() {
    let options =
        Options { time_limit: Duration::from_secs(1), memory_limit: 32 * 1024 * 1024 };
    let mut wrong = Vec::new();
    for path in inputs() {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).expect("a text");
        let compiled =
            compile(&Source::new(&*name, text), &MemoryFiles::default(), &options);
        assert!(compiled.topology.is_none(), "{name} gives a topology");
        assert!(compiled.has_errors(), "{name} gives no error");
        let told = render(&compiled);
        let golden = path.with_added_extension("txt");
        let expected = fs::read_to_string(&golden).unwrap_or_default();
        if told != expected {
            if std::env::var_os("BLESS").is_some() {
                #[allow(clippy::disallowed_methods)] // on request only
                fs::write(&golden, &told).expect("a golden is written");
            }
            wrong.push(format!("{name} tells:\n{told}\nbut shall tell:\n{expected}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn messages_begin_lower_case_and_end_without_a_full_stop() {
    for path in inputs() {
        let golden = path.with_added_extension("txt");
        let text = fs::read_to_string(golden).unwrap_or_default();
        for line in text.lines() {
            let Some((_, message)) = line.split_once("] ") else { continue };
            if line.starts_with("error[") || line.starts_with("warning[") {
                let first = message.chars().next().expect("a message");
                assert!(!first.is_uppercase(), "{line}");
                assert!(!message.ends_with('.'), "{line}");
            }
        }
    }
}
