//! What is durable, and what is being made so (LOG-6).
//!
//! Appends go to the page cache. The recovery point is the offset before which everything is
//! known to be on the platter: a restart trusts what lies before it and checks the rest. It
//! moves when a flush completes, and goes back with a cut.

use topomotion_wire::{DiskOp, FileName, FlushToken, Offset};

use crate::Log;
use crate::segment::Segment;

/// A flush under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flush {
    token: FlushToken,
    /// How many files have not answered yet.
    left: usize,
    /// What will be durable, less what was cut off since.
    up_to: Offset,
}

impl Log {
    /// Everything before this offset is known to be durable.
    pub fn recovery_point(&self) -> Offset {
        self.recovery_point
    }

    /// Asks for everything appended so far to be made durable. Returns how many flushes that
    /// takes, all with this token: hand each answer to [`Log::flushed`]. With none there is
    /// nothing to wait for.
    pub fn flush(&mut self, token: FlushToken) -> usize {
        self.flush_to(self.end_offset(), token)
    }

    /// As [`Log::flush`], but leaves out the segment that is appended to: what Kafka does on
    /// its own after a roll. None if that is under way or done.
    pub fn flush_closed(&mut self, token: FlushToken) -> usize {
        let base = self.active().base;
        let asked = self.flushes.iter().map(|flush| flush.up_to).max();
        if asked.unwrap_or(self.recovery_point).max(self.recovery_point) >= base {
            return 0;
        }
        self.flush_to(base, token)
    }

    fn flush_to(&mut self, up_to: Offset, token: FlushToken) -> usize {
        assert!(
            self.flushes.iter().all(|flush| flush.token != token),
            "a token is used for one flush"
        );
        let from = self.segments.partition_point(|it| it.end() <= self.recovery_point);
        let dirty = self.segments[from..].iter().take_while(|it| it.base < up_to);
        let dirty = dirty.flat_map(Segment::files);
        // The snapshot of what comes behind them, too.
        let files: Vec<FileName> = dirty.chain(self.written_snapshot(up_to)).collect();
        let left = files.len();
        self.disk.extend(files.into_iter().map(|file| DiskOp::Flush { file, token }));
        if left > 0 {
            self.flushes.push(Flush { token, left, up_to });
        }
        left
    }

    /// One file of a flush has been made durable. Returns the recovery point if it has moved.
    /// A token that is not known is no mistake: what was flushed may have been thrown away.
    pub fn flushed(&mut self, token: FlushToken) -> Option<Offset> {
        let at = self.flushes.iter().position(|flush| flush.token == token)?;
        let flush = &mut self.flushes[at];
        flush.left -= 1;
        if flush.left > 0 {
            return None;
        }
        let up_to = self.flushes.remove(at).up_to;
        assert!(up_to <= self.end_offset(), "nothing is durable that is not there");
        let moved = up_to > self.recovery_point;
        self.recovery_point = self.recovery_point.max(up_to);
        moved.then_some(self.recovery_point)
    }

    /// Nothing beyond `end` counts as durable any more.
    pub(crate) fn forget_durable(&mut self, end: Offset) {
        self.recovery_point = self.recovery_point.min(end);
        for flush in &mut self.flushes {
            flush.up_to = flush.up_to.min(end);
        }
    }
}
