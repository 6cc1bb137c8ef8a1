//! Segment files as somebody else reads them: kafka-python, on request (`read_segment.py`).
#![allow(clippy::disallowed_methods)]

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use topomotion_log::{Disk, Log, LogConfig, MemoryDisk, RecordRef, encode_batch};
use topomotion_wire::{LeaderEpoch, TopicPartition};

#[test]
#[ignore = "needs python3 with kafka-python"]
fn kafka_python_reads_what_was_written() {
    let config = LogConfig { index_interval_bytes: 150, ..LogConfig::default() };
    let mut log = Log::new(TopicPartition::new("orders", 0), config);
    let mut wanted = String::new();
    for at in 0..12_i64 {
        let (key, value) = (format!("k{at}"), format!("v{at}"));
        let headers = [("trace", Some(&b"x"[..]))];
        let records = [
            RecordRef {
                timestamp: 1_000 + at,
                key: Some(key.as_bytes()),
                value: Some(value.as_bytes()),
                headers: &headers,
            },
            RecordRef { timestamp: 900 + at, ..RecordRef::default() },
        ];
        let epoch = at / 5;
        let appended =
            log.append_as_leader(encode_batch(records), LeaderEpoch(epoch as i32));
        let base = appended.expect("good").base.0;
        writeln!(wanted, "{base} {epoch} {} {key} {value} trace=x", 1_000 + at)
            .expect("a string");
        writeln!(wanted, "{} {epoch} {} - - -", base + 1, 900 + at).expect("a string");
    }
    let mut disk = MemoryDisk::default();
    while let Some(op) = log.poll_disk() {
        disk.apply(op).expect("works");
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, bytes) in disk.files() {
        let name = name.replace('/', "-");
        std::fs::write(folder.join(name), bytes).expect("a folder for tests");
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/read_segment.py");
    let stem = folder.join("orders-0-00000000000000000000");
    let output = Command::new("python3").arg(script).arg(stem).output().expect("python3");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let said = String::from_utf8_lossy(&output.stdout);
    let (index, records): (Vec<&str>, Vec<&str>) =
        said.lines().partition(|line| line.starts_with("index"));
    assert_eq!(records, wanted.lines().collect::<Vec<_>>());
    assert!(index.len() > 3, "{index:?}");
}
