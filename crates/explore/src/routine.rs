//! Messages that tell nobody anything new: heartbeats of brokers that are trusted, fetches
//! at the end of a log of which everything is committed, and the empty answers to them.
//!
//! They are delivered at once, before anything else. What they do (a session is prolonged, a
//! fetch is parked) commutes with everything that goes on elsewhere, so that nothing but idle
//! talk is left out of the orders that are explored.

use topomotion_broker::{BrokerStatus, Node};
use topomotion_quorum::METADATA_TOPIC_ID;
use topomotion_wire::messages::{
    FetchRequest, FetchResponse, RequestKind, ResponseKind, fetch_request,
};
use topomotion_wire::{Bytes, Message, NodeId, QuorumEpoch, ReplicaRole};

/// Whether a node learns nothing by this message.
pub(crate) fn is_routine(node: &Node, message: &Message) -> bool {
    match message {
        Message::Request(request) => match &request.body {
            RequestKind::BrokerHeartbeat(beat) => {
                let broker = node.image().broker(NodeId(beat.broker_id.0));
                let is_trusted = broker.is_some_and(|broker| {
                    broker.is_active() && broker.epoch.0 == beat.broker_epoch
                });
                is_trusted && !beat.want_fence && !beat.want_shut_down
            }
            RequestKind::Fetch(fetch) => is_idle(node, fetch),
            _ => false,
        },
        Message::Response(response) => match &response.body {
            ResponseKind::BrokerHeartbeat(answer) => {
                let runs = matches!(node.broker_status(), BrokerStatus::Running(_));
                runs && answer.error_code == 0 && !answer.is_fenced
            }
            ResponseKind::Fetch(answer) => is_empty(node, answer),
            _ => false,
        },
    }
}

fn is_idle(node: &Node, fetch: &FetchRequest) -> bool {
    let mut wanted = fetch.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(move |partition| (topic, partition))
    });
    let follower = NodeId(fetch.replica_state.replica_id.0);
    wanted.all(|(topic, partition)| {
        if topic.topic_id == METADATA_TOPIC_ID.0 {
            is_idle_at_quorum(node, partition)
        } else {
            is_idle_at_partition(node, follower, partition)
        }
    })
}

fn is_idle_at_quorum(node: &Node, wanted: &fetch_request::FetchPartition) -> bool {
    let quorum = node.quorum();
    let end = quorum.log().end_offset();
    quorum.is_leader()
        && quorum.epoch() == QuorumEpoch(wanted.current_leader_epoch)
        && quorum.high_watermark() == end
        && wanted.fetch_offset == end.0
}

fn is_idle_at_partition(
    node: &Node,
    follower: NodeId,
    wanted: &fetch_request::FetchPartition,
) -> bool {
    node.replicas().iter().all(|replica| {
        replica.role == ReplicaRole::Leader
            && replica.leader_epoch.0 == wanted.current_leader_epoch
            && replica.high_watermark == replica.log_end
            && replica.isr.contains(&follower)
            && wanted.fetch_offset == replica.log_end.0
    })
}

fn is_empty(node: &Node, answer: &FetchResponse) -> bool {
    let parts = answer.responses.iter().flat_map(|topic| {
        topic.partitions.iter().map(move |partition| (topic, partition))
    });
    let mut parts = parts.map(|(topic, part)| {
        let is_plain = part.error_code == 0
            && part.diverging_epoch.epoch < 0
            && part.diverging_epoch.end_offset < 0
            && part.snapshot_id.end_offset < 0
            && part.records.as_ref().is_none_or(Bytes::is_empty);
        let is_known = if topic.topic_id == METADATA_TOPIC_ID.0 {
            let quorum = node.quorum();
            quorum.high_watermark().0 == part.high_watermark
                && quorum.epoch().0 == part.current_leader.leader_epoch
                && quorum.leader() == Some(NodeId(part.current_leader.leader_id.0))
        } else {
            let mut replicas = node.replicas().into_iter();
            replicas.all(|replica| replica.high_watermark.0 == part.high_watermark)
        };
        is_plain && is_known
    });
    answer.error_code == 0 && parts.all(|is_nothing| is_nothing)
}
