//! The sender: which batches leave now, in which request, and what the answers mean.
//!
//! A broker is ready when at least one batch for it may leave; then the next batch of each
//! of its partitions goes along, up to `max.request.size` (PRD-2).

use std::collections::{BTreeMap, BTreeSet};

use topomotion_log::Attributes;
use topomotion_wire::messages::produce_request::{
    PartitionProduceData, TopicProduceData,
};
use topomotion_wire::messages::produce_response::PartitionProduceResponse;
use topomotion_wire::messages::{
    ProduceRequest, RequestKind, ResponseKind, TransactionalId,
};
use topomotion_wire::{
    Acks, BatchCause, ClientDeed, Defect, Duration, Endpoint, ErrorCode, Fact, Instant,
    LeaderEpoch, MetadataCause, NodeId, Offset, Rule, StrBytes, TopicPartition,
};

use super::accumulator::{Lane, Order, Parcel};
use super::manager::Protocol;
use super::sequences::{OutOfOrder, Turn};
use super::verdicts::ends_producer;
use super::{Errand, Producer};
use crate::cluster::ClusterEvent;
use crate::errors::{ProduceRemedy, error_of, produce_remedy};
use crate::metadata::{Leadership, topic_name};

/// One request's parcels, by partition.
pub(super) type Cargo = Vec<(TopicPartition, Parcel)>;

/// Why a batch was not taken.
#[derive(Debug, Clone, Copy)]
struct Told {
    error: ErrorCode,
    /// Where the leader's log begins, if it said so.
    log_start: Option<Offset>,
}

/// Whether anything was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Progress {
    None,
    Made,
}

impl Producer {
    pub(super) fn take_answers(&mut self, now: Instant) {
        while let Some(event) = self.cluster.next_event() {
            match event {
                ClusterEvent::Answered { errand: Errand::Produce(cargo), body } => {
                    self.answered(now, cargo, &body);
                }
                ClusterEvent::Lost { errand: Errand::Produce(cargo) } => {
                    self.all_failed(now, cargo, ErrorCode::NetworkException);
                }
                ClusterEvent::Unsupported { errand: Errand::Produce(cargo) } => {
                    self.all_failed(now, cargo, ErrorCode::UnsupportedVersion);
                }
                ClusterEvent::Answered { errand: Errand::Ask(ask), body } => {
                    self.heard(now, ask, &body);
                }
                ClusterEvent::Lost { errand: Errand::Ask(ask) } => {
                    self.unheard(now, ask);
                }
                ClusterEvent::Unsupported { errand: Errand::Ask(_) } => {
                    self.unspeakable();
                }
            }
        }
    }

    fn all_failed(&mut self, now: Instant, cargo: Cargo, error: ErrorCode) {
        for (partition, parcel) in cargo {
            if self.accumulator.arrived(&partition, &parcel) {
                let told = Told { error, log_start: None };
                self.remedy(now, partition, parcel, told);
            }
        }
    }

    /// Sends at most one request per leader, with one batch per partition.
    pub(super) fn dispatch(&mut self, now: Instant) -> Progress {
        let mut progress = Progress::None;
        for leader in self.ready_leaders(now) {
            let Some(to) = self.cluster.metadata.endpoint(leader).cloned() else {
                continue;
            };
            let takes = self.cluster.ready(now, &to)
                && self.cluster.in_flight(&to) < self.config.max_in_flight.max(1);
            if !takes {
                self.refusing.entry(leader).or_insert(now);
                continue;
            }
            self.refusing.remove(&leader);
            let chosen = self.drain(now, leader);
            if let Some((acks, partitions)) = chosen {
                self.ship(now, &to, acks, partitions);
                progress = Progress::Made;
            }
        }
        progress
    }

    /// Leaders for which a batch may leave.
    fn ready_leaders(&mut self, now: Instant) -> BTreeSet<NodeId> {
        let urgency = self.urgency();
        let mut ready = BTreeSet::new();
        let mut leaderless = Vec::new();
        for (partition, lane) in self.accumulator.lanes() {
            let Some(cause) = lane.readiness(now, &self.config, urgency) else {
                continue;
            };
            let known = self.cluster.metadata.leadership(partition);
            let endpoint = self.cluster.metadata.leader_endpoint(partition);
            let (Some(leader), Some(_)) = (known.and_then(|it| it.leader), endpoint)
            else {
                leaderless.push((partition.clone(), cause));
                continue;
            };
            let epoch = known.map_or(LeaderEpoch(-1), |it| it.epoch);
            if !self.is_held(now, partition, lane, epoch) {
                ready.insert(leader);
            }
        }
        for (partition, _) in leaderless {
            self.cluster.metadata.follow(now, &partition.topic);
            self.cluster.metadata.want(MetadataCause::NoLeader);
        }
        ready
    }

    /// Whether batches that ask for this are numbered. A record that asks for less than its
    /// producer is sent as one without idempotence would send it.
    fn is_numbered(&self, acks: Option<Acks>) -> bool {
        self.manager.is_idempotent && acks == Some(Acks::All)
    }

    /// Whether the next batch of a partition must wait.
    fn is_held(
        &self,
        now: Instant,
        partition: &TopicPartition,
        lane: &Lane,
        epoch: LeaderEpoch,
    ) -> bool {
        let muting = self.muting();
        if !self.is_numbered(lane.next_acks()) {
            return lane.is_held(now, epoch, muting, Order::ByWaiting);
        }
        let (identity, number) = (self.manager.sender(partition), lane.next_number());
        let (Some(identity), Some(number)) = (identity, number) else { return true };
        let turn = self.manager.sequences.turn(partition, number, identity);
        turn == Turn::Waits || lane.is_held(now, epoch, muting, Order::ByNumber)
    }

    /// The partitions whose next batch goes to this leader now. Those that are not due
    /// themselves keep the others company.
    fn drain(
        &mut self,
        now: Instant,
        leader: NodeId,
    ) -> Option<(Acks, Vec<TopicPartition>)> {
        let urgency = self.urgency();
        let mut led: Vec<(TopicPartition, Option<BatchCause>, Acks, usize)> = Vec::new();
        for (partition, lane) in self.accumulator.lanes() {
            let known = self.cluster.metadata.leadership(partition);
            let Some(known) = known.filter(|it| it.leader == Some(leader)) else {
                continue;
            };
            let (Some(acks), Some(length)) = (lane.next_acks(), lane.next_len()) else {
                continue;
            };
            if !self.is_held(now, partition, lane, known.epoch) {
                let cause = lane.readiness(now, &self.config, urgency);
                led.push((partition.clone(), cause, acks, length));
            }
        }
        if let Some(turn) = self.turns.get(&leader) {
            let at = led.partition_point(|(partition, ..)| partition < turn);
            led.rotate_left(at);
        }
        let (.., acks, _) = *led.iter().find(|(_, cause, ..)| cause.is_some())?;
        let (mut total, mut chosen) = (0, Vec::new());
        self.turns.remove(&leader);
        for (partition, cause, _, length) in led.into_iter().filter(|it| it.2 == acks) {
            if !chosen.is_empty() && total + length > self.config.max_request_size {
                self.turns.insert(leader, partition);
                break;
            }
            total += length;
            let cause = cause.unwrap_or(BatchCause::Company);
            self.accumulator.lane(&partition).close_next(cause);
            chosen.push(partition);
        }
        chosen.sort();
        Some((acks, chosen))
    }

    fn ship(
        &mut self,
        now: Instant,
        to: &Endpoint,
        acks: Acks,
        partitions: Vec<TopicPartition>,
    ) {
        let mut cargo: Cargo = Vec::with_capacity(partitions.len());
        for partition in partitions {
            self.number_next(&partition, acks);
            let Some(mut parcel) = self.accumulator.depart(&partition) else { continue };
            if let Some(known) = self.cluster.metadata.leadership(&partition) {
                parcel.sent_to = known.epoch;
            }
            self.cluster.metadata.follow(now, &partition.topic);
            self.tell_departure(&partition, &parcel, acks);
            cargo.push((partition, parcel));
        }
        let timeout = self.config.common.request_timeout;
        let mut request = produce_request(acks, timeout, &cargo);
        let id = self.manager.transactional_id.as_deref();
        let id = id.map(|id| TransactionalId(StrBytes::from_string(id.to_owned())));
        // Only later versions add partitions to a transaction by themselves (KIP-890).
        let adds_itself = id.is_none() || self.manager.protocol == Protocol::V2;
        let newest = if adds_itself { i16::MAX } else { 11 };
        request.transactional_id = id;
        let body = RequestKind::Produce(request);
        if acks != Acks::None {
            let errand = Errand::Produce(cargo);
            return self.cluster.send_as(now, to, body, newest, errand);
        }
        self.cluster.send_unanswered(now, to, body);
        for (partition, parcel) in cargo {
            self.accumulator.arrived(&partition, &parcel);
            self.acknowledged(partition, &parcel, None);
        }
    }

    /// Gives the next batch of a partition its numbers: its own, if it had some before.
    fn number_next(&mut self, partition: &TopicPartition, acks: Acks) {
        let identity = self.manager.sender(partition);
        let Some(identity) = identity.filter(|_| self.is_numbered(Some(acks))) else {
            return;
        };
        let flags = match self.manager.is_transactional() {
            true => Attributes::TRANSACTIONAL,
            false => Attributes::default(),
        };
        let sequences = &mut self.manager.sequences;
        self.accumulator.stamp(partition, flags, |next| {
            sequences.stamp(partition, next.number, next.batch.count(), identity)
        });
    }

    fn tell_departure(
        &mut self,
        partition: &TopicPartition,
        parcel: &Parcel,
        acks: Acks,
    ) {
        let count = i64::from(parcel.batch.count());
        if parcel.attempts == 1 {
            let (bytes, cause) = (parcel.batch.len_bytes(), parcel.cause);
            self.cluster.mark(Rule::Prd2, partition);
            let deed = ClientDeed::BatchReady { count, bytes, cause };
            self.cluster.deed(Some(partition), deed);
        }
        if parcel.attempts > 1 && parcel.stamp.is_some() {
            self.cluster.mark(Rule::Prd6, partition);
        }
        self.cluster.fact(Fact::BatchSent {
            partition: partition.clone(),
            batch: parcel.batch.id(),
            count,
            acks,
            attempt: parcel.attempts - 1,
        });
    }

    fn answered(&mut self, now: Instant, cargo: Cargo, body: &ResponseKind) {
        let told = answers(body);
        let silent = PartitionProduceResponse::default();
        for (partition, parcel) in cargo {
            let told = told.get(&(&*partition.topic, partition.partition)).copied();
            if let Some(told) = told {
                let leader = &told.current_leader;
                let hint = Leadership::hint(leader.leader_id.0, leader.leader_epoch);
                hint.map(|hint| self.cluster.hinted(&partition, hint));
            }
            if !self.accumulator.arrived(&partition, &parcel) {
                // It was given up while the request was under way.
                if let Some(told) = told.filter(|told| told.error_code == 0) {
                    self.note_written(
                        &partition,
                        &parcel,
                        Some(Offset(told.base_offset)),
                    );
                }
                continue;
            }
            let (error, told) = match told {
                Some(told) => (error_of(told.error_code), told),
                None => (Some(ErrorCode::UnknownServerError), &silent),
            };
            match error {
                None => {
                    let base = Some(Offset(told.base_offset));
                    self.acknowledged(partition, &parcel, base);
                }
                Some(error) => {
                    let known = told.log_start_offset >= 0;
                    let log_start = known.then_some(Offset(told.log_start_offset));
                    self.remedy(now, partition, parcel, Told { error, log_start });
                }
            }
        }
    }

    /// Does about an error what the table says.
    fn remedy(
        &mut self,
        now: Instant,
        partition: TopicPartition,
        parcel: Parcel,
        told: Told,
    ) {
        let error = told.error;
        match self.remedy_for(&partition, &parcel, told) {
            ProduceRemedy::Accept => self.acknowledged(partition, &parcel, None),
            ProduceRemedy::Split if parcel.records() > 1 => {
                let parts = self.accumulator.split(now, &partition, &parcel);
                let into = parts.len();
                self.manager.sequences.split(&partition, parcel.number, parts);
                let deed = ClientDeed::BatchSplit { into };
                self.cluster.deed(Some(&partition), deed);
            }
            ProduceRemedy::Split | ProduceRemedy::Fail => {
                self.refused(&partition, &parcel, error);
                self.failed(partition, &parcel, error);
            }
            ProduceRemedy::Retry => self.try_again(now, partition, parcel, error),
            ProduceRemedy::RefreshAndRetry => {
                self.cluster.doubt(error);
                self.try_again(now, partition, parcel, error);
            }
        }
    }

    /// What is to be done about an error: where it is about the batch's numbers, that
    /// depends on those of the others (PRD-6, PRD-8).
    fn remedy_for(
        &mut self,
        partition: &TopicPartition,
        parcel: &Parcel,
        told: Told,
    ) -> ProduceRemedy {
        let Some(stamp) = parcel.stamp else { return produce_remedy(told.error) };
        let sequences = &self.manager.sequences;
        let is_transactional = self.manager.is_transactional();
        let is_gap = match told.error {
            ErrorCode::OutOfOrderSequenceNumber
            | ErrorCode::UnknownProducerId
            | ErrorCode::InvalidProducerEpoch
                if sequences.is_renumbered(partition, parcel.number, stamp) =>
            {
                return ProduceRemedy::Retry;
            }
            ErrorCode::OutOfOrderSequenceNumber => {
                match sequences.out_of_order(partition, parcel.number) {
                    OutOfOrder::Gap => true,
                    OutOfOrder::Retry => {
                        let sequence = stamp.base_sequence;
                        let deed = ClientDeed::OutOfOrder { sequence };
                        self.cluster.deed(Some(partition), deed);
                        false
                    }
                }
            }
            ErrorCode::UnknownProducerId => match (told.log_start, self.manager.identity)
            {
                // The next answer may tell where the log begins.
                (None, _) | (_, None) => false,
                (Some(start), Some(identity))
                    if is_transactional && sequences.is_forgotten(partition, start) =>
                {
                    self.manager.sequences.begin_anew(partition, identity);
                    false
                }
                (Some(_), Some(_)) => true,
            },
            error => return produce_remedy(error),
        };
        if is_gap && is_transactional {
            return ProduceRemedy::Fail;
        }
        if is_gap {
            self.manager.gaps.insert(partition.clone());
        }
        ProduceRemedy::Retry
    }

    /// A numbered batch has failed, and is not in the log.
    fn refused(&mut self, partition: &TopicPartition, parcel: &Parcel, error: ErrorCode) {
        if parcel.stamp.is_none() {
            return;
        }
        if !self.manager.is_transactional() {
            self.manager.sequences.forget(partition, parcel.number);
            self.manager.gaps.insert(partition.clone());
            return;
        }
        self.manager.sequences.close_ranks(partition, parcel.number);
        match ends_producer(error) {
            true => self.ruined(error),
            false => self.spoiled(error),
        }
    }

    /// A batch was given up; if it had left, nobody knows whether it is in the log.
    pub(super) fn lost_track(
        &mut self,
        partition: &TopicPartition,
        number: u64,
        error: ErrorCode,
    ) {
        if self.manager.sequences.given_up(partition, number) {
            self.cluster.deed(Some(partition), ClientDeed::Unresolved);
        }
        // A transaction that lacks a record must not be committed, sent or not.
        self.spoiled(error);
    }

    fn try_again(
        &mut self,
        now: Instant,
        partition: TopicPartition,
        mut parcel: Parcel,
        error: ErrorCode,
    ) {
        let is_late = parcel.created + self.config.delivery_timeout <= now;
        if is_late || parcel.attempts > self.config.retries {
            self.lost_track(&partition, parcel.number, error);
            return self.failed(partition, &parcel, error);
        }
        parcel.last_error = error;
        parcel.pause = now + self.cluster.backoff(parcel.attempts);
        let lane = self.accumulator.lane(&partition);
        if Defect::RetryReorder.is_sown() {
            lane.change_places(&mut parcel);
        }
        lane.put_back(parcel);
    }

    /// A numbered batch is in the log.
    fn note_written(
        &mut self,
        partition: &TopicPartition,
        parcel: &Parcel,
        base: Option<Offset>,
    ) {
        if let Some(stamp) = parcel.stamp {
            let (number, count) = (parcel.number, parcel.batch.count());
            let base = base.filter(|base| base.0 >= 0);
            let sequences = &mut self.manager.sequences;
            sequences.acknowledged(partition, number, stamp, count, base);
        }
    }

    fn acknowledged(
        &mut self,
        partition: TopicPartition,
        parcel: &Parcel,
        base: Option<Offset>,
    ) {
        self.note_written(&partition, parcel, base);
        self.pending -= parcel.records();
        self.accumulator.release(parcel);
        self.cluster.fact(Fact::BatchAcked {
            partition,
            batch: parcel.batch.id(),
            count: i64::from(parcel.batch.count()),
            acks: parcel.acks,
            base,
        });
    }

    fn failed(&mut self, partition: TopicPartition, parcel: &Parcel, error: ErrorCode) {
        self.pending -= parcel.records();
        self.accumulator.release(parcel);
        let batch = parcel.batch.id();
        self.cluster.fact(Fact::BatchFailed { partition, batch, error });
    }
}

fn produce_request(acks: Acks, timeout: Duration, cargo: &Cargo) -> ProduceRequest {
    let mut request = ProduceRequest::default();
    request.acks = match acks {
        Acks::None => 0,
        Acks::Leader => 1,
        Acks::All => -1,
    };
    request.timeout_ms = i32::try_from(timeout.as_millis()).unwrap_or(i32::MAX);
    for (partition, parcel) in cargo {
        let name = topic_name(&partition.topic);
        if request.topic_data.last().is_none_or(|topic| topic.name != name) {
            let mut topic = TopicProduceData::default();
            topic.name = name;
            request.topic_data.push(topic);
        }
        let mut data = PartitionProduceData::default();
        data.index = partition.partition;
        data.records = Some(parcel.batch.bytes().clone());
        if let Some(topic) = request.topic_data.last_mut() {
            topic.partition_data.push(data);
        }
    }
    request
}

/// What the leader said about each partition.
fn answers(body: &ResponseKind) -> BTreeMap<(&str, i32), &PartitionProduceResponse> {
    let ResponseKind::Produce(response) = body else { return BTreeMap::new() };
    let topics = response.responses.iter();
    let all = topics.flat_map(|topic| {
        let partitions = topic.partition_responses.iter();
        partitions.map(|told| ((topic.name.0.as_str(), told.index), told))
    });
    all.collect()
}
