//! The group and transaction coordinators of a broker: one shard for each partition of
//! `__consumer_offsets` and `__transaction_state` that it leads (GRP-1, TXN-10).
//!
//! A shard decides; this lets it. Requests find their shard by the hash of the group or the
//! transactional id. What a shard wants written goes into the partition's log as any produce
//! with acks=all would, and it hears when the high watermark has passed it. When leadership
//! ends, the shard goes, and whoever waits is sent to look for its successor.
//!
//! ```text
//!   request ─► Coordinators ─► Shard ─► Append ─► Replica
//!      ▲            │            ▲                   │
//!      └─ answer ◄──┴────────────┴─── committed ◄────┘ high watermark
//! ```

mod calls;
mod directory;
mod hosted;
mod internal_topics;
mod producer_ids;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use topomotion_coordinator::{
    Caller, Control, Directory, Effect, Shard, Stamp, WriteBatch, WriteToken,
    partition_for,
};
use topomotion_wire::messages::{
    AllocateProducerIdsResponse, RequestKind, ResponseKind, WriteTxnMarkersRequest,
};
use topomotion_wire::{
    ConnectionId, ErrorCode, Instant, NodeId, Offset, ProducerId, TopicPartition,
};

use calls::{Calls, Destination};
use directory::Cluster;
use hosted::{AnyShard, Hosted, encode};
pub(crate) use internal_topics::{Creations, InternalTopic, creation_of};
pub(crate) use producer_ids::Asker;
use producer_ids::ProducerIds;

use crate::api::coordination::{self, Concern};
use crate::broker::Replicas;
use crate::net::{Ask, Asked, Effects, Purpose, Ticket};
use crate::replica::{Isolation, Site};

/// A request for coordinators, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(crate) ticket: Ticket,
    pub(crate) version: i16,
    pub(crate) client: Arc<str>,
    pub(crate) body: RequestKind,
}

/// What coordinators may touch.
pub(crate) struct Around<'a> {
    pub(crate) site: Site<'a>,
    pub(crate) replicas: &'a mut Replicas,
    pub(crate) effects: &'a mut Effects,
}

/// Markers that a broker was asked to write.
#[derive(Debug, Clone)]
struct SentMarkers {
    shard: TopicPartition,
    to: NodeId,
    request: WriteTxnMarkersRequest,
}

/// Every coordinator of one broker.
#[derive(Debug, Clone, Default)]
pub(crate) struct Coordinators {
    hosted: BTreeMap<TopicPartition, Hosted>,
    calls: Calls,
    producer_ids: ProducerIds,
    markers: BTreeMap<u64, SentMarkers>,
    next_marker: u64,
}

impl Coordinators {
    /// Something changed at a partition: leadership begins or ends, or the high watermark has
    /// passed something.
    pub(crate) fn check(&mut self, id: &TopicPartition, around: &mut Around<'_>) {
        let Some(topic) = InternalTopic::named(&id.topic) else { return };
        let Some(replica) = around.replicas.get(id).filter(|it| it.is_leader()) else {
            return self.drop_shard(id, around);
        };
        let leadership = (replica.topic_id(), replica.leader_epoch());
        if self.hosted.get(id).is_some_and(|hosted| hosted.leadership != leadership) {
            return self.begin_anew(id, around);
        }
        let watermark = replica.high_watermark();
        let is_proven = replica.latest_for_consumers(Isolation::Uncommitted).is_ok();
        let hosted = self.hosted.entry(id.clone()).or_insert_with(|| Hosted {
            leadership,
            shard: None,
            appends: VecDeque::new(),
        });
        if hosted.shard.is_none() {
            if !is_proven {
                return;
            }
            hosted.shard = Some(AnyShard::read(around.site, topic, id, replica));
            self.with(id, around, |shard, now, cluster| shard.loaded(now, cluster));
        }
        while let Some(token) = self.take_committed(id, watermark) {
            self.with(id, around, |shard, now, cluster| {
                shard.committed(now, cluster, token);
            });
        }
    }

    /// This broker leads in another epoch, or another topic of the same name.
    fn begin_anew(&mut self, id: &TopicPartition, around: &mut Around<'_>) {
        self.drop_shard(id, around);
        self.check(id, around);
    }

    fn take_committed(&mut self, id: &TopicPartition, hw: Offset) -> Option<WriteToken> {
        let appends = &mut self.hosted.get_mut(id)?.appends;
        let (_, token) = appends.pop_front_if(|(end, _)| *end <= hw)?;
        Some(token)
    }

    fn drop_shard(&mut self, id: &TopicPartition, around: &mut Around<'_>) {
        if self.hosted.remove(id).is_some() {
            self.calls.shard_gone(id, around.effects);
            self.markers.retain(|_, sent| sent.shard != *id);
        }
    }

    /// Takes a request that is for coordinators.
    pub(crate) fn ask(&mut self, query: Query, around: &mut Around<'_>) {
        let Query { ticket, version, client, body } = query;
        // Where a client sits is its connection's secret: nobody tells a node.
        let caller = Caller { client_id: client, host: Arc::default(), version };
        if let Some(Concern::Every(topic)) = coordination::concern(&body, version) {
            return self.ask_every(topic, ticket, &caller, &body, around);
        }
        let empty = coordination::empty(&body, version);
        let mut parts = coordination::split(body, version);
        match parts.len() {
            0 => around.effects.reply(ticket, empty),
            1 => {
                let to = Destination::Asker(ticket);
                self.ask_keyed(to, &caller, parts.remove(0), around);
            }
            count => {
                let of = self.calls.merge(ticket, count);
                for (place, part) in parts.into_iter().enumerate() {
                    let to = Destination::Part { of, place };
                    self.ask_keyed(to, &caller, part, around);
                }
            }
        }
    }

    /// Asks every shard of a kind. One that still loads makes the answer incomplete, and says
    /// so.
    fn ask_every(
        &mut self,
        topic: InternalTopic,
        ticket: Ticket,
        caller: &Caller,
        body: &RequestKind,
        around: &mut Around<'_>,
    ) {
        let ids = self.hosted.keys().filter(|id| *id.topic == *topic.name());
        let ids: Vec<TopicPartition> = ids.cloned().collect();
        if ids.is_empty() {
            let empty = coordination::empty(body, caller.version);
            return around.effects.reply(ticket, empty);
        }
        let of = self.calls.merge(ticket, ids.len());
        for (place, id) in ids.iter().enumerate() {
            let to = Destination::Part { of, place };
            self.ask_shard(id, to, caller, body.clone(), around);
        }
    }

    fn ask_keyed(
        &mut self,
        to: Destination,
        caller: &Caller,
        body: RequestKind,
        around: &mut Around<'_>,
    ) {
        let Some(Concern::Key(topic, key)) = coordination::concern(&body, caller.version)
        else {
            let error = ErrorCode::InvalidRequest;
            let refused = coordination::refuse(&body, caller.version, error);
            return self.calls.deliver(to, refused, around.effects);
        };
        let id = home(around.site, topic, key);
        self.ask_shard(&id, to, caller, body, around);
    }

    fn ask_shard(
        &mut self,
        id: &TopicPartition,
        to: Destination,
        caller: &Caller,
        body: RequestKind,
        around: &mut Around<'_>,
    ) {
        let version = caller.version;
        let error = match self.hosted.get(id) {
            Some(Hosted { shard: Some(_), .. }) => {
                let ticket = self.calls.wait(id, &body, version, to);
                return self.with(id, around, |shard, now, cluster| {
                    shard.handle(now, cluster, ticket, caller, body);
                });
            }
            Some(_) => ErrorCode::CoordinatorLoadInProgress,
            None => ErrorCode::NotCoordinator,
        };
        let refused = coordination::refuse(&body, version, error);
        self.calls.deliver(to, refused, around.effects);
    }

    /// Tells a shard something, and does what it then wants.
    fn with(
        &mut self,
        id: &TopicPartition,
        around: &mut Around<'_>,
        tell: impl FnOnce(&mut dyn Shard, Instant, &dyn Directory),
    ) {
        let hosted = self.hosted.get_mut(id);
        let Some(shard) = hosted.and_then(|hosted| hosted.shard.as_mut()) else { return };
        let cluster = Cluster::new(around.site, &mut self.producer_ids);
        tell(shard.as_mut(), around.site.now, &cluster);
        while let Some(effect) = self.next_effect(id) {
            self.carry_out(id, effect, around);
        }
    }

    fn next_effect(&mut self, id: &TopicPartition) -> Option<Effect> {
        self.hosted.get_mut(id)?.shard.as_mut()?.as_mut().poll()
    }

    fn carry_out(
        &mut self,
        id: &TopicPartition,
        effect: Effect,
        around: &mut Around<'_>,
    ) {
        match effect {
            Effect::Answer { ticket, body } => {
                self.calls.answered(ticket, body, around.effects);
            }
            Effect::Append { token, batch } => self.append(id, token, &batch, around),
            Effect::WriteMarkers { to, request } => {
                self.send_markers(id, to, request, around);
            }
            Effect::Mark(rule) => around.effects.mark_at(rule, id),
            Effect::Fact(fact) => around.effects.fact(fact),
        }
    }

    fn append(
        &mut self,
        id: &TopicPartition,
        token: WriteToken,
        batch: &WriteBatch,
        around: &mut Around<'_>,
    ) {
        let outcome = write(id, batch, around);
        let Some(hosted) = self.hosted.get_mut(id) else { return };
        if let Ok((_, end)) = outcome {
            hosted.appends.push_back((end, token));
        }
        // What counts at once is looked at with the next look, after this call.
        around.effects.touch(id);
        let Some(shard) = &mut hosted.shard else { return };
        let cluster = Cluster::new(around.site, &mut self.producer_ids);
        let outcome = outcome.map(|(base, _)| base);
        shard.as_mut().appended(around.site.now, &cluster, token, outcome);
    }

    fn send_markers(
        &mut self,
        shard: &TopicPartition,
        to: NodeId,
        request: WriteTxnMarkersRequest,
        around: &mut Around<'_>,
    ) {
        let id = self.next_marker;
        self.next_marker += 1;
        let body = request.clone().into();
        self.markers.insert(id, SentMarkers { shard: shard.clone(), to, request });
        around.effects.ask(Ask {
            to,
            purpose: Purpose::Markers,
            asked: Asked::Markers { id },
            version: 1,
            body,
            timeout: around.site.settings.request_timeout,
        });
    }

    /// A broker has answered markers, or never will.
    pub(crate) fn markers_answered(
        &mut self,
        id: u64,
        response: Option<&ResponseKind>,
        around: &mut Around<'_>,
    ) {
        let Some(sent) = self.markers.remove(&id) else { return };
        self.with(&sent.shard, around, |shard, now, cluster| {
            shard.markers_answered(now, cluster, sent.to, &sent.request, response);
        });
    }

    /// A marker was appended to a partition that this broker leads.
    pub(crate) fn marker_appended(
        &mut self,
        id: &TopicPartition,
        stamp: Stamp,
        control: Control,
        around: &mut Around<'_>,
    ) {
        if *id.topic == *InternalTopic::Offsets.name() {
            self.with(id, around, |shard, now, _| {
                shard.marker_appended(now, stamp, control);
            });
        }
    }

    /// Topics, partitions or leaders have changed.
    pub(crate) fn metadata_changed(&mut self, around: &mut Around<'_>) {
        for id in self.hosted.keys().cloned().collect::<Vec<_>>() {
            self.with(&id, around, |shard, now, cluster| {
                shard.metadata_changed(now, cluster);
            });
        }
    }

    /// A client is gone.
    pub(crate) fn hung_up(&mut self, connection: ConnectionId, around: &mut Around<'_>) {
        for (id, ticket) in self.calls.hung_up(connection) {
            self.with(&id, around, |shard, now, _| shard.hung_up(now, ticket));
        }
    }

    /// Lets time pass.
    pub(crate) fn tick(&mut self, around: &mut Around<'_>) {
        let now = around.site.now;
        let is_due = |hosted: &Hosted| {
            hosted.shard.as_ref().and_then(AnyShard::deadline).is_some_and(|at| at <= now)
        };
        let due = self.hosted.iter().filter(|(_, it)| is_due(it)).map(|(id, _)| id);
        for id in due.cloned().collect::<Vec<_>>() {
            self.with(&id, around, |shard, now, cluster| shard.tick(now, cluster));
        }
    }

    /// When a coordinator wants to be woken next.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let shards = self.hosted.values().filter_map(|hosted| hosted.shard.as_ref());
        shards.filter_map(AnyShard::deadline).min()
    }

    /// An id for an idempotent producer.
    ///
    /// # Errors
    /// `COORDINATOR_LOAD_IN_PROGRESS` while there is none.
    pub(crate) fn claim_producer_id(
        &mut self,
        now: Instant,
    ) -> Result<ProducerId, ErrorCode> {
        self.producer_ids.claim(now)
    }

    /// When a block of producer ids is to be asked for.
    pub(crate) fn producer_ids_due(&self) -> Option<Instant> {
        self.producer_ids.deadline()
    }

    /// Asks for a block of producer ids, if that is due.
    pub(crate) fn ask_for_producer_ids(
        &mut self,
        now: Instant,
        asker: Asker,
        effects: &mut Effects,
    ) {
        self.producer_ids.pump(now, asker, effects);
    }

    /// The controller's answer to that; none if it never comes.
    pub(crate) fn producer_ids_answered(
        &mut self,
        now: Instant,
        response: Option<&AllocateProducerIdsResponse>,
    ) {
        match response {
            Some(response) => self.producer_ids.answered(now, response),
            None => self.producer_ids.failed(now),
        }
    }
}

/// The partition that coordinates a group or a transactional id.
pub(crate) fn home(site: Site<'_>, topic: InternalTopic, key: &str) -> TopicPartition {
    let count = site.image.topic(topic.name()).map_or(0, |it| it.partitions.len());
    let count = i32::try_from(count).unwrap_or(i32::MAX);
    TopicPartition::new(topic.name(), partition_for(key, count))
}

/// Appends what a shard wants appended, with acks=all. Returns where it stands.
fn write(
    id: &TopicPartition,
    batch: &WriteBatch,
    around: &mut Around<'_>,
) -> Result<(Offset, Offset), ErrorCode> {
    let site = around.site;
    let replica = around.replicas.get_mut(id).ok_or(ErrorCode::NotCoordinator)?;
    let Some(records) = encode(batch, site.wall_ms()) else {
        let end = replica.log().end_offset();
        return Ok((end, end));
    };
    let appended = replica.append_as_coordinator(site, records, around.effects);
    appended.map(|it| (it.base, it.end)).map_err(|error| match error {
        ErrorCode::UnknownTopicOrPartition
        | ErrorCode::NotEnoughReplicas
        | ErrorCode::NotEnoughReplicasAfterAppend => ErrorCode::CoordinatorNotAvailable,
        ErrorCode::NotLeaderOrFollower | ErrorCode::KafkaStorageError => {
            ErrorCode::NotCoordinator
        }
        error => error,
    })
}
