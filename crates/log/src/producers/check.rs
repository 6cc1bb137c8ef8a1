//! What a leader asks before it appends: duplicates, sequence gaps, old epochs (PRD-4, PRD-5).

use topomotion_wire::{Defect, ErrorCode, ProducerEpoch, ProducerId};

use super::{BatchTrace, Marker, ProducerState, ProducerStates};
use crate::{Attributes, Batch, ProducerStamp};

/// Who wants a batch appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// A producer: its sequence numbers count.
    Client,
    /// A coordinator, on a producer's behalf: it numbers nothing, but epochs count.
    Coordinator,
}

/// What becomes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is appended.
    New,
    /// It is there already, as this one.
    Duplicate(BatchTrace),
}

impl ProducerStates {
    /// Whether a batch may be appended.
    ///
    /// # Errors
    /// `OUT_OF_ORDER_SEQUENCE_NUMBER` for a gap, `INVALID_PRODUCER_EPOCH` for an old epoch,
    /// `INVALID_TXN_STATE` for a record outside the transaction that is open. A producer that
    /// is not known may begin with any number: its past may be forgotten.
    pub fn check(&self, batch: &Batch, origin: Origin) -> Result<Verdict, ErrorCode> {
        let Some(stamp) = batch.producer() else { return Ok(Verdict::New) };
        let Some(state) = self.get(ProducerId(stamp.id)) else { return Ok(Verdict::New) };
        let epoch = ProducerEpoch(stamp.epoch);
        let counts = origin == Origin::Client && !Defect::NoDupCheck.is_sown();
        if counts && let Some(found) = state.duplicate_of(batch, stamp) {
            return Ok(Verdict::Duplicate(found));
        }
        if epoch < state.epoch && !Defect::NoFence.is_sown() {
            return Err(ErrorCode::InvalidProducerEpoch);
        }
        let is_next = || match state.last_sequence() {
            // Only where old epochs are let in.
            _ if epoch < state.epoch => true,
            _ if epoch != state.epoch => stamp.base_sequence == 0,
            None => stamp.base_sequence == 0,
            Some(last) => stamp.base_sequence == sequence_after(last, 1),
        };
        if counts && !is_next() {
            return Err(ErrorCode::OutOfOrderSequenceNumber);
        }
        let is_part = batch.attributes().contains(Attributes::TRANSACTIONAL);
        if state.transaction.is_some() && !is_part {
            return Err(ErrorCode::InvalidTxnState);
        }
        Ok(Verdict::New)
    }

    /// Whether a marker may be appended.
    ///
    /// # Errors
    /// `INVALID_PRODUCER_EPOCH` for an old epoch of the producer,
    /// `TRANSACTION_COORDINATOR_FENCED` for an old one of the coordinator (TXN-6).
    pub fn check_marker(&self, marker: &Marker) -> Result<(), ErrorCode> {
        let Some(state) = self.get(marker.producer) else { return Ok(()) };
        if marker.epoch < state.epoch && !Defect::NoFence.is_sown() {
            return Err(ErrorCode::InvalidProducerEpoch);
        }
        if state.coordinator_epoch > Some(marker.coordinator_epoch) {
            return Err(ErrorCode::TransactionCoordinatorFenced);
        }
        Ok(())
    }
}

impl ProducerState {
    /// The same numbers, of the same epoch, among the last batches.
    fn duplicate_of(&self, batch: &Batch, stamp: ProducerStamp) -> Option<BatchTrace> {
        let last = sequence_after(stamp.base_sequence, batch.last_offset_delta());
        let is_same = |it: &&BatchTrace| {
            it.first_sequence() == stamp.base_sequence && it.last_sequence == last
        };
        let epoch = ProducerEpoch(stamp.epoch);
        (epoch == self.epoch).then(|| self.batches.iter().find(is_same))?.copied()
    }
}

/// The sequence number `count` records further on: behind the largest comes 0. A batch
/// without numbers stays without.
pub(super) fn sequence_after(sequence: i32, count: i32) -> i32 {
    if sequence < 0 {
        return sequence;
    }
    let next = (i64::from(sequence) + i64::from(count)) % (1 << 31);
    i32::try_from(next).unwrap_or(0)
}
