//! The node beneath its controller and its broker: the metadata log, as the quorum keeps it.
//!
//! What the quorum says is carried out here: its messages are sent, its commits applied, and
//! its elections make and unmake the active controller (RAFT-11).

use std::collections::BTreeSet;

use topomotion_quorum::{Quorum, QuorumConfig, QuorumOutput, ReplyToken};
use topomotion_wire::messages::RequestKind;
use topomotion_wire::{Bytes, Duration, Fact, Files, Instant, NodeId, Offset, Random};

use super::{Local, Node, standing};
use crate::config::NodeConfig;
use crate::controller::{ActiveController, Batch};
use crate::metadata::{Change, MetadataRecord};
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
            (empty, Some("the quorum's state file is damaged"))
        }
    }
}

fn quorum_config(config: &NodeConfig) -> QuorumConfig {
    let settings = &config.settings;
    let voters: Vec<NodeId> = config.voters.iter().map(|(id, _)| *id).collect();
    QuorumConfig {
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
        let records: Vec<(Offset, Bytes)> =
            self.quorum.read_committed(self.applied).collect();
        let mut changes = Vec::new();
        for (_, bytes) in records.into_iter().filter(|(offset, _)| *offset < up_to) {
            // A record that this engine cannot read is one that it does not act on.
            let Ok(record) = MetadataRecord::decode(bytes) else { continue };
            let Some(change) = self.image.apply(&record) else { continue };
            if self.controller.is_some() {
                self.tell_change(&change);
            }
            changes.push(change);
        }
        self.applied = up_to;
        self.tell_inherited(&changes);
        self.effects.fact(Fact::MetadataApplied { offset: up_to });
        let standing = standing(&self.config, &self.image, &self.quorum, up_to, now);
        if let Some(broker) = &mut self.broker {
            let freed = broker.apply(standing, &changes, &mut self.effects);
            self.local.extend(freed.into_iter().map(Local::Call));
        }
        if let Some(controller) = &mut self.controller {
            controller.note_committed(up_to, &mut self.effects);
        }
    }

    /// What a new quorum leader commits of its predecessors' may never have been told. It
    /// tells where that has led to; the steps between are history.
    fn tell_inherited(&mut self, changes: &[Change]) {
        if self.controller.is_none() && self.quorum.is_leader() {
            let concerned: BTreeSet<&Change> = changes.iter().collect();
            concerned.into_iter().for_each(|change| self.tell_change(change));
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
            Change::Config(_) => {}
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
        match self.quorum.append(now, &records) {
            Ok(appended) => assert!(
                appended.base == batch.base,
                "only the active controller appends to the metadata log"
            ),
            Err(_) => self.renounce(),
        }
    }
}
