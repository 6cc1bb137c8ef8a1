//! What a broker of ZooKeeper's days answers to clients: just what a producer with acks=1
//! needs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use topomotion_log::Batches;
use topomotion_wire::messages::api_versions_response::ApiVersion;
use topomotion_wire::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use topomotion_wire::messages::produce_response::{
    PartitionProduceResponse, TopicProduceResponse,
};
use topomotion_wire::messages::{
    ApiKey, ApiVersionsResponse, BrokerId, MetadataRequest, MetadataResponse,
    ProduceRequest, ProduceResponse, TopicName,
};
use topomotion_wire::{
    Endpoint, ErrorCode, Fact, LeaderAndIsr, LeaderEpoch, NodeId, Offset, StrBytes,
    TopicPartition,
};

/// The cluster as the controller has told it.
#[derive(Debug, Default)]
pub(super) struct Cache {
    pub partitions: BTreeMap<TopicPartition, LeaderAndIsr>,
    pub brokers: BTreeSet<NodeId>,
}

/// APIs and their newest versions here: those of Kafka 3.
const SERVED: [(ApiKey, i16); 3] =
    [(ApiKey::Produce, 9), (ApiKey::Metadata, 9), (ApiKey::ApiVersions, 3)];

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

pub(super) fn api_versions() -> ApiVersionsResponse {
    let served = SERVED.iter().map(|&(key, newest)| {
        ApiVersion::default().with_api_key(key as i16).with_max_version(newest)
    });
    ApiVersionsResponse::default().with_api_keys(served.collect())
}

pub(super) fn metadata(
    cache: &Cache,
    endpoints: &BTreeMap<NodeId, Endpoint>,
    controller: Option<NodeId>,
    request: &MetadataRequest,
) -> MetadataResponse {
    let broker = |id: &NodeId| {
        let endpoint = endpoints.get(id)?;
        let broker = MetadataResponseBroker::default().with_node_id(BrokerId(id.0));
        let broker = broker.with_host(text(&endpoint.host));
        Some(broker.with_port(i32::from(endpoint.port)))
    };
    let known: BTreeSet<&Arc<str>> =
        cache.partitions.keys().map(|partition| &partition.topic).collect();
    let wanted: Vec<Arc<str>> = match &request.topics {
        None => known.into_iter().cloned().collect(),
        Some(topics) => {
            let names = topics.iter().filter_map(|topic| topic.name.as_ref());
            names.map(|name| name.as_str().into()).collect()
        }
    };
    MetadataResponse::default()
        .with_brokers(cache.brokers.iter().filter_map(broker).collect())
        .with_cluster_id(Some(text("zookeeper-cluster")))
        .with_controller_id(BrokerId(controller.map_or(-1, |id| id.0)))
        .with_topics(wanted.iter().map(|name| topic(cache, name)).collect())
}

fn topic(cache: &Cache, name: &Arc<str>) -> MetadataResponseTopic {
    let ids = |ids: &[NodeId]| ids.iter().map(|id| BrokerId(id.0)).collect();
    let own = cache.partitions.values().filter(|it| it.partition.topic == *name);
    let partitions: Vec<MetadataResponsePartition> = own
        .map(|it| {
            let error = it.leader.map_or(ErrorCode::LeaderNotAvailable.code(), |_| 0);
            MetadataResponsePartition::default()
                .with_error_code(error)
                .with_partition_index(it.partition.partition)
                .with_leader_id(BrokerId(it.leader.map_or(-1, |leader| leader.0)))
                .with_leader_epoch(it.epoch.0)
                .with_replica_nodes(ids(&it.replicas))
                .with_isr_nodes(ids(&it.isr))
        })
        .collect();
    let error = match partitions.is_empty() {
        true => ErrorCode::UnknownTopicOrPartition.code(),
        false => 0,
    };
    MetadataResponseTopic::default()
        .with_error_code(error)
        .with_name(Some(TopicName(text(name))))
        .with_partitions(partitions)
}

/// Appends where this broker leads. Nothing is replicated here, so that nobody can be
/// promised that all have it.
pub(super) fn produce(
    leads: impl Fn(&TopicPartition) -> Option<LeaderEpoch>,
    ends: &mut BTreeMap<TopicPartition, i64>,
    request: &ProduceRequest,
    facts: &mut Vec<Fact>,
) -> ProduceResponse {
    let mut append = |partition: TopicPartition, records: &bytes::Bytes| {
        if !matches!(request.acks, 0 | 1) {
            return Err(ErrorCode::InvalidRequiredAcks);
        }
        let epoch = leads(&partition).ok_or(ErrorCode::NotLeaderOrFollower)?;
        let end = ends.entry(partition.clone()).or_default();
        let base = *end;
        for batch in Batches::new(records.clone()) {
            let batch = batch.map_err(|_| ErrorCode::CorruptMessage)?;
            let batch = batch.placed(Offset(*end), epoch);
            let count = i64::from(batch.count());
            facts.push(Fact::Appended {
                partition: partition.clone(),
                base: Offset(*end),
                count,
                epoch,
                batch: batch.id(),
            });
            *end += count;
        }
        Ok(base)
    };
    let topics = request.topic_data.iter().map(|topic| {
        let partitions = topic.partition_data.iter().map(|data| {
            let partition = TopicPartition::new(topic.name.as_str(), data.index);
            let records = data.records.clone().unwrap_or_default();
            let answer = PartitionProduceResponse::default()
                .with_index(data.index)
                .with_log_append_time_ms(-1);
            match append(partition, &records) {
                Ok(base) => answer.with_base_offset(base).with_log_start_offset(0),
                Err(error) => answer
                    .with_base_offset(-1)
                    .with_log_start_offset(-1)
                    .with_error_code(error.code()),
            }
        });
        let partitions = partitions.collect();
        TopicProduceResponse::default()
            .with_name(topic.name.clone())
            .with_partition_responses(partitions)
    });
    let topics = topics.collect();
    ProduceResponse::default().with_responses(topics)
}
