//! EndTxn: the decision (TXN-3).
//!
//! - Up to version 4 the epoch stays. An end that is asked for again is answered as before.
//! - From version 5 on every end raises the epoch (TXN-5, KIP-890 part 2), so that nothing of
//!   it can reach the next transaction; whoever asks again names the epoch before. An abort
//!   with nothing to abort raises it too. Past the last epoch goes on a new producer id.

use topomotion_wire::{
    Defect, ErrorCode, ProducerEpoch, ProducerId, Rule, TransactionState,
};

use super::add::owned;
use super::decision::{Claim, Decision};
use super::state::{ClientProtocol, Transaction};
use crate::{Control, Stamp};

/// How a producer ends its transaction, and in which protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wish {
    /// Whose.
    pub stamp: Stamp,
    /// How.
    pub control: Control,
    /// Whether the epoch rises with it.
    pub client: ClientProtocol,
}

impl Wish {
    fn prepared(self) -> TransactionState {
        match self.control {
            Control::Commit => TransactionState::PrepareCommit,
            Control::Abort => TransactionState::PrepareAbort,
        }
    }

    fn is_done(self, state: TransactionState) -> bool {
        match self.control {
            Control::Commit => state == TransactionState::CompleteCommit,
            Control::Abort => state == TransactionState::CompleteAbort,
        }
    }
}

/// What becomes of it.
pub(super) fn decide(
    current: Option<&Transaction>,
    wish: Wish,
    claim: Claim<'_>,
    now_ms: i64,
) -> Decision {
    match wish.client {
        ClientProtocol::One => keeping_epoch(current, wish, now_ms),
        ClientProtocol::Two => raising_epoch(current, wish, claim, now_ms),
    }
}

fn keeping_epoch(current: Option<&Transaction>, wish: Wish, now_ms: i64) -> Decision {
    let current = match owned(current, wish.stamp) {
        Ok(current) => current,
        Err(error) => return Decision::refuse(error),
    };
    match current.state {
        TransactionState::Ongoing => {
            let next = Transaction {
                client: ClientProtocol::One,
                ..current.ended(wish.prepared(), now_ms)
            };
            Decision::write(next, vec![Rule::Txn3])
        }
        state if wish.is_done(state) => Decision::Answer(Ok(wish.stamp)),
        _ if Defect::AnyTransition.is_sown() => {
            Decision::write(current.ended(wish.prepared(), now_ms), vec![Rule::Txn3])
        }
        _ => Decision::refuse(ErrorCode::InvalidTxnState),
    }
}

fn raising_epoch(
    current: Option<&Transaction>,
    wish: Wish,
    claim: Claim<'_>,
    now_ms: i64,
) -> Decision {
    let repeats = |current: &Transaction| {
        let complete = matches!(
            current.state,
            TransactionState::CompleteCommit | TransactionState::CompleteAbort
        );
        complete && current.repeats_end(wish.stamp.producer, wish.stamp.epoch)
    };
    if let Some(current) = current.filter(|current| repeats(current)) {
        return Decision::Answer(match wish.is_done(current.state) {
            true => Ok(current.owner()),
            false => Err(ErrorCode::InvalidTxnState),
        });
    }
    let current = match owned(current, wish.stamp) {
        Ok(current) => current,
        Err(error) => return Decision::refuse(error),
    };
    let may_end = current.state == TransactionState::Ongoing
        || wish.control == Control::Abort
        || Defect::AnyTransition.is_sown();
    if !may_end {
        return Decision::refuse(ErrorCode::InvalidTxnState);
    }
    let next = match current.is_exhausted().then(claim).transpose() {
        Ok(next) => next,
        Err(error) => return Decision::refuse(error),
    };
    Decision::write(
        raised(current, wish.prepared(), next, now_ms),
        vec![Rule::Txn3, Rule::Txn5],
    )
}

fn raised(
    current: &Transaction,
    state: TransactionState,
    next_producer: Option<ProducerId>,
    now_ms: i64,
) -> Transaction {
    Transaction {
        epoch: ProducerEpoch(current.epoch.0.saturating_add(1)),
        last_epoch: Some(current.epoch),
        next_producer,
        client: ClientProtocol::Two,
        ..current.ended(state, now_ms)
    }
}
