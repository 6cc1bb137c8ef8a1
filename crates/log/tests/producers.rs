//! What a log knows of producers, through whatever happens to it: always the fold of its
//! batches (P3), with a last stable offset that is as defined (T6) and an index that misses
//! no aborted transaction (T7).

use bytes::Bytes;
use proptest::prelude::*;
use topomotion_log::{
    Attributes, Batch, BatchBuilder, Disk, Log, LogConfig, Marker, MarkerKind,
    MemoryDisk, Origin, ProducerStamp, ProducerStates, RecordRef, Verdict,
};
use topomotion_wire::{
    ErrorCode, LeaderEpoch, Offset, ProducerEpoch, ProducerId, TopicPartition,
};

fn partition() -> TopicPartition {
    TopicPartition::new("orders", 0)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Alone,
    OfTransaction,
}

fn data(id: i64, epoch: i16, sequence: i32, count: i32, part: Part) -> Batch {
    let stamp = ProducerStamp { id, epoch, base_sequence: sequence };
    let mut builder = BatchBuilder::new().with_producer(stamp);
    if part == Part::OfTransaction {
        builder = builder.with_attributes(Attributes::TRANSACTIONAL);
    }
    for _ in 0..count {
        let value = Some(&b"value"[..]);
        builder.push(&RecordRef { timestamp: 1_000, value, ..RecordRef::default() });
    }
    builder.build()
}

fn marker(id: i64, epoch: i16, coordinator_epoch: i32, kind: MarkerKind) -> Marker {
    let (producer, epoch) = (ProducerId(id), ProducerEpoch(epoch));
    Marker { producer, epoch, coordinator_epoch, kind }
}

fn append(log: &mut Log, batch: Batch) {
    log.append_as_leader(batch.into_bytes(), LeaderEpoch(0)).expect("good");
}

fn log_of(batches: impl IntoIterator<Item = Batch>) -> Log {
    let mut log = Log::new(partition(), LogConfig::default());
    batches.into_iter().for_each(|batch| append(&mut log, batch));
    log
}

fn check(log: &Log, batch: &Batch) -> Result<Verdict, ErrorCode> {
    log.producers().check(batch, Origin::Client)
}

#[test]
fn a_batch_that_is_there_already_is_found_among_the_last_five() {
    let batches = (0..7).map(|at| data(4, 0, at * 2, 2, Part::Alone));
    let log = log_of(batches);
    let Ok(Verdict::Duplicate(found)) = check(&log, &data(4, 0, 4, 2, Part::Alone))
    else {
        panic!("it is the third");
    };
    assert_eq!((found.first_offset(), found.last_offset), (Offset(4), Offset(5)));
    let gap = Err(ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(check(&log, &data(4, 0, 2, 2, Part::Alone)), gap, "six batches ago");
    assert_eq!(check(&log, &data(4, 0, 4, 1, Part::Alone)), gap, "of another length");
    assert_eq!(check(&log, &data(4, 0, 15, 2, Part::Alone)), gap);
    assert_eq!(check(&log, &data(4, 0, 14, 2, Part::Alone)), Ok(Verdict::New));
    assert_eq!(check(&log, &data(5, 0, 99, 2, Part::Alone)), Ok(Verdict::New), "unknown");
}

#[test]
fn behind_the_largest_sequence_number_comes_zero() {
    let log = log_of([data(4, 0, i32::MAX - 2, 2, Part::Alone)]);
    let across = data(4, 0, i32::MAX, 3, Part::Alone);
    assert_eq!(check(&log, &across), Ok(Verdict::New));
    let log = log_of([data(4, 0, i32::MAX - 2, 2, Part::Alone), across.clone()]);
    assert!(matches!(check(&log, &across), Ok(Verdict::Duplicate(_))));
    assert_eq!(check(&log, &data(4, 0, 2, 1, Part::Alone)), Ok(Verdict::New));
    let whole = log_of([data(4, 0, i32::MAX, 1, Part::Alone)]);
    assert_eq!(check(&whole, &data(4, 0, 0, 1, Part::Alone)), Ok(Verdict::New));
}

#[test]
fn a_new_epoch_begins_at_zero_and_an_old_one_is_refused() {
    let log = log_of([data(4, 3, 0, 2, Part::Alone)]);
    let gap = Err(ErrorCode::OutOfOrderSequenceNumber);
    assert_eq!(check(&log, &data(4, 4, 2, 1, Part::Alone)), gap);
    assert_eq!(check(&log, &data(4, 4, 0, 1, Part::Alone)), Ok(Verdict::New));
    let old = Err(ErrorCode::InvalidProducerEpoch);
    assert_eq!(check(&log, &data(4, 2, 2, 1, Part::Alone)), old);
    let of_coordinator = data(4, 3, -1, 1, Part::OfTransaction);
    let asked = log.producers().check(&of_coordinator, Origin::Coordinator);
    assert_eq!(asked, Ok(Verdict::New), "a coordinator numbers nothing");
}

#[test]
fn a_marker_ends_the_transaction_once_and_fences_older_coordinators() {
    let abort = marker(4, 0, 7, MarkerKind::Abort);
    let mut log = log_of([data(4, 0, 0, 2, Part::OfTransaction)]);
    let in_transaction =
        |log: &Log| log.producers().is_in_transaction(ProducerId(4), ProducerEpoch(0));
    assert!(in_transaction(&log));
    let outside = check(&log, &data(4, 0, 2, 1, Part::Alone));
    assert_eq!(outside, Err(ErrorCode::InvalidTxnState));
    append(&mut log, abort.to_batch(5));
    assert!(!in_transaction(&log));
    let aborted = log.aborted(Offset(0), Offset(9));
    append(&mut log, abort.to_batch(5));
    assert_eq!(log.aborted(Offset(0), Offset(9)), aborted, "the second changes nothing");
    let check = |marker| log.producers().check_marker(&marker);
    assert_eq!(check(abort), Ok(()));
    let older = marker(4, 0, 6, MarkerKind::Commit);
    assert_eq!(check(older), Err(ErrorCode::TransactionCoordinatorFenced));
    let mut log = log;
    append(&mut log, data(4, 1, 0, 1, Part::OfTransaction));
    let late = log.producers().check_marker(&abort);
    assert_eq!(late, Err(ErrorCode::InvalidProducerEpoch));
}

#[test]
fn a_transaction_is_unstable_until_its_marker_is_replicated() {
    let mut log = log_of([
        data(9, 0, 0, 1, Part::Alone),
        data(4, 0, 0, 2, Part::OfTransaction),
        data(5, 0, 0, 1, Part::OfTransaction),
    ]);
    assert_eq!(log.first_unstable(Offset(4)), Some(Offset(1)));
    append(&mut log, marker(4, 0, 0, MarkerKind::Commit).to_batch(5));
    assert_eq!(log.first_unstable(Offset(4)), Some(Offset(1)), "the marker is at 4");
    assert_eq!(log.first_unstable(Offset(5)), Some(Offset(3)));
    log.forget_completed(Offset(5));
    append(&mut log, marker(5, 0, 0, MarkerKind::Commit).to_batch(5));
    assert_eq!(log.first_unstable(Offset(6)), None);
}

#[test]
fn who_has_long_written_nothing_is_forgotten_unless_in_a_transaction() {
    let mut log =
        log_of([data(4, 0, 0, 1, Part::OfTransaction), data(5, 0, 0, 1, Part::Alone)]);
    log.expire_producers(1_099, 100);
    assert!(log.producers().get(ProducerId(5)).is_some());
    log.expire_producers(1_100, 100);
    let left: Vec<_> = log.producers().iter().map(|(id, _)| id).collect();
    assert_eq!(left, [ProducerId(4)]);
}

#[test]
fn the_index_of_aborted_transactions_is_kafkas_own() {
    let mut log = log_of([
        data(4, 0, 0, 2, Part::OfTransaction),
        data(5, 0, 0, 1, Part::OfTransaction),
        marker(5, 0, 0, MarkerKind::Abort).to_batch(5),
        marker(4, 0, 0, MarkerKind::Abort).to_batch(5),
    ]);
    let mut disk = MemoryDisk::default();
    write(&mut log, &mut disk);
    let files = disk.files();
    let long = i64::to_be_bytes;
    let entry = |id, first, last, stable| {
        [&[0, 0][..], &long(id), &long(first), &long(last), &long(stable)].concat()
    };
    // While the first one ends, the other is open: readers stop where that began.
    let expected = [entry(5, 2, 3, 0), entry(4, 0, 4, 5)].concat();
    assert_eq!(files["orders-0/00000000000000000000.txnindex"], expected);
}

#[test]
fn a_snapshot_knows_producers_whose_batches_are_deleted() {
    let config = LogConfig { segment_bytes: 100, ..LogConfig::default() };
    let mut log = Log::new(partition(), config);
    let mut disk = MemoryDisk::default();
    append(&mut log, data(4, 0, 0, 3, Part::Alone));
    append(&mut log, data(5, 0, 0, 1, Part::Alone));
    log.delete_old_segments(i64::MAX, Offset(3));
    assert_eq!(log.start_offset(), Offset(3));
    write(&mut log, &mut disk);
    let files = disk.files();
    assert!(files.contains_key("orders-0/00000000000000000003.snapshot"));
    let log = Log::recover(partition(), config, &files);
    let known = log.producers().get(ProducerId(4)).expect("it is in the snapshot");
    assert_eq!(known.last_sequence(), Some(2));
    assert!(matches!(
        check(&log, &data(4, 0, 0, 3, Part::Alone)),
        Ok(Verdict::Duplicate(_))
    ));
}

fn write(log: &mut Log, disk: &mut MemoryDisk) {
    while let Some(op) = log.poll_disk() {
        disk.apply(op).expect("works");
    }
}

#[derive(Debug, Clone)]
enum Step {
    Data {
        id: i64,
        bump: bool,
        count: i32,
        part: Part,
    },
    End {
        id: i64,
        bump: bool,
        kind: MarkerKind,
    },
    /// Keeps so many per cent of the log.
    Cut(i64),
    /// Restarts from what is on disk.
    Reload,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let part = prop_oneof![Just(Part::Alone), Just(Part::OfTransaction)];
    let kind = prop_oneof![Just(MarkerKind::Abort), Just(MarkerKind::Commit)];
    let step = prop_oneof![
        8 => (0..4_i64, prop::bool::weighted(0.1), 1..4, part)
            .prop_map(|(id, bump, count, part)| Step::Data { id, bump, count, part }),
        4 => (0..4_i64, prop::bool::weighted(0.3), kind)
            .prop_map(|(id, bump, kind)| Step::End { id, bump, kind }),
        1 => (0..100_i64).prop_map(Step::Cut),
        1 => Just(Step::Reload),
    ];
    prop::collection::vec(step, 1..60)
}

/// Whose it is, where it begins, and where its marker stands, of which kind.
type Transaction = (ProducerId, Offset, Option<(Offset, MarkerKind)>);

/// Every transaction of a log, the open ones without an end.
fn transactions(log: &Log) -> Vec<Transaction> {
    let mut found = Vec::new();
    for batch in log.batches(log.start_offset(), log.end_offset()) {
        let Some(stamp) = batch.producer() else { continue };
        let id = ProducerId(stamp.id);
        let is_open =
            |it: &&mut (ProducerId, Offset, Option<_>)| it.0 == id && it.2.is_none();
        let open = found.iter_mut().find(is_open);
        match (Marker::of_batch(&batch), open) {
            (Some(marker), Some(open)) => {
                open.2 = Some((batch.base_offset(), marker.kind));
            }
            (None, None) if batch.attributes().contains(Attributes::TRANSACTIONAL) => {
                found.push((id, batch.base_offset(), None));
            }
            _ => {}
        }
    }
    found
}

fn compare(log: &Log) {
    let fresh =
        ProducerStates::fold_all(log.batches(log.start_offset(), log.end_offset()));
    assert_eq!(log.producers(), &fresh);
    let all = transactions(log);
    for watermark in 0..=log.end_offset().0 {
        let watermark = Offset(watermark);
        let unstable =
            all.iter().filter(|(.., end)| end.is_none_or(|it| it.0 >= watermark));
        let first = unstable.map(|(_, first, _)| *first).min();
        assert_eq!(log.first_unstable(watermark), first);
    }
    for from in (0..log.end_offset().0).step_by(3) {
        for to in (from + 1..=log.end_offset().0).step_by(4) {
            let (from, to) = (Offset(from), Offset(to));
            let told = log.aborted(from, to);
            let told: Vec<_> =
                told.iter().map(|it| (it.producer, it.first, it.last)).collect();
            let expected: Vec<_> = all
                .iter()
                .filter_map(|(id, first, end)| {
                    let (last, kind) = (*end)?;
                    let is_in = kind == MarkerKind::Abort && last >= from && *first < to;
                    is_in.then_some((*id, *first, last))
                })
                .collect();
            let missing = expected.iter().find(|it| !told.contains(it));
            assert_eq!(missing, None, "{from}..{to}: {told:?}");
            assert!(told.iter().all(|it| expected.contains(it)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn producers_are_the_fold_of_the_log_whatever_happens(steps in steps()) {
        let config = LogConfig { segment_bytes: 400, ..LogConfig::default() };
        let mut log = Log::new(partition(), config);
        let mut disk = MemoryDisk::default();
        let (mut epochs, mut sequences) = ([0_i16; 4], [0_i32; 4]);
        for step in steps {
            match step {
                Step::Data { id, bump, count, part } => {
                    let at = id as usize;
                    if bump {
                        (epochs[at], sequences[at]) = (epochs[at] + 1, 0);
                    }
                    append(&mut log, data(id, epochs[at], sequences[at], count, part));
                    sequences[at] += count;
                }
                Step::End { id, bump, kind } => {
                    let at = id as usize;
                    if bump {
                        (epochs[at], sequences[at]) = (epochs[at] + 1, 0);
                    }
                    append(&mut log, marker(id, epochs[at], 0, kind).to_batch(9));
                }
                Step::Cut(share) => {
                    log.truncate_to(Offset(log.end_offset().0 * share / 100));
                }
                Step::Reload => {
                    write(&mut log, &mut disk);
                    log = Log::recover(partition(), config, &disk.files());
                    prop_assert_eq!(log.poll_disk(), None, "what is on disk is right");
                }
            }
            write(&mut log, &mut disk);
            compare(&log);
        }
    }
}

#[test]
fn noise_is_no_batch_and_changes_nothing() {
    let mut log = log_of([data(4, 0, 0, 2, Part::OfTransaction)]);
    let before = log.producers().clone();
    let refused = log.append_as_leader(Bytes::from_static(b"noise"), LeaderEpoch(0));
    assert!(refused.is_err());
    assert_eq!(log.producers(), &before);
}
