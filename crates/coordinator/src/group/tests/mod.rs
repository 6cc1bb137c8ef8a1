//! The shard at work.
