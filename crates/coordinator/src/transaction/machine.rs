//! The shard itself: who calls what.

use std::collections::VecDeque;

use topomotion_wire::messages::{RequestKind, ResponseKind, WriteTxnMarkersRequest};
use topomotion_wire::{ErrorCode, Instant, LeaderEpoch, NodeId, Offset};

use super::TransactionConfig;
use crate::{
    Caller, Control, Directory, Effect, Loaded, Shard, Stamp, Ticket, WriteToken,
};

/// One partition of `__transaction_state`, served by the broker that leads it.
#[derive(Debug, Clone)]
pub struct TransactionShard {
    epoch: LeaderEpoch,
    config: TransactionConfig,
    effects: VecDeque<Effect>,
}

impl TransactionShard {
    /// The coordinator of a partition led in `epoch`, which its markers carry (TXN-6).
    pub fn new(epoch: LeaderEpoch, config: TransactionConfig) -> TransactionShard {
        TransactionShard { epoch, config, effects: VecDeque::new() }
    }
}

impl Shard for TransactionShard {
    fn load(&mut self, _now: Instant, _loaded: Loaded) {}

    fn loaded(&mut self, _now: Instant, _directory: &dyn Directory) {}

    fn handle(
        &mut self,
        _now: Instant,
        _directory: &dyn Directory,
        _ticket: Ticket,
        _caller: &Caller,
        _request: RequestKind,
    ) {
    }

    fn hung_up(&mut self, _now: Instant, _ticket: Ticket) {}

    fn appended(
        &mut self,
        _now: Instant,
        _directory: &dyn Directory,
        _token: WriteToken,
        _outcome: Result<Offset, ErrorCode>,
    ) {
    }

    fn committed(
        &mut self,
        _now: Instant,
        _directory: &dyn Directory,
        _token: WriteToken,
    ) {
    }

    fn marker_appended(&mut self, _now: Instant, _stamp: Stamp, _control: Control) {}

    fn markers_answered(
        &mut self,
        _now: Instant,
        _directory: &dyn Directory,
        _from: NodeId,
        _request: &WriteTxnMarkersRequest,
        _response: Option<&ResponseKind>,
    ) {
    }

    fn metadata_changed(&mut self, _now: Instant, _directory: &dyn Directory) {}

    fn tick(&mut self, _now: Instant, _directory: &dyn Directory) {}

    fn deadline(&self) -> Option<Instant> {
        let _ = (self.epoch, &self.config);
        None
    }

    fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }
}
