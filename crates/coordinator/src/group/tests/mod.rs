//! The shard at work: small stories over a rig that plays log, high watermark and clock.

mod classic;
mod classic_member;
mod commits;
mod consumer;
mod consumer_member;
mod offsets;
mod rig;
mod storm_classic;
mod storm_consumer;
