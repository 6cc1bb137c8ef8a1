//! One file a subcommand: what its arguments mean, and what it calls.

mod access;
mod broker;
mod check;
mod completions;
mod control;
mod exhaustive;
mod import;
mod layout;
mod mdbook;
mod new;
mod preview;
mod record;
mod render;
mod scenarios;
mod sim;
mod storm_film;
mod storms;

use crate::args::Command;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Does what was asked for.
pub fn run(command: Command, terminal: &Terminal) -> Result<(), Failure> {
    match command {
        Command::Render(arguments) if arguments.watch => {
            preview::watch(&arguments.script, terminal)
        }
        Command::Render(arguments) => render::run(arguments, terminal),
        Command::Preview(arguments) => preview::run(arguments, terminal),
        Command::Check(arguments) => check::run(arguments, terminal),
        Command::Scenarios(arguments) => scenarios::run(&arguments, terminal),
        Command::Sim(arguments) => sim::run(&arguments, terminal),
        Command::Broker(arguments) => broker::run(arguments, terminal),
        Command::Record(arguments) => record::run(&arguments, terminal),
        Command::Layout(arguments) => layout::run(&arguments, terminal),
        Command::Import(arguments) => import::run(&arguments, terminal),
        Command::Mdbook(arguments) => mdbook::run(&arguments, terminal),
        Command::New(arguments) => new::run(&arguments, terminal),
        Command::Completions(arguments) => completions::run(&arguments),
    }
}
