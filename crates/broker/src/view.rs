//! Read-only views of a node, for the picture and for the checkers.
//!
//! Plain data, copied out; nothing in the engine reads it.

use topomotion_wire::{
    BrokerEpoch, LeaderEpoch, NodeId, Offset, PartitionEpoch, ReplicaRole, TopicId,
    TopicPartition,
};

/// One partition as its replica on this node sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicaView {
    /// Which partition.
    pub partition: TopicPartition,
    /// Its topic's id.
    pub topic_id: TopicId,
    /// What this node does for it.
    pub role: ReplicaRole,
    /// Since which leadership.
    pub leader_epoch: LeaderEpoch,
    /// The registration last applied here.
    pub partition_epoch: PartitionEpoch,
    /// First offset in the log.
    pub log_start: Offset,
    /// Next offset to write (REP-1).
    pub log_end: Offset,
    /// First offset not known to be replicated (REP-1).
    pub high_watermark: Offset,
    /// Where readers of committed records stop (TXN-7).
    pub last_stable: Offset,
    /// The ISR as last committed, as far as known here.
    pub isr: Vec<NodeId>,
    /// The ISR that counts for the high watermark: with what is proposed (REP-3). On a
    /// follower the same as `isr`.
    pub maximal_isr: Vec<NodeId>,
}

/// Where a broker is in its life (CTL-8, CTL-10).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BrokerStatus {
    /// This node holds no partitions.
    NotABroker,
    /// Asks the active controller for a registration.
    Registering,
    /// Registered under this epoch, and fenced: not yet (or no longer) serving.
    Fenced(BrokerEpoch),
    /// Serves under this epoch.
    Running(BrokerEpoch),
    /// Gives its leaderships away before it stops (CTL-11).
    ShuttingDown(BrokerEpoch),
    /// Nobody needs it any more: its process may end now, and has ended cleanly then.
    Stopped(BrokerEpoch),
}
