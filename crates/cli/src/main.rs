//! The command line: arguments to calls to exit code.
//!
//! `topomotion` reads a script, runs what it describes, and writes a picture, a film or a
//! verdict. It stands at the rim: only here are files, the clock, the terminal and the
//! environment touched; everything it calls is a function of data.
//!
//! ```text
//!   arguments ──► what was typed (args) ──► what it means (commands) ──► pipeline ──► files
//! ```
//!
//! Conventions: `-` is standard input or output; progress appears on standard error, and
//! only on a terminal; exit code 0 is fine, 1 means that the input has errors or that
//! something could not be read or written, 2 wrong usage. A file is written beside its place
//! and then renamed: what was there stays whole until the new one is.
//!
//! Central types: [`args::Arguments`], [`failure::Failure`], [`topomotion_studio::Production`].
//!
//! ```text
//! topomotion render kafka-deep-dive.ts -o kafka.svg
//! ```
// The rim: what the house's lints keep out of every other crate is this crate's business.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod args;
mod commands;
mod failure;
mod input;
mod lettering;
mod neutral;
mod output;
mod picture;
mod pipeline;
mod progress;
mod ranges;
mod report;
mod terminal;
mod theme;
mod units;
mod watchdog;

use std::process::ExitCode;

use clap::Parser;

use crate::args::Arguments;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Room for deep recursion over nested scripts; only what is used is ever taken.
const STACK_BYTES: usize = 256 << 20;

fn main() -> ExitCode {
    let run = || {
        let arguments = Arguments::parse();
        let terminal = Terminal::new(arguments.color);
        match commands::run(arguments.command, &terminal) {
            Ok(()) => ExitCode::SUCCESS,
            Err(failure) => report_failure(&failure, &terminal),
        }
    };
    let thread = std::thread::Builder::new().stack_size(STACK_BYTES).spawn(run);
    // A panic has told itself; the code is the one that programs end with then.
    thread.map_or(ExitCode::from(101), |thread| {
        thread.join().unwrap_or(ExitCode::from(101))
    })
}

fn report_failure(failure: &Failure, terminal: &Terminal) -> ExitCode {
    match failure {
        // Whoever read our output has had enough; that is no error.
        Failure::Unread => ExitCode::SUCCESS,
        Failure::Told => ExitCode::from(1),
        Failure::Message { text, help } => {
            terminal.error(text, help.as_deref());
            ExitCode::from(1)
        }
        Failure::Usage { text, help } => {
            terminal.error(text, help.as_deref());
            ExitCode::from(2)
        }
    }
}
