//! The consumer: holds a position in each of its partitions and fetches from their leaders,
//! or from a replica that is nearer (GRP-15, REP-18; KIP-320, KIP-392).
//!
//! One fetch per broker is under way at a time, for all partitions that are read from it;
//! the next one leaves as soon as records are handed on. Whenever a leader changes, it is
//! asked whether its log is the one that was read, before anything is fetched from it.
//! Partitions are assigned by hand ([`Consumer::assign`]) or by the group
//! ([`Consumer::subscribe`]).

mod application;
mod commits;
mod committed;
mod coordinator;
mod fetch;
mod group;
mod membership;
mod offsets;
mod poll;
mod position;

use std::collections::{BTreeMap, BTreeSet};

use topomotion_wire::messages::ResponseKind;
use topomotion_wire::{
    ClientDeed, Endpoint, ErrorCode, Input, Instant, LeaderEpoch, Machine, MetadataCause,
    NodeId, Offset, Output, PositionCause, TopicPartition,
};

use crate::cluster::{Cluster, ClusterEvent};
use crate::errors::means_stale_metadata;
use crate::{ConsumerConfig, OffsetReset};

use application::Application;
use group::Group;
use membership::Ask;
use position::{Asking, Assigned, Flow, Goal, Position};

pub use position::Stop;

/// Why a request was sent.
#[derive(Debug, Clone)]
enum Errand {
    /// From these offsets, of a broker that is the leader or a nearer replica.
    Fetch { from: NodeId, asked: Vec<(TopicPartition, Offset)> },
    /// What each looks for.
    ListOffsets(Vec<(TopicPartition, Goal)>),
    /// Whether the log is the same up to these places.
    Validate(Vec<(TopicPartition, Offset, LeaderEpoch)>),
    /// Who coordinates the group.
    FindCoordinator,
    /// What concerns the membership.
    Membership(Ask),
    /// To commit: the commit's number.
    Commit(u64),
    /// Where the group left off in these.
    Committed(Vec<TopicPartition>),
}

/// Whether the application still reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Open,
    /// Closes: what is handed on is committed, if possible.
    Committing {
        until: Instant,
    },
    /// Closes: the coordinator is told.
    Leaving {
        until: Instant,
    },
    /// The connections are closed.
    Closed,
}

/// What a leader is to be asked now.
#[derive(Debug, Default)]
struct Wanted {
    fetches: BTreeMap<NodeId, Vec<TopicPartition>>,
    lists: BTreeMap<NodeId, Vec<TopicPartition>>,
    doubts: BTreeMap<NodeId, Vec<TopicPartition>>,
}

/// Fetches records.
#[derive(Debug, Clone)]
pub struct Consumer {
    config: ConsumerConfig,
    cluster: Cluster<Errand>,
    assigned: BTreeMap<TopicPartition, Assigned>,
    /// Brokers that have a fetch of ours.
    fetching: BTreeSet<NodeId>,
    /// The metadata that the positions have been held against.
    metadata_version: u64,
    application: Application,
    group: Option<Box<Group>>,
    life: Life,
}

impl Consumer {
    /// A consumer without any partition.
    pub fn new(config: ConsumerConfig) -> Consumer {
        Consumer {
            cluster: Cluster::new(config.common.clone()),
            group: config
                .group
                .as_ref()
                .map(|group| Box::new(Group::new(group, &config.common))),
            application: Application::default(),
            life: Life::Open,
            config,
            assigned: BTreeMap::new(),
            fetching: BTreeSet::new(),
            metadata_version: 0,
        }
    }

    /// Takes exactly these partitions; those it had before keep their positions. New ones
    /// start where the group left off, if there is a group, or else where
    /// `auto.offset.reset` says; see [`Consumer::stopped`] for `none`.
    pub fn assign(
        &mut self,
        now: Instant,
        partitions: impl IntoIterator<Item = TopicPartition>,
    ) {
        let mut before = std::mem::take(&mut self.assigned);
        for partition in partitions {
            self.cluster.metadata.follow(now, &partition.topic);
            if let Some(kept) = before.remove(&partition) {
                self.assigned.insert(partition, kept);
                continue;
            }
            let fresh = Assigned::new(Position::Unset(Asking::Idle));
            self.assigned.insert(partition.clone(), fresh);
            if self.group.is_none() {
                self.begin_without(&partition);
            }
        }
        self.drive(now);
    }

    /// Goes to an offset of an assigned partition; nothing happens for another one.
    pub fn seek(&mut self, now: Instant, partition: &TopicPartition, to: Offset) {
        let leader = self.known_epoch(partition);
        if let Some(assigned) = self.assigned.get_mut(partition) {
            let epoch = LeaderEpoch(-1);
            assigned.go(Position::At { next: to, epoch, leader });
            let cause = PositionCause::Seek;
            let deed = ClientDeed::Positioned { at: to, cause };
            self.cluster.deed(Some(partition), deed);
            self.drive(now);
        }
    }

    /// Goes to the beginning or the end of an assigned partition, wherever that is. `None`
    /// is neither, and changes nothing.
    pub fn seek_to(&mut self, now: Instant, partition: &TopicPartition, to: OffsetReset) {
        if let Some(goal) = Goal::of(to) {
            self.look_for(now, partition, goal);
        }
    }

    /// Goes to the first record that is not older than this Unix time in ms; to the end if
    /// there is none.
    pub fn seek_to_time(&mut self, now: Instant, partition: &TopicPartition, ms: i64) {
        // Below zero are the names of places, not times.
        self.look_for(now, partition, Goal::Time(ms.max(0)));
    }

    fn look_for(&mut self, now: Instant, partition: &TopicPartition, goal: Goal) {
        if let Some(assigned) = self.assigned.get_mut(partition) {
            assigned.go(Position::sought(goal));
            self.drive(now);
        }
    }

    /// Hands on nothing more of these partitions; their positions stay, and so does what
    /// comes in for them meanwhile.
    pub fn pause(&mut self, partitions: impl IntoIterator<Item = TopicPartition>) {
        for partition in partitions {
            if let Some(assigned) = self.assigned.get_mut(&partition)
                && assigned.flow == Flow::Running
            {
                assigned.flow = Flow::Paused;
            }
        }
    }

    /// Hands on records of these partitions again.
    pub fn resume(
        &mut self,
        now: Instant,
        partitions: impl IntoIterator<Item = TopicPartition>,
    ) {
        for partition in partitions {
            let Some(assigned) = self.assigned.get_mut(&partition) else { continue };
            if assigned.flow == Flow::Paused {
                assigned.flow = Flow::Running;
                self.application.wait(&partition);
            }
        }
        self.drive(now);
    }

    /// The next offset to read of an assigned partition, once it is known.
    pub fn position(&self, partition: &TopicPartition) -> Option<Offset> {
        self.assigned.get(partition)?.position.next()
    }

    /// Why a partition is not read until the application seeks.
    pub fn stopped(&self, partition: &TopicPartition) -> Option<Stop> {
        match self.assigned.get(partition)?.position {
            Position::Stopped(stop) => Some(stop),
            Position::Unset(_)
            | Position::Sought { .. }
            | Position::Doubted { .. }
            | Position::At { .. } => None,
        }
    }

    fn drive(&mut self, now: Instant) {
        self.drive_once(now);
        // What cannot be sent at all is known at once.
        while self.cluster.has_events() {
            self.drive_once(now);
        }
    }

    fn drive_once(&mut self, now: Instant) {
        if self.life == Life::Closed {
            while self.cluster.next_event().is_some() {}
            return;
        }
        while let Some(event) = self.cluster.next_event() {
            match event {
                ClusterEvent::Answered { errand, body } => {
                    self.answered(now, errand, &body);
                }
                ClusterEvent::Lost { errand } => self.lost(now, errand),
                ClusterEvent::Unsupported { errand } => self.unsupported(now, errand),
            }
        }
        self.cluster.drive(now);
        self.drive_group(now);
        if self.life != Life::Open {
            return self.hang_up_if_done();
        }
        self.hand_on(now);
        self.face_new_leaders();
        self.dispatch(now);
        self.cluster.drive(now);
    }

    fn answered(&mut self, now: Instant, errand: Errand, body: &ResponseKind) {
        match errand {
            Errand::Fetch { from, asked } => {
                self.fetching.remove(&from);
                self.fetched(now, from, &asked, body);
            }
            Errand::ListOffsets(asked) => self.listed(now, &asked, body),
            Errand::Validate(asked) => self.validated(now, &asked, body),
            Errand::FindCoordinator
            | Errand::Membership(_)
            | Errand::Commit(_)
            | Errand::Committed(_) => self.answered_by_coordinator(now, errand, Ok(body)),
        }
    }

    /// The coordinator answered, or did not.
    fn answered_by_coordinator(
        &mut self,
        now: Instant,
        errand: Errand,
        outcome: Result<&ResponseKind, ErrorCode>,
    ) {
        let Some(mut group) = self.group.take() else { return };
        match (errand, outcome) {
            (Errand::FindCoordinator, Ok(body)) => {
                self.coordinator_found(now, &mut group, body);
            }
            (Errand::FindCoordinator, Err(error)) => {
                self.coordinator_not_found(now, &mut group, error);
            }
            (Errand::Membership(ask), Ok(body)) => {
                self.membership_answered(now, &mut group, ask, body);
            }
            (Errand::Membership(_), Err(ErrorCode::UnsupportedVersion)) => {
                group.membership.bar(ErrorCode::UnsupportedVersion);
            }
            (Errand::Membership(ask), Err(_)) => {
                self.membership_lost(now, &mut group, ask);
            }
            (Errand::Commit(number), outcome) => {
                self.commit_answered(now, &mut group, number, outcome);
            }
            (Errand::Committed(asked), Ok(body)) => {
                self.committed(now, &mut group, &asked, body);
            }
            (Errand::Committed(asked), Err(error)) => {
                self.forget_coordinator(now, &mut group, error);
                asked.iter().for_each(|it| self.failed(now, it, error));
            }
            (Errand::Fetch { .. } | Errand::ListOffsets(_) | Errand::Validate(_), _) => {}
        }
        self.group = Some(group);
    }

    fn hang_up_if_done(&mut self) {
        if self.group.is_none() {
            self.life = Life::Closed;
        }
        if self.life == Life::Closed {
            self.assigned.clear();
            self.cluster.hang_up();
        }
    }

    fn lost(&mut self, now: Instant, errand: Errand) {
        let error = ErrorCode::NetworkException;
        match errand {
            Errand::Fetch { from, asked } => {
                // The pause before dialling again is pause enough.
                self.fetching.remove(&from);
                for (partition, _) in asked {
                    self.back_to_leader(&partition);
                }
            }
            Errand::ListOffsets(asked) => {
                asked
                    .iter()
                    .for_each(|(partition, _)| self.failed(now, partition, error));
            }
            Errand::Validate(asked) => {
                asked.iter().for_each(|(partition, ..)| {
                    self.failed(now, partition, error);
                });
            }
            Errand::FindCoordinator
            | Errand::Membership(_)
            | Errand::Commit(_)
            | Errand::Committed(_) => {
                self.answered_by_coordinator(now, errand, Err(error));
            }
        }
    }

    fn unsupported(&mut self, now: Instant, errand: Errand) {
        let refused = Stop::Refused(ErrorCode::UnsupportedVersion);
        match errand {
            Errand::Fetch { from, asked } => {
                self.fetching.remove(&from);
                asked.iter().for_each(|(partition, _)| self.stop(partition, refused));
            }
            Errand::ListOffsets(asked) => {
                asked.iter().for_each(|(partition, _)| self.stop(partition, refused));
            }
            // An old broker cannot say; then the position is taken as good.
            Errand::Validate(asked) => {
                for (partition, next, epoch) in asked {
                    self.confirmed(&partition, next, epoch);
                }
            }
            Errand::FindCoordinator
            | Errand::Membership(_)
            | Errand::Commit(_)
            | Errand::Committed(_) => {
                let error = ErrorCode::UnsupportedVersion;
                self.answered_by_coordinator(now, errand, Err(error));
            }
        }
    }

    /// Holds every position against what is newly known of the leaders.
    fn face_new_leaders(&mut self) {
        let version = self.cluster.metadata.version();
        if std::mem::replace(&mut self.metadata_version, version) == version {
            return;
        }
        for (partition, assigned) in &mut self.assigned {
            let known = self.cluster.metadata.leadership(partition);
            let Some(known) = known.filter(|known| known.leader.is_some()) else {
                continue;
            };
            let position = assigned.position.under(known.epoch);
            if position != assigned.position {
                // Whoever waited for a new leader waits no longer.
                (assigned.position, assigned.pause) = (position, None);
                (assigned.nearer, assigned.held) = (None, None);
            }
        }
    }

    /// Asks every broker for what is wanted from it.
    fn dispatch(&mut self, now: Instant) {
        let wanted = self.wanted(now);
        for (node, partitions) in wanted.lists {
            if let Some(to) = self.reachable(now, node) {
                self.list_offsets(now, &to, partitions);
            }
        }
        for (node, partitions) in wanted.doubts {
            if let Some(to) = self.reachable(now, node) {
                self.validate(now, &to, partitions);
            }
        }
        for (node, partitions) in wanted.fetches {
            if let Some(to) = self.reachable(now, node) {
                self.fetch(now, &to, node, partitions);
            }
        }
    }

    fn wanted(&mut self, now: Instant) -> Wanted {
        let mut wanted = Wanted::default();
        let mut leaderless = false;
        let mut strayed = Vec::new();
        for (partition, assigned) in &self.assigned {
            let (goes_to, is_fetch) = match assigned.position {
                Position::Sought { asking: Asking::Idle, .. } => {
                    (&mut wanted.lists, false)
                }
                Position::Doubted { asking: Asking::Idle, .. } => {
                    (&mut wanted.doubts, false)
                }
                Position::At { .. } => (&mut wanted.fetches, true),
                Position::Unset(_)
                | Position::Sought { .. }
                | Position::Doubted { .. }
                | Position::Stopped(_) => continue,
            };
            if assigned.is_resting(now) || is_fetch && !assigned.is_fetchable(now) {
                continue;
            }
            let leader = self.cluster.metadata.leadership(partition);
            let Some(leader) = leader.and_then(|known| known.leader) else {
                leaderless = true;
                continue;
            };
            let nearer = assigned.nearer.filter(|_| is_fetch);
            let node = match nearer {
                Some((node, until)) if until > now && self.knows(node) => node,
                Some(_) => {
                    strayed.push(partition.clone());
                    leader
                }
                None => leader,
            };
            if is_fetch && self.fetching.contains(&node) {
                continue;
            }
            if !self.knows(node) {
                leaderless = true;
                continue;
            }
            goes_to.entry(node).or_default().push(partition.clone());
        }
        if leaderless {
            self.cluster.metadata.want(MetadataCause::NoLeader);
        }
        strayed.iter().for_each(|partition| self.back_to_leader(partition));
        wanted
    }

    fn knows(&self, node: NodeId) -> bool {
        self.cluster.metadata.endpoint(node).is_some()
    }

    /// Where a node listens, if requests can be sent there now.
    fn reachable(&mut self, now: Instant, node: NodeId) -> Option<Endpoint> {
        let to = self.cluster.metadata.endpoint(node)?.clone();
        self.cluster.ready(now, &to).then_some(to)
    }

    fn known_epoch(&self, partition: &TopicPartition) -> LeaderEpoch {
        let known = self.cluster.metadata.leadership(partition);
        known.map_or(LeaderEpoch(-1), |known| known.epoch)
    }

    /// The nearer replica is believed no longer.
    fn back_to_leader(&mut self, partition: &TopicPartition) {
        let assigned = self.assigned.get_mut(partition);
        if assigned.is_some_and(|assigned| assigned.nearer.take().is_some()) {
            self.cluster.deed(Some(partition), ClientDeed::ReadsFromLeader);
        }
    }

    /// Leaves a partition alone until the application says where to go on.
    fn stop(&mut self, partition: &TopicPartition, why: Stop) {
        let Some(assigned) = self.assigned.get_mut(partition) else { return };
        assigned.go(Position::Stopped(why));
        let error = match why {
            Stop::Refused(error) => error,
            Stop::NoOffset | Stop::OutOfRange(_) | Stop::Truncated { .. } => {
                ErrorCode::OffsetOutOfRange
            }
        };
        self.cluster.deed(Some(partition), ClientDeed::Stopped { error });
    }

    /// Tries again after a pause.
    fn failed(&mut self, now: Instant, partition: &TopicPartition, error: ErrorCode) {
        if means_stale_metadata(error) || error == ErrorCode::OffsetNotAvailable {
            self.cluster.doubt(error);
            self.back_to_leader(partition);
        }
        let Some(assigned) = self.assigned.get_mut(partition) else { return };
        assigned.failures = assigned.failures.saturating_add(1);
        assigned.pause = Some(now + self.cluster.backoff(assigned.failures));
        assigned.position = assigned.position.unasked();
    }
}

impl Machine for Consumer {
    fn handle(&mut self, now: Instant, input: Input) {
        self.cluster.handle(now, input);
        self.drive(now);
    }

    fn tick(&mut self, now: Instant) {
        self.cluster.tick(now);
        self.drive(now);
    }

    fn poll(&mut self) -> Option<Output> {
        self.cluster.poll()
    }

    fn deadline(&self) -> Option<Instant> {
        if self.life == Life::Closed {
            return None;
        }
        let now = self.cluster.now();
        let pauses = self.assigned.values().filter_map(|assigned| assigned.pause);
        let pauses = pauses.filter(|pause| *pause > now);
        let dues = [
            pauses.min(),
            self.cluster.deadline(),
            self.group_deadline(now),
            self.application.deadline(now),
        ];
        dues.into_iter().flatten().min()
    }
}
