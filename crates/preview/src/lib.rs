//! The picture at the desk: a local page that follows every save.
//!
//! ```text
//!   folder ──watch──► changed ──render (a caller's own)──► Board ──events──► page, player
//! ```
//!
//! - [`Watch`] tells when a script, or anything beside it that it may import, was saved: however
//!   the editor saves, and also where a file system tells nothing.
//! - [`Board`] holds the last good picture of each script and its last mistake, for any number of
//!   pages.
//! - [`Server`] shows it on the loopback interface. It serves the board and the player, never a
//!   file; it answers only who calls it by a name of this machine, so that no other site's page
//!   can read it.
//! - [`Playground`] is a page on which scripts are written, in the place of files.
//!
//! How a script becomes a picture is none of this crate's business: whoever starts it says. Pages
//! are told by server-sent events, which browsers reconnect by themselves; HTTP is read by
//! `httparse` and answered by hand, since all there is to it are a few short GETs, and POSTs of a script.

// The rim: files, threads, sockets and the clock are this crate's business.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod board;
mod http;
mod imports;
mod playground;
mod server;
mod watch;

pub use board::Board;
pub use playground::{Compile, Form, Made, Order, Playground};
pub use server::Server;
pub use watch::Watch;
