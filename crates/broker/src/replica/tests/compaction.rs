//! One replica of a topic that is compacted, or stored in a codec of its own.

use topomotion_log::{Batch, Compression};
use topomotion_wire::{LogDeed, TopicId};

use super::*;
use crate::metadata::{NewTopic, TopicConfig};
use crate::replica::Compacted;

fn bench_with(configs: &[(&str, &str)]) -> Bench {
    let mut bench = Bench::new(&[1]);
    let name: std::sync::Arc<str> = "orders".into();
    let topic = NewTopic { name: name.clone(), id: TopicId::default() };
    bench.image.apply(&MetadataRecord::Topic(topic));
    for (key, value) in configs {
        let (topic, value) = (name.clone(), Some((*value).into()));
        let config = TopicConfig { topic, name: (*key).into(), value };
        bench.image.apply(&MetadataRecord::Config(config));
    }
    bench.with(|replica, site, _| replica.configure(site));
    bench
}

fn batch_of(key: Option<&[u8]>, codec: Compression) -> Batch {
    let mut batch = BatchBuilder::new().with_compression(codec);
    let value = Some(&b"the same and the same and the same and the same"[..]);
    batch.push(&RecordRef { key, value, ..RecordRef::default() });
    batch.build()
}

fn send(bench: &mut Bench, records: Bytes) -> Result<i64, ErrorCode> {
    let appended = bench
        .with(|replica, site, effects| replica.append(site, Acks::All, records, effects));
    for id in [2, 3] {
        let end = bench.replica.log().end_offset().0;
        bench.fetch(id, end);
    }
    appended.map(|info| info.base.0)
}

#[test]
fn a_compacted_topic_takes_keyed_records_alone_and_keeps_the_last_of_each_key() {
    let mut bench = bench_with(&[
        ("cleanup.policy", "compact"),
        ("segment.bytes", "150"),
        ("min.cleanable.dirty.ratio", "0.1"),
    ]);
    let keyed = || batch_of(Some(b"k"), Compression::None).into_bytes();
    let bare = batch_of(None, Compression::Lz4).into_bytes();
    assert_eq!(send(&mut bench, bare), Err(ErrorCode::InvalidRecord));
    assert_eq!(send(&mut bench, keyed()), Ok(0));
    assert!(!bench.replica.may_be_compacted(), "nothing is closed");
    assert_eq!(send(&mut bench, keyed()), Ok(1));
    assert_eq!(send(&mut bench, keyed()), Ok(2));
    assert!(bench.replica.may_be_compacted());
    while bench.effects.next_output().is_some() {}
    assert_eq!(bench.with(Replica::compact), Compacted::Something);
    let outputs: Vec<_> = std::iter::from_fn(|| bench.effects.next_output()).collect();
    let is_told = |output: &Output| match output {
        Output::Fact(Fact::Log {
            deed: LogDeed::Compacted { to, removed, .. }, ..
        }) => *to == Offset(2) && removed[..] == [(Offset(0), Offset(0))],
        _ => false,
    };
    assert!(outputs.iter().any(is_told), "{outputs:?}");
    assert_eq!(bench.with(Replica::compact), Compacted::Nothing);
    assert_eq!((bench.watermark(), bench.replica.log().end_offset().0), (3, 3));
}

#[test]
fn a_topic_stores_records_in_its_own_codec_and_reads_what_it_is_sent() {
    let mut bench = bench_with(&[("compression.type", "gzip")]);
    let sent = batch_of(Some(b"k"), Compression::Zstd);
    assert_eq!(send(&mut bench, sent.bytes().clone()), Ok(0));
    let stored = bench.replica.log().batches(Offset(0), Offset(1)).next();
    let stored = stored.expect("it is there");
    assert_eq!(stored.attributes().compression(), Ok(Compression::Gzip));
    assert_eq!(stored.verify(), Ok(()));
    let values = |batch: &Batch| {
        batch.records().unwrap().map(|it| it.unwrap().value).collect::<Vec<_>>()
    };
    assert_eq!(values(&stored), values(&sent));
    let mut plain = bench_with(&[]);
    assert_eq!(send(&mut plain, sent.bytes().clone()), Ok(0));
    let stored = plain.replica.log().batches(Offset(0), Offset(1)).next();
    assert_eq!(stored.map(|it| it.id()), Some(sent.id()), "as its producer sent it");
}
