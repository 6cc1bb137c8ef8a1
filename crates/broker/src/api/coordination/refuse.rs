//! What a coordinator's client is told when no coordinator looks at its request.

use topomotion_wire::ErrorCode;
use topomotion_wire::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use topomotion_wire::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult,
    AddPartitionsToTxnTopicResult,
};
use topomotion_wire::messages::consumer_group_describe_response;
use topomotion_wire::messages::delete_groups_response::DeletableGroupResult;
use topomotion_wire::messages::describe_groups_response::DescribedGroup;
use topomotion_wire::messages::describe_transactions_response::TransactionState;
use topomotion_wire::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use topomotion_wire::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponseTopic,
};
use topomotion_wire::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use topomotion_wire::messages::{
    AddOffsetsToTxnResponse, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
    ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse,
    ConsumerGroupHeartbeatResponse, DeleteGroupsRequest, DeleteGroupsResponse,
    DescribeGroupsRequest, DescribeGroupsResponse, DescribeTransactionsRequest,
    DescribeTransactionsResponse, EndTxnResponse, HeartbeatResponse,
    InitProducerIdResponse, JoinGroupResponse, LeaveGroupResponse, ListGroupsResponse,
    ListTransactionsResponse, OffsetCommitRequest, OffsetCommitResponse,
    OffsetDeleteResponse, OffsetFetchRequest, OffsetFetchResponse, ProducerId,
    RequestKind, ResponseKind, SyncGroupResponse, TxnOffsetCommitRequest,
    TxnOffsetCommitResponse,
};

use super::{BY_BROKERS, FETCHES_GROUPS};

/// The answer to a request that fails as a whole, in its version.
pub(crate) fn refuse(
    request: &RequestKind,
    version: i16,
    error: ErrorCode,
) -> ResponseKind {
    with_code(request, version, error.code())
}

/// The answer to a request that asks for nothing, or of a broker that coordinates nothing.
pub(crate) fn empty(request: &RequestKind, version: i16) -> ResponseKind {
    with_code(request, version, 0)
}

fn with_code(request: &RequestKind, version: i16, code: i16) -> ResponseKind {
    match request {
        RequestKind::JoinGroup(it) => JoinGroupResponse::default()
            .with_error_code(code)
            .with_member_id(it.member_id.clone())
            .into(),
        RequestKind::SyncGroup(_) => {
            SyncGroupResponse::default().with_error_code(code).into()
        }
        RequestKind::Heartbeat(_) => {
            HeartbeatResponse::default().with_error_code(code).into()
        }
        RequestKind::LeaveGroup(_) => {
            LeaveGroupResponse::default().with_error_code(code).into()
        }
        RequestKind::ConsumerGroupHeartbeat(_) => {
            ConsumerGroupHeartbeatResponse::default().with_error_code(code).into()
        }
        RequestKind::ConsumerGroupDescribe(it) => consumer_groups(it, code).into(),
        RequestKind::OffsetCommit(it) => offset_commit(it, code).into(),
        RequestKind::OffsetFetch(it) => offset_fetch(it, version, code).into(),
        RequestKind::OffsetDelete(_) => {
            OffsetDeleteResponse::default().with_error_code(code).into()
        }
        RequestKind::TxnOffsetCommit(it) => txn_offset_commit(it, code).into(),
        RequestKind::DescribeGroups(it) => groups(it, code).into(),
        RequestKind::DeleteGroups(it) => delete_groups(it, code).into(),
        RequestKind::ListGroups(_) => {
            ListGroupsResponse::default().with_error_code(code).into()
        }
        RequestKind::AddPartitionsToTxn(it) => add_partitions(it, version, code).into(),
        RequestKind::AddOffsetsToTxn(_) => {
            AddOffsetsToTxnResponse::default().with_error_code(code).into()
        }
        RequestKind::EndTxn(_) => EndTxnResponse::default().with_error_code(code).into(),
        RequestKind::DescribeTransactions(it) => transactions(it, code).into(),
        RequestKind::ListTransactions(_) => {
            ListTransactionsResponse::default().with_error_code(code).into()
        }
        _ => InitProducerIdResponse::default()
            .with_error_code(code)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1)
            .into(),
    }
}

fn consumer_groups(
    request: &ConsumerGroupDescribeRequest,
    code: i16,
) -> ConsumerGroupDescribeResponse {
    let refused = request.group_ids.iter().map(|id| {
        consumer_group_describe_response::DescribedGroup::default()
            .with_group_id(id.clone())
            .with_error_code(code)
    });
    ConsumerGroupDescribeResponse::default().with_groups(refused.collect())
}

fn groups(request: &DescribeGroupsRequest, code: i16) -> DescribeGroupsResponse {
    let refused = request.groups.iter().map(|id| {
        DescribedGroup::default().with_group_id(id.clone()).with_error_code(code)
    });
    DescribeGroupsResponse::default().with_groups(refused.collect())
}

fn delete_groups(request: &DeleteGroupsRequest, code: i16) -> DeleteGroupsResponse {
    let refused = request.groups_names.iter().map(|id| {
        DeletableGroupResult::default().with_group_id(id.clone()).with_error_code(code)
    });
    DeleteGroupsResponse::default().with_results(refused.collect())
}

fn offset_commit(request: &OffsetCommitRequest, code: i16) -> OffsetCommitResponse {
    let topics = request.topics.iter().map(|topic| {
        let refused = topic.partitions.iter().map(|partition| {
            OffsetCommitResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(code)
        });
        OffsetCommitResponseTopic::default()
            .with_name(topic.name.clone())
            .with_topic_id(topic.topic_id)
            .with_partitions(refused.collect())
    });
    OffsetCommitResponse::default().with_topics(topics.collect())
}

fn offset_fetch(
    request: &OffsetFetchRequest,
    version: i16,
    code: i16,
) -> OffsetFetchResponse {
    if version >= FETCHES_GROUPS {
        let groups = request.groups.iter().map(|group| {
            OffsetFetchResponseGroup::default()
                .with_group_id(group.group_id.clone())
                .with_error_code(code)
        });
        return OffsetFetchResponse::default().with_groups(groups.collect());
    }
    // The oldest version has room for an error with each partition alone.
    let topics = request.topics.iter().flatten().map(|topic| {
        let refused = topic.partition_indexes.iter().map(|&index| {
            OffsetFetchResponsePartition::default()
                .with_partition_index(index)
                .with_committed_offset(-1)
                .with_error_code(code)
        });
        OffsetFetchResponseTopic::default()
            .with_name(topic.name.clone())
            .with_partitions(refused.collect())
    });
    let response = OffsetFetchResponse::default().with_topics(topics.collect());
    if version >= 2 { response.with_error_code(code) } else { response }
}

fn txn_offset_commit(
    request: &TxnOffsetCommitRequest,
    code: i16,
) -> TxnOffsetCommitResponse {
    let topics = request.topics.iter().map(|topic| {
        let refused = topic.partitions.iter().map(|partition| {
            TxnOffsetCommitResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(code)
        });
        TxnOffsetCommitResponseTopic::default()
            .with_name(topic.name.clone())
            .with_partitions(refused.collect())
    });
    TxnOffsetCommitResponse::default().with_topics(topics.collect())
}

fn add_partitions(
    request: &AddPartitionsToTxnRequest,
    version: i16,
    code: i16,
) -> AddPartitionsToTxnResponse {
    let topic = |topic: &AddPartitionsToTxnTopic| {
        let refused = topic.partitions.iter().map(|&index| {
            AddPartitionsToTxnPartitionResult::default()
                .with_partition_index(index)
                .with_partition_error_code(code)
        });
        AddPartitionsToTxnTopicResult::default()
            .with_name(topic.name.clone())
            .with_results_by_partition(refused.collect())
    };
    if version < BY_BROKERS {
        let topics = request.v3_and_below_topics.iter().map(topic);
        return AddPartitionsToTxnResponse::default()
            .with_results_by_topic_v3_and_below(topics.collect());
    }
    let transactions = request.transactions.iter().map(|transaction| {
        AddPartitionsToTxnResult::default()
            .with_transactional_id(transaction.transactional_id.clone())
            .with_topic_results(transaction.topics.iter().map(topic).collect())
    });
    AddPartitionsToTxnResponse::default()
        .with_results_by_transaction(transactions.collect())
}

fn transactions(
    request: &DescribeTransactionsRequest,
    code: i16,
) -> DescribeTransactionsResponse {
    let refused = request.transactional_ids.iter().map(|id| {
        TransactionState::default()
            .with_transactional_id(id.clone())
            .with_error_code(code)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1)
    });
    DescribeTransactionsResponse::default().with_transaction_states(refused.collect())
}
