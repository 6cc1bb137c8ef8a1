//! Where everything is: the result of the layout.
//!
//! Ids are those of the topology. Text is already broken into lines and placed; `label`
//! keeps the full text for tooltips and assistive technology.

use serde::{Deserialize, Serialize};

use crate::{FontFace, Point, Rect, Size};

/// A laid-out topology. Everything keeps the script's order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Scene {
    /// Extent of the whole, margins included.
    pub size: Size,
    /// Groups, parents before children.
    pub groups: Vec<GroupBox>,
    /// Processes.
    pub nodes: Vec<NodeBox>,
    /// Connections, in the order of the topology's edges (those that are shown).
    pub routes: Vec<Route>,
}

/// One line of text, measured and placed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TextLine {
    /// The text.
    pub text: String,
    /// Left end of the baseline.
    pub at: Point,
    /// Measured width, px.
    pub width: f64,
    /// Font size, px.
    pub size: f64,
    /// Font.
    pub face: FontFace,
}

/// A frame around its members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GroupBox {
    /// Group id.
    pub id: String,
    /// The group it stands in.
    pub parent: Option<String>,
    /// 0 for outermost.
    pub depth: usize,
    /// The frame.
    pub rect: Rect,
    /// Full title.
    pub label: String,
    /// The title's place; no edge and no label touches it.
    pub title: Rect,
    /// The title's lines.
    pub lines: Vec<TextLine>,
    /// Border style, as the script wrote it.
    pub style: Option<String>,
    /// Colour, as the script wrote it.
    pub color: Option<String>,
    /// Details.
    pub description: Option<String>,
}

/// A process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeBox {
    /// Process id.
    pub id: String,
    /// The group it stands in.
    pub group: Option<String>,
    /// The whole node: body and panel.
    pub rect: Rect,
    /// The body: outline, icon, label, badges.
    pub body: Rect,
    /// Room reserved below the body for what a scenario shows.
    pub panel: Option<Rect>,
    /// Outline of the body.
    pub outline: Outline,
    /// What it is, for its colours and its icon: `broker`, `producer`, …, `service`.
    pub role: String,
    /// Colour, as the script wrote it, instead of its role's.
    pub color: Option<String>,
    /// Icon name and place.
    pub icon: Option<(String, Rect)>,
    /// Full label.
    pub label: String,
    /// The label's lines.
    pub lines: Vec<TextLine>,
    /// Place of the state dot.
    pub dot: Rect,
    /// How it is doing at the start.
    pub state: NodeState,
    /// Badges: shards, shard role.
    pub badges: Vec<Badge>,
    /// Outside one's own hands.
    pub external: bool,
    /// Details.
    pub description: Option<String>,
}

/// The outline of a node's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outline {
    /// A rounded box.
    #[default]
    Box,
    /// A drum.
    Cylinder,
    /// A rhombus.
    Diamond,
    /// A cloud.
    Cloud,
    /// Six corners.
    Hexagon,
    /// A slanted box.
    Parallelogram,
    /// A circle (or an ellipse, if the label needs it).
    Circle,
}

impl Outline {
    /// How far the sides of a [`Parallelogram`](Outline::Parallelogram) in this box lean, px.
    pub fn slant(body: &Rect) -> f64 {
        (body.width * 0.14).min(body.height * 0.35)
    }
}

/// How a node is doing.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum NodeState {
    /// Well.
    #[default]
    Running,
    /// In doubt.
    Warning,
    /// Failing.
    Error,
    /// Down.
    Stopped,
}

/// A small text in a frame on a node's body.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Badge {
    /// What it tells.
    pub kind: BadgeKind,
    /// Its frame.
    pub rect: Rect,
    /// Its text.
    pub line: TextLine,
}

/// What a badge tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BadgeKind {
    /// A shard's or partition's name.
    Shard,
    /// Leads its shards.
    Primary,
    /// Follows.
    Replica,
    /// Votes only.
    Arbiter,
}

/// A connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// Its place in the topology's edges.
    pub edge: usize,
    /// The dialling end: a process id, or a group id where the script connected a group.
    pub source: String,
    /// The dialled end.
    pub target: String,
    /// The line from the source's border to the target's border; segments are horizontal
    /// or vertical, corners are to be rounded by `radius`.
    pub points: Vec<Point>,
    /// Radius of its corners, px.
    pub radius: f64,
    /// Its label.
    pub label: Option<LabelBox>,
    /// Protocol, as the script wrote it.
    pub protocol: Option<String>,
    /// The script's `type`, e.g. `pulse`.
    pub kind: Option<String>,
    /// Line style, as the script wrote it.
    pub style: Option<String>,
    /// Colour, as the script wrote it.
    pub color: Option<String>,
}

/// An edge's label.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelBox {
    /// Full text.
    pub text: String,
    /// Its place; nothing else touches it.
    pub rect: Rect,
    /// Its lines.
    pub lines: Vec<TextLine>,
}
