//! What an onlooker sees of one state: logs as they lie on the disks, and what each node says
//! of itself. The invariants are judged from this and from nothing else.

use topomotion_quorum::metadata_partition;
use topomotion_wire::{
    BrokerEpoch, LeaderEpoch, NodeId, PartitionEpoch, PartitionState, ReplicaRole,
};

use crate::disk::Entry;
use crate::history::History;
use crate::host::Host;
use crate::setup::partition;
use crate::world::World;

/// A node's part in the metadata quorum.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// What it says is committed: everything before this offset.
    pub high_watermark: i64,
}

/// A node's replica of the partition, as it sees itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copy {
    /// Whether it leads.
    pub leads: bool,
    /// Since which leadership.
    pub leader_epoch: LeaderEpoch,
    /// The registration that it knows.
    pub partition_epoch: PartitionEpoch,
    /// What it says is replicated: everything before this offset.
    pub high_watermark: i64,
    /// The ISR that it counts on.
    pub maximal_isr: Vec<NodeId>,
}

/// One node.
#[derive(Debug, Clone)]
pub struct Seen<'a> {
    /// Which.
    pub id: NodeId,
    /// The metadata log on its disk.
    pub metadata: &'a [Entry],
    /// The partition's log on its disk.
    pub log: &'a [Entry],
    /// The registration of the partition that it has applied, if its process lives.
    pub registration: Option<PartitionState>,
    /// If its process lives.
    pub member: Option<Member>,
    /// If its process lives and holds the partition.
    pub copy: Option<Copy>,
    /// The newest registration of each broker that it has applied.
    pub brokers: Vec<(NodeId, BrokerEpoch)>,
}

/// Everything.
#[derive(Debug, Clone)]
pub struct Evidence<'a> {
    /// The nodes.
    pub nodes: Vec<Seen<'a>>,
    /// What has happened before.
    pub history: &'a History,
}

impl<'a> Evidence<'a> {
    pub(crate) fn of(world: &'a World) -> Evidence<'a> {
        let nodes = world.hosts.iter().filter_map(|host| seen(host));
        Evidence { nodes: nodes.collect(), history: &world.history }
    }

    /// Whether a node's log can be held against it: it has lost nothing since the controller
    /// last registered it.
    pub fn is_sound(&self, node: NodeId) -> bool {
        let Some(lost_under) = self.history.unsound.get(&node) else { return true };
        let known = self.nodes.iter().flat_map(|seen| &seen.brokers);
        known.into_iter().any(|(id, epoch)| *id == node && epoch > lost_under)
    }
}

fn seen(host: &Host) -> Option<Seen<'_>> {
    let id = host.id()?;
    let (partition, metadata) = (partition(), metadata_partition().to_string());
    let mut seen = Seen {
        id,
        metadata: host.disk.log(&metadata),
        log: host.disk.log(&partition.to_string()),
        registration: None,
        member: None,
        copy: None,
        brokers: Vec::new(),
    };
    if let Some(node) = host.node() {
        let high_watermark = node.quorum().high_watermark().0;
        seen.member = Some(Member { high_watermark });
        seen.registration = node.image().partition(&partition).cloned();
        seen.copy = node.replica(&partition).map(|view| Copy {
            leads: view.role == ReplicaRole::Leader,
            leader_epoch: view.leader_epoch,
            partition_epoch: view.partition_epoch,
            high_watermark: view.high_watermark.0,
            maximal_isr: view.maximal_isr,
        });
        let brokers = node.image().brokers().iter();
        seen.brokers = brokers.map(|(id, broker)| (*id, broker.epoch)).collect();
    }
    Some(seen)
}
