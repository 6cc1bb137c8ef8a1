//! Metadata (3), versions 0–13, on brokers.
//!
//! - Brokers that are fenced are not listed; the controller named is one of those listed, for
//!   clients have no business with the real one in KRaft.
//! - No topics asked for means all of them (in version 0, an empty list does).
//! - A topic that does not exist is UNKNOWN_TOPIC_OR_PARTITION. It is created on the side, for
//!   the client to ask again, where `auto.create.topics.enable` is on and the client does not
//!   object (it can from version 4 on). A name that no topic can have is
//!   INVALID_TOPIC_EXCEPTION.

use std::sync::Arc;

use topomotion_wire::messages::metadata_request::MetadataRequestTopic;
use topomotion_wire::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use topomotion_wire::messages::{BrokerId, MetadataRequest, MetadataResponse};
use topomotion_wire::{ErrorCode, NodeId, PartitionState, TopicId};

use super::{CLUSTER_ID, broker_ids, shared, text, topic_name};
use crate::broker::Broker;
use crate::config::AutoCreateTopics;
use crate::controller::is_topic_name;
use crate::coordinators::InternalTopic;
use crate::metadata::{BrokerRegistration, MetadataImage, TopicImage};
use crate::replica::Site;

/// Answers from the metadata applied so far.
pub(crate) fn handle(
    image: &MetadataImage,
    request: &MetadataRequest,
    version: i16,
) -> MetadataResponse {
    let brokers: Vec<_> = image.active_brokers().map(|(id, it)| broker(id, it)).collect();
    let controller = brokers.first().map_or(BrokerId(-1), |broker| broker.node_id);
    let topics = match &request.topics {
        Some(topics) if !(version == 0 && topics.is_empty()) => {
            topics.iter().map(|wanted| wanted_topic(image, wanted)).collect()
        }
        Some(_) | None => {
            image.topics().iter().map(|(name, it)| topic(image, name, it)).collect()
        }
    };
    MetadataResponse::default()
        .with_brokers(brokers)
        .with_cluster_id(Some(text(CLUSTER_ID)))
        .with_controller_id(controller)
        .with_topics(topics)
}

/// Has those topics created that are asked for by name and do not exist.
pub(crate) fn create_wished(
    broker: &mut Broker,
    site: Site<'_>,
    request: &MetadataRequest,
) {
    if site.settings.auto_create_topics == AutoCreateTopics::Off
        || !request.allow_auto_topic_creation
    {
        return;
    }
    let wanted = request.topics.iter().flatten().filter_map(|it| it.name.as_ref());
    for name in wanted.filter(|name| site.image.topic(name.as_str()).is_none()) {
        if is_topic_name(name) {
            broker.create_wished_topic(site, name);
        }
    }
}

fn broker(id: NodeId, broker: &BrokerRegistration) -> MetadataResponseBroker {
    MetadataResponseBroker::default()
        .with_node_id(BrokerId(id.0))
        .with_host(text(&broker.endpoint.host))
        .with_port(i32::from(broker.endpoint.port))
        .with_rack(broker.rack.as_deref().map(text))
}

fn wanted_topic(
    image: &MetadataImage,
    wanted: &MetadataRequestTopic,
) -> MetadataResponseTopic {
    let (name, error): (Option<Arc<str>>, _) = match &wanted.name {
        Some(name) if !is_topic_name(name) => {
            (Some(shared(name)), ErrorCode::InvalidTopicException)
        }
        Some(name) => (Some(shared(name)), ErrorCode::UnknownTopicOrPartition),
        None => {
            let name = image.topic_name(TopicId(wanted.topic_id)).cloned();
            (name, ErrorCode::UnknownTopicId)
        }
    };
    let found = name.as_ref().and_then(|name| image.topic(name).map(|it| (name, it)));
    match found {
        Some((name, found)) => topic(image, name, found),
        None => MetadataResponseTopic::default()
            .with_name(wanted.name.clone())
            .with_topic_id(wanted.topic_id)
            .with_error_code(error.code()),
    }
}

fn topic(image: &MetadataImage, name: &str, topic: &TopicImage) -> MetadataResponseTopic {
    let partition = |(&index, state): (&i32, &PartitionState)| {
        let offline: Vec<NodeId> =
            state.replicas.iter().copied().filter(|&id| !image.is_active(id)).collect();
        let error = state.leader.map_or(ErrorCode::LeaderNotAvailable.code(), |_| 0);
        MetadataResponsePartition::default()
            .with_error_code(error)
            .with_partition_index(index)
            .with_leader_id(BrokerId(state.leader.map_or(-1, |leader| leader.0)))
            .with_leader_epoch(state.leader_epoch.0)
            .with_replica_nodes(broker_ids(&state.replicas))
            .with_isr_nodes(broker_ids(&state.isr))
            .with_offline_replicas(broker_ids(&offline))
    };
    MetadataResponseTopic::default()
        .with_name(Some(topic_name(name)))
        .with_topic_id(topic.id.0)
        .with_is_internal(InternalTopic::named(name).is_some())
        .with_partitions(topic.partitions.iter().map(partition).collect())
}
