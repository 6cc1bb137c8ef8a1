//! Transactional producers against scripted coordinators (TXN-2, TXN-4, TXN-5, TXN-9).

mod rig;

use std::collections::{BTreeMap, VecDeque};

use rig::*;
use topomotion_client::{
    GroupMetadata, Idempotence, OutOfTurn, Producer, ProducerConfig, ProducerState,
    TransactionProtocol,
};
use topomotion_log::{Attributes, Batches};
use topomotion_wire::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnTopicResult,
};
use topomotion_wire::messages::find_coordinator_response::Coordinator;
use topomotion_wire::messages::txn_offset_commit_response::{
    TxnOffsetCommitResponsePartition, TxnOffsetCommitResponseTopic,
};
use topomotion_wire::messages::{
    AddOffsetsToTxnResponse, AddPartitionsToTxnResponse, EndTxnResponse,
    FindCoordinatorResponse, InitProducerIdResponse, ProducerId, RequestKind,
    ResponseKind, TxnOffsetCommitResponse,
};
use topomotion_wire::{
    Duration, ErrorCode, Fact, Offset, Random, Rule, StrBytes, TransactionStep,
};

/// Answers that are not the usual ones: (kind of request, what instead), in order.
type Odds = VecDeque<(char, Odd)>;

enum Odd {
    Error(ErrorCode),
    Reset,
    Silence,
}

use Odd::{Error, Reset, Silence};
use TransactionProtocol::{V1, V2};
use TransactionStep as S;

/// One letter for each kind of request.
fn letter(body: &RequestKind) -> char {
    match body {
        RequestKind::FindCoordinator(it) if it.key_type == 1 => 'F',
        RequestKind::FindCoordinator(_) => 'G',
        RequestKind::InitProducerId(_) => 'I',
        RequestKind::AddPartitionsToTxn(_) => 'A',
        RequestKind::AddOffsetsToTxn(_) => 'O',
        RequestKind::TxnOffsetCommit(_) => 'T',
        RequestKind::EndTxn(it) if it.committed => 'C',
        RequestKind::EndTxn(_) => 'X',
        RequestKind::Produce(_) => 'p',
        _ => '-',
    }
}

fn answer(body: ResponseKind) -> Reply {
    Reply::Answer(Box::new(body))
}

/// Port 1 leads the partition, port 2 coordinates. Ends of transactions raise the epoch if
/// they are asked as KIP-890 wants it.
#[allow(clippy::too_many_lines)]
fn cluster(
    protocol: TransactionProtocol,
    odds: impl IntoIterator<Item = (char, Odd)>,
) -> impl FnMut(u16, &RequestKind) -> Reply {
    let mut odds: Odds = odds.into_iter().collect();
    let mut epoch = -1;
    let mut next_offset = 0;
    move |port, request| {
        let kind = letter(request);
        let mut code = 0;
        if odds.front().is_some_and(|(of, _)| *of == kind) {
            match odds.pop_front() {
                Some((_, Error(error))) => code = error.code(),
                Some((_, Reset)) => return Reply::Reset,
                _ => return Reply::Silence,
            }
        }
        let wanted = if matches!(kind, 'p' | '-' | 'F' | 'G') { port } else { 2 };
        assert_eq!(port, wanted, "{kind} is for its coordinator");
        match request {
            RequestKind::Metadata(_) => metadata(1, 0),
            RequestKind::FindCoordinator(asked) => {
                let mut found = Coordinator::default();
                found.key = asked.coordinator_keys[0].clone();
                (found.host, found.port) = (StrBytes::from_static_str("host"), 2);
                found.error_code = code;
                let mut response = FindCoordinatorResponse::default();
                response.coordinators = vec![found];
                answer(ResponseKind::FindCoordinator(response))
            }
            RequestKind::InitProducerId(_) => {
                let mut response = InitProducerIdResponse::default();
                response.error_code = code;
                if code == 0 {
                    epoch += 1;
                    (response.producer_id, response.producer_epoch) =
                        (ProducerId(7), epoch);
                }
                answer(ResponseKind::InitProducerId(response))
            }
            RequestKind::AddPartitionsToTxn(asked) => {
                let mut response = AddPartitionsToTxnResponse::default();
                for asked in &asked.v3_and_below_topics {
                    let mut topic = AddPartitionsToTxnTopicResult::default();
                    topic.name = asked.name.clone();
                    for index in &asked.partitions {
                        let mut one = AddPartitionsToTxnPartitionResult::default();
                        (one.partition_index, one.partition_error_code) = (*index, code);
                        topic.results_by_partition.push(one);
                    }
                    response.results_by_topic_v3_and_below.push(topic);
                }
                answer(ResponseKind::AddPartitionsToTxn(response))
            }
            RequestKind::AddOffsetsToTxn(_) => {
                let mut response = AddOffsetsToTxnResponse::default();
                response.error_code = code;
                answer(ResponseKind::AddOffsetsToTxn(response))
            }
            RequestKind::TxnOffsetCommit(asked) => {
                let mut response = TxnOffsetCommitResponse::default();
                for asked in &asked.topics {
                    let mut topic = TxnOffsetCommitResponseTopic::default();
                    topic.name = asked.name.clone();
                    let mut one = TxnOffsetCommitResponsePartition::default();
                    one.error_code = code;
                    topic.partitions = vec![one];
                    response.topics.push(topic);
                }
                answer(ResponseKind::TxnOffsetCommit(response))
            }
            RequestKind::EndTxn(_) => {
                let mut response = EndTxnResponse::default();
                (response.error_code, response.producer_epoch) = (code, -1);
                response.producer_id = ProducerId(-1);
                if code == 0 && protocol == V2 {
                    epoch += 1;
                    (response.producer_id, response.producer_epoch) =
                        (ProducerId(7), epoch);
                }
                answer(ResponseKind::EndTxn(response))
            }
            RequestKind::Produce(_) => {
                next_offset += 1;
                produced(code, next_offset - 1)
            }
            _ => Reply::Silence,
        }
    }
}

fn transactional(protocol: TransactionProtocol) -> Producer {
    let mut config = ProducerConfig::new(common());
    config.idempotence = Idempotence::WherePossible;
    config.transactional_id = Some("mover".into());
    config.transaction_protocol = protocol;
    config.delivery_timeout = Duration::from_millis(3_000);
    config.common.request_timeout = Duration::from_millis(1_000);
    Producer::new(config, Random::new(1, 1))
}

/// A rig whose producer is ready; what happened until then is forgotten.
fn ready(
    protocol: TransactionProtocol,
    odds: impl IntoIterator<Item = (char, Odd)>,
) -> Rig<Producer, impl FnMut(u16, &RequestKind) -> Reply> {
    let mut rig = Rig::new(transactional(protocol), cluster(protocol, odds));
    rig.client.warm_up(rig.now, &"orders".into());
    rig.run_until(100);
    rig.client.init_transactions(rig.now).expect("it is the first call");
    rig.run_until(1_000);
    assert_eq!(rig.client.state(), ProducerState::Ready);
    rig.facts.clear();
    rig.requests.clear();
    rig
}

fn pass<S: FnMut(u16, &RequestKind) -> Reply>(rig: &mut Rig<Producer, S>, ms: u64) {
    let then = rig.now.as_millis() + ms;
    rig.run_until(then);
}

fn letters(requests: &[(u16, RequestKind)]) -> String {
    requests.iter().map(|(_, body)| letter(body)).filter(|it| *it != '-').collect()
}

fn steps(facts: &[Fact]) -> Vec<(u64, TransactionStep)> {
    let steps = facts.iter().filter_map(|fact| match fact {
        Fact::Transaction { number, step, .. } => Some((*number, *step)),
        _ => None,
    });
    steps.collect()
}

fn epochs(facts: &[Fact]) -> Vec<i16> {
    let epochs = facts.iter().filter_map(|fact| match fact {
        Fact::ProducerIdentified { epoch, .. } => Some(epoch.0),
        _ => None,
    });
    epochs.collect()
}

/// (epoch, first sequence number, whether it is of a transaction) of each batch sent.
fn batches(requests: &[(u16, RequestKind)]) -> Vec<(i16, i32, bool)> {
    let produced = requests.iter().filter_map(|(_, body)| match body {
        RequestKind::Produce(produce) => Some(produce),
        _ => None,
    });
    let data = produced.flat_map(|it| &it.topic_data).flat_map(|it| &it.partition_data);
    let batches = data.flat_map(|data| {
        Batches::new(data.records.clone().unwrap_or_default()).flatten()
    });
    let told = batches.filter_map(|batch| {
        let is_of_one = batch.attributes().contains(Attributes::TRANSACTIONAL);
        batch.producer().map(|it| (it.epoch, it.base_sequence, is_of_one))
    });
    told.collect()
}

fn offsets() -> BTreeMap<topomotion_wire::TopicPartition, Offset> {
    BTreeMap::from([(partition(), Offset(5))])
}

#[test]
fn initialising_finds_the_coordinator_and_gets_an_epoch() {
    let odds = [
        ('F', Error(ErrorCode::CoordinatorNotAvailable)),
        ('I', Error(ErrorCode::CoordinatorLoadInProgress)),
        ('I', Error(ErrorCode::NotCoordinator)),
        ('I', Error(ErrorCode::ConcurrentTransactions)),
        ('I', Reset),
    ];
    let mut rig = Rig::new(transactional(V2), cluster(V2, odds));
    rig.client.warm_up(rig.now, &"orders".into());
    rig.run_until(100);
    assert_eq!(letters(&rig.requests), "", "nothing is asked unbidden");
    rig.client.init_transactions(rig.now).expect("it is the first call");
    assert_eq!(rig.client.state(), ProducerState::Initializing);
    rig.run_until(10_000);
    assert_eq!(letters(&rig.requests), "FFIIFIIFI");
    assert_eq!(rig.client.state(), ProducerState::Ready);
    assert_eq!(epochs(&rig.facts), [0]);
}

#[test]
fn in_the_first_protocol_partitions_and_offsets_are_added_before_they_are_used() {
    let mut rig = ready(V1, []);
    rig.client.begin_transaction(rig.now).expect("ready");
    rig.client.send(rig.now, plain(Some(0), "a"));
    pass(&mut rig, 100);
    rig.client.send(rig.now, plain(Some(0), "b"));
    let group = GroupMetadata::outside("g");
    rig.client.send_offsets_to_transaction(rig.now, offsets(), group).expect("open");
    rig.client.commit_transaction(rig.now).expect("open");
    pass(&mut rig, 1_000);
    let told = letters(&rig.requests);
    assert!(told.starts_with("Ap") && told.ends_with("C"), "{told}");
    let rest: String = told.chars().filter(|it| *it != 'p').collect();
    assert_eq!(rest, "AOGTC");
    assert_eq!(steps(&rig.facts), [(0, S::Begun), (0, S::Committing), (0, S::Committed)]);
    assert_eq!(batches(&rig.requests), [(0, 0, true), (0, 1, true)]);
    assert_eq!(epochs(&rig.facts), [], "the epoch stays");
    assert!(rig.marks.contains(&Rule::Txn4));
    assert_eq!(rig.client.state(), ProducerState::Ready);
}

#[test]
fn in_the_second_protocol_leaders_add_partitions_and_every_end_raises_the_epoch() {
    let mut rig = ready(V2, []);
    for number in 0..2 {
        rig.client.begin_transaction(rig.now).expect("ready");
        rig.client.send(rig.now, plain(Some(0), "a"));
        let group = GroupMetadata::outside("g");
        rig.client.send_offsets_to_transaction(rig.now, offsets(), group).expect("open");
        match number {
            0 => rig.client.commit_transaction(rig.now).expect("open"),
            _ => {
                pass(&mut rig, 100);
                rig.client.abort_transaction(rig.now).expect("open");
            }
        }
        pass(&mut rig, 1_000);
    }
    assert_eq!(letters(&rig.requests), "GTpCTpX");
    assert_eq!(batches(&rig.requests), [(0, 0, true), (1, 0, true)]);
    assert_eq!(epochs(&rig.facts), [1, 2]);
    let steps = steps(&rig.facts);
    assert_eq!(steps[2], (0, S::Committed));
    assert_eq!(steps[3..], [(1, S::Begun), (1, S::Aborting), (1, S::Aborted)]);
    assert!(rig.marks.contains(&Rule::Txn5));
}

#[test]
fn the_end_waits_for_every_batch_and_survives_lost_answers() {
    let odds = [
        ('p', Error(ErrorCode::NotEnoughReplicas)),
        ('p', Silence),
        ('C', Silence),
        ('C', Error(ErrorCode::ConcurrentTransactions)),
        ('C', Error(ErrorCode::NotCoordinator)),
    ];
    let mut rig = ready(V2, odds);
    rig.client.begin_transaction(rig.now).expect("ready");
    rig.client.send(rig.now, plain(Some(0), "a"));
    rig.client.commit_transaction(rig.now).expect("open");
    assert_eq!(rig.client.state(), ProducerState::Committing);
    pass(&mut rig, 10_000);
    assert_eq!(letters(&rig.requests), "pppCFCCFC");
    assert_eq!(rig.client.state(), ProducerState::Ready);
    assert_eq!(steps(&rig.facts).last(), Some(&(0, S::Committed)));
}

#[test]
fn a_transaction_without_records_is_ended_without_a_word() {
    let mut rig = ready(V2, []);
    rig.client.begin_transaction(rig.now).expect("ready");
    rig.client.commit_transaction(rig.now).expect("open");
    assert_eq!(rig.client.state(), ProducerState::Ready);
    pass(&mut rig, 100);
    assert_eq!(letters(&rig.requests), "");
}

#[test]
fn an_abort_drops_what_has_not_left() {
    let mut rig = ready(V1, []);
    rig.client.begin_transaction(rig.now).expect("ready");
    rig.client.send(rig.now, plain(Some(0), "a"));
    rig.client.abort_transaction(rig.now).expect("open");
    pass(&mut rig, 1_000);
    let failed = rig.facts.iter().find_map(|fact| match fact {
        Fact::BatchFailed { error, .. } => Some(*error),
        _ => None,
    });
    assert_eq!(failed, Some(ErrorCode::OperationNotAttempted));
    assert!(!letters(&rig.requests).contains('p'));
    assert_eq!(rig.client.state(), ProducerState::Ready);
    assert_eq!((rig.client.pending(), rig.client.memory()), (0, 0));
}

#[test]
fn a_fenced_producer_can_do_nothing_any_more() {
    for odds in [('C', ErrorCode::ProducerFenced), ('C', ErrorCode::InvalidProducerEpoch)]
    {
        let mut rig = ready(V2, [(odds.0, Error(odds.1))]);
        rig.client.begin_transaction(rig.now).expect("ready");
        rig.client.send(rig.now, plain(Some(0), "a"));
        rig.client.commit_transaction(rig.now).expect("open");
        pass(&mut rig, 1_000);
        let state = ProducerState::FatalError(ErrorCode::ProducerFenced);
        assert_eq!(rig.client.state(), state);
        assert_eq!(steps(&rig.facts).last(), Some(&(0, S::Fenced)));
        let call = "beginTransaction";
        assert_eq!(rig.client.begin_transaction(rig.now), Err(OutOfTurn { call, state }));
    }
}

#[test]
fn an_old_epoch_at_a_leader_leaves_the_last_word_to_the_coordinator() {
    let odds = [
        ('p', Error(ErrorCode::InvalidProducerEpoch)),
        ('X', Error(ErrorCode::ProducerFenced)),
    ];
    let mut rig = ready(V2, odds);
    rig.client.begin_transaction(rig.now).expect("ready");
    rig.client.send(rig.now, plain(Some(0), "a"));
    pass(&mut rig, 1_000);
    let error = ErrorCode::InvalidProducerEpoch;
    assert_eq!(rig.client.state(), ProducerState::AbortableError(error));
    assert!(rig.client.commit_transaction(rig.now).is_err());
    rig.client.abort_transaction(rig.now).expect("that is what is left");
    pass(&mut rig, 1_000);
    let fenced = ProducerState::FatalError(ErrorCode::ProducerFenced);
    assert_eq!(rig.client.state(), fenced);
    let told: Vec<S> = steps(&rig.facts).into_iter().map(|(_, step)| step).collect();
    assert_eq!(told, [S::Begun, S::Abortable, S::Aborting, S::Fenced]);
}

#[test]
fn after_an_abortable_error_the_first_protocol_asks_for_a_new_epoch() {
    let mut rig = ready(V1, [('p', Error(ErrorCode::InvalidRecord))]);
    rig.client.begin_transaction(rig.now).expect("ready");
    rig.client.send(rig.now, plain(Some(0), "a"));
    pass(&mut rig, 1_000);
    let error = ErrorCode::InvalidRecord;
    assert_eq!(rig.client.state(), ProducerState::AbortableError(error));
    rig.client.abort_transaction(rig.now).expect("that is what is left");
    pass(&mut rig, 1_000);
    assert_eq!(letters(&rig.requests), "ApXI");
    rig.client.begin_transaction(rig.now).expect("ready again");
    rig.client.send(rig.now, plain(Some(0), "b"));
    pass(&mut rig, 1_000);
    assert_eq!(batches(&rig.requests), [(0, 0, true), (1, 0, true)]);
}

#[test]
fn a_record_that_is_given_up_makes_the_transaction_abortable() {
    let odds = (0..4).map(|_| ('p', Silence));
    let mut rig = ready(V2, odds);
    rig.client.begin_transaction(rig.now).expect("ready");
    rig.client.send(rig.now, plain(Some(0), "a"));
    rig.client.commit_transaction(rig.now).expect("open");
    pass(&mut rig, 5_000);
    let error = ErrorCode::RequestTimedOut;
    assert_eq!(rig.client.state(), ProducerState::AbortableError(error));
    rig.client.abort_transaction(rig.now).expect("that is what is left");
    pass(&mut rig, 5_000);
    assert_eq!(rig.client.state(), ProducerState::Ready);
    assert!(!letters(&rig.requests).contains('C'), "it must not be committed");
}

#[test]
fn a_member_that_is_no_longer_one_cannot_commit_its_offsets() {
    let mut rig = ready(V2, [('T', Error(ErrorCode::IllegalGeneration))]);
    rig.client.begin_transaction(rig.now).expect("ready");
    let group = GroupMetadata::outside("g");
    rig.client.send_offsets_to_transaction(rig.now, offsets(), group).expect("open");
    pass(&mut rig, 1_000);
    let error = ErrorCode::IllegalGeneration;
    assert_eq!(rig.client.state(), ProducerState::AbortableError(error));
}

#[test]
fn calls_out_of_turn_are_refused_and_say_why() {
    let mut rig = Rig::new(transactional(V2), cluster(V2, []));
    let refused = rig.client.begin_transaction(rig.now).expect_err("no id yet");
    assert_eq!(refused.to_string(), "beginTransaction needs initTransactions first");
    let mut rig = ready(V2, []);
    let refused = rig.client.commit_transaction(rig.now).expect_err("none is open");
    assert_eq!(refused.to_string(), "commitTransaction needs an open transaction");
    rig.client.send(rig.now, plain(Some(0), "a"));
    rig.drain();
    let error = ErrorCode::InvalidTxnState;
    let is_refused =
        |fact: &Fact| matches!(fact, Fact::BatchFailed { error: it, .. } if *it == error);
    assert!(rig.facts.iter().any(is_refused), "a record needs a transaction");
}

#[test]
fn closing_aborts_what_is_open() {
    let mut rig = ready(V2, []);
    rig.client.begin_transaction(rig.now).expect("ready");
    rig.client.send(rig.now, plain(Some(0), "a"));
    pass(&mut rig, 100);
    rig.client.close(rig.now);
    pass(&mut rig, 1_000);
    assert!(rig.client.is_closed());
    assert_eq!(letters(&rig.requests), "pX");
    assert_eq!(steps(&rig.facts).last(), Some(&(0, S::Aborted)));
}
