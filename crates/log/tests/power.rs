//! A log whose process is killed and whose power is cut, over and over: what is recovered is
//! a prefix, it holds everything that was flushed, and all that is derived from it agrees
//! (S1, S5, LOG-6, LOG-7).

use bytes::Bytes;
use proptest::prelude::*;
use topomotion_log::{
    Applied, Batch, Batches, Disk, EpochCache, FlushId, Log, LogConfig, MemoryDisk,
    RecordRef, encode_batch,
};
use topomotion_wire::{
    BatchId, Files, FlushToken, LeaderEpoch, Offset, Random, TopicPartition,
};

const INTERVAL: u64 = 200;

/// Small segments, so that a few appends roll.
fn config() -> LogConfig {
    LogConfig {
        segment_bytes: 900,
        segment_ms: Some(400),
        index_interval_bytes: INTERVAL,
        ..LogConfig::default()
    }
}

fn partition() -> TopicPartition {
    TopicPartition::new("orders", 0)
}

#[derive(Debug, Clone)]
enum Step {
    /// So many records of so many bytes, at a time; in the next epoch or the present one.
    Append { records: usize, bytes: usize, time: i64, epoch: i32 },
    /// Leads an epoch, perhaps without a record.
    Begin,
    /// Asks for a flush.
    Flush,
    /// The oldest flushes under way complete.
    Complete(usize),
    /// Cuts at so many hundredths of the log.
    Truncate(i64),
    /// Starts again, empty, further on.
    Restart,
    /// The process is killed and started again.
    Kill,
    /// The power fails.
    Power(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let append = (1_usize..4, 0_usize..150, 0_i64..900, 0..2).prop_map(
        |(records, bytes, time, epoch)| Step::Append { records, bytes, time, epoch },
    );
    prop_oneof![
        12 => append,
        1 => Just(Step::Begin),
        3 => Just(Step::Flush),
        4 => (1_usize..6).prop_map(Step::Complete),
        2 => (0_i64..101).prop_map(Step::Truncate),
        1 => Just(Step::Restart),
        1 => Just(Step::Kill),
        2 => any::<u64>().prop_map(Step::Power),
    ]
}

/// What a batch is known by.
type Seen = (Offset, LeaderEpoch, BatchId);

fn seen(batch: &Batch) -> Seen {
    (batch.base_offset(), batch.leader_epoch(), batch.id())
}

fn all(log: &Log) -> Vec<Seen> {
    log.batches(log.start_offset(), log.end_offset()).map(|it| seen(&it)).collect()
}

struct Story {
    log: Log,
    disk: MemoryDisk,
    under_way: Vec<(FlushId, FlushToken)>,
    tokens: u64,
    epoch: i32,
    /// Every state of the log since it was last found on disk.
    states: Vec<Vec<Seen>>,
}

impl Story {
    fn new() -> Story {
        Story {
            log: Log::new(partition(), config()),
            disk: MemoryDisk::default(),
            under_way: Vec::new(),
            tokens: 0,
            epoch: 0,
            states: vec![Vec::new()],
        }
    }

    fn take(&mut self, step: &Step) {
        match *step {
            Step::Append { records, bytes, time, epoch } => {
                self.epoch += epoch;
                let value = vec![3; bytes];
                let record = |at| RecordRef {
                    timestamp: time + at as i64,
                    value: Some(&value),
                    ..RecordRef::default()
                };
                let batch = encode_batch((0..records).map(record));
                let appended = self.log.append_as_leader(batch, LeaderEpoch(self.epoch));
                appended.expect("good");
            }
            Step::Begin => {
                self.epoch += 1;
                self.log.begin_epoch(LeaderEpoch(self.epoch));
            }
            Step::Flush => {
                self.tokens += 1;
                self.log.flush(FlushToken(self.tokens));
            }
            Step::Complete(count) => {
                let count = count.min(self.under_way.len());
                for (flush, token) in self.under_way.drain(..count) {
                    self.disk.complete(flush);
                    self.log.flushed(token);
                }
            }
            Step::Truncate(share) => {
                let (start, end) = (self.log.start_offset().0, self.log.end_offset().0);
                self.log.truncate_to(Offset(start + (end - start) * share / 100));
                let last = self.log.end_offset().0 - 1;
                let epoch = self.log.epochs().epoch_at(Offset(last));
                assert_eq!(self.log.last_epoch(), epoch, "no epoch without records");
            }
            Step::Restart => self.log.restart_at(self.log.end_offset().plus(10)),
            Step::Kill => self.recover(),
            Step::Power(seed) => {
                let safe = self.log.recovery_point();
                let safe: Vec<Seen> = self
                    .log
                    .batches(self.log.start_offset(), safe)
                    .filter(|batch| batch.next_offset() <= safe)
                    .map(|batch| seen(&batch))
                    .collect();
                self.disk.lose_power(&mut Random::new(seed, 1));
                self.recover();
                let left = all(&self.log);
                assert!(left.starts_with(&safe), "flushed and lost: {left:?} {safe:?}");
                let known = self.states.iter().any(|state| state.starts_with(&left));
                assert!(known, "no prefix of what ever was: {left:?}");
                self.states.clear();
            }
        }
        self.write();
        self.states.push(all(&self.log));
    }

    fn write(&mut self) {
        while let Some(op) = self.log.poll_disk() {
            if let Applied::Flushing { flush, token } =
                self.disk.apply(op).expect("works")
            {
                self.under_way.push((flush, token));
            }
        }
    }

    fn recover(&mut self) {
        let before = self.log.recovery_point();
        let files = self.disk.files();
        let checkpoint =
            topomotion_log::Checkpointed { recovery_point: before, ..Default::default() };
        self.log = Log::recover_from(partition(), config(), &files, checkpoint);
        self.under_way.clear();
        self.write();
        check(&self.log, &self.disk.files());
        // A restart that follows at once finds nothing more to do.
        let files = self.disk.files();
        let mut again = Log::recover_from(partition(), config(), &files, checkpoint);
        assert_eq!(all(&again), all(&self.log));
        assert_eq!(again.epochs(), self.log.epochs());
        assert_eq!(again.poll_disk(), None);
    }
}

/// The files against the log, by a reader of its own.
fn check(log: &Log, files: &Files) {
    let mut epochs = EpochCache::new();
    let (mut on_disk, mut end) = (Vec::new(), None);
    let segments: Vec<&str> =
        files.keys().filter_map(|name| name.strip_suffix(".log")).collect();
    for (at, stem) in segments.iter().enumerate() {
        let base = Offset(stem["orders-0/".len()..].parse().expect("digits"));
        assert!(end.is_none_or(|end| end == base), "no hole before {stem}");
        let content = files[format!("{stem}.log").as_str()].clone();
        let batches: Vec<Batch> =
            Batches::new(content).map(|it| it.expect("good")).collect();
        for batch in &batches {
            epochs.assign(batch.leader_epoch(), batch.base_offset());
        }
        end = Some(batches.last().map_or(base, Batch::next_offset));
        on_disk.extend(batches.iter().map(seen));
        let is_active = at + 1 == segments.len();
        let [index, times] = indexes(base, &batches, is_active);
        assert_eq!(&files[format!("{stem}.index").as_str()][..], index, "{stem}");
        assert_eq!(&files[format!("{stem}.timeindex").as_str()][..], times, "{stem}");
    }
    assert_eq!(on_disk, all(log));
    assert_eq!(log.epochs(), &epochs);
}

/// Both indexes, built in the plainest way.
fn indexes(base: Offset, batches: &[Batch], is_active: bool) -> [Vec<u8>; 2] {
    let (mut index, mut times) = (Vec::new(), Vec::<u8>::new());
    let (mut position, mut last, mut newest, mut written) = (0, 0, (-1, 0), -1);
    let mut note = |newest: (i64, i32), written: &mut i64| {
        if newest.0 > *written {
            *written = newest.0;
            times.extend(newest.0.to_be_bytes());
            times.extend(newest.1.to_be_bytes());
        }
    };
    for batch in batches {
        let relative = (batch.last_offset().0 - base.0) as i32;
        if batch.max_timestamp() > newest.0 {
            newest = (batch.max_timestamp(), relative);
        }
        if position - last > INTERVAL {
            index.extend(relative.to_be_bytes());
            index.extend((position as i32).to_be_bytes());
            note(newest, &mut written);
            last = position;
        }
        position += batch.len_bytes() as u64;
    }
    if !is_active {
        note(newest, &mut written);
    }
    [index, times]
}

/// Reads from every offset, by every road, against the batches themselves.
fn check_reads(log: &Log, limit: i64, max_bytes: usize) {
    let batches: Vec<Batch> = log.batches(log.start_offset(), log.end_offset()).collect();
    for from in log.start_offset().0..=log.end_offset().0 {
        let read = log.read(Offset(from), Offset(limit), max_bytes).expect("in range");
        let mut room = max_bytes;
        let wanted = batches.iter().skip_while(|it| it.next_offset().0 <= from);
        let wanted: Vec<&Batch> =
            wanted.take_while(|it| it.next_offset().0 <= limit).collect();
        for (at, batch) in read.batches().enumerate() {
            assert_eq!(&batch, wanted[at], "from {from}");
            assert!(at == 0 || batch.len_bytes() <= room, "more than asked for");
            room = room.saturating_sub(batch.len_bytes());
        }
        let count = read.batches().count();
        assert_eq!(read.is_empty(), wanted.is_empty());
        // It stops because nothing more fits, or because a segment ends.
        if let Some(next) = wanted.get(count).filter(|_| count > 0) {
            let segment_ends = log.read(next.base_offset(), next.next_offset(), 1);
            let alone = segment_ends.expect("in range").len_bytes();
            let across =
                log.read(wanted[count - 1].base_offset(), Offset(limit), usize::MAX);
            let rolls = across.expect("in range").batches().count() == 1;
            assert!(alone > room || rolls, "from {from} there was room for {alone}");
        }
    }
    let times: Vec<(i64, i64)> = batches
        .iter()
        .flat_map(|batch| batch.records().expect("plain").flatten())
        .map(|record| (record.timestamp, record.offset.0))
        .collect();
    for time in (-1..1000).step_by(7) {
        let wanted = times.iter().find(|it| it.0 >= time).map(|it| (Offset(it.1), it.0));
        assert_eq!(log.offset_at_time(time), wanted, "at {time}");
    }
    let newest = times.iter().map(|it| it.0).max();
    let first = times.iter().find(|it| Some(it.0) == newest);
    assert_eq!(log.at_max_timestamp(), first.map(|it| (Offset(it.1), it.0)));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn a_log_survives_as_a_prefix(steps in prop::collection::vec(step(), 1..60)) {
        let mut story = Story::new();
        steps.iter().for_each(|step| story.take(step));
        story.recover();
    }

    #[test]
    fn reads_agree_with_the_batches(
        steps in prop::collection::vec(step(), 1..40), max_bytes in 0_usize..1_500, part in 0_i64..101,
    ) {
        let mut story = Story::new();
        steps.iter().for_each(|step| story.take(step));
        let (start, end) = (story.log.start_offset().0, story.log.end_offset().0);
        check_reads(&story.log, start + (end - start) * part / 100, max_bytes);
    }

    #[test]
    fn whatever_lies_in_the_files_recovery_does_not_panic(
        names in prop::collection::vec((0_i64..4, 0_usize..5), 1..6),
        noise in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..120), 6),
        good in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>(), any::<u8>()), 6),
        recovery_point in 0_i64..20,
    ) {
        let mut files = Files::new();
        for (at, (base, kind)) in names.iter().enumerate() {
            let ending = ["log", "log", "index", "timeindex", "snapshot"][*kind];
            let mut content = noise[at].clone();
            if good[at].0 {
                content = damaged(*base, good[at].1, good[at].2);
            }
            let name = format!("orders-0/{base:020}.{ending}");
            files.insert(name.into(), Bytes::from(content));
        }
        files.insert("orders-0/leader-epoch-checkpoint".into(), Bytes::from(noise[0].clone()));
        files.insert("recovery-point-offset-checkpoint".into(), {
            Bytes::from(format!("0\n1\norders 0 {recovery_point}\n"))
        });
        let mut log = Log::recover(partition(), config(), &files);
        let mut disk = MemoryDisk::with_files(files);
        while let Some(op) = log.poll_disk() {
            disk.apply(op).expect("works");
        }
        let again = Log::recover(partition(), config(), &disk.files());
        // A segment that was trusted may be the last one now, which never is.
        prop_assert!(all(&log).starts_with(&all(&again)));
        log.append_as_leader(encode_batch([RecordRef::default()]), LeaderEpoch(i32::MAX)).expect("good");
        let end = log.end_offset();
        log.truncate_to(log.start_offset());
        prop_assert!(log.end_offset() < end);
    }
}

/// Three batches at their place, one byte of them wrong.
fn damaged(base: i64, at: prop::sample::Index, with: u8) -> Vec<u8> {
    let mut content = Vec::new();
    for offset in base..base + 3 {
        let batch = encode_batch([RecordRef { timestamp: 5, ..RecordRef::default() }]);
        let batch = Batches::new(batch).next().expect("one").expect("good");
        content.extend_from_slice(batch.placed(Offset(offset), LeaderEpoch(1)).bytes());
    }
    let at = at.index(content.len());
    content[at] = with;
    content
}
