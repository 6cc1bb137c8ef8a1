//! The hand-over types of the drawing half, as plain data.
//!
//! Three types, each between two stages that never import one another:
//!
//! ```text
//!   layout ──► Scene ──► animate ──► Animation ──► svg, raster, viewer
//!             (where)               (what is drawn, and when)   │
//!                                    Animation::sample(t) ──► DisplayList
//! ```
//!
//! - [`Scene`]: where everything is. Sizes and positions, no time, no colours.
//! - [`Animation`]: everything that is ever drawn, each piece with the time windows in which
//!   it is seen and the path along which it moves. Positions, timing and colours are all
//!   decided; a renderer has nothing left to decide.
//! - [`DisplayList`]: what is seen at one moment.
//!
//! There is no behaviour here but [`Animation::sample`] and [`Animation::padded`]. This crate knows neither the
//! topology's meaning nor the engine.

mod about;
mod animation;
mod display;
mod geometry;
mod padded;
mod paint;
mod sample;
mod scene;

pub use about::{About, Fact, Toggle};
pub use animation::{
    Animation, Chapter, Item, Layer, Millis, Motion, Sprite, Transcript, Window,
};
pub use display::{DisplayList, Placed};
pub use geometry::{Point, Rect, Size};
pub use paint::{
    Anchor, FontFace, Paint, Palette, PathCommand, Primitive, Rgb, Stroke, Swatch,
};
pub use scene::{
    Badge, BadgeKind, GroupBox, LabelBox, NodeBox, NodeState, Outline, Route, Scene,
    TextLine,
};
