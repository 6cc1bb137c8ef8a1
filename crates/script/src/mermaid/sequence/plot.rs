//! A sequence diagram as it was read: who takes part, and what happens, as a tree of blocks.

use std::collections::BTreeMap;

use topomotion_model::{Shape, Span};

use crate::mermaid::color::Rgb;

/// Everything that a sequence diagram says.
#[derive(Debug, Default)]
pub(super) struct Plot {
    /// In order of their first mention.
    pub participants: Vec<Participant>,
    places: BTreeMap<String, usize>,
    /// Frames around participants.
    pub boxes: Vec<Frame>,
    /// What happens.
    pub course: Branch,
    pub title: Option<String>,
    pub description: Option<String>,
}

/// Who takes part.
#[derive(Debug)]
pub(super) struct Participant {
    pub id: String,
    pub label: Option<String>,
    pub shape: Shape,
    pub icon: Option<&'static str>,
    pub frame: Option<usize>,
    /// Whether it is there only from a `create` on.
    pub is_created: bool,
    pub whole: Span,
    pub id_at: Span,
    /// How many activations are open.
    pub active: usize,
}

/// `box Aqua Title … end`
#[derive(Debug)]
pub(super) struct Frame {
    pub title: String,
    pub color: Option<Rgb>,
    pub span: Span,
}

/// One thing that happens.
#[derive(Debug)]
pub(super) enum Item {
    Message(Message),
    Note { over: Vec<usize>, text: String, span: Span },
    Block(Block),
    Create(usize, Span),
    Destroy(usize, Span),
}

/// How a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Course {
    There,
    /// `<<->>`
    ThereAndBack,
    /// `-x`
    Lost,
}

/// A message.
#[derive(Debug)]
pub(super) struct Message {
    pub from: usize,
    pub to: usize,
    pub course: Course,
    pub text: String,
    /// With `autonumber`.
    pub number: Option<String>,
    pub whole: Span,
    pub to_at: Span,
    pub text_at: Span,
}

/// Which block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Loop,
    Alt,
    Opt,
    Par,
    Critical,
    Break,
    Rect,
}

/// A block and its branches: one, or more with `else`, `and`, `option`.
#[derive(Debug)]
pub(super) struct Block {
    pub kind: Kind,
    pub branches: Vec<Branch>,
    pub span: Span,
    /// In how many scenarios every branch in it is told.
    pub courses: usize,
}

/// A run of items.
#[derive(Debug, Default)]
pub(super) struct Branch {
    pub caption: String,
    pub items: Vec<Item>,
    /// In how many scenarios every branch in it is told; 0 while it is empty.
    pub courses: usize,
    /// Where its caption stands.
    pub span: Option<Span>,
}

impl Plot {
    /// The participant with this id, made if nobody mentioned it before.
    pub(super) fn participant(&mut self, id: &str, whole: Span, id_at: Span) -> usize {
        if let Some(&place) = self.places.get(id) {
            return place;
        }
        let place = self.participants.len();
        self.participants.push(Participant {
            id: id.to_owned(),
            label: None,
            shape: Shape::Default,
            icon: None,
            frame: None,
            is_created: false,
            whole,
            id_at,
            active: 0,
        });
        self.places.insert(id.to_owned(), place);
        place
    }
}

impl Branch {
    pub(super) fn push(&mut self, item: Item) {
        let courses = match &item {
            Item::Block(block) => block.courses,
            _ => 1,
        };
        self.courses = self.courses.max(courses);
        self.items.push(item);
    }

    /// In how many scenarios it is told; at least one.
    pub(super) fn courses(&self) -> usize {
        self.courses.max(1)
    }
}

impl Block {
    pub(super) fn new(kind: Kind, branches: Vec<Branch>, span: Span) -> Block {
        let each = branches.iter().map(Branch::courses);
        let courses = match kind {
            Kind::Alt | Kind::Critical => each.fold(0, usize::saturating_add),
            // It may be left out: then the story goes on behind it.
            Kind::Break => each.fold(1, usize::saturating_add),
            Kind::Loop | Kind::Opt | Kind::Par | Kind::Rect => each.max().unwrap_or(1),
        };
        Block { kind, branches, span, courses }
    }
}

impl Kind {
    /// The word that opens it.
    pub(super) fn word(self) -> &'static str {
        match self {
            Kind::Loop => "loop",
            Kind::Alt => "alt",
            Kind::Opt => "opt",
            Kind::Par => "par",
            Kind::Critical => "critical",
            Kind::Break => "break",
            Kind::Rect => "rect",
        }
    }

    /// The word that begins a further branch.
    pub(super) fn further(self) -> Option<&'static str> {
        match self {
            Kind::Alt => Some("else"),
            Kind::Par => Some("and"),
            Kind::Critical => Some("option"),
            Kind::Loop | Kind::Opt | Kind::Break | Kind::Rect => None,
        }
    }

    pub(super) fn named(word: &str) -> Option<Kind> {
        Some(match word {
            "loop" => Kind::Loop,
            "alt" => Kind::Alt,
            "opt" => Kind::Opt,
            "par" | "par_over" => Kind::Par,
            "critical" => Kind::Critical,
            "break" => Kind::Break,
            "rect" => Kind::Rect,
            _ => return None,
        })
    }
}
