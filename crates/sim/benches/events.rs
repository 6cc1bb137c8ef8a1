//! How many events a second the world handles: three brokers, three controllers, a producer
//! that sends a record every five milliseconds, a consumer that reads along. An event is an
//! input that a machine is given: a message, an opened or broken connection, a flush done.

#[allow(dead_code)]
#[path = "../tests/common/load.rs"]
mod load;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use topomotion_sim::{Observer, play, probe};
use topomotion_verify::Court;

fn events(criterion: &mut Criterion) {
    let file = load::steady(5);
    let handled = probe(&file, &mut Observer::new()).events;
    let mut group = criterion.benchmark_group("events");
    group.throughput(Throughput::Elements(handled)).sample_size(10);
    group.bench_function("probe", |bencher| {
        bencher.iter(|| probe(&file, &mut Observer::new()).events);
    });
    group.bench_function("judged", |bencher| {
        bencher.iter(|| probe(&file, &mut Court::new()).events);
    });
    group.bench_function("story", |bencher| {
        bencher.iter(|| play(&file, &mut Observer::new()).events);
    });
    group.finish();
}

criterion_group!(benches, events);
criterion_main!(benches);
