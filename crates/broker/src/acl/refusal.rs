//! Refusals, in every request's own form.

use topomotion_wire::Bytes;
use topomotion_wire::ErrorCode;
use topomotion_wire::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use topomotion_wire::messages::describe_configs_response::DescribeConfigsResult;
use topomotion_wire::messages::describe_topic_partitions_response::DescribeTopicPartitionsResponseTopic;
use topomotion_wire::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use topomotion_wire::messages::find_coordinator_response::Coordinator;
use topomotion_wire::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use topomotion_wire::messages::metadata_response::MetadataResponseTopic;
use topomotion_wire::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use topomotion_wire::messages::produce_response::{
    PartitionProduceResponse, TopicProduceResponse,
};
use topomotion_wire::messages::{
    BrokerId, DeleteRecordsRequest, DeleteRecordsResponse, DescribeAclsResponse,
    DescribeConfigsResponse, DescribeTopicPartitionsResponse, FetchRequest,
    FetchResponse, FindCoordinatorRequest, FindCoordinatorResponse,
    InitProducerIdResponse, ListOffsetsRequest, ListOffsetsResponse, MetadataResponse,
    OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, ProduceRequest,
    ProduceResponse, ProducerId, RequestKind, ResponseKind,
};

use crate::api;

/// The first version of FindCoordinator that asks for several.
const FINDS_SEVERAL: i16 = 4;

/// The answer that refuses everything that a request asks for. None: it has no form for that.
pub(super) fn refused(
    request: &RequestKind,
    version: i16,
    error: ErrorCode,
) -> Option<ResponseKind> {
    let code = error.code();
    Some(match request {
        RequestKind::Produce(it) => produce(it, code).into(),
        RequestKind::Fetch(it) => fetch(it, code).into(),
        RequestKind::ListOffsets(it) => list_offsets(it, code).into(),
        RequestKind::OffsetForLeaderEpoch(it) => epochs(it, code).into(),
        RequestKind::DeleteRecords(it) => delete_records(it, code).into(),
        RequestKind::DescribeProducers(it) => {
            api::describe_producers::refused(it, error).into()
        }
        RequestKind::DescribeLogDirs(_) => api::describe_log_dirs::refused(error).into(),
        RequestKind::DescribeUserScramCredentials(_) => {
            api::scram::undescribed(error).into()
        }
        RequestKind::ListConfigResources(_) => {
            api::list_config_resources::refused(error).into()
        }
        RequestKind::Metadata(it) => {
            let refused = it.topics.iter().flatten().map(|topic| {
                MetadataResponseTopic::default()
                    .with_name(topic.name.clone())
                    .with_topic_id(topic.topic_id)
                    .with_error_code(code)
            });
            MetadataResponse::default().with_topics(refused.collect()).into()
        }
        RequestKind::DescribeTopicPartitions(it) => {
            let refused = it.topics.iter().map(|topic| {
                DescribeTopicPartitionsResponseTopic::default()
                    .with_name(Some(topic.name.clone()))
                    .with_error_code(code)
            });
            let answer = DescribeTopicPartitionsResponse::default();
            answer.with_topics(refused.collect()).into()
        }
        RequestKind::DescribeConfigs(it) => {
            let refused = it.resources.iter().map(|resource| {
                DescribeConfigsResult::default()
                    .with_resource_type(resource.resource_type)
                    .with_resource_name(resource.resource_name.clone())
                    .with_error_code(code)
            });
            DescribeConfigsResponse::default().with_results(refused.collect()).into()
        }
        RequestKind::FindCoordinator(it) => coordinator(it, version, code).into(),
        RequestKind::InitProducerId(_) => InitProducerIdResponse::default()
            .with_error_code(code)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1)
            .into(),
        RequestKind::DescribeAcls(_) => {
            DescribeAclsResponse::default().with_error_code(code).into()
        }
        it if api::coordination::is_for_coordinators(it) => {
            api::coordination::refuse(it, version, error)
        }
        it if api::admin::is_for_controller(it) => api::admin::failed(it, error),
        _ => return None,
    })
}

fn produce(request: &ProduceRequest, code: i16) -> ProduceResponse {
    let topics = request.topic_data.iter().map(|topic| {
        let refused = topic.partition_data.iter().map(|data| {
            PartitionProduceResponse::default()
                .with_index(data.index)
                .with_base_offset(-1)
                .with_error_code(code)
        });
        TopicProduceResponse::default()
            .with_name(topic.name.clone())
            .with_topic_id(topic.topic_id)
            .with_partition_responses(refused.collect())
    });
    ProduceResponse::default().with_responses(topics.collect())
}

fn fetch(request: &FetchRequest, code: i16) -> FetchResponse {
    let topics = request.topics.iter().map(|topic| {
        let refused = topic.partitions.iter().map(|partition| {
            PartitionData::default()
                .with_partition_index(partition.partition)
                .with_high_watermark(-1)
                .with_error_code(code)
                .with_records(Some(Bytes::new()))
        });
        FetchableTopicResponse::default()
            .with_topic(topic.topic.clone())
            .with_topic_id(topic.topic_id)
            .with_partitions(refused.collect())
    });
    FetchResponse::default().with_responses(topics.collect())
}

fn list_offsets(request: &ListOffsetsRequest, code: i16) -> ListOffsetsResponse {
    let topics = request.topics.iter().map(|topic| {
        let refused = topic.partitions.iter().map(|partition| {
            ListOffsetsPartitionResponse::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(code)
        });
        ListOffsetsTopicResponse::default()
            .with_name(topic.name.clone())
            .with_partitions(refused.collect())
    });
    ListOffsetsResponse::default().with_topics(topics.collect())
}

fn epochs(
    request: &OffsetForLeaderEpochRequest,
    code: i16,
) -> OffsetForLeaderEpochResponse {
    let topics = request.topics.iter().map(|topic| {
        let refused = topic.partitions.iter().map(|partition| {
            EpochEndOffset::default()
                .with_partition(partition.partition)
                .with_error_code(code)
        });
        OffsetForLeaderTopicResult::default()
            .with_topic(topic.topic.clone())
            .with_partitions(refused.collect())
    });
    OffsetForLeaderEpochResponse::default().with_topics(topics.collect())
}

fn delete_records(request: &DeleteRecordsRequest, code: i16) -> DeleteRecordsResponse {
    let topics = request.topics.iter().map(|topic| {
        let refused = topic.partitions.iter().map(|partition| {
            DeleteRecordsPartitionResult::default()
                .with_partition_index(partition.partition_index)
                .with_low_watermark(-1)
                .with_error_code(code)
        });
        DeleteRecordsTopicResult::default()
            .with_name(topic.name.clone())
            .with_partitions(refused.collect())
    });
    DeleteRecordsResponse::default().with_topics(topics.collect())
}

fn coordinator(
    request: &FindCoordinatorRequest,
    version: i16,
    code: i16,
) -> FindCoordinatorResponse {
    let answer = FindCoordinatorResponse::default();
    if version < FINDS_SEVERAL {
        return answer.with_error_code(code).with_node_id(BrokerId(-1)).with_port(-1);
    }
    let refused = request.coordinator_keys.iter().map(|key| {
        Coordinator::default()
            .with_key(key.clone())
            .with_node_id(BrokerId(-1))
            .with_port(-1)
            .with_error_code(code)
    });
    answer.with_coordinators(refused.collect())
}

/// An answer, and the refusals of what was taken out of its request.
#[allow(clippy::too_many_lines)] // one arm a request
pub(super) fn merge(answer: ResponseKind, refusals: ResponseKind) -> ResponseKind {
    use ResponseKind as R;
    match (answer, refusals) {
        (R::Produce(mut it), R::Produce(no)) => {
            it.responses.extend(no.responses);
            it.into()
        }
        (R::Fetch(mut it), R::Fetch(no)) => {
            it.responses.extend(no.responses);
            it.into()
        }
        (R::ListOffsets(mut it), R::ListOffsets(no)) => {
            it.topics.extend(no.topics);
            it.into()
        }
        (R::OffsetForLeaderEpoch(mut it), R::OffsetForLeaderEpoch(no)) => {
            it.topics.extend(no.topics);
            it.into()
        }
        (R::DescribeProducers(mut it), R::DescribeProducers(no)) => {
            it.topics.extend(no.topics);
            it.into()
        }
        (R::DeleteRecords(mut it), R::DeleteRecords(no)) => {
            it.topics.extend(no.topics);
            it.into()
        }
        (R::Metadata(mut it), R::Metadata(no)) => {
            it.topics.extend(no.topics);
            it.into()
        }
        (R::DescribeTopicPartitions(mut it), R::DescribeTopicPartitions(no)) => {
            it.topics.extend(no.topics);
            it.into()
        }
        (R::DescribeConfigs(mut it), R::DescribeConfigs(no)) => {
            it.results.extend(no.results);
            it.into()
        }
        (R::FindCoordinator(mut it), R::FindCoordinator(no)) => {
            it.coordinators.extend(no.coordinators);
            it.into()
        }
        (R::CreateTopics(mut it), R::CreateTopics(no)) => {
            it.topics.extend(no.topics);
            it.into()
        }
        (R::DeleteTopics(mut it), R::DeleteTopics(no)) => {
            it.responses.extend(no.responses);
            it.into()
        }
        (R::CreatePartitions(mut it), R::CreatePartitions(no)) => {
            it.results.extend(no.results);
            it.into()
        }
        (R::AlterConfigs(mut it), R::AlterConfigs(no)) => {
            it.responses.extend(no.responses);
            it.into()
        }
        (R::IncrementalAlterConfigs(mut it), R::IncrementalAlterConfigs(no)) => {
            it.responses.extend(no.responses);
            it.into()
        }
        (R::OffsetCommit(mut it), R::OffsetCommit(no)) => {
            it.topics.extend(no.topics);
            it.into()
        }
        (R::TxnOffsetCommit(mut it), R::TxnOffsetCommit(no)) => {
            it.topics.extend(no.topics);
            it.into()
        }
        (R::DescribeGroups(mut it), R::DescribeGroups(no)) => {
            it.groups.extend(no.groups);
            it.into()
        }
        (R::ConsumerGroupDescribe(mut it), R::ConsumerGroupDescribe(no)) => {
            it.groups.extend(no.groups);
            it.into()
        }
        (R::DeleteGroups(mut it), R::DeleteGroups(no)) => {
            it.results.extend(no.results);
            it.into()
        }
        (R::OffsetFetch(mut it), R::OffsetFetch(no)) => {
            it.groups.extend(no.groups);
            it.into()
        }
        (R::DescribeTransactions(mut it), R::DescribeTransactions(no)) => {
            it.transaction_states.extend(no.transaction_states);
            it.into()
        }
        (answer, _) => answer,
    }
}
