//! Runs a script where it can reach nothing, and records the builder calls that it makes.
//!
//! The script runs on a thread of its own. It is stopped by the engine's interrupt when its
//! time is up; a built-in that never polls the interrupt (sorting an array of four thousand
//! million holes) is given up: the thread is left behind and the compilation goes on to tell
//! the error. Whoever compiles in a long-running process should do it in a child process.
//!
//! Nothing here knows what the calls mean: that is `replay`.

mod convert;
mod failure;
mod recorder;
mod run;

use std::collections::BTreeMap;
use std::sync::OnceLock;
use std::sync::mpsc::{self, RecvTimeoutError};
#[allow(clippy::disallowed_types)] // the limit is wall time
use std::time::{Duration, Instant};

use crate::data::Data;
use crate::{Options, Stage};

pub(crate) use failure::{Failure, Kind};
pub(crate) use run::TOOLKIT;

/// How long after its time is up a script may take to stop by itself.
const GRACE: Duration = Duration::from_millis(500);
/// Stack of the script's thread; the engine may use a part of it.
const STACK: usize = 32 * 1024 * 1024;
/// What the engine may use of the stack. In a page, the other half of each call lies on the browser's
/// own, which is short: measured, some 1100 calls fit there, and 800 here.
const SCRIPT_STACK: usize =
    if cfg!(target_family = "wasm") { 128 * 1024 } else { 4 * 1024 * 1024 };

/// JavaScript that is ready to run.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    /// The script, then its siblings; the place is the file's number.
    pub files: Vec<String>,
    /// What stands before the script, on its first line: its imports as `const`.
    pub imports: String,
    /// Which file an import means, by the importing file and the words of the import.
    pub targets: BTreeMap<(u32, String), Target>,
}

/// What an import means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// A sibling file.
    File(u32),
    /// `topomotion` itself.
    Toolkit,
}

/// One call of a builder's method.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub class: String,
    /// The method, or `new`.
    pub method: String,
    /// The builder's number; 0 for `new`.
    pub receiver: u32,
    pub arguments: Vec<Data>,
    /// Who called, innermost first.
    pub frames: Vec<Frame>,
}

/// A place in the running script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Frame {
    pub file: u32,
    /// From 1; 0 is the script as a whole.
    pub line: u32,
    /// From 1, in bytes: so the engine counts.
    pub column: u32,
}

/// One line on the console.
#[derive(Debug, Clone)]
pub(crate) struct Printed {
    pub level: i32,
    pub text: String,
    pub frames: Vec<Frame>,
}

/// What a run has left behind.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// In the order of the calls; a builder's number is the place of its record, from 1.
    pub records: Vec<Record>,
    pub printed: Vec<Printed>,
    /// What the script returned, or why it did not.
    pub result: Result<Data, Failure>,
}

impl Outcome {
    fn failed(failure: Failure) -> Outcome {
        Outcome { records: Vec::new(), printed: Vec::new(), result: Err(failure) }
    }
}

/// Time since the first script ran.
#[allow(clippy::disallowed_types, clippy::disallowed_methods)] // the limit is wall time
fn wall_time() -> Duration {
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed()
}

/// Runs a program within its limits.
pub(crate) fn run(stage: Stage, program: Program, options: &Options) -> Outcome {
    let options = *options;
    match stage {
        Stage::Here(clock) => run::run(&program, &options, clock),
        Stage::Own => run_apart(program, options),
    }
}

fn run_apart(program: Program, options: Options) -> Outcome {
    let (sender, receiver) = mpsc::channel();
    let worker = std::thread::Builder::new().stack_size(STACK).spawn(move || {
        // The receiver is gone only if it has given this script up.
        let _ = sender.send(run::run(&program, &options, wall_time));
    });
    if worker.is_err() {
        return Outcome::failed(Failure::of(Kind::NoThread));
    }
    match receiver.recv_timeout(options.time_limit.saturating_add(GRACE)) {
        Ok(outcome) => outcome,
        Err(RecvTimeoutError::Timeout) => Outcome::failed(Failure::of(Kind::Stuck)),
        Err(RecvTimeoutError::Disconnected) => Outcome::failed(Failure::of(Kind::Broken)),
    }
}
