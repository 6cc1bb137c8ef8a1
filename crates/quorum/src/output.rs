//! What a quorum member wants done. It names peers by node id; its owner, a node, has the
//! connections.

use topomotion_wire::{
    DiskOp, Fact, NodeId, Offset, QuorumEpoch, Rule,
    messages::{RequestKind, ResponseKind},
};

use crate::SnapshotId;

/// Pairs a reply with the request it answers. The owner chooses it and gets it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReplyToken(pub u64);

/// What a quorum member wants done, and what it wants known.
#[derive(Debug, Clone, PartialEq)]
pub enum QuorumOutput {
    /// Send a request, dialling the peer if need be. The answer comes back through
    /// [`Quorum::handle_response`](crate::Quorum::handle_response), a failure through
    /// [`Quorum::handle_unreachable`](crate::Quorum::handle_unreachable).
    Send {
        /// Whom.
        to: NodeId,
        /// API version to encode it in.
        version: i16,
        /// What.
        request: RequestKind,
    },
    /// A request to this peer went unanswered for too long: close the connection to it, so
    /// that a late answer cannot be taken for a new one.
    Disconnect {
        /// Whom.
        from: NodeId,
    },
    /// Answer a request.
    Reply {
        /// Which.
        token: ReplyToken,
        /// With what.
        response: ResponseKind,
    },
    /// Write to the node's disk.
    Disk(DiskOp),
    /// A rule of Kafka acted.
    Mark(Rule),
    /// Something became true.
    Fact(Fact),
    /// The log no longer holds, or never held, what this snapshot stands for: throw away what
    /// was read before, take [`Quorum::snapshot_records`](crate::Quorum::snapshot_records)
    /// instead, and go on reading at its end. Also the first thing a member says that was
    /// started on a disk with a snapshot.
    SnapshotLoaded {
        /// Which one.
        snapshot: SnapshotId,
    },
    /// Metadata is committed up to (not including) this offset (RAFT-4): read it with
    /// [`Quorum::read_committed`](crate::Quorum::read_committed).
    Committed {
        /// The high watermark.
        up_to: Offset,
    },
    /// This node leads `epoch` and knows everything committed before: its controller becomes
    /// the active one. Comes after the `Committed` that covers the earlier epochs.
    Elected {
        /// The epoch.
        epoch: QuorumEpoch,
    },
    /// This node no longer leads `epoch`, of which it was told that it leads it.
    Deposed {
        /// The epoch.
        epoch: QuorumEpoch,
    },
    /// The member cannot go on without breaking a promise, as after a disk came back empty: it
    /// has stopped for good, and Kafka would end the process here.
    Fatal {
        /// Why.
        reason: &'static str,
    },
}
