//! A run of a log that is kept in one file, named after its first offset (LOG-2).

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use topomotion_wire::{FileName, Offset, TopicPartition};

use crate::Batch;

/// Whole batches out of a log, borrowed from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Read<'a> {
    batches: &'a [Batch],
}

impl<'a> Read<'a> {
    pub(crate) const EMPTY: Read<'static> = Read { batches: &[] };

    /// The batches, in order.
    pub fn batches(&self) -> &'a [Batch] {
        self.batches
    }

    /// Whether there was nothing to read.
    pub fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// Length in bytes.
    pub fn len_bytes(&self) -> usize {
        self.batches.iter().map(Batch::len_bytes).sum()
    }

    /// The offset after the last record.
    pub fn next_offset(&self) -> Option<Offset> {
        self.batches.last().map(Batch::next_offset)
    }

    /// The bytes as a fetch response carries them. A single batch is shared, not copied.
    pub fn to_bytes(&self) -> Bytes {
        match self.batches {
            [] => Bytes::new(),
            [batch] => batch.bytes().clone(),
            batches => {
                let mut joined = BytesMut::with_capacity(self.len_bytes());
                batches.iter().for_each(|batch| joined.extend_from_slice(batch.bytes()));
                joined.freeze()
            }
        }
    }
}

/// One file's worth of batches.
#[derive(Debug, Clone)]
pub(crate) struct Segment {
    pub(crate) base: Offset,
    pub(crate) file: FileName,
    batches: Vec<Batch>,
    len_bytes: u64,
}

impl Segment {
    pub(crate) fn new(partition: &TopicPartition, base: Offset) -> Segment {
        let file = Arc::from(format!("{partition}/{:020}.log", base.0));
        Segment { base, file, batches: Vec::new(), len_bytes: 0 }
    }

    /// One past the last record, or the base offset while there is none.
    pub(crate) fn end(&self) -> Offset {
        self.batches.last().map_or(self.base, Batch::next_offset)
    }

    pub(crate) fn len_bytes(&self) -> u64 {
        self.len_bytes
    }

    pub(crate) fn batches(&self) -> &[Batch] {
        &self.batches
    }

    pub(crate) fn push(&mut self, batch: Batch) {
        assert!(batch.base_offset() >= self.end(), "a log only grows at its end");
        self.len_bytes += batch.len_bytes() as u64;
        self.batches.push(batch);
    }

    /// Whole batches from the one that contains `from`, ending at or before `limit`: as many
    /// as fit into `max_bytes`, but at least one.
    pub(crate) fn read(&self, from: Offset, limit: Offset, max_bytes: usize) -> Read<'_> {
        let first = self.batches.partition_point(|batch| batch.next_offset() <= from);
        let mut room = max_bytes;
        let mut last = first;
        for batch in &self.batches[first..] {
            let fits = last == first || batch.len_bytes() <= room;
            if !fits || batch.next_offset() > limit {
                break;
            }
            room = room.saturating_sub(batch.len_bytes());
            last += 1;
        }
        Read { batches: &self.batches[first..last] }
    }

    /// Drops every batch that reaches beyond `end`. Returns the file length that is left.
    pub(crate) fn truncate_to(&mut self, end: Offset) -> u64 {
        let keep = self.batches.partition_point(|batch| batch.next_offset() <= end);
        for batch in self.batches.drain(keep..) {
            self.len_bytes -= batch.len_bytes() as u64;
        }
        self.len_bytes
    }
}
