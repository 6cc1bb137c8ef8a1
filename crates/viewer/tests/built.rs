//! The player that is checked in is the one that these sources give.

// A test of files.
#![allow(clippy::disallowed_methods)]

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// FNV-1a, 64 bits, of names and contents, as `web/digest.mjs` computes it.
fn digest(names: &[String]) -> String {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for name in names {
        let content = fs::read(root().join(name)).expect("a listed file");
        for byte in name.bytes().chain([0]).chain(content).chain([0]) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

fn sources(folder: &str, found: &mut Vec<String>) {
    let entries = fs::read_dir(root().join(folder)).expect("a folder of sources");
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = format!("{folder}/{name}");
        let is_source = [".rs", ".toml", ".ts", ".html", ".css", ".mjs"]
            .iter()
            .any(|end| name.ends_with(end));
        if entry.path().is_dir()
            && !matches!(name.as_str(), "tests" | "examples" | "target")
        {
            sources(&path, found);
        } else if is_source {
            found.push(path);
        }
    }
}

#[test]
fn the_player_was_built_from_the_sources_at_hand() {
    let told = fs::read_to_string(root().join("web/dist/built-from.txt")).unwrap();
    let mut names: Vec<String> =
        ["build.sh", "digest.mjs", "package.json", "tsconfig.json"]
            .map(|name| format!("web/{name}"))
            .into();
    for folder in
        ["crates/scene", "crates/studio", "crates/viewer", "web/playground", "web/src"]
    {
        sources(folder, &mut names);
    }
    names.sort();
    assert!(names.len() > 20, "{names:?}");
    let mut expected = format!("sources {}\n", digest(&names));
    for file in [
        "topomotion-viewer.js",
        "topomotion-live.wasm.gz",
        "playground/playground.js",
        "playground/playground.css",
        "playground/index.html",
        "playground/worker.js",
        "playground/studio.wasm.gz",
    ] {
        let built = digest(&[format!("web/dist/{file}")]);
        expected.push_str(&format!("{file} {built}\n"));
    }
    assert_eq!(told, expected, "build it again: bash web/build.sh");
}
