//! A run of a log that is kept in one file, named after its first offset (LOG-2), with its
//! two indexes beside it (LOG-3).

mod content;
mod index;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use topomotion_wire::{
    DiskOp, FileName, IndexEntry, Offset, TimeIndexEntry, TopicPartition,
};

use crate::header::BatchView;
use crate::{AbortedTransaction, Batch};
use content::{Content, Slices, Walk};
use index::Added;
use index::Indexes;
pub(crate) use index::TimeEntry;

/// The most a file of a segment may hold: positions are written with 31 bits.
pub(crate) const MAX_FILE_BYTES: u64 = i32::MAX as u64;

/// Whole batches out of a log, sharing its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Read {
    slices: Slices,
}

impl Read {
    /// The batches, in order.
    pub fn batches(&self) -> impl Iterator<Item = Batch> + '_ {
        self.slices.iter().flat_map(|bytes| {
            let mut rest = bytes.clone();
            std::iter::from_fn(move || Batch::split_from(&mut rest).ok())
        })
    }

    /// The bytes as they lie in memory: shared, in order, nearly always one piece. A read
    /// that found nothing has one empty piece.
    pub fn pieces(&self) -> impl Iterator<Item = &Bytes> {
        self.slices.iter()
    }

    /// Whether there was nothing to read.
    pub fn is_empty(&self) -> bool {
        self.slices.len() == 0
    }

    /// Length in bytes.
    pub fn len_bytes(&self) -> usize {
        self.slices.len()
    }

    /// The offset after the last record.
    pub fn next_offset(&self) -> Option<Offset> {
        self.batches().last().map(|batch| batch.next_offset())
    }

    /// The bytes as a fetch response carries them: shared with the log where they are one
    /// piece, copied into one where they are not.
    pub fn to_bytes(&self) -> Bytes {
        self.slices.join()
    }
}

/// A segment's three files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Names {
    pub(crate) log: FileName,
    pub(crate) index: FileName,
    pub(crate) time_index: FileName,
    /// Exists once there is something in it.
    pub(crate) txn_index: FileName,
}

impl Names {
    pub(crate) fn new(partition: &TopicPartition, base: Offset) -> Names {
        let name = |ending| Arc::from(format!("{partition}/{:020}.{ending}", base.0));
        Names {
            log: name("log"),
            index: name("index"),
            time_index: name("timeindex"),
            txn_index: name("txnindex"),
        }
    }

    pub(crate) fn all(self) -> [FileName; 3] {
        [self.log, self.index, self.time_index]
    }
}

/// How long the files of a segment are after a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Lengths {
    pub(crate) log: u64,
    pub(crate) index: u64,
    pub(crate) time_index: u64,
}

/// One file's worth of batches.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) base: Offset,
    pub(crate) names: Names,
    content: Content,
    indexes: Indexes,
    end: Offset,
    /// The first batch's largest timestamp: the segment's age is counted from it.
    first_timestamp: Option<i64>,
    /// Transactions whose abort markers lie here.
    aborted: Vec<AbortedTransaction>,
}

impl Segment {
    pub(crate) fn new(partition: &TopicPartition, base: Offset) -> Segment {
        Segment {
            base,
            names: Names::new(partition, base),
            content: Content::default(),
            indexes: Indexes::new(base),
            end: base,
            first_timestamp: None,
            aborted: Vec::new(),
        }
    }

    /// One past the last record, or the base offset while there is none.
    pub(crate) fn end(&self) -> Offset {
        self.end
    }

    pub(crate) fn len_bytes(&self) -> u64 {
        self.content.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.content.len() == 0
    }

    pub(crate) fn first_timestamp(&self) -> Option<i64> {
        self.first_timestamp
    }

    /// The largest timestamp, and the last offset of the batch that has it.
    pub(crate) fn newest(&self) -> Option<(i64, Offset)> {
        self.indexes.newest()
    }

    /// Transactions whose abort markers lie here, in the order of the markers.
    pub(crate) fn aborted(&self) -> &[AbortedTransaction] {
        &self.aborted
    }

    pub(crate) fn add_aborted(&mut self, entry: AbortedTransaction) {
        self.aborted.push(entry);
    }

    pub(crate) fn set_aborted(&mut self, entries: Vec<AbortedTransaction>) {
        self.aborted = entries;
    }

    /// All of it, in one piece.
    pub(crate) fn bytes(&self) -> Bytes {
        self.content.slice(0, self.content.len()).join()
    }

    /// The files that it has.
    pub(crate) fn files(&self) -> impl Iterator<Item = FileName> + use<> {
        let aborted = (!self.aborted.is_empty()).then(|| self.names.txn_index.clone());
        self.names.clone().all().into_iter().chain(aborted)
    }

    pub(crate) fn is_index_full(&self, max_bytes: u64) -> bool {
        self.indexes.is_full(max_bytes)
    }

    /// Whether an offset can be counted from the base with 31 bits.
    pub(crate) fn can_hold(&self, last: Offset) -> bool {
        i32::try_from(last.0 - self.base.0).is_ok()
    }

    /// Appends whole batches that have been checked, the first of which begins at `first`.
    /// What the index files get goes to `disk`.
    pub(crate) fn push(
        &mut self,
        first: Offset,
        bytes: Bytes,
        interval: u64,
        disk: &mut VecDeque<DiskOp>,
    ) {
        let (mut rest, mut position) = (&bytes[..], self.content.len());
        while !rest.is_empty() {
            let view = BatchView::next_checked(rest);
            if let Some(added) = self.note(interval, position, view) {
                self.write_index(added, disk);
            }
            position += view.len() as u64;
            rest = &rest[view.len()..];
        }
        if !bytes.is_empty() {
            self.content.push(first, bytes);
        }
    }

    fn write_index(&self, added: Added, disk: &mut VecDeque<DiskOp>) {
        let (file, bytes) = (self.names.index.clone(), added.offset.encode());
        disk.push_back(DiskOp::Append { file, bytes: Bytes::copy_from_slice(&bytes) });
        if let Some(entry) = added.time {
            let (file, bytes) = (self.names.time_index.clone(), entry.encode());
            disk.push_back(DiskOp::Append {
                file,
                bytes: Bytes::copy_from_slice(&bytes),
            });
        }
    }

    fn note(
        &mut self,
        interval: u64,
        position: u64,
        view: BatchView<'_>,
    ) -> Option<Added> {
        assert!(view.base_offset() >= self.end, "a log only grows at its end");
        self.end = view.next_offset();
        if position == 0 {
            self.first_timestamp = Some(view.max_timestamp());
        }
        self.indexes.note(interval, position, view.last_offset(), view.max_timestamp())
    }

    /// Ends the segment's time index, when nothing more will be appended.
    pub(crate) fn close(&mut self) -> Option<TimeEntry> {
        self.indexes.close()
    }

    /// The whole `.index` and `.timeindex` files.
    pub(crate) fn index_files(&self) -> [Bytes; 2] {
        [self.indexes.offset_file(), self.indexes.time_file()]
    }

    /// The batches from the one that contains `from`, or the next behind it.
    pub(crate) fn walk_from(
        &self,
        from: Offset,
    ) -> impl Iterator<Item = (u64, BatchView<'_>)> {
        let start = self.indexes.position_of(from).max(self.content.chunk_with(from));
        let before = move |(_, view): &(u64, BatchView<'_>)| view.next_offset() <= from;
        self.content.walk(start).skip_while(before)
    }

    /// How a read finds `from`: by which entry of the index, and where. `None` near the
    /// segment's end, where a read looks first.
    pub(crate) fn trail(&self, from: Offset) -> Option<(Option<IndexEntry>, u64)> {
        let entry = self.indexes.entry_before(from);
        let (position, _) = self.walk_from(from).next()?;
        Some((entry, position))
    }

    /// Whether no index entry lies behind the one by which `from` is found.
    pub(crate) fn is_near_end(&self, from: Offset) -> bool {
        self.indexes.position_of(from) == self.indexes.last_position()
    }

    /// The last entry of the time index that is older than `timestamp`.
    pub(crate) fn time_entry_before(&self, timestamp: i64) -> Option<TimeIndexEntry> {
        self.indexes.time_entry_before(timestamp)
    }

    /// A batch that [`walk_from`](Self::walk_from) has shown, sharing its bytes.
    pub(crate) fn batch(&self, position: u64, view: BatchView<'_>) -> Batch {
        let slices = self.content.slice(position, position + view.len() as u64);
        Batch::of_checked(slices.join())
    }

    /// Whole batches from the one that contains `from`, ending at or before `limit`: as many
    /// as fit into `max_bytes`, but at least one.
    pub(crate) fn read(&self, from: Offset, limit: Offset, max_bytes: usize) -> Read {
        let first = self.walk_from(from).next();
        let Some((start, first)) = first.filter(|(_, view)| view.next_offset() <= limit)
        else {
            return Read::default();
        };
        let mut end = start + first.len() as u64;
        let stop = start.saturating_add(max_bytes as u64);
        if self.end <= limit && self.content.len() <= stop {
            end = self.content.len();
        } else {
            // Whatever the index knows to fit need not be looked at.
            end = end.max(self.indexes.position_within(stop, limit));
            for (position, view) in self.content.walk(end) {
                let next = position + view.len() as u64;
                if next > stop || view.next_offset() > limit {
                    break;
                }
                end = next;
            }
        }
        Read { slices: self.content.slice(start, end) }
    }

    /// Drops every batch that reaches beyond `end`, and what the indexes say of it.
    pub(crate) fn truncate_to(&mut self, end: Offset) -> Lengths {
        let found = if end < self.end { self.walk_from(end).next() } else { None };
        // A batch that begins at the cut goes; one that only ends there stays.
        let len = found.map_or(self.content.len(), |(position, _)| position);
        self.content.truncate(len);
        self.indexes.truncate_to(end);
        self.end = self.base;
        let mut seen = Vec::new();
        for (_, view) in self.tail_walk() {
            seen.push((view.last_offset(), view.max_timestamp()));
        }
        for (last, timestamp) in seen {
            self.indexes.see_again(last, timestamp);
            self.end = last.plus(1);
        }
        if self.is_empty() {
            self.first_timestamp = None;
        }
        self.lengths()
    }

    /// The batches from the last one that the index names.
    fn tail_walk(&self) -> Walk<'_> {
        self.content.walk(self.indexes.last_position())
    }

    pub(crate) fn lengths(&self) -> Lengths {
        Lengths {
            log: self.content.len(),
            index: self.indexes.offset_bytes(),
            time_index: self.indexes.time_bytes(),
        }
    }

    /// The first record at or behind `from` whose timestamp reaches `timestamp`: its offset
    /// and timestamp. Of a compressed batch, the batch's own.
    pub(crate) fn offset_at_time(
        &self,
        timestamp: i64,
        from: Offset,
    ) -> Option<(Offset, i64)> {
        let near = self.indexes.offset_before_time(timestamp);
        let mut candidates = self
            .walk_from(from.max(near))
            .filter(|(_, view)| view.max_timestamp() >= timestamp)
            .map(|(position, view)| self.batch(position, view));
        candidates.find_map(|batch| batch.first_at_time(timestamp, from))
    }

    /// The first record with the segment's largest timestamp.
    pub(crate) fn at_max_timestamp(&self) -> Option<(Offset, i64)> {
        let (timestamp, offset) = self.newest()?;
        let (position, view) = self.walk_from(offset).next()?;
        self.batch(position, view).first_at_time(timestamp, self.base)
    }
}
