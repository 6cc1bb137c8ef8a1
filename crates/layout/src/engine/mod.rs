//! The engine: a graph with sizes in, places and routes out. The files are its passes.

pub mod axis;
pub mod buckets;
pub mod coordinates;
pub mod grid;
pub mod labels;
pub mod lanes;
pub mod lines;
pub mod manual;
pub mod order;
mod passes;
pub mod rank;
pub mod ranks;
pub mod route;
pub mod settle;
pub mod solve;
pub mod space;
pub mod sweep;
pub mod tree;

pub use passes::{PASSES, Pass, State, run};
