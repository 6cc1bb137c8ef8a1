//! Following: fetch from the leader, append, cut what diverges; and, for an observer, finding
//! the leader in the first place.

use bytes::BytesMut;
use topomotion_log::{Batch, EpochEnd};
use topomotion_wire::messages::{
    FetchResponse, FetchSnapshotResponse, UpdateRaftVoterResponse,
};
use topomotion_wire::{Bytes, Defect, Fact, Instant, NodeId, Offset, Rule};

use crate::messages::{
    self, Chunk, FETCH_SNAPSHOT_VERSION, FETCH_VERSION, FetchAnswer, Fetched, Progress,
    UPDATE_VERSION, WantedSnapshot, metadata_partition,
};
use crate::peer::{Call, Due};
use crate::quorum::Changed;
use crate::role::{Contact, Download, Role, Unattached};
use crate::snapshot::Contents;
use crate::{Quorum, QuorumOutput, SnapshotId};

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
                self.ask_leader(now, leader);
            }
        }
    }

    /// What a follower wants of its leader next: a snapshot's next part, or that the others
    /// learn where it listens, or the log.
    fn ask_leader(&mut self, now: Instant, leader: NodeId) {
        let misplaced = self.misplaced();
        let Role::Follower(following) = &mut self.role else { return };
        if let Some(download) = &following.download {
            let wanted = WantedSnapshot {
                replica: Some(self.config.node),
                epoch: self.durable.epoch,
                id: download.id,
                position: download.bytes.len() as i64,
                max_bytes: self.config.fetch_max_bytes,
            };
            let request = messages::fetch_snapshot_request(wanted);
            return self.send(leader, FETCH_SNAPSHOT_VERSION, request);
        }
        if let Some(endpoint) = misplaced.filter(|_| following.update_at <= now) {
            following.update_at = now + self.config.fetch_timeout;
            let (epoch, node) = (self.durable.epoch, self.config.node);
            let request = messages::update_request(epoch, node, &endpoint);
            return self.send(leader, UPDATE_VERSION, request);
        }
        self.send_fetch(leader);
    }

    fn miss_leader(&mut self, now: Instant) {
        if self.may_run() {
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
        let Some(mut answer) = messages::read_fetch_response(response) else { return };
        if let Some(heard) = answer.leadership.leader.zip(answer.leader_at.take()) {
            self.heard.extend([heard]);
        }
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
        // Only a log that continues the leader's may count its high watermark: one that has
        // just been cut may part from it again, further back.
        let continues = matches!(answer.fetched, Fetched::Records(_));
        let done = match answer.fetched {
            Fetched::Records(records) => self.append_fetched(records),
            Fetched::Diverges(at) => self.cut_at(at),
            Fetched::Snapshot(id) => self.begin_download(id),
            // Of this epoch: it may be the late answer to a question of an earlier one.
            Fetched::Refused(_)
                if answer.leadership.leader.is_none()
                    && answer.leadership.epoch == self.durable.epoch =>
            {
                // An observer need not wait for an election: it asks around. Voters may
                // still name the old leader; there is no going back to that one. But the
                // answer to what was asked before anybody led is no word of a leader.
                let has_led = matches!(
                    &self.role,
                    Role::Follower(following) if following.contact == Contact::Made
                );
                if !self.may_run() && has_led {
                    let leader = self.leader();
                    self.stepped_down = leader.map(|it| (self.durable.epoch, it));
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
        if continues && known >= Offset(0) {
            self.raise_high_watermark(known);
        }
    }

    fn begin_download(&mut self, id: SnapshotId) -> Changed {
        if self.high_watermark.is_some_and(|known| id.end <= known) {
            return Changed::No;
        }
        let Role::Follower(following) = &mut self.role else { return Changed::No };
        following.download = Some(Download { id, bytes: BytesMut::new() });
        Changed::Yes
    }

    pub(crate) fn on_snapshot_answer(
        &mut self,
        now: Instant,
        from: NodeId,
        response: &FetchSnapshotResponse,
    ) {
        let Some((said, answer)) = messages::read_fetch_snapshot_response(response)
        else {
            return;
        };
        if self.observe(now, said) == Changed::Yes {
            return;
        }
        let config = &self.config;
        let Role::Follower(following) = &mut self.role else { return };
        if following.leader != from || !following.fetch.is_in_flight() {
            return;
        }
        let continues = |download: &Download, id: SnapshotId, chunk: &Chunk| {
            let is_next = download.bytes.len() as i64 == chunk.position;
            download.id == id && is_next && !chunk.bytes.is_empty()
        };
        let (Some(download), Ok((id, chunk))) = (&mut following.download, answer) else {
            // It is gone there: the next fetch will name another one.
            following.download = None;
            return following.fetch.failed(now, config);
        };
        if !continues(download, id, &chunk) {
            following.download = None;
            return following.fetch.failed(now, config);
        }
        download.bytes.extend_from_slice(&chunk.bytes);
        following.contact = Contact::Made;
        following.timeout_at = now + config.fetch_timeout;
        if (download.bytes.len() as i64) < chunk.size {
            return following.fetch.succeeded(now);
        }
        let bytes = following.download.take().map(|it| it.bytes.freeze());
        let bytes = bytes.unwrap_or_default();
        let contents = Contents::decode(&bytes).filter(|_| !self.snapshots.is_writing());
        match contents {
            Some(contents) => {
                // It fetches on when the snapshot is on disk.
                following.fetch.finish();
                self.install(id, bytes, contents);
            }
            None => following.fetch.failed(now, config),
        }
    }

    /// Whether the leader has taken the new address or not: it is asked again later.
    pub(crate) fn on_update_answer(
        &mut self,
        now: Instant,
        from: NodeId,
        response: &UpdateRaftVoterResponse,
    ) {
        let said = messages::read_update_response(response);
        if self.observe(now, said) == Changed::Yes {
            return;
        }
        if let Role::Follower(following) = &mut self.role
            && following.leader == from
            && following.fetch.is_in_flight()
        {
            following.fetch.succeeded(now);
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
        let mut point = self.log.truncation_point(leader);
        if point < self.high_watermark() {
            self.halt("the leader's log contradicts what was committed (K8)");
            return Changed::No;
        }
        if Defect::TruncateCommitted.is_sown() {
            point = self.log.start_offset();
        }
        let end = self.log.truncate_to(point);
        self.voters.truncate(end);
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
        let voters = self.contacts().len() as u64;
        let voter = usize::try_from(self.random.below(voters)).unwrap_or(0);
        Unattached::Asks { voter, call: Call::due(now) }
    }

    fn postpone_questions(&mut self, until: Instant) {
        if let Role::Unattached(Unattached::Asks { call, .. }) = &mut self.role {
            call.postpone(until);
        }
    }

    pub(crate) fn ask_next_voter(&mut self, now: Instant) {
        let voters = self.contacts().len().max(1);
        if let Role::Unattached(Unattached::Asks { voter, call }) = &mut self.role
            && call.is_in_flight()
        {
            *voter = (*voter + 1) % voters;
            call.failed(now, &self.config);
        }
    }

    pub(crate) fn tick_questions(&mut self, now: Instant) {
        let contacts = self.contacts();
        let Role::Unattached(Unattached::Asks { voter, call }) = &mut self.role else {
            return;
        };
        let Some(&to) = contacts.get(*voter) else { return };
        match call.check(now) {
            Due::Nothing => {}
            Due::GiveUp if Defect::ObserverStuck.is_sown() => call.finish(),
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
