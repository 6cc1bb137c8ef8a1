//! The group coordinator: one partition of `__consumer_offsets`.
//!
//! It keeps the groups whose names hash to the partition (GRP-1): classic ones, whose members
//! join and divide the partitions among themselves, and those of KIP-848, whose assignment
//! the coordinator computes; and the offsets that all of them commit. GRP-2 to GRP-7, GRP-11
//! to GRP-14, TXN-9.

mod config;
mod machine;

pub use config::{GroupConfig, GroupVersion};
pub use machine::GroupShard;
