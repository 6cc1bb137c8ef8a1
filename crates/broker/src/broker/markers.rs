//! WriteTxnMarkers requests that wait for the high watermark, as a produce with acks=all does.

use std::collections::VecDeque;

use topomotion_wire::messages::WriteTxnMarkersResponse;
use topomotion_wire::{ErrorCode, Instant, Offset, TopicPartition};

use crate::net::{Effects, Ticket};
use crate::replica::{Replica, Site};

/// A request that waits.
#[derive(Debug, Clone)]
pub(crate) struct DelayedMarkers {
    pub(crate) ticket: Ticket,
    /// When the broker gives up on it.
    pub(crate) until: Instant,
    /// The answer, with the error of every undecided partition still to come.
    pub(crate) response: WriteTxnMarkersResponse,
    pub(crate) pending: Vec<PendingMarker>,
}

/// One marker that is not decided yet.
#[derive(Debug, Clone)]
pub(crate) struct PendingMarker {
    pub(crate) partition: TopicPartition,
    /// The high watermark that ends the wait.
    pub(crate) until: Offset,
    /// Where its answer stands: marker, topic, partition.
    pub(crate) place: (usize, usize, usize),
}

/// Every such request, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Markers {
    waiting: VecDeque<DelayedMarkers>,
}

impl Markers {
    /// Takes a request whose markers are appended. The first look may find it done.
    pub(crate) fn wait(&mut self, markers: DelayedMarkers, effects: &mut Effects) {
        markers.pending.iter().for_each(|it| effects.touch(&it.partition));
        self.waiting.push_back(markers);
        self.release(effects);
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.waiting.iter().map(|markers| markers.until).min()
    }

    /// Something changed at a partition: looks again at whoever waits for it.
    pub(crate) fn check(
        &mut self,
        site: Site<'_>,
        id: &TopicPartition,
        replica: Option<&Replica>,
        effects: &mut Effects,
    ) {
        let replica = replica.filter(|it| it.is_leader());
        let outcome = |until: Offset| match replica {
            None => Some(ErrorCode::NotLeaderOrFollower.code()),
            Some(it) if it.high_watermark() < until => None,
            Some(it) if it.is_below_min_isr(site) => {
                Some(ErrorCode::NotEnoughReplicasAfterAppend.code())
            }
            Some(_) => Some(0),
        };
        for markers in &mut self.waiting {
            let DelayedMarkers { response, pending, .. } = markers;
            pending.retain(|it| {
                let code = (it.partition == *id).then(|| outcome(it.until)).flatten();
                if let Some(code) = code {
                    decide(response, it.place, code);
                }
                code.is_none()
            });
        }
        self.release(effects);
    }

    /// Answers whoever has waited long enough.
    pub(crate) fn expire(&mut self, now: Instant, effects: &mut Effects) {
        for markers in self.waiting.iter_mut().filter(|it| it.until <= now) {
            for it in std::mem::take(&mut markers.pending) {
                let code = ErrorCode::RequestTimedOut.code();
                decide(&mut markers.response, it.place, code);
            }
        }
        self.release(effects);
    }

    fn release(&mut self, effects: &mut Effects) {
        for markers in std::mem::take(&mut self.waiting) {
            if markers.pending.is_empty() {
                effects.reply(markers.ticket, markers.response);
            } else {
                self.waiting.push_back(markers);
            }
        }
    }
}

fn decide(
    response: &mut WriteTxnMarkersResponse,
    place: (usize, usize, usize),
    code: i16,
) {
    let (marker, topic, partition) = place;
    let answer = &mut response.markers[marker].topics[topic].partitions[partition];
    answer.error_code = code;
}
