//! InitProducerId: who begins gets an epoch that fences everybody before (TXN-2, PRD-3).
//!
//! - An unknown id gets a new producer id in epoch 0.
//! - A known one gets the next epoch; when none is left, a new producer id.
//! - While a transaction is open, it is aborted in a fencing epoch, and the caller is told to
//!   come again: `CONCURRENT_TRANSACTIONS`.
//! - From version 3 on the caller may name the id and epoch it has (KIP-360). Then it only goes
//!   on if nobody began after it; that it asks again is seen by the epoch before the last
//!   raise.

use topomotion_wire::{ErrorCode, ProducerEpoch, Rule, TransactionState};

use super::decision::{Claim, Decision, Step};
use super::state::{LAST_EPOCH, Transaction};
use crate::Stamp;

/// What a producer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish {
    /// The id and epoch that it has already.
    pub has: Option<Stamp>,
    /// `transaction.timeout.ms`.
    pub timeout_ms: i32,
}

/// What becomes of it.
pub(super) fn decide(
    current: Option<&Transaction>,
    wish: Wish,
    claim: Claim<'_>,
    now_ms: i64,
) -> Decision {
    let Some(current) = current else {
        return claim().map_or_else(Decision::refuse, |producer| {
            let new = Transaction::new(producer, wish.timeout_ms, now_ms);
            Decision::write(new, vec![Rule::Prd3])
        });
    };
    if wish.has.is_some_and(|has| !is_of(current, has)) {
        return Decision::refuse(ErrorCode::ProducerFenced);
    }
    match current.state {
        TransactionState::Ongoing => abort_open(current, wish, now_ms),
        TransactionState::Empty
        | TransactionState::CompleteCommit
        | TransactionState::CompleteAbort => begin_again(current, wish, claim, now_ms),
        TransactionState::PrepareCommit
        | TransactionState::PrepareAbort
        | TransactionState::PrepareEpochFence
        | TransactionState::Dead => Decision::refuse(ErrorCode::ConcurrentTransactions),
    }
}

/// Whether the producer id is this transaction's, or was until its epochs ran out.
fn is_of(current: &Transaction, has: Stamp) -> bool {
    let before =
        current.previous_producer == Some(has.producer) && has.epoch >= LAST_EPOCH;
    has.producer == current.producer || before
}

fn abort_open(current: &Transaction, wish: Wish, now_ms: i64) -> Decision {
    // A delayed request of an older life must not abort what a newer one does.
    if wish.has.is_some_and(|has| has.epoch != current.epoch) {
        return Decision::refuse(ErrorCode::ProducerFenced);
    }
    Decision::Write(Step {
        next: current.fenced(now_ms),
        rules: vec![Rule::Txn2],
        answer: Err(ErrorCode::ConcurrentTransactions),
    })
}

fn begin_again(
    current: &Transaction,
    wish: Wish,
    claim: Claim<'_>,
    now_ms: i64,
) -> Decision {
    let rule = if wish.has.is_some() { Rule::Prd8 } else { Rule::Txn2 };
    let mut next = current.begun_again(wish.timeout_ms, now_ms);
    let goes_on = wish.has.is_none_or(|has| has.epoch == current.epoch);
    if goes_on {
        next.last_epoch = wish.has.map(|_| current.epoch);
        if current.is_exhausted() {
            next.previous_producer = Some(current.producer);
            next.epoch = ProducerEpoch(0);
            next.producer = match claim() {
                Ok(producer) => producer,
                Err(error) => return Decision::refuse(error),
            };
        } else {
            next.epoch = ProducerEpoch(current.epoch.0 + 1);
        }
    } else if wish.has.map(|has| has.epoch) != current.last_epoch {
        return Decision::refuse(ErrorCode::ProducerFenced);
    }
    Decision::write(next, vec![rule])
}
