//! How many events a second the world handles: three brokers, three controllers, producers
//! and consumers under way, no faults. An event is something that a machine is given: a
//! message, an opened or broken connection, a flush done.
//!
//! `bare` is the world alone, with nobody who looks; `judged` has every checker beside it;
//! `story` writes the whole trace down.
//!
//! And how long a group of a hundred members with five hundred partitions takes from its start
//! over the loss of a member to that member's return, everything simulated and written down.

#[allow(dead_code)]
#[path = "../tests/common/load.rs"]
mod load;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use topomotion_model::Condition;
use topomotion_sim::{Attention, Judge, play, probe};
use topomotion_trace::Event;
use topomotion_verify::Court;

/// A judge that sees nothing.
struct Nobody;

impl Judge for Nobody {
    fn see(&mut self, _: &Event) {}

    fn attention(&self) -> Attention {
        Attention::Conditions
    }

    fn judge(&self, _: &Condition) -> Result<(), String> {
        Ok(())
    }
}

fn events(criterion: &mut Criterion) {
    for (name, load) in [("busy", load::BUSY), ("steady", load::STEADY)] {
        let file = load::minute(load);
        let handled = probe(&file, &mut Nobody).events;
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(handled)).sample_size(10);
        group.bench_function("bare", |bencher| {
            bencher.iter(|| probe(&file, &mut Nobody).events);
        });
        group.bench_function("judged", |bencher| {
            bencher.iter(|| probe(&file, &mut Court::of(&file.cluster)).events);
        });
        group.bench_function("story", |bencher| {
            bencher.iter(|| play(&file, &mut Nobody).events);
        });
        group.finish();
    }
}

fn rebalance(criterion: &mut Criterion) {
    let file = load::rebalance(load::HUNDRED);
    let mut group = criterion.benchmark_group("rebalance");
    group.sample_size(10);
    group.bench_function("100 members, 500 partitions", |bencher| {
        bencher.iter(|| play(&file, &mut Nobody).events);
    });
    group.finish();
}

criterion_group!(benches, events, rebalance);
criterion_main!(benches);
