//! Messages that are delivered at once, before anything else, in a fixed order.
//!
//! Most of them tell nobody anything new: fetches at the end of a log of which everything is
//! committed, the empty answers to them, what is exchanged when a connection is new. What they
//! do (a fetch is parked) commutes with everything that goes on elsewhere.
//!
//! Two kinds are more than idle talk. A broker's registration and its heartbeats reach the
//! controller, and it their answers, at once: that they can be late is told by faults. And so
//! do fetches of the metadata log by those who do not vote: that an answer is late, which is
//! explored, stands for a request that was.

use crate::scope::Learning;
use topomotion_broker::Node;
use topomotion_quorum::METADATA_TOPIC_ID;
use topomotion_wire::messages::{
    FetchRequest, FetchResponse, RequestKind, ResponseKind, fetch_request,
};
use topomotion_wire::{Bytes, Message, NodeId, QuorumEpoch, ReplicaRole};

/// Whether a node learns nothing by this message.
pub(crate) fn is_routine(node: &Node, message: &Message, learning: Learning) -> bool {
    match message {
        Message::Request(request) => match &request.body {
            RequestKind::BrokerHeartbeat(_)
            | RequestKind::BrokerRegistration(_)
            | RequestKind::ApiVersions(_) => true,
            RequestKind::Fetch(fetch) => is_idle(node, fetch),
            _ => false,
        },
        Message::Response(response) => match &response.body {
            ResponseKind::BrokerHeartbeat(_)
            | ResponseKind::BrokerRegistration(_)
            | ResponseKind::ApiVersions(_) => true,
            ResponseKind::Fetch(answer) => {
                is_empty(node, answer)
                    || learning == Learning::AtOnce && is_for_observer(node, answer)
            }
            _ => false,
        },
        // Nobody explores what is not Kafka's.
        Message::HttpRequest(_)
        | Message::HttpResponse(_)
        | Message::Database(_)
        | Message::Zookeeper(_) => false,
    }
}

fn is_idle(node: &Node, fetch: &FetchRequest) -> bool {
    let mut wanted = fetch.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(move |partition| (topic, partition))
    });
    let follower = NodeId(fetch.replica_state.replica_id.0);
    wanted.all(|(topic, partition)| {
        if topic.topic_id == METADATA_TOPIC_ID.0 {
            !node.quorum().voters().contains(follower)
                || is_idle_at_quorum(node, partition)
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

fn is_for_observer(node: &Node, answer: &FetchResponse) -> bool {
    let mut topics = answer.responses.iter();
    !node.quorum().is_voter() && topics.all(|it| it.topic_id == METADATA_TOPIC_ID.0)
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
