//! The engine for the page: a run of a film taken over at a moment, hurt, healed and continued.
//!
//! ```text
//!   render --live ──► Live (scene, run files) ──► bundle ──► <topomotion-viewer> "Take over"
//!                                                                │ wasm
//!                     Live::play(story, Branch) ──► Take { film, clock, … } ──► the player
//! ```
//!
//! Nothing is stopped and started again, and nothing is kept: a [`Branch`] says at which instant a
//! run was taken over and what was done since, and every [`Take`] is played from the beginning, by
//! the engine that made the film, with the same seed. So the past is the film's own, whatever was
//! done later; to go back in time is to leave deeds out; and what was done is a scenario that a
//! script can hold ([`Take::script`]).
//!
//! It is not a second engine, and decides nothing about pictures: `sim` plays, `verify` judges,
//! `animate` draws. The script engine is not in it: what it needs of a script, the command line
//! has written down.

mod branch;
mod live;
#[cfg(target_arch = "wasm32")]
mod page;
mod saved;

pub use branch::{Branch, Deed};
pub use live::{Live, Process, Story, Take, Topic};
#[cfg(test)]
mod tests;
