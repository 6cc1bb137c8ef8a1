//! The style guide, as far as a test can hold it.

use std::path::{Path, PathBuf};

/// A file this long has more than one subject.
const LINES_AT_MOST: usize = 800;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file below `folder` with one of these endings, built and fetched things apart.
fn files(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        if path.is_dir() {
            if !matches!(name.as_str(), "target" | "node_modules" | ".git") {
                files(&path, endings, found);
            }
        } else if endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
}

fn read(endings: &[&str]) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    files(&root(), endings, &mut found);
    assert!(!found.is_empty(), "there is something to look at");
    found
        .into_iter()
        .map(|path| {
            let text = std::fs::read_to_string(&path);
            let text = text.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            (path, text)
        })
        .collect()
}

#[test]
fn no_source_file_is_longer_than_its_subject() {
    for (path, text) in read(&[".rs"]) {
        let generated = text.lines().take(5).any(|line| line.contains("enerated by"));
        let lines = text.lines().count();
        assert!(
            generated || lines <= LINES_AT_MOST,
            "{} has {lines} lines: look for the seam",
            path.display()
        );
    }
}

#[test]
fn every_source_file_says_what_it_is() {
    for (path, text) in read(&[".rs"]) {
        let first = text.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("//!") || first.contains("enerated by"),
            "{} does not open with a module doc",
            path.display()
        );
    }
}

#[test]
fn nothing_is_left_for_later_in_silence() {
    // Put together at run time, so that this file does not accuse itself.
    let marks = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), ["XX", "X:"].concat()];
    for (path, text) in read(&[".rs", ".md", ".ts", ".yaml"]) {
        for (number, line) in text.lines().enumerate() {
            assert!(
                !marks.iter().any(|mark| line.contains(mark.as_str())),
                "{}:{}: {line}",
                path.display(),
                number + 1
            );
        }
    }
}

#[test]
fn no_file_names_a_machine_of_ours() {
    let marks = [
        ["/ro", "ot/"].concat(),
        ["/wo", "rk/"].concat(),
        ["/ho", "me/"].concat(),
        ["local", "host:"].concat(),
    ];
    for (path, text) in
        read(&[".rs", ".md", ".toml", ".ts", ".yaml", ".py", ".sh", ".json"])
    {
        for mark in &marks {
            assert!(!text.contains(mark.as_str()), "{} names {mark}", path.display());
        }
    }
}
