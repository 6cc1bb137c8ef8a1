//! What can be told of a film beyond what is drawn: for players that can be asked.
//!
//! Renderers that draw pictures leave it alone. Items are named by their place: those of the
//! backdrop first, then those of the sprites.

use serde::{Deserialize, Serialize};

use crate::Millis;

/// Everything that can be told, and what can be hidden.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct About {
    /// Lines of text, each once: `name: value`, or words alone. The others name them by their
    /// place.
    pub lines: Vec<String>,
    /// What is told of items, by item; the first line names it.
    pub items: Vec<(usize, Vec<usize>)>,
    /// What is true of the topology's parts, by part and then by time.
    pub facts: Vec<Fact>,
    /// What can be hidden.
    pub toggles: Vec<Toggle>,
}

/// What is true of a part of the topology from a moment on, until the next fact about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// The part's id, as its items bear it.
    pub of: String,
    /// From when on.
    pub at: Millis,
    /// Lines.
    pub lines: Vec<usize>,
}

/// A part of the picture that can be hidden as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toggle {
    /// With which others it makes a choice: `layers`, `packets` or `connections`.
    pub set: String,
    /// Its name.
    pub name: String,
    /// The items that go with it.
    pub items: Vec<usize>,
}

impl About {
    /// Whether there is nothing to tell and nothing to hide.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty() && self.facts.is_empty() && self.toggles.is_empty()
    }
}
