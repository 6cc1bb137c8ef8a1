//! Following: fetch from the leader, append, cut what diverges; and, for an observer, finding
//! the leader in the first place.

use topomotion_log::{Batch, EpochEnd};
use topomotion_wire::messages::FetchResponse;
use topomotion_wire::{Bytes, Fact, Instant, NodeId, Offset, Rule};

use crate::messages::{
    self, FETCH_VERSION, FetchAnswer, Fetched, Progress, metadata_partition,
};
use crate::peer::{Call, Due};
use crate::quorum::Changed;
use crate::role::{Contact, Role, Unattached};
use crate::{Quorum, QuorumOutput};

impl Quorum {
    pub(crate) fn tick_follower(&mut self, now: Instant) {
        let Role::Follower(following) = &mut self.role else { return };
        if following.timeout_at <= now {
            return self.miss_leader(now);
        }
        let leader = following.leader;
        match following.fetch.check(now) {
            Due::Nothing => {}
            Due::GiveUp => {
                following.fetch.failed(now, &self.config);
                self.outbox.push(QuorumOutput::Disconnect { from: leader });
            }
            Due::Send => {
                following.fetch.sent(now, &self.config);
                self.send_fetch(leader);
            }
        }
    }

    fn miss_leader(&mut self, now: Instant) {
        if self.config.is_voter() {
            self.run(now);
        } else {
            self.become_unattached(now, self.durable.epoch);
        }
    }

    fn send_fetch(&mut self, to: NodeId) {
        let progress = Progress {
            replica: Some(self.config.node),
            epoch: self.durable.epoch,
            end: self.log.end_offset(),
            last_epoch: self.last_epoch(),
            high_watermark: self.known_high_watermark(),
        };
        let wait =
            i32::try_from(self.config.fetch_max_wait.as_millis()).unwrap_or(i32::MAX);
        let bytes = self.config.fetch_max_bytes;
        self.send(to, FETCH_VERSION, messages::fetch_request(progress, wait, bytes));
    }

    pub(crate) fn on_fetch_answer(
        &mut self,
        now: Instant,
        from: NodeId,
        response: &FetchResponse,
    ) {
        let Some(answer) = messages::read_fetch_response(response) else { return };
        if self.observe(now, answer.leadership) == Changed::Yes {
            return;
        }
        match &self.role {
            Role::Unattached(Unattached::Asks { .. }) => self.ask_next_voter(now),
            Role::Follower(following)
                if following.leader == from && following.fetch.is_in_flight() =>
            {
                self.take_fetched(now, answer);
            }
            _ => {}
        }
    }

    fn take_fetched(&mut self, now: Instant, answer: FetchAnswer) {
        let done = match answer.fetched {
            Fetched::Records(records) => self.append_fetched(records),
            Fetched::Diverges(at) => self.cut_at(at),
            Fetched::Refused(_) if answer.leadership.leader.is_none() => {
                // An observer need not wait for an election: it asks around. Not at once,
                // though: a voter that still names the old leader would send it straight
                // back here, as fast as the wire can carry it.
                if !self.config.is_voter() {
                    self.become_unattached(now, self.durable.epoch);
                    return self.postpone_questions(now + self.config.retry_backoff);
                }
                Changed::No
            }
            Fetched::Refused(_) => Changed::No,
        };
        let config = &self.config;
        let Role::Follower(following) = &mut self.role else { return };
        if done == Changed::No {
            return following.fetch.failed(now, config);
        }
        following.contact = Contact::Made;
        following.timeout_at = now + config.fetch_timeout;
        following.fetch.succeeded(now);
        let known = answer.high_watermark.min(self.log.end_offset());
        if known >= Offset(0) {
            self.raise_high_watermark(known);
        }
    }

    /// Appends what continues the log; `No` if it does not.
    fn append_fetched(&mut self, records: Bytes) -> Changed {
        if records.is_empty() {
            return Changed::Yes;
        }
        let end = self.log.end_offset();
        let first =
            Batch::split_from(&mut records.clone()).map(|batch| batch.base_offset());
        if first != Ok(end) || self.log.append_as_follower(records).is_err() {
            return Changed::No;
        }
        self.note_appended(end);
        Changed::Yes
    }

    /// TRN-3, in the quorum: cuts where the leader's history parts from this one.
    fn cut_at(&mut self, leader: EpochEnd) -> Changed {
        let point = self.log.truncation_point(leader);
        if point < self.high_watermark() {
            self.halt("the leader's log contradicts what was committed (K8)");
            return Changed::No;
        }
        let end = self.log.truncate_to(point);
        self.drain_log();
        self.flushed_end = self.flushed_end.min(end);
        for (_, covered) in &mut self.log_flushes {
            *covered = end.min(*covered);
        }
        self.mark(Rule::Trn3);
        self.fact(Fact::Truncated { partition: metadata_partition(), end });
        Changed::Yes
    }

    pub(crate) fn first_question(&mut self, now: Instant) -> Unattached {
        let voters = self.config.voters.len() as u64;
        let voter = usize::try_from(self.random.below(voters)).unwrap_or(0);
        Unattached::Asks { voter, call: Call::due(now) }
    }

    fn postpone_questions(&mut self, until: Instant) {
        if let Role::Unattached(Unattached::Asks { call, .. }) = &mut self.role {
            call.postpone(until);
        }
    }

    pub(crate) fn ask_next_voter(&mut self, now: Instant) {
        let voters = self.config.voters.len();
        if let Role::Unattached(Unattached::Asks { voter, call }) = &mut self.role
            && call.is_in_flight()
        {
            *voter = (*voter + 1) % voters;
            call.failed(now, &self.config);
        }
    }

    pub(crate) fn tick_questions(&mut self, now: Instant) {
        let Role::Unattached(Unattached::Asks { voter, call }) = &mut self.role else {
            return;
        };
        let Some(&to) = self.config.voters.get(*voter) else { return };
        match call.check(now) {
            Due::Nothing => {}
            Due::GiveUp => {
                self.outbox.push(QuorumOutput::Disconnect { from: to });
                self.ask_next_voter(now);
            }
            Due::Send => {
                call.sent(now, &self.config);
                self.send_fetch(to);
            }
        }
    }
}
