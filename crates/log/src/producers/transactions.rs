//! Aborted transactions, by segment, as `.txnindex` files keep them (TXN-8).
//!
//! ```text
//! version i16 = 0 | producer id i64 | first offset i64 | last offset i64 |
//! last stable offset i64
//! ```
//!
//! An entry stands in the segment that has its marker. Its last stable offset is where a
//! reader of committed records had to stop once it was written: whoever looks for all that
//! overlap a range need not look further than at an entry that lies behind the range.

use bytes::{BufMut, Bytes, BytesMut};
use topomotion_wire::{Offset, ProducerId};

use super::CompletedTransaction;

/// A transaction that was aborted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// Whose.
    pub producer: ProducerId,
    /// Its first record in the partition.
    pub first: Offset,
    /// Its marker.
    pub last: Offset,
    /// Where a reader of committed records had to stop when it had ended.
    pub last_stable: Offset,
}

/// Length of an entry.
const ENTRY_BYTES: usize = 34;

impl AbortedTransaction {
    pub(super) fn new(
        completed: CompletedTransaction,
        last_stable: Offset,
    ) -> AbortedTransaction {
        let CompletedTransaction { producer, first, last, .. } = completed;
        AbortedTransaction { producer, first, last, last_stable }
    }

    fn put(self, bytes: &mut BytesMut) {
        bytes.put_i16(0);
        bytes.put_i64(self.producer.0);
        bytes.put_i64(self.first.0);
        bytes.put_i64(self.last.0);
        bytes.put_i64(self.last_stable.0);
    }
}

/// Entries as they stand in a file.
pub(crate) fn write_aborted(entries: &[AbortedTransaction]) -> Bytes {
    let mut bytes = BytesMut::with_capacity(entries.len() * ENTRY_BYTES);
    entries.iter().for_each(|entry| entry.put(&mut bytes));
    bytes.freeze()
}
