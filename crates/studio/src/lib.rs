//! The main road, in memory: a script in, films and pictures out.
//!
//! ```text
//!   script ──► Production (topology, cluster) ──choose, play──► Played ──► scene ──► film
//!                                                                                      │
//!              bundle, page (Reel), SVG, PNG, GIF (picture) ◄──────────────────────────┘
//! ```
//!
//! Each step is one call into one crate; here they only stand in their order, so that the command
//! line and the playground's page draw the same picture of the same script, byte for byte. It
//! reads and writes no file, knows no terminal and tells nobody anything: what is wrong is
//! returned as diagnostics.
//!
//! [`Desk`] is the whole road as one object, for a page: compile, then make files. On wasm,
//! `page.rs` exports it; `web/playground/worker.ts` calls that.

mod desk;
mod letters;
#[cfg(target_arch = "wasm32")]
mod page;
pub mod picture;
mod problem;
mod production;
mod reel;
mod stories;

pub use desk::{Desk, Form, Order};
pub use letters::{bundled, is_lacking, unknown};
pub use problem::{Problem, fresh};
pub use production::{Dress, Production};
pub use reel::{Reel, View};
pub use stories::{Account, Played, Unknown, seconds};
