//! Answers that wait for the metadata log to be committed (RAFT-11).

use std::collections::VecDeque;

use topomotion_wire::Offset;
use topomotion_wire::messages::ResponseKind;

use crate::net::Ticket;

/// Answers in the order of the offsets that they wait for.
#[derive(Debug, Clone, Default)]
pub(super) struct Deferred {
    waiting: VecDeque<(Offset, Ticket, ResponseKind)>,
}

impl Deferred {
    /// Holds `reply` back until everything before `until` is committed.
    pub(super) fn push(&mut self, until: Offset, ticket: Ticket, reply: ResponseKind) {
        let last = self.waiting.back().map(|(offset, ..)| *offset);
        assert!(last.is_none_or(|last| last <= until), "the log only grows");
        self.waiting.push_back((until, ticket, reply));
    }

    /// The answers that need no more than what is committed before `offset`.
    pub(super) fn release(&mut self, offset: Offset) -> Vec<(Ticket, ResponseKind)> {
        let ready = self.waiting.partition_point(|(until, ..)| *until <= offset);
        let ready = self.waiting.drain(..ready);
        ready.map(|(_, ticket, reply)| (ticket, reply)).collect()
    }

    /// Everybody who still waits.
    pub(super) fn into_waiting(self) -> Vec<(Ticket, ResponseKind)> {
        self.waiting.into_iter().map(|(_, ticket, reply)| (ticket, reply)).collect()
    }
}
