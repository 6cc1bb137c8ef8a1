//! The node beneath its controller and its broker: the metadata log, as the quorum keeps it.
//!
//! What the quorum says is carried out here: its messages are sent, its commits applied, and
//! its elections make and unmake the active controller (RAFT-11).

use std::collections::{BTreeMap, BTreeSet};

use topomotion_quorum::{Quorum, QuorumConfig, QuorumOutput, ReplyToken};
use topomotion_wire::messages::RequestKind;
use topomotion_wire::{
    Bytes, Defect, Duration, Endpoint, Fact, Files, Instant, NodeId, Offset, Random, Rule,
};

use super::{Local, Node, standing};
use crate::config::NodeConfig;
use crate::controller::{ActiveController, Batch};
use crate::metadata::{Change, MetadataImage, MetadataRecord};
use crate::net::{Ask, Asked, Purpose, Ticket};

/// Requests of the quorum have their own timeout inside; this one only keeps a dead link from
/// living for ever.
const BEYOND_ANY_TIMEOUT: Duration = Duration::from_millis(600_000);

/// The quorum's member as it comes back from its files. If its state is damaged, an empty one
/// stands in and the reason is told: the node must not run.
pub(super) fn recover(
    config: &NodeConfig,
    files: &Files,
    now: Instant,
    random: Random,
) -> (Quorum, Option<&'static str>) {
    match Quorum::recover(quorum_config(config), files, now, random.clone()) {
        Ok(quorum) => (quorum, None),
        Err(_) => {
            let observer = QuorumConfig::new(config.id, Vec::new());
            let empty = Quorum::recover(observer, &Files::new(), now, random);
            let empty = empty.expect("no file is never a damaged one");
            (empty, Some("__cluster_metadata-0/quorum-state is damaged"))
        }
    }
}

fn quorum_config(config: &NodeConfig) -> QuorumConfig {
    let settings = &config.settings;
    let voters: Vec<NodeId> = config.voters.iter().map(|(id, _)| *id).collect();
    let of_voter = |(id, endpoint): &(NodeId, Endpoint)| (*id, endpoint.clone());
    let mut endpoints: BTreeMap<NodeId, Endpoint> =
        config.voters.iter().map(of_voter).collect();
    if config.roles.is_controller() {
        endpoints.insert(config.id, config.endpoint.clone());
    }
    QuorumConfig {
        endpoints,
        kraft_version: settings.kraft_version,
        pre_vote: settings.pre_vote,
        check_quorum: settings.check_quorum,
        max_retention_bytes: settings.metadata_max_retention_bytes,
        election_timeout: settings.quorum_election_timeout,
        election_backoff_max: settings.quorum_election_backoff_max,
        fetch_timeout: settings.quorum_fetch_timeout,
        request_timeout: settings.quorum_request_timeout,
        retry_backoff: settings.quorum_retry_backoff,
        retry_backoff_max: settings.reconnect_backoff_max,
        ..QuorumConfig::new(config.id, voters)
    }
}

impl Node {
    /// Hands a request to the quorum.
    pub(super) fn ask_quorum(
        &mut self,
        now: Instant,
        ticket: Ticket,
        body: &RequestKind,
    ) {
        let token = ReplyToken(self.next_token);
        self.next_token += 1;
        self.quorum_tickets.insert(token, ticket);
        self.quorum.handle_request(now, token, body);
        if let Some(controller) = &mut self.controller {
            controller.note_log_end(self.quorum.log().end_offset());
        }
    }

    pub(super) fn take_quorum_output(&mut self, now: Instant, output: QuorumOutput) {
        match output {
            QuorumOutput::Send { to, version, request } => self.effects.ask(Ask {
                to,
                purpose: Purpose::Quorum,
                asked: Asked::Quorum { to },
                version,
                body: request,
                timeout: BEYOND_ANY_TIMEOUT,
            }),
            QuorumOutput::Disconnect { from } => {
                self.peers.disconnect(now, from, Purpose::Quorum, &mut self.effects);
            }
            QuorumOutput::Reply { token, response } => {
                if let Some(ticket) = self.quorum_tickets.remove(&token) {
                    self.effects.reply(ticket, response);
                }
            }
            QuorumOutput::Disk(op) => self.effects.disk(op),
            QuorumOutput::Mark(rule) => self.effects.mark(rule),
            QuorumOutput::Fact(fact) => self.effects.fact(fact),
            QuorumOutput::SnapshotLoaded { .. } => self.load_snapshot(now),
            QuorumOutput::Committed { up_to } => self.apply_committed(now, up_to),
            QuorumOutput::Elected { .. } => self.claim(now),
            QuorumOutput::Deposed { .. } => self.renounce(),
            QuorumOutput::Fatal { reason } => self.halted = Some(reason),
        }
    }

    /// Applies what is newly committed, first to the image and then to whoever acts on it: a
    /// broker must see a batch as a whole.
    fn apply_committed(&mut self, now: Instant, up_to: Offset) {
        if up_to <= self.applied {
            return;
        }
        let mut records: Vec<(Offset, Bytes)> =
            self.quorum.read_committed(self.applied).collect();
        if Defect::ApplySkips.is_sown() && !self.quorum.is_voter() && records.len() > 1 {
            records.pop();
        }
        let mut changes = Vec::new();
        for (_, bytes) in records.into_iter().filter(|(offset, _)| *offset < up_to) {
            self.unsnapshotted += bytes.len() as u64;
            // A record that this engine cannot read is one that it does not act on.
            let Ok(record) = MetadataRecord::decode(bytes) else { continue };
            let Some(change) = self.image.apply(&record) else { continue };
            // Each state of a partition, also of several that are committed together.
            if self.controller.is_some() {
                self.tell_change(&change);
            }
            changes.push(change);
        }
        self.applied = up_to;
        self.tell_inherited(&changes);
        self.effects.fact(Fact::MetadataApplied { offset: up_to });
        self.act_on(now, &changes);
        self.make_snapshot(now);
        if let Some(controller) = &mut self.controller {
            controller.note_committed(up_to, &mut self.effects);
        }
    }

    /// What a new quorum leader commits of its predecessors' may never have been told, or may
    /// have been told long ago. It tells where that has led to; the steps between are history.
    fn tell_inherited(&mut self, changes: &[Change]) {
        if self.controller.is_none() && self.quorum.is_leader() {
            let concerned: BTreeSet<&Change> = changes.iter().collect();
            concerned.into_iter().for_each(|change| self.tell_change(change));
        }
    }

    /// The log no longer has what this node would have to read next: a snapshot says what it
    /// has led to.
    fn load_snapshot(&mut self, now: Instant) {
        let Some((snapshot, records)) = self.quorum.snapshot_records() else { return };
        let mut image = MetadataImage::default();
        for bytes in records {
            if let Ok(record) = MetadataRecord::decode(bytes) {
                image.apply(&record);
            }
        }
        let changes = self.image.differences(&image);
        self.image = image;
        self.applied = snapshot.end;
        self.unsnapshotted = 0;
        self.effects.fact(Fact::MetadataApplied { offset: snapshot.end });
        self.act_on(now, &changes);
    }

    /// Makes a snapshot of the image when enough has happened since the last one.
    fn make_snapshot(&mut self, now: Instant) {
        if self.unsnapshotted < self.config.settings.metadata_snapshot_bytes {
            return;
        }
        let records = self.image.to_records();
        let records = records.iter().map(MetadataRecord::encode).collect();
        if self.quorum.snapshot(now, self.applied, records).is_some() {
            self.unsnapshotted = 0;
        }
    }

    fn act_on(&mut self, now: Instant, changes: &[Change]) {
        let applied = self.applied;
        let standing = standing(&self.config, &self.image, &self.quorum, applied, now);
        if let Some(broker) = &mut self.broker {
            let freed = broker.apply(standing, changes, &mut self.effects);
            self.local.extend(freed.into_iter().map(Local::Call));
        }
    }

    fn tell_change(&mut self, change: &Change) {
        match change {
            Change::Broker(id) => {
                let Some(broker) = self.image.broker(*id) else { return };
                let (epoch, liveness) = (broker.epoch, broker.liveness);
                self.effects.fact(Fact::BrokerChanged { broker: *id, epoch, liveness });
            }
            Change::Partition(id) => {
                let Some(state) = self.image.partition(id) else { return };
                let (partition, state) = (id.clone(), state.clone());
                self.effects.fact(Fact::PartitionChanged { partition, state });
            }
            Change::Config(_) | Change::TopicGone(_) => {}
        }
    }

    /// This node leads the quorum and knows everything committed before: its controller takes
    /// office.
    fn claim(&mut self, now: Instant) {
        let committed = self.quorum.high_watermark();
        self.apply_committed(now, committed);
        let next = self.quorum.log().end_offset();
        let (settings, image) = (self.config.settings.clone(), self.image.clone());
        let controller = ActiveController::claim(now, settings, image, committed, next);
        self.controller = Some(controller);
        let brokers =
            self.image.brokers().iter().map(|(id, it)| (*id, it.epoch, it.liveness));
        let partitions = self.image.partitions().map(|(id, it)| (id, it.clone()));
        self.effects.fact(Fact::TookOffice {
            brokers: brokers.collect(),
            partitions: partitions.collect(),
        });
    }

    fn renounce(&mut self) {
        let Some(controller) = self.controller.take() else { return };
        for (ticket, reply) in controller.renounce() {
            self.effects.reply(ticket, super::dispatch::deposed(reply));
        }
    }

    pub(super) fn next_batch(&mut self) -> Option<Batch> {
        self.controller.as_mut()?.next_batch()
    }

    pub(super) fn append_metadata(&mut self, now: Instant, batch: Batch) {
        let records: Vec<Bytes> =
            batch.records.iter().map(MetadataRecord::encode).collect();
        self.effects.mark(Rule::Raft12);
        match self.quorum.append(now, &records) {
            Ok(appended) => assert!(
                appended.base == batch.base,
                "only the active controller appends to the metadata log"
            ),
            Err(_) => self.renounce(),
        }
    }
}
