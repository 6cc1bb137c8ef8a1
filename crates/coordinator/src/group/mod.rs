//! The group coordinator: one partition of `__consumer_offsets`.
//!
//! It keeps the groups whose names hash to the partition (GRP-1): classic ones, whose members
//! join and divide the partitions among themselves, and those of KIP-848, whose assignment
//! the coordinator computes; and the offsets that all of them commit. GRP-2 to GRP-7, GRP-11
//! to GRP-14, TXN-9.
//!
//! Not served: subscriptions by pattern, and moving a group with members from one protocol to
//! the other (`group.consumer.migration.policy=disabled`); a group without members moves.

use std::collections::BTreeSet;

use topomotion_wire::TopicId;

mod admin;
mod answers;
mod classic;
mod codec;
mod commit;
mod config;
mod consumer;
mod expire;
mod fetch;
#[expect(clippy::module_inception, reason = "a group is what it holds")]
mod group;
mod ids;
mod load;
mod machine;
mod offsets;
mod outbox;
mod records;
mod requests;
#[cfg(test)]
mod tests;

pub use config::{GroupConfig, GroupVersion};
pub use machine::GroupShard;

/// Partitions by topic id, as KIP-848 has them.
type Partitions = BTreeSet<(TopicId, i32)>;
