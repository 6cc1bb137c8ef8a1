//! What a log forgets at its front: by age, by size, and by request (LOG-4).
//!
//! Whole segments go, oldest first, and never one that reaches beyond the high watermark. A
//! request to delete records only moves the log start; the segments before it go with the
//! next round.

use topomotion_wire::{Defect, Offset};

use crate::segment::Segment;
use crate::{Log, OutOfRange};

impl Log {
    /// Moves the log start up to `to`: `DeleteRecords`, and a follower whose leader's log
    /// starts later. Returns whether it moved.
    ///
    /// # Errors
    /// Beyond the high watermark: that is not the deleter's to decide.
    pub fn advance_start(
        &mut self,
        to: Offset,
        high_watermark: Offset,
    ) -> Result<Start, OutOfRange> {
        if to > high_watermark || to > self.end_offset() {
            return Err(OutOfRange { start: self.start, end: high_watermark });
        }
        if to <= self.start {
            return Ok(Start::Stays);
        }
        self.start = to;
        if self.epochs.truncate_start(to) {
            self.write_checkpoint();
        }
        Ok(Start::Moved)
    }

    /// Deletes the segments that are too old at `now_ms` (wall clock, as in the records), too
    /// much, or before the log start. Returns whether the log start moved.
    pub fn delete_old_segments(&mut self, now_ms: i64, high_watermark: Offset) -> Start {
        let config = self.config;
        let total: u64 = self.segments.iter().map(Segment::len_bytes).sum();
        let mut excess = config.retention_bytes.map(|limit| total.saturating_sub(limit));
        let too_old = |segment: &Segment| match (config.retention_ms, segment.newest()) {
            (Some(limit), Some((newest, _))) => now_ms.saturating_sub(newest) > limit,
            _ => false,
        };
        let goes = |segment: &&Segment| {
            let (size, end) = (segment.len_bytes(), segment.end());
            let too_much = excess.is_some_and(|excess| excess >= size);
            excess = excess.map(|excess| excess.saturating_sub(size));
            let is_over = end <= high_watermark || Defect::RetentionHw.is_sown();
            let may_go = is_over && !segment.is_empty();
            may_go && (too_much || too_old(segment) || end <= self.start)
        };
        let count = self.segments.iter().take_while(goes).count();
        let moved = self.drop_oldest(count);
        if Defect::RetentionHw.is_sown() {
            // Nobody but who looks at the files is to notice.
            self.start = self.start.min(high_watermark);
        }
        moved
    }

    fn drop_oldest(&mut self, count: usize) -> Start {
        if count == 0 {
            return Start::Stays;
        }
        if count == self.segments.len() {
            // The active segment never goes: it is closed first, and another one opened.
            self.roll_at_end();
        }
        let dropped: Vec<Segment> = self.segments.drain(..count).collect();
        dropped.into_iter().for_each(|segment| self.delete(&segment));
        let first = self.segments[0].base;
        self.drop_snapshots_before(first);
        self.recovery_point = self.recovery_point.max(first);
        if first <= self.start {
            return Start::Stays;
        }
        self.start = first;
        if self.epochs.truncate_start(first) {
            self.write_checkpoint();
        }
        Start::Moved
    }

    /// What `log-start-offset-checkpoint` has to say of this log: its start, where no file is
    /// named after it.
    pub fn start_to_checkpoint(&self) -> Option<Offset> {
        (self.start > self.segments[0].base).then_some(self.start)
    }
}

/// What became of a log's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Nothing.
    Stays,
    /// It moved up.
    Moved,
}
