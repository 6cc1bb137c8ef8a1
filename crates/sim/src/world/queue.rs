//! What is due, by time and then by the order in which it was put there.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use topomotion_trace::PacketId;
use topomotion_wire::{FlushToken, Instant};

use super::host::HostId;
use super::link::{LinkId, Parcel, Side};

/// Something that will happen.
#[derive(Debug)]
pub(super) enum Due {
    /// A host's timer goes off, if it is still the one set under this stamp.
    Tick { host: HostId, stamp: u64 },
    /// Something reaches one end of a link.
    Arrive { link: LinkId, side: Side, parcel: Parcel },
    /// A flush is done.
    Flushed { host: HostId, incarnation: u32, token: FlushToken, cause: Option<PacketId> },
}

/// A priority queue without ties: the sequence number decides between equal times.
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    sequence: u64,
}

#[derive(Debug)]
struct Entry {
    at: Instant,
    sequence: u64,
    due: Due,
}

impl Queue {
    pub fn push(&mut self, at: Instant, due: Due) {
        self.sequence += 1;
        self.heap.push(Reverse(Entry { at, sequence: self.sequence, due }));
    }

    pub fn next_due(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }

    pub fn pop_until(&mut self, limit: Instant) -> Option<(Instant, Due)> {
        if self.next_due()? > limit {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| (entry.at, entry.due))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.sequence == other.sequence
    }
}

impl Eq for Entry {}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Entry) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Entry {
    fn cmp(&self, other: &Entry) -> std::cmp::Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}
