//! Produce requests with acks=all that wait for the high watermark: the purgatory.
//!
//! A request is answered as a whole, when the last of its partitions is decided or its time
//! is up. Time up means that the outcome is unknown: the records stay (REP-7).

use std::collections::{BTreeMap, VecDeque};

use topomotion_wire::messages::ProduceResponse;
use topomotion_wire::{Defect, ErrorCode, Instant, Offset, Rule, TopicPartition};

use super::leader_hints;
use crate::net::{Effects, Ticket};
use crate::replica::{Replica, Site};

/// A produce request that waits.
#[derive(Debug, Clone)]
pub(crate) struct DelayedProduce {
    pub(crate) ticket: Ticket,
    /// The version of the request.
    pub(crate) version: i16,
    /// `timeout.ms` of the request.
    pub(crate) until: Instant,
    /// The answer, with the error of every undecided partition still to come.
    pub(crate) response: ProduceResponse,
    pub(crate) pending: BTreeMap<TopicPartition, Pending>,
}

/// One partition that is not decided yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pending {
    /// The high watermark that ends the wait.
    pub(crate) until: Offset,
    /// Where its answer stands: topic, then partition.
    pub(crate) place: (usize, usize),
}

/// Every produce request that waits, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Produces {
    waiting: VecDeque<DelayedProduce>,
}

impl Produces {
    pub(crate) fn wait(&mut self, produce: DelayedProduce) {
        self.waiting.push_back(produce);
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.waiting.iter().map(|produce| produce.until).min()
    }

    /// Something changed at a partition: looks again at whoever waits for it.
    pub(crate) fn check(
        &mut self,
        site: Site<'_>,
        id: &TopicPartition,
        replica: Option<&Replica>,
        effects: &mut Effects,
    ) {
        for produce in &mut self.waiting {
            let Some(pending) = produce.pending.get(id).copied() else { continue };
            if let Some(outcome) = outcome(site, pending, replica) {
                produce.pending.remove(id);
                produce.decide(pending, outcome);
                effects.mark_at(Rule::Rep6, id);
            }
        }
        self.release(site, |produce| produce.pending.is_empty(), effects);
    }

    /// Answers whoever has waited long enough.
    pub(crate) fn expire(&mut self, site: Site<'_>, effects: &mut Effects) {
        let now = site.now;
        for produce in self.waiting.iter_mut().filter(|produce| produce.until <= now) {
            for (id, pending) in std::mem::take(&mut produce.pending) {
                produce.decide(pending, Err(ErrorCode::RequestTimedOut));
                effects.mark_at(Rule::Rep7, &id);
            }
        }
        self.release(site, |produce| produce.until <= now, effects);
    }

    fn release(
        &mut self,
        site: Site<'_>,
        is_done: impl Fn(&DelayedProduce) -> bool,
        effects: &mut Effects,
    ) {
        let mut at = 0;
        while let Some(produce) = self.waiting.get(at) {
            if !is_done(produce) {
                at += 1;
            } else if let Some(mut produce) = self.waiting.remove(at) {
                leader_hints::in_produce(site, produce.version, &mut produce.response);
                effects.reply(produce.ticket, produce.response);
            }
        }
    }
}

impl DelayedProduce {
    fn decide(&mut self, pending: Pending, outcome: Result<(), ErrorCode>) {
        let (topic, partition) = pending.place;
        let answer = &mut self.response.responses[topic].partition_responses[partition];
        answer.error_code = outcome.err().map_or(0, |error| error.code());
        if outcome.is_err() {
            answer.base_offset = -1;
        }
    }
}

/// What has become of a waiting partition, if anything has.
fn outcome(
    site: Site<'_>,
    pending: Pending,
    replica: Option<&Replica>,
) -> Option<Result<(), ErrorCode>> {
    let Some(replica) = replica else { return Some(Err(ErrorCode::NotLeaderOrFollower)) };
    // A new epoch of the same leader is no reason to give up: what was appended stays.
    if !replica.is_leader() {
        return Some(Err(ErrorCode::NotLeaderOrFollower));
    }
    if replica.high_watermark() < pending.until && !Defect::AckOnAppend.is_sown() {
        return None;
    }
    if replica.is_below_min_isr(site) {
        return Some(Err(ErrorCode::NotEnoughReplicasAfterAppend));
    }
    Some(Ok(()))
}
