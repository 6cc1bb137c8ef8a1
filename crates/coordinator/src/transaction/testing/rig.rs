//! The world around the shard.
//!
//! The log, the high watermark and the leaders move by themselves ([`Rig::settle`]) unless a
//! story holds them, or a storm moves them one by one.

use std::cell::Cell;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use topomotion_wire::messages::add_partitions_to_txn_request::{
    AddPartitionsToTxnTopic, AddPartitionsToTxnTransaction,
};
use topomotion_wire::messages::write_txn_markers_response::{
    WritableTxnMarkerPartitionResult, WritableTxnMarkerResult,
    WritableTxnMarkerTopicResult,
};
use topomotion_wire::messages::{
    AddOffsetsToTxnRequest, AddPartitionsToTxnRequest, EndTxnRequest, GroupId,
    InitProducerIdRequest, ProducerId as WireProducerId, RequestKind, ResponseKind,
    TransactionalId, WriteTxnMarkersRequest, WriteTxnMarkersResponse,
};
use topomotion_wire::{
    Bytes, Duration, ErrorCode, Fact, Instant, LeaderEpoch, NodeId, Offset,
    ProducerEpoch, ProducerId, Rule, StrBytes, TopicId, TopicPartition, TransactionState,
    TransactionView,
};

use super::super::answer::topic_name;
use super::super::records::{decode_key, decode_value};
use super::super::state::Transaction;
use crate::{
    Caller, Control, Directory, Effect, Loaded, Shard, Stamp, Ticket, TransactionConfig,
    TransactionShard, WriteToken,
};

/// What the metadata says.
#[derive(Debug, Default)]
pub struct Map {
    /// Each partition's leader, if it has one.
    pub leaders: BTreeMap<TopicPartition, Option<NodeId>>,
    next_producer: Cell<i64>,
    /// Whether the block of producer ids is used up.
    pub is_dry: Cell<bool>,
}

impl Directory for Map {
    fn partition_count(&self, topic: &str) -> Option<i32> {
        let count = self.leaders.keys().filter(|it| &*it.topic == topic).count();
        i32::try_from(count).ok().filter(|&count| count > 0)
    }

    fn topic_id(&self, _topic: &str) -> Option<TopicId> {
        None
    }

    fn topic_name(&self, _id: TopicId) -> Option<Arc<str>> {
        None
    }

    fn leader(&self, partition: &TopicPartition) -> Option<NodeId> {
        self.leaders.get(partition).copied().flatten()
    }

    fn topics(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    fn claim_producer_id(&self) -> Result<ProducerId, ErrorCode> {
        if self.is_dry.get() {
            return Err(ErrorCode::CoordinatorLoadInProgress);
        }
        self.next_producer.set(self.next_producer.get() + 1);
        Ok(ProducerId(self.next_producer.get()))
    }
}

/// What a partition's leader knows of transactions.
#[derive(Debug, Default)]
pub struct Partition {
    /// The markers that it has taken, oldest first.
    pub markers: Vec<(Stamp, Control)>,
    epochs: BTreeMap<ProducerId, (ProducerEpoch, i32)>,
    /// What it answers instead of taking a marker.
    pub refuses: Option<ErrorCode>,
}

impl Partition {
    fn take(&mut self, stamp: Stamp, control: Control, coordinator: i32) -> i16 {
        if let Some(error) = self.refuses {
            return error.code();
        }
        let (epoch, known) =
            self.epochs.get(&stamp.producer).copied().unwrap_or((ProducerEpoch(-1), -1));
        if stamp.epoch < epoch {
            return ErrorCode::InvalidProducerEpoch.code();
        }
        if coordinator < known {
            return ErrorCode::TransactionCoordinatorFenced.code();
        }
        self.epochs.insert(stamp.producer, (stamp.epoch, coordinator));
        self.markers.push((stamp, control));
        0
    }
}

/// What moves by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flow {
    /// It moves.
    Free,
    /// It stands still until a story moves it.
    Held,
}

/// The shard and its world.
#[derive(Debug)]
pub struct Rig {
    pub now: Instant,
    pub shard: TransactionShard,
    pub config: TransactionConfig,
    pub map: Map,
    pub partitions: BTreeMap<TopicPartition, Partition>,
    /// Appended records; those below the high watermark are durable.
    pub log: Vec<(Bytes, Option<Bytes>)>,
    pub high_watermark: usize,
    pub log_flow: Flow,
    pub marker_flow: Flow,
    /// What the log answers to appends.
    pub append_error: Option<ErrorCode>,
    pub markers: VecDeque<(NodeId, WriteTxnMarkersRequest)>,
    pub answers: BTreeMap<Ticket, ResponseKind>,
    pub facts: Vec<(Arc<str>, TransactionView)>,
    pub marks: Vec<Rule>,
    waiting: VecDeque<(WriteToken, usize)>,
    next_ticket: u64,
    epoch: i32,
}

/// What a client is told.
pub type Told = Result<Stamp, ErrorCode>;

impl Rig {
    /// A coordinator with nothing, and `a-0`, `a-1` on broker 1, `b-0` on broker 2,
    /// `__consumer_offsets-0` on broker 3.
    pub fn new(config: TransactionConfig) -> Rig {
        let leaders =
            [("a", 0, 1), ("a", 1, 1), ("b", 0, 2), ("__consumer_offsets", 0, 3)];
        let mut map = Map::default();
        for (topic, index, leader) in leaders {
            map.leaders.insert(TopicPartition::new(topic, index), Some(NodeId(leader)));
        }
        let mut rig = Rig {
            now: Instant::ZERO,
            shard: TransactionShard::new(LeaderEpoch(0), config.clone()),
            config,
            partitions: BTreeMap::new(),
            map,
            log: Vec::new(),
            high_watermark: 0,
            log_flow: Flow::Free,
            marker_flow: Flow::Free,
            append_error: None,
            markers: VecDeque::new(),
            answers: BTreeMap::new(),
            facts: Vec::new(),
            marks: Vec::new(),
            waiting: VecDeque::new(),
            next_ticket: 0,
            epoch: 0,
        };
        rig.shard.loaded(rig.now, &rig.map);
        rig
    }

    /// Asks; the answer, if there is one yet, is in `answers`.
    pub fn ask(&mut self, version: i16, request: RequestKind) -> Ticket {
        self.next_ticket += 1;
        let ticket = Ticket(self.next_ticket);
        let caller = Caller {
            client_id: Arc::from("shop"),
            host: Arc::from("/10.0.0.1"),
            version,
        };
        self.shard.handle(self.now, &self.map, ticket, &caller, request);
        self.settle();
        ticket
    }

    /// Does what the shard wants until it wants nothing that is not held.
    pub fn settle(&mut self) {
        loop {
            self.drain();
            let moved = (self.log_flow == Flow::Free && self.commit_next())
                || (self.marker_flow == Flow::Free && self.deliver_next());
            if !moved {
                return;
            }
        }
    }

    /// Takes the shard's wishes, and moves nothing.
    pub fn drain(&mut self) {
        while let Some(effect) = self.shard.poll() {
            match effect {
                Effect::Answer { ticket, body } => {
                    let twice = self.answers.insert(ticket, body);
                    assert!(twice.is_none(), "a request is answered once");
                }
                Effect::Append { token, batch } => self.append(token, batch.records),
                Effect::WriteMarkers { to, request } => {
                    self.markers.push_back((to, request));
                }
                Effect::Mark(rule) => self.marks.push(rule),
                Effect::Fact(Fact::TransactionChanged { transactional_id, view }) => {
                    self.facts.push((transactional_id, view));
                }
                Effect::Fact(other) => panic!("no fact of a transaction: {other:?}"),
            }
        }
    }

    fn append(&mut self, token: WriteToken, records: Vec<(Bytes, Option<Bytes>)>) {
        let outcome = match self.append_error {
            Some(error) => Err(error),
            None => {
                let base = self.log.len();
                self.log.extend(records);
                self.waiting.push_back((token, self.log.len()));
                Ok(Offset(base as i64))
            }
        };
        self.shard.appended(self.now, &self.map, token, outcome);
    }

    /// The high watermark passes the oldest append that waits.
    pub fn commit_next(&mut self) -> bool {
        let Some((token, end)) = self.waiting.pop_front() else { return false };
        self.high_watermark = end;
        self.shard.committed(self.now, &self.map, token);
        self.drain();
        true
    }

    /// The oldest markers arrive, are taken, and answered.
    pub fn deliver_next(&mut self) -> bool {
        let Some((to, request)) = self.markers.pop_front() else { return false };
        let response = self.take_markers(to, &request);
        self.answer_markers(to, &request, Some(response));
        true
    }

    /// The answer to markers arrives, or none does.
    pub fn answer_markers(
        &mut self,
        from: NodeId,
        request: &WriteTxnMarkersRequest,
        response: Option<ResponseKind>,
    ) {
        let response = response.as_ref();
        self.shard.markers_answered(self.now, &self.map, from, request, response);
        self.drain();
    }

    /// A broker takes markers for what it leads.
    pub fn take_markers(
        &mut self,
        to: NodeId,
        request: &WriteTxnMarkersRequest,
    ) -> ResponseKind {
        let results = request.markers.iter().map(|marker| {
            let stamp = stamp(marker.producer_id, marker.producer_epoch);
            let control = control(marker.transaction_result);
            let topics = marker.topics.iter().map(|topic| {
                let results = topic.partition_indexes.iter().map(|&index| {
                    let partition = TopicPartition::new(&**topic.name, index);
                    let code = match self.map.leader(&partition) == Some(to) {
                        false => ErrorCode::NotLeaderOrFollower.code(),
                        true => self.partitions.entry(partition).or_default().take(
                            stamp,
                            control,
                            marker.coordinator_epoch,
                        ),
                    };
                    WritableTxnMarkerPartitionResult::default()
                        .with_partition_index(index)
                        .with_error_code(code)
                });
                WritableTxnMarkerTopicResult::default()
                    .with_name(topic.name.clone())
                    .with_partitions(results.collect())
            });
            WritableTxnMarkerResult::default()
                .with_producer_id(marker.producer_id)
                .with_topics(topics.collect())
        });
        let markers = results.collect();
        ResponseKind::WriteTxnMarkers(
            WriteTxnMarkersResponse::default().with_markers(markers),
        )
    }

    /// The broker dies; another, which has all that is durable, takes over.
    pub fn fail_over(&mut self) {
        self.log.truncate(self.high_watermark);
        self.waiting.clear();
        self.epoch += 1;
        self.shard = TransactionShard::new(LeaderEpoch(self.epoch), self.config.clone());
        for (offset, (key, value)) in self.log.iter().enumerate() {
            let record = Loaded::Record {
                offset: Offset(offset as i64),
                timestamp: 0,
                transaction: None,
                key: key.clone(),
                value: value.clone(),
            };
            self.shard.load(self.now, record);
        }
        self.shard.loaded(self.now, &self.map);
        self.settle();
    }

    /// Time passes, with ticks at the deadlines.
    pub fn pass(&mut self, millis: u64) {
        let end = self.now + Duration::from_millis(millis);
        while let Some(at) = self.shard.deadline().filter(|&at| at <= end) {
            self.now = at.max(self.now);
            self.shard.tick(self.now, &self.map);
            self.settle();
            let again = self.shard.deadline();
            assert!(
                again.is_none_or(|again| again > self.now),
                "a tick does what is due"
            );
        }
        self.now = end;
    }

    /// A leader moves, or is lost.
    pub fn lead(&mut self, partition: (&str, i32), leader: Option<i32>) {
        let partition = TopicPartition::new(partition.0, partition.1);
        self.map.leaders.insert(partition, leader.map(NodeId));
        self.shard.metadata_changed(self.now, &self.map);
        self.settle();
    }

    /// The markers that a partition has taken.
    pub fn markers_of(&self, topic: &str, index: i32) -> &[(Stamp, Control)] {
        let partition = self.partitions.get(&TopicPartition::new(topic, index));
        partition.map_or(&[], |partition| &partition.markers)
    }

    /// What is durable of an id.
    pub fn durable(&self, id: &str) -> Option<Transaction> {
        let newest =
            self.history().into_iter().rfind(|(of, _)| &**of == id).map(|(_, is)| is);
        newest.flatten()
    }

    /// The state of an id, as its durable records have it.
    pub fn state(&self, id: &str) -> Option<TransactionState> {
        self.durable(id).map(|transaction| transaction.state)
    }

    /// Every durable record.
    pub fn history(&self) -> Vec<(Arc<str>, Option<Transaction>)> {
        let durable = &self.log[..self.high_watermark];
        let read = |(key, value): &(Bytes, Option<Bytes>)| {
            let id = decode_key(key).expect("a key of a transaction");
            let value = value.as_deref();
            (id, value.map(|value| decode_value(value).expect("a whole value")))
        };
        durable.iter().map(read).collect()
    }

    /// The states that an id went through, as facts told it, each once.
    pub fn told_states(&self, id: &str) -> Vec<TransactionState> {
        let of_id = self.facts.iter().filter(|(of, _)| &**of == id);
        let mut states: Vec<_> = of_id.map(|(_, view)| view.state).collect();
        states.dedup();
        states
    }

    /// What a request was told, if anything yet.
    pub fn told(&self, ticket: Ticket) -> Option<Told> {
        self.answers.get(&ticket).map(told)
    }

    /// InitProducerId without an id or epoch.
    pub fn init(&mut self, id: &str) -> Told {
        let ticket = self.ask(4, init(id, None));
        self.told(ticket).expect("an answer")
    }

    /// AddPartitionsToTxn of a broker, as the first record of transaction V2 brings it.
    pub fn add(&mut self, id: &str, stamp: Stamp, to: &[(&str, i32)]) -> Told {
        let ticket = self.ask(5, add_for_broker(id, stamp, to, Verify::No));
        self.told(ticket).expect("an answer")
    }

    /// EndTxn in transaction V2.
    pub fn end(&mut self, id: &str, stamp: Stamp, control: Control) -> Told {
        let ticket = self.ask(5, end(id, stamp, control));
        self.told(ticket).expect("an answer")
    }
}

fn told(body: &ResponseKind) -> Told {
    let (code, stamp) = match body {
        ResponseKind::InitProducerId(told) => {
            (told.error_code, stamp(told.producer_id, told.producer_epoch))
        }
        ResponseKind::EndTxn(told) => {
            (told.error_code, stamp(told.producer_id, told.producer_epoch))
        }
        ResponseKind::AddOffsetsToTxn(told) => (told.error_code, nobody()),
        ResponseKind::AddPartitionsToTxn(told) => (first_code(told), nobody()),
        other => panic!("no answer of a transaction: {other:?}"),
    };
    match ErrorCode::try_from_code(code) {
        None => Ok(stamp),
        Some(error) => Err(error),
    }
}

fn first_code(told: &topomotion_wire::messages::AddPartitionsToTxnResponse) -> i16 {
    let new = told.results_by_transaction.iter().flat_map(|it| &it.topic_results);
    let topics = new.chain(&told.results_by_topic_v3_and_below);
    let mut codes = topics
        .flat_map(|topic| &topic.results_by_partition)
        .map(|result| result.partition_error_code);
    codes.find(|&code| code != 0).unwrap_or(told.error_code)
}

fn nobody() -> Stamp {
    Stamp { producer: ProducerId(-1), epoch: ProducerEpoch(-1) }
}

/// A producer id and its epoch.
pub fn stamp(producer: WireProducerId, epoch: i16) -> Stamp {
    Stamp { producer: ProducerId(producer.0), epoch: ProducerEpoch(epoch) }
}

/// How a flag says it.
pub fn control(commit: bool) -> Control {
    match commit {
        true => Control::Commit,
        false => Control::Abort,
    }
}

fn named(id: &str) -> TransactionalId {
    TransactionalId(StrBytes::from_string(id.to_owned()))
}

/// InitProducerId with a minute's timeout.
pub fn init(id: &str, has: Option<Stamp>) -> RequestKind {
    let (producer, epoch) = has.map_or((-1, -1), |has| (has.producer.0, has.epoch.0));
    RequestKind::InitProducerId(
        InitProducerIdRequest::default()
            .with_transactional_id(Some(named(id)))
            .with_transaction_timeout_ms(60_000)
            .with_producer_id(WireProducerId(producer))
            .with_producer_epoch(epoch),
    )
}

/// Whether a broker only asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verify {
    Only,
    No,
}

/// AddPartitionsToTxn as brokers send it.
pub fn add_for_broker(
    id: &str,
    stamp: Stamp,
    to: &[(&str, i32)],
    verify: Verify,
) -> RequestKind {
    let one = AddPartitionsToTxnTransaction::default()
        .with_transactional_id(named(id))
        .with_producer_id(WireProducerId(stamp.producer.0))
        .with_producer_epoch(stamp.epoch.0)
        .with_verify_only(verify == Verify::Only)
        .with_topics(topics(to));
    RequestKind::AddPartitionsToTxn(
        AddPartitionsToTxnRequest::default().with_transactions(vec![one]),
    )
}

/// AddPartitionsToTxn as producers of transaction V1 send it.
pub fn add_by_client(id: &str, stamp: Stamp, to: &[(&str, i32)]) -> RequestKind {
    RequestKind::AddPartitionsToTxn(
        AddPartitionsToTxnRequest::default()
            .with_v3_and_below_transactional_id(named(id))
            .with_v3_and_below_producer_id(WireProducerId(stamp.producer.0))
            .with_v3_and_below_producer_epoch(stamp.epoch.0)
            .with_v3_and_below_topics(topics(to)),
    )
}

fn topics(to: &[(&str, i32)]) -> Vec<AddPartitionsToTxnTopic> {
    let topic = |&(name, index): &(&str, i32)| {
        AddPartitionsToTxnTopic::default()
            .with_name(topic_name(name))
            .with_partitions(vec![index])
    };
    to.iter().map(topic).collect()
}

/// AddOffsetsToTxn.
pub fn add_offsets(id: &str, stamp: Stamp, group: &str) -> RequestKind {
    RequestKind::AddOffsetsToTxn(
        AddOffsetsToTxnRequest::default()
            .with_transactional_id(named(id))
            .with_producer_id(WireProducerId(stamp.producer.0))
            .with_producer_epoch(stamp.epoch.0)
            .with_group_id(GroupId(StrBytes::from_string(group.to_owned()))),
    )
}

/// EndTxn.
pub fn end(id: &str, stamp: Stamp, control: Control) -> RequestKind {
    RequestKind::EndTxn(
        EndTxnRequest::default()
            .with_transactional_id(named(id))
            .with_producer_id(WireProducerId(stamp.producer.0))
            .with_producer_epoch(stamp.epoch.0)
            .with_committed(control == Control::Commit),
    )
}
