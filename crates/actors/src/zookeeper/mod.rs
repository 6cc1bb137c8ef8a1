//! A ZooKeeper ensemble, as far as Kafka's controllers of old needed one.
//!
//! ```text
//!   client ──create──► follower ──forward──► leader ──proposal──► followers
//!                         ▲                     │ ◄──── ack ──────────┘
//!                         └──── commit ─────────┘   a majority: it counts, in this order
//! ```
//!
//! Reads are answered by whichever server the client is connected to. The leader alone
//! lets sessions expire: followers tell it whose clients they have heard. Which server leads
//! is settled: the one with the greatest id, as ZooKeeper's own election ends where all have
//! the same log. If it goes down the ensemble answers nobody until it is back; it then takes
//! over the longest history among a majority. Whatever a server does not hold in memory is
//! lost with it.

mod client;
mod server;
mod tree;

pub use server::{ZooKeeperConfig, ZooKeeperServer};

pub(crate) use client::{News, ZkClient};

#[cfg(test)]
mod tests;
