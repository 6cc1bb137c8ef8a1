//! What the suites share: the built command line, and a folder of their own to write in.
#![allow(dead_code)]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

/// The repository's top folder.
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    root.canonicalize().expect("the repository is there")
}

/// The command line, built once per test process.
pub fn binary() -> &'static Path {
    static BINARY: OnceLock<PathBuf> = OnceLock::new();
    BINARY.get_or_init(|| {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--quiet", "--locked", "-p", "topomotion-cli"]);
        let built = build.current_dir(root()).status().expect("cargo runs");
        assert!(built.success(), "the command line builds");
        let target = std::env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
        let target = target.unwrap_or_else(|| root().join("target"));
        target.join("debug").join(format!("topomotion{}", std::env::consts::EXE_SUFFIX))
    })
}

/// Runs the command line in the repository's top folder.
pub fn topomotion(arguments: &[&str]) -> Output {
    topomotion_fed(arguments, b"")
}

/// Runs the command line with something on its standard input.
pub fn topomotion_fed(arguments: &[&str], input: &[u8]) -> Output {
    use std::io::Write as _;
    let mut child = Command::new(binary())
        .args(arguments)
        .current_dir(root())
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command line starts");
    // A process that fails early closes its input; that is its right.
    let _ = child.stdin.take().expect("piped").write_all(input);
    child.wait_with_output().expect("the command line ends")
}

/// What a run said on standard error.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// What a run wrote on standard output.
pub fn wrote(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A fresh, empty folder for one test.
pub fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

/// The path as text.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("test paths are plain")
}

/// Every example script, by path relative to the top folder.
pub fn examples() -> Vec<String> {
    let entries = std::fs::read_dir(root().join("examples")).expect("there are examples");
    let mut names: Vec<String> = entries
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".ts") || name.ends_with(".yaml"))
        .map(|name| format!("examples/{name}"))
        .collect();
    names.sort();
    assert!(names.len() >= 6, "the examples are there: {names:?}");
    names
}
