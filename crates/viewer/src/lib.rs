//! The player for the page: a film as a bundle, and as calls to a canvas.
//!
//! ```text
//!   Animation ──pack, Bundle──► x.topo.json, x.html ──► <topomotion-viewer> (web/)
//!                                                            │ wasm
//!                              Film::unpack ──sample(t)──► DisplayList ──► calls to Canvas 2D
//! ```
//!
//! The page plays the very [`Animation`](topomotion_scene::Animation) that the other renderers
//! draw: it is packed on one side, unpacked on the other, and sampled by the same function. This
//! crate decides nothing: no position, no timing, no colour. Letters travel as outlines, so that
//! the page needs no font and shows what the pixels of `raster` show.
//!
//! It is built twice. For the page, as a wasm module without the feature `write`: [`Film`] and
//! the calls of `page.rs`, with nothing linked but the scene's types. For the command line, with
//! it: [`pack`], [`Bundle`], [`html`](fn@html) and the built player, which `web/build.sh` makes
//! and which is checked in, so that building topomotion needs neither Node nor a wasm toolchain.
//!
//! ```
//! use topomotion_scene::{Animation, Millis, Size};
//! use topomotion_viewer::{Film, pack};
//!
//! let size = Size { width: 40.0, height: 30.0 };
//! let film = Animation { size, duration: Millis(5000), ..Animation::default() };
//! let unpacked = Film::unpack(&pack(&film))?;
//! assert_eq!(unpacked.animation, film);
//! # Ok::<(), topomotion_viewer::Broken>(())
//! ```

#[cfg(feature = "pack")]
mod bundle;
mod bytes;
mod canvas;
mod film;
#[cfg(feature = "pack")]
mod html;
#[cfg(feature = "pack")]
mod pack;
#[cfg(target_arch = "wasm32")]
mod page;

pub use bytes::Broken;
pub use canvas::{Moment, call};
pub use film::Film;

#[cfg(feature = "pack")]
pub use bundle::{Bundle, Scenario, View};
#[cfg(feature = "pack")]
pub use html::{Page, Parts, html};
#[cfg(feature = "write")]
pub use html::{engine, player};
#[cfg(feature = "pack")]
pub use pack::pack;
