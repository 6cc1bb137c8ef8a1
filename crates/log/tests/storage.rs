//! A log's files and what becomes of them, one rule each.

use bytes::Bytes;
use topomotion_log::{
    Checkpointed, Disk, Log, LogConfig, MemoryDisk, OffsetSpec, OutOfRange, RecordRef,
    Start, checkpoint, encode_batch,
};
use topomotion_wire::{
    DiskOp, FileName, Files, FlushToken, LeaderEpoch, Offset, TopicPartition,
};

fn partition() -> TopicPartition {
    TopicPartition::new("orders", 0)
}

fn batch_at(times: &[i64]) -> Bytes {
    encode_batch(times.iter().map(|&timestamp| RecordRef {
        timestamp,
        value: Some(b"some value"),
        ..RecordRef::default()
    }))
}

/// A log of single records with these timestamps, and its files.
fn log_at(config: LogConfig, times: &[i64]) -> (Log, Files) {
    let mut log = Log::new(partition(), config);
    for time in times {
        log.append_as_leader(batch_at(&[*time]), LeaderEpoch(3)).expect("good");
    }
    let mut disk = MemoryDisk::default();
    write(&mut log, &mut disk);
    (log, disk.files())
}

/// Applies what the log asks for. Returns the files that were to be flushed.
fn write(log: &mut Log, disk: &mut MemoryDisk) -> Vec<FileName> {
    let mut flushed = Vec::new();
    while let Some(op) = log.poll_disk() {
        if let DiskOp::Flush { file, .. } = &op {
            flushed.push(file.clone());
        }
        disk.apply(op).expect("works");
    }
    flushed
}

fn bases(files: &Files) -> Vec<i64> {
    let stems = files.keys().filter_map(|name| name.strip_suffix(".log"));
    stems.map(|stem| stem["orders-0/".len()..].parse().expect("digits")).collect()
}

fn file(base: i64, ending: &str) -> FileName {
    format!("orders-0/{base:020}.{ending}").into()
}

/// Two records a segment.
fn pairs() -> LogConfig {
    LogConfig { segment_bytes: 170, ..LogConfig::default() }
}

fn endless() -> LogConfig {
    LogConfig { retention_ms: None, ..pairs() }
}

#[test]
fn a_segment_rolls_by_the_age_of_its_first_record() {
    let config = LogConfig { segment_ms: Some(100), ..LogConfig::default() };
    let (_, files) = log_at(config, &[1_000, 1_100, 1_101, 1_050, 1_202]);
    assert_eq!(bases(&files), [0, 2, 4]);
    let (_, files) = log_at(config, &[-1, -1, 5_000]);
    assert_eq!(bases(&files), [0], "without a time there is no age");
}

#[test]
fn a_segment_rolls_when_an_index_is_full() {
    let config = LogConfig {
        index_interval_bytes: 0,
        segment_index_bytes: 24,
        ..LogConfig::default()
    };
    let (_, files) = log_at(config, &[1, 1, 1, 1, 1, 1]);
    assert_eq!(bases(&files), [0, 2, 4], "the time index keeps room for its last entry");
}

#[test]
fn a_segment_rolls_before_its_offsets_need_more_than_31_bits() {
    let far = |base: i64| {
        let batch = topomotion_log::Batches::new(batch_at(&[5])).next();
        let batch = batch.expect("one").expect("good");
        batch.placed(Offset(base), LeaderEpoch(1)).into_bytes()
    };
    let mut log = Log::new(partition(), LogConfig::default());
    let last = i64::from(i32::MAX);
    for base in [0, last, last + 1, last * 3] {
        log.append_as_follower(far(base)).expect("in order");
    }
    let mut disk = MemoryDisk::default();
    write(&mut log, &mut disk);
    assert_eq!(bases(&disk.files()), [0, last + 1, last * 3]);
    let both = [far(last * 4), far(last * 5 + 1)].concat();
    assert!(log.append_as_follower(both.into()).is_err(), "no fetch spans so much");
    assert_eq!(log.end_offset(), Offset(last * 3 + 1));
}

/// The header of a batch on disk, field by field, by the format's own table and nothing of
/// this crate.
#[test]
fn the_file_is_the_format_byte_for_byte() {
    let mut log = Log::new(partition(), LogConfig::default());
    log.append_as_leader(batch_at(&[70]), LeaderEpoch(8)).expect("good");
    log.append_as_leader(batch_at(&[90, 80]), LeaderEpoch(9)).expect("good");
    let mut disk = MemoryDisk::default();
    write(&mut log, &mut disk);
    let files = disk.files();
    let content = &files[&file(0, "log")][..];
    let long = |at: usize| i64::from_be_bytes(content[at..at + 8].try_into().expect("8"));
    let int = |at: usize| i32::from_be_bytes(content[at..at + 4].try_into().expect("4"));
    let short =
        |at: usize| i16::from_be_bytes(content[at..at + 2].try_into().expect("2"));
    let second = 12 + int(8) as usize;
    for (at, base, epoch, count) in [(0, 0, 8, 1), (second, 1, 9, 2)] {
        assert_eq!(long(at), base, "base offset");
        assert_eq!(int(at + 12), epoch, "partition leader epoch");
        assert_eq!(content[at + 16], 2, "magic");
        let end = at + 12 + int(at + 8) as usize;
        assert_eq!(int(at + 17) as u32, slow_crc32c(&content[at + 21..end]), "crc");
        assert_eq!(short(at + 21), 0, "attributes");
        assert_eq!(int(at + 23), count - 1, "last offset delta");
        assert_eq!(
            (long(at + 43), short(at + 51), int(at + 53)),
            (-1, -1, -1),
            "producer"
        );
        assert_eq!(int(at + 57), count, "records");
    }
    assert_eq!((long(27), long(35)), (70, 70), "base and max timestamp");
    assert_eq!((long(second + 27), long(second + 35)), (90, 90));
    assert_eq!(second + 12 + int(second + 8) as usize, content.len(), "and nothing else");
    let record = [32, 0, 0, 0, 1, 20, b's', b'o', b'm', b'e', b' ', b'v', b'a'];
    assert_eq!(content[61..74], record, "length, attributes, deltas, null key, value");
    assert_eq!(&files["orders-0/leader-epoch-checkpoint"][..], b"0\n2\n8 0\n9 1\n");
    assert_eq!(files[&file(0, "index")].len() + files[&file(0, "timeindex")].len(), 0);
}

/// CRC-32C, bit by bit.
fn slow_crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 }
        })
    })
}

#[test]
fn a_read_of_many_batches_shares_the_bytes_of_the_log() {
    let (log, _) = log_at(LogConfig::default(), &[7; 4_000]);
    let end = log.end_offset();
    let one = log.read(Offset(100), end, 1).expect("in range").to_bytes();
    let many = log.read(Offset(100), end, 20_000).expect("in range");
    assert_eq!((many.pieces().count(), many.batches().count()), (1, 20_000 / one.len()));
    assert_eq!(many.to_bytes().as_ptr(), one.as_ptr());
}

#[test]
fn the_recovery_point_moves_when_every_file_of_a_flush_has_answered() {
    let (mut log, files) = log_at(pairs(), &[1, 2, 3]);
    let mut disk = MemoryDisk::with_files(files);
    assert_eq!(log.flush(FlushToken(1)), 6, "three files, two segments");
    assert_eq!(write(&mut log, &mut disk).len(), 6);
    log.append_as_leader(batch_at(&[4]), LeaderEpoch(3)).expect("good");
    for _ in 0..5 {
        assert_eq!(log.flushed(FlushToken(1)), None);
    }
    assert_eq!(log.flushed(FlushToken(1)), Some(Offset(3)), "what was there when asked");
    assert_eq!(log.flushed(FlushToken(1)), None, "nobody asked");
    assert_eq!(log.flush(FlushToken(2)), 3, "the first segment is durable");
    log.truncate_to(Offset(1));
    assert_eq!(log.recovery_point(), Offset(1));
    for _ in 0..3 {
        log.flushed(FlushToken(2));
    }
    assert_eq!(log.recovery_point(), Offset(1), "what was cut off does not count");
}

#[test]
fn a_closed_segment_is_flushed_once_and_the_active_one_is_not() {
    let (mut log, files) = log_at(pairs(), &[1, 2, 3]);
    let mut disk = MemoryDisk::with_files(files);
    assert_eq!(log.flush_closed(FlushToken(1)), 3);
    assert_eq!(log.flush_closed(FlushToken(2)), 0, "under way");
    let flushed = write(&mut log, &mut disk);
    assert_eq!(flushed, [file(0, "log"), file(0, "index"), file(0, "timeindex")]);
    let points: Vec<_> = (0..3).map(|_| log.flushed(FlushToken(1))).collect();
    assert_eq!(points, [None, None, Some(Offset(2))]);
    assert_eq!(log.flush_closed(FlushToken(3)), 0, "done");
}

#[test]
fn a_cut_at_the_end_forgets_an_epoch_without_records() {
    let (mut log, _) = log_at(LogConfig::default(), &[1, 2]);
    log.begin_epoch(LeaderEpoch(9));
    assert_eq!(log.last_epoch(), Some(LeaderEpoch(9)));
    assert_eq!(log.truncate_to(Offset(7)), Offset(2));
    assert_eq!(log.last_epoch(), Some(LeaderEpoch(3)));
}

#[test]
fn indexes_are_built_anew_where_they_are_missing_or_wrong() {
    let config = LogConfig { index_interval_bytes: 100, ..pairs() };
    let (_, files) =
        log_at(LogConfig { segment_bytes: 400, ..config }, &[5, 6, 7, 8, 9, 10]);
    let config = LogConfig { segment_bytes: 400, ..config };
    for (name, harm) in [
        (file(0, "index"), None),
        (file(0, "timeindex"), None),
        (file(0, "index"), Some(Bytes::from_static(b"nonsense"))),
        (file(0, "timeindex"), Some(Bytes::from_static(b"1234567"))),
    ] {
        let mut harmed = files.clone();
        harmed.remove(&name);
        harmed.extend(harm.map(|bytes| (name.clone(), bytes)));
        let mut log = Log::recover(partition(), config, &harmed);
        let mut disk = MemoryDisk::with_files(harmed);
        write(&mut log, &mut disk);
        assert!(!files[&name].is_empty());
        assert_eq!(disk.files(), files, "{name}");
    }
}

#[test]
fn a_hole_ends_a_log_that_was_not_flushed() {
    let (_, files) = log_at(endless(), &[1, 2, 3, 4, 5]);
    let mut torn = files.clone();
    let first = &files[&file(0, "log")];
    torn.insert(file(0, "log"), first.slice(..first.len() / 2));
    let mut log = Log::recover(partition(), endless(), &torn);
    assert_eq!(
        log.end_offset(),
        Offset(1),
        "a whole batch is missing, and no byte is bad"
    );
    let mut disk = MemoryDisk::with_files(torn.clone());
    write(&mut log, &mut disk);
    assert_eq!(bases(&disk.files()), [0], "what lay behind the hole is gone");
    // Below the recovery point it is how a compacted log looks.
    let flushed = Checkpointed { recovery_point: Offset(4), ..Checkpointed::default() };
    let log = Log::recover_from(partition(), endless(), &torn, flushed);
    assert_eq!((log.end_offset(), log.recovery_point()), (Offset(5), Offset(4)));
    let read = log.read(Offset(1), Offset(5), 1).expect("in range");
    assert_eq!(read.next_offset(), Some(Offset(3)), "a read goes on behind the gap");
}

#[test]
fn what_was_flushed_is_not_checked_again_but_the_rest_is() {
    let (_, files) = log_at(endless(), &[1, 2, 3, 4, 5]);
    let mut disk = MemoryDisk::with_files(files);
    assert!(disk.corrupt(&file(2, "log"), 70, 1), "inside the record at 2");
    let recover = |recovery_point| {
        let known = Checkpointed { recovery_point, ..Checkpointed::default() };
        Log::recover_from(partition(), endless(), &disk.files(), known).end_offset()
    };
    assert_eq!(recover(Offset(4)), Offset(5), "a reader will find out");
    assert_eq!(recover(Offset(3)), Offset(2), "the segment holds the recovery point");
    let mut files = disk.files();
    files.insert(checkpoint::RECOVERY_POINTS.into(), Bytes::from("0\n1\norders 0 4\n"));
    assert_eq!(Log::recover(partition(), endless(), &files).end_offset(), Offset(5));
    files.insert(checkpoint::RECOVERY_POINTS.into(), Bytes::from("0\n7\norders 0 4\n"));
    assert_eq!(Log::recover(partition(), endless(), &files).end_offset(), Offset(2));
}

#[test]
fn deleted_records_stay_deleted_over_a_restart() {
    let (mut log, files) = log_at(endless(), &[1, 2, 3, 4, 5]);
    let range = OutOfRange { start: Offset(0), end: Offset(3) };
    assert_eq!(log.advance_start(Offset(4), Offset(3)), Err(range));
    assert_eq!(log.advance_start(Offset(3), Offset(4)), Ok(Start::Moved));
    assert_eq!(log.advance_start(Offset(2), Offset(4)), Ok(Start::Stays));
    assert!(log.read(Offset(2), Offset(5), 1).is_err());
    assert_eq!(log.offset_at_time(1), Some((Offset(3), 4)));
    let mut disk = MemoryDisk::with_files(files);
    write(&mut log, &mut disk);
    let start = log.start_to_checkpoint().expect("no file is named after it");
    let file = checkpoint::write_offsets([(&partition(), start)]);
    let mut files = disk.files();
    files.insert(checkpoint::LOG_STARTS.into(), file);
    let mut again = Log::recover(partition(), endless(), &files);
    assert_eq!((again.start_offset(), again.end_offset()), (Offset(3), Offset(5)));
    assert_eq!(again.epochs(), log.epochs());
    assert_eq!(again.epochs().entries()[0].start, Offset(3));
    assert_eq!(again.delete_old_segments(0, Offset(4)), Start::Stays);
    write(&mut again, &mut disk);
    assert_eq!(bases(&disk.files()), [2, 4], "the segment before the start has gone");
}

#[test]
fn a_log_that_lost_all_it_was_to_start_with_starts_there_empty() {
    let (_, files) = log_at(endless(), &[1, 2, 3]);
    let known = Checkpointed { start: Offset(50), ..Checkpointed::default() };
    let mut log = Log::recover_from(partition(), endless(), &files, known);
    assert_eq!((log.start_offset(), log.end_offset()), (Offset(50), Offset(50)));
    let mut disk = MemoryDisk::with_files(files);
    write(&mut log, &mut disk);
    assert_eq!(bases(&disk.files()), [50]);
}

#[test]
fn a_deleted_log_leaves_no_file_behind() {
    let (mut log, files) = log_at(pairs(), &[1, 2, 3]);
    let mut disk = MemoryDisk::with_files(files);
    log.delete_files();
    write(&mut log, &mut disk);
    assert_eq!(disk.files(), Files::new());
    assert_eq!((log.start_offset(), log.end_offset()), (Offset(0), Offset(0)));
}

#[test]
fn retention_takes_whole_old_segments_below_the_high_watermark() {
    let config = LogConfig { retention_ms: Some(100), ..pairs() };
    let times = [1_000, 1_001, 1_002, 1_003, 1_004];
    let (mut log, files) = log_at(config, &times);
    assert_eq!(log.delete_old_segments(1_101, Offset(5)), Start::Stays, "just not old");
    assert_eq!(
        log.delete_old_segments(1_102, Offset(1)),
        Start::Stays,
        "not all readable"
    );
    assert_eq!(log.delete_old_segments(1_102, Offset(5)), Start::Moved);
    assert_eq!(log.start_offset(), Offset(2));
    let mut disk = MemoryDisk::with_files(files);
    write(&mut log, &mut disk);
    assert_eq!(bases(&disk.files()), [2, 4]);
    // The active segment is closed before it goes.
    assert_eq!(log.delete_old_segments(9_999, Offset(5)), Start::Moved);
    assert_eq!((log.start_offset(), log.end_offset()), (Offset(5), Offset(5)));
    log.append_as_leader(batch_at(&[9_999]), LeaderEpoch(3)).expect("good");
    write(&mut log, &mut disk);
    assert_eq!(bases(&disk.files()), [5]);
}

#[test]
fn retention_by_size_keeps_at_least_what_it_says() {
    let (log, files) = log_at(endless(), &[1, 2, 3, 4, 5]);
    let all: u64 =
        bases(&files).iter().map(|&it| files[&file(it, "log")].len() as u64).sum();
    let first = files[&file(0, "log")].len() as u64;
    for (keep, start) in [(all, 0), (all - first + 1, 0), (all - first, 2), (0, 5)] {
        let config = LogConfig { retention_bytes: Some(keep), ..endless() };
        let mut log = Log::recover(log.partition().clone(), config, &files);
        log.delete_old_segments(0, Offset(5));
        assert_eq!(log.start_offset(), Offset(start), "{keep} of {all} bytes");
    }
}

#[test]
fn offsets_are_found_by_time_and_by_kafkas_special_times() {
    let (log, _) = log_at(pairs(), &[10, 40, 20, 50, 50, 30]);
    let found = |time| log.offset_at_time(time).map(|(offset, at)| (offset.0, at));
    assert_eq!(found(0), Some((0, 10)));
    assert_eq!(found(11), Some((1, 40)), "not the 20 that comes later");
    assert_eq!(found(41), Some((3, 50)));
    assert_eq!(found(51), None);
    assert_eq!(log.at_max_timestamp(), Some((Offset(3), 50)), "the first of them");
    let meant: Vec<_> = (-6..1).map(OffsetSpec::from_timestamp).collect();
    assert_eq!(
        meant,
        [
            None,
            Some(OffsetSpec::LatestTiered),
            Some(OffsetSpec::EarliestLocal),
            Some(OffsetSpec::MaxTimestamp),
            Some(OffsetSpec::Earliest),
            Some(OffsetSpec::Latest),
            Some(OffsetSpec::At(0)),
        ]
    );
}
