//! One partition's log: whole batches in memory, and what has to be written to disk.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use topomotion_wire::{
    Defect, DiskOp, ErrorCode, FileName, LeaderEpoch, LogDeed, Offset, RollCause,
    TopicPartition,
};

use crate::batch::{place, stamp};
use crate::flush::Flush;
use crate::header::BatchView;
use crate::producers::{ProducerStates, Snapshots};
use crate::segment::{Lengths, MAX_FILE_BYTES, Names, Read, Segment};
use crate::{Attributes, Batch, EpochCache, EpochEnd, LogConfig, Malformed, checkpoint};

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
#[derive(Clone)]
pub struct Log {
    pub(crate) partition: TopicPartition,
    pub(crate) config: LogConfig,
    /// Oldest first, never empty; the last one is appended to.
    pub(crate) segments: Vec<Segment>,
    pub(crate) epochs: EpochCache,
    pub(crate) producers: ProducerStates,
    pub(crate) snapshots: Snapshots,
    pub(crate) start: Offset,
    /// Everything before it is known to be durable.
    pub(crate) recovery_point: Offset,
    /// Everything before it has been compacted.
    pub(crate) cleaned: Offset,
    /// What is being made durable.
    pub(crate) flushes: Vec<Flush>,
    pub(crate) checkpoint_file: FileName,
    pub(crate) disk: VecDeque<DiskOp>,
    /// The latest roll, until somebody asks for it.
    rolled: Option<LogDeed>,
}

impl fmt::Debug for Log {
    /// Where it begins and ends, and what is under way: not its records, of which there may
    /// be a gigabyte.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Log")
            .field("partition", &self.partition)
            .field("start", &self.start)
            .field("end", &self.end_offset())
            .field("epochs", &self.epochs)
            .field("recovery_point", &self.recovery_point)
            .field("flushes", &self.flushes)
            .field("disk", &self.disk.len())
            .finish_non_exhaustive()
    }
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
            producers: ProducerStates::new(),
            snapshots: Snapshots::new(),
            start: Offset(0),
            recovery_point: Offset(0),
            cleaned: Offset(0),
            flushes: Vec::new(),
            disk: VecDeque::new(),
            rolled: None,
        }
    }

    /// Takes new settings. What is there stays as it is: they act on the next append, and the
    /// next time that old segments are looked for.
    pub fn configure(&mut self, config: LogConfig) {
        self.config = config;
    }

    /// The settings that it has.
    pub fn config(&self) -> LogConfig {
        self.config
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

    /// How many bytes of records it holds, in all segments.
    pub fn len_bytes(&self) -> u64 {
        self.segments.iter().map(Segment::len_bytes).sum()
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
    /// log end on and stamps `epoch` (LOG-1). All batches or none, and all in one segment.
    pub fn append_as_leader(
        &mut self,
        records: Bytes,
        epoch: LeaderEpoch,
    ) -> Result<AppendInfo, Malformed> {
        if records.is_empty() {
            return Err(Malformed::Empty);
        }
        let mut newest = i64::MIN;
        check_each(&records, |view| {
            newest = newest.max(view.max_timestamp());
            check_dense(view)
        })?;
        assert!(
            self.epochs.latest().is_none_or(|latest| latest <= epoch),
            "a leader of an older epoch no longer appends"
        );
        let base = self.end_offset();
        // In place when nobody else shares the bytes.
        let mut placed =
            records.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&shared[..]));
        let end = place_all(&mut placed, base, epoch);
        self.note_epoch(epoch, base);
        self.push(placed.freeze(), Reach { base, end, newest });
        Ok(AppendInfo { base, end })
    }

    /// As [`Log::append_as_leader`], for a topic whose records bear the time of the append
    /// (`LogAppendTime`) instead of their producers': `now_ms`, of the wall clock.
    ///
    /// # Errors
    /// As there.
    pub fn append_stamped(
        &mut self,
        records: Bytes,
        epoch: LeaderEpoch,
        now_ms: i64,
    ) -> Result<AppendInfo, Malformed> {
        // The checksum is about to be written anew, so what it says now is checked before.
        check_each(&records, |_| Ok(()))?;
        let mut bytes = BytesMut::from(&records[..]);
        let mut rest = &mut bytes[..];
        while !rest.is_empty() {
            let (batch, behind) = rest.split_at_mut(BatchView::next_checked(rest).len());
            let attributes = BatchView::of_checked(batch).attributes();
            stamp(batch, attributes.union(Attributes::LOG_APPEND_TIME), now_ms);
            rest = behind;
        }
        self.append_as_leader(bytes.freeze(), epoch)
    }

    /// Appends what a leader answered to a fetch, offsets and epochs as they are. All batches
    /// or none, and all in one segment; nothing to append is fine.
    pub fn append_as_follower(
        &mut self,
        records: Bytes,
    ) -> Result<AppendInfo, Malformed> {
        let before = self.end_offset();
        let (mut base, mut end, mut newest) = (None, before, i64::MIN);
        // Not simply the newest: an epoch that was led here without a record is nobody's
        // history, and the leader's own may be older.
        let is_cut = !Defect::CacheNotTruncated.is_sown();
        let mut last_epoch = match is_cut {
            true => self.epochs.newest_before(before),
            false => self.epochs.latest(),
        };
        let mut epochs = Vec::new();
        check_each(&records, |view| {
            let first = view.base_offset();
            let span = view.last_offset().0 - base.get_or_insert(first).0;
            if first < end || i32::try_from(span).is_err() {
                return Err(Malformed::OffsetOrder { base: first.0, end: end.0 });
            }
            end = view.next_offset();
            newest = newest.max(view.max_timestamp());
            if last_epoch.is_none_or(|last| view.leader_epoch() > last) {
                last_epoch = Some(view.leader_epoch());
                epochs.push((view.leader_epoch(), first));
            }
            Ok(())
        })?;
        let Some(base) = base else { return Ok(AppendInfo { base: before, end }) };
        if is_cut && self.epochs.truncate_end(before) {
            self.write_checkpoint();
        }
        for (epoch, start) in epochs {
            self.note_epoch(epoch, start);
        }
        self.push(records, Reach { base, end, newest });
        Ok(AppendInfo { base, end })
    }

    /// Notes that `epoch` begins at the log end (REP-16: what a new leader does first).
    pub fn begin_epoch(&mut self, epoch: LeaderEpoch) {
        if self.epochs.assign(epoch, self.end_offset()) {
            self.write_checkpoint();
        }
    }

    /// Whole batches from the one that contains `from`, none of which reaches beyond `limit`:
    /// as many as fit into `max_bytes`, but at least one. May stop early at the end of a
    /// segment. Shares the log's bytes.
    pub fn read(
        &self,
        from: Offset,
        limit: Offset,
        max_bytes: usize,
    ) -> Result<Read, OutOfRange> {
        let (start, end) = (self.start, self.end_offset());
        if from < start || from > end {
            return Err(OutOfRange { start, end });
        }
        // Behind a segment's last record lies the next segment.
        let at = self.segments.partition_point(|segment| segment.end() <= from);
        let read = self.segments.get(at);
        Ok(read.map_or_else(Read::default, |it| it.read(from, limit, max_bytes)))
    }

    /// The batches that hold offsets of `from..to`, in order. What is derived from a log, such
    /// as the state of its producers, is folded from these.
    pub fn batches(&self, from: Offset, to: Offset) -> impl Iterator<Item = Batch> + '_ {
        let skip = self.segments.partition_point(|segment| segment.end() <= from);
        self.segments[skip..]
            .iter()
            .flat_map(move |segment| {
                segment.walk_from(from).map(|(at, view)| segment.batch(at, view))
            })
            .take_while(move |batch| batch.base_offset() < to)
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
    /// is smaller than `end` when that lay inside a batch. An epoch that no record is left of
    /// is forgotten, even if there is nothing to cut (LOG-7).
    pub fn truncate_to(&mut self, end: Offset) -> Offset {
        assert!(end >= self.start, "nothing is kept below the log start");
        if end < self.end_offset() {
            while self.segments.len() > 1 && self.active().base > end {
                self.segments.pop().into_iter().for_each(|it| self.delete(&it));
            }
            let active = self.active_mut();
            let (names, lengths) = (active.names.clone(), active.truncate_to(end));
            self.cut(names, lengths);
            self.reload_producers();
        }
        let end = self.end_offset();
        self.start = self.start.min(end);
        self.forget_durable(end);
        self.cleaned = self.cleaned.min(end);
        if !Defect::CacheNotTruncated.is_sown() && self.epochs.truncate_end(end) {
            self.write_checkpoint();
        }
        end
    }

    /// Throws everything away and starts again, empty, at `start` (TRN-4).
    pub fn restart_at(&mut self, start: Offset) {
        assert!(start.0 >= 0, "a log has no negative offsets");
        for dropped in std::mem::take(&mut self.segments) {
            self.delete(&dropped);
        }
        self.clear_producers();
        self.open_segment(start);
        self.start = start;
        self.forget_durable(Offset(0));
        self.recovery_point = start;
        self.cleaned = start;
        self.epochs.clear();
        self.write_checkpoint();
    }

    /// Deletes every file that the log has. What comes after on disk is a log that was never
    /// there: this one is empty, and is to be dropped.
    pub fn delete_files(&mut self) {
        for dropped in std::mem::take(&mut self.segments) {
            self.delete(&dropped);
        }
        self.clear_producers();
        let file = self.checkpoint_file.clone();
        self.disk.push_back(DiskOp::Delete { file });
        let disk = std::mem::take(&mut self.disk);
        *self = Log { disk, ..Log::new(self.partition.clone(), self.config) };
    }

    /// The file that is appended to, for an owner that numbers its flushes itself.
    pub fn active_file(&self) -> FileName {
        self.active().names.log.clone()
    }

    /// The next thing to do on disk, in order. Call until `None`.
    pub fn poll_disk(&mut self) -> Option<DiskOp> {
        self.disk.pop_front()
    }

    /// The latest roll, if nobody has asked for it before.
    pub fn take_roll(&mut self) -> Option<LogDeed> {
        self.rolled.take()
    }

    /// Appends checked batches.
    fn push(&mut self, bytes: Bytes, reach: Reach) {
        self.roll_for(&bytes, reach);
        if self.active().is_empty() {
            self.create_files();
        }
        let interval = self.config.index_interval_bytes;
        let active = self.segments.last_mut().expect("a log always has a segment");
        let file = active.names.log.clone();
        self.disk.push_back(DiskOp::Append { file, bytes: bytes.clone() });
        active.push(reach.base, bytes.clone(), interval, &mut self.disk);
        self.fold_appended(&bytes);
    }

    pub(crate) fn note_epoch(&mut self, epoch: LeaderEpoch, start: Offset) {
        // A batch that no leader has placed says −1.
        if epoch.0 >= 0 && self.epochs.assign(epoch, start) {
            self.write_checkpoint();
        }
    }

    /// LOG-2: by size, by age, when an index is full, and when offsets no longer fit. By
    /// size a segment is full when the append does not fit, but no append is too large for an
    /// empty one.
    fn roll_for(&mut self, bytes: &Bytes, reach: Reach) {
        let active = self.active();
        let last = Offset(reach.end.0 - 1);
        let full = || {
            let limit = self.config.segment_bytes.min(MAX_FILE_BYTES);
            active.len_bytes() + bytes.len() as u64 > limit
        };
        let age = || match active.first_timestamp() {
            Some(first) if first >= 0 => reach.newest.saturating_sub(first),
            _ => 0,
        };
        let old = || self.config.segment_ms.is_some_and(|ms| age() > ms);
        let indexed = || active.is_index_full(self.config.segment_index_bytes);
        let cause = match () {
            () if active.is_empty() => None,
            () if full() => Some(RollCause::Size),
            () if indexed() => Some(RollCause::IndexFull),
            () if old() => Some(RollCause::Age),
            () => None,
        };
        let far = || (!active.can_hold(last)).then_some(RollCause::Offsets);
        if let Some(cause) = cause.or_else(far) {
            self.roll(reach.base, last, cause);
        }
    }

    /// Closes the active segment and opens the next one at the log end, so that none is
    /// missing in between; but further on if the offsets would not fit otherwise.
    fn roll(&mut self, base: Offset, last: Offset, cause: RollCause) {
        let end = self.end_offset();
        let fits = i32::try_from(last.0 - end.0).is_ok();
        self.close_active();
        let (closed, bytes) = (self.active().base, self.active().len_bytes());
        if self.active().is_empty() {
            self.segments.pop().into_iter().for_each(|it| self.delete(&it));
        }
        let opened = if fits { end } else { base };
        self.open_segment(opened);
        self.take_snapshot(opened);
        self.rolled = Some(LogDeed::Rolled { closed, bytes, opened, cause });
    }

    pub(crate) fn roll_at_end(&mut self) {
        let end = self.end_offset();
        self.roll(end, end, RollCause::Retention);
    }

    fn close_active(&mut self) {
        let active = self.active_mut();
        let file = active.names.time_index.clone();
        if let Some(entry) = active.close() {
            let bytes = Bytes::copy_from_slice(&entry.encode());
            self.disk.push_back(DiskOp::Append { file, bytes });
        }
    }

    /// A new active segment. Its empty files keep the offset in their names over a restart.
    pub(crate) fn open_segment(&mut self, base: Offset) {
        self.segments.push(Segment::new(&self.partition, base));
        self.create_files();
    }

    fn create_files(&mut self) {
        for file in self.active().names.clone().all() {
            self.disk.push_back(DiskOp::Append { file, bytes: Bytes::new() });
        }
    }

    pub(crate) fn delete(&mut self, segment: &Segment) {
        self.disk.extend(segment.files().map(|file| DiskOp::Delete { file }));
    }

    /// A segment's files, and the snapshot at its base.
    pub(crate) fn files_of(&self, segment: &Segment) -> impl Iterator<Item = FileName> {
        segment.files().chain(self.written_snapshot(segment.base))
    }

    fn cut(&mut self, names: Names, lengths: Lengths) {
        self.disk.extend([
            DiskOp::Truncate { file: names.log, len: lengths.log },
            DiskOp::Truncate { file: names.index, len: lengths.index },
            DiskOp::Truncate { file: names.time_index, len: lengths.time_index },
        ]);
        self.cut_aborted();
    }

    pub(crate) fn write_checkpoint(&mut self) {
        let file = self.checkpoint_file.clone();
        self.disk.push_back(DiskOp::Replace {
            file,
            bytes: checkpoint::write_epochs(&self.epochs),
        });
    }

    pub(crate) fn active(&self) -> &Segment {
        self.segments.last().expect("a log always has an active segment")
    }

    pub(crate) fn active_mut(&mut self) -> &mut Segment {
        self.segments.last_mut().expect("a log always has an active segment")
    }
}

/// What checked batches reach.
#[derive(Debug, Clone, Copy)]
struct Reach {
    /// Offset of the first record.
    base: Offset,
    /// One past the last.
    end: Offset,
    /// The largest timestamp.
    newest: i64,
}

fn checkpoint_file(partition: &TopicPartition) -> FileName {
    Arc::from(format!("{partition}/leader-epoch-checkpoint"))
}

/// Checks every batch's bounds and checksum, and what `check` wants of it.
fn check_each(
    mut bytes: &[u8],
    mut check: impl FnMut(BatchView<'_>) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    while !bytes.is_empty() {
        let view = BatchView::first_in(bytes)?;
        view.verify()?;
        check(view)?;
        bytes = &bytes[view.len()..];
    }
    Ok(())
}

/// A leader assigns an offset to every record, so there may be no gaps in what it is sent.
fn check_dense(view: BatchView<'_>) -> Result<(), Malformed> {
    let (count, last_offset_delta) = (view.count(), view.last_offset_delta());
    if i64::from(count) == i64::from(last_offset_delta) + 1 {
        Ok(())
    } else {
        Err(Malformed::Count { count, last_offset_delta })
    }
}

/// Gives every batch its place, from `base` on. Returns the offset after the last.
fn place_all(mut bytes: &mut [u8], base: Offset, epoch: LeaderEpoch) -> Offset {
    let mut next = base;
    while let Ok(view) = BatchView::first_in(bytes) {
        let (len, count) = (view.len(), i64::from(view.count()));
        place(bytes, next, epoch);
        next = next.plus(count);
        bytes = &mut bytes[len..];
    }
    next
}
