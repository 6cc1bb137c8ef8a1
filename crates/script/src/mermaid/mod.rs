//! Mermaid: flowcharts, and sequence diagrams as scripted flows.
//!
//! A flowchart gives groups, processes and connections; a sequence diagram gives processes, a
//! connection for each pair that speaks, and scenarios that play its messages. What Mermaid
//! can say and a topology cannot is reported where it stands, never dropped in silence; a
//! diagram of another kind is refused by its name.
//!
//! ```text
//!   text ──► head (title, kind) ──► flowchart: statements ──► chart ──┐
//!                               └─► sequence:  lines ──► plot ────────┴──► TopologyBuilder
//! ```
//!
//! The grammar is Mermaid 11's, read leniently where that costs nothing: a block that is
//! never closed ends with the file, and says so. Nothing here recurses over the input, so
//! nesting is limited by a number and not by the stack.

mod attributes;
mod color;
mod flowchart;
mod head;
mod label;
mod scan;
mod sequence;

use topomotion_model::builder::TopologyBuilder;
use topomotion_model::{Diagnostic, FileId};

use crate::Compiled;
use head::Kind;
use scan::{Findings, Scanner};

pub(crate) use head::is_mermaid;

/// The deepest nesting of subgraphs or blocks.
const DEEPEST: usize = 500;

/// Compiles a diagram whose text is in `compiled.sources`. `None` if nothing of it can be
/// read; then there is an error among the diagnostics.
pub(crate) fn compile(file: FileId, compiled: &mut Compiled) -> Option<TopologyBuilder> {
    let text = compiled.sources.file(file).map_or("", |file| file.text.as_str());
    let mut scanner = Scanner::new(text, 0, file);
    let mut findings = Findings::default();
    let head = head::read(&mut scanner, &mut findings);
    let header = Some(scanner.stretch(head.at, scanner.at));
    let mut builder = TopologyBuilder::default();
    builder.title = head.title;
    // How many things are in it; `None` for what is no diagram that we read.
    let size = match head.kind {
        Some(Kind::Flowchart(direction)) => {
            builder.direction = direction;
            Some(flowchart::compile(scanner, &mut builder, &mut findings))
        }
        Some(Kind::Sequence) => {
            Some(sequence::compile(scanner, &mut builder, &mut findings))
        }
        None => None,
    };
    if size == Some(0) {
        findings.add(
            Diagnostic::error("empty-diagram", "nothing is in the diagram", header)
                .at("only a header")
                .help("write `A --> B` below `flowchart`, `A->>B: text` below `sequenceDiagram`"),
        );
    }
    let found = findings.into_all();
    if size.is_some() {
        for diagnostic in found {
            builder.report(diagnostic);
        }
        return Some(builder);
    }
    compiled.diagnostics.extend(found);
    None
}
