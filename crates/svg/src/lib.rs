//! Still and animated SVG: a film as one self-contained file that moves without script.
//!
//! Everything has been decided before: an [`Animation`] says what is drawn, where, when and
//! in which colours. This crate only writes it down, in a form that works inside `<img>`: plain
//! text elements, no `foreignObject`, no script, no link to anything outside.
//!
//! ```text
//!   animate ──► Animation ──► svg ──► one .svg file (README, slide, docs page)
//! ```
//!
//! - Packets are CSS `offset-path` animations that run once in a loop of the film's length; states
//!   are `visibility` windows. Keyframes are shared by all sprites of equal duration, each shifted
//!   by its own delay; what looks alike and travels again is one element.
//! - `prefers-reduced-motion` and the fragment `#still` show the poster frame instead.
//! - Attributes carry the light colours, so that a reader without CSS still sees the picture; in
//!   [`ThemeChoice::Auto`] a media query repaints it for dark pages.
//! - Every id, class and keyframe name that a style rule uses ends in a digest of the content: two
//!   files inlined into one page do not disturb one another. Ids such as `node-broker-1`, classes
//!   and custom properties that begin with `tm-` are for a site's own style sheet, and stay the
//!   same.
//! - Groups are `graphics-object`s, processes and connections `graphics-symbol`s with a name
//!   (WAI-ARIA Graphics Module); the transcript is the description of the whole.
//!
//! ```
//! use topomotion_scene::{Animation, Size};
//! use topomotion_svg::{Options, render};
//! let size = Size { width: 40.0, height: 20.0 };
//! let animation = Animation { size, title: "<Kafka>".into(), ..Animation::default() };
//! let svg = render(&animation, &Options::default());
//! assert!(svg.starts_with("<svg ") && svg.contains("&lt;Kafka&gt;</title>"));
//! ```

mod document;
mod film;
mod fonts;
mod keyframes;
mod options;
mod pen;
mod text;

use topomotion_scene::{Animation, Millis};

pub use fonts::characters;
pub use options::{Background, EmbeddedFont, Options, Repeat, Size, ThemeChoice};

/// The whole film as one self-contained SVG file. A still picture, if nothing in it ever
/// moves or changes.
pub fn render(animation: &Animation, options: &Options) -> String {
    document::write(animation, options, document::Scope::Film)
}

/// One moment of the film as a still SVG file.
pub fn render_frame(animation: &Animation, at: Millis, options: &Options) -> String {
    document::write(animation, options, document::Scope::Frame(at))
}

#[cfg(test)]
mod tests;
