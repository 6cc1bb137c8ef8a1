//! Where there are no threads: the same is said of a script, at the same places.

// A test of files, and of a limit that is wall time.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

use common::render;
use topomotion_script::{NoFiles, Options, Source, compile, compile_here, given_up};

/// Hangs in a built-in: only somebody else can end that.
const STUCK: &str = "stuck-in-builtin.ts";

fn bad() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad")
}

fn clock() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

fn options() -> Options {
    Options { time_limit: Duration::from_secs(2), memory_limit: 16 << 20 }
}

#[test]
fn the_same_is_said_at_the_same_places() {
    let mut seen = 0;
    for entry in fs::read_dir(bad()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if name.ends_with(".txt") || name == STUCK {
            continue;
        }
        let source = Source::new(name.as_str(), fs::read(&path).unwrap());
        let apart = render(&compile(&source, &NoFiles, &options()));
        // As much stack as a script's own thread has.
        let here = thread::Builder::new()
            .stack_size(32 << 20)
            .spawn(move || render(&compile_here(clock, &source, &NoFiles, &options())));
        assert_eq!(here.unwrap().join().unwrap(), apart, "{name}");
        seen += 1;
    }
    assert!(seen > 30, "{seen} scripts");
}

#[test]
fn of_a_script_that_was_ended_from_outside_the_same_is_said() {
    let source = Source::new(STUCK, fs::read(bad().join(STUCK)).unwrap());
    let told = render(&given_up(&source, &NoFiles, &options()));
    assert!(told.contains("script-stuck") && told.contains(STUCK), "{told}");
    assert_eq!(told, render(&compile(&source, &NoFiles, &options())));
}
