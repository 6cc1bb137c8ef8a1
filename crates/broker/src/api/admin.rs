//! What the administrators' requests have in common: how long they wait, and how they fail as a
//! whole, because nobody decides on them.

use topomotion_wire::ErrorCode;
use topomotion_wire::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use topomotion_wire::messages::create_partitions_response::CreatePartitionsTopicResult;
use topomotion_wire::messages::create_topics_response::CreatableTopicResult;
use topomotion_wire::messages::delete_topics_response::DeletableTopicResult;
use topomotion_wire::messages::elect_leaders_response::{
    PartitionResult, ReplicaElectionResult,
};
use topomotion_wire::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use topomotion_wire::messages::{
    AddRaftVoterResponse, AlterConfigsRequest, AlterConfigsResponse,
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse,
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest,
    CreateTopicsResponse, DeleteTopicsRequest, DeleteTopicsResponse,
    DescribeQuorumResponse, ElectLeadersRequest, ElectLeadersResponse,
    IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
    ListPartitionReassignmentsResponse, RemoveRaftVoterResponse, RequestKind,
    ResponseKind, alter_configs_response,
};

/// Kafka's `default.api.timeout.ms`, for requests that do not carry their own.
const DEFAULT_TIMEOUT_MS: i32 = 60_000;

/// Whether only the active controller decides on a request, so that a broker passes it on.
pub(crate) fn is_for_controller(request: &RequestKind) -> bool {
    matches!(
        request,
        RequestKind::CreateTopics(_)
            | RequestKind::DeleteTopics(_)
            | RequestKind::CreatePartitions(_)
            | RequestKind::AlterConfigs(_)
            | RequestKind::IncrementalAlterConfigs(_)
            | RequestKind::ElectLeaders(_)
            | RequestKind::CreateAcls(_)
            | RequestKind::DeleteAcls(_)
            | RequestKind::AlterUserScramCredentials(_)
            | RequestKind::AlterPartitionReassignments(_)
            | RequestKind::ListPartitionReassignments(_)
    ) || topomotion_quorum::is_quorum_admin(request)
}

/// How long its sender waits for the answer.
pub(crate) fn timeout_ms(request: &RequestKind) -> i32 {
    match request {
        RequestKind::CreateTopics(it) => it.timeout_ms,
        RequestKind::DeleteTopics(it) => it.timeout_ms,
        RequestKind::CreatePartitions(it) => it.timeout_ms,
        RequestKind::ElectLeaders(it) => it.timeout_ms,
        RequestKind::AlterPartitionReassignments(it) => it.timeout_ms,
        RequestKind::ListPartitionReassignments(it) => it.timeout_ms,
        RequestKind::AddRaftVoter(it) => it.timeout_ms,
        _ => DEFAULT_TIMEOUT_MS,
    }
}

/// The answer to a request that failed as a whole.
pub(crate) fn failed(request: &RequestKind, error: ErrorCode) -> ResponseKind {
    let code = error.code();
    match request {
        RequestKind::CreateTopics(it) => create_topics(it, code).into(),
        RequestKind::DeleteTopics(it) => delete_topics(it, code).into(),
        RequestKind::CreatePartitions(it) => create_partitions(it, code).into(),
        RequestKind::AlterConfigs(it) => replace_configs(it, code).into(),
        RequestKind::IncrementalAlterConfigs(it) => alter_configs(it, code).into(),
        RequestKind::ElectLeaders(it) => elect_leaders(it, code).into(),
        RequestKind::CreateAcls(it) => super::acls::uncreated(it, error).into(),
        RequestKind::DeleteAcls(it) => super::acls::undeleted(it, error).into(),
        RequestKind::AlterUserScramCredentials(it) => {
            super::scram::unaltered(it, error).into()
        }
        RequestKind::AlterPartitionReassignments(it) => reassign(it, code).into(),
        RequestKind::ListPartitionReassignments(_) => {
            ListPartitionReassignmentsResponse::default().with_error_code(code).into()
        }
        RequestKind::AddRaftVoter(_) => {
            AddRaftVoterResponse::default().with_error_code(code).into()
        }
        RequestKind::RemoveRaftVoter(_) => {
            RemoveRaftVoterResponse::default().with_error_code(code).into()
        }
        _ => DescribeQuorumResponse::default().with_error_code(code).into(),
    }
}

fn create_topics(request: &CreateTopicsRequest, code: i16) -> CreateTopicsResponse {
    let refused = request.topics.iter().map(|topic| {
        CreatableTopicResult::default()
            .with_name(topic.name.clone())
            .with_error_code(code)
    });
    CreateTopicsResponse::default().with_topics(refused.collect())
}

fn delete_topics(request: &DeleteTopicsRequest, code: i16) -> DeleteTopicsResponse {
    let named = request.topic_names.iter().map(|name| {
        DeletableTopicResult::default()
            .with_name(Some(name.clone()))
            .with_error_code(code)
    });
    let listed = request.topics.iter().map(|topic| {
        DeletableTopicResult::default()
            .with_name(topic.name.clone())
            .with_topic_id(topic.topic_id)
            .with_error_code(code)
    });
    DeleteTopicsResponse::default().with_responses(named.chain(listed).collect())
}

fn create_partitions(
    request: &CreatePartitionsRequest,
    code: i16,
) -> CreatePartitionsResponse {
    let refused = request.topics.iter().map(|topic| {
        CreatePartitionsTopicResult::default()
            .with_name(topic.name.clone())
            .with_error_code(code)
    });
    CreatePartitionsResponse::default().with_results(refused.collect())
}

fn replace_configs(request: &AlterConfigsRequest, code: i16) -> AlterConfigsResponse {
    let refused = request.resources.iter().map(|resource| {
        alter_configs_response::AlterConfigsResourceResponse::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone())
            .with_error_code(code)
    });
    AlterConfigsResponse::default().with_responses(refused.collect())
}

fn alter_configs(
    request: &IncrementalAlterConfigsRequest,
    code: i16,
) -> IncrementalAlterConfigsResponse {
    let refused = request.resources.iter().map(|resource| {
        AlterConfigsResourceResponse::default()
            .with_resource_type(resource.resource_type)
            .with_resource_name(resource.resource_name.clone())
            .with_error_code(code)
    });
    IncrementalAlterConfigsResponse::default().with_responses(refused.collect())
}

fn elect_leaders(request: &ElectLeadersRequest, code: i16) -> ElectLeadersResponse {
    let topics = request.topic_partitions.iter().flatten().map(|topic| {
        let refused = topic.partitions.iter().map(|&index| {
            PartitionResult::default().with_partition_id(index).with_error_code(code)
        });
        ReplicaElectionResult::default()
            .with_topic(topic.topic.clone())
            .with_partition_result(refused.collect())
    });
    let response = ElectLeadersResponse::default().with_error_code(code);
    response.with_replica_election_results(topics.collect())
}

fn reassign(
    request: &AlterPartitionReassignmentsRequest,
    code: i16,
) -> AlterPartitionReassignmentsResponse {
    let topics = request.topics.iter().map(|topic| {
        let refused = topic.partitions.iter().map(|partition| {
            ReassignablePartitionResponse::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(code)
        });
        ReassignableTopicResponse::default()
            .with_name(topic.name.clone())
            .with_partitions(refused.collect())
    });
    AlterPartitionReassignmentsResponse::default()
        .with_error_code(code)
        .with_responses(topics.collect())
}

/// Whether whoever answered was not the active controller (any more).
pub(crate) fn is_not_controller(response: &ResponseKind) -> bool {
    let refusals = [ErrorCode::NotController, ErrorCode::NotLeaderOrFollower];
    let is_refusal = |code: i16| refusals.iter().any(|error| error.code() == code);
    match response {
        ResponseKind::CreateTopics(it) => {
            it.topics.iter().any(|topic| is_refusal(topic.error_code))
        }
        ResponseKind::DeleteTopics(it) => {
            it.responses.iter().any(|topic| is_refusal(topic.error_code))
        }
        ResponseKind::CreatePartitions(it) => {
            it.results.iter().any(|topic| is_refusal(topic.error_code))
        }
        ResponseKind::AlterConfigs(it) => {
            it.responses.iter().any(|resource| is_refusal(resource.error_code))
        }
        ResponseKind::IncrementalAlterConfigs(it) => {
            it.responses.iter().any(|resource| is_refusal(resource.error_code))
        }
        ResponseKind::ElectLeaders(it) => is_refusal(it.error_code),
        ResponseKind::CreateAcls(it) => {
            it.results.iter().any(|result| is_refusal(result.error_code))
        }
        ResponseKind::DeleteAcls(it) => {
            it.filter_results.iter().any(|result| is_refusal(result.error_code))
        }
        ResponseKind::AlterUserScramCredentials(it) => {
            it.results.iter().any(|result| is_refusal(result.error_code))
        }
        ResponseKind::AlterPartitionReassignments(it) => is_refusal(it.error_code),
        ResponseKind::ListPartitionReassignments(it) => is_refusal(it.error_code),
        ResponseKind::AddRaftVoter(it) => is_refusal(it.error_code),
        ResponseKind::RemoveRaftVoter(it) => is_refusal(it.error_code),
        ResponseKind::DescribeQuorum(it) => {
            let mut partitions = it.topics.iter().flat_map(|topic| &topic.partitions);
            partitions.any(|partition| is_refusal(partition.error_code))
        }
        _ => false,
    }
}

/// An answer that its controller may not give any more: whether what it says is so, nobody
/// knows (RAFT-11).
pub(crate) fn deposed(reply: ResponseKind) -> ResponseKind {
    let code = ErrorCode::NotController.code();
    match reply {
        ResponseKind::CreateTopics(mut it) => {
            for topic in &mut it.topics {
                (topic.error_code, topic.error_message) = (code, None);
            }
            it.into()
        }
        ResponseKind::DeleteTopics(mut it) => {
            it.responses.iter_mut().for_each(|topic| topic.error_code = code);
            it.into()
        }
        ResponseKind::CreatePartitions(mut it) => {
            it.results.iter_mut().for_each(|topic| topic.error_code = code);
            it.into()
        }
        ResponseKind::AlterConfigs(mut it) => {
            it.responses.iter_mut().for_each(|resource| resource.error_code = code);
            it.into()
        }
        ResponseKind::IncrementalAlterConfigs(mut it) => {
            it.responses.iter_mut().for_each(|resource| resource.error_code = code);
            it.into()
        }
        ResponseKind::ElectLeaders(it) => it.with_error_code(code).into(),
        ResponseKind::CreateAcls(mut it) => {
            it.results.iter_mut().for_each(|result| result.error_code = code);
            it.into()
        }
        ResponseKind::DeleteAcls(mut it) => {
            for result in &mut it.filter_results {
                (result.error_code, result.matching_acls) = (code, Vec::new());
            }
            it.into()
        }
        ResponseKind::AlterUserScramCredentials(mut it) => {
            it.results.iter_mut().for_each(|result| result.error_code = code);
            it.into()
        }
        ResponseKind::AlterPartitionReassignments(it) => it.with_error_code(code).into(),
        ResponseKind::ListPartitionReassignments(it) => it.with_error_code(code).into(),
        other => other,
    }
}
