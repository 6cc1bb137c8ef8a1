//! YAML (and JSON, which is YAML): the same document as data.
//!
//! The text becomes spanned data here; `document` reads groups, connections and scenarios out
//! of it. Depth, size and alias expansion are bounded by the parser's budget.

mod document;
mod parse;
mod steps;
mod write;

use topomotion_model::FileId;
use topomotion_model::builder::TopologyBuilder;

use crate::Compiled;

#[cfg(test)]
pub(crate) use document::{CONNECTION, DOCUMENT, GROUP_MEMBERS, SCENARIO};
pub(crate) use parse::parse;
#[cfg(test)]
pub(crate) use steps::{FLOW_STEPS, RUN_STEPS};
pub(crate) use write::write;

/// Compiles a document whose text is in `compiled.sources`. `None` if it is no YAML; then
/// there is an error among the diagnostics.
pub(crate) fn compile(file: FileId, compiled: &mut Compiled) -> Option<TopologyBuilder> {
    let text = compiled.sources.file(file).map_or("", |file| file.text.as_str());
    match parse(text, file) {
        Ok(data) => Some(document::read(&data, &compiled.sources)),
        Err(error) => {
            compiled.diagnostics.push(*error);
            None
        }
    }
}
