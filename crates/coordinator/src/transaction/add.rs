//! AddPartitionsToTxn and AddOffsetsToTxn: what takes part in a transaction (TXN-4).
//!
//! - Versions 0–3 are a producer's own (KIP-98). The offsets topic's partition of a group is
//!   added by AddOffsetsToTxn.
//! - From version 4 on a broker asks for a producer, either to see that a partition is in
//!   (`verify_only`, KIP-890 part 1) or to add it with the first record (part 2).
//! - The first partition opens the transaction. Partitions that are in already need no record.

use topomotion_wire::{ErrorCode, Rule, TopicPartition, TransactionState};

use super::decision::Decision;
use super::state::{ClientProtocol, Transaction};
use crate::Stamp;

/// What becomes of new partitions.
pub(super) fn decide(
    current: Option<&Transaction>,
    stamp: Stamp,
    partitions: &[TopicPartition],
    client: ClientProtocol,
    now_ms: i64,
) -> Decision {
    let current = match owned(current, stamp) {
        Ok(current) => current,
        Err(error) => return Decision::refuse(error),
    };
    match current.state {
        TransactionState::PrepareCommit
        | TransactionState::PrepareAbort
        | TransactionState::PrepareEpochFence
        | TransactionState::Dead => Decision::refuse(ErrorCode::ConcurrentTransactions),
        TransactionState::Ongoing
            if partitions
                .iter()
                .all(|partition| current.partitions.contains(partition)) =>
        {
            Decision::Answer(Ok(stamp))
        }
        TransactionState::Ongoing
        | TransactionState::Empty
        | TransactionState::CompleteCommit
        | TransactionState::CompleteAbort => {
            let next =
                current.with_partitions(partitions.iter().cloned(), client, now_ms);
            Decision::write(next, vec![Rule::Txn4])
        }
    }
}

/// Which of these partitions are not part of the transaction, as a broker wants to know before
/// it takes the first record.
pub(super) fn verify(
    current: Option<&Transaction>,
    stamp: Stamp,
    partitions: &[TopicPartition],
) -> Vec<Option<ErrorCode>> {
    match owned(current, stamp) {
        Err(error) => vec![Some(error); partitions.len()],
        Ok(current) => partitions
            .iter()
            .map(|partition| match current.partitions.contains(partition) {
                true => None,
                false => Some(ErrorCode::TransactionAbortable),
            })
            .collect(),
    }
}

/// The transaction, if it is this producer's in this epoch.
pub(super) fn owned(
    current: Option<&Transaction>,
    stamp: Stamp,
) -> Result<&Transaction, ErrorCode> {
    let current = current
        .filter(|current| current.producer == stamp.producer)
        .ok_or(ErrorCode::InvalidProducerIdMapping)?;
    if current.epoch != stamp.epoch {
        return Err(ErrorCode::ProducerFenced);
    }
    Ok(current)
}
