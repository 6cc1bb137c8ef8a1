//! What coordinators and producers say of transactions.

use std::sync::Arc;

use topomotion_trace::{StateChange, TransactionState, TransactionStep};
use topomotion_wire::{self as wire, Fact};

use super::groups::partitions;
use crate::packet::Dictionary;

pub(super) fn change(
    process: Arc<str>,
    fact: Fact,
    names: &mut Dictionary,
) -> Option<StateChange> {
    Some(match fact {
        Fact::TransactionChanged { transactional_id, view } => StateChange::Transaction {
            coordinator: process,
            id: transactional_id,
            state: state(view.state),
            producer: view.producer.0,
            epoch: view.epoch.0,
            partitions: partitions(&view.partitions, names),
        },
        Fact::ProducerIdentified { transactional_id, producer, epoch } => {
            StateChange::ProducerIdentified {
                process,
                id: transactional_id,
                producer: producer.0,
                epoch: epoch.0,
            }
        }
        Fact::Transaction { transactional_id, number, step } => {
            StateChange::TransactionStep {
                process,
                id: transactional_id,
                number,
                step: seen(step),
            }
        }
        _ => return None,
    })
}

fn state(state: wire::TransactionState) -> TransactionState {
    match state {
        wire::TransactionState::Empty => TransactionState::Empty,
        wire::TransactionState::Ongoing => TransactionState::Ongoing,
        wire::TransactionState::PrepareCommit => TransactionState::PrepareCommit,
        wire::TransactionState::PrepareAbort => TransactionState::PrepareAbort,
        wire::TransactionState::CompleteCommit => TransactionState::CompleteCommit,
        wire::TransactionState::CompleteAbort => TransactionState::CompleteAbort,
        wire::TransactionState::PrepareEpochFence => TransactionState::PrepareEpochFence,
        wire::TransactionState::Dead => TransactionState::Dead,
    }
}

fn seen(step: wire::TransactionStep) -> TransactionStep {
    match step {
        wire::TransactionStep::Begun => TransactionStep::Begun,
        wire::TransactionStep::Committing => TransactionStep::Committing,
        wire::TransactionStep::Committed => TransactionStep::Committed,
        wire::TransactionStep::Aborting => TransactionStep::Aborting,
        wire::TransactionStep::Aborted => TransactionStep::Aborted,
        wire::TransactionStep::Fenced => TransactionStep::Fenced,
        wire::TransactionStep::Abortable => TransactionStep::Abortable,
        wire::TransactionStep::Unknown => TransactionStep::Unknown,
    }
}
