//! The engine: a graph with sizes in, places and routes out.
//!
//! One file a pass, in this order: `tree`, `arrange` (with `rank` and `shape`), `grid` (or `manual`),
//! `lines`, `route`, `lanes`, then `ranks`, `space`, `solve` and `settle` under `coordinates`,
//! and `labels` between two of those. `passes` runs them.

pub mod arrange;
pub mod axis;
pub mod buckets;
pub mod coordinates;
pub mod goal;
pub mod grid;
pub mod labels;
pub mod lanes;
pub mod lines;
pub mod manual;
mod passes;
pub mod rank;
pub mod ranks;
pub mod route;
pub mod settle;
pub mod shape;
pub mod sights;
pub mod solve;
pub mod space;
pub mod strips;
pub mod sweep;
pub mod tree;

pub use passes::{PASSES, Pass, State, run};
