//! `topomotion layout`: an abstract graph in, the places of everything out.

use std::path::Path;

use topomotion_layout::graph::{self, Wishes};
use topomotion_layout::neutral::of_graph;

use crate::args::Layout;
use crate::failure::Failure;
use crate::output::Draft;
use crate::pipeline::tell_effort;
use crate::terminal::Terminal;
use crate::{input, neutral, terminal as console};

/// Lays a graph out.
pub fn run(arguments: &Layout, terminal: &Terminal) -> Result<(), Failure> {
    let name = &arguments.graph;
    let graph = neutral::read(&input::read_text(name)?)
        .map_err(|wrong| Failure::message(format!("{name} is no graph: {wrong}")))?;
    let placement = graph::place(&graph, &Wishes::default());
    tell_effort(placement.effort, terminal);
    let text = neutral::write(&of_graph(&graph, &placement));
    if arguments.output == "-" {
        return console::print(&text);
    }
    let mut draft = Draft::begin(Path::new(&arguments.output))?;
    draft.fill(text.as_bytes())?;
    draft.commit()
}
