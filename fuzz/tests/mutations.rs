//! The targets on random and damaged input, for those who have no libFuzzer.
//!
//! `FUZZ_SECONDS` says for how long each target is driven.

use std::time::{Duration, Instant};

use topomotion_broker::metadata::{MetadataRecord, TopicConfig};
use topomotion_log::{BatchBuilder, RecordRef};
use topomotion_wire::{Random, TopicId};

fn below(random: &mut Random, limit: usize) -> usize {
    usize::try_from(random.next_u64() % limit.max(1) as u64).expect("below the limit")
}

/// One of `seeds` with up to eight changes, or noise.
fn mutate(random: &mut Random, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut data = seeds[below(random, seeds.len())].clone();
    for _ in 0..below(random, 8) {
        let at = below(random, data.len());
        let byte = random.next_u64().to_be_bytes()[0];
        match below(random, 6) {
            _ if data.is_empty() => data.push(byte),
            0 => data[at] ^= 1 << below(random, 8),
            1 => data[at] = byte,
            2 => data.truncate(at),
            3 => data.insert(at, byte),
            4 => data[at] = [0, 0x7f, 0x80, 0xff][below(random, 4)],
            _ => {
                let other = &seeds[below(random, seeds.len())];
                data.truncate(at);
                data.extend_from_slice(&other[below(random, other.len())..]);
            }
        }
    }
    data
}

/// Drives a target for as long as it is asked for; at least a thousand times, but a slow one
/// only `least` times.
fn drive(target: fn(&[u8]), seeds: &[Vec<u8>], least: u32) {
    let told = std::env::var("FUZZ_SECONDS").ok().and_then(|told| told.parse().ok());
    let until = Instant::now() + Duration::from_secs(told.unwrap_or(1));
    let mut random = Random::new(11, 4);
    let mut times = 0;
    while times < least || Instant::now() < until {
        target(&mutate(&mut random, seeds));
        times += 1;
    }
    println!("{times} inputs");
}

fn batch(values: &[&str]) -> Vec<u8> {
    let mut builder = BatchBuilder::new();
    for (timestamp, value) in (7..).zip(values) {
        let value = Some(value.as_bytes());
        builder.push(&RecordRef { timestamp, value, ..RecordRef::default() });
    }
    builder.build().into_bytes().to_vec()
}

#[test]
fn batches() {
    let seeds =
        [batch(&["a"]), batch(&["b", "c"]), [batch(&["d"]), batch(&["e"])].concat()];
    drive(topomotion_fuzz::batches, &seeds, 1_000);
}

#[test]
fn metadata() {
    let config = TopicConfig {
        topic: "orders".into(),
        name: "retention.ms".into(),
        value: Some("1".into()),
    };
    let seeds = [
        MetadataRecord::NoOp.encode().to_vec(),
        MetadataRecord::Config(config).encode().to_vec(),
        MetadataRecord::RemoveTopic { id: TopicId::default() }.encode().to_vec(),
    ];
    drive(topomotion_fuzz::metadata, &seeds, 1_000);
}

#[test]
fn node() {
    let frames: [&[u8]; 3] = [
        b"\x38\0\0\0\x0c\0\x12\0\0\0\0\0\x07\0",
        b"\x40\0\0\0\x0e\0\x03\0\x01\0\0\0\x01\0\0\xff\xff",
        b"\x20\xff\xff\xff\xff\0\x12\0\0",
    ];
    drive(topomotion_fuzz::node, &frames.map(<[u8]>::to_vec), 20);
}

#[test]
fn run_file() {
    let seeds = [
        b"12.000 crash broker-1\n13.500 start broker-1\n".to_vec(),
        b"5.250 cut broker-1 > broker-2\n".to_vec(),
        b"{\"format\": 1, \"cluster\": {}, \"nemesis\": []}".to_vec(),
    ];
    drive(topomotion_fuzz::run_file, &seeds, 1_000);
}
