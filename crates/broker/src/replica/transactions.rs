//! What a replica knows of transactions: markers, the last stable offset, and who is in one.
//!
//! All of it is the log's own fold ([`ProducerStates`](topomotion_log::ProducerStates)) seen
//! at the high watermark (TXN-6, TXN-7). A leader asks it before it appends; a follower's log
//! folds what it is sent.

use topomotion_log::{AppendInfo, Batch, Malformed, Marker, Origin, Verdict};
use topomotion_wire::{
    Acks, Bytes, Defect, ErrorCode, Fact, LeaderEpoch, Offset, ProducerEpoch, ProducerId,
    Rule,
};

use super::{Replica, Role, Site};
use crate::net::Effects;

/// What was true when a verification of a transaction began: as long as it [still
/// holds](Replica::holds), no marker has ended that transaction here (TXN-4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct VerificationGuard {
    producer: ProducerId,
    epoch: LeaderEpoch,
    marker: Option<Offset>,
}

impl Replica {
    /// Whether this partition is known to be in an open transaction of this producer.
    pub(crate) fn is_in_transaction(
        &self,
        producer: ProducerId,
        epoch: ProducerEpoch,
    ) -> bool {
        self.log.producers().is_in_transaction(producer, epoch)
    }

    /// Taken before the coordinator is asked whether a transaction is open.
    pub(crate) fn verification_guard(&self, producer: ProducerId) -> VerificationGuard {
        let marker = match &self.role {
            Role::Leader(leadership) => leadership.markers.get(&producer).copied(),
            Role::Follower(_) => None,
        };
        VerificationGuard { producer, epoch: self.state.leader_epoch, marker }
    }

    /// Whether nothing has ended the producer's transactions here since the guard was taken.
    pub(crate) fn holds(&self, guard: VerificationGuard) -> bool {
        self.is_leader() && self.verification_guard(guard.producer) == guard
    }

    /// Appends a marker, as a coordinator of this epoch wants it. The second of two equal ones
    /// changes nothing any more.
    ///
    /// # Errors
    /// `INVALID_PRODUCER_EPOCH`, `TRANSACTION_COORDINATOR_FENCED`, or what an append with
    /// acks=all gets; then nothing was appended.
    pub(crate) fn append_marker(
        &mut self,
        site: Site<'_>,
        marker: Marker,
        effects: &mut Effects,
    ) -> Result<AppendInfo, ErrorCode> {
        self.check_append(site, Acks::All, effects)?;
        if let Err(error) = self.log.producers().check_marker(&marker) {
            effects.mark_at(Rule::Txn6, &self.id);
            return Err(error);
        }
        effects.mark_at(Rule::Txn6, &self.id);
        let records = marker.to_batch(site.wall_ms()).into_bytes();
        let appended = self.append_checked(site, records, effects)?;
        if let Role::Leader(leadership) = &mut self.role {
            leadership.markers.insert(marker.producer, appended.base);
        }
        Ok(appended)
    }

    /// Appends what a coordinator of this broker writes, with acks=all: of a producer's
    /// transaction only the epoch counts.
    ///
    /// # Errors
    /// The code that the coordinator gets; then nothing was appended.
    pub(crate) fn append_as_coordinator(
        &mut self,
        site: Site<'_>,
        records: Bytes,
        effects: &mut Effects,
    ) -> Result<AppendInfo, ErrorCode> {
        self.check_append(site, Acks::All, effects)?;
        let batch = first_batch(&records)?;
        self.log.producers().check(&batch, Origin::Coordinator)?;
        self.append_checked(site, records, effects)
    }

    /// Whether a producer's batch is to be appended, or is there already: then where (PRD-4,
    /// PRD-5).
    pub(super) fn check_producer(
        &self,
        records: &Bytes,
        effects: &mut Effects,
    ) -> Result<Option<AppendInfo>, ErrorCode> {
        let verdict = self.log.producers().check(&first_batch(records)?, Origin::Client);
        match verdict {
            Ok(Verdict::New) => Ok(None),
            Ok(Verdict::Duplicate(found)) => {
                effects.mark_at(Rule::Prd4, &self.id);
                let (base, end) = (found.first_offset(), found.last_offset.plus(1));
                let base = match Defect::DupOffset.is_sown() {
                    true => self.log.end_offset(),
                    false => base,
                };
                Ok(Some(AppendInfo { base, end }))
            }
            Err(error) => {
                if error == ErrorCode::InvalidProducerEpoch {
                    effects.mark_at(Rule::Prd5, &self.id);
                }
                Err(error)
            }
        }
    }

    /// What is known of producers has been folded anew (PRD-7).
    pub(super) fn tell_folded(&self, effects: &mut Effects) {
        if !self.log.producers().is_empty() {
            effects.mark_at(Rule::Prd7, &self.id);
        }
    }

    /// Where a reader of committed records stops (TXN-7).
    pub(crate) fn last_stable_offset(&self) -> Offset {
        let unstable = self.log.first_unstable(self.high_watermark);
        unstable.map_or(self.high_watermark, |first| first.min(self.high_watermark))
    }

    /// Tells of the last stable offset, as long as it is not the high watermark, and once when
    /// it is again.
    pub(super) fn tell_stable(&mut self, effects: &mut Effects) {
        let stable = self.last_stable_offset();
        let held = Some(stable).filter(|stable| *stable < self.high_watermark);
        if held == self.held_stable {
            return;
        }
        if self.held_stable.is_none() {
            effects.mark_at(Rule::Txn7, &self.id);
        }
        self.held_stable = held;
        let partition = self.id.clone();
        effects.fact(Fact::LastStable { partition, offset: stable });
        effects.touch(&self.id);
    }
}

/// The one batch that is to be appended.
fn first_batch(records: &Bytes) -> Result<Batch, ErrorCode> {
    match records.is_empty() {
        true => Err(Malformed::Empty.error_code()),
        false => Batch::split_from(&mut records.clone()).map_err(Malformed::error_code),
    }
}
