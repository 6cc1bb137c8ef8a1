//! A member of a classic group that is no consumer: Connect's workers share their tasks so.
//!
//! The coordinator looks neither into what members say when they join nor into what the
//! leader gives them: both are bytes. Whoever drives a member divides when it is the leader,
//! and is told what its share is, and when it is its own no more. While the others join,
//! everybody goes on with what they have (KIP-415).
//!
//! ```text
//!   find the coordinator ─► JoinGroup ─► (the leader divides) ─► SyncGroup ─► Heartbeat …
//!          ▲                    ▲───────── REBALANCE_IN_PROGRESS ────────────────┘
//! ```

use std::collections::VecDeque;
use std::sync::Arc;

use topomotion_wire::messages::join_group_request::JoinGroupRequestProtocol;
use topomotion_wire::messages::leave_group_request::MemberIdentity;
use topomotion_wire::messages::sync_group_request::SyncGroupRequestAssignment;
use topomotion_wire::messages::{
    FindCoordinatorRequest, GroupId, HeartbeatRequest, JoinGroupRequest,
    JoinGroupResponse, LeaveGroupRequest, RequestKind, ResponseKind, SyncGroupRequest,
};
use topomotion_wire::{
    Bytes, Duration, Endpoint, ErrorCode, Input, Instant, Machine, Output, StrBytes,
};

use crate::CommonConfig;
use crate::cluster::{Cluster, ClusterEvent};
use crate::errors::error_of;
use crate::metadata::text;
use crate::network::Route;

/// A member's settings, under the names that Connect has for them.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerGroupConfig {
    /// What every client needs.
    pub common: CommonConfig,
    /// `group.id`.
    pub group: Arc<str>,
    /// What kind of group it is: `connect`. A group takes members of one kind only.
    pub protocol_type: Arc<str>,
    /// How the leader divides; all members must know it.
    pub protocol: Arc<str>,
    /// What the leader learns about this member.
    pub metadata: Bytes,
    /// `session.timeout.ms`.
    pub session_timeout: Duration,
    /// `heartbeat.interval.ms`.
    pub heartbeat_interval: Duration,
    /// `rebalance.timeout.ms`.
    pub rebalance_timeout: Duration,
}

impl WorkerGroupConfig {
    /// Connect's defaults.
    pub fn connect(
        common: CommonConfig,
        group: impl Into<Arc<str>>,
    ) -> WorkerGroupConfig {
        WorkerGroupConfig {
            common,
            group: group.into(),
            protocol_type: "connect".into(),
            protocol: "default".into(),
            metadata: Bytes::new(),
            session_timeout: Duration::from_millis(10_000),
            heartbeat_interval: Duration::from_millis(3_000),
            rebalance_timeout: Duration::from_millis(60_000),
        }
    }
}

/// What became of the membership.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WorkerEvent {
    /// It leads: [`WorkerGroup::divide`] must be called, with a share for each of these.
    Elected {
        /// Members by id, and what each said of itself.
        members: Vec<(Arc<str>, Bytes)>,
    },
    /// The group goes on without it: what it had is its own no more.
    Lost,
    /// This is its share.
    Assigned {
        /// Of which generation.
        generation: i32,
        /// As the leader wrote it; empty for nothing.
        share: Bytes,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// Wants to join.
    Outside,
    /// A request is under way; in `Joining` and `Syncing` its answer is awaited.
    Joining,
    /// The driver divides.
    Dividing,
    Syncing,
    /// Has its share.
    Stable,
    /// Left.
    Gone,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Errand {
    Find,
    Join,
    Sync,
    Heartbeat,
    Leave,
}

/// A member.
#[derive(Debug, Clone)]
pub struct WorkerGroup {
    config: WorkerGroupConfig,
    cluster: Cluster<Errand>,
    coordinator: Option<Route>,
    is_finding: bool,
    phase: Phase,
    member: StrBytes,
    generation: i32,
    /// The next heartbeat.
    beat: Option<Instant>,
    is_beating: bool,
    /// When the coordinator was last heard.
    heard: Instant,
    pause: Option<Instant>,
    failures: u32,
    events: VecDeque<WorkerEvent>,
}

/// What a join may take longer than the rebalance timeout.
const JOIN_GRACE: Duration = Duration::from_millis(5_000);

impl WorkerGroup {
    /// A member that wants to join.
    pub fn join(now: Instant, config: WorkerGroupConfig) -> WorkerGroup {
        let mut group = WorkerGroup {
            cluster: Cluster::new(config.common.clone()),
            config,
            coordinator: None,
            is_finding: false,
            phase: Phase::Outside,
            member: StrBytes::default(),
            generation: -1,
            beat: None,
            is_beating: false,
            heard: now,
            pause: None,
            failures: 0,
            events: VecDeque::new(),
        };
        group.drive(now);
        group
    }

    /// What happened next.
    pub fn take_event(&mut self) -> Option<WorkerEvent> {
        self.events.pop_front()
    }

    /// Whether it has its share.
    pub fn is_stable(&self) -> bool {
        self.phase == Phase::Stable
    }

    /// Its member id, once it has one.
    pub fn member(&self) -> &str {
        &self.member
    }

    /// The leader's shares by member id; nothing happens when it is not asked for them.
    pub fn divide(&mut self, now: Instant, shares: Vec<(Arc<str>, Bytes)>) {
        if self.phase != Phase::Dividing {
            return;
        }
        let shares = shares.into_iter().map(|(member, share)| {
            let mut assigned = SyncGroupRequestAssignment::default();
            (assigned.member_id, assigned.assignment) = (text(&member), share);
            assigned
        });
        self.sync(now, shares.collect());
        self.drive(now);
    }

    /// What the leader is to learn from now on.
    pub fn describe(&mut self, metadata: Bytes) {
        self.config.metadata = metadata;
    }

    /// Joins again: it has given something up that others can have now.
    pub fn ask_anew(&mut self, now: Instant) {
        self.rejoin();
        self.drive(now);
    }

    /// Leaves in good order.
    pub fn leave(&mut self, now: Instant) {
        if let Some(route) = self.coordinator.clone()
            && !self.member.is_empty()
            && self.cluster.ready(now, &route)
        {
            let mut identity = MemberIdentity::default();
            identity.member_id = self.member.clone();
            let mut request = LeaveGroupRequest::default();
            (request.group_id, request.members) = (self.group(), vec![identity]);
            let body = RequestKind::LeaveGroup(request);
            self.cluster.send(now, &route, body, Errand::Leave);
        }
        self.phase = Phase::Gone;
    }

    fn group(&self) -> GroupId {
        GroupId(text(&self.config.group))
    }

    fn drive(&mut self, now: Instant) {
        self.drive_once(now);
        while self.cluster.has_events() {
            self.drive_once(now);
        }
    }

    fn drive_once(&mut self, now: Instant) {
        while let Some(event) = self.cluster.next_event() {
            match event {
                ClusterEvent::Answered { errand, body } => {
                    self.answered(now, errand, &body);
                }
                ClusterEvent::Lost { errand } | ClusterEvent::Unsupported { errand } => {
                    self.lost(now, errand);
                }
            }
        }
        self.cluster.drive(now);
        self.expire(now);
        if self.phase == Phase::Gone || self.pause.is_some_and(|pause| pause > now) {
            return;
        }
        let Some(route) = self.route(now) else { return };
        match self.phase {
            Phase::Outside => self.ask_to_join(now, &route),
            Phase::Stable
                if self.beat.is_some_and(|beat| beat <= now) && !self.is_beating =>
            {
                let mut request = HeartbeatRequest::default();
                request.group_id = self.group();
                request.generation_id = self.generation;
                request.member_id = self.member.clone();
                self.is_beating = true;
                let body = RequestKind::Heartbeat(request);
                self.cluster.send(now, &route, body, Errand::Heartbeat);
            }
            _ => {}
        }
    }

    /// Where the coordinator is, if it can be asked now; looks for it otherwise.
    fn route(&mut self, now: Instant) -> Option<Route> {
        if let Some(route) = self.coordinator.clone() {
            if self.cluster.ready(now, &route) {
                return Some(route);
            }
            if self.cluster.usable(now, &route) {
                return None;
            }
            self.coordinator = None;
        }
        if self.is_finding {
            return None;
        }
        let candidates = self.cluster.metadata.candidates();
        let to = self.cluster.least_loaded(now, &candidates)?;
        if self.cluster.ready(now, &to) {
            let mut request = FindCoordinatorRequest::default();
            request.coordinator_keys = vec![text(&self.config.group)];
            self.is_finding = true;
            let body = RequestKind::FindCoordinator(request);
            self.cluster.send(now, &to, body, Errand::Find);
        }
        None
    }

    fn ask_to_join(&mut self, now: Instant, route: &Route) {
        let mut protocol = JoinGroupRequestProtocol::default();
        protocol.name = text(&self.config.protocol);
        protocol.metadata = self.config.metadata.clone();
        let mut request = JoinGroupRequest::default();
        request.group_id = self.group();
        request.session_timeout_ms = ms(self.config.session_timeout);
        request.rebalance_timeout_ms = ms(self.config.rebalance_timeout);
        request.member_id = self.member.clone();
        request.protocol_type = text(&self.config.protocol_type);
        request.protocols = vec![protocol];
        self.phase = Phase::Joining;
        let timeout = self.config.rebalance_timeout + JOIN_GRACE;
        let timeout = timeout.max(self.config.common.request_timeout);
        let body = RequestKind::JoinGroup(request);
        self.cluster.send_within(now, timeout, route, body, Errand::Join);
    }

    fn sync(&mut self, now: Instant, shares: Vec<SyncGroupRequestAssignment>) {
        let Some(route) = self.coordinator.clone() else { return self.rejoin() };
        if !self.cluster.ready(now, &route) {
            return self.rejoin();
        }
        let mut request = SyncGroupRequest::default();
        request.group_id = self.group();
        request.generation_id = self.generation;
        request.member_id = self.member.clone();
        request.protocol_type = Some(text(&self.config.protocol_type));
        request.protocol_name = Some(text(&self.config.protocol));
        request.assignments = shares;
        self.phase = Phase::Syncing;
        let timeout =
            self.config.rebalance_timeout.max(self.config.common.request_timeout);
        let body = RequestKind::SyncGroup(request);
        self.cluster.send_within(now, timeout, &route, body, Errand::Sync);
    }

    fn answered(&mut self, now: Instant, errand: Errand, body: &ResponseKind) {
        match (errand, body) {
            (Errand::Find, ResponseKind::FindCoordinator(response)) => {
                self.is_finding = false;
                let told = response.coordinators.first();
                let told = told.filter(|told| told.error_code == 0).and_then(|told| {
                    let port = u16::try_from(told.port).ok().filter(|port| *port > 0)?;
                    Some(Endpoint { host: told.host.as_str().into(), port })
                });
                match told {
                    Some(to) => self.coordinator = Some(Route::to_coordinator(to)),
                    None => self.rest(now),
                }
            }
            (Errand::Join, ResponseKind::JoinGroup(response)) => {
                self.joined(now, response);
            }
            (Errand::Sync, ResponseKind::SyncGroup(response)) => {
                match error_of(response.error_code) {
                    Some(error) => self.refused(now, error),
                    None if self.phase == Phase::Syncing => {
                        self.phase = Phase::Stable;
                        (self.failures, self.heard) = (0, now);
                        self.beat = Some(now + self.config.heartbeat_interval);
                        let generation = self.generation;
                        let share = response.assignment.clone();
                        self.events
                            .push_back(WorkerEvent::Assigned { generation, share });
                    }
                    None => {}
                }
            }
            (Errand::Heartbeat, ResponseKind::Heartbeat(response)) => {
                self.is_beating = false;
                self.beat = Some(now + self.config.heartbeat_interval);
                match error_of(response.error_code) {
                    Some(error) if self.phase == Phase::Stable => {
                        self.refused(now, error);
                    }
                    Some(_) => {}
                    None => self.heard = now,
                }
            }
            (errand, _) => self.lost(now, errand),
        }
    }

    fn joined(&mut self, now: Instant, response: &JoinGroupResponse) {
        match error_of(response.error_code) {
            // The id that it is to come back with.
            Some(ErrorCode::MemberIdRequired) => {
                self.member = response.member_id.clone();
                self.phase = Phase::Outside;
            }
            Some(error) => self.refused(now, error),
            None => {
                self.member = response.member_id.clone();
                self.generation = response.generation_id;
                self.heard = now;
                if response.leader != response.member_id {
                    return self.sync(now, Vec::new());
                }
                self.phase = Phase::Dividing;
                let members = response.members.iter();
                let members = members
                    .map(|it| (Arc::from(it.member_id.as_str()), it.metadata.clone()));
                let members = members.collect();
                self.events.push_back(WorkerEvent::Elected { members });
            }
        }
    }

    fn refused(&mut self, now: Instant, error: ErrorCode) {
        match error {
            ErrorCode::RebalanceInProgress => self.rejoin(),
            ErrorCode::UnknownMemberId => {
                self.member = StrBytes::default();
                self.lose();
            }
            ErrorCode::NotCoordinator | ErrorCode::CoordinatorNotAvailable => {
                self.coordinator = None;
                self.rest(now);
                // A heartbeat is sent again; the rest begins again.
                if self.phase != Phase::Stable {
                    self.rejoin();
                }
            }
            ErrorCode::IllegalGeneration => self.lose(),
            _ => {
                self.rest(now);
                self.rejoin();
            }
        }
    }

    /// What it had is its own no more; it joins again.
    fn lose(&mut self) {
        self.events.push_back(WorkerEvent::Lost);
        self.rejoin();
    }

    fn rejoin(&mut self) {
        if self.phase != Phase::Gone {
            self.phase = Phase::Outside;
        }
    }

    fn lost(&mut self, now: Instant, errand: Errand) {
        self.rest(now);
        match errand {
            Errand::Find => self.is_finding = false,
            Errand::Heartbeat => {
                (self.is_beating, self.coordinator) = (false, None);
            }
            Errand::Join | Errand::Sync => {
                self.coordinator = None;
                self.rejoin();
            }
            Errand::Leave => {}
        }
    }

    /// Nobody answers for a whole session: the others have divided without this one.
    fn expire(&mut self, now: Instant) {
        if self.phase == Phase::Stable && self.heard + self.config.session_timeout <= now
        {
            self.coordinator = None;
            self.lose();
        }
    }

    fn rest(&mut self, now: Instant) {
        self.failures = self.failures.saturating_add(1);
        self.pause = Some(now + self.cluster.backoff(self.failures));
    }
}

fn ms(span: Duration) -> i32 {
    i32::try_from(span.as_millis()).unwrap_or(i32::MAX)
}

impl Machine for WorkerGroup {
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
        let now = self.cluster.now();
        let later = |at: Option<Instant>| at.filter(|at| *at > now);
        let stable = self.phase == Phase::Stable;
        let session = stable.then(|| self.heard + self.config.session_timeout);
        let beat = self.beat.filter(|_| stable && !self.is_beating);
        let own = [later(self.pause), later(beat), later(session)];
        own.into_iter().flatten().chain(self.cluster.deadline()).min()
    }
}
