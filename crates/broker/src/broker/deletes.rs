//! DeleteRecords requests that wait until every live replica has moved its log start.
//!
//! Answered as a whole, when the last of its partitions is decided or its time is up. The
//! leader has deleted by then in any case, and the followers will.

use std::collections::{BTreeMap, VecDeque};

use topomotion_wire::messages::DeleteRecordsResponse;
use topomotion_wire::{ErrorCode, Instant, Offset, TopicPartition};

use crate::net::{Effects, Ticket};
use crate::replica::{Replica, Site};

/// A request that waits.
#[derive(Debug, Clone)]
pub(crate) struct DelayedDelete {
    pub(crate) ticket: Ticket,
    /// `timeout.ms` of the request.
    pub(crate) until: Instant,
    /// The answer, with the low watermark of every undecided partition still to come.
    pub(crate) response: DeleteRecordsResponse,
    pub(crate) pending: BTreeMap<TopicPartition, PendingDelete>,
}

/// One partition that is not decided yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PendingDelete {
    /// The low watermark that ends the wait.
    pub(crate) until: Offset,
    /// Where its answer stands: topic, then partition.
    pub(crate) place: (usize, usize),
}

/// Every DeleteRecords request that waits, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deletes {
    waiting: VecDeque<DelayedDelete>,
}

impl Deletes {
    /// Takes a request that has done its work here. One without anything to wait for is
    /// answered with the next look.
    pub(crate) fn wait(&mut self, delete: DelayedDelete, effects: &mut Effects) {
        delete.pending.keys().for_each(|id| effects.touch(id));
        self.waiting.push_back(delete);
        self.release(|delete| delete.pending.is_empty(), effects);
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.waiting.iter().map(|delete| delete.until).min()
    }

    /// Something changed at a partition: looks again at whoever waits for it.
    pub(crate) fn check(
        &mut self,
        site: Site<'_>,
        id: &TopicPartition,
        replica: Option<&Replica>,
        effects: &mut Effects,
    ) {
        for delete in &mut self.waiting {
            let Some(pending) = delete.pending.get(id).copied() else { continue };
            let low = replica.ok_or_else(|| site.absent(id)).and_then(|replica| {
                replica.low_watermark(site).ok_or(ErrorCode::NotLeaderOrFollower)
            });
            if low.is_ok_and(|low| low < pending.until) {
                continue;
            }
            delete.pending.remove(id);
            delete.decide(pending, low);
        }
        self.release(|delete| delete.pending.is_empty(), effects);
    }

    /// Answers whoever has waited long enough.
    pub(crate) fn expire(&mut self, now: Instant, effects: &mut Effects) {
        for delete in self.waiting.iter_mut().filter(|delete| delete.until <= now) {
            for pending in std::mem::take(&mut delete.pending).into_values() {
                delete.decide(pending, Err(ErrorCode::RequestTimedOut));
            }
        }
        self.release(|delete| delete.until <= now, effects);
    }

    fn release(
        &mut self,
        is_done: impl Fn(&DelayedDelete) -> bool,
        effects: &mut Effects,
    ) {
        let waiting = std::mem::take(&mut self.waiting);
        for delete in waiting {
            if is_done(&delete) {
                effects.reply(delete.ticket, delete.response);
            } else {
                self.waiting.push_back(delete);
            }
        }
    }
}

impl DelayedDelete {
    fn decide(&mut self, pending: PendingDelete, outcome: Result<Offset, ErrorCode>) {
        let (topic, partition) = pending.place;
        let answer = &mut self.response.topics[topic].partitions[partition];
        match outcome {
            Ok(low) => answer.low_watermark = low.0,
            Err(error) => answer.error_code = error.code(),
        }
    }
}
