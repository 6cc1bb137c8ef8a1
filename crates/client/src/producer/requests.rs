//! The requests to coordinators, and the error in each of their answers.

use std::collections::BTreeMap;

use topomotion_wire::messages::add_partitions_to_txn_request::AddPartitionsToTxnTopic;
use topomotion_wire::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use topomotion_wire::messages::txn_offset_commit_request::{
    TxnOffsetCommitRequestPartition, TxnOffsetCommitRequestTopic,
};
use topomotion_wire::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest,
    FindCoordinatorRequest, GroupId, InitProducerIdRequest, OffsetCommitRequest,
    ProducerId, RequestKind, ResponseKind, TransactionalId, TxnOffsetCommitRequest,
};
use topomotion_wire::{
    Defect, Duration, Endpoint, ErrorCode, Offset, StrBytes, TopicPartition,
};

use super::manager::{Ask, Commit, Coordinator, End, Manager, Protocol};
use super::sequences::Identity;
use crate::GroupMetadata;
use crate::errors::error_of;
use crate::metadata::topic_name;

/// `key_type` of `FindCoordinator`.
const GROUP: i8 = 0;
const TRANSACTION: i8 = 1;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// A request and its newest version.
pub(super) fn request(
    manager: &Manager,
    timeout: Duration,
    ask: &Ask,
) -> (RequestKind, i16) {
    let id = manager.transactional_id.as_deref();
    let known = manager.identity;
    let newest = match (manager.protocol, ask) {
        (Protocol::V1, Ask::End(_) | Ask::CommitOffsets(_)) => 4,
        _ => i16::MAX,
    };
    let transactional = || TransactionalId(text(id.unwrap_or_default()));
    let producer = ProducerId(known.map_or(-1, |known| known.id.0));
    let epoch = known.map_or(-1, |known| known.epoch.0);
    let body = match ask {
        Ask::FindCoordinator(whose) => find_coordinator(id, whose),
        Ask::InitProducerId => {
            let mut request = InitProducerIdRequest::default();
            request.transactional_id = id.map(|id| TransactionalId(text(id)));
            request.transaction_timeout_ms = match id {
                Some(_) => i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX),
                None => i32::MAX,
            };
            (request.producer_id, request.producer_epoch) = (producer, epoch);
            RequestKind::InitProducerId(request)
        }
        Ask::AddPartitions(partitions) => {
            let mut request = AddPartitionsToTxnRequest::default();
            request.v3_and_below_transactional_id = transactional();
            request.v3_and_below_producer_id = producer;
            request.v3_and_below_producer_epoch = epoch;
            for partition in partitions {
                let name = topic_name(&partition.topic);
                let topics = &mut request.v3_and_below_topics;
                if topics.last().is_none_or(|topic| topic.name != name) {
                    let mut topic = AddPartitionsToTxnTopic::default();
                    topic.name = name;
                    topics.push(topic);
                }
                if let Some(topic) = topics.last_mut() {
                    topic.partitions.push(partition.partition);
                }
            }
            RequestKind::AddPartitionsToTxn(request)
        }
        Ask::AddOffsets(commit) => {
            let mut request = AddOffsetsToTxnRequest::default();
            request.transactional_id = transactional();
            (request.producer_id, request.producer_epoch) = (producer, epoch);
            request.group_id = GroupId(text(&commit.group.group));
            RequestKind::AddOffsetsToTxn(request)
        }
        Ask::CommitOffsets(commit) if Defect::OffsetsOutsideTxn.is_sown() => {
            return (plain_commit(commit), 9);
        }
        Ask::CommitOffsets(Commit { group, offsets }) => {
            let mut request = TxnOffsetCommitRequest::default();
            request.transactional_id = transactional();
            (request.producer_id, request.producer_epoch) = (producer, epoch);
            fill(&mut request, group, offsets);
            RequestKind::TxnOffsetCommit(request)
        }
        Ask::End(end) => {
            let mut request = EndTxnRequest::default();
            request.transactional_id = transactional();
            (request.producer_id, request.producer_epoch) = (producer, epoch);
            request.committed = *end == End::Commit;
            RequestKind::EndTxn(request)
        }
    };
    (body, newest)
}

fn find_coordinator(id: Option<&str>, whose: &Coordinator) -> RequestKind {
    let mut request = FindCoordinatorRequest::default();
    let (key, kind) = match whose {
        Coordinator::Transaction => (id.unwrap_or_default(), TRANSACTION),
        Coordinator::Group(group) => (&**group, GROUP),
    };
    (request.coordinator_keys, request.key_type) = (vec![text(key)], kind);
    RequestKind::FindCoordinator(request)
}

fn fill(
    request: &mut TxnOffsetCommitRequest,
    group: &GroupMetadata,
    offsets: &BTreeMap<TopicPartition, Offset>,
) {
    request.group_id = GroupId(text(&group.group));
    request.generation_id = group.generation;
    request.member_id = text(&group.member);
    request.group_instance_id = group.instance.as_deref().map(text);
    for (partition, offset) in offsets {
        let name = topic_name(&partition.topic);
        if request.topics.last().is_none_or(|topic| topic.name != name) {
            let mut topic = TxnOffsetCommitRequestTopic::default();
            topic.name = name;
            request.topics.push(topic);
        }
        let mut wanted = TxnOffsetCommitRequestPartition::default();
        wanted.partition_index = partition.partition;
        wanted.committed_offset = offset.0;
        wanted.committed_leader_epoch = -1;
        if let Some(topic) = request.topics.last_mut() {
            topic.partitions.push(wanted);
        }
    }
}

/// The same offsets, with no transaction: only a mistake sends this.
fn plain_commit(commit: &Commit) -> RequestKind {
    let Commit { group, offsets } = commit;
    let mut request = OffsetCommitRequest::default();
    request.group_id = GroupId(text(&group.group));
    request.generation_id_or_member_epoch = group.generation;
    request.member_id = text(&group.member);
    request.group_instance_id = group.instance.as_deref().map(text);
    for (partition, offset) in offsets {
        let mut wanted = OffsetCommitRequestPartition::default();
        wanted.partition_index = partition.partition;
        (wanted.committed_offset, wanted.committed_leader_epoch) = (offset.0, -1);
        let mut topic = OffsetCommitRequestTopic::default();
        topic.name = topic_name(&partition.topic);
        topic.partitions = vec![wanted];
        request.topics.push(topic);
    }
    RequestKind::OffsetCommit(request)
}

/// The first error in an answer; an answer to another question is one too.
pub(super) fn error_in(ask: &Ask, body: &ResponseKind) -> Option<ErrorCode> {
    match (ask, body) {
        (Ask::FindCoordinator(_), ResponseKind::FindCoordinator(response)) => {
            match response.coordinators.first() {
                Some(found) => error_of(found.error_code),
                None => error_of(response.error_code)
                    .or(Some(ErrorCode::CoordinatorNotAvailable)),
            }
        }
        (Ask::InitProducerId, ResponseKind::InitProducerId(response)) => {
            error_of(response.error_code)
        }
        (Ask::AddPartitions(_), ResponseKind::AddPartitionsToTxn(response)) => {
            let topics = response.results_by_topic_v3_and_below.iter();
            let each = topics.flat_map(|topic| &topic.results_by_partition);
            let errors = each.filter_map(|one| error_of(one.partition_error_code));
            // Where one partition was refused, the others were not even tried.
            let errors: Vec<ErrorCode> = errors.collect();
            let cause = errors.iter().find(|it| **it != ErrorCode::OperationNotAttempted);
            error_of(response.error_code).or(cause.or(errors.first()).copied())
        }
        (Ask::AddOffsets(_), ResponseKind::AddOffsetsToTxn(response)) => {
            error_of(response.error_code)
        }
        (Ask::CommitOffsets(_), ResponseKind::TxnOffsetCommit(response)) => {
            let each = response.topics.iter().flat_map(|topic| &topic.partitions);
            each.filter_map(|one| error_of(one.error_code)).next()
        }
        (Ask::CommitOffsets(_), ResponseKind::OffsetCommit(response)) => {
            let each = response.topics.iter().flat_map(|topic| &topic.partitions);
            each.filter_map(|one| error_of(one.error_code)).next()
        }
        (Ask::End(_), ResponseKind::EndTxn(response)) => error_of(response.error_code),
        _ => Some(ErrorCode::UnknownServerError),
    }
}

/// The id and epoch that an answer gives.
pub(super) fn identity_in(body: &ResponseKind) -> Option<Identity> {
    let (id, epoch) = match body {
        ResponseKind::InitProducerId(it) => (it.producer_id.0, it.producer_epoch),
        ResponseKind::EndTxn(it) => (it.producer_id.0, it.producer_epoch),
        _ => return None,
    };
    let known = id >= 0 && epoch >= 0;
    known.then_some(Identity {
        id: topomotion_wire::ProducerId(id),
        epoch: topomotion_wire::ProducerEpoch(epoch),
    })
}

/// The coordinator that an answer names.
pub(super) fn coordinator_in(body: &ResponseKind) -> Option<Endpoint> {
    let ResponseKind::FindCoordinator(response) = body else { return None };
    let found = response.coordinators.first()?;
    let port = u16::try_from(found.port).ok()?;
    Some(Endpoint { host: found.host.to_string().into(), port })
}
