//! The engine's nodes on real sockets and real files: a Kafka cluster in one process.
//!
//! [`serve`] runs the same [`Node`](topomotion_broker::Node)s that the simulator runs. It gives
//! them what they have not: the time, connections, a disk. Every broker has a listener of its
//! own on the loopback interface; among themselves the nodes are connected within the process.
//!
//! It takes **no protocol decision**: what a frame means and what is answered is the nodes'
//! business. What is decided here is who may speak when: how much of one connection is read
//! before its answers are out, how long it may be silent, and what happens when bytes come in
//! that are no Kafka.
//!
//! ```text
//!   clients ──TCP──► connection ──frames──► Cluster ──Input──► Node
//!                        ▲                    │  ▲               │
//!                        └──────── bytes ─────┘  └─── Output ────┤
//!                                   FileDisk ◄─── DiskOp ────────┘
//! ```
//!
//! One thread drives all nodes, so that nothing waits for a lock; only flushes to the platter
//! are made beside it.
//!
//! The central types are [`HostConfig`] (what to serve), [`FileDisk`] (Kafka's directories as a
//! [`Disk`](topomotion_log::Disk)) and [`HostError`] (why it does not, or no longer, serve).
//!
//! ```no_run
//! use topomotion_host::{Durability, HostConfig, Security, Storage, asked_to_stop, serve};
//!
//! let config = HostConfig {
//!     brokers: 3,
//!     port: 9092,
//!     control: None,
//!     schema_registry: None,
//!     storage: Storage::Memory,
//!     durability: Durability::PageCache,
//!     security: Security::default(),
//!     settings: HostConfig::settings_for(3),
//! };
//! // Serves until SIGINT or SIGTERM.
//! serve(
//!     &config,
//!     asked_to_stop,
//!     |ready| println!("bootstrap.servers={}", ready.bootstrap()),
//!     |line| eprintln!("{line}"),
//! )?;
//! # Ok::<(), topomotion_host::HostError>(())
//! ```
// The rim: the clock, sockets, files and threads are this crate's business.
#![allow(clippy::disallowed_methods, clippy::disallowed_types)]

mod clock;
mod cluster;
mod config;
mod connection;
mod control;
mod data_dir;
mod disk;
mod entropy;
mod errand;
mod error;
mod flusher;
mod member;
mod outbox;
mod registry;
mod room;
mod sasl;
mod secrets;
mod server;
mod signals;
mod store;
mod tls;
mod upstream;
mod watch;
mod wire;

pub use cluster::Hurt;
pub use config::{Durability, HostConfig, Security, Storage};
pub use control::Control;
pub use disk::FileDisk;
pub use errand::serve_one;
pub use error::HostError;
pub use sasl::{Mechanism, Sasl, User};
pub use server::{Ready, serve, serve_watched};
pub use signals::asked_to_stop;
pub use tls::Tls;
pub use topomotion_broker::AutoCreateTopics;
pub use topomotion_wire::{Fact, Instant, Rule, TopicPartition};
pub use upstream::{Upstream, listen_in};
pub use watch::{Parcel, Saying, Watch};
