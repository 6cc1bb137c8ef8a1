//! What is due, by time and then by the order in which it was put there.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use topomotion_log::FlushId;
use topomotion_trace::PacketId;
use topomotion_wire::{FlushToken, Instant};

use super::host::HostId;
use super::link::{LinkId, Parcel, Side};

/// Something that will happen.
#[derive(Debug)]
pub(super) enum Due {
    /// Something reaches one end of a link.
    Arrive { link: LinkId, side: Side, parcel: Parcel },
    /// A flush is done.
    Flushed {
        host: HostId,
        incarnation: u32,
        flush: FlushId,
        token: FlushToken,
        cause: Option<PacketId>,
    },
}

/// A priority queue without ties: the sequence number decides between equal times.
#[derive(Debug, Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<Entry>>,
    sequence: u64,
}

#[derive(Debug)]
struct Entry {
    place: Place,
    due: Due,
}

/// When something is due, and its place among what is due at the same time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub at: Instant,
    sequence: u64,
}

impl Queue {
    /// The place of something that is due then: behind everything put there before.
    pub fn place(&mut self, at: Instant) -> Place {
        self.sequence += 1;
        Place { at, sequence: self.sequence }
    }

    pub fn push(&mut self, at: Instant, due: Due) {
        let place = self.place(at);
        self.heap.push(Reverse(Entry { place, due }));
    }

    pub fn next_place(&self) -> Option<Place> {
        self.heap.peek().map(|Reverse(entry)| entry.place)
    }

    pub fn pop(&mut self) -> Option<Due> {
        self.heap.pop().map(|Reverse(entry)| entry.due)
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Entry) -> bool {
        self.place == other.place
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
        self.place.cmp(&other.place)
    }
}
