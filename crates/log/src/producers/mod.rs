//! What a log knows of those who wrote it: the state of producers, folded from its batches
//! (PRD-7).
//!
//! ```text
//!   batches ──fold──► producers: epoch, the last five batches, the transaction's first offset
//!                     ongoing:   transactions without an end
//!                     completed: ended ones whose marker may not be replicated yet
//! ```
//!
//! The fold believes what it reads; only a leader asks before it appends ([`check`]). It is
//! the same on every replica, for it depends on nothing but the batches. What cannot be seen
//! in them any more, because they were deleted or compacted, is kept by [`snapshot`]s.
//!
//! A last stable offset needs a high watermark, which a log does not know: see
//! [`ProducerStates::first_unstable`].

mod check;
mod marker;
mod snapshot;
mod tracking;
mod transactions;

use std::collections::BTreeMap;

use topomotion_wire::{Defect, Offset, ProducerEpoch, ProducerId};

pub use check::{Origin, Verdict};
pub use marker::{Marker, MarkerKind};
pub(crate) use tracking::Snapshots;
pub use transactions::AbortedTransaction;
pub(crate) use transactions::write_aborted;

use crate::header::BatchView;
use crate::{Attributes, Batch};

/// How many batches of a producer are remembered: as many as it may have in flight (PRD-4).
const BATCHES_KEPT: usize = 5;

/// A batch as it is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchTrace {
    /// Sequence number of its last record.
    pub last_sequence: i32,
    /// Offset of its last record.
    pub last_offset: Offset,
    /// Offset of its last record less that of its first.
    pub offset_delta: i32,
    /// Its largest timestamp.
    pub timestamp: i64,
}

impl BatchTrace {
    /// Sequence number of its first record.
    pub fn first_sequence(&self) -> i32 {
        let first = i64::from(self.last_sequence) - i64::from(self.offset_delta);
        // Behind the largest comes 0.
        let wrapped = if first < 0 { first + (1 << 31) } else { first };
        i32::try_from(wrapped).unwrap_or(0)
    }

    /// Offset of its first record.
    pub fn first_offset(&self) -> Offset {
        Offset(self.last_offset.0 - i64::from(self.offset_delta))
    }
}

/// A producer as one partition knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProducerState {
    /// Its newest epoch here.
    pub epoch: ProducerEpoch,
    /// Its last batches in that epoch, oldest first, at most five.
    batches: Vec<BatchTrace>,
    /// Where its open transaction began here.
    pub transaction: Option<Offset>,
    /// Epoch of the coordinator that wrote its last marker; none was written before.
    pub coordinator_epoch: Option<i32>,
    /// The newest timestamp seen of it.
    pub last_timestamp: i64,
}

impl ProducerState {
    fn new(epoch: ProducerEpoch) -> ProducerState {
        ProducerState {
            epoch,
            batches: Vec::new(),
            transaction: None,
            coordinator_epoch: None,
            last_timestamp: -1,
        }
    }

    /// Its last batches in its epoch, oldest first.
    pub fn batches(&self) -> &[BatchTrace] {
        &self.batches
    }

    /// Sequence number of its last record in its epoch.
    pub fn last_sequence(&self) -> Option<i32> {
        self.batches.last().map(|batch| batch.last_sequence)
    }

    fn enter(&mut self, epoch: ProducerEpoch) {
        if epoch != self.epoch {
            self.epoch = epoch;
            self.batches.clear();
        }
    }

    fn remember(&mut self, batch: BatchTrace) {
        if self.batches.len() == BATCHES_KEPT {
            self.batches.remove(0);
        }
        self.last_timestamp = batch.timestamp;
        self.batches.push(batch);
    }
}

/// A transaction that a marker has just ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CompletedTransaction {
    /// Whose.
    pub producer: ProducerId,
    /// Its first record.
    pub first: Offset,
    /// Its marker.
    pub last: Offset,
    /// How it ended.
    pub kind: MarkerKind,
}

/// Every producer that has written into a log, and the transactions there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProducerStates {
    producers: BTreeMap<ProducerId, ProducerState>,
    /// Open transactions by their first offset.
    ongoing: BTreeMap<Offset, ProducerId>,
    /// Ended ones by their first offset, with that of the marker.
    completed: BTreeMap<Offset, Offset>,
}

impl ProducerStates {
    /// Nobody.
    pub fn new() -> ProducerStates {
        ProducerStates::default()
    }

    /// What these batches, in order, say of their producers.
    pub fn fold_all(batches: impl IntoIterator<Item = Batch>) -> ProducerStates {
        let mut states = ProducerStates::new();
        for batch in batches {
            states.fold(&batch);
        }
        states
    }

    /// One producer.
    pub fn get(&self, id: ProducerId) -> Option<&ProducerState> {
        self.producers.get(&id)
    }

    /// Every producer, by id.
    pub fn iter(&self) -> impl Iterator<Item = (ProducerId, &ProducerState)> {
        self.producers.iter().map(|(id, state)| (*id, state))
    }

    /// Whether nobody is known.
    pub fn is_empty(&self) -> bool {
        self.producers.is_empty() && self.completed.is_empty()
    }

    /// Open transactions, by their first offset.
    pub fn ongoing(&self) -> impl Iterator<Item = (Offset, ProducerId)> {
        self.ongoing.iter().map(|(first, id)| (*first, *id))
    }

    /// Whether this producer, in this epoch, has a transaction open here.
    pub fn is_in_transaction(&self, id: ProducerId, epoch: ProducerEpoch) -> bool {
        let state = self.get(id);
        state.is_some_and(|it| it.transaction.is_some() && it.epoch == epoch)
    }

    /// Takes note of the next batch of the log. Returns the transaction that it ends.
    pub fn fold(&mut self, batch: &Batch) -> Option<CompletedTransaction> {
        self.fold_view(BatchView::of_checked(batch.bytes()))
    }

    pub(crate) fn fold_view(
        &mut self,
        view: BatchView<'_>,
    ) -> Option<CompletedTransaction> {
        let id = view.producer_id();
        if id.0 < 0 {
            return None;
        }
        if view.attributes().contains(Attributes::CONTROL) {
            return self.fold_marker(id, view);
        }
        let (first, last) = (view.base_offset(), view.last_offset());
        let epoch = view.producer_epoch();
        let state = self.producers.entry(id).or_insert_with(|| ProducerState::new(epoch));
        state.enter(epoch);
        let (base, delta) = (view.base_sequence(), view.last_offset_delta());
        state.remember(BatchTrace {
            last_sequence: check::sequence_after(base, delta),
            last_offset: last,
            offset_delta: delta,
            timestamp: view.max_timestamp(),
        });
        let is_part = view.attributes().contains(Attributes::TRANSACTIONAL);
        if is_part && state.transaction.is_none() {
            state.transaction = Some(first);
            self.ongoing.insert(first, id);
        }
        None
    }

    fn fold_marker(
        &mut self,
        id: ProducerId,
        view: BatchView<'_>,
    ) -> Option<CompletedTransaction> {
        // Compaction may have emptied it; then it says nothing any more.
        let marker = Marker::of_view(view)?;
        let entry = self.producers.entry(id);
        let state = entry.or_insert_with(|| ProducerState::new(marker.epoch));
        state.enter(marker.epoch);
        state.coordinator_epoch = Some(marker.coordinator_epoch);
        state.last_timestamp = view.max_timestamp();
        let first = state.transaction.take()?;
        self.ongoing.remove(&first);
        let last = view.last_offset();
        self.completed.insert(first, last);
        Some(CompletedTransaction { producer: id, first, last, kind: marker.kind })
    }

    /// The first record of an open transaction, or of one whose marker is not below the high
    /// watermark (TXN-7).
    pub fn first_unstable(&self, high_watermark: Offset) -> Option<Offset> {
        let ongoing = self.ongoing.keys().next().copied();
        let mut completed = self.completed.iter();
        let unreplicated = completed.find(|(_, marker)| **marker >= high_watermark);
        let unreplicated = unreplicated.map(|(first, _)| *first);
        let unreplicated =
            unreplicated.filter(|_| !Defect::LsoIgnoresUnreplicated.is_sown());
        [ongoing, unreplicated].into_iter().flatten().min()
    }

    /// Forgets ended transactions whose markers are below the high watermark.
    pub fn forget_completed(&mut self, high_watermark: Offset) {
        if !self.completed.is_empty() {
            self.completed.retain(|_, marker| *marker >= high_watermark);
        }
    }

    /// Where a reader of committed records must stop once this transaction has ended: at the
    /// first open one, or behind its marker.
    fn stable_after(&self, completed: CompletedTransaction) -> Offset {
        let next = self.ongoing.keys().next().copied();
        next.unwrap_or(completed.last.plus(1))
    }

    /// Forgets producers that have written nothing for `expiration_ms`
    /// (`producer.id.expiration.ms`) and have no transaction open.
    pub fn expire(&mut self, now_ms: i64, expiration_ms: i64) {
        let is_old = |state: &ProducerState| {
            state.transaction.is_none()
                && now_ms.saturating_sub(state.last_timestamp) >= expiration_ms
        };
        self.producers.retain(|_, state| !is_old(state));
    }

    /// Takes over what `kept` knows and the batches do not show any more.
    fn adopt(&mut self, kept: &ProducerStates) {
        for (id, state) in &kept.producers {
            let last = |it: &ProducerState| it.batches.last().map(|it| it.last_offset);
            let own = self.producers.get(id);
            if own.is_some_and(|own| own.epoch == state.epoch && last(own) == last(state))
            {
                continue;
            }
            let before = self.producers.insert(*id, state.clone());
            if let Some(first) = before.and_then(|before| before.transaction) {
                self.ongoing.remove(&first);
            }
            if let Some(first) = state.transaction {
                self.ongoing.insert(first, *id);
            }
        }
    }
}
