//! AddPartitionsToTxn (24), version 5, as a broker sends it for a write that it has in hand,
//! and what the writer is told (TXN-4, TXN-5; KIP-890).

use std::collections::BTreeMap;

use topomotion_coordinator::Stamp;
use topomotion_log::{Attributes, Batch};
use topomotion_wire::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use topomotion_wire::messages::{
    self, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse, ProduceRequest,
    TransactionalId,
};
use topomotion_wire::{Bytes, ErrorCode, ProducerEpoch, ProducerId, TopicPartition};

use super::produce::name_of;
use super::{shared, text, topic_name};
use crate::broker::{Question, Refused};
use crate::replica::Site;

/// The first versions whose clients count on their partitions being added.
pub(crate) const ADDING_PRODUCE: i16 = 12;
pub(crate) const ADDING_OFFSETS: i16 = 5;
/// The first version of Produce whose clients know TRANSACTION_ABORTABLE.
const ABORTABLE_PRODUCE: i16 = 11;

/// The partitions that a request writes to in a transaction, and whose it is.
pub(crate) fn transactional(
    site: Site<'_>,
    version: i16,
    request: &ProduceRequest,
) -> Vec<(TopicPartition, Stamp)> {
    let mut found = Vec::new();
    for topic in &request.topic_data {
        let Ok(name) = name_of(site, version, topic) else { continue };
        for data in &topic.partition_data {
            let Some(stamp) = data.records.as_ref().and_then(stamp_of) else { continue };
            found.push((TopicPartition::new(name.clone(), data.index), stamp));
        }
    }
    found
}

fn stamp_of(records: &Bytes) -> Option<Stamp> {
    let batch = Batch::split_from(&mut records.clone()).ok()?;
    let producer = batch.producer()?;
    batch.attributes().contains(Attributes::TRANSACTIONAL).then_some(Stamp {
        producer: ProducerId(producer.id),
        epoch: ProducerEpoch(producer.epoch),
    })
}

/// A producer as messages name it.
pub(crate) fn stamp(producer: messages::ProducerId, epoch: i16) -> Stamp {
    Stamp { producer: ProducerId(producer.0), epoch: ProducerEpoch(epoch) }
}

/// What the coordinator is asked.
pub(crate) fn request<'a>(
    transactional_id: &str,
    stamp: Stamp,
    question: Question,
    partitions: impl Iterator<Item = &'a TopicPartition>,
) -> AddPartitionsToTxnRequest {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for id in partitions {
        topics.entry(&id.topic).or_default().push(id.partition);
    }
    let topic = |(name, partitions)| {
        let topic = AddPartitionsToTxnTopic::default();
        topic.with_name(topic_name(name)).with_partitions(partitions)
    };
    let transaction = AddPartitionsToTxnTransaction::default()
        .with_transactional_id(TransactionalId(text(transactional_id)))
        .with_producer_id(messages::ProducerId(stamp.producer.0))
        .with_producer_epoch(stamp.epoch.0)
        .with_verify_only(question == Question::Verify)
        .with_topics(topics.into_iter().map(topic).collect());
    AddPartitionsToTxnRequest::default().with_transactions(vec![transaction])
}

/// The partitions that the coordinator does not let take part.
pub(crate) fn outcomes(response: &AddPartitionsToTxnResponse) -> Refused {
    let mut refused = Refused::new();
    let transactions = &response.results_by_transaction;
    for topic in transactions.iter().flat_map(|it| &it.topic_results) {
        let name = shared(&topic.name);
        for partition in &topic.results_by_partition {
            if let Some(error) = error_of(partition.partition_error_code) {
                let index = partition.partition_index;
                refused.insert(TopicPartition::new(name.clone(), index), error);
            }
        }
    }
    refused
}

fn error_of(code: i16) -> Option<ErrorCode> {
    (code != 0)
        .then(|| ErrorCode::try_from_code(code).unwrap_or(ErrorCode::UnknownServerError))
}

/// What a producer is told. It need not know that a coordinator was asked: what passes by is
/// the error that it tries again after, and does not look for new metadata.
pub(crate) fn for_producer(error: ErrorCode, version: i16) -> ErrorCode {
    match error {
        ErrorCode::ProducerFenced => ErrorCode::InvalidProducerEpoch,
        ErrorCode::ConcurrentTransactions if version >= ADDING_PRODUCE => error,
        ErrorCode::ConcurrentTransactions
        | ErrorCode::NetworkException
        | ErrorCode::CoordinatorLoadInProgress
        | ErrorCode::CoordinatorNotAvailable
        | ErrorCode::NotCoordinator => ErrorCode::NotEnoughReplicas,
        ErrorCode::TransactionAbortable if version < ABORTABLE_PRODUCE => {
            ErrorCode::InvalidTxnState
        }
        error => error,
    }
}

/// What a committer of offsets is told.
pub(crate) fn for_committer(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::ProducerFenced => ErrorCode::InvalidProducerEpoch,
        ErrorCode::NetworkException => ErrorCode::CoordinatorLoadInProgress,
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::RequestTimedOut => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => {
            ErrorCode::NotCoordinator
        }
        error => error,
    }
}
