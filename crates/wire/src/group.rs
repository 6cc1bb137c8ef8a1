//! Consumer groups as facts: what a coordinator holds true of one, and what a member believes.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::TopicPartition;

/// A group's state at its coordinator (GRP-2, GRP-11).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GroupState {
    /// No members; committed offsets may remain.
    Empty,
    /// Classic: members are asked to join again.
    PreparingRebalance,
    /// Classic: all have joined, the leader's assignment is awaited.
    CompletingRebalance,
    /// KIP-848: the target assignment is being computed.
    Assigning,
    /// KIP-848: members have not all reached the target yet.
    Reconciling,
    /// Everybody has what was assigned.
    Stable,
    /// Gone.
    Dead,
}

/// A member as the coordinator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupMember {
    /// `member.id`.
    pub id: Arc<str>,
    /// `client.id`.
    pub client: Arc<str>,
    /// `group.instance.id` of a static member (GRP-7).
    pub instance: Option<Arc<str>>,
    /// The member's own epoch (KIP-848), or the group's generation.
    pub epoch: i32,
    /// What is assigned to it.
    pub assigned: Vec<TopicPartition>,
}

/// A group as its coordinator sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupView {
    /// State.
    pub state: GroupState,
    /// Generation (classic) or group epoch (KIP-848).
    pub generation: i32,
    /// The classic leader's `member.id`.
    pub leader: Option<Arc<str>>,
    /// The assignor that was agreed on, or the protocol's name.
    pub protocol: Option<Arc<str>>,
    /// Members by id.
    pub members: BTreeMap<Arc<str>, GroupMember>,
}

/// How the partitions that a member believes to own changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ownership {
    /// `onPartitionsAssigned`.
    Assigned,
    /// `onPartitionsRevoked`.
    Revoked,
    /// `onPartitionsLost`: taken away without a word.
    Lost,
}

/// A member's own belief, after a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberView {
    /// Its `member.id`, once it has one.
    pub member: Arc<str>,
    /// Generation or member epoch; −1 outside the group.
    pub generation: i32,
    /// What changed.
    pub change: Ownership,
    /// The partitions that changed hands.
    pub partitions: Vec<TopicPartition>,
    /// All that it owns now.
    pub owned: Vec<TopicPartition>,
}
