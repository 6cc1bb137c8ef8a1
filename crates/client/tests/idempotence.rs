//! Idempotent producers against a leader that checks sequence numbers, loses answers, refuses
//! and breaks off (PRD-3 to PRD-6, PRD-8).

mod rig;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use proptest::prelude::*;
use rig::*;
use topomotion_client::{
    Idempotence, Producer, ProducerConfig, ProducerRecord, ProducerState,
};
use topomotion_log::{Batch, Batches, Compression};
use topomotion_wire::messages::init_producer_id_response::InitProducerIdResponse;
use topomotion_wire::messages::produce_response::{
    PartitionProduceResponse, ProduceResponse, TopicProduceResponse,
};
use topomotion_wire::messages::{ProduceRequest, ProducerId, RequestKind, ResponseKind};
use topomotion_wire::{
    Acks, ClientDeed, Duration, ErrorCode, Fact, Offset, Random, Rule,
};

/// What a leader does with one produce request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mood {
    Takes,
    /// Refuses for now.
    Refuses,
    /// Breaks off before it has written anything.
    BreaksOff,
    /// Breaks off after it has written everything.
    WritesAndBreaksOff,
    /// Writes, but the answer never comes.
    WritesSilently,
}

/// One partition as its leader sees it.
#[derive(Debug)]
struct Partition {
    /// The most records that a batch may have; stands for `max.message.bytes`.
    largest: i32,
    /// Values in the log.
    log: Vec<u32>,
    /// Of each producer: its epoch and its last five batches (first, last, offset).
    #[allow(clippy::type_complexity)]
    producers: BTreeMap<i64, (i16, Vec<(i32, i32, i64)>)>,
}

impl Default for Partition {
    fn default() -> Partition {
        Partition { largest: i32::MAX, log: Vec::new(), producers: BTreeMap::new() }
    }
}

impl Partition {
    /// What PRD-4 and PRD-5 say.
    fn append(&mut self, batch: &Batch) -> Result<i64, ErrorCode> {
        let stamp = batch.producer().expect("every batch is numbered");
        let (first, count) = (stamp.base_sequence, batch.count());
        let last = first + count - 1;
        if count > self.largest {
            return Err(ErrorCode::MessageTooLarge);
        }
        if let Some((epoch, recent)) = self.producers.get_mut(&stamp.id) {
            if stamp.epoch < *epoch {
                return Err(ErrorCode::InvalidProducerEpoch);
            }
            if stamp.epoch > *epoch {
                if first != 0 {
                    return Err(ErrorCode::OutOfOrderSequenceNumber);
                }
                (*epoch, *recent) = (stamp.epoch, Vec::new());
            } else if let Some(known) =
                recent.iter().find(|it| it.0 == first && it.1 == last)
            {
                return Ok(known.2);
            } else if recent.last().is_some_and(|it| it.1 + 1 != first) {
                return Err(ErrorCode::OutOfOrderSequenceNumber);
            }
        } else if first != 0 {
            // Nothing was ever lost here: a producer that is not known begins.
            return Err(ErrorCode::OutOfOrderSequenceNumber);
        }
        let offset = self.log.len() as i64;
        let (_, recent) =
            self.producers.entry(stamp.id).or_insert((stamp.epoch, Vec::new()));
        recent.push((first, last, offset));
        if recent.len() > 5 {
            recent.remove(0);
        }
        let records = batch.records().expect("plain").map(|it| it.expect("whole"));
        self.log.extend(records.map(|record| {
            let value = String::from_utf8(record.value.unwrap_or_default().to_vec());
            let value = value.expect("text");
            value.trim_end_matches('x').parse::<u32>().expect("a number")
        }));
        Ok(offset)
    }
}

type Log = Rc<RefCell<[Partition; 2]>>;

fn identified(id: i64, epoch: i16) -> Reply {
    let mut response = InitProducerIdResponse::default();
    (response.producer_id, response.producer_epoch) = (ProducerId(id), epoch);
    Reply::Answer(Box::new(ResponseKind::InitProducerId(response)))
}

fn written(produce: &ProduceRequest, log: &Log) -> Reply {
    let mut response = ProduceResponse::default();
    for asked in &produce.topic_data {
        let mut topic = TopicProduceResponse::default();
        topic.name = asked.name.clone();
        for data in &asked.partition_data {
            let mut told = PartitionProduceResponse::default();
            told.index = data.index;
            let mut batches = Batches::new(data.records.clone().unwrap_or_default());
            let batch = batches.next().expect("one batch").expect("whole");
            match log.borrow_mut()[data.index as usize].append(&batch) {
                Ok(offset) => told.base_offset = offset,
                Err(error) => (told.error_code, told.base_offset) = (error.code(), -1),
            }
            topic.partition_responses.push(told);
        }
        response.responses.push(topic);
    }
    Reply::Answer(Box::new(ResponseKind::Produce(response)))
}

fn broker(moods: Vec<Mood>, log: Log) -> impl FnMut(u16, &RequestKind) -> Reply {
    let mut moods = moods.into_iter();
    move |_, request| match request {
        RequestKind::Metadata(_) => topic(1, &[(1, 0), (1, 0)]),
        RequestKind::InitProducerId(_) => identified(7, 0),
        RequestKind::Produce(produce) => match moods.next().unwrap_or(Mood::Takes) {
            Mood::Takes => written(produce, &log),
            Mood::Refuses => all_produced(produce, ErrorCode::NotEnoughReplicas.code()),
            Mood::BreaksOff => Reply::Reset,
            Mood::WritesAndBreaksOff => {
                written(produce, &log);
                Reply::Reset
            }
            Mood::WritesSilently => {
                written(produce, &log);
                Reply::Silence
            }
        },
        _ => Reply::Silence,
    }
}

fn config() -> ProducerConfig {
    let mut config = ProducerConfig::new(common());
    config.idempotence = Idempotence::On;
    config
}

fn small(change: impl FnOnce(&mut ProducerConfig)) -> Producer {
    let mut config = config();
    (config.batch_size, config.linger) = (300, Duration::from_millis(3));
    change(&mut config);
    Producer::new(config, Random::new(1, 1))
}

/// One batch for each record, all of partition 0.
fn one_by_one() -> Producer {
    small(|config| (config.batch_size, config.linger) = (1, Duration::ZERO))
}

fn numbered(number: u32) -> ProducerRecord {
    plain(Some(0), number.to_string())
}

fn failures(facts: &[Fact]) -> Vec<ErrorCode> {
    let errors = facts.iter().filter_map(|fact| match fact {
        Fact::BatchFailed { error, .. } => Some(*error),
        _ => None,
    });
    errors.collect()
}

fn epochs(facts: &[Fact]) -> Vec<i16> {
    let epochs = facts.iter().filter_map(|fact| match fact {
        Fact::ProducerIdentified { epoch, .. } => Some(epoch.0),
        _ => None,
    });
    epochs.collect()
}

/// The first sequence number of each batch that was sent, and the epoch.
fn sequences(requests: &[(u16, RequestKind)]) -> Vec<(i16, i32)> {
    let produced = requests.iter().filter_map(|(_, body)| match body {
        RequestKind::Produce(produce) => Some(produce),
        _ => None,
    });
    let data = produced.flat_map(|it| &it.topic_data).flat_map(|it| &it.partition_data);
    let batches = data.flat_map(|data| {
        Batches::new(data.records.clone().unwrap_or_default()).flatten()
    });
    let stamps = batches.filter_map(|batch| batch.producer());
    stamps.map(|stamp| (stamp.epoch, stamp.base_sequence)).collect()
}

#[test]
fn nothing_is_sent_before_the_producer_has_its_id() {
    let mut asked = 0;
    let mut rig = Rig::new(one_by_one(), move |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::InitProducerId(_) => {
            asked += 1;
            let mut response = InitProducerIdResponse::default();
            response.error_code = ErrorCode::CoordinatorLoadInProgress.code();
            match asked {
                1 => Reply::Answer(Box::new(ResponseKind::InitProducerId(response))),
                2 => Reply::Reset,
                _ => identified(7, 0),
            }
        }
        RequestKind::Produce(_) => produced(0, 0),
        _ => Reply::Silence,
    });
    rig.client.send(rig.now, numbered(1));
    rig.run_until(5_000);
    let kinds = rig.requests.iter().map(|(_, body)| match body {
        RequestKind::InitProducerId(_) => 'i',
        RequestKind::Produce(_) => 'p',
        _ => '-',
    });
    let kinds: String = kinds.filter(|kind| *kind != '-').collect();
    assert_eq!(kinds, "iiip");
    assert_eq!(sequences(&rig.requests), [(0, 0)]);
    assert!(rig.marks.contains(&Rule::Prd3));
    assert!(rig.client.is_warm());
}

#[test]
fn a_warmed_up_producer_gets_its_id_before_the_first_record() {
    let mut rig = Rig::new(one_by_one(), broker(Vec::new(), Log::default()));
    rig.client.warm_up(rig.now, &"orders".into());
    assert!(!rig.client.is_warm());
    rig.run_until(1_000);
    assert!(rig.client.is_warm());
    assert_eq!(rig.client.state(), ProducerState::Ready);
    assert_eq!(epochs(&rig.facts), [0]);
}

#[test]
fn a_broker_that_gives_no_ids_ends_an_idempotent_producer() {
    let mut rig = Rig::new(one_by_one(), broker(Vec::new(), Log::default()));
    rig.offers = |api| api != topomotion_wire::messages::ApiKey::InitProducerId;
    rig.client.send(rig.now, numbered(1));
    rig.run_until(1_000);
    assert_eq!(failures(&rig.facts), [ErrorCode::UnsupportedVersion]);
    rig.client.send(rig.now, numbered(2));
    rig.drain();
    assert_eq!(failures(&rig.facts).len(), 2);
    assert_eq!((rig.client.pending(), rig.client.memory()), (0, 0));
}

#[test]
fn a_lost_answer_leads_to_no_duplicate_and_the_first_offset_is_told() {
    let log = Log::default();
    let moods = vec![Mood::Takes, Mood::WritesAndBreaksOff];
    let mut rig = Rig::new(one_by_one(), broker(moods, log.clone()));
    rig.client.send(rig.now, numbered(1));
    rig.run_until(1_000);
    rig.client.send(rig.now, numbered(2));
    rig.run_until(5_000);
    assert_eq!(log.borrow()[0].log, [1, 2]);
    assert_eq!(acked(&rig.facts), [Some(Offset(0)), Some(Offset(1))]);
    assert_eq!(sequences(&rig.requests), [(0, 0), (0, 1), (0, 1)]);
    assert!(rig.marks.contains(&Rule::Prd6));
}

#[test]
fn with_five_in_flight_and_the_second_refused_the_order_stays() {
    let log = Log::default();
    let moods = vec![Mood::Takes, Mood::Refuses];
    let mut rig = Rig::new(one_by_one(), broker(moods, log.clone()));
    rig.client.warm_up(rig.now, &"orders".into());
    rig.run_until(1_000);
    for number in 0..5 {
        rig.client.send(rig.now, numbered(number));
    }
    rig.run_until(10_000);
    assert_eq!(log.borrow()[0].log, [0, 1, 2, 3, 4]);
    assert_eq!(failures(&rig.facts), []);
    let early = deeds(&rig.facts).into_iter().filter_map(|deed| match deed {
        ClientDeed::OutOfOrder { sequence } => Some(sequence),
        _ => None,
    });
    assert_eq!(early.collect::<Vec<_>>(), [2, 3, 4]);
    let sent = sequences(&rig.requests);
    assert_eq!(sent[..5], [0, 1, 2, 3, 4].map(|base| (0, base)));
    assert_eq!(sent[5..], [1, 2, 3, 4].map(|base| (0, base)), "one after the other");
    assert_eq!(epochs(&rig.facts), [0]);
}

#[test]
fn a_leader_that_misses_what_it_acknowledged_makes_the_producer_raise_its_epoch() {
    let log = Log::default();
    let forgetful = log.clone();
    let mut leader = broker(Vec::new(), log.clone());
    let mut produced_so_far = 0;
    let mut rig = Rig::new(one_by_one(), move |port, request| {
        if let RequestKind::Produce(_) = request {
            produced_so_far += 1;
            if produced_so_far == 3 {
                // An unclean election: the last acknowledged record is gone.
                let mut partitions = forgetful.borrow_mut();
                partitions[0].log.pop();
                let (_, recent) = partitions[0].producers.get_mut(&7).expect("known");
                recent.pop();
            }
        }
        leader(port, request)
    });
    for number in 0..2 {
        rig.client.send(rig.now, numbered(number));
        let next = rig.now.as_millis() + 100;
        rig.run_until(next);
    }
    for number in 2..5 {
        rig.client.send(rig.now, numbered(number));
    }
    rig.run_until(10_000);
    assert_eq!(log.borrow()[0].log, [0, 2, 3, 4]);
    assert_eq!(epochs(&rig.facts), [0, 1]);
    assert_eq!(failures(&rig.facts), []);
    assert!(rig.marks.contains(&Rule::Prd8));
    let sent = sequences(&rig.requests);
    let anew: Vec<_> = sent.iter().filter(|(epoch, _)| *epoch == 1).collect();
    assert_eq!(anew, [&(1, 0), &(1, 1), &(1, 2)]);
}

#[test]
fn a_batch_given_up_under_way_leaves_its_successors_in_doubt_until_they_are_answered() {
    let log = Log::default();
    let moods = vec![Mood::Takes, Mood::BreaksOff];
    let client = small(|config| {
        (config.batch_size, config.linger) = (1, Duration::ZERO);
        config.delivery_timeout = Duration::from_millis(60);
        config.common.retry_backoff = Duration::from_millis(200);
    });
    let mut rig = Rig::new(client, broker(moods, log.clone()));
    rig.client.warm_up(rig.now, &"orders".into());
    rig.run_until(1_000);
    for number in 0..2 {
        rig.client.send(rig.now, numbered(number));
    }
    rig.run_until(2_000);
    assert_eq!(failures(&rig.facts).len(), 1, "its retry would have come too late");
    assert!(deeds(&rig.facts).contains(&ClientDeed::Unresolved));
    rig.client.send(rig.now, numbered(2));
    rig.run_until(3_000);
    assert_eq!(log.borrow()[0].log, [0, 2]);
    assert_eq!(epochs(&rig.facts), [0, 1]);
}

#[test]
fn a_refusal_for_good_raises_the_epoch_so_that_the_next_ones_are_taken() {
    let log = Log::default();
    let mut leader = broker(Vec::new(), log.clone());
    let mut produced_so_far = 0;
    let mut rig = Rig::new(one_by_one(), move |port, request| match request {
        RequestKind::Produce(produce) => {
            produced_so_far += 1;
            match produced_so_far {
                2 => all_produced(produce, ErrorCode::InvalidRecord.code()),
                _ => leader(port, request),
            }
        }
        _ => leader(port, request),
    });
    rig.client.warm_up(rig.now, &"orders".into());
    rig.run_until(1_000);
    for number in 0..5 {
        rig.client.send(rig.now, numbered(number));
    }
    rig.run_until(10_000);
    assert_eq!(failures(&rig.facts), [ErrorCode::InvalidRecord]);
    assert_eq!(log.borrow()[0].log, [0, 2, 3, 4]);
    assert_eq!(epochs(&rig.facts), [0, 1]);
}

#[test]
fn records_that_ask_for_less_are_sent_without_numbers() {
    let mut rig = Rig::new(one_by_one(), |_, request| match request {
        RequestKind::Metadata(_) => metadata(1, 0),
        RequestKind::InitProducerId(_) => identified(7, 0),
        RequestKind::Produce(_) => produced(0, 0),
        _ => Reply::Silence,
    });
    let record = ProducerRecord { acks: Some(Acks::Leader), ..numbered(1) };
    rig.client.send(rig.now, record);
    rig.run_until(1_000);
    assert_eq!(acked(&rig.facts).len(), 1);
    assert_eq!(sequences(&rig.requests), []);
}

fn mood() -> impl Strategy<Value = Mood> {
    prop_oneof![
        6 => Just(Mood::Takes),
        1 => Just(Mood::Refuses),
        1 => Just(Mood::BreaksOff),
        1 => Just(Mood::WritesAndBreaksOff),
        1 => Just(Mood::WritesSilently),
    ]
}

/// Sends a record of each size, in turn to two partitions, a few at a time.
fn play(
    (max_in_flight, largest): (usize, i32),
    patience_ms: u64,
    moods: Vec<Mood>,
    sizes: &[usize],
) -> (Vec<Fact>, Log) {
    let log = Log::default();
    log.borrow_mut().iter_mut().for_each(|it| it.largest = largest);
    let client = small(|config| {
        config.max_in_flight = max_in_flight;
        // Silence costs a request's time; nothing is ever given up for it.
        config.common.request_timeout = Duration::from_millis(500);
        config.delivery_timeout = Duration::from_millis(patience_ms);
    });
    let mut rig = Rig::new(client, broker(moods, log.clone()));
    for (number, size) in (0_u32..).zip(sizes) {
        let value = format!("{number}{}", "x".repeat(*size));
        rig.client.send(rig.now, plain(Some(number as i32 % 2), value));
        if number % 5 == 0 {
            let next = rig.now.as_millis() + 4;
            rig.run_until(next);
        }
    }
    rig.run_until(400_000);
    assert_eq!((rig.client.pending(), rig.client.memory()), (0, 0));
    (rig.facts, log)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_log_is_what_was_sent_in_order_without_duplicate_or_gap(
        limits in (1_usize..6, 1_i32..6),
        moods in prop::collection::vec(mood(), 0..40),
        sizes in prop::collection::vec(1_usize..200, 1..60),
    ) {
        let (facts, log) = play(limits, 600_000, moods, &sizes);
        prop_assert_eq!(failures(&facts), []);
        for (index, partition) in log.borrow().iter().enumerate() {
            let sent = (0..sizes.len() as u32).filter(|number| *number as usize % 2 == index);
            prop_assert_eq!(&partition.log, &sent.collect::<Vec<_>>());
        }
        prop_assert_eq!(epochs(&facts), [0], "there was no gap to raise it for");
    }

    #[test]
    fn where_batches_are_given_up_the_log_still_has_each_record_once_and_in_order(
        limits in (1_usize..6, 1_i32..6),
        moods in prop::collection::vec(mood(), 0..40),
        sizes in prop::collection::vec(1_usize..200, 1..60),
    ) {
        let (facts, log) = play(limits, 600, moods, &sizes);
        let log = log.borrow();
        prop_assert!(log.iter().all(|it| it.log.is_sorted_by(|a, b| a < b)), "{log:?}");
        let acked = facts.iter().map(|fact| match fact {
            Fact::BatchAcked { count, .. } => *count,
            _ => 0,
        });
        let written: usize = log.iter().map(|partition| partition.log.len()).sum();
        prop_assert!(acked.sum::<i64>() <= written as i64);
    }
}

#[test]
fn what_was_split_while_others_were_in_flight_is_sent_in_the_end() {
    let mut moods = vec![Mood::Takes; 20];
    moods[2] = Mood::WritesAndBreaksOff;
    moods[8] = Mood::Refuses;
    moods[17] = Mood::WritesSilently;
    let sizes = [
        69, 69, 151, 72, 69, 69, 25, 1, 197, 1, 113, 1, 105, 1, 113, 1, 105, 1, 32, 70,
        72,
    ];
    let (facts, log) = play((4, 2), 600_000, moods, &sizes);
    assert_eq!(failures(&facts), []);
    let of =
        |index: u32| (0..21).filter(|number| number % 2 == index).collect::<Vec<_>>();
    assert_eq!(log.borrow()[0].log, of(0));
    assert_eq!(log.borrow()[1].log, of(1));
}

#[test]
fn compressed_batches_are_numbered_and_cut_like_others() {
    let log = Log::default();
    log.borrow_mut()[0].largest = 2;
    let client = small(|config| config.compression = Compression::Lz4);
    let mut rig = Rig::new(client, broker(Vec::new(), log.clone()));
    for number in 0..5 {
        rig.client.send(rig.now, numbered(number));
    }
    rig.run_until(5_000);
    assert_eq!(log.borrow()[0].log, [0, 1, 2, 3, 4]);
    let sent = rig.requests.iter().filter_map(|(_, body)| match body {
        RequestKind::Produce(it) => it.topic_data[0].partition_data[0].records.clone(),
        _ => None,
    });
    for batch in sent.flat_map(Batches::new) {
        let codec = batch.expect("whole").attributes().compression();
        assert_eq!(codec, Ok(Compression::Lz4));
    }
}
