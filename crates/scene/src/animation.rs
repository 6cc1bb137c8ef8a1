//! Everything that is ever drawn, and when.
//!
//! The picture is a backdrop that never changes and [`Sprite`]s that come, move and go.
//! Every state of a node, every caption, every position of the clock is a sprite with its
//! own time windows; so one rule serves all: *draw the backdrop, then every sprite whose
//! window holds `t`, moved along its path*.

use serde::{Deserialize, Serialize};

use crate::{About, Palette, Point, Primitive, Size};

/// A moment or a span of playing time, in ms.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    Serialize,
    Deserialize,
)]
#[serde(transparent)]
pub struct Millis(pub u32);

/// A film: what is drawn, when, in which colours, and what it says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Animation {
    /// Extent of the picture, px.
    pub size: Size,
    /// Length of one turn of the loop; 0 for a still picture.
    pub duration: Millis,
    /// The moment that stands for the whole when nothing moves.
    pub poster: Millis,
    /// The colours. Swatch 0 is the background.
    pub palette: Palette,
    /// Title, for the page and for assistive technology.
    pub title: String,
    /// What there is to see, in a few sentences.
    pub description: String,
    /// What happens, line by line.
    pub transcript: Vec<Transcript>,
    /// The scenarios, in the order in which they are played.
    pub chapters: Vec<Chapter>,
    /// Drawn first, always, in order.
    pub backdrop: Vec<Item>,
    /// Drawn after it, in the order of their layers, then of this list.
    pub sprites: Vec<Sprite>,
    /// What can be told of it to those who ask; nothing of it is drawn.
    #[serde(default)]
    pub about: About,
}

/// One scenario's stretch of the film.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chapter {
    /// The scenario's id.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Where it begins.
    pub start: Millis,
    /// Where it ends.
    pub end: Millis,
    /// Where its steps begin: for stepping, scrub marks and stills.
    pub steps: Vec<Millis>,
}

/// A line of the transcript.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transcript {
    /// When its caption appears.
    pub at: Millis,
    /// Engine time then, as shown on the clock.
    pub clock: String,
    /// What is said.
    pub text: String,
}

/// A few primitives that belong together and have a meaning together.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Item {
    /// What it is, such as `node`, `edge`, `group`, `packet`, `caption`, `clock`, `panel`, and
    /// further words that tell its kind, such as `role-broker`: classes for a site's own CSS.
    pub class: String,
    /// The topology's id of what it shows.
    pub id: Option<String>,
    /// Its name for assistive technology, and its tooltip: `Broker 1 (Leader p0,p1),
    /// broker, running`.
    pub name: Option<String>,
    /// What is drawn, in order.
    pub primitives: Vec<Primitive>,
}

/// Which sprites are drawn above which.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum Layer {
    /// Connections that appear.
    Edges,
    /// Node states, badges, panels.
    #[default]
    Nodes,
    /// Packets.
    Packets,
    /// Words at a node, captions, the clock.
    Words,
}

/// Something that is seen at times, and may move.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sprite {
    /// What is drawn. If it moves, around the origin (0, 0).
    pub item: Item,
    /// Above or below what.
    pub layer: Layer,
    /// When it is seen: sorted, not touching, within the film. Empty means always.
    pub windows: Vec<Window>,
    /// How it moves; `None` means it stays where it is drawn.
    pub motion: Option<Motion>,
}

/// From `start` (included) to `end` (excluded).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Window {
    /// First moment seen.
    pub start: Millis,
    /// First moment no longer seen.
    pub end: Millis,
}

/// A way, travelled once in each window of the sprite, at constant speed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Motion {
    /// The corners of the way; rounded corners are already broken into short straight
    /// pieces, so that every renderer follows the very same line.
    pub path: Vec<Point>,
}
