//! The shard itself: what comes in, and where it goes.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use topomotion_wire::messages::{RequestKind, ResponseKind, WriteTxnMarkersRequest};
use topomotion_wire::{Defect, ErrorCode, Instant, LeaderEpoch, NodeId, Offset};
use topomotion_wire::{Rule, TransactionState};

use super::TransactionConfig;
use super::clock::Scan;
use super::entries::{Entries, Entry, changed};
use super::records::{decode_key, decode_value};
use crate::{
    Caller, Control, Directory, Effect, Loaded, Shard, Stamp, Ticket, WriteToken,
};

/// One partition of `__transaction_state`, served by the broker that leads it.
#[derive(Debug, Clone)]
pub struct TransactionShard {
    pub(super) epoch: LeaderEpoch,
    pub(super) config: TransactionConfig,
    pub(super) entries: Entries,
    pub(super) writes: BTreeMap<WriteToken, Arc<str>>,
    pub(super) next_token: u64,
    pub(super) timeouts: Scan,
    pub(super) expirations: Scan,
    pub(super) effects: VecDeque<Effect>,
}

impl TransactionShard {
    /// The coordinator of a partition led in `epoch`, which its markers carry (TXN-6).
    pub fn new(epoch: LeaderEpoch, config: TransactionConfig) -> TransactionShard {
        TransactionShard {
            epoch,
            timeouts: Scan::every(config.timeout_scan_interval),
            expirations: Scan::every(config.expiration_scan_interval),
            config,
            entries: Entries::new(),
            writes: BTreeMap::new(),
            next_token: 0,
            effects: VecDeque::new(),
        }
    }

    /// The time that records carry, Unix ms.
    pub(super) fn wall_ms(&self, now: Instant) -> i64 {
        let passed = i64::try_from(now.as_millis()).unwrap_or(i64::MAX);
        self.config.wall_clock_base_ms.saturating_add(passed)
    }
}

impl Shard for TransactionShard {
    fn load(&mut self, _now: Instant, loaded: Loaded) {
        // Markers end transactions of groups' offsets; nobody writes any here.
        let Loaded::Record { key, value, .. } = loaded else { return };
        let Some(id) = decode_key(&key) else { return };
        match value.as_deref().and_then(decode_value) {
            Some(transaction) => {
                let entry = Entry { durable: Some(transaction), ..Entry::default() };
                self.entries.insert(id, entry);
            }
            None => {
                self.entries.remove(&id);
            }
        }
    }

    fn loaded(&mut self, now: Instant, directory: &dyn Directory) {
        self.timeouts.start(now);
        self.expirations.start(now);
        let mut due = false;
        for (id, entry) in &mut self.entries {
            let Some(transaction) = &mut entry.durable else { continue };
            if transaction.state == TransactionState::PrepareCommit
                && Defect::FailoverAborts.is_sown()
            {
                transaction.state = TransactionState::PrepareAbort;
            }
            self.effects.push_back(changed(id, transaction.view()));
            due |= transaction.is_ending();
        }
        if due {
            self.effects.push_back(Effect::Mark(Rule::Txn10));
            self.resume_endings(now, directory);
        }
    }

    fn handle(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        ticket: Ticket,
        caller: &Caller,
        request: RequestKind,
    ) {
        self.take_request(now, directory, ticket, caller.version, request);
    }

    fn hung_up(&mut self, _now: Instant, ticket: Ticket) {
        let changes =
            self.entries.values_mut().filter_map(|entry| entry.pending.as_mut());
        changes.for_each(|change| change.forget_caller(ticket));
    }

    fn appended(
        &mut self,
        now: Instant,
        _directory: &dyn Directory,
        token: WriteToken,
        outcome: Result<Offset, ErrorCode>,
    ) {
        if let Err(error) = outcome {
            self.refused(now, token, error);
        }
    }

    fn committed(&mut self, now: Instant, directory: &dyn Directory, token: WriteToken) {
        self.durable(now, directory, token);
    }

    fn marker_appended(&mut self, _now: Instant, _stamp: Stamp, _control: Control) {}

    fn markers_answered(
        &mut self,
        now: Instant,
        directory: &dyn Directory,
        _from: NodeId,
        request: &WriteTxnMarkersRequest,
        response: Option<&ResponseKind>,
    ) {
        self.take_marker_answers(now, directory, request, response);
    }

    fn metadata_changed(&mut self, now: Instant, directory: &dyn Directory) {
        self.hurry_markers(now, directory);
    }

    fn tick(&mut self, now: Instant, directory: &dyn Directory) {
        self.send_markers(now, directory);
        self.complete_again(now);
        self.scan(now);
    }

    fn deadline(&self) -> Option<Instant> {
        self.next_due()
    }

    fn poll(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }
}
