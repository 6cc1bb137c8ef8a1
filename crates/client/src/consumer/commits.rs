//! Commits: what the application has been handed, told to the coordinator (GRP-6).
//!
//! A commit that the application waits for is tried again until `default.api.timeout.ms`;
//! one that nobody waits for is tried once, as in Kafka: a later one makes up for it.

use std::collections::BTreeMap;

use topomotion_wire::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use topomotion_wire::messages::{
    GroupId, OffsetCommitRequest, RequestKind, ResponseKind,
};
use topomotion_wire::{ErrorCode, Fact, Instant, LeaderEpoch, Offset, TopicPartition};

use super::group::Group;
use super::position::Position;
use super::{Consumer, Errand};
use crate::errors::{error_of, is_retriable};
use crate::metadata::{text, topic_name};
use crate::network::Route;
use crate::{Commits, GroupMetadata, GroupProtocol};

/// The next offset of a partition, and the epoch of the last record before it.
pub(super) type Offsets = BTreeMap<TopicPartition, (Offset, LeaderEpoch)>;

/// Who waits for a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiter {
    /// Nobody: `commitAsync()`.
    Nobody,
    /// The clock of `enable.auto.commit`.
    Clock,
    /// The application: `commitSync()`.
    Application,
    /// The member, before it joins again.
    Rejoin,
    /// The consumer, before it closes.
    Close,
}

/// How far a commit is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    /// To be sent, not before.
    Waiting(Instant),
    /// Sent, as this member.
    UnderWay(GroupMetadata),
}

#[derive(Debug, Clone)]
struct Commit {
    number: u64,
    offsets: Offsets,
    waiter: Waiter,
    stage: Stage,
    failures: u32,
    /// Not tried again after.
    until: Instant,
}

/// Commits without a verdict.
#[derive(Debug, Clone, Default)]
pub(super) struct Ledger {
    commits: Vec<Commit>,
    numbers: u64,
}

impl Commit {
    fn is_due(&self, now: Instant) -> bool {
        matches!(self.stage, Stage::Waiting(from) if from <= now)
    }
}

impl Ledger {
    /// Takes out one that has waited too long to be sent.
    fn expired(&mut self, now: Instant) -> Option<Commit> {
        let is_late =
            |it: &Commit| matches!(it.stage, Stage::Waiting(_)) && it.until <= now;
        let at = self.commits.iter().position(is_late)?;
        Some(self.commits.remove(at))
    }

    /// Takes out one that is not under way.
    fn waiting(&mut self) -> Option<Commit> {
        let is_waiting = |it: &Commit| matches!(it.stage, Stage::Waiting(_));
        let at = self.commits.iter().position(is_waiting)?;
        Some(self.commits.remove(at))
    }

    pub fn is_empty(&self) -> bool {
        self.commits.is_empty()
    }

    pub fn awaits(&self, waiter: Waiter) -> bool {
        self.commits.iter().any(|commit| commit.waiter == waiter)
    }

    pub fn push(
        &mut self,
        now: Instant,
        until: Instant,
        waiter: Waiter,
        offsets: Offsets,
    ) {
        let (number, stage) = (self.numbers, Stage::Waiting(now));
        self.numbers += 1;
        self.commits.push(Commit { number, offsets, waiter, stage, failures: 0, until });
    }

    /// When the next one is to be sent, or is given up.
    pub fn deadline(&self, now: Instant) -> Option<Instant> {
        let dues = self.commits.iter().filter_map(|commit| match commit.stage {
            Stage::Waiting(from) if from > now => Some(from),
            Stage::Waiting(_) => Some(commit.until),
            Stage::UnderWay(_) => None,
        });
        dues.filter(|due| *due > now).min()
    }
}

impl Consumer {
    /// Commits everything that was handed on, and tries again until it is known how that
    /// went (`commitSync`). Nothing happens without a group.
    pub fn commit(&mut self, now: Instant) {
        self.commit_as(now, Waiter::Application, None);
    }

    /// The same, tried once (`commitAsync`).
    pub fn commit_async(&mut self, now: Instant) {
        self.commit_as(now, Waiter::Nobody, None);
    }

    /// Commits these offsets: of each partition the next one to read.
    pub fn commit_offsets(
        &mut self,
        now: Instant,
        offsets: BTreeMap<TopicPartition, Offset>,
    ) {
        let offsets = offsets.into_iter().map(|(partition, offset)| {
            let epoch = match self.assigned.get(&partition).map(|it| it.position) {
                Some(Position::At { next, epoch, .. }) if next == offset => epoch,
                _ => LeaderEpoch(-1),
            };
            (partition, (offset, epoch))
        });
        let offsets = offsets.collect();
        self.commit_as(now, Waiter::Application, Some(offsets));
    }

    fn commit_as(&mut self, now: Instant, waiter: Waiter, offsets: Option<Offsets>) {
        let offsets = offsets.unwrap_or_else(|| self.consumed());
        let Some(group) = &mut self.group else { return };
        if !offsets.is_empty() {
            let until = now + group.config.api_timeout;
            group.ledger.push(now, until, waiter, offsets);
            self.drive(now);
        }
    }

    /// Where the application is in each partition.
    pub(super) fn consumed(&self) -> Offsets {
        let consumed = self.assigned.iter().filter_map(|(partition, assigned)| {
            match assigned.position {
                Position::At { next, epoch, .. } => {
                    Some((partition.clone(), (next, epoch)))
                }
                Position::Unset(_)
                | Position::Sought { .. }
                | Position::Doubted { .. }
                | Position::Stopped(_) => None,
            }
        });
        consumed.collect()
    }

    /// Inside the poll: commits what earlier polls handed on, once it is time.
    pub(super) fn commit_by_clock(&mut self, now: Instant, group: &mut Group) {
        let Commits::Auto { interval } = group.config.commits else { return };
        let may = group.is_subscribed() && group.membership.standing().is_ok();
        let is_due = group.next_commit <= now && self.application.is_polling(now);
        if !may || !is_due || group.ledger.awaits(Waiter::Clock) {
            return;
        }
        group.next_commit = now + interval;
        let offsets = self.consumed();
        if !offsets.is_empty() {
            group.ledger.push(now, now + interval, Waiter::Clock, offsets);
        }
    }

    /// Sends what is to be sent; gives up what has waited too long.
    pub(super) fn send_commits(
        &mut self,
        now: Instant,
        group: &mut Group,
        route: Option<&Route>,
    ) {
        while let Some(commit) = group.ledger.expired(now) {
            self.conclude(now, group, commit, Some(ErrorCode::RequestTimedOut));
        }
        match group.sender() {
            Err(error) => {
                // Who is no member cannot commit: the application is told at once.
                while let Some(commit) = group.ledger.waiting() {
                    self.conclude(now, group, commit, Some(error));
                }
            }
            Ok(member) => {
                for commit in &mut group.ledger.commits {
                    let Some(route) = route.filter(|_| commit.is_due(now)) else {
                        continue;
                    };
                    let body =
                        RequestKind::OffsetCommit(request(&member, &commit.offsets));
                    commit.stage = Stage::UnderWay(member.clone());
                    self.cluster.send(now, route, body, Errand::Commit(commit.number));
                }
            }
        }
    }

    pub(super) fn commit_answered(
        &mut self,
        now: Instant,
        group: &mut Group,
        number: u64,
        outcome: Result<&ResponseKind, ErrorCode>,
    ) {
        let commits = &group.ledger.commits;
        let Some(at) = commits.iter().position(|it| it.number == number) else { return };
        let mut commit = group.ledger.commits.remove(at);
        let error = match outcome {
            Ok(body) => first_error(body),
            Err(error) => Some(error),
        };
        let Some(error) = error else {
            group.finder.confirm();
            return self.conclude(now, group, commit, None);
        };
        self.heed(now, group, error, &commit.stage);
        let pause = self.cluster.backoff(commit.failures.saturating_add(1));
        let is_awaited = match commit.waiter {
            Waiter::Rejoin => !is_of_the_past(error, group.config.protocol),
            Waiter::Application | Waiter::Close => true,
            Waiter::Nobody | Waiter::Clock => false,
        };
        if is_awaited && may_pass(error) && now + pause < commit.until {
            commit.failures += 1;
            commit.stage = Stage::Waiting(now + pause);
            group.ledger.commits.push(commit);
        } else {
            if commit.waiter == Waiter::Clock && may_pass(error) {
                group.next_commit = now + pause;
            }
            self.conclude(now, group, commit, Some(error));
        }
    }

    /// What the error means for the membership.
    fn heed(&mut self, now: Instant, group: &mut Group, error: ErrorCode, stage: &Stage) {
        match error {
            ErrorCode::NotCoordinator
            | ErrorCode::CoordinatorNotAvailable
            | ErrorCode::RequestTimedOut
            | ErrorCode::NetworkException => self.forget_coordinator(now, group, error),
            ErrorCode::UnknownMemberId
            | ErrorCode::IllegalGeneration
            | ErrorCode::FencedInstanceId
            | ErrorCode::FencedMemberEpoch
            | ErrorCode::RebalanceInProgress
                // An answer to who it was says nothing of who it is.
                if *stage == Stage::UnderWay(group.membership.metadata()) => {
                    group.membership.refused(error);
                }
            _ => {}
        }
    }

    fn conclude(
        &mut self,
        now: Instant,
        group: &mut Group,
        commit: Commit,
        error: Option<ErrorCode>,
    ) {
        let offsets = commit.offsets.into_iter();
        self.cluster.fact(Fact::CommitAnswered {
            group: group.config.id.clone(),
            offsets: offsets.map(|(partition, (next, _))| (partition, next)).collect(),
            error,
        });
        if commit.waiter == Waiter::Rejoin {
            group.membership.prepared(now);
        }
    }
}

/// Whether the same commit may succeed later.
fn may_pass(error: ErrorCode) -> bool {
    error == ErrorCode::StaleMemberEpoch || is_retriable(error)
}

/// Whether what is to be given up was deleted. KIP-848's client lets it go at once: who tried
/// until its time was up would be put out of its group for a topic that is no more.
fn is_of_the_past(error: ErrorCode, protocol: GroupProtocol) -> bool {
    let is_deleted =
        matches!(error, ErrorCode::UnknownTopicOrPartition | ErrorCode::UnknownTopicId);
    is_deleted && protocol == GroupProtocol::Consumer
}

fn first_error(body: &ResponseKind) -> Option<ErrorCode> {
    let ResponseKind::OffsetCommit(response) = body else {
        return Some(ErrorCode::UnknownServerError);
    };
    let partitions = response.topics.iter().flat_map(|topic| &topic.partitions);
    partitions.filter_map(|told| error_of(told.error_code)).next()
}

fn request(member: &GroupMetadata, offsets: &Offsets) -> OffsetCommitRequest {
    let mut request = OffsetCommitRequest::default();
    request.group_id = GroupId(text(&member.group));
    request.generation_id_or_member_epoch = member.generation;
    request.member_id = text(&member.member);
    request.group_instance_id = member.instance.as_deref().map(text);
    for (partition, (next, epoch)) in offsets {
        let name = topic_name(&partition.topic);
        if request.topics.last().is_none_or(|topic| topic.name != name) {
            let mut topic = OffsetCommitRequestTopic::default();
            topic.name = name;
            request.topics.push(topic);
        }
        let mut wanted = OffsetCommitRequestPartition::default();
        wanted.partition_index = partition.partition;
        wanted.committed_offset = next.0;
        wanted.committed_leader_epoch = epoch.0;
        wanted.committed_metadata = Some(text(""));
        if let Some(topic) = request.topics.last_mut() {
            topic.partitions.push(wanted);
        }
    }
    request
}
