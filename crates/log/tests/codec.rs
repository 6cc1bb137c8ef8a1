//! Our record batches against those of the `kafka-protocol` crate, both ways.

use bytes::{Bytes, BytesMut};
use kafka_protocol::indexmap::IndexMap;
use kafka_protocol::protocol::StrBytes;
use kafka_protocol::records::{
    Compression, Record as Theirs, RecordBatchDecoder, RecordBatchEncoder,
    RecordEncodeOptions, TimestampType,
};
use proptest::prelude::*;
use topomotion_log::{Batch, BatchBuilder, Batches, ProducerStamp, RecordRef};

#[derive(Debug, Clone)]
struct Sample {
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Option<Vec<u8>>)>,
}

fn bytes() -> impl Strategy<Value = Option<Vec<u8>>> {
    prop::option::of(prop::collection::vec(any::<u8>(), 0..200))
}

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let headers = prop::collection::btree_map("[a-z]{0,8}", bytes(), 0..3);
    let sample = (0_i64..1 << 45, bytes(), bytes(), headers).prop_map(|parts| Sample {
        timestamp: parts.0,
        key: parts.1,
        value: parts.2,
        headers: parts.3.into_iter().collect(),
    });
    prop::collection::vec(sample, 1..20)
}

fn ours(samples: &[Sample], stamp: Option<ProducerStamp>) -> Batch {
    let mut builder = BatchBuilder::new();
    if let Some(stamp) = stamp {
        builder = builder.with_producer(stamp);
    }
    for sample in samples {
        let headers: Vec<(&str, Option<&[u8]>)> = sample
            .headers
            .iter()
            .map(|(name, value)| (&**name, value.as_deref()))
            .collect();
        builder.push(&RecordRef {
            timestamp: sample.timestamp,
            key: sample.key.as_deref(),
            value: sample.value.as_deref(),
            headers: &headers,
        });
    }
    builder.build()
}

fn theirs(samples: &[Sample], base: i64, first_sequence: i32) -> Vec<Theirs> {
    let own = |bytes: &Option<Vec<u8>>| bytes.clone().map(Bytes::from);
    let record = |(at, sample): (usize, &Sample)| Theirs {
        transactional: false,
        control: false,
        delete_horizon: false,
        partition_leader_epoch: 3,
        producer_id: 9,
        producer_epoch: 1,
        timestamp_type: TimestampType::Creation,
        offset: base + at as i64,
        sequence: first_sequence + at as i32,
        timestamp: sample.timestamp,
        key: own(&sample.key),
        value: own(&sample.value),
        headers: sample
            .headers
            .iter()
            .map(|(name, value)| (StrBytes::from_string(name.clone()), own(value)))
            .collect::<IndexMap<_, _>>(),
    };
    samples.iter().enumerate().map(record).collect()
}

fn assert_same(batch: &Batch, samples: &[Sample], base: i64) {
    let records: Vec<_> = batch
        .records()
        .expect("uncompressed")
        .map(|record| record.expect("good"))
        .collect();
    assert_eq!(records.len(), samples.len());
    for (at, (record, sample)) in records.iter().zip(samples).enumerate() {
        assert_eq!(record.offset.0, base + at as i64);
        assert_eq!(record.timestamp, sample.timestamp);
        assert_eq!(record.key.as_deref(), sample.key.as_deref());
        assert_eq!(record.value.as_deref(), sample.value.as_deref());
        let headers: Vec<_> = record
            .headers
            .iter()
            .map(|header| {
                (header.key.to_vec(), header.value.as_deref().map(<[u8]>::to_vec))
            })
            .collect();
        let expected: Vec<_> = sample
            .headers
            .iter()
            .map(|(name, value)| (name.clone().into_bytes(), value.clone()))
            .collect();
        assert_eq!(headers, expected);
    }
}

proptest! {
    #[test]
    fn what_we_write_we_read(samples in samples()) {
        let batch = ours(&samples, None);
        let mut batches = Batches::new(batch.bytes().clone());
        let read = batches.next().expect("one").expect("good");
        prop_assert_eq!(&read, &batch);
        prop_assert!(batches.next().is_none());
        prop_assert_eq!(read.producer(), None);
        assert_same(&read, &samples, 0);
    }

    #[test]
    fn what_we_write_they_read(samples in samples()) {
        let stamp = ProducerStamp { id: 9, epoch: 1, base_sequence: 5 };
        let mut buffer = ours(&samples, Some(stamp)).into_bytes();
        let decoded = RecordBatchDecoder::decode(&mut buffer).expect("they read it").records;
        let mut expected = theirs(&samples, 0, 5);
        expected.iter_mut().for_each(|record| record.partition_leader_epoch = -1);
        prop_assert_eq!(decoded, expected);
    }

    #[test]
    fn what_they_write_we_read(samples in samples(), base in 0_i64..1 << 40) {
        let mut buffer = BytesMut::new();
        let options = RecordEncodeOptions { version: 2, compression: Compression::None };
        let records = theirs(&samples, base, 0);
        RecordBatchEncoder::encode(&mut buffer, records.iter(), &options).expect("encodes");
        let mut batches = Batches::new(buffer.freeze());
        let batch = batches.next().expect("one").expect("good");
        prop_assert!(batches.next().is_none());
        prop_assert_eq!(batch.leader_epoch().0, 3);
        prop_assert_eq!(
            batch.producer(),
            Some(ProducerStamp {
                id: 9,
                epoch: 1,
                base_sequence: 0,
            })
        );
        assert_same(&batch, &samples, base);
    }
}

#[test]
fn every_codec_gives_back_the_records_that_it_was_given() {
    let samples: Vec<Sample> = (0..50)
        .map(|at| Sample {
            timestamp: 1_000 + at,
            key: Some(vec![at as u8]),
            value: Some(b"the same words again and again".to_vec()),
            headers: Vec::new(),
        })
        .collect();
    let plain = ours(&samples, None);
    for name in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let codec = topomotion_log::Compression::from_name(name).expect("known");
        let mut builder = BatchBuilder::new().with_compression(codec);
        for sample in &samples {
            builder.push(&RecordRef {
                timestamp: sample.timestamp,
                key: sample.key.as_deref(),
                value: sample.value.as_deref(),
                headers: &[],
            });
        }
        let batch = builder.build();
        assert_eq!(batch.verify(), Ok(()));
        assert_eq!(batch.attributes().compression(), Ok(codec));
        assert!(name == "none" || batch.len_bytes() < plain.len_bytes() / 2, "{name}");
        assert_same(&batch, &samples, 0);
        assert_eq!(plain.clone().recompressed(codec), Ok(batch.clone()));
        assert_eq!(batch.id(), plain.id(), "it is the same batch to whoever follows it");
        let back = batch.recompressed(topomotion_log::Compression::None);
        assert_eq!(back, Ok(plain.clone()));
    }
}
