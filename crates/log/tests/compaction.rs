//! Compaction: what goes, what stays, and for how long.

use std::collections::BTreeMap;

use bytes::Bytes;
use proptest::prelude::*;
use topomotion_log::{
    Attributes, Batch, BatchBuilder, Checkpointed, Compaction, Compression, Disk, Log,
    LogConfig, Marker, MarkerKind, MemoryDisk, Origin, ProducerStamp, Ratio, Record,
    RecordRef, Verdict,
};
use topomotion_wire::{
    LeaderEpoch, LogDeed, Offset, ProducerEpoch, ProducerId, TopicPartition,
};

const RETENTION: i64 = 1_000;

fn partition() -> TopicPartition {
    TopicPartition::new("users", 0)
}

fn compaction() -> Compaction {
    Compaction {
        min_dirty_ratio: Ratio(0),
        delete_retention_ms: RETENTION,
        ..Compaction::default()
    }
}

fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 300,
        index_interval_bytes: 100,
        compaction: Some(compaction()),
        ..LogConfig::default()
    }
}

type Pair<'a> = (&'a str, Option<&'a str>);

fn builder(pairs: &[Pair<'_>], timestamp: i64) -> BatchBuilder {
    let mut builder = BatchBuilder::new();
    for (key, value) in pairs {
        let (key, value) = (Some(key.as_bytes()), value.map(str::as_bytes));
        builder.push(&RecordRef { timestamp, key, value, headers: &[] });
    }
    builder
}

fn append(log: &mut Log, batch: Batch) {
    log.append_as_leader(batch.into_bytes(), LeaderEpoch(0)).expect("good");
}

/// One batch a segment.
fn log_of(batches: &[&[Pair<'_>]]) -> Log {
    let mut log = Log::new(partition(), LogConfig { segment_bytes: 1, ..config() });
    batches.iter().for_each(|pairs| append(&mut log, builder(pairs, 10).build()));
    log
}

/// Everything that a reader finds: offset, key and value.
fn content(log: &Log) -> Vec<(i64, String, Option<String>)> {
    let text = |bytes: Bytes| String::from_utf8(bytes.to_vec()).expect("text");
    let records = records(log).into_iter();
    let told = records.map(|it| {
        (it.offset.0, it.key.map(text).unwrap_or_default(), it.value.map(text))
    });
    told.collect()
}

fn records(log: &Log) -> Vec<Record> {
    let batches = log.batches(log.start_offset(), log.end_offset());
    let data = batches.filter(|batch| !batch.is_control());
    data.flat_map(|batch| batch.records().expect("readable").map(Result::unwrap))
        .collect()
}

fn write(log: &mut Log, disk: &mut MemoryDisk) {
    while let Some(op) = log.poll_disk() {
        disk.apply(op).expect("works");
    }
}

fn compact(log: &mut Log, now_ms: i64) -> Option<LogDeed> {
    log.compact(now_ms, log.end_offset()).expect("readable")
}

#[test]
fn of_every_key_the_last_value_stays_at_its_offset() {
    let mut log = log_of(&[
        &[("user1", Some("a")), ("user2", Some("b"))],
        &[("user1", Some("c")), ("user3", Some("d"))],
        &[("user2", Some("e"))],
        &[("user1", Some("active"))],
    ]);
    let deed = compact(&mut log, 0).expect("it is dirty");
    let removed = [(Offset(0), Offset(1))].into();
    let LogDeed::Compacted { from, to, removed: told, .. } = &deed else {
        panic!("{deed:?}");
    };
    assert_eq!((from.0, to.0, told), (0, 5, &removed));
    assert!(deed.to_string().starts_with("compacts from offset 0 to 5, 0 to 1 go: "));
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        content(&log),
        [
            (2, "user1".into(), some("c")),
            (3, "user3".into(), some("d")),
            (4, "user2".into(), some("e")),
            (5, "user1".into(), some("active")),
        ]
    );
    assert_eq!(compact(&mut log, 0), None, "nothing new is dirty");
    append(&mut log, builder(&[("user3", Some("next"))], 10).build());
    compact(&mut log, 0).expect("the segment of 5 is closed now");
    let left: Vec<i64> = content(&log).iter().map(|it| it.0).collect();
    assert_eq!(left, [3, 4, 5, 6], "the next round sees 5, but not yet 6");
}

#[test]
fn a_tombstone_goes_once_everybody_had_the_time_to_read_it() {
    let mut log =
        log_of(&[&[("user1", Some("a"))], &[("user1", None)], &[("x", Some("x"))]]);
    compact(&mut log, 5_000).expect("dirty");
    let offsets = |log: &Log| content(log).iter().map(|it| it.0).collect::<Vec<_>>();
    assert_eq!(offsets(&log), [1, 2]);
    let batch = log.batches(Offset(1), Offset(2)).next().expect("it is there");
    assert_eq!(batch.delete_horizon(), Some(5_000 + RETENTION));
    let times: Vec<_> = records(&log).iter().map(|it| it.timestamp).collect();
    assert_eq!(times, [10, 10], "records keep their own time");
    append(&mut log, builder(&[("x", Some("x"))], 10).build());
    compact(&mut log, 5_000 + RETENTION - 1).expect("dirty");
    assert_eq!(offsets(&log), [1, 2, 3]);
    append(&mut log, builder(&[("x", Some("x"))], 10).build());
    compact(&mut log, 5_000 + RETENTION).expect("dirty");
    assert_eq!(offsets(&log), [3, 4]);
}

#[test]
fn nothing_young_unstable_or_active_is_touched() {
    let pairs: &[&[Pair<'_>]] =
        &[&[("k", Some("1"))], &[("k", Some("2"))], &[("k", Some("3"))]];
    let mut log = log_of(pairs);
    assert_eq!(log.compact(0, Offset(0)), Ok(None), "nothing is stable");
    assert_eq!(log.dirt(0, Offset(1)).to, Offset(1));
    let lag = Compaction { min_lag_ms: 100, ..compaction() };
    log.configure(LogConfig { compaction: Some(lag), ..log.config() });
    assert_eq!(log.dirt(109, Offset(3)).to, Offset(0), "younger than 100 ms");
    assert_eq!(log.dirt(110, Offset(3)).to, Offset(2));
    let patient = Compaction { min_dirty_ratio: Ratio(1_000_000), ..compaction() };
    log.configure(LogConfig { compaction: Some(patient), ..log.config() });
    assert_eq!(log.compact(110, Offset(3)), Ok(None), "not dirty enough");
    let overdue = Compaction { max_lag_ms: Some(100), ..patient };
    log.configure(LogConfig { compaction: Some(overdue), ..log.config() });
    assert_eq!(log.compact(110, Offset(3)), Ok(None));
    assert!(log.compact(111, Offset(3)).expect("readable").is_some());
    let off = LogConfig { compaction: None, ..log.config() };
    log.configure(off);
    append(&mut log, builder(&[("k", Some("4"))], 10).build());
    assert_eq!(log.compact(1 << 40, Offset(4)), Ok(None), "the policy is to delete");
}

fn numbered(id: i64, sequence: i32, pairs: &[Pair<'_>], part: Attributes) -> Batch {
    let stamp = ProducerStamp { id, epoch: 0, base_sequence: sequence };
    builder(pairs, 10).with_producer(stamp).with_attributes(part).build()
}

fn end(id: i64, kind: MarkerKind) -> Batch {
    let (producer, epoch) = (ProducerId(id), ProducerEpoch(0));
    Marker { producer, epoch, coordinator_epoch: 0, kind }.to_batch(10)
}

#[test]
fn the_last_batch_of_a_producer_stays_without_its_records() {
    let mut log = Log::new(partition(), config());
    append(&mut log, numbered(7, 0, &[("k", Some("1"))], Attributes(0)));
    append(&mut log, numbered(7, 1, &[("k", Some("2"))], Attributes(0)));
    for _ in 0..8 {
        append(&mut log, builder(&[("k", Some("3"))], 10).build());
    }
    compact(&mut log, 0).expect("dirty");
    let first = log.batches(Offset(0), Offset(2)).next().expect("it is left");
    assert_eq!((first.base_offset(), first.count()), (Offset(1), 0));
    assert_eq!(first.verify(), Ok(()));
    let mut disk = MemoryDisk::default();
    write(&mut log, &mut disk);
    let log = Log::recover(partition(), config(), &disk.files());
    let again = numbered(7, 1, &[("k", Some("2"))], Attributes(0));
    let verdict = log.producers().check(&again, Origin::Client);
    assert!(matches!(verdict, Ok(Verdict::Duplicate(_))), "{verdict:?}");
}

#[test]
fn aborted_records_go_and_markers_stay_with_what_is_left_of_their_transactions() {
    let part = Attributes::TRANSACTIONAL;
    let mut log = Log::new(partition(), LogConfig { segment_bytes: 1, ..config() });
    append(&mut log, builder(&[("k", Some("kept"))], 10).build());
    append(&mut log, numbered(7, 0, &[("k", Some("aborted"))], part));
    append(&mut log, end(7, MarkerKind::Abort));
    append(&mut log, numbered(7, 1, &[("l", Some("committed"))], part));
    append(&mut log, end(7, MarkerKind::Commit));
    append(&mut log, builder(&[("x", Some("x"))], 10).build());
    compact(&mut log, 0).expect("dirty");
    let keys: Vec<_> = content(&log).into_iter().map(|it| (it.0, it.1)).collect();
    assert_eq!(keys, [(0, "k".into()), (3, "l".into()), (5, "x".into())]);
    let markers = |log: &Log| {
        let all = log.batches(Offset(0), log.end_offset());
        all.filter_map(|it| Marker::of_batch(&it)).map(|it| it.kind).collect::<Vec<_>>()
    };
    assert_eq!(markers(&log), [MarkerKind::Abort, MarkerKind::Commit]);
}

#[test]
fn a_marker_without_records_goes_after_its_horizon() {
    let part = Attributes::TRANSACTIONAL;
    let mut log = Log::new(partition(), config());
    append(&mut log, numbered(7, 0, &[("k", Some("aborted"))], part));
    append(&mut log, end(7, MarkerKind::Abort));
    append(&mut log, numbered(7, 1, &[("l", Some("committed"))], part));
    let mut round = |now_ms| {
        for _ in 0..4 {
            append(&mut log, builder(&[("x", Some("x"))], 10).build());
        }
        compact(&mut log, now_ms).expect("dirty");
        let first = log.batches(Offset(0), Offset(9)).next().expect("something");
        (first.base_offset().0, first.delete_horizon())
    };
    assert_eq!(round(0), (1, None), "the records go");
    assert_eq!(round(5), (1, Some(5 + RETENTION)), "nothing is left of them");
    assert_eq!(round(5 + RETENTION - 1), (1, Some(5 + RETENTION)));
    assert_eq!(round(5 + RETENTION), (2, None), "and the marker goes");
    assert_eq!(log.aborted(Offset(0), Offset(9)), []);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn compaction_keeps_the_last_value_of_each_key_the_order_and_the_offsets(
        batches in prop::collection::vec(
            (prop::collection::vec((0_u8..6, prop::option::weighted(0.8, 0_u16..999)), 1..5),
             0_u8..4),
            1..50,
        ),
        rounds in prop::collection::btree_set(0_usize..50, 0..4),
    ) {
        let codecs = [Compression::None, Compression::Lz4];
        let mut log = Log::new(partition(), config());
        let mut disk = MemoryDisk::default();
        let mut all: Vec<Record> = Vec::new();
        let mut sequences = BTreeMap::<i64, i32>::new();
        for (at, (pairs, who)) in batches.iter().enumerate() {
            let pairs: Vec<(String, Option<String>)> = pairs
                .iter()
                .map(|(key, value)| (format!("key{key}"), value.map(|it| it.to_string())))
                .collect();
            let pairs: Vec<Pair<'_>> =
                pairs.iter().map(|it| (it.0.as_str(), it.1.as_deref())).collect();
            let mut batch = builder(&pairs, at as i64).with_compression(codecs[at % 2]);
            if *who > 0 {
                let id = i64::from(*who);
                let next = sequences.entry(id).or_default();
                let base_sequence = std::mem::replace(next, *next + pairs.len() as i32);
                batch = batch.with_producer(ProducerStamp { id, epoch: 0, base_sequence });
            }
            append(&mut log, batch.build());
            let base = all.len() as i64;
            let appended = log.batches(Offset(base), log.end_offset());
            all.extend(appended.flat_map(|it| it.records().unwrap()).map(Result::unwrap));
            if rounds.contains(&at) {
                compact(&mut log, 0);
                write(&mut log, &mut disk);
            }
        }
        let producers = log.producers().clone();
        compact(&mut log, 0);
        write(&mut log, &mut disk);

        let left = records(&log);
        let by_offset: BTreeMap<i64, &Record> = all.iter().map(|it| (it.offset.0, it)).collect();
        prop_assert!(left.windows(2).all(|pair| pair[0].offset < pair[1].offset));
        for record in &left {
            prop_assert_eq!(&by_offset[&record.offset.0], &record);
        }
        let last: BTreeMap<_, _> = all.iter().map(|it| (it.key.clone(), it)).collect();
        for record in last.values() {
            prop_assert!(left.contains(record), "the last value of each key is there");
        }
        let clean = log.cleaned_up_to();
        let last_clean: BTreeMap<_, _> = all
            .iter()
            .filter(|it| it.offset < clean)
            .map(|it| (it.key.clone(), it.offset))
            .collect();
        for record in left.iter().filter(|it| it.offset < clean) {
            prop_assert_eq!(last_clean[&record.key], record.offset, "and no other below");
        }

        // A restart, and a follower that reads over the gaps, have the same.
        let checkpointed = Checkpointed { cleaned: clean, ..Checkpointed::default() };
        let mut again =
            Log::recover_from(partition(), config(), &disk.files(), checkpointed);
        prop_assert_eq!(again.poll_disk(), None);
        prop_assert_eq!(&records(&again), &left);
        prop_assert_eq!(again.cleaned_up_to(), clean);
        prop_assert_eq!(again.end_offset(), log.end_offset());
        for (id, state) in producers.iter() {
            let known = again.producers().get(id).expect("nobody is forgotten");
            prop_assert_eq!(known.last_sequence(), state.last_sequence());
        }
        let mut follower = Log::new(partition(), config());
        while follower.end_offset() < log.end_offset() {
            let read = log.read(follower.end_offset(), log.end_offset(), 200).unwrap();
            prop_assert!(!read.is_empty(), "there is always something to follow");
            follower.append_as_follower(read.to_bytes()).unwrap();
        }
        prop_assert_eq!(&records(&follower), &left);
    }
}
