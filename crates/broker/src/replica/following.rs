//! What a follower does with its leader's answers: it appends, truncates, or starts again.
//!
//! Truncation comes with the fetch response (TRN-3, KIP-595): the follower names the epoch of
//! its last record, and the leader says where the histories part. The high watermark decides
//! nothing about truncation. (Older eras: [`truncation`](super::truncation).)

use topomotion_log::{Batches, EpochEnd, Malformed};
use topomotion_wire::{Bytes, Fact, LeaderEpoch, Offset, Rule};

use super::truncation::Reconciling;
use super::{Replica, Role};
use crate::net::Effects;

/// What a leader answered for one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FetchedData {
    pub(crate) high_watermark: Offset,
    pub(crate) log_start: Offset,
    pub(crate) records: Bytes,
}

impl Replica {
    /// Where to fetch next, and the epoch of the last record before it. Not simply the newest
    /// epoch known: one that was led here without a single record is nobody's history. None
    /// in the eras whose leaders did not compare.
    pub(crate) fn fetch_position(&self) -> (Offset, Option<LeaderEpoch>) {
        let end = self.log.end_offset();
        let last = Offset(end.0 - 1);
        let is_compared = matches!(self.role, Role::Follower(Reconciling::WithFetch));
        let has_last = is_compared && last >= self.log.start_offset();
        let epoch = has_last.then(|| self.log.epochs().epoch_at(last)).flatten();
        (end, epoch)
    }

    /// Appends what the leader sent for the follower's log end, and takes its high watermark
    /// as far as the own log reaches, and its log start (TRN-5).
    ///
    /// # Errors
    /// When the records are damaged or stem from a leadership that has yet to come; then
    /// nothing was appended.
    pub(crate) fn append_fetched(
        &mut self,
        data: FetchedData,
        effects: &mut Effects,
    ) -> Result<(), Malformed> {
        assert!(matches!(self.role, Role::Follower(_)), "only followers copy a leader");
        for batch in Batches::new(data.records.clone()) {
            let batch = batch?;
            if batch.leader_epoch() > self.state.leader_epoch {
                return Err(Malformed::Record);
            }
        }
        self.begin_with_batch(&data, effects)?;
        let appended = self.log.append_as_follower(data.records)?;
        self.write(effects);
        self.tell_appended(appended.base, appended.end, effects);
        let high_watermark = data.high_watermark.min(self.log.end_offset());
        if high_watermark > self.high_watermark {
            effects.mark_at(Rule::Trn5, &self.id);
            effects.mark_at(Rule::Rep14, &self.id);
            self.set_watermark(high_watermark, effects);
        }
        self.follow_log_start(data.log_start, effects);
        Ok(())
    }

    /// A leader's log may start within a batch, once records were deleted on demand; batches
    /// come whole, so a log without a record that the leader still has begins with that batch
    /// instead.
    fn begin_with_batch(
        &mut self,
        data: &FetchedData,
        effects: &mut Effects,
    ) -> Result<(), Malformed> {
        let end = self.log.end_offset();
        let Some(first) = Batches::new(data.records.clone()).next().transpose()? else {
            return Ok(());
        };
        let holds_end = first.base_offset() < end && first.next_offset() > end;
        let is_useless = data.log_start >= end || self.log.start_offset() == end;
        if holds_end && is_useless {
            self.begin_at(first.base_offset(), effects);
        }
        Ok(())
    }

    /// Cuts the log where it parts from the leader's (TRN-3). Asked again with the next
    /// fetch, until the leader finds nothing to object to.
    pub(crate) fn truncate_diverging(&mut self, leader: EpochEnd, effects: &mut Effects) {
        effects.mark_at(Rule::Trn3, &self.id);
        let point = self.log.truncation_point(leader);
        self.truncate(point, effects);
    }

    /// The fetch offset lies outside the leader's log (TRN-4): a follower beyond the leader's
    /// end cuts its own log there, which only happens after an unclean election; one that
    /// ends before the leader's log starts throws its own away and begins there. In between,
    /// the leader's log has moved in the meantime and the next fetch will do.
    pub(crate) fn restart_inside(
        &mut self,
        leader_start: Offset,
        leader_end: Offset,
        effects: &mut Effects,
    ) {
        effects.mark_at(Rule::Trn4, &self.id);
        let (start, end) = (self.log.start_offset(), self.log.end_offset());
        if leader_end < start {
            self.begin_at(leader_end, effects);
        } else if leader_end < end {
            self.truncate(leader_end, effects);
        } else if leader_start > end {
            self.begin_at(leader_start, effects);
        }
    }

    pub(super) fn truncate(&mut self, to: Offset, effects: &mut Effects) {
        let (before, durable) = (self.log.end_offset(), self.log.recovery_point());
        let end = self.log.truncate_to(to);
        if self.log.recovery_point() < durable {
            effects.lower_recovery_point();
        }
        self.high_watermark = self.high_watermark.min(end);
        self.tell_folded(effects);
        self.write(effects);
        if end < before {
            effects.fact(Fact::Truncated { partition: self.id.clone(), end });
        }
    }

    fn begin_at(&mut self, start: Offset, effects: &mut Effects) {
        let durable = self.log.recovery_point();
        self.log.restart_at(start);
        if start < durable {
            effects.lower_recovery_point();
        }
        self.high_watermark = start;
        self.write(effects);
        effects.fact(Fact::Truncated { partition: self.id.clone(), end: start });
    }
}
