//! The sender: which batches leave now, in which request, and what the answers mean.
//!
//! A broker is ready when at least one batch for it may leave; then the next batch of each
//! of its partitions goes along, up to `max.request.size` (PRD-2).

use std::collections::{BTreeMap, BTreeSet};

use topomotion_wire::messages::produce_request::{
    PartitionProduceData, TopicProduceData,
};
use topomotion_wire::messages::produce_response::PartitionProduceResponse;
use topomotion_wire::messages::{ProduceRequest, RequestKind, ResponseKind};
use topomotion_wire::{
    Acks, BatchCause, ClientDeed, Duration, Endpoint, ErrorCode, Fact, Instant,
    LeaderEpoch, MetadataCause, NodeId, Offset, Rule, TopicPartition,
};

use super::Producer;
use super::accumulator::Parcel;
use crate::cluster::ClusterEvent;
use crate::errors::{ProduceRemedy, error_of, produce_remedy};
use crate::metadata::{Leadership, topic_name};

/// One request's parcels, by partition.
pub(super) type Cargo = Vec<(TopicPartition, Parcel)>;

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
                ClusterEvent::Answered { errand, body } => {
                    self.answered(now, errand, &body);
                }
                ClusterEvent::Lost { errand } => {
                    self.all_failed(now, errand, ErrorCode::NetworkException);
                }
                ClusterEvent::Unsupported { errand } => {
                    self.all_failed(now, errand, ErrorCode::UnsupportedVersion);
                }
            }
        }
    }

    fn all_failed(&mut self, now: Instant, cargo: Cargo, error: ErrorCode) {
        for (partition, parcel) in cargo {
            if self.accumulator.arrived(&partition, &parcel) {
                self.remedy(now, partition, parcel, error);
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
        let (urgency, muting) = (self.urgency(), self.muting());
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
            if !lane.is_held(now, epoch, muting) {
                ready.insert(leader);
            }
        }
        for (partition, _) in leaderless {
            self.cluster.metadata.follow(now, &partition.topic);
            self.cluster.metadata.want(MetadataCause::NoLeader);
        }
        ready
    }

    /// The partitions whose next batch goes to this leader now. Those that are not due
    /// themselves keep the others company.
    fn drain(
        &mut self,
        now: Instant,
        leader: NodeId,
    ) -> Option<(Acks, Vec<TopicPartition>)> {
        let (urgency, muting) = (self.urgency(), self.muting());
        let mut led: Vec<(TopicPartition, Option<BatchCause>, Acks, usize)> = Vec::new();
        for (partition, lane) in self.accumulator.lanes() {
            let known = self.cluster.metadata.leadership(partition);
            let Some(known) = known.filter(|it| it.leader == Some(leader)) else {
                continue;
            };
            let (Some(acks), Some(length)) = (lane.next_acks(), lane.next_len()) else {
                continue;
            };
            if !lane.is_held(now, known.epoch, muting) {
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
            let Some(mut parcel) = self.accumulator.depart(&partition) else { continue };
            if let Some(known) = self.cluster.metadata.leadership(&partition) {
                parcel.sent_to = known.epoch;
            }
            self.cluster.metadata.follow(now, &partition.topic);
            self.tell_departure(&partition, &parcel, acks);
            cargo.push((partition, parcel));
        }
        let request = produce_request(acks, self.config.common.request_timeout, &cargo);
        let body = RequestKind::Produce(request);
        if acks != Acks::None {
            return self.cluster.send(now, to, body, cargo);
        }
        self.cluster.send_unanswered(now, to, body);
        for (partition, parcel) in cargo {
            self.accumulator.arrived(&partition, &parcel);
            self.acknowledged(partition, &parcel, None);
        }
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
        for (partition, parcel) in cargo {
            let told = told.get(&(&*partition.topic, partition.partition)).copied();
            if let Some(told) = told {
                let leader = &told.current_leader;
                let hint = Leadership::hint(leader.leader_id.0, leader.leader_epoch);
                hint.map(|hint| self.cluster.hinted(&partition, hint));
            }
            if !self.accumulator.arrived(&partition, &parcel) {
                // It was given up while the request was under way.
                continue;
            }
            match told.map(|told| (error_of(told.error_code), told.base_offset)) {
                Some((None, base)) => {
                    self.acknowledged(partition, &parcel, Some(Offset(base)));
                }
                Some((Some(error), _)) => self.remedy(now, partition, parcel, error),
                None => {
                    let error = ErrorCode::UnknownServerError;
                    self.remedy(now, partition, parcel, error);
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
        error: ErrorCode,
    ) {
        match produce_remedy(error) {
            ProduceRemedy::Accept => self.acknowledged(partition, &parcel, None),
            ProduceRemedy::Split if parcel.records() > 1 => {
                let waiting = self.accumulator.queue(&partition);
                self.accumulator.split(now, &partition, &parcel);
                let into = self.accumulator.queue(&partition) - waiting;
                let deed = ClientDeed::BatchSplit { into };
                self.cluster.deed(Some(&partition), deed);
            }
            ProduceRemedy::Split | ProduceRemedy::Fail => {
                self.failed(partition, &parcel, error);
            }
            ProduceRemedy::Retry => self.try_again(now, partition, parcel, error),
            ProduceRemedy::RefreshAndRetry => {
                self.cluster.doubt(error);
                self.try_again(now, partition, parcel, error);
            }
        }
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
            return self.failed(partition, &parcel, error);
        }
        parcel.last_error = error;
        parcel.pause = now + self.cluster.backoff(parcel.attempts);
        self.accumulator.lane(&partition).put_back(parcel);
    }

    fn acknowledged(
        &mut self,
        partition: TopicPartition,
        parcel: &Parcel,
        base: Option<Offset>,
    ) {
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
