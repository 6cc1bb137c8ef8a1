//! What can be drawn: a few primitives, and colours by name.

use serde::{Deserialize, Serialize};

use crate::{Point, Rect};

/// An opaque sRGB colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// One named colour in both themes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swatch {
    /// Its name, usable as a CSS custom property: `broker-fill`.
    pub name: String,
    /// In the light theme.
    pub light: Rgb,
    /// In the dark theme.
    pub dark: Rgb,
}

/// The colours of an animation. [`Paint::swatch`] is an index into `swatches`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Palette {
    /// Every colour that is used.
    pub swatches: Vec<Swatch>,
}

/// A colour of the palette, with an opacity.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Paint {
    /// Index into [`Palette::swatches`].
    pub swatch: u16,
    /// 0 (unseen) to 1 (opaque).
    pub opacity: f32,
}

/// How a line is drawn. Joins and caps are round.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stroke {
    /// Its colour.
    pub paint: Paint,
    /// Its width, px.
    pub width: f64,
    /// Dash and gap lengths, px; empty means unbroken.
    pub dash: Vec<f64>,
}

/// A bundled font.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "kebab-case")]
pub enum FontFace {
    /// Inter 400.
    #[default]
    Regular,
    /// Inter 600.
    SemiBold,
    /// JetBrains Mono 400.
    Mono,
}

/// Which point of a text its position names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anchor {
    /// The left end of the baseline.
    #[default]
    Start,
    /// Its middle.
    Middle,
    /// Its right end.
    End,
}

/// A step of a path, in absolute coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PathCommand {
    /// Lift the pen.
    Move(Point),
    /// A straight line.
    Line(Point),
    /// A quadratic curve: control point, end.
    Quad(Point, Point),
    /// A cubic curve: two control points, end.
    Cubic(Point, Point, Point),
    /// Back to where the pen was last lifted to.
    Close,
}

/// Something drawn.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Primitive {
    /// A rectangle, its corners rounded.
    Rect {
        /// Where.
        rect: Rect,
        /// Corner radius, px.
        radius: f64,
        /// Inside.
        fill: Option<Paint>,
        /// Border, centred on the edge.
        stroke: Option<Stroke>,
    },
    /// A circle.
    Circle {
        /// Middle.
        center: Point,
        /// Radius, px.
        radius: f64,
        /// Inside.
        fill: Option<Paint>,
        /// Border, centred on the edge.
        stroke: Option<Stroke>,
    },
    /// A path; its inside by the non-zero rule.
    Path {
        /// Its steps.
        commands: Vec<PathCommand>,
        /// Inside.
        fill: Option<Paint>,
        /// Line.
        stroke: Option<Stroke>,
    },
    /// One line of text in a bundled font.
    Text {
        /// On the baseline, by `anchor`.
        at: Point,
        /// Which point of the text `at` names.
        anchor: Anchor,
        /// The text.
        text: String,
        /// Font.
        face: FontFace,
        /// Font size, px.
        size: f64,
        /// Measured width, px.
        width: f64,
        /// Colour.
        paint: Paint,
    },
}
