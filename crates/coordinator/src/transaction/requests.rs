//! Requests of clients and brokers, checked and taken apart.

use std::sync::Arc;

use topomotion_wire::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use topomotion_wire::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, AddPartitionsToTxnResponse,
    EndTxnRequest, InitProducerIdRequest, ProducerId as WireProducerId, RequestKind,
    ResponseKind, TransactionalId,
};
use topomotion_wire::{
    Duration, ErrorCode, Instant, ProducerEpoch, ProducerId, Rule, TopicPartition,
};

use super::answer::{Ask, Waiting};
use super::entries::Entry;
use super::machine::TransactionShard;
use super::state::ClientProtocol;
use super::{add, end, init};
use crate::{Control, Directory, Effect, Stamp, Ticket, partition_for};

/// Where groups keep their offsets.
const OFFSETS_TOPIC: &str = "__consumer_offsets";
/// The first EndTxn version whose clients know that the epoch rises.
const RAISING_END: i16 = 5;
/// The first AddPartitionsToTxn version that brokers send.
const BROKERS_ADD: i16 = 4;
const NO_PRODUCER: WireProducerId = WireProducerId(-1);
const NO_EPOCH: i16 = -1;

impl TransactionShard {
    /// Takes a request; those of other coordinators never come here.
    pub(super) fn take_request(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        ticket: Ticket,
        version: i16,
        request: RequestKind,
    ) {
        let waiting = |ask| Waiting { ticket, version, ask };
        match request {
            RequestKind::InitProducerId(request) => {
                self.init_producer(now, directory, waiting(Ask::Init), &request);
            }
            RequestKind::AddPartitionsToTxn(request) if version < BROKERS_ADD => {
                self.add_partitions(now, directory, ticket, version, &request);
            }
            RequestKind::AddPartitionsToTxn(mut request) => {
                match (request.transactions.pop(), request.transactions.is_empty()) {
                    (Some(one), true) => {
                        self.add_for_broker(now, directory, ticket, version, &one);
                    }
                    // The broker asks about one at a time.
                    _ => self.refuse_batch(ticket),
                }
            }
            RequestKind::AddOffsetsToTxn(request) => {
                let waiting = waiting(Ask::AddOffsets);
                self.add_offsets(now, directory, waiting, &request);
            }
            RequestKind::EndTxn(request) => {
                self.end_transaction(now, directory, waiting(Ask::End), &request);
            }
            RequestKind::DescribeTransactions(request) => {
                let body = ResponseKind::DescribeTransactions(self.describe(&request));
                self.effects.push_back(Effect::Answer { ticket, body });
            }
            RequestKind::ListTransactions(request) => {
                let body = ResponseKind::ListTransactions(
                    self.list(self.wall_ms(now), &request),
                );
                self.effects.push_back(Effect::Answer { ticket, body });
            }
            _ => {}
        }
    }

    fn init_producer(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        waiting: Waiting,
        request: &InitProducerIdRequest,
    ) {
        let checked = checked_init(request, self.config.max_timeout);
        let (id, wish) = match checked {
            Ok(checked) => checked,
            Err(error) => return self.effects.push_back(waiting.answer(Err(error))),
        };
        let now_ms = self.wall_ms(now);
        let claim = || directory.claim_producer_id();
        self.transit(&id, waiting, |current| init::decide(current, wish, &claim, now_ms));
    }

    fn add_partitions(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        ticket: Ticket,
        version: i16,
        request: &AddPartitionsToTxnRequest,
    ) {
        let asked = partitions_in(&request.v3_and_below_topics);
        let ask = Ask::AddPartitions(asked.clone());
        let stamp =
            stamp(request.v3_and_below_producer_id, request.v3_and_below_producer_epoch);
        let id = &request.v3_and_below_transactional_id;
        let waiting = Waiting { ticket, version, ask };
        self.add(now, directory, waiting, id, stamp, asked, ClientProtocol::One);
    }

    fn add_for_broker(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        ticket: Ticket,
        version: i16,
        wanted: &AddPartitionsToTxnTransaction,
    ) {
        let asked = partitions_in(&wanted.topics);
        let id = &wanted.transactional_id;
        let ask = Ask::AddForBroker(id.clone(), asked.clone());
        let waiting = Waiting { ticket, version, ask };
        let stamp = stamp(wanted.producer_id, wanted.producer_epoch);
        if wanted.verify_only {
            return self.verify(&waiting, id, stamp, &asked);
        }
        let client = self.protocol_of(ClientProtocol::Two);
        self.add(now, directory, waiting, id, stamp, asked, client);
    }

    #[expect(clippy::too_many_arguments, reason = "each comes from another field")]
    fn add(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        waiting: Waiting,
        id: &TransactionalId,
        stamp: Stamp,
        asked: Vec<TopicPartition>,
        client: ClientProtocol,
    ) {
        let Some(id) = named(id) else {
            return self
                .effects
                .push_back(waiting.answer(Err(ErrorCode::InvalidRequest)));
        };
        if !asked.iter().all(|partition| exists(directory, partition)) {
            let errors = asked.iter().map(|partition| {
                Some(match exists(directory, partition) {
                    true => ErrorCode::OperationNotAttempted,
                    false => ErrorCode::UnknownTopicOrPartition,
                })
            });
            return self.effects.push_back(waiting.answer_each(errors));
        }
        let now_ms = self.wall_ms(now);
        self.transit(&id, waiting, |current| {
            add::decide(current, stamp, &asked, client, now_ms)
        });
    }

    /// Answers a broker that has a first record of a partition in hand (TXN-4).
    fn verify(
        &mut self,
        waiting: &Waiting,
        id: &TransactionalId,
        stamp: Stamp,
        asked: &[TopicPartition],
    ) {
        let Some(id) = named(id) else {
            return self
                .effects
                .push_back(waiting.answer(Err(ErrorCode::InvalidRequest)));
        };
        let entry = self.entries.get(&id);
        let errors = match entry.is_some_and(Entry::is_ending) {
            true => vec![Some(ErrorCode::ConcurrentTransactions); asked.len()],
            false => {
                add::verify(entry.and_then(|entry| entry.durable.as_ref()), stamp, asked)
            }
        };
        self.effects.push_back(Effect::Mark(Rule::Txn4));
        self.effects.push_back(waiting.answer_each(errors));
    }

    /// The partition in which the group keeps its offsets takes part.
    fn add_offsets(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        waiting: Waiting,
        request: &AddOffsetsToTxnRequest,
    ) {
        let Some(id) = named(&request.transactional_id) else {
            return self
                .effects
                .push_back(waiting.answer(Err(ErrorCode::InvalidRequest)));
        };
        let count = directory
            .partition_count(OFFSETS_TOPIC)
            .unwrap_or(self.config.offsets_topic_partitions);
        let index = partition_for(&request.group_id, count);
        let partition = TopicPartition::new(OFFSETS_TOPIC, index);
        let stamp = stamp(request.producer_id, request.producer_epoch);
        let now_ms = self.wall_ms(now);
        self.transit(&id, waiting, |current| {
            add::decide(current, stamp, &[partition], ClientProtocol::One, now_ms)
        });
    }

    fn end_transaction(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        waiting: Waiting,
        request: &EndTxnRequest,
    ) {
        let Some(id) = named(&request.transactional_id) else {
            return self
                .effects
                .push_back(waiting.answer(Err(ErrorCode::InvalidRequest)));
        };
        let wish = end::Wish {
            stamp: stamp(request.producer_id, request.producer_epoch),
            control: match request.committed {
                true => Control::Commit,
                false => Control::Abort,
            },
            client: match waiting.version < RAISING_END {
                true => ClientProtocol::One,
                false => self.protocol_of(ClientProtocol::Two),
            },
        };
        let now_ms = self.wall_ms(now);
        let claim = || directory.claim_producer_id();
        self.transit(&id, waiting, |current| end::decide(current, wish, &claim, now_ms));
    }

    /// What a client speaks, as far as this coordinator's era understands it.
    fn protocol_of(&self, client: ClientProtocol) -> ClientProtocol {
        match self.config.version.bumps_epochs() {
            true => client,
            false => ClientProtocol::One,
        }
    }

    fn refuse_batch(&mut self, ticket: Ticket) {
        let body = AddPartitionsToTxnResponse::default()
            .with_error_code(ErrorCode::InvalidRequest.code());
        let body = ResponseKind::AddPartitionsToTxn(body);
        self.effects.push_back(Effect::Answer { ticket, body });
    }
}

fn checked_init(
    request: &InitProducerIdRequest,
    max_timeout: Duration,
) -> Result<(Arc<str>, init::Wish), ErrorCode> {
    // Producers without a transactional id are given theirs by any broker, not by this one.
    let id = request.transactional_id.as_ref().and_then(named);
    let id = id.ok_or(ErrorCode::InvalidRequest)?;
    let timeout_ms = request.transaction_timeout_ms;
    let positive = u64::try_from(timeout_ms).ok().filter(|&timeout| timeout > 0);
    positive
        .filter(|&timeout| timeout <= max_timeout.as_millis())
        .ok_or(ErrorCode::InvalidTransactionTimeout)?;
    let has = match (request.producer_id, request.producer_epoch) {
        (NO_PRODUCER, NO_EPOCH) => None,
        (NO_PRODUCER, _) | (_, NO_EPOCH) => return Err(ErrorCode::InvalidRequest),
        (producer, epoch) => Some(stamp(producer, epoch)),
    };
    Ok((id, init::Wish { has, timeout_ms }))
}

/// An id as a key; an empty one is none.
fn named(id: &TransactionalId) -> Option<Arc<str>> {
    Some(Arc::from(&*id.0)).filter(|id: &Arc<str>| !id.is_empty())
}

fn stamp(producer: WireProducerId, epoch: i16) -> Stamp {
    Stamp { producer: ProducerId(producer.0), epoch: ProducerEpoch(epoch) }
}

fn partitions_in(topics: &[AddPartitionsToTxnTopic]) -> Vec<TopicPartition> {
    let mut partitions = Vec::new();
    for topic in topics {
        let name: Arc<str> = Arc::from(&**topic.name);
        let indexes = topic.partitions.iter();
        partitions.extend(indexes.map(|&index| TopicPartition::new(name.clone(), index)));
    }
    partitions
}

fn exists(directory: &dyn Directory, partition: &TopicPartition) -> bool {
    let count = directory.partition_count(&partition.topic).unwrap_or(0);
    (0..count).contains(&partition.partition)
}
