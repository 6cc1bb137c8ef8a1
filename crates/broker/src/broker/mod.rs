//! The broker half of a node: its replicas, and everything that waits for them.
//!
//! It begins to play its part once it has applied its own registration: what its disk knew of
//! the metadata before may be long out of date, and a broker that believed it could lead
//! partitions that have moved on. Until then clients' requests wait at the door.

mod clean_shutdown;
mod cleaning;
mod closing;
mod coordination;
mod deletes;
mod fetch_sessions;
mod fetcher;
mod fetches;
mod forwarding;
mod isr_changes;
mod leader_hints;
mod lifecycle;
mod markers;
mod produces;
mod replicas;
mod storage;
mod verification;

use std::collections::{BTreeMap, VecDeque};

use topomotion_log::{Log, LogConfig};
use topomotion_wire::messages::{
    AlterPartitionResponse, BrokerHeartbeatResponse, BrokerRegistrationResponse,
    FetchResponse, ListOffsetsResponse, OffsetForLeaderEpochResponse, ResponseKind,
};
use topomotion_wire::{
    DiskOp, Duration, Files, FlushToken, Instant, NodeId, Offset, Rule, TopicId,
    TopicPartition,
};

use closing::Closing;
use deletes::Deletes;
pub(crate) use deletes::{DelayedDelete, PendingDelete};
pub(crate) use fetch_sessions::{Naming, SessionUse, Wanted, Worth, refused};
use fetcher::{Fetcher, Fetching};
use fetches::Fetches;
pub(crate) use fetches::{
    DelayedFetch, Plan, Planned, PlannedTopic, Survey, Urgency, survey, tell,
};
use forwarding::Forwarding;
use isr_changes::{IsrChanges, Sender};
pub(crate) use leader_hints::in_produce as hint_at_leaders;
use lifecycle::{Lifecycle, Progress, Readiness};
use markers::Markers;
pub(crate) use markers::{DelayedMarkers, PendingMarker};
use produces::Produces;
pub(crate) use produces::{DelayedProduce, Pending};
pub(crate) use replicas::Replicas;
use storage::{Owner, Survivor};
use verification::Verifications;
pub(crate) use verification::{Question, Refused};

use crate::config::NodeConfig;
use crate::coordinators::{Coordinators, Creations};
use crate::metadata::Change;
use crate::net::{Asked, Call, Effects, RecoveryPoints, Ticket};
use crate::replica::{Replica, Site};
use crate::view::{BrokerStatus, ReplicaView};

/// A node's partitions, and what keeps them going.
#[derive(Debug, Clone)]
pub(crate) struct Broker {
    stage: Stage,
    lifecycle: Lifecycle,
    replicas: Replicas,
    survivors: BTreeMap<TopicPartition, Survivor>,
    produces: Produces,
    fetches: Fetches,
    deletes: Deletes,
    fetchers: BTreeMap<NodeId, Fetcher>,
    isr_changes: IsrChanges,
    forwarding: Forwarding,
    coordinators: Coordinators,
    /// Internal topics on their way.
    creations: Creations,
    markers: Markers,
    verifications: Verifications,
    /// When the high watermarks are to be written down.
    checkpoint_due: Option<Instant>,
    /// The last thing a broker does.
    closing: Option<Closing>,
    /// When old segments were last looked for.
    retention_checked: Instant,
    /// When logs were last looked at for compaction.
    cleaned_at: Instant,
}

#[derive(Debug, Clone)]
enum Stage {
    /// Has not applied its own registration yet; clients wait.
    Starting(VecDeque<Call>),
    Serving,
}

/// Where a broker stands in the cluster at the moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing<'a> {
    pub(crate) site: Site<'a>,
    pub(crate) config: &'a NodeConfig,
    pub(crate) controller: Option<NodeId>,
    /// The next metadata offset to apply.
    pub(crate) applied: Offset,
}

impl Broker {
    /// A broker with what survived on its disk.
    pub(crate) fn start(now: Instant, files: &Files, effects: &mut Effects) -> Broker {
        let mut survivors = storage::recover(files);
        for survivor in survivors.values_mut() {
            while let Some(op) = survivor.log.poll_disk() {
                if let DiskOp::Replace { file, .. } | DiskOp::Append { file, .. } = &op {
                    survivor.files.push(file.clone());
                }
                effects.disk(op);
            }
        }
        let clean = clean_shutdown::take(files);
        let previous = clean.map(|(epoch, delete)| {
            effects.disk(delete);
            epoch
        });
        Broker {
            stage: Stage::Starting(VecDeque::new()),
            lifecycle: Lifecycle::new(now, previous),
            replicas: Replicas::default(),
            survivors,
            produces: Produces::default(),
            fetches: Fetches::default(),
            deletes: Deletes::default(),
            fetchers: BTreeMap::new(),
            isr_changes: IsrChanges::default(),
            forwarding: Forwarding::default(),
            coordinators: Coordinators::default(),
            creations: Creations::default(),
            markers: Markers::default(),
            verifications: Verifications::default(),
            checkpoint_due: None,
            closing: None,
            retention_checked: now,
            cleaned_at: now,
        }
    }

    /// Takes a client's request, or lets it wait while the broker starts.
    pub(crate) fn admit(&mut self, call: Call) -> Option<Call> {
        match &mut self.stage {
            Stage::Starting(waiting) => {
                waiting.push_back(call);
                None
            }
            Stage::Serving => Some(call),
        }
    }

    /// Metadata was applied: plays the parts that it gives (CTL-14). Returns the requests that
    /// have waited for the broker to start.
    pub(crate) fn apply(
        &mut self,
        standing: Standing<'_>,
        changes: &[Change],
        effects: &mut Effects,
    ) -> VecDeque<Call> {
        let site = standing.site;
        let me = site.image.broker(site.me);
        let is_registered =
            me.is_some_and(|me| me.incarnation == standing.config.incarnation);
        match &mut self.stage {
            Stage::Starting(waiting) if is_registered => {
                let waiting = std::mem::take(waiting);
                self.stage = Stage::Serving;
                self.lifecycle.note_ready(site.now);
                let all = site.image.partitions().map(|(id, _)| id);
                all.for_each(|id| self.apply_partition(site, &id, effects));
                waiting
            }
            Stage::Starting(_) => VecDeque::new(),
            Stage::Serving => {
                for change in changes {
                    self.apply_change(site, change, effects);
                }
                // Who is eligible, or how many are enough, may be what a watermark waits for.
                // An ISR from before these changes would be judged by brokers from after them.
                let is_around =
                    |it: &Change| matches!(it, Change::Broker(_) | Change::Config(_));
                if changes.iter().any(is_around) {
                    self.replicas
                        .values_mut()
                        .for_each(|it| it.look_again(site, effects));
                }
                self.tell_coordinators(site, effects);
                VecDeque::new()
            }
        }
    }

    fn apply_change(&mut self, site: Site<'_>, change: &Change, effects: &mut Effects) {
        match change {
            Change::Partition(id) => self.apply_partition(site, id, effects),
            Change::Broker(_) => {}
            Change::Config(topic) => {
                let of_topic =
                    self.replicas.iter_mut().filter(|(id, _)| id.topic == *topic);
                of_topic.for_each(|(_, replica)| replica.configure(site));
            }
            Change::TopicGone(name) => {
                let gone = self.replicas.iter().filter(|(id, replica)| {
                    let topic = site.image.topic(&id.topic);
                    id.topic == *name
                        && topic.is_none_or(|topic| topic.id != replica.topic_id())
                });
                let gone: Vec<TopicPartition> = gone.map(|(id, _)| id.clone()).collect();
                gone.iter().for_each(|id| self.drop_replica(id, effects));
            }
        }
    }

    fn apply_partition(
        &mut self,
        site: Site<'_>,
        id: &TopicPartition,
        effects: &mut Effects,
    ) {
        let Some(topic) = site.image.topic(&id.topic) else { return };
        let Some(state) = topic.partitions.get(&id.partition) else { return };
        if !state.replicas.contains(&site.me) {
            return self.drop_replica(id, effects);
        }
        if self.replicas.get(id).is_none_or(|replica| replica.topic_id() != topic.id) {
            let mut replica = self.create(id, topic.id, effects);
            replica.configure(site);
            self.replicas.insert(id.clone(), replica);
        }
        let Some(replica) = self.replicas.get_mut(id) else { return };
        replica.apply(site, state, effects);
        if let Some(leader) = replica.followed_leader() {
            self.fetchers.entry(leader).or_insert_with(|| Fetcher::new(leader));
        }
    }

    /// This broker has no part in a partition any more: its log goes (CTL-14).
    fn drop_replica(&mut self, id: &TopicPartition, effects: &mut Effects) {
        if let Some(replica) = self.replicas.remove(id) {
            effects.mark_at(Rule::Ctl14, id);
            replica.delete(effects);
            effects.touch(id);
        }
    }

    /// This broker is to stop (CTL-11).
    pub(crate) fn begin_shutdown(&mut self, now: Instant) {
        self.lifecycle.begin_shutdown(now);
    }

    /// A replica on what survived of its log, if that is of the same topic.
    fn create(
        &mut self,
        id: &TopicPartition,
        topic_id: TopicId,
        effects: &mut Effects,
    ) -> Replica {
        let survivor = self.survivors.remove(id);
        if let Some(survivor) = survivor {
            let is_unreadable = survivor.owner == Owner::Unreadable;
            if is_unreadable {
                effects.disk(storage::write_topic_id(id, topic_id));
            }
            if is_unreadable || survivor.owner == Owner::Topic(topic_id) {
                let (log, high_watermark) = (survivor.log, survivor.high_watermark);
                return Replica::new(id.clone(), topic_id, log, high_watermark);
            }
            for file in survivor.files {
                effects.disk(DiskOp::Delete { file });
            }
        }
        effects.disk(storage::write_topic_id(id, topic_id));
        let log = Log::new(id.clone(), LogConfig::default());
        Replica::new(id.clone(), topic_id, log, Offset(0))
    }

    /// The answer to something that this broker asked.
    pub(crate) fn answered(
        &mut self,
        standing: Standing<'_>,
        asked: Asked,
        response: ResponseKind,
        effects: &mut Effects,
    ) {
        match (asked, response) {
            (Asked::Register, ResponseKind::BrokerRegistration(response)) => {
                self.registered(standing, &response);
            }
            (Asked::Heartbeat, ResponseKind::BrokerHeartbeat(response)) => {
                self.heard(standing, &response, effects);
            }
            (Asked::AlterPartition, ResponseKind::AlterPartition(response)) => {
                self.isr_decided(standing, &response, effects);
            }
            (Asked::Forward { id }, response) => {
                let now = standing.site.now;
                self.forwarding.answered(now, id, response, effects);
            }
            (Asked::Fetch { leader }, ResponseKind::Fetch(response)) => {
                self.fetched(standing, leader, response, effects);
            }
            (Asked::LeaderOffsets { leader }, ResponseKind::ListOffsets(response)) => {
                self.told_offsets(standing, leader, &response, effects);
            }
            (
                Asked::LeaderEpochs { leader },
                ResponseKind::OffsetForLeaderEpoch(response),
            ) => self.told_epochs(standing, leader, &response, effects),
            (
                Asked::InternalTopic(_)
                | Asked::WishedTopic { .. }
                | Asked::ProducerIds
                | Asked::Markers { .. }
                | Asked::Verification { .. },
                response,
            ) => {
                let site = standing.site;
                self.coordinators_answered(site, asked, Some(&response), effects);
            }
            // Not an answer to what was asked: as good as none.
            (asked, _) => self.failed(standing, asked, effects),
        }
    }

    /// What this broker asked will not be answered.
    pub(crate) fn failed(
        &mut self,
        standing: Standing<'_>,
        asked: Asked,
        effects: &mut Effects,
    ) {
        let now = standing.site.now;
        match asked {
            Asked::Register | Asked::Heartbeat => {
                self.lifecycle.failed(now, standing.config);
            }
            Asked::AlterPartition => {
                for id in self.isr_changes.failed(now) {
                    self.ask_again(&id, effects);
                }
            }
            Asked::Forward { id } => self.forwarding.failed(now, id),
            Asked::Fetch { leader }
            | Asked::LeaderOffsets { leader }
            | Asked::LeaderEpochs { leader } => {
                let fetching = self.fetching(standing);
                if let Some(fetcher) = self.fetchers.get_mut(&leader) {
                    fetcher.failed(fetching);
                }
            }
            Asked::InternalTopic(_)
            | Asked::WishedTopic { .. }
            | Asked::ProducerIds
            | Asked::Markers { .. }
            | Asked::Verification { .. } => {
                self.coordinators_answered(standing.site, asked, None, effects);
            }
            Asked::Quorum { .. } => {}
        }
    }

    fn registered(
        &mut self,
        standing: Standing<'_>,
        response: &BrokerRegistrationResponse,
    ) {
        self.lifecycle.registered(standing.site.now, standing.config, response);
    }

    fn heard(
        &mut self,
        standing: Standing<'_>,
        response: &BrokerHeartbeatResponse,
        effects: &mut Effects,
    ) {
        self.lifecycle.heard(standing.site.now, standing.config, response);
        if let BrokerStatus::Stopped(epoch) = self.lifecycle.status() {
            self.begin_closing(epoch, effects);
        }
    }

    fn isr_decided(
        &mut self,
        standing: Standing<'_>,
        response: &AlterPartitionResponse,
        effects: &mut Effects,
    ) {
        let site = standing.site;
        let name_of = |id| site.image.topic_name(id).cloned();
        let (decided, again) = self.isr_changes.answered(site.now, response, name_of);
        for it in decided {
            if let Some(replica) = self.replicas.get_mut(&it.partition) {
                replica.decide(site, it.asked_at, it.decision, effects);
            }
        }
        for id in again {
            self.ask_again(&id, effects);
        }
    }

    fn ask_again(&mut self, id: &TopicPartition, effects: &mut Effects) {
        if let Some(replica) = self.replicas.get_mut(id) {
            replica.ask_again(effects);
        }
    }

    fn fetched(
        &mut self,
        standing: Standing<'_>,
        leader: NodeId,
        response: FetchResponse,
        effects: &mut Effects,
    ) {
        let name_of = |id| standing.site.image.topic_name(id).cloned();
        let fetching = self.fetching(standing);
        let Some(fetcher) = self.fetchers.get_mut(&leader) else { return };
        fetcher.fetched(fetching, response, &mut self.replicas, name_of, effects);
    }

    fn told_offsets(
        &mut self,
        standing: Standing<'_>,
        leader: NodeId,
        response: &ListOffsetsResponse,
        effects: &mut Effects,
    ) {
        let fetching = self.fetching(standing);
        let Some(fetcher) = self.fetchers.get_mut(&leader) else { return };
        fetcher.told_offsets(fetching, response, &mut self.replicas, effects);
    }

    fn told_epochs(
        &mut self,
        standing: Standing<'_>,
        leader: NodeId,
        response: &OffsetForLeaderEpochResponse,
        effects: &mut Effects,
    ) {
        let fetching = self.fetching(standing);
        let Some(fetcher) = self.fetchers.get_mut(&leader) else { return };
        fetcher.told_epochs(fetching, response, &mut self.replicas, effects);
    }

    /// Requests that wait for a partition that has changed look again.
    pub(crate) fn settle(&mut self, site: Site<'_>, effects: &mut Effects) {
        while let Some(id) = effects.next_touched() {
            self.produces.check(site, &id, self.replicas.get(&id), effects);
            self.deletes.check(site, &id, self.replicas.get(&id), effects);
            self.fetches.check(site, &id, &self.replicas, effects);
            self.check_coordinators(site, &id, effects);
            let interval = site.settings.high_watermark_checkpoint_interval;
            self.checkpoint_due.get_or_insert(site.now + interval);
        }
        if effects.take_recovery_points() == RecoveryPoints::TooHigh {
            self.write_recovery_points(effects);
        }
    }

    /// A flush that this broker asked for has come back.
    pub(crate) fn flushed(
        &mut self,
        site: Site<'_>,
        token: FlushToken,
        effects: &mut Effects,
    ) {
        self.note_closed(token, effects);
        let mut replicas = self.replicas.values_mut();
        if replicas.any(|replica| replica.flushed(token)) {
            let interval = site.settings.high_watermark_checkpoint_interval;
            self.checkpoint_due.get_or_insert(site.now + interval);
        }
    }

    fn write_recovery_points(&self, effects: &mut Effects) {
        let op = storage::write_recovery_points(&self.replicas);
        if let DiskOp::Replace { file, .. } = &op {
            let (file, token) = (file.clone(), effects.next_flush());
            effects.disk(op);
            effects.disk(DiskOp::Flush { file, token });
        }
    }

    /// Says and sends everything that is due.
    pub(crate) fn pump(&mut self, standing: Standing<'_>, effects: &mut Effects) {
        let now = standing.site.now;
        self.isr_changes.queue(effects.take_proposals());
        self.forwarding.pump(now, standing.controller, effects);
        self.pump_coordinators(standing, effects);
        if let Some(controller) = standing.controller {
            let progress = self.progress(standing);
            self.lifecycle.speak(now, standing.config, controller, progress, effects);
            if let Some(epoch) = self.lifecycle.epoch() {
                let timeout = standing.config.settings.request_timeout;
                let me = standing.site.me;
                let sender = Sender { now, me, epoch, controller, timeout };
                self.isr_changes.send(sender, &mut self.replicas, effects);
            }
        }
        // What came in now would not be on the platter when the process ends.
        if self.closing.is_some() {
            return;
        }
        let fetching = self.fetching(standing);
        for fetcher in self.fetchers.values_mut() {
            fetcher.pump(fetching, &self.replicas, effects);
        }
    }

    /// Lets time pass.
    pub(crate) fn tick(&mut self, site: Site<'_>, effects: &mut Effects) {
        self.produces.expire(site, effects);
        self.deletes.expire(site.now, effects);
        self.fetches.expire(site, &self.replicas, effects);
        self.tick_coordinators(site, effects);
        if self.retention_due(site) <= site.now {
            self.retention_checked = site.now;
            self.replicas.values_mut().for_each(|it| it.forget_old(site, effects));
        }
        self.clean_logs(site, effects);
        if self.shrink_at(site).is_some_and(|at| at <= site.now) {
            self.replicas.values_mut().for_each(|it| it.shrink_isr(site, effects));
        }
        if self.checkpoint_due.is_some_and(|at| at <= site.now) {
            self.checkpoint_due = None;
            effects.disk(storage::write_watermarks(&self.replicas));
            effects.disk(storage::write_starts(&self.replicas));
            effects.disk(storage::write_recovery_points(&self.replicas));
        }
    }

    /// When the next thing is due.
    pub(crate) fn deadline(&self, standing: Standing<'_>) -> Option<Instant> {
        let site = standing.site;
        let known = standing.controller.is_some();
        let to_controller = [self.lifecycle.deadline(), self.isr_changes.deadline()];
        let to_controller = to_controller.into_iter().flatten().filter(|_| known);
        // Whoever closes asks for nothing any more.
        let fetchers = self.fetchers.values().filter(|_| self.closing.is_none());
        let fetchers = fetchers.filter_map(Fetcher::deadline);
        [
            self.produces.deadline(),
            self.fetches.deadline(),
            self.deletes.deadline(),
            Some(self.retention_due(site)),
            self.cleaning_due(site),
            self.forwarding.deadline(standing.controller),
            self.coordinators_deadline(standing),
            self.shrink_at(site),
            self.checkpoint_due,
        ]
        .into_iter()
        .flatten()
        .chain(to_controller)
        .chain(fetchers)
        .min()
    }

    fn retention_due(&self, site: Site<'_>) -> Instant {
        self.retention_checked + site.settings.log_retention_check_interval
    }

    /// When ISRs are looked at next: at every half of `replica.lag.time.max.ms`, but only if
    /// a member will have lagged too long by then (REP-10).
    fn shrink_at(&self, site: Site<'_>) -> Option<Instant> {
        let due = self.replicas.outlook(site).shrink_due?;
        let beat = Duration(site.settings.replica_lag_time_max.0 / 2).0.max(1);
        Some(Instant(due.0.div_ceil(beat).saturating_mul(beat)))
    }

    /// Forwards a client's request to the controller.
    pub(crate) fn forward(
        &mut self,
        now: Instant,
        ticket: Ticket,
        version: i16,
        request: topomotion_wire::messages::RequestKind,
    ) {
        self.forwarding.accept(now, ticket, version, request);
    }

    pub(crate) fn replicas(&self) -> &Replicas {
        &self.replicas
    }

    pub(crate) fn replica_mut(&mut self, id: &TopicPartition) -> Option<&mut Replica> {
        self.replicas.get_mut(id)
    }

    pub(crate) fn wait_for_watermark(&mut self, produce: DelayedProduce) {
        self.produces.wait(produce);
    }

    pub(crate) fn wait_for_low_watermark(
        &mut self,
        delete: DelayedDelete,
        effects: &mut Effects,
    ) {
        self.deletes.wait(delete, effects);
    }

    pub(crate) fn fetches(&mut self) -> &mut Fetches {
        &mut self.fetches
    }

    pub(crate) fn wait_for_records(&mut self, fetch: DelayedFetch) {
        self.fetches.wait(fetch);
    }

    pub(crate) fn views(&self) -> Vec<ReplicaView> {
        self.replicas.values().map(Replica::view).collect()
    }

    fn progress(&self, standing: Standing<'_>) -> Progress {
        let readiness = match self.stage {
            Stage::Starting(_) => Readiness::CatchingUp,
            Stage::Serving => Readiness::Ready,
        };
        Progress { next: standing.applied, readiness }
    }

    fn fetching<'a>(&self, standing: Standing<'a>) -> Fetching<'a> {
        Fetching {
            now: standing.site.now,
            me: standing.site.me,
            epoch: self.lifecycle.epoch(),
            settings: standing.site.settings,
        }
    }
}
