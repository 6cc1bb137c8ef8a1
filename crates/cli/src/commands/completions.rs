//! `topomotion completions`: what a shell needs to complete our arguments.

use clap::CommandFactory;

use crate::args::{Arguments, Completions};
use crate::failure::Failure;
use crate::terminal;

/// Prints the shell's script.
pub fn run(arguments: &Completions) -> Result<(), Failure> {
    let mut text = Vec::new();
    let command = &mut Arguments::command();
    clap_complete::generate(arguments.shell, command, "topomotion", &mut text);
    terminal::print_bytes(&text)
}
