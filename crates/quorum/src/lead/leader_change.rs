//! The control record that opens every epoch (RAFT-4): who leads it, and who elected it.

use kafka_protocol::protocol::Encodable;
use topomotion_wire::messages::{
    BrokerId, LeaderChangeMessage, leader_change_message::Voter,
};
use topomotion_wire::{Bytes, NodeId};

/// Version 0, type 2: leader change.
pub(super) const KEY: [u8; 4] = [0, 0, 0, 2];

pub(super) fn encode(leader: NodeId, voters: &[NodeId], granting: &[NodeId]) -> Bytes {
    let named = |nodes: &[NodeId]| {
        nodes.iter().map(|node| Voter::default().with_voter_id(node.0)).collect()
    };
    let message = LeaderChangeMessage::default()
        .with_leader_id(BrokerId(leader.0))
        .with_voters(named(voters))
        .with_granting_voters(named(granting));
    let mut buffer = bytes::BytesMut::new();
    message.encode(&mut buffer, 0).expect("every field of version 0 is set");
    buffer.freeze()
}
