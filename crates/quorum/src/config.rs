//! Settings of a quorum member, with Kafka's names and defaults (RAFT-9).

use std::collections::BTreeMap;

use topomotion_wire::{Duration, Endpoint, NodeId};

use crate::voters::VoterSet;

/// Whether a voter asks before it raises the epoch (KIP-996, RAFT-3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PreVote {
    /// It asks: Kafka since 4.0.
    On,
    /// It raises the epoch at once: the era before.
    Off,
}

/// Whether a leader steps down when no majority fetches from it (RAFT-7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckQuorum {
    /// It does: Kafka since 3.7.
    On,
    /// It never does: the era before.
    Off,
}

/// Whether the voter set can change while the cluster runs: the feature `kraft.version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KraftVersion {
    /// 0: the voters are those of the settings, for ever. A cluster that was set up with
    /// `controller.quorum.voters`, and every cluster before Kafka 3.9.
    #[default]
    Static,
    /// 1: the voters are recorded in the log and can be added and removed (KIP-853). The
    /// settings name only the first ones.
    Reconfigurable,
}

/// Settings of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumConfig {
    /// `node.id`.
    pub node: NodeId,
    /// `controller.quorum.voters`. A node that is not among them is an observer: it follows
    /// the log and has no vote. Where voters can change these are the first ones, and whom a
    /// newcomer asks for the leader (`controller.quorum.bootstrap.servers`).
    pub voters: Vec<NodeId>,
    /// Where nodes listen that are, or may become, voters; this node among them. Written
    /// into the voter set, so that others can reach them.
    pub endpoints: BTreeMap<NodeId, Endpoint>,
    /// Whether the voters can change.
    pub kraft_version: KraftVersion,
    /// `metadata.max.retention.bytes` (100 MiB): when log and snapshots are larger, the oldest
    /// snapshot goes, and the log before the next one.
    pub max_retention_bytes: u64,
    /// `controller.quorum.election.timeout.ms` (1000): how long an election may take; a
    /// random time up to the same is added.
    pub election_timeout: Duration,
    /// `controller.quorum.election.backoff.max.ms` (1000): longest wait of a successor that
    /// is not first in line (RAFT-8).
    pub election_backoff_max: Duration,
    /// `controller.quorum.fetch.timeout.ms` (2000): a follower without an answer from its
    /// leader for so long starts an election.
    pub fetch_timeout: Duration,
    /// `controller.quorum.request.timeout.ms` (2000): an unanswered request is given up.
    pub request_timeout: Duration,
    /// `controller.quorum.retry.backoff.ms` (20): wait before the first retry; it doubles
    /// with each further failure, up to [`QuorumConfig::retry_backoff_max`].
    pub retry_backoff: Duration,
    /// `reconnect.backoff.max.ms` (1000): the network client's limit.
    pub retry_backoff_max: Duration,
    /// How long a fetch may wait at the leader (500 ms, fixed in Kafka).
    pub fetch_max_wait: Duration,
    /// How much one fetch may return (8 MiB, fixed in Kafka).
    pub fetch_max_bytes: i32,
    /// Era switch.
    pub pre_vote: PreVote,
    /// Era switch.
    pub check_quorum: CheckQuorum,
}

impl QuorumConfig {
    /// Kafka's defaults for `node` in a quorum of `voters`.
    pub fn new(node: NodeId, voters: Vec<NodeId>) -> QuorumConfig {
        QuorumConfig {
            node,
            voters,
            endpoints: BTreeMap::new(),
            kraft_version: KraftVersion::Static,
            max_retention_bytes: 100 << 20,
            election_timeout: Duration::from_millis(1_000),
            election_backoff_max: Duration::from_millis(1_000),
            fetch_timeout: Duration::from_millis(2_000),
            request_timeout: Duration::from_millis(2_000),
            retry_backoff: Duration::from_millis(20),
            retry_backoff_max: Duration::from_millis(1_000),
            fetch_max_wait: Duration::from_millis(500),
            fetch_max_bytes: 8 << 20,
            pre_vote: PreVote::On,
            check_quorum: CheckQuorum::On,
        }
    }

    /// The voters that the settings name.
    pub(crate) fn initial_voters(&self) -> VoterSet {
        let endpoint = |id: &NodeId| (*id, self.endpoints.get(id).cloned());
        VoterSet::new(self.voters.iter().map(endpoint))
    }
}
