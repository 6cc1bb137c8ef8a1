//! What a log does, seen from outside: append, read, cut, recover.

use bytes::Bytes;
use topomotion_log::{
    AppendInfo, Disk, EpochEnd, History, Log, LogConfig, Malformed, MemoryDisk,
    OutOfRange, RecordRef, encode_batch,
};
use topomotion_wire::{FileName, Files, LeaderEpoch, Offset, TopicPartition};

fn partition() -> TopicPartition {
    TopicPartition::new("orders", 0)
}

fn batch(values: &[&str]) -> Bytes {
    encode_batch(values.iter().enumerate().map(|(at, value)| RecordRef {
        timestamp: 1_000 + at as i64,
        value: Some(value.as_bytes()),
        ..RecordRef::default()
    }))
}

/// Applies what the log asks for.
fn write(log: &mut Log, files: &mut Files) {
    let mut disk = MemoryDisk::with_files(std::mem::take(files));
    while let Some(op) = log.poll_disk() {
        disk.apply(op).expect("a disk that works");
    }
    *files = disk.files();
}

/// Segments of at most 150 bytes: two of the small batches.
fn small() -> LogConfig {
    LogConfig { segment_bytes: 150, ..LogConfig::default() }
}

fn values(log: &Log) -> Vec<(i64, i32, String)> {
    let batches = log.batches(log.start_offset(), log.end_offset());
    let records = batches.flat_map(|batch| {
        let epoch = batch.leader_epoch().0;
        let records = batch.records().expect("uncompressed");
        records.map(move |record| (epoch, record.expect("good")))
    });
    records
        .map(|(epoch, record)| {
            let value = record.value.unwrap_or_default();
            (record.offset.0, epoch, String::from_utf8_lossy(&value).into_owned())
        })
        .collect()
}

fn sample() -> (Log, Files) {
    let mut log = Log::new(partition(), LogConfig::default());
    log.append_as_leader(batch(&["a", "b"]), LeaderEpoch(0)).expect("good");
    log.append_as_leader(batch(&["c"]), LeaderEpoch(2)).expect("good");
    log.append_as_leader(batch(&["d", "e"]), LeaderEpoch(2)).expect("good");
    let mut files = Files::new();
    write(&mut log, &mut files);
    (log, files)
}

#[test]
fn a_leader_assigns_dense_offsets_and_its_epoch() {
    let (log, _) = sample();
    let offsets: Vec<_> =
        values(&log).iter().map(|(at, epoch, _)| (*at, *epoch)).collect();
    assert_eq!(offsets, [(0, 0), (1, 0), (2, 2), (3, 2), (4, 2)]);
    assert_eq!(log.end_offset(), Offset(5));
    assert_eq!(log.last_epoch(), Some(LeaderEpoch(2)));
}

#[test]
fn a_follower_keeps_bytes_offsets_and_epochs() {
    let (leader, _) = sample();
    let mut follower = Log::new(partition(), LogConfig::default());
    let read = leader.read(Offset(0), Offset(5), usize::MAX).expect("in range");
    let info = follower.append_as_follower(read.to_bytes()).expect("good");
    assert_eq!(info, AppendInfo { base: Offset(0), end: Offset(5) });
    assert_eq!(values(&follower), values(&leader));
    assert_eq!(follower.epochs(), leader.epochs());
    let again = follower.append_as_follower(read.to_bytes());
    assert_eq!(again, Err(Malformed::OffsetOrder { base: 0, end: 5 }));
}

#[test]
fn nothing_is_appended_when_one_batch_is_bad() {
    let (mut log, _) = sample();
    let mut bytes = batch(&["good"]).to_vec();
    let mut bad = batch(&["bad"]).to_vec();
    bad[70] ^= 1;
    bytes.extend(bad);
    assert!(log.append_as_leader(bytes.into(), LeaderEpoch(2)).is_err());
    assert_eq!(log.append_as_leader(Bytes::new(), LeaderEpoch(2)), Err(Malformed::Empty));
    assert_eq!(log.end_offset(), Offset(5));
    assert_eq!(log.poll_disk(), None);
}

#[test]
fn a_read_returns_whole_batches_below_its_limit_and_at_least_one() {
    let (log, _) = sample();
    let read = |from, limit, max| {
        let read = log.read(Offset(from), Offset(limit), max).expect("in range");
        read.batches().map(|batch| batch.base_offset().0).collect::<Vec<_>>()
    };
    assert_eq!(read(0, 5, usize::MAX), [0, 2, 3]);
    assert_eq!(read(1, 5, 1), [0], "from inside a batch, larger than asked for");
    assert_eq!(read(0, 3, usize::MAX), [0, 2]);
    assert_eq!(read(3, 4, usize::MAX), Vec::<i64>::new());
    assert_eq!(read(5, 5, usize::MAX), Vec::<i64>::new());
    let range = OutOfRange { start: Offset(0), end: Offset(5) };
    assert_eq!(log.read(Offset(6), Offset(6), 1), Err(range));
}

#[test]
fn a_cut_log_forgets_the_epochs_behind_the_cut() {
    let (mut log, mut files) = sample();
    assert_eq!(log.truncate_to(Offset(4)), Offset(3), "whole batches only");
    assert_eq!(log.truncate_to(Offset(2)), Offset(2));
    assert_eq!(log.last_epoch(), Some(LeaderEpoch(0)));
    write(&mut log, &mut files);
    let recovered = Log::recover(partition(), LogConfig::default(), &files);
    assert_eq!(values(&recovered), values(&log));
    assert_eq!(recovered.epochs(), log.epochs());
}

#[test]
fn what_was_written_is_recovered_up_to_the_first_bad_batch() {
    let (log, files) = sample();
    let mut recovered = Log::recover(partition(), LogConfig::default(), &files);
    assert_eq!(values(&recovered), values(&log));
    assert_eq!(recovered.poll_disk(), None);

    let name = FileName::from("orders-0/00000000000000000000.log");
    let whole = files[&name].clone();
    for len in 0..whole.len() {
        let torn = Files::from([(name.clone(), whole.slice(..len))]);
        let mut recovered = Log::recover(partition(), LogConfig::default(), &torn);
        assert!(values(&log).starts_with(&values(&recovered)), "S5: a prefix");
        let mut after = torn.clone();
        write(&mut recovered, &mut after);
        assert!(whole.starts_with(&after[&name]));
    }
}

#[test]
fn segments_roll_by_size_and_are_recovered_in_order() {
    let mut log = Log::new(partition(), small());
    let mut files = Files::new();
    for value in ["a", "b", "c", "d", "e"] {
        log.append_as_leader(batch(&[value]), LeaderEpoch(1)).expect("good");
    }
    write(&mut log, &mut files);
    let names: Vec<_> =
        files.keys().filter(|name| name.ends_with(".log")).map(|name| &**name).collect();
    assert_eq!(names[1], "orders-0/00000000000000000002.log");
    let mut recovered = Log::recover(partition(), small(), &files);
    assert_eq!(values(&recovered), values(&log));
    assert_eq!(log.batches(Offset(1), Offset(4)).count(), 3, "across segments");
    let read = log.read(Offset(2), Offset(5), usize::MAX).expect("in range");
    assert_eq!(read.next_offset(), Some(Offset(4)), "a read stays in its segment");

    assert_eq!(recovered.truncate_to(Offset(1)), Offset(1));
    write(&mut recovered, &mut files);
    assert_eq!(files.len(), 4, "one segment, its indexes and the checkpoint");
}

#[test]
fn a_log_that_starts_again_remembers_where() {
    let (mut log, mut files) = sample();
    log.restart_at(Offset(100));
    write(&mut log, &mut files);
    let recovered = Log::recover(partition(), LogConfig::default(), &files);
    assert_eq!(
        (recovered.start_offset(), recovered.end_offset()),
        (Offset(100), Offset(100))
    );
    assert_eq!(recovered.last_epoch(), None);
}

#[test]
fn a_fetcher_with_another_history_is_told_where_they_part() {
    let (log, _) = sample();
    let compare = |offset, epoch| log.compare(Offset(offset), LeaderEpoch(epoch));
    let diverges = |epoch, end| {
        History::Diverges(EpochEnd { epoch: LeaderEpoch(epoch), end: Offset(end) })
    };
    assert_eq!(compare(2, 0), History::Matches);
    assert_eq!(compare(5, 2), History::Matches);
    assert_eq!(compare(3, 0), diverges(0, 2), "more of epoch 0 than there ever was");
    assert_eq!(compare(3, 1), diverges(0, 2), "an epoch nobody here has seen");
    assert_eq!(compare(5, 3), History::Unknown);
}

#[test]
fn a_follower_cuts_where_both_know_the_epoch() {
    let (log, _) = sample();
    let cut = |epoch, end| {
        log.truncation_point(EpochEnd { epoch: LeaderEpoch(epoch), end: Offset(end) }).0
    };
    assert_eq!(cut(2, 3), 3, "the leader has less of epoch 2");
    assert_eq!(cut(2, 9), 5, "the leader has more: cut at the own end");
    assert_eq!(
        cut(1, 7),
        2,
        "epoch 1 is unknown here: ask again from the end of epoch 0"
    );
    assert_eq!(cut(7, 4), 4);
}

#[test]
fn a_record_is_found_by_its_time() {
    let (log, _) = sample();
    assert_eq!(log.offset_at_time(0), Some((Offset(0), 1_000)));
    assert_eq!(log.offset_at_time(1_001), Some((Offset(1), 1_001)));
    assert_eq!(log.offset_at_time(1_002), None);
}
