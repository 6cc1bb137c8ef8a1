//! What a film is made of and how fast it goes.

use std::collections::BTreeSet;

use topomotion_trace::Trace;

use crate::Theme;

/// One scenario to be played: a chapter of the film.
#[derive(Debug, Clone, Copy)]
pub struct Story<'a> {
    /// The scenario's id.
    pub id: &'a str,
    /// Its title.
    pub title: &'a str,
    /// A sentence or two under the title; may be empty.
    pub description: &'a str,
    /// What happened.
    pub trace: &'a Trace,
    /// Where the trace comes from.
    pub kind: Kind,
}

/// Where a story's trace comes from. The picture says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The engine ran, and every packet was really sent.
    Executed,
    /// The author wrote every hop (see [`flow::to_trace`](crate::flow::to_trace)).
    Scripted,
}

/// Everything about a film that is neither in the scene nor in the trace.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Title above the picture; may be empty.
    pub title: String,
    /// A sentence or two for those who cannot see the picture; empty means made from the
    /// scene.
    pub description: String,
    /// The colours.
    pub theme: Theme,
    /// How fast it goes.
    pub pace: Pace,
    /// Whether the marks are explained below the picture.
    pub legend: Legend,
    /// What can be hidden in a picture that can be asked.
    pub layers: Vec<Hideable>,
}

/// A layer of the script: what is gone when it is hidden.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hideable {
    /// Its name.
    pub name: String,
    /// The groups that are gone.
    pub groups: BTreeSet<String>,
    /// The processes that are gone.
    pub processes: BTreeSet<String>,
    /// The connections that are gone, by their places among the topology's.
    pub edges: BTreeSet<usize>,
}

/// Whether the marks of a picture are explained below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Legend {
    /// If two kinds of packets, or connections of two protocols, are to be told apart.
    #[default]
    Auto,
    /// Yes, if there is anything to explain.
    Always,
    /// No.
    Never,
}

/// How fast a film goes. All times are ms of playing time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pace {
    /// Least length of a request's flight.
    pub request_ms: u32,
    /// Least length of a response's flight.
    pub response_ms: u32,
    /// Reading time of a caption, per character.
    pub character_ms: u32,
    /// Least reading time of a caption.
    pub caption_ms: u32,
    /// Longest wait in which nothing happens.
    pub idle_ms: u32,
    /// How long a fault is looked at before the story goes on.
    pub fault_ms: u32,
    /// How long a chapter's title card stands.
    pub card_ms: u32,
    /// How long a chapter's end is looked at.
    pub rest_ms: u32,
    /// Most packets that are drawn one by one in a film.
    pub packets: usize,
}

impl Default for Pace {
    fn default() -> Pace {
        Pace {
            request_ms: 900,
            response_ms: 750,
            character_ms: 45,
            caption_ms: 1200,
            idle_ms: 700,
            fault_ms: 900,
            card_ms: 1600,
            rest_ms: 1800,
            packets: 300,
        }
    }
}
