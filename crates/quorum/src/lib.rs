//! One KRaft voter or observer: it keeps this node's copy of the metadata log, and elects and
//! follows the quorum's leader.
//!
//! A [`Quorum`] is a deterministic state machine inside a node. Peers are node ids; the node
//! owns the connections and the disk. It is **not** the controller: what the records mean is
//! decided elsewhere; a snapshot of it is made there, and kept and handed on here.
//!
//! ```text
//!               ┌────────────────────── node ──────────────────────┐
//!   peers ◄───► │ connections ◄─► Quorum ── Committed, Elected ─► controller, image │
//!               └────────────────────── disk ──────────────────────┘
//! ```
//!
//! Three kinds of methods: `handle_*` and [`Quorum::tick`] take what happened,
//! [`Quorum::append`], [`Quorum::resign`] and [`Quorum::snapshot`] are the controller's
//! commands, and [`Quorum::poll`] says what to do about it; drain it after each of the others.
//!
//! Requests and replies wait inside until everything written before them is flushed (RAFT-1),
//! so the owner may send whatever `poll` returns at once.
//!
//! ```
//! use topomotion_quorum::{Quorum, QuorumConfig, QuorumOutput};
//! use topomotion_wire::{Bytes, DiskOp, Files, Instant, NodeId, Offset, Random};
//!
//! // A single voter elects itself as soon as its disk has answered.
//! let config = QuorumConfig::new(NodeId(1), vec![NodeId(1)]);
//! let now = Instant::ZERO;
//! let mut quorum = Quorum::recover(config, &Files::new(), now, Random::new(1, 1))?;
//! let drain = |quorum: &mut Quorum| {
//!     while let Some(output) = quorum.poll() {
//!         if let QuorumOutput::Disk(DiskOp::Flush { token, .. }) = output {
//!             quorum.handle_flushed(now, token);
//!         }
//!     }
//! };
//! drain(&mut quorum);
//! assert!(quorum.is_leader());
//!
//! let info = quorum.append(now, &[Bytes::from_static(b"record")])?;
//! drain(&mut quorum);
//! let committed: Vec<_> = quorum.read_committed(Offset(0)).collect();
//! assert_eq!(committed, [(info.base, Bytes::from_static(b"record"))]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod campaign;
mod config;
mod control;
mod durable;
mod follow;
mod lead;
mod messages;
mod outbox;
mod output;
mod peer;
mod quorum;
mod requests;
mod role;
mod snapshot;
mod snapshots;
mod voters;

pub use config::{CheckQuorum, KraftVersion, PreVote, QuorumConfig};
pub use durable::DamagedState;
pub use messages::{
    METADATA_TOPIC, METADATA_TOPIC_ID, is_for_quorum, is_quorum_admin, metadata_partition,
};
pub use output::{QuorumOutput, ReplyToken};
pub use quorum::{NotLeader, Quorum};
pub use snapshot::SnapshotId;
pub use topomotion_log::AppendInfo;
pub use voters::VoterSet;
