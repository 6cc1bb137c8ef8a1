//! Text measured, wrapped and outlined with the bundled fonts.
//!
//! Every stage must agree on how wide a label is: layout when it makes room, the SVG that
//! a browser sets, the pixels we draw ourselves. So measuring uses metrics that were
//! baked from the very font files we embed, pair kerning included, and gives the same
//! number everywhere. HarfBuzz is the judge: a golden file holds its widths.
//!
//! ```text
//!   assets/fonts ──► text ──width, wrap──► layout, animate
//!                      └─────outline, subset──► raster, svg
//! ```
//!
//! [`width`] and [`wrap`] answer layout, [`outline`] gives the shapes of a line to a
//! rasteriser, [`subset`] a small font file to an SVG. Text is one direction and one
//! style per call; there is no shaping beyond kerning, composed accents and runs that are
//! written from right to left.
//!
//! ```
//! use topomotion_text::{Face, width, wrap};
//!
//! let wrapped = wrap(Face::Regular, 14.0, "order-events-compacted", 100.0, 2);
//! assert_eq!(wrapped.lines, ["order-events-", "compacted"]);
//! assert_eq!(wrapped.width, width(Face::Regular, 14.0, "order-events-"));
//! ```

mod characters;
mod clusters;
mod face;
mod glyphs;
mod measure;
mod metrics;
mod outline;
mod ranges;
mod spare;
mod subset;
mod visual;
mod wrap;

pub use self::clusters::{Cluster, clusters};
pub use self::face::{Face, family, font_bytes, weight};
pub use self::measure::{LineMetrics, covers, line_metrics, width};
pub use self::outline::{PathCommand, outline, outline_with};
pub use self::spare::{NotAFont, SpareFont};
pub use self::subset::subset;
pub use self::wrap::{Wrapped, ellipsize, wrap};
