//! Design tokens: every size and distance that a reader's eye may notice, in px.

use topomotion_text::Face;

/// Width by height that a picture should come near to: a page, a slide.
pub const ASPECT_RATIO: f64 = 1.6;

/// From a group's top border to its title.
pub const TITLE_TOP: f64 = 9.0;
/// From a group's left border to its title.
pub const TITLE_LEFT: f64 = 14.0;
/// From a title to what stands below it.
pub const TITLE_BELOW: f64 = 12.0;

/// A kind of text: face, size, and where it is wrapped and cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Style {
    /// Font.
    pub face: Face,
    /// Font size.
    pub size: f64,
    /// Widest line.
    pub max_width: f64,
    /// Most lines.
    pub max_lines: usize,
}

/// A node's label.
pub const LABEL: Style =
    Style { face: Face::SemiBold, size: 13.0, max_width: 150.0, max_lines: 4 };
/// A group's title.
pub const TITLE: Style =
    Style { face: Face::SemiBold, size: 12.0, max_width: 260.0, max_lines: 2 };
/// An edge's label.
pub const EDGE_LABEL: Style =
    Style { face: Face::Regular, size: 11.0, max_width: 140.0, max_lines: 3 };
/// A badge's text.
pub const BADGE: Style =
    Style { face: Face::Mono, size: 10.5, max_width: 96.0, max_lines: 1 };

/// Least width of a body.
pub const BODY_WIDTH: f64 = 120.0;
/// Least height of a body.
pub const BODY_HEIGHT: f64 = 46.0;
/// Between a body's border and what stands inside.
pub const BODY_PADDING: f64 = 12.0;
/// Side of an icon.
pub const ICON: f64 = 20.0;
/// Between the icon and the label, and between the label and the state dot.
pub const ICON_GAP: f64 = 8.0;
/// Diameter of the state dot.
pub const DOT: f64 = 8.0;
/// Height of a badge.
pub const BADGE_HEIGHT: f64 = 17.0;
/// Left and right of a badge's text.
pub const BADGE_PADDING: f64 = 6.0;
/// Between badges, and between them and the label.
pub const BADGE_GAP: f64 = 5.0;
/// Most rows of badges; what is left over is counted in a last one.
pub const BADGE_ROWS: usize = 2;
/// Around an edge's label.
pub const EDGE_LABEL_PADDING: f64 = 4.0;
/// Radius of an edge's corners.
pub const CORNER: f64 = 8.0;
/// How much wider the widest body of a group may be than its narrowest, that they all are
/// given the same width.
pub const SIMILAR: f64 = 1.45;

/// Height of a drum's lid.
pub const LID: f64 = 8.0;
/// How far a parallelogram leans.
pub const LEAN: f64 = 16.0;
