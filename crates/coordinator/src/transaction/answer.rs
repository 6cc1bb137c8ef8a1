//! Who waits for an answer, and how it looks in their version.

use topomotion_wire::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnResult,
    AddPartitionsToTxnTopicResult,
};
use topomotion_wire::messages::{
    AddOffsetsToTxnResponse, AddPartitionsToTxnResponse, EndTxnResponse,
    InitProducerIdResponse, ProducerId as WireProducerId, ResponseKind, TopicName,
    TransactionalId,
};
use topomotion_wire::{ErrorCode, StrBytes, TopicPartition};

use crate::{Effect, Stamp, Ticket};

/// What was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    /// InitProducerId.
    Init,
    /// AddPartitionsToTxn of a producer, about these.
    AddPartitions(Vec<TopicPartition>),
    /// AddPartitionsToTxn of a broker, about these in this id's transaction.
    AddForBroker(TransactionalId, Vec<TopicPartition>),
    /// AddOffsetsToTxn.
    AddOffsets,
    /// EndTxn.
    End,
}

/// A request that was not answered yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    /// Its answer goes there.
    pub ticket: Ticket,
    /// Its version.
    pub version: i16,
    /// What it asks.
    pub ask: Ask,
}

impl Waiting {
    /// The answer with one outcome for everything that was asked.
    pub fn answer(&self, outcome: Result<Stamp, ErrorCode>) -> Effect {
        let code = self.code(outcome.err());
        let body = match &self.ask {
            Ask::Init => ResponseKind::InitProducerId(init(code, outcome.ok())),
            Ask::End => ResponseKind::EndTxn(end(code, outcome.ok())),
            Ask::AddOffsets => ResponseKind::AddOffsetsToTxn(
                AddOffsetsToTxnResponse::default().with_error_code(code),
            ),
            Ask::AddPartitions(partitions) | Ask::AddForBroker(_, partitions) => {
                return self.answer_each(partitions.iter().map(|_| outcome.err()));
            }
        };
        Effect::Answer { ticket: self.ticket, body }
    }

    /// The answer with an outcome for each partition that was asked about, in order.
    pub fn answer_each(
        &self,
        errors: impl IntoIterator<Item = Option<ErrorCode>>,
    ) -> Effect {
        let answer = AddPartitionsToTxnResponse::default();
        let codes = errors.into_iter().map(|error| self.code(error));
        let answer = match &self.ask {
            Ask::AddPartitions(partitions) => {
                answer.with_results_by_topic_v3_and_below(by_topic(partitions, codes))
            }
            Ask::AddForBroker(id, partitions) => {
                let result = AddPartitionsToTxnResult::default()
                    .with_transactional_id(id.clone())
                    .with_topic_results(by_topic(partitions, codes));
                answer.with_results_by_transaction(vec![result])
            }
            Ask::Init | Ask::AddOffsets | Ask::End => answer,
        };
        Effect::Answer {
            ticket: self.ticket,
            body: ResponseKind::AddPartitionsToTxn(answer),
        }
    }

    /// An error as this version knows it: to older ones a fenced producer is one with an
    /// invalid epoch.
    fn code(&self, error: Option<ErrorCode>) -> i16 {
        let since = match self.ask {
            Ask::Init => 4,
            Ask::AddPartitions(_)
            | Ask::AddForBroker(..)
            | Ask::AddOffsets
            | Ask::End => 2,
        };
        match error {
            Some(ErrorCode::ProducerFenced) if self.version < since => {
                ErrorCode::InvalidProducerEpoch.code()
            }
            error => error.map_or(0, |error| error.code()),
        }
    }
}

fn init(code: i16, stamp: Option<Stamp>) -> InitProducerIdResponse {
    let answer = InitProducerIdResponse::default().with_error_code(code);
    match stamp {
        Some(stamp) => answer
            .with_producer_id(WireProducerId(stamp.producer.0))
            .with_producer_epoch(stamp.epoch.0),
        None => answer.with_producer_id(WireProducerId(-1)).with_producer_epoch(-1),
    }
}

fn end(code: i16, stamp: Option<Stamp>) -> EndTxnResponse {
    let answer = EndTxnResponse::default().with_error_code(code);
    match stamp {
        Some(stamp) => answer
            .with_producer_id(WireProducerId(stamp.producer.0))
            .with_producer_epoch(stamp.epoch.0),
        None => answer,
    }
}

/// Each partition's code, under its topic; partitions of one topic stand together.
fn by_topic(
    partitions: &[TopicPartition],
    codes: impl Iterator<Item = i16>,
) -> Vec<AddPartitionsToTxnTopicResult> {
    let mut topics: Vec<AddPartitionsToTxnTopicResult> = Vec::new();
    for (partition, code) in partitions.iter().zip(codes) {
        let result = AddPartitionsToTxnPartitionResult::default()
            .with_partition_index(partition.partition)
            .with_partition_error_code(code);
        match topics.last_mut().filter(|topic| *topic.name == *partition.topic) {
            Some(topic) => topic.results_by_partition.push(result),
            None => topics.push(
                AddPartitionsToTxnTopicResult::default()
                    .with_name(topic_name(&partition.topic))
                    .with_results_by_partition(vec![result]),
            ),
        }
    }
    topics
}

/// A topic's name as messages carry it.
pub(super) fn topic_name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}
