//! Compaction: of every key the last value stays (LOG-5).
//!
//! ```text
//!   log start      cleaned up to       first segment that may not be touched
//!      │ clean           │ dirty            │ too young, not stable, or active
//!      └─────────────────┴──────────────────┴───────────────────────────────►
//! ```
//!
//! The keys of the dirty part are read; then clean and dirty part are written anew without
//! the records that a later one of the same key has replaced, the records of aborted
//! transactions, and those without a key. Whatever stays keeps its offset and its batch, so
//! there are gaps from now on. A batch without records stays, empty, where it is the last one
//! of its producer (whose numbers would be forgotten), or the last one of its segment: a
//! follower has to reach the log's end, and a restart takes no gap between two segments for
//! something that was lost.
//!
//! A tombstone, and a marker whose transaction has no records left, is given a horizon when it
//! is first met: `delete.retention.ms` from then. A round behind the horizon drops it (S4).
//!
//! A segment is written anew in its place, all or nothing; small ones are not joined, as Kafka
//! joins them.

mod rewrite;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::{Bytes, BytesMut};
use topomotion_wire::{Defect, DiskOp, LogDeed, Offset, ProducerId};

use crate::producers::Marker;
use crate::segment::Segment;
use crate::{Attributes, Batch, Compaction, Log, Malformed};
use rewrite::{RawRecord, raw_records, rewritten};

/// What a round would have to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dirt {
    /// Where the dirty part begins.
    pub from: Offset,
    /// The base of the first segment that stays as it is.
    pub to: Offset,
    /// Length of the clean part, in bytes.
    pub clean_bytes: u64,
    /// Length of the dirty part, in bytes.
    pub dirty_bytes: u64,
    /// Timestamp of the dirty part's first batch.
    first_timestamp: Option<i64>,
}

impl Dirt {
    /// Whether a round is worth its while, or overdue.
    fn is_due(&self, now_ms: i64, compaction: Compaction) -> bool {
        let (dirty, all) = (self.dirty_bytes, self.clean_bytes + self.dirty_bytes);
        let overdue = compaction.max_lag_ms.zip(self.first_timestamp);
        let overdue =
            overdue.is_some_and(|(lag, first)| now_ms.saturating_sub(first) > lag);
        dirty > 0 && (overdue || compaction.min_dirty_ratio.is_exceeded_by(dirty, all))
    }
}

impl Log {
    /// Everything before this offset has been compacted.
    pub fn cleaned_up_to(&self) -> Offset {
        self.cleaned
    }

    /// Whether there is a closed segment that has not been compacted.
    pub fn has_closed_dirt(&self) -> bool {
        self.active().base > self.cleaned.max(self.start)
    }

    /// What a round at `now_ms` (wall clock) might touch. `stable` is the last stable offset:
    /// nothing beyond it is touched.
    pub fn dirt(&self, now_ms: i64, stable: Offset) -> Dirt {
        let compaction = self.config.compaction.unwrap_or_default();
        let from = self.cleaned.max(self.start);
        let too_young = |segment: &Segment| match segment.newest() {
            Some((newest, _)) if compaction.min_lag_ms > 0 => {
                now_ms.saturating_sub(newest) < compaction.min_lag_ms
            }
            _ => false,
        };
        let mut dirt = Dirt {
            from,
            to: self.active().base,
            clean_bytes: 0,
            dirty_bytes: 0,
            first_timestamp: None,
        };
        for segment in &self.segments[..self.segments.len() - 1] {
            if segment.end() <= from {
                dirt.clean_bytes += segment.len_bytes();
                continue;
            }
            if segment.end() > stable || too_young(segment) {
                dirt.to = segment.base;
                break;
            }
            dirt.dirty_bytes += segment.len_bytes();
            dirt.first_timestamp = dirt.first_timestamp.or(segment.first_timestamp());
        }
        dirt
    }

    /// Compacts, if that is worth its while. Returns what went.
    ///
    /// # Errors
    /// When a record cannot be read; then the log is as it was.
    pub fn compact(
        &mut self,
        now_ms: i64,
        stable: Offset,
    ) -> Result<Option<LogDeed>, Malformed> {
        let Some(compaction) = self.config.compaction else { return Ok(None) };
        let dirt = self.dirt(now_ms, stable);
        if !dirt.is_due(now_ms, compaction) {
            return Ok(None);
        }
        let mut round = Round::new(self, dirt, now_ms, compaction)?;
        let count = self.segments.partition_point(|it| it.base < dirt.to);
        let cleaned = self.segments[..count].iter().map(|it| round.clean(it));
        let cleaned = cleaned.collect::<Result<Vec<_>, _>>()?;
        let after = cleaned.iter().map(|it| it.len() as u64).sum();
        self.replace_segments(cleaned);
        self.cleaned = dirt.to;
        let (from, to) = (dirt.from, dirt.to);
        let before = dirt.clean_bytes + dirt.dirty_bytes;
        let removed = round.removed.into();
        Ok(Some(LogDeed::Compacted { from, to, removed, before, after }))
    }

    /// Puts new contents in the place of the first segments'.
    fn replace_segments(&mut self, contents: Vec<Bytes>) {
        for (at, bytes) in contents.into_iter().enumerate() {
            if bytes != self.segments[at].bytes() {
                self.rewrite_segment(at, bytes);
            }
        }
        self.refold_aborted();
    }

    fn rewrite_segment(&mut self, at: usize, bytes: Bytes) {
        let old = &self.segments[at];
        let mut segment = Segment::new(&self.partition, old.base);
        segment.set_aborted(old.aborted().to_vec());
        let interval = self.config.index_interval_bytes;
        let first = Batch::split_from(&mut bytes.clone());
        let first = first.map_or(old.base, |batch| batch.base_offset());
        segment.push(first, bytes.clone(), interval, &mut VecDeque::new());
        segment.close();
        let [index, time_index] = segment.index_files();
        let names = segment.names.clone();
        let files =
            [(names.log, bytes), (names.index, index), (names.time_index, time_index)];
        let replace = |(file, bytes)| DiskOp::Replace { file, bytes };
        self.disk.extend(files.map(replace));
        self.segments[at] = segment;
    }
}

/// One round over one log.
struct Round {
    compaction: Compaction,
    now_ms: i64,
    /// Where the segment ends that is being cleaned.
    segment_end: Offset,
    /// Where the last value of each key of the dirty part stands.
    newest: BTreeMap<Bytes, Offset>,
    aborted: Aborted,
    /// The last batch of each producer.
    last_batches: BTreeMap<ProducerId, LastBatch>,
    /// Producers of whose current transaction a batch has been met.
    met: BTreeSet<ProducerId>,
    /// What went: first and last offsets.
    removed: Vec<(Offset, Offset)>,
}

/// What has to stay of a producer.
#[derive(Debug, Clone, Copy)]
enum LastBatch {
    /// The batch that ends here.
    EndsAt(Offset),
    /// It wrote nothing in its epoch but a marker.
    MarkerOf(topomotion_wire::ProducerEpoch),
}

/// First offset and marker of every aborted transaction, by producer.
type Aborted = BTreeMap<ProducerId, Vec<(Offset, Offset)>>;

impl Round {
    fn new(
        log: &Log,
        dirt: Dirt,
        now_ms: i64,
        compaction: Compaction,
    ) -> Result<Round, Malformed> {
        let mut aborted = Aborted::new();
        for entry in log.segments.iter().flat_map(Segment::aborted) {
            aborted.entry(entry.producer).or_default().push((entry.first, entry.last));
        }
        let last = |(id, state): (ProducerId, &crate::ProducerState)| {
            let last = state.batches().last();
            let last = last.map(|batch| LastBatch::EndsAt(batch.last_offset));
            (id, last.unwrap_or(LastBatch::MarkerOf(state.epoch)))
        };
        let mut round = Round {
            compaction,
            now_ms,
            segment_end: dirt.to,
            newest: BTreeMap::new(),
            aborted,
            last_batches: log.producers.iter().map(last).collect(),
            met: BTreeSet::new(),
            removed: Vec::new(),
        };
        for batch in log.batches(dirt.from, dirt.to) {
            if batch.is_control() || round.is_aborted(&batch) {
                continue;
            }
            let body = batch.body()?;
            for record in raw_records(&batch, &body) {
                let record = record?;
                if let Some(key) = record.key {
                    let offset = record.offset(&batch);
                    round.newest.insert(body.slice_ref(key), offset);
                }
            }
        }
        Ok(round)
    }

    fn is_aborted(&self, batch: &Batch) -> bool {
        let id = batch.producer().map(|stamp| ProducerId(stamp.id));
        let of_transaction = batch.attributes().contains(Attributes::TRANSACTIONAL);
        let aborted = id.filter(|_| of_transaction).and_then(|id| self.aborted.get(&id));
        let base = batch.base_offset();
        aborted.is_some_and(|all| all.iter().any(|it| it.0 <= base && base < it.1))
    }

    /// What is left of a segment.
    fn clean(&mut self, segment: &Segment) -> Result<Bytes, Malformed> {
        let mut left = BytesMut::new();
        self.segment_end = segment.end();
        for (position, view) in segment.walk_from(segment.base) {
            let batch = segment.batch(position, view);
            if let Some(batch) = self.clean_batch(&batch)? {
                left.extend_from_slice(batch.bytes());
            }
        }
        Ok(left.freeze())
    }

    fn clean_batch(&mut self, batch: &Batch) -> Result<Option<Batch>, Malformed> {
        if batch.is_control() {
            return Ok(self.clean_marker(batch));
        }
        if batch.attributes().contains(Attributes::TRANSACTIONAL) {
            self.met.extend(batch.producer().map(|stamp| ProducerId(stamp.id)));
        }
        let is_aborted = self.is_aborted(batch);
        let body = batch.body()?;
        let (mut kept, mut has_tombstones, mut gone) = (Vec::new(), false, Vec::new());
        for record in raw_records(batch, &body) {
            let record = record?;
            if !is_aborted && self.keeps(batch, record) {
                has_tombstones |= !record.has_value;
                kept.push(record);
            } else {
                gone.push(record.offset(batch));
            }
        }
        if Defect::CompactReorder.is_sown() && kept.len() > 1 {
            kept.swap(0, 1);
        }
        let is_whole = gone.is_empty();
        gone.into_iter().for_each(|offset| self.note_removed(offset));
        let horizon = (has_tombstones && batch.delete_horizon().is_none())
            .then(|| self.now_ms.saturating_add(self.compaction.delete_retention_ms));
        Ok(match kept[..] {
            [] if !self.stays_empty(batch) => None,
            _ if is_whole && horizon.is_none() => Some(batch.clone()),
            _ => Some(rewritten(batch, &kept, horizon)),
        })
    }

    fn keeps(&self, batch: &Batch, record: RawRecord<'_>) -> bool {
        let Some(key) = record.key else { return false };
        let offset = record.offset(batch);
        let is_newest = self.newest.get(key).is_none_or(|newest| offset >= *newest);
        let is_over = batch.delete_horizon().is_some_and(|at| self.now_ms >= at)
            || Defect::TombstoneNow.is_sown();
        is_newest && (record.has_value || !is_over)
    }

    /// Whether a batch without records has to stay.
    fn stays_empty(&self, batch: &Batch) -> bool {
        let id = batch.producer().map(|stamp| ProducerId(stamp.id));
        let is_last = match id.and_then(|id| self.last_batches.get(&id)) {
            Some(LastBatch::EndsAt(offset)) => batch.last_offset() == *offset,
            Some(LastBatch::MarkerOf(epoch)) => {
                batch.is_control()
                    && batch.producer().is_some_and(|it| it.epoch == epoch.0)
            }
            None => false,
        };
        is_last || batch.next_offset() == self.segment_end
    }

    /// A marker stays as long as there is a batch of its transaction, and then until its
    /// horizon.
    fn clean_marker(&mut self, batch: &Batch) -> Option<Batch> {
        let Some(marker) = Marker::of_batch(batch) else {
            return self.stays_empty(batch).then(|| batch.clone());
        };
        let has_records = self.met.remove(&marker.producer);
        if has_records {
            return Some(batch.clone());
        }
        match batch.delete_horizon() {
            None => {
                let retention = self.compaction.delete_retention_ms;
                let body = batch.body().ok()?;
                let records = raw_records(batch, &body).flatten().collect::<Vec<_>>();
                let horizon = self.now_ms.saturating_add(retention);
                Some(rewritten(batch, &records, Some(horizon)))
            }
            Some(at) if self.now_ms < at => Some(batch.clone()),
            Some(_) => {
                self.note_removed(batch.base_offset());
                self.stays_empty(batch).then(|| rewritten(batch, &[], None))
            }
        }
    }

    fn note_removed(&mut self, offset: Offset) {
        match self.removed.last_mut() {
            Some((_, last)) if last.plus(1) == offset => *last = offset,
            _ => self.removed.push((offset, offset)),
        }
    }
}
