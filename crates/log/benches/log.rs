//! How fast one partition's log takes batches and gives them back.
//!
//! `cargo bench -p topomotion-log`. Every figure is per batch, except the reads.
#![allow(missing_docs, clippy::disallowed_methods, clippy::disallowed_types)]
#![allow(clippy::expect_used)]

use std::hint::black_box;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use topomotion_log::{Log, LogConfig, RecordRef, encode_batch};
use topomotion_wire::{LeaderEpoch, Offset, TopicPartition};

const BATCHES: usize = 10_000;

fn batch(records: usize, value: usize) -> Bytes {
    let value = vec![7; value];
    encode_batch((0..records).map(|at| RecordRef {
        timestamp: 1_700_000_000_000 + at as i64,
        value: Some(&value),
        ..RecordRef::default()
    }))
}

fn empty() -> Log {
    Log::new(TopicPartition::new("orders", 0), LogConfig::default())
}

fn filled(batch: &Bytes) -> Log {
    let mut log = empty();
    for _ in 0..BATCHES {
        log.append_as_leader(batch.clone(), LeaderEpoch(0)).expect("good");
        while log.poll_disk().is_some() {}
    }
    log
}

/// As the engine does it: the producer keeps its bytes for a retry, and every append is
/// followed by the writes that it asked for.
fn appends(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("append");
    group.sample_size(20).throughput(Throughput::Elements(BATCHES as u64));
    for (name, records, value) in [("1x100B", 1, 100), ("100x100B", 100, 100)] {
        let batch = batch(records, value);
        group.bench_function(format!("leader/{name}"), |bench| {
            bench.iter(|| filled(&batch));
        });
        let leader = filled(&batch);
        let fetched: Vec<Bytes> = leader
            .batches(Offset(0), leader.end_offset())
            .map(|batch| batch.bytes().clone())
            .collect();
        group.bench_function(format!("follower/{name}"), |bench| {
            bench.iter(|| {
                let mut log = empty();
                for bytes in &fetched {
                    log.append_as_follower(bytes.clone()).expect("good");
                    while log.poll_disk().is_some() {}
                }
                log
            });
        });
    }
    group.finish();
}

fn reads(criterion: &mut Criterion) {
    let log = filled(&batch(1, 100));
    let end = log.end_offset();
    let mut group = criterion.benchmark_group("read");
    let mut read = |name: &str, max_bytes: usize, span: i64| {
        let mut at = 0;
        group.bench_function(name, |bench| {
            bench.iter(|| {
                at = (at + 7_919) % span;
                let from = Offset(end.0 - 1 - at);
                let read = log.read(from, end, max_bytes).expect("in range");
                black_box(read.to_bytes())
            });
        });
    };
    read("the newest batch", 1 << 20, 1);
    read("one batch anywhere", 1, BATCHES as i64);
    read("16 KiB anywhere", 16 << 10, BATCHES as i64);
    read("1 MiB anywhere", 1 << 20, BATCHES as i64);
    group.bench_function("the offset at a time", |bench| {
        bench.iter(|| black_box(log.offset_at_time(1_700_000_000_001)));
    });
    group.finish();
}

criterion_group!(benches, appends, reads);
criterion_main!(benches);
