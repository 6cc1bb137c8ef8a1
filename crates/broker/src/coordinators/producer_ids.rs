//! The producer ids that this broker may give out, in blocks of the controller's (PRD-9).
//!
//! A second block is asked for when the first is nearly used up, so that nobody waits for it.
//! Only the very first producer does: it is told that the coordinator still loads, as in Kafka,
//! and asks again.

use topomotion_wire::messages::{
    AllocateProducerIdsRequest, AllocateProducerIdsResponse, BrokerId,
};
use topomotion_wire::{BrokerEpoch, Duration, ErrorCode, Instant, NodeId, ProducerId};

use crate::net::{Ask, Asked, Effects, Purpose};

/// Pause before a block is asked for again.
const RETRY_BACKOFF: Duration = Duration::from_millis(50);
/// The share of a block, in tenths, after which the next one is asked for.
const PREFETCH_TENTHS: i64 = 9;

/// Ids from `next` to before `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Block {
    next: i64,
    end: i64,
    /// The id with which the next block is asked for.
    prefetch_at: i64,
}

/// This broker's blocks.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProducerIds {
    current: Option<Block>,
    following: Option<Block>,
    request: Request,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Request {
    #[default]
    None,
    /// To be sent from this moment on.
    Due(Instant),
    Asked,
}

/// Who asks the controller.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker {
    pub(crate) me: NodeId,
    pub(crate) epoch: BrokerEpoch,
    pub(crate) controller: NodeId,
    pub(crate) timeout: Duration,
}

impl ProducerIds {
    /// Takes an id.
    ///
    /// # Errors
    /// `COORDINATOR_LOAD_IN_PROGRESS` while there is none.
    pub(crate) fn claim(&mut self, now: Instant) -> Result<ProducerId, ErrorCode> {
        if self.current.is_none_or(|block| block.next >= block.end) {
            self.current = self.following.take();
        }
        let Some(block) = &mut self.current else {
            self.want(now);
            return Err(ErrorCode::CoordinatorLoadInProgress);
        };
        let id = block.next;
        block.next += 1;
        if id >= block.prefetch_at && self.following.is_none() {
            self.want(now);
        }
        Ok(ProducerId(id))
    }

    fn want(&mut self, now: Instant) {
        if self.request == Request::None {
            self.request = Request::Due(now);
        }
    }

    /// When a request is due, if there is somebody to send it to.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.request {
            Request::Due(at) => Some(at),
            Request::None | Request::Asked => None,
        }
    }

    /// Sends the request that is due.
    pub(crate) fn pump(&mut self, now: Instant, asker: Asker, effects: &mut Effects) {
        if !matches!(self.request, Request::Due(at) if at <= now) {
            return;
        }
        self.request = Request::Asked;
        let body = AllocateProducerIdsRequest::default()
            .with_broker_id(BrokerId(asker.me.0))
            .with_broker_epoch(asker.epoch.0);
        effects.ask(Ask {
            to: asker.controller,
            purpose: Purpose::Forwarding,
            asked: Asked::ProducerIds,
            version: 0,
            body: body.into(),
            timeout: asker.timeout,
        });
    }

    /// The controller's answer.
    pub(crate) fn answered(
        &mut self,
        now: Instant,
        response: &AllocateProducerIdsResponse,
    ) {
        let (first, length) = (response.producer_id_start.0, response.producer_id_len);
        let end = first.checked_add(i64::from(length)).filter(|&end| end > first);
        let (Some(end), 0) = (end, response.error_code) else {
            return self.failed(now);
        };
        let prefetch_at = first + (end - first) * PREFETCH_TENTHS / 10;
        self.following = Some(Block { next: first, end, prefetch_at });
        self.request = Request::None;
    }

    /// No answer: asks again after a pause. A block that was given and not received is lost.
    pub(crate) fn failed(&mut self, now: Instant) {
        self.request = Request::Due(now + RETRY_BACKOFF);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::ZERO;

    fn block(first: i64, length: i32) -> AllocateProducerIdsResponse {
        AllocateProducerIdsResponse::default()
            .with_producer_id_start(first.into())
            .with_producer_id_len(length)
    }

    #[test]
    fn the_next_block_is_asked_for_before_the_last_id_is_gone() {
        let mut ids = ProducerIds::default();
        assert_eq!(ids.claim(NOW), Err(ErrorCode::CoordinatorLoadInProgress));
        assert_eq!(ids.deadline(), Some(NOW));
        ids.answered(NOW, &block(1_000, 10));
        assert_eq!(ids.deadline(), None);
        for id in 1_000..1_009 {
            assert_eq!(ids.claim(NOW), Ok(ProducerId(id)));
            assert_eq!(ids.deadline(), None, "{id}");
        }
        assert_eq!(ids.claim(NOW), Ok(ProducerId(1_009)), "the tenth of ten");
        assert_eq!(ids.deadline(), Some(NOW));
        ids.answered(NOW, &block(7_000, 10));
        assert_eq!(ids.claim(NOW), Ok(ProducerId(7_000)));
    }

    #[test]
    fn a_refused_block_is_asked_for_again() {
        let mut ids = ProducerIds::default();
        assert!(ids.claim(NOW).is_err());
        let code = ErrorCode::StaleBrokerEpoch.code();
        ids.answered(NOW, &block(0, 0).with_error_code(code));
        assert_eq!(ids.deadline(), Some(NOW + RETRY_BACKOFF));
        assert!(ids.claim(NOW).is_err(), "and nobody has an id meanwhile");
    }
}
