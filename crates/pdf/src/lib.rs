//! Pages: a film's moments as PDF, with text that can be selected and searched.
//!
//! ```text
//!   Animation ──sample(t)──► DisplayList ──► pdf ──► one page for each moment
//!                                             │
//!                        text::clusters, subset
//! ```
//!
//! Like every renderer this crate decides nothing: shapes, colours and positions are those of
//! the display list, and letters stand where they were measured. Fonts are embedded with only
//! the glyphs that the pages show; each maps back to its characters. What no bundled font has
//! is drawn as [`topomotion_text::outline`] draws it, and still copies as what it stands for.
//!
//! One px is 0.75 pt, as in print from a browser. There is no date and no random id in the
//! file: the same film gives the same bytes.
//!
//! ```
//! use topomotion_pdf::{Options, pdf};
//! use topomotion_scene::{Animation, Millis, Size};
//!
//! let film = Animation { size: Size { width: 40.0, height: 30.0 }, ..Animation::default() };
//! let bytes = pdf(&film, &[Millis(0)], &Options::default())?;
//! assert_eq!(&bytes[..5], b"%PDF-");
//! # Ok::<(), topomotion_pdf::Error>(())
//! ```

mod document;
mod error;
mod fonts;
mod options;
mod page;
mod shapes;

pub use document::pdf;
pub use error::Error;
pub use options::{Background, Options, Size, Theme};

#[cfg(test)]
mod tests;
