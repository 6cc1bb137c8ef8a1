//! One partition's log: whole batches in memory, and what has to be written to disk.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use topomotion_wire::{
    DiskOp, ErrorCode, FileName, FlushToken, LeaderEpoch, Offset, TopicPartition,
};

use crate::segment::{Read, Segment};
use crate::{Batch, Batches, EpochCache, EpochEnd, Malformed, checkpoint};

/// Settings of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogConfig {
    /// `segment.bytes` (1 GiB): a batch that would make the file longer opens a new one.
    pub segment_bytes: u64,
}

impl Default for LogConfig {
    fn default() -> LogConfig {
        LogConfig { segment_bytes: 1 << 30 }
    }
}

/// What an append did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppendInfo {
    /// Offset of the first record appended.
    pub base: Offset,
    /// The log's new end offset.
    pub end: Offset,
}

/// A read that starts outside the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutOfRange {
    /// Where the log starts.
    pub start: Offset,
    /// Where it ends.
    pub end: Offset,
}

impl OutOfRange {
    /// The error code that Kafka answers with.
    pub const fn error_code(self) -> ErrorCode {
        ErrorCode::OffsetOutOfRange
    }
}

impl fmt::Display for OutOfRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the log reaches from {} to {}", self.start, self.end)
    }
}

impl std::error::Error for OutOfRange {}

/// How a fetcher's last record fits into this log (REP-15).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum History {
    /// Its log is a prefix of this one.
    Matches,
    /// The histories part at or before this point.
    Diverges(EpochEnd),
    /// It names an epoch that this log has never seen.
    Unknown,
}

/// One partition's log.
#[derive(Debug, Clone)]
pub struct Log {
    pub(crate) partition: TopicPartition,
    pub(crate) config: LogConfig,
    /// Oldest first, never empty; the last one is appended to.
    pub(crate) segments: Vec<Segment>,
    pub(crate) epochs: EpochCache,
    pub(crate) start: Offset,
    pub(crate) checkpoint_file: FileName,
    pub(crate) disk: VecDeque<DiskOp>,
}

impl Log {
    /// An empty log.
    pub fn new(partition: TopicPartition, config: LogConfig) -> Log {
        Log {
            segments: vec![Segment::new(&partition, Offset(0))],
            checkpoint_file: checkpoint_file(&partition),
            partition,
            config,
            epochs: EpochCache::new(),
            start: Offset(0),
            disk: VecDeque::new(),
        }
    }

    /// Whose log it is.
    pub fn partition(&self) -> &TopicPartition {
        &self.partition
    }

    /// The first offset that can be read.
    pub fn start_offset(&self) -> Offset {
        self.start
    }

    /// The log end offset: where the next record goes.
    pub fn end_offset(&self) -> Offset {
        self.active().end()
    }

    /// The newest leader epoch, with or without records.
    pub fn last_epoch(&self) -> Option<LeaderEpoch> {
        self.epochs.latest()
    }

    /// Which epoch began where.
    pub fn epochs(&self) -> &EpochCache {
        &self.epochs
    }

    /// Appends what a producer sent (or the leader's own records): assigns offsets from the
    /// log end on and stamps `epoch` (LOG-1). All batches or none.
    pub fn append_as_leader(
        &mut self,
        records: Bytes,
        epoch: LeaderEpoch,
    ) -> Result<AppendInfo, Malformed> {
        let batches = Batches::new(records).collect::<Result<Vec<_>, _>>()?;
        if batches.is_empty() {
            return Err(Malformed::Empty);
        }
        batches.iter().try_for_each(check_dense)?;
        assert!(
            self.epochs.latest().is_none_or(|latest| latest <= epoch),
            "a leader of an older epoch no longer appends"
        );
        let base = self.end_offset();
        for batch in batches {
            let batch = batch.placed(self.end_offset(), epoch);
            self.push(batch);
        }
        Ok(AppendInfo { base, end: self.end_offset() })
    }

    /// Appends what a leader answered to a fetch, offsets and epochs as they are. All batches
    /// or none; nothing to append is fine.
    pub fn append_as_follower(
        &mut self,
        records: Bytes,
    ) -> Result<AppendInfo, Malformed> {
        let batches = Batches::new(records).collect::<Result<Vec<_>, _>>()?;
        let base = self.end_offset();
        let mut end = base;
        for batch in &batches {
            if batch.base_offset() < end {
                let base = batch.base_offset().0;
                return Err(Malformed::OffsetOrder { base, end: end.0 });
            }
            end = batch.next_offset();
        }
        let base = batches.first().map_or(base, Batch::base_offset);
        for batch in batches {
            self.push(batch);
        }
        Ok(AppendInfo { base, end: self.end_offset() })
    }

    /// Notes that `epoch` begins at the log end (REP-16: what a new leader does first).
    pub fn begin_epoch(&mut self, epoch: LeaderEpoch) {
        if self.epochs.assign(epoch, self.end_offset()) {
            self.write_checkpoint();
        }
    }

    /// Whole batches from the one that contains `from`, none of which reaches beyond `limit`:
    /// as many as fit into `max_bytes`, but at least one. May stop early at the end of a
    /// segment.
    pub fn read(
        &self,
        from: Offset,
        limit: Offset,
        max_bytes: usize,
    ) -> Result<Read<'_>, OutOfRange> {
        let (start, end) = (self.start, self.end_offset());
        if from < start || from > end {
            return Err(OutOfRange { start, end });
        }
        let after = self.segments.partition_point(|segment| segment.base <= from);
        let read = after
            .checked_sub(1)
            .map_or(Read::EMPTY, |at| self.segments[at].read(from, limit, max_bytes));
        Ok(read)
    }

    /// The batches that hold offsets of `from..to`, in order.
    pub fn batches(&self, from: Offset, to: Offset) -> impl Iterator<Item = &Batch> {
        let skip = self.segments.partition_point(|segment| segment.end() <= from);
        self.segments[skip..]
            .iter()
            .flat_map(move |segment| {
                let batches = segment.batches();
                &batches[batches.partition_point(|batch| batch.next_offset() <= from)..]
            })
            .take_while(move |batch| batch.base_offset() < to)
    }

    /// The first record whose timestamp is at or after `timestamp`: its offset and timestamp.
    /// Of a compressed batch, the batch's own.
    pub fn offset_at_time(&self, timestamp: i64) -> Option<(Offset, i64)> {
        let mut candidates = self.batches(self.start, self.end_offset());
        let batch = candidates.find(|batch| batch.max_timestamp() >= timestamp)?;
        let records = batch.records().into_iter().flatten().flatten();
        let found = records.map(|record| (record.offset, record.timestamp));
        let found =
            found.filter(|&(_, at)| at >= timestamp).find(|&(at, _)| at >= self.start);
        Some(found.unwrap_or((batch.base_offset(), batch.max_timestamp())))
    }

    /// Where `epoch` ends here: see [`EpochCache::end_offset_for`].
    pub fn end_offset_for(&self, epoch: LeaderEpoch) -> Option<EpochEnd> {
        self.epochs.end_offset_for(epoch, self.end_offset())
    }

    /// Whether a log that ends at `offset` with a record of `last_epoch` is a prefix of this
    /// one (REP-15).
    pub fn compare(&self, offset: Offset, last_epoch: LeaderEpoch) -> History {
        match self.end_offset_for(last_epoch) {
            None => History::Unknown,
            Some(end) if end.epoch < last_epoch || end.end < offset => {
                History::Diverges(end)
            }
            Some(_) => History::Matches,
        }
    }

    /// Where to cut this log after a leader said that its history ends at `leader` (TRN-3): at
    /// the leader's end of the epoch if it is known here too, else at the end of the largest
    /// smaller one, to ask again from there (KIP-279).
    pub fn truncation_point(&self, leader: EpochEnd) -> Offset {
        let end = self.end_offset();
        let here = self.end_offset_for(leader.epoch);
        let point = match here {
            Some(here) if here.epoch == leader.epoch => here.end.min(leader.end),
            Some(here) => here.end,
            None => leader.end,
        };
        point.min(end).max(self.start)
    }

    /// Cuts the log so that no batch reaches beyond `end`. Returns the new end offset, which
    /// is smaller than `end` when that lay inside a batch.
    pub fn truncate_to(&mut self, end: Offset) -> Offset {
        assert!(end >= self.start, "nothing is kept below the log start");
        if end >= self.end_offset() {
            return self.end_offset();
        }
        while self.segments.len() > 1 && self.active().base > end {
            if let Some(dropped) = self.segments.pop() {
                self.disk.push_back(DiskOp::Delete { file: dropped.file });
            }
        }
        let active = self.active_mut();
        let len = active.truncate_to(end);
        let file = active.file.clone();
        self.disk.push_back(DiskOp::Truncate { file, len });
        let end = self.end_offset();
        if self.epochs.truncate_end(end) {
            self.write_checkpoint();
        }
        end
    }

    /// Throws everything away and starts again, empty, at `start` (TRN-4).
    pub fn restart_at(&mut self, start: Offset) {
        assert!(start.0 >= 0, "a log has no negative offsets");
        let dropped = std::mem::take(&mut self.segments);
        self.disk.extend(dropped.into_iter().map(|s| DiskOp::Delete { file: s.file }));
        self.segments.push(Segment::new(&self.partition, start));
        let file = self.active().file.clone();
        // An empty file keeps the start offset in its name over a restart.
        self.disk.push_back(DiskOp::Append { file, bytes: Bytes::new() });
        self.start = start;
        self.epochs.clear();
        self.write_checkpoint();
    }

    /// Asks for everything appended to the active segment to be made durable (LOG-6). The
    /// answer comes to the owner as `Flushed` with the same token.
    pub fn flush(&mut self, token: FlushToken) {
        let file = self.active().file.clone();
        self.disk.push_back(DiskOp::Flush { file, token });
    }

    /// The file that is appended to, for an owner that numbers its flushes itself.
    pub fn active_file(&self) -> FileName {
        self.active().file.clone()
    }

    /// The next thing to do on disk, in order. Call until `None`.
    pub fn poll_disk(&mut self) -> Option<DiskOp> {
        self.disk.pop_front()
    }

    fn push(&mut self, batch: Batch) {
        self.note_epoch(&batch);
        self.roll_for(&batch);
        let bytes = batch.bytes().clone();
        let active = self.active_mut();
        active.push(batch);
        let file = active.file.clone();
        self.disk.push_back(DiskOp::Append { file, bytes });
    }

    fn note_epoch(&mut self, batch: &Batch) {
        if self.epochs.assign(batch.leader_epoch(), batch.base_offset()) {
            self.write_checkpoint();
        }
    }

    /// LOG-2, by size.
    fn roll_for(&mut self, batch: &Batch) {
        let active = self.active();
        let grown = active.len_bytes() + batch.len_bytes() as u64;
        if active.len_bytes() > 0 && grown > self.config.segment_bytes {
            self.segments.push(Segment::new(&self.partition, batch.base_offset()));
        }
    }

    fn write_checkpoint(&mut self) {
        let file = self.checkpoint_file.clone();
        self.disk
            .push_back(DiskOp::Replace { file, bytes: checkpoint::write(&self.epochs) });
    }

    fn active(&self) -> &Segment {
        self.segments.last().expect("a log always has an active segment")
    }

    fn active_mut(&mut self) -> &mut Segment {
        self.segments.last_mut().expect("a log always has an active segment")
    }
}

fn checkpoint_file(partition: &TopicPartition) -> FileName {
    Arc::from(format!("{partition}/leader-epoch-checkpoint"))
}

/// A leader assigns an offset to every record, so there may be no gaps in what it is sent.
fn check_dense(batch: &Batch) -> Result<(), Malformed> {
    let (count, last_offset_delta) = (batch.count(), batch.last_offset_delta());
    if i64::from(count) == i64::from(last_offset_delta) + 1 {
        Ok(())
    } else {
        Err(Malformed::Count { count, last_offset_delta })
    }
}
