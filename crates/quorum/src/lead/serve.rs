//! Serving the log and the snapshots to whoever fetches them.

use topomotion_log::{EpochEnd, History};
use topomotion_wire::messages::{FetchRequest, FetchSnapshotRequest};
use topomotion_wire::{Bytes, Duration, ErrorCode, Instant, NodeId, QuorumEpoch, Rule};

use crate::messages::{self, Chunk, FetchAnswer, Fetched, Progress};
use crate::role::{Parked, Replica, Role};
use crate::{Quorum, ReplyToken};

/// How long an observer is remembered that no longer fetches (5 minutes, fixed in Kafka).
const OBSERVER_SESSION: Duration = Duration::from_millis(300_000);

impl Quorum {
    pub(crate) fn on_fetch(
        &mut self,
        now: Instant,
        token: ReplyToken,
        request: &FetchRequest,
    ) {
        let Some(progress) = messages::read_fetch(request) else {
            return self.refuse_fetch(token, ErrorCode::InvalidRequest);
        };
        let error = self.check_fetcher(progress.epoch);
        if let Some(error) = error {
            return self.refuse_fetch(token, error);
        }
        if let Some(instead) = self.divergence(progress) {
            self.note_contact(now, progress.replica);
            return self.answer_fetch(token, instead);
        }
        self.note_progress(now, progress);
        let wait = u64::try_from(request.max_wait_ms).unwrap_or(0);
        let parked = Parked {
            token,
            replica: progress.replica,
            end: progress.end,
            high_watermark: progress.high_watermark,
            until: now + Duration::from_millis(wait),
        };
        let Role::Leader(leading) = &mut self.role else {
            // This very fetch committed that this node is a voter no more (RAFT-10).
            return self.refuse_fetch(token, ErrorCode::NotLeaderOrFollower);
        };
        // A replica has one fetch at a time: an older one was on a connection that is gone.
        let old = leading.parked.iter().position(|old| old.replica == parked.replica);
        let old =
            old.filter(|_| parked.replica.is_some()).map(|at| leading.parked.remove(at));
        leading.parked.push(parked);
        if let Some(old) = old {
            self.answer_fetch(old.token, Fetched::Records(Bytes::new()));
        }
        self.answer_parked(now);
    }

    /// Why a fetch of this epoch is not served here, if it is not.
    fn check_fetcher(&self, epoch: QuorumEpoch) -> Option<ErrorCode> {
        if epoch < self.durable.epoch {
            Some(ErrorCode::FencedLeaderEpoch)
        } else if epoch > self.durable.epoch {
            Some(ErrorCode::UnknownLeaderEpoch)
        } else if self.is_leader() {
            None
        } else {
            Some(ErrorCode::NotLeaderOrFollower)
        }
    }

    /// What a fetcher gets whose log is not a prefix of this one, or ends before it begins
    /// (RAFT-6).
    fn divergence(&self, progress: Progress) -> Option<Fetched> {
        let start = self.log.start_offset();
        let snapshot = || self.snapshots.latest().map(Fetched::Snapshot);
        if progress.end < start {
            return snapshot();
        }
        if progress.end == start {
            let ours = self.snapshot_at_log_start();
            let agrees = ours.is_none_or(|id| id.epoch == progress.last_epoch);
            return if agrees { None } else { snapshot() };
        }
        let end = match self.log.compare(progress.end, progress.last_epoch) {
            History::Matches => return None,
            History::Diverges(at) => at,
            History::Unknown => {
                let end = self.log.end_offset();
                EpochEnd { epoch: progress.last_epoch, end }
            }
        };
        if end.end <= start && start.0 > 0 {
            return snapshot();
        }
        Some(Fetched::Diverges(end))
    }

    /// RAFT-6: everything before the fetch offset is on the fetcher's disk.
    fn note_progress(&mut self, now: Instant, progress: Progress) {
        let leader_end = self.log.end_offset();
        let again = now + self.half_fetch_timeout();
        let Some(node) = progress.replica else { return };
        let Role::Leader(leading) = &mut self.role else { return };
        if let Some(voter) = leading.voters.get_mut(&node) {
            let advanced = voter.note_fetch(now, progress.end, leader_end);
            voter.begin.postpone(again);
            if advanced {
                self.mark(Rule::Raft6);
                self.advance_as_leader(now);
            }
        } else if node != self.config.node {
            leading.observers.retain(|_, it| now.since(it.fetched_at) < OBSERVER_SESSION);
            let observer = leading.observers.entry(node);
            let observer = observer.or_insert_with(|| Replica::unheard(now));
            observer.note_fetch(now, progress.end, leader_end);
        }
    }

    /// A voter that fetches anything at all is there (RAFT-7).
    fn note_contact(&mut self, now: Instant, replica: Option<NodeId>) {
        let again = now + self.half_fetch_timeout();
        let Role::Leader(leading) = &mut self.role else { return };
        let voter = replica.and_then(|node| leading.voters.get_mut(&node));
        if let Some(voter) = voter {
            voter.fetched_at = now;
            voter.begin.postpone(again);
        }
    }

    /// Hands out a part of a snapshot.
    pub(crate) fn on_fetch_snapshot(
        &mut self,
        now: Instant,
        token: ReplyToken,
        request: &FetchSnapshotRequest,
    ) {
        let Some(wanted) = messages::read_fetch_snapshot(request) else {
            let answer = Err(ErrorCode::InvalidRequest);
            let response =
                messages::fetch_snapshot_response(self.leadership(), None, answer);
            return self.reply(token, response);
        };
        let answer = match self.check_fetcher(wanted.epoch) {
            Some(error) => Err(error),
            None => match self.snapshots.get(wanted.id) {
                None => Err(ErrorCode::SnapshotNotFound),
                Some(bytes) => {
                    chunk(bytes, wanted.position, wanted.max_bytes, &self.config)
                }
            },
        };
        if answer.is_ok() {
            self.note_contact(now, wanted.replica);
            self.mark(Rule::Raft6);
        }
        let id = Some(wanted.id);
        let response = messages::fetch_snapshot_response(self.leadership(), id, answer);
        self.reply(token, response);
    }

    /// Answers every fetch that has something to read, something to learn, or no time left
    /// (REP-18, KIP-1166).
    pub(super) fn answer_parked(&mut self, now: Instant) {
        let (end, high_watermark) = (self.log.end_offset(), self.known_high_watermark());
        let start = self.log.start_offset();
        let Role::Leader(leading) = &mut self.role else { return };
        let ready = |parked: &mut Parked| {
            parked.end < end
                || parked.high_watermark < high_watermark
                || parked.until <= now
        };
        for parked in leading.parked.extract_if(.., ready).collect::<Vec<_>>() {
            let limit = usize::try_from(self.config.fetch_max_bytes).unwrap_or(0);
            let snapshot = self.snapshots.latest().filter(|_| parked.end < start);
            if let Some(id) = snapshot {
                self.answer_fetch(parked.token, Fetched::Snapshot(id));
                continue;
            }
            let fetched = match self.log.read(parked.end, end, limit) {
                Ok(read) => Fetched::Records(read.to_bytes()),
                Err(outside) => Fetched::Refused(outside.error_code()),
            };
            self.answer_fetch(parked.token, fetched);
        }
    }

    pub(super) fn refuse_fetch(&mut self, token: ReplyToken, error: ErrorCode) {
        self.answer_fetch(token, Fetched::Refused(error));
    }

    fn answer_fetch(&mut self, token: ReplyToken, fetched: Fetched) {
        let leader = self.leader().filter(|_| matches!(fetched, Fetched::Refused(_)));
        let answer = FetchAnswer {
            leader_at: leader.and_then(|leader| self.endpoint(leader).cloned()),
            leadership: self.leadership(),
            high_watermark: self.known_high_watermark(),
            log_start: self.log.start_offset(),
            fetched,
        };
        self.reply(token, messages::fetch_response(answer));
    }
}

/// The bytes of a snapshot from `position` on, as many as are asked for and allowed.
fn chunk(
    bytes: &Bytes,
    position: i64,
    max_bytes: i32,
    config: &crate::QuorumConfig,
) -> Result<Chunk, ErrorCode> {
    let at = usize::try_from(position).ok().filter(|at| *at < bytes.len());
    let at = at.ok_or(ErrorCode::PositionOutOfRange)?;
    let most = usize::try_from(max_bytes.min(config.fetch_max_bytes)).unwrap_or(0).max(1);
    let end = bytes.len().min(at + most);
    Ok(Chunk { size: bytes.len() as i64, position, bytes: bytes.slice(at..end) })
}
