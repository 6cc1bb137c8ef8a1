//! What is seen at one moment.

use crate::{Item, Palette, Point, Size};

/// Everything to draw for one moment, in drawing order.
#[derive(Debug, Clone, PartialEq)]
pub struct DisplayList<'a> {
    /// Extent of the picture, px.
    pub size: Size,
    /// The colours; swatch 0 is the background.
    pub palette: &'a Palette,
    /// What to draw.
    pub items: Vec<Placed<'a>>,
}

/// An item, moved by `offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placed<'a> {
    /// What.
    pub item: &'a Item,
    /// By how much, px.
    pub offset: Point,
}
