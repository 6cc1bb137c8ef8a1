//! DescribeTransactions and ListTransactions: what an operator sees.

use std::collections::BTreeMap;

use topomotion_wire::messages::describe_transactions_response::{
    TopicData, TransactionState as Described,
};
use topomotion_wire::messages::list_transactions_response::TransactionState as Listed;
use topomotion_wire::messages::{
    DescribeTransactionsRequest, DescribeTransactionsResponse, ListTransactionsRequest,
    ListTransactionsResponse, ProducerId as WireProducerId, TransactionalId,
};
use topomotion_wire::{ErrorCode, StrBytes, TransactionState};

use super::answer::topic_name;
use super::machine::TransactionShard;
use super::state::Transaction;

/// The states that an operator can filter by.
const STATES: [TransactionState; 8] = [
    TransactionState::Empty,
    TransactionState::Ongoing,
    TransactionState::PrepareCommit,
    TransactionState::PrepareAbort,
    TransactionState::CompleteCommit,
    TransactionState::CompleteAbort,
    TransactionState::Dead,
    TransactionState::PrepareEpochFence,
];

impl TransactionShard {
    /// Everything about the ids asked for.
    pub(super) fn describe(
        &self,
        request: &DescribeTransactionsRequest,
    ) -> DescribeTransactionsResponse {
        let described = request.transactional_ids.iter().map(|id| self.described(id));
        DescribeTransactionsResponse::default()
            .with_transaction_states(described.collect())
    }

    fn described(&self, id: &TransactionalId) -> Described {
        let answer = Described::default().with_transactional_id(id.clone());
        let entry = self.entries.get(&*id.0);
        let found = entry.and_then(|entry| entry.durable.as_ref());
        let error = match (id.0.is_empty(), found) {
            (true, _) => ErrorCode::InvalidRequest,
            (false, None) => ErrorCode::TransactionalIdNotFound,
            (false, Some(transaction)) => return filled(answer, transaction),
        };
        answer
            .with_error_code(error.code())
            .with_producer_id(WireProducerId(-1))
            .with_producer_epoch(-1)
            .with_transaction_start_time_ms(-1)
    }

    /// Every id that passes the filters, in short.
    pub(super) fn list(
        &self,
        now_ms: i64,
        request: &ListTransactionsRequest,
    ) -> ListTransactionsResponse {
        let (known, unknown): (Vec<_>, Vec<_>) =
            request.state_filters.iter().cloned().partition(|name| {
                STATES.into_iter().any(|state| name_of(state) == &**name)
            });
        let answer = ListTransactionsResponse::default();
        if known.is_empty() && !unknown.is_empty() {
            return answer.with_unknown_state_filters(unknown);
        }
        let listed = self.entries.iter().filter_map(|(id, entry)| {
            let transaction = entry.durable.as_ref()?;
            passes(transaction, &known, now_ms, request).then(|| {
                Listed::default()
                    .with_transactional_id(TransactionalId(text(id)))
                    .with_producer_id(WireProducerId(transaction.producer.0))
                    .with_transaction_state(text(name_of(transaction.state)))
            })
        });
        let listed = listed.collect();
        answer.with_unknown_state_filters(unknown).with_transaction_states(listed)
    }
}

fn filled(answer: Described, transaction: &Transaction) -> Described {
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for partition in &transaction.partitions {
        topics.entry(&partition.topic).or_default().push(partition.partition);
    }
    // Once the end is decided, what is left of the transaction is the coordinator's business.
    if transaction.is_ending() {
        topics.clear();
    }
    let topics = topics.into_iter().map(|(topic, partitions)| {
        TopicData::default().with_topic(topic_name(topic)).with_partitions(partitions)
    });
    answer
        .with_transaction_state(text(name_of(transaction.state)))
        .with_transaction_timeout_ms(transaction.timeout_ms)
        .with_transaction_start_time_ms(transaction.started_ms.unwrap_or(-1))
        .with_producer_id(WireProducerId(transaction.producer.0))
        .with_producer_epoch(transaction.epoch.0)
        .with_topics(topics.collect())
}

fn passes(
    transaction: &Transaction,
    states: &[StrBytes],
    now_ms: i64,
    request: &ListTransactionsRequest,
) -> bool {
    let state = name_of(transaction.state);
    let of_state = states.is_empty() || states.iter().any(|name| &**name == state);
    let producers = &request.producer_id_filters;
    let of_producer = producers.is_empty()
        || producers.contains(&WireProducerId(transaction.producer.0));
    let age = transaction.started_ms.map(|started| now_ms.saturating_sub(started));
    let old_enough = request.duration_filter < 0
        || age.is_some_and(|age| age > request.duration_filter);
    of_state && of_producer && old_enough
}

/// A state's name in Kafka's tools.
fn name_of(state: TransactionState) -> &'static str {
    match state {
        TransactionState::Empty => "Empty",
        TransactionState::Ongoing => "Ongoing",
        TransactionState::PrepareCommit => "PrepareCommit",
        TransactionState::PrepareAbort => "PrepareAbort",
        TransactionState::CompleteCommit => "CompleteCommit",
        TransactionState::CompleteAbort => "CompleteAbort",
        TransactionState::Dead => "Dead",
        TransactionState::PrepareEpochFence => "PrepareEpochFence",
    }
}

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}
