//! T1: a transaction goes from state to state as TXN-1 allows, and its epoch never falls; what
//! a coordinator says that leads no more counts for nothing.

use std::collections::BTreeMap;

use topomotion_trace::{StateChange, TransactionState as State};

use super::Checker;
use crate::court::Bench;
use crate::homes::home_of;
use crate::model::{Model, Name};

#[derive(Debug, Default)]
pub(crate) struct Transitions {
    /// State, producer and epoch that each id was in last.
    known: BTreeMap<Name, (State, i64, i16)>,
}

impl Checker for Transitions {
    fn see(&mut self, model: &Model, change: &StateChange, bench: &mut Bench<'_>) {
        let StateChange::Transaction { coordinator, id, state, producer, epoch, .. } =
            change
        else {
            return;
        };
        let Some(home) = home_of(model, id) else { return };
        if model.led_by(coordinator, &home).is_none() {
            // It counts if its followers have not heard of its fall either, and not if they have.
            self.known.remove(id);
            return;
        }
        let now = (*state, *producer, *epoch);
        let Some(before) = self.known.insert(id.clone(), now) else { return };
        // A new coordinator says again what it has found.
        if before == now || model.was_unclean(&home) {
            return;
        }
        bench.demand("T1", may_follow(before.0, *state), || {
            format!("transaction {id} went from {:?} to {state:?}", before.0)
        });
        let (_, last_producer, last_epoch) = before;
        bench.demand("T1", last_producer != *producer || last_epoch <= *epoch, || {
            format!("the epoch of transaction {id} fell from {last_epoch} to {epoch}")
        });
    }
}

/// What comes right after what. An abort of nothing raises the epoch (KIP-890), and takes the
/// same way as any other.
fn may_follow(from: State, to: State) -> bool {
    match from {
        State::Empty | State::CompleteCommit | State::CompleteAbort => matches!(
            to,
            State::Empty | State::Ongoing | State::PrepareAbort | State::Dead
        ),
        State::Ongoing => matches!(
            to,
            State::Ongoing
                | State::PrepareCommit
                | State::PrepareAbort
                | State::PrepareEpochFence
        ),
        State::PrepareEpochFence => to == State::PrepareAbort,
        State::PrepareCommit => to == State::CompleteCommit,
        State::PrepareAbort => to == State::CompleteAbort,
        State::Dead => to == State::Empty,
    }
}
