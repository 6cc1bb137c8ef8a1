//! Pixels: PNG stills and GIF films, without a browser.
//!
//! ```text
//!   Animation ──sample(t)──► DisplayList ──► raster ──► PNG, GIF
//!                                             │
//!                              text::outline ─┘
//! ```
//!
//! This crate decides nothing: no position, no timing, no colour. It fills and strokes what a
//! [`DisplayList`](topomotion_scene::DisplayList) names, with text as the outlines that were
//! measured. It is not a general SVG renderer, and it reads and writes no file.
//!
//! - [`png`] draws one moment exactly.
//! - [`gif`] draws a film fast: the backdrop once, each sprite once; a frame only restores and
//!   redraws the rectangles in which something changed. One palette serves all frames, and
//!   pixels that stay are transparent. What moves is snapped to whole pixels, which packs better.
//! - [`Canvas`] is the incremental picture beneath [`gif`], for others who want frames.
//!
//! The same animation gives the same bytes, on every machine.
//!
//! ```
//! use topomotion_raster::{PngOptions, png};
//! use topomotion_scene::{Animation, Millis, Size};
//!
//! let film = Animation { size: Size { width: 40.0, height: 30.0 }, ..Animation::default() };
//! let bytes = png(&film, Millis(0), &PngOptions::default())?;
//! assert_eq!(&bytes[1..4], b"PNG");
//! # Ok::<(), topomotion_raster::Error>(())
//! ```

mod area;
mod bounds;
mod canvas;
mod draw;
mod error;
mod extent;
mod gif;
mod histogram;
mod lzw;
mod options;
mod palette;
mod paths;
mod png;
mod stamp;
mod timing;

pub use canvas::Canvas;
pub use error::Error;
pub use gif::gif;
pub use options::{Background, Fit, GifOptions, Loops, PngOptions, Theme};
pub use png::png;
